//! The outbox: claimed at the head of each lane, settled when the other side has answered.
//!
//! ```text
//! pending ──claim──► claimed ──settle──► delivered | dead
//!    ▲                  │
//!    └── again (later due_at), or the claimant is gone, or the claim outlived its deadline (rescue)
//! ```
//!
//! A claim holds while its claimant is there ([`super::presence`]), and at most until its deadline, which is the net for a
//! process that hangs.
//!
//! **Invariants:** within a lane (mirror and ticket) nothing is claimed while something earlier is
//! neither delivered nor dead; a change that waits for another lane is not claimed before it. An answer is not claimed
//! while a file of it is being fetched from the tool it was given in.

use super::answer::{self, StoredFile};
use super::commit::queue;
use super::presence::Claimant;
use super::reader::Reader;
use super::view::{self, Views};
use super::{Store, StoreError, sql_time};
use crate::pure::decide::answer::Desk;
use crate::pure::decide::lookup::Keyer;
use crate::pure::domain::Timestamp;
use crate::pure::domain::answer::Carried;
use crate::pure::domain::id::*;
use crate::pure::domain::message::RawEvent;
use crate::pure::domain::outbox::{Change, LinkedKind, Links, MessageView, Post, TicketView, carried_by};
use crate::pure::domain::ready::filled;
use crate::pure::domain::say::Say;
use crate::pure::wire::step::{Link, Reply};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use std::collections::HashMap;
use uuid::Uuid;

/// A change that this process may send until the claim's deadline.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The row, and the id the receiver can deduplicate by.
    pub id: OutboxId,
    /// The lane's ticket.
    pub ticket: TicketId,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    /// What the other side answered in earlier steps.
    pub replies: Vec<Reply>,
    /// The change, with all that the mirror may show of it.
    pub post: Post,
    /// Whom an answer on the ticket could go to.
    pub desk: Option<Desk>,
    /// The files of its message whose bytes are here.
    pub files: Vec<StoredFile>,
}

/// What settling an answer needs: whoever was answered may quote it, and mirrors hear how far it came.
#[derive(Debug, Clone, Copy)]
pub struct OfAnswer<'a> {
    /// Makes the firm's look-up keys.
    pub keyer: &'a Keyer,
    /// Its mirrors.
    pub mirrors: &'a [String],
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// The other side has it.
    Delivered,
    /// Once more, later.
    Again {
        /// Not before.
        due_at: Timestamp,
        /// A sentence without customers' data.
        why: String,
    },
    /// It will never be taken: shown, said aloud, and the lane goes on.
    Dead {
        /// A sentence without customers' data.
        why: String,
    },
}

/// How one mirror's outbox stands.
#[derive(Debug, Clone, serde::Serialize)]
pub struct OutboxState {
    /// The mirror.
    pub mirror: String,
    /// Waiting, due or not.
    pub pending: i64,
    /// Being sent.
    pub claimed: i64,
    /// Given up.
    pub dead: i64,
    /// When the oldest that waits was decided.
    pub oldest: Option<Timestamp>,
    /// What the last failure said.
    pub why: Option<String>,
}

impl OutboxState {
    /// Changes that the mirror is yet to take.
    pub fn undelivered(&self) -> i64 {
        self.pending + self.claimed
    }
}

// Each that is due looks for others by its own ticket and nothing else, whatever the planner believes of how many
// wait: OFFSET keeps the questions apart from the join, and the bare comparison of mirrors leaves one index to them.
const CLAIM: &str = "
    UPDATE outbox SET state = 'claimed', attempts = attempts + 1, claimed_until = $3, claimant = $5
    WHERE id IN (
        SELECT o.id FROM outbox o
        WHERE o.mirror = $1 AND o.state = 'pending' AND o.due_at <= $2
          AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.ticket_id = o.ticket_id AND e.mirror || '' = o.mirror
                AND e.sequence < o.sequence AND e.state IN ('pending', 'claimed') OFFSET 0)
          AND (o.after_id IS NULL OR NOT EXISTS (
                SELECT 1 FROM outbox b WHERE b.id = o.after_id AND b.state IN ('pending', 'claimed') OFFSET 0))
          AND (o.change <> 'answer.due' OR NOT EXISTS (SELECT 1 FROM attachment a WHERE a.message_id = o.message_id
                AND a.remote IS NOT NULL AND a.content_hash IS NULL AND a.lost IS NULL OFFSET 0))
        ORDER BY o.due_at, o.id LIMIT $4 FOR UPDATE SKIP LOCKED)
    RETURNING id, tenant, ticket_id, sequence, change, message_id, other_ticket, detail, decided_at, attempts, replies, why";

/// What is said of an attempt that its claimant did not live to settle.
const UNFINISHED: &str = "the attempt was not finished";

// Whoever is there holds his lock whole, so that a share of it cannot be had; two who ask at once do not stand in
// each other's way.
const RESCUE: &str = "
    WITH claimants AS MATERIALIZED (
        SELECT DISTINCT claimant FROM outbox WHERE state = 'claimed' AND claimant IS DISTINCT FROM $2::bigint
    ), gone AS MATERIALIZED (
        SELECT claimant FROM claimants WHERE claimant IS NOT NULL AND pg_try_advisory_xact_lock_shared(claimant)
    )
    UPDATE outbox SET state = 'pending', claimed_until = NULL, claimant = NULL, due_at = $1, why = $3
    WHERE state = 'claimed' AND (claimed_until < $1 OR claimant IN (SELECT claimant FROM gone))";

impl Store {
    /// Claims what is due at the head of each lane of a mirror, at most `limit`, while `claimant` is there, and for
    /// `claim_s` seconds at most.
    pub async fn claim_posts(
        &self,
        mirror: &str,
        limit: i64,
        claimant: Claimant,
        claim_s: i64,
        now: Timestamp,
    ) -> Result<Vec<Claimed>, StoreError> {
        let until = now.saturating_add(jiff::SignedDuration::from_secs(claim_s)).unwrap_or(now);
        let mut connection = self.pool.acquire().await?;
        let rows = sqlx::query(CLAIM)
            .bind(mirror)
            .bind(sql_time(now))
            .bind(sql_time(until))
            .bind(limit)
            .bind(claimant.0)
            .fetch_all(&mut *connection)
            .await?;
        let mut tickets = Vec::new();
        let mut messages = Vec::new();
        for row in &rows {
            tickets.push(row.try_get::<Uuid, _>("ticket_id")?);
            messages.extend(row.try_get::<Option<Uuid>, _>("message_id")?);
        }
        let views = view::load(&mut connection, &tickets, &messages, &self.reader).await?;
        let mut extras = self.extras(&mut connection, mirror, &rows, &views).await?;
        let mut claimed = Vec::with_capacity(rows.len());
        let mut orphans: Vec<Uuid> = Vec::new();
        for row in &rows {
            match post(row, &views, &mut extras, &self.reader)? {
                Some(post) => claimed.push(post),
                None => orphans.push(row.try_get("id")?),
            }
        }
        if !orphans.is_empty() {
            sqlx::query("UPDATE outbox SET state = 'dead', claimed_until = NULL, claimant = NULL, settled_at = $2, why = 'its ticket was removed' WHERE id = ANY($1)")
                .bind(orphans)
                .bind(sql_time(now))
                .execute(&mut *connection)
                .await?;
        }
        claimed.sort_by_key(|claimed| claimed.id);
        Ok(claimed)
    }

    /// What a line needs of rows beside the views: what its tool calls things, whom answers could go to, and files; the
    /// line of a channel what it is to carry.
    async fn extras(
        &self,
        connection: &mut PgConnection,
        mirror: &str,
        rows: &[PgRow],
        views: &Views,
    ) -> Result<Extras, StoreError> {
        let (mut objects, mut tickets, mut messages) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            tickets.push(row.try_get::<Uuid, _>("ticket_id")?);
            messages.extend(row.try_get::<Option<Uuid>, _>("message_id")?);
            objects.extend(row.try_get::<Option<Uuid>, _>("other_ticket")?);
        }
        if carried_by(mirror).is_some() {
            let mut rescued: Vec<Uuid> = Vec::new();
            for row in rows {
                if row.try_get::<Option<&str>, _>("why")? == Some(UNFINISHED) {
                    rescued.extend(row.try_get::<Option<Uuid>, _>("message_id")?);
                }
            }
            return Ok(Extras {
                carried: answer::carried(connection, &messages, &rescued).await?,
                ..Extras::default()
            });
        }
        let ready = ready_texts(connection, rows).await?;
        objects.extend(tickets.iter().chain(&messages));
        objects
            .extend(views.tickets.values().flat_map(|ticket| ticket.participants.iter().map(|contact| contact.id.0)));
        let rows: Vec<(String, Uuid, String)> =
            sqlx::query_as("SELECT object_kind, object, remote_id FROM link WHERE mirror = $1 AND object = ANY($2)")
                .bind(mirror)
                .bind(&objects)
                .fetch_all(&mut *connection)
                .await?;
        let mut links: HashMap<Uuid, Vec<(LinkedKind, String)>> = HashMap::new();
        for (kind, object, remote) in rows {
            links.entry(object).or_default().extend(LinkedKind::parse(&kind).map(|kind| (kind, remote)));
        }
        tickets.sort_unstable();
        tickets.dedup();
        Ok(Extras {
            links,
            desks: answer::of_tickets(connection, &tickets).await?,
            files: answer::files(connection, &messages).await?,
            carried: HashMap::new(),
            ready,
        })
    }

    /// The delivery of a message that came as mail and stands as it came: neither redacted nor edited, its
    /// bytes still stored.
    pub async fn mail_of(&self, message: MessageId) -> Result<Option<RawEvent>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let raw: Option<Uuid> = sqlx::query_scalar(
            "SELECT raw_event FROM message WHERE id = $1 AND namespace = $2 AND redacted_at IS NULL AND edited_at IS NULL",
        )
        .bind(message.0)
        .bind(crate::pure::wire::mime::NAMESPACE)
        .fetch_optional(&mut *connection)
        .await?;
        let Some(raw) = raw else { return Ok(None) };
        let loaded = super::raw_event::load(self, &mut connection, &[raw]).await?.pop();
        Ok(loaded.filter(|loaded| loaded.lost.is_none()).map(|loaded| loaded.event))
    }

    /// Records how an attempt ended. A settle that comes after its claim was lost changes nothing.
    pub async fn settle_post(
        &self,
        id: OutboxId,
        attempt: i32,
        outcome: Settled,
        (replies, links): (&[Reply], &[Link]),
        of_answer: Option<OfAnswer<'_>>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (state, due_at, why) = match outcome {
            Settled::Delivered => ("delivered", now, None),
            Settled::Again { due_at, why } => ("pending", due_at, Some(why)),
            Settled::Dead { why } => ("dead", now, Some(why)),
        };
        let update = sqlx::query(
            "UPDATE outbox SET state = $3, due_at = $4, why = $5, replies = $6, claimed_until = NULL, claimant = NULL,
                settled_at = CASE WHEN $3 = 'pending' THEN NULL ELSE $7 END
             WHERE id = $1 AND state = 'claimed' AND attempts = $2 RETURNING tenant, mirror, ticket_id, message_id",
        )
        .bind(id.0)
        .bind(attempt)
        .bind(state)
        .bind(sql_time(due_at))
        .bind(&why)
        .bind(serde_json::to_value(replies).unwrap_or_default())
        .bind(sql_time(now));
        if links.is_empty() && of_answer.is_none() {
            update.execute(&self.pool).await?;
            return Ok(());
        }
        let mut tx = self.begin().await?;
        if let Some(row) = update.fetch_optional(&mut *tx).await? {
            keep_links(&mut tx, row.try_get("mirror")?, links, now).await?;
            let message: Option<Uuid> = row.try_get("message_id")?;
            if let (Some(of_answer), Some(message), "delivered" | "dead") = (of_answer, message, state) {
                let ended = answer::Ended { message: MessageId(message), links, why: why.as_deref(), now };
                let told = answer::ended(&mut tx, of_answer.keyer, row.try_get("tenant")?, ended).await?;
                let has_peers = self.has_peers();
                queue(&mut tx, row.try_get("tenant")?, &told, of_answer.mirrors, (now, has_peers), &mut self.mint())
                    .await?;
            }
        }
        tx.commit().await?;
        if of_answer.is_some() {
            self.deliver_wake.notify_one();
        }
        Ok(())
    }

    /// Puts back what was claimed by somebody who is gone, or did not come back in time. Gives how many. A claim of
    /// `own` is never probed: who asks is there.
    pub async fn rescue_posts(&self, own: Option<Claimant>, now: Timestamp) -> Result<u64, StoreError> {
        let done = sqlx::query(RESCUE)
            .bind(sql_time(now))
            .bind(own.map(|own| own.0))
            .bind(UNFINISHED)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected())
    }

    /// How the outbox of each mirror stands that has anything undelivered.
    pub async fn outbox_states(&self) -> Result<Vec<OutboxState>, StoreError> {
        let rows = sqlx::query(
            "SELECT mirror, count(*) FILTER (WHERE state = 'pending') AS pending, count(*) FILTER (WHERE state = 'claimed') AS claimed,
                count(*) FILTER (WHERE state = 'dead') AS dead, min(decided_at) FILTER (WHERE state IN ('pending', 'claimed')) AS oldest,
                (SELECT f.why FROM outbox f WHERE f.mirror = o.mirror AND f.state <> 'delivered' AND f.why IS NOT NULL
                    ORDER BY f.decided_at LIMIT 1) AS why
             FROM outbox o WHERE state <> 'delivered' GROUP BY mirror ORDER BY mirror",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let instant = |column: &str| -> Result<Option<Timestamp>, StoreError> {
                    Ok(row.try_get::<Option<jiff_sqlx::Timestamp>, _>(column)?.map(|at| at.to_jiff()))
                };
                Ok(OutboxState {
                    mirror: row.try_get("mirror")?,
                    pending: row.try_get("pending")?,
                    claimed: row.try_get("claimed")?,
                    dead: row.try_get("dead")?,
                    oldest: instant("oldest")?,
                    why: row.try_get("why")?,
                })
            })
            .collect()
    }
}

/// What rows need beside the views.
#[derive(Default)]
struct Extras {
    links: HashMap<Uuid, Vec<(LinkedKind, String)>>,
    desks: HashMap<Uuid, Desk>,
    files: Vec<StoredFile>,
    carried: HashMap<Uuid, (Carried, Vec<StoredFile>)>,
    /// Title and text of the ready answers that are offered.
    ready: HashMap<String, (String, String)>,
}

impl Extras {
    /// What the tool calls the things of a change, and those who take part in its ticket.
    fn links_of(&self, views: &Views, [ticket, other_ticket, message]: [Option<Uuid>; 3]) -> Links {
        let view = ticket.and_then(|ticket| views.tickets.get(&ticket));
        let contacts = view.into_iter().flat_map(|view| view.participants.iter().map(|contact| contact.id.0));
        let objects = [ticket, other_ticket, message].into_iter().flatten().chain(contacts);
        let of = |object: Uuid| {
            let links = self.links.get(&object).into_iter().flatten();
            links.map(move |(kind, remote)| (*kind, object, remote.clone()))
        };
        Links(objects.flat_map(of).collect())
    }
}

/// What was made on the other side is known there by these ids from now on; what went in pieces by that of the last.
async fn keep_links(
    connection: &mut PgConnection,
    mirror: &str,
    links: &[Link],
    now: Timestamp,
) -> Result<(), StoreError> {
    if links.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO link (mirror, object_kind, object, remote_id, at)
         SELECT DISTINCT ON (t.kind, t.object) $1, t.kind, t.object, t.remote, $5
         FROM unnest($2::text[], $3::uuid[], $4::text[]) WITH ORDINALITY AS t(kind, object, remote, n)
         ORDER BY t.kind, t.object, t.n DESC
         ON CONFLICT (mirror, object_kind, object) DO UPDATE SET remote_id = excluded.remote_id, at = excluded.at
         WHERE link.remote_id <> excluded.remote_id",
    )
    .bind(mirror)
    .bind(links.iter().map(|link| link.kind.as_str()).collect::<Vec<_>>())
    .bind(links.iter().map(|link| link.object).collect::<Vec<_>>())
    .bind(links.iter().map(|link| link.remote.as_str()).collect::<Vec<_>>())
    .bind(sql_time(now))
    .execute(connection)
    .await?;
    Ok(())
}

/// A change's particulars with what they say in words, and its code.
fn told(mut detail: serde_json::Value, reader: &Reader) -> serde_json::Value {
    if let Some(says) = detail.as_object_mut().and_then(|detail| detail.remove("says")) {
        let says = Say::of_stored(says);
        detail["why"] = says.in_language(reader.language).into();
        detail["code"] = says.code().into();
    }
    detail
}

/// Title and text of the ready answers that rows offer, as they are now.
async fn ready_texts(
    connection: &mut PgConnection,
    rows: &[PgRow],
) -> Result<HashMap<String, (String, String)>, StoreError> {
    let mut ids: Vec<String> = Vec::new();
    for row in rows {
        let detail: Option<serde_json::Value> = row.try_get("detail")?;
        let answers = detail.as_ref().and_then(|detail| detail["answers"].as_array()).into_iter().flatten();
        ids.extend(answers.filter_map(|answer| answer["id"].as_str().map(str::to_owned)));
    }
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "SELECT id, title, text FROM ready_answer WHERE id = ANY($1) AND gone_at IS NULL";
    let rows: Vec<(String, String, String)> = sqlx::query_as(sql).bind(ids).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(id, title, text)| (id, (title, text))).collect())
}

/// A change's particulars with what ready answers say, its places filled. One that is gone is left out.
fn ready_told(
    mut detail: serde_json::Value,
    (ticket, message): (&TicketView, Option<&MessageView>),
    ready: &HashMap<String, (String, String)>,
) -> serde_json::Value {
    let Some(answers) = detail.get_mut("answers").and_then(serde_json::Value::as_array_mut) else { return detail };
    let contact = message.and_then(|message| message.contact);
    let name = ticket.participants.iter().find(|one| Some(one.id) == contact).and_then(|one| one.name.as_deref());
    answers.retain_mut(|answer| {
        let Some((title, text)) = answer["id"].as_str().and_then(|id| ready.get(id)) else { return false };
        answer["title"] = title.as_str().into();
        answer["text"] = filled(text, ticket.number, name).into();
        true
    });
    detail
}

/// `None` for a row whose ticket retention has removed: there is nothing to show any more.
fn post(row: &PgRow, views: &Views, extras: &mut Extras, reader: &Reader) -> Result<Option<Claimed>, StoreError> {
    let id: Uuid = row.try_get("id")?;
    let ticket: Uuid = row.try_get("ticket_id")?;
    let change: String = row.try_get("change")?;
    let change = Change::parse(&change).ok_or_else(|| StoreError::Corrupt {
        what: "outbox",
        id,
        why: format!("its change {change}"),
    })?;
    let Some(view) = views.tickets.get(&ticket) else { return Ok(None) };
    let message: Option<Uuid> = row.try_get("message_id")?;
    let replies: serde_json::Value = row.try_get("replies")?;
    let detail: Option<serde_json::Value> = row.try_get("detail")?;
    let decided_at: jiff_sqlx::Timestamp = row.try_get("decided_at")?;
    let (answer, files) = match message.and_then(|id| extras.carried.remove(&id)) {
        Some((carried, files)) => (Some(Box::new(carried)), files),
        None => (None, extras.files.iter().filter(|file| Some(file.message) == message).cloned().collect()),
    };
    Ok(Some(Claimed {
        desk: extras.desks.get(&ticket).cloned(),
        files,
        id: OutboxId(id),
        ticket: TicketId(ticket),
        attempt: row.try_get("attempts")?,
        replies: serde_json::from_value(replies).unwrap_or_default(),
        post: Post {
            id: OutboxId(id),
            change,
            sequence: row.try_get("sequence")?,
            decided_at: decided_at.to_jiff(),
            tenant: row.try_get("tenant")?,
            ticket: view.clone(),
            other_ticket: row.try_get::<Option<Uuid>, _>("other_ticket")?.map(TicketId),
            message: message.and_then(|id| views.messages.get(&id).cloned()),
            detail: detail
                .map(|detail| told(detail, reader))
                .map(|detail| ready_told(detail, (view, message.and_then(|id| views.messages.get(&id))), &extras.ready))
                .unwrap_or_default(),
            links: extras.links_of(views, [Some(ticket), row.try_get("other_ticket")?, message]),
            token: String::new(),
            files: Vec::new(),
            answer,
        },
    }))
}
