//! Attributions: the line `On … wrote:` above a quotation, in one piece or several.

use super::{MARKER_BYTES_MAX, has_time, has_year};

/// Lines an attribution is broken into by clients that wrap at 72 columns.
const LINES_MAX: usize = 3;
/// Lines of one that a converter of HTML tore apart, blank ones counted.
const TORN_LINES_MAX: usize = 7;

/// Verbs of attributions, with the blank before them where they could end another word.
const WROTE: &[&str] = &[
    " wrote",
    " writes",
    " kirjoitti",
    " kirjoittaa",
    " skrev",
    " kirjutas",
    " schrieb",
    " a écrit",
    " écrivait",
    " escribió",
    " ha scritto",
    " escreveu",
    " napisał",
    " schreef",
    "geschreven",
    " написал",
    " пишет",
    " написала",
    " napisała",
    " pisze",
    " napsal",
    " napsala",
    " napísal",
    " napísala",
    " je napisao",
    " je napisala",
    " je napisal",
    " a scris",
    " írta",
    " va escriure",
    " rašė",
    " rakstīja",
    " skrifaði",
    " έγραψε",
    " написа",
    " пише",
    " yazdı",
    " shkroi",
    " scríobh",
    " ysgrifennodd",
];

/// First words of attributions that are broken into several lines.
const STARTS: &[&str] = &[
    "on", "le", "am", "den", "el", "em", "il", "op", "dnia", "w", "på", "kontakt", "ma", "ti", "ke", "to", "pe", "la",
    "su", "po", "út", "st", "čt", "pá", "so", "ne", "dne", "dňa", "dana", "pe", "în", "la", "στις", "на", "вт", "ср",
    "чт", "пт", "сб", "вс", "пн", "v", "dana", "mån", "tis", "ons", "tors", "fre", "lör", "sön", "il", "at", "quoting",
];

/// How many lines an attribution (`On … wrote:`) at this place has, if there is one.
pub(super) fn attribution(lines: &[&str], at: usize) -> Option<usize> {
    if is_attribution(lines[at], next_is_quote(lines, at + 1)) {
        return Some(1);
    }
    if is_gmail_date(lines, at) {
        return Some(1);
    }
    if !begins_attribution(lines[at]) {
        return None;
    }
    if let Some(length) = torn(lines, at) {
        return Some(length);
    }
    let mut joined = lines[at].trim().to_owned();
    for length in 2..=LINES_MAX {
        let line = lines.get(at + length - 1)?.trim();
        // A line that begins one itself would swallow the words above it.
        if line.is_empty() || begins_attribution(line) {
            return None;
        }
        joined.push(' ');
        joined.push_str(line);
        if is_attribution(&joined, next_is_quote(lines, at + length)) {
            return Some(length);
        }
    }
    None
}

/// An attribution whose address stands on lines of its own, as converters of HTML write it:
/// `On Thu, 31 Mar 2016 at 11:16 Anna`, blank, `<`, `mailto:anna@example.fi`, `> wrote:`.
fn torn(lines: &[&str], at: usize) -> Option<usize> {
    let window = lines.get(at + 1..)?;
    let mut has_address = false;
    for (length, line) in window.iter().map(|line| line.trim()).enumerate().take(TORN_LINES_MAX) {
        if let Some(rest) = line.strip_prefix('>') {
            return (has_address && ends_with_verb(rest)).then_some(length + 2);
        }
        // Nothing but the brackets and the address stands between.
        let is_address = line.contains('@') && line.len() <= MARKER_BYTES_MAX;
        if !line.is_empty() && !is_address && line != "<" {
            return None;
        }
        has_address |= is_address;
    }
    None
}

/// `wrote:` and nothing else.
fn ends_with_verb(text: &str) -> bool {
    let text = text.trim().to_lowercase();
    text.strip_suffix(':').is_some_and(|text| WROTE.iter().any(|verb| text.trim() == verb.trim()))
}

/// `2016-03-03 17:21 GMT+01:00 Anna Svensson` alone on its line, as Gmail dates what is quoted.
fn is_gmail_date(lines: &[&str], at: usize) -> bool {
    let line = lines[at].trim();
    let Some((date, name)) = line.split_once(" GMT").filter(|_| line.len() <= MARKER_BYTES_MAX) else { return false };
    let digits = |text: &str| text.bytes().map(|b| if b.is_ascii_digit() { b'0' } else { b }).collect::<Vec<u8>>();
    let is_date = matches!(digits(date).as_slice(), b"0000-00-00 00:00" | b"0000-00-00 0:00");
    let is_apart = |at: Option<usize>| at.and_then(|at| lines.get(at)).is_none_or(|line| line.trim().is_empty());
    let is_alone = is_apart(at.checked_sub(1)) && is_apart(Some(at + 1));
    is_date && is_alone && name.starts_with(['+', '-']) && name.contains(char::is_uppercase)
}

fn begins_attribution(line: &str) -> bool {
    // They all carry a date.
    if !line.bytes().take(MARKER_BYTES_MAX).any(|b| b.is_ascii_digit()) {
        return false;
    }
    let line = line.trim_start_matches(['-', ' ', '*', '\t']);
    if line.len() > MARKER_BYTES_MAX {
        return false;
    }
    let word: String = line.chars().take(10).take_while(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
    // The first byte tells most apart, and is cheaper to compare than the words: this is asked of every line.
    let first = word.as_bytes().first();
    let is_start = STARTS.iter().any(|start| start.as_bytes().first() == first && *start == word);
    is_start || line.starts_with(|c: char| c.is_ascii_digit())
}

fn next_is_quote(lines: &[&str], at: usize) -> bool {
    let next = lines.get(at..).unwrap_or_default().iter().take(3).find(|line| !line.trim().is_empty());
    next.is_some_and(|line| line.trim_start().starts_with('>'))
}

/// What follows the last occurrence of the first of the verbs that there is any of.
fn after_verb(lower: &str) -> Option<&str> {
    let bytes = lower.as_bytes();
    let mut best: Option<(usize, usize)> = None;
    // They begin with a blank and a letter, or with two letters: looking for each by itself would cost forty searches
    // of every line that ends in a colon or holds an address.
    for (at, pair) in bytes.windows(2).enumerate().filter(|(_, pair)| pair[0] == b' ' || pair[0] == b'g') {
        let wanted = best.map_or(WROTE.len(), |(verb, _)| verb + 1);
        let is_here = |verb: &&str| verb.as_bytes()[..2] == *pair && bytes[at..].starts_with(verb.as_bytes());
        if let Some(verb) = WROTE[..wanted].iter().position(is_here) {
            best = Some((verb, at));
        }
    }
    best.map(|(verb, at)| &lower[at + WROTE[verb].len()..])
}

fn is_attribution(line: &str, before_quote: bool) -> bool {
    if line.len() > MARKER_BYTES_MAX || line.len() < 8 {
        return false;
    }
    let bare = line.trim_matches(|c: char| matches!(c, '-' | '*' | '_') || c.is_whitespace());
    if !bare.ends_with(':') && !bare.contains('@') {
        return false;
    }
    let lower = bare.to_lowercase();
    let has_address = lower.contains('@');
    let has_digit = lower.contains(|c: char| c.is_ascii_digit());
    let ends = lower.ends_with(':');
    match after_verb(&lower) {
        // `… kirjoitti:`, `… wrote ----`: the verb ends it.
        Some(after) if after.chars().filter(|c| c.is_alphanumeric()).count() <= 1 => {
            (has_digit || has_address || before_quote) && (ends || has_address && has_digit)
        }
        // `Den 3 mars 2026 kl. 10:00 skrev Anna <…>:`: the name follows the verb.
        Some(_) => ends && has_digit && (has_address || before_quote || has_time(&lower)),
        // `30.9.2017, 18.30, "Anna" <anna@example.fi>:` and `2026-03-02 10:00 GMT+02:00 Anna <…>:`
        // Before a quotation a date and an address will do, in whatever language.
        None if before_quote => ends && has_address && has_digit,
        None => ends && has_address && has_time(&lower) && has_year(&lower) && !lower.contains("mailto:"),
    }
}
