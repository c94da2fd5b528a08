//! Late evidence: people are decided on anew, with all that is known of them by then.
//!
//! Ingest decides each message on what is known when it comes, and writes down whom that may change. This loop
//! gathers those people anew, places what they said anew, and writes what differs. The end is the same in whatever
//! order things came.
//!
//! **Invariants:** it decides by the same pure functions as ingest, and alone: never beside a batch of it. People
//! who cannot be decided on together are tried in halves until one is alone; that one stays as he is, is told in
//! the log, and holds nobody up.

use crate::pure::decide::anew;
use crate::pure::decide::recast::recast;
use crate::pure::domain::Timestamp;
use crate::shell::Clock;
use crate::shell::registry::Registry;
use crate::shell::store::reconsider::{self, Found};
use crate::shell::store::{Store, StoreError};
use sqlx::PgConnection;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// People in one transaction: deciding waits while it runs, and all that they have said is in memory.
const PEOPLE_MAX: i64 = 16;

/// How often people who are due are looked for, should nobody say that there are any.
const POLL: Duration = Duration::from_secs(1);

/// The loop of one process.
#[derive(Clone)]
pub struct Reconsider {
    store: Store,
    registry: Arc<Registry>,
    clock: Clock,
}

/// How one attempt ended.
enum Ended {
    /// Nobody is due.
    Idle,
    /// Some were decided on.
    Done,
    /// They have said more than is placed anew at once.
    TooMuch,
}

impl Reconsider {
    /// A loop over a store.
    pub fn new(store: Store, registry: Arc<Registry>) -> Self {
        Self { store, registry, clock: Arc::new(Timestamp::now) }
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
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
        let mut people = PEOPLE_MAX;
        loop {
            match self.once(people).await {
                Ok(Ended::Idle) => return Ok(()),
                Ok(Ended::Done) => people = (people * 2).min(PEOPLE_MAX),
                Err(error) if error.is_outage() => return Err(error),
                Ok(Ended::TooMuch) | Err(_) if people > 1 => people /= 2,
                Ok(Ended::TooMuch) => {
                    let contact = self.store.leave_due().await?;
                    tracing::warn!(
                        code = "history_long",
                        contact.id = contact.map(tracing::field::display),
                        messages = anew::HISTORY_MAX,
                        "somebody and those who speak on his tickets have said too much to be decided on anew; he stays as he is"
                    );
                }
                Err(error) => {
                    let contact = self.store.leave_due().await?;
                    tracing::warn!(code = "reconsider_failed", contact.id = contact.map(tracing::field::display), %error,
                        "somebody could not be decided on anew and stays as he is: report it");
                }
            }
        }
    }

    /// Decides anew on those who are due first, at most so many.
    async fn once(&self, people: i64) -> Result<Ended, StoreError> {
        if !self.store.has_due().await? {
            return Ok(Ended::Idle);
        }
        let now = (self.clock)();
        self.store.ensure_months([now].into_iter()).await?;
        let mut tx = self.store.begin().await?;
        let due = reconsider::claim(&mut tx, people).await?;
        let mut told = false;
        for ((tenant, quiet), contacts) in &due.contacts {
            match self.decide(&mut tx, tenant, *quiet, contacts, now).await? {
                Some(changed) => told |= changed,
                None => {
                    tx.rollback().await?;
                    return Ok(Ended::TooMuch);
                }
            }
        }
        tx.commit().await?;
        if told {
            self.store.deliver_wake.notify_one();
        }
        Ok(Ended::Done)
    }

    /// Whether anything changed; `None` when there is too much to look at.
    async fn decide(
        &self,
        tx: &mut PgConnection,
        name: &str,
        quiet: bool,
        contacts: &[Uuid],
        now: Timestamp,
    ) -> Result<Option<bool>, StoreError> {
        // A firm that is not configured any more keeps what it has.
        let Some(tenant) = self.registry.tenants.get(name) else { return Ok(Some(false)) };
        let (mut hood, owned) = reconsider::hood(tx, name, (&tenant.keyer, &tenant.policy), contacts).await?;
        let mut mint = self.store.mint();
        let recast = recast(&mut hood, &owned, &mut mint);
        reconsider::recast(tx, name, &tenant.keyer, &recast, now, &mut mint).await?;
        let people = anew::people(&hood);
        let Some(history) = reconsider::history(tx, &mut hood, &people.heard).await? else { return Ok(None) };
        let rethreaded = anew::threads(&hood, &people, &history, &mut mint, &tenant.policy);
        let mirrors: &[String] = if quiet { &[] } else { &tenant.policy.mirrors };
        let found = Found {
            tenant: name,
            hood: &hood,
            people: &people,
            history: &history,
            rethreaded: &rethreaded,
            mirrors,
            has_peers: self.store.has_peers(),
            now,
        };
        reconsider::write(tx, &found, &mut mint).await.map(Some)
    }
}
