//! Parts of mails that lanka writes: to customers, and into the agents' mailbox.

use crate::pure::domain::Timestamp;
use crate::pure::domain::answer::CarriedFile;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, MessageBuilder, SinglePart};

/// The Date of a mail (RFC 5322 3.3). It is given, never taken from a clock: the mail is the same at every attempt.
pub fn dated(at: Timestamp) -> HeaderValue {
    let date = at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
    HeaderValue::new(HeaderName::new_from_ascii_str("Date"), date)
}

/// A field of lanka's own. Its value is of lanka's own making too: ids and words in ASCII.
pub fn field(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

/// How a mail came to be that no person wrote (RFC 3834 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submitted {
    /// It answers another.
    Replied,
    /// It answers nothing.
    Generated,
}

/// Says that no person wrote it, so that no program answers: RFC 3834 5, and what Exchange heeds instead (MS-OXCMAIL
/// 2.1.3.2.20).
pub fn automatic(mail: MessageBuilder, how: Submitted) -> MessageBuilder {
    let how = match how {
        Submitted::Replied => "auto-replied",
        Submitted::Generated => "auto-generated",
    };
    let submitted = field("Auto-Submitted", how.to_owned());
    mail.raw_header(submitted).raw_header(field("X-Auto-Response-Suppress", "All".to_owned()))
}

/// A text that may stand in a header: one line, at most so many characters.
pub fn line(text: &str, chars_max: usize) -> String {
    let words = text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").chars().take(chars_max).collect()
}

/// A file beside the text.
pub fn attached(file: &CarriedFile) -> SinglePart {
    let octets = || ContentType::parse("application/octet-stream");
    let media_type = ContentType::parse(&file.media_type).or_else(|_| octets());
    let name: String = file.name.chars().map(|c| if c.is_control() || "/\\\"".contains(c) { '_' } else { c }).collect();
    let body = Body::new(file.bytes.to_vec());
    match media_type {
        Ok(media_type) => Attachment::new(name).body(body, media_type),
        Err(_) => SinglePart::plain(body),
    }
}
