//! Tickets on which agents did something: whom an answer could go to, and what is to be sent.

use super::facts::time;
use super::{Store, StoreError, sql_time, view};
use crate::pure::decide::answer::Desk;
use crate::pure::decide::lookup::{Keyer, seen_scope};
use crate::pure::domain::Timestamp;
use crate::pure::domain::answer::{AddressView, Carried, CarriedFile, Filled, Heard, OnTicket};
use crate::pure::domain::decision::Told;
use crate::pure::domain::facts::LookupKey;
use crate::pure::domain::id::{ContactId, IdentityId, MessageId, TicketId};
use crate::pure::domain::identity::{Assurance, Identity};
use crate::pure::domain::message::{Mark, Progress};
use crate::pure::domain::outbox::{Change, LinkedKind};
use crate::pure::domain::ticket::TicketState;
use crate::pure::wire::step::Link;
use crate::shell::answers::Given;
use crate::shell::content::ContentHash;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use std::collections::{BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// Customers' messages of one ticket that are looked at, the latest.
const HEARD_MAX: i64 = 50;

/// Addresses of those who take part in one ticket that are looked at beside them.
const ELSEWHERE_MAX: i64 = 24;

/// A later epoch of an address is another person's.
const IS_HIS: &str = "i.closed_at IS NULL AND NOT EXISTS (SELECT 1 FROM identity e WHERE e.tenant = i.tenant
    AND e.scheme = i.scheme AND e.scope = i.scope AND e.value = i.value AND e.epoch > i.epoch)";

const COLUMNS: &str =
    "m.id, m.channel, m.kind, m.namespace, m.assurance, m.marks, m.call IS NOT NULL AS is_call, m.trusted_at,
    i.id AS identity_id, i.contact_id, i.scheme, i.scope, i.value";

/// The tickets that these name, of one firm, with whom answers could go to. What is not there is left out.
pub async fn desks(
    connection: &mut PgConnection,
    tenant: &str,
    wanted: &[OnTicket],
) -> Result<HashMap<OnTicket, Desk>, StoreError> {
    let mut tickets: HashMap<OnTicket, Uuid> = HashMap::new();
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let mut joined = named(connection, tenant, wanted, &mut tickets).await?;
    joined.extend(threads(connection, tenant, wanted, &mut tickets).await?);
    let ids: Vec<Uuid> = tickets.values().copied().collect();
    let mut desks = of_tickets(connection, &ids).await?;
    for (ticket, mirror) in behind(connection, &ids).await? {
        if let Some(desk) = desks.get_mut(&ticket) {
            desk.behind.insert(mirror);
        }
    }
    // Two may name one ticket.
    let named = |(on, id)| {
        let is_of_joined = joined.contains(&on);
        Some((on, Desk { is_of_joined, ..desks.get(&id)?.clone() }))
    };
    Ok(tickets.into_iter().filter_map(named).collect())
}

/// Mirrors that are yet to hear of what opens or closes these tickets there: a customer's word does.
async fn behind(connection: &mut PgConnection, tickets: &[Uuid]) -> Result<Vec<(Uuid, String)>, StoreError> {
    let rows = sqlx::query_as(
        "SELECT DISTINCT o.ticket_id, o.mirror FROM outbox o LEFT JOIN message m ON m.id = o.message_id
         WHERE o.ticket_id = ANY($1) AND o.state IN ('pending', 'claimed') AND (o.change IN ('ticket.reopened', 'ticket.closed',
                'ticket.awaited', 'ticket.resumed', 'ticket.routed')
            OR (o.change = 'message.added' AND m.direction = 'from_customer'))",
    );
    Ok(rows.bind(tickets).fetch_all(connection).await?)
}

async fn named(
    connection: &mut PgConnection,
    tenant: &str,
    wanted: &[OnTicket],
    tickets: &mut HashMap<OnTicket, Uuid>,
) -> Result<HashSet<OnTicket>, StoreError> {
    let (mut ids, mut numbers) = (Vec::new(), Vec::new());
    for on in wanted {
        let OnTicket::Named(text) = on else { continue };
        match (text.parse::<Uuid>(), text.trim_start_matches('#').parse::<i64>()) {
            (Ok(id), _) => ids.push((text.clone(), id)),
            (_, Ok(number)) => numbers.push((text.clone(), number)),
            _ => {}
        }
    }
    let rows: Vec<(String, Uuid, bool)> = sqlx::query_as(
        "SELECT k.text, t.id, k.id <> t.id FROM unnest($2::text[], $3::uuid[]) AS k(text, id) JOIN ticket t ON t.tenant = $1
            AND t.id = coalesce((SELECT now FROM alias a WHERE a.id = k.id AND a.object = 'ticket'), k.id)
         UNION ALL
         SELECT k.text, coalesce(t.merged_into, t.id), t.merged_into IS NOT NULL FROM unnest($4::text[], $5::bigint[]) AS k(text, number)
         JOIN ticket t ON t.tenant = $1 AND t.number = k.number",
    )
    .bind(tenant)
    .bind(ids.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>())
    .bind(ids.iter().map(|(_, id)| *id).collect::<Vec<_>>())
    .bind(numbers.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>())
    .bind(numbers.iter().map(|(_, number)| *number).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let mut joined = HashSet::new();
    for (text, id, is_joined) in rows {
        let on = OnTicket::Named(text);
        joined.extend(is_joined.then(|| on.clone()));
        tickets.insert(on, id);
    }
    Ok(joined)
}

/// By what tools call their threads. (Few are asked for at once, and of the rest nothing is.) Gives those whose tickets were
/// joined into the ones found.
async fn threads(
    connection: &mut PgConnection,
    tenant: &str,
    wanted: &[OnTicket],
    tickets: &mut HashMap<OnTicket, Uuid>,
) -> Result<HashSet<OnTicket>, StoreError> {
    let threads: Vec<(&str, &str)> = wanted
        .iter()
        .filter_map(|on| match on {
            OnTicket::Thread { mirror, remote } => Some((mirror.as_str(), remote.as_str())),
            OnTicket::Named(_) | OnTicket::Token(_) => None,
        })
        .collect();
    let rows: Vec<(String, String, Uuid, bool)> = sqlx::query_as(
        "SELECT k.mirror, k.remote, t.id, l.object <> t.id FROM unnest($2::text[], $3::text[]) AS k(mirror, remote)
         JOIN link l ON l.mirror = k.mirror AND l.object_kind = $4 AND l.remote_id = k.remote
         JOIN ticket t ON t.tenant = $1 AND t.id = coalesce((SELECT now FROM alias a WHERE a.id = l.object AND a.object = 'ticket'), l.object)",
    )
    .bind(tenant)
    .bind(threads.iter().map(|(mirror, _)| *mirror).collect::<Vec<_>>())
    .bind(threads.iter().map(|(_, remote)| *remote).collect::<Vec<_>>())
    .bind(LinkedKind::Ticket.as_str())
    .fetch_all(&mut *connection)
    .await?;
    let mut joined = HashSet::new();
    for (mirror, remote, id, is_joined) in rows {
        let on = OnTicket::Thread { mirror, remote };
        joined.extend(is_joined.then(|| on.clone()));
        tickets.insert(on, id);
    }
    let token = |on: &OnTicket| match on {
        OnTicket::Token(token) => Some(token.clone()),
        OnTicket::Named(_) | OnTicket::Thread { .. } => None,
    };
    let tokens: Vec<String> = wanted.iter().filter_map(token).collect();
    let rows: Vec<(String, Uuid)> = sqlx::query_as(
        "SELECT l.remote_id, t.id FROM link l JOIN ticket t ON t.tenant = $1
            AND t.id = coalesce((SELECT now FROM alias a WHERE a.id = l.object AND a.object = 'ticket'), l.object)
         WHERE l.object_kind = $3 AND l.remote_id = ANY($2)",
    )
    .bind(tenant)
    .bind(tokens)
    .bind(LinkedKind::Ticket.as_str())
    .fetch_all(connection)
    .await?;
    tickets.extend(rows.into_iter().map(|(token, id)| (OnTicket::Token(token), id)));
    Ok(joined)
}

/// Tickets with whom answers could go to, in a constant number of queries.
pub async fn of_tickets(connection: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, Desk>, StoreError> {
    let mut desks: HashMap<Uuid, Desk> = HashMap::new();
    if ids.is_empty() {
        return Ok(desks);
    }
    let latest: Vec<(Uuid, String, bool, Option<Uuid>, bool, Option<String>)> = sqlx::query_as(
        "SELECT k.id, t.title, t.state = 'open', m.id, t.awaited_since IS NOT NULL, t.queue FROM unnest($1::uuid[]) AS k(id) JOIN ticket t ON t.id = k.id LEFT JOIN LATERAL (
            SELECT id FROM message l WHERE l.ticket_id = k.id ORDER BY l.occurred_at DESC, l.id DESC LIMIT 1
         ) m ON true",
    )
    .bind(ids)
    .fetch_all(&mut *connection)
    .await?;
    for (id, title, is_open, message, is_awaited, queue) in latest {
        let desk = Desk {
            ticket: TicketId(id),
            title,
            latest: message.map(MessageId),
            heard: Vec::new(),
            state: if is_open { TicketState::Open } else { TicketState::Closed },
            is_awaited,
            queue,
            behind: BTreeSet::new(),
            is_of_joined: false,
        };
        desks.insert(id, desk);
    }
    let here = format!(
        "SELECT k.id AS ticket_id, true AS is_here, {COLUMNS} FROM unnest($1::uuid[]) AS k(id) CROSS JOIN LATERAL (
            SELECT * FROM message t WHERE t.ticket_id = k.id AND t.direction = 'from_customer' AND t.redacted_at IS NULL
            ORDER BY t.occurred_at DESC, t.id DESC LIMIT {HEARD_MAX}
         ) m JOIN identity i ON i.id = m.identity_id
         WHERE {IS_HIS} AND EXISTS (SELECT 1 FROM ticket_participant p WHERE p.ticket_id = k.id AND p.contact_id = i.contact_id)"
    );
    // Who called last can be written to where he wrote before.
    let elsewhere = format!(
        "SELECT k.id AS ticket_id, false AS is_here, {COLUMNS} FROM unnest($1::uuid[]) AS k(id) CROSS JOIN LATERAL (
            SELECT i.* FROM ticket_participant p JOIN identity i ON i.contact_id = p.contact_id
            WHERE p.ticket_id = k.id AND i.assurance >= {} AND {IS_HIS} ORDER BY i.last_at DESC LIMIT {ELSEWHERE_MAX}
         ) i CROSS JOIN LATERAL (
            SELECT l.* FROM message l WHERE l.id = i.last_message AND l.call IS NULL
            UNION ALL (SELECT l.* FROM message c JOIN message l ON l.identity_id = i.id AND l.direction = 'from_customer'
                AND l.call IS NULL WHERE c.id = i.last_message AND c.call IS NOT NULL ORDER BY l.id DESC LIMIT 1)
         ) m WHERE m.ticket_id IS DISTINCT FROM k.id AND m.direction = 'from_customer' AND m.redacted_at IS NULL",
        Assurance::Proven.level()
    );
    let automatic = automatic(connection, ids).await?;
    for query in [here, elsewhere] {
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).bind(ids).fetch_all(&mut *connection).await?;
        for row in rows {
            let ticket: Uuid = row.try_get("ticket_id")?;
            if let Some(desk) = desks.get_mut(&ticket) {
                let contact: Uuid = row.try_get("contact_id")?;
                let of = |contact: Option<Uuid>| automatic.get(&(ticket, contact)).copied().unwrap_or(0);
                desk.heard.push(heard(&row, of(None).saturating_add(of(Some(contact))))?);
            }
        }
    }
    Ok(desks)
}

/// Messages on tickets within the last hour that programs wrote, by contact; under `None` those whose sender takes no part, like
/// a mailer's bounces.
async fn automatic(
    connection: &mut PgConnection,
    tickets: &[Uuid],
) -> Result<HashMap<(Uuid, Option<Uuid>), u32>, StoreError> {
    let rows: Vec<(Uuid, Option<Uuid>, i64)> = sqlx::query_as(
        "SELECT m.ticket_id, p.contact_id, count(*) FROM message m LEFT JOIN identity i ON i.id = m.identity_id
         LEFT JOIN ticket_participant p ON p.ticket_id = m.ticket_id AND p.contact_id = i.contact_id
         WHERE m.ticket_id = ANY($1) AND m.id >= lanka_uuid_floor(now() - interval '1 hour')
            AND m.direction = 'from_customer' AND m.auto IN ('bounce', 'vacation', 'generated') GROUP BY 1, 2",
    )
    .bind(tickets)
    .fetch_all(connection)
    .await?;
    let counted = |(ticket, contact, count)| ((ticket, contact), u32::try_from(count).unwrap_or(u32::MAX));
    Ok(rows.into_iter().map(counted).collect())
}

fn heard(row: &PgRow, automatic: u32) -> Result<Heard, StoreError> {
    Ok(Heard {
        automatic,
        message: MessageId(row.try_get("id")?),
        channel: row.try_get("channel")?,
        kind: row.try_get("kind")?,
        namespace: row.try_get("namespace")?,
        contact: ContactId(row.try_get("contact_id")?),
        identity: IdentityId(row.try_get("identity_id")?),
        address: Identity {
            scheme: row.try_get("scheme")?,
            scope: row.try_get("scope")?,
            value: row.try_get("value")?,
        },
        assurance: Assurance::from_level(row.try_get("assurance")?),
        is_doubted: view::marks(row)?.into_iter().any(Mark::casts_doubt),
        is_call: row.try_get("is_call")?,
        is_here: row.try_get("is_here")?,
        at: time(row, "trusted_at")?,
    })
}

/// Answers that are to be sent, by the id of their message, with where the bytes of their files are.
///
/// `rescued` are those of them of which an attempt was not finished.
pub async fn carried(
    connection: &mut PgConnection,
    messages: &[Uuid],
    rescued: &[Uuid],
) -> Result<HashMap<Uuid, (Carried, Vec<StoredFile>)>, StoreError> {
    let mut carried = HashMap::new();
    if messages.is_empty() {
        return Ok(carried);
    }
    let rows = sqlx::query(
        "SELECT m.id, m.source_key, m.sender_name, m.occurred_at, m.text, m.progress, i.scheme, i.scope, i.value,
            m.auto IS NOT NULL AS is_automatic, a.message_id = ANY($2) AS may_be_sent, a.template, c.source_key AS answers_key, coalesce(c.subject, nullif(t.title, '')) AS subject, c.answer_path,
            c.ticket_id IS NOT DISTINCT FROM m.ticket_id AS is_here,
            greatest(c.trusted_at, (SELECT max(l.trusted_at) FROM message l WHERE l.identity_id = a.identity_id
                AND l.ticket_id = m.ticket_id AND l.direction = 'from_customer')) AS last_heard_at
         FROM answer a JOIN message m ON m.id = a.message_id JOIN identity i ON i.id = a.identity_id
         JOIN message c ON c.id = a.answers LEFT JOIN ticket t ON t.id = m.ticket_id
         WHERE a.message_id = ANY($1) AND m.redacted_at IS NULL",
    )
    .bind(messages)
    .bind(rescued)
    .fetch_all(&mut *connection)
    .await?;
    for row in rows {
        let id: Uuid = row.try_get("id")?;
        // What is said elsewhere is not quoted here, nor its subject named.
        let is_here: bool = row.try_get("is_here")?;
        let answer = Carried {
            message: MessageId(id),
            key: row.try_get("source_key")?,
            to: Identity { scheme: row.try_get("scheme")?, scope: row.try_get("scope")?, value: row.try_get("value")? },
            by: row.try_get("sender_name")?,
            at: time(&row, "occurred_at")?,
            text: row.try_get("text")?,
            files: Vec::new(),
            answers_key: row.try_get::<Option<String>, _>("answers_key")?.filter(|_| is_here),
            subject: row.try_get::<Option<String>, _>("subject")?.filter(|_| is_here),
            path: row.try_get("answer_path")?,
            last_heard_at: time(&row, "last_heard_at")?,
            progress: row.try_get::<Option<&str>, _>("progress")?.and_then(Progress::parse),
            template: filled(&row)?,
            is_automatic: row.try_get("is_automatic")?,
            may_be_sent: row.try_get("may_be_sent")?,
        };
        carried.insert(id, (answer, Vec::new()));
    }
    for file in files(connection, messages).await? {
        if let Some((_, files)) = carried.get_mut(&file.message) {
            files.push(file);
        }
    }
    Ok(carried)
}

/// The template that an answer is sent as.
fn filled(row: &PgRow) -> Result<Option<Filled>, StoreError> {
    let Some(template) = row.try_get::<Option<serde_json::Value>, _>("template")? else { return Ok(None) };
    let id = row.try_get("id")?;
    let read = serde_json::from_value(template);
    read.map(Some).map_err(|error| StoreError::Corrupt { what: "message", id, why: format!("its template: {error}") })
}

/// How the sending of an answer ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// The agent's message.
    pub message: MessageId,
    /// What it is called where it went.
    pub links: &'a [Link],
    /// Why it was given up, if it was.
    pub why: Option<&'a str>,
    /// When.
    pub now: Timestamp,
}

/// Notes how far an answer came; under the vendor's id it is found from now on, by whoever answers it or reports of it, and
/// an echo of it is a repeat. Gives what mirrors hear.
pub async fn ended(
    connection: &mut PgConnection,
    keyer: &Keyer,
    tenant: &str,
    ended: Ended<'_>,
) -> Result<Vec<Told>, StoreError> {
    let Ended { message, links, why, now } = ended;
    let progress = if why.is_some() { Progress::Failed } else { Progress::Sent };
    // A receipt may have been faster.
    let row: Option<(Option<Uuid>, String)> = sqlx::query_as(
        "UPDATE message m SET progress = CASE WHEN m.progress IS NULL THEN $2 ELSE m.progress END,
            progress_why = CASE WHEN m.progress IS NULL THEN $3 ELSE m.progress_why END
         WHERE m.id = $1 AND m.redacted_at IS NULL RETURNING m.ticket_id, m.namespace",
    )
    .bind(message.0)
    .bind(progress.as_str())
    .bind(why)
    .fetch_optional(&mut *connection)
    .await?;
    let Some((Some(ticket), namespace)) = row else { return Ok(Vec::new()) };
    for link in links.iter().filter(|link| (link.kind, link.object) == (LinkedKind::Message, message.0)) {
        sqlx::query(
            "INSERT INTO ticket_reference (key_hash, kind, tenant, ticket_id, message_id, direction, at)
             SELECT $1, 'message', $2, $3, $4, 'from_agent', $5
             WHERE NOT EXISTS (SELECT 1 FROM ticket_reference r WHERE r.key_hash = $1 AND r.message_id = $4)",
        )
        .bind(keyer.message(&namespace, &link.remote).0)
        .bind(tenant)
        .bind(ticket)
        .bind(message.0)
        .bind(sql_time(now))
        .execute(&mut *connection)
        .await?;
        sqlx::query(
            "INSERT INTO seen (scope, key_hash, message_id, first_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )
        .bind(seen_scope(tenant, &namespace))
        .bind(keyer.seen(&namespace, &link.remote, "").0)
        .bind(message.0)
        .bind(sql_time(now))
        .execute(&mut *connection)
        .await?;
    }
    Ok(vec![Told { message: Some(message), ..Told::of(Change::MessageUpdated, TicketId(ticket)) }])
}

/// A file of a message, by its name in the content store.
#[derive(Debug, Clone)]
pub struct StoredFile {
    /// The message.
    pub message: Uuid,
    /// The sender's name for it.
    pub name: Option<String>,
    /// Media type.
    pub media_type: String,
    /// Size in bytes.
    pub bytes: i64,
    /// Where the bytes are.
    pub hash: ContentHash,
}

/// The files of messages whose bytes are here.
pub async fn files(connection: &mut PgConnection, messages: &[Uuid]) -> Result<Vec<StoredFile>, StoreError> {
    let rows = sqlx::query(
        "SELECT message_id, name, media_type, bytes, content_hash FROM attachment
         WHERE message_id = ANY($1) AND content_hash IS NOT NULL ORDER BY message_id, ordinal",
    )
    .bind(messages)
    .fetch_all(connection)
    .await?;
    let mut files = Vec::with_capacity(rows.len());
    for row in rows {
        let hash: Vec<u8> = row.try_get("content_hash")?;
        let Ok(hash) = <[u8; 32]>::try_from(hash) else { continue };
        files.push(StoredFile {
            message: row.try_get("message_id")?,
            name: row.try_get("name")?,
            media_type: row.try_get("media_type")?,
            bytes: row.try_get("bytes")?,
            hash: ContentHash(hash),
        });
    }
    Ok(files)
}

/// What was given by way of the API.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its words, unless they are gone.
    pub text: Option<String>,
    /// The template that it is sent as.
    pub template: Option<Filled>,
    /// Its files, in their order.
    pub files: Vec<ContentHash>,
    /// What became of it.
    pub given: Given,
}

impl Store {
    /// What was given under a key of the guard against second deliveries, once it is decided on.
    pub async fn answer_given(&self, scope: &str, key: LookupKey) -> Result<Option<Found>, StoreError> {
        let row = sqlx::query(
            "SELECT m.id, m.ticket_id, m.text, m.progress, m.progress_why, m.channel, m.kind, i.scheme, i.scope, i.value,
                (SELECT array_agg(f.content_hash ORDER BY f.ordinal) FROM attachment f WHERE f.message_id = m.id
                    AND f.content_hash IS NOT NULL) AS files,
                a.template, m.redacted_at IS NOT NULL AS is_gone
             FROM seen s JOIN message m ON m.id = s.message_id LEFT JOIN answer a ON a.message_id = m.id
             LEFT JOIN identity i ON i.id = a.identity_id WHERE s.scope = $1 AND s.key_hash = $2",
        )
        .bind(scope)
        .bind(key.0)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let to = match row.try_get::<Option<String>, _>("scheme")? {
            Some(scheme) => {
                let address = Identity { scheme, scope: row.try_get("scope")?, value: row.try_get("value")? };
                let (channel, channel_kind) = (row.try_get("channel")?, row.try_get("kind")?);
                Some(AddressView { channel, channel_kind, address: address.written(), until: None })
            }
            None => None,
        };
        let text: Option<String> = row.try_get("text")?;
        let given = Given {
            message: MessageId(row.try_get("id")?),
            ticket: row.try_get::<Option<Uuid>, _>("ticket_id")?.map(TicketId),
            progress: row.try_get("progress")?,
            progress_why: row.try_get("progress_why")?,
            to,
            already: false,
        };
        let is_gone: bool = row.try_get("is_gone")?;
        let hashes: Option<Vec<Vec<u8>>> = row.try_get("files")?;
        let files = hashes.unwrap_or_default().into_iter().filter_map(|hash| Some(ContentHash(hash.try_into().ok()?)));
        let files = files.collect();
        Ok(Some(Found { files, text: text.filter(|_| !is_gone), template: filled(&row)?, given }))
    }

    /// The ticket that a text names, with whom an answer could go to.
    pub async fn desk_of(&self, tenant: &str, ticket: TicketId) -> Result<Option<Desk>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let on = OnTicket::Named(ticket.to_string());
        Ok(desks(&mut connection, tenant, std::slice::from_ref(&on)).await?.remove(&on))
    }

    /// The bytes of files. What cannot be read is an error: an answer without its file is another answer.
    pub async fn read_files(&self, files: &[StoredFile]) -> Result<Vec<CarriedFile>, StoreError> {
        let mut read = Vec::with_capacity(files.len());
        for (n, file) in files.iter().enumerate() {
            let bytes = self.content.get(file.hash).await?;
            let name = file.name.clone().unwrap_or_else(|| format!("file-{}", n + 1));
            read.push(CarriedFile { name, media_type: file.media_type.clone(), bytes });
        }
        Ok(read)
    }
}
