//! The quarantine, as a person looks after it: `waiting → retried | dropped`.
//!
//! **Invariant:** nothing leaves the quarantine silently: a row is marked, never deleted, and the bytes
//! of the delivery stay where they are.

use super::facts::time;
use super::raw_event;
use super::{Store, StoreError, sql_time};
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::RawEventId;
use crate::pure::domain::message::RawEvent;
use serde::Serialize;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

/// What could not be understood or taken in.
#[derive(Debug, Clone, Serialize)]
pub struct QuarantineLine {
    /// The number people say.
    pub id: i64,
    /// The firm.
    pub tenant: String,
    /// The channel.
    pub channel: String,
    /// Its kind.
    pub kind: String,
    /// The delivery; none for what was too large to be stored at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_event: Option<RawEventId>,
    /// Where it came from.
    pub origin: String,
    /// The fault's stable word.
    pub code: String,
    /// The fault's sentence.
    pub detail: String,
    /// When it came here.
    pub at: Timestamp,
    /// `waiting`, `retried` or `dropped`.
    pub state: String,
}

impl Store {
    /// What lies in quarantine, the latest first: what waits, or all that ever did; of one channel or of
    /// every one.
    pub async fn quarantined(
        &self,
        channel: Option<&str>,
        all: bool,
        limit: i64,
    ) -> Result<Vec<QuarantineLine>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, tenant, channel, kind, raw_event, origin, code, detail, at, state FROM quarantine
             WHERE ($1 OR state = 'waiting') AND ($2::text IS NULL OR channel = $2) ORDER BY id DESC LIMIT $3",
        )
        .bind(all)
        .bind(channel)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(line).collect()
    }

    /// One row, with the bytes of its delivery if they were stored.
    pub async fn quarantined_one(&self, id: i64) -> Result<Option<(QuarantineLine, Option<RawEvent>)>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let row = sqlx::query(
            "SELECT id, tenant, channel, kind, raw_event, origin, code, detail, at, state FROM quarantine WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&mut *connection)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let line = line(&row)?;
        let event = match line.raw_event {
            Some(raw) => {
                let loaded = raw_event::load(self, &mut connection, &[raw.0]).await?.pop();
                loaded.filter(|loaded| loaded.lost.is_none()).map(|loaded| loaded.event)
            }
            None => None,
        };
        Ok(Some((line, event)))
    }

    /// Puts the deliveries of these rows back into the queue, and marks all that waits of them as
    /// retried. Gives the deliveries; rows that do not wait, or whose bytes were never stored, give none.
    pub async fn retry_quarantined(&self, ids: &[i64], now: Timestamp) -> Result<Vec<RawEventId>, StoreError> {
        let mut tx = self.begin().await?;
        let raw: Vec<Uuid> = sqlx::query_scalar(
            "SELECT DISTINCT raw_event FROM quarantine WHERE id = ANY($1) AND state = 'waiting' AND raw_event IS NOT NULL",
        )
        .bind(ids)
        .fetch_all(&mut *tx)
        .await?;
        put_back(&mut tx, &raw, now).await?;
        tx.commit().await?;
        self.ingest_wake.notify_one();
        Ok(raw.into_iter().map(RawEventId).collect())
    }

    /// Marks rows as dropped. Gives those that waited.
    pub async fn drop_quarantined(&self, ids: &[i64], now: Timestamp) -> Result<Vec<i64>, StoreError> {
        Ok(sqlx::query_scalar(
            "UPDATE quarantine SET state = 'dropped', state_at = $2 WHERE id = ANY($1) AND state = 'waiting' RETURNING id",
        )
        .bind(ids)
        .bind(sql_time(now))
        .fetch_all(&self.pool)
        .await?)
    }
}

/// Puts deliveries back into the queue; what waits of them in quarantine has been retried with that.
pub(super) async fn put_back(
    connection: &mut sqlx::PgConnection,
    raw: &[Uuid],
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO raw_pending (raw_event, bytes, quiet) SELECT id, bytes, quiet FROM raw_event
         WHERE id = ANY($1) AND (SELECT pg_notify('lanka_ingest', '') IS NOT NULL) ON CONFLICT DO NOTHING",
    )
    .bind(raw)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "UPDATE quarantine SET state = 'retried', state_at = $2 WHERE raw_event = ANY($1) AND state = 'waiting'",
    )
    .bind(raw)
    .bind(sql_time(now))
    .execute(connection)
    .await?;
    Ok(())
}

fn line(row: &PgRow) -> Result<QuarantineLine, StoreError> {
    Ok(QuarantineLine {
        id: row.try_get("id")?,
        tenant: row.try_get("tenant")?,
        channel: row.try_get("channel")?,
        kind: row.try_get("kind")?,
        raw_event: row.try_get::<Option<Uuid>, _>("raw_event")?.map(RawEventId),
        origin: row.try_get("origin")?,
        code: row.try_get("code")?,
        detail: row.try_get("detail")?,
        at: time(row, "at")?,
        state: row.try_get("state")?,
    })
}
