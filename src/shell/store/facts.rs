//! Loads the facts of a whole batch, in a constant number of queries.
//!
//! Order of locks: keys of identities, references and facts, then contacts, then tickets, each
//! class sorted. They are advisory, last as long as the transaction, and cost memory only, so that
//! a batch can lock all it may touch without writing to a row.
//!
//! Keys are joined to tables by `CROSS JOIN LATERAL (… LIMIT n)`: a plain join leaves it to the planner
//! to read a table whole that was small when the statement was planned, and is not any more.

use super::{StoreError, lock_key, lock_sorted, retention};
use crate::pure::decide::evidence::REFUSED_WITHIN_S;
use crate::pure::decide::resolve;
use crate::pure::domain::Timestamp;
use crate::pure::domain::contact::{Contact, ContactKind, KnownIdentity};
use crate::pure::domain::facts::*;
use crate::pure::domain::id::*;
use crate::pure::domain::identity::{Assurance, Identity};
use crate::pure::domain::message::{Call, Content, Direction, FactValue, Message, Place, What};
use crate::pure::domain::name::PersonName;
use crate::pure::domain::queue::Queued;
use crate::pure::domain::ticket::{Awaiting, MatterKind, Owner, Priority, Ticket, TicketState};
use crate::pure::domain::triage::{Classified, Fault, FeedbackKind};
use jiff::SignedDuration;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use uuid::Uuid;

/// Identities of one contact that are loaded; a shared one may have many.
const IDENTITIES_LOADED_MAX: i64 = 24;

/// Epochs of one address that are loaded, the latest.
const EPOCHS_LOADED_MAX: i64 = 4;

/// Answers of agents that are loaded for one ticket, the latest.
const REJECTED_MAX: i64 = 64;

/// Refused numbers that are loaded for one stretch of time, the latest: far more than stop every channel there may be.
const REFUSED_LOADED_MAX: i64 = 2_000;

/// What was in the database before the batch: the rest is new.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Contacts.
    pub contacts: HashSet<ContactId>,
    /// Identities.
    pub identities: HashSet<IdentityId>,
    /// Tickets.
    pub tickets: HashSet<TicketId>,
}

pub(super) const IDENTITY_COLUMNS: &str =
    "i.id, i.scheme, i.scope, i.value, i.epoch, i.closed_at, i.contact_id, i.assurance, i.names, i.first_at,
    i.last_at, coalesce(a.now, i.last_ticket) AS last_ticket, i.last_message";

/// Loads everything the messages of one tenant may hang on, and locks it against other daemons.
///
/// Fails with [`StoreError::Stale`] when another daemon merged something between reading and
/// locking: the batch is to be tried again from the start.
pub async fn load(
    connection: &mut PgConnection,
    tenant: &str,
    batch: &[(Message, Lookup)],
) -> Result<(Facts, Loaded), StoreError> {
    let mut loader = Loader { connection, tenant, facts: Facts::default(), loaded: Loaded::default() };
    // Before any other lock: who removes waits for all who hold a share, and those behind him hold nothing yet.
    retention::hold_off(loader.connection).await?;
    loader.lock_keys(batch).await?;
    loader.seen(batch).await?;
    loader.identities(batch).await?;
    loader.holders(batch).await?;
    let mut tickets = loader.anchors(batch).await?;
    tickets.extend(loader.said(batch).await?);
    loader.early(batch).await?;
    loader.lock_contacts().await?;
    tickets.extend(loader.tickets_of_contacts().await?);
    loader.tickets(tickets).await?;
    loader.identities_of_contacts().await?;
    loader.apart().await?;
    loader.contacts().await?;
    loader.calls(batch).await?;
    loader.talks(batch).await?;
    loader.refused(batch).await?;
    loader.tombstones(batch).await?;
    Ok((loader.facts, loader.loaded))
}

struct Loader<'a> {
    connection: &'a mut PgConnection,
    tenant: &'a str,
    facts: Facts,
    loaded: Loaded,
}

fn uuids(keys: impl IntoIterator<Item = LookupKey>) -> Vec<Uuid> {
    let set: BTreeSet<Uuid> = keys.into_iter().map(|key| key.0).collect();
    set.into_iter().collect()
}

fn fact_keys(batch: &[(Message, Lookup)]) -> impl Iterator<Item = LookupKey> {
    batch.iter().flat_map(|(message, lookup)| {
        let facts = lookup.facts.iter().flatten().chain(&lookup.claims_on).copied();
        // Answers of those who may be denied or another: to whom the desk had sent what they answer.
        facts.chain(
            lookup
                .references
                .iter()
                .copied()
                .take(resolve::ANSWERED_MAX)
                .filter(|_| message.incoming.what == What::Message),
        )
    })
}

fn anchor_keys(batch: &[(Message, Lookup)]) -> impl Iterator<Item = LookupKey> {
    batch.iter().flat_map(|(message, lookup)| {
        let numbers = message.facts.iter().zip(&lookup.facts).filter_map(|(fact, key)| match fact.value {
            FactValue::Number { .. } => *key,
            _ => None,
        });
        let own = lookup.own.iter().map(|(_, key)| *key);
        own.chain(lookup.references.iter().copied()).chain(lookup.subject.iter().copied()).chain(numbers)
    })
}

/// Passages that the batch quotes. They are not locked: a phrase that many quote would make every batch wait for
/// every other, and a quotation is written long after what it quotes was taken in.
fn quoted_keys(batch: &[(Message, Lookup)]) -> impl Iterator<Item = LookupKey> {
    batch.iter().flat_map(|(_, lookup)| lookup.quoted.iter().copied())
}

/// From when to when refused numbers count for the batch, apart from one another.
fn guessing_times(batch: &[(Message, Lookup)]) -> Vec<(Timestamp, Timestamp)> {
    let within = SignedDuration::from_secs(REFUSED_WITHIN_S);
    let times: BTreeSet<Timestamp> = batch.iter().map(|(message, _)| message.trusted_at).collect();
    let mut ranges: Vec<(Timestamp, Timestamp)> = Vec::new();
    for to in times {
        let from = to.saturating_sub(within).unwrap_or(to);
        match ranges.last_mut() {
            Some(last) if from <= last.1 => last.1 = to,
            _ => ranges.push((from, to)),
        }
    }
    ranges
}

impl Loader<'_> {
    async fn lock_keys(&mut self, batch: &[(Message, Lookup)]) -> Result<(), StoreError> {
        // Names and firms only suggest, and a common one would make every batch wait for every other.
        let facts = batch.iter().flat_map(|(message, lookup)| {
            message.facts.iter().zip(&lookup.facts).filter_map(|(fact, key)| match fact.value {
                FactValue::Name(_) | FactValue::Company(_) => None,
                _ => *key,
            })
        });
        let claims = batch.iter().flat_map(|(_, lookup)| lookup.claims_on.iter().copied());
        let keys = anchor_keys(batch).chain(facts).chain(claims).map(|key| lock_key(key.0)).collect();
        lock_sorted(self.connection, keys).await
    }

    async fn seen(&mut self, batch: &[(Message, Lookup)]) -> Result<(), StoreError> {
        let scopes: Vec<&str> = batch.iter().map(|(_, lookup)| lookup.seen_scope.as_str()).collect();
        let keys: Vec<Uuid> = batch.iter().map(|(_, lookup)| lookup.seen_key.0).collect();
        let rows: Vec<(String, Uuid, Uuid)> = sqlx::query_as(
            "SELECT s.scope, s.key_hash, s.message_id FROM unnest($1::text[], $2::uuid[]) AS k(scope, key_hash) CROSS JOIN LATERAL (
                SELECT * FROM seen t WHERE t.scope = k.scope AND t.key_hash = k.key_hash LIMIT 1
             ) s",
        )
        .bind(scopes)
        .bind(keys)
        .fetch_all(&mut *self.connection)
        .await?;
        self.facts.seen = rows
            .into_iter()
            .map(|(scope, key, id)| ((scope, LookupKey(key)), Seen { message: MessageId(id) }))
            .collect();
        Ok(())
    }

    /// The sender's identities, those that he pretends to have, and those that the message states.
    async fn identities(&mut self, batch: &[(Message, Lookup)]) -> Result<(), StoreError> {
        let pretended: Vec<Identity> = batch.iter().flat_map(|(message, _)| message.impersonated()).collect();
        let mut wanted: BTreeSet<&Identity> = pretended.iter().collect();
        for (message, _) in batch {
            let held = message.customer().identities.iter().chain(&message.incoming.moved_to);
            wanted.extend(held.map(|held| &held.identity));
            wanted.extend(message.facts.iter().filter_map(|fact| match &fact.value {
                FactValue::Claim(identity) => Some(identity),
                _ => None,
            }));
        }
        let column = |f: fn(&Identity) -> &str| wanted.iter().map(|identity| f(identity)).collect::<Vec<_>>();
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {IDENTITY_COLUMNS}
             FROM unnest($2::text[], $3::text[], $4::text[]) AS k(scheme, scope, value) CROSS JOIN LATERAL (
                SELECT * FROM identity t WHERE t.tenant = $1 AND t.scheme = k.scheme AND t.scope = k.scope AND t.value = k.value
                ORDER BY t.epoch DESC LIMIT {EPOCHS_LOADED_MAX}
             ) i LEFT JOIN alias a ON a.id = i.last_ticket"
        )))
        .bind(self.tenant)
        .bind(column(|identity| &identity.scheme))
        .bind(column(|identity| &identity.scope))
        .bind(column(|identity| &identity.value))
        .fetch_all(&mut *self.connection)
        .await?;
        self.take_identities(&rows)
    }

    fn take_identities(&mut self, rows: &[PgRow]) -> Result<(), StoreError> {
        for row in rows {
            let known = identity(row)?;
            self.loaded.identities.insert(known.id);
            self.facts.take_identity(known);
        }
        Ok(())
    }

    async fn holders(&mut self, batch: &[(Message, Lookup)]) -> Result<(), StoreError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT f.key_hash, f.id, f.identity_id, f.message_id, f.at, f.assurance, f.place
             FROM unnest($1::uuid[]) AS k(key_hash) CROSS JOIN LATERAL (
                SELECT * FROM fact WHERE fact.key_hash = k.key_hash AND fact.kind NOT IN ('left', 'entered') ORDER BY fact.at DESC LIMIT {HOLDERS_MAX}
             ) f"
        )))
        .bind(uuids(fact_keys(batch)))
        .fetch_all(&mut *self.connection)
        .await?;
        let mut identities = BTreeSet::new();
        for row in rows {
            let holder = Holder {
                fact: FactId(row.try_get("id")?),
                identity: IdentityId(row.try_get("identity_id")?),
                message: MessageId(row.try_get("message_id")?),
                at: time(&row, "at")?,
                assurance: Assurance::from_level(row.try_get("assurance")?),
                place: place(&row)?,
            };
            identities.insert(holder.identity.0);
            self.facts.holders.entry(LookupKey(row.try_get("key_hash")?)).or_default().push(holder);
        }
        self.missing_identities(identities).await
    }

    async fn missing_identities(&mut self, identities: BTreeSet<Uuid>) -> Result<(), StoreError> {
        let missing: Vec<Uuid> =
            identities.into_iter().filter(|id| !self.loaded.identities.contains(&IdentityId(*id))).collect();
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {IDENTITY_COLUMNS} FROM identity i LEFT JOIN alias a ON a.id = i.last_ticket WHERE i.id = ANY($1)"
        )))
        .bind(missing)
        .fetch_all(&mut *self.connection)
        .await?;
        self.take_identities(&rows)
    }

    async fn anchors(&mut self, batch: &[(Message, Lookup)]) -> Result<BTreeSet<Uuid>, StoreError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT r.key_hash, r.kind, r.name, r.ticket_id, r.message_id, r.direction, r.at
             FROM unnest($1::uuid[]) AS k(key_hash) CROSS JOIN LATERAL (
                SELECT * FROM ticket_reference t WHERE t.key_hash = k.key_hash ORDER BY t.at DESC LIMIT {ANCHORS_MAX}
             ) r"
        )))
        .bind(uuids(anchor_keys(batch).chain(quoted_keys(batch))))
        .fetch_all(&mut *self.connection)
        .await?;
        let mut tickets: BTreeSet<Uuid> = BTreeSet::new();
        for row in rows {
            let message: Uuid = row.try_get("message_id")?;
            let kind: String = row.try_get("kind")?;
            let kind = AnchorKind::parse(&kind).ok_or_else(|| corrupt("ticket_reference", message, "its kind"))?;
            let ticket: Option<Uuid> = row.try_get("ticket_id")?;
            tickets.extend(ticket);
            let anchor = Anchor {
                kind,
                ticket: ticket.map(TicketId),
                message: MessageId(message),
                direction: direction(row.try_get("direction")?),
                at: time(&row, "at")?,
                is_bare: kind == AnchorKind::Message && row.try_get::<&str, _>("name")? == Anchor::BARE,
            };
            self.facts.anchors.entry(LookupKey(row.try_get("key_hash")?)).or_default().push(anchor);
        }
        Ok(tickets)
    }

    /// Stored messages that agents' acts of the batch are on. Gives their tickets.
    async fn said(&mut self, batch: &[(Message, Lookup)]) -> Result<BTreeSet<Uuid>, StoreError> {
        let on = batch.iter().filter_map(|(message, _)| message.incoming.on.as_ref()?.message);
        let ids: Vec<Uuid> = on.map(|id| id.0).collect();
        if ids.is_empty() {
            return Ok(BTreeSet::new());
        }
        let rows = sqlx::query(
            "SELECT id, channel, identity_id, ticket_id, occurred_at, direction = 'from_customer' AND coalesce(auto, 'alert') = 'alert' AS is_customers,
                call IS NOT NULL AS is_call
             FROM message WHERE id = ANY($1)",
        )
        .bind(ids)
        .fetch_all(&mut *self.connection)
        .await?;
        let (mut tickets, mut identities) = (BTreeSet::new(), BTreeSet::new());
        for row in &rows {
            let ticket: Option<Uuid> = row.try_get("ticket_id")?;
            let identity: Option<Uuid> = row.try_get("identity_id")?;
            tickets.extend(ticket);
            identities.extend(identity);
            let said = Said {
                ticket: ticket.map(TicketId),
                talk: Talk {
                    channel: row.try_get("channel")?,
                    identity: identity.map(IdentityId),
                    at: time(row, "occurred_at")?,
                },
                is_customers: row.try_get("is_customers")?,
                is_call: row.try_get("is_call")?,
            };
            self.facts.said.insert(MessageId(row.try_get("id")?), said);
        }
        self.missing_identities(identities).await?;
        Ok(tickets)
    }

    /// What closing a ticket or opening it again depends on, where the batch may do that: those of the messages that such acts are
    /// on; any that is loaded, where such a message is of the batch itself.
    async fn talks(&mut self, batch: &[(Message, Lookup)]) -> Result<(), StoreError> {
        let acts = batch.iter().filter(|(message, _)| matches!(message.incoming.what, What::Close | What::Reopen));
        let mut tickets: BTreeSet<Uuid> = BTreeSet::new();
        for on in acts.filter_map(|(message, _)| message.incoming.on.as_ref()?.message) {
            match self.facts.said.get(&on) {
                Some(said) => tickets.extend(said.ticket.map(|ticket| ticket.0)),
                None => tickets.extend(self.facts.tickets.keys().map(|ticket| ticket.0)),
            }
        }
        if tickets.is_empty() {
            return Ok(());
        }
        let tickets: Vec<Uuid> = tickets.into_iter().collect();
        let rows = sqlx::query(
            "SELECT k.id AS ticket_id, m.channel, m.identity_id, m.last_at, m.closed_at FROM unnest($1::uuid[]) AS k(id) CROSS JOIN LATERAL (
                SELECT t.channel, t.identity_id, max(e.closed_at) AS closed_at,
                    greatest(max(t.occurred_at) FILTER (WHERE t.direction = 'from_customer' AND coalesce(t.auto, 'alert') = 'alert'), max(e.opened_at)) AS last_at
                FROM message t CROSS JOIN LATERAL (
                    SELECT max((a.data->>'occurred_at')::timestamptz) FILTER (WHERE a.kind = 'close') AS closed_at,
                        max((a.data->>'occurred_at')::timestamptz) FILTER (WHERE a.kind = 'reopen') AS opened_at
                    FROM ticket_event a WHERE a.message_id = t.id AND a.kind IN ('close', 'reopen', 'assign')
                ) e WHERE t.ticket_id = k.id GROUP BY t.channel, t.identity_id
             ) m",
        )
        .bind(tickets)
        .fetch_all(&mut *self.connection)
        .await?;
        for row in &rows {
            let ticket = TicketId(row.try_get("ticket_id")?);
            let identity = row.try_get::<Option<Uuid>, _>("identity_id")?.map(IdentityId);
            let channel: String = row.try_get("channel")?;
            let at = |column: &str| Ok::<_, StoreError>(row.try_get::<Option<jiff_sqlx::Timestamp>, _>(column)?);
            let talk =
                |at: jiff_sqlx::Timestamp| (ticket, Talk { channel: channel.clone(), identity, at: at.to_jiff() });
            self.facts.talks.extend(at("last_at")?.map(talk));
            self.facts.closings.extend(at("closed_at")?.map(talk));
        }
        Ok(())
    }

    /// Updates that wait for messages of the batch.
    async fn early(&mut self, batch: &[(Message, Lookup)]) -> Result<(), StoreError> {
        let keys = uuids(batch.iter().filter_map(|(_, lookup)| lookup.own_message()));
        if keys.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT k.key_hash, e.id, e.kind, e.data FROM unnest($1::uuid[]) AS k(key_hash) CROSS JOIN LATERAL (
                SELECT v.id, v.kind, v.data FROM early_update u JOIN ticket_event v ON v.id = u.event_id WHERE u.key_hash = k.key_hash
                ORDER BY v.kind IN ('delete', 'edit') DESC, v.id DESC LIMIT {EARLY_MAX}
             ) e"
        )))
        .bind(keys)
        .fetch_all(&mut *self.connection)
        .await?;
        for row in rows {
            let id: Uuid = row.try_get("id")?;
            let (kind, data): (String, serde_json::Value) = (row.try_get("kind")?, row.try_get("data")?);
            let at = data.get("occurred_at").and_then(|at| at.as_str()?.parse().ok());
            let early = EarlyUpdate {
                what: serde_json::from_value(serde_json::Value::String(kind))
                    .map_err(|error| corrupt("ticket_event", id, &error.to_string()))?,
                text: data.get("text").and_then(|text| text.as_str()).unwrap_or_default().to_owned(),
                why: data.get("why").and_then(|why| why.as_str()).map(str::to_owned),
                at: at.ok_or_else(|| corrupt("ticket_event", id, "its time"))?,
                of_batch: None,
            };
            self.facts.early.entry(LookupKey(row.try_get("key_hash")?)).or_default().push(early);
        }
        // In order of arrival: of two edits of one instant the later one stands.
        self.facts.early.values_mut().for_each(|early| early.reverse());
        Ok(())
    }

    fn contact_ids(&self) -> Vec<Uuid> {
        let known = self.facts.identities.values().chain(self.facts.earlier.values());
        let ids: BTreeSet<Uuid> = known.map(|known| known.contact.0).collect();
        ids.into_iter().collect()
    }

    /// Locks the contacts and makes sure that they are still whose the identities are.
    async fn lock_contacts(&mut self) -> Result<(), StoreError> {
        let ids = self.contact_ids();
        lock_sorted(self.connection, ids.iter().map(|id| lock_key(*id)).collect()).await?;
        let gone: i64 =
            sqlx::query_scalar("SELECT count(*) FROM contact WHERE id = ANY($1) AND merged_into IS NOT NULL")
                .bind(ids)
                .fetch_one(&mut *self.connection)
                .await?;
        if gone > 0 { Err(StoreError::Stale) } else { Ok(()) }
    }

    async fn tickets_of_contacts(&mut self) -> Result<BTreeSet<Uuid>, StoreError> {
        let rows: Vec<(Uuid,)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT p.ticket_id FROM unnest($1::uuid[]) AS c(id) CROSS JOIN LATERAL (
                SELECT ticket_id FROM ticket_participant t WHERE t.contact_id = c.id ORDER BY ticket_id DESC LIMIT {TICKETS_MAX}
             ) p"
        )))
        .bind(self.contact_ids())
        .fetch_all(&mut *self.connection)
        .await?;
        let last = self.facts.identities.values().filter_map(|known| known.last_ticket).map(|id| id.0);
        Ok(rows.into_iter().map(|(id,)| id).chain(last).collect())
    }

    async fn tickets(&mut self, ids: BTreeSet<Uuid>) -> Result<(), StoreError> {
        let ids: Vec<Uuid> = ids.into_iter().collect();
        lock_sorted(self.connection, ids.iter().map(|id| lock_key(*id)).collect()).await?;
        let rows = sqlx::query(
            "SELECT id, state, kind, priority, title, opened_at, last_at, closed_at, follow_up_of, opened_by, merged_into, held, owner, owner_at,
                awaited_at, resumed_at, queued, fault_kind, feedback, classified, unanswered
             FROM ticket WHERE id = ANY($1)",
        )
        .bind(&ids)
        .fetch_all(&mut *self.connection)
        .await?;
        for row in &rows {
            if row.try_get::<Option<Uuid>, _>("merged_into")?.is_some() {
                return Err(StoreError::Stale);
            }
            let ticket = ticket(row)?;
            self.loaded.tickets.insert(ticket.id);
            let (participants, numbers, topics) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
            let is_held = row.try_get("held")?;
            let known = KnownTicket { ticket, participants, numbers, topics, is_group: false, is_held };
            self.facts.tickets.insert(known.ticket.id, known);
        }
        self.participants(&ids).await?;
        self.numbers(&ids).await?;
        self.rejected(&ids).await
    }

    /// Tickets that are not to be suggested to be one with these.
    async fn rejected(&mut self, tickets: &[Uuid]) -> Result<(), StoreError> {
        let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT k.id, m.ticket_id FROM unnest($1::uuid[]) AS k(id)
             CROSS JOIN LATERAL (SELECT k.id AS was UNION ALL SELECT a.id FROM alias a WHERE a.now = k.id) w
             CROSS JOIN LATERAL (
                SELECT message_id FROM suggestion t WHERE t.target = w.was AND t.state = 'rejected' AND t.target_kind = 'ticket'
                ORDER BY t.id DESC LIMIT {REJECTED_MAX}
             ) r CROSS JOIN LATERAL (
                SELECT ticket_id FROM message o WHERE o.id = r.message_id AND o.ticket_id IS NOT NULL LIMIT 1
             ) m"
        )))
        .bind(tickets)
        .fetch_all(&mut *self.connection)
        .await?;
        self.facts.rejected = rows.into_iter().map(|(one, other)| (TicketId(one), TicketId(other))).collect();
        Ok(())
    }

    async fn participants(&mut self, tickets: &[Uuid]) -> Result<(), StoreError> {
        let rows: Vec<(Uuid, Uuid, String)> = sqlx::query_as(
            "SELECT ticket_id, contact_id, entitled_by FROM ticket_participant WHERE ticket_id = ANY($1)",
        )
        .bind(tickets)
        .fetch_all(&mut *self.connection)
        .await?;
        for (ticket, contact, by) in rows {
            let by = EntitledBy::parse(&by).ok_or_else(|| corrupt("ticket_participant", ticket, "entitled_by"))?;
            if let Some(known) = self.facts.tickets.get_mut(&TicketId(ticket)) {
                known.participants.insert(ContactId(contact), by);
                self.facts.tickets_of.entry(ContactId(contact)).or_default().insert(TicketId(ticket));
            }
        }
        Ok(())
    }

    async fn numbers(&mut self, tickets: &[Uuid]) -> Result<(), StoreError> {
        let rows: Vec<(Uuid, String, Uuid, String)> = sqlx::query_as(
            "SELECT ticket_id, name, key_hash, kind FROM ticket_reference
             WHERE ticket_id = ANY($1) AND kind IN ('number', 'group', 'topic')",
        )
        .bind(tickets)
        .fetch_all(&mut *self.connection)
        .await?;
        for (ticket, name, key, kind) in rows {
            let Some(known) = self.facts.tickets.get_mut(&TicketId(ticket)) else { continue };
            match kind.as_str() {
                "group" => known.is_group = true,
                "topic" => _ = known.topics.entry(name).or_default().insert(LookupKey(key)),
                _ => _ = known.numbers.entry(name).or_default().insert(LookupKey(key)),
            }
        }
        Ok(())
    }

    /// All identities of every contact in sight, participants of tickets included.
    async fn identities_of_contacts(&mut self) -> Result<(), StoreError> {
        let participants =
            self.facts.tickets.values().flat_map(|known| known.participants.keys()).map(|contact| contact.0);
        let contacts: BTreeSet<Uuid> = self.contact_ids().into_iter().chain(participants).collect();
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {IDENTITY_COLUMNS} FROM unnest($1::uuid[]) AS c(id) CROSS JOIN LATERAL (
                SELECT * FROM identity t WHERE t.contact_id = c.id LIMIT {IDENTITIES_LOADED_MAX}
             ) i LEFT JOIN alias a ON a.id = i.last_ticket"
        )))
        .bind(contacts.into_iter().collect::<Vec<_>>())
        .fetch_all(&mut *self.connection)
        .await?;
        let new: Vec<PgRow> = rows
            .into_iter()
            .filter(|row| row.try_get("id").is_ok_and(|id: Uuid| !self.loaded.identities.contains(&IdentityId(id))))
            .collect();
        self.take_identities(&new)
    }

    /// What agents keep apart, of all identities in sight.
    async fn apart(&mut self) -> Result<(), StoreError> {
        let ids: Vec<Uuid> = self.loaded.identities.iter().map(|id| id.0).collect();
        let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
            "SELECT identity_a, identity_b FROM edge WHERE class = 'agent_apart' AND state = 'active' AND identity_a = ANY($1)",
        )
        .bind(ids)
        .fetch_all(&mut *self.connection)
        .await?;
        let is_here = |id: &Uuid| self.loaded.identities.contains(&IdentityId(*id));
        let apart = rows.into_iter().filter(|(_, b)| is_here(b)).map(|(a, b)| (IdentityId(a), IdentityId(b)));
        self.facts.apart = apart.collect();
        Ok(())
    }

    async fn contacts(&mut self) -> Result<(), StoreError> {
        let rows = sqlx::query("SELECT id, kind, name, first_at FROM contact WHERE id = ANY($1)")
            .bind(self.contact_ids())
            .fetch_all(&mut *self.connection)
            .await?;
        for row in rows {
            let contact = Contact {
                id: ContactId(row.try_get("id")?),
                kind: ContactKind::parse(row.try_get("kind")?),
                name: row.try_get("name")?,
                first_at: time(&row, "first_at")?,
            };
            self.loaded.contacts.insert(contact.id);
            self.facts.contacts.insert(contact.id, contact);
        }
        Ok(())
    }

    /// Calls of which another leg is in the batch.
    async fn calls(&mut self, batch: &[(Message, Lookup)]) -> Result<(), StoreError> {
        let calls = batch.iter().filter(|(message, _)| {
            message.incoming.what == What::Message && matches!(message.incoming.content, Content::Call(..))
        });
        let ids: Vec<Uuid> = calls
            .flat_map(|(_, lookup)| &lookup.own)
            .filter(|(kind, _)| *kind == AnchorKind::Message)
            .flat_map(|(_, key)| self.facts.anchors.get(key).into_iter().flatten())
            .map(|anchor| anchor.message.0)
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query(
            "SELECT id, call, text, identity_id, ticket_id, occurred_at, direction FROM message WHERE id = ANY($1) AND call IS NOT NULL",
        )
        .bind(ids)
        .fetch_all(&mut *self.connection)
        .await?;
        for row in rows {
            let id: Uuid = row.try_get("id")?;
            let call: serde_json::Value = row.try_get("call")?;
            let call: Call =
                serde_json::from_value(call).map_err(|error| corrupt("message", id, &error.to_string()))?;
            let known = KnownCall {
                call,
                text: row.try_get("text")?,
                identity: row.try_get::<Option<Uuid>, _>("identity_id")?.map(IdentityId),
                ticket: row.try_get::<Option<Uuid>, _>("ticket_id")?.map(TicketId),
                occurred_at: time(&row, "occurred_at")?,
                direction: direction(row.try_get("direction")?),
            };
            self.facts.calls.insert(MessageId(id), known);
        }
        Ok(())
    }

    async fn refused(&mut self, batch: &[(Message, Lookup)]) -> Result<(), StoreError> {
        let (from, to): (Vec<_>, Vec<_>) =
            guessing_times(batch).into_iter().map(|(from, to)| (super::sql_time(from), super::sql_time(to))).unzip();
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT f.identity_id, f.channel, f.at FROM unnest($2::timestamptz[], $3::timestamptz[]) t (from_at, to_at)
             CROSS JOIN LATERAL (
                SELECT identity_id, channel, at FROM fact WHERE tenant = $1 AND refused AND at BETWEEN from_at AND to_at
                ORDER BY at DESC LIMIT {REFUSED_LOADED_MAX}
             ) f"
        )))
        .bind(self.tenant)
        .bind(from)
        .bind(to)
        .fetch_all(&mut *self.connection)
        .await?;
        for row in rows {
            self.facts.refused.push(Refused {
                identity: IdentityId(row.try_get("identity_id")?),
                channel: row.try_get("channel")?,
                at: time(&row, "at")?,
            });
        }
        Ok(())
    }

    async fn tombstones(&mut self, batch: &[(Message, Lookup)]) -> Result<(), StoreError> {
        let keys = batch.iter().flat_map(|(message, lookup)| {
            let about = lookup.references.iter().filter(|_| message.incoming.what != What::Message);
            lookup.own.iter().map(|(_, key)| *key).chain([lookup.seen_key]).chain(about.copied())
        });
        let rows: Vec<(Uuid,)> = sqlx::query_as("SELECT key_hash FROM tombstone WHERE key_hash = ANY($1)")
            .bind(uuids(keys))
            .fetch_all(&mut *self.connection)
            .await?;
        self.facts.tombstones = rows.into_iter().map(|(key,)| LookupKey(key)).collect();
        Ok(())
    }
}

/// An identity of a row of [`IDENTITY_COLUMNS`].
pub(super) fn identity(row: &PgRow) -> Result<KnownIdentity, StoreError> {
    let names: Vec<String> = row.try_get("names")?;
    Ok(KnownIdentity {
        id: IdentityId(row.try_get("id")?),
        identity: Identity {
            scheme: row.try_get("scheme")?,
            scope: row.try_get("scope")?,
            value: row.try_get("value")?,
        },
        epoch: row.try_get("epoch")?,
        closed_at: row.try_get::<Option<jiff_sqlx::Timestamp>, _>("closed_at")?.map(|at| at.to_jiff()),
        contact: ContactId(row.try_get("contact_id")?),
        assurance: Assurance::from_level(row.try_get("assurance")?),
        names: names.iter().filter_map(|name| PersonName::parse(name)).collect(),
        first_at: time(row, "first_at")?,
        last_at: time(row, "last_at")?,
        last_ticket: row.try_get::<Option<Uuid>, _>("last_ticket")?.map(TicketId),
        last_message: row.try_get::<Option<Uuid>, _>("last_message")?.map(MessageId),
    })
}

fn ticket(row: &PgRow) -> Result<Ticket, StoreError> {
    let id: Uuid = row.try_get("id")?;
    let kinds: Vec<String> = row.try_get("kind")?;
    let closed_at: Option<jiff_sqlx::Timestamp> = row.try_get("closed_at")?;
    Ok(Ticket {
        id: TicketId(id),
        state: TicketState::parse(row.try_get("state")?).ok_or_else(|| corrupt("ticket", id, "its state"))?,
        kind: kinds.iter().filter_map(|kind| MatterKind::parse(kind)).collect(),
        priority: Priority::parse(row.try_get("priority")?).ok_or_else(|| corrupt("ticket", id, "its priority"))?,
        title: row.try_get("title")?,
        opened_at: time(row, "opened_at")?,
        last_at: time(row, "last_at")?,
        closed_at: closed_at.map(|at| at.to_jiff()),
        follow_up_of: row.try_get::<Option<Uuid>, _>("follow_up_of")?.map(TicketId),
        opened_by: MessageId(row.try_get("opened_by")?),
        owner: match row.try_get::<Option<jiff_sqlx::Timestamp>, _>("owner_at")? {
            Some(at) => Some(Owner { at: at.to_jiff(), name: row.try_get("owner")? }),
            None => None,
        },
        awaiting: Awaiting { asked_at: time_or_none(row, "awaited_at")?, ended_at: time_or_none(row, "resumed_at")? },
        queued: queued(row)?,
        unanswered: u32::try_from(row.try_get::<i32, _>("unanswered")?).unwrap_or_default(),
        fault: row.try_get::<Option<&str>, _>("fault_kind")?.and_then(Fault::parse),
        feedback: feedback(row)?,
        classified: classified(row)?,
    })
}

/// In which queue a ticket is, and why.
pub(super) fn queued(row: &PgRow) -> Result<Queued, StoreError> {
    let queued: Option<serde_json::Value> = row.try_get("queued")?;
    Ok(queued.and_then(|queued| serde_json::from_value(queued).ok()).unwrap_or_default())
}

pub(super) fn time_or_none(row: &PgRow, column: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.try_get::<Option<jiff_sqlx::Timestamp>, _>(column)?.map(|at| at.to_jiff()))
}

/// What feedback says, of a row.
pub(super) fn feedback(row: &PgRow) -> Result<Vec<FeedbackKind>, StoreError> {
    let kinds: Vec<String> = row.try_get("feedback")?;
    Ok(kinds.iter().filter_map(|kind| FeedbackKind::parse(kind)).collect())
}

/// Whether what a message (`m`) says is what a customer wants: his own words, or those that an agent noted of his call
/// ([`Facts::brings_matter`]).
pub(super) const BRINGS_MATTER: &str = "CASE m.direction
    WHEN 'from_customer' THEN coalesce(m.auto, 'alert') = 'alert'
    ELSE m.auto IS NULL AND 'internal' = ANY(m.marks) AND EXISTS (SELECT 1 FROM message c
        WHERE c.id = (m.outline->>'on')::uuid AND c.call IS NOT NULL AND c.direction = 'from_customer' AND coalesce(c.auto, 'alert') = 'alert') END";

/// What an agent said of a ticket, of a row. What a later lanka wrote and this one cannot read says nothing.
pub(crate) fn classified(row: &PgRow) -> Result<Option<Classified>, StoreError> {
    let classified: Option<serde_json::Value> = row.try_get("classified")?;
    Ok(classified.and_then(|said| serde_json::from_value(said).ok()))
}

/// The direction of a stored word; the column allows no other.
pub(super) fn direction(word: &str) -> Direction {
    if word == "from_agent" { Direction::FromAgent } else { Direction::FromCustomer }
}

/// An instant of a row.
/// Where a fact stood; a word that this version does not know is the channel's field.
pub(super) fn place(row: &PgRow) -> Result<Place, StoreError> {
    let word: String = row.try_get("place")?;
    Ok(serde_json::from_value(serde_json::Value::String(word)).unwrap_or(Place::Header))
}

pub(super) fn time(row: &PgRow, column: &str) -> Result<Timestamp, StoreError> {
    Ok(row.try_get::<jiff_sqlx::Timestamp, _>(column)?.to_jiff())
}

fn corrupt(what: &'static str, id: Uuid, why: &str) -> StoreError {
    StoreError::Corrupt { what, id, why: why.to_owned() }
}
