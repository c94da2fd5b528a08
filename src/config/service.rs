//! `[service]` and `[contracts.*]`: when the desk is there, what it promises, and to whom it promises more.
//!
//! Rules are tables with a name and a rank, not a list: a list is replaced whole by a later layer, and who changes one
//! promise would have to write all of them.

use super::problem::Report;
use super::sections::Sections;
use super::values::{self, Domain, parse_duration};
use crate::pure::channels;
use crate::pure::domain::holiday::Country;
use crate::pure::domain::hours::{Hours, Span, Week, overlap, overlap_overnight};
use crate::pure::domain::service::{Contract, Goal, Like, Service, TargetRule, When};
use crate::pure::domain::ticket::{MatterKind, Priority};
use crate::pure::wire::settings::{nearest, unknown_word};
use crate::pure::wire::written::{self, text};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Most spans of one date: shifts and breaks, not minutes.
const SPANS_MAX: usize = 12;
/// Most dates of one calendar: decades of a desk's own days.
const DATES_MAX: usize = 1_000;
/// Most rules, and most contracts: they are gone through for every ticket that changes.
const RULES_MAX: usize = 100;
const CONTRACTS_MAX: usize = 1_000;
/// Most organisations of all contracts.
const ORGANISATIONS_MAX: usize = 10_000;
/// The weekdays as they are written, Monday first.
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// When the desk is there, and what it promises.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceSection {
    /// Zone of the hours; `None` is that of `[defaults]`.
    #[serde(default, deserialize_with = "written::time_zone_opt")]
    pub time_zone: Option<TimeZone>,
    /// When the desk is there in a week.
    pub hours: HoursText,
    /// Whose holidays are closed.
    pub holidays: HolidaysText,
    /// Dates with spans of their own; none is closed.
    pub dates: Dates,
    /// The share of a target after which it is warned, in percent.
    #[serde(deserialize_with = "values::within::<_, _, 1, 100>")]
    pub warn_percent: u8,
    /// Rules by name.
    pub targets: Rules,
}

/// What was promised to some customers in particular.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractSection {
    /// Domains of the firms it is with.
    pub organisations: Vec<Domain>,
    /// What of the calendar differs from `[service]`: each key that is left out is as there.
    #[serde(default, deserialize_with = "written::time_zone_opt")]
    pub time_zone: Option<TimeZone>,
    /// Weekdays that are left out are as there too.
    #[serde(default)]
    pub hours: Option<HoursText>,
    /// Whose holidays are closed.
    #[serde(default)]
    pub holidays: Option<HolidaysText>,
    /// Dates added to those of `[service]`.
    #[serde(default)]
    pub dates: Dates,
    /// Until the first answer, where no rule of the contract says it.
    #[serde(default)]
    pub first_answer: Option<GoalText>,
    /// Until each further one.
    #[serde(default)]
    pub next_answer: Option<GoalText>,
    /// Until it is closed.
    #[serde(default)]
    pub solution: Option<GoalText>,
    /// Rules that hold before the general ones.
    #[serde(default)]
    pub targets: Rules,
}

/// Spans by date.
pub type Dates = BTreeMap<String, Vec<SpanText>>;
/// Rules by name.
pub type Rules = BTreeMap<String, RuleSection>;

/// A rule of how long things may take.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSection {
    /// Its place among the rules: the least comes first.
    #[serde(deserialize_with = "values::within::<_, _, 0, 1_000_000>")]
    pub rank: u32,
    /// Whether it holds.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Configured channels.
    #[serde(default)]
    pub channels: Vec<String>,
    /// Kinds of channels.
    #[serde(default)]
    pub channel_kinds: Vec<String>,
    /// What the channel is like.
    #[serde(default)]
    pub like: Vec<Like>,
    /// Kinds of matter.
    #[serde(default)]
    pub kinds: Vec<MatterKind>,
    /// Urgencies.
    #[serde(default)]
    pub priorities: Vec<Priority>,
    /// Contracts.
    #[serde(default)]
    pub contracts: Vec<String>,
    /// Until the first answer.
    #[serde(default)]
    pub first_answer: Option<GoalText>,
    /// Until each further one.
    #[serde(default)]
    pub next_answer: Option<GoalText>,
    /// Until it is closed.
    #[serde(default)]
    pub solution: Option<GoalText>,
}

fn yes() -> bool {
    true
}

/// A span of hours.
#[derive(Debug, Clone, Copy)]
pub struct SpanText(Span);

impl<'de> Deserialize<'de> for SpanText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "a span of time like \"08:00-16:00\"", |text| Span::parse(text).map(Self))
    }
}

/// A target: a length of service time, or `none`.
#[derive(Debug, Clone, Copy)]
pub struct GoalText(Goal);

impl<'de> Deserialize<'de> for GoalText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "a length of service time like \"8h\", or \"none\"", |text| match parse_duration(text) {
            _ if text == "none" => Ok(Self(Goal::None)),
            // A year of service time is four of an office; nothing is counted further than ten.
            Ok(target) if (Duration::from_secs(60)..=Duration::from_secs(365 * 86_400)).contains(&target) => {
                Ok(Self(Goal::Within(target)))
            }
            Ok(_) => Err(format!("\"{text}\" is out of range: 1m to 365d of service time (a day is 24h), or \"none\"")),
            Err(message) => Err(format!("{message}, or \"none\"")),
        })
    }
}

/// Whose holidays are closed.
#[derive(Debug, Clone, Copy)]
pub struct HolidaysText(Option<Country>);

impl<'de> Deserialize<'de> for HolidaysText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "a country like \"FI\", or \"none\"", |text| match Country::parse(text) {
            Some(country) => Ok(Self(Some(country))),
            None if text == "none" => Ok(Self(None)),
            None => Err(format!(
                "no holidays are known of \"{text}\": write {}, or \"none\" and list them under dates (\"2026-05-01\" = [])",
                Country::ALL.map(|country| format!("\"{}\"", country.code())).join(", ")
            )),
        })
    }
}

/// When the desk is there in a week.
#[derive(Debug, Clone)]
pub enum HoursText {
    /// `"always"`: day and night, holidays included.
    Always,
    /// By weekday.
    Week(Box<WeekText>),
}

/// Spans by weekday; those left out are as in `[service]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeekText {
    #[serde(default)]
    monday: Option<Vec<SpanText>>,
    #[serde(default)]
    tuesday: Option<Vec<SpanText>>,
    #[serde(default)]
    wednesday: Option<Vec<SpanText>>,
    #[serde(default)]
    thursday: Option<Vec<SpanText>>,
    #[serde(default)]
    friday: Option<Vec<SpanText>>,
    #[serde(default)]
    saturday: Option<Vec<SpanText>>,
    #[serde(default)]
    sunday: Option<Vec<SpanText>>,
}

impl WeekText {
    /// Monday first.
    fn days(&self) -> [Option<&Vec<SpanText>>; 7] {
        let Self { monday, tuesday, wednesday, thursday, friday, saturday, sunday } = self;
        [monday, tuesday, wednesday, thursday, friday, saturday, sunday].map(Option::as_ref)
    }
}

impl<'de> Deserialize<'de> for HoursText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = HoursText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"always\", or a table of weekdays (monday = [\"08:00-16:00\"]),")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<HoursText, E> {
                match text {
                    "always" => Ok(HoursText::Always),
                    _ => Err(E::custom(format!(
                        "\"{text}\" are no hours: write \"always\", or a table of weekdays: monday = [\"08:00-16:00\"]"
                    ))),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<HoursText, A::Error> {
                WeekText::deserialize(MapAccessDeserializer::new(map)).map(|week| HoursText::Week(Box::new(week)))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// What deciding takes.
pub(super) fn service(sections: &Sections) -> Service {
    let Sections { service, contracts, .. } = sections;
    let hours = hours(sections, None);
    let contracts = contracts.iter().map(|(name, contract)| Contract {
        name: name.clone(),
        organisations: contract.organisations.iter().map(|domain| domain.0.clone()).collect(),
        hours: match contract {
            ContractSection { time_zone: None, hours: None, holidays: None, dates, .. } if dates.is_empty() => {
                hours.clone()
            }
            _ => self::hours(sections, Some(contract)),
        },
        rules: rules(&contract.targets).chain(plain_rule(contract)).collect(),
    });
    Service {
        hours: hours.clone(),
        warn_percent: service.warn_percent,
        rules: rules(&service.targets).collect(),
        contracts: contracts.collect(),
    }
}

/// The calendar of the desk, or of a contract.
fn hours(sections: &Sections, contract: Option<&ContractSection>) -> Arc<Hours> {
    let general = &sections.service;
    let zone = contract.and_then(|contract| contract.time_zone.as_ref()).or(general.time_zone.as_ref());
    let zone = zone.unwrap_or(&sections.defaults.time_zone).clone();
    let Some(week) = week(general, contract) else { return Arc::new(Hours::always(zone)) };
    let holidays = contract.and_then(|contract| contract.holidays).unwrap_or(general.holidays);
    let own = contract.into_iter().flat_map(|contract| &contract.dates);
    let dates = general.dates.iter().chain(own).filter_map(|(date, spans)| Some((date.parse().ok()?, plain(spans))));
    Arc::new(Hours::new(zone, week, holidays.0, dates.collect()))
}

/// The week of the desk, or of a contract; `None` is always open.
fn week(general: &ServiceSection, contract: Option<&ContractSection>) -> Option<Week> {
    let of = |hours: &HoursText| match hours {
        HoursText::Always => None,
        HoursText::Week(week) => Some(week.days().map(|spans| spans.map(|spans| plain(spans)))),
    };
    match contract.and_then(|contract| contract.hours.as_ref()) {
        None => of(&general.hours).map(|week| week.map(Option::unwrap_or_default)),
        Some(hours) => {
            let mut own = of(hours)?;
            let general = of(&general.hours).unwrap_or_default();
            Some(std::array::from_fn(|day| own[day].take().or_else(|| general[day].clone()).unwrap_or_default()))
        }
    }
}

fn plain(spans: &[SpanText]) -> Vec<Span> {
    spans.iter().map(|span| span.0).collect()
}

/// The rules that hold, in order.
fn rules(rules: &Rules) -> impl Iterator<Item = TargetRule> {
    let mut in_order: Vec<(&String, &RuleSection)> = rules.iter().filter(|(_, rule)| rule.enabled).collect();
    in_order.sort_by_key(|(name, rule)| (rule.rank, *name));
    in_order.into_iter().map(|(name, rule)| TargetRule {
        name: Some(name.clone()),
        when: When {
            channels: rule.channels.clone(),
            channel_kinds: rule.channel_kinds.clone(),
            like: rule.like.clone(),
            kinds: rule.kinds.clone(),
            priorities: rule.priorities.clone(),
            contracts: rule.contracts.clone(),
        },
        first_answer: rule.first_answer.map(|goal| goal.0),
        next_answer: rule.next_answer.map(|goal| goal.0),
        solution: rule.solution.map(|goal| goal.0),
    })
}

/// What a contract says of all its tickets.
fn plain_rule(contract: &ContractSection) -> Option<TargetRule> {
    let ContractSection { first_answer, next_answer, solution, .. } = contract;
    let goal = |goal: &Option<GoalText>| goal.map(|goal| goal.0);
    let rule = TargetRule {
        first_answer: goal(first_answer),
        next_answer: goal(next_answer),
        solution: goal(solution),
        ..TargetRule::default()
    };
    (rule != TargetRule::default()).then_some(rule)
}

/// What contradicts itself, or names what is not there. `channels` are the names under `[channels]`.
pub(super) fn check(sections: &Sections, channels: &BTreeSet<String>, report: &mut Report) {
    let Sections { service, contracts, .. } = sections;
    let known = Known { channels, contracts: contracts.keys().map(String::as_str).collect() };
    check_dates("service.dates", &service.dates, report);
    if let Some(week) = week(service, None) {
        check_week("service.hours", &week, report);
    }
    check_rules("service.targets", &service.targets, &known, false, report);
    if contracts.len() > CONTRACTS_MAX {
        report.error_once("contracts", format!("{} contracts, and {CONTRACTS_MAX} are the most", contracts.len()));
    }
    for (name, contract) in contracts {
        let path = format!("contracts.{name}");
        if let Err(message) = values::check_name(name) {
            report.error_once(&path, message);
        }
        check_dates(&format!("{path}.dates"), &contract.dates, report);
        check_rules(&format!("{path}.targets"), &contract.targets, &known, true, report);
        check_calendar(&path, service, contract, report);
    }
    check_organisations(sections, report);
    sections.urgency.check(sections, report);
}

/// The names that rules may use.
struct Known<'a> {
    channels: &'a BTreeSet<String>,
    contracts: Vec<&'a str>,
}

/// A contract's own week; what is wrong with that of `[service]` is said there.
fn check_calendar(path: &str, service: &ServiceSection, contract: &ContractSection, report: &mut Report) {
    let own = contract.hours.as_ref();
    match own {
        Some(HoursText::Always) => {
            for (key, is_set) in [("holidays", contract.holidays.is_some()), ("dates", !contract.dates.is_empty())] {
                if is_set {
                    let why = "hours = \"always\" has no closed days: leave this out, or write hours by weekday";
                    report.error_once(format!("{path}.{key}"), why);
                }
            }
        }
        Some(HoursText::Week(_)) if !report.touches("service.hours") => {
            if let Some(week) = week(service, Some(contract)) {
                check_week(&format!("{path}.hours"), &week, report);
            }
        }
        Some(HoursText::Week(_)) | None => {}
    }
}

fn check_week(path: &str, week: &Week, report: &mut Report) {
    for (day, spans) in week.iter().enumerate() {
        let key = format!("{path}.{}", WEEKDAYS[day]);
        check_spans(&key, spans, report);
        let before = (day + 6) % 7;
        if let Some((night, at)) = overlap_overnight(&week[before], spans) {
            let why = format!(
                "{} begins while {} of {} still runs: let one end before the other begins",
                spans[at], week[before][night], WEEKDAYS[before]
            );
            report.error_once(format!("{key}.{at}"), why);
        }
    }
}

fn check_spans(key: &str, spans: &[Span], report: &mut Report) {
    if spans.len() > SPANS_MAX {
        report.error_once(key, format!("{} spans, and {SPANS_MAX} are the most of one date", spans.len()));
    }
    if let Some((first, second)) = overlap(spans) {
        let why = format!(
            "{} overlaps {}: write one span for both, or let one end before the other begins",
            spans[second], spans[first]
        );
        report.error_once(format!("{key}.{second}"), why);
    }
}

fn check_dates(path: &str, dates: &Dates, report: &mut Report) {
    if dates.len() > DATES_MAX {
        report.error_once(path, format!("{} dates, and {DATES_MAX} are the most", dates.len()));
    }
    for (date, spans) in dates {
        let key = format!("{path}.{date}");
        if date.len() != 10 || date.parse::<Date>().is_err() {
            let why = format!("\"{date}\" is not a date: write \"2026-12-31\" = [\"08:00-12:00\"], or = [] for closed");
            report.error_once(&key, why);
        }
        check_spans(&key, &plain(spans), report);
    }
}

fn check_rules(path: &str, rules: &Rules, known: &Known<'_>, in_contract: bool, report: &mut Report) {
    if rules.len() > RULES_MAX {
        report.error_once(path, format!("{} rules, and {RULES_MAX} are the most", rules.len()));
    }
    let kinds: Vec<&str> = channels::KINDS.iter().filter(|kind| kind.like.is_some()).map(|kind| kind.name).collect();
    for (name, rule) in rules {
        let key = format!("{path}.{name}");
        if let Err(message) = values::check_name(name) {
            report.error_once(&key, message);
        }
        for (at, channel) in rule.channels.iter().enumerate().filter(|(_, name)| !known.channels.contains(*name)) {
            let near = nearest(channel, known.channels.iter().map(String::as_str));
            let near = near.map_or(String::new(), |near| format!(", did you mean \"{near}\"?"));
            report.error_once(format!("{key}.channels.{at}"), format!("there is no channel \"{channel}\"{near}"));
        }
        for (at, kind) in rule.channel_kinds.iter().enumerate().filter(|(_, kind)| !kinds.contains(&kind.as_str())) {
            report.error_once(format!("{key}.channel_kinds.{at}"), unknown_word(kind, &kinds));
        }
        if in_contract && !rule.contracts.is_empty() {
            let why =
                "a rule of a contract holds for that alone: leave this out, or write the rule under [service.targets]";
            report.error_once(format!("{key}.contracts"), why);
            continue;
        }
        let unknown = rule.contracts.iter().enumerate().filter(|(_, name)| !known.contracts.contains(&name.as_str()));
        for (at, contract) in unknown {
            let near = nearest(contract, known.contracts.iter().copied());
            let near = near.map_or(String::new(), |near| format!(", did you mean \"{near}\"?"));
            report.error_once(format!("{key}.contracts.{at}"), format!("there is no contract \"{contract}\"{near}"));
        }
        if rule.first_answer.is_none() && rule.next_answer.is_none() && rule.solution.is_none() {
            let why = "sets no target: write first_answer, next_answer or solution, like \"8h\" or \"none\"";
            report.error_once(&key, why);
        }
    }
}

/// A contract is with somebody, and nobody has two.
fn check_organisations(sections: &Sections, report: &mut Report) {
    let public = sections.identity.all_public_domains();
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, contract) in &sections.contracts {
        let path = format!("contracts.{name}.organisations");
        if contract.organisations.is_empty() {
            report.error_once(&path, "is empty: write the domains of the firms it is with, like [\"example.fi\"]");
        }
        for (at, Domain(domain)) in contract.organisations.iter().enumerate() {
            let key = format!("{path}.{at}");
            if public.contains(domain) {
                let why = format!("anybody can have an address at {domain}: strangers there would have the contract");
                report.error_once(key, why);
            } else if let Some(other) = first.insert(domain, name) {
                let why = match other == name {
                    true => format!("{domain} is in the list already: take it away here"),
                    false => format!("contracts.{other} is with {domain} already: take it away from one of them"),
                };
                report.error_once(key, why);
            }
        }
    }
    let all: usize = sections.contracts.values().map(|contract| contract.organisations.len()).sum();
    if all > ORGANISATIONS_MAX {
        report.error_once(
            "contracts",
            format!("{all} organisations, and {ORGANISATIONS_MAX} are the most of all contracts"),
        );
    }
}
