//! Webhooks through the socket: real signatures, a real Postgres that goes away and comes back.

use crate::endpoint::SECRET;
use crate::support::{TestDb, database, scratch};
use lanka::pure::channels::{Channel, Delivery, Forged, Handshake, Redacted};
use lanka::pure::domain::message::{Parsed, RawEvent};
use lanka::pure::domain::secret::Secret;
use lanka::pure::wire::standard_webhooks::{SigningKey, TOLERANCE_S, sign, verify};
use lanka::shell::alerts::Alerts;
use lanka::shell::carriers::install_tls_provider;
use lanka::shell::content::ContentStore;
use lanka::shell::intake::webhook::{Commit, Hook, WebhookLimits, WebhookSetup, Webhooks};
use lanka::shell::intake::{ChannelHealth, ChannelIdent};
use lanka::shell::server::{Ready, ServerLimits, serve, standing_routes};
use lanka::shell::store::Store;
use lanka::shell::telemetry::Metrics;
use sha2::{Digest, Sha256};
use sqlx::{PgPool, Row};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

fn key() -> SigningKey {
    SigningKey::parse(&Secret::new(SECRET)).unwrap()
}

/// Signed as Standard Webhooks, with a handshake like Meta's, and code that fails on one body.
struct Signed {
    handshake: bool,
}

impl Channel for Signed {
    fn verify(&self, delivery: &Delivery<'_>) -> Result<(), Forged> {
        assert!(delivery.body != b"panic", "this body makes the channel's code fail");
        verify(&[key()], delivery, TOLERANCE_S)
    }

    fn handshake(&self, query: &[(String, String)]) -> Handshake {
        let value = |name: &str| query.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
        match (self.handshake, value("token").as_deref()) {
            (false, _) => Handshake::None,
            (true, Some("ours")) => Handshake::Echo(value("challenge").unwrap_or_default()),
            (true, _) => Handshake::Refused,
        }
    }

    fn parse(&self, _event: &RawEvent) -> Parsed {
        Parsed::default()
    }

    fn redact(&self, _event: &RawEvent, _item: u32) -> Option<Redacted> {
        None
    }
}

/// A daemon's door on loopback.
struct Door {
    address: SocketAddr,
    alerts: Alerts,
    stop: watch::Sender<bool>,
    running: JoinHandle<usize>,
    _content: tempfile::TempDir,
}

impl Door {
    async fn open(pool: PgPool, limits: WebhookLimits, server: ServerLimits, commit: Commit) -> Self {
        let dir = scratch();
        let alerts = Alerts::logged();
        let setup = WebhookSetup {
            store: Store::new(pool.clone(), ContentStore::open(dir.path()).unwrap()),
            alerts: alerts.clone(),
            public_url: None,
            limits,
            commit,
        };
        let hook = |name: &str, handshake| Hook {
            channel: ChannelIdent { tenant: "acme".to_owned(), name: name.to_owned(), kind: "signed".to_owned() },
            reader: Arc::new(Signed { handshake }),
            health: ChannelHealth::new(name),
        };
        let (webhooks, committers) =
            Webhooks::start(setup, vec![hook("chat", false), hook("page", true), hook("cursed", false)]);
        let ready: Ready = Arc::new(move || {
            let pool = pool.clone();
            Box::pin(async move {
                let asked = sqlx::query("SELECT 1").execute(&pool).await;
                asked.map(drop).map_err(|_| "the database does not answer")
            })
        });
        let (stop, stopped) = watch::channel(false);
        let app = webhooks.routes().merge(standing_routes(ready, Some(Metrics::start()), stopped.clone()));
        drop(webhooks);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let running = tokio::spawn(async move {
            let cut = serve(listener, app, server, stopped).await;
            committers.finish().await;
            cut
        });
        Self { address, alerts, stop, running, _content: dir }
    }

    async fn plain(db: &TestDb) -> Self {
        Self::open(db.pool.clone(), WebhookLimits::default(), ServerLimits::default(), Commit::Grouped).await
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn post(&self, client: &reqwest::Client, channel: &str, body: impl Into<Vec<u8>>) -> reqwest::RequestBuilder {
        let body = body.into();
        let mut request = client.post(self.url(&format!("/hooks/{channel}")));
        for (name, value) in signature("msg_1", jiff::Timestamp::now().as_second(), &body) {
            request = request.header(name, value);
        }
        request.body(body)
    }

    /// Sends bytes as they are and gives what comes back until the end, or nothing more for 5 s.
    async fn raw(&self, bytes: &[u8]) -> String {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        // The server may have answered and hung up before all is sent.
        let _ = socket.write_all(bytes).await;
        answer_of(&mut socket).await
    }
}

fn client() -> reqwest::Client {
    install_tls_provider();
    reqwest::Client::new()
}

async fn answer_of(socket: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(Ok(count @ 1..)) = tokio::time::timeout(Duration::from_secs(5), socket.read(&mut piece)).await {
        answer.extend_from_slice(&piece[..count]);
        if answer.windows(4).any(|end| end == b"\r\n\r\n") {
            break;
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn signature(id: &str, sent_at_s: i64, body: &[u8]) -> [(&'static str, String); 3] {
    [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", sent_at_s.to_string()),
        ("webhook-signature", sign(&key(), id, sent_at_s, body)),
    ]
}

/// The head of a request that is signed for `body`, with one more line.
fn head(channel: &str, body: &[u8], line: &str) -> String {
    let signature = signature("msg_1", jiff::Timestamp::now().as_second(), body);
    let signed: String = signature.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("POST /hooks/{channel} HTTP/1.1\r\nhost: x\r\n{signed}{line}\r\n\r\n")
}

async fn stored(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM raw_event").fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn a_genuine_delivery_is_stored_before_it_is_answered() {
    let db = database().await;
    let door = Door::plain(&db).await;
    let client = client();
    let large = vec![b'x'; 300 * 1024];
    let bodies: [&[u8]; 6] = [b"{}", b"", b"\0\0", b"\xff\xfe not text", "ä€😀".as_bytes(), &large];
    for (count, body) in bodies.into_iter().enumerate() {
        let response = door.post(&client, "chat", body).send().await.unwrap();
        assert_eq!(response.status(), 200, "{} bytes", body.len());
        assert_eq!(stored(&db.pool).await, count as i64 + 1);
    }
    let sql =
        "SELECT tenant || ' ' || channel || ' ' || kind AS ident, body, content_hash, bytes FROM raw_event ORDER BY id";
    for (body, row) in bodies.into_iter().zip(sqlx::query(sql).fetch_all(&db.pool).await.unwrap()) {
        assert_eq!(row.get::<&str, _>("ident"), "acme chat signed");
        assert_eq!(row.get::<i64, _>("bytes"), body.len() as i64);
        match body.len() > 256 * 1024 {
            true => assert_eq!(row.get::<&[u8], _>("content_hash"), Sha256::digest(body).as_slice()),
            false => assert_eq!(row.get::<&[u8], _>("body"), body),
        }
    }
}

#[tokio::test]
async fn what_is_not_from_the_vendor_is_refused_and_not_stored() {
    let db = database().await;
    let door = Door::plain(&db).await;
    let client = client();
    let now_s = jiff::Timestamp::now().as_second();
    let good = signature("msg_1", now_s, b"body");
    let other_body = signature("msg_1", now_s, b"other");
    let old = signature("msg_1", now_s - 301, b"body");
    let early = signature("msg_1", now_s + 302, b"body");
    for (what, headers) in [
        ("none", vec![]),
        ("no signature", good[..2].to_vec()),
        ("no timestamp", vec![good[0].clone(), good[2].clone()]),
        ("of another body", other_body.to_vec()),
        ("with another time", vec![good[0].clone(), old[1].clone(), good[2].clone()]),
        ("replayed", old.to_vec()),
        ("from the future", early.to_vec()),
        ("twice", [good.to_vec(), good[2..].to_vec()].concat()),
        ("malformed", vec![good[0].clone(), good[1].clone(), ("webhook-signature", "v1,???".to_owned())]),
        ("empty", vec![good[0].clone(), good[1].clone(), ("webhook-signature", String::new())]),
    ] {
        let mut request = client.post(door.url("/hooks/chat")).body("body");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        assert_eq!(request.send().await.unwrap().status(), 401, "{what}");
    }
    assert_eq!(stored(&db.pool).await, 0);
    assert_eq!(door.post(&client, "chat", "body").send().await.unwrap().status(), 200, "the next good one");
}

#[tokio::test]
async fn routes_and_methods() {
    let db = database().await;
    let door = Door::plain(&db).await;
    let client = client();
    for (method, path, status, body) in [
        ("GET", "/hooks/page?token=ours&challenge=42%20%3Cb%3E", 200, "42 <b>"),
        ("GET", "/hooks/page?token=theirs&challenge=42", 403, "the token is not ours\n"),
        ("GET", "/hooks/page", 403, "the token is not ours\n"),
        ("GET", "/hooks/chat", 405, "this channel takes POST\n"),
        ("PUT", "/hooks/chat", 405, "this channel takes POST\n"),
        ("DELETE", "/hooks/chat", 405, "this channel takes POST\n"),
        ("OPTIONS", "/hooks/chat", 405, "this channel takes POST\n"),
        ("POST", "/hooks/nobody", 404, "no such channel\n"),
        ("GET", "/hooks/nobody", 404, "no such channel\n"),
        ("POST", "/hooks/", 404, ""),
        ("POST", "/hooks/chat/more", 404, ""),
        ("POST", "/hooks/%00", 404, "no such channel\n"),
        ("POST", "/hooks/%ff", 400, "Invalid URL: Invalid UTF-8 in `channel`"),
        ("GET", "/healthz", 200, "ok\n"),
        ("GET", "/readyz", 200, "ready\n"),
        ("GET", "/", 404, ""),
    ] {
        let response = client.request(method.parse().unwrap(), door.url(path)).send().await.unwrap();
        let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or("").to_owned();
        assert_eq!(response.status(), status, "{method} {path}");
        if status == 405 {
            assert_eq!(header("allow"), "POST", "{method} {path}");
        }
        assert!(!header("content-type").contains("html"), "{method} {path}");
        assert_eq!(response.text().await.unwrap(), body, "{method} {path}");
    }
    door.post(&client, "chat", "{}").send().await.unwrap();
    let metrics = client.get(door.url("/metrics")).send().await.unwrap().text().await.unwrap();
    // Other tests of this process count too.
    for (line, least) in [
        ("lanka_webhook_deliveries_total{channel=\"chat\",status=\"200\"} ", 1),
        ("lanka_webhook_deliveries_total{channel=\"\",status=\"404\"} ", 3),
        ("lanka_webhook_group_rows_count ", 1),
    ] {
        let count = metrics.lines().find_map(|found| found.strip_prefix(line)?.parse::<u64>().ok());
        assert!(count.is_some_and(|count| count >= least), "{line}{least} in {metrics}");
    }
}

#[tokio::test]
async fn bodies_are_limited_whatever_their_head_says() {
    let db = database().await;
    let limits =
        WebhookLimits { body_bytes_max: 100_000, body_timeout: Duration::from_millis(400), ..WebhookLimits::default() };
    let server = ServerLimits { head_timeout: Duration::from_millis(600), ..ServerLimits::default() };
    let door = Door::open(db.pool.clone(), limits, server, Commit::Grouped).await;
    let chunk = format!("2710\r\n{}\r\n", "x".repeat(10_000));
    let chunked =
        |count: usize| format!("{}{}0\r\n\r\n", head("chat", b"", "transfer-encoding: chunked"), chunk.repeat(count));
    for (what, sent, status) in [
        ("100 MB announced, nothing sent", head("chat", b"", "content-length: 100000000"), "413"),
        ("one byte too many announced", head("chat", b"", "content-length: 100001"), "413"),
        ("more than a number holds", head("chat", b"", "content-length: 99999999999999999999999"), "400"),
        ("one too many in chunks", chunked(11), "413"),
        ("endless chunks", chunked(500), "413"),
        ("as many as allowed, but forged", chunked(10), "401"),
        ("announced and never sent", head("chat", b"", "content-length: 50"), "408"),
        ("half sent", format!("{}half", head("chat", b"", "content-length: 50")), "408"),
        ("no chunk follows", head("chat", b"", "transfer-encoding: chunked"), "408"),
        ("a chunk of nonsense", format!("{}zz\r\n", head("chat", b"", "transfer-encoding: chunked")), "400"),
        ("no head either", "POST /hooks/chat HTTP/1.1\r\nhost: x\r\n".to_owned(), ""),
        ("no HTTP", "\u{16}\u{3}\u{1} this is TLS".to_owned(), "400"),
        ("a head without end", format!("POST / HTTP/1.1\r\nx: {}", "y".repeat(100_000)), "431"),
        ("shorter than it says", format!("{}ok", head("chat", b"ok", "content-length: 2")), "200"),
    ] {
        let began = Instant::now();
        let answer = door.raw(sent.as_bytes()).await;
        let line = answer.lines().next().unwrap_or("");
        assert_eq!(line.split(' ').nth(1).unwrap_or(""), status, "{what}: {line}");
        assert!(began.elapsed() < Duration::from_secs(3), "{what}: {:?}", began.elapsed());
    }
    let mut socket = TcpStream::connect(door.address).await.unwrap();
    socket.write_all(head("chat", b"body", "content-length: 4").as_bytes()).await.unwrap();
    socket.write_all(b"bo").await.unwrap();
    socket.shutdown().await.unwrap();
    let answer = answer_of(&mut socket).await;
    assert!(answer.is_empty() || answer.contains(" 400 "), "hung up in the middle: {answer}");
    assert_eq!(stored(&db.pool).await, 1, "only the good one");
}

#[tokio::test]
async fn too_much_at_once_is_told_to_come_again() {
    let db = database().await;
    let client = client();
    for limits in [
        WebhookLimits { deliveries_max: 1, ..WebhookLimits::default() },
        WebhookLimits { bodies_bytes_max: 100_000, ..WebhookLimits::default() },
    ] {
        let door = Door::open(db.pool.clone(), limits, ServerLimits::default(), Commit::Grouped).await;
        let large = vec![b'x'; 70_000];
        let mut slow = TcpStream::connect(door.address).await.unwrap();
        slow.write_all(head("chat", &large, "content-length: 70000").as_bytes()).await.unwrap();
        slow.write_all(&large[..69_999]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        let response = door.post(&client, "chat", large.clone()).send().await.unwrap();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "2");
        slow.write_all(&large[69_999..]).await.unwrap();
        assert!(answer_of(&mut slow).await.starts_with("HTTP/1.1 200"));
        assert_eq!(door.post(&client, "chat", large).send().await.unwrap().status(), 200, "all is free again");
    }
}

#[tokio::test]
async fn a_failing_handler_costs_its_own_request() {
    let db = database().await;
    let door = Door::plain(&db).await;
    let client = client();
    for _ in 0..3 {
        assert_eq!(door.post(&client, "chat", "panic").send().await.unwrap().status(), 500);
        assert_eq!(door.post(&client, "chat", "fine").send().await.unwrap().status(), 200);
    }
    assert_eq!(stored(&db.pool).await, 3);
}

/// Sends `count` at once and gives the statuses.
async fn send_together(door: &Door, client: &reqwest::Client, channel: &str, count: usize) -> Vec<u16> {
    let sent = (0..count).map(|n| async move {
        door.post(client, channel, format!("{channel} {n}"))
            .send()
            .await
            .map_or(0, |response| response.status().as_u16())
    });
    futures::future::join_all(sent).await
}

#[tokio::test]
async fn what_comes_together_is_committed_together() {
    for (commit, transactions) in [(Commit::Grouped, 2..=120), (Commit::Each, 200..=200)] {
        let db = database().await;
        let limits = WebhookLimits { commit_wait: Duration::from_secs(20), ..WebhookLimits::default() };
        let door = Door::open(db.pool.clone(), limits, ServerLimits::default(), commit).await;
        let statuses = send_together(&door, &client(), "chat", 200).await;
        assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
        assert_eq!(stored(&db.pool).await, 200);
        let sql = "SELECT count(DISTINCT xmin::text) FROM raw_event";
        let seen: i64 = sqlx::query_scalar(sql).fetch_one(&db.pool).await.unwrap();
        assert!(transactions.contains(&seen), "{commit:?}: {seen} transactions");
    }
}

#[tokio::test]
async fn one_that_cannot_be_stored_costs_the_others_nothing() {
    let db = database().await;
    sqlx::query("ALTER TABLE raw_event ADD CHECK (channel <> 'cursed')").execute(&db.pool).await.unwrap();
    let door = Door::plain(&db).await;
    let client = client();
    let (good, cursed) =
        tokio::join!(send_together(&door, &client, "chat", 60), send_together(&door, &client, "cursed", 3));
    assert!(good.iter().all(|status| *status == 200), "{good:?}");
    assert_eq!(cursed, [500, 500, 500]);
    assert_eq!(stored(&db.pool).await, 60);
}

/// A unix socket that leads to the Postgres of the tests, and can be cut.
struct Wire {
    dir: tempfile::TempDir,
    whole: Arc<AtomicBool>,
    url: String,
    task: JoinHandle<()>,
}

impl Wire {
    async fn to(db: &TestDb) -> Self {
        let dir = scratch();
        let (before, host) = db.url.split_once("host=").expect("a socket");
        let (host, rest) = host.split_once('&').unwrap_or((host, ""));
        let server = PathBuf::from(host.replace("%2F", "/")).join(".s.PGSQL.5432");
        let url = format!("{before}host={}&{rest}", dir.path().display().to_string().replace('/', "%2F"));
        let listener = UnixListener::bind(dir.path().join(".s.PGSQL.5432")).unwrap();
        let whole = Arc::new(AtomicBool::new(true));
        let open = Arc::clone(&whole);
        let task = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (server, open) = (server.clone(), Arc::clone(&open));
                tokio::spawn(async move {
                    let cut = async {
                        while open.load(Ordering::Relaxed) {
                            tokio::time::sleep(Duration::from_millis(20)).await;
                        }
                    };
                    if let Ok(mut server) = UnixStream::connect(server).await {
                        tokio::select! {
                            _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                            () = cut => {}
                        }
                    }
                });
            }
        });
        Self { dir, whole, url, task }
    }

    async fn pool(&self) -> PgPool {
        sqlx::postgres::PgPoolOptions::new().max_connections(4).connect(&self.url).await.expect("a way through")
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
        let _ = self.dir.path();
    }
}

#[tokio::test]
async fn without_a_database_senders_are_told_to_come_again() {
    let db = database().await;
    let wire = Wire::to(&db).await;
    let limits = WebhookLimits { commit_wait: Duration::from_millis(800), ..WebhookLimits::default() };
    let door = Door::open(wire.pool().await, limits, ServerLimits::default(), Commit::Grouped).await;
    let client = client();
    assert_eq!(door.post(&client, "chat", "first").send().await.unwrap().status(), 200);

    wire.whole.store(false, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(100)).await;
    for _ in 0..2 {
        let began = Instant::now();
        let statuses = send_together(&door, &client, "chat", 40).await;
        assert!(statuses.iter().all(|status| *status == 503), "{statuses:?}");
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    }
    let response = door.post(&client, "chat", "told").send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()), (503, "10"));
    assert_eq!(client.get(door.url("/readyz")).send().await.unwrap().status(), 503);
    assert_eq!(client.get(door.url("/healthz")).send().await.unwrap().status(), 200);
    assert_eq!(door.alerts.active().len(), 1, "said once");
    assert_eq!(stored(&db.pool).await, 1, "what was told 503 is not there");

    wire.whole.store(true, Ordering::Relaxed);
    let mut answered = 503;
    for _ in 0..50 {
        answered = door.post(&client, "chat", "again").send().await.unwrap().status().as_u16();
        if answered == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(answered, 200);
    assert_eq!(client.get(door.url("/readyz")).send().await.unwrap().status(), 200);
    assert!(door.alerts.active().is_empty(), "and the recovery too");
}

#[tokio::test]
async fn a_stop_lets_accepted_requests_finish_within_its_time() {
    let db = database().await;
    let server = ServerLimits { stop_max: Duration::from_millis(1_500), ..ServerLimits::default() };
    let door = Door::open(db.pool.clone(), WebhookLimits::default(), server, Commit::Grouped).await;
    let begin = async || {
        let mut socket = TcpStream::connect(door.address).await.unwrap();
        socket.write_all(head("chat", b"body", "content-length: 4").as_bytes()).await.unwrap();
        socket.write_all(b"bo").await.unwrap();
        socket
    };
    let (mut slow, mut stuck) = (begin().await, begin().await);
    let idle = TcpStream::connect(door.address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    door.stop.send(true).unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(TcpStream::connect(door.address).await.is_err(), "no new connections");
    slow.write_all(b"dy").await.unwrap();
    assert!(answer_of(&mut slow).await.starts_with("HTTP/1.1 200"));
    let cut = door.running.await.unwrap();
    assert_eq!(cut, 1, "the stuck one was cut");
    let took = began.elapsed();
    assert!((Duration::from_millis(1_400)..Duration::from_secs(4)).contains(&took), "{took:?}");
    drop(idle);
    let _ = stuck.shutdown().await;
    assert_eq!(stored(&db.pool).await, 1);
}
