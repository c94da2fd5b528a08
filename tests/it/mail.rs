//! Mail: samples of our own with what they must become, every mail of the public corpora, and
//! hostile ones. The corpora lie beside the repository (`../shared/mail`); where they are missing,
//! the test says which was not run.

use bytes::Bytes;
use lanka::pure::channels::{Intake, Setup, kind};
use lanka::pure::domain::id::IdMint;
use lanka::pure::domain::identity::EmailAddress;
use lanka::pure::domain::message::{AttachmentSource, Content, Incoming, Parsed, RawEvent};
use lanka::pure::wire::mime::{self, MailSettings};
use lanka::pure::wire::{html, mail_parts, quote};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A mail as it would be claimed from the database.
pub fn event(body: impl Into<Bytes>) -> RawEvent {
    let received_at = "2026-03-02T12:00:00Z".parse().expect("a time");
    RawEvent {
        id: IdMint::new(1).next(received_at),
        tenant: "main".to_owned(),
        channel: "support-mail".to_owned(),
        kind: "imap".to_owned(),
        received_at,
        trusted_at: None,
        origin: "a test".to_owned(),
        body: body.into(),
    }
}

pub fn settings() -> MailSettings {
    let addresses = ["support@example.fi".to_owned(), "info@example.fi".to_owned()];
    MailSettings::new(&addresses, Some("mx.example.fi")).expect("good settings")
}

pub fn read(body: impl Into<Bytes>) -> Parsed {
    mime::read(&event(body), &settings())
}

pub fn only(parsed: Parsed) -> Incoming {
    assert!(parsed.faults.is_empty(), "{:?}", parsed.faults);
    parsed.items.into_iter().next().expect("one message")
}

pub fn text(incoming: &Incoming) -> &str {
    incoming.content.text()
}

// --- samples of our own ---

/// Each `.eml` becomes what the `.jsonl` beside it says. `UPDATE_EXPECT=1` writes the latter anew.
#[test]
fn samples_become_what_is_expected() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/channels");
    let mut samples = Vec::new();
    for kind in ["imap", "lmtp", "maildir"] {
        files(&dir.join(kind), &mut samples);
    }
    samples.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
    assert!(samples.len() >= 15, "the samples are gone");
    let mut differing = Vec::new();
    for sample in samples {
        let parsed = read(std::fs::read(&sample).expect("a sample"));
        let mut found: Vec<Value> = parsed.items.iter().map(shown).collect();
        found.extend(parsed.faults.iter().map(|f| json!({"what": "fault", "code": f.code, "detail": f.detail})));
        let found: String = found.iter().map(|line| format!("{line}\n")).collect();
        let expected = sample.with_extension("jsonl");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&expected, found).expect("to write what is expected");
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != found {
            differing.push(format!("{}\n{found}", sample.display()));
        }
    }
    assert!(differing.is_empty(), "not as expected (UPDATE_EXPECT=1 takes it as it is):\n{}", differing.join("\n"));
}

/// A message as `lanka parse` shows it, in short.
fn shown(incoming: &Incoming) -> Value {
    let attachments: Vec<Value> = incoming
        .attachments
        .iter()
        .map(|attachment| {
            let AttachmentSource::Inline(bytes) = &attachment.source else { panic!("mail brings its files with it") };
            json!({
                "name": attachment.name, "type": attachment.media_type, "bytes": bytes.len(), "inline": attachment.inline,
                "sha256": hex::encode(&Sha256::digest(bytes)[..8]),
            })
        })
        .collect();
    let parts = quote::split(text(incoming));
    let mut value = json!({
        "what": incoming.what, "source_key": incoming.source_key, "variant": incoming.variant,
        "direction": incoming.direction, "sender": incoming.sender, "recipient": incoming.recipient,
        "occurred_at": incoming.occurred_at, "trusted_at": incoming.trusted_at, "subject": incoming.subject,
        "text": text(incoming), "own_text": parts.own, "signature": parts.signature, "attachments": attachments,
        "references": incoming.references.iter().map(|r| json!([r.kind, r.key])).collect::<Vec<_>>(),
        "auto": incoming.auto, "authentication": incoming.authentication, "marks": incoming.marks,
    });
    let object = value.as_object_mut().expect("an object");
    object.retain(|_, value| {
        !matches!(value, Value::Null) && *value != json!([]) && *value != json!({}) && *value != json!("")
    });
    value
}

/// A mail that comes over another relay, or in another transfer encoding, is the same; one with other
/// words, or from a contradicted sender, is not.
#[test]
fn the_same_mail_has_the_same_key_and_variant() {
    let mail = "From: Minna <minna@example.com>\nSubject: Päivää\nDate: Mon, 2 Mar 2026 09:59:58 +0200\n\
                Message-ID: <1@example.com>\nContent-Type: text/plain; charset=utf-8\n\nMissä paketti on?\n\n-- \nMinna\n";
    let first = only(read(mail));
    let quoted = mail
        .replace("Subject: Päivää", "Subject: =?iso-8859-1?Q?P=E4iv=E4=E4?=")
        .replace("charset=utf-8\n", "charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n")
        .replace("Missä", "Miss=E4")
        .replace("-- \n", "--=20\n");
    let same = [
        mail.replace('\n', "\r\n"),
        format!("Received: from a by relay.example.net; Mon, 2 Mar 2026 10:00:00 +0200\nX-Spam: no\n{mail}"),
        format!("Authentication-Results: mx.example.fi; dmarc=pass header.from=example.com\n{mail}"),
        mail.replace("09:59:58 +0200", "07:59:58 +0000 (UTC)"),
        mail.replace("From: Minna <minna@example.com>", "From:\n \"Minna\" <Minna@Example.com>"),
        format!("{mail}\n\n"),
        quoted,
    ];
    for copy in same {
        let copy_read = only(read(copy.clone()));
        assert_eq!((&copy_read.source_key, &copy_read.variant), (&first.source_key, &first.variant), "{copy}");
    }
    let other = [
        mail.replace("paketti", "laatikko"),
        mail.replace("09:59:58", "09:59:59"),
        mail.replace("minna@example.com", "minna@example.net"),
        format!("Authentication-Results: mx.example.fi; dmarc=fail header.from=example.com\n{mail}"),
    ];
    for copy in other {
        let copy_read = only(read(copy.clone()));
        assert_eq!(copy_read.source_key, first.source_key);
        assert_ne!(copy_read.variant, first.variant, "{copy}");
    }
}

// --- hostile mails ---

/// Each is a message or a named fault, within limits, in time in proportion to its size.
#[test]
fn hostile_mails_cost_what_they_weigh() {
    const HEADER: &str = "From: a@example.com\nSubject: x\nMIME-Version: 1.0\n";
    let nested = |depth: usize, part: &dyn Fn(usize) -> String| (0..depth).map(part).collect::<String>();
    let mixed = "Content-Type: multipart/mixed; boundary=b\n\n";
    let samples: Vec<(&str, String)> = vec![
        (
            "multiparts 20,000 deep",
            nested(20_000, &|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n")),
        ),
        ("multiparts 20,000 deep, one boundary", nested(20_000, &|_| format!("{mixed}--b\n"))),
        ("mails within mails 20,000 deep", "Content-Type: message/rfc822\n\n".repeat(20_000)),
        (
            "digests 20,000 deep",
            nested(20_000, &|n| format!("Content-Type: multipart/digest; boundary=d{n}\n\n--d{n}\n\n")),
        ),
        ("200,000 parts", format!("{mixed}{}", "--b\n\nx\n".repeat(200_000))),
        (
            "200,000 encoded parts",
            format!("{mixed}{}", "--b\nContent-Transfer-Encoding: base64\n\neA==\n".repeat(200_000)),
        ),
        (
            "50,000 boundaries that never come",
            format!(
                "{mixed}{}",
                nested(50_000, &|n| format!("--b\nContent-Type: multipart/mixed; boundary=never{n}\n\nx\n"))
            ),
        ),
        ("a line of 50 MB", format!("\n{}", "x".repeat(50_000_000))),
        ("a subject of 5 MB", format!("Subject: {}\n\nx", "y".repeat(5_000_000))),
        ("200,000 fields", format!("{}\n\nx", "X-A: b\n".repeat(200_000))),
        ("200,000 lines that are no field", format!("{}\n\nx", "nothing\n".repeat(200_000))),
        ("stray lines and fields in turn", format!("{}\n\nx", "nothing\nX-A: b\n".repeat(100_000))),
        ("100,000 recipients", format!("To: {}\n\nx", "a@example.com, ".repeat(100_000))),
        ("open comments", format!("Reply-To: {}\n\nx", "(".repeat(1_000_000))),
        ("open quotes", format!("Reply-To: {}\n\nx", "\"a <".repeat(200_000))),
        ("encoded words without end", format!("Comments: x\nSubject: {}\n\nx", "=?aa?q?a".repeat(200_000))),
        (
            "encoded words in parameters",
            format!("Content-Type: text/plain; name=\"{}\"\n\nx", "=?aa?q?a".repeat(200_000)),
        ),
        ("200,000 parameters", format!("Content-Type: text/plain{}\n\nx", nested(200_000, &|n| format!("; a*{n}=b")))),
        ("100,000 references", format!("References: {}\n\nx", nested(100_000, &|n| format!("<{n}@example.com> ")))),
        ("open results", format!("Authentication-Results: mx.example.fi; {}\n\nx", "dkim=pass (".repeat(100_000))),
        ("divs 500,000 deep", format!("Content-Type: text/html\n\n{}", "<div>".repeat(500_000))),
        ("quotations 500,000 deep", format!("Content-Type: text/html\n\n{}", "<blockquote>x<br>".repeat(300_000))),
        ("bad base64", format!("Content-Transfer-Encoding: base64\n\n{}", "=!=?".repeat(500_000))),
        ("bad quoted-printable", format!("Content-Transfer-Encoding: quoted-printable\n\n{}", "=".repeat(2_000_000))),
        ("utf-7 and its like", format!("Content-Type: text/plain; charset=utf-7\n\n{}", "+AA".repeat(500_000))),
        ("only NUL bytes in the text", format!("\n{}", "\0".repeat(1_000_000))),
    ];
    for (what, rest) in samples {
        let began = Instant::now();
        let mail = format!("{HEADER}{rest}");
        let incoming = only(read(mail));
        check_sane(&incoming, Path::new(what));
        println!(
            "{what}: {} ms, {} attachments, {:?}",
            began.elapsed().as_millis(),
            incoming.attachments.len(),
            incoming.marks
        );
    }
}

/// Mails of ours with bytes changed, cut, doubled and moved: never a panic, always an answer.
#[test]
fn spoilt_mails_are_read() {
    let mut paths = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/channels"), &mut paths);
    let mails: Vec<Vec<u8>> = paths
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
        .map(|path| std::fs::read(path).expect("a sample"))
        .collect();
    // Fixed, so that what fails once fails again.
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut draw = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    const SPICE: &[u8] = b"\0\r\n\t =?<>()\"\\;:,@-/+&%\x80\xc3\xff";
    for round in 0..6_000 {
        let mut mail = mails[draw(mails.len())].clone();
        for _ in 0..1 + draw(8) {
            let at = draw(mail.len());
            match draw(5) {
                0 => mail.truncate(at.max(1)),
                1 => mail.insert(at, SPICE[draw(SPICE.len())]),
                2 if !mail.is_empty() => mail[at] = SPICE[draw(SPICE.len())],
                3 => {
                    let piece = mail[at..(at + draw(60)).min(mail.len())].to_vec();
                    let to = draw(mail.len());
                    mail.splice(to..to, piece);
                }
                _ => drop(mail.drain(at..(at + draw(20)).min(mail.len()))),
            }
        }
        let parsed = read(mail);
        assert_eq!(parsed.items.len() + parsed.faults.len(), 1, "round {round}");
        parsed.items.iter().for_each(|incoming| check_sane(incoming, Path::new("spoilt")));
    }
}

// --- the corpora ---

pub fn corpus(set: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/mail").join(set);
    if !path.is_dir() {
        eprintln!("not run, for it is not here: {}", path.display());
        return None;
    }
    Some(path)
}

/// All files below a directory, in order.
pub fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    for path in paths {
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

/// The mails of an mbox: each `From ` line after a blank one begins one.
pub fn mbox(bytes: &[u8]) -> Vec<Bytes> {
    let mut mails = Vec::new();
    let mut start = 0;
    let begins = |at: usize| bytes[at..].starts_with(b"From ");
    for at in 1..bytes.len().saturating_sub(5) {
        if bytes[at - 1] == b'\n' && begins(at) && (at < 2 || matches!(bytes[at - 2], b'\n' | b'\r')) {
            mails.push(Bytes::copy_from_slice(&bytes[start..at]));
            start = at;
        }
    }
    mails.push(Bytes::copy_from_slice(&bytes[start..]));
    mails
}

/// What must hold of every message, whatever the mail was.
fn check_sane(incoming: &Incoming, path: &Path) {
    let where_ = path.display();
    let body = text(incoming);
    assert!(!body.contains('\0') && body.len() <= mime::TEXT_BYTES_MAX, "{where_}: text");
    let lines = [incoming.subject.as_deref(), incoming.sender.name.as_deref(), Some(incoming.source_key.as_str())];
    for line in lines.into_iter().flatten().chain(incoming.attachments.iter().filter_map(|a| a.name.as_deref())) {
        assert!(!line.contains(char::is_control), "{where_}: {line:?}");
    }
    assert!(!incoming.source_key.is_empty() && incoming.variant.len() >= 32, "{where_}: key");
    assert!(incoming.references.len() <= 48 && incoming.attachments.len() <= 200, "{where_}: limits");
    let parts = quote::split(body);
    assert!(parts.own.len() + parts.signature.len() <= body.len() + 2, "{where_}: own words");
}

/// Every file of every set, whole and, where it is an mbox, mail by mail: a message or a named
/// fault each. Bodies, results and TNEF blobs among them are no mails and say so.
#[test]
fn every_mail_of_the_corpora_is_a_message_or_a_named_fault() {
    let Some(root) = corpus("") else { return };
    let mut paths = Vec::new();
    files(&root, &mut paths);
    let (mut messages, mut faults, mut bytes) = (0, std::collections::BTreeMap::<&str, usize>::new(), 0);
    let mut slowest = (0, PathBuf::new());
    let began = Instant::now();
    for path in &paths {
        let content = std::fs::read(path).expect("a file");
        let is_mbox = content.starts_with(b"From ") && !path.starts_with(root.join("zammad"));
        let mails = if is_mbox { mbox(&content) } else { vec![Bytes::from(content)] };
        for mail in mails {
            bytes += mail.len();
            let started = Instant::now();
            let parsed = read(mail.clone());
            slowest = slowest.max((started.elapsed().as_millis(), path.clone()));
            assert_eq!(parsed.items.len() + parsed.faults.len(), 1, "{}", path.display());
            parsed.items.iter().for_each(|incoming| check_sane(incoming, path));
            messages += parsed.items.len();
            parsed.faults.iter().for_each(|fault| *faults.entry(fault.code).or_default() += 1);
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{} files, {messages} messages, faults {faults:?}, {:.1} MB in {seconds:.1} s, slowest {} ms in {}",
        paths.len(),
        bytes as f64 / 1e6,
        slowest.0,
        slowest.1.display(),
    );
    assert!(messages > 2_900, "only {messages} messages");
}

/// Counts agreement with what a set's authors published, and names what differs.
#[derive(Default)]
pub struct Tally {
    pub agreed: usize,
    pub compared: usize,
    differing: Vec<String>,
}

impl Tally {
    pub fn compare(&mut self, what: &str, found: &str, expected: &str) {
        self.compared += 1;
        if folded(found) == folded(expected) {
            self.agreed += 1;
        } else {
            let short = |text: &str| text.chars().take(160).collect::<String>();
            self.differing.push(format!("{what}\n     found {:?}\n  expected {:?}", short(found), short(expected)));
        }
    }

    /// Prints the share and holds it to a floor just below what was measured.
    pub fn conclude(self, name: &str, floor: f64) {
        let share = self.agreed as f64 / self.compared.max(1) as f64;
        println!("{name}: {} of {} agree ({share:.3})", self.agreed, self.compared);
        self.differing.iter().for_each(|line| println!("  {line}"));
        assert!(share >= floor, "{name}: {share:.3} is below {floor}");
    }
}

/// Blanks do not count: each author folds them differently.
pub fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub fn json_file(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
}

fn address_of(incoming: &Incoming) -> String {
    incoming.sender.identities.first().map(|found| found.identity.value.clone()).unwrap_or_default()
}

/// Addresses are kept in lower case and ASCII.
fn normal_address(address: &str) -> String {
    EmailAddress::parse(address).map_or_else(|_| String::new(), |address| address.as_str().to_owned())
}

/// Zammad's regression mails.
///
/// What differs (27 of 233), and why:
/// - *text* of 001, 010, 011, 017, 026, 036, 043, 047, 062, 106: the mail has a plain and an HTML
///   alternative that say it differently; Zammad reads the HTML, we the plain one. 016, 047: Zammad
///   keeps the title of the HTML document. 017, 036: it shows HTML as text. 018: it leaves UTF-7 as it is.
/// - 023, 046: text or header in GB2312 that declares no charset, or another; Zammad guesses, we read
///   windows-1252.
/// - 087: `From: Test test@example.com`: we take the address in it, Zammad none; and the part
///   that Zammad takes for a file is the text. 054: Zammad finds no text in it.
/// - 016 has no From: we take the Return-Path, Zammad the Reply-To, which here is a statement only.
/// - *attachments*: nameless ones get a name from Zammad (062, 092), forwarded mails are counted with
///   other line ends (014), `filename` and `name` differ (102), HTML between pictures is text to us (062).
/// - 017: the subject is cut at 2,000 bytes. 092: a comment behind the name is part of it.
#[test]
fn zammad() {
    let Some(root) = corpus("zammad") else { return };
    let expected = json_file(&root.join("expected.json"));
    let mut tally = Tally::default();
    for (name, expected) in expected.as_object().expect("an object") {
        let incoming = only(read(std::fs::read(root.join(format!("{name}.box"))).expect("a mail")));
        let found_name = incoming.sender.name.clone().unwrap_or_default();
        // A key that is not there was not tested by the authors.
        let want = |key: &str| expected[key].as_str().map(str::to_owned);
        if let Some(subject) = want("subject") {
            tally.compare(&format!("{name} subject"), incoming.subject.as_deref().unwrap_or_default(), &subject);
        }
        let address = want("from_email").unwrap_or_default();
        tally.compare(&format!("{name} from"), &address_of(&incoming), &normal_address(&address));
        tally.compare(&format!("{name} name"), &found_name, &want("from_display_name").unwrap_or_default());
        if let Some(body) = want("body") {
            let is_html = expected["content_type"] == "text/html";
            let body = if is_html { html::to_text(&body, mime::TEXT_BYTES_MAX) } else { body };
            tally.compare(&format!("{name} text"), text(&incoming), &body.replace("no visible content", ""));
        }
        if let Some(list) = expected["attachments"].as_array() {
            // What Zammad keeps of the HTML it read is no file of the sender's.
            let list = list.iter().filter(|attachment| attachment["preferences"]["original-format"] != json!(true));
            let list: Vec<String> =
                list.map(|a| format!("{} {}", a["filename"].as_str().unwrap_or_default(), a["size"])).collect();
            let found =
                incoming.attachments.iter().map(|a| format!("{} {}", a.name.as_deref().unwrap_or_default(), size(a)));
            tally.compare(&format!("{name} attachments"), &found.collect::<Vec<_>>().join(", "), &list.join(", "));
        }
    }
    tally.conclude("zammad", 0.88);
}

fn size(attachment: &lanka::pure::domain::message::Attachment) -> usize {
    match &attachment.source {
        AttachmentSource::Inline(bytes) => bytes.len(),
        AttachmentSource::Remote(_) => 0,
    }
}

/// The trees that the authors of the crate expect of their own samples.
///
/// What differs (21 of 248), and why:
/// - legacy/010, 027, 052: raw ISO 8859-1 bytes in the header; we read them, they expect U+FFFD.
/// - malformed/001 to 011, 017: boundaries that begin alike, or a multipart without its boundary. We
///   take whole lines for delimiters and show what is left as text; they keep it as a file. (005 has
///   neither sender nor text either way.)
/// - malformed/019 to 021: a delimiter is lost or damaged; they show the next part's source as text.
/// - thirdparty/005: a delimiter in the middle of a line is one to them, text to us.
#[test]
fn stalwart_mail_parser() {
    let Some(root) = corpus("stalwart-mail-parser") else { return };
    let mut paths = Vec::new();
    files(&root, &mut paths);
    let mut tally = Tally::default();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "eml")) {
        let name = path.strip_prefix(&root).expect("below").with_extension("").display().to_string();
        let bytes: Vec<u8> = std::fs::read(path).expect("a mail").into_iter().filter(|&b| b != b'\r').collect();
        let tree = json_file(&path.with_extension("json"));
        let incoming = match read(bytes) {
            parsed if parsed.items.len() == 1 => only(parsed),
            parsed => {
                tally.compare(&name, parsed.faults[0].code, "a message");
                continue;
            }
        };
        let field = |name: &str| {
            let headers = tree["parts"][0]["headers"].as_array().cloned().unwrap_or_default();
            headers
                .into_iter()
                .find(|header| header["name"] == name)
                .map(|header| header["value"].clone())
                .unwrap_or_default()
        };
        tally.compare(
            &format!("{name} subject"),
            incoming.subject.as_deref().unwrap_or_default(),
            field("subject")["Text"].as_str().unwrap_or_default(),
        );
        let from = &field("from")["Address"];
        let first =
            if from["List"].is_array() { from["List"][0].clone() } else { from["Group"][0]["addresses"][0].clone() };
        let address = first["address"].as_str().unwrap_or_default();
        if EmailAddress::parse(address).is_ok() {
            tally.compare(&format!("{name} from"), &address_of(&incoming), &normal_address(address));
        }
        let part = |id: &Value| tree["parts"][id.as_u64().unwrap_or_default() as usize].clone();
        let bodies: Vec<String> = tree["text_body"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|id| {
                let body = part(id)["body"].clone();
                let plain = body["Text"].as_str().map(str::to_owned);
                plain.or_else(|| body["Html"].as_str().map(|source| html::to_text(source, mime::TEXT_BYTES_MAX)))
            })
            .collect();
        tally.compare(&format!("{name} text"), text(&incoming), &bodies.join("\n"));
        let list = tree["attachments"].as_array().map_or(0, Vec::len);
        tally.compare(&format!("{name} attachments"), &incoming.attachments.len().to_string(), &list.to_string());
    }
    tally.conclude("stalwart-mail-parser", 0.91);
}

/// Header fields one by one: addresses, ids, unstructured text. What differs: an id with blanks in it
/// (we take them out, for folding puts them in).
#[test]
fn stalwart_header_fields() {
    let Some(root) = corpus("stalwart-header-fields") else { return };
    let mut tally = Tally::default();
    let entries = |file: &str| json_file(&root.join(file)).as_array().cloned().unwrap_or_default();
    // The lists hold whole stretches of a header: the field ends where no folded line follows.
    let value = |entry: &Value| {
        let raw = entry["header"].as_str().unwrap_or_default().to_owned();
        let mut lines = raw.split_inclusive('\n');
        let first = lines.next().unwrap_or_default().to_owned();
        lines.take_while(|line| line.starts_with([' ', '\t'])).fold(first, |all, line| all + line)
    };
    for entry in entries("unstructured.json") {
        let raw = value(&entry);
        tally.compare(
            &format!("unstructured {raw:?}"),
            &mail_parts::decode_unstructured(raw.as_bytes(), None),
            entry["expected"].as_str().unwrap_or_default(),
        );
    }
    for entry in entries("id.json") {
        let raw = value(&entry);
        let list: Vec<String> = entry["expected"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|id| id.as_str().unwrap_or_default().to_owned())
            .collect();
        tally.compare(
            &format!("id {raw:?}"),
            &mail_parts::decode_ids(raw.as_bytes(), 100).join(", "),
            &list.join(", "),
        );
    }
    for entry in entries("address.json") {
        let raw = value(&entry);
        let list = entry["expected"]["List"].as_array().cloned().unwrap_or_default();
        let groups = entry["expected"]["Group"].as_array().cloned().unwrap_or_default();
        let all = list
            .into_iter()
            .chain(groups.iter().flat_map(|group| group["addresses"].as_array().cloned().unwrap_or_default()));
        let line = |name: &str, address: &str| format!("{name} <{address}>");
        let expected: Vec<String> = all
            .map(|a| line(a["name"].as_str().unwrap_or_default(), a["address"].as_str().unwrap_or_default()))
            .collect();
        let found: Vec<String> =
            mail_parts::decode_addresses(raw.as_bytes(), None, 100).iter().map(|m| line(&m.name, &m.address)).collect();
        tally.compare(&format!("address {raw:?}"), &found.join(", "), &expected.join(", "));
    }
    tally.conclude("stalwart-header-fields", 0.98);
}

/// What the authors' server answers to `Email/get`. (`Email/parse` is about a mail within the mail,
/// which stays an attachment here; BODYSTRUCTURE has no counterpart.)
#[test]
fn stalwart_mail_server() {
    let Some(root) = corpus("stalwart-mail-server/jmap/email_get") else { return };
    let mut paths = Vec::new();
    files(&root, &mut paths);
    let mut tally = Tally::default();
    for path in paths.iter().filter(|path| {
        path.extension().is_some_and(|extension| extension == "eml") && path.with_extension("json").exists()
    }) {
        let name = path.strip_prefix(&root).expect("below").display().to_string();
        let expected = json_file(&path.with_extension("json"));
        let incoming = only(read(std::fs::read(path).expect("a mail")));
        if let Some(subject) = expected["subject"].as_str() {
            tally.compare(&format!("{name} subject"), incoming.subject.as_deref().unwrap_or_default(), subject);
        }
        if let Some(address) = expected["from"][0]["email"].as_str() {
            tally.compare(&format!("{name} from"), &address_of(&incoming), &normal_address(address));
            tally.compare(
                &format!("{name} name"),
                incoming.sender.name.as_deref().unwrap_or_default(),
                expected["from"][0]["name"].as_str().unwrap_or_default(),
            );
        }
        if let Some(id) = expected["messageId"][0].as_str() {
            tally.compare(&format!("{name} id"), &incoming.source_key, id);
        }
        if expected["textBody"].is_array() && expected["bodyValues"].is_object() {
            let bodies: Vec<String> = expected["textBody"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|part| {
                    let body = &expected["bodyValues"][part["partId"].as_str()?];
                    let source = body["value"].as_str().filter(|_| body["isTruncated"] != json!(true))?;
                    Some(if part["type"] == "text/html" {
                        html::to_text(source, mime::TEXT_BYTES_MAX)
                    } else {
                        source.to_owned()
                    })
                })
                .collect();
            if !bodies.is_empty() {
                tally.compare(&format!("{name} text"), text(&incoming), &bodies.join("\n"));
            }
        }
        if let Some(list) = expected["attachments"].as_array() {
            let list: Vec<&str> = list.iter().map(|part| part["type"].as_str().unwrap_or_default()).collect();
            let found: Vec<&str> = incoming.attachments.iter().map(|a| a.media_type.as_str()).collect();
            tally.compare(&format!("{name} attachments"), &found.join(", "), &list.join(", "));
        }
    }
    tally.conclude("stalwart-mail-server", 1.0);
}

#[test]
fn settings_name_their_kind() {
    let setup = Setup { name: "mail", region: "FI", time_zone: &jiff::tz::TimeZone::UTC };
    let maildir = kind("maildir").expect("the kind");
    let table = "path = \"/var/mail/x\"\naddresses = [\"support@example.fi\"]".parse().expect("TOML");
    let built = (maildir.build)(&setup, table).map_err(|problems| format!("{problems:?}")).expect("good settings");
    assert!(matches!(built.intake, Intake::Drop(_)));
    let parsed = built.channel.parse(&event("From: a@example.com\n\nhello"));
    assert_eq!(only(parsed).content, Content::Text("hello".to_owned()));
}
