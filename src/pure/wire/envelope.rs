//! The envelope of a mail (RFC 5321 2.3.1), noted on top of its content as a final delivery does.
//!
//! Whoever stores a mail for good keeps who sent it (`Return-Path`, RFC 5321 4.4) and to whom (`Delivered-To`
//! and `X-Original-To`, as Postfix and qmail write them): answers of mail servers and lists that write to
//! addresses of their own (VERP) are told by them, and SPF is about the former. The topmost such field is the
//! one that counts; what a stranger wrote stands below. No time is noted, and no `Received`: the same mail
//! handed over again must be the same bytes, so that it is known as a repeat, and hops are counted by what
//! the mail servers wrote.
//!
//! **Invariant:** an address is written into a field only if it cannot end that field.

/// Longest address. RFC 5321 4.5.3.1.3 has 256 octets; addresses that name a recipient within (VERP, SRS) go beyond.
const ADDRESS_BYTES_MAX: usize = 1000;

/// Of the top of a mail so much is looked at for fields that a mail server has noted already. Bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// How some mail servers write the empty sender where a word is wanted (Postfix, pipe(8), `null_sender`).
const NULL_SENDER: &str = "MAILER-DAEMON";

/// An address of an envelope: text without control characters and angle brackets, at most 1000 bytes. Empty for
/// the sender of what is never to be answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Reads what stands between the angle brackets. A source route is dropped (RFC 5321 appendix C). `None`
    /// for what no address can hold.
    pub fn parse(text: &str) -> Option<Self> {
        let text = match text.strip_prefix('@').and_then(|route| route.split_once(':')) {
            Some((_, address)) => address,
            None => text,
        };
        let is_fit = text.len() <= ADDRESS_BYTES_MAX && !text.chars().any(|c| c.is_control() || "<>".contains(c));
        let is_spaced = text.contains(char::is_whitespace) && !text.starts_with('"');
        (is_fit && !is_spaced).then(|| Self(text.to_owned()))
    }

    /// A sender as a mail server names him to a program: empty, or by the word for nobody.
    pub fn parse_sender(text: &str) -> Option<Self> {
        match text.eq_ignore_ascii_case(NULL_SENDER) {
            true => Some(Self(String::new())),
            false => Self::parse(text),
        }
    }

    /// Whether it names nobody.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it takes the extension SMTPUTF8 (RFC 6531).
    pub fn is_ascii(&self) -> bool {
        self.0.is_ascii()
    }
}

/// Without the address: it is a customer's.
impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Address(…)")
    }
}

/// From whom a mail server has a mail, and to whom.
#[derive(Debug, Clone, Default)]
pub struct Envelope {
    /// MAIL FROM; `None` where it is not known.
    pub sender: Option<Address>,
    /// RCPT TO, in their order.
    pub recipients: Vec<Address>,
    /// To whom it was before aliases.
    pub original_recipient: Option<Address>,
}

impl Envelope {
    /// The fields to write above a mail that comes over SMTP or LMTP, each with CR and LF.
    pub fn fields(&self) -> Vec<u8> {
        self.lines().into_iter().flat_map(|line| (line + "\r\n").into_bytes()).collect()
    }

    /// A mail as a mail server pipes it to a program, from its first bytes on: how many of them are no mail
    /// (the `From ` line of mailboxes), and what is to be written in their place: the fields that are not
    /// there already, with the line ends of the mail.
    pub fn above(&self, head: &[u8]) -> (usize, Vec<u8>) {
        let head = &head[..head.len().min(HEAD_BYTES_MAX)];
        let skipped = match head.starts_with(b"From ") {
            true => head.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1),
            false => 0,
        };
        let there: Vec<&[u8]> = head[skipped..]
            .split(|byte| *byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .take_while(|line| is_noted(line))
            .collect();
        let is_crlf = head.iter().position(|byte| *byte == b'\n').is_some_and(|at| head[..at].ends_with(b"\r"));
        let end = if is_crlf { "\r\n" } else { "\n" };
        let missing = self.lines().into_iter().filter(|line| !there.contains(&line.as_bytes()));
        (skipped, missing.flat_map(|line| (line + end).into_bytes()).collect())
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(self.sender.iter().map(|Address(sender)| format!("Return-Path: <{sender}>")));
        lines.extend(self.original_recipient.iter().map(|Address(to)| format!("X-Original-To: {to}")));
        for Address(to) in &self.recipients {
            let line = format!("Delivered-To: {to}");
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    }
}

fn is_noted(line: &[u8]) -> bool {
    ["return-path:", "delivered-to:", "x-original-to:"]
        .iter()
        .any(|name| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope {
        let address = |text: &str| Address::parse(text).expect("an address");
        Envelope {
            sender: Address::parse_sender("minna@posti.example"),
            recipients: ["desk@kauppa.example", "info@kauppa.example", "desk@kauppa.example"].map(address).into(),
            original_recipient: Some(address("help@kauppa.example")),
        }
    }

    #[test]
    fn addresses_cannot_end_a_field() {
        for (text, expected) in [
            ("minna@posti.example", Some("minna@posti.example")),
            ("", Some("")),
            ("postmaster", Some("postmaster")),
            ("@a.example,@b.example:minna@posti.example", Some("minna@posti.example")),
            ("\"a b\"@posti.example", Some("\"a b\"@posti.example")),
            ("päivi@posti.example", Some("päivi@posti.example")),
            ("bounces+desk=kauppa.example@list.example", Some("bounces+desk=kauppa.example@list.example")),
            ("a b@posti.example", None),
            ("a\r\nBcc: b@posti.example", None),
            ("a\nb", None),
            ("a\0b", None),
            ("a>b@posti.example", None),
        ] {
            assert_eq!(Address::parse(text).map(|address| address.0), expected.map(str::to_owned), "{text:?}");
        }
        assert!(Address::parse(&"a".repeat(ADDRESS_BYTES_MAX)).is_some());
        assert!(Address::parse(&"a".repeat(ADDRESS_BYTES_MAX + 1)).is_none());
        assert!(Address::parse_sender("MAILER-DAEMON").is_some_and(|sender| sender.is_empty()));
    }

    #[test]
    fn fields_stand_above_the_mail_once() {
        let fields = "Return-Path: <minna@posti.example>\nX-Original-To: help@kauppa.example\nDelivered-To: desk@kauppa.example\nDelivered-To: info@kauppa.example\n";
        assert_eq!(String::from_utf8_lossy(&envelope().fields()), fields.replace('\n', "\r\n"));
        let from = "From minna@posti.example  Sun Mar  1 10:00:00 2026\n";
        for (head, skipped, above) in [
            ("Subject: a\n\nb", 0, fields.to_owned()),
            ("Subject: a\r\n\r\nb", 0, fields.replace('\n', "\r\n")),
            (&format!("{from}Subject: a\n"), from.len(), fields.to_owned()),
            (&format!("{fields}Subject: a\n"), 0, String::new()),
            (&format!("{from}{fields}Subject: a\n"), from.len(), String::new()),
            // What a stranger wrote further below does not count.
            (&format!("Subject: a\n{fields}"), 0, fields.to_owned()),
            ("Return-Path: <other@posti.example>\nSubject: a\n", 0, fields.to_owned()),
            ("", 0, fields.to_owned()),
        ] {
            let found = envelope().above(head.as_bytes());
            assert_eq!((found.0, String::from_utf8_lossy(&found.1).into_owned()), (skipped, above), "{head}");
        }
        assert_eq!(Envelope::default().above(b"Subject: a\n"), (0, Vec::new()));
    }
}
