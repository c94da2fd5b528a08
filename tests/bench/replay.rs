//! A made-up month, replayed through the search for outages as the daemon's loop does it, without a database.

use super::month::{Dice, Outage, Said, month};
use jiff::{SignedDuration, Timestamp};
use lanka::config::{Environment, Settings};
use lanka::pure::decide::{outage, triage};
use lanka::pure::domain::id::{ContactId, IncidentId, MessageId, TicketId};
use lanka::pure::domain::incident::{Finding, IncidentWords, OpenIncident, OutageRules, Usual, Utterance};
use lanka::pure::domain::message::{Content, Incoming};
use lanka::pure::domain::policy::Policy;
use lanka::pure::domain::ticket::Priority;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Texts in place of half of those that are made up.
pub type Background = Vec<String>;

/// How a month went.
#[derive(Debug, Default)]
pub struct Outcome {
    /// By which of its contacts the outage was found.
    pub found_at: Option<usize>,
    /// How long after its fifth contact; 0 where that was enough before.
    pub after_fifth_s: Option<i64>,
    /// Contacts of the outage that are on an incident.
    pub on_it: usize,
    /// Others that are.
    pub strangers: usize,
    /// What carried incidents that are none.
    pub false_incidents: Vec<String>,
}

/// Contacts of a month before: what is usual is known.
const LOOK_EVERY: i64 = 3;

/// Replays a month, after another one in which what is usual was learnt.
pub fn replay(seed: u64, outage: Outage, background: &[String]) -> Outcome {
    let begin: Timestamp = "2026-03-01T22:00:00Z".parse().expect("a time");
    let before = month(seed + 1_000, Outage::None, begin - SignedDuration::from_hours(30 * 24));
    let mut dice = Dice::new(seed);
    let mut desk = Desk::new();
    for said in before.into_iter().map(|said| other(said, background, &mut dice)) {
        desk.hear(&said, false);
    }
    desk.outcome = Outcome::default();
    for said in month(seed, outage, begin).into_iter().map(|said| other(said, background, &mut dice)) {
        desk.hear(&said, true);
    }
    desk.outcome
}

fn other(said: Said, background: &[String], dice: &mut Dice) -> Said {
    if background.is_empty() || said.is_of_outage || dice.below(2) == 0 {
        return said;
    }
    let text = background[dice.below(background.len())].clone();
    Said { text, ..said }
}

struct Desk {
    rules: OutageRules,
    words: IncidentWords,
    policy: Policy,
    usual: Usual,
    window: Vec<Utterance>,
    ours: BTreeSet<MessageId>,
    open: Vec<(OpenIncident, bool)>,
    of_outage: usize,
    fifth_at: Option<Timestamp>,
    count: u128,
    outcome: Outcome,
}

impl Desk {
    fn new() -> Self {
        let Ok(settings) = Settings::load(&[], &Environment::of::<String, String>([])) else { panic!("the defaults") };
        let incidents = settings.sections.incidents.policy();
        let (rules, words) = (incidents.rules, incidents.words);
        let policy = settings.policy_under("main", [0; 32]);
        let (usual, window, open, ours) = (Usual::default(), Vec::new(), Vec::new(), BTreeSet::new());
        Self {
            rules,
            words,
            policy,
            usual,
            window,
            ours,
            open,
            of_outage: 0,
            fifth_at: None,
            count: 0,
            outcome: Outcome::default(),
        }
    }

    fn hear(&mut self, said: &Said, is_counted: bool) {
        let mut incoming = Incoming::new("bench", "1");
        incoming.subject.clone_from(&said.subject);
        incoming.content = Content::Text(said.text.clone());
        let says_nothing = lanka::pure::decide::phrases::says_nothing(&lanka::pure::domain::phrases::flatten(
            &said.text,
            said.text.len(),
        ));
        let triage = triage::triage(&incoming, said.subject.as_deref(), &said.text, says_nothing, &self.policy);
        if said.is_of_outage {
            self.of_outage += 1;
            if self.of_outage == 5 {
                self.fifth_at = Some(said.at);
            }
        }
        let spoken = outage::spoken(said.subject.as_deref(), &said.text, &triage.kind, &[], &self.words);
        if triage.priority == Priority::Low && !spoken.is_trouble {
            return;
        }
        self.count += 1;
        let heard = Utterance {
            message: MessageId(Uuid::from_u128(self.count)),
            ticket: TicketId(Uuid::from_u128(self.count)),
            contact: ContactId(Uuid::from_u128(u128::from(said.contact) + 1)),
            organisation: said.firm.clone(),
            at: said.at,
            terms: spoken.terms,
            is_trouble: spoken.is_trouble,
            echo: outage::echo(said.subject.as_deref()),
            is_alert: false,
            is_over: false,
            incident: None,
        };
        if said.is_of_outage {
            self.ours.insert(heard.message);
        }
        self.window.push(heard);
        self.look(said.at + SignedDuration::from_secs(LOOK_EVERY), is_counted);
    }

    fn look(&mut self, now: Timestamp, is_counted: bool) {
        self.learn(now);
        self.open.retain(|(incident, _)| outage::over(incident, &self.rules, now).is_none());
        let open: Vec<OpenIncident> = self.open.iter().map(|(incident, _)| incident.clone()).collect();
        for finding in outage::outage(&self.window, &self.usual, &open, &self.rules, now) {
            match finding {
                Finding::Joins { heard, incident, .. } => self.put(heard, incident, now),
                Finding::Begins { sort, terms, heard, count, expected } => {
                    let id = IncidentId(Uuid::from_u128(self.count + 1_000_000));
                    let ours = heard.iter().filter(|at| self.ours.contains(&self.window[**at].message)).count();
                    let is_it = ours * 2 > heard.len();
                    let began_at = heard.iter().map(|at| self.window[*at].at).min().unwrap_or(now);
                    if is_counted && is_it && self.outcome.found_at.is_none() {
                        self.outcome.found_at = Some(self.of_outage);
                        self.outcome.after_fifth_s =
                            Some(self.fifth_at.map_or(0, |at| now.as_second() - at.as_second()));
                    } else if is_counted {
                        let what = format!(
                            "{now} {sort:?} {terms:?} {count} of {expected:.2} usual{}",
                            if is_it { ", again" } else { "" }
                        );
                        self.outcome.false_incidents.push(what);
                    }
                    let terms: BTreeSet<String> = terms.into_iter().collect();
                    self.open.push((
                        OpenIncident { id, sort, terms, began_at, last_at: now, alerts: 0, alerts_over: 0 },
                        is_it,
                    ));
                    heard.into_iter().for_each(|at| self.put(at, id, now));
                }
            }
        }
    }

    fn put(&mut self, at: usize, incident: IncidentId, now: Timestamp) {
        self.window[at].incident = Some(incident);
        let Some((open, is_it)) = self.open.iter_mut().find(|(open, _)| open.id == incident) else { return };
        open.last_at = now;
        match (*is_it, self.ours.contains(&self.window[at].message)) {
            (true, true) => self.outcome.on_it += 1,
            (true, false) => self.outcome.strangers += 1,
            _ => {}
        }
    }

    /// What left the window, and is on no incident, is usual.
    fn learn(&mut self, now: Timestamp) {
        let window = self.rules.window.as_secs();
        let from = now - SignedDuration::from_secs(i64::try_from(window).expect("short"));
        let (old, left): (Vec<_>, Vec<_>) = std::mem::take(&mut self.window).into_iter().partition(|one| one.at < from);
        self.window = left;
        for one in old {
            let weight = outage::weight(&one);
            self.usual.contacts += weight;
            for term in one.terms {
                *self.usual.of_terms.entry(term).or_default() += weight;
            }
        }
    }
}
