//! Everything in order, page by page, for `lanka export`.
//!
//! Each export reads one snapshot: all its pages come from a transaction that sees the database as it
//! was when it began, whatever a daemon writes meanwhile.
//!
//! **Invariant:** memory is bounded by a page, never by what is stored.

use super::facts::time;
use super::raw_event::LoadedRaw;
use super::view::Views;
use super::{Store, StoreError, raw_event, view};
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::*;
use crate::pure::domain::message::RawEvent;
use crate::pure::domain::outbox::{MessageView, TicketView};
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Postgres, Row, Transaction};
use uuid::Uuid;

/// Rows of a page.
const PAGE_ROWS: i64 = 1000;

/// Deliveries of a page: each may hold a body of many megabytes, so few are in memory at once.
const RAW_PAGE_ROWS: usize = 16;

/// One delivered item and what was decided on it (DESIGN 3.1).
#[derive(Debug, Clone, Serialize)]
pub struct Assignment {
    /// The delivery.
    pub raw_event: RawEventId,
    /// The position in it.
    pub item: i32,
    /// `first`, `repeat`, `leg` or `update`.
    pub role: String,
    /// The configured channel.
    pub channel: String,
    /// Its kind.
    pub channel_kind: String,
    /// The vendor's id of the item.
    pub source_key: String,
    /// The message it is, repeats or belongs to; null for an update of a message that never came.
    pub message_id: Option<MessageId>,
    /// For a repeat: the message that was there before.
    pub duplicate_of: Option<MessageId>,
    /// The customer, as it stands now.
    pub contact_id: Option<ContactId>,
    /// The ticket, as it stands now.
    pub ticket_id: Option<TicketId>,
    /// What was said when it came in.
    pub at_arrival: AtArrival,
    /// What is suggested, as it stands now.
    pub suggested: Suggested,
    /// `from_customer` or `from_agent`; null for an update.
    pub direction: Option<String>,
    /// Event time of the message.
    pub occurred_at: Option<Timestamp>,
    /// When this delivery was stored.
    pub received_at: Timestamp,
    /// Service, problem, feedback.
    pub matter_kind: Vec<String>,
    /// Whose the problem is: own, unclear, fault.
    pub problem: Option<String>,
    /// What it does: hinders, prevents.
    pub effect: Option<String>,
    /// Complaint, wish, praise.
    pub feedback: Vec<String>,
    /// `high`, `normal`, `low`.
    pub priority: Option<String>,
    /// Numbers of matters that the message names.
    pub numbers: Vec<String>,
}

/// The ids given out when an item was decided. They may have been merged away since.
#[derive(Debug, Clone, Serialize)]
pub struct AtArrival {
    /// The contact.
    pub contact_id: Option<ContactId>,
    /// The ticket.
    pub ticket_id: Option<TicketId>,
}

/// Messages that an item may belong together with.
#[derive(Debug, Clone, Serialize)]
pub struct Suggested {
    /// As the same person's.
    pub contacts: Vec<MessageId>,
    /// As the same matter.
    pub tickets: Vec<MessageId>,
}

// A delivery that retention removed is told by the message it brought and by its id. A platform's notice about a
// person is told with whom it is about; it is no message, and on no ticket. A leg was decided by itself: its
// decision is the one as many legs after the first.
const ASSIGNMENTS: &str = "
    WITH page AS (
        SELECT raw_event, item, role, what, source_key, message_id, duplicate_of FROM raw_item
        WHERE (raw_event, item) > ($1, $2) ORDER BY raw_event, item LIMIT $3
    )
    SELECT p.raw_event, p.item, p.role, p.source_key, p.duplicate_of,
        CASE WHEN p.what = 'notice' THEN m.id ELSE p.message_id END AS message_id, coalesce(r.channel, m.channel, '') AS channel,
        coalesce(r.kind, m.kind, '') AS kind, coalesce(r.received_at, lanka_uuid_time(p.raw_event)) AS received_at,
        coalesce(i.contact_id, ac.now, d.contact_id) AS contact_id, coalesce(m.ticket_id, ta.now, o.ticket_id) AS ticket_id,
        d.contact_id AS first_contact, o.ticket_id AS first_ticket, m.direction, m.occurred_at,
        coalesce(m.matter_kind, '{}') AS matter_kind, m.problem, m.effect,
        coalesce(m.feedback, '{}') AS feedback, m.priority, coalesce(m.numbers, '{}') AS numbers,
        (SELECT coalesce(array_agg(DISTINCT s.by_message), '{}') FROM suggestion s
            WHERE s.message_id = p.message_id AND s.target_kind = 'contact' AND s.state IN ('open', 'accepted')) AS contacts,
        (SELECT coalesce(array_agg(DISTINCT s.by_message), '{}') FROM suggestion s
            WHERE s.message_id = p.message_id AND s.target_kind = 'ticket' AND s.state IN ('open', 'accepted')) AS tickets
    FROM page p
    LEFT JOIN raw_event r ON r.id = p.raw_event
    LEFT JOIN message m ON m.id = p.message_id
    LEFT JOIN identity i ON i.id = m.identity_id
    LEFT JOIN LATERAL (
        SELECT d.contact_id, d.ticket_id FROM decision d WHERE d.message_id = p.message_id ORDER BY d.at, d.ctid
        OFFSET CASE WHEN p.role <> 'leg' THEN 0 ELSE (SELECT count(*) FROM raw_item l WHERE l.message_id = p.message_id
            AND l.role IN ('first', 'leg') AND (l.raw_event, l.item) < (p.raw_event, p.item)) END
        LIMIT 1
    ) d ON true
    LEFT JOIN alias ac ON ac.id = d.contact_id
    LEFT JOIN LATERAL (SELECT d.ticket_id WHERE p.what <> 'notice') o ON true
    LEFT JOIN alias ta ON ta.id = o.ticket_id
    ORDER BY p.raw_event, p.item";

/// A person with the addresses that are his.
#[derive(Debug, Clone, Serialize)]
pub struct ContactLine {
    /// The contact.
    pub id: ContactId,
    /// The firm whose customer it is.
    pub tenant: String,
    /// Person, organisation or shared.
    pub kind: String,
    /// The best name known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was first heard of.
    pub first_at: Timestamp,
    /// Addresses: scheme, scope, value, epoch, assurance (-1 to 3), names, first_at and last_at.
    pub identities: Vec<IdentityLine>,
    /// Ids that were merged into this one and still work.
    pub aliases: Vec<Uuid>,
    /// Tickets it takes part in.
    pub tickets: Vec<TicketId>,
}

/// One address of a person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IdentityLine {
    /// Its scheme: `mailto`, `tel`, a platform's.
    pub scheme: String,
    /// Outside of which the value means nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The address.
    pub value: String,
    /// Which of the people who had it one after the other, from 1.
    pub epoch: i32,
    /// From -1 (contradicted) to 3 (verified).
    pub assurance: i32,
    /// Names it was used with.
    pub names: serde_json::Value,
    /// When it was first heard of.
    pub first_at: Timestamp,
    /// When it was last heard of.
    pub last_at: Timestamp,
}

const CONTACTS: &str = "
    SELECT c.id, c.tenant, c.kind, c.name, c.first_at,
        (SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('scheme', i.scheme, 'scope', nullif(i.scope, ''), 'value', i.value,
            'epoch', i.epoch, 'assurance', i.assurance, 'names', to_jsonb(i.names), 'first_at', i.first_at, 'last_at', i.last_at))
            ORDER BY i.first_at, i.id), '[]') FROM identity i WHERE i.contact_id = c.id) AS identities,
        (SELECT coalesce(array_agg(a.id ORDER BY a.id), '{}') FROM alias a WHERE a.now = c.id AND a.object = 'contact') AS aliases,
        (SELECT coalesce(array_agg(p.ticket_id ORDER BY p.since, p.ticket_id), '{}') FROM ticket_participant p WHERE p.contact_id = c.id) AS tickets
    FROM contact c WHERE c.id > $1 AND c.merged_into IS NULL AND c.erased_at IS NULL ORDER BY c.id LIMIT $2";

/// Where each page of an export comes from.
pub struct Snapshot<'a> {
    store: &'a Store,
    tx: Transaction<'static, Postgres>,
}

impl Store {
    /// Begins an export.
    pub async fn snapshot(&self) -> Result<Snapshot<'_>, StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut *tx).await?;
        // A page is some thousand index look-ups: compiling its plan would take longer than running it.
        sqlx::query("SET LOCAL jit = off").execute(&mut *tx).await?;
        Ok(Snapshot { store: self, tx })
    }
}

impl Snapshot<'_> {
    /// The delivered items after a place (none: from the beginning), in order of delivery; empty at the end.
    pub async fn assignments(&mut self, after: Option<(RawEventId, i32)>) -> Result<Vec<Assignment>, StoreError> {
        let (raw_event, item) = after.map_or((Uuid::nil(), -1), |(raw_event, item)| (raw_event.0, item));
        let rows = sqlx::query(ASSIGNMENTS).bind(raw_event).bind(item).bind(PAGE_ROWS).fetch_all(&mut *self.tx).await?;
        rows.iter().map(assignment).collect()
    }

    /// The contacts after one, in order of their ids; empty at the end.
    pub async fn contacts(&mut self, after: Option<ContactId>) -> Result<Vec<ContactLine>, StoreError> {
        let after = after.map_or(Uuid::nil(), |id| id.0);
        let rows = sqlx::query(CONTACTS).bind(after).bind(PAGE_ROWS).fetch_all(&mut *self.tx).await?;
        let line = |row: &PgRow| {
            Ok(ContactLine {
                id: ContactId(row.try_get("id")?),
                tenant: row.try_get("tenant")?,
                kind: row.try_get("kind")?,
                name: row.try_get("name")?,
                first_at: time(row, "first_at")?,
                identities: row.try_get::<Json<Vec<IdentityLine>>, _>("identities")?.0,
                aliases: row.try_get("aliases")?,
                tickets: row.try_get::<Vec<Uuid>, _>("tickets")?.into_iter().map(TicketId).collect(),
            })
        };
        rows.iter().map(line).collect()
    }

    /// The tickets after one, in order of their ids, each with its messages; empty at the end.
    pub async fn threads(
        &mut self,
        after: Option<TicketId>,
    ) -> Result<Vec<(TicketView, Vec<MessageView>)>, StoreError> {
        // A ticket may hold hundreds of messages, so that few tickets make a page.
        let ids: Vec<Uuid> =
            sqlx::query_scalar("SELECT id FROM ticket WHERE id > $1 AND merged_into IS NULL ORDER BY id LIMIT $2")
                .bind(after.map_or(Uuid::nil(), |id| id.0))
                .bind(PAGE_ROWS / 50)
                .fetch_all(&mut *self.tx)
                .await?;
        let messages: Vec<(Uuid, Uuid)> = sqlx::query_as(
            "SELECT ticket_id, id FROM message WHERE ticket_id = ANY($1) ORDER BY ticket_id, occurred_at, id",
        )
        .bind(&ids)
        .fetch_all(&mut *self.tx)
        .await?;
        let wanted: Vec<Uuid> = messages.iter().map(|(_, message)| *message).collect();
        let Views { mut tickets, messages: mut views } =
            view::load(&mut self.tx, &ids, &wanted, &self.store.reader).await?;
        let mut page = Vec::with_capacity(ids.len());
        for id in ids {
            let Some(ticket) = tickets.remove(&id) else { continue };
            let of = messages.iter().filter(|(ticket, _)| *ticket == id);
            page.push((ticket, of.filter_map(|(_, message)| views.remove(message)).collect()));
        }
        Ok(page)
    }

    /// Every delivery with its bytes, in order of `received_at`; `each` is called for one after the other.
    pub async fn raw_events<E: From<StoreError>>(
        mut self,
        mut each: impl FnMut(RawEvent) -> Result<(), E>,
    ) -> Result<(), E> {
        let store = self.store;
        let mut connection = store.pool.acquire().await.map_err(StoreError::from)?;
        // Only ids are sorted; a body is fetched when its turn comes.
        let ids =
            sqlx::query_scalar::<_, Uuid>("SELECT id FROM raw_event r WHERE same_as IS NULL OR EXISTS (SELECT 1 FROM raw_event f WHERE f.id = r.same_as)
                ORDER BY received_at, id").fetch(&mut *self.tx);
        let mut pages = ids.try_chunks(RAW_PAGE_ROWS);
        loop {
            let page = match pages.try_next().await {
                Ok(Some(page)) => page,
                Ok(None) => return Ok(()),
                Err(error) => return Err(StoreError::from(error.1).into()),
            };
            let mut loaded = raw_event::load(store, &mut connection, &page).await?;
            loaded.sort_by_key(|loaded| page.iter().position(|id| *id == loaded.event.id.0));
            for LoadedRaw { event, lost } in loaded {
                match lost {
                    None => each(event)?,
                    Some(why) => {
                        tracing::warn!(code = "bytes_lost", raw_event.id = %event.id, why, "a delivery cannot be exported")
                    }
                }
            }
        }
    }
}

fn assignment(row: &PgRow) -> Result<Assignment, StoreError> {
    let message = |column: &str| -> Result<Option<MessageId>, StoreError> {
        Ok(row.try_get::<Option<Uuid>, _>(column)?.map(MessageId))
    };
    let contact = |column: &str| -> Result<Option<ContactId>, StoreError> {
        Ok(row.try_get::<Option<Uuid>, _>(column)?.map(ContactId))
    };
    let ticket = |column: &str| -> Result<Option<TicketId>, StoreError> {
        Ok(row.try_get::<Option<Uuid>, _>(column)?.map(TicketId))
    };
    let messages = |column: &str| -> Result<Vec<MessageId>, StoreError> {
        Ok(row.try_get::<Vec<Uuid>, _>(column)?.into_iter().map(MessageId).collect())
    };
    let role: String = row.try_get("role")?;
    let is_update = role == "update";
    Ok(Assignment {
        raw_event: RawEventId(row.try_get("raw_event")?),
        item: row.try_get("item")?,
        channel: row.try_get("channel")?,
        channel_kind: row.try_get("kind")?,
        source_key: row.try_get("source_key")?,
        message_id: message("message_id")?,
        duplicate_of: message("duplicate_of")?,
        contact_id: contact("contact_id")?,
        ticket_id: ticket("ticket_id")?,
        at_arrival: AtArrival { contact_id: contact("first_contact")?, ticket_id: ticket("first_ticket")? },
        suggested: Suggested { contacts: messages("contacts")?, tickets: messages("tickets")? },
        direction: row.try_get::<Option<String>, _>("direction")?.filter(|_| !is_update),
        occurred_at: row
            .try_get::<Option<jiff_sqlx::Timestamp>, _>("occurred_at")?
            .filter(|_| !is_update)
            .map(|at| at.to_jiff()),
        received_at: time(row, "received_at")?,
        matter_kind: row.try_get("matter_kind")?,
        problem: row.try_get("problem")?,
        effect: row.try_get("effect")?,
        feedback: row.try_get("feedback")?,
        priority: row.try_get("priority")?,
        numbers: row.try_get("numbers")?,
        role,
    })
}
