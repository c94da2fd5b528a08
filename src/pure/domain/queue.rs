//! Queues: who is to see a ticket, by the rules of the configuration or by an agent's word.
//!
//! Each message finds, when it is read, the queues that it could lead to ([`Candidate`]). A ticket is in that which the earliest
//! customer's message with a kind of matter leads to, else its first message: so that a greeting is routed again by what
//! follows it. An agent's word stands over both.
//!
//! **Invariant:** of all that is said of a ticket's queue the same stands in whatever order it comes.

use super::Timestamp;
use super::id::MessageId;
use super::phrases::Phrases;
use super::service::Like;
use super::ticket::{MatterKind, Priority};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The rules of the configuration.
#[derive(Debug, Clone, Default)]
pub struct Routing {
    /// Where goes what no rule is for.
    pub default: String,
    /// In the order in which they are held against a message.
    pub rules: Vec<Rule>,
    /// Queues that only people put tickets into.
    pub others: Vec<String>,
}

impl Routing {
    /// All queues, by name.
    pub fn queues(&self) -> BTreeSet<&str> {
        let ruled = self.rules.iter().map(|rule| rule.queue.as_str());
        ruled.chain(self.others.iter().map(String::as_str)).chain([self.default.as_str()]).collect()
    }
}

/// A rule: what fits all of its conditions goes to its queue. A condition that names nothing fits everything.
#[derive(Debug, Clone, Default)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Where it leads.
    pub queue: String,
    /// Any of these channels, by name.
    pub channels: Vec<String>,
    /// Any of these kinds of channels.
    pub like: Vec<Like>,
    /// It was written to any of these addresses, or called on any of these numbers.
    pub to: Vec<WrittenTo>,
    /// Its sender, or whoever it turns out to be from, is of any of these firms: domains.
    pub organisations: BTreeSet<String>,
    /// It brings a matter of any of these kinds.
    pub kinds: Vec<MatterKind>,
    /// It brings none of any of these.
    pub without_kinds: Vec<MatterKind>,
    /// It is so urgent.
    pub priorities: Vec<Priority>,
    /// It is written in any of these languages (ISO 639-1).
    pub languages: Vec<String>,
    /// Any of these stand in it; `None` for a rule that names none.
    pub words: Option<Phrases>,
}

/// An address of the desk's, as a rule names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrittenTo {
    /// One address, in lower case.
    Address(String),
    /// All of a domain.
    Domain(String),
    /// A telephone number (E.164), or an extension as the call log writes it.
    Number(String),
}

/// A queue that a message leads to if nothing before it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The queue.
    #[serde(rename = "q")]
    pub queue: String,
    /// The rule; `None` where no rule is for the message.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Only if its sender is of one of the rule's firms, which his message does not tell.
    #[serde(rename = "o", default, skip_serializing_if = "std::ops::Not::not")]
    pub by_organisation: bool,
}

/// What a message is worth where the queue of its ticket is told: the least counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// A customer brings a matter of some kind.
    Matter,
    /// A customer says something: a greeting, a call without words.
    Customers,
    /// It is the desk's, or automatic.
    Rest,
}

/// Where a message leads its ticket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ruled {
    /// What it is worth.
    pub weight: Weight,
    /// Event time.
    pub at: Timestamp,
    /// The message.
    pub message: MessageId,
    /// The queue.
    pub queue: String,
    /// The rule; `None` where no rule is for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// That somebody put a ticket into a queue. Of two the later one stands, whichever is told first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Put {
    /// When.
    pub at: Timestamp,
    /// The queue.
    pub queue: String,
}

/// In which queue a ticket is, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// Where its messages lead it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruled: Option<Ruled>,
    /// Where somebody put it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub put: Option<Put>,
}

impl Queued {
    /// The queue; `None` of a ticket that is older than queues.
    pub fn queue(&self) -> Option<&str> {
        let put = self.put.as_ref().map(|put| put.queue.as_str());
        put.or_else(|| self.ruled.as_ref().map(|ruled| ruled.queue.as_str()))
    }

    /// Where a message leads it. Says whether that stands now.
    pub fn rule(&mut self, ruled: &Ruled) -> bool {
        let stands = self.ruled.as_ref().is_none_or(|before| ruled < before);
        if stands {
            self.ruled = Some(ruled.clone());
        }
        stands
    }

    /// Somebody puts it elsewhere.
    pub fn put(&mut self, put: Put) {
        self.put = self.put.take().max(Some(put));
    }

    /// Of two tickets that are one.
    pub fn join(&mut self, other: &Self) {
        if let Some(ruled) = &other.ruled {
            self.rule(ruled);
        }
        if let Some(put) = &other.put {
            self.put(put.clone());
        }
    }
}
