//! What one firm may name: contacts, tickets, messages and suggestions of its own.
//!
//! The API acts for one firm. It names nothing but by way of this file, which turns what a request says into lanka's
//! ids and knows nothing of other firms' things. An id belongs to one firm for ever, so that looking first and acting
//! afterwards leaves no gap.
//!
//! **Invariant:** every statement here that finds something is bound to a tenant.

use super::hands::{ContactEnd, SuggestionShown, TicketEnd, suggestions_where};
use super::view::{self, Views};
use super::{Store, StoreError, sql_time};
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::*;
use crate::pure::domain::outbox::{MessageView, TicketView};
use sqlx::Row;
use uuid::Uuid;

impl Store {
    /// The contact of its id, of one that was merged into it, or of an identity's id.
    pub async fn contact_in(&self, tenant: &str, text: &str) -> Result<Option<ContactId>, StoreError> {
        let Ok(id) = text.parse::<Uuid>() else { return Ok(None) };
        let id: Option<Uuid> = sqlx::query_scalar(
            "SELECT c.id FROM contact c WHERE c.tenant = $2 AND c.erased_at IS NULL AND c.merged_into IS NULL
                AND c.id = coalesce((SELECT now FROM alias WHERE id = $1 AND object = 'contact'),
                    (SELECT contact_id FROM identity WHERE id = $1), $1)",
        )
        .bind(id)
        .bind(tenant)
        .fetch_optional(&self.pool)
        .await?;
        Ok(id.map(ContactId))
    }

    /// The contacts that hold these addresses, each given by its id or as `mailto:…`: one list for each text.
    pub async fn holders_in(&self, tenant: &str, texts: &[String]) -> Result<Vec<Vec<ContactId>>, StoreError> {
        let mut holders = Vec::with_capacity(texts.len());
        for text in texts {
            let (scheme, value) = text.split_once(':').unwrap_or_default();
            let ids: Vec<Uuid> = sqlx::query_scalar(
                "SELECT DISTINCT contact_id FROM identity WHERE tenant = $1 AND ((scheme = $2 AND value = $3) OR id = $4)",
            )
            .bind(tenant)
            .bind(scheme)
            .bind(value)
            .bind(text.parse::<Uuid>().ok())
            .fetch_all(&self.pool)
            .await?;
            holders.push(ids.into_iter().map(ContactId).collect());
        }
        Ok(holders)
    }

    /// The ticket of its id, of one that was merged into it, or of its short number.
    pub async fn ticket_in(&self, tenant: &str, text: &str) -> Result<Option<TicketId>, StoreError> {
        let found = match (text.parse::<Uuid>(), text.trim_start_matches('#').parse::<i64>()) {
            (Ok(id), _) => {
                sqlx::query_scalar("SELECT id FROM ticket WHERE tenant = $2 AND id = coalesce((SELECT now FROM alias WHERE id = $1 AND object = 'ticket'), $1)")
                    .bind(id)
                    .bind(tenant)
                    .fetch_optional(&self.pool)
                    .await?
            }
            (_, Ok(number)) => {
                sqlx::query_scalar("SELECT coalesce(merged_into, id) FROM ticket WHERE tenant = $2 AND number = $1")
                    .bind(number)
                    .bind(tenant)
                    .fetch_optional(&self.pool)
                    .await?
            }
            _ => None,
        };
        Ok(found.map(TicketId))
    }

    /// The messages of lanka's id, or of a vendor's (of which several may have the same), at most `limit`.
    pub async fn messages_in(&self, tenant: &str, text: &str, limit: i64) -> Result<Vec<MessageId>, StoreError> {
        let bare = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text);
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM message WHERE tenant = $1 AND id = $2
             UNION SELECT id FROM message WHERE tenant = $1 AND source_key IN ($3, $4)
                AND hashtextextended(source_key, 0) IN (hashtextextended($3, 0), hashtextextended($4, 0))
             ORDER BY id LIMIT $5",
        )
        .bind(tenant)
        .bind(text.parse::<Uuid>().ok())
        .bind(text)
        .bind(bare)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(MessageId).collect())
    }

    /// On which tickets messages are.
    pub async fn places_of(&self, messages: &[MessageId]) -> Result<Vec<(MessageId, Option<TicketId>)>, StoreError> {
        let rows: Vec<(Uuid, Option<Uuid>)> = sqlx::query_as("SELECT id, ticket_id FROM message WHERE id = ANY($1)")
            .bind(messages.iter().map(|id| id.0).collect::<Vec<_>>())
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().map(|(id, ticket)| (MessageId(id), ticket.map(TicketId))).collect())
    }

    /// One suggestion.
    pub async fn suggestion_in(&self, tenant: &str, id: SuggestionId) -> Result<Option<SuggestionShown>, StoreError> {
        let sql = "s.tenant = $1 AND s.id = $2";
        let mut found = suggestions_where(self, sql, |query| query.bind(tenant.to_owned()).bind(id.0)).await?;
        Ok(found.pop())
    }

    /// Suggestions that wait for an answer, or all, the latest first: those after a place, at most `limit`.
    pub async fn suggestions_in(
        &self,
        tenant: &str,
        all: bool,
        after: Option<(Timestamp, SuggestionId)>,
        limit: i64,
    ) -> Result<Vec<SuggestionShown>, StoreError> {
        let sql = "s.tenant = $1 AND ($2 OR s.state = 'open') AND ($3::timestamptz IS NULL OR (s.at, s.id) < ($3, $4))
            ORDER BY s.at DESC, s.id DESC LIMIT $5";
        suggestions_where(self, sql, |query| {
            let (at, id) = after.unzip();
            query.bind(tenant.to_owned()).bind(all).bind(at.map(sql_time)).bind(id.map(|id| id.0)).bind(limit)
        })
        .await
    }

    /// Contacts as an act leaves them.
    pub async fn contact_ends(&self, contacts: &[ContactId]) -> Result<Vec<ContactEnd>, StoreError> {
        let identities: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM identity WHERE contact_id = ANY($1)")
            .bind(contacts.iter().map(|id| id.0).collect::<Vec<_>>())
            .fetch_all(&self.pool)
            .await?;
        self.contacts_of(&identities.into_iter().map(IdentityId).collect()).await
    }

    /// Tickets as an act leaves them.
    pub async fn ticket_ends(&self, tickets: &[TicketId]) -> Result<Vec<TicketEnd>, StoreError> {
        let messages: Vec<Uuid> =
            sqlx::query_scalar("SELECT DISTINCT ON (ticket_id) id FROM message WHERE ticket_id = ANY($1)")
                .bind(tickets.iter().map(|id| id.0).collect::<Vec<_>>())
                .fetch_all(&self.pool)
                .await?;
        self.tickets_of(&messages.into_iter().map(MessageId).collect()).await
    }

    /// A ticket without its messages.
    pub async fn ticket_view(&self, ticket: TicketId) -> Result<Option<TicketView>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let Views { mut tickets, .. } = view::load(&mut connection, &[ticket.0], &[], &self.reader).await?;
        Ok(tickets.remove(&ticket.0))
    }

    /// A message as people see it.
    pub async fn message_view(&self, message: MessageId) -> Result<Option<MessageView>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let Views { mut messages, .. } = view::load(&mut connection, &[], &[message.0], &self.reader).await?;
        Ok(messages.remove(&message.0))
    }

    /// The messages of a ticket in order of their time: those after a place, at most `limit`.
    pub async fn messages_after(
        &self,
        ticket: TicketId,
        after: Option<(Timestamp, MessageId)>,
        limit: i64,
    ) -> Result<Vec<MessageView>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let (at, id) = after.unzip();
        let rows = sqlx::query(
            "SELECT id, occurred_at FROM message WHERE ticket_id = $1 AND ($2::timestamptz IS NULL OR (occurred_at, id) > ($2, $3))
             ORDER BY occurred_at, id LIMIT $4",
        )
        .bind(ticket.0)
        .bind(at.map(sql_time))
        .bind(id.map(|id| id.0))
        .bind(limit)
        .fetch_all(&mut *connection)
        .await?;
        let ids: Vec<Uuid> = rows.iter().map(|row| row.try_get("id")).collect::<Result<_, _>>()?;
        let Views { mut messages, .. } = view::load(&mut connection, &[], &ids, &self.reader).await?;
        Ok(ids.iter().filter_map(|id| messages.remove(id)).collect())
    }
}
