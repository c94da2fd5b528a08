//! Phrases that a text is searched for, and the form in which it is.
//!
//! Texts and phrases are held against each other in one form only, [`flatten`]ed: lower case, every run of
//! other characters than letters and digits one space, a space before and after.
//!
//! **Invariant:** no phrase joins anybody. Words set a priority, tell a new matter from an old one, and keep apart
//! whom somebody denies; joining needs evidence.

use regex::{Regex, RegexBuilder};

/// Words and phrases of a list, found in one pass over a [`flatten`]ed text.
#[derive(Debug, Clone, Default)]
pub struct Phrases(Option<Regex>);

impl Phrases {
    /// A word that ends in `*` is the beginning of one, `|` parts words of which any will do, and `..` stands for up to
    /// three words, whichever. No phrase at all is in no text.
    pub fn of<'a>(phrases: impl IntoIterator<Item = &'a str>) -> Self {
        let alternatives: Vec<String> = phrases
            .into_iter()
            .map(|phrase| pattern(phrase, "channel"))
            .filter(|phrase| !phrase.trim().is_empty())
            .collect();
        Self((!alternatives.is_empty()).then(|| any_of(&alternatives)))
    }

    /// Whether any of them is in the flattened text.
    pub fn is_in(&self, flat: &str) -> bool {
        self.0.as_ref().is_some_and(|regex| regex.is_match(flat))
    }

    /// Whether any of them is in the flattened text with none of the [`NEGATIONS`] shortly before
    /// it: "not a new matter", "no hurry".
    pub fn is_said_in(&self, flat: &str) -> bool {
        self.0.iter().flat_map(|regex| regex.find_iter(flat)).any(|found| {
            let before: Vec<&str> =
                flat[..found.start()].rsplit(' ').filter(|word| !word.is_empty()).take(NEGATION_WORDS_MAX).collect();
            // The Finnish "no niin" negates nothing.
            let is_filler =
                |at: usize| before[at] == "no" && at.checked_sub(1).is_some_and(|next| before[next] == "niin");
            !(0..before.len()).any(|at| NEGATIONS.contains(&before[at]) && !is_filler(at))
        })
    }
}

/// Largest compiled list, in bytes: 500 phrases of 200 characters, all of them slots or gaps, fit.
const REGEX_BYTES_MAX: usize = 256 * 1024 * 1024;

/// One regular expression for all.
#[expect(clippy::expect_used, reason = "the configuration limits how many phrases there are and how long each is")]
fn any_of(alternatives: &[String]) -> Regex {
    let regex = RegexBuilder::new(&alternatives.join("|")).size_limit(REGEX_BYTES_MAX).build();
    regex.expect("escaped phrases make a regular expression")
}

/// The regular expression of a phrase, with `slot` where it has a [`SLOT`].
fn pattern(phrase: &str, slot: &str) -> String {
    let mut pattern = String::new();
    let mut is_open = false;
    let phrase = phrase.replace(SLOT, &format!(" {SLOT} "));
    for word in phrase.split_whitespace() {
        if word == GAP {
            pattern.push_str(&format!("(?: [^ ]+){{0,{GAP_WORDS_MAX}}}"));
            continue;
        }
        let forms: Vec<String> = match word {
            SLOT => vec![slot.to_owned()],
            word => word.split('|').map(form).filter(|form| !form.is_empty()).collect(),
        };
        match forms.as_slice() {
            [] => continue,
            [form] => pattern.push_str(&format!(" {form}")),
            forms => pattern.push_str(&format!(" (?:{})", forms.join("|"))),
        }
        is_open = word.ends_with('*');
    }
    match pattern.is_empty() || is_open {
        true => pattern,
        false => format!("{pattern} "),
    }
}

/// The regular expression of a word, or of what begins one.
fn form(word: &str) -> String {
    let plain = regex::escape(flatten(word, word.len()).trim());
    match !plain.is_empty() && word.ends_with('*') {
        true => format!("{plain}[^ ]*"),
        false => plain,
    }
}

/// What stands in a phrase for up to [`GAP_WORDS_MAX`] words, whichever.
pub const GAP: &str = "..";
/// See [`GAP`].
const GAP_WORDS_MAX: usize = 3;

/// What stands in a phrase for a word for a kind of channel.
const SLOT: &str = "{channel}";

/// Phrases by which people say what they did not use: `{channel}` in one is a word for a kind of channel, in whatever
/// case; one without is of all that somebody is not speaking by.
#[derive(Debug, Clone, Default)]
pub struct Denials {
    kinds: Vec<(&'static [&'static str], Regex)>,
    rest: Phrases,
}

impl Denials {
    /// The phrases, with each kind of channel in its place: the words for it as they begin, and what it stands for.
    pub fn of<'a>(
        phrases: impl IntoIterator<Item = &'a str>,
        kinds: impl IntoIterator<Item = (&'static [&'static str], &'static [&'static str])>,
    ) -> Self {
        let (of_kind, of_rest): (Vec<&str>, Vec<&str>) = phrases.into_iter().partition(|phrase| phrase.contains(SLOT));
        let kinds = kinds.into_iter().filter(|(words, _)| !words.is_empty() && !of_kind.is_empty());
        let kinds = kinds.map(|(words, stands_for)| {
            let words: Vec<String> = words.iter().map(|word| regex::escape(word)).collect();
            let slot = format!("(?:{})[^ ]*", words.join("|"));
            let all: Vec<String> = of_kind.iter().map(|phrase| pattern(phrase, &slot)).collect();
            (stands_for, any_of(&all))
        });
        Self { kinds: kinds.collect(), rest: Phrases::of(of_rest) }
    }

    /// What stands for the kinds of channels that the flattened text denies.
    pub fn kinds(&self, flat: &str) -> impl Iterator<Item = &'static [&'static str]> {
        self.kinds.iter().filter(|(_, regex)| regex.is_match(flat)).map(|(stands_for, _)| *stands_for)
    }

    /// Whether the flattened text denies all that its writer is not speaking by.
    pub fn denies_rest(&self, flat: &str) -> bool {
        self.rest.is_in(flat)
    }
}

/// Words between a negation and what it negates.
const NEGATION_WORDS_MAX: usize = 2;

/// Words that turn round what follows them. The Finnish "en" is none: in Swedish it is an article.
static NEGATIONS: &[&str] = &[
    "ei", "eikä", "emme", "eivät", "inte", "ej", "ingen", "inget", "not", "isnt", "no", "never", "pole", "mitte",
    "nicht", "kein", "keine", "keinen",
];

/// The form in which a text is held against [`Phrases`]; at most `bytes_max` of it are read.
pub fn flatten(text: &str, bytes_max: usize) -> String {
    let text = &text[..text.floor_char_boundary(bytes_max)];
    let mut flat = String::with_capacity(text.len() + 2);
    flat.push(' ');
    let mut in_word = false;
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            flat.push(c.to_ascii_lowercase());
            in_word = true;
        } else if !c.is_ascii() && c.is_alphanumeric() {
            flat.extend(c.to_lowercase());
            in_word = true;
        } else if in_word && c != '\'' && c != '’' {
            flat.push(' ');
            in_word = false;
        }
    }
    if in_word {
        flat.push(' ');
    }
    flat
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_flattened() {
        for (text, flat) in [
            ("", " "),
            ("Hei!", " hei "),
            ("  EI\n toimi…ÄÄKKÖSET ", " ei toimi ääkköset "),
            ("doesn't / doesn’t", " doesnt doesnt "),
            ("🙂👍", " "),
            ("4001-2345", " 4001 2345 "),
        ] {
            assert_eq!(flatten(text, 1000), flat, "{text:?}");
        }
        assert_eq!(flatten("ääää", 5), " ää ");
    }

    #[test]
    fn as_many_as_may_be_configured_fit() {
        let slots = (0..500).map(|at| format!("{}{at}", "{channel}".repeat(21)));
        let gaps = (0..250).map(|at| format!("{}{at}", "a .. ".repeat(39)));
        let phrases: Vec<String> =
            slots.chain(gaps).chain((0..250).map(|at| format!("{}{at:03}", "ÿ".repeat(197)))).collect();
        let phrases = || phrases.iter().map(String::as_str);
        let words: &'static [&'static str] = &["whatsapp", "messenger", "telegram", "instagram", "facebook", "puhelin"];
        let denials = Denials::of(phrases(), [(words, words)]);
        assert!(denials.denies_rest(&flatten(&format!("{}249", "ÿ".repeat(197)), 1000)));
        let said = format!("{}7", "Telegram ".repeat(21));
        assert_eq!(denials.kinds(&flatten(&said, 1000)).count(), 1);
        assert_eq!(denials.kinds(&flatten(&"Telegram ".repeat(21), 1000)).count(), 0);
    }

    #[test]
    fn phrases_are_whole_words_or_beginnings() {
        let phrases = Phrases::of(["uusi asia", "vika uusiut*", "It's back", "ei|en .. vaihtan* numero*", "e-lasku"]);
        for (text, is_in, is_said) in [
            ("Mulla on uusi asia", true, true),
            ("uusi asiakas", false, false),
            ("Vika uusiutui!", true, true),
            ("its back", true, true),
            ("ei ole uusi asia", true, false),
            ("en helt uusi asia", true, true),
            ("no niin uusi asia", true, true),
            ("no uusi asia", true, false),
            ("EN ole vaihtanut numeroa", true, true),
            ("en vaihtanut numeroa", true, true),
            ("en ole kyllä koskaan vaihtanut numeroa", true, true),
            ("en ole kyllä ikinä koskaan vaihtanut numeroa", false, false),
            ("en numeroa", false, false),
            ("ei vaihtanut kyllä numeroa", false, false),
            ("missä on e-lasku?", true, true),
        ] {
            let flat = flatten(text, 100);
            assert_eq!((phrases.is_in(&flat), phrases.is_said_in(&flat)), (is_in, is_said), "{text}");
        }
        assert!(!Phrases::of([]).is_in(" a ") && !Phrases::of(["", "*", "!"]).is_in(" a "));
    }

    #[test]
    fn denials_name_a_kind_of_channel() {
        let kinds: [(&'static [&'static str], &'static [&'static str]); 3] =
            [(&["book", "face"], &["one"]), (&["gram"], &["two", "tel"]), (&[], &[])];
        let phrases =
            ["ei ole {channel}", "{channel} mul ei ole", "{channel} pole minu*", "wrote nothing", "on no channel"];
        let denials = Denials::of(phrases, kinds);
        for (text, kinds, rest) in [
            ("Ei ole Bookia lainkaan.", "one", false),
            ("Grami mul ei ole, et siis", "two tel", false),
            ("Merja: ei ole Facessa", "one", false),
            ("Book pole minuga seotud", "one", false),
            ("Is on no channel of ours", "", true),
            ("Is on no book of ours", "", false),
            ("She wrote nothing last night.", "", true),
            ("Kirjoitin Gramilla, ei vastausta", "", false),
        ] {
            let flat = flatten(text, 100);
            let found =
                (denials.kinds(&flat).flatten().copied().collect::<Vec<_>>().join(" "), denials.denies_rest(&flat));
            assert_eq!(found, (kinds.to_owned(), rest), "{text}");
        }
        assert_eq!(Denials::of([], kinds).kinds(" a ").count(), 0);
    }
}
