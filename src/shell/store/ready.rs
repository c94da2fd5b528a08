//! Ready answers: kept as the directory has them, looked through for what customers ask, and counted.
//!
//! Several daemons on one database agree, for what is in the tables is what is offered: whoever read its directory last
//! has written it there.

use super::commit::queue;
use super::facts::{direction, time};
use super::retention::hold_off;
use super::{Store, StoreError, sql_time};
use crate::pure::channels;
use crate::pure::decide::language::language;
use crate::pure::decide::ready::{Fit, Question, Shared, Spoken, TERMS_MAX, Term, beginning, query, question, rank};
use crate::pure::domain::Timestamp;
use crate::pure::domain::decision::Told;
use crate::pure::domain::id::{MessageId, TicketId};
use crate::pure::domain::message::Direction;
use crate::pure::domain::ready::{Offered, ReadyAnswer, filled};
use crate::pure::domain::service::Like;
use crate::pure::domain::ticket::MatterKind;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;

/// Held by the daemon that writes what it read, one at a time ("lanka", 6).
const TURN: i64 = 0x6c61_6e6b_6100_0006;

/// What was said on a ticket that is read to know what is asked.
const SPOKEN_MAX: i64 = 12;

/// What became of what a directory holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// New, or said otherwise now.
    pub changed: u64,
    /// Gone.
    pub gone: u64,
}

/// A line of `lanka ready list`.
#[derive(Debug, Clone, Serialize)]
pub struct ReadyLine {
    /// Which.
    pub id: String,
    /// The firm it is for; left out when every firm's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// What agents know it by.
    pub title: String,
    /// Its language.
    pub language: String,
    /// What it answers.
    pub kinds: Vec<String>,
    /// Its file is there still.
    pub is_there: bool,
    /// Tickets on which it was offered.
    pub offered: i64,
    /// Answers that were made of it.
    pub used: i64,
    /// When the last of them was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

/// What is asked on a ticket.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The ticket.
    pub ticket: TicketId,
    /// The firm.
    pub tenant: String,
    number: i64,
    kinds: Vec<MatterKind>,
    /// The ticket is open, and the customer has the last word.
    pub waits: bool,
    /// The customer's last message, and when it was said.
    pub message: MessageId,
    /// Its event time.
    pub at: Timestamp,
    name: Option<String>,
    like: Like,
    domains: Vec<String>,
    question: Question,
    /// The language that it is asked in.
    pub language: String,
}

/// Something to be looked at: a message that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    n: i64,
    /// The firm.
    pub tenant: String,
    /// The ticket it was on.
    pub ticket: TicketId,
    /// The message.
    pub message: MessageId,
}

/// An agent's words to a customer.
#[derive(Debug, Clone)]
pub struct AgentsWords {
    /// The message.
    pub message: MessageId,
    /// The firm.
    pub tenant: String,
    /// When it was said.
    pub at: Timestamp,
    /// The words.
    pub text: String,
}

impl Store {
    /// Writes down what a directory holds, as far as it differs from what is known.
    pub async fn put_ready_answers(&self, answers: &[ReadyAnswer], now: Timestamp) -> Result<Written, StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(TURN).execute(&mut *tx).await?;
        let lists =
            |list: fn(&ReadyAnswer) -> Vec<String>| answers.iter().map(|a| list(a).join("\n")).collect::<Vec<_>>();
        let hash = |answer: &ReadyAnswer| {
            let whole = serde_json::to_vec(answer).unwrap_or_default();
            Sha256::digest(&whole).to_vec()
        };
        let changed = sqlx::query(
            "INSERT INTO ready_answer AS r (id, tenant, title, language, kinds, alike, words, organisations, text, hash, read_at, search)
             SELECT id, tenant, title, language, string_to_array(kinds, E'\\n'), string_to_array(alike, E'\\n'), string_to_array(words, E'\\n'),
                string_to_array(organisations, E'\\n'), text, hash, $11,
                setweight(lanka_ready_words(language, title || ' ' || replace(words, E'\\n', ' ')), 'A') || setweight(lanka_ready_words(language, text), 'D')
             FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bytea[])
                AS a(id, tenant, title, language, kinds, alike, words, organisations, text, hash)
             ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, title = excluded.title, language = excluded.language,
                kinds = excluded.kinds, alike = excluded.alike, words = excluded.words, organisations = excluded.organisations,
                text = excluded.text, hash = excluded.hash, read_at = excluded.read_at, search = excluded.search, gone_at = NULL
             WHERE r.hash <> excluded.hash OR r.gone_at IS NOT NULL",
        )
        .bind(answers.iter().map(|a| a.id.as_str()).collect::<Vec<_>>())
        .bind(answers.iter().map(|a| a.tenant.as_deref()).collect::<Vec<_>>())
        .bind(answers.iter().map(|a| a.title.as_str()).collect::<Vec<_>>())
        .bind(answers.iter().map(|a| a.language.as_str()).collect::<Vec<_>>())
        .bind(lists(|a| a.kinds.iter().map(|kind| kind.as_str().to_owned()).collect()))
        .bind(lists(|a| a.like.iter().map(|like| like.as_str().to_owned()).collect()))
        .bind(lists(|a| a.words.clone()))
        .bind(lists(|a| a.organisations.clone()))
        .bind(answers.iter().map(|a| a.text.as_str()).collect::<Vec<_>>())
        .bind(answers.iter().map(hash).collect::<Vec<_>>())
        .bind(sql_time(now))
        .execute(&mut *tx)
        .await?
        .rows_affected();
        let gone = sqlx::query("UPDATE ready_answer SET gone_at = $2 WHERE gone_at IS NULL AND id <> ALL($1)")
            .bind(answers.iter().map(|a| a.id.as_str()).collect::<Vec<_>>())
            .bind(sql_time(now))
            .execute(&mut *tx)
            .await?
            .rows_affected();
        // Those that nobody used and nobody was offered are no loss.
        sqlx::query(
            "DELETE FROM ready_answer a WHERE gone_at IS NOT NULL AND NOT EXISTS (SELECT FROM ready_answer_use u WHERE u.answer_id = a.id)
                AND NOT EXISTS (SELECT FROM ready_offer o WHERE o.answer_id = a.id)",
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Written { changed, gone })
    }

    /// All ready answers that there are, with their texts.
    pub async fn ready_answers(&self) -> Result<Vec<(String, Option<String>, String)>, StoreError> {
        let sql = "SELECT id, tenant, text FROM ready_answer WHERE gone_at IS NULL ORDER BY id";
        Ok(sqlx::query_as(sql).fetch_all(&self.pool).await?)
    }

    /// What is there, and how it is used, by id.
    pub async fn ready_lines(&self) -> Result<Vec<ReadyLine>, StoreError> {
        let rows = sqlx::query("SELECT * FROM report_ready_answer ORDER BY is_there DESC, answer_id")
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(ReadyLine {
                    id: row.try_get("answer_id")?,
                    tenant: row.try_get("tenant")?,
                    title: row.try_get("title")?,
                    language: row.try_get("language")?,
                    kinds: row.try_get("kinds")?,
                    is_there: row.try_get("is_there")?,
                    offered: row.try_get("offered")?,
                    used: row.try_get("used")?,
                    last_used_at: row
                        .try_get::<Option<jiff_sqlx::Timestamp>, _>("last_used_at")?
                        .map(|at| at.to_jiff()),
                })
            })
            .collect()
    }

    /// Whether a firm has a ready answer of this id.
    pub async fn has_ready_answer(&self, tenant: &str, id: &str) -> Result<bool, StoreError> {
        let sql =
            "SELECT EXISTS (SELECT FROM ready_answer WHERE id = $2 AND gone_at IS NULL AND coalesce(tenant, $1) = $1)";
        Ok(sqlx::query_scalar(sql).bind(tenant).bind(id).fetch_one(&self.pool).await?)
    }

    /// What fits what is asked on a ticket, the best first.
    pub async fn ready_offers(&self, ticket: TicketId) -> Result<Vec<Offered>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let asked = asked(&mut connection, &[ticket.0], self.reader.language.code()).await?;
        Ok(offers(&mut connection, &asked).await?.remove(&ticket).unwrap_or_default())
    }

    /// That answers were made of ready ones. What is known already is not counted again.
    pub async fn note_ready_use(
        &self,
        uses: &[(MessageId, String, String)],
        by: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        note_use(&mut connection, uses, by, at).await
    }
}

/// Takes what is to be looked at, at most so many.
pub async fn take(connection: &mut PgConnection, most: i64) -> Result<Vec<Look>, StoreError> {
    hold_off(connection).await?;
    let rows: Vec<(i64, String, Uuid, Uuid)> = sqlx::query_as(
        "DELETE FROM ready_look WHERE n IN (SELECT n FROM ready_look ORDER BY n LIMIT $1 FOR UPDATE SKIP LOCKED)
         RETURNING n, tenant, coalesce((SELECT m.ticket_id FROM message m WHERE m.id = message_id), ticket_id), message_id",
    )
    .bind(most)
    .fetch_all(connection)
    .await?;
    let look = |(n, tenant, ticket, message)| Look { n, tenant, ticket: TicketId(ticket), message: MessageId(message) };
    let mut looks: Vec<Look> = rows.into_iter().map(look).collect();
    looks.sort_by_key(|look| look.n);
    Ok(looks)
}

/// What agents said to customers, of some messages: no notes, and nothing that a program wrote.
pub async fn agents_words(connection: &mut PgConnection, messages: &[Uuid]) -> Result<Vec<AgentsWords>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, tenant, received_at, text FROM message WHERE id = ANY($1) AND direction = 'from_agent' AND auto IS NULL
            AND redacted_at IS NULL AND NOT 'internal' = ANY(marks) AND text <> ''",
    )
    .bind(messages)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(AgentsWords {
                message: MessageId(row.try_get("id")?),
                tenant: row.try_get("tenant")?,
                at: time(row, "received_at")?,
                text: row.try_get("text")?,
            })
        })
        .collect()
}

/// That answers were made of ready ones: message, firm, ready answer.
pub async fn note_use(
    connection: &mut PgConnection,
    uses: &[(MessageId, String, String)],
    by: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO ready_answer_use (message_id, tenant, answer_id, by, at) SELECT u.*, $4, $5
         FROM unnest($1::uuid[], $2::text[], $3::text[]) AS u ON CONFLICT (message_id, answer_id) DO NOTHING",
    )
    .bind(uses.iter().map(|(message, ..)| message.0).collect::<Vec<_>>())
    .bind(uses.iter().map(|(_, tenant, _)| tenant.as_str()).collect::<Vec<_>>())
    .bind(uses.iter().map(|(.., answer)| answer.as_str()).collect::<Vec<_>>())
    .bind(by)
    .bind(sql_time(at))
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes down what is offered on tickets. Given back are the tickets on which something is that was not before.
pub async fn note_offers(
    connection: &mut PgConnection,
    offers: &[(&Asked, &[Offered])],
    now: Timestamp,
) -> Result<HashSet<TicketId>, StoreError> {
    let rows: Vec<(&Asked, &str)> =
        offers.iter().flat_map(|(asked, offers)| offers.iter().map(|offered| (*asked, offered.id.as_str()))).collect();
    let new: Vec<Uuid> = sqlx::query_scalar(
        "INSERT INTO ready_offer (ticket_id, answer_id, tenant, message_id, at) SELECT o.*, $5
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[]) AS o ON CONFLICT (ticket_id, answer_id) DO NOTHING RETURNING ticket_id",
    )
    .bind(rows.iter().map(|(asked, _)| asked.ticket.0).collect::<Vec<_>>())
    .bind(rows.iter().map(|(_, answer)| *answer).collect::<Vec<_>>())
    .bind(rows.iter().map(|(asked, _)| asked.tenant.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|(asked, _)| asked.message.0).collect::<Vec<_>>())
    .bind(sql_time(now))
    .fetch_all(connection)
    .await?;
    Ok(new.into_iter().map(TicketId).collect())
}

/// Queues changes of a firm for those of its mirrors that have the tickets. Whether any has.
pub async fn tell(
    store: &Store,
    connection: &mut PgConnection,
    (tenant, mirrors): (&str, &[String]),
    told: Vec<Told>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    use crate::pure::domain::decision::Hearers;
    let tickets: Vec<Uuid> = told.iter().map(|told| told.ticket.0).collect();
    let sql = "SELECT ticket_id, mirror FROM lane WHERE ticket_id = ANY($1) AND mirror = ANY($2)";
    let lanes: HashSet<(Uuid, String)> =
        sqlx::query_as(sql).bind(tickets).bind(mirrors).fetch_all(&mut *connection).await?.into_iter().collect();
    let heard = |told: &Told, mirror: &String| lanes.contains(&(told.ticket.0, mirror.clone()));
    let told: Vec<Told> = told
        .iter()
        .flat_map(|told| {
            let hearing = mirrors.iter().filter(|mirror| heard(told, mirror));
            hearing.map(|mirror| Told { hearers: Hearers::Only(mirror.clone()), ..told.clone() })
        })
        .collect();
    let mut mint = store.mint();
    queue(connection, tenant, &told, mirrors, (now, store.has_peers()), &mut mint).await?;
    Ok(!told.is_empty())
}

/// What is asked on tickets. One on which no customer said anything is left out.
pub async fn asked(connection: &mut PgConnection, tickets: &[Uuid], desks: &str) -> Result<Vec<Asked>, StoreError> {
    let rows = sqlx::query(
        "SELECT k.id, k.tenant, k.number, k.kind, k.state = 'open' AND k.merged_into IS NULL AS is_open, m.id AS message_id, m.direction, m.subject,
            m.text, m.occurred_at, m.channel_kind, c.name,
            (SELECT string_agg(DISTINCT split_part(i.value, '@', 2), ' ') FROM ticket_participant p JOIN identity i ON i.contact_id = p.contact_id
             WHERE p.ticket_id = k.id AND i.scheme = 'mailto') AS domains
         FROM ticket k CROSS JOIN LATERAL (
            SELECT id, direction, subject, left(coalesce(own_text, text), 4000) AS text, occurred_at, kind AS channel_kind, identity_id FROM message
            WHERE ticket_id = k.id AND auto IS NULL AND redacted_at IS NULL AND NOT 'internal' = ANY(marks)
            ORDER BY occurred_at DESC, id DESC LIMIT $2
         ) m LEFT JOIN identity i ON i.id = m.identity_id LEFT JOIN contact c ON c.id = i.contact_id
         WHERE k.id = ANY($1) ORDER BY k.id, m.occurred_at DESC, m.id DESC",
    )
    .bind(tickets)
    .bind(SPOKEN_MAX)
    .fetch_all(connection)
    .await?;
    let mut by_ticket: BTreeMap<Uuid, Vec<&PgRow>> = BTreeMap::new();
    for row in &rows {
        by_ticket.entry(row.try_get("id")?).or_default().push(row);
    }
    let mut all = Vec::new();
    for (ticket, rows) in by_ticket {
        all.extend(asked_on(TicketId(ticket), &rows, desks)?);
    }
    Ok(all)
}

fn asked_on(ticket: TicketId, rows: &[&PgRow], desks: &str) -> Result<Option<Asked>, StoreError> {
    let mut spoken = Vec::with_capacity(rows.len());
    for row in rows {
        let (subject, text) = (row.try_get("subject")?, row.try_get("text")?);
        spoken.push(Spoken { direction: direction(row.try_get("direction")?), subject, text });
    }
    let last = spoken.iter().position(|said| said.direction == Direction::FromCustomer).and_then(|at| rows.get(at));
    let (Some(row), Some(question)) = (last, question(&spoken)) else { return Ok(None) };
    let kinds: Vec<String> = row.try_get("kind")?;
    let like = channels::like(row.try_get("channel_kind")?).unwrap_or(Like::Chat);
    let whole = format!("{}\n{}", question.now, question.before);
    let spoken_in = language(&question.now).or_else(|| language(&whole)).unwrap_or(desks).to_owned();
    let has_last_word = spoken.first().is_some_and(|said| said.direction == Direction::FromCustomer);
    let domains: Option<String> = row.try_get("domains")?;
    Ok(Some(Asked {
        ticket,
        tenant: row.try_get("tenant")?,
        number: row.try_get("number")?,
        kinds: kinds.iter().filter_map(|kind| MatterKind::parse(kind)).collect(),
        waits: has_last_word && row.try_get("is_open")?,
        message: MessageId(row.try_get("message_id")?),
        at: time(row, "occurred_at")?,
        name: row.try_get("name")?,
        like,
        domains: domains.unwrap_or_default().split(' ').map(str::to_lowercase).collect(),
        question,
        language: spoken_in,
    }))
}

/// What fits, ticket by ticket, in a constant number of queries.
pub async fn offers(
    connection: &mut PgConnection,
    asked: &[Asked],
) -> Result<BTreeMap<TicketId, Vec<Offered>>, StoreError> {
    let terms = terms(connection, asked).await?;
    let counts: BTreeMap<String, i64> =
        sqlx::query_as("SELECT language, count(*) FROM ready_answer WHERE gone_at IS NULL GROUP BY language")
            .fetch_all(&mut *connection)
            .await?
            .into_iter()
            .collect();
    let shared = shared(connection, asked, &terms).await?;
    let mut all = BTreeMap::new();
    let mut wanted: Vec<String> = Vec::new();
    for (asked, (terms, (shared, fits))) in asked.iter().zip(terms.iter().zip(&shared)) {
        let count = counts.get(&asked.language).copied().unwrap_or_default();
        let ranked = rank(terms, shared, fits, &asked.kinds, usize::try_from(count).unwrap_or_default());
        wanted.extend(ranked.iter().map(|ranked| ranked.answer.clone()));
        all.insert(asked.ticket, (asked, ranked));
    }
    let rows: Vec<(String, String, String)> =
        sqlx::query_as("SELECT id, title, text FROM ready_answer WHERE id = ANY($1)")
            .bind(&wanted)
            .fetch_all(connection)
            .await?;
    let texts: BTreeMap<String, (String, String)> =
        rows.into_iter().map(|(id, title, text)| (id, (title, text))).collect();
    let offered = all.into_iter().map(|(ticket, (asked, ranked))| {
        let each = ranked.into_iter().filter_map(|ranked| {
            let (title, text) = texts.get(&ranked.answer)?.clone();
            let (text, score) =
                (filled(&text, asked.number, asked.name.as_deref()), (ranked.score * 1000.0).round() / 1000.0);
            Some(Offered {
                id: ranked.answer,
                title,
                language: asked.language.clone(),
                score,
                words: ranked.words,
                text,
            })
        });
        (ticket, each.collect())
    });
    Ok(offered.collect())
}

/// The words of each question, as they are compared.
async fn terms(connection: &mut PgConnection, asked: &[Asked]) -> Result<Vec<Vec<Term>>, StoreError> {
    let numbers: Vec<i32> = (0..).take(asked.len()).collect();
    let rows: Vec<(i32, String, bool)> = sqlx::query_as(
        "SELECT a.n, t.stem, t.is_now FROM unnest($1::int[], $2::text[], $3::text[], $4::text[]) AS a(n, language, now, before) CROSS JOIN LATERAL (
            SELECT w.stem, bool_or(w.is_now) AS is_now, min(w.place) AS place FROM (
                SELECT lexeme AS stem, true AS is_now, positions[1]::int AS place FROM unnest(lanka_ready_words(a.language, a.now))
                UNION ALL
                SELECT lexeme, false, positions[1]::int FROM unnest(lanka_ready_words(a.language, a.before))
            ) w WHERE length(w.stem) BETWEEN 2 AND 40 AND w.stem !~ '[0-9]' GROUP BY w.stem ORDER BY 2 DESC, 3, 1 LIMIT $5
         ) t ORDER BY a.n, t.is_now DESC, t.place, t.stem",
    )
    .bind(numbers)
    .bind(asked.iter().map(|asked| asked.language.as_str()).collect::<Vec<_>>())
    .bind(asked.iter().map(|asked| asked.question.now.as_str()).collect::<Vec<_>>())
    .bind(asked.iter().map(|asked| asked.question.before.as_str()).collect::<Vec<_>>())
    .bind(i64::try_from(TERMS_MAX).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    let mut terms = vec![Vec::new(); asked.len()];
    for (n, stem, is_now) in rows {
        if let Some(of) = usize::try_from(n).ok().and_then(|n| terms.get_mut(n)) {
            of.push(Term { stem, is_now });
        }
    }
    Ok(terms)
}

/// The words that a question shares with answers, and what those are for.
type SharedOf = (Vec<Shared>, BTreeMap<String, Fit>);

/// The words that each question shares with the answers that may be given there.
async fn shared(
    connection: &mut PgConnection,
    asked: &[Asked],
    terms: &[Vec<Term>],
) -> Result<Vec<SharedOf>, StoreError> {
    let mut all: Vec<SharedOf> = asked.iter().map(|_| SharedOf::default()).collect();
    let flat: Vec<(i32, &Term)> =
        (0..).zip(terms).flat_map(|(n, terms)| terms.iter().map(move |term| (n, term))).collect();
    let rows = sqlx::query(
        "WITH term AS (SELECT * FROM unnest($7::int[], $8::text[], $9::text[]) AS t(n, stem, beginning))
         SELECT a.n, r.id, r.kinds, r.organisations <> '{}' AS is_theirs, t.stem, w.lexeme AS found, 'A' = ANY(w.weights) AS in_title
         FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) AS a(n, tenant, language, alike, domains, query)
         JOIN ready_answer r ON r.gone_at IS NULL AND r.language = a.language AND coalesce(r.tenant, a.tenant) = a.tenant
            AND (r.alike = '{}' OR a.alike = ANY(r.alike)) AND (r.organisations = '{}' OR r.organisations && string_to_array(a.domains, ' '))
            AND r.search @@ a.query::tsquery
         CROSS JOIN LATERAL unnest(r.search) AS w
         JOIN term t ON t.n = a.n AND (w.lexeme = t.stem OR (t.beginning <> '' AND starts_with(w.lexeme, t.beginning)))",
    )
    .bind((0..).take(asked.len()).collect::<Vec<i32>>())
    .bind(asked.iter().map(|asked| asked.tenant.as_str()).collect::<Vec<_>>())
    .bind(asked.iter().map(|asked| asked.language.as_str()).collect::<Vec<_>>())
    .bind(asked.iter().map(|asked| asked.like.as_str()).collect::<Vec<_>>())
    .bind(asked.iter().map(|asked| asked.domains.join(" ")).collect::<Vec<_>>())
    .bind(terms.iter().map(|terms| query(terms)).collect::<Vec<_>>())
    .bind(flat.iter().map(|(n, _)| *n).collect::<Vec<_>>())
    .bind(flat.iter().map(|(_, term)| term.stem.as_str()).collect::<Vec<_>>())
    .bind(flat.iter().map(|(_, term)| beginning(&term.stem).unwrap_or_default()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    for row in rows {
        let n: i32 = row.try_get("n")?;
        let Some((shared, fits)) = usize::try_from(n).ok().and_then(|n| all.get_mut(n)) else { continue };
        let (answer, kinds): (String, Vec<String>) = (row.try_get("id")?, row.try_get("kinds")?);
        let kinds = kinds.iter().filter_map(|kind| MatterKind::parse(kind)).collect();
        fits.insert(answer.clone(), Fit { kinds, is_theirs: row.try_get("is_theirs")? });
        let (stem, found, in_title) = (row.try_get("stem")?, row.try_get("found")?, row.try_get("in_title")?);
        shared.push(Shared { answer, stem, found, in_title });
    }
    Ok(all)
}
