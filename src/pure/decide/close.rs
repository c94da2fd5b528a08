//! The desk closed a conversation, or opened it again → whether its ticket is closed, or open, with that.
//!
//! A matter over several channels is one ticket with a conversation on each, whoever takes part in it there. The ticket is closed
//! when all of them are, at the time of the last closing; a customer's word after the closing of his conversation opens that
//! one again, and so does the desk. The outcome is the same in whatever order the closings come.

use crate::pure::domain::Timestamp;
use crate::pure::domain::decision::Placement;
use crate::pure::domain::facts::{Facts, Said, Talk};
use crate::pure::domain::id::TicketId;
use crate::pure::domain::message::Message;
use crate::pure::domain::ticket::TicketState;
use std::collections::BTreeMap;

/// Where a conversation stands.
#[derive(Debug, Default)]
struct State {
    /// The customer's last word, or the last time that the desk opened it again.
    last_at: Option<Timestamp>,
    /// The last closing.
    closed_at: Option<Timestamp>,
}

impl State {
    fn is_open(&self) -> bool {
        self.last_at.is_some_and(|last| self.closed_at.is_none_or(|closed| closed < last))
    }
}

/// Closes the conversation of a message, and with the last one its ticket.
pub fn close(message: &Message, said: &Said, facts: &Facts) -> Placement {
    let Some(known) = said.ticket.and_then(|ticket| facts.ticket(ticket)) else { return Placement::None };
    let ticket = known.ticket.id;
    let closing = at(message, said);
    let conversations = conversations(ticket, facts, None, Some(&closing));
    let is_over = !conversations.values().any(State::is_open);
    let last = conversations.values().filter_map(|state| state.closed_at).max();
    match last.filter(|_| is_over && known.ticket.state == TicketState::Open) {
        Some(at) => Placement::Close { ticket, at },
        None => Placement::Join(ticket),
    }
}

/// Opens the conversation of a message again, and with it its ticket.
pub fn reopen(message: &Message, said: &Said, facts: &Facts) -> Placement {
    let Some(known) = said.ticket.and_then(|ticket| facts.ticket(ticket)) else { return Placement::None };
    let ticket = known.ticket.id;
    let opening = at(message, said);
    let is_open = conversations(ticket, facts, Some(&opening), None).values().any(State::is_open);
    match is_open && known.ticket.state == TicketState::Closed {
        true => Placement::Reopen(ticket),
        false => Placement::Join(ticket),
    }
}

/// What was done, in the conversation of the message that it is on.
fn at(message: &Message, said: &Said) -> Talk {
    Talk { at: message.occurred_at, ..said.talk.clone() }
}

/// The conversations of a ticket, each by its channel, with what is done in one of them now.
fn conversations<'a>(
    ticket: TicketId,
    facts: &'a Facts,
    opening: Option<&'a Talk>,
    closing: Option<&'a Talk>,
) -> BTreeMap<&'a str, State> {
    let mut conversations: BTreeMap<&str, State> = BTreeMap::new();
    for talk in talks(ticket, facts).chain(opening) {
        let state = conversations.entry(talk.channel.as_str()).or_default();
        state.last_at = state.last_at.max(Some(talk.at));
    }
    let earlier = facts.closings.iter().filter(|(of, _)| facts.ticket_now(*of) == ticket).map(|(_, talk)| talk);
    for talk in earlier.chain(closing) {
        let state = conversations.entry(talk.channel.as_str()).or_default();
        state.closed_at = state.closed_at.max(Some(talk.at));
    }
    conversations
}

/// Customers' words on a ticket, and when the desk opened it again.
fn talks(ticket: TicketId, facts: &Facts) -> impl Iterator<Item = &Talk> {
    let stored = facts.talks.iter().filter(move |(of, _)| facts.ticket_now(*of) == ticket).map(|(_, talk)| talk);
    let is_of = move |said: &&Said| said.is_customers && said.ticket.is_some_and(|of| facts.ticket_now(of) == ticket);
    stored.chain(facts.said.values().filter(is_of).map(|said| &said.talk))
}
