//! How many deliveries a second each kind of channel reads, on one core: signature and parsing, and
//! beside it with `normalise` after them (own words, facts, limits), which is all that happens to a
//! delivery before the database is asked.
//!
//! `cargo bench --bench parse [-- --only KIND,…] [--seconds N]` prints a line a kind and ends with one
//! line of JSON. The corpus is the benchmarks' own; the samples under `tests/fixtures` where it has no
//! such channel; as lines of their own, mails with 64 KiB of the writer's own text, as much as is searched, of what
//! costs most (`--only long`); and the mails of `../shared/mail` where that is there.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that does not get what it needs has failed, and says so"
)]

mod corpus;
mod desk;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use corpus::{Corpus, Way};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use lanka::pure::channels::{self, Channel, Delivery, Forged, Setup};
use lanka::pure::decide::normalise::normalise;
use lanka::pure::domain::id::{MessageId, RawEventId};
use lanka::pure::domain::message::RawEvent;
use lanka::pure::domain::policy::Policy;
use lanka::pure::domain::secret::RESOLVED_KEY;
use serde_json::{Map, Value, json};
use sha2::Sha256;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Deliveries of a kind that are read over and over.
const DELIVERIES: usize = 2_000;

/// Bytes of own text that are searched.
const LONG_BYTES: usize = 64 * 1024;

/// The key of all signatures.
const KEY: &[u8] = b"secret-of-the-benchmark-32-bytes";

/// Deliveries of one kind, signed.
struct Load {
    /// What the line is called.
    name: String,
    channel: Box<dyn Channel>,
    deliveries: Vec<Signed>,
}

struct Signed {
    event: RawEvent,
    headers: Vec<(String, Vec<u8>)>,
}

fn main() {
    let (mut only, mut seconds) = (Vec::new(), 3);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--only" => only = arguments.next().unwrap_or_default().split(',').map(str::to_owned).collect(),
            "--seconds" => seconds = arguments.next().and_then(|n| n.parse().ok()).expect("--seconds takes a number"),
            // Cargo's own.
            "--bench" => {}
            other => panic!("unknown argument {other}; known are --only KIND,… and --seconds N"),
        }
    }
    let dir = desk::scratch();
    let places = desk::Places { dir: dir.path(), mirror: "https://desk.example/hook", port: 0, database: None };
    let policy = desk::load(&places.write()).policy_under("main", [7; 32]);
    let mut figures = Map::new();
    for load in loads() {
        if only.is_empty() || only.iter().any(|name| load.name.starts_with(name.as_str())) {
            figures.insert(load.name.clone(), load.measure(&policy, Duration::from_secs(seconds)));
        }
    }
    println!("{}", Value::Object(figures));
}

fn loads() -> Vec<Load> {
    let mut loads = vec![
        Load::new("asterisk", "asterisk", corpus(Way::Call)),
        Load::new("instagram", "instagram", samples("instagram")),
        Load::new("messenger", "messenger", corpus(Way::Messenger)),
        Load::new("webchat", "webchat", corpus(Way::Chat)),
        Load::new("whatsapp", "whatsapp", corpus(Way::WhatsApp)),
    ];
    let is_html = |mail: &Vec<u8>| mail.windows(9).any(|bytes| bytes.eq_ignore_ascii_case(b"text/html"));
    let (html, plain) = corpus(Way::Mail).into_iter().partition(is_html);
    loads.push(Load::new("mail, plain", "maildir", plain));
    loads.push(Load::new("mail, with HTML", "maildir", html));
    loads.extend(
        long_texts().map(|(name, text)| Load::new(&format!("long mail, {name}"), "maildir", vec![mail(&text)])),
    );
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/mail");
    let (html, plain): (Vec<_>, Vec<_>) = mails(&shared).into_iter().partition(is_html);
    match plain.is_empty() {
        true => eprintln!("real mails: not here ({})", shared.display()),
        false => {
            loads.push(Load::new("real mail, plain", "maildir", plain));
            loads.push(Load::new("real mail, with HTML", "maildir", html));
        }
    }
    loads
}

impl Load {
    fn new(name: &str, kind: &str, bodies: Vec<Vec<u8>>) -> Self {
        let secret =
            |value: String| toml::Value::from(toml::Table::from_iter([(RESOLVED_KEY.to_owned(), value.into())]));
        let text = String::from_utf8_lossy(KEY).into_owned();
        let settings: Vec<(&str, toml::Value)> = match kind {
            "asterisk" => {
                vec![("path", "/var/log/asterisk/Master.csv".into()), ("own_numbers", vec!["+358942720000"].into())]
            }
            "webchat" => vec![("secret", secret(format!("whsec_{}", STANDARD.encode(KEY))))],
            "maildir" => {
                let addresses = vec!["asiakaspalvelu@kauppa.example"];
                vec![
                    ("path", "/var/mail/desk".into()),
                    ("addresses", addresses.into()),
                    ("trusted_authserv", "mx.kauppa.example".into()),
                ]
            }
            _ => vec![("app_secret", secret(text.clone())), ("verify_token", secret(text))],
        };
        let table = settings.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let setup = Setup { name: "desk", region: "FI", time_zone: &jiff::tz::TimeZone::UTC };
        let built = (channels::kind(kind).expect("a kind").build)(&setup, table);
        let channel = built.unwrap_or_else(|unfit| panic!("{kind}: {:?}", unfit.problems)).channel;
        let deliveries = bodies.into_iter().map(|body| signed(kind, body)).collect();
        Self { name: name.to_owned(), channel, deliveries }
    }

    /// Deliveries and bytes a second, on this thread.
    fn measure(&self, policy: &Policy, time: Duration) -> Value {
        let bytes: usize = self.deliveries.iter().map(|signed| signed.event.body.len()).sum();
        let read = rate(self.deliveries.len(), time, |at| {
            black_box(self.read(&self.deliveries[at]));
        });
        let prepared = rate(self.deliveries.len(), time, |at| {
            let signed = &self.deliveries[at];
            for (item, incoming) in self.read(signed).items.into_iter().enumerate() {
                black_box(normalise(&signed.event, item as u32, incoming, MessageId(uuid::Uuid::nil()), policy));
            }
        });
        let each = bytes as f64 / self.deliveries.len() as f64;
        eprintln!(
            "{:24} {read:9.0} deliveries/s verified and parsed ({:6.1} MB/s, {each:.0} bytes each); {prepared:9.0}/s normalised too",
            self.name,
            read * each / 1e6
        );
        json!({
            "deliveries": self.deliveries.len(), "bytes_each": each.round(), "parsed_per_s": read.round(),
            "normalised_per_s": prepared.round(),
        })
    }

    fn read(&self, signed: &Signed) -> lanka::pure::domain::message::Parsed {
        let delivery = Delivery {
            headers: &signed.headers,
            url: "https://desk.example/hooks/desk",
            body: &signed.event.body,
            received_at: signed.event.received_at,
        };
        match self.channel.verify(&delivery) {
            Ok(()) | Err(Forged::NotAWebhook) => self.channel.parse(&signed.event),
            Err(forged) => panic!("{}: {forged}", self.name),
        }
    }
}

/// Calls a second, over all of `count` again and again.
fn rate(count: usize, time: Duration, mut call: impl FnMut(usize)) -> f64 {
    (0..count).for_each(&mut call);
    let (began, mut calls) = (Instant::now(), 0);
    while began.elapsed() < time {
        (0..count).for_each(&mut call);
        calls += count;
    }
    calls as f64 / began.elapsed().as_secs_f64()
}

fn signed(kind: &str, body: Vec<u8>) -> Signed {
    let received_at = Timestamp::now();
    let mac = |parts: &[&[u8]]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY).expect("a key");
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes()
    };
    let headers = match kind {
        "asterisk" | "maildir" => vec![],
        "webchat" => {
            let time = received_at.as_second().to_string();
            let signature = STANDARD.encode(mac(&[b"msg_1.", time.as_bytes(), b".", &body]));
            vec![
                ("webhook-id", "msg_1".to_owned()),
                ("webhook-timestamp", time),
                ("webhook-signature", format!("v1,{signature}")),
            ]
        }
        _ => vec![("x-hub-signature-256", format!("sha256={}", hex::encode(mac(&[&body]))))],
    };
    Signed {
        event: RawEvent {
            id: RawEventId(uuid::Uuid::nil()),
            tenant: "main".to_owned(),
            channel: "desk".to_owned(),
            kind: kind.to_owned(),
            received_at,
            trusted_at: None,
            origin: "benchmark".to_owned(),
            body: body.into(),
        },
        headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect(),
    }
}

fn corpus(way: Way) -> Vec<Vec<u8>> {
    let start = Timestamp::now().saturating_sub(SignedDuration::from_hours(48)).expect("a time");
    Corpus::new(1, start, SignedDuration::from_secs(60)).only(way).take(DELIVERIES).map(|item| item.body).collect()
}

/// Texts of 64 KiB, each of one thing that is looked for.
fn long_texts() -> impl Iterator<Item = (&'static str, String)> {
    let of = |piece: fn(usize) -> String| {
        let mut text = String::new();
        for n in 0.. {
            text += &piece(n);
            if text.len() >= LONG_BYTES {
                break;
            }
        }
        text
    };
    [
        (
            "sentences",
            of(|n| {
                format!("The lamp of room {n} went out on Monday, and nobody at the desk has answered me since then.\n")
            }),
        ),
        (
            "one line",
            of(|_| "I wrote to you about it and you said that it would be repaired soon, but it is not. ".to_owned()),
        ),
        ("short lines", of(|n| format!("line {}\n", n % 7))),
        ("numbers", of(|n| format!("{} ", 100_000 + n * 7))),
        ("order numbers", of(|n| format!("order 4{:03} {:04}\n", n % 1000, n % 9973))),
        ("telephone numbers", of(|n| format!("tel. +358 40 {:03} {:04}\n", n % 997, n % 9973))),
        ("addresses", of(|n| format!("minna.virtanen{n}@posti.example\n"))),
        ("names", of(|n| format!("Best regards,\nMinna Virtanen{}\nKahvikauppa Oy\n\n", n % 3))),
        ("introductions", of(|n| format!("Hello, my name is Minna Virtanen and this is {n}. "))),
        (
            "numbers, people",
            of(|n| format!("My husband's number is 040 {:03} {:04}, mine is not. ", n % 997, n % 9973)),
        ),
        ("quotes", of(|n| format!("On Monday Minna wrote:\n> line {n}\nand I say:\n"))),
        ("digits and dashes", of(|n| format!("{}-", n % 10))),
    ]
    .into_iter()
}

fn mail(text: &str) -> Vec<u8> {
    format!(
        "From: Minna Virtanen <minna@posti.example>\r\nTo: asiakaspalvelu@kauppa.example\r\nSubject: Long\r\n\
         Message-ID: <long@posti.example>\r\nDate: Tue, 10 Mar 2026 10:00:00 +0000\r\n\r\n{}\r\n",
        text.replace('\n', "\r\n")
    )
    .into_bytes()
}

/// The samples of a kind, as often as makes [`DELIVERIES`].
fn samples(kind: &str) -> Vec<Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/channels").join(kind);
    let samples: Vec<Vec<u8>> =
        files(&dir).filter(|path| path.extension().is_some_and(|end| end == "json")).map(content).collect();
    assert!(!samples.is_empty(), "no samples in {}", dir.display());
    samples.iter().cycle().take(DELIVERIES).cloned().collect()
}

/// The mails below a directory.
fn mails(dir: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for path in files(dir) {
        match path.is_dir() {
            true => found.extend(mails(&path)),
            false if path.extension().is_some_and(|end| end == "eml") => found.push(content(path)),
            false => {}
        }
    }
    found
}

fn files(dir: &Path) -> impl Iterator<Item = PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(dir).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    files.into_iter()
}

fn content(path: PathBuf) -> Vec<u8> {
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
