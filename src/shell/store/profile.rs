//! Names to be asked of vendors: wanted in the deciding transaction, claimed, settled.
//!
//! ```text
//! pending ──claim──► claimed ──settle──► done | dead
//!    ▲                  │
//!    └── again (later due_at), or the claim outlived its deadline
//! ```
//!
//! **Invariant:** a name that is there already, which a person or a delivery gave, is never replaced.

use super::{Store, StoreError, lock_key, lock_sorted, sql_time};
use crate::pure::domain::Timestamp;
use crate::pure::domain::contact::IDENTITY_NAMES_MAX;
use crate::pure::domain::id::IdentityId;
use crate::pure::domain::identity::Identity;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// How long a claim holds, in seconds: longer than a question and its answer may take.
const CLAIM_S: i32 = 120;

/// A name to be asked.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Whose.
    pub identity_id: IdentityId,
    /// The address that the vendor knows.
    pub identity: Identity,
    /// The channel whose vendor is asked.
    pub channel: String,
    /// Which attempt this is, from 1.
    pub attempt: i32,
}

/// How a question ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// The name.
    Named(String),
    /// The vendor has none, or does not tell.
    Nameless,
    /// Once more, later.
    Again {
        /// Not before.
        due_at: Timestamp,
        /// A sentence without customers' data.
        why: String,
    },
    /// It was asked often enough.
    Dead {
        /// A sentence without customers' data.
        why: String,
    },
}

/// Notes whose names are to be asked, in the transaction that made them known.
pub async fn want(
    connection: &mut PgConnection,
    wanted: &[(IdentityId, String)],
    now: Timestamp,
) -> Result<(), StoreError> {
    if wanted.is_empty() {
        return Ok(());
    }
    let (ids, channels): (Vec<Uuid>, Vec<&str>) = wanted.iter().map(|(id, channel)| (id.0, channel.as_str())).unzip();
    sqlx::query(
        "INSERT INTO profile (identity_id, channel, due_at) SELECT *, $3 FROM unnest($1::uuid[], $2::text[])
         ON CONFLICT (identity_id) DO NOTHING",
    )
    .bind(ids)
    .bind(channels)
    .bind(sql_time(now))
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// Takes up to `limit` names that are due; the transaction ends before anybody is asked.
    pub async fn claim_profiles(&self, limit: i64, now: Timestamp) -> Result<Vec<Wanted>, StoreError> {
        let rows = sqlx::query(
            "UPDATE profile p SET state = 'claimed', attempts = attempts + 1, claimed_until = $2 + make_interval(secs => $3)
             FROM identity i WHERE i.id = p.identity_id AND p.identity_id IN (
                SELECT identity_id FROM profile
                WHERE (state = 'pending' AND due_at <= $2) OR (state = 'claimed' AND claimed_until < $2)
                ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
             RETURNING p.identity_id, p.channel, p.attempts, i.scheme, i.scope, i.value",
        )
        .bind(limit)
        .bind(sql_time(now))
        .bind(f64::from(CLAIM_S))
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Wanted {
                    identity_id: IdentityId(row.try_get("identity_id")?),
                    identity: Identity {
                        scheme: row.try_get("scheme")?,
                        scope: row.try_get("scope")?,
                        value: row.try_get("value")?,
                    },
                    channel: row.try_get("channel")?,
                    attempt: row.try_get("attempts")?,
                })
            })
            .collect()
    }

    /// Records how a question ended. A name becomes the identity's, and the contact's if it has none.
    pub async fn settle_profile(&self, id: IdentityId, answered: &Answered) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        if let Answered::Named(name) = answered {
            // Ingest writes names of contacts that it has locked so; it must not write ours away.
            let contact: Option<Uuid> = sqlx::query_scalar("SELECT contact_id FROM identity WHERE id = $1")
                .bind(id.0)
                .fetch_optional(&mut *tx)
                .await?;
            lock_sorted(&mut tx, contact.iter().map(|contact| lock_key(*contact)).collect()).await?;
            sqlx::query(
                "UPDATE identity SET names = array_append(names, $2)
                 WHERE id = $1 AND cardinality(names) < $3 AND $2 <> ALL(names)",
            )
            .bind(id.0)
            .bind(name)
            .bind(i32::try_from(IDENTITY_NAMES_MAX).unwrap_or(i32::MAX))
            .execute(&mut *tx)
            .await?;
            sqlx::query(
                "UPDATE contact c SET name = $2 FROM identity i WHERE i.id = $1 AND c.id = i.contact_id AND c.name IS NULL",
            )
            .bind(id.0)
            .bind(name)
            .execute(&mut *tx)
            .await?;
        }
        let (state, due_at, why) = match answered {
            Answered::Named(_) => ("done", None, None),
            Answered::Nameless => ("done", None, Some("the vendor tells no name")),
            Answered::Again { due_at, why } => ("pending", Some(sql_time(*due_at)), Some(why.as_str())),
            Answered::Dead { why } => ("dead", None, Some(why.as_str())),
        };
        sqlx::query(
            "UPDATE profile SET state = $2, due_at = coalesce($3, due_at), why = $4, claimed_until = NULL WHERE identity_id = $1",
        )
        .bind(id.0)
        .bind(state)
        .bind(due_at)
        .bind(why)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }
}
