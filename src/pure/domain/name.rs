//! Names of persons and how two of them compare.
//!
//! **Invariant:** a name alone never joins anything; it agrees or conflicts with other evidence.

use super::given_name::is_given;
use unicode_normalization::UnicodeNormalization;

/// Longest name kept, in characters; longer ones are sentences.
const NAME_CHARS_MAX: usize = 100;

/// Words before a name that are none of it, folded. Left in, "Rva Virtanen" would be another person
/// than "Minna Virtanen".
const TITLES: &[&str] = &[
    "rva", "rouva", "hra", "herra", "neiti", "nti", "mr", "mrs", "ms", "miss", "dr", "prof", "herr", "hr", "frau",
    "fru", "froken", "proua", "harra",
];

/// A person's name: as written, and folded for comparison.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PersonName {
    written: String,
    tokens: Vec<String>,
}

/// What comparing two names says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameMatch {
    /// Given and family name agree.
    Full,
    /// They agree as far as both go: a given name alone, an initial.
    Partial,
    /// Nothing to compare.
    Unknown,
    /// They are different people: another given or family name.
    Conflict,
}

impl PersonName {
    /// Reads a name. `None` for what is none: empty, digits, an address, a sentence.
    pub fn parse(text: &str) -> Option<Self> {
        let written = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let written = written.trim_matches(|c: char| "\"'.,;:-–_()<>".contains(c)).to_owned();
        if written.is_empty() || written.chars().count() > NAME_CHARS_MAX || written.contains(['@', '/', '=', '|']) {
            return None;
        }
        if written.chars().any(|c| c.is_ascii_digit()) {
            return None;
        }
        let tokens: Vec<String> = written
            .split(|c: char| c.is_whitespace() || c == ',' || c == '.' || c == '-' || c == '–')
            .map(fold)
            .filter(|token| !token.is_empty() && !TITLES.contains(&token.as_str()))
            .collect();
        (!tokens.is_empty() && tokens.len() <= 6).then_some(Self { written, tokens })
    }

    /// As the person or the platform wrote it.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// At least a given and a family name, both spelt out.
    pub fn is_full(&self) -> bool {
        self.tokens.iter().filter(|token| token.chars().count() > 1).count() >= 2
    }

    /// A key equal for one full name in any order and any accents; what the fact index holds.
    pub fn key(&self) -> String {
        let mut tokens = self.tokens.clone();
        tokens.sort();
        tokens.join(" ")
    }

    /// Compares two names; see [`NameMatch`].
    pub fn compare(&self, other: &Self) -> NameMatch {
        let (short, long) = if self.tokens.len() <= other.tokens.len() { (self, other) } else { (other, self) };
        let mut free: Vec<&String> = long.tokens.iter().collect();
        let mut agreed = 0;
        let mut initials = 0;
        for token in &short.tokens {
            if let Some(at) = free.iter().position(|candidate| same_word(token, candidate)) {
                free.remove(at);
                agreed += 1;
            } else if let Some(at) = free.iter().position(|candidate| initial_of(token, candidate)) {
                free.remove(at);
                initials += 1;
            }
        }
        match (agreed + initials == short.tokens.len(), agreed) {
            (true, 2..) => NameMatch::Full,
            (true, 1) => NameMatch::Partial,
            (true, _) => NameMatch::Unknown,
            (false, _) => NameMatch::Conflict,
        }
    }
}

impl std::fmt::Debug for PersonName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PersonName({} tokens)", self.tokens.len())
    }
}

/// Lower case without accents; `ae` and `oe` for what Germans and lost keyboards make of ä and ö
/// count as the plain vowel.
/// Words that are folded alike are one word.
pub fn fold(word: &str) -> String {
    if word.is_ascii() {
        let plain: String =
            word.bytes().filter(u8::is_ascii_alphanumeric).map(|b| char::from(b.to_ascii_lowercase())).collect();
        return plain.replace("ae", "a").replace("oe", "o");
    }
    let plain: String = word
        .nfd()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'ø' => 'o',
            'đ' => 'd',
            'ł' => 'l',
            other => other,
        })
        .collect();
    plain.replace("ae", "a").replace("oe", "o").replace('æ', "a").replace('ß', "ss")
}

/// Equal, or one edit apart (a transposition counts as one) in words of more than three letters.
/// Two different names in common use are never one name misspelt: Mari is not Kari, nor Anna Hanna.
fn same_word(one: &str, other: &str) -> bool {
    one == other
        || (one.chars().count().min(other.chars().count()) > 3
            && strsim::damerau_levenshtein(one, other) <= 1
            && (!(is_given(one) && is_given(other)) || spelling(one) == spelling(other)))
}

/// One name's spellings fall together: doubled letters (Kristina, Kristiina) and `th` (Elisabeth).
fn spelling(word: &str) -> String {
    let mut letters: Vec<char> = word.replace("th", "t").chars().collect();
    letters.dedup();
    letters.into_iter().collect()
}

fn initial_of(one: &str, other: &str) -> bool {
    let single = |word: &str| word.chars().count() == 1;
    (single(one) || single(other)) && one.chars().next() == other.chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare() {
        let table = [
            ("Matti Meikäläinen", "Meikäläinen Matti", NameMatch::Full),
            ("Minna Virtanen", "minna virtanen", NameMatch::Full),
            ("Paivi Makinen", "Päivi Mäkinen", NameMatch::Full),
            ("Jaerpe Moeller", "Järpe Möller", NameMatch::Full),
            ("Anna-Liisa Korhonen", "Anna Korhonen", NameMatch::Full),
            ("Minna Virtanen", "Minna Virtannen", NameMatch::Full),
            ("Minna", "Minna Virtanen", NameMatch::Partial),
            ("M. Virtanen", "Minna Virtanen", NameMatch::Partial),
            ("Matti Virtanen", "Minna Virtanen", NameMatch::Conflict),
            ("Matti Virtanen", "Mikko Virtanen", NameMatch::Conflict),
            ("Minna Virtanen", "Minna Korhonen", NameMatch::Conflict),
            ("Liisa", "Matti Virtanen", NameMatch::Conflict),
            ("Mari Virtanen", "Kari Virtanen", NameMatch::Conflict),
            ("Anna Virtanen", "Hanna Virtanen", NameMatch::Conflict),
            ("Sami Koski", "Sari Koski", NameMatch::Conflict),
            ("Kristina Berg", "Kristiina Berg", NameMatch::Full),
            ("Minnna Virtanen", "Minna Virtanen", NameMatch::Full),
            ("Mnina Virtanen", "Minna Virtanen", NameMatch::Full),
            ("Rva Virtanen", "Minna Virtanen", NameMatch::Partial),
            ("Dr. John Smith", "John Smith", NameMatch::Full),
        ];
        for (one, other, expected) in table {
            let (a, b) = (PersonName::parse(one).unwrap(), PersonName::parse(other).unwrap());
            assert_eq!(a.compare(&b), expected, "{one} / {other}");
            assert_eq!(b.compare(&a), expected, "{other} / {one}");
        }
    }

    #[test]
    fn what_is_no_name() {
        for text in ["", "  ", "040 123 4567", "info@example.fi", "a b c d e f g", "http://x/y"] {
            assert!(PersonName::parse(text).is_none(), "{text:?}");
        }
    }
}
