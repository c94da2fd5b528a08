//! Addresses that a text gives as somebody else's: "my husband's number is …", "Pekan puhelin on …".
//!
//! What belongs to a husband, a colleague or a boss is no claim of the sender's own: two spouses who
//! name each other's numbers would become one customer. The words around the address are read, those
//! before it from the nearest outwards: what says whose it is stands close to it.
//!
//! **Invariant:** doubt is somebody else's. An own number that is not taken for one costs a join that
//! other evidence may still carry; another's number that is taken for one mixes two customers.

use super::super::phrases::{
    ADDRESS_WORDS, CALLED_FROM, GREETINGS, HONORIFICS, OTHERS_ADDRESSES, OURSELVES, OWN_ADDRESSES, OWNERS_OF_OTHERS,
    OWNERS_OURS, PHONE_LABELS, REACHABLE, REACHABLE_BETWEEN, REACHED, RELATIONS, RELATIONS_OWNED, TO_US,
};
use super::scan::{cut, cut_front};
use crate::pure::domain::name::given::is_given;
use crate::pure::domain::name::{PersonName, fold};
use std::ops::Range;

/// How far before an address the words reach that say whose it is. Bytes.
const BEFORE_BYTES_MAX: usize = 160;
/// How far behind it. Bytes.
const AFTER_BYTES_MAX: usize = 60;
/// Words before it that are read.
const BEFORE_WORDS_MAX: usize = 14;
/// Words behind it that are read.
const AFTER_WORDS_MAX: usize = 5;
/// A dot after so few letters ends no sentence: `puh.`, `tel.`, `nro.`
const ABBREVIATION_CHARS_MAX: usize = 4;
/// Words between calling and who is called: "soittakaa suoraan hänelle".
const REACHED_WORDS_MAX: usize = 2;
/// An owner may stand so many words before what is his: "my new work number".
const OWNED_WORDS_MAX: usize = 3;

/// Whether the words around the address at `span` give it as somebody else's. `names` are the
/// sender's own; without any, names in the text say nothing. In a signature lines do not run on.
pub fn is_others(text: &str, span: &Range<usize>, names: &[PersonName], in_signature: bool) -> bool {
    let before = before(&text[..span.start], in_signature);
    let words: Vec<Word<'_>> = words(before).collect();
    let first = words.len().saturating_sub(BEFORE_WORDS_MAX);
    for at in (first..words.len()).rev() {
        if let Some(is_others) = verdict(&words, at, names) {
            return is_others;
        }
    }
    let after: Vec<Word<'_>> = words_behind(&text[span.end..]).collect();
    (0..after.len().min(AFTER_WORDS_MAX)).find_map(|at| verdict(&after, at, &[])).unwrap_or(false)
}

/// The sentence before the address.
fn before(text: &str, in_signature: bool) -> &str {
    let text = cut_front(text, BEFORE_BYTES_MAX);
    let mut start = 0;
    for (at, c) in text.char_indices() {
        let (sofar, rest) = (&text[..at], &text[at + c.len_utf8()..]);
        let ends = match c {
            '!' | '?' | ';' => true,
            '.' => {
                let word = sofar.chars().rev().take_while(|c| c.is_alphanumeric() || matches!(c, '\'' | '’')).count();
                // "… kun saan sen. puh 0500 914 228"
                let is_labelled =
                    PHONE_LABELS.contains(&rest.trim().trim_end_matches(['.', ':']).to_lowercase().as_str());
                rest.starts_with(char::is_whitespace) && (word > ABBREVIATION_CHARS_MAX || is_labelled)
            }
            '\n' => in_signature || sofar.ends_with('\n') || sofar.ends_with('.'),
            _ => false,
        };
        if ends {
            start = at + c.len_utf8();
        }
    }
    &text[start..]
}

/// The words behind the address, to the end of the sentence or the next number.
fn words_behind(text: &str) -> impl Iterator<Item = Word<'_>> {
    let text = cut(text, AFTER_BYTES_MAX);
    let end = text.find(|c: char| ".!?;\n".contains(c) || c.is_ascii_digit()).unwrap_or(text.len());
    words(&text[..end])
}

/// A word as it is written, and in the form of the lists.
struct Word<'a> {
    written: &'a str,
    lower: String,
}

fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    text.split(|c: char| c.is_whitespace() || "(),/|\"*<>=".contains(c))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .map(|written| Word { written, lower: written.to_lowercase().replace('’', "'") })
}

/// What the word at a place says: `true` somebody else's, `false` the writer's own, `None` nothing.
fn verdict(words: &[Word<'_>], at: usize, names: &[PersonName]) -> Option<bool> {
    let word = words[at].lower.as_str();
    let follows = |count: usize| words.get(at + 1..).unwrap_or_default().iter().take(count);
    let is_address = |word: &Word<'_>| ADDRESS_WORDS.is(&word.lower);
    if OWN_ADDRESSES.is(word) {
        return Some(false);
    }
    let before = at.checked_sub(1).map(|before| words[before].lower.as_str());
    let called =
        |(last, calls): &(&str, &[&str])| *last == word && before.is_some_and(|before| calls.contains(&before));
    if CALLED_FROM.iter().any(called) {
        return Some(true);
    }
    // "calls to me 040 …": who is called and the number, nothing between.
    if at + 1 == words.len() && TO_US.contains(&word) {
        return Some(false);
    }
    // "mine 040 …": whose it is and the number, nothing between.
    if at + 1 == words.len() && (OWNERS_OURS.is(word) || OWNERS_OF_OTHERS.is(word)) {
        return Some(OWNERS_OF_OTHERS.is(word));
    }
    if OTHERS_ADDRESSES.is(word) || RELATIONS_OWNED.is(word) {
        return Some(true);
    }
    // "I can be reached on …"
    let before_that = words[..at].iter().rev().map(|word| word.lower.as_str());
    let mut owner = before_that.skip_while(|word| !OURSELVES.contains(word) && REACHABLE_BETWEEN.contains(word));
    if REACHABLE.contains(&word) && owner.next().is_some_and(|owner| OURSELVES.contains(&owner)) {
        return Some(false);
    }
    if let Some(is_others) = reached(words, at) {
        return Some(is_others);
    }
    if RELATIONS.is(word) {
        let owner = at.checked_sub(1).map(|before| words[before].lower.as_str());
        let owned = owner.is_some_and(|owner| OWNERS_OURS.is(owner) || OWNERS_OF_OTHERS.is(owner));
        return (owned || word.ends_with("'s") || word.ends_with("s'")).then_some(true);
    }
    // "my husband's number" is not mine.
    let is_owner =
        |word: &&Word<'_>| RELATIONS.is(&word.lower) || RELATIONS_OWNED.is(&word.lower) || word.lower.ends_with("'s");
    let owns_address = follows(OWNED_WORDS_MAX).take_while(|word| !is_owner(word)).any(is_address);
    if owns_address && OWNERS_OURS.is(word) {
        return Some(false);
    }
    if owns_address && OWNERS_OF_OTHERS.is(word) {
        return Some(true);
    }
    // "the plumber's number": whoever it is, not the writer; "it's my number" is none.
    let is_noun = word.chars().count() > "what's".len() || words[at].written.starts_with(char::is_uppercase);
    if owns_address && word.ends_with("'s") && is_noun && follows(1).any(is_address) {
        return Some(true);
    }
    titled(words, at, names).or_else(|| named(words, at, names, follows(1).any(is_address)))
}

/// Who is to be called: "my mother's is …, but call me on …" is the writer's, "call him on …" is not.
fn reached(words: &[Word<'_>], at: usize) -> Option<bool> {
    let word = words[at].lower.as_str();
    let before = words[at.saturating_sub(REACHED_WORDS_MAX)..at].iter().map(|word| word.lower.as_str());
    let is_called = |calls: &[&str]| before.clone().any(|before| calls.contains(&before));
    REACHED.iter().filter(|(calls, ..)| is_called(calls)).find_map(|(_, me, others)| {
        let is_others = others.contains(&word);
        (is_others || me.contains(&word)).then_some(is_others)
    })
}

/// Somebody is called by title and family name: "Dr. Tiedke erreichen Sie unter …". A title says as much as a given
/// name; who is greeted so is spoken to.
fn titled(words: &[Word<'_>], at: usize, names: &[PersonName]) -> Option<bool> {
    let is_title = |word: &Word<'_>| HONORIFICS.is(&word.lower);
    let called = words.get(at + 1).filter(|word| word.written.starts_with(char::is_uppercase) && !is_title(word))?;
    if !is_title(&words[at]) || names.is_empty() {
        return None;
    }
    let is_greeted =
        words[..at].iter().rev().find(|word| !is_title(word)).is_some_and(|word| GREETINGS.is(&word.lower));
    let is_ours = names.iter().any(|own| own.has_word(&fold(&called.lower)));
    (!is_greeted && !is_ours).then_some(true)
}

/// Somebody is called by a name that is not the writer's: "Pekka tavoitetaan numerosta …", and in the
/// genitive ("Pekan numero", "Eriks nummer") also when the writer's own name is not known.
fn named(words: &[Word<'_>], at: usize, names: &[PersonName], owns_address: bool) -> Option<bool> {
    let Word { written, lower } = &words[at];
    if !written.starts_with(char::is_uppercase) {
        return None;
    }
    let is_greeted = at.checked_sub(1).is_some_and(|before| GREETINGS.is(&words[before].lower));
    if is_greeted {
        return None;
    }
    let is_ours =
        |name: &str| PersonName::parse(name).is_some_and(|name| names.iter().any(|own| own.compare(&name).agrees()));
    if is_given(&fold(lower)) && !names.is_empty() {
        return (!is_ours(written)).then_some(true);
    }
    let owner = genitive(lower).filter(|_| owns_address)?;
    (!is_ours(&owner)).then_some(true)
}

/// The given name that a word is the genitive of: Pekan → Pekka, Eriks → Erik, Jaani → Jaan.
fn genitive(word: &str) -> Option<String> {
    let bare = |ending: char| word.strip_suffix("'s").or_else(|| word.strip_suffix(ending)).map(str::to_owned);
    let grade = |bare: &str| {
        // Consonant gradation: the stop before the last vowel was double.
        let (at, stop) = bare.char_indices().rev().nth(1)?;
        "kpt".contains(stop).then(|| format!("{}{stop}{}", &bare[..at], &bare[at..]))
    };
    let finnish = bare('n');
    let graded = finnish.as_deref().and_then(grade);
    let estonian = word.strip_suffix(['i', 'a', 'u', 'e']).map(str::to_owned);
    [finnish, graded, bare('s'), estonian].into_iter().flatten().find(|name| is_given(&fold(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(table: &[&str], expected: bool) {
        let anna = [PersonName::parse("Anna Virtanen").expect("a name")];
        for text in table {
            let at = text.find(|c: char| c.is_ascii_digit()).expect("a number");
            let end = text[at..].find(|c: char| !c.is_ascii_digit() && c != ' ').map_or(text.len(), |n| at + n);
            let span = at..text[..end].trim_end().len();
            assert_eq!(is_others(text, &span, &anna, false), expected, "{text}");
        }
    }

    #[test]
    fn numbers_of_others() {
        check(
            &[
                "Mein Mann ist im Büro unter 050 111 2222",
                "mieheni numero on 050 111 2222",
                "palun broneerige hr Toomas Lepikule sviit. Tema mobiil on 5134 8870",
                "abikaasa mobiil on 5134 8870",
                "Mieheni puhelinnumero on 050 111 2222",
                "Mieheni Pekan puh. 050 111 2222",
                "Soittakaa miehelleni 050 111 2222",
                "mun miehen numero 050 111 2222",
                "Vaimoni tavoittaa numerosta 050 111 2222",
                "poikani puhelin 050 111 2222",
                "tyttäremme numero on 050 111 2222",
                "Äitini numero: 050 111 2222",
                "Tavoitatte minut kollegani numerosta 050 111 2222",
                "pomoni suora numero 050 111 2222",
                "esimieheni gsm 050 111 2222",
                "naapurin numero on 050 111 2222",
                "Pekan numero on 050 111 2222",
                "Matin puh 050 111 2222",
                "Hänen numeronsa on 050 111 2222",
                "Toimitusjohtajamme Pekka Laine tavoitetaan numerosta 050 111 2222",
                "Johtaja Pekka Laineen suora numero on 050 111 2222",
                "Numero 050 111 2222 on mieheni",
                "050 111 2222 (mieheni)",
                "min mans nummer är 050 111 2222",
                "Min fru når ni på 050 111 2222",
                "Ring min kollega på 050 111 2222",
                "Eriks mobil är 050 111 2222",
                "hans nummer är 050 111 2222",
                "my wife's number is 050 111 2222",
                "call my husband on 050 111 2222",
                "call me at my colleague's 050 111 2222",
                "The number of my boss is 050 111 2222",
                "our accountant's number is 050 111 2222",
                "her mobile is 050 111 2222",
                "050 111 2222 is my daughter's number",
                "minu mehe number on 050 111 2222",
                "mu naise telefon 050 111 2222",
                "Jaani number on 050 111 2222",
                "die Nummer meines Mannes ist 050 111 2222",
                "meine Frau erreichen Sie unter 050 111 2222",
                "Mein Chef: 050 111 2222",
                "Dr. Tiedke erreichen Sie mobil unter 050 111 2222",
                "Rouva Laine vastaa numerosta 050 111 2222",
                "Please call Mr Jones on 050 111 2222",
                "Soittakaa suoraan hänelle 050 111 2222",
                "Ring henne på 050 111 2222",
                "call him on 050 111 2222",
            ],
            true,
        );
    }

    #[test]
    fn numbers_of_the_writer() {
        check(
            &[
                "050 111 2222",
                "Numeroni on 050 111 2222",
                "Puh. 050 111 2222",
                "Vuokralaiset sanoo että se on poikki. Maksan kun saan sen. puh 050 111 2222",
                "I can be reached on 050 111 2222, my daughter has no landline",
                "Soittakaa 050 111 2222",
                "Mieheni osti sohvan, numeroni on 050 111 2222",
                "Olen Villen äiti, puhelinnumeroni on 050 111 2222",
                "Olen Villen äiti, puh. 050 111 2222",
                "Mieheni osti sohvan viime viikolla. Soittakaa 050 111 2222",
                "Hei Minna, tavoitat minut numerosta 050 111 2222",
                "Uuden sohvan jalka on poikki, puh 050 111 2222",
                "Anna Virtanen 050 111 2222",
                "Rouva Virtanen, puh 050 111 2222",
                "Sehr geehrter Herr Dr. Huber, erreichbar bin ich unter 050 111 2222",
                "Annan numero on 050 111 2222",
                "My new work number is 050 111 2222",
                "It's Anna, call me at 050 111 2222",
                "my husband bought it, my number is 050 111 2222",
                "mitt nummer är 050 111 2222",
                "mu number on 050 111 2222",
                "meine Nummer ist 050 111 2222",
                "Numeroni on 050 111 2222, mieheni vastaa siihen",
                "Min mammas nummer är hemligt men ring mig på 050 111 2222",
                "My wife is at work, so call me on 050 111 2222",
                "Mieheni ei vastaa, soittakaa minulle 050 111 2222",
                "I told him to call me on 050 111 2222",
            ],
            false,
        );
    }
}
