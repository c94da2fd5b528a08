//! A report: what came in within a period, how soon it was seen to, and what came again and again.
//!
//! **What is counted:** tickets on which a customer first said something within the period, and promises about time that
//! began within it, as all of them stand at the moment of asking. So each ticket is in one month only, and a month that is
//! asked for again later tells how it ended.

use super::Timestamp;
use super::clock::ClockKind;
use super::period::Period;
use jiff::civil::Date;
use serde::{Serialize, Serializer};

/// Whose report is asked for, and of when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportOf {
    /// The firm.
    pub tenant: String,
    /// Of these customers alone, by the domains of their mail; empty: of all.
    pub organisations: Vec<String>,
    /// Of when.
    pub period: Period,
    /// Words of customers go with the feedback.
    pub with_texts: bool,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The firm.
    pub tenant: String,
    /// Of these customers alone; empty: of all.
    pub organisations: Vec<String>,
    /// Of when.
    #[serde(serialize_with = "written")]
    pub period: Period,
    /// Its first instant.
    pub from: Timestamp,
    /// The instant after its last.
    pub to: Timestamp,
    /// How things stood when it was made.
    pub as_of: Timestamp,
    /// Tickets.
    pub tickets: i64,
    /// Tickets of the period before, as long.
    pub tickets_before: i64,
    /// Of the tickets, those that are closed now.
    pub closed: i64,
    /// Of the tickets, those on which a customer came again about what he had said before.
    pub came_again: i64,
    /// Tickets by what they are: one may be several things.
    pub kinds: Vec<Count>,
    /// Tickets by what is the matter, where it is a problem.
    pub problems: Vec<Count>,
    /// Tickets by what the feedback says.
    pub feedback_kinds: Vec<Count>,
    /// Tickets by urgency.
    pub priorities: Vec<Count>,
    /// Tickets by the channel that they began on.
    pub channels: Vec<Count>,
    /// Tickets by day, the days without one left out.
    pub days: Vec<DayCount>,
    /// Tickets by customer, those with the most first; left out where customers were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub customers: Vec<CustomerCount>,
    /// How long things took, against what was promised.
    pub promises: Vec<Promised>,
    /// How long things took by the clock on the wall, promised or not.
    pub waits: Vec<Waited>,
    /// Promises that were not kept, the latest first. At most [`LINES_MAX`].
    pub breaches: Vec<Breach>,
    /// What several tickets are about, the most first.
    pub subjects: Vec<Subject>,
    /// Incidents that tickets of it are on.
    pub incidents: Vec<IncidentLine>,
    /// Tickets with feedback, the latest first. At most [`LINES_MAX`].
    pub feedback: Vec<Feedback>,
}

/// Lines of a list in a report.
pub const LINES_MAX: usize = 200;

fn written<S: Serializer>(period: &Period, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(period)
}

/// How many of a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The stable word, or a channel's name; `none` for tickets that are nothing of it.
    pub name: String,
    /// Tickets.
    pub tickets: i64,
}

/// How many on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DayCount {
    /// The day, in the desk's time zone.
    pub day: Date,
    /// Tickets.
    pub tickets: i64,
    /// Of them, problems.
    pub problems: i64,
}

/// How many of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerCount {
    /// By the domain of his mail; `None` for those with an address that anybody can have, all together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// Tickets.
    pub tickets: i64,
    /// Of them, problems.
    pub problems: i64,
    /// Of them, of high urgency.
    pub high: i64,
    /// Promises that were not kept.
    pub breaches: i64,
}

/// How one kind of promise was kept; times are service time, of those that are done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Promised {
    /// Of what.
    pub clock: ClockKind,
    /// How many were made.
    pub made: i64,
    /// Kept.
    pub met: i64,
    /// Not kept, done since or not.
    pub breached: i64,
    /// There is time left.
    pub running: i64,
    /// The customer is waited for.
    pub paused: i64,
    /// The shortest and the longest target, seconds.
    pub target_s: (i64, i64),
    /// Half of those done took no longer, seconds; `None` while none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median_s: Option<i64>,
    /// Nine of ten of those done took no longer, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p90_s: Option<i64>,
}

impl Promised {
    /// Kept, of those of which it is known, in percent; rounded down, so that all is all.
    pub fn kept_percent(&self) -> Option<i64> {
        let known = self.met + self.breached;
        (known > 0).then(|| self.met * 100 / known)
    }
}

/// How long something took by the clock on the wall, nights and holidays in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waited {
    /// For what.
    pub clock: ClockKind,
    /// Tickets on which it is done.
    pub done: i64,
    /// Half of them took no longer, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median_s: Option<i64>,
    /// Nine of ten of them took no longer, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p90_s: Option<i64>,
}

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Breach {
    /// The ticket.
    pub number: i64,
    /// What it is called.
    pub title: String,
    /// The customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// What was promised.
    pub clock: ClockKind,
    /// When the customer began to wait.
    pub started_at: Timestamp,
    /// When it was due.
    pub due_at: Timestamp,
    /// When it was done; `None` while it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Seconds of service time promised.
    pub target_s: i64,
    /// Seconds of service time beyond; `None` while it is not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_s: Option<i64>,
    /// Who has the ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// What several tickets are about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// Words by which it is known, the most telling first.
    pub words: Vec<String>,
    /// Tickets on it.
    pub tickets: usize,
    /// Different customers among them.
    pub customers: usize,
    /// Numbers of some of them, the latest first.
    pub numbers: Vec<i64>,
}

/// An incident as a report names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IncidentLine {
    /// Its number.
    pub number: i64,
    /// What carries it.
    pub terms: Vec<String>,
    /// When it began.
    pub began_at: Timestamp,
    /// When it was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Tickets of the report on it.
    pub tickets: i64,
}

/// A ticket with feedback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Feedback {
    /// The ticket.
    pub number: i64,
    /// What it is called.
    pub title: String,
    /// The customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// complaint, wish, praise.
    pub kinds: Vec<String>,
    /// When he said it first.
    pub at: Timestamp,
    /// By which channel.
    pub channel: String,
    /// The beginning of what he said, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}
