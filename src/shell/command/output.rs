//! What commands print: tables for people, JSON lines for programs.
//!
//! **Invariants:** colours and progress only where a terminal is at the other end. No text that came
//! in from outside can steer that terminal: control characters are shown, not sent.

use super::{Failure, Format};
use crate::pure::domain::Timestamp;
use comfy_table::{Attribute, Cell, ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::tz::TimeZone;
use serde::Serialize;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

/// Standard output, buffered. What is not finished is lost.
pub(super) struct Output {
    writer: BufWriter<Stdout>,
    format: Format,
    colours: bool,
}

impl Output {
    pub(super) fn new(format: Format) -> Self {
        let stdout = io::stdout();
        let colours = stdout.is_terminal();
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
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(header.iter().map(|title| Cell::new(title).add_attribute(Attribute::Bold)));
        table.add_rows(rows.iter().map(|row| cells(row).iter().map(|cell| safe(cell)).collect::<Vec<_>>()));
        if !self.colours {
            table.force_no_tty();
        }
        Ok(writeln!(self.writer, "{}", table.trim_fmt())?)
    }

    /// Everything is out.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.writer.flush()
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
