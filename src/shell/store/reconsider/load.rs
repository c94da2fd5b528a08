//! What deciding anew needs to know.

use crate::pure::decide::anew::{HISTORY_MAX, History, Hood};
use crate::pure::decide::epochs::can_be_passed_on;
use crate::pure::decide::evidence::firm;
use crate::pure::decide::ledger::{Denial, Kind, Member, Stated, Word};
use crate::pure::decide::lookup::Keyer;
use crate::pure::decide::recast::{Notice, Owned, Spoken, WrittenWord};
use crate::pure::decide::resolve::ANSWERED_MAX;
use crate::pure::decide::rethread::{Act, Kept};
use crate::pure::domain::contact::KnownIdentity;
use crate::pure::domain::facts::{ANCHORS_MAX, HOLDERS_MAX, LookupKey};
use crate::pure::domain::id::*;
use crate::pure::domain::identity::{Assurance, CONTRADICTED_SCOPE, Identity};
use crate::pure::domain::message::{Authentication, Denied, ReferenceKind};
use crate::pure::domain::name::PersonName;
use crate::pure::domain::outline::Outline;
use crate::pure::domain::policy::Policy;
use crate::pure::domain::ticket::{MatterKind, Priority};
use crate::pure::domain::triage::{Effect, ProblemKind, Triage};
use crate::shell::store::StoreError;
use crate::shell::store::facts::{self, classified, direction, feedback, time};
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
    policy: &'a Policy,
    hood: Hood,
    stated: BTreeMap<Uuid, Stated>,
}

/// Loads the neighbourhood of people: their identities with all that was stated by them and of them, the people
/// who stated the same or are stated by them in the same way, and of the people beyond what bears on these; and all
/// that was said from addresses of theirs that can be passed on.
pub async fn hood(
    connection: &mut PgConnection,
    tenant: &str,
    (keyer, policy): (&Keyer, &Policy),
    contacts: &[Uuid],
) -> Result<(Hood, Owned), StoreError> {
    let mut loader = Loader { connection, tenant, keyer, policy, hood: Hood::default(), stated: BTreeMap::new() };
    loader.hood.ledger.namesakes_within = policy.windows.one_open;
    loader.hood.ledger.rules = policy.rules;
    let contacts = loader.now(contacts).await?;
    let inner = loader.identities(&contacts).await?;
    let near = loader.neighbours(&inner).await?;
    let near = loader.identities(&near).await?;
    let far = loader.neighbours(&near).await?;
    let mut far = loader.identities(&far).await?;
    // Names only suggest, so that of who has one no more is needed than that.
    let namesakes = loader.namesakes(&inner).await?;
    far.extend(loader.identities(&namesakes).await?);
    loader.firms().await?;
    loader.denials().await?;
    let words = loader.words().await?;
    let owned = loader.owned(words).await?;
    let mut edge: BTreeMap<ContactId, BTreeSet<IdentityId>> = BTreeMap::new();
    for id in &far {
        if let Some(known) = loader.hood.known.get(id) {
            edge.entry(known.contact).or_default().insert(*id);
        }
    }
    let mut hood = loader.hood;
    hood.near = inner.into_iter().chain(near).collect();
    hood.due = contacts.into_iter().map(ContactId).collect();
    hood.start = edge.into_values().collect();
    hood.ledger.stated = loader.stated.into_values().collect();
    Ok((hood, owned))
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
                first_at: known.first_at,
                last_at: known.last_at,
                last_call_at: None,
                called_at: None,
                is_shared: false,
                firm: firm(&known.identity, self.policy).map(str::to_owned),
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
                SELECT * FROM fact t WHERE t.identity_id = i.id AND t.kind NOT IN ('name', 'company', 'left', 'entered') ORDER BY t.at DESC LIMIT {STATED_MAX}
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
                SELECT * FROM fact t WHERE t.key_hash = k.key_hash AND t.kind NOT IN ('name', 'company', 'left', 'entered') ORDER BY t.at DESC LIMIT {HOLDERS_MAX}
             ) f"
        )))
        .bind(keys.into_iter().collect::<Vec<_>>())
        .fetch_all(&mut *self.connection)
        .await?;
        self.take_stated(&rows)?;
        let holders: Vec<Uuid> = self.stated.values().map(|stated| stated.by.0).collect();
        let contacts: Vec<Uuid> = sqlx::query_scalar(
            "SELECT contact_id FROM identity WHERE id = ANY($1)
             UNION SELECT contact_id FROM identity WHERE claim_key = ANY($2) AND tenant = $3
             UNION SELECT i.contact_id FROM fact n JOIN fact o ON o.message_id = n.message_id AND o.kind IN ('left', 'entered')
                JOIN identity i ON i.claim_key = o.key_hash AND i.tenant = $3
                WHERE n.key_hash = ANY($2) AND n.kind IN ('left', 'entered')",
        )
        .bind(holders)
        // Who had the same addresses before or after has the same key.
        .bind(stated.into_iter().chain(self.claims(&own)).collect::<Vec<_>>())
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

    fn claims(&self, ids: &BTreeSet<IdentityId>) -> Vec<Uuid> {
        let members = self.hood.ledger.members.iter().filter(|member| ids.contains(&member.id));
        members.map(|member| member.claim.0).collect()
    }

    /// Contacts that have a full name of these identities.
    async fn namesakes(&mut self, ids: &[IdentityId]) -> Result<BTreeSet<Uuid>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT f.* FROM (SELECT DISTINCT key_hash FROM fact WHERE identity_id = ANY($1) AND kind = 'name') k CROSS JOIN LATERAL (
                SELECT * FROM fact t WHERE t.key_hash = k.key_hash ORDER BY t.at DESC LIMIT {HOLDERS_MAX}
             ) f"
        )))
        .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
        .fetch_all(&mut *self.connection)
        .await?;
        let holders = rows.iter().map(|row| row.try_get("identity_id")).collect::<Result<Vec<Uuid>, _>>()?;
        self.take_stated(&rows)?;
        let contacts: Vec<Uuid> = sqlx::query_scalar("SELECT DISTINCT contact_id FROM identity WHERE id = ANY($1)")
            .bind(holders)
            .fetch_all(&mut *self.connection)
            .await?;
        Ok(contacts.into_iter().collect())
    }

    /// The firms that all in sight named.
    async fn firms(&mut self) -> Result<(), StoreError> {
        let ids: Vec<Uuid> = self.hood.known.keys().map(|id| id.0).collect();
        let rows = sqlx::query("SELECT * FROM fact WHERE identity_id = ANY($1) AND kind = 'company'")
            .bind(ids)
            .fetch_all(&mut *self.connection)
            .await?;
        self.take_stated(&rows)
    }

    fn take_stated(&mut self, rows: &[PgRow]) -> Result<(), StoreError> {
        for row in rows {
            let (kind, name, mask): (String, String, String) =
                (row.try_get("kind")?, row.try_get("name")?, row.try_get("mask")?);
            let (kind, shown) = match kind.as_str() {
                "number" => (Kind::Number, format!("{name} {mask}")),
                "desk_message" => (Kind::DeskMessage, String::new()),
                "name" => (Kind::Name, String::new()),
                "company" => (Kind::Company, String::new()),
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

    /// What all in sight said that they did not use.
    async fn denials(&mut self) -> Result<(), StoreError> {
        let ids: Vec<Uuid> = self.hood.known.keys().map(|id| id.0).collect();
        let rows = sqlx::query(
            "SELECT identity_id, trusted_at, outline->'d' AS denies FROM message WHERE identity_id = ANY($1) AND outline ? 'd'
             ORDER BY trusted_at, id LIMIT $2",
        )
        .bind(ids)
        .bind(i64::try_from(HISTORY_MAX).unwrap_or(i64::MAX))
        .fetch_all(&mut *self.connection)
        .await?;
        for row in &rows {
            let (by, at) = (IdentityId(row.try_get("identity_id")?), time(row, "trusted_at")?);
            let denies: Vec<Denied> = serde_json::from_value(row.try_get("denies")?).unwrap_or_default();
            self.hood.ledger.denials.extend(denies.into_iter().map(|what| Denial { by, what, at }));
        }
        Ok(())
    }

    /// What the platform and agents said of pairs, of those who are part of others now too.
    async fn words(&mut self) -> Result<Vec<WrittenWord>, StoreError> {
        let ids: Vec<Uuid> = self.hood.known.keys().map(|id| id.0).collect();
        let rows: Vec<(Uuid, Uuid, Uuid, String, Option<Uuid>)> = sqlx::query_as(
            "SELECT e.id, coalesce(a.now, e.identity_a), coalesce(b.now, e.identity_b), e.class, e.message_id FROM edge e
             LEFT JOIN former_identity a ON a.id = e.identity_a LEFT JOIN former_identity b ON b.id = e.identity_b
             WHERE e.id IN (SELECT id FROM edge WHERE identity_a = ANY($1)
                    UNION SELECT t.id FROM former_identity f JOIN edge t ON t.identity_a = f.id WHERE f.now = ANY($1))
                AND e.state = 'active' AND coalesce(b.now, e.identity_b) = ANY($1) AND e.class IN ('same_id', 'agent_same', 'agent_apart')
             ORDER BY e.id",
        )
        .bind(ids)
        .fetch_all(&mut *self.connection)
        .await?;
        let word = |(id, a, b, class, message): (Uuid, Uuid, Uuid, String, Option<Uuid>)| {
            let word = match class.as_str() {
                "agent_same" => Word::Same,
                "agent_apart" => Word::Apart,
                _ => Word::Platform,
            };
            let (from, to, message) = (IdentityId(a), IdentityId(b), message.map(MessageId));
            WrittenWord { id: EdgeId(id), from, to, word, message }
        };
        Ok(rows.into_iter().map(word).collect())
    }

    /// All uses of the addresses that can be passed on, of the people who have them; none when they are too many.
    async fn owned(&mut self, words: Vec<WrittenWord>) -> Result<Owned, StoreError> {
        let mut owned = Owned { words, ..Owned::default() };
        let of_time = |known: &&KnownIdentity| {
            can_be_passed_on(&known.identity, known.assurance) || known.identity.scope == CONTRADICTED_SCOPE
        };
        let contacts: BTreeSet<ContactId> =
            self.hood.known.values().filter(of_time).map(|known| known.contact).collect();
        let ids: Vec<Uuid> = self
            .hood
            .known
            .values()
            .filter(|known| contacts.contains(&known.contact))
            .map(|known| known.id.0)
            .collect();
        if ids.is_empty() {
            return Ok(owned);
        }
        let rows = sqlx::query(
            "SELECT id, direction, occurred_at, trusted_at, received_at, names, identity_id, assurance, outline
             FROM message WHERE identity_id = ANY($1) LIMIT $2",
        )
        .bind(&ids)
        .bind(i64::try_from(HISTORY_MAX + 1).unwrap_or(i64::MAX))
        .fetch_all(&mut *self.connection)
        .await?;
        if rows.len() > HISTORY_MAX {
            return Ok(owned);
        }
        owned.spoken = rows.iter().map(spoken).collect::<Result<_, _>>()?;
        let opened: Vec<(Uuid, Uuid)> =
            sqlx::query_as("SELECT id, opened_by FROM identity WHERE id = ANY($1) AND opened_by IS NOT NULL")
                .bind(&ids)
                .fetch_all(&mut *self.connection)
                .await?;
        owned.opened_by = opened.into_iter().map(|(id, by)| (IdentityId(id), MessageId(by))).collect();
        let former: Vec<(Uuid, Uuid, Uuid)> =
            sqlx::query_as("SELECT id, now, opened_by FROM former_identity WHERE now = ANY($1)")
                .bind(&ids)
                .fetch_all(&mut *self.connection)
                .await?;
        let former = former.into_iter().map(|(id, now, by)| (IdentityId(id), (IdentityId(now), MessageId(by))));
        owned.former = former.collect();
        let keys: BTreeMap<Uuid, Identity> = self
            .hood
            .known
            .values()
            .filter(of_time)
            .map(|known| (self.keyer.claim(&known.identity).0, known.identity.clone()))
            .collect();
        let rows = sqlx::query(
            "SELECT key_hash, message_id, at, kind FROM fact WHERE key_hash = ANY($1) AND kind IN ('left', 'entered')",
        )
        .bind(keys.keys().copied().collect::<Vec<_>>())
        .fetch_all(&mut *self.connection)
        .await?;
        for row in &rows {
            let Some(identity) = keys.get(&row.try_get::<Uuid, _>("key_hash")?) else { continue };
            owned.notices.push(Notice {
                identity: identity.clone(),
                message: MessageId(row.try_get("message_id")?),
                at: time(row, "at")?,
                is_left: row.try_get::<&str, _>("kind")? == "left",
            });
        }
        Ok(owned)
    }
}

fn spoken(row: &PgRow) -> Result<Spoken, StoreError> {
    let names: Vec<String> = row.try_get("names")?;
    let outline = outline(row)?;
    let is_denied = outline.authentication == Some(Authentication::Fail);
    let answers =
        outline.references.iter().filter(|(kind, _)| matches!(kind, ReferenceKind::Reply | ReferenceKind::Ancestor));
    let stated = outline.stated_names.iter().filter_map(|at| names.get(*at));
    Ok(Spoken {
        id: MessageId(row.try_get("id")?),
        direction: direction(row.try_get("direction")?),
        occurred_at: time(row, "occurred_at")?,
        trusted_at: time(row, "trusted_at")?,
        received_at: time(row, "received_at")?,
        names: names.iter().filter_map(|name| PersonName::parse(name)).collect(),
        stated_names: stated.filter_map(|name| PersonName::parse(name)).collect(),
        doubted: answers.filter(|_| is_denied).take(ANSWERED_MAX).map(|(_, key)| *key).collect(),
        denies_owner: outline.denies_owner,
        talk: outline.references.iter().find(|(kind, _)| *kind == ReferenceKind::Conversation).map(|(_, key)| *key),
        on: outline.on,
        identities: outline.identities,
    })
}

/// The outline of a message; of one from before there were any, as far as its row tells.
fn outline(row: &PgRow) -> Result<Outline, StoreError> {
    let outline: Option<serde_json::Value> = row.try_get("outline")?;
    let identity: Option<Uuid> = row.try_get("identity_id")?;
    let assurance = Assurance::from_level(row.try_get("assurance")?);
    let mut outline: Outline = outline.and_then(|outline| serde_json::from_value(outline).ok()).unwrap_or_default();
    if outline.identities.is_empty() {
        outline.identities.extend(identity.map(|id| (IdentityId(id), assurance)));
    }
    Ok(outline)
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
    let Some(mut here) = kept_on(connection, &tickets, (&ids, &loose), 0).await? else { return Ok(None) };
    let pointed = pointed_to(connection, &here, &tickets).await?;
    let Some(beside) = kept_on(connection, &pointed, (&[], &[]), here.len()).await? else { return Ok(None) };
    here.extend(beside.into_iter().map(|kept| Kept { is_beside: true, ..kept }));
    let mut history = History { kept: here, ..History::default() };
    let tickets = [tickets, pointed].concat();
    let rows: Vec<(Uuid, i64, Uuid, bool, Option<serde_json::Value>)> = sqlx::query_as(
        "SELECT id, number, opened_by, merged_into IS NULL, queued FROM ticket WHERE id = ANY($1) OR merged_into = ANY($1) ORDER BY number DESC",
    )
    .bind(&tickets)
    .fetch_all(&mut *connection)
    .await?;
    let here: BTreeSet<MessageId> = history.kept.iter().map(|kept| kept.id).collect();
    let queued = |stored: &Option<serde_json::Value>| serde_json::from_value(stored.clone()?).ok();
    let standing = rows.iter().filter(|(.., stands, _)| *stands);
    history.queued = standing.map(|(id, .., stored)| (TicketId(*id), queued(stored).unwrap_or_default())).collect();
    let opened = rows.into_iter().map(|(id, number, by, stands, _)| ((number, TicketId(id)), MessageId(by), stands));
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
    history.acts = acts(connection, &here).await?;
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

/// What is on tickets, and what these people said that is on none, and what else is on none; `None` when it is too much with what is loaded.
async fn kept_on(
    connection: &mut PgConnection,
    tickets: &[Uuid],
    (ids, loose): (&[Uuid], &[Uuid]),
    loaded: usize,
) -> Result<Option<Vec<Kept>>, StoreError> {
    let most = HISTORY_MAX.saturating_sub(loaded);
    let rows = sqlx::query(
        "SELECT id, channel, direction, identity_id, ticket_id, occurred_at, trusted_at, received_at, auto, assurance,
            call IS NOT NULL AS is_call, pinned_to, pinned_on, subject, left(coalesce(own_text, text), 200) AS words, matter_kind, priority, outline,
            problem, effect, feedback, classified, marks && '{internal,automatic}' AS is_note
         FROM message WHERE id IN (
            SELECT id FROM message WHERE ticket_id = ANY($1)
            UNION SELECT id FROM message WHERE identity_id = ANY($2) AND ticket_id IS NULL
            UNION SELECT unnest($4::uuid[])
         ) LIMIT $3",
    )
    .bind(tickets)
    .bind(ids)
    .bind(i64::try_from(most + 1).unwrap_or(i64::MAX))
    .bind(loose)
    .fetch_all(&mut *connection)
    .await?;
    if rows.len() > most {
        return Ok(None);
    }
    rows.iter().map(kept).collect::<Result<_, _>>().map(Some)
}

/// Other tickets, on which the messages are that these answer or quote, and those that they were found to point to.
async fn pointed_to(connection: &mut PgConnection, here: &[Kept], tickets: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let keys = here.iter().flat_map(|kept| {
        let outline = &kept.outline;
        // What it quotes counts where it names nothing.
        let quoted = outline.quoted.iter().filter(|_| outline.references.is_empty());
        outline.references.iter().map(|(_, key)| key).chain(quoted).map(|key| key.0)
    });
    let keys: BTreeSet<Uuid> = keys.collect();
    Ok(sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT DISTINCT r.ticket_id FROM unnest($1::uuid[]) AS k(key_hash) CROSS JOIN LATERAL (
            SELECT * FROM ticket_reference t WHERE t.key_hash = k.key_hash AND t.kind NOT IN ('wanted', 'doubted') ORDER BY t.at DESC LIMIT {ANCHORS_MAX}
         ) r WHERE r.ticket_id IS NOT NULL AND r.ticket_id <> ALL($2)
         UNION SELECT coalesce(a.now, s.target) FROM suggestion s LEFT JOIN alias a ON a.id = s.target
         WHERE s.message_id = ANY($3) AND s.target_kind = 'ticket' AND s.state = 'open' AND coalesce(a.now, s.target) <> ALL($2)"
    )))
    .bind(keys.into_iter().collect::<Vec<_>>())
    .bind(tickets)
    .bind(here.iter().map(|kept| kept.id.0).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?)
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

async fn acts(connection: &mut PgConnection, here: &BTreeSet<MessageId>) -> Result<Vec<Act>, StoreError> {
    let rows: Vec<(Uuid, String, serde_json::Value)> = sqlx::query_as(
        "SELECT message_id, kind, data FROM ticket_event WHERE kind IN ('close', 'reopen', 'assign', 'await', 'resume', 'route') AND message_id = ANY($1)",
    )
    .bind(here.iter().map(|id| id.0).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let act = |(on, what, data): (Uuid, String, serde_json::Value)| {
        let word = |key: &str| data.get(key).and_then(|word| word.as_str());
        Some(Act {
            on: MessageId(on),
            at: word("occurred_at")?.parse().ok()?,
            what: serde_json::from_value(what.into()).ok()?,
            text: word("text").unwrap_or_default().to_owned(),
        })
    };
    Ok(rows.into_iter().filter_map(act).collect())
}

fn kept(row: &PgRow) -> Result<Kept, StoreError> {
    let identity: Option<Uuid> = row.try_get("identity_id")?;
    let assurance = Assurance::from_level(row.try_get("assurance")?);
    let outline = outline(row)?;
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
        is_beside: false,
        subject: row.try_get("subject")?,
        words: row.try_get("words")?,
        triage: Triage {
            kind: kinds.iter().filter_map(|kind| MatterKind::parse(kind)).collect(),
            problem: row.try_get::<Option<&str>, _>("problem")?.and_then(ProblemKind::parse),
            effect: row.try_get::<Option<&str>, _>("effect")?.and_then(Effect::parse),
            feedback: feedback(row)?,
            ..Triage::none(Priority::parse(row.try_get("priority")?).unwrap_or(Priority::Normal))
        },
        is_note: row.try_get("is_note")?,
        classified: classified(row)?,
        outline,
    })
}
