//! Deciding what a command put into the queue, beside a daemon or without one.

use super::Failure;
use super::output::progress;
use crate::pure::domain::id::RawEventId;
use crate::shell::Parts;
use crate::shell::ingest::{Ingest, Profiles};
use crate::shell::store::Store;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Pause between looks at what a daemon is still deciding.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Nothing decided for so long means that something is wrong: a batch takes seconds.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// The ingest of this process, with names of profiles if there are any.
pub(super) fn ingest(store: &Store, parts: &Parts, profiles: Option<Profiles>) -> Ingest {
    let registry = match profiles {
        Some(profiles) => Arc::new(parts.registry.with_profiles(profiles)),
        None => parts.registry.clone(),
    };
    Ingest::new(store.clone(), registry, parts.batch)
}

/// Decides until none of the deliveries from `first` to `last` waits any more.
pub(super) async fn decide(store: &Store, ingest: &Ingest, first: RawEventId, last: RawEventId) -> Result<(), Failure> {
    let mut waiting = store.waiting_between(first, last).await?;
    let bar = progress(u64::try_from(waiting).unwrap_or(0), "deciding", false);
    let total = waiting;
    let mut moved = Instant::now();
    while waiting > 0 {
        let (_keep, stop) = tokio::sync::watch::channel(false);
        let looked = tokio::select! {
            () = ingest.run(stop, true) => store.waiting_between(first, last).await?,
            looked = watch(store, first, last, &bar, total) => return looked,
        };
        if looked < waiting {
            (waiting, moved) = (looked, Instant::now());
        } else if moved.elapsed() > STUCK_AFTER {
            return Err(Failure::Failed(format!(
                "{looked} deliveries are stored but not decided for a minute: look at the log of the daemon, or run `lanka run --until-idle`"
            )));
        } else {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// Moves the bar while the work goes on; ends only when the database fails.
async fn watch(store: &Store, first: RawEventId, last: RawEventId, bar: &indicatif::ProgressBar, total: i64) -> Result<(), Failure> {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if !bar.is_hidden() {
            let waiting = store.waiting_between(first, last).await?;
            bar.set_position(u64::try_from(total - waiting).unwrap_or(0));
        }
    }
}
