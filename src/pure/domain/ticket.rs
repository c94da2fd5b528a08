//! Tickets: one thread of messages about one matter, with its participants.

use super::Timestamp;
use super::id::{MessageId, TicketId};
use super::message::Message;
use super::queue::Queued;
use super::triage::{Classified, Fault, FeedbackKind, Triage, Verdict};
use jiff::SignedDuration;
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

/// What is said so soon after the last thing is no asking of its own: a chat is many messages.
const SAME_ASKING: SignedDuration = SignedDuration::from_hours(1);

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
    /// How often its customers have asked since anybody answered.
    pub unanswered: u32,
    /// What its problem is, the gravest so far.
    pub fault: Option<Fault>,
    /// What its feedback says.
    pub feedback: Vec<FeedbackKind>,
    /// What an agent said of it.
    pub classified: Option<Classified>,
}

impl Ticket {
    /// Since when the desk waits for the customer. On a closed ticket it waits for nothing.
    pub fn awaited_since(&self) -> Option<Timestamp> {
        self.awaiting.since().filter(|_| self.state == TicketState::Open)
    }

    /// Takes in what a message brings, and the urgency that it gives.
    pub fn take(&mut self, triage: &Triage, urgency: Priority) {
        self.add(&triage.kind, triage.fault(), &triage.feedback, urgency);
    }

    /// How often its customers have asked since anybody answered, with a message: what is said within an hour of the
    /// last thing is the same asking.
    pub fn asked_again(&self, message: &Message) -> u32 {
        let since = message.occurred_at.duration_since(self.last_at);
        let is_same = self.unanswered > 0 && since < SAME_ASKING;
        self.unanswered + u32::from(!is_same)
    }

    /// Counts a message: a customer's asks, what is said to him answers.
    pub fn count(&mut self, message: &Message) {
        if message.is_said_by_customer() {
            self.unanswered = self.asked_again(message);
        } else if message.is_said_to_customer() {
            self.unanswered = 0;
        }
    }

    /// Takes in what another ticket brought.
    pub fn absorb(&mut self, other: &Self) {
        self.add(&other.kind, other.fault, &other.feedback, other.priority);
        self.classified = Classified::later(self.classified.take(), other.classified.clone());
        self.heed();
    }

    fn add(&mut self, kind: &[MatterKind], fault: Option<Fault>, feedback: &[FeedbackKind], priority: Priority) {
        self.kind.extend(kind);
        self.kind.sort();
        self.kind.dedup();
        self.fault = self.fault.max(fault);
        self.feedback.extend(feedback);
        self.feedback.sort();
        self.feedback.dedup();
        self.priority = self.priority.max(priority);
        self.heed();
    }

    /// Its kind and urgency.
    pub fn verdict(&self) -> Verdict {
        let (kind, feedback) = (self.kind.clone(), self.feedback.clone());
        Verdict { kind, fault: self.fault, feedback, priority: Some(self.priority) }
    }

    /// What an agent said stands over everything.
    pub fn heed(&mut self) {
        let Some(classified) = &self.classified else { return };
        if let Some(kind) = &classified.kind {
            (self.kind, self.fault, self.feedback) = (kind.clone(), classified.fault, classified.feedback.clone());
        }
        self.priority = classified.priority.unwrap_or(self.priority);
    }
}
