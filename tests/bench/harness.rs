//! The daemon under fire: killed with SIGKILL at random moments, its Postgres stopped and started
//! under it, while mails, webhooks and lines of the call log come in.
//!
//! Who sends acts as senders do: a webhook that was not answered 200 is sent again, and sometimes one
//! that was; a mail lies in the Maildir when it was renamed into it; a line is in the log when its
//! newline is. At the end everything must have drained: each thing sent is one message, and the
//! mirror has heard of each change under one id, each lane in order and without a gap.
//!
//! It takes part in the test program (a short form) and in `cargo bench --bench crash`.

use super::corpus::{Corpus, Item, Random, Way};
use super::desk::{APP_SECRET, Places, WHSEC, scratch};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use hmac::{Hmac, KeyInit, Mac};
use lanka::pure::channels::Delivery;
use lanka::pure::domain::secret::Secret;
use lanka::pure::wire::standard_webhooks::{SigningKey, TOLERANCE_S, sign, verify};
use lanka::shell::carriers::install_tls_provider;
use lanka::shell::cluster::Cluster;
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection, PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Senders of webhooks at once.
const SENDERS: usize = 4;

/// Longest wait for the end of everything. Claims of the outbox that kills left behind last longer, unless
/// they end with who made them, as they should.
const DRAIN_MAX: Duration = Duration::from_secs(150);

/// Longest wait for a daemon to be ready, crash recovery of its Postgres included.
const READY_MAX: Duration = Duration::from_secs(90);

/// What is done to the daemon.
pub struct Plan {
    /// The program `lanka`.
    pub program: PathBuf,
    /// Times the daemon is killed.
    pub kills: u32,
    /// Whether Postgres is the harness's own, to be stopped under the daemon, or the daemon's.
    pub own_postgres: bool,
    /// Chooses the moments and what is sent.
    pub seed: u64,
    /// Longest life of a daemon after it is ready.
    pub life_max: Duration,
}

/// What became of it.
#[derive(Debug, Default)]
pub struct Tally {
    /// Times the daemon was killed.
    pub kills: u32,
    /// Times Postgres was stopped, or killed, under it.
    pub postgres_stops: u32,
    /// Things sent.
    pub sent: usize,
    /// Webhooks that were sent more than once.
    pub resent: usize,
    /// Things sent that are no message.
    pub lost: usize,
    /// Messages too many.
    pub doubled: usize,
    /// Changes in the outbox.
    pub changes: usize,
    /// Requests that the mirror took beyond the first for each change.
    pub repeats: usize,
    /// Everything that is wrong, in words.
    pub problems: Vec<String>,
}

/// Runs a plan.
pub async fn run(plan: Plan) -> Tally {
    install_tls_provider();
    let dir = scratch();
    let mirror = Mirror::start().await;
    let port = free_port();
    let mut postgres = if plan.own_postgres { Some(Postgres::start(&dir.path().join("own")).await) } else { None };
    let url = postgres.as_ref().map(Postgres::url);
    let url_of_mirror = format!("http://127.0.0.1:{}/hook", mirror.port);
    let places = Places { dir: dir.path(), mirror: &url_of_mirror, port, database: url.as_deref() };
    let config = places.write();
    for folder in ["tmp", "new", "cur"] {
        fs::create_dir_all(places.maildir().join(folder)).expect("a Maildir");
    }
    File::create(places.call_log()).expect("a call log");
    let database = url.clone().unwrap_or_else(|| socket_url(&dir.path().join("postgres")));
    let world = Arc::new(World::new(&places, port, plan.seed));
    let senders = world.start();
    let mut tally = Tally::default();
    let mut daemon = Daemon { plan_program: plan.program.clone(), config, dir: dir.path().to_owned(), child: None };
    let mut random = Random::new(plan.seed ^ 0x00C0_FFEE);
    while tally.kills < plan.kills {
        daemon.start();
        // A fifth dies before it is up.
        if random.percent(20) {
            tokio::time::sleep(Duration::from_millis(random.below(700))).await;
        } else {
            daemon.ready(port).await;
            world.note_first_look(&database).await;
            if let Some(postgres) = postgres.as_mut().filter(|_| random.percent(15)) {
                tokio::time::sleep(Duration::from_millis(random.below(600))).await;
                postgres.go_away(&mut random).await;
                tally.postgres_stops += 1;
            }
            tokio::time::sleep(Duration::from_millis(random.below(plan.life_max.as_millis() as u64))).await;
        }
        daemon.kill();
        tally.kills += 1;
        if tally.kills.is_multiple_of(20) {
            eprintln!("crash: {} kills, {} sent", tally.kills, world.sent());
        }
    }
    world.stop.store(true, Ordering::Relaxed);
    daemon.start();
    daemon.ready(port).await;
    for sender in senders {
        sender.await.expect("a sender");
    }
    drain(&database, &world, &mut tally).await;
    daemon.stop(&mut tally).await;
    let home = dir.path().join("postgres");
    let private = if plan.own_postgres { None } else { Some(Cluster::start(&home, None).await.expect("its Postgres")) };
    check(&database, &world, &mirror, &mut tally).await;
    if let Some(private) = private {
        private.stop().await;
    }
    if let Some(postgres) = postgres {
        postgres.stop().await;
    }
    if !tally.problems.is_empty() {
        daemon.tell_the_end_of_its_log();
    }
    tally
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

fn socket_url(home: &Path) -> String {
    let socket: String = url::form_urlencoded::byte_serialize(home.join("sock").to_string_lossy().as_bytes()).collect();
    format!("postgres://lanka@localhost:5432/lanka?host={socket}")
}

/// The harness's own Postgres.
struct Postgres {
    home: PathBuf,
    cluster: Option<Cluster>,
}

impl Postgres {
    async fn start(home: &Path) -> Self {
        let cluster = Cluster::start(home, None).await.unwrap_or_else(|error| panic!("{error}"));
        Self { home: home.to_owned(), cluster: Some(cluster) }
    }

    fn url(&self) -> String {
        socket_url(&self.home)
    }

    /// Stopped and started again after a while, or killed, upon which its keeper starts it again.
    async fn go_away(&mut self, random: &mut Random) {
        if random.percent(50) {
            let pid = fs::read_to_string(self.home.join("data/postmaster.pid")).unwrap_or_default();
            if let Some(pid) = pid.lines().next().and_then(|line| line.parse().ok()).and_then(Pid::from_raw) {
                // Gone already: then it is as well.
                let _ = kill_process(pid, Signal::QUIT);
            }
            return;
        }
        if let Some(cluster) = self.cluster.take() {
            cluster.stop().await;
        }
        tokio::time::sleep(Duration::from_millis(random.below(2_500))).await;
        self.cluster = Some(Cluster::start(&self.home, None).await.unwrap_or_else(|error| panic!("{error}")));
    }

    async fn stop(self) {
        if let Some(cluster) = self.cluster {
            cluster.stop().await;
        }
    }
}

/// The daemon as a child.
struct Daemon {
    plan_program: PathBuf,
    config: PathBuf,
    dir: PathBuf,
    child: Option<Child>,
}

impl Daemon {
    fn start(&mut self) {
        let log = OpenOptions::new().append(true).create(true).open(self.dir.join("daemon.log")).expect("a log");
        let mut command = Command::new(&self.plan_program);
        command.args(["run", "--config"]).arg(&self.config).env("SECRET", APP_SECRET).env("WHSEC", WHSEC);
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log);
        self.child = Some(command.spawn().expect("the program lanka"));
    }

    /// Waits until it answers; one that gave up, its Postgres being away, is started again, as
    /// systemd would.
    async fn ready(&mut self, port: u16) {
        let began = Instant::now();
        let client = reqwest::Client::new();
        loop {
            let asked =
                client.get(format!("http://127.0.0.1:{port}/readyz")).timeout(Duration::from_secs(2)).send().await;
            if asked.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            if self.child.as_mut().is_some_and(|child| !matches!(child.try_wait(), Ok(None))) {
                self.start();
            }
            if began.elapsed() > READY_MAX {
                self.tell_the_end_of_its_log();
                panic!("the daemon was not ready within {} s", READY_MAX.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// A stop as systemd does it.
    async fn stop(&mut self, tally: &mut Tally) {
        let Some(mut child) = self.child.take() else { return };
        if let Some(pid) = Pid::from_raw(child.id() as i32) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let ended = tokio::task::spawn_blocking(move || child.wait());
        match tokio::time::timeout(Duration::from_secs(60), ended).await {
            Ok(Ok(Ok(status))) if status.success() => {}
            other => tally.problems.push(format!("the daemon did not stop as it should: {other:?}")),
        }
    }

    fn tell_the_end_of_its_log(&self) {
        let log = fs::read_to_string(self.dir.join("daemon.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        eprintln!("--- daemon.log\n{}\n---", lines[lines.len().saturating_sub(60)..].join("\n"));
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where things are sent to, and what was sent.
struct World {
    port: u16,
    maildir: PathBuf,
    call_log: PathBuf,
    stop: AtomicBool,
    /// A daemon has looked at the call log: from now on it is followed.
    is_followed: AtomicBool,
    corpus: Mutex<Corpus>,
    random: Mutex<Random>,
    sent: Mutex<BTreeSet<(&'static str, String)>>,
    resent: AtomicUsize,
}

impl World {
    fn new(places: &Places<'_>, port: u16, seed: u64) -> Self {
        // In the past, a minute apart: none is in the future when it comes in.
        let start = jiff::Timestamp::now().saturating_sub(jiff::SignedDuration::from_hours(60 * 24)).expect("a time");
        Self {
            port,
            maildir: places.maildir(),
            call_log: places.call_log(),
            stop: AtomicBool::new(false),
            is_followed: AtomicBool::new(false),
            corpus: Mutex::new(Corpus::new(seed, start, jiff::SignedDuration::from_secs(60))),
            random: Mutex::new(Random::new(seed ^ 0xBEEF)),
            sent: Mutex::default(),
            resent: AtomicUsize::new(0),
        }
    }

    fn sent(&self) -> usize {
        self.sent.lock().expect("the lock").len()
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn draw<T>(&self, f: impl FnOnce(&mut Random) -> T) -> T {
        f(&mut self.random.lock().expect("the lock"))
    }

    /// The next thing of this sort; the others of the stream are for others.
    fn next(&self, wanted: fn(Way) -> bool) -> Item {
        let mut corpus = self.corpus.lock().expect("the lock");
        loop {
            if let Some(item) = corpus.next().filter(|item| wanted(item.way)) {
                return item;
            }
        }
    }

    /// Waits until a daemon has looked at the call log, if none has yet.
    async fn note_first_look(&self, database: &str) {
        if self.is_followed.load(Ordering::Relaxed) {
            return;
        }
        let mut connection = PgConnection::connect(database).await.expect("the database");
        let sql = "SELECT EXISTS (SELECT 1 FROM cursor WHERE source = $1)";
        let path = self.call_log.to_string_lossy().into_owned();
        let began = Instant::now();
        while !sqlx::query_scalar::<_, bool>(sql).bind(&path).fetch_one(&mut connection).await.expect("a look") {
            assert!(began.elapsed() < READY_MAX, "the daemon does not look at the call log");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.is_followed.store(true, Ordering::Relaxed);
    }

    fn note(&self, item: &Item) {
        self.sent.lock().expect("the lock").insert((item.way.channel(), item.source_key.clone()));
    }

    fn start(self: &Arc<Self>) -> Vec<tokio::task::JoinHandle<()>> {
        let mut tasks: Vec<_> = (0..SENDERS).map(|_| tokio::spawn(Arc::clone(self).send_webhooks())).collect();
        tasks.push(tokio::spawn(Arc::clone(self).send_mails()));
        tasks.push(tokio::spawn(Arc::clone(self).log_calls()));
        tasks
    }

    async fn pause(&self, most_ms: u64) {
        let wait = self.draw(|random| random.below(most_ms));
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }

    async fn send_webhooks(self: Arc<Self>) {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().expect("a client");
        while !self.stopped() {
            let item = self.next(|way| !matches!(way, Way::Mail | Way::Call));
            self.note(&item);
            let mut attempts = 0;
            // Vendors also repeat what was acknowledged.
            let mut wanted = if self.draw(|random| random.percent(5)) { 2 } else { 1 };
            while wanted > 0 {
                attempts += 1;
                if self.post(&client, &item).await {
                    wanted -= 1;
                } else {
                    self.pause(300).await;
                }
            }
            if attempts > 1 {
                self.resent.fetch_add(1, Ordering::Relaxed);
            }
            self.pause(100).await;
        }
    }

    async fn post(&self, client: &reqwest::Client, item: &Item) -> bool {
        let mut request = client.post(format!("http://127.0.0.1:{}/hooks/{}", self.port, item.way.channel()));
        for (name, value) in signed(item) {
            request = request.header(name, value);
        }
        let answered = request.body(item.body.clone()).send().await;
        answered.is_ok_and(|answer| answer.status() == 200)
    }

    async fn send_mails(self: Arc<Self>) {
        let mut count = 0u64;
        while !self.stopped() {
            for _ in 0..self.draw(|random| random.below(8)) {
                let item = self.next(|way| way == Way::Mail);
                count += 1;
                let name = format!("{}.M{count:07}.bench", jiff::Timestamp::now().as_second());
                let unfinished = self.maildir.join("tmp").join(&name);
                fs::write(&unfinished, &item.body).expect("a mail");
                fs::rename(&unfinished, self.maildir.join("new").join(&name)).expect("delivered");
                self.note(&item);
            }
            self.pause(250).await;
        }
    }

    /// Lines, some in two halves; now and then the log is rotated.
    async fn log_calls(self: Arc<Self>) {
        let mut rotations = 0;
        while !self.stopped() {
            let mut log = OpenOptions::new().append(true).create(true).open(&self.call_log).expect("the call log");
            for _ in 0..self.draw(|random| random.below(4)) {
                let item = self.next(|way| way == Way::Call);
                let middle = self.draw(|random| random.below(item.body.len() as u64)) as usize;
                log.write_all(&item.body[..middle]).expect("half a line");
                if self.draw(|random| random.percent(20)) {
                    self.pause(400).await;
                }
                log.write_all(&item.body[middle..]).expect("the other half");
                self.note(&item);
            }
            // A log that was rotated before lanka first saw it is history, which is imported, not followed.
            let is_followed = self.is_followed.load(Ordering::Relaxed);
            if is_followed && self.draw(|random| random.percent(1)) {
                rotations += 1;
                let _ = fs::rename(&self.call_log, self.call_log.with_extension(format!("csv.{rotations}")));
                // The exchange opens its log anew within a moment.
                self.pause(200).await;
                File::create(&self.call_log).expect("a new call log");
                // Longer than rotated logs are watched for would need a daemon that lives as long.
                tokio::time::sleep(Duration::from_secs(15)).await;
            }
            self.pause(400).await;
        }
    }
}

/// The headers that a vendor's delivery bears.
pub fn signed(item: &Item) -> Vec<(&'static str, String)> {
    match item.way {
        Way::Messenger | Way::WhatsApp => {
            let mut mac = Hmac::<sha2::Sha256>::new_from_slice(APP_SECRET.as_bytes()).expect("any length");
            mac.update(&item.body);
            vec![("x-hub-signature-256", format!("sha256={}", hex::encode(mac.finalize().into_bytes())))]
        }
        _ => {
            let key = SigningKey::parse(&Secret::new(WHSEC)).expect("a key");
            let now = jiff::Timestamp::now().as_second();
            let id = format!("msg_{}", item.source_key);
            vec![
                ("webhook-signature", sign(&key, &id, now, &item.body)),
                ("webhook-timestamp", now.to_string()),
                ("webhook-id", id),
            ]
        }
    }
}

/// The agents' tool: checks what it is sent and remembers it.
struct Mirror {
    port: u16,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Default)]
struct Heard {
    random: Option<Random>,
    /// Lane and sequence of each id that was taken.
    changes: HashMap<String, (String, i64)>,
    /// The last sequence of each lane, in the order of first hearing.
    lanes: BTreeMap<String, i64>,
    repeats: usize,
    problems: Vec<String>,
}

impl Mirror {
    async fn start() -> Self {
        let heard = Arc::new(Mutex::new(Heard { random: Some(Random::new(7)), ..Heard::default() }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let app = axum::Router::new().fallback(hear).with_state(Arc::clone(&heard));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { port, heard }
    }
}

async fn hear(State(heard): State<Arc<Mutex<Heard>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut heard = heard.lock().expect("the lock");
    let list: Vec<(String, Vec<u8>)> =
        headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    let delivery = Delivery { headers: &list, url: "", body: &body, received_at: jiff::Timestamp::now() };
    let key = SigningKey::parse(&Secret::new(WHSEC)).expect("a key");
    if verify(&[key], &delivery, TOLERANCE_S).is_err() {
        heard.problems.push("a request to the mirror was not signed".to_owned());
        return StatusCode::UNAUTHORIZED;
    }
    let event: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let word = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let (id, lane, kind) = (word("id"), word("subject"), word("type"));
    if kind.starts_with("lanka.ops.") {
        return StatusCode::OK;
    }
    if headers.get("webhook-id").is_none_or(|value| value.as_bytes() != id.as_bytes()) {
        heard.problems.push(format!("change {id} bears another webhook-id"));
    }
    // A tool has its moments.
    if heard.random.as_mut().is_some_and(|random| random.below(200) == 0) {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let sequence = event["data"]["sequence"].as_i64().unwrap_or_default();
    match heard.changes.get(&id) {
        Some(before) if *before == (lane.clone(), sequence) => heard.repeats += 1,
        Some(_) => heard.problems.push(format!("change {id} came again as another one")),
        None => {
            let last = heard.lanes.insert(lane.clone(), sequence).unwrap_or(0);
            if sequence != last + 1 {
                heard.problems.push(format!("lane {lane}: sequence {sequence} came after {last}"));
            }
            heard.changes.insert(id, (lane, sequence));
        }
    }
    StatusCode::OK
}

/// Waits until nothing is left to take in, to decide, to decide anew or to deliver.
async fn drain(database: &str, world: &World, tally: &mut Tally) {
    let began = Instant::now();
    let mut connection = PgConnection::connect(database).await.expect("the database");
    let sql = "SELECT (SELECT count(*) FROM raw_pending), (SELECT count(*) FROM outbox WHERE state IN ('pending', 'claimed')),
                (SELECT count(*) FROM message), (SELECT count(*) FROM reconsider)";
    loop {
        let row = sqlx::query(sql).fetch_one(&mut connection).await.expect("counts");
        let (pending, outbox, messages, due): (i64, i64, i64, i64) = (row.get(0), row.get(1), row.get(2), row.get(3));
        let mails = fs::read_dir(world.maildir.join("new")).map_or(0, Iterator::count);
        if pending == 0 && due == 0 && outbox == 0 && mails == 0 && messages >= world.sent() as i64 {
            // What has just been read from the log would show by now.
            return tokio::time::sleep(Duration::from_millis(500)).await;
        }
        if began.elapsed() > DRAIN_MAX {
            let left = format!(
                "{pending} to decide, {due} people to decide on anew, {outbox} to deliver, {mails} mails, {messages} messages of {}",
                world.sent()
            );
            return tally.problems.push(format!("it did not drain: {left}"));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Compares what was sent with what is there and with what the mirror heard.
async fn check(database: &str, world: &World, mirror: &Mirror, tally: &mut Tally) {
    let mut connection = PgConnection::connect(database).await.expect("the database");
    let rows = sqlx::query("SELECT channel, source_key, count(*) FROM message GROUP BY 1, 2");
    let rows = rows.fetch_all(&mut connection).await.expect("messages");
    let mut there: HashMap<(String, String), i64> =
        rows.iter().map(|row| ((row.get(0), row.get(1)), row.get(2))).collect();
    let sent = world.sent.lock().expect("the lock").clone();
    tally.sent = sent.len();
    tally.resent = world.resent.load(Ordering::Relaxed);
    for (channel, key) in sent.iter() {
        match there.remove(&((*channel).to_owned(), key.clone())) {
            None => {
                tally.lost += 1;
                tally.problems.push(format!("lost: {channel} {key}"));
            }
            Some(1) => {}
            Some(count) => {
                tally.doubled += count as usize - 1;
                tally.problems.push(format!("{count} times: {channel} {key}"));
            }
        }
    }
    tally.problems.extend(there.keys().map(|(channel, key)| format!("nobody sent {channel} {key}")));
    let quarantined: Vec<(String, String)> = sqlx::query_as("SELECT channel, code || ': ' || detail FROM quarantine")
        .fetch_all(&mut connection)
        .await
        .expect("rows");
    tally.problems.extend(quarantined.into_iter().map(|(channel, why)| format!("quarantined: {channel}: {why}")));
    let rows =
        sqlx::query("SELECT id::text, ticket_id::text, sequence, state FROM outbox ORDER BY ticket_id, sequence");
    let rows = rows.fetch_all(&mut connection).await.expect("the outbox");
    let heard = mirror.heard.lock().expect("the lock");
    tally.changes = rows.len();
    tally.repeats = heard.repeats;
    let mut lanes: HashMap<String, i64> = HashMap::new();
    for row in &rows {
        let (id, lane, sequence, state): (String, String, i64, String) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        let last = lanes.entry(lane.clone()).or_default();
        *last += 1;
        if *last != sequence {
            tally.problems.push(format!("lane {lane} has sequence {sequence} where {last} belongs"));
        }
        if state != "delivered" {
            tally.problems.push(format!("change {id} is {state}"));
        }
        match heard.changes.get(&id) {
            Some(told) if *told == (lane, sequence) => {}
            Some(told) => tally.problems.push(format!("change {id} was told as {told:?}")),
            None => tally.problems.push(format!("change {id} was never told")),
        }
    }
    if heard.changes.len() > rows.len() {
        tally.problems.push(format!("{} changes were told that are not there", heard.changes.len() - rows.len()));
    }
    tally.problems.extend(heard.problems.iter().cloned());
}
