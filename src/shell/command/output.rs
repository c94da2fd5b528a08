//! What commands print: tables for people, JSON lines for programs.
//!
//! **Invariants:** colours and progress only where a terminal is at the other end. No text that came
//! in from outside can steer that terminal: control characters are shown, not sent.

use super::{Failure, Format};
use crate::pure::domain::Timestamp;
use crate::shell::telemetry::wants_colours;
use comfy_table::{Attribute, Cell, ColumnConstraint, ContentArrangement, Table, Width, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::tz::TimeZone;
use serde::Serialize;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

/// A column of a table stays whole up to here: an id of 36 characters, with a blank on either side.
const WHOLE_COLUMNS_MAX: u16 = 38;

/// Lines of prose in a table are not narrower than this.
const PROSE_COLUMNS_MIN: u16 = 24;

/// Standard output, buffered. What is not finished is lost.
pub(super) struct Output {
    writer: BufWriter<Stdout>,
    format: Format,
    colours: bool,
}

impl Output {
    pub(super) fn new(format: Format) -> Self {
        let stdout = io::stdout();
        let colours = wants_colours(&stdout);
        Self { writer: BufWriter::new(stdout), format, colours }
    }

    pub(super) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// One JSON object on a line of its own.
    pub(super) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.writer, value).map_err(io::Error::from)?;
        Ok(self.writer.write_all(b"\n")?)
    }

    /// A line for people.
    pub(super) fn text(&mut self, line: &str) -> Result<(), Failure> {
        self.writer.write_all(safe(line).as_bytes())?;
        Ok(self.writer.write_all(b"\n")?)
    }

    /// A whole document: as it is, unless a terminal would obey it.
    pub(super) fn whole(&mut self, text: &str) -> Result<(), Failure> {
        let text = if io::stdout().is_terminal() { safe(text) } else { text.to_owned() };
        self.part(&text)
    }

    /// A piece of a payload, made [`safe`] by the caller.
    pub(super) fn part(&mut self, text: &str) -> Result<(), Failure> {
        Ok(self.writer.write_all(text.as_bytes())?)
    }

    /// A line for people that stands out.
    pub(super) fn heading(&mut self, line: &str) -> Result<(), Failure> {
        match self.colours {
            true => Ok(writeln!(self.writer, "\x1b[1m{}\x1b[0m", safe(line))?),
            false => self.text(line),
        }
    }

    /// A line for people in parts, each with its colour: the number of ECMA-48's SGR, or nothing.
    pub(super) fn painted(&mut self, parts: &[(&str, &str)]) -> Result<(), Failure> {
        for (colour, text) in parts {
            match self.colours && !colour.is_empty() {
                true => write!(self.writer, "\x1b[{colour}m{}\x1b[0m", safe(text))?,
                false => self.writer.write_all(safe(text).as_bytes())?,
            }
        }
        Ok(self.writer.write_all(b"\n")?)
    }

    /// Rows, each by itself as JSON, or together as a table. `nothing` is said to people when there
    /// are none.
    pub(super) fn rows<T: Serialize>(
        &mut self,
        header: &[&str],
        rows: &[T],
        cells: impl Fn(&T) -> Vec<String>,
        nothing: &str,
    ) -> Result<(), Failure> {
        if self.is_json() {
            return rows.iter().try_for_each(|row| self.json(row));
        }
        if rows.is_empty() {
            return self.text(nothing);
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(header.iter().map(|title| match self.colours {
            true => Cell::new(title).add_attribute(Attribute::Bold),
            false => Cell::new(title),
        }));
        table.add_rows(rows.iter().map(|row| cells(row).iter().map(|cell| safe(cell)).collect::<Vec<_>>()));
        // A terminal that does not know its width says 0.
        match table.width().filter(|columns| *columns > 0) {
            Some(columns) => fit(&mut table, columns),
            None => {
                table.set_content_arrangement(ContentArrangement::Disabled);
            }
        }
        Ok(writeln!(self.writer, "{}", table.trim_fmt())?)
    }

    /// Everything is out.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Fits a table into a terminal: prose (the last column, and what is wider than an id) is broken into lines. The
/// others stay whole, for nobody reads a name letter by letter; where even that is too wide, the terminal breaks the
/// lines as it does any other.
fn fit(table: &mut Table, columns: u16) {
    // With the blank on either side.
    let widths: Vec<u16> = table.column_max_content_widths().iter().map(|width| width.saturating_add(2)).collect();
    let is_prose = |at: usize| at + 1 == widths.len() || widths[at] > WHOLE_COLUMNS_MAX;
    let whole = widths.iter().enumerate().filter(|(at, _)| !is_prose(*at));
    let mut left = columns.saturating_sub(whole.fold(0, |sum: u16, (_, width)| sum.saturating_add(*width)));
    let mut waiting: Vec<usize> = (0..widths.len()).filter(|at| is_prose(*at)).collect();
    // The narrow ones first: what they do not need is for the others.
    waiting.sort_by_key(|at| widths[*at]);
    let mut fitted = widths.clone();
    for (done, at) in waiting.iter().enumerate() {
        let share = left / u16::try_from(waiting.len() - done).unwrap_or(u16::MAX);
        let least = if at + 1 == widths.len() { PROSE_COLUMNS_MIN } else { WHOLE_COLUMNS_MAX };
        fitted[*at] = share.max(least).min(widths[*at]);
        left = left.saturating_sub(fitted[*at]);
    }
    let sum = fitted.iter().fold(0, |sum: u16, width| sum.saturating_add(*width));
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(sum);
    for (at, width) in fitted.into_iter().enumerate() {
        if let Some(column) = table.column_mut(at) {
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
        }
    }
}

/// A text without what a terminal would obey: control characters but newline and tab, and marks that
/// turn the direction of writing.
pub(super) fn safe(text: &str) -> String {
    let steers = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    };
    match text.contains(steers) {
        true => text
            .chars()
            .flat_map(|c| if steers(c) { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
            .collect(),
        false => text.to_owned(),
    }
}

/// An instant on the desk's own clock.
pub(super) fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// How long ago, in one unit.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(at).as_secs().max(0);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A bar on standard error; none unless a terminal shows it.
pub(super) fn progress(total: u64, what: &'static str, bytes: bool) -> ProgressBar {
    let target = match io::stderr().is_terminal() {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let counts = if bytes { "{bytes}/{total_bytes}" } else { "{human_pos}/{human_len}" };
    let template = format!("{{msg}} {{wide_bar}} {counts} {{eta}}");
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(Some(total), target).with_style(style);
    bar.set_message(what);
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_prose_is_broken() {
        let given = |columns| {
            let mut table = Table::new();
            table.load_style(presets::NOTHING).force_no_tty().set_header(["channel", "state", "why"]);
            table.add_row(["asiakaspalvelu", "failing", "the server took the login, but does not open the mailbox"]);
            fit(&mut table, columns);
            table.trim_fmt()
        };
        let table = [
            (
                60,
                " channel         state    why\n asiakaspalvelu  failing  the server took the login, but\n                          does not open the mailbox",
            ),
            (
                20,
                " channel         state    why\n asiakaspalvelu  failing  the server took the\n                          login, but does not\n                          open the mailbox",
            ),
            (
                200,
                " channel         state    why\n asiakaspalvelu  failing  the server took the login, but does not open the mailbox",
            ),
        ];
        for (columns, expected) in table {
            assert_eq!(given(columns), expected, "{columns}");
        }
    }

    #[test]
    fn texts_cannot_steer_a_terminal() {
        let table = [
            ("plain", "plain"),
            ("two\nlines\tand a tab", "two\nlines\tand a tab"),
            ("\x1b[2Jgone", "\\u{1b}[2Jgone"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("ääkköset", "ääkköset"),
        ];
        for (given, expected) in table {
            assert_eq!(safe(given), expected);
        }
    }
}
