//! Decisions told in one sentence each, with the messages that their facts come from.
//!
//! **Invariant:** however many decisions are told of, it takes two statements: what else was considered, and when and
//! how all those messages came.

use super::StoreError;
use super::facts::{direction, time};
use super::reader::{Reader, says};
use crate::pure::domain::Timestamp;
use crate::pure::domain::decision::Reason;
use crate::pure::domain::id::MessageId;
use crate::pure::domain::message::Direction;
use crate::pure::domain::say::sentence::{Account, Considered, Medium, Source, sentence};
use crate::pure::wire::mime;
use sqlx::{PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// A decision as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    /// On which message.
    pub(super) message: MessageId,
    /// When.
    pub(super) at: Timestamp,
    /// Something or somebody known was found.
    pub(super) is_join: bool,
    /// It was taken again, with what came later.
    pub(super) is_anew: bool,
    /// Why.
    pub(super) reasons: Vec<Reason>,
}

impl Taken {
    /// A decision by the words of its row.
    pub(super) fn of(message: MessageId, at: Timestamp, row: (&str, &str), reasons: Vec<Reason>) -> Self {
        let (resolution, placement) = row;
        let is_join = resolution == "merge" || matches!(placement, "join" | "reopen" | "moved");
        Self { message, at, is_join, is_anew: placement == "moved", reasons }
    }
}

/// The sentence of each decision, in their order; what else was considered is told with the last of a message.
pub(super) async fn sentences(
    connection: &mut PgConnection,
    taken: &[Taken],
    reader: &Reader,
) -> Result<Vec<Option<String>>, StoreError> {
    let messages: BTreeSet<Uuid> = taken.iter().map(|taken| taken.message.0).collect();
    let considered = considered(connection, messages).await?;
    let named = considered.values().flatten().map(|other| other.by_message);
    let named = named.chain(taken.iter().flat_map(|taken| &taken.reasons).flat_map(|reason| reason.from.clone()));
    let sources = sources(connection, named.map(|message| message.0).collect()).await?;
    let tell = |(n, one): (usize, &Taken)| {
        let is_last = !taken[n + 1..].iter().any(|later| later.message == one.message);
        let considered = considered.get(&one.message).filter(|_| is_last).map(Vec::as_slice).unwrap_or_default();
        let Taken { at, is_join, is_anew, reasons, .. } = one;
        let account = Account { at: *at, is_join: *is_join, is_anew: *is_anew, reasons, considered };
        sentence(&account, &sources, reader.language, &reader.time_zone)
    };
    Ok(taken.iter().enumerate().map(tell).collect())
}

/// What each of some messages pointed to without being joined with it, unless that does not hold any more.
async fn considered(
    connection: &mut PgConnection,
    messages: BTreeSet<Uuid>,
) -> Result<BTreeMap<MessageId, Vec<Considered>>, StoreError> {
    if messages.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = sqlx::query(
        "SELECT s.message_id, s.by_message, s.says, s.why, k.number FROM suggestion s LEFT JOIN alias a ON a.id = s.target
         LEFT JOIN ticket k ON k.id = coalesce(a.now, s.target) AND s.target_kind = 'ticket'
         WHERE s.message_id = ANY($1) AND s.state NOT IN ('overtaken', 'withdrawn') AND (s.target_kind <> 'ticket' OR k.id IS NOT NULL)
         ORDER BY s.at, s.id",
    )
    .bind(messages.into_iter().collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let mut considered: BTreeMap<MessageId, Vec<Considered>> = BTreeMap::new();
    for row in &rows {
        let by_message = MessageId(row.try_get("by_message")?);
        let other = Considered { ticket: row.try_get("number")?, says: says(row)?, by_message };
        considered.entry(MessageId(row.try_get("message_id")?)).or_default().push(other);
    }
    Ok(considered)
}

async fn sources(
    connection: &mut PgConnection,
    messages: BTreeSet<Uuid>,
) -> Result<BTreeMap<MessageId, Source>, StoreError> {
    if messages.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = sqlx::query(
        "SELECT id, channel, namespace, direction, call IS NOT NULL AS is_call, 'internal' = ANY(marks) AS is_note, occurred_at
         FROM message WHERE id = ANY($1)",
    )
    .bind(messages.into_iter().collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let mut sources = BTreeMap::new();
    for row in &rows {
        let medium = match (row.try_get("is_call")?, row.try_get("is_note")?) {
            (true, _) => Medium::Call,
            (_, true) => Medium::Note,
            _ if row.try_get::<&str, _>("namespace")? == mime::NAMESPACE => Medium::Mail,
            _ => Medium::Chat,
        };
        let is_desks = direction(row.try_get("direction")?) == Direction::FromAgent;
        let source = Source { medium, channel: row.try_get("channel")?, is_desks, at: time(row, "occurred_at")? };
        sources.insert(MessageId(row.try_get("id")?), source);
    }
    Ok(sources)
}
