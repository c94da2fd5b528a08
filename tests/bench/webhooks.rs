//! `webhook_group_ratio`: webhooks acknowledged durable a second, with 64 senders at once, against
//! the same handler committing each delivery by itself on 8 connections.

use crate::corpus::{Corpus, Item, Way};
use crate::desk::{Desk, Server};
use crate::harness::signed;
use crate::{median, number};
use lanka::pure::channels::Intake;
use lanka::shell::alerts::Alerts;
use lanka::shell::intake::ChannelHealth;
use lanka::shell::intake::webhook::{Commit, Hook, WebhookLimits, WebhookSetup, Webhooks};
use lanka::shell::server::{ServerLimits, serve};
use lanka::shell::store::Store;
use serde_json::{Map, Value, json};
use sqlx::postgres::PgPoolOptions;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Senders at once, each on a connection that it keeps.
const SENDERS: usize = 64;

/// Connections of the side that commits each delivery by itself.
const EACH_CONNECTIONS: u32 = 8;

/// Pairs of measurements.
const PAIRS: usize = 3;

/// Measures with `count` deliveries a side.
pub async fn measure(server: &Server, count: usize) -> Map<String, Value> {
    let (mut ratios, mut grouped, mut each) = (vec![], vec![], vec![]);
    for pair in 0..PAIRS {
        let mut rates = [0.0; 2];
        let mut ways = [Commit::Grouped, Commit::Each];
        if pair % 2 == 1 {
            ways.reverse();
        }
        for commit in ways {
            let start = jiff::Timestamp::now().saturating_sub(jiff::SignedDuration::from_hours(24)).expect("a time");
            let corpus = Corpus::new(100 + pair as u64, start, jiff::SignedDuration::from_secs(1));
            let items: Vec<Item> =
                corpus.filter(|item| !matches!(item.way, Way::Mail | Way::Call)).take(count).collect();
            rates[usize::from(commit == Commit::Each)] =
                count as f64 / side(server, &items, commit).await.as_secs_f64();
        }
        eprintln!(
            "webhooks, pair {}: grouped {:.0}/s, each by itself {:.0}/s, ratio {:.3}",
            pair + 1,
            rates[0],
            rates[1],
            rates[0] / rates[1]
        );
        ratios.push(rates[0] / rates[1]);
        grouped.push(number(rates[0]));
        each.push(number(rates[1]));
    }
    let raw = json!({"deliveries": count, "senders": SENDERS, "grouped_per_s": grouped, "each_per_s": each,
        "ratios": ratios.iter().copied().map(number).collect::<Vec<_>>()});
    Map::from_iter([("webhook_group_ratio".to_owned(), number(median(ratios))), ("webhook_group".to_owned(), raw)])
}

async fn side(server: &Server, items: &[Item], commit: Commit) -> Duration {
    let desk = server.desk("webhooks").await;
    let mut store = desk.store.clone();
    if commit == Commit::Each {
        let pool = PgPoolOptions::new().max_connections(EACH_CONNECTIONS).acquire_timeout(Duration::from_secs(60));
        store = Store::new(pool.connect(&server.url("webhooks")).await.expect("a pool"), store.content.clone());
    }
    let limits = WebhookLimits { commit_wait: Duration::from_secs(60), ..WebhookLimits::default() };
    let setup = WebhookSetup { store: store.clone(), alerts: Alerts::logged(), public_url: None, limits, commit };
    let (webhooks, committers) = Webhooks::start(setup, hooks(&desk));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let serving = tokio::spawn(serve(listener, webhooks.routes(), ServerLimits::default(), stopped));
    drop(webhooks);
    let requests: Arc<Vec<Vec<u8>>> = Arc::new(items.iter().map(request).collect());
    server.settle().await;
    let took = send(address, requests).await;
    let stored = desk.count("SELECT count(*) FROM raw_event").await;
    assert_eq!(stored, items.len() as i64, "something was acknowledged and not stored");
    let _ = stop.send(true);
    serving.await.expect("the server");
    committers.finish().await;
    store.pool.close().await;
    desk.store.pool.close().await;
    server.drop("webhooks").await;
    took
}

fn hooks(desk: &Desk) -> Vec<Hook> {
    let webhooks = desk.parts.channels.iter().filter(|channel| matches!(channel.intake, Intake::Webhook));
    webhooks
        .map(|channel| Hook {
            channel: channel.ident.clone(),
            reader: channel.channel.clone(),
            health: ChannelHealth::new(&channel.ident.name),
        })
        .collect()
}

/// A request as it goes over the wire, signed just now.
fn request(item: &Item) -> Vec<u8> {
    let mut head = format!(
        "POST /hooks/{} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
        item.way.channel(),
        item.body.len()
    );
    for (name, value) in signed(item) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    [head.as_bytes(), b"\r\n", &item.body].concat()
}

/// Sends all requests, and comes back when each was answered 200.
async fn send(address: SocketAddr, requests: Arc<Vec<Vec<u8>>>) -> Duration {
    let next = Arc::new(AtomicUsize::new(0));
    let mut senders = tokio::task::JoinSet::new();
    let mut sockets = Vec::new();
    for _ in 0..SENDERS {
        let socket = TcpStream::connect(address).await.expect("connected");
        socket.set_nodelay(true).expect("no delay");
        sockets.push(BufReader::new(socket));
    }
    let began = Instant::now();
    for mut socket in sockets {
        let (next, requests) = (next.clone(), requests.clone());
        senders.spawn(async move {
            while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                socket.write_all(request).await.expect("sent");
                let (status, length) = head(&mut socket).await;
                let mut body = vec![0; length];
                socket.read_exact(&mut body).await.expect("a body");
                assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
            }
        });
    }
    while let Some(sender) = senders.join_next().await {
        sender.expect("a sender");
    }
    began.elapsed()
}

async fn head(socket: &mut BufReader<TcpStream>) -> (u16, usize) {
    let (mut status, mut length) = (0, 0);
    loop {
        let mut line = String::new();
        assert!(socket.read_line(&mut line).await.expect("an answer") > 0, "the server hung up");
        let line = line.trim_end();
        if line.is_empty() {
            return (status, length);
        }
        if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
            status = rest.get(..3).and_then(|digits| digits.parse().ok()).unwrap_or(0);
        }
        if let Some(("content-length", value)) = line.split_once(": ") {
            length = value.parse().expect("a length");
        }
    }
}
