//! The outbox on its way: a real store, a real endpoint that misbehaves.

use crate::endpoint::{self, Answer, Endpoint};
use crate::mirrors::mirror;
use crate::support::{TestDb, database, eventually, scratch};
use lanka::pure::domain::outbox::Alert;
use lanka::shell::alerts::{Alerts, Tool};
use lanka::shell::carriers::http::HttpCarrier;
use lanka::shell::content::ContentStore;
use lanka::shell::deliver::{Deliver, Limits, MIRROR_PARKED, OUTBOX_DEAD, Tally};
use lanka::shell::store::Store;
use lanka::shell::store::presence::Presence;
use sqlx::Row;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// A store with changes to deliver, and the loop that delivers them to `desk`.
struct Desk {
    db: TestDb,
    store: Store,
    deliver: Deliver,
    alerts: Alerts,
    _content: tempfile::TempDir,
}

impl Desk {
    async fn new(url: &str, limits: Limits) -> Self {
        let db = database().await;
        let carrier = HttpCarrier::new(true).unwrap();
        let alerts = Alerts::logged();
        let tools = vec![Tool { name: "desk".to_owned(), mirror: mirror(url) }];
        let content = scratch();
        let store = Store::new(db.pool.clone(), ContentStore::open(content.path()).unwrap());
        let deliver = Deliver::new(store.clone(), std::sync::Arc::default(), carrier, alerts.clone(), tools, limits);
        Self { db, store, deliver, alerts, _content: content }
    }

    /// Puts changes on lanes of new tickets, `changes` on each, decided `age` ago.
    async fn enqueue(&self, lanes: usize, changes: i64, age: &str) -> Vec<Uuid> {
        let tickets: Vec<Uuid> = (0..lanes).map(|_| Uuid::now_v7()).collect();
        for (number, ticket) in tickets.iter().enumerate() {
            insert_ticket(&self.db, *ticket, number as i64).await;
            for sequence in 1..=changes {
                sqlx::query(
                    "INSERT INTO outbox (id, tenant, mirror, ticket_id, sequence, change, decided_at, due_at)
                     VALUES ($1, 'main', 'desk', $2, $3, 'ticket.reopened', now() - $4::text::interval, now())",
                )
                .bind(Uuid::now_v7())
                .bind(ticket)
                .bind(sequence)
                .bind(age)
                .execute(&self.db.pool)
                .await
                .unwrap();
            }
        }
        tickets
    }

    /// How many rows are in each state.
    async fn states(&self) -> BTreeMap<String, i64> {
        let rows = sqlx::query("SELECT state, count(*) FROM outbox GROUP BY state").fetch_all(&self.db.pool).await;
        rows.unwrap().into_iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// Seconds until the rows that wait are due, the next first, with their number of attempts.
    async fn waits(&self) -> Vec<(f64, i32)> {
        let rows = sqlx::query(
            "SELECT extract(epoch FROM due_at - now())::float8, attempts FROM outbox WHERE state = 'pending'
             AND attempts > 0 ORDER BY due_at",
        );
        let rows = rows.fetch_all(&self.db.pool).await.unwrap();
        rows.into_iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// Makes everything due at once, as if the time had passed.
    async fn pass_the_time(&self) {
        sqlx::query("UPDATE outbox SET due_at = now() WHERE state = 'pending'").execute(&self.db.pool).await.unwrap();
    }

    fn codes(&self) -> Vec<String> {
        self.alerts.active().into_iter().map(|Alert { code, subject, .. }| format!("{code} {subject}")).collect()
    }
}

/// What the store reads of a ticket when its change is sent.
async fn insert_ticket(db: &TestDb, ticket: Uuid, number: i64) {
    sqlx::query(
        "INSERT INTO ticket (id, tenant, number, title, opened_at, last_at, opened_by) VALUES ($1, 'main', $2, 'Lamp', now(), now(), $1)",
    )
    .bind(ticket)
    .bind(number)
    .execute(&db.pool)
    .await
    .unwrap();
}

fn tally(delivered: u64, again: u64, dead: u64) -> Tally {
    Tally { delivered, again, dead }
}

/// The sequence numbers in the order in which they were taken, by ticket.
fn taken(endpoint: &Endpoint) -> BTreeMap<String, Vec<i64>> {
    let mut lanes: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for request in endpoint.seen().iter().filter(|request| request.status == 200) {
        let event = request.json();
        let subject = event["subject"].as_str().unwrap().to_owned();
        lanes.entry(subject).or_default().push(event["data"]["sequence"].as_i64().unwrap());
    }
    lanes
}

#[tokio::test]
async fn every_lane_arrives_in_order_and_without_a_gap() {
    let endpoint = Endpoint::start().await;
    let desk = Desk::new(&endpoint.url("/in"), Limits::default()).await;
    let tickets = desk.enqueue(25, 4, "0 s").await;
    assert_eq!(desk.deliver.until_idle().await.unwrap(), tally(100, 0, 0));
    let lanes = taken(&endpoint);
    assert_eq!(lanes.len(), tickets.len());
    for (ticket, sequences) in lanes {
        assert_eq!(sequences, [1, 2, 3, 4], "{ticket}");
    }
    assert!(endpoint.seen().iter().all(endpoint::Request::is_signed));
    assert_eq!(desk.deliver.until_idle().await.unwrap(), tally(0, 0, 0));
}

#[tokio::test]
async fn an_answer_decides_what_becomes_of_the_row() {
    let endpoint = Endpoint::start().await;
    for (answer, expected, state, due_s) in [
        (Answer::Status(200), tally(1, 0, 0), "delivered", None),
        (Answer::Status(202), tally(1, 0, 0), "delivered", None),
        (Answer::Status(500), tally(0, 1, 0), "pending", Some(0.0..2.0)),
        (Answer::Status(404), tally(0, 1, 0), "pending", Some(0.0..2.0)),
        (Answer::With(429, "retry-after", "90".to_owned()), tally(0, 1, 0), "pending", Some(88.0..110.0)),
        (Answer::With(503, "retry-after", "40".to_owned()), tally(0, 1, 0), "pending", Some(38.0..50.0)),
        (Answer::Status(410), tally(0, 0, 1), "dead", None),
        (Answer::Late(Duration::from_secs(30)), tally(0, 1, 0), "pending", Some(0.0..2.0)),
    ] {
        let desk = Desk::new(&endpoint.url("/in"), Limits::default()).await;
        desk.enqueue(1, 1, "0 s").await;
        endpoint.answer([answer.clone()]);
        assert_eq!(desk.deliver.until_idle().await.unwrap(), expected, "{answer:?}");
        assert_eq!(desk.states().await, BTreeMap::from([(state.to_owned(), 1)]), "{answer:?}");
        if let Some(due_s) = due_s {
            let waits = desk.waits().await;
            assert!(due_s.contains(&waits[0].0), "{answer:?}: {waits:?}");
        }
    }
}

#[tokio::test]
async fn who_asks_for_a_moment_is_given_it_by_all_lanes() {
    let endpoint = Endpoint::start().await;
    let desk = Desk::new(&endpoint.url("/in"), Limits { lanes_max: 1, ..Limits::default() }).await;
    desk.enqueue(3, 1, "0 s").await;
    endpoint.answer([Answer::With(429, "retry-after", "2".to_owned())]);
    desk.deliver.until_idle().await.unwrap();
    let seen = endpoint.seen();
    let pause = seen[1].at - seen[0].at;
    assert!(pause >= Duration::from_millis(1_900), "{pause:?}");
    assert!(desk.codes().is_empty());
}

#[tokio::test]
async fn a_retry_carries_the_same_id_and_the_lane_waits_for_it() {
    let endpoint = Endpoint::start().await;
    let desk = Desk::new(&endpoint.url("/in"), Limits::default()).await;
    desk.enqueue(1, 3, "0 s").await;
    endpoint.answer([Answer::Status(500), Answer::Status(502)]);
    assert_eq!(desk.deliver.until_idle().await.unwrap(), tally(0, 1, 0));
    desk.pass_the_time().await;
    assert_eq!(desk.deliver.until_idle().await.unwrap(), tally(0, 1, 0));
    let waits = desk.waits().await;
    assert!((1.0..3.0).contains(&waits[0].0) && waits[0].1 == 2, "{waits:?}");
    desk.pass_the_time().await;
    assert_eq!(desk.deliver.until_idle().await.unwrap(), tally(3, 0, 0));
    let seen = endpoint.seen();
    let ids: Vec<&str> = seen.iter().map(|request| request.header("webhook-id").unwrap()).collect();
    assert!(ids[0] == ids[1] && ids[1] == ids[2] && ids[2] != ids[3], "{ids:?}");
    assert_eq!(taken(&endpoint).into_values().collect::<Vec<_>>(), [[1, 2, 3]]);
}

#[tokio::test]
async fn a_dead_endpoint_is_parked_and_said_once_and_so_is_its_recovery() {
    // Nobody listens on this address until the socket is bound again.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let limits = Limits {
        probe_interval: Duration::from_millis(300),
        poll_interval: Duration::from_millis(50),
        failing_max: Duration::from_secs(600),
        ..Limits::default()
    };
    let desk = Desk::new(&format!("http://{address}/in"), limits).await;
    desk.enqueue(40, 2, "30 d").await;
    let (stop, stopped) = watch::channel(false);
    let deliver = desk.deliver.clone();
    let running = tokio::spawn(async move { deliver.run(stopped).await });

    eventually("parked", async || desk.codes().contains(&format!("{MIRROR_PARKED} desk")).then_some(())).await;
    let attempts = async || desk.waits().await.iter().map(|(_, attempts)| i64::from(*attempts)).sum::<i64>();
    // What was under way when it was parked is settled first.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = attempts().await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let probed = attempts().await - before;
    assert!((1..=8).contains(&probed), "{probed} attempts while parked");
    assert_eq!(desk.states().await.get("dead"), None, "an outage kills no row");

    let endpoint = Endpoint::on(tokio::net::TcpListener::bind(address).await.unwrap());
    eventually("recovered", async || desk.codes().is_empty().then_some(())).await;
    desk.pass_the_time().await;
    desk.store.deliver_wake.notify_one();
    let all = async || {
        desk.pass_the_time().await;
        (desk.states().await == BTreeMap::from([("delivered".to_owned(), 80)])).then_some(())
    };
    eventually("everything delivered", all).await;
    stop.send(true).unwrap();
    tokio::time::timeout(Duration::from_secs(5), running).await.expect("it stops").unwrap();
    for sequences in taken(&endpoint).into_values() {
        assert_eq!(sequences, [1, 2]);
    }
}

#[tokio::test]
async fn a_row_dies_only_of_its_own() {
    let endpoint = Endpoint::start().await;
    let limits = Limits { healthy_min: Duration::ZERO, failures_max: 100, ..Limits::default() };
    let desk = Desk::new(&endpoint.url("/in"), limits).await;
    // The mirror of the tests gives up after 3 attempts and a day.
    desk.enqueue(1, 2, "2 days").await;
    endpoint.answer([Answer::Status(422), Answer::Status(422), Answer::Status(422)]);
    for expected in [tally(0, 1, 0), tally(0, 1, 0), tally(0, 1, 0)] {
        desk.pass_the_time().await;
        assert_eq!(desk.deliver.until_idle().await.unwrap(), expected, "the mirror has taken nothing yet");
    }
    desk.enqueue(1, 1, "0 s").await;
    desk.deliver.until_idle().await.unwrap();
    endpoint.answer([Answer::Status(422)]);
    desk.pass_the_time().await;
    assert_eq!(desk.deliver.until_idle().await.unwrap(), tally(1, 0, 1), "dead, and its lane goes on");
    assert_eq!(desk.codes(), [format!("{OUTBOX_DEAD} desk")]);
    let young = Desk::new(&endpoint.url("/in"), Limits { healthy_min: Duration::ZERO, ..Limits::default() }).await;
    young.enqueue(1, 1, "1 h").await;
    young.deliver.until_idle().await.unwrap();
    young.enqueue(1, 1, "1 h").await;
    for _ in 0..4 {
        endpoint.answer([Answer::Status(422)]);
        young.pass_the_time().await;
        assert_eq!(young.deliver.until_idle().await.unwrap(), tally(0, 1, 0), "not old enough");
    }
}

#[tokio::test]
async fn a_claim_that_outlives_its_deadline_is_put_back() {
    let endpoint = Endpoint::start().await;
    let desk = Desk::new(&endpoint.url("/in"), Limits::default()).await;
    desk.enqueue(1, 1, "0 s").await;
    // Somebody who is there, but hangs.
    let presence = Presence::open(&desk.store).await.unwrap();
    let lost = claim(&desk, &presence, 1).await;
    assert_eq!(lost, 1);
    assert_eq!(desk.deliver.until_idle().await.unwrap(), tally(0, 0, 0), "still claimed");
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(desk.deliver.until_idle().await.unwrap(), tally(1, 0, 0));
    assert_eq!(endpoint.seen().len(), 1);
}

/// Claims all that is due, as somebody who then does nothing.
async fn claim(desk: &Desk, presence: &Presence, claim_s: i64) -> usize {
    let claimant = presence.claimant().expect("a connection");
    desk.store.claim_posts("desk", 10, claimant, claim_s, jiff::Timestamp::now()).await.unwrap().len()
}

/// Ends the connections that vouch for claims, as the end of their processes does.
async fn end_presences(desk: &Desk) {
    let sql = "SELECT count(pg_terminate_backend(pid)) FROM (SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'advisory'
        AND mode = 'ExclusiveLock' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS held";
    let ended: i64 = sqlx::query_scalar(sql).fetch_one(&desk.db.pool).await.unwrap();
    assert!(ended > 0, "nobody was there");
}

#[tokio::test]
async fn a_claim_is_free_as_soon_as_who_made_it_is_gone() {
    let endpoint = Endpoint::start().await;
    let desk = Desk::new(&endpoint.url("/in"), Limits::default()).await;
    desk.enqueue(1, 1, "0 s").await;
    let presence = Presence::open(&desk.store).await.unwrap();
    assert_eq!(claim(&desk, &presence, 300).await, 1);
    assert_eq!(desk.deliver.until_idle().await.unwrap(), tally(0, 0, 0), "he is there, and has it");
    end_presences(&desk).await;
    assert_eq!(desk.deliver.until_idle().await.unwrap(), tally(1, 0, 0));
    assert_eq!(endpoint.seen().len(), 1);
}

#[tokio::test]
async fn a_running_daemon_takes_over_from_one_that_is_gone() {
    let endpoint = Endpoint::start().await;
    let desk = Desk::new(&endpoint.url("/in"), Limits::default()).await;
    desk.enqueue(1, 2, "0 s").await;
    let presence = Presence::open(&desk.store).await.unwrap();
    assert_eq!(claim(&desk, &presence, 300).await, 1);
    let (stop, stopped) = watch::channel(false);
    let deliver = desk.deliver.clone();
    let running = tokio::spawn(async move { deliver.run(stopped).await });
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert!(endpoint.seen().is_empty(), "he is there, and has it");
    drop(presence);
    endpoint.wait_for(|seen| seen.len() == 2).await;
    stop.send(true).unwrap();
    running.await.unwrap();
    assert_eq!(desk.states().await, BTreeMap::from([("delivered".to_owned(), 2)]));
}

#[tokio::test]
async fn who_loses_its_claims_gives_up_what_it_is_sending() {
    let endpoint = Endpoint::start().await;
    endpoint.answer([Answer::Late(Duration::from_millis(1_800))]);
    let desk = Desk::new(&endpoint.url("/in"), Limits::default()).await;
    desk.enqueue(1, 1, "0 s").await;
    let (stop, stopped) = watch::channel(false);
    let deliver = desk.deliver.clone();
    let running = tokio::spawn(async move { deliver.run(stopped).await });
    endpoint.wait_for(|seen| seen.len() == 1).await;
    end_presences(&desk).await;
    // Sent again, and settled under the second attempt only.
    endpoint.wait_for(|seen| seen.len() == 2).await;
    let settled = async || (desk.states().await == BTreeMap::from([("delivered".to_owned(), 1)])).then_some(());
    eventually("settled", settled).await;
    let attempts: i32 = sqlx::query_scalar("SELECT attempts FROM outbox").fetch_one(&desk.db.pool).await.unwrap();
    assert_eq!(attempts, 2);
    stop.send(true).unwrap();
    running.await.unwrap();
}

#[tokio::test]
async fn two_daemons_send_each_change_once() {
    let endpoint = Endpoint::start().await;
    let desk = Desk::new(&endpoint.url("/in"), Limits::default()).await;
    desk.enqueue(40, 3, "0 s").await;
    let (stop, stopped) = watch::channel(false);
    let (one, other) = (desk.deliver.clone(), desk.deliver.clone());
    let mut running = tokio::task::JoinSet::new();
    for deliver in [one, other] {
        let stopped = stopped.clone();
        running.spawn(async move { deliver.run(stopped).await });
    }
    let settled = async || (desk.states().await == BTreeMap::from([("delivered".to_owned(), 120)])).then_some(());
    eventually("settled", settled).await;
    assert_eq!(endpoint.seen().len(), 120);
    assert!(taken(&endpoint).into_values().all(|sequences| sequences == [1, 2, 3]));
    stop.send(true).unwrap();
    while running.join_next().await.is_some() {}
}

#[tokio::test]
async fn a_stop_lets_what_is_under_way_finish() {
    let endpoint = Endpoint::start().await;
    endpoint.otherwise(Answer::Late(Duration::from_millis(700)));
    let desk = Desk::new(&endpoint.url("/in"), Limits::default()).await;
    desk.enqueue(4, 2, "0 s").await;
    let (stop, stopped) = watch::channel(false);
    let deliver = desk.deliver.clone();
    let running = tokio::spawn(async move { deliver.run(stopped).await });
    endpoint.wait_for(|seen| seen.len() == 4).await;
    stop.send(true).unwrap();
    tokio::time::timeout(Duration::from_secs(5), running).await.expect("it stops").unwrap();
    assert_eq!(desk.states().await, BTreeMap::from([("delivered".to_owned(), 4), ("pending".to_owned(), 4)]));
}

#[tokio::test]
async fn alerts_reach_the_endpoint_once_signed_and_in_order() {
    let endpoint = Endpoint::start().await;
    let tools = [Tool { name: "desk".to_owned(), mirror: mirror(&endpoint.url("/ops")) }];
    let alerts = Alerts::to(&tools, &HttpCarrier::new(true).unwrap());
    endpoint.answer([Answer::Status(500)]);
    alerts.onset("channel_dead", "support-mail", "No login for ten minutes: check the password.");
    alerts.onset("channel_dead", "support-mail", "Said again.");
    alerts.recovered("channel_dead", "support-mail");
    alerts.recovered("channel_dead", "support-mail");
    alerts.close(Duration::from_secs(10)).await;
    let seen = endpoint.seen();
    assert!(seen.iter().all(endpoint::Request::is_signed));
    let said: Vec<(u16, String, bool)> = seen
        .iter()
        .map(|request| {
            let event = request.json();
            let active = event["data"]["active"].as_bool().unwrap();
            (request.status, event["type"].as_str().unwrap().to_owned(), active)
        })
        .collect();
    let kind = "lanka.ops.channel_dead".to_owned();
    assert_eq!(said, [(500, kind.clone(), true), (200, kind.clone(), true), (200, kind, false)]);
    assert_eq!(seen[0].header("webhook-id"), seen[1].header("webhook-id"));
}
