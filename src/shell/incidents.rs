//! Again and again: every few seconds, what was said since the last look is held against what is usual.
//!
//! One transaction a firm and look: what was said is taken in, what left the window is counted for what is usual, what follows
//! is decided by [`outage`] and [`again`], and written with what mirrors are to hear. A new incident is
//! said aloud (`incident`), once, and that it is over, once.
//!
//! **Invariants:** one daemon of a database looks at a firm at a time. Nothing is in memory between two looks. What was said
//! longer ago than the window (an import, a backlog) is no news and begins nothing.

use crate::pure::decide::evidence::firm;
use crate::pure::decide::{again, outage};
use crate::pure::domain::Timestamp;
use crate::pure::domain::decision::Reason;
use crate::pure::domain::id::{ContactId, IncidentId};
use crate::pure::domain::identity::{EmailAddress, Identity};
use crate::pure::domain::incident::{AgainRules, Finding, IncidentPolicy, IncidentSort, OpenIncident, Utterance};
use crate::pure::domain::policy::Policy;
use crate::pure::domain::say::OnTicket;
use crate::shell::Clock;
use crate::shell::alerts::Alerts;
use crate::shell::registry::{Registry, Tenant};
use crate::shell::store::incident::{self, CameAgain, Linked, Listened, NewIncident, SaidOfLate};
use crate::shell::store::{Store, StoreError};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The alert's stable code.
pub const INCIDENT: &str = "incident";

/// How often it is looked: with this an incident is said within seconds of the contact that makes it one.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// The loop of one process.
#[derive(Clone)]
pub struct Incidents {
    store: Store,
    registry: Arc<Registry>,
    policy: Arc<IncidentPolicy>,
    alerts: Alerts,
    clock: Clock,
}

/// What is said aloud after the commit.
#[derive(Debug, Default)]
struct Aloud {
    began: Vec<(i64, String)>,
    over: Vec<(i64, Timestamp)>,
    open: BTreeSet<String>,
    has_told: bool,
}

impl Incidents {
    /// A loop over a store.
    pub fn new(store: Store, registry: Arc<Registry>, policy: IncidentPolicy, alerts: Alerts) -> Self {
        Self { store, registry, policy: Arc::new(policy), alerts, clock: Arc::new(Timestamp::now) }
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Looks until told to stop.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(error) = self.look().await {
                tracing::warn!(code = "incidents_failed", %error, "what is said again and again could not be looked at; trying again");
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Looks once at every firm.
    pub async fn look(&self) -> Result<(), StoreError> {
        if !self.policy.outages && self.policy.again.is_none() {
            return Ok(());
        }
        let mut open = Some(BTreeSet::new());
        for (name, tenant) in &self.registry.tenants {
            match self.look_at(name, tenant, (self.clock)()).await? {
                Some(aloud) => {
                    open.iter_mut().for_each(|open| open.extend(aloud.open.iter().cloned()));
                    self.say(aloud);
                }
                // Another daemon looks at it.
                None => open = None,
            }
        }
        if let Some(open) = open {
            metrics::gauge!("lanka_incidents_open").set(open.len() as f64);
            self.alerts.forget_all_but(INCIDENT, &open);
        }
        Ok(())
    }

    fn say(&self, aloud: Aloud) {
        for (number, message) in aloud.began {
            metrics::counter!("lanka_incidents_total").increment(1);
            self.alerts.onset(INCIDENT, &format!("#{number}"), message);
        }
        for (number, since) in aloud.over {
            let subject = format!("#{number}");
            self.alerts.resume(INCIDENT, &subject, since);
            self.alerts.recovered(INCIDENT, &subject);
        }
        if aloud.has_told {
            self.store.deliver_wake.notify_one();
        }
    }

    async fn look_at(&self, name: &str, tenant: &Tenant, now: Timestamp) -> Result<Option<Aloud>, StoreError> {
        // Not within the transaction, which would be in the way of a new month's tables.
        self.store.ensure_months([now].into_iter()).await?;
        let mut tx = self.store.begin().await?;
        if !incident::turn(&mut tx, name).await? {
            return Ok(None);
        }
        let window_from = now.checked_sub(self.policy.rules.window).unwrap_or(now);
        let (said, place, is_first) = self.store.listen(&mut tx, name, window_from).await?;
        if is_first && self.policy.outages {
            let before = self.store.said_before(&mut tx, name, now).await?;
            let learnt: Vec<_> = before.iter().map(|one| (self.heard(one, &tenant.policy).terms, 1.0)).collect();
            incident::learn(&mut tx, name, &learnt, now).await?;
        }
        incident::listened_until(&mut tx, name, place).await?;
        let mut aloud = Aloud::default();
        let mirrors = &tenant.policy.mirrors;
        if let Some(rules) = self.policy.again {
            aloud.has_told |= self.again(&mut tx, (name, &tenant.policy), &said, rules, now).await?;
        }
        if self.policy.outages {
            // Trouble is trouble, whatever else is thought of the message.
            let telling = said.iter().filter_map(|one| {
                let heard = self.heard(one, &tenant.policy);
                (one.is_alert || !one.is_low || heard.is_trouble).then_some(heard)
            });
            let heard: Vec<Utterance> = telling.collect();
            incident::hear(&mut tx, name, &heard).await?;
            self.outages(&mut tx, (name, mirrors), window_from, now, &mut aloud).await?;
        }
        tx.commit().await?;
        Ok(Some(aloud))
    }

    /// Incidents that are over, that begin, and what belongs to them.
    async fn outages(
        &self,
        connection: &mut PgConnection,
        firm: (&str, &[String]),
        window_from: Timestamp,
        now: Timestamp,
        aloud: &mut Aloud,
    ) -> Result<(), StoreError> {
        let (name, _) = firm;
        let old = incident::heard_no_more(connection, name, window_from).await?;
        let learnt: Vec<_> =
            old.into_iter().map(|one| (outage::weight(&one), one.terms)).map(|(w, t)| (t, w)).collect();
        incident::learn(connection, name, &learnt, now).await?;
        let mut open: Vec<OpenIncident> = Vec::new();
        for (one, number) in incident::open_ones(connection, name).await? {
            match outage::over(&one, &self.policy.rules, now) {
                Some(over) => incident::end(connection, one.id, over.as_str(), now).await?,
                None => {
                    aloud.open.insert(format!("#{number}"));
                    open.push(one);
                }
            }
        }
        let heard = incident::heard_since(connection, name, window_from).await?;
        let terms: BTreeSet<&str> =
            heard.iter().filter(|one| one.incident.is_none()).flat_map(|one| &one.terms).map(String::as_str).collect();
        if !terms.is_empty() {
            let usual = incident::usual(connection, name, &terms, now).await?;
            let findings = outage::outage(&heard, &usual, &open, &self.policy.rules, now);
            self.write(connection, firm, (&heard, findings), now, aloud).await?;
        }
        aloud.over = incident::over_unsaid(connection, name).await?;
        Ok(())
    }

    async fn write(
        &self,
        connection: &mut PgConnection,
        (name, mirrors): (&str, &[String]),
        (heard, findings): (&[Utterance], Vec<Finding>),
        now: Timestamp,
        aloud: &mut Aloud,
    ) -> Result<(), StoreError> {
        let link = |incident: IncidentId, at: usize| {
            let one = &heard[at];
            Linked { incident, ticket: one.ticket, is_alert: one.is_alert, at: one.at }
        };
        let mut linked: Vec<Linked> = Vec::new();
        for finding in findings {
            match finding {
                Finding::Joins { heard, incident, .. } => linked.push(link(incident, heard)),
                Finding::Begins { sort, terms, heard: of_it, count, expected } => {
                    let id: IncidentId = self.store.next_id(now);
                    let times = || of_it.iter().map(|at| heard[*at].at);
                    let (began_at, last_at) = (times().min().unwrap_or(now), times().max().unwrap_or(now));
                    let new = NewIncident { id, sort: &sort, terms: &terms, count, expected, began_at, last_at };
                    let number = incident::begin(connection, name, &new, now).await?;
                    aloud.open.insert(format!("#{number}"));
                    aloud.began.push((number, sentence(number, &sort, count, expected)));
                    linked.extend(of_it.iter().map(|at| link(id, *at)));
                }
            }
        }
        let new = incident::link(&self.store, connection, (name, mirrors), &linked, None, now).await?;
        aloud.has_told |= new > 0;
        Ok(())
    }

    /// What somebody said, as the search sees it.
    fn heard(&self, one: &Listened, policy: &Policy) -> Utterance {
        let topics = outage::topics(&policy.matters, &one.text);
        let spoken = outage::spoken(one.subject.as_deref(), &one.text, &one.kinds, &topics, &self.policy.words);
        let address = |value: &String| EmailAddress::parse(value).ok().map(|address| Identity::email(&address));
        let organisation =
            one.addresses.iter().filter_map(address).find_map(|identity| Some(firm(&identity, policy)?.to_owned()));
        Utterance {
            message: one.message,
            ticket: one.ticket.unwrap_or_else(|| one.message.0.into()),
            contact: one.contact,
            organisation,
            at: one.at,
            terms: spoken.terms,
            is_trouble: spoken.is_trouble,
            echo: outage::echo(one.subject.as_deref()).map(|subject| incident::echo_key(&subject)),
            is_alert: one.is_alert,
            is_over: false,
            incident: None,
        }
    }

    /// Customers who come again. Whether anything is told.
    async fn again(
        &self,
        connection: &mut PgConnection,
        (name, policy): (&str, &Policy),
        said: &[Listened],
        rules: AgainRules,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let telling = || said.iter().filter(|one| !one.is_alert && !one.is_low && one.ticket.is_some());
        let contacts = telling().map(|one| one.contact.0).collect::<BTreeSet<_>>();
        if contacts.is_empty() {
            return Ok(false);
        }
        let from = now.checked_sub(rules.within).unwrap_or(now);
        let (of_late, closings) = incident::said_of_late(connection, &contacts, from).await?;
        let mut words: BTreeMap<ContactId, Vec<again::Word>> = BTreeMap::new();
        for one in &of_late {
            words.entry(one.contact).or_default().extend(self.word(one, policy));
        }
        let terms: BTreeSet<&str> = words.values().flatten().flat_map(|word| &word.terms).map(String::as_str).collect();
        let usual = incident::usual(connection, name, &terms, now).await?;
        let came: Vec<CameAgain> = telling()
            .filter_map(|one| {
                let again = again::again(words.get(&one.contact)?, &closings, one.message, &usual, rules)?;
                let reason = Reason::new("again", OnTicket::CameAgain { times: again.times });
                Some(CameAgain {
                    message: one.message,
                    ticket: one.ticket?,
                    contact: one.contact,
                    times: again.times,
                    since: again.since,
                    tickets: again.tickets,
                    reason: serde_json::to_value(reason).unwrap_or_default(),
                })
            })
            .collect();
        incident::came_again(&self.store, connection, (name, &policy.mirrors), &came, now).await?;
        Ok(!came.is_empty())
    }

    fn word(&self, one: &SaidOfLate, policy: &Policy) -> Option<again::Word> {
        let terms = match one.is_customers {
            true => self.heard(&one.said, policy).terms,
            false => BTreeSet::new(),
        };
        let Listened { message, at, ticket, .. } = one.said;
        Some(again::Word { message, ticket: ticket?, at, is_customers: one.is_customers, terms })
    }
}

/// What is said aloud: numbers only, for words are customers'.
fn sentence(number: i64, sort: &IncidentSort, count: usize, expected: f64) -> String {
    let who = match sort.organisation() {
        None => "different customers",
        Some(_) => "people of one organisation",
    };
    format!(
        "{count} {who} say at once that one thing does not work, where {expected:.1} would be usual: look at `lanka incident show {number}`"
    )
}
