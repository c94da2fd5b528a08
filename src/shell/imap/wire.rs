//! Bytes of a connection, taken apart into whole responses (RFC 9051, 9: lines, and literals within them).
//!
//! **Invariants:** no more than one response of at most `response_bytes_max` and one read beyond it is in
//! memory, whatever a literal announces. What a response says is nobody's business here.

use bytes::{Bytes, BytesMut};
use imap_proto::Response;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Bytes read at once.
const READ_BYTES: usize = 16 * 1024;

/// Digits of a literal's size; more than any size that is allowed.
const SIZE_DIGITS_MAX: usize = 12;

/// Brackets within brackets that are read. FETCH with its flags has two, LIST with its extensions four.
const DEPTH_MAX: usize = 16;

/// What a connection is made of.
pub(in crate::shell) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Why there is no further response.
#[derive(Debug)]
pub(in crate::shell) enum WireError {
    /// The connection ended, at a good place or not.
    Lost,
    /// The response is larger than allowed.
    TooLarge,
}

impl From<io::Error> for WireError {
    fn from(_: io::Error) -> Self {
        Self::Lost
    }
}

/// A connection that gives whole responses.
pub(in crate::shell) struct Wire {
    stream: Box<dyn Stream>,
    buffer: BytesMut,
    scan: Scan,
    response_bytes_max: usize,
}

impl Wire {
    pub(in crate::shell) fn new(stream: Box<dyn Stream>, response_bytes_max: usize) -> Self {
        Self { stream, buffer: BytesMut::new(), scan: Scan::default(), response_bytes_max }
    }

    /// Sends a line.
    pub(in crate::shell) async fn send(&mut self, line: &str) -> Result<(), WireError> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        self.stream.flush().await?;
        Ok(())
    }

    /// Sends the bytes of a literal, and the end of its line.
    pub(in crate::shell) async fn send_bytes(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        self.stream.write_all(bytes).await?;
        self.stream.write_all(b"\r\n").await?;
        self.stream.flush().await?;
        Ok(())
    }

    /// The next response, whole. Nothing is lost when it is waited for no longer.
    pub(in crate::shell) async fn receive(&mut self) -> Result<Bytes, WireError> {
        loop {
            match self.scan.advance(&self.buffer) {
                Some(end) => {
                    self.scan = Scan::default();
                    return Ok(self.buffer.split_to(end).freeze());
                }
                None if self.scan.line_from.max(self.buffer.len()) > self.response_bytes_max => {
                    return Err(WireError::TooLarge);
                }
                None => {}
            }
            self.buffer.reserve(self.scan.line_from.saturating_sub(self.buffer.len()).max(READ_BYTES));
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(WireError::Lost);
            }
        }
    }

    /// The bare connection; `None` when something was sent that nobody has read.
    pub(in crate::shell) fn into_stream(self) -> Option<Box<dyn Stream>> {
        self.buffer.is_empty().then_some(self.stream)
    }
}

/// How far a response has been looked through.
#[derive(Debug, Default)]
struct Scan {
    /// Where the line begins that has not ended yet: behind the last literal.
    line_from: usize,
    /// Up to where there is no line break.
    seen: usize,
}

impl Scan {
    /// The end of the response that the buffer begins with, once it is whole.
    fn advance(&mut self, buffer: &[u8]) -> Option<usize> {
        loop {
            let rest = buffer.get(self.seen.max(self.line_from)..)?;
            let Some(at) = rest.iter().position(|byte| *byte == b'\n') else {
                self.seen = self.seen.max(self.line_from) + rest.len();
                return None;
            };
            let end = self.seen.max(self.line_from) + at + 1;
            match literal(&buffer[self.line_from..end]).filter(|_| may_hold_literals(buffer)) {
                Some(size) => (self.line_from, self.seen) = (end.saturating_add(size), 0),
                None => return Some(end),
            }
        }
    }
}

/// The size of the literal that a line announces at its end, `{4711}`.
fn literal(line: &[u8]) -> Option<usize> {
    let line = line.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line).strip_suffix(b"}")?;
    let digits = line.rsplit(|byte| *byte == b'{').next().filter(|digits| digits.len() < line.len())?;
    if digits.is_empty() || digits.len() > SIZE_DIGITS_MAX {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// What the parser makes of a whole response; `None` for what it does not know, or could not bear.
pub fn read(response: &[u8]) -> Option<Response<'_>> {
    if is_deep(response) || cuts_a_letter(response) {
        return None;
    }
    // Some of what servers should not send it takes for impossible (`INTERNALDATE NIL`), and panics.
    let reading = || Response::parse(response).ok().map(|(_, response)| response);
    std::panic::catch_unwind(reading).unwrap_or(None)
}

/// Whether words follow a code without their blank and begin with a letter of several bytes: the parser takes off
/// one byte.
fn cuts_a_letter(response: &[u8]) -> bool {
    !may_hold_literals(response) && response.windows(2).any(|pair| pair[0] == b']' && !pair[1].is_ascii())
}

/// Whether brackets nest deeper than in any response to what is asked for here. The parser goes down into each
/// (BODYSTRUCTURE, which servers may send unasked), and eighty of them are more than its stack holds.
fn is_deep(response: &[u8]) -> bool {
    let (mut depth, mut at, mut is_quoted) = (0usize, 0, false);
    while let Some(&byte) = response.get(at) {
        at += 1;
        match byte {
            b'\\' if is_quoted => at += 1,
            b'"' => is_quoted = !is_quoted,
            // No quoted string goes on behind its line.
            b'\r' | b'\n' => is_quoted = false,
            _ if is_quoted => {}
            b'(' if depth == DEPTH_MAX => return true,
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b'{' => {
                let end = response[at..].iter().position(|byte| *byte == b'\n').map_or(response.len(), |n| at + n + 1);
                if let Some(size) = literal(&response[at - 1..end]) {
                    at = end.saturating_add(size);
                }
            }
            _ => {}
        }
    }
    false
}

/// Data hold literals; states and continuations end in words of people, which may look like one.
fn may_hold_literals(response: &[u8]) -> bool {
    let Some(rest) = response.strip_prefix(b"* ") else { return false };
    let word = rest.split(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default();
    !["OK", "NO", "BAD", "BYE", "PREAUTH"].iter().any(|state| word.eq_ignore_ascii_case(state.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The responses of a stream that comes in pieces of every size.
    fn check(sent: &[u8], expected: &[&str]) {
        for piece in [1, 2, 3, 7, sent.len()] {
            let (mut buffer, mut scan, mut found) = (Vec::new(), Scan::default(), Vec::new());
            for bytes in sent.chunks(piece) {
                buffer.extend_from_slice(bytes);
                while let Some(end) = scan.advance(&buffer) {
                    found.push(String::from_utf8(buffer.drain(..end).collect()).unwrap());
                    scan = Scan::default();
                }
            }
            assert_eq!(found, expected, "in pieces of {piece}");
        }
    }

    #[test]
    fn responses_are_lines_with_literals() {
        check(b"* OK ready\r\nA1 OK done\r\n", &["* OK ready\r\n", "A1 OK done\r\n"]);
        check(
            b"* 1 FETCH (UID 1 BODY[] {6}\r\na\r\nb}\n)\r\n* 2 EXISTS\r\n",
            &["* 1 FETCH (UID 1 BODY[] {6}\r\na\r\nb}\n)\r\n", "* 2 EXISTS\r\n"],
        );
        check(b"* LIST () {1}\r\n/ {3}\r\na\r\n\r\n* BYE\r\n", &["* LIST () {1}\r\n/ {3}\r\na\r\n\r\n", "* BYE\r\n"]);
        check(b"* 1 FETCH (BODY[] {0}\r\n)\r\n+ \r\n", &["* 1 FETCH (BODY[] {0}\r\n)\r\n", "+ \r\n"]);
        // Words that look like a literal.
        check(b"* OK {5}\r\n+ {5}\r\nA1 NO {5}\r\n", &["* OK {5}\r\n", "+ {5}\r\n", "A1 NO {5}\r\n"]);
        check(b"* X {a}\r\n* X {}\r\n* X 5}\r\n", &["* X {a}\r\n", "* X {}\r\n", "* X 5}\r\n"]);
        check(b"* X {99999999999999999999}\r\n", &["* X {99999999999999999999}\r\n"]);
    }

    #[test]
    fn what_nests_too_deep_is_not_given_to_the_parser() {
        let deep = |n: usize| "(".repeat(n);
        for (response, expected) in [
            ("* 1 FETCH (UID 1 FLAGS (\\Seen) BODY[] {3}\r\n(((\r\n)".to_owned(), false),
            ("* LIST (\\HasChildren) \"(\" \"((((((((((((((((((((((((\" (\"X\" (\"Y\"))\r\n".to_owned(), false),
            (format!("* 1 FETCH ({}\r\n", "(a)".repeat(1000)), false),
            (format!("* 1 FETCH {}\r\n", deep(DEPTH_MAX)), false),
            (format!("* 1 FETCH {}\r\n", deep(DEPTH_MAX + 1)), true),
            (format!("* 1 FETCH (BODYSTRUCTURE {}\r\n", deep(100_000)), true),
            // Behind a literal, a quoted string with an escape, one that does not close, a literal that is none.
            (format!("* 1 FETCH (BODY[] {{2}}\r\n((BODYSTRUCTURE {}", deep(100)), true),
            (format!("* 1 FETCH (\"a\\\"\" {}", deep(100)), true),
            (format!("* 1 FETCH (\"\r\n{}", deep(100)), true),
            (format!("* 1 FETCH ({{9+}}\r\n{}", deep(100)), true),
            (format!("* 1 FETCH (BODY[] {{99999999999}}\r\n{}", deep(100)), false),
            ("* 1 FETCH (\"\\".to_owned(), false),
            ("{".to_owned(), false),
        ] {
            assert_eq!(is_deep(response.as_bytes()), expected, "{}", &response[..response.len().min(60)]);
            if !expected {
                let _ = Response::parse(response.as_bytes());
            }
        }
    }

    #[test]
    fn what_the_parser_could_not_bear_is_not_known() {
        for (response, expected) in [
            ("* 1 FETCH (UID 1 INTERNALDATE \"05-Mar-2026 12:00:00 +0200\")\r\n", true),
            ("* 1 FETCH (UID 1 INTERNALDATE NIL)\r\n", false),
            ("* OK [UIDVALIDITY 1] yötä\r\n", true),
            ("* OK [UIDVALIDITY 1]ö\r\n", false),
            ("A1 NO [ALERT]ö\r\n", false),
            ("* LIST () \"/\" \"[a]\"\r\n", true),
        ] {
            assert_eq!(read(response.as_bytes()).is_some(), expected, "{response}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_comes_breaks_it(sent in "(\\* (1 FETCH|OK|LIST) )?[^\u{0}]{0,20}(\\{[0-9]{0,3}\\}\r?\n)?.{0,30}(\r?\n)?") {
            let (mut buffer, mut scan) = (Vec::new(), Scan::default());
            for byte in sent.bytes() {
                buffer.push(byte);
                if let Some(end) = scan.advance(&buffer) {
                    proptest::prop_assert!(end <= buffer.len() && buffer[end - 1..end].len() == 1);
                    buffer.drain(..end);
                    scan = Scan::default();
                }
            }
        }
    }

    async fn receive(sent: &'static [u8], response_bytes_max: usize) -> Result<Bytes, WireError> {
        let (here, mut there) = tokio::io::duplex(64);
        let sending = tokio::spawn(async move { there.write_all(sent).await });
        let mut wire = Wire::new(Box::new(here), response_bytes_max);
        let received = wire.receive().await;
        assert!(wire.buffer.capacity() <= response_bytes_max + 2 * READ_BYTES);
        sending.abort();
        received
    }

    #[tokio::test]
    async fn what_is_too_large_is_refused_before_it_comes() {
        assert!(matches!(receive(b"* OK\r\n", 100).await, Ok(bytes) if bytes == "* OK\r\n"));
        assert!(matches!(receive(b"* 1 FETCH (BODY[] {4000000000}\r\n", 1000).await, Err(WireError::TooLarge)));
        assert!(matches!(receive(b"* 1 FETCH (BODY[] {999999999999}\r\n", 1000).await, Err(WireError::TooLarge)));
        assert!(matches!(receive(&[b'x'; 5000], 1000).await, Err(WireError::TooLarge)));
        assert!(matches!(receive(b"* 1 FETCH (BODY[] {10}\r\nabc", 1000).await, Err(WireError::Lost)));
        assert!(matches!(receive(b"", 1000).await, Err(WireError::Lost)));
    }
}
