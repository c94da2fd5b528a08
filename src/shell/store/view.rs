//! Tickets, contacts and messages as people and mirrors see them.

use super::accounts::{self, Taken};
use super::facts::{BRINGS_MATTER, direction, queued, time, time_or_none};
use super::reader::Reader;
use super::{Store, StoreError};
use crate::pure::domain::Timestamp;
use crate::pure::domain::clock::{ClockKind, ClockState};
use crate::pure::domain::id::*;
use crate::pure::domain::message::{Call, Mark, Progress};
use crate::pure::domain::notice::{NoticeKind, Withheld};
use crate::pure::domain::outbox::{
    AttachmentView, BroughtView, ClockView, ContactView, MessageView, NoticeView, ReasonView, TicketView,
};
use crate::pure::domain::queue::Queued;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::HashMap;
use uuid::Uuid;

/// Addresses of one contact that are shown.
const IDENTITIES_SHOWN_MAX: usize = 24;

/// Views by id.
#[derive(Debug, Default)]
pub struct Views {
    /// Tickets.
    pub tickets: HashMap<Uuid, TicketView>,
    /// Messages.
    pub messages: HashMap<Uuid, MessageView>,
}

/// A line of `lanka thread list`.
#[derive(Debug, Clone, serde::Serialize)]
pub struct ThreadLine {
    /// The ticket.
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
    /// Who takes part: each by name, else by the first address known.
    pub participants: Vec<String>,
    /// The channels it came over.
    pub channels: Vec<String>,
    /// Messages on it.
    pub messages: i64,
    /// Event time of the last.
    pub last_at: Timestamp,
    /// When the first of its running clocks runs out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
}

/// Loads the views of tickets and messages in a constant number of queries.
pub async fn load(
    connection: &mut PgConnection,
    tickets: &[Uuid],
    messages: &[Uuid],
    reader: &Reader,
) -> Result<Views, StoreError> {
    let mut views = Views { tickets: ticket_views(connection, tickets).await?, messages: HashMap::new() };
    let rows = sqlx::query(AssertSqlSafe(messages_by_id())).bind(messages).fetch_all(&mut *connection).await?;
    for view in message_views(connection, &rows, reader).await? {
        views.messages.insert(view.id.0, view);
    }
    Ok(views)
}

async fn ticket_views(connection: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, TicketView>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, number, state, title, kind, fault_kind, feedback, classified->>'by' AS classified_by, priority, owner,
            awaited_since, queue, queued, follow_up_of, merged_into
         FROM ticket WHERE id = ANY($1)",
    )
    .bind(ids)
    .fetch_all(&mut *connection)
    .await?;
    let mut tickets = HashMap::with_capacity(rows.len());
    for row in rows {
        let id: Uuid = row.try_get("id")?;
        let view = TicketView {
            id: TicketId(id),
            number: row.try_get("number")?,
            state: row.try_get("state")?,
            title: row.try_get("title")?,
            kind: row.try_get("kind")?,
            fault_kind: row.try_get("fault_kind")?,
            feedback: row.try_get("feedback")?,
            classified_by: row.try_get("classified_by")?,
            priority: row.try_get("priority")?,
            owner: row.try_get("owner")?,
            awaited_since: time_or_none(&row, "awaited_since")?,
            queue: row.try_get("queue")?,
            queue_rule: rule(queued(&row)?),
            participants: Vec::new(),
            follow_up_of: row.try_get::<Option<Uuid>, _>("follow_up_of")?.map(TicketId),
            merged_into: row.try_get::<Option<Uuid>, _>("merged_into")?.map(TicketId),
            clocks: Vec::new(),
            notices: Vec::new(),
            answer: None,
        };
        tickets.insert(id, view);
    }
    for (ticket, notice) in notice_views(connection, ids).await? {
        if let Some(view) = tickets.get_mut(&ticket) {
            view.notices.push(notice);
        }
    }
    for (ticket, clock) in clock_views(connection, ids).await? {
        if let Some(view) = tickets.get_mut(&ticket) {
            view.clocks.push(clock);
        }
    }
    let rows = sqlx::query(
        "SELECT p.ticket_id, c.id, c.name, coalesce(array_agg(i.scheme || ':' || i.value ORDER BY i.first_at, i.id)
            FILTER (WHERE i.id IS NOT NULL), '{}') AS identities
         FROM ticket_participant p JOIN contact c ON c.id = p.contact_id LEFT JOIN identity i ON i.contact_id = c.id
         WHERE p.ticket_id = ANY($1) GROUP BY p.ticket_id, p.since, c.id ORDER BY p.since, c.id",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    for row in rows {
        let mut identities: Vec<String> = row.try_get("identities")?;
        identities.truncate(IDENTITIES_SHOWN_MAX);
        let contact = ContactView { id: ContactId(row.try_get("id")?), name: row.try_get("name")?, identities };
        if let Some(view) = tickets.get_mut(&row.try_get::<Uuid, _>("ticket_id")?) {
            view.participants.push(contact);
        }
    }
    Ok(tickets)
}

/// Notices of one ticket that are shown, the latest.
const NOTICES_SHOWN_MAX: i64 = 20;

/// What customers were told on tickets, each with its ticket: it goes where the message goes that it was told on.
async fn notice_views(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<(Uuid, NoticeView)>, StoreError> {
    let rows = sqlx::query(
        "SELECT k.id AS ticket_id, n.* FROM unnest($1::uuid[]) AS k(id) CROSS JOIN LATERAL (
            SELECT n.kind, n.message_id, n.at, n.withheld FROM message m JOIN notice n ON n.message_id = m.id
            WHERE m.ticket_id = k.id ORDER BY n.at DESC, n.kind LIMIT $2
         ) n ORDER BY n.at, n.kind",
    )
    .bind(ids)
    .bind(NOTICES_SHOWN_MAX)
    .fetch_all(connection)
    .await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in &rows {
        let Some(kind) = NoticeKind::parse(row.try_get("kind")?) else { continue };
        let withheld: Option<String> = row.try_get("withheld")?;
        let why = withheld.as_deref().and_then(Withheld::parse).map(Withheld::says);
        let view =
            NoticeView { kind, message: MessageId(row.try_get("message_id")?), at: time(row, "at")?, withheld, why };
        views.push((row.try_get("ticket_id")?, view));
    }
    Ok(views)
}

/// Rounds of next answers of one ticket that are shown: a long talk has hundreds.
const ROUNDS_SHOWN_MAX: i32 = 20;

/// The clocks of tickets, each with its ticket, by when they began.
async fn clock_views(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<(Uuid, ClockView)>, StoreError> {
    let rows = sqlx::query(
        "SELECT k.* FROM (SELECT c.*, max(round) OVER (PARTITION BY ticket_id, clock) AS latest FROM ticket_clock c
            WHERE ticket_id = ANY($1)) k WHERE k.round > k.latest - $2 ORDER BY k.started_at, k.clock, k.round",
    )
    .bind(ids)
    .bind(ROUNDS_SHOWN_MAX)
    .fetch_all(connection)
    .await?;
    let now = Timestamp::now();
    rows.iter().map(|row| Ok((row.try_get("ticket_id")?, clock_view(row, now)?))).collect()
}

fn clock_view(row: &PgRow, now: Timestamp) -> Result<ClockView, StoreError> {
    let instant =
        |column: &str| row.try_get::<Option<jiff_sqlx::Timestamp>, _>(column).map(|at| at.map(|at| at.to_jiff()));
    let (id, word): (Uuid, &str) = (row.try_get("ticket_id")?, row.try_get("clock")?);
    let corrupt = || StoreError::Corrupt { what: "ticket_clock", id, why: format!("no clock is called {word}") };
    let (due_at, paused_since, ended_at) = (instant("due_at")?, instant("paused_since")?, instant("ended_at")?);
    Ok(ClockView {
        clock: ClockKind::parse(word).ok_or_else(corrupt)?,
        round: row.try_get("round")?,
        state: ClockState::of(due_at, paused_since, ended_at, now),
        started_at: time(row, "started_at")?,
        target_s: row.try_get("target_s")?,
        worked_s: row.try_get("worked_s")?,
        due_at,
        warn_at: instant("warn_at")?,
        paused_since,
        ended_at,
        channel: row.try_get("channel")?,
        rule: row.try_get("rule")?,
        contract: row.try_get("contract")?,
    })
}

/// The rule that led a ticket to its queue.
fn rule(queued: Queued) -> Option<String> {
    queued.ruled.filter(|_| queued.put.is_none())?.rule
}

const MESSAGES: &str = "
    SELECT m.id, m.ticket_id, m.channel, m.kind, m.direction, i.contact_id, m.occurred_at, m.received_at, m.subject, m.text, m.call, m.marks,
        m.sender_name, m.progress, m.progress_why, m.forwarded_from, m.matter_kind, m.problem, m.effect, m.feedback, m.priority";

/// Messages by their ids ($1).
fn messages_by_id() -> String {
    format!(
        "{MESSAGES}, m.redacted_at IS NULL AND {BRINGS_MATTER} AS brings FROM message m LEFT JOIN identity i ON i.id = m.identity_id WHERE m.id = ANY($1)"
    )
}

/// Messages of a ticket ($1), in order.
fn messages_of_ticket() -> String {
    format!(
        "{MESSAGES}, m.redacted_at IS NULL AND {BRINGS_MATTER} AS brings FROM message m LEFT JOIN identity i ON i.id = m.identity_id WHERE m.ticket_id = $1
         ORDER BY m.occurred_at, m.id"
    )
}

async fn message_views(
    connection: &mut PgConnection,
    rows: &[PgRow],
    reader: &Reader,
) -> Result<Vec<MessageView>, StoreError> {
    let mut views = rows.iter().map(message_view).collect::<Result<Vec<MessageView>, StoreError>>()?;
    let ids: Vec<Uuid> = views.iter().map(|view| view.id.0).collect();
    let place: HashMap<Uuid, usize> = ids.iter().enumerate().map(|(at, id)| (*id, at)).collect();
    let files = sqlx::query(
        "SELECT message_id, name, media_type, bytes, content_hash, remote IS NOT NULL AS remote, lost FROM attachment
         WHERE message_id = ANY($1) ORDER BY message_id, ordinal",
    )
    .bind(&ids)
    .fetch_all(&mut *connection)
    .await?;
    for row in files {
        let hash: Option<Vec<u8>> = row.try_get("content_hash")?;
        let lost: Option<String> = row.try_get("lost")?;
        let view = AttachmentView {
            name: row.try_get("name")?,
            media_type: row.try_get("media_type")?,
            bytes: row.try_get("bytes")?,
            waiting: row.try_get("remote")? && hash.is_none() && lost.is_none(),
            sha256: hash.map(hex::encode),
            lost,
        };
        if let Some(at) = place.get(&row.try_get::<Uuid, _>("message_id")?) {
            views[*at].attachments.push(view);
        }
    }
    let rows =
        sqlx::query("SELECT message_id, reasons, resolution, placement, at FROM decision WHERE message_id = ANY($1) ORDER BY at, ctid")
            .bind(&ids)
            .fetch_all(&mut *connection)
            .await?;
    let taken = rows.iter().map(taken).collect::<Result<Vec<Taken>, StoreError>>()?;
    let sentences = accounts::sentences(connection, &taken, reader).await?;
    for (taken, sentence) in taken.iter().zip(sentences) {
        let Some(at) = place.get(&taken.message.0) else { continue };
        let view = &mut views[*at];
        view.reasons.extend(taken.reasons.iter().map(|reason| ReasonView::of(reason, reader.language)));
        let told = [std::mem::take(&mut view.sentence), sentence.unwrap_or_default()];
        view.sentence = told.join(" ").trim().to_owned();
    }
    Ok(views)
}

/// The marks of a message.
pub fn marks(row: &PgRow) -> Result<Vec<Mark>, StoreError> {
    let words: Vec<String> = row.try_get("marks")?;
    Ok(words.into_iter().filter_map(|word| serde_json::from_value(word.into()).ok()).collect())
}

/// A message without what stands in other tables.
fn message_view(row: &PgRow) -> Result<MessageView, StoreError> {
    let id: Uuid = row.try_get("id")?;
    let call: Option<serde_json::Value> = row.try_get("call")?;
    let call = call.map(serde_json::from_value::<Call>).transpose();
    let call = call.map_err(|error| StoreError::Corrupt { what: "message", id, why: error.to_string() })?;
    Ok(MessageView {
        id: MessageId(id),
        ticket: row.try_get::<Option<Uuid>, _>("ticket_id")?.map(TicketId),
        channel: row.try_get("channel")?,
        channel_kind: row.try_get("kind")?,
        direction: direction(row.try_get("direction")?),
        by: row.try_get("sender_name")?,
        contact: row.try_get::<Option<Uuid>, _>("contact_id")?.map(ContactId),
        occurred_at: time(row, "occurred_at")?,
        received_at: time(row, "received_at")?,
        subject: row.try_get("subject")?,
        text: row.try_get("text")?,
        call,
        marks: marks(row)?,
        progress: row.try_get::<Option<&str>, _>("progress")?.and_then(Progress::parse),
        progress_why: row.try_get("progress_why")?,
        forwarded_from: row.try_get("forwarded_from")?,
        html: None,
        attachments: Vec::new(),
        brings: brought(row)?,
        sentence: String::new(),
        reasons: Vec::new(),
    })
}

/// What a customer brings with a message. What the desk writes brings nothing, nor does what was erased.
fn brought(row: &PgRow) -> Result<Option<BroughtView>, StoreError> {
    if !row.try_get::<bool, _>("brings")? {
        return Ok(None);
    }
    Ok(Some(BroughtView {
        kind: row.try_get("matter_kind")?,
        problem: row.try_get("problem")?,
        effect: row.try_get("effect")?,
        feedback: row.try_get("feedback")?,
        priority: row.try_get("priority")?,
    }))
}

fn taken(row: &PgRow) -> Result<Taken, StoreError> {
    let message = MessageId(row.try_get("message_id")?);
    let words = (row.try_get("resolution")?, row.try_get("placement")?);
    let reasons = serde_json::from_value(row.try_get("reasons")?).unwrap_or_default();
    Ok(Taken::of(message, time(row, "at")?, words, reasons))
}

impl Store {
    /// The ticket that an id stands for now: itself, or where it was merged into.
    pub async fn ticket_now(&self, id: TicketId) -> Result<TicketId, StoreError> {
        let now: Option<Uuid> =
            sqlx::query_scalar("SELECT now FROM alias WHERE id = $1").bind(id.0).fetch_optional(&self.pool).await?;
        Ok(now.map_or(id, TicketId))
    }

    /// The ticket of what a person types: an id, an alias, or the short number.
    pub async fn find_ticket(&self, text: &str) -> Result<Option<TicketId>, StoreError> {
        if let Ok(id) = text.parse::<TicketId>() {
            let id = self.ticket_now(id).await?;
            let known: Option<Uuid> =
                sqlx::query_scalar("SELECT id FROM ticket WHERE id = $1").bind(id.0).fetch_optional(&self.pool).await?;
            return Ok(known.map(TicketId));
        }
        let Ok(number) = text.trim_start_matches('#').parse::<i64>() else { return Ok(None) };
        let id: Option<Uuid> = sqlx::query_scalar("SELECT coalesce(merged_into, id) FROM ticket WHERE number = $1")
            .bind(number)
            .fetch_optional(&self.pool)
            .await?;
        Ok(id.map(TicketId))
    }

    /// A ticket with its messages in order of their time.
    pub async fn thread(&self, id: TicketId) -> Result<Option<(TicketView, Vec<MessageView>)>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let Some(ticket) = ticket_views(&mut connection, &[id.0]).await?.remove(&id.0) else { return Ok(None) };
        let rows = sqlx::query(AssertSqlSafe(messages_of_ticket())).bind(id.0).fetch_all(&mut *connection).await?;
        Ok(Some((ticket, message_views(&mut connection, &rows, &self.reader).await?)))
    }

    /// Tickets, the latest first: all, or those where a text occurs in the title, a name, an address
    /// or a message's own words; of one queue, if one is named.
    pub async fn threads(
        &self,
        find: Option<&str>,
        queue: Option<&str>,
        limit: i64,
    ) -> Result<Vec<ThreadLine>, StoreError> {
        let pattern =
            find.map(|text| format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")));
        let sql = format!("{LATEST} {LINES} ORDER BY t.last_at DESC, t.id");
        let query = sqlx::query(AssertSqlSafe(sql)).bind(pattern).bind(limit).bind(queue);
        query.fetch_all(&self.pool).await?.iter().map(thread_line).collect()
    }

    /// Tickets on which something is due, the soonest first.
    pub async fn threads_due(&self, queue: Option<&str>, limit: i64) -> Result<Vec<ThreadLine>, StoreError> {
        let sql = format!("{DUE} {LINES} ORDER BY f.due_at, t.id");
        let query = sqlx::query(AssertSqlSafe(sql)).bind(limit).bind(queue);
        query.fetch_all(&self.pool).await?.iter().map(thread_line).collect()
    }
}

/// The latest tickets ($2), of all or of those where a text occurs ($1), of one queue if it is named ($3).
const LATEST: &str = "WITH found AS (
        SELECT t.id, t.last_at FROM ticket t WHERE t.merged_into IS NULL AND ($3::text IS NULL OR t.queue = $3) AND ($1::text IS NULL OR t.title ILIKE $1
            OR EXISTS (SELECT 1 FROM ticket_participant p JOIN contact c ON c.id = p.contact_id LEFT JOIN identity i ON i.contact_id = c.id
                WHERE p.ticket_id = t.id AND (c.name ILIKE $1 OR i.value ILIKE $1))
            OR EXISTS (SELECT 1 FROM message m WHERE m.ticket_id = t.id AND (m.text ILIKE $1 OR m.subject ILIKE $1)))
        ORDER BY t.last_at DESC, t.id LIMIT $2
     )";

/// Those on which a clock runs, the soonest due ($1), of one queue if it is named ($2).
const DUE: &str = "WITH found AS (
        SELECT k.ticket_id AS id, min(k.due_at) AS due_at FROM ticket_clock k JOIN ticket t ON t.id = k.ticket_id
        WHERE k.ended_at IS NULL AND k.due_at IS NOT NULL AND t.merged_into IS NULL AND ($2::text IS NULL OR t.queue = $2)
        GROUP BY k.ticket_id ORDER BY 2, 1 LIMIT $1
     )";

/// Lines of the tickets found.
const LINES: &str = "SELECT t.id, t.number, t.state, t.title, t.priority, t.owner, t.queue, t.awaited_since, t.last_at,
        (SELECT min(k.due_at) FROM ticket_clock k WHERE k.ticket_id = t.id AND k.ended_at IS NULL) AS due_at,
        (SELECT coalesce(array_agg(coalesce(c.name,
                (SELECT i.value FROM identity i WHERE i.contact_id = c.id ORDER BY i.first_at, i.id LIMIT 1), '?') ORDER BY p.since), '{}')
            FROM ticket_participant p JOIN contact c ON c.id = p.contact_id WHERE p.ticket_id = t.id) AS participants,
        (SELECT coalesce(array_agg(DISTINCT m.channel), '{}') FROM message m WHERE m.ticket_id = t.id) AS channels,
        (SELECT count(*) FROM message m WHERE m.ticket_id = t.id) AS messages
     FROM found f JOIN ticket t ON t.id = f.id";

fn thread_line(row: &PgRow) -> Result<ThreadLine, StoreError> {
    Ok(ThreadLine {
        id: TicketId(row.try_get("id")?),
        number: row.try_get("number")?,
        state: row.try_get("state")?,
        title: row.try_get("title")?,
        priority: row.try_get("priority")?,
        owner: row.try_get("owner")?,
        queue: row.try_get("queue")?,
        awaited_since: time_or_none(row, "awaited_since")?,
        participants: row.try_get("participants")?,
        channels: row.try_get("channels")?,
        messages: row.try_get("messages")?,
        last_at: time(row, "last_at")?,
        due_at: row.try_get::<Option<jiff_sqlx::Timestamp>, _>("due_at")?.map(|at| at.to_jiff()),
    })
}
