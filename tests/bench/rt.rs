//! `cargo bench --bench rt -- [--messages N] [--kills N] [--restarts N]`: a real Request Tracker, installed and started by
//! `tests/rt/rt`, is fed by the daemon from five channels; the daemon is killed and RT's web part restarted meanwhile. At the
//! end every message is on its ticket once, in order; an agent answers in RT, and the customer has it, once.
//!
//! The last line is one JSON object. The exit code is 1 when anything is wrong.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a benchmark that does not get what it needs has failed, and says so"
)]

use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use lanka::shell::carriers::install_tls_provider;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const SECRET: &str = "secret-of-the-benchmark";
const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Longest wait for RT to have everything, for each thousand messages.
const DRAIN_MAX: Duration = Duration::from_secs(900);

#[tokio::main]
async fn main() -> std::process::ExitCode {
    install_tls_provider();
    let (mut messages, mut kills, mut restarts) = (2_000, 6, 3);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments.next().and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{argument} wants a number"))
        };
        match argument.as_str() {
            "--messages" => messages = value(),
            "--kills" => kills = value(),
            "--restarts" => restarts = value(),
            // Cargo's own.
            "--bench" => {}
            other => panic!("unknown argument {other}; known are --messages, --kills and --restarts"),
        }
    }
    let dir = tempfile::Builder::new().prefix("lanka-rt-").tempdir_in("/var/tmp").expect("a directory");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711)).expect("its mode");
    let rt = Rt::start(&dir.path().join("rt"));
    let mut world = World::new(dir.path(), rt).await;
    let figures = world.run(messages, kills, restarts).await;
    world.daemon.kill();
    world.rt.stop();
    println!("{figures}");
    match figures["problems"].as_u64() {
        Some(0) => std::process::ExitCode::SUCCESS,
        _ => std::process::ExitCode::FAILURE,
    }
}

/// The tool.
struct Rt {
    dir: PathBuf,
    told: Value,
    client: reqwest::Client,
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

    fn stop(&self) {
        Self::script("stop", &self.dir);
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

    /// What lanka put on a ticket: the keys of replies and comments, in RT's order.
    async fn history(&self, ticket: &str) -> Vec<String> {
        let (mut keys, mut page) = (Vec::new(), 1);
        loop {
            let path = format!("/ticket/{ticket}/history?fields=Type,Data&per_page=100&page={page}");
            let answer = self.get(&path).await;
            let rows = answer["items"].as_array().cloned().unwrap_or_default();
            let said = rows.iter().filter(|row| matches!(row["Type"].as_str(), Some("Correspond" | "Comment")));
            keys.extend(said.filter_map(|row| row["Data"].as_str()).map(|data| data.trim().to_owned()));
            if rows.len() < 100 {
                return keys;
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
}

struct Daemon {
    config: PathBuf,
    child: Option<Child>,
}

impl Daemon {
    fn command(&self, arguments: &[&str]) -> Command {
        let log =
            OpenOptions::new().append(true).create(true).open(self.config.with_file_name("daemon.log")).expect("a log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_lanka"));
        command.args(arguments).arg("--config").arg(&self.config);
        command.env("SECRET", SECRET).env("WHSEC", WHSEC).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("a log")).stderr(log);
        command
    }

    fn start(&mut self) {
        self.child = Some(self.command(&["run"]).spawn().expect("the program lanka"));
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

struct World {
    rt: Rt,
    daemon: Daemon,
    dir: PathBuf,
    /// What the site was given for its visitors.
    shown: Arc<Mutex<Vec<Value>>>,
}

impl World {
    async fn new(dir: &Path, rt: Rt) -> Self {
        let shown: Arc<Mutex<Vec<Value>>> = Arc::default();
        let site = axum::Router::new().route(
            "/answers",
            axum::routing::post(async |State(shown): State<Arc<Mutex<Vec<Value>>>>, Json(body): Json<Value>| {
                shown.lock().unwrap().push(body);
            }),
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let site_at = listener.local_addr().expect("its address");
        let site = site.with_state(shown.clone());
        tokio::spawn(async move { axum::serve(listener, site).await });
        let config = format!(
            r#"data_dir = "{dir}/data"
[http]
listen = "127.0.0.1:0"
allow_private_addresses = true
[identity]
own_domains = ["kauppa.example"]
agents = ["*@kauppa.example"]
[channels.mail]
kind = "maildir"
path = "{dir}/mail"
addresses = ["asiakaspalvelu@kauppa.example"]
trusted_authserv = "mx.kauppa.example"
[channels.facebook]
kind = "messenger"
app_secret = {{ env = "SECRET" }}
verify_token = {{ env = "SECRET" }}
[channels.whatsapp]
kind = "whatsapp"
app_secret = {{ env = "SECRET" }}
verify_token = {{ env = "SECRET" }}
[channels.chat]
kind = "webchat"
secret = {{ env = "WHSEC" }}
answer_url = "http://{site_at}/answers"
[channels.phone]
kind = "asterisk"
path = "{dir}/Master.csv"
time_zone = "UTC"
own_numbers = ["+358 9 4272 0000"]
[mirrors.helpdesk]
kind = "rt"
url = "{url}"
token = {{ file = "{dir}/token" }}
user = "{user}"
queue = "Quiet"
poll_interval_s = 2
"#,
            dir = dir.display(),
            url = rt.of("url"),
            user = rt.of("user"),
        );
        fs::write(dir.join("lanka.toml"), config).expect("a configuration");
        fs::write(dir.join("token"), rt.of("token")).expect("a token");
        for folder in ["tmp", "new", "cur"] {
            fs::create_dir_all(dir.join("mail").join(folder)).expect("a Maildir");
        }
        fs::write(dir.join("Master.csv"), "").expect("a call log");
        let daemon = Daemon { config: dir.join("lanka.toml"), child: None };
        Self { rt, daemon, dir: dir.to_owned(), shown }
    }

    async fn database(&self) -> Option<PgConnection> {
        let socket = self.dir.join("data/postgres/sock");
        let socket: String = url::form_urlencoded::byte_serialize(socket.to_string_lossy().as_bytes()).collect();
        PgConnection::connect(&format!("postgres://lanka@localhost:5432/lanka?host={socket}")).await.ok()
    }

    async fn count(&self, sql: &'static str) -> Option<i64> {
        sqlx::query_scalar(sql).fetch_one(&mut self.database().await?).await.ok()
    }

    async fn run(&mut self, messages: usize, kills: usize, restarts: usize) -> Value {
        fs::write(self.dir.join("events.jsonl"), events(messages)).expect("events");
        let events = self.dir.join("events.jsonl");
        let mut import = self.daemon.command(&["import", "--mirror", "--events", &events.display().to_string()]);
        assert!(import.status().expect("the program lanka").success(), "the import failed; see daemon.log");
        let began = Instant::now();
        self.daemon.start();
        for n in 0..kills.max(restarts) {
            tokio::time::sleep(Duration::from_millis(4_000 + 700 * n as u64)).await;
            if n < kills {
                self.daemon.kill();
                self.daemon.start();
            }
            if n < restarts {
                self.rt.restart();
            }
        }
        let left = "SELECT count(*) FROM outbox WHERE state <> 'delivered'";
        let limit = DRAIN_MAX * u32::try_from(messages.div_ceil(1_000)).unwrap_or(u32::MAX);
        while self.count(left).await != Some(0) {
            assert!(began.elapsed() < limit, "RT does not get everything; {:?} left", self.count(left).await);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let taken_s = began.elapsed().as_secs_f64();
        let mut problems = self.compare().await;
        problems.extend(self.answer().await);
        for problem in problems.iter().take(20) {
            eprintln!("{problem}");
        }
        let tickets = self.count("SELECT count(*) FROM ticket WHERE merged_into IS NULL").await;
        let mails = fs::read_dir(self.rt.of("mail")).map_or(0, Iterator::count);
        json!({"messages": messages, "tickets": tickets, "kills": kills, "restarts": restarts, "seconds": taken_s.round(),
            "per_second": (messages as f64 / taken_s * 10.0).round() / 10.0, "mails_by_rt": mails, "problems": problems.len()})
    }

    /// Each ticket in RT holds the messages of lanka's, each once, in the order in which they were decided.
    async fn compare(&self) -> Vec<String> {
        let mut database = self.database().await.expect("the database");
        let rows: Vec<(uuid::Uuid, String, uuid::Uuid)> = sqlx::query_as(
            "SELECT o.ticket_id, l.remote_id, o.message_id FROM outbox o JOIN link l ON l.object = o.ticket_id AND l.object_kind = 'ticket'
             WHERE o.change = 'message.added' AND o.mirror = 'helpdesk' ORDER BY o.ticket_id, o.sequence",
        )
        .fetch_all(&mut database)
        .await
        .expect("rows");
        let all: i64 =
            sqlx::query_scalar("SELECT count(*) FROM message").fetch_one(&mut database).await.expect("a count");
        let mut tickets: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut problems = Vec::new();
        if rows.len() as i64 != all {
            problems.push(format!("{all} messages, {} of them shown", rows.len()));
        }
        for (_, remote, message) in &rows {
            tickets.entry(remote.clone()).or_default().push(message.to_string());
        }
        for (remote, expected) in tickets {
            let shown: Vec<String> = self
                .rt
                .history(&remote)
                .await
                .into_iter()
                .filter_map(|key| Some(key.strip_prefix("lanka:")?.split('.').next()?.to_owned()))
                .filter(|key| key.len() == 36)
                .collect();
            if shown != expected {
                problems.push(format!("ticket {remote}: RT shows {shown:?}, it should be {expected:?}"));
            }
        }
        problems
    }

    /// An agent answers a chat in RT, and notes something.
    async fn answer(&self) -> Vec<String> {
        let mut database = self.database().await.expect("the database");
        let (remote, visitor): (String, String) = sqlx::query_as(
            "SELECT l.remote_id, i.value FROM message m JOIN identity i ON i.id = m.identity_id
             JOIN link l ON l.object = m.ticket_id AND l.object_kind = 'ticket' WHERE m.channel = 'chat' ORDER BY m.id DESC LIMIT 1",
        )
        .fetch_one(&mut database)
        .await
        .expect("a chat");
        self.rt.say(&remote, "comment", "Hankala asiakas.").await;
        self.rt.say(&remote, "correspond", "Se lähti eilen.").await;
        let began = Instant::now();
        while self.shown.lock().unwrap().is_empty() && began.elapsed() < Duration::from_secs(60) {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        // Whatever comes twice, or comes at all that should not, comes by now.
        tokio::time::sleep(Duration::from_secs(8)).await;
        let shown = self.shown.lock().unwrap().clone();
        let mut problems = Vec::new();
        let said: Vec<(&str, &str)> = shown
            .iter()
            .map(|answer| {
                (answer["visitor"]["id"].as_str().unwrap_or_default(), answer["text"].as_str().unwrap_or_default())
            })
            .collect();
        if said != [(visitor.as_str(), "Se lähti eilen.")] {
            problems.push(format!("the visitor was shown {said:?}"));
        }
        let again = self.rt.history(&remote).await.into_iter().filter(|key| key == "No Subject").count();
        if again != 2 {
            problems.push(format!("what the agent wrote in RT is there {again} times, of 2"));
        }
        problems
    }
}

/// A stream of messages over five channels, in order of arrival: customers of four or five messages each.
fn events(messages: usize) -> String {
    let now = jiff::Timestamp::now();
    let mut lines = String::new();
    for n in 0..messages {
        let customer = n / 5 % 400 + n / 2_000 * 400;
        let at = now - jiff::SignedDuration::from_secs((messages - n) as i64);
        let text = format!("Viesti {n}: tilaukseni on myöhässä. نص 文字 {customer}");
        let (channel, raw) = match n % 5 {
            0 | 3 => ("facebook", facebook(n, customer, at, &text)),
            1 => ("chat", chat(n, customer, at, &text)),
            2 => ("mail", mail(n, customer, at, &text)),
            _ if n % 10 == 4 => ("whatsapp", whatsapp(n, customer, at, &text)),
            _ => ("phone", phone(n, customer, at)),
        };
        let line =
            json!({"channel": channel, "received_at": at.to_string(), "encoding": "base64", "raw": BASE64.encode(raw)});
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    lines
}

fn facebook(n: usize, customer: usize, at: jiff::Timestamp, text: &str) -> String {
    let ms = at.as_millisecond();
    json!({"object": "page", "entry": [{"id": "PAGE", "time": ms, "messaging": [{"sender": {"id": format!("P{customer}")},
        "recipient": {"id": "PAGE"}, "timestamp": ms, "message": {"mid": format!("m_{n}"), "text": text}}]}]})
    .to_string()
}

fn chat(n: usize, customer: usize, at: jiff::Timestamp, text: &str) -> String {
    json!({"event_id": format!("c{n}"), "type": "message", "conversation_id": format!("v{customer}"), "visitor": {"id": format!("v{customer}")},
        "text": text, "sent_at": at.to_string()})
    .to_string()
}

fn mail(n: usize, customer: usize, at: jiff::Timestamp, text: &str) -> String {
    let date = at.strftime("%a, %d %b %Y %H:%M:%S +0000");
    format!(
        "Received: from mail.posti.example (mail.posti.example [192.0.2.1])\r\n\tby mx.kauppa.example with ESMTPS id x{n};\r\n\t{date}\r\n\
         Authentication-Results: mx.kauppa.example;\r\n\tdmarc=pass header.from=posti.example\r\n\
         From: Asiakas {customer} <asiakas{customer}@posti.example>\r\nTo: asiakaspalvelu@kauppa.example\r\nSubject: Asia {customer}\r\n\
         Date: {date}\r\nMessage-ID: <m{n}@posti.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    )
}

fn whatsapp(n: usize, customer: usize, at: jiff::Timestamp, text: &str) -> String {
    json!({"object": "whatsapp_business_account", "entry": [{"id": "WABA", "changes": [{"field": "messages", "value": {
        "messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550001111", "phone_number_id": "1"},
        "contacts": [{"profile": {"name": format!("Asiakas {customer}")}, "wa_id": format!("35840{customer:07}")}],
        "messages": [{"from": format!("35840{customer:07}"), "id": format!("wamid.{n}"), "timestamp": at.as_second().to_string(),
            "type": "text", "text": {"body": text}}]}}]}]})
    .to_string()
}

fn phone(n: usize, customer: usize, at: jiff::Timestamp) -> String {
    let show = |shift: i64| (at + jiff::SignedDuration::from_secs(shift)).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let src = format!("+35840{customer:07}");
    format!(
        "\"\",\"{src}\",\"+358942720000\",\"from-pstn\",\"\"\"\" <{src}>\",\"PJSIP/t-1\",\"PJSIP/200-1\",\"Dial\",\"PJSIP/200\",\"{}\",\"{}\",\"{}\",65,60,\"ANSWERED\",\"DOCUMENTATION\",\"{n}.1\",\"\"\n",
        show(-70),
        show(-65),
        show(-5)
    )
}
