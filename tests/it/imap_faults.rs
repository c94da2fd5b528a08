//! Mailboxes on a server that misbehaves by script: nothing lost, nothing twice, no memory without end.

use super::intake::store;
use super::intake_imap::{drain, start};
use super::support::eventually;
use lanka::pure::channels::{After, Credentials, ImapSource, Tls};
use lanka::pure::domain::secret::Secret;
use lanka::shell::intake::HealthState;
use lanka::shell::intake::imap::ImapError;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

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
    /// Beside the body of this UID come brackets in brackets, always.
    Deep(u32),
    /// It dies whenever this body is fetched.
    DiesAt(u32),
    /// FETCH of this body is answered NO, always.
    RefusesAlways(u32),
    /// It lists this UID and says OK without giving it, always.
    Omits(u32),
    /// FETCH of bodies is answered NO [THROTTLED], `n` times.
    Throttles(u32),
    /// It says goodbye between two FETCH responses for want of something, `n` times.
    SaysBye(u32),
    /// It tells this number of mails, whatever there is.
    Exists(u32),
    /// It numbers the folder anew while the first bodies come.
    Renumbers,
    /// It tells many things that nobody asked for.
    Chatters,
    /// This body announces four gigabytes.
    Giant(u32),
    /// Every size is told as 10, and is half a megabyte.
    Lies,
    /// In IDLE it announces mail without end that is not there.
    Floods,
    /// UIDNEXT stays at 1, and it hides its mail until it announces it.
    Hides,
    /// It does not open the folder `Closed`.
    Closes,
    /// It is as Gmail is.
    Gmail,
}

/// What servers may tell at any time: numbers, flags, words, and what no client knows.
const CHATTER: &str = "* 9 EXISTS\r\n* 2 EXPUNGE\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* NO [ALERT] disk {5}\r\n\
    * FLAGS (\\Answered)\r\n* XNOTE (a {4}\r\nb\r\nc d)\r\n* OK [X-NEW (1 2)] so\r\n* BAD what\r\n";

/// A mailbox of a few mails, over one port, for any number of connections.
struct Scripted {
    port: u16,
    connections: Arc<AtomicU32>,
    /// How often a folder was opened.
    opened: Arc<AtomicU32>,
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
        let opened = Arc::new(AtomicU32::new(0));
        let (counted, counts) = (Arc::clone(&connections), Arc::clone(&opened));
        let faults = Arc::new(Mutex::new(0_u32));
        let serving = tokio::spawn(async move {
            while let Ok((wire, _)) = listener.accept().await {
                let number = counted.fetch_add(1, Ordering::Relaxed) + 1;
                tokio::spawn(serve(wire, uids, fault, number, Arc::clone(&faults), Arc::clone(&counts)));
            }
        });
        Self { port, connections, opened, serving }
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
    opened: Arc<AtomicU32>,
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
            "CAPABILITY" if fault == Fault::Gmail => "* CAPABILITY IMAP4rev1 IDLE X-GM-EXT-1\r\n".to_owned(),
            "CAPABILITY" => "* CAPABILITY IMAP4rev1 IDLE\r\n".to_owned(),
            "EXAMINE" if command.ends_with("\"Closed\"") => String::new(),
            "EXAMINE" => {
                opened.fetch_add(1, Ordering::Relaxed);
                let faults = *faults.lock().expect("not poisoned");
                let exists = if let Fault::Exists(told) = fault { told } else { uids.len() as u32 };
                let hides = fault == Fault::Hides;
                format!(
                    "* {} EXISTS\r\n* OK [UIDVALIDITY {}] v\r\n* OK [UIDNEXT {}] n\r\n",
                    if hides { 0 } else { exists },
                    if fault == Fault::Renumbers && faults > 0 { 2 } else { 1 },
                    if hides { 1 } else { uids[uids.len() - 1] + 1 }
                )
            }
            "LIST" => "* LIST (\\HasNoChildren) \"/\" INBOX\r\n* LIST () \"/\" Closed\r\n\
                * LIST (\\Noselect) \"/\" \"[Gmail]\"\r\n* LIST (\\All) \"/\" \"[Gmail]/Kaikki viestit\"\r\n"
                .to_owned(),
            "IDLE" => {
                wire.write_all(b"+ idling\r\n").await.ok()?;
                let mut done = String::new();
                let mut announced = uids.len();
                while matches!(fault, Fault::Floods | Fault::Hides) && done.is_empty() {
                    announced += 1;
                    wire.write_all(format!("* {announced} EXISTS\r\n").as_bytes()).await.ok()?;
                    let _ = tokio::time::timeout(Duration::from_millis(1), wire.read_line(&mut done)).await;
                }
                if done.is_empty() {
                    wire.read_line(&mut done).await.ok()?;
                }
                String::new()
            }
            _ => String::new(),
        };
        let wanted: Vec<u32> = command.split(' ').nth(2).map(|set| in_set(uids, set)).unwrap_or_default();
        let mut status = "OK done";
        if verb == "EXAMINE" && answer.is_empty() {
            status = "NO [NOPERM] not yours";
        } else if command == "FETCH 1 (UID)" {
            answer = format!("* 1 FETCH (UID {})\r\n", uids[0]);
        } else if command.contains("(UID RFC822.SIZE") {
            let size = |uid: u32| if fault == Fault::Lies { 10 } else { body(uid).len() };
            let line =
                |uid: &u32| format!("* 1 FETCH (UID {uid} RFC822.SIZE {}{})\r\n", size(*uid), labels(fault, *uid));
            answer = wanted.iter().map(line).collect();
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
                Fault::Garbage(bad) | Fault::Deep(bad) => {
                    let deep = format!("* 1 FETCH (UID {bad} BODYSTRUCTURE {}\r\n", "(".repeat(100_000));
                    let broken = if fault == Fault::Deep(bad) { &deep } else { "* 1 FETCH (UID what BODY[\r\n" };
                    let line = |uid: &u32| if *uid == bad { broken.to_owned() } else { fetch(*uid) };
                    answer = wanted.iter().map(line).collect();
                }
                Fault::Throttles(times) if count() <= times => status = "NO [THROTTLED] slow down, anna@example.fi",
                Fault::SaysBye(times) if count() <= times => {
                    let said = format!("{}* BYE [UNAVAILABLE] too much\r\n", fetch(wanted[0]));
                    wire.write_all(said.as_bytes()).await.ok()?;
                    return None;
                }
                Fault::Renumbers => {
                    let is_first = count() == 1;
                    answer = wanted.iter().map(|uid| fetch(*uid)).collect();
                    answer += if is_first { "* OK [UIDVALIDITY 2] anew\r\n" } else { "" };
                }
                Fault::Giant(bad) if wanted.contains(&bad) => {
                    let begun = format!("* 1 FETCH (UID {bad} BODY[] {{4000000000}}\r\n");
                    wire.write_all(begun.as_bytes()).await.ok()?;
                    while wire.write_all(&[b'x'; 65_536]).await.is_ok() {}
                    return None;
                }
                Fault::Lies => {
                    let line = |uid: &u32| {
                        let large = body(*uid) + &"x".repeat(500_000);
                        format!("* 1 FETCH (UID {uid} BODY[] {{{}}}\r\n{large})\r\n", large.len())
                    };
                    answer = wanted.iter().map(line).collect();
                }
                Fault::Omits(omitted) => {
                    answer = wanted.iter().filter(|uid| **uid != omitted).map(|uid| fetch(*uid)).collect()
                }
                _ => answer = wanted.iter().map(|uid| fetch(*uid)).collect(),
            }
        }
        let chatter = if fault == Fault::Chatters { CHATTER } else { "" };
        wire.write_all(format!("{chatter}{answer}{chatter}{tag} {status}\r\n").as_bytes()).await.ok()?;
    }
}

/// What Gmail tells of each mail: in the inbox, sent, a draft, under labels of a person's.
fn labels(fault: Fault, uid: u32) -> &'static str {
    match (fault, uid) {
        (Fault::Gmail, 1) => " FLAGS (\\Seen) X-GM-LABELS (\"\\\\Inbox\" \"\\\\Important\")",
        (Fault::Gmail, 2) => " FLAGS () X-GM-LABELS (\"\\\\Sent\")",
        (Fault::Gmail, 3) => " FLAGS (\\Draft) X-GM-LABELS (\"\\\\Draft\")",
        (Fault::Gmail, _) => " FLAGS () X-GM-LABELS (Sent \"My drafts\")",
        _ => "",
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
    for fault in [
        Fault::Garbage(3),
        Fault::Deep(3),
        Fault::DiesAt(3),
        Fault::RefusesAlways(3),
        Fault::Omits(3),
        Fault::DiesAt(5),
    ] {
        let stored: &[u32] = if fault == Fault::DiesAt(5) { &[1, 2, 3, 4] } else { &[1, 2, 4, 5] };
        check(&[1, 2, 3, 4, 5], fault, stored, &["mail_unreadable"]).await;
    }
}

#[tokio::test]
async fn without_another_mail_to_compare_nothing_is_given_up() {
    let (server, store) = tokio::join!(Scripted::start(&[1], Fault::RefusesAlways(1)), store());
    let (result, health) = drain(&server.source(), &store).await;
    assert!(matches!(result, Err(ImapError::Refused { command: "FETCH", .. })), "{result:?}");
    let HealthState::Failing { code: "command_refused", detail, .. } = health.state() else { panic!("{health:?}") };
    assert!(detail.contains("NO [SERVERBUG]") && !detail.contains("never"), "{detail}");
    assert_eq!((store.count().await, store.skipped().await.len()), (0, 0));
}

#[tokio::test]
async fn a_server_that_asks_for_patience_loses_no_mail_by_it() {
    for fault in [Fault::Throttles(5), Fault::SaysBye(5)] {
        let server = check(&[1, 2, 3], fault, &[1, 2, 3], &[]).await;
        assert_eq!(server.connections.load(Ordering::Relaxed), 6, "{fault:?}");
    }
    let (server, store) = tokio::join!(Scripted::start(&[1], Fault::Throttles(100)), store());
    let (result, health) = drain(&server.source(), &store).await;
    assert_eq!(result.expect_err("for ever").code(), "server_throttles");
    let HealthState::Failing { detail, .. } = health.state() else { panic!("{health:?}") };
    assert_eq!(detail, "the server puts us off at FETCH (NO [THROTTLED]): it is tried again later");
}

#[tokio::test]
async fn numbers_that_a_server_makes_up_do_no_harm() {
    for fault in [Fault::Exists(0), Fault::Exists(u32::MAX), Fault::Exists(1), Fault::Chatters] {
        let server = check(&[1, 2, 3], fault, &[1, 2, 3], &[]).await;
        assert_eq!(server.connections.load(Ordering::Relaxed), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn mail_below_a_uidnext_that_stays_is_found_when_it_is_announced() {
    let (server, store) = tokio::join!(Scripted::start(&[4, 7], Fault::Hides), store());
    let running = start(&server.source(), &store);
    eventually("the hidden mails", async || (store.count().await == 2).then_some(())).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    running.stop().await;
    assert_eq!((store.count().await, server.connections.load(Ordering::Relaxed)), (2, 1));
}

#[tokio::test]
async fn mail_announced_without_end_is_not_looked_for_without_end() {
    let (server, store) = tokio::join!(Scripted::start(&[1], Fault::Floods), store());
    let running = start(&server.source(), &store);
    eventually("the mail", async || (store.count().await == 1).then_some(())).await;
    let before = server.opened.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let looks = server.opened.load(Ordering::Relaxed) - before;
    running.stop().await;
    // It looks every poll_interval (0.2 s) anyway.
    assert!((2..=30).contains(&looks), "{looks} looks in 2 s");
    assert_eq!((store.count().await, server.connections.load(Ordering::Relaxed)), (1, 1));
}

#[tokio::test]
async fn what_is_numbered_anew_while_it_comes_is_fetched_anew() {
    let (server, store) = tokio::join!(Scripted::start(&[1, 2, 3], Fault::Renumbers), store());
    drain(&server.source(), &store).await.0.expect("drained");
    let origins: Vec<String> = store.events().await.into_iter().map(|event| event.origin).collect();
    assert_eq!(origins, [1, 2, 3].map(|uid| format!("INBOX, UIDVALIDITY 2, UID {uid}")));
    assert_eq!(store.cursor("INBOX").await, serde_json::json!({ "uidvalidity": 2, "uid": 3 }));
}

#[tokio::test]
async fn four_gigabytes_are_not_waited_for() {
    check(&[1, 2, 3, 4], Fault::Giant(3), &[1, 2, 4], &["mail_unreadable"]).await;
}

#[tokio::test]
async fn sizes_are_counted_and_not_believed() {
    static UIDS: [u32; 40] = {
        let mut uids = [0; 40];
        let mut at = 0;
        while at < 40 {
            uids[at] = at as u32 + 1;
            at += 1;
        }
        uids
    };
    // 20 MB in one answer, said to be 400 bytes: they are fetched apart.
    let (server, store) = tokio::join!(Scripted::start(&UIDS, Fault::Lies), store());
    drain(&server.source(), &store).await.0.expect("drained");
    let sizes: Vec<usize> = store.events().await.iter().map(|event| event.body.len()).collect();
    assert!(sizes.len() == 40 && sizes.iter().all(|size| *size > 500_000), "{sizes:?}");
    assert_eq!((store.skipped().await.len(), server.connections.load(Ordering::Relaxed)), (0, 2));
}

#[tokio::test]
async fn a_folder_that_is_refused_is_named() {
    let (server, store) = tokio::join!(Scripted::start(&[1, 2], Fault::Closes), store());
    let folders = vec!["Closed".to_owned(), "INBOX".to_owned()];
    let (result, _) = drain(&ImapSource { folders, ..server.source() }, &store).await;
    let said = result.expect_err("one is closed").to_string();
    assert_eq!(said, "the server does not open folder Closed (NO [NOPERM]): check the rights of the user");
    assert_eq!(store.count().await, 2);
}

#[tokio::test]
async fn all_mail_of_gmail_is_told_apart_by_its_labels() {
    let (server, store) = tokio::join!(Scripted::start(&[1, 2, 3, 4], Fault::Gmail), store());
    for (folder, mails) in [("\\All", 3), ("[Gmail]/Kaikki viestit", 6)] {
        let source = ImapSource { folders: vec![folder.to_owned()], ..server.source() };
        drain(&source, &store).await.0.expect("drained");
        assert_eq!(store.count().await, mails, "{folder}");
        assert_eq!(store.cursor(folder).await, serde_json::json!({ "uidvalidity": 1, "uid": 4 }));
    }
    let origins: Vec<String> = store.events().await.into_iter().map(|event| event.origin).take(3).collect();
    let expected = ["UID 1", "UID 2, sent by the desk", "UID 4"];
    assert_eq!(origins, expected.map(|rest| format!("[Gmail]/Kaikki viestit, UIDVALIDITY 1, {rest}")));
    assert_eq!(store.skipped().await, [], "a draft is nobody's word");
}
