//! What `[retention]` keeps, and what it removes (promise P8): by month of arrival, whole, and for good.

use crate::desk::{Desk, at, call, mail, messenger};
use bytes::Bytes;
use futures::StreamExt;
use lanka::pure::domain::Timestamp;
use lanka::shell::content::ContentHash;
use lanka::shell::retention::{Limits, run};
use lanka::shell::store::StoreError;
use lanka::shell::store::retention::Removed;
use sqlx::{AssertSqlSafe, Row};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);
const AUTHENTIC: &str = "dkim=pass header.d=asiakas.example; dmarc=pass header.from=asiakas.example";

fn kept(raw_days: Option<u32>, message_days: Option<u32>) -> Limits {
    let days = |days: Option<u32>| days.map(|days| days * DAY);
    Limits { raw: days(raw_days), messages: days(message_days) }
}

/// Minna writes in January, phones in February and writes again in June; Pekka wrote in January only.
async fn half_a_year() -> Desk {
    let desk = Desk::open().await;
    for (time, channel, body) in [
        ("2026-01-10T10:00:00Z", "mail", from_minna("a1", "Sat, 10 Jan 2026 10:00:00 +0000", "Missä tilaus 40012345?")),
        ("2026-01-11T10:00:00Z", "facebook", messenger("p1", "PEKKA", "2026-01-11T10:00:00Z", "Onko auki?")),
        ("2026-02-20T10:00:00Z", "phone", call("+358401234567", "2026-02-20T09:58:00Z", "1.1")),
        ("2026-06-05T10:00:00Z", "mail", from_minna("a2", "Fri, 05 Jun 2026 10:00:00 +0000", "Uusi asia: lasku.")),
    ] {
        desk.take(channel, time, body).await;
    }
    desk
}

fn from_minna(id: &str, date: &str, text: &str) -> String {
    mail(
        &format!("{id}@asiakas.example"),
        "Minna Virtanen <minna@asiakas.example>",
        date,
        AUTHENTIC,
        "",
        "Kysymys",
        text,
    )
}

async fn remove(desk: &Desk, limits: Limits, now: &str) -> Removed {
    let removed = run(limits, &desk.store, at(now), true).await.expect("retention");
    desk.store.forget_unnamed(Duration::ZERO).await.expect("contents");
    removed
}

async fn texts(desk: &Desk) -> Vec<String> {
    let rows = sqlx::query("SELECT text FROM message ORDER BY id").fetch_all(&desk.store.pool).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>("text").chars().take(12).collect()).collect()
}

/// No row says something of what is not there.
async fn assert_nothing_dangles(desk: &Desk) {
    for (what, sql) in [
        (
            "fact of a message",
            "SELECT count(*) FROM fact f WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = f.message_id)",
        ),
        (
            "fact of an identity",
            "SELECT count(*) FROM fact f WHERE NOT EXISTS (SELECT 1 FROM identity i WHERE i.id = f.identity_id)",
        ),
        (
            "reference of a message",
            "SELECT count(*) FROM ticket_reference r WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = r.message_id)",
        ),
        (
            "reference of a ticket",
            "SELECT count(*) FROM ticket_reference r WHERE ticket_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ticket k WHERE k.id = r.ticket_id)",
        ),
        (
            "decision",
            "SELECT count(*) FROM decision d WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = d.message_id)",
        ),
        (
            "attachment",
            "SELECT count(*) FROM attachment a WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = a.message_id)",
        ),
        (
            "ticket without messages",
            "SELECT count(*) FROM ticket k WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.ticket_id = k.id)",
        ),
        (
            "message's ticket",
            "SELECT count(*) FROM message m WHERE NOT EXISTS (SELECT 1 FROM ticket k WHERE k.id = m.ticket_id)",
        ),
        (
            "message's identity",
            "SELECT count(*) FROM message m WHERE NOT EXISTS (SELECT 1 FROM identity i WHERE i.id = m.identity_id)",
        ),
        ("edge", "SELECT count(*) FROM edge e WHERE NOT EXISTS (SELECT 1 FROM identity i WHERE i.id = e.identity_a)"),
        ("lane", "SELECT count(*) FROM lane l WHERE NOT EXISTS (SELECT 1 FROM ticket k WHERE k.id = l.ticket_id)"),
        (
            "contact without identities",
            "SELECT count(*) FROM contact c WHERE NOT EXISTS (SELECT 1 FROM identity i WHERE i.contact_id = c.id)",
        ),
        (
            "suggestion",
            "SELECT count(*) FROM suggestion s WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = s.message_id)",
        ),
    ] {
        assert_eq!(desk.count(sql).await, 0, "{what}");
    }
}

#[tokio::test]
async fn what_goes_and_what_stays() {
    let all = &["Missä tilaus", "Onko auki?", "", "Uusi asia: l"][..];
    let deliveries = ["2026-01", "2026-01", "2026-02", "2026-06"];
    // retention.raw and .messages in days; now; deliveries left; messages left; contacts, tickets.
    type Row<'a> = (&'a str, Limits, &'a str, &'a [&'a str], &'a [&'a str], (i64, i64));
    let rows: &[Row<'_>] = &[
        ("for ever", kept(None, None), "2126-07-01T00:00:00Z", &deliveries, all, (3, 4)),
        ("not yet", kept(Some(90), Some(365)), "2026-04-30T23:00:00Z", &deliveries, all, (3, 4)),
        ("January's last is 90 days old", kept(Some(90), None), "2026-05-02T00:00:00Z", &deliveries[2..], all, (3, 4)),
        ("all deliveries", kept(Some(90), None), "2027-01-01T00:00:00Z", &[], all, (3, 4)),
        (
            "messages take their deliveries along",
            kept(None, Some(90)),
            "2026-05-02T00:00:00Z",
            &deliveries[2..],
            &all[2..],
            (2, 2),
        ),
        ("deliveries first", kept(Some(1), Some(90)), "2026-05-02T00:00:00Z", &deliveries[3..], &all[2..], (2, 2)),
        ("everything", kept(Some(90), Some(90)), "2026-12-24T00:00:00Z", &[], &[], (0, 0)),
    ];
    for (name, limits, now, deliveries, messages, (contacts, tickets)) in rows {
        let desk = half_a_year().await;
        let seen = desk.count("SELECT count(*) FROM seen WHERE scope LIKE 'main/%'").await;
        remove(&desk, *limits, now).await;
        let left = sqlx::query(
            "SELECT to_char(received_at AT TIME ZONE 'UTC', 'YYYY-MM') AS month FROM raw_event ORDER BY id",
        );
        let left: Vec<String> =
            left.fetch_all(&desk.store.pool).await.unwrap().iter().map(|row| row.get("month")).collect();
        assert_eq!(left, *deliveries, "{name}: deliveries");
        assert_eq!(texts(&desk).await, *messages, "{name}: messages");
        assert_eq!(desk.tally().await, (*contacts, *tickets, 0), "{name}: contacts, tickets, quarantine");
        assert_nothing_dangles(&desk).await;
        assert_eq!(
            desk.count("SELECT count(*) FROM seen WHERE scope LIKE 'main/%'").await,
            seen,
            "{name}: the guard stays"
        );
        // A second look finds nothing to do.
        assert_eq!(remove(&desk, *limits, now).await, Removed::default(), "{name}: once more");
    }
}

#[tokio::test]
async fn nothing_of_a_person_who_is_gone_is_left() {
    let desk = half_a_year().await;
    // Changes for mirrors are dated by their decision: today.
    let now = Timestamp::now().saturating_add(jiff::SignedDuration::from_hours(24 * 200)).unwrap();
    remove(&desk, kept(None, Some(90)), &now.to_string()).await;
    let tables = "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname NOT IN ('seen', 'change_floor', '_sqlx_migrations')";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&desk.store.pool).await.unwrap();
    assert!(tables.len() > 20, "{tables:?}");
    for table in tables {
        let rows =
            sqlx::query(AssertSqlSafe(format!("SELECT count(*) FROM {table}"))).fetch_one(&desk.store.pool).await;
        assert_eq!(rows.unwrap().get::<i64, _>(0), 0, "{table}");
    }
}

#[tokio::test]
async fn what_was_removed_does_not_come_back_as_new() {
    let desk = half_a_year().await;
    let first = from_minna("a1", "Sat, 10 Jan 2026 10:00:00 +0000", "Missä tilaus 40012345?");
    remove(&desk, kept(Some(30), Some(30)), "2026-05-01T00:00:00Z").await;
    // The mailbox is read anew after its UIDVALIDITY changed: the very same bytes, and others of the same mail.
    desk.take("mail", "2026-07-01T10:00:00Z", first.as_str()).await;
    desk.take("mail", "2026-07-01T10:00:01Z", format!("X-Copy: 1\r\n{first}")).await;
    assert_eq!(texts(&desk).await, ["Uusi asia: l"]);
    assert_eq!(desk.count("SELECT count(*) FROM raw_item WHERE role = 'repeat'").await, 2);
    assert_eq!(desk.count("SELECT count(*) FROM quarantine").await, 0);
    // Kept with their own bytes, for those they equal are gone.
    assert_eq!(
        desk.count("SELECT count(*) FROM raw_event WHERE body IS NOT NULL AND received_at > '2026-07-01'").await,
        2
    );
}

#[tokio::test]
async fn deliveries_that_somebody_needs_outlive_their_month() {
    let desk = Desk::open().await;
    let haloo = messenger("p2", "PEKKA", "2026-01-13T10:00:00Z", "Haloo?");
    desk.take("facebook", "2026-01-11T10:00:00Z", messenger("p1", "PEKKA", "2026-01-11T10:00:00Z", "Onko auki?")).await;
    desk.take("facebook", "2026-01-12T10:00:00Z", "not what Meta sends").await;
    desk.take("facebook", "2026-01-13T10:00:00Z", haloo.as_str()).await;
    desk.take("phone", "2026-02-20T10:00:00Z", call("+358401234567", "2026-02-20T09:58:00Z", "1.1")).await;
    // What an agent did about messages that never came.
    let sql = "INSERT INTO early_act (key_hash, raw_event, item) SELECT gen_random_uuid(), id, 0 FROM raw_event";
    sqlx::query(sql).execute(&desk.store.pool).await.unwrap();
    // The same bytes once more: what is stored points at January's, and waits.
    desk.deliver("facebook", "2026-03-01T10:00:00Z", haloo.as_str()).await;
    let removed = remove(&desk, kept(Some(30), None), "2026-06-01T00:00:00Z").await;
    // January keeps what is in the quarantine and what March points at; March what waits.
    assert_eq!((removed.needed, removed.deliveries, removed.months), (3, 1, 1), "{removed:?}");
    let dangling =
        "SELECT count(*) FROM early_act e WHERE NOT EXISTS (SELECT 1 FROM raw_event r WHERE r.id = e.raw_event)";
    assert_eq!(desk.count(dangling).await, 0, "nobody waits with bytes that are gone");
    desk.decide().await;
    assert_eq!(desk.count("SELECT count(*) FROM raw_item WHERE role = 'repeat'").await, 1);
    assert_eq!(desk.count("SELECT count(*) FROM quarantine WHERE state = 'waiting'").await, 1, "still that one alone");
    // Decided, and dropped by an agent: the month is free.
    sqlx::query("UPDATE quarantine SET state = 'dropped'").execute(&desk.store.pool).await.unwrap();
    let removed = remove(&desk, kept(Some(30), None), "2026-06-01T00:00:00Z").await;
    assert_eq!((removed.needed, removed.months), (0, 2), "{removed:?}");
}

#[tokio::test]
async fn what_is_left_is_still_told_of_whole() {
    let desk = half_a_year().await;
    let before = assignments(&desk).await;
    remove(&desk, kept(Some(30), None), "2027-01-01T00:00:00Z").await;
    assert_eq!(assignments(&desk).await, before);
    assert_eq!(before.len(), 4);
    // Nothing to read again, and nothing that fails.
    assert!(desk.store.taken(None, None, 100).await.unwrap().is_empty());
    let message = desk.store.pool.clone();
    let id: uuid::Uuid =
        sqlx::query_scalar("SELECT id FROM message ORDER BY id LIMIT 1").fetch_one(&message).await.unwrap();
    let route = desk.store.route(id.into()).await.unwrap().expect("a route");
    assert_eq!(route.deliveries.len(), 1);
    assert_eq!(route.deliveries[0].origin, "retention has removed its bytes");
}

async fn assignments(desk: &Desk) -> Vec<serde_json::Value> {
    let mut snapshot = desk.store.snapshot().await.unwrap();
    let page = snapshot.assignments(None).await.unwrap();
    page.iter().map(|line| serde_json::to_value(line).unwrap()).collect()
}

#[tokio::test]
async fn files_go_with_the_last_row_that_names_them() {
    let desk = Desk::open().await;
    let large = |id: &str, date: &str| from_minna(id, date, &"pitkä ".repeat(60_000));
    let (old, new) = (large("l1", "Sat, 10 Jan 2026 10:00:00 +0000"), large("l2", "Fri, 05 Jun 2026 10:00:00 +0000"));
    desk.take("mail", "2026-01-10T10:00:00Z", old.as_str()).await;
    desk.take("mail", "2026-06-05T10:00:00Z", new.as_str()).await;
    let [old, new] = [old, new].map(|body| ContentHash::of(body.as_bytes()));
    run(kept(Some(30), None), &desk.store, at("2026-04-01T00:00:00Z"), false).await.unwrap();
    // Put a moment ago: somebody may be about to name it.
    assert!(desk.store.content.get(old).await.is_ok());
    desk.store.forget_unnamed(Duration::ZERO).await.unwrap();
    assert!(desk.store.content.get(old).await.is_err());
    assert!(desk.store.content.get(new).await.is_ok());
    // Unnamed and named again before anybody came by: it stays, and is not asked about any more.
    desk.store.unname(new).await.unwrap();
    desk.store.forget_unnamed(Duration::ZERO).await.unwrap();
    assert!(desk.store.content.get(new).await.is_ok());
    assert_eq!(desk.count("SELECT count(*) FROM unnamed_content").await, 0);
}

#[tokio::test]
async fn one_daemon_at_a_time_and_never_across_a_batch() {
    let desk = half_a_year().await;
    let limits = kept(Some(30), Some(30));
    let turn = desk.store.retention_turn().await.unwrap().expect("a turn");
    assert_eq!(remove(&desk, limits, "2027-01-01T00:00:00Z").await, Removed::default());
    turn.end().await.unwrap();
    // Somebody reads a table for long: that month waits for the next hour, and says so.
    let mut reader = desk.store.pool.begin().await.unwrap();
    sqlx::query("SELECT count(*) FROM raw_event").execute(&mut *reader).await.unwrap();
    let failed: StoreError = run(limits, &desk.store, at("2027-01-01T00:00:00Z"), true).await.expect_err("a lock");
    assert!(failed.to_string().contains("lock"), "{failed}");
    reader.rollback().await.unwrap();
    // Deliveries and decisions go on beside it, months of the past included: no row falls between.
    let beside = {
        let (store, ingest) = (desk.store.clone(), desk.ingest_of(3));
        let bodies = (0..40).map(|n| {
            let time = format!("2026-0{}-{:02}T10:00:00Z", 7 + n / 20, 1 + n % 20);
            (time.clone(), messenger(&format!("b{n}"), &format!("B{}", n % 5), &time, "Hei!"))
        });
        let bodies: Vec<(String, String)> = bodies.collect();
        async move {
            for (time, body) in bodies {
                let event = lanka::shell::store::raw_event::NewRawEvent {
                    tenant: "main".to_owned(),
                    channel: "facebook".to_owned(),
                    kind: "messenger".to_owned(),
                    received_at: at(&time),
                    trusted_at: None,
                    origin: "test".to_owned(),
                    body: lanka::shell::store::raw_event::RawBody::Bytes(Bytes::from(body)),
                };
                store.record(&[event], None).await.expect("recorded");
                let (_keep, stop) = tokio::sync::watch::channel(false);
                ingest.run(stop, true).await;
            }
        }
    };
    let removing = futures::stream::repeat(()).take(40).for_each(|()| async {
        // A lock that is not to be had is the next round's.
        let _ = run(limits, &desk.store, at("2026-08-31T12:00:00Z"), true).await;
    });
    tokio::join!(beside, removing);
    remove(&desk, limits, "2026-08-31T12:00:00Z").await;
    assert_nothing_dangles(&desk).await;
    assert_eq!(desk.count("SELECT count(*) FROM quarantine").await, 0);
    let kept_from: Timestamp = at("2026-08-01T00:00:00Z");
    let old =
        sqlx::query("SELECT count(*) FROM message WHERE received_at < $1").bind(jiff_sqlx::ToSqlx::to_sqlx(kept_from));
    assert_eq!(old.fetch_one(&desk.store.pool).await.unwrap().get::<i64, _>(0), 0);
    assert_eq!(desk.count("SELECT count(*) FROM message").await, 20);
}
