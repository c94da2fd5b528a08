//! Files to be fetched from vendors: wanted in the deciding transaction, claimed, settled.
//!
//! ```text
//! pending ──claim──► claimed ──settle──► done | dead (lost)
//!    ▲                  │
//!    └── again (later due_at), or the claimant is gone, or the claim outlived its deadline (rescue)
//!    ▲                                        │
//!    └────── asked for again by a person ─────┘
//! ```
//!
//! A claim holds while its claimant is there ([`super::presence`]). A message that is taken back takes its jobs along
//! ([`take_back`]): what is being fetched then is settled by nobody, and its bytes go again.
//!
//! **Invariants:** a file is settled by whoever holds its claim, once. Locks are taken in the order in which deciding
//! takes them: message, job, attachment, lanes. What is told to mirrors goes to lanes that are there already: a mirror
//! that never heard of the ticket hears nothing of its files.

use super::facts::time;
use super::presence::Claimant;
use super::{Store, StoreError, sql_time};
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::{EventId, MessageId, OutboxId};
use crate::pure::domain::outbox::Change;
use crate::shell::content::{ContentHash, Stored};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// Why a file is not kept that is larger than the limit.
pub const TOO_LARGE: &str = "larger than content.attachment_bytes_max";

/// A file that this process may fetch until the claim's deadline.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The message it came with.
    pub message: MessageId,
    /// Its place among the message's attachments, from 0.
    pub ordinal: i32,
    /// The firm.
    pub tenant: String,
    /// The channel whose vendor has it.
    pub channel: String,
    /// Where, as the channel reads it.
    pub remote: String,
    /// The media type stated with the message.
    pub media_type: String,
    /// SHA-256 as stated with the message.
    pub sha256: Option<[u8; 32]>,
    /// When the vendor stops giving it out.
    pub expires_at: Option<Timestamp>,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    /// What the last attempt met.
    pub why: Option<String>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It is in the content store.
    Fetched {
        /// Its name there, and its size.
        stored: Stored,
        /// What it is.
        media_type: String,
    },
    /// Once more, later.
    Again {
        /// Not before.
        due_at: Timestamp,
        /// A sentence without customers' data.
        why: String,
    },
    /// It will never be here: shown in the thread.
    Lost {
        /// A sentence without customers' data.
        why: String,
        /// Its size in bytes, if that is known.
        bytes: Option<u64>,
    },
}

/// How the files of one channel stand that are not here.
#[derive(Debug, Clone)]
pub struct MediaState {
    /// The channel.
    pub channel: String,
    /// Yet to be fetched, or being fetched.
    pub waiting: i64,
    /// Being fetched.
    pub claimed: i64,
    /// When the oldest of them came.
    pub oldest: Option<Timestamp>,
    /// When the next is due.
    pub due_at: Option<Timestamp>,
    /// What the last failure said.
    pub why: Option<String>,
}

/// Lost files that a person asks for again: one page of them.
#[derive(Debug, Clone, Default)]
pub struct Lost {
    /// Those that are put back, by message and place.
    pub again: Vec<(MessageId, i32)>,
    /// How many stay lost, for their vendors do not give them out any more.
    pub expired: u64,
    /// Where the next page begins; `None` at the end.
    pub next: Option<(MessageId, i32)>,
}

/// What became of files that were asked for again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Became {
    /// Here now.
    pub fetched: i64,
    /// Yet to come.
    pub waiting: i64,
    /// Lost as before.
    pub lost: i64,
}

/// A row of [`want`].
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    /// The message.
    pub message: Uuid,
    /// The attachment's place.
    pub ordinal: i32,
    /// The channel.
    pub channel: &'a str,
    /// SHA-256 as the delivery states it.
    pub sha256: Option<[u8; 32]>,
    /// When the vendor stops giving it out.
    pub expires_at: Option<Timestamp>,
}

/// Notes files that are to be fetched, in the transaction that writes their attachments. One that was noted before, or is
/// here already, is not noted again.
pub async fn want(
    connection: &mut PgConnection,
    tenant: &str,
    files: &[New<'_>],
    now: Timestamp,
) -> Result<(), StoreError> {
    if files.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO media_job (tenant, due_at, message_id, ordinal, channel, sha256, expires_at)
         SELECT $1, $2, t.* FROM unnest($3::uuid[], $4::int[], $5::text[], $6::bytea[], $7::timestamptz[])
            AS t(message_id, ordinal, channel, sha256, expires_at)
         JOIN attachment a ON a.message_id = t.message_id AND a.ordinal = t.ordinal
         WHERE a.remote IS NOT NULL AND a.content_hash IS NULL AND a.lost IS NULL
         ON CONFLICT (message_id, ordinal) DO NOTHING",
    )
    .bind(tenant)
    .bind(sql_time(now))
    .bind(files.iter().map(|file| file.message).collect::<Vec<_>>())
    .bind(files.iter().map(|file| file.ordinal).collect::<Vec<_>>())
    .bind(files.iter().map(|file| file.channel).collect::<Vec<_>>())
    .bind(files.iter().map(|file| file.sha256.map(|sha256| sha256.to_vec())).collect::<Vec<_>>())
    .bind(files.iter().map(|file| file.expires_at.map(sql_time)).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes the files of messages away that were taken back or erased: none is fetched any more, and those that are here lose
/// their names. The caller holds the messages' rows. Gives the contents that are to be forgotten after the commit.
pub async fn take_back(
    connection: &mut PgConnection,
    messages: &[Uuid],
    why: &str,
) -> Result<Vec<ContentHash>, StoreError> {
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query("DELETE FROM media_job WHERE message_id = ANY($1)").bind(messages).execute(&mut *connection).await?;
    let contents: Vec<Option<Vec<u8>>> = sqlx::query_scalar(
        "WITH gone AS (SELECT message_id, ordinal, content_hash FROM attachment WHERE message_id = ANY($1) FOR UPDATE)
         UPDATE attachment a SET name = NULL, remote = NULL, content_hash = NULL, bytes = 0, lost = $2
         FROM gone WHERE a.message_id = gone.message_id AND a.ordinal = gone.ordinal RETURNING gone.content_hash",
    )
    .bind(messages)
    .bind(why)
    .fetch_all(connection)
    .await?;
    Ok(contents.iter().flatten().filter_map(|hash| hash.as_slice().try_into().ok()).collect())
}

const CLAIM: &str = "
    UPDATE media_job j SET state = 'claimed', attempts = attempts + 1, claimed_until = $2, claimant = $3
    FROM attachment a
    WHERE a.message_id = j.message_id AND a.ordinal = j.ordinal AND (j.message_id, j.ordinal) IN (
        SELECT message_id, ordinal FROM media_job WHERE state = 'pending' AND due_at <= $1
        ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED)
    RETURNING j.message_id, j.ordinal, j.tenant, j.channel, j.sha256, j.expires_at, j.attempts, j.why,
        coalesce(a.remote, '') AS remote, a.media_type";

// As for the outbox: whoever is there holds his lock whole.
const RESCUE: &str = "
    WITH claimants AS MATERIALIZED (
        SELECT DISTINCT claimant FROM media_job WHERE state = 'claimed' AND claimant IS DISTINCT FROM $2::bigint
    ), gone AS MATERIALIZED (
        SELECT claimant FROM claimants WHERE claimant IS NOT NULL AND pg_try_advisory_xact_lock_shared(claimant)
    )
    UPDATE media_job SET state = 'pending', claimed_until = NULL, claimant = NULL, due_at = $1, why = 'the attempt was not finished'
    WHERE state = 'claimed' AND (claimed_until < $1 OR claimant IN (SELECT claimant FROM gone))";

// The way to the vendor's is still known of what is lost, unless its message was taken back.
const LOST: &str = "
    SELECT j.message_id, j.ordinal, coalesce(j.expires_at <= $5, false) FROM media_job j
    JOIN attachment a ON a.message_id = j.message_id AND a.ordinal = j.ordinal
    WHERE j.state = 'dead' AND (j.message_id, j.ordinal) > ($1, $2) AND j.channel = ANY($3)
        AND ($4::timestamptz IS NULL OR j.message_id >= lanka_uuid_floor($4))
        AND a.remote IS NOT NULL AND a.content_hash IS NULL
    ORDER BY j.message_id, j.ordinal LIMIT $6";

const PUT_BACK: &str = "
    WITH again AS (
        UPDATE media_job j SET state = 'pending', attempts = 0, due_at = $3, why = NULL
        FROM unnest($1::uuid[], $2::int[]) AS t(message_id, ordinal)
        WHERE j.message_id = t.message_id AND j.ordinal = t.ordinal AND j.state = 'dead'
        RETURNING j.message_id, j.ordinal)
    UPDATE attachment a SET lost = NULL FROM again
    WHERE a.message_id = again.message_id AND a.ordinal = again.ordinal AND a.remote IS NOT NULL
    RETURNING a.message_id, a.ordinal";

impl Store {
    /// Takes up to `limit` files that are due, while `claimant` is there, and for `claim_s` seconds at most. The
    /// transaction ends before anybody is asked.
    pub async fn claim_media(
        &self,
        limit: i64,
        claimant: Claimant,
        claim_s: i64,
        now: Timestamp,
    ) -> Result<Vec<Wanted>, StoreError> {
        let until = now.saturating_add(jiff::SignedDuration::from_secs(claim_s)).unwrap_or(now);
        let rows = sqlx::query(CLAIM)
            .bind(sql_time(now))
            .bind(sql_time(until))
            .bind(claimant.0)
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        let wanted = |row: &sqlx::postgres::PgRow| {
            let sha256: Option<Vec<u8>> = row.try_get("sha256")?;
            Ok(Wanted {
                message: MessageId(row.try_get("message_id")?),
                ordinal: row.try_get("ordinal")?,
                tenant: row.try_get("tenant")?,
                channel: row.try_get("channel")?,
                remote: row.try_get("remote")?,
                media_type: row.try_get("media_type")?,
                sha256: sha256.and_then(|sha256| sha256.try_into().ok()),
                expires_at: row.try_get::<Option<jiff_sqlx::Timestamp>, _>("expires_at")?.map(|at| at.to_jiff()),
                attempt: row.try_get("attempts")?,
                why: row.try_get("why")?,
            })
        };
        rows.iter().map(wanted).collect()
    }

    /// Puts back what was claimed by somebody who is gone, or did not come back in time. Gives how many.
    pub async fn rescue_media(&self, own: Option<Claimant>, now: Timestamp) -> Result<u64, StoreError> {
        let done = sqlx::query(RESCUE).bind(sql_time(now)).bind(own.map(|own| own.0)).execute(&self.pool).await?;
        Ok(done.rows_affected())
    }

    /// Records how an attempt ended, tells the ticket and those of `mirrors` that know it. Gives whether the claim still
    /// held; if not, nothing was written, and what was fetched belongs to nobody.
    pub async fn settle_media(
        &self,
        wanted: &Wanted,
        settled: &Settled,
        mirrors: &[String],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.ensure_months([now].into_iter()).await?;
        let mut tx = self.begin().await?;
        // A merge that is being written moves the message to another ticket: we go before it, or after it.
        let ticket: Option<Option<Uuid>> = sqlx::query_scalar("SELECT ticket_id FROM message WHERE id = $1 FOR SHARE")
            .bind(wanted.message.0)
            .fetch_optional(&mut *tx)
            .await?;
        if !settle_job(&mut tx, wanted, settled).await? {
            return Ok(false);
        }
        if write_attachment(&mut tx, wanted, settled).await? {
            let ticket = ticket.flatten();
            let (word, why) = match settled {
                Settled::Lost { why, .. } => ("lost", Some(why.as_str())),
                Settled::Fetched { .. } | Settled::Again { .. } => ("fetched", None),
            };
            let detail = serde_json::json!({ "attachment": wanted.ordinal, "state": word, "why": why });
            self.note_event(&mut tx, wanted, ticket, &format!("attachment_{word}"), &detail, now).await?;
            if let Some(ticket) = ticket {
                self.tell(&mut tx, wanted, ticket, mirrors, &detail, now).await?;
            }
        }
        tx.commit().await?;
        self.deliver_wake.notify_one();
        Ok(true)
    }

    async fn note_event(
        &self,
        connection: &mut PgConnection,
        wanted: &Wanted,
        ticket: Option<Uuid>,
        kind: &str,
        detail: &serde_json::Value,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let id: EventId = self.next_id(now);
        sqlx::query("INSERT INTO ticket_event (tenant, id, ticket_id, kind, message_id, data, at) VALUES ($1, $2, $3, $4, $5, $6, $7)")
            .bind(&wanted.tenant)
            .bind(id.0)
            .bind(ticket)
            .bind(kind)
            .bind(wanted.message.0)
            .bind(detail)
            .bind(sql_time(now))
            .execute(connection)
            .await?;
        Ok(())
    }

    /// One change in each lane of the ticket: its sequence is allotted here and has no gap.
    async fn tell(
        &self,
        connection: &mut PgConnection,
        wanted: &Wanted,
        ticket: Uuid,
        mirrors: &[String],
        detail: &serde_json::Value,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // In the order in which deciding takes them, bytes of the name, so that the two never wait for each other.
        let lanes: Vec<(String, i64)> = sqlx::query_as(
            "WITH held AS MATERIALIZED (
                SELECT mirror FROM lane WHERE ticket_id = $1 AND mirror = ANY($2) ORDER BY mirror COLLATE \"C\" FOR UPDATE)
             UPDATE lane SET last_sequence = last_sequence + 1 FROM held
             WHERE lane.ticket_id = $1 AND lane.mirror = held.mirror RETURNING lane.mirror, lane.last_sequence",
        )
        .bind(ticket)
        .bind(mirrors)
        .fetch_all(&mut *connection)
        .await?;
        for (mirror, sequence) in lanes {
            let id: OutboxId = self.next_id(now);
            sqlx::query(
                "INSERT INTO outbox (tenant, id, mirror, ticket_id, sequence, change, message_id, detail, decided_at, due_at)
                 SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $9 WHERE NOT $10 OR (SELECT pg_notify('lanka_deliver', '') IS NOT NULL)",
            )
            .bind(&wanted.tenant)
            .bind(id.0)
            .bind(mirror)
            .bind(ticket)
            .bind(sequence)
            .bind(Change::MessageUpdated.as_str())
            .bind(wanted.message.0)
            .bind(detail)
            .bind(sql_time(now))
            .bind(self.has_peers())
            .execute(&mut *connection)
            .await?;
        }
        Ok(())
    }

    /// Puts the next lost files of these channels back, `limit` of them at most, from messages that came at or after
    /// `since`: as if they had just been delivered. What was taken back or erased is not among them, nor what was
    /// never asked for (imported history).
    ///
    /// # Errors
    /// [`StoreError`]; nothing of this page is put back then.
    pub async fn ask_again_for_lost(
        &self,
        channels: &[&str],
        since: Option<Timestamp>,
        after: Option<(MessageId, i32)>,
        limit: i64,
        now: Timestamp,
    ) -> Result<Lost, StoreError> {
        let mut tx = self.begin().await?;
        let (message, ordinal) = after.map_or((Uuid::nil(), -1), |(message, ordinal)| (message.0, ordinal));
        let page: Vec<(Uuid, i32, bool)> = sqlx::query_as(LOST)
            .bind(message)
            .bind(ordinal)
            .bind(channels)
            .bind(since.map(sql_time))
            .bind(sql_time(now))
            .bind(limit)
            .fetch_all(&mut *tx)
            .await?;
        let (expired, wanted): (Vec<_>, Vec<_>) = page.iter().partition(|(_, _, is_expired)| *is_expired);
        let (messages, ordinals): (Vec<Uuid>, Vec<i32>) = wanted.iter().map(|(id, ordinal, _)| (id, ordinal)).unzip();
        // Whoever takes a message back goes before us, or after us.
        sqlx::query("SELECT id FROM message WHERE id = ANY($1) ORDER BY id FOR SHARE")
            .bind(&messages)
            .execute(&mut *tx)
            .await?;
        let again: Vec<(Uuid, i32)> =
            sqlx::query_as(PUT_BACK).bind(messages).bind(ordinals).bind(sql_time(now)).fetch_all(&mut *tx).await?;
        tx.commit().await?;
        let full = i64::try_from(page.len()).is_ok_and(|rows| rows >= limit);
        Ok(Lost {
            again: again.into_iter().map(|(message, ordinal)| (MessageId(message), ordinal)).collect(),
            expired: expired.len() as u64,
            next: page.last().filter(|_| full).map(|(message, ordinal, _)| (MessageId(*message), *ordinal)),
        })
    }

    /// What became of files so far.
    pub async fn became_of(&self, files: &[(MessageId, i32)]) -> Result<Became, StoreError> {
        let (messages, ordinals): (Vec<Uuid>, Vec<i32>) = files.iter().map(|(id, ordinal)| (id.0, *ordinal)).unzip();
        let row = sqlx::query(
            "SELECT count(*) FILTER (WHERE state = 'done') AS fetched, count(*) FILTER (WHERE state = 'dead') AS lost,
                count(*) FILTER (WHERE state IN ('pending', 'claimed')) AS waiting
             FROM media_job JOIN unnest($1::uuid[], $2::int[]) AS t(message_id, ordinal) USING (message_id, ordinal)",
        )
        .bind(messages)
        .bind(ordinals)
        .fetch_one(&self.pool)
        .await?;
        Ok(Became { fetched: row.try_get("fetched")?, waiting: row.try_get("waiting")?, lost: row.try_get("lost")? })
    }

    /// How the files of each of these channels stand that has any yet to be fetched.
    pub async fn media_states(&self) -> Result<Vec<MediaState>, StoreError> {
        let rows = sqlx::query(
            "SELECT channel, count(*) AS waiting, count(*) FILTER (WHERE state = 'claimed') AS claimed,
                (array_agg(message_id ORDER BY message_id))[1] AS oldest, min(due_at) AS due_at,
                (array_agg(why ORDER BY message_id) FILTER (WHERE why IS NOT NULL))[1] AS why
             FROM media_job WHERE state IN ('pending', 'claimed') GROUP BY channel ORDER BY channel",
        )
        .fetch_all(&self.pool)
        .await?;
        let state = |row: &sqlx::postgres::PgRow| {
            let oldest: Uuid = row.try_get("oldest")?;
            Ok(MediaState {
                channel: row.try_get("channel")?,
                waiting: row.try_get("waiting")?,
                claimed: row.try_get("claimed")?,
                oldest: oldest.get_timestamp().and_then(|at| Timestamp::from_second(at.to_unix().0 as i64).ok()),
                due_at: Some(time(row, "due_at")?),
                why: row.try_get("why")?,
            })
        };
        rows.iter().map(state).collect()
    }
}

/// Whether the claim still held.
async fn settle_job(connection: &mut PgConnection, wanted: &Wanted, settled: &Settled) -> Result<bool, StoreError> {
    let (state, due_at, why) = match settled {
        Settled::Fetched { .. } => ("done", None, None),
        Settled::Again { due_at, why } => ("pending", Some(sql_time(*due_at)), Some(why.as_str())),
        Settled::Lost { why, .. } => ("dead", None, Some(why.as_str())),
    };
    let done = sqlx::query(
        "UPDATE media_job SET state = $4, due_at = coalesce($5, due_at), why = $6, claimed_until = NULL, claimant = NULL
         WHERE message_id = $1 AND ordinal = $2 AND attempts = $3 AND state = 'claimed'",
    )
    .bind(wanted.message.0)
    .bind(wanted.ordinal)
    .bind(wanted.attempt)
    .bind(state)
    .bind(due_at)
    .bind(why)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Whether there was anything to write. Where the bytes are here, the way to the vendor's goes: a signed link lets
/// anybody fetch them.
async fn write_attachment(
    connection: &mut PgConnection,
    wanted: &Wanted,
    settled: &Settled,
) -> Result<bool, StoreError> {
    let size = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    let query = match settled {
        Settled::Again { .. } => return Ok(false),
        Settled::Fetched { stored, media_type } => sqlx::query(
            "UPDATE attachment SET bytes = $3, content_hash = $4, media_type = $5, remote = NULL, lost = NULL
             WHERE message_id = $1 AND ordinal = $2",
        )
        .bind(wanted.message.0)
        .bind(wanted.ordinal)
        .bind(size(stored.bytes))
        .bind(stored.hash.0.to_vec())
        .bind(media_type),
        Settled::Lost { why, bytes } => sqlx::query(
            "UPDATE attachment SET lost = $3, bytes = coalesce($4, bytes) WHERE message_id = $1 AND ordinal = $2",
        )
        .bind(wanted.message.0)
        .bind(wanted.ordinal)
        .bind(why)
        .bind(bytes.map(size)),
    };
    Ok(query.execute(connection).await?.rows_affected() > 0)
}
