//! The views for reports, held to plain counts, to their documentation, and to telling nothing of anybody.

use crate::api::Office;
use crate::desk::call;
use serde_json::Value;
use sqlx::AssertSqlSafe;
use std::path::Path;

const VIEWS: [&str; 7] = [
    "report_ticket",
    "report_message",
    "report_contact",
    "report_channel_day",
    "report_ready_answer",
    "report_incident",
    "report_clock",
];

impl Office {
    async fn value(&self, sql: &str) -> Value {
        let sql = format!("SELECT coalesce(jsonb_agg(to_jsonb(t)), '[]') FROM ({sql}) t");
        sqlx::query_scalar(AssertSqlSafe(sql.clone()))
            .fetch_one(&self.desk.store.pool)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }
}

#[tokio::test]
async fn reports_count_what_plain_sql_counts() {
    let office = Office::open().await;
    office.story().await;
    // What the desk said, and a note.
    sqlx::query(
        "INSERT INTO message (id, tenant, raw_event, item, channel, kind, namespace, source_key, direction, identity_id, ticket_id, occurred_at,
            trusted_at, received_at, text, assurance, marks)
         SELECT lanka_uuid_floor(m.received_at + make_interval(hours => n)), tenant, raw_event, n, channel, kind, namespace, 'r' || n, 'from_agent',
            identity_id, ticket_id, occurred_at + make_interval(hours => n), trusted_at, received_at, 'Selvitämme.', 2,
            CASE WHEN n = 1 THEN ARRAY['internal'] ELSE '{}' END FROM message m, generate_series(1, 2) n WHERE m.source_key LIKE 'a@%'",
    )
    .execute(&office.desk.store.pool)
    .await
    .expect("answers");
    office.desk.take("phone", "2026-03-07T10:00:00Z", call("0401234567", "2026-03-07T09:00:00Z", "1.1")).await;
    sqlx::query("UPDATE message SET auto = 'vacation' WHERE source_key LIKE 'c@%'")
        .execute(&office.desk.store.pool)
        .await
        .expect("automatic");
    for (view, plain) in [
        ("SELECT count(*) AS n FROM report_ticket", "SELECT count(*) AS n FROM ticket WHERE merged_into IS NULL"),
        ("SELECT count(*) AS n FROM report_message", "SELECT count(*) AS n FROM message"),
        ("SELECT count(*) AS n FROM report_contact", "SELECT count(*) AS n FROM contact WHERE merged_into IS NULL"),
        (
            "SELECT tenant, sum(from_customer + from_agent + notes + automatic) AS n FROM report_ticket GROUP BY tenant ORDER BY tenant",
            "SELECT tenant, count(*) AS n FROM message WHERE ticket_id IS NOT NULL GROUP BY tenant ORDER BY tenant",
        ),
        (
            "SELECT ticket_id, from_customer FROM report_ticket ORDER BY ticket_id",
            "SELECT t.id AS ticket_id, (SELECT count(*) FROM message m WHERE m.ticket_id = t.id AND m.direction = 'from_customer' AND m.auto IS NULL) AS from_customer
             FROM ticket t WHERE t.merged_into IS NULL ORDER BY t.id",
        ),
        (
            "SELECT channel, sum(from_customer) AS said, sum(calls) AS calls, sum(automatic) AS automatic, sum(tickets_opened) AS opened FROM report_channel_day
             WHERE tenant = 'main' GROUP BY channel ORDER BY channel",
            "SELECT channel, count(*) FILTER (WHERE direction = 'from_customer' AND auto IS NULL) AS said, count(call) AS calls, count(auto) AS automatic,
                count(*) FILTER (WHERE id IN (SELECT opened_by FROM ticket)) AS opened FROM message WHERE tenant = 'main' GROUP BY channel ORDER BY channel",
        ),
        (
            "SELECT contact_id, tickets, addresses FROM report_contact ORDER BY contact_id",
            "SELECT c.id AS contact_id, (SELECT count(*) FROM ticket_participant p JOIN ticket t ON t.id = p.ticket_id AND t.merged_into IS NULL WHERE p.contact_id = c.id) AS tickets,
                (SELECT count(*) FROM identity i WHERE i.contact_id = c.id) AS addresses FROM contact c WHERE c.merged_into IS NULL ORDER BY c.id",
        ),
        (
            "SELECT message_id, contact_id, ticket_id FROM report_message ORDER BY 1",
            "SELECT m.id AS message_id, (SELECT i.contact_id FROM identity i WHERE i.id = m.identity_id), m.ticket_id FROM message m ORDER BY 1",
        ),
    ] {
        assert_eq!(office.value(view).await, office.value(plain).await, "{view}");
    }
    let ticket = office.of("a", "m.ticket_id").await;
    let answered = office.value(&format!("SELECT state, first_response_at = (SELECT min(occurred_at) FROM message WHERE direction = 'from_agent' AND ticket_id = '{ticket}'
        AND NOT 'internal' = ANY(marks)) AS first, first_response_s > 0 AS s, from_agent, notes FROM report_ticket WHERE ticket_id = '{ticket}'")).await;
    assert_eq!(answered[0]["first"], true, "{answered}");
    assert_eq!((&answered[0]["from_agent"], &answered[0]["notes"]), (&Value::from(1), &Value::from(1)), "{answered}");
    let talk = office.value("SELECT call_outcome, talk_s FROM report_message WHERE is_call").await;
    assert_eq!(talk, serde_json::json!([{"call_outcome": "answered", "talk_s": 60}]));
}

#[tokio::test]
async fn reports_tell_nothing_of_anybody() {
    let office = Office::open().await;
    office.story().await;
    office.ready().await;
    let incidents = "INSERT INTO incident (id, tenant, sort, terms, count, expected, began_at, found_at, last_at)
        SELECT gen_random_uuid(), t, 'customers', '{trouble:till}', 5, 0.2, now(), now(), now() FROM unnest('{main,other}'::text[]) AS t";
    sqlx::query(incidents).execute(&office.desk.store.pool).await.expect("incidents");
    let clocks = "INSERT INTO ticket_clock (ticket_id, tenant, clock, round, started_at, target_s, channel)
        SELECT id, tenant, 'solution', 1, now(), 60, 'mail' FROM ticket";
    sqlx::query(clocks).execute(&office.desk.store.pool).await.expect("clocks");
    for view in VIEWS {
        let rows = office.value(&format!("SELECT * FROM {view}")).await.to_string().to_lowercase();
        assert!(rows.len() > 2, "{view}");
        for word in ["minna", "virtanen", "posti.example", "pekka", "40012345", "puuttuu", "\"p1\"", "a@"] {
            assert!(!rows.contains(word), "{view} tells {word}: {rows}");
        }
        let tenants = office.value(&format!("SELECT DISTINCT tenant FROM {view} ORDER BY tenant")).await;
        assert_eq!(tenants, serde_json::json!([{"tenant": "main"}, {"tenant": "other"}]), "{view}");
    }
}

#[tokio::test]
async fn reports_are_documented_in_the_database_and_in_the_readme() {
    let office = Office::open().await;
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let found: Vec<String> =
        sqlx::query_scalar("SELECT viewname::text FROM pg_views WHERE viewname LIKE 'report\\_%' ORDER BY 1")
            .fetch_all(&office.desk.store.pool)
            .await
            .expect("views");
    let mut known = VIEWS.map(str::to_owned).to_vec();
    known.sort();
    assert_eq!(found, known);
    for view in VIEWS {
        let line = readme
            .lines()
            .find(|line| line.starts_with(&format!("| `{view}` |")))
            .unwrap_or_else(|| panic!("README does not tell of {view}"));
        let columns: Vec<(String, Option<String>)> = sqlx::query_as(
            "SELECT a.attname::text, col_description(a.attrelid, a.attnum) FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 ORDER BY a.attnum",
        )
        .bind(view)
        .fetch_all(&office.desk.store.pool)
        .await
        .expect("columns");
        for (column, about) in columns {
            assert!(about.is_some_and(|about| about.ends_with('.')), "{view}.{column} has no comment");
            assert!(line.contains(&format!("`{column}`")), "README does not tell of {view}.{column}");
        }
        let about: Option<String> = sqlx::query_scalar("SELECT obj_description(to_regclass($1))")
            .bind(view)
            .fetch_one(&office.desk.store.pool)
            .await
            .expect("a comment");
        assert!(about.is_some(), "{view} has no comment");
    }
}
