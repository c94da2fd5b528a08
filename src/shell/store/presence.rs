//! A process's own connection beside the pool: proof of life for what it claims, and ears for what other
//! processes did.
//!
//! Each connection holds an advisory lock under a number of its own, the *claimant*, which rows of the
//! outbox bear while they are claimed. Postgres lets the lock go in the moment the connection ends,
//! however the process ended, and [`Store::rescue_posts`] then frees the rows. A process that loses the
//! connection and lives on hears of it ([`Presence::lost`]), gives up what it was sending, and goes on
//! under a new number.
//!
//! Other processes are told of work by `NOTIFY`, in the transaction that makes it, so that Postgres says it
//! once a transaction, and only when there is somebody else to hear it: a transaction that notifies takes
//! turns with others at its commit. The poll stays as the net.
//!
//! **Invariant:** a claimant is never used again after its connection has ended.

use super::{ACQUIRE_TIMEOUT, Store, StoreError, rand_seed};
use sqlx::postgres::{PgListener, PgPoolOptions};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

/// There is something to ingest. Also in the statements that say it.
const INGEST: &str = "lanka_ingest";
/// There is something to deliver. Also in the statements that say it.
const DELIVER: &str = "lanka_deliver";
/// A process came: those that are there count anew.
const PEERS: &str = "lanka_peers";

/// Everybody who is present holds a share of this lock ("lanka", 1), by which they count each other.
const PRESENT: i64 = 0x6c61_6e6b_6100_0001;

/// A connection that is quiet for so long is asked whether it is still there, and who else is.
const ASK_INTERVAL: Duration = Duration::from_secs(30);

/// Longest wait for that answer: a connection that does not give it is taken for lost.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Waits between attempts to connect again: doubled from the first to the last.
const WAIT_MIN: Duration = Duration::from_millis(100);
const WAIT_MAX: Duration = Duration::from_secs(15);

/// Who claims: the number of a connection that holds the lock of that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimant(pub(super) i64);

/// That this process is there, for as long as this value lives. Connects again by itself.
pub struct Presence {
    now: watch::Receiver<Option<Claimant>>,
    /// Dropped with this value, which ends the keeper.
    _stop: oneshot::Sender<()>,
}

impl Presence {
    /// Connects. From now on the store's wake-ups are also heard from other processes.
    pub async fn open(store: &Store) -> Result<Self, StoreError> {
        Self::open_as(store, true).await
    }

    /// Connects for claims alone: a further connection of a process whose first one hears what others say. It is not
    /// counted as another process.
    pub async fn open_silent(store: &Store) -> Result<Self, StoreError> {
        Self::open_as(store, false).await
    }

    async fn open_as(store: &Store, hears: bool) -> Result<Self, StoreError> {
        let session = Session::open(store, hears).await?;
        let (say, now) = watch::channel(Some(session.claimant));
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(keep(store.clone(), session, say, stopped));
        Ok(Self { now, _stop: stop })
    }

    /// Under which number to claim; `None` while the connection is lost, when nothing may be claimed.
    pub fn claimant(&self) -> Option<Claimant> {
        *self.now.borrow()
    }

    /// Returns when this claimant's connection has ended: its claims are no longer its own.
    pub async fn lost(&self, claimant: Claimant) {
        // When the keeper has ended, so has its connection.
        let _ = self.now.clone().wait_for(|now| *now != Some(claimant)).await;
    }
}

/// Listens until `stopped`, and connects again whenever the connection ends.
async fn keep(
    store: Store,
    mut session: Session,
    say: watch::Sender<Option<Claimant>>,
    mut stopped: oneshot::Receiver<()>,
) {
    let hears = session.hears;
    loop {
        let error = tokio::select! {
            error = session.listen(&store) => error,
            _ = &mut stopped => return session.close().await,
        };
        say.send_replace(None);
        if hears {
            // Whoever is there meanwhile must not be missed.
            store.has_peers.store(true, Ordering::Relaxed);
        }
        drop(session);
        tracing::info!(%error, "the connection that vouches for claims was lost; what is being sent will be sent again");
        session = tokio::select! {
            session = reopen(&store, hears) => session,
            _ = &mut stopped => return,
        };
        say.send_replace(Some(session.claimant));
        if hears {
            // What others said meanwhile was not heard.
            store.ingest_wake.notify_one();
            store.deliver_wake.notify_one();
        }
    }
}

async fn reopen(store: &Store, hears: bool) -> Session {
    let mut wait = WAIT_MIN;
    loop {
        match Session::open(store, hears).await {
            Ok(session) => return session,
            Err(error) => tracing::debug!(%error, "cannot connect yet"),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(WAIT_MAX);
    }
}

/// One connection.
struct Session {
    listener: PgListener,
    claimant: Claimant,
    counted_at: Instant,
    /// Whether it is the one by which its process hears others, and is counted by them.
    hears: bool,
}

impl Session {
    async fn open(store: &Store, hears: bool) -> Result<Self, StoreError> {
        let options = store.pool.connect_options().as_ref().clone();
        // A pool of one, for the listener takes its connection from a pool. It is never given up for its age.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options)
            .await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.ignore_pool_close_event(true);
        // A connection that is made anew behind our back would not hold the lock.
        listener.eager_reconnect(false);
        let claimant = Claimant(rand_seed() as i64);
        sqlx::query("SELECT pg_advisory_lock($1)").bind(claimant.0).execute(&mut listener).await?;
        let mut session = Self { listener, claimant, counted_at: Instant::now(), hears };
        if hears {
            session.join(store).await?;
        }
        Ok(session)
    }

    /// Makes this process known to the others, and hears them from now on.
    async fn join(&mut self, store: &Store) -> Result<(), StoreError> {
        sqlx::query("SELECT pg_advisory_lock_shared($1)").bind(PRESENT).execute(&mut self.listener).await?;
        self.listener.listen_all([INGEST, DELIVER, PEERS]).await?;
        sqlx::query("SELECT pg_notify($1, '')").bind(PEERS).execute(&mut self.listener).await?;
        self.count_peers(store).await
    }

    /// Wakes the loops of this process when others have work for them. Returns when the connection ends.
    async fn listen(&mut self, store: &Store) -> StoreError {
        loop {
            if let Err(error) = self.hear(store).await {
                return error;
            }
        }
    }

    async fn hear(&mut self, store: &Store) -> Result<(), StoreError> {
        let mut is_asked = self.counted_at.elapsed() >= ASK_INTERVAL;
        match tokio::time::timeout(ASK_INTERVAL, self.listener.try_recv()).await {
            Ok(Ok(Some(said))) => match said.channel() {
                INGEST => store.ingest_wake.notify_one(),
                DELIVER => store.deliver_wake.notify_one(),
                _ => is_asked = true,
            },
            Ok(Ok(None)) => return Err(ended("Postgres ended the connection")),
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => is_asked = true,
        }
        if is_asked {
            let counting = tokio::time::timeout(ANSWER_MAX, self.count_peers(store));
            counting.await.unwrap_or_else(|_| Err(ended("Postgres does not answer on the connection")))?;
        }
        Ok(())
    }

    /// Whether anybody else is present in this database, ourselves left out.
    async fn count_peers(&mut self, store: &Store) -> Result<(), StoreError> {
        self.counted_at = Instant::now();
        if !self.hears {
            // Only whether the connection is still there.
            sqlx::query("SELECT 1").execute(&mut self.listener).await?;
            return Ok(());
        }
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND (classid::bigint << 32) | objid::bigint = $1",
        )
        .bind(PRESENT)
        .fetch_one(&mut self.listener)
        .await?;
        store.has_peers.store(count > 1, Ordering::Relaxed);
        Ok(())
    }

    /// Lets the locks go before the connection does, which may linger in its pool for a moment.
    async fn close(mut self) {
        let _ = sqlx::query("SELECT pg_advisory_unlock_all()").execute(&mut self.listener).await;
    }
}

fn ended(why: &str) -> StoreError {
    StoreError::Database(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::ConnectionAborted, why)))
}
