//! What kind of matter a message brings, how soon it must be seen to, and which words say so.

use super::Timestamp;
use super::decision::Reason;
use super::id::EventId;
use super::ticket::{MatterKind, Priority};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whose a problem is, as far as can be told (help-desk practice: oma, epäselvä, vika).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProblemKind {
    /// The customer's own doing: a slip, a password forgotten.
    Own,
    /// Nobody can tell yet.
    Unclear,
    /// Something of the desk's is broken, wrong, missing or late.
    Fault,
}

impl ProblemKind {
    /// The stable word, as in SQL and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Unclear => "unclear",
            Self::Fault => "fault",
        }
    }

    /// The problem of a stable word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Own, Self::Unclear, Self::Fault].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What a problem does to whoever has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It can be lived with (häiriö).
    Hinders,
    /// It stands still (vika).
    Prevents,
}

impl Effect {
    /// The stable word, as in SQL and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hinders => "hinders",
            Self::Prevents => "prevents",
        }
    }

    /// The effect of a stable word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Hinders, Self::Prevents].into_iter().find(|effect| effect.as_str() == word)
    }
}

/// What feedback says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedbackKind {
    /// It was not good.
    Complaint,
    /// It could be otherwise.
    Wish,
    /// It was good.
    Praise,
}

impl FeedbackKind {
    /// The stable word, as in SQL and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complaint => "complaint",
            Self::Wish => "wish",
            Self::Praise => "praise",
        }
    }

    /// The feedback of a stable word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Complaint, Self::Wish, Self::Praise].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Kind and urgency of one message or ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Triage {
    /// Kinds, without repeats, in the order of the enum.
    pub kind: Vec<MatterKind>,
    /// Whose the problem is; only with one.
    #[serde(default)]
    pub problem: Option<ProblemKind>,
    /// What it does; only with a problem that is not the customer's own, where it can be told.
    #[serde(default)]
    pub effect: Option<Effect>,
    /// What the feedback says, without repeats, in the order of the enum; only with feedback.
    #[serde(default)]
    pub feedback: Vec<FeedbackKind>,
    /// Urgency.
    pub priority: Priority,
    /// Why: the words that say so.
    #[serde(default)]
    pub why: Vec<Reason>,
}

impl Triage {
    /// No matter at all, of some urgency.
    pub fn none(priority: Priority) -> Self {
        Self { kind: Vec::new(), problem: None, effect: None, feedback: Vec::new(), priority, why: Vec::new() }
    }
}

/// What a problem is on a ticket, the gravest last: what `ticket.fault_kind` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// The customer's own doing.
    Own,
    /// Nobody can tell yet.
    Unclear,
    /// A fault that can be lived with.
    Hinders,
    /// A fault by which something stands still.
    Prevents,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Own, Self::Unclear, Self::Hinders, Self::Prevents];

    /// The stable word, as in SQL and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Unclear => "unclear",
            Self::Hinders => "hinders",
            Self::Prevents => "prevents",
        }
    }

    /// The fault of a stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.as_str() == word)
    }
}

impl Triage {
    /// What its problem is on a ticket.
    pub fn fault(&self) -> Option<Fault> {
        Some(match (self.problem?, self.effect) {
            (ProblemKind::Own, _) => Fault::Own,
            (ProblemKind::Unclear, _) => Fault::Unclear,
            (ProblemKind::Fault, Some(Effect::Prevents)) => Fault::Prevents,
            (ProblemKind::Fault, _) => Fault::Hinders,
        })
    }
}

/// Kind and urgency of a ticket as a whole, as people and tools see them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Kinds, without repeats, in the order of the enum.
    pub kind: Vec<MatterKind>,
    /// What its problem is.
    pub fault: Option<Fault>,
    /// What its feedback says, without repeats, in the order of the enum.
    pub feedback: Vec<FeedbackKind>,
    /// Urgency; `None` where nothing is on it that has any.
    pub priority: Option<Priority>,
}

impl Verdict {
    /// Takes in what a message brings, and the urgency that it gives.
    pub fn add(&mut self, triage: &Triage, urgency: Priority) {
        self.kind.extend(&triage.kind);
        self.fault = self.fault.max(triage.fault());
        self.feedback.extend(&triage.feedback);
        self.priority = self.priority.max(Some(urgency));
        self.kind.sort();
        self.kind.dedup();
        self.feedback.sort();
        self.feedback.dedup();
    }

    /// What an agent said stands over all of it.
    pub fn heed(&mut self, said: &Classified) {
        if let Some(kind) = &said.kind {
            (self.kind, self.fault, self.feedback) = (kind.clone(), said.fault, said.feedback.clone());
        }
        self.priority = said.priority.or(self.priority);
    }
}

/// What an agent said of a ticket: it stands over what the words say, until he takes it back. Of two the later stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classified {
    /// When.
    pub at: Timestamp,
    /// Its place in the journal: of two of one instant the greater stands.
    pub act: EventId,
    /// Who.
    #[serde(default)]
    pub by: String,
    /// The kinds, if he said anything of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Vec<MatterKind>>,
    /// What the problem is; only with kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// What the feedback says; only with kinds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feedback: Vec<FeedbackKind>,
    /// The urgency, if he said anything of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
}

impl Classified {
    /// The later of two.
    pub fn later(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        [one, other].into_iter().flatten().max_by_key(|each| (each.at, each.act))
    }
}

/// What raises urgency beside the words (`[urgency]` in the configuration).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Urgency {
    /// Mail domains whose problems are high, each with the name by which that is said: the domain, or a contract's name.
    pub raised: BTreeMap<String, String>,
    /// Whether a problem is high that somebody comes back with on an open ticket.
    pub came_back: bool,
    /// Messages of one customer in a row without an answer, from which on the ticket is high; 0 is never.
    pub unanswered: u32,
}
