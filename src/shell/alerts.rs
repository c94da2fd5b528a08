//! What ops must hear of (promise P7): once at the onset, once at the recovery.
//!
//! [`Alerts`] is told by whoever notices: the loops themselves (`mirror_parked`), and
//! [`watch_health`], which reads the ages of queues and channels at a steady pace. A new alert is one
//! WARN with its stable code, a metric, and a signed event on every mirror that takes alerts. Saying
//! it again while it stands does nothing, so that a caller need not remember what it has said.
//!
//! What is on its way to a mirror lives in memory: after a crash a condition that still holds is
//! noticed anew and said again, with a new id. Refused: rows in the outbox, for an alert that the
//! database is away could then not be sent.
//!
//! **Invariant:** messages name channels, mirrors and lanka's own ids, never a customer.

use crate::pure::domain::Timestamp;
use crate::pure::domain::outbox::Alert;
use crate::pure::mirrors::Mirror;
use crate::shell::carriers::http::HttpCarrier;
use futures::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Alerts that may wait for one mirror. There are a few codes per channel and mirror; past this the
/// mirror has been away for long and the newest are in the log.
const WAITING_MAX: usize = 256;

/// An alert older than this is no news any more, and is dropped.
const NEWS_S_MAX: i64 = 24 * 3600;

/// Waits between attempts at one alert; the last repeats.
const ATTEMPT_WAITS_S: [u64; 5] = [2, 10, 30, 120, 600];

/// Longest time a reading of [`watch_health`] may take. It asks a database that may be away.
const READING_TIMEOUT: Duration = Duration::from_secs(10);

/// A mirror by its name in the configuration.
#[derive(Clone)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What writes its requests.
    pub mirror: Arc<dyn Mirror>,
}

/// The place where alerts are raised and withdrawn. Cheap to clone; clones are one.
#[derive(Clone)]
pub struct Alerts {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
}

struct State {
    active: BTreeMap<(&'static str, String), Alert>,
    /// One per mirror that takes alerts; empty once closed.
    outlets: Vec<mpsc::Sender<Arc<Notice>>>,
    senders: JoinSet<()>,
}

/// An alert on its way, with the id that is the same at every attempt and on every mirror.
struct Notice {
    id: String,
    alert: Alert,
    at: Timestamp,
}

impl Alerts {
    /// Alerts that are only logged and counted.
    pub fn logged() -> Self {
        Self::with(Vec::new(), JoinSet::new())
    }

    /// Alerts that also go to the mirrors; starts a task for each. Needs a tokio runtime.
    pub fn to(tools: &[Tool], carrier: &HttpCarrier) -> Self {
        let mut senders = JoinSet::new();
        let mut outlets = Vec::new();
        for tool in tools {
            let (outlet, waiting) = mpsc::channel(WAITING_MAX);
            senders.spawn(send_all(tool.clone(), carrier.clone(), waiting));
            outlets.push(outlet);
        }
        Self::with(outlets, senders)
    }

    fn with(outlets: Vec<mpsc::Sender<Arc<Notice>>>, senders: JoinSet<()>) -> Self {
        let state = State { active: BTreeMap::new(), outlets, senders };
        Self { shared: Arc::new(Shared { state: Mutex::new(state) }) }
    }

    /// A condition began. `code` is stable (`channel_dead`), `subject` is what it is about, and
    /// `message` one sentence with what to do. Nothing happens while it is already known.
    pub fn onset(&self, code: &'static str, subject: &str, message: impl Into<String>) {
        let now = Timestamp::now();
        let mut state = self.state();
        if state.active.contains_key(&(code, subject.to_owned())) {
            return;
        }
        let alert = Alert {
            code: code.to_owned(),
            subject: subject.to_owned(),
            active: true,
            message: message.into(),
            since: now,
        };
        state.active.insert((code, subject.to_owned()), alert.clone());
        tracing::warn!(code, subject, "{code}: {subject}: {}", alert.message);
        metrics::gauge!("lanka_alert", "code" => code, "subject" => subject.to_owned()).set(1.0);
        state.hand_out(alert, now);
    }

    /// A condition ended. Nothing happens unless it was known.
    pub fn recovered(&self, code: &'static str, subject: &str) {
        let now = Timestamp::now();
        let mut state = self.state();
        let Some(mut alert) = state.active.remove(&(code, subject.to_owned())) else {
            return;
        };
        alert.active = false;
        let lasted_s = now.as_second() - alert.since.as_second();
        alert.message = format!("It is over, after {lasted_s} s.");
        tracing::warn!(code, subject, lasted_s, "{code}: {subject}: over after {lasted_s} s");
        metrics::gauge!("lanka_alert", "code" => code, "subject" => subject.to_owned()).set(0.0);
        state.hand_out(alert, now);
    }

    /// A condition stands that was said before, by this process or another: its recovery can be said.
    pub fn resume(&self, code: &'static str, subject: &str, since: Timestamp) {
        let alert =
            Alert { code: code.to_owned(), subject: subject.to_owned(), active: true, message: String::new(), since };
        self.state().active.entry((code, subject.to_owned())).or_insert_with(|| {
            metrics::gauge!("lanka_alert", "code" => code, "subject" => subject.to_owned()).set(1.0);
            alert
        });
    }

    /// Conditions of a code whose recovery another process has said: all but these.
    pub fn forget_all_but(&self, code: &'static str, subjects: &BTreeSet<String>) {
        self.state().active.retain(|(of, subject), _| {
            let stays = *of != code || subjects.contains(subject);
            if !stays {
                metrics::gauge!("lanka_alert", "code" => code, "subject" => subject.clone()).set(0.0);
            }
            stays
        });
    }

    /// What stands at the moment, by code and subject.
    pub fn active(&self) -> Vec<Alert> {
        self.state().active.values().cloned().collect()
    }

    /// Lets what is on its way arrive, for at most `wait`, and takes no more. Later alerts are
    /// still logged and counted.
    pub async fn close(&self, wait: Duration) {
        let mut senders = {
            let mut state = self.state();
            state.outlets.clear();
            std::mem::take(&mut state.senders)
        };
        let all_sent = async { while senders.join_next().await.is_some() {} };
        if tokio::time::timeout(wait, all_sent).await.is_err() {
            tracing::info!("alerts were still on their way to a mirror at the stop; they are in this log");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while holding the lock leaves at worst one alert said twice.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn hand_out(&self, alert: Alert, at: Timestamp) {
        let notice = Arc::new(Notice { id: uuid::Uuid::now_v7().to_string(), alert, at });
        for outlet in &self.outlets {
            if outlet.try_send(Arc::clone(&notice)).is_err() {
                metrics::counter!("lanka_alerts_dropped_total").increment(1);
            }
        }
    }
}

/// Sends one mirror its alerts, in order.
async fn send_all(tool: Tool, carrier: HttpCarrier, mut waiting: mpsc::Receiver<Arc<Notice>>) {
    while let Some(notice) = waiting.recv().await {
        send(&tool, &carrier, &notice).await;
    }
}

/// Sends one alert, until it is taken, refused for good, or no news any more.
async fn send(tool: &Tool, carrier: &HttpCarrier, notice: &Notice) {
    for attempt in 0_usize.. {
        let now = Timestamp::now();
        let Some(outgoing) = tool.mirror.alert(&notice.alert, &notice.id, now) else {
            return;
        };
        let asked_s = match carrier.send(outgoing).await {
            Ok(reply) if (200..300).contains(&reply.status) || reply.status == 410 => return,
            Ok(reply) => reply.retry_after_s.unwrap_or(0),
            Err(_) => 0,
        };
        if now.as_second() - notice.at.as_second() > NEWS_S_MAX {
            metrics::counter!("lanka_alerts_dropped_total").increment(1);
            return;
        }
        let wait_s = ATTEMPT_WAITS_S[attempt.min(ATTEMPT_WAITS_S.len() - 1)];
        tokio::time::sleep(Duration::from_secs(wait_s.max(asked_s))).await;
    }
}

/// One measured value and what it must not exceed.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The alert's stable code, if the limit is passed.
    pub code: &'static str,
    /// What was measured: a channel's or mirror's name, or a queue's.
    pub subject: String,
    /// The value, in the unit of the limit: seconds for an age, else a count.
    pub value: f64,
    /// Past this the alert is raised. It is withdrawn at half of it, so that a value that hovers
    /// around the limit is one alert and not fifty.
    pub limit: f64,
    /// One sentence with what to do.
    pub message: String,
}

/// Takes readings of one thing: the queues, the channels.
#[derive(Clone)]
pub struct Probe {
    /// The name under which it is said that the readings themselves fail.
    pub name: &'static str,
    /// Takes them. What an earlier reading had and a later one lacks counts as recovered.
    pub read: Arc<dyn Fn() -> BoxFuture<'static, Result<Vec<Reading>, String>> + Send + Sync>,
}

/// Takes all readings every `interval` until `stop` turns true, and raises or withdraws their alerts.
/// Each value is also the metric `lanka_health`. An interval of 15 s keeps the promise of a minute.
pub async fn watch_health(alerts: Alerts, probes: Vec<Probe>, interval: Duration, mut stop: watch::Receiver<bool>) {
    let mut known: Vec<BTreeSet<(&'static str, String)>> = vec![BTreeSet::new(); probes.len()];
    loop {
        for (probe, known) in probes.iter().zip(&mut known) {
            look(&alerts, probe, known).await;
        }
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

async fn look(alerts: &Alerts, probe: &Probe, known: &mut BTreeSet<(&'static str, String)>) {
    let readings = match tokio::time::timeout(READING_TIMEOUT, (probe.read)()).await {
        Ok(Ok(readings)) => readings,
        Ok(Err(why)) => return alerts.onset("health_unknown", probe.name, format!("It cannot be measured: {why}")),
        Err(_) => {
            return alerts.onset("health_unknown", probe.name, "Measuring it takes too long: is the database away?");
        }
    };
    alerts.recovered("health_unknown", probe.name);
    let mut seen = BTreeSet::new();
    for reading in readings {
        let (code, subject) = (reading.code, reading.subject.clone());
        metrics::gauge!("lanka_health", "code" => code, "subject" => subject.clone()).set(reading.value);
        if reading.value > reading.limit {
            alerts.onset(code, &subject, reading.message);
        } else if reading.value <= reading.limit / 2.0 {
            alerts.recovered(code, &subject);
        }
        seen.insert((code, subject));
    }
    for (code, subject) in known.difference(&seen) {
        metrics::gauge!("lanka_health", "code" => *code, "subject" => subject.clone()).set(0.0);
        alerts.recovered(code, subject);
    }
    *known = seen;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(alerts: &Alerts) -> Vec<String> {
        alerts.active().into_iter().map(|alert| format!("{} {}", alert.code, alert.subject)).collect()
    }

    #[test]
    fn an_alert_stands_from_its_onset_to_its_recovery() {
        let alerts = Alerts::logged();
        alerts.recovered("channel_dead", "mail");
        alerts.onset("channel_dead", "mail", "first");
        alerts.onset("channel_dead", "mail", "second");
        alerts.onset("channel_dead", "chat", "third");
        assert_eq!(standing(&alerts), ["channel_dead chat", "channel_dead mail"]);
        assert_eq!(alerts.active()[1].message, "first");
        alerts.recovered("channel_dead", "mail");
        alerts.recovered("channel_dead", "mail");
        assert_eq!(standing(&alerts), ["channel_dead chat"]);
    }

    #[tokio::test]
    async fn readings_raise_and_withdraw() {
        let alerts = Alerts::logged();
        let mut known = BTreeSet::new();
        let reading = |subject: &str, value| Reading {
            code: "queue_growing",
            subject: subject.to_owned(),
            value,
            limit: 60.0,
            message: "look".to_owned(),
        };
        for (readings, expected) in [
            (Ok(vec![reading("in", 60.0), reading("out", 61.0)]), vec!["queue_growing out"]),
            (Ok(vec![reading("in", 90.0), reading("out", 40.0)]), vec!["queue_growing in", "queue_growing out"]),
            (Ok(vec![reading("in", 90.0), reading("out", 30.0)]), vec!["queue_growing in"]),
            (Err("away".to_owned()), vec!["health_unknown queues", "queue_growing in"]),
            (Ok(vec![reading("out", 0.0)]), vec![]),
        ] {
            let read: Arc<dyn Fn() -> BoxFuture<'static, Result<Vec<Reading>, String>> + Send + Sync> =
                Arc::new(move || Box::pin(std::future::ready(readings.clone())));
            look(&alerts, &Probe { name: "queues", read }, &mut known).await;
            assert_eq!(standing(&alerts), expected);
        }
    }
}
