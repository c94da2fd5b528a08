//! The words of LMTP (RFC 2033, over RFC 5321): commands, and the end of a mail.
//!
//! Extensions: PIPELINING (RFC 2920), 8BITMIME (RFC 6152), SMTPUTF8 (RFC 6531), SIZE (RFC 1870),
//! ENHANCEDSTATUSCODES (RFC 2034, 3463), CHUNKING (RFC 3030).
//!
//! **Invariant:** a mail ends with CR LF `.` CR LF and with nothing that looks like it: a bare CR or LF is
//! content, so that nobody can put a second mail into his own (SMTP smuggling).

use super::envelope::Address;

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The greeting.
    Lhlo,
    /// A mail begins.
    Mail {
        /// Who sends it; empty for nobody.
        sender: Address,
        /// The size that the client announces, in bytes.
        size: Option<u64>,
        /// Addresses may hold other letters than those of ASCII.
        is_utf8: bool,
    },
    /// One to whom it goes.
    Rcpt(Address),
    /// The mail follows, up to the line with a dot.
    Data,
    /// So many bytes of the mail follow.
    Bdat {
        /// How many.
        bytes: u64,
        /// No more come after them.
        is_last: bool,
    },
    /// Nothing of the mail counts.
    Rset,
    /// Nothing.
    Noop,
    /// Whether there is a recipient: not told.
    Vrfy,
    /// The end.
    Quit,
}

/// Why a command is not understood: the whole answer.
pub type Refusal = &'static str;

const SYNTAX: Refusal = "501 5.5.4 the arguments are wrong";
const ADDRESS: Refusal = "501 5.1.7 no address that could be kept";
const PARAMETER: Refusal = "555 5.5.4 no such parameter";

impl Command {
    /// Reads a line without its CR LF.
    ///
    /// # Errors
    /// The answer to give.
    pub fn parse(line: &[u8]) -> Result<Self, Refusal> {
        let Ok(line) = std::str::from_utf8(line) else { return Err("500 5.5.2 not UTF-8") };
        if line.chars().any(char::is_control) {
            return Err("500 5.5.2 a command holds no control characters");
        }
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        let bare = |command: Self| if rest.is_empty() { Ok(command) } else { Err(SYNTAX) };
        match word.to_ascii_uppercase().as_str() {
            "LHLO" if rest.is_empty() => Err("501 5.5.4 LHLO names its host"),
            "LHLO" => Ok(Self::Lhlo),
            // RFC 2033 4.1: they must not be taken for LHLO.
            "HELO" | "EHLO" => Err("500 5.5.1 this is LMTP: begin with LHLO"),
            "MAIL" => mail(rest),
            "RCPT" => rcpt(rest),
            "DATA" => bare(Self::Data),
            "BDAT" => bdat(rest),
            "RSET" => bare(Self::Rset),
            "NOOP" => Ok(Self::Noop),
            "VRFY" => Ok(Self::Vrfy),
            "QUIT" => bare(Self::Quit),
            "STARTTLS" | "AUTH" | "EXPN" | "HELP" | "TURN" | "ETRN" => Err("502 5.5.1 not here"),
            _ => Err("500 5.5.2 no such command"),
        }
    }
}

fn mail(rest: &str) -> Result<Command, Refusal> {
    let (sender, parameters) = path(rest, "FROM:")?;
    let (mut size, mut is_utf8) = (None, false);
    for parameter in parameters.split_ascii_whitespace() {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name.to_ascii_uppercase().as_str() {
            "SIZE" => size = Some(number(value).ok_or(SYNTAX)?),
            "BODY" if ["7BIT", "8BITMIME"].iter().any(|known| value.eq_ignore_ascii_case(known)) => {}
            "SMTPUTF8" if value.is_empty() => is_utf8 = true,
            _ => return Err(PARAMETER),
        }
    }
    if !is_utf8 && !sender.is_ascii() {
        return Err("553 5.6.7 this address needs SMTPUTF8");
    }
    Ok(Command::Mail { sender, size, is_utf8 })
}

fn rcpt(rest: &str) -> Result<Command, Refusal> {
    match path(rest, "TO:")? {
        (recipient, _) if recipient.is_empty() => Err("501 5.1.3 a recipient has an address"),
        (recipient, "") => Ok(Command::Rcpt(recipient)),
        _ => Err(PARAMETER),
    }
}

fn bdat(rest: &str) -> Result<Command, Refusal> {
    let mut words = rest.split_ascii_whitespace();
    let bytes = words.next().and_then(number).ok_or(SYNTAX)?;
    let is_last = match words.next() {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("LAST") && words.next().is_none() => true,
        Some(_) => return Err(SYNTAX),
    };
    Ok(Command::Bdat { bytes, is_last })
}

/// Digits, at most 20 of them (RFC 1870).
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// `FROM:<address> parameters`: the address, and what follows it.
fn path<'a>(rest: &'a str, label: &str) -> Result<(Address, &'a str), Refusal> {
    let Some(start) = rest.get(..label.len()).filter(|start| start.eq_ignore_ascii_case(label)) else {
        return Err(SYNTAX);
    };
    let Some(inner) = rest[start.len()..].trim_start().strip_prefix('<') else { return Err(SYNTAX) };
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, c) in inner.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '>' if !is_quoted => {
                let (address, after) = (&inner[..at], &inner[at + 1..]);
                if !after.is_empty() && !after.starts_with(' ') {
                    return Err(SYNTAX);
                }
                return Address::parse(address).map(|address| (address, after.trim())).ok_or(ADDRESS);
            }
            _ => {}
        }
    }
    Err(SYNTAX)
}

/// Takes off what DATA puts on (RFC 5321 4.5.2): dots doubled at the beginning of a line, and the end. The
/// bytes may come cut anywhere.
#[derive(Debug, Default)]
pub struct Unstuffer {
    at: At,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum At {
    /// After CR LF, or at the very beginning.
    #[default]
    LineStart,
    Text,
    /// After a CR, which is given out already.
    Cr,
    /// After a dot that began a line: it is not given out.
    Dot,
    /// After that and a CR, which is not given out either.
    DotCr,
}

impl Unstuffer {
    /// Adds what of `input` belongs to the mail to `content`. How much of `input` was used when the mail ends
    /// within it; `None` when it goes on.
    pub fn take(&mut self, input: &[u8], content: &mut Vec<u8>) -> Option<usize> {
        let mut next = 0;
        while let Some(&byte) = input.get(next) {
            match (self.at, byte) {
                (At::LineStart, b'.') => self.at = At::Dot,
                (At::Dot, b'\r') => self.at = At::DotCr,
                (At::DotCr, b'\n') => return Some(next + 1),
                (At::DotCr, _) => {
                    // It was no end; what was held back is text, and this byte is looked at again.
                    content.push(b'\r');
                    self.at = At::Cr;
                    continue;
                }
                (At::Cr, b'\n') => {
                    content.push(byte);
                    self.at = At::LineStart;
                }
                (_, b'\r') => {
                    content.push(byte);
                    self.at = At::Cr;
                }
                _ => {
                    let rest = &input[next..];
                    let text = rest.iter().position(|byte| *byte == b'\r').unwrap_or(rest.len());
                    content.extend_from_slice(&rest[..text]);
                    self.at = At::Text;
                    next += text;
                    continue;
                }
            }
            next += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn commands_are_read_or_refused() {
        let address = |text: &str| Address::parse(text).expect("an address");
        let mail = |sender: &str, size, is_utf8| Ok(Command::Mail { sender: address(sender), size, is_utf8 });
        for (line, expected) in [
            ("LHLO mx.example.fi", Ok(Command::Lhlo)),
            ("lhlo [127.0.0.1]", Ok(Command::Lhlo)),
            ("LHLO", Err("501")),
            ("EHLO mx.example.fi", Err("500 5.5.1")),
            ("HELO mx.example.fi", Err("500 5.5.1")),
            ("MAIL FROM:<minna@posti.example>", mail("minna@posti.example", None, false)),
            ("mail from: <minna@posti.example>", mail("minna@posti.example", None, false)),
            ("MAIL FROM:<> SIZE=1000 BODY=8BITMIME", mail("", Some(1000), false)),
            ("MAIL FROM:<päivi@posti.example> SMTPUTF8", mail("päivi@posti.example", None, true)),
            ("MAIL FROM:<päivi@posti.example>", Err("553 5.6.7")),
            ("MAIL FROM:<\"a>b\\\" c\"@posti.example>", Err("501 5.1.7")),
            ("MAIL FROM:<\"a b\"@posti.example>", mail("\"a b\"@posti.example", None, false)),
            ("MAIL FROM:<@a.example:minna@posti.example>", mail("minna@posti.example", None, false)),
            ("MAIL FROM:<a@b.example>SIZE=1", Err("501 5.5.4")),
            ("MAIL FROM:<a@b.example> SIZE=-1", Err("501 5.5.4")),
            ("MAIL FROM:<a@b.example> SIZE=99999999999999999999999", Err("501 5.5.4")),
            ("MAIL FROM:<a@b.example> BODY=BINARYMIME", Err("555 5.5.4")),
            ("MAIL FROM:<a@b.example> RET=FULL", Err("555 5.5.4")),
            ("MAIL FROM:a@b.example", Err("501 5.5.4")),
            ("MAIL FROM:<a@b.example", Err("501 5.5.4")),
            ("MAIL", Err("501 5.5.4")),
            ("MAILFROM:<a@b.example>", Err("500 5.5.2")),
            ("RCPT TO:<desk@kauppa.example>", Ok(Command::Rcpt(address("desk@kauppa.example")))),
            ("RCPT TO:<postmaster>", Ok(Command::Rcpt(address("postmaster")))),
            ("RCPT TO:<>", Err("501 5.1.3")),
            ("RCPT TO:<desk@kauppa.example> NOTIFY=NEVER", Err("555 5.5.4")),
            ("RCPT FROM:<desk@kauppa.example>", Err("501 5.5.4")),
            ("DATA", Ok(Command::Data)),
            ("data", Ok(Command::Data)),
            ("DATA now", Err("501 5.5.4")),
            ("BDAT 100", Ok(Command::Bdat { bytes: 100, is_last: false })),
            ("BDAT 0 last", Ok(Command::Bdat { bytes: 0, is_last: true })),
            ("BDAT", Err("501 5.5.4")),
            ("BDAT +5", Err("501 5.5.4")),
            ("BDAT 5 LAST 6", Err("501 5.5.4")),
            ("RSET", Ok(Command::Rset)),
            ("NOOP anything", Ok(Command::Noop)),
            ("VRFY desk", Ok(Command::Vrfy)),
            ("QUIT", Ok(Command::Quit)),
            ("STARTTLS", Err("502 5.5.1")),
            ("XYZZY", Err("500 5.5.2")),
            ("", Err("500 5.5.2")),
            ("NOOP\rMAIL FROM:<a@b.example>", Err("500 5.5.2")),
            ("NOOP\0", Err("500 5.5.2")),
        ] {
            let found = Command::parse(line.as_bytes());
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{line}"),
                (Err(found), Err(expected)) => assert!(found.starts_with(expected), "{line}: {found}"),
                (found, expected) => panic!("{line}: {found:?}, not {expected:?}"),
            }
        }
        assert!(Command::parse(b"NOOP \xff").is_err());
    }

    /// All of the content, and what is left after its end.
    fn unstuffed(input: &[u8], cut: usize) -> (Vec<u8>, Option<Vec<u8>>) {
        let (mut unstuffer, mut content) = (Unstuffer::default(), Vec::new());
        for (index, piece) in input.chunks(cut).enumerate() {
            if let Some(used) = unstuffer.take(piece, &mut content) {
                return (content, Some(input[index * cut + used..].to_vec()));
            }
        }
        (content, None)
    }

    #[test]
    fn a_mail_ends_with_its_own_end_only() {
        for (input, content, left) in [
            (".\r\n", "", Some("")),
            ("a\r\n.\r\nQUIT\r\n", "a\r\n", Some("QUIT\r\n")),
            ("..a\r\n...\r\n.\r\n", ".a\r\n..\r\n", Some("")),
            (".a\r\n.\r\n", "a\r\n", Some("")),
            ("a\r\n", "a\r\n", None),
            // What is taken for an end elsewhere.
            ("a\n.\nMAIL\r\n.\r\n", "a\n.\nMAIL\r\n", Some("")),
            ("a\n.\r\nMAIL\r\n.\r\n", "a\n.\r\nMAIL\r\n", Some("")),
            ("a\r\n.\nMAIL\r\n.\r\n", "a\r\n\nMAIL\r\n", Some("")),
            ("a\r.\r\nMAIL\r\n.\r\n", "a\r.\r\nMAIL\r\n", Some("")),
            ("a\r\n.\rMAIL\r\n.\r\n", "a\r\n\rMAIL\r\n", Some("")),
            ("a\r\n.\r\rMAIL\r\n.\r\n", "a\r\n\r\rMAIL\r\n", Some("")),
            ("a\r\n.\r\r\n.\r\n", "a\r\n\r\r\n", Some("")),
            ("a\r\n\0.\r\nMAIL\r\n.\r\n", "a\r\n\0.\r\nMAIL\r\n", Some("")),
            ("a\r\n.", "a\r\n", None),
            ("a\r\n.\r", "a\r\n", None),
        ] {
            for cut in 1..=input.len() {
                let (found, rest) = unstuffed(input.as_bytes(), cut);
                assert_eq!(String::from_utf8_lossy(&found), content, "{input:?} cut at {cut}");
                assert_eq!(rest.as_deref(), left.map(str::as_bytes), "{input:?} cut at {cut}");
            }
        }
    }

    proptest! {
        /// What a client stuffs comes out as it was, however it is cut.
        #[test]
        fn what_was_stuffed_comes_out(lines in prop::collection::vec("[.a\r\n]{0,6}", 0..8), cut in 1..20_usize) {
            let content: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
            let mut stuffed = content.replace("\r\n.", "\r\n..");
            if stuffed.starts_with('.') {
                stuffed.insert(0, '.');
            }
            let (found, rest) = unstuffed(format!("{stuffed}.\r\nQUIT").as_bytes(), cut);
            prop_assert_eq!(String::from_utf8_lossy(&found), content);
            prop_assert_eq!(rest, Some(b"QUIT".to_vec()));
        }

        #[test]
        fn nothing_makes_it_panic(line in prop::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,80}") {
            let _ = Command::parse(&line);
            let _ = Command::parse(text.as_bytes());
            let _ = Command::parse(format!("MAIL FROM:<{text}> {text}").as_bytes());
            let _ = unstuffed(&line, 7);
        }
    }
}
