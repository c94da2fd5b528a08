//! People of whom something came that may change what was decided before: they are loaded whole, with all whom
//! evidence ties to them, and what deciding anew changes is written.
//!
//! **Invariants:** nothing is decided beside it: it holds the lock of those who write ([`retention`]) alone, of which every batch of
//! ingest holds a share. The number of statements does not depend on how many people there are. Ids that were
//! given out stay valid: those of contacts and tickets that end become aliases, and are those again that they were
//! when what was joined is taken apart.

use super::commit::queue;
use super::facts::{self, direction, time};
use super::retention;
use super::{Store, StoreError, sql_time};
use crate::pure::decide::gather::{Gathered, Kind, Ledger, Member, Stated, Word};
use crate::pure::decide::lookup::Keyer;
use crate::pure::decide::rethread::{Closing, Kept, Rethreaded};
use crate::pure::domain::Timestamp;
use crate::pure::domain::contact::{Contact, ContactKind, KnownIdentity};
use crate::pure::domain::decision::Told;
use crate::pure::domain::facts::{Facts, HOLDERS_MAX, LookupKey};
use crate::pure::domain::id::*;
use crate::pure::domain::identity::Assurance;
use crate::pure::domain::outbox::Change;
use crate::pure::domain::outline::Outline;
use crate::pure::domain::ticket::{MatterKind, Priority, Ticket, Triage};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// Statements of one identity that are weighed, the latest.
const STATED_MAX: i64 = 64;

/// Identities of one contact that are loaded.
const IDENTITIES_MAX: i64 = 24;

/// Messages that are placed anew at once. Somebody who has said more keeps his tickets as they are.
pub const HISTORY_MAX: usize = 2_000;

/// People who are due.
#[derive(Debug)]
pub struct Due {
    /// Whom, by tenant; and whether mirrors hear of it.
    pub contacts: BTreeMap<(String, bool), Vec<Uuid>>,
}

impl Store {
    /// Whether anybody is due.
    pub async fn has_due(&self) -> Result<bool, StoreError> {
        Ok(sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM reconsider)").fetch_one(&self.pool).await?)
    }
}

/// Takes people who are due, at most so many. They are due again when the transaction fails.
pub async fn claim(connection: &mut PgConnection, limit: i64) -> Result<Due, StoreError> {
    retention::alone(connection).await?;
    let rows: Vec<(Uuid, String, bool)> = sqlx::query_as(
        "DELETE FROM reconsider WHERE contact_id IN (SELECT contact_id FROM reconsider ORDER BY since, contact_id LIMIT $1)
         RETURNING contact_id, tenant, quiet",
    )
    .bind(limit)
    .fetch_all(connection)
    .await?;
    let mut contacts: BTreeMap<(String, bool), Vec<Uuid>> = BTreeMap::new();
    for (contact, tenant, quiet) in rows {
        contacts.entry((tenant, quiet)).or_default().push(contact);
    }
    Ok(Due { contacts })
}

/// People with all that is known of them, and of those to whom evidence ties them.
#[derive(Debug, Default)]
pub struct Hood {
    /// Their identities.
    pub known: BTreeMap<IdentityId, KnownIdentity>,
    /// What is weighed.
    pub ledger: Ledger,
    /// Groups that stand as they are: people at the edge, of whom not all is loaded.
    pub start: Vec<BTreeSet<IdentityId>>,
}

struct Loader<'a> {
    connection: &'a mut PgConnection,
    tenant: &'a str,
    keyer: &'a Keyer,
    hood: Hood,
    stated: BTreeMap<Uuid, Stated>,
}

/// Loads the neighbourhood of people: their identities with all that was stated by them and of them, the people
/// who stated the same or are stated by them in the same way, and of the people beyond what bears on these.
pub async fn load(
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
        Ok(contacts.into_iter().collect())
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
                    is_said: row.try_get::<&str, _>("place")? == "body",
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

/// An identity that is somebody else's from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Regrouped {
    /// Which.
    pub identity: IdentityId,
    /// Whose it was.
    pub from: ContactId,
    /// Whose it is.
    pub to: ContactId,
}

impl Hood {
    /// What gathering changes: identities whose contact is another one now.
    pub fn regrouped(&self, gathered: &Gathered) -> Vec<Regrouped> {
        let mut changed = Vec::new();
        for group in &gathered.groups {
            let Some(to) = group.first().map(|oldest| ContactId::of(*oldest)) else { continue };
            let known = group.iter().filter_map(|id| self.known.get(id)).filter(|known| known.contact != to);
            changed.extend(known.map(|known| Regrouped { identity: known.id, from: known.contact, to }));
        }
        changed
    }

    /// The people as facts, without tickets. `regrouped` is applied to them.
    pub fn people(&self, regrouped: &[Regrouped]) -> Facts {
        let to: HashMap<IdentityId, ContactId> = regrouped.iter().map(|moved| (moved.identity, moved.to)).collect();
        let mut facts = Facts::default();
        for known in self.known.values() {
            let contact = to.get(&known.id).copied().unwrap_or(known.contact);
            facts.contacts.entry(contact).or_insert_with(|| Contact {
                id: contact,
                kind: ContactKind::Person,
                name: None,
                first_at: known.first_at,
            });
            facts.take_identity(KnownIdentity { contact, last_ticket: None, ..known.clone() });
        }
        facts
    }
}

/// What was said by people, and by others on the same tickets.
#[derive(Debug, Default)]
pub struct History {
    /// Messages.
    pub kept: Vec<Kept>,
    /// Closings of their conversations.
    pub closings: Vec<Closing>,
    /// Tickets that those opened when they came, also such as were joined since, and where each is now.
    pub opened: BTreeMap<TicketId, (MessageId, TicketId)>,
}

/// Loads what was said by identities, and by others on the same tickets; `None` when that is too much.
pub async fn history(
    connection: &mut PgConnection,
    hood: &mut Hood,
    ids: &BTreeSet<IdentityId>,
) -> Result<Option<History>, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let tickets: Vec<Uuid> = sqlx::query_scalar(
        "SELECT DISTINCT ticket_id FROM message WHERE identity_id = ANY($1) AND ticket_id IS NOT NULL LIMIT $2",
    )
    .bind(&ids)
    .bind(i64::try_from(HISTORY_MAX).unwrap_or(i64::MAX))
    .fetch_all(&mut *connection)
    .await?;
    let rows = sqlx::query(
        "SELECT id, channel, direction, identity_id, ticket_id, occurred_at, trusted_at, received_at, auto, assurance,
            call IS NOT NULL AS is_call, pinned, subject, left(coalesce(own_text, text), 200) AS words, matter_kind, priority, outline
         FROM message WHERE ticket_id = ANY($1) OR (identity_id = ANY($2) AND ticket_id IS NULL) LIMIT $3",
    )
    .bind(&tickets)
    .bind(&ids)
    .bind(i64::try_from(HISTORY_MAX + 1).unwrap_or(i64::MAX))
    .fetch_all(&mut *connection)
    .await?;
    if rows.len() > HISTORY_MAX {
        return Ok(None);
    }
    let mut history = History { kept: rows.iter().map(kept).collect::<Result<_, _>>()?, ..History::default() };
    let opened: Vec<(Uuid, Uuid, Option<Uuid>)> =
        sqlx::query_as("SELECT id, opened_by, merged_into FROM ticket WHERE id = ANY($1) OR merged_into = ANY($1)")
            .bind(&tickets)
            .fetch_all(&mut *connection)
            .await?;
    let here: BTreeSet<MessageId> = history.kept.iter().map(|kept| kept.id).collect();
    for (ticket, by, into) in opened {
        if here.contains(&MessageId(by)) {
            history.opened.insert(TicketId(ticket), (MessageId(by), TicketId(into.unwrap_or(ticket))));
        }
    }
    let by_message: BTreeMap<MessageId, TicketId> =
        history.opened.iter().rev().map(|(ticket, (by, _))| (*by, *ticket)).collect();
    for kept in &mut history.kept {
        kept.opened = by_message.get(&kept.id).copied();
    }
    history.closings = closings(connection, &here).await?;
    people_beside(connection, hood, &history.kept).await?;
    Ok(Some(history))
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
        is_pinned: row.try_get("pinned")?,
        subject: row.try_get("subject")?,
        words: row.try_get("words")?,
        triage: Triage {
            kind: kinds.iter().filter_map(|kind| MatterKind::parse(kind)).collect(),
            priority: Priority::parse(row.try_get("priority")?).unwrap_or(Priority::Normal),
        },
        outline,
    })
}

/// Everything that deciding anew changed.
#[derive(Debug)]
pub struct Changes<'a> {
    /// The firm.
    pub tenant: &'a str,
    /// Identities that are somebody else's now.
    pub regrouped: &'a [Regrouped],
    /// How they were gathered.
    pub gathered: &'a Gathered,
    /// What was said, and where it was.
    pub history: &'a History,
    /// Where it is now.
    pub rethreaded: &'a Rethreaded,
    /// The mirrors that hear of it.
    pub mirrors: &'a [String],
    /// Whether other processes are told that there is something to deliver.
    pub has_peers: bool,
    /// When it is written.
    pub now: Timestamp,
}

impl Changes<'_> {
    /// Messages that are elsewhere now: from where, and where to.
    fn moved(&self) -> Vec<(&Kept, Option<TicketId>, Option<TicketId>)> {
        let kept = self.history.kept.iter();
        let moved = kept.map(|kept| (kept, kept.ticket, self.rethreaded.ticket_of.get(&kept.id).copied()));
        moved.filter(|(_, from, to)| from != to).collect()
    }

    fn is_nothing(&self) -> bool {
        self.regrouped.is_empty() && self.moved().is_empty()
    }
}

/// Writes what changed. Says whether anything did.
pub async fn write(
    connection: &mut PgConnection,
    changes: &Changes<'_>,
    mint: &mut IdMint,
) -> Result<bool, StoreError> {
    people(connection, changes, mint).await?;
    let moved = changes.moved();
    let mut told: Vec<Told> = Vec::new();
    if !moved.is_empty() {
        told.extend(tickets(connection, changes, &moved, mint).await?);
    }
    overtaken(connection, changes).await?;
    if changes.is_nothing() {
        return Ok(false);
    }
    participants(connection, changes).await?;
    told.extend(changes.told_of_people());
    queue(connection, changes.tenant, &told, changes.mirrors, (changes.now, changes.has_peers), mint).await?;
    Ok(true)
}

async fn people(connection: &mut PgConnection, changes: &Changes<'_>, mint: &mut IdMint) -> Result<(), StoreError> {
    if !changes.regrouped.is_empty() {
        regroup(connection, changes, mint).await?;
    }
    shared(connection, changes.gathered).await
}

async fn regroup(connection: &mut PgConnection, changes: &Changes<'_>, mint: &mut IdMint) -> Result<(), StoreError> {
    let Changes { tenant, regrouped, gathered, now, .. } = changes;
    let ids: Vec<Uuid> = regrouped.iter().map(|moved| moved.identity.0).collect();
    let to: Vec<Uuid> = regrouped.iter().map(|moved| moved.to.0).collect();
    let from: BTreeSet<Uuid> = regrouped.iter().map(|moved| moved.from.0).collect();
    let touched: Vec<Uuid> =
        from.iter().copied().chain(to.iter().copied()).collect::<BTreeSet<_>>().into_iter().collect();
    for (statement, is_tenants) in [
        (
            "INSERT INTO contact (id, tenant, first_at) SELECT DISTINCT ON (t.contact) t.contact, $3, i.first_at
             FROM unnest($1::uuid[], $2::uuid[]) AS t(id, contact) JOIN identity i ON i.id = t.id ORDER BY t.contact, i.first_at
             ON CONFLICT (id) DO NOTHING",
            true,
        ),
        (
            "UPDATE identity i SET contact_id = t.contact FROM unnest($1::uuid[], $2::uuid[]) AS t(id, contact) WHERE i.id = t.id",
            false,
        ),
    ] {
        let query = sqlx::query(statement).bind(&ids).bind(&to);
        let query = if is_tenants { query.bind(*tenant) } else { query };
        query.execute(&mut *connection).await?;
    }
    // A contact has the id of one of its identities: where that is, there the contact is.
    for statement in [
        "UPDATE contact c SET merged_into = nullif(i.contact_id, c.id) FROM identity i
         WHERE i.id = c.id AND i.contact_id = ANY($1) AND c.merged_into IS DISTINCT FROM nullif(i.contact_id, c.id)",
        "DELETE FROM alias a USING identity i WHERE a.id = i.id AND i.contact_id = i.id AND i.contact_id = ANY($1)",
        "INSERT INTO alias (id, object, now, at) SELECT c.id, 'contact', i.contact_id, now() FROM contact c JOIN identity i ON i.id = c.id
         WHERE i.contact_id = ANY($1) AND i.contact_id <> c.id ON CONFLICT (id) DO UPDATE SET now = excluded.now",
        "UPDATE contact c SET first_at = i.first_at, name = i.name FROM (
            SELECT contact_id, min(first_at) AS first_at, (array_agg(names[1] ORDER BY first_at) FILTER (WHERE names[1] IS NOT NULL))[1] AS name
            FROM identity WHERE contact_id = ANY($1) GROUP BY contact_id
         ) i WHERE c.id = i.contact_id",
    ] {
        sqlx::query(statement).bind(&touched).execute(&mut *connection).await?;
    }
    journal(connection, changes, mint).await?;
    edges(connection, tenant, gathered, mint, *now).await
}

/// Suggestions to join what is one by now, whether that came of it here or when a message came in.
async fn overtaken(connection: &mut PgConnection, changes: &Changes<'_>) -> Result<(), StoreError> {
    let several = changes.gathered.groups.iter().filter(|group| group.len() > 1);
    let contacts: Vec<Uuid> = several.filter_map(|group| group.first()).map(|id| id.0).collect();
    let tickets: Vec<Uuid> = changes.rethreaded.tickets.keys().map(|ticket| ticket.0).collect();
    for (statement, ids) in [
        (
            "UPDATE suggestion s SET state = 'overtaken' FROM message m JOIN identity i ON i.id = m.identity_id
             WHERE m.id = s.message_id AND s.state = 'open' AND s.target_kind = 'contact' AND i.contact_id = ANY($1)
                AND coalesce((SELECT now FROM alias WHERE id = s.target), s.target) = i.contact_id",
            contacts,
        ),
        (
            "UPDATE suggestion s SET state = 'overtaken' FROM message m
             WHERE m.id = s.message_id AND s.state = 'open' AND s.target_kind = 'ticket' AND m.ticket_id = ANY($1)
                AND coalesce((SELECT now FROM alias WHERE id = s.target), s.target) = m.ticket_id",
            tickets,
        ),
    ] {
        sqlx::query(statement).bind(ids).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Contacts of identities that several people use are nobody's, and others are persons' again.
async fn shared(connection: &mut PgConnection, gathered: &Gathered) -> Result<(), StoreError> {
    let groups = gathered.groups.iter().filter(|group| !group.is_empty());
    let (shared, persons): (Vec<_>, Vec<_>) =
        groups.partition(|group| group.iter().any(|id| gathered.shared.contains(id)));
    let first = |groups: Vec<&BTreeSet<IdentityId>>| -> Vec<Uuid> {
        groups.iter().filter_map(|group| group.first()).map(|id| id.0).collect()
    };
    sqlx::query(
        "UPDATE contact SET kind = CASE WHEN id = ANY($1) THEN 'shared' ELSE 'person' END
         WHERE (id = ANY($1) AND kind = 'person') OR (id = ANY($2) AND kind = 'shared'
            AND NOT EXISTS (SELECT 1 FROM identity i WHERE i.contact_id = contact.id AND i.scheme = 'mailto'))",
    )
    .bind(first(shared))
    .bind(first(persons))
    .execute(connection)
    .await?;
    Ok(())
}

/// The journal of joins and splits.
async fn journal(connection: &mut PgConnection, changes: &Changes<'_>, mint: &mut IdMint) -> Result<(), StoreError> {
    let mut pairs: BTreeMap<(ContactId, ContactId), Vec<Uuid>> = BTreeMap::new();
    for moved in changes.regrouped {
        pairs.entry((moved.from, moved.to)).or_default().push(moved.identity.0);
    }
    let why = |ids: &[Uuid]| {
        let tie = changes.gathered.joined.iter().find(|tie| ids.contains(&tie.from.0) || ids.contains(&tie.to.0));
        tie.map_or_else(|| "What had joined them does not hold any more.".to_owned(), |tie| tie.why.clone())
    };
    let ids: Vec<Uuid> = pairs.iter().map(|_| mint.next::<EventId>(changes.now).0).collect();
    sqlx::query(
        "INSERT INTO contact_link (id, tenant, act, keep, other, identities, why, at)
         SELECT t.id, $1, CASE WHEN left_any THEN 'split' ELSE 'join' END,
            CASE WHEN left_any THEN t.gone ELSE t.here END, CASE WHEN left_any THEN t.here ELSE t.gone END, t.identities::uuid[], t.why, $7
         FROM (SELECT *, EXISTS (SELECT 1 FROM identity i WHERE i.contact_id = u.gone) AS left_any
            FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[]) AS u(id, gone, here, identities, why)) t",
    )
    .bind(changes.tenant)
    .bind(ids)
    .bind(pairs.keys().map(|(from, _)| from.0).collect::<Vec<_>>())
    .bind(pairs.keys().map(|(_, to)| to.0).collect::<Vec<_>>())
    .bind(pairs.values().map(|ids| format!("{{{}}}", ids.iter().map(Uuid::to_string).collect::<Vec<_>>().join(","))).collect::<Vec<_>>())
    .bind(pairs.values().map(|ids| why(ids)).collect::<Vec<_>>())
    .bind(sql_time(changes.now))
    .execute(connection)
    .await?;
    Ok(())
}

/// The evidence that joins stand on now; what stood before and does not any more is off.
async fn edges(
    connection: &mut PgConnection,
    tenant: &str,
    gathered: &Gathered,
    mint: &mut IdMint,
    now: Timestamp,
) -> Result<(), StoreError> {
    let joined = &gathered.joined;
    let members: Vec<Uuid> = gathered.groups.iter().flatten().map(|id| id.0).collect();
    let column = |f: &dyn Fn(&crate::pure::decide::gather::Tie) -> Uuid| joined.iter().map(f).collect::<Vec<Uuid>>();
    let ids: Vec<Uuid> = joined.iter().map(|_| mint.next::<EdgeId>(now).0).collect();
    sqlx::query(
        "UPDATE edge e SET state = 'off' WHERE state = 'active' AND class NOT IN ('same_id', 'agent_same', 'agent_apart')
            AND identity_a = ANY($1) AND identity_b = ANY($1)
            AND NOT EXISTS (SELECT 1 FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS t(a, b, class)
                WHERE t.class = e.class AND ((t.a, t.b) = (e.identity_a, e.identity_b) OR (t.b, t.a) = (e.identity_a, e.identity_b)))",
    )
    .bind(&members)
    .bind(column(&|tie| tie.from.0))
    .bind(column(&|tie| tie.to.0))
    .bind(joined.iter().map(|tie| tie.class.as_str()).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO edge (id, tenant, identity_a, identity_b, class, bits, message_id, by_message, at)
         SELECT t.id, $1, t.a, t.b, t.class, t.bits, t.message, t.by_message, $9
         FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::smallint[], $7::uuid[], $8::uuid[]) AS t(id, a, b, class, bits, message, by_message)
         WHERE t.message IS NOT NULL AND NOT EXISTS (SELECT 1 FROM edge e WHERE e.state = 'active' AND e.class = t.class
            AND ((e.identity_a = t.a AND e.identity_b = t.b) OR (e.identity_a = t.b AND e.identity_b = t.a)))",
    )
    .bind(tenant)
    .bind(ids)
    .bind(column(&|tie| tie.from.0))
    .bind(column(&|tie| tie.to.0))
    .bind(joined.iter().map(|tie| tie.class.as_str()).collect::<Vec<_>>())
    .bind(joined.iter().map(|tie| tie.bits).collect::<Vec<_>>())
    .bind(joined.iter().map(|tie| tie.messages.0.or(tie.messages.1).map(|id| id.0)).collect::<Vec<_>>())
    .bind(joined.iter().map(|tie| tie.messages.1.map(|id| id.0)).collect::<Vec<_>>())
    .bind(sql_time(now))
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes tickets as they stand now, and moves messages. Gives what mirrors hear of it.
async fn tickets(
    connection: &mut PgConnection,
    changes: &Changes<'_>,
    moved: &[(&Kept, Option<TicketId>, Option<TicketId>)],
    mint: &mut IdMint,
) -> Result<Vec<Told>, StoreError> {
    let Changes { tenant, history, rethreaded, .. } = changes;
    let touched: BTreeSet<TicketId> = moved.iter().flat_map(|(_, from, to)| from.iter().chain(to).copied()).collect();
    let rows: Vec<&Ticket> = rethreaded.tickets.values().filter(|ticket| touched.contains(&ticket.id)).collect();
    let opened_by = |ticket: &Ticket| {
        let first = || rethreaded.ticket_of.iter().find(|(_, of)| **of == ticket.id).map(|(message, _)| *message);
        history.opened.get(&ticket.id).map(|(by, _)| *by).or_else(first).unwrap_or(ticket.opened_by).0
    };
    sqlx::query(
        "INSERT INTO ticket (tenant, id, state, title, kind, priority, opened_at, last_at, closed_at, follow_up_of, opened_by)
         SELECT $1, id, state, title, coalesce(string_to_array(nullif(kind, ''), ','), '{}'), priority, opened_at, last_at, closed_at,
            follow_up_of, opened_by
         FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::timestamptz[],
            $10::uuid[], $11::uuid[]) AS t(id, state, title, kind, priority, opened_at, last_at, closed_at, follow_up_of, opened_by)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, title = excluded.title, kind = excluded.kind, priority = excluded.priority,
            opened_at = excluded.opened_at, last_at = excluded.last_at, closed_at = excluded.closed_at,
            follow_up_of = excluded.follow_up_of, merged_into = NULL",
    )
    .bind(tenant)
    .bind(rows.iter().map(|t| t.id.0).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| t.state.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| t.title.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| t.kind.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(",")).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| t.priority.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| sql_time(t.opened_at)).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| sql_time(t.last_at)).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| t.closed_at.map(sql_time)).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| t.follow_up_of.map(|id| id.0)).collect::<Vec<_>>())
    .bind(rows.iter().map(|t| opened_by(t)).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    let messages: Vec<Uuid> = moved.iter().map(|(kept, ..)| kept.id.0).collect();
    let to: Vec<Option<Uuid>> = moved.iter().map(|(.., to)| to.map(|id| id.0)).collect();
    for statement in [
        "UPDATE message m SET ticket_id = t.ticket FROM unnest($1::uuid[], $2::uuid[]) AS t(id, ticket) WHERE m.id = t.id",
        "UPDATE ticket_reference r SET ticket_id = t.ticket FROM unnest($1::uuid[], $2::uuid[]) AS t(id, ticket) WHERE r.message_id = t.id",
    ] {
        sqlx::query(statement).bind(&messages).bind(&to).execute(&mut *connection).await?;
    }
    sqlx::query(
        "UPDATE identity i SET last_ticket = (SELECT m.ticket_id FROM message m WHERE m.identity_id = i.id AND m.ticket_id IS NOT NULL
            ORDER BY m.occurred_at DESC LIMIT 1)
         WHERE i.id IN (SELECT identity_id FROM message WHERE id = ANY($1))",
    )
    .bind(&messages)
    .execute(&mut *connection)
    .await?;
    ends(connection, changes).await?;
    numbers(connection, changes).await?;
    journal_of_tickets(connection, changes, moved, mint).await?;
    Ok(changes.told_of_tickets(moved))
}

/// Tickets on which nothing is any more: each goes on where the message is that it began with.
async fn ends(connection: &mut PgConnection, changes: &Changes<'_>) -> Result<(), StoreError> {
    let ends = changes.history.opened.iter().filter_map(|(ticket, (by, _))| {
        let now = changes.rethreaded.ticket_of.get(by)?;
        Some((ticket.0, now.0))
    });
    let (tickets, now): (Vec<Uuid>, Vec<Uuid>) = ends.unzip();
    for statement in [
        "UPDATE ticket_reference r SET ticket_id = t.now FROM unnest($1::uuid[], $2::uuid[]) AS t(id, now)
         WHERE r.ticket_id = t.id AND t.id <> t.now",
        "UPDATE ticket k SET merged_into = nullif(t.now, t.id) FROM unnest($1::uuid[], $2::uuid[]) AS t(id, now)
         WHERE k.id = t.id AND k.merged_into IS DISTINCT FROM nullif(t.now, t.id)",
        "DELETE FROM alias a USING unnest($1::uuid[], $2::uuid[]) AS t(id, now) WHERE a.id = t.id AND t.id = t.now",
        "INSERT INTO alias (id, object, now, at) SELECT t.id, 'ticket', t.now, now() FROM unnest($1::uuid[], $2::uuid[]) AS t(id, now)
         WHERE t.id <> t.now ON CONFLICT (id) DO UPDATE SET now = excluded.now",
    ] {
        sqlx::query(statement).bind(&tickets).bind(&now).execute(&mut *connection).await?;
    }
    Ok(())
}

/// A ticket is found by the numbers that are named on it, also those that another message of a ticket named which it
/// was one with.
async fn numbers(connection: &mut PgConnection, changes: &Changes<'_>) -> Result<(), StoreError> {
    let numbers = &changes.rethreaded.numbers;
    sqlx::query(
        "INSERT INTO ticket_reference (tenant, key_hash, kind, name, ticket_id, message_id, direction, at)
         SELECT DISTINCT ON (t.key, m.ticket_id) $1, t.key, 'number', t.name, m.ticket_id, m.id, m.direction, m.occurred_at
         FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS t(message, key, name) JOIN message m ON m.id = t.message
         WHERE m.ticket_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ticket_reference r
            WHERE r.key_hash = t.key AND r.kind = 'number' AND r.ticket_id = m.ticket_id)
         ORDER BY t.key, m.ticket_id, m.occurred_at, m.id",
    )
    .bind(changes.tenant)
    .bind(numbers.iter().map(|(message, ..)| message.0).collect::<Vec<_>>())
    .bind(numbers.iter().map(|(_, key, _)| key.0).collect::<Vec<_>>())
    .bind(numbers.iter().map(|(.., name)| name.as_str()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

async fn journal_of_tickets(
    connection: &mut PgConnection,
    changes: &Changes<'_>,
    moved: &[(&Kept, Option<TicketId>, Option<TicketId>)],
    mint: &mut IdMint,
) -> Result<(), StoreError> {
    let reasons = |kept: &Kept| {
        let reasons = changes.rethreaded.reasons.get(&kept.id);
        reasons.and_then(|reasons| serde_json::to_value(reasons).ok()).unwrap_or_else(|| serde_json::json!([]))
    };
    let events: Vec<Uuid> = moved.iter().map(|_| mint.next::<EventId>(changes.now).0).collect();
    sqlx::query(
        "WITH t AS (
            SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::jsonb[]) AS t(event, message, gone, here, reasons)
         ), decided AS (
            INSERT INTO decision (tenant, message_id, contact_id, ticket_id, resolution, placement, reasons, at)
            SELECT $1, t.message, i.contact_id, t.here, 'known', 'moved', t.reasons, $7
            FROM t JOIN message m ON m.id = t.message LEFT JOIN identity i ON i.id = m.identity_id
         )
         INSERT INTO ticket_event (tenant, id, ticket_id, kind, message_id, data, at)
         SELECT $1, t.event, t.gone, 'moved', t.message, jsonb_build_object('to', t.here), $7 FROM t WHERE t.gone IS NOT NULL",
    )
    .bind(changes.tenant)
    .bind(events)
    .bind(moved.iter().map(|(kept, ..)| kept.id.0).collect::<Vec<_>>())
    .bind(moved.iter().map(|(_, from, _)| from.map(|id| id.0)).collect::<Vec<_>>())
    .bind(moved.iter().map(|(.., to)| to.map(|id| id.0)).collect::<Vec<_>>())
    .bind(moved.iter().map(|(kept, ..)| reasons(kept)).collect::<Vec<_>>())
    .bind(sql_time(changes.now))
    .execute(connection)
    .await?;
    Ok(())
}

/// Who takes part in the tickets on which something changed: whoever said something there, and to whom the desk wrote.
async fn participants(connection: &mut PgConnection, changes: &Changes<'_>) -> Result<(), StoreError> {
    let before = changes.history.kept.iter().filter_map(|kept| kept.ticket);
    let tickets: BTreeSet<Uuid> =
        before.chain(changes.rethreaded.ticket_of.values().copied()).map(|ticket| ticket.0).collect();
    let tickets: Vec<Uuid> = tickets.into_iter().collect();
    let entitled = &changes.rethreaded.entitled;
    sqlx::query(
        "WITH here AS (
            SELECT i.contact_id, m.ticket_id, min(m.received_at) AS since FROM message m JOIN identity i ON i.id = m.identity_id
            WHERE m.ticket_id = ANY($1) AND m.auto IS NULL GROUP BY i.contact_id, m.ticket_id
         ), gone AS (
            DELETE FROM ticket_participant p WHERE p.ticket_id = ANY($1)
                AND NOT EXISTS (SELECT 1 FROM here h WHERE h.contact_id = p.contact_id AND h.ticket_id = p.ticket_id)
         )
         INSERT INTO ticket_participant AS p (contact_id, ticket_id, entitled_by, since)
         SELECT h.contact_id, h.ticket_id, coalesce(t.entitled_by, 'same_contact'), h.since
         FROM here h LEFT JOIN unnest($2::uuid[], $3::uuid[], $4::text[]) AS t(ticket, contact, entitled_by)
            ON t.ticket = h.ticket_id AND t.contact = h.contact_id
         ON CONFLICT (contact_id, ticket_id) DO UPDATE SET entitled_by = excluded.entitled_by, since = excluded.since
            WHERE (p.entitled_by, p.since) IS DISTINCT FROM (excluded.entitled_by, excluded.since)",
    )
    .bind(tickets)
    .bind(entitled.keys().map(|(ticket, _)| ticket.0).collect::<Vec<_>>())
    .bind(entitled.keys().map(|(_, contact)| contact.0).collect::<Vec<_>>())
    .bind(entitled.values().map(|by| by.as_str()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

impl Changes<'_> {
    /// A ticket all of whose messages went to another one was merged; else each message was moved.
    fn told_of_tickets(&self, moved: &[(&Kept, Option<TicketId>, Option<TicketId>)]) -> Vec<Told> {
        let told = |change, ticket| Told { change, ticket, other: None, message: None, waits: false, detail: None };
        let known: BTreeSet<TicketId> = self.history.kept.iter().filter_map(|kept| kept.ticket).collect();
        let mut changes = Vec::new();
        let mut targets: BTreeMap<TicketId, BTreeSet<TicketId>> = BTreeMap::new();
        for kept in &self.history.kept {
            if let (Some(from), Some(to)) = (kept.ticket, self.rethreaded.ticket_of.get(&kept.id)) {
                targets.entry(from).or_default().insert(*to);
            }
        }
        for ticket in self.rethreaded.tickets.keys().filter(|ticket| !known.contains(ticket)) {
            changes.push(told(Change::TicketOpened, *ticket));
        }
        let merged: BTreeMap<TicketId, TicketId> = targets
            .iter()
            .filter_map(|(from, to)| to.first().filter(|only| to.len() == 1 && *only != from).map(|to| (*from, *to)))
            .collect();
        for (from, to) in &merged {
            changes.push(Told { other: Some(*to), ..told(Change::TicketMerged, *from) });
            changes.push(Told { other: Some(*from), waits: true, ..told(Change::TicketMerged, *to) });
        }
        for (kept, from, to) in moved {
            let message = Some(kept.id);
            match (from, to) {
                (Some(from), Some(_)) if merged.contains_key(from) => {}
                (Some(from), Some(to)) => {
                    changes.push(Told { other: Some(*to), message, ..told(Change::MessageMoved, *from) });
                    changes.push(Told { other: Some(*from), message, waits: true, ..told(Change::MessageMoved, *to) });
                }
                (None, Some(to)) => changes.push(Told { message, ..told(Change::MessageAdded, *to) }),
                (Some(from), None) => changes.push(Told { message, ..told(Change::MessageMoved, *from) }),
                (None, None) => {}
            }
        }
        changes
    }

    /// Joins and splits of people, in the lanes of their tickets.
    fn told_of_people(&self) -> Vec<Told> {
        let mut pairs: BTreeMap<(ContactId, ContactId), BTreeSet<TicketId>> = BTreeMap::new();
        for moved in self.regrouped {
            let said = self.history.kept.iter().filter(|kept| kept.identity == Some(moved.identity));
            let on = said.filter_map(|kept| self.rethreaded.ticket_of.get(&kept.id)).max();
            pairs.entry((moved.from, moved.to)).or_default().extend(on);
        }
        let mut told = Vec::new();
        for ((from, to), tickets) in pairs {
            // Somebody who had been joined before has his own id again.
            let is_split = from < to;
            let (change, detail) = match is_split {
                true => (Change::ContactSplit, serde_json::json!({ "contact": from, "split": to })),
                false => (Change::ContactMerged, serde_json::json!({ "contact": to, "absorbed": [from] })),
            };
            let ticket = tickets.last().copied();
            told.extend(ticket.map(|ticket| Told {
                change,
                ticket,
                other: None,
                message: None,
                waits: false,
                detail: Some(detail.to_string()),
            }));
        }
        told
    }
}

/// Writes down that people are to be decided on anew.
pub(super) async fn want(
    connection: &mut PgConnection,
    tenant: &str,
    contacts: &BTreeMap<Uuid, bool>,
    now: Timestamp,
) -> Result<(), StoreError> {
    if contacts.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO reconsider (contact_id, tenant, quiet, since) SELECT t.contact, $1, t.quiet, $4
         FROM unnest($2::uuid[], $3::bool[]) AS t(contact, quiet)
         ON CONFLICT (contact_id) DO UPDATE SET quiet = reconsider.quiet AND excluded.quiet",
    )
    .bind(tenant)
    .bind(contacts.keys().copied().collect::<Vec<_>>())
    .bind(contacts.values().copied().collect::<Vec<_>>())
    .bind(sql_time(now))
    .execute(connection)
    .await?;
    Ok(())
}
