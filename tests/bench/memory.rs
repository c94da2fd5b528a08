//! `rss_mb`: the most memory that the real daemon, `lanka run --until-idle`, ever holds over a
//! backlog of mails in a Maildir, its private Postgres not counted.

use crate::corpus::{Corpus, Way};
use crate::desk::{APP_SECRET, Places, WHSEC, scratch};
use crate::number;
use serde_json::{Map, Value, json};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Measures over `count` mails.
pub async fn measure(count: usize) -> Map<String, Value> {
    let dir = scratch();
    let (mirror, taken) = mirror().await;
    let places = Places { dir: dir.path(), mirror: &mirror, port: 0, database: None };
    let config = places.write();
    let start = jiff::Timestamp::now().saturating_sub(jiff::SignedDuration::from_hours(24 * 20)).expect("a time");
    let step = jiff::SignedDuration::from_hours(24 * 19) / i32::try_from(count).unwrap_or(i32::MAX);
    for folder in ["tmp", "new", "cur"] {
        std::fs::create_dir_all(places.maildir().join(folder)).expect("a Maildir");
    }
    std::fs::write(places.call_log(), "").expect("a call log");
    let mut bytes = 0;
    for (number, item) in Corpus::new(3, start, step).only(Way::Mail).take(count).enumerate() {
        bytes += item.body.len();
        std::fs::write(places.maildir().join("new").join(format!("{number:07}.bench")), item.body).expect("a mail");
    }
    let log = std::fs::File::create(dir.path().join("daemon.log")).expect("a log");
    let began = Instant::now();
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_lanka"))
        .args(["run", "--until-idle", "--config"])
        .arg(&config)
        .env("SECRET", APP_SECRET)
        .env("WHSEC", WHSEC)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("the daemon");
    let (mut peak_kib, mut drained_s) = (0, None);
    let status = loop {
        peak_kib = peak_kib.max(high_water_kib(daemon.id()));
        if drained_s.is_none()
            && std::fs::read_dir(places.maildir().join("new")).is_ok_and(|mut new| new.next().is_none())
        {
            drained_s = Some(began.elapsed().as_secs_f64());
        }
        if let Some(status) = daemon.try_wait().expect("its state") {
            break status;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let log = || std::fs::read_to_string(dir.path().join("daemon.log")).unwrap_or_default();
    assert!(status.success(), "the daemon ended with {status}: {}", log());
    let taken = taken.load(std::sync::atomic::Ordering::Relaxed);
    assert!(taken >= count, "the mirror heard of {taken} changes for {count} mails: {}", log());
    let mb = peak_kib as f64 / 1024.0;
    let seconds = began.elapsed().as_secs_f64();
    eprintln!("memory: {mb:.1} MB at most over {count} mails of {} MB, {seconds:.0} s", bytes / 1_000_000);
    let raw = json!({"mails": count, "mail_bytes": bytes, "stored_s": drained_s.map(number), "delivered_s": number(seconds),
        "changes": taken});
    Map::from_iter([("rss_mb".to_owned(), number(mb)), ("rss".to_owned(), raw)])
}

/// `VmHWM`, 0 once the process has ended.
fn high_water_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse().ok()).unwrap_or(0)
}

/// A mirror that takes everything.
async fn mirror() -> (String, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    let taken = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("its address"));
    let count = taken.clone();
    let app = axum::Router::new().fallback(move || async move {
        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        axum::http::StatusCode::OK
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, taken)
}
