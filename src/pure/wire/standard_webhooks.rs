//! Standard Webhooks: how deliveries are signed that come in by the generic web chat and go out by
//! the webhook mirror.
//!
//! Three headers: `webhook-id`, `webhook-timestamp` (Unix seconds) and `webhook-signature`, a list
//! of `v1,<base64>` parted by blanks, of which any one may match, so that a secret can be changed
//! without a gap. Signed are the bytes `id.timestamp.body` with HMAC-SHA256
//! (standard-webhooks/standard-webhooks, spec/standard-webhooks.md).
//!
//! **Invariant:** verification runs over the raw bytes and in constant time; a delivery that lacks
//! any of the three headers, or has one twice, is never taken for genuine.

use super::delivery::{Delivery, Forged};
use crate::pure::domain::secret::Secret;
use crate::pure::wire::settings::Problems;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::engine::{DecodePaddingMode, Engine as _};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header with the delivery's id, which is also its idempotency key.
pub const ID_HEADER: &str = "webhook-id";
/// The header with the time of sending, in Unix seconds.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// The header with the list of signatures.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// How far the time of sending may lie from the time of arrival, either way: what the reference
/// libraries use. Wider would let a captured delivery be replayed for longer.
pub const TOLERANCE_S: i64 = 300;

/// Signatures looked at in one header. A sender in the middle of a change of keys has two; the limit
/// keeps a header of 10,000 from costing as many comparisons.
const SIGNATURES_MAX: usize = 16;

/// Longest id taken, in bytes; those in use have about 30.
const ID_BYTES_MAX: usize = 256;

/// Bytes of a key (specification, "Signature scheme"): shorter can be guessed, longer gains nothing.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Keys are written with and without the `=` at the end.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A symmetric signing key, decoded from its text `whsec_<base64>`.
#[derive(Clone)]
pub struct SigningKey(Vec<u8>);

/// Why a text is not a signing key. The sentences say what to write instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A key of the asymmetric scheme `v1a`, which lanka does not speak.
    #[error("it is an asymmetric key (whsk_ or whpk_); use a symmetric one, whsec_ and base64")]
    Asymmetric,
    /// What follows `whsec_` is not base64.
    #[error("it is not whsec_ followed by base64; `openssl rand -base64 32` makes what follows")]
    NotBase64,
    /// Too short or too long.
    #[error("its key has {0} bytes where 24 to 64 are wanted; `openssl rand -base64 32` makes one")]
    Length(usize),
}

/// Reads the keys of a channel: the one in use, and those that still verify while the sender changes to it. What is
/// wrong with one is added to the problems, under `secret` or `previous_secrets.N`.
pub fn signing_keys(secret: &Secret, previous: &[Secret], problems: &mut Problems) -> Vec<SigningKey> {
    let previous = previous.iter().enumerate().map(|(n, secret)| (format!("previous_secrets.{n}"), secret));
    let all = std::iter::once(("secret".to_owned(), secret)).chain(previous);
    let mut keys = Vec::new();
    for (key, secret) in all {
        match SigningKey::parse(secret) {
            Ok(found) => keys.push(found),
            Err(error) => problems.add(key, error.to_string()),
        }
    }
    keys
}

impl SigningKey {
    /// Reads `whsec_<base64>`; the prefix may be absent, as in the reference libraries.
    ///
    /// # Errors
    /// [`KeyError`], whose text fits a settings problem.
    pub fn parse(secret: &Secret) -> Result<Self, KeyError> {
        let text = secret.expose().trim();
        if text.starts_with("whsk_") || text.starts_with("whpk_") {
            return Err(KeyError::Asymmetric);
        }
        let key = LENIENT.decode(text.strip_prefix("whsec_").unwrap_or(text)).map_err(|_| KeyError::NotBase64)?;
        match KEY_BYTES.contains(&key.len()) {
            true => Ok(Self(key)),
            false => Err(KeyError::Length(key.len())),
        }
    }

    fn mac(&self, id: &[u8], timestamp: &[u8], body: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        for part in [id, b".", timestamp, b".", body] {
            mac.update(part);
        }
        Some(mac)
    }
}

/// A key is never printed.
impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// The value of one `webhook-signature` for a delivery to be sent: `v1,<base64>`. `id` must hold
/// no full stop (a receiver would refuse it); `timestamp_s` is in Unix seconds.
pub fn sign(key: &SigningKey, id: &str, timestamp_s: i64, body: &[u8]) -> String {
    // HMAC takes keys of any length, so that there always is a MAC.
    let mac = key.mac(id.as_bytes(), timestamp_s.to_string().as_bytes(), body);
    let signature = mac.map(|mac| mac.finalize().into_bytes()).unwrap_or_default();
    format!("v1,{}", STANDARD.encode(signature))
}

/// Whether a delivery is signed with one of the keys, at most `tolerance_s` seconds from when it
/// came in.
///
/// # Errors
/// [`Forged::Missing`] without the headers (twice counts as absent), [`Forged::Malformed`] when they
/// are not of the form, [`Forged::Mismatch`] when no signature fits (also without any key), and
/// [`Forged::Stale`] when one fits but the time does not: a replay, or a wrong clock.
pub fn verify(keys: &[SigningKey], delivery: &Delivery<'_>, tolerance_s: i64) -> Result<(), Forged> {
    let header = |name| delivery.header(name).ok_or(Forged::Missing);
    let (id, timestamp, signatures) = (header(ID_HEADER)?, header(TIMESTAMP_HEADER)?, header(SIGNATURE_HEADER)?);
    // A full stop in the id would let two different deliveries have one signature.
    if id.is_empty() || id.len() > ID_BYTES_MAX || id.contains(&b'.') {
        return Err(Forged::Malformed);
    }
    let sent_at_s = seconds(timestamp).ok_or(Forged::Malformed)?;
    let offered = offered(signatures)?;
    let genuine = keys.iter().filter_map(|key| key.mac(id, timestamp, delivery.body)).any(|mac| {
        // `verify_slice` compares in constant time; which of the keys fitted is no secret.
        offered.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
    });
    match (genuine, delivery.received_at.as_second().abs_diff(sent_at_s) <= tolerance_s.unsigned_abs()) {
        (false, _) => Err(Forged::Mismatch),
        (true, false) => Err(Forged::Stale),
        (true, true) => Ok(()),
    }
}

/// Unix seconds of a header: digits only, so that `+1` and `1.0` are not second spellings of one time.
fn seconds(header: &[u8]) -> Option<i64> {
    let digits = !header.is_empty() && header.iter().all(u8::is_ascii_digit);
    digits.then(|| std::str::from_utf8(header).ok()?.parse().ok()).flatten()
}

/// The signatures of version 1 in the list. Other versions are passed over: a sender may add new ones.
fn offered(header: &[u8]) -> Result<Vec<Vec<u8>>, Forged> {
    let list = std::str::from_utf8(header).map_err(|_| Forged::Malformed)?;
    let offered: Vec<Vec<u8>> = list
        .split_ascii_whitespace()
        .take(SIGNATURES_MAX)
        .filter_map(|entry| entry.strip_prefix("v1,"))
        .filter_map(|signature| LENIENT.decode(signature).ok())
        .collect();
    if offered.is_empty() { Err(Forged::Malformed) } else { Ok(offered) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the specification's reference libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SENT: &str = "1614265330";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    /// What is tried, headers, body, when it came in, what must come of it.
    type Row<'a> = (&'a str, Vec<(&'a str, &'a str)>, &'a [u8], i64, Result<(), Forged>);

    fn key(text: &str) -> SigningKey {
        SigningKey::parse(&Secret::new(text)).unwrap()
    }

    fn check(headers: &[(&str, &str)], body: &[u8], received_at_s: i64) -> Result<(), Forged> {
        let headers: Vec<_> = headers.iter().map(|(n, v)| (n.to_string(), v.as_bytes().to_vec())).collect();
        let received_at = jiff::Timestamp::from_second(received_at_s).unwrap();
        let delivery = Delivery { headers: &headers, url: "https://h.example/hooks/chat", body, received_at };
        verify(&[key("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), key(SECRET)], &delivery, TOLERANCE_S)
    }

    #[test]
    fn the_published_vector_is_signed_and_verified() {
        assert_eq!(sign(&key(SECRET), ID, 1_614_265_330, BODY), SIGNATURE);
        let bare = SECRET.trim_start_matches("whsec_");
        assert_eq!(sign(&key(bare), ID, 1_614_265_330, BODY), SIGNATURE);
    }

    #[test]
    fn deliveries_are_told_apart() {
        let now = 1_614_265_330;
        let good = [(ID_HEADER, ID), (TIMESTAMP_HEADER, SENT), (SIGNATURE_HEADER, SIGNATURE)];
        let with =
            |name: &str, value: &'static str| good.map(|(n, v)| if n == name { (n, value) } else { (n, v) }).to_vec();
        let without = |name: &str| good.iter().copied().filter(|(n, _)| *n != name).collect::<Vec<_>>();
        let twice = |name: &str| good.iter().copied().chain(good.iter().copied().filter(|(n, _)| *n == name)).collect();
        let rotating = "v1a,c2ln v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let table: Vec<Row<'_>> = vec![
            ("genuine", good.to_vec(), BODY, now, Ok(())),
            ("a list with others before it", with(SIGNATURE_HEADER, rotating), BODY, now, Ok(())),
            ("at the edge of the tolerance", good.to_vec(), BODY, now + 300, Ok(())),
            ("replayed a second later", good.to_vec(), BODY, now + 301, Err(Forged::Stale)),
            ("from the future", good.to_vec(), BODY, now - 301, Err(Forged::Stale)),
            ("a byte changed", good.to_vec(), br#"{"test": 2432232315}"#, now, Err(Forged::Mismatch)),
            ("re-encoded", good.to_vec(), br#"{"test":2432232314}"#, now, Err(Forged::Mismatch)),
            ("another id", with(ID_HEADER, "msg_2"), BODY, now, Err(Forged::Mismatch)),
            ("another time", with(TIMESTAMP_HEADER, "1614265331"), BODY, now, Err(Forged::Mismatch)),
            ("an id with a full stop", with(ID_HEADER, "msg.1"), BODY, now, Err(Forged::Malformed)),
            ("an empty id", with(ID_HEADER, ""), BODY, now, Err(Forged::Malformed)),
            ("a time with a sign", with(TIMESTAMP_HEADER, "+1614265330"), BODY, now, Err(Forged::Malformed)),
            ("a time out of range", with(TIMESTAMP_HEADER, "99999999999999999999"), BODY, now, Err(Forged::Malformed)),
            ("only an unknown version", with(SIGNATURE_HEADER, "v2,AAAA"), BODY, now, Err(Forged::Malformed)),
            ("a cut signature", with(SIGNATURE_HEADER, "v1,g0hM9SsE+OTPJTGt"), BODY, now, Err(Forged::Mismatch)),
            ("no id", without(ID_HEADER), BODY, now, Err(Forged::Missing)),
            ("no time", without(TIMESTAMP_HEADER), BODY, now, Err(Forged::Missing)),
            ("no signature", without(SIGNATURE_HEADER), BODY, now, Err(Forged::Missing)),
            ("two signatures headers", twice(SIGNATURE_HEADER), BODY, now, Err(Forged::Missing)),
        ];
        for (name, headers, body, at, expected) in table {
            assert_eq!(check(&headers, body, at), expected, "{name}");
        }
    }

    #[test]
    fn no_key_means_no_entry() {
        let headers = [(ID_HEADER, ID), (TIMESTAMP_HEADER, SENT), (SIGNATURE_HEADER, SIGNATURE)]
            .map(|(n, v)| (n.to_owned(), v.as_bytes().to_vec()));
        let received_at = jiff::Timestamp::from_second(1_614_265_330).unwrap();
        let delivery = Delivery { headers: &headers, url: "", body: BODY, received_at };
        assert_eq!(verify(&[], &delivery, TOLERANCE_S), Err(Forged::Mismatch));
    }

    #[test]
    fn what_is_no_key() {
        let table = [
            ("whsec_????", KeyError::NotBase64),
            ("", KeyError::Length(0)),
            ("whsec_AAAA", KeyError::Length(3)),
            ("whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", KeyError::Asymmetric),
        ];
        for (text, expected) in table {
            assert_eq!(SigningKey::parse(&Secret::new(text)).err(), Some(expected), "{text}");
        }
    }
}
