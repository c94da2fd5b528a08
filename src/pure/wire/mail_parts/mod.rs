//! The structure of a mail: header fields and MIME parts, as ranges of its bytes (RFC 5322, RFC 2045).
//!
//! Values of fields, charsets and entities are read by `mail-parser`; the tree is walked here. The
//! whole-mail parser of that crate was refused for the tree: a multipart that names a boundary which
//! never comes makes it search the rest of the mail once for each such part, nested messages are
//! dropped by recursion, and an attachment that was cut off becomes text.
//!
//! **Invariant:** work is bounded by a constant times the size of the mail, whatever it holds:
//! nesting, parts, fields and the size of a field are limited, nothing recurses, nothing panics.

mod decode;
mod values;

pub use decode::{clean_line, code_page, cut, decode_base64, decode_charset};
pub use values::{FIELD_BYTES_MAX, Mailbox, decode_addresses, decode_ids, decode_unstructured, unfold};

use bytes::Bytes;
use decode::decode_transfer;
use mail_parser::ContentType;
use std::borrow::Cow;
use std::ops::Range;
use values::parse_content_type;

/// Parts kept of one mail; digests and photo albums stay below, bombs do not.
pub const PARTS_MAX: usize = 500;
/// Multiparts within multiparts; real mails reach six. Each level reads the bytes once more.
pub const DEPTH_MAX: usize = 20;
/// Header fields kept of one header; long relay chains have some two hundred.
pub const FIELDS_MAX: usize = 1_000;
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
    /// The Content-ID, without its angle brackets (RFC 2392).
    pub content_id: Option<String>,
    /// The `report-type` parameter of a multipart/report, lower case.
    pub report_type: Option<String>,
    /// The `smime-type` parameter (RFC 8551 3.2.2), lower case.
    pub smime_type: Option<String>,
    /// For a multipart: the parts within it, in order, as indexes into [`Mail::parts`].
    pub children: Vec<usize>,
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

/// The header of a mail alone, for what must be known before the mail is taken apart.
pub fn header(bytes: &Bytes) -> Mail {
    let start = skip_preface(bytes);
    let (fields, _) = fields(bytes, start..bytes.len());
    Mail { bytes: bytes.clone(), fields, parts: Vec::new(), is_cut: false }
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

    fn walk(&mut self, start: usize) {
        let mut pending = vec![Pending { range: start..self.bytes.len(), parent: None, depth: 0, in_digest: false }];
        while let Some(next) = pending.pop() {
            if self.parts.len() >= PARTS_MAX {
                self.is_cut = true;
                return;
            }
            let (fields, body) = fields(&self.bytes, next.range.clone());
            let (part, boundary) = self.describe(&fields, body..next.range.end, next.in_digest);
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
    fn describe(&self, fields: &[Field], body: Range<usize>, in_digest: bool) -> (Part, Option<String>) {
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
            content_id: value("content-id").and_then(|value| decode_ids(value, 1).into_iter().next()),
            is_inline: shown.as_deref() == Some("inline") || (shown.is_none() && value("content-id").is_some()),
            report_type: parameter(&content_type, "report-type").map(|value| value.to_ascii_lowercase()),
            smime_type: parameter(&content_type, "smime-type").map(|value| value.to_ascii_lowercase()),
            children: Vec::new(),
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
