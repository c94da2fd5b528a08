//! From what is stored to what the templates show.
//!
//! **Invariants:** nothing here is HTML: templates escape all of it. What somebody else wrote is shown as a text of its own
//! direction, never as a link, and its control characters are shown as such, not obeyed.

use super::words::Words;
use crate::pure::domain::Timestamp;
use crate::pure::domain::clock::ClockState;
use crate::pure::domain::message::Mark;
use crate::pure::domain::outbox::{AttachmentView, BroughtView, ContactView, MessageView, TicketView};
use crate::pure::domain::ready::Offered;
use crate::shell::store::hands::{SideShown, SuggestionShown};
use crate::shell::store::incident::Recurring;
use crate::shell::store::timeline::Join;
use askama::Template;
use jiff::tz::TimeZone;

/// The styles; the policy of the answer names their hash.
pub(super) const CSS: &str = include_str!("page.css");

/// Characters of a message that are shown among others; the whole of it has a page.
const TEXT_CHARS_MAX: usize = 4_000;

/// Characters of a name, title or address.
const LINE_CHARS_MAX: usize = 300;

/// Addresses of one side of a suggestion.
const SIDE_LINES_MAX: usize = 8;

/// Legs of a call whose recordings are named.
const LEGS_MAX: usize = 20;

/// A thread.
#[derive(Template)]
#[template(path = "thread.html", config = "src/shell/page/askama.toml")]
pub(super) struct ThreadPage<'a> {
    pub(super) words: &'static Words,
    pub(super) css: &'static str,
    pub(super) number: i64,
    pub(super) title: String,
    pub(super) facts: Vec<String>,
    pub(super) done: Option<&'static str>,
    pub(super) people: Vec<PersonShown>,
    pub(super) suggestions: Vec<Suggested>,
    pub(super) may_review: bool,
    pub(super) answers: Vec<AnswerShown>,
    pub(super) counted: String,
    pub(super) messages: Vec<MessageShown>,
    pub(super) has_before: bool,
    pub(super) next: Option<String>,
    pub(super) footer: String,
    /// Where this page is, as seen from itself.
    pub(super) base: &'a str,
    /// The link, with its `?`.
    pub(super) query: &'a str,
}

/// One message whole, or a word to whoever asked.
#[derive(Template)]
#[template(path = "one.html", config = "src/shell/page/askama.toml")]
pub(super) struct OnePage {
    pub(super) words: &'static Words,
    pub(super) css: &'static str,
    pub(super) title: String,
    pub(super) text: Option<&'static str>,
    pub(super) message: Option<MessageShown>,
    pub(super) back: Option<String>,
}

pub(super) struct AnswerShown {
    id: String,
    title: String,
    text: String,
}

pub(super) struct PersonShown {
    name: String,
    addresses: Vec<AddressShown>,
    joins: Vec<JoinShown>,
}

struct AddressShown {
    kind: String,
    value: String,
}

struct JoinShown {
    why: String,
    by: String,
    at: String,
}

pub(super) struct Suggested {
    id: String,
    question: &'static str,
    why: String,
    sides: [SideLines; 2],
}

struct SideLines {
    name: String,
    lines: Vec<String>,
}

pub(super) struct MessageShown {
    id: String,
    class: &'static str,
    heading: &'static str,
    who: String,
    instant: String,
    at: String,
    channel: String,
    marks: Vec<MarkShown>,
    subject: Option<String>,
    forwarded_from: Option<String>,
    brings: String,
    call: Vec<String>,
    text: String,
    rest: Option<Rest>,
    files: Vec<FileShown>,
    progress: Option<String>,
    why: String,
}

struct MarkShown {
    text: &'static str,
    warns: bool,
}

struct Rest {
    href: String,
    text: String,
}

struct FileShown {
    name: String,
    href: Option<String>,
    about: String,
}

/// How things are shown: in whose words, on whose clock, and where links lead.
pub(super) struct Showing<'a> {
    pub(super) words: &'static Words,
    pub(super) zone: &'a TimeZone,
    /// Where the thread's page is, as seen from this one.
    pub(super) base: &'a str,
    /// The link, with its `?`.
    pub(super) query: &'a str,
    /// Messages are shown whole.
    pub(super) whole: bool,
}

impl Showing<'_> {
    pub(super) fn moment(&self, at: Timestamp) -> String {
        self.words.moment(at, self.zone)
    }

    pub(super) fn title(&self, ticket: &TicketView) -> String {
        match line(&ticket.title) {
            title if title.is_empty() => self.words.untitled.to_owned(),
            title => title,
        }
    }

    pub(super) fn facts(&self, ticket: &TicketView, recurring: &Recurring) -> Vec<String> {
        let words = [ticket.state.as_str(), ticket.priority.as_str()].into_iter();
        let words = words
            .chain(ticket.kind.iter().map(String::as_str))
            .chain(ticket.fault_kind.as_deref())
            .chain(ticket.feedback.iter().map(String::as_str))
            .map(|word| self.words.fact(word));
        let awaited = ticket.awaited_since.map(|since| self.words.awaited(&self.moment(since)));
        let queue = ticket.queue.as_deref().map(|queue| self.words.queue(queue));
        let owner = ticket.owner.as_deref().map(|owner| self.words.owned(&line(owner)));
        // What is done in time needs nobody's eye.
        let clocks = ticket.clocks.iter().filter(|clock| clock.state != ClockState::Met);
        let clocks = clocks.map(|clock| self.words.clock(clock, self.zone));
        let notices = ticket.notices.iter().map(|notice| self.words.notice(notice, self.zone));
        let open = recurring.incidents.iter().filter(|incident| incident.state == "open");
        let incidents = open.map(|incident| self.words.on_incident(incident.number));
        let again = recurring.again.as_ref().map(|again| {
            let since = self.words.moment(again.since, self.zone);
            self.words.came_again(again.times, &since)
        });
        let promised = clocks.chain(notices);
        words.chain(awaited).chain(queue).chain(owner).chain(incidents).chain(again).chain(promised).collect()
    }

    fn name(&self, contact: &ContactView) -> String {
        let name = contact.name.as_deref().map(line).filter(|name| !name.is_empty());
        name.unwrap_or_else(|| self.words.somebody.to_owned())
    }

    pub(super) fn person(&self, contact: &ContactView, joins: &[Join]) -> PersonShown {
        let address = |text: &String| {
            let (scheme, value) = text.split_once(':').unwrap_or(("", text));
            AddressShown { kind: self.words.scheme(scheme), value: line(value) }
        };
        let join = |join: &Join| JoinShown { why: line(&join.why), by: line(&join.by), at: self.moment(join.at) };
        PersonShown {
            name: self.name(contact),
            addresses: contact.identities.iter().map(address).collect(),
            joins: joins.iter().filter(|join| join.contact == contact.id).map(join).collect(),
        }
    }

    /// A ready answer. Who wrote it is of the desk, and so it is shown whole.
    pub(super) fn answer(&self, offered: &Offered) -> AnswerShown {
        AnswerShown { id: line(&offered.id), title: line(&offered.title), text: lines(&offered.text) }
    }

    pub(super) fn suggestion(&self, suggestion: &SuggestionShown) -> Suggested {
        let side = |side: &SideShown| {
            let name = side.name.as_deref().map(line).filter(|name| !name.is_empty());
            let name = name.unwrap_or_else(|| self.words.somebody.to_owned());
            SideLines {
                name: side.number.map_or_else(|| name.clone(), |number| format!("#{number} {name}")),
                lines: side.identities.iter().take(SIDE_LINES_MAX).map(|text| line(text)).collect(),
            }
        };
        Suggested {
            id: suggestion.id.to_string(),
            question: if suggestion.kind == "contact" { self.words.one_person } else { self.words.one_matter },
            why: line(&suggestion.why),
            sides: [side(&suggestion.one), side(&suggestion.other)],
        }
    }

    pub(super) fn message(&self, ticket: &TicketView, message: &MessageView) -> MessageShown {
        let contact = ticket.participants.iter().find(|contact| Some(contact.id) == message.contact);
        let is_note = message.marks.contains(&Mark::Internal);
        let (text, rest) = self.text(message);
        let mark = |mark: &Mark| MarkShown { text: self.words.mark(*mark), warns: mark.casts_doubt() };
        let progress = message.progress.map(|progress| {
            let why = message.progress_why.as_deref().map(|why| format!(": {}", line(why))).unwrap_or_default();
            format!("{}{why}", self.words.progress(progress))
        });
        let brings = message.brings.iter().flat_map(BroughtView::words);
        MessageShown {
            id: message.id.to_string(),
            class: match (message.direction, is_note) {
                (_, true) => " note",
                (crate::pure::domain::message::Direction::FromAgent, _) => " desk",
                _ => "",
            },
            heading: self.words.heading(message.direction, is_note),
            who: contact.map_or_else(|| self.words.somebody.to_owned(), |contact| self.name(contact)),
            instant: message.occurred_at.to_string(),
            at: self.moment(message.occurred_at),
            channel: line(&message.channel),
            marks: message.marks.iter().map(mark).collect(),
            subject: message.subject.as_deref().map(line).filter(|subject| !subject.is_empty()),
            forwarded_from: message.forwarded_from.as_deref().map(line),
            brings: brings.map(|word| self.words.fact(word)).collect::<Vec<_>>().join(", "),
            call: self.call(message),
            text,
            rest,
            files: (0..).zip(&message.attachments).map(|(n, file)| self.file(message, n, file)).collect(),
            progress,
            why: line_of(&message.sentence, TEXT_CHARS_MAX),
        }
    }

    /// A call, and where its legs are recorded. What an exchange says of that is no address to be followed.
    fn call(&self, message: &MessageView) -> Vec<String> {
        let Some(call) = &message.call else { return Vec::new() };
        let legs = call.legs.iter().filter(|leg| !leg.recording.is_empty()).take(LEGS_MAX);
        let recordings = legs.map(|leg| format!("{} {}", self.words.recording, line(&leg.recording)));
        std::iter::once(self.words.call(call)).chain(recordings).collect()
    }

    /// A message's text, and where the whole of a long one is.
    fn text(&self, message: &MessageView) -> (String, Option<Rest>) {
        let end = message.text.char_indices().nth(TEXT_CHARS_MAX).map(|(at, _)| at);
        match end {
            Some(end) if !self.whole => {
                let href = format!("{}/messages/{}{}", self.base, message.id, self.query);
                let text = format!("{} ({} kB)", self.words.whole, message.text.len() / 1_000);
                (format!("{}…", lines(&message.text[..end])), Some(Rest { href, text }))
            }
            _ => (lines(message.text.trim_end()), None),
        }
    }

    fn file(&self, message: &MessageView, n: usize, file: &AttachmentView) -> FileShown {
        let name = file.name.as_deref().map(line).filter(|name| !name.is_empty());
        let is_here = file.sha256.is_some();
        let about = match &file.lost {
            Some(_) => self.words.lost.to_owned(),
            None if !is_here => self.words.waiting.to_owned(),
            None => format!("{}, {}", line(&file.media_type), size(file.bytes)),
        };
        FileShown {
            name: name.unwrap_or_else(|| self.words.file.to_owned()),
            href: is_here.then(|| format!("{}/files/{}/{n}{}", self.base, message.id, self.query)),
            about,
        }
    }
}

fn size(bytes: i64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
    }
}

/// A text on one line, as long as a line is.
fn line(text: &str) -> String {
    line_of(text, LINE_CHARS_MAX)
}

fn line_of(text: &str, chars_max: usize) -> String {
    let mut shown: String =
        text.trim().chars().take(chars_max).map(|c| if is_turning(c) { '\u{fffd}' } else { visible(c) }).collect();
    if text.trim().chars().nth(chars_max).is_some() {
        shown.push('…');
    }
    shown
}

/// A text of several lines. What turns the order of letters in it ends with it: its place on the page is isolated.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").chars().map(|c| if matches!(c, '\n' | '\t') { c } else { visible(c) }).collect()
}

/// Control characters as their pictures (U+2400).
fn visible(c: char) -> char {
    match c {
        '\n' | '\r' | '\t' => ' ',
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}' => '\u{fffd}',
        c => c,
    }
}

/// Marks that turn the order of letters, which no name needs.
fn is_turning(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_not_obeyed() {
        let table = [
            (" Minna\u{0}\u{1b}[31m ", "Minna\u{2400}\u{241b}[31m"),
            ("kuva\u{202e}gpj.exe", "kuva\u{fffd}gpj.exe"),
            ("a\nb\tc\u{85}\u{7f}", "a b c\u{fffd}\u{2421}"),
            ("سارة\u{200f}", "سارة\u{200f}"),
        ];
        for (text, expected) in table {
            assert_eq!(line(text), expected, "{text:?}");
        }
        assert_eq!(lines("a\r\nb\tc\u{1}"), "a\nb\tc\u{2401}");
        assert_eq!(line(&"x".repeat(999)).chars().count(), LINE_CHARS_MAX + 1);
        assert_eq!((size(999), size(1_500), size(2_550_000)), ("999 B".into(), "1 kB".into(), "2.5 MB".into()));
    }
}
