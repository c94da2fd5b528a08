//! Who asks, and whether he may: bearer tokens (RFC 6750).
//!
//! A token that is refused is counted, and said once: with a WARN when it begins, and again only after it has been quiet
//! for a while, for whoever sends one wrong token can send a million.
//!
//! **Invariants:** a token is taken from the header `Authorization` alone. No token or part of one is logged, shown or
//! kept; what is unknown is told from what is known by its hash.

use super::problem::{Kind, Problem};
use crate::config::random_hex;
use crate::pure::domain::Timestamp;
use crate::shell::store::Store;
use crate::shell::store::api_token::{ApiToken, Scope};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What a token begins with, so that scanners of repositories know it when somebody commits one.
const PREFIX: &str = "lanka_";

/// Hexadecimal digits of a token.
const DIGITS: usize = 64;

/// A token that is refused is said again when it was quiet for so long.
const QUIET_S: i64 = 600;

/// A new token, which is shown to one person once, and its hash, which is kept.
///
/// # Errors
/// The system gives no random bits.
pub fn new_token() -> std::io::Result<(String, [u8; 32])> {
    let token = format!("{PREFIX}{}", random_hex()?);
    let hash = hash(&token);
    Ok((token, hash))
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Refused tokens, by what is known of them: a name, or nothing.
#[derive(Default)]
pub(super) struct Refused {
    last_at_s: Mutex<HashMap<String, i64>>,
}

impl Refused {
    /// Counts one, and says it if it is the first for a while. The names are those of tokens that were made here.
    fn count(&self, why: &'static str, name: Option<&str>) {
        metrics::counter!("lanka_api_refused_total", "why" => why).increment(1);
        let now_s = Timestamp::now().as_second();
        let key = name.unwrap_or_default().to_owned();
        let before = self.last_at_s.lock().unwrap_or_else(PoisonError::into_inner).insert(key, now_s);
        if before.is_some_and(|before_s| now_s - before_s < QUIET_S) {
            return;
        }
        match name {
            Some(name) => tracing::warn!(
                code = "api_token_refused",
                token.name = name,
                "the API refuses a token that is {why}: whoever uses it needs a new one (`lanka token create`)"
            ),
            None => tracing::warn!(
                code = "api_token_refused",
                "the API refuses tokens that are {why}: one that was copied in part, or somebody who tries"
            ),
        }
    }
}

/// The token of a request, if it is good.
pub(super) async fn authenticate(store: &Store, headers: &HeaderMap, refused: &Refused) -> Result<ApiToken, Problem> {
    let text = bearer(headers)?;
    let unknown = |why: &'static str| {
        refused.count(why, None);
        Problem::of_token(Kind::TokenUnknown, "there is no such token", None)
    };
    // What has not the form of one is not worth a question to the database.
    let digits = text.strip_prefix(PREFIX).filter(|digits| digits.len() == DIGITS);
    if !digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        return Err(unknown("malformed"));
    }
    let Some(token) = store.api_token(&hash(text)).await? else { return Err(unknown("unknown")) };
    let now = Timestamp::now();
    if token.revoked_at.is_some() {
        refused.count("revoked", Some(&token.name));
        return Err(Problem::of_token(Kind::TokenRevoked, "this token was revoked", None));
    }
    if token.is_expired(now) {
        refused.count("expired", Some(&token.name));
        return Err(Problem::of_token(Kind::TokenExpired, "this token has expired", None));
    }
    if let Err(error) = store.api_token_used(&token, now).await {
        tracing::debug!(%error, "the use of a token was not noted");
    }
    Ok(token)
}

/// Whether a token has a scope.
pub(super) fn authorise(token: &ApiToken, scope: Scope) -> Result<(), Problem> {
    if token.scopes.contains(&scope) {
        return Ok(());
    }
    let word = scope.word();
    let detail = format!("this needs the scope \"{word}\", which the token {} has not", token.name);
    Err(Problem::of_token(Kind::ScopeMissing, detail, Some(word)))
}

/// The token in the one header `Authorization`.
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let malformed = || Problem::of_token(Kind::TokenMalformed, "the header Authorization cannot be read", None);
    let missing = || Problem::of_token(Kind::TokenMissing, "the request has no bearer token", None);
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or_else(missing)?.to_str().map_err(|_| malformed())?;
    if values.next().is_some() {
        return Err(malformed());
    }
    let (scheme, token) = value.trim().split_once(' ').unwrap_or((value.trim(), ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(missing());
    }
    match token.trim() {
        "" => Err(malformed()),
        token => Ok(token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stands_in_one_header() {
        let table: &[(&[&str], Result<&str, &str>)] = &[
            (&[], Err("token_missing")),
            (&["Basic YTpi"], Err("token_missing")),
            (&["lanka_1"], Err("token_missing")),
            (&["Bearer"], Err("token_malformed")),
            (&["Bearer "], Err("token_malformed")),
            (&["Bearer a", "Bearer a"], Err("token_malformed")),
            (&["Bearer lanka_1"], Ok("lanka_1")),
            (&["bearer  lanka_1 "], Ok("lanka_1")),
        ];
        for (values, expected) in table {
            let mut headers = HeaderMap::new();
            for value in *values {
                headers.append(AUTHORIZATION, value.parse().unwrap());
            }
            assert_eq!(bearer(&headers).map_err(|problem| problem.code()), *expected, "{values:?}");
        }
    }

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let (one, hash_of_one) = new_token().unwrap();
        let (other, _) = new_token().unwrap();
        assert_eq!((one.len(), one.starts_with(PREFIX)), (PREFIX.len() + DIGITS, true));
        assert_ne!(one, other);
        assert_eq!(hash_of_one, hash(&one));
    }
}
