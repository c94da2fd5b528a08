//! What the harnesses of the agents' tools have in common: a desk of five channels and the daemon behind it, a stream of
//! messages, what is done to the daemon meanwhile, and what each ticket must show in the end.

use super::corpus::Random;
use super::graph::Graph;
use super::post_office::PostOffice;
use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use sqlx::{Connection, PgConnection};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What Meta and the desk share; the stand-in of the Graph API wants it as the token too.
const SECRET: &str = "secret-of-the-test";
const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Where customers write to.
pub const DESK: &str = "asiakaspalvelu@kauppa.example";

/// Longest wait for a tool to have everything, for each thousand messages: RT takes two or three changes a second.
const DRAIN_MAX: Duration = Duration::from_secs(1_800);

/// How long nothing may be left to do before it is believed.
const QUIET: Duration = Duration::from_secs(2);

/// Within this time what comes twice, or comes though it should not, has come.
pub const AFTERMATH: Duration = Duration::from_secs(8);

/// Longest wait for one thing to happen.
const WAIT_MAX: Duration = Duration::from_secs(90);

/// From one message of the stream to the next; longer than a call.
const EACH: jiff::SignedDuration = jiff::SignedDuration::from_secs(100);

/// How long a call rings and lasts.
pub const CALL: jiff::SignedDuration = jiff::SignedDuration::from_secs(65);

/// What is asked for on the command line.
pub struct Plan {
    /// Messages of the stream.
    pub messages: usize,
    /// Times the daemon is killed.
    pub kills: usize,
    /// Times the tool is stopped and started.
    pub restarts: usize,
    /// Chooses the moments of both.
    pub seed: u64,
    /// The story alone, where there is one.
    pub only_story: bool,
}

impl Plan {
    /// Reads the arguments. `--story` is known where there is a story.
    pub fn of(arguments: impl Iterator<Item = String>, has_story: bool) -> Self {
        let mut plan = Self { messages: 2_000, kills: 6, restarts: 3, seed: 1, only_story: false };
        let mut arguments = arguments.skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || -> u64 {
                let value = arguments.next().and_then(|value| value.parse().ok());
                value.unwrap_or_else(|| panic!("{argument} wants a number"))
            };
            match argument.as_str() {
                "--messages" => plan.messages = value() as usize,
                "--kills" => plan.kills = value() as usize,
                "--restarts" => plan.restarts = value() as usize,
                "--seed" => plan.seed = value(),
                "--story" if has_story => plan.only_story = true,
                // Cargo's own.
                "--bench" => {}
                other => panic!(
                    "unknown argument {other}; known are --messages, --kills, --restarts, --seed{}",
                    if has_story { ", --story" } else { "" }
                ),
            }
        }
        plan
    }

    /// What is done, each at a number of changes that are delivered by then: all over the first nine tenths of them.
    fn blows(&self, changes: u64) -> Vec<(u64, Blow)> {
        let mut random = Random::new(self.seed);
        let mut at = || random.below(changes * 9 / 10);
        let kills = (0..self.kills).map(|_| Blow::Kill);
        let blows = kills.chain((0..self.restarts).map(|_| Blow::Restart));
        let mut blows: Vec<(u64, Blow)> = blows.map(|blow| (at(), blow)).collect();
        blows.sort_by_key(|(at, _)| *at);
        blows
    }
}

/// What happens to the daemon, and to the tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    Kill,
    Restart,
}

/// The program, as a child.
pub struct Daemon {
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

    /// Starts it; it is ready some time later.
    pub fn start(&mut self) {
        self.child = Some(self.command(&["run"]).spawn().expect("the program lanka"));
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// The end of what it said.
    pub fn last_words(&self) -> String {
        let log = fs::read_to_string(self.config.with_file_name("daemon.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a customer got: on which way, where, and the words.
pub type Got = (&'static str, String, String);

/// A desk of five channels, whose answers end in stand-ins.
pub struct Desk {
    pub daemon: Daemon,
    pub graph: Graph,
    pub post: PostOffice,
    dir: PathBuf,
    port: u16,
    site: Arc<Mutex<Vec<Value>>>,
    client: reqwest::Client,
}

impl Desk {
    /// Makes it in a directory, with these tables of mirrors.
    pub async fn new(dir: &Path, mirrors: &str) -> Self {
        let site: Arc<Mutex<Vec<Value>>> = Arc::default();
        let take = async |State(shown): State<Arc<Mutex<Vec<Value>>>>, Json(body): Json<Value>| {
            shown.lock().unwrap().push(body);
        };
        let routes = axum::Router::new().route("/answers", axum::routing::post(take)).with_state(site.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let site_at = listener.local_addr().expect("its address");
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let (graph, post) = (Graph::open().await, PostOffice::open().await);
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("its address").port();
        let config = channels(dir, port, &graph.url(), post.address.port(), &format!("http://{site_at}/answers"));
        fs::write(dir.join("lanka.toml"), config + mirrors).expect("a configuration");
        for folder in ["tmp", "new", "cur"] {
            fs::create_dir_all(dir.join("mail").join(folder)).expect("a Maildir");
        }
        fs::write(dir.join("Master.csv"), "").expect("a call log");
        let daemon = Daemon { config: dir.join("lanka.toml"), child: None };
        Self { daemon, graph, post, dir: dir.to_owned(), port, site, client: reqwest::Client::new() }
    }

    /// A connection to the daemon's private Postgres, when it is up.
    pub async fn database(&self) -> Option<PgConnection> {
        let socket = self.dir.join("data/postgres/sock");
        let socket: String = url::form_urlencoded::byte_serialize(socket.to_string_lossy().as_bytes()).collect();
        PgConnection::connect(&format!("postgres://lanka@localhost:5432/lanka?host={socket}")).await.ok()
    }

    /// A number out of it.
    pub async fn count(&self, sql: &'static str) -> Option<i64> {
        sqlx::query_scalar(sql).fetch_one(&mut self.database().await?).await.ok()
    }

    /// A mail is delivered: written aside, then renamed into `new/`.
    pub fn mail(&self, mail: &str) {
        let name = format!("{}.bench", Uuid::now_v7().simple());
        let aside = self.dir.join("mail/tmp").join(&name);
        fs::write(&aside, mail).expect("a mail");
        fs::rename(aside, self.dir.join("mail/new").join(name)).expect("delivered");
    }

    /// The exchange writes a line.
    pub fn call(&self, line: &str) {
        let mut log = OpenOptions::new().append(true).open(self.dir.join("Master.csv")).expect("the call log");
        log.write_all(line.as_bytes()).expect("a line");
    }

    /// Meta posts to the daemon, until it is taken.
    pub async fn facebook(&self, body: String) {
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key");
        mac.update(body.as_bytes());
        let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
        self.eventually("the webhook is taken", async || {
            let request = self.client.post(format!("http://127.0.0.1:{}/hooks/facebook", self.port));
            let answer = request.header("x-hub-signature-256", &signature).body(body.clone()).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }

    /// Everything that customers got so far.
    pub fn got(&self) -> Vec<Got> {
        let of_graph = self.graph.got().into_iter().map(|got| ("graph", got.to, got.text));
        let body = |text: &str| text.split_once("\r\n\r\n").map_or("", |(_, body)| body).trim().to_owned();
        let of_post = self.post.taken().into_iter().map(|mail| ("mail", mail.to.join(","), body(&mail.text)));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let site = self.site.lock().unwrap().clone();
        let of_site = site.into_iter().map(|answer| ("site", text(&answer["visitor"]["id"]), text(&answer["text"])));
        of_graph.chain(of_post).chain(of_site).collect()
    }

    /// Takes the stream in as history that the mirrors hear of; the daemon is not running.
    pub fn import(&self, messages: usize) {
        let events = self.dir.join("events.jsonl");
        fs::write(&events, stream(messages)).expect("events");
        let mut import = self.daemon.command(&["import", "--mirror", "--events", &events.display().to_string()]);
        assert!(import.status().expect("the program lanka").success(), "the import failed; see daemon.log");
    }

    /// Runs the daemon until everything is delivered, while it is killed and the tool restarted. Gives how many of these blows
    /// fell while there was work.
    pub async fn under_fire(&mut self, plan: &Plan, mut restart: impl AsyncFnMut()) -> usize {
        let began = Instant::now();
        self.daemon.start();
        let changes =
            self.eventually("the daemon is up", async || self.count("SELECT count(*) FROM outbox").await).await;
        let mut at_work = 0;
        for (at, blow) in plan.blows(changes as u64) {
            let done = "SELECT count(*) FROM outbox WHERE state = 'delivered'";
            while self.count(done).await.is_none_or(|done| done < at as i64) {
                assert!(began.elapsed() < limit(plan.messages), "the tool does not get on");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            at_work += usize::from(self.left().await > 0);
            match blow {
                Blow::Kill => {
                    self.daemon.kill();
                    self.daemon.start();
                }
                Blow::Restart => restart().await,
            }
        }
        self.drained(limit(plan.messages)).await;
        at_work
    }

    async fn left(&self) -> i64 {
        let left = "SELECT (SELECT count(*) FROM outbox WHERE state NOT IN ('delivered', 'dead')) + (SELECT count(*) FROM raw_pending)";
        self.count(left).await.unwrap_or(i64::MAX)
    }

    /// Waits until nothing is left to do, and stays so.
    pub async fn drained(&self, within: Duration) {
        let (began, mut quiet_since) = (Instant::now(), None);
        loop {
            let left = self.left().await;
            if left > 0 {
                quiet_since = None;
            } else if quiet_since.get_or_insert_with(Instant::now).elapsed() > QUIET {
                return;
            }
            assert!(began.elapsed() < within, "{left} changes are left\n{}", self.daemon.last_words());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Looks until there is something to see.
    pub async fn eventually<T, F: AsyncFnMut() -> Option<T>>(&self, what: &str, mut look: F) -> T {
        let began = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(began.elapsed() < WAIT_MAX, "not seen: {what}\n{}", self.daemon.last_words());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The ticket of the message with a vendor's id.
    pub async fn ticket(&self, source_key: &str) -> Uuid {
        let look = async || {
            let ticket = sqlx::query_scalar("SELECT ticket_id FROM message WHERE source_key = $1").bind(source_key);
            ticket.fetch_optional(&mut self.database().await?).await.ok()?.flatten()
        };
        self.eventually(&format!("the message {source_key}"), look).await
    }

    /// What a mirror must show.
    pub async fn expected(&self, mirror: &str) -> Expected {
        let mut database = self.database().await.expect("the database");
        let rows: Vec<(Uuid, Uuid, String, Option<Uuid>)> = sqlx::query_as(
            "SELECT o.ticket_id, o.message_id, o.change, m.ticket_id FROM outbox o JOIN message m ON m.id = o.message_id
             WHERE o.mirror = $1 AND o.change LIKE 'message.%' ORDER BY o.ticket_id, o.sequence",
        )
        .bind(mirror)
        .fetch_all(&mut database)
        .await
        .expect("rows");
        let messages: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM message WHERE ticket_id IS NOT NULL")
            .fetch_all(&mut database)
            .await
            .expect("messages");
        let dead = sqlx::query_scalar("SELECT count(*) FROM outbox WHERE state = 'dead'");
        let mut expected =
            Expected { dead: dead.fetch_one(&mut database).await.expect("a count"), ..Expected::default() };
        for (lane, message, change, ticket) in rows {
            if let Some(ticket) = ticket {
                expected.ticket.insert(message, ticket);
            }
            match change.as_str() {
                "message.added" => expected.lanes.entry(lane).or_default().push(message),
                _ => *expected.changes.entry(message).or_default() += 1,
            }
        }
        expected.untold = messages.into_iter().filter(|message| !expected.ticket.contains_key(message)).collect();
        expected
    }
}

fn limit(messages: usize) -> Duration {
    DRAIN_MAX * u32::try_from(messages.div_ceil(1_000)).unwrap_or(u32::MAX)
}

/// What a mirror must show, by what is in the outbox.
#[derive(Debug, Default)]
pub struct Expected {
    /// The messages of each lane in the order in which they were decided.
    pub lanes: BTreeMap<Uuid, Vec<Uuid>>,
    /// On which ticket each message is now.
    pub ticket: BTreeMap<Uuid, Uuid>,
    /// How often a message has changed, or moved, since it was added.
    pub changes: BTreeMap<Uuid, usize>,
    /// Messages that the mirror was never told of.
    pub untold: BTreeSet<Uuid>,
    /// Changes of any mirror that were given up.
    pub dead: i64,
}

impl Expected {
    /// What is wrong before anybody looks at the tool.
    pub fn problems(&self) -> Vec<String> {
        let untold = self.untold.iter().map(|message| format!("the mirror was not told of message {message}"));
        let dead = (self.dead > 0).then(|| format!("{} changes were given up", self.dead));
        untold.chain(dead).collect()
    }
}

/// Says what is wrong and prints the figures: the last line is one JSON object. The exit code is 1 when anything is wrong.
pub fn report(mut figures: Value, problems: &[String]) -> std::process::ExitCode {
    for problem in problems.iter().take(20) {
        eprintln!("{problem}");
    }
    figures["problems"] = problems.len().into();
    println!("{figures}");
    match problems.is_empty() {
        true => std::process::ExitCode::SUCCESS,
        false => std::process::ExitCode::FAILURE,
    }
}

fn channels(dir: &Path, port: u16, graph: &str, post: u16, site: &str) -> String {
    format!(
        r#"data_dir = "{dir}/data"
[http]
listen = "127.0.0.1:{port}"
allow_private_addresses = true
[identity]
own_domains = ["kauppa.example"]
agents = ["*@kauppa.example"]
# What lanka tells customers itself would stand between what is counted.
[notices]
send = []
[matters]
order = {{ pattern = '\b4\d{{7}}\b', role = "secret" }}
[channels.mail]
kind = "maildir"
path = "{dir}/mail"
addresses = ["{DESK}"]
trusted_authserv = "mx.kauppa.example"
smtp = {{ host = "127.0.0.1", port = {post}, tls = "none", from = "Kauppa <{DESK}>" }}
[channels.facebook]
kind = "messenger"
app_secret = {{ env = "SECRET" }}
verify_token = {{ env = "SECRET" }}
access_token = {{ env = "SECRET" }}
api_url = "{graph}"
[channels.whatsapp]
kind = "whatsapp"
app_secret = {{ env = "SECRET" }}
verify_token = {{ env = "SECRET" }}
[channels.chat]
kind = "webchat"
secret = {{ env = "WHSEC" }}
answer_url = "{site}"
[channels.phone]
kind = "asterisk"
path = "{dir}/Master.csv"
time_zone = "UTC"
own_numbers = ["+358 9 4272 0000"]
"#,
        dir = dir.display(),
    )
}

/// Given and family names; a customer who says his has one of each.
const NAMES: [[&str; 10]; 2] = [
    ["Aino", "Eero", "Helvi", "Ilmari", "Kerttu", "Lauri", "Minna", "Oskari", "Pirkko", "Toivo"],
    [
        "Lehtoranta",
        "Kallionpää",
        "Haapasaari",
        "Vuorenmaa",
        "Törmäkangas",
        "Ylitalo",
        "Suvanto",
        "Rautiola",
        "Peltokorpi",
        "Merilahti",
    ],
];

/// A stream of messages over five channels, in order of arrival: customers of five messages each. Half of the customers say
/// who they are and which order it is about, and have one ticket over their channels, with a suggestion for the chat, where anybody
/// can say so; the others say neither, and are somebody else on each.
fn stream(messages: usize) -> String {
    let now = jiff::Timestamp::now();
    let mut lines = String::new();
    for n in 0..messages {
        let customer = n / 5;
        let at = now - EACH * (messages - n) as i32;
        let text = words(n, customer);
        let (channel, raw) = match n % 5 {
            0 | 3 => ("facebook", facebook(&format!("m_{n}"), &format!("P{customer}"), at, &text)),
            1 => ("chat", chat(n, customer, at, &text)),
            2 => ("mail", letter(n, customer, at, &text)),
            _ if customer % 4 < 2 => ("whatsapp", whatsapp(n, customer, at, &text)),
            _ => ("phone", phone(&format!("+35840{customer:07}"), at - CALL, &format!("{n}.1"))),
        };
        let line =
            json!({"channel": channel, "received_at": at.to_string(), "encoding": "base64", "raw": BASE64.encode(raw)});
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    lines
}

fn words(n: usize, customer: usize) -> String {
    let said = format!("Viesti {n}: tilaukseni on myöhässä. نص 文字 {customer}");
    // The telephone stands in mails alone: one that several people call theirs is nobody's.
    let phone = if n % 5 == 2 { format!("\npuh. +35840{customer:07}") } else { String::new() };
    match name(customer) {
        Some(name) => format!("{said}\n\nTilaus 4{customer:07}.\n\nTerveisin\n{name}{phone}\n"),
        None => said,
    }
}

/// The name of a customer who says it: every other one.
fn name(customer: usize) -> Option<String> {
    let n = customer / 2;
    let [given, family] = NAMES;
    (customer.is_multiple_of(2)).then(|| format!("{} {}", given[n % 10], family[n / 10 % 10]))
}

/// A Messenger message.
pub fn facebook(mid: &str, from: &str, at: jiff::Timestamp, text: &str) -> String {
    let ms = at.as_millisecond();
    json!({"object": "page", "entry": [{"id": "PAGE", "time": ms, "messaging": [{"sender": {"id": from},
        "recipient": {"id": "PAGE"}, "timestamp": ms, "message": {"mid": mid, "text": text}}]}]})
    .to_string()
}

fn chat(n: usize, customer: usize, at: jiff::Timestamp, text: &str) -> String {
    json!({"event_id": format!("c{n}"), "type": "message", "conversation_id": format!("v{customer}"), "visitor": {"id": format!("v{customer}")},
        "text": text, "sent_at": at.to_string()})
    .to_string()
}

fn letter(n: usize, customer: usize, at: jiff::Timestamp, text: &str) -> String {
    let who = name(customer).unwrap_or_else(|| format!("Asiakas {customer}"));
    let from = format!("{who} <asiakas{customer}@posti.example>");
    mail(&format!("m{n}@posti.example"), &from, DESK, at, "", &format!("Asia {customer}"), text)
}

/// A mail as the desk's own server hands it over: with the line that says when it came in, and that its sender's domain
/// vouches for it.
pub fn mail(id: &str, from: &str, to: &str, at: jiff::Timestamp, headers: &str, subject: &str, text: &str) -> String {
    let date = at.strftime("%a, %d %b %Y %H:%M:%S +0000");
    let domain = from.rsplit('@').next().unwrap_or_default().trim_end_matches('>');
    let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
    format!(
        "Received: from mail.{domain} (mail.{domain} [192.0.2.1])\r\n\tby mx.kauppa.example with ESMTPS id x1;\r\n\t{date}\r\n\
         Authentication-Results: mx.kauppa.example;\r\n\tdmarc=pass header.from={domain}\r\n\
         From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\nDate: {date}\r\nMessage-ID: <{id}>\r\n{headers}MIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    )
}

fn whatsapp(n: usize, customer: usize, at: jiff::Timestamp, text: &str) -> String {
    let who = name(customer).unwrap_or_else(|| format!("Asiakas {customer}"));
    json!({"object": "whatsapp_business_account", "entry": [{"id": "WABA", "changes": [{"field": "messages", "value": {
        "messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550001111", "phone_number_id": "1"},
        "contacts": [{"profile": {"name": who}, "wa_id": format!("35840{customer:07}")}],
        "messages": [{"from": format!("35840{customer:07}"), "id": format!("wamid.{n}"), "timestamp": at.as_second().to_string(),
            "type": "text", "text": {"body": text}}]}}]}]})
    .to_string()
}

/// A line of the call log: somebody called, and they talked for a minute.
pub fn phone(from: &str, at: jiff::Timestamp, unique: &str) -> String {
    let show = |shift: i64| (at + jiff::SignedDuration::from_secs(shift)).strftime("%Y-%m-%d %H:%M:%S").to_string();
    format!(
        "\"\",\"{from}\",\"+358942720000\",\"from-pstn\",\"\"\"\" <{from}>\",\"PJSIP/t-1\",\"PJSIP/200-1\",\"Dial\",\"PJSIP/200\",\"{}\",\"{}\",\"{}\",65,60,\"ANSWERED\",\"DOCUMENTATION\",\"{unique}\",\"\"\n",
        show(0),
        show(5),
        show(65)
    )
}
