//! How much gathers dust, as a metric: counted once a minute by each daemon, since time alone makes dust of things.

use crate::pure::decide::dust;
use crate::pure::domain::Timestamp;
use crate::shell::registry::Registry;
use crate::shell::store::{Store, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often it is counted.
const COUNT_EVERY: Duration = Duration::from_secs(60);

/// Counts until told to stop.
pub async fn keep_counting(store: Store, registry: Arc<Registry>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        if let Err(error) = count(&store, &registry, Timestamp::now()).await {
            tracing::warn!(code = "dust_not_counted", %error, "what gathers dust could not be counted; trying again");
        }
        tokio::select! {
            () = tokio::time::sleep(COUNT_EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Sets `lanka_dust` for each firm and kind to what there is at an instant; at most
/// [`COUNTED_MAX`](crate::shell::store::dust::COUNTED_MAX) of each.
///
/// # Errors
/// When the database cannot be asked.
pub async fn count(store: &Store, registry: &Registry, now: Timestamp) -> Result<(), StoreError> {
    for (name, tenant) in &registry.tenants {
        let since = dust::since(&tenant.dust, &tenant.service.hours, now);
        for of in store.dust_counts(std::slice::from_ref(name), &since).await? {
            let labels = [("tenant", name.clone()), ("kind", of.kind.as_str().to_owned())];
            metrics::gauge!("lanka_dust", &labels).set(of.count as f64);
        }
    }
    Ok(())
}
