//! How the demo shows threads: in a hundred columns, colours on a terminal only.

use super::super::output::Output;
use crate::pure::domain::identity::{MAILTO, TEL};
use crate::pure::domain::message::{Call, CallOutcome, Direction, Mark};
use crate::pure::domain::outbox::{ContactView, MessageView, TicketView};
use crate::shell::command::Failure;
use jiff::tz::TimeZone;

/// Columns used, indents included.
const COLUMNS: usize = 100;

/// Colours and weights of a terminal (ECMA-48, SGR).
pub(super) const BOLD: &str = "1";
pub(super) const DIM: &str = "2";
pub(super) const GREEN: &str = "32";
pub(super) const YELLOW: &str = "33";
pub(super) const CYAN: &str = "36";
pub(super) const PLAIN: &str = "";

/// A ticket and its messages in the order they were said.
pub(super) type Thread = (TicketView, Vec<MessageView>);

/// What prints.
pub(super) struct Page<'a> {
    output: &'a mut Output,
    zone: TimeZone,
}

impl<'a> Page<'a> {
    pub(super) fn new(output: &'a mut Output, zone: TimeZone) -> Self {
        Self { output, zone }
    }

    /// A line in parts, each with its colour, shown at once.
    pub(super) fn line(&mut self, parts: &[(&str, &str)]) -> Result<(), Failure> {
        self.output.painted(parts)?;
        Ok(self.output.finish()?)
    }

    /// An empty line.
    pub(super) fn gap(&mut self) -> Result<(), Failure> {
        self.line(&[])
    }

    /// A text, broken at words, behind an indent. The first line begins with `label` instead.
    pub(super) fn paragraph(&mut self, colour: &str, indent: usize, label: &str, text: &str) -> Result<(), Failure> {
        for (index, words) in text.lines().flat_map(|line| wrap(line, COLUMNS - indent)).enumerate() {
            let margin = match index {
                0 => format!("{label:<indent$}"),
                _ => " ".repeat(indent),
            };
            match words.is_empty() && index > 0 {
                true => self.gap()?,
                false => self.line(&[(DIM, &margin), (colour, &words)])?,
            }
        }
        Ok(())
    }

    /// A ticket: who is on it, then each message with the reasons that brought it here.
    pub(super) fn thread(&mut self, (ticket, messages): &Thread) -> Result<(), Failure> {
        let number = format!("  Ticket #{}  ", ticket.number);
        self.line(&[(BOLD, &number), (BOLD, &cut(&ticket.title, COLUMNS - number.chars().count()))])?;
        for contact in &ticket.participants {
            self.paragraph(DIM, 4, "", &describe(contact))?;
        }
        for message in messages {
            self.gap()?;
            self.message(ticket, message)?;
        }
        self.gap()
    }

    /// Shows a message of a ticket, and why it is there.
    pub(super) fn message(&mut self, ticket: &TicketView, message: &MessageView) -> Result<(), Failure> {
        let when = message.occurred_at.to_zoned(self.zone.clone()).strftime("%a %e %b %H:%M").to_string();
        let who = ticket.participants.iter().find(|contact| Some(contact.id) == message.contact);
        let who = match message.direction {
            Direction::FromCustomer => who.and_then(|contact| contact.name.as_deref()).unwrap_or("somebody"),
            Direction::FromAgent => message.by.as_deref().unwrap_or("the desk"),
        };
        let marks: String =
            message.marks.iter().filter_map(|mark| explain(*mark)).map(|text| format!("  ({text})")).collect();
        let channel = format!("  {:<10}", message.channel);
        self.line(&[(PLAIN, "    "), (DIM, &when), (CYAN, &channel), (BOLD, who), (YELLOW, &marks)])?;
        if let Some(subject) = &message.subject {
            self.paragraph(BOLD, 6, "", subject)?;
        }
        if let Some(call) = &message.call {
            self.paragraph(PLAIN, 6, "", &tell(call))?;
        }
        if !message.text.trim().is_empty() {
            self.paragraph(PLAIN, 6, "", message.text.trim())?;
        }
        self.paragraph(GREEN, 11, "      why", &message.sentence)
    }
}

/// A contact with the addresses it is known by.
fn describe(contact: &ContactView) -> String {
    let shown = |identity: &String| match identity.split_once(':') {
        Some((MAILTO | TEL, value)) => value.to_owned(),
        Some((scheme, value)) => format!("{scheme} {value}"),
        None => identity.clone(),
    };
    let identities: Vec<String> = contact.identities.iter().map(shown).collect();
    format!("{} · {}", contact.name.as_deref().unwrap_or("somebody"), identities.join(" · "))
}

/// What a mark means to whoever answers.
fn explain(mark: Mark) -> Option<&'static str> {
    match mark {
        Mark::Unverified => Some("unverified: a caller's number can be forged"),
        Mark::CallBack => Some("to be called back"),
        Mark::Lookalike => Some("the sender's domain is made to look like ours"),
        _ => None,
    }
}

fn tell(call: &Call) -> String {
    let ended = match call.outcome {
        CallOutcome::Answered if call.answered_by.is_empty() => "answered".to_owned(),
        CallOutcome::Answered => format!("answered by {}", call.answered_by),
        CallOutcome::Voicemail => "taken by a machine".to_owned(),
        CallOutcome::Missed => "missed".to_owned(),
        CallOutcome::Busy => "engaged".to_owned(),
        CallOutcome::Failed => "not put through".to_owned(),
    };
    format!("Telephone call, {ended}, {} min {} s of talk.", call.talk_s / 60, call.talk_s % 60)
}

/// A line broken at words so that none is longer than `width` characters, unless one word is.
fn wrap(line: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split_whitespace() {
        let last = lines.last_mut().map(|last| last.chars().count()).unwrap_or_default();
        match lines.last_mut() {
            Some(text) if last == 0 => text.push_str(word),
            Some(text) if last + 1 + word.chars().count() <= width => {
                text.push(' ');
                text.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A text of at most `width` characters, its end shown as cut.
fn cut(text: &str, width: usize) -> String {
    match text.chars().count() > width {
        true => text.chars().take(width - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_words() {
        let table: [(&str, usize, &[&str]); 5] = [
            ("", 5, &[""]),
            ("one two three", 7, &["one two", "three"]),
            ("one  two", 20, &["one two"]),
            ("unbreakable word", 5, &["unbreakable", "word"]),
            ("ääää öööö", 9, &["ääää öööö"]),
        ];
        for (line, width, expected) in table {
            assert_eq!(wrap(line, width), expected, "{line}");
        }
    }

    #[test]
    fn long_titles_are_cut() {
        assert_eq!((cut("short", 5), cut("longer", 5)), ("short".to_owned(), "long…".to_owned()));
    }
}
