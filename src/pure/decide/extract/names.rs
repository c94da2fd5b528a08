//! Names of the writer: where a text is signed, and where the writer introduces himself.
//!
//! A wrong name does more harm than a missing one, for two names that conflict keep contacts apart.
//! So a line, a last sentence or a word is a name only when it stands where names stand, looks like
//! one, and either a closing phrase says so, or a list of given names or the sender's own address
//! agrees.
//!
//! **Invariant:** a name is read only from the writer's own words, and at most the last
//! [`TAIL_LINES_MAX`] lines are searched for where they are signed.

use super::super::phrases::{
    AUTHORITIES, BEFORE_NOUNS, CALLER_LABELS, CALLERS_ACTS, CALLS_FROM, CONNECTORS, Closing, DEVICE_LINES, GREETINGS,
    HONORIFICS, INTRODUCED, INTRODUCTIONS, NAME_LABELS, NAMES_IN_CAPITALS, OBJECT_ENDINGS, OCCUPATIONS, ONCE_MORE,
    PARTICLES, PHONE_LABELS, PLACE_ENDINGS, PUT_THROUGH_TO, RELATIONS, SWITCHBOARD_LABELS, WEAK_INTRODUCTIONS,
    closings, is_no_name, is_organisation,
};
use super::scan::{cut, cut_front};
use crate::pure::domain::name::family::is_family;
use crate::pure::domain::name::given::is_given;
use crate::pure::domain::name::{NameMatch, PersonName, fold};
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// Lines at the end of a text in which it may be signed.
const TAIL_LINES_MAX: usize = 12;
/// Lines of a last paragraph that is a signature.
const PARAGRAPH_LINES_MAX: usize = 8;
/// A longer line is no particular of somebody. Bytes.
const PARTICULARS_BYTES_MAX: usize = 70;
/// A longer line is no signature but a sentence. Bytes.
const LINE_BYTES_MAX: usize = 400;
/// End of the last line in which an inline sign-off is looked for. Bytes.
const INLINE_BYTES_MAX: usize = 120;
/// More than the longest of [`DEVICE_LINES`]. Bytes.
const DEVICE_LINE_BYTES: usize = 64;
/// Words of a name.
const WORDS_MAX: usize = 4;
/// What ends a sentence in a chat, beside the pictures.
const SMILEYS: &[&str] = &[":D", ":d", ":P", ":p", "xD", "XD", ":/", ":(", "=D", "^^"];
/// Letters before a dot within a name ("M.", "Alex."); more end a sentence.
const SHORT_FORM_LETTERS_MAX: usize = 4;
/// Text in which the writer may introduce himself. Bytes.
const INTRODUCTION_BYTES_MAX: usize = 8192;
/// Sentences of a note at whose beginning a name is looked for.
const NOTE_SENTENCES_MAX: usize = 12;
/// Letters of a place with the ending of its case; of shorter words a family name is as likely (*West*).
const PLACE_LETTERS_MIN: usize = 7;
/// Letters of initials by which an account is called.
const HANDLE_INITIALS_MAX: usize = 3;
/// Letters of the given name that an account's name begins with.
const HANDLE_LETTERS_MIN: usize = 4;
/// How far behind the name that a message begins with the number stands that it is about. Bytes.
const OPENING_BYTES_MAX: usize = 40;
/// Months that are given names, too: "1 May".
const MONTHS: &[&str] = &["april", "may", "mai", "maj", "june", "juni", "juuni", "juli", "august", "jan"];
/// Names read out of introductions.
const INTRODUCTIONS_MAX: usize = 3;

/// What is known of the sender before the text is read.
#[derive(Debug, Default)]
pub struct Hints {
    /// What the channel calls him.
    pub called: Option<PersonName>,
    /// The words of his address: `minna.virtanen@…`.
    pub addresses: Vec<PersonName>,
}

impl Hints {
    fn agrees(&self, name: &PersonName) -> bool {
        let agrees = |known: &PersonName| known.compare(name).agrees();
        // "Ofenbau Brandis" is nobody's name because Theo Brandis writes as brandis@…
        let is_his = |address: &PersonName| agrees(address) && (address.is_full() || !self.contradicts(name));
        self.called.as_ref().is_some_and(|called| agrees(called) || resembles(called, name))
            || self.addresses.iter().any(is_his)
    }

    /// The channel calls him by what may be a firm's name, or a place's: "Greyfriars Events".
    fn calls_a_firm(&self) -> bool {
        self.called.as_ref().is_some_and(|called| !called.written().split(' ').any(has_given))
    }

    fn contradicts(&self, name: &PersonName) -> bool {
        self.called.as_ref().is_some_and(|known| known.is_full() && known.compare(name).verdict == NameMatch::Conflict)
    }
}

/// An account is called by somebody's initials, or by what begins with his given name: *PJ* is Patrick, *mirahoo*
/// Mira Hietaoja.
fn resembles(account: &PersonName, name: &PersonName) -> bool {
    let (account, given) = (account.written(), name.written().split_whitespace().next().unwrap_or_default());
    let given = fold(given);
    if account.contains(char::is_whitespace) || !is_given(&given) || is_given(&fold(account)) {
        return false;
    }
    let is_initials = account.len() <= HANDLE_INITIALS_MAX && account.chars().all(char::is_uppercase);
    match is_initials {
        true => given.chars().next() == fold(account).chars().next(),
        false => given.len() >= HANDLE_LETTERS_MIN && fold(account).starts_with(&given),
    }
}

/// Where a text is signed, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignOff {
    /// The byte at which the signature begins; the length of the text if it is nothing but a name.
    pub at: usize,
    /// The name, if the sign-off has one.
    pub name: Option<PersonName>,
}

/// A name as the channel gives it: no firm's, no unit's, nothing around it.
pub fn called(text: &str) -> Option<PersonName> {
    let text = text.split(['(', '<', '|', '/', '[']).next().unwrap_or("");
    let text =
        [" via ", " from ", " @ ", " c/o "].iter().fold(text, |text, word| text.split(word).next().unwrap_or(""));
    let lower = text.to_lowercase();
    if lower
        .split(|c: char| c.is_whitespace() || c == ',')
        .any(|word| is_organisation(word) || is_organisation(word.trim_matches('.')))
    {
        return None;
    }
    PersonName::parse(text)
}

/// A name as somebody gives it to an account of his own: behind what is a name may stand what he is known for.
/// *Sanna K3*, *Maija neuloo*: a word with a digit in it, or one in lower case behind a capital, is no family name.
pub fn of_account(text: &str) -> Option<PersonName> {
    let words: Vec<&str> = text.split_whitespace().take(WORDS_MAX + 1).collect();
    let is_capital = |word: &str| word.starts_with(char::is_uppercase);
    let has_digit = |word: &str| word.contains(|c: char| c.is_ascii_digit());
    let is_no_part = |word: &&str| {
        let lower = word.to_lowercase();
        has_digit(word) || (!is_capital(word) && !PARTICLES.contains(&lower.as_str()) && !is_family(&fold(&lower)))
    };
    let [first, behind @ ..] = words.as_slice() else { return None };
    let is_named = is_capital(first) && is_given(&fold(first)) && !has_digit(first);
    match behind.iter().position(|word| is_no_part(word) && word.contains(char::is_alphanumeric)) {
        Some(at) if is_named => called(&words[..=at].join(" ")),
        _ => called(text),
    }
}

/// The words of a mail address that may be a name.
pub fn in_address(local: &str) -> Option<PersonName> {
    let words: String = local.split('+').next()?.chars().map(|c| if c.is_alphabetic() { c } else { ' ' }).collect();
    PersonName::parse(&words)
}

/// Finds where the text is signed: a closing phrase, a dash or slash and a name, a last line or
/// sentence that is nothing but a name.
pub fn sign_off(text: &str, hints: &Hints) -> Option<SignOff> {
    let lines = tail(text);
    by_closing(&lines, hints)
        .or_else(|| by_last_paragraph(text, hints))
        .or_else(|| by_last_lines(text, &lines, hints))
        .or_else(|| inline(text, &lines, hints))
}

/// The name in a signature that was already cut off from its sign-off: its first line, or one below
/// that could be nothing else.
pub fn in_signature(signature: &str, hints: &Hints) -> Option<PersonName> {
    let lines = signature.lines().map(str::trim).filter(|line| !line.is_empty() && line.len() <= LINE_BYTES_MAX);
    let mut trust = Trust::Closed;
    for line in lines.take(TAIL_LINES_MAX) {
        let line = line.trim_start_matches(['-', '–', '—', '_', '/', '*', ' ']);
        // Below "Beste Grüße" the T of "T. Keller" is his initial, that of "T. Minna" says who greets.
        let closed = closing(line).filter(|_| !is_initial_and_family(line));
        if let Some(candidate) = leading(closed.as_ref().map_or(line, |found| found.rest))
            && candidate.is_accepted(closed.as_ref().map_or(trust, |found| found.trust), hints)
        {
            return Some(candidate.name);
        }
        trust = if closed.is_some() { Trust::Closed } else { Trust::Bare };
    }
    None
}

/// "T. Keller": a capital, a dot, and what is no given name.
fn is_initial_and_family(line: &str) -> bool {
    let Some((initial, rest)) = line.split_once(". ") else { return false };
    let mut letters = initial.chars();
    let is_initial = letters.next().is_some_and(char::is_uppercase) && letters.next().is_none();
    is_initial && rest.split_whitespace().next().is_some_and(|word| !is_given(&fold(word)))
}

/// Names by which the writer introduces himself: "nimeni on …", "this is …", "Minna täällä".
pub fn introductions(text: &str, hints: &Hints) -> Vec<PersonName> {
    static BEFORE: LazyLock<Regex> = LazyLock::new(|| one_of(&INTRODUCTIONS, &WEAK_INTRODUCTIONS));
    static AFTER: LazyLock<Regex> = LazyLock::new(|| one_of(INTRODUCED, &[]));
    static AGAIN: LazyLock<Regex> = LazyLock::new(|| one_of(ONCE_MORE, &[]));
    let text = cut(text, INTRODUCTION_BYTES_MAX);
    let mut names = Vec::new();
    for found in BEFORE.find_iter(text).filter(|found| is_parted(text, found.range())) {
        let phrase = found.as_str().to_lowercase();
        let trust = if INTRODUCTIONS.contains(&phrase.as_str()) { Trust::Closed } else { Trust::Weak };
        // Every German noun has a capital: "ich bin Besitzer Ihrer …", "im Bereich …".
        let needs_given = BEFORE_NOUNS.contains(&phrase.as_str());
        if let Some(candidate) = following(&text[found.end()..])
            && candidate.is_accepted(trust, hints)
            && (!needs_given || candidate.listed || hints.agrees(&candidate.name))
        {
            names.push(candidate.name);
        }
    }
    names.extend(opening(text, hints));
    for found in AGAIN.find_iter(text).filter(|found| is_parted(text, found.range())) {
        let candidate = preceding(&text[..found.start()]).filter(|candidate| candidate.listed && candidate.words >= 2);
        let begins = |candidate: &Candidate| has_given(candidate.name.written().split(' ').next().unwrap_or_default());
        let candidate = candidate.filter(|candidate| begins(candidate) && candidate.is_accepted(Trust::Weak, hints));
        names.extend(candidate.map(|candidate| candidate.name));
    }
    for found in AFTER.find_iter(text).filter(|found| is_parted(text, found.range())) {
        let question = text[found.end()..].trim_start().starts_with('?');
        if let Some(candidate) = preceding(&text[..found.start()])
            && !question
            && (candidate.is_accepted(Trust::Weak, hints) || (candidate.words >= 2 && hints.calls_a_firm()))
        {
            names.push(candidate.name);
        }
    }
    names.extend(labelled(text));
    names.truncate(INTRODUCTIONS_MAX);
    names
}

/// The whole name that a message begins with, where what it is about follows: "Minna Virtanen, 40012345. Milloin …".
fn opening(text: &str, hints: &Hints) -> Option<PersonName> {
    let greeted = text.split_once([',', '!']).filter(|(greeting, _)| GREETINGS.is(&greeting.trim().to_lowercase()));
    let text = greeted.map_or(text, |(_, rest)| rest).trim_start();
    let candidate =
        following(text).filter(|candidate| candidate.capital && candidate.listed && candidate.words >= 2)?;
    let rest = text.get(candidate.name.written().len()..).filter(|rest| rest.starts_with([',', '.', ':']))?;
    let is_about = cut(rest, OPENING_BYTES_MAX).contains(|c: char| c.is_ascii_digit());
    // Whom he writes for stands behind it: "Teemu Kankaanpuro, Lahdelman Pojat."
    let firm = rest.strip_prefix(", ").and_then(|rest| rest.split(['.', ',', '!']).next()).unwrap_or_default();
    let is_of_firm = !firm.is_empty()
        && firm.split(' ').count() <= WORDS_MAX
        && firm.split(' ').all(|word| word.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit()));
    ((is_about || is_of_firm) && !hints.contradicts(&candidate.name)).then_some(candidate.name)
}

/// The customer's name in what an agent noted: "Soittaja Minna Virtanen, …", "Yhdistetty vaihteesta. Minna Virtanen, …".
pub fn in_note(text: &str) -> Option<PersonName> {
    static CALLER: LazyLock<Regex> = LazyLock::new(|| one_of(&CALLER_LABELS, &[]));
    let text = cut(text.trim_start(), INTRODUCTION_BYTES_MAX);
    // "an Frau Yilmaz verbunden": whom he was put through to.
    let is_led_to = |at: usize| {
        let before = text[..at].trim_end().rsplit(' ').next().unwrap_or_default();
        PUT_THROUGH_TO.contains(&before.to_lowercase().as_str())
    };
    let labels = CALLER.find_iter(text).filter(|found| is_parted(text, found.range()));
    let mut labels = labels.filter(|found| !is_led_to(found.start()));
    let labelled = labels.find_map(|found| {
        let behind = text[found.end()..].trim_start_matches([':', ',', ' ']);
        let (title, behind) = title(behind);
        let candidate = following(behind)?;
        let is_accepted = candidate.is_accepted(Trust::Weak, &Hints::default());
        match title {
            _ if is_accepted => Some(candidate.name),
            Some(title) => by_title(title, &candidate),
            None => None,
        }
    });
    // An agent signs below.
    let line = text.lines().next().unwrap_or_default();
    labelled
        .or_else(|| sentences(line).take(NOTE_SENTENCES_MAX).enumerate().find_map(|(at, text)| noted(text, at == 0)))
}

/// The name that a sentence of a note begins with. What is not the first sentence may tell of others: a whole
/// name alone counts there, and who does what callers do.
fn noted(text: &str, is_first: bool) -> Option<PersonName> {
    if let Some(name) = registered(text) {
        return Some(name);
    }
    let (title, text) = title(text);
    let candidate = following(text).filter(|candidate| candidate.capital)?;
    let written = candidate.name.written();
    let rest = text.get(written.len()..).unwrap_or_default();
    let is_parted = rest.trim_start().starts_with([',', '.', ':', '(']) || rest.is_empty();
    let next = rest.split([' ', ',', '.']).find(|word| !word.is_empty()).unwrap_or_default().to_lowercase();
    let acts = CALLERS_ACTS.is(&next) || PLACE_ENDINGS.iter().any(|ending| next.ends_with(ending));
    let calls = acts || CALLS_FROM.contains(&next.as_str());
    let is_about = || cut(rest, OPENING_BYTES_MAX).contains(|c: char| c.is_ascii_digit());
    let is_shouted = |word: &str| word.chars().count() > 2 && !word.chars().any(char::is_lowercase);
    let is_object = || {
        OBJECT_ENDINGS.iter().any(|ending| written.to_lowercase().ends_with(ending))
            || written.split_whitespace().next_back().is_some_and(is_shouted)
    };
    // A lone first word may be a verb ("Anna …" is also "give"), and one that is no known name anything.
    let is_told = match (candidate.listed, candidate.words) {
        (_, 2..) if is_object() => false,
        (true, 2..) => is_first || is_parted || calls,
        (false, 2..) => calls || (is_parted && (is_first || is_about())),
        (true, 1) => acts || (calls && is_first) || (is_parted && is_first),
        (_, _) => false,
    };
    match title {
        _ if is_told => Some(candidate.name),
        Some(title) if is_parted || acts => by_title(title, &candidate),
        _ => None,
    }
}

/// "Herra Mutka": a title and the family name.
fn by_title(title: &str, candidate: &Candidate) -> Option<PersonName> {
    let is_family = candidate.words == 1 && candidate.capital && HONORIFICS.is(&plain_title(title));
    PersonName::parse(&format!("{title} {}", candidate.name.written())).filter(|_| is_family)
}

/// The title that a text begins with, and what stands behind it.
fn title(text: &str) -> (Option<&str>, &str) {
    let first = text.split(' ').next().unwrap_or_default();
    let plain = plain_title(first);
    match OCCUPATIONS.is(&plain) || HONORIFICS.is(&plain) {
        true => (Some(first), text[first.len()..].trim_start()),
        false => (None, text),
    }
}

fn plain_title(word: &str) -> String {
    word.trim_end_matches('.').to_lowercase()
}

/// A name as registers have it, with a comma, before another: "Grönroos, Ulla-Maija, SOP 20887120".
fn registered(text: &str) -> Option<PersonName> {
    let (family, rest) = text.split_once(", ")?;
    let given = rest.split([',', '.', ':', ';', '(', '\n']).next().unwrap_or_default().trim_end();
    let goes_on = rest[given.len()..].starts_with([',', ':', '(']);
    let is_name = (goes_on || is_family(&fold(family))) && given.split(' ').all(has_given);
    let name = family_first(&text[..family.len() + ", ".len() + given.len()]).filter(|_| is_name)?;
    name.capital.then_some(name.name)
}

/// The sentences of a note; the dot of an initial or an abbreviation ends none.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let ends = move |at: usize, c: char| match c {
        ';' | '!' | '?' => true,
        '.' => {
            let word = text[..at].chars().rev().take_while(|c| c.is_alphanumeric()).count();
            word > SHORT_FORM_LETTERS_MAX && text[at + 1..].starts_with(char::is_whitespace)
        }
        _ => false,
    };
    let mut start = 0;
    let ends = text.char_indices().filter(move |(at, c)| ends(*at, *c)).map(|(at, _)| at + 1).chain([text.len()]);
    ends.map(move |end| text[std::mem::replace(&mut start, end)..end].trim()).filter(|text| !text.is_empty())
}

/// How much the place of a name says for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Behind a closing phrase or "my name is".
    Closed,
    /// Behind a short closing, a dash, a slash.
    Marked,
    /// Alone on one of the last lines.
    Bare,
    /// The last sentence of a line.
    Sentence,
    /// Behind "I am", which anything may follow.
    Weak,
}

/// Words that may be a name.
#[derive(Debug)]
struct Candidate {
    name: PersonName,
    words: usize,
    /// Every word begins with a capital (and not all of it is capitals).
    capital: bool,
    /// A common given name is among them.
    listed: bool,
}

impl Candidate {
    /// Reads a whole text as a name.
    fn of(text: &str) -> Option<Self> {
        let text = text
            .trim()
            .trim_end_matches([',', '.', '!', ' '])
            .trim_start_matches(['*', '_', '"', '\'', '~', ' '])
            .trim_end_matches(['*', '_', '"', ')']);
        let words: Vec<&str> = text.split_whitespace().take(WORDS_MAX + 2).collect();
        if words.is_empty() || words.len() > WORDS_MAX || text.len() > 80 {
            return None;
        }
        let mut plain = 0;
        let mut capital = true;
        for (at, word) in words.iter().enumerate() {
            let lower = word.to_lowercase();
            if at > 0 && at + 1 < words.len() && PARTICLES.contains(&lower.as_str()) {
                continue;
            }
            if !looks_like_a_word(word) || is_no_name(lower.trim_matches('.')) || NAMES_IN_CAPITALS.contains(word) {
                return None;
            }
            capital &= word.chars().next().is_some_and(char::is_uppercase);
            plain += usize::from(word.chars().filter(|c| c.is_alphabetic()).count() > 1);
        }
        let shouted = text.chars().filter(|c| c.is_alphabetic()).count() > 1 && !text.chars().any(char::is_lowercase);
        let listed = words.iter().any(|word| has_given(word));
        let name = PersonName::parse(text)?;
        (plain > 0).then_some(Self { name, words: words.len(), capital: capital && !shouted, listed })
    }

    /// In lower case behind a closing, a name is one or two words and not what leads to somebody's address: "tack.
    /// skicka bekräftelsen till minna@…" is signed by nobody.
    fn is_signed(&self, rest: &str) -> bool {
        let behind = rest.trim().get(self.name.written().len()..).unwrap_or_default();
        self.capital || (self.words <= 2 && !behind.contains('@'))
    }

    fn is_accepted(&self, trust: Trust, hints: &Hints) -> bool {
        let agrees = hints.agrees(&self.name);
        let known = self.listed || agrees;
        match trust {
            Trust::Closed => self.capital || known,
            Trust::Marked => known || (self.capital && self.words >= 2),
            Trust::Bare => {
                (known && (self.capital || self.words <= 2))
                    || (self.capital && self.words >= 2 && !hints.contradicts(&self.name))
            }
            Trust::Sentence | Trust::Weak => {
                agrees
                    || (self.capital && self.listed)
                    || (self.capital && self.words >= 2 && !hints.contradicts(&self.name))
            }
        }
    }
}

/// Letters, with hyphens, apostrophes and the dot of an initial or a short form among them.
fn looks_like_a_word(word: &str) -> bool {
    let mut letters = 0;
    // A file, a host: "Makefile.local".
    if word.split('.').skip(1).any(|part| part.starts_with(char::is_lowercase)) {
        return false;
    }
    for (at, c) in word.char_indices() {
        match c {
            c if c.is_alphabetic() => letters += 1,
            '-' | '\'' | '’' if at > 0 => {}
            '.' if letters > 0 => {}
            _ => return false,
        }
    }
    letters > 0 && !(word.ends_with('.') && letters > SHORT_FORM_LETTERS_MAX)
}

/// The last lines with something in them, each with its offset, the last one first.
fn tail(text: &str) -> Vec<(usize, &str)> {
    let mut lines = Vec::with_capacity(TAIL_LINES_MAX);
    let mut end = text.len();
    for _ in 0..8 * TAIL_LINES_MAX {
        let start = text[..end].rfind('\n').map_or(0, |at| at + 1);
        let line = &text[start..end];
        if !line.trim().is_empty() {
            lines.push((start, line));
        }
        if start == 0 || lines.len() == TAIL_LINES_MAX {
            break;
        }
        end = start - 1;
    }
    lines
}

/// A closing phrase at the start of a line.
struct Closed<'a> {
    rest: &'a str,
    trust: Trust,
}

/// Strips closing phrases ("Kiitos ja terveisin, …") off the start of a line.
fn closing(line: &str) -> Option<Closed<'_>> {
    let mut rest = line.trim_start();
    let mut trust = None;
    for _ in 0..4 {
        let Some((after, kind)) = strip_closing(rest) else { break };
        let next =
            after.trim_start_matches(['.', ',', '!', ':', ';', ' ', '\t', '-', '–', '—', '/', '*', ')', '🙂', '😊']);
        let parted = next.is_empty() || !after.starts_with(' ') || after.trim_start() != next;
        trust = Some(match (kind, parted) {
            (Closing::Plain, _) | (Closing::Short, true) | (Closing::Thanks, true) => Trust::Closed,
            (Closing::Short, false) => Trust::Marked,
            (Closing::Thanks, false) => {
                // "Thanks and regards" goes on; "Thanks Minna" is said to Minna.
                let connector = next.split_whitespace().next().unwrap_or("");
                let further = CONNECTORS.contains(&connector.to_lowercase().as_str());
                let chained = strip_closing(next).is_some();
                if !further && !chained {
                    return None;
                }
                Trust::Closed
            }
        });
        rest = next;
        let connector = rest.split_whitespace().next().unwrap_or("");
        if CONNECTORS.contains(&connector.to_lowercase().as_str()) {
            rest = rest[connector.len()..].trim_start();
        }
    }
    trust.map(|trust| Closed { rest, trust })
}

/// The text behind the longest closing phrase that it begins with.
fn strip_closing(text: &str) -> Option<(&str, Closing)> {
    let first = text.chars().next()?.to_lowercase().next()?;
    closings(first).iter().find_map(|(phrase, kind)| Some((strip(text, phrase)?, *kind)))
}

/// The text behind a phrase, if it begins with it as whole words. Dots within an abbreviation are
/// passed over ("yst. terv.").
fn strip<'a>(text: &'a str, phrase: &str) -> Option<&'a str> {
    let mut rest = text.chars();
    for expected in phrase.chars() {
        let mut c = rest.next()?;
        while c == '.' && expected != '.' {
            c = rest.next()?;
        }
        if c != expected && !c.to_lowercase().eq(std::iter::once(expected)) {
            return None;
        }
    }
    let after = rest.as_str();
    (!after.starts_with(char::is_alphanumeric)).then_some(after)
}

/// The name a line begins with: all of the line, or what stands before a phone, a comma, a blank
/// that is wide.
fn leading(line: &str) -> Option<Candidate> {
    let line = without_authority(line.trim());
    if let Some(candidate) = family_first(line) {
        return Some(candidate);
    }
    let head = line
        .split([
            ',', ';', '|', '•', '·', '(', '/', '\t', '@', '+', '<', ':', '[', '0', '1', '2', '3', '4', '5', '6', '7',
            '8', '9',
        ])
        .next()
        .unwrap_or("");
    let head = head.split(" - ").next().unwrap_or("").split("  ").next().unwrap_or("");
    let cut_at = line[head.len()..].chars().next();
    let head = match cut_at.is_some_and(|c| c.is_ascii_digit() || matches!(c, '@' | ':' | '+')) && !head.ends_with(' ')
    {
        // The word before it is part of an address, a code, or the label itself.
        true => head.rsplit_once(' ').map_or("", |(head, _)| head),
        false => head,
    };
    let mut head = head.trim();
    while let Some((front, last)) = head.rsplit_once(' ') {
        let last = last.trim_end_matches(['.', ':']).to_lowercase();
        if !PHONE_LABELS.contains(&last.as_str()) && !SWITCHBOARD_LABELS.contains(&last.as_str()) {
            break;
        }
        head = front.trim_end();
    }
    Candidate::of(alone(head))
}

/// The name without whom or what it is joined to ("Minna ja koirat"), and without where its bearer is from.
fn alone(head: &str) -> &str {
    let is_small = |text: &str| text.trim_start().starts_with(char::is_lowercase);
    let joined = CONNECTORS.iter().find_map(|word| {
        let (name, rest) = head.split_once(&format!(" {word} "))?;
        (is_small(rest) && name.contains(' ') && name.split(' ').next().is_some_and(has_given)).then_some(name)
    });
    let head = joined.unwrap_or(head);
    match head.trim_end_matches('.').rsplit_once(' ') {
        Some((name, place)) if is_place(place) && !name.contains(' ') && has_given(name) => name,
        _ => head,
    }
}

/// In a case of where somebody is from or at, and no family name: *Tampereelta*, *Keilast*.
fn is_place(word: &str) -> bool {
    let (lower, folded) = (word.to_lowercase(), fold(word));
    word.chars().count() >= PLACE_LETTERS_MIN
        && PLACE_ENDINGS.iter().any(|ending| lower.ends_with(ending))
        && !is_family(&folded)
        && !is_given(&folded)
}

/// "Virtanen, Minna": nothing else on the line, and the second word is the given name.
fn family_first(line: &str) -> Option<Candidate> {
    let (family, given) = line.trim_end_matches(['.', '*', '_']).split_once(", ")?;
    let is_plain = !family.contains(' ') && !is_given(&fold(family)) && given.split_whitespace().count() <= 2;
    let first = given.split_whitespace().next().filter(|_| is_plain)?;
    let (family, given) = (Candidate::of(family)?, Candidate::of(given).filter(|_| has_given(first))?);
    let name = PersonName::parse(line)?;
    (family.words == 1).then_some(Candidate { name, words: 1 + given.words, capital: given.capital, listed: true })
}

/// "Ulla-Maija": a given name is among the parts of a word.
fn has_given(word: &str) -> bool {
    word.split('-').any(|part| is_given(&fold(part)))
}

/// The line without what a German clerk puts before his name ("i. A.", "ppa.").
fn without_authority(line: &str) -> &str {
    AUTHORITIES.iter().find_map(|authority| line.strip_prefix(authority)).map_or(line, str::trim_start)
}

fn by_closing(lines: &[(usize, &str)], hints: &Hints) -> Option<SignOff> {
    for (at, (start, line)) in lines.iter().enumerate() {
        if line.len() > LINE_BYTES_MAX {
            continue;
        }
        let Some(found) = closing(line) else { continue };
        // Below "Beste Grüße" the T of "T. Keller" is his initial.
        let is_below =
            lines.get(at + 1).and_then(|(_, above)| closing(above)).is_some_and(|above| above.rest.is_empty());
        if is_below && !found.rest.is_empty() {
            continue;
        }
        if found.rest.is_empty() {
            let next =
                at.checked_sub(1).and_then(|next| leading(lines[next].1.trim_start_matches(['-', '–', '/', ' '])));
            let name =
                next.filter(|candidate| candidate.is_accepted(Trust::Closed, hints)).map(|candidate| candidate.name);
            // A lone "Kiitos" at the end is no signature, and no reason to cut.
            if name.is_some() || is_formal(line) {
                return Some(SignOff { at: *start, name });
            }
        } else if let Some(candidate) = leading(found.rest)
            && candidate.is_accepted(found.trust, hints)
            && candidate.is_signed(found.rest)
            && is_whole(found.rest, &candidate)
        {
            return Some(SignOff { at: *start, name: Some(candidate.name) });
        }
    }
    None
}

/// Whether a closing by itself ends the letter.
fn is_formal(line: &str) -> bool {
    strip_closing(line.trim_start())
        .is_some_and(|(rest, kind)| kind == Closing::Plain && !rest.contains(char::is_alphanumeric))
}

/// Whether the line holds the name and nothing else but particulars: a number, an address, a title.
fn is_whole(line: &str, candidate: &Candidate) -> bool {
    let rest = line.trim_start().trim_start_matches(['*', '_', '"', '\'', '~']);
    let rest = rest.get(candidate.name.written().len()..).unwrap_or("").trim();
    let rest = rest.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '+' | '@'));
    rest.is_empty() || rest.len() <= 60 || is_particulars(line)
}

/// A line of particulars: digits, an address, a firm, what a device adds.
fn is_particulars(line: &str) -> bool {
    let lower = line.trim().to_lowercase();
    let digits = lower.bytes().filter(u8::is_ascii_digit).count();
    digits >= 5
        || lower.contains('@')
        || lower.contains("www.")
        || is_of_device(line)
        || (lower.len() <= 60
            && lower.split(|c: char| c.is_whitespace() || c == ',').any(|word| is_organisation(word.trim_matches('.'))))
}

/// The sender's name alone on the first line of the last paragraph, above short lines: what he is, his firm, his town.
fn by_last_paragraph(text: &str, hints: &Hints) -> Option<SignOff> {
    let text = text.trim_end();
    let lines = tail(text);
    let is_above = |(start, _): &&(usize, &str)| text[..*start].trim_end_matches([' ', '\t', '\r']).ends_with("\n\n");
    let first =
        lines.iter().position(|line| is_above(&line)).filter(|first| (1..PARAGRAPH_LINES_MAX).contains(first))?;
    if lines[..first].iter().any(|(_, line)| line.trim().len() > PARTICULARS_BYTES_MAX) {
        return None;
    }
    let (start, line) = lines[first];
    let candidate = leading(line)?;
    let is_alone = candidate.name.written().len() + 2 >= line.trim().trim_end_matches(['.', ',', '*', '_']).len();
    let is_his = candidate.words >= 2 && candidate.capital && hints.agrees(&candidate.name);
    (is_alone && is_his).then(|| signed_at(text, start, candidate, false)).flatten()
}

/// A dash or slash and a name, or a name alone, on the last line that holds no particulars.
fn by_last_lines(text: &str, lines: &[(usize, &str)], hints: &Hints) -> Option<SignOff> {
    for (at, (start, line)) in lines.iter().take(6).enumerate() {
        let trimmed = line.trim();
        if trimmed.len() > LINE_BYTES_MAX {
            return None;
        }
        let bare = trimmed.trim_start_matches(['-', '/', '~', '–', '—', ' ']);
        let marked = bare.len() < trimmed.len();
        if let Some(candidate) = leading(bare) {
            let alone =
                candidate.name.written().len() + 2 >= bare.trim_end_matches(['.', ',', '!', '*', '_', ' ']).len();
            let particulars = is_particulars(bare);
            let accepted = candidate.is_accepted(if marked { Trust::Marked } else { Trust::Bare }, hints);
            // Below the sender's own name stands his firm's: "Lounas Raija".
            let is_below_his = || {
                lines.get(at + 1).and_then(|(_, above)| leading(above)).is_some_and(|above| hints.agrees(&above.name))
            };
            let accepted = accepted && (hints.agrees(&candidate.name) || !is_below_his());
            if accepted && (alone || particulars) {
                return signed_at(text, *start, candidate, alone && at == 0);
            }
            if alone && is_below_his() {
                continue;
            }
        }
        if !is_particulars(trimmed) {
            return None;
        }
    }
    None
}

/// A text that is nothing but a name is words, not a signature: the answer to "who are you?".
fn signed_at(text: &str, start: usize, candidate: Candidate, alone: bool) -> Option<SignOff> {
    let empty = text[..start].trim().is_empty();
    match (empty, alone) {
        (true, true) if candidate.words < 2 && !candidate.listed => None,
        (true, _) => Some(SignOff { at: text.len(), name: Some(candidate.name) }),
        (false, _) => Some(SignOff { at: start, name: Some(candidate.name) }),
    }
}

/// What a telephone's mail program puts below a text.
fn is_of_device(line: &str) -> bool {
    let lower = cut(line.trim(), DEVICE_LINE_BYTES).to_lowercase();
    DEVICE_LINES.iter().any(|start| lower.starts_with(start))
}

/// A sign-off at the end of the last line: "… Kiitos! T. Minna", "… 40012345. Minna", "… /Minna".
fn inline(text: &str, lines: &[(usize, &str)], hints: &Hints) -> Option<SignOff> {
    let (start, line) = lines.iter().find(|(_, line)| !is_of_device(line))?;
    let line = line.trim_end();
    let window = cut_front(line, INLINE_BYTES_MAX);
    let offset = start + (line.len() - window.len());
    let mut found: Option<(usize, PersonName)> = None;
    for (at, _) in window.match_indices([' ', '/', '-', '\u{2013}']) {
        let before = window[..at].trim_end();
        if before.is_empty() && offset == *start {
            continue;
        }
        let mark = window[at..].trim_start_matches(' ');
        if let Some(candidate) = inline_candidate(before, mark, hints) {
            found = Some((at, candidate.name));
            break;
        }
    }
    let (at, name) = found?;
    let at = offset + at;
    (!text[..at].trim().is_empty()).then_some(SignOff { at, name: Some(name) })
}

/// The name that the rest of a line is, seen from one place in it.
fn inline_candidate(before: &str, rest: &str, hints: &Hints) -> Option<Candidate> {
    let ended = before.ends_with(['.', '!', '?', ';', ')', '…'])
        || SMILEYS.iter().any(|smiley| before.ends_with(smiley))
        || before.ends_with(|c: char| !c.is_alphanumeric() && !c.is_ascii());
    let comma = before.ends_with(',');
    if let Some(found) = closing(rest)
        && !found.rest.is_empty()
    {
        let phrase = rest.trim_start_matches(char::is_alphabetic);
        let unmistakable = rest.len() - phrase.len() > 2 || phrase.starts_with(['.', ':']);
        let candidate = leading(found.rest)?;
        // "… koska tulee t minna": two letters and a common name end many a chat message.
        let parted = ended
            || comma
            || (found.trust == Trust::Closed && unmistakable)
            || (found.trust == Trust::Marked && candidate.listed);
        let is_signed = candidate.is_signed(found.rest) && ends_line(found.rest, &candidate);
        return (parted && is_signed && candidate.is_accepted(found.trust, hints)).then_some(candidate);
    }
    let bare = rest.trim_start_matches(['-', '/', '–', ' ']);
    let marked = bare.len() < rest.len();
    let counted = before.ends_with(|c: char| c.is_ascii_digit());
    if !(marked || ended || comma || counted) {
        return None;
    }
    let candidate = leading(bare)?;
    if !ends_line(bare, &candidate) {
        return None;
    }
    let glued = marked && !rest.starts_with("- ") && !before.ends_with(char::is_alphanumeric);
    let accepted = match (marked, ended, comma) {
        (true, _, _) if glued || ended || rest.starts_with('/') => {
            candidate.is_accepted(Trust::Marked, hints)
                && !before.ends_with(|c: char| c.is_alphanumeric() && rest.starts_with('-'))
        }
        (false, true, _) => {
            let is_his = candidate.capital || (candidate.words == 2 && hints.agrees(&candidate.name));
            candidate.is_accepted(Trust::Sentence, hints) && is_his
        }
        // "Order 40012345 Minna"
        (false, _, _) if counted => {
            let is_date = MONTHS.contains(&candidate.name.written().to_lowercase().as_str());
            candidate.capital && !is_date && (candidate.listed || hints.agrees(&candidate.name))
        }
        (false, _, true) => {
            (candidate.capital || hints.agrees(&candidate.name))
                && before.split_whitespace().count() >= 3
                && (hints.agrees(&candidate.name) || (candidate.listed && candidate.words >= 2))
        }
        _ => false,
    };
    accepted.then_some(candidate)
}

/// Whether nothing follows the name on the line but a phone or an address.
fn ends_line(line: &str, candidate: &Candidate) -> bool {
    let rest = line.trim().get(candidate.name.written().len()..).unwrap_or("");
    let rest = rest.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '+' | '@' | '?'));
    let mut words = rest.split_whitespace();
    // "Minna Virtanen ja koirat": who else sends his regards.
    let has_company = words.next().is_some_and(|word| CONNECTORS.contains(&word)) && words.count() == 1;
    rest.is_empty()
        || (has_company && candidate.words >= 2)
        || (is_particulars(rest) && rest.split_whitespace().count() <= 6)
}

/// Whether a match stands between characters that are no letters. The regex itself cannot ask: on
/// text beyond ASCII a word boundary costs it its fast engine.
fn is_parted(text: &str, span: Range<usize>) -> bool {
    !text[..span.start].ends_with(char::is_alphanumeric) && !text[span.end..].starts_with(char::is_alphanumeric)
}

/// Phrases in any case, the longest first; see [`is_parted`].
#[expect(clippy::expect_used, reason = "the phrases are the program's own, and escaped")]
fn one_of(first: &[&str], second: &[&str]) -> Regex {
    let mut phrases: Vec<String> = first.iter().chain(second).map(|phrase| regex::escape(phrase)).collect();
    phrases.sort_by_key(|phrase| std::cmp::Reverse(phrase.len()));
    Regex::new(&format!("(?i){}", phrases.join("|"))).expect("escaped phrases make a regular expression")
}

/// The name that a text begins with: words up to the first that is none.
fn following(text: &str) -> Option<Candidate> {
    let text = text.split(['\n', ',', '.', '!', '?', ';', '(', ':']).next().unwrap_or("");
    if !text.starts_with([' ', '\t']) && !text.starts_with(char::is_alphabetic) {
        return None;
    }
    let words: Vec<&str> = text.split_whitespace().take(WORDS_MAX + 1).collect();
    let is_particle = |word: &&&str| PARTICLES.contains(*word);
    let is_part = |word: &&&str| is_particle(word) || (looks_like_a_word(word) && !is_no_name(&word.to_lowercase()));
    let capital = |word: &&&str| word.chars().next().is_some_and(char::is_uppercase) || is_particle(word);
    let mut count = words.iter().take(WORDS_MAX).take_while(is_part).take_while(capital).count();
    // "Erwin Overbeck der Mann": whose he is is no name.
    let is_relation = |at: usize| words.get(at + 1).is_some_and(|word| RELATIONS.is(&word.to_lowercase()));
    count = (0..count).find(|at| is_particle(&&words[*at]) && is_relation(*at)).unwrap_or(count);
    count -= words[..count].iter().rev().take_while(is_particle).count();
    // "Sanna Jokela Tampereelta": where somebody is from is no name.
    let from = |word: &&str| PLACE_ENDINGS.iter().any(|ending| word.to_lowercase().ends_with(ending));
    count =
        words[..count].iter().skip(1).position(|word| from(word) && !is_family(&fold(word))).map_or(count, |at| at + 1);
    if count == 2
        && let Some(name) = family_in_genitive(words[0], words[1])
    {
        return Candidate::of(&name);
    }
    if count > 0 {
        return Candidate::of(&words[..count].join(" "));
    }
    // In lower case only a listed given name, and a second word only where the clause ends with it.
    let count = words.iter().take(WORDS_MAX).take_while(is_part).count();
    let first = words.first().filter(|word| count > 0 && is_given(&fold(word)))?;
    let whole = count == 2 && words.len() == 2;
    Candidate::of(&if whole { words.join(" ") } else { (*first).to_owned() })
}

/// "Virtasen Minna" as Finns say it → "Minna Virtanen".
fn family_in_genitive(family: &str, given: &str) -> Option<String> {
    if !is_given(&fold(given)) || is_given(&fold(family)) || is_family(&fold(family)) {
        return None;
    }
    let stem = family.strip_suffix('n')?;
    let weak = |from: &str, to: &str| Some(format!("{}{to}", stem.strip_suffix(from)?));
    // Virtasen, Laineen, Niemen, Lahden, Mäen, Koivun, Mäkelän.
    let forms = [
        weak("se", "nen"),
        weak("ee", "e"),
        weak("e", "i"),
        weak("de", "ti"),
        weak("äe", "äki"),
        Some(stem.to_owned()),
    ];
    let family = forms.into_iter().flatten().find(|form| is_family(&fold(form)))?;
    Some(format!("{given} {family}"))
}

/// The name that a text ends with, where a clause begins with it.
fn preceding(text: &str) -> Option<Candidate> {
    let clause = cut_front(text, 80).rsplit(['\n', ',', '.', '!', '?', ';', '(']).next().unwrap_or("");
    let words: Vec<&str> = clause.split_whitespace().collect();
    let greeting = words.first().is_some_and(|word| is_no_name(&word.to_lowercase()));
    Candidate::of(&words[usize::from(greeting)..].join(" ")).filter(|candidate| candidate.capital)
}

/// Names in a form's fields: "Nimi: Minna Virtanen".
fn labelled(text: &str) -> Vec<PersonName> {
    let mut names = Vec::new();
    for line in text.lines().take(64) {
        let Some((label, value)) = line.split_once(':').or_else(|| line.split_once(" - ")) else { continue };
        let label = label.trim().trim_start_matches(['-', '*', '•', ' ']).to_lowercase();
        if !NAME_LABELS.contains(&label.trim_end()) {
            continue;
        }
        if let Some(candidate) = Candidate::of(value)
            && (candidate.words >= 2 || candidate.listed)
        {
            names.push(candidate.name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_called_by_more_than_names() {
        for (account, expected) in [
            ("Minna Virtanen", "Minna Virtanen"),
            ("minna virtanen", "minna virtanen"),
            ("Minna virtanen", "Minna virtanen"),
            ("Kevin X7", "Kevin"),
            ("Zuzia ceramics", "Zuzia"),
            ("Leo von Weber", "Leo von Weber"),
            ("Sanna 🌻", "Sanna 🌻"),
            ("Hafenkurier 9", ""),
        ] {
            let found = of_account(account).map(|name| name.written().to_owned()).unwrap_or_default();
            assert_eq!(found, expected, "{account}");
        }
    }

    #[test]
    fn callers_are_named_in_notes() {
        for (note, expected) in [
            ("Soittaja oli Jani Hietanen.", "Jani Hietanen"),
            ("Minna Virtanen, tilaus 4001 2345.", "Minna Virtanen"),
            ("Tuure Ahokangas, katkaisi pääkytkimen.", "Tuure Ahokangas"),
            ("Laina Hongisto, 88 v., näppäili väärin.", "Laina Hongisto"),
            ("Huoltomies Reijo Tammelin: avain haussa", "Reijo Tammelin"),
            ("Tiina Rauhalahdesta, kuvat tulevat nyt.", "Tiina"),
            ("Leena Moisio Salpauksesta: yksi lisää", "Leena Moisio"),
            ("Mirja kysyi kuka lukee mittarin.", "Mirja"),
            ("Ohjattu vaihteesta. Kaarlo Mutka, hakuaika.", "Kaarlo Mutka"),
            ("Kysyi hakuaikaa. Nimi Kaarlo Mutka.", "Kaarlo Mutka"),
            ("Transferred. Mr Kaarlo Mutka asked about the bill.", "Kaarlo Mutka"),
            ("Kopplad från växeln. Martina Söderholm, dubbel debitering.", "Martina Söderholm"),
            ("Grönroos, Ulla-Maija, SOP 20887120.", "Grönroos, Ulla-Maija"),
            ("Yhdistettiin. Nimi Kaarlo Mutka. Soittaa uudelleen.", "Kaarlo Mutka"),
            ("Transferred. Mr Kaarlo Mutka", "Kaarlo Mutka"),
            ("Hra Mutka soitti", "Hra Mutka"),
            ("Salattu numero. Jarno Pellavainen, SEL-3171.", "Jarno Pellavainen"),
            ("Put through. Renata Przybylska, Bangor, claim KW-2604417.", "Renata Przybylska"),
            ("Brídín Ní Chualáin from the landline, directions.", "Brídín Ní Chualáin"),
            ("Sami (Nordkala), kas pistik on sees.", "Sami"),
            ("Õpetaja Anneli Kuusmaa, grupp jäi maha.", "Anneli Kuusmaa"),
            ("Nuori nainen, Iida Mustajoki. Saanut numeron huhtikuussa.", "Iida Mustajoki"),
            ("Yhdistetty Merlelle. Raimo puukaupasta, kauppakirja postissa.", "Raimo"),
            ("Zubin Panikkar re GIFT-7KQM, has she got it.", "Zubin Panikkar"),
            ("Number withheld. Philippa Ashgrove-Denton re 81094432.", "Philippa Ashgrove-Denton"),
            ("Declan from Belfast number, wants billing.", "Declan"),
            ("Engländerin, an Frau Yilmaz verbunden.", ""),
            ("Ms Thorne, visiting her daughter, forgot her knee brace.", "Ms Thorne"),
            ("Luuli Verohallinnoksi.", ""),
            ("Bekräftade IBAN:s slut enligt registret.", ""),
            ("Palvelukoti Merituuli, hoitaja kysyi laseja.", ""),
            ("Mies, sanoi hakevansa lapsen.", ""),
            ("Helistas hr Lepik isiklikult", "hr Lepik"),
            ("Vaihteesta. Yhdistetty Huollolle, Tampere.", ""),
            ("Sopimus, Kari hoitaa.", ""),
            ("Lasku, Kari Virtanen.", ""),
            ("Selvitämme asian.\nMatti Meikäläinen, asiakaspalvelu", ""),
            ("Lovattu takaisinsoitto. Pekka Laine hoitaa.", ""),
            ("Lähetetty lomake. Minna lisäsi kuvat.", ""),
            ("Anna hänelle uusi aika.", ""),
            ("Väärä numero.", ""),
            ("Sama uudestaan.", ""),
            ("Soittaja ei halunnut kertoa nimeään.", ""),
            ("Asentaja odottaa hallin ovella, Risto tulee.", ""),
            ("Takaisinsoitto sovittu, huomenna.", ""),
        ] {
            let found = in_note(note).map(|name| name.written().to_owned()).unwrap_or_default();
            assert_eq!(found, expected, "{note}");
        }
    }
}
