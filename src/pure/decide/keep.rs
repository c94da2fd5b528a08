//! All that was said and done on one ticket → what is kept of it beside: its clocks, and what its customers are told.
//!
//! A function of the rows as they stand now. Whatever was joined, moved or came late, the same rows give the same: so it
//! is called again whenever a ticket changes, and when the next of its clocks runs out.
//!
//! **Times** of clocks are those of arrival (DESIGN 2); of history, which arrived when somebody read it in, those that its
//! servers vouch for. How old something is goes by the latter throughout: an old mailbox is not news.

use super::clock::clocks;
use super::dust::wait;
use super::language::language;
use super::notice::{Answered, Asked, Desk, Notice, Situation, notices};
use super::targets::targets;
use crate::pure::domain::Timestamp;
use crate::pure::domain::answer::{Heard, Way};
use crate::pure::domain::clock::{Clock, ClockKind, ClockState, Happened, Happening};
use crate::pure::domain::dust::Wait;
use crate::pure::domain::id::{ContactId, MessageId, TicketId};
use crate::pure::domain::message::{CallOutcome, Direction};
use crate::pure::domain::notice::{Given, Notices};
use crate::pure::domain::service::{ChannelFeatures, Features, Like, Service};
use crate::pure::domain::ticket::{MatterKind, Owner, Priority};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// One message on a ticket, without its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which.
    pub id: MessageId,
    /// Who said it.
    pub direction: Direction,
    /// The configured channel.
    pub channel: String,
    /// Its kind.
    pub kind: String,
    /// When it arrived; of history, when a server that we trust had it.
    pub at: Timestamp,
    /// When a server that we trust had it.
    pub trusted_at: Timestamp,
    /// No person wrote it.
    pub is_automatic: bool,
    /// It is for colleagues.
    pub is_note: bool,
    /// It says what somebody wants, or is an answer: more than a greeting or a thank-you.
    pub says_something: bool,
    /// How it ended, if it was a call.
    pub call: Option<CallOutcome>,
    /// Whose it is, or to whom it went.
    pub contact: Option<ContactId>,
    /// It came as history.
    pub is_imported: bool,
}

impl Line {
    pub(super) fn is_customers(&self) -> bool {
        self.direction == Direction::FromCustomer && !self.is_automatic
    }

    /// The desk spoke to the customer, or wrote to him.
    pub(super) fn is_answer(&self) -> bool {
        self.direction == Direction::FromAgent
            && !self.is_automatic
            && !self.is_note
            && self.call.is_none_or(|outcome| outcome == CallOutcome::Answered)
    }
}

/// The words of a message, as far as they are needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The writer's own.
    pub text: String,
    /// What the writer is called.
    pub name: Option<String>,
}

/// What was said aloud of a clock before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaidAloud {
    /// Which clock.
    pub kind: ClockKind,
    /// Which time of it.
    pub round: i32,
    /// When it was said that it runs out.
    pub warned_at: Option<Timestamp>,
    /// When it was said that it has.
    pub breached_at: Option<Timestamp>,
}

/// A clock as it is written down, with what was said aloud of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredClock {
    /// The clock.
    pub clock: Clock,
    /// When it was said that it runs out.
    pub warned_at: Option<Timestamp>,
    /// When it was said that it has.
    pub breached_at: Option<Timestamp>,
    /// The rule of the configuration that set its target.
    pub rule: Option<String>,
    /// The contract that its customer has.
    pub contract: Option<String>,
}

/// The rows of one ticket.
#[derive(Debug, Clone)]
pub struct Rows {
    /// Which.
    pub ticket: TicketId,
    /// The firm.
    pub tenant: String,
    /// Its number.
    pub number: i64,
    /// What it is called.
    pub title: String,
    /// Kinds of matter.
    pub kinds: Vec<MatterKind>,
    /// Urgency.
    pub priority: Priority,
    /// Who has it.
    pub owner: Option<Owner>,
    /// Since when the customer is waited for.
    pub awaited_since: Option<Timestamp>,
    /// When it was closed, if it is.
    pub closed_at: Option<Timestamp>,
    /// What was said on it.
    pub lines: Vec<Line>,
    /// What the desk did with it: closings, openings, waiting.
    pub acts: Vec<(Happened, Timestamp)>,
    /// Words of the first and last message of a customer, and of the last answer.
    pub words: HashMap<MessageId, Words>,
    /// What customers were told.
    pub given: Vec<Given>,
    /// What they said, as far as answering goes.
    pub heard: Vec<Heard>,
    /// Notices to each contact within the last hour, and acknowledgements by mail among them.
    pub told: Vec<(ContactId, u32, u32)>,
    /// Mail domains that are proven of its customers, by contact, in the order of their names.
    pub domains: Vec<(ContactId, String)>,
    /// What was said aloud of its clocks.
    pub said: Vec<SaidAloud>,
}

/// By what a ticket is kept.
#[derive(Clone, Copy)]
pub struct By<'a> {
    /// Hours and targets.
    pub service: &'a Service,
    /// What customers are told.
    pub notices: &'a Notices,
    /// What a kind of channel is like.
    pub like: &'a dyn Fn(&str) -> Option<Like>,
    /// Whether an address is one of ours.
    pub is_own: &'a dyn Fn(&str) -> bool,
    /// How channels can be answered.
    pub ways: &'a dyn Fn(&str) -> Option<Way>,
    /// The organisation whose mail a domain is.
    pub firm: &'a dyn Fn(&str) -> Option<String>,
    /// For how long an answer opens a closed ticket again, on a channel.
    pub reopens_for: &'a dyn Fn(&str) -> Duration,
    /// The time.
    pub now: Timestamp,
}

/// What is said aloud of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aloud {
    /// It runs out.
    Warned,
    /// It has run out.
    Breached,
}

/// What is kept of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Which.
    pub ticket: TicketId,
    /// Its clocks, as they are to be written down.
    pub clocks: Vec<StoredClock>,
    /// What is said aloud of them now.
    pub aloud: Vec<(Aloud, Clock)>,
    /// What customers are told now, or are not.
    pub notices: Vec<Notice>,
    /// When the desk first answered.
    pub first_response_at: Option<Timestamp>,
    /// When the next thing promised is due.
    pub next_due_at: Option<Timestamp>,
    /// When it was solved, if it is.
    pub solved_at: Option<Timestamp>,
    /// When it must be looked at although nothing happens.
    pub keep_at: Option<Timestamp>,
    /// What it waits for, while it is open.
    pub wait: Option<Wait>,
    /// When and on which channel a customer first said something.
    pub asked: Option<(Timestamp, String)>,
    /// For which organisation.
    pub organisation: Option<String>,
}

/// What is kept of a ticket with these rows.
pub fn keep(rows: &Rows, by: By<'_>) -> Kept {
    let mut lines: Vec<&Line> = rows.lines.iter().collect();
    lines.sort_by_key(|line| (line.at, line.id));
    let features = features(rows, &lines, by);
    let promise = targets(by.service, &features);
    let happenings = happenings(rows, &lines);
    let is_history = lines.iter().all(|line| line.is_imported);
    let (mut stored, mut aloud) = (Vec::new(), Vec::new());
    for clock in clocks(&happenings, &promise.targets, promise.hours) {
        let before = rows.said.iter().find(|before| (before.kind, before.round) == (clock.kind, clock.round));
        let (warned_at, breached_at, said) = say(&clock, before, by.now);
        aloud.extend(said.filter(|_| !is_history).map(|said| (said, clock.clone())));
        let rule = promise.said_of(&clock).and_then(|said| said.rule.map(str::to_owned));
        let contract = promise.contract.map(str::to_owned);
        stored.push(StoredClock { clock, warned_at, breached_at, rule, contract });
    }
    let running = || stored.iter().filter(|stored| stored.clock.ended_at.is_none());
    let answer_due = running().filter(|stored| stored.clock.kind != ClockKind::Solution).find_map(|s| s.clock.due_at);
    let next = running().flat_map(|StoredClock { clock, warned_at, breached_at, .. }| {
        let warn_at = clock.warn_at.filter(|_| warned_at.is_none() && breached_at.is_none());
        [warn_at, clock.due_at.filter(|_| breached_at.is_none())]
    });
    let keep_at = next.flatten().min();
    let next_due_at = running().filter_map(|stored| stored.clock.due_at).min();
    let situation = situation(rows, &lines, answer_due);
    let channel = lines.iter().rev().find(|line| line.is_customers()).map(|line| line.channel.as_str());
    let reopens_for = (by.reopens_for)(channel.unwrap_or_default());
    let desk = Desk {
        notices: by.notices,
        is_own: by.is_own,
        ways: by.ways,
        like: by.like,
        hours: promise.hours,
        reopens_for,
        now: by.now,
    };
    let asked_at = happenings.iter().filter(|happening| happening.what == Happened::Asked).map(|h| h.at).min();
    let answers = happenings.iter().filter(|h| h.what == Happened::Answered && asked_at.is_some_and(|at| h.at >= at));
    Kept {
        ticket: rows.ticket,
        first_response_at: answers.map(|answered| answered.at).min(),
        notices: notices(&situation, desk),
        clocks: stored,
        aloud,
        next_due_at,
        solved_at: rows.closed_at,
        keep_at,
        wait: wait(rows, &lines),
        asked: lines.iter().find(|line| line.is_customers()).map(|line| (line.at, line.channel.clone())),
        organisation: organisation(rows, &lines, by),
    }
}

/// The organisation of whoever of its customers spoke first and has one; else of any who takes part.
fn organisation(rows: &Rows, lines: &[&Line], by: By<'_>) -> Option<String> {
    let spoke = lines.iter().filter(|line| line.is_customers()).filter_map(|line| line.contact);
    let of = |contact| rows.domains.iter().filter(move |(of, _)| *of == contact);
    let mut in_order = spoke.flat_map(of).chain(&rows.domains);
    in_order.find_map(|(_, domain)| (by.firm)(domain))
}

/// Since when it is said of a clock that it runs out, and that it has; and what is said aloud now. Each once, until it stands
/// otherwise.
fn say(
    clock: &Clock,
    before: Option<&SaidAloud>,
    now: Timestamp,
) -> (Option<Timestamp>, Option<Timestamp>, Option<Aloud>) {
    let (warned, breached) = before.map_or((None, None), |before| (before.warned_at, before.breached_at));
    let is_breached = clock.state(now) == ClockState::Breached;
    let is_late = !is_breached && clock.ended_at.is_none() && clock.warn_at.is_some_and(|warn_at| warn_at <= now);
    let aloud = match (is_breached, is_late) {
        (true, _) if breached.is_none() => Some(Aloud::Breached),
        (_, true) if warned.is_none() => Some(Aloud::Warned),
        _ => None,
    };
    // What was said of it stays written as long as it is true.
    let warned_at = warned.filter(|_| clock.warn_at.is_some_and(|at| at <= now)).or(is_late.then_some(now));
    (warned_at, is_breached.then(|| breached.unwrap_or(now)), aloud)
}

/// What of it decides which targets hold.
fn features(rows: &Rows, lines: &[&Line], by: By<'_>) -> Features {
    let mut channels: Vec<ChannelFeatures> = Vec::new();
    for line in lines.iter().filter(|line| line.is_customers()) {
        if !channels.iter().any(|known| known.name == line.channel) {
            let like = (by.like)(&line.kind);
            channels.push(ChannelFeatures { name: line.channel.clone(), kind: line.kind.clone(), like });
        }
    }
    let organisations: BTreeSet<&String> = rows.domains.iter().map(|(_, domain)| domain).collect();
    let organisations = organisations.into_iter().cloned().collect();
    Features { channels, kinds: rows.kinds.clone(), priority: Some(rows.priority), organisations }
}

/// What happened on it, as clocks see it.
fn happenings(rows: &Rows, lines: &[&Line]) -> Vec<Happening> {
    let happening = |at, what, line: &Line| Happening { at, what, channel: Some(line.channel.clone()) };
    let mut happenings = Vec::with_capacity(lines.len() + rows.acts.len() + 1);
    let mut is_first = true;
    for line in lines {
        if line.is_customers() && (is_first || line.says_something) {
            is_first = false;
            happenings.push(happening(line.at, Happened::Asked, line));
            if line.call == Some(CallOutcome::Answered) {
                happenings.push(happening(line.at, Happened::Answered, line));
            }
        } else if line.is_answer() {
            happenings.push(happening(line.at, Happened::Answered, line));
        }
    }
    let act = |(what, at): &(Happened, Timestamp)| Happening { at: *at, what: *what, channel: None };
    happenings.extend(rows.acts.iter().map(act));
    match rows.closed_at {
        Some(at) => {
            // What was said before the closing may have arrived after it.
            let asked = happenings.iter().filter(|happening| happening.what == Happened::Asked);
            let at = asked.map(|asked| asked.at).chain([at]).max().unwrap_or(at);
            happenings.push(Happening { at, what: Happened::Closed, channel: None });
        }
        None => {
            // Something of another ticket that was joined into this one, or a closing that was taken back.
            let last = happenings.iter().filter(|h| h.what == Happened::Closed).map(|h| h.at).max();
            let is_open_again =
                |at| happenings.iter().any(|h| matches!(h.what, Happened::Asked | Happened::Reopened) && h.at >= at);
            if let Some(at) = last.filter(|at| !is_open_again(*at)) {
                happenings.push(Happening { at, what: Happened::Reopened, channel: None });
            }
        }
    }
    happenings
}

/// The ticket as notices see it.
fn situation(rows: &Rows, lines: &[&Line], due_at: Option<Timestamp>) -> Situation {
    let asked = |line: &&&Line| {
        let words = rows.words.get(&line.id);
        Asked {
            message: line.id,
            at: line.trusted_at,
            says_something: line.says_something || line.call.is_some(),
            is_imported: line.is_imported,
            language: words.and_then(|words| language(&words.text)),
            name: words.and_then(|words| words.name.clone()),
        }
    };
    let customers = || lines.iter().filter(|line| line.is_customers());
    let answered = lines.iter().rev().find(|line| line.is_answer()).map(|line| Answered {
        at: line.at,
        text: rows.words.get(&line.id).map(|words| words.text.clone()).unwrap_or_default(),
        to: line.contact,
    });
    let taken_call = customers().rev().find(|line| line.call == Some(CallOutcome::Answered));
    let taken_call = taken_call.map(|line| Answered { at: line.at, text: String::new(), to: line.contact });
    let named = |owner: &Owner| Some((owner.name.clone()?, owner.at));
    Situation {
        number: rows.number,
        title: rows.title.clone(),
        asked: customers().next().as_ref().map(asked).zip(customers().next_back().as_ref().map(asked)),
        answered: answered.into_iter().chain(taken_call).max_by_key(|answered| answered.at),
        owner: rows.owner.as_ref().and_then(named),
        awaited_since: rows.awaited_since,
        closed_at: rows.closed_at,
        given: rows.given.clone(),
        heard: rows.heard.clone(),
        told: rows.told.clone(),
        due_at,
    }
}
