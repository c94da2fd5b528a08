//! Which targets hold for a ticket: its customers' contract, then the rules in order.
//!
//! For each clock the first rule holds that fits and says something of it; what no rule speaks of is not promised. The
//! rules of the contract stand before the general ones: what was agreed with somebody goes before what is usual.

use crate::pure::domain::clock::{ClockKind, Targets};
use crate::pure::domain::identity::registrable_domain;
use crate::pure::domain::service::{ChannelFeatures, Contract, Features, Goal, Promise, Said, Service, When};

/// The targets of a ticket, the calendar in which they are counted, and which rules said so.
pub fn targets<'a>(service: &'a Service, features: &'a Features) -> Promise<'a> {
    let contract = features.organisations.iter().find_map(|domain| contract_with(service, domain));
    let mut promise = Promise {
        targets: Targets { warn_percent: service.warn_percent, ..Targets::default() },
        hours: contract.map_or(&service.hours, |contract| &contract.hours),
        contract: contract.map(|contract| contract.name.as_str()),
        why: Vec::new(),
    };
    let first = features.channels.first();
    for clock in [ClockKind::FirstAnswer, ClockKind::Solution] {
        let said = goal(service, contract, features, first, clock);
        match clock {
            ClockKind::Solution => promise.targets.solution = target(&said),
            ClockKind::FirstAnswer | ClockKind::NextAnswer => promise.targets.first_answer = target(&said),
        }
        promise.why.extend(said);
    }
    promise.targets.next_answer = target(&goal(service, contract, features, None, ClockKind::NextAnswer));
    for channel in &features.channels {
        let said = goal(service, contract, features, Some(channel), ClockKind::NextAnswer);
        promise.targets.next_on.insert(channel.name.clone(), target(&said));
        promise.why.extend(said.map(|said| Said { channel: Some(&channel.name), ..said }));
    }
    promise
}

/// The contract with an organisation, by its domain or the one above.
fn contract_with<'a>(service: &'a Service, domain: &str) -> Option<&'a Contract> {
    let of = |domain: &str| {
        let is_with = |contract: &&Contract| contract.organisations.iter().any(|organisation| organisation == domain);
        service.contracts.iter().find(is_with)
    };
    of(domain).or_else(|| of(registrable_domain(domain)?))
}

fn target(said: &Option<Said<'_>>) -> Option<std::time::Duration> {
    said.as_ref().and_then(|said| said.goal.target())
}

/// What the first rule that fits says of a clock.
fn goal<'a>(
    service: &'a Service,
    contract: Option<&'a Contract>,
    features: &Features,
    channel: Option<&ChannelFeatures>,
    clock: ClockKind,
) -> Option<Said<'a>> {
    let agreed = contract.into_iter().flat_map(|contract| &contract.rules).map(|rule| (rule, true));
    let mut rules = agreed.chain(service.rules.iter().map(|rule| (rule, false)));
    rules.find_map(|(rule, by_contract)| {
        let goal: Goal = rule.goal(clock).filter(|_| fits(&rule.when, features, contract, channel))?;
        Some(Said { clock, channel: None, rule: rule.name.as_deref(), by_contract, goal })
    })
}

/// Whether a ticket fits every list that is not empty.
fn fits(when: &When, features: &Features, contract: Option<&Contract>, channel: Option<&ChannelFeatures>) -> bool {
    fn one<T: PartialEq>(list: &[T], is: impl Fn(&T) -> bool) -> bool {
        list.is_empty() || list.iter().any(is)
    }
    let When { channels, channel_kinds, like, kinds, priorities, contracts } = when;
    one(channels, |name| channel.is_some_and(|channel| channel.name == *name))
        && one(channel_kinds, |kind| channel.is_some_and(|channel| channel.kind == *kind))
        && one(like, |like| channel.is_some_and(|channel| channel.like == Some(*like)))
        && one(kinds, |kind| features.kinds.contains(kind))
        && one(priorities, |priority| features.priority == Some(*priority))
        && one(contracts, |name| contract.is_some_and(|contract| contract.name == *name))
}
