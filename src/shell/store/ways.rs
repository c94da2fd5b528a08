//! The state of every way in and out, for `lanka channels` and `lanka outbox`.

use super::facts::time;
use super::{Store, StoreError, sql_time};
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::*;
use serde::Serialize;
use sqlx::Row;
use uuid::Uuid;

/// What the database knows of a channel.
#[derive(Debug, Clone, Default)]
pub struct ChannelState {
    /// When the last delivery was stored.
    pub last_at: Option<Timestamp>,
    /// Deliveries that wait for ingest.
    pub waiting: i64,
    /// Faults that wait in quarantine.
    pub quarantined: i64,
    /// Files yet to be fetched from the vendor.
    pub files_waiting: i64,
    /// Files that could not be fetched and are lost.
    pub files_lost: i64,
    /// When the intake last moved its cursor.
    pub cursor_moved_at: Option<Timestamp>,
}

/// Mails of one channel that came in somebody's name and whose domain denies them.
#[derive(Debug, Clone)]
pub struct Denied {
    /// The channel.
    pub channel: String,
    /// How many.
    pub count: i64,
    /// The latest of them.
    pub latest: MessageId,
}

/// Programs that answer mail on tickets where the desk answers, by channel.
#[derive(Debug, Clone)]
pub struct Looping {
    /// The channel.
    pub channel: String,
    /// Automatic messages that count against one contact, on the ticket that has most.
    pub count: i64,
    /// That ticket's number.
    pub ticket: i64,
}

/// A change that a mirror will never take by itself.
#[derive(Debug, Clone, Serialize)]
pub struct DeadPost {
    /// The row.
    pub id: OutboxId,
    /// The mirror.
    pub mirror: String,
    /// The ticket.
    pub ticket_id: TicketId,
    /// The position in its lane.
    pub sequence: i64,
    /// What changed.
    pub change: String,
    /// The message concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// How often it was tried.
    pub attempts: i32,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// What the last attempt met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Store {
    /// The state of channels, given by tenant and name, in the order given.
    pub async fn channel_states(&self, channels: &[(String, String)]) -> Result<Vec<ChannelState>, StoreError> {
        let (tenants, names): (Vec<&str>, Vec<&str>) =
            channels.iter().map(|(tenant, name)| (tenant.as_str(), name.as_str())).unzip();
        // The last delivery is looked for backwards from now: a channel that works is found at once.
        let rows = sqlx::query(
            "WITH wanted AS (SELECT * FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS t(tenant, channel, place)),
             waiting AS (SELECT r.tenant, r.channel, count(*) AS n FROM raw_pending p JOIN raw_event r ON r.id = p.raw_event GROUP BY 1, 2),
             held AS (SELECT tenant, channel, count(*) AS n FROM quarantine WHERE state = 'waiting' GROUP BY 1, 2),
             moved AS (SELECT tenant, channel, max(moved_at) AS at FROM cursor GROUP BY 1, 2),
             files AS (SELECT tenant, channel, count(*) FILTER (WHERE state <> 'dead') AS waiting, count(*) FILTER (WHERE state = 'dead') AS lost
                FROM media_job WHERE state <> 'done' GROUP BY 1, 2)
             SELECT (SELECT r.received_at FROM raw_event r WHERE r.tenant = w.tenant AND r.channel = w.channel ORDER BY r.id DESC LIMIT 1) AS last_at,
                coalesce(p.n, 0) AS waiting, coalesce(h.n, 0) AS quarantined, m.at AS cursor_moved_at,
                coalesce(f.waiting, 0) AS files_waiting, coalesce(f.lost, 0) AS files_lost
             FROM wanted w LEFT JOIN waiting p USING (tenant, channel) LEFT JOIN held h USING (tenant, channel)
                LEFT JOIN moved m USING (tenant, channel) LEFT JOIN files f USING (tenant, channel) ORDER BY w.place",
        )
        .bind(tenants)
        .bind(names)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let instant = |column: &str| -> Result<Option<Timestamp>, StoreError> {
                    Ok(row.try_get::<Option<jiff_sqlx::Timestamp>, _>(column)?.map(|at| at.to_jiff()))
                };
                Ok(ChannelState {
                    last_at: instant("last_at")?,
                    waiting: row.try_get("waiting")?,
                    quarantined: row.try_get("quarantined")?,
                    files_waiting: row.try_get("files_waiting")?,
                    files_lost: row.try_get("files_lost")?,
                    cursor_moved_at: instant("cursor_moved_at")?,
                })
            })
            .collect()
    }

    /// Mails since an instant whose sender's domain denies them, by channel.
    pub async fn denied_since(&self, since: Timestamp) -> Result<Vec<Denied>, StoreError> {
        let rows: Vec<(String, i64, Uuid)> = sqlx::query_as(
            "SELECT channel, count(*), (array_agg(id ORDER BY id DESC))[1] FROM message
             WHERE id >= lanka_uuid_floor($1) AND 'contradicted' = ANY(marks) GROUP BY channel",
        )
        .bind(sql_time(since))
        .fetch_all(&self.pool)
        .await?;
        let denied = |(channel, count, latest)| Denied { channel, count, latest: MessageId(latest) };
        Ok(rows.into_iter().map(denied).collect())
    }

    /// Programs that have answered mail since an instant on tickets where the desk wrote too.
    pub async fn looping_since(&self, since: Timestamp) -> Result<Vec<Looping>, StoreError> {
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(
            "WITH counted AS (
                SELECT m.ticket_id, p.contact_id, min(m.channel) AS channel, count(*) AS n FROM message m
                LEFT JOIN identity i ON i.id = m.identity_id
                LEFT JOIN ticket_participant p ON p.ticket_id = m.ticket_id AND p.contact_id = i.contact_id
                WHERE m.id >= lanka_uuid_floor($1) AND m.direction = 'from_customer'
                    AND m.auto IN ('bounce', 'vacation', 'generated') GROUP BY 1, 2
             ), looping AS (
                SELECT ticket_id, min(channel) AS channel, (coalesce(max(n) FILTER (WHERE contact_id IS NOT NULL), 0)
                    + coalesce(sum(n) FILTER (WHERE contact_id IS NULL), 0))::bigint AS n FROM counted GROUP BY 1
             )
             SELECT l.channel, max(l.n), (array_agg(t.number ORDER BY l.n DESC))[1] FROM looping l JOIN ticket t ON t.id = l.ticket_id
             WHERE EXISTS (SELECT 1 FROM message a WHERE a.ticket_id = l.ticket_id AND a.id >= lanka_uuid_floor($1)
                AND a.direction = 'from_agent' AND NOT 'internal' = ANY(a.marks)) GROUP BY l.channel",
        )
        .bind(sql_time(since))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(channel, count, ticket)| Looping { channel, count, ticket }).collect())
    }

    /// The dead rows of the outbox, the oldest first.
    pub async fn dead_posts(&self, limit: i64) -> Result<Vec<DeadPost>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, mirror, ticket_id, sequence, change, message_id, attempts, decided_at, why FROM outbox
             WHERE state = 'dead' ORDER BY id LIMIT $1",
        )
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(DeadPost {
                    id: OutboxId(row.try_get("id")?),
                    mirror: row.try_get("mirror")?,
                    ticket_id: TicketId(row.try_get("ticket_id")?),
                    sequence: row.try_get("sequence")?,
                    change: row.try_get("change")?,
                    message_id: row.try_get::<Option<Uuid>, _>("message_id")?.map(MessageId),
                    attempts: row.try_get("attempts")?,
                    decided_at: time(row, "decided_at")?,
                    why: row.try_get("why")?,
                })
            })
            .collect()
    }

    /// Makes dead rows pending again, due at once: these, or all. Gives how many.
    pub async fn revive_posts(&self, ids: Option<&[OutboxId]>, now: Timestamp) -> Result<u64, StoreError> {
        let ids: Option<Vec<Uuid>> = ids.map(|ids| ids.iter().map(|id| id.0).collect());
        let done = sqlx::query(
            "UPDATE outbox SET state = 'pending', due_at = $2, attempts = 0, settled_at = NULL
             WHERE state = 'dead' AND ($1::uuid[] IS NULL OR id = ANY($1)) AND (SELECT pg_notify('lanka_deliver', '') IS NOT NULL)",
        )
        .bind(ids)
        .bind(sql_time(now))
        .execute(&self.pool)
        .await?;
        self.deliver_wake.notify_one();
        Ok(done.rows_affected())
    }
}
