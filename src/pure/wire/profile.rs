//! A question to a vendor about a person, and what the answer says.

use crate::pure::domain::secret::Secret;

/// A GET that the shell sends.
#[derive(Debug, Clone)]
pub struct ProfileRequest {
    /// Absolute URL. It holds no token: URLs end up in logs of proxies.
    pub url: String,
    /// The token, for the header `authorization`.
    pub bearer: Secret,
}

/// What a vendor says about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Profile {
    /// The name.
    Named(String),
    /// There is none, or it is not told: it is not asked again.
    Nameless,
    /// Not now. The vendor's words, without customers' data.
    Later(String),
}
