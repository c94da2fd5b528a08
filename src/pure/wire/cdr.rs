//! Call detail records as Asterisk writes them: a line of CSV (`cdr_csv`, `cdr_custom`), or a row of a
//! table (`cdr_pgsql`, `cdr_adaptive_odbc`, FreePBX) as a line of JSON, the columns by their names.
//!
//! Sources: asterisk cdr/cdr_csv.c, cdr/cdr_pgsql.c, configs/samples/cdr.conf.sample and
//! cdr_custom.conf.sample, contrib/realtime/postgresql/postgresql_cdr.sql; the CDR specification of
//! docs.asterisk.org for what identifies a record.
//!
//! **Invariants:** a record that cannot be read is one fault and costs no other. Nothing here knows
//! whose numbers are whose.

use crate::pure::domain::Timestamp;
use crate::pure::domain::message::CallOutcome;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// A column of a log or table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "named and defined as in Asterisk's CDR specification")]
pub enum Column {
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
    /// The file of the call's recording (FreePBX).
    Recordingfile,
    /// One that lanka has no use for.
    Ignore,
}

use Column::{
    Accountcode, Amaflags, Answer, Billsec, Channel as ChannelName, Clid, Dcontext, Disposition, Dst, Dstchannel,
    Duration as DurationS, End, Lastapp, Lastdata, Linkedid, Peeraccount, Sequence, Src, Start, Uniqueid, Userfield,
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
pub const LAYOUTS: &[&[Column]] = &[
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
pub const NEEDED: &[(Column, &str)] = &[(Src, "src"), (Dst, "dst"), (Start, "start"), (Disposition, "disposition")];

/// Fields looked at in one line. No exchange writes more than 130.
pub const FIELDS_MAX: usize = 256;

/// The key under which the intake says how many bytes a row had that it did not take.
pub const TOO_LARGE: &str = "lanka_too_large";

/// The layout a line fits, if any: as many columns, the times and the disposition where they belong.
pub fn guess(splitter: &mut Splitter, line: &[u8]) -> Option<&'static [Column]> {
    let mut record = Record { columns: Cow::Borrowed(&[]), fields: splitter.fields(line).ok()?, is_row: false };
    let fits = |layout: &&'static [Column]| {
        record.columns = Cow::Borrowed(layout);
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
pub enum BadLine {
    /// Damaged.
    #[error("holds NUL bytes: the disk or the copy of the file is damaged")]
    Nul,
    /// Longer than the limit in bytes.
    #[error("is longer than {0} bytes, which is longer than a record of Asterisk can be")]
    TooLong(usize),
    /// Its bytes were not taken.
    #[error("is a row of {0} bytes, more than `line_bytes_max` lets in")]
    RowTooLarge(u64),
    /// Cut off, or not CSV.
    #[error("has a quote that does not close")]
    Quote,
    /// Another layout.
    #[error("has {found} columns where `columns` names {wanted}")]
    Columns {
        /// In the line.
        found: usize,
        /// In the configuration.
        wanted: usize,
    },
    /// No log has so many.
    #[error("has more than {FIELDS_MAX} columns")]
    TooManyColumns,
    /// No time.
    #[error("`start` is not a time like 2026-03-05 14:31:09 that the zone knows")]
    Start,
    /// No known end of a call.
    #[error("`disposition` is none of ANSWERED, NO ANSWER, BUSY, FAILED, CONGESTION, CANCEL")]
    Disposition,
    /// A header.
    #[error("it names the columns and is no record")]
    Header,
    /// Another log.
    #[error("it is a channel event (CEL), not a call record; configure Master.csv of cdr-csv")]
    Cel,
    /// A row that was cut, or is no JSON.
    #[error("begins like a row in JSON, and is none: it may be cut off")]
    BrokenRow,
    /// JSON of something else.
    #[error("it is JSON, but no row of a table of calls: it lacks `{0}`")]
    NotARow(&'static str),
}

impl BadLine {
    /// The stable word of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotARow(_) => "not_a_call_log",
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

/// The fields of one record, by column.
pub struct Record<'a> {
    columns: Cow<'a, [Column]>,
    fields: Vec<String>,
    is_row: bool,
}

impl<'a> Record<'a> {
    /// Reads a line: a row where it is a JSON object, else CSV with these columns.
    ///
    /// # Errors
    /// Why it is no record.
    pub fn read(splitter: &mut Splitter, line: &[u8], columns: &'a [Column]) -> Result<Self, BadLine> {
        if line.contains(&0) {
            return Err(BadLine::Nul);
        }
        if line.starts_with(b"{") {
            return Self::of_row(line);
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
        Ok(Self { columns: Cow::Borrowed(columns), fields, is_row: false })
    }

    /// A row as `to_json` of Postgres gives it. Columns of other names are passed over, as the adaptive
    /// back ends fill any that the ops added.
    fn of_row(line: &[u8]) -> Result<Self, BadLine> {
        let row: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(line).map_err(|_| BadLine::BrokenRow)?;
        if let Some(bytes) = row.get(TOO_LARGE).and_then(serde_json::Value::as_u64) {
            return Err(BadLine::RowTooLarge(bytes));
        }
        if row.len() > FIELDS_MAX {
            return Err(BadLine::TooManyColumns);
        }
        let (mut columns, mut fields) = (Vec::new(), Vec::new());
        for (name, value) in row {
            let name = name.to_ascii_lowercase();
            let word: serde::de::value::StringDeserializer<serde::de::value::Error> = name.into_deserializer();
            let Ok(column) = Column::deserialize(word) else { continue };
            columns.push(column);
            fields.push(match value {
                serde_json::Value::String(text) if text.contains('\0') => return Err(BadLine::Nul),
                serde_json::Value::String(text) => text,
                serde_json::Value::Null => String::new(),
                other => other.to_string(),
            });
        }
        match NEEDED.iter().find(|(column, _)| !columns.contains(column)) {
            Some((_, name)) => Err(BadLine::NotARow(name)),
            None => Ok(Self { columns: Cow::Owned(columns), fields, is_row: true }),
        }
    }

    /// The field of a column; empty where the log has no such column.
    pub fn get(&self, column: Column) -> &str {
        let at = self.columns.iter().position(|candidate| *candidate == column);
        at.and_then(|at| self.fields.get(at)).map_or("", |field| field.trim())
    }

    /// Whether there is such a column.
    pub fn has(&self, column: Column) -> bool {
        self.columns.contains(&column)
    }

    /// Whole seconds of a column, if it holds any.
    pub fn seconds(&self, column: Column) -> Option<u32> {
        let text = self.get(column);
        text.split_once('.').map_or(text, |(whole, _)| whole).parse().ok()
    }

    /// What tells this record from all others. `uniqueid` and `sequence` identify one
    /// (CDR-Specification). Without a sequence `uniqueid` is not unique: of a line the whole counts; of a
    /// row, which may be written again, what is known when the leg begins.
    pub fn key(&self) -> String {
        let (uniqueid, sequence) = (self.get(Uniqueid), self.get(Sequence));
        if !uniqueid.is_empty() && !sequence.is_empty() {
            return format!("{uniqueid}/{sequence}");
        }
        match self.is_row {
            true => {
                let fixed = [Start, Src, Dst, ChannelName, Dstchannel, Lastapp].map(|column| self.get(column));
                format!("{uniqueid}/{}", hash(fixed))
            }
            false => format!("{uniqueid}/{}", hash(self.fields.iter().map(String::as_str))),
        }
    }

    /// What tells this delivery of the record from another: a row that was written again is another.
    pub fn variant(&self) -> String {
        match self.is_row {
            true => format!("{}#{}", self.key(), hash(self.fields.iter().map(String::as_str))),
            false => self.key(),
        }
    }

    /// When the record began. A local time that autumn repeats is the one nearer to the `uniqueid`'s
    /// seconds, without those the first; one that spring leaves out is moved on by the gap.
    pub fn start(&self, time_zone: &TimeZone) -> Option<Timestamp> {
        if let Some(at) = self.instant(Start) {
            return Some(at);
        }
        let ambiguous = time_zone.to_ambiguous_zoned(self.civil(Start)?);
        if let (AmbiguousOffset::Fold { .. }, Some(epoch)) = (ambiguous.offset(), epoch(self.get(Uniqueid))) {
            let both = [ambiguous.clone().earlier().ok()?, ambiguous.later().ok()?].map(|zoned| zoned.timestamp());
            return both.into_iter().min_by_key(|at| at.as_second().abs_diff(epoch));
        }
        Some(ambiguous.compatible().ok()?.timestamp())
    }

    /// Seconds from `start` to the end; none where the clock was set back in between.
    pub fn elapsed(&self, start: Timestamp, time_zone: &TimeZone) -> Option<u32> {
        let local = || Some(time_zone.to_ambiguous_zoned(self.civil(End)?).compatible().ok()?.timestamp());
        let end = self.instant(End).or_else(local)?;
        u32::try_from(end.as_second() - start.as_second()).ok()
    }

    /// How the channel ended.
    pub fn disposition(&self) -> Option<CallOutcome> {
        outcome_word(self.get(Disposition))
    }

    /// A time that says its offset, as a column `timestamptz` does.
    fn instant(&self, column: Column) -> Option<Timestamp> {
        self.get(column).parse().ok().filter(|_| self.is_row)
    }

    fn civil(&self, column: Column) -> Option<DateTime> {
        match self.is_row {
            true => civil(&self.get(column).replacen('T', " ", 1)),
            false => civil(self.get(column)),
        }
    }
}

fn hash<'t>(fields: impl IntoIterator<Item = &'t str>) -> String {
    let mut hash = Sha256::new();
    for field in fields {
        hash.update(field.as_bytes());
        hash.update([0x1f]);
    }
    hex::encode(&hash.finalize()[..12])
}

/// Takes lines apart: each by itself, so that a quote left open swallows no other line. Made once
/// for a delivery, since making it costs more than a line does.
pub struct Splitter(csv_core::Reader);

impl Default for Splitter {
    fn default() -> Self {
        Self(csv_core::Reader::new())
    }
}

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
