//! Lists for programs: tickets and contacts of one firm, page by page, each page in a constant number of statements.
//!
//! **Invariants:** every statement is bound to a tenant. A page ends at a place (an instant and an id, or an id), not at a
//! number of rows, so that what comes meanwhile shifts nothing.

use super::facts::{time, time_or_none};
use super::view::{self, Views};
use super::{Store, StoreError, sql_time};
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::*;
use crate::pure::domain::identity::Identity;
use crate::pure::domain::outbox::{ContactView, TicketView};
use serde::Serialize;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use std::collections::HashMap;
use uuid::Uuid;

/// Longest time that a list or a search may take the database. Whoever asks for more is told to ask for less. Each is
/// planned for what it asks: of a rare word and a common one the best plans are each other's worst.
pub(super) const ANSWER_MAX: &str =
    "SELECT set_config('statement_timeout', '8s', true), set_config('plan_cache_mode', 'force_custom_plan', true)";

/// Which tickets are asked for.
#[derive(Debug, Default)]
pub struct TicketFilter<'a> {
    /// `open` or `closed`.
    pub state: Option<&'a str>,
    /// `high`, `normal` or `low`.
    pub priority: Option<&'a str>,
    /// The agent who has it; empty: nobody.
    pub owner: Option<&'a str>,
    /// The queue that it is in.
    pub queue: Option<&'a str>,
    /// Whether the desk waits for the customer.
    pub awaited: Option<bool>,
    /// A kind of matter.
    pub kind: Option<&'a str>,
    /// A channel by its name.
    pub channel: Option<&'a str>,
    /// Who takes part.
    pub contact: Option<ContactId>,
    /// Something was said at this instant or later.
    pub since: Option<Timestamp>,
    /// One of its clocks runs out before this instant, or has run out, and what it waits for is not done.
    pub due_before: Option<Timestamp>,
    /// Those on which a clock runs alone, the soonest due first.
    pub by_due: bool,
}

/// A ticket in a list.
#[derive(Debug, Clone, Serialize)]
pub struct TicketLine {
    /// Its id.
    pub id: TicketId,
    /// The short number.
    pub number: i64,
    /// Open or closed.
    pub state: String,
    /// What it is called.
    pub title: String,
    /// Urgency.
    pub priority: String,
    /// The agent who has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The queue that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Since when the desk waits for the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub awaited_since: Option<Timestamp>,
    /// Service, problem, feedback; empty until it is known.
    pub kind: Vec<String>,
    /// Who takes part.
    pub participants: Vec<ContactView>,
    /// The channels that it came over, by name.
    pub channels: Vec<String>,
    /// How much was said on it.
    pub messages: i64,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When the last thing was said.
    pub last_at: Timestamp,
    /// When the first of its running clocks runs out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
}

/// What is open in a queue.
#[derive(Debug, Clone, Default, Serialize)]
pub struct QueueLine {
    /// Its name; empty for tickets of before there were queues.
    pub queue: String,
    /// Open tickets.
    pub open: i64,
    /// Those of them that nobody has.
    pub unowned: i64,
    /// Those on which the desk waits for the customer.
    pub awaited: i64,
    /// Those that no rule is for.
    pub unrouted: i64,
    /// Those that somebody put there.
    pub put: i64,
}

/// A contact in a list.
#[derive(Debug, Clone, Serialize)]
pub struct ContactLine {
    /// Its id.
    pub id: ContactId,
    /// Person, organisation or shared.
    pub kind: String,
    /// The best name known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its addresses, as `scheme:value`.
    pub identities: Vec<String>,
}

/// A file of a message.
#[derive(Debug, Clone)]
pub struct AttachmentRow {
    /// The sender's name for it.
    pub name: Option<String>,
    /// Its media type, as the sender states it.
    pub media_type: String,
    /// The SHA-256 of its bytes, if they are here.
    pub content: Option<[u8; 32]>,
    /// Why they are not here and will not come.
    pub lost: Option<String>,
}

const TICKETS: &str = "
    SELECT t.id, t.number, t.state, t.title, t.priority, t.owner, t.queue, t.awaited_since, t.kind, t.opened_at, t.last_at FROM ticket t";

const ASKED_FOR: &str = "
    WHERE t.tenant = $1 AND t.merged_into IS NULL AND ($2::text IS NULL OR t.state = $2) AND ($3::text IS NULL OR t.priority = $3)
        AND ($4::text IS NULL OR t.kind @> ARRAY[$4]) AND ($5::timestamptz IS NULL OR t.last_at >= $5)
        AND ($8::text IS NULL OR EXISTS (SELECT 1 FROM message m WHERE m.ticket_id = t.id AND m.channel = $8))
        AND ($10::text IS NULL OR coalesce(t.owner, '') = $10)
        AND ($11::timestamptz IS NULL OR t.id IN (SELECT k.ticket_id FROM ticket_clock k
            WHERE k.tenant = $1 AND k.ended_at IS NULL AND k.due_at < $11))
        AND ($12::uuid IS NULL OR t.id IN (SELECT p.ticket_id FROM ticket_participant p WHERE p.contact_id = $12))
        AND ($13::text IS NULL OR t.queue = $13) AND ($14::bool IS NULL OR (t.awaited_since IS NOT NULL) = $14)";

/// The index on the latest word leads, or the few tickets of one contact.
const LATEST: &str =
    " AND ($6::timestamptz IS NULL OR (t.last_at, t.id) < ($6, $7)) ORDER BY t.last_at DESC, t.id DESC LIMIT $9";

/// Tickets with what is due on them.
const DUE: &str = " JOIN (SELECT k.ticket_id, min(k.due_at) AS due_at FROM ticket_clock k
        WHERE k.tenant = $1 AND k.ended_at IS NULL AND k.due_at IS NOT NULL GROUP BY k.ticket_id) d ON d.ticket_id = t.id";

const SOONEST: &str = " AND ($6::timestamptz IS NULL OR (d.due_at, t.id) > ($6, $7)) ORDER BY d.due_at, t.id LIMIT $9";

const CONTACTS: &str = "
    SELECT c.id, c.kind, c.name, (SELECT coalesce(array_agg(i.scheme || ':' || i.value ORDER BY i.first_at, i.id), '{}')
        FROM identity i WHERE i.contact_id = c.id) AS identities FROM contact c
    WHERE c.tenant = $1 AND c.merged_into IS NULL AND c.erased_at IS NULL";

impl Store {
    /// The tickets that are asked for, the one with the latest word or the soonest due first: those after a place, at most
    /// `limit`.
    pub async fn tickets_in(
        &self,
        tenant: &str,
        filter: &TicketFilter<'_>,
        after: Option<(Timestamp, TicketId)>,
        limit: i64,
    ) -> Result<Vec<TicketLine>, StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(ANSWER_MAX).execute(&mut *tx).await?;
        let (at, id) = after.unzip();
        let sql = match filter.by_due {
            true => format!("{TICKETS}{DUE}{ASKED_FOR}{SOONEST}"),
            false => format!("{TICKETS}{ASKED_FOR}{LATEST}"),
        };
        let query = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(tenant)
            .bind(filter.state)
            .bind(filter.priority)
            .bind(filter.kind)
            .bind(filter.since.map(sql_time))
            .bind(at.map(sql_time))
            .bind(id.map(|id| id.0))
            .bind(filter.channel)
            .bind(limit)
            .bind(filter.owner)
            .bind(filter.due_before.map(sql_time))
            .bind(filter.contact.map(|contact| contact.0))
            .bind(filter.queue)
            .bind(filter.awaited);
        let rows = query.fetch_all(&mut *tx).await?;
        lines(&mut tx, &rows, &self.reader).await
    }

    /// What is open in each queue.
    pub async fn queues(&self) -> Result<Vec<QueueLine>, StoreError> {
        let rows: Vec<(String, i64, i64, i64, i64, i64)> = sqlx::query_as(
            "SELECT coalesce(queue, ''), count(*), count(*) FILTER (WHERE owner IS NULL), count(*) FILTER (WHERE awaited_since IS NOT NULL),
                count(*) FILTER (WHERE queued ? 'ruled' AND NOT queued ? 'put' AND NOT queued->'ruled' ? 'rule'),
                count(*) FILTER (WHERE queued ? 'put')
             FROM ticket WHERE state = 'open' AND merged_into IS NULL GROUP BY 1",
        )
        .fetch_all(&self.pool)
        .await?;
        let line =
            |(queue, open, unowned, awaited, unrouted, put)| QueueLine { queue, open, unowned, awaited, unrouted, put };
        Ok(rows.into_iter().map(line).collect())
    }

    /// Contacts, the newest first: those before an id, at most `limit`.
    pub async fn contacts_in(
        &self,
        tenant: &str,
        before: Option<ContactId>,
        limit: i64,
    ) -> Result<Vec<ContactLine>, StoreError> {
        let sql = format!("{CONTACTS} AND ($2::uuid IS NULL OR c.id < $2) ORDER BY c.id DESC LIMIT $3");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(tenant).bind(before.map(|id| id.0)).bind(limit);
        query.fetch_all(&self.pool).await?.iter().map(contact).collect()
    }

    /// The contacts that have an address, in any of its scopes and whoever had it when.
    pub async fn contacts_at(
        &self,
        tenant: &str,
        address: &Identity,
        limit: i64,
    ) -> Result<Vec<ContactLine>, StoreError> {
        let sql = format!(
            "{CONTACTS} AND c.id IN (SELECT i.contact_id FROM identity i WHERE i.tenant = $1 AND i.value = $2 AND i.scheme = $3)
             ORDER BY c.id DESC LIMIT $4"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(tenant).bind(&address.value).bind(&address.scheme);
        query.bind(limit).fetch_all(&self.pool).await?.iter().map(contact).collect()
    }

    /// Contacts by their ids.
    pub(super) async fn contact_lines(
        connection: &mut PgConnection,
        tenant: &str,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, ContactLine>, StoreError> {
        let sql = format!("{CONTACTS} AND c.id = ANY($2)");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(tenant).bind(ids).fetch_all(connection).await?;
        rows.iter().map(|row| contact(row).map(|line| (line.id.0, line))).collect()
    }

    /// Tickets by their ids.
    pub(super) async fn ticket_lines(
        connection: &mut PgConnection,
        tenant: &str,
        ids: &[Uuid],
        reader: &super::reader::Reader,
    ) -> Result<HashMap<Uuid, TicketLine>, StoreError> {
        let sql =
            "SELECT t.id, t.number, t.state, t.title, t.priority, t.owner, t.queue, t.awaited_since, t.kind, t.opened_at, t.last_at FROM ticket t
            WHERE t.tenant = $1 AND t.id = ANY($2)";
        let rows = sqlx::query(sql).bind(tenant).bind(ids).fetch_all(&mut *connection).await?;
        let lines = lines(connection, &rows, reader).await?;
        Ok(lines.into_iter().map(|line| (line.id.0, line)).collect())
    }

    /// A file of a message, by its place there, counted from 0.
    pub async fn attachment_in(&self, message: MessageId, ordinal: i32) -> Result<Option<AttachmentRow>, StoreError> {
        let row = sqlx::query(
            "SELECT name, media_type, content_hash, lost FROM attachment WHERE message_id = $1 AND ordinal = $2",
        )
        .bind(message.0)
        .bind(ordinal)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let content: Option<Vec<u8>> = row.try_get("content_hash")?;
        Ok(Some(AttachmentRow {
            name: row.try_get("name")?,
            media_type: row.try_get("media_type")?,
            content: content.and_then(|hash| hash.try_into().ok()),
            lost: row.try_get("lost")?,
        }))
    }
}

/// Rows of tickets with who takes part and how much was said: two statements more, however many they are.
async fn lines(
    connection: &mut PgConnection,
    rows: &[PgRow],
    reader: &super::reader::Reader,
) -> Result<Vec<TicketLine>, StoreError> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.try_get("id")).collect::<Result<_, _>>()?;
    let Views { mut tickets, .. } = view::load(connection, &ids, &[], reader).await?;
    let said: Vec<(Uuid, i64, Vec<String>)> = sqlx::query_as(
        "SELECT k.id, s.messages, s.channels FROM unnest($1::uuid[]) AS k(id) CROSS JOIN LATERAL (
            SELECT count(*) AS messages, coalesce(array_agg(DISTINCT m.channel), '{}') AS channels FROM message m WHERE m.ticket_id = k.id) s",
    )
    .bind(&ids)
    .fetch_all(connection)
    .await?;
    let mut said: HashMap<Uuid, (i64, Vec<String>)> =
        said.into_iter().map(|(id, messages, channels)| (id, (messages, channels))).collect();
    let line = |row: &PgRow| {
        let id: Uuid = row.try_get("id")?;
        let (messages, channels) = said.remove(&id).unwrap_or_default();
        Ok(TicketLine {
            id: TicketId(id),
            number: row.try_get("number")?,
            state: row.try_get("state")?,
            title: row.try_get("title")?,
            priority: row.try_get("priority")?,
            owner: row.try_get("owner")?,
            queue: row.try_get("queue")?,
            awaited_since: time_or_none(row, "awaited_since")?,
            kind: row.try_get("kind")?,
            due_at: tickets.get(&id).and_then(TicketView::due_at),
            participants: tickets.remove(&id).map(|view| view.participants).unwrap_or_default(),
            channels,
            messages,
            opened_at: time(row, "opened_at")?,
            last_at: time(row, "last_at")?,
        })
    };
    rows.iter().map(line).collect()
}

fn contact(row: &PgRow) -> Result<ContactLine, StoreError> {
    Ok(ContactLine {
        id: ContactId(row.try_get("id")?),
        kind: row.try_get("kind")?,
        name: row.try_get("name")?,
        identities: row.try_get("identities")?,
    })
}
