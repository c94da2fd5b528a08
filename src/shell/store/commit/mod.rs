//! Writes a whole batch of decisions, in a constant number of statements.
//!
//! Ids of contacts and tickets are written as they stand after the whole batch; those that a later
//! decision of the batch merged away become aliases, for they were given out.

mod answers;
mod messages;
mod outbox;
mod people;
mod tickets;
mod updates;

pub(super) use outbox::queue;
pub(super) use people::{joined_names, suggestion_target};
pub(super) use tickets::BY_LANKA;

use super::facts::Loaded;
use super::media::{self, New};
use super::{StoreError, reconsider, sender_check, sql_time};
use crate::pure::decide::lookup::Keyer;
use crate::pure::domain::Timestamp;
use crate::pure::domain::answer::{Answer, Obstacle, Route};
use crate::pure::domain::decision::*;
use crate::pure::domain::facts::*;
use crate::pure::domain::id::*;
use crate::pure::domain::message::*;
use crate::shell::content::{ContentHash, Stored};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// A message with its decision, ready to be written.
#[derive(Debug)]
pub struct Decided {
    /// The message.
    pub message: Message,
    /// Its keys.
    pub lookup: Lookup,
    /// What follows.
    pub decision: Decision,
    /// What became of its attachments, in step with them.
    pub contents: Vec<Kept>,
    /// Mirrors do not hear of it.
    pub quiet: bool,
}

/// What became of an attachment.
#[derive(Debug, Clone, Copy)]
pub enum Kept {
    /// In the content store.
    Here(Stored),
    /// With the vendor still.
    Remote,
    /// Larger than is kept: its size in bytes.
    TooLarge(u64),
}

/// An item or delivery that could not be read.
#[derive(Debug, Clone)]
pub struct Faulty {
    /// The firm.
    pub tenant: String,
    /// The channel.
    pub channel: String,
    /// Its kind.
    pub kind: String,
    /// The delivery.
    pub raw_event: RawEventId,
    /// Where it came from.
    pub origin: String,
    /// A stable word.
    pub code: String,
    /// A sentence.
    pub detail: String,
}

/// Writes what could not be read to the quarantine.
pub async fn quarantine(connection: &mut PgConnection, faults: &[Faulty], at: Timestamp) -> Result<(), StoreError> {
    if faults.is_empty() {
        return Ok(());
    }
    let column = |f: fn(&Faulty) -> &str| faults.iter().map(f).collect::<Vec<_>>();
    sqlx::query(
        "INSERT INTO quarantine (tenant, channel, kind, raw_event, origin, code, detail, at)
         SELECT *, $8 FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[])",
    )
    .bind(column(|f| &f.tenant))
    .bind(column(|f| &f.channel))
    .bind(column(|f| &f.kind))
    .bind(faults.iter().map(|f| f.raw_event.0).collect::<Vec<_>>())
    .bind(column(|f| &f.origin))
    .bind(column(|f| &f.code))
    .bind(column(|f| &f.detail))
    .bind(sql_time(at))
    .execute(connection)
    .await?;
    Ok(())
}

/// The decisions of one tenant, with what they were taken on.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// The firm.
    pub tenant: &'a str,
    /// Makes its look-up keys.
    pub keyer: &'a Keyer,
    /// The decisions in their order.
    pub decided: &'a [Decided],
    /// The facts as they stand after the last of them.
    pub facts: &'a Facts,
    /// What of them was there before.
    pub loaded: &'a Loaded,
    /// The mirrors that hear of it.
    pub mirrors: &'a [String],
    /// Whether other processes are told that there is something to deliver.
    pub has_peers: bool,
    /// When it is written.
    pub now: Timestamp,
}

/// Writes everything that follows from a batch. Settling the deliveries and committing are the
/// caller's. Gives the contents that are to be forgotten after the commit.
pub async fn commit(
    connection: &mut PgConnection,
    batch: Batch<'_>,
    mint: &mut IdMint,
) -> Result<Vec<ContentHash>, StoreError> {
    let Batch { tenant, keyer, decided, facts, loaded, mirrors, has_peers, now } = batch;
    let attached = attached(decided);
    let mut writer = Writer { connection, tenant, keyer, decided, facts, loaded, attached, has_peers, now };
    writer.contacts().await?;
    writer.identities().await?;
    writer.merge_contacts(mint).await?;
    writer.tickets().await?;
    writer.merge_tickets().await?;
    writer.participants().await?;
    writer.references().await?;
    writer.messages().await?;
    writer.legs().await?;
    writer.told().await?;
    writer.attachments().await?;
    writer.items().await?;
    writer.seen().await?;
    writer.decisions().await?;
    writer.sender_checks().await?;
    writer.kept_facts().await?;
    writer.edges().await?;
    writer.suggestions().await?;
    writer.ticket_events(mint).await?;
    writer.attach().await?;
    let taken_back = writer.updates().await?;
    writer.progress().await?;
    writer.progress_until().await?;
    writer.reconsider().await?;
    writer.answers().await?;
    writer.outbox(mirrors, mint).await?;
    Ok(taken_back)
}

struct Writer<'a> {
    connection: &'a mut PgConnection,
    tenant: &'a str,
    keyer: &'a Keyer,
    decided: &'a [Decided],
    facts: &'a Facts,
    loaded: &'a Loaded,
    /// Updates whose message came after them, but in the same batch.
    attached: HashMap<MessageId, &'a Decided>,
    has_peers: bool,
    now: Timestamp,
}

fn attached(decided: &[Decided]) -> HashMap<MessageId, &Decided> {
    let early = decided.iter().flat_map(|d| d.decision.early.iter().map(move |early| (early, d)));
    early.filter_map(|(early, d)| Some((early.of_batch?, d))).collect()
}

/// A column of the rows of a statement.
fn column<'r, R, T>(rows: &'r [R], f: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(f).collect()
}

impl<'a> Writer<'a> {
    fn firsts(&self) -> Vec<&'a Decided> {
        self.decided.iter().filter(|d| d.decision.role == ItemRole::First).collect()
    }

    /// First messages, legs and moves: what brings identities, facts and references.
    fn deciding(&self) -> impl Iterator<Item = &'a Decided> + use<'a> {
        self.decided.iter().filter(|d| matches!(d.decision.role, ItemRole::First | ItemRole::Leg | ItemRole::Move))
    }

    /// The decision that says where an item is: its own, or that of the message an update had to wait for.
    fn at_home<'d>(&'d self, d: &'d Decided) -> &'d Decided {
        self.attached.get(&d.decision.message).copied().unwrap_or(d)
    }

    /// The message that an item is, or is about.
    fn message_of(&self, d: &Decided) -> Uuid {
        self.at_home(d).decision.message.0
    }

    /// An update whose message has not come, not even in this batch.
    fn is_waiting(&self, d: &Decided) -> bool {
        d.decision.is_early(&d.message) && !self.attached.contains_key(&d.decision.message)
    }

    fn ticket_of(&self, d: &Decided) -> Option<Uuid> {
        self.at_home(d).decision.placement.ticket().map(|ticket| self.facts.ticket_now(ticket).0)
    }

    async fn aliases(&mut self, object: &str, other: &[Uuid], keep: &[Uuid]) -> Result<(), StoreError> {
        sqlx::query("UPDATE alias a SET now = t.keep FROM unnest($1::uuid[], $2::uuid[]) AS t(other, keep) WHERE a.now = t.other")
            .bind(other)
            .bind(keep)
            .execute(&mut *self.connection)
            .await?;
        sqlx::query(
            "INSERT INTO alias (id, object, now, at) SELECT t.other, $3, t.keep, $4 FROM unnest($1::uuid[], $2::uuid[]) AS t(other, keep)
             ON CONFLICT (id) DO UPDATE SET now = excluded.now",
        )
        .bind(other)
        .bind(keep)
        .bind(object)
        .bind(sql_time(self.now))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }
}

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::FromCustomer => "from_customer",
        Direction::FromAgent => "from_agent",
    }
}

/// The stable word of an enum, as serde writes it.
pub(crate) fn json_word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
