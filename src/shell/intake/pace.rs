//! How often an intake looks: pauses where nothing was found, longer ones after failures, the end.

use super::{Backoff, ChannelHealth, stopped};
use std::fmt::Display;
use std::time::Duration;
use tokio::sync::watch;

/// Waits after a failure.
const WAIT_FIRST: Duration = Duration::from_millis(250);
const WAIT_LONGEST: Duration = Duration::from_secs(60);

/// Failures in a row after which a run until idle gives up.
const IDLE_RUN_FAILURES_MAX: u32 = 5;

/// What a step found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Something was stored, or is about to be: look again at once.
    Work,
    /// Something was stored, and something else could not be: look again at once, but this is no recovery.
    Partly,
    /// Something is there, but not ready.
    Unready,
    /// Nothing.
    Nothing,
}

/// Why a step failed. Every failure is tried again.
pub trait Failure: Display {
    /// The stable code for metrics and alerts.
    fn code(&self) -> &'static str;

    /// Whether only some of it failed: no reason to let the rest wait.
    fn is_partial(&self) -> bool {
        false
    }
}

/// A source that is looked at again and again.
pub trait Source {
    /// Why a look fails.
    type Failure: Failure;

    /// Looks once, and stores what is there. Between any two awaits the state in the database is whole,
    /// so that it may be dropped at any of them.
    fn step(&mut self) -> impl Future<Output = Result<Found, Self::Failure>> + Send;
}

/// Looks until `shutdown` turns true, `pause` apart; with `until_idle` until nothing is left.
///
/// # Errors
/// Only with `until_idle`: what failed, after several attempts in a row.
pub async fn watch<S: Source>(
    mut source: S,
    health: ChannelHealth,
    pause: Duration,
    mut shutdown: watch::Receiver<bool>,
    until_idle: bool,
) -> Result<(), S::Failure> {
    let mut backoff = Backoff::new(WAIT_FIRST, WAIT_LONGEST);
    let mut failures = 0;
    let work = async {
        loop {
            match source.step().await {
                Ok(found) => {
                    if !matches!(found, Found::Partly) {
                        backoff.reset();
                        failures = 0;
                        health.worked();
                    }
                    match found {
                        Found::Work | Found::Partly => {}
                        Found::Nothing if until_idle => return Ok(()),
                        Found::Nothing | Found::Unready => tokio::time::sleep(pause).await,
                    }
                }
                Err(failure) => {
                    health.failing(failure.code(), failure.to_string());
                    failures += 1;
                    if until_idle && failures >= IDLE_RUN_FAILURES_MAX {
                        return Err(failure);
                    }
                    tokio::time::sleep(if failure.is_partial() { pause } else { backoff.next_wait() }).await;
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = stopped(&mut shutdown) => Ok(()),
        result = work => result,
    }
}
