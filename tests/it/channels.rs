//! Every channel over its own samples, over what no vendor should send, and over real captures.
//!
//! A sample is a file under `tests/fixtures/channels/<kind>/`; beside it lies the expected result
//! (`.jsonl`, one line an item or fault) and, where the channel needs any, its settings (`.toml`).
//! `UPDATE_EXPECT=1` writes the expected results anew: read the difference before you commit it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use lanka::pure::channels::{self, Channel, Delivery, Forged, Handshake, Intake, Kind, Setup};
use lanka::pure::domain::id::RawEventId;
use lanka::pure::domain::message::{
    AttachmentSource, CallOutcome, Content, Direction, Incoming, Mark, Parsed, RawEvent, ReferenceKind, What,
};
use lanka::pure::domain::secret::RESOLVED_KEY;
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::Sha256;
use std::path::{Path, PathBuf};

/// The kinds whose samples are text in this file's form.
const SAMPLED: &[&str] = &["alertmanager", "asterisk", "desk", "instagram", "messenger", "webchat", "whatsapp"];

/// The key of Standard Webhooks' own test vector.
const CHAT_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const APP_SECRET: &str = "app_secret";
const ALERTS_TOKEN: &str = "a token of some length";

fn setup(time_zone: &jiff::tz::TimeZone) -> Setup<'_> {
    Setup { name: "desk", region: "FI", time_zone }
}

fn kind(name: &str) -> &'static Kind {
    channels::kind(name).expect("a kind of channel")
}

/// The least a configured channel of the kind has.
fn settings(kind: &str) -> toml::Table {
    let secret = |value: &str| toml::Value::from(toml::Table::from_iter([(RESOLVED_KEY.to_owned(), value.into())]));
    let pairs = match kind {
        "alertmanager" => vec![("token", secret(ALERTS_TOKEN))],
        "asterisk" => vec![("path", toml::Value::from("/var/log/asterisk/cdr-csv/Master.csv"))],
        "desk" | "webchat" => vec![("secret", secret(CHAT_SECRET))],
        _ => vec![("app_secret", secret(APP_SECRET)), ("verify_token", secret("meatyhamhock"))],
    };
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn build(name: &str, more: toml::Table) -> Box<dyn Channel> {
    let time_zone = jiff::tz::TimeZone::get("Europe/Helsinki").expect("a zone");
    let mut table = settings(name);
    table.extend(more);
    match (kind(name).build)(&setup(&time_zone), table) {
        Ok(built) => built.channel,
        Err(problems) => panic!("{name}: {problems:?}"),
    }
}

fn dry(kind: &Kind) -> Box<dyn Channel> {
    (kind.dry)(&setup(&jiff::tz::TimeZone::UTC))
}

fn event(kind: &str, body: impl Into<Vec<u8>>) -> RawEvent {
    RawEvent {
        id: RawEventId(uuid::Uuid::nil()),
        tenant: "main".to_owned(),
        channel: "desk".to_owned(),
        kind: kind.to_owned(),
        received_at: "2026-03-05T12:00:00Z".parse().expect("a time"),
        trusted_at: None,
        origin: "a test".to_owned(),
        body: body.into().into(),
    }
}

/// One line for each item and fault; keys without a value are left out.
fn lines(parsed: &Parsed) -> Vec<Value> {
    let items = parsed.items.iter().map(shown);
    let faults = parsed.faults.iter().map(|fault| json!({"what": "fault", "code": fault.code, "detail": fault.detail}));
    items.chain(faults).collect()
}

fn shown(item: &Incoming) -> Value {
    let call = match &item.content {
        Content::Call(call, _) => json!(call),
        Content::Text(_) => Value::Null,
    };
    let attachments: Vec<Value> = item
        .attachments
        .iter()
        .map(|file| {
            let AttachmentSource::Remote(remote) = &file.source else { panic!("bytes in a delivery of JSON") };
            json!({"name": file.name, "type": file.media_type, "remote": remote.at})
        })
        .collect();
    let mut line = json!({
        "what": item.what, "namespace": item.namespace, "source_key": item.source_key, "variant": item.variant,
        "direction": item.direction, "sender": item.sender, "recipient": item.recipient, "occurred_at": item.occurred_at,
        "trusted": item.occurred_trusted, "subject": item.subject, "text": item.content.text(), "call": call,
        "attachments": attachments, "references": item.references, "marks": item.marks,
        "moved_to": item.moved_to, "on": item.on, "ticket_ref": item.ticket_ref,
    });
    strip(&mut line);
    line
}

/// Takes out what has no value, at every depth.
fn strip(value: &mut Value) {
    let is_nothing = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(strip);
            fields.retain(|_, value| !is_nothing(value));
        }
        Value::Array(values) => values.iter_mut().for_each(strip),
        _ => {}
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(dir: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let ends = |path: &PathBuf| path.extension().is_some_and(|end| endings.iter().any(|wanted| end == *wanted));
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(ends).collect();
    files.sort();
    files
}

/// The samples of a kind: name, settings, bytes.
fn samples(kind: &str) -> Vec<(PathBuf, toml::Table, Vec<u8>)> {
    let read = |path: PathBuf| {
        let more = std::fs::read_to_string(path.with_extension("toml")).unwrap_or_default();
        let body = std::fs::read(&path).expect("a sample");
        (path, more.parse().expect("settings of a sample"), body)
    };
    files(&root().join("tests/fixtures/channels").join(kind), &["json", "csv"]).into_iter().map(read).collect()
}

#[test]
fn samples_are_read_as_expected() {
    let mut wrong = Vec::new();
    for kind in SAMPLED {
        let samples = samples(kind);
        assert!(samples.len() >= 3, "{kind} has too few samples");
        for (path, more, body) in samples {
            let parsed = build(kind, more).parse(&event(kind, body));
            let found: String = lines(&parsed).iter().map(|line| format!("{line}\n")).collect();
            let beside = path.with_extension("jsonl");
            if std::env::var_os("UPDATE_EXPECT").is_some() {
                std::fs::write(&beside, &found).expect("the expected result");
            }
            let expected = std::fs::read_to_string(&beside).unwrap_or_default();
            for (n, pair) in found.lines().zip(expected.lines()).enumerate().filter(|(_, (a, b))| a != b) {
                wrong.push(format!("{}:{}\n  found    {}\n  expected {}", beside.display(), n + 1, pair.0, pair.1));
            }
            if found.lines().count() != expected.lines().count() {
                let counts = (found.lines().count(), expected.lines().count());
                wrong.push(format!("{}: {} lines found, {} expected", beside.display(), counts.0, counts.1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What must hold of whatever a channel makes of whatever bytes.
fn check_sane(kind: &str, what: &str, parsed: &Parsed) {
    assert!(!parsed.items.is_empty() || !parsed.faults.is_empty(), "{kind}: nothing came of {what}");
    for fault in &parsed.faults {
        assert!(!fault.code.is_empty() && !fault.detail.is_empty(), "{kind}: a nameless fault of {what}");
    }
    for item in &parsed.items {
        assert!(!item.namespace.is_empty() && !item.source_key.is_empty(), "{kind}: an item without key of {what}");
        let texts = [item.content.text(), &item.source_key, &item.variant, item.subject.as_deref().unwrap_or("")];
        assert!(texts.iter().all(|text| !text.contains('\0')), "{kind}: a NUL in an item of {what}");
    }
}

#[test]
fn bad_bodies_are_named_faults_for_every_kind() {
    const MB: usize = 1 << 20;
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(5_000), close.repeat(5_000)).into_bytes();
    let wide = format!("[{}1]", "{},".repeat(10 * MB / 3)).into_bytes();
    let table: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", vec![]),
        ("blanks", b" \r\n\t\n".to_vec()),
        ("a NUL", vec![0]),
        ("a thousand NULs", vec![0; 1_000]),
        ("no UTF-8", b"\xff\xfe\xfd".to_vec()),
        ("no UTF-8 within JSON", b"{\"object\":\"\xff\"}".to_vec()),
        ("half an object", b"{\"object\":".to_vec()),
        ("a number", b"17".to_vec()),
        ("null", b"null".to_vec()),
        ("an empty object", b"{}".to_vec()),
        ("an empty list", b"[]".to_vec()),
        ("a form", b"event=newCall&from=492111234567&user[]=Alice".to_vec()),
        ("XML", b"<?xml version=\"1.0\"?><cdr/>".to_vec()),
        ("5,000 lists in one another", deep("[", "]")),
        ("5,000 objects in one another", deep("{\"a\":", "}")),
        ("5,000 quotes", b"\"".repeat(5_000)),
        ("10 MB of one letter", vec![b'a'; 10 * MB]),
        ("10 MB of empty objects", wide),
        ("10 MB of empty fields", b",".repeat(10 * MB)),
        ("100,000 lines of a comma", b",\n".repeat(100_000)),
    ];
    for kind in channels::KINDS {
        for (what, body) in &table {
            let parsed = dry(kind).parse(&event(kind.name, body.clone()));
            check_sane(kind.name, what, &parsed);
            if SAMPLED.contains(&kind.name) {
                assert!(parsed.items.is_empty() && !parsed.faults.is_empty(), "{}: {what} became an item", kind.name);
            }
        }
    }
}

#[test]
fn cut_samples_are_read_or_named() {
    for kind in SAMPLED {
        for (path, more, body) in samples(kind) {
            let channel = build(kind, more);
            let step = (body.len() / 97).max(1);
            for end in (0..body.len()).step_by(step) {
                let parsed = channel.parse(&event(kind, &body[..end]));
                check_sane(kind, &format!("{} cut at {end}", path.display()), &parsed);
            }
        }
    }
}

#[test]
fn the_same_delivery_again_gives_the_same_items() {
    for kind in SAMPLED {
        for (path, more, body) in samples(kind) {
            let (one, other) = (build(kind, more.clone()), build(kind, more));
            let read = |channel: &dyn Channel| lines(&channel.parse(&event(kind, body.clone())));
            assert_eq!(read(&*one), read(&*other), "{}", path.display());
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Redaction
// ---------------------------------------------------------------------------------------------

/// What a person's item says of him: words, ids of people, names.
fn says(item: &Incoming) -> Vec<String> {
    let sides = [&item.sender, &item.recipient];
    let held = sides.iter().flat_map(|side| side.identities.iter().map(|held| &held.identity).chain(&side.stated));
    let ids = held.chain(item.moved_to.iter().map(|held| &held.identity)).map(|identity| identity.value.clone());
    let names = sides.iter().filter_map(|side| side.name.clone());
    let lines = item.content.text().lines().chain(item.subject.as_deref()).map(str::to_owned);
    let files = item.attachments.iter().filter_map(|file| file.name.clone());
    let all = ids.chain(names).chain(lines).chain(files).map(|word| word.trim_start_matches('+').to_owned());
    // Captures were made anonymous: one word stands for the business and its customers there.
    let is_stand_in = |word: &str| word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    all.filter(|word| word.chars().count() >= 5 && !is_stand_in(word)).collect()
}

/// Redacts each item in turn: nothing it says is left unless another item says it too, and the
/// others are read as before.
fn check_redaction(what: &str, channel: &dyn Channel, body: &[u8]) {
    let whole = event("any", body);
    let before = channel.parse(&whole);
    assert!(channel.redact(&whole, u32::try_from(before.items.len()).expect("few")).is_none(), "{what}: no such item");
    // A delivery of thousands shows nothing more than its first ones.
    for n in 0..before.items.len().min(40) {
        let item = u32::try_from(n).expect("few");
        let redacted = channel.redact(&whole, item).unwrap_or_else(|| panic!("{what}: item {n} cannot be redacted"));
        assert!(redacted.items.contains(&item), "{what}: {n}");
        let gone = |n: usize| redacted.items.contains(&u32::try_from(n).expect("few"));
        let left = event("any", redacted.body.clone());
        let after = channel.parse(&left);
        assert_eq!(after.items.len(), before.items.len(), "{what}: positions after item {n}");
        // A fault of the item itself goes with it; none is new.
        let is_new = |fault: &&lanka::pure::domain::message::Fault| !before.faults.contains(fault);
        assert_eq!(after.faults.iter().find(is_new), None, "{what}: after item {n}");
        let mut others = Vec::new();
        for (at, (one, other)) in before.items.iter().zip(&after.items).enumerate() {
            assert_eq!(other.redacted, gone(at), "{what}: item {at} after {n}");
            if !gone(at) {
                assert_eq!(shown_any(one), shown_any(other), "{what}: item {at} after {n}");
                others.push(shown_any(one));
            }
        }
        let bytes = String::from_utf8_lossy(&redacted.body);
        for word in says(&before.items[n]).iter().filter(|word| !others.iter().any(|other| other.contains(*word))) {
            assert!(!bytes.contains(word.as_str()), "{what}: {word:?} of item {n} is left in {bytes}");
        }
        assert!(channel.redact(&left, item).is_none(), "{what}: item {n} twice");
    }
}

/// All of an item, of mail too, whose files are in the delivery; people in full, whom `Debug` masks.
fn shown_any(item: &Incoming) -> String {
    format!("{item:?} {} {} {}", json!(item.sender), json!(item.recipient), json!(item.moved_to))
}

#[test]
fn an_item_is_taken_out_and_nothing_else() {
    for kind in SAMPLED {
        for (path, more, body) in samples(kind) {
            check_redaction(&path.display().to_string(), &*build(kind, more), &body);
        }
    }
    for kind in ["imap", "lmtp", "maildir"] {
        let mail =
            b"From: Minna Virtanen <minna@posti.example>\r\nSubject: Paketti\r\n\r\nMiss\xc3\xa4 paketti on?\r\n";
        check_redaction(kind, &*dry(channels::kind(kind).expect("a kind")), mail);
    }
    let Some(dir) = captures() else { return };
    for (folder, kind_name) in CAPTURES {
        for path in files(&dir.join(folder), &["json", "csv", "txt"]) {
            let body = std::fs::read(&path).expect("a capture");
            check_redaction(&path.display().to_string(), &*dry(kind(kind_name)), &body);
        }
    }
}

/// A batch of several customers: he who is erased is gone from beside the messages too.
#[test]
fn a_batch_keeps_its_other_customers() {
    let message = |from: &str, text: &str| json!({"from": from, "id": format!("wamid.{from}"), "timestamp": "1772700000", "type": "text", "text": {"body": text}});
    let contact = |id: &str, name: &str| json!({"wa_id": id, "profile": {"name": name}});
    let (anna, pekka) = ("358401112222", "358502223333");
    let value = json!({"contacts": [contact(anna, "Anna"), contact(pekka, "Pekka")],
        "messages": [message(anna, "Hei tässä Anna"), message(pekka, "Hei tässä Pekka"), message(anna, "Anna taas")]});
    let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]});
    let channel = dry(kind("whatsapp"));
    let mut left = event("whatsapp", body.to_string());
    for (item, anna_is_left) in [(0, true), (2, false)] {
        left.body = channel.redact(&left, item).expect("redacted").body.into();
        let bytes = String::from_utf8_lossy(&left.body);
        assert_eq!(bytes.contains("Anna"), anna_is_left, "{bytes}");
        assert!(bytes.contains("tässä Pekka") && bytes.contains(pekka), "{bytes}");
    }
    let parsed = channel.parse(&left);
    assert_eq!(parsed.items.iter().map(|item| item.redacted).collect::<Vec<_>>(), [true, false, true]);
    assert!(parsed.faults.is_empty());
}

/// The body of a large but sound delivery goes through, and quickly.
#[test]
fn a_large_message_is_read() {
    let text = "ä".repeat(5 << 20);
    let message = json!({"from": "358401234567", "id": "wamid.1", "timestamp": "1772700000", "type": "text", "text": {"body": text}});
    let change = json!({"field": "messages", "value": {"messages": [message]}});
    let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]});
    let parsed = dry(kind("whatsapp")).parse(&event("whatsapp", body.to_string()));
    assert_eq!(parsed.items.iter().map(|item| item.content.text().len()).collect::<Vec<_>>(), [10 << 20]);
}

// ---------------------------------------------------------------------------------------------
// Real captures, where they are at hand
// ---------------------------------------------------------------------------------------------

/// Which kind reads which folder of captures.
const CAPTURES: &[(&str, &str)] = &[
    ("whatsapp", "whatsapp"),
    ("messenger", "messenger"),
    ("instagram", "instagram"),
    ("webchat", "webchat"),
    ("generic", "webchat"),
    ("calls", "asterisk"),
];

fn captures() -> Option<PathBuf> {
    let dir = root().join("../shared/fixtures");
    if dir.is_dir() {
        return Some(dir);
    }
    println!("not run: the captures under ../shared/fixtures are not there");
    None
}

fn capture(dir: &Path, folder: &str, kind_name: &str, file: &str) -> Parsed {
    let body = std::fs::read(dir.join(folder).join(file)).unwrap_or_else(|error| panic!("{folder}/{file}: {error}"));
    dry(kind(kind_name)).parse(&event(kind_name, body))
}

#[test]
fn every_capture_becomes_items_or_named_faults() {
    let Some(dir) = captures() else { return };
    for (folder, kind_name) in CAPTURES {
        let found = files(&dir.join(folder), &["json", "csv", "txt"]);
        assert!(!found.is_empty(), "{folder} is empty");
        for path in found {
            let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let parsed = capture(&dir, folder, kind_name, &file);
            check_sane(kind_name, &file, &parsed);
            println!("{folder}/{file}: {}", summary(&parsed));
        }
    }
}

/// Counts of what became of a delivery: `2 message, 1 status, 1 fault vendor_error`.
fn summary(parsed: &Parsed) -> String {
    let mut counts: Vec<(String, usize)> = Vec::new();
    let whats = parsed.items.iter().map(|item| {
        let direction =
            if item.direction == Direction::FromAgent && item.what == What::Message { " from an agent" } else { "" };
        let unsupported = if item.marks.contains(&Mark::Unsupported) { " unsupported" } else { "" };
        let call = match &item.content {
            Content::Call(call, _) => format!(" call {:?}", call.outcome),
            Content::Text(_) => String::new(),
        };
        format!("{}{direction}{unsupported}{call}", json!(item.what).as_str().unwrap_or_default())
    });
    for word in whats.chain(parsed.faults.iter().map(|fault| format!("fault {}", fault.code))) {
        match counts.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    counts.iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}

#[test]
fn captures_say_what_they_hold() {
    let Some(dir) = captures() else { return };
    let table = [
        ("whatsapp", "text.json", "1 message"),
        ("whatsapp", "batch_multiple_entries.json", "2 message"),
        ("whatsapp", "duplicate_message_same_delivery.json", "2 message"),
        ("whatsapp", "timestamp_not_a_number.json", "1 message"),
        ("whatsapp", "value_level_errors_only.json", "1 fault vendor_error"),
        ("whatsapp", "interactive_without_body_value_errors.json", "1 message unsupported"),
        ("whatsapp", "unsupported_131051.json", "1 message unsupported"),
        ("whatsapp", "smb_message_echo_text.json", "1 message from an agent"),
        ("whatsapp", "status_failed_130472.json", "1 status"),
        ("whatsapp", "reaction_removed_no_emoji.json", "1 reaction"),
        ("whatsapp", "edit_image_caption.json", "1 edit"),
        ("whatsapp", "system_number_change_no_contacts.json", "1 notice"),
        ("messenger", "text.json", "1 message"),
        ("messenger", "duplicate_across_entries.json", "2 message"),
        ("messenger", "echo_is_echo.json", "1 message from an agent"),
        ("messenger", "postback.json", "1 message"),
        ("messenger", "optin_user_ref_no_sender.json", "1 notice"),
        ("messenger", "timestamp_in_seconds.json", "1 notice"),
        ("messenger", "unknown_event_foo.json", "1 notice unsupported"),
        ("messenger", "delivery_without_timestamp.json", "1 status"),
        ("messenger", "read_watermark.json", "1 status"),
        (
            "calls",
            "asterisk_cdr_csv_18_columns.csv",
            "2 message from an agent call Voicemail, 1 message from an agent call Failed, 1 message from an agent call Missed, 1 message from an agent call Busy",
        ),
        ("calls", "asterisk_cel_master_local_channel.csv", "16 fault cel_line"),
    ];
    for (folder, file, expected) in table {
        let kind_name = CAPTURES.iter().find(|(known, _)| *known == folder).map_or(folder, |(_, kind)| kind);
        assert_eq!(summary(&capture(&dir, folder, kind_name, file)), expected, "{folder}/{file}");
    }
    // Other products' chats and exchanges: named, never read as ours.
    for (folder, kind_name) in
        [("webchat", "webchat"), ("generic", "webchat"), ("instagram", "messenger"), ("messenger", "instagram")]
    {
        for path in files(&dir.join(folder), &["json"]) {
            let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let parsed = capture(&dir, folder, kind_name, &file);
            assert!(parsed.items.is_empty(), "{folder}/{file} was read by {kind_name}");
        }
    }
}

#[test]
fn a_person_of_a_capture_is_known_by_both_ids() {
    let Some(dir) = captures() else { return };
    let of = |file: &str| {
        let parsed = capture(&dir, "whatsapp", "whatsapp", file);
        let identities = parsed.items[0].sender.identities.iter();
        identities.map(|known| format!("{}:{}", known.identity.scheme, known.identity.value)).collect::<Vec<_>>()
    };
    let table: [(&str, &[&str]); 4] = [
        ("bsuid_only_no_from_no_wa_id.json", &["whatsapp:US.1234"]),
        ("timestamp_not_a_number.json", &["whatsapp:bla"]),
        // The contact beside it is somebody else, by number and by id: nothing of it is taken.
        ("edit_image_caption.json", &["tel:+16505551234"]),
        ("batch_multiple_entries.json", &["whatsapp:PHONE_NUMBER"]),
    ];
    for (file, expected) in table {
        assert_eq!(of(file), expected, "{file}");
    }
}

#[test]
fn a_call_of_several_legs_has_one_key() {
    let Some(dir) = captures() else { return };
    let parsed = capture(&dir, "calls", "asterisk", "asterisk_multileg_transfer_to_voicemail.csv");
    let keys: Vec<&str> = parsed.items.iter().map(|item| item.source_key.as_str()).collect();
    assert_eq!(keys, ["Asterisk-01-1362424276.2"; 3]);
    let mut variants: Vec<&str> = parsed.items.iter().map(|item| item.variant.as_str()).collect();
    variants.dedup();
    assert_eq!(variants.len(), 3);
    let outcomes: Vec<CallOutcome> = parsed
        .items
        .iter()
        .map(|item| match &item.content {
            Content::Call(call, _) => call.outcome,
            Content::Text(_) => panic!("no call"),
        })
        .collect();
    assert_eq!(outcomes, [CallOutcome::Answered, CallOutcome::Voicemail, CallOutcome::Voicemail]);
}

/// The invented help desks: every delivery of the four channels is read whole.
#[test]
fn streams_of_deliveries_are_read_without_a_fault() {
    for (stream, number) in [("omni", "+358942720000"), ("omni-stories", "+358985550140")] {
        let path = root().join("../shared").join(stream).join("events.jsonl");
        let Ok(events) = std::fs::read_to_string(&path) else {
            println!("not run: ../shared/{stream}/events.jsonl is not there");
            continue;
        };
        let columns =
            samples("asterisk").into_iter().find(|(path, ..)| path.ends_with("legs.csv")).expect("legs.csv").1;
        let own = toml::Value::from(vec![number]);
        let calls = columns.into_iter().chain([("own_numbers".to_owned(), own)]).collect();
        let readers = [
            ("whatsapp", build("whatsapp", toml::Table::new())),
            ("messenger", build("messenger", toml::Table::new())),
            ("webchat", build("webchat", toml::Table::new())),
            ("call", build("asterisk", calls)),
        ];
        let mut counts = [0; 4];
        for line in events.lines() {
            let delivery: Value = serde_json::from_str(line).expect("a delivery");
            let channel = delivery["channel"].as_str().unwrap_or_default();
            let Some(n) = readers.iter().position(|(name, _)| *name == channel) else { continue };
            let parsed = readers[n].1.parse(&event(channel, delivery["raw"].as_str().unwrap_or_default()));
            assert!(parsed.faults.is_empty(), "{stream} {}: {:?}", delivery["event_id"], parsed.faults);
            assert_eq!(parsed.items.len(), 1, "{stream} {}", delivery["event_id"]);
            assert_eq!(parsed.items[0].direction, Direction::FromCustomer, "{stream} {}", delivery["event_id"]);
            counts[n] += 1;
        }
        println!("{stream}: {counts:?} deliveries of WhatsApp, Messenger, web chat, calls");
        assert!(counts.iter().all(|count| *count > 0), "{stream}: {counts:?}");
    }
}

// ---------------------------------------------------------------------------------------------
// Who may post
// ---------------------------------------------------------------------------------------------

const NOW_S: i64 = 1_772_712_000;

fn delivered(channel: &dyn Channel, headers: &[(&str, String)], body: &[u8]) -> Result<(), Forged> {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.to_string(), value.clone().into_bytes())).collect();
    let received_at = jiff::Timestamp::from_second(NOW_S).expect("a time");
    channel.verify(&Delivery { headers: &headers, url: "https://support.example.fi/hooks/desk", body, received_at })
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

fn by_meta(secret: &str, body: &[u8]) -> Vec<(&'static str, String)> {
    vec![("x-hub-signature-256", format!("sha256={}", hex::encode(hmac(secret.as_bytes(), &[body]))))]
}

fn by_chat(secret: &str, sent_at_s: i64, body: &[u8]) -> Vec<(&'static str, String)> {
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).expect("a key");
    let (id, time) = ("msg_1", sent_at_s.to_string());
    let signature = STANDARD.encode(hmac(&key, &[id.as_bytes(), b".", time.as_bytes(), b".", body]));
    vec![("webhook-id", id.to_owned()), ("webhook-timestamp", time), ("webhook-signature", format!("v1,{signature}"))]
}

#[test]
fn only_the_vendor_may_post() {
    let other_key = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for kind in ["instagram", "messenger", "webchat", "whatsapp"] {
        let channel = build(kind, toml::Table::new());
        let sign = |right: bool, body: &[u8]| match (kind, right) {
            ("webchat", true) => by_chat(CHAT_SECRET, NOW_S, body),
            ("webchat", false) => by_chat(other_key, NOW_S, body),
            (_, true) => by_meta(APP_SECRET, body),
            (_, false) => by_meta("another_secret", body),
        };
        for (path, _, body) in samples(kind) {
            let signed = sign(true, &body);
            let mut changed = body.clone();
            changed[body.len() / 2] ^= 1;
            let re_encoded = serde_json::from_slice::<Value>(&body).map(|value| value.to_string()).unwrap_or_default();
            let twice = [signed.clone(), signed.clone()].concat();
            let table = [
                ("genuine", &signed, body.clone(), Ok(())),
                ("another key", &sign(false, &body), body.clone(), Err(Forged::Mismatch)),
                ("a bit changed", &signed, changed, Err(Forged::Mismatch)),
                ("re-encoded", &signed, re_encoded.into_bytes(), Err(Forged::Mismatch)),
                ("no body", &signed, Vec::new(), Err(Forged::Mismatch)),
                ("no signature", &Vec::new(), body.clone(), Err(Forged::Missing)),
                ("every header twice", &twice, body.clone(), Err(Forged::Missing)),
            ];
            for (what, headers, body, expected) in table {
                assert_eq!(delivered(&*channel, headers, &body), expected, "{kind}, {}: {what}", path.display());
            }
            // A channel without settings takes nothing, however it is signed.
            assert!(
                delivered(&*dry(channels::kind(kind).expect("a kind")), &signed, &body).is_err(),
                "{kind} without secrets"
            );
        }
    }
    assert_eq!(delivered(&*build("asterisk", toml::Table::new()), &[], b""), Err(Forged::NotAWebhook));
}

#[test]
fn a_chat_delivery_replayed_later_is_refused() {
    let channel = build("webchat", toml::Table::new());
    for (sent_at_s, expected) in [
        (NOW_S, Ok(())),
        (NOW_S - 300, Ok(())),
        (NOW_S + 300, Ok(())),
        (NOW_S - 301, Err(Forged::Stale)),
        (NOW_S + 301, Err(Forged::Stale)),
        (0, Err(Forged::Stale)),
    ] {
        assert_eq!(delivered(&*channel, &by_chat(CHAT_SECRET, sent_at_s, b"{}"), b"{}"), expected, "{sent_at_s}");
    }
}

#[test]
fn a_chat_secret_can_be_changed_without_a_gap() {
    let new = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let secret = |value: &str| toml::Value::from(toml::Table::from_iter([(RESOLVED_KEY.to_owned(), value.into())]));
    let previous = toml::Value::from(vec![secret(CHAT_SECRET)]);
    let more = [("secret".to_owned(), secret(new)), ("previous_secrets".to_owned(), previous)].into_iter().collect();
    let channel = build("webchat", more);
    for key in [new, CHAT_SECRET] {
        assert_eq!(delivered(&*channel, &by_chat(key, NOW_S, b"{}"), b"{}"), Ok(()));
    }
}

#[test]
fn the_handshake_needs_the_token() {
    let query = |token: &str| {
        [("hub.mode", "subscribe"), ("hub.challenge", "1158201444"), ("hub.verify_token", token)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    for kind in ["instagram", "messenger", "whatsapp"] {
        let channel = build(kind, toml::Table::new());
        assert_eq!(channel.handshake(&query("meatyhamhock")), Handshake::Echo("1158201444".to_owned()), "{kind}");
        assert_eq!(channel.handshake(&query("another")), Handshake::Refused, "{kind}");
    }
    assert_eq!(build("webchat", toml::Table::new()).handshake(&query("meatyhamhock")), Handshake::None);
}

// ---------------------------------------------------------------------------------------------
// Settings
// ---------------------------------------------------------------------------------------------

#[test]
fn wrong_settings_are_named_all_at_once() {
    let secret = |value: &str| format!("{{ \"\\u0001secret\" = \"{value}\" }}");
    let meta = format!("app_secret = {}\nverify_token = {}\n", secret("s"), secret("t"));
    let table: Vec<(&str, String, &[&str])> = vec![
        ("whatsapp", String::new(), &["app_secret", "verify_token"]),
        ("whatsapp", format!("{meta}api_url = \"http://x.example\"\nportfolio = \" \"\nown_numbers = [\"12\"]"), &["api_url", "portfolio", "own_numbers.0"]),
        ("messenger", format!("{meta}acces_token = {}", secret("x")), &["acces_token"]),
        ("messenger", format!("app_secret = {}\nverify_token = {}", secret(""), secret("")), &["app_secret", "verify_token"]),
        ("webchat", format!("secret = {}", secret("hunter2")), &["secret"]),
        ("alertmanager", format!("token = {}", secret("hunter2")), &["token"]),
        ("alertmanager", format!("token = {}\nurgency = {{ p1 = \"urgent\" }}", secret("a token of some length")), &["urgency.p1"]),
        ("asterisk", "path = \"/x\"\ncolumns = [\"src\", \"src\"]".to_owned(), &["columns", "columns", "columns", "columns.1"]),
        ("asterisk", "path = \"/x\"\ntime_zone = \"Europe/Lanka\"\nown_numbers = [\"5600\", \"9-1\", \"call me\"]\npoll_interval_s = 0".to_owned(),
            &["time_zone", "own_numbers.1", "own_numbers.2", "poll_interval_s"]),
    ];
    for (name, text, expected) in table {
        let time_zone = jiff::tz::TimeZone::UTC;
        let problems = match (kind(name).build)(&setup(&time_zone), text.parse().expect("TOML")) {
            Ok(_) => panic!("{name} was built of {text}"),
            Err(unfit) => unfit.problems,
        };
        let keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(keys, expected, "{name}: {problems:?}");
    }
}

#[test]
fn the_log_is_followed_as_configured() {
    let time_zone = jiff::tz::TimeZone::UTC;
    let more = "path = \"/tmp/Master.csv\"\nown_numbers = [\"09 12345600\", \"5600-5699\"]\nline_bytes_max = 2048\npoll_interval_s = 7";
    let Ok(built) = (kind("asterisk").build)(&setup(&time_zone), more.parse().expect("TOML")) else {
        panic!("refused")
    };
    let Intake::Tail(tail) = built.intake else { panic!("not a file that grows") };
    assert_eq!((tail.path.as_path(), tail.line_bytes_max), (Path::new("/tmp/Master.csv"), 2048));
    assert_eq!(tail.poll_interval, std::time::Duration::from_secs(7));
    assert_eq!(built.own.numbers.iter().map(|number| number.as_str()).collect::<Vec<_>>(), ["+358912345600"]);
}

// ---------------------------------------------------------------------------------------------
// Whatever bytes
// ---------------------------------------------------------------------------------------------

/// One random change of a body.
#[derive(Debug, Clone)]
enum Change {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Remove(prop::sample::Index, usize),
    Double(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<prop::sample::Index>;
    let pieces =
        ["\"", "\\", "\\u0000", "\\ud83d", "{", "}", "[", "]", "null", "1e999", "-1", ",", "\n", "\0", "\u{feff}"];
    prop_oneof![
        (at(), 1u8..).prop_map(|(at, bits)| Change::Flip(at, bits)),
        at().prop_map(Change::Cut),
        (at(), 1usize..40).prop_map(|(at, count)| Change::Remove(at, count)),
        (at(), 1usize..200).prop_map(|(at, count)| Change::Double(at, count)),
        (at(), prop::sample::select(pieces.to_vec()))
            .prop_map(|(at, piece)| Change::Insert(at, piece.as_bytes().to_vec())),
    ]
}

fn apply(body: &mut Vec<u8>, change: Change) {
    if body.is_empty() {
        return;
    }
    let length = body.len();
    match change {
        Change::Flip(at, bits) => body[at.index(length)] ^= bits,
        Change::Cut(at) => body.truncate(at.index(length)),
        Change::Remove(at, count) => {
            let start = at.index(length);
            body.drain(start..(start + count).min(length));
        }
        Change::Double(at, count) => {
            let start = at.index(length);
            let piece = body[start..(start + count).min(length)].to_vec();
            body.splice(start..start, piece);
        }
        Change::Insert(at, piece) => {
            let start = at.index(length);
            body.splice(start..start, piece);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mangled_samples_never_panic(which in any::<prop::sample::Index>(), changes in prop::collection::vec(change(), 1..6)) {
        static SAMPLES: std::sync::LazyLock<Vec<(&str, toml::Table, Vec<u8>)>> = std::sync::LazyLock::new(|| {
            SAMPLED.iter().flat_map(|kind| samples(kind).into_iter().map(|(_, more, body)| (*kind, more, body))).collect()
        });
        let (kind, more, body) = which.get(&SAMPLES);
        let mut body = body.clone();
        changes.into_iter().for_each(|change| apply(&mut body, change));
        let parsed = build(kind, more.clone()).parse(&event(kind, body));
        check_sane(kind, "a mangled sample", &parsed);
    }
}

/// A bad record, a bad message: what stands beside it is read as if it were alone.
#[test]
fn one_bad_element_costs_no_other() {
    let last = |kind: &str, file: &str| {
        let (_, more, body) = samples(kind).into_iter().find(|(path, ..)| path.ends_with(file)).expect("a sample");
        let parsed = build(kind, more).parse(&event(kind, body));
        parsed.items.iter().filter(|item| item.content.text() == "the last is as good as the first").count()
    };
    for (kind, file) in [("whatsapp", "odd.json"), ("messenger", "odd.json"), ("webchat", "odd.json")] {
        assert_eq!(last(kind, file), 1, "{kind}/{file}");
    }
    let replies = samples("whatsapp")
        .into_iter()
        .filter(|(path, ..)| path.ends_with("messages.json"))
        .flat_map(|(_, more, body)| build("whatsapp", more).parse(&event("whatsapp", body)).items);
    assert_eq!(replies.filter(|item| item.references.iter().any(|r| r.kind == ReferenceKind::Reply)).count(), 1);
}
