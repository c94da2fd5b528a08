//! Mailboxes: against a real Dovecot, and against a server that misbehaves by script.

use super::dovecot::Dovecot;
use super::intake::{TestStore, store};
use super::support::eventually;
use lanka::pure::channels::{After, Credentials, ImapSource, Tls};
use lanka::pure::domain::secret::Secret;
use lanka::shell::intake::imap::{IntakeError, try_login, watch};
use lanka::shell::intake::{ChannelHealth, ChannelIdent, HealthState};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

fn ident() -> ChannelIdent {
    ChannelIdent { tenant: "main".to_owned(), name: "support-mail".to_owned(), kind: "imap".to_owned() }
}

/// Reads everything there is, and returns.
async fn drain(source: &ImapSource, store: &TestStore) -> (Result<(), IntakeError>, ChannelHealth) {
    let health = ChannelHealth::new("support-mail");
    let (_stop, shutdown) = tokio::sync::watch::channel(false);
    let watching = watch(source.clone(), ident(), store.store.clone(), store.tokens(), health.clone(), shutdown, true);
    let result = tokio::time::timeout(Duration::from_secs(60), watching).await.expect("idle within a minute");
    (result, health)
}

/// A channel that runs in the background until it is stopped.
struct Running {
    stop: tokio::sync::watch::Sender<bool>,
    health: ChannelHealth,
    task: JoinHandle<Result<(), IntakeError>>,
}

fn start(source: &ImapSource, store: &TestStore) -> Running {
    let (stop, shutdown) = tokio::sync::watch::channel(false);
    let health = ChannelHealth::new("support-mail");
    let watching = watch(source.clone(), ident(), store.store.clone(), store.tokens(), health.clone(), shutdown, false);
    let task = tokio::spawn(watching);
    Running { stop, health, task }
}

impl Running {
    async fn stop(self) {
        self.stop.send(true).expect("it runs");
        let began = Instant::now();
        self.task.await.expect("no panic").expect("no error");
        assert!(began.elapsed() < Duration::from_secs(2), "the stop took {:?}", began.elapsed());
    }
}

fn mail(subject: &str) -> Vec<u8> {
    format!("From: a@example.fi\r\nSubject: {subject}\r\n\r\nHei, näin on.\r\n").into_bytes()
}

#[tokio::test]
async fn new_mail_is_stored_as_it_is_and_wakes_the_channel() {
    let (server, store) = tokio::join!(Dovecot::start(), store());
    server.append("INBOX", &mail("history"), "02-Mar-2026 08:00:00 +0000").await;
    let running = start(&server.source(), &store);
    eventually("the mail that was there", async || (store.count().await == 1).then_some(())).await;
    let event = &store.events().await[0];
    assert_eq!((event.channel.as_str(), event.kind.as_str()), ("support-mail", "imap"));
    assert_eq!(event.trusted_at, Some("2026-03-02T08:00:00Z".parse().expect("a time")));
    assert_eq!(event.body, mail("history"));
    assert!(event.origin.starts_with("INBOX, UIDVALIDITY ") && event.origin.ends_with(", UID 1"), "{}", event.origin);

    // Polled once a minute only: it is IDLE that wakes it. Dovecot itself takes half a second.
    for round in 1..=3 {
        let began = Instant::now();
        server.deliver(&mail("news")).await;
        eventually("the delivered mail", async || (store.count().await == 1 + round).then_some(())).await;
        assert!(began.elapsed() < Duration::from_secs(5), "it took {:?}", began.elapsed());
    }
    assert_eq!(running.health.state(), HealthState::Working);
    running.stop().await;
    assert_eq!(server.count("INBOX", "SEEN").await, 0, "nothing is changed on the server");

    // Stopped and started: nothing twice, nothing missed.
    server.deliver(&mail("while away")).await;
    let (result, _) = drain(&server.source(), &store).await;
    result.expect("drained");
    assert_eq!(store.count().await, 5);
}

#[tokio::test]
async fn a_large_mailbox_survives_killed_connections_without_loss_or_repeat() {
    let (server, store) = tokio::join!(Dovecot::start(), store());
    server.put((0..2000).map(|number| mail(&format!("{number} {}", "x".repeat(4000)))));
    let running = start(&server.source(), &store);
    for killed_at in [1, 400, 800, 1200] {
        eventually("progress", async || (store.count().await >= killed_at).then_some(())).await;
        server.kill_connections();
    }
    eventually("all mails", async || (store.count().await >= 2000).then_some(())).await;
    running.stop().await;
    let (result, _) = drain(&server.source(), &store).await;
    result.expect("drained");
    let mut origins: Vec<String> = store.events().await.into_iter().map(|event| event.origin).collect();
    origins.sort();
    origins.dedup();
    assert_eq!((store.count().await, origins.len()), (2000, 2000));
}

#[tokio::test]
async fn a_server_away_comes_back() {
    let (mut server, store) = tokio::join!(Dovecot::start(), store());
    let running = start(&server.source(), &store);
    eventually("a first look", async || running.health.last_worked_at()).await;
    server.stop();
    eventually("the failure", async || matches!(running.health.state(), HealthState::Failing { .. }).then_some(()))
        .await;
    server.start_again().await;
    server.deliver(&mail("back")).await;
    eventually("the mail", async || (store.count().await == 1).then_some(())).await;
    eventually("the recovery", async || (running.health.state() == HealthState::Working).then_some(())).await;
    running.stop().await;
}

#[tokio::test]
async fn a_folder_numbered_anew_is_read_anew() {
    let (server, store) = tokio::join!(Dovecot::start(), store());
    server.put([mail("one"), mail("two")]);
    drain(&server.source(), &store).await.0.expect("drained");
    server.change_uidvalidity(4711);
    drain(&server.source(), &store).await.0.expect("drained");
    let events = store.events().await;
    assert_eq!(events.len(), 4, "repeats are recognised later, not here");
    assert!(events.iter().any(|event| event.origin == "INBOX, UIDVALIDITY 4711, UID 2"));
}

#[tokio::test]
async fn large_mails_go_to_the_content_store_and_too_large_ones_on_record() {
    let (server, store) = tokio::join!(Dovecot::start(), store());
    let line = format!("{}\r\n", "0123456789".repeat(7));
    let large = [mail("30 MB"), line.repeat(30 * 1024 * 1024 / line.len()).into_bytes()].concat();
    let exact = [mail("whole pieces"), vec![b'x'; 2 * 1024 * 1024 - mail("whole pieces").len()]].concat();
    let too_large = [mail("too large"), large.clone(), line.repeat(300_000).into_bytes()].concat();
    server.put([mail("before"), large.clone(), too_large, exact.clone(), mail("after")]);
    let source = ImapSource { message_bytes_max: 40 * 1024 * 1024, ..server.source() };
    drain(&source, &store).await.0.expect("drained");
    let events = store.events().await;
    let bodies: Vec<Vec<u8>> = events.into_iter().map(|event| event.body).collect();
    assert!(
        bodies == [mail("before"), large, exact, mail("after")],
        "bodies of {:?}",
        bodies.iter().map(Vec::len).collect::<Vec<_>>()
    );
    assert_eq!(store.skipped().await, [("INBOX, UIDVALIDITY ".to_owned(), "mail_too_large".to_owned())]);
}

#[tokio::test]
async fn stored_mails_are_marked_or_moved() {
    let (server, store) = tokio::join!(Dovecot::start(), store());
    server.create("Sent");
    server.put([mail("one"), mail("two")]);
    server.append("Sent", &mail("answer"), "02-Mar-2026 08:00:00 +0000").await;
    let folders = vec!["INBOX".to_owned(), "Sent".to_owned()];
    let seen = ImapSource { after: After::Seen, folders, ..server.source() };
    drain(&seen, &store).await.0.expect("drained");
    assert_eq!(
        (store.count().await, server.count("INBOX", "SEEN").await, server.count("Sent", "SEEN").await),
        (3, 2, 1)
    );

    // A folder that does not exist yet, with a name that must be encoded.
    let moving = ImapSource { after: After::Move("Käsitellyt & \"muut\"".to_owned()), ..server.source() };
    server.put([mail("three")]);
    drain(&moving, &store).await.0.expect("drained");
    assert_eq!((store.count().await, server.count("INBOX", "ALL").await), (4, 2));
    assert_eq!(server.count("\"K&AOQ-sitellyt &- \\\"muut\\\"\"", "ALL").await, 1);

    // A crash between the commit and the move: the cursor remembers.
    store.set_cursor_field("INBOX", "unmarked", serde_json::json!("1:2")).await;
    drain(&moving, &store).await.0.expect("drained");
    assert_eq!((store.count().await, server.count("INBOX", "ALL").await), (4, 0));
    assert_eq!(store.cursor("INBOX").await.get("unmarked"), None);
}

#[tokio::test]
async fn a_server_with_fewer_abilities_is_polled_and_copied_on() {
    let (server, store) = tokio::join!(Dovecot::start_with("imap_capability = IMAP4rev1 LITERAL+ UIDPLUS\n"), store());
    server.put([mail("one"), mail("two")]);
    let after = After::Move("Handled".to_owned());
    let source = ImapSource { after, poll_interval: Duration::from_millis(300), ..server.source() };
    let running = start(&source, &store);
    eventually("the mails that were there", async || (store.count().await == 2).then_some(())).await;
    server.deliver(&mail("three")).await;
    eventually("the new one", async || (store.count().await == 3).then_some(())).await;
    eventually("the moves", async || (server.count("Handled", "ALL").await == 3).then_some(())).await;
    eventually("an empty mailbox", async || (server.count("INBOX", "ALL").await == 0).then_some(())).await;
    running.stop().await;
}

#[tokio::test]
async fn tls_is_checked_and_logins_are_tried() {
    let (server, store) = tokio::join!(Dovecot::start(), store());
    let trusting = ImapSource { host: "localhost".to_owned(), ca_file: Some(server.certificate()), ..server.source() };
    let implicit = ImapSource { tls: Tls::Implicit, port: server.tls_port, ..trusting.clone() };
    let starttls = ImapSource { tls: Tls::Starttls, ..trusting.clone() };
    let wrong = |password: &str| ImapSource {
        credentials: Credentials::Password(Secret::new(password)),
        ..server.source()
    };
    let table: [(ImapSource, &str); 9] = [
        (implicit.clone(), "ok"),
        (starttls.clone(), "ok"),
        (ImapSource { ca_file: None, ..implicit.clone() }, "tls_failed"),
        (ImapSource { host: "127.0.0.1".to_owned(), ..starttls }, "tls_failed"),
        (ImapSource { ca_file: Some("/nonexistent".into()), ..implicit.clone() }, "tls_failed"),
        (wrong("wrong"), "login_refused"),
        (wrong("väärä"), "login_refused"),
        (ImapSource { folders: vec!["Nowhere".to_owned()], ..server.source() }, "folder_missing"),
        (ImapSource { port: 1, ..server.source() }, "connection_refused"),
    ];
    for (source, expected) in table {
        let result = try_login(&source, "support-mail", &store.tokens()).await;
        let code = result.as_ref().err().map_or("ok", IntakeError::code);
        assert_eq!(code, expected, "{source:?}: {result:?}");
        let said = result.err().map(|error| format!("{error} {error:?}")).unwrap_or_default();
        assert!(!said.contains("wrong") && !said.contains("väärä"), "{said}");
    }
    server.put([mail("over TLS")]);
    drain(&implicit, &store).await.0.expect("drained");
    assert_eq!(store.count().await, 1);
}

/// How the scripted server misbehaves.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// It never answers this command, in the first `n` connections.
    Silent(&'static str, u32),
    /// FETCH of bodies is answered NO, `n` times.
    Refuses(u32),
    /// It hangs up between two FETCH responses, `n` times.
    HangsUp(u32),
    /// The body of this UID comes as garbage, always.
    Garbage(u32),
    /// It dies whenever this body is fetched.
    DiesAt(u32),
    /// FETCH of this body is answered NO, always.
    RefusesAlways(u32),
    /// It lists this UID and says OK without giving it, always.
    Omits(u32),
}

/// A mailbox of a few mails, over one port, for any number of connections.
struct Scripted {
    port: u16,
    connections: Arc<AtomicU32>,
    serving: JoinHandle<()>,
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Scripted {
    async fn start(uids: &'static [u32], fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let connections = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&connections);
        let faults = Arc::new(Mutex::new(0_u32));
        let serving = tokio::spawn(async move {
            while let Ok((wire, _)) = listener.accept().await {
                let number = counted.fetch_add(1, Ordering::Relaxed) + 1;
                tokio::spawn(serve(wire, uids, fault, number, Arc::clone(&faults)));
            }
        });
        Self { port, connections, serving }
    }

    fn source(&self) -> ImapSource {
        ImapSource {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            tls: Tls::None,
            ca_file: None,
            user: "u".to_owned(),
            credentials: Credentials::Password(Secret::new("p")),
            folders: vec!["INBOX".to_owned()],
            sent: None,
            after: After::Keep,
            message_bytes_max: 1_000_000,
            poll_interval: Duration::from_millis(200),
            timeout: Duration::from_millis(500),
        }
    }
}

/// One connection: the few commands that the intake uses. Ends as the fault says.
async fn serve(
    wire: TcpStream,
    uids: &'static [u32],
    fault: Fault,
    connection: u32,
    faults: Arc<Mutex<u32>>,
) -> Option<()> {
    let mut wire = BufReader::new(wire);
    wire.write_all(b"* OK ready\r\n").await.ok()?;
    loop {
        let mut line = String::new();
        if wire.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let (tag, command) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
        let verb = command.split(' ').next().unwrap_or_default();
        if matches!(fault, Fault::Silent(silent, times) if command.starts_with(silent) && connection <= times) {
            std::future::pending::<()>().await;
        }
        let mut answer = match verb {
            "CAPABILITY" => "* CAPABILITY IMAP4rev1 IDLE\r\n".to_owned(),
            "EXAMINE" => format!(
                "* {} EXISTS\r\n* OK [UIDVALIDITY 1] v\r\n* OK [UIDNEXT {}] n\r\n",
                uids.len(),
                uids[uids.len() - 1] + 1
            ),
            "IDLE" => {
                wire.write_all(b"+ idling\r\n").await.ok()?;
                let mut done = String::new();
                wire.read_line(&mut done).await.ok()?;
                String::new()
            }
            _ => String::new(),
        };
        let wanted: Vec<u32> = command.split(' ').nth(2).map(|set| in_set(uids, set)).unwrap_or_default();
        let mut status = "OK done";
        if command == "FETCH 1 (UID)" {
            answer = format!("* 1 FETCH (UID {})\r\n", uids[0]);
        } else if command.ends_with("(UID RFC822.SIZE)") {
            answer = wanted
                .iter()
                .map(|uid| format!("* 1 FETCH (UID {uid} RFC822.SIZE {})\r\n", body(*uid).len()))
                .collect();
        } else if command.ends_with("(UID)") {
            answer = wanted.iter().map(|uid| format!("* 1 FETCH (UID {uid})\r\n")).collect();
        } else if command.contains("BODY.PEEK[") {
            let count = || {
                let mut faults = faults.lock().expect("not poisoned");
                *faults += 1;
                *faults
            };
            match fault {
                Fault::Refuses(times) if count() <= times => status = "NO [UNAVAILABLE] later",
                Fault::RefusesAlways(uid) if wanted.contains(&uid) => status = "NO [SERVERBUG] never",
                Fault::HangsUp(times) if count() <= times => {
                    let first = fetch(wanted[0]);
                    wire.write_all(first.as_bytes()).await.ok()?;
                    return None;
                }
                Fault::DiesAt(uid) if wanted.contains(&uid) => return None,
                Fault::Garbage(bad) => {
                    let line =
                        |uid: &u32| if *uid == bad { "* 1 FETCH (UID what BODY[\r\n".to_owned() } else { fetch(*uid) };
                    answer = wanted.iter().map(line).collect();
                }
                Fault::Omits(omitted) => {
                    answer = wanted.iter().filter(|uid| **uid != omitted).map(|uid| fetch(*uid)).collect()
                }
                _ => answer = wanted.iter().map(|uid| fetch(*uid)).collect(),
            }
        }
        wire.write_all(format!("{answer}{tag} {status}\r\n").as_bytes()).await.ok()?;
    }
}

fn body(uid: u32) -> String {
    format!("Subject: {uid}\r\n\r\nbody\r\n")
}

fn fetch(uid: u32) -> String {
    let body = body(uid);
    format!("* 1 FETCH (UID {uid} INTERNALDATE \"02-Mar-2026 08:00:00 +0000\" BODY[] {{{}}}\r\n{body})\r\n", body.len())
}

fn in_set(uids: &[u32], set: &str) -> Vec<u32> {
    let ranges = set.split(',').filter_map(|range| {
        let (from, to) = range.split_once(':').unwrap_or((range, range));
        Some(from.parse().ok()?..=to.parse().ok()?)
    });
    let ranges: Vec<std::ops::RangeInclusive<u32>> = ranges.collect();
    uids.iter().copied().filter(|uid| ranges.iter().any(|range| range.contains(uid))).collect()
}

/// Reads the scripted mailbox until idle: the UIDs stored, the codes of what was skipped.
async fn check(uids: &'static [u32], fault: Fault, stored: &[u32], skipped: &[&str]) -> Scripted {
    let (server, store) = tokio::join!(Scripted::start(uids, fault), store());
    let (result, _) = drain(&server.source(), &store).await;
    result.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
    let bodies: Vec<String> =
        store.events().await.into_iter().map(|event| String::from_utf8(event.body).expect("text")).collect();
    assert_eq!(bodies, stored.iter().map(|uid| body(*uid)).collect::<Vec<_>>(), "{fault:?}");
    let codes: Vec<String> = store.skipped().await.into_iter().map(|(_, code)| code).collect();
    assert_eq!(codes, skipped, "{fault:?}");
    let last = uids.last().copied().unwrap_or_default();
    assert_eq!(store.cursor("INBOX").await, serde_json::json!({ "uidvalidity": 1, "uid": last }), "{fault:?}");
    server
}

#[tokio::test]
async fn uids_may_lie_far_apart() {
    let server = check(&[5, 70_000, 4_000_000_000], Fault::None, &[5, 70_000, 4_000_000_000], &[]).await;
    assert_eq!(server.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_silent_server_is_left_and_asked_again() {
    for silent in ["LOGIN", "CAPABILITY", "EXAMINE", "UID FETCH"] {
        let server = check(&[1, 2], Fault::Silent(silent, 2), &[1, 2], &[]).await;
        assert_eq!(server.connections.load(Ordering::Relaxed), 3, "{silent}");
    }
}

#[tokio::test]
async fn a_server_silent_in_idle_is_left() {
    let (server, store) = tokio::join!(Scripted::start(&[1], Fault::Silent("IDLE", 1)), store());
    let running = start(&server.source(), &store);
    let connections = || server.connections.load(Ordering::Relaxed);
    eventually("a second connection", async || (connections() == 2).then_some(())).await;
    eventually("the recovery", async || (running.health.state() == HealthState::Working).then_some(())).await;
    running.stop().await;
    assert_eq!(store.count().await, 1);
}

#[tokio::test]
async fn a_refused_or_torn_fetch_never_counts_as_read() {
    for fault in [Fault::Refuses(1), Fault::HangsUp(1), Fault::Refuses(3), Fault::HangsUp(3)] {
        check(&[1, 2, 3, 4], fault, &[1, 2, 3, 4], &[]).await;
    }
}

#[tokio::test]
async fn a_mail_that_cannot_be_fetched_stops_no_other() {
    for fault in [Fault::Garbage(3), Fault::DiesAt(3), Fault::RefusesAlways(3), Fault::Omits(3), Fault::DiesAt(5)] {
        let stored: &[u32] = if fault == Fault::DiesAt(5) { &[1, 2, 3, 4] } else { &[1, 2, 4, 5] };
        check(&[1, 2, 3, 4, 5], fault, stored, &["mail_unreadable"]).await;
    }
}

#[tokio::test]
async fn without_another_mail_to_compare_nothing_is_given_up() {
    let (server, store) = tokio::join!(Scripted::start(&[1], Fault::RefusesAlways(1)), store());
    let (result, health) = drain(&server.source(), &store).await;
    assert!(matches!(result, Err(IntakeError::Refused { command: "FETCH", .. })), "{result:?}");
    let HealthState::Failing { code: "command_refused", detail, .. } = health.state() else { panic!("{health:?}") };
    assert!(detail.contains("NO [SERVERBUG]") && !detail.contains("never"), "{detail}");
    assert_eq!((store.count().await, store.skipped().await.len()), (0, 0));
}
