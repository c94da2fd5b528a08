//! What `replay` and `import` ask of stored deliveries: pages to read again, and whether all is decided.

use super::{Store, StoreError, quarantine, sql_time};
use crate::pure::domain::Timestamp;
use crate::pure::domain::decision::ItemRole;
use crate::pure::domain::id::RawEventId;
use crate::pure::domain::message::RawEvent;
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::collections::BTreeMap;
use std::ops::AddAssign;
use uuid::Uuid;

/// A stored delivery and what was taken out of it so far.
#[derive(Debug)]
pub struct Taken {
    /// The delivery, or its id and why its bytes cannot be had any more.
    pub event: Result<RawEvent, (RawEventId, StoreError)>,
    /// Positions of the items that were decided, ascending.
    pub items: Vec<i32>,
    /// Something of it waits in quarantine.
    pub is_quarantined: bool,
}

/// What became of deliveries.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Outcome {
    /// Deliveries.
    pub deliveries: i64,
    /// Messages that were new.
    pub messages: i64,
    /// Items that were here before.
    pub repeats: i64,
    /// Further legs of calls.
    pub legs: i64,
    /// Statuses, edits, reactions, notices.
    pub updates: i64,
    /// Faults that wait in quarantine.
    pub quarantined: i64,
}

impl AddAssign<&Outcome> for Outcome {
    fn add_assign(&mut self, other: &Outcome) {
        self.deliveries += other.deliveries;
        self.messages += other.messages;
        self.repeats += other.repeats;
        self.legs += other.legs;
        self.updates += other.updates;
        self.quarantined += other.quarantined;
    }
}

impl Store {
    /// Deliveries after one, received at or after an instant, in order; empty at the end.
    pub async fn taken(
        &self,
        after: Option<RawEventId>,
        since: Option<Timestamp>,
        limit: i64,
    ) -> Result<Vec<Taken>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let rows = sqlx::query(
            "SELECT r.id, EXISTS (SELECT 1 FROM quarantine q WHERE q.raw_event = r.id AND q.state = 'waiting') AS is_quarantined,
                (SELECT coalesce(array_agg(i.item ORDER BY i.item), '{}') FROM raw_item i WHERE i.raw_event = r.id) AS items
             FROM raw_event r WHERE r.id > $1 AND ($2::timestamptz IS NULL OR r.received_at >= $2)
                AND (r.same_as IS NULL OR EXISTS (SELECT 1 FROM raw_event f WHERE f.id = r.same_as))
                AND NOT EXISTS (SELECT 1 FROM raw_pending p WHERE p.raw_event = r.id)
             ORDER BY r.id LIMIT $3",
        )
        .bind(after.map_or(Uuid::nil(), |id| id.0))
        .bind(since.map(sql_time))
        .bind(limit)
        .fetch_all(&mut *connection)
        .await?;
        let mut found: BTreeMap<Uuid, (Vec<i32>, bool)> = BTreeMap::new();
        for row in &rows {
            found.insert(row.try_get("id")?, (row.try_get("items")?, row.try_get("is_quarantined")?));
        }
        let mut taken = Vec::with_capacity(found.len());
        for (id, (items, is_quarantined)) in found {
            // One by one: bodies may be large, and one at a time is in memory anyway.
            let Some(loaded) = super::raw_event::load(self, &mut connection, &[id]).await?.pop() else { continue };
            let event = match loaded.lost {
                None => Ok(loaded.event),
                Some(why) => Err((RawEventId(id), StoreError::Corrupt { what: "raw_event", id, why })),
            };
            taken.push(Taken { event, items, is_quarantined });
        }
        Ok(taken)
    }

    /// Puts deliveries back into the queue; what waits of them in quarantine has been retried with that.
    pub async fn put_back(&self, ids: &[RawEventId], now: Timestamp) -> Result<(), StoreError> {
        let raw: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let mut tx = self.begin().await?;
        quarantine::put_back(&mut tx, &raw, now).await?;
        tx.commit().await?;
        self.ingest_wake.notify_one();
        Ok(())
    }

    /// How many of these deliveries still wait for ingest.
    pub async fn waiting_of(&self, ids: &[RawEventId]) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("SELECT count(*) FROM raw_pending WHERE raw_event = ANY($1)")
            .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
            .fetch_one(&self.pool)
            .await?)
    }

    /// What became of some deliveries.
    pub async fn outcome_of(&self, raw: &[RawEventId]) -> Result<Outcome, StoreError> {
        let row = sqlx::query(
            "WITH raw AS (SELECT unnest($1::uuid[]) AS id),
             roles AS (SELECT i.role, count(*) AS n FROM raw_item i JOIN raw ON raw.id = i.raw_event GROUP BY i.role)
             SELECT (SELECT count(*) FROM raw) AS deliveries, (SELECT jsonb_object_agg(role, n) FROM roles) AS roles,
                (SELECT count(*) FROM quarantine q JOIN raw ON raw.id = q.raw_event WHERE q.state = 'waiting') AS quarantined",
        )
        .bind(raw.iter().map(|id| id.0).collect::<Vec<_>>())
        .fetch_one(&self.pool)
        .await?;
        outcome(&row)
    }
}

fn outcome(row: &PgRow) -> Result<Outcome, StoreError> {
    let roles: Option<serde_json::Value> = row.try_get("roles")?;
    let count = |role: ItemRole| roles.as_ref().and_then(|roles| roles.get(role.as_str())?.as_i64()).unwrap_or(0);
    Ok(Outcome {
        deliveries: row.try_get("deliveries")?,
        messages: count(ItemRole::First),
        repeats: count(ItemRole::Repeat),
        legs: count(ItemRole::Leg),
        updates: count(ItemRole::Update),
        quarantined: row.try_get("quarantined")?,
    })
}
