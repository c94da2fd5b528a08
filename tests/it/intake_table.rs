//! Tables that an exchange fills: late rows, rows written again, long tables, and what is no such table.

use super::intake::{TestStore, store};
use super::support::{TestDb, database};
use lanka::pure::channels::TableSource;
use lanka::pure::domain::secret::Secret;
use lanka::shell::intake::table::{TableError, poll};
use lanka::shell::intake::{ChannelHealth, ChannelIdent, HealthState};
use lanka::shell::store::exchange::Exchange;
use sqlx::AssertSqlSafe;
use std::time::Duration;
use tokio::sync::watch;

/// As contrib/realtime/postgresql of Asterisk makes it, the columns that matter here; TIME is the column's type.
const TABLE: &str = "CREATE TABLE cdr (calldate TIME NOT NULL, clid text DEFAULT '', src text DEFAULT '', dst text DEFAULT '',
    duration int DEFAULT 0, billsec int DEFAULT 0, disposition text DEFAULT '', uniqueid text DEFAULT '', userfield text DEFAULT '')";

fn source(url: &str) -> TableSource {
    TableSource {
        url: Secret::new(url),
        table: "cdr".to_owned(),
        time_column: "calldate".to_owned(),
        overlap: Duration::from_secs(3600),
        row_bytes_max: 1000,
        poll_interval: Duration::from_millis(50),
    }
}

fn ident() -> ChannelIdent {
    ChannelIdent { tenant: "main".to_owned(), name: "phone".to_owned(), kind: "asterisk".to_owned() }
}

/// The exchange's database, with its table.
async fn exchange(time: &str) -> TestDb {
    let exchange = database().await;
    run(&exchange, &TABLE.replace("TIME", time)).await;
    exchange
}

async fn run(exchange: &TestDb, sql: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&exchange.pool).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Reads the table until nothing is new, as after a start.
async fn read(source: TableSource, store: &TestStore) -> Result<(), TableError> {
    let (_stop, shutdown) = watch::channel(false);
    let polling = poll(source, ident(), store.store.clone(), ChannelHealth::new("phone"), shutdown, true);
    tokio::time::timeout(Duration::from_secs(60), polling).await.expect("idle")
}

/// The rows that were taken: `uniqueid` and seconds of talk, or what was not taken.
async fn taken(store: &TestStore) -> Vec<String> {
    let row = |body: Vec<u8>| {
        let row: serde_json::Value = serde_json::from_slice(&body).expect("a row");
        match row.get("lanka_too_large") {
            Some(bytes) => format!("too large: {}", bytes.as_u64().expect("bytes") > 1000),
            None => format!("{} {}", row["uniqueid"].as_str().expect("an id"), row["billsec"]),
        }
    };
    store.events().await.into_iter().map(|event| row(event.body)).collect()
}

#[tokio::test]
async fn each_row_is_taken_once_whenever_it_is_written() {
    for time in ["timestamp", "timestamptz"] {
        let (exchange, store) = (exchange(time).await, store().await);
        let mut expected: Vec<&str> = Vec::new();
        let insert = "INSERT INTO cdr (calldate, uniqueid, billsec)";
        let steps: &[(&str, String, &[&str])] = &[
            ("an empty table", String::new(), &[]),
            (
                "rows",
                format!("{insert} VALUES ('2026-03-05 12:00:00', 'a', 5), ('2026-03-05 12:10:00', 'b', 0)"),
                &["a 5", "b 0"],
            ),
            ("nothing new", String::new(), &[]),
            ("one of the same second", format!("{insert} VALUES ('2026-03-05 12:10:00', 'c', 0)"), &["c 0"]),
            ("a long call that ends late", format!("{insert} VALUES ('2026-03-05 11:20:00', 'd', 2999)"), &["d 2999"]),
            ("older than the overlap", format!("{insert} VALUES ('2026-03-05 11:09:00', 'e', 0)"), &[]),
            ("a row written again", "UPDATE cdr SET billsec = 7 WHERE uniqueid = 'b'".to_owned(), &["b 7"]),
            (
                "a row that is too large, and one after it",
                format!(
                    "{insert} VALUES ('2026-03-05 12:20:00', repeat('x', 2000), 0), ('2026-03-05 12:21:00', 'f', 1)"
                ),
                &["too large: true", "f 1"],
            ),
            (
                "a time before all others that moves nothing back",
                format!("{insert} VALUES ('2026-03-05 11:30:00', 'g', 0)"),
                &["g 0"],
            ),
            ("the end", String::new(), &[]),
        ];
        for (name, sql, new) in steps {
            run(&exchange, sql).await;
            read(source(&exchange.url), &store).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            expected.extend(*new);
            assert_eq!(taken(&store).await, expected, "{time}: {name}");
        }
    }
}

#[tokio::test]
async fn what_is_older_than_the_first_look_is_history() {
    let (exchange, store) = (exchange("timestamp").await, store().await);
    let rows = "INSERT INTO cdr (calldate, uniqueid) SELECT '2026-01-01'::timestamp + n * interval '10 min', 'n' || n FROM generate_series(1, 5000) n";
    run(&exchange, rows).await;
    read(source(&exchange.url), &store).await.expect("read");
    let expected: Vec<String> = (4994..=5000).map(|n| format!("n{n} 0")).collect();
    assert_eq!(taken(&store).await, expected, "the last hour");
}

#[tokio::test]
async fn a_long_table_is_taken_whole() {
    let (exchange, store) = (exchange("timestamp").await, store().await);
    read(source(&exchange.url), &store).await.expect("read");
    // More than a batch at one instant, and several batches in all.
    let rows = "INSERT INTO cdr (calldate, uniqueid) SELECT '2026-03-05 12:00:00'::timestamp + greatest(0, n - 1200) * interval '1 s', 'n' || n
        FROM generate_series(1, 2600) n";
    run(&exchange, rows).await;
    read(source(&exchange.url), &store).await.expect("read");
    let mut found = taken(&store).await;
    found.sort();
    found.dedup();
    assert_eq!((found.len(), store.count().await), (2600, 2600));
}

#[tokio::test]
async fn what_is_no_such_table_is_said_and_tried_again() {
    let exchange = exchange("timestamp").await;
    run(&exchange, "CREATE TABLE other (calldate text)").await;
    let of = |change: fn(&mut TableSource)| {
        let mut source = source(&exchange.url);
        change(&mut source);
        source
    };
    let table: &[(&str, TableSource, &str)] = &[
        ("good", of(|_| {}), ""),
        ("no table", of(|source| source.table = "cdr2".to_owned()), "does not exist"),
        ("no column", of(|source| source.time_column = "start".to_owned()), "is not there"),
        ("no time", of(|source| source.table = "other".to_owned()), "is text"),
        (
            "nobody there",
            of(|source| source.url = Secret::new("postgres://lanka@127.0.0.1:1/asterisk")),
            "cannot be read",
        ),
        ("no URL", of(|source| source.url = Secret::new("postgres://:::")), "cannot be read"),
    ];
    for (name, source, expected) in table {
        let said = Exchange::connect(source).await.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(said.contains(expected) && said.is_empty() == expected.is_empty(), "{name}: {said}");
        assert!(!said.contains("127.0.0.1:1/asterisk"), "{name}: the URL is a secret: {said}");
    }

    // It comes back by itself.
    let store = store().await;
    run(&exchange, "ALTER TABLE cdr RENAME TO away").await;
    let (stop, shutdown) = watch::channel(false);
    let health = ChannelHealth::new("phone");
    let polling =
        tokio::spawn(poll(source(&exchange.url), ident(), store.store.clone(), health.clone(), shutdown, false));
    let mut follower = health.subscribe();
    let failing = |state: &HealthState| matches!(state, HealthState::Failing { code: "connection_lost", .. });
    tokio::time::timeout(Duration::from_secs(30), follower.wait_for(failing)).await.expect("said").expect("alive");
    run(&exchange, "ALTER TABLE away RENAME TO cdr").await;
    let working = |state: &HealthState| *state == HealthState::Working;
    tokio::time::timeout(Duration::from_secs(30), follower.wait_for(working)).await.expect("works").expect("alive");
    run(&exchange, "INSERT INTO cdr (calldate, uniqueid) VALUES (now(), 'a')").await;
    super::support::eventually("the row", async || (store.count().await == 1).then_some(())).await;
    stop.send(true).expect("alive");
    polling.await.expect("ended").expect("no error");
}
