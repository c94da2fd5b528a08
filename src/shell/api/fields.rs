//! What a request says: the fields of its body, and of its query.
//!
//! A route lists its fields; the reader, the document at `/api/v1/openapi.json` and the error messages are of that list.
//!
//! **Invariants:** strict. A field that is not listed, stands twice, or is of another type is an error that says what to
//! write. No text that leaves this module holds a control character.

use super::problem::{Kind, Problem};
use crate::pure::domain::Timestamp;
use crate::pure::domain::dust::DustKind;
use crate::pure::wire::settings::unknown_key;
use crate::shell::hands::{BY_CHARS_MAX, WHY_CHARS_MAX};
use crate::shell::page::link::Allow;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::collections::BTreeMap;

/// Characters of an id or address.
pub(super) const NAME_CHARS_MAX: usize = 1_000;

/// Characters of an answer.
pub(super) const TEXT_CHARS_MAX: usize = 50_000;

/// Files of an answer, and the characters of a name or type.
pub(super) const FILES_MAX: usize = 10;
const FILE_NAME_CHARS_MAX: usize = 255;

/// What files are.
const OF_FILES: &str = "is a list of 1 to 10 files, each {\"name\": \"kuitti.pdf\", \"type\": \"application/pdf\", \"data\": its bytes in base64}";

/// A file as a request gives it.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GivenFile {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) media_type: String,
    /// Its bytes in base64.
    pub(super) data: String,
}

/// Things that one request may name. Each is looked up.
pub(super) const NAMES_MAX: usize = 200;

/// Characters of a place in a list.
const CURSOR_CHARS_MAX: usize = 200;

/// Characters of what is searched for.
const SEARCH_CHARS_MAX: usize = 200;

/// Rows of a page.
pub(super) const PAGE_ROWS_MAX: i64 = 200;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A text of at most so many characters.
    Text(usize),
    /// A text of at most so many characters, in lines.
    Lines(usize),
    /// Files, each with its name, media type and bytes.
    Files,
    /// At least one text, each an id or address.
    Texts,
    /// `true` or `false`; in a query the name alone means true.
    Flag,
    /// A number of rows.
    Rows,
    /// One of some words.
    Word(&'static [&'static str]),
    /// An instant (RFC 3339).
    Instant,
}

/// A field of a body or a query.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) what: What,
    pub(super) is_required: bool,
    pub(super) about: &'static str,
}

const fn optional(name: &'static str, what: What, about: &'static str) -> Field {
    Field { name, what, is_required: false, about }
}

const fn required(name: &'static str, what: What, about: &'static str) -> Field {
    Field { name, what, is_required: true, about }
}

const BY: Field = optional("by", What::Text(BY_CHARS_MAX), "Who does it, for the journal; else the token's name.");
const WHY: Field = optional("why", What::Text(WHY_CHARS_MAX), "Why: one sentence for the journal.");

const MESSAGES: Field = required("messages", What::Texts, "The messages: lanka's ids, or the vendors'.");

/// The fields of `link`.
pub(super) const LINK: &[Field] = &[
    required("other", What::Text(NAME_CHARS_MAX), "The other contact: its id, or that of one of its identities."),
    BY,
    WHY,
];

/// The fields of `unlink`.
pub(super) const UNLINK: &[Field] =
    &[required("identities", What::Texts, "The addresses that go: their ids, or as `mailto:…`."), BY, WHY];

/// The fields of `move` and `split`.
pub(super) const OF_MESSAGES: &[Field] = &[MESSAGES, BY, WHY];

/// The fields of `merge`, of which one ticket is named.
pub(super) const MERGE: &[Field] = &[
    optional("into", What::Text(NAME_CHARS_MAX), "The ticket that stays; the one of the path leads to it."),
    optional("from", What::Text(NAME_CHARS_MAX), "Or the ticket that ends; the one of the path stays."),
    BY,
    WHY,
];

/// The fields of `classify`.
pub(super) const CLASSIFY: &[Field] = &[
    optional(
        "kind",
        What::Texts,
        "Its kinds: `service`, `problem`, `feedback`; `none` alone says that it brings no matter.",
    ),
    optional("fault", What::Word(&["own", "unclear", "hinders", "prevents"]), "What the problem is."),
    optional("feedback", What::Texts, "What the feedback says: `complaint`, `wish`, `praise`."),
    optional("priority", What::Word(&["high", "normal", "low"]), "How soon."),
    optional("undo", What::Flag, "Takes back what was said: the words speak again."),
    BY,
    WHY,
];

/// The fields of an answer.
pub(super) const ANSWER: &[Field] = &[BY, WHY];

/// The fields of a link to a thread.
pub(super) const THREAD_LINK: &[Field] = &[
    optional(
        "for",
        What::Text(20),
        "How long it is good, as `7d` or `12h`; 7 days unless told otherwise, at most 366.",
    ),
    optional("allow", What::Word(&Allow::WORDS), "What its bearer may do: read, unless told otherwise."),
    optional("name", What::Text(BY_CHARS_MAX), "Who its bearer is, for the journals."),
];

/// The fields of a reply.
pub(super) const REPLY: &[Field] = &[
    required("text", What::Lines(TEXT_CHARS_MAX), "What is written."),
    optional(
        "ready_answer",
        What::Text(NAME_CHARS_MAX),
        "The ready answer that it was made of: its id. It is counted.",
    ),
    optional("attachments", What::Files, "Files that go along, 20 MiB of them together at most."),
    optional("internal", What::Flag, "For colleagues: no customer sees it."),
    optional(
        "to",
        What::Text(NAME_CHARS_MAX),
        "The address or channel to answer to, as `answer` of the ticket shows it; else where answers go.",
    ),
    optional("by", What::Text(BY_CHARS_MAX), "Who writes it, as the customer may see it; else the token's name."),
];

/// The fields of a ticket's way into a queue.
pub(super) const TO_QUEUE: &[Field] =
    &[required("queue", What::Text(NAME_CHARS_MAX), "The queue, as the configuration calls it."), BY];

/// The fields of waiting for a customer.
pub(super) const AWAIT: &[Field] = &[optional("over", What::Flag, "The desk waits no longer."), BY];

/// The query of a list.
pub(super) const PAGE: &[Field] = &[CURSOR, LIMIT];

/// The query of the suggestions.
pub(super) const REVIEW: &[Field] =
    &[optional("all", What::Flag, "Also those that were answered, overtaken or withdrawn."), CURSOR, LIMIT];

/// The query of the incidents.
pub(super) const INCIDENTS: &[Field] =
    &[optional("state", What::Word(&["open", "closed"]), "Only those in this state."), LIMIT];

/// The fields of what is done with a ticket and an incident.
pub(super) const OF_INCIDENT: &[Field] =
    &[required("ticket", What::Text(NAME_CHARS_MAX), "The ticket: its id, or its short number."), BY, WHY];

/// The query of what gathers dust.
pub(super) const DUST: &[Field] =
    &[optional("kind", What::Word(&DustKind::WORDS), "Only what is of this kind."), LIMIT];

/// The query of a report.
pub(super) const REPORT: &[Field] = &[
    optional(
        "period",
        What::Text(NAME_CHARS_MAX),
        "`2026-10`, `2026-Q3`, `2026-W41`, `2026`, `2026-10-05`, `2026-10-05..2026-10-11`, or `this-month`, `last-week` and the like; `last-month`, unless told otherwise.",
    ),
    optional("organisation", What::Text(NAME_CHARS_MAX), "Only this customer, by the domain of its mail."),
    optional("texts", What::Flag, "With the beginning of what customers said as feedback."),
];

/// The query of the tickets.
pub(super) const TICKETS: &[Field] = &[
    optional("state", What::Word(&["open", "closed"]), "Only those in this state."),
    optional("priority", What::Word(&["high", "normal", "low"]), "Only those of this priority."),
    optional("owner", What::Text(NAME_CHARS_MAX), "Only those that this agent has."),
    optional("unassigned", What::Flag, "Only those that nobody has."),
    optional("queue", What::Text(NAME_CHARS_MAX), "Only those in this queue."),
    optional("awaited", What::Flag, "Only those on which the desk waits for the customer."),
    optional(
        "kind",
        What::Word(&["service", "problem", "feedback"]),
        "Only those that are of this kind, among others.",
    ),
    optional("channel", What::Text(NAME_CHARS_MAX), "Only those on which something came or went by this channel."),
    optional("contact", What::Text(NAME_CHARS_MAX), "Only those in which this contact takes part: its id."),
    optional("since", What::Instant, "Only those on which something was said at this instant or later."),
    optional(
        "due_before",
        What::Instant,
        "Only those of which a clock runs out before this instant, or has run out, and what it waits for is not done.",
    ),
    optional("overdue", What::Flag, "The same of now: only those that are late."),
    optional(
        "sort",
        What::Word(&["latest", "due"]),
        "`latest`, unless told otherwise: the one with the latest word first. `due`: the soonest due first, and only those on which something is.",
    ),
    CURSOR,
    LIMIT,
];

/// The query of the contacts.
pub(super) const CONTACTS: &[Field] = &[
    optional(
        "identity",
        What::Text(NAME_CHARS_MAX),
        "Only who has this address: `mailto:…`, `tel:…` as it is dialled in the desk's country or with +, or another scheme and its value.",
    ),
    CURSOR,
    LIMIT,
];

/// The query of a search.
pub(super) const SEARCH: &[Field] = &[
    required("q", What::Text(SEARCH_CHARS_MAX), "Words, each of which is found by how it begins; or an address."),
    optional("in", What::Word(&["messages", "tickets", "contacts"]), "Only among these."),
    CURSOR,
    LIMIT,
];

const CURSOR: Field =
    optional("cursor", What::Text(CURSOR_CHARS_MAX), "Where the last page ended: its `next`, as it is.");
const LIMIT: Field = optional("limit", What::Rows, "Rows of a page, 50 unless told otherwise.");

/// What a request gave of its fields.
#[derive(Debug, Default)]
pub(super) struct Given(BTreeMap<&'static str, Value>);

impl Given {
    /// The fields of a body. An empty body is an empty object.
    pub(super) fn of_body(fields: &'static [Field], body: &[u8]) -> Result<Self, Problem> {
        let malformed = |error: serde_json::Error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            Problem::new(Kind::BodyMalformed, format!("the body is not one JSON object ({place})"))
        };
        let pairs = match body.is_empty() {
            true => Vec::new(),
            false => serde_json::from_slice::<Pairs>(body).map_err(malformed)?.0,
        };
        Self::of(fields, pairs)
    }

    /// The fields of a query.
    pub(super) fn of_query(fields: &'static [Field], query: &str) -> Result<Self, Problem> {
        let mut pairs = Vec::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()).into_owned() {
            let what = fields.iter().find(|field| field.name == name).map(|field| field.what);
            let value = match (what, value.as_str()) {
                (Some(What::Flag), "" | "true") => Value::Bool(true),
                (Some(What::Flag), "false") => Value::Bool(false),
                (Some(What::Rows), digits) => digits.parse::<i64>().map_or(Value::String(value), Value::from),
                _ => Value::String(value),
            };
            pairs.push((name, value));
        }
        // Of a query everything is one problem to a client.
        Self::of(fields, pairs).map_err(|problem| problem.within_query())
    }

    fn of(fields: &'static [Field], pairs: Vec<(String, Value)>) -> Result<Self, Problem> {
        let mut given = Self::default();
        for (name, value) in pairs {
            let Some(field) = fields.iter().find(|field| field.name == name) else {
                let known: Vec<&str> = fields.iter().map(|field| field.name).collect();
                // The name is shown as far as a name is long.
                let shown: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
                let detail = format!("\"{shown}\": {}", unknown_key(&name, &known));
                return Err(Problem::new(Kind::FieldUnknown, detail));
            };
            let value = field.check(value)?;
            if given.0.insert(field.name, value).is_some() {
                return Err(field.wrong("stands twice"));
            }
        }
        match fields.iter().find(|field| field.is_required && !given.0.contains_key(field.name)) {
            Some(field) => {
                let detail = format!("\"{}\" is missing. {}", field.name, field.about);
                Err(Problem::new(Kind::FieldMissing, detail))
            }
            None => Ok(given),
        }
    }

    /// A text, if it was given.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// Files; none, if they were not given.
    pub(super) fn files(&self, name: &str) -> Vec<GivenFile> {
        let files = self.0.get(name).cloned().map(serde_json::from_value::<Vec<GivenFile>>);
        files.and_then(Result::ok).unwrap_or_default()
    }

    /// Texts; none, if they were not given.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        let texts = self.0.get(name).and_then(Value::as_array).into_iter().flatten();
        texts.filter_map(|text| text.as_str().map(str::to_owned)).collect()
    }

    /// Whether a flag is set.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    /// An instant, if it was given.
    pub(super) fn instant(&self, name: &str) -> Option<Timestamp> {
        self.0.get(name).and_then(instant)
    }

    /// A number, if it was given.
    pub(super) fn rows(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(Value::as_i64)
    }
}

/// The instant that a text is, if Postgres knows it too.
fn instant(value: &Value) -> Option<Timestamp> {
    let at: Timestamp = value.as_str()?.parse().ok()?;
    (1..=9999).contains(&at.to_zoned(jiff::tz::TimeZone::UTC).year()).then_some(at)
}

impl Field {
    /// The value, trimmed, if it is what the field holds.
    fn check(&self, value: Value) -> Result<Value, Problem> {
        match (self.what, value) {
            (What::Text(chars_max), Value::String(text)) => Ok(Value::String(self.text(&text, chars_max)?)),
            (What::Lines(chars_max), Value::String(text)) => {
                // Lines end as they do everywhere else here.
                let text = text.replace("\r\n", "\n");
                let flat: String = text.chars().filter(|c| !matches!(c, '\n' | '\t')).collect();
                self.text(&flat, chars_max)?;
                Ok(Value::String(text.trim().to_owned()))
            }
            (What::Files, value @ Value::Array(_)) => {
                let files: Vec<GivenFile> = self.files(value.clone())?;
                if (1..=FILES_MAX).contains(&files.len()) { Ok(value) } else { Err(self.wrong(OF_FILES)) }
            }
            (What::Files, _) => Err(self.wrong(OF_FILES)),
            (What::Text(chars_max) | What::Lines(chars_max), _) => {
                Err(self.wrong(&format!("is a text of at most {chars_max} characters")))
            }
            (What::Texts, Value::Array(values)) if (1..=NAMES_MAX).contains(&values.len()) => {
                let texts = values.into_iter().map(|value| match value {
                    Value::String(text) => Ok(Value::String(self.text(&text, NAME_CHARS_MAX)?)),
                    _ => Err(self.wrong("is a list of texts")),
                });
                Ok(Value::Array(texts.collect::<Result<_, _>>()?))
            }
            (What::Texts, _) => Err(self.wrong(&format!("is a list of 1 to {NAMES_MAX} texts"))),
            (What::Flag, value @ Value::Bool(_)) => Ok(value),
            (What::Flag, _) => Err(self.wrong("is true or false")),
            (What::Rows, value) if value.as_i64().is_some_and(|rows| (1..=PAGE_ROWS_MAX).contains(&rows)) => Ok(value),
            (What::Rows, _) => Err(self.wrong(&format!("is a number from 1 to {PAGE_ROWS_MAX}"))),
            (What::Word(words), value) if value.as_str().is_some_and(|word| words.contains(&word)) => Ok(value),
            (What::Word(words), _) => Err(self.wrong(&format!("is one of {}", words.join(", ")))),
            (What::Instant, value) if instant(&value).is_some() => Ok(value),
            (What::Instant, _) => Err(self.wrong("is an instant like 2026-03-05T10:00:00Z")),
        }
    }

    /// Files whose names and types are such. Their bytes are read by whoever takes them.
    fn files(&self, value: Value) -> Result<Vec<GivenFile>, Problem> {
        let files: Vec<GivenFile> = serde_json::from_value(value).map_err(|_| self.wrong(OF_FILES))?;
        let is_named = |file: &GivenFile| {
            let is_line = |text: &str| !text.trim().is_empty() && !text.chars().any(char::is_control);
            let is_type = file.media_type.split_once('/').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty());
            is_line(&file.name)
                && file.name.chars().count() <= FILE_NAME_CHARS_MAX
                && is_type
                && file.media_type.len() <= FILE_NAME_CHARS_MAX
                && file.media_type.bytes().all(|b| b.is_ascii_graphic())
        };
        match files.iter().all(is_named) {
            true => Ok(files),
            false => {
                Err(self.wrong("has a file without a name of one line, or with a type that is none, like image/png"))
            }
        }
    }

    fn text(&self, text: &str, chars_max: usize) -> Result<String, Problem> {
        let text = text.trim();
        if text.chars().any(char::is_control) {
            return Err(self.wrong("holds a control character"));
        }
        match text.chars().count() {
            0 if *self != WHY => Err(self.wrong("is empty")),
            count if count > chars_max => Err(self.wrong(&format!("is a text of at most {chars_max} characters"))),
            _ => Ok(text.to_owned()),
        }
    }

    fn wrong(&self, why: &str) -> Problem {
        Problem::new(Kind::FieldWrong, format!("\"{}\" {why}", self.name))
    }
}

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// A JSON object with its fields as they come, so that one that stands twice is seen.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Pairs;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_read_strictly() {
        let table: &[(&str, Result<(), (&str, &str)>)] = &[
            (r#"{"other": " a ", "by": "anna", "why": ""}"#, Ok(())),
            (r#"{"other": "a"}"#, Ok(())),
            ("", Err(("field_missing", "\"other\""))),
            ("{}", Err(("field_missing", "\"other\""))),
            ("[]", Err(("body_malformed", "line 1"))),
            ("null", Err(("body_malformed", "line 1"))),
            (r#"{"other": "a"} x"#, Err(("body_malformed", "line 1"))),
            (r#"{"other": "a", "othr": "b"}"#, Err(("field_unknown", "did you mean \"other\""))),
            (r#"{"other": "a", "other": "b"}"#, Err(("field_wrong", "stands twice"))),
            (r#"{"other": 7}"#, Err(("field_wrong", "is a text"))),
            (r#"{"other": null}"#, Err(("field_wrong", "is a text"))),
            (r#"{"other": ""}"#, Err(("field_wrong", "is empty"))),
            (r#"{"other": "a\u0000b"}"#, Err(("field_wrong", "control character"))),
            (r#"{"other": "a", "by": " "}"#, Err(("field_wrong", "\"by\" is empty"))),
        ];
        for (body, expected) in table {
            let read = Given::of_body(LINK, body.as_bytes());
            match (&read, expected) {
                (Ok(given), Ok(())) => assert_eq!(given.text("other"), Some("a"), "{body}"),
                (Err(problem), Err((code, part))) => {
                    assert_eq!(problem.code(), *code, "{body}");
                    assert!(problem.detail().contains(part), "{body}: {}", problem.detail());
                }
                _ => panic!("{body}: {read:?}"),
            }
        }
        let long = format!(r#"{{"other": "a", "by": "{}"}}"#, "x".repeat(BY_CHARS_MAX + 1));
        assert_eq!(Given::of_body(LINK, long.as_bytes()).map_err(|problem| problem.code()).err(), Some("field_wrong"));
        for (texts, good) in [(0, false), (1, true), (NAMES_MAX, true), (NAMES_MAX + 1, false)] {
            let body = serde_json::json!({"messages": vec!["m"; texts]}).to_string();
            assert_eq!(Given::of_body(OF_MESSAGES, body.as_bytes()).is_ok(), good, "{texts}");
        }
    }

    #[test]
    fn queries_are_read_strictly() {
        let table: &[(&str, Option<(bool, i64)>)] = &[
            ("", Some((false, 50))),
            ("all", Some((true, 50))),
            ("all=true&limit=1", Some((true, 1))),
            ("all=false", Some((false, 50))),
            ("all=yes", None),
            ("limit=0", None),
            ("limit=201", None),
            ("limit=x", None),
            ("limit=1&limit=2", None),
            ("al=true", None),
            ("access_token=x", None),
        ];
        for (query, expected) in table {
            let read = Given::of_query(REVIEW, query);
            let found = read.as_ref().ok().map(|given| (given.flag("all"), given.rows("limit").unwrap_or(50)));
            assert_eq!(found, *expected, "{query}");
            assert!(read.err().is_none_or(|problem| problem.code() == "query_wrong"), "{query}");
        }
    }
}
