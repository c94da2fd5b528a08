//! Words and phrases that tell what a message is about: which of them are in a text, all in one pass.
//!
//! A list is plain text, so that ops can read it and add to it: phrases with commas between. In a phrase a word that
//! ends in `*` is the beginning of one ("jumitta*"), one that begins with it an ending ("*yhteys"), one with both stands
//! anywhere in a word ("*virhe*"); `|` parts words of which any will do; `..` is up to three words, whichever; `#` is
//! a number. Everything else is as in [`phrases`](super::phrases): small letters, no punctuation.
//!
//! Phrases are found by the tree of how their first words begin, so that a text costs the same however long the lists are.
//! A sign of [`Sign::Ignore`] hides what it covers; a negation of the list [`Sign::Not`] within two words before a
//! phrase takes it back, where the sign can be taken back ([`Sign::can_be_denied`]).

use super::phrases::{GAP, flatten};
use super::weights::Weights;
use std::collections::HashSet;

/// Phrases of one sign in one language, over all of it.
pub const PHRASES_MAX: usize = 1_000;
/// Characters of a phrase.
pub const PHRASE_CHARS_MAX: usize = 300;
/// Words that stand for one another in a phrase.
const FORMS_MAX: usize = 40;
/// Words of a phrase.
const ELEMENTS_MAX: usize = 8;
/// See [`GAP`].
const GAP_WORDS_MAX: usize = 3;
/// Words between a negation and what it takes back.
const NEGATION_WORDS_MAX: usize = 2;
/// Sentences of a text that are looked at.
const SENTENCES_MAX: usize = 400;

/// Declares the signs: a variant, its word in the configuration, and what it means.
macro_rules! signs {
    ($($variant:ident $word:literal $doc:literal,)*) => {
        /// What words are a sign of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Sign {
            $(#[doc = $doc] $variant,)*
        }

        impl Sign {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable word, as in the configuration.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }
    };
}

signs! {
    Ask "ask" "Something is asked or asked for, whatever it is.",
    Want "want" "A thing that is wanted by itself: a quote, an appointment, an order.",
    Beside "beside" "A thing that is wanted beside a problem too: a refund, a copy, a cancellation, \"one more thing\".",
    Offer "offer" "The desk is asked whether it does something: what the sentence says of trouble is nobody's.",
    Trouble "trouble" "Something does not work, is missing, wrong or late.",
    Own "own" "The customer's own doing or slip.",
    Unsure "unsure" "Nobody can tell whose fault it is.",
    Prevents "prevents" "What does not work stands still.",
    Hinders "hinders" "It can be lived with.",
    Solved "solved" "It is well again, nothing is left to do.",
    Complaint "complaint" "Dissatisfaction as such.",
    Wish "wish" "An idea, a wish for something to be otherwise.",
    Praise "praise" "Thanks that are a point of the message.",
    Danger "danger" "Somebody's health or a house is in danger.",
    Standstill "standstill" "A business or a home stands still.",
    Deadline "deadline" "It must be done within hours.",
    Weight "weight" "What makes a standstill grave: people in need, goods that go bad, the very hour named.",
    Hurry "hurry" "Words of hurry.",
    Patience "patience" "There is no hurry.",
    Again "again" "It was said before, and nobody answered.",
    Empty "empty" "No matter by itself: strays, mere thanks, a farewell.",
    Automatic "automatic" "A program's answer, whatever else is in it.",
    Ignore "ignore" "Words that mean nothing of what is in them: \"the fault line\", \"no problem\".",
    Not "not" "Negations.",
}

impl Sign {
    /// The sign of a stable word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|sign| sign.as_str() == word)
    }

    /// Whether "not" before it takes it back.
    pub fn can_be_denied(self) -> bool {
        matches!(
            self,
            Self::Trouble
                | Self::Praise
                | Self::Danger
                | Self::Standstill
                | Self::Hurry
                | Self::Want
                | Self::Complaint
                | Self::Solved
                | Self::Patience
        )
    }
}

/// A phrase as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The list that it is in: a language, or a name of the desk's own.
    pub list: String,
    /// What it is a sign of.
    pub sign: Sign,
    /// How much it weighs: 2, or 1 in a list of weak ones.
    pub weight: u8,
    /// As it is written.
    pub phrase: String,
}

/// A phrase that is in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'a> {
    /// The phrase.
    pub entry: &'a Entry,
    /// In which sentence.
    pub sentence: usize,
    /// At which of its words.
    pub at: usize,
    /// Over how many.
    pub words: usize,
    /// A negation takes it back.
    pub is_denied: bool,
}

/// All phrases, ready to be looked for.
#[derive(Debug, Clone, Default)]
pub struct Lexicon {
    entries: Vec<Entry>,
    phrases: Vec<Vec<Element>>,
    /// Phrases that begin with a number.
    numbers: Vec<u32>,
    nodes: Vec<Node>,
    weights: Weights,
}

#[derive(Debug, Clone, Default)]
struct Node {
    next: Vec<(u8, u32)>,
    ends: Vec<End>,
}

/// A first word that ends here in the tree.
#[derive(Debug, Clone, Copy)]
struct End {
    phrase: u32,
    /// It may begin anywhere in a word.
    is_inner: bool,
    /// More of the word may follow.
    is_open: bool,
}

#[derive(Debug, Clone)]
enum Element {
    Forms(Vec<Form>),
    Gap,
    Number,
}

#[derive(Debug, Clone)]
struct Form {
    text: String,
    is_inner: bool,
    is_open: bool,
}

impl Form {
    /// The form of a word of a phrase, if anything is left of it.
    fn of(word: &str) -> Option<Self> {
        let text = flatten(word, word.len()).trim().to_owned();
        let is_whole = text.is_empty() || text.contains(' ');
        (!is_whole).then(|| Self { text, is_inner: word.starts_with('*'), is_open: word.ends_with('*') })
    }

    fn is(&self, word: &str) -> bool {
        match (self.is_inner, self.is_open) {
            (false, false) => word == self.text,
            (false, true) => word.starts_with(&self.text),
            (true, false) => word.ends_with(&self.text),
            (true, true) => word.contains(&self.text),
        }
    }
}

/// A phrase's parts, or why it is none.
fn elements(phrase: &str) -> Result<Vec<Element>, &'static str> {
    if phrase.chars().count() > PHRASE_CHARS_MAX {
        return Err("is longer than 300 characters");
    }
    let mut elements = Vec::new();
    for word in phrase.split_whitespace() {
        elements.push(match word {
            GAP => Element::Gap,
            "#" => Element::Number,
            word => {
                let forms: Option<Vec<Form>> = word.split('|').map(Form::of).collect();
                let forms = forms.ok_or("has a word that is none: letters and digits, with * before or behind")?;
                if forms.len() > FORMS_MAX {
                    return Err("has more than 40 words that stand for one another");
                }
                Element::Forms(forms)
            }
        });
    }
    match (elements.first(), elements.last()) {
        (None, _) => Err("is empty"),
        (Some(Element::Gap), _) | (_, Some(Element::Gap)) => Err("begins or ends with .."),
        _ if elements.len() > ELEMENTS_MAX => Err("has more than 8 words"),
        _ => Ok(elements),
    }
}

/// What is wrong with a phrase, if anything.
pub fn check(phrase: &str) -> Result<(), &'static str> {
    elements(phrase).map(|_| ())
}

impl Lexicon {
    /// Of these phrases; one that is none ([`check`]) is left out, and so is a repeat.
    pub fn of(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut lexicon = Self { nodes: vec![Node::default()], ..Self::default() };
        let mut known = HashSet::new();
        for entry in entries {
            let Ok(elements) = elements(&entry.phrase) else { continue };
            if !known.insert((entry.sign, entry.phrase.clone())) {
                continue;
            }
            #[expect(clippy::cast_possible_truncation, reason = "a file of some megabytes holds fewer phrases")]
            let phrase = lexicon.entries.len() as u32;
            match elements.first() {
                Some(Element::Forms(forms)) => {
                    for form in forms {
                        let at = lexicon.node(form.text.as_bytes());
                        let end = End { phrase, is_inner: form.is_inner, is_open: form.is_open };
                        lexicon.nodes[at].ends.push(end);
                    }
                }
                _ => lexicon.numbers.push(phrase),
            }
            lexicon.entries.push(entry);
            lexicon.phrases.push(elements);
        }
        lexicon
    }

    /// With what single words weigh beside the phrases.
    #[must_use]
    pub fn with_weights(self, weights: Weights) -> Self {
        Self { weights, ..self }
    }

    /// What single words weigh beside the phrases.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// How many phrases there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn node(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        for byte in bytes {
            at = match self.nodes[at].next.iter().find(|(known, _)| known == byte) {
                Some((_, next)) => *next as usize,
                None => {
                    let made = self.nodes.len();
                    self.nodes.push(Node::default());
                    #[expect(clippy::cast_possible_truncation, reason = "a file of some megabytes has fewer letters")]
                    self.nodes[at].next.push((*byte, made as u32));
                    made
                }
            };
        }
        at
    }

    /// Every phrase in a text, by where it begins; at most `bytes_max` of the text are read. What a sign to be ignored
    /// covers is left out, and so are that sign and the negations themselves.
    pub fn find(&self, text: &str, bytes_max: usize) -> Vec<Found<'_>> {
        let text = &text[..text.floor_char_boundary(bytes_max)];
        let mut found = Vec::new();
        for (sentence, words) in sentences(text).take(SENTENCES_MAX).enumerate() {
            let flat = flatten(words, words.len());
            let words: Vec<&str> = flat.split_whitespace().collect();
            let mut here = Vec::new();
            for at in 0..words.len() {
                self.begin(&words, at, sentence, &mut here);
            }
            settle(&mut here);
            found.append(&mut here);
        }
        found
    }

    /// The phrases that begin at a word.
    fn begin<'a>(&'a self, words: &[&str], at: usize, sentence: usize, found: &mut Vec<Found<'a>>) {
        let word = words[at].as_bytes();
        let mut phrases: Vec<u32> = Vec::new();
        if self.nodes.is_empty() {
            return;
        }
        if word.iter().all(u8::is_ascii_digit) {
            phrases.extend(&self.numbers);
        }
        for start in (0..word.len()).filter(|start| words[at].is_char_boundary(*start)) {
            let mut node = 0;
            for (offset, byte) in word[start..].iter().enumerate() {
                let Some((_, next)) = self.nodes[node].next.iter().find(|(known, _)| known == byte) else { break };
                node = *next as usize;
                let is_end = start + offset + 1 == word.len();
                let ends = self.nodes[node].ends.iter();
                let fits = ends.filter(|end| (start == 0 || end.is_inner) && (is_end || end.is_open));
                phrases.extend(fits.map(|end| end.phrase));
            }
        }
        phrases.sort_unstable();
        phrases.dedup();
        for phrase in phrases {
            let rest = &self.phrases[phrase as usize][1..];
            if let Some(end) = matches(rest, words, at + 1) {
                let entry = &self.entries[phrase as usize];
                found.push(Found { entry, sentence, at, words: end - at, is_denied: false });
            }
        }
    }
}

/// Where the rest of a phrase ends, if it stands at this word.
fn matches(rest: &[Element], words: &[&str], at: usize) -> Option<usize> {
    let Some((first, rest)) = rest.split_first() else { return Some(at) };
    match first {
        Element::Gap => (0..=GAP_WORDS_MAX).find_map(|skipped| matches(rest, words, at + skipped)),
        Element::Number => {
            let is_number = words.get(at)?.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| matches(rest, words, at + 1))?
        }
        Element::Forms(forms) => {
            let word = words.get(at)?;
            forms.iter().any(|form| form.is(word)).then(|| matches(rest, words, at + 1))?
        }
    }
}

/// Hides what is to be ignored in a sentence, and takes back what is denied.
fn settle(found: &mut Vec<Found<'_>>) {
    let of = |found: &[Found<'_>], sign: Sign| -> Vec<(usize, usize)> {
        found.iter().filter(|one| one.entry.sign == sign).map(|one| (one.at, one.at + one.words)).collect()
    };
    let (ignored, negations) = (of(found, Sign::Ignore), of(found, Sign::Not));
    found.retain(|one| {
        let is_covered = ignored.iter().any(|(from, to)| one.at < *to && one.at + one.words > *from);
        !is_covered && !matches!(one.entry.sign, Sign::Ignore | Sign::Not)
    });
    for one in found.iter_mut().filter(|one| one.entry.sign.can_be_denied()) {
        one.is_denied = negations.iter().any(|(from, to)| *to <= one.at && one.at - from <= NEGATION_WORDS_MAX);
    }
}

/// Where a sentence ends: at a mark of one before a space, a new line, a semicolon. "12.35" and "z.B." go on.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut chars = rest.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let is_last = chars.peek().is_none_or(|(_, next)| next.is_whitespace());
            if c == '\n' || (matches!(c, '.' | '!' | '?' | ';' | '…') && is_last) {
                let (sentence, after) = rest.split_at(at + c.len_utf8());
                rest = after;
                return Some(sentence);
            }
        }
        Some(std::mem::take(&mut rest))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(sign: Sign, phrase: &str) -> Entry {
        Entry { list: "fi".to_owned(), sign, weight: 2, phrase: phrase.to_owned() }
    }

    fn found(lexicon: &Lexicon, text: &str) -> String {
        let all = lexicon.find(text, 1_000);
        let shown = all.iter().map(|one| {
            let denied = if one.is_denied { "!" } else { "" };
            format!("{denied}{}@{}.{}+{}", one.entry.phrase, one.sentence, one.at, one.words)
        });
        shown.collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn phrases_are_found_where_they_stand() {
        let lexicon = Lexicon::of([
            entry(Sign::Trouble, "jumi*"),
            entry(Sign::Trouble, "*virhe*"),
            entry(Sign::Trouble, "*yhteys hiras"),
            entry(Sign::Trouble, "ei|eivät .. toimi*"),
            entry(Sign::Deadline, "klo # asti"),
            entry(Sign::Deadline, "# min"),
            entry(Sign::Trouble, "vika*"),
            entry(Sign::Ignore, "vikapäivysty*"),
            entry(Sign::Not, "ei"),
            entry(Sign::Wish, "rikki"),
            entry(Sign::Trouble, "jumi*"),
        ]);
        assert_eq!(lexicon.len(), 10);
        for (text, expected) in [
            ("Kassa jumittaa", "jumi*@0.1+1"),
            ("Laskuvirheitä. Toimintavirhe!", "*virhe*@0.0+1; *virhe*@1.0+1"),
            ("nettiyhteys hiras", "*yhteys hiras@0.0+2"),
            ("netti EI nyt taas toimikaan", "ei|eivät .. toimi*@0.1+4"),
            ("ei nyt taas sitten kyllä toimi", ""),
            ("ei nyt. Toimi itse", ""),
            ("aikaa klo 14 asti, 40 min.", "klo # asti@0.1+3; # min@0.4+2"),
            ("kello on 12.35 eikä 40min", ""),
            ("vikapäivystys vika", "vika*@0.1+1"),
            ("ei vikaa, ei mitään vikaa, ei siis kyllä vikaa", "!vika*@0.1+1; !vika*@0.4+1; vika*@0.8+1"),
            ("ei rikki", "rikki@0.1+1"),
            ("🙂", ""),
        ] {
            assert_eq!(found(&lexicon, text), expected, "{text}");
        }
        assert_eq!(lexicon.find("jumi jumi", 3), []);
        assert!(!lexicon.is_empty() && Lexicon::of([]).find("jumi", 10).is_empty());
    }

    #[test]
    fn phrases_that_are_none_are_told() {
        for (phrase, is_good) in [
            ("ei toimi*", true),
            ("klo # asti", true),
            ("", false),
            (".. toimi", false),
            ("toimi ..", false),
            ("ei * toimi", false),
            ("e-lasku", false),
            ("a b c d e f g h i", false),
            (&"a".repeat(301), false),
            (&["a"; 41].join("|"), false),
        ] {
            assert_eq!(check(phrase).is_ok(), is_good, "{phrase}");
        }
    }

    #[test]
    fn every_sign_has_its_word() {
        for sign in Sign::ALL {
            assert_eq!(Sign::parse(sign.as_str()), Some(*sign));
        }
        assert_eq!(Sign::parse("none"), None);
    }
}
