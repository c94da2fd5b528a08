//! What many speak of at once: what was heard within the window, what is usual, incidents and the tickets on them.
//!
//! **Invariants:** a constant number of statements a look. A ticket that was merged or moved counts where it is now: what was
//! heard names messages, and tickets on an incident are followed to what they became. What is usual is kept under hashes.

use super::commit::{BY_LANKA, queue};
use super::facts::time;
use super::{Store, StoreError, sql_time};
use crate::pure::domain::Timestamp;
use crate::pure::domain::decision::Told;
use crate::pure::domain::id::{ContactId, EventId, IncidentId, MessageId, TicketId};
use crate::pure::domain::incident::{IncidentSort, OpenIncident, Usual, Utterance};
use crate::pure::domain::outbox::Change;
use crate::pure::domain::ticket::MatterKind;
use crate::shell::store::change::Place;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Buckets of rates. Two terms of one bucket are each taken for more usual than they are.
const BUCKETS: u32 = 1 << 16;
/// The bucket of all contacts.
const ALL: i32 = -1;
/// After so many days a contact counts half for what is usual.
const HALF_LIFE_DAYS: f64 = 30.0;
/// Contacts of a window that are looked at, the latest.
const HEARD_MAX: i64 = 5_000;
/// Changes that one look takes in.
const CHANGES_MAX: i64 = 2_000;
/// Messages from before the first look that what is usual is learnt from.
const SEED_MAX: i64 = 3_000;
/// Incidents in a list, and tickets of one.
const TICKETS_MAX: i64 = 500;

/// A message as the search for incidents wants it.
#[derive(Debug, Clone)]
pub struct Listened {
    /// Its id.
    pub message: MessageId,
    /// Its ticket.
    pub ticket: Option<TicketId>,
    /// Who said it; of nobody known the message stands for him.
    pub contact: ContactId,
    /// His mail addresses, a few.
    pub addresses: Vec<String>,
    /// When it was stored.
    pub at: Timestamp,
    /// The subject, for mail.
    pub subject: Option<String>,
    /// His own words.
    pub text: String,
    /// What kind of matter it brings.
    pub kinds: Vec<MatterKind>,
    /// A greeting, thanks.
    pub is_low: bool,
    /// A monitoring system said it.
    pub is_alert: bool,
}

/// An incident for people and programs.
#[derive(Debug, Clone, Serialize)]
pub struct IncidentShown {
    /// Its id.
    pub id: IncidentId,
    /// The short number.
    pub number: i64,
    /// `open` or `closed`.
    pub state: String,
    /// `customers`, or `organisation` and which.
    pub sort: String,
    /// The organisation, by its domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// What carries it.
    pub terms: Vec<String>,
    /// Different customers at the onset.
    pub count: i32,
    /// How many would be usual.
    pub expected: f64,
    /// When the first of its contacts came.
    pub began_at: Timestamp,
    /// When it was found.
    pub found_at: Timestamp,
    /// When the last contact came.
    pub last_at: Timestamp,
    /// When it was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// By what, or whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
    /// Tickets on it now.
    pub tickets: i64,
}

/// A ticket on an incident.
#[derive(Debug, Clone, Serialize)]
pub struct IncidentTicket {
    /// Its id.
    pub id: TicketId,
    /// Its short number.
    pub number: i64,
    /// `open` or `closed`.
    pub state: String,
    /// What it is called.
    pub title: String,
    /// An alert's.
    pub is_alert: bool,
    /// `lanka`, or the agent who put it there.
    pub by: String,
    /// Since when.
    pub since: Timestamp,
}

/// What a ticket has to do with others.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Recurring {
    /// Incidents it is on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<IncidentShown>,
    /// How often its customer has come about it, and since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub again: Option<AgainShown>,
}

/// A customer who came back.
#[derive(Debug, Clone, Serialize)]
pub struct AgainShown {
    /// How often.
    pub times: i32,
    /// Since when.
    pub since: Timestamp,
    /// Numbers of his other tickets on it.
    pub tickets: Vec<i64>,
}

impl Recurring {
    /// Whether there is nothing.
    pub fn is_none(&self) -> bool {
        self.incidents.is_empty() && self.again.is_none()
    }
}

/// A new incident.
#[derive(Debug, Clone)]
pub struct NewIncident<'a> {
    /// Its id.
    pub id: IncidentId,
    /// Whom it is of.
    pub sort: &'a IncidentSort,
    /// What carries it.
    pub terms: &'a [String],
    /// Different customers.
    pub count: usize,
    /// How many would be usual.
    pub expected: f64,
    /// When the first of its contacts came.
    pub began_at: Timestamp,
    /// When the last did.
    pub last_at: Timestamp,
}

fn bucket(term: &str) -> i32 {
    let hash = Sha256::digest(term.as_bytes());
    i32::try_from(u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]) % BUCKETS).unwrap_or_default()
}

fn decayed(count: f64, at: Timestamp, now: Timestamp) -> f64 {
    let days = (now.as_second() - at.as_second()).max(0) as f64 / 86_400.0;
    count * 0.5_f64.powf(days / HALF_LIFE_DAYS)
}

/// A subject under which answers are known to be to one mailing.
pub fn echo_key(subject: &str) -> String {
    hex::encode(&Sha256::digest(subject.as_bytes())[..12])
}

/// Columns of what is listened to, for [`listened`].
const LISTENED: &str = "m.id, m.ticket_id, m.received_at, m.subject, left(coalesce(m.own_text, m.text), 6000) AS words, m.matter_kind, m.priority,
    coalesce(m.auto = 'alert', false) AS is_alert, coalesce(i.contact_id, m.id) AS contact_id,
    ARRAY(SELECT o.value FROM identity o WHERE o.contact_id = i.contact_id AND o.scheme = 'mailto' ORDER BY o.id LIMIT 4) AS addresses
    FROM message m LEFT JOIN identity i ON i.id = m.identity_id";
/// What people say, and alerts.
const SAID: &str = "m.direction = 'from_customer' AND coalesce(m.auto, 'alert') = 'alert' AND m.redacted_at IS NULL AND NOT 'contradicted' = ANY(m.marks)";

fn listened(row: &PgRow) -> Result<Listened, StoreError> {
    let kinds: Vec<String> = row.try_get("matter_kind")?;
    Ok(Listened {
        message: MessageId(row.try_get("id")?),
        ticket: row.try_get::<Option<Uuid>, _>("ticket_id")?.map(TicketId),
        contact: ContactId(row.try_get("contact_id")?),
        addresses: row.try_get("addresses")?,
        at: time(row, "received_at")?,
        subject: row.try_get("subject")?,
        text: row.try_get("words")?,
        kinds: kinds.iter().filter_map(|kind| MatterKind::parse(kind)).collect(),
        is_low: row.try_get::<String, _>("priority")? == "low",
        is_alert: row.try_get("is_alert")?,
    })
}

impl Store {
    /// What was said since the last look, and the place up to which that is all; `None` at the first look.
    pub async fn listen(
        &self,
        connection: &mut PgConnection,
        tenant: &str,
        from: Timestamp,
    ) -> Result<(Vec<Listened>, Place, bool), StoreError> {
        let place: Option<String> = sqlx::query_scalar("SELECT place FROM heard_until WHERE tenant = $1")
            .bind(tenant)
            .fetch_optional(&mut *connection)
            .await?;
        let known: Option<Place> = place.as_deref().and_then(|text| text.parse().ok());
        let known = match known {
            Some(place) if self.is_known_place(place).await? => Some(place),
            _ => None,
        };
        let Some(known) = known else { return Ok((Vec::new(), self.latest_place().await?, place.is_none())) };
        let (changes, reached) = self.changes_after(tenant, known, CHANGES_MAX).await?;
        let came = changes.iter().filter(|change| change.what == "message.added").filter_map(|change| change.message);
        let came: BTreeSet<Uuid> = came.collect();
        if came.is_empty() {
            return Ok((Vec::new(), reached, false));
        }
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {LISTENED} WHERE m.id = ANY($1) AND m.received_at > $2 AND {SAID}"
        )))
        .bind(came.into_iter().collect::<Vec<_>>())
        .bind(sql_time(from))
        .fetch_all(connection)
        .await?;
        Ok((rows.iter().map(listened).collect::<Result<_, _>>()?, reached, false))
    }

    /// What was said last before an instant, for what is usual.
    pub async fn said_before(
        &self,
        connection: &mut PgConnection,
        tenant: &str,
        before: Timestamp,
    ) -> Result<Vec<Listened>, StoreError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {LISTENED} WHERE m.id < lanka_uuid_floor($1) AND m.tenant = $2 AND m.auto IS NULL AND m.priority <> 'low' AND {SAID}
             ORDER BY m.id DESC LIMIT {SEED_MAX}"
        )))
        .bind(sql_time(before))
        .bind(tenant)
        .fetch_all(connection)
        .await?;
        rows.iter().map(listened).collect()
    }
}

/// The right to look at a firm, until the transaction ends; no other daemon has it then.
pub async fn turn(connection: &mut PgConnection, tenant: &str) -> Result<bool, StoreError> {
    let sql = "SELECT pg_try_advisory_xact_lock(hashtextextended('lanka incidents ' || $1, 0))";
    Ok(sqlx::query_scalar(sql).bind(tenant).fetch_one(connection).await?)
}

/// Keeps the place up to which was listened.
pub async fn listened_until(connection: &mut PgConnection, tenant: &str, place: Place) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO heard_until (tenant, place) VALUES ($1, $2) ON CONFLICT (tenant) DO UPDATE SET place = excluded.place")
        .bind(tenant)
        .bind(place.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// Keeps what was heard.
pub async fn hear(connection: &mut PgConnection, tenant: &str, heard: &[Utterance]) -> Result<(), StoreError> {
    if heard.is_empty() {
        return Ok(());
    }
    let words = |one: &Utterance| one.terms.iter().cloned().collect::<Vec<_>>().join("\n");
    sqlx::query(
        "INSERT INTO heard (tenant, message_id, contact_id, organisation, at, terms, is_trouble, echo, is_alert)
         SELECT $1, id, contact, organisation, at, string_to_array(terms, E'\\n'), is_trouble, echo, is_alert
         FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[], $6::text[], $7::boolean[], $8::text[], $9::boolean[])
            AS t(id, contact, organisation, at, terms, is_trouble, echo, is_alert) ON CONFLICT DO NOTHING",
    )
    .bind(tenant)
    .bind(heard.iter().map(|one| one.message.0).collect::<Vec<_>>())
    .bind(heard.iter().map(|one| one.contact.0).collect::<Vec<_>>())
    .bind(heard.iter().map(|one| one.organisation.clone()).collect::<Vec<_>>())
    .bind(heard.iter().map(|one| sql_time(one.at)).collect::<Vec<_>>())
    .bind(heard.iter().map(words).collect::<Vec<_>>())
    .bind(heard.iter().map(|one| one.is_trouble).collect::<Vec<_>>())
    .bind(heard.iter().map(|one| one.echo.clone()).collect::<Vec<_>>())
    .bind(heard.iter().map(|one| one.is_alert).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// What hangs on what was heard: its ticket as it stands now, and the incident that this is on, or was taken off.
const HEARD: &str = "h.message_id, h.contact_id, h.organisation, h.at, h.terms, h.is_trouble, h.echo, h.is_alert, m.ticket_id,
    coalesce(k.state = 'closed', false) AS is_closed,
    (SELECT t.incident_id FROM incident_ticket t LEFT JOIN alias a ON a.id = t.ticket_id
        WHERE t.ticket_id = m.ticket_id OR (a.now = m.ticket_id AND a.object = 'ticket') ORDER BY t.since DESC LIMIT 1) AS incident_id";

fn heard(row: &PgRow) -> Result<Utterance, StoreError> {
    let is_alert: bool = row.try_get("is_alert")?;
    let is_closed: bool = row.try_get("is_closed")?;
    Ok(Utterance {
        message: MessageId(row.try_get("message_id")?),
        ticket: TicketId(row.try_get("ticket_id")?),
        contact: ContactId(row.try_get("contact_id")?),
        organisation: row.try_get("organisation")?,
        at: time(row, "at")?,
        terms: row.try_get::<Vec<String>, _>("terms")?.into_iter().collect(),
        is_trouble: row.try_get("is_trouble")?,
        echo: row.try_get("echo")?,
        is_alert,
        is_over: is_alert && is_closed,
        incident: row.try_get::<Option<Uuid>, _>("incident_id")?.map(IncidentId),
    })
}

/// What was heard since an instant.
pub async fn heard_since(
    connection: &mut PgConnection,
    tenant: &str,
    from: Timestamp,
) -> Result<Vec<Utterance>, StoreError> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT {HEARD} FROM (SELECT * FROM heard WHERE tenant = $1 AND at > $2 ORDER BY at DESC LIMIT {HEARD_MAX}) h
         JOIN message m ON m.id = h.message_id LEFT JOIN ticket k ON k.id = m.ticket_id WHERE m.ticket_id IS NOT NULL"
    )))
    .bind(tenant)
    .bind(sql_time(from))
    .fetch_all(connection)
    .await?;
    rows.iter().map(heard).collect()
}

/// Takes out what was heard before an instant.
pub async fn heard_no_more(
    connection: &mut PgConnection,
    tenant: &str,
    before: Timestamp,
) -> Result<Vec<Utterance>, StoreError> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "WITH h AS (DELETE FROM heard WHERE ctid = ANY(ARRAY(SELECT ctid FROM heard WHERE tenant = $1 AND at <= $2 LIMIT {HEARD_MAX})) RETURNING *)
         SELECT {HEARD} FROM h JOIN message m ON m.id = h.message_id LEFT JOIN ticket k ON k.id = m.ticket_id WHERE m.ticket_id IS NOT NULL"
    )))
    .bind(tenant)
    .bind(sql_time(before))
    .fetch_all(connection)
    .await?;
    rows.iter().map(heard).collect()
}

/// Counts contacts for what is usual, each with a weight.
pub async fn learn(
    connection: &mut PgConnection,
    tenant: &str,
    said: &[(BTreeSet<String>, f64)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut counts: BTreeMap<i32, f64> = BTreeMap::new();
    for (terms, weight) in said.iter().filter(|(_, weight)| *weight > 0.0) {
        *counts.entry(ALL).or_default() += weight;
        let buckets: BTreeSet<i32> = terms.iter().map(|term| bucket(term)).collect();
        buckets.into_iter().for_each(|bucket| *counts.entry(bucket).or_default() += weight);
    }
    if counts.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO term_rate AS r (tenant, bucket, count, at) SELECT $1, t.bucket, t.count, $4 FROM unnest($2::integer[], $3::double precision[]) AS t(bucket, count)
         ON CONFLICT (tenant, bucket) DO UPDATE SET at = greatest(r.at, $4),
            count = r.count * power(0.5, greatest(extract(epoch FROM $4 - r.at)::double precision, 0) / ($5 * 86400)) + excluded.count",
    )
    .bind(tenant)
    .bind(counts.keys().copied().collect::<Vec<_>>())
    .bind(counts.values().copied().collect::<Vec<_>>())
    .bind(sql_time(now))
    .bind(HALF_LIFE_DAYS)
    .execute(connection)
    .await?;
    Ok(())
}

/// How usual terms are.
pub async fn usual(
    connection: &mut PgConnection,
    tenant: &str,
    terms: &BTreeSet<&str>,
    now: Timestamp,
) -> Result<Usual, StoreError> {
    let buckets: BTreeSet<i32> = terms.iter().map(|term| bucket(term)).chain([ALL]).collect();
    let rows: Vec<(i32, f64, jiff_sqlx::Timestamp)> =
        sqlx::query_as("SELECT bucket, count, at FROM term_rate WHERE tenant = $1 AND bucket = ANY($2)")
            .bind(tenant)
            .bind(buckets.into_iter().collect::<Vec<_>>())
            .fetch_all(connection)
            .await?;
    let counts: BTreeMap<i32, f64> =
        rows.into_iter().map(|(bucket, count, at)| (bucket, decayed(count, at.to_jiff(), now))).collect();
    let of = |bucket: i32| counts.get(&bucket).copied().unwrap_or_default();
    let of_terms = terms.iter().map(|term| ((*term).to_owned(), of(bucket(term)))).collect();
    Ok(Usual { contacts: of(ALL), of_terms })
}

/// Incidents of a firm that are open.
pub async fn open_ones(connection: &mut PgConnection, tenant: &str) -> Result<Vec<(OpenIncident, i64)>, StoreError> {
    let rows = sqlx::query(
        "SELECT i.id, i.number, i.organisation, i.terms, i.began_at, i.last_at, a.alerts, a.over FROM incident i CROSS JOIN LATERAL (
            SELECT count(*) AS alerts, count(*) FILTER (WHERE k.state = 'closed') AS over
            FROM incident_ticket t LEFT JOIN alias m ON m.id = t.ticket_id JOIN ticket k ON k.id = coalesce(m.now, t.ticket_id)
            WHERE t.incident_id = i.id AND t.is_alert AND t.off_at IS NULL
         ) a WHERE i.tenant = $1 AND i.state = 'open' ORDER BY i.number DESC LIMIT 100",
    )
    .bind(tenant)
    .fetch_all(connection)
    .await?;
    let one = |row: &PgRow| {
        let sort = match row.try_get::<Option<String>, _>("organisation")? {
            Some(domain) => IncidentSort::Organisation(domain),
            None => IncidentSort::Customers,
        };
        let count = |column: &str| row.try_get::<i64, _>(column).map(|n| usize::try_from(n).unwrap_or_default());
        let open = OpenIncident {
            id: IncidentId(row.try_get("id")?),
            sort,
            terms: row.try_get::<Vec<String>, _>("terms")?.into_iter().collect(),
            began_at: time(row, "began_at")?,
            last_at: time(row, "last_at")?,
            alerts: count("alerts")?,
            alerts_over: count("over")?,
        };
        Ok((open, row.try_get("number")?))
    };
    rows.iter().map(one).collect()
}

/// Writes a new incident. Gives its number.
pub async fn begin(
    connection: &mut PgConnection,
    tenant: &str,
    new: &NewIncident<'_>,
    now: Timestamp,
) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(
        "INSERT INTO incident (id, tenant, sort, organisation, terms, count, expected, began_at, found_at, last_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING number",
    )
    .bind(new.id.0)
    .bind(tenant)
    .bind(new.sort.as_str())
    .bind(new.sort.organisation())
    .bind(new.terms)
    .bind(i32::try_from(new.count).unwrap_or(i32::MAX))
    .bind(new.expected)
    .bind(sql_time(new.began_at))
    .bind(sql_time(now))
    .bind(sql_time(new.last_at))
    .fetch_one(connection)
    .await?)
}

/// A ticket that is put on an incident.
#[derive(Debug, Clone)]
pub struct Linked {
    /// Which incident.
    pub incident: IncidentId,
    /// Which ticket.
    pub ticket: TicketId,
    /// It is an alert's.
    pub is_alert: bool,
    /// When its contact came.
    pub at: Timestamp,
}

/// Puts tickets on incidents, and tells the tools: by hand if somebody does it. What is there already stays as it is, and so
/// does what was taken off, but by hand.
pub async fn link(
    store: &Store,
    connection: &mut PgConnection,
    (tenant, mirrors): (&str, &[String]),
    linked: &[Linked],
    by_hand: Option<&str>,
    now: Timestamp,
) -> Result<usize, StoreError> {
    if linked.is_empty() {
        return Ok(0);
    }
    let by = by_hand.unwrap_or(BY_LANKA);
    let new: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "INSERT INTO incident_ticket AS t (incident_id, ticket_id, by, since, is_alert)
         SELECT DISTINCT ON (n.incident, n.ticket) n.incident, n.ticket, $5, $6, n.is_alert FROM unnest($1::uuid[], $2::uuid[], $3::boolean[]) AS n(incident, ticket, is_alert)
         ON CONFLICT (incident_id, ticket_id) DO UPDATE SET off_at = NULL, off_by = NULL, by = excluded.by, since = excluded.since
            WHERE $4 AND t.off_at IS NOT NULL
         RETURNING incident_id, ticket_id",
    )
    .bind(linked.iter().map(|one| one.incident.0).collect::<Vec<_>>())
    .bind(linked.iter().map(|one| one.ticket.0).collect::<Vec<_>>())
    .bind(linked.iter().map(|one| one.is_alert).collect::<Vec<_>>())
    .bind(by_hand.is_some())
    .bind(by)
    .bind(sql_time(now))
    .fetch_all(&mut *connection)
    .await?;
    sqlx::query(
        "UPDATE incident i SET last_at = greatest(i.last_at, n.at) FROM (SELECT id, max(at) AS at FROM unnest($1::uuid[], $2::timestamptz[]) AS t(id, at) GROUP BY id) n
         WHERE i.id = n.id",
    )
    .bind(linked.iter().map(|one| one.incident.0).collect::<Vec<_>>())
    .bind(linked.iter().map(|one| sql_time(one.at)).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    let incidents: BTreeSet<Uuid> = new.iter().map(|(incident, _)| *incident).collect();
    let shown = shown_of(connection, "i.id = ANY($1)", &incidents.into_iter().collect::<Vec<_>>()).await?;
    let detail = |id: Uuid| shown.iter().find(|one| one.id.0 == id).map(detail_of);
    let told: Vec<Told> = new
        .iter()
        .filter_map(|(incident, ticket)| {
            let detail = Some(detail(*incident)?.to_string());
            Some(Told { detail, ..Told::of(Change::IncidentLinked, TicketId(*ticket)) })
        })
        .collect();
    queue(&mut *connection, tenant, &told, mirrors, (now, store.has_peers()), &mut store.mint()).await?;
    journal(store, connection, tenant, (&new, "incident"), by, now).await?;
    Ok(new.len())
}

async fn journal(
    store: &Store,
    connection: &mut PgConnection,
    tenant: &str,
    (rows, kind): (&[(Uuid, Uuid)], &str),
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = rows.iter().map(|_| store.next_id::<EventId>(now).0).collect();
    sqlx::query(
        "INSERT INTO ticket_event (tenant, id, ticket_id, kind, by, data, at)
         SELECT $1, t.id, t.ticket, $2, $3, jsonb_build_object('incident', t.incident), $4 FROM unnest($5::uuid[], $6::uuid[], $7::uuid[]) AS t(id, ticket, incident)",
    )
    .bind(tenant)
    .bind(kind)
    .bind(by)
    .bind(sql_time(now))
    .bind(ids)
    .bind(rows.iter().map(|(_, ticket)| *ticket).collect::<Vec<_>>())
    .bind(rows.iter().map(|(incident, _)| *incident).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// What mirrors are told of an incident.
fn detail_of(one: &IncidentShown) -> serde_json::Value {
    serde_json::json!({ "incident": one.id, "number": one.number, "sort": one.sort, "terms": one.terms, "customers": one.count,
        "tickets": one.tickets, "since": one.began_at })
}

/// Ends incidents.
pub async fn end(connection: &mut PgConnection, id: IncidentId, by: &str, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query("UPDATE incident SET state = 'closed', ended_at = $2, ended_by = $3 WHERE id = $1 AND state = 'open'")
        .bind(id.0)
        .bind(sql_time(now))
        .bind(by)
        .execute(connection)
        .await?;
    Ok(())
}

/// Incidents that are over, and of which nobody has said so: whoever asks says it.
pub async fn over_unsaid(connection: &mut PgConnection, tenant: &str) -> Result<Vec<(i64, Timestamp)>, StoreError> {
    let rows: Vec<(i64, jiff_sqlx::Timestamp)> = sqlx::query_as(
        "UPDATE incident SET is_over_said = true WHERE tenant = $1 AND state = 'closed' AND NOT is_over_said RETURNING number, found_at",
    )
    .bind(tenant)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(number, at)| (number, at.to_jiff())).collect())
}

/// Incidents by a condition over `i` and ids ($1).
async fn shown_of(
    connection: &mut PgConnection,
    condition: &'static str,
    ids: &[Uuid],
) -> Result<Vec<IncidentShown>, StoreError> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{SHOWN} WHERE {condition} ORDER BY i.number DESC LIMIT 100")))
        .bind(ids)
        .fetch_all(connection)
        .await?;
    rows.iter().map(shown).collect()
}

const SHOWN: &str = "SELECT i.*, (SELECT count(*) FROM incident_ticket t WHERE t.incident_id = i.id AND t.off_at IS NULL) AS tickets FROM incident i";

fn shown(row: &PgRow) -> Result<IncidentShown, StoreError> {
    Ok(IncidentShown {
        id: IncidentId(row.try_get("id")?),
        number: row.try_get("number")?,
        state: row.try_get("state")?,
        sort: row.try_get("sort")?,
        organisation: row.try_get("organisation")?,
        terms: row.try_get("terms")?,
        count: row.try_get("count")?,
        expected: row.try_get("expected")?,
        began_at: time(row, "began_at")?,
        found_at: time(row, "found_at")?,
        last_at: time(row, "last_at")?,
        ended_at: row.try_get::<Option<jiff_sqlx::Timestamp>, _>("ended_at")?.map(|at| at.to_jiff()),
        ended_by: row.try_get("ended_by")?,
        tickets: row.try_get("tickets")?,
    })
}

impl Store {
    /// The latest incidents, of one firm or of all.
    pub async fn incidents(
        &self,
        tenant: Option<&str>,
        state: Option<&str>,
        limit: i64,
    ) -> Result<Vec<IncidentShown>, StoreError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{SHOWN} WHERE ($1::text IS NULL OR i.tenant = $1) AND ($2::text IS NULL OR i.state = $2) ORDER BY i.number DESC LIMIT $3"
        )))
        .bind(tenant)
        .bind(state)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(shown).collect()
    }

    /// An incident by its id or number, with its firm.
    pub async fn incident(
        &self,
        tenant: Option<&str>,
        named: &str,
    ) -> Result<Option<(IncidentShown, String)>, StoreError> {
        let id: Option<Uuid> = named.parse().ok();
        let number: Option<i64> = named.trim_start_matches('#').parse().ok();
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{SHOWN} WHERE (i.id = $1 OR i.number = $2) AND ($3::text IS NULL OR i.tenant = $3)"
        )))
        .bind(id)
        .bind(number)
        .bind(tenant)
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| Ok((shown(&row)?, row.try_get("tenant")?))).transpose()
    }

    /// The tickets on an incident, as they stand now.
    pub async fn tickets_of_incident(&self, id: IncidentId) -> Result<Vec<IncidentTicket>, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT ON (k.id) k.id, k.number, k.state, k.title, t.is_alert, t.by, t.since
             FROM incident_ticket t LEFT JOIN alias a ON a.id = t.ticket_id AND a.object = 'ticket' JOIN ticket k ON k.id = coalesce(a.now, t.ticket_id)
             WHERE t.incident_id = $1 AND t.off_at IS NULL ORDER BY k.id, t.since LIMIT $2",
        )
        .bind(id.0)
        .bind(TICKETS_MAX)
        .fetch_all(&self.pool)
        .await?;
        let one = |row: &PgRow| {
            Ok(IncidentTicket {
                id: TicketId(row.try_get("id")?),
                number: row.try_get("number")?,
                state: row.try_get("state")?,
                title: row.try_get("title")?,
                is_alert: row.try_get("is_alert")?,
                by: row.try_get("by")?,
                since: time(row, "since")?,
            })
        };
        rows.iter().map(one).collect()
    }

    /// What a ticket has to do with others.
    pub async fn recurring(&self, ticket: TicketId) -> Result<Recurring, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let on = "EXISTS (SELECT 1 FROM incident_ticket t LEFT JOIN alias a ON a.id = t.ticket_id
            WHERE t.incident_id = i.id AND t.off_at IS NULL AND coalesce(a.now, t.ticket_id) = ANY($1))";
        let incidents = shown_of(&mut connection, on, &[ticket.0]).await?;
        let again: Option<(i32, jiff_sqlx::Timestamp)> =
            sqlx::query_as("SELECT times, since FROM again WHERE ticket_id = $1")
                .bind(ticket.0)
                .fetch_optional(&mut *connection)
                .await?;
        let tickets: Vec<i64> = sqlx::query_scalar(
            "SELECT DISTINCT k.number FROM ticket_relation r CROSS JOIN LATERAL (VALUES (r.ticket_id, r.other), (r.other, r.ticket_id)) AS p(one, other)
             LEFT JOIN alias a ON a.id = p.other JOIN ticket k ON k.id = coalesce(a.now, p.other)
             WHERE (r.ticket_id = $1 OR r.other = $1) AND p.one = $1 AND k.id <> $1 ORDER BY 1 LIMIT 20",
        )
        .bind(ticket.0)
        .fetch_all(&mut *connection)
        .await?;
        let again = again.map(|(times, since)| AgainShown { times, since: since.to_jiff(), tickets });
        Ok(Recurring { incidents, again })
    }

    /// Puts a ticket on an incident by hand. `false` when it is on it.
    pub async fn link_incident(
        &self,
        incident: (&IncidentShown, &str),
        ticket: TicketId,
        mirrors: &[String],
        by: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (shown, tenant) = incident;
        let mut tx = self.begin().await?;
        let linked = [Linked { incident: shown.id, ticket, is_alert: false, at: now }];
        let count = link(self, &mut tx, (tenant, mirrors), &linked, Some(by), now).await?;
        tx.commit().await?;
        self.deliver_wake.notify_one();
        Ok(count > 0)
    }

    /// Takes a ticket off an incident. `false` when it is not on it.
    pub async fn unlink_incident(
        &self,
        (id, tenant): (IncidentId, &str),
        ticket: TicketId,
        by: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let off: Vec<(Uuid, Uuid)> = sqlx::query_as(
            "UPDATE incident_ticket t SET off_at = $3, off_by = $4 WHERE t.incident_id = $1 AND t.off_at IS NULL
                AND (t.ticket_id = $2 OR t.ticket_id IN (SELECT a.id FROM alias a WHERE a.now = $2)) RETURNING t.incident_id, t.ticket_id",
        )
        .bind(id.0)
        .bind(ticket.0)
        .bind(sql_time(now))
        .bind(by)
        .fetch_all(&mut *tx)
        .await?;
        journal(self, &mut tx, tenant, (&off, "incident_off"), by, now).await?;
        tx.commit().await?;
        Ok(!off.is_empty())
    }

    /// Closes an incident by hand. `false` when it is over.
    pub async fn close_incident(&self, id: IncidentId, by: &str, now: Timestamp) -> Result<bool, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let was_open: Option<bool> = sqlx::query_scalar("SELECT state = 'open' FROM incident WHERE id = $1")
            .bind(id.0)
            .fetch_optional(&mut *connection)
            .await?;
        end(&mut connection, id, by, now).await?;
        Ok(was_open == Some(true))
    }
}

/// Something said on a customer's ticket, with his own words where it is his.
#[derive(Debug, Clone)]
pub struct SaidOfLate {
    /// Whose ticket it is.
    pub contact: ContactId,
    /// The message.
    pub said: Listened,
    /// He said it himself; else the desk did.
    pub is_customers: bool,
}

/// Messages on the tickets of these customers, and when their tickets were closed.
pub async fn said_of_late(
    connection: &mut PgConnection,
    contacts: &BTreeSet<Uuid>,
    from: Timestamp,
) -> Result<(Vec<SaidOfLate>, Vec<(TicketId, Timestamp)>), StoreError> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT p.contact_id AS of_contact, m.direction = 'from_customer' AS is_customers, {LISTENED} JOIN LATERAL (
            SELECT t.contact_id FROM ticket_participant t WHERE t.ticket_id = m.ticket_id AND t.contact_id = ANY($1)
         ) p ON (m.direction = 'from_agent' OR i.contact_id = p.contact_id)
         WHERE m.ticket_id = ANY(ARRAY(SELECT l.ticket_id FROM unnest($1) AS c(id) CROSS JOIN LATERAL (
                SELECT t.ticket_id FROM ticket_participant t JOIN ticket k ON k.id = t.ticket_id
                WHERE t.contact_id = c.id AND k.last_at > $2 ORDER BY k.last_at DESC LIMIT 20) l))
            AND m.id >= lanka_uuid_floor($2) AND m.auto IS NULL AND NOT 'internal' = ANY(m.marks) AND (m.direction = 'from_agent' OR m.priority <> 'low')
         ORDER BY m.id DESC LIMIT 5000"
    )))
    .bind(contacts.iter().copied().collect::<Vec<_>>())
    .bind(sql_time(from))
    .fetch_all(&mut *connection)
    .await?;
    let of_late = |row: &PgRow| {
        let contact = ContactId(row.try_get("of_contact")?);
        Ok(SaidOfLate { contact, said: listened(row)?, is_customers: row.try_get("is_customers")? })
    };
    let said: Vec<SaidOfLate> = rows.iter().map(of_late).collect::<Result<_, StoreError>>()?;
    let tickets: BTreeSet<Uuid> = said.iter().filter_map(|one| one.said.ticket).map(|ticket| ticket.0).collect();
    let closings: Vec<(Uuid, jiff_sqlx::Timestamp)> =
        sqlx::query_as("SELECT ticket_id, at FROM ticket_event WHERE kind = 'close' AND ticket_id = ANY($1) AND id >= lanka_uuid_floor($2) LIMIT 5000")
            .bind(tickets.into_iter().collect::<Vec<_>>())
            .bind(sql_time(from))
            .fetch_all(connection)
            .await?;
    Ok((said, closings.into_iter().map(|(ticket, at)| (TicketId(ticket), at.to_jiff())).collect()))
}

/// A customer who comes again.
#[derive(Debug, Clone)]
pub struct CameAgain {
    /// The message by which he does.
    pub message: MessageId,
    /// Its ticket.
    pub ticket: TicketId,
    /// He.
    pub contact: ContactId,
    /// The how many-th time.
    pub times: usize,
    /// Since when.
    pub since: Timestamp,
    /// His other tickets on it.
    pub tickets: BTreeSet<TicketId>,
    /// Why it is urgent, as reasons are stored.
    pub reason: serde_json::Value,
}

/// Writes down that customers come again: tickets linked, urgent, and told of. What was said already is not said anew.
pub async fn came_again(
    store: &Store,
    connection: &mut PgConnection,
    (tenant, mirrors): (&str, &[String]),
    came: &[CameAgain],
    now: Timestamp,
) -> Result<(), StoreError> {
    if came.is_empty() {
        return Ok(());
    }
    let times = |one: &CameAgain| i32::try_from(one.times).unwrap_or(i32::MAX);
    let said: Vec<Uuid> = sqlx::query_scalar(
        "INSERT INTO again AS a (tenant, ticket_id, contact_id, times, since, said_at)
         SELECT DISTINCT ON (t.ticket) $1, t.ticket, t.contact, t.times, t.since, $6
         FROM unnest($2::uuid[], $3::uuid[], $4::integer[], $5::timestamptz[]) AS t(ticket, contact, times, since) ORDER BY t.ticket, t.times DESC
         ON CONFLICT (ticket_id) DO UPDATE SET times = excluded.times, since = excluded.since, said_at = excluded.said_at
            WHERE excluded.times <> a.times
         RETURNING ticket_id",
    )
    .bind(tenant)
    .bind(came.iter().map(|one| one.ticket.0).collect::<Vec<_>>())
    .bind(came.iter().map(|one| one.contact.0).collect::<Vec<_>>())
    .bind(came.iter().map(times).collect::<Vec<_>>())
    .bind(came.iter().map(|one| sql_time(one.since)).collect::<Vec<_>>())
    .bind(sql_time(now))
    .fetch_all(&mut *connection)
    .await?;
    let pairs: Vec<(Uuid, Uuid)> =
        came.iter().flat_map(|one| one.tickets.iter().map(|other| (one.ticket.0, other.0))).collect();
    sqlx::query(
        "INSERT INTO ticket_relation (ticket_id, other, at) SELECT DISTINCT greatest(one, other), least(one, other), $3::timestamptz
         FROM unnest($1::uuid[], $2::uuid[]) AS t(one, other) ON CONFLICT DO NOTHING",
    )
    .bind(pairs.iter().map(|(one, _)| *one).collect::<Vec<_>>())
    .bind(pairs.iter().map(|(_, other)| *other).collect::<Vec<_>>())
    .bind(sql_time(now))
    .execute(&mut *connection)
    .await?;
    let messages: Vec<Uuid> = came.iter().map(|one| one.message.0).collect();
    // The ticket is as urgent as what was said on it: so it stays when that is decided anew.
    sqlx::query("UPDATE message SET priority = 'high' WHERE id = ANY($1)")
        .bind(&messages)
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE ticket k SET priority = 'high' FROM message m WHERE m.id = ANY($1) AND k.id = m.ticket_id AND k.priority <> 'high'")
        .bind(&messages)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "UPDATE decision d SET reasons = d.reasons || jsonb_build_array(t.reason) FROM unnest($1::uuid[], $2::jsonb[]) AS t(id, reason)
         WHERE d.message_id = t.id",
    )
    .bind(&messages)
    .bind(came.iter().map(|one| one.reason.clone()).collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    let told: Vec<Told> = came
        .iter()
        .filter(|one| said.contains(&one.ticket.0))
        .map(|one| {
            let detail =
                serde_json::json!({ "times": one.times, "since": one.since, "tickets": one.tickets }).to_string();
            Told { detail: Some(detail), message: Some(one.message), ..Told::of(Change::ContactAgain, one.ticket) }
        })
        .collect();
    queue(connection, tenant, &told, mirrors, (now, store.has_peers()), &mut store.mint()).await
}
