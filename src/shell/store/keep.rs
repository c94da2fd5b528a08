//! Tickets that are to be looked at, with all that is kept of them: taken, read and written in a constant number of
//! statements for any number of them.
//!
//! Triggers note which tickets change (`touched`); a ticket whose next clock runs out is due by `keep_at`. Whoever takes
//! one locks its row; one that is being changed at that moment is noted again, and looked at when that is over.

use super::commit::queue;
use super::facts::{direction, time, time_or_none};
use super::{Store, StoreError, answer, dust, sql_time};
use crate::pure::decide::keep::{Aloud, Kept, Line, Rows, SaidAloud, StoredClock, Words};
use crate::pure::decide::notice::Notice;
use crate::pure::decide::route;
use crate::pure::domain::Timestamp;
use crate::pure::domain::clock::{ClockKind, Happened};
use crate::pure::domain::decision::Told;
use crate::pure::domain::id::{ContactId, MessageId, TicketId};
use crate::pure::domain::message::Call;
use crate::pure::domain::notice::{Given, NoticeKind};
use crate::pure::domain::outbox::Change;
use crate::pure::domain::ticket::{MatterKind, Owner, Priority};
use sqlx::{PgConnection, Row};
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use uuid::Uuid;

/// Changes that one look takes off the list at most: several may be of one ticket.
const TOUCHED_MAX: i64 = 1_000;

/// Messages of one ticket that are looked at, the latest.
const LINES_MAX: i64 = 2_000;

/// Characters of a message that are read: what an acknowledgement repeats is less.
const WORDS_MAX: i32 = 2_000;

/// How long notices are counted that one contact was given.
const TOLD_WINDOW: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// Held by the daemon that looks, one at a time ("lanka", 7).
const TURN: i64 = 0x6c61_6e6b_6100_0007;

/// What a transaction says that brings about no look of its own.
const KEEPING: &str = "SET LOCAL lanka.keeping = 'on'";

/// Takes tickets that changed, or whose clocks run out, at most so many, and locks them. Those that were joined into others
/// have nothing kept any more. `None` while another daemon looks: what customers are told is counted over all tickets.
pub async fn take(
    connection: &mut PgConnection,
    tickets_max: i64,
    now: Timestamp,
) -> Result<Option<Vec<Uuid>>, StoreError> {
    let is_ours: bool =
        sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)").bind(TURN).fetch_one(&mut *connection).await?;
    if !is_ours {
        return Ok(None);
    }
    sqlx::query(KEEPING).execute(&mut *connection).await?;
    let touched: Vec<Uuid> = sqlx::query_scalar(
        "WITH taken AS (
            DELETE FROM touched WHERE n IN (SELECT n FROM touched ORDER BY n LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING ticket_id
         )
         SELECT DISTINCT ticket_id FROM taken",
    )
    .bind(TOUCHED_MAX)
    .fetch_all(&mut *connection)
    .await?;
    let locked: Vec<(Uuid, bool)> = sqlx::query_as(
        "SELECT id, merged_into IS NOT NULL FROM ticket WHERE id IN (
            (SELECT t.id FROM unnest($1::uuid[]) AS t(id) LIMIT $2)
            UNION (SELECT k.id FROM ticket k WHERE k.keep_at <= $3 ORDER BY k.keep_at LIMIT $2)
         ) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED",
    )
    .bind(&touched)
    .bind(tickets_max)
    .bind(sql_time(now))
    .fetch_all(&mut *connection)
    .await?;
    let held: HashSet<Uuid> = locked.iter().map(|(id, _)| *id).collect();
    // Somebody changes them at this moment, or there are too many of them at once. (A ticket that is gone is not there.)
    let left: Vec<Uuid> = touched.into_iter().filter(|id| !held.contains(id)).collect();
    if !left.is_empty() {
        sqlx::query(
            "INSERT INTO touched (ticket_id) SELECT t.id FROM unnest($1::uuid[]) AS k(id) JOIN ticket t ON t.id = k.id",
        )
        .bind(left)
        .execute(&mut *connection)
        .await?;
    }
    let merged: Vec<Uuid> = locked.iter().filter(|(_, is_merged)| *is_merged).map(|(id, _)| *id).collect();
    if !merged.is_empty() {
        sqlx::query("DELETE FROM ticket_clock WHERE ticket_id = ANY($1)")
            .bind(&merged)
            .execute(&mut *connection)
            .await?;
        sqlx::query("DELETE FROM ticket_wait WHERE ticket_id = ANY($1)")
            .bind(&merged)
            .execute(&mut *connection)
            .await?;
        sqlx::query("UPDATE ticket SET keep_at = NULL, next_due_at = NULL WHERE id = ANY($1)")
            .bind(merged)
            .execute(&mut *connection)
            .await?;
    }
    Ok(Some(locked.into_iter().filter(|(_, is_merged)| !is_merged).map(|(id, _)| id).collect()))
}

/// The rows of tickets.
pub async fn load(connection: &mut PgConnection, tickets: &[Uuid], now: Timestamp) -> Result<Vec<Rows>, StoreError> {
    let mut rows = of_tickets(connection, tickets).await?;
    lines(connection, &mut rows).await?;
    words(connection, &mut rows).await?;
    acts(connection, &mut rows).await?;
    said(connection, &mut rows).await?;
    given(connection, &mut rows).await?;
    domains(connection, &mut rows).await?;
    for (id, desk) in answer::of_tickets(connection, tickets).await? {
        if let Some(rows) = rows.get_mut(&id) {
            rows.heard = desk.heard;
        }
    }
    told(connection, &mut rows, now).await?;
    let mut rows: Vec<Rows> = rows.into_values().collect();
    rows.sort_unstable_by_key(|rows| rows.ticket);
    Ok(rows)
}

type ById = HashMap<Uuid, Rows>;

async fn of_tickets(connection: &mut PgConnection, tickets: &[Uuid]) -> Result<ById, StoreError> {
    let found = sqlx::query(
        "SELECT id, tenant, number, title, kind, priority, owner, owner_at, awaited_since,
            CASE WHEN state = 'closed' THEN closed_at END AS closed_at FROM ticket WHERE id = ANY($1)",
    )
    .bind(tickets)
    .fetch_all(connection)
    .await?;
    let mut rows = HashMap::with_capacity(found.len());
    for row in &found {
        let id: Uuid = row.try_get("id")?;
        let kinds: Vec<String> = row.try_get("kind")?;
        let owner = match time_or_none(row, "owner_at")? {
            Some(at) => Some(Owner { at, name: row.try_get("owner")? }),
            None => None,
        };
        let of = Rows {
            ticket: TicketId(id),
            tenant: row.try_get("tenant")?,
            number: row.try_get("number")?,
            title: row.try_get("title")?,
            kinds: kinds.iter().filter_map(|kind| MatterKind::parse(kind)).collect(),
            priority: Priority::parse(row.try_get("priority")?).unwrap_or(Priority::Normal),
            owner,
            awaited_since: time_or_none(row, "awaited_since")?,
            closed_at: time_or_none(row, "closed_at")?,
            lines: Vec::new(),
            acts: Vec::new(),
            words: HashMap::new(),
            given: Vec::new(),
            heard: Vec::new(),
            told: Vec::new(),
            domains: Vec::new(),
            said: Vec::new(),
        };
        rows.insert(id, of);
    }
    Ok(rows)
}

async fn lines(connection: &mut PgConnection, rows: &mut ById) -> Result<(), StoreError> {
    let found = sqlx::query(
        "SELECT k.id AS ticket_id, m.*, i.contact_id, coalesce(r.quiet, false) AS quiet FROM unnest($1::uuid[]) AS k(id) CROSS JOIN LATERAL (
            SELECT id, raw_event, direction, channel, kind, trusted_at, received_at, auto IS NOT NULL AS automatic, 'internal' = ANY(marks) AS is_note,
                CASE WHEN outline IS NULL THEN matter_kind <> '{}' OR priority <> 'low' ELSE NOT outline ? 'z' END AS says_something, call, identity_id
            FROM message t WHERE t.ticket_id = k.id AND t.redacted_at IS NULL ORDER BY t.trusted_at DESC, t.id DESC LIMIT $2
         ) m LEFT JOIN identity i ON i.id = m.identity_id LEFT JOIN raw_event r ON r.id = m.raw_event",
    )
    .bind(ids(rows))
    .bind(LINES_MAX)
    .fetch_all(connection)
    .await?;
    for row in &found {
        let call: Option<serde_json::Value> = row.try_get("call")?;
        let is_imported = row.try_get("quiet")?;
        let line = Line {
            id: MessageId(row.try_get("id")?),
            direction: direction(row.try_get("direction")?),
            channel: row.try_get("channel")?,
            kind: row.try_get("kind")?,
            at: time(row, if is_imported { "trusted_at" } else { "received_at" })?,
            trusted_at: time(row, "trusted_at")?,
            is_automatic: row.try_get("automatic")?,
            is_note: row.try_get("is_note")?,
            says_something: row.try_get("says_something")?,
            call: call.and_then(|call| serde_json::from_value::<Call>(call).ok()).map(|call| call.outcome),
            contact: row.try_get::<Option<Uuid>, _>("contact_id")?.map(ContactId),
            is_imported,
        };
        if let Some(rows) = rows.get_mut(&row.try_get::<Uuid, _>("ticket_id")?) {
            rows.lines.push(line);
        }
    }
    Ok(())
}

/// Of the first and last message of a customer, and of the last answer.
async fn words(connection: &mut PgConnection, rows: &mut ById) -> Result<(), StoreError> {
    let found = sqlx::query(
        "SELECT k.id AS ticket_id, m.id, left(coalesce(m.own_text, m.text), $2) AS words, m.sender_name
         FROM unnest($1::uuid[]) AS k(id) CROSS JOIN LATERAL (
            (SELECT * FROM message t WHERE t.ticket_id = k.id AND t.direction = 'from_customer' AND t.auto IS NULL
                ORDER BY t.trusted_at, t.id LIMIT 1)
            UNION ALL (SELECT * FROM message t WHERE t.ticket_id = k.id AND t.direction = 'from_customer' AND t.auto IS NULL
                ORDER BY t.trusted_at DESC, t.id DESC LIMIT 1)
            UNION ALL (SELECT * FROM message t WHERE t.ticket_id = k.id AND t.direction = 'from_agent' AND t.auto IS NULL
                AND NOT 'internal' = ANY(t.marks) ORDER BY t.trusted_at DESC, t.id DESC LIMIT 1)
         ) m WHERE m.redacted_at IS NULL",
    )
    .bind(ids(rows))
    .bind(WORDS_MAX)
    .fetch_all(connection)
    .await?;
    for row in &found {
        let words = Words { text: row.try_get("words")?, name: row.try_get("sender_name")? };
        if let Some(rows) = rows.get_mut(&row.try_get::<Uuid, _>("ticket_id")?) {
            rows.words.insert(MessageId(row.try_get("id")?), words);
        }
    }
    Ok(())
}

/// Acts are found by the messages that they are on, which take them along when they move.
async fn acts(connection: &mut PgConnection, rows: &mut ById) -> Result<(), StoreError> {
    let found = sqlx::query(
        "SELECT m.ticket_id, e.kind, (e.data->>'occurred_at')::timestamptz AS at FROM message m JOIN ticket_event e ON e.message_id = m.id
         WHERE m.ticket_id = ANY($1) AND e.kind IN ('closed', 'reopen', 'await', 'resume') AND e.data->>'occurred_at' IS NOT NULL",
    )
    .bind(ids(rows))
    .fetch_all(connection)
    .await?;
    for row in &found {
        let what = match row.try_get("kind")? {
            "closed" => Happened::Closed,
            "reopen" => Happened::Reopened,
            "await" => Happened::Awaited,
            _ => Happened::Resumed,
        };
        if let Some(rows) = rows.get_mut(&row.try_get::<Uuid, _>("ticket_id")?) {
            rows.acts.push((what, time(row, "at")?));
        }
    }
    Ok(())
}

async fn said(connection: &mut PgConnection, rows: &mut ById) -> Result<(), StoreError> {
    let found = sqlx::query(
        "SELECT ticket_id, clock, round, warned_at, breached_at FROM ticket_clock
         WHERE ticket_id = ANY($1) AND (warned_at IS NOT NULL OR breached_at IS NOT NULL)",
    )
    .bind(ids(rows))
    .fetch_all(connection)
    .await?;
    for row in &found {
        let Some(kind) = ClockKind::parse(row.try_get("clock")?) else { continue };
        let (warned_at, breached_at) = (time_or_none(row, "warned_at")?, time_or_none(row, "breached_at")?);
        let said = SaidAloud { kind, round: row.try_get("round")?, warned_at, breached_at };
        if let Some(rows) = rows.get_mut(&row.try_get::<Uuid, _>("ticket_id")?) {
            rows.said.push(said);
        }
    }
    Ok(())
}

/// A notice goes where the message goes that it was given on.
async fn given(connection: &mut PgConnection, rows: &mut ById) -> Result<(), StoreError> {
    let found = sqlx::query(
        "SELECT m.ticket_id, n.kind, n.message_id FROM message m JOIN notice n ON n.message_id = m.id
         WHERE m.ticket_id = ANY($1) AND n.withheld IS NULL",
    )
    .bind(ids(rows))
    .fetch_all(connection)
    .await?;
    for row in &found {
        let Some(kind) = NoticeKind::parse(row.try_get("kind")?) else { continue };
        let message = MessageId(row.try_get("message_id")?);
        if let Some(rows) = rows.get_mut(&row.try_get::<Uuid, _>("ticket_id")?) {
            rows.given.push(Given { kind, message });
        }
    }
    Ok(())
}

async fn domains(connection: &mut PgConnection, rows: &mut ById) -> Result<(), StoreError> {
    let found: Vec<(Uuid, Uuid, String)> = sqlx::query_as(
        "SELECT DISTINCT p.ticket_id, p.contact_id, split_part(i.value, '@', 2) FROM ticket_participant p JOIN identity i ON i.contact_id = p.contact_id
         WHERE p.ticket_id = ANY($1) AND i.scheme = 'mailto' AND i.scope = '' AND i.assurance >= $2 ORDER BY 1, 3, 2",
    )
    .bind(ids(rows))
    .bind(crate::pure::domain::identity::Assurance::Proven.level())
    .fetch_all(connection)
    .await?;
    for (ticket, contact, domain) in found {
        if let Some(rows) = rows.get_mut(&ticket) {
            rows.domains.push((ContactId(contact), domain));
        }
    }
    Ok(())
}

async fn told(connection: &mut PgConnection, rows: &mut ById, now: Timestamp) -> Result<(), StoreError> {
    let contacts: HashSet<Uuid> =
        rows.values().flat_map(|rows| rows.heard.iter().map(|heard| heard.contact.0)).collect();
    let counted: Vec<(Uuid, i64, i64)> = sqlx::query_as(
        "SELECT contact_id, count(*), count(*) FILTER (WHERE kind = 'acknowledged' AND by_mail) FROM notice
         WHERE contact_id = ANY($1) AND at > $2 AND withheld IS NULL GROUP BY contact_id",
    )
    .bind(contacts.into_iter().collect::<Vec<_>>())
    .bind(sql_time(now.saturating_sub(TOLD_WINDOW).unwrap_or(now)))
    .fetch_all(connection)
    .await?;
    let counted: HashMap<Uuid, (i64, i64)> = counted.into_iter().map(|(id, all, mail)| (id, (all, mail))).collect();
    let few = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
    for rows in rows.values_mut() {
        let contacts: HashSet<ContactId> = rows.heard.iter().map(|heard| heard.contact).collect();
        let of = |contact: ContactId| {
            let (all, mail) = counted.get(&contact.0)?;
            Some((contact, few(*all), few(*mail)))
        };
        rows.told = contacts.into_iter().filter_map(of).collect();
    }
    Ok(())
}

fn ids(rows: &ById) -> Vec<Uuid> {
    rows.keys().copied().collect()
}

/// What is written down of some tickets of one firm.
pub struct Found<'a> {
    /// The firm.
    pub tenant: &'a str,
    /// What is kept of them.
    pub kept: &'a [Kept],
    /// Its mirrors.
    pub mirrors: &'a [String],
    /// The time.
    pub now: Timestamp,
}

impl Store {
    /// Writes down what is kept of tickets, and queues what is said aloud. Gives the notices that are to be given now, or
    /// noted as withheld: those that nobody has given or noted before.
    pub async fn write_kept<'a>(
        &self,
        connection: &mut PgConnection,
        found: &Found<'a>,
    ) -> Result<Vec<(TicketId, &'a Notice)>, StoreError> {
        write_clocks(connection, found).await?;
        write_tickets(connection, found).await?;
        dust::write_waits(connection, found).await?;
        let mut told: Vec<Told> = Vec::new();
        for kept in found.kept {
            let change = |aloud: &Aloud| match aloud {
                Aloud::Warned => Change::ClockWarned,
                Aloud::Breached => Change::ClockBreached,
            };
            told.extend(kept.aloud.iter().map(|(aloud, clock)| route::of_clock(change(aloud), kept.ticket, clock)));
        }
        if !told.is_empty() {
            let by = (found.now, self.has_peers());
            queue(connection, found.tenant, &told, found.mirrors, by, &mut self.mint()).await?;
        }
        write_notices(connection, found).await
    }
}

async fn write_clocks(connection: &mut PgConnection, found: &Found<'_>) -> Result<(), StoreError> {
    let tickets: Vec<Uuid> = found.kept.iter().map(|kept| kept.ticket.0).collect();
    let of: Vec<(Uuid, &StoredClock)> =
        found.kept.iter().flat_map(|kept| kept.clocks.iter().map(|clock| (kept.ticket.0, clock))).collect();
    let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    fn column<'a, T>(of: &[(Uuid, &'a StoredClock)], value: impl Fn(&'a StoredClock) -> T) -> Vec<T> {
        of.iter().map(|(_, stored)| value(stored)).collect()
    }
    sqlx::query(
        "WITH t AS (
            SELECT * FROM unnest($2::uuid[], $3::text[], $4::int[], $5::timestamptz[], $6::bigint[], $7::bigint[], $8::timestamptz[],
                $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $15::text[], $16::text[],
                $17::text[])
                AS t(ticket_id, clock, round, started_at, target_s, worked_s, due_at, warn_at, paused_since, ended_at, warned_at, breached_at,
                    channel, rule, contract)
         ), gone AS (
            DELETE FROM ticket_clock c WHERE c.ticket_id = ANY($14)
                AND NOT EXISTS (SELECT 1 FROM t WHERE (t.ticket_id, t.clock, t.round) = (c.ticket_id, c.clock, c.round))
         )
         INSERT INTO ticket_clock AS c (tenant, ticket_id, clock, round, started_at, target_s, worked_s, due_at, warn_at, paused_since,
            ended_at, warned_at, breached_at, channel, rule, contract)
         SELECT $1, t.* FROM t ON CONFLICT (ticket_id, clock, round) DO UPDATE SET started_at = excluded.started_at,
            target_s = excluded.target_s, worked_s = excluded.worked_s, due_at = excluded.due_at, warn_at = excluded.warn_at,
            paused_since = excluded.paused_since, ended_at = excluded.ended_at, warned_at = excluded.warned_at,
            breached_at = excluded.breached_at, channel = excluded.channel, rule = excluded.rule, contract = excluded.contract
         WHERE (c.started_at, c.target_s, c.worked_s, c.due_at, c.warn_at, c.paused_since, c.ended_at, c.warned_at, c.breached_at,
                c.channel, c.rule, c.contract)
            IS DISTINCT FROM (excluded.started_at, excluded.target_s, excluded.worked_s, excluded.due_at, excluded.warn_at,
                excluded.paused_since, excluded.ended_at, excluded.warned_at, excluded.breached_at, excluded.channel, excluded.rule,
                excluded.contract)",
    )
    .bind(found.tenant)
    .bind(of.iter().map(|(ticket, _)| *ticket).collect::<Vec<_>>())
    .bind(column(&of, |s| s.clock.kind.as_str()))
    .bind(column(&of, |s| s.clock.round))
    .bind(column(&of, |s| sql_time(s.clock.started_at)))
    .bind(column(&of, |s| seconds(s.clock.target)))
    .bind(column(&of, |s| s.clock.worked.map(seconds)))
    .bind(column(&of, |s| s.clock.due_at.map(sql_time)))
    .bind(column(&of, |s| s.clock.warn_at.map(sql_time)))
    .bind(column(&of, |s| s.clock.paused_since.map(sql_time)))
    .bind(column(&of, |s| s.clock.ended_at.map(sql_time)))
    .bind(column(&of, |s| s.warned_at.map(sql_time)))
    .bind(column(&of, |s| s.breached_at.map(sql_time)))
    .bind(tickets)
    .bind(column(&of, |s| s.clock.channel.as_deref()))
    .bind(column(&of, |s| s.rule.as_deref()))
    .bind(column(&of, |s| s.contract.as_deref()))
    .execute(connection)
    .await?;
    Ok(())
}

async fn write_tickets(connection: &mut PgConnection, found: &Found<'_>) -> Result<(), StoreError> {
    let kept = found.kept;
    let column =
        |value: fn(&Kept) -> Option<Timestamp>| kept.iter().map(|kept| value(kept).map(sql_time)).collect::<Vec<_>>();
    sqlx::query(
        "UPDATE ticket k SET first_response_at = t.first_response_at, next_due_at = t.next_due_at, solved_at = t.solved_at, keep_at = t.keep_at,
            asked_at = t.asked_at, asked_on = t.asked_on, organisation = t.organisation
         FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::text[])
            AS t(id, first_response_at, next_due_at, solved_at, keep_at, asked_at, asked_on, organisation)
         WHERE k.id = t.id AND (k.first_response_at, k.next_due_at, k.solved_at, k.keep_at, k.asked_at, k.asked_on, k.organisation)
            IS DISTINCT FROM (t.first_response_at, t.next_due_at, t.solved_at, t.keep_at, t.asked_at, t.asked_on, t.organisation)",
    )
    .bind(kept.iter().map(|kept| kept.ticket.0).collect::<Vec<_>>())
    .bind(column(|kept| kept.first_response_at))
    .bind(column(|kept| kept.next_due_at))
    .bind(column(|kept| kept.solved_at))
    .bind(column(|kept| kept.keep_at))
    .bind(column(|kept| kept.asked.as_ref().map(|(at, _)| *at)))
    .bind(kept.iter().map(|kept| kept.asked.as_ref().map(|(_, channel)| channel.as_str())).collect::<Vec<_>>())
    .bind(kept.iter().map(|kept| kept.organisation.as_deref()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Whoever writes a row down first gives the notice; a reason for which one was withheld may be another later, or none.
async fn write_notices<'a>(
    connection: &mut PgConnection,
    found: &Found<'a>,
) -> Result<Vec<(TicketId, &'a Notice)>, StoreError> {
    let all: Vec<(TicketId, &Notice)> =
        found.kept.iter().flat_map(|kept| kept.notices.iter().map(|notice| (kept.ticket, notice))).collect();
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let written: Vec<(Uuid, String)> = sqlx::query_as(
        "INSERT INTO notice AS n (tenant, at, message_id, kind, ticket_id, contact_id, withheld, by_mail)
         SELECT $1, $2, t.* FROM unnest($3::uuid[], $4::text[], $5::uuid[], $6::uuid[], $7::text[], $8::boolean[])
            AS t(message_id, kind, ticket_id, contact_id, withheld, by_mail)
         ON CONFLICT (message_id, kind) DO UPDATE SET withheld = excluded.withheld, at = excluded.at, ticket_id = excluded.ticket_id,
            contact_id = excluded.contact_id, by_mail = excluded.by_mail
         WHERE n.withheld IS NOT NULL AND n.withheld IS DISTINCT FROM excluded.withheld
         RETURNING message_id, kind",
    )
    .bind(found.tenant)
    .bind(sql_time(found.now))
    .bind(all.iter().map(|(_, notice)| notice.message.0).collect::<Vec<_>>())
    .bind(all.iter().map(|(_, notice)| notice.kind.as_str()).collect::<Vec<_>>())
    .bind(all.iter().map(|(ticket, _)| ticket.0).collect::<Vec<_>>())
    .bind(all.iter().map(|(_, notice)| notice.contact.map(|id| id.0)).collect::<Vec<_>>())
    .bind(all.iter().map(|(_, notice)| notice.told.as_ref().err().map(|why| why.code())).collect::<Vec<_>>())
    .bind(all.iter().map(|(_, notice)| notice.told.as_ref().is_ok_and(|told| told.is_mail)).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let written: HashSet<(Uuid, String)> = written.into_iter().collect();
    let is_new = |notice: &Notice| written.contains(&(notice.message.0, notice.kind.as_str().to_owned()));
    Ok(all.into_iter().filter(|(_, notice)| is_new(notice)).collect())
}
