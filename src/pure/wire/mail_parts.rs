//! The structure of a mail: header fields and MIME parts, as ranges of its bytes (RFC 5322, RFC 2045).
//!
//! Values of fields, charsets and entities are read by `mail-parser`; the tree is walked here. The
//! whole-mail parser of that crate was refused for the tree: a multipart that names a boundary which
//! never comes makes it search the rest of the mail once for each such part, nested messages are
//! dropped by recursion, and an attachment that was cut off becomes text.
//!
//! **Invariant:** work is bounded by a constant times the size of the mail, whatever it holds:
//! nesting, parts, fields and the size of a field are limited, nothing recurses, nothing panics.

use bytes::Bytes;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::parsers::MessageStream;
use mail_parser::{Address, ContentType, HeaderValue};
use std::borrow::Cow;
use std::ops::Range;

/// Parts kept of one mail; digests and photo albums stay below, bombs do not.
pub const PARTS_MAX: usize = 500;
/// Multiparts within multiparts; real mails reach six. Each level reads the bytes once more.
pub const DEPTH_MAX: usize = 20;
/// Header fields kept of one header; long relay chains have some two hundred.
pub const FIELDS_MAX: usize = 1_000;
/// Bytes read of one field's value: 16 KiB hold some 300 recipients or references.
pub const FIELD_BYTES_MAX: usize = 16 * 1024;
/// Encoded words read in one field; reading an unfinished one costs the rest of the field.
const ENCODED_WORDS_MAX: usize = 256;
/// Parts asked for the sender's charset.
const TEXT_SEARCH_PARTS: usize = 5;
/// Longest boundary taken; RFC 2046 5.1.1 allows 70 characters.
const BOUNDARY_BYTES_MAX: usize = 250;

/// A header field: its name in lower case, and where its value stands, folding and all.
#[derive(Debug, Clone)]
pub struct Field {
    /// Lower case.
    pub name: String,
    /// In the bytes of the mail.
    pub value: Range<usize>,
}

/// How a part's body is encoded for transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferEncoding {
    /// As it is: 7bit, 8bit, binary and whatever is unknown.
    Identity,
    /// RFC 2045 6.8.
    Base64,
    /// RFC 2045 6.7.
    QuotedPrintable,
    /// What came before MIME, declared as `x-uuencode`.
    Uuencode,
}

/// One MIME part.
#[derive(Debug, Clone)]
pub struct Part {
    /// Media type, lower case, without parameters: `text/plain`.
    pub media_type: String,
    /// The charset parameter.
    pub charset: Option<String>,
    /// Transfer encoding of the body.
    pub encoding: TransferEncoding,
    /// The sender's name for it, from Content-Disposition, else Content-Type.
    pub name: Option<String>,
    /// `Content-Disposition: attachment`.
    pub is_attachment: bool,
    /// `Content-Disposition: inline`, or a Content-ID that HTML may point at.
    pub is_inline: bool,
    /// The `report-type` parameter of a multipart/report, lower case.
    pub report_type: Option<String>,
    /// For a multipart: the parts within it, in order, as indexes into [`Mail::parts`].
    pub children: Vec<usize>,
    /// The header of the part.
    pub header: Range<usize>,
    /// The body, still encoded, without the line end that belongs to the next delimiter.
    pub body: Range<usize>,
}

/// A mail taken apart.
#[derive(Debug)]
pub struct Mail {
    bytes: Bytes,
    /// The fields of the mail's own header, in order.
    pub fields: Vec<Field>,
    /// The parts; the first is the mail itself. Empty only for an empty mail.
    pub parts: Vec<Part>,
    /// Parts were left out because there were too many, or they were nested too deep.
    pub is_cut: bool,
}

/// Takes a mail apart. Leading blank lines and an mbox separator are skipped; a mail whose lines end
/// in bare CR is read as if they ended in LF.
pub fn parse(bytes: &Bytes) -> Mail {
    let bytes = if !bytes.contains(&b'\n') && bytes.contains(&b'\r') {
        Bytes::from(bytes.iter().map(|&b| if b == b'\r' { b'\n' } else { b }).collect::<Vec<_>>())
    } else {
        bytes.clone()
    };
    let start = skip_preface(&bytes);
    let mut mail = Mail { fields: Vec::new(), parts: Vec::new(), is_cut: false, bytes };
    if start < mail.bytes.len() {
        mail.walk(start);
    }
    mail
}

/// What is still to be taken apart.
struct Pending {
    range: Range<usize>,
    parent: Option<usize>,
    depth: usize,
    in_digest: bool,
}

impl Mail {
    /// The values of a field, in order, not unfolded.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.fields.iter().filter(move |field| field.name == name).map(|field| self.slice(&field.value))
    }

    /// The first value of a field, unfolded, encoded words as they are, trimmed.
    pub fn raw(&self, name: &str) -> Option<String> {
        self.values(name).next().map(|value| unfold(value).trim().to_owned())
    }

    /// The first value of a field, decoded.
    pub fn text(&self, name: &str) -> Option<String> {
        self.values(name).next().map(|value| decode_unstructured(value, self.charset()))
    }

    /// The mailboxes of all fields of a name, at most `max`.
    pub fn addresses(&self, name: &str, max: usize) -> Vec<Mailbox> {
        let values = self.values(name).take(max);
        values.flat_map(|value| decode_addresses(value, self.charset(), max)).take(max).collect()
    }

    /// The charset of the first part that names one: what raw bytes in the header are meant in.
    fn charset(&self) -> Option<&str> {
        self.parts.iter().take(TEXT_SEARCH_PARTS).find_map(|part| part.charset.as_deref())
    }

    /// Bytes of a range.
    pub fn slice(&self, range: &Range<usize>) -> &[u8] {
        self.bytes.get(range.clone()).unwrap_or_default()
    }

    /// A part's body, decoded; not copied where it was not encoded.
    pub fn body(&self, part: &Part) -> Bytes {
        match decode_transfer(self.slice(&part.body), part.encoding) {
            Cow::Owned(bytes) => Bytes::from(bytes),
            Cow::Borrowed(_) => self.bytes.slice(part.body.clone()),
        }
    }

    /// A text part in Unicode. No more than `bytes_max` encoded bytes are read; the flag says
    /// whether that cut it.
    pub fn body_text(&self, part: &Part, bytes_max: usize) -> (String, bool) {
        let encoded = self.slice(&part.body);
        let is_cut = encoded.len() > bytes_max;
        let bytes = decode_transfer(&encoded[..encoded.len().min(bytes_max)], part.encoding);
        (decode_charset(&bytes, part.charset.as_deref()), is_cut)
    }

    /// A part's own fields.
    pub fn fields_of(&self, part: &Part) -> Vec<Field> {
        fields(&self.bytes, part.header.clone()).0
    }

    fn walk(&mut self, start: usize) {
        let mut pending = vec![Pending { range: start..self.bytes.len(), parent: None, depth: 0, in_digest: false }];
        while let Some(next) = pending.pop() {
            if self.parts.len() >= PARTS_MAX {
                self.is_cut = true;
                return;
            }
            let (fields, body) = fields(&self.bytes, next.range.clone());
            let header = next.range.start..body;
            let (part, boundary) = self.describe(&fields, header, body..next.range.end, next.in_digest);
            let is_digest = part.media_type == "multipart/digest";
            let index = self.parts.len();
            if let Some(parent) = next.parent {
                self.parts[parent].children.push(index);
            } else {
                self.fields = fields;
            }
            self.parts.push(part);
            let Some(boundary) = boundary else { continue };
            if next.depth >= DEPTH_MAX {
                self.is_cut = true;
                "application/octet-stream".clone_into(&mut self.parts[index].media_type);
                continue;
            }
            let (ranges, is_cut) = split(&self.bytes, body..next.range.end, boundary.as_bytes());
            self.is_cut |= is_cut;
            if ranges.is_empty() {
                "text/plain".clone_into(&mut self.parts[index].media_type);
            }
            // A stack: the last pushed is the next taken, and parts keep their order.
            pending.extend(ranges.into_iter().rev().map(|range| Pending {
                range,
                parent: Some(index),
                depth: next.depth + 1,
                in_digest: is_digest,
            }));
        }
    }

    /// Reads a part's MIME fields. The boundary is given for a multipart that has one.
    fn describe(
        &self,
        fields: &[Field],
        header: Range<usize>,
        body: Range<usize>,
        in_digest: bool,
    ) -> (Part, Option<String>) {
        let value = |name: &str| fields.iter().find(|field| field.name == name).map(|field| self.slice(&field.value));
        let content_type = value("content-type").and_then(parse_content_type);
        let disposition = value("content-disposition").and_then(parse_content_type);
        let parameter = |of: &Option<ContentType<'static>>, name: &str| {
            of.as_ref().and_then(|of| of.attribute(name)).map(|value| clean_line(value, 255)).filter(|v| !v.is_empty())
        };
        let media_type = match &content_type {
            Some(ContentType { c_type, c_subtype: Some(subtype), .. }) if is_token(c_type) && is_token(subtype) => {
                format!("{}/{}", c_type.to_ascii_lowercase(), subtype.to_ascii_lowercase())
            }
            Some(ContentType { c_type, .. }) if c_type.eq_ignore_ascii_case("multipart") => {
                "multipart/mixed".to_owned()
            }
            _ if in_digest => "message/rfc822".to_owned(),
            _ => "text/plain".to_owned(),
        };
        let is_multipart = media_type.starts_with("multipart/");
        let boundary = content_type.as_ref().and_then(|of| of.attribute("boundary")).map(str::to_owned);
        let boundary = boundary.filter(|b| is_multipart && !b.trim().is_empty() && b.len() <= BOUNDARY_BYTES_MAX);
        let shown = disposition.as_ref().map(|of| of.c_type.to_ascii_lowercase());
        let part = Part {
            media_type: if is_multipart && boundary.is_none() { "text/plain".to_owned() } else { media_type },
            charset: parameter(&content_type, "charset"),
            encoding: value("content-transfer-encoding").map_or(TransferEncoding::Identity, parse_encoding),
            name: parameter(&disposition, "filename").or_else(|| parameter(&content_type, "name")),
            is_attachment: shown.as_deref() == Some("attachment"),
            is_inline: shown.as_deref() == Some("inline") || (shown.is_none() && value("content-id").is_some()),
            report_type: parameter(&content_type, "report-type").map(|value| value.to_ascii_lowercase()),
            children: Vec::new(),
            header,
            body,
        };
        (part, boundary)
    }
}

/// A media type's type or subtype; anything else would travel on into other programs' headers.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 127
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
}

fn parse_encoding(value: &[u8]) -> TransferEncoding {
    let value = unfold(value).to_ascii_lowercase();
    match value.split(|c: char| c == ';' || c == '(' || c.is_whitespace()).find(|word| !word.is_empty()) {
        Some("base64") => TransferEncoding::Base64,
        Some("quoted-printable") => TransferEncoding::QuotedPrintable,
        Some("x-uuencode" | "uuencode" | "x-uue" | "uue") => TransferEncoding::Uuencode,
        _ => TransferEncoding::Identity,
    }
}

/// Skips a byte order mark, blank lines and an mbox separator (`From …`) before the header.
fn skip_preface(bytes: &[u8]) -> usize {
    let mut at = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    while bytes.get(at).is_some_and(|b| matches!(b, b'\r' | b'\n')) {
        at += 1;
    }
    if bytes.get(at..).is_some_and(|rest| rest.starts_with(b"From ") || rest.starts_with(b">From ")) {
        at = line_end(bytes, at, bytes.len()).1;
    }
    at
}

/// The end of the line that begins at `from`: without and with its line end.
fn line_end(bytes: &[u8], from: usize, to: usize) -> (usize, usize) {
    match bytes[from..to].iter().position(|&b| b == b'\n') {
        Some(at) => {
            let end = from + at;
            (if end > from && bytes[end - 1] == b'\r' { end - 1 } else { end }, end + 1)
        }
        None => (to, to),
    }
}

/// Reads a header: its fields, and where the body begins. A line that is no field ends the header,
/// unless a field that every header has follows before the next blank line: relays and bad clients break
/// long fields that way.
pub fn fields(bytes: &[u8], range: Range<usize>) -> (Vec<Field>, usize) {
    let mut fields: Vec<Field> = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let (end, next) = line_end(bytes, at, range.end);
        if end == at {
            return (fields, next);
        }
        let line = &bytes[at..end];
        let is_folded = matches!(line[0], b' ' | b'\t');
        match field_name(line) {
            _ if is_folded => {
                if let Some(field) = fields.last_mut().filter(|field| field.value.end <= at) {
                    field.value.end = end;
                }
            }
            Some((name, colon)) => {
                if fields.len() < FIELDS_MAX {
                    fields.push(Field { name, value: at + colon + 1..end });
                }
            }
            None => match known_field_after(bytes, next..range.end) {
                // Lines that lost their indentation belong to the field above.
                Some(found) => {
                    if let Some(field) = fields.last_mut().filter(|field| field.value.end <= at) {
                        field.value.end = line_end(bytes, at, found).0;
                    }
                    at = found;
                    continue;
                }
                None => return (fields, at),
            },
        }
        at = next;
    }
    (fields, range.end)
}

/// Fields that say that a header still goes on.
const LANDMARKS: &[&str] = &[
    "from",
    "to",
    "cc",
    "date",
    "subject",
    "message-id",
    "received",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "content-disposition",
    "return-path",
];

/// Lines looked through for a landmark; virus scanners write fields of some thirty.
const STRAY_LINES_MAX: usize = 60;

/// Where the next landmark begins, if the header goes on.
fn known_field_after(bytes: &[u8], range: Range<usize>) -> Option<usize> {
    let mut at = range.start;
    for _ in 0..STRAY_LINES_MAX {
        let (end, next) = line_end(bytes, at, range.end);
        if end == at {
            return None;
        }
        if field_name(&bytes[at..end]).is_some_and(|(name, _)| LANDMARKS.contains(&name.as_str())) {
            return Some(at);
        }
        at = next;
    }
    None
}

/// A field's name in lower case and the place of its colon, if the line begins one.
fn field_name(line: &[u8]) -> Option<(String, usize)> {
    let colon = line.iter().take(100).position(|&b| b == b':')?;
    let name = line[..colon].trim_ascii_end();
    let is_name = !name.is_empty() && name.iter().all(|b| b.is_ascii_graphic());
    is_name.then(|| (String::from_utf8_lossy(name).to_ascii_lowercase(), colon))
}

/// The parts between delimiters. Lines must be the delimiter and nothing else, for boundaries may
/// begin alike; only when none is, one that merely begins so is taken (RFC 2046 5.1.1).
fn split(bytes: &[u8], range: Range<usize>, boundary: &[u8]) -> (Vec<Range<usize>>, bool) {
    let exact = split_by(bytes, range.clone(), boundary, |rest| rest.iter().all(u8::is_ascii_whitespace));
    if exact.0.is_empty() { split_by(bytes, range, boundary, |_| true) } else { exact }
}

fn split_by(
    bytes: &[u8],
    range: Range<usize>,
    boundary: &[u8],
    is_delimiter: impl Fn(&[u8]) -> bool,
) -> (Vec<Range<usize>>, bool) {
    let mut ranges = Vec::new();
    let mut open: Option<usize> = None;
    let mut at = range.start;
    let mut before = range.start;
    while at < range.end {
        let (end, next) = line_end(bytes, at, range.end);
        let rest = bytes[at..end].strip_prefix(b"--").and_then(|rest| rest.strip_prefix(boundary));
        if let Some(rest) = rest {
            let is_last = rest.starts_with(b"--");
            if is_delimiter(if is_last { &rest[2..] } else { rest }) {
                if let Some(start) = open {
                    ranges.push(start..before.max(start));
                }
                open = (!is_last).then_some(next);
                if is_last {
                    break;
                }
                if ranges.len() >= PARTS_MAX {
                    return (ranges, true);
                }
            }
        }
        before = end;
        at = next;
    }
    if let Some(start) = open.filter(|&start| start < range.end) {
        ranges.push(start..range.end);
    }
    (ranges, false)
}

/// A field's value on one line, in Unicode, without control characters, cut to [`FIELD_BYTES_MAX`].
/// Raw bytes that are not UTF-8 (RFC 6532) are read as windows-1252, as old clients meant them.
pub fn unfold(value: &[u8]) -> String {
    unfold_as(value, None)
}

/// The same, where it is known which charset the sender's program uses.
fn unfold_as(value: &[u8], charset: Option<&str>) -> String {
    let value = &value[..value.len().min(FIELD_BYTES_MAX)];
    let text = match std::str::from_utf8(value) {
        Ok(text) => Cow::Borrowed(text),
        Err(error) if value.len() - error.valid_up_to() < 4 && value.len() == FIELD_BYTES_MAX => {
            String::from_utf8_lossy(&value[..error.valid_up_to()])
        }
        Err(_) => Cow::Owned(decode_charset(value, charset.filter(|label| is_eight_bit(label)))),
    };
    text.chars().filter(|&c| c == '\t' || !c.is_control()).map(|c| if c == '\t' { ' ' } else { c }).collect()
}

/// Whether text in the charset could be what stands raw in a header.
fn is_eight_bit(label: &str) -> bool {
    !label.to_ascii_lowercase().starts_with("utf") && charset_decoder(label.as_bytes()).is_some()
}

/// A value as `mail-parser` wants it: one line, ended, encoded words joined and limited.
fn prepared(value: &[u8], charset: Option<&str>) -> Vec<u8> {
    let value = &value[..value.len().min(FIELD_BYTES_MAX)];
    let has_words = value.windows(2).any(|window| window == b"=?");
    if has_words && std::str::from_utf8(value).is_err() {
        // Raw bytes within encoded words are in the charset that the word names.
        let mut line: Vec<u8> = value.iter().copied().filter(|byte| !byte.is_ascii_control()).collect();
        let end = line.windows(2).enumerate().filter(|(_, window)| *window == b"=?").nth(ENCODED_WORDS_MAX);
        line.truncate(end.map_or(line.len(), |(at, _)| at));
        line.push(b'\n');
        return line;
    }
    let text = join_encoded_words(&unfold_as(value, charset));
    let end = text.match_indices("=?").nth(ENCODED_WORDS_MAX).map_or(text.len(), |(at, _)| at);
    let mut line = text.as_bytes()[..end].to_vec();
    line.push(b'\n');
    line
}

/// Joins neighbouring encoded words of one charset and encoding, for many clients cut them in the
/// middle of a character, which RFC 2047 5 forbids.
fn join_encoded_words(text: &str) -> String {
    if text.matches("=?").take(2).count() < 2 {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut open: Option<(&str, bool)> = None;
    while let Some(at) = rest.find("=?") {
        let (before, word) = rest.split_at(at);
        let Some((head, payload, length)) = encoded_word(word) else {
            out.push_str(&rest[..at + 2]);
            rest = &rest[at + 2..];
            open = None;
            continue;
        };
        let is_base64 = head.ends_with("?b?") || head.ends_with("?B?");
        let joins = open.is_some_and(|(head_before, whole)| whole && head_before.eq_ignore_ascii_case(head));
        if joins && before.chars().all(char::is_whitespace) {
            out.truncate(out.len() - 2);
        } else {
            out.push_str(before);
            out.push_str(head);
        }
        out.push_str(payload);
        out.push_str("?=");
        open = Some((head, !is_base64 || (payload.len() % 4 == 0 && !payload.ends_with('='))));
        rest = &word[length..];
    }
    out.push_str(rest);
    out
}

/// Splits `=?charset?q?payload?=…` into its head, its payload and its length.
fn encoded_word(text: &str) -> Option<(&str, &str, usize)> {
    // RFC 2047 2 allows 75 characters; clients write whole subjects into one.
    let charset_end = text[2..].find('?').filter(|&at| at > 0 && at < 50)? + 2;
    let head_end = charset_end + 3;
    let is_encoding = text.as_bytes().get(charset_end + 1).is_some_and(|b| b"bBqQ".contains(b));
    if !is_encoding || text.as_bytes().get(charset_end + 2) != Some(&b'?') {
        return None;
    }
    let payload_end = head_end + text.get(head_end..)?.find('?')?;
    (text.get(payload_end..payload_end + 2) == Some("?="))
        .then(|| (&text[..head_end], &text[head_end..payload_end], payload_end + 2))
}

/// A field of free text, decoded (RFC 2047) and on one line. `charset` is what raw bytes are taken for.
pub fn decode_unstructured(value: &[u8], charset: Option<&str>) -> String {
    match MessageStream::new(&prepared(value, charset)).parse_unstructured() {
        HeaderValue::Text(text) => clean_line(&text, FIELD_BYTES_MAX),
        _ => String::new(),
    }
}

/// Name and address as written; either may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Display name or comment, decoded.
    pub name: String,
    /// What stands where an address should.
    pub address: String,
}

/// The mailboxes of an address field (RFC 5322 3.4), groups opened, at most `max`. `charset` is what
/// raw bytes are taken for.
pub fn decode_addresses(value: &[u8], charset: Option<&str>, max: usize) -> Vec<Mailbox> {
    let line = prepared(value, charset);
    let parsed = MessageStream::new(&line).parse_address();
    let addresses = match &parsed {
        HeaderValue::Address(Address::List(list)) => list.iter().take(max).collect::<Vec<_>>(),
        HeaderValue::Address(Address::Group(groups)) => {
            groups.iter().flat_map(|group| &group.addresses).take(max).collect()
        }
        _ => Vec::new(),
    };
    let text = |value: &Option<Cow<'_, str>>| value.as_deref().map(|v| clean_line(v, 998)).unwrap_or_default();
    addresses.iter().map(|a| Mailbox { name: text(&a.name), address: text(&a.address) }).collect()
}

/// Message ids of a field, without angle brackets, in order; garbage around them is left out, and a
/// lone id without brackets is taken.
pub fn decode_ids(value: &[u8], max: usize) -> Vec<String> {
    let text = unfold(value);
    let id = |text: &str| {
        let id: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        (!id.is_empty() && id.len() <= ID_BYTES_MAX).then_some(id)
    };
    let mut ids: Vec<String> = Vec::new();
    let mut rest = text.as_str();
    while let Some(start) = rest.find('<') {
        let Some(length) = rest[start + 1..].find('>') else { break };
        // An unclosed bracket before this one: the id is what follows the last of them.
        let inside = rest[start + 1..start + 1 + length].rsplit('<').next().unwrap_or_default();
        ids.extend(id(inside));
        rest = &rest[start + length + 2..];
        if ids.len() >= max {
            return ids;
        }
    }
    if ids.is_empty() {
        let words = text.split(|c: char| c.is_whitespace() || c == ',').map(|w| w.trim_matches(['<', '>', '"']));
        ids.extend(words.filter(|word| word.contains('@')).filter_map(id).take(max));
    }
    ids
}

/// Longest message id kept; RFC 5322 allows a line of 998.
const ID_BYTES_MAX: usize = 998;

fn parse_content_type(value: &[u8]) -> Option<ContentType<'static>> {
    match MessageStream::new(&prepared(value, None)).parse_content_type() {
        HeaderValue::ContentType(content_type) => Some(ContentType {
            c_type: content_type.c_type.into_owned().into(),
            c_subtype: content_type.c_subtype.map(|s| s.into_owned().into()),
            attributes: content_type.attributes.map(|list| list.into_iter().map(owned).collect()),
        }),
        _ => None,
    }
}

fn owned(attribute: mail_parser::Attribute<'_>) -> mail_parser::Attribute<'static> {
    mail_parser::Attribute { name: attribute.name.into_owned().into(), value: attribute.value.into_owned().into() }
}

/// Undoes a transfer encoding. Nothing fails: what does not belong is passed over.
fn decode_transfer(bytes: &[u8], encoding: TransferEncoding) -> Cow<'_, [u8]> {
    match encoding {
        TransferEncoding::Identity => Cow::Borrowed(bytes),
        TransferEncoding::Base64 => Cow::Owned(decode_base64(bytes)),
        TransferEncoding::QuotedPrintable => Cow::Owned(decode_quoted_printable(bytes)),
        TransferEncoding::Uuencode => decode_uuencode(bytes).map_or(Cow::Borrowed(bytes), Cow::Owned),
    }
}

/// Base64, foreign characters passed over (RFC 2045 6.8). Padding ends a group, not the data: some
/// clients glue encoded pieces together.
pub fn decode_base64(bytes: &[u8]) -> Vec<u8> {
    const SKIP: u8 = 0xff;
    const TABLE: [u8; 256] = {
        let mut table = [SKIP; 256];
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut at = 0;
        while at < 64 {
            table[alphabet[at] as usize] = at as u8;
            at += 1;
        }
        table
    };
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3 + 3);
    let mut group: u32 = 0;
    let mut bits = 0;
    for &byte in bytes {
        let value = TABLE[usize::from(byte)];
        if value != SKIP {
            group = group << 6 | u32::from(value);
            bits += 6;
            if bits == 24 {
                out.extend_from_slice(&group.to_be_bytes()[1..]);
                (group, bits) = (0, 0);
            }
        } else if byte == b'=' {
            flush(&mut out, group, bits);
            (group, bits) = (0, 0);
        }
    }
    flush(&mut out, group, bits);
    out
}

/// Writes the whole bytes of a group that ended early.
fn flush(out: &mut Vec<u8>, group: u32, bits: u32) {
    match bits {
        12 => out.push((group >> 4) as u8),
        18 => out.extend_from_slice(&((group >> 2) as u16).to_be_bytes()),
        _ => {}
    }
}

/// Quoted-printable; an `=` that begins nothing stays as it is.
fn decode_quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let (end, next) = line_end(bytes, at, bytes.len());
        // Blanks at the end of a line were added on the way (RFC 2045 6.7 rule 3).
        let line = bytes[at..end].trim_ascii_end();
        let (line, is_soft) = line.strip_suffix(b"=").map_or((line, false), |line| (line, true));
        let mut i = 0;
        while i < line.len() {
            let hex = |at: usize| line.get(at).and_then(|&b| char::from(b).to_digit(16));
            match (line[i], hex(i + 1), hex(i + 2)) {
                (b'=', Some(high), Some(low)) => {
                    out.push((high * 16 + low) as u8);
                    i += 3;
                }
                (byte, ..) => {
                    out.push(byte);
                    i += 1;
                }
            }
        }
        if !is_soft {
            out.extend_from_slice(&bytes[end..next]);
        }
        at = next;
    }
    out
}

/// Uuencoded data between `begin` and `end`; `None` when there is none.
fn decode_uuencode(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut lines = bytes.split(|&b| b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.find(|line| line.starts_with(b"begin "))?;
    let mut out = Vec::new();
    for line in lines {
        let Some((&first, data)) = line.split_first() else { continue };
        if line == b"end" {
            break;
        }
        let length = usize::from(first.wrapping_sub(32) & 63);
        let start = out.len();
        for group in data.chunks(4) {
            let value = |at: usize| u32::from(group.get(at).copied().unwrap_or(b' ').wrapping_sub(32) & 63);
            let group = value(0) << 18 | value(1) << 12 | value(2) << 6 | value(3);
            out.extend_from_slice(&group.to_be_bytes()[1..]);
        }
        out.truncate(start + length);
    }
    Some(out)
}

/// Bytes in Unicode. ASCII, no charset and an unknown one mean UTF-8 where the bytes are that, and
/// windows-1252 where not; nothing fails.
pub fn decode_charset(bytes: &[u8], charset: Option<&str>) -> String {
    let label = charset.unwrap_or_default().trim().trim_matches(['"', '\'', '_']).to_ascii_lowercase();
    let label = label.split(['$', '*', ';']).next().unwrap_or_default();
    let label = label.strip_prefix("unicode-1-1-").unwrap_or(label);
    let is_plain = matches!(label, "" | "us-ascii" | "ascii" | "utf-8" | "utf8" | "ansi_x3.4-1968" | "unknown-8bit");
    if is_plain || charset_decoder(label.as_bytes()).is_none() {
        let is_escaped = label != "utf-8" && bytes.windows(2).any(|w| w == b"\x1b$");
        return match std::str::from_utf8(bytes) {
            Ok(_) if is_escaped => decode_with("iso-2022-jp", bytes),
            Ok(text) => text.to_owned(),
            // A character cut in half, or a few bad bytes in what is UTF-8 otherwise.
            Err(_) if label.starts_with("utf") => String::from_utf8_lossy(bytes).into_owned(),
            Err(error) if error.valid_up_to() + 4 > bytes.len() && error.error_len().is_none() => {
                String::from_utf8_lossy(bytes).into_owned()
            }
            Err(_) => decode_with("windows-1252", bytes),
        };
    }
    decode_with(label, bytes)
}

fn decode_with(label: &str, bytes: &[u8]) -> String {
    match charset_decoder(label.as_bytes()).map(|decode| decode(bytes)) {
        // The WHATWG table maps charsets that are a danger to browsers to a single U+FFFD.
        Some(text) if bytes.len() > 3 && text == "\u{fffd}" => String::from_utf8_lossy(bytes).into_owned(),
        Some(text) => text,
        None => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// One line without control characters, trimmed, cut to `bytes_max` at a character.
pub fn clean_line(text: &str, bytes_max: usize) -> String {
    let line: String = text.chars().map(|c| if matches!(c, '\t' | '\n' | '\r') { ' ' } else { c }).collect();
    let line: String = line.chars().filter(|c| !c.is_control() && *c != '\u{feff}').collect();
    cut(line.trim(), bytes_max).to_owned()
}

/// At most `bytes_max` bytes, ending at a character.
pub fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}
