//! A request to a tool or a vendor, what was answered, and what follows: the talk between whoever writes requests
//! (a mirror, a channel that can be answered) and the shell, which sends them.
//!
//! Neither side waits for the other: the next step is a function of the replies so far, so that an attempt that broke off
//! is begun again from the start. Whoever creates something there therefore looks first whether it was created already.

use crate::pure::domain::Timestamp;
use crate::pure::domain::outbox::LinkedKind;
use crate::pure::domain::secret::Secret;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;
use uuid::Uuid;

/// A request for a carrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Absolute URL.
    pub url: String,
    /// `POST`, `PUT` …
    pub method: &'static str,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// Longest time the whole exchange may take.
    pub timeout: Duration,
}

/// What the other side answered, kept with the outbox row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// `Retry-After`, seconds, if given (a date is turned into seconds by the carrier).
    pub retry_after_s: Option<u64>,
    /// The first bytes of the body, for the step that follows and for people; at most 4 KiB.
    pub body: String,
}

/// What to do next for a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Send this and ask again with the reply.
    Send(Outgoing),
    /// Hand this mail to a mail server and ask again with its reply.
    Mail(Box<OutgoingMail>),
    /// Do this in the mailbox and ask again with what came of it.
    Mailbox(MailboxRequest),
    /// It is delivered. What was made or found there is kept under its id, for later changes.
    Done(Vec<Link>),
    /// Try again later, not before the time given if one is.
    Retry {
        /// What the other side asked for.
        after: Option<Duration>,
        /// A sentence without customer data.
        why: String,
    },
    /// It will never be taken; the row is dead and said aloud.
    Reject {
        /// A sentence without customer data.
        why: String,
    },
}

/// How long a change that the other side does not take is tried before its row is dead. Both
/// limits must be passed, and the tool must be taking other changes meanwhile: an outage of the tool
/// kills no row, however long it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Attempts at least.
    pub attempts_max: u32,
    /// Age at least, from the decision.
    pub age_max: Duration,
}

impl Default for Patience {
    /// A week, which outlasts a long weekend without anybody at the tool.
    fn default() -> Self {
        Self { attempts_max: 20, age_max: Duration::from_secs(7 * 24 * 3600) }
    }
}

impl Patience {
    /// [`Patience::attempts_max`] where a configuration says nothing.
    pub fn attempts_max_default() -> u32 {
        Self::default().attempts_max
    }

    /// [`Patience::age_max`] in days where a configuration says nothing.
    pub fn give_up_after_days_default() -> u32 {
        (Self::default().age_max.as_secs() / 86_400) as u32
    }
}

/// What a thing of lanka's is called on the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What it is.
    pub kind: LinkedKind,
    /// Its id here.
    pub object: Uuid,
    /// Its id there.
    pub remote: String,
}

/// A mail for the mail server of whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingMail {
    /// Envelope sender: where reports of failed delivery go; `None` is the null return path.
    pub from: Option<String>,
    /// Envelope recipient.
    pub to: String,
    /// The mail, ready to be sent: RFC 5322, lines ended with CRLF.
    pub mail: Vec<u8>,
}

/// A mail server that takes our mail (RFC 6409).
#[derive(Debug, Clone)]
pub struct MailServer {
    /// Host name, also checked against the certificate.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Login name and password; a server on this machine may want none.
    pub login: Option<(String, Secret)>,
    /// Additional root certificates, PEM.
    pub ca_file: Option<PathBuf>,
    /// Longest time any one answer of the server may take.
    pub timeout: Duration,
}

/// Protection of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// TLS from the first byte.
    Implicit,
    /// Plain, then STARTTLS; refused by the server means no connection.
    Starttls,
    /// Plain: loopback only.
    None,
}

/// A folder of a mailbox that is written to (RFC 9051).
#[derive(Debug, Clone)]
pub struct Folder {
    /// Host name, also checked against the certificate.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// Additional root certificates, PEM.
    pub ca_file: Option<PathBuf>,
    /// Login name.
    pub user: String,
    /// Password.
    pub password: Secret,
    /// The folder's name. It is made if it is not there.
    pub folder: String,
    /// Longest time any one answer of the server may take.
    pub timeout: Duration,
}

/// Something to be done in a folder. What comes of it is a [`Reply`] with the status 200, and a body where one is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailboxRequest {
    /// Look for mails by header fields. The body is [`FoundMails`].
    Find {
        /// The field and its value, which all of them have.
        all: (&'static str, String),
        /// The field and its value, by which one among them is known.
        same: Option<(&'static str, String)>,
    },
    /// Put a mail there.
    Append {
        /// The mail, lines ended with CRLF.
        mail: Vec<u8>,
        /// Its flags.
        flags: Vec<&'static str>,
        /// When it is from, for clients that sort by arrival.
        at: Timestamp,
    },
    /// Take mails away, by UID.
    Remove(Vec<u32>),
    /// Set flags of mails, by UID, or take them off.
    Flag {
        /// Which mails.
        uids: Vec<u32>,
        /// Which flags.
        flags: Vec<&'static str>,
        /// Set, or take off.
        set: bool,
    },
}

/// What [`MailboxRequest::Find`] found, by UID.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundMails {
    /// All that have the one field.
    pub all: Vec<u32>,
    /// Of them, those that have the other.
    pub same: Vec<u32>,
}
