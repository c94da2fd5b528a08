//! The tools agents work in: one file a kind, [`Post`] → [`Outgoing`].
//!
//! A mirror is never async and never sends: it says the next step from the replies so far; the
//! shell sends, stores the reply, and asks again. Retry and replay stay in one place, the shell's.
//! Adding one is adding a file and a line, as for channels.
//!
//! **Invariant:** `next` is a function of its arguments. The name of a kind appears in its own file
//! only.

use super::domain::Timestamp;
use super::domain::outbox::{Alert, Post};
pub use super::wire::settings::SettingsProblem;
use std::time::Duration;

macro_rules! mirrors {
    ($($(#[$meaning:meta])* $name:ident),* $(,)?) => {
        $($(#[$meaning])* pub mod $name;)*

        /// Every kind of mirror, in the order of the list.
        pub const KINDS: &[&Kind] = &[$(&$name::KIND),*];
    };
}

mirrors! {
    /// One signed request for each change: Standard Webhooks around a CloudEvent.
    webhook,
}

/// The kind of a name, if there is one.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.name == name)
}

/// A kind of mirror.
pub struct Kind {
    /// The word in the configuration, equal to the file's name.
    pub name: &'static str,
    /// Reads the settings (the mirror's table without `kind` and `tenant`) and makes the mirror.
    pub build: Build,
}

/// What a mirror may know of the rest of the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// The mirror's name in the configuration.
    pub name: &'a str,
    /// `http.allow_private_addresses`.
    pub allow_private_addresses: bool,
}

/// Makes a mirror of a name from its settings, or says all that is wrong with them.
pub type Build = fn(&Setup<'_>, toml::Table) -> Result<Box<dyn Mirror>, Vec<SettingsProblem>>;

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
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
    /// It is delivered.
    Done,
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

/// One configured tool.
pub trait Mirror: Send + Sync {
    /// How long a change is tried.
    fn patience(&self) -> Patience {
        Patience::default()
    }

    /// Whether the tool can show mail as it was laid out: then posts come with it.
    fn shows_html(&self) -> bool {
        false
    }

    /// The next step for a post, given the replies of this attempt so far, oldest first.
    fn next(&self, post: &Post, replies: &[Reply], now: Timestamp) -> Step;

    /// A request that asks whether the tool can be reached, and does nothing there; `None` where there is none.
    fn probe(&self) -> Option<Outgoing> {
        None
    }

    /// How operational events reach this tool; `None` where it has no place for them.
    fn alert(&self, alert: &Alert, id: &str, now: Timestamp) -> Option<Outgoing>;
}
