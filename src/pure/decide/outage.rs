//! What was heard within the window → an incident, where more customers speak of one thing than chance allows.
//!
//! Each contact is a set of terms ([`spoken`]): the beginnings of its words, the topics of `[matters]` it names, and the
//! groups of `[incidents.words]`, by which "netti", "nätet" and "the broadband" are one thing, alone and with "and says that
//! something does not work". A term's *usual share* is in how many of all contacts it was said before. Within a window with `n`
//! other contacts, as many as `share · n` of them would say it anyway; that `k` say it is then as likely as a Poisson
//! distribution has it whose rate differs from day to day ([`surprise`]), and for every term that was looked at chance had a chance, so that much more is asked for (Bonferroni).
//! The share is of the contacts of the same window, so that a Monday morning is not an incident: everything is more then.
//!
//! `k` counts different customers: an organisation once however many of its people write, a ticket once however many are on
//! it, and answers to one mailing once however many they are. Fewer will do where an alert stands that speaks of the same.
//! Many people of one organisation are an incident of their own sort.
//! Only who says that something does not work counts: that many ask about a thing, or order it, is no outage.
//!
//! Looked at are the whole window and its last quarter: many in a few minutes are sooner seen in the latter.
//!
//! **Invariants:** a function of its arguments. What is on an incident already counts for no other. What nobody of the
//! window but one says is no term of an incident, so that its terms give nobody away.

use crate::pure::domain::Timestamp;
use crate::pure::domain::incident::{
    Finding, IncidentSort, IncidentWords, OpenIncident, OutageRules, Over, Usual, Utterance,
};
use crate::pure::domain::message::MatterRole;
use crate::pure::domain::phrases::flatten;
use crate::pure::domain::policy::Matter;
use crate::pure::domain::ticket::MatterKind;
use crate::pure::wire::subject;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Text read for terms. Bytes: what it is about is said at the beginning.
const READ_BYTES_MAX: usize = 4 * 1024;

/// Terms of one contact at the most.
const TERMS_MAX: usize = 80;

/// Topics taken from one message.
const TOPICS_MAX: usize = 8;

/// Letters that a word must have, and those of it that count: what comes behind them is mostly inflection.
const WORD_LETTERS_MIN: usize = 4;
const STEM_LETTERS: usize = 6;

/// Terms that an incident is said to be carried by, the most telling.
const CARRIERS_MAX: usize = 8;

/// How much of an incident's contacts another term must share to carry it too.
const OVERLAP: f64 = 0.5;

/// A term that as many of all contacts say is in no incident: it is how people write.
const SHARE_MAX: f64 = 0.25;

/// What a term counts that was never said before, and the contacts that stand beside it.
const PRIOR: f64 = 0.5;
const PRIOR_CONTACTS: f64 = 100.0;

/// Contacts that are thought of beside those of the window, where these are few.
const BESIDE: f64 = 2.0;

/// How even days are: the rate of a subject varies by as much as one part in the root of this from one to the next.
const EVENNESS: f64 = 3.0;

/// Terms of the sum beyond the first: the rest is nothing by then.
const FURTHER_MAX: usize = 300;

/// Each term is looked at in two spans, among two kinds of terms.
const LOOKS: f64 = 2.0;

/// Begins the terms that stand for a group of words.
const GROUP: &str = "about:";
/// Begins the same where the contact says that something does not work.
pub(super) const TROUBLE: &str = "trouble:";
/// Begins the topics of `[matters]`.
const TOPIC: &str = "topic:";

/// What a text names of `[matters]` that are topics.
pub fn topics(matters: &[Matter], text: &str) -> Vec<String> {
    let of_topic = matters.iter().filter(|matter| matter.role == MatterRole::Topic);
    let found = of_topic.flat_map(|matter| {
        matter.pattern.find_iter(text).map(|found| {
            let value: String = found.as_str().to_lowercase().split_whitespace().collect::<Vec<_>>().join("-");
            format!("{}:{value}", matter.name)
        })
    });
    found.take(TOPICS_MAX).collect()
}

/// What a contact speaks of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spoken {
    /// Its terms.
    pub terms: BTreeSet<String>,
    /// It says that something does not work.
    pub is_trouble: bool,
}

/// What a contact speaks of.
pub fn spoken(
    subject: Option<&str>,
    own_text: &str,
    kinds: &[MatterKind],
    topics: &[String],
    words: &IncidentWords,
) -> Spoken {
    let subject = subject.map(subject::read).filter(|subject| !subject.is_answer && !subject.is_forward);
    let text = format!("{}\n{own_text}", subject.map_or("", |subject| subject.base));
    let flat = flatten(&text, READ_BYTES_MAX.min(text.len()));
    let is_trouble = kinds.contains(&MatterKind::Problem) || words.trouble.is_in(&flat);
    let mut terms: BTreeSet<String> = topics.iter().map(|topic| format!("{TOPIC}{topic}")).collect();
    for (name, _) in words.groups.iter().filter(|(_, group)| group.is_in(&flat)) {
        terms.insert(format!("{GROUP}{name}"));
        if is_trouble {
            terms.insert(format!("{TROUBLE}{name}"));
        }
    }
    for (_, stem) in stems(&flat) {
        if terms.len() >= TERMS_MAX {
            break;
        }
        terms.insert(stem);
    }
    Spoken { terms, is_trouble }
}

/// The words of a flattened text that say something, each with its beginning.
pub(super) fn stems(flat: &str) -> impl Iterator<Item = (&str, String)> {
    let is_word = |word: &&str| word.chars().all(char::is_alphabetic) && word.chars().count() >= WORD_LETTERS_MIN;
    flat.split(' ').filter(is_word).map(|word| (word, word.chars().take(STEM_LETTERS).collect()))
}

/// The bare subject of an answer, for [`Utterance::echo`].
pub fn echo(written: Option<&str>) -> Option<String> {
    let read = written.map(subject::read).filter(|read| read.is_answer && !read.base.is_empty())?;
    Some(read.base.to_lowercase())
}

/// What a contact counts for what is usual, once it left the window: those of an incident a little, so that what comes every
/// week is usual in the end, and an outage makes the next one no usual thing.
pub fn weight(one: &Utterance) -> f64 {
    match one.incident {
        _ if one.is_alert => 0.0,
        Some(_) => 0.2,
        None => 1.0,
    }
}

/// Whether a term stands for more than one word.
pub(super) fn is_group(term: &str) -> bool {
    [GROUP, TROUBLE, TOPIC].iter().any(|prefix| term.starts_with(prefix))
}

/// What follows from what was heard: what belongs to incidents that are known, and a new one.
pub fn outage(
    heard: &[Utterance],
    usual: &Usual,
    open: &[OpenIncident],
    rules: &OutageRules,
    now: Timestamp,
) -> Vec<Finding> {
    let fresh = |one: &&Utterance| one.at <= now && is_within(one.at, now, rules.window);
    let (mut findings, mut free) = (Vec::new(), Vec::new());
    for (at, one) in heard.iter().enumerate().filter(|(_, one)| fresh(one) && one.incident.is_none()) {
        match open.iter().find_map(|incident| Some((incident, fits(one, incident)?))) {
            Some((incident, term)) => findings.push(Finding::Joins { heard: at, incident: incident.id, term }),
            None => free.push(at),
        }
    }
    if usual.contacts >= rules.contacts_min {
        let look = Look { heard, free: &free, usual, rules, now };
        findings.extend(look.of_customers().or_else(|| look.of_an_organisation()));
    }
    findings
}

/// Whether an incident is over.
pub fn over(incident: &OpenIncident, rules: &OutageRules, now: Timestamp) -> Option<Over> {
    let stands = incident.alerts > incident.alerts_over;
    if incident.alerts > 0 && !stands {
        return Some(Over::Resolved);
    }
    (!stands && !is_within(incident.last_at, now, rules.quiet)).then_some(Over::Quiet)
}

/// The term by which something heard belongs to an incident.
fn fits(one: &Utterance, incident: &OpenIncident) -> Option<String> {
    if incident.sort.organisation().is_some_and(|of| one.organisation.as_deref() != Some(of)) {
        return None;
    }
    // An alert that is over brings nobody's attention to anything, and who only uses the same word has no trouble.
    let may = if one.is_alert { !one.is_over } else { one.is_trouble };
    one.terms.intersection(&incident.terms).find(|_| may).cloned()
}

fn is_within(at: Timestamp, now: Timestamp, span: Duration) -> bool {
    now.as_millisecond() - at.as_millisecond() <= i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// One look at the window.
struct Look<'a> {
    heard: &'a [Utterance],
    /// Positions of what is on no incident.
    free: &'a [usize],
    usual: &'a Usual,
    rules: &'a OutageRules,
    now: Timestamp,
}

/// A term, and how much speaks for it.
struct Candidate<'a> {
    term: &'a str,
    /// Positions of who says it.
    said_by: BTreeSet<usize>,
    count: usize,
    expected: f64,
    /// Past what was asked for.
    margin: f64,
}

impl<'a> Look<'a> {
    /// Several customers on one thing.
    fn of_customers(&self) -> Option<Finding> {
        let alerted: BTreeSet<&str> = self.alerts().flat_map(|alert| &alert.terms).map(String::as_str).collect();
        let spans = [self.rules.window, self.rules.window / 4];
        let candidates = spans.into_iter().flat_map(|span| {
            let of_span = self.contacts(|one| is_within(one.at, self.now, span));
            let min = |term: &str| match alerted.contains(term) {
                true => self.rules.with_alert_min,
                false => self.rules.customers_min,
            };
            self.candidates(&of_span, different_customers, min, |term| alerted.contains(term))
        });
        let mut begins = self.begins(candidates.collect(), IncidentSort::Customers)?;
        // The alerts that speak of it are on it too.
        if let Finding::Begins { terms, heard, .. } = &mut begins {
            let speaks = |at: &&usize| {
                let one = &self.heard[**at];
                one.is_alert && !one.is_over && terms.iter().any(|term| one.terms.contains(term))
            };
            heard.extend(self.free.iter().filter(speaks));
        }
        Some(begins)
    }

    /// Several people of one organisation on one thing.
    fn of_an_organisation(&self) -> Option<Finding> {
        let min = self.rules.colleagues_min?;
        let organisations = self.contacts(|one| one.organisation.is_some());
        let mut of_each: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for at in organisations {
            of_each.entry(self.heard[at].organisation.as_deref().unwrap_or_default()).or_default().push(at);
        }
        let enough = of_each.into_iter().filter(|(_, people)| people.len() >= min);
        enough.into_iter().find_map(|(organisation, people)| {
            let candidates = self.candidates(&people, different_people, |_| min, |_| false);
            self.begins(candidates, IncidentSort::Organisation(organisation.to_owned()))
        })
    }

    fn alerts(&self) -> impl Iterator<Item = &'a Utterance> {
        self.free.iter().map(|at| &self.heard[*at]).filter(|one| one.is_alert && !one.is_over)
    }

    /// Positions of customers' words.
    fn contacts(&self, which: impl Fn(&Utterance) -> bool) -> Vec<usize> {
        let is_one = |at: &usize| !self.heard[*at].is_alert && which(&self.heard[*at]);
        self.free.iter().copied().filter(is_one).collect()
    }

    /// Terms that more say than chance allows.
    fn candidates(
        &self,
        said: &[usize],
        different: impl Fn(&[Utterance], &BTreeSet<usize>) -> usize,
        min: impl Fn(&str) -> usize,
        is_alerted: impl Fn(&str) -> bool,
    ) -> Vec<Candidate<'a>> {
        let all = different(self.heard, &said.iter().copied().collect());
        let in_trouble = said.iter().filter(|at| self.heard[**at].is_trouble);
        let mut by_term: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for at in in_trouble {
            // That many ask about a thing is no outage of it.
            for term in self.heard[*at].terms.iter().filter(|term| !term.starts_with(GROUP)) {
                by_term.entry(term).or_default().insert(*at);
            }
        }
        // Groups are few and mean something, words are many: each kind has half of what chance is granted.
        let groups = by_term.keys().filter(|term| is_group(term)).count();
        let words = by_term.len() - groups;
        let of_alerts = by_term.keys().filter(|term| is_alerted(term)).count();
        let found = by_term.into_iter().filter_map(|(term, said_by)| {
            let share = self.usual.share(term);
            if said_by.len() < min(term) || share > SHARE_MAX {
                return None;
            }
            let count = different(self.heard, &said_by);
            if count < min(term) {
                return None;
            }
            let others = all.saturating_sub(count) as f64 + BESIDE;
            let expected = share * others;
            // From few others it is hardly known how much there is to be said at this hour.
            let evenness = 1.0 / (1.0 / EVENNESS + 1.0 / others);
            // That an alert speaks of it is most of the evidence already.
            let (looked_at, asked) = match is_alerted(term) && count < self.rules.customers_min {
                true => (of_alerts, self.rules.surprise_min / 2.0),
                false if is_group(term) => (groups, self.rules.surprise_min),
                false => (words, self.rules.surprise_min),
            };
            let margin = surprise(count, expected, evenness) - (LOOKS * looked_at.max(1) as f64).ln() - asked;
            (margin >= 0.0).then_some(Candidate { term, said_by, count, expected, margin })
        });
        found.collect()
    }

    /// The incident of the most telling term, and of those that the same contacts say.
    fn begins(&self, mut candidates: Vec<Candidate<'a>>, sort: IncidentSort) -> Option<Finding> {
        candidates.sort_by(|one, other| other.margin.total_cmp(&one.margin).then(one.term.cmp(other.term)));
        let best = candidates.first()?;
        let (count, expected) = (best.count, best.expected);
        let mut terms: Vec<&str> = Vec::new();
        let mut heard: BTreeSet<usize> = BTreeSet::new();
        let core = best.said_by.clone();
        for candidate in &candidates {
            let shared = candidate.said_by.intersection(&core).count() as f64;
            let is_its = shared >= OVERLAP * candidate.said_by.len().min(core.len()) as f64;
            if is_its && !terms.contains(&candidate.term) && terms.len() < CARRIERS_MAX {
                terms.push(candidate.term);
                heard.extend(&candidate.said_by);
            }
        }
        let terms = terms.into_iter().map(str::to_owned).collect();
        Some(Finding::Begins { sort, terms, heard: heard.into_iter().collect(), count, expected })
    }
}

impl Usual {
    /// In how many of all contacts a term is said.
    pub fn share(&self, term: &str) -> f64 {
        (self.of_terms.get(term).copied().unwrap_or(0.0) + PRIOR) / (self.contacts + PRIOR_CONTACTS)
    }
}

/// Different customers: firms count once, and so do those who write on one ticket, or answer one mailing.
fn different_customers(heard: &[Utterance], said_by: &BTreeSet<usize>) -> usize {
    different(heard, said_by, |one| one.organisation.clone().unwrap_or_else(|| one.contact.to_string()))
}

/// Different people.
fn different_people(heard: &[Utterance], said_by: &BTreeSet<usize>) -> usize {
    different(heard, said_by, |one| one.contact.to_string())
}

fn different(heard: &[Utterance], said_by: &BTreeSet<usize>, who: impl Fn(&Utterance) -> String) -> usize {
    let of =
        |key: &dyn Fn(&Utterance) -> String| said_by.iter().map(|at| key(&heard[*at])).collect::<BTreeSet<_>>().len();
    let echo = |one: &Utterance| one.echo.clone().unwrap_or_else(|| one.message.to_string());
    of(&who).min(of(&|one| one.ticket.to_string())).min(of(&echo))
}

/// How little chance would do it: the negative logarithm of the probability that as many or more come where so many are expected,
/// by a Poisson distribution whose rate is itself uncertain (negative binomial): it varies by one part in the root of
/// `evenness`. Some days everybody asks about invoices.
pub fn surprise(count: usize, expected: f64, evenness: f64) -> f64 {
    if count == 0 || count as f64 <= expected {
        return 0.0;
    }
    let odds = expected.max(1e-9) / (expected + evenness);
    let ln_ways: f64 = (1..=count).map(|n| ((n as f64 - 1.0 + evenness) / n as f64).ln()).sum();
    let ln_first = ln_ways + count as f64 * odds.ln() - evenness * (1.0 + expected / evenness).ln();
    let (mut sum, mut term) = (1.0, 1.0);
    for n in count + 1..count + FURTHER_MAX {
        term *= odds * (n as f64 - 1.0 + evenness) / n as f64;
        sum += term;
    }
    -(ln_first + sum.ln())
}
