//! A secret of the configuration, and the door it comes through.
//!
//! **Invariant:** a [`Secret`] is never printed, logged or serialised.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// A password, token or key, read from the environment or a file by the configuration.
///
/// It deserialises only from the form that the configuration puts in place of `{ env = "NAME" }`
/// and `{ file = "PATH" }`, so that a secret written into the file itself is refused.
#[derive(Clone)]
pub struct Secret(SecretString);

/// The key under which the configuration hands a secret it has read to the settings.
pub const RESOLVED_KEY: &str = "\u{1}secret";

impl Secret {
    /// Wraps a value that was read from a safe place.
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The value, for the one place that signs or logs in with it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let parts = std::collections::BTreeMap::<String, String>::deserialize(deserializer)
            .map_err(|_| D::Error::custom("a secret is never written into the file: use { env = \"NAME\" } or { file = \"PATH\" }"))?;
        match parts.get(RESOLVED_KEY) {
            Some(value) if parts.len() == 1 => Ok(Self::new(value.clone())),
            _ => Err(D::Error::custom("a secret is { env = \"NAME\" } or { file = \"PATH\" }")),
        }
    }
}
