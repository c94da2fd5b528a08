//! All that some people said, placed anew → which messages are on one ticket, and how each ticket stands.
//!
//! The rules are those of the first time ([`thread::place`]), in the order in which things were said and with what
//! is known now of who is who. Which id a ticket keeps does not depend on the order in which its messages came.
//! What an agent put beside a message is where that one is ([`Blocks`]), whatever the rules say.
//!
//! **Invariant:** deciding anew what stands already changes nothing.

use super::answer::on_message;
use super::pins::Blocks;
use super::resolve::Resolved;
use super::urgency::urgency;
use super::{acted, lead, nothing, thread};
use crate::pure::domain::Timestamp;
use crate::pure::domain::decision::{
    Decision, ItemRole, Move, Placement, Reason, Resolution, Suggestion, SuggestionTarget, TouchedIdentity,
};
use crate::pure::domain::facts::{AnchorKind, EntitledBy, Facts, Lookup, LookupKey};
use crate::pure::domain::id::{ContactId, IdMint, IdentityId, MessageId, RawEventId, TicketId};
use crate::pure::domain::identity::Assurance;
use crate::pure::domain::message::{
    Auto, Call, CallOutcome, Content, Direction, FactValue, Incoming, Mark, Message, MessageFact, On, Place, Reference,
    Sender, SenderIdentity, What,
};
use crate::pure::domain::outline::Outline;
use crate::pure::domain::policy::Policy;
use crate::pure::domain::say::{OnOther, Say};
use crate::pure::domain::ticket::{Priority, Ticket, TicketState};
use crate::pure::domain::triage::{Classified, Triage};
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
    /// The ticket that it opened when it came, if it did, with its number: tickets are numbered as they are made.
    pub opened: Option<(i64, TicketId)>,
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
    /// The ticket whose id those beside it keep, if an agent said so.
    pub pinned_on: Option<TicketId>,
    /// It is on a ticket that something points to, of people who are not decided on: it stays beside those it is with.
    pub is_beside: bool,
    /// The subject.
    pub subject: Option<String>,
    /// The first of its own words.
    pub words: String,
    /// Kind and urgency.
    pub triage: Triage,
    /// It is for colleagues only.
    pub is_note: bool,
    /// What an agent said of the ticket that it is on.
    pub classified: Option<Classified>,
    /// The rest.
    pub outline: Outline,
}

/// What the desk did with a ticket.
#[derive(Debug, Clone)]
pub struct Act {
    /// The message that it is on.
    pub on: MessageId,
    /// When.
    pub at: Timestamp,
    /// What it did.
    pub what: What,
    /// Its text: of an assignment, who has the ticket.
    pub text: String,
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
    pub why: Say,
}

/// Places messages, and what the desk did with their tickets, anew. `facts` holds the people, as they are known now, and no tickets.
pub fn rethread(kept: &[Kept], acts: &[Act], mut facts: Facts, mint: &mut IdMint, policy: &Policy) -> Rethreaded {
    let mut kept: Vec<&Kept> = kept.iter().collect();
    // What the desk did about a message comes after it, whenever its own clock says.
    // So does what a program answers: within the second, which is all that a mail tells of its time.
    let when = |kept: &Kept| match kept.auto.is_some_and(|auto| !auto.brings_matter()) {
        true => kept.occurred_at.max(kept.received_at),
        false => kept.occurred_at,
    };
    let times: BTreeMap<MessageId, Timestamp> = kept.iter().map(|kept| (kept.id, when(kept))).collect();
    kept.sort_by_key(|kept| {
        let on = kept.outline.on.and_then(|on| times.get(&on));
        (on.map_or(when(kept), |on| when(kept).max(*on)), on.is_some(), kept.id)
    });
    let mut noted: BTreeMap<MessageId, Vec<&Outline>> = BTreeMap::new();
    for note in &kept {
        noted.entry(note.outline.on.unwrap_or(note.id)).or_default().extend(note.outline.on.map(|_| &note.outline));
    }
    let due = |act: &Act| times.get(&act.on).map_or(act.at, |on| act.at.max(*on));
    let mut acts: Vec<&Act> = acts.iter().collect();
    acts.sort_by_key(|act| (due(act), act.on));
    let mut acts = acts.into_iter().peekable();
    let mut ticket_of: BTreeMap<MessageId, TicketId> = BTreeMap::new();
    let mut reasons: BTreeMap<MessageId, Vec<Reason>> = BTreeMap::new();
    let mut numbers: Vec<(MessageId, LookupKey, String)> = Vec::new();
    let mut blocks = Blocks::of(kept.iter().map(|kept| (kept.id, kept.pinned_to)));
    let mut pointed: Vec<Pointed> = Vec::new();
    let mut beside: BTreeMap<TicketId, TicketId> = BTreeMap::new();
    for kept in kept.iter().copied() {
        while let Some(act) = acts.next_if(|act| due(act) < when(kept)) {
            act_again(act, &mut facts);
        }
        let (mut message, mut lookup) = revive(kept, &facts);
        for note in noted.get(&kept.id).into_iter().flatten().filter(|_| kept.is_call) {
            tell(&mut message, &mut lookup, note);
        }
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
                let ticket = &mut known.ticket;
                ticket.classified = Classified::later(ticket.classified.take(), kept.classified.clone());
                ticket.heed();
            }
        }
        reasons.insert(kept.id, decision.reasons);
        // What an agent writes down is about the message that it is on.
        let about = kept.outline.on.unwrap_or(kept.id);
        pointed.extend(decision.suggestions.into_iter().filter_map(|suggestion| pointed_to(about, suggestion)));
        let named = decision.anchors.into_iter().filter(|(kind, ..)| *kind == AnchorKind::Number);
        numbers.extend(named.map(|(_, key, matter)| (kept.id, key, matter)));
    }
    acts.for_each(|act| act_again(act, &mut facts));
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
    let message = Message {
        channel: kept.channel.clone(),
        own_text: kept.words.clone(),
        trusted_at: kept.trusted_at,
        received_at: kept.received_at,
        assurance: kept.assurance,
        facts: numbers(outline).collect(),
        says_new_matter: outline.says_new_matter,
        says_is_back: outline.says_is_back,
        refers_back: outline.refers_back,
        says_nothing: outline.says_nothing,
        denies: Vec::new(),
        triage: kept.triage.clone(),
        routes: outline.routes.clone(),
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

fn numbers(outline: &Outline) -> impl Iterator<Item = MessageFact> {
    outline.numbers.iter().map(|(matter, role, _)| MessageFact {
        value: FactValue::Number { matter: matter.clone(), role: *role, value: String::new() },
        place: Place::Body,
    })
}

/// A call says nothing itself: what an agent noted of it is what was said.
fn tell(call: &mut Message, lookup: &mut Lookup, note: &Outline) {
    call.facts.extend(numbers(note));
    lookup.facts.extend(note.numbers.iter().map(|(.., key)| Some(*key)));
    lookup.topics.extend(note.topics.iter().cloned());
    call.says_new_matter |= note.says_new_matter;
    call.says_is_back |= note.says_is_back;
}

fn incoming(kept: &Kept, facts: &Facts) -> Incoming {
    let outline = &kept.outline;
    let mut incoming = Incoming::new("", "");
    incoming.direction = kept.direction;
    incoming.subject.clone_from(&kept.subject);
    incoming.auto = kept.auto;
    incoming.marks.extend(kept.is_note.then_some(Mark::Internal));
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
        refers_back: false,
        says_nothing: true,
        denies: Vec::new(),
        triage: Triage::none(Priority::Low),
        routes: Vec::new(),
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
        let why = OnOther::PutBeside.into();
        placed.moves.push(Move { from: block, to: ruled, why });
    }
    let mut decision = nothing(message, ItemRole::First, message.id);
    decision.urgency = urgency(message, &placed.placement, &resolved, facts, policy).0;
    decision.resolution = resolved.resolution;
    decision.identity = resolved.identity;
    decision.identities = resolved.identities;
    decision.placement = placed.placement;
    decision.entitled_by = placed.entitled_by;
    decision.anchors = placed.anchors;
    decision.moves = placed.moves;
    decision.suggestions = placed.suggestions;
    decision.reasons = placed.reasons;
    lead(&mut decision, message, contact, facts, policy);
    decision
}

fn act_again(act: &Act, facts: &mut Facts) {
    let mut incoming = Incoming::new("", "");
    (incoming.what, incoming.content) = (act.what, Content::Text(act.text.clone()));
    incoming.on = Some(on_message(act.on));
    let message = bare(act.on, incoming, act.at);
    let decision = acted(&message, facts);
    facts.apply(&message, &keyless(act.on), &decision);
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
    let is_home = |kept: &&&Kept| is_free(kept) || is_root(kept);
    let mut taken: BTreeSet<TicketId> = kept.iter().filter_map(|kept| kept.pinned_on).collect();
    let is_taken = |opened: &(i64, TicketId), taken: &BTreeSet<TicketId>| taken.contains(&opened.1);
    for (group, said) in &groups {
        let kept_by = said.iter().find_map(|kept| kept.pinned_on);
        let root = said.iter().filter(is_root).filter_map(|kept| kept.opened).filter(|o| !is_taken(o, &taken)).min();
        let oldest = said.iter().filter(is_free).filter_map(|kept| kept.opened).filter(|o| !is_taken(o, &taken)).min();
        names.extend(kept_by.or(root.or(oldest).map(|(_, id)| id)).map(|id| (*group, id)));
    }
    taken.extend(kept.iter().filter(is_home).filter_map(|kept| kept.opened).map(|(_, id)| id));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::contact::{Contact, ContactKind, KnownIdentity};
    use crate::pure::domain::identity::{Identity, MAILTO};
    use crate::pure::domain::phrases::{Denials, Phrases};
    use crate::pure::domain::policy::Windows;
    use std::time::Duration;
    use uuid::Uuid;

    fn policy() -> Policy {
        let day = Duration::from_secs(86_400);
        Policy {
            region: "FI".to_owned(),
            time_zone: jiff::tz::TimeZone::UTC,
            own_domains: Default::default(),
            agents: Vec::new(),
            public_domains: Default::default(),
            organisations: Default::default(),
            matters: Default::default(),
            lexicon: Default::default(),
            urgency: Default::default(),
            learnt: Default::default(),
            new_matter: Phrases::default(),
            is_back: Phrases::default(),
            again: Phrases::default(),
            said_before: Phrases::default(),
            not_mine: Phrases::default(),
            not_owner: Phrases::default(),
            not_there: Denials::default(),
            not_me: Phrases::default(),
            same_number: Phrases::default(),
            windows: Windows { chat_session: day / 32, one_open: day * 14, closed_continues: day * 3 },
            channel_windows: Default::default(),
            notices: Default::default(),
            automatic_max: 5,
            own_addresses: Default::default(),
            own_numbers: Default::default(),
            fact_key: [7; 32],
            mirrors: Vec::new(),
            rules: Default::default(),
            routing: Default::default(),
            channel_like: Default::default(),
        }
    }

    fn at(n: usize) -> Timestamp {
        Timestamp::from_second(1_772_697_600 + i64::try_from(n).unwrap() * 86_400).unwrap()
    }

    fn id(name: char) -> Uuid {
        Uuid::from_u128(name as u128)
    }

    /// `aM1 bP2 cM1>b`: messages, one a day, each with who said it and the ticket that it is on, which the first on
    /// it opened, and what it is pinned to; `-` is on none.
    fn kept(text: &str) -> Vec<Kept> {
        let mut opened: BTreeSet<TicketId> = BTreeSet::new();
        let mut all = Vec::new();
        for (n, word) in text.split_whitespace().enumerate() {
            let chars: Vec<char> = word.chars().collect();
            let ticket = chars[2].to_digit(10).map(|n| TicketId(Uuid::from_u128(n.into())));
            let pinned_to = chars.get(4).map(|to| MessageId(id(*to)));
            let is_first = ticket.is_some_and(|ticket| opened.insert(ticket));
            let identity = IdentityId(id(chars[1]));
            all.push(Kept {
                id: MessageId(id(chars[0])),
                channel: "mail".to_owned(),
                direction: Direction::FromCustomer,
                identity: Some(identity),
                ticket,
                opened: ticket.filter(|_| is_first).map(|ticket| (i64::try_from(n).unwrap(), ticket)),
                occurred_at: at(n),
                trusted_at: at(n),
                received_at: at(n),
                auto: None,
                assurance: Assurance::Verified,
                is_call: false,
                pinned_to,
                pinned_on: None,
                is_beside: false,
                subject: None,
                words: "Hei".to_owned(),
                triage: Triage::none(Priority::Normal),
                is_note: false,
                classified: None,
                outline: Outline { identities: vec![(identity, Assurance::Verified)], ..Outline::default() },
            });
        }
        all
    }

    fn people(kept: &[Kept]) -> Facts {
        let mut facts = Facts::default();
        for identity in kept.iter().filter_map(|kept| kept.identity).collect::<BTreeSet<_>>() {
            let contact = ContactId::of(identity);
            let known = Contact { id: contact, kind: ContactKind::Person, name: None, first_at: at(0) };
            facts.contacts.insert(contact, known);
            let address = format!("{}@posti.example", identity.0.as_u128());
            facts.take_identity(KnownIdentity {
                id: identity,
                identity: Identity { scheme: MAILTO.to_owned(), scope: String::new(), value: address },
                epoch: 1,
                closed_at: None,
                contact,
                assurance: Assurance::Verified,
                names: Vec::new(),
                first_at: at(0),
                last_at: at(0),
                last_ticket: None,
                last_message: None,
            });
        }
        facts
    }

    /// Messages by ticket, each with the number of its ticket; `*` is a new one.
    fn show(rethreaded: &Rethreaded) -> String {
        let mut groups: BTreeMap<TicketId, String> = BTreeMap::new();
        for (message, ticket) in &rethreaded.ticket_of {
            let name = char::from_u32(u32::try_from(message.0.as_u128()).unwrap()).unwrap();
            groups.entry(*ticket).or_default().push(name);
        }
        let number = |ticket: &TicketId| match ticket.0.as_u128() {
            n if n < 10 => n.to_string(),
            _ => "*".to_owned(),
        };
        let mut shown: Vec<String> = groups.iter().map(|(ticket, said)| format!("{said}{}", number(ticket))).collect();
        shown.sort();
        shown.join(" ")
    }

    #[test]
    fn what_is_pinned_goes_where_its_block_goes() {
        for (name, said, expected) in [
            ("nothing is pinned", "aM1 bP2 cM1", "ac1 b2"),
            ("beside somebody else's", "aM1 bP2 cM1>b", "a1 bc2"),
            ("beside what is later", "aM1>b bP2 cP2", "abc2"),
            ("who was put there goes on there", "aM1>b bP2 cM1", "abc2"),
            ("what is later stays by itself", "aM1 bP2 cM1>c dM1", "a1 b2 c* d*"),
            ("unless it is pinned too", "aM1>a bP2 cM1>c dM1>a", "ad1 b2 c*"),
            ("a chain", "aM1 bP2 cM1>d dP2>b", "a1 bcd2"),
            ("a whole ticket", "aM1>b bP2>b cM1>b", "abc2"),
            ("the rules place what it is beside", "aP2 bM1>c cP2 dM1", "abcd2"),
            ("what it was beside is gone", "aM1 bP2>z cM1>z", "a1 bc2"),
            ("from no ticket", "aM1 bP->a", "ab1"),
        ] {
            let kept = kept(said);
            let mut mint = IdMint::new(7);
            let rethreaded = rethread(&kept, &[], people(&kept), &mut mint, &policy());
            assert_eq!(show(&rethreaded), expected, "{name}");
            // In whatever order they were loaded, and again from what stands then.
            let mut turned = kept.clone();
            turned.reverse();
            let again = rethread(&turned, &[], people(&kept), &mut mint, &policy());
            assert_eq!(show(&again), expected, "{name}: turned round");
            for kept in &mut turned {
                kept.ticket = again.ticket_of.get(&kept.id).copied();
                let opened = again.tickets.values().find(|ticket| ticket.opened_by == kept.id);
                kept.opened = opened.map(|ticket| (1, ticket.id));
            }
            let third = rethread(&turned, &[], people(&kept), &mut mint, &policy());
            assert_eq!(third.ticket_of, again.ticket_of, "{name}: decided anew");
        }
    }
}
