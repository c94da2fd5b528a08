//! Mail that a mail server hands over: dialogues over real sockets, and the program for an alias.

use super::intake::{TestStore, store};
use super::support::{TestDb, database, eventually, scratch};
use lanka::pure::channels::{Door, LmtpSource};
use lanka::shell::cluster::Cluster;
use lanka::shell::content::ContentStore;
use lanka::shell::intake::{ChannelHealth, ChannelIdent, HealthState, lmtp};
use lanka::shell::store::Store;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Longest wait for an answer.
const ANSWER_WAIT: Duration = Duration::from_secs(20);

const BYTES_MAX: u64 = 40 * 1024 * 1024;

fn ident() -> ChannelIdent {
    ChannelIdent { tenant: "main".to_owned(), name: "mail".to_owned(), kind: "lmtp".to_owned() }
}

/// An intake that listens, and how it is stopped.
struct Server {
    path: PathBuf,
    stop: watch::Sender<bool>,
    health: ChannelHealth,
    task: JoinHandle<()>,
    _dir: tempfile::TempDir,
}

impl Server {
    async fn start(store: &Store, change: impl FnOnce(&mut LmtpSource)) -> Self {
        let dir = scratch();
        let path = dir.path().join("lmtp.sock");
        let server = Self::at(&path, dir, store, change);
        eventually("the socket", async || path.exists().then_some(())).await;
        server
    }

    fn at(path: &Path, dir: tempfile::TempDir, store: &Store, change: impl FnOnce(&mut LmtpSource)) -> Self {
        let mut source = LmtpSource {
            door: Door::Socket { path: path.to_owned(), mode: 0o660 },
            message_bytes_max: BYTES_MAX,
            connections_max: 200,
            timeout: Duration::from_secs(20),
        };
        change(&mut source);
        let (stop, shutdown) = watch::channel(false);
        let health = ChannelHealth::new("mail");
        let task = tokio::spawn(lmtp::listen(source, ident(), store.clone(), health.clone(), shutdown));
        Self { path: path.to_owned(), stop, health, task, _dir: dir }
    }

    async fn client(&self) -> Client<UnixStream> {
        Client::new(UnixStream::connect(&self.path).await.expect("the socket")).await
    }

    async fn stop(self) {
        let _ = self.stop.send(true);
        tokio::time::timeout(Duration::from_secs(15), self.task).await.expect("it stops").expect("without a panic");
        assert!(!self.path.exists(), "the socket is left behind");
    }
}

/// A mail server's side.
struct Client<S> {
    stream: BufReader<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    async fn new(stream: S) -> Self {
        let mut client = Self { stream: BufReader::new(stream) };
        assert_eq!(client.answer().await, "220 lanka LMTP");
        client
    }

    /// After LHLO.
    async fn greeted(mut self) -> Self {
        self.say("LHLO mx.kauppa.example\r\n", &["250 CHUNKING"]).await;
        self
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).await.expect("sent");
    }

    /// The last line of the next answer; empty when the connection is ended.
    async fn answer(&mut self) -> String {
        loop {
            let mut line = String::new();
            let read = tokio::time::timeout(ANSWER_WAIT, self.stream.read_line(&mut line)).await.expect("an answer");
            let line = line.trim_end().to_owned();
            if read.unwrap_or(0) == 0 || line.as_bytes().get(3) != Some(&b'-') {
                return line;
            }
        }
    }

    async fn say(&mut self, text: &str, answers: &[&str]) {
        self.send(text.as_bytes()).await;
        for expected in answers {
            let found = self.answer().await;
            assert!(
                found.starts_with(expected) && found.is_empty() == expected.is_empty(),
                "{text:?}: {found}, not {expected}"
            );
        }
    }

    /// A mail to one recipient; gives the last answer.
    async fn mail(&mut self, content: &[u8]) -> String {
        self.say(
            "MAIL FROM:<minna@posti.example>\r\nRCPT TO:<desk@kauppa.example>\r\nDATA\r\n",
            &["250", "250", "354"],
        )
        .await;
        self.send(content).await;
        self.send(b"\r\n.\r\n").await;
        self.answer().await
    }
}

/// Bodies stored, without what the envelope put above them.
async fn bodies(store: &TestStore) -> Vec<String> {
    let events = store.events().await;
    let without = |body: Vec<u8>| {
        let text = String::from_utf8_lossy(&body).into_owned();
        let above = |line: &str| ["Return-Path:", "Delivered-To:"].iter().any(|name| line.starts_with(name));
        text.split_inclusive("\r\n").skip_while(|line| above(line)).collect()
    };
    events.into_iter().map(|event| without(event.body)).collect()
}

/// What is sent, and how each answer to it begins; the empty one is the end of the connection.
type Step = (&'static str, &'static [&'static str]);

const ENVELOPE: Step =
    ("MAIL FROM:<a@b.example>\r\nRCPT TO:<d@k.example>\r\nDATA\r\n", &["250 2.1.0", "250 2.1.5", "354"]);

const DIALOGUES: &[(&str, &[Step], &[&str])] = &[
    (
        "a mail",
        &[ENVELOPE, ("Subject: a\r\n\r\nb\r\n.\r\n", &["250 2.0.0"]), ("QUIT\r\n", &["221", ""])],
        &["Subject: a\r\n\r\nb\r\n"],
    ),
    (
        "all in one go",
        &[(
            "MAIL FROM:<a@b.example> SIZE=20 BODY=8BITMIME\r\nRCPT TO:<d@k.example>\r\nRCPT TO:<e@k.example>\r\nDATA\r\nSubject: a\r\n.\r\nQUIT\r\n",
            &["250", "250", "250", "354", "250 2.0.0", "250 2.0.0", "221", ""],
        )],
        &["Subject: a\r\n"],
    ),
    (
        "two mails, the first forgotten",
        &[
            ("MAIL FROM:<a@b.example>\r\nRCPT TO:<d@k.example>\r\nRSET\r\nDATA\r\n", &["250", "250", "250", "503"]),
            ENVELOPE,
            ("Subject: b\r\n.\r\n", &["250"]),
        ],
        &["Subject: b\r\n"],
    ),
    ("dots", &[ENVELOPE, ("..a\r\n...\r\n.b\r\n.\r\n", &["250"])], &[".a\r\n..\r\nb\r\n"]),
    (
        "nobody sends",
        &[("MAIL FROM:<>\r\nRCPT TO:<d@k.example>\r\nDATA\r\n", &["250", "250", "354"]), ("a: b\r\n.\r\n", &["250"])],
        &["a: b\r\n"],
    ),
    (
        "no recipient",
        &[("MAIL FROM:<a@b.example>\r\nDATA\r\nRCPT TO:<>\r\nDATA\r\n", &["250", "503 5.5.1", "501", "503 5.5.1"])],
        &[],
    ),
    (
        "out of order",
        &[(
            "RCPT TO:<d@k.example>\r\nDATA\r\nMAIL FROM:<a@b.example>\r\nMAIL FROM:<a@b.example>\r\n",
            &["503", "503", "250", "503"],
        )],
        &[],
    ),
    (
        "not SMTP",
        &[(
            "EHLO mx\r\nHELO mx\r\nVRFY d\r\nNOOP\r\nSTARTTLS\r\nXYZZY\r\n\r\n",
            &["500 5.5.1", "500 5.5.1", "252", "250", "502", "500", "500"],
        )],
        &[],
    ),
    (
        "too large as announced",
        &[("MAIL FROM:<a@b.example> SIZE=99999999\r\nRCPT TO:<d@k.example>\r\n", &["552 5.3.4", "503"])],
        &[],
    ),
    (
        "letters of other alphabets",
        &[("MAIL FROM:<päivi@b.example>\r\nMAIL FROM:<päivi@b.example> SMTPUTF8\r\n", &["553 5.6.7", "250"])],
        &[],
    ),
    // An end of a mail that is none: all of it is one mail.
    (
        "LF . LF",
        &[ENVELOPE, ("a\n.\nMAIL FROM:<x@y.example>\r\n.\r\n", &["250"])],
        &["a\n.\nMAIL FROM:<x@y.example>\r\n"],
    ),
    (
        "LF . CR LF",
        &[ENVELOPE, ("a\n.\r\nMAIL FROM:<x@y.example>\r\n.\r\n", &["250"])],
        &["a\n.\r\nMAIL FROM:<x@y.example>\r\n"],
    ),
    (
        "CR LF . LF",
        &[ENVELOPE, ("a\r\n.\nMAIL FROM:<x@y.example>\r\n.\r\n", &["250"])],
        &["a\r\n\nMAIL FROM:<x@y.example>\r\n"],
    ),
    (
        "CR . CR",
        &[ENVELOPE, ("a\r.\rMAIL FROM:<x@y.example>\r\n.\r\n", &["250"])],
        &["a\r.\rMAIL FROM:<x@y.example>\r\n"],
    ),
    ("a bare LF ends no command", &[("NOOP\nNOOP\r\n", &["500 5.5.2", "250"])], &[]),
    (
        "a bare CR ends none either",
        &[("NOOP\rMAIL FROM:<a@b.example>\r\nRCPT TO:<d@k.example>\r\n", &["500 5.5.2", "503"])],
        &[],
    ),
    (
        "chunks",
        &[
            ("MAIL FROM:<a@b.example>\r\nRCPT TO:<d@k.example>\r\nRCPT TO:<e@k.example>\r\n", &["250", "250", "250"]),
            ("BDAT 6\r\nSubjec", &["250"]),
            ("BDAT 12 LAST\r\nt: a\r\n\r\n.\r\n.", &["250 2.0.0", "250 2.0.0"]),
        ],
        &["Subject: a\r\n\r\n.\r\n."],
    ),
    (
        "chunks that are not wanted are no commands",
        &[
            ("BDAT 6\r\nNOOP\r\nMAIL FROM:<a@b.example>\r\nBDAT 6 LAST\r\nNOOP\r\n", &["503", "250", "503"]),
            (
                "RCPT TO:<d@k.example>\r\nBDAT 1\r\nxDATA\r\nRCPT TO:<e@k.example>\r\nRSET\r\nBDAT 0 LAST\r\n",
                &["250", "250", "503", "503", "250", "503"],
            ),
        ],
        &[],
    ),
];

#[tokio::test]
async fn dialogues() {
    for (name, steps, stored) in DIALOGUES {
        let store = store().await;
        let server = Server::start(&store.store, |_| {}).await;
        let mut client = server.client().await.greeted().await;
        for (send, answers) in *steps {
            tokio::time::timeout(Duration::from_secs(30), client.say(send, answers))
                .await
                .unwrap_or_else(|_| panic!("{name}"));
        }
        assert_eq!(bodies(&store).await, *stored, "{name}");
        server.stop().await;
    }
}

#[tokio::test]
async fn what_is_not_greeted_is_refused_and_mistakes_are_counted() {
    let store = store().await;
    let server = Server::start(&store.store, |_| {}).await;
    let mut client = server.client().await;
    client.say("MAIL FROM:<a@b.example>\r\nLHLO\r\n", &["503", "501"]).await;
    client.say("LHLO mx\r\n", &["250 CHUNKING"]).await;
    client.send(format!("NOOP {}\r\n", "x".repeat(5000)).as_bytes()).await;
    assert!(client.answer().await.starts_with("500 5.5.2"));
    for _ in 0..17 {
        client.say("XYZZY\r\n", &["500"]).await;
    }
    client.say("XYZZY\r\n", &["421 4.7.0", ""]).await;

    let mut client = server.client().await.greeted().await;
    let noise = tokio::spawn(async move {
        client.send(&vec![b'x'; 900_000]).await;
        // The rest may meet a connection that is ended.
        let _ = client.stream.get_mut().write_all(&vec![b'x'; 900_000]).await;
        client.answer().await
    });
    assert!(noise.await.expect("an answer").starts_with("421") || store.count().await == 0);

    let mut client = server.client().await.greeted().await;
    client.send("NOOP\r\n".repeat(1300).as_bytes()).await;
    let mut last = String::new();
    loop {
        match client.answer().await {
            answer if answer.is_empty() => break,
            answer => last = answer,
        }
    }
    assert!(last.starts_with("421 4.7.0"), "{last}");

    let mut client = server.client().await.greeted().await;
    client.say("MAIL FROM:<a@b.example>\r\n", &["250"]).await;
    for _ in 0..1000 {
        client.say("RCPT TO:<d@k.example>\r\n", &["250"]).await;
    }
    client.say("RCPT TO:<d@k.example>\r\n", &["452 4.5.3"]).await;
    server.stop().await;
}

#[tokio::test]
async fn the_envelope_stands_above_the_mail() {
    let store = store().await;
    let server = Server::start(&store.store, |_| {}).await;
    let mut client = server.client().await.greeted().await;
    let mail = "MAIL FROM:<minna@posti.example>\r\nRCPT TO:<desk@k.example>\r\nRCPT TO:<info@k.example>\r\nRCPT TO:<desk@k.example>\r\nDATA\r\nSubject: a\r\n.\r\n";
    // The same again, as after an answer that was lost, is the same bytes.
    for _ in 0..2 {
        client.say(mail, &["250", "250", "250", "250", "354", "250", "250", "250"]).await;
    }
    let events = store.events().await;
    assert_eq!(events.len(), 2);
    for event in &events {
        let expected = "Return-Path: <minna@posti.example>\r\nDelivered-To: desk@k.example\r\nDelivered-To: info@k.example\r\nSubject: a\r\n";
        assert_eq!(String::from_utf8_lossy(&event.body), expected);
        assert_eq!(
            (event.channel.as_str(), event.kind.as_str(), event.origin.as_str()),
            ("mail", "lmtp", "handed over by the mail server")
        );
        assert!(event.trusted_at.is_some());
    }
    server.stop().await;
}

#[tokio::test]
async fn what_breaks_off_leaves_nothing() {
    let store = store().await;
    let server = Server::start(&store.store, |source| source.timeout = Duration::from_secs(1)).await;
    for content in ["Subject: a\r\n\r\nb\r\n", "Subject: a\r\n.", "Subject: a\r\n.\r", "", &"x".repeat(400_000)] {
        let mut client = server.client().await.greeted().await;
        client.say(ENVELOPE.0, ENVELOPE.1).await;
        client.send(content.as_bytes()).await;
        drop(client);
    }
    // Nor what comes to a stop.
    for begun in ["", "Subject: a\r\n"] {
        let mut client = server.client().await.greeted().await;
        if !begun.is_empty() {
            client.say(ENVELOPE.0, ENVELOPE.1).await;
            client.send(begun.as_bytes()).await;
        }
        let began = Instant::now();
        client.say("", &["421 4.4.2", ""]).await;
        assert!(began.elapsed() < Duration::from_secs(10));
    }
    assert_eq!(store.count().await, 0);
    server.stop().await;
}

#[tokio::test]
async fn a_stop_finishes_the_mail_under_way() {
    let store = store().await;
    let server = Server::start(&store.store, |_| {}).await;
    let mut idle = server.client().await.greeted().await;
    let mut busy = server.client().await.greeted().await;
    busy.say(ENVELOPE.0, ENVELOPE.1).await;
    busy.send(b"Subject: a\r\n").await;
    let mut stuck = server.client().await.greeted().await;
    stuck.say(ENVELOPE.0, ENVELOPE.1).await;
    let _ = server.stop.send(true);
    idle.say("", &["421 4.3.2", ""]).await;
    busy.say("\r\nb\r\n.\r\n", &["250 2.0.0", "421 4.3.2", ""]).await;
    stuck.say("", &["421 4.3.2", ""]).await;
    assert_eq!(bodies(&store).await, ["Subject: a\r\n\r\nb\r\n"]);
    server.stop().await;
}

#[tokio::test]
async fn large_mails_are_streamed_and_too_large_ones_refused() {
    let store = store().await;
    let server = Server::start(&store.store, |_| {}).await;
    let mut client = server.client().await.greeted().await;
    let line = format!("{}\r\n", "y".repeat(998));
    let large = format!("Subject: large\r\n\r\n{}", line.repeat(30_000));
    assert!(client.mail(large.as_bytes()).await.starts_with("250 2.0.0"));
    assert_eq!(bodies(&store).await, [format!("{large}\r\n")]);
    for chunked in [false, true] {
        let too_large = format!("Subject: x\r\n\r\n{}", line.repeat(43_000));
        let answer = match chunked {
            false => client.mail(too_large.as_bytes()).await,
            true => {
                client.say("MAIL FROM:<a@b.example>\r\nRCPT TO:<d@k.example>\r\n", &["250", "250"]).await;
                client.send(format!("BDAT {} LAST\r\n{too_large}", too_large.len()).as_bytes()).await;
                client.answer().await
            }
        };
        assert!(answer.starts_with("552 5.3.4"), "{answer}");
    }
    assert!(client.mail(b"Subject: after").await.starts_with("250"));
    assert_eq!((store.count().await, store.skipped().await.len()), (2, 0));
    server.stop().await;
}

#[tokio::test]
async fn a_large_mail_takes_bounded_memory() {
    let store = store().await;
    let server = Server::start(&store.store, |_| {}).await;
    let mut client = server.client().await.greeted().await;
    client.say(ENVELOPE.0, ENVELOPE.1).await;
    let (before, mut most) = (resident_bytes(), 0);
    let piece = format!("{}\r\n", "z".repeat(998)).repeat(100);
    for _ in 0..350 {
        client.send(piece.as_bytes()).await;
        most = most.max(resident_bytes());
    }
    client.say(".\r\n", &["250 2.0.0"]).await;
    let grown = most.saturating_sub(before);
    println!("35 MB, {} MB more memory", grown / 1_000_000);
    assert!(grown < 15_000_000, "memory grew by {grown} bytes");
    assert_eq!(store.count().await, 1);
    server.stop().await;
}

fn resident_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/statm").expect("statm");
    let pages: usize = status.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
    pages * 4096
}

#[tokio::test]
async fn a_hundred_clients_at_once() {
    let store = store().await;
    let server = Server::start(&store.store, |source| source.connections_max = 100).await;
    let mut clients = Vec::new();
    for _ in 0..100 {
        clients.push(server.client().await.greeted().await);
    }
    let mut refused = BufReader::new(UnixStream::connect(&server.path).await.expect("the socket"));
    let mut line = String::new();
    refused.read_line(&mut line).await.expect("an answer");
    assert!(line.starts_with("421 4.3.2"), "{line}");
    let sending = clients.into_iter().enumerate().map(|(number, mut client)| async move {
        for mail in 0..3 {
            let answer = client.mail(format!("Subject: {number}.{mail}\r\n\r\na").as_bytes()).await;
            assert!(answer.starts_with("250"), "{answer}");
        }
    });
    futures::future::join_all(sending).await;
    let mut stored = bodies(&store).await;
    stored.sort();
    stored.dedup();
    assert_eq!(stored.len(), 300);
    // Those who left made room.
    eventually("room", async || {
        let mut stream = BufReader::new(UnixStream::connect(&server.path).await.ok()?);
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        line.starts_with("220").then_some(())
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn a_database_that_is_away_is_a_passing_fault() {
    let dir = scratch();
    let cluster = Cluster::start(&dir.path().join("pg"), None).await.expect("a Postgres");
    let content = ContentStore::open(&dir.path().join("content")).expect("a content store");
    let store = Store::connect(&cluster.url(), 4, content).await.expect("connected");
    store.migrate().await.expect("migrated");
    let server = Server::start(&store, |_| {}).await;
    let mut client = server.client().await.greeted().await;
    assert!(client.mail(b"Subject: a").await.starts_with("250"));
    client.say(ENVELOPE.0, ENVELOPE.1).await;
    client.send(b"Subject: b\r\n").await;
    cluster.stop().await;
    client.say(".\r\n", &["451 4.3.0"]).await;
    assert!(matches!(server.health.state(), HealthState::Failing { code: "store_failed", .. }));
    let cluster = Cluster::start(&dir.path().join("pg"), None).await.expect("a Postgres");
    // Nobody has to send anything for the channel to be well again.
    eventually("well again", async || (server.health.state() == HealthState::Working).then_some(())).await;
    assert!(client.mail(b"Subject: b").await.starts_with("250"));
    server.stop().await;
    store.pool.close().await;
    cluster.stop().await;
}

#[tokio::test]
async fn the_socket_has_its_mode_and_its_place() {
    let store = store().await;
    let mode = |path: &Path| fs::metadata(path).map(|metadata| metadata.permissions().mode() & 0o777).ok();
    let server = Server::start(&store.store, |source| {
        if let Door::Socket { mode, .. } = &mut source.door {
            *mode = 0o622;
        }
    })
    .await;
    assert_eq!(mode(&server.path), Some(0o622));

    // A second one does not take it away, and says so.
    let other = Server::at(&server.path, scratch(), &store.store, |_| {});
    eventually("refused", async || {
        matches!(other.health.state(), HealthState::Failing { code: "cannot_listen", detail, .. } if detail.contains("another lanka")).then_some(())
    })
    .await;
    let _ = other.stop.send(true);
    other.task.await.expect("it stops");
    server.client().await;

    // Removed, it comes again.
    fs::remove_file(&server.path).expect("removed");
    eventually("the socket again", async || server.path.exists().then_some(())).await;
    server.client().await.greeted().await;
    server.stop().await;

    // What a kill left behind is replaced; what is no socket is not.
    let dir = scratch();
    let path = dir.path().join("lmtp.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).expect("a stale socket"));
    let server = Server::at(&path, dir, &store.store, |_| {});
    eventually("answers", async || UnixStream::connect(&path).await.ok()).await;
    server.stop().await;
    let dir = scratch();
    let path = dir.path().join("lmtp.sock");
    fs::write(&path, "somebody's file").expect("written");
    let server = Server::at(&path, dir, &store.store, |_| {});
    eventually("refused", async || {
        matches!(server.health.state(), HealthState::Failing { detail, .. } if detail.contains("is no socket"))
            .then_some(())
    })
    .await;
    assert_eq!(fs::read_to_string(&path).expect("still there"), "somebody's file");
    let _ = server.stop.send(true);
    server.task.await.expect("it stops");
}

#[tokio::test]
async fn an_address_serves_as_well() {
    let store = store().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
    let server = Server::at(Path::new("/nowhere"), scratch(), &store.store, |source| source.door = Door::Address(free));
    let stream = eventually("answers", async || TcpStream::connect(free).await.ok()).await;
    let mut client = Client::new(stream).await.greeted().await;
    assert!(client.mail(b"Subject: a").await.starts_with("250"));
    server.stop().await;
    assert_eq!(bodies(&store).await, ["Subject: a\r\n"]);
}

// --- lanka mail ---

const CHANNELS: &str = r#"
[channels.desk-mail]
kind = "lmtp"
pipe_only = true
addresses = ["desk@kauppa.example"]
message_bytes_max = 1000000

[channels.off]
kind = "lmtp"
enabled = false
pipe_only = true
addresses = ["desk@kauppa.example"]

[channels.chat]
kind = "webchat"
secret = { env = "WHSEC" }
"#;

/// A configuration for the real program.
struct Place {
    dir: tempfile::TempDir,
    db: TestDb,
}

impl Place {
    async fn new() -> Self {
        let place = Self { dir: scratch(), db: database().await };
        let own = format!(
            "data_dir = \"{}/data\"\n[database]\nurl = {{ env = \"URL\" }}\n[security]\nkeys = [{{ id = \"1\", env = \"KEY\" }}]\n",
            place.dir.path().display()
        );
        fs::write(place.dir.path().join("lanka.toml"), own + CHANNELS).expect("a configuration");
        place
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lanka"));
        command.args(arguments).arg("--config").arg(self.dir.path().join("lanka.toml")).env("URL", &self.db.url);
        command.env("KEY", "5f".repeat(32)).env("WHSEC", crate::endpoint::SECRET);
        for variable in ["SENDER", "RECIPIENT", "ORIGINAL_RECIPIENT"] {
            command.env_remove(variable);
        }
        command
    }

    async fn bodies(&self) -> Vec<String> {
        let sql = "SELECT convert_from(body, 'UTF8') FROM raw_event WHERE body IS NOT NULL ORDER BY id";
        sqlx::query_scalar(sql).fetch_all(&self.db.pool).await.expect("rows")
    }
}

fn piped(command: &mut Command, mail: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program lanka");
    let mut input = child.stdin.take().expect("its input");
    // It may have ended already, which its exit code tells.
    let _ = input.write_all(mail);
    drop(input);
    child.wait_with_output().expect("its end")
}

const MAIL: &str = "From: Minna <minna@posti.example>\nSubject: Tilaus\n\nMissä paketti on?\n";

#[tokio::test]
async fn a_piped_mail_is_stored_or_kept_by_the_mail_server() {
    let place = Place::new().await;
    let large = format!("{MAIL}{}", "x".repeat(1_000_001));
    let table: &[(&str, &[&str], &[(&str, &str)], &str, i32, &str)] = &[
        ("a mail", &["--channel", "desk-mail"], &[], MAIL, 0, ""),
        ("no such channel", &["--channel", "dask-mail"], &[], MAIL, 75, "no such channel"),
        ("a channel of chat", &["--channel", "chat"], &[], MAIL, 75, "takes no mail"),
        ("a channel that is off", &["--channel", "off"], &[], MAIL, 75, "switched off"),
        ("no channel", &[], &[], MAIL, 75, "--channel"),
        ("an option there is not", &["--channel", "desk-mail", "--chanel"], &[], MAIL, 75, "--chanel"),
        ("nothing", &["--channel", "desk-mail"], &[], "", 75, "empty"),
        ("too large", &["--channel", "desk-mail"], &[], &large, 69, "too large"),
        (
            "no database",
            &["--channel", "desk-mail"],
            &[("URL", "postgres://lanka@127.0.0.1:9/lanka")],
            MAIL,
            75,
            "database does not answer",
        ),
        (
            "no configuration",
            &["--channel", "desk-mail", "--config", "/no/such/file.toml"],
            &[],
            MAIL,
            75,
            "configuration",
        ),
        ("no database named", &["--channel", "desk-mail"], &[("URL", "")], MAIL, 75, "`database.url`"),
        (
            "a slip of its own",
            &["--channel", "desk-mail"],
            &[("LANKA__CHANNELS__DESK_MAIL__PIPE_ONLI", "true")],
            MAIL,
            75,
            "`channels.desk-mail.pipe_onli`",
        ),
    ];
    for (name, arguments, environment, mail, code, said) in table {
        let mut command = place.command(&["mail"]);
        command.args(*arguments).envs(environment.iter().copied());
        let output = piped(&mut command, mail.as_bytes());
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(*code), "{name}: {error}");
        assert!(error.contains(said) && !error.contains("minna") && output.stdout.is_empty(), "{name}: {error}");
    }
    assert_eq!(place.bodies().await, [MAIL]);
    assert_eq!(place.command(&["mail", "--help"]).output().expect("it starts").status.code(), Some(0));
}

#[tokio::test]
async fn a_piped_mail_waits_for_nobody_who_mends_another_section() {
    const SLIPS: &str = r#"
[http]
listen = "nowhere"
[retentoin]
raw = "90d"
[matters]
order = { pattern = '(', role = "secret" }
[channels.phone]
kind = "asterisk"
path = "relative.csv"
[channels.facebook]
kind = "messenger"
app_secret = { file = "gone.secret" }
verify_token = { env = "GONE" }
[channels.desk-mail-2]
kind = "lpmt"
[mirrors.desk]
kind = "webhook"
secret = { file = "gone.secret" }
"#;
    let place = Place::new().await;
    let config = place.dir.path().join("lanka.toml");
    let right = fs::read_to_string(&config).expect("a configuration");
    let gone = [("KEY", ""), ("WHSEC", "")];
    // Each says what the exit code is, and what is said: another's slip is not looked at, nor is another's secret.
    for (name, text, code, said) in [
        ("another's slips and secrets", format!("{right}{SLIPS}"), 0, ""),
        ("a database's slip", right.replace("[database]", "[database]\nurll = 1"), 75, "`database.urll`"),
        ("a slip of its own", right.replace("pipe_only = true", "pipe_only = 1"), 75, "`channels.desk-mail.pipe_only`"),
        ("what is not TOML", format!("{right}[channels.x\n"), 75, "is not TOML"),
    ] {
        fs::write(&config, text).expect("a configuration");
        assert!(!place.command(&["check"]).envs(gone).status().expect("it starts").success(), "{name}: check");
        let output = piped(place.command(&["mail", "--channel", "desk-mail"]).envs(gone), MAIL.as_bytes());
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(code) && error.contains(said), "{name}: {error}");
        assert!(!error.contains(&*place.dir.path().to_string_lossy()), "{name}: {error}");
    }
    assert_eq!(place.bodies().await, [MAIL]);
}

#[tokio::test]
async fn a_piped_mail_keeps_its_envelope_and_is_known_again() {
    let place = Place::new().await;
    let above =
        "Return-Path: <minna@posti.example>\nX-Original-To: help@kauppa.example\nDelivered-To: desk@kauppa.example\n";
    let from = "From minna@posti.example  Sun Mar  1 10:00:00 2026\n";
    let options = [
        "--sender",
        "minna@posti.example",
        "--recipient",
        "desk@kauppa.example",
        "--original-recipient",
        "help@kauppa.example",
    ];
    let variables = [
        ("SENDER", "minna@posti.example"),
        ("RECIPIENT", "desk@kauppa.example"),
        ("ORIGINAL_RECIPIENT", "help@kauppa.example"),
    ];
    let mails = [MAIL.to_owned(), format!("{from}{MAIL}"), format!("{from}{above}{MAIL}")];
    for mail in &mails {
        for is_option in [true, false] {
            let mut command = place.command(&["mail", "--channel", "desk-mail"]);
            match is_option {
                true => command.args(options),
                false => command.envs(variables),
            };
            let output = piped(&mut command, mail.as_bytes());
            assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
    assert_eq!(place.bodies().await, [format!("{above}{MAIL}")], "each is the same bytes");
    let mut command = place.command(&["mail", "--channel", "desk-mail"]);
    assert!(piped(command.env("SENDER", "MAILER-DAEMON").env("RECIPIENT", "a\nb"), MAIL.as_bytes()).status.success());
    assert_eq!(place.bodies().await[1], format!("Return-Path: <>\n{MAIL}"));
    let output = place.command(&["run", "--until-idle"]).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages: i64 =
        sqlx::query_scalar("SELECT count(*) FROM message").fetch_one(&place.db.pool).await.expect("a count");
    assert_eq!(messages, 1);
}

#[tokio::test]
async fn a_pipe_that_does_not_end_is_left() {
    let place = Place::new().await;
    for end in ["timeout", "TERM", "HUP"] {
        let timeout = if end == "timeout" { "1" } else { "60" };
        let mut command = place.command(&["mail", "--channel", "desk-mail", "--timeout", timeout]);
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program lanka");
        let mut input = child.stdin.take().expect("its input");
        input.write_all(MAIL.as_bytes()).expect("written");
        if end != "timeout" {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let pid = child.id().to_string();
            assert!(Command::new("kill").args(["-s", end, &pid]).status().expect("kill").success());
        }
        let status = eventually("its end", async || child.try_wait().expect("a state")).await;
        assert_eq!(status.code(), Some(75), "{end}");
        drop(input);
    }
    assert_eq!(place.bodies().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_private_postgres_that_does_not_run_is_not_started() {
    let place = Place::new().await;
    let config = format!("data_dir = \"{}/data\"\n{CHANNELS}", place.dir.path().display());
    fs::write(place.dir.path().join("lanka.toml"), config).expect("a configuration");
    let output = piped(&mut place.command(&["mail", "--channel", "desk-mail"]), MAIL.as_bytes());
    assert_eq!(output.status.code(), Some(75));
    assert!(String::from_utf8_lossy(&output.stderr).contains("private Postgres does not run"));
    assert!(!place.dir.path().join("data").exists());
}
