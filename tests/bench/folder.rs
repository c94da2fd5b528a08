//! `cargo bench --bench folder -- [--messages N] [--kills N] [--restarts N] [--seed N]`: a real Dovecot holds the folder that
//! agents work in, and the daemon fills it from five channels; the daemon is killed and Dovecot stopped meanwhile. At the end
//! every message is there once, on the conversation of its ticket and in order; an agent replies, and the customer has it, once.
//!
//! A mail channel reads that folder too, as a desk may configure it by mistake: no mail of lanka's is a message.
//!
//! The last line is one JSON object. The exit code is 1 when anything is wrong.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a benchmark that does not get what it needs has failed, and says so"
)]

mod conversations;
mod corpus;
#[path = "../it/dovecot.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod dovecot;
#[path = "../it/graph.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod graph;
#[path = "../it/post_office.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod post_office;
#[path = "../it/support.rs"]
#[allow(unused_imports, reason = "the tests use more of it")]
mod support;
#[allow(dead_code, reason = "the harness of another tool uses the rest")]
mod tool;

use conversations::{FOLDER, MIRROR};
use corpus::Random;
use dovecot::Dovecot;
use lanka::shell::carriers::install_tls_provider;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};
use tool::{AFTERMATH, Desk, Plan};
use uuid::Uuid;

/// Longest time that Dovecot is away, in milliseconds.
const AWAY_MS_MAX: u64 = 2_000;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    install_tls_provider();
    let plan = Plan::of(std::env::args(), false);
    let dir = tempfile::Builder::new().prefix("lanka-folder-").tempdir_in("/var/tmp").expect("a directory");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711)).expect("its mode");
    let mut dovecot = Dovecot::start().await;
    let tables = conversations::table(&dovecot) + &conversations::channel(&dovecot);
    let mut desk = Desk::new(dir.path(), &tables).await;
    desk.import(plan.messages);
    let mut random = Random::new(plan.seed);
    let began = Instant::now();
    let at_work = desk
        .under_fire(&plan, async || {
            // The answers to what is being asked are lost, and then there is nobody to ask.
            dovecot.kill_connections();
            dovecot.stop();
            tokio::time::sleep(Duration::from_millis(random.below(AWAY_MS_MAX))).await;
            dovecot.start_again().await;
        })
        .await;
    let taken_s = began.elapsed().as_secs_f64();
    let shown = conversations::compare(&dovecot, &desk.expected(MIRROR).await).await;
    let mut problems = shown.problems;
    problems.extend(answer(&desk, &dovecot).await);
    problems.extend(heard_nothing_new(&desk, plan.messages).await);
    let tickets = desk.count("SELECT count(*) FROM ticket WHERE merged_into IS NULL").await;
    desk.daemon.kill();
    let figures = json!({"messages": plan.messages, "tickets": tickets, "mails": shown.mails, "conversations": shown.conversations,
        "kills": plan.kills, "restarts": plan.restarts, "at_work": at_work, "seconds": taken_s.round(),
        "per_second": (plan.messages as f64 / taken_s * 10.0).round() / 10.0});
    tool::report(figures, &problems)
}

/// An agent replies in the folder to the last who wrote on Messenger.
async fn answer(desk: &Desk, dovecot: &Dovecot) -> Vec<String> {
    let mut database = desk.database().await.expect("the database");
    let (ticket, customer): (Uuid, String) = sqlx::query_as(
        "SELECT m.ticket_id, i.value FROM message m JOIN identity i ON i.id = m.identity_id
         WHERE m.channel = 'facebook' ORDER BY m.occurred_at DESC LIMIT 1",
    )
    .fetch_one(&mut database)
    .await
    .expect("a customer");
    let before = conversations::holding(dovecot, ticket, "").await;
    let asked = before.last().expect("his conversation");
    // Wherever he was last, and on whatever channel: it goes to Messenger.
    conversations::reply(desk, asked, "r1", "/to facebook\nSe lähti eilen.");
    desk.eventually("the customer has the answer", async || (!desk.got().is_empty()).then_some(())).await;
    tokio::time::sleep(AFTERMATH).await;
    desk.drained(Duration::from_secs(60)).await;
    let mut problems = Vec::new();
    if desk.got() != [("graph", customer, "Se lähti eilen.".to_owned())] {
        problems.push(format!("customers got {:?}", desk.got()));
    }
    let after = conversations::compare(dovecot, &desk.expected(MIRROR).await).await;
    problems.extend(after.problems);
    let now = conversations::holding(dovecot, ticket, "").await.len();
    if now != before.len() + 1 {
        problems.push(format!("the conversation held {} mails, and holds {now} with the answer", before.len()));
    }
    problems
}

/// The channel that reads the folder has read it to its end, and no mail of lanka's is a message or a fault.
async fn heard_nothing_new(desk: &Desk, messages: usize) -> Vec<String> {
    let read = "SELECT count(*) FROM raw_event WHERE channel = 'agents-mailbox'";
    desk.eventually("the folder is read", async || desk.count(read).await.filter(|read| *read as usize >= messages))
        .await;
    desk.drained(Duration::from_secs(120)).await;
    let mut problems = Vec::new();
    for (what, sql, expected) in [
        ("messages", "SELECT count(*) FROM message", messages as i64 + 1),
        ("messages out of the folder", "SELECT count(*) FROM message WHERE channel = 'agents-mailbox'", 0),
        ("mails in quarantine", "SELECT count(*) FROM quarantine", 0),
    ] {
        let found = desk.count(sql).await;
        if found != Some(expected) {
            problems.push(format!("{found:?} {what}, not {expected} ({FOLDER} is read by a channel)"));
        }
    }
    problems
}
