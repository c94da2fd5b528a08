//! All SQL, and only SQL: what lanka keeps in Postgres.
//!
//! Statements take arrays and work on whole batches; none runs once per message. They are plain
//! `&'static str`, each run by a test against a real server. Refused: compile-time checked queries
//! (`query!`), which cannot describe the array-of-nullable parameters that batching rests on
//! without an override on every column.
//!
//! **Invariants:** uniqueness is a constraint, never a look-then-insert. No transaction stays open
//! across a network call. Nothing outside this folder holds SQL.

pub mod commit;
pub mod explain;
pub mod export;
pub mod facts;
pub mod outbox;
pub mod presence;
pub mod profile;
pub mod quarantine;
pub mod raw_event;
pub mod replay;
pub mod view;
pub mod ways;

use crate::pure::domain::Timestamp;
use crate::pure::domain::id::IdMint;
use crate::shell::content::{ContentError, ContentStore};
use jiff_sqlx::ToSqlx;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgConnection, PgPool};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uuid::Uuid;

/// Longest wait for a connection of the pool: an intake would rather answer 503 than hang.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Postgres is away, refused, or the statement failed.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// A migration cannot be applied.
    #[error("database schema: {0}; restore the migrations this database was made with, or use another database")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The content store failed.
    #[error("content store: {0}")]
    Content(#[from] ContentError),
    /// The thread that reads deliveries ended abnormally.
    #[error("reading a batch ended abnormally: {0}")]
    Reader(String),
    /// Another daemon changed what this batch read; it is read again.
    #[error("another daemon was faster; the batch is decided again")]
    Stale,
    /// A stored value cannot be read back.
    #[error("stored {what} {id} cannot be read: {why}")]
    Corrupt {
        /// What kind of row.
        what: &'static str,
        /// Its id.
        id: Uuid,
        /// What is wrong with it.
        why: String,
    },
}

impl StoreError {
    /// Whether the same may succeed when tried again at once: a lost race.
    pub fn is_race(&self) -> bool {
        match self {
            Self::Stale => true,
            // 40001 serialization_failure, 40P01 deadlock_detected (PostgreSQL, appendix A).
            Self::Database(sqlx::Error::Database(error)) => matches!(error.code().as_deref(), Some("40001" | "40P01")),
            _ => false,
        }
    }

    /// Whether lanka's tables are missing altogether.
    pub fn is_schema_missing(&self) -> bool {
        // 42P01 undefined_table.
        matches!(self, Self::Database(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P01"))
    }

    /// Whether the fault is the server's (away, restarting, full), not the data's.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(error)) => {
                // Class 08 connection, 53 resources, 57 operator intervention, 58 system error.
                error.code().is_some_and(|code| ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)))
            }
            Self::Database(error) => !matches!(
                error,
                sqlx::Error::Decode(_)
                    | sqlx::Error::ColumnDecode { .. }
                    | sqlx::Error::Encode(_)
                    | sqlx::Error::TypeNotFound { .. }
            ),
            Self::Content(_) => true,
            _ => false,
        }
    }
}

/// What lanka keeps: a pool of connections and the content store beside it. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    /// Connections.
    pub pool: PgPool,
    /// Large bodies and attachments.
    pub content: ContentStore,
    /// Told when there is something to ingest.
    pub ingest_wake: Arc<tokio::sync::Notify>,
    /// Told when there is something to deliver.
    pub deliver_wake: Arc<tokio::sync::Notify>,
    /// Other processes may wait for what this one does.
    has_peers: Arc<AtomicBool>,
    mint: Arc<Mutex<IdMint>>,
    months: Arc<Mutex<HashSet<(i16, i8)>>>,
}

impl Store {
    /// A store over a database that is there. `connections_max` bounds the pool.
    pub async fn connect(url: &str, connections_max: u32, content: ContentStore) -> Result<Self, StoreError> {
        let options: PgConnectOptions = url.parse()?;
        let options = options.application_name("lanka");
        let pool = PgPoolOptions::new()
            .max_connections(connections_max)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options)
            .await?;
        Ok(Self::new(pool, content))
    }

    /// A store over a pool.
    pub fn new(pool: PgPool, content: ContentStore) -> Self {
        Self {
            pool,
            content,
            ingest_wake: Arc::default(),
            deliver_wake: Arc::default(),
            has_peers: Arc::default(),
            mint: Arc::new(Mutex::new(IdMint::new(rand_seed()))),
            months: Arc::default(),
        }
    }

    /// Whether other processes are to be told of work, by `NOTIFY`. A [`presence::Presence`] keeps this true to
    /// what is there; a process without one is alone until it is told otherwise by this.
    pub fn assume_peers(&self) {
        self.has_peers.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_peers(&self) -> bool {
        self.has_peers.load(Ordering::Relaxed)
    }

    /// Applies the migrations that are missing, under an advisory lock.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        Ok(sqlx::migrate!("./migrations").run(&self.pool).await?)
    }

    /// Whether the database answers.
    pub async fn answers(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Makes the partitions for the months of these instants. Costs nothing when they are known.
    pub(crate) async fn ensure_months(&self, instants: impl Iterator<Item = Timestamp>) -> Result<(), StoreError> {
        let missing: Vec<(Timestamp, (i16, i8))> = {
            let known = self.months.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let mut found = HashSet::new();
            instants
                .map(|at| (at, month(at)))
                .filter(|(_, month)| !known.contains(month) && found.insert(*month))
                .collect()
        };
        for (at, month) in missing {
            sqlx::query("SELECT lanka_ensure_month($1)").bind(at.to_sqlx()).execute(&self.pool).await?;
            self.months.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(month);
        }
        Ok(())
    }

    /// A mint of its own for one batch, seeded apart from every other.
    pub fn mint(&self) -> IdMint {
        IdMint::new(rand_seed())
    }

    /// The next id in order of arrival; one sequence for the process.
    pub(crate) fn next_id<T: From<Uuid>>(&self, at: Timestamp) -> T {
        self.mint.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next(at)
    }
}

fn month(at: Timestamp) -> (i16, i8) {
    let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
    (date.year(), date.month())
}

/// A random seed. UUID version 7 of the `uuid` crate carries 74 random bits from the system; two
/// of them make a seed.
fn rand_seed() -> u128 {
    Uuid::now_v7().as_u128().rotate_left(64) ^ Uuid::now_v7().as_u128()
}

/// Instants as Postgres takes them.
pub(crate) fn sql_time(at: Timestamp) -> jiff_sqlx::Timestamp {
    at.to_sqlx()
}

/// Takes transaction-long advisory locks, in ascending order so that two batches cannot hold one
/// each and wait for the other.
pub(crate) async fn lock_sorted(connection: &mut PgConnection, mut keys: Vec<i64>) -> Result<(), StoreError> {
    keys.sort_unstable();
    keys.dedup();
    if keys.is_empty() {
        return Ok(());
    }
    sqlx::query("SELECT count(pg_advisory_xact_lock(key)) FROM unnest($1::bigint[]) AS key")
        .bind(keys)
        .execute(connection)
        .await?;
    Ok(())
}

/// The first half of an id or key as an advisory lock.
pub(crate) fn lock_key(id: Uuid) -> i64 {
    let (high, low) = id.as_u64_pair();
    (high ^ low) as i64
}
