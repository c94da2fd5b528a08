//! People of whom something came that may change what was decided before: they are loaded whole, with all whom
//! evidence ties to them, and what deciding anew changes is written.
//!
//! **Invariants:** nothing is decided beside it: it holds the lock of those who write ([`retention`]) alone, of
//! which every batch of ingest holds a share. The number of statements does not depend on how many people there
//! are. Ids that were given out stay valid: those of contacts and tickets that end become aliases, and are those
//! again that they were when what was joined is taken apart.

mod load;
mod recast;
mod suggest;
mod write;

pub use load::{history, hood};
pub use recast::recast;
pub use write::{Found, write};

use super::{Store, StoreError, retention, sql_time};
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::ContactId;
use sqlx::PgConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Those who are due first ($1: how many).
const DUE: &str =
    "DELETE FROM reconsider WHERE contact_id IN (SELECT contact_id FROM reconsider ORDER BY since, contact_id LIMIT $1)
    RETURNING contact_id, tenant, quiet";

/// People who are due.
#[derive(Debug)]
pub struct Due {
    /// Whom, by tenant; and whether mirrors hear of it.
    pub contacts: BTreeMap<(String, bool), Vec<Uuid>>,
}

impl Store {
    /// Whether anybody is due.
    pub async fn has_due(&self) -> Result<bool, StoreError> {
        Ok(sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM reconsider)").fetch_one(&self.pool).await?)
    }

    /// Writes down that everybody is to be decided on anew of whom something was received at or after an instant, or
    /// ever. Says how many they are.
    pub async fn want_all(&self, since: Option<Timestamp>, now: Timestamp) -> Result<u64, StoreError> {
        let written = sqlx::query(
            "INSERT INTO reconsider (contact_id, tenant, quiet, since)
             SELECT c.id, c.tenant, false, $2 FROM contact c WHERE c.merged_into IS NULL AND c.erased_at IS NULL
                AND ($1::timestamptz IS NULL OR EXISTS (SELECT 1 FROM identity i JOIN message m ON m.identity_id = i.id
                    WHERE i.contact_id = c.id AND m.id >= lanka_uuid_floor($1)))
             ON CONFLICT (contact_id) DO UPDATE SET quiet = false",
        )
        .bind(since.map(sql_time))
        .bind(sql_time(now))
        .execute(&self.pool)
        .await?;
        self.reconsider_wake.notify_one();
        Ok(written.rows_affected())
    }

    /// Leaves whoever is due first as he is: the one [`claim`] would take alone.
    pub async fn leave_due(&self) -> Result<Option<ContactId>, StoreError> {
        let mut tx = self.begin().await?;
        let due = claim(&mut tx, 1).await?;
        tx.commit().await?;
        Ok(due.contacts.into_values().flatten().map(ContactId).next())
    }
}

/// Takes people who are due, at most so many. They are due again when the transaction fails.
pub async fn claim(connection: &mut PgConnection, limit: i64) -> Result<Due, StoreError> {
    retention::alone(connection).await?;
    let rows: Vec<(Uuid, String, bool)> = sqlx::query_as(DUE).bind(limit).fetch_all(connection).await?;
    let mut contacts: BTreeMap<(String, bool), Vec<Uuid>> = BTreeMap::new();
    for (contact, tenant, quiet) in rows {
        contacts.entry((tenant, quiet)).or_default().push(contact);
    }
    Ok(Due { contacts })
}

/// Writes down that people are to be decided on anew.
pub(super) async fn want(
    connection: &mut PgConnection,
    tenant: &str,
    contacts: &BTreeMap<Uuid, bool>,
    now: Timestamp,
) -> Result<(), StoreError> {
    if contacts.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO reconsider (contact_id, tenant, quiet, since) SELECT t.contact, $1, t.quiet, $4
         FROM unnest($2::uuid[], $3::bool[]) AS t(contact, quiet)
         ON CONFLICT (contact_id) DO UPDATE SET quiet = reconsider.quiet AND excluded.quiet",
    )
    .bind(tenant)
    .bind(contacts.keys().copied().collect::<Vec<_>>())
    .bind(contacts.values().copied().collect::<Vec<_>>())
    .bind(sql_time(now))
    .execute(connection)
    .await?;
    Ok(())
}
