//! The desk closed a conversation → whether its ticket is closed with that.
//!
//! A matter over several channels is one ticket with a conversation on each, whoever takes part in it there. The ticket is closed when all of them are, at the time of the last closing; a customer's
//! word after the closing of his conversation opens that one again. The outcome is the same in whatever order
//! the closings come.

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
    /// The customer's last word.
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
    let mut conversations: BTreeMap<&str, State> = BTreeMap::new();
    for talk in talks(ticket, facts) {
        let state = conversations.entry(talk.channel.as_str()).or_default();
        state.last_at = state.last_at.max(Some(talk.at));
    }
    let closing = Talk { at: message.occurred_at, ..said.talk.clone() };
    let earlier = facts.closings.iter().filter(|(of, _)| facts.ticket_now(*of) == ticket).map(|(_, talk)| talk);
    for talk in earlier.chain([&closing]) {
        let state = conversations.entry(talk.channel.as_str()).or_default();
        state.closed_at = state.closed_at.max(Some(talk.at));
    }
    let is_over = !conversations.values().any(State::is_open);
    let last = conversations.values().filter_map(|state| state.closed_at).max();
    match last.filter(|_| is_over && known.ticket.state == TicketState::Open) {
        Some(at) => Placement::Close { ticket, at },
        None => Placement::Join(ticket),
    }
}

/// Customers' words on a ticket.
fn talks(ticket: TicketId, facts: &Facts) -> impl Iterator<Item = &Talk> {
    let stored = facts.talks.iter().filter(move |(of, _)| facts.ticket_now(*of) == ticket).map(|(_, talk)| talk);
    let is_of = move |said: &&Said| said.is_customers && said.ticket.is_some_and(|of| facts.ticket_now(of) == ticket);
    stored.chain(facts.said.values().filter(is_of).map(|said| &said.talk))
}
