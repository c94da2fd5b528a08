//! Letters: written once for each day and recipient, sent by whichever daemon claims them.
//!
//! **Invariants:** what is sent is the same at every attempt. A claim ends by itself when its daemon is gone: then another
//! sends it, under the same id.

use super::outbox::Settled;
use super::{Store, StoreError, sql_time};
use crate::pure::domain::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use sqlx::Row;
use uuid::Uuid;

/// Letters that were sent are known for so long, so that none is sent twice.
const KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(400 * 24);

/// A letter for one recipient.
#[derive(Debug, Clone)]
pub struct NewLetter {
    /// Its id.
    pub id: Uuid,
    /// An address, or `mirror:` and a mirror's name.
    pub recipient: String,
    /// What is sent.
    pub body: Vec<u8>,
}

/// A letter that this daemon may send until its claim ends.
#[derive(Debug, Clone)]
pub struct ClaimedLetter {
    /// Its id.
    pub id: Uuid,
    /// The firm.
    pub tenant: String,
    /// Its name in the configuration.
    pub name: String,
    /// Whom it goes to.
    pub recipient: String,
    /// What is sent.
    pub body: Vec<u8>,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    /// When it was made.
    pub made_at: Timestamp,
}

/// How the latest of a letter went.
#[derive(Debug, Clone, Serialize)]
pub struct LetterLine {
    /// Its name.
    pub name: String,
    /// The day that it is of.
    pub slot: String,
    /// Recipients who have it.
    pub delivered: i64,
    /// Recipients who are to get it still.
    pub pending: i64,
    /// Recipients who will not get it.
    pub dead: i64,
    /// When the last of them got it.
    pub settled_at: Option<Timestamp>,
    /// What the last failure said.
    pub why: Option<String>,
}

impl Store {
    /// Since when a letter is known: from now on, if it was not.
    pub async fn letter_since(&self, tenant: &str, name: &str, now: Timestamp) -> Result<Timestamp, StoreError> {
        let since: jiff_sqlx::Timestamp = sqlx::query_scalar(
            "INSERT INTO letter_since AS l (tenant, name, since) VALUES ($1, $2, $3)
             ON CONFLICT (tenant, name) DO UPDATE SET since = l.since RETURNING since",
        )
        .bind(tenant)
        .bind(name)
        .bind(sql_time(now))
        .fetch_one(&self.pool)
        .await?;
        Ok(since.to_jiff())
    }

    /// Whether a day's letter was written.
    pub async fn is_written(&self, tenant: &str, name: &str, slot: Date) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM letter WHERE tenant = $1 AND name = $2 AND slot = $3::date)";
        Ok(sqlx::query_scalar(sql).bind(tenant).bind(name).bind(slot.to_string()).fetch_one(&self.pool).await?)
    }

    /// Writes a day's letter down, unless another daemon has.
    pub async fn put_letters(
        &self,
        (tenant, name, slot): (&str, &str, Date),
        letters: &[NewLetter],
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "INSERT INTO letter (id, tenant, name, slot, recipient, body, due_at, made_at)
             SELECT t.id, $1, $2, $3::date, t.recipient, t.body, $4, $4 FROM unnest($5::uuid[], $6::text[], $7::bytea[]) AS t(id, recipient, body)
             ON CONFLICT (tenant, name, slot, recipient) DO NOTHING",
        )
        .bind(tenant)
        .bind(name)
        .bind(slot.to_string())
        .bind(sql_time(now))
        .bind(letters.iter().map(|letter| letter.id).collect::<Vec<_>>())
        .bind(letters.iter().map(|letter| letter.recipient.as_str()).collect::<Vec<_>>())
        .bind(letters.iter().map(|letter| letter.body.as_slice()).collect::<Vec<_>>())
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }

    /// Notes that there was nothing to tell on a day: a letter to nobody.
    pub async fn put_no_letter(
        &self,
        (tenant, name, slot): (&str, &str, Date),
        id: Uuid,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO letter (id, tenant, name, slot, recipient, state, due_at, made_at, settled_at)
             VALUES ($1, $2, $3, $4::date, '', 'delivered', $5, $5, $5) ON CONFLICT (tenant, name, slot, recipient) DO NOTHING",
        )
        .bind(id)
        .bind(tenant)
        .bind(name)
        .bind(slot.to_string())
        .bind(sql_time(now))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Claims the letter that is due longest, until an instant.
    pub async fn claim_letter(&self, now: Timestamp, until: Timestamp) -> Result<Option<ClaimedLetter>, StoreError> {
        let row = sqlx::query(
            "UPDATE letter SET attempts = attempts + 1, due_at = $2 WHERE id = (
                SELECT id FROM letter WHERE state = 'pending' AND due_at <= $1 ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
             RETURNING id, tenant, name, recipient, body, attempts, made_at",
        )
        .bind(sql_time(now))
        .bind(sql_time(until))
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(ClaimedLetter {
            id: row.try_get("id")?,
            tenant: row.try_get("tenant")?,
            name: row.try_get("name")?,
            recipient: row.try_get("recipient")?,
            body: row.try_get::<Option<Vec<u8>>, _>("body")?.unwrap_or_default(),
            attempt: row.try_get("attempts")?,
            made_at: row.try_get::<jiff_sqlx::Timestamp, _>("made_at")?.to_jiff(),
        }))
    }

    /// Records how an attempt ended, and says whether every recipient of that day has the letter now. What was sent, or never
    /// will be, is not kept.
    pub async fn settle_letter(
        &self,
        id: Uuid,
        attempt: i32,
        settled: &Settled,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (state, due_at, why) = match settled {
            Settled::Delivered => ("delivered", None, None),
            Settled::Again { due_at, why } => ("pending", Some(*due_at), Some(why)),
            Settled::Dead { why } => ("dead", None, Some(why)),
        };
        sqlx::query(
            "UPDATE letter SET state = $3, due_at = coalesce($4, due_at), why = $5,
                body = CASE WHEN $3 = 'pending' THEN body END, settled_at = CASE WHEN $3 <> 'pending' THEN $6 END
             WHERE id = $1 AND attempts = $2 AND state = 'pending'",
        )
        .bind(id)
        .bind(attempt)
        .bind(state)
        .bind(due_at.map(sql_time))
        .bind(why)
        .bind(sql_time(now))
        .execute(&self.pool)
        .await?;
        let whole = "SELECT NOT EXISTS (SELECT 1 FROM letter o WHERE (o.tenant, o.name, o.slot) = (l.tenant, l.name, l.slot) AND o.state <> 'delivered')
            FROM letter l WHERE l.id = $1";
        Ok(sqlx::query_scalar(whole).bind(id).fetch_optional(&self.pool).await?.unwrap_or(false))
    }

    /// How the latest of each letter went.
    pub async fn letter_lines(&self) -> Result<Vec<LetterLine>, StoreError> {
        let rows = sqlx::query(
            "SELECT name, slot::text AS slot, count(*) FILTER (WHERE state = 'delivered' AND recipient <> '') AS delivered,
                count(*) FILTER (WHERE state = 'pending') AS pending, count(*) FILTER (WHERE state = 'dead') AS dead,
                max(settled_at) AS settled_at, max(why) AS why
             FROM letter l WHERE slot = (SELECT max(o.slot) FROM letter o WHERE o.tenant = l.tenant AND o.name = l.name)
             GROUP BY tenant, name, slot ORDER BY name",
        )
        .fetch_all(&self.pool)
        .await?;
        let line = |row: &sqlx::postgres::PgRow| {
            Ok(LetterLine {
                name: row.try_get("name")?,
                slot: row.try_get("slot")?,
                delivered: row.try_get("delivered")?,
                pending: row.try_get("pending")?,
                dead: row.try_get("dead")?,
                settled_at: super::facts::time_or_none(row, "settled_at")?,
                why: row.try_get("why")?,
            })
        };
        rows.iter().map(line).collect()
    }

    /// Forgets letters that were sent long ago.
    pub async fn forget_letters(&self, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM letter WHERE state <> 'pending' AND made_at < $1")
            .bind(sql_time(now.saturating_sub(KEPT).unwrap_or(now)))
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
