//! The call log of an Asterisk exchange: `/var/log/asterisk/cdr-csv/Master.csv`, followed as it grows.
//!
//! One line is one record, one record one leg of a call; a transferred or queued call writes several.
//! Each becomes an item of its own with one `CallLeg`. Items of one call share `source_key` (the
//! `linkedid`, where the log has it, else the `uniqueid`), by which the ingest joins them; `variant`
//! is the record's own key, so that the same line again is a repeat and another line another leg.
//! Over all legs: who called is who did on any; it was answered when a person took any leg (a queue or a
//! mailbox is none), by the one who then talked longest; it began with the first and ended with the last.
//! Sources: asterisk cdr/cdr_csv.c, configs/samples/cdr.conf.sample, cdr_custom.conf.sample.
//!
//! **Layout.** There is no header, and cdr.conf decides which columns there are: `columns` says so.
//! Without settings (a dry run) the layout of the whole file is guessed from its first record that
//! fits one of `LAYOUTS`. **Time** is the exchange's local time without a zone: `time_zone` says
//! which. In the hour that autumn repeats, the `uniqueid`, which begins with Unix seconds, tells which
//! of the two is meant.
//!
//! **Namespace:** `asterisk:` and the channel's name. **Identities:** a caller's number is plausible,
//! never more: it can be forged. **Invariants:** own numbers, extensions and withheld numbers are
//! never identities. A line that cannot be read is one fault and costs no other line.

use super::{Built, Channel, Form, Intake, Kind, Own, Problems, Redacted, Setup, TailSource, Unfit};
use crate::pure::domain::Timestamp;
use crate::pure::domain::identity::{Assurance, Identity, PhoneNumber};
use crate::pure::domain::message::{
    Call, CallLeg, CallOutcome, Content, Direction, Incoming, Mark, Parsed, RawEvent, Reference, ReferenceKind, Sender,
    SenderIdentity,
};
use crate::pure::wire::batch::{Batch, source_of};
use crate::pure::wire::{redact, settings, written};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::time::Duration;

/// The kind, as the configuration knows it.
pub const KIND: Kind = Kind { name: NAME, form: Form::Line, build, dry };

const NAME: &str = "asterisk";

/// The channel's table in the configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The log. Master.csv, not the copies that bear the name of an account.
    #[serde(deserialize_with = "written::path")]
    path: PathBuf,
    /// The columns in their order; `ignore` for one that lanka has no use for.
    #[serde(default = "default_columns")]
    columns: Vec<Column>,
    /// The zone of the exchange's clock (`Europe/Helsinki`; `UTC` with `usegmtime=yes`).
    /// Default: `defaults.time_zone`.
    #[serde(default, deserialize_with = "written::time_zone_opt")]
    time_zone: Option<TimeZone>,
    /// The desk's numbers as callers dial them, extensions (`5601`), ranges (`5600-5699`).
    #[serde(default)]
    own_numbers: Vec<String>,
    /// How national numbers are read. Default: `defaults.region`.
    #[serde(default, deserialize_with = "written::region_opt")]
    region: Option<String>,
    /// A longer line is recorded and skipped. Bytes.
    #[serde(default = "default_line_bytes_max")]
    line_bytes_max: u64,
    /// Longest time without a look at the file, whatever the file system's events say. Seconds.
    #[serde(default = "default_poll_interval_s")]
    poll_interval_s: u64,
}

/// The 18 columns of `cdr_csv` with `loguniqueid` and `loguserfield`.
fn default_columns() -> Vec<Column> {
    LAYOUTS[0].to_vec()
}

/// Asterisk writes no record of more than 1 KiB; 64 leaves room for back ends that do.
const DEFAULT_LINE_BYTES_MAX: u64 = 64 * 1024;

fn default_line_bytes_max() -> u64 {
    DEFAULT_LINE_BYTES_MAX
}

/// The file system's events are quicker; this is the net below them.
fn default_poll_interval_s() -> u64 {
    5
}

/// A column of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Column {
    Accountcode,
    Src,
    Dst,
    Dcontext,
    Clid,
    Channel,
    Dstchannel,
    Lastapp,
    Lastdata,
    #[serde(alias = "calldate")]
    Start,
    Answer,
    End,
    Duration,
    Billsec,
    Disposition,
    Amaflags,
    Uniqueid,
    Userfield,
    Peeraccount,
    Linkedid,
    Sequence,
    Ignore,
}

use Column::{
    Accountcode, Amaflags, Answer, Billsec, Channel as ChannelName, Clid, Dcontext, Disposition, Dst, Dstchannel,
    Duration as DurationS, End, Ignore, Lastapp, Lastdata, Linkedid, Peeraccount, Sequence, Src, Start, Uniqueid,
    Userfield,
};

/// The columns `cdr_csv` always writes.
macro_rules! cdr_csv {
    ($($more:expr),*) => {
        &[
            Accountcode, Src, Dst, Dcontext, Clid, ChannelName, Dstchannel, Lastapp, Lastdata, Start, Answer, End, DurationS,
            Billsec, Disposition, Amaflags, $($more),*
        ]
    };
}

/// The documented layouts. Of `cdr_csv` with 17 or 20 columns, the one extra column can be either
/// of two; a `uniqueid` shows itself by its form. The last is the sample of `cdr_custom`.
const LAYOUTS: &[&[Column]] = &[
    cdr_csv!(Uniqueid, Userfield),
    cdr_csv!(Uniqueid, Userfield, Peeraccount, Linkedid, Sequence),
    cdr_csv!(),
    cdr_csv!(Uniqueid),
    cdr_csv!(Userfield),
    cdr_csv!(Peeraccount, Linkedid, Sequence),
    cdr_csv!(Uniqueid, Peeraccount, Linkedid, Sequence),
    cdr_csv!(Userfield, Peeraccount, Linkedid, Sequence),
    &[
        Clid,
        Src,
        Dst,
        Dcontext,
        ChannelName,
        Dstchannel,
        Lastapp,
        Lastdata,
        Start,
        Answer,
        End,
        DurationS,
        Billsec,
        Disposition,
        Amaflags,
        Accountcode,
        Uniqueid,
        Userfield,
        Sequence,
    ],
];

/// Columns without which there is no call to speak of.
const NEEDED: &[(Column, &str)] = &[(Src, "src"), (Dst, "dst"), (Start, "start"), (Disposition, "disposition")];

/// Fields looked at in one line. No exchange writes more than 130.
const FIELDS_MAX: usize = 256;

/// Records looked at to guess the layout of a file in a dry run.
const GUESS_LINES_MAX: usize = 1_000;

/// The longest number a private exchange gives inside: longer ones are dialled outside.
const EXTENSION_DIGITS_MAX: usize = 5;

/// What stands for a caller who withholds his number, in lower case.
const WITHHELD: &[&str] = &[
    "",
    "anonymous",
    "unknown",
    "restricted",
    "private",
    "unavailable",
    "withheld",
    "asterisk",
    "tuntematon",
    "salainen",
    "skyddat",
    "okänt",
];

fn build(setup: &Setup<'_>, table: toml::Table) -> Result<Built, Unfit> {
    let (settings, mut problems): (Settings, _) = settings::read_kind(table)?;
    check_columns(&settings.columns, &mut problems);
    let time_zone = settings.time_zone.unwrap_or_else(|| setup.time_zone.clone());
    // A national number is not wrong because its country is.
    let is_national = |text: &str| text.contains(|c: char| c.is_ascii_digit()) && !text.contains(['+', '-', '–']);
    let region_known = problems.none_at("region");
    let region = settings.region.unwrap_or_else(|| setup.region.to_owned());
    let mut own = Vec::new();
    for (n, text) in settings.own_numbers.iter().enumerate() {
        match OwnNumber::parse(text, &region) {
            Some(number) => own.push(number),
            None if is_national(text) && !region_known => {}
            None => problems.add(
                format!("own_numbers.{n}"),
                "is neither a number (\"+358 9 1234 5600\"), an extension (\"5601\") nor a range (\"5600-5699\")",
            ),
        }
    }
    for (key, value) in [("line_bytes_max", settings.line_bytes_max), ("poll_interval_s", settings.poll_interval_s)] {
        if value == 0 {
            problems.add(key, "must be at least 1");
        }
    }
    let numbers = own.iter().filter_map(|own| match own {
        OwnNumber::Number(number) => Some(number.clone()),
        _ => None,
    });
    let intake = Intake::Tail(TailSource {
        path: settings.path,
        line_bytes_max: settings.line_bytes_max,
        poll_interval: Duration::from_secs(settings.poll_interval_s),
    });
    let own_known = Own { addresses: Vec::new(), numbers: numbers.collect() };
    let channel = Box::new(Asterisk {
        namespace: format!("{NAME}:{}", setup.name),
        columns: Some(settings.columns),
        line_bytes_max: usize::try_from(settings.line_bytes_max).unwrap_or(usize::MAX),
        time_zone,
        region,
        own,
    });
    Built { channel, intake, own: own_known }.unless(problems)
}

fn dry(setup: &Setup<'_>) -> Box<dyn Channel> {
    Box::new(Asterisk {
        namespace: format!("{NAME}:{}", setup.name),
        columns: None,
        line_bytes_max: DEFAULT_LINE_BYTES_MAX as usize,
        time_zone: setup.time_zone.clone(),
        region: setup.region.to_owned(),
        own: Vec::new(),
    })
}

fn check_columns(columns: &[Column], problems: &mut Problems) {
    for (column, name) in NEEDED {
        if !columns.contains(column) {
            problems.add("columns", format!("lack `{name}`, without which there is no call"));
        }
    }
    for (n, column) in columns.iter().enumerate() {
        if *column != Ignore && columns[..n].contains(column) {
            problems.add(format!("columns.{n}"), "stands there twice; write `ignore` for one of them");
        }
    }
}

/// What is the desk's own.
enum OwnNumber {
    /// A number that can be dialled from outside.
    Number(PhoneNumber),
    /// Extensions, or the digits that the trunk hands over, all of one length.
    Digits { first: u64, last: u64, digits: usize },
    /// Numbers from one to another (`+358912345600-+358912345699`).
    Numbers { first: u64, last: u64 },
}

impl OwnNumber {
    fn parse(text: &str, region: &str) -> Option<Self> {
        let text = text.trim();
        let digits = |text: &str| {
            let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            let value = bare.parse().ok()?;
            (bare.len() <= 15 && bare.bytes().all(|b| b.is_ascii_digit())).then_some((value, bare.len()))
        };
        if let Some((one, other)) = text.split_once(['-', '–']) {
            if let (Some((first, length)), Some((last, same))) = (digits(one), digits(other)) {
                return (length == same && first <= last).then_some(Self::Digits { first, last, digits: length });
            }
            let number = |text| PhoneNumber::parse(text, region).ok().and_then(|number| e164(&number));
            if one.trim().starts_with('+') && other.trim().starts_with('+') {
                return number(one)
                    .zip(number(other))
                    .filter(|(first, last)| first <= last)
                    .map(|(first, last)| Self::Numbers { first, last });
            }
        }
        match digits(text) {
            Some((value, length)) if length <= EXTENSION_DIGITS_MAX => {
                Some(Self::Digits { first: value, last: value, digits: length })
            }
            _ => PhoneNumber::parse(text, region).ok().map(Self::Number),
        }
    }
}

fn e164(number: &PhoneNumber) -> Option<u64> {
    number.as_str().trim_start_matches('+').parse().ok()
}

/// One end of a leg.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Party {
    /// The desk's: own number, extension, dialplan name.
    Inside,
    /// Somebody with a number; `None` when it is none that could be dialled from everywhere.
    Outside(Option<PhoneNumber>),
    /// Somebody who gives no number.
    Withheld,
}

struct Asterisk {
    namespace: String,
    /// `None`: to be guessed.
    columns: Option<Vec<Column>>,
    line_bytes_max: usize,
    time_zone: TimeZone,
    region: String,
    own: Vec<OwnNumber>,
}

impl Channel for Asterisk {
    fn parse(&self, event: &RawEvent) -> Parsed {
        self.batch(event).finish()
    }

    fn redact(&self, event: &RawEvent, item: u32) -> Option<Redacted> {
        let (_, sources) = self.batch(event).finish_with_sources();
        let (source, items) = redact::together(&sources, item)?;
        let start = source.checked_sub(source_of(&*event.body))?;
        let rest = event.body.get(start..)?;
        let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
        let commas = line.iter().filter(|byte| **byte == b',').count();
        let left = format!("{REDACTED}{item}\"{}", ",".repeat(commas.min(FIELDS_MAX)));
        let body = [&event.body[..start], left.as_bytes(), &rest[line.len()..]].concat();
        Some(Redacted { body, items })
    }
}

impl Asterisk {
    fn batch(&self, event: &RawEvent) -> Batch {
        let mut batch = Batch::default();
        let body = event.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&event.body);
        if let Some(b'{' | b'<' | b'[') = body.iter().find(|byte| !byte.is_ascii_whitespace()) {
            batch.fault("not_a_call_log", "this is JSON or XML; a call log of Asterisk is lines of CSV");
            return batch;
        }
        let lines = || body.split(|byte| *byte == b'\n').enumerate().map(|(n, line)| (n + 1, line.trim_ascii()));
        let lines = || lines().filter(|(_, line)| !line.is_empty());
        let mut splitter = Splitter(csv_core::Reader::new());
        let guessed;
        let columns = match &self.columns {
            Some(columns) => columns.as_slice(),
            None => {
                guessed = lines()
                    .filter(|(_, line)| line.len() <= self.line_bytes_max)
                    .take(GUESS_LINES_MAX)
                    .find_map(|(_, line)| guess(&mut splitter, line));
                guessed.unwrap_or(LAYOUTS[0])
            }
        };
        for (n, line) in lines() {
            if let Some(position) = redacted(line) {
                batch.redacted(position);
                continue;
            }
            let record = match line.len() <= self.line_bytes_max {
                true => Record::read(&mut splitter, line, columns),
                false => Err(BadLine::TooLong(self.line_bytes_max)),
            };
            match record.and_then(|record| self.leg(&record)) {
                Ok(incoming) => batch.item(line, incoming),
                Err(bad) => batch.fault(bad.code(), format!("line {n}: {bad}")),
            }
        }
        batch
    }
}

/// What the line of a redacted record begins with; its position and empty cells follow.
const REDACTED: &str = "\"lanka_redacted:";

/// The position of a redacted record.
fn redacted(line: &[u8]) -> Option<usize> {
    let position = line.strip_prefix(REDACTED.as_bytes())?.split(|byte| *byte == b'"').next()?;
    std::str::from_utf8(position).ok()?.parse().ok()
}

/// The layout a line fits, if any: as many columns, the times and the disposition where they belong.
fn guess(splitter: &mut Splitter, line: &[u8]) -> Option<&'static [Column]> {
    let mut record = Record { columns: &[], fields: splitter.fields(line).ok()? };
    let fits = |layout: &&'static [Column]| {
        record.columns = layout;
        record.fields.len() == layout.len()
            && civil(record.get(Start)).is_some()
            && [Answer, End].iter().all(|column| record.get(*column).is_empty() || civil(record.get(*column)).is_some())
            && outcome_word(record.get(Disposition)).is_some()
            && (!layout.contains(&Uniqueid) || epoch(record.get(Uniqueid)).is_some())
            && (!layout.contains(&Sequence) || record.get(Sequence).parse::<u64>().is_ok())
    };
    LAYOUTS.iter().copied().find(fits)
}

/// Why a line is no record. The sentences hold no customer's data.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum BadLine {
    #[error("holds NUL bytes: the disk or the copy of the file is damaged")]
    Nul,
    #[error("is longer than {0} bytes, which is longer than a record of Asterisk can be")]
    TooLong(usize),
    #[error("has a quote that does not close")]
    Quote,
    #[error("has {found} columns where `columns` names {wanted}")]
    Columns { found: usize, wanted: usize },
    #[error("has more than {FIELDS_MAX} columns")]
    TooManyColumns,
    #[error("`start` is not a time like 2026-03-05 14:31:09 that the zone knows")]
    Start,
    #[error("`disposition` is none of ANSWERED, NO ANSWER, BUSY, FAILED, CONGESTION, CANCEL")]
    Disposition,
    #[error("it names the columns and is no record")]
    Header,
    #[error("it is a channel event (CEL), not a call record; configure Master.csv of cdr-csv")]
    Cel,
}

impl BadLine {
    fn code(&self) -> &'static str {
        match self {
            Self::Header => "header_line",
            Self::Cel => "cel_line",
            _ => "bad_cdr_line",
        }
    }
}

/// First columns of CEL lines (asterisk configs/samples/cel.conf.sample).
const CEL_EVENTS: &[&str] = &[
    "CHAN_START",
    "CHAN_END",
    "ANSWER",
    "HANGUP",
    "CONF_ENTER",
    "CONF_EXIT",
    "CONF_START",
    "CONF_END",
    "APP_START",
    "APP_END",
    "PARK_START",
    "PARK_END",
    "BRIDGE_START",
    "BRIDGE_END",
    "BRIDGE_UPDATE",
    "BRIDGE_ENTER",
    "BRIDGE_EXIT",
    "BLINDTRANSFER",
    "ATTENDEDTRANSFER",
    "PICKUP",
    "FORWARD",
    "3WAY_START",
    "3WAY_END",
    "HOOKFLASH",
    "LINKEDID_END",
    "LOCAL_OPTIMIZE",
    "LOCAL_OPTIMIZE_BEGIN",
    "USER_DEFINED",
    "STREAM_BEGIN",
    "STREAM_END",
    "DTMF",
];

/// The fields of one line, by column.
struct Record<'a> {
    columns: &'a [Column],
    fields: Vec<String>,
}

impl<'a> Record<'a> {
    fn read(splitter: &mut Splitter, line: &[u8], columns: &'a [Column]) -> Result<Self, BadLine> {
        if line.contains(&0) {
            return Err(BadLine::Nul);
        }
        let fields = splitter.fields(line)?;
        if fields.first().is_some_and(|first| CEL_EVENTS.contains(&first.as_str())) {
            return Err(BadLine::Cel);
        }
        let is_name = |field: &String| field.eq_ignore_ascii_case("src") || field.eq_ignore_ascii_case("disposition");
        if fields.iter().filter(|field| is_name(field)).count() == 2 {
            return Err(BadLine::Header);
        }
        if fields.len() != columns.len() {
            return Err(BadLine::Columns { found: fields.len(), wanted: columns.len() });
        }
        Ok(Self { columns, fields })
    }

    /// The field of a column; empty where the log has no such column.
    fn get(&self, column: Column) -> &str {
        let at = self.columns.iter().position(|candidate| *candidate == column);
        at.and_then(|at| self.fields.get(at)).map_or("", |field| field.trim())
    }

    fn has(&self, column: Column) -> bool {
        self.columns.contains(&column)
    }

    fn seconds(&self, column: Column) -> Option<u32> {
        self.get(column).parse().ok()
    }

    /// What tells this record from all others. `uniqueid` and `sequence` identify one
    /// (CDR-Specification); without a sequence `uniqueid` is not unique, and the whole record counts.
    fn key(&self) -> String {
        let (uniqueid, sequence) = (self.get(Uniqueid), self.get(Sequence));
        if !uniqueid.is_empty() && !sequence.is_empty() {
            return format!("{uniqueid}/{sequence}");
        }
        let mut hash = Sha256::new();
        for field in &self.fields {
            hash.update(field.as_bytes());
            hash.update([0x1f]);
        }
        format!("{uniqueid}/{}", hex::encode(&hash.finalize()[..12]))
    }
}

/// Takes lines apart: each by itself, so that a quote left open swallows no other line. Made once
/// for a delivery, since making it costs more than a line does.
struct Splitter(csv_core::Reader);

impl Splitter {
    /// The fields of a line without its end. What is not UTF-8 is read as ISO 8859-1, which older
    /// exchanges write.
    fn fields(&mut self, line: &[u8]) -> Result<Vec<String>, BadLine> {
        let mut input = match std::str::from_utf8(line) {
            Ok(_) => line.to_vec(),
            Err(_) => line.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes(),
        };
        input.push(b'\n');
        let mut output = vec![0; input.len()];
        let mut ends = [0; FIELDS_MAX];
        let (result, _, _, count) = self.0.read_record(&input, &mut output, &mut ends);
        self.0.reset();
        match result {
            csv_core::ReadRecordResult::Record => {}
            csv_core::ReadRecordResult::OutputEndsFull => return Err(BadLine::TooManyColumns),
            // The end of the line did not end the record: it stands within quotes.
            _ => return Err(BadLine::Quote),
        }
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let field = |(start, end): (usize, &usize)| String::from_utf8_lossy(&output[start..*end]).into_owned();
        Ok(starts.zip(&ends[..count]).map(field).collect())
    }
}

impl Asterisk {
    /// The item of one record.
    fn leg(&self, record: &Record<'_>) -> Result<Incoming, BadLine> {
        let start = self.start(record).ok_or(BadLine::Start)?;
        let outcome = outcome(record).ok_or(BadLine::Disposition)?;
        let (src, dst) = (record.get(Src), record.get(Dst));
        let key = record.key();
        let linkedid = record.get(Linkedid);
        let source_key = [linkedid, record.get(Uniqueid)].into_iter().find(|id| !id.is_empty());
        let mut incoming = Incoming::new(&self.namespace, source_key.unwrap_or(&key));
        incoming.variant = key.clone();
        let (from, to) = (self.party(src), self.party(dst));
        let name = caller_name(record.get(Clid), src);
        incoming.direction = self.direction(&from, &to);
        match incoming.direction {
            Direction::FromCustomer => incoming.sender = person(&from, name),
            Direction::FromAgent => {
                incoming.sender.name = name;
                incoming.recipient = person(&to, None);
            }
        }
        let unanswered = incoming.direction == Direction::FromCustomer && outcome != CallOutcome::Answered;
        if unanswered && from != Party::Withheld {
            incoming.marks.push(Mark::CallBack);
        }
        incoming.occurred_at = Some(start);
        incoming.occurred_trusted = true;
        if !linkedid.is_empty() {
            let (namespace, key) = (self.namespace.clone(), linkedid.to_owned());
            incoming.references.push(Reference { kind: ReferenceKind::Conversation, namespace, key });
        }
        let talk_s = if matches!(outcome, CallOutcome::Answered | CallOutcome::Voicemail) {
            record.seconds(Billsec)
        } else {
            None
        };
        let talk_s = talk_s.unwrap_or(0);
        let duration_s = record.seconds(DurationS).or_else(|| self.elapsed(record, start)).unwrap_or(talk_s);
        let at = rang_at(record, incoming.direction);
        let answered_by = if outcome == CallOutcome::Answered { at.clone() } else { String::new() };
        let leg = CallLeg { start, key, from: src.to_owned(), to: dst.to_owned(), at, duration_s, talk_s, outcome };
        let call = Call { outcome, duration_s, talk_s, answered_by, legs: vec![leg] };
        incoming.content = Content::Call(call, record.get(Userfield).to_owned());
        Ok(incoming)
    }

    /// When the record began. A local time that autumn repeats is the one nearer to the `uniqueid`'s
    /// seconds, without those the first; one that spring leaves out is moved on by the gap.
    fn start(&self, record: &Record<'_>) -> Option<Timestamp> {
        let ambiguous = self.time_zone.to_ambiguous_zoned(civil(record.get(Start))?);
        if let (AmbiguousOffset::Fold { .. }, Some(epoch)) = (ambiguous.offset(), epoch(record.get(Uniqueid))) {
            let both = [ambiguous.clone().earlier().ok()?, ambiguous.later().ok()?].map(|zoned| zoned.timestamp());
            return both.into_iter().min_by_key(|at| at.as_second().abs_diff(epoch));
        }
        Some(ambiguous.compatible().ok()?.timestamp())
    }

    /// Seconds from the start to the end; none where the clock was set back in between.
    fn elapsed(&self, record: &Record<'_>, start: Timestamp) -> Option<u32> {
        let end = self.time_zone.to_ambiguous_zoned(civil(record.get(End))?).compatible().ok()?.timestamp();
        u32::try_from(end.as_second() - start.as_second()).ok()
    }

    /// What stands at one end.
    fn party(&self, text: &str) -> Party {
        let text = text.trim();
        if WITHHELD.contains(&text.to_lowercase().as_str()) {
            return Party::Withheld;
        }
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let value: Option<u64> = text.parse().ok().filter(|_| digits);
        let is_own = |own: &OwnNumber| match own {
            OwnNumber::Digits { first, last, digits } => {
                text.len() == *digits && value.is_some_and(|value| (*first..=*last).contains(&value))
            }
            _ => false,
        };
        if (digits && text.len() <= EXTENSION_DIGITS_MAX) || self.own.iter().any(is_own) {
            return Party::Inside;
        }
        // International without its `+`, as some trunks give it, where it is no national number.
        let foreign = || PhoneNumber::parse_international(text).ok().filter(|_| digits && !text.starts_with('0'));
        let Some(number) = PhoneNumber::parse(text, &self.region).ok().or_else(foreign) else {
            // Too long for an extension, without a letter: outside all the same, and never matched.
            let count = text.bytes().filter(u8::is_ascii_digit).count();
            let is_number = count > EXTENSION_DIGITS_MAX && !text.chars().any(char::is_alphabetic);
            return if is_number { Party::Outside(None) } else { Party::Inside };
        };
        let is_own = |own: &OwnNumber| match own {
            OwnNumber::Number(own) => *own == number,
            OwnNumber::Numbers { first, last } => e164(&number).is_some_and(|value| (*first..=*last).contains(&value)),
            OwnNumber::Digits { .. } => false,
        };
        if self.own.iter().any(is_own) { Party::Inside } else { Party::Outside(Some(number)) }
    }

    /// Who called whom. Both outside is a customer whose call was passed on, or a log without
    /// `own_numbers`; a withheld number calls in, but for a call that the exchange itself set up to
    /// the outside; both inside are colleagues, and no customer is at either end.
    fn direction(&self, from: &Party, to: &Party) -> Direction {
        match (from, to) {
            (Party::Withheld, Party::Outside(_)) if !self.own.is_empty() => Direction::FromAgent,
            (Party::Outside(_) | Party::Withheld, _) => Direction::FromCustomer,
            (Party::Inside, _) => Direction::FromAgent,
        }
    }
}

fn person(party: &Party, name: Option<String>) -> Sender {
    let identities = match party {
        Party::Outside(Some(number)) => {
            vec![SenderIdentity { identity: Identity::phone(number), assurance: Assurance::Plausible }]
        }
        _ => Vec::new(),
    };
    Sender { name, identities, stated: Vec::new() }
}

/// A local time, `2026-03-05 14:31:09`; the fraction of a second that some back ends add is dropped.
fn civil(text: &str) -> Option<DateTime> {
    let seconds = text.split_once('.').map_or(text, |(seconds, _)| seconds);
    // The form is fixed; what jiff would read beside it (`2026-03-05`, `T` for the blank) is no start.
    let form = seconds.len() == 19 && seconds.as_bytes().get(10) == Some(&b' ');
    seconds.parse().ok().filter(|_| form)
}

/// The Unix seconds that a `uniqueid` begins with, also after the system's name (`pbx1-1362424276.2`).
fn epoch(uniqueid: &str) -> Option<i64> {
    let (before, counter) = uniqueid.rsplit_once('.')?;
    let seconds = before.rsplit('-').next()?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(counter) && digits(seconds)).then(|| seconds.parse().ok()).flatten()
}

/// What a disposition says of the channel.
fn outcome_word(disposition: &str) -> Option<CallOutcome> {
    match disposition.to_ascii_uppercase().as_str() {
        "ANSWERED" => Some(CallOutcome::Answered),
        "NO ANSWER" | "NOANSWER" | "CANCEL" => Some(CallOutcome::Missed),
        "BUSY" => Some(CallOutcome::Busy),
        "FAILED" | "CONGESTION" => Some(CallOutcome::Failed),
        _ => None,
    }
}

/// Applications in which a channel without a partner talks to people all the same.
const AMONG_PEOPLE: &[&str] = &["confbridge", "meetme", "bridge", "pickup", "page"];

/// How the leg ended. ANSWERED says only that the channel was picked up: by a person, where it was
/// put through to another channel (of a queue: an agent's); by a mailbox, an announcement or the
/// queue itself, where there is none.
fn outcome(record: &Record<'_>) -> Option<CallOutcome> {
    let outcome = outcome_word(record.get(Disposition))?;
    if outcome != CallOutcome::Answered {
        return Some(outcome);
    }
    let application = record.get(Lastapp).to_ascii_lowercase();
    let mailbox = application.starts_with("voicemail") || application.starts_with("minivm");
    let alone = record.get(Dstchannel).is_empty();
    Some(match (mailbox, alone, record.has(Dstchannel)) {
        (true, _, _) => CallOutcome::Voicemail,
        (_, true, true) if !AMONG_PEOPLE.contains(&application.as_str()) => CallOutcome::Voicemail,
        (_, true, false) if application == "queue" => CallOutcome::Voicemail,
        _ => CallOutcome::Answered,
    })
}

/// Where it rang. A call from outside: the extension it was put through to (`PJSIP/202-0057fd80` →
/// `202`), where no other channel is named the extension dialled; the number that the caller dialled is
/// the desk's own and tells nothing. A call to the outside: the number dialled, for the other channel
/// is a line of the exchange's.
fn rang_at(record: &Record<'_>, direction: Direction) -> String {
    let dialled = record.get(Dst);
    let is_extension = !dialled.is_empty()
        && dialled.len() <= EXTENSION_DIGITS_MAX
        && dialled.bytes().all(|byte| byte.is_ascii_digit());
    let device = record.get(Dstchannel).split_once('/').map(|(_, rest)| rest).unwrap_or_default();
    let device = device.rsplit_once('-').map_or(device, |(name, _)| name);
    let device = device.split('@').next().unwrap_or_default();
    match (direction, is_extension) {
        (Direction::FromAgent, false) => dialled.to_owned(),
        _ if !device.is_empty() => device.to_owned(),
        (_, true) => dialled.to_owned(),
        _ => String::new(),
    }
}

/// The name in `"Name" <number>`, unless it is the number again or says that there is none.
fn caller_name(clid: &str, src: &str) -> Option<String> {
    let name = clid.rsplit_once('<').map_or(clid, |(name, _)| name);
    let name = name.trim_matches(|c: char| c.is_whitespace() || c == '"');
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let is_number = !name.chars().any(char::is_alphabetic) || (!digits(name).is_empty() && digits(name) == digits(src));
    let is_none = WITHHELD.contains(&name.to_lowercase().as_str()) || name == src;
    (!is_number && !is_none).then(|| name.to_owned())
}
