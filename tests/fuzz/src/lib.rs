//! What every input must hold, whatever it is: no panic, no hang, nothing above its limit, and what is
//! redacted is gone while its neighbours stay.

use lanka::config::{Environment, Settings};
use lanka::pure::channels::{self, Channel, Delivery, MediaReply, Setup};
use lanka::pure::decide::normalise::{TEXT_BYTES_MAX, normalise};
use lanka::pure::domain::Timestamp;
use lanka::pure::domain::id::{MessageId, RawEventId};
use lanka::pure::domain::message::{Incoming, RawEvent};
use lanka::pure::domain::policy::Policy;
use lanka::pure::domain::secret::RESOLVED_KEY;
use lanka::pure::wire::{self, html, lmtp, rtf, tnef};
use lanka::shell::imap::read_response;
use mail_auth::common::parse::TxtRecordParser;
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
    let channel = (channels::kind(kind).expect("a kind").dry)(&SETUP);
    let event = event(kind, body);
    read(&*channel, &event);
    let configured = configured(kind);
    if let Some(configured) = &configured {
        read(&**configured, &event);
        let _ = configured.sender_question(&event);
    }
    // Who redacts has a configuration: a layout is guessed only without one.
    redact_some(configured.as_deref().unwrap_or(&*channel), &event);
}

/// What a channel of the desk's own settings is told of the rest.
const SETUP: Setup<'static> = Setup { name: "desk", region: "FI", time_zone: &jiff::tz::TimeZone::UTC };

fn read(channel: &dyn Channel, event: &RawEvent) {
    let parsed = channel.parse(event);
    for fault in &parsed.faults {
        assert!(!fault.code.is_empty() && !fault.detail.is_empty(), "a fault without a name");
    }
    for (item, incoming) in parsed.items.into_iter().enumerate() {
        let message = normalise(event, item as u32, incoming, MessageId(uuid::Uuid::nil()), policy());
        for text in [message.incoming.content.text(), &message.own_text] {
            assert!(text.len() <= TEXT_BYTES_MAX, "a text of {} bytes", text.len());
            assert!(!text.contains('\0'), "a NUL");
        }
        assert!(message.received_at >= message.trusted_at, "trusted before it came");
    }
}

/// A channel as it is configured, of a kind that reads otherwise without.
fn configured(kind: &str) -> Option<Box<dyn Channel>> {
    match kind {
        "asterisk" => Some(build("asterisk", &[("path", "/var/log/asterisk/Master.csv".into())])),
        // As `imap` reads mail; it needs no password.
        "imap" => Some(build(
            "maildir",
            &[
                ("path", "/var/mail/desk".into()),
                ("addresses", vec!["desk@kauppa.example"].into()),
                ("trusted_authserv", "mx.kauppa.example".into()),
            ],
        )),
        _ => None,
    }
}

fn build(kind: &str, settings: &[(&str, toml::Value)]) -> Box<dyn Channel> {
    let settings = toml::Table::from_iter(settings.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
    let built = (channels::kind(kind).expect("a kind").build)(&SETUP, settings);
    built.unwrap_or_else(|unfit| panic!("{:?}", unfit.problems)).channel
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

/// Outlook's own format: what comes out of it is no more than went in, but for mails within mails and compressed
/// text; the same bytes as compressed text.
pub fn packed(stream: &[u8]) {
    let contents = tnef::read(&stream.to_vec().into());
    assert!(contents.files.iter().all(|file| file.bytes.len() <= stream.len()), "a file that grew");
    for kind in [&b"LZFu"[..], b"MELA"] {
        let packed = [&[0; 8][..], kind, &[0; 4], stream].concat();
        let text = rtf::packed_text(&packed, HTML_TEXT_BYTES_MAX);
        assert!(text.len() <= 4 * HTML_TEXT_BYTES_MAX && !text.contains('\0'), "a text of {} bytes", text.len());
    }
}

/// What a mail server says to hand mails over (LMTP): its words, and where a mail ends, however it comes in pieces.
pub fn handed(stream: &[u8]) {
    for line in stream.split(|byte| *byte == b'\n') {
        let _ = lmtp::Command::parse(line.strip_suffix(b"\r").unwrap_or(line));
    }
    let whole = unstuffed(stream, stream.len().max(1));
    assert!(whole.0.len() <= stream.len(), "a mail that grew");
    for bytes in [1, 2, 7] {
        assert_eq!(unstuffed(stream, bytes), whole, "in pieces of {bytes}");
    }
}

/// The mail that comes in pieces, and where it ends.
fn unstuffed(stream: &[u8], piece_bytes: usize) -> (Vec<u8>, Option<usize>) {
    let (mut unstuffer, mut content, mut read) = (lmtp::Unstuffer::default(), Vec::new(), 0);
    for piece in stream.chunks(piece_bytes) {
        if let Some(used) = unstuffer.take(piece, &mut content) {
            return (content, Some(read + used));
        }
        read += piece.len();
    }
    (content, None)
}

/// What a server answers to IMAP. The parser's panics are lanka's to catch: one that it does not ends it here too.
pub fn response(bytes: &[u8]) {
    static QUIET: std::sync::Once = std::sync::Once::new();
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    let _ = read_response(bytes);
}

/// What is looked at of a mail to check its sender, and what name servers answer.
pub fn sender(bytes: &[u8]) {
    let event = event("imap", bytes);
    let question = configured("imap").and_then(|channel| channel.sender_question(&event));
    if question.is_some_and(|question| !question.is_refused) {
        let _ = mail_auth::AuthenticatedMessage::parse(bytes);
    }
    let _ = mail_auth::common::verify::DomainKey::parse(bytes);
    let _ = mail_auth::dmarc::Dmarc::parse(bytes);
    let _ = mail_auth::spf::Spf::parse(bytes);
    let _ = wire::sender::was_authentic(bytes, "posti.example");
}

/// What vendors answer: a status in the first two bytes, and a body. And a delivery with that body, which nobody
/// signed.
pub fn answer(bytes: &[u8]) {
    let Some((status, body)) = bytes.split_first_chunk() else { return };
    let status = u16::from_le_bytes(*status) % 600;
    let secret = |text: &str| toml::Value::from(toml::Table::from_iter([(RESOLVED_KEY.to_owned(), text.into())]));
    for kind in ["whatsapp", "messenger", "instagram"] {
        let keys = ["app_secret", "verify_token", "access_token"].map(|key| (key, secret("0123456789abcdef")));
        let channel = build(kind, &keys);
        let _ = channel.profile(status, body);
        let _ = channel.media("1234", &[MediaReply { status, body: body.to_vec() }]);
        let headers = [("x-hub-signature-256".to_owned(), body.to_vec())];
        let delivery = Delivery { headers: &headers, url: "", body, received_at: Timestamp::UNIX_EPOCH };
        assert!(channel.verify(&delivery).is_err(), "nobody signed it");
    }
    let _ = wire::oauth::read(status, &String::from_utf8_lossy(body));
}
