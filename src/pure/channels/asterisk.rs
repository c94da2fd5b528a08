//! The call log of an Asterisk exchange: `/var/log/asterisk/cdr-csv/Master.csv`, followed as it grows, or
//! the table that `cdr_pgsql` fills, polled.
//!
//! One line or row is one record, one record one leg of a call; a transferred or queued call writes several.
//! Each becomes an item of its own with one `CallLeg`. Items of one call share `source_key` (the
//! `linkedid`, where the log has it, else the `uniqueid`), by which the ingest joins them; `variant`
//! is the record's own key, so that the same line again is a repeat and another line another leg. A row that
//! was written again since, as back ends do after the hang-up, is the same leg with what it says now.
//! Over all legs: who called is who did on any; it was answered when a person took any leg (a queue or a
//! mailbox is none), by the one who then talked longest; it began with the first and ended with the last.
//! The records themselves: `wire::cdr`.
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

use super::{
    Accounts, Built, Channel, Form, Intake, Kind, Like, Own, Problems, Redacted, Setup, TableSource, TailSource, Unfit,
};
use crate::pure::domain::Timestamp;
use crate::pure::domain::identity::{Assurance, Identity, PhoneNumber};
use crate::pure::domain::message::{
    Call, CallLeg, CallOutcome, Content, Direction, Incoming, Mark, Parsed, RawEvent, Reference, ReferenceKind, Sender,
    SenderIdentity,
};
use crate::pure::domain::secret::Secret;
use crate::pure::wire::batch::{Batch, source_of};
use crate::pure::wire::cdr::Column::{
    Billsec, Clid, Dst, Dstchannel, Duration as DurationS, Ignore, Lastapp, Linkedid, Src, Uniqueid, Userfield,
};
use crate::pure::wire::cdr::{BadLine, Column, FIELDS_MAX, LAYOUTS, NEEDED, Record, Splitter, guess};
use crate::pure::wire::{redact, settings, written};
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// The kind, as the configuration knows it.
pub const KIND: Kind =
    Kind { name: NAME, form: Form::Line, like: Some(Like::Call), accounts: Accounts::NONE, build, dry };

const NAME: &str = "asterisk";

/// The channel's table in the configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The log. Master.csv, not the copies that bear the name of an account. Or `database`.
    #[serde(default, deserialize_with = "written::path_opt")]
    path: Option<PathBuf>,
    /// The Postgres that `cdr_pgsql` writes to, as a URL: `{ env = "NAME" }` or `{ file = "PATH" }`.
    database: Option<Secret>,
    /// The table there, with its schema where it is not on the search path.
    #[serde(default = "default_table")]
    table: String,
    /// Its column of the time a call began, which wants an index.
    #[serde(default = "default_time_column")]
    time_column: String,
    /// How far back each look reaches: rows are written when a call ends, under the time it began, and
    /// may be written again. Longer than any call. Seconds.
    #[serde(default = "default_overlap_s")]
    overlap_s: u64,
    /// The columns of the log in their order; `ignore` for one that lanka has no use for.
    /// Default: the 18 of `cdr_csv` with `loguniqueid` and `loguserfield`. A table names its own.
    columns: Option<Vec<Column>>,
    /// Where the recording that a record names (`recordingfile`) can be heard; in it `{file}` stands for
    /// the file's name, `{yyyy}`, `{mm}` and `{dd}` for the day of the call.
    recording_url: Option<String>,
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
    /// A longer line or row is recorded and skipped. Bytes.
    #[serde(default = "default_line_bytes_max")]
    line_bytes_max: u64,
    /// Longest time without a look at the log or table. Seconds.
    #[serde(default = "default_poll_interval_s")]
    poll_interval_s: u64,
}

fn default_table() -> String {
    "cdr".to_owned()
}

fn default_time_column() -> String {
    "calldate".to_owned()
}

/// No call lasts longer in practice; a look at six hours of calls is cheap with an index.
fn default_overlap_s() -> u64 {
    6 * 3600
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

/// Names in Postgres end there. Bytes.
const SQL_NAME_BYTES_MAX: usize = 63;

/// Every look reads that far back.
const OVERLAP_S_MAX: u64 = 7 * 86_400;

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
    check_source(&settings, &mut problems);
    check_columns(settings.columns.as_deref().unwrap_or(LAYOUTS[0]), &mut problems);
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
    let poll_interval = Duration::from_secs(settings.poll_interval_s);
    let intake = match (settings.path, settings.database) {
        (_, Some(url)) => Intake::Table(TableSource {
            url,
            table: settings.table,
            time_column: settings.time_column,
            overlap: Duration::from_secs(settings.overlap_s),
            row_bytes_max: settings.line_bytes_max,
            poll_interval,
        }),
        (Some(path), None) => Intake::Tail(TailSource { path, line_bytes_max: settings.line_bytes_max, poll_interval }),
        (None, None) => return Err(Vec::from(problems).into()),
    };
    let own_known = Own { addresses: Vec::new(), numbers: numbers.collect() };
    let channel = Box::new(Asterisk {
        namespace: format!("{NAME}:{}", setup.name),
        columns: Some(settings.columns.unwrap_or_else(|| LAYOUTS[0].to_vec())),
        recording_url: settings.recording_url,
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
        recording_url: None,
        line_bytes_max: DEFAULT_LINE_BYTES_MAX as usize,
        time_zone: setup.time_zone.clone(),
        region: setup.region.to_owned(),
        own: Vec::new(),
    })
}

fn check_source(settings: &Settings, problems: &mut Problems) {
    match (&settings.path, &settings.database) {
        (None, None) if problems.none_at("path") && problems.none_at("database") => {
            problems.add(
                "path",
                "required, and missing: name the log (Master.csv), or the `database` that the exchange writes to",
            );
        }
        (Some(_), Some(_)) => problems.add("database", "stands beside `path`: a channel reads one of them"),
        (None, Some(url)) if !url.expose().starts_with("postgres://") && !url.expose().starts_with("postgresql://") => {
            problems.add("database", "is no URL of a Postgres (postgres://user:password@host/asterisk)");
        }
        _ => {}
    }
    if settings.database.is_some() && settings.columns.is_some() {
        problems.add("columns", "are for a log: a table names its own");
    }
    let is_name = |name: &str| {
        let first = name.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
        first && name.len() <= SQL_NAME_BYTES_MAX && name.chars().all(|c| c.is_alphanumeric() || "_$".contains(c))
    };
    if !settings.table.split('.').all(is_name) || settings.table.split('.').count() > 2 {
        problems.add("table", "is no name of a table (\"cdr\", \"asterisk.cdr\")");
    }
    if !is_name(&settings.time_column) {
        problems.add("time_column", "is no name of a column (\"calldate\")");
    }
    if settings.overlap_s > OVERLAP_S_MAX {
        problems.add("overlap_s", format!("must be at most {OVERLAP_S_MAX}, a week"));
    }
    if let Some(url) = &settings.recording_url {
        let example = url.replace("{file}", "a").replace("{yyyy}", "2026").replace("{mm}", "03").replace("{dd}", "05");
        let parsed = url::Url::parse(&example).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !parsed || !url.contains("{file}") {
            problems.add(
                "recording_url",
                "must be a URL with `{file}` in it (\"https://pbx.example.fi/rec/{yyyy}/{mm}/{dd}/{file}\")",
            );
        }
    }
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
            let number = |text| PhoneNumber::parse_stated(text, region).ok().and_then(|number| e164(&number));
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
            _ => PhoneNumber::parse_stated(text, region).ok().map(Self::Number),
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
    recording_url: Option<String>,
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
        let is_other = match body.trim_ascii_start() {
            [b'<' | b'[', ..] => true,
            // A row is one line.
            json @ [b'{', ..] => {
                let line = json.split(|byte| *byte == b'\n').next().unwrap_or_default();
                serde_json::from_slice::<serde::de::IgnoredAny>(line).is_err()
            }
            _ => false,
        };
        if is_other {
            let detail = "this is JSON or XML; a call log of Asterisk is lines of CSV, or rows as a line of JSON each";
            batch.fault("not_a_call_log", detail);
            return batch;
        }
        let lines = || body.split(|byte| *byte == b'\n').enumerate().map(|(n, line)| (n + 1, line.trim_ascii()));
        let lines = || lines().filter(|(_, line)| !line.is_empty());
        let mut splitter = Splitter::default();
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

impl Asterisk {
    /// The item of one record.
    fn leg(&self, record: &Record<'_>) -> Result<Incoming, BadLine> {
        let start = record.start(&self.time_zone).ok_or(BadLine::Start)?;
        let outcome = outcome(record).ok_or(BadLine::Disposition)?;
        let (src, dst) = (record.get(Src), record.get(Dst));
        let key = record.key();
        let linkedid = record.get(Linkedid);
        let source_key = [linkedid, record.get(Uniqueid)].into_iter().find(|id| !id.is_empty());
        let mut incoming = Incoming::new(&self.namespace, source_key.unwrap_or(&key));
        incoming.variant = record.variant();
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
        let duration_s = record.seconds(DurationS).or_else(|| record.elapsed(start, &self.time_zone)).unwrap_or(talk_s);
        let at = rang_at(record, incoming.direction);
        let answered_by = if outcome == CallOutcome::Answered { at.clone() } else { String::new() };
        let (from, to, recording) = (src.to_owned(), dst.to_owned(), self.recording(record, start));
        let leg = CallLeg { start, key, from, to, at, duration_s, talk_s, outcome, recording };
        let call = Call { outcome, duration_s, talk_s, answered_by, legs: vec![leg] };
        incoming.content = Content::Call(call, record.get(Userfield).to_owned());
        Ok(incoming)
    }

    /// Where the record's recording can be heard, or at least what its file is called.
    fn recording(&self, record: &Record<'_>, start: Timestamp) -> String {
        let file = record.get(Column::Recordingfile).rsplit('/').next().unwrap_or_default();
        let Some(template) = self.recording_url.as_ref().filter(|_| !file.is_empty()) else { return file.to_owned() };
        let day = start.to_zoned(self.time_zone.clone()).date();
        let encoded: String = url::form_urlencoded::byte_serialize(file.as_bytes()).collect();
        template
            .replace("{yyyy}", &format!("{:04}", day.year()))
            .replace("{mm}", &format!("{:02}", day.month()))
            .replace("{dd}", &format!("{:02}", day.day()))
            .replace("{file}", &encoded.replace('+', "%20"))
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
        let of_no_range =
            || PhoneNumber::parse_stated(text, &self.region).ok().filter(|_| text.starts_with(['0', '+']));
        let Some(number) = PhoneNumber::parse(text, &self.region).ok().or_else(foreign).or_else(of_no_range) else {
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

/// Applications in which a channel without a partner talks to people all the same.
const AMONG_PEOPLE: &[&str] = &["confbridge", "meetme", "bridge", "pickup", "page"];

/// How the leg ended. ANSWERED says only that the channel was picked up: by a person, where it was
/// put through to another channel (of a queue: an agent's); by a mailbox or an announcement, where there
/// is none. Whom a queue kept waiting until he hung up, nobody took.
fn outcome(record: &Record<'_>) -> Option<CallOutcome> {
    let outcome = record.disposition()?;
    if outcome != CallOutcome::Answered {
        return Some(outcome);
    }
    let application = record.get(Lastapp).to_ascii_lowercase();
    let mailbox = application.starts_with("voicemail") || application.starts_with("minivm");
    let alone = record.get(Dstchannel).is_empty();
    Some(match (mailbox, alone, record.has(Dstchannel)) {
        (true, _, _) => CallOutcome::Voicemail,
        (_, true, _) if application == "queue" => CallOutcome::Missed,
        (_, true, true) if !AMONG_PEOPLE.contains(&application.as_str()) => CallOutcome::Voicemail,
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
