//! `growth_ratio`: what a message costs with years of history stored, against what it costs on an
//! almost empty database, each in units of plain inserts at the same place.
//!
//! The history is made by bulk SQL with keys as real ones: random hashes in the indexes of keys,
//! ids in order of time, a year of monthly partitions. Half of the people who write for the first
//! time in the measured corpus are in it, so that what is read lies anywhere in the tables.

use crate::corpus::{Corpus, Item, Person};
use crate::desk::{Desk, Server};
use crate::rows::{self, By, Written};
use crate::{median, number};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use sqlx::{AssertSqlSafe, PgConnection};
use std::time::Instant;

/// Rounds of measurements.
const ROUNDS: usize = 3;

/// The database with a history.
const BIG: &str = "growth_big";

/// The time that the corpus of a round spans.
const SPAN_S: i64 = 20 * 24 * 3600;

/// Messages of history for each contact.
const MESSAGES_PER_CONTACT: u64 = 3;

/// Measures with `contacts` in the history and `count` messages a round.
pub async fn measure(server: &Server, contacts: u64, count: usize) -> Map<String, Value> {
    let began = Instant::now();
    let big = server.desk(BIG).await;
    fill(server, BIG, contacts).await;
    let bytes = big.count("SELECT pg_database_size(current_database())").await;
    eprintln!("growth: {contacts} contacts made in {:.0} s, {} MB", began.elapsed().as_secs_f64(), bytes / 1_000_000);
    let (mut ratios, mut raw) = (vec![], vec![]);
    for round in 0..ROUNDS as u64 {
        let small = server.desk("growth_small").await;
        let small_ours = ours(server, &small, "growth_small", &items(200 + round, count, contacts)).await;
        small.store.pool.close().await;
        server.drop("growth_small").await;
        let other = server.desk("growth_small").await;
        ours(server, &other, "growth_small", &items(300 + round, count, 0)).await;
        let written = rows::read(server, "growth_small").await;
        other.store.pool.close().await;
        server.drop("growth_small").await;
        server.empty("growth_plain").await;
        let small_plain = plain(server, &written, "growth_plain").await;
        server.drop("growth_plain").await;
        let big_plain = plain(server, &written, BIG).await;
        let big_ours = ours(server, &big, BIG, &items(200 + round, count, contacts)).await;
        let ratio = (big_ours / big_plain) / (small_ours / small_plain);
        eprintln!(
            "growth, round {}: empty: ours {:.0}/s, plain {:.0}/s; full: ours {:.0}/s, plain {:.0}/s; plain growth {:.3}, ratio {ratio:.3}",
            round + 1,
            1.0 / small_ours,
            1.0 / small_plain,
            1.0 / big_ours,
            1.0 / big_plain,
            big_plain / small_plain
        );
        ratios.push(ratio);
        raw.push([small_ours, small_plain, big_ours, big_plain]);
    }
    big.store.pool.close().await;
    server.drop(BIG).await;
    let rates = |which: usize| raw.iter().map(|times| number(1.0 / times[which])).collect::<Vec<_>>();
    let growth = |of: usize, to: usize| number(median(raw.iter().map(|times| times[of] / times[to]).collect()));
    let figures = json!({
        "contacts": contacts, "messages_stored": contacts * MESSAGES_PER_CONTACT, "messages_a_round": count,
        "database_mb": bytes / 1_000_000,
        "empty_ingest_per_s": rates(0), "empty_plain_per_s": rates(1), "full_ingest_per_s": rates(2), "full_plain_per_s": rates(3),
        "plain_growth": growth(3, 1), "ingest_growth": growth(2, 0),
        "ratios": ratios.iter().copied().map(number).collect::<Vec<_>>(),
    });
    let plain_growth = growth(3, 1);
    Map::from_iter([
        ("growth_ratio".to_owned(), number(median(ratios))),
        ("plain_growth_ratio".to_owned(), plain_growth),
        ("growth".to_owned(), figures),
    ])
}

/// A stream of which half of the new people are among the first `population`.
pub fn items(seed: u64, count: usize, population: u64) -> Vec<Item> {
    let step = SignedDuration::from_secs(SPAN_S) / i32::try_from(count).unwrap_or(i32::MAX);
    let start = Timestamp::now().saturating_sub(SignedDuration::from_secs(SPAN_S + 60)).expect("a time");
    Corpus::new(seed, start, step).among(population).take(count).collect()
}

/// Seconds a message of ingest.
async fn ours(server: &Server, desk: &Desk, database: &str, items: &[Item]) -> f64 {
    desk.record(items).await;
    server.settle().await;
    server.watch_statements(database).await;
    let began = Instant::now();
    desk.decide().await;
    let seconds = began.elapsed().as_secs_f64();
    assert_eq!(desk.count("SELECT count(*) FROM raw_pending").await, 0, "something was not decided");
    server.show_statements(database, seconds).await;
    seconds / items.len() as f64
}

/// Seconds a message of plain inserts.
async fn plain(server: &Server, written: &Written, database: &str) -> f64 {
    server.settle().await;
    written.write(server, database, By::Copy).await.as_secs_f64() / written.messages as f64
}

/// Makes the history in a database that has its tables.
pub async fn fill(server: &Server, database: &str, contacts: u64) {
    let mut connection = server.connect(database).await;
    let indexes: Vec<(String, String)> = sqlx::query_as(
        "SELECT i.indexrelid::regclass::text, replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ')
         FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
         WHERE n.nspname = 'public' AND NOT t.relispartition
            AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)",
    )
    .fetch_all(&mut connection)
    .await
    .expect("the indexes");
    for (name, _) in &indexes {
        run(&mut connection, &format!("DROP INDEX {name}")).await;
    }
    people(&mut connection, contacts).await;
    let tickets = contacts * 27 / 20;
    let messages = contacts * MESSAGES_PER_CONTACT;
    let end_ms = (Timestamp::now().as_millisecond() - (SPAN_S + 3 * 86_400) * 1000).max(0);
    let step_ms = (360 * 86_400_000 / messages as i64).max(1);
    let start_ms = end_ms - step_ms * messages as i64;
    let prelude = PRELUDE
        .replace("CONTACTS", &contacts.to_string())
        .replace("TICKETS", &tickets.to_string())
        .replace("MESSAGES", &messages.to_string())
        .replace("START", &start_ms.to_string())
        .replace("STEP", &step_ms.to_string());
    run(&mut connection, &prelude).await;
    run(&mut connection, FILL[0]).await;
    // The others know nothing of one another: two at a time.
    let (left, right) = FILL[1..].split_at(FILL.len() / 2);
    let side = async |statements: &[&str]| {
        let mut connection = server.connect(database).await;
        run(&mut connection, "SET session_replication_role = replica").await;
        for statement in statements {
            run(&mut connection, statement).await;
        }
    };
    tokio::join!(side(left), side(right));
    let (left, right) = indexes.split_at(indexes.len() / 2);
    let side = async |indexes: &[(String, String)]| {
        let mut connection = server.connect(database).await;
        run(&mut connection, "SET maintenance_work_mem = '512MB'; SET max_parallel_maintenance_workers = 0").await;
        for (_, definition) in indexes {
            run(&mut connection, definition).await;
        }
    };
    tokio::join!(side(left), side(right));
    run(&mut connection, "DROP SCHEMA history CASCADE").await;
    // Alone: not within the transaction that several statements at once are.
    run(&mut connection, "VACUUM ANALYZE").await;
    run(&mut connection, "CHECKPOINT").await;
}

async fn run(connection: &mut PgConnection, sql: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// The people of the corpus, by their numbers.
async fn people(connection: &mut PgConnection, contacts: u64) {
    let table = "CREATE SCHEMA history;
        CREATE UNLOGGED TABLE history.person (n bigint PRIMARY KEY, name text, email text, phone text, psid text)";
    run(connection, table).await;
    let mut copy = connection.copy_in_raw("COPY history.person FROM STDIN").await.expect("COPY");
    let mut lines = String::new();
    for serial in 1..=contacts {
        let person = Person::of(serial);
        lines.push_str(&format!(
            "{serial}\t{}\t{}\t+{}\t{}\n",
            person.name,
            person.email,
            person.number(),
            person.psid()
        ));
        if lines.len() > 1_000_000 || serial == contacts {
            copy.send(std::mem::take(&mut lines).into_bytes()).await.expect("people");
        }
    }
    copy.finish().await.expect("people");
}

/// Ids in order of time; times of messages; who is on which ticket.
const PRELUDE: &str = "
    SELECT lanka_ensure_month(month) FROM generate_series(date_trunc('month', to_timestamp(START / 1000.0)), now(), interval '1 month') month;
    CREATE FUNCTION history.ms(k bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT START + k * STEP';
    CREATE FUNCTION history.at(k bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
        'SELECT to_timestamp((START + k * STEP) / 1000.0)';
    CREATE FUNCTION history.id(k bigint, kind int, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
        $$ SELECT (lpad(to_hex(START + k * STEP), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '8' || lpad(to_hex(n), 15, '0'))::uuid $$;
    CREATE FUNCTION history.key(what text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
        'SELECT md5(what || n)::uuid';
    CREATE TABLE history.size AS SELECT CONTACTS::bigint AS contacts, TICKETS::bigint AS tickets, MESSAGES::bigint AS messages;
    CREATE FUNCTION history.contacts() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT CONTACTS::bigint';
    CREATE FUNCTION history.tickets() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT TICKETS::bigint';
    CREATE FUNCTION history.messages() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT MESSAGES::bigint';
    CREATE UNLOGGED TABLE history.ticket AS
        SELECT t, 1 + (t - 1) % CONTACTS AS person, 1 + (t - 1) * MESSAGES / TICKETS AS first, t * MESSAGES / TICKETS AS last
        FROM generate_series(1, TICKETS::bigint) t;
    CREATE UNLOGGED TABLE history.message AS
        SELECT k, t.t, t.person FROM history.ticket t CROSS JOIN LATERAL generate_series(t.first, t.last) k;
    ANALYZE history.ticket, history.message";

/// The tables. `history.id(…, kind, …)`: 1 contact, 2 identity, 3 ticket, 4 message, 5 delivery, 6 fact, 7 event, 8 outbox, 9 others.
const FILL: &[&str] = &[
    // The one that the others refer to, first.
    "INSERT INTO contact (id, tenant, kind, name, first_at) SELECT history.id(0, 1, n), 'main', 'person', name, history.at(0) FROM history.person ORDER BY n",
    "INSERT INTO identity (id, tenant, scheme, scope, value, epoch, contact_id, assurance, names, first_at, last_at, last_ticket, last_message)
     SELECT history.id(0, 2, p.n * 4 + i.n), 'main', i.scheme, i.scope, i.value, 1, history.id(0, 1, p.n), 3, ARRAY[p.name],
        history.at(0), history.at(t.last), history.id(t.first, 3, t.t), history.id(t.last, 4, t.last)
     FROM history.person p
     JOIN history.ticket t ON t.t = CASE WHEN p.n + history.contacts() <= history.tickets() THEN p.n + history.contacts() ELSE p.n END
     CROSS JOIN LATERAL (VALUES (0, 'mailto', '', p.email, true), (1, 'tel', '', p.phone, p.n % 3 = 0), (2, 'messenger', '1055', p.psid, p.n % 5 = 0))
        AS i(n, scheme, scope, value, there)
     WHERE i.there",
    "INSERT INTO ticket (id, tenant, state, title, kind, priority, opened_at, last_at, closed_at, opened_by)
     SELECT history.id(first, 3, t), 'main', CASE WHEN t > history.tickets() * 0.96 THEN 'open' ELSE 'closed' END, 'Reklamaatio', '{problem}', 'normal',
        history.at(first), history.at(last), CASE WHEN t > history.tickets() * 0.96 THEN NULL ELSE history.at(last) + interval '1 day' END,
        history.id(first, 4, first)
     FROM history.ticket ORDER BY t",
    "INSERT INTO ticket_participant (contact_id, ticket_id, entitled_by, since)
     SELECT history.id(0, 1, person), history.id(first, 3, t), 'opener', history.at(first) FROM history.ticket ORDER BY person, t",
    "INSERT INTO message (id, tenant, raw_event, item, channel, kind, namespace, source_key, direction, identity_id, ticket_id, sender_name,
        occurred_at, trusted_at, received_at, subject, text, assurance, priority, numbers)
     SELECT history.id(k, 4, k), 'main', history.id(k, 5, k), 0, 'mail', 'maildir', 'mail', 'h' || k || '@posti.example', 'from_customer',
        history.id(0, 2, person * 4), history.id(1 + (t - 1) * history.messages() / history.tickets(), 3, t), NULL, history.at(k), history.at(k), history.at(k), 'Reklamaatio',
        repeat('Paketin piti tulla jo viime viikolla, mutta seuranta ei. ', 6), 3, 'normal', '{}'
     FROM history.message ORDER BY k",
    "INSERT INTO attachment (message_id, ordinal, name, media_type, bytes, content_hash)
     SELECT history.id(k, 4, k), 0, 'kuva.jpg', 'image/jpeg', 60000, decode(md5('a' || k) || md5('b' || k), 'hex')
     FROM history.message WHERE k % 22 = 0 ORDER BY k",
    "INSERT INTO raw_item (raw_event, item, role, what, source_key, message_id)
     SELECT history.id(k, 5, k), 0, 'first', 'message', 'h' || k || '@posti.example', history.id(k, 4, k) FROM history.message ORDER BY k",
    "INSERT INTO decision (message_id, tenant, contact_id, ticket_id, resolution, placement, reasons, at)
     SELECT history.id(k, 4, k), 'main', history.id(0, 1, person), history.id(1 + (t - 1) * history.messages() / history.tickets(), 3, t), 'known', 'join',
        '[{\"rule\": \"reference\", \"text\": \"the mail answers one of the same contact\", \"by_message\": null}]', history.at(k)
     FROM history.message ORDER BY k",
    "INSERT INTO outbox (id, tenant, mirror, ticket_id, sequence, change, message_id, decided_at, state, attempts, due_at, settled_at)
     SELECT history.id(k, 8, k), 'main', 'desk', history.id(1 + (t - 1) * history.messages() / history.tickets(), 3, t), 1, 'message_added',
        history.id(k, 4, k), history.at(k), 'delivered', 1, history.at(k), history.at(k)
     FROM history.message ORDER BY k",
    "INSERT INTO lane (ticket_id, mirror, last_sequence) SELECT history.id(first, 3, t), 'desk', 1 + last - first FROM history.ticket ORDER BY t",
    "INSERT INTO seen (scope, key_hash, message_id, first_at)
     SELECT 'main/mail', history.key('s', k), history.id(k, 4, k), history.at(k) FROM history.message ORDER BY 2",
    "INSERT INTO seen (scope, key_hash, message_id, first_at)
     SELECT 'raw/main/mail', history.key('r', k), history.id(k, 5, k), history.at(k) FROM history.message ORDER BY 2",
    "INSERT INTO raw_event (id, tenant, channel, kind, received_at, origin, body, bytes)
     SELECT history.id(k, 5, k), 'main', 'mail', 'maildir', history.at(k), 'history', '\\x00'::bytea || decode(md5(k::text), 'hex'), 17 FROM history.message ORDER BY k",
    "INSERT INTO fact (id, tenant, kind, name, key_hash, mask, place, identity_id, message_id, channel, assurance, at, received_at)
     SELECT history.id(k, 6, k), 'main', 'name', '', history.key('n', (random() * random() * 3000)::bigint), 'M. V.', 'signature',
        history.id(0, 2, person * 4), history.id(k, 4, k), 'mail', 3, history.at(k), history.at(k)
     FROM history.message ORDER BY k",
    "INSERT INTO fact (id, tenant, kind, name, role, key_hash, mask, place, identity_id, message_id, channel, assurance, at, received_at)
     SELECT history.id(k, 6, k + 10000000), 'main', 'number', 'order', 'secret', history.key('o', t), '4…', 'text',
        history.id(0, 2, person * 4), history.id(k, 4, k), 'mail', 3, history.at(k), history.at(k)
     FROM history.message WHERE k % 5 < 3 ORDER BY k",
    "INSERT INTO fact (id, tenant, kind, name, key_hash, mask, place, identity_id, message_id, channel, assurance, at, received_at)
     SELECT history.id(k, 6, k + 20000000), 'main', 'claim', 'tel', history.key('c', person), '+358…', 'signature',
        history.id(0, 2, person * 4), history.id(k, 4, k), 'mail', 3, history.at(k), history.at(k)
     FROM history.message WHERE k % 5 < 2 ORDER BY k",
    "INSERT INTO ticket_reference (key_hash, kind, name, tenant, ticket_id, message_id, direction, at)
     SELECT history.key('m', k), 'message', '', 'main', history.id(1 + (t - 1) * history.messages() / history.tickets(), 3, t), history.id(k, 4, k), 'from_customer', history.at(k)
     FROM history.message ORDER BY k",
    "INSERT INTO ticket_reference (key_hash, kind, name, tenant, ticket_id, message_id, direction, at)
     SELECT history.key('o', t), 'number', 'order', 'main', history.id(first, 3, t), history.id(first, 4, first), 'from_customer', history.at(first)
     FROM history.ticket WHERE t % 5 < 3 ORDER BY t",
    "INSERT INTO ticket_event (id, tenant, ticket_id, kind, message_id, data, at)
     SELECT history.id(first, 7, t), 'main', history.id(first, 3, t), 'opened', history.id(first, 4, first), '{}', history.at(first) FROM history.ticket ORDER BY t",
    "INSERT INTO edge (id, tenant, identity_a, identity_b, class, bits, message_id, at)
     SELECT history.id(0, 9, n), 'main', history.id(0, 2, n * 4), history.id(0, 2, n * 4 + 1), 'order_and_name', 20, history.id(n, 4, n), history.at(n)
     FROM history.person WHERE n % 3 = 0",
    "INSERT INTO suggestion (id, tenant, message_id, target_kind, target, by_message, bits, why, at)
     SELECT history.id(first, 9, t), 'main', history.id(first, 4, first), 'contact', history.id(0, 1, person), history.id(last, 4, last), 8, 'the same name', history.at(first)
     FROM history.ticket WHERE t % 20 = 0",
];
