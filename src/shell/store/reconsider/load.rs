//! What deciding anew needs to know.

use crate::pure::decide::anew::{HISTORY_MAX, History, Hood};
use crate::pure::decide::ledger::{Kind, Member, Stated, Word};
use crate::pure::decide::lookup::Keyer;
use crate::pure::decide::rethread::{Closing, Kept};
use crate::pure::domain::facts::{HOLDERS_MAX, LookupKey};
use crate::pure::domain::id::*;
use crate::pure::domain::identity::Assurance;
use crate::pure::domain::outline::Outline;
use crate::pure::domain::ticket::{MatterKind, Priority, Triage};
use crate::shell::store::StoreError;
use crate::shell::store::facts::{self, direction, time};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Statements of one identity that are weighed, the latest.
const STATED_MAX: i64 = 64;

/// Identities of one contact that are loaded.
const IDENTITIES_MAX: i64 = 24;

struct Loader<'a> {
    connection: &'a mut PgConnection,
    tenant: &'a str,
    keyer: &'a Keyer,
    hood: Hood,
    stated: BTreeMap<Uuid, Stated>,
}

/// Loads the neighbourhood of people: their identities with all that was stated by them and of them, the people
/// who stated the same or are stated by them in the same way, and of the people beyond what bears on these.
pub async fn hood(
    connection: &mut PgConnection,
    tenant: &str,
    keyer: &Keyer,
    contacts: &[Uuid],
) -> Result<Hood, StoreError> {
    let mut loader = Loader { connection, tenant, keyer, hood: Hood::default(), stated: BTreeMap::new() };
    let contacts = loader.now(contacts).await?;
    let inner = loader.identities(&contacts).await?;
    let near = loader.neighbours(&inner).await?;
    let near = loader.identities(&near).await?;
    let far = loader.neighbours(&near).await?;
    let far = loader.identities(&far).await?;
    loader.words().await?;
    let mut edge: BTreeMap<ContactId, BTreeSet<IdentityId>> = BTreeMap::new();
    for id in &far {
        if let Some(known) = loader.hood.known.get(id) {
            edge.entry(known.contact).or_default().insert(*id);
        }
    }
    let mut hood = loader.hood;
    hood.due = contacts.into_iter().map(ContactId).collect();
    hood.start = edge.into_values().collect();
    hood.ledger.stated = loader.stated.into_values().collect();
    Ok(hood)
}

impl Loader<'_> {
    /// The contacts that these ids stand for now.
    async fn now(&mut self, ids: &[Uuid]) -> Result<BTreeSet<Uuid>, StoreError> {
        let rows: Vec<Uuid> = sqlx::query_scalar(
            "SELECT coalesce(a.now, t.id) FROM unnest($1::uuid[]) AS t(id) LEFT JOIN alias a ON a.id = t.id",
        )
        .bind(ids)
        .fetch_all(&mut *self.connection)
        .await?;
        Ok(rows.into_iter().collect())
    }

    /// Loads the identities of contacts that are not loaded yet.
    async fn identities(&mut self, contacts: &BTreeSet<Uuid>) -> Result<Vec<IdentityId>, StoreError> {
        let loaded: BTreeSet<Uuid> = self.hood.known.values().map(|known| known.contact.0).collect();
        let contacts: Vec<Uuid> = contacts.difference(&loaded).copied().collect();
        if contacts.is_empty() {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT {}, i.claim_key,
                (SELECT max(e.closed_at) FROM identity e WHERE i.epoch > 1 AND e.tenant = i.tenant AND e.scheme = i.scheme
                    AND e.scope = i.scope AND e.value = i.value AND e.epoch < i.epoch) AS since
             FROM unnest($1::uuid[]) AS c(id) CROSS JOIN LATERAL (
                SELECT * FROM identity t WHERE t.contact_id = c.id ORDER BY t.id LIMIT {IDENTITIES_MAX}
             ) i LEFT JOIN alias a ON a.id = i.last_ticket",
            facts::IDENTITY_COLUMNS
        )))
        .bind(&contacts)
        .fetch_all(&mut *self.connection)
        .await?;
        let mut ids = Vec::with_capacity(rows.len());
        for row in &rows {
            let known = facts::identity(row)?;
            let claim = row.try_get::<Option<Uuid>, _>("claim_key")?.map(LookupKey);
            self.hood.ledger.members.push(Member {
                id: known.id,
                identity: known.identity.clone(),
                claim: claim.unwrap_or_else(|| self.keyer.claim(&known.identity)),
                since: row.try_get::<Option<jiff_sqlx::Timestamp>, _>("since")?.map(|at| at.to_jiff()),
                until: known.closed_at,
                assurance: known.assurance,
                names: known.names.clone(),
                last_at: known.last_at,
                is_shared: false,
            });
            ids.push(known.id);
            self.hood.known.insert(known.id, known);
        }
        Ok(ids)
    }

    /// What these identities stated, who else stated it, whom they state, and who states them: contacts.
    async fn neighbours(&mut self, ids: &[IdentityId]) -> Result<BTreeSet<Uuid>, StoreError> {
        if ids.is_empty() {
            return Ok(BTreeSet::new());
        }
        let own: BTreeSet<IdentityId> = ids.iter().copied().collect();
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT f.* FROM unnest($1::uuid[]) AS i(id) CROSS JOIN LATERAL (
                SELECT * FROM fact t WHERE t.identity_id = i.id AND t.kind NOT IN ('name', 'company') ORDER BY t.at DESC LIMIT {STATED_MAX}
             ) f"
        )))
        .bind(&ids)
        .fetch_all(&mut *self.connection)
        .await?;
        self.take_stated(&rows)?;
        let mut keys: BTreeSet<Uuid> = self.hood.ledger.members.iter().map(|member| member.claim.0).collect();
        let stated: BTreeSet<Uuid> =
            self.stated.values().filter(|stated| own.contains(&stated.by)).map(|stated| stated.key.0).collect();
        keys.extend(&stated);
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT f.* FROM unnest($1::uuid[]) AS k(key_hash) CROSS JOIN LATERAL (
                SELECT * FROM fact t WHERE t.key_hash = k.key_hash AND t.kind NOT IN ('name', 'company') ORDER BY t.at DESC LIMIT {HOLDERS_MAX}
             ) f"
        )))
        .bind(keys.into_iter().collect::<Vec<_>>())
        .fetch_all(&mut *self.connection)
        .await?;
        self.take_stated(&rows)?;
        let holders: Vec<Uuid> = self.stated.values().map(|stated| stated.by.0).collect();
        let contacts: Vec<Uuid> = sqlx::query_scalar(
            "SELECT contact_id FROM identity WHERE id = ANY($1)
             UNION SELECT contact_id FROM identity WHERE claim_key = ANY($2) AND tenant = $3",
        )
        .bind(holders)
        .bind(stated.into_iter().collect::<Vec<_>>())
        .bind(self.tenant)
        .fetch_all(&mut *self.connection)
        .await?;
        let mut contacts: BTreeSet<Uuid> = contacts.into_iter().collect();
        contacts.extend(self.said_to_be_one(&ids).await?);
        Ok(contacts)
    }

    /// Contacts of whom agents say that they are these identities'.
    async fn said_to_be_one(&mut self, ids: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
        let contacts: Vec<Uuid> = sqlx::query_scalar(
            "SELECT i.contact_id FROM unnest($1::uuid[]) AS k(id) CROSS JOIN LATERAL (
                SELECT identity_b AS other FROM edge WHERE identity_a = k.id AND class = 'agent_same' AND state = 'active'
                UNION ALL SELECT identity_a FROM edge WHERE identity_b = k.id AND class = 'agent_same' AND state = 'active'
             ) e JOIN identity i ON i.id = e.other",
        )
        .bind(ids)
        .fetch_all(&mut *self.connection)
        .await?;
        Ok(contacts)
    }

    fn take_stated(&mut self, rows: &[PgRow]) -> Result<(), StoreError> {
        for row in rows {
            let (kind, name, mask): (String, String, String) =
                (row.try_get("kind")?, row.try_get("name")?, row.try_get("mask")?);
            let (kind, shown) = match kind.as_str() {
                "number" => (Kind::Number, format!("{name} {mask}")),
                "desk_message" => (Kind::DeskMessage, String::new()),
                _ => (Kind::Claim, mask),
            };
            self.stated.insert(
                row.try_get("id")?,
                Stated {
                    kind,
                    key: LookupKey(row.try_get("key_hash")?),
                    shown,
                    by: IdentityId(row.try_get("identity_id")?),
                    message: MessageId(row.try_get("message_id")?),
                    at: time(row, "at")?,
                    assurance: Assurance::from_level(row.try_get("assurance")?),
                    place: facts::place(row)?,
                },
            );
        }
        Ok(())
    }

    /// What the platform and agents said of pairs.
    async fn words(&mut self) -> Result<(), StoreError> {
        let ids: Vec<Uuid> = self.hood.known.keys().map(|id| id.0).collect();
        let rows: Vec<(Uuid, Uuid, String)> = sqlx::query_as(
            "SELECT identity_a, identity_b, class FROM edge WHERE state = 'active' AND identity_a = ANY($1) AND identity_b = ANY($1)
                AND class IN ('same_id', 'agent_same', 'agent_apart') ORDER BY id",
        )
        .bind(ids)
        .fetch_all(&mut *self.connection)
        .await?;
        let word = |(a, b, class): (Uuid, Uuid, String)| {
            let word = match class.as_str() {
                "agent_same" => Word::Same,
                "agent_apart" => Word::Apart,
                _ => Word::Platform,
            };
            (IdentityId(a), IdentityId(b), word)
        };
        let mut words: Vec<_> = rows.into_iter().map(word).collect();
        // Agents first: what the platform vouches for does not join what they keep apart.
        words.sort_by_key(|(a, b, word)| (*word == Word::Platform, *a, *b));
        self.hood.ledger.words = words;
        Ok(())
    }
}

/// Loads what was said by identities, and by others on the same tickets; `None` when that is too much.
pub async fn history(
    connection: &mut PgConnection,
    hood: &mut Hood,
    ids: &BTreeSet<IdentityId>,
) -> Result<Option<History>, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    // What nobody known said is due by its own id.
    let nobodys: Vec<Uuid> = hood.due.iter().map(|due| due.0).collect();
    let mut tickets: Vec<Uuid> = sqlx::query_scalar(
        "SELECT DISTINCT ticket_id FROM message WHERE (identity_id = ANY($1) OR id = ANY($3)) AND ticket_id IS NOT NULL LIMIT $2",
    )
    .bind(&ids)
    .bind(i64::try_from(HISTORY_MAX).unwrap_or(i64::MAX))
    .bind(nobodys)
    .fetch_all(&mut *connection)
    .await?;
    let loose = put_beside(connection, &mut tickets).await?;
    let rows = sqlx::query(
        "SELECT id, channel, direction, identity_id, ticket_id, occurred_at, trusted_at, received_at, auto, assurance,
            call IS NOT NULL AS is_call, pinned_to, pinned_on, subject, left(coalesce(own_text, text), 200) AS words, matter_kind, priority, outline
         FROM message WHERE ticket_id = ANY($1) OR (identity_id = ANY($2) AND ticket_id IS NULL) OR id = ANY($4) LIMIT $3",
    )
    .bind(&tickets)
    .bind(&ids)
    .bind(i64::try_from(HISTORY_MAX + 1).unwrap_or(i64::MAX))
    .bind(loose)
    .fetch_all(&mut *connection)
    .await?;
    if rows.len() > HISTORY_MAX {
        return Ok(None);
    }
    let mut history = History { kept: rows.iter().map(kept).collect::<Result<_, _>>()?, ..History::default() };
    let opened: Vec<(Uuid, i64, Uuid, bool)> = sqlx::query_as(
        "SELECT id, number, opened_by, merged_into IS NULL FROM ticket WHERE id = ANY($1) OR merged_into = ANY($1) ORDER BY number DESC",
    )
    .bind(&tickets)
    .fetch_all(&mut *connection)
    .await?;
    let here: BTreeSet<MessageId> = history.kept.iter().map(|kept| kept.id).collect();
    let opened = opened.into_iter().map(|(id, number, by, stands)| ((number, TicketId(id)), MessageId(by), stands));
    let opened: Vec<((i64, TicketId), MessageId, bool)> = opened.filter(|(_, by, _)| here.contains(by)).collect();
    // Of several that one opened, put here and there by hand, it is the first; where it stands by an agent's word, the
    // one that he had it stand on.
    let first: BTreeMap<MessageId, (i64, TicketId)> = opened.iter().map(|(ticket, by, _)| (*by, *ticket)).collect();
    let standing = opened.iter().filter(|(.., stands)| *stands);
    let standing: BTreeMap<MessageId, (i64, TicketId)> = standing.map(|(ticket, by, _)| (*by, *ticket)).collect();
    history.opened = opened.into_iter().map(|((_, ticket), by, _)| (ticket, by)).collect();
    for kept in &mut history.kept {
        let standing = standing.get(&kept.id).filter(|_| kept.pinned_to == Some(kept.id));
        kept.opened = standing.or(first.get(&kept.id)).copied();
    }
    history.closings = closings(connection, &here).await?;
    people_beside(connection, hood, &history.kept).await?;
    Ok(Some(history))
}

/// Adds the tickets of messages that are put beside what is on these, or that these have messages put beside. Gives
/// those of them that are on no ticket.
async fn put_beside(connection: &mut PgConnection, tickets: &mut Vec<Uuid>) -> Result<Vec<Uuid>, StoreError> {
    let mut loose: BTreeSet<Uuid> = BTreeSet::new();
    while tickets.len() <= HISTORY_MAX {
        let rows: Vec<(Uuid, Option<Uuid>)> = sqlx::query_as(
            "WITH held AS (
                SELECT m.id, m.pinned_to FROM ticket t JOIN message m ON m.ticket_id = t.id WHERE t.id = ANY($1) AND t.held
             )
             SELECT m.id, m.ticket_id FROM held h JOIN message m ON m.id = h.pinned_to
             UNION SELECT m.id, m.ticket_id FROM held h JOIN message m ON m.pinned_to = h.id",
        )
        .bind(&*tickets)
        .fetch_all(&mut *connection)
        .await?;
        loose.extend(rows.iter().filter(|(_, ticket)| ticket.is_none()).map(|(id, _)| *id));
        let known = tickets.len();
        let here: BTreeSet<Uuid> = tickets.iter().copied().collect();
        let more: BTreeSet<Uuid> = rows.into_iter().filter_map(|(_, ticket)| ticket).collect();
        tickets.extend(more.difference(&here));
        if tickets.len() == known {
            break;
        }
    }
    Ok(loose.into_iter().collect())
}

/// Others who speak on the same tickets.
async fn people_beside(connection: &mut PgConnection, hood: &mut Hood, kept: &[Kept]) -> Result<(), StoreError> {
    let named = kept.iter().flat_map(|kept| kept.outline.identities.iter().map(|(id, _)| *id).chain(kept.identity));
    let missing: BTreeSet<Uuid> = named.filter(|id| !hood.known.contains_key(id)).map(|id| id.0).collect();
    if missing.is_empty() {
        return Ok(());
    }
    // All addresses of these people: which organisation they are of shows in any of them.
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT {} FROM (SELECT DISTINCT contact_id FROM identity WHERE id = ANY($1)) c CROSS JOIN LATERAL (
            SELECT * FROM identity t WHERE t.contact_id = c.contact_id LIMIT {IDENTITIES_MAX}
         ) i LEFT JOIN alias a ON a.id = i.last_ticket",
        facts::IDENTITY_COLUMNS
    )))
    .bind(missing.into_iter().collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    for row in &rows {
        let known = facts::identity(row)?;
        hood.known.entry(known.id).or_insert(known);
    }
    Ok(())
}

async fn closings(connection: &mut PgConnection, here: &BTreeSet<MessageId>) -> Result<Vec<Closing>, StoreError> {
    let rows: Vec<(Uuid, serde_json::Value)> =
        sqlx::query_as("SELECT message_id, data FROM ticket_event WHERE kind = 'close' AND message_id = ANY($1)")
            .bind(here.iter().map(|id| id.0).collect::<Vec<_>>())
            .fetch_all(connection)
            .await?;
    let closing = |(on, data): (Uuid, serde_json::Value)| {
        let at = data.get("occurred_at").and_then(|at| at.as_str()?.parse().ok())?;
        Some(Closing { on: MessageId(on), at })
    };
    Ok(rows.into_iter().filter_map(closing).collect())
}

fn kept(row: &PgRow) -> Result<Kept, StoreError> {
    let outline: Option<serde_json::Value> = row.try_get("outline")?;
    let identity: Option<Uuid> = row.try_get("identity_id")?;
    let assurance = Assurance::from_level(row.try_get("assurance")?);
    let mut outline: Outline = outline.and_then(|outline| serde_json::from_value(outline).ok()).unwrap_or_default();
    if outline.identities.is_empty() {
        outline.identities.extend(identity.map(|id| (IdentityId(id), assurance)));
    }
    let auto: Option<String> = row.try_get("auto")?;
    let kinds: Vec<String> = row.try_get("matter_kind")?;
    Ok(Kept {
        id: MessageId(row.try_get("id")?),
        channel: row.try_get("channel")?,
        direction: direction(row.try_get("direction")?),
        identity: identity.map(IdentityId),
        ticket: row.try_get::<Option<Uuid>, _>("ticket_id")?.map(TicketId),
        opened: None,
        occurred_at: time(row, "occurred_at")?,
        trusted_at: time(row, "trusted_at")?,
        received_at: time(row, "received_at")?,
        auto: auto.and_then(|auto| serde_json::from_value(serde_json::Value::String(auto)).ok()),
        assurance,
        is_call: row.try_get("is_call")?,
        pinned_to: row.try_get::<Option<Uuid>, _>("pinned_to")?.map(MessageId),
        pinned_on: row.try_get::<Option<Uuid>, _>("pinned_on")?.map(TicketId),
        subject: row.try_get("subject")?,
        words: row.try_get("words")?,
        triage: Triage {
            kind: kinds.iter().filter_map(|kind| MatterKind::parse(kind)).collect(),
            priority: Priority::parse(row.try_get("priority")?).unwrap_or(Priority::Normal),
        },
        outline,
    })
}
