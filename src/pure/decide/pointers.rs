//! What a message points at → [`Pointer`]s: the reference part of threading (DESIGN 5).
//!
//! What it names counts first: the message answered, its ancestors, the vendor's conversation; then that an
//! earlier arrival waits for it, or answers the same message that never came. A mail that lost its references
//! on the way (a phone's client, a gateway, a ticket tool) is known by what it quotes, and last by its subject.
//!
//! **Invariants:** nothing here says that anybody may write on a ticket: [`place`](super::thread::place) asks that
//! of each pointer. A passage or subject that stands on several tickets points at none. The same facts give the
//! same pointers, whenever they are asked; a message never points at itself.
//!
//! Refused: equal subjects alone. "Tilaus" is nobody's thread, so it takes an answer's prefix, one of the same
//! participants, a bounded time, and no named message that could know better.

use super::thread::within;
use crate::pure::domain::facts::{Anchor, AnchorKind, Facts, Lookup, LookupKey};
use crate::pure::domain::id::TicketId;
use crate::pure::domain::message::{Message, Reference, ReferenceKind};
use crate::pure::wire::subject;
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Why a pointer points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// The message names it.
    Named(ReferenceKind),
    /// It came earlier and names the message.
    Awaited,
    /// Both name a message that has not come.
    Sibling,
    /// The message quotes it.
    Quoted,
    /// The message is an answer with its subject, and one takes part in both.
    Subject,
}

/// Something earlier on a ticket, or a message that is on none.
#[derive(Debug, Clone, Copy)]
pub struct Pointer<'a> {
    /// Why.
    pub evidence: Evidence,
    /// What it points at.
    pub anchor: &'a Anchor,
    /// Both are one thread, whatever else was thought of either: nothing nearer says otherwise. What a message
    /// says itself of what it answers beats what an answer to it says.
    pub is_one_thread: bool,
}

impl Pointer<'_> {
    /// The message names one that it answers.
    pub fn is_answer(&self) -> bool {
        matches!(self.evidence, Evidence::Named(ReferenceKind::Reply | ReferenceKind::Ancestor))
    }
}

/// References that had not come yet and are remembered: the nearest, and the oldest, which the whole thread names.
const WANTED_MAX: usize = 2;
/// How old the last anchor of a subject on a ticket is when another is put: far less than any window, far more
/// than it takes to write a row for each message.
const SUBJECT_AGE_MAX: SignedDuration = SignedDuration::from_hours(24);

/// All that a message points at, the best first. `window` is how long a subject is remembered. Pointers of one
/// kind may lead to several tickets, but for [`Evidence::Quoted`] and [`Evidence::Subject`].
pub fn pointers<'a>(message: &Message, lookup: &Lookup, facts: &'a Facts, window: Duration) -> Vec<Pointer<'a>> {
    let asking = Asking { message, lookup, facts };
    let mut found = asking.named();
    if let Some(own) = lookup.own_message() {
        found.extend(asking.pointers(&own, AnchorKind::Wanted, Evidence::Awaited, true));
    }
    if found.is_empty() {
        found.extend(asking.quoted());
    }
    if found.is_empty() && !message.incoming.references.iter().any(is_answered) {
        found.extend(asking.subject(window));
    }
    found
}

/// Keys by which later messages find the ticket that a message is put on, with what is kept beside each; without a
/// ticket, the message alone. Those that lead there already are left out.
pub fn anchors(
    message: &Message,
    lookup: &Lookup,
    facts: &Facts,
    ticket: Option<TicketId>,
) -> Vec<(AnchorKind, LookupKey, &'static str)> {
    let asking = Asking { message, lookup, facts };
    let leads_there = |anchor: &&Anchor| anchor.ticket.map(|ticket| facts.ticket_now(ticket)) == ticket;
    let mut anchors = Vec::new();
    for (kind, key) in &lookup.own {
        let is_known = asking.anchors(key, *kind).any(|anchor| leads_there(&anchor));
        if *kind == AnchorKind::Message || (ticket.is_some() && !is_known) {
            let is_bare = *kind == AnchorKind::Message && !message.incoming.references.iter().any(is_answered);
            anchors.push((*kind, *key, if is_bare { Anchor::BARE } else { "" }));
        }
    }
    if ticket.is_none() {
        return anchors;
    }
    for key in &lookup.subject {
        let fresh = |anchor: &Anchor| message.occurred_at.duration_since(anchor.at) < SUBJECT_AGE_MAX;
        if !asking.anchors(key, AnchorKind::Subject).any(|anchor| leads_there(&anchor) && fresh(anchor)) {
            anchors.push((AnchorKind::Subject, *key, ""));
        }
    }
    anchors.extend(lookup.passages.iter().map(|key| (AnchorKind::Passage, *key, "")));
    anchors.extend(asking.wanted().into_iter().map(|key| (AnchorKind::Wanted, key, "")));
    anchors
}

fn is_answered(reference: &Reference) -> bool {
    matches!(reference.kind, ReferenceKind::Reply | ReferenceKind::Ancestor)
}

struct Asking<'m, 'a> {
    message: &'m Message,
    lookup: &'m Lookup,
    facts: &'a Facts,
}

impl<'a> Asking<'_, 'a> {
    /// What others left under a key.
    fn anchors(&self, key: &LookupKey, kind: AnchorKind) -> impl Iterator<Item = &'a Anchor> + use<'a> {
        let own = self.message.id;
        let anchors = self.facts.anchors.get(key).into_iter().flatten();
        anchors.filter(move |anchor| anchor.kind == kind && anchor.message != own)
    }

    fn pointers(
        &self,
        key: &LookupKey,
        kind: AnchorKind,
        evidence: Evidence,
        is_one_thread: bool,
    ) -> impl Iterator<Item = Pointer<'a>> + use<'a> {
        self.anchors(key, kind).map(move |anchor| Pointer { evidence, anchor, is_one_thread })
    }

    /// What it names, or what names the same absent message.
    fn named(&self) -> Vec<Pointer<'a>> {
        let mut found: Vec<Pointer<'a>> = Vec::new();
        // The nearest that is here says itself what it answers, unless it names nothing.
        let mut is_one_thread = true;
        for (reference, key) in self.message.incoming.references.iter().zip(&self.lookup.references) {
            let kind = match reference.kind {
                ReferenceKind::Reply | ReferenceKind::Ancestor => AnchorKind::Message,
                ReferenceKind::Conversation => AnchorKind::Conversation,
                ReferenceKind::Hint => AnchorKind::Hint,
                // A group is a rule of its own, and only an update has a target.
                ReferenceKind::Group | ReferenceKind::Target => continue,
            };
            let before = found.len();
            let is_sure = is_one_thread && is_answered(reference);
            found.extend(self.pointers(key, kind, Evidence::Named(reference.kind), is_sure));
            match found.get(before..) {
                Some([]) if is_answered(reference) => {
                    found.extend(self.pointers(key, AnchorKind::Wanted, Evidence::Sibling, is_sure));
                }
                Some(named) if is_answered(reference) => is_one_thread &= named.iter().all(|p| p.anchor.is_bare),
                _ => {}
            }
        }
        found
    }

    /// The one ticket that most of the quoted passages lead to.
    fn quoted(&self) -> Option<Pointer<'a>> {
        let mut votes: BTreeMap<TicketId, (usize, &Anchor)> = BTreeMap::new();
        for key in &self.lookup.quoted {
            let anchors = || self.anchors(key, AnchorKind::Passage);
            if let Some((ticket, anchor)) = self.only_ticket(anchors) {
                votes.entry(ticket).or_insert((0, anchor)).0 += 1;
            }
        }
        let most = votes.values().map(|(count, _)| *count).max()?;
        let mut best = votes.values().filter(|(count, _)| *count == most);
        let (_, anchor) = best.next()?;
        best.next().is_none().then_some(Pointer { evidence: Evidence::Quoted, anchor, is_one_thread: false })
    }

    /// The one ticket on which the subject is answered.
    fn subject(&self, window: Duration) -> Option<Pointer<'a>> {
        if !self.message.incoming.subject.as_deref().is_some_and(|written| subject::read(written).is_answer) {
            return None;
        }
        let at = self.message.occurred_at;
        let keys = self.lookup.subject.iter();
        let anchors = || {
            let anchors = keys.clone().flat_map(|key| self.anchors(key, AnchorKind::Subject));
            anchors.filter(move |anchor| within(at, anchor.at, window))
        };
        self.only_ticket(anchors).map(|(_, anchor)| Pointer {
            evidence: Evidence::Subject,
            anchor,
            is_one_thread: false,
        })
    }

    /// The ticket that all of the anchors are on, with the latest of them.
    fn only_ticket<I: Iterator<Item = &'a Anchor>>(&self, anchors: impl Fn() -> I) -> Option<(TicketId, &'a Anchor)> {
        let mut tickets = anchors().map(|anchor| anchor.ticket.map(|ticket| self.facts.ticket_now(ticket)));
        let first = tickets.next()??;
        if tickets.any(|ticket| ticket != Some(first)) {
            return None;
        }
        anchors().max_by_key(|anchor| (anchor.at, anchor.message)).map(|anchor| (first, anchor))
    }

    /// Messages that are named and have not come.
    fn wanted(&self) -> BTreeSet<LookupKey> {
        let named = self.message.incoming.references.iter().zip(&self.lookup.references);
        let mut missing = named
            .filter(|(reference, key)| {
                is_answered(reference) && self.anchors(key, AnchorKind::Message).next().is_none()
            })
            .map(|(_, key)| *key);
        let mut wanted: BTreeSet<LookupKey> = missing.by_ref().take(WANTED_MAX - 1).collect();
        wanted.extend(missing.next_back());
        wanted
    }
}
