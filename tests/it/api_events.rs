//! Live updates: nothing is left out, whoever commits first, and nothing is told to another firm.

use crate::api::Office;
use crate::late::{MINNA, letter};
use crate::support::eventually;
use lanka::pure::domain::Timestamp;
use lanka::shell::api::ApiLimits;
use lanka::shell::store::api_token::Scope;
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use std::collections::BTreeSet;
use tokio::sync::watch;

/// One who listens.
struct Listening {
    response: reqwest::Response,
    text: String,
    /// The id of the last event.
    last: String,
}

/// An event: its word, and its data.
type Event = (String, Value);

impl Listening {
    async fn open(office: &Office, token: &str, last: Option<&str>) -> Result<Self, u16> {
        let mut request = office.client.get(office.url("/events")).bearer_auth(token);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.expect("an answer");
        match response.status().as_u16() {
            200 => {
                assert_eq!(response.headers()["content-type"], "text/event-stream");
                assert_eq!(response.headers()["cache-control"], "no-store");
                Ok(Self { response, text: String::new(), last: last.unwrap_or_default().to_owned() })
            }
            status => Err(status),
        }
    }

    /// The next event; `None` when the stream has ended.
    async fn next(&mut self) -> Option<Event> {
        tokio::time::timeout(std::time::Duration::from_secs(20), self.read()).await.expect("an event in time")
    }

    async fn read(&mut self) -> Option<Event> {
        loop {
            while let Some((event, rest)) = self.text.clone().split_once("\n\n") {
                self.text = rest.to_owned();
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned))
                };
                if let Some(id) = field("id") {
                    self.last = id;
                }
                if let (Some(word), Some(data)) = (field("event"), field("data")) {
                    return Some((word, serde_json::from_str(&data).expect("JSON")));
                }
            }
            let piece = self.response.chunk().await;
            self.text.push_str(std::str::from_utf8(&piece.ok()??).expect("UTF-8"));
        }
    }

    /// The messages of the next changes of a kind.
    async fn messages(&mut self, what: &str, count: usize) -> Vec<String> {
        let mut messages = Vec::new();
        while messages.len() < count {
            let (word, data) = self.next().await.expect("an event");
            assert_eq!(word, "change", "{data}");
            if data["what"] == what {
                messages.push(data["message"].as_str().expect("a message").to_owned());
            }
        }
        messages
    }
}

/// Writes a message by hand, as another daemon might.
async fn write(connection: &mut PgConnection, id: &str, tenant: &str) {
    sqlx::query(
        "INSERT INTO message (id, tenant, raw_event, item, channel, kind, namespace, source_key, direction, occurred_at, trusted_at, received_at, assurance)
         VALUES ($1::uuid, $2, gen_random_uuid(), 0, 'chat', 'webchat', 'chat', $1, 'from_customer', now(), now(), now(), 0)",
    )
    .bind(id)
    .bind(tenant)
    .execute(connection)
    .await
    .expect("written");
}

/// The id of a message of this month.
async fn id(office: &Office, n: u8) -> String {
    let sql = "SELECT left(lanka_uuid_floor(now())::text, 34) || lpad(to_hex($1::int), 2, '0')";
    sqlx::query_scalar(sql).bind(i32::from(n)).fetch_one(&office.desk.store.pool).await.expect("an id")
}

#[tokio::test]
async fn what_changes_is_told_as_it_changes() {
    let office = Office::open().await;
    let token = office.token("reading", "main", &[Scope::Read]).await;
    let mut listening = Listening::open(&office, &token, None).await.expect("let in");
    assert_eq!(listening.next().await.expect("an event").0, "ready");
    office.story().await;
    let mut told: BTreeSet<(String, String)> = BTreeSet::new();
    while told.iter().filter(|(what, _)| what == "message.added").count() < 4 {
        let (word, data) = listening.next().await.expect("an event");
        assert_eq!(word, "change");
        let keys: BTreeSet<&str> = data.as_object().expect("an object").keys().map(String::as_str).collect();
        assert!(keys.is_subset(&BTreeSet::from(["what", "at", "ticket", "message", "contact"])), "ids only: {data}");
        let of = ["message", "ticket", "contact"].iter().find_map(|key| data[key].as_str()).expect("an id");
        told.insert((data["what"].as_str().expect("what").to_owned(), of.to_owned()));
    }
    for key in ["a", "b", "c", "f"] {
        assert!(told.contains(&("message.added".to_owned(), office.of(key, "m.id").await)), "{key}: {told:?}");
    }
    assert!(!told.contains(&("message.added".to_owned(), office.of("x", "m.id").await)), "the other firm's");
    // What is done by hand is told, too.
    let acting = office.token("acting", "main", &Scope::ALL).await;
    let (status, body) = office.ask(&acting, "POST /tickets/<ticket b>/move {\"messages\": [\"<message c>\"]}").await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(listening.messages("message.moved", 1).await, [office.of("c", "m.id").await]);
}

#[tokio::test]
async fn who_commits_last_is_not_passed_over() {
    let office = Office::open().await;
    let token = office.token("reading", "main", &[Scope::Read]).await;
    let mut listening = Listening::open(&office, &token, None).await.expect("let in");
    assert_eq!(listening.next().await.expect("an event").0, "ready");
    let connect =
        async || PgConnection::connect_with(&office.desk.store.pool.connect_options()).await.expect("a connection");
    let (mut early, mut late) = (connect().await, connect().await);
    let (one, two, three) = (id(&office, 1).await, id(&office, 2).await, id(&office, 3).await);
    // The first begins first, and is still at it when the second has committed.
    let mut slow = early.begin().await.expect("begun");
    write(&mut slow, &one, "main").await;
    write(&mut late, &two, "main").await;
    let beside = eventually("the second is visible", async || {
        let sql = "SELECT count(*) FROM change WHERE what = 'message.added'";
        (office.desk.count(sql).await == 1).then(|| listening.last.clone())
    })
    .await;
    // Whoever comes just now, with whatever place, hears of both, in the order in which they may be told.
    let mut other = Listening::open(&office, &token, Some(&beside)).await.expect("let in");
    slow.commit().await.expect("committed");
    write(&mut late, &three, "main").await;
    assert_eq!(listening.messages("message.added", 3).await, [one.clone(), two.clone(), three.clone()]);
    assert_eq!(other.messages("message.added", 3).await, [one.clone(), two.clone(), three.clone()]);

    // After each place the rest is told again, and nothing twice.
    let mut again = Listening::open(&office, &token, Some(&beside)).await.expect("let in");
    assert_eq!(again.messages("message.added", 1).await, std::slice::from_ref(&one));
    let place = again.last.clone();
    let mut rest = Listening::open(&office, &token, Some(&place)).await.expect("let in");
    assert_eq!(rest.messages("message.added", 2).await, [two, three]);
}

#[tokio::test]
async fn many_writers_at_once_are_all_told_once() {
    let office = Office::open().await;
    let token = office.token("reading", "main", &[Scope::Read]).await;
    let mut listening = Listening::open(&office, &token, None).await.expect("let in");
    assert_eq!(listening.next().await.expect("an event").0, "ready");
    let mut expected = BTreeSet::new();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4_u8 {
        let mut ids = Vec::new();
        for n in 0..30 {
            ids.push(id(&office, writer * 30 + n).await);
        }
        expected.extend(ids.clone());
        let pool = office.desk.store.pool.clone();
        writers.spawn(async move {
            for pair in ids.chunks(2) {
                let mut tx = pool.begin().await.expect("begun");
                for id in pair {
                    write(&mut tx, id, "main").await;
                    tokio::task::yield_now().await;
                }
                tx.commit().await.expect("committed");
            }
        });
    }
    // A client that comes back after every few events hears of each once.
    let mut told = Vec::new();
    while told.len() < expected.len() {
        told.extend(listening.messages("message.added", 1).await);
        if told.len() % 7 == 0 {
            let last = listening.last.clone();
            listening = Listening::open(&office, &token, Some(&last)).await.expect("let in");
        }
    }
    while writers.join_next().await.is_some() {}
    let unique: BTreeSet<String> = told.iter().cloned().collect();
    assert_eq!((told.len(), unique), (expected.len(), expected));
}

#[tokio::test]
async fn a_place_that_is_too_old_or_nobodys_is_answered_with_reset() {
    let office = Office::open().await;
    let token = office.token("reading", "main", &[Scope::Read]).await;
    let mut listening = Listening::open(&office, &token, None).await.expect("let in");
    assert_eq!(listening.next().await.expect("an event").0, "ready");
    let old = listening.last.clone();
    office.desk.take("mail", "2026-03-05T08:00:00Z", letter("a", "03-05 08:00", MINNA, "Hei.").body).await;
    listening.messages("message.added", 1).await;
    let known = listening.last.clone();
    office
        .desk
        .store
        .forget_changes(Timestamp::now() - std::time::Duration::from_secs(3600), 1_000_000)
        .await
        .expect("nothing to forget");
    let mut again = Listening::open(&office, &token, Some(&old)).await.expect("let in");
    assert_eq!(again.messages("message.added", 1).await.len(), 1, "still known");
    office
        .desk
        .store
        .forget_changes(Timestamp::now() + std::time::Duration::from_secs(3600), 1_000_000)
        .await
        .expect("forgotten");
    assert_eq!(office.desk.count("SELECT count(*) FROM change").await, 0);
    assert!(Listening::open(&office, &token, Some(&known)).await.is_ok());
    for place in [old.as_str(), "0-0", "nonsense", "18446744073709551615-0", ""] {
        let mut listening = Listening::open(&office, &token, Some(place)).await.expect("let in");
        let (word, _) = listening.next().await.expect("an event");
        assert_eq!(word, "reset", "{place}");
        // And goes on from there.
        let now = listening.last.clone();
        assert!(office.desk.store.is_known_place(now.parse().expect("a place")).await.expect("a look"), "{now}");
    }
}

#[tokio::test]
async fn too_many_of_them_and_none_after_the_stop() {
    let office = Office::open_with(ApiLimits { listeners_max: 2, ..ApiLimits::default() }).await;
    let (stop, stopping) = watch::channel(false);
    let _ = office.api.clone().until(stopping);
    let token = office.token("reading", "main", &[Scope::Read]).await;
    let acting = office.token("acting", "main", &[Scope::Tickets]).await;
    assert_eq!(Listening::open(&office, &acting, None).await.err(), Some(403));
    assert_eq!(Listening::open(&office, "x", None).await.err(), Some(401));
    let mut one = Listening::open(&office, &token, None).await.expect("let in");
    let two = Listening::open(&office, &token, None).await.expect("let in");
    assert_eq!(Listening::open(&office, &token, None).await.err(), Some(503));
    drop(two);
    let mut two =
        eventually("the one who left makes room", async || Listening::open(&office, &token, None).await.ok()).await;
    assert_eq!(one.next().await.expect("an event").0, "ready");
    assert_eq!(two.next().await.expect("an event").0, "ready");
    stop.send(true).expect("heard");
    assert_eq!((one.next().await, two.next().await), (None, None));
}
