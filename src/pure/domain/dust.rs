//! Dust: what lies about because nobody looks at it.

use super::Timestamp;
use super::id::{MessageId, TicketId};
use serde::{Serialize, Serializer};
use std::time::Duration;

/// What gathers dust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DustKind {
    /// A ticket on which nobody says or does anything.
    Silent,
    /// A customer who had the last word, and waits.
    Unanswered,
    /// A ticket whose owner is not seen any more.
    Orphaned,
    /// A call that nobody took, and nobody has returned.
    Call,
    /// A suggestion that nobody has looked at.
    Suggestion,
    /// A delivery in quarantine.
    Quarantine,
}

impl DustKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Unanswered, Self::Call, Self::Silent, Self::Orphaned, Self::Suggestion, Self::Quarantine];

    /// Their words, in the same order.
    pub const WORDS: [&str; 6] = ["unanswered", "call", "silent", "orphaned", "suggestion", "quarantine"];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unanswered => "unanswered",
            Self::Call => "call",
            Self::Silent => "silent",
            Self::Orphaned => "orphaned",
            Self::Suggestion => "suggestion",
            Self::Quarantine => "quarantine",
        }
    }

    /// The kind of a stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl Serialize for DustKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// After how long something is dust; `None`: never.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DustLimits {
    /// Nothing was said or done on a ticket.
    pub silent: Option<Duration>,
    /// The same while the customer is waited for.
    pub awaited: Option<Duration>,
    /// A customer has no answer; service time.
    pub unanswered: Option<Duration>,
    /// An owner has said and done nothing anywhere.
    pub orphaned: Option<Duration>,
    /// A call was not returned; service time.
    pub calls: Option<Duration>,
    /// A suggestion was not looked at.
    pub suggestions: Option<Duration>,
    /// A delivery lies in quarantine.
    pub quarantine: Option<Duration>,
}

/// What stands since these instants or longer is dust; `None`: nothing is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DustSince {
    /// Of tickets.
    pub silent: Option<Timestamp>,
    /// Of tickets whose customer is waited for.
    pub awaited: Option<Timestamp>,
    /// Of customers' words.
    pub unanswered: Option<Timestamp>,
    /// Of owners.
    pub orphaned: Option<Timestamp>,
    /// Of calls.
    pub calls: Option<Timestamp>,
    /// Of suggestions.
    pub suggestions: Option<Timestamp>,
    /// Of deliveries.
    pub quarantine: Option<Timestamp>,
}

/// What an open ticket waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// When somebody last said or did something on it.
    pub moved_at: Timestamp,
    /// The desk waits for the customer.
    pub is_awaited: bool,
    /// The first of the customer's words that nobody has answered.
    pub asked_at: Option<Timestamp>,
    /// The first call that nobody has returned on this ticket.
    pub called: Option<(Timestamp, MessageId)>,
}

/// One thing that gathers dust.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dust {
    /// What it is.
    pub kind: DustKind,
    /// The firm.
    pub tenant: String,
    /// Since when.
    pub since: Timestamp,
    /// The ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<TicketId>,
    /// Its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<i64>,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Who has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The suggestion's id, or the quarantine's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
}

/// How much there is of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DustCount {
    /// The kind.
    pub kind: DustKind,
    /// How many; of very many, the most that are counted.
    pub count: i64,
}
