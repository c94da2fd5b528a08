//! `[letters.*]`: what the desk writes to its own people by the clock.

use super::problem::Report;
use super::values::{self, Domain, Language};
use super::{ChannelSettings, MirrorSettings, Sections, Settings, no_mirror};
use crate::pure::domain::Timestamp;
use crate::pure::domain::identity::EmailAddress;
use crate::pure::domain::letter::{LetterAbout, LetterPlan};
use crate::pure::domain::outbox::Alert;
use crate::pure::domain::period::Unit;
use crate::pure::domain::say;
use crate::pure::wire::written::text;
use jiff::civil::Time;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// Most letters, and recipients of one.
const LETTERS_MAX: usize = 200;
const RECIPIENTS_MAX: usize = 50;

/// A letter.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LetterSection {
    /// What it tells.
    pub about: About,
    /// On the first day of each of these.
    pub every: Every,
    /// When on that day, by the desk's clock.
    pub at: At,
    /// Whom it goes to by mail.
    #[serde(default)]
    pub to: Vec<Address>,
    /// The mail channel that it is sent by; needs to be named only where several can send.
    #[serde(default)]
    pub channel: Option<String>,
    /// Mirrors that it goes to.
    #[serde(default)]
    pub mirrors: Vec<String>,
    /// Of a report: of these customers alone.
    #[serde(default)]
    pub organisations: Vec<Domain>,
    /// Of a report: with the beginning of what customers said as feedback.
    #[serde(default)]
    pub texts: bool,
    /// Its language; else the first of defaults.languages.
    #[serde(default)]
    pub language: Option<Language>,
    /// Whether it is written.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// What a letter tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum About {
    /// The report of the period that ended.
    Report,
    /// What gathers dust.
    Dust,
}

/// How often.
#[derive(Debug, Clone, Copy)]
pub struct Every(pub Unit);

impl<'de> Deserialize<'de> for Every {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "\"day\", \"week\", \"month\", \"quarter\" or \"year\"", |text| {
            let wrong = || format!("\"{text}\" is none of \"day\", \"week\", \"month\", \"quarter\" and \"year\"");
            Unit::parse(text).map(Self).ok_or_else(wrong)
        })
    }
}

/// A time of the day.
#[derive(Debug, Clone, Copy)]
pub struct At(pub Time);

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "a time of the day like \"07:00\"", |text| {
            let is_time = text.len() == 5 && text.as_bytes()[2] == b':';
            let time = text.parse().ok().filter(|_| is_time);
            time.map(Self).ok_or_else(|| format!("\"{text}\" is no time of the day like \"07:00\""))
        })
    }
}

/// An address of mail.
#[derive(Debug, Clone)]
pub struct Address(pub EmailAddress);

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "an address like \"boss@example.fi\"", |text| {
            EmailAddress::parse(text)
                .map(Self)
                .map_err(|_| format!("\"{text}\" is no address like \"boss@example.fi\""))
        })
    }
}

impl Settings {
    /// The letters that are written, by name. Right once [`check`] found nothing wrong.
    pub fn letters(&self) -> Vec<LetterPlan> {
        let plan = |(name, letter): (&String, &LetterSection)| {
            let channel = sender(letter, &self.channels).ok().flatten().map(|(name, _)| name.clone());
            let of_channel = channel.as_ref().and_then(|name| self.channels.get(name)).map(|channel| &channel.tenant);
            let of_mirror = letter.mirrors.first().and_then(|name| self.mirrors.get(name)).map(|mirror| &mirror.tenant);
            let organisations = letter.organisations.iter().map(|domain| domain.0.clone()).collect();
            Some(LetterPlan {
                name: name.clone(),
                tenant: of_channel.or(of_mirror)?.clone(),
                about: match letter.about {
                    About::Report => LetterAbout::Report { organisations, with_texts: letter.texts },
                    About::Dust => LetterAbout::Dust,
                },
                every: letter.every.0,
                at: letter.at.0,
                to: letter.to.iter().map(|to| to.0.as_str().to_owned()).collect(),
                channel,
                mirrors: letter.mirrors.clone(),
                language: match &letter.language {
                    Some(language) => say::Language::first_of([language.0.as_str()]),
                    None => self.defaults.language(),
                },
            })
        };
        self.sections.letters.iter().filter(|(_, letter)| letter.enabled).filter_map(plan).collect()
    }
}

/// The channel that a letter is sent by; none where it goes to nobody by mail.
fn sender<'a>(
    letter: &LetterSection,
    channels: &'a BTreeMap<String, ChannelSettings>,
) -> Result<Option<(&'a String, &'a ChannelSettings)>, String> {
    if letter.to.is_empty() {
        return Ok(None);
    }
    let sends = |channel: &&ChannelSettings| {
        channel.enabled && channel.built.channel.answers().is_some_and(|answers| answers.mail_server().is_some())
    };
    let able: Vec<_> = channels.iter().filter(|(_, channel)| sends(channel)).collect();
    match (&letter.channel, able.as_slice()) {
        (Some(named), able) => {
            let found = able.iter().copied().find(|(name, _)| *name == named);
            found.map(Some).ok_or_else(|| format!("no channel \"{named}\" sends mail: it needs a table `smtp`"))
        }
        (None, [one]) => Ok(Some(*one)),
        (None, []) => Err("no channel sends mail: give one a table `smtp`".to_owned()),
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|(name, _)| name.as_str()).collect();
            Err(format!("say which channel sends it: {}", names.join(", ")))
        }
    }
}

/// Whether it would get anything: what letters tell goes to mirrors as alerts do.
fn takes_alerts(mirror: &MirrorSettings) -> bool {
    let now = Timestamp::UNIX_EPOCH;
    let (code, subject, message) = (String::new(), String::new(), String::new());
    mirror.built.mirror.alert(&Alert { code, subject, active: true, message, since: now }, "", now).is_some()
}

/// What is wrong with letters.
pub(super) fn check(
    sections: &Sections,
    channels: &BTreeMap<String, ChannelSettings>,
    mirrors: &BTreeMap<String, MirrorSettings>,
    report: &mut Report,
) {
    if sections.letters.len() > LETTERS_MAX {
        report.error_once("letters", format!("{} letters, and {LETTERS_MAX} are the most", sections.letters.len()));
    }
    for (name, letter) in &sections.letters {
        let path = format!("letters.{name}");
        let mut problem = |key: &str, why: String| report.error_once(format!("{path}{key}"), why);
        if let Err(why) = values::check_name(name) {
            problem("", why);
        }
        if letter.to.is_empty() && letter.mirrors.is_empty() {
            problem("", "it goes to nobody: set `to` or `mirrors`".to_owned());
        }
        if letter.to.len() > RECIPIENTS_MAX {
            problem(".to", format!("{} addresses, and {RECIPIENTS_MAX} are the most", letter.to.len()));
        }
        let channel = sender(letter, channels);
        if let Err(why) = &channel {
            problem(".channel", why.clone());
        }
        for (index, Address(to)) in letter.to.iter().enumerate() {
            let is_ours = channels.values().any(|channel| channel.built.own.addresses.contains(to));
            if is_ours {
                problem(
                    &format!(".to.{index}"),
                    format!("\"{}\" is read by a channel: it would come back", to.as_str()),
                );
            }
        }
        if letter.about == About::Dust && (letter.texts || !letter.organisations.is_empty()) {
            problem("", "`organisations` and `texts` are for reports".to_owned());
        }
        let tenant = channel.ok().flatten().map(|(_, channel)| channel.tenant.as_str());
        for (index, named) in letter.mirrors.iter().enumerate() {
            match mirrors.get(named) {
                None => problem(&format!(".mirrors.{index}"), no_mirror(named, mirrors)),
                Some(mirror) if tenant.is_some_and(|tenant| tenant != mirror.tenant) => {
                    problem(&format!(".mirrors.{index}"), format!("\"{named}\" is another firm's than the channel"));
                }
                Some(mirror) if !takes_alerts(mirror) => {
                    problem(
                        &format!(".mirrors.{index}"),
                        format!("\"{named}\" takes no alerts, by which it would get it"),
                    );
                }
                Some(_) => {}
            }
        }
    }
}
