//! HTML → plain text: what a person would read, line by line; and HTML made safe to be shown.
//!
//! The text is no browser's: nothing in it can act. Quotations
//! (`blockquote`) become lines that begin with `>`, so that whoever looks for a person's own words
//! sees them as in plain mail.
//!
//! **Invariant:** one pass, no tree, no recursion: time is linear in the input whatever it nests or
//! leaves open, and the output never exceeds `bytes_max` by more than a few kilobytes.
//!
//! What is shown as HTML goes through `ammonia`, whose time grows with the square of the nesting: it is asked
//! only about documents within the limits of [`sanitise`], and everything else is shown as text.
//!
//! `html2text` was refused: it goes quadratic on nesting. The converter of `mail-parser` was
//! refused: it ends lines at `br` and `/p` only, which glues together what clients put into `div`s.

use mail_parser::decoders::html::add_html_token;
use std::borrow::Cow;
use std::collections::HashMap;

/// Quotation levels shown; deeper ones are all the same to a reader.
const QUOTE_DEPTH_MAX: usize = 8;
/// A word is written in pieces of this size, so that one endless word keeps to the limit of the output.
const WORD_BYTES_MAX: usize = 1024;
/// Longest entity looked up, `&CounterClockwiseContourIntegral;` being the longest there is.
const ENTITY_BYTES_MAX: usize = 34;

/// What Outlook draws in plain text above the header of the mail below.
const RULE: &str = "________________________________";

/// The text of an HTML document.
pub fn to_text(html: &str, bytes_max: usize) -> String {
    let mut writer = Writer { bytes_max, ..Writer::default() };
    let mut reader = Reader { html, at: 0, tag: "", ignore_quotes: false, ignore_comments: false };
    while writer.out.len() < bytes_max {
        match reader.next() {
            Some(Token::Text(text)) => writer.text(text),
            Some(Token::Open(name)) if matches!(name.as_str(), "script" | "style" | "title" | "template") => {
                reader.skip_element(&name);
            }
            Some(Token::Open(name)) => {
                if is_outlook_rule(&name, reader.tag) {
                    writer.rule();
                }
                writer.open(&name);
            }
            Some(Token::Close(name)) => writer.close(&name),
            Some(Token::Nothing) => {}
            None => break,
        }
    }
    writer.out.truncate(writer.out.trim_end().len());
    writer.out
}

/// HTML that is made safe to be shown. Bytes; it takes some 30 ms.
pub const SANITISE_BYTES_MAX: usize = 1024 * 1024;
/// Elements open at once; newsletters of tables within tables reach a hundred.
pub const SANITISE_DEPTH_MAX: usize = 500;
/// Start tags in it; each may be moved before a table, which costs one step for every one moved so far.
const SANITISE_TAGS_MAX: usize = 20_000;
/// Characters of text that are written as entities: each costs one step for every one before it in its text.
const SANITISE_ENTITIES_MAX: usize = 20_000;
/// Attributes of one tag are compared with each other: of a tag longer than this (bytes) so many are let through.
const LONG_TAG_BYTES: usize = 1024;
const LONG_TAG_ATTRIBUTES_MAX: usize = 256;

/// HTML made safe to be shown in a page: no script, style, form, frame or event handler, links that tell nobody
/// where they were clicked, and no picture but those that came with the mail (`cid:`), so that looking at a
/// mail tells its sender nothing. `pictures` says by which address each of these is shown, by Content-ID; others
/// are left out. `None` when it is too long, nested too deep or made to cost time: then its text is shown
/// ([`to_text`]).
pub fn sanitise(html: &str, pictures: &HashMap<String, String>) -> Option<String> {
    if html.len() > SANITISE_BYTES_MAX || !is_tame(html) {
        return None;
    }
    let mut builder = ammonia::Builder::default();
    let pictures = pictures.clone();
    let of_the_mail = move |source: &str| pictures.get(content_id(source)?.as_str()).cloned();
    builder
        .add_url_schemes(["cid"])
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"))
        .attribute_filter(move |element, attribute, value| match (element, attribute) {
            ("img", "src") => of_the_mail(value).map(Cow::Owned),
            // A link into the mail leads nowhere, and elsewhere nothing is loaded by itself.
            (_, "src" | "href" | "cite") if content_id(value).is_some() => None,
            _ => Some(Cow::Borrowed(value)),
        });
    Some(builder.clean(html).to_string())
}

/// The Content-ID that an address names (RFC 2392), if it is of the mail itself.
fn content_id(source: &str) -> Option<String> {
    let source = source.trim();
    let is_cid = source.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("cid:"));
    is_cid.then(|| unescaped(&source[4..]))
}

/// A text with its `%40` resolved.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = after.get(..2).filter(|_| *first == b'%').and_then(|digits| hex::decode(digits).ok());
        bytes.push(escaped.as_ref().map_or(*first, |byte| byte[0]));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether cleaning a document costs no more than its size. More elements are counted as open than a
/// browser would have open, never fewer, but for those that end by themselves.
fn is_tame(html: &str) -> bool {
    let mut reader = Reader { html, at: 0, tag: "", ignore_quotes: false, ignore_comments: false };
    let mut open: HashMap<String, usize> = HashMap::new();
    let (mut depth, mut tags) = (0, 0);
    // An entity in the source may be one in the text, whatever stands around it.
    let mut entities = html.matches(['&', '\u{a0}']).count();
    while let Some(token) = reader.next() {
        match token {
            Token::Open(name) => {
                tags += 1;
                if tags > SANITISE_TAGS_MAX || has_many_attributes(reader.tag) {
                    return false;
                }
                if !ends_by_itself(&name) {
                    depth += 1;
                    *open.entry(name).or_default() += 1;
                }
            }
            Token::Close(name) => {
                if let Some(count) = open.get_mut(&name).filter(|count| **count > 0) {
                    *count -= 1;
                    depth -= 1;
                }
            }
            Token::Text(text) => entities += text.matches(['<', '>']).count(),
            Token::Nothing => {}
        }
        if depth > SANITISE_DEPTH_MAX || entities > SANITISE_ENTITIES_MAX {
            return false;
        }
    }
    true
}

/// Elements without content, and those that the next of their kind ends (HTML, 13.1.2.4).
fn ends_by_itself(name: &str) -> bool {
    matches!(
        name,
        "br" | "hr"
            | "img"
            | "input"
            | "meta"
            | "link"
            | "col"
            | "area"
            | "base"
            | "wbr"
            | "embed"
            | "source"
            | "param"
            | "p"
            | "li"
            | "dt"
            | "dd"
            | "tr"
            | "td"
            | "th"
            | "tbody"
            | "thead"
            | "tfoot"
            | "option"
            | "html"
            | "head"
            | "body"
    )
}

fn has_many_attributes(tag: &str) -> bool {
    if tag.len() <= LONG_TAG_BYTES {
        return false;
    }
    let mut quote = None;
    let mut count = 0;
    for byte in tag.bytes() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => {
                quote = Some(byte);
                count += 1;
            }
            (None, b'/' | b'=') => count += 1,
            (None, byte) if byte.is_ascii_whitespace() => count += 1,
            _ => {}
        }
    }
    count > 3 * LONG_TAG_ATTRIBUTES_MAX
}

enum Token<'a> {
    Text(&'a str),
    /// A start tag, name in lower case.
    Open(String),
    /// An end tag.
    Close(String),
    /// A comment or declaration.
    Nothing,
}

struct Reader<'a> {
    html: &'a str,
    at: usize,
    /// The last tag, without its angle bracket.
    tag: &'a str,
    /// A quoted attribute was never closed: from here on the first `>` ends a tag, so that the
    /// rest is not searched again and again.
    ignore_quotes: bool,
    /// The same for a comment without end.
    ignore_comments: bool,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<Token<'a>> {
        let rest = self.html.get(self.at..).filter(|rest| !rest.is_empty())?;
        if !begins_tag(rest) {
            let from = rest.chars().next().map_or(1, char::len_utf8);
            let length = rest[from..]
                .match_indices('<')
                .map(|(at, _)| from + at)
                .find(|&at| begins_tag(&rest[at..]))
                .unwrap_or(rest.len());
            self.at += length;
            return Some(Token::Text(&rest[..length]));
        }
        if rest.starts_with("<!--") && !self.ignore_comments {
            // A comment without end hides nothing: it is passed over like any tag.
            if let Some(end) = rest[4..].find("-->") {
                self.at += 4 + end + 3;
                return Some(Token::Nothing);
            }
            self.ignore_comments = true;
        }
        let length = self.tag_length(rest);
        self.at += length;
        let tag = &rest[1..length];
        self.tag = tag;
        let (is_close, tag) = tag.strip_prefix('/').map_or((false, tag), |tag| (true, tag));
        let end = tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len());
        let name = tag[..end.min(20)].to_ascii_lowercase();
        Some(match (name.is_empty(), is_close) {
            (true, _) => Token::Nothing,
            (false, true) => Token::Close(name),
            (false, false) => Token::Open(name),
        })
    }

    /// The length of the tag at the start of `rest`, its `>` included.
    fn tag_length(&mut self, rest: &str) -> usize {
        if !self.ignore_quotes {
            let mut quote = None;
            for (at, byte) in rest.bytes().enumerate() {
                match (quote, byte) {
                    (Some(open), _) if byte == open => quote = None,
                    (Some(_), _) => {}
                    (None, b'"' | b'\'') => quote = Some(byte),
                    (None, b'>') => return at + 1,
                    _ => {}
                }
            }
            self.ignore_quotes = true;
        }
        rest.find('>').map_or(rest.len(), |at| at + 1)
    }

    /// Passes over all up to the end tag; without one nothing of the rest is text.
    fn skip_element(&mut self, name: &str) {
        let rest = self.html.as_bytes().get(self.at..).unwrap_or_default();
        let is_end = |window: &[u8]| window.starts_with(b"</") && window[2..].eq_ignore_ascii_case(name.as_bytes());
        let end = rest.windows(name.len() + 2).position(is_end);
        self.at = end.map_or(self.html.len(), |end| self.at + end);
    }
}

/// Bytes of a tag in which its id and style are looked for.
const TAG_BYTES_MAX: usize = 400;

/// Whether a tag draws the line that Outlook and its like have above the header of the mail below.
/// Outside HTML they draw it with underscores.
fn is_outlook_rule(name: &str, tag: &str) -> bool {
    if !matches!(name, "div" | "hr" | "td") || tag.len() <= name.len() + 1 {
        return false;
    }
    let tag = &tag[..tag.floor_char_boundary(TAG_BYTES_MAX)];
    let ids = ["divRplyFwdMsg", "stopSpelling", "OutlookMessageHeader", "OLK_SRC_BODY_SECTION", "zwchr", "__DIVIDER__"];
    ids.iter().any(|id| tag.contains(id)) || (tag.contains("border-top:solid #") && tag.contains("padding:3.0pt 0"))
}

fn begins_tag(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next() == Some(b'<') && bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b"/!?".contains(&b))
}

#[derive(Default)]
struct Writer {
    out: String,
    bytes_max: usize,
    quote_depth: usize,
    pre_depth: usize,
    /// A blank is due before the next word.
    blank: bool,
    /// Line ends due before the next word: 1 ends the line, 2 leave an empty one.
    breaks: usize,
    /// Words stand on the current line.
    in_line: bool,
}

impl Writer {
    fn open(&mut self, name: &str) {
        match name {
            "br" => self.line_break(),
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "ul" | "ol" | "dl" | "table" | "hr" => self.block(2),
            "blockquote" => {
                self.block(2);
                self.quote_depth = (self.quote_depth + 1).min(QUOTE_DEPTH_MAX);
            }
            "pre" => {
                self.block(2);
                self.pre_depth += 1;
            }
            "li" => {
                self.block(1);
                self.word("- ");
            }
            "td" | "th" => self.blank = true,
            _ if is_block(name) => self.block(1),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "ul" | "ol" | "dl" | "table" => self.block(2),
            "blockquote" => {
                self.block(2);
                self.quote_depth = self.quote_depth.saturating_sub(1);
            }
            "pre" => {
                self.block(2);
                self.pre_depth = self.pre_depth.saturating_sub(1);
            }
            "td" | "th" => self.blank = true,
            _ if is_block(name) => self.block(1),
            _ => {}
        }
    }

    /// A block begins or ends: the line ends, and `breaks` 2 leave an empty line.
    fn block(&mut self, breaks: usize) {
        self.breaks = self.breaks.max(breaks);
    }

    /// The line above a quoted header, once.
    fn rule(&mut self) {
        self.block(2);
        if !self.out.ends_with(RULE) && !self.out.is_empty() {
            self.word(RULE);
            self.block(1);
        }
    }

    /// `br` ends the line; each further one leaves an empty line, to two.
    fn line_break(&mut self) {
        self.breaks = if self.in_line && self.breaks == 0 { 1 } else { (self.breaks + 1).min(3) };
    }

    fn text(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() && self.out.len() < self.bytes_max {
            let blank = |c: char| c.is_ascii_whitespace() || c == '\u{a0}';
            if self.pre_depth > 0 && rest.starts_with('\n') {
                self.line_break();
                rest = &rest[1..];
            } else if rest.starts_with(blank) {
                self.blank = true;
                rest = &rest[rest.chars().next().map_or(1, char::len_utf8)..];
            } else {
                let window = &rest[..rest.floor_char_boundary(WORD_BYTES_MAX)];
                let end = window.find(blank).unwrap_or(window.len());
                self.unescape(&rest[..end]);
                rest = &rest[end..];
            }
        }
    }

    /// Writes a word, its entities resolved.
    fn unescape(&mut self, word: &str) {
        let mut rest = word;
        while let Some(at) = rest.find('&') {
            if at > 0 {
                self.word(&rest[..at]);
            }
            rest = &rest[at..];
            let window = &rest.as_bytes()[..rest.len().min(ENTITY_BYTES_MAX)];
            let length = window.iter().position(|&b| b == b';').map_or(1, |at| at + 1);
            let mut resolved = String::new();
            add_html_token(&mut resolved, &rest.as_bytes()[..length], false);
            let resolved = resolved.replace(|c: char| c.is_whitespace(), " ");
            match resolved.as_str() {
                " " => self.blank = true,
                other => self.word(&windows_numbers(other)),
            }
            rest = &rest[length..];
        }
        if !rest.is_empty() {
            self.word(rest);
        }
    }

    fn word(&mut self, word: &str) {
        if self.breaks > 0 && !self.out.is_empty() {
            for _ in 0..self.breaks {
                self.out.truncate(self.out.trim_end_matches(' ').len());
                self.out.push('\n');
                self.out.extend(std::iter::repeat_n("> ", self.quote_depth));
            }
            self.blank = false;
        } else if self.out.is_empty() {
            self.out.extend(std::iter::repeat_n("> ", self.quote_depth));
            self.blank = false;
        }
        self.breaks = 0;
        if self.blank && self.in_line && !self.out.ends_with([' ', '\n']) {
            self.out.push(' ');
        }
        self.blank = false;
        self.in_line = true;
        self.out.push_str(word);
    }
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "div"
            | "tr"
            | "li"
            | "dt"
            | "dd"
            | "body"
            | "html"
            | "head"
            | "center"
            | "form"
            | "section"
            | "article"
            | "header"
            | "footer"
            | "address"
            | "main"
            | "aside"
            | "nav"
            | "fieldset"
            | "caption"
            | "thead"
            | "tbody"
    )
}

/// Numbers 128 to 159 mean windows-1252, as in browsers (HTML, 13.2.5.80).
fn windows_numbers(text: &str) -> String {
    text.chars()
        .map(|c| match u32::from(c) {
            code @ 0x80..=0x9f => super::mail_parts::decode_charset(&[code as u8], Some("windows-1252")),
            _ => c.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{SANITISE_BYTES_MAX, SANITISE_DEPTH_MAX, SANITISE_ENTITIES_MAX, sanitise, to_text};
    use std::collections::HashMap;

    #[test]
    fn html_reads_as_text() {
        let table = [
            ("plain", "plain"),
            ("<p>Hei,</p><p>tilaus 4001 2345</p>", "Hei,\n\ntilaus 4001 2345"),
            ("<div>yksi</div><div>kaksi<br>kolme</div>", "yksi\nkaksi\nkolme"),
            ("<div>a</div><div><br></div><div>b</div>", "a\n\nb"),
            ("a<br><br>b", "a\n\nb"),
            ("<b>a</b>b <i>c</i>", "ab c"),
            (
                "x &lt;y&gt; &amp;amp; &auml;&#228;&#xe4; &nbsp;z &#150; &unknown; & co",
                "x <y> &amp; äää z – &unknown; & co",
            ),
            ("<style>p{}</style><script>if (a<b) alert('</p>')</script>t", "t"),
            ("<head><title>T</title></head><body>b</body>", "b"),
            ("<!-- <p>no</p> -->yes<!-- open", "yes"),
            ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
            ("<a title='x > y' href=\"u\">link</a>", "link"),
            ("<a title='broken>one</a> two", "one two"),
            (
                "reply<blockquote>old<br>lines<blockquote>older</blockquote></blockquote>after",
                "reply\n> \n> old\n> lines\n> > \n> > older\n\nafter",
            ),
            ("<ul><li>a<li>b</ul>c", "- a\n- b\n\nc"),
            ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
            ("<pre>a  b\nc</pre>", "a b\nc"),
            ("ä<", "ä<"),
            ("<", "<"),
            ("<p", ""),
            (
                "Selvä<hr id=\"stopSpelling\"><div id='divRplyFwdMsg'>Od: A<br>Do: B</div>vanha",
                "Selvä\n\n________________________________\n\nOd: A\nDo: B\nvanha",
            ),
            (
                "<p>Ok</p><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p>Od: A</p></div>",
                "Ok\n\n________________________________\n\nOd: A",
            ),
            ("<style>never closed", ""),
        ];
        for (html, expected) in table {
            let text = to_text(html, 10_000).lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
            let expected = expected.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
            assert_eq!(text, expected, "{html}");
        }
    }

    #[test]
    fn what_is_shown_cannot_act() {
        let table = [
            ("<p onclick=\"x()\">Hei <b>sinä</b></p>", "<p>Hei <b>sinä</b></p>"),
            ("<script>x</script><style>p{}</style>a", "a"),
            ("<a href=\"javascript:x()\">a</a>", "<a rel=\"noopener noreferrer nofollow\">a</a>"),
            (
                "<a href=\"https://example.com/\">a</a>",
                "<a href=\"https://example.com/\" rel=\"noopener noreferrer nofollow\">a</a>",
            ),
            ("<img src=\"https://example.com/pixel.gif\" alt=\"x\">", "<img alt=\"x\">"),
            ("<img src=\"cid:1@example.com\">", "<img src=\"attachment:0/a.png\">"),
            ("<img src=\" CID:1%40example.com\">", "<img src=\"attachment:0/a.png\">"),
            ("<img src=\"cid:2@example.com\">", "<img>"),
            ("<img src=\"attachment:0/a.png\">", "<img>"),
            ("<img srcset=\"https://example.com/a 2x\" src=\"data:image/gif;base64,AA\">", "<img>"),
            (
                "<table background=\"https://example.com/a\"><tr><td>x</td></tr></table>",
                "<table><tbody><tr><td>x</td></tr></tbody></table>",
            ),
            ("<video src=\"https://example.com/a\" poster=\"https://example.com/b\">x</video>", "x"),
            ("<a href=\"cid:1@example.com\">a</a>", "<a rel=\"noopener noreferrer nofollow\">a</a>"),
            ("<link rel=\"stylesheet\" href=\"https://example.com/a.css\"><base href=\"https://example.com\">a", "a"),
            ("<iframe src=\"https://example.com\"></iframe><form><input></form>b", "b"),
            ("<blockquote>old</blockquote>", "<blockquote>old</blockquote>"),
            ("<svg><p><style><!--</style><img src=x onerror=x()>-->", ""),
            ("<div style=\"position:fixed\">a</div>", "<div>a</div>"),
        ];
        let pictures = HashMap::from([("1@example.com".to_owned(), "attachment:0/a.png".to_owned())]);
        for (html, expected) in table {
            let shown = sanitise(html, &pictures).expect("within the limits");
            match expected.is_empty() {
                true => assert!(!shown.contains("onerror"), "{html}: {shown}"),
                false => assert_eq!(shown, expected, "{html}"),
            }
        }
    }

    #[test]
    fn a_hundred_thousand_levels_cost_nothing() {
        let began = std::time::Instant::now();
        let none = HashMap::new();
        for piece in ["<div>", "<blockquote>", "<table><tr><td>", "<ul><li>", "<span><p>", "<font>", "<details>"] {
            let html = piece.repeat(100_000);
            assert_eq!(sanitise(&html, &none), None, "{piece}");
            assert!(to_text(&html, 10_000).len() <= 20_000, "{piece}");
        }
        assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
    }

    #[test]
    fn what_would_cost_time_is_not_sanitised() {
        let sanitise = |html: &str| sanitise(html, &HashMap::new());
        let many = |piece: &str| piece.repeat(900_000 / piece.len());
        for piece in [
            "<div>",
            "<b>",
            "<table>",
            "<p><b id=1>",
            "<a><p>",
            "<svg><g>",
            "<div></x>",
            "<table><i></i>",
            "<form><div></form>",
        ] {
            assert_eq!(sanitise(&many(piece)), None, "{piece}");
        }
        let attributes: String = (0..100_000).map(|n| format!(" a{n}")).collect();
        assert_eq!(sanitise(&format!("<p{attributes}>x")), None);
        assert_eq!(sanitise(&"x".repeat(SANITISE_BYTES_MAX + 1)), None);
        let depth = |depth: usize| sanitise(&format!("{}x", "<div>".repeat(depth)));
        assert!(depth(SANITISE_DEPTH_MAX).is_some() && depth(SANITISE_DEPTH_MAX + 1).is_none());
    }

    #[test]
    fn hostile_html_takes_linear_time() {
        for piece in
            ["<div>", "<blockquote>", "<a '", "<!--", "<", "&", "<style", "<br><blockquote>", "&#0;", "<a \"<b '"]
        {
            let html = piece.repeat(2_000_000 / piece.len());
            assert!(to_text(&html, 500_000).len() < 510_000, "{piece}");
        }
    }

    #[test]
    fn text_that_is_all_entities_is_not_cleaned() {
        for one in ["&", "&amp;", "&a", "&#60;", "\u{a0}", ">", "a > b "] {
            let cleaned = |count: usize| sanitise(&one.repeat(count), &HashMap::new()).is_some();
            assert_eq!((cleaned(500), cleaned(SANITISE_ENTITIES_MAX + 1)), (true, false), "{one}");
        }
    }
}
