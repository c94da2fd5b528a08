//! The clocks of a ticket, out of what happened on it.
//!
//! A function of the happenings alone: whatever order they came in, and whichever tickets they came from before these
//! were joined, the same happenings make the same clocks. So nothing is stopped, started or moved; clocks are made anew.
//!
//! - **First answer** runs from the first thing asked until the desk answers or closes. A ticket on which the desk
//!   spoke first has none. Closing without an answer ends it: the desk says that nothing is left to be done.
//! - **Next answer** runs, once the first answer was given or is not owed, from the first of some things asked in a row
//!   until the desk answers or closes, each time as a round of its own. Its target is that of the channel on which the
//!   first of them was asked: within one ticket, a chat is answered as a chat and a mail as a mail.
//! - **Solution** runs from the first thing asked until the closing that stands. It pauses from when the desk waits for
//!   the customer until it no longer does, until he says something, or until the ticket is closed. A closing that does
//!   not stand, because the ticket was reopened or he asked again, is a pause too: it runs on from there.
//!
//! Answers do not pause: a desk that has not answered is not waiting for the customer, whatever its tool says, and one
//! that has answered has no such clock running. To wait for the customer on a closed ticket means nothing.
//!
//! Asked means reopened: whoever gathers the happenings leaves out what a customer said without wanting anything (a
//! thank-you that left the ticket closed), and gives `Reopened` at the time of the merge for a ticket that stays open
//! with the happenings of a closed one.

use crate::pure::domain::Timestamp;
use crate::pure::domain::clock::{Clock, ClockKind, Happened, Happening, Targets};
use crate::pure::domain::hours::Hours;
use std::time::Duration;

/// The clocks of a ticket by kind and round, those without a target left out.
pub fn clocks(happenings: &[Happening], targets: &Targets, hours: &Hours) -> Vec<Clock> {
    let mut in_order: Vec<&Happening> = happenings.iter().collect();
    in_order.sort_unstable();
    let mut course = Course::default();
    for happening in in_order {
        course.goes_on(happening);
    }
    let runs = course.answers.iter().chain(&course.solution);
    let mut clocks: Vec<Clock> = runs.filter_map(|run| run.clock(targets, hours)).collect();
    clocks.sort_unstable_by_key(|clock| (clock.kind, clock.round));
    clocks
}

/// The course of a ticket so far.
#[derive(Default)]
struct Course {
    /// The waits for answers; the last may be under way.
    answers: Vec<Run>,
    /// The wait for the solution.
    solution: Option<Run>,
    /// Whether the desk has answered anything.
    is_answered: bool,
    /// Whether the desk closed the ticket.
    is_closed: bool,
}

impl Course {
    fn goes_on(&mut self, Happening { at, what, channel }: &Happening) {
        match what {
            Happened::Asked => {
                self.is_closed = false;
                if self.answers.last().is_none_or(|run| run.ended_at.is_some()) {
                    self.answers.push(self.awaited_answer(*at, channel.as_deref()));
                }
                let begun = || Run::new(ClockKind::Solution, 1, *at, channel.as_deref());
                self.solution.get_or_insert_with(begun).run(*at);
            }
            Happened::Answered => {
                self.is_answered = true;
                self.end_answer(*at);
            }
            Happened::Awaited if !self.is_closed => {
                if let Some(run) = &mut self.solution {
                    run.pause(*at);
                }
            }
            Happened::Closed if !self.is_closed => {
                self.is_closed = true;
                self.end_answer(*at);
                if let Some(run) = &mut self.solution {
                    run.end(*at);
                }
            }
            Happened::Reopened | Happened::Resumed if (*what == Happened::Reopened) == self.is_closed => {
                self.is_closed = false;
                if let Some(run) = &mut self.solution {
                    run.run(*at);
                }
            }
            // What is so already.
            Happened::Awaited | Happened::Closed | Happened::Reopened | Happened::Resumed => {}
        }
    }

    /// The wait for an answer that begins with something asked.
    fn awaited_answer(&self, at: Timestamp, channel: Option<&str>) -> Run {
        let is_first = !self.is_answered && self.answers.is_empty();
        let round = self.answers.iter().filter(|run| run.kind == ClockKind::NextAnswer).count() + 1;
        match is_first {
            true => Run::new(ClockKind::FirstAnswer, 1, at, channel),
            false => Run::new(ClockKind::NextAnswer, i32::try_from(round).unwrap_or(i32::MAX), at, channel),
        }
    }

    fn end_answer(&mut self, at: Timestamp) {
        if let Some(run) = self.answers.last_mut().filter(|run| run.ended_at.is_none()) {
            run.end(at);
        }
    }
}

/// A wait: when it ran.
struct Run {
    kind: ClockKind,
    round: i32,
    /// By which the first thing was asked.
    channel: Option<String>,
    started_at: Timestamp,
    /// When it ran, over and done with.
    ran: Vec<(Timestamp, Timestamp)>,
    /// Since when it runs.
    running_since: Option<Timestamp>,
    paused_since: Option<Timestamp>,
    ended_at: Option<Timestamp>,
}

impl Run {
    fn new(kind: ClockKind, round: i32, at: Timestamp, channel: Option<&str>) -> Self {
        let (ran, running_since, channel) = (Vec::new(), Some(at), channel.map(str::to_owned));
        Self { kind, round, channel, started_at: at, ran, running_since, paused_since: None, ended_at: None }
    }

    fn run(&mut self, at: Timestamp) {
        self.running_since.get_or_insert(at);
        (self.paused_since, self.ended_at) = (None, None);
    }

    fn stop(&mut self, at: Timestamp) {
        self.ran.extend(self.running_since.take().map(|since| (since, at)));
    }

    fn pause(&mut self, at: Timestamp) {
        self.stop(at);
        self.paused_since.get_or_insert(at);
    }

    fn end(&mut self, at: Timestamp) {
        self.stop(at);
        (self.paused_since, self.ended_at) = (None, Some(at));
    }

    /// The clock, if there is a target.
    fn clock(&self, targets: &Targets, hours: &Hours) -> Option<Clock> {
        let target = match self.kind {
            ClockKind::FirstAnswer => targets.first_answer,
            ClockKind::NextAnswer => targets.next_answer_on(self.channel.as_deref()),
            ClockKind::Solution => targets.solution,
        }?;
        let ran: Vec<Duration> = self.ran.iter().map(|(from, to)| hours.worked(*from, *to)).collect();
        let warns = (1..100).contains(&targets.warn_percent);
        let warned = target.saturating_mul(u32::from(targets.warn_percent)) / 100;
        Some(Clock {
            kind: self.kind,
            round: self.round,
            channel: self.channel.clone(),
            started_at: self.started_at,
            target,
            worked: self.running_since.is_none().then(|| ran.iter().sum()),
            due_at: self.used_up(&ran, target, hours),
            warn_at: warns.then(|| self.used_up(&ran, warned, hours)).flatten(),
            paused_since: self.paused_since,
            ended_at: self.ended_at,
        })
    }

    /// When some service time is used up, given what passed of it each time that the clock ran: then, if it was; else as
    /// the clock runs on from where it is. A pause is of unknown length.
    fn used_up(&self, ran: &[Duration], allowed: Duration, hours: &Hours) -> Option<Timestamp> {
        let mut left = allowed;
        for ((from, _), worked) in self.ran.iter().zip(ran) {
            if left <= *worked {
                return hours.after(*from, left);
            }
            left -= *worked;
        }
        hours.after(self.running_since.or(self.ended_at)?, left)
    }
}
