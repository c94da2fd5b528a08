//! What the page of one thread shows beside its messages: who its people are and why, and what waits for an answer.

use super::facts::time;
use super::hands::{SuggestionShown, suggestions_where};
use super::reader::says;
use super::view::{self, Views};
use super::{Store, StoreError, sql_time};
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::*;
use crate::pure::domain::outbox::MessageView;
use sqlx::Row;
use uuid::Uuid;

/// Joins that are told of, the latest.
const JOINS_MAX: i64 = 100;

/// Suggestions of one ticket that are shown, the latest.
const SUGGESTIONS_MAX: i64 = 50;

/// Why a contact is one, or an agent says so.
#[derive(Debug, Clone)]
pub struct Join {
    /// The contact, as it stands now.
    pub contact: ContactId,
    /// Who said so.
    pub by: String,
    /// Why: in the desk's language what lanka says, as he wrote it what an agent says.
    pub why: String,
    /// When.
    pub at: Timestamp,
}

/// Messages of a ticket, in order of their time.
#[derive(Debug, Clone, Default)]
pub struct Stretch {
    /// Them.
    pub messages: Vec<MessageView>,
    /// More follow.
    pub is_more: bool,
    /// How many are on the ticket.
    pub all: i64,
}

impl Store {
    /// The firm of a ticket.
    pub async fn tenant_of(&self, ticket: TicketId) -> Result<Option<String>, StoreError> {
        let sql = "SELECT tenant FROM ticket WHERE id = $1";
        Ok(sqlx::query_scalar(sql).bind(ticket.0).fetch_optional(&self.pool).await?)
    }

    /// The messages of a ticket after a place: at most so many, and at most so many bytes of text, but always one.
    pub async fn stretch(
        &self,
        ticket: TicketId,
        after: Option<(Timestamp, MessageId)>,
        (rows_max, bytes_max): (usize, i64),
    ) -> Result<Stretch, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let (at, id) = after.unzip();
        let rows = sqlx::query(
            "SELECT id, octet_length(text)::bigint AS bytes, (SELECT count(*) FROM message o WHERE o.ticket_id = $1) AS whole
             FROM message WHERE ticket_id = $1 AND ($2::timestamptz IS NULL OR (occurred_at, id) > ($2, $3))
             ORDER BY occurred_at, id LIMIT $4",
        )
        .bind(ticket.0)
        .bind(at.map(sql_time))
        .bind(id.map(|id| id.0))
        .bind(i64::try_from(rows_max).unwrap_or(i64::MAX).saturating_add(1))
        .fetch_all(&mut *connection)
        .await?;
        let (mut ids, mut bytes): (Vec<Uuid>, i64) = (Vec::new(), 0);
        for row in &rows {
            bytes += row.try_get::<i64, _>("bytes")?;
            if ids.len() == rows_max || (bytes > bytes_max && !ids.is_empty()) {
                break;
            }
            ids.push(row.try_get("id")?);
        }
        let all = rows.first().map_or(Ok(0), |row| row.try_get("whole"))?;
        let Views { mut messages, .. } = view::load(&mut connection, &[], &ids, &self.reader).await?;
        let is_more = rows.len() > ids.len();
        Ok(Stretch { messages: ids.iter().filter_map(|id| messages.remove(id)).collect(), is_more, all })
    }

    /// Why each of some contacts is one, the latest last.
    pub async fn joins_of(&self, contacts: &[ContactId]) -> Result<Vec<Join>, StoreError> {
        let rows = sqlx::query(
            "WITH one AS (
                SELECT id, id AS now FROM unnest($1::uuid[]) AS id UNION SELECT a.id, a.now FROM alias a WHERE a.now = ANY($1)
             )
             SELECT * FROM (SELECT l.id, one.now, l.by, l.says, l.why, l.at FROM one JOIN contact_link l ON l.keep = one.id
                WHERE l.act IN ('join', 'link') ORDER BY l.at DESC, l.id DESC LIMIT $2) l ORDER BY at, id",
        )
        .bind(contacts.iter().map(|id| id.0).collect::<Vec<_>>())
        .bind(JOINS_MAX)
        .fetch_all(&self.pool)
        .await?;
        let join = |row| {
            let (contact, by) = (ContactId(Row::try_get(row, "now")?), Row::try_get(row, "by")?);
            Ok(Join { contact, by, why: says(row)?.in_language(self.reader.language), at: time(row, "at")? })
        };
        rows.iter().map(join).collect()
    }

    /// Suggestions that wait for an answer and concern a ticket: those of its messages, and those that point to it or to
    /// somebody who takes part.
    pub async fn suggestions_on(
        &self,
        tenant: &str,
        ticket: TicketId,
        contacts: &[ContactId],
    ) -> Result<Vec<SuggestionShown>, StoreError> {
        let sql = "s.tenant = $1 AND s.state = 'open' AND s.id IN (
                SELECT o.id FROM message k JOIN suggestion o ON o.message_id = k.id WHERE k.ticket_id = $2
                UNION SELECT o.id FROM suggestion o WHERE o.state = 'open' AND o.target = ANY(
                    SELECT unnest($3::uuid[]) UNION SELECT a.id FROM alias a WHERE a.now = ANY($3)))
            AND p.one IS NOT NULL AND p.other IS NOT NULL AND p.one <> p.other ORDER BY s.at DESC, s.id DESC LIMIT $4";
        let pointed: Vec<Uuid> = std::iter::once(ticket.0).chain(contacts.iter().map(|id| id.0)).collect();
        suggestions_where(self, sql, |query| {
            query.bind(tenant.to_owned()).bind(ticket.0).bind(pointed).bind(SUGGESTIONS_MAX)
        })
        .await
    }
}
