//! Logs that grow and are rotated; directories that fill and are emptied.

use super::intake::{TestStore, store};
use super::support::{eventually, scratch};
use lanka::pure::channels::{DropLayout, DropSource, TailSource};
use lanka::shell::intake::directory::{DirectoryError, collect, follow};
use lanka::shell::intake::{ChannelHealth, ChannelIdent, HealthState};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::watch;

fn ident() -> ChannelIdent {
    ChannelIdent { tenant: "main".to_owned(), name: "phone".to_owned(), kind: "asterisk".to_owned() }
}

fn tail(path: &Path) -> TailSource {
    TailSource { path: path.to_owned(), line_bytes_max: 1000, poll_interval: Duration::from_secs(30) }
}

fn pile(path: &Path, layout: DropLayout) -> DropSource {
    DropSource {
        path: path.to_owned(),
        layout,
        file_bytes_max: 40 * 1024 * 1024,
        poll_interval: Duration::from_secs(30),
    }
}

/// Reads a log to its present end, as after a start.
async fn read(path: &Path, store: &TestStore) {
    let (_stop, shutdown) = watch::channel(false);
    let health = ChannelHealth::new("phone");
    let following = follow(tail(path), ident(), store.store.clone(), health, shutdown, true);
    tokio::time::timeout(Duration::from_secs(30), following).await.expect("idle").expect("no error");
}

/// Empties a directory, as after a start.
async fn empty(source: &DropSource, store: &TestStore) -> Result<(), DirectoryError> {
    let (_stop, shutdown) = watch::channel(false);
    let health = ChannelHealth::new("phone");
    let collecting = collect(source.clone(), ident(), store.store.clone(), health, shutdown, true);
    tokio::time::timeout(Duration::from_secs(120), collecting).await.expect("idle")
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).expect("the log");
    file.write_all(text.as_bytes()).expect("written");
}

async fn bodies(store: &TestStore) -> Vec<String> {
    let events = store.events().await.into_iter();
    events.map(|event| String::from_utf8(event.body).expect("text")).collect()
}

/// One thing that happens to a log, and what is stored once it has been read again.
enum Step {
    Append(&'static str),
    /// Renamed; the next one comes with the next `Append`.
    Rename(&'static str),
    /// Copied, then cut to nothing.
    CopyTruncate(&'static str),
    Truncate,
    Remove(&'static str),
    /// lanka reads.
    Read(&'static [&'static str]),
}
use Step::{Append, CopyTruncate, Read, Remove, Rename, Truncate};

/// Plays steps on a log; every `Read` is a new start, so that only the cursor is remembered.
async fn check(name: &str, steps: &[Step], skipped: &[&str]) {
    let (dir, store) = (scratch(), store().await);
    let log = dir.path().join("Master.csv");
    let other = |name: &str| dir.path().join(name);
    let mut expected: Vec<&str> = Vec::new();
    for step in steps {
        match step {
            Append(text) => append(&log, text),
            Rename(to) => fs::rename(&log, other(to)).expect("renamed"),
            CopyTruncate(to) => {
                fs::copy(&log, other(to)).expect("copied");
                fs::write(&log, "").expect("truncated");
            }
            Truncate => fs::write(&log, "").expect("truncated"),
            Remove(name) => fs::remove_file(other(name)).expect("removed"),
            Read(lines) => {
                read(&log, &store).await;
                expected.extend(*lines);
                assert_eq!(bodies(&store).await, expected, "{name}");
            }
        }
        // Rotated logs are ordered by their modification times.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let codes: Vec<String> = store.skipped().await.into_iter().map(|(_, code)| code).collect();
    assert_eq!(codes, skipped, "{name}");
}

#[tokio::test]
async fn lines_are_read_once_and_whole() {
    check("nothing yet", &[Read(&[]), Append("a\n"), Read(&["a"]), Read(&[])], &[]).await;
    check(
        "half a line",
        &[Append("a\nb"), Read(&["a"]), Append("c"), Read(&[]), Append("\nd\n"), Read(&["bc", "d"])],
        &[],
    )
    .await;
    check("line ends", &[Append("a\r\n\r\n\nb\r\n"), Read(&["a", "b"])], &[]).await;
}

#[tokio::test]
async fn overlong_lines_are_on_record_and_the_rest_goes_on() {
    let long: &'static str = format!("before\n{}\nafter\n", "x".repeat(1001)).leak();
    let huge: &'static str = format!("before\n{}", "x".repeat(3_000_000)).leak();
    let limit: &'static [&'static str] = vec![&*"y".repeat(1000).leak()].leak();
    check("over the limit", &[Append(long), Read(&["before", "after"])], &["line_too_large"]).await;
    check(
        "far over it",
        &[Append(huge), Read(&["before"]), Append("xx\nafter\n"), Read(&["after"])],
        &["line_too_large"],
    )
    .await;
    check("at the limit", &[Append(limit[0]), Append("\n"), Read(limit)], &[]).await;
}

#[tokio::test]
async fn rotation_loses_and_repeats_nothing() {
    check(
        "renamed",
        &[
            Append("a\n"),
            Read(&["a"]),
            Append("b\n"),
            Rename("Master.csv.1"),
            Append("c\n"),
            Read(&["b", "c"]),
            Append("d\n"),
            Read(&["d"]),
        ],
        &[],
    )
    .await;
    check(
        "renamed, none yet",
        &[Append("a\n"), Read(&["a"]), Append("b\n"), Rename("old"), Read(&["b"]), Append("c\n"), Read(&["c"])],
        &[],
    )
    .await;
    check(
        "renamed twice while away",
        &[
            Append("a\n"),
            Read(&["a"]),
            Append("b\n"),
            Rename("Master.csv.2"),
            Append("c\n"),
            Rename("Master.csv.1"),
            Append("d\n"),
            Read(&["b", "c", "d"]),
        ],
        &[],
    )
    .await;
    check(
        "copied and truncated",
        &[Append("a\n"), Read(&["a"]), Append("b\n"), CopyTruncate("Master.csv.1"), Append("c\n"), Read(&["b", "c"])],
        &[],
    )
    .await;
    check(
        "truncated, and longer again than before",
        &[Append("a\nb\n"), Read(&["a", "b"]), Truncate, Append("c\nd\ne\n"), Read(&["c", "d", "e"])],
        &[],
    )
    .await;
    check(
        "gone, compressed or moved away",
        &[Append("a\n"), Read(&["a"]), Rename("gone"), Remove("gone"), Append("b\nc\n"), Read(&["b", "c"])],
        &[],
    )
    .await;
    check(
        "never finished",
        &[Append("a\nb"), Read(&["a"]), Rename("Master.csv.1"), Append("c\n"), Read(&["c"])],
        &["line_unfinished"],
    )
    .await;
}

#[tokio::test]
async fn a_rotation_right_after_the_first_look_is_followed() {
    let [one, two] = ["Master.csv.1", "Master.csv.2"];
    check("no log yet", &[Read(&[]), Append("a\n"), Rename(one), Append("b\n"), Read(&["a", "b"]), Read(&[])], &[])
        .await;
    check(
        "and none yet again",
        &[Read(&[]), Append("a\n"), Rename(one), Read(&["a"]), Append("b\n"), Read(&["b"])],
        &[],
    )
    .await;
    check(
        "twice",
        &[Read(&[]), Append("a\n"), Rename(two), Append("b\n"), Rename(one), Append("c\n"), Read(&["a", "b", "c"])],
        &[],
    )
    .await;
    check("empty", &[Append(""), Read(&[]), Append("a\n"), Rename(one), Append("b\n"), Read(&["a", "b"])], &[]).await;
    check(
        "empty, copied and truncated",
        &[Append(""), Read(&[]), Append("a\n"), CopyTruncate(one), Append("b\n"), Read(&["a", "b"])],
        &[],
    )
    .await;
    check(
        "what was rotated before is history",
        &[
            Append("old\n"),
            Rename(two),
            Read(&[]),
            Append("a\n"),
            Rename(one),
            Append("b\n"),
            Read(&["a", "b"]),
            Append("c\n"),
            Read(&["c"]),
        ],
        &[],
    )
    .await;
    check("history beside a log", &[Append("old\n"), Rename(one), Append("a\n"), Read(&["a"])], &[]).await;
}

#[tokio::test]
async fn a_running_channel_sees_lines_soon_and_follows_a_rotation() {
    let (dir, store) = (scratch(), store().await);
    let log = dir.path().join("Master.csv");
    let (stop, shutdown) = watch::channel(false);
    let health = ChannelHealth::new("phone");
    let running = tokio::spawn(follow(tail(&log), ident(), store.store.clone(), health.clone(), shutdown, false));
    let seen = async |lines: &[&str]| {
        eventually("the lines", async || (bodies(&store).await == lines).then_some(())).await;
    };
    append(&log, "a\n");
    let began = Instant::now();
    seen(&["a"]).await;
    assert!(began.elapsed() < Duration::from_secs(3), "it took {:?}", began.elapsed());
    let event = &store.events().await[0];
    assert!(event.origin.starts_with("Master.csv, inode ") && event.origin.ends_with(", offset 0"), "{}", event.origin);

    // The writer keeps the old file open for a moment, as daemons do until they are told.
    let mut old = OpenOptions::new().append(true).open(&log).expect("the log");
    fs::rename(&log, dir.path().join("Master.csv.1")).expect("renamed");
    append(&log, "c\n");
    tokio::time::sleep(Duration::from_millis(500)).await;
    old.write_all(b"b\n").expect("written");
    seen(&["a", "b", "c"]).await;
    assert_eq!(health.state(), HealthState::Working);

    fs::remove_dir_all(dir.path()).expect("removed");
    stop.send(true).expect("it runs");
    running.await.expect("no panic").expect("no error");
}

#[tokio::test]
async fn many_lines_come_in_bounded_batches() {
    let (dir, store) = (scratch(), store().await);
    let log = dir.path().join("Master.csv");
    let lines: String = (0..20_000).map(|number| format!("{number},{}\n", "x".repeat(100))).collect();
    append(&log, &lines);
    read(&log, &store).await;
    assert_eq!(store.count().await, 20_000);
}

/// A Maildir with its three directories.
fn maildir() -> (tempfile::TempDir, PathBuf) {
    let dir = scratch();
    let path = dir.path().join("Maildir");
    for below in ["new", "cur", "tmp"] {
        fs::create_dir_all(path.join(below)).expect("made");
    }
    (dir, path)
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .expect("listed")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn set_modified(path: &Path, at: SystemTime) {
    OpenOptions::new().write(true).open(path).expect("opened").set_modified(at).expect("its time");
}

#[tokio::test]
async fn a_maildir_is_emptied_into_cur() {
    let ((_dir, path), store) = (maildir(), store().await);
    fs::write(path.join("new/1.M1.host"), "Subject: one\n\n").expect("delivered");
    set_modified(
        &path.join("new/1.M1.host"),
        "2026-03-02T08:00:00Z".parse::<jiff::Timestamp>().expect("a time").into(),
    );
    fs::write(path.join("cur/0.M0.host:2,S"), "somebody else's").expect("there");
    fs::write(path.join("tmp/2.M2.host"), "half").expect("there");
    // Nothing of this is a mail.
    std::os::unix::fs::symlink("/etc/passwd", path.join("new/link")).expect("a link");
    fs::create_dir(path.join("new/directory")).expect("a directory");
    fs::write(path.join("new/.hidden"), "").expect("hidden");
    rustix::fs::mknodat(rustix::fs::CWD, path.join("new/pipe"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)
        .expect("a pipe");
    empty(&pile(&path, DropLayout::Maildir), &store).await.expect("emptied");
    let events = store.events().await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].body, b"Subject: one\n\n");
    assert_eq!(events[0].trusted_at, Some("2026-03-02T08:00:00Z".parse().expect("a time")));
    assert!(events[0].origin.starts_with("1.M1.host, inode "), "{}", events[0].origin);
    assert_eq!(names(&path.join("new")), [".hidden", "directory", "link", "pipe"]);
    assert_eq!(names(&path.join("cur")), ["0.M0.host:2,S", "1.M1.host:2,"]);
}

#[tokio::test]
async fn sizes_are_bounded_and_large_files_whole() {
    let ((_dir, path), store) = (maildir(), store().await);
    let large = "0123456789\n".repeat(3_000_000);
    fs::write(path.join("new/1"), &large).expect("delivered");
    fs::write(path.join("new/2"), "small").expect("delivered");
    fs::File::create(path.join("new/3")).expect("delivered").set_len(41 * 1024 * 1024).expect("grown");
    empty(&pile(&path, DropLayout::Maildir), &store).await.expect("emptied");
    let mut lengths: Vec<usize> = store.events().await.iter().map(|event| event.body.len()).collect();
    lengths.sort_unstable();
    assert_eq!(lengths, [5, large.len()]);
    assert_eq!(store.skipped().await[0].1, "file_too_large");
    assert_eq!(names(&path.join("cur")), ["1:2,", "2:2,", "3:2,"]);
}

#[tokio::test]
async fn a_crash_between_commit_and_move_repeats_nothing() {
    let ((_dir, path), store) = (maildir(), store().await);
    let source = pile(&path, DropLayout::Maildir);
    for number in 0..10 {
        fs::write(path.join(format!("new/{number}")), format!("mail {number}")).expect("delivered");
    }
    empty(&source, &store).await.expect("emptied");
    for number in 0..10 {
        fs::rename(path.join(format!("cur/{number}:2,")), path.join(format!("new/{number}")))
            .expect("as if never moved");
    }
    fs::write(path.join("new/10"), "another").expect("delivered");
    empty(&source, &store).await.expect("emptied");
    assert_eq!(store.count().await, 11);
    assert_eq!(names(&path.join("new")), [""; 0]);
}

#[tokio::test]
async fn plain_directories_wait_for_whole_files_and_overwrite_nothing() {
    let (dir, store) = (scratch(), store().await);
    let source = pile(dir.path(), DropLayout::Files);
    let drop = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("dropped");
    let age = |name: &str| set_modified(&dir.path().join(name), SystemTime::now() - Duration::from_secs(60));
    for name in ["export.json", "växel.csv"] {
        drop(name, name);
        age(name);
    }
    for name in ["a.tmp", "b.part", "c~", ".d"] {
        drop(name, "unfinished");
        age(name);
    }
    let (stop, shutdown) = watch::channel(false);
    let health = ChannelHealth::new("phone");
    let running = tokio::spawn(collect(source.clone(), ident(), store.store.clone(), health, shutdown, false));
    eventually("two files", async || (store.count().await == 2).then_some(())).await;

    // Written to for a while: it comes when it is whole.
    for _ in 0..12 {
        append(&dir.path().join("slow.csv"), "line\n");
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(store.count().await, 2);
    }
    // The same name again is another file.
    drop("export.json", "new content");
    age("export.json");
    eventually("the others", async || (store.count().await == 4).then_some(())).await;
    eventually("their moves", async || (names(dir.path()).len() == 5).then_some(())).await;
    stop.send(true).expect("it runs");
    running.await.expect("no panic").expect("no error");
    let bodies = bodies(&store).await;
    assert!(bodies.contains(&"line\n".repeat(12)) && bodies.contains(&"new content".to_owned()), "{bodies:?}");
    assert_eq!(names(dir.path()), [".d", "a.tmp", "b.part", "c~", "done"]);
    let done = names(&dir.path().join("done"));
    assert_eq!(done.len(), 4, "{done:?}");
    assert!(done.iter().any(|name| name.ends_with("-export.json")), "{done:?}");
}

#[tokio::test]
async fn trouble_is_said_and_outlived() {
    let (dir, store) = (scratch(), store().await);
    let path = dir.path().join("Maildir");
    let (stop, shutdown) = watch::channel(false);
    let health = ChannelHealth::new("phone");
    let source = pile(&path, DropLayout::Maildir);
    let running = tokio::spawn(collect(source, ident(), store.store.clone(), health.clone(), shutdown, false));
    let fails =
        |code: &str| matches!(health.state(), HealthState::Failing { code: said, .. } if said == code).then_some(());
    eventually("the missing directory", async || fails("path_missing")).await;
    fs::create_dir_all(path.join("new")).expect("made");
    fs::write(path.join("new/1"), "mail").expect("delivered");
    eventually("the mail", async || (store.count().await == 1).then_some(())).await;
    eventually("the recovery", async || (health.state() == HealthState::Working).then_some(())).await;
    assert_eq!(names(&path.join("cur")), ["1:2,"]);

    // It cannot be moved: stored once, and moved when it can be.
    eventually("a file in the way", async || {
        // The intake may make the directory anew between the two.
        let _ = fs::remove_dir_all(path.join("cur"));
        fs::write(path.join("cur"), "in the way").ok()
    })
    .await;
    fs::write(path.join("new/2"), "second").expect("delivered");
    eventually("the failure", async || fails("file_unreadable")).await;
    fs::write(path.join("new/3"), "third").expect("delivered");
    tokio::time::sleep(Duration::from_millis(300)).await;
    fs::remove_file(path.join("cur")).expect("removed");
    fs::create_dir(path.join("cur")).expect("made");
    eventually("all moved", async || (names(&path.join("cur")) == ["2:2,", "3:2,"]).then_some(())).await;
    assert_eq!(store.count().await, 3);
    stop.send(true).expect("it runs");
    running.await.expect("no panic").expect("no error");
}

#[tokio::test]
async fn a_full_maildir_is_emptied_in_bounded_memory() {
    const MAILS: usize = 5_000;
    let ((_dir, path), store) = (maildir(), store().await);
    for number in 0..MAILS {
        fs::write(path.join(format!("new/{number}.host")), format!("Subject: {number}\n\n{}", "x".repeat(2000)))
            .expect("delivered");
    }
    let before = resident_bytes();
    let began = Instant::now();
    empty(&pile(&path, DropLayout::Maildir), &store).await.expect("emptied");
    let grown = resident_bytes().saturating_sub(before);
    println!("{MAILS} mails in {:?}, {} MB more memory", began.elapsed(), grown / 1_000_000);
    assert_eq!(store.count().await, i64::try_from(MAILS).expect("few"));
    assert_eq!(names(&path.join("new")).len(), 0);
    assert!(grown < 30_000_000, "memory grew by {grown} bytes");
}

fn resident_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/statm").expect("statm");
    let pages: usize = status.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
    pages * 4096
}
