//! `lag_ms_p99`: from the decision on a change, which comes before its commit, until the agents' tool has the request; with
//! messages coming in steadily, in bursts of five to a ticket, and a tool that takes its time over each answer.
//!
//! Everything is real but the tool: the program `lanka`, its webhook, Postgres with its default durability.

use crate::corpus::{Item, Way};
use crate::desk::{APP_SECRET, Places, Server, WHSEC, scratch};
use crate::harness::signed;
use crate::number;
use axum::body::Bytes;
use axum::http::StatusCode;
use lanka::pure::domain::Timestamp;
use lanka::shell::carriers::install_tls_provider;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Messages a second.
const RATE: usize = 200;

/// Messages of one ticket in a row, in the second in which it has any.
const BURST: usize = 5;

/// Tickets that are written on at a time; each has a burst every so many seconds.
const TICKETS: usize = 400;

/// Bursts until a customer is done and another one comes.
const BURSTS_EACH: usize = 3;

/// What the tool takes for an answer.
const TOOL: Duration = Duration::from_millis(50);

/// Longest wait for the daemon, and for the end of everything.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the tool has heard.
#[derive(Default)]
struct Heard {
    /// From decision to request, in milliseconds.
    lags: Vec<f64>,
    /// The last sequence of each lane that was answered, and whether one is under way.
    lanes: HashMap<String, (i64, bool)>,
    disorder: usize,
}

/// Measures over `seconds`.
pub async fn measure(server: &Server, seconds: usize) -> Map<String, Value> {
    install_tls_provider();
    server.empty("lag").await;
    let dir = scratch();
    let heard: Arc<Mutex<Heard>> = Arc::default();
    let (tool, port) = (tool(Arc::clone(&heard)).await, free_port());
    let url = server.url("lag");
    let places = Places { dir: dir.path(), mirror: &tool, port, database: Some(&url) };
    let config = places.write();
    for folder in ["tmp", "new", "cur"] {
        std::fs::create_dir_all(places.maildir().join(folder)).expect("a Maildir");
    }
    File::create(places.call_log()).expect("a call log");
    let log = File::create(dir.path().join("daemon.log")).expect("a log");
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_lanka"));
    daemon.args(["run", "--config"]).arg(&config).env("SECRET", APP_SECRET).env("WHSEC", WHSEC);
    let daemon = Running(daemon.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("lanka"));
    let client = reqwest::Client::new();
    let ready = format!("http://127.0.0.1:{port}/readyz");
    let began = Instant::now();
    while !client.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success()) {
        assert!(began.elapsed() < PATIENCE, "the daemon is not ready");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    send(&client, port, seconds).await;
    let sent_s = began.elapsed().as_secs_f64();
    let mut connection = server.connect("lag").await;
    let left = "SELECT (SELECT count(*) FROM raw_pending) + (SELECT count(*) FROM outbox WHERE state <> 'delivered')";
    let began = Instant::now();
    while sqlx::query_scalar::<_, i64>(left).fetch_one(&mut connection).await.expect("a count") > 0 {
        assert!(began.elapsed() < PATIENCE, "the tool does not get everything");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let drained_s = began.elapsed().as_secs_f64();
    drop((daemon, connection));
    server.drop("lag").await;
    let mut heard = std::mem::take(&mut *heard.lock().expect("the lock"));
    assert_eq!(heard.disorder, 0, "changes of a lane came out of order");
    heard.lags.sort_by(f64::total_cmp);
    let at = |part: f64| heard.lags[((heard.lags.len() - 1) as f64 * part) as usize];
    eprintln!(
        "lag: {} changes, half within {:.0} ms, 99 % within {:.0} ms, all within {:.0} ms",
        heard.lags.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
    let raw = json!({"messages": seconds * RATE, "per_second": RATE, "changes": heard.lags.len(), "lanes": heard.lanes.len(),
        "tool_ms": TOOL.as_millis() as u64, "p50": number(at(0.5)), "p90": number(at(0.9)), "max": number(at(1.0)),
        "sent_s": number(sent_s), "drained_s": number(drained_s)});
    Map::from_iter([("lag_ms_p99".to_owned(), number(at(0.99))), ("lag".to_owned(), raw)])
}

/// The daemon, which ends with the measurement.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// Sends each message at its moment, whatever became of those before it.
async fn send(client: &reqwest::Client, port: u16, seconds: usize) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / RATE as u32);
    let mut under_way = tokio::task::JoinSet::new();
    for n in 0..seconds * RATE {
        ticks.tick().await;
        let item = message(n);
        let mut request = client.post(format!("http://127.0.0.1:{port}/hooks/{}", item.way.channel()));
        for (name, value) in signed(&item) {
            request = request.header(name, value);
        }
        under_way.spawn(request.body(item.body).send());
    }
    while let Some(sent) = under_way.join_next().await {
        let answer = sent.expect("a sender").expect("an answer");
        assert_eq!(answer.status(), 200, "a message was not taken");
    }
}

/// The `n`th message: of the ticket whose turn it is.
fn message(n: usize) -> Item {
    let burst = n / BURST;
    let visitor = format!("v-{}-{}", burst % TICKETS, burst / TICKETS / BURSTS_EACH);
    let (at, key) = (Timestamp::now(), format!("wc-{n}"));
    let body = json!({"event_id": key, "type": "message", "conversation_id": format!("c-{visitor}"), "visitor": {"id": visitor},
        "text": format!("Viesti {n}: valaisin välkkyy edelleen, vaikka vaihdoin lampun."), "sent_at": at.to_string()});
    Item { way: Way::Chat, at, body: body.to_string().into_bytes(), source_key: key, follow_up: true }
}

/// The agents' tool.
async fn tool(heard: Arc<Mutex<Heard>>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("its address"));
    let app = axum::Router::new().fallback(move |body: Bytes| {
        let heard = Arc::clone(&heard);
        async move {
            let now = Timestamp::now();
            let event: Value = serde_json::from_slice(&body).unwrap_or_default();
            let lane = event["subject"].as_str().unwrap_or_default().to_owned();
            // What ops hear of has no lane.
            let Some(sequence) = event["data"]["sequence"].as_i64() else { return StatusCode::OK };
            let decided: Timestamp = event["time"].as_str().and_then(|at| at.parse().ok()).expect("a time");
            {
                let mut heard = heard.lock().expect("the lock");
                heard.lags.push(now.duration_since(decided).as_secs_f64() * 1000.0);
                let (last, is_busy) = heard.lanes.get(&lane).copied().unwrap_or_default();
                heard.disorder += usize::from(is_busy || sequence != last + 1);
                heard.lanes.insert(lane.clone(), (sequence, true));
            }
            tokio::time::sleep(TOOL).await;
            heard.lock().expect("the lock").lanes.insert(lane, (sequence, false));
            StatusCode::OK
        }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}
