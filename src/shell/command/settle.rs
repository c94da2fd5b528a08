//! Deciding what a command put into the queue, beside a daemon or without one.

use super::Failure;
use crate::pure::domain::id::RawEventId;
use crate::shell::ingest::Ingest;
use crate::shell::reconsider::Reconsider;
use crate::shell::registry::Profiles;
use crate::shell::store::Store;
use crate::shell::{Parts, counted};
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

/// Decides until none of these deliveries waits any more, here or in a daemon beside.
pub(super) async fn decide(store: &Store, ingest: &Ingest, deliveries: &[RawEventId]) -> Result<(), Failure> {
    let reconsider = Reconsider::new(store.clone(), ingest.registry());
    let mut waiting = store.waiting_of(deliveries).await?;
    let mut moved = Instant::now();
    while waiting > 0 {
        let (finished, done) = tokio::sync::watch::channel(false);
        let deciding = async {
            ingest.run(done.clone(), true).await;
            let _ = finished.send(true);
        };
        tokio::join!(deciding, reconsider.clone().run(done.clone()));
        let looked = store.waiting_of(deliveries).await?;
        if looked < waiting {
            (waiting, moved) = (looked, Instant::now());
        } else if moved.elapsed() > STUCK_AFTER {
            return Err(Failure::Failed(format!(
                "{} stored but not decided for a minute: look at the log of the daemon, or run `lanka run --until-idle`",
                counted(looked, "delivery is", "deliveries are")
            )));
        } else {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    reconsider.until_idle().await?;
    Ok(())
}
