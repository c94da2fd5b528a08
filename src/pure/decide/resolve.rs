//! Whose message is it → [`Resolution`], with the evidence for it and against it.
//!
//! Exact identifiers first; then the sender is gathered with those who turn out to be him
//! ([`gather`]), as far as this message bears on it. What is weaker becomes a suggestion.
//!
//! An address is one person's for an epoch: a number that a platform reported as left, and all that
//! was said of it while it was somebody else's, say nothing of who uses it now.
//!
//! **Invariant:** what can be forged never joins contacts and never adds to one.

use super::epochs::{self, can_be_passed_on};
use super::evidence::*;
use super::gather::{Gathered, gather};
use super::ledger::{Kind, Ledger, Member, Stated, Tie, Word};
use super::lookup::Keyer;
use crate::pure::domain::Timestamp;
use crate::pure::domain::contact::{KnownIdentity, is_role_address, take_names};
use crate::pure::domain::decision::*;
use crate::pure::domain::facts::*;
use crate::pure::domain::id::{ContactId, IdMint, IdentityId, MessageId};
use crate::pure::domain::identity::{Assurance, Identity, MAILTO, TOLD, mask};
use crate::pure::domain::message::{
    Direction, FactValue, Mark, MatterRole, Message, MessageFact, Place, ReferenceKind, What,
};
use crate::pure::domain::name::PersonName;
use crate::pure::domain::policy::Policy;
use crate::pure::domain::rule::{Rule, Rules};
use crate::pure::domain::say::{OnPerson, OnSender, Say};
use std::collections::{BTreeMap, BTreeSet};

/// References that are looked up for what the desk sent, the nearest.
pub const ANSWERED_MAX: usize = 2;

/// Whose it is, and all that was weighed.
#[derive(Debug)]
pub struct Resolved {
    /// The conclusion.
    pub resolution: Resolution,
    /// The customer's first identity.
    pub identity: Option<IdentityId>,
    /// Contacts that were apart before this message and are one now, the message's own first.
    pub sides: Vec<ContactId>,
    /// Identities brought or touched.
    pub identities: Vec<TouchedIdentity>,
    /// Identities that were somebody else's until now.
    pub closed: Vec<(IdentityId, Timestamp)>,
    /// Facts to be kept.
    pub facts: Vec<KeptFact>,
    /// Facts to be kept once the message is believed.
    pub held_back: Vec<KeptFact>,
    /// Evidence that joined.
    pub edges: Vec<Edge>,
    /// Evidence that did not.
    pub suggestions: Vec<Suggestion>,
    /// Others state the same, or state him, or he them: what else is known of them may say more.
    pub is_tied: bool,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// Finds out whose message it is.
pub fn resolve(message: &Message, lookup: &Lookup, facts: &Facts, mint: &mut IdMint, policy: &Policy) -> Resolved {
    if let Some(said) = message.incoming.on.as_ref().and_then(|on| facts.said.get(&on.message?)) {
        return of_same_side(message, lookup, said, facts, mint, policy.rules);
    }
    let weighing = Weighing::new(message, lookup, facts, mint, policy.rules);
    let Some(identity) = weighing.identities.first().map(|touched| touched.id) else {
        return weighing.nobody();
    };
    weighing.conclude(identity, mint, policy)
}

/// What an agent did is towards whoever said the message that it is on. What he wrote down of him, or told him,
/// is as good as said by himself: numbers of the matter, and in a note his name.
fn of_same_side(
    message: &Message,
    lookup: &Lookup,
    said: &Said,
    facts: &Facts,
    mint: &mut IdMint,
    rules: Rules,
) -> Resolved {
    let Some(known) = said.talk.identity.and_then(|identity| facts.identity(identity)) else {
        return of_told(message, lookup, said, mint, rules);
    };
    let contact = facts.contact_now(known.contact);
    let touched =
        TouchedIdentity { id: known.id, identity: known.identity.clone(), assurance: Assurance::Asserted, new: false };
    let is_held =
        |key: &LookupKey| facts.holders.get(key).into_iter().flatten().any(|holder| holder.identity == known.id);
    let mut kept = told_numbers(message, lookup, mint, rules);
    kept.retain(|fact| !is_held(&fact.key));
    let is_denied = message.incoming.marks.contains(&Mark::NotOwner);
    let went_to_him = message.incoming.recipient.identities.iter().any(|held| held.identity == known.identity);
    kept.extend(sent(message, lookup, mint).filter(|_| went_to_him));
    Resolved {
        resolution: Resolution::Known(contact),
        identity: Some(known.id),
        sides: vec![contact],
        identities: vec![touched],
        is_tied: !kept.is_empty() || message.incoming.marks.contains(&Mark::Internal),
        facts: kept,
        reasons: is_denied
            .then(|| Reason::new("not_owner", OnPerson::NotOwner))
            .into_iter()
            .chain(denial(message))
            .collect(),
        ..nothing()
    }
}

/// That somebody says what he did not use.
fn denial(message: &Message) -> Option<Reason> {
    (!message.denies.is_empty()).then(|| Reason::new("not_there", OnPerson::NotThere))
}

/// Who called without a number may be told of by a note: what it says of him is all that is known, and enough when
/// it names the matter.
fn of_told(message: &Message, lookup: &Lookup, said: &Said, mint: &mut IdMint, rules: Rules) -> Resolved {
    let on = message.incoming.on.as_ref().and_then(|on| on.message);
    let is_note = message.incoming.marks.contains(&Mark::Internal) && said.is_customers;
    let kept = told_numbers(message, lookup, mint, rules);
    let is_note = is_note && rules.heed(Rule::NotedCaller);
    let told = on.filter(|_| is_note && !kept.is_empty() && message.names().next().is_some());
    let Some(identity) = told.and_then(|on| Identity::opaque(TOLD, &said.talk.channel, &on.0.to_string()).ok()) else {
        return nothing();
    };
    let id = mint.dated(said.talk.at);
    Resolved {
        resolution: Resolution::New(ContactId::of(id)),
        identity: Some(id),
        identities: vec![TouchedIdentity { id, identity, assurance: Assurance::Plausible, new: true }],
        is_tied: true,
        facts: kept,
        reasons: vec![Reason::new("told_of", OnPerson::ToldByNote)],
        ..nothing()
    }
}

/// Numbers of the matter that an agent wrote to a customer, or wrote down of him.
fn told_numbers(message: &Message, lookup: &Lookup, mint: &mut IdMint, rules: Rules) -> Vec<KeptFact> {
    let keyed = message.facts.iter().zip(&lookup.facts).filter(|_| rules.heed(Rule::DeskNumbers));
    let numbers = keyed.filter(|(fact, _)| matches!(fact.value, FactValue::Number { .. }));
    let is_noted = message.incoming.marks.contains(&Mark::Internal);
    let kept = numbers.filter_map(|(fact, key)| {
        let place = match is_noted {
            true => Place::Noted,
            false if goes_to_one(message) => Place::Told,
            false => fact.place,
        };
        Some(keep(message, &fact.value, place, (*key)?, Assurance::Plausible, mint))
    });
    kept.collect()
}

/// Nobody, and nothing to say of him.
fn nothing() -> Resolved {
    Resolved {
        resolution: Resolution::Nobody,
        identity: None,
        sides: Vec::new(),
        identities: Vec::new(),
        closed: Vec::new(),
        facts: Vec::new(),
        held_back: Vec::new(),
        edges: Vec::new(),
        suggestions: Vec::new(),
        is_tied: false,
        reasons: Vec::new(),
    }
}

/// That the desk sent a message to the customer. Whoever else got it knows its id too, so that an answer to it
/// proves nothing.
fn sent(message: &Message, lookup: &Lookup, mint: &mut IdMint) -> Option<KeptFact> {
    let is_sent = message.incoming.direction == Direction::FromAgent
        && message.incoming.what == What::Message
        && !message.incoming.marks.contains(&Mark::Internal);
    let key = lookup.own_message().filter(|_| is_sent)?;
    let assurance = if goes_to_one(message) { Assurance::Verified } else { Assurance::Asserted };
    Some(desk_message(message, key, assurance, mint))
}

fn goes_to_one(message: &Message) -> bool {
    message.participants().collect::<BTreeSet<_>>().len() <= 1
}

fn desk_message(message: &Message, key: LookupKey, assurance: Assurance, mint: &mut IdMint) -> KeptFact {
    let id = mint.dated(message.received_at);
    let (name, mask, place) = (String::new(), String::new(), Place::Header);
    KeptFact { id, kind: FactKind::DeskMessage, name, role: None, key, mask, place, assurance, refused: false }
}

fn keep(
    message: &Message,
    value: &FactValue,
    place: Place,
    key: LookupKey,
    assurance: Assurance,
    mint: &mut IdMint,
) -> KeptFact {
    let (kind, name, role, mask) = describe(value);
    KeptFact { id: mint.dated(message.received_at), kind, name, role, key, mask, place, assurance, refused: false }
}

struct Weighing<'a> {
    message: &'a Message,
    lookup: &'a Lookup,
    facts: &'a Facts,
    identities: Vec<TouchedIdentity>,
    /// Identities that are somebody else's from now on.
    closed: Vec<(IdentityId, Timestamp)>,
    /// Contacts that the sender's own identities belong to.
    own: Vec<ContactId>,
    /// He named too many numbers of others lately: his are neither looked up nor kept, so that none counts later.
    is_guessing: bool,
    refused: Vec<LookupKey>,
    rules: Rules,
    reasons: Vec<Reason>,
}

impl<'a> Weighing<'a> {
    fn new(message: &'a Message, lookup: &'a Lookup, facts: &'a Facts, mint: &mut IdMint, rules: Rules) -> Self {
        let mut own: Vec<ContactId> = Vec::new();
        let mut identities = Vec::new();
        let mut closed = Vec::new();
        for held in &message.customer().identities {
            let mut known = facts.identity_at(&held.identity, message.trusted_at);
            let passed_on = |known: &&KnownIdentity| {
                is_passed_on((message, lookup), facts, known, rules)
                    || is_passed_on_by_claim((message, lookup), facts, known, rules)
            };
            if let Some(before) = known.filter(passed_on) {
                closed.push((before.id, message.trusted_at));
                known = None;
            }
            if let Some(contact) = known.map(|known| facts.contact_now(known.contact))
                && !own.contains(&contact)
            {
                own.push(contact);
            }
            identities.push(TouchedIdentity {
                id: known.map_or_else(|| mint.dated(message.received_at), |known| known.id),
                identity: held.identity.clone(),
                assurance: held.assurance,
                new: known.is_none(),
            });
        }
        let mut reasons = Vec::new();
        if !closed.is_empty() {
            reasons.push(Reason::new("passed_on", OnPerson::PassedOn));
        }
        let has_numbers = message.facts.iter().any(|fact| matches!(fact.value, FactValue::Number { .. }));
        let is_guessing = has_numbers && rules.heed(Rule::Guessing) && !may_guess(facts, message);
        if is_guessing {
            reasons.push(Reason::new("guessing", OnPerson::Guessing));
        }
        Self { message, lookup, facts, identities, closed, own, is_guessing, refused: Vec::new(), rules, reasons }
    }

    /// Evidence is weighed for what customers say themselves, from an identifier that is one
    /// person's and not denied by its domain.
    fn may_weigh(&self) -> bool {
        self.message.incoming.direction == Direction::FromCustomer
            && self.message.incoming.auto.is_none()
            && !is_contradicted(self.message)
            && !self.own.iter().any(|contact| is_shared(self.facts, *contact, self.rules))
            && !self
                .identities
                .iter()
                .any(|touched| is_role_address(&touched.identity) && self.rules.heed(Rule::RoleMailbox))
    }

    fn is_own(&self, contact: ContactId) -> bool {
        self.own.contains(&contact)
    }

    /// Facts that are looked up. Numbers are none while the sender is guessing.
    fn keyed_facts(&self) -> impl Iterator<Item = (&'a MessageFact, LookupKey)> + use<'a> {
        let is_guessing = self.is_guessing;
        let facts = self.message.facts.iter().zip(&self.lookup.facts);
        let facts = facts.filter_map(|(fact, key)| Some((fact, (*key)?)));
        facts.filter(move |(fact, _)| !is_guessing || !matches!(fact.value, FactValue::Number { .. }))
    }

    /// Others who may be the sender: who states what he states, or him, or is stated by him.
    fn others(&self) -> BTreeSet<ContactId> {
        let is_weighed = |fact: &MessageFact| !matches!(fact.value, FactValue::Name(_) | FactValue::Company(_));
        let keys = self.keyed_facts().filter(|(fact, _)| is_weighed(fact)).map(|(_, key)| key);
        let keys = keys.chain(self.lookup.claims_on.iter().copied()).chain(self.answered());
        let holders = keys.flat_map(|key| self.facts.holders.get(&key).into_iter().flatten());
        let holders = holders.filter_map(|holder| self.facts.contact_of(holder.identity));
        let stated = self.keyed_facts().filter_map(|(fact, _)| match &fact.value {
            FactValue::Claim(identity) => Some(self.facts.identity_at(identity, self.message.trusted_at)?.contact),
            _ => None,
        });
        let stated = stated.map(|contact| self.facts.contact_now(contact));
        let before = self.message.customer().identities.iter().flat_map(|held| self.facts.epochs(&held.identity));
        let before = before.map(|known| self.facts.contact_now(known.contact));
        holders.chain(stated).chain(before).filter(|contact| !self.is_own(*contact)).collect()
    }

    /// All that is known, as far as this message bears on it.
    fn ledger(&self, others: &BTreeSet<ContactId>, policy: &Policy) -> Ledger {
        let keyer = Keyer::new(policy, &self.message.tenant);
        let mut ledger = Ledger { namesakes_within: policy.windows.one_open, rules: policy.rules, ..Ledger::default() };
        for contact in self.own.iter().chain(others) {
            let is_shared = is_shared(self.facts, *contact, self.rules);
            for known in self.facts.identities_of(*contact) {
                let since = self.facts.epochs(&known.identity).into_iter().filter(|other| other.epoch < known.epoch);
                ledger.members.push(Member {
                    id: known.id,
                    identity: known.identity.clone(),
                    claim: keyer.claim(&known.identity),
                    since: since.filter_map(|other| other.closed_at).max(),
                    until: known.closed_at,
                    assurance: known.assurance,
                    names: known.names.clone(),
                    first_at: known.first_at,
                    last_at: known.last_at,
                    last_call_at: None,
                    called_at: None,
                    is_shared,
                    firm: firm(&known.identity, policy).map(str::to_owned),
                });
            }
        }
        let adds = self.message.assurance > Assurance::Asserted;
        let called_at = is_call(self.message).then_some(self.message.trusted_at);
        let names: Vec<PersonName> = self.message.names().cloned().collect();
        let stated: Vec<PersonName> = self.message.stated_names().cloned().collect();
        for touched in &self.identities {
            match ledger.members.iter_mut().find(|member| member.id == touched.id) {
                Some(member) => {
                    member.last_at = member.last_at.max(self.message.trusted_at);
                    member.last_call_at = called_at;
                    // What nobody vouches for names nobody who is known.
                    if adds || member.names.is_empty() {
                        take_names(&mut member.names, member.since.is_none(), &names, &stated);
                    }
                }
                None => {
                    let since = self.facts.epoch_began(&touched.identity, self.message.trusted_at);
                    let mut his = Vec::new();
                    take_names(&mut his, since.is_none(), &names, &stated);
                    ledger.members.push(Member {
                        id: touched.id,
                        identity: touched.identity.clone(),
                        claim: keyer.claim(&touched.identity),
                        since,
                        until: None,
                        assurance: touched.assurance,
                        names: his,
                        first_at: self.message.trusted_at,
                        last_at: self.message.trusted_at,
                        last_call_at: called_at,
                        called_at: None,
                        is_shared: false,
                        firm: firm(&touched.identity, policy).map(str::to_owned),
                    });
                }
            }
        }
        self.statements(&mut ledger);
        self.vouched_together(&mut ledger);
        ledger.words.extend(self.facts.apart.iter().map(|(a, b)| (*a, *b, Word::Apart)));
        ledger
    }

    fn statements(&self, ledger: &mut Ledger) {
        let Some(own) = self.identities.first() else { return };
        let mut shown_keys: BTreeMap<LookupKey, (Kind, String)> = BTreeMap::new();
        for (fact, key) in self.keyed_facts() {
            let what = match &fact.value {
                FactValue::Number { matter, value, .. } => (Kind::Number, format!("{matter} {}", mask("", value))),
                FactValue::Claim(identity) => (Kind::Claim, identity.masked()),
                FactValue::Name(_) => (Kind::Name, String::new()),
                FactValue::Company(_) => (Kind::Company, String::new()),
            };
            ledger.stated.push(Stated {
                kind: what.0,
                key,
                shown: what.1.clone(),
                by: own.id,
                message: self.message.id,
                at: self.message.trusted_at,
                assurance: self.message.assurance,
                place: fact.place,
            });
            shown_keys.insert(key, what);
        }
        for key in self.answered() {
            let (by, message, at) = (own.id, self.message.id, self.message.trusted_at);
            let (shown, assurance) = (String::new(), self.message.assurance);
            ledger.stated.push(Stated {
                kind: Kind::DeskMessage,
                key,
                shown,
                by,
                message,
                at,
                assurance,
                place: Place::Header,
            });
            shown_keys.insert(key, (Kind::DeskMessage, String::new()));
        }
        for (key, held) in self.lookup.claims_on.iter().zip(&self.message.customer().identities) {
            shown_keys.entry(*key).or_insert_with(|| (Kind::Claim, held.identity.masked()));
        }
        for (key, (kind, shown)) in shown_keys {
            let held = self.facts.holders.get(&key).into_iter().flatten().map(|holder| Stated {
                kind,
                key,
                shown: shown.clone(),
                by: holder.identity,
                message: holder.message,
                at: holder.at,
                assurance: holder.assurance,
                place: holder.place,
            });
            ledger.stated.extend(held);
        }
    }

    /// One delivery that vouches for several identities joins the contacts they belonged to.
    fn vouched_together(&self, ledger: &mut Ledger) {
        let identities = self.identities.iter().filter(|_| self.rules.heed(Rule::PlatformVouches));
        let mut verified = identities.filter(|touched| touched.assurance == Assurance::Verified);
        if let Some(first) = verified.next() {
            ledger.words.extend(verified.map(|other| (first.id, other.id, Word::Platform)));
        }
    }

    /// Gathers the sender with those who turn out to be him.
    fn gather(&mut self, policy: &Policy) -> Gathered {
        let mut others = self.others();
        others.extend(self.namesakes(policy));
        if others.is_empty() && self.own.len() < 2 {
            return Gathered::default();
        }
        let ledger = self.ledger(&others, policy);
        let group = |contact: &ContactId| self.facts.identities_of(*contact).map(|known| known.id).collect();
        let mut start: Vec<BTreeSet<IdentityId>> = self.own.iter().chain(&others).map(group).collect();
        // New addresses of one delivery are one sender's.
        let new = self.identities.iter().filter(|touched| touched.new).map(|touched| touched.id);
        match start.first_mut().filter(|_| !self.own.is_empty()) {
            Some(own) => own.extend(new),
            None => start.push(new.collect()),
        }
        let gathered = gather(&ledger, &start);
        self.count_guesses(&gathered, &ledger);
        gathered
    }

    /// Numbers that others hold, and who turned out not to be the sender, are failed guesses.
    fn count_guesses(&mut self, gathered: &Gathered, ledger: &Ledger) {
        let Some(own) = self.identities.first() else { return };
        let Some(group) = gathered.groups.iter().find(|group| group.contains(&own.id)) else { return };
        let numbers = || ledger.stated.iter().filter(|stated| stated.kind == Kind::Number);
        for stated in numbers().filter(|stated| stated.message == self.message.id) {
            let known = || numbers().filter(|other| other.key == stated.key && other.message != self.message.id);
            if known().next().is_some() && !known().any(|other| group.contains(&other.by)) {
                self.refused.push(stated.key);
            }
        }
    }

    /// Others of the same full name: who is of the same firm, and whoever else was heard of within days.
    fn namesakes(&self, policy: &Policy) -> BTreeSet<ContactId> {
        let within_s = policy.windows.one_open.as_secs();
        let is_near =
            |holder: &Holder| (holder.at.as_second() - self.message.trusted_at.as_second()).unsigned_abs() <= within_s;
        let contact = |holder: &Holder| self.facts.contact_of(holder.identity).filter(|contact| !self.is_own(*contact));
        let held = |key: &LookupKey| self.facts.holders.get(key).into_iter().flatten();
        let of = |is_kind: fn(&FactValue) -> bool| self.keyed_facts().filter(move |(fact, _)| is_kind(&fact.value));
        let firms: Vec<&str> = self.identities.iter().filter_map(|touched| firm(&touched.identity, policy)).collect();
        let colleagues: BTreeSet<ContactId> = of(|value| matches!(value, FactValue::Company(_)))
            .flat_map(|(_, key)| held(&key).filter_map(contact).collect::<Vec<_>>())
            .collect();
        let is_colleague = |other: &ContactId| {
            let mut his = self.facts.identities_of(*other).filter_map(|known| firm(&known.identity, policy));
            colleagues.contains(other) || his.any(|his| firms.contains(&his))
        };
        let mut found = BTreeSet::new();
        for (_, key) in of(|value| matches!(value, FactValue::Name(_))) {
            found.extend(held(&key).filter_map(contact).filter(is_colleague));
            found.extend(held(&key).filter(|holder| is_near(holder)).filter_map(contact));
        }
        found
    }

    fn nobody(self) -> Resolved {
        let mut reasons = self.reasons;
        reasons.push(Reason::new("nobody", OnPerson::NoIdentity));
        Resolved { reasons, ..nothing() }
    }

    fn conclude(mut self, identity: IdentityId, mint: &mut IdMint, policy: &Policy) -> Resolved {
        let weighs = self.may_weigh();
        let gathered = if weighs { self.gather(policy) } else { Gathered::default() };
        let is_tied = gathered.groups.len() > 1 || !gathered.joined.is_empty() || !self.message.denies.is_empty();
        self.reasons.extend(denial(self.message));
        let nobody = BTreeSet::new();
        let group = gathered.groups.iter().find(|group| group.contains(&identity)).unwrap_or(&nobody);
        let mut sides: Vec<ContactId> = self.own.first().copied().into_iter().collect();
        for contact in group.iter().filter_map(|id| self.facts.contact_of(*id)) {
            if !sides.contains(&contact) {
                sides.push(contact);
            }
        }
        let joined = gathered.joined.iter().filter(|tie| group.contains(&tie.from));
        let mut edges: Vec<Edge> = joined.map(|tie| self.edge(tie, mint)).collect();
        edges.extend(self.new_together(mint));
        let refused = gathered.refused.iter().filter(|tie| tie.from_group(group).is_some());
        let refused = refused.map(|tie| Reason { bits: None, ..self.reason("names_conflict", tie) });
        let refused: Vec<Reason> = refused.collect();
        self.reasons.extend(refused);
        let mut suggestions = Vec::new();
        for tie in &gathered.suggested {
            let Some((other, stated)) = tie.from_group(group) else { continue };
            let contact = self.facts.contact_of(other).filter(|contact| !sides.contains(contact));
            let Some(contact) = contact else { continue };
            let stated = stated.filter(|message| *message != self.message.id && !self.is_desks(*message));
            if let Some(message) = stated.or_else(|| self.message_of(contact)) {
                suggestions.push(self.suggestion(contact, message, (tie.class, tie.bits, &tie.why), mint));
            }
        }
        let resolution = self.resolution(&sides, identity);
        let kept = self.kept_facts(mint);
        // What a denied mail states is its own until it is believed.
        let (facts, held_back) = if is_contradicted(self.message) { (Vec::new(), kept) } else { (kept, Vec::new()) };
        Resolved {
            resolution,
            identity: Some(identity),
            sides,
            identities: self.identities,
            closed: self.closed,
            facts,
            held_back,
            edges,
            suggestions,
            is_tied,
            reasons: self.reasons,
        }
    }

    /// That the platform vouches for addresses at once is written down when it says so first.
    fn new_together(&self, mint: &mut IdMint) -> Vec<Edge> {
        let Some(first) = self.identities.first() else { return Vec::new() };
        let others = self.identities.iter().skip(1).filter(|_| self.rules.heed(Rule::PlatformVouches));
        let others = others.filter(|other| other.new || first.new || self.own.len() > 1);
        let edge = |other: &TouchedIdentity| Edge {
            id: mint.dated(self.message.received_at),
            from: first.id,
            to: other.id,
            class: EvidenceClass::SameId,
            bits: BITS_SAME_ID,
            by_message: None,
        };
        others.map(edge).collect()
    }

    /// What evidence says, with the other messages that it comes from.
    fn reason(&self, rule: &str, tie: &Tie) -> Reason {
        // Whoever stated nothing himself is shown by his last message.
        let last = |id: IdentityId| self.facts.identity(id).and_then(|known| known.last_message);
        let sides = [tie.messages.0.or_else(|| last(tie.from)), tie.messages.1.or_else(|| last(tie.to))];
        let from = sides.into_iter().flatten().filter(|message| *message != self.message.id).collect();
        Reason { bits: Some(tie.bits), from, ..Reason::new(rule, tie.why.clone()) }
    }

    fn edge(&mut self, tie: &Tie, mint: &mut IdMint) -> Edge {
        self.reasons.push(self.reason(tie.class.as_str(), tie));
        let other = [tie.messages.0, tie.messages.1].into_iter().flatten().find(|message| *message != self.message.id);
        let id = mint.dated(self.message.received_at);
        Edge { id, from: tie.from, to: tie.to, class: tie.class, bits: tie.bits, by_message: other }
    }

    fn suggestion(
        &self,
        contact: ContactId,
        message: MessageId,
        (class, bits, why): (EvidenceClass, i16, &Say),
        mint: &mut IdMint,
    ) -> Suggestion {
        Suggestion {
            id: mint.dated(self.message.received_at),
            target: SuggestionTarget::Contact(contact),
            message,
            class: Some(class),
            bits,
            why: why.clone(),
        }
    }

    /// The desk wrote the message: what it says of the other side is no word of his to look at.
    fn is_desks(&self, message: MessageId) -> bool {
        let mut holders = self.facts.holders.values().flatten();
        holders.any(|holder| holder.message == message && holder.place == Place::Told)
    }

    fn message_of(&self, contact: ContactId) -> Option<MessageId> {
        self.facts.identities_of(contact).filter_map(|known| known.last_message).max()
    }

    fn resolution(&mut self, sides: &[ContactId], first: IdentityId) -> Resolution {
        match sides {
            [] => {
                self.reasons.push(self.newcomer());
                Resolution::New(ContactId::of(first))
            }
            [only] => {
                if is_contradicted(self.message) {
                    self.reasons.push(Reason::new("contradicted", OnSender::DeniedAgain));
                } else if self.own.first() == Some(only) {
                    self.reasons.push(Reason::new("same_id", OnPerson::SameAddress));
                }
                Resolution::Known(*only)
            }
            several => {
                let keep = several.iter().copied().min().unwrap_or(several[0]);
                Resolution::Merge { keep, absorb: several.iter().copied().filter(|contact| *contact != keep).collect() }
            }
        }
    }

    /// Why there is a new contact.
    fn newcomer(&self) -> Reason {
        if !is_contradicted(self.message) {
            return Reason::new("new_contact", OnPerson::NewContact);
        }
        let is_known = self.message.impersonated().any(|named| self.facts.identities.contains_key(&named));
        Reason::new("contradicted", if is_known { OnSender::DeniedKnown } else { OnSender::DeniedUnknown })
    }

    /// Facts of customers that are not yet held for this identity.
    fn kept_facts(&self, mint: &mut IdMint) -> Vec<KeptFact> {
        if self.message.incoming.direction == Direction::FromAgent {
            return sent(self.message, self.lookup, mint).into_iter().collect();
        }
        let own: Vec<IdentityId> = self.identities.iter().map(|touched| touched.id).collect();
        // What was stated by whoever has an address only for a time goes with the message.
        let is_lasting = !self.identities.iter().any(|touched| can_be_passed_on(&touched.identity, touched.assurance));
        let mut kept: Vec<KeptFact> = Vec::new();
        for (fact, key) in self.keyed_facts() {
            let held = self.facts.holders.get(&key).into_iter().flatten();
            let at = self.message.trusted_at;
            let is_said = fact.place == Place::Body;
            let known = held.clone().any(|h| {
                own.contains(&h.identity)
                    && h.assurance >= self.message.assurance
                    && h.at <= at
                    && (h.place == Place::Body) >= is_said
            });
            if (known && is_lasting) || kept.iter().any(|k| k.key == key) {
                continue;
            }
            let fact = keep(self.message, &fact.value, fact.place, key, self.message.assurance, mint);
            // What he had named before was counted then.
            let is_again = held.clone().any(|h| own.contains(&h.identity));
            kept.push(KeptFact { refused: !is_again && self.refused.contains(&key), ..fact });
        }
        kept.extend(self.answered().map(|key| desk_message(self.message, key, self.message.assurance, mint)));
        kept
    }

    /// Messages of the desk's that it answers, as far as it is known to whom they went.
    fn answered(&self) -> impl Iterator<Item = LookupKey> + use<'a> {
        let facts = self.facts;
        let references = self.message.incoming.references.iter().zip(&self.lookup.references);
        let is_answer = |kind| matches!(kind, ReferenceKind::Reply | ReferenceKind::Ancestor);
        let is_sent = move |key: &LookupKey| {
            let mut anchors = facts.anchors.get(key).into_iter().flatten();
            facts.holders.contains_key(key) && anchors.any(|anchor| anchor.direction == Direction::FromAgent)
        };
        let nearest = references.filter(move |(reference, _)| is_answer(reference.kind)).map(|(_, key)| *key);
        nearest.take(ANSWERED_MAX).filter(is_sent).take(1)
    }
}

/// Whether an address has been passed on to the sender, as far as that is known when he writes.
fn is_passed_on((message, lookup): (&Message, &Lookup), facts: &Facts, known: &KnownIdentity, rules: Rules) -> bool {
    let names: Vec<&PersonName> = message.names().collect();
    let owner = (known.names.as_slice(), known.last_at);
    let address = (&known.identity, known.assurance);
    let owners = usize::try_from(known.epoch).unwrap_or(1);
    let user = (names.as_slice(), message.trusted_at, message.assurance);
    let stated: Vec<&PersonName> = message.stated_names().collect();
    let known_as: Vec<&PersonName> = known.names.iter().collect();
    let since = claims_on((message, lookup), facts).filter(|(claim, _)| claim.at > known.last_at);
    let rivals: Vec<&PersonName> = since.flat_map(|(_, by)| &by.names).collect();
    let user_names = (names.as_slice(), stated.as_slice(), message.assurance);
    let is_handed_on = epochs::is_handed_on(&known.identity, (&known_as, &rivals), user_names, rules);
    message.incoming.direction != Direction::FromAgent
        && (is_handed_on
            || epochs::is_passed_on(address, owner, user, rules)
            || epochs::is_unnamed_next(address, owners, (&names, is_same_talk(message, lookup, facts)), rules))
}

/// Whether something of the vendor's conversation is known; also where the vendor has none.
fn is_same_talk(message: &Message, lookup: &Lookup, facts: &Facts) -> bool {
    let references = message.incoming.references.iter().zip(&lookup.references);
    let mut talks =
        references.filter(|(reference, _)| reference.kind == ReferenceKind::Conversation).map(|(_, key)| key);
    talks.next().is_none_or(|key| facts.anchors.get(key).is_some_and(|anchors| !anchors.is_empty()))
}

/// Claims in mails, by senders who are vouched for, of the addresses that a message came from.
fn claims_on<'a>(
    (message, lookup): (&Message, &Lookup),
    facts: &'a Facts,
) -> impl Iterator<Item = (&'a Holder, &'a KnownIdentity)> {
    let claims = lookup.claims_on.iter().filter_map(|key| facts.holders.get(key)).flatten();
    let claims = claims.filter(|claim| claim.assurance >= Assurance::Plausible && claim.at <= message.trusted_at);
    claims
        .filter_map(|claim| Some((claim, facts.identity(claim.identity)?)))
        .filter(|(_, by)| by.identity.scheme == MAILTO)
}

/// Whether an address has been given by somebody else as his since it was used last.
fn is_passed_on_by_claim(
    (message, lookup): (&Message, &Lookup),
    facts: &Facts,
    known: &KnownIdentity,
    rules: Rules,
) -> bool {
    let of_contact = facts.identities_of(facts.contact_now(known.contact));
    let known_as: Vec<&PersonName> = known.names.iter().chain(of_contact.flat_map(|known| &known.names)).collect();
    message.incoming.direction == Direction::FromCustomer
        && claims_on((message, lookup), facts).any(|(claim, by)| {
            let names: Vec<&PersonName> = by.names.iter().collect();
            let owner = (known_as.iter().copied(), known.last_at);
            epochs::is_passed_on_by_claim((&known.identity, known.assurance), owner, (&names, claim.at), rules)
        })
}

fn describe(value: &FactValue) -> (FactKind, String, Option<MatterRole>, String) {
    match value {
        FactValue::Name(name) => (FactKind::Name, String::new(), None, mask("", name.written())),
        FactValue::Company(company) => (FactKind::Company, String::new(), None, mask("", company.written())),
        FactValue::Claim(identity) => (FactKind::Claim, identity.scheme.clone(), None, identity.masked()),
        FactValue::Number { matter, role, value } => (FactKind::Number, matter.clone(), Some(*role), mask("", value)),
    }
}
