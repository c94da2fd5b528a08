//! Writes a whole batch of decisions, in a constant number of statements.
//!
//! Ids of contacts and tickets are written as they stand after the whole batch; those that a later
//! decision of the batch merged away become aliases, for they were given out.

use super::facts::Loaded;
use super::{StoreError, sql_time};
use crate::pure::domain::Timestamp;
use crate::pure::domain::decision::*;
use crate::pure::domain::id::*;
use crate::pure::domain::message::*;
use crate::shell::content::Stored;
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
/// caller's.
pub async fn commit(connection: &mut PgConnection, batch: Batch<'_>, mint: &mut IdMint) -> Result<(), StoreError> {
    let Batch { tenant, decided, facts, loaded, mirrors, has_peers, now } = batch;
    let attached = attached(decided);
    let mut writer = Writer { connection, tenant, decided, facts, loaded, attached, has_peers, now };
    writer.contacts().await?;
    writer.identities().await?;
    writer.merge_contacts(mint).await?;
    writer.tickets().await?;
    writer.merge_tickets().await?;
    writer.participants().await?;
    writer.references().await?;
    writer.messages().await?;
    writer.legs().await?;
    writer.attachments().await?;
    writer.items().await?;
    writer.seen().await?;
    writer.decisions().await?;
    writer.kept_facts().await?;
    writer.edges().await?;
    writer.suggestions().await?;
    writer.ticket_events(mint).await?;
    writer.attach().await?;
    writer.updates().await?;
    writer.progress().await?;
    writer.progress_until().await?;
    writer.outbox(mirrors, mint).await
}

struct Writer<'a> {
    connection: &'a mut PgConnection,
    tenant: &'a str,
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

    async fn contacts(&mut self) -> Result<(), StoreError> {
        let here = self.facts.contacts.values().map(|contact| (contact, None));
        let gone =
            self.facts.gone_contacts.values().map(|contact| (contact, Some(self.facts.contact_now(contact.id).0)));
        let mut rows: Vec<_> = here.chain(gone).filter(|(c, _)| !self.loaded.contacts.contains(&c.id)).collect();
        rows.sort_by_key(|(contact, _)| contact.id);
        if !rows.is_empty() {
            sqlx::query(
                "INSERT INTO contact (id, tenant, kind, name, first_at, merged_into)
                 SELECT id, $1, kind, name, first_at, merged_into
                 FROM unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::uuid[]) AS t(id, kind, name, first_at, merged_into)",
            )
            .bind(self.tenant)
            .bind(column(&rows, |(c, _)| c.id.0))
            .bind(column(&rows, |(c, _)| c.kind.as_str()))
            .bind(column(&rows, |(c, _)| c.name.as_deref()))
            .bind(column(&rows, |(c, _)| sql_time(c.first_at)))
            .bind(column(&rows, |(_, into)| *into))
            .execute(&mut *self.connection)
            .await?;
        }
        let touched: BTreeSet<ContactId> = self
            .deciding()
            .filter_map(|d| d.decision.resolution.contact())
            .map(|contact| self.facts.contact_now(contact))
            .filter(|contact| self.loaded.contacts.contains(contact))
            .collect();
        let rows: Vec<_> = touched.iter().filter_map(|id| self.facts.contacts.get(id)).collect();
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE contact c SET name = t.name, first_at = t.first_at
             FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS t(id, name, first_at)
             WHERE c.id = t.id AND (c.name IS DISTINCT FROM t.name OR c.first_at <> t.first_at)",
        )
        .bind(column(&rows, |c| c.id.0))
        .bind(column(&rows, |c| c.name.as_deref()))
        .bind(column(&rows, |c| sql_time(c.first_at)))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn identities(&mut self) -> Result<(), StoreError> {
        let touched: BTreeSet<IdentityId> = self.deciding().flat_map(|d| d.decision.touched_ids()).collect();
        let (old, new): (Vec<_>, Vec<_>) = touched
            .iter()
            .filter_map(|id| self.facts.identity(*id))
            .partition(|known| self.loaded.identities.contains(&known.id));
        if !new.is_empty() {
            sqlx::query(
                "INSERT INTO identity (id, tenant, scheme, scope, value, epoch, contact_id, assurance, names, first_at, last_at, last_ticket, last_message, closed_at)
                 SELECT id, $1, scheme, scope, value, epoch, contact_id, assurance, coalesce(string_to_array(nullif(names, ''), E'\\n'), '{}'), first_at, last_at, last_ticket, last_message, closed_at
                 FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::int[], $7::uuid[], $8::smallint[], $9::text[],
                    $10::timestamptz[], $11::timestamptz[], $12::uuid[], $13::uuid[], $14::timestamptz[])
                    AS t(id, scheme, scope, value, epoch, contact_id, assurance, names, first_at, last_at, last_ticket, last_message, closed_at)",
            )
            .bind(self.tenant)
            .bind(column(&new, |k| k.id.0))
            .bind(column(&new, |k| k.identity.scheme.as_str()))
            .bind(column(&new, |k| k.identity.scope.as_str()))
            .bind(column(&new, |k| k.identity.value.as_str()))
            .bind(column(&new, |k| k.epoch))
            .bind(column(&new, |k| k.contact.0))
            .bind(column(&new, |k| k.assurance.level()))
            .bind(column(&new, |k| joined_names(k)))
            .bind(column(&new, |k| sql_time(k.first_at)))
            .bind(column(&new, |k| sql_time(k.last_at)))
            .bind(column(&new, |k| k.last_ticket.map(|id| id.0)))
            .bind(column(&new, |k| k.last_message.map(|id| id.0)))
            .bind(column(&new, |k| k.closed_at.map(sql_time)))
            .execute(&mut *self.connection)
            .await?;
        }
        if old.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE identity i SET assurance = t.assurance, names = coalesce(string_to_array(nullif(t.names, ''), E'\\n'), '{}'),
                first_at = t.first_at, last_at = t.last_at, last_ticket = t.last_ticket, last_message = t.last_message,
                closed_at = t.closed_at
             FROM unnest($1::uuid[], $2::smallint[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::uuid[], $7::uuid[], $8::timestamptz[])
                AS t(id, assurance, names, first_at, last_at, last_ticket, last_message, closed_at)
             WHERE i.id = t.id",
        )
        .bind(column(&old, |k| k.id.0))
        .bind(column(&old, |k| k.assurance.level()))
        .bind(column(&old, |k| joined_names(k)))
        .bind(column(&old, |k| sql_time(k.first_at)))
        .bind(column(&old, |k| sql_time(k.last_at)))
        .bind(column(&old, |k| k.last_ticket.map(|id| id.0)))
        .bind(column(&old, |k| k.last_message.map(|id| id.0)))
        .bind(column(&old, |k| k.closed_at.map(sql_time)))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Joins of contacts: the identities go over, the journal says so, the old ids stay valid.
    async fn merge_contacts(&mut self, mint: &mut IdMint) -> Result<(), StoreError> {
        let mut rows: Vec<(Uuid, Uuid, Uuid, Uuid, String)> = Vec::new();
        let mut edges: Vec<String> = Vec::new();
        for d in self.deciding() {
            let Resolution::Merge { keep, absorb } = &d.decision.resolution else { continue };
            for gone in absorb {
                let id: EventId = mint.dated(d.message.received_at);
                let why = d.decision.reasons.iter().find(|reason| reason.bits.is_some());
                let why = why.map(|reason| reason.text.clone()).unwrap_or_default();
                rows.push((id.0, keep.0, gone.0, d.decision.message.0, why));
                edges.push(format!("{{{}}}", column(&d.decision.edges, |edge| edge.id.to_string()).join(",")));
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO contact_link (id, tenant, act, keep, other, identities, edges, message_id, why, at)
             SELECT t.id, $1, 'join', t.keep, t.other,
                coalesce((SELECT array_agg(i.id ORDER BY i.id) FROM identity i WHERE i.contact_id = t.other), '{}'),
                t.edges::uuid[], t.message_id, t.why, $8
             FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::text[]) AS t(id, keep, other, edges, message_id, why)",
        )
        .bind(self.tenant)
        .bind(column(&rows, |r| r.0))
        .bind(column(&rows, |r| r.1))
        .bind(column(&rows, |r| r.2))
        .bind(edges)
        .bind(column(&rows, |r| r.3))
        .bind(column(&rows, |r| r.4.as_str()))
        .bind(sql_time(self.now))
        .execute(&mut *self.connection)
        .await?;
        let gone: BTreeMap<Uuid, Uuid> = rows.iter().map(|r| (r.2, self.facts.contact_now(ContactId(r.2)).0)).collect();
        let (other, keep): (Vec<Uuid>, Vec<Uuid>) = gone.into_iter().unzip();
        for statement in [
            "UPDATE identity i SET contact_id = t.keep FROM unnest($1::uuid[], $2::uuid[]) AS t(other, keep) WHERE i.contact_id = t.other",
            "UPDATE contact c SET merged_into = m.keep FROM (
                SELECT other AS id, keep FROM unnest($1::uuid[], $2::uuid[]) AS t(other, keep)
                UNION ALL
                SELECT e.id, t.keep FROM unnest($1::uuid[], $2::uuid[]) AS t(other, keep)
                CROSS JOIN LATERAL (SELECT id FROM contact WHERE merged_into = t.other OFFSET 0) e
             ) m WHERE c.id = m.id",
            "INSERT INTO ticket_participant (contact_id, ticket_id, role, entitled_by, since)
             SELECT t.keep, p.ticket_id, p.role, p.entitled_by, p.since
             FROM unnest($1::uuid[], $2::uuid[]) AS t(other, keep) JOIN ticket_participant p ON p.contact_id = t.other
             ON CONFLICT DO NOTHING",
            "DELETE FROM ticket_participant p USING unnest($1::uuid[], $2::uuid[]) AS t(other, keep) WHERE p.contact_id = t.other",
        ] {
            sqlx::query(statement).bind(&other).bind(&keep).execute(&mut *self.connection).await?;
        }
        self.aliases("contact", &other, &keep).await
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

    async fn tickets(&mut self) -> Result<(), StoreError> {
        let mut touched: BTreeSet<TicketId> = BTreeSet::new();
        for d in self.deciding() {
            touched.extend(d.decision.placement.ticket().map(|ticket| self.facts.ticket_now(ticket)));
            touched.extend(d.decision.placement.ticket());
            touched.extend(d.decision.moves.iter().flat_map(|m| [m.from, self.facts.ticket_now(m.to)]));
        }
        let row = |id: &TicketId| match self.facts.tickets.get(id) {
            Some(known) => Some((&known.ticket, None)),
            None => self.facts.gone_tickets.get(id).map(|ticket| (ticket, Some(self.facts.ticket_now(*id).0))),
        };
        let (old, new): (Vec<_>, Vec<_>) =
            touched.iter().filter_map(row).partition(|(ticket, _)| self.loaded.tickets.contains(&ticket.id));
        for (rows, statement) in [(new, INSERT_TICKETS), (old, UPDATE_TICKETS)] {
            if rows.is_empty() {
                continue;
            }
            sqlx::query(statement)
                .bind(self.tenant)
                .bind(column(&rows, |(t, _)| t.id.0))
                .bind(column(&rows, |(t, _)| t.state.as_str()))
                .bind(column(&rows, |(t, _)| t.title.as_str()))
                .bind(column(&rows, |(t, _)| t.kind.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(",")))
                .bind(column(&rows, |(t, _)| t.priority.as_str()))
                .bind(column(&rows, |(t, _)| sql_time(t.opened_at)))
                .bind(column(&rows, |(t, _)| sql_time(t.last_at)))
                .bind(column(&rows, |(t, _)| t.closed_at.map(sql_time)))
                .bind(column(&rows, |(t, _)| t.follow_up_of.map(|id| id.0)))
                .bind(column(&rows, |(t, _)| t.opened_by.0))
                .bind(column(&rows, |(_, into)| *into))
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(())
    }

    /// Joins of tickets: everything on the one goes to the other, the old id stays valid.
    async fn merge_tickets(&mut self) -> Result<(), StoreError> {
        let gone: BTreeMap<Uuid, Uuid> = self
            .deciding()
            .flat_map(|d| &d.decision.moves)
            .map(|m| (m.from.0, self.facts.ticket_now(m.from).0))
            .filter(|(from, to)| from != to)
            .collect();
        if gone.is_empty() {
            return Ok(());
        }
        let (other, keep): (Vec<Uuid>, Vec<Uuid>) = gone.into_iter().unzip();
        for statement in [
            "UPDATE message m SET ticket_id = t.keep FROM unnest($1::uuid[], $2::uuid[]) AS t(other, keep) WHERE m.ticket_id = t.other",
            "UPDATE ticket_reference r SET ticket_id = t.keep FROM unnest($1::uuid[], $2::uuid[]) AS t(other, keep) WHERE r.ticket_id = t.other",
            "UPDATE ticket k SET merged_into = m.keep FROM (
                SELECT other AS id, keep FROM unnest($1::uuid[], $2::uuid[]) AS t(other, keep)
                UNION ALL
                SELECT e.id, t.keep FROM unnest($1::uuid[], $2::uuid[]) AS t(other, keep)
                CROSS JOIN LATERAL (SELECT id FROM ticket WHERE merged_into = t.other OFFSET 0) e
             ) m WHERE k.id = m.id",
            "INSERT INTO ticket_participant (contact_id, ticket_id, role, entitled_by, since)
             SELECT p.contact_id, t.keep, p.role, p.entitled_by, p.since
             FROM unnest($1::uuid[], $2::uuid[]) AS t(other, keep) JOIN ticket_participant p ON p.ticket_id = t.other
             ON CONFLICT DO NOTHING",
            "DELETE FROM ticket_participant p USING unnest($1::uuid[], $2::uuid[]) AS t(other, keep) WHERE p.ticket_id = t.other",
        ] {
            sqlx::query(statement).bind(&other).bind(&keep).execute(&mut *self.connection).await?;
        }
        self.aliases("ticket", &other, &keep).await
    }

    async fn participants(&mut self) -> Result<(), StoreError> {
        let mut rows: BTreeMap<(Uuid, Uuid), (&str, Timestamp)> = BTreeMap::new();
        for d in self.deciding() {
            let contact = d.decision.resolution.contact().map(|contact| self.facts.contact_now(contact).0);
            if let (Some(contact), Some(ticket), Some(by)) = (contact, self.ticket_of(d), d.decision.entitled_by) {
                rows.entry((contact, ticket)).or_insert((by.as_str(), d.message.received_at));
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = rows.into_iter().collect();
        sqlx::query(
            "INSERT INTO ticket_participant (contact_id, ticket_id, entitled_by, since)
             SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[]) ON CONFLICT DO NOTHING",
        )
        .bind(column(&rows, |((contact, _), _)| *contact))
        .bind(column(&rows, |((_, ticket), _)| *ticket))
        .bind(column(&rows, |(_, (by, _))| *by))
        .bind(column(&rows, |(_, (_, since))| sql_time(*since)))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn references(&mut self) -> Result<(), StoreError> {
        let rows: Vec<(&Decided, &(AnchorKind, LookupKey, String))> =
            self.deciding().flat_map(|d| d.decision.anchors.iter().map(move |anchor| (d, anchor))).collect();
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO ticket_reference (tenant, key_hash, kind, name, ticket_id, message_id, direction, at)
             SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::text[], $8::timestamptz[])",
        )
        .bind(self.tenant)
        .bind(column(&rows, |(_, (_, key, _))| key.0))
        .bind(column(&rows, |(_, (kind, ..))| kind.as_str()))
        .bind(column(&rows, |(_, (.., name))| name.as_str()))
        .bind(column(&rows, |(d, _)| self.ticket_of(d)))
        .bind(column(&rows, |(d, _)| d.decision.message.0))
        .bind(column(&rows, |(d, _)| word(d.message.incoming.direction)))
        .bind(column(&rows, |(d, _)| sql_time(d.message.occurred_at)))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn messages(&mut self) -> Result<(), StoreError> {
        let rows = self.firsts();
        if rows.is_empty() {
            return Ok(());
        }
        let own = |d: &'a Decided| {
            let text = d.message.incoming.content.text();
            (d.message.own_text != text).then_some(d.message.own_text.as_str())
        };
        let call = |d: &'a Decided| match self.facts.calls.get(&d.decision.message) {
            Some(known) => serde_json::to_value(&known.call).ok(),
            None => None,
        };
        let text = |d: &'a Decided| match self.facts.calls.get(&d.decision.message) {
            Some(known) => known.text.as_str(),
            None => d.message.incoming.content.text(),
        };
        sqlx::query(INSERT_MESSAGES)
            .bind(self.tenant)
            .bind(column(&rows, |d| d.decision.message.0))
            .bind(column(&rows, |d| d.message.raw_event.0))
            .bind(column(&rows, |d| i32::try_from(d.message.item).unwrap_or(i32::MAX)))
            .bind(column(&rows, |d| d.message.channel.as_str()))
            .bind(column(&rows, |d| d.message.kind.as_str()))
            .bind(column(&rows, |d| d.message.incoming.namespace.as_str()))
            .bind(column(&rows, |d| d.message.incoming.source_key.as_str()))
            .bind(column(&rows, |d| word(d.message.incoming.direction)))
            .bind(column(&rows, |d| self.identity_of(d)))
            .bind(column(&rows, |d| self.ticket_of(d)))
            .bind(column(&rows, |d| d.message.incoming.sender.name.as_deref()))
            .bind(column(&rows, |d| sql_time(d.message.occurred_at)))
            .bind(column(&rows, |d| sql_time(d.message.trusted_at)))
            .bind(column(&rows, |d| sql_time(d.message.received_at)))
            .bind(column(&rows, |d| d.message.incoming.subject.as_deref()))
            .bind(column(&rows, |d| text(d)))
            .bind(column(&rows, |d| own(d)))
            .bind(column(&rows, |d| call(d)))
            .bind(column(&rows, |d| d.message.assurance.level()))
            .bind(column(&rows, |d| d.message.incoming.auto.map(|auto| json_word(&auto))))
            .bind(column(&rows, |d| marks(d)))
            .bind(column(&rows, |d| column(&d.decision.triage.kind, |kind| kind.as_str()).join(",")))
            .bind(column(&rows, |d| d.decision.triage.priority.as_str()))
            .bind(column(&rows, |d| d.message.numbers().map(|(_, _, value)| value).collect::<Vec<_>>().join("\n")))
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// A call's identity and ticket may come with a later leg of the same batch.
    fn identity_of(&self, d: &Decided) -> Option<Uuid> {
        let of_call = self.facts.calls.get(&d.decision.message).and_then(|known| known.identity);
        d.decision.identity.or(of_call).map(|id| id.0)
    }

    /// Further legs of calls that are stored: the last state of each.
    async fn legs(&mut self) -> Result<(), StoreError> {
        let rows: BTreeMap<Uuid, &Decided> = self
            .decided
            .iter()
            .filter(|d| d.decision.role == ItemRole::Leg)
            .map(|d| (d.decision.message.0, d))
            .collect();
        let rows: Vec<_> =
            rows.iter().filter_map(|(id, d)| Some((*id, *d, self.facts.calls.get(&d.decision.message)?))).collect();
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE message m SET call = t.call, text = t.text, identity_id = t.identity_id, ticket_id = coalesce(t.ticket_id, m.ticket_id),
                occurred_at = least(m.occurred_at, t.occurred_at), direction = CASE WHEN t.customers THEN 'from_customer' ELSE m.direction END,
                marks = CASE WHEN t.call_back THEN array_append(array_remove(m.marks, 'call_back'), 'call_back')
                    ELSE array_remove(m.marks, 'call_back') END
             FROM unnest($1::uuid[], $2::jsonb[], $3::text[], $4::uuid[], $5::uuid[], $6::timestamptz[], $7::bool[], $8::bool[])
                AS t(id, call, text, identity_id, ticket_id, occurred_at, customers, call_back)
             WHERE m.id = t.id",
        )
        .bind(column(&rows, |(id, ..)| *id))
        .bind(column(&rows, |(.., known)| serde_json::to_value(&known.call).unwrap_or_default()))
        .bind(column(&rows, |(.., known)| known.text.as_str()))
        .bind(column(&rows, |(.., known)| known.identity.map(|id| id.0)))
        .bind(column(&rows, |(.., known)| known.ticket.map(|id| self.facts.ticket_now(id).0)))
        .bind(column(&rows, |(_, d, _)| sql_time(d.message.occurred_at)))
        .bind(column(&rows, |(.., known)| known.direction == Direction::FromCustomer))
        .bind(column(&rows, |(.., known)| known.is_to_be_returned()))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn attachments(&mut self) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        // Files that come after their message: those of a history, which are named without them first.
        for d in self.decided.iter().filter(|d| d.decision.role == ItemRole::Update && !self.is_waiting(d)) {
            for (ordinal, file) in d.message.incoming.attachments.iter().enumerate() {
                if d.message.incoming.what == What::Edit && matches!(file.source, AttachmentSource::Remote(_)) {
                    let ordinal = i32::try_from(ordinal).unwrap_or(i32::MAX);
                    rows.push((self.message_of(d), ordinal, file, Kept::Remote));
                }
            }
        }
        for d in self.firsts() {
            for (ordinal, (file, content)) in d.message.incoming.attachments.iter().zip(&d.contents).enumerate() {
                rows.push((d.decision.message.0, i32::try_from(ordinal).unwrap_or(i32::MAX), file, *content));
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let remote = |file: &'a Attachment| match &file.source {
            AttachmentSource::Remote(remote) => Some(remote.as_str()),
            AttachmentSource::Inline(_) => None,
        };
        sqlx::query(
            "INSERT INTO attachment (message_id, ordinal, name, media_type, bytes, content_hash, remote, inline, lost)
             SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::bigint[], $6::bytea[], $7::text[], $8::bool[], $9::text[])
             ON CONFLICT (message_id, ordinal) DO NOTHING",
        )
        .bind(column(&rows, |r| r.0))
        .bind(column(&rows, |r| r.1))
        .bind(column(&rows, |r| r.2.name.as_deref()))
        .bind(column(&rows, |r| r.2.media_type.as_str()))
        .bind(column(&rows, |r| match r.3 {
            Kept::Here(Stored { bytes, .. }) | Kept::TooLarge(bytes) => i64::try_from(bytes).unwrap_or(i64::MAX),
            Kept::Remote => 0,
        }))
        .bind(column(&rows, |r| match r.3 {
            Kept::Here(stored) => Some(stored.hash.0.to_vec()),
            Kept::Remote | Kept::TooLarge(_) => None,
        }))
        .bind(column(&rows, |r| remote(r.2)))
        .bind(column(&rows, |r| r.2.inline))
        .bind(column(&rows, |r| matches!(r.3, Kept::TooLarge(_)).then_some("larger than content.attachment_bytes_max")))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn items(&mut self) -> Result<(), StoreError> {
        let rows = self.decided;
        let is_erased = |d: &Decided| d.decision.role == ItemRole::Erased;
        let duplicate = |d: &Decided| (d.decision.role == ItemRole::Repeat).then(|| self.message_of(d));
        let message = |d: &Decided| match d.decision.role {
            ItemRole::Erased | ItemRole::Move => None,
            _ if self.is_waiting(d) => None,
            _ => Some(self.message_of(d)),
        };
        sqlx::query(
            "INSERT INTO raw_item (raw_event, item, role, what, source_key, message_id, duplicate_of, redacted_at)
             SELECT raw_event, item, role, what, source_key, message_id, duplicate_of, CASE WHEN erased THEN now() END
             FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::boolean[])
                AS t(raw_event, item, role, what, source_key, message_id, duplicate_of, erased)
             ON CONFLICT (raw_event, item) DO NOTHING",
        )
        .bind(column(rows, |d| d.message.raw_event.0))
        .bind(column(rows, |d| i32::try_from(d.message.item).unwrap_or(i32::MAX)))
        .bind(column(rows, |d| d.decision.role.as_str()))
        .bind(column(rows, |d| json_word(&d.message.incoming.what)))
        // A vendor's id may hold the person's number.
        .bind(column(rows, |d| if is_erased(d) { "" } else { d.message.incoming.source_key.as_str() }))
        .bind(column(rows, message))
        .bind(column(rows, duplicate))
        .bind(column(rows, is_erased))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn seen(&mut self) -> Result<(), StoreError> {
        let rows: Vec<&Decided> =
            self.decided.iter().filter(|d| !matches!(d.decision.role, ItemRole::Repeat | ItemRole::Erased)).collect();
        if rows.is_empty() {
            return Ok(());
        }
        // A row that is there already means that another daemon took the message in meanwhile: the
        // constraint, not a look, is what holds, and the batch is decided again.
        sqlx::query("INSERT INTO seen (scope, key_hash, message_id, first_at) SELECT * FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::timestamptz[])")
            .bind(column(&rows, |d| d.lookup.seen_scope.as_str()))
            .bind(column(&rows, |d| d.lookup.seen_key.0))
            .bind(column(&rows, |d| self.message_of(d)))
            .bind(column(&rows, |d| sql_time(d.message.received_at)))
            .execute(&mut *self.connection)
            .await
            .map_err(|error| match &error {
                sqlx::Error::Database(inner) if inner.is_unique_violation() => StoreError::Stale,
                _ => StoreError::Database(error),
            })?;
        Ok(())
    }

    async fn decisions(&mut self) -> Result<(), StoreError> {
        let rows: Vec<&Decided> = self.deciding().collect();
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO decision (tenant, message_id, contact_id, ticket_id, resolution, placement, reasons, at)
             SELECT $1, t.*, $8 FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::jsonb[]) AS t",
        )
        .bind(self.tenant)
        .bind(column(&rows, |d| d.decision.message.0))
        .bind(column(&rows, |d| d.decision.resolution.contact().map(|id| id.0)))
        .bind(column(&rows, |d| d.decision.placement.ticket().map(|id| id.0)))
        .bind(column(&rows, |d| match d.decision.resolution {
            Resolution::Known(_) => "known",
            Resolution::New(_) => "new",
            Resolution::Merge { .. } => "merge",
            Resolution::Nobody => "nobody",
        }))
        .bind(column(&rows, |d| match d.decision.placement {
            Placement::Join(_) => "join",
            Placement::Reopen(_) => "reopen",
            Placement::Open { .. } => "open",
            Placement::None => "none",
        }))
        .bind(column(&rows, |d| serde_json::to_value(&d.decision.reasons).unwrap_or_default()))
        .bind(sql_time(self.now))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn kept_facts(&mut self) -> Result<(), StoreError> {
        let rows: Vec<(&Decided, Uuid, &KeptFact)> = self
            .deciding()
            .filter_map(|d| Some((d, d.decision.identity?.0)))
            .flat_map(|(d, identity)| d.decision.facts.iter().map(move |fact| (d, identity, fact)))
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO fact (tenant, id, kind, name, role, key_hash, mask, place, identity_id, message_id, channel, assurance, at, received_at, refused)
             SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::text[], $9::uuid[],
                $10::uuid[], $11::text[], $12::smallint[], $13::timestamptz[], $14::timestamptz[], $15::bool[])",
        )
        .bind(self.tenant)
        .bind(column(&rows, |(.., fact)| fact.id.0))
        .bind(column(&rows, |(.., fact)| fact.kind.as_str()))
        .bind(column(&rows, |(.., fact)| fact.name.as_str()))
        .bind(column(&rows, |(.., fact)| fact.role.map(|role| json_word(&role))))
        .bind(column(&rows, |(.., fact)| fact.key.0))
        .bind(column(&rows, |(.., fact)| fact.mask.as_str()))
        .bind(column(&rows, |(.., fact)| json_word(&fact.place)))
        .bind(column(&rows, |(_, identity, _)| *identity))
        .bind(column(&rows, |(d, ..)| d.decision.message.0))
        .bind(column(&rows, |(d, ..)| d.message.channel.as_str()))
        .bind(column(&rows, |(d, ..)| d.message.assurance.level()))
        .bind(column(&rows, |(d, ..)| sql_time(d.message.trusted_at)))
        .bind(column(&rows, |(d, ..)| sql_time(d.message.received_at)))
        .bind(column(&rows, |(.., fact)| fact.refused))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn edges(&mut self) -> Result<(), StoreError> {
        let rows: Vec<(&Decided, &Edge)> =
            self.deciding().flat_map(|d| d.decision.edges.iter().map(move |edge| (d, edge))).collect();
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO edge (tenant, id, identity_a, identity_b, class, bits, message_id, by_message, at)
             SELECT $1, t.*, $9 FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::smallint[], $7::uuid[], $8::uuid[]) AS t",
        )
        .bind(self.tenant)
        .bind(column(&rows, |(_, edge)| edge.id.0))
        .bind(column(&rows, |(_, edge)| edge.from.0))
        .bind(column(&rows, |(_, edge)| edge.to.0))
        .bind(column(&rows, |(_, edge)| edge.class.as_str()))
        .bind(column(&rows, |(_, edge)| edge.bits))
        .bind(column(&rows, |(d, _)| d.decision.message.0))
        .bind(column(&rows, |(_, edge)| edge.by_message.map(|id| id.0)))
        .bind(sql_time(self.now))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn suggestions(&mut self) -> Result<(), StoreError> {
        let rows: Vec<(&Decided, &Suggestion)> = self
            .deciding()
            .flat_map(|d| d.decision.suggestions.iter().map(move |suggestion| (d, suggestion)))
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        let target = |suggestion: &Suggestion| match suggestion.target {
            SuggestionTarget::Contact(id) => ("contact", id.0),
            SuggestionTarget::Ticket(id) => ("ticket", id.0),
        };
        sqlx::query(
            "INSERT INTO suggestion (tenant, id, message_id, target_kind, target, by_message, class, bits, why, at)
             SELECT $1, t.*, $10 FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::uuid[], $7::text[], $8::smallint[], $9::text[]) AS t",
        )
        .bind(self.tenant)
        .bind(column(&rows, |(_, s)| s.id.0))
        .bind(column(&rows, |(d, _)| d.decision.message.0))
        .bind(column(&rows, |(_, s)| target(s).0))
        .bind(column(&rows, |(_, s)| target(s).1))
        .bind(column(&rows, |(_, s)| s.message.0))
        .bind(column(&rows, |(_, s)| s.class.map(|class| class.as_str())))
        .bind(column(&rows, |(_, s)| s.bits))
        .bind(column(&rows, |(_, s)| s.why.as_str()))
        .bind(sql_time(self.now))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn ticket_events(&mut self, mint: &mut IdMint) -> Result<(), StoreError> {
        let mut rows: Vec<(EventId, Option<Uuid>, String, Option<Uuid>, serde_json::Value)> = Vec::new();
        let mut waiting: Vec<(LookupKey, EventId, &Decided)> = Vec::new();
        for d in self.decided {
            let at = d.message.received_at;
            let ticket = d.decision.placement.ticket().map(|id| id.0);
            let message = Some(self.message_of(d));
            if matches!(d.decision.role, ItemRole::Update | ItemRole::Move) {
                let incoming = &d.message.incoming;
                let data = serde_json::json!({
                    "text": incoming.content.text(), "direction": incoming.direction, "occurred_at": d.message.occurred_at,
                    "why": incoming.subject,
                });
                let event = mint.dated(at);
                rows.push((event, self.ticket_of(d), json_word(&incoming.what), message, data));
                waiting.extend(d.lookup.target(&d.message).filter(|_| self.is_waiting(d)).map(|key| (key, event, d)));
            }
            for moved in &d.decision.moves {
                let data = serde_json::json!({ "into": self.facts.ticket_now(moved.to), "why": moved.why });
                rows.push((mint.dated(at), Some(moved.from.0), "merged".to_owned(), message, data));
            }
            match &d.decision.placement {
                Placement::Open { follow_up_of, .. } if d.decision.role != ItemRole::Update => {
                    let data = serde_json::json!({ "follow_up_of": follow_up_of });
                    rows.push((mint.dated(at), ticket, "opened".to_owned(), message, data));
                }
                Placement::Reopen(_) => {
                    rows.push((mint.dated(at), ticket, "reopened".to_owned(), message, serde_json::json!({})))
                }
                _ => {}
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO ticket_event (tenant, id, ticket_id, kind, message_id, data, at)
             SELECT $1, t.*, $7 FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::jsonb[]) AS t",
        )
        .bind(self.tenant)
        .bind(column(&rows, |r| r.0.0))
        .bind(column(&rows, |r| r.1))
        .bind(column(&rows, |r| r.2.as_str()))
        .bind(column(&rows, |r| r.3))
        .bind(column(&rows, |r| r.4.clone()))
        .bind(sql_time(self.now))
        .execute(&mut *self.connection)
        .await?;
        self.wait(&waiting).await
    }

    /// Updates about messages that have not come are kept under their keys.
    async fn wait(&mut self, rows: &[(LookupKey, EventId, &Decided)]) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO early_update (key_hash, event_id, raw_event, item, seen_scope, seen_key)
             SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::uuid[])",
        )
        .bind(column(rows, |(key, ..)| key.0))
        .bind(column(rows, |(_, event, _)| event.0))
        .bind(column(rows, |(.., d)| d.message.raw_event.0))
        .bind(column(rows, |(.., d)| i32::try_from(d.message.item).unwrap_or(i32::MAX)))
        .bind(column(rows, |(.., d)| d.lookup.seen_scope.as_str()))
        .bind(column(rows, |(.., d)| d.lookup.seen_key.0))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Stored updates whose message has come now are put where they would be, had it come first.
    async fn attach(&mut self) -> Result<(), StoreError> {
        let has_stored = |d: &&Decided| d.decision.early.iter().any(|early| early.of_batch.is_none());
        let firsts = self.firsts().into_iter().filter(has_stored);
        let rows: Vec<(LookupKey, &Decided)> = firsts.filter_map(|d| Some((d.lookup.own_message()?, d))).collect();
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "WITH come AS (
                DELETE FROM early_update u USING unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS t(key_hash, message_id, ticket_id)
                WHERE u.key_hash = t.key_hash RETURNING u.*, t.message_id, t.ticket_id
             ), events AS (
                UPDATE ticket_event v SET ticket_id = come.ticket_id, message_id = come.message_id FROM come WHERE v.id = come.event_id
             ), items AS (
                UPDATE raw_item i SET message_id = come.message_id FROM come WHERE i.raw_event = come.raw_event AND i.item = come.item
             ), repeats AS (
                UPDATE raw_item i SET message_id = come.message_id, duplicate_of = come.message_id
                FROM come JOIN seen s ON s.scope = come.seen_scope AND s.key_hash = come.seen_key
                WHERE i.message_id = s.message_id AND i.role = 'repeat'
             )
             UPDATE seen s SET message_id = come.message_id FROM come WHERE s.scope = come.seen_scope AND s.key_hash = come.seen_key",
        )
        .bind(column(&rows, |(key, _)| key.0))
        .bind(column(&rows, |(_, d)| d.decision.message.0))
        .bind(column(&rows, |(_, d)| self.ticket_of(d)))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// A text that was taken back is redacted, one that was edited replaced; the journal keeps the fact.
    async fn updates(&mut self) -> Result<(), StoreError> {
        let of_message = self.decided.iter().flat_map(|d| {
            let stored = d.decision.early.iter().filter(|early| early.of_batch.is_none());
            stored.map(move |early| (d.decision.message.0, early.what, early.text.as_str(), early.at))
        });
        let updates = self.decided.iter().filter(|d| d.decision.role == ItemRole::Update && !self.is_waiting(d));
        let of_batch = updates.map(|d| {
            let incoming = &d.message.incoming;
            (self.message_of(d), incoming.what, incoming.content.text(), d.message.occurred_at)
        });
        // One row a message: taken back is for good, and of several edits the latest stands, whatever came first.
        let mut last: BTreeMap<Uuid, (bool, Timestamp, &str)> = BTreeMap::new();
        for (id, what, text, at) in of_message.chain(of_batch) {
            let is_gone = what == What::Delete;
            if is_gone || what == What::Edit {
                let text = if is_gone { "" } else { text };
                let entry = last.entry(id).or_insert((is_gone, at, text));
                if (is_gone, at) >= (entry.0, entry.1) {
                    *entry = (is_gone, at, text);
                }
            }
        }
        let rows: Vec<_> = last.into_iter().collect();
        if rows.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE message m SET text = t.text, own_text = NULL, subject = CASE WHEN t.gone THEN NULL ELSE m.subject END,
                edited_at = CASE WHEN t.gone THEN NULL ELSE t.at END, redacted_at = CASE WHEN t.gone THEN $5 ELSE m.redacted_at END
             FROM unnest($1::uuid[], $2::text[], $3::bool[], $4::timestamptz[]) AS t(id, text, gone, at)
             WHERE m.id = t.id AND m.redacted_at IS NULL AND (t.gone OR m.edited_at IS NULL OR m.edited_at <= t.at)",
        )
        .bind(column(&rows, |(id, _)| *id))
        .bind(column(&rows, |(_, (.., text))| *text))
        .bind(column(&rows, |(_, (gone, ..))| *gone))
        .bind(column(&rows, |(_, (_, at, _))| sql_time(*at)))
        .bind(sql_time(self.now))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Receipts of single messages: the greatest stands, whatever order they come in.
    async fn progress(&mut self) -> Result<(), StoreError> {
        let of_message = self.decided.iter().flat_map(|d| {
            let stored = d.decision.early.iter().filter(|early| early.of_batch.is_none() && early.what == What::Status);
            stored.map(move |early| (d.decision.message.0, early.text.as_str(), early.why.as_deref()))
        });
        let of_batch = self.receipts().filter(|d| !self.is_waiting(d)).map(|d| {
            let incoming = &d.message.incoming;
            (self.message_of(d), incoming.content.text(), incoming.subject.as_deref())
        });
        let mut rows: BTreeMap<Uuid, (Progress, Option<&str>)> = BTreeMap::new();
        for (id, word, why) in of_message.chain(of_batch) {
            let Some(progress) = Progress::parse(word) else { continue };
            let entry = rows.entry(id).or_insert((progress, why));
            *entry = (*entry).max((progress, why));
        }
        if rows.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = rows.into_iter().collect();
        sqlx::query(
            "UPDATE message m SET progress = t.progress, progress_why = t.why
             FROM unnest($1::uuid[], $2::text[], $3::text[]) AS t(id, progress, why)
             WHERE m.id = t.id AND coalesce(array_position($4::text[], m.progress), 0) < array_position($4::text[], t.progress)",
        )
        .bind(column(&rows, |(id, _)| *id))
        .bind(column(&rows, |(_, (progress, _))| progress.as_str()))
        .bind(column(&rows, |(_, (_, why))| *why))
        .bind(Progress::WORDS.as_slice())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// Receipts for all that was sent to a customer until an instant.
    async fn progress_until(&mut self) -> Result<(), StoreError> {
        let until = |d: &'a Decided| {
            let progress = Progress::parse(d.message.incoming.content.text())?;
            let namespace = d.message.incoming.namespace.as_str();
            Some((d.decision.identity?.0, namespace, progress.as_str(), sql_time(d.message.occurred_at)))
        };
        let rows: Vec<_> = self.receipts().filter_map(until).collect();
        if rows.is_empty() {
            return Ok(());
        }
        // The greatest of several is taken first; a message is written once by one statement.
        sqlx::query(
            "UPDATE message m SET progress = t.progress, progress_why = NULL
             FROM (SELECT DISTINCT ON (n.id) n.id, t.progress
                FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) AS t(identity_id, namespace, progress, until)
                JOIN message n ON n.identity_id = t.identity_id AND n.namespace = t.namespace
                    AND n.direction = 'from_agent' AND n.occurred_at <= t.until
                WHERE coalesce(array_position($5::text[], n.progress), 0) < array_position($5::text[], t.progress)
                ORDER BY n.id, array_position($5::text[], t.progress) DESC) t
             WHERE m.id = t.id",
        )
        .bind(column(&rows, |r| r.0))
        .bind(column(&rows, |r| r.1))
        .bind(column(&rows, |r| r.2))
        .bind(column(&rows, |r| r.3))
        .bind(Progress::WORDS.as_slice())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    fn receipts(&self) -> impl Iterator<Item = &'a Decided> + use<'a> {
        let is_receipt = |d: &&Decided| d.decision.role == ItemRole::Update && d.message.incoming.what == What::Status;
        self.decided.iter().filter(is_receipt)
    }

    /// Changes for the mirrors: each lane's sequence is allotted here and has no gap.
    async fn outbox(&mut self, mirrors: &[String], mint: &mut IdMint) -> Result<(), StoreError> {
        let told: Vec<(&Decided, &Told)> = self
            .decided
            .iter()
            .filter(|d| !d.quiet)
            .flat_map(|d| d.decision.changes.iter().map(move |told| (d, told)))
            .collect();
        if told.is_empty() || mirrors.is_empty() {
            return Ok(());
        }
        let mut counts: BTreeMap<(Uuid, &str), i64> = BTreeMap::new();
        for (_, change) in &told {
            for mirror in mirrors {
                *counts.entry((self.lane(change), mirror.as_str())).or_default() += 1;
            }
        }
        let counts: Vec<_> = counts.into_iter().collect();
        let ends: Vec<(Uuid, String, i64)> = sqlx::query_as(
            "INSERT INTO lane (ticket_id, mirror, last_sequence) SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[])
             ON CONFLICT (ticket_id, mirror) DO UPDATE SET last_sequence = lane.last_sequence + excluded.last_sequence
             RETURNING ticket_id, mirror, last_sequence",
        )
        .bind(column(&counts, |((ticket, _), _)| *ticket))
        .bind(column(&counts, |((_, mirror), _)| *mirror))
        .bind(column(&counts, |(_, count)| *count))
        .fetch_all(&mut *self.connection)
        .await?;
        let ends: BTreeMap<(Uuid, &str), i64> =
            ends.iter().map(|(ticket, mirror, end)| ((*ticket, mirror.as_str()), *end)).collect();
        let mut next: BTreeMap<(Uuid, &str), i64> =
            counts.iter().map(|(lane, count)| (*lane, ends.get(lane).map_or(1, |end| end - count + 1))).collect();
        let mut rows: Vec<(Uuid, &str, Uuid, i64, &Told, Option<Uuid>)> =
            Vec::with_capacity(told.len() * mirrors.len());
        let mut previous: BTreeMap<&str, Uuid> = BTreeMap::new();
        for (_, change) in &told {
            let lane = self.lane(change);
            for mirror in mirrors {
                let sequence = next.entry((lane, mirror.as_str())).or_insert(1);
                let id: OutboxId = mint.next(self.now);
                let after = change.waits.then(|| previous.get(mirror.as_str()).copied()).flatten();
                rows.push((id.0, mirror, lane, *sequence, change, after));
                *sequence += 1;
                previous.insert(mirror, id.0);
            }
        }
        self.insert_outbox(&rows).await
    }

    /// The lane of a change: that of the ticket it names. A change told after its ticket was merged
    /// away goes to the lane of the ticket that stays, but the merge itself ends the old one.
    fn lane(&self, change: &Told) -> Uuid {
        change.ticket.0
    }

    async fn insert_outbox(&mut self, rows: &[(Uuid, &str, Uuid, i64, &Told, Option<Uuid>)]) -> Result<(), StoreError> {
        let detail = |r: &(Uuid, &str, Uuid, i64, &Told, Option<Uuid>)| {
            r.4.detail.as_deref().and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok())
        };
        sqlx::query(
            "INSERT INTO outbox (tenant, id, mirror, ticket_id, sequence, change, message_id, other_ticket, detail, after_id, decided_at, due_at)
             SELECT $1, t.*, $11, $11 FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::bigint[], $6::text[], $7::uuid[], $8::uuid[],
                $9::jsonb[], $10::uuid[]) AS t
             WHERE NOT $12 OR (SELECT pg_notify('lanka_deliver', '') IS NOT NULL)",
        )
        .bind(self.tenant)
        .bind(column(rows, |r| r.0))
        .bind(column(rows, |r| r.1))
        .bind(column(rows, |r| r.2))
        .bind(column(rows, |r| r.3))
        .bind(column(rows, |r| r.4.change.as_str()))
        .bind(column(rows, |r| r.4.message.map(|id| id.0)))
        .bind(column(rows, |r| r.4.other.map(|id| id.0)))
        .bind(column(rows, detail))
        .bind(column(rows, |r| r.5))
        .bind(sql_time(self.now))
        .bind(self.has_peers)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }
}

const INSERT_TICKETS: &str = "
    INSERT INTO ticket (tenant, id, state, title, kind, priority, opened_at, last_at, closed_at, follow_up_of, opened_by, merged_into)
    SELECT $1, id, state, title, coalesce(string_to_array(nullif(kind, ''), ','), '{}'), priority, opened_at, last_at, closed_at,
        follow_up_of, opened_by, merged_into
    FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::timestamptz[],
        $10::uuid[], $11::uuid[], $12::uuid[]) AS t(id, state, title, kind, priority, opened_at, last_at, closed_at, follow_up_of, opened_by, merged_into)";

const UPDATE_TICKETS: &str = "
    UPDATE ticket k SET state = t.state, title = t.title, kind = coalesce(string_to_array(nullif(t.kind, ''), ','), '{}'),
        priority = t.priority, opened_at = t.opened_at, last_at = t.last_at, closed_at = t.closed_at
    FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::timestamptz[],
        $10::uuid[], $11::uuid[], $12::uuid[])
        AS t(id, state, title, kind, priority, opened_at, last_at, closed_at, follow_up_of, opened_by, merged_into)
    WHERE k.tenant = $1 AND k.id = t.id";

const INSERT_MESSAGES: &str = "
    INSERT INTO message (tenant, id, raw_event, item, channel, kind, namespace, source_key, direction, identity_id, ticket_id,
        sender_name, occurred_at, trusted_at, received_at, subject, text, own_text, call, assurance, auto, marks, matter_kind,
        priority, numbers)
    SELECT $1, id, raw_event, item, channel, kind, namespace, source_key, direction, identity_id, ticket_id, sender_name,
        occurred_at, trusted_at, received_at, subject, text, own_text, call, assurance, auto,
        coalesce(string_to_array(nullif(marks, ''), ','), '{}'), coalesce(string_to_array(nullif(matter_kind, ''), ','), '{}'),
        priority, coalesce(string_to_array(nullif(numbers, ''), E'\\n'), '{}')
    FROM unnest($2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::uuid[],
        $11::uuid[], $12::text[], $13::timestamptz[], $14::timestamptz[], $15::timestamptz[], $16::text[], $17::text[],
        $18::text[], $19::jsonb[], $20::smallint[], $21::text[], $22::text[], $23::text[], $24::text[], $25::text[])
        AS t(id, raw_event, item, channel, kind, namespace, source_key, direction, identity_id, ticket_id, sender_name,
            occurred_at, trusted_at, received_at, subject, text, own_text, call, assurance, auto, marks, matter_kind, priority,
            numbers)";

/// Names as one text: arrays of arrays of different lengths do not exist in Postgres.
fn joined_names(known: &crate::pure::domain::contact::KnownIdentity) -> String {
    column(&known.names, |name| name.written()).join("\n")
}

fn marks(d: &Decided) -> String {
    let mut marks: BTreeSet<Mark> = d.message.incoming.marks.iter().copied().collect();
    if d.decision.message_id_reused {
        marks.insert(Mark::MessageIdReused);
    }
    marks.iter().map(json_word).collect::<Vec<_>>().join(",")
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
