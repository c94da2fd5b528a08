//! Where people put their telephone number: alone on a line below the name, behind their name, at the end of what
//! they say of calling.
//!
//! Digits that their spelling does not make a telephone number may still be one: a number without a zero before it
//! in a country that has none, or one of a range that is not in use (those kept for films are written everywhere).
//!
//! **Invariant:** what a word gives as the number of an order, an invoice, an account is none, wherever it stands.

use super::super::phrases::{CALL_WORDS, COPULAS, NEW_ONES, NOT_PHONE_LABELS, NUMBER_WORDS, OWNERS_OURS, UNITS_BEHIND};
use super::phones::words;
use super::scan::{cut, cut_front};
use crate::pure::domain::name::{PersonName, fold};
use std::ops::Range;

/// How far before a number the words reach that say what it is. Bytes.
const BEFORE_BYTES_MAX: usize = 120;
/// How far behind it. Bytes.
const AFTER_BYTES_MAX: usize = 24;
/// Words between what is said of calling and the number.
const WORDS_MAX: usize = 8;
/// Words of a line of particulars that begins with the writer's name.
const LINE_WORDS_MAX: usize = 6;
/// Lines at the end of a text among which a number may stand alone.
const TAIL_LINES_MAX: usize = 5;
/// A dot after so few letters ends no sentence: `tel.`, `nro.`
const ABBREVIATION_CHARS_MAX: usize = 4;

/// Whether the digits at `span` stand where people put their number. `names` are the writer's own; `is_grouped` says
/// that the digits are written in groups.
pub fn is_placed(
    text: &str,
    span: &Range<usize>,
    is_grouped: bool,
    in_signature: bool,
    names: &dyn Fn() -> Vec<PersonName>,
) -> bool {
    let after = cut(&text[span.end..], AFTER_BYTES_MAX);
    let behind = after.trim_start_matches([' ', '\t']);
    if is_amount(behind) {
        return false;
    }
    let before = cut_front(&text[..span.start], BEFORE_BYTES_MAX);
    let line = before.rsplit('\n').next().unwrap_or_default();
    let clause = clause(line).to_lowercase();
    let is_labelled_otherwise = |line: &str| {
        let is_other = |word: &str| NOT_PHONE_LABELS.iter().any(|stem| word.starts_with(stem));
        words(line).rev().take(WORDS_MAX).any(is_other)
    };
    if is_labelled_otherwise(&clause) {
        return false;
    }
    if says_number(&clause) {
        return true;
    }
    // Nothing goes on behind it but another sentence or what is in brackets.
    let ends = behind.is_empty() || behind.starts_with(['\n', '\r', '.', ',', '!', ';', '(', '|', '·', '•']);
    let marks = |c: char| c.is_whitespace() || ",.;:|/•·-–".contains(c);
    let lead = line.trim_end_matches(marks);
    if !ends || behind.trim_start_matches(marks).starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let is_tail = || in_signature || is_last(text, span.end);
    if lead.is_empty() {
        let above = text[..span.start].trim_end().rsplit('\n').next().unwrap_or_default();
        let is_list = line.trim().len() > 1 || above.trim_end().ends_with(':');
        // Digits that are all there is may be anything.
        let is_alone = above.trim().is_empty() && !in_signature;
        return !is_list && !is_alone && (ends_in_name(above, names) || (is_grouped && is_tail()));
    }
    let is_parted = line.trim_end().ends_with(['|', '·', '•']);
    ends_in_name(lead, names)
        || (is_grouped && is_parted && is_tail())
        || (is_tail() && words(lead).count() <= LINE_WORDS_MAX && begins_with_name(lead, names))
}

/// What stands behind the digits makes them a price or a length.
fn is_amount(behind: &str) -> bool {
    let unit = words(behind.lines().next().unwrap_or_default()).next().unwrap_or_default().to_lowercase();
    behind.starts_with(['€', '$', '£', '%', '°']) || UNITS_BEHIND.contains(&unit.as_str())
}

/// Whether nothing around the digits at `span` says that they are the number of something else, a price or a length.
pub fn may_stand(text: &str, span: &Range<usize>) -> bool {
    let behind = cut(&text[span.end..], AFTER_BYTES_MAX).trim_start_matches([' ', '\t']);
    let before = cut_front(&text[..span.start], BEFORE_BYTES_MAX);
    let line = before.rsplit('\n').next().unwrap_or_default();
    let above = text[..span.start].trim_end();
    let is_other =
        |word: &str| NOT_PHONE_LABELS.iter().any(|stem| word.starts_with(stem)) || NUMBER_WORDS.contains(&word);
    let clause = clause(line).to_lowercase();
    let is_below_label = line.trim().is_empty() && above.ends_with(':');
    let says_other = words(&clause).rev().take(WORDS_MAX).any(is_other);
    !(above.is_empty() || is_below_label || is_amount(behind) || says_other)
}

/// Whether the digits at `span` are by themselves what the text ends with: behind the end of a sentence or a pause, and
/// with nothing below them but the writer's name. `names` are his own.
pub fn is_last_word(text: &str, span: &Range<usize>, names: &dyn Fn() -> Vec<PersonName>) -> bool {
    let before = cut_front(&text[..span.start], BEFORE_BYTES_MAX);
    let line = before.rsplit('\n').next().unwrap_or_default().trim_end();
    let is_parted = line.ends_with(['.', '!', '?', ',', ':', ';', '-', '–']);
    let is_other = |word: &str| NOT_PHONE_LABELS.iter().any(|stem| word.starts_with(stem));
    let below =
        cut(&text[span.end..], AFTER_BYTES_MAX).trim_matches(|c: char| c.is_whitespace() || ".,!-–/".contains(c));
    let is_name = below.is_empty() || below.split_whitespace().next().is_some_and(|word| is_own_name(word, names));
    let clause = clause(line.trim_end_matches(['.', '!', '?', ';'])).to_lowercase();
    is_parted && is_name && is_last(text, span.end) && !words(&clause).rev().take(WORDS_MAX).any(is_other)
}

/// What a number belongs to: the line before it from the end of the last sentence.
fn clause(line: &str) -> &str {
    let ends = |(at, c): &(usize, char)| match c {
        '!' | '?' | ';' => true,
        '.' => {
            let word = line[..*at].chars().rev().take_while(|c| c.is_alphanumeric()).count();
            line[at + 1..].starts_with(char::is_whitespace) && word > ABBREVIATION_CHARS_MAX
        }
        c => c.is_ascii_digit(),
    };
    let start = line.char_indices().rfind(ends).map_or(0, |(at, c)| at + c.len_utf8());
    &line[start..]
}

/// The words say that somebody is called by the number, or that it is the writer's.
fn says_number(clause: &str) -> bool {
    let said: Vec<&str> = words(clause).rev().take(WORDS_MAX).collect();
    if said.iter().any(|word| CALL_WORDS.is(word)) {
        return true;
    }
    let mut said = said.into_iter().skip_while(|word| COPULAS.contains(word));
    let is_number = said.next().is_some_and(|word| NUMBER_WORDS.contains(&word));
    is_number && said.next().is_none_or(|word| OWNERS_OURS.is(word) || NEW_ONES.contains(&word))
}

/// The line ends in a word of the writer's own name.
fn ends_in_name(line: &str, names: &dyn Fn() -> Vec<PersonName>) -> bool {
    line.trim_end().rsplit(is_no_letter).next().is_some_and(|last| is_own_name(last, names))
}

/// The line begins with one.
fn begins_with_name(line: &str, names: &dyn Fn() -> Vec<PersonName>) -> bool {
    line.trim_start().split(is_no_letter).next().is_some_and(|first| is_own_name(first, names))
}

fn is_no_letter(c: char) -> bool {
    !c.is_alphanumeric() && c != '-'
}

fn is_own_name(word: &str, names: &dyn Fn() -> Vec<PersonName>) -> bool {
    let is_word = word.starts_with(char::is_alphabetic) && word.chars().nth(1).is_some();
    let parts: Vec<String> = word.split('-').map(fold).collect();
    is_word && names().iter().any(|name| parts.iter().all(|part| name.has_word(part)))
}

/// Hardly anything stands below it.
fn is_last(text: &str, end: usize) -> bool {
    text[end..].lines().filter(|line| !line.trim().is_empty()).take(TAIL_LINES_MAX + 1).count() < TAIL_LINES_MAX
}
