//! Words of names: one form for all spellings of a letter, and how alike two words are.
//!
//! **Invariant:** every comparison here is of [folded](fold) words.

use super::given::is_given;
use super::{family, nicknames};
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// Letters a word needs beyond which one edit in it may be a slip of the fingers: in a shorter one it
/// is another name (Jan, Jon).
const TYPO_LETTERS_MIN: usize = 4;
/// The same where a letter is another one: in a short word that is as often another name, unless one of
/// the two is known to be a name and the other is not. Fingers slip on the first letter the least.
const TYPO_OTHER_LETTERS_MIN: usize = 6;
/// Letters that are left of a family name that is cut short.
const CUT_SHORT_LETTERS: std::ops::RangeInclusive<usize> = 2..=4;

/// Lower case without accents; `ae` and `oe` for what Germans and lost keyboards make of ä and ö
/// count as the plain vowel (`ue` only as a [spelling](likeness): every second Finnish slip makes one).
/// Words that are folded alike are one word.
pub fn fold(word: &str) -> String {
    if word.is_ascii() {
        let plain: String =
            word.bytes().filter(u8::is_ascii_alphanumeric).map(|b| char::from(b.to_ascii_lowercase())).collect();
        return without_digraphs(plain);
    }
    // Of й and ё the marks are letters, not accents: they are written in Latin letters before marks are taken off.
    // Finns and Estonians write for ч what passports write ch.
    let plain: String = latin(&word.replace("tš", "ch").replace("Tš", "ch"))
        .nfd()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'ø' => 'o',
            'đ' | 'ð' => 'd',
            'ł' => 'l',
            'ı' => 'i',
            other => other,
        })
        .collect();
    without_digraphs(plain.replace('æ', "a").replace('œ', "o").replace('ß', "ss").replace('þ', "th"))
}

/// Cyrillic letters as they are written in passports and mail addresses; all others as they are.
fn latin(word: &str) -> Cow<'_, str> {
    if !word.chars().any(|c| ('\u{400}'..='\u{45f}').contains(&c)) {
        return Cow::Borrowed(word);
    }
    let mut written = String::with_capacity(word.len());
    for c in word.chars().flat_map(char::to_lowercase) {
        match CYRILLIC.iter().find(|(letter, _)| *letter == c) {
            Some((_, latin)) => written.push_str(latin),
            None => written.push(c),
        }
    }
    // Дмитрий is Dmitri or Dmitry, Мария is Maria.
    Cow::Owned(written.replace("iya", "ia").replace("iy", "i"))
}

/// Russian and Ukrainian letters.
static CYRILLIC: &[(char, &str)] = &[
    ('а', "a"),
    ('б', "b"),
    ('в', "v"),
    ('г', "g"),
    ('ґ', "g"),
    ('д', "d"),
    ('е', "e"),
    ('ё', "e"),
    ('є', "ye"),
    ('ж', "zh"),
    ('з', "z"),
    ('и', "i"),
    ('і', "i"),
    ('ї', "i"),
    ('й', "y"),
    ('к', "k"),
    ('л', "l"),
    ('м', "m"),
    ('н', "n"),
    ('о', "o"),
    ('п', "p"),
    ('р', "r"),
    ('с', "s"),
    ('т', "t"),
    ('у', "u"),
    ('ф', "f"),
    ('х', "kh"),
    ('ц', "ts"),
    ('ч', "ch"),
    ('ш', "sh"),
    ('щ', "shch"),
    ('ъ', ""),
    ('ы', "y"),
    ('ь', ""),
    ('э', "e"),
    ('ю', "yu"),
    ('я', "ya"),
];

fn without_digraphs(word: String) -> String {
    match word.contains("ae") || word.contains("oe") {
        true => word.replace("ae", "a").replace("oe", "o"),
        false => word,
    }
}

/// Which part of a name a word stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A given name.
    Given,
    /// A family name.
    Family,
}

/// How far two words of the same part agree, from 0 to 1; `None` if they are two names.
pub fn likeness(one: &str, other: &str, part: Part) -> Option<f32> {
    if one == other {
        return Some(1.0);
    }
    if is_initial(one) || is_initial(other) {
        return (one.chars().next() == other.chars().next()).then_some(INITIAL);
    }
    match part {
        Part::Given if nicknames::are_two(one, other) => None,
        Part::Given if nicknames::is_spelling(one, other) => Some(SPELLING),
        Part::Given if nicknames::is_short_form(one, other) => Some(SHORT_FORM),
        _ if spelling(one) == spelling(other) => Some(SPELLING),
        // The father's given name stands for a family name in many countries.
        Part::Family if family::are_one(one, other) || nicknames::is_spelling(one, other) => Some(SPELLING),
        Part::Family if is_cut_short(one, other) || is_cut_short(other, one) => Some(INITIAL),
        Part::Family if let (Some(ours), Some(theirs)) = (slavic(one), slavic(other)) => match ours == theirs {
            true => Some(SPELLING),
            // Abroad a woman is now and then written down by her husband's form.
            false if feminine(&ours) == feminine(&theirs) => Some(SLIP),
            false => slip(one, other, part),
        },
        _ => slip(one, other, part),
    }
}

// The scale is one of risk: a doubt costs about a tenth, what two people may differ by a third.
/// Spelt otherwise, in another language or on another keyboard.
const SPELLING: f32 = 0.92;
/// A nickname.
const SHORT_FORM: f32 = 0.90;
/// A slip of the fingers, or another name that no list here has.
const SLIP: f32 = 0.68;
/// A slip on the first letter.
const SLIP_FIRST: f32 = 0.62;
/// An initial: it may stand for many names. Nothing above is as little.
pub const INITIAL: f32 = 0.5;

/// The first letters of the other name, in no list of names: *Kirsty Mac* of the MacLeods. They may stand for many.
fn is_cut_short(short: &str, whole: &str) -> bool {
    let (letters, of) = (short.chars().count(), whole.chars().count());
    CUT_SHORT_LETTERS.contains(&letters)
        && letters + 2 < of
        && whole.starts_with(short)
        && !family::is_family(short)
        && !is_given(short)
}

/// One letter.
pub fn is_initial(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some() && letters.next().is_none()
}

/// One edit apart (a transposition is one), and not two names that people have: Mari is not Kari
/// misspelt, nor Möller Müller.
fn slip(one: &str, other: &str, part: Part) -> Option<f32> {
    let (ours, theirs) = (one.chars().count(), other.chars().count());
    if ours.min(theirs) < TYPO_LETTERS_MIN || ours.abs_diff(theirs) > 1 {
        return None;
    }
    let is_known = |word: &str| match part {
        Part::Given => is_given(word),
        Part::Family => family::is_common(word),
    };
    if (is_known(one) && is_known(other)) || strsim::damerau_levenshtein(one, other) > 1 {
        return None;
    }
    if ours != theirs {
        // A vowel more at the end makes a woman of a man, and of Tamm Tamme.
        let (short, long) = if ours < theirs { (one, other) } else { (other, one) };
        let ending = long.strip_prefix(short).unwrap_or_default();
        return (!ending.starts_with(['a', 'e', 'i', 'o', 'u', 'y'])).then_some(SLIP);
    }
    let same = one.chars().zip(other.chars()).filter(|(one, other)| one == other).count();
    let transposed = same + 2 == ours;
    match one.chars().next() == other.chars().next() {
        _ if transposed => Some(SLIP),
        true => (ours >= TYPO_OTHER_LETTERS_MIN || is_known(one) || is_known(other)).then_some(SLIP),
        false => (ours >= TYPO_OTHER_LETTERS_MIN).then_some(SLIP_FIRST),
    }
}

/// Letters that several languages write for one sound, as one: doubled ones, `th`, `c` and `ck`, `w`,
/// `x`, `z`, `y`.
fn spelling(word: &str) -> String {
    /// The longer ones first.
    const SOUNDS: [(&str, &str); 20] = [
        ("sch", "s"),
        ("ck", "k"),
        ("ch", "k"),
        ("ph", "f"),
        ("th", "t"),
        ("dt", "t"),
        ("tz", "s"),
        ("qu", "kv"),
        ("qv", "kv"),
        ("ce", "se"),
        ("ci", "si"),
        ("cy", "si"),
        ("ue", "u"),
        ("c", "k"),
        ("q", "k"),
        ("x", "ks"),
        ("z", "s"),
        ("w", "v"),
        ("y", "i"),
        ("j", "i"),
    ];
    let first = word.chars().next().unwrap_or(' ');
    let mut sounds = if matches!(first, 'j' | 'y') { word[1..].to_owned() } else { word.to_owned() };
    for (written, sound) in SOUNDS {
        if sounds.contains(written) {
            sounds = sounds.replace(written, sound);
        }
    }
    if matches!(first, 'j' | 'y') {
        sounds.insert(0, 'j');
    }
    if sounds.ends_with('f') {
        sounds.pop();
        sounds.push('v');
    }
    let sounds = sounds.strip_suffix('h').unwrap_or(&sounds);
    let mut letters: Vec<char> = sounds.chars().collect();
    letters.dedup();
    letters.into_iter().collect()
}

/// A Russian family name in one form for all the ways of writing it in Latin letters (English, French,
/// German, Finnish, Estonian); `None` for what has no Russian ending.
fn slavic(word: &str) -> Option<String> {
    const ENDINGS: [&str; 22] = [
        "ov", "ova", "ev", "eva", "off", "eff", "ow", "owa", "in", "ina", "ski", "sky", "skij", "skiy", "skaya",
        "skaja", "skaia", "enko", "jev", "yev", "ovich", "ovits",
    ];
    const SOUNDS: [(&str, &str); 41] = [
        ("shch", "!"),
        ("schtsch", "!"),
        ("stsh", "!"),
        ("sts", "!"),
        ("tsch", "?"),
        ("tch", "?"),
        ("tsh", "?"),
        ("ch", "?"),
        ("tsa", "?a"),
        ("tse", "?e"),
        ("tsi", "?i"),
        ("tso", "?o"),
        ("tsu", "?u"),
        ("ts", "?"),
        ("tz", "?"),
        ("c", "k"),
        ("zh", "z"),
        ("kh", "h"),
        ("sch", "s"),
        ("sh", "s"),
        ("x", "ks"),
        ("w", "v"),
        ("off", "ov"),
        ("eff", "ev"),
        ("iya", "ia"),
        ("ija", "ia"),
        ("iia", "ia"),
        ("aya", "aia"),
        ("aja", "aia"),
        ("ya", "ia"),
        ("ja", "ia"),
        ("yu", "iu"),
        ("ju", "iu"),
        ("ye", "e"),
        ("je", "e"),
        ("yo", "e"),
        ("jo", "e"),
        ("ie", "e"),
        ("io", "e"),
        ("y", "i"),
        ("j", "i"),
    ];
    if !ENDINGS.iter().any(|ending| word.ends_with(ending)) {
        return None;
    }
    let mut sounds = word.to_owned();
    for (written, sound) in SOUNDS {
        if sounds.contains(written) {
            sounds = sounds.replace(written, sound);
        }
    }
    let mut letters: Vec<char> = sounds.chars().collect();
    letters.dedup();
    Some(letters.into_iter().collect())
}

/// The [slavic] form as women bear it.
fn feminine(sounds: &str) -> String {
    match sounds.strip_suffix("ski") {
        Some(stem) => format!("{stem}skaia"),
        None if sounds.ends_with('v') || sounds.ends_with("in") => format!("{sounds}a"),
        None => sounds.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::name::{NameMatch, PersonName};

    #[test]
    fn cyrillic_names_are_those_of_passports() {
        for (one, other, expected) in [
            ("Ольга Смирнова", "Olga Smirnova", NameMatch::Full),
            ("СМИРНОВА Ольга", "Olga Smirnova", NameMatch::Full),
            ("Юлия Петрова", "Julia Petrova", NameMatch::Full),
            ("Дмитрий Соколов", "Dmitri Sokolov", NameMatch::Full),
            ("Дмитрий Соколов", "Dmitry Sokolov", NameMatch::Full),
            ("Мария Иванова", "Maria Ivanova", NameMatch::Full),
            ("Сергей Щукин", "Sergei Shchukin", NameMatch::Full),
            ("Алексей Гончаров", "Aleksei Gontšarov", NameMatch::Full),
            ("Ольга Смирнова", "Irina Smirnova", NameMatch::Conflict),
            ("Ольга Смирнова", "Olga Petrova", NameMatch::Conflict),
        ] {
            let names = (PersonName::parse(one).unwrap(), PersonName::parse(other).unwrap());
            assert_eq!(names.0.compare(&names.1).verdict, expected, "{one} / {other}");
        }
        assert_eq!(fold("Åström"), "astrom");
    }
}
