//! Mailboxes: against a real Dovecot.

use super::dovecot::Dovecot;
use super::intake::{TestStore, store};
use super::support::eventually;
use lanka::pure::channels::{After, Credentials, ImapSource, Tls};
use lanka::pure::domain::secret::Secret;
use lanka::shell::intake::imap::{ImapError, try_login, watch};
use lanka::shell::intake::{ChannelHealth, ChannelIdent, HealthState};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// The channel of these tests.
pub fn ident() -> ChannelIdent {
    ChannelIdent { tenant: "main".to_owned(), name: "support-mail".to_owned(), kind: "imap".to_owned() }
}

/// Reads everything there is, and returns.
pub async fn drain(source: &ImapSource, store: &TestStore) -> (Result<(), ImapError>, ChannelHealth) {
    let health = ChannelHealth::new("support-mail");
    let (_stop, shutdown) = tokio::sync::watch::channel(false);
    let watching = watch(source.clone(), ident(), store.store.clone(), store.tokens(), health.clone(), shutdown, true);
    let result = tokio::time::timeout(Duration::from_secs(60), watching).await.expect("idle within a minute");
    (result, health)
}

/// A channel that runs in the background until it is stopped.
pub struct Running {
    stop: tokio::sync::watch::Sender<bool>,
    /// What it says of itself.
    pub health: ChannelHealth,
    task: JoinHandle<Result<(), ImapError>>,
}

pub fn start(source: &ImapSource, store: &TestStore) -> Running {
    let (stop, shutdown) = tokio::sync::watch::channel(false);
    let health = ChannelHealth::new("support-mail");
    let watching = watch(source.clone(), ident(), store.store.clone(), store.tokens(), health.clone(), shutdown, false);
    let task = tokio::spawn(watching);
    Running { stop, health, task }
}

impl Running {
    /// Stops it, which must not take long.
    pub async fn stop(self) {
        self.stop.send(true).expect("it runs");
        let began = Instant::now();
        self.task.await.expect("no panic").expect("no error");
        assert!(began.elapsed() < Duration::from_secs(2), "the stop took {:?}", began.elapsed());
    }
}

/// A mail of four lines.
pub fn mail(subject: &str) -> Vec<u8> {
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
    let trusting = ImapSource { host: "localhost".to_owned(), ca_file: Some(server.authority()), ..server.source() };
    let implicit = ImapSource { tls: Tls::Implicit, port: server.tls_port, ..trusting.clone() };
    let starttls = ImapSource { tls: Tls::Starttls, ..trusting.clone() };
    let wrong =
        |password: &str| ImapSource { credentials: Credentials::Password(Secret::new(password)), ..server.source() };
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
        let code = result.as_ref().err().map_or("ok", ImapError::code);
        assert_eq!(code, expected, "{source:?}: {result:?}");
        let said = result.err().map(|error| format!("{error} {error:?}")).unwrap_or_default();
        assert!(!said.contains("wrong") && !said.contains("väärä"), "{said}");
    }
    server.put([mail("over TLS")]);
    drain(&implicit, &store).await.0.expect("drained");
    assert_eq!(store.count().await, 1);
}

/// What mail servers are told of the folders they serve.
const SPECIAL: &str = "namespace inbox {
  mailbox Lähetetyt {
    auto = create
    special_use = \\Sent
  }
  mailbox Vanhat {
    auto = create
    special_use = \\Archive
  }
}
";

#[tokio::test]
async fn sent_mail_is_read_as_the_desks_and_never_touched() {
    let (server, store) = tokio::join!(Dovecot::start_with(SPECIAL), store());
    server.put([mail("asked")]);
    let sent = "\"L&AOQ-hetetyt\"";
    server.append(sent, &mail("answered"), "02-Mar-2026 08:00:00 +0000").await;
    let after = After::Move("\\Archive".to_owned());
    for named in ["\\Sent", "\\sent", "Lähetetyt"] {
        let source = ImapSource { sent: Some(named.to_owned()), after: after.clone(), ..server.source() };
        drain(&source, &store).await.0.unwrap_or_else(|error| panic!("{named}: {error}"));
        assert_eq!((server.count(sent, "UNSEEN").await, server.count("Vanhat", "ALL").await), (1, 1), "{named}");
    }
    let events = store.events().await;
    // It is read before the rest, and once under each name it was configured by.
    let is_sent: Vec<bool> = events.iter().map(|event| event.origin.ends_with(", sent by the desk")).collect();
    assert_eq!(is_sent, [true, false, true, true]);
    assert!(events[0].origin.starts_with("Lähetetyt, UIDVALIDITY "), "{}", events[0].origin);
}

#[tokio::test]
async fn only_what_was_stored_is_deleted() {
    for capability in ["", "imap_capability = IMAP4rev1\n"] {
        let (server, store) = tokio::join!(Dovecot::start_with(capability), store());
        let too_large = [mail("large"), vec![b'x'; 20_000]].concat();
        server.put([mail("one"), too_large, mail("two")]);
        // Somebody else has marked it.
        server.command("INBOX", b"UID STORE 2 +FLAGS (\\Deleted)").await;
        let source = ImapSource { after: After::Delete, message_bytes_max: 10_000, ..server.source() };
        drain(&source, &store).await.0.expect("drained");
        assert_eq!((store.count().await, store.skipped().await.len()), (2, 1));
        let left = if capability.is_empty() { 1 } else { 3 };
        assert_eq!((server.count("INBOX", "ALL").await, server.count("INBOX", "DELETED").await), (left, left));
        drain(&source, &store).await.0.expect("drained again");
        assert_eq!(store.count().await, 2, "nothing twice");
    }
}

#[tokio::test]
async fn what_a_server_refuses_to_mark_is_marked_later() {
    let (server, store) = tokio::join!(Dovecot::start(), store());
    server.put([mail("one"), mail("two")]);
    // A name that no folder may have.
    let refused = ImapSource { after: After::Move("a//b".to_owned()), ..server.source() };
    drain(&refused, &store).await.0.expect("mail comes in all the same");
    assert_eq!((store.count().await, server.count("INBOX", "ALL").await), (2, 2));
    assert_eq!(store.cursor("INBOX").await["unmarked"], "1:2");
    server.put([mail("three")]);
    drain(&refused, &store).await.0.expect("drained");
    assert_eq!(store.cursor("INBOX").await["unmarked"], "1:2,3");
    let mended = ImapSource { after: After::Move("ab".to_owned()), ..server.source() };
    drain(&mended, &store).await.0.expect("drained");
    assert_eq!((server.count("ab", "ALL").await, server.count("INBOX", "ALL").await), (3, 0));
    assert_eq!((store.count().await, store.cursor("INBOX").await.get("unmarked").is_some()), (3, false));
}

#[tokio::test]
async fn a_folder_that_is_not_there_keeps_no_other_from_being_read() {
    let (server, store) = tokio::join!(Dovecot::start(), store());
    server.create("Asiakkaat/Vanhat");
    server.append("Asiakkaat/Vanhat", &mail("old"), "02-Mar-2026 08:00:00 +0000").await;
    let folders = ["Vanhat", "Asiakkaat/Vanhat", "INBOX"].map(str::to_owned).to_vec();
    let source = ImapSource { folders, poll_interval: Duration::from_millis(300), ..server.source() };
    let running = start(&source, &store);
    eventually("the mail of the other", async || (store.count().await == 1).then_some(())).await;
    server.deliver(&mail("new")).await;
    eventually("the new one", async || (store.count().await == 2).then_some(())).await;
    let HealthState::Failing { code: "folder_missing", detail, .. } = running.health.state() else {
        panic!("{:?}", running.health)
    };
    assert_eq!(detail, "there is no folder Vanhat: there is Asiakkaat/Vanhat");
    server.create("Vanhat");
    eventually("the recovery", async || (running.health.state() == HealthState::Working).then_some(())).await;
    running.stop().await;
    let source = ImapSource { folders: vec!["\\Archive".to_owned()], ..server.source() };
    let said = try_login(&source, "support-mail", &store.tokens()).await.expect_err("no such use").to_string();
    assert!(said.starts_with("there is no folder \\Archive; name it as"), "{said}");
}

#[tokio::test]
async fn a_mail_in_two_folders_is_stored_once_and_named_twice() {
    let (server, store) = tokio::join!(Dovecot::start(), store());
    server.create("Copies");
    for folder in ["INBOX", "Copies"] {
        server.append(folder, &mail("both"), "02-Mar-2026 08:00:00 +0000").await;
    }
    let source = ImapSource { folders: vec!["INBOX".to_owned(), "Copies".to_owned()], ..server.source() };
    drain(&source, &store).await.0.expect("drained");
    assert_eq!((store.count().await, store.bodies().await), (2, 1));
}
