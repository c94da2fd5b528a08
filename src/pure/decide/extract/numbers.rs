//! Numbers of matters (`[matters]` in the configuration) in a text.
//!
//! A number is found as the pattern says, and also with a blank or hyphen in it that the pattern
//! does not foresee: `4001 2345` for eight digits in a row. Digits are fused only within one run,
//! only when nothing of consequence is left over, and never out of a telephone number, so two
//! numbers that happen to stand side by side do not make a third.
//!
//! **Invariant:** what is inside a telephone number, an account number or a personal id is never a
//! number of a matter. The work is linear in the text and capped beyond it.

use super::phones::Phones;
use super::scan::{Haystack, cut_front};
use crate::pure::domain::message::MatterRole;
use crate::pure::domain::policy::Matter;
use std::collections::HashSet;
use std::ops::Range;

/// Different numbers of one pattern read out of one message. A mail that lists more is a mailing or
/// a guess.
const PER_MATTER_MAX: usize = 16;
/// Matches of one pattern looked at in one text, repeats included.
const MATCHES_MAX: usize = 4096;
/// Fused spellings tried in one text.
const FUSIONS_MAX: usize = 128;
/// Most groups that one number is written in.
const GROUPS_MAX: usize = 6;
/// Longest canonical form, in bytes; a longer match is a pattern gone wild.
const VALUE_BYTES_MAX: usize = 64;
/// Fewest digits of a fused number: shorter ones are days, hours and house numbers.
const FUSED_DIGITS_MIN: usize = 4;
/// Text before a fused number that a pattern may ask for ("order no. …"). Bytes.
const LEAD_BYTES_MAX: usize = 24;
/// Most digits that somebody keys in.
const KEYED_DIGITS_MAX: usize = 20;
/// Words and letters of a pattern that are tried before digits.
const LETTERS_MAX: usize = 16;
/// Digits left over beside fused ones that may be a count: `4001 2345 2 pcs`.
const LEFT_OVER_DIGITS_MAX: usize = 2;

/// A number found: which pattern, where, and its canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// Index into the patterns.
    pub matter: usize,
    /// Its bytes in the text.
    pub span: Range<usize>,
    /// Upper case, no blanks.
    pub value: String,
}

/// Finds the numbers of all patterns, each value once for a pattern.
pub fn numbers(haystack: &Haystack<'_>, matters: &[Matter], phones: &Phones) -> Vec<Number> {
    let mut search = Search { haystack, matters, phones, found: Vec::new(), seen: HashSet::new(), attempts: 0 };
    for matter in 0..matters.len() {
        search.as_written(matter);
    }
    search.found.sort_by_key(|number| number.span.start);
    search.fused();
    search.found
}

struct Search<'a> {
    haystack: &'a Haystack<'a>,
    matters: &'a [Matter],
    phones: &'a Phones,
    found: Vec<Number>,
    seen: HashSet<(usize, String)>,
    attempts: usize,
}

impl Search<'_> {
    fn as_written(&mut self, matter: usize) {
        let pattern = &self.matters[matter].pattern;
        // A pattern with letters beyond ASCII needs the text itself; all others run on the fast copy.
        let text: &str = if pattern.as_str().is_ascii() { self.haystack.ascii() } else { &self.haystack.text };
        let mut count = 0;
        for found in pattern.find_iter(text).take(MATCHES_MAX) {
            let span = found.range();
            if span.is_empty() || self.belongs_elsewhere(&span) {
                continue;
            }
            let Some(value) = canonical(pattern, text, &self.haystack.text, &span) else { continue };
            count += usize::from(self.keep(matter, span, value));
            if count == PER_MATTER_MAX {
                break;
            }
        }
    }

    fn keep(&mut self, matter: usize, span: Range<usize>, value: String) -> bool {
        let new = self.seen.insert((matter, value.clone()));
        if new {
            self.found.push(Number { matter, span, value });
        }
        new
    }

    /// Whether the span is part of something larger that is no number of a matter.
    fn belongs_elsewhere(&self, span: &Range<usize>) -> bool {
        let covers = |other: &Range<usize>| other.start <= span.start && span.end <= other.end;
        let near = |spans: &[Range<usize>]| {
            let at = spans.partition_point(|other| other.end < span.end);
            spans.get(at).is_some_and(covers)
        };
        let phone = self.phones.found.partition_point(|phone| phone.span.end < span.end);
        let phone = self.phones.found.get(phone).filter(|phone| phone.plain && covers(&phone.span));
        near(&self.phones.taboo) || phone.is_some_and(|phone| self.digits(&phone.span) > self.digits(span))
    }

    fn digits(&self, span: &Range<usize>) -> usize {
        self.haystack.ascii()[span.clone()].bytes().filter(u8::is_ascii_digit).count()
    }

    /// Numbers with a blank or hyphen that their pattern does not foresee.
    fn fused(&mut self) {
        let written: Vec<Range<usize>> = self.found.iter().map(|number| number.span.clone()).collect();
        for run in &self.haystack.runs {
            if self.attempts >= FUSIONS_MAX {
                break;
            }
            let lettered = self.prefix(run.start).is_some();
            if (run.len() > 1 || lettered) && !self.is_spoken_for(run) {
                self.fuse(run.clone(), &written);
            }
        }
    }

    /// A run that is a telephone number, an account, or a sum of money.
    fn is_spoken_for(&self, run: &Range<usize>) -> bool {
        let text = self.haystack;
        let span = text.groups[run.start].start..text.groups[run.end - 1].end;
        let overlaps = |other: &Range<usize>| other.start < span.end && span.start < other.end;
        let phone = self.phones.found.partition_point(|phone| phone.span.end <= span.start);
        let taboo = self.phones.taboo.partition_point(|taboo| taboo.end <= span.start);
        // One that begins further on may as well be the middle of a longer number.
        if self.phones.found.get(phone).is_some_and(|phone| phone.plain && phone.span.start <= span.start)
            || self.phones.taboo.get(taboo).is_some_and(overlaps)
        {
            return true;
        }
        let thousands = run.len() > 1
            && text.groups[run.start].len() <= 3
            && run.clone().skip(1).all(|group| text.groups[group].len() == 3);
        let (_, after) = text.near(span.end);
        let unit = after.trim_start();
        let sum = unit.starts_with(['€', '$', '£', '%'])
            || (after.starts_with(',') && after[1..].starts_with(|c: char| c.is_ascii_digit()));
        let currency = ["eur", "e ", "e.", "kr", "sek", "usd", "kwh", "kg", "km"].iter().any(|word| {
            unit.len() >= word.len()
                && unit.is_char_boundary(word.len())
                && unit[..word.len()].eq_ignore_ascii_case(word)
        });
        thousands && (sum || currency)
    }

    /// Tries each stretch of neighbouring groups from the left; keeps what was found only if little
    /// of the run is left over.
    fn fuse(&mut self, run: Range<usize>, written: &[Range<usize>]) {
        let text = self.haystack;
        let mut found = Vec::new();
        let mut group = run.start;
        while group < run.end && self.attempts < FUSIONS_MAX {
            let Some((end, numbers)) = self.fuse_from(group, run.end) else {
                let span = &text.groups[group];
                let at = written.partition_point(|number| number.end < span.end);
                let known = written.get(at).is_some_and(|number| number.start <= span.start);
                if !known && span.len() > LEFT_OVER_DIGITS_MAX {
                    return;
                }
                group += 1;
                continue;
            };
            found.extend(numbers);
            group = end;
        }
        for number in found {
            if self.belongs_elsewhere(&number.span) {
                continue;
            }
            let count = self.found.iter().filter(|other| other.matter == number.matter).count();
            if count < PER_MATTER_MAX {
                self.keep(number.matter, number.span, number.value);
            }
        }
    }

    /// The shortest fused number that begins at the group, for every pattern that takes it.
    fn fuse_from(&mut self, group: usize, run_end: usize) -> Option<(usize, Vec<Number>)> {
        let text = self.haystack;
        let prefix = self.prefix(group).map(str::to_ascii_uppercase);
        let mut fused = text.digits(group).to_owned();
        for end in group + 1..=run_end.min(group + GROUPS_MAX) {
            if end > group + 1 {
                if !matches!(text.gap(end - 2), " " | "-") {
                    break;
                }
                fused.push_str(text.digits(end - 1));
            }
            let span = text.groups[group].start..text.groups[end - 1].end;
            if !(FUSED_DIGITS_MIN..=VALUE_BYTES_MAX).contains(&fused.len())
                || text.at(span.end).is_some_and(|b| b.is_ascii_alphabetic())
            {
                continue;
            }
            let mut numbers = Vec::new();
            for matter in 0..self.matters.len() {
                if let Some(value) = self.fused_value(matter, &span, &fused, prefix.as_deref(), end > group + 1) {
                    numbers.push(Number { matter, span: span.clone(), value });
                }
            }
            self.attempts += 1;
            if !numbers.is_empty() {
                return Some((end, numbers));
            }
        }
        None
    }

    /// The canonical form, if the pattern takes the fused digits: behind what stands before them in
    /// the text, or behind a short prefix (`kk 49217` for `KK-49217`).
    fn fused_value(
        &self,
        matter: usize,
        span: &Range<usize>,
        fused: &str,
        prefix: Option<&str>,
        several: bool,
    ) -> Option<String> {
        let pattern = &self.matters[matter].pattern;
        if several {
            let lead = cut_front(&self.haystack.ascii()[..span.start], LEAD_BYTES_MAX);
            let candidate = format!("{lead}{fused}");
            let found = pattern
                .find_iter(&candidate)
                .find(|found| found.end() == candidate.len() && found.start() <= lead.len());
            if let Some(found) = found {
                return canonical(pattern, &candidate, &candidate, &found.range());
            }
        }
        let prefix = prefix?;
        [format!("{prefix}{fused}"), format!("{prefix}-{fused}")].iter().find_map(|candidate| {
            let found = pattern.find(candidate).filter(|found| found.len() == candidate.len())?;
            canonical(pattern, candidate, candidate, &found.range())
        })
    }

    /// Up to five letters before a group, at most one blank or hyphen between.
    fn prefix(&self, group: usize) -> Option<&str> {
        let start = self.haystack.groups[group].start;
        let start = start - usize::from(matches!(self.haystack.before(start), Some(b' ' | b'-')));
        let letters = self.haystack.letters_before(start, 5);
        let before = (start - letters.len()).checked_sub(1).map(|at| self.haystack.ascii().as_bytes()[at]);
        (!letters.is_empty() && !before.is_some_and(|b| b.is_ascii_alphanumeric())).then_some(letters)
    }
}

/// What somebody keyed in whose telephone has no letters: the one secret number of the desk's that has these digits. A
/// pattern is tried with the letters that it is written with before them, and with a hyphen among them; where several
/// numbers have them it is none.
pub fn keyed_in(digits: &str, matters: &[Matter]) -> Option<(usize, String)> {
    if !(FUSED_DIGITS_MIN..=KEYED_DIGITS_MAX).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut found: Option<(usize, String)> = None;
    for (matter, Matter { pattern, .. }) in matters.iter().enumerate().filter(|(_, m)| m.role == MatterRole::Secret) {
        for letters in letters_of(pattern.as_str()) {
            let whole = [format!("{letters}{digits}"), format!("{letters}-{digits}")].into_iter();
            let split = (1..digits.len()).map(|at| format!("{letters}{}-{}", &digits[..at], &digits[at..]));
            let values = whole.chain(split).filter_map(|candidate| {
                let span = pattern.find(&candidate)?.range();
                (span.len() == candidate.len()).then(|| canonical(pattern, &candidate, &candidate, &span))?
            });
            for value in values {
                match &found {
                    Some(other) if *other != (matter, value.clone()) => return None,
                    _ => found = Some((matter, value)),
                }
            }
        }
    }
    found
}

/// Letters that a pattern is written with, each word and each letter of a class; what is none of a number's is found
/// out by the pattern itself.
fn letters_of(pattern: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut word = String::new();
    let (mut in_class, mut chars) = (false, pattern.chars().peekable());
    while let Some(c) = chars.next() {
        let is_flag = c == '?' && word.is_empty() && chars.peek().is_some_and(char::is_ascii_alphabetic);
        if c.is_ascii_alphabetic() && found.len() < LETTERS_MAX {
            word.push(c);
            if !in_class {
                continue;
            }
        }
        if !word.is_empty() {
            found.push(std::mem::take(&mut word));
        }
        match c {
            '\\' => drop(chars.next()),
            '[' => in_class = true,
            ']' => in_class = false,
            _ if is_flag => while chars.next_if(char::is_ascii_alphabetic).is_some() {},
            _ => {}
        }
    }
    found
}

/// What the capture groups matched, else the whole match; upper case, without blanks.
fn canonical(pattern: &regex::Regex, searched: &str, text: &str, span: &Range<usize>) -> Option<String> {
    let mut value = String::new();
    if pattern.captures_len() > 1 {
        let captures = pattern.captures_at(searched, span.start)?;
        for group in captures.iter().skip(1).flatten() {
            value.push_str(&text[group.range()]);
        }
    }
    if value.is_empty() {
        value.push_str(&text[span.clone()]);
    }
    if value.len() > 2 * VALUE_BYTES_MAX {
        return None;
    }
    let value: String =
        value.chars().filter(|c| !c.is_whitespace() && !c.is_control()).flat_map(char::to_uppercase).collect();
    (!value.is_empty() && value.len() <= VALUE_BYTES_MAX).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_the_one_number_that_has_them() {
        let matter = |(name, pattern, role): &(&str, &str, MatterRole)| Matter {
            name: (*name).to_owned(),
            pattern: regex::Regex::new(pattern).unwrap(),
            role: *role,
        };
        let matters: Vec<Matter> = [
            ("bill", r"(?i)\b[LF]-?(26\d{4})\b", MatterRole::Secret),
            ("visit", r"(?i)\bK[- ]?(?:20)?26[-/ ](\d{5})\b", MatterRole::Secret),
            ("fault", r"\bINC[- ]?\d{5}\b", MatterRole::Secret),
            ("site", r"\bBV-\d{7}\b", MatterRole::Topic),
            ("ticket", r"\bTAS-\d{8}\b", MatterRole::Secret),
            ("offer", r"\bTAR-\d{8}\b", MatterRole::Secret),
        ]
        .iter()
        .map(matter)
        .collect();
        for (digits, expected) in [
            ("260688", "bill 260688"),
            ("2600409", "visit 00409"),
            ("20531", ""),
            ("31234567", ""),
            ("26", ""),
            ("", ""),
            ("1234567", ""),
        ] {
            let found = keyed_in(digits, &matters);
            let found = found.map(|(at, value)| format!("{} {value}", matters[at].name)).unwrap_or_default();
            assert_eq!(found, expected, "{digits}");
        }
    }
}
