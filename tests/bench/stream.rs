//! A labelled stream of contacts, played through the real program: `lanka import --events`, configured from the
//! stream's own directory, then what `lanka export assignments` says of each event.
//!
//! **Invariant:** the right answers beside a stream are not looked at here; `score` does, afterwards.

#![allow(dead_code, reason = "a benchmark and a test take the parts they need")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use lanka::config::{Environment, Settings};
use lanka::pure::channels::{self, Channel};
use lanka::pure::domain::id::RawEventId;
use lanka::pure::domain::message::RawEvent;
use lanka::shell::Parts;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

/// The secret of everything that a vendor signs.
const VENDOR_SECRET: &str = "secret-of-the-stream";

/// The secret of lanka's own kinds.
const OWN_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The key of the desk.
const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// The channel of a stream that is what agents did, and the kind that reads it.
pub const DESK: &str = "desk";

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

/// One line of a stream.
#[derive(Debug, Clone, Deserialize)]
pub struct Event {
    pub event_id: String,
    pub channel: String,
    pub received_at: Timestamp,
    pub encoding: String,
    pub raw: String,
}

impl Event {
    fn body(&self) -> Vec<u8> {
        match self.encoding.as_str() {
            "base64" => STANDARD.decode(&self.raw).expect("base64"),
            _ => self.raw.clone().into_bytes(),
        }
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
    fn toml(&self, dir: &Path, database: &str, without: &[String]) -> String {
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
                "public_domains": self.public_mail_domains, "without": without },
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

/// The events of a directory, as they stand there.
pub fn events(dir: &Path) -> Vec<Event> {
    read(dir, "events.jsonl").lines().map(|line| serde_json::from_str(line).expect("an event")).collect()
}

fn read(dir: &Path, name: &str) -> String {
    let path = dir.join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The events in this order, no two of them at the same millisecond, so that the time of arrival tells them apart.
pub fn arrivals(events: Vec<Event>) -> Vec<(Event, Timestamp)> {
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

/// A stream that went through the program.
pub struct Played {
    /// Each event and when it arrived.
    pub stream: Vec<(Event, Timestamp)>,
    /// What was said of each, by its arrival: one payload of a stream holds one message.
    pub assigned: HashMap<Timestamp, Assignment>,
    /// Of the import.
    pub seconds: f64,
    settings: PathBuf,
}

/// Where a stream is played.
pub struct Setting<'a> {
    /// For the configuration and the files of the channels.
    pub place: &'a Path,
    /// An empty database.
    pub database: &'a str,
    /// Rules that are left out, by name.
    pub without: &'a [String],
}

/// Plays the stream of a directory.
pub fn play(dir: &Path, stream: Vec<(Event, Timestamp)>, setting: &Setting<'_>) -> Played {
    let Setting { place, database, without } = setting;
    let config: DeskConfig = serde_json::from_str(&read(dir, "config.json")).expect("config.json");
    fs::create_dir_all(place.join("mail")).expect("a Maildir");
    File::create(place.join("Master.csv")).expect("a call log");
    fs::write(place.join("desk.key"), KEY).expect("a key");
    let settings = place.join("lanka.toml");
    fs::write(&settings, config.toml(place, database, without)).expect("a configuration");
    let stream = Deliveries::of(&settings).translate(stream);
    let recorded = place.join("stream.jsonl");
    write_stream(&recorded, &stream);
    let mut played = Played { stream, assigned: HashMap::new(), seconds: 0.0, settings };
    let _done = played.lanka(&["migrate"]);
    let began = Instant::now();
    let mut arguments = vec!["import", "--events", recorded.to_str().expect("UTF-8")];
    let profiles = dir.join("messenger_profiles.json");
    if profiles.is_file() {
        arguments.extend(["--profiles", profiles.to_str().expect("UTF-8")]);
    }
    let _done = played.lanka(&arguments);
    played.seconds = began.elapsed().as_secs_f64();
    let assigned = played.lanka(&["export", "assignments"]);
    let assigned = assigned.lines().map(|line| serde_json::from_str::<Assignment>(line).expect("an assignment"));
    played.assigned = assigned.filter(|one| one.item == 0).map(|one| (one.received_at, one)).collect();
    played
}

impl Played {
    /// Runs the program under the configuration of the stream, and gives what it printed.
    pub fn lanka(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lanka"));
        command.args(arguments).arg("--config").arg(&self.settings);
        command.env("SECRET", VENDOR_SECRET).env("WHSEC", OWN_SECRET);
        let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().expect("the program");
        assert!(output.status.success(), "lanka {}: {}", arguments.join(" "), output.status);
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Customer events and what was said of them.
    pub fn customers(&self) -> impl Iterator<Item = (&Event, Option<&Assignment>)> {
        let customers = self.stream.iter().filter(|(event, _)| event.channel != DESK);
        customers.map(|(event, at)| (event, self.assigned.get(at)))
    }

    /// What was said of each customer event, and the number of those of which nothing was.
    pub fn predictions(&self) -> (Vec<Prediction>, usize) {
        let mut first: HashMap<&str, &str> = HashMap::new();
        for (event, one) in self.customers() {
            if let Some(message) = one.filter(|one| one.role == "first").and_then(|one| one.message_id.as_deref()) {
                first.insert(message, &event.event_id);
            }
        }
        let named = |messages: &[String]| -> Vec<String> {
            let events = messages.iter().filter_map(|message| first.get(message.as_str()));
            events.map(|event| (*event).to_owned()).collect()
        };
        let (mut predictions, mut unplaced) = (Vec::new(), 0);
        for (event, one) in self.customers() {
            let Some(one) = one else {
                unplaced += 1;
                continue;
            };
            // What is nobody's, or on no ticket, is with nothing else.
            let alone = |id: &Option<String>| id.clone().unwrap_or_else(|| format!("alone-{}", event.event_id));
            let repeated = one.message_id.as_deref().filter(|_| one.role == "repeat");
            predictions.push(Prediction {
                event_id: event.event_id.clone(),
                contact_id: alone(&one.contact_id),
                ticket_id: alone(&one.ticket_id),
                duplicate_of: repeated.and_then(|id| first.get(id)).map(|id| (*id).to_owned()),
                kind: kind(&one.matter_kind).to_owned(),
                priority: one.priority.clone(),
                suggest_contact: named(&one.suggested.contacts),
                suggest_ticket: named(&one.suggested.tickets),
                contact_id_at_arrival: alone(&one.at_arrival.contact_id),
                ticket_id_at_arrival: alone(&one.at_arrival.ticket_id),
            });
        }
        (predictions, unplaced)
    }
}

/// What is said of one event.
#[derive(Debug, Clone, Serialize)]
pub struct Prediction {
    pub event_id: String,
    pub contact_id: String,
    pub ticket_id: String,
    pub duplicate_of: Option<String>,
    pub kind: String,
    pub priority: Option<String>,
    pub suggest_contact: Vec<String>,
    pub suggest_ticket: Vec<String>,
    pub contact_id_at_arrival: String,
    pub ticket_id_at_arrival: String,
}

/// One word for the kinds that a message brings: what does not work comes before what is wanted, and that
/// before what is merely told.
fn kind(kinds: &[String]) -> &str {
    let brought =
        ["problem", "service", "feedback"].into_iter().find(|kind| kinds.iter().any(|brought| brought == kind));
    brought.unwrap_or("none")
}

/// Of `lanka export assignments`, what is looked at.
#[derive(Debug, Deserialize)]
pub struct Assignment {
    pub item: i32,
    pub role: String,
    pub message_id: Option<String>,
    pub contact_id: Option<String>,
    pub ticket_id: Option<String>,
    pub at_arrival: AtArrival,
    pub suggested: Suggested,
    pub received_at: Timestamp,
    pub matter_kind: Vec<String>,
    pub priority: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct AtArrival {
    pub contact_id: Option<String>,
    pub ticket_id: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Suggested {
    pub contacts: Vec<String>,
    pub tickets: Vec<String>,
}

/// The settings of a stream's configuration.
fn load(file: &Path) -> Settings {
    let environment = Environment::of([("SECRET", VENDOR_SECRET), ("WHSEC", OWN_SECRET)]);
    Settings::load(&[file.to_owned()], &environment).unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })
}

/// The channels of the configuration, to read which message an agent's act is on.
struct Deliveries {
    channels: HashMap<String, Arc<dyn Channel>>,
}

impl Deliveries {
    fn of(settings: &Path) -> Self {
        let settings = load(settings);
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
