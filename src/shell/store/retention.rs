//! What is removed by age, and the files that nothing names afterwards.
//!
//! Tables that grow are partitioned by the month of arrival, and a month goes as a whole when the last of it is
//! older than is kept. What hangs on it in tables without months goes first, so that a run which is cut off
//! leaves nothing that the next one would not find.
//!
//! Deliveries that somebody still needs (they wait for ingest, for a person in the quarantine, for a name
//! server) outlive their month; the rest of it goes.
//!
//! **Invariants:** `seen` and tombstones stay: what was removed does not come back as new. People and tickets
//! are removed under one lock, which every batch holds a share of from before it looks them up until its
//! commit, so that none is removed between. A content is removed only when no row names it and nobody has put it
//! within [`CONTENT_AGE_MIN`]: a put comes before the row that names it.

use super::{Store, StoreError, sql_time};
use crate::pure::domain::Timestamp;
use crate::shell::content::ContentHash;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::time::Duration;
use uuid::Uuid;

/// Held by the daemon that removes, one at a time ("lanka", 2).
const TURN: i64 = 0x6c61_6e6b_6100_0002;

/// Shared by batches, alone for the removal of people and tickets ("lanka", 3).
const WRITERS: i64 = 0x6c61_6e6b_6100_0003;

/// Longest wait for a table that somebody reads: an export may do so for long, and everybody else would wait
/// behind us.
const LOCK_WAIT_MAX: &str = "SET LOCAL lock_timeout = '2s'";

/// Rows removed in one transaction.
const CHUNK_ROWS: i64 = 1_000;

/// A content that was put later than this may belong to a row that is not committed yet.
pub const CONTENT_AGE_MIN: Duration = Duration::from_secs(3600);

/// Contents looked at in one statement.
const CONTENTS_PAGE: i64 = 500;

/// A month of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Month {
    /// The partition.
    pub table: String,
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant of the next.
    pub to: Timestamp,
}

/// What a run has removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// Months of tables.
    pub months: u64,
    /// Deliveries of months that could not go whole.
    pub deliveries: u64,
    /// Deliveries older than is kept that somebody still needs.
    pub needed: u64,
    /// Tickets.
    pub tickets: u64,
    /// Identities.
    pub identities: u64,
    /// Contacts.
    pub contacts: u64,
}

/// Keeps people and tickets from being removed until the transaction ends. Everything that such a transaction looks
/// up has an index, and goes by it from here on: before a table is analysed for the first time Postgres believes it
/// to be small, reads it whole, and keeps to that plan while the table grows.
pub(super) async fn hold_off(connection: &mut PgConnection) -> Result<(), StoreError> {
    // Compilation would be thought worth its while where a whole table has to be read after all.
    let sql = "SELECT pg_advisory_xact_lock_shared($1), set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)";
    sqlx::query(sql).bind(WRITERS).execute(connection).await?;
    Ok(())
}

/// Waits until nobody decides anything, and lets nobody begin until the transaction ends.
pub(super) async fn alone(connection: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(WRITERS).execute(connection).await?;
    Ok(())
}

/// Writes down, in the transaction that takes their names away, that contents may be nobody's.
/// [`Store::forget_contents`] removes them after the commit.
pub async fn unname(connection: &mut PgConnection, contents: &[ContentHash]) -> Result<(), StoreError> {
    if contents.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO unnamed_content SELECT DISTINCT hash FROM unnest($1::bytea[]) AS hash ON CONFLICT DO NOTHING",
    )
    .bind(contents.iter().map(|hash| &hash.0[..]).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Deliveries between two instants ($1, $2) that somebody needs, by themselves or for bytes that a later one equals.
const NEEDED: &str = "
    WITH wanted AS (
        SELECT raw_event FROM raw_pending
        UNION SELECT raw_event FROM quarantine WHERE state = 'waiting' AND raw_event IS NOT NULL
        UNION SELECT raw_event FROM sender_check
    )
    SELECT DISTINCT n.id FROM wanted w CROSS JOIN LATERAL (
        SELECT id, same_as FROM raw_event r WHERE r.id = w.raw_event LIMIT 1
    ) r CROSS JOIN LATERAL (VALUES (r.id), (r.same_as)) AS n(id)
    WHERE n.id >= lanka_uuid_floor($1) AND n.id < lanka_uuid_floor($2)";

/// Rows of tables without months, by the message they belong to.
const OF_MESSAGES: [&str; 9] = [
    "DELETE FROM ready_answer_use WHERE message_id >= lanka_uuid_floor($1) AND message_id < lanka_uuid_floor($2)",
    "DELETE FROM heard WHERE message_id >= lanka_uuid_floor($1) AND message_id < lanka_uuid_floor($2)",
    "DELETE FROM fact WHERE message_id >= lanka_uuid_floor($1) AND message_id < lanka_uuid_floor($2)",
    "DELETE FROM ticket_reference WHERE message_id >= lanka_uuid_floor($1) AND message_id < lanka_uuid_floor($2)",
    "DELETE FROM suggestion WHERE message_id >= lanka_uuid_floor($1) AND message_id < lanka_uuid_floor($2)",
    "DELETE FROM media_job WHERE message_id >= lanka_uuid_floor($1) AND message_id < lanka_uuid_floor($2)",
    "DELETE FROM sender_check WHERE message_id >= lanka_uuid_floor($1) AND message_id < lanka_uuid_floor($2)",
    "DELETE FROM notice WHERE message_id >= lanka_uuid_floor($1) AND message_id < lanka_uuid_floor($2)",
    "DELETE FROM early_update WHERE event_id >= lanka_uuid_floor($1) AND event_id < lanka_uuid_floor($2)",
];

/// Tickets on which nothing is left ($1: first instant that is kept; $2: the last one looked at).
const TICKETS: &str = "
    SELECT id FROM ticket k WHERE last_at < $1 AND merged_into IS NULL AND id > $2
        AND NOT EXISTS (SELECT 1 FROM message m WHERE m.ticket_id = k.id)
    ORDER BY id LIMIT $3";

const FORGET_TICKETS: [&str; 14] = [
    "DELETE FROM touched t USING ticket k WHERE k.id = t.ticket_id AND (k.id = ANY($1) OR k.merged_into = ANY($1))",
    "DELETE FROM ticket_clock WHERE ticket_id = ANY($1)",
    "DELETE FROM ticket_wait WHERE ticket_id = ANY($1)",
    "DELETE FROM ready_offer WHERE ticket_id = ANY($1)",
    "DELETE FROM again WHERE ticket_id = ANY($1)",
    "DELETE FROM ticket_relation WHERE ticket_id = ANY($1) OR other = ANY($1)",
    "DELETE FROM incident_ticket WHERE ticket_id = ANY($1)",
    "DELETE FROM incident i WHERE i.state = 'closed' AND i.is_over_said AND NOT EXISTS (SELECT 1 FROM incident_ticket t WHERE t.incident_id = i.id)
        AND $1::uuid[] IS NOT NULL",
    "DELETE FROM ticket_participant WHERE ticket_id = ANY($1)",
    "DELETE FROM ticket_reference WHERE ticket_id = ANY($1)",
    "DELETE FROM lane WHERE ticket_id = ANY($1)",
    "DELETE FROM link WHERE object_kind = 'ticket' AND object = ANY($1)",
    "DELETE FROM alias WHERE now = ANY($1)",
    "DELETE FROM ticket WHERE id = ANY($1) OR merged_into = ANY($1)",
];

/// Addresses from which nothing is left.
const IDENTITIES: &str = "
    SELECT id FROM identity i WHERE last_at < $1 AND id > $2
        AND NOT EXISTS (SELECT 1 FROM message m WHERE m.identity_id = i.id)
    ORDER BY id LIMIT $3";

const FORGET_IDENTITIES: [&str; 6] = [
    "DELETE FROM edge e USING former_identity f WHERE f.now = ANY($1) AND (e.identity_a = f.id OR e.identity_b = f.id)",
    "DELETE FROM former_identity WHERE now = ANY($1)",
    "DELETE FROM edge WHERE identity_a = ANY($1) OR identity_b = ANY($1)",
    "DELETE FROM fact WHERE identity_id = ANY($1)",
    "DELETE FROM profile WHERE identity_id = ANY($1)",
    "DELETE FROM identity WHERE id = ANY($1)",
];

/// People without an address.
const CONTACTS: &str = "
    SELECT id FROM contact c WHERE first_at < $1 AND merged_into IS NULL AND id > $2
        AND NOT EXISTS (SELECT 1 FROM identity i WHERE i.contact_id = c.id)
    ORDER BY id LIMIT $3";

const FORGET_CONTACTS: [&str; 6] = [
    "DELETE FROM reconsider WHERE contact_id = ANY($1)",
    "DELETE FROM ticket_participant WHERE contact_id = ANY($1)",
    "DELETE FROM contact_link WHERE keep = ANY($1) OR other = ANY($1)",
    "DELETE FROM link WHERE object_kind = 'contact' AND object = ANY($1)",
    "DELETE FROM alias WHERE now = ANY($1)",
    "DELETE FROM contact WHERE id = ANY($1) OR merged_into = ANY($1)",
];

/// Suggestions of what is not there any more.
const SUGGESTIONS: &str = "
    DELETE FROM suggestion s WHERE
        (target_kind = 'ticket' AND NOT EXISTS (SELECT 1 FROM ticket k WHERE k.id = s.target)
            AND NOT EXISTS (SELECT 1 FROM alias a WHERE a.id = s.target))
        OR (target_kind = 'contact' AND NOT EXISTS (SELECT 1 FROM contact c WHERE c.id = s.target)
            AND NOT EXISTS (SELECT 1 FROM alias a WHERE a.id = s.target))";

/// The right to remove, for as long as this lives: the connection is its own, and the lock ends with it.
pub struct Turn(PgConnection);

impl Turn {
    /// Gives it back, and waits until it is: a connection that is closed keeps its locks until Postgres notices.
    pub async fn end(mut self) -> Result<(), StoreError> {
        sqlx::query("SELECT pg_advisory_unlock($1)").bind(TURN).execute(&mut self.0).await?;
        Ok(self.0.close().await?)
    }
}

impl Store {
    /// The right to remove, if no other daemon has it at this moment.
    pub async fn retention_turn(&self) -> Result<Option<Turn>, StoreError> {
        let mut connection = self.pool.acquire().await?.detach();
        let has: bool =
            sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(TURN).fetch_one(&mut connection).await?;
        Ok(has.then_some(Turn(connection)))
    }

    /// The months of a table that end before an instant, the oldest first.
    pub async fn months_before(&self, table: &str, kept_from: Timestamp) -> Result<Vec<Month>, StoreError> {
        let rows: Vec<(String, jiff_sqlx::Timestamp, jiff_sqlx::Timestamp)> = sqlx::query_as(
            "SELECT name, first AT TIME ZONE 'UTC', next AT TIME ZONE 'UTC' FROM (
                SELECT name, first, first + interval '1 month' AS next FROM (
                    SELECT c.relname::text AS name,
                        make_date(left(right(c.relname, 6), 4)::int, right(c.relname, 2)::int, 1)::timestamp AS first
                    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                    WHERE i.inhparent = to_regclass($1) AND c.relname ~ '_[0-9]{6}$'
                ) c
             ) m WHERE next AT TIME ZONE 'UTC' <= $2 ORDER BY first",
        )
        .bind(table)
        .bind(sql_time(kept_from))
        .fetch_all(&self.pool)
        .await?;
        let month = |(table, from, to): (String, jiff_sqlx::Timestamp, jiff_sqlx::Timestamp)| Month {
            table,
            from: from.to_jiff(),
            to: to.to_jiff(),
        };
        Ok(rows.into_iter().map(month).collect())
    }

    /// Removes a month of deliveries but for those that somebody needs.
    pub async fn remove_deliveries(&self, month: &Month) -> Result<Removed, StoreError> {
        // The same bytes that come from now on are kept themselves, not pointed at what goes.
        sqlx::query(
            "DELETE FROM seen WHERE scope LIKE 'raw/%' AND message_id >= lanka_uuid_floor($1) AND message_id < lanka_uuid_floor($2)",
        )
        .bind(sql_time(month.from))
        .bind(sql_time(month.to))
        .execute(&self.pool)
        .await?;
        let mut tx = self.begin().await?;
        sqlx::query(LOCK_WAIT_MAX).execute(&mut *tx).await?;
        // Whoever stores at this moment ends first; then what he pointed at is seen below.
        sqlx::query("LOCK TABLE raw_event IN ACCESS EXCLUSIVE MODE").execute(&mut *tx).await?;
        let needed: Vec<Uuid> =
            sqlx::query_scalar(NEEDED).bind(sql_time(month.from)).bind(sql_time(month.to)).fetch_all(&mut *tx).await?;
        let table = &month.table;
        let names = format!(
            "INSERT INTO unnamed_content SELECT DISTINCT content_hash FROM {table}
             WHERE content_hash IS NOT NULL AND id <> ALL($1) ON CONFLICT DO NOTHING"
        );
        sqlx::query(AssertSqlSafe(names)).bind(&needed).execute(&mut *tx).await?;
        // What waits for a message that has not come in all that time waits no more.
        sqlx::query(
            "DELETE FROM early_act WHERE raw_event >= lanka_uuid_floor($1) AND raw_event < lanka_uuid_floor($2) AND raw_event <> ALL($3)",
        )
        .bind(sql_time(month.from))
        .bind(sql_time(month.to))
        .bind(&needed)
        .execute(&mut *tx)
        .await?;
        let mut removed = Removed { needed: needed.len() as u64, ..Removed::default() };
        if needed.is_empty() {
            sqlx::query(AssertSqlSafe(format!("DROP TABLE {table}"))).execute(&mut *tx).await?;
            removed.months = 1;
        } else {
            let rest = format!("DELETE FROM {table} WHERE id <> ALL($1)");
            removed.deliveries =
                sqlx::query(AssertSqlSafe(rest)).bind(&needed).execute(&mut *tx).await?.rows_affected();
        }
        tx.commit().await?;
        self.forget_months();
        Ok(removed)
    }

    /// Removes what hangs on the messages of a month.
    pub async fn remove_rows_of(&self, month: &Month) -> Result<(), StoreError> {
        for statement in OF_MESSAGES {
            sqlx::query(statement).bind(sql_time(month.from)).bind(sql_time(month.to)).execute(&self.pool).await?;
        }
        Ok(())
    }

    /// Removes a month of any table but that of deliveries.
    pub async fn remove_month(&self, month: &Month) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(LOCK_WAIT_MAX).execute(&mut *tx).await?;
        let table = &month.table;
        if table.starts_with("attachment_") {
            let names = format!(
                "INSERT INTO unnamed_content SELECT DISTINCT content_hash FROM {table}
                 WHERE content_hash IS NOT NULL ON CONFLICT DO NOTHING"
            );
            sqlx::query(AssertSqlSafe(names)).execute(&mut *tx).await?;
        }
        sqlx::query(AssertSqlSafe(format!("DROP TABLE {table}"))).execute(&mut *tx).await?;
        tx.commit().await?;
        self.forget_months();
        Ok(())
    }

    /// Removes tickets without messages, addresses without messages, and people without addresses, as far as they
    /// are older than an instant.
    pub async fn remove_bare(&self, kept_from: Timestamp) -> Result<Removed, StoreError> {
        let tickets = self.remove_chunks(TICKETS, &FORGET_TICKETS, kept_from).await?;
        let identities = self.remove_chunks(IDENTITIES, &FORGET_IDENTITIES, kept_from).await?;
        let contacts = self.remove_chunks(CONTACTS, &FORGET_CONTACTS, kept_from).await?;
        sqlx::query(SUGGESTIONS).execute(&self.pool).await?;
        Ok(Removed { tickets, identities, contacts, ..Removed::default() })
    }

    async fn remove_chunks(
        &self,
        select: &'static str,
        forget: &[&'static str],
        kept_from: Timestamp,
    ) -> Result<u64, StoreError> {
        let (mut removed, mut after) = (0, Uuid::nil());
        loop {
            let mut tx = self.begin().await?;
            alone(&mut tx).await?;
            let ids: Vec<Uuid> = sqlx::query_scalar(select)
                .bind(sql_time(kept_from))
                .bind(after)
                .bind(CHUNK_ROWS)
                .fetch_all(&mut *tx)
                .await?;
            let Some(last) = ids.last() else { return Ok(removed) };
            for statement in forget {
                sqlx::query(*statement).bind(&ids).execute(&mut *tx).await?;
            }
            tx.commit().await?;
            after = *last;
            removed += ids.len() as u64;
        }
    }

    /// Removes contents that were [unnamed](unname) and that no row names. One that was put lately stays until
    /// [`Store::forget_unnamed`] comes by. What cannot be removed now is told in the log and tried again then.
    pub async fn forget_contents(&self, contents: Vec<ContentHash>) {
        for hash in contents {
            if let Err(error) = self.forget_content(hash, CONTENT_AGE_MIN).await {
                tracing::warn!(code = "content_left", content.hash = %hash, %error,
                    "a content that was erased could not be removed; it is tried again within the hour");
            }
        }
    }

    /// Writes down that a content which was just put may be nobody's. It goes within the hours.
    pub async fn unname(&self, content: ContentHash) -> Result<(), StoreError> {
        unname(&mut *self.pool.acquire().await?, &[content]).await
    }

    /// Removes what [`Store::forget_contents`] had to leave, as far as nobody has put it within `age`.
    pub async fn forget_unnamed(&self, age: Duration) -> Result<(), StoreError> {
        let mut after: Vec<u8> = Vec::new();
        loop {
            let page: Vec<Vec<u8>> = sqlx::query_scalar(
                "SELECT content_hash FROM unnamed_content WHERE content_hash > $1 ORDER BY content_hash LIMIT $2",
            )
            .bind(&after)
            .bind(CONTENTS_PAGE)
            .fetch_all(&self.pool)
            .await?;
            let Some(last) = page.last() else { return Ok(()) };
            for hash in page.iter().filter_map(|hash| ContentHash::try_from(hash.as_slice()).ok()) {
                self.forget_content(hash, age).await?;
            }
            after.clone_from(last);
        }
    }

    async fn forget_content(&self, hash: ContentHash, age: Duration) -> Result<(), StoreError> {
        let is_named: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM raw_event WHERE content_hash = $1) OR EXISTS (SELECT 1 FROM attachment WHERE content_hash = $1)",
        )
        .bind(&hash.0[..])
        .fetch_one(&self.pool)
        .await?;
        if is_named || self.content.remove_older_than(hash, age).await? {
            sqlx::query("DELETE FROM unnamed_content WHERE content_hash = $1")
                .bind(&hash.0[..])
                .execute(&self.pool)
                .await?;
        }
        Ok(())
    }
}
