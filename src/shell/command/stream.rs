//! `--events` and `--profiles`: a recorded stream of deliveries, and the names that went with it.
//!
//! One JSON object a line, in order of arrival: `{"channel","received_at","trusted_at"?,
//! "encoding":"utf-8"|"base64","raw"}`. `trusted_at` is when a server that we trust had it, where one did
//! (INTERNALDATE, the date of an mbox). Other keys are passed over, so that a stream may carry its own
//! notes. `lanka export raw` writes this form.
//!
//! **Invariant:** a line that cannot be taken costs no other line, and is told with its number.

use super::Failure;
use super::history::unreadable;
use crate::pure::channels::messenger;
use crate::pure::domain::Timestamp;
use crate::pure::domain::message::RawEvent;
use crate::pure::wire::settings::nearest;
use crate::shell::registry::Profiles;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// A longer line is no delivery that any intake would have taken. Bytes.
const LINE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Mistakes told one by one; the rest is counted.
const MISTAKES_TOLD_MAX: usize = 100;

/// Bytes read at once.
const READ_BYTES: usize = 256 * 1024;

/// A file of profiles is read whole: some million names fit in this. Bytes.
const PROFILES_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Before this nothing can have been received: computers had no mail.
const OLDEST: Timestamp = Timestamp::constant(315_532_800, 0);

/// How far ahead a recorded time may be: the clock of another machine.
const AHEAD_MAX: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// A delivery of the stream.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Recorded<'a> {
    /// The configured channel's name.
    #[serde(borrow)]
    pub channel: Cow<'a, str>,
    /// When it came in.
    pub received_at: Timestamp,
    /// When a server that we trust had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_at: Option<Timestamp>,
    /// How `raw` stands for bytes.
    pub encoding: Encoding,
    /// The payload as it was delivered.
    #[serde(borrow)]
    pub raw: Cow<'a, str>,
}

/// How text stands for bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(super) enum Encoding {
    /// It is the bytes.
    #[serde(rename = "utf-8")]
    Utf8,
    /// Their base64.
    #[serde(rename = "base64")]
    Base64,
}

impl<'a> Recorded<'a> {
    /// A delivery as the stream shows it: text where the bytes are text.
    pub(super) fn of(event: &'a RawEvent) -> Self {
        let (encoding, raw) = match std::str::from_utf8(&event.body) {
            Ok(text) => (Encoding::Utf8, Cow::Borrowed(text)),
            Err(_) => (Encoding::Base64, Cow::Owned(STANDARD.encode(&event.body))),
        };
        let (received_at, trusted_at) = (event.received_at, event.trusted_at);
        Self { channel: event.channel.as_str().into(), received_at, trusted_at, encoding, raw }
    }

    /// Reads a line of a stream, or says in words why it cannot be taken.
    pub(super) fn parse(line: &'a [u8], now: Timestamp) -> Result<Self, String> {
        let recorded: Self = serde_json::from_slice(line).map_err(|_| why_not(line))?;
        let latest = now.saturating_add(AHEAD_MAX).unwrap_or(now);
        match (OLDEST..=latest).contains(&recorded.received_at) {
            true => Ok(recorded),
            false => Err("`received_at` cannot be: it lies before mail was invented, or in the future".to_owned()),
        }
    }

    /// The payload's bytes.
    pub(super) fn body(&self) -> Result<Vec<u8>, String> {
        match self.encoding {
            Encoding::Utf8 => Ok(self.raw.as_bytes().to_vec()),
            Encoding::Base64 => {
                STANDARD.decode(self.raw.as_bytes()).map_err(|error| format!("`raw` is not base64: {error}"))
            }
        }
    }
}

/// Why a line is no delivery, in words: what the parser of JSON says helps nobody to mend it.
fn why_not(line: &[u8]) -> String {
    let value: Value = match serde_json::from_slice(line) {
        Ok(value) => value,
        Err(_) if std::str::from_utf8(line).is_err() => {
            return "it is not UTF-8; bytes that are no text go into `raw` as base64".to_owned();
        }
        Err(error) if error.is_eof() => return "the line ends in the middle of its JSON: was it cut off?".to_owned(),
        Err(error) => return format!("it is not JSON (character {} is where it goes wrong)", error.column()),
    };
    let Some(object) = value.as_object() else {
        return "it is JSON, but no object like {\"channel\": …, \"received_at\": …, \"encoding\": …, \"raw\": …}"
            .to_owned();
    };
    for key in ["channel", "received_at", "encoding", "raw"] {
        match object.get(key) {
            None => return format!("`{key}` is missing"),
            Some(Value::String(_)) => {}
            Some(_) => return format!("`{key}` is not text in quotes"),
        }
    }
    let is_time = |key: &str| match object.get(key) {
        None | Some(Value::Null) => true,
        Some(value) => value.as_str().is_some_and(|text| text.parse::<Timestamp>().is_ok()),
    };
    match ["received_at", "trusted_at"].into_iter().find(|key| !is_time(key)) {
        Some(key) => format!("`{key}` is not a time like 2026-03-02T10:00:00Z"),
        None => "`encoding` is neither \"utf-8\" nor \"base64\"".to_owned(),
    }
}

/// A stream, read line by line.
pub(super) struct Stream {
    path: PathBuf,
    reader: BufReader<File>,
    line: Vec<u8>,
    number: u64,
}

/// Opens a stream.
pub(super) fn open(path: &Path) -> Result<Stream, Failure> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    Ok(Stream {
        path: path.to_owned(),
        reader: BufReader::with_capacity(READ_BYTES, file),
        line: Vec::new(),
        number: 0,
    })
}

impl Stream {
    /// The next line that is not blank, with its number; none at the end. Of a line that is too long
    /// only that is told.
    pub(super) fn next_line(&mut self) -> Result<Option<(u64, Result<&[u8], String>)>, Failure> {
        loop {
            self.number += 1;
            let bytes = self.read_some()?;
            if bytes == 0 {
                return Ok(None);
            }
            if bytes == LINE_BYTES_MAX && self.line.last() != Some(&b'\n') {
                while self.line.last().is_some_and(|last| *last != b'\n') {
                    self.read_some()?;
                }
                return Ok(Some((self.number, Err(format!("the line is longer than {LINE_BYTES_MAX} bytes")))));
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(Some((self.number, Ok(&self.line))));
            }
        }
    }

    fn read_some(&mut self) -> Result<u64, Failure> {
        self.line.clear();
        let read = self.reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut self.line);
        Ok(read.map_err(|error| unreadable(&self.path, &error))? as u64)
    }
}

/// What of a stream was not imported, and why.
#[derive(Debug, Default)]
pub(super) struct Mistakes {
    /// Lines that were not imported.
    count: u64,
    told: Vec<String>,
    /// Lines that name a channel which is not configured: the first, and how many.
    unknown: BTreeMap<String, (u64, u64)>,
}

impl Mistakes {
    /// Notes a line that could not be read.
    pub(super) fn note(&mut self, path: &Path, number: u64, why: &str) {
        self.count += 1;
        if self.told.len() < MISTAKES_TOLD_MAX {
            self.told.push(format!("{}:{number}: {why}", path.display()));
        }
    }

    /// Notes a line of a channel that is not configured.
    pub(super) fn note_channel(&mut self, number: u64, name: &str) {
        self.count += 1;
        // A stream of other things may name a new one on each line.
        if self.unknown.len() < MISTAKES_TOLD_MAX || self.unknown.contains_key(name) {
            self.unknown.entry(name.to_owned()).or_insert((number, 0)).1 += 1;
        }
    }

    /// The sentences about all of them and the count, if there were any.
    pub(super) fn told(self, path: &Path, configured: &[&str]) -> Option<(Vec<String>, Failure)> {
        let Self { count, mut told, unknown } = self;
        let mut so_far = told.len() as u64;
        for (name, (first, lines)) in unknown {
            let near = nearest(&name, configured.iter().copied());
            let near = match near {
                Some(near) => format!(", did you mean \"{near}\"?"),
                None => format!("; these are: {}", configured.join(", ")),
            };
            let these = if lines == 1 { "1 delivery names".to_owned() } else { format!("{lines} deliveries name") };
            told.push(format!(
                "{}:{first}: {these} the channel \"{name}\", and no such channel is configured{near}",
                path.display()
            ));
            so_far += lines;
        }
        if count > so_far {
            told.push(format!("{}: and {} more such lines", path.display(), count - so_far));
        }
        let lines = if count == 1 { "1 line".to_owned() } else { format!("{count} lines") };
        let failure = Failure::Failed(format!(
            "{lines} of {} were not imported, the others were; mend them and import the file again: what is known already is not taken twice",
            path.display()
        ));
        (count > 0).then_some((told, failure))
    }
}

/// A name as the vendor's profile API gives it.
#[derive(Debug, Deserialize)]
struct Profile {
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
}

/// Reads names of profiles: `{"id": {"first_name", "last_name"}}`.
pub(super) fn profiles(path: &Path) -> Result<Profiles, Failure> {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(PROFILES_BYTES_MAX).read_to_end(&mut text));
    read.map_err(|error| unreadable(path, &error))?;
    let profiles: HashMap<String, Profile> = serde_json::from_slice(&text).map_err(|error| {
        let wanted = "write {\"id\": {\"first_name\": \"…\", \"last_name\": \"…\"}}";
        Failure::Failed(format!("{}: {error}; {wanted}", path.display()))
    })?;
    let name =
        |profile: Profile| format!("{} {}", profile.first_name.trim(), profile.last_name.trim()).trim().to_owned();
    let names = profiles.into_iter().map(|(id, profile)| (id, name(profile))).filter(|(_, name)| !name.is_empty());
    Ok(Profiles { scheme: messenger::SCHEME, names: names.collect() })
}

/// Where a recorded delivery came from, in words.
pub(super) fn origin(path: &Path, number: u64) -> String {
    let name = path.file_name().map_or_else(|| PathBuf::from(path), PathBuf::from);
    format!("imported from {}, line {number}", name.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::id::RawEventId;

    #[test]
    fn a_line_is_read_or_its_mistake_named() {
        let good =
            r#"{"event_id":"e1","channel":"mail","received_at":"2026-03-02T10:00:00Z","encoding":"utf-8","raw":"a"}"#;
        let dated = good.replace("\"raw\"", "\"trusted_at\":\"2024-03-02T10:00:00Z\",\"raw\"");
        let table = [
            (good.to_owned(), Ok("a")),
            (dated.clone(), Ok("a")),
            (good.replace("utf-8", "latin-1"), Err("`encoding` is neither \"utf-8\" nor \"base64\"")),
            (good.replace("utf-8", "base64"), Err("`raw` is not base64")),
            (good.replace("2026", "2999"), Err("`received_at` cannot be")),
            (good.replace("2026-03-02T10", "yesterday"), Err("`received_at` is not a time")),
            (dated.replace("2024-03-02T10", "never"), Err("`trusted_at` is not a time")),
            (good.replace("\"mail\"", "7"), Err("`channel` is not text")),
            (good.replace("\"raw\"", "\"row\""), Err("`raw` is missing")),
            (good[..50].to_owned(), Err("cut off?")),
            ("[1]".to_owned(), Err("no object like")),
            ("no".to_owned(), Err("it is not JSON (character 2")),
        ];
        for (line, expected) in table {
            let read = Recorded::parse(line.as_bytes(), Timestamp::now()).and_then(|recorded| recorded.body());
            match (read, expected) {
                (Ok(body), Ok(expected)) => assert_eq!(body, expected.as_bytes(), "{line}"),
                (Err(why), Err(part)) => assert!(why.contains(part), "{line}: {why}"),
                (read, expected) => panic!("{line}: {read:?}, not {expected:?}"),
            }
        }
    }

    #[test]
    fn what_was_not_imported_is_told_once_each() {
        let (path, configured) = (Path::new("e.jsonl"), ["mail", "phone"]);
        let mut mistakes = Mistakes::default();
        mistakes.note(path, 2, "it is not JSON");
        for (number, name) in [(3, "mial"), (4, "mial"), (9, "x")] {
            mistakes.note_channel(number, name);
        }
        let (told, failure) = mistakes.told(path, &configured).expect("mistakes");
        assert_eq!(
            told,
            [
                "e.jsonl:2: it is not JSON",
                "e.jsonl:3: 2 deliveries name the channel \"mial\", and no such channel is configured, did you mean \"mail\"?",
                "e.jsonl:9: 1 delivery names the channel \"x\", and no such channel is configured; these are: mail, phone",
            ]
        );
        assert!(failure.to_string().starts_with("4 lines of e.jsonl were not imported, the others were"), "{failure}");
        assert!(Mistakes::default().told(path, &configured).is_none());
    }

    #[test]
    fn bytes_that_are_no_text_come_back_whole() {
        for body in [b"text \xc3\xa4".as_slice(), b"\xff\x00\x01"] {
            let now = Timestamp::now();
            let event = RawEvent {
                id: RawEventId(uuid::Uuid::nil()),
                tenant: String::new(),
                channel: "mail".to_owned(),
                kind: String::new(),
                received_at: now,
                trusted_at: Some(OLDEST),
                origin: String::new(),
                body: bytes::Bytes::copy_from_slice(body),
            };
            let line = serde_json::to_string(&Recorded::of(&event)).expect("JSON");
            let back = Recorded::parse(line.as_bytes(), now).expect("its own form");
            assert_eq!((back.body().expect("bytes").as_slice(), back.trusted_at), (body, Some(OLDEST)));
        }
    }
}
