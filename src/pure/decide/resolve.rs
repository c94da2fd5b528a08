//! Whose message is it → [`Resolution`], with the evidence for it and against it.
//!
//! Exact identifiers first; then, for a sender who is vouched for, the stronger evidence of
//! IDENTITY.md 4.2: the same secret number with agreeing names, a caller's number named earlier in
//! an authenticated mail, two sides that name each other. What is weaker becomes a suggestion.
//!
//! An address is one person's for an epoch: a number that a platform reported as left, and all that
//! was said of it while it was somebody else's, say nothing of who uses it now.
//!
//! **Invariant:** what can be forged never joins contacts and never adds to one.

use super::evidence::*;
use crate::pure::domain::Timestamp;
use crate::pure::domain::contact::CONTACT_IDENTITIES_MAX;
use crate::pure::domain::decision::*;
use crate::pure::domain::facts::*;
use crate::pure::domain::id::{ContactId, IdMint, IdentityId, MessageId};
use crate::pure::domain::identity::{Assurance, MAILTO, TEL, mask};
use crate::pure::domain::message::{Direction, FactValue, Message, SenderIdentity};
use crate::pure::domain::name::PersonName;
use crate::pure::domain::policy::Policy;
use std::collections::BTreeMap;

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
    /// Facts to be kept.
    pub facts: Vec<KeptFact>,
    /// Evidence that joined.
    pub edges: Vec<Edge>,
    /// Evidence that did not.
    pub suggestions: Vec<Suggestion>,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// Evidence towards one other contact.
#[derive(Debug, Clone)]
struct Evidence {
    contact: ContactId,
    identity: IdentityId,
    message: Option<MessageId>,
    class: EvidenceClass,
    bits: i16,
    strong: bool,
    why: String,
}

/// Finds out whose message it is.
pub fn resolve(message: &Message, lookup: &Lookup, facts: &Facts, mint: &mut IdMint, policy: &Policy) -> Resolved {
    if let Some(said) = message.incoming.on.as_ref().and_then(|on| facts.said.get(&on.message?)) {
        return of_same_side(said, facts);
    }
    let mut weighing = Weighing::new(message, lookup, facts, mint);
    let Some(identity) = weighing.identities.first().map(|touched| touched.id) else {
        return weighing.nobody();
    };
    let mut evidence = Vec::new();
    if weighing.may_weigh() {
        evidence.extend(weighing.numbers());
        evidence.extend(weighing.caller_named());
        evidence.extend(weighing.claims());
        evidence.extend(weighing.claimed_by_others());
        evidence.extend(weighing.namesakes(policy));
    }
    weighing.conclude(identity, evidence, mint)
}

/// What an agent did is towards whoever said the message that it is on. It tells nothing of who that is.
fn of_same_side(said: &Said, facts: &Facts) -> Resolved {
    let known = said.talk.identity.and_then(|identity| facts.identity(identity));
    let contact = known.map(|known| facts.contact_now(known.contact));
    let touched = known.map(|known| TouchedIdentity {
        id: known.id,
        identity: known.identity.clone(),
        assurance: Assurance::Asserted,
        new: false,
    });
    Resolved {
        resolution: contact.map_or(Resolution::Nobody, Resolution::Known),
        identity: known.map(|known| known.id),
        sides: contact.into_iter().collect(),
        identities: touched.into_iter().collect(),
        facts: Vec::new(),
        edges: Vec::new(),
        suggestions: Vec::new(),
        reasons: Vec::new(),
    }
}

struct Weighing<'a> {
    message: &'a Message,
    lookup: &'a Lookup,
    facts: &'a Facts,
    identities: Vec<TouchedIdentity>,
    /// Contacts that the sender's own identities belong to.
    own: Vec<ContactId>,
    /// Keys of claims on the sender's own identities, and since when those are his.
    claims_on: Vec<(LookupKey, Option<Timestamp>)>,
    names: Vec<&'a PersonName>,
    refused: Vec<LookupKey>,
    reasons: Vec<Reason>,
}

impl<'a> Weighing<'a> {
    fn new(message: &'a Message, lookup: &'a Lookup, facts: &'a Facts, mint: &mut IdMint) -> Self {
        let mut own: Vec<ContactId> = Vec::new();
        let mut identities = Vec::new();
        for held in &message.customer().identities {
            let known = facts.identity_at(&held.identity, message.trusted_at);
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
        let began = |held: &SenderIdentity| facts.epoch_began(&held.identity, message.trusted_at);
        let held = message.customer().identities.iter().map(began);
        let claims_on = lookup.claims_on.iter().copied().zip(held).collect();
        let mut names: Vec<&PersonName> = message.names().collect();
        if names.is_empty() {
            names =
                own.iter().flat_map(|contact| facts.identities_of(*contact)).flat_map(|known| &known.names).collect();
        }
        Self { message, lookup, facts, identities, own, claims_on, names, refused: Vec::new(), reasons: Vec::new() }
    }

    /// Evidence is weighed for what customers say themselves, from an identifier that is one
    /// person's and not denied by its domain.
    fn may_weigh(&self) -> bool {
        self.message.incoming.direction == Direction::FromCustomer
            && self.message.incoming.auto.is_none()
            && !is_contradicted(self.message)
            && !self.own.iter().any(|contact| is_shared(self.facts, *contact))
            && !self.identities.iter().any(|touched| crate::pure::domain::contact::is_role_address(&touched.identity))
    }

    fn is_own(&self, contact: ContactId) -> bool {
        self.own.contains(&contact)
    }

    /// A sender whom the channel vouches for at least plausibly may join; others only suggest.
    fn may_join(&self) -> bool {
        self.message.assurance >= Assurance::Plausible
    }

    /// Earlier statements of a fact by others, the latest one of each contact.
    fn others(&self, key: LookupKey) -> BTreeMap<ContactId, &'a Holder> {
        let mut others = BTreeMap::new();
        for holder in self.facts.holders.get(&key).into_iter().flatten() {
            if let Some(contact) = self.facts.contact_of(holder.identity)
                && !self.is_own(contact)
                && !is_shared(self.facts, contact)
            {
                others.entry(contact).or_insert(holder);
            }
        }
        others
    }

    /// Others who claimed an identity of the sender's since it is his.
    fn claimants(&self) -> Vec<(ContactId, &'a Holder)> {
        let since = |(key, began): &(LookupKey, Option<Timestamp>)| {
            let began = *began;
            let others = self.others(*key).into_iter();
            others.filter(move |(_, holder)| began.is_none_or(|began| holder.at >= began)).collect::<Vec<_>>()
        };
        self.claims_on.iter().flat_map(since).collect()
    }

    fn names_of(&self, contact: ContactId) -> impl Iterator<Item = &'a PersonName> {
        self.facts.identities_of(contact).flat_map(|known| &known.names)
    }

    fn keyed_facts(&self) -> impl Iterator<Item = (&'a FactValue, LookupKey)> {
        let lookup = self.lookup;
        self.message.facts.iter().zip(&lookup.facts).filter_map(|(fact, key)| Some((&fact.value, (*key)?)))
    }

    /// The other contact has stated an identifier of ours, or we one of his.
    fn names_the_other(&self, contact: ContactId) -> bool {
        let he_names_us = self.claimants().iter().any(|(claimant, _)| *claimant == contact);
        he_names_us || self.claimed_identities().any(|(_, known)| self.facts.contact_now(known.contact) == contact)
    }

    fn claimed_identities(&self) -> impl Iterator<Item = (LookupKey, &'a crate::pure::domain::contact::KnownIdentity)> {
        self.keyed_facts().filter_map(|(value, key)| match value {
            FactValue::Claim(identity) => Some((key, self.facts.identity_at(identity, self.message.trusted_at)?)),
            _ => None,
        })
    }

    /// The same secret number.
    fn numbers(&mut self) -> Vec<Evidence> {
        let mut found = Vec::new();
        if !may_guess(self.facts, self.message) {
            self.reasons.push(Reason::new(
                "guessing",
                "Too many numbers of others were named; numbers are not looked up for now.",
            ));
            return found;
        }
        let numbers: Vec<_> =
            self.keyed_facts().filter(|(value, _)| matches!(value, FactValue::Number { .. })).collect();
        for (value, key) in numbers {
            let FactValue::Number { matter, value, .. } = value else { continue };
            let ours = self.facts.holders.get(&key).into_iter().flatten();
            let is_ours = ours.filter_map(|holder| self.facts.contact_of(holder.identity)).any(|c| self.is_own(c));
            let others = self.others(key);
            if others.len() > SECRET_CONTACTS_MAX {
                self.reasons.push(Reason::new(
                    "mailing",
                    format!("{matter} {} is held by too many to tie anybody.", mask("", value)),
                ));
                continue;
            }
            for (contact, holder) in others {
                let verdict = compare_names(&self.names, self.names_of(contact));
                match self.same_number(contact, holder, matter, value, verdict) {
                    Some(evidence) => found.push(evidence),
                    None => self.reasons.push(Reason::new(
                        "names_conflict",
                        format!("{matter} {} is named by somebody of another name too; kept apart.", mask("", value)),
                    )),
                }
                if !is_ours && !matches!(verdict, Names::Agree(_)) {
                    self.refused.push(key);
                }
            }
        }
        found
    }

    fn same_number(
        &self,
        contact: ContactId,
        holder: &Holder,
        matter: &str,
        value: &str,
        verdict: Names,
    ) -> Option<Evidence> {
        let sound = self.may_join() && holder.assurance >= Assurance::Plausible;
        let number = format!("{matter} {}", mask("", value));
        let (class, bits, why) = match verdict {
            Names::Conflict => return None,
            Names::Agree(bits) => (
                EvidenceClass::OrderNumber,
                BITS_SECRET + bits,
                format!("Same customer: {number} and the name are in both."),
            ),
            Names::Unknown if self.names_the_other(contact) => (
                EvidenceClass::IdMentioned,
                BITS_MENTIONED_WITH_SECRET,
                format!("Same customer: one names the other's address, and {number} is in both."),
            ),
            Names::Unknown => {
                (EvidenceClass::OrderOnly, BITS_SECRET, format!("{number} is in both, but no name to hold against it."))
            }
        };
        let strong = sound && class.is_strong();
        Some(Evidence { contact, identity: holder.identity, message: Some(holder.message), class, bits, strong, why })
    }

    /// A caller whose number an authenticated mail had named before the call.
    fn caller_named(&self) -> Vec<Evidence> {
        let fits = is_call(self.message) && self.own.iter().all(|contact| is_call_only(self.facts, *contact));
        let claims: BTreeMap<ContactId, &Holder> = self
            .claimants()
            .into_iter()
            .filter(|_| fits)
            .filter(|(_, holder)| holder.assurance >= Assurance::Plausible && self.is_mail(holder.identity))
            .collect();
        let alone = claims.len() == 1;
        claims
            .into_iter()
            .map(|(contact, holder)| {
                let strong = alone && holder.at <= self.message.trusted_at;
                let (class, bits, why) = match (strong, alone) {
                    (true, _) => (
                        EvidenceClass::IdMentioned,
                        BITS_CALLER_NAMED,
                        "The caller's number was named earlier in an authenticated mail. Ask who is calling: a caller id can be forged.",
                    ),
                    (false, true) => (EvidenceClass::AssertedId, BITS_ASSERTED, "A mail after the call names the caller's number."),
                    (false, false) => (EvidenceClass::AssertedId, BITS_ASSERTED, "Several people name the caller's number as theirs."),
                };
                Evidence { contact, identity: holder.identity, message: Some(holder.message), class, bits, strong, why: why.to_owned() }
            })
            .collect()
    }

    fn is_mail(&self, identity: IdentityId) -> bool {
        self.facts.identity(identity).is_some_and(|known| known.identity.scheme == MAILTO)
    }

    /// Identities of others that this message states.
    fn claims(&self) -> Vec<Evidence> {
        let mine_is_mail = self.identities.iter().any(|touched| touched.identity.scheme == MAILTO);
        self.claimed_identities()
            .filter_map(|(key, known)| {
                let contact = self.facts.contact_now(known.contact);
                if self.is_own(contact) || is_shared(self.facts, contact) {
                    return None;
                }
                let conflict = compare_names(&self.names, self.names_of(contact)) == Names::Conflict;
                let he_names_us = self
                    .claimants()
                    .iter()
                    .any(|(claimant, holder)| *claimant == contact && holder.assurance >= Assurance::Plausible);
                let called_after = mine_is_mail
                    && known.identity.scheme == TEL
                    && is_call_only(self.facts, contact)
                    && known.last_at >= self.message.trusted_at
                    && self.others(key).is_empty();
                let (class, bits, why) = if he_names_us && conflict {
                    // A couple does just that: each gives the other's number. Never a join.
                    let why =
                        "Both sides name each other's address, but their names differ: two people who know each other?";
                    (EvidenceClass::AssertedId, BITS_ASSERTED, why.to_owned())
                } else if he_names_us {
                    (
                        EvidenceClass::IdMentioned,
                        BITS_MUTUAL,
                        "Same customer: both sides name each other's address.".to_owned(),
                    )
                } else if called_after && !conflict {
                    let why = "The number that called afterwards is named in this authenticated mail.".to_owned();
                    (EvidenceClass::IdMentioned, BITS_CALLER_NAMED, why)
                } else if conflict {
                    return None;
                } else {
                    let why = format!("{} is stated here, without more to carry it.", known.identity.masked());
                    (EvidenceClass::AssertedId, BITS_ASSERTED, why)
                };
                let strong = self.may_join() && class.is_strong();
                Some(Evidence { contact, identity: known.id, message: None, class, bits, strong, why })
            })
            .collect()
    }

    /// Others who stated an identifier of this sender.
    fn claimed_by_others(&self) -> Vec<Evidence> {
        if is_call(self.message) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for (contact, holder) in self.claimants() {
            if compare_names(&self.names, self.names_of(contact)) != Names::Conflict {
                found.push(Evidence {
                    contact,
                    identity: holder.identity,
                    message: Some(holder.message),
                    class: EvidenceClass::AssertedId,
                    bits: BITS_ASSERTED,
                    strong: false,
                    why: "This sender's address was stated there, without more to carry it.".to_owned(),
                });
            }
        }
        found
    }

    /// A newcomer whose full name exactly one contact of the last days has: worth a look, no more.
    fn namesakes(&self, policy: &Policy) -> Vec<Evidence> {
        if !self.own.is_empty() {
            return Vec::new();
        }
        let window = policy.windows.one_open.as_secs() as i64;
        let near = |holder: &Holder| (holder.at.as_second() - self.message.trusted_at.as_second()).abs() <= window;
        let mut found: BTreeMap<ContactId, &Holder> = BTreeMap::new();
        for (value, key) in self.keyed_facts() {
            if matches!(value, FactValue::Name(_)) {
                found.extend(self.others(key).into_iter().filter(|(_, holder)| near(holder)));
            }
        }
        if found.len() != 1 {
            return Vec::new();
        }
        found
            .into_iter()
            .map(|(contact, holder)| Evidence {
                contact,
                identity: holder.identity,
                message: Some(holder.message),
                class: EvidenceClass::FullName,
                bits: BITS_NAME_FULL,
                strong: false,
                why: "The same full name within days. Two people can share a name, so this joins nothing by itself."
                    .to_owned(),
            })
            .collect()
    }

    fn nobody(self) -> Resolved {
        let mut reasons = self.reasons;
        reasons.push(Reason::new("nobody", "The sender gave no identity."));
        Resolved {
            resolution: Resolution::Nobody,
            identity: None,
            sides: Vec::new(),
            identities: Vec::new(),
            facts: Vec::new(),
            edges: Vec::new(),
            suggestions: Vec::new(),
            reasons,
        }
    }

    fn conclude(mut self, identity: IdentityId, evidence: Vec<Evidence>, mint: &mut IdMint) -> Resolved {
        let mut best: BTreeMap<ContactId, Evidence> = BTreeMap::new();
        for found in self.vouched_together().into_iter().chain(evidence) {
            let stronger = |old: &Evidence| (found.strong, found.bits) > (old.strong, old.bits);
            if best.get(&found.contact).is_none_or(stronger) {
                best.insert(found.contact, found);
            }
        }
        let mut sides: Vec<ContactId> = self.own.first().copied().into_iter().collect();
        let mut size = self.identities.len().max(sides.first().map_or(0, |c| self.facts.identities_of(*c).count()));
        let (mut edges, mut suggestions) = (Vec::new(), Vec::new());
        let mut weighed: Vec<Evidence> = best.into_values().collect();
        weighed.sort_by_key(|found| std::cmp::Reverse((found.strong, found.bits)));
        for found in weighed {
            let more = self.facts.identities_of(found.contact).count();
            if found.strong && size + more <= CONTACT_IDENTITIES_MAX {
                size += more;
                sides.push(found.contact);
                self.reasons.push(Reason {
                    rule: found.class.as_str().to_owned(),
                    text: found.why,
                    bits: Some(found.bits),
                });
                edges.push(Edge {
                    id: mint.dated(self.message.received_at),
                    from: identity,
                    to: found.identity,
                    class: found.class,
                    bits: found.bits,
                    by_message: found.message,
                });
            } else if let Some(message) = found.message.or_else(|| self.message_of(found.contact)) {
                suggestions.push(Suggestion {
                    id: mint.dated(self.message.received_at),
                    target: SuggestionTarget::Contact(found.contact),
                    message,
                    class: Some(found.class),
                    bits: found.bits,
                    why: found.why,
                });
            }
        }
        let resolution = self.resolution(&sides, mint);
        let facts = self.kept_facts(mint);
        Resolved {
            resolution,
            identity: Some(identity),
            sides,
            identities: self.identities,
            facts,
            edges,
            suggestions,
            reasons: self.reasons,
        }
    }

    /// One delivery that vouches for several identities joins the contacts they belonged to.
    fn vouched_together(&self) -> Vec<Evidence> {
        self.own
            .iter()
            .skip(1)
            .filter_map(|contact| {
                let held = |c: ContactId| {
                    self.identities.iter().find(move |touched| {
                        self.facts.identity(touched.id).is_some_and(|known| self.facts.contact_now(known.contact) == c)
                    })
                };
                let (first, other) = (held(*self.own.first()?)?, held(*contact)?);
                let strong = first.assurance == Assurance::Verified && other.assurance == Assurance::Verified;
                let why = "One delivery of the platform vouches for both addresses.".to_owned();
                let class = EvidenceClass::SameId;
                Some(Evidence {
                    contact: *contact,
                    identity: other.id,
                    message: None,
                    class,
                    bits: BITS_SAME_ID,
                    strong,
                    why,
                })
            })
            .collect()
    }

    fn message_of(&self, contact: ContactId) -> Option<MessageId> {
        self.facts.identities_of(contact).filter_map(|known| known.last_message).max()
    }

    fn resolution(&mut self, sides: &[ContactId], mint: &mut IdMint) -> Resolution {
        let age = |contact: &ContactId| (self.facts.contacts.get(contact).map(|c| c.first_at), *contact);
        match sides {
            [] => {
                self.reasons.push(self.newcomer());
                Resolution::New(mint.dated(self.message.received_at))
            }
            [only] => {
                if is_contradicted(self.message) {
                    let text = "The sender's domain denies this mail; earlier ones in the same name were denied too, and are kept apart with it.";
                    self.reasons.push(Reason::new("contradicted", text));
                } else if self.own.first() == Some(only) {
                    self.reasons.push(Reason::new("same_id", "The address is this contact's."));
                }
                Resolution::Known(*only)
            }
            several => {
                let keep = several.iter().copied().min_by_key(age).unwrap_or(several[0]);
                Resolution::Merge { keep, absorb: several.iter().copied().filter(|contact| *contact != keep).collect() }
            }
        }
    }

    /// Why there is a new contact.
    fn newcomer(&self) -> Reason {
        if !is_contradicted(self.message) {
            return Reason::new("new_contact", "Nobody known has this address; a new contact.");
        }
        let is_known = self.message.impersonated().any(|named| self.facts.identities.contains_key(&named));
        let whom = match is_known {
            true => "It names the address of a known contact and was kept apart from him, as a contact of its own.",
            false => "It was kept apart, as a contact of its own, from whoever may write from that address.",
        };
        Reason::new("contradicted", format!("The sender's domain denies this mail. {whom} An alert was raised."))
    }

    /// Facts of customers that are not yet held for this identity.
    fn kept_facts(&self, mint: &mut IdMint) -> Vec<KeptFact> {
        if self.message.incoming.direction == Direction::FromAgent || is_contradicted(self.message) {
            return Vec::new();
        }
        let own: Vec<IdentityId> = self.identities.iter().map(|touched| touched.id).collect();
        let mut kept: Vec<KeptFact> = Vec::new();
        for (fact, key) in self.message.facts.iter().zip(&self.lookup.facts) {
            let Some(key) = *key else { continue };
            let held = self.facts.holders.get(&key).into_iter().flatten();
            let known = held.clone().any(|h| own.contains(&h.identity) && h.assurance >= self.message.assurance);
            if known || kept.iter().any(|k| k.key == key) {
                continue;
            }
            let (kind, name, role, mask) = describe(&fact.value);
            let refused = self.refused.contains(&key);
            let id = mint.dated(self.message.received_at);
            kept.push(KeptFact { id, kind, name, role, key, mask, place: fact.place, refused });
        }
        kept
    }
}

fn describe(value: &FactValue) -> (FactKind, String, Option<crate::pure::domain::message::MatterRole>, String) {
    match value {
        FactValue::Name(name) => (FactKind::Name, String::new(), None, mask("", name.written())),
        FactValue::Company(company) => (FactKind::Company, String::new(), None, mask("", company.written())),
        FactValue::Claim(identity) => (FactKind::Claim, identity.scheme.clone(), None, identity.masked()),
        FactValue::Number { matter, role, value } => (FactKind::Number, matter.clone(), Some(*role), mask("", value)),
    }
}
