//! What reports of mail systems say: delivery reports (RFC 3464), complaints (RFC 5965) and receipts (RFC 8098).
//!
//! **Invariant:** a report is about one mail, of which the first id found is taken; whether that mail was ever
//! ours is for whoever looks the id up. Nothing in a report is believed about its sender.

use super::mail_parts::{self, Mail, Part, clean_line};

/// Recipients kept of one report.
const RECIPIENTS_MAX: usize = 20;
/// Bytes kept of a diagnostic; servers write a line or two.
const DIAGNOSTIC_BYTES_MAX: usize = 500;
/// Bytes kept of an address or a word.
const WORD_BYTES_MAX: usize = 254;
/// Text parts searched for a returned header, and encoded bytes of each: mail systems that know no MIME put
/// it below what they say.
const TEXTS_MAX: usize = 3;
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// What became of a mail for one recipient (RFC 3464 2.3).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipient {
    /// Final-Recipient, else Original-Recipient: an address, as the report writes it.
    pub address: String,
    /// `failed`, `delayed`, `delivered`, `relayed`, `expanded`; empty if not said.
    pub action: String,
    /// Status (RFC 3463): `5.1.1`.
    pub status: String,
    /// Diagnostic-Code without its type: what the other server said.
    pub diagnostic: String,
}

impl Recipient {
    /// On one line: `minna@example.fi: failed 5.1.1 550 no such user`.
    pub fn line(&self) -> String {
        let words = [self.action.as_str(), self.status.as_str(), self.diagnostic.as_str()];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        format!("{}: {}", self.address, words.join(" "))
    }
}

/// What the delivery-status parts of a mail say, recipient by recipient.
pub fn recipients(mail: &Mail) -> Vec<Recipient> {
    let mut found = Vec::new();
    for part in &mail.parts {
        if !matches!(part.media_type.as_str(), "message/delivery-status" | "message/global-delivery-status") {
            continue;
        }
        let bytes = mail.body(part);
        let mut at = 0;
        // Each group of fields is about one recipient; the first is about the message.
        for _ in 0..=RECIPIENTS_MAX {
            if at >= bytes.len() || found.len() >= RECIPIENTS_MAX {
                break;
            }
            let (fields, next) = mail_parts::fields(&bytes, at..bytes.len());
            let value = |name: &str| {
                let field = fields.iter().find(|field| field.name == name)?;
                Some(mail_parts::unfold(bytes.get(field.value.clone())?))
            };
            let address = value("final-recipient").or_else(|| value("original-recipient"));
            if let Some(address) = address {
                found.push(Recipient {
                    address: clean_line(after_type(&address), WORD_BYTES_MAX),
                    action: clean_line(&value("action").unwrap_or_default().to_lowercase(), WORD_BYTES_MAX),
                    status: clean_line(first_word(&value("status").unwrap_or_default()), WORD_BYTES_MAX),
                    diagnostic: clean_line(
                        after_type(&value("diagnostic-code").unwrap_or_default()),
                        DIAGNOSTIC_BYTES_MAX,
                    ),
                });
            }
            // A line that is no field ends the group where it stands.
            at = if next > at { next } else { bytes.len() };
            while bytes.get(at).is_some_and(|b| matches!(b, b'\r' | b'\n')) {
                at += 1;
            }
        }
    }
    found
}

/// `rfc822; minna@example.fi` without its type.
fn after_type(value: &str) -> &str {
    value.split_once(';').map_or(value, |(_, rest)| rest).trim().trim_matches(['<', '>'])
}

fn first_word(value: &str) -> &str {
    value.split_whitespace().next().unwrap_or_default()
}

/// The Message-ID of the mail that a report is about: of the part that returns it (RFC 3462 2), or for a
/// receipt its Original-Message-ID (RFC 8098 3.2.5), else of a header in the text. Never the report's own.
pub fn original_id(mail: &Mail, own_key: &str) -> Option<String> {
    let returned = mail.parts.iter().filter_map(|part| returned_id(mail, part));
    let texts = mail.parts.iter().filter(|part| is_text(part)).take(TEXTS_MAX);
    let written = texts.filter_map(|part| written_id(&mail.body_text(part, TEXT_BYTES_MAX).0, own_key));
    returned.chain(written).find(|id| id != own_key)
}

fn is_text(part: &Part) -> bool {
    part.media_type.starts_with("text/") && part.children.is_empty()
}

fn returned_id(mail: &Mail, part: &Part) -> Option<String> {
    let name = match part.media_type.as_str() {
        "message/rfc822"
        | "message/global"
        | "text/rfc822-headers"
        | "text/rfc822-header"
        | "message/global-headers" => "message-id",
        "message/disposition-notification" => "original-message-id",
        "message/delivery-status" | "message/feedback-report" => "original-message-id",
        _ => return None,
    };
    let body = mail.body(part);
    // Blank lines before the header are a fault that is often made.
    let start = body.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(0);
    let (fields, _) = mail_parts::fields(&body, start..body.len());
    let field = fields.iter().find(|field| field.name == name || field.name == format!("x-{name}"))?;
    mail_parts::decode_ids(body.get(field.value.clone())?, 1).into_iter().next()
}

/// The first `Message-ID:` at the beginning of a line, whatever is drawn before it.
fn written_id(text: &str, own_key: &str) -> Option<String> {
    const NAME: &[u8] = b"message-id:";
    let mut lines = text.lines().map(|line| line.trim_start_matches(['>', '|', ' ', '\t'])).peekable();
    while let Some(line) = lines.next() {
        let bytes = line.as_bytes();
        if bytes.len() < NAME.len() || !bytes[..NAME.len()].eq_ignore_ascii_case(NAME) {
            continue;
        }
        let rest = &line[NAME.len()..];
        // A folded field has its id on the next line.
        let value = if rest.trim().is_empty() { lines.peek().copied().unwrap_or_default() } else { rest };
        if let Some(id) = mail_parts::decode_ids(value.as_bytes(), 1).into_iter().next().filter(|id| id != own_key) {
            return Some(id);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn a_delivery_report_says_what_became_of_whom() {
        let mail = mail_parts::parse(&Bytes::from_static(
            b"From: MAILER-DAEMON@example.net\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
              --b\n\nIt failed.\n--b\nContent-Type: message/delivery-status\n\n\
              Reporting-MTA: dns; mx.example.net\n\n\
              Final-Recipient: rfc822; minna@example.fi\nAction: Failed\nStatus: 5.1.1 (bad)\n\
              Diagnostic-Code: smtp; 550 no\n such user\n\n\
              Original-Recipient: rfc822;<matti@example.fi>\nAction: delayed\nStatus: 4.2.2\n\
              --b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <1@example.com>\nSubject: x\n\n--b--\n",
        ));
        let lines: Vec<String> = recipients(&mail).iter().map(Recipient::line).collect();
        assert_eq!(lines, ["minna@example.fi: failed 5.1.1 550 no such user", "matti@example.fi: delayed 4.2.2"]);
        assert_eq!(original_id(&mail, "own@example.net").as_deref(), Some("1@example.com"));
    }

    #[test]
    fn a_header_in_the_text_names_the_mail() {
        let table = [
            ("It failed.\n\n--- Header ---\n> Received: x\n> Message-ID:\n>  <2@example.com>\n", Some("2@example.com")),
            ("Message-Id: <own@example.net>\nmessage-id: <3@example.com>", Some("3@example.com")),
            ("see the message-id: none", None),
        ];
        for (text, expected) in table {
            assert_eq!(written_id(text, "own@example.net").as_deref(), expected, "{text}");
        }
    }
}
