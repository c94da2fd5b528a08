//! `cargo bench --bench rt -- [--messages N] [--kills N] [--restarts N] [--seed N] [--story]`: a real Request Tracker, installed
//! and started by `tests/rt/rt`, is fed by the daemon from five channels, beside a mailbox on a real Dovecot; the daemon is killed
//! and RT's web part restarted meanwhile. At the end every message is on its ticket once, in order, in both; an agent answers in
//! RT, and the customer has it, once. Then the story of one customer is played both ways (`--story`: that alone).
//!
//! The last line is one JSON object. The exit code is 1 when anything is wrong.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a benchmark that does not get what it needs has failed, and says so"
)]

#[allow(dead_code, reason = "the harness of the mailbox uses the rest")]
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
mod story;
#[path = "../it/support.rs"]
#[allow(unused_imports, reason = "the tests use more of it")]
mod support;
mod tool;

use dovecot::Dovecot;
use lanka::shell::carriers::install_tls_provider;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tool::{AFTERMATH, Desk, Plan};
use uuid::Uuid;

/// The mirror's name.
const MIRROR: &str = "helpdesk";

#[tokio::main]
async fn main() -> std::process::ExitCode {
    install_tls_provider();
    let plan = Plan::of(std::env::args(), true);
    let dir = tempfile::Builder::new().prefix("lanka-rt-").tempdir_in("/var/tmp").expect("a directory");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711)).expect("its mode");
    let rt = Rt::start(&dir.path().join("rt"));
    let dovecot = Dovecot::start().await;
    fs::write(dir.path().join("token"), rt.of("token")).expect("a token");
    let table = format!(
        "[mirrors.{MIRROR}]\nkind = \"rt\"\nurl = \"{}\"\ntoken = {{ file = \"{}/token\" }}\nuser = \"{}\"\nqueue = \"Quiet\"\npoll_interval_s = 2\n",
        rt.of("url"),
        dir.path().display(),
        rt.of("user"),
    );
    let mut desk = Desk::new(dir.path(), &(table + &conversations::table(&dovecot))).await;
    let (mut figures, mut problems) = match plan.only_story {
        true => {
            desk.daemon.start();
            (json!({}), Vec::new())
        }
        false => stream(&mut desk, &rt, &dovecot, &plan).await,
    };
    let (told, of_story) = story::play(&desk, &rt, &dovecot).await;
    problems.extend(of_story);
    let mails = fs::read_dir(rt.of("mail")).map_or(0, Iterator::count);
    if mails > 0 {
        problems.push(format!("RT has written {mails} mails"));
    }
    desk.daemon.kill();
    figures["story"] = told.into();
    tool::report(figures, &problems)
}

/// The stream, while the daemon is killed and RT restarted; and the answer to one of its customers.
async fn stream(desk: &mut Desk, rt: &Rt, dovecot: &Dovecot, plan: &Plan) -> (Value, Vec<String>) {
    desk.import(plan.messages);
    let began = Instant::now();
    let at_work = desk.under_fire(plan, async || rt.restart()).await;
    let taken_s = began.elapsed().as_secs_f64();
    let mut problems = compare(desk, rt).await;
    problems.extend(conversations::compare(dovecot, &desk.expected(conversations::MIRROR).await).await.problems);
    problems.extend(answer(desk, rt).await);
    let tickets = desk.count("SELECT count(*) FROM ticket WHERE merged_into IS NULL").await;
    let figures = json!({"messages": plan.messages, "tickets": tickets, "kills": plan.kills, "restarts": plan.restarts,
        "at_work": at_work, "seconds": taken_s.round(), "per_second": (plan.messages as f64 / taken_s * 10.0).round() / 10.0});
    (figures, problems)
}

/// The tool. It stops with this value.
struct Rt {
    dir: PathBuf,
    told: Value,
    client: reqwest::Client,
}

/// A reply or comment as it stands in RT.
struct Said {
    /// RT's number of it.
    id: String,
    /// `Correspond` or `Comment`.
    kind: String,
    /// What lanka writes as its subject.
    key: String,
}

impl Said {
    /// The message that lanka wrote there, and its state.
    fn of_message(&self) -> Option<(Uuid, &str)> {
        let (message, state) = self.key.strip_prefix("lanka:")?.split_once('.')?;
        Some((message.parse().ok()?, state))
    }
}

impl Drop for Rt {
    fn drop(&mut self) {
        Self::script("stop", &self.dir);
    }
}

impl Rt {
    fn script(command: &str, dir: &Path) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rt/rt");
        let status =
            Command::new(script).arg(command).arg(dir).stdout(Stdio::null()).status().expect("tests/rt/rt runs");
        assert!(status.success(), "tests/rt/rt {command}: {status}");
    }

    fn start(dir: &Path) -> Self {
        Self::script("start", dir);
        let told = fs::read_to_string(dir.join("rt.json")).expect("rt.json");
        Self { dir: dir.to_owned(), told: serde_json::from_str(&told).expect("JSON"), client: reqwest::Client::new() }
    }

    fn restart(&self) {
        Self::script("restart", &self.dir);
    }

    fn of(&self, key: &str) -> &str {
        self.told[key].as_str().unwrap_or_default()
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.of("rest")));
        let answer =
            request.header("authorization", format!("token {}", self.of("token"))).send().await.expect("RT answers");
        answer.json().await.expect("JSON")
    }

    /// Replies and comments of a ticket, in RT's order.
    async fn history(&self, ticket: &str) -> Vec<Said> {
        let (mut said, mut page) = (Vec::new(), 1);
        loop {
            let path = format!("/ticket/{ticket}/history?fields=Type,Data&per_page=100&page={page}");
            let answer = self.get(&path).await;
            let rows = answer["items"].as_array().cloned().unwrap_or_default();
            let text = |value: &Value| value.as_str().unwrap_or_default().trim().to_owned();
            for row in rows.iter().filter(|row| matches!(row["Type"].as_str(), Some("Correspond" | "Comment"))) {
                said.push(Said { id: text(&row["id"]), kind: text(&row["Type"]), key: text(&row["Data"]) });
            }
            if rows.len() < 100 {
                return said;
            }
            page += 1;
        }
    }

    /// An agent's reply or comment.
    async fn say(&self, ticket: &str, verb: &str, text: &str) {
        let token = self.told["agents"][0]["token"].as_str().unwrap_or_default();
        let request = self.client.post(format!("{}/ticket/{ticket}/{verb}", self.of("rest")));
        let body = json!({"Content": text, "ContentType": "text/plain"});
        let answer =
            request.header("authorization", format!("token {token}")).json(&body).send().await.expect("RT answers");
        assert!(answer.status().is_success(), "an agent's {verb}: {}", answer.status());
    }

    /// An agent changes fields of a ticket.
    async fn change(&self, ticket: &str, fields: &Value) {
        let token = self.told["agents"][0]["token"].as_str().unwrap_or_default();
        let request = self.client.put(format!("{}/ticket/{ticket}", self.of("rest")));
        let answer =
            request.header("authorization", format!("token {token}")).json(fields).send().await.expect("RT answers");
        let (status, told) = (answer.status(), answer.text().await.unwrap_or_default());
        assert!(status.is_success(), "an agent's {fields}: {status} {told}");
    }
}

/// Each ticket in RT holds the messages of lanka's, each once, in the order in which they were decided; a message that changed
/// is there once more for each of its states.
async fn compare(desk: &Desk, rt: &Rt) -> Vec<String> {
    let expected = desk.expected(MIRROR).await;
    let mut problems = expected.problems();
    for (ticket, messages) in &expected.lanes {
        let Some(remote) = remote(desk, *ticket).await else {
            problems.push(format!("ticket {ticket} is not in RT"));
            continue;
        };
        let history = rt.history(&remote).await;
        let states: Vec<(Uuid, &str)> = history.iter().filter_map(Said::of_message).collect();
        let mut seen = BTreeSet::new();
        let shown: Vec<Uuid> =
            states.iter().map(|(message, _)| *message).filter(|message| seen.insert(*message)).collect();
        if shown != *messages {
            problems.push(format!("ticket {remote}: RT shows {shown:?}, it should be {messages:?}"));
        }
        let changes: usize = messages.iter().filter_map(|message| expected.changes.get(message)).sum();
        let distinct: BTreeSet<&(Uuid, &str)> = states.iter().collect();
        if distinct.len() != states.len() || states.len() > messages.len() + changes {
            problems.push(format!("ticket {remote}: RT shows a state of a message twice: {states:?}"));
        }
    }
    problems
}

/// A ticket's number in RT.
async fn remote(desk: &Desk, ticket: Uuid) -> Option<String> {
    let remote =
        sqlx::query_scalar("SELECT remote_id FROM link WHERE mirror = $1 AND object_kind = 'ticket' AND object = $2");
    remote.bind(MIRROR).bind(ticket).fetch_optional(&mut desk.database().await?).await.expect("a link")
}

/// An agent answers a chat in RT, and notes something.
async fn answer(desk: &Desk, rt: &Rt) -> Vec<String> {
    let mut database = desk.database().await.expect("the database");
    let (ticket, visitor): (Uuid, String) = sqlx::query_as(
        "SELECT m.ticket_id, i.value FROM message m JOIN identity i ON i.id = m.identity_id
         WHERE m.channel = 'chat' ORDER BY m.id DESC LIMIT 1",
    )
    .fetch_one(&mut database)
    .await
    .expect("a chat");
    let remote = remote(desk, ticket).await.expect("its ticket in RT");
    rt.say(&remote, "comment", "Hankala asiakas.").await;
    rt.say(&remote, "correspond", "Se lähti eilen.").await;
    desk.eventually("the visitor has the answer", async || (!desk.got().is_empty()).then_some(())).await;
    tokio::time::sleep(AFTERMATH).await;
    desk.drained(Duration::from_secs(60)).await;
    let mut problems = Vec::new();
    if desk.got() != [("site", visitor, "Se lähti eilen.".to_owned())] {
        problems.push(format!("customers got {:?}", desk.got()));
    }
    let again = rt.history(&remote).await.iter().filter(|said| said.of_message().is_none()).count();
    if again != 2 {
        problems.push(format!("what the agent wrote in RT is there {again} times, of 2"));
    }
    problems
}
