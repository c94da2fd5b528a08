//! What an operator sees of a daemon in trouble: through the real program, its log, its commands and its mirror.

use crate::endpoint::{Answer, Endpoint};
use crate::support::{TestDb, database, eventually, scratch};
use serde_json::Value;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const SECRET: &str = crate::endpoint::SECRET;

const CONFIG: &str = r#"
data_dir = "DIR/data"
[database]
url = { env = "URL" }
[security]
keys = [{ id = "1", env = "KEY" }]
[http]
listen = "127.0.0.1:PORT"
allow_private_addresses = true
[alerts]
check_interval = "1s"
channel_dead_after = "3s"
[channels.mail]
kind = "maildir"
path = "DIR/mail"
addresses = ["asiakaspalvelu@kauppa.example"]
[channels.chat]
kind = "webchat"
secret = { env = "WHSEC" }
[channels.old-chat]
kind = "webchat"
secret = { env = "WHSEC" }
enabled = false
[mirrors.desk]
kind = "webhook"
url = "MIRROR"
secret = { env = "WHSEC" }
"#;

/// A configuration, a database, a tool; and perhaps a daemon.
struct Office {
    dir: tempfile::TempDir,
    db: TestDb,
    tool: Endpoint,
    port: u16,
}

impl Office {
    async fn new(change: impl FnOnce(String) -> String) -> Self {
        let (dir, db, tool) = (scratch(), database().await, Endpoint::start().await);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let config = CONFIG.replace("DIR", &dir.path().display().to_string()).replace("PORT", &port.to_string());
        let config = change(config.replace("MIRROR", &tool.url("/hook")));
        fs::write(dir.path().join("lanka.toml"), config).expect("a configuration");
        for folder in ["tmp", "new", "cur"] {
            fs::create_dir_all(dir.path().join("mail").join(folder)).expect("a Maildir");
        }
        Self { dir, db, tool, port }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = lanka(arguments);
        command.arg("--config").arg(self.path("lanka.toml")).env("URL", &self.db.url);
        command
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program lanka")
    }

    fn daemon(&self) -> Daemon {
        let log = File::create(self.path("log")).expect("a log");
        let mut command = self.command(&["run"]);
        command.stdout(log.try_clone().expect("a log")).stderr(log);
        Daemon(command.spawn().expect("the program lanka"))
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Lines of the log with all of these.
    fn lines(&self, parts: &[&str]) -> usize {
        self.log().lines().filter(|line| parts.iter().all(|part| line.contains(part))).count()
    }

    /// The JSON line of a name.
    fn line(&self, command: &str, key: &str, name: &str) -> Value {
        let output = self.output(&[command, "--format", "json"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        lines.find(|line| line[key] == name).unwrap_or_else(|| panic!("{name}: {text} {output:?}"))
    }

    fn channel(&self, name: &str) -> Value {
        self.line("channels", "name", name)
    }

    fn mirror(&self) -> Value {
        self.line("outbox", "mirror", "desk")
    }

    /// Waits until a line is in a state.
    async fn until(&self, what: &str, state: &str, look: impl Fn() -> Value) -> Value {
        eventually(what, async || Some(look()).filter(|line| line["state"] == state)).await
    }

    /// One change for the mirror.
    async fn enqueue(&self) {
        let sql = "WITH t AS (INSERT INTO ticket (id, tenant, number, title, opened_at, last_at, opened_by)
                VALUES ($1, 'main', (SELECT 1 + count(*) FROM ticket), 'Lamp', now(), now(), $1) RETURNING id)
             INSERT INTO outbox (id, tenant, mirror, ticket_id, sequence, change, decided_at, due_at)
             SELECT $2, 'main', 'desk', t.id, 1, 'ticket.reopened', now(), now() FROM t";
        let query = sqlx::query(sql).bind(uuid::Uuid::now_v7()).bind(uuid::Uuid::now_v7());
        query.execute(&self.db.pool).await.expect("a change");
    }

    async fn execute(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&self.db.pool).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    async fn ready(&self) -> (u16, String) {
        self.get("/readyz").await
    }

    /// A line of `/metrics`, without its value, and the value.
    async fn metric(&self, name: &str) -> Option<String> {
        let (_, text) = self.get("/metrics").await;
        text.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
    }

    /// A mail with an attachment in the Maildir, in one rename.
    fn post(&self, name: &str, attachment: &str) {
        fs::write(self.path("mail/tmp").join(name), mail(name, attachment)).expect("a mail");
        fs::rename(self.path("mail/tmp").join(name), self.path("mail/new").join(name)).expect("a mail in new/");
    }

    /// As a disk that is full for these bytes and no other: their place in the content store is taken.
    fn refuse(&self, bytes: &[u8]) -> PathBuf {
        let name = lanka::shell::content::ContentHash::of(bytes).to_string();
        let place = self.path("data/content").join(&name[..2]);
        fs::create_dir_all(self.path("data/content")).expect("a content store");
        fs::write(&place, "in the way").expect("something in the way");
        place
    }

    async fn is_decided(&self, subject: &str) -> bool {
        let sql = "SELECT count(*) FROM message WHERE subject = $1";
        let count: i64 = sqlx::query_scalar(sql).bind(subject).fetch_one(&self.db.pool).await.expect("a count");
        count == 1
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let ask = async {
            let mut socket = tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await?;
            let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
            socket.write_all(request.as_bytes()).await?;
            let mut answer = String::new();
            socket.read_to_string(&mut answer).await?;
            std::io::Result::Ok(answer)
        };
        let answer = ask.await.unwrap_or_default();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, answer.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned())
    }
}

/// Ends with its value.
struct Daemon(Child);

impl Daemon {
    fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("a signal");
        assert!(self.0.wait().expect("its end").success());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn mail(name: &str, attachment: &str) -> String {
    format!(
        "From: minna@posti.example\r\nTo: asiakaspalvelu@kauppa.example\r\nSubject: {name}\r\n\
         Date: Mon, 2 Mar 2026 10:00:00 +0200\r\nMessage-ID: <{name}@posti.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nLook at the file.\r\n--b\r\n\
         Content-Type: application/octet-stream; name=a.bin\r\n\r\n{attachment}\r\n--b--\r\n"
    )
}

fn lanka(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanka"));
    command.args(arguments).env("KEY", "a key of the test, of more than 32 characters").env("WHSEC", SECRET);
    command.stdin(Stdio::null());
    command
}

fn said(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Operational events that the tool got: code, subject, whether it is an onset.
fn alerts(tool: &Endpoint) -> Vec<(String, String, bool)> {
    let ops = tool.seen().into_iter().filter(|request| request.is_signed()).map(|request| request.json());
    let ops = ops.filter(|event| event["type"].as_str().is_some_and(|kind| kind.starts_with("lanka.ops.")));
    ops.map(|event| {
        let data = &event["data"];
        let text = |key: &str| data[key].as_str().unwrap_or_default().to_owned();
        (text("code"), text("subject"), data["active"] == true)
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_channel_is_said_aloud_once_and_seen_by_commands() {
    let office = Office::new(|config| config).await;
    assert_eq!(office.channel("mail")["state"], "unknown");
    let daemon = office.daemon();
    let well = office.until("it works", "ok", || office.channel("mail")).await;
    assert!(well["worked_at"].is_string() && well["why"].is_null(), "{well}");
    assert_eq!(office.channel("chat")["state"], "ok");
    assert_eq!(office.channel("old-chat")["state"], "off");

    fs::rename(office.path("mail"), office.path("away")).expect("moved away");
    let failing = office.until("it fails", "failing", || office.channel("mail")).await;
    assert!(failing["why"].as_str().is_some_and(|why| why.contains("mail")), "{failing}");
    assert!(failing["failures"].as_i64() > Some(0) && failing["since"].is_string(), "{failing}");
    assert_eq!(office.lines(&["channel_dead"]), 0, "a hiccup is not worth a call");
    office.until("it is dead", "dead", || office.channel("mail")).await;
    eventually("the onset", async || (alerts(&office.tool).len() == 1).then_some(())).await;
    assert_eq!(office.lines(&["WARN", "channel_dead", "mail"]), 1, "{}", office.log());
    let table = office.output(&["channels"]);
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    for word in ["state", "last worked", "last stored", "why", "dead", "off"] {
        assert!(table.contains(word), "{word}: {table}");
    }

    tokio::time::sleep(Duration::from_secs(3)).await;
    fs::rename(office.path("away"), office.path("mail")).expect("moved back");
    office.until("it works again", "ok", || office.channel("mail")).await;
    eventually("the recovery", async || (alerts(&office.tool).len() == 2).then_some(())).await;
    let (code, subject) = ("channel_dead".to_owned(), "mail".to_owned());
    assert_eq!(alerts(&office.tool), [(code.clone(), subject.clone(), true), (code, subject, false)]);
    assert_eq!(office.lines(&["WARN", "channel_dead"]), 2, "once an onset and once a recovery: {}", office.log());

    daemon.stop();
    let gone = office.channel("mail");
    assert_eq!(gone["state"], "unknown", "{gone}");
    assert!(gone["worked_at"].is_string() && gone["why"] == "no daemon runs", "{gone}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mirror_that_refuses_is_seen_by_commands() {
    let office =
        Office::new(|config| config.replace("[mirrors.desk]", "[deliver]\nbackoff_first = \"1s\"\n[mirrors.desk]"))
            .await;
    office.tool.otherwise(Answer::Status(503));
    let daemon = office.daemon();
    office.until("nothing asked of it", "untried", || office.mirror()).await;
    office.enqueue().await;
    let failing = office.until("it fails", "failing", || office.mirror()).await;
    assert!(failing["why"].as_str().is_some_and(|why| why.contains("503")), "{failing}");
    office.until("it is parked", "parked", || office.mirror()).await;
    assert_eq!(office.lines(&["WARN", "mirror_parked", "desk"]), 1);
    daemon.stop();
    let gone = office.mirror();
    assert_eq!((&gone["state"], &gone["pending"]), (&"unknown".into(), &1.into()), "{gone}");
    assert!(gone["why"].as_str().is_some_and(|why| why.contains("503")), "{gone}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_delivered_waits_no_more_and_every_start_says_that_it_runs() {
    let office = Office::new(|config| config).await;
    let pending = "lanka_outbox_pending{mirror=\"desk\"}";
    let late = "lanka_health{code=\"outbox_late\",subject=\"desk\"}";
    office.tool.otherwise(Answer::Status(503));
    let daemon = office.daemon();
    eventually("it runs", async || (office.lines(&["INFO", "lanka runs"]) == 1).then_some(())).await;
    office.enqueue().await;
    eventually("it waits", async || office.metric(pending).await.filter(|count| count == "1")).await;
    eventually("it is late", async || office.metric(late).await.filter(|age| age != "0")).await;
    office.tool.otherwise(Answer::Status(200));
    eventually("it waits no more", async || office.metric(pending).await.filter(|count| count == "0")).await;
    let dust = r#"lanka_dust{tenant="main",kind="call"}"#;
    eventually("what gathers dust is counted", async || office.metric(dust).await.filter(|count| count == "0")).await;
    eventually("nothing is late", async || office.metric(late).await.filter(|age| age == "0")).await;
    daemon.stop();

    // What a daemon said that was killed at its start; it counts as fresh for as long as this test lasts.
    office
        .execute(
            "INSERT INTO health (side, name, state, since, failures, why, reporter, reported_at)
                SELECT 'channel', 'mail', 'starting', now(), 0, '', gen_random_uuid(), now() + interval '1 day'
             ON CONFLICT (side, name) DO UPDATE
                SET state = excluded.state, reporter = excluded.reporter, reported_at = excluded.reported_at",
        )
        .await;
    // The database says more at a second start (what is there already), and none of it silences lanka.
    let daemon = office.daemon();
    eventually("it runs again", async || (office.lines(&["INFO", "lanka runs"]) == 1).then_some(())).await;
    office.until("the word of the living", "ok", || office.channel("mail")).await;
    daemon.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_keeps_waiting_what_needs_it_and_nothing_else() {
    let office = Office::new(|config| config).await;
    let (small, large) = ("a picture".repeat(99), "a film".repeat(400_000));
    let in_the_way = office.refuse(small.as_bytes());
    let daemon = office.daemon();
    office.post("with-picture", &small);
    office.post("with-note", "a note");
    eventually("the other is decided", async || office.is_decided("with-note").await.then_some(())).await;
    eventually("it is said", async || (office.lines(&["WARN", "content_failed"]) > 0).then_some(())).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!office.is_decided("with-picture").await, "its picture is not stored");
    assert_eq!(office.lines(&["content_failed"]), 1, "once, not at each attempt: {}", office.log());
    assert_eq!(office.lines(&["ingest_outage"]), 0, "the database is there: {}", office.log());
    fs::remove_file(&in_the_way).expect("room again");
    eventually("it is decided", async || office.is_decided("with-picture").await.then_some(())).await;
    eventually("that is said", async || (office.lines(&["INFO", "files are stored again"]) == 1).then_some(())).await;

    // A mail so large that it goes to the content store as a whole, before it is acknowledged.
    let in_the_way = office.refuse(mail("with-film", &large).as_bytes());
    office.post("with-film", &large);
    office.until("it fails", "failing", || office.channel("mail")).await;
    office.post("with-note-too", "another note");
    eventually("the other comes in", async || office.is_decided("with-note-too").await.then_some(())).await;
    let dead = office.until("it is dead, for one mail stays", "dead", || office.channel("mail")).await;
    assert!(dead["why"].as_str().is_some_and(|why| why.contains("Is the disk full?")), "{dead}");
    assert_eq!(office.lines(&["the channel fails"]), 1, "once an onset: {}", office.log());
    fs::remove_file(&in_the_way).expect("room again");
    eventually("it comes in", async || office.is_decided("with-film").await.then_some(())).await;
    office.until("it works again", "ok", || office.channel("mail")).await;
    eventually("that is said", async || (office.lines(&["WARN", "channel_dead"]) == 2).then_some(())).await;
    daemon.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_log_that_never_was_is_said_once() {
    let office = Office::new(|config| {
        let dir = config.split('"').nth(1).and_then(|data| data.strip_suffix("/data")).expect("data_dir").to_owned();
        format!(
            "{config}\n[channels.phone]\nkind = \"asterisk\"\npath = \"{dir}/Master.csv\"\nown_numbers = [\"5600\"]\n"
        )
    })
    .await;
    let daemon = office.daemon();
    eventually("it is said", async || (office.lines(&["WARN", "log_absent", "phone"]) == 1).then_some(())).await;
    office.until("it waits", "ok", || office.channel("phone")).await;
    fs::write(office.path("Master.csv"), "").expect("a log");
    tokio::time::sleep(Duration::from_secs(2)).await;
    fs::rename(office.path("Master.csv"), office.path("Master.csv.1")).expect("a rotation");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(office.lines(&["log_absent"]), 1, "{}", office.log());
    daemon.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_run_says_what_it_could_not_decide() {
    let office = Office::new(|config| config).await;
    let picture = "a picture".repeat(99);
    let in_the_way = office.refuse(picture.as_bytes());
    office.post("with-picture", &picture);
    let (code, text) = said(&office.output(&["run", "--until-idle"]));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("1 delivery is not decided yet"), "{text}");
    fs::remove_file(&in_the_way).expect("room again");
    assert_eq!(said(&office.output(&["run", "--until-idle"])).0, Some(0));
    assert!(office.is_decided("with-picture").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_run_waits_out_a_hiccup_and_says_what_is_left() {
    let office = Office::new(|config| config).await;
    office.enqueue().await;
    office.tool.answer([Answer::Status(500), Answer::Status(500)]);
    assert_eq!(said(&office.output(&["run", "--until-idle"])).0, Some(0));
    assert_eq!(office.mirror()["pending"], 0);
    assert_eq!(office.channel("mail")["state"], "unknown", "nobody watches it now");
    assert!(office.channel("mail")["worked_at"].is_string(), "but it did work");

    office.enqueue().await;
    office.tool.otherwise(Answer::Status(401));
    let began = Instant::now();
    let (code, text) = said(&office.output(&["run", "--until-idle"]));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("1 change is not delivered yet: mirror desk: the endpoint answered 401"), "{text}");
    assert!(began.elapsed() < Duration::from_secs(50), "{:?}", began.elapsed());
    assert_eq!(office.mirror()["pending"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_schema_nothing_begins_and_nothing_is_ready() {
    const SENTENCE: &str = "run `lanka migrate`";
    let office = Office::new(|config| config.replace("[security]", "migrate = false\n[security]")).await;
    let daemon = office.daemon();
    eventually("it is ready", async || (office.ready().await.0 == 200).then_some(())).await;
    office.execute("ALTER TABLE raw_event RENAME TO raw_event_away").await;
    eventually("it cannot store", async || (office.ready().await.0 == 503).then_some(())).await;
    office.execute("ALTER TABLE raw_event_away RENAME TO raw_event").await;
    eventually("it is ready again", async || (office.ready().await.0 == 200).then_some(())).await;
    // The newest part of the schema is missing.
    office.execute("DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)").await;
    let (status, why) = office.ready().await;
    assert!(status == 503 && why.contains(SENTENCE), "{status} {why}");
    drop(daemon);
    for state in ["of an older lanka", "no schema of this lanka yet"] {
        for command in [&["run"] as &[&str], &["run", "--until-idle"], &["thread", "list"], &["check", "--connect"]] {
            let output = office.output(command);
            let (code, text) = said(&output);
            let text = text + &String::from_utf8_lossy(&output.stdout);
            assert_eq!(code, Some(1), "{command:?}: {text}");
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                command[0] == "check" || (words.contains(SENTENCE) && words.contains(state)),
                "{command:?}: {text}"
            );
        }
        office.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await;
    }
}

#[test]
fn where_there_is_nothing_reading_makes_nothing() {
    let dir = scratch();
    let data = dir.path().join("data");
    let config = dir.path().join("lanka.toml");
    fs::write(&config, format!("data_dir = \"{}\"\n", data.display())).expect("a configuration");
    let id = "01a201b7-a736-7000-833c-6468fcfd2fe6";
    #[rustfmt::skip]
    let commands: &[&[&str]] = &[
        &["thread", "list"], &["thread", "show", "1"], &["thread", "find", "x"], &["explain", id], &["channels"], &["outbox"],
        &["outbox", "--dead"], &["outbox", "retry", "--all-dead"], &["quarantine", "list"], &["quarantine", "show", "1"],
        &["quarantine", "retry", "--all"], &["quarantine", "drop", "1"], &["replay"], &["export", "assignments"], &["export", "threads"],
        &["export", "contacts"], &["export", "raw"],
    ];
    for command in commands {
        let (code, text) = said(&lanka(command).arg("--config").arg(&config).output().expect("it starts"));
        let expected =
            format!("lanka: there is nothing here yet (data_dir {}): `lanka run` makes it\n", data.display());
        assert_eq!((code, text), (Some(1), expected), "{command:?}");
        assert!(!data.exists(), "{command:?}");
    }
    let check =
        lanka(&["check", "--connect", "--format", "json", "--config"]).arg(&config).output().expect("it starts");
    assert_eq!(said(&check).0, Some(0));
    assert!(String::from_utf8_lossy(&check.stdout).contains("\"later\""), "{check:?}");
    assert!(!data.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_out_of_reach_is_named_without_its_password() {
    let office = Office::new(|config| config).await;
    let free =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("its address").port();
    let nobody = format!("postgres://ops:geheim@127.0.0.1:{free}/lanka");
    let wrong = office.db.url.replacen("/test_", "/no_such_", 1);
    let place = format!("127.0.0.1:{free}");
    for (url, parts) in [
        (
            nobody.as_str(),
            ["cannot connect to the database at", place.as_str(), "refused", "Is Postgres running there"],
        ),
        (wrong.as_str(), ["cannot connect to the database at", "sock", "does not exist", "Make the database"]),
    ] {
        for command in [&["run"] as &[&str], &["thread", "list"]] {
            let began = Instant::now();
            let (code, text) = said(&office.command(command).env("URL", url).output().expect("it starts"));
            assert_eq!(code, Some(1), "{text}");
            assert!(parts.iter().all(|part| text.contains(part)), "{command:?}: {text}");
            assert!(!text.contains("geheim") && !text.contains("pgpass"), "{text}");
            assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
        }
    }
}
