//! Tickets: one thread of messages about one matter, with its participants.

use super::Timestamp;
use super::id::{MessageId, TicketId};
use super::queue::Queued;
use serde::{Deserialize, Serialize};

/// Whether a ticket waits for work.
///
/// Legal moves: open → closed (the desk closes it), closed → open (it is reopened within its
/// window, or an agent does it). A ticket that was joined into another is no state: its id becomes
/// an alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TicketState {
    /// Somebody has to do something.
    Open,
    /// Done.
    Closed,
}

impl TicketState {
    /// The stable word, as in SQL and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }

    /// The state of a stable word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "open" => Some(Self::Open),
            "closed" => Some(Self::Closed),
            _ => None,
        }
    }
}

/// What kind of matter it is (help-desk practice: palvelu, pulma, palaute). One ticket may bring
/// all three; none at all is a greeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MatterKind {
    /// Something is wanted.
    Service,
    /// Something does not work.
    Problem,
    /// Thanks, complaints, ideas.
    Feedback,
}

impl MatterKind {
    /// The stable word, as in SQL and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Problem => "problem",
            Self::Feedback => "feedback",
        }
    }

    /// The kind of a stable word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Service, Self::Problem, Self::Feedback].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// How soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// A greeting, a thank-you.
    Low,
    /// The ordinary case.
    Normal,
    /// The customer's business stands still.
    High,
}

impl Priority {
    /// The stable word, as in SQL and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }

    /// The priority of a stable word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Low, Self::Normal, Self::High].into_iter().find(|priority| priority.as_str() == word)
    }
}

/// Kind and urgency of one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Triage {
    /// Kinds, without repeats, in the order of the enum.
    pub kind: Vec<MatterKind>,
    /// Urgency.
    pub priority: Priority,
}

/// Which agent has a ticket. Of two the later one stands, whichever is told first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// Since when.
    pub at: Timestamp,
    /// Who; `None` once it was let go.
    pub name: Option<String>,
}

/// Whether the desk waits for the customer. Of what was told of it the latest stands, whichever is told first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Awaiting {
    /// When an agent last said that it does.
    pub asked_at: Option<Timestamp>,
    /// When the customer last said something, or an agent last said that it waits no longer.
    pub ended_at: Option<Timestamp>,
}

impl Awaiting {
    /// Since when the desk waits; `None` when it does not.
    pub fn since(self) -> Option<Timestamp> {
        self.asked_at.filter(|asked| self.ended_at.is_none_or(|ended| ended < *asked))
    }

    /// An agent says that it waits.
    pub fn ask(&mut self, at: Timestamp) {
        self.asked_at = self.asked_at.max(Some(at));
    }

    /// What was asked for until then is here, or wanted no more.
    pub fn end(&mut self, at: Timestamp) {
        self.ended_at = self.ended_at.max(Some(at));
    }

    /// Of two tickets that are one.
    pub fn join(&mut self, other: Self) {
        self.asked_at = self.asked_at.max(other.asked_at);
        self.ended_at = self.ended_at.max(other.ended_at);
    }
}

/// A ticket as deciding sees it.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// Its id.
    pub id: TicketId,
    /// Open or closed.
    pub state: TicketState,
    /// Kinds brought so far.
    pub kind: Vec<MatterKind>,
    /// The highest urgency so far, unless the desk set it.
    pub priority: Priority,
    /// The first subject, or the first words.
    pub title: String,
    /// Event time of its first message.
    pub opened_at: Timestamp,
    /// Event time of its last message.
    pub last_at: Timestamp,
    /// When it was closed, if it is.
    pub closed_at: Option<Timestamp>,
    /// The ticket that this one continues.
    pub follow_up_of: Option<TicketId>,
    /// The message that it began with.
    pub opened_by: MessageId,
    /// Who has it, if anybody ever had.
    pub owner: Option<Owner>,
    /// Whether the desk waits for the customer.
    pub awaiting: Awaiting,
    /// In which queue it is.
    pub queued: Queued,
}

impl Ticket {
    /// Since when the desk waits for the customer. On a closed ticket it waits for nothing.
    pub fn awaited_since(&self) -> Option<Timestamp> {
        self.awaiting.since().filter(|_| self.state == TicketState::Open)
    }
}
