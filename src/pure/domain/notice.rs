//! Notices: what customers are told by lanka itself, in the desk's words.
//!
//! "Received, under this number, answered by ten tomorrow"; "somebody has it"; "we wait for you"; "it is done". The words
//! are templates of the configuration, by what is told, by what the channel is like, and by language.
//!
//! **Invariant:** a template that can be configured can be written out, whatever is known of a ticket and whatever is not:
//! [`Text::parse`] tries both.

use super::answer::Obstacle;
use super::id::MessageId;
use super::service::Like;
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Steps that writing a template out may take: a few thousand words.
const FUEL: u64 = 20_000;

/// What a customer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// His matter was received.
    Acknowledged,
    /// An agent has it.
    Taken,
    /// The desk waits for him.
    Awaited,
    /// It is done.
    Solved,
}

impl NoticeKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Acknowledged, Self::Taken, Self::Awaited, Self::Solved];

    /// The stable word, as in SQL and in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Taken => "taken",
            Self::Awaited => "awaited",
            Self::Solved => "solved",
        }
    }

    /// The kind of a stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Which text: what is told, and to whom; without the latter, to whomever there is no other text for.
pub type TextName = (NoticeKind, Option<Like>);

/// The name of a text in the configuration: `acknowledged`, `acknowledged_chat`.
pub fn text_name(name: &str) -> Option<TextName> {
    let likes = [Like::Chat, Like::Mail, Like::Call];
    let of_like = likes.into_iter().find_map(|like| Some((name.strip_suffix(like.as_str())?.strip_suffix('_')?, like)));
    match of_like {
        Some((kind, like)) => Some((NoticeKind::parse(kind)?, Some(like))),
        None => Some((NoticeKind::parse(name)?, None)),
    }
}

/// What a template is filled with. Everything but the number may be unknown, and is empty then.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filling {
    /// The ticket's number.
    pub ticket: i64,
    /// What it is called.
    pub title: String,
    /// The customer's name.
    pub name: String,
    /// The agent who has it.
    pub agent: String,
    /// By when he is answered, in his language: `huomenna klo 10.00 mennessä`. Empty when nothing is promised.
    pub by: String,
    /// Whether the desk is there now.
    pub open: bool,
    /// When it is there next, in his language: `huomenna klo 8.00`. Empty when it is, or never will be.
    pub opens: String,
    /// What the desk said last.
    pub done: String,
    /// For how many days an answer opens the ticket again.
    pub days: u64,
}

impl Filling {
    fn values(&self) -> Value {
        let Self { ticket, title, name, agent, by, open, opens, done, days } = self;
        let text = |text: &String| Value::from(text.as_str());
        Value::from_pairs([
            ("ticket", Value::from(*ticket)),
            ("title", text(title)),
            ("name", text(name)),
            ("agent", text(agent)),
            ("by", text(by)),
            ("open", Value::from(*open)),
            ("opens", text(opens)),
            ("done", text(done)),
            ("days", Value::from(*days)),
        ])
    }
}

/// A template that holds.
#[derive(Debug, Clone)]
pub struct Text(Arc<Environment<'static>>);

/// The only template of a [`Text`].
const ONE: &str = "text";

impl Text {
    /// Reads a template.
    ///
    /// # Errors
    /// A sentence with the line that is wrong in it: its syntax, or a variable that there is not.
    pub fn parse(source: &str) -> Result<Self, String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        // A line of its own for a block leaves no line in the text.
        environment.set_syntax(
            SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().map_err(|error| said(&error))?,
        );
        environment.add_template_owned(ONE, source.to_owned()).map_err(|error| said(&error))?;
        let text = Self(Arc::new(environment));
        let full = Filling {
            ticket: 1042,
            title: "x".to_owned(),
            name: "x".to_owned(),
            agent: "x".to_owned(),
            by: "x".to_owned(),
            open: false,
            opens: "x".to_owned(),
            done: "x".to_owned(),
            days: 3,
        };
        for filling in [&full, &Filling { ticket: 1, open: true, ..Filling::default() }] {
            let written = text.0.get_template(ONE).and_then(|template| template.render(filling.values()));
            if written.map_err(|error| said(&error))?.trim().is_empty() {
                return Err("the text says nothing, at least not of every ticket".to_owned());
            }
        }
        Ok(text)
    }

    /// The text with all that is known; empty if it cannot be written out, which [`Self::parse`] rules out.
    pub fn filled(&self, filling: &Filling) -> String {
        let written = self.0.get_template(ONE).and_then(|template| template.render(filling.values()));
        let written = written.unwrap_or_default();
        let lines: Vec<&str> = written.trim().lines().map(str::trim_end).collect();
        // What is unknown leaves no more than one line free.
        let mut text = String::with_capacity(written.len());
        for (at, line) in lines.iter().enumerate() {
            if line.is_empty() && at.checked_sub(1).is_some_and(|before| lines[before].is_empty()) {
                continue;
            }
            if at > 0 {
                text.push('\n');
            }
            text.push_str(line);
        }
        text
    }
}

fn said(error: &minijinja::Error) -> String {
    let line = error.line().map(|line| format!(" in its line {line}")).unwrap_or_default();
    let what = match error.kind() {
        ErrorKind::UndefinedError => {
            "it names something that there is not; there are ticket, title, name, agent, by, open, opens, done, days"
                .to_owned()
        }
        ErrorKind::OutOfFuel => "it takes too long to write out".to_owned(),
        _ => error.detail().map_or_else(|| error.kind().to_string(), str::to_owned),
    };
    format!("not a template{line}: {what}")
}

/// Who is told what, and in which words.
#[derive(Debug, Clone, Default)]
pub struct Notices {
    /// What customers are told.
    pub send: Vec<NoticeKind>,
    /// The same on channels that differ, by name.
    pub send_on: BTreeMap<String, Vec<NoticeKind>>,
    /// Texts by language.
    pub texts: BTreeMap<String, BTreeMap<TextName, Text>>,
    /// Languages of the desk, the preferred first.
    pub languages: Vec<String>,
    /// What happened longer ago is told no more.
    pub max_age: Duration,
    /// Notices to one contact within an hour, at most.
    pub per_hour: u32,
    /// Acknowledgements by mail to one contact within an hour, at most.
    pub mail_per_hour: u32,
    /// Addresses that are told nothing: `*@lists.example`, `noreply@*`.
    pub never_to: Vec<String>,
}

impl Notices {
    /// Whether customers are told of something on a channel.
    pub fn is_sent(&self, kind: NoticeKind, channel: &str) -> bool {
        self.send_on.get(channel).unwrap_or(&self.send).contains(&kind)
    }

    /// The text for a customer, and its language: in his if there is one, else in the first of the desk's.
    pub fn text(&self, kind: NoticeKind, like: Like, language: Option<&str>) -> Option<(&str, &Text)> {
        let languages = language.into_iter().chain(self.languages.iter().map(String::as_str)).chain(["en"]);
        let mut all = languages.filter_map(|language| self.texts.get_key_value(language));
        all.find_map(|(language, texts)| {
            let text = texts.get(&(kind, Some(like))).or_else(|| texts.get(&(kind, None)))?;
            Some((language.as_str(), text))
        })
    }

    /// Whether an address is told nothing.
    pub fn is_excepted(&self, address: &str) -> bool {
        let address = address.to_lowercase();
        self.never_to.iter().any(|pattern| {
            let pattern = pattern.to_lowercase();
            match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
                (Some(end), _) => address.ends_with(end),
                (None, Some(beginning)) => address.starts_with(beginning),
                (None, None) => address == pattern,
            }
        })
    }
}

/// Why somebody was not told. The code is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withheld {
    /// An agent has told him himself.
    Answered,
    /// It happened too long ago.
    Old,
    /// His address is told nothing: it is nobody's who reads, or the configuration says so.
    NeverTo,
    /// He was told enough within the hour.
    TooMany,
    /// He never heard of the ticket.
    Unheard,
    /// There is no text for it.
    NoText,
    /// No answer would go there either.
    Obstacle(Obstacle),
}

impl Withheld {
    /// The stable word, as in SQL.
    pub fn code(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Old => "old",
            Self::NeverTo => "never_to",
            Self::TooMany => "too_many",
            Self::Unheard => "unheard",
            Self::NoText => "no_text",
            Self::Obstacle(obstacle) => obstacle.code(),
        }
    }

    /// The reason of a code.
    pub fn parse(code: &str) -> Option<Self> {
        let own = [Self::Answered, Self::Old, Self::NeverTo, Self::TooMany, Self::Unheard, Self::NoText];
        let own = own.into_iter().find(|why| why.code() == code);
        own.or_else(|| Obstacle::parse(code).map(Self::Obstacle))
    }

    /// A sentence for the agent.
    pub fn says(self) -> &'static str {
        match self {
            Self::Answered => "An agent wrote to the customer within the hour.",
            Self::Old => "It happened too long ago (notices.max_age).",
            Self::NeverTo => {
                "Nobody reads what is sent to the address, or the configuration says to leave it alone (notices.never_to)."
            }
            Self::TooMany => "The customer was told enough within the hour (notices.per_hour, notices.mail_per_hour).",
            Self::Unheard => "Nobody has answered on this ticket, nor was it acknowledged.",
            Self::NoText => "There is no text for it (notices.texts).",
            Self::Obstacle(obstacle) => obstacle.says(),
        }
    }
}

/// A notice that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// What was told.
    pub kind: NoticeKind,
    /// The customer's message that it was told on.
    pub message: MessageId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_refused_with_what_is_wrong() {
        for (source, says) in [
            ("#{{ ticket }}", ""),
            ("{% if by %}{{ by }}{% else %}soon{% endif %}", ""),
            ("{{ tiket }}", "in its line 1: it names something that there is not"),
            ("a\n{% if open %}b", "in its line 2"),
            ("a\n{{ ticket", "in its line 2"),
            ("{{ by }}", "says nothing"),
            ("  ", "says nothing"),
            ("{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}", "too long"),
        ] {
            match (Text::parse(source), says) {
                (Ok(_), "") => {}
                (Err(error), says) if !says.is_empty() => assert!(error.contains(says), "{source}: {error}"),
                (read, _) => panic!("{source}: {}", read.err().unwrap_or_default()),
            }
        }
    }

    #[test]
    fn what_is_unknown_leaves_no_hole() {
        let source = "Hei!\n\n{% if by %}\nVastaamme {{ by }}.\n{% endif %}\n\n{% if not open %}\nSuljettu.\n{% endif %}\n\nNumero #{{ ticket }}\n";
        let text = Text::parse(source).unwrap();
        let known = Filling { ticket: 7, by: "tänään".to_owned(), ..Filling::default() };
        assert_eq!(text.filled(&known), "Hei!\n\nVastaamme tänään.\n\nSuljettu.\n\nNumero #7");
        let unknown = Filling { ticket: 7, open: true, ..Filling::default() };
        assert_eq!(text.filled(&unknown), "Hei!\n\nNumero #7");
        // What is filled in is no template.
        let said = Filling { ticket: 7, by: "{{ days }}".to_owned(), open: true, ..Filling::default() };
        assert_eq!(text.filled(&said), "Hei!\n\nVastaamme {{ days }}.\n\nNumero #7");
    }

    #[test]
    fn texts_are_named_and_found() {
        assert_eq!(text_name("solved"), Some((NoticeKind::Solved, None)));
        assert_eq!(text_name("acknowledged_call"), Some((NoticeKind::Acknowledged, Some(Like::Call))));
        for name in ["", "closed", "acknowledged_fax", "_chat", "solved_"] {
            assert_eq!(text_name(name), None, "{name}");
        }
        let texts = |names: &[&str]| -> BTreeMap<TextName, Text> {
            names.iter().map(|name| (text_name(name).unwrap(), Text::parse(name).unwrap())).collect()
        };
        let notices = Notices {
            texts: [("fi", texts(&["solved", "solved_chat"])), ("sv", texts(&["solved_chat"]))]
                .map(|(language, texts)| (language.to_owned(), texts))
                .into(),
            languages: vec!["fi".to_owned()],
            ..Notices::default()
        };
        for (like, language, expected) in [
            (Like::Chat, Some("sv"), "sv solved_chat"),
            (Like::Mail, Some("sv"), "fi solved"),
            (Like::Chat, None, "fi solved_chat"),
            (Like::Call, Some("de"), "fi solved"),
        ] {
            let (in_language, text) = notices.text(NoticeKind::Solved, like, language).unwrap();
            assert_eq!(
                format!("{in_language} {}", text.filled(&Filling::default())),
                expected,
                "{like:?} {language:?}"
            );
        }
        assert!(notices.text(NoticeKind::Taken, Like::Chat, Some("fi")).is_none());
    }

    #[test]
    fn some_are_told_nothing() {
        let never_to = ["*@Lists.example", "noreply@*", "boss@kauppa.example"].map(str::to_owned).into();
        let notices = Notices { never_to, ..Notices::default() };
        for (address, is_excepted) in [
            ("all@lists.example", true),
            ("NoReply@kauppa.example", true),
            ("boss@kauppa.example", true),
            ("anna@kauppa.example", false),
        ] {
            assert_eq!(notices.is_excepted(address), is_excepted, "{address}");
        }
    }
}
