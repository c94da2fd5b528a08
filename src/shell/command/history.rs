//! Files → deliveries, one after the other: what `import` stores and `parse` reads.
//!
//! | form | a delivery is |
//! |---|---|
//! | mail | a file; each mail of an mbox (a file that begins with `From `); each file of a Maildir or folder |
//! | bodies of webhooks | the whole file; each line, where every line is JSON by itself |
//! | lines of a log | a line (`import`), or the whole file in large pieces (`parse`) |
//!
//! An mbox is read as *mboxrd*: a line `>From ` within a mail loses one `>`. *mboxo* differs only where
//! a mail itself quotes a quoted line. A new mail begins at `From ` after an empty line, if the line
//! holds a time and a year: mails whose `From ` was never quoted stay whole.
//!
//! **Invariant:** memory holds one delivery, whatever the size of a file; one over its limit is passed
//! by, and said so.

use super::Failure;
use crate::pure::channels::Form;
use crate::pure::domain::Timestamp;
use crate::pure::wire::mime;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// One delivery of a file.
#[derive(Debug)]
pub(super) struct Delivery {
    /// The file it is in.
    pub file: PathBuf,
    /// Where in the file, in words; empty for the whole of it.
    pub place: String,
    /// When the mail was delivered, as far as the file tells.
    pub delivered_at: Option<Timestamp>,
    /// Its size. Bytes.
    pub bytes: u64,
    /// Its bytes; none when they are over the limit.
    pub body: Option<Vec<u8>>,
}

/// How files are cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// What they hold.
    pub form: Form,
    /// A larger delivery is passed by; of a longer line in a piece so much is kept. Bytes.
    pub bytes_max: u64,
    /// For logs: lines that make one delivery, together at least so many bytes. Zero: each line.
    pub piece_bytes: usize,
}

/// The deliveries of a file or directory, in its order.
pub(super) type Deliveries = Box<dyn Iterator<Item = io::Result<Delivery>>>;

/// A file that cannot be read.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::Failed(format!("cannot read {}: {error}", path.display()))
}

/// Bytes of a file, or of all files of a directory, for the progress bar.
pub(super) fn size(path: &Path) -> u64 {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => maildir_files(path)
            .unwrap_or_default()
            .iter()
            .filter_map(|file| fs::metadata(file).ok())
            .map(|m| m.len())
            .sum(),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    }
}

/// Opens a file or directory.
pub(super) fn open(path: &Path, cut: Cut) -> io::Result<Deliveries> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        let files = maildir_files(path)?;
        return match cut.form {
            Form::Mail if is_maildir(path) => {
                Ok(Box::new(files.into_iter().map(move |file| whole(&file, cut.bytes_max, true))))
            }
            Form::Mail => {
                Ok(Box::new(files.into_iter().flat_map(move |file| {
                    open(&file, cut).unwrap_or_else(|error| Box::new(std::iter::once(Err(error))))
                })))
            }
            Form::Body | Form::Line => Err(io::Error::other("it is a directory; name the files in it")),
        };
    }
    let mut reader = BufReader::with_capacity(READ_BYTES, File::open(path)?);
    let path = path.to_owned();
    match cut.form {
        Form::Mail if reader.fill_buf()?.starts_with(b"From ") => Ok(Box::new(Mbox::new(path, reader, cut.bytes_max)?)),
        Form::Body if is_json_lines(&path)? => Ok(Box::new(Lines::new(path, reader, Cut { piece_bytes: 0, ..cut }))),
        Form::Line => Ok(Box::new(Lines::new(path, reader, cut))),
        Form::Mail | Form::Body => Ok(Box::new(std::iter::once_with(move || whole(&path, cut.bytes_max, false)))),
    }
}

/// Bytes read at once.
const READ_BYTES: usize = 64 * 1024;

/// Lines looked at to tell JSON lines from one JSON document: of the first two, one may be broken.
const SAMPLE_LINES: usize = 2;

/// Bytes of a file that are looked at for that. A longer first line is a document.
const SAMPLE_BYTES: u64 = 8 * 1024 * 1024;

/// A file as one delivery.
fn whole(path: &Path, bytes_max: u64, is_maildir: bool) -> io::Result<Delivery> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let delivered_at = if is_maildir { maildir_time(path, &metadata) } else { None };
    let mut body = Vec::new();
    let bytes = file.take(bytes_max.saturating_add(1)).read_to_end(&mut body)? as u64;
    let body = (bytes <= bytes_max).then_some(body);
    Ok(Delivery { file: path.to_owned(), place: String::new(), delivered_at, bytes: bytes.max(metadata.len()), body })
}

/// The files of a Maildir in order of their names, which begin with the time of delivery. A directory
/// without `cur` and `new` is taken as it is: a folder of mails.
fn maildir_files(path: &Path) -> io::Result<Vec<PathBuf>> {
    let folders = if is_maildir(path) { vec![path.join("cur"), path.join("new")] } else { vec![path.to_owned()] };
    let mut files = Vec::new();
    for folder in folders.into_iter().filter(|folder| folder.is_dir()) {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if !hidden && fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_file()) {
                files.push(entry.path());
            }
        }
    }
    files.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
    Ok(files)
}

fn is_maildir(path: &Path) -> bool {
    path.join("cur").is_dir() || path.join("new").is_dir()
}

/// The seconds that a Maildir file's name begins with, else the time it was written.
fn maildir_time(path: &Path, metadata: &fs::Metadata) -> Option<Timestamp> {
    let name = path.file_name()?.to_str()?;
    let named = name.split('.').next().and_then(|seconds| seconds.parse().ok());
    let named = named.and_then(|seconds| Timestamp::from_second(seconds).ok()).filter(|at| is_sane(*at));
    named.or_else(|| {
        let written = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Timestamp::from_second(i64::try_from(written.as_secs()).ok()?).ok().filter(|at| is_sane(*at))
    })
}

/// Mail is not older than this, and a stamp of 1970 means "unknown".
const OLDEST: Timestamp = Timestamp::constant(315_532_800, 0);

fn is_sane(at: Timestamp) -> bool {
    at > OLDEST && at <= Timestamp::now()
}

/// When an old mail was delivered, as well as can be told: the earlier of what its folder says and the
/// topmost Received field; the Date field only where there is neither, as in a folder of sent mail.
pub(super) fn delivered_at(delivery: &Delivery) -> Option<Timestamp> {
    let (received, stated) = delivery.body.as_deref().map(mime::stamps).unwrap_or_default();
    let sane = |at: Option<Timestamp>| at.filter(|at| is_sane(*at));
    [delivery.delivered_at, sane(received)].into_iter().flatten().min().or_else(|| sane(stated))
}

/// Whether one of the first lines is JSON by itself and another follows.
fn is_json_lines(path: &Path) -> io::Result<bool> {
    let mut reader = BufReader::new(File::open(path)?.take(SAMPLE_BYTES));
    let mut line = Vec::new();
    for _ in 0..SAMPLE_LINES {
        line.clear();
        reader.read_until(b'\n', &mut line)?;
        let is_object = line.trim_ascii_start().first().is_some_and(|b| matches!(b, b'{' | b'['));
        if line.ends_with(b"\n") && is_object && serde_json::from_slice::<serde::de::IgnoredAny>(&line).is_ok() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads a line of at most `bytes_max`; of a longer one nothing is kept. Gives its size.
fn read_line(reader: &mut impl BufRead, bytes_max: u64, line: &mut Vec<u8>) -> io::Result<u64> {
    let mut bytes = reader.by_ref().take(bytes_max.saturating_add(1)).read_until(b'\n', line)? as u64;
    if bytes > bytes_max && !line.ends_with(b"\n") {
        loop {
            let (used, is_end) = match reader.fill_buf()? {
                [] => break,
                part => match part.iter().position(|b| *b == b'\n') {
                    Some(at) => (at + 1, true),
                    None => (part.len(), false),
                },
            };
            reader.consume(used);
            bytes += used as u64;
            if is_end {
                break;
            }
        }
    }
    Ok(bytes)
}

/// A file of lines.
struct Lines {
    file: PathBuf,
    reader: BufReader<File>,
    cut: Cut,
    /// Lines read so far.
    number: u64,
}

impl Lines {
    fn new(file: PathBuf, reader: BufReader<File>, cut: Cut) -> Self {
        Self { file, reader, cut, number: 0 }
    }

    fn read(&mut self) -> io::Result<Option<Delivery>> {
        let mut body = Vec::new();
        let (mut bytes, mut first, mut is_whole) = (0, None, true);
        loop {
            let before = body.len();
            let line = read_line(&mut self.reader, self.cut.bytes_max, &mut body)?;
            if line == 0 {
                break;
            }
            self.number += 1;
            bytes += line;
            if line > self.cut.bytes_max {
                is_whole = self.cut.piece_bytes > 0;
                match is_whole {
                    // Its beginning stands for it: whoever reads the piece sees that it is too long.
                    true if !body.ends_with(b"\n") => body.push(b'\n'),
                    true => {}
                    false => body.truncate(before),
                }
            }
            let is_blank = body[before..].trim_ascii().is_empty() && is_whole;
            if is_blank && self.cut.piece_bytes == 0 {
                body.clear();
                bytes = 0;
                continue;
            }
            first.get_or_insert(self.number);
            if body.len() >= self.cut.piece_bytes {
                break;
            }
        }
        let Some(first) = first else { return Ok(None) };
        let place = format!("line {first}");
        Ok(Some(Delivery { file: self.file.clone(), place, delivered_at: None, bytes, body: is_whole.then_some(body) }))
    }
}

impl Iterator for Lines {
    type Item = io::Result<Delivery>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// An mbox.
struct Mbox {
    file: PathBuf,
    reader: BufReader<File>,
    bytes_max: u64,
    /// The `From ` line of the mail that comes next; none at the end.
    from: Option<Vec<u8>>,
    /// Mails read so far.
    number: u64,
}

impl Mbox {
    fn new(file: PathBuf, mut reader: BufReader<File>, bytes_max: u64) -> io::Result<Self> {
        let mut from = Vec::new();
        read_line(&mut reader, bytes_max, &mut from)?;
        Ok(Self { file, reader, bytes_max, from: Some(from), number: 0 })
    }

    fn read(&mut self) -> io::Result<Option<Delivery>> {
        let Some(from) = self.from.take() else { return Ok(None) };
        self.number += 1;
        let mut body = Vec::new();
        let (mut bytes, mut line, mut after_blank, mut is_whole) = (0u64, Vec::new(), false, true);
        loop {
            line.clear();
            let length = read_line(&mut self.reader, self.bytes_max, &mut line)?;
            if length == 0 {
                break;
            }
            if after_blank && is_separator(&line) {
                self.from = Some(std::mem::take(&mut line));
                break;
            }
            after_blank = line.trim_ascii_end().is_empty() && length < 3;
            bytes += length;
            is_whole &= bytes <= self.bytes_max;
            match is_whole {
                true => body.extend_from_slice(unquoted(&line)),
                false => body = Vec::new(),
            }
        }
        // The empty line before the next `From ` is the folder's, not the mail's.
        if self.from.is_some() {
            let end = if body.ends_with(b"\r\n") { 2 } else { usize::from(body.ends_with(b"\n")) };
            body.truncate(body.len() - end);
        }
        let place = format!("mail {}", self.number);
        let body = is_whole.then_some(body);
        Ok(Some(Delivery { file: self.file.clone(), place, delivered_at: from_time(&from), bytes, body }))
    }
}

impl Iterator for Mbox {
    type Item = io::Result<Delivery>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// `>From ` without one `>`.
fn unquoted(line: &[u8]) -> &[u8] {
    let quotes = line.iter().take_while(|b| **b == b'>').count();
    match quotes > 0 && line[quotes..].starts_with(b"From ") {
        true => &line[1..],
        false => line,
    }
}

/// Whether a line begins a mail: `From `, and somewhere after it a time and a year.
fn is_separator(line: &[u8]) -> bool {
    line.starts_with(b"From ") && from_words(line).is_some()
}

/// Month, day, time and year of a `From ` line: `From a@b Thu Jan  1 00:00:00 1970`, with a zone before
/// or after the year in some programs' folders.
fn from_words(line: &[u8]) -> Option<[&str; 4]> {
    let text = std::str::from_utf8(line).ok()?;
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let at = words
        .iter()
        .rposition(|word| word.split(':').count() >= 2 && word.split(':').all(|n| n.parse::<u8>().is_ok()))?;
    let year = words[at + 1..].iter().find(|word| word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit()))?;
    Some([words.get(at.checked_sub(2)?)?, words.get(at.checked_sub(1)?)?, words[at], year])
}

/// The time of a `From ` line, read as UTC: the folder names a zone seldom, and hours do not matter here.
fn from_time(line: &[u8]) -> Option<Timestamp> {
    let [month, day, time, year] = from_words(line)?;
    let time = if time.split(':').count() == 2 { format!("{time}:00") } else { time.to_owned() };
    let at = DateTime::strptime("%b %d %H:%M:%S %Y", format!("{month} {day} {time} {year}")).ok()?;
    at.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp()).filter(|at| is_sane(*at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(form: Form) -> Cut {
        Cut { form, bytes_max: 60, piece_bytes: 0 }
    }

    fn read(name: &str, content: &str, cut: Cut) -> Vec<(String, Option<String>)> {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join(name);
        fs::write(&path, content).expect("a file");
        let deliveries = open(&path, cut).expect("it opens");
        let shown = |delivery: io::Result<Delivery>| {
            let delivery = delivery.expect("it reads");
            (delivery.place, delivery.body.map(|body| String::from_utf8(body).expect("text")))
        };
        deliveries.map(shown).collect()
    }

    #[test]
    fn files_are_cut_into_deliveries() {
        let from = "From a@b Thu Aug 22 12:36:23 2002\n";
        let long = "x".repeat(61);
        #[rustfmt::skip]
        let table: Vec<(&str, Cut, String, Vec<(&str, Option<&str>)>)> = vec![
            ("one mail", cut(Form::Mail), "Subject: a\n\nb\n".into(), vec![("", Some("Subject: a\n\nb\n"))]),
            ("too large", cut(Form::Mail), long.clone(), vec![("", None)]),
            ("mbox", cut(Form::Mail), format!("{from}A: 1\n\nx\n\n{from}B: 2\n\ny\n"), vec![("mail 1", Some("A: 1\n\nx\n")), ("mail 2", Some("B: 2\n\ny\n"))]),
            ("quoted", cut(Form::Mail), format!("{from}A: 1\n\n>From x\n>>From y\n>no\n"), vec![("mail 1", Some("A: 1\n\nFrom x\n>From y\n>no\n"))]),
            ("not quoted", cut(Form::Mail), format!("{from}A: 1\n\nFrom me to you\n\nFrom now\n"), vec![("mail 1", Some("A: 1\n\nFrom me to you\n\nFrom now\n"))]),
            ("no blank line", cut(Form::Mail), format!("{from}A: 1\n\nx\n{from}"), vec![("mail 1", Some(&*format!("A: 1\n\nx\n{from}").leak()))]),
            ("CRLF", cut(Form::Mail), format!("From - Thu Aug 22 12:36:23 2002\r\nA: 1\r\n\r\nx\r\n\r\n{from}B: 2\n"), vec![("mail 1", Some("A: 1\r\n\r\nx\r\n")), ("mail 2", Some("B: 2\n"))]),
            ("large mail among others", cut(Form::Mail), format!("{from}A: 1\n\n{long}\n\n{from}B: 2\n"), vec![("mail 1", None), ("mail 2", Some("B: 2\n"))]),
            ("one body", cut(Form::Body), "{\n \"a\": 1\n}\n".into(), vec![("", Some("{\n \"a\": 1\n}\n"))]),
            ("bodies", cut(Form::Body), "{\"a\":1}\n\n{\"b\":2}".into(), vec![("line 1", Some("{\"a\":1}\n")), ("line 3", Some("{\"b\":2}"))]),
            ("the first body is broken", cut(Form::Body), "{\"a\n{\"b\":2}\n".into(), vec![("line 1", Some("{\"a\n")), ("line 2", Some("{\"b\":2}\n"))]),
            ("no JSON", cut(Form::Body), "a\nb\n".into(), vec![("", Some("a\nb\n"))]),
            ("lines", cut(Form::Line), format!("a\n{long}\n\nb"), vec![("line 1", Some("a\n")), ("line 2", None), ("line 4", Some("b"))]),
            ("pieces", Cut { piece_bytes: 4, ..cut(Form::Line) }, format!("a\nb\nc\n{long}\nd\n"), vec![("line 1", Some("a\nb\n")), ("line 3", Some(&*format!("c\n{long}\n").leak())), ("line 5", Some("d\n"))]),
            ("nothing", cut(Form::Line), String::new(), vec![]),
        ];
        for (name, cut, content, expected) in table {
            let expected: Vec<(String, Option<String>)> =
                expected.into_iter().map(|(place, body)| (place.to_owned(), body.map(str::to_owned))).collect();
            assert_eq!(read("file", &content, cut), expected, "{name}");
        }
    }

    #[test]
    fn folders_tell_when_a_mail_was_delivered() {
        let table = [
            ("From a@b Thu Aug 22 12:36:23 2002", Some("2002-08-22T12:36:23Z")),
            ("From - Tue Mar 03 10:00:00 2015", Some("2015-03-03T10:00:00Z")),
            ("From a at b.example  Sat Jan  3 01:02 2009", Some("2009-01-03T01:02:00Z")),
            ("From 123@xxx Mon Jan 05 00:00:01 +0000 2015", Some("2015-01-05T00:00:01Z")),
            ("From mboxrd@z Thu Jan  1 00:00:00 1970", None),
            ("From a@b Thu Aug 22 12:36:23 9999", None),
            ("From me to you at 10:00", None),
            ("From ", None),
        ];
        for (line, expected) in table {
            assert_eq!(from_time(line.as_bytes()), expected.map(|at| at.parse().expect("a time")), "{line}");
        }
    }

    #[test]
    fn the_earlier_stamp_counts_and_the_date_only_without_any() {
        let received = "Received: from a by b; Thu, 22 Aug 2002 12:00:00 +0000\r\nReceived: from c by d; Mon, 01 Jan 2001 00:00:00 +0000\r\n";
        let date = "Date: Wed, 21 Aug 2002 10:00:00 +0000\r\n";
        let folder = "2002-08-23T00:00:00Z";
        let table = [
            (format!("{received}{date}"), Some(folder), Some("2002-08-22T12:00:00Z")),
            (format!("{received}{date}"), None, Some("2002-08-22T12:00:00Z")),
            (date.to_owned(), Some(folder), Some(folder)),
            (date.to_owned(), None, Some("2002-08-21T10:00:00Z")),
            ("Subject: a\r\n".to_owned(), None, None),
            ("Date: Wed, 21 Aug 2999 10:00:00 +0000\r\n".to_owned(), None, None),
        ];
        let at = |text: Option<&str>| text.map(|text| text.parse().expect("a time"));
        for (header, folder, expected) in table {
            let body = Some(format!("{header}Subject: a\r\n\r\nb\r\n").into_bytes());
            let delivery =
                Delivery { file: PathBuf::new(), place: String::new(), delivered_at: at(folder), bytes: 0, body };
            assert_eq!(delivered_at(&delivery), at(expected), "{header}{folder:?}");
        }
    }
}
