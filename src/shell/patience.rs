//! What ingest cannot do at the moment: said once at its onset and once at its end.
//!
//! The content store may be full while Postgres takes rows. Then a delivery whose files it does not take is left
//! aside, to be tried again, and those behind it go on.
//!
//! **Invariant:** nothing is settled here. What is left aside stays in the queue, and is anybody's after a restart.

use super::content::ContentError;
use super::store::StoreError;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long a delivery is left aside before it is tried again.
const ASIDE_FOR: Duration = Duration::from_secs(10);

/// Deliveries left aside at once. Each attempt at them halves a batch some times over; with more of them everything
/// waits, as it does when the database is away.
const ASIDE_MAX: usize = 200;

/// One process's patience. Clones are one.
#[derive(Debug, Clone, Default)]
pub(super) struct Patience {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Since when nothing can be decided, and why.
    outage: Option<(Instant, String)>,
    /// Since when the content store takes no files, and why.
    content: Option<(Instant, String)>,
    /// When each delivery left aside is tried again.
    aside: HashMap<Uuid, Instant>,
}

impl Patience {
    /// Nothing can be decided: the database is away, or too much is left aside.
    pub(super) fn outage(&self, error: &StoreError) {
        let mut state = self.state();
        if state.outage.is_none() {
            state.outage = Some((Instant::now(), error.to_string()));
            tracing::warn!(code = "ingest_outage", %error, "deliveries cannot be decided now; they wait in the queue");
        }
    }

    /// Leaves a delivery aside whose files are not taken. `false` when there are too many.
    pub(super) fn set_aside(&self, raw: Uuid, error: &ContentError) -> bool {
        let mut state = self.state();
        if state.aside.len() >= ASIDE_MAX && !state.aside.contains_key(&raw) {
            return false;
        }
        state.aside.insert(raw, Instant::now() + ASIDE_FOR);
        if state.content.is_none() {
            state.content = Some((Instant::now(), error.to_string()));
            tracing::warn!(code = "content_failed", raw_event.id = %raw, %error,
                "a delivery waits, for its files cannot be stored; the others go on. Is the disk full?");
        }
        true
    }

    /// Deliveries that are not to be tried yet.
    pub(super) fn aside(&self) -> Vec<Uuid> {
        let now = Instant::now();
        self.state().aside.iter().filter(|(_, until)| **until > now).map(|(raw, _)| *raw).collect()
    }

    /// These were decided.
    pub(super) fn decided(&self, raw: &[Uuid]) {
        let mut state = self.state();
        if let Some((since, _)) = state.outage.take() {
            tracing::info!(
                code = "ingest_outage",
                lasted_s = since.elapsed().as_secs(),
                "deliveries are decided again"
            );
        }
        let is_waited_for = !state.aside.is_empty();
        state.aside.retain(|waiting, _| !raw.contains(waiting));
        if is_waited_for
            && state.aside.is_empty()
            && let Some((since, _)) = state.content.take()
        {
            tracing::info!(code = "content_failed", lasted_s = since.elapsed().as_secs(), "files are stored again");
        }
    }

    /// What stands in the way now, if anything does.
    pub(super) fn trouble(&self) -> Option<String> {
        let state = self.state();
        state.outage.as_ref().or(state.content.as_ref()).map(|(_, why)| why.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while holding the lock leaves at worst one line said twice.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
