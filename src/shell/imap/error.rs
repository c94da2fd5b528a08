//! Why a mailbox could not be read, and what to do about it.
//!
//! **Invariant:** of what a server says only its codes are kept: its words may name the user or a mail.

use crate::shell::content::ContentError;
use crate::shell::store::StoreError;
use crate::shell::tokens::TokenError;
use std::path::PathBuf;
use std::time::Duration;

/// Response codes by which a server says *not now* (RFC 5530; `LIMIT`, RFC 9051; `THROTTLED` is Yahoo's,
/// and Gmail says `OVERQUOTA` of bandwidth too).
const THROTTLING: [&str; 5] = ["THROTTLED", "OVERQUOTA", "UNAVAILABLE", "LIMIT", "INUSE"];

/// What Exchange answers to every command when a login went well and the mailbox is not the user's.
const NOT_CONNECTED: &str = "authenticated but not connected";

/// Longest response code shown, in bytes.
const CODE_BYTES_MAX: usize = 40;

/// Why a mailbox could not be read. Every one of them is tried again.
#[derive(Debug, thiserror::Error)]
pub enum ImapError {
    /// No TCP connection.
    #[error("cannot connect to {host}:{port}: {source}. Check host and port")]
    Connect {
        /// As configured.
        host: String,
        /// As configured.
        port: u16,
        /// The system's answer.
        source: std::io::Error,
    },
    /// No TLS, or not with whom we wanted.
    #[error("no TLS with {host}: {why}. Check host and tls; for a certificate of your own authority set ca_file")]
    Tls {
        /// As configured.
        host: String,
        /// What the TLS library says.
        why: String,
    },
    /// The server does not change to TLS, or somebody on the way took the offer out.
    #[error(
        "{host} does not change to TLS ({answer}), and nothing is sent in the clear: set tls = \"implicit\", or switch STARTTLS on at the server"
    )]
    NoStartTls {
        /// As configured.
        host: String,
        /// Its answer: the status and the code in brackets, no words.
        answer: String,
    },
    /// More than the answer came before TLS began.
    #[error(
        "something was sent in the clear behind the answer to STARTTLS: somebody on the way may be adding answers of his own. Set tls = \"implicit\" if the server has it"
    )]
    Injected,
    /// `ca_file` is no use.
    #[error("cannot read certificates from {}: {why}", path.display())]
    CaFile {
        /// As configured.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The server does not take the password, or no password at all.
    #[error(
        "the server refused the login ({answer}): check user and password, and that it allows IMAP with a password"
    )]
    LoginRefused {
        /// Its answer: the status and the code in brackets, no words.
        answer: String,
    },
    /// The server does not take the token.
    #[error(
        "the server refused the token ({answer}): check that user is the mailbox, that the scope is the one for IMAP, and that the program was given this mailbox"
    )]
    TokenRejected {
        /// Its answer, and the status of its error challenge.
        answer: String,
    },
    /// Exchange took the login and does not open the mailbox.
    #[error(
        "the server took the login, but does not open the mailbox: give the program (or its user) full access to it (Add-MailboxPermission), and check that IMAP is switched on for it"
    )]
    NotConnected,
    /// The server offers no such way to log in.
    #[error("the server offers no login by {mechanism}: {remedy}")]
    NoSuchLogin {
        /// As the server would name it.
        mechanism: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// There is no token to log in with.
    #[error("no token to log in with: {0}")]
    Token(#[from] TokenError),
    /// The server wants to be left alone for a while.
    #[error("the server puts us off at {command} ({answer}): it is tried again later")]
    Throttled {
        /// The command's name.
        command: &'static str,
        /// Its answer: the status and the code in brackets, no words.
        answer: String,
    },
    /// The server answered a command with NO or BAD.
    #[error("the server refused {command} ({answer})")]
    Refused {
        /// The command's name.
        command: &'static str,
        /// Its answer: the status and the code in brackets, no words.
        answer: String,
    },
    /// A folder of that name does not exist.
    #[error("there is no folder {folder}{}", near_names(.near))]
    NoFolder {
        /// As configured.
        folder: String,
        /// Those with names like it.
        near: Vec<String>,
    },
    /// A folder exists and is not opened.
    #[error("the server does not open folder {folder} ({answer}): check the rights of the user")]
    FolderRefused {
        /// As configured.
        folder: String,
        /// Its answer: the status and the code in brackets, no words.
        answer: String,
    },
    /// A folder without UIDVALIDITY cannot be followed (RFC 3501 2.3.1.1).
    #[error("folder {folder} has no UIDVALIDITY, so mails in it cannot be told apart")]
    NoUidValidity {
        /// As configured.
        folder: String,
    },
    /// The server numbered the mails anew while they were read.
    #[error("the server numbered the folder anew during {command}: it is opened again")]
    Renumbered {
        /// The command's name.
        command: &'static str,
    },
    /// The connection ended.
    #[error("the connection was lost during {command}")]
    Lost {
        /// The command's name.
        command: &'static str,
    },
    /// The server did not answer.
    #[error("the server did not answer {command} within {} s", waited.as_secs())]
    Silent {
        /// The command's name.
        command: &'static str,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The answer is no IMAP.
    #[error("the answer to {command} could not be read as IMAP")]
    Unparsable {
        /// The command's name.
        command: &'static str,
    },
    /// The answer is larger, or has more parts, than any answer may.
    #[error("the answer to {command} is larger than what was asked for")]
    Oversized {
        /// The command's name.
        command: &'static str,
    },
    /// The server listed a mail, and did not give it.
    #[error("the server did not give a mail that it lists")]
    Withheld,
    /// Postgres does not take it now.
    #[error("the mails could not be stored: {0}")]
    Store(#[from] StoreError),
    /// The content store does not take it now.
    #[error("a large mail could not be stored: {0}")]
    Content(#[from] ContentError),
}

fn near_names(near: &[String]) -> String {
    match near {
        [] => "; name it as the server lists it, with everything before its last part".to_owned(),
        near => format!(": there is {}", near.join(", ")),
    }
}

impl ImapError {
    /// The stable code for metrics and alerts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "connection_refused",
            Self::Tls { .. } | Self::CaFile { .. } | Self::NoStartTls { .. } | Self::Injected => "tls_failed",
            Self::LoginRefused { .. } | Self::TokenRejected { .. } | Self::NotConnected | Self::NoSuchLogin { .. } => {
                "login_refused"
            }
            Self::Token(error) => error.code(),
            Self::Throttled { .. } => "server_throttles",
            Self::NoFolder { .. } => "folder_missing",
            Self::Refused { .. } | Self::Withheld | Self::NoUidValidity { .. } | Self::FolderRefused { .. } => {
                "command_refused"
            }
            Self::Lost { .. } | Self::Renumbered { .. } => "connection_lost",
            Self::Silent { .. } => "server_silent",
            Self::Unparsable { .. } | Self::Oversized { .. } => "answer_unreadable",
            Self::Store(_) | Self::Content(_) => "store_failed",
        }
    }

    /// What a status other than OK means; `text` is what follows it.
    pub(in crate::shell) fn of_answer(command: &'static str, status: &str, text: &str) -> Self {
        let answer = answer(status, text);
        if text.contains(NOT_CONNECTED) {
            return Self::NotConnected;
        }
        match THROTTLING.iter().any(|code| answer.ends_with(&format!("[{code}]"))) {
            true => Self::Throttled { command, answer },
            false => Self::Refused { command, answer },
        }
    }

    /// Whether it is about one folder, and others may be read.
    pub(in crate::shell) fn is_of_folder(&self) -> bool {
        matches!(self, Self::NoFolder { .. } | Self::FolderRefused { .. } | Self::NoUidValidity { .. })
    }

    /// Whether it is the login that failed, and not the way to the server.
    pub(in crate::shell) fn is_of_login(&self) -> bool {
        matches!(
            self,
            Self::LoginRefused { .. }
                | Self::TokenRejected { .. }
                | Self::NotConnected
                | Self::NoSuchLogin { .. }
                | Self::Token(_)
        )
    }

    /// Whether trying again soon makes it worse: accounts are locked, and throttles tightened.
    pub(in crate::shell) fn wants_patience(&self) -> bool {
        self.is_of_login() || matches!(self, Self::Throttled { .. })
    }
}

/// A refusal without its words, which may name the user: the status, and the code in brackets.
pub(in crate::shell) fn answer(status: &str, text: &str) -> String {
    let status = match status.len() <= CODE_BYTES_MAX && status.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        true => status.to_ascii_uppercase(),
        false => "?".to_owned(),
    };
    let code = text.strip_prefix('[').and_then(|text| text.split_once(']')).map(|(code, _)| code);
    // A code may have arguments; the first word is the code.
    let code = code.and_then(|code| code.split(' ').next()).filter(|code| {
        (1..=CODE_BYTES_MAX).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
    });
    match code {
        Some(code) => format!("{status} [{code}]"),
        None => status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_lose_their_words() {
        let table = [
            ("NO", "[AUTHENTICATIONFAILED] user anna@example.fi unknown", "NO [AUTHENTICATIONFAILED]"),
            ("no", "user anna@example.fi unknown", "NO"),
            ("NO", "[anna@example.fi] unknown", "NO"),
            ("NO", "[REFERRAL imap://anna@example.fi/] there", "NO [REFERRAL]"),
            ("NO", "", "NO"),
            ("anna@example.fi", "", "?"),
        ];
        for (status, text, expected) in table {
            assert_eq!(answer(status, text), expected);
        }
    }

    #[test]
    fn answers_are_told_apart() {
        let table = [
            ("NO", "[THROTTLED] slow down", "server_throttles"),
            ("NO", "[OVERQUOTA] Account exceeded command or bandwidth limits.", "server_throttles"),
            ("NO", "[UNAVAILABLE] Temporary authentication failure.", "server_throttles"),
            ("BYE", "[LIMIT] too many connections", "server_throttles"),
            ("BAD", "User is authenticated but not connected.", "login_refused"),
            ("NO", "[SERVERBUG] oh", "command_refused"),
            ("BAD", "", "command_refused"),
        ];
        for (status, text, code) in table {
            assert_eq!(ImapError::of_answer("FETCH", status, text).code(), code, "{text}");
        }
    }
}
