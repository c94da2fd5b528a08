//! Files from the vendors: fetched, given up, taken back, over the real store and a server that speaks as the
//! vendors do; and by the real daemon, killed within a file.

use crate::desk::Desk;
use crate::endpoint::{Endpoint, SECRET};
use crate::support::{TestDb, database, eventually, scratch};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use lanka::pure::domain::secret::Secret;
use lanka::pure::wire::standard_webhooks::{SigningKey, sign};
use lanka::shell::carriers::http::HttpCarrier;
use lanka::shell::content::ContentHash;
use lanka::shell::media::Limits;
use serde_json::{Value, json};
use sqlx::Row;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What the vendor does with a request.
#[derive(Clone)]
enum Reply {
    /// Says where a file is: the path on this server, and its SHA-256.
    Described(&'static str, String),
    /// The file, with its size in the head.
    File(&'static [u8]),
    /// So many bytes, without saying so beforehand.
    Unsized(usize),
    /// Says so many bytes, and breaks off after the first.
    BrokenOff(usize),
    /// The first bytes, then nothing for ever.
    Silent,
    /// A status.
    Status(u16),
    /// A status with `Retry-After` in seconds.
    Later(u16, u64),
    /// A redirect.
    To(String),
    /// An error of the Graph API.
    Graph(u16, u64),
}

#[derive(Default)]
struct Script {
    /// By path; the last reply of each stands for good.
    replies: HashMap<String, VecDeque<Reply>>,
    /// Paths asked for, each with its token.
    seen: Vec<(String, Option<String>)>,
    address: Option<SocketAddr>,
}

/// A vendor's server on loopback.
#[derive(Clone)]
struct Vendor {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
}

impl Vendor {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::new(Mutex::new(Script { address: Some(address), ..Script::default() }));
        let app = axum::Router::new().fallback(answer).with_state(Arc::clone(&script));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, script }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn on(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        self.script.lock().unwrap().replies.insert(path.to_owned(), replies.into_iter().collect());
    }

    fn seen(&self) -> Vec<(String, Option<String>)> {
        self.script.lock().unwrap().seen.clone()
    }

    fn paths(&self) -> Vec<String> {
        self.seen().into_iter().map(|(path, _)| path).collect()
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, uri: Uri, headers: HeaderMap) -> Response {
    let (reply, address) = {
        let mut script = script.lock().unwrap();
        let token = headers.get("authorization").map(|token| token.to_str().unwrap().to_owned());
        script.seen.push((uri.path().to_owned(), token));
        let replies = script.replies.entry(uri.path().to_owned()).or_default();
        let reply = if replies.len() > 1 { replies.pop_front() } else { replies.front().cloned() };
        (reply.unwrap_or(Reply::Status(404)), script.address.unwrap())
    };
    match reply {
        Reply::Described(path, sha256) => axum::Json(json!({
            "messaging_product": "whatsapp", "url": format!("http://{address}{path}"), "mime_type": "image/jpeg",
            "sha256": sha256, "file_size": "3", "id": "2423"}))
        .into_response(),
        Reply::File(bytes) => ([("content-type", "image/PNG; x=y")], bytes).into_response(),
        Reply::Unsized(bytes) => {
            let piece = Bytes::from(vec![b'x'; 64 * 1024]);
            let pieces = (0..bytes.div_ceil(piece.len())).map(move |_| Ok::<_, std::io::Error>(piece.clone()));
            Body::from_stream(futures::stream::iter(pieces)).into_response()
        }
        Reply::BrokenOff(bytes) => {
            let pieces = [Ok(Bytes::from_static(b"x")), Err(std::io::Error::other("broken"))];
            let body = Body::from_stream(futures::stream::iter(pieces).then(|piece| async {
                // The head is on its way before the connection breaks.
                tokio::time::sleep(Duration::from_millis(20)).await;
                piece
            }));
            ([("content-length", bytes.to_string())], body).into_response()
        }
        Reply::Silent => {
            let first = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 1000]))]);
            let body = Body::from_stream(first.chain(futures::stream::pending()));
            ([("content-length", "5000")], body).into_response()
        }
        Reply::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Reply::Later(status, wait_s) => {
            (StatusCode::from_u16(status).unwrap(), [("retry-after", wait_s.to_string())]).into_response()
        }
        Reply::To(url) => (StatusCode::FOUND, [("location", url)]).into_response(),
        Reply::Graph(status, code) => {
            let error = json!({"error": {"code": code, "message": "a secret 2423", "error_subcode": 33}});
            (StatusCode::from_u16(status).unwrap(), axum::Json(error)).into_response()
        }
    }
}

const PNG: &[u8] = b"a picture";

fn sha256(bytes: &[u8]) -> String {
    ContentHash::of(bytes).to_string()
}

fn base64_sha256(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(ContentHash::of(bytes).0)
}

/// A WhatsApp picture that the vendor has as `2423`.
fn whatsapp(id: &str, sha256: Option<String>) -> String {
    let image = json!({"id": "2423", "mime_type": "image/jpeg", "sha256": sha256, "caption": "rikki"});
    let message = json!({"from": "358401234567", "id": id, "timestamp": now_s(), "type": "image", "image": image});
    json!({"object": "whatsapp_business_account", "entry": [{"id": "WABA", "changes": [{"field": "messages",
        "value": {"metadata": {}, "messages": [message]}}]}]})
    .to_string()
}

/// A picture by Messenger or Instagram.
fn meta(object: &str, mid: &str, url: &str) -> String {
    let files = json!([{"type": "image", "payload": {"url": url}}]);
    let event = json!({"sender": {"id": "P1"}, "recipient": {"id": "PAGE"}, "timestamp": now_s(),
        "message": {"mid": mid, "attachments": files}});
    json!({"object": object, "entry": [{"id": "PAGE", "messaging": [event]}]}).to_string()
}

/// Files by web chat.
fn chat(id: &str, urls: &[String]) -> String {
    let files: Vec<Value> = urls.iter().map(|url| json!({"url": url, "name": "lamp.png"})).collect();
    json!({"event_id": id, "type": "message", "conversation_id": "c", "visitor": {"id": "v-1"}, "text": "See",
        "sent_at": jiff::Timestamp::now().to_string(), "attachments": files})
    .to_string()
}

fn now_s() -> String {
    jiff::Timestamp::now().as_second().to_string()
}

fn now() -> String {
    jiff::Timestamp::now().to_string()
}

/// Three attempts, at once after each other.
fn quick() -> Limits {
    Limits {
        bytes_max: 300_000,
        attempts_max: 3,
        backoff_first: Duration::ZERO,
        backoff_max: Duration::ZERO,
        silence_max: Duration::from_millis(200),
        ..Limits::default()
    }
}

/// A desk whose WhatsApp and Instagram ask this vendor.
async fn desk(vendor: &Vendor) -> Desk {
    let url = vendor.url("/graph");
    Desk::open_with(|config| {
        let asked = format!("kind = \"whatsapp\"\naccess_token = {{ env = \"SECRET\" }}\napi_url = \"{url}\"");
        let instagram = "\n[channels.instagram]\nkind = \"instagram\"\napp_secret = { env = \"SECRET\" }\nverify_token = { env = \"SECRET\" }\n";
        config.replace("kind = \"whatsapp\"", &asked) + instagram
    })
    .await
}

/// Fetches all that is due with quick limits.
async fn fetch(desk: &Desk) {
    desk.media(HttpCarrier::new(true).unwrap(), quick()).until_idle().await.unwrap();
}

/// The files of the desk: bytes that are here, or why they are not, with the type; and the states of the jobs.
async fn files(desk: &Desk) -> Vec<(Result<Vec<u8>, String>, String, String)> {
    let rows = sqlx::query(
        "SELECT a.content_hash, a.bytes, a.remote, a.lost, a.media_type, coalesce(j.state, 'none') AS state FROM attachment a
         LEFT JOIN media_job j USING (message_id, ordinal) ORDER BY a.message_id, a.ordinal",
    )
    .fetch_all(&desk.store.pool)
    .await
    .unwrap();
    let mut files = Vec::new();
    for row in rows {
        let (lost, hash): (Option<String>, Option<Vec<u8>>) = (row.get("lost"), row.get("content_hash"));
        let found = match hash {
            Some(hash) => {
                let bytes = desk.store.content.get(hash.as_slice().try_into().unwrap()).await.unwrap();
                assert_eq!(row.get::<i64, _>("bytes"), bytes.len() as i64);
                assert_eq!(
                    (row.get::<Option<String>, _>("remote"), lost),
                    (None, None),
                    "its link is of no use any more"
                );
                Ok(bytes.to_vec())
            }
            None => Err(lost.unwrap_or_else(|| "waiting".to_owned())),
        };
        files.push((found, row.get("media_type"), row.get("state")));
    }
    files
}

/// What is sent, what the vendor answers, and what becomes of the file: its bytes, or words of the reason.
struct Case {
    name: &'static str,
    channel: &'static str,
    body: fn(&Vendor) -> String,
    replies: Vec<(&'static str, Vec<Reply>)>,
    expected: Result<&'static [u8], &'static str>,
    /// Paths asked for, in order.
    asked: &'static [&'static str],
}

async fn check(case: Case) {
    let Case { name, channel, body, replies, expected, asked } = case;
    let vendor = Vendor::start().await;
    let desk = desk(&vendor).await;
    for (path, replies) in replies {
        vendor.on(path, replies);
    }
    desk.take(channel, &now(), body(&vendor)).await;
    fetch(&desk).await;
    let files = files(&desk).await;
    assert_eq!(files.len(), 1, "{name}");
    let (found, _, state) = &files[0];
    match (found, expected) {
        (Ok(found), Ok(expected)) => assert_eq!((found.as_slice(), state.as_str()), (expected, "done"), "{name}"),
        (Err(found), Err(expected)) => assert!(found.contains(expected) && state == "dead", "{name}: {found}, {state}"),
        _ => panic!("{name}: {found:?}, expected {expected:?}"),
    }
    assert_eq!(vendor.paths(), asked, "{name}");
    let left = std::fs::read_dir(desk.content_dir().join("incoming")).unwrap().count();
    assert_eq!(left, 0, "{name}: something is left of what came");
    // Neither ids nor URLs are told to anybody.
    let told: String =
        sqlx::query_scalar("SELECT string_agg(data::text, ' ') FROM ticket_event WHERE kind LIKE 'attachment_%'")
            .fetch_one(&desk.store.pool)
            .await
            .unwrap();
    assert!(!told.contains("2423") && !told.contains("127.0.0.1") && !told.contains("http:"), "{name}: {told}");
}

fn from_whatsapp(_: &Vendor) -> String {
    whatsapp("wamid.1", None)
}

fn from_chat(vendor: &Vendor) -> String {
    chat("e1", &[vendor.url("/a.png")])
}

const BIG: &[u8] = &[b'y'; 300_001];
const FULL: &[u8] = &[b'y'; 300_000];

#[tokio::test]
async fn what_becomes_of_files() {
    let described = || Reply::Described("/file", sha256(PNG));
    let (id, file) = ("/graph/2423", "/file");
    let cases = vec![
        Case {
            name: "WhatsApp, by two steps",
            channel: "whatsapp",
            body: from_whatsapp,
            replies: vec![(id, vec![described()]), (file, vec![Reply::File(PNG)])],
            expected: Ok(PNG),
            asked: &["/graph/2423", "/file"],
        },
        Case {
            name: "WhatsApp, the checksum of the message alone",
            channel: "whatsapp",
            body: |_| whatsapp("wamid.1", Some(base64_sha256(PNG))),
            replies: vec![(id, vec![Reply::Described("/file", String::new())]), (file, vec![Reply::File(PNG)])],
            expected: Ok(PNG),
            asked: &["/graph/2423", "/file"],
        },
        Case {
            name: "damaged once",
            channel: "whatsapp",
            body: |_| whatsapp("wamid.1", Some(base64_sha256(PNG))),
            replies: vec![(id, vec![described()]), (file, vec![Reply::File(b"a pictuer"), Reply::File(PNG)])],
            expected: Ok(PNG),
            asked: &["/graph/2423", "/file", "/graph/2423", "/file"],
        },
        Case {
            name: "always damaged",
            channel: "whatsapp",
            body: from_whatsapp,
            replies: vec![(id, vec![described()]), (file, vec![Reply::File(b"a pictuer")])],
            expected: Err("SHA-256"),
            asked: &["/graph/2423", "/file", "/graph/2423", "/file", "/graph/2423", "/file"],
        },
        Case {
            name: "an address that ran out",
            channel: "whatsapp",
            body: from_whatsapp,
            replies: vec![(id, vec![described()]), (file, vec![Reply::Status(404), Reply::File(PNG)])],
            expected: Ok(PNG),
            asked: &["/graph/2423", "/file", "/graph/2423", "/file"],
        },
        Case {
            name: "an id that Meta no longer has",
            channel: "whatsapp",
            body: from_whatsapp,
            replies: vec![(id, vec![Reply::Status(404)])],
            expected: Err("no longer has it"),
            asked: &["/graph/2423"],
        },
        Case {
            name: "an id that Meta, or the token, does not know",
            channel: "whatsapp",
            body: from_whatsapp,
            replies: vec![(id, vec![Reply::Graph(400, 100)])],
            expected: Err("given up after 3 attempts: Meta knows no such file"),
            asked: &["/graph/2423"; 3],
        },
        Case {
            name: "a token that ran out, and is renewed",
            channel: "whatsapp",
            body: from_whatsapp,
            replies: vec![(id, vec![Reply::Graph(401, 190), described()]), (file, vec![Reply::File(PNG)])],
            expected: Ok(PNG),
            asked: &["/graph/2423", "/graph/2423", "/file"],
        },
        Case {
            name: "Messenger, by its link",
            channel: "facebook",
            body: |vendor| meta("page", "m1", &vendor.url("/a.png")),
            replies: vec![("/a.png", vec![Reply::File(PNG)])],
            expected: Ok(PNG),
            asked: &["/a.png"],
        },
        Case {
            name: "Instagram, by its link, which expired",
            channel: "instagram",
            body: |vendor| meta("instagram", "m1", &vendor.url("/a.png")),
            replies: vec![("/a.png", vec![Reply::Status(403)])],
            expected: Err("no longer valid (answer 403)"),
            asked: &["/a.png"],
        },
        Case {
            name: "web chat",
            channel: "chat",
            body: from_chat,
            replies: vec![("/a.png", vec![Reply::File(PNG)])],
            expected: Ok(PNG),
            asked: &["/a.png"],
        },
        Case {
            name: "an empty file",
            channel: "chat",
            body: from_chat,
            replies: vec![("/a.png", vec![Reply::File(b"")])],
            expected: Ok(b""),
            asked: &["/a.png"],
        },
        Case {
            name: "as large as may be",
            channel: "chat",
            body: from_chat,
            replies: vec![("/a.png", vec![Reply::File(FULL)])],
            expected: Ok(FULL),
            asked: &["/a.png"],
        },
        Case {
            name: "not there",
            channel: "chat",
            body: from_chat,
            replies: vec![("/a.png", vec![Reply::Status(404)])],
            expected: Err("no longer there (answer 404)"),
            asked: &["/a.png"],
        },
        Case {
            name: "too large, and says so",
            channel: "chat",
            body: from_chat,
            replies: vec![("/a.png", vec![Reply::File(BIG)])],
            expected: Err("larger than content.attachment_bytes_max"),
            asked: &["/a.png"],
        },
        Case {
            name: "too large, and does not say so",
            channel: "chat",
            body: from_chat,
            replies: vec![("/a.png", vec![Reply::Unsized(10_000_000)])],
            expected: Err("larger than content.attachment_bytes_max"),
            asked: &["/a.png"],
        },
        Case {
            name: "broken off within",
            channel: "chat",
            body: from_chat,
            replies: vec![("/a.png", vec![Reply::BrokenOff(100), Reply::File(PNG)])],
            expected: Ok(PNG),
            asked: &["/a.png", "/a.png"],
        },
        Case {
            name: "silent within",
            channel: "chat",
            body: from_chat,
            replies: vec![("/a.png", vec![Reply::Silent])],
            expected: Err("given up after 3 attempts: its host fell silent"),
            asked: &["/a.png"; 3],
        },
        Case {
            name: "a fault of its own, once",
            channel: "chat",
            body: from_chat,
            replies: vec![("/a.png", vec![Reply::Status(503), Reply::File(PNG)])],
            expected: Ok(PNG),
            asked: &["/a.png", "/a.png"],
        },
        Case {
            name: "redirected",
            channel: "chat",
            body: from_chat,
            replies: vec![("/a.png", vec![Reply::To("/b.png".to_owned())]), ("/b.png", vec![Reply::File(PNG)])],
            expected: Ok(PNG),
            asked: &["/a.png", "/b.png"],
        },
        Case {
            name: "redirected without end",
            channel: "chat",
            body: from_chat,
            replies: vec![("/a.png", vec![Reply::To("/a.png".to_owned())])],
            expected: Err("redirected too often"),
            asked: &["/a.png"; 12],
        },
        Case {
            name: "redirected to where credentials lie",
            channel: "chat",
            body: from_chat,
            replies: vec![("/a.png", vec![Reply::To("http://169.254.169.254/latest/meta-data".to_owned())])],
            expected: Err("link-local, metadata"),
            asked: &["/a.png"],
        },
        Case {
            name: "redirected to no HTTP",
            channel: "chat",
            body: from_chat,
            replies: vec![("/a.png", vec![Reply::To("file:///etc/passwd".to_owned())])],
            expected: Err("its URL is malformed"),
            asked: &["/a.png"],
        },
    ];
    for case in cases {
        check(case).await;
    }
}

#[tokio::test]
async fn the_token_goes_to_the_vendor_and_not_along_with_a_redirect() {
    let (vendor, other) = (Vendor::start().await, Vendor::start().await);
    let desk = desk(&vendor).await;
    vendor.on("/graph/2423", [Reply::Described("/file", sha256(PNG))]);
    vendor.on("/file", [Reply::To("/near".to_owned())]);
    vendor.on("/near", [Reply::To(other.url("/far"))]);
    other.on("/far", [Reply::To(vendor.url("/back"))]);
    vendor.on("/back", [Reply::File(PNG)]);
    desk.take("whatsapp", &now(), whatsapp("wamid.1", None)).await;
    fetch(&desk).await;
    assert_eq!(files(&desk).await[0].0.as_deref(), Ok(PNG));
    let token = Some("Bearer secret-of-the-test".to_owned());
    let seen = |path: &str, token: &Option<String>| (path.to_owned(), token.clone());
    let expected = [seen("/graph/2423", &token), seen("/file", &token), seen("/near", &token), seen("/back", &None)];
    assert_eq!((vendor.seen(), other.seen()), (expected.to_vec(), vec![seen("/far", &None)]));

    // A URL of another host in Meta's answer sees none at all, nor does a link in a message.
    other.on("/file", [Reply::File(PNG)]);
    other.on("/graph/2423", [Reply::Described("/file", sha256(PNG))]);
    vendor.on("/graph/2423", [Reply::To(other.url("/graph/2423"))]);
    desk.take("whatsapp", &now(), whatsapp("wamid.2", None)).await;
    desk.take("facebook", &now(), meta("page", "m1", &other.url("/file"))).await;
    fetch(&desk).await;
    assert!(other.seen().iter().all(|(_, token)| token.is_none()), "{:?}", other.seen());
    assert!(files(&desk).await[1].0.is_err(), "a question is not redirected");
}

#[tokio::test]
async fn only_public_addresses_over_tls_unless_it_is_meant() {
    let vendor = Vendor::start().await;
    vendor.on("/a.png", [Reply::File(PNG)]);
    for (url, expected) in [
        (vendor.url("/a.png"), "not encrypted"),
        (vendor.url("/a.png").replace("http:", "https:"), "private network"),
        ("https://localhost/a.png".to_owned(), "private network"),
        ("https://[::ffff:127.0.0.1]/a.png".to_owned(), "private network"),
        ("https://169.254.169.254/".to_owned(), "link-local, metadata"),
    ] {
        let desk = desk(&vendor).await;
        desk.take("chat", &now(), chat("e1", std::slice::from_ref(&url))).await;
        desk.media(HttpCarrier::new(false).unwrap(), quick()).until_idle().await.unwrap();
        let (found, _, state) = files(&desk).await.remove(0);
        assert!(found.as_ref().is_err_and(|why| why.contains(expected)) && state == "dead", "{url}: {found:?}");
    }
    // A name may resolve to anything, also at the second look.
    let lookup: lanka::shell::carriers::http::Lookup =
        Arc::new(|_| Box::pin(async { Ok(vec![std::net::Ipv4Addr::LOCALHOST.into()]) }));
    let desk = desk(&vendor).await;
    desk.take("chat", &now(), chat("e1", &["https://cdn.shop.example/a.png".to_owned()])).await;
    let carrier = HttpCarrier::with_lookup(false, lookup).unwrap();
    desk.media(carrier, quick()).until_idle().await.unwrap();
    assert!(files(&desk).await[0].0.as_ref().is_err_and(|why| why.contains("private network")));
    assert_eq!(vendor.paths(), Vec::<String>::new(), "nothing was sent");
}

#[tokio::test]
async fn what_the_vendor_no_longer_gives_out_is_lost_at_once() {
    let vendor = Vendor::start().await;
    let desk = desk(&vendor).await;
    let long_ago = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(7 * 24 + 1);
    desk.take("whatsapp", &long_ago.to_string(), whatsapp("wamid.1", None)).await;
    fetch(&desk).await;
    let (found, ..) = files(&desk).await.remove(0);
    assert!(found.is_err_and(|why| why.contains("not fetched in the time")));
    assert_eq!(vendor.paths(), Vec::<String>::new());

    // One that does not come in time is looked at again when its time is over, not an hour later.
    let almost = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(7 * 24 * 3600 - 60);
    vendor.on("/graph/2423", [Reply::Graph(401, 190)]);
    desk.take("whatsapp", &almost.to_string(), whatsapp("wamid.2", None)).await;
    let limits = Limits { backoff_first: Duration::from_secs(3600), ..Limits::default() };
    desk.media(HttpCarrier::new(true).unwrap(), limits).until_idle().await.unwrap();
    assert_eq!(desk.count("SELECT count(*) FROM media_job WHERE state = 'pending' AND due_at = expires_at").await, 1);
}

#[tokio::test]
async fn a_vendor_that_asks_for_patience_gets_it() {
    let vendor = Vendor::start().await;
    let desk = desk(&vendor).await;
    vendor.on("/graph/2423", [Reply::Later(429, 600)]);
    desk.take("whatsapp", &now(), whatsapp("wamid.1", None)).await;
    desk.media(HttpCarrier::new(true).unwrap(), Limits::default()).until_idle().await.unwrap();
    assert_eq!(vendor.paths().len(), 1);
    let waits =
        "SELECT extract(epoch FROM due_at - now())::bigint FROM media_job WHERE state = 'pending' AND attempts = 1";
    let wait_s = desk.count(waits).await;
    assert!((595..=721).contains(&wait_s), "{wait_s} s");
}

#[tokio::test]
async fn without_a_token_files_are_lost_and_the_thread_says_why() {
    let desk = Desk::open().await;
    desk.take("whatsapp", &now(), whatsapp("wamid.1", None)).await;
    fetch(&desk).await;
    let (_, messages) = thread(&desk).await;
    let file = &messages[0].attachments[0];
    assert!(file.lost.as_deref().is_some_and(|why| why.contains("no access_token")) && !file.waiting);
    assert_eq!(
        desk.count("SELECT count(*) FROM ticket_event WHERE kind = 'attachment_lost' AND ticket_id IS NOT NULL").await,
        1
    );
}

async fn thread(
    desk: &Desk,
) -> (lanka::pure::domain::outbox::TicketView, Vec<lanka::pure::domain::outbox::MessageView>) {
    let ticket: uuid::Uuid = sqlx::query_scalar("SELECT id FROM ticket").fetch_one(&desk.store.pool).await.unwrap();
    desk.store.thread(lanka::pure::domain::id::TicketId(ticket)).await.unwrap().unwrap()
}

#[tokio::test]
async fn mirrors_are_told_when_a_file_is_here() {
    let vendor = Vendor::start().await;
    let desk = desk(&vendor).await;
    vendor.on("/a.png", [Reply::File(PNG)]);
    desk.take("chat", &now(), chat("e1", &[vendor.url("/a.png"), vendor.url("/b.png")])).await;
    assert!(thread(&desk).await.1[0].attachments.iter().all(|file| file.waiting));
    fetch(&desk).await;
    let rows: Vec<(i64, String, Value)> =
        sqlx::query_as("SELECT sequence, change, coalesce(detail, '{}') FROM outbox ORDER BY sequence")
            .fetch_all(&desk.store.pool)
            .await
            .unwrap();
    let told: Vec<_> = rows.iter().map(|(sequence, change, _)| (*sequence, change.as_str())).collect();
    let expected = [(1, "ticket.opened"), (2, "message.added"), (3, "message.updated"), (4, "message.updated")];
    assert_eq!(told, expected);
    let states: std::collections::BTreeSet<_> =
        rows[2..].iter().map(|(.., detail)| (detail["attachment"].as_i64(), detail["state"].as_str())).collect();
    assert_eq!(states, [(Some(0), Some("fetched")), (Some(1), Some("lost"))].into());
    let files = &thread(&desk).await.1[0].attachments;
    assert_eq!((files[0].sha256.clone(), files[0].bytes), (Some(sha256(PNG)), PNG.len() as i64));
    // The message was vague, the host was not.
    assert_eq!(files[0].media_type, "image/png");
    assert!(files[1].lost.is_some() && files[1].sha256.is_none());
}

#[tokio::test]
async fn a_delivery_that_comes_twice_is_fetched_once() {
    let vendor = Vendor::start().await;
    let desk = desk(&vendor).await;
    vendor.on("/a.png", [Reply::File(PNG)]);
    let body = chat("e1", &[vendor.url("/a.png")]);
    desk.take("chat", &now(), body.clone()).await;
    desk.take("chat", &now(), body.clone()).await;
    fetch(&desk).await;
    desk.take("chat", &now(), body).await;
    fetch(&desk).await;
    assert_eq!((vendor.paths().len(), files(&desk).await.len()), (1, 1));
}

/// The message is taken back.
fn unsent(mid: &str) -> String {
    meta("page", mid, "").replace("\"attachments\":", "\"is_deleted\":true,\"x\":")
}

#[tokio::test]
async fn what_is_taken_back_is_not_fetched_and_not_kept() {
    let vendor = Vendor::start().await;
    let desk = desk(&vendor).await;
    vendor.on("/a.png", [Reply::File(PNG)]);
    vendor.on("/slow.png", [Reply::Silent]);
    let nothing_kept = async |name: &str| {
        // As the hourly look does with what was put long ago.
        desk.store.forget_unnamed(Duration::ZERO).await.expect("contents");
        let files = files(&desk).await;
        assert!(files.iter().all(|(found, _, state)| found.is_err() && state == "none"), "{name}: {files:?}");
        let kept = std::fs::read_dir(desk.content_dir()).unwrap().flatten();
        let kept = kept.filter(|entry| entry.file_name() != "incoming");
        let kept: usize = kept.map(|folder| std::fs::read_dir(folder.path()).unwrap().count()).sum();
        assert_eq!(kept, 0, "{name}");
    };
    // Before it was fetched; before it came; after it was fetched.
    desk.take("facebook", &now(), meta("page", "m1", &vendor.url("/a.png"))).await;
    desk.take("facebook", &now(), unsent("m1")).await;
    desk.take("facebook", &now(), unsent("m2")).await;
    desk.take("facebook", &now(), meta("page", "m2", &vendor.url("/a.png"))).await;
    fetch(&desk).await;
    nothing_kept("before").await;
    assert_eq!(vendor.paths(), Vec::<String>::new());
    desk.take("facebook", &now(), meta("page", "m3", &vendor.url("/a.png"))).await;
    fetch(&desk).await;
    assert_eq!(vendor.paths().len(), 1);
    desk.take("facebook", &now(), unsent("m3")).await;
    nothing_kept("after").await;

    // While it is fetched: what comes belongs to nobody.
    desk.take("facebook", &now(), meta("page", "m4", &vendor.url("/slow.png"))).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let media = desk.media(HttpCarrier::new(true).unwrap(), quick());
    let running = tokio::spawn(async move { media.run(stopped).await });
    eventually("it is being fetched", async || (vendor.paths().len() > 1).then_some(())).await;
    vendor.on("/slow.png", [Reply::File(PNG)]);
    desk.take("facebook", &now(), unsent("m4")).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    stop.send(true).unwrap();
    running.await.unwrap();
    nothing_kept("while").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_never_fetch_one_file_twice() {
    let vendor = Vendor::start().await;
    let desk = desk(&vendor).await;
    let urls: Vec<String> = (0..30).map(|n| vendor.url(&format!("/{n}.png"))).collect();
    (0..30).for_each(|n| vendor.on(&format!("/{n}.png"), [Reply::File(PNG)]));
    desk.take("chat", &now(), chat("e1", &urls)).await;
    let media = || desk.media(HttpCarrier::new(true).unwrap(), quick());
    let (one, other) = (media(), media());
    let (one, other) = tokio::join!(one.until_idle(), other.until_idle());
    one.and(other).unwrap();
    let mut paths = vendor.paths();
    paths.sort();
    paths.dedup();
    assert_eq!((paths.len(), vendor.paths().len()), (30, 30));
    assert!(files(&desk).await.iter().all(|(found, ..)| found.is_ok()));
}

#[tokio::test]
async fn imported_history_asks_nobody() {
    let vendor = Vendor::start().await;
    let desk = desk(&vendor).await;
    let event = lanka::shell::store::raw_event::NewRawEvent {
        tenant: "main".to_owned(),
        channel: "chat".to_owned(),
        kind: "webchat".to_owned(),
        received_at: jiff::Timestamp::now(),
        trusted_at: None,
        origin: "import".to_owned(),
        body: lanka::shell::store::raw_event::RawBody::Bytes(chat("e1", &[vendor.url("/a.png")]).into()),
    };
    let quiet = lanka::shell::store::raw_event::Hearing::Quiet;
    desk.store.record_as(&[event], None, quiet).await.unwrap();
    desk.decide().await;
    fetch(&desk).await;
    let (found, _, state) = files(&desk).await.remove(0);
    assert!(found.is_err_and(|why| why.contains("imported")) && state == "none");
}

/// The real daemon over a database of its own, with web chat.
struct Office {
    dir: tempfile::TempDir,
    db: TestDb,
    port: u16,
    _tool: Endpoint,
}

impl Office {
    async fn new(attachment_bytes_max: u64) -> Self {
        let (dir, db, tool) = (scratch(), database().await, Endpoint::start().await);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let config = format!(
            "data_dir = \"{dir}/data\"\n[database]\nurl = {{ env = \"URL\" }}\n[security]\nkeys = [{{ id = \"1\", env = \"KEY\" }}]\n\
             [http]\nlisten = \"127.0.0.1:{port}\"\nallow_private_addresses = true\n[content]\nattachment_bytes_max = {attachment_bytes_max}\n\
             [channels.chat]\nkind = \"webchat\"\nsecret = {{ env = \"WHSEC\" }}\n\
             [mirrors.desk]\nkind = \"webhook\"\nurl = \"{}\"\nsecret = {{ env = \"WHSEC\" }}\n",
            tool.url("/hook"),
            dir = dir.path().display(),
        );
        std::fs::write(dir.path().join("lanka.toml"), config).unwrap();
        Self { dir, db, port, _tool: tool }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lanka"));
        command.args(arguments).arg("--config").arg(self.dir.path().join("lanka.toml"));
        command.env("URL", &self.db.url).env("WHSEC", SECRET).env("KEY", "0123456789abcdef0123456789abcdef");
        command
    }

    fn daemon(&self) -> Daemon {
        let log = std::fs::File::options().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        let mut command = self.command(&["run"]);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        Daemon(command.spawn().unwrap())
    }

    async fn post(&self, id: &str, body: String) {
        lanka::shell::carriers::install_tls_provider();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let key = SigningKey::parse(&Secret::new(SECRET)).unwrap();
        eventually("the daemon takes it", async || {
            let now_s = jiff::Timestamp::now().as_second();
            let request = client.post(format!("http://127.0.0.1:{}/hooks/chat", self.port)).body(body.clone());
            let request = request.header("webhook-id", id).header("webhook-timestamp", now_s.to_string());
            let request = request.header("webhook-signature", sign(&key, id, now_s, body.as_bytes()));
            request.send().await.ok().filter(|answer| answer.status() == 200).map(drop)
        })
        .await;
    }

    async fn state(&self) -> String {
        let state = sqlx::query_scalar(
            "SELECT coalesce(string_agg(state, ' ' ORDER BY message_id, ordinal), '') FROM media_job",
        );
        state.fetch_one(&self.db.pool).await.unwrap()
    }

    async fn until(&self, state: &str) {
        eventually(state, async || (self.state().await == state).then_some(())).await;
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

struct Daemon(Child);

impl Daemon {
    /// SIGKILL.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_killed_within_a_file_fetches_it_after_its_restart() {
    let (vendor, office) = (Vendor::start().await, Office::new(1_000_000).await);
    vendor.on("/a.png", [Reply::Silent]);
    let daemon = office.daemon();
    office.post("e1", chat("e1", &[vendor.url("/a.png"), vendor.url("/b.png")])).await;
    office.until("claimed dead").await;
    daemon.kill();
    vendor.on("/a.png", [Reply::File(PNG)]);
    let began = Instant::now();
    let _daemon = office.daemon();
    office.until("done dead").await;
    assert!(began.elapsed() < Duration::from_secs(20), "its claim died with it: {:?}", began.elapsed());
    assert_eq!(vendor.paths().iter().filter(|path| *path == "/a.png").count(), 2);
    let log = office.log();
    assert!(log.contains("media_lost"), "said aloud: {log}");
    assert!(!log.contains(&vendor.url("")) && !log.contains("b.png"), "without the URL: {log}");
    let channels = office.command(&["channels", "--format", "json"]).output().unwrap();
    let channels: Value = serde_json::from_slice(&channels.stdout).unwrap();
    assert_eq!((&channels["files_waiting"], &channels["files_lost"]), (&json!(0), &json!(1)));
    let shown = office.command(&["thread", "show", "1"]).output().unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("+ lamp.png (image/png, 9 bytes)"), "{shown}");
    assert!(shown.contains("- lamp.png (application/octet-stream), not here: it is no longer there"), "{shown}");
}

#[tokio::test]
async fn a_large_file_takes_no_memory() {
    let (vendor, office) = (Vendor::start().await, Office::new(1_000_000_000).await);
    let daemon = office.daemon();
    // What it takes before, with a small one fetched.
    vendor.on("/a.png", [Reply::File(PNG)]);
    office.post("e1", chat("e1", &[vendor.url("/a.png")])).await;
    office.until("done").await;
    let high_kb = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.0.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap().to_owned();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let before_kb = high_kb();
    let urls: Vec<String> = (0..4).map(|n| vendor.url(&format!("/{n}.bin"))).collect();
    (0..4).for_each(|n| vendor.on(&format!("/{n}.bin"), [Reply::Unsized(96 * 1024 * 1024)]));
    office.post("e2", chat("e2", &urls)).await;
    office.until("done done done done done").await;
    let more_kb = high_kb() - before_kb;
    println!("4 files of 96 MiB at once: {more_kb} kB more");
    assert!(more_kb < 48 * 1024, "{more_kb} kB more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draining_run_fetches_and_says_what_is_left() {
    let (vendor, office) = (Vendor::start().await, Office::new(1_000_000).await);
    vendor.on("/a.png", [Reply::File(PNG)]);
    vendor.on("/b.png", [Reply::Later(429, 3_600)]);
    let daemon = office.daemon();
    office.post("e1", chat("e1", &[vendor.url("/b.png")])).await;
    eventually("one waits for an hour", async || vendor.paths().contains(&"/b.png".to_owned()).then_some(())).await;
    office.until("pending").await;
    daemon.kill();
    let drained = office.command(&["run", "--until-idle"]).output().unwrap();
    let said = String::from_utf8_lossy(&drained.stderr).into_owned();
    assert_eq!(drained.status.code(), Some(1), "{said}");
    assert!(said.contains("1 file is not fetched yet: channel chat: its host answers 429"), "{said}");
    sqlx::query("UPDATE media_job SET due_at = now()").execute(&office.db.pool).await.unwrap();
    vendor.on("/b.png", [Reply::File(PNG)]);
    let drained = office.command(&["run", "--until-idle"]).output().unwrap();
    assert!(drained.status.success(), "{drained:?}");
    assert_eq!(office.state().await, "done");
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_files_are_asked_for_again() {
    let (vendor, office) = (Vendor::start().await, Office::new(1_000_000).await);
    let urls: Vec<String> = ["/a", "/b", "/c", "/d", "/e"].map(|path| vendor.url(path)).to_vec();
    let daemon = office.daemon();
    office.post("e1", chat("e1", &urls)).await;
    office.post("e2", chat("e2", &[vendor.url("/f")])).await;
    office.until("dead dead dead dead dead dead").await;
    daemon.kill();
    // The vendor's time for `/d` is over, `/e` is taken back, `/f` is of another day.
    for sql in [
        "UPDATE media_job SET expires_at = now() - interval '1 s' WHERE ordinal = 3",
        "UPDATE attachment SET remote = NULL WHERE ordinal = 4",
    ] {
        sqlx::query(sql).execute(&office.db.pool).await.unwrap();
    }
    vendor.on("/a", [Reply::File(PNG)]);
    vendor.on("/b", [Reply::Later(503, 3_600)]);
    vendor.on("/f", [Reply::File(PNG)]);
    let again = |more: &[&str]| {
        let arguments = [&["replay", "--media", "--format", "json"], more].concat();
        let output = office.command(&arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let none = json!({"asked": 0, "fetched": 0, "waiting": 0, "lost": 0, "expired": 0});
    assert_eq!(again(&["--since", "2126-01-01"]), none);
    assert_eq!(vendor.paths().len(), 6, "nobody was asked");
    assert_eq!(again(&[]), json!({"asked": 4, "fetched": 2, "waiting": 1, "lost": 1, "expired": 1}));
    assert_eq!(office.state().await, "done pending dead dead dead done");
    let shown = office.command(&["thread", "show", "1"]).output().unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert_eq!(shown.matches("lamp.png (image/png, 9 bytes)").count(), 2, "{shown}");
    assert_eq!(shown.matches("being fetched").count(), 1, "{shown}");
    assert_eq!(shown.matches("not here").count(), 3, "{shown}");
    // What waits is not asked for twice; what is here stays; mirrors hear of each that came.
    assert_eq!(again(&[]), json!({"asked": 1, "fetched": 0, "waiting": 0, "lost": 1, "expired": 1}));
    let told: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox WHERE detail ->> 'state' = 'fetched'")
        .fetch_one(&office.db.pool)
        .await
        .unwrap();
    assert_eq!(told, 2);
    let said = office.command(&["replay", "--media"]).output().unwrap();
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("1 lost file asked for again: 0 here now, 0 waiting, 1 lost as before"), "{said}");
    assert!(said.contains("1 more is not asked for"), "{said}");
}
