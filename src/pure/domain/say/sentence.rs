//! A decision in one sentence: which facts from which messages joined it, what spoke against that, and what else
//! was considered.
//!
//! **Invariant:** it says nothing that the reasons do not say. Where a fact came from is told by the kind of message
//! and its time, never by its words.

use super::{Language, Say, en, fi, sv};
use crate::pure::domain::Timestamp;
use crate::pure::domain::decision::Reason;
use crate::pure::domain::id::MessageId;
use jiff::Zoned;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// What kind of message something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// An e-mail.
    Mail,
    /// A telephone call.
    Call,
    /// A note of an agent's.
    Note,
    /// What is written on a platform or in a chat.
    Chat,
}

/// A message that a fact came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What it is.
    pub medium: Medium,
    /// The configured channel.
    pub channel: String,
    /// The desk said it.
    pub is_desks: bool,
    /// Event time.
    pub at: Timestamp,
}

/// What was considered, and not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Considered {
    /// The short number of another ticket; `None` for another contact.
    pub ticket: Option<i64>,
    /// What pointed there.
    pub says: Say,
    /// A message of that side.
    pub by_message: MessageId,
}

/// A decision, as far as it is told of.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// When it was taken: times of the same year are told without it.
    pub at: Timestamp,
    /// Somebody or something known was found, so that it could have been wrong.
    pub is_join: bool,
    /// Why.
    pub reasons: &'a [Reason],
    /// What else pointed somewhere.
    pub considered: &'a [Considered],
}

impl Account<'_> {
    /// It joined something on evidence, all of which is known.
    fn is_weighed(&self) -> bool {
        let is_known = |reason: &Reason| !matches!(reason.says, Say::Plain { .. });
        let mut reasons = self.reasons.iter();
        self.is_join && reasons.clone().all(is_known) && reasons.any(|reason| !matches!(reason.says, Say::Message(_)))
    }
}

/// On which side of a decision something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    For,
    Against,
    /// It is told with the steps only.
    Beside,
}

/// What a source is to the sentence that it is told with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A fact is from it.
    Origin,
    /// The sentence is about it.
    Object,
}

/// Words between the parts, of one language.
pub(super) struct Joints {
    /// Before what spoke against it.
    pub(super) against: &'static str,
    /// That nothing did.
    pub(super) nothing: &'static str,
    /// Before what else was considered.
    pub(super) considered: &'static str,
    /// Another contact.
    pub(super) contact: &'static str,
    /// Before the number of another ticket.
    pub(super) ticket: &'static str,
}

/// The decision in one sentence, on the clock of whoever reads it; `None` where no reason was given.
pub fn sentence(
    account: &Account<'_>,
    sources: &BTreeMap<MessageId, Source>,
    language: Language,
    zone: &TimeZone,
) -> Option<String> {
    let telling = Telling { account, sources, language, zone };
    let joints = match language {
        Language::Finnish => &fi::JOINTS,
        Language::Swedish => &sv::JOINTS,
        Language::English => &en::JOINTS,
    };
    let mut parts = telling.side(Side::For);
    let against = telling.side(Side::Against);
    match against.is_empty() {
        false if parts.is_empty() => parts.extend(against),
        false => parts.push(format!("{} {}", joints.against, against.join(", "))),
        true if account.is_weighed() => parts.push(joints.nothing.to_owned()),
        true => {}
    }
    let considered: Vec<String> = account.considered.iter().map(|other| telling.considered(other, joints)).collect();
    if !considered.is_empty() {
        parts.push(format!("{} {}", joints.considered, considered.join(", ")));
    }
    (!parts.is_empty()).then(|| format!("{}.", capitalised(&parts.join("; "))))
}

struct Telling<'a> {
    account: &'a Account<'a>,
    sources: &'a BTreeMap<MessageId, Source>,
    language: Language,
    zone: &'a TimeZone,
}

impl Telling<'_> {
    /// The clauses of one side, each once, with the messages that they rest on.
    fn side(&self, side: Side) -> Vec<String> {
        let mut clauses: Vec<String> = Vec::new();
        for reason in self.account.reasons.iter().filter(|reason| reason.says.side() == side) {
            let from: Vec<String> = reason.from.iter().filter_map(|id| self.source(*id, reason.says.role())).collect();
            let from = if from.is_empty() { String::new() } else { format!(" ({})", from.join(", ")) };
            let clause = format!("{}{from}", clause(&reason.says.in_language(self.language)));
            if !clauses.contains(&clause) {
                clauses.push(clause);
            }
        }
        clauses
    }

    fn considered(&self, other: &Considered, joints: &Joints) -> String {
        let what = match other.ticket {
            Some(number) => format!("{}{number}", joints.ticket),
            None => joints.contact.to_owned(),
        };
        let why = clause(&other.says.in_language(self.language));
        let from = self.source(other.by_message, other.says.role());
        let from = from.map(|from| format!(", {from}")).unwrap_or_default();
        format!("{what} ({why}{from})")
    }

    /// `None` for a message that is not kept any more.
    fn source(&self, id: MessageId, role: Role) -> Option<String> {
        let source = self.sources.get(&id)?;
        let at = source.at.to_zoned(self.zone.clone());
        let same_year = at.year() == self.account.at.to_zoned(self.zone.clone()).year();
        Some(match self.language {
            Language::Finnish => fi::source(source, role, &moment(&at, same_year, fi::MOMENT)),
            Language::Swedish => sv::source(source, role, &moment(&at, same_year, sv::MOMENT)),
            Language::English => en::source(source, role, &moment(&at, same_year, en::MOMENT)),
        })
    }
}

/// How a language writes a moment: names of the months, if they are written; and forms for `strftime` with the year
/// and without. `%B` is the month.
pub(super) type Moment = (&'static [&'static str], &'static str, &'static str);

fn moment(at: &Zoned, same_year: bool, (months, with_year, without): Moment) -> String {
    let form = if same_year { without } else { with_year };
    let month = usize::try_from(at.month() - 1).ok().and_then(|month| months.get(month));
    at.strftime(&form.replace("%B", month.copied().unwrap_or_default())).to_string()
}

/// The first sentence of a text as a part of another one.
fn clause(text: &str) -> String {
    // A point within a name or number ends no sentence.
    let ends = [". ", "? "].into_iter().filter_map(|mark| text.find(mark)).min();
    let first = text[..ends.map_or(text.len(), |at| at + 1)].trim_end_matches('.');
    let mut chars = first.chars();
    match (chars.next(), chars.next()) {
        (Some(one), Some(two)) if !two.is_uppercase() => one.to_lowercase().chain(first.chars().skip(1)).collect(),
        _ => first.to_owned(),
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
