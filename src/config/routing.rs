//! `[routing]`: which queue a ticket goes to.

use super::problem::Report;
use super::values::{self, Domain, Language, Phrase};
use super::{ChannelSettings, MirrorSettings};
use crate::pure::channels;
use crate::pure::domain::identity::{EmailAddress, PhoneNumber};
use crate::pure::domain::phrases::Phrases;
use crate::pure::domain::queue::{self, WrittenTo};
use crate::pure::domain::service::Like;
use crate::pure::domain::ticket::{MatterKind, Priority};
use crate::pure::wire::settings::{nearest, unknown_word};
use crate::pure::wire::written::text;
use serde::{Deserialize, Deserializer};
use std::collections::{BTreeMap, BTreeSet};

/// Most rules: each is held against every message.
const RULES_MAX: usize = 500;
/// Most phrases of all rules.
const WORDS_MAX: usize = 2_000;

/// Which queue a ticket goes to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routing {
    /// Where goes what no rule is for.
    pub default: Queue,
    /// Queues that only people put tickets into.
    pub queues: Vec<Queue>,
    /// Rules by name.
    pub rules: BTreeMap<String, Rule>,
}

/// A rule: what fits all of its conditions goes to its queue.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Where it leads.
    pub queue: Queue,
    /// Rules with a lower number come first; of equals the one whose name does.
    #[serde(default = "order", deserialize_with = "values::within::<_, _, 0, 1_000_000>")]
    pub order: u32,
    /// Whether it is held against messages.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Channels by name.
    #[serde(default)]
    pub channels: Vec<String>,
    /// What people expect of the channel.
    #[serde(default)]
    pub like: Vec<Like>,
    /// Addresses that were written to, or numbers that were called.
    #[serde(default)]
    pub to: Vec<To>,
    /// Domains of the sender's firm.
    #[serde(default)]
    pub organisations: Vec<Domain>,
    /// Kinds of matter of which it brings one.
    #[serde(default)]
    pub kinds: Vec<MatterKind>,
    /// Kinds of matter of which it brings none.
    #[serde(default)]
    pub without_kinds: Vec<MatterKind>,
    /// How urgent it is.
    #[serde(default)]
    pub priorities: Vec<Priority>,
    /// Languages that it is written in.
    #[serde(default)]
    pub languages: Vec<Language>,
    /// Words of which some stand in it.
    #[serde(default)]
    pub words: Vec<Phrase>,
}

fn order() -> u32 {
    100
}

fn yes() -> bool {
    true
}

impl Rule {
    fn has_condition(&self) -> bool {
        let Self { channels, like, to, organisations, kinds, without_kinds, priorities, languages, words, .. } = self;
        let lists = [channels.len(), like.len(), to.len(), organisations.len(), kinds.len(), without_kinds.len()];
        lists.into_iter().chain([priorities.len(), languages.len(), words.len()]).any(|count| count > 0)
    }
}

/// The name of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue(pub String);

impl<'de> Deserialize<'de> for Queue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "the name of a queue like \"sales\"", |text| {
            values::check_name(text).map(|()| Self(text.to_owned()))
        })
    }
}

/// An address or number of the desk's.
#[derive(Debug, Clone)]
pub struct To(pub WrittenTo, String);

impl<'de> Deserialize<'de> for To {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "an address like \"sales@example.fi\", or a number like \"+358942720000\"", |text| {
            let refuse = || {
                format!(
                    "\"{text}\" is no address and no number: write \"sales@example.fi\", \"*@sales.example.fi\", \
                     \"+358942720000\", or an extension like \"600\""
                )
            };
            let number = text.strip_prefix('+').unwrap_or(text);
            let to = match text.strip_prefix("*@") {
                Some(domain) => {
                    let address = EmailAddress::parse(&format!("x@{domain}")).map_err(|_| refuse())?;
                    WrittenTo::Domain(address.domain().to_owned())
                }
                None if text.contains('@') => {
                    WrittenTo::Address(EmailAddress::parse(text).map_err(|_| refuse())?.as_str().to_owned())
                }
                None if !number.is_empty() && number.len() <= 20 && number.bytes().all(|b| b.is_ascii_digit()) => {
                    WrittenTo::Number(text.to_owned())
                }
                None => return Err(refuse()),
            };
            Ok(Self(to, text.to_owned()))
        })
    }
}

impl To {
    /// As rules go by it: a number with its country.
    fn in_region(&self, region: &str) -> WrittenTo {
        let Self(to, text) = self;
        match to {
            WrittenTo::Number(_) => PhoneNumber::parse_stated(text, region)
                .map_or_else(|_| to.clone(), |number| WrittenTo::Number(number.as_str().to_owned())),
            to => to.clone(),
        }
    }
}

impl Routing {
    /// All queues, by name.
    pub fn names(&self) -> BTreeSet<&str> {
        let ruled = self.rules.values().map(|rule| &rule.queue);
        ruled.chain(&self.queues).chain([&self.default]).map(|queue| queue.0.as_str()).collect()
    }

    /// As deciding takes it.
    pub(super) fn policy(&self, region: &str) -> queue::Routing {
        let mut rules: Vec<(&String, &Rule)> = self.rules.iter().filter(|(_, rule)| rule.enabled).collect();
        rules.sort_by_key(|(name, rule)| (rule.order, *name));
        let rules = rules.into_iter().map(|(name, rule)| queue::Rule {
            name: name.clone(),
            queue: rule.queue.0.clone(),
            channels: rule.channels.clone(),
            like: rule.like.clone(),
            to: rule.to.iter().map(|to| to.in_region(region)).collect(),
            organisations: rule.organisations.iter().map(|domain| domain.0.clone()).collect(),
            kinds: rule.kinds.clone(),
            without_kinds: rule.without_kinds.clone(),
            priorities: rule.priorities.clone(),
            languages: rule.languages.iter().map(|language| language.0.clone()).collect(),
            words: (!rule.words.is_empty()).then(|| Phrases::of(rule.words.iter().map(|phrase| phrase.0.as_str()))),
        });
        queue::Routing {
            default: self.default.0.clone(),
            rules: rules.collect(),
            others: self.names().into_iter().map(str::to_owned).collect(),
        }
    }

    /// What no single key can show.
    pub(super) fn check(&self, report: &mut Report) {
        if self.rules.len() > RULES_MAX {
            let why =
                format!("{} rules, and {RULES_MAX} are the most: each is held against every message", self.rules.len());
            report.error_once("routing.rules", why);
        }
        let words: usize = self.rules.values().map(|rule| rule.words.len()).sum();
        if words > WORDS_MAX {
            let why = format!("{words} phrases in all rules, and {WORDS_MAX} are the most");
            report.error_once("routing.rules", why);
        }
        for (name, rule) in &self.rules {
            let path = format!("routing.rules.{name}");
            if values::check_name(&name.replace('_', "-")).is_err() {
                report.error_once(path.clone(), "not a name: small letters, digits, inner dashes and underscores");
            }
            if !rule.has_condition() {
                let why = "names no condition, so that nothing would come past it: name one (channels, like, to, \
                           organisations, kinds, without_kinds, priorities, languages, words), or set routing.default";
                report.error_once(path.clone(), why);
            }
            if let Some(kind) = rule.kinds.iter().find(|kind| rule.without_kinds.contains(kind)) {
                let why = format!("\"{}\" stands under kinds too: take it out of one of them", kind.as_str());
                report.error_once(format!("{path}.without_kinds"), why);
            }
        }
    }

    /// Whether the channels that rules name are there, and of a kind that they are for.
    pub(super) fn check_channels(&self, channels: &BTreeMap<String, ChannelSettings>, report: &mut Report) {
        let known: Vec<&str> = channels.keys().map(String::as_str).collect();
        for (name, rule) in self.rules.iter().filter(|(_, rule)| rule.enabled) {
            let mut likes = Vec::new();
            for (index, channel) in rule.channels.iter().enumerate() {
                let path = format!("routing.rules.{name}.channels.{index}");
                match channels.get(channel) {
                    Some(channel) => likes.push(channels::kind(channel.kind).and_then(|kind| kind.like)),
                    // One that could not be read is no other mistake.
                    None if report.touches(&format!("channels.{channel}")) => likes.push(None),
                    None => report.error_once(path, unknown(channel, "channel", &known)),
                }
            }
            let is_meant = |like: &Option<Like>| like.is_none_or(|like| rule.like.contains(&like));
            if !rule.like.is_empty() && !likes.is_empty() && !likes.iter().any(is_meant) {
                let why =
                    "none of the rule's channels is of this kind, so that nothing fits both: take one of them out";
                report.error_once(format!("routing.rules.{name}.like"), why);
            }
        }
    }

    /// Whether the queues that mirrors name are there.
    pub(super) fn check_mirrors(&self, mirrors: &BTreeMap<String, MirrorSettings>, report: &mut Report) {
        let known: Vec<&str> = self.names().into_iter().collect();
        for (name, mirror) in mirrors {
            for (key, queue) in mirror.built.mirror.queues() {
                if !known.contains(&queue.as_str()) {
                    report.error_once(format!("mirrors.{name}.{key}"), unknown(&queue, "queue", &known));
                }
            }
        }
    }
}

fn unknown(word: &str, what: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("there is no {what} \"{word}\", did you mean \"{near}\"?"),
        None if known.is_empty() => format!("there is no {what} \"{word}\""),
        None => unknown_word(word, known),
    }
}
