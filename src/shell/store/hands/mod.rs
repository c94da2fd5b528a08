//! What people say by hand, as it is written: words on identities, pins of messages, answers to suggestions.
//!
//! **Invariants:** a word is written whole or not at all, with who said it and why, and never removed: one that is
//! withdrawn says who withdrew it. Nobody is joined, split or moved here: those concerned are due to be decided on
//! anew, in the transaction that writes the word.

mod classify;
mod people;
mod review;
mod threads;

pub use classify::Classifying;
pub use people::{ContactShown, IdentityShown, LinkShown, WordShown};
pub(super) use review::suggestions_where;
pub use review::{Answer, SideShown, SuggestionShown};
pub use threads::{ActShown, Messages, Put, Putting};

use super::{Store, StoreError, reconsider, retention, sql_time};
use crate::pure::decide::pins::Pinned;
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::*;
use serde::Serialize;
use sqlx::{PgConnection, Postgres, Transaction};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Who says it, and why. Both are kept, and shown to whoever looks.
#[derive(Debug, Clone, Copy)]
pub struct Saying<'a> {
    /// Who.
    pub by: &'a str,
    /// Why, in his words; may be empty.
    pub why: &'a str,
}

/// Why an act was not done. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// It names something that is not there.
    #[error("{0}")]
    Unknown(String),
    /// What it names is of several firms.
    #[error("{0}")]
    Tenants(String),
    /// It stands like that already.
    #[error("{0}")]
    Nothing(String),
    /// More than there may be.
    #[error("{0}")]
    Limit(String),
    /// It cannot be.
    #[error("{0}")]
    Refused(String),
    /// It was written down, but those concerned could not be decided on.
    #[error("{0}")]
    Undone(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for ActError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// An act that was written: what it was, and whom and what it concerns.
#[derive(Debug, Clone)]
pub struct Written {
    /// Its place in the journal.
    pub id: EventId,
    /// The act that it takes back, if it is the opposite of the last one.
    pub takes_back: Option<EventId>,
    /// Identities concerned.
    pub identities: BTreeSet<IdentityId>,
    /// Messages concerned.
    pub messages: BTreeSet<MessageId>,
    /// What must be when those concerned have been decided on.
    pub end: End,
}

/// How things stand after an act that was carried out.
#[derive(Debug, Clone)]
pub enum End {
    /// These are one contact's.
    One(BTreeSet<IdentityId>),
    /// Those of the first are not of a contact with any of the second.
    Two(BTreeSet<IdentityId>, BTreeSet<IdentityId>),
    /// These messages are on a ticket.
    On(BTreeSet<MessageId>, TicketId),
    /// These messages are on one ticket, and no other of the second are.
    Apart(BTreeSet<MessageId>, BTreeSet<MessageId>),
    /// Nothing changes at once.
    Same,
}

/// A contact as it stands after an act.
#[derive(Debug, Clone, Serialize)]
pub struct ContactEnd {
    /// Its id.
    pub id: ContactId,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its addresses.
    pub identities: Vec<String>,
}

/// A ticket as it stands after an act.
#[derive(Debug, Clone, Serialize)]
pub struct TicketEnd {
    /// Its id.
    pub id: TicketId,
    /// The short number.
    pub number: i64,
    /// What it is called.
    pub title: String,
    /// Open or closed.
    pub state: String,
    /// How many messages are on it.
    pub messages: i64,
}

impl Store {
    /// Begins an act: nothing is decided until it is written.
    pub(super) async fn begin_act(&self, now: Timestamp) -> Result<Transaction<'static, Postgres>, StoreError> {
        self.ensure_months([now].into_iter()).await?;
        let mut tx = self.begin().await?;
        retention::alone(&mut tx).await?;
        Ok(tx)
    }

    /// Writes what messages on tickets are pinned to.
    pub(super) async fn write_pins(
        &self,
        connection: &mut PgConnection,
        pinned: &Pinned,
        tickets: &[Uuid],
    ) -> Result<(), StoreError> {
        threads::write(connection, pinned, tickets).await
    }

    /// The journal's row of an act on one contact, by which no addresses and no words are concerned.
    pub(super) async fn note_of_contact(
        &self,
        connection: &mut PgConnection,
        (id, tenant, act, contact): (EventId, &str, &str, ContactId),
        saying: Saying<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO contact_link (id, tenant, act, keep, other, by, why, at) VALUES ($1, $2, $3, $4, $4, $5, $6, $7)")
            .bind(id.0)
            .bind(tenant)
            .bind(act)
            .bind(contact.0)
            .bind(saying.by)
            .bind(saying.why)
            .bind(sql_time(now))
            .execute(connection)
            .await?;
        Ok(())
    }

    /// Whether what an act asked for is so.
    pub async fn is_done(&self, end: &End) -> Result<bool, StoreError> {
        let ids = |ids: &BTreeSet<IdentityId>| ids.iter().map(|id| id.0).collect::<Vec<_>>();
        let said = |ids: &BTreeSet<MessageId>| ids.iter().map(|id| id.0).collect::<Vec<_>>();
        let done = match end {
            End::Same => true,
            End::One(all) => {
                sqlx::query_scalar("SELECT count(DISTINCT contact_id) <= 1 FROM identity WHERE id = ANY($1)")
                    .bind(ids(all))
                    .fetch_one(&self.pool)
                    .await?
            }
            End::Two(some, others) => {
                sqlx::query_scalar(
                    "SELECT NOT EXISTS (SELECT 1 FROM identity a JOIN identity b ON b.contact_id = a.contact_id
                     WHERE a.id = ANY($1) AND b.id = ANY($2))",
                )
                .bind(ids(some))
                .bind(ids(others))
                .fetch_one(&self.pool)
                .await?
            }
            End::On(messages, ticket) => {
                sqlx::query_scalar(
                    "SELECT NOT EXISTS (SELECT 1 FROM message WHERE id = ANY($1)
                        AND ticket_id IS DISTINCT FROM coalesce((SELECT now FROM alias WHERE id = $2), $2))",
                )
                .bind(said(messages))
                .bind(ticket.0)
                .fetch_one(&self.pool)
                .await?
            }
            End::Apart(messages, others) => {
                sqlx::query_scalar(
                    "SELECT count(DISTINCT m.ticket_id) = 1 AND bool_and(m.ticket_id IS NOT NULL)
                        AND NOT EXISTS (SELECT 1 FROM message o WHERE o.id = ANY($2)
                            AND o.ticket_id IN (SELECT ticket_id FROM message WHERE id = ANY($1)))
                     FROM message m WHERE m.id = ANY($1)",
                )
                .bind(said(messages))
                .bind(said(others))
                .fetch_one(&self.pool)
                .await?
            }
        };
        Ok(done)
    }

    /// The contacts of identities, as they stand now.
    pub async fn contacts_of(&self, identities: &BTreeSet<IdentityId>) -> Result<Vec<ContactEnd>, StoreError> {
        let rows: Vec<(Uuid, Option<String>, Vec<String>)> = sqlx::query_as(
            "SELECT c.id, c.name, array_agg(i.scheme || ':' || i.value ORDER BY i.first_at, i.id)
             FROM (SELECT DISTINCT contact_id FROM identity WHERE id = ANY($1)) k JOIN contact c ON c.id = k.contact_id
                JOIN identity i ON i.contact_id = c.id GROUP BY c.id ORDER BY c.id",
        )
        .bind(identities.iter().map(|id| id.0).collect::<Vec<_>>())
        .fetch_all(&self.pool)
        .await?;
        let end = |(id, name, identities)| ContactEnd { id: ContactId(id), name, identities };
        Ok(rows.into_iter().map(end).collect())
    }

    /// The tickets of messages, as they stand now.
    pub async fn tickets_of(&self, messages: &BTreeSet<MessageId>) -> Result<Vec<TicketEnd>, StoreError> {
        let rows: Vec<(Uuid, i64, String, String, i64)> = sqlx::query_as(
            "SELECT t.id, t.number, t.title, t.state, (SELECT count(*) FROM message m WHERE m.ticket_id = t.id)
             FROM (SELECT DISTINCT ticket_id FROM message WHERE id = ANY($1)) k JOIN ticket t ON t.id = k.ticket_id ORDER BY t.number",
        )
        .bind(messages.iter().map(|id| id.0).collect::<Vec<_>>())
        .fetch_all(&self.pool)
        .await?;
        let end = |(id, number, title, state, messages)| TicketEnd { id: TicketId(id), number, title, state, messages };
        Ok(rows.into_iter().map(end).collect())
    }
}

/// People who speak on the same tickets and are decided on with those concerned, at most so many: what they said is
/// placed anew too, and where depends on all that they said.
const BESIDE_MAX: i64 = 64;

/// Writes down that contacts are to be decided on anew, with those who speak on their tickets, and that mirrors hear
/// of it.
async fn due(
    connection: &mut PgConnection,
    tenant: &str,
    contacts: impl IntoIterator<Item = Uuid>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut contacts: BTreeMap<Uuid, bool> = contacts.into_iter().map(|contact| (contact, false)).collect();
    let beside: Vec<Uuid> = sqlx::query_scalar(
        "SELECT DISTINCT o.contact_id FROM ticket_participant p JOIN ticket_participant o ON o.ticket_id = p.ticket_id
         WHERE p.contact_id = ANY($1) ORDER BY o.contact_id LIMIT $2",
    )
    .bind(contacts.keys().copied().collect::<Vec<_>>())
    .bind(BESIDE_MAX)
    .fetch_all(&mut *connection)
    .await?;
    contacts.extend(beside.into_iter().map(|contact| (contact, false)));
    reconsider::want(connection, tenant, &contacts, now).await
}
