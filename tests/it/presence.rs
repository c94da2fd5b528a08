//! Processes on one database: they hear of each other's work at once, and say nothing when nobody listens.

use crate::desk::{Desk, at, messenger};
use lanka::shell::store::Store;
use lanka::shell::store::presence::Presence;
use lanka::shell::store::raw_event::{Hearing, NewRawEvent, RawBody};
use sqlx::Connection;
use sqlx::postgres::PgListener;
use std::time::Duration;
use tokio::sync::Notify;

/// Another process on the desk's database.
async fn other(desk: &Desk) -> (Store, Presence) {
    let store = Store::new(desk.store.pool.clone(), desk.store.content.clone());
    let presence = Presence::open(&store).await.expect("a connection");
    (store, presence)
}

/// Whether somebody is woken within a time that no poll and no ping fits into.
async fn is_woken(wake: &Notify) -> bool {
    tokio::time::timeout(Duration::from_secs(2), wake.notified()).await.is_ok()
}

fn chat(mid: &str) -> NewRawEvent {
    NewRawEvent {
        tenant: "main".to_owned(),
        channel: "facebook".to_owned(),
        kind: "messenger".to_owned(),
        received_at: at("2026-03-10T12:00:00Z"),
        trusted_at: None,
        origin: "test".to_owned(),
        body: RawBody::Bytes(messenger(mid, "P1", "2026-03-10T11:00:00Z", mid).into()),
    }
}

#[tokio::test]
async fn processes_wake_each_other() {
    let desk = Desk::open().await;
    let _here = Presence::open(&desk.store).await.expect("a connection");
    let (there, _presence) = other(&desk).await;
    // Ours has heard that somebody came before it does anything.
    tokio::time::sleep(Duration::from_millis(300)).await;
    desk.store.record(&[chat("m1")], None).await.expect("recorded");
    assert!(is_woken(&there.ingest_wake).await, "recorded");
    desk.decide().await;
    assert!(is_woken(&there.deliver_wake).await, "decided");
    let cursor = lanka::shell::store::raw_event::CursorMove {
        tenant: "main",
        channel: "mail",
        source: "test",
        state: serde_json::json!({}),
    };
    desk.store.record(&[chat("m2")], Some(cursor)).await.expect("recorded");
    assert!(is_woken(&there.ingest_wake).await, "recorded with a cursor");
    sqlx::query("UPDATE outbox SET state = 'dead'").execute(&desk.store.pool).await.expect("dead");
    assert!(desk.store.revive_posts(None, at("2026-03-10T12:00:00Z")).await.expect("revived") > 0);
    assert!(is_woken(&there.deliver_wake).await, "revived");
}

#[tokio::test]
async fn a_command_wakes_a_daemon_and_a_daemon_alone_says_nothing() {
    let desk = Desk::open().await;
    let (daemon, _presence) = other(&desk).await;
    // A command is not present itself, and does not know who is.
    desk.store.assume_peers();
    desk.store.record(&[chat("m1")], None).await.expect("recorded");
    assert!(is_woken(&daemon.ingest_wake).await, "by a command");

    let mut listener = PgListener::connect_with(&desk.store.pool).await.expect("a listener");
    listener.listen_all(["lanka_ingest", "lanka_deliver"]).await.expect("listening");
    daemon.record(&[chat("m2")], None).await.expect("recorded");
    let heard = tokio::time::timeout(Duration::from_millis(500), listener.recv()).await;
    assert!(heard.is_err(), "nobody else is there to hear it");
    assert!(is_woken(&daemon.ingest_wake).await, "within the process, as ever");
}

#[tokio::test]
async fn who_was_cut_off_listens_again_under_another_number() {
    let desk = Desk::open().await;
    let (daemon, presence) = other(&desk).await;
    let before = presence.claimant().expect("present");
    let sql =
        "SELECT count(pg_terminate_backend(pid)) FROM (SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'advisory'
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS held";
    assert_eq!(desk.count(sql).await, 1);
    tokio::time::timeout(Duration::from_secs(2), presence.lost(before)).await.expect("it hears of it");
    let after = crate::support::eventually("present again", async || presence.claimant()).await;
    assert_ne!(before, after);
    while tokio::time::timeout(Duration::from_millis(300), daemon.ingest_wake.notified()).await.is_ok() {}
    desk.store.assume_peers();
    desk.store.record(&[chat("m1")], None).await.expect("recorded");
    assert!(is_woken(&daemon.ingest_wake).await);
}

#[tokio::test]
async fn history_that_is_read_again_calls_nobody_either() {
    for (hearing, is_told) in [(Hearing::Quiet, false), (Hearing::Told, true)] {
        let desk = Desk::open().await;
        desk.store.record_as(&[chat("m1")], None, hearing).await.expect("recorded");
        // As a reader would have left it that could not read it then.
        for sql in [
            "INSERT INTO quarantine (tenant, channel, kind, raw_event, code, detail, at)
             SELECT tenant, channel, kind, id, 'not_json', 'test', now() FROM raw_event",
            "DELETE FROM raw_pending",
        ] {
            sqlx::query(sql).execute(&desk.store.pool).await.expect(sql);
        }
        let retried = desk.store.retry_quarantined(&[1], at("2026-03-10T12:00:00Z")).await.expect("retried");
        assert_eq!(retried.len(), 1);
        desk.decide().await;
        assert_eq!(desk.count("SELECT count(*) FROM message").await, 1, "{hearing:?}");
        assert_eq!(desk.count("SELECT count(*) FROM outbox").await > 0, is_told, "{hearing:?}");
    }
}

/// Whoever is hung up on while he begins a transaction leaves none open: what the next one does on the connection would never be
/// committed.
#[tokio::test]
async fn a_transaction_that_nobody_waits_for_is_not_left_open() {
    let desk = crate::desk::Desk::open().await;
    let options = desk.store.pool.connect_options();
    let mut beside = sqlx::PgConnection::connect_with(&options).await.expect("a connection of its own");
    for polls in 1..8 {
        let mut begin = Box::pin(desk.store.begin());
        for _ in 0..polls {
            if futures::poll!(&mut begin).is_ready() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        drop(begin);
        let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
        crate::support::eventually("none is open", async || {
            let open: i64 = sqlx::query_scalar(open).fetch_one(&mut beside).await.expect("a look");
            (open == 0).then_some(())
        })
        .await;
    }
}
