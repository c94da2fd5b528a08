//! Late evidence: people are decided on anew, with all that is known of them by then.
//!
//! Ingest decides each message on what is known when it comes, and writes down whom that may change. This loop
//! gathers those people anew, places what they said anew, and writes what differs. The end is the same in whatever
//! order things came.
//!
//! **Invariant:** it decides by the same pure functions as ingest, and alone: never beside a batch of it.

use crate::pure::decide::gather::gather;
use crate::pure::decide::rethread::{Rethreaded, rethread};
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::IdentityId;
use crate::shell::ingest::Registry;
use crate::shell::store::reconsider::{self, Changes, HISTORY_MAX, History, Hood};
use crate::shell::store::{Store, StoreError};
use sqlx::PgConnection;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// People in one transaction: deciding waits while it runs.
const PEOPLE_MAX: i64 = 50;

/// How often people who are due are looked for, should nobody say that there are any.
const POLL: Duration = Duration::from_secs(1);

/// The loop of one process.
#[derive(Clone)]
pub struct Reconsider {
    store: Store,
    registry: Arc<Registry>,
}

impl Reconsider {
    /// A loop over a store.
    pub fn new(store: Store, registry: Arc<Registry>) -> Self {
        Self { store, registry }
    }

    /// Works until told to stop.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            if let Err(error) = self.until_idle().await {
                tracing::warn!(code = "reconsider_failed", %error, "people could not be decided on anew; trying again");
            }
            tokio::select! {
                () = self.store.reconsider_wake.notified() => {}
                () = tokio::time::sleep(POLL) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Works until nobody is due.
    pub async fn until_idle(&self) -> Result<(), StoreError> {
        while self.once(PEOPLE_MAX).await? > 0 {}
        Ok(())
    }

    /// Decides anew on some of the people who are due. Says how many.
    async fn once(&self, limit: i64) -> Result<usize, StoreError> {
        if !self.store.has_due().await? {
            return Ok(0);
        }
        let mut tx = self.store.pool.begin().await?;
        let due = reconsider::claim(&mut tx, limit).await?;
        let now = Timestamp::now();
        self.store.ensure_months([now].into_iter()).await?;
        let (mut count, mut told) = (0, false);
        for ((tenant, quiet), contacts) in &due.contacts {
            count += contacts.len();
            told |= self.decide(&mut tx, tenant, *quiet, contacts, now).await?;
        }
        tx.commit().await?;
        if told {
            self.store.deliver_wake.notify_one();
        }
        Ok(count)
    }

    async fn decide(
        &self,
        tx: &mut PgConnection,
        name: &str,
        quiet: bool,
        contacts: &[Uuid],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // A firm that is not configured any more keeps what it has.
        let Some(tenant) = self.registry.tenants.get(name) else { return Ok(false) };
        let mut hood = reconsider::load(tx, name, &tenant.keyer, contacts).await?;
        let gathered = gather(&hood.ledger, &hood.start);
        let regrouped = hood.regrouped(&gathered);
        let changed: BTreeSet<IdentityId> = regrouped.iter().map(|moved| moved.identity).collect();
        let whole = gathered.groups.iter().filter(|group| group.iter().any(|id| changed.contains(id)));
        let mut heard: BTreeSet<IdentityId> = whole.flatten().copied().collect();
        let left: BTreeSet<_> = regrouped.iter().map(|moved| moved.from).collect();
        let is_due = |hood: &Hood, id: &IdentityId| {
            hood.known.get(id).is_some_and(|known| contacts.contains(&known.contact.0) || left.contains(&known.contact))
        };
        heard.extend(hood.known.keys().filter(|id| is_due(&hood, id)));
        let mut mint = self.store.mint();
        let (history, rethreaded) = match reconsider::history(tx, &mut hood, &heard).await? {
            Some(history) => {
                let people = hood.people(&regrouped);
                let (kept, closings) = (history.kept.clone(), history.closings.clone());
                let rethreaded = rethread(kept, closings, people, &mut mint, &tenant.policy);
                (history, rethreaded)
            }
            None => {
                tracing::warn!(
                    code = "history_long",
                    messages = HISTORY_MAX,
                    "somebody has said so much that his tickets stay as they are; look at him with `lanka contact show`"
                );
                (History::default(), Rethreaded::default())
            }
        };
        let mirrors: &[String] = if quiet { &[] } else { &tenant.policy.mirrors };
        let changes = Changes {
            tenant: name,
            regrouped: &regrouped,
            gathered: &gathered,
            history: &history,
            rethreaded: &rethreaded,
            mirrors,
            has_peers: self.store.has_peers(),
            now,
        };
        reconsider::write(tx, &changes, &mut mint).await
    }
}
