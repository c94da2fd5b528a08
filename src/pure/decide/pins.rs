//! What agents put together and apart → which message is pinned to which, and how pinned messages hang together.
//!
//! A message that was put beside another is *pinned* to it, and goes where that one is. One that was put on a ticket
//! of its own is pinned to itself. Messages that are pinned to one, and that one, are a *block*: they are on one
//! ticket whatever the rules say. An act pins all that is on the tickets which it concerns: what is taken along, and
//! what stays, for the rules might else draw that along.
//!
//! **Invariant:** the opposite of the last act on some messages takes that act back: pins are then what they were
//! before it, so that everything is as if neither had been done.

use crate::pure::domain::Timestamp;
use crate::pure::domain::id::{EventId, MessageId, TicketId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How pinned messages hang together.
#[derive(Debug, Default)]
pub struct Blocks {
    /// The message that each message is with in the end.
    root_of: BTreeMap<MessageId, MessageId>,
    /// Those of them that the rules do not place: they are pinned to themselves, or not here any more.
    held: BTreeSet<MessageId>,
    ticket_of: BTreeMap<MessageId, TicketId>,
}

impl Blocks {
    /// The blocks of messages, each with the one that it is pinned to.
    pub fn of(messages: impl Iterator<Item = (MessageId, Option<MessageId>)>) -> Self {
        let pins: BTreeMap<MessageId, Option<MessageId>> = messages.collect();
        let mut blocks = Self::default();
        for id in pins.iter().filter(|(_, to)| to.is_some()).map(|(id, _)| *id) {
            let (root, is_held) = root(&pins, id);
            blocks.root_of.insert(id, root);
            blocks.root_of.insert(root, root);
            if is_held {
                blocks.held.insert(root);
            }
        }
        blocks
    }

    /// Whether it is where its block is, and not where the rules place it.
    pub fn is_put(&self, message: MessageId) -> bool {
        self.root_of.get(&message).is_some_and(|root| *root != message || self.held.contains(root))
    }

    /// Whether an agent's word, and no rule, says where its block is.
    pub fn is_held(&self, message: MessageId) -> bool {
        self.root_of.get(&message).is_some_and(|root| self.held.contains(root))
    }

    /// Where its block is, as far as that has been placed.
    pub fn ticket_of(&self, message: MessageId) -> Option<TicketId> {
        self.ticket_of.get(self.root_of.get(&message)?).copied()
    }

    /// It has been placed.
    pub fn stand(&mut self, message: MessageId, ticket: TicketId) {
        if let Some(root) = self.root_of.get(&message) {
            self.ticket_of.insert(*root, ticket);
        }
    }
}

/// The end of a chain of pins, and whether an agent's word holds it there.
fn root(pins: &BTreeMap<MessageId, Option<MessageId>>, from: MessageId) -> (MessageId, bool) {
    let mut path = vec![from];
    let mut at = from;
    loop {
        match pins.get(&at) {
            // It was removed by age: those that were with it stay together.
            None => return (at, true),
            Some(None) => return (at, false),
            Some(Some(to)) if *to == at => return (at, true),
            Some(Some(to)) => {
                if let Some(begin) = path.iter().position(|passed| passed == to) {
                    return (path[begin..].iter().copied().min().unwrap_or(at), true);
                }
                path.push(*to);
                at = *to;
            }
        }
    }
}

/// What a message is pinned to, and by which act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The message.
    pub to: MessageId,
    /// The ticket that those beside it keep, if it is pinned to itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<TicketId>,
    /// The act.
    pub by: EventId,
}

/// A message on a ticket that an act concerns.
#[derive(Debug, Clone, Copy)]
pub struct Lying {
    /// Which.
    pub id: MessageId,
    /// Event time.
    pub at: Timestamp,
    /// Where it is, if it is on a ticket.
    pub ticket: Option<TicketId>,
    /// What it is pinned to.
    pub pin: Option<Pin>,
}

/// Where messages are put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// On a ticket.
    On(TicketId),
    /// On one of their own.
    Apart,
}

/// What an act did, as its journal keeps it: enough to take it back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The messages that were put elsewhere.
    pub moved: BTreeSet<MessageId>,
    /// Where they were.
    pub from: Vec<TicketId>,
    /// Where they were put; `None` is on a ticket of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<TicketId>,
    /// What messages were pinned to before.
    pub pins: Vec<(MessageId, Option<Pin>)>,
    /// The message that each ticket began with before.
    pub openers: Vec<(TicketId, MessageId)>,
}

/// What is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// What messages are pinned to from now on.
    pub pins: Vec<(MessageId, Option<Pin>)>,
    /// The message that each ticket begins with from now on: those that stay have its id.
    pub openers: Vec<(TicketId, MessageId)>,
}

/// Pins all that is on the tickets which an act concerns. `openers` are the messages that these tickets begin with.
pub fn pin(
    lying: &[Lying],
    openers: &BTreeMap<TicketId, MessageId>,
    moved: &BTreeSet<MessageId>,
    put: Put,
    by: EventId,
) -> Pinned {
    let mut parts: BTreeMap<Option<TicketId>, Vec<&Lying>> = BTreeMap::new();
    for lying in lying {
        let part = match (moved.contains(&lying.id), put) {
            (true, Put::On(ticket)) => Some(ticket),
            (true, Put::Apart) => None,
            // What is on no ticket and is not asked for is none of the act's.
            (false, _) if lying.ticket.is_none() => continue,
            (false, _) => lying.ticket,
        };
        parts.entry(part).or_default().push(lying);
    }
    let mut pinned = Pinned { pins: Vec::new(), openers: Vec::new() };
    for (ticket, part) in parts {
        let stays = |lying: &&&Lying| !moved.contains(&lying.id);
        let opener = ticket.and_then(|ticket| openers.get(&ticket));
        let opener = part.iter().filter(stays).find(|lying| opener == Some(&lying.id));
        let oldest = |lying: &&&Lying| (lying.at, lying.id);
        let root = opener.or_else(|| part.iter().filter(stays).min_by_key(oldest));
        let Some(root) = root.or_else(|| part.iter().min_by_key(oldest)).map(|root| root.id) else { continue };
        let on = |lying: &Lying| ticket.filter(|_| lying.id == root);
        pinned.pins.extend(part.iter().map(|lying| (lying.id, Some(Pin { to: root, on: on(lying), by }))));
        pinned.openers.extend(ticket.map(|ticket| (ticket, root)));
    }
    // One on which nothing stays ends where the message goes that it began with.
    let ended = openers.iter().filter(|(ticket, _)| !pinned.openers.iter().any(|(stays, _)| stays == *ticket));
    pinned.openers.extend(ended.map(|(ticket, opener)| (*ticket, *opener)).collect::<Vec<_>>());
    pinned
}

/// The act that an act is the opposite of, by its id and what it did: it put the same messages here that are to go
/// back now, and nothing was put elsewhere since of all that it concerned. `now` gives the ticket that an id stands
/// for.
pub fn takes_back(
    lying: &[Lying],
    moved: &BTreeSet<MessageId>,
    put: Put,
    (last, done): (EventId, &Done),
    now: impl Fn(TicketId) -> TicketId,
) -> Option<Pinned> {
    let here: BTreeMap<MessageId, &Lying> = lying.iter().map(|lying| (lying.id, lying)).collect();
    let is_last = |(id, _): &(MessageId, Option<Pin>)| {
        here.get(id).is_some_and(|lying| lying.pin.is_some_and(|pin| pin.by == last))
    };
    let [from] = done.from.as_slice() else { return None };
    let goes_back = match put {
        Put::On(ticket) => now(*from) == ticket,
        // They were a ticket by themselves, which ended.
        Put::Apart => done.to.is_some_and(|to| now(to) == now(*from)),
    };
    let is_opposite = done.moved == *moved && goes_back && done.pins.iter().all(is_last);
    is_opposite.then(|| Pinned { pins: done.pins.clone(), openers: done.openers.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn message(name: char) -> MessageId {
        MessageId(Uuid::from_u128(name as u128))
    }

    fn ticket(n: u128) -> TicketId {
        TicketId(Uuid::from_u128(n))
    }

    fn name(id: MessageId) -> char {
        char::from_u32(u32::try_from(id.0.as_u128()).unwrap()).unwrap()
    }

    const ACT: EventId = EventId(Uuid::from_u128(77));

    /// `a1 b1 c2 d-`: messages in the order of their time, each with its ticket; `c2>a` is pinned by an act of before.
    fn lying(text: &str) -> Vec<Lying> {
        let one = |(n, word): (usize, &str)| {
            let mut chars = word.chars();
            let id = message(chars.next().unwrap());
            let ticket = chars.next().and_then(|n| n.to_digit(10)).map(|n| ticket(n.into()));
            let pin = word.split_once('>').and_then(|(_, to)| to.chars().next());
            let pin = pin.map(|to| Pin { to: message(to), on: None, by: EventId(Uuid::from_u128(1)) });
            Lying { id, at: Timestamp::from_second(i64::try_from(n).unwrap()).unwrap(), ticket, pin }
        };
        text.split_whitespace().enumerate().map(one).collect()
    }

    fn set(text: &str) -> BTreeSet<MessageId> {
        text.chars().map(message).collect()
    }

    #[test]
    fn blocks_hang_together() {
        // Messages with what they are pinned to; then each that is put, with its root, `!` where no rule says where
        // that is.
        for (pins, expected) in [
            ("a b c", ""),
            ("a b>a c>a", "b:a c:a"),
            ("a>a b>a", "a:a! b:a!"),
            ("a b>a c>b", "b:a c:a"),
            ("a>z b>z", "a:z! b:z!"),
            ("a>b b>a c>b", "a:a! b:a! c:a!"),
        ] {
            let pins: Vec<(MessageId, Option<MessageId>)> = pins
                .split_whitespace()
                .map(|word| {
                    let mut chars = word.chars();
                    (message(chars.next().unwrap()), chars.nth(1).map(message))
                })
                .collect();
            let blocks = Blocks::of(pins.iter().copied());
            let shown: Vec<String> = pins
                .iter()
                .filter(|(id, _)| blocks.is_put(*id))
                .map(|(id, _)| {
                    let held = if blocks.is_held(*id) { "!" } else { "" };
                    format!("{}:{}{held}", name(*id), name(blocks.root_of[id]))
                })
                .collect();
            assert_eq!(shown.join(" "), expected, "{pins:?}");
        }
    }

    #[test]
    fn an_act_pins_all_that_it_concerns() {
        // What lies where, what is moved to which ticket (0: one of its own); what is pinned to what, and what each
        // ticket begins with.
        for (name_of, on_tickets, moved, to, pins, openers) in [
            ("merge", "a1 b2 c1", "ac", 2, "a>b b>b c>b", "1a 2b"),
            ("move the later", "a1 b2 c1", "c", 2, "a>a b>b c>b", "1a 2b"),
            ("move the first", "a1 b2 c1", "a", 2, "a>b b>b c>c", "1c 2b"),
            ("split the later", "a1 b1 c1", "b", 0, "a>a b>b c>a", "1a"),
            ("split the first", "a1 b1 c1", "a", 0, "a>a b>b c>b", "1b"),
            ("split of two tickets", "a1 b2 c1 d2", "cd", 0, "a>a b>b c>c d>c", "1a 2b"),
            ("from no ticket", "a1 d-", "d", 1, "a>a d>a", "1a"),
        ] {
            let lying = lying(on_tickets);
            let mut begin: BTreeMap<TicketId, MessageId> = BTreeMap::new();
            for lying in &lying {
                begin
                    .extend(lying.ticket.filter(|ticket| !begin.contains_key(ticket)).map(|ticket| (ticket, lying.id)));
            }
            let put = if to == 0 { Put::Apart } else { Put::On(ticket(to)) };
            let pinned = pin(&lying, &begin, &set(moved), put, ACT);
            let mut shown: Vec<String> = pinned
                .pins
                .iter()
                .filter_map(|(id, pin)| Some(format!("{}>{}", name(*id), name((*pin)?.to))))
                .collect();
            shown.sort();
            assert_eq!(shown.join(" "), pins, "{name_of}");
            let mut shown: Vec<String> =
                pinned.openers.iter().map(|(ticket, by)| format!("{}{}", ticket.0.as_u128(), name(*by))).collect();
            shown.sort();
            assert_eq!(shown.join(" "), openers, "{name_of}");
        }
    }

    #[test]
    fn the_opposite_of_the_last_act_takes_it_back() {
        let before = |text: &str| lying(text).iter().map(|lying| (lying.id, lying.pin)).collect::<Vec<_>>();
        let done = |from: u128, to: Option<u128>| Done {
            moved: set("b"),
            from: vec![ticket(from)],
            to: to.map(ticket),
            pins: before("a1 b1"),
            openers: vec![(ticket(1), message('a'))],
        };
        let by_act = |text: &str| {
            let mut lying = lying(text);
            for lying in &mut lying {
                lying.pin = lying.pin.map(|pin| Pin { by: ACT, ..pin });
            }
            lying
        };
        // Ticket 3 ended in ticket 1.
        let now = |of: TicketId| if of == ticket(3) { ticket(1) } else { of };
        for (name, lying, moved, put, done, expected) in [
            ("a split, moved back", by_act("a1>a b2>b"), "b", Put::On(ticket(1)), done(1, None), true),
            ("elsewhere", by_act("a1>a b2>b"), "b", Put::On(ticket(2)), done(1, None), false),
            ("with another", by_act("a1>a b2>b"), "ab", Put::On(ticket(1)), done(1, None), false),
            ("after another act", lying("a1>a b2>b"), "b", Put::On(ticket(1)), done(1, None), false),
            ("part of it is gone", by_act("b2>b"), "b", Put::On(ticket(1)), done(1, None), false),
            ("a merge, split", by_act("a1>a b1>a"), "b", Put::Apart, done(3, Some(1)), true),
            ("a move, split", by_act("a1>a b1>a"), "b", Put::Apart, done(2, Some(1)), false),
        ] {
            let taken = takes_back(&lying, &set(moved), put, (ACT, &done), now);
            assert_eq!(taken.is_some(), expected, "{name}");
            assert!(taken.is_none_or(|taken| taken.pins == done.pins && taken.openers == done.openers), "{name}");
        }
    }
}
