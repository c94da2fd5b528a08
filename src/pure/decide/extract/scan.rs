//! A text made ready for searching: odd blanks and dashes made plain, and its runs of digits found
//! once for numbers and phones alike.
//!
//! **Invariant:** every offset is a byte offset into [`Haystack::text`], which [`Haystack::ascii`] matches
//! byte for byte.

use std::borrow::Cow;
use std::ops::Range;

/// The text up to `bytes_max`, never through a character.
pub fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// The end of the text, at most `bytes_max` of it, never through a character.
pub fn cut_front(text: &str, bytes_max: usize) -> &str {
    &text[text.ceil_char_boundary(text.len().saturating_sub(bytes_max))..]
}

/// A text to search.
pub struct Haystack<'a> {
    /// The text, with no-break and thin blanks as spaces, typographic dashes as `-`, and without
    /// invisible characters.
    pub text: Cow<'a, str>,
    /// The projection of a text that is not ASCII.
    projected: Option<String>,
    /// Digit groups in order.
    pub groups: Vec<Range<usize>>,
    /// Runs of groups that nothing but blanks and `-./()` stands between, as ranges of `groups`.
    pub runs: Vec<Range<usize>>,
}

/// Digits that stand together with at most this many bytes between are one run (` - ` has three).
const GAP_BYTES_MAX: usize = 3;

/// How far from a number the words that belong to it may stand. Bytes.
const NEAR_BYTES_MAX: usize = 40;

impl<'a> Haystack<'a> {
    /// Prepares `text`.
    pub fn new(text: &'a str) -> Self {
        let text = plain(text);
        let projected = project(&text);
        let (groups, runs) = runs(projected.as_deref().unwrap_or(&text).as_bytes());
        Self { text, projected, groups, runs }
    }

    /// The same bytes with every other letter as `x` and every other character as a control
    /// character: the regex engine is an order of magnitude faster on ASCII where `\b` is used.
    pub fn ascii(&self) -> &str {
        self.projected.as_deref().unwrap_or(&self.text)
    }

    /// The bytes between a group and the one after it.
    pub fn gap(&self, group: usize) -> &str {
        match self.groups.get(group + 1) {
            Some(next) => &self.ascii()[self.groups[group].end..next.start],
            None => "",
        }
    }

    /// The digits of a group.
    pub fn digits(&self, group: usize) -> &str {
        &self.ascii()[self.groups[group].clone()]
    }

    /// The byte just before an offset.
    pub fn before(&self, at: usize) -> Option<u8> {
        at.checked_sub(1).map(|before| self.ascii().as_bytes()[before])
    }

    /// The byte at an offset.
    pub fn at(&self, at: usize) -> Option<u8> {
        self.ascii().as_bytes().get(at).copied()
    }

    /// The letters that end at an offset, at most `bytes_max` of them.
    pub fn letters_before(&self, at: usize, bytes_max: usize) -> &str {
        let bytes = self.ascii().as_bytes();
        let count = bytes[..at].iter().rev().take(bytes_max + 1).take_while(|b| b.is_ascii_alphabetic()).count();
        if count > bytes_max { "" } else { &self.ascii()[at - count..at] }
    }

    /// What stands on the line just before an offset and just after it, at most
    /// [`NEAR_BYTES_MAX`] each way.
    pub fn near(&self, at: usize) -> (&str, &str) {
        let (before, after) = self.text.split_at(at);
        let (before, after) = (cut_front(before, NEAR_BYTES_MAX), cut(after, NEAR_BYTES_MAX));
        (before.rsplit('\n').next().unwrap_or(""), after.split('\n').next().unwrap_or(""))
    }
}

/// Blanks of every width, dashes of every length, and what nobody sees.
fn plain(text: &str) -> Cow<'_, str> {
    // The first bytes of all of them in UTF-8; none begins a letter of the languages of the desk.
    if !text.bytes().any(|b| matches!(b, 0xc2 | 0xe2 | 0xe3 | 0xef)) {
        return Cow::Borrowed(text);
    }
    let plain = |c: char| match c {
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Some(' '),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Some('-'),
        '\u{ff0b}' => Some('+'),
        '\u{ff10}'..='\u{ff19}' => char::from_digit(u32::from(c) - 0xff10, 10),
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => None,
        c => Some(c),
    };
    Cow::Owned(text.chars().filter_map(plain).collect())
}

/// The text in ASCII, byte for byte as long; `None` if it is.
fn project(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let mut ascii = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|b| !b.is_ascii()) {
        ascii.push_str(&rest[..at]);
        let Some(c) = rest[at..].chars().next() else { break };
        let stand_in = if c.is_alphanumeric() { "xxxx" } else { "\u{1}\u{1}\u{1}\u{1}" };
        ascii.push_str(&stand_in[..c.len_utf8()]);
        rest = &rest[at + c.len_utf8()..];
    }
    ascii.push_str(rest);
    Some(ascii)
}

/// Digit groups and the runs they form.
fn runs(bytes: &[u8]) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    let (mut groups, mut runs): (Vec<Range<usize>>, Vec<Range<usize>>) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && bytes[at].is_ascii_digit() {
            at += 1;
        }
        let joins = groups.last().is_some_and(|last| {
            let gap = &bytes[last.end..start];
            gap.len() <= GAP_BYTES_MAX && gap.iter().all(|b| b" -./()".contains(b))
        });
        groups.push(start..at);
        match runs.last_mut() {
            Some(run) if joins => run.end = groups.len(),
            _ => runs.push(groups.len() - 1..groups.len()),
        }
    }
    (groups, runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_made_plain_and_runs_found() {
        let table: &[(&str, &str, &[usize])] = &[
            ("", "", &[]),
            ("ei mitään", "ei mitään", &[]),
            ("4001\u{a0}2345", "4001 2345", &[2]),
            ("88\u{2013}224178", "88-224178", &[2]),
            ("40\u{200b}012345", "40012345", &[1]),
            ("+358 (0)40 123 4567, 05", "+358 (0)40 123 4567, 05", &[5, 1]),
            ("0457 - 313 9921\n040", "0457 - 313 9921\n040", &[3, 1]),
            ("４００１", "4001", &[1]),
        ];
        for (text, plain, sizes) in table {
            let haystack = Haystack::new(text);
            assert_eq!(haystack.text, *plain);
            assert_eq!(haystack.text.len(), haystack.ascii().len());
            assert_eq!(haystack.runs.iter().map(ExactSizeIterator::len).collect::<Vec<_>>(), *sizes, "{text:?}");
        }
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        assert_eq!(cut("ääää", 3), "ä");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abc", 100), "abc");
    }
}
