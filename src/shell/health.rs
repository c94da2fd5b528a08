//! How the daemon's ways in and out do, written down for commands, which live in other processes.
//!
//! A row is written when something changes, and every ten seconds otherwise, which is what tells a daemon that runs
//! from one that is gone.
//!
//! **Invariant:** a database that is away delays a report and nothing else. Reports hold no customer's data.

use crate::shell::store::Store;
use crate::shell::store::health::HealthReport;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use uuid::Uuid;

/// How often it is looked whether something changed: in memory, a few values.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// How often a report is renewed though nothing changed.
const RENEW_INTERVAL: Duration = Duration::from_secs(10);

/// Longest time a report may take; the next one says it anew.
const REPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// What is to be reported at this moment.
pub type Look = Arc<dyn Fn() -> Vec<HealthReport> + Send + Sync>;

/// One daemon's reports.
pub struct Reporter {
    store: Store,
    id: Uuid,
    look: Look,
}

impl Reporter {
    /// Reports of what `look` sees.
    pub fn new(store: Store, look: Look) -> Self {
        Self { store, id: Uuid::now_v7(), look }
    }

    /// Reports until `stop` turns true, and then that nothing more is to be heard.
    pub async fn keep_up(self, mut stop: watch::Receiver<bool>) {
        let mut said: Option<(Instant, Vec<HealthReport>)> = None;
        loop {
            let seen = (self.look)();
            let is_due =
                said.as_ref().is_none_or(|(at, before)| at.elapsed() >= RENEW_INTERVAL || differs(before, &seen));
            if is_due {
                said = self.report(&seen).await.then(|| (Instant::now(), seen));
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
        self.last_word().await;
    }

    /// The end of a run that does not stay: how it went, and that nothing more is to be heard.
    pub async fn last_word(&self) {
        self.report(&(self.look)()).await;
        let retracted = tokio::time::timeout(REPORT_TIMEOUT, self.store.retract_health(self.id)).await;
        if !matches!(retracted, Ok(Ok(()))) {
            tracing::debug!("the end of the reports could not be written down; they expire by themselves");
        }
    }

    async fn report(&self, reports: &[HealthReport]) -> bool {
        match tokio::time::timeout(REPORT_TIMEOUT, self.store.report_health(self.id, reports)).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::debug!(%error, "the state of channels and mirrors could not be written down");
                false
            }
            Err(_) => false,
        }
    }
}

/// Whether more changed than the times and counts that always move.
fn differs(before: &[HealthReport], now: &[HealthReport]) -> bool {
    let said =
        |report: &HealthReport| (report.side, report.name.clone(), report.state, report.since, report.why.clone());
    before.len() != now.len() || before.iter().zip(now).any(|(a, b)| said(a) != said(b))
}
