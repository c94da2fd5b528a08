//! `cargo bench --bench omni -- DIR FILE [--shuffle HOURS] [--seed N] [--why FILE]`: the stream DIR/events.jsonl through the
//! real program, configured from DIR/config.json and DIR/messenger_profiles.json, and FILE written with what
//! it said: for each customer event whose it is and which matter it belongs to.
//!
//! `--shuffle HOURS` makes every event late by a random time of up to so many hours (0: the whole stream in
//! any order): an event only ever arrives later than it did, and its arrival is the latest so far.
//!
//! `--why FILE` writes beside it the reasons that were given for each event, a line of JSON each.
//!
//! The last line is one JSON object: `events`, `seconds` of the import, `events_per_s`, and `unplaced`, the
//! events that nothing was said of. **Invariant:** the right answers beside the stream are never looked at.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a benchmark that does not get what it needs has failed, and says so"
)]

mod corpus;
mod desk;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use corpus::Random;
use desk::{APP_SECRET, Server, WHSEC, scratch};
use jiff::{SignedDuration, Timestamp};
use lanka::pure::channels::{self, Channel};
use lanka::pure::domain::id::RawEventId;
use lanka::pure::domain::message::RawEvent;
use lanka::shell::Parts;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

/// The channel of a stream that is what agents did, and the kind that reads it.
const DESK: &str = "desk";

/// The columns of a stream's call log.
const CALL_COLUMNS: &[&str] = &[
    "accountcode",
    "src",
    "dst",
    "dcontext",
    "clid",
    "channel",
    "dstchannel",
    "lastapp",
    "lastdata",
    "start",
    "answer",
    "end",
    "duration",
    "billsec",
    "disposition",
    "amaflags",
    "uniqueid",
    "userfield",
    "peeraccount",
    "linkedid",
    "sequence",
];

/// What is to be done.
struct Plan {
    dir: PathBuf,
    file: PathBuf,
    /// Hours by which events may be late; 0 is any time.
    shuffle_h: Option<u64>,
    seed: u64,
    /// Where the reasons go.
    why: Option<PathBuf>,
}

impl Plan {
    fn of(arguments: impl Iterator<Item = String>) -> Self {
        let (mut paths, mut shuffle_h, mut seed, mut why) = (Vec::new(), None, 1, None);
        let mut arguments = arguments.skip(1);
        let absolute = |path: &str| std::path::absolute(path).expect("a path");
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} wants a value"));
            match argument.as_str() {
                "--shuffle" => shuffle_h = Some(value().parse().expect("hours")),
                "--seed" => seed = value().parse().expect("a number"),
                "--why" => why = Some(absolute(&value())),
                // Cargo's own.
                "--bench" => {}
                other if other.starts_with("--") => {
                    panic!("unknown argument {other}; known: --shuffle HOURS, --seed N, --why FILE")
                }
                path => paths.push(absolute(path)),
            }
        }
        let [dir, file] = <[PathBuf; 2]>::try_from(paths).expect("DIR and FILE are wanted");
        Self { dir, file, shuffle_h, seed, why }
    }
}

/// What the desk of a stream has set up.
#[derive(Deserialize)]
struct DeskConfig {
    desk_domain: String,
    desk_addresses: Vec<String>,
    desk_number: Option<String>,
    authserv_id: String,
    #[serde(default)]
    public_mail_domains: Vec<String>,
    default_phone_country: Option<String>,
    time_zone: Option<String>,
    dormant_days: Option<u64>,
    #[serde(default)]
    entity_patterns: BTreeMap<String, String>,
    #[serde(default)]
    entity_roles: BTreeMap<String, String>,
    /// Names of products.
    #[serde(default)]
    products: Vec<String>,
}

impl DeskConfig {
    /// The configuration of lanka that follows from it.
    fn toml(&self, dir: &Path, database: &str) -> String {
        let mut matters: serde_json::Map<String, Value> = self
            .entity_patterns
            .iter()
            .map(|(name, pattern)| {
                let role = self.entity_roles.get(name).map_or("secret", String::as_str);
                (name.clone(), json!({ "pattern": pattern, "role": role }))
            })
            .collect();
        if !self.products.is_empty() {
            let products: Vec<String> = self.products.iter().map(|product| regex::escape(product)).collect();
            let pattern = format!(r"(?i)\b(?:{})\b", products.join("|"));
            matters.insert("product".to_owned(), json!({ "pattern": pattern, "role": "topic" }));
        }
        let (vendor, own) = (json!({ "env": "SECRET" }), json!({ "env": "WHSEC" }));
        let mut channels = json!({
            "email": { "kind": "maildir", "path": dir.join("mail"), "addresses": self.desk_addresses,
                "trusted_authserv": self.authserv_id },
            "whatsapp": { "kind": "whatsapp", "app_secret": vendor, "verify_token": vendor },
            "messenger": { "kind": "messenger", "app_secret": vendor, "verify_token": vendor },
            "webchat": { "kind": "webchat", "secret": own },
            "call": { "kind": "asterisk", "path": dir.join("Master.csv"), "columns": CALL_COLUMNS, "time_zone": "UTC",
                "own_numbers": self.desk_number.iter().collect::<Vec<_>>() },
        });
        if channels::kind(DESK).is_some() {
            channels[DESK] = json!({ "kind": DESK, "secret": own });
        }
        let mut settings = json!({
            "data_dir": dir,
            "database": { "url": database },
            "security": { "keys": [{ "id": "1", "file": "desk.key" }] },
            "log": { "level": "warn" },
            "identity": { "own_domains": [self.desk_domain], "agents": [format!("*@{}", self.desk_domain)],
                "public_domains": self.public_mail_domains },
            "matters": matters,
            "channels": channels,
        });
        let defaults = [("region", &self.default_phone_country), ("time_zone", &self.time_zone)];
        for (key, value) in defaults.into_iter().filter_map(|(key, value)| Some((key, value.as_ref()?))) {
            settings["defaults"][key] = json!(value);
        }
        if let Some(days) = self.dormant_days {
            settings["windows"]["one_open"] = json!(format!("{days}d"));
        }
        toml::to_string(&settings).expect("TOML")
    }
}

/// One line of a stream.
#[derive(Debug, Clone, Deserialize)]
struct Event {
    event_id: String,
    channel: String,
    received_at: Timestamp,
    encoding: String,
    raw: String,
}

impl Event {
    fn body(&self) -> Vec<u8> {
        match self.encoding.as_str() {
            "base64" => STANDARD.decode(&self.raw).expect("base64"),
            _ => self.raw.clone().into_bytes(),
        }
    }
}

#[tokio::main]
async fn main() {
    let plan = Plan::of(std::env::args());
    let read = |name: &str| {
        let path = plan.dir.join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let config: DeskConfig = serde_json::from_str(&read("config.json")).expect("config.json");
    let lines = read("events.jsonl");
    let events: Vec<Event> = lines.lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
    drop(lines);

    let server = Server::start().await;
    server.execute("lanka", "CREATE DATABASE omni").await;
    let place = scratch();
    fs::create_dir_all(place.path().join("mail")).expect("a Maildir");
    File::create(place.path().join("Master.csv")).expect("a call log");
    let key = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    fs::write(place.path().join("desk.key"), key).expect("a key");
    let settings = place.path().join("lanka.toml");
    fs::write(&settings, config.toml(place.path(), &server.url("omni"))).expect("a configuration");

    let stream = arrivals(events, plan.shuffle_h, plan.seed);
    let stream = Deliveries::of(&settings).translate(stream);
    let recorded = place.path().join("stream.jsonl");
    write_stream(&recorded, &stream);

    let lanka = Lanka { settings: &settings };
    lanka.run(&["migrate"], Stdio::null());
    let began = Instant::now();
    let mut arguments = vec!["import", "--events", recorded.to_str().expect("UTF-8")];
    let profiles = plan.dir.join("messenger_profiles.json");
    if profiles.is_file() {
        arguments.extend(["--profiles", profiles.to_str().expect("UTF-8")]);
    }
    lanka.run(&arguments, Stdio::null());
    let seconds = began.elapsed().as_secs_f64();
    let assigned = place.path().join("assignments.jsonl");
    lanka.run(&["export", "assignments"], File::create(&assigned).expect("a file").into());
    let assigned = fs::read_to_string(&assigned).expect("assignments");
    let unplaced = predict(&stream, &assigned, &plan.file);
    if let Some(file) = &plan.why {
        let threads = place.path().join("threads.jsonl");
        lanka.run(&["export", "threads"], File::create(&threads).expect("a file").into());
        explain(&stream, &assigned, &fs::read_to_string(&threads).expect("threads"), file);
    }
    server.stop().await;
    println!(
        "{}",
        json!({ "events": stream.len(), "seconds": rounded(seconds), "events_per_s": rounded(stream.len() as f64 / seconds),
            "unplaced": unplaced })
    );
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// The stream in its order of arrival, no two events at the same millisecond, so that the time of arrival tells
/// them apart.
fn arrivals(mut events: Vec<Event>, shuffle_h: Option<u64>, seed: u64) -> Vec<(Event, Timestamp)> {
    let mut random = Random::new(seed);
    if let Some(hours) = shuffle_h {
        let longest_ms = hours * 3_600_000;
        let mut late: Vec<(u64, Event)> = events
            .into_iter()
            .map(|event| match hours {
                0 => (random.bits(), event),
                _ => (event.received_at.as_millisecond().unsigned_abs() + random.below(longest_ms), event),
            })
            .collect();
        late.sort_by_key(|(at, _)| *at);
        events = late.into_iter().map(|(_, event)| event).collect();
    }
    let mut last = Timestamp::MIN;
    let step = SignedDuration::from_millis(1);
    let mut arrived = Vec::with_capacity(events.len());
    for event in events {
        let next = last.saturating_add(step).expect("a time");
        last = event.received_at.max(next);
        arrived.push((event, last));
    }
    arrived
}

/// The channels of the configuration, to read which message an agent's act is on.
struct Deliveries {
    channels: HashMap<String, Arc<dyn Channel>>,
}

impl Deliveries {
    fn of(settings: &Path) -> Self {
        let settings = desk::load(settings);
        let keys = settings.ensure_keys().expect("keys");
        let (parts, _) = Parts::of(settings, &keys);
        Self { channels: parts.registry.channels.clone() }
    }

    /// What agents did, in lanka's own words: `on` names an event there, and channel and key of a message here.
    fn translate(&self, stream: Vec<(Event, Timestamp)>) -> Vec<(Event, Timestamp)> {
        if !self.channels.contains_key(DESK) {
            let customers = stream.into_iter().filter(|(event, _)| event.channel != DESK);
            return customers.collect();
        }
        let keys: HashMap<String, (String, String)> = stream
            .iter()
            .filter(|(event, _)| event.channel != DESK)
            .filter_map(|(event, _)| Some((event.event_id.clone(), (event.channel.clone(), self.source_key(event)?))))
            .collect();
        let translated = stream.into_iter().map(|(mut event, at)| {
            if event.channel == DESK {
                let mut act: Value = serde_json::from_str(&event.raw).expect("what an agent did");
                let on = act["on"].as_str().and_then(|on| keys.get(on));
                act["on"] = on.map_or(Value::Null, |(channel, key)| json!({ "channel": channel, "source_key": key }));
                act["event_id"] = json!(event.event_id);
                if act.get("at").is_none() {
                    act["at"] = json!(event.received_at);
                }
                event.raw = act.to_string();
            }
            (event, at)
        });
        translated.collect()
    }

    /// The vendor's id of the message in a delivery, as lanka reads it.
    fn source_key(&self, event: &Event) -> Option<String> {
        let delivery = RawEvent {
            id: RawEventId(uuid::Uuid::nil()),
            tenant: "main".to_owned(),
            channel: event.channel.clone(),
            kind: String::new(),
            received_at: event.received_at,
            trusted_at: None,
            origin: String::new(),
            body: event.body().into(),
        };
        let parsed = self.channels.get(&event.channel)?.parse(&delivery);
        Some(parsed.items.into_iter().next()?.source_key)
    }
}

/// Writes the stream as `lanka import --events` reads it.
fn write_stream(path: &Path, stream: &[(Event, Timestamp)]) {
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    for (event, at) in stream {
        let line = json!({ "channel": event.channel, "received_at": at, "encoding": event.encoding, "raw": event.raw });
        writeln!(file, "{line}").expect("written");
    }
    file.flush().expect("written");
}

/// The program under a configuration.
struct Lanka<'a> {
    settings: &'a Path,
}

impl Lanka<'_> {
    fn run(&self, arguments: &[&str], output: Stdio) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lanka"));
        command.args(arguments).arg("--config").arg(self.settings).env("SECRET", APP_SECRET).env("WHSEC", WHSEC);
        let status = command.stdin(Stdio::null()).stdout(output).status().expect("the program");
        assert!(status.success(), "lanka {}: {status}", arguments.join(" "));
    }
}

/// Of `lanka export assignments`, what is looked at.
#[derive(Debug, Deserialize)]
struct Assignment {
    item: i32,
    role: String,
    message_id: Option<String>,
    contact_id: Option<String>,
    ticket_id: Option<String>,
    at_arrival: AtArrival,
    suggested: Suggested,
    received_at: Timestamp,
    matter_kind: Vec<String>,
    priority: Option<String>,
}

#[derive(Debug, Deserialize)]
struct AtArrival {
    contact_id: Option<String>,
    ticket_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Suggested {
    contacts: Vec<String>,
    tickets: Vec<String>,
}

/// What was said of each delivery, by its arrival: one payload of a stream holds one message.
fn by_arrival(assignments: &str) -> HashMap<Timestamp, Assignment> {
    let assignments = assignments.lines().map(|line| serde_json::from_str::<Assignment>(line).expect("an assignment"));
    assignments.filter(|one| one.item == 0).map(|one| (one.received_at, one)).collect()
}

/// Writes what was said of each customer event, and gives the number of those of which nothing was.
fn predict(stream: &[(Event, Timestamp)], assignments: &str, file: &Path) -> usize {
    let by_arrival = by_arrival(assignments);
    let customers: Vec<(&Event, Option<&Assignment>)> = stream
        .iter()
        .filter(|(event, _)| event.channel != DESK)
        .map(|(event, at)| (event, by_arrival.get(at)))
        .collect();
    let mut first: HashMap<&str, &str> = HashMap::new();
    for (event, one) in &customers {
        if let Some(message) = one.filter(|one| one.role == "first").and_then(|one| one.message_id.as_deref()) {
            first.insert(message, &event.event_id);
        }
    }
    let named = |messages: &[String]| -> Vec<&str> {
        messages.iter().filter_map(|message| first.get(message.as_str()).copied()).collect()
    };
    let mut out = BufWriter::new(File::create(file).expect("a file for the predictions"));
    let mut unplaced = 0;
    for (event, one) in &customers {
        let Some(one) = one else {
            unplaced += 1;
            continue;
        };
        // What is nobody's, or on no ticket, is with nothing else.
        let alone = |id: &Option<String>| id.clone().unwrap_or_else(|| format!("alone-{}", event.event_id));
        let duplicate_of = one.message_id.as_deref().filter(|_| one.role == "repeat").and_then(|id| first.get(id));
        let line = json!({
            "event_id": event.event_id, "contact_id": alone(&one.contact_id), "ticket_id": alone(&one.ticket_id), "duplicate_of": duplicate_of,
            "kind": kind(&one.matter_kind), "priority": one.priority,
            "suggest_contact": named(&one.suggested.contacts), "suggest_ticket": named(&one.suggested.tickets),
            "contact_id_at_arrival": alone(&one.at_arrival.contact_id), "ticket_id_at_arrival": alone(&one.at_arrival.ticket_id),
        });
        writeln!(out, "{line}").expect("written");
    }
    out.flush().expect("written");
    unplaced
}

/// One word for the kinds that a message brings: what does not work comes before what is wanted, and that
/// before what is merely told.
fn kind(kinds: &[String]) -> &str {
    let brought =
        ["problem", "service", "feedback"].into_iter().find(|kind| kinds.iter().any(|brought| brought == kind));
    brought.unwrap_or("none")
}

/// Writes the reasons that were given for each event.
fn explain(stream: &[(Event, Timestamp)], assignments: &str, threads: &str, file: &Path) {
    let by_arrival = by_arrival(assignments);
    let threads: Vec<Value> = threads.lines().map(|line| serde_json::from_str(line).expect("a thread")).collect();
    let messages = threads.iter().filter_map(|thread| thread["messages"].as_array()).flatten();
    let reasons: HashMap<&str, &Value> =
        messages.filter_map(|message| Some((message["id"].as_str()?, &message["reasons"]))).collect();
    let mut out = BufWriter::new(File::create(file).expect("a file for the reasons"));
    for (event, at) in stream {
        let Some(one) = by_arrival.get(at) else { continue };
        let reasons = one.message_id.as_deref().and_then(|id| reasons.get(id));
        let line = json!({ "event_id": event.event_id, "role": one.role, "reasons": reasons });
        writeln!(out, "{line}").expect("written");
    }
    out.flush().expect("written");
}
