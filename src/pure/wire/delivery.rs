//! A delivery over HTTP before it is believed: what was sent, why it is refused, how a vendor's
//! handshake is answered.
//!
//! **Invariant:** nothing here is parsed or changed; a signature covers the bytes as they came.

use crate::pure::domain::Timestamp;

/// An HTTP delivery as it is verified: headers and body are what came over the wire.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// Header names in lower case, in the order received; a name may repeat.
    pub headers: &'a [(String, Vec<u8>)],
    /// The URL as the vendor knows it: `http.public_url` and the path, with the query.
    pub url: &'a str,
    /// The raw body.
    pub body: &'a [u8],
    /// When it came in; signatures with a time are held against it.
    pub received_at: Timestamp,
}

impl<'a> Delivery<'a> {
    /// The only value of a header. Sent twice is an attack or a broken proxy, and counts as absent.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        let mut values = self.headers.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_slice());
        match (values.next(), values.next()) {
            (Some(value), None) => Some(value),
            _ => None,
        }
    }
}

/// Why a delivery is refused: it is not known to come from the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    /// The header that carries the signature is absent, or there twice.
    #[error("the signature is missing")]
    Missing,
    /// It is not of the vendor's form.
    #[error("the signature is malformed")]
    Malformed,
    /// It does not match the bytes.
    #[error("the signature does not match")]
    Mismatch,
    /// It is older or newer than the vendor's tolerance: a replay.
    #[error("the signature is outside its time")]
    Stale,
    /// Nothing signed can come this way.
    #[error("this channel takes no webhooks")]
    NotAWebhook,
}

/// What a webhook's handshake (a GET) is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handshake {
    /// 200 with this text.
    Echo(String),
    /// 403: the token is not ours.
    Refused,
    /// 405: this channel has none.
    None,
}
