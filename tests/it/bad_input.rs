//! Bad input, through the daemon: each row of the tables is sent by its channel, gets its answer, its
//! mark or its fault, and the next good message by the same channel arrives on the good customer's
//! ticket. Then everything is read again without the daemon, with a clock at hand.
//!
//! One daemon takes all rows: HTTP by a socket of our own (so that a head may lie about its body),
//! mail by a Maildir, calls by a log that grows.

use crate::desk::{call, messenger};
use crate::endpoint::{Endpoint, SECRET};
use crate::normalise::policy;
use crate::support::{TestDb, database, eventually, scratch};
use base64::Engine as _;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use lanka::pure::channels::{self, Setup};
use lanka::pure::decide::normalise::normalise;
use lanka::pure::domain::id::IdMint;
use lanka::pure::domain::message::RawEvent;
use lanka::pure::domain::secret::Secret;
use lanka::pure::wire::mime;
use lanka::pure::wire::standard_webhooks::{SigningKey, sign};
use serde_json::{Value, json};
use sqlx::Row as _;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const APP_SECRET: &str = "secret-of-the-test";

/// Stands in every text that is sent, so that it can be looked for in the log.
const SAID: &str = "kahvinkeitin";

/// Time that reading one delivery may take in a program that is not optimised, on a busy machine. An
/// optimised one needs a tenth of it. What goes quadratic takes minutes.
const READ_TIME_MAX: Duration = Duration::from_secs(2);

/// Memory of the daemon over all rows, of which the largest has 3 MB. Bytes.
const MEMORY_BYTES_MAX: u64 = 512 * 1024 * 1024;

const MEGABYTE: usize = 1_000_000;

/// What is sent, and what becomes of it.
struct Row {
    what: &'static str,
    sent: Sent,
    /// The status of the answer; empty where there is none: the connection ends, or it is no webhook.
    answer: &'static str,
    /// `message`, its marks, `; ` and the faults; empty when nothing is stored.
    ends: &'static str,
    /// Stands in the text or subject of the message.
    says: &'static str,
}

#[derive(Clone)]
enum Sent {
    /// A genuine delivery to a channel.
    Hook(&'static str, Vec<u8>),
    /// A request to a channel as it is, and how it goes on.
    Wire(&'static str, Vec<u8>, Then),
    /// A mail.
    Mail(Vec<u8>),
    /// A mail that is decided before the next is sent: one whose sender has to be asked about is overtaken by
    /// one that our own server vouched for.
    MailFirst(Vec<u8>),
    /// A file of so many bytes in the mailbox.
    MailOf(u64),
    /// What is appended to the call log, and is a line with what follows in the next row.
    Lines(Vec<u8>),
    /// A part of a line, appended and left standing for a while.
    HalfLine(Vec<u8>),
}

#[derive(Clone, Copy)]
enum Then {
    /// The answer is waited for.
    Wait,
    /// The writing side is closed.
    HangUp,
    /// A byte comes now and then.
    Drip,
    /// So many megabytes follow, in chunks if the second says so.
    Flood(usize, bool),
}

impl Sent {
    fn channel(&self) -> &'static str {
        match self {
            Self::Hook(channel, _) | Self::Wire(channel, ..) => channel,
            Self::Mail(_) | Self::MailFirst(_) | Self::MailOf(_) => "mail",
            Self::Lines(_) | Self::HalfLine(_) => "phone",
        }
    }
}

fn hook(
    what: &'static str,
    channel: &'static str,
    body: impl Into<Vec<u8>>,
    ends: &'static str,
    says: &'static str,
) -> Row {
    Row { what, sent: Sent::Hook(channel, body.into()), answer: "200", ends, says }
}

fn refused(
    what: &'static str,
    channel: &'static str,
    request: impl Into<Vec<u8>>,
    then: Then,
    answer: &'static str,
) -> Row {
    Row { what, sent: Sent::Wire(channel, request.into(), then), answer, ends: "", says: "" }
}

fn post(what: &'static str, mail: impl Into<Vec<u8>>, ends: &'static str, says: &'static str) -> Row {
    Row { what, sent: Sent::Mail(mail.into()), answer: "", ends, says }
}

fn logged(what: &'static str, lines: impl Into<Vec<u8>>, ends: &'static str) -> Row {
    Row { what, sent: Sent::Lines(lines.into()), answer: "", ends, says: "" }
}

fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

// Webhooks

/// An event of the web chat, with some fields put in the place of the usual ones.
fn chat(key: &str, fields: Value) -> Vec<u8> {
    let mut event = json!({"event_id": key, "type": "message", "conversation_id": key, "visitor": {"id": format!("v-{key}")},
        "text": SAID, "sent_at": now()});
    for (name, value) in fields.as_object().expect("fields") {
        event[name] = value.clone();
    }
    event.to_string().into_bytes()
}

/// The same, with a value that no JSON library would write.
fn chat_raw(key: &str, name: &str, raw: &str) -> Vec<u8> {
    let event = String::from_utf8(chat(key, json!({name: "RAW"}))).expect("UTF-8");
    event.replace("\"RAW\"", raw).into_bytes()
}

fn whatsapp(key: &str, from: &str, fields: Value) -> Vec<u8> {
    let mut message = json!({"from": from, "id": key, "timestamp": Timestamp::now().as_second().to_string(), "type": "text",
        "text": {"body": SAID}});
    for (name, value) in fields.as_object().expect("fields") {
        message[name] = value.clone();
    }
    json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": {
        "messaging_product": "whatsapp", "metadata": {"phone_number_id": "2"},
        "contacts": [{"wa_id": from, "profile": {"name": "Olli"}}], "messages": [message]}}]}]})
    .to_string()
    .into_bytes()
}

fn standard_signature(secret: &str, id: &str, at_s: i64, body: &[u8]) -> String {
    let key = SigningKey::parse(&Secret::new(secret)).expect("a key");
    let signature = sign(&key, id, at_s, body);
    format!("webhook-id: {id}\r\nwebhook-timestamp: {at_s}\r\nwebhook-signature: {signature}\r\n")
}

fn hub_signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(body);
    format!("x-hub-signature-256: sha256={}\r\n", hex::encode(mac.finalize().into_bytes()))
}

/// The headers of a genuine delivery.
fn signature(channel: &str, body: &[u8]) -> String {
    match channel {
        "chat" => standard_signature(SECRET, "msg_1", Timestamp::now().as_second(), body),
        _ => hub_signature(APP_SECRET, body),
    }
}

fn head(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: x\r\n{headers}\r\n")
}

fn request(channel: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let headers = format!("{headers}content-length: {}\r\n", body.len());
    [head("POST", &format!("/hooks/{channel}"), &headers).into_bytes(), body.to_vec()].concat()
}

#[rustfmt::skip] // A row is a line.
fn forged_rows() -> Vec<Row> {
    use Then::Wait;
    let (body, at_s) = (chat("forged", json!({})), Timestamp::now().as_second());
    let other = chat("forgec", json!({}));
    let good = standard_signature(SECRET, "msg_1", at_s, &body);
    let lines: Vec<String> = good.split_inclusive("\r\n").map(str::to_owned).collect();
    let old = standard_signature(SECRET, "msg_1", at_s - 301, &body);
    let early = standard_signature(SECRET, "msg_1", at_s + 330, &body);
    let strange = standard_signature("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "msg_1", at_s, &body);
    let older: Vec<String> = old.split_inclusive("\r\n").map(str::to_owned).collect();
    let chat_row = |what, headers: String, sent: &[u8]| refused(what, "chat", request("chat", &headers, sent), Wait, "401");
    let event = messenger("m_forged", "PSID-forged", &now(), SAID).into_bytes();
    let hub = hub_signature(APP_SECRET, &event);
    let hub_row = |what, channel, headers: String, sent: &[u8]| refused(what, channel, request(channel, &headers, sent), Wait, "401");
    let mut changed = event.clone();
    changed.push(b' ');
    vec![
        chat_row("no signature at all", String::new(), &body),
        chat_row("signed with another key", strange, &body),
        chat_row("one byte changed", good.clone(), &other),
        chat_row("one byte added", good.clone(), &[body.clone(), b" ".to_vec()].concat()),
        chat_row("another id than was signed", good.replace("msg_1", "msg_2"), &body),
        chat_row("no id", lines[1..].concat(), &body),
        chat_row("no time", [lines[0].clone(), lines[2].clone()].concat(), &body),
        chat_row("no signature", lines[..2].concat(), &body),
        chat_row("two signatures", [good.clone(), lines[2].clone()].concat(), &body),
        chat_row("two times, the signed one last", [lines[0].clone(), older[1].clone(), lines[1].clone(), lines[2].clone()].concat(), &body),
        chat_row("a replay after five minutes", old.clone(), &body),
        chat_row("the time of a replay made new", [older[0].clone(), lines[1].clone(), older[2].clone()].concat(), &body),
        chat_row("from the future", early, &body),
        chat_row("a time that is no number", good.replace(&at_s.to_string(), "now"), &body),
        chat_row("a time of a hundred digits", good.replace(&at_s.to_string(), &"9".repeat(100)), &body),
        chat_row("a signature of nothing", "webhook-id: msg_1\r\nwebhook-timestamp: 1\r\nwebhook-signature: v1,\r\n".to_owned(), &body),
        chat_row("ten thousand signatures", format!("{}webhook-signature:{}\r\n", lines[..2].concat(), " v1,AAAA".repeat(3_000)), &body),
        hub_row("Meta: no signature", "facebook", String::new(), &event),
        hub_row("Meta: another key", "facebook", hub_signature("secret-of-another", &event), &event),
        hub_row("Meta: one byte changed", "facebook", hub.clone(), &changed),
        hub_row("Meta: the header twice", "facebook", format!("{hub}{hub}"), &event),
        hub_row("Meta: the header twice, one of it false", "facebook", format!("{hub}x-hub-signature-256: sha256=00\r\n"), &event),
        hub_row("Meta: half of the signature", "facebook", format!("{}\r\n", &hub[..hub.len() - 34]), &event),
        hub_row("Meta: no hex", "facebook", "x-hub-signature-256: sha256=zz\r\n".to_owned(), &event),
        hub_row("Meta: SHA-1 only", "facebook", "x-hub-signature: sha1=da39a3ee5e6b4b0d3255bfef95601890afd80709\r\n".to_owned(), &event),
        hub_row("Meta: by the other's way", "facebook", good.clone(), &body),
        hub_row("WhatsApp: another key", "whatsapp", hub_signature("", &event), &event),
    ]
}

#[rustfmt::skip] // A row is a line.
fn request_rows() -> Vec<Row> {
    use Then::{Drip, Flood, HangUp, Wait};
    let body = chat("wire", json!({}));
    let genuine = |line: &str| head("POST", "/hooks/chat", &format!("{}{line}\r\n", signature("chat", &body)));
    let plain = |method: &str, path: &str| head(method, path, "connection: close\r\n");
    let half = |line: &str| [genuine(line).into_bytes(), body[..20].to_vec()].concat();
    let mut rows = vec![
        refused("no such channel", "chat", request("nobody", &signature("chat", &body), &body), Wait, "404"),
        refused("a channel of another way", "chat", request("mail", &signature("chat", &body), &body), Wait, "404"),
        refused("a channel with NUL", "chat", plain("POST", "/hooks/%00"), Wait, "404"),
        refused("a channel that is no UTF-8", "chat", plain("POST", "/hooks/%ff"), Wait, "400"),
        refused("out of the directory", "chat", plain("POST", "/hooks/..%2f..%2fetc%2fpasswd"), Wait, "404"),
        refused("a path of 1 MB", "chat", plain("POST", &format!("/hooks/{}", "x".repeat(MEGABYTE))), Wait, "431"),
        refused("a handshake with another token", "facebook", plain("GET", "/hooks/facebook?hub.mode=subscribe&hub.challenge=1&hub.verify_token=x"), Wait, "403"),
        refused("a handshake with the token twice", "facebook", plain("GET", &format!("/hooks/facebook?hub.mode=subscribe&hub.challenge=1&hub.verify_token={APP_SECRET}&hub.verify_token=x")), Wait, "403"),
        refused("a challenge with markup", "facebook", plain("GET", &format!("/hooks/facebook?hub.mode=subscribe&hub.challenge=%3Cscript%3E&hub.verify_token={APP_SECRET}")), Wait, "403"),
        refused("100 MB announced", "chat", genuine("content-length: 100000000"), Wait, "413"),
        refused("100 MB announced and sent", "chat", genuine("content-length: 100000000"), Flood(100, false), "413"),
        refused("100 MB in chunks", "chat", genuine("transfer-encoding: chunked"), Flood(100, true), "413"),
        refused("more bytes than a number holds", "chat", genuine("content-length: 99999999999999999999"), Wait, "400"),
        refused("fewer bytes than none", "chat", genuine("content-length: -1"), Wait, "400"),
        refused("two lengths", "chat", genuine("content-length: 5\r\ncontent-length: 6"), Wait, "400"),
        refused("a chunk of nonsense", "chat", [genuine("transfer-encoding: chunked").into_bytes(), b"zz\r\n".to_vec()].concat(), Wait, "400"),
        refused("a chunk of 2^64 bytes", "chat", [genuine("transfer-encoding: chunked").into_bytes(), b"ffffffffffffffffff\r\n".to_vec()].concat(), Wait, "400"),
        refused("half a body and the end", "chat", half(&format!("content-length: {}", body.len())), HangUp, "400"),
        refused("half a body and no more", "chat", half(&format!("content-length: {}", body.len())), Wait, "408"),
        refused("a byte now and then", "chat", half("content-length: 1000"), Drip, "408"),
        refused("no chunk follows", "chat", genuine("transfer-encoding: chunked"), Wait, "408"),
        refused("a header of 1 MB", "chat", head("POST", "/hooks/chat", &format!("x-large: {}\r\n", "x".repeat(MEGABYTE))), Wait, "431"),
        refused("5,000 headers", "chat", head("POST", "/hooks/chat", &"x: y\r\n".repeat(5_000)), Wait, "431"),
        refused("NUL in a header", "chat", head("POST", "/hooks/chat", "x: a\0b\r\n"), Wait, "400"),
        refused("a folded header", "chat", head("POST", "/hooks/chat", "x: a\r\n b: c\r\n"), Wait, "400"),
        refused("no HTTP", "chat", b"\x16\x03\x01\x02\x00\x01\x00 this is TLS".to_vec(), Wait, "400"),
        refused("HTTP/2", "chat", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), Wait, ""),
    ];
    for (what, method) in [("PUT", "PUT"), ("DELETE", "DELETE"), ("OPTIONS", "OPTIONS"), ("GET", "GET"), ("HEAD", "HEAD"), ("PATCH", "PATCH"), ("TRACE", "TRACE"), ("a method nobody knows", "BREW")] {
        rows.push(refused(what, "chat", plain(method, "/hooks/chat"), Wait, "405"));
    }
    rows
}

fn numbers(count: usize) -> String {
    (0..count).map(|n| format!("{SAID} {} ", 40_000_000 + n)).collect()
}

#[rustfmt::skip] // A row is a line.
fn chat_rows() -> Vec<Row> {
    let row = |what, body: Vec<u8>, ends, says| hook(what, "chat", body, ends, says);
    let whole = chat("cut", json!({}));
    let utf16: Vec<u8> = String::from_utf8_lossy(&whole).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
    let batch: Vec<Value> = (0..300).map(|n| json!({"event_id": format!("b-{n}"), "type": "message", "visitor": {"id": "v-b"}, "text": SAID, "sent_at": now()})).collect();
    vec![
        row("cut in half", whole[..whole.len() / 2].to_vec(), "; not_json", ""),
        row("empty", Vec::new(), "; not_json", ""),
        row("nothing but NUL", vec![0; 1_000], "; not_json", ""),
        row("not UTF-8", chat("u8", json!({})).into_iter().map(|b| if b == b'k' { 0xff } else { b }).collect(), "; not_json", ""),
        row("UTF-16", utf16, "; not_json", ""),
        row("gzip", [b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec(), vec![0xaa; 500]].concat(), "; not_json", ""),
        row("null", b"null".to_vec(), "; not_a_chat_event", ""),
        row("an empty list", b"[]".to_vec(), "; empty_delivery", ""),
        row("an empty object", b"{}".to_vec(), "; not_a_chat_event", ""),
        row("a form", b"event_id=1&type=message".to_vec(), "; not_json", ""),
        row("100,000 lists within each other", format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)).into(), "; not_json", ""),
        row("3 MB of [", vec![b'['; 3 * MEGABYTE], "; not_json", ""),
        row("3 MB of {\"a\":", "{\"a\":".repeat(600_000).into(), "; not_json", ""),
        row("3 MB of \\ud800", format!("{{\"a\":\"{}", "\\ud800".repeat(500_000)).into(), "; not_json", ""),
        row("a hundred objects within each other, in a field of no meaning", chat_raw("deep", "extra", &deep), "message", SAID),
        row("a million numbers for events", format!("[{}1]", "1,".repeat(1_000_000)).into(), "; not_a_chat_event too_many_faults", ""),
        row("300 events and one that is none", { let mut batch = batch; batch.push(json!(7)); json!(batch).to_string().into() }, "300 messages; not_a_chat_event", SAID),
        row("a number beyond all numbers", chat_raw("big", "sent_at", "1e999"), "; not_json", ""),
        row("a number of 100,000 digits", chat_raw("digits", "sent_at", &"9".repeat(100_000)), "; not_json", ""),
        row("a time beyond all calendars", chat_raw("late", "sent_at", "1e300"), "message date_doubtful", SAID),
        row("a time of 1970", chat("y1970", json!({"sent_at": "1970-01-01T00:00:00Z"})), "message date_doubtful", SAID),
        row("a time of 0", chat("y0", json!({"sent_at": 0})), "message date_doubtful", SAID),
        row("a time of 2099", chat("y2099", json!({"sent_at": "2099-12-31T00:00:00Z"})), "message date_doubtful", SAID),
        row("a time that is none", chat("ynone", json!({"sent_at": "yesterday"})), "message date_doubtful", SAID),
        row("every key twice", chat_raw("twice", "text", "\"first\",\"event_id\":\"twice\",\"text\":\"kahvinkeitin second\""), "message", "second"),
        row("half of an emoji", chat_raw("half", "text", "\"kahvinkeitin \\ud83d\""), "message", "kahvinkeitin \u{fffd}"),
        row("half of an emoji for a key", chat_raw("halfkey", "text", "\"kahvinkeitin\",\"\\udc00\":1"), "message", SAID),
        row("NUL in every text", chat("n\0ul", json!({"conversation_id": "c\0", "visitor": {"id": "v\0-nul", "name": "Min\0na", "email": "min\0na@posti.example"}, "text": "kahvin\0keitin", "page_url": "\0"})), "message", SAID),
        row("control characters in every text", chat("co\u{1b}n", json!({"visitor": {"id": "v-\u{7f}con\n", "name": "\u{1b}[31mMinna\r\nBcc: x"}, "text": "kahvinkeitin\u{1b}]0;x\u{7}"})), "; no_sender", ""),
        row("a name that turns the line around", chat("bidi", json!({"visitor": {"id": "v-bidi", "name": "Minna \u{202e}gnp.exe\u{2066}"}, "text": "kahvinkeitin \u{202e}x"})), "message", SAID),
        row("fields of another type", chat("types", json!({"visitor": {"id": 5, "name": [], "email": {}, "phone": true}, "text": {"a": 1}, "sent_at": []})), "message date_doubtful unsupported", "[unsupported: message]"),
        row("a type of 1 MB", chat("type", json!({"type": "x".repeat(MEGABYTE)})), "message unsupported", "[unsupported: xxx"),
        row("nobody", chat("nobody", json!({"visitor": null})), "; no_sender", ""),
        row("an id of 1 MB", chat(&"i".repeat(MEGABYTE), json!({"visitor": {"id": "v-long"}})), "message", SAID),
        row("a visitor with an id of 1 MB", chat("vlong", json!({"visitor": {"id": "i".repeat(MEGABYTE), "name": "n".repeat(MEGABYTE)}})), "; no_sender", ""),
        row("ten thousand numbers", chat("numbers", json!({"text": numbers(10_000)})), "message", SAID),
        row("2.9 MB of text", chat("text", json!({"text": format!("{SAID} ").repeat(220_000)})), "message truncated", SAID),
        row("2 MB without a blank", chat("word", json!({"text": "a".repeat(2 * MEGABYTE)})), "message truncated", "aaa"),
        row("2 MB of @", chat("ats", json!({"text": "a@".repeat(MEGABYTE)})), "message truncated", "a@a@"),
        row("2 MB of digits", chat("dig", json!({"text": "0401234567 ".repeat(MEGABYTE / 6)})), "message truncated", "0401234567"),
        row("a telephone number of 10,000 digits", chat("tel", json!({"visitor": {"id": "v-tel", "phone": "+3584".to_owned() + &"0".repeat(10_000)}, "text": "kahvinkeitin +3584".to_owned() + &"0".repeat(10_000)})), "message", SAID),
        row("emergency numbers", chat("sos", json!({"visitor": {"id": "v-sos", "phone": "tel:112"}, "text": "kahvinkeitin tel:112, 911, +112 ja 09 112"})), "message", SAID),
        row("an e-mail address of the desk's own", chat("own", json!({"visitor": {"id": "v-own", "email": "asiakaspalvelu@kauppa.example"}})), "message", SAID),
        row("SQL and markup", chat("'; DROP TABLE message; --", json!({"visitor": {"id": "<script>", "name": "Robert'); DROP TABLE contact;--"}, "text": "kahvinkeitin <script>alert(1)</script> {{7*7}} %s %n ${jndi:ldap://x}"})), "message", "<script>"),
    ]
}

#[rustfmt::skip] // A row is a line.
fn meta_rows() -> Vec<Row> {
    let psid = "PSID-bad";
    let event = |mid: &str, text: &str| messenger(mid, psid, &now(), text);
    let with = |what, text: String, ends, says| hook(what, "facebook", text, ends, says);
    let at = |mid: &str, value: Value| {
        json!({"object": "page", "entry": [{"id": "PAGE", "messaging": [{"sender": {"id": psid}, "recipient": {"id": "PAGE"}, "timestamp": value, "message": {"mid": mid, "text": SAID}}]}]}).to_string()
    };
    let once = event("m_once", SAID);
    vec![
        with("Meta: empty", String::new(), "; not_json", ""),
        with("Meta: cut in half", once[..once.len() / 2].to_owned(), "; not_json", ""),
        with("Meta: genuine", once.clone(), "message", SAID),
        with("Meta: replayed", once, "repeat", ""),
        with("Meta: of another object", json!({"object": "user", "entry": []}).to_string(), "; wrong_object", ""),
        with("Meta: a list", "[]".to_owned(), "; not_from_meta", ""),
        with("Meta: half of an emoji", event("m_half", "RAW").replace("RAW", "kahvinkeitin \\ud83d"), "message", "\u{fffd}"),
        with("Meta: NUL", event("m_n\0ul", "kahvin\0keitin"), "message", SAID),
        with("Meta: a time of 0", at("m_0", json!(0)), "message date_doubtful", SAID),
        with("Meta: a time of 2099", at("m_2099", json!(4_102_358_400_000_i64)), "message date_doubtful", SAID),
        with("Meta: a time that is text", at("m_text", json!("soon")), "message date_doubtful", SAID),
        with("Meta: 3 MB of {", "{\"object\":".repeat(300_000), "; not_json", ""),
        with("Meta: a million entries", format!("{{\"object\":\"page\",\"entry\":[{}0]}}", "0,".repeat(1_000_000)), "; empty_entry too_many_faults", ""),
        hook("WhatsApp: empty", "whatsapp", "", "; not_json", ""),
        hook("WhatsApp: an account of nobody", "whatsapp", whatsapp("wamid.n", "", json!({})), "message; no_sender", SAID),
        hook("WhatsApp: a number of 10,000 digits", "whatsapp", whatsapp("wamid.d", &"3".repeat(10_000), json!({})), "message; no_sender", SAID),
        hook("WhatsApp: a time beyond all calendars", "whatsapp", whatsapp("wamid.t", "358401112233", json!({"timestamp": "99999999999999999999"})), "message date_doubtful", SAID),
        hook("WhatsApp: a file that leaves the directory", "whatsapp", whatsapp("wamid.f", "358401112233", json!({"type": "document", "document": {"id": "1", "filename": "../../etc/cron.d/x\u{202e}", "mime_type": "a\r\nb"}})), "message", ""),
        hook("WhatsApp: a file named ..", "whatsapp", whatsapp("wamid.g", "358401112233", json!({"type": "document", "document": {"id": "1", "filename": "..", "mime_type": "application/pdf"}})), "message", ""),
        hook("WhatsApp: a type of nobody's", "whatsapp", whatsapp("wamid.u", "358401112233", json!({"type": "hologram"})), "message unsupported", ""),
    ]
}

// Mail

/// The head of a mail of the bad customer, as our server took it in, up to its own fields.
fn mail_head(id: &str, fields: &str) -> String {
    let date = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
    let date = if fields.contains("Date: ") { String::new() } else { format!("Date: {date}\r\n") };
    let from = if fields.contains("From: ") { "" } else { "From: Pahis <pahis@posti.example>\r\n" };
    let subject = if fields.contains("Subject: ") { "" } else { "Subject: kahvinkeitin\r\n" };
    format!(
        "{}{from}To: asiakaspalvelu@kauppa.example\r\n{subject}{date}Message-ID: <{id}@posti.example>\r\n{fields}",
        trace("pass")
    )
}

fn trace(dmarc: &str) -> String {
    let date = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S +0000");
    format!(
        "Received: from mail.posti.example (mail.posti.example [192.0.2.1])\r\n\tby mx.kauppa.example with ESMTPS id x1;\r\n\t{date}\r\n\
         Authentication-Results: mx.kauppa.example;\r\n\tdmarc={dmarc} header.from=posti.example\r\n"
    )
}

fn mail(id: &str, fields: &str, body: &[u8]) -> Vec<u8> {
    [mail_head(id, fields).as_bytes(), b"\r\n", body].concat()
}

fn text_mail(id: &str, fields: &str) -> Vec<u8> {
    mail(id, fields, format!("{SAID}\r\n").as_bytes())
}

fn typed(id: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    mail(id, &format!("MIME-Version: 1.0\r\nContent-Type: {content_type}\r\n"), body)
}

fn html_mail(id: &str, html: &str) -> Vec<u8> {
    typed(id, "text/html; charset=utf-8", html.as_bytes())
}

/// A mail with files of these names.
fn mail_with_files(id: &str, dispositions: impl Iterator<Item = String>) -> Vec<u8> {
    let part = |of: String| {
        format!(
            "--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; {of}\r\n\r\n{of}\r\n"
        )
    };
    let parts: String = dispositions.map(part).collect();
    typed(id, "multipart/mixed; boundary=b", format!("--b\r\n\r\n{SAID}\r\n{parts}--b--\r\n").as_bytes())
}

/// Multiparts within each other, the text innermost.
fn nested(levels: usize) -> String {
    let open: String =
        (0..levels).map(|n| format!("--b{n}\r\nContent-Type: multipart/mixed; boundary=b{}\r\n\r\n", n + 1)).collect();
    format!("{open}--b{levels}\r\n\r\n{SAID}\r\n--b{levels}--\r\n")
}

#[rustfmt::skip] // A row is a line.
fn mail_rows() -> Vec<Row> {
    let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let forwarded = "Content-Type: message/rfc822\r\n\r\n".repeat(300);
    let noise: Vec<u8> = (0u32..200_000).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let addresses: String = (0..5_000).map(|n| format!("Eve <eve{n}@evil.example>, ")).collect();
    let ids: String = (0..5_000).map(|n| format!(" <r{n}@evil.example>\r\n")).collect();
    let fields: String = (0..50_000).map(|n| format!("X-F{n}: {n}\r\n")).collect();
    let words = "=?utf-8?q?kahvinkeitin_?= ".repeat(MEGABYTE / 24);
    let parameters: String = (0..3_000).map(|n| format!(" name*{n}*=%41;\r\n")).collect();
    let forged = format!("{}From: Minna <minna@posti.example>\r\nDate: {}\r\nMessage-ID: <reused@posti.example>\r\nSubject: x\r\n\r\n{SAID} another\r\n",
        trace("none"), Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S +0000"));
    vec![
        post("no bytes", "", "; empty", ""),
        post("nothing but blanks and NUL", "\r\n \0\r\n", "; empty", ""),
        post("no mail", format!("{SAID} is not a mail\r\n"), "; not_a_mail", ""),
        post("noise", noise.clone(), "; not_a_mail", ""),
        post("nobody and nothing", "From: \r\nSubject: \r\n\r\n", "; no_sender", ""),
        post("a head without a body", mail_head("headonly", ""), "message", SAID),
        Row { what: "a file of 100 MB", sent: Sent::MailOf(100 * MEGABYTE as u64), answer: "", ends: "; file_too_large", says: "" },
        post("NUL everywhere", mail("nul", "Subject: kahvin\0keitin\r\nX-\0: \0\r\n", b"kahvin\0keitin\0\r\n\0"), "message", SAID),
        post("not UTF-8, though it says so", typed("utf8", "text/plain; charset=utf-8", b"kahvinkeitin \xff\xfe\xe4\r\n"), "message", SAID),
        post("UTF-16, though it is not", typed("utf16", "text/plain; charset=utf-16", b"kahvinkeitin\r\n"), "message", SAID),
        post("ASCII, though it is UTF-8", typed("ascii", "text/plain; charset=us-ascii", "kahvinkeitin ä\r\n".as_bytes()), "message", "kahvinkeitin ä"),
        post("a charset of nobody's", typed("charset", "text/plain; charset=x-klingon", b"kahvinkeitin\r\n"), "message", SAID),
        post("a charset of 100 KB", typed("longcharset", &format!("text/plain; charset={}", "x".repeat(100_000)), b"kahvinkeitin\r\n"), "message", SAID),
        post("1,000 multiparts within each other", typed("nested", "multipart/mixed; boundary=b0", nested(1_000).as_bytes()), "message parts_dropped", SAID),
        post("300 forwarded mails within each other", mail("forwarded", "", forwarded.as_bytes()), "message", SAID),
        post("a boundary that never comes", typed("noboundary", "multipart/mixed; boundary=never", b"kahvinkeitin\r\n--nearly\r\n"), "message", SAID),
        post("a boundary of nothing", typed("emptyboundary", "multipart/mixed; boundary=\"\"", b"kahvinkeitin\r\n--\r\n--\r\n"), "message", SAID),
        post("10,000 parts", typed("parts", "multipart/mixed; boundary=b", "--b\r\n\r\nkahvinkeitin\r\n".repeat(10_000).as_bytes()), "message parts_dropped truncated", SAID),
        post("cut within an attachment", { let mut mail = mail_with_files("cut", ["filename=a.bin".to_owned()].into_iter()); mail.truncate(mail.len() - 12); mail }, "message", SAID),
        post("1,000 attachments", mail_with_files("files", (0..1_000).map(|n| format!("filename=\"{n}.txt\""))), "message parts_dropped", SAID),
        post("names that leave the directory", mail_with_files("traversal", ["filename=\"../../../../tmp/lanka-was-here\"", "filename=\"..\\\\..\\\\x.exe\"", "filename=\"/etc/passwd\"", "filename=\"..\"", "filename*=UTF-8''%2e%2e%2f%2e%2e%2fx%00.txt"].map(str::to_owned).into_iter()), "message", SAID),
        post("names with lines of their own", mail_with_files("inject", ["filename*=UTF-8''a%0d%0aBcc:%20x@evil.example", "filename=\"=?utf-8?q?a=0D=0ABcc:_x?=\"", "filename=\"a\u{202e}gnp.exe\""].map(str::to_owned).into_iter()), "message", SAID),
        post("a name of 100 KB", mail_with_files("longname", [format!("filename=\"{}\"", "n".repeat(100_000))].into_iter()), "message", SAID),
        post("a name in 3,000 pieces", typed("pieces", &format!("text/plain;\r\n{parameters} x=y"), b"kahvinkeitin\r\n"), "message", SAID),
        post("100,000 elements within each other", html_mail("div", &format!("{}{SAID}", "<div>".repeat(100_000))), "message", SAID),
        post("100,000 quotations within each other", html_mail("blockquote", &format!("{SAID}<br>{}x", "<blockquote>".repeat(100_000))), "message", SAID),
        post("50,000 tables and no end", html_mail("table", &format!("{SAID}{}", "<table><tr><td>".repeat(50_000))), "message", SAID),
        post("1 MB of <", html_mail("lt", &format!("{SAID}{}", "<".repeat(MEGABYTE))), "message truncated", SAID),
        post("1 MB of <!--", html_mail("comment", &format!("{SAID}{}", "<!--".repeat(MEGABYTE / 4))), "message", SAID),
        post("1 MB of <a href=\"", html_mail("href", &format!("{SAID}{}", "<a href=\"".repeat(MEGABYTE / 9))), "message", SAID),
        post("1 MB of <script>", html_mail("script", &format!("{SAID}{}", "<script>".repeat(MEGABYTE / 8))), "message", SAID),
        post("1 MB of &", html_mail("entity", &format!("{SAID}{}", "&amp".repeat(MEGABYTE / 4))), "message truncated", SAID),
        post("2 MB of soft line ends", mail("soft", "Content-Transfer-Encoding: quoted-printable\r\n", format!("{SAID}{}", "=\r\n".repeat(600_000)).as_bytes()), "message", SAID),
        post("1 MB of =", mail("equals", "Content-Transfer-Encoding: quoted-printable\r\n", format!("{SAID}{}", "=".repeat(MEGABYTE)).as_bytes()), "message truncated", SAID),
        post("base64 that is none", mail("nobase64", "Content-Transfer-Encoding: base64\r\nSubject: kahvinkeitin\r\n", "=*=".repeat(100_000).as_bytes()), "message", SAID),
        post("base64 of noise as text", mail("noise64", "Content-Transfer-Encoding: base64\r\n", base64(&noise).as_bytes()), "message truncated", SAID),
        post("1 MB of > lines", mail("quotes", "", format!("{SAID}\r\n{}", "> > > x\r\n".repeat(MEGABYTE / 9)).as_bytes()), "message truncated", SAID),
        post("250 KB of empty lines", mail("blank", "", format!("{SAID}\r\n{}x", "\r\n".repeat(125_000)).as_bytes()), "message", SAID),
        post("250 KB of \"wrote:\" lines", mail("wrote", "", format!("{SAID}\r\n{}", "On x, y wrote:\r\n".repeat(15_000)).as_bytes()), "message", SAID),
        post("250 KB of signatures", mail("signatures", "", format!("{SAID}\r\n{}", "-- \r\nTerveisin Eve\r\n".repeat(12_000)).as_bytes()), "message", SAID),
        post("ten thousand numbers", mail("numbers", "", numbers(10_000).as_bytes()), "message", SAID),
        post("a telephone number of 10,000 digits", mail("tel", "", format!("{SAID} +3584{}\r\n", "0".repeat(10_000)).as_bytes()), "message", SAID),
        post("a field of 1 MB", text_mail("field", &format!("X-Junk: {}\r\n", "x".repeat(MEGABYTE))), "message", SAID),
        post("50,000 fields", text_mail("fields", &fields), "message", SAID),
        post("a subject of 1 MB of encoded words", text_mail("subject", &format!("Subject: {words}\r\n")), "message", SAID),
        post("1 MB of encoded words for a name", text_mail("name", &format!("From: {words} <pahis@posti.example>\r\n")), "message several_senders", SAID),
        post("1 MB of unfinished encoded words", text_mail("unfinished", &format!("Subject: {}\r\n", "=?utf-8?q?".repeat(100_000))), "message", SAID),
        post("5,000 addresses in From", text_mail("senders", &format!("From: {addresses}pahis@posti.example\r\n")), "message several_senders unverified", SAID),
        post("two From", text_mail("two", "From: pahis@posti.example\r\nFrom: minna@posti.example\r\n"), "message several_senders unverified", SAID),
        post("10,000 parentheses for a sender", text_mail("paren", &format!("From: {}x{} <pahis@posti.example>\r\n", "(".repeat(5_000), ")".repeat(5_000))), "message", SAID),
        post("10,000 groups for a sender", text_mail("groups", &format!("From: {}pahis@posti.example{}\r\n", "a:".repeat(5_000), ";".repeat(5_000))), "message", SAID),
        post("an address of 100 KB", text_mail("address", &format!("From: {}@posti.example\r\n", "x".repeat(100_000))), "message several_senders", SAID),
        post("NUL within the address", text_mail("nuladdress", "From: Eve <min\0na@posti.example>\r\n"), "message", SAID),
        post("a name that turns the line around", text_mail("bidi", "From: \"Minna \u{202e}elpmaxe.itsop@annim\u{2066}\" <pahis@posti.example>\r\n"), "message", SAID),
        post("5,000 references", text_mail("refs", &format!("References:{ids}")), "message", SAID),
        post("an id of 100 KB", text_mail(&"i".repeat(100_000), ""), "message", SAID),
        post("a Date in 1970", text_mail("d1970", "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"), "message date_doubtful", SAID),
        post("a Date in 2099", text_mail("d2099", "Date: Thu, 31 Dec 2099 23:59:59 +0000\r\n"), "message date_doubtful", SAID),
        post("a Date in the year 99999", text_mail("d99999", "Date: Thu, 31 Dec 99999 23:59:59 +0000\r\n"), "message", SAID),
        post("a Date that is none", text_mail("dnone", "Date: yesterday\r\n"), "message", SAID),
        post("lines that end in CR", String::from_utf8_lossy(&text_mail("cr", "")).replace("\r\n", "\r"), "message", SAID),
        Row { what: "the next mail's Message-ID, with other content, before it", sent: Sent::MailFirst(forged.into_bytes()), answer: "", ends: "message unverified", says: "another" },
        Row { what: "the genuine one after it", sent: Sent::MailFirst(text_mail_from_minna("reused")), answer: "", ends: "message message_id_reused", says: SAID },
        post("the genuine one again", text_mail_from_minna("reused"), "repeat", ""),
    ]
}

fn text_mail_from_minna(id: &str) -> Vec<u8> {
    // Without a fraction of a minute, so that the same mail made again is the same.
    text_mail(id, "From: Minna <minna@posti.example>\r\nSubject: kahvinkeitin\r\n")
}

// Calls

#[rustfmt::skip] // A row is a line.
fn phone_rows() -> Vec<Row> {
    let key = |n: u32| format!("1772805600.{n}");
    let line = |src: &str, n: u32| call(src, &now(), &key(n));
    let dated = |at: &str, n: u32| call("0401112233", at, &key(n));
    let half = line("0401112233", 100);
    let (first, second) = half.split_at(half.len() / 2);
    vec![
        logged("an empty line", "\n\r\n", ""),
        logged("a line of words", format!("{SAID}\n"), "; bad_cdr_line"),
        logged("NUL in a line", line("040\x00111", 101), "; bad_cdr_line"),
        logged("nothing but NUL, as after a power cut", [vec![0; 4_096], b"\n".to_vec()].concat(), "; bad_cdr_line"),
        logged("half a line, and the next", format!("{first}\n"), "; bad_cdr_line"),
        Row { what: "half a line", sent: Sent::HalfLine(first.as_bytes().to_vec()), answer: "", ends: "", says: "" },
        logged("and its other half later", second, "message unverified"),
        logged("a quote that stays open", line("0401112233", 102).replace("\"\"\n", "\"\n"), "; bad_cdr_line"),
        logged("not UTF-8", line("0401112233", 103).replace("PJSIP/200-1", "PJSIP/J?rvi-1").into_bytes().into_iter().map(|b| if b == b'?' { 0xe4 } else { b }).collect::<Vec<u8>>(), "message unverified"),
        logged("a line of 100 KB", line(&"1".repeat(100_000), 104), "; line_too_large"),
        logged("a line of 3 MB", line(&"1".repeat(3 * MEGABYTE), 105), "; line_too_large"),
        logged("1,000 columns", format!("{}\n", ",".repeat(1_000)), "; bad_cdr_line"),
        logged("JSON", "{\"src\":\"0401112233\"}\n", "; not_a_call_log"),
        logged("a call of 1970", dated("1970-01-01T00:00:00Z", 106), "message date_doubtful unverified"),
        logged("a call of 2099", dated("2099-12-31T00:00:00Z", 107), "message date_doubtful unverified"),
        logged("a start that is none", dated("2026-03-06T00:00:00Z", 108).replace("2026-03-06", "2026-13-45"), "; bad_cdr_line"),
        logged("a number of 10,000 digits", line(&"3".repeat(10_000), 109), "message"),
        logged("an emergency number", line("112", 110), "message"),
        logged("a formula for a number", line("=cmd|' /C calc'!A1", 111), "message"),
        logged("a duration beyond all numbers", line("0401112233", 112).replace(",65,60,", ",99999999999999999999,-1,"), "message unverified"),
        logged("markup for a name", line("0401112233", 113).replacen("\"\"\"\"", "\"\"\"<script>alert(1)</script>\u{202e}\"\"", 1), "message unverified"),
    ]
}

// The daemon

const CONFIG: &str = r#"
data_dir = "DIR/data"
[database]
url = { env = "URL" }
[security]
keys = [{ id = "1", env = "KEY" }]
[http]
listen = "127.0.0.1:PORT"
request_timeout_s = 2
allow_private_addresses = true
[identity]
own_domains = ["kauppa.example"]
[matters]
order = { pattern = '\b4\d{7}\b', role = "secret" }
backtracking = { pattern = '(?i)(?:(a+)+)+b', role = "public" }

[channels.mail]
kind = "maildir"
path = "DIR/mail"
addresses = ["asiakaspalvelu@kauppa.example"]
trusted_authserv = "mx.kauppa.example"

[channels.facebook]
kind = "messenger"
app_secret = { env = "SECRET" }
verify_token = { env = "SECRET" }

[channels.whatsapp]
kind = "whatsapp"
app_secret = { env = "SECRET" }
verify_token = { env = "SECRET" }

[channels.chat]
kind = "webchat"
secret = { env = "WHSEC" }

[channels.phone]
kind = "asterisk"
path = "DIR/Master.csv"
time_zone = "UTC"
own_numbers = ["+358 9 4272 0000"]

[mirrors.desk]
kind = "webhook"
url = "MIRROR"
secret = { env = "WHSEC" }
"#;

fn lanka(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanka"));
    command.args(arguments).env("KEY", "a key of the test, of more than 32 characters");
    command.env("SECRET", APP_SECRET).env("WHSEC", SECRET).stdin(Stdio::null());
    command
}

struct Daemon {
    child: Child,
    port: u16,
    dir: tempfile::TempDir,
    db: TestDb,
    tool: Endpoint,
}

impl Daemon {
    async fn start() -> Self {
        let (dir, db, tool) = (scratch(), database().await, Endpoint::start().await);
        let port = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
            listener.local_addr().expect("its address").port()
        };
        let config = CONFIG.replace("DIR", &dir.path().display().to_string());
        let config = config.replace("PORT", &port.to_string()).replace("MIRROR", &tool.url("/hook"));
        fs::write(dir.path().join("lanka.toml"), config).expect("a configuration");
        for folder in ["tmp", "new", "cur"] {
            fs::create_dir_all(dir.path().join("mail").join(folder)).expect("a Maildir");
        }
        File::create(dir.path().join("Master.csv")).expect("a call log");
        let log = File::create(dir.path().join("log")).expect("a log");
        let mut command = lanka(&["run"]);
        command.arg("--config").arg(dir.path().join("lanka.toml")).env("URL", &db.url);
        command.stdout(log.try_clone().expect("a log")).stderr(log);
        let daemon = Self { child: command.spawn().expect("the program lanka"), port, dir, db, tool };
        let ready = head("GET", "/readyz", "connection: close\r\n").into_bytes();
        eventually("the daemon", async || (daemon.ask(&ready, Then::Wait).await == "200").then_some(())).await;
        // What stood in the log before is history: it begins to be followed now.
        let follows = "SELECT count(*) FROM cursor WHERE channel = 'phone'";
        eventually("the call log", async || (daemon.count(follows).await > 0).then_some(())).await;
        daemon
    }

    async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.db.pool).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Sends bytes, and gives the status of the answer: empty if the connection ends without one.
    async fn ask(&self, bytes: &[u8], then: Then) -> String {
        let Ok(socket) = TcpStream::connect(("127.0.0.1", self.port)).await else { return String::new() };
        let (mut reader, mut writer) = socket.into_split();
        let writing = async {
            writer.write_all(bytes).await?;
            match then {
                Then::Wait => {}
                Then::HangUp => writer.shutdown().await?,
                Then::Drip => loop {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    writer.write_all(b"x").await?;
                },
                Then::Flood(megabytes, in_chunks) => {
                    let piece = vec![b'x'; MEGABYTE];
                    for _ in 0..megabytes {
                        if in_chunks {
                            writer.write_all(format!("{MEGABYTE:x}\r\n").as_bytes()).await?;
                        }
                        writer.write_all(&piece).await?;
                        if in_chunks {
                            writer.write_all(b"\r\n").await?;
                        }
                    }
                }
            }
            std::future::pending::<std::io::Result<()>>().await
        };
        let reading = async {
            let mut answer = Vec::new();
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut piece).await {
                answer.extend_from_slice(&piece[..count]);
                if answer.windows(4).any(|end| end == b"\r\n\r\n") {
                    break;
                }
            }
            answer
        };
        // A writer that fails was hung up on: what it was told is still to be read.
        let both = async {
            let mut reading = std::pin::pin!(reading);
            tokio::select! {
                answer = &mut reading => answer,
                _ = writing => reading.await,
            }
        };
        let answer = tokio::time::timeout(Duration::from_secs(10), both).await.unwrap_or_default();
        String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap_or_default().to_owned()
    }

    /// A mail as its server delivers it.
    fn deliver(&self, name: &str, write: impl FnOnce(&mut File)) {
        let unfinished = self.path("mail/tmp").join(name);
        write(&mut File::create(&unfinished).expect("a mail"));
        fs::rename(&unfinished, self.path("mail/new").join(name)).expect("delivered");
    }

    async fn all_mail_is_decided(&self) {
        let new = self.path("mail/new");
        eventually("the mail is taken", async || fs::read_dir(&new).expect("new/").next().is_none().then_some(()))
            .await;
        let waiting =
            "SELECT count(*) FROM raw_pending p JOIN raw_event r ON r.id = p.raw_event WHERE r.channel = 'mail'";
        eventually("the mail is decided", async || (self.count(waiting).await == 0).then_some(())).await;
    }

    /// Sends a row. Gives the answer, and how what was stored of it is known: its place in the channel's
    /// deliveries, or what its origin says.
    async fn send(&self, sent: &Sent, name: &str) -> (String, String) {
        match sent {
            Sent::Hook(channel, body) => {
                (self.ask(&request(channel, &signature(channel, body), body), Then::Wait).await, String::new())
            }
            Sent::Wire(_, bytes, then) => (self.ask(bytes, *then).await, String::new()),
            Sent::Mail(bytes) => {
                self.deliver(name, |file| file.write_all(bytes).expect("written"));
                (String::new(), format!("{name},"))
            }
            Sent::MailFirst(bytes) => {
                self.all_mail_is_decided().await;
                self.deliver(name, |file| file.write_all(bytes).expect("written"));
                self.all_mail_is_decided().await;
                (String::new(), format!("{name},"))
            }
            Sent::MailOf(bytes) => {
                self.deliver(name, |file| file.set_len(*bytes).expect("a length"));
                (String::new(), format!("{name},"))
            }
            Sent::Lines(bytes) | Sent::HalfLine(bytes) => {
                let path = self.path("Master.csv");
                let mut log = OpenOptions::new().append(true).open(&path).expect("the log");
                let whole = fs::read(&path).expect("the log");
                // A line that was begun before begins where it began.
                let offset = whole.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
                log.write_all(bytes).expect("written");
                if matches!(sent, Sent::HalfLine(_)) {
                    tokio::time::sleep(Duration::from_millis(600)).await;
                }
                (String::new(), format!("offset {offset}"))
            }
        }
    }

    /// Sends the rows of a channel, after each a good message. Gives how each is known, and what was
    /// answered wrongly.
    async fn send_all(&self, channel: &str, rows: &[Row]) -> (Vec<String>, Vec<String>) {
        let (mut known, mut wrong) = (Vec::new(), Vec::new());
        let mut place = 0;
        for (n, row) in rows.iter().enumerate() {
            let (answer, mut at) = self.send(&row.sent, &format!("{n:03}.bad")).await;
            if answer != row.answer {
                wrong.push(format!("{channel}, {}: was answered \"{answer}\", should be \"{}\"", row.what, row.answer));
            }
            if at.is_empty() {
                at = place.to_string();
                place += usize::from(!row.ends.is_empty());
            }
            known.push(at);
            // The good line would become the other half.
            if matches!(row.sent, Sent::HalfLine(_)) {
                continue;
            }
            let (answer, _) = self.send(&good(channel, n), &format!("{n:03}.good")).await;
            let is_hook = !matches!(channel, "mail" | "phone");
            assert_eq!(answer, if is_hook { "200" } else { "" }, "{channel}, the good one after {}", row.what);
            place += 1;
        }
        (known, wrong)
    }

    /// What became of each delivery of a channel, in their order: its origin, its end, what it says.
    async fn ends(&self, channel: &str) -> Vec<(String, String, String)> {
        let sql = "
            SELECT e.id, e.origin, i.items, i.roles, i.marks, i.says, q.codes
            FROM raw_event e
            CROSS JOIN LATERAL (SELECT count(*) AS items, string_agg(DISTINCT i.role, ' ') AS roles,
                    string_agg(DISTINCT array_to_string(m.marks, ' '), ' ') AS marks,
                    left(string_agg(coalesce(m.subject, '') || ' ' || m.text, ' '), 100000) AS says
                FROM raw_item i LEFT JOIN message m ON m.id = i.message_id WHERE i.raw_event = e.id) i
            CROSS JOIN LATERAL (SELECT coalesce(string_agg(DISTINCT code, ' ' ORDER BY code), '') AS codes
                FROM quarantine q WHERE q.raw_event = e.id) q
            WHERE e.channel = $1
            UNION ALL
            SELECT NULL, origin, 0, NULL, NULL, NULL, code FROM quarantine WHERE channel = $1 AND raw_event IS NULL
            ORDER BY 1";
        let rows = sqlx::query(sql).bind(channel).fetch_all(&self.db.pool).await.expect("rows");
        rows.iter()
            .map(|row| {
                let text = |name: &str| row.get::<Option<String>, _>(name).unwrap_or_default();
                let mut ends = match (row.get::<i64, _>("items"), text("roles").as_str()) {
                    (0, _) => String::new(),
                    (1, "first") => "message".to_owned(),
                    (n, "first") => format!("{n} messages"),
                    (_, other) => return (text("origin"), other.to_owned(), String::new()),
                };
                for mark in text("marks").split_whitespace().collect::<BTreeSet<_>>() {
                    ends += &format!(" {mark}");
                }
                if !text("codes").is_empty() {
                    ends += &format!("; {}", text("codes"));
                }
                (text("origin"), ends, text("says"))
            })
            .collect()
    }

    /// Holds the ends of a channel's rows against what they should be.
    async fn compare(&self, channel: &str, rows: &[Row], known: &[String], wrong: &mut Vec<String>) {
        let all = self.ends(channel).await;
        for (row, at) in rows.iter().zip(known).filter(|(row, _)| !row.ends.is_empty()) {
            let found = match at.parse::<usize>() {
                Ok(place) => all.get(place),
                Err(_) => all.iter().find(|(origin, ..)| origin.starts_with(at) || origin.ends_with(at)),
            };
            let Some((_, ends, says)) = found else {
                wrong.push(format!("{channel}, {}: nothing was stored", row.what));
                continue;
            };
            if ends != row.ends || !says.contains(row.says) {
                let says: String = says.chars().take(60).collect();
                wrong.push(format!(
                    "{channel}, {}: ends as \"{ends}\", says {says:?}, should be \"{}\"",
                    row.what, row.ends
                ));
            }
        }
    }

    /// Most memory that it has had. Bytes.
    fn memory_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its memory");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.path("log")).unwrap_or_default();
            let lines: Vec<String> = log.lines().map(|line| line.chars().take(300).collect()).collect();
            eprintln!("--- the daemon's log\n{}\n---", lines[lines.len().saturating_sub(30)..].join("\n"));
        }
    }
}

/// The n-th message of the good customer of a channel.
fn good(channel: &str, n: usize) -> Sent {
    let key = format!("good-{n}");
    match channel {
        "chat" => Sent::Hook("chat", chat(&key, json!({"visitor": {"id": "v-good"}, "conversation_id": "c-good"}))),
        "facebook" => Sent::Hook("facebook", messenger(&key, "PSID-good", &now(), SAID).into_bytes()),
        "whatsapp" => Sent::Hook("whatsapp", whatsapp(&key, "358407654321", json!({}))),
        "mail" => {
            Sent::Mail(text_mail(&key, "From: Hyvis <hyvis@posti.example>\r\nIn-Reply-To: <good-0@posti.example>\r\n"))
        }
        _ => Sent::Lines(call("0407654322", &now(), &format!("1772805601.{n}")).into_bytes()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_answered_marked_or_quarantined_and_the_next_good_message_goes_through() {
    let daemon = Daemon::start().await;
    let began = Instant::now();
    let started_at = Timestamp::now();
    let mut tables: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    for row in
        [forged_rows(), request_rows(), chat_rows(), meta_rows(), mail_rows(), phone_rows()].into_iter().flatten()
    {
        tables.entry(row.sent.channel()).or_default().push(row);
    }
    let sending = tables.iter().map(|(channel, rows)| async { (*channel, daemon.send_all(channel, rows).await) });
    let known: BTreeMap<&str, (Vec<String>, Vec<String>)> =
        futures::future::join_all(sending).await.into_iter().collect();
    let good_sent: usize = tables.values().flatten().filter(|row| !matches!(row.sent, Sent::HalfLine(_))).count();
    let good_kept = "SELECT count(*) FROM message WHERE source_key ~ '^good-[0-9]+(@posti.example)?$' OR source_key LIKE '1772805601.%'";
    eventually("the good messages", async || (daemon.count(good_kept).await == good_sent as i64).then_some(())).await;
    let waiting = "SELECT (SELECT count(*) FROM raw_pending) + (SELECT count(*) FROM outbox WHERE state IN ('pending', 'claimed'))";
    eventually("all is decided and told", async || (daemon.count(waiting).await == 0).then_some(())).await;
    println!(
        "{} rows in {:?}, {} MB",
        tables.values().map(Vec::len).sum::<usize>(),
        began.elapsed(),
        daemon.memory_bytes() / 1_000_000
    );

    let mut wrong = Vec::new();
    for (channel, rows) in &tables {
        let (known, answered) = &known[channel];
        wrong.extend_from_slice(answered);
        daemon.compare(channel, rows, known, &mut wrong).await;
    }
    for (what, sql, expected) in [
        ("the good messages lie on one ticket of each channel",
            "SELECT count(DISTINCT (channel, ticket_id)) FROM message WHERE source_key LIKE 'good-%' OR source_key LIKE '1772805601.%'", tables.len() as i64),
        ("nothing is stored without an end",
            "SELECT count(*) FROM raw_event e WHERE NOT EXISTS (SELECT FROM raw_item WHERE raw_event = e.id) AND NOT EXISTS (SELECT FROM quarantine WHERE raw_event = e.id)", 0),
        ("nobody has an emergency number, nor one that is too long", "SELECT count(*) FROM identity WHERE scheme = 'tel' AND length(value) NOT BETWEEN 8 AND 16", 0),
        ("no identity, name or file name holds a control or turns a line around",
            "SELECT (SELECT count(*) FROM identity WHERE value ~ E'[\\x01-\\x1f\\x7f\\u202a-\\u202e\\u2066-\\u2069]') + (SELECT count(*) FROM message WHERE sender_name ~ E'[\\x01-\\x1f\\x7f\\u202a-\\u202e\\u2066-\\u2069]')
                + (SELECT count(*) FROM attachment WHERE name ~ E'[\\x01-\\x1f\\x7f\\u202a-\\u202e\\u2066-\\u2069/]' OR name = '..')", 0),
        ("a delivery leaves at most 32 facts", "SELECT count(*) FROM (SELECT FROM fact GROUP BY message_id HAVING count(*) > 32) many", 0),
        ("the mirror was told everything", "SELECT count(*) FROM outbox WHERE state <> 'delivered'", 0),
    ] {
        let found = daemon.count(sql).await;
        if found != expected {
            wrong.push(format!("{what}: {found}, not {expected}"));
        }
    }
    let times = sqlx::query_as::<_, (String, jiff_sqlx::Timestamp, jiff_sqlx::Timestamp)>(
        "SELECT source_key, occurred_at, trusted_at FROM message",
    );
    for (key, occurred_at, trusted_at) in times.fetch_all(&daemon.db.pool).await.expect("times") {
        let sane = started_at - SignedDuration::from_mins(5)..=Timestamp::now();
        if !sane.contains(&occurred_at.to_jiff()) || !sane.contains(&trusted_at.to_jiff()) {
            wrong.push(format!("{key:.40} happened at {}, {}", occurred_at.to_jiff(), trusted_at.to_jiff()));
        }
    }
    let log = fs::read_to_string(daemon.path("log")).expect("the log");
    for word in ["panicked", SAID, "posti.example", "0401112233", APP_SECRET] {
        if let Some(line) = log.lines().find(|line| line.contains(word)) {
            wrong.push(format!("the log says {word}: {line:.300}"));
        }
    }
    // The same mails as history: none is new, and none stops the others.
    let dir = daemon.path("history");
    write_bodies(&tables["mail"], &dir);
    let mut command = lanka(&["import", "--channel", "mail", "--format", "json", "--config"]);
    let import =
        command.arg(daemon.path("lanka.toml")).arg(&dir).env("URL", &daemon.db.url).output().expect("it starts");
    let outcome: Value = serde_json::from_slice(&import.stdout).unwrap_or_default();
    if !import.status.success() || outcome["messages"] != 0 || outcome["quarantined"] != 5 {
        wrong.push(format!("import: {}, {outcome}", import.status));
    }
    if daemon.memory_bytes() > MEMORY_BYTES_MAX {
        wrong.push(format!("the daemon took {} MB", daemon.memory_bytes() / 1_000_000));
    }
    assert!(!daemon.tool.seen().is_empty() && !Path::new("/tmp/lanka-was-here").exists());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Writes what has a body into a file each, and gives their names.
fn write_bodies(rows: &[Row], dir: &Path) -> Vec<PathBuf> {
    fs::create_dir_all(dir).expect("a directory");
    let mut files = Vec::new();
    for (n, row) in rows.iter().enumerate() {
        if let Sent::Hook(_, body) | Sent::Mail(body) | Sent::MailFirst(body) | Sent::Lines(body) = &row.sent {
            files.push(dir.join(format!("{n:03}")));
            fs::write(dir.join(format!("{n:03}")), body).expect("written");
        }
    }
    files
}

#[test]
fn parse_says_of_every_file_what_is_in_it() {
    let dir = scratch();
    let log: String = (0..12_000).map(|n| call("0401112233", "2026-03-06T14:00:00Z", &n.to_string())).collect();
    let long = format!("{SAID}\n{}\n{}", "x".repeat(3 * MEGABYTE), call("0401112233", "2026-03-06T14:00:00Z", "1.1"));
    let logs = vec![
        logged("a long log", log, "12000 messages"),
        logged("a long line in a log", long, "message; bad_cdr_line"),
    ];
    let others = vec![hook("16 MB of JSON", "chat", vec![b'['; 17 * MEGABYTE], "; too_large", "")];
    for (kind, rows) in [
        ("webchat", chat_rows()),
        ("webchat", others),
        ("maildir", mail_rows()),
        ("asterisk", phone_rows()),
        ("asterisk", logs),
    ] {
        let files = write_bodies(&rows, dir.path());
        let output = lanka(&["parse", "--kind", kind]).args(&files).output().expect("it starts");
        assert!(output.status.success(), "{kind}: {}", String::from_utf8_lossy(&output.stderr));
        let mut found: BTreeMap<PathBuf, (usize, BTreeSet<String>)> = BTreeMap::new();
        for line in output.stdout.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            let line: Value = serde_json::from_slice(line).expect("JSON");
            let (items, faults) = found.entry(line["file"].as_str().expect("a file").into()).or_default();
            match line["what"].as_str() {
                Some("fault") => drop(faults.insert(line["code"].as_str().expect("a code").to_owned())),
                _ => *items += 1,
            }
        }
        let written = rows.iter().filter(|row| !matches!(row.sent, Sent::HalfLine(_) | Sent::MailOf(_)));
        for (row, file) in written.zip(&files) {
            let Some((items, faults)) = found.get(file) else { panic!("{kind}, {}: nothing was said", row.what) };
            let (what, codes) = row.ends.split_once("; ").unwrap_or((row.ends, ""));
            let codes: BTreeSet<String> = codes.split_whitespace().map(str::to_owned).collect();
            // Half a line is none here, and only who follows a log passes over lines by their length.
            if row.what.contains("half") || row.ends.is_empty() || codes.contains("line_too_large") {
                continue;
            }
            let wanted =
                what.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or(usize::from(!what.is_empty()));
            assert_eq!((*items, faults), (wanted, &codes), "{kind}, {}", row.what);
        }
        for file in files {
            fs::remove_file(file).expect("removed");
        }
    }
}

/// What this thread has had of the processor: other programs do not count.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("not negative")
}

#[test]
fn nothing_takes_long_to_read() {
    let setup = Setup { name: "test", region: "FI", time_zone: &jiff::tz::TimeZone::UTC };
    let policy = policy();
    let mut mint = IdMint::new(1);
    let mut slow = Vec::new();
    for row in [chat_rows(), meta_rows(), mail_rows(), phone_rows()].into_iter().flatten() {
        let kind = match row.sent.channel() {
            "mail" => "maildir",
            "facebook" => "messenger",
            "chat" => "webchat",
            "phone" => "asterisk",
            other => other,
        };
        let (Sent::Hook(_, body) | Sent::Mail(body) | Sent::MailFirst(body) | Sent::Lines(body)) = row.sent else {
            continue;
        };
        let now = Timestamp::now();
        let event = RawEvent {
            id: lanka::pure::domain::id::RawEventId(uuid::Uuid::nil()),
            tenant: "main".to_owned(),
            channel: "test".to_owned(),
            kind: kind.to_owned(),
            received_at: now,
            trusted_at: None,
            origin: String::new(),
            body: body.into(),
        };
        let channel = (channels::kind(kind).expect("a kind").dry)(&setup);
        let began = processor_time();
        let parsed = channel.parse(&event);
        assert!(!parsed.items.is_empty() || !parsed.faults.is_empty() || row.ends.is_empty(), "{}: nothing", row.what);
        for (item, incoming) in (0u32..).zip(parsed.items) {
            normalise(&event, item, incoming, mint.next(now), &policy);
        }
        if kind == "maildir" {
            mime::html(&event);
        }
        let took = processor_time() - began;
        if took > READ_TIME_MAX / 8 {
            println!("{}: {took:?}", row.what);
        }
        if took > READ_TIME_MAX {
            slow.push(format!("{}: {took:?}", row.what));
        }
    }
    assert!(slow.is_empty(), "\n{}", slow.join("\n"));
}
