//! Senders who could not be checked: noted in the deciding transaction, claimed when due, settled.
//!
//! A sender who turns out to be who he says raises the assurance of his identity and of what the message
//! stated, and the agents' tools are told. What was decided on less is not decided anew: nothing was joined
//! on the strength of a message that nobody vouched for, so nothing has to be taken back.
//!
//! **Invariant:** a claim is the later `due_at`, so that a check that never ends is only late.

use super::{Store, StoreError, lock_key, lock_sorted, sql_time};
use crate::pure::domain::Timestamp;
use crate::pure::domain::decision::Reason;
use crate::pure::domain::id::{EventId, IdMint, MessageId, OutboxId};
use crate::pure::domain::identity::Assurance;
use crate::pure::domain::message::{Authentication, Finding, SenderCheck};
use crate::pure::domain::outbox::Change;
use crate::pure::domain::say::OnSender;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// How long a claim holds, in seconds: longer than a check may take.
const CLAIM_S: f64 = 120.0;

/// A message whose sender is to be checked.
#[derive(Debug, Clone)]
pub struct Due {
    /// The message.
    pub message: MessageId,
    /// Its delivery.
    pub raw_event: Uuid,
    /// The firm.
    pub tenant: String,
    /// The channel.
    pub channel: String,
    /// Checks so far, this one included.
    pub tries: i32,
    /// When the mail came.
    pub since: Timestamp,
}

/// How a later check ended.
#[derive(Debug, Clone, Copy)]
pub enum Verdict {
    /// It is known now.
    Found(SenderCheck),
    /// Once more, not before.
    Again(Timestamp),
    /// It will never be known.
    Never,
}

/// Notes messages whose senders are to be checked again, in the transaction that decides them.
pub async fn want(
    connection: &mut PgConnection,
    tenant: &str,
    wanted: &[(Uuid, Uuid, &str, Timestamp)],
    now: Timestamp,
) -> Result<(), StoreError> {
    if wanted.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO sender_check (tenant, message_id, raw_event, channel, since, due_at)
         SELECT $1, t.*, $6 FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[]) AS t
         ON CONFLICT (message_id) DO NOTHING",
    )
    .bind(tenant)
    .bind(wanted.iter().map(|w| w.0).collect::<Vec<_>>())
    .bind(wanted.iter().map(|w| w.1).collect::<Vec<_>>())
    .bind(wanted.iter().map(|w| w.2).collect::<Vec<_>>())
    .bind(wanted.iter().map(|w| sql_time(w.3)).collect::<Vec<_>>())
    .bind(sql_time(now))
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// Takes up to `limit` messages that are due; the transaction ends before anybody is asked.
    pub async fn claim_sender_checks(&self, limit: i64, now: Timestamp) -> Result<Vec<Due>, StoreError> {
        let rows = sqlx::query(
            "UPDATE sender_check SET tries = tries + 1, due_at = $2 + make_interval(secs => $3)
             WHERE message_id IN (SELECT message_id FROM sender_check WHERE due_at <= $2 ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
             RETURNING message_id, raw_event, tenant, channel, tries, since",
        )
        .bind(limit)
        .bind(sql_time(now))
        .bind(CLAIM_S)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let since: jiff_sqlx::Timestamp = row.try_get("since")?;
                Ok(Due {
                    message: MessageId(row.try_get("message_id")?),
                    raw_event: row.try_get("raw_event")?,
                    tenant: row.try_get("tenant")?,
                    channel: row.try_get("channel")?,
                    tries: row.try_get("tries")?,
                    since: since.to_jiff(),
                })
            })
            .collect()
    }

    /// Records how a check ended; `mirrors` hear of what is known now.
    pub async fn settle_sender_check(
        &self,
        due: &Due,
        verdict: &Verdict,
        mirrors: &[String],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if let Verdict::Again(due_at) = verdict {
            sqlx::query("UPDATE sender_check SET due_at = $2 WHERE message_id = $1")
                .bind(due.message.0)
                .bind(sql_time(*due_at))
                .execute(&self.pool)
                .await?;
            return Ok(());
        }
        let mut tx = self.begin().await?;
        let known = learnt(verdict);
        let done = sqlx::query("DELETE FROM sender_check WHERE message_id = $1").bind(due.message.0);
        if done.execute(&mut *tx).await?.rows_affected() > 0 {
            let mut mint = self.mint();
            let ticket = write(&mut tx, due, &known, &mut mint, now).await?;
            if let Some(ticket) = ticket {
                tell(&mut tx, due, ticket, mirrors, &mut mint, now).await?;
            }
        }
        tx.commit().await?;
        self.deliver_wake.notify_one();
        Ok(())
    }
}

/// What a message is to say now.
struct Learnt {
    assurance: Assurance,
    verdict: &'static str,
    reason: Reason,
    marks: Vec<&'static str>,
}

fn learnt(verdict: &Verdict) -> Learnt {
    let Verdict::Found(SenderCheck { verdict, finding }) = verdict else {
        return Learnt {
            assurance: Assurance::Asserted,
            verdict: "unknown",
            reason: Reason::new("sender_checked_later", OnSender::SenderNeverChecked),
            marks: vec!["unverified"],
        };
    };
    let (assurance, word, marks) = match verdict {
        Authentication::Pass => (Assurance::Verified, "pass", Vec::new()),
        Authentication::Aligned => (Assurance::Plausible, "aligned", Vec::new()),
        Authentication::Fail => (Assurance::Contradicted, "fail", vec!["contradicted"]),
        Authentication::None | Authentication::Unknown if *finding == Finding::Unaligned => {
            (Assurance::Asserted, "none", vec!["unverified", "unaligned"])
        }
        Authentication::None | Authentication::Unknown => (Assurance::Asserted, "none", vec!["unverified"]),
    };
    let reason = Reason::new("sender_checked_later", OnSender::SenderChecked { finding: *finding });
    Learnt { assurance, verdict: word, reason, marks }
}

/// Writes what is known now: on the message, its identity and its facts, into the journal of the ticket and
/// the reasons of the decision. Gives the ticket, if it is on one.
async fn write(
    connection: &mut PgConnection,
    due: &Due,
    known: &Learnt,
    mint: &mut IdMint,
    now: Timestamp,
) -> Result<Option<Uuid>, StoreError> {
    let row: Option<(Option<Uuid>, Option<Uuid>, Option<Uuid>, Vec<String>)> = sqlx::query_as(
        "SELECT m.ticket_id, m.identity_id, i.contact_id, m.marks FROM message m LEFT JOIN identity i ON i.id = m.identity_id
         WHERE m.id = $1 AND m.redacted_at IS NULL",
    )
    .bind(due.message.0)
    .fetch_optional(&mut *connection)
    .await?;
    let Some((ticket, identity, contact, marks)) = row else { return Ok(None) };
    // Ingest writes identities that it has locked so; it must not write ours away.
    lock_sorted(connection, contact.iter().map(|contact| lock_key(*contact)).collect()).await?;
    lock_sorted(connection, ticket.iter().map(|ticket| lock_key(*ticket)).collect()).await?;
    // A domain that looks like ours vouches for the wrong one, now as before.
    let is_believed = !marks.iter().any(|mark| mark == "lookalike" || mark == "several_senders");
    let assurance = if is_believed { known.assurance } else { known.assurance.min(Assurance::Asserted) };
    let mut added: Vec<&str> = known.marks.clone();
    if !is_believed && assurance == Assurance::Asserted {
        added.push("unverified");
    }
    sqlx::query(
        "UPDATE message SET assurance = $2,
            marks = (SELECT coalesce(array_agg(DISTINCT mark), '{}')
                FROM unnest(array_remove(array_remove(marks, 'unchecked'), 'unverified') || $3::text[]) AS mark)
         WHERE id = $1",
    )
    .bind(due.message.0)
    .bind(assurance.level())
    .bind(added)
    .execute(&mut *connection)
    .await?;
    if assurance > Assurance::Asserted {
        sqlx::query("UPDATE identity SET assurance = greatest(assurance, $2) WHERE id = $1")
            .bind(identity)
            .bind(assurance.level())
            .execute(&mut *connection)
            .await?;
        sqlx::query("UPDATE fact SET assurance = greatest(assurance, $2) WHERE message_id = $1")
            .bind(due.message.0)
            .bind(assurance.level())
            .execute(&mut *connection)
            .await?;
    } else if assurance == Assurance::Contradicted {
        // What a denied sender states is nobody's.
        sqlx::query("DELETE FROM fact WHERE message_id = $1").bind(due.message.0).execute(&mut *connection).await?;
    }
    let event: EventId = mint.next(now);
    sqlx::query(
        "INSERT INTO ticket_event (tenant, id, ticket_id, kind, message_id, data, at) VALUES ($1, $2, $3, 'sender_checked', $4, $5, $6)",
    )
    .bind(&due.tenant)
    .bind(event.0)
    .bind(ticket)
    .bind(due.message.0)
    .bind(serde_json::json!({ "verdict": known.verdict, "says": known.reason.says, "tries": due.tries }))
    .bind(sql_time(now))
    .execute(&mut *connection)
    .await?;
    sqlx::query("UPDATE decision SET reasons = reasons || $2 WHERE message_id = $1")
        .bind(due.message.0)
        .bind(serde_json::json!([known.reason]))
        .execute(connection)
        .await?;
    Ok(ticket)
}

/// Tells the mirrors that the message says something else now.
async fn tell(
    connection: &mut PgConnection,
    due: &Due,
    ticket: Uuid,
    mirrors: &[String],
    mint: &mut IdMint,
    now: Timestamp,
) -> Result<(), StoreError> {
    // Only those that heard of the message: history that was taken in quietly stays so.
    let lanes: Vec<(String, i64)> = sqlx::query_as(
        "UPDATE lane SET last_sequence = last_sequence + 1 WHERE ticket_id = $1 AND mirror = ANY($2)
            AND EXISTS (SELECT 1 FROM outbox o WHERE o.ticket_id = $1 AND o.mirror = lane.mirror AND o.message_id = $3)
         RETURNING mirror, last_sequence",
    )
    .bind(ticket)
    .bind(mirrors)
    .bind(due.message.0)
    .fetch_all(&mut *connection)
    .await?;
    let ids: Vec<Uuid> = lanes
        .iter()
        .map(|_| {
            let id: OutboxId = mint.next(now);
            id.0
        })
        .collect();
    let (names, sequences): (Vec<&str>, Vec<i64>) =
        lanes.iter().map(|(mirror, sequence)| (mirror.as_str(), *sequence)).unzip();
    sqlx::query(
        "INSERT INTO outbox (tenant, id, mirror, ticket_id, sequence, change, message_id, decided_at, due_at)
         SELECT $1, t.id, t.mirror, $2, t.sequence, $3, $4, $5, $5
         FROM unnest($6::uuid[], $7::text[], $8::bigint[]) AS t(id, mirror, sequence)",
    )
    .bind(&due.tenant)
    .bind(ticket)
    .bind(Change::MessageUpdated.as_str())
    .bind(due.message.0)
    .bind(sql_time(now))
    .bind(ids)
    .bind(names)
    .bind(sequences)
    .execute(connection)
    .await?;
    Ok(())
}
