//! How a file is fetched from a vendor: the next request by the answers so far, and what an answer means.
//!
//! A mirror's `next` turned round: the channel says what to ask, the shell asks it, keeps to addresses
//! that may be reached, streams what comes, and asks again when no file came.
//!
//! **Invariants:** a request holds no token in its URL, for URLs end up in logs of proxies. Reasons hold no
//! URL, id or words of a customer.

use crate::pure::domain::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A GET that the shell sends.
#[derive(Debug, Clone)]
pub struct MediaRequest {
    /// Absolute URL.
    pub url: String,
    /// The token for the header `authorization`, for this host alone.
    pub bearer: Option<Secret>,
    /// A header that shows another kind of token, for this host alone.
    pub header: Option<(&'static str, Secret)>,
}

/// What to do next for a file.
#[derive(Debug, Clone)]
pub enum MediaStep {
    /// Ask this, and come back with the answer. No redirect is followed.
    Ask(MediaRequest),
    /// Fetch this: an answer of 200 is the file, with any other the channel is asked again.
    Fetch {
        /// The request. Redirects are followed, without the token to any other host.
        request: MediaRequest,
        /// SHA-256 of the bytes, where the vendor has just stated it.
        sha256: Option<[u8; 32]>,
    },
    /// Not now. A sentence without customers' data.
    Later(String),
    /// Never. A sentence without customers' data, shown in the thread.
    Lost(String),
}

/// An answer that was no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaReply {
    /// HTTP status.
    pub status: u16,
    /// The beginning of the body.
    pub body: Vec<u8>,
}

/// The steps for a file whose URL came with the message and says all that is needed: a vendor's signed
/// link, which soon expires, or a site's own.
pub fn by_url(remote: &str, replies: &[MediaReply]) -> MediaStep {
    let Some(reply) = replies.last() else {
        return MediaStep::Fetch {
            request: MediaRequest { url: remote.to_owned(), bearer: None, header: None },
            sha256: None,
        };
    };
    match reply.status {
        // What signs its links answers an old one so (Meta's CDN: 403, "URL signature expired").
        status @ (401 | 403) => MediaStep::Lost(format!("its link is no longer valid (answer {status})")),
        status @ (404 | 410) => MediaStep::Lost(format!("it is no longer there (answer {status})")),
        status @ (408 | 425 | 429 | 500..=599) => MediaStep::Later(format!("its host answers {status}")),
        status @ 400..=499 => MediaStep::Lost(format!("its host does not give it out (answer {status})")),
        status => MediaStep::Later(format!("its host answers {status}, which is no file")),
    }
}

/// A SHA-256 as vendors write it: 64 hexadecimal digits, or base64. `None` for anything else, such as the
/// placeholders of examples.
pub fn sha256(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    hex::decode(text).or_else(|_| STANDARD.decode(text).map_err(drop)).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(step: &MediaStep) -> &'static str {
        match step {
            MediaStep::Ask(_) => "ask",
            MediaStep::Fetch { .. } => "fetch",
            MediaStep::Later(_) => "later",
            MediaStep::Lost(_) => "lost",
        }
    }

    #[test]
    fn what_answers_to_a_url_mean() {
        assert_eq!(word(&by_url("https://cdn.example/a.png", &[])), "fetch");
        for (status, expected) in [
            (400, "lost"),
            (401, "lost"),
            (403, "lost"),
            (404, "lost"),
            (410, "lost"),
            (451, "lost"),
            (408, "later"),
            (425, "later"),
            (429, "later"),
            (500, "later"),
            (503, "later"),
            (204, "later"),
            (304, "later"),
            (999, "later"),
        ] {
            let reply = MediaReply { status, body: Vec::new() };
            assert_eq!(word(&by_url("https://cdn.example/a.png", &[reply])), expected, "{status}");
        }
    }

    #[test]
    fn checksums_are_read_in_both_forms() {
        let zero = [0x41; 32];
        for (text, expected) in [
            ("41".repeat(32), Some(zero)),
            ("41".repeat(32).to_uppercase(), Some(zero)),
            ("QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=".to_owned(), Some(zero)),
            (" QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=\n".to_owned(), Some(zero)),
            ("a1b2c3d4e5f6...".to_owned(), None),
            ("4654+8g=".to_owned(), None),
            ("41".repeat(31), None),
            (String::new(), None),
        ] {
            assert_eq!(sha256(&text), expected, "{text}");
        }
    }
}
