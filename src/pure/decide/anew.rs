//! People decided anew → whose each identity is, where each message is, and what mirrors hear of what differs.
//!
//! What it knows is a [`Hood`]: people who are due, all to whom evidence ties them, and what bears on these. They
//! are gathered from nothing ([`gather`]), and all that the people concerned have said is placed from nothing
//! ([`rethread`]); what differs from what stands is the change.
//!
//! **Invariant:** it is a function of what is known, not of the order in which that came.

use super::gather::{Gathered, gather};
use super::ledger::{Kind, Ledger, Word};
use super::rethread::{Act, Kept, Rethreaded, rethread};
use super::route::of_queue;
use crate::pure::domain::contact::{Contact, ContactKind, KnownIdentity};
use crate::pure::domain::decision::Told;
use crate::pure::domain::facts::{Facts, LookupKey};
use crate::pure::domain::id::{ContactId, IdMint, IdentityId, MessageId, TicketId};
use crate::pure::domain::outbox::Change;
use crate::pure::domain::policy::Policy;
use crate::pure::domain::queue::Queued;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Messages that are placed anew at once. Somebody who has said more, together with those who speak on the same
/// tickets, stays as he is.
pub const HISTORY_MAX: usize = 2_000;

/// People with all that is known of them, and of those to whom evidence ties them.
#[derive(Debug, Default)]
pub struct Hood {
    /// Who is due, by the contacts as they stand.
    pub due: BTreeSet<ContactId>,
    /// Identities of theirs, and of all others in sight.
    pub known: BTreeMap<IdentityId, KnownIdentity>,
    /// What is weighed.
    pub ledger: Ledger,
    /// Those of whom all is known that was stated by them and of them: identities of who is due, and of whom evidence
    /// ties to them.
    pub near: BTreeSet<IdentityId>,
    /// Contacts that had an identity which is part of another one now, each with that.
    pub gone: Vec<(IdentityId, ContactId)>,
    /// Groups that stand as they are: people at the edge, of whom not all is loaded.
    pub start: Vec<BTreeSet<IdentityId>>,
}

/// What was said by people, and by others on the same tickets.
#[derive(Debug, Default)]
pub struct History {
    /// Messages.
    pub kept: Vec<Kept>,
    /// What the desk did with their tickets.
    pub acts: Vec<Act>,
    /// Tickets that those opened when they came, also such as were joined into others since.
    pub opened: BTreeMap<TicketId, MessageId>,
    /// In which queues their tickets are.
    pub queued: BTreeMap<TicketId, Queued>,
}

/// An identity that is somebody else's from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Regrouped {
    /// Which.
    pub identity: IdentityId,
    /// Whose it was.
    pub from: ContactId,
    /// Whose it is.
    pub to: ContactId,
}

/// A message that is elsewhere from now on; `None` is on no ticket.
#[derive(Debug, Clone, Copy)]
pub struct Moved<'a> {
    /// Which.
    pub kept: &'a Kept,
    /// Where it was.
    pub from: Option<TicketId>,
    /// Where it is.
    pub to: Option<TicketId>,
}

/// Who is who, as gathered anew.
#[derive(Debug)]
pub struct People {
    /// The groups, and the evidence.
    pub gathered: Gathered,
    /// Identities that are somebody else's now.
    pub regrouped: Vec<Regrouped>,
    /// Contacts that keep an identity, of those from whom one goes.
    pub staying: BTreeSet<ContactId>,
    /// Identities of those who are decided on, and of all who are somebody else's now.
    pub decided: BTreeSet<IdentityId>,
    /// Identities whose messages are to be placed anew: theirs, and of all who named the same numbers, for whose
    /// matter it is depends on who named it first.
    pub heard: BTreeSet<IdentityId>,
    /// What the platform and agents say of pairs.
    pub words: Vec<(IdentityId, IdentityId, Word)>,
}

/// Gathers the people of a neighbourhood.
pub fn people(hood: &Hood) -> People {
    let gathered = gather(&hood.ledger, &hood.start);
    let mut regrouped = Vec::new();
    for group in &gathered.groups {
        let Some(to) = group.first().map(|oldest| ContactId::of(*oldest)) else { continue };
        let known = group.iter().filter_map(|id| hood.known.get(id)).filter(|known| known.contact != to);
        regrouped.extend(known.map(|known| Regrouped { identity: known.id, from: known.contact, to }));
    }
    for (identity, from) in &hood.gone {
        let group = gathered.groups.iter().find(|group| group.contains(identity));
        let to = group.and_then(|group| group.first()).map(|oldest| ContactId::of(*oldest));
        let known = regrouped.iter().any(|moved| moved.identity == *identity && moved.from == *from);
        regrouped.extend(to.filter(|to| to != from && !known).map(|to| Regrouped {
            identity: *identity,
            from: *from,
            to,
        }));
    }
    let gone: BTreeSet<IdentityId> = regrouped.iter().map(|moved| moved.identity).collect();
    let left: BTreeSet<ContactId> = regrouped.iter().map(|moved| moved.from).collect();
    let stays = hood.known.values().filter(|known| !gone.contains(&known.id)).map(|known| known.contact);
    let staying = stays.filter(|contact| left.contains(contact)).collect();
    let changed = gathered.groups.iter().filter(|group| !group.is_disjoint(&gone));
    let mut decided: BTreeSet<IdentityId> = changed.flatten().copied().collect();
    let concerned = |known: &&KnownIdentity| hood.due.contains(&known.contact) || left.contains(&known.contact);
    decided.extend(hood.known.values().filter(concerned).map(|known| known.id));
    let heard = with_same_numbers(&decided, hood, &gathered);
    let words = hood.ledger.words.clone();
    People { gathered, regrouped, staying, decided, heard, words }
}

/// Identities, and those who named the same numbers with all that is theirs. A number that many name is a mailing's.
fn with_same_numbers(ids: &BTreeSet<IdentityId>, hood: &Hood, gathered: &Gathered) -> BTreeSet<IdentityId> {
    let mut by_number: BTreeMap<LookupKey, BTreeSet<IdentityId>> = BTreeMap::new();
    for stated in hood.ledger.stated.iter().filter(|stated| stated.kind == Kind::Number) {
        by_number.entry(stated.key).or_default().insert(stated.by);
    }
    let several = by_number.values().filter(|by| !by.is_disjoint(ids));
    let named: BTreeSet<IdentityId> = several.flatten().copied().collect();
    let groups = gathered.groups.iter().filter(|group| !group.is_disjoint(&named));
    groups.flatten().chain(ids).copied().collect()
}

/// Places what was said anew, by people as they are known now.
pub fn threads(hood: &Hood, people: &People, history: &History, mint: &mut IdMint, policy: &Policy) -> Rethreaded {
    let to: HashMap<IdentityId, ContactId> = people.regrouped.iter().map(|moved| (moved.identity, moved.to)).collect();
    let mut facts = Facts::default();
    facts.denied.clone_from(&people.gathered.denied);
    for known in hood.known.values() {
        let contact = to.get(&known.id).copied().unwrap_or(known.contact);
        facts.contacts.entry(contact).or_insert_with(|| Contact {
            id: contact,
            kind: ContactKind::Person,
            name: None,
            first_at: known.first_at,
        });
        facts.take_identity(KnownIdentity { contact, last_ticket: None, ..known.clone() });
    }
    rethread(&history.kept, &history.acts, facts, mint, policy)
}

/// Messages that are elsewhere now.
pub fn moved<'a>(history: &'a History, rethreaded: &Rethreaded) -> Vec<Moved<'a>> {
    let to = |kept: &Kept| rethreaded.ticket_of.get(&kept.id).copied();
    let moved = history.kept.iter().map(|kept| Moved { kept, from: kept.ticket, to: to(kept) });
    moved.filter(|moved| moved.from != moved.to).collect()
}

/// What mirrors hear, in order: of tickets, then of people, in the lanes of their tickets.
pub fn told(people: &People, history: &History, rethreaded: &Rethreaded, moved: &[Moved<'_>]) -> Vec<Told> {
    let mut told = told_of_tickets(history, rethreaded, moved);
    told.extend(routed(history, rethreaded).filter_map(|(_, told)| told));
    told.extend(told_of_people(people, history, rethreaded));
    told
}

/// Tickets that are in another queue now, each with what mirrors hear of it.
pub fn routed<'a>(
    history: &'a History,
    rethreaded: &'a Rethreaded,
) -> impl Iterator<Item = (TicketId, Option<Told>)> + 'a {
    rethreaded.tickets.iter().filter_map(|(id, ticket)| {
        let (before, after) = (history.queued.get(id)?.queue(), ticket.queued.queue());
        (before != after).then(|| (*id, of_queue(*id, before, after)))
    })
}

fn change(change: Change, ticket: TicketId) -> Told {
    Told::of(change, ticket)
}

/// A ticket all of whose messages went to another one was merged; else each message was moved.
fn told_of_tickets(history: &History, rethreaded: &Rethreaded, moved: &[Moved<'_>]) -> Vec<Told> {
    if moved.is_empty() {
        return Vec::new();
    }
    let mut targets: BTreeMap<TicketId, BTreeSet<Option<TicketId>>> = BTreeMap::new();
    for kept in &history.kept {
        if let Some(from) = kept.ticket {
            targets.entry(from).or_default().insert(rethreaded.ticket_of.get(&kept.id).copied());
        }
    }
    let new = rethreaded.tickets.keys().filter(|ticket| !targets.contains_key(ticket));
    let mut told: Vec<Told> = new.map(|ticket| change(Change::TicketOpened, *ticket)).collect();
    let merged: BTreeMap<TicketId, TicketId> = targets
        .iter()
        .filter_map(|(from, to)| Some((*from, (*to.first()?)?)).filter(|(from, only)| to.len() == 1 && only != from))
        .collect();
    for (from, to) in &merged {
        let detail = Some(serde_json::json!({ "to": to }).to_string());
        told.push(Told { other: Some(*to), detail: detail.clone(), ..change(Change::TicketMerged, *from) });
        told.push(Told { other: Some(*from), detail, waits: true, ..change(Change::TicketMerged, *to) });
    }
    for Moved { kept, from, to } in moved {
        let message = Some(kept.id);
        match (from, to) {
            (Some(from), Some(_)) if merged.contains_key(from) => {}
            (Some(from), Some(to)) => {
                let detail = Some(serde_json::json!({ "to": to }).to_string());
                let leaves = Told { other: Some(*to), message, ..change(Change::MessageMoved, *from) };
                told.push(Told { detail: detail.clone(), ..leaves });
                let comes = Told { other: Some(*from), message, waits: true, ..change(Change::MessageMoved, *to) };
                told.push(Told { detail, ..comes });
            }
            (None, Some(to)) => told.push(Told { message, ..change(Change::MessageAdded, *to) }),
            (Some(from), None) => told.push(Told { message, ..change(Change::MessageMoved, *from) }),
            (None, None) => {}
        }
    }
    told
}

/// A contact without an identity was merged; one that keeps some was split.
fn told_of_people(people: &People, history: &History, rethreaded: &Rethreaded) -> Vec<Told> {
    let mut pairs: BTreeMap<(ContactId, ContactId), Option<TicketId>> = BTreeMap::new();
    for moved in &people.regrouped {
        let said = history.kept.iter().filter(|kept| kept.identity == Some(moved.identity));
        let on = said.filter_map(|kept| rethreaded.ticket_of.get(&kept.id)).max().copied();
        let latest = pairs.entry((moved.from, moved.to)).or_default();
        *latest = (*latest).max(on);
    }
    let told = pairs.into_iter().filter_map(|((from, to), ticket)| {
        let (what, detail) = match people.staying.contains(&from) {
            true => (Change::ContactSplit, serde_json::json!({ "contact": from, "split": to })),
            false => (Change::ContactMerged, serde_json::json!({ "contact": to, "absorbed": [from] })),
        };
        Some(Told { detail: Some(detail.to_string()), ..change(what, ticket?) })
    });
    told.collect()
}
