//! A file of a ready answer: TOML between two lines of `+++`, and below them the text.
//!
//! ```text
//! +++
//! title = "Lasku on maksettu kahdesti"
//! language = "fi"
//! kinds = ["problem"]
//! words = ["tuplana", "kaksi kertaa"]
//! +++
//! Hei {name}, palautamme toisen maksun tilillesi viikon kuluessa.
//! ```
//!
//! **Invariant:** everything that is wrong is found at once, each with its line.

use super::settings::{self, SettingsProblem};
use crate::pure::domain::ready::{PLACES, ReadyAnswer, places};
use crate::pure::domain::service::Like;
use crate::pure::domain::ticket::MatterKind;
use serde::Deserialize;
use toml::Table;

/// Most characters of a title, and of a word.
const TITLE_CHARS_MAX: usize = 200;
const WORD_CHARS_MAX: usize = 60;
/// Most words, and domains.
const WORDS_MAX: usize = 60;
/// Most characters of a text: what is longer is no answer to be looked over and sent.
const TEXT_CHARS_MAX: usize = 8_000;

/// The line around what is said of the answer.
const FENCE: &str = "+++";

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Line, from 1.
    pub line: usize,
    /// The key, if it is one's.
    pub key: String,
    /// What is wrong, and what to write instead.
    pub message: String,
}

/// What is said of the answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Front {
    title: String,
    language: String,
    #[serde(default)]
    kinds: Vec<MatterKind>,
    #[serde(default)]
    like: Vec<Like>,
    #[serde(default)]
    words: Vec<String>,
    #[serde(default)]
    organisations: Vec<String>,
    #[serde(default)]
    tenant: Option<String>,
}

/// The answer of a file.
///
/// # Errors
/// All that is wrong with it.
pub fn parse(id: &str, file: &str) -> Result<ReadyAnswer, Vec<Mistake>> {
    let mistake =
        |line: usize, key: &str, message: &str| Mistake { line, key: key.to_owned(), message: message.to_owned() };
    let file = file.strip_prefix('\u{feff}').unwrap_or(file).replace("\r\n", "\n");
    let lines: Vec<&str> = file.lines().collect();
    if lines.first().map(|line| line.trim_end()) != Some(FENCE) {
        let why =
            "the first line is not +++: write title and language in TOML between two lines of +++, and the text below";
        return Err(vec![mistake(1, "", why)]);
    }
    let Some(end) = lines.iter().skip(1).position(|line| line.trim_end() == FENCE).map(|at| at + 1) else {
        return Err(vec![mistake(lines.len(), "", "the second line of +++ is missing: the text begins below it")]);
    };
    let front = lines[1..end].join("\n");
    let table: Table = front.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| front[..span.start.min(front.len())].matches('\n').count());
        vec![mistake(line + 2, "", &format!("not TOML: {}", error.message().replace('\n', " ")))]
    })?;
    let line_of = |key: &str| {
        let name = key.split('.').next().unwrap_or_default();
        let is_its = |line: &&str| line.split('=').next().is_some_and(|before| before.trim().trim_matches('"') == name);
        lines[..end].iter().position(is_its).map_or(1, |at| at + 1)
    };
    let (read, problems) = settings::read::<Front>(table, &[], &Table::new());
    let mut mistakes: Vec<Mistake> =
        problems.into_iter().map(|SettingsProblem { key, message }| mistake(line_of(&key), &key, &message)).collect();
    let text = lines[end + 1..].join("\n").trim().to_owned();
    mistakes.extend(of_text(&text).into_iter().map(|(at, message)| {
        let blank = lines[end + 1..].iter().take_while(|line| line.trim().is_empty()).count();
        let before = if text.is_empty() { 0 } else { blank };
        mistake(end + 2 + before + text[..at].matches('\n').count(), "", &message)
    }));
    let Some(front) = read else { return Err(mistakes) };
    if mistakes.is_empty() {
        mistakes.extend(of_front(&front).into_iter().map(|(key, message)| mistake(line_of(key), key, &message)));
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let lower = |words: Vec<String>| words.iter().map(|word| word.trim().to_lowercase()).collect();
    let Front { title, language, kinds, like, words, organisations, tenant } = front;
    let (title, words, organisations) = (title.trim().to_owned(), lower(words), lower(organisations));
    Ok(ReadyAnswer { id: id.to_owned(), title, language, kinds, like, words, organisations, tenant, text })
}

/// What is wrong with values that are of the right type.
fn of_front(front: &Front) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    let is_line = |text: &str, chars_max: usize| {
        !text.trim().is_empty() && text.chars().count() <= chars_max && !text.chars().any(char::is_control)
    };
    if !is_line(&front.title, TITLE_CHARS_MAX) {
        wrong.push(("title", format!("is one line of 1 to {TITLE_CHARS_MAX} characters")));
    }
    if front.language.len() != 2 || !front.language.bytes().all(|byte| byte.is_ascii_lowercase()) {
        wrong.push((
            "language",
            "is a code of two small letters (ISO 639-1): write \"fi\", \"sv\" or \"en\"".to_owned(),
        ));
    }
    for (key, list) in [("words", &front.words), ("organisations", &front.organisations)] {
        if list.len() > WORDS_MAX || !list.iter().all(|word| is_line(word, WORD_CHARS_MAX)) {
            wrong.push((key, format!("is a list of at most {WORDS_MAX}, each of 1 to {WORD_CHARS_MAX} characters")));
        }
    }
    if front.organisations.iter().any(|domain| domain.contains(['@', ' ', '/']) || !domain.contains('.')) {
        wrong.push(("organisations", "are domains of customers' mail, like \"suurasiakas.fi\"".to_owned()));
    }
    if front.tenant.as_deref().is_some_and(|tenant| !is_line(tenant, WORD_CHARS_MAX)) {
        wrong.push(("tenant", "is the name of a firm, as channels have it; leave it out for all".to_owned()));
    }
    wrong
}

/// What is wrong with a text, and where in it.
fn of_text(text: &str) -> Vec<(usize, String)> {
    let count = text.chars().count();
    let length = match count {
        0 => Some("there is no text below the second line of +++".to_owned()),
        _ if count > TEXT_CHARS_MAX => {
            Some(format!("the text has {count} characters, and {TEXT_CHARS_MAX} are the most"))
        }
        _ => None,
    };
    let unknown = places(text).filter(|(_, word)| !PLACES.contains(word)).map(|(at, word)| {
        let known = PLACES.map(|place| format!("{{{place}}}")).join(" and ");
        (at, format!("{{{word}}} is nothing that is known here: {known} are filled, everything else is written out"))
    });
    length.map(|message| (0, message)).into_iter().chain(unknown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole() {
        let file = "+++\r\ntitle = \" Lasku kahdesti \"\r\nlanguage = \"fi\"\nkinds = [\"problem\"]\nlike = [\"chat\", \"mail\"]\n\
                    words = [\"Tuplana\"]\norganisations = [\"Firma.fi\"]\ntenant = \"main\"\n+++\n\nHei {name}!\n\n+++ on viiva.\n";
        let answer = parse("fi/lasku", file).expect("an answer");
        let expected = ReadyAnswer {
            id: "fi/lasku".to_owned(),
            title: "Lasku kahdesti".to_owned(),
            language: "fi".to_owned(),
            kinds: vec![MatterKind::Problem],
            like: vec![Like::Chat, Like::Mail],
            words: vec!["tuplana".to_owned()],
            organisations: vec!["firma.fi".to_owned()],
            tenant: Some("main".to_owned()),
            text: "Hei {name}!\n\n+++ on viiva.".to_owned(),
        };
        assert_eq!(answer, expected);
    }

    #[test]
    fn each_mistake_has_its_line_and_says_what_to_write() {
        let long = "a".repeat(TEXT_CHARS_MAX + 1);
        let table: &[(&str, &[(usize, &str, &str)])] = &[
            ("", &[(1, "", "not +++")]),
            ("Hei\n", &[(1, "", "not +++")]),
            ("+++\ntitle = \"a\"\n", &[(2, "", "second line of +++")]),
            ("+++\ntitle = \"a\"\nlanguage = fi\n+++\nHei\n", &[(3, "", "not TOML")]),
            ("+++\nlanguage = \"fi\"\n+++\nHei\n", &[(1, "title", "missing")]),
            (
                "+++\ntitle = \"a\"\nlangauge = \"fi\"\nlanguage = \"fi\"\n+++\nHei\n",
                &[(3, "langauge", "did you mean \"language\"")],
            ),
            (
                "+++\ntitle = \"a\"\nlanguage = \"fi\"\nkinds = [\"complaint\"]\n+++\nHei\n",
                &[(4, "kinds.0", "problem")],
            ),
            ("+++\ntitle = \"a\"\nlanguage = \"fi\"\nlike = [\"fax\"]\n+++\nHei\n", &[(4, "like.0", "chat")]),
            ("+++\ntitle = \"a\"\nlanguage = \"suomi\"\n+++\nHei\n", &[(3, "language", "two small letters")]),
            ("+++\ntitle = \"\"\nlanguage = \"fi\"\n+++\nHei\n", &[(2, "title", "one line")]),
            (
                "+++\ntitle = \"a\"\nlanguage = \"fi\"\norganisations = [\"firma\"]\n+++\nHei\n",
                &[(4, "organisations", "suurasiakas.fi")],
            ),
            ("+++\ntitle = \"a\"\nlanguage = \"fi\"\n+++\n\n", &[(5, "", "no text")]),
            (
                "+++\ntitle = \"a\"\nlanguage = \"fi\"\n+++\n\nHei {name},\ntilaus {order} on {Ticket}.\n",
                &[(7, "", "{order} is nothing"), (7, "", "{Ticket} is nothing")],
            ),
        ];
        for (file, expected) in table {
            let mistakes = parse("a", file).expect_err(file);
            assert_eq!(mistakes.len(), expected.len(), "{file}: {mistakes:?}");
            for (mistake, (line, key, says)) in mistakes.iter().zip(*expected) {
                assert_eq!((mistake.line, mistake.key.as_str()), (*line, *key), "{file}: {mistake:?}");
                assert!(mistake.message.contains(says), "{file}: {mistake:?}");
            }
        }
        let mistakes =
            parse("a", &format!("+++\ntitle = \"a\"\nlanguage = \"fi\"\n+++\n{long}")).expect_err("too long");
        assert!(mistakes[0].message.contains("8000 are the most"), "{mistakes:?}");
    }
}
