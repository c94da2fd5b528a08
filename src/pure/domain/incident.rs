//! Incidents: one thing that many speak of at once, and what is looked at to find them.

use super::Timestamp;
use super::id::{ContactId, IncidentId, MessageId, TicketId};
use super::phrases::Phrases;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Whom an incident is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentSort {
    /// Several customers.
    Customers,
    /// Several people of one organisation, by its domain.
    Organisation(String),
}

impl IncidentSort {
    /// The stable word, as in SQL and on the wire.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Organisation(_) => "organisation",
        }
    }

    /// The organisation, where it is of one.
    pub fn organisation(&self) -> Option<&str> {
        match self {
            Self::Customers => None,
            Self::Organisation(domain) => Some(domain),
        }
    }
}

/// Something heard within the window: what a customer said, or an alert.
#[derive(Debug, Clone)]
pub struct Utterance {
    /// The message.
    pub message: MessageId,
    /// Its ticket.
    pub ticket: TicketId,
    /// Who said it.
    pub contact: ContactId,
    /// The firm he writes for: a domain at which not anybody has an address.
    pub organisation: Option<String>,
    /// When it was stored.
    pub at: Timestamp,
    /// What it speaks of: words, topics, and what `[incidents.words]` sums up.
    pub terms: BTreeSet<String>,
    /// It says that something does not work.
    pub is_trouble: bool,
    /// Of an answer the bare subject: many answers to one mailing say one thing.
    pub echo: Option<String>,
    /// A monitoring system said it.
    pub is_alert: bool,
    /// An alert that was resolved since.
    pub is_over: bool,
    /// The incident that its ticket is on already.
    pub incident: Option<IncidentId>,
}

/// How often terms are said when nothing is the matter: decayed counts of contacts.
#[derive(Debug, Clone, Default)]
pub struct Usual {
    /// Contacts counted.
    pub contacts: f64,
    /// Of them, those who said a term.
    pub of_terms: BTreeMap<String, f64>,
}

/// An incident that is open.
#[derive(Debug, Clone)]
pub struct OpenIncident {
    /// Its id.
    pub id: IncidentId,
    /// Whom it is of.
    pub sort: IncidentSort,
    /// The terms that carry it.
    pub terms: BTreeSet<String>,
    /// When the first of its contacts came.
    pub began_at: Timestamp,
    /// When the last one came.
    pub last_at: Timestamp,
    /// Alerts on it, and how many of these are resolved.
    pub alerts: usize,
    /// See `alerts`.
    pub alerts_over: usize,
}

/// When something is an incident: `[incidents]`.
#[derive(Debug, Clone)]
pub struct OutageRules {
    /// How far back is looked.
    pub window: Duration,
    /// Different customers, at the least.
    pub customers_min: usize,
    /// The same beside an alert that speaks of it too.
    pub with_alert_min: usize,
    /// Different people of one organisation, at the least; `None` does not look for it.
    pub colleagues_min: Option<usize>,
    /// How much more than chance: the natural logarithm of one against so many.
    pub surprise_min: f64,
    /// Contacts that must have been heard of before anything is found to be unusual.
    pub contacts_min: f64,
    /// Without a further contact for so long, and no alert that stands, it is over.
    pub quiet: Duration,
}

/// When a customer comes again and again: `[incidents]`.
#[derive(Debug, Clone, Copy)]
pub struct AgainRules {
    /// From which time on that he comes.
    pub times_min: usize,
    /// Within how long.
    pub within: Duration,
}

/// `[incidents]`, for those who look for them.
#[derive(Debug, Clone)]
pub struct IncidentPolicy {
    /// Whether outages are looked for.
    pub outages: bool,
    /// When something is one.
    pub rules: OutageRules,
    /// The same customer on the same thing; `None` does not look for it.
    pub again: Option<AgainRules>,
    /// Words that are listened for.
    pub words: IncidentWords,
}

/// Words that are listened for.
#[derive(Debug, Clone)]
pub struct IncidentWords {
    /// Words that stand for one thing, by its name.
    pub groups: Vec<(String, Phrases)>,
    /// By these something does not work, whatever else is thought of the message.
    pub trouble: Phrases,
}

/// What follows from what was heard.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// Something is the matter.
    Begins {
        /// Whom it is of.
        sort: IncidentSort,
        /// What carries it, the most telling first.
        terms: Vec<String>,
        /// Positions of what belongs to it.
        heard: Vec<usize>,
        /// How many different customers, or colleagues.
        count: usize,
        /// How many of them would be usual.
        expected: f64,
    },
    /// It belongs to an incident that is known.
    Joins {
        /// Its position.
        heard: usize,
        /// Which.
        incident: IncidentId,
        /// The term that says so.
        term: String,
    },
}

/// Why an incident is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Nothing more was heard.
    Quiet,
    /// Its alerts are resolved.
    Resolved,
}

impl Over {
    /// The stable word, as in SQL and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Resolved => "resolved",
        }
    }
}
