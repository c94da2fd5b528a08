//! A secret of the configuration, and the door it comes through.
//!
//! **Invariant:** a [`Secret`] is never printed, logged or serialised.

use secrecy::{ExposeSecret, SecretString};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

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
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A visitor, and not a map that is read and looked into: only so does an absent secret keep
        // its own error, the missing key.
        deserializer.deserialize_any(Resolved)
    }
}

/// Reads the form that the configuration puts in a secret's place; see [`RESOLVED_KEY`].
struct Resolved;

impl<'de> Visitor<'de> for Resolved {
    type Value = Secret;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a secret, { env = \"NAME\" } or { file = \"PATH\" },")
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Secret, E> {
        Err(E::custom("a secret is never written into the file: use { env = \"NAME\" } or { file = \"PATH\" }"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut parts: A) -> Result<Secret, A::Error> {
        let mut secret = None;
        while let Some(key) = parts.next_key::<String>()? {
            match (key == RESOLVED_KEY, &secret) {
                (true, None) => secret = Some(Secret::new(parts.next_value::<String>()?)),
                _ => {
                    return Err(A::Error::custom(
                        "a secret is { env = \"NAME\" } or { file = \"PATH\" }, nothing beside it",
                    ));
                }
            }
        }
        secret.ok_or_else(|| A::Error::custom("a secret is { env = \"NAME\" } or { file = \"PATH\" }"))
    }
}
