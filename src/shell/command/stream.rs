//! `--events` and `--profiles`: a recorded stream of deliveries, and the names that went with it.
//!
//! One JSON object a line, in order of arrival: `{"channel","received_at","encoding":"utf-8"|"base64",
//! "raw"}`. Other keys are passed over, so that a stream may carry its own notes. `lanka export raw`
//! writes this form.
//!
//! **Invariant:** the whole stream is checked before anything of it is stored.

use super::Failure;
use super::history::unreadable;
use crate::pure::channels::messenger;
use crate::pure::domain::Timestamp;
use crate::pure::wire::settings::nearest;
use crate::shell::ingest::Profiles;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// A longer line is no delivery that any intake would have taken. Bytes.
const LINE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Mistakes shown; the rest is alike.
const MISTAKES_SHOWN_MAX: usize = 10;

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
    pub(super) fn of(channel: &'a str, received_at: Timestamp, body: &'a [u8]) -> Self {
        let (encoding, raw) = match std::str::from_utf8(body) {
            Ok(text) => (Encoding::Utf8, Cow::Borrowed(text)),
            Err(_) => (Encoding::Base64, Cow::Owned(STANDARD.encode(body))),
        };
        Self { channel: channel.into(), received_at, encoding, raw }
    }

    /// Reads a line of a stream.
    pub(super) fn parse(line: &'a [u8]) -> Result<Self, String> {
        serde_json::from_slice(line).map_err(|error| error.to_string())
    }

    /// The payload's bytes.
    pub(super) fn body(&self) -> Result<Vec<u8>, String> {
        match self.encoding {
            Encoding::Utf8 => Ok(self.raw.as_bytes().to_vec()),
            Encoding::Base64 => {
                STANDARD.decode(self.raw.as_bytes()).map_err(|error| format!("raw is not base64: {error}"))
            }
        }
    }

    fn check(&self, now: Timestamp) -> Result<(), String> {
        let latest = now.saturating_add(AHEAD_MAX).unwrap_or(now);
        if self.received_at < OLDEST || self.received_at > latest {
            return Err("received_at cannot be: it lies before mail was invented, or in the future".to_owned());
        }
        self.body().map(|_| ())
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
    /// The next line that is not blank, with its number; none at the end.
    pub(super) fn next_line(&mut self) -> Result<Option<(u64, &[u8])>, Failure> {
        loop {
            self.line.clear();
            let read = self.reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut self.line);
            let bytes = read.map_err(|error| unreadable(&self.path, &error))? as u64;
            self.number += 1;
            if bytes == LINE_BYTES_MAX {
                let place = format!("{}:{}", self.path.display(), self.number);
                return Err(Failure::Failed(format!("{place}: the line is longer than {LINE_BYTES_MAX} bytes")));
            }
            if bytes == 0 {
                return Ok(None);
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(Some((self.number, &self.line)));
            }
        }
    }
}

/// Reads a whole stream for mistakes: lines that are not of the form, channels that are not configured.
/// Gives how many deliveries there are.
pub(super) fn check(path: &Path, configured: &[String]) -> Result<u64, Failure> {
    let now = Timestamp::now();
    let (mut count, mut mistakes) = (0, Vec::new());
    let mut unknown: BTreeMap<String, u64> = BTreeMap::new();
    let mut stream = open(path)?;
    while let Some((number, line)) = stream.next_line()? {
        count += 1;
        match Recorded::parse(line).and_then(|recorded| recorded.check(now).map(|()| recorded)) {
            Ok(recorded) if !configured.iter().any(|name| *name == recorded.channel) => {
                *unknown.entry(recorded.channel.into_owned()).or_default() += 1;
            }
            Ok(_) => {}
            Err(error) => mistakes.push(format!("{}:{number}: {error}", path.display())),
        }
        if mistakes.len() >= MISTAKES_SHOWN_MAX {
            return Err(Failure::Failed(said(&mistakes)));
        }
    }
    for (name, count) in unknown {
        let near = nearest(&name, configured.iter().map(String::as_str));
        let near = near.map(|near| format!(", did you mean \"{near}\"?")).unwrap_or_default();
        let these = if count == 1 { "1 delivery names".to_owned() } else { format!("{count} deliveries name") };
        mistakes.push(format!(
            "{}: {these} the channel \"{name}\", and no such channel is configured{near}",
            path.display()
        ));
    }
    match mistakes.is_empty() {
        true => Ok(count),
        false => Err(Failure::Failed(said(&mistakes))),
    }
}

fn said(mistakes: &[String]) -> String {
    format!("nothing was imported. {}", mistakes.join("\nlanka: "))
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

    #[test]
    fn mistakes_are_found_before_anything_is_stored() {
        let good =
            r#"{"event_id":"e1","channel":"mail","received_at":"2026-03-02T10:00:00Z","encoding":"utf-8","raw":"a"}"#;
        let table = [
            (good.to_owned(), Ok(1)),
            (format!("{good}\n\n{good}\n"), Ok(2)),
            (good.replace("\"mail\"", "\"mial\""), Err("did you mean \"mail\"?")),
            (good.replace("utf-8", "latin-1"), Err(":1: unknown variant")),
            (good.replace("utf-8", "base64"), Err(":1: raw is not base64")),
            (good.replace("2026", "2999"), Err("received_at cannot be")),
            (format!("{good}\nno"), Err(":2: expected")),
        ];
        for (content, expected) in table {
            let dir = tempfile::tempdir().expect("a directory");
            let path = dir.path().join("events.jsonl");
            std::fs::write(&path, &content).expect("a file");
            match (check(&path, &["mail".to_owned(), "phone".to_owned()]), expected) {
                (Ok(count), Ok(expected)) => assert_eq!(count, expected),
                (Err(failure), Err(part)) => assert!(failure.to_string().contains(part), "{content}: {failure}"),
                (result, expected) => panic!("{content}: {result:?}, not {expected:?}"),
            }
        }
    }

    #[test]
    fn bytes_that_are_no_text_come_back_whole() {
        for body in [b"text \xc3\xa4".as_slice(), b"\xff\x00\x01"] {
            let line = serde_json::to_string(&Recorded::of("mail", Timestamp::now(), body)).expect("JSON");
            let back: Recorded<'_> = serde_json::from_str(&line).expect("its own form");
            assert_eq!(back.body().expect("bytes"), body);
        }
    }
}
