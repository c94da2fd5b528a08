//! The route of one message, gathered for `lanka explain` (promise P9).

use super::accounts::{self, Taken};
use super::facts::time;
use super::reader::{Reader, says};
use super::{Store, StoreError};
use crate::pure::domain::Timestamp;
use crate::pure::domain::decision::Reason;
use crate::pure::domain::id::*;
use crate::pure::domain::identity::Assurance;
use crate::pure::domain::outbox::ReasonView;
use serde::Serialize;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// Everything that happened to one message.
#[derive(Debug, Clone, Serialize)]
pub struct Route {
    /// The message.
    pub message_id: MessageId,
    /// The firm.
    pub tenant: String,
    /// The configured channel.
    pub channel: String,
    /// Its kind.
    pub channel_kind: String,
    /// The vendor's id.
    pub source_key: String,
    /// Who said it.
    pub direction: String,
    /// Event time.
    pub occurred_at: Timestamp,
    /// The time nobody outside could choose.
    pub trusted_at: Timestamp,
    /// When it was received: stored, or in an imported stream the time of arrival that it names.
    pub received_at: Timestamp,
    /// What agents must know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<String>,
    /// Why it is taken for automatic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto: Option<String>,
    /// Numbers of matters in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<String>,
    /// Every delivery of it, in order.
    pub deliveries: Vec<Delivered>,
    /// The address it is from or to, and how well it is vouched for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityLine>,
    /// Whose it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Whose>,
    /// The ticket it is on now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Where>,
    /// What was decided and why, in order.
    pub decisions: Vec<DecisionLine>,
    /// What was only suggested.
    pub suggestions: Vec<SuggestionLine>,
    /// Where it went.
    pub outbox: Vec<PostLine>,
}

/// One delivery of a message.
#[derive(Debug, Clone, Serialize)]
pub struct Delivered {
    /// The delivery.
    pub raw_event: RawEventId,
    /// The position in it.
    pub item: i32,
    /// `first`, `repeat`, `leg` or `update`.
    pub role: String,
    /// What it was: message, status, edit …
    pub what: String,
    /// The channel it came over.
    pub channel: String,
    /// Where from, in words.
    pub origin: String,
    /// When it was received: stored, or in an imported stream the time of arrival that it names.
    pub received_at: Timestamp,
    /// Bytes.
    pub bytes: i64,
}

/// An identity.
#[derive(Debug, Clone, Serialize)]
pub struct IdentityLine {
    /// What kind of address.
    pub scheme: String,
    /// Where it is unique.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// The address.
    pub value: String,
    /// How often the address changed hands, from 1.
    pub epoch: i32,
    /// How well this message's delivery vouched for it.
    pub assurance: Assurance,
}

/// A contact.
#[derive(Debug, Clone, Serialize)]
pub struct Whose {
    /// Its id.
    pub id: ContactId,
    /// Person, organisation or shared.
    pub kind: String,
    /// The best name known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A ticket.
#[derive(Debug, Clone, Serialize)]
pub struct Where {
    /// Its id.
    pub id: TicketId,
    /// The short number.
    pub number: i64,
    /// What it is called.
    pub title: String,
    /// Open or closed.
    pub state: String,
}

/// A decision.
#[derive(Debug, Clone, Serialize)]
pub struct DecisionLine {
    /// When.
    pub at: Timestamp,
    /// `known`, `new`, `merge` or `nobody`.
    pub resolution: String,
    /// The contact given out then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<ContactId>,
    /// `join`, `reopen`, `open` or `none`.
    pub placement: String,
    /// The ticket given out then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket_id: Option<TicketId>,
    /// The same in one sentence, in the desk's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentence: Option<String>,
    /// Why, step by step.
    pub reasons: Vec<ReasonView>,
}

/// A suggestion that this message made, or that a later one made about it.
#[derive(Debug, Clone, Serialize)]
pub struct SuggestionLine {
    /// Its id.
    pub id: SuggestionId,
    /// `contact` or `ticket`.
    pub target_kind: String,
    /// Which, as it stands now.
    pub target: Uuid,
    /// The message that suggests it.
    pub message_id: MessageId,
    /// The message it points to.
    pub by_message: MessageId,
    /// The weight of the evidence.
    pub bits: i16,
    /// Why, in the desk's language.
    pub why: String,
    /// The stable code of that sentence.
    pub code: String,
    /// Open, accepted, rejected, overtaken or withdrawn.
    pub state: String,
}

/// A change that a mirror was told of.
#[derive(Debug, Clone, Serialize)]
pub struct PostLine {
    /// The mirror.
    pub mirror: String,
    /// What changed.
    pub change: String,
    /// The position in the ticket's lane.
    pub sequence: i64,
    /// `pending`, `claimed`, `delivered` or `dead`.
    pub state: String,
    /// How often it was tried.
    pub attempts: i32,
    /// When it was delivered or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
    /// What the last attempt met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

const MESSAGE: &str = "
    SELECT m.id, m.tenant, m.channel, m.kind, m.source_key, m.direction, m.occurred_at, m.trusted_at, m.received_at, m.marks, m.auto,
        m.numbers, m.assurance, i.scheme, i.scope, i.value, i.epoch, c.id AS contact_id, c.kind AS contact_kind, c.name, t.id AS ticket_id,
        t.number, t.title, t.state
    FROM message m LEFT JOIN identity i ON i.id = m.identity_id LEFT JOIN contact c ON c.id = i.contact_id
        LEFT JOIN ticket t ON t.id = m.ticket_id
    WHERE m.id = $1";

impl Store {
    /// Messages that what a person types may mean: an id of lanka's, or a vendor's id, with or without
    /// the angle brackets of a Message-ID. At most `limit`.
    pub async fn find_messages(&self, text: &str, limit: i64) -> Result<Vec<MessageId>, StoreError> {
        if let Ok(id) = text.parse::<MessageId>() {
            let known: Option<Uuid> = sqlx::query_scalar("SELECT id FROM message WHERE id = $1")
                .bind(id.0)
                .fetch_optional(&self.pool)
                .await?;
            if known.is_some() {
                return Ok(vec![id]);
            }
        }
        let bare = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text);
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM message WHERE source_key IN ($1, $2)
                AND hashtextextended(source_key, 0) IN (hashtextextended($1, 0), hashtextextended($2, 0))
             ORDER BY id LIMIT $3",
        )
        .bind(text)
        .bind(bare)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(MessageId).collect())
    }

    /// The route of a message.
    pub async fn route(&self, id: MessageId) -> Result<Option<Route>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let Some(row) = sqlx::query(MESSAGE).bind(id.0).fetch_optional(&mut *connection).await? else {
            return Ok(None);
        };
        let mut route = route(&row)?;
        route.deliveries = deliveries(&mut connection, id).await?;
        route.decisions = decisions(&mut connection, id, &self.reader).await?;
        route.suggestions = suggestions(&mut connection, id, &self.reader).await?;
        route.outbox = posts(&mut connection, id, route.received_at).await?;
        Ok(Some(route))
    }
}

fn route(row: &PgRow) -> Result<Route, StoreError> {
    let identity = match row.try_get::<Option<String>, _>("scheme")? {
        Some(scheme) => Some(IdentityLine {
            scheme,
            scope: row.try_get("scope")?,
            value: row.try_get("value")?,
            epoch: row.try_get("epoch")?,
            assurance: Assurance::from_level(row.try_get("assurance")?),
        }),
        None => None,
    };
    let contact = match row.try_get::<Option<Uuid>, _>("contact_id")? {
        Some(id) => Some(Whose { id: ContactId(id), kind: row.try_get("contact_kind")?, name: row.try_get("name")? }),
        None => None,
    };
    let ticket = match row.try_get::<Option<Uuid>, _>("ticket_id")? {
        Some(id) => Some(Where {
            id: TicketId(id),
            number: row.try_get("number")?,
            title: row.try_get("title")?,
            state: row.try_get("state")?,
        }),
        None => None,
    };
    Ok(Route {
        message_id: MessageId(row.try_get("id")?),
        tenant: row.try_get("tenant")?,
        channel: row.try_get("channel")?,
        channel_kind: row.try_get("kind")?,
        source_key: row.try_get("source_key")?,
        direction: row.try_get("direction")?,
        occurred_at: time(row, "occurred_at")?,
        trusted_at: time(row, "trusted_at")?,
        received_at: time(row, "received_at")?,
        marks: row.try_get("marks")?,
        auto: row.try_get("auto")?,
        numbers: row.try_get("numbers")?,
        deliveries: Vec::new(),
        identity,
        contact,
        ticket,
        decisions: Vec::new(),
        suggestions: Vec::new(),
        outbox: Vec::new(),
    })
}

async fn deliveries(connection: &mut PgConnection, id: MessageId) -> Result<Vec<Delivered>, StoreError> {
    let rows = sqlx::query(
        "SELECT i.raw_event, i.item, i.role, i.what, coalesce(r.channel, m.channel) AS channel,
            coalesce(r.origin, 'retention has removed its bytes') AS origin,
            coalesce(r.received_at, lanka_uuid_time(i.raw_event)) AS received_at, coalesce(r.bytes, 0) AS bytes
         FROM raw_item i JOIN message m ON m.id = i.message_id LEFT JOIN raw_event r ON r.id = i.raw_event
         WHERE i.message_id = $1 ORDER BY i.raw_event, i.item",
    )
    .bind(id.0)
    .fetch_all(connection)
    .await?;
    let line = |row: &PgRow| {
        Ok(Delivered {
            raw_event: RawEventId(row.try_get("raw_event")?),
            item: row.try_get("item")?,
            role: row.try_get("role")?,
            what: row.try_get("what")?,
            channel: row.try_get("channel")?,
            origin: row.try_get("origin")?,
            received_at: time(row, "received_at")?,
            bytes: row.try_get("bytes")?,
        })
    };
    rows.iter().map(line).collect()
}

async fn decisions(
    connection: &mut PgConnection,
    id: MessageId,
    reader: &Reader,
) -> Result<Vec<DecisionLine>, StoreError> {
    let rows = sqlx::query(
        "SELECT at, resolution, contact_id, placement, ticket_id, reasons FROM decision WHERE message_id = $1 ORDER BY at, ctid",
    )
    .bind(id.0)
    .fetch_all(&mut *connection)
    .await?;
    let corrupt = |error: serde_json::Error| StoreError::Corrupt {
        what: "decision of message",
        id: id.0,
        why: error.to_string(),
    };
    let taken = |row: &PgRow| {
        let words = (row.try_get("resolution")?, row.try_get("placement")?);
        let reasons: Vec<Reason> = serde_json::from_value(row.try_get("reasons")?).map_err(corrupt)?;
        Ok(Taken::of(id, time(row, "at")?, words, reasons))
    };
    let taken = rows.iter().map(taken).collect::<Result<Vec<Taken>, StoreError>>()?;
    let sentences = accounts::sentences(connection, &taken, reader).await?;
    let line = |(row, (taken, sentence)): (&PgRow, (&Taken, Option<String>))| {
        Ok(DecisionLine {
            at: taken.at,
            resolution: row.try_get("resolution")?,
            contact_id: row.try_get::<Option<Uuid>, _>("contact_id")?.map(ContactId),
            placement: row.try_get("placement")?,
            ticket_id: row.try_get::<Option<Uuid>, _>("ticket_id")?.map(TicketId),
            sentence,
            reasons: taken.reasons.iter().map(|reason| ReasonView::of(reason, reader.language)).collect(),
        })
    };
    rows.iter().zip(taken.iter().zip(sentences)).map(line).collect()
}

async fn suggestions(
    connection: &mut PgConnection,
    id: MessageId,
    reader: &Reader,
) -> Result<Vec<SuggestionLine>, StoreError> {
    let rows = sqlx::query(
        "SELECT s.id, s.target_kind, coalesce(a.now, s.target) AS target, s.message_id, s.by_message, s.bits, s.says, s.why, s.state
         FROM suggestion s LEFT JOIN alias a ON a.id = s.target WHERE s.message_id = $1 OR s.by_message = $1 ORDER BY s.at, s.id",
    )
    .bind(id.0)
    .fetch_all(connection)
    .await?;
    let line = |row: &PgRow| {
        let says = says(row)?;
        Ok(SuggestionLine {
            id: SuggestionId(row.try_get("id")?),
            target_kind: row.try_get("target_kind")?,
            target: row.try_get("target")?,
            message_id: MessageId(row.try_get("message_id")?),
            by_message: MessageId(row.try_get("by_message")?),
            bits: row.try_get("bits")?,
            why: says.in_language(reader.language),
            code: says.code(),
            state: row.try_get("state")?,
        })
    };
    rows.iter().map(line).collect()
}

/// Changes about a message; none is older than the message itself.
async fn posts(
    connection: &mut PgConnection,
    id: MessageId,
    received_at: Timestamp,
) -> Result<Vec<PostLine>, StoreError> {
    let rows = sqlx::query(
        "SELECT mirror, change, sequence, state, attempts, settled_at, why FROM outbox
         WHERE message_id = $1 AND id >= lanka_uuid_floor($2) ORDER BY mirror, id",
    )
    .bind(id.0)
    .bind(super::sql_time(received_at))
    .fetch_all(connection)
    .await?;
    let line = |row: &PgRow| {
        Ok(PostLine {
            mirror: row.try_get("mirror")?,
            change: row.try_get("change")?,
            sequence: row.try_get("sequence")?,
            state: row.try_get("state")?,
            attempts: row.try_get("attempts")?,
            settled_at: row.try_get::<Option<jiff_sqlx::Timestamp>, _>("settled_at")?.map(|at| at.to_jiff()),
            why: row.try_get("why")?,
        })
    };
    rows.iter().map(line).collect()
}
