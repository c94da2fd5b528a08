//! Clocks: what a desk promises about time, and how far it has come on one ticket.

use super::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// What is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockKind {
    /// The first thing that a customer says is answered.
    FirstAnswer,
    /// What he says later is answered: a round for each time that he waits.
    NextAnswer,
    /// The matter is closed.
    Solution,
}

impl ClockKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::FirstAnswer, Self::NextAnswer, Self::Solution];

    /// The stable word, as in SQL and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FirstAnswer => "first_answer",
            Self::NextAnswer => "next_answer",
            Self::Solution => "solution",
        }
    }

    /// The kind of a stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What happened on a ticket, as clocks see it. Their order is that of what happened at one instant: who answers and
/// closes at once has answered first, who asks on a closed ticket finds it closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Happened {
    /// A customer said something that wants an answer, or called: nothing automatic, no receipt, no reaction.
    Asked,
    /// An agent said something to the customer, or took his call: no note, nothing automatic.
    Answered,
    /// From here on the desk waits for the customer.
    Awaited,
    /// It does so no longer.
    Resumed,
    /// The desk closed the ticket.
    Closed,
    /// It is open again.
    Reopened,
}

/// One thing that happened on a ticket. Times are those of arrival (DESIGN 2): nobody's clock but our own is believed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Happening {
    /// When lanka had it.
    pub at: Timestamp,
    /// What.
    pub what: Happened,
    /// The channel it came by, where something was said.
    pub channel: Option<String>,
}

/// How long things may take on one ticket, in service time; `None` promises nothing, and there is no clock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets {
    /// Until the first answer.
    pub first_answer: Option<Duration>,
    /// Until each further one, on channels not named in `next_on`.
    pub next_answer: Option<Duration>,
    /// The same on channels of the ticket, by their names: one may hold a chat and a mail.
    pub next_on: BTreeMap<String, Option<Duration>>,
    /// Until it is closed.
    pub solution: Option<Duration>,
    /// The share of a target after which it is warned, in percent; 100 never warns, for the breach is said anyway.
    pub warn_percent: u8,
}

impl Targets {
    /// How long the next answer to something asked may take.
    pub fn next_answer_on(&self, channel: Option<&str>) -> Option<Duration> {
        channel.and_then(|channel| self.next_on.get(channel)).copied().unwrap_or(self.next_answer)
    }
}

/// One clock of a ticket: a row of `ticket_clock`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// What is promised.
    pub kind: ClockKind,
    /// Which time of it, from 1.
    pub round: i32,
    /// The channel by which the customer said what it began with.
    pub channel: Option<String>,
    /// When the customer began to wait.
    pub started_at: Timestamp,
    /// The service time that it may take.
    pub target: Duration,
    /// The service time that it took, or took until it was paused; `None` while it runs.
    pub worked: Option<Duration>,
    /// When the target is, or was, used up; of what ended before that, when it would have been. `None` while it is
    /// paused with some of it left, and if the calendar never comes so far.
    pub due_at: Option<Timestamp>,
    /// The same of the share after which it is warned.
    pub warn_at: Option<Timestamp>,
    /// Since when the customer is waited for.
    pub paused_since: Option<Timestamp>,
    /// When it was done.
    pub ended_at: Option<Timestamp>,
}

/// How a clock stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClockState {
    /// The desk has time left.
    Running,
    /// The customer is waited for.
    Paused,
    /// It was done in time.
    Met,
    /// The target was used up before it was done.
    Breached,
}

impl ClockState {
    /// The stable word, as on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Met => "met",
            Self::Breached => "breached",
        }
    }

    /// How a clock with these times stands. Who is done at the very instant at which the target is used up has met it.
    pub fn of(
        due_at: Option<Timestamp>,
        paused_since: Option<Timestamp>,
        ended_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        match (due_at, ended_at) {
            (Some(due), Some(ended)) if due < ended => Self::Breached,
            (_, Some(_)) => Self::Met,
            (Some(due), None) if due <= now => Self::Breached,
            _ if paused_since.is_some() => Self::Paused,
            _ => Self::Running,
        }
    }
}

impl Clock {
    /// How it stands.
    pub fn state(&self, now: Timestamp) -> ClockState {
        ClockState::of(self.due_at, self.paused_since, self.ended_at, now)
    }
}
