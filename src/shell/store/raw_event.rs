//! Deliveries: stored before they are acknowledged, claimed in order, settled with their batch.

use super::retention::unname;
use super::{Store, StoreError, sql_time};
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::RawEventId;
use crate::pure::domain::message::RawEvent;
use crate::shell::content::{ContentError, ContentHash};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, Row};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Bodies over this are kept in the content store, not in the row (DESIGN 2). Bytes.
pub const BODY_IN_ROW_BYTES_MAX: usize = 256 * 1024;

/// A delivery to be stored.
#[derive(Debug, Clone)]
pub struct NewRawEvent {
    /// The firm.
    pub tenant: String,
    /// The configured channel.
    pub channel: String,
    /// Its kind.
    pub kind: String,
    /// When it came in.
    pub received_at: Timestamp,
    /// When a server we trust had it.
    pub trusted_at: Option<Timestamp>,
    /// Where it came from, in words.
    pub origin: String,
    /// The bytes.
    pub body: RawBody,
}

/// The bytes of a delivery, or where they are already.
#[derive(Debug, Clone)]
pub enum RawBody {
    /// In memory.
    Bytes(Bytes),
    /// Streamed into the content store before.
    Stored {
        /// Its name there.
        hash: ContentHash,
        /// Its size.
        bytes: u64,
    },
}

impl RawBody {
    fn len(&self) -> i64 {
        match self {
            Self::Bytes(bytes) => i64::try_from(bytes.len()).unwrap_or(i64::MAX),
            Self::Stored { bytes, .. } => i64::try_from(*bytes).unwrap_or(i64::MAX),
        }
    }
}

/// How far an intake has read, moved in the transaction that stores what it read.
#[derive(Debug, Clone)]
pub struct CursorMove<'a> {
    /// The firm.
    pub tenant: &'a str,
    /// The channel.
    pub channel: &'a str,
    /// The folder or file.
    pub source: &'a str,
    /// The intake's own state.
    pub state: serde_json::Value,
}

/// Something that could not be taken in at all: it goes to quarantine without a body.
#[derive(Debug, Clone)]
pub struct Skipped<'a> {
    /// The firm.
    pub tenant: &'a str,
    /// The channel.
    pub channel: &'a str,
    /// Its kind.
    pub kind: &'a str,
    /// Where it is, in words.
    pub origin: &'a str,
    /// A stable word: `too_large`, `unreadable`.
    pub code: &'a str,
    /// A sentence for people, without customers' data.
    pub detail: &'a str,
    /// When.
    pub at: Timestamp,
}

/// Whether the changes of imported history are queued for mirrors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hearing {
    /// Mirrors hear of it: everything live.
    Told,
    /// They do not: imported history.
    Quiet,
}

// A body that is known already is pointed at where it is (`s`), never at a row of this batch that only
// points there itself: `load` follows one step. Other processes are told ($15) by a subquery that runs once.
const RECORD: &str = "
    WITH input AS (
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[],
            $7::text[], $8::bytea[], $9::bytea[], $10::bigint[], $11::text[], $12::uuid[], $13::uuid[])
            AS t(id, tenant, channel, kind, received_at, trusted_at, origin, body, content_hash, bytes, scope, key_hash, twin)
    ), first AS (
        INSERT INTO seen (scope, key_hash, message_id, first_at)
        SELECT scope, key_hash, id, received_at FROM input WHERE twin IS NULL ORDER BY scope, key_hash
        ON CONFLICT DO NOTHING
    ), stored AS (
        INSERT INTO raw_event (id, tenant, channel, kind, received_at, trusted_at, origin, body, content_hash, same_as, bytes, quiet)
        SELECT i.id, i.tenant, i.channel, i.kind, i.received_at, i.trusted_at, i.origin,
            CASE WHEN coalesce(s.message_id, i.twin) IS NULL THEN i.body END,
            CASE WHEN coalesce(s.message_id, i.twin) IS NULL THEN i.content_hash END,
            coalesce(s.message_id, i.twin), i.bytes, $14
        FROM input i LEFT JOIN seen s ON s.scope = i.scope AND s.key_hash = i.key_hash
    )
    INSERT INTO raw_pending (raw_event, bytes, quiet) SELECT id, bytes, $14 FROM input
    WHERE NOT $15 OR (SELECT pg_notify('lanka_ingest', '') IS NOT NULL)";

const MOVE_CURSOR: &str = "
    INSERT INTO cursor (tenant, channel, source, state, moved_at) VALUES ($1, $2, $3, $4, now())
    ON CONFLICT (tenant, channel, source) DO UPDATE SET state = excluded.state, moved_at = excluded.moved_at";

impl Store {
    /// Stores deliveries, and moves the cursor in the same transaction. When this returns, the bytes
    /// are durable and the intake may acknowledge. Gives their ids in order.
    pub async fn record(
        &self,
        events: &[NewRawEvent],
        cursor: Option<CursorMove<'_>>,
    ) -> Result<Vec<RawEventId>, StoreError> {
        self.record_as(events, cursor, Hearing::Told).await
    }

    /// [`Store::record`] for history, which mirrors may not be meant to hear of.
    pub async fn record_as(
        &self,
        events: &[NewRawEvent],
        cursor: Option<CursorMove<'_>>,
        hearing: Hearing,
    ) -> Result<Vec<RawEventId>, StoreError> {
        let rows = self.rows(events).await?;
        self.ensure_months(events.iter().map(|event| event.received_at)).await?;
        match self.insert(&rows, cursor.as_ref(), hearing).await {
            Err(error) if error.is_month_gone() => {
                self.forget_months();
                self.ensure_months(events.iter().map(|event| event.received_at)).await?;
                self.insert(&rows, cursor.as_ref(), hearing).await?;
            }
            other => other?,
        }
        self.forget_repeated(&rows).await?;
        self.ingest_wake.notify_one();
        Ok(rows.id.into_iter().map(RawEventId).collect())
    }

    /// Stores deliveries of our own making in a transaction of the caller's, who wakes ingest after it.
    pub(crate) async fn record_in(
        &self,
        connection: &mut PgConnection,
        events: &[NewRawEvent],
    ) -> Result<(), StoreError> {
        let rows = self.rows(events).await?;
        rows.insert(connection, Hearing::Told, self.has_peers()).await
    }

    async fn insert(&self, rows: &Rows, cursor: Option<&CursorMove<'_>>, hearing: Hearing) -> Result<(), StoreError> {
        if let Some(cursor) = cursor {
            let mut tx = self.begin().await?;
            rows.insert(&mut tx, hearing, self.has_peers()).await?;
            move_cursor(&mut tx, cursor).await?;
            tx.commit().await?;
        } else if !rows.id.is_empty() {
            let mut connection = self.pool.acquire().await?;
            rows.insert(&mut connection, hearing, self.has_peers()).await?;
        }
        Ok(())
    }

    /// Whether deliveries of these very bytes were stored on a channel before, one by one.
    pub async fn are_recorded(&self, tenant: &str, channel: &str, bodies: &[Bytes]) -> Result<Vec<bool>, StoreError> {
        let keys: Vec<Uuid> = bodies.iter().map(|body| short(&Sha256::digest(body).into())).collect();
        let known: Vec<Uuid> = sqlx::query_scalar(
            "SELECT s.key_hash FROM unnest($2::uuid[]) AS k(key_hash) CROSS JOIN LATERAL (
                SELECT key_hash FROM seen t WHERE t.scope = $1 AND t.key_hash = k.key_hash LIMIT 1
             ) s",
        )
        .bind(seen_scope(tenant, channel))
        .bind(&keys)
        .fetch_all(&self.pool)
        .await?;
        let known: HashSet<Uuid> = known.into_iter().collect();
        Ok(keys.iter().map(|key| known.contains(key)).collect())
    }

    async fn rows(&self, events: &[NewRawEvent]) -> Result<Rows, StoreError> {
        let mut rows = Rows::default();
        let mut twins: HashMap<(String, Uuid), Uuid> = HashMap::new();
        for event in events {
            let (digest, body, content) = match &event.body {
                RawBody::Stored { hash, .. } => (hash.0, None, Some(hash.0.to_vec())),
                RawBody::Bytes(bytes) if bytes.len() > BODY_IN_ROW_BYTES_MAX => {
                    let hash = self.content.put(bytes.clone()).await?.hash;
                    (hash.0, None, Some(hash.0.to_vec()))
                }
                RawBody::Bytes(bytes) => (Sha256::digest(bytes).into(), Some(bytes.clone()), None),
            };
            let id: RawEventId = self.next_id(event.received_at);
            let key = short(&digest);
            let scope = seen_scope(&event.tenant, &event.channel);
            let twin = twins.get(&(scope.clone(), key)).copied();
            if twin.is_none() {
                twins.insert((scope.clone(), key), id.0);
            }
            rows.push(
                event,
                id.0,
                scope,
                key,
                twin,
                body.filter(|_| twin.is_none()),
                content.filter(|_| twin.is_none()),
            );
        }
        Ok(rows)
    }

    /// The state of a cursor, if the intake has ever stored anything.
    pub async fn cursor(
        &self,
        tenant: &str,
        channel: &str,
        source: &str,
    ) -> Result<Option<serde_json::Value>, StoreError> {
        let row = sqlx::query_scalar("SELECT state FROM cursor WHERE tenant = $1 AND channel = $2 AND source = $3")
            .bind(tenant)
            .bind(channel)
            .bind(source)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row)
    }

    /// Moves a cursor alone, when there was nothing to store on the way.
    pub async fn move_cursor(&self, cursor: &CursorMove<'_>) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        move_cursor(&mut connection, cursor).await
    }

    /// Records that something could not be taken in, and moves the cursor past it in one transaction.
    pub async fn record_skipped(
        &self,
        skipped: &Skipped<'_>,
        cursor: Option<CursorMove<'_>>,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO quarantine (tenant, channel, kind, origin, code, detail, at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(skipped.tenant)
        .bind(skipped.channel)
        .bind(skipped.kind)
        .bind(skipped.origin)
        .bind(skipped.code)
        .bind(skipped.detail)
        .bind(sql_time(skipped.at))
        .execute(&mut *tx)
        .await?;
        if let Some(cursor) = cursor {
            move_cursor(&mut tx, &cursor).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Deliveries that wait for ingest: how many, and since when the oldest.
    pub async fn pending(&self) -> Result<(i64, Option<Timestamp>), StoreError> {
        let row = sqlx::query(
            "SELECT (SELECT count(*) FROM raw_pending),
                (SELECT received_at FROM raw_event WHERE id = (SELECT raw_event FROM raw_pending ORDER BY raw_event LIMIT 1))",
        )
        .fetch_one(&self.pool)
        .await?;
        let oldest: Option<jiff_sqlx::Timestamp> = row.try_get(1)?;
        Ok((row.try_get(0)?, oldest.map(|at| at.to_jiff())))
    }
}

impl Store {
    /// A large body is put before it is known whether it is new. Where an earlier delivery of the same
    /// bytes was redacted since, nothing names it, and it goes again.
    async fn forget_repeated(&self, rows: &Rows) -> Result<(), StoreError> {
        let (ids, hashes): (Vec<Uuid>, Vec<&Vec<u8>>) =
            rows.id.iter().zip(&rows.content_hash).filter_map(|(id, hash)| Some((*id, hash.as_ref()?))).unzip();
        if ids.is_empty() {
            return Ok(());
        }
        let unnamed: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT i.hash FROM unnest($1::uuid[], $2::bytea[]) AS i(id, hash) JOIN raw_event r ON r.id = i.id
             JOIN raw_event f ON f.id = r.same_as WHERE f.content_hash IS DISTINCT FROM i.hash",
        )
        .bind(ids)
        .bind(hashes)
        .fetch_all(&self.pool)
        .await?;
        let unnamed: Vec<ContentHash> = unnamed.iter().filter_map(|hash| hash.as_slice().try_into().ok()).collect();
        if !unnamed.is_empty() {
            // It was put a moment ago, so that it cannot go yet.
            unname(&mut *self.pool.acquire().await?, &unnamed).await?;
        }
        Ok(())
    }
}

async fn move_cursor(connection: &mut PgConnection, cursor: &CursorMove<'_>) -> Result<(), StoreError> {
    sqlx::query(MOVE_CURSOR)
        .bind(cursor.tenant)
        .bind(cursor.channel)
        .bind(cursor.source)
        .bind(&cursor.state)
        .execute(connection)
        .await?;
    Ok(())
}

/// Columns of new rows, as arrays.
#[derive(Default)]
struct Rows {
    id: Vec<Uuid>,
    tenant: Vec<String>,
    channel: Vec<String>,
    kind: Vec<String>,
    received_at: Vec<jiff_sqlx::Timestamp>,
    trusted_at: Vec<Option<jiff_sqlx::Timestamp>>,
    origin: Vec<String>,
    body: Vec<Option<Bytes>>,
    content_hash: Vec<Option<Vec<u8>>>,
    bytes: Vec<i64>,
    scope: Vec<String>,
    key_hash: Vec<Uuid>,
    twin: Vec<Option<Uuid>>,
}

impl Rows {
    #[expect(clippy::too_many_arguments, reason = "one column each")]
    fn push(
        &mut self,
        event: &NewRawEvent,
        id: Uuid,
        scope: String,
        key: Uuid,
        twin: Option<Uuid>,
        body: Option<Bytes>,
        content: Option<Vec<u8>>,
    ) {
        self.id.push(id);
        self.tenant.push(event.tenant.clone());
        self.channel.push(event.channel.clone());
        self.kind.push(event.kind.clone());
        self.received_at.push(sql_time(event.received_at));
        self.trusted_at.push(event.trusted_at.map(sql_time));
        self.origin.push(event.origin.clone());
        self.body.push(body);
        self.content_hash.push(content);
        self.bytes.push(event.body.len());
        self.scope.push(scope);
        self.key_hash.push(key);
        self.twin.push(twin);
    }

    async fn insert(&self, connection: &mut PgConnection, hearing: Hearing, has_peers: bool) -> Result<(), StoreError> {
        if self.id.is_empty() {
            return Ok(());
        }
        sqlx::query(RECORD)
            .bind(&self.id)
            .bind(&self.tenant)
            .bind(&self.channel)
            .bind(&self.kind)
            .bind(&self.received_at)
            .bind(&self.trusted_at)
            .bind(&self.origin)
            .bind(self.body.iter().map(Option::as_deref).collect::<Vec<_>>())
            .bind(&self.content_hash)
            .bind(&self.bytes)
            .bind(&self.scope)
            .bind(&self.key_hash)
            .bind(&self.twin)
            .bind(hearing == Hearing::Quiet)
            .bind(has_peers)
            .execute(connection)
            .await?;
        Ok(())
    }
}

/// Where the digests of a channel's deliveries are kept.
fn seen_scope(tenant: &str, channel: &str) -> String {
    format!("raw/{tenant}/{channel}")
}

fn short(digest: &[u8; 32]) -> Uuid {
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::from_bytes(bytes)
}

/// A delivery that this transaction holds.
#[derive(Debug, Clone)]
pub struct ClaimedRaw {
    /// The delivery.
    pub event: RawEvent,
    /// Mirrors do not hear of it.
    pub quiet: bool,
    /// Why its bytes are gone for good, if they are: the body of the event is empty then.
    pub lost: Option<String>,
}

/// Claims the oldest deliveries nobody else holds and that are not `except`ed, at most `rows_max` and about
/// `bytes_max` (one at least). They are given back when the transaction ends without [`settle`].
pub async fn claim(
    store: &Store,
    connection: &mut PgConnection,
    rows_max: i64,
    bytes_max: i64,
    except: &[Uuid],
) -> Result<Vec<ClaimedRaw>, StoreError> {
    let waiting: Vec<(Uuid, i64, bool)> = sqlx::query_as(
        "SELECT raw_event, bytes, quiet FROM raw_pending WHERE raw_event <> ALL($2) ORDER BY raw_event LIMIT $1 FOR UPDATE SKIP LOCKED",
    )
    .bind(rows_max)
    .bind(except)
    .fetch_all(&mut *connection)
    .await?;
    if waiting.is_empty() {
        return Ok(Vec::new());
    }
    keep_plans(connection).await?;
    let mut quiet = HashMap::new();
    let mut total = 0;
    for (id, bytes, is_quiet) in waiting {
        total += bytes;
        if total > bytes_max && !quiet.is_empty() {
            break;
        }
        quiet.insert(id, is_quiet);
    }
    let ids: Vec<Uuid> = quiet.keys().copied().collect();
    let events = load(store, connection, &ids).await?;
    Ok(claimed(events, &quiet))
}

/// Statements of the transaction are planned once for a connection: to plan one over tables of many months anew takes
/// longer than it does.
async fn keep_plans(connection: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query("SELECT set_config('plan_cache_mode', 'force_generic_plan', true)").execute(connection).await?;
    Ok(())
}

fn claimed(events: Vec<LoadedRaw>, quiet: &HashMap<Uuid, bool>) -> Vec<ClaimedRaw> {
    let is_quiet = |event: &RawEvent| quiet.get(&event.id.0).copied().unwrap_or(false);
    events.into_iter().map(|LoadedRaw { event, lost }| ClaimedRaw { quiet: is_quiet(&event), event, lost }).collect()
}

/// Deliveries that were settled before and are read again, with the transaction that takes them up.
pub async fn load_again(
    store: &Store,
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<Vec<ClaimedRaw>, StoreError> {
    let quiet: Vec<(Uuid, bool)> = sqlx::query_as("SELECT id, quiet FROM raw_event WHERE id = ANY($1)")
        .bind(ids)
        .fetch_all(&mut *connection)
        .await?;
    let events = load(store, connection, ids).await?;
    Ok(claimed(events, &quiet.into_iter().collect()))
}

/// Takes claimed deliveries off the queue.
pub async fn settle(connection: &mut PgConnection, ids: &[Uuid]) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM raw_pending WHERE raw_event = ANY($1)").bind(ids).execute(connection).await?;
    Ok(())
}

/// Replaces the bytes of a delivery, where they are: those of an earlier one that it equals. Gives the
/// content that it named before, which is to be forgotten after the commit.
pub async fn replace_body(
    store: &Store,
    connection: &mut PgConnection,
    id: Uuid,
    replace: impl FnOnce(&RawEvent) -> Option<Bytes>,
) -> Result<Option<ContentHash>, StoreError> {
    let first: Uuid = sqlx::query_scalar("SELECT coalesce(same_as, id) FROM raw_event WHERE id = $1")
        .bind(id)
        .fetch_one(&mut *connection)
        .await?;
    // Two daemons may do this at once; the second finds it done.
    let row = sqlx::query_scalar("SELECT content_hash FROM raw_event WHERE id = $1 FOR UPDATE");
    let Some(before) = row.bind(first).fetch_optional(&mut *connection).await? else { return Ok(None) };
    let before: Option<Vec<u8>> = before;
    let loaded = load(store, connection, &[first]).await?.pop().filter(|loaded| loaded.lost.is_none());
    let Some(body) = loaded.and_then(|loaded| replace(&loaded.event)) else { return Ok(None) };
    let bytes = i64::try_from(body.len()).unwrap_or(i64::MAX);
    let (body, hash) = match body.len() > BODY_IN_ROW_BYTES_MAX {
        true => (None, Some(store.content.put(body).await?.hash.0.to_vec())),
        false => (Some(body), None),
    };
    sqlx::query("UPDATE raw_event SET body = $2, content_hash = $3, bytes = $4 WHERE id = $1")
        .bind(first)
        .bind(body.as_deref())
        .bind(hash)
        .bind(bytes)
        .execute(connection)
        .await?;
    Ok(before.and_then(|hash| ContentHash::try_from(hash.as_slice()).ok()))
}

/// A delivery read back.
#[derive(Debug, Clone)]
pub struct LoadedRaw {
    /// The delivery.
    pub event: RawEvent,
    /// Why its bytes are gone for good, if they are.
    pub lost: Option<String>,
}

/// Loads deliveries with their bytes, in order of arrival. One whose bytes are gone does not keep
/// the others back: it comes without them, and says why.
pub async fn load(store: &Store, connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<LoadedRaw>, StoreError> {
    let rows = sqlx::query(
        "SELECT r.id, r.tenant, r.channel, r.kind, r.received_at, r.trusted_at, r.origin,
            coalesce(r.body, f.body) AS body, coalesce(r.content_hash, f.content_hash) AS content_hash
         FROM raw_event r LEFT JOIN LATERAL (SELECT body, content_hash FROM raw_event WHERE id = r.same_as LIMIT 1) f ON true
         WHERE r.id = ANY($1) ORDER BY r.id",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        let id: Uuid = row.try_get("id")?;
        let body: Option<Vec<u8>> = row.try_get("body")?;
        let hash: Option<Vec<u8>> = row.try_get("content_hash")?;
        let (body, lost) = match (body, hash) {
            (Some(body), _) => (Bytes::from(body), None),
            (None, Some(hash)) => {
                let hash = <[u8; 32]>::try_from(hash).map_err(|_| corrupt(id, "its content hash is malformed"))?;
                match store.content.get(ContentHash(hash)).await {
                    Ok(body) => (body, None),
                    Err(gone @ (ContentError::Missing(_) | ContentError::Damaged(_))) => {
                        (Bytes::new(), Some(gone.to_string()))
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            (None, None) => (Bytes::new(), Some("retention has removed its bytes".to_owned())),
        };
        let received_at: jiff_sqlx::Timestamp = row.try_get("received_at")?;
        let trusted_at: Option<jiff_sqlx::Timestamp> = row.try_get("trusted_at")?;
        let event = RawEvent {
            id: RawEventId(id),
            tenant: row.try_get("tenant")?,
            channel: row.try_get("channel")?,
            kind: row.try_get("kind")?,
            received_at: received_at.to_jiff(),
            trusted_at: trusted_at.map(|at| at.to_jiff()),
            origin: row.try_get("origin")?,
            body,
        };
        events.push(LoadedRaw { event, lost });
    }
    Ok(events)
}

fn corrupt(id: Uuid, why: &str) -> StoreError {
    StoreError::Corrupt { what: "raw_event", id, why: why.to_owned() }
}

/// Claims these deliveries, as far as they still wait and nobody else holds them.
pub async fn claim_these(
    store: &Store,
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<Vec<ClaimedRaw>, StoreError> {
    let waiting: Vec<(Uuid, bool)> = sqlx::query_as(
        "SELECT raw_event, quiet FROM raw_pending WHERE raw_event = ANY($1) ORDER BY raw_event FOR UPDATE SKIP LOCKED",
    )
    .bind(ids)
    .fetch_all(&mut *connection)
    .await?;
    let quiet: HashMap<Uuid, bool> = waiting.into_iter().collect();
    let ids: Vec<Uuid> = quiet.keys().copied().collect();
    let events = load(store, connection, &ids).await?;
    Ok(claimed(events, &quiet))
}
