//! Names of persons and how two of them compare.
//!
//! A name is read into words once ([`PersonName::parse`]); what is given and what is family name is
//! settled only when two are held together, for it depends on both ([`compare`](mod@compare)). The tables
//! beside this file say what letters alone cannot: which words are given names, who is called Kalle,
//! which family names everybody has.
//!
//! **Invariant:** a name alone never joins anything; it agrees or conflicts with other evidence.

pub mod compare;
pub mod family;
pub mod given;
pub mod nicknames;
pub mod words;

pub use compare::{Agreement, NameMatch};
pub use words::fold;

/// Longest name kept, in characters; longer ones are sentences.
const NAME_CHARS_MAX: usize = 100;
/// Most words of a name; more are a sentence.
const NAME_WORDS_MAX: usize = 6;

/// Words before a name, or behind a comma, that are none of it: letters only, lower case. Left in, "Rva
/// Virtanen" would be another person than "Minna Virtanen".
const TITLES: &[&str] = &[
    "rva",
    "rouva",
    "hra",
    "herra",
    "neiti",
    "nti",
    "mr",
    "mrs",
    "ms",
    "miss",
    "mx",
    "sir",
    "dr",
    "drmed",
    "med",
    "prof",
    "professori",
    "professor",
    "tri",
    "tohtori",
    "di",
    "ins",
    "insinööri",
    "maisteri",
    "fm",
    "ktm",
    "tt",
    "herr",
    "hr",
    "frau",
    "fru",
    "fröken",
    "proua",
    "pr",
    "härra",
    "preili",
    "dipling",
    "ing",
    "mag",
    "dkfm",
    "phd",
    "msc",
    "bsc",
    "mba",
    "ma",
    "ba",
    "kand",
    "toimitusjohtaja",
    "johtaja",
    "myyntipäällikkö",
    "isännöitsijä",
    "direktör",
    "vd",
    "juhataja",
    "direktor",
    "geschäftsführer",
    "geschäftsführerin",
];

/// Words within a family name that come and go: letters only, lower case.
const PARTICLES: &[&str] = &[
    "von", "van", "de", "af", "av", "der", "den", "dem", "da", "di", "del", "della", "du", "des", "dos", "do", "la",
    "le", "el", "al", "bin", "ibn", "ten", "ter", "zu", "zum", "zur", "vom", "auf", "graf", "gräfin", "freiherr",
    "freifrau", "baron", "baronin",
];

/// What stands before a family name that was another: as written, always in lower case.
const BORN: &[&str] = &[
    "o.s.",
    "os.",
    "os",
    "ent.",
    "ent",
    "entinen",
    "née",
    "nee",
    "f.",
    "fd",
    "född",
    "geb.",
    "geb",
    "geborene",
    "snd.",
    "sünd.",
    "sündinud",
    "end.",
    "endine",
    "formerly",
    "aik.",
];

/// Father and son of one name: letters only, lower case.
const ELDER: &[&str] = &["sr", "sen", "senior", "seenior", "vanhempi", "vanh", "dä", "ältere", "elder"];
/// See [`ELDER`].
const YOUNGER: &[&str] = &["jr", "jun", "junior", "juunior", "nuorempi", "nuor", "dy", "jüngere", "younger", "ii"];
/// See [`ELDER`].
const YOUNGEST: &[&str] = &["iii", "iv"];

/// A person's name: as written, and in words for comparison.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PersonName {
    written: String,
    words: Vec<Word>,
    /// Words before a comma that puts the family name first; 0 for none.
    comma: usize,
    /// Where names by which the person used to be called begin; the count of words for none.
    born: usize,
    /// A title was taken off its front.
    titled: bool,
    /// Which of several of one name: father, son, grandson.
    generation: Option<u8>,
}

/// A word of a name, [folded](fold).
#[derive(Clone, PartialEq, Eq, Hash)]
struct Word {
    text: String,
    /// A hyphen joins it to the word before.
    joined: bool,
    /// In capitals, more than one of them.
    shouted: bool,
    particle: bool,
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
        let mut name = Self { written, words: Vec::new(), comma: 0, born: usize::MAX, titled: false, generation: None };
        name.read();
        (!name.words.is_empty() && name.words.len() <= NAME_WORDS_MAX).then_some(name)
    }

    fn read(&mut self) {
        let written = self.written.replace('(', " ( ").replace(')', " ").replace(',', " , ");
        let raw: Vec<&str> = written.split_whitespace().collect();
        for (at, word) in raw.iter().enumerate() {
            let letters: String = word.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
            let (first, last) = (self.words.is_empty(), at + 1 == raw.len());
            if *word == "," {
                self.comma = self.words.len();
            } else if (*word == "(" && at + 2 == raw.len()) || (!first && BORN.contains(word)) {
                self.born = self.born.min(self.words.len());
            } else if TITLES.contains(&letters.as_str())
                && ((first && (!last || letters.len() > 2)) || (self.comma > 0 && self.comma == self.words.len()))
            {
                self.titled |= first;
            } else if let (true, true, Some(generation)) = (last, self.words.len() > 1, generation(&letters)) {
                self.generation = Some(generation);
            } else {
                self.push(word, &letters);
            }
        }
        // Nothing but a title follows the comma, or nothing at all.
        if self.comma == self.words.len() {
            self.comma = 0;
        }
        self.born = self.born.min(self.words.len());
    }

    fn push(&mut self, word: &str, letters: &str) {
        let particle = PARTICLES.contains(&letters);
        let mut joined = false;
        for part in word.split_inclusive(['-', '–', '.']) {
            let text = fold(part);
            if !text.is_empty() {
                let mut letters = part.chars().filter(|c| c.is_alphabetic());
                let shouted = letters.clone().count() > 1 && letters.all(char::is_uppercase);
                self.words.push(Word { text, joined, shouted, particle });
            }
            joined = part.ends_with(['-', '–']) && !self.words.is_empty() && part.len() > 1;
        }
    }

    /// As the person or the platform wrote it.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Whether one of its words is this folded one.
    pub fn has_word(&self, folded: &str) -> bool {
        self.words.iter().any(|word| word.text == folded)
    }

    /// At least a given and a family name, both spelt out: "Matias YB" has one.
    pub fn is_full(&self) -> bool {
        let is_spelt_out = |word: &&Word| match word.text.chars().count() {
            0 | 1 => false,
            2 | 3 => !word.shouted || self.words.iter().all(|word| word.shouted),
            _ => true,
        };
        self.words.iter().filter(|word| !word.particle).filter(is_spelt_out).count() >= 2
    }

    /// It begins with a letter: "J. Laine".
    pub fn has_initial(&self) -> bool {
        self.words.first().is_some_and(|word| word.text.chars().nth(1).is_none())
    }

    /// Both end alike, or one with the letter that the other begins with: *Rönnholm*, *R.*
    pub fn ends_like(&self, other: &Self) -> bool {
        let last = |name: &Self| name.words.iter().rfind(|word| !word.particle).map(|word| word.text.clone());
        let (Some(ours), Some(theirs)) = (last(self), last(other)) else { return false };
        let is_letter_of = |one: &str, whole: &str| one.chars().nth(1).is_none() && whole.starts_with(one);
        ours == theirs || is_letter_of(&ours, &theirs) || is_letter_of(&theirs, &ours)
    }

    /// Both begin with the same word: of two whole names that differ, one person's before and after a wedding.
    pub fn begins_like(&self, other: &Self) -> bool {
        let first = |name: &Self| name.words.first().map(|word| word.text.clone());
        first(self) == first(other)
    }

    /// A key equal for one full name in any order and any accents; what the fact index holds.
    pub fn key(&self) -> String {
        let plain = self.words.iter().filter(|word| !word.particle);
        let mut words: Vec<String> = plain.map(|word| word.text.replace("ue", "u")).collect();
        words.sort_unstable();
        words.join(" ")
    }

    /// Compares two names: what it says, how strongly, and a score to rank by. Symmetric.
    pub fn compare(&self, other: &Self) -> Agreement {
        compare::compare(self, other)
    }
}

fn generation(letters: &str) -> Option<u8> {
    let lists = [ELDER, YOUNGER, YOUNGEST];
    lists.iter().position(|list| list.contains(&letters)).and_then(|at| u8::try_from(at).ok())
}

impl std::fmt::Debug for PersonName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PersonName({} words)", self.words.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use NameMatch::{Conflict, Full, Partial, Unknown};

    #[test]
    fn names_compare() {
        let table = [
            ("Matti Meikäläinen", "Meikäläinen Matti", Full),
            ("Minna Virtanen", "minna virtanen", Full),
            ("Paivi Makinen", "Päivi Mäkinen", Full),
            ("Jaerpe Moeller", "Järpe Möller", Full),
            ("Anna-Liisa Korhonen", "Anna Korhonen", Full),
            ("Minna Virtanen", "Minna Virtannen", Full),
            ("Minna", "Minna Virtanen", Partial),
            ("M. Virtanen", "Minna Virtanen", Partial),
            ("Matti Virtanen", "Minna Virtanen", Conflict),
            ("Matti Virtanen", "Mikko Virtanen", Conflict),
            ("Minna Virtanen", "Minna Korhonen", Conflict),
            ("Liisa", "Matti Virtanen", Conflict),
            ("Mari Virtanen", "Kari Virtanen", Conflict),
            ("Anna Virtanen", "Hanna Virtanen", Conflict),
            ("Sami Koski", "Sari Koski", Conflict),
            ("Kristina Berg", "Kristiina Berg", Full),
            ("Minnna Virtanen", "Minna Virtanen", Full),
            ("Mnina Virtanen", "Minna Virtanen", Full),
            ("Dr. John Smith", "John Smith", Full),
            // A family name alone is the whole family's.
            ("Rva Virtanen", "Minna Virtanen", Unknown),
            ("Virtanen", "Minna Virtanen", Unknown),
            ("Virtanen", "Virtanen", Unknown),
            ("Virtanen", "Minna Korhonen", Conflict),
            ("Kivilahti", "Anna Kivilahti", Unknown),
            ("Minna", "Virtanen", Unknown),
            ("Minna", "Oyin", Conflict),
            ("M", "Minna Virtanen", Unknown),
            ("Oyin", "Oyin Adeyemi", Partial),
            ("Adeyemi Oyin", "Oyin Adeyemi", Full),
            // Two given names may be a profile's, not a given and another family name.
            ("Anna Maria", "Anna Korhonen", Unknown),
            ("Erik Martin", "Martin Svensson", Conflict),
            ("Minna Maria Virtanen", "Minna Virtanen-Korhonen", Full),
            // A nickname that no list has says nothing, where it begins alike.
            ("Jallu P", "Jalmari Pöyskö", Unknown),
            ("Jallu K", "Jalmari Pöyskö", Conflict),
            ("Jallu P", "Väinö Pöyskö", Conflict),
            // Initials alone and letters of another script say nothing.
            ("PJ", "Patrick Doyle", Unknown),
            ("KE", "Jaan Tamm", Unknown),
            ("أحمد", "Omar Nasser", Unknown),
            ("BO", "Jaan Tamm", Conflict),
            ("Gosia", "Małgorzata Lis", Partial),
            ("Kuba Lis", "Jakub Lis", Full),
            ("Seán Keane", "Shaun Keane", Full),
            ("Xasan Cali", "Hassan Ali", Full),
            ("Mo", "Maxamed Warsame", Partial),
            ("Zuzia", "Małgorzata Lis", Conflict),
            ("Paddy Keane", "Padraig Keane", Full),
            ("Abdi Warsame", "Abdirahman Warsame", Full),
            ("Abdirahman Warsame", "Abdirashid Warsame", Conflict),
            // A family name that is cut short is an initial.
            ("Morag Mac", "Morag MacKinnon", Partial),
            ("Morag Mac", "Morag Sinclair", Conflict),
            ("Morag Mac", "Fiona MacKinnon", Conflict),
            ("Anna Berg", "Anna Bergström", Conflict),
            ("annaliisa", "Anna-Liisa Korhonen", Partial),
            ("perolof", "Per-Olof Grahn", Partial),
        ];
        for (one, other, expected) in table {
            let (a, b) = (PersonName::parse(one).unwrap(), PersonName::parse(other).unwrap());
            assert_eq!(a.compare(&b).verdict, expected, "{one} / {other}");
            assert_eq!(a.compare(&b), b.compare(&a), "{other} / {one}");
        }
    }

    #[test]
    fn whole_names_are_spelt_out() {
        for (name, is_full) in [
            ("Minna Virtanen", true),
            ("Bo Ek", true),
            ("BO EK", true),
            ("Minna", false),
            ("M. Virtanen", false),
            ("Matias YB", false),
        ] {
            assert_eq!(PersonName::parse(name).unwrap().is_full(), is_full, "{name}");
        }
    }

    #[test]
    fn what_is_no_name() {
        for text in ["", "  ", "040 123 4567", "info@example.fi", "a b c d e f g", "http://x/y", "Rva ,"] {
            assert!(PersonName::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn one_key_for_one_name() {
        let key = |text: &str| PersonName::parse(text).unwrap().key();
        for (one, other) in [
            ("Minna Virtanen", "VIRTANEN, Minna"),
            ("Carl von Numers", "Numers Carl"),
            ("Jürgen Müller", "Juergen Mueller"),
            ("Dr. John Smith", "smith john"),
        ] {
            assert_eq!(key(one), key(other));
        }
    }
}
