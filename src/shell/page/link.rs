//! Signed links: a URL that shows one thread to whoever has it, for a time.
//!
//! A link is the base64url of what it allows, a point, and the base64url of its HMAC-SHA256 under a subkey of
//! `[security] keys`. The first key signs, all verify, so that a key can be replaced without breaking links.
//!
//! **Invariants:** what a link says is believed only after its MAC was compared, in constant time, and its time has not
//! run out. It names one ticket of one firm, and opens that one and what it was merged into. It is in no log.

use crate::config::Keys;
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::TicketId;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::time::Duration;
use url::Url;

/// How long a link is good, unless told otherwise.
pub const GOOD_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// Longest time that a link may be good: who leaves keeps what he has copied.
pub const GOOD_FOR_MAX: Duration = Duration::from_secs(366 * 24 * 3600);

/// Longest text that is looked at: a name of 100 characters fits thrice over.
const TEXT_BYTES_MAX: usize = 2_048;

/// What the subkey is for.
const PURPOSE: &str = "thread-link";

/// Whether who has a link may answer suggestions too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allow {
    /// He only reads.
    Read,
    /// He answers suggestions too.
    Review,
}

impl Allow {
    /// The words for them, on the command line and in requests.
    pub const WORDS: [&str; 2] = ["read", "review"];

    /// What a word stands for.
    pub fn of(word: &str) -> Self {
        if word == Self::WORDS[1] { Self::Review } else { Self::Read }
    }
}

/// What a link says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadLink {
    /// The ticket.
    #[serde(rename = "t")]
    pub ticket: TicketId,
    /// The firm.
    #[serde(rename = "f")]
    pub tenant: String,
    /// Until when it is good, in seconds since 1970.
    #[serde(rename = "u")]
    pub until_s: i64,
    /// Its bearer may answer suggestions.
    #[serde(rename = "r")]
    pub may_review: bool,
    /// Who its bearer is, for the journals.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl ThreadLink {
    /// A link to a ticket of a firm, good for so long from now on; what it allows, and who has it.
    pub fn new(
        (ticket, tenant): (TicketId, &str),
        now: Timestamp,
        good_for: Duration,
        (allow, name): (Allow, Option<String>),
    ) -> Self {
        let good_for_s = i64::try_from(good_for.as_secs()).unwrap_or(i64::MAX);
        let until_s = now.as_second().saturating_add(good_for_s);
        Self { ticket, tenant: tenant.to_owned(), until_s, may_review: allow == Allow::Review, name }
    }

    /// Until when it is good.
    pub fn until(&self) -> Timestamp {
        Timestamp::from_second(self.until_s).unwrap_or(Timestamp::MAX)
    }
}

/// Why a link opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It was not made here, or changed, or cut.
    #[error("it was not made here, or is not whole")]
    Forged,
    /// Its time has run out.
    #[error("its time has run out")]
    Expired,
}

/// Makes and reads links.
#[derive(Clone)]
pub struct Links {
    /// The first signs.
    keys: Vec<[u8; 32]>,
    public_url: Option<Url>,
}

impl Links {
    /// Links under the daemon's keys, at the address that others see it at.
    pub fn new(keys: &Keys, public_url: Option<Url>) -> Self {
        let keys = keys.derive_all(PURPOSE).into_iter().map(|(_, key)| key).collect();
        Self { keys, public_url }
    }

    /// The URL of a link. `None`: no public address is configured, on which it could stand.
    pub fn url(&self, link: &ThreadLink) -> Option<String> {
        let mut url = self.public_url.clone()?;
        url.path_segments_mut().ok()?.pop_if_empty().extend(["threads", &link.ticket.to_string()]);
        url.set_query(Some(&format!("link={}", self.sign(link))));
        Some(url.into())
    }

    /// The text of a link.
    pub fn sign(&self, link: &ThreadLink) -> String {
        let said = serde_json::to_vec(link).unwrap_or_default();
        let signature = self.keys.first().map(|key| mac(key, &said).finalize().into_bytes());
        format!("{}.{}", URL_SAFE_NO_PAD.encode(&said), URL_SAFE_NO_PAD.encode(signature.unwrap_or_default()))
    }

    /// What a link's text says, if it was made here and is good still.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn read(&self, text: &str, now: Timestamp) -> Result<ThreadLink, Refused> {
        let (said, signature) = text.split_once('.').filter(|_| text.len() <= TEXT_BYTES_MAX).ok_or(Refused::Forged)?;
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::Forged);
        let (said, signature) = (decoded(said)?, decoded(signature)?);
        // `verify_slice` wants all 32 bytes, and compares them in constant time.
        if !self.keys.iter().any(|key| mac(key, &said).verify_slice(&signature).is_ok()) {
            return Err(Refused::Forged);
        }
        let link: ThreadLink = serde_json::from_slice(&said).map_err(|_| Refused::Forged)?;
        if link.until_s <= now.as_second() { Err(Refused::Expired) } else { Ok(link) }
    }
}

fn mac(key: &[u8; 32], said: &[u8]) -> Hmac<Sha256> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { unreachable!("HMAC takes keys of any length") };
    mac.update(b"lanka thread link 1\0");
    mac.update(said);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(keys: &[u8]) -> Links {
        Links {
            keys: keys.iter().map(|key| [*key; 32]).collect(),
            public_url: Some("https://support.kauppa.example/lanka/".parse().unwrap()),
        }
    }

    fn link() -> ThreadLink {
        ThreadLink {
            ticket: TicketId("019cb2b6-0800-7000-80f6-7a1e150ab772".parse().unwrap()),
            tenant: "main".to_owned(),
            until_s: 1_000,
            may_review: false,
            name: Some("Änna \"A\"".to_owned()),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_link_says_what_was_signed_until_its_time_runs_out() {
        let text = links(&[1]).sign(&link());
        assert_eq!(links(&[1]).read(&text, at(999)), Ok(link()));
        assert_eq!(links(&[1]).read(&text, at(1_000)), Err(Refused::Expired));
        // A new key in front signs; the old one verifies still, until it is taken out.
        assert_eq!(links(&[2, 1]).read(&text, at(999)), Ok(link()));
        assert_eq!(links(&[2]).read(&text, at(999)), Err(Refused::Forged));
        assert_eq!(Links { keys: Vec::new(), public_url: None }.read(&text, at(999)), Err(Refused::Forged));
    }

    #[test]
    fn nothing_of_a_link_can_be_changed() {
        let links = links(&[1]);
        let text = links.sign(&link());
        for at_byte in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at_byte] = if changed[at_byte] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(links.read(&changed, at(1)), Err(Refused::Forged), "{changed}");
        }
        let (said, signature) = text.split_once('.').unwrap();
        let more = ThreadLink { may_review: true, ..link() };
        let more = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&more).unwrap());
        for forged in [
            format!("{more}.{signature}"),
            format!("{said}."),
            format!("{said}.{}", &signature[..22]),
            format!("{said}.{signature}A"),
            format!("{said}.{signature}.{signature}"),
            said.to_owned(),
            String::new(),
            ".".to_owned(),
            "x".repeat(99_999),
        ] {
            assert_eq!(links.read(&forged, at(1)), Err(Refused::Forged), "{forged:.80}");
        }
    }

    #[test]
    fn a_url_stands_on_the_public_address() {
        let url = links(&[1]).url(&link()).unwrap();
        let start = "https://support.kauppa.example/lanka/threads/019cb2b6-0800-7000-80f6-7a1e150ab772?link=";
        assert!(url.starts_with(start), "{url}");
        let text = &url[start.len()..];
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{text}");
        assert_eq!(Links { public_url: None, ..links(&[1]) }.url(&link()), None);
    }
}
