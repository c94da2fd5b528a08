//! What every input must hold, whatever it is: no panic, no hang, nothing above its limit, and what is
//! redacted is gone while its neighbours stay.

use lanka::config::{Environment, Settings};
use lanka::pure::channels::{self, Channel, Setup};
use lanka::pure::decide::normalise::{TEXT_BYTES_MAX, normalise};
use lanka::pure::domain::Timestamp;
use lanka::pure::domain::id::{MessageId, RawEventId};
use lanka::pure::domain::message::{Incoming, RawEvent};
use lanka::pure::domain::policy::Policy;
use lanka::pure::wire::{html, tnef};
use std::sync::OnceLock;

/// Items of one input that are redacted, to see what is left.
const REDACTED_MAX: u32 = 3;

/// Text that is read from HTML at most. Bytes.
const HTML_TEXT_BYTES_MAX: usize = 64 * 1024;

fn policy() -> &'static Policy {
    static POLICY: OnceLock<Policy> = OnceLock::new();
    POLICY.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("lanka.toml");
        let text = "[identity]\nown_domains = [\"kauppa.example\"]\n[matters]\norder = { pattern = '\\b4\\d{7}\\b', role = \"secret\" }\n";
        std::fs::write(&file, text).expect("a file");
        let nothing: [(&str, &str); 0] = [];
        match Settings::load(&[file], &Environment::of(nothing)) {
            Ok(settings) => settings.policy_under("main", [7; 32]),
            Err(problems) => panic!("{problems:?}"),
        }
    })
}

fn event(kind: &str, body: &[u8]) -> RawEvent {
    RawEvent {
        id: RawEventId(uuid::Uuid::nil()),
        tenant: "main".to_owned(),
        channel: "desk".to_owned(),
        kind: kind.to_owned(),
        received_at: Timestamp::constant(1_772_697_600, 0),
        trusted_at: None,
        origin: "fuzz".to_owned(),
        body: body.to_vec().into(),
    }
}

/// A delivery of a kind, through everything that reads it before the database is asked.
pub fn delivery(kind: &str, body: &[u8]) {
    let setup = Setup { name: "desk", region: "FI", time_zone: &jiff::tz::TimeZone::UTC };
    let channel = (channels::kind(kind).expect("a kind").dry)(&setup);
    let event = event(kind, body);
    let parsed = channel.parse(&event);
    for fault in &parsed.faults {
        assert!(!fault.code.is_empty() && !fault.detail.is_empty(), "a fault without a name");
    }
    // Who redacts has a configuration: a layout is guessed only without one.
    redact_some(configured(kind).as_deref().unwrap_or(&*channel), &event);
    for (item, incoming) in parsed.items.into_iter().enumerate() {
        let message = normalise(&event, item as u32, incoming, MessageId(uuid::Uuid::nil()), policy());
        for text in [message.incoming.content.text(), &message.own_text] {
            assert!(text.len() <= TEXT_BYTES_MAX, "a text of {} bytes", text.len());
            assert!(!text.contains('\0'), "a NUL");
        }
        assert!(message.received_at >= message.trusted_at, "trusted before it came");
    }
}

/// A channel as it is configured, of a kind that guesses what its configuration would say.
fn configured(kind: &str) -> Option<Box<dyn Channel>> {
    if kind != "asterisk" {
        return None;
    }
    let setup = Setup { name: "desk", region: "FI", time_zone: &jiff::tz::TimeZone::UTC };
    let settings = toml::Table::from_iter([("path".to_owned(), "/var/log/asterisk/Master.csv".into())]);
    let built = (channels::kind(kind).expect("a kind").build)(&setup, settings);
    Some(built.unwrap_or_else(|unfit| panic!("{:?}", unfit.problems)).channel)
}

fn redact_some(channel: &dyn Channel, event: &RawEvent) {
    let items = channel.parse(event).items;
    for item in 0..REDACTED_MAX.min(items.len() as u32) {
        redacted(channel, event, &items, item);
    }
}

/// An item is taken out of its delivery, and nothing else is.
fn redacted(channel: &dyn Channel, event: &RawEvent, before: &[Incoming], item: u32) {
    let Some(redacted) = channel.redact(event, item) else { return };
    let left = channel.parse(&RawEvent { body: redacted.body.into(), ..event.clone() });
    assert_eq!(left.items.len(), before.len(), "an item came or went");
    for (at, (before, after)) in before.iter().zip(&left.items).enumerate() {
        match redacted.items.contains(&(at as u32)) {
            true => assert!(after.content.text().is_empty(), "item {at} still says something"),
            false => assert_eq!(before.content, after.content, "item {at} is another"),
        }
    }
}

/// HTML, to text and for display.
pub fn page(source: &[u8]) {
    let source = String::from_utf8_lossy(source);
    let text = html::to_text(&source, HTML_TEXT_BYTES_MAX);
    assert!(text.len() <= HTML_TEXT_BYTES_MAX, "a text of {} bytes", text.len());
    if let Some(safe) = html::sanitise(&source, &Default::default()) {
        let lower = safe.to_ascii_lowercase();
        for never in ["<script", "<iframe", "<object", "<embed", "<form", "<link", "<meta", "<base", "<svg"] {
            assert!(!lower.contains(never), "{never} is left");
        }
    }
}

/// Outlook's own format: what comes out of it is no more than went in, but for mails within mails.
pub fn packed(stream: &[u8]) {
    let contents = tnef::read(&stream.to_vec().into());
    assert!(contents.files.iter().all(|file| file.bytes.len() <= stream.len()), "a file that grew");
}
