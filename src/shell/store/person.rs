//! All that is held about one person: looked up to be handed over, or erased.
//!
//! Erasing is in two steps. The first is one transaction, beside which nothing is decided: tombstones are written, and
//! rows lose what they say of him. What is left to do then, in deliveries that may hold others too, stands in `erasing`,
//! and is done one delivery after another. Whatever is cut off goes on where it was.
//!
//! What stays has no word of his: the rows of his messages, empty and marked, so that threads keep their order; the ids
//! that were given out; tombstones and keys of messages, which are keyed hashes; the journal's row that he was erased.
//! What others said stays theirs.
//!
//! **Invariant:** messages on his tickets stay where they are: they are pinned, since what placed them there is gone.

use super::commit::queue;
use super::facts::time;
use super::raw_event::{self, LoadedRaw};
use super::{Store, StoreError, media, retention, sql_time};
use crate::pure::decide::lookup::Keyer;
use crate::pure::decide::pins::{self, Lying, Put};
use crate::pure::domain::Timestamp;
use crate::pure::domain::decision::Told;
use crate::pure::domain::facts::LookupKey;
use crate::pure::domain::id::*;
use crate::pure::domain::identity::Identity;
use crate::pure::domain::message::RawEvent;
use crate::pure::domain::outbox::Change;
use crate::shell::content::ContentHash;
use crate::shell::store::hands::Saying;
use bytes::Bytes;
use serde_json::Value;
use sqlx::{PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Shorter texts are in too many deliveries by chance.
const TERM_BYTES_MIN: usize = 5;

/// Why a file is not here any more.
const ERASED: &str = "erased";

/// All of a delivery.
pub const WHOLE: i32 = -1;

/// A person with the ids of what is his.
#[derive(Debug, Clone)]
pub struct Person {
    /// The contact.
    pub id: ContactId,
    /// The firm.
    pub tenant: String,
    /// Since when he is erased.
    pub erased_at: Option<Timestamp>,
    /// He, and who turned out to be he.
    contacts: Vec<Uuid>,
    identities: Vec<Uuid>,
    messages: Vec<Uuid>,
    /// A platform's notices about him, by the ids of their decisions.
    notices: Vec<Uuid>,
    tickets: Vec<Uuid>,
    /// These, and what was merged into them.
    lanes: Vec<Uuid>,
    /// His addresses.
    addresses: Vec<Identity>,
    /// His addresses and the vendors' ids of what he said, by which deliveries that are his are found.
    terms: Vec<String>,
}

impl Person {
    /// How many messages are his.
    pub fn messages(&self) -> usize {
        self.messages.len()
    }

    /// Whether an address is his.
    pub fn has(&self, address: &Identity) -> bool {
        self.addresses.contains(address)
    }

    /// Whether bytes hold an address of his, or the id of something that he said.
    pub fn is_named_in(&self, bytes: &[u8]) -> bool {
        self.terms.iter().any(|term| bytes.windows(term.len()).any(|window| window == term.as_bytes()))
    }
}

/// What is held, part by part: a name, and rows as they are in the database. `$1` is what the part hangs on.
type Part = (&'static str, Hang, &'static str);

/// What a part hangs on.
#[derive(Clone, Copy)]
enum Hang {
    Contacts,
    Identities,
    Messages,
    Tickets,
}

/// Everything but the deliveries. Of a ticket only what is not others'.
const HELD: &[Part] = &[
    ("contact", Hang::Contacts, "SELECT to_jsonb(t) FROM contact t WHERE id = ANY($1) ORDER BY id"),
    ("identity", Hang::Identities, "SELECT to_jsonb(t) FROM identity t WHERE id = ANY($1) ORDER BY first_at, id"),
    ("fact", Hang::Identities, "SELECT to_jsonb(t) FROM fact t WHERE identity_id = ANY($1) ORDER BY at, id"),
    (
        "edge",
        Hang::Identities,
        "SELECT to_jsonb(t) FROM edge t WHERE identity_a = ANY($1) OR identity_b = ANY($1) ORDER BY at, id",
    ),
    (
        "contact_link",
        Hang::Contacts,
        "SELECT to_jsonb(t) FROM contact_link t WHERE keep = ANY($1) OR other = ANY($1) ORDER BY at, id",
    ),
    ("alias", Hang::Contacts, "SELECT to_jsonb(t) FROM alias t WHERE now = ANY($1) ORDER BY id"),
    ("ticket", Hang::Tickets, "SELECT to_jsonb(t) - 'owner' FROM ticket t WHERE id = ANY($1) ORDER BY number"),
    (
        "ticket_participant",
        Hang::Contacts,
        "SELECT to_jsonb(t) FROM ticket_participant t WHERE contact_id = ANY($1) ORDER BY since",
    ),
    (
        "message",
        Hang::Messages,
        "SELECT to_jsonb(t) - 'outline' FROM message t WHERE id = ANY($1) ORDER BY occurred_at, id",
    ),
    (
        "attachment",
        Hang::Messages,
        "SELECT to_jsonb(t) FROM attachment t WHERE message_id = ANY($1) ORDER BY message_id, ordinal",
    ),
    (
        "decision",
        Hang::Messages,
        "SELECT to_jsonb(t) FROM decision t WHERE message_id = ANY($1) ORDER BY at, message_id",
    ),
    (
        "notice",
        Hang::Messages,
        "SELECT to_jsonb(t) FROM notice t WHERE message_id = ANY($1) ORDER BY at, message_id, kind",
    ),
    ("suggestion", Hang::Messages, "SELECT to_jsonb(t) FROM suggestion t WHERE message_id = ANY($1) ORDER BY at, id"),
    (
        "ready_offer",
        Hang::Messages,
        "SELECT to_jsonb(t) FROM ready_offer t WHERE message_id = ANY($1) ORDER BY at, answer_id",
    ),
    (
        "ready_answer_use",
        Hang::Messages,
        "SELECT to_jsonb(t) FROM ready_answer_use t WHERE message_id = ANY($1) ORDER BY at, answer_id",
    ),
    (
        "delivered_item",
        Hang::Messages,
        "SELECT to_jsonb(t) FROM raw_item t WHERE message_id = ANY($1) ORDER BY raw_event, item",
    ),
];

/// What happened to his messages, and what tools were told of them; not which agents had his tickets. `$1`: his tickets, `$2`: his messages.
const HELD_ON_TICKETS: &[(&str, &str)] = &[
    (
        "ticket_event",
        "SELECT to_jsonb(t) FROM ticket_event t WHERE (ticket_id = ANY($1) OR ticket_id IS NULL) AND message_id = ANY($2)
            AND kind <> 'assign' ORDER BY at, id",
    ),
    (
        "outbox",
        "SELECT to_jsonb(t) - 'replies' FROM outbox t WHERE ticket_id = ANY($1) AND message_id = ANY($2) ORDER BY decided_at, id",
    ),
];

/// What hangs on his messages ($1) goes.
const OF_MESSAGES: &[&str] = &[
    "DELETE FROM fact WHERE message_id = ANY($1)",
    "DELETE FROM suggestion WHERE message_id = ANY($1) OR by_message = ANY($1)",
    "DELETE FROM ticket_reference WHERE message_id = ANY($1) AND kind NOT IN ('message', 'group')",
    "DELETE FROM sender_check WHERE message_id = ANY($1)",
    "DELETE FROM heard WHERE message_id = ANY($1)",
    "DELETE FROM answer WHERE message_id = ANY($1) OR answers = ANY($1)",
    "DELETE FROM ready_look WHERE message_id = ANY($1)",
    "DELETE FROM ready_offer WHERE message_id = ANY($1)",
    "DELETE FROM ready_answer_use WHERE message_id = ANY($1)",
    "UPDATE decision SET reasons = '[]' WHERE message_id = ANY($1)",
    "UPDATE raw_item SET source_key = '', redacted_at = now() WHERE message_id = ANY($1)",
    "UPDATE ticket k SET title = '' WHERE title <> '' AND (opened_by = ANY($1) OR EXISTS (SELECT 1 FROM message m
        WHERE m.id = ANY($1) AND m.ticket_id = k.id AND position(k.title IN concat_ws(' ', m.subject, m.text)) > 0))",
    "UPDATE message SET identity_id = NULL, source_key = '', sender_name = NULL, subject = NULL, text = '', own_text = NULL, call = NULL,
        marks = ARRAY['erased'], numbers = '{}', names = '{}', forwarded_from = NULL, outline = '{}', progress_why = NULL, edited_at = NULL, answer_path = NULL,
        redacted_at = now() WHERE id = ANY($1)",
];

/// What hangs on his addresses ($1) goes, and they go.
const OF_IDENTITIES: &[&str] = &[
    "DELETE FROM edge e USING former_identity f WHERE f.now = ANY($1) AND (e.identity_a = f.id OR e.identity_b = f.id)",
    "DELETE FROM edge WHERE identity_a = ANY($1) OR identity_b = ANY($1)",
    "DELETE FROM fact WHERE identity_id = ANY($1)",
    "DELETE FROM profile WHERE identity_id = ANY($1)",
    "DELETE FROM former_identity WHERE now = ANY($1)",
    "DELETE FROM identity WHERE id = ANY($1)",
];

/// What hangs on him ($1) goes. His row and his ids stay: they lead to nobody.
const OF_CONTACTS: &[&str] = &[
    "DELETE FROM suggestion WHERE target = ANY($1)",
    "DELETE FROM ticket_participant WHERE contact_id = ANY($1)",
    "DELETE FROM contact_link WHERE keep = ANY($1) OR other = ANY($1)",
    "DELETE FROM link WHERE object_kind = 'contact' AND object = ANY($1)",
    "DELETE FROM reconsider WHERE contact_id = ANY($1)",
    "UPDATE notice SET contact_id = NULL WHERE contact_id = ANY($1)",
    "DELETE FROM heard WHERE contact_id = ANY($1)",
    "DELETE FROM again WHERE contact_id = ANY($1)",
    "UPDATE letter l SET state = 'dead', body = NULL, settled_at = now(), why = 'somebody was erased; lanka letter send writes it anew'
        FROM contact c WHERE c.id = ANY($1) AND l.tenant = c.tenant AND l.state = 'pending'",
    "UPDATE contact SET name = NULL, erased_at = now() WHERE id = ANY($1)",
];

/// What is told of his messages ($2) on his tickets ($1) loses its words; which agent has a ticket is none of his.
const ON_TICKETS: &[&str] = &[
    "UPDATE ticket_event SET data = jsonb_strip_nulls(jsonb_build_object('occurred_at', data->'occurred_at', 'follow_up_of', data->'follow_up_of',
        'into', data->'into', 'to', data->'to'))
     WHERE (ticket_id = ANY($1) OR ticket_id IS NULL) AND message_id = ANY($2) AND kind <> 'assign'",
    "UPDATE ticket_event e SET data = jsonb_set(e.data, '{why}', '\"\"') FROM (
        SELECT DISTINCT coalesce(data->>'act', id::text) AS act FROM ticket_event
        WHERE ticket_id = ANY($1) AND kind IN ('merge', 'split', 'move') AND $2::uuid[] IS NOT NULL
     ) a WHERE e.kind IN ('merge', 'split', 'move') AND (e.id::text = a.act OR e.data->>'act' = a.act)",
    "UPDATE outbox SET detail = NULL WHERE ticket_id = ANY($1) AND message_id = ANY($2) AND state IN ('pending', 'claimed')
        AND change IN ('suggestion.made', 'answers.offered')",
];

impl Store {
    /// The person of a contact's id, of one that was merged away, or of an identity's; also one who is erased.
    pub async fn person(&self, tenant: Option<&str>, text: &str) -> Result<Option<Person>, StoreError> {
        let Ok(id) = text.parse::<Uuid>() else { return Ok(None) };
        let mut connection = self.pool.acquire().await?;
        let row: Option<(Uuid, String, Option<jiff_sqlx::Timestamp>)> = sqlx::query_as(
            "SELECT c.id, c.tenant, c.erased_at FROM contact c WHERE ($2::text IS NULL OR c.tenant = $2)
                AND c.id = coalesce((SELECT now FROM alias WHERE id = $1 AND object = 'contact'),
                    (SELECT contact_id FROM identity WHERE id = $1), $1)",
        )
        .bind(id)
        .bind(tenant)
        .fetch_optional(&mut *connection)
        .await?;
        let Some((id, tenant, erased_at)) = row else { return Ok(None) };
        let person = Person::load(&mut connection, ContactId(id), tenant, erased_at.map(|at| at.to_jiff())).await?;
        Ok(Some(person))
    }

    /// What is held about somebody but his deliveries, row by row.
    pub async fn held<E: From<StoreError>>(
        &self,
        person: &Person,
        mut each: impl FnMut(&'static str, Value) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut connection = self.pool.acquire().await.map_err(StoreError::from)?;
        for (name, hang, sql) in HELD {
            let ids = match hang {
                Hang::Contacts => &person.contacts,
                Hang::Identities => &person.identities,
                Hang::Messages => &person.messages,
                Hang::Tickets => &person.tickets,
            };
            let rows: Vec<Value> =
                sqlx::query_scalar(*sql).bind(ids).fetch_all(&mut *connection).await.map_err(StoreError::from)?;
            rows.into_iter().try_for_each(|row| each(name, row))?;
        }
        for (name, sql) in HELD_ON_TICKETS {
            let rows: Vec<Value> = sqlx::query_scalar(*sql)
                .bind(&person.lanes)
                .bind(&person.messages)
                .fetch_all(&mut *connection)
                .await
                .map_err(StoreError::from)?;
            rows.into_iter().try_for_each(|row| each(name, row))?;
        }
        Ok(())
    }

    /// His items in deliveries, by delivery, as far as these are stored.
    pub async fn items_of(&self, person: &Person) -> Result<BTreeMap<Uuid, BTreeSet<i32>>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        items_of(&mut connection, person).await
    }

    /// Some deliveries with their bytes.
    pub async fn deliveries(&self, ids: &[Uuid]) -> Result<Vec<LoadedRaw>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        raw_event::load(self, &mut connection, ids).await
    }

    /// The files of his messages: their content, and the name of each.
    pub async fn files_of(&self, person: &Person) -> Result<Vec<(ContentHash, Option<String>)>, StoreError> {
        let rows: Vec<(Vec<u8>, Option<String>)> = sqlx::query_as(
            "SELECT DISTINCT ON (content_hash) content_hash, name FROM attachment WHERE message_id = ANY($1) AND content_hash IS NOT NULL
             ORDER BY content_hash, message_id, ordinal",
        )
        .bind(&person.messages)
        .fetch_all(&self.pool)
        .await?;
        let file = |(hash, name): (Vec<u8>, Option<String>)| Some((ContentHash::try_from(hash.as_slice()).ok()?, name));
        Ok(rows.into_iter().filter_map(file).collect())
    }

    /// Deliveries that name him and may hold of him what is on no message: what lies in quarantine, and what was about
    /// nothing that is stored. Each with whether it lies there. This reads all that is of such a kind, outside of any
    /// transaction: nobody waits for it.
    pub async fn suspects(&self, person: &Person) -> Result<Vec<(Uuid, bool)>, StoreError> {
        let rows: Vec<(Uuid, bool, Option<bool>)> = sqlx::query_as(
            "WITH wanted AS (
                SELECT raw_event, true AS quarantined FROM quarantine WHERE tenant = $1 AND raw_event IS NOT NULL
                UNION ALL SELECT raw_event, false FROM raw_item WHERE message_id IS NULL AND redacted_at IS NULL
             )
             SELECT w.raw_event, bool_or(w.quarantined), bool_or(EXISTS (
                SELECT 1 FROM unnest(CASE WHEN w.quarantined THEN $3::text[] ELSE $2::text[] END) AS term
                WHERE position(convert_to(term, 'UTF8') IN coalesce(r.body, f.body)) > 0))
             FROM wanted w JOIN raw_event r ON r.id = w.raw_event
             LEFT JOIN LATERAL (SELECT body FROM raw_event WHERE id = r.same_as LIMIT 1) f ON true
             WHERE r.tenant = $1 GROUP BY w.raw_event ORDER BY 1",
        )
        .bind(&person.tenant)
        .bind(person.addresses.iter().map(|address| address.value.as_str()).collect::<Vec<_>>())
        .bind(&person.terms)
        .fetch_all(&self.pool)
        .await?;
        // Of those in the content store only the bytes themselves tell.
        let is_suspect = |row: &(Uuid, bool, Option<bool>)| row.2 != Some(false);
        Ok(rows.into_iter().filter(is_suspect).map(|(raw, quarantined, _)| (raw, quarantined)).collect())
    }

    /// The first step of erasing somebody: all but what is to be taken out of deliveries. `loose` are items of his that are
    /// on no message, or [`WHOLE`] for all of a delivery. Mirrors are told.
    pub async fn erase(
        &self,
        person: &Person,
        loose: &[(Uuid, i32)],
        saying: Saying<'_>,
        (keyer, mirrors): (&Keyer, &[String]),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // What tools answered long ago: no claim is on it, and to look for it takes long.
        sqlx::query("UPDATE outbox SET replies = '[]', detail = NULL WHERE message_id = ANY($1) AND state IN ('delivered', 'dead')")
            .bind(&person.messages)
            .execute(&self.pool)
            .await?;
        let mut tx = self.begin_act(now).await?;
        // As it stands now that nothing is decided beside us.
        let person = Person::load(&mut tx, person.id, person.tenant.clone(), person.erased_at).await?;
        let items = items_of(&mut tx, &person).await?;
        let items = items.into_iter().flat_map(|(raw, items)| items.into_iter().map(move |item| (raw, item)));
        let erasing: Vec<(Uuid, i32)> = items.chain(loose.iter().copied()).collect();
        sqlx::query(
            "INSERT INTO erasing (raw_event, item, contact_id) SELECT t.*, $3 FROM unnest($1::uuid[], $2::int[]) AS t ON CONFLICT DO NOTHING",
        )
        .bind(erasing.iter().map(|(raw, _)| *raw).collect::<Vec<_>>())
        .bind(erasing.iter().map(|(_, item)| *item).collect::<Vec<_>>())
        .bind(person.id.0)
        .execute(&mut *tx)
        .await?;
        forget_early(&mut tx, loose, &person.terms).await?;
        let keys = message_keys(&mut tx, &person, keyer).await?;
        bury(&mut tx, &keys, now).await?;
        let event: EventId = self.next_id(now);
        self.hold(&mut tx, &person, event).await?;
        let unnamed = media::take_back(&mut tx, &person.messages, ERASED).await?;
        for sql in ON_TICKETS {
            sqlx::query(*sql).bind(&person.lanes).bind(&person.messages).execute(&mut *tx).await?;
        }
        let all: Vec<Uuid> = person.messages.iter().chain(&person.notices).copied().collect();
        for (statements, ids) in
            [(OF_MESSAGES, &all), (OF_IDENTITIES, &person.identities), (OF_CONTACTS, &person.contacts)]
        {
            for sql in statements {
                sqlx::query(*sql).bind(ids).execute(&mut *tx).await?;
            }
        }
        self.note_erased(&mut tx, &person, event, saying, now).await?;
        let told = [told(&mut tx, &person).await?, left(&mut tx, &person).await?].concat();
        queue(&mut tx, &person.tenant, &told, mirrors, (now, self.has_peers()), &mut self.mint()).await?;
        retention::unname(&mut tx, &unnamed).await?;
        tx.commit().await?;
        self.forget_contents(unnamed).await;
        self.deliver_wake.notify_one();
        Ok(())
    }
}

/// A delivery of which something is to be taken out.
#[derive(Debug, Clone)]
pub struct TakenOut {
    /// What is left of its bytes, if anything was in them still.
    pub body: Option<Bytes>,
    /// Keys of what was taken out: it is not taken in again.
    pub keys: Vec<LookupKey>,
}

/// How a delivery stands after the second step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Nothing of him is in it.
    Nothing,
    /// Others are in it, and it could not be read: a person must look at it.
    Unread,
    /// Its channel cannot read it at this moment.
    Unreadable,
}

impl Store {
    /// Deliveries of which something of an erased person is still to be taken out.
    pub async fn erasing(&self, contact: ContactId) -> Result<Vec<Uuid>, StoreError> {
        let sql = "SELECT DISTINCT raw_event FROM erasing WHERE contact_id = $1 ORDER BY 1";
        Ok(sqlx::query_scalar(sql).bind(contact.0).fetch_all(&self.pool).await?)
    }

    /// Everybody of whom something is still to be taken out, with his firm.
    pub async fn erasing_people(&self) -> Result<Vec<(ContactId, String)>, StoreError> {
        let sql = "SELECT id, tenant FROM contact WHERE id IN (SELECT contact_id FROM erasing) ORDER BY id";
        let rows: Vec<(Uuid, String)> = sqlx::query_as(sql).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|(id, tenant)| (ContactId(id), tenant)).collect())
    }

    /// The second step: takes out of one delivery what is to be taken out. `take_out` gets the delivery and the items;
    /// `None` from it means that nobody can read the delivery.
    pub async fn take_out(
        &self,
        raw: Uuid,
        take_out: impl Fn(&RawEvent, &[u32]) -> Option<TakenOut>,
        now: Timestamp,
    ) -> Result<Left, StoreError> {
        let mut tx = self.begin().await?;
        // Another process may be at it; then it waits here, and finds it done.
        let items: Vec<i32> =
            sqlx::query_scalar("SELECT item FROM erasing WHERE raw_event = $1 ORDER BY item FOR UPDATE")
                .bind(raw)
                .fetch_all(&mut *tx)
                .await?;
        let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM raw_event WHERE id = $1)")
            .bind(raw)
            .fetch_one(&mut *tx)
            .await?;
        let mut left = Left::Nothing;
        let mut unnamed = None;
        if known {
            let others: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM raw_item WHERE raw_event = $1 AND redacted_at IS NULL)",
            )
            .bind(raw)
            .fetch_one(&mut *tx)
            .await?;
            let named: Vec<u32> = items.iter().filter_map(|item| u32::try_from(*item).ok()).collect();
            let mut keys = Vec::new();
            let is_whole = items.contains(&WHOLE);
            unnamed = raw_event::replace_body(self, &mut tx, raw, |event| match take_out(event, &named) {
                _ if is_whole && !others => Some(Bytes::new()),
                Some(taken) => {
                    keys = taken.keys;
                    taken.body
                }
                // Nobody else is in it.
                None if !others => Some(Bytes::new()),
                None => {
                    left = Left::Unreadable;
                    None
                }
            })
            .await?;
            if is_whole && others && left == Left::Nothing {
                left = Left::Unread;
            }
            bury(&mut tx, &keys, now).await?;
        }
        if left == Left::Unreadable {
            tx.rollback().await?;
            return Ok(left);
        }
        if items.contains(&WHOLE) && left == Left::Nothing {
            sqlx::query(
                "UPDATE quarantine SET state = 'dropped', state_at = $2 WHERE raw_event = $1 AND state = 'waiting'",
            )
            .bind(raw)
            .bind(sql_time(now))
            .execute(&mut *tx)
            .await?;
        }
        let unnamed: Vec<ContentHash> = unnamed.into_iter().collect();
        retention::unname(&mut tx, &unnamed).await?;
        sqlx::query("DELETE FROM erasing WHERE raw_event = $1").bind(raw).execute(&mut *tx).await?;
        tx.commit().await?;
        self.forget_contents(unnamed).await;
        Ok(left)
    }

    /// Holds what is on his tickets where it is.
    async fn hold(&self, connection: &mut PgConnection, person: &Person, by: EventId) -> Result<(), StoreError> {
        let rows = sqlx::query("SELECT id, occurred_at, ticket_id FROM message WHERE ticket_id = ANY($1)")
            .bind(&person.tickets)
            .fetch_all(&mut *connection)
            .await?;
        let mut lying = Vec::with_capacity(rows.len());
        for row in &rows {
            let ticket = row.try_get::<Option<Uuid>, _>("ticket_id")?.map(TicketId);
            lying.push(Lying { id: MessageId(row.try_get("id")?), at: time(row, "occurred_at")?, ticket, pin: None });
        }
        let openers: Vec<(Uuid, Uuid)> = sqlx::query_as("SELECT id, opened_by FROM ticket WHERE id = ANY($1)")
            .bind(&person.tickets)
            .fetch_all(&mut *connection)
            .await?;
        let openers = openers.into_iter().map(|(ticket, by)| (TicketId(ticket), MessageId(by))).collect();
        let pinned = pins::pin(&lying, &openers, &BTreeSet::new(), Put::Apart, by);
        self.write_pins(connection, &pinned, &person.tickets).await
    }

    /// The journals' rows.
    async fn note_erased(
        &self,
        connection: &mut PgConnection,
        person: &Person,
        event: EventId,
        saying: Saying<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.note_of_contact(connection, (event, &person.tenant, "erase", person.id), saying, now).await?;
        let events: Vec<Uuid> = person.tickets.iter().map(|_| self.next_id::<EventId>(now).0).collect();
        sqlx::query(
            "INSERT INTO ticket_event (tenant, id, ticket_id, kind, by, data, at)
             SELECT $1, t.id, t.ticket, 'erased', $2, jsonb_build_object('contact', $3::uuid), $4 FROM unnest($5::uuid[], $6::uuid[]) AS t(id, ticket)",
        )
        .bind(&person.tenant)
        .bind(saying.by)
        .bind(person.id.0)
        .bind(sql_time(now))
        .bind(events)
        .bind(&person.tickets)
        .execute(connection)
        .await?;
        Ok(())
    }
}

impl Person {
    /// Looks up what is his.
    async fn load(
        connection: &mut PgConnection,
        id: ContactId,
        tenant: String,
        erased_at: Option<Timestamp>,
    ) -> Result<Self, StoreError> {
        // A contact has the id of an identity; that of each was one.
        let contacts = sqlx::query_scalar(
            "SELECT $1 UNION SELECT id FROM contact WHERE merged_into = $1
             UNION SELECT id FROM alias WHERE now = $1 AND object = 'contact' UNION SELECT id FROM identity_now WHERE contact_id = $1",
        )
        .bind(id.0)
        .fetch_all(&mut *connection)
        .await?;
        let rows: Vec<(Uuid, String, String, String)> =
            sqlx::query_as("SELECT id, scheme, scope, value FROM identity WHERE contact_id = $1 ORDER BY first_at, id")
                .bind(id.0)
                .fetch_all(&mut *connection)
                .await?;
        let identities: Vec<Uuid> = rows.iter().map(|row| row.0).collect();
        let addresses: Vec<Identity> =
            rows.into_iter().map(|(_, scheme, scope, value)| Identity { scheme, scope, value }).collect();
        let mut terms: Vec<String> = addresses.iter().map(|address| address.value.clone()).collect();
        let rows: Vec<(Uuid, String, Option<Uuid>)> =
            sqlx::query_as("SELECT id, source_key, ticket_id FROM message WHERE identity_id = ANY($1) ORDER BY id")
                .bind(&identities)
                .fetch_all(&mut *connection)
                .await?;
        let tickets: Vec<Uuid> = sqlx::query_scalar("SELECT ticket_id FROM ticket_participant WHERE contact_id = $1")
            .bind(id.0)
            .fetch_all(&mut *connection)
            .await?;
        let tickets: BTreeSet<Uuid> = tickets.into_iter().chain(rows.iter().filter_map(|row| row.2)).collect();
        let messages: Vec<Uuid> = rows.iter().map(|row| row.0).collect();
        terms.extend(rows.into_iter().map(|row| row.1));
        terms.retain(|term| term.len() >= TERM_BYTES_MIN);
        let notices = sqlx::query_scalar(
            "SELECT DISTINCT f.message_id FROM fact f WHERE f.identity_id = ANY($1) AND f.message_id <> ALL($2)
                AND NOT EXISTS (SELECT 1 FROM message m WHERE m.id = f.message_id)",
        )
        .bind(&identities)
        .bind(&messages)
        .fetch_all(&mut *connection)
        .await?;
        let tickets: Vec<Uuid> = tickets.into_iter().collect();
        let lanes = sqlx::query_scalar(
            "SELECT unnest($1) UNION SELECT id FROM alias WHERE now = ANY($1) AND object = 'ticket'",
        )
        .bind(&tickets)
        .fetch_all(connection)
        .await?;
        Ok(Self { id, tenant, erased_at, contacts, identities, messages, notices, tickets, lanes, addresses, terms })
    }
}

/// What was told of something that never came: updates of his that wait for their message, and what names him.
async fn forget_early(
    connection: &mut PgConnection,
    loose: &[(Uuid, i32)],
    terms: &[String],
) -> Result<(), StoreError> {
    sqlx::query(
        "WITH t AS (SELECT * FROM unnest($1::uuid[], $2::int[]) AS t(raw_event, item)
         ), early AS (
            DELETE FROM early_update e USING t WHERE e.raw_event = t.raw_event AND e.item = t.item RETURNING e.event_id
         ), acts AS (
            DELETE FROM early_act e USING t WHERE e.raw_event = t.raw_event AND e.item = t.item
         ), items AS (
            UPDATE raw_item i SET source_key = '', redacted_at = now() FROM t WHERE i.raw_event = t.raw_event AND i.item = t.item
         )
         UPDATE ticket_event v SET data = '{}' WHERE v.id IN (SELECT event_id FROM early)
            OR (v.ticket_id IS NULL AND EXISTS (SELECT 1 FROM unnest($3::text[]) AS term WHERE position(term IN v.data::text) > 0))",
    )
    .bind(loose.iter().map(|(raw, _)| *raw).collect::<Vec<_>>())
    .bind(loose.iter().map(|(_, item)| *item).collect::<Vec<_>>())
    .bind(terms)
    .execute(connection)
    .await?;
    Ok(())
}

async fn items_of(connection: &mut PgConnection, person: &Person) -> Result<BTreeMap<Uuid, BTreeSet<i32>>, StoreError> {
    let all: Vec<Uuid> = person.messages.iter().chain(&person.notices).copied().collect();
    let rows: Vec<(Uuid, i32)> = sqlx::query_as(
        "SELECT i.raw_event, i.item FROM raw_item i JOIN raw_event r ON r.id = i.raw_event WHERE i.message_id = ANY($1)",
    )
    .bind(all)
    .fetch_all(connection)
    .await?;
    let mut items: BTreeMap<Uuid, BTreeSet<i32>> = BTreeMap::new();
    for (raw, item) in rows {
        items.entry(raw).or_default().insert(item);
    }
    Ok(items)
}

/// The keys by which his messages would be known if they came again.
async fn message_keys(
    connection: &mut PgConnection,
    person: &Person,
    keyer: &Keyer,
) -> Result<Vec<LookupKey>, StoreError> {
    let rows: Vec<(String, String)> = sqlx::query_as("SELECT namespace, source_key FROM message WHERE id = ANY($1)")
        .bind(&person.messages)
        .fetch_all(connection)
        .await?;
    Ok(rows.iter().map(|(namespace, source_key)| keyer.message(namespace, source_key)).collect())
}

/// Writes tombstones.
async fn bury(connection: &mut PgConnection, keys: &[LookupKey], now: Timestamp) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO tombstone (key_hash, erased_at) SELECT DISTINCT key, $2::timestamptz FROM unnest($1::uuid[]) AS key ON CONFLICT DO NOTHING")
        .bind(keys.iter().map(|key| key.0).collect::<Vec<_>>())
        .bind(sql_time(now))
        .execute(connection)
        .await?;
    Ok(())
}

/// What others said on his tickets may be shown under a title of his: mirrors show it anew.
async fn left(connection: &mut PgConnection, person: &Person) -> Result<Vec<Told>, StoreError> {
    let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT id, ticket_id FROM message WHERE ticket_id = ANY($1) AND NOT (id = ANY($2)) ORDER BY occurred_at, id LIMIT {LEFT_MAX}"
    )))
    .bind(&person.tickets)
    .bind(&person.messages)
    .fetch_all(connection)
    .await?;
    let told = |(message, ticket): (Uuid, Uuid)| Told {
        message: Some(MessageId(message)),
        ..Told::of(Change::MessageUpdated, TicketId(ticket))
    };
    Ok(rows.into_iter().map(told).collect())
}

/// Messages of others that are shown anew when somebody is erased.
const LEFT_MAX: usize = 2_000;

/// Mirrors are told in the lane of each of his tickets, and of those joined into them, or that something of his was moved
/// away from, of which a tool keeps a thread of its own; under all ids that he was known by.
async fn told(connection: &mut PgConnection, person: &Person) -> Result<Vec<Told>, StoreError> {
    let kept: Vec<Uuid> = sqlx::query_scalar(
        "SELECT DISTINCT object FROM link WHERE object_kind = 'ticket' AND (object = ANY($1)
                OR object IN (SELECT ticket_id FROM ticket_event WHERE kind = 'moved' AND message_id = ANY($2)))",
    )
    .bind(&person.lanes)
    .bind(&person.messages)
    .fetch_all(connection)
    .await?;
    let tickets: BTreeSet<Uuid> = person.tickets.iter().copied().chain(kept).collect();
    let detail = serde_json::json!({ "contact": person.id, "contacts": person.contacts }).to_string();
    let told = |ticket| Told { detail: Some(detail.clone()), ..Told::of(Change::ContactErased, TicketId(ticket)) };
    Ok(tickets.into_iter().map(told).collect())
}
