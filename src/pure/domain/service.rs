//! What the desk has promised, to whom: service hours, targets by rule, contracts.

use super::clock::{Clock, ClockKind, Targets};
use super::hours::Hours;
use super::ticket::{MatterKind, Priority};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// What people expect of a kind of channel, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Like {
    /// One writes, and waits for the answer.
    Chat,
    /// One writes, and looks later.
    Mail,
    /// One calls, and wants to be called back.
    Call,
}

impl Like {
    /// The stable word, as in the configuration and in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Mail => "mail",
            Self::Call => "call",
        }
    }
}

/// What holds for one tenant's tickets.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// When the desk is there, for whoever has no contract with hours of its own.
    pub hours: Arc<Hours>,
    /// The share of a target after which it is warned, in percent.
    pub warn_percent: u8,
    /// Rules in order: for each clock the first that fits and speaks of it holds.
    pub rules: Vec<TargetRule>,
    /// Contracts by name.
    pub contracts: Vec<Contract>,
}

/// What was promised to some customers in particular.
#[derive(Debug, Clone, PartialEq)]
pub struct Contract {
    /// Its name in the configuration.
    pub name: String,
    /// The domains of those it is with.
    pub organisations: Vec<String>,
    /// When the desk is there for them.
    pub hours: Arc<Hours>,
    /// Rules that hold before the general ones.
    pub rules: Vec<TargetRule>,
}

/// A rule of how long things may take.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TargetRule {
    /// Its name in the configuration; none for what a contract says of all.
    pub name: Option<String>,
    /// Which tickets it is about: empty lists are about all.
    pub when: When,
    /// Until the first answer; `None` says nothing of it.
    pub first_answer: Option<Goal>,
    /// Until each further one.
    pub next_answer: Option<Goal>,
    /// Until it is closed.
    pub solution: Option<Goal>,
}

impl TargetRule {
    /// What it says of a clock, if anything.
    pub fn goal(&self, clock: ClockKind) -> Option<Goal> {
        match clock {
            ClockKind::FirstAnswer => self.first_answer,
            ClockKind::NextAnswer => self.next_answer,
            ClockKind::Solution => self.solution,
        }
    }
}

/// Which tickets a rule is about: those that fit every list which is not empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When {
    /// Configured channels, by name.
    pub channels: Vec<String>,
    /// Kinds of channels, by name.
    pub channel_kinds: Vec<String>,
    /// What the channel is like.
    pub like: Vec<Like>,
    /// Kinds of matter: the ticket has one of them.
    pub kinds: Vec<MatterKind>,
    /// Urgencies.
    pub priorities: Vec<Priority>,
    /// Contracts, by name.
    pub contracts: Vec<String>,
}

/// What a rule says of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Nothing is promised.
    None,
    /// So much service time.
    Within(Duration),
}

impl Goal {
    /// The target, if one is set.
    pub fn target(self) -> Option<Duration> {
        match self {
            Self::None => None,
            Self::Within(target) => Some(target),
        }
    }
}

/// What of a ticket decides which targets hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Features {
    /// The channels that customers used on it, in the order of their first message there, by arrival. The first decides
    /// on the first answer and the solution, each on the answers to what came by it.
    pub channels: Vec<ChannelFeatures>,
    /// Kinds of matter.
    pub kinds: Vec<MatterKind>,
    /// Urgency.
    pub priority: Option<Priority>,
    /// Mail domains of its customers, by what is proven of them, whoever opened it first. An address that may be
    /// forged is not among them: it would buy somebody another's contract.
    pub organisations: Vec<String>,
}

/// A channel as targets see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelFeatures {
    /// Its name.
    pub name: String,
    /// Its kind's name.
    pub kind: String,
    /// What it is like; `None` for a kind that is not known any more.
    pub like: Option<Like>,
}

/// Which targets hold for a ticket.
#[derive(Debug, Clone, PartialEq)]
pub struct Promise<'a> {
    /// How long things may take.
    pub targets: Targets,
    /// In which time that is counted.
    pub hours: &'a Hours,
    /// The contract, if there is one.
    pub contract: Option<&'a str>,
    /// Which rule said what of each clock; a next answer once for each channel.
    pub why: Vec<Said<'a>>,
}

impl Promise<'_> {
    /// Which rule set the target of a clock.
    pub fn said_of(&self, clock: &Clock) -> Option<&Said<'_>> {
        let is_of = |said: &&Said<'_>| {
            said.clock == clock.kind && said.channel.is_none_or(|name| Some(name) == clock.channel.as_deref())
        };
        self.why.iter().find(is_of)
    }
}

/// What a rule said of a clock.
#[derive(Debug, Clone, PartialEq)]
pub struct Said<'a> {
    /// The clock.
    pub clock: ClockKind,
    /// The channel, for a next answer.
    pub channel: Option<&'a str>,
    /// The rule's name; `None` where the contract itself says it.
    pub rule: Option<&'a str>,
    /// Whether the rule is of the contract.
    pub by_contract: bool,
    /// What it said.
    pub goal: Goal,
}
