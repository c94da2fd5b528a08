//! Intakes: how bytes get in. Each stores what it took before it acknowledges it (promise P1).
//!
//! | file | takes | acknowledges by |
//! |---|---|---|
//! | `imap/` | mails of a mailbox | moving the cursor (UIDVALIDITY, UID), in the same transaction |
//! | `lmtp/` | mails that a mail server hands over | 250, after the commit |
//! | `webhook.rs` | what vendors post | 200, after the commit |
//! | `sample.rs` | what is sent from a page to try a channel with, as `webhook.rs` | |
//! | `table.rs` | rows of a table | moving the cursor (time), in the same transaction |
//! | `poll.rs` | what agents did in a tool, asked of it | moving the cursor (the tool's own), in the same transaction |
//! | `directory/` | lines of a file, files of a directory | moving the cursor (inode, offset); moving the file afterwards |
//!
//! **Invariants:** nothing that was taken waits in memory only. An intake knows nothing of what the
//! bytes mean, never calls ingest, and never ends because a source misbehaves: it says so in its
//! [`ChannelHealth`] and tries again.

pub mod directory;
pub mod imap;
pub mod lmtp;
pub mod mail;
pub mod pace;
pub mod poll;
pub mod sample;
pub mod table;
pub mod webhook;

use crate::pure::domain::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// Whose bytes an intake takes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelIdent {
    /// The firm.
    pub tenant: String,
    /// The channel's name in the configuration.
    pub name: String,
    /// The kind of the channel, which says how its bytes are read.
    pub kind: String,
}

/// Whether a channel works, at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthState {
    /// It has neither worked nor failed yet.
    Starting,
    /// The last attempt went well.
    Working,
    /// It does not work, and is tried again.
    Failing {
        /// Stable, for metrics and alerts: `connection_lost`, `login_refused`, `file_unreadable`.
        code: &'static str,
        /// One sentence for ops: what happened, and what to do. No addresses, no content.
        detail: String,
        /// Since when; another code or detail does not begin it anew.
        since: Timestamp,
    },
}

/// What an intake reports about its channel: written by one task, read by metrics, the alerts, and
/// whoever writes it down for `lanka channels`. Clones are one. Itself kept in memory only.
#[derive(Debug, Clone)]
pub struct ChannelHealth {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    channel: String,
    state: watch::Sender<HealthState>,
    /// Milliseconds since 1970; 0 for never. Apart from the state, since it moves all the time.
    worked_at_ms: AtomicI64,
    /// Failures in a row.
    failures: AtomicU32,
    began_at: Timestamp,
    /// Since when it works.
    well_since_ms: AtomicI64,
}

/// What does not work about a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Stable, as in [`HealthState::Failing`]; `no_answer` for one that has not answered since the start.
    pub code: &'static str,
    /// One sentence for ops.
    pub detail: String,
    /// Since when.
    pub since: Timestamp,
}

impl ChannelHealth {
    /// The health of a channel that is about to start.
    pub fn new(channel: &str) -> Self {
        Self::of(channel, HealthState::Starting)
    }

    /// The health of a channel that only waits to be called, and cannot fail before it is.
    pub fn standing_by(channel: &str) -> Self {
        Self::of(channel, HealthState::Working)
    }

    fn of(channel: &str, state: HealthState) -> Self {
        let began_at = Timestamp::now();
        Self {
            shared: Arc::new(Shared {
                channel: channel.to_owned(),
                state: watch::Sender::new(state),
                worked_at_ms: AtomicI64::new(0),
                failures: AtomicU32::new(0),
                began_at,
                well_since_ms: AtomicI64::new(began_at.as_millisecond()),
            }),
        }
    }

    /// The channel's name.
    pub fn channel(&self) -> &str {
        &self.shared.channel
    }

    /// The source answered as it should: called after each look at it, also when there was nothing.
    pub fn worked(&self) {
        let now = Timestamp::now();
        self.shared.worked_at_ms.store(now.as_millisecond(), Ordering::Relaxed);
        metrics::gauge!("lanka_channel_last_success_seconds", "channel" => self.shared.channel.clone())
            .set(now.as_second() as f64);
        self.shared.failures.store(0, Ordering::Relaxed);
        self.shared.state.send_if_modified(|state| {
            if let HealthState::Failing { code, since, .. } = state {
                let lasted_s = Timestamp::now().as_second() - since.as_second();
                tracing::info!(channel.name = self.shared.channel, code, lasted_s, "the channel works again");
            }
            let changed = *state != HealthState::Working;
            if changed {
                self.shared.well_since_ms.store(now.as_millisecond(), Ordering::Relaxed);
            }
            *state = HealthState::Working;
            changed
        });
    }

    /// The source failed. Logged at the onset and when the code changes, not at each attempt, whose details may
    /// differ every time (the name of a file that could not be written).
    /// The alert, with its own patience, is the reader's.
    pub fn failing(&self, code: &'static str, detail: impl Into<String>) {
        let detail = detail.into();
        self.shared.failures.fetch_add(1, Ordering::Relaxed);
        self.shared.state.send_if_modified(|state| {
            let (since, is_news) = match state {
                HealthState::Failing { code: before, detail: said, since } => {
                    if *before == code && *said == detail {
                        return false;
                    }
                    (*since, *before != code)
                }
                HealthState::Starting => (self.shared.began_at, true),
                HealthState::Working => (Timestamp::now(), true),
            };
            if is_news {
                tracing::info!(channel.name = self.shared.channel, code, detail, "the channel fails, trying again");
            }
            *state = HealthState::Failing { code, detail, since };
            true
        });
    }

    /// The state at this moment.
    pub fn state(&self) -> HealthState {
        self.shared.state.borrow().clone()
    }

    /// Follows the state: wakes at each onset, change of reason and recovery.
    pub fn subscribe(&self) -> watch::Receiver<HealthState> {
        self.shared.state.subscribe()
    }

    /// When the channel last worked, if it has since the start.
    pub fn last_worked_at(&self) -> Option<Timestamp> {
        match self.shared.worked_at_ms.load(Ordering::Relaxed) {
            0 => None,
            millis => Timestamp::from_millisecond(millis).ok(),
        }
    }

    /// Failures in a row; zero when it works.
    pub fn failures(&self) -> u32 {
        self.shared.failures.load(Ordering::Relaxed)
    }

    /// What does not work about it. A channel that has not answered since its start does not work, whether or not
    /// it has noticed.
    pub fn trouble(&self) -> Option<Trouble> {
        match &*self.shared.state.borrow() {
            HealthState::Working => None,
            HealthState::Starting => Some(Trouble {
                code: "no_answer",
                detail: "it has not answered since the start".to_owned(),
                since: self.shared.began_at,
            }),
            HealthState::Failing { code, detail, since } => {
                Some(Trouble { code, detail: detail.clone(), since: *since })
            }
        }
    }

    /// Since when it works, if it does.
    pub fn well_since(&self) -> Timestamp {
        let millis = self.shared.well_since_ms.load(Ordering::Relaxed);
        Timestamp::from_millisecond(millis).unwrap_or(self.shared.began_at)
    }

    /// For how long it has been failing; zero when it works.
    pub fn failing_for(&self, now: Timestamp) -> Duration {
        let since = self.trouble().map(|trouble| trouble.since);
        since.map_or(Duration::ZERO, |since| Duration::try_from(now.duration_since(since)).unwrap_or_default())
    }
}

/// Waits for the daemon's stop; for ever if its sender went away without a word.
pub async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    if shutdown.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Growing waits between attempts, spread so that many daemons do not return at one moment.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    /// Waits from `first`, doubled each time, to `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first }
    }

    /// The next wait: between half and the whole of the present step.
    pub fn next_wait(&mut self) -> Duration {
        let step = self.next;
        self.next = (step * 2).min(self.longest);
        // The low bits of a fresh UUID are random.
        let random = f64::from(uuid::Uuid::now_v7().as_u128() as u32) / f64::from(u32::MAX);
        step.mul_f64(0.5 + random / 2.0)
    }

    /// Something worked: begin again with the first wait.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_changes_once_an_onset_and_once_a_recovery() {
        let health = ChannelHealth::new("support-mail");
        let mut follower = health.subscribe();
        let mut changes = |wanted: bool| {
            assert_eq!(follower.has_changed().unwrap(), wanted);
            follower.mark_unchanged();
        };
        assert_eq!((health.state(), health.last_worked_at()), (HealthState::Starting, None));
        health.worked();
        changes(true);
        health.worked();
        changes(false);
        assert!(health.last_worked_at().is_some());
        health.failing("connection_lost", "the server hung up");
        changes(true);
        health.failing("connection_lost", "the server hung up");
        changes(false);
        let HealthState::Failing { since, .. } = health.state() else { panic!("it fails") };
        health.failing("login_refused", "the password is not accepted");
        changes(true);
        let HealthState::Failing { code, since: still, .. } = health.state() else { panic!("it fails") };
        assert_eq!((code, still), ("login_refused", since));
        assert_eq!(health.failing_for(since + Duration::from_secs(60)), Duration::from_secs(60));
        assert_eq!(health.failures(), 3);
        health.worked();
        changes(true);
        assert_eq!((health.failing_for(Timestamp::now()), health.failures()), (Duration::ZERO, 0));
    }

    #[test]
    fn what_never_answered_has_trouble_since_its_start() {
        let health = ChannelHealth::new("support-mail");
        let silent = health.trouble().expect("it has not answered");
        health.failing("connection_lost", "the server is silent");
        let lost = health.trouble().expect("it fails");
        assert_eq!((silent.code, lost.code, lost.since), ("no_answer", "connection_lost", silent.since));
        assert_eq!(ChannelHealth::standing_by("chat").trouble(), None);
    }

    #[test]
    fn waits_grow_are_spread_and_bounded() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(5));
        for step in [1, 2, 4, 5, 5] {
            let wait = backoff.next_wait();
            assert!(wait >= Duration::from_secs(step) / 2 && wait <= Duration::from_secs(step), "{wait:?} of {step}");
        }
        backoff.reset();
        assert!(backoff.next_wait() <= Duration::from_secs(1));
    }
}
