//! All that some people said, placed anew → which messages are on one ticket, and how each ticket stands.
//!
//! The rules are those of the first time ([`thread::place`]), in the order in which things were said and with what
//! is known now of who is who. Which id a ticket keeps does not depend on the order in which its messages came.
//! What an agent put beside a message is where that one is ([`Blocks`]), whatever the rules say.
//!
//! **Invariant:** deciding anew what stands already changes nothing.

use super::pins::Blocks;
use super::resolve::Resolved;
use super::{close, nothing, thread};
use crate::pure::domain::Timestamp;
use crate::pure::domain::decision::{
    Decision, ItemRole, Move, Placement, Reason, Resolution, Suggestion, SuggestionTarget, TouchedIdentity,
};
use crate::pure::domain::facts::{AnchorKind, EntitledBy, Facts, Lookup, LookupKey};
use crate::pure::domain::id::{ContactId, IdMint, IdentityId, MessageId, RawEventId, TicketId};
use crate::pure::domain::identity::Assurance;
use crate::pure::domain::message::{
    Auto, Call, CallOutcome, Content, Direction, FactValue, Incoming, Message, MessageFact, On, Place, Reference,
    Sender, SenderIdentity, What,
};
use crate::pure::domain::outline::Outline;
use crate::pure::domain::policy::Policy;
use crate::pure::domain::ticket::{Ticket, TicketState, Triage};
use std::collections::{BTreeMap, BTreeSet};

/// A message as it is kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its id.
    pub id: MessageId,
    /// The channel.
    pub channel: String,
    /// Who said it.
    pub direction: Direction,
    /// Whose it is.
    pub identity: Option<IdentityId>,
    /// The ticket that it is on now.
    pub ticket: Option<TicketId>,
    /// The ticket that it opened when it came, if it did.
    pub opened: Option<TicketId>,
    /// Event time.
    pub occurred_at: Timestamp,
    /// The time nobody outside could choose.
    pub trusted_at: Timestamp,
    /// When it was stored.
    pub received_at: Timestamp,
    /// Set when no person wrote it.
    pub auto: Option<Auto>,
    /// What its sender was vouched for.
    pub assurance: Assurance,
    /// It is a telephone call.
    pub is_call: bool,
    /// The message that an agent put it beside; itself, if he put it on a ticket of its own.
    pub pinned_to: Option<MessageId>,
    /// It is on a ticket that something points to, of people who are not decided on: it stays beside those it is with.
    pub is_beside: bool,
    /// The subject.
    pub subject: Option<String>,
    /// The first of its own words.
    pub words: String,
    /// Kind and urgency.
    pub triage: Triage,
    /// The rest.
    pub outline: Outline,
}

/// A conversation was closed.
#[derive(Debug, Clone)]
pub struct Closing {
    /// The message that it is on.
    pub on: MessageId,
    /// When.
    pub at: Timestamp,
}

/// What was placed anew.
#[derive(Debug, Clone, Default)]
pub struct Rethreaded {
    /// The tickets as they stand then.
    pub tickets: BTreeMap<TicketId, Ticket>,
    /// Where each message is; one that is on no ticket is not named.
    pub ticket_of: BTreeMap<MessageId, TicketId>,
    /// What entitles those who take part in the tickets.
    pub entitled: BTreeMap<(TicketId, ContactId), EntitledBy>,
    /// Numbers by which the tickets are found, each with the matter and a message that names it.
    pub numbers: Vec<(MessageId, LookupKey, String)>,
    /// Why messages are where they are.
    pub reasons: BTreeMap<MessageId, Vec<Reason>>,
    /// Tickets that something pointed to in vain.
    pub pointed: Vec<Pointed>,
}

/// A message that something ties to a ticket on which it is not.
#[derive(Debug, Clone)]
pub struct Pointed {
    /// Which.
    pub message: MessageId,
    /// To which ticket.
    pub ticket: TicketId,
    /// By which message of that ticket.
    pub by_message: MessageId,
    /// One sentence.
    pub why: String,
}

/// Places messages and closings anew. `facts` holds the people, as they are known now, and no tickets.
pub fn rethread(
    kept: &[Kept],
    closings: &[Closing],
    mut facts: Facts,
    mint: &mut IdMint,
    policy: &Policy,
) -> Rethreaded {
    let mut kept: Vec<&Kept> = kept.iter().collect();
    kept.sort_by_key(|kept| (kept.occurred_at, kept.id));
    let mut closings: Vec<&Closing> = closings.iter().collect();
    closings.sort_by_key(|closing| (closing.at, closing.on));
    let mut closings = closings.into_iter().peekable();
    let mut ticket_of: BTreeMap<MessageId, TicketId> = BTreeMap::new();
    let mut reasons: BTreeMap<MessageId, Vec<Reason>> = BTreeMap::new();
    let mut numbers: Vec<(MessageId, LookupKey, String)> = Vec::new();
    let mut blocks = Blocks::of(kept.iter().map(|kept| (kept.id, kept.pinned_to)));
    let mut pointed: Vec<Pointed> = Vec::new();
    let mut beside: BTreeMap<TicketId, TicketId> = BTreeMap::new();
    for kept in kept.iter().copied() {
        while let Some(closing) = closings.next_if(|closing| closing.at < kept.occurred_at) {
            close_again(closing, &mut facts);
        }
        let (message, lookup) = revive(kept, &facts);
        let mut decision = place_again(kept, &message, &lookup, &facts, &blocks, mint, policy);
        if let Some(ticket) = kept.ticket.filter(|_| kept.is_beside) {
            stay(&mut decision, *beside.entry(ticket).or_insert_with(|| mint.dated(kept.received_at)), &facts);
        }
        facts.apply(&message, &lookup, &decision);
        if let Some(ticket) = decision.placement.ticket() {
            ticket_of.insert(kept.id, ticket);
            blocks.stand(kept.id, ticket);
            if let Some(known) = facts.tickets.get_mut(&ticket) {
                known.is_held |= blocks.is_held(kept.id);
            }
        }
        reasons.insert(kept.id, decision.reasons);
        // What an agent writes down is about the message that it is on.
        let about = kept.outline.on.unwrap_or(kept.id);
        pointed.extend(decision.suggestions.into_iter().filter_map(|suggestion| pointed_to(about, suggestion)));
        let named = decision.anchors.into_iter().filter(|(kind, ..)| *kind == AnchorKind::Number);
        numbers.extend(named.map(|(_, key, matter)| (kept.id, key, matter)));
    }
    closings.for_each(|closing| close_again(closing, &mut facts));
    for ticket in ticket_of.values_mut() {
        *ticket = facts.ticket_now(*ticket);
    }
    let (rethreaded, names) = name(&kept, &facts, ticket_of, reasons);
    for pointed in &mut pointed {
        let now = facts.ticket_now(pointed.ticket);
        pointed.ticket = names.get(&now).copied().unwrap_or(now);
    }
    let is_there = |pointed: &Pointed| rethreaded.ticket_of.get(&pointed.message) == Some(&pointed.ticket);
    pointed.retain(|pointed| !is_there(pointed));
    Rethreaded { numbers, pointed, ..rethreaded }
}

/// The message stays on its ticket, which it opens if it is the first on it.
fn stay(decision: &mut Decision, ticket: TicketId, facts: &Facts) {
    let ticket = facts.ticket_now(ticket);
    decision.placement = match facts.ticket(ticket) {
        Some(known) if known.ticket.state == TicketState::Open => Placement::Join(ticket),
        Some(_) if matches!(decision.placement, Placement::Reopen(_)) => Placement::Reopen(ticket),
        Some(_) => Placement::Join(ticket),
        None => Placement::Open { ticket, follow_up_of: None },
    };
    decision.entitled_by = decision.entitled_by.or(decision.resolution.contact().map(|_| EntitledBy::SameContact));
    decision.moves.clear();
    decision.suggestions.clear();
}

fn pointed_to(message: MessageId, suggestion: Suggestion) -> Option<Pointed> {
    match suggestion.target {
        SuggestionTarget::Ticket(ticket) => {
            Some(Pointed { message, ticket, by_message: suggestion.message, why: suggestion.why })
        }
        SuggestionTarget::Contact(_) => None,
    }
}

/// The message again, as far as placing it needs.
fn revive(kept: &Kept, facts: &Facts) -> (Message, Lookup) {
    let outline = &kept.outline;
    let number = |(matter, role, _): &(String, _, LookupKey)| MessageFact {
        value: FactValue::Number { matter: matter.clone(), role: *role, value: String::new() },
        place: Place::Body,
    };
    let message = Message {
        channel: kept.channel.clone(),
        own_text: kept.words.clone(),
        trusted_at: kept.trusted_at,
        received_at: kept.received_at,
        assurance: kept.assurance,
        facts: outline.numbers.iter().map(number).collect(),
        says_new_matter: outline.says_new_matter,
        says_is_back: outline.says_is_back,
        says_nothing: outline.says_nothing,
        ..bare(kept.id, incoming(kept, facts), kept.occurred_at)
    };
    let lookup = Lookup {
        own: outline.own.clone(),
        references: outline.references.iter().map(|(_, key)| *key).collect(),
        subject: outline.subject.clone(),
        passages: outline.passages.clone(),
        quoted: outline.quoted.clone(),
        topics: outline.topics.clone(),
        facts: outline.numbers.iter().map(|(.., key)| Some(*key)).collect(),
        ..keyless(kept.id)
    };
    (message, lookup)
}

fn incoming(kept: &Kept, facts: &Facts) -> Incoming {
    let outline = &kept.outline;
    let mut incoming = Incoming::new("", "");
    incoming.direction = kept.direction;
    incoming.subject.clone_from(&kept.subject);
    incoming.auto = kept.auto;
    incoming.authentication = outline.authentication;
    incoming.references = outline
        .references
        .iter()
        .map(|(kind, _)| Reference { kind: *kind, namespace: String::new(), key: String::new() })
        .collect();
    incoming.on = outline.on.map(|message| On {
        channel: kept.channel.clone(),
        source_key: String::new(),
        is_answered_there: false,
        message: Some(message),
    });
    incoming.content = if kept.is_call {
        let (outcome, answered_by, legs) = (CallOutcome::Missed, String::new(), Vec::new());
        Content::Call(Call { outcome, duration_s: 0, talk_s: 0, answered_by, legs }, kept.words.clone())
    } else {
        Content::Text(kept.words.clone())
    };
    let held = outline.identities.iter().filter_map(|(id, assurance)| {
        Some(SenderIdentity { identity: facts.identity(*id)?.identity.clone(), assurance: *assurance })
    });
    let side = Sender { identities: held.collect(), ..Sender::default() };
    match kept.direction {
        Direction::FromCustomer => incoming.sender = side,
        Direction::FromAgent => incoming.recipient = side,
    }
    incoming
}

/// A message of which no more is known.
fn bare(id: MessageId, incoming: Incoming, at: Timestamp) -> Message {
    Message {
        id,
        raw_event: RawEventId(id.0),
        item: 0,
        tenant: String::new(),
        channel: String::new(),
        kind: String::new(),
        incoming,
        own_text: String::new(),
        occurred_at: at,
        trusted_at: at,
        received_at: at,
        assurance: Assurance::Asserted,
        facts: Vec::new(),
        passages: Vec::new(),
        quoted: Vec::new(),
        says_new_matter: false,
        says_is_back: false,
        says_nothing: true,
    }
}

/// Keys by which nothing is found.
fn keyless(id: MessageId) -> Lookup {
    Lookup {
        seen_scope: String::new(),
        seen_key: LookupKey(id.0),
        said: LookupKey(id.0),
        own: Vec::new(),
        references: Vec::new(),
        subject: Vec::new(),
        passages: Vec::new(),
        quoted: Vec::new(),
        topics: Vec::new(),
        facts: Vec::new(),
        claims_on: Vec::new(),
    }
}

fn place_again(
    kept: &Kept,
    message: &Message,
    lookup: &Lookup,
    facts: &Facts,
    blocks: &Blocks,
    mint: &mut IdMint,
    policy: &Policy,
) -> Decision {
    let contact = kept.identity.and_then(|identity| facts.contact_of(identity));
    let touched = kept.outline.identities.iter().filter_map(|(id, assurance)| {
        let identity = facts.identity(*id)?.identity.clone();
        Some(TouchedIdentity { id: *id, identity, assurance: *assurance, new: false })
    });
    let resolved = Resolved {
        resolution: contact.map_or(Resolution::Nobody, Resolution::Known),
        identity: kept.identity.filter(|_| contact.is_some()),
        sides: contact.into_iter().collect(),
        identities: touched.collect(),
        closed: Vec::new(),
        facts: Vec::new(),
        held_back: Vec::new(),
        edges: Vec::new(),
        suggestions: Vec::new(),
        is_tied: false,
        reasons: Vec::new(),
    };
    let mut placed = thread::place(message, lookup, &resolved, facts, mint, policy);
    let here = blocks.ticket_of(kept.id).map(|ticket| facts.ticket_now(ticket));
    let ruled = placed.placement.ticket().filter(|ticket| facts.ticket(*ticket).is_some());
    let is_ruled = match placed.placement {
        // It opens its block's ticket, or one that nobody put anything beside.
        Placement::Open { .. } => here.is_none(),
        Placement::None => !blocks.is_put(kept.id) && here.is_none(),
        // The rules lead where it was put, or it is free.
        _ => here == ruled && placed.moves.is_empty() || !blocks.is_put(kept.id),
    };
    if !is_ruled {
        placed = thread::put(message, lookup, &resolved, facts, here, mint, policy);
    } else if let (Some(block), Some(ruled)) = (here, ruled.filter(|ruled| Some(*ruled) != here)) {
        // What was put beside it, and was said before it, comes along.
        let why = "An agent put messages of it beside one that is there.".to_owned();
        placed.moves.push(Move { from: block, to: ruled, why });
    }
    let mut decision = nothing(message, ItemRole::First, message.id);
    decision.resolution = resolved.resolution;
    decision.identity = resolved.identity;
    decision.identities = resolved.identities;
    decision.placement = placed.placement;
    decision.entitled_by = placed.entitled_by;
    decision.anchors = placed.anchors;
    decision.moves = placed.moves;
    decision.suggestions = placed.suggestions;
    decision.reasons = placed.reasons;
    decision.triage = kept.triage.clone();
    decision
}

fn close_again(closing: &Closing, facts: &mut Facts) {
    let Some(said) = facts.said.get(&closing.on).cloned() else { return };
    let mut incoming = Incoming::new("", "");
    incoming.what = What::Close;
    let message = bare(closing.on, incoming, closing.at);
    let mut decision = nothing(&message, ItemRole::Update, closing.on);
    decision.placement = close::close(&message, &said, facts);
    let lookup = keyless(closing.on);
    facts.apply(&message, &lookup, &decision);
}

/// Gives the tickets their ids: that of the oldest ticket which one of their messages opened when it came, but none
/// that an agent put beside another, and before all the one that he put the others beside; else the one most of them
/// are on, if that is nobody else's; else a new one. Says which has which.
fn name(
    kept: &[&Kept],
    facts: &Facts,
    placed: BTreeMap<MessageId, TicketId>,
    mut reasons: BTreeMap<MessageId, Vec<Reason>>,
) -> (Rethreaded, BTreeMap<TicketId, TicketId>) {
    let mut groups: BTreeMap<TicketId, Vec<&Kept>> = BTreeMap::new();
    for kept in kept.iter().copied() {
        if let Some(ticket) = placed.get(&kept.id) {
            groups.entry(*ticket).or_default().push(kept);
        }
    }
    let mut names: BTreeMap<TicketId, TicketId> = BTreeMap::new();
    // A ticket goes where the message goes that opened it, under its own id or as an alias.
    let is_root = |kept: &&&Kept| kept.pinned_to == Some(kept.id);
    let is_free = |kept: &&&Kept| kept.pinned_to.is_none();
    let mut taken: BTreeSet<TicketId> =
        kept.iter().filter(|kept| is_free(kept) || is_root(kept)).filter_map(|kept| kept.opened).collect();
    for (group, said) in &groups {
        let root = said.iter().filter(is_root).filter_map(|kept| kept.opened).min();
        let oldest = said.iter().filter(is_free).filter_map(|kept| kept.opened).min();
        names.extend(root.or(oldest).map(|id| (*group, id)));
    }
    let mut rethreaded = Rethreaded::default();
    for (group, said) in &groups {
        let id = *names.entry(*group).or_insert_with(|| {
            let mut counts: BTreeMap<TicketId, usize> = BTreeMap::new();
            for ticket in said.iter().filter_map(|kept| kept.ticket).filter(|ticket| !taken.contains(ticket)) {
                *counts.entry(ticket).or_default() += 1;
            }
            let most = counts.into_iter().max_by_key(|(ticket, count)| (*count, std::cmp::Reverse(*ticket)));
            let id = most.map_or(*group, |(ticket, _)| ticket);
            taken.insert(id);
            id
        });
        if let Some(known) = facts.ticket(*group) {
            let root = said.iter().find(is_root).map(|kept| kept.id);
            let opened_by = root.or(said.iter().map(|kept| kept.id).min()).unwrap_or(known.ticket.opened_by);
            rethreaded.tickets.insert(id, Ticket { id, opened_by, ..known.ticket.clone() });
            let entitled = known.participants.iter().map(|(contact, by)| ((id, facts.contact_now(*contact)), *by));
            rethreaded.entitled.extend(entitled);
        }
        for kept in said {
            rethreaded.ticket_of.insert(kept.id, id);
        }
    }
    // Where a ticket continues another, that one may have got another id.
    for ticket in rethreaded.tickets.values_mut() {
        ticket.follow_up_of = ticket.follow_up_of.map(|of| names.get(&facts.ticket_now(of)).copied().unwrap_or(of));
    }
    reasons.retain(|message, _| rethreaded.ticket_of.contains_key(message));
    rethreaded.reasons = reasons;
    (rethreaded, names)
}
