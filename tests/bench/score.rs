//! What is right and wrong in what was said of a labelled stream, by the measures of `tests/fixtures/stories/README.md`: whose each
//! event is, which matter it belongs to, who was shown to whom, which attacks got in.
//!
//! Pairwise precision counts the pairs of events that were put together; recall counts the links of the truth that
//! evidence decides. Repeats are left out of all of it and counted by themselves.

#![allow(dead_code, reason = "a benchmark and a test take the parts they need")]

use super::stream::Prediction;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

/// Evidence that decides whose an event is.
const DECIDES_CONTACT: &[&str] = &["same_id", "reply_ref", "id_mentioned", "order_number"];

/// Evidence that decides which matter it is.
const DECIDES_TICKET: &[&str] = &["reply_ref", "session", "ticket_ref", "order_number", "one_open", "topic"];

/// The right answer for one event.
#[derive(Debug, Clone, Deserialize)]
pub struct Truth {
    pub event_id: String,
    pub channel: String,
    pub contact_id: String,
    pub ticket_id: String,
    pub duplicate_of: Option<String>,
    pub attack: bool,
    pub victim_contact_id: Option<String>,
    pub contact_link: Link,
    pub ticket_link: Link,
}

/// What holds an event to an earlier one.
#[derive(Debug, Clone, Deserialize)]
pub struct Link {
    pub to: Option<String>,
    pub evidence: String,
}

/// The right answers of a directory.
pub fn truth(dir: &Path) -> Vec<Truth> {
    let path = dir.join("truth.jsonl");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("a right answer")).collect()
}

/// Of contacts or of tickets.
#[derive(Debug, Clone, Default)]
pub struct Measures {
    /// Pairs of events put together, and those of them that belong together.
    pub pairs: (usize, usize),
    /// Links that evidence decides, and those found.
    pub links: (usize, usize),
    /// The same, between channels.
    pub cross_links: (usize, usize),
    /// The links that were not found: `event to (evidence)`.
    pub missed: Vec<String>,
}

impl Measures {
    /// The share of pairs that belong together.
    pub fn precision(&self) -> f64 {
        share(self.pairs)
    }

    /// The share of links found.
    pub fn recall(&self) -> f64 {
        share(self.links)
    }

    /// The share of links between channels found.
    pub fn cross_recall(&self) -> f64 {
        share(self.cross_links)
    }
}

/// What was said, held against the truth.
#[derive(Debug, Clone, Default)]
pub struct Score {
    pub contact: Measures,
    pub ticket: Measures,
    /// Contacts that hold two customers, one line each: whose events.
    pub merged: Vec<String>,
    /// Tickets that show customers to each other who have no matter in common, one line each.
    pub leaking: Vec<String>,
    /// Attack events.
    pub attacks: usize,
    /// Those that are in the victim's contact or on a ticket of his.
    pub succeeded: Vec<String>,
    /// Repeats missed, and messages taken for repeats.
    pub repeats_wrong: usize,
}

/// Holds what was said of each event against the truth; an event of which nothing was said is alone.
pub fn score(truth: &[Truth], predictions: &[Prediction]) -> Score {
    let said: HashMap<&str, &Prediction> = predictions.iter().map(|one| (one.event_id.as_str(), one)).collect();
    let contact_of = |event: &str| said.get(event).map_or(event, |one| one.contact_id.as_str()).to_owned();
    let ticket_of = |event: &str| said.get(event).map_or(event, |one| one.ticket_id.as_str()).to_owned();
    let rows: Vec<&Truth> = truth.iter().filter(|row| row.duplicate_of.is_none()).collect();
    let channels: HashMap<&str, &str> = truth.iter().map(|row| (row.event_id.as_str(), row.channel.as_str())).collect();
    let mut score = Score {
        contact: measures(&rows, &channels, DECIDES_CONTACT, |row| (&row.contact_id, &row.contact_link), contact_of),
        ticket: measures(&rows, &channels, DECIDES_TICKET, |row| (&row.ticket_id, &row.ticket_link), ticket_of),
        ..Score::default()
    };
    let holds = |of: &dyn Fn(&str) -> String| -> BTreeMap<String, BTreeMap<&str, Vec<&str>>> {
        let mut groups: BTreeMap<String, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
        for row in &rows {
            let group = groups.entry(of(&row.event_id)).or_default();
            group.entry(&row.contact_id).or_default().push(&row.event_id);
        }
        groups
    };
    let shown = |group: &BTreeMap<&str, Vec<&str>>| -> String {
        let parts: Vec<String> =
            group.iter().map(|(customer, events)| format!("{customer}: {}", events.join(" "))).collect();
        parts.join("; ")
    };
    score.merged = holds(&contact_of).values().filter(|group| group.len() > 1).map(shown).collect();
    // Who shares a matter may see the other on a ticket.
    let mut matters: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in &rows {
        matters.entry(&row.ticket_id).or_default().insert(&row.contact_id);
    }
    let share_one = |one: &str, other: &str| matters.values().any(|who| who.contains(one) && who.contains(other));
    let leaks = |group: &&BTreeMap<&str, Vec<&str>>| {
        group.keys().any(|one| group.keys().any(|other| one != other && !share_one(one, other)))
    };
    score.leaking = holds(&ticket_of).values().filter(leaks).map(shown).collect();
    let is_of_victim = |row: &Truth, group: &dyn Fn(&str) -> String| {
        let of = group(&row.event_id);
        let own =
            rows.iter().filter(|other| !other.attack && Some(&other.contact_id) == row.victim_contact_id.as_ref());
        own.into_iter().any(|other| group(&other.event_id) == of)
    };
    for row in rows.iter().filter(|row| row.attack) {
        score.attacks += 1;
        if is_of_victim(row, &contact_of) || is_of_victim(row, &ticket_of) {
            score.succeeded.push(row.event_id.clone());
        }
    }
    let repeats = truth.iter().filter(|row| {
        let found = said.get(row.event_id.as_str()).and_then(|one| one.duplicate_of.as_ref());
        found != row.duplicate_of.as_ref()
    });
    score.repeats_wrong = repeats.count();
    score
}

fn measures(
    rows: &[&Truth],
    channels: &HashMap<&str, &str>,
    deciding: &[&str],
    truth_of: impl Fn(&Truth) -> (&String, &Link),
    said_of: impl Fn(&str) -> String,
) -> Measures {
    let mut measures = Measures::default();
    let mut sizes: HashMap<String, usize> = HashMap::new();
    let mut right: HashMap<(String, &String), usize> = HashMap::new();
    for row in rows {
        let said = said_of(&row.event_id);
        *right.entry((said.clone(), truth_of(row).0)).or_default() += 1;
        *sizes.entry(said).or_default() += 1;
    }
    let pairs = |count: &usize| count * (count - 1) / 2;
    measures.pairs = (sizes.values().map(pairs).sum(), right.values().map(pairs).sum());
    for row in rows {
        let link = truth_of(row).1;
        let Some(to) = link.to.as_deref().filter(|_| deciding.contains(&link.evidence.as_str())) else { continue };
        let is_found = said_of(&row.event_id) == said_of(to);
        let is_cross = channels.get(to) != Some(&row.channel.as_str());
        measures.links.0 += 1;
        measures.links.1 += usize::from(is_found);
        measures.cross_links.0 += usize::from(is_cross);
        measures.cross_links.1 += usize::from(is_cross && is_found);
        if !is_found {
            measures.missed.push(format!("{} {to} ({})", row.event_id, link.evidence));
        }
    }
    measures
}

/// 1 of nothing: nothing is wrong there.
fn share((all, some): (usize, usize)) -> f64 {
    if all == 0 { 1.0 } else { some as f64 / all as f64 }
}
