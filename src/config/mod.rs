//! The configuration: read once, strictly, into domain types.
//!
//! `config/default.toml` lies beneath, then come the files given (`/etc/lanka` when none is), then
//! `LANKA__SECTION__KEY` variables. Parts, in reading order: `layers` makes one tree of them,
//! `secrets` reads what the tree only names, `sections` and `entries` turn it into [`Settings`]
//! (`service` those of hours and promises) with the help of `values`, and `problem` says what is wrong and where. `entrance` reads what one
//! channel's mail needs, and no more; `ready` reads the directory of ready answers.
//!
//! Every problem is found at once: a person who mends a file wants the whole list.
//!
//! Refused: reloading single keys (a reload reads everything anew or keeps everything), and defaults
//! in code (they would drift from the file that documents them).
//!
//! **Invariants:** the environment is read nowhere else. No secret stands in a file or a message. What
//! is in [`Settings`] needs no further check.

mod entrance;
mod entries;
mod layers;
mod letters;
mod problem;
pub mod ready;
mod routing;
mod secrets;
mod sections;
mod service;
mod values;

pub use entrance::Entrance;
pub use layers::{DEFAULTS, Environment, TRIAGE};
pub use problem::{Level, Problem};
pub use routing::{Queue, Routing, To};
pub use secrets::{Key, KeyError, Keys, random_hex};
pub use sections::*;
pub use service::{ContractSection, ServiceSection};
pub use values::{
    AgentPattern, Domain, Language, MatterPattern, NameServer, Phrase, PublicDomain, TrustedRelay, parse_duration,
};

use crate::pure::channels::Built;
use crate::pure::channels::{self, KINDS};
use crate::pure::domain::learnt::Learnt;
use crate::pure::domain::notice::NoticeKind;
use crate::pure::domain::phrases::{Denials, Phrases};
use crate::pure::domain::policy::{self, Matter, Policy};
use crate::pure::domain::public_domains;
use crate::pure::domain::rule::Rules;
use crate::pure::domain::service::Service;
use crate::pure::mirrors;
use crate::pure::wire::settings::{nearest, read};
use problem::Report;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use toml::{Table, Value};

/// Most patterns under `[matters]`: each is run over every message.
const MATTERS_MAX: usize = 64;
/// Most phrases of one list of `[phrases]`, over all languages: every message is searched for them.
const PHRASES_MAX: usize = 500;

/// The whole configuration.
pub struct Settings {
    /// Everything but channels and mirrors.
    pub sections: Sections,
    /// The ways in, by name, those switched off included.
    pub channels: BTreeMap<String, ChannelSettings>,
    /// The tools that hear of threads, by name, those switched off included.
    pub mirrors: BTreeMap<String, MirrorSettings>,
    /// What somebody should look at, though lanka runs with it.
    pub warnings: Vec<Problem>,
}

/// One configured way in.
pub struct ChannelSettings {
    /// Its kind's name.
    pub kind: &'static str,
    /// Whose customers come this way.
    pub tenant: String,
    /// Whether it takes anything in. One that is switched off still reads its history (`lanka import`);
    /// its secrets may be stand-ins that fit nothing.
    pub enabled: bool,
    /// How long things belong together on it.
    pub windows: policy::Windows,
    /// What customers are told by lanka itself here, where that differs.
    pub notices: Option<Vec<NoticeKind>>,
    /// The channel itself, how its bytes get in, and the desk's own addresses on it.
    pub built: Built,
}

/// One configured tool.
pub struct MirrorSettings {
    /// Its kind's name.
    pub kind: &'static str,
    /// Whose tickets it hears of.
    pub tenant: String,
    /// Whether anything is sent to it.
    pub enabled: bool,
    /// The mirror itself, with its inbound half.
    pub built: mirrors::Built,
}

/// The sections are most of the settings: `settings.http.listen`.
impl std::ops::Deref for Settings {
    type Target = Sections;

    fn deref(&self) -> &Sections {
        &self.sections
    }
}

/// All that is wrong with a configuration, warnings included: what `lanka check` prints.
pub fn check(paths: &[PathBuf], environment: &Environment) -> Vec<Problem> {
    match Settings::load(paths, environment) {
        Ok(settings) => settings.warnings,
        Err(problems) => problems,
    }
}

impl Settings {
    /// Reads the files and directories given, or `/etc/lanka/lanka.toml` and `/etc/lanka/lanka.d` as
    /// far as they exist when none is, beneath the environment.
    ///
    /// # Errors
    /// Every problem, by file and line, warnings among them.
    pub fn load(paths: &[PathBuf], environment: &Environment) -> Result<Self, Vec<Problem>> {
        let mut report = Report::default();
        let mut tree = layers::load(paths, environment, &mut report);
        secrets::resolve(&mut tree, environment, &mut report);
        let (channels, mirrors) = (tree.remove("channels"), tree.remove("mirrors"));
        let named = channels.as_ref().and_then(Value::as_table).into_iter().flat_map(Table::keys);
        let names: BTreeSet<String> = named.cloned().collect();
        let mut defaults: Table = layers::built_in();
        defaults.retain(|key, _| key != "channels" && key != "mirrors");
        let (sections, problems) = read(tree, &["channels", "mirrors"], &defaults);
        entries::refer("", problems, &mut report);
        // Where something is wrong, its default stands, so that the rest is checked too.
        let Some(sections) = sections else { return Err(report.finish()) };
        check_sections(&sections, &mut report);
        service::check(&sections, &names, &mut report);
        let channels = entries::channels(channels, &sections, &mut report);
        let mirrors = entries::mirrors(mirrors, &sections, &channels, &mut report);
        check_ready_answers(&sections.ready_answers, &mirrors, &mut report);
        sections.routing.check_channels(&channels, &mut report);
        sections.routing.check_mirrors(&mirrors, &mut report);
        letters::check(&sections, &channels, &mirrors, &mut report);
        let settings = Self { sections, channels, mirrors, warnings: Vec::new() };
        if !report.has_errors() {
            settings.warn_of_unheard_mirrors(&mut report);
        }
        let problems = report.finish();
        match problems.iter().any(Problem::is_error) {
            true => Err(problems),
            false => Ok(Self { warnings: problems, ..settings }),
        }
    }

    /// The tenants in use, in order.
    pub fn tenants(&self) -> Vec<String> {
        let channels = self.channels.values().map(|channel| &channel.tenant);
        let tenants: BTreeSet<&String> = channels.chain(self.mirrors.values().map(|mirror| &mirror.tenant)).collect();
        tenants.into_iter().cloned().collect()
    }

    /// The built-in defaults alone, for what runs without a configuration (`lanka parse`): no channel, no
    /// mirror. `None` only if the defaults that are compiled in are broken, which a test rules out.
    pub fn bare() -> Option<Self> {
        let mut defaults: Table = layers::built_in();
        defaults.retain(|key, _| key != "channels" && key != "mirrors");
        let (sections, _) = read(defaults.clone(), &[], &defaults);
        Some(Self { sections: sections?, channels: BTreeMap::new(), mirrors: BTreeMap::new(), warnings: Vec::new() })
    }

    /// What deciding depends on, for one tenant.
    pub fn policy(&self, tenant: &str, keys: &Keys) -> Policy {
        self.policy_under(tenant, keys.derive_lookup("fact"))
    }

    /// [`Self::policy`] under a given key of look-up hashes.
    pub fn policy_under(&self, tenant: &str, fact_key: [u8; 32]) -> Policy {
        let channels = || self.channels.iter().filter(|(_, channel)| channel.tenant == tenant);
        let mirrors = self.mirrors.iter().filter(|(_, mirror)| mirror.tenant == tenant && mirror.enabled);
        let domains = |list: &[Domain]| list.iter().map(|domain| domain.0.clone()).collect::<HashSet<_>>();
        let matters = self.matters.iter().map(|(name, matter)| Matter {
            name: name.clone(),
            pattern: matter.pattern.clone(),
            role: matter.role,
        });
        let phrases = |lists: &PhraseLists| Phrases::of(lists.values().flatten().map(|phrase| phrase.0.as_str()));
        Policy {
            region: self.defaults.region.clone(),
            time_zone: self.defaults.time_zone.clone(),
            own_domains: domains(&self.identity.own_domains),
            agents: self.identity.agents.iter().map(|pattern| pattern.0.clone()).collect(),
            public_domains: self.identity.all_public_domains(),
            organisations: domains(&self.identity.organisations),
            matters: Arc::new(matters.collect()),
            lexicon: Arc::new(self.triage.lexicon()),
            urgency: Arc::new(self.urgency.policy(&self.contracts)),
            learnt: Learnt::default(),
            new_matter: phrases(&self.phrases.new_matter),
            is_back: phrases(&self.phrases.is_back),
            again: phrases(&self.phrases.again),
            said_before: phrases(&self.phrases.said_before),
            not_mine: phrases(&self.phrases.not_mine),
            not_owner: phrases(&self.phrases.not_owner),
            not_me: phrases(&self.phrases.not_me),
            same_number: phrases(&self.phrases.same_number),
            not_there: Denials::of(
                self.phrases.not_there.values().flatten().map(|phrase| phrase.0.as_str()),
                KINDS.iter().map(|kind| (kind.accounts.called, kind.accounts.schemes)),
            ),
            windows: self.windows.policy(),
            channel_windows: channels().map(|(name, channel)| (name.clone(), channel.windows)).collect(),
            automatic_max: self.answers.automatic_max,
            notices: Arc::new(self.notices.policy(
                &self.defaults.languages,
                channels().filter_map(|(name, channel)| Some((name.clone(), channel.notices.clone()?))).collect(),
            )),
            own_addresses: channels().flat_map(|(_, channel)| channel.built.own.addresses.clone()).collect(),
            own_numbers: channels().flat_map(|(_, channel)| channel.built.own.numbers.clone()).collect(),
            fact_key,
            mirrors: mirrors.map(|(name, _)| name.clone()).collect(),
            rules: Rules::without(self.identity.without.iter().map(|name| name.0)),
            routing: self.routing.policy(&self.defaults.region),
            channel_like: channels()
                .filter_map(|(name, channel)| Some((name.clone(), channels::like(channel.kind)?)))
                .collect(),
        }
    }

    /// When the desk is there, and what it promises to whom.
    pub fn service(&self) -> Service {
        service::service(&self.sections)
    }

    /// The daemon's keys: those configured, else the one under `data_dir`, which is made if it is not
    /// there yet (only with the private Postgres: [`Self::load`] demands keys with any other).
    ///
    /// # Errors
    /// When the file can neither be read nor made, or holds no key.
    pub fn ensure_keys(&self) -> Result<Keys, KeyError> {
        Keys::of(&self.security.keys).map_or_else(|| secrets::key_under(&self.data_dir), Ok)
    }

    /// The same keys for somebody who only reads: none is made.
    ///
    /// # Errors
    /// As [`Settings::ensure_keys`], and when the daemon has not made its key yet.
    pub fn existing_keys(&self) -> Result<Keys, KeyError> {
        Keys::of(&self.security.keys).map_or_else(|| secrets::read_key_under(&self.data_dir), Ok)
    }

    /// Where attachments and large bodies are kept.
    pub fn content_dir(&self) -> PathBuf {
        self.content.dir.clone().unwrap_or_else(|| self.data_dir.join("content"))
    }

    /// A mirror whose tenant no channel has is a slip more often than a plan.
    fn warn_of_unheard_mirrors(&self, report: &mut Report) {
        let tenants: BTreeSet<&str> = self.channels.values().map(|channel| channel.tenant.as_str()).collect();
        for (name, mirror) in
            self.mirrors.iter().filter(|(_, mirror)| mirror.enabled && !tenants.contains(mirror.tenant.as_str()))
        {
            let near =
                nearest(&mirror.tenant, tenants.iter().copied()).map(|near| format!(", did you mean \"{near}\"?"));
            let message = format!("no channel has the tenant \"{}\"{}", mirror.tenant, near.unwrap_or_default());
            report.warning(format!("mirrors.{name}.tenant"), message);
        }
    }
}

impl IdentityRules {
    /// The built-in list with what is added and without what is taken off.
    pub fn all_public_domains(&self) -> HashSet<String> {
        let mut domains: HashSet<String> = public_domains::built_in().map(str::to_owned).collect();
        for PublicDomain { domain, public } in &self.public_domains {
            match public {
                true => domains.insert(domain.0.clone()),
                false => domains.remove(&domain.0),
            };
        }
        domains
    }
}

/// Mirrors that are to be told nothing are there.
fn check_ready_answers(ready: &ReadyAnswers, mirrors: &BTreeMap<String, MirrorSettings>, report: &mut Report) {
    for (index, name) in ready.not_in.iter().enumerate().filter(|(_, name)| !mirrors.contains_key(*name)) {
        report.error_once(format!("ready_answers.not_in.{index}"), no_mirror(name, mirrors));
    }
}

/// That a mirror is not there, and which may be meant.
fn no_mirror(name: &str, mirrors: &BTreeMap<String, MirrorSettings>) -> String {
    let near = nearest(name, mirrors.keys().map(String::as_str)).map(|near| format!(", did you mean \"{near}\"?"));
    format!("there is no mirror \"{name}\"{}", near.unwrap_or_default())
}

fn check_incidents(incidents: &sections::Incidents, report: &mut Report) {
    let count = incidents.trouble.len() + incidents.words.values().map(Vec::len).sum::<usize>();
    if count > PHRASES_MAX {
        let why = format!(
            "{count} phrases with those of `trouble`, and {PHRASES_MAX} are the most: every message is searched for them"
        );
        report.error_once("incidents.words", why);
    }
    if incidents.with_alert_min > incidents.customers_min {
        let why = "is more than customers_min: an alert that speaks of the same should make fewer enough";
        report.error_once("incidents.with_alert_min", why);
    }
}

fn check_phrases(phrases: &PhraseSections, report: &mut Report) {
    for (name, lists) in phrases.lists() {
        let count = lists.values().map(Vec::len).sum::<usize>();
        if count > PHRASES_MAX {
            let why = format!(
                "{count} phrases in all languages, and {PHRASES_MAX} are the most: every message is searched for them"
            );
            report.error_once(format!("phrases.{name}"), why);
        }
    }
}

/// What no single key can show.
fn check_sections(sections: &Sections, report: &mut Report) {
    let Sections { database, security, identity, matters, phrases, deliver, media, .. } = sections;
    if database.url.is_some() && security.keys.is_empty() && !report.touches("security.keys") {
        report.error_once(
            "database.url",
            "with a database of your own, lanka needs its key from you: make one with `openssl rand -hex 32 > lanka.key` \
             and name it under [security]: keys = [{ id = \"2026-1\", file = \"lanka.key\" }]",
        );
    }
    for (index, key) in security.keys.iter().enumerate() {
        if key.id.trim().is_empty() {
            report.error_once(format!("security.keys.{index}.id"), "is empty: write a name, like \"2026-1\"");
        }
        if let Err(message) = key.check() {
            report.error_once(format!("security.keys.{index}"), message);
        }
        if security.keys[..index].iter().any(|other| other.id == key.id) {
            report.error_once(format!("security.keys.{index}.id"), format!("there is another key \"{}\"", key.id));
        }
    }
    let public = identity.all_public_domains();
    let mut refuse_public = |key: String, domain: &str, harm: &str| {
        if public.contains(domain) {
            report.error_once(key, format!("anybody can have an address at {domain}: {harm}. If nobody can, add \"!{domain}\" to public_domains"));
        }
    };
    for (index, domain) in identity.own_domains.iter().enumerate() {
        refuse_public(
            format!("identity.own_domains.{index}"),
            &domain.0,
            "customers there would be taken for colleagues",
        );
    }
    for (index, domain) in identity.agents.iter().enumerate().filter_map(|(i, agent)| Some((i, agent.whole_domain()?)))
    {
        refuse_public(format!("identity.agents.{index}"), domain, "customers there would be taken for agents");
    }
    for (index, domain) in identity.organisations.iter().enumerate() {
        refuse_public(
            format!("identity.organisations.{index}"),
            &domain.0,
            "strangers there would be taken for one firm",
        );
    }
    if !identity.without.is_empty() {
        let why = "is for measuring: rules that keep customers apart are left out. Take it away before anybody writes to the desk";
        report.warning("identity.without", why);
    }
    for name in matters.keys().filter(|name| values::check_name(&name.replace('_', "-")).is_err()) {
        report.error_once(format!("matters.{name}"), "not a name: small letters, digits, inner dashes and underscores");
    }
    if matters.len() > MATTERS_MAX {
        report.error_once(
            "matters",
            format!("{} patterns, and {MATTERS_MAX} are the most: each is run over every message", matters.len()),
        );
    }
    check_phrases(phrases, report);
    sections.routing.check(report);
    check_incidents(&sections.incidents, report);
    for (key, first, max) in [
        ("deliver.backoff_first", deliver.backoff_first, deliver.backoff_max),
        ("media.backoff_first", media.backoff_first, media.backoff_max),
    ] {
        if first > max {
            report.error_once(key, "longer than backoff_max: write a shorter one, or a longer backoff_max");
        }
    }
}
