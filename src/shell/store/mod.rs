//! All SQL, and only SQL: what lanka keeps in Postgres.
//!
//! Statements take arrays and work on whole batches; none runs once per message. They are plain
//! `&'static str`, each run by a test against a real server. Refused: compile-time checked queries
//! (`query!`), which cannot describe the array-of-nullable parameters that batching rests on
//! without an override on every column.
//!
//! **Invariants:** uniqueness is a constraint, never a look-then-insert. No transaction stays open
//! across a network call. Nothing outside this folder holds SQL.

mod accounts;
pub mod answer;
pub mod api_token;
pub mod change;
pub mod commit;
pub mod dust;
pub mod early_act;
pub mod exchange;
pub mod explain;
pub mod export;
pub mod facts;
pub mod firm;
pub mod hands;
pub mod health;
pub mod incident;
pub mod keep;
pub mod letter;
pub mod listing;
pub mod media;
pub mod outbox;
pub mod person;
pub mod presence;
pub mod profile;
pub mod quarantine;
pub mod raw_event;
pub mod reader;
pub mod ready;
pub mod reconsider;
pub mod replay;
pub mod report;
pub mod retention;
pub mod search;
pub mod sender_check;
pub mod timeline;
pub mod triage_model;
pub mod view;
pub mod ways;

use crate::pure::domain::Timestamp;
use crate::pure::domain::id::IdMint;
use crate::shell::content::{ContentError, ContentStore};
use jiff_sqlx::ToSqlx;
use reader::Reader;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Longest wait for a connection of the pool: an intake would rather answer 503 than hang.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Between two attempts to reach a server that may be starting.
const KNOCK_INTERVAL: Duration = Duration::from_millis(200);

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
    /// Postgres cannot be reached, or does not let us in.
    #[error("cannot connect to the database at {place}: {cause}. {advice}")]
    Unreachable {
        /// Host and port, or the directory of the socket. Never the password.
        place: String,
        /// What came of the attempt.
        cause: String,
        /// What to do.
        advice: &'static str,
    },
    /// The schema is not this lanka's.
    #[error("{0}")]
    Schema(SchemaFault),
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
            _ if self.is_month_gone() => true,
            // 40001 serialization_failure, 40P01 deadlock_detected (PostgreSQL, appendix A).
            Self::Database(sqlx::Error::Database(error)) => matches!(error.code().as_deref(), Some("40001" | "40P01")),
            _ => false,
        }
    }

    /// Whether another daemon's retention removed the month of a row that is to be written.
    pub fn is_month_gone(&self) -> bool {
        // 23514 check_violation: without the name of a constraint, it is that no partition takes the row.
        matches!(self, Self::Database(sqlx::Error::Database(error))
            if error.code().as_deref() == Some("23514") && error.constraint().is_none())
    }

    /// Whether a statement took longer than it may (57014, query_canceled).
    pub fn is_out_of_time(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(error)) if error.code().as_deref() == Some("57014"))
    }

    /// Whether lanka's tables are missing altogether.
    pub fn is_schema_missing(&self) -> bool {
        // 42P01 undefined_table.
        matches!(self, Self::Database(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P01"))
            || matches!(self, Self::Schema(SchemaFault::Missing))
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
            Self::Content(_) | Self::Unreachable { .. } => true,
            _ => false,
        }
    }
}

/// What is wrong with the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SchemaFault {
    /// There is none.
    #[error("the database has no schema of this lanka yet: run `lanka migrate`")]
    Missing,
    /// Some of it is missing.
    #[error("the database has the schema of an older lanka: run `lanka migrate`")]
    Old,
}

/// All that the schema is made of.
static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// What lanka keeps: a pool of connections and the content store beside it. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    /// Connections.
    pub pool: PgPool,
    /// Large bodies and attachments.
    pub content: ContentStore,
    /// Told when there is something to ingest.
    pub ingest_wake: Arc<tokio::sync::Notify>,
    /// Told when somebody is to be decided on anew.
    pub reconsider_wake: Arc<tokio::sync::Notify>,
    /// Told when there is something to deliver.
    pub deliver_wake: Arc<tokio::sync::Notify>,
    /// For whom what is read is put into words.
    pub reader: Arc<Reader>,
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
        // The pool hides what is wrong behind its own impatience.
        let _ = Self::knock(&options).await?.close().await;
        let pool = PgPoolOptions::new()
            .max_connections(connections_max)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options)
            .await?;
        Ok(Self::new(pool, content))
    }

    /// Whether Postgres lets us in, and with `wants_schema` whether the schema is there. Nothing is made or changed.
    pub async fn try_connect(url: &str, wants_schema: bool) -> Result<(), StoreError> {
        let options: PgConnectOptions = url.parse()?;
        let mut connection = Self::knock(&options.application_name("lanka")).await?;
        let checked = if wants_schema { check_schema(&mut connection).await } else { Ok(()) };
        // It served its purpose, however it ends.
        let _ = connection.close().await;
        checked
    }

    /// Connects once. A server that starts at this moment, as after a reboot, is waited for.
    async fn knock(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
        let began = Instant::now();
        loop {
            let error = match tokio::time::timeout(ACQUIRE_TIMEOUT, PgConnection::connect_with(options)).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => error,
                Err(_) => sqlx::Error::PoolTimedOut,
            };
            if began.elapsed() >= ACQUIRE_TIMEOUT || !may_be_starting(&error) {
                return Err(unreachable_as(options, &error));
            }
            tokio::time::sleep(KNOCK_INTERVAL).await;
        }
    }

    /// A store over a pool.
    pub fn new(pool: PgPool, content: ContentStore) -> Self {
        Self {
            pool,
            content,
            ingest_wake: Arc::default(),
            reconsider_wake: Arc::default(),
            deliver_wake: Arc::default(),
            reader: Arc::default(),
            has_peers: Arc::default(),
            mint: Arc::new(Mutex::new(IdMint::new(rand_seed()))),
            months: Arc::default(),
        }
    }

    /// The same store, read by somebody else.
    #[must_use]
    pub fn read_by(self, reader: Reader) -> Self {
        Self { reader: Arc::new(reader), ..self }
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
        Ok(MIGRATIONS.run(&self.pool).await?)
    }

    /// Whether the database answers.
    pub async fn answers(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Whether the schema is this lanka's, or a newer one's, which it can work with.
    pub async fn check_schema(&self) -> Result<(), StoreError> {
        check_schema(&mut *self.pool.acquire().await?).await
    }

    /// Whether a delivery could be stored at this moment, as far as can be told without storing one: the database
    /// answers, has the schema, may be written to, and the content store's disk takes a file. Else a word why not.
    pub async fn can_store(&self) -> Result<(), &'static str> {
        match self.check_schema().await {
            Ok(()) => {}
            Err(StoreError::Schema(_)) => return Err("the database has no schema of this lanka: run `lanka migrate`"),
            Err(_) => return Err("the database does not answer"),
        }
        let writes = "SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'
            AND has_table_privilege('raw_event', 'INSERT') AND has_table_privilege('raw_pending', 'INSERT')";
        match sqlx::query_scalar(writes).fetch_one(&self.pool).await {
            Ok(true) => {}
            Ok(false) => return Err("the database cannot be written to"),
            Err(_) => return Err("the database does not answer"),
        }
        let content = self.content.clone();
        match tokio::task::spawn_blocking(move || content.try_write()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err("the content store cannot be written to"),
        }
    }

    /// Begins a transaction. Whoever stops waiting for it leaves none behind: sqlx gives a connection back to the pool as it
    /// is when its BEGIN is dropped half-way, and all that others do on it then is never committed.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn begin(&self) -> Result<sqlx::Transaction<'static, sqlx::Postgres>, StoreError> {
        let pool = self.pool.clone();
        match tokio::spawn(async move { pool.begin().await }).await {
            Ok(begun) => Ok(begun?),
            Err(error) => Err(StoreError::Reader(error.to_string())),
        }
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

    /// Months may be gone: they are looked for again before the next row is written.
    pub(crate) fn forget_months(&self) {
        self.months.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
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

async fn check_schema(connection: &mut PgConnection) -> Result<(), StoreError> {
    let applied = sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success").fetch_all(connection).await;
    let applied: Vec<i64> = match applied.map_err(StoreError::from) {
        Err(error) if error.is_schema_missing() => Vec::new(),
        other => other?,
    };
    match MIGRATIONS.iter().all(|migration| applied.contains(&migration.version)) {
        _ if applied.is_empty() => Err(StoreError::Schema(SchemaFault::Missing)),
        true => Ok(()),
        false => Err(StoreError::Schema(SchemaFault::Old)),
    }
}

/// Whether it may be there in a moment.
fn may_be_starting(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => {
            matches!(error.kind(), std::io::ErrorKind::ConnectionRefused | std::io::ErrorKind::NotFound)
        }
        // 57P03 cannot_connect_now.
        sqlx::Error::Database(error) => error.code().as_deref() == Some("57P03"),
        _ => false,
    }
}

/// Why there is no connection, for ops.
fn unreachable_as(options: &PgConnectOptions, error: &sqlx::Error) -> StoreError {
    let place = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    let (cause, advice) = match error {
        sqlx::Error::PoolTimedOut => (
            format!("no answer within {} s", ACQUIRE_TIMEOUT.as_secs()),
            "Is the address in database.url right, and does no firewall stand between?",
        ),
        sqlx::Error::Io(error) => {
            (error.to_string(), "Is Postgres running there, does it listen on that address, and is database.url right?")
        }
        sqlx::Error::Tls(error) => {
            (format!("no TLS: {error}"), "Set sslmode and sslrootcert in database.url as the server asks for them.")
        }
        sqlx::Error::Database(error) => (error.message().to_owned(), advice_on(error.code().as_deref())),
        other => (other.to_string(), "Look at database.url."),
    };
    StoreError::Unreachable { place, cause, advice }
}

/// By SQLSTATE (PostgreSQL, appendix A).
fn advice_on(code: Option<&str>) -> &'static str {
    match code {
        Some("28000" | "28P01") => {
            "Look at user and password in database.url (a ~/.pgpass counts only with mode 0600), and at the server's pg_hba.conf."
        }
        Some("3D000") => "Make the database (createdb), or name another one in database.url.",
        Some("53300") => {
            "Allow more connections (max_connections of the server), or use fewer (database.connections_max)."
        }
        Some("57P03") => "It starts, or stops, or recovers: try again when it is through, and look at its log.",
        _ => "Look at database.url and at the server's log.",
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
