//! What gathers dust: what open tickets wait for, written with their clocks; and what stands too long, found by its indexes.
//!
//! **Invariant:** no message is read of a ticket that waits for nothing, and none to find out since when one waits.

use super::facts::time;
use super::keep::Found;
use super::{Store, StoreError, sql_time};
use crate::pure::domain::dust::{Dust, DustCount, DustKind, DustSince, Wait};
use crate::pure::domain::id::TicketId;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// More of a kind are not counted.
pub const COUNTED_MAX: i64 = 10_000;

/// Longest time that a look may take the database.
const LOOK_MAX: &str =
    "SELECT set_config('statement_timeout', '20s', true), set_config('plan_cache_mode', 'force_custom_plan', true)";

/// Each gives `kind, tenant, ticket_id, item, since`. Of several that are about one ticket, what is the matter with it more
/// closely: one that waits for an answer or a call is not listed as silent too.
const SILENT: &str = "SELECT 'silent' AS kind, w.tenant, w.ticket_id, NULL::text AS item, w.moved_at AS since FROM (
        SELECT * FROM ticket_wait WHERE tenant = ANY($1) AND NOT awaited AND moved_at <= $2
        UNION ALL SELECT * FROM ticket_wait WHERE tenant = ANY($1) AND awaited AND moved_at <= $3
    ) w WHERE (w.asked_at <= $4) IS NOT TRUE AND (w.called_at <= $6) IS NOT TRUE";

const UNANSWERED: &str =
    "SELECT 'unanswered', w.tenant, w.ticket_id, NULL::text, w.asked_at AS since FROM ticket_wait w
    WHERE w.tenant = ANY($1) AND w.asked_at <= $4";

/// The owners by a step of the index each, then what each did last.
const ORPHANED: &str = "SELECT 'orphaned', k.tenant, k.id, NULL::text, s.at AS since
    FROM unnest($1::text[]) AS t(tenant) CROSS JOIN LATERAL (
        WITH RECURSIVE own AS (
            (SELECT k.owner FROM ticket k WHERE k.tenant = t.tenant AND k.state = 'open' AND k.merged_into IS NULL AND k.owner IS NOT NULL
                ORDER BY k.owner LIMIT 1)
            UNION ALL SELECT (SELECT k.owner FROM ticket k WHERE k.tenant = t.tenant AND k.state = 'open' AND k.merged_into IS NULL
                AND k.owner > own.owner ORDER BY k.owner LIMIT 1) FROM own WHERE own.owner IS NOT NULL
        ) SELECT owner FROM own WHERE owner IS NOT NULL LIMIT 10000
    ) o CROSS JOIN LATERAL (SELECT greatest(
        (SELECT max(m.trusted_at) FROM message m WHERE m.tenant = t.tenant AND m.sender_name = o.owner AND m.direction = 'from_agent'
            AND m.auto IS NULL),
        (SELECT max(k.owner_at) FROM ticket k WHERE k.tenant = t.tenant AND k.owner = o.owner)) AS at
    ) s JOIN ticket k ON k.tenant = t.tenant AND k.owner = o.owner AND k.state = 'open' AND k.merged_into IS NULL
    WHERE s.at <= $5 AND EXISTS (SELECT 1 FROM ticket_wait w WHERE w.ticket_id = k.id)";

/// Whoever was spoken to since, or written to, on whichever ticket, is not waiting for a call.
const CALLS: &str = "SELECT 'call', w.tenant, w.ticket_id, NULL::text, w.called_at AS since
    FROM ticket_wait w JOIN message c ON c.id = w.call_message LEFT JOIN identity i ON i.id = c.identity_id
    WHERE w.tenant = ANY($1) AND w.called_at <= $6 AND NOT EXISTS (
        SELECT 1 FROM identity o JOIN message m ON m.identity_id = o.id
        WHERE o.contact_id = i.contact_id AND m.received_at > w.called_at AND m.auto IS NULL AND CASE m.direction
            WHEN 'from_agent' THEN NOT 'internal' = ANY(m.marks) AND coalesce(m.call->>'outcome', 'answered') = 'answered'
            ELSE m.call->>'outcome' = 'answered' END)";

const SUGGESTIONS: &str = "SELECT 'suggestion', s.tenant, (SELECT m.ticket_id FROM message m WHERE m.id = s.message_id), s.id::text, s.at AS since
    FROM suggestion s WHERE s.tenant = ANY($1) AND s.state = 'open' AND s.at <= $7";

const QUARANTINE: &str = "SELECT 'quarantine', q.tenant, NULL::uuid, q.id::text, q.at AS since
    FROM quarantine q WHERE q.tenant = ANY($1) AND q.state = 'waiting' AND q.at <= $8";

fn arm(kind: DustKind) -> &'static str {
    match kind {
        DustKind::Silent => SILENT,
        DustKind::Unanswered => UNANSWERED,
        DustKind::Orphaned => ORPHANED,
        DustKind::Call => CALLS,
        DustKind::Suggestion => SUGGESTIONS,
        DustKind::Quarantine => QUARANTINE,
    }
}

impl Store {
    /// What gathers dust at some firms, of some kinds, the oldest first, at most `limit`; and how much there is of each kind.
    pub async fn dust(
        &self,
        tenants: &[String],
        kinds: &[DustKind],
        since: &DustSince,
        limit: i64,
    ) -> Result<(Vec<Dust>, Vec<DustCount>), StoreError> {
        if kinds.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let mut tx = self.begin().await?;
        sqlx::query(LOOK_MAX).execute(&mut *tx).await?;
        let sql = format!(
            "SELECT d.*, k.number, k.title, k.owner FROM ({}) d LEFT JOIN ticket k ON k.id = d.ticket_id
             ORDER BY d.since, d.kind, d.ticket_id, d.item LIMIT $9",
            all(kinds, " ORDER BY a.since LIMIT $9")
        );
        let rows = bound(&sql, tenants, since, limit).fetch_all(&mut *tx).await?;
        let found = rows.iter().map(dust).collect::<Result<Vec<_>, StoreError>>()?;
        Ok((found.into_iter().flatten().collect(), counts(&mut tx, tenants, kinds, since).await?))
    }

    /// How much gathers dust at some firms, of each kind; at most [`COUNTED_MAX`].
    pub async fn dust_counts(&self, tenants: &[String], since: &DustSince) -> Result<Vec<DustCount>, StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(LOOK_MAX).execute(&mut *tx).await?;
        counts(&mut tx, tenants, &DustKind::ALL, since).await
    }
}

/// The statements of several kinds, each with this behind it.
fn all(kinds: &[DustKind], tail: &str) -> String {
    let arm =
        |kind: &DustKind| format!("(SELECT * FROM ({}) a(kind, tenant, ticket_id, item, since){tail})", arm(*kind));
    kinds.iter().map(arm).collect::<Vec<_>>().join(" UNION ALL ")
}

async fn counts(
    connection: &mut PgConnection,
    tenants: &[String],
    kinds: &[DustKind],
    since: &DustSince,
) -> Result<Vec<DustCount>, StoreError> {
    let sql = format!("SELECT d.kind, count(*) AS n FROM ({}) d GROUP BY d.kind", all(kinds, " LIMIT $9"));
    let counted = bound(&sql, tenants, since, COUNTED_MAX).fetch_all(connection).await?;
    let mut counts: Vec<DustCount> = kinds.iter().map(|kind| DustCount { kind: *kind, count: 0 }).collect();
    for row in &counted {
        let kind = DustKind::parse(row.try_get("kind")?);
        if let Some(count) = counts.iter_mut().find(|count| Some(count.kind) == kind) {
            count.count = row.try_get("n")?;
        }
    }
    Ok(counts)
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

fn bound<'q>(sql: &str, tenants: &'q [String], since: &DustSince, limit: i64) -> Query<'q> {
    let DustSince { silent, awaited, unanswered, orphaned, calls, suggestions, quarantine } = since;
    let query = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).bind(tenants);
    [silent, awaited, unanswered, orphaned, calls, suggestions, quarantine]
        .into_iter()
        .fold(query, |query, at| query.bind(at.map(sql_time)))
        .bind(limit)
}

fn dust(row: &PgRow) -> Result<Option<Dust>, StoreError> {
    let Some(kind) = DustKind::parse(row.try_get("kind")?) else { return Ok(None) };
    Ok(Some(Dust {
        kind,
        tenant: row.try_get("tenant")?,
        since: time(row, "since")?,
        ticket: row.try_get::<Option<Uuid>, _>("ticket_id")?.map(TicketId),
        number: row.try_get("number")?,
        title: row.try_get("title")?,
        owner: row.try_get("owner")?,
        item: row.try_get("item")?,
    }))
}

/// Writes down what tickets wait for.
pub(super) async fn write_waits(connection: &mut PgConnection, found: &Found<'_>) -> Result<(), StoreError> {
    let waits: Vec<(Uuid, Wait)> = found.kept.iter().filter_map(|kept| Some((kept.ticket.0, kept.wait?))).collect();
    let called = waits.iter().map(|(_, wait)| wait.called);
    sqlx::query(
        "WITH t AS (
            SELECT * FROM unnest($3::uuid[], $4::timestamptz[], $5::bool[], $6::timestamptz[], $7::timestamptz[], $8::uuid[])
                AS t(ticket_id, moved_at, awaited, asked_at, called_at, call_message)
         ), gone AS (
            DELETE FROM ticket_wait w WHERE w.ticket_id = ANY($2) AND NOT w.ticket_id = ANY($3)
         )
         INSERT INTO ticket_wait AS w (tenant, ticket_id, moved_at, awaited, asked_at, called_at, call_message)
         SELECT $1, t.* FROM t ON CONFLICT (ticket_id) DO UPDATE SET moved_at = excluded.moved_at, awaited = excluded.awaited,
            asked_at = excluded.asked_at, called_at = excluded.called_at, call_message = excluded.call_message
         WHERE (w.moved_at, w.awaited, w.asked_at, w.called_at, w.call_message)
            IS DISTINCT FROM (excluded.moved_at, excluded.awaited, excluded.asked_at, excluded.called_at, excluded.call_message)",
    )
    .bind(found.tenant)
    .bind(found.kept.iter().map(|kept| kept.ticket.0).collect::<Vec<_>>())
    .bind(waits.iter().map(|(ticket, _)| *ticket).collect::<Vec<_>>())
    .bind(waits.iter().map(|(_, wait)| sql_time(wait.moved_at)).collect::<Vec<_>>())
    .bind(waits.iter().map(|(_, wait)| wait.is_awaited).collect::<Vec<_>>())
    .bind(waits.iter().map(|(_, wait)| wait.asked_at.map(sql_time)).collect::<Vec<_>>())
    .bind(called.clone().map(|called| called.map(|(at, _)| sql_time(at))).collect::<Vec<_>>())
    .bind(called.map(|called| called.map(|(_, message)| message.0)).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
