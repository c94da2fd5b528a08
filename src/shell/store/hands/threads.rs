//! Messages put together and apart: pins, and the journal of who said so.

use super::*;
use crate::pure::decide::anew::HISTORY_MAX;
pub use crate::pure::decide::pins::Put;
use crate::pure::decide::pins::{self, Done, Lying, Pin};
use crate::shell::store::facts::time;
use sqlx::Row;
use sqlx::postgres::PgRow;

/// Acts of one ticket that are shown, the latest.
const ACTS_SHOWN_MAX: i64 = 100;

/// The messages that an act moves.
#[derive(Debug, Clone)]
pub enum Messages {
    /// These.
    Named(BTreeSet<MessageId>),
    /// All that are on a ticket.
    Of(TicketId),
}

/// An act on a ticket, as its journal has it.
#[derive(Debug, Clone, Serialize)]
pub struct ActShown {
    /// Its id.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// `merge`, `split` or `move`.
    pub act: String,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// The messages that were put elsewhere.
    pub messages: Vec<MessageId>,
    /// Where they were.
    pub from: Vec<TicketId>,
    /// Where they were put; absent: on a ticket of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<TicketId>,
    /// The act that it took back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub takes_back: Option<EventId>,
}

/// What is written of an act beside who did it and when.
#[derive(Debug, Serialize, serde::Deserialize)]
struct Record {
    why: String,
    #[serde(flatten)]
    done: Done,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    takes_back: Option<EventId>,
}

/// All that lies on the tickets concerned.
struct Scene {
    tenant: String,
    lying: Vec<Lying>,
    openers: BTreeMap<TicketId, MessageId>,
    /// Whom it concerns.
    contacts: BTreeSet<Uuid>,
    identities: BTreeSet<IdentityId>,
}

/// An act on messages that is about to be written.
#[derive(Debug, Clone)]
pub struct Putting<'a> {
    /// `merge`, `split` or `move`.
    pub act: &'a str,
    /// Which messages.
    pub messages: Messages,
    /// Where to.
    pub put: Put,
    /// Whether an act of which it is the opposite is taken back; else it is said beside it.
    pub may_take_back: bool,
}

impl Store {
    /// Puts messages on a ticket, or on one of their own.
    pub async fn put(&self, putting: &Putting<'_>, saying: Saying<'_>, now: Timestamp) -> Result<Written, ActError> {
        let mut tx = self.begin_act(now).await?;
        let written = put(self, &mut tx, putting, saying, now).await?;
        tx.commit().await?;
        Ok(written)
    }

    /// What was done by hand to a ticket, and to those that were merged into it.
    pub async fn acts_of(&self, ticket: TicketId) -> Result<Vec<ActShown>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM (SELECT DISTINCT ON (coalesce(e.data->>'act', e.id::text)) e.id, e.at, e.kind, e.by, e.data
                FROM (SELECT $1 AS id UNION ALL SELECT a.id FROM alias a WHERE a.now = $1 AND a.object = 'ticket') k
                JOIN ticket_event e ON e.ticket_id = k.id AND e.kind IN ('merge', 'split', 'move')
                ORDER BY coalesce(e.data->>'act', e.id::text), e.id LIMIT $2) s ORDER BY at, id",
        )
        .bind(ticket.0)
        .bind(ACTS_SHOWN_MAX)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(act).collect()
    }
}

fn act(row: &PgRow) -> Result<ActShown, StoreError> {
    let (id, data): (Uuid, serde_json::Value) = (row.try_get("id")?, row.try_get("data")?);
    let Record { why, done, takes_back } = record(id, data)?;
    Ok(ActShown {
        id: EventId(id),
        at: time(row, "at")?,
        act: row.try_get("kind")?,
        by: row.try_get("by")?,
        why,
        messages: done.moved.into_iter().collect(),
        from: done.from,
        to: done.to,
        takes_back,
    })
}

fn record(id: Uuid, data: serde_json::Value) -> Result<Record, StoreError> {
    let corrupt = |error: serde_json::Error| StoreError::Corrupt { what: "ticket_event", id, why: error.to_string() };
    serde_json::from_value(data).map_err(corrupt)
}

pub(super) async fn put(
    store: &Store,
    connection: &mut PgConnection,
    putting: &Putting<'_>,
    saying: Saying<'_>,
    now: Timestamp,
) -> Result<Written, ActError> {
    let putting = &Putting {
        messages: match &putting.messages {
            Messages::Of(ticket) => Messages::Of(now_of(connection, *ticket).await?),
            named => named.clone(),
        },
        put: match putting.put {
            Put::On(ticket) => Put::On(now_of(connection, ticket).await?),
            Put::Apart => Put::Apart,
        },
        ..*putting
    };
    let scene = scene(connection, &putting.messages, putting.put).await?;
    let moved: BTreeSet<MessageId> = match &putting.messages {
        Messages::Named(named) => named.clone(),
        Messages::Of(ticket) => {
            scene.lying.iter().filter(|lying| lying.ticket == Some(*ticket)).map(|lying| lying.id).collect()
        }
    };
    check(connection, &scene, &moved, putting.put).await?;
    let id: EventId = store.next_id(now);
    let last = match putting.may_take_back {
        true => last_act(connection, &scene, &moved).await?,
        false => None,
    };
    let mut taken = None;
    if let Some((last, done)) = &last {
        let ends = ends(connection, done).await?;
        let now = |ticket: TicketId| ends.get(&ticket).copied().unwrap_or(ticket);
        taken = pins::takes_back(&scene.lying, &moved, putting.put, (*last, done), now);
    }
    let takes_back = taken.as_ref().and(last.as_ref()).map(|(last, _)| *last);
    let pinned = taken.unwrap_or_else(|| pins::pin(&scene.lying, &scene.openers, &moved, putting.put, id));
    let tickets: Vec<Uuid> = scene.openers.keys().map(|ticket| ticket.0).collect();
    write(connection, &pinned, &tickets).await?;
    let done = done(&scene, &moved, putting.put, &pinned);
    let record = Record { why: saying.why.to_owned(), done, takes_back };
    note(store, connection, (id, putting.act), &scene.tenant, &record, saying.by, now).await?;
    due(connection, &scene.tenant, scene.contacts.iter().copied(), now).await?;
    let all: BTreeSet<MessageId> = scene.lying.iter().map(|lying| lying.id).collect();
    let end = match putting.put {
        Put::On(ticket) => End::On(moved, ticket),
        Put::Apart => End::Apart(moved.clone(), all.difference(&moved).copied().collect()),
    };
    Ok(Written { id, takes_back, identities: scene.identities, messages: all, end })
}

/// The ticket that an id stands for, now that nothing is decided beside us.
pub(super) async fn now_of(connection: &mut PgConnection, ticket: TicketId) -> Result<TicketId, StoreError> {
    let now: Option<Uuid> =
        sqlx::query_scalar("SELECT now FROM alias WHERE id = $1").bind(ticket.0).fetch_optional(connection).await?;
    Ok(now.map_or(ticket, TicketId))
}

/// What an act does, for its journal.
fn done(scene: &Scene, moved: &BTreeSet<MessageId>, put: Put, pinned: &Pinned) -> Done {
    let goes = |lying: &&Lying| moved.contains(&lying.id);
    let from: BTreeSet<TicketId> = scene.lying.iter().filter(goes).filter_map(|lying| lying.ticket).collect();
    let is_loose = scene.lying.iter().filter(goes).any(|lying| lying.ticket.is_none());
    let changed: BTreeSet<MessageId> = pinned.pins.iter().map(|(id, _)| *id).collect();
    let before = scene.lying.iter().filter(|lying| changed.contains(&lying.id));
    Done {
        moved: moved.clone(),
        // What was on no ticket cannot be put back there.
        from: if is_loose { Vec::new() } else { from.into_iter().collect() },
        to: match put {
            Put::On(ticket) => Some(ticket),
            Put::Apart => None,
        },
        pins: before.map(|lying| (lying.id, lying.pin)).collect(),
        openers: scene.openers.iter().map(|(ticket, opener)| (*ticket, *opener)).collect(),
    }
}

async fn scene(connection: &mut PgConnection, messages: &Messages, put: Put) -> Result<Scene, ActError> {
    let named: Vec<Uuid> = match messages {
        Messages::Named(named) => named.iter().map(|id| id.0).collect(),
        Messages::Of(_) => Vec::new(),
    };
    let mut tickets: Vec<Uuid> =
        sqlx::query_scalar("SELECT DISTINCT ticket_id FROM message WHERE id = ANY($1) AND ticket_id IS NOT NULL")
            .bind(&named)
            .fetch_all(&mut *connection)
            .await?;
    if let Messages::Of(ticket) = messages {
        tickets.push(ticket.0);
    }
    if let Put::On(ticket) = put {
        tickets.push(ticket.0);
    }
    let rows = sqlx::query(
        "SELECT m.id, m.tenant, m.occurred_at, m.ticket_id, m.pinned_to, m.pinned_on, m.pinned_by, m.identity_id, i.contact_id
         FROM message m LEFT JOIN identity i ON i.id = m.identity_id WHERE m.ticket_id = ANY($1) OR m.id = ANY($2) LIMIT $3",
    )
    .bind(&tickets)
    .bind(&named)
    .bind(i64::try_from(HISTORY_MAX + 1).unwrap_or(i64::MAX))
    .fetch_all(&mut *connection)
    .await?;
    if rows.len() > HISTORY_MAX {
        return Err(ActError::Limit(format!(
            "on these tickets are more than {HISTORY_MAX} messages, which is more than can be placed anew at once"
        )));
    }
    let openers: Vec<(Uuid, Uuid)> = sqlx::query_as("SELECT id, opened_by FROM ticket WHERE id = ANY($1)")
        .bind(&tickets)
        .fetch_all(connection)
        .await?;
    let openers = openers.into_iter().map(|(ticket, by)| (TicketId(ticket), MessageId(by))).collect();
    let tenants: BTreeSet<String> = rows.iter().map(|row| row.try_get("tenant")).collect::<Result<_, _>>()?;
    let mut tenants = tenants.into_iter();
    let tenant = tenants.next().unwrap_or_default();
    if let Some(other) = tenants.next() {
        return Err(ActError::Tenants(format!(
            "some of it is {tenant}'s and some is {other}'s: nothing is put together across firms"
        )));
    }
    let mut scene =
        Scene { tenant, lying: Vec::new(), openers, contacts: BTreeSet::new(), identities: BTreeSet::new() };
    for row in &rows {
        scene.lying.push(lying(row)?);
        scene.contacts.extend(row.try_get::<Option<Uuid>, _>("contact_id")?);
        scene.identities.extend(row.try_get::<Option<Uuid>, _>("identity_id")?.map(IdentityId));
    }
    // What a ticket began with may have gone elsewhere since: then it is the oldest that is there.
    for (ticket, opener) in &mut scene.openers {
        let here = || scene.lying.iter().filter(|lying| lying.ticket == Some(*ticket));
        if !here().any(|lying| lying.id == *opener) {
            *opener = here().min_by_key(|lying| (lying.at, lying.id)).map_or(*opener, |lying| lying.id);
        }
    }
    if scene.contacts.is_empty() {
        // Nobody known said any of it: it is due by itself.
        scene.contacts.extend(scene.lying.first().map(|lying| lying.id.0));
    }
    Ok(scene)
}

fn lying(row: &PgRow) -> Result<Lying, StoreError> {
    let (to, by): (Option<Uuid>, Option<Uuid>) = (row.try_get("pinned_to")?, row.try_get("pinned_by")?);
    let on = row.try_get::<Option<Uuid>, _>("pinned_on")?.map(TicketId);
    Ok(Lying {
        id: MessageId(row.try_get("id")?),
        at: time(row, "occurred_at")?,
        ticket: row.try_get::<Option<Uuid>, _>("ticket_id")?.map(TicketId),
        pin: to.map(|to| Pin { to: MessageId(to), on, by: EventId(by.unwrap_or_default()) }),
    })
}

/// Whether there is anything to do, and whether it may be.
async fn check(
    connection: &mut PgConnection,
    scene: &Scene,
    moved: &BTreeSet<MessageId>,
    put: Put,
) -> Result<(), ActError> {
    let goes = |lying: &&Lying| moved.contains(&lying.id);
    let from: BTreeSet<Option<TicketId>> = scene.lying.iter().filter(goes).map(|lying| lying.ticket).collect();
    match put {
        Put::On(ticket) if from.iter().all(|from| *from == Some(ticket)) => {
            return Err(ActError::Nothing(format!("that is on ticket {ticket} already")));
        }
        Put::On(_) => {}
        Put::Apart => {
            let stays = scene.lying.iter().filter(|lying| !goes(lying)).count();
            if stays == 0 && from.len() == 1 && !from.contains(&None) {
                return Err(ActError::Nothing("that is all that is on its ticket: it is by itself already".to_owned()));
            }
        }
    }
    let groups: Vec<Uuid> = sqlx::query_scalar(
        "SELECT DISTINCT ticket_id FROM ticket_reference WHERE ticket_id = ANY($1) AND kind = 'group'",
    )
    .bind(scene.openers.keys().map(|ticket| ticket.0).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    match groups.first() {
        Some(group) if scene.openers.len() > 1 => Err(ActError::Refused(format!(
            "ticket {group} is that of a group of several customers: what is said there and elsewhere is not put together"
        ))),
        _ => Ok(()),
    }
}

/// The last act on all of these messages, and what it did.
async fn last_act(
    connection: &mut PgConnection,
    scene: &Scene,
    moved: &BTreeSet<MessageId>,
) -> Result<Option<(EventId, Done)>, ActError> {
    let acts: BTreeSet<Option<EventId>> =
        scene.lying.iter().filter(|lying| moved.contains(&lying.id)).map(|lying| lying.pin.map(|pin| pin.by)).collect();
    let (Some(Some(act)), 1) = (acts.first(), acts.len()) else { return Ok(None) };
    let data: Option<serde_json::Value> =
        sqlx::query_scalar("SELECT data FROM ticket_event WHERE id = $1 AND kind IN ('merge', 'split', 'move')")
            .bind(act.0)
            .fetch_optional(connection)
            .await?;
    let done = data.map(|data| record(act.0, data)).transpose()?;
    Ok(done.map(|record| (*act, record.done)))
}

/// The tickets that those of an act stand for now.
async fn ends(connection: &mut PgConnection, done: &Done) -> Result<BTreeMap<TicketId, TicketId>, ActError> {
    let tickets: Vec<Uuid> = done.from.iter().chain(&done.to).map(|ticket| ticket.0).collect();
    let rows: Vec<(Uuid, Uuid)> =
        sqlx::query_as("SELECT id, now FROM alias WHERE id = ANY($1)").bind(tickets).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(id, now)| (TicketId(id), TicketId(now))).collect())
}

/// Writes what messages are pinned to, and how the tickets that are concerned stand with that.
pub(super) async fn write(connection: &mut PgConnection, pinned: &Pinned, tickets: &[Uuid]) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE message m SET pinned_to = t.beside, pinned_on = t.ticket, pinned_by = t.act
         FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]) AS t(id, beside, ticket, act) WHERE m.id = t.id",
    )
    .bind(pinned.pins.iter().map(|(id, _)| id.0).collect::<Vec<_>>())
    .bind(pinned.pins.iter().map(|(_, pin)| pin.map(|pin| pin.to.0)).collect::<Vec<_>>())
    .bind(pinned.pins.iter().map(|(_, pin)| pin.and_then(|pin| pin.on).map(|on| on.0)).collect::<Vec<_>>())
    .bind(pinned.pins.iter().map(|(_, pin)| pin.map(|pin| pin.by.0)).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    sqlx::query("UPDATE ticket k SET opened_by = t.opener FROM unnest($1::uuid[], $2::uuid[]) AS t(id, opener) WHERE k.id = t.id")
        .bind(pinned.openers.iter().map(|(ticket, _)| ticket.0).collect::<Vec<_>>())
        .bind(pinned.openers.iter().map(|(_, opener)| opener.0).collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "UPDATE ticket k SET held = EXISTS (SELECT 1 FROM message m WHERE m.ticket_id = k.id AND m.pinned_to IS NOT NULL)
         WHERE k.id = ANY($1)",
    )
    .bind(tickets)
    .execute(connection)
    .await?;
    Ok(())
}

/// The journal's rows of an act: the one that tells all, and one for every other ticket that it concerns.
async fn note(
    store: &Store,
    connection: &mut PgConnection,
    (id, kind): (EventId, &str),
    tenant: &str,
    record: &Record,
    by: &str,
    now: Timestamp,
) -> Result<(), ActError> {
    let tickets: BTreeSet<TicketId> = record.done.from.iter().chain(&record.done.to).copied().collect();
    let whole = serde_json::to_value(record).unwrap_or_default();
    let mut short = serde_json::to_value(Record {
        why: record.why.clone(),
        done: Done { pins: Vec::new(), openers: Vec::new(), ..record.done.clone() },
        takes_back: record.takes_back,
    })
    .unwrap_or_default();
    short["act"] = serde_json::json!(id);
    let mut rows: Vec<(Uuid, Option<Uuid>, &serde_json::Value)> = Vec::new();
    for ticket in tickets {
        match rows.is_empty() {
            true => rows.push((id.0, Some(ticket.0), &whole)),
            false => rows.push((store.next_id::<EventId>(now).0, Some(ticket.0), &short)),
        }
    }
    if rows.is_empty() {
        rows.push((id.0, None, &whole));
    }
    sqlx::query(
        "INSERT INTO ticket_event (tenant, id, ticket_id, kind, by, data, at)
         SELECT $1, t.id, t.ticket, $2, $3, t.data, $4 FROM unnest($5::uuid[], $6::uuid[], $7::jsonb[]) AS t(id, ticket, data)",
    )
    .bind(tenant)
    .bind(kind)
    .bind(by)
    .bind(sql_time(now))
    .bind(rows.iter().map(|(id, ..)| *id).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, ticket, _)| *ticket).collect::<Vec<_>>())
    .bind(rows.iter().map(|(.., data)| (*data).clone()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}
