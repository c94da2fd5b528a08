//! What changed, for those who look on: ids in the order in which they may be told.
//!
//! Ids and instants of rows become visible out of order: a transaction that began first may commit last. So each change
//! bears its transaction's id, and is told only when every transaction before it is over
//! (`pg_snapshot_xmin(pg_current_snapshot())`): nothing can come in before what was told. A transaction that stays open
//! anywhere in the server holds up what came after it, and nothing is lost by that.
//!
//! **Invariants:** ids only. What is told has a place, from which the rest is told again. A place that is too old, or of
//! another server, is known as such ([`Store::is_known_place`]).

use super::facts::time;
use super::{Store, StoreError, sql_time};
use crate::pure::domain::Timestamp;
use crate::shell::store::api_token::ApiToken;
use serde::Serialize;
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// Changes that are forgotten in one transaction.
const CHUNK_ROWS: i64 = 5_000;

/// A place among the changes: all before it was told. Its text is the id of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    xid: u64,
    n: i64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.xid, self.n)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (xid, n) = text.split_once('-').ok_or(())?;
        // `parse` would take a sign, too.
        if !xid.bytes().chain(n.bytes()).all(|byte| byte.is_ascii_digit()) {
            return Err(());
        }
        Ok(Self { xid: xid.parse().map_err(|_| ())?, n: n.parse().map_err(|_| ())? })
    }
}

/// One change.
#[derive(Debug, Clone, Serialize)]
pub struct Changed {
    /// Its place.
    #[serde(skip)]
    pub place: Place,
    /// What happened: `message.added`, `ticket.updated`, ….
    pub what: String,
    /// When.
    pub at: Timestamp,
    /// The ticket concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Uuid>,
    /// The message concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Uuid>,
    /// The contact concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Uuid>,
}

impl Store {
    /// The place before everything that is not over yet.
    pub async fn latest_place(&self) -> Result<Place, StoreError> {
        let sql = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text";
        let xid: String = sqlx::query_scalar(sql).fetch_one(&self.pool).await?;
        Ok(Place { xid: xid.parse().unwrap_or_default(), n: 0 })
    }

    /// Whether all that came after a place is still known, and the place is not of the future.
    pub async fn is_known_place(&self, place: Place) -> Result<bool, StoreError> {
        // A floor that is ahead of the server is of another one, from which the database was restored.
        let sql = "SELECT ((xid, n) <= ($1::text::xid8, $2) OR xid > pg_snapshot_xmin(pg_current_snapshot()))
                AND $1::text::xid8 <= pg_snapshot_xmin(pg_current_snapshot()) FROM change_floor";
        let known =
            sqlx::query_scalar(sql).bind(place.xid.to_string()).bind(place.n).fetch_optional(&self.pool).await?;
        Ok(known.unwrap_or_default())
    }

    /// What changed in a firm after a place, at most so much; and the place up to which that is all.
    pub async fn changes_after(
        &self,
        tenant: &str,
        place: Place,
        limit: i64,
    ) -> Result<(Vec<Changed>, Place), StoreError> {
        // Asked for first: what is over now is visible to the statement that follows.
        let head = self.latest_place().await?;
        let rows = sqlx::query(
            "SELECT xid::text AS xid, n, what, ticket_id, message_id, contact_id, at FROM change
             WHERE (xid, n) > ($1::text::xid8, $2) AND xid < $3::text::xid8 AND tenant = $4 ORDER BY xid, n LIMIT $5",
        )
        .bind(place.xid.to_string())
        .bind(place.n)
        .bind(head.xid.to_string())
        .bind(tenant)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        let found = rows.iter().map(changed).collect::<Result<Vec<_>, _>>()?;
        let is_all = (found.len() as i64) < limit;
        let reached = if is_all { Some(head) } else { found.last().map(|last| last.place) };
        Ok((found, reached.unwrap_or(place).max(place)))
    }

    /// Forgets changes that are older than an instant, and the oldest of more than so many.
    pub async fn forget_changes(&self, kept_from: Timestamp, count_max: i64) -> Result<(), StoreError> {
        loop {
            let mut tx = self.begin().await?;
            // One daemon at a time: the floor's row is the lock.
            sqlx::query("SELECT 1 FROM change_floor FOR UPDATE").execute(&mut *tx).await?;
            let forgotten: i64 = sqlx::query_scalar(
                "WITH newest AS (SELECT n FROM change ORDER BY xid DESC, n DESC LIMIT 1),
                    oldest AS (SELECT xid, n FROM (SELECT xid, n, at FROM change ORDER BY xid, n LIMIT $3) c
                        WHERE at < $1 OR n <= (SELECT n FROM newest) - $2),
                    gone AS (DELETE FROM change c USING oldest o WHERE c.xid = o.xid AND c.n = o.n RETURNING c.xid, c.n),
                    last AS (SELECT xid, n FROM gone ORDER BY xid DESC, n DESC LIMIT 1),
                    risen AS (UPDATE change_floor f SET xid = last.xid, n = last.n FROM last WHERE (last.xid, last.n) > (f.xid, f.n))
                 SELECT count(*) FROM gone",
            )
            .bind(sql_time(kept_from))
            .bind(count_max)
            .bind(CHUNK_ROWS)
            .fetch_one(&mut *tx)
            .await?;
            tx.commit().await?;
            if forgotten < CHUNK_ROWS {
                return Ok(());
            }
        }
    }

    /// Whether a token is good still.
    pub async fn is_good(&self, token: &ApiToken) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM api_token WHERE id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()))";
        Ok(sqlx::query_scalar(sql).bind(token.id()).fetch_one(&self.pool).await?)
    }
}

fn changed(row: &PgRow) -> Result<Changed, StoreError> {
    let xid: String = row.try_get("xid")?;
    Ok(Changed {
        place: Place { xid: xid.parse().unwrap_or_default(), n: row.try_get("n")? },
        what: row.try_get("what")?,
        at: time(row, "at")?,
        ticket: row.try_get("ticket_id")?,
        message: row.try_get("message_id")?,
        contact: row.try_get("contact_id")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_told() {
        let place = Place { xid: u64::MAX, n: i64::MAX };
        assert_eq!(place.to_string().parse(), Ok(place));
        for text in
            ["", "-", "1", "1-", "-1", "1--1", "+1-1", "1-+1", "1-1-1", " 1-1", "1-1 ", "x-1", "99999999999999999999-1"]
        {
            assert_eq!(text.parse::<Place>(), Err(()), "{text}");
        }
    }
}
