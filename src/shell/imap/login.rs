//! Who we are: LOGIN, PLAIN (RFC 4616) and XOAUTH2, sent with the command where the server takes it so
//! (SASL-IR, RFC 4959).
//!
//! XOAUTH2 as Google ("OAuth 2.0 Mechanism", developers.google.com/gmail/imap/xoauth2-protocol) and Microsoft
//! ("Authenticate an IMAP, POP or SMTP connection using OAuth", learn.microsoft.com) describe it: who opens a
//! shared mailbox names that mailbox as the user.
//!
//! **Invariants:** one attempt a connection, since each failure brings an account nearer to being
//! locked; a token that was in use before and is refused is asked for anew, once. No secret is logged.

use super::connection::Connection;
use super::error::ImapError;
use crate::pure::channels::{Credentials, ImapSource, OAuth};
use crate::pure::domain::secret::Secret;
use crate::shell::tokens::Tokens;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// For messages.
const LOGIN: &str = "login";

/// Responses during one login; more is no login.
const RESPONSES_MAX: usize = 100;

/// A connection, logged in. `channel` is whose tokens are used.
pub(in crate::shell) async fn log_in(
    source: &ImapSource,
    channel: &str,
    tokens: &Tokens,
) -> Result<Connection, ImapError> {
    let mut connection = Connection::open(source).await?;
    match &source.credentials {
        Credentials::Password(password) => by_password(&mut connection, &source.user, password).await?,
        Credentials::Token(oauth) => connection = by_token(connection, source, oauth, channel, tokens).await?,
    }
    connection.ask_abilities().await?;
    Ok(connection)
}

/// The same where there is only a password.
pub(in crate::shell) async fn log_in_by_password(
    source: &ImapSource,
    password: &Secret,
) -> Result<Connection, ImapError> {
    let mut connection = Connection::open(source).await?;
    by_password(&mut connection, &source.user, password).await?;
    connection.ask_abilities().await?;
    Ok(connection)
}

/// LOGIN, which every server knows; PLAIN where it is switched off, and for what LOGIN cannot carry.
async fn by_password(connection: &mut Connection, user: &str, password: &Secret) -> Result<(), ImapError> {
    let password = password.expose();
    let is_plain_text = user.chars().chain(password.chars()).all(|c| (' '..='~').contains(&c));
    let has_login = !connection.can("LOGINDISABLED");
    let result = if has_login && is_plain_text {
        connection.command(LOGIN, &format!("LOGIN {} {}", quoted(user), quoted(password)), |_| Ok(())).await
    } else if has_login || connection.can("AUTH=PLAIN") {
        authenticate(connection, "PLAIN", &format!("\0{user}\0{password}")).await.map_err(|(error, _)| error)
    } else {
        let remedy = "switch password logins on at the server, or use oauth";
        return Err(ImapError::NoSuchLogin { mechanism: "LOGIN or PLAIN", remedy });
    };
    result.map_err(|error| match error {
        ImapError::Refused { answer, .. } => ImapError::LoginRefused { answer },
        other => other,
    })
}

async fn by_token(
    mut connection: Connection,
    source: &ImapSource,
    oauth: &OAuth,
    channel: &str,
    tokens: &Tokens,
) -> Result<Connection, ImapError> {
    if !connection.can("AUTH=XOAUTH2") {
        let remedy = "check host and port, or use a password instead of oauth";
        return Err(ImapError::NoSuchLogin { mechanism: "XOAUTH2", remedy });
    }
    let access = tokens.access(channel, oauth).await?;
    let refused = match xoauth2(&mut connection, &source.user, &access.token).await {
        Err(refused @ ImapError::TokenRejected { .. }) => refused,
        other => return other.map(|()| connection),
    };
    tokens.refused(channel);
    if access.is_new {
        return Err(refused);
    }
    let mut connection = Connection::open(source).await?;
    let access = tokens.access(channel, oauth).await?;
    let result = xoauth2(&mut connection, &source.user, &access.token).await;
    if matches!(result, Err(ImapError::TokenRejected { .. })) {
        tokens.refused(channel);
    }
    result.map(|()| connection)
}

async fn xoauth2(connection: &mut Connection, user: &str, token: &Secret) -> Result<(), ImapError> {
    authenticate(connection, "XOAUTH2", &xoauth2_response(user, token)).await.map_err(
        |(error, challenge)| match error {
            ImapError::Refused { answer, .. } => {
                let status = challenge.as_deref().and_then(challenge_status);
                let answer = status.map_or(answer.clone(), |status| format!("{answer}, status {status}"));
                ImapError::TokenRejected { answer }
            }
            other => other,
        },
    )
}

fn xoauth2_response(user: &str, token: &Secret) -> String {
    format!("user={user}\x01auth=Bearer {}\x01\x01", token.expose())
}

/// The status in the error challenge of XOAUTH2: base64 of JSON.
fn challenge_status(challenge: &str) -> Option<u16> {
    #[derive(Deserialize)]
    struct Challenge {
        status: String,
    }
    let json = STANDARD.decode(challenge).ok()?;
    serde_json::from_slice::<Challenge>(&json).ok()?.status.parse().ok()
}

/// AUTHENTICATE with one response. Whatever is asked after that is answered with an empty line, which is what
/// XOAUTH2 wants before it says NO. An error comes with the last challenge.
async fn authenticate(
    connection: &mut Connection,
    mechanism: &str,
    response: &str,
) -> Result<(), (ImapError, Option<String>)> {
    let response = STANDARD.encode(response);
    let at_once = connection.can("SASL-IR");
    let command = match at_once {
        true => format!("AUTHENTICATE {mechanism} {response}"),
        false => format!("AUTHENTICATE {mechanism}"),
    };
    let (mut is_sent, mut challenge) = (at_once, None);
    let tag = connection.send(LOGIN, &command).await.map_err(|error| (error, None))?;
    for _ in 0..RESPONSES_MAX {
        let failed = |error| (error, challenge.clone());
        let bytes = connection.receive(LOGIN, connection.timeout()).await.map_err(failed)?;
        if let Some(done) = connection.done(LOGIN, &tag, &bytes) {
            return done.map_err(failed);
        }
        let Some(asked) = bytes.strip_prefix(b"+") else {
            connection.hear(LOGIN, &bytes).map_err(failed)?;
            continue;
        };
        let line = if std::mem::replace(&mut is_sent, true) {
            challenge = Some(String::from_utf8_lossy(asked).trim().to_owned());
            ""
        } else {
            &response
        };
        connection.send_line(LOGIN, line).await.map_err(|error| (error, None))?;
    }
    Err((ImapError::Oversized { command: LOGIN }, None))
}

/// A quoted string (RFC 9051, 9).
pub(in crate::shell) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_of_xoauth2_is_reproduced() {
        let token = Secret::new("ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg");
        assert_eq!(
            STANDARD.encode(xoauth2_response("someuser@example.com", &token)),
            "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ=="
        );
        let challenge =
            "eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIG1hYyIsInNjb3BlIjoiaHR0cHM6Ly9tYWlsLmdvb2dsZS5jb20vIn0K";
        assert_eq!(challenge_status(challenge), Some(401));
        assert_eq!(challenge_status("e30="), None);
        assert_eq!(challenge_status("not base64"), None);
    }

    #[test]
    fn strings_are_quoted() {
        assert_eq!(quoted("DOMAIN\\anna \"x\""), "\"DOMAIN\\\\anna \\\"x\\\"\"");
    }
}
