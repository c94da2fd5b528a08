//! Who is to see a ticket: a message, and the rules of the configuration → the queues that it may lead to, and of these the one
//! that it does lead to once it is known who said it.
//!
//! **Invariant:** nothing here is evidence of whose a message is.

use super::extract::scan::cut;
use super::language::language;
use super::phrases;
use crate::pure::domain::facts::Facts;
use crate::pure::domain::id::ContactId;
use crate::pure::domain::identity::{MAILTO, PhoneNumber, registrable_domain};
use crate::pure::domain::message::{Content, Direction, Incoming, Message};
use crate::pure::domain::policy::Policy;
use crate::pure::domain::queue::{Candidate, Routing, Rule, Ruled, Weight, WrittenTo};
use crate::pure::domain::triage::Triage;

/// Text in which the rules' words are looked for. Bytes: what it is about is said at the beginning.
const READ_BYTES_MAX: usize = 8 * 1024;

/// Queues that are kept with a message, the first ones.
const CANDIDATES_MAX: usize = 16;

/// The queues that a message may lead to, the first first, and the last without a condition.
pub fn candidates(
    incoming: &Incoming,
    own_text: &str,
    triage: &Triage,
    channel: &str,
    policy: &Policy,
) -> Vec<Candidate> {
    let routing = &policy.routing;
    let subject = incoming.subject.as_deref().unwrap_or_default();
    let text = format!("{subject}\n{}", cut(own_text, READ_BYTES_MAX));
    let asks_language = routing.rules.iter().any(|rule| !rule.languages.is_empty());
    let language = if asks_language { language(&text) } else { None };
    let flat = phrases::flatten(&text, READ_BYTES_MAX);
    let reading = Reading { incoming, triage, channel, policy, flat, language };
    let mut candidates = Vec::new();
    for rule in routing.rules.iter().filter(|rule| reading.fits(rule)) {
        let by_organisation = !rule.organisations.is_empty() && !reading.is_of(rule);
        candidates.push(Candidate { queue: rule.queue.clone(), rule: Some(rule.name.clone()), by_organisation });
        if !by_organisation {
            return candidates;
        }
        if candidates.len() == CANDIDATES_MAX {
            break;
        }
    }
    candidates.push(Candidate { queue: routing.default.clone(), rule: None, by_organisation: false });
    candidates
}

/// A message, as rules look at it.
struct Reading<'a> {
    incoming: &'a Incoming,
    triage: &'a Triage,
    channel: &'a str,
    policy: &'a Policy,
    /// Its words.
    flat: String,
    /// The language that they are in, where that can be told.
    language: Option<&'static str>,
}

impl Reading<'_> {
    /// Whether all conditions hold but that of the sender's firm.
    fn fits(&self, rule: &Rule) -> bool {
        let Self { triage, channel, policy, flat, .. } = self;
        let like = policy.channel_like.get(*channel);
        let is_language = |language: &String| self.language == Some(language.as_str());
        any(&rule.channels, |one| one == channel)
            && any(&rule.like, |one| Some(one) == like)
            && any(&rule.to, |one| self.is_to(one))
            && any(&rule.kinds, |kind| triage.kind.contains(kind))
            && !rule.without_kinds.iter().any(|kind| triage.kind.contains(kind))
            && any(&rule.priorities, |priority| *priority == triage.priority)
            && any(&rule.languages, is_language)
            && rule.words.as_ref().is_none_or(|words| words.is_in(flat))
    }

    /// Whether it was written to an address, or called there.
    fn is_to(&self, wanted: &WrittenTo) -> bool {
        let mut mails = self.incoming.written_to.iter().filter(|to| to.scheme == MAILTO).map(|to| to.value.as_str());
        match wanted {
            WrittenTo::Address(address) => mails.any(|mail| mail == address),
            WrittenTo::Domain(domain) => mails.any(|mail| mail.rsplit_once('@').is_some_and(|(_, of)| of == domain)),
            WrittenTo::Number(number) => match &self.incoming.content {
                Content::Call(call, _) => call.legs.iter().any(|leg| {
                    let parsed = PhoneNumber::parse_stated(&leg.to, &self.policy.region);
                    leg.to == *number || parsed.is_ok_and(|parsed| parsed.as_str() == number)
                }),
                Content::Text(_) => false,
            },
        }
    }

    /// Whether the address that it is from, or went to, is of one of the rule's firms.
    fn is_of(&self, rule: &Rule) -> bool {
        let customer = match self.incoming.direction {
            Direction::FromCustomer => &self.incoming.sender,
            Direction::FromAgent => &self.incoming.recipient,
        };
        let mails = customer.identities.iter().map(|held| &held.identity).filter(|identity| identity.scheme == MAILTO);
        mails.map(|mail| mail.value.as_str()).any(|mail| is_address_of(rule, mail))
    }
}

fn any<T>(wanted: &[T], is: impl Fn(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(is)
}

fn is_address_of(rule: &Rule, mail: &str) -> bool {
    let domain = mail.rsplit_once('@').map_or("", |(_, domain)| domain);
    let is_of = |domain: &str| rule.organisations.contains(domain);
    is_of(domain) || registrable_domain(domain).is_some_and(is_of)
}

/// Where a message leads its ticket, now that it is known who said it; `None` of one that is older than queues.
pub fn ruled(message: &Message, contact: Option<ContactId>, facts: &Facts, routing: &Routing) -> Option<Ruled> {
    let is_his = |candidate: &Candidate| {
        let of = |rule: &&Rule| candidate.rule.as_deref() == Some(rule.name.as_str());
        // A rule that is gone leads nowhere any more.
        let Some(rule) = routing.rules.iter().find(of) else { return false };
        let mut identities = contact.into_iter().flat_map(|contact| facts.identities_of(contact));
        identities.any(|known| known.identity.scheme == MAILTO && is_address_of(rule, &known.identity.value))
    };
    let candidate = message.routes.iter().find(|candidate| !candidate.by_organisation || is_his(candidate))?;
    let is_customers = message.incoming.direction == Direction::FromCustomer && message.incoming.auto.is_none();
    let weight = match (is_customers, message.triage.kind.is_empty()) {
        (true, false) => Weight::Matter,
        (true, true) => Weight::Customers,
        (false, _) => Weight::Rest,
    };
    let (queue, rule) = (candidate.queue.clone(), candidate.rule.clone());
    Some(Ruled { weight, at: message.occurred_at, message: message.id, queue, rule })
}
