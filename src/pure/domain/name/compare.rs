//! What two names say together.
//!
//! Each name is read as given and family names ([`Reading`]); where the order of its words does not
//! tell, it is read both ways and the way that agrees best counts. Then given names are held against
//! given names and family names against family names: within a part the shorter side must be found
//! whole in the longer one (a second given name, half a double name may be missing), and a word left
//! over on *both* sides makes two people of them.
//!
//! **Invariants:** family names alone never agree: they are a whole family's. Given names that differ
//! are a conflict whatever else is equal. Comparing is symmetric.

use super::family;
use super::given::is_given;
use super::words::{INITIAL, Part, is_initial, likeness};
use super::{PersonName, Word};

/// What comparing two names says, from the worst to the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameMatch {
    /// They are different people: another given or family name.
    Conflict,
    /// Nothing to compare: a family name alone, an initial, a given name here and a family name there.
    Unknown,
    /// They agree as far as both go: a given name alone, an initial with the family name.
    Partial,
    /// Given and family name agree.
    Full,
}

/// What comparing two names says, and how strongly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// What it says.
    pub verdict: NameMatch,
    /// Bits of evidence (IDENTITY.md 4.2): 4 to 11 where they agree, by how rare the family name is; 4 for
    /// a given name alone; [`BITS_CONFLICT`] for a conflict; 0 where there is nothing to compare.
    pub bits: i16,
    /// From 0 to 1, to rank pairs by how likely they are one person's as far as names tell: a conflict is at
    /// most a quarter, what agrees at least 0.4. A slip of the fingers and half a double name rank below
    /// an initial or a given name alone, though the verdict is fuller: they may be two people's.
    pub score: f32,
}

impl Agreement {
    /// Whether they agree, wholly or as far as both go.
    pub fn agrees(&self) -> bool {
        self.verdict >= NameMatch::Partial
    }
}

/// Bits of two names that are two people's.
pub const BITS_CONFLICT: i16 = -20;
/// Taken off for a slip, a nickname, an order of words that had to be guessed.
const BITS_DOUBT: i16 = 1;
/// Taken off where an initial stands for the given name.
const BITS_INITIAL: i16 = 2;

/// Share of the score that is left where one side has a second given name that the other has not.
const EXTRA_GIVEN: f32 = 0.92;
/// The same where somebody goes by his second given name.
const SECOND_GIVEN: f32 = 0.85;
/// The same where one side has half of the other's family name.
const HALF_FAMILY: f32 = 0.70;
/// The same where a name had to be read against the likelier order of its words, or one of the two says
/// that it is the father's.
const GUESSED: f32 = 0.90;
/// The same where words were run together or torn apart.
const GLUED: f32 = 0.92;
/// What agrees less than this has a slip or a guess in it.
const DOUBT_BELOW: f32 = 0.91;
/// Score of an initial with the family name, of an initial for that, of a given name alone.
const INITIAL_GIVEN: f32 = 0.88;
/// See [`INITIAL_GIVEN`].
const INITIAL_FAMILY: f32 = 0.86;
/// See [`INITIAL_GIVEN`].
const GIVEN_ALONE: f32 = 0.86;
/// Score of names that say nothing to each other.
const SCORE_UNKNOWN: f32 = 0.3;
/// Lowest score of names that agree.
const SCORE_AGREES_MIN: f32 = 0.4;

/// Letters of somebody's initials.
const INITIALS_MAX: usize = 3;

/// Compares two names.
pub(super) fn compare(one: &PersonName, other: &PersonName) -> Agreement {
    if one.generation.is_some() && other.generation.is_some() && one.generation != other.generation {
        return conflict(0.9);
    }
    let unknown = Agreement { verdict: NameMatch::Unknown, bits: 0, score: SCORE_UNKNOWN };
    // Initials alone, or letters that the other is not written in.
    if is_abbreviated(one) || is_abbreviated(other) || is_latin(one) != is_latin(other) {
        return unknown;
    }
    if one.words.len() != other.words.len() && (one.is_full() || other.is_full()) && glued(one) == glued(other) {
        let rarest = |name: &PersonName| bits(&readings(name).0.family);
        return full_match(1.0, GLUED, rarest(one).min(rarest(other)));
    }
    let (ours, theirs) = (readings(one), readings(other));
    let mut best = weigh(&ours.0, &theirs.0, true);
    let others =
        [(ours.1.as_ref(), Some(&theirs.0)), (Some(&ours.0), theirs.1.as_ref()), (ours.1.as_ref(), theirs.1.as_ref())];
    for (ours, theirs) in others {
        let (Some(ours), Some(theirs)) = (ours, theirs) else { continue };
        let mut found = weigh(ours, theirs, false);
        // Read against the likelier order, names that have no part in common say nothing at all.
        let shares = found.agreement.verdict != NameMatch::Unknown || found.shares;
        found.agreement.score *= GUESSED;
        if shares && (found.agreement.verdict, found.agreement.score) > (best.agreement.verdict, best.agreement.score) {
            found.agreement.bits = less(found.agreement.bits, BITS_DOUBT);
            best = found;
        }
    }
    if one.generation != other.generation && best.agreement.agrees() {
        best.agreement.score *= GUESSED;
        best.agreement.bits = less(best.agreement.bits, BITS_DOUBT);
    }
    if best.agreement.verdict == NameMatch::Conflict
        && (is_unknown_nickname(&ours.0, &theirs.0) || is_unknown_nickname(&theirs.0, &ours.0))
    {
        return unknown;
    }
    best.agreement
}

/// Nothing but the letters that the names begin with: *PJ*, *KE*.
fn is_abbreviated(name: &PersonName) -> bool {
    let [Word { text, shouted: true, .. }] = name.words.as_slice() else { return false };
    text.chars().count() <= INITIALS_MAX && !is_given(text) && !family::is_family(text)
}

/// Written in letters that [folding](super::fold) makes plain: of Arabic or Chinese ones nothing is known.
fn is_latin(name: &PersonName) -> bool {
    name.words.iter().all(|word| word.text.is_ascii() || word.text.chars().any(|c| c.is_ascii_alphabetic()))
}

/// What somebody calls himself, which no list has ("Jallu P"): alone, or with the initial of the other's family name,
/// it says nothing of who he is where it begins as his given name does.
fn is_unknown_nickname(ours: &Reading<'_>, theirs: &Reading<'_>) -> bool {
    // Whichever of the two words was read as which.
    let (initials, spelt_out): (Vec<&str>, Vec<&str>) =
        ours.given.iter().chain(&ours.family).partition(|word| is_initial(word));
    let [nickname] = spelt_out[..] else { return false };
    let begins_alike =
        |one: &str, several: &[&str]| several.iter().any(|other| one.chars().next() == other.chars().next());
    !is_given(nickname)
        && !family::is_family(nickname)
        && begins_alike(nickname, &theirs.given)
        && initials.iter().all(|word| begins_alike(word, &theirs.family))
}

/// All words run together.
fn glued(name: &PersonName) -> String {
    name.words.iter().map(|word| word.text.as_str()).collect()
}

/// A name taken apart.
#[derive(Debug, Default, Clone)]
struct Reading<'a> {
    given: Vec<&'a str>,
    family: Vec<&'a str>,
}

/// The likelier reading, and the other one where it is possible.
fn readings(name: &PersonName) -> (Reading<'_>, Option<Reading<'_>>) {
    let (current, former) = name.words.split_at(name.born);
    let former = former.iter().filter(|word| !word.particle).map(|word| word.text.as_str());
    let (mut first, mut second) = current_readings(name, current);
    for reading in std::iter::once(&mut first).chain(second.as_mut()) {
        reading.family.extend(former.clone());
        reading.given = reading.given.iter().flat_map(|word| initials(word)).collect();
    }
    (first, second)
}

fn current_readings<'a>(name: &PersonName, words: &'a [Word]) -> (Reading<'a>, Option<Reading<'a>>) {
    if name.comma > 0 && name.comma < words.len() {
        let (family, given) = words.split_at(name.comma);
        return (Reading { given: texts(given), family: texts(family) }, None);
    }
    let particle = words.iter().position(|word| word.particle);
    if let Some(at) = particle.filter(|at| words[*at..].iter().any(|word| !word.particle) && words.len() > 2) {
        return (around_particle(words, at), None);
    }
    let units = units(words);
    match units.as_slice() {
        [] => (Reading::default(), None),
        [only] => single(name, only),
        _ => several(&units),
    }
}

/// "Anke von Bergen", "von Bergen Anke", "Ebba Stål von Holstein".
fn around_particle(words: &[Word], at: usize) -> Reading<'_> {
    let (before, after) = words.split_at(at);
    if before.is_empty() {
        let start = after.iter().position(|word| !word.particle).unwrap_or(0);
        let count = units(&after[start..]).first().map_or(1, |unit| unit.len());
        let (family, given) = after[start..].split_at(count);
        return Reading { given: texts(given), family: texts(family) };
    }
    let units = units(before);
    let mut reading = Reading { given: texts(units[0]), family: Vec::new() };
    for unit in &units[1..] {
        part_of(unit, &mut reading);
    }
    reading.family.extend(texts(after));
    reading
}

/// A name of one word, or of words joined by hyphens.
fn single<'a>(name: &PersonName, unit: &'a [Word]) -> (Reading<'a>, Option<Reading<'a>>) {
    let given = Reading { given: texts(unit), family: Vec::new() };
    let family = Reading { given: Vec::new(), family: texts(unit) };
    match (name.titled, has_given(unit) || is_initials(unit), has_family(unit)) {
        (true, ..) | (false, false, true) => (family, None),
        (false, true, _) => (given, None),
        (false, false, false) => (given, Some(family)),
    }
}

/// A name of several words: given names first, unless the words say otherwise.
fn several<'a>(units: &[&'a [Word]]) -> (Reading<'a>, Option<Reading<'a>>) {
    let (first, last) = (units[0], units[units.len() - 1]);
    let western = || {
        let mut reading = Reading { given: texts(first), family: Vec::new() };
        units[1..units.len() - 1].iter().for_each(|unit| part_of(unit, &mut reading));
        reading.family.extend(texts(last));
        reading
    };
    let eastern = || {
        let mut reading = Reading { given: Vec::new(), family: texts(first) };
        units[1..].iter().for_each(|unit| reading.given.extend(texts(unit)));
        reading
    };
    let shouted = |unit: &[Word]| unit.iter().all(|word| word.shouted);
    if !units.iter().all(|unit| shouted(unit)) {
        if shouted(first) && !has_given(first) && !is_initials(first) {
            return (eastern(), None);
        }
        if shouted(last) && !is_initials(last) {
            return (western(), None);
        }
    }
    let points = |given: &[Word], family: &[Word]| {
        let given_points = if has_given(given) || (is_initials(given) && !has_given(family)) { 2 } else { 0 };
        given_points + i8::from(has_family(family))
    };
    let lead = points(first, last) - points(last, first);
    let (likely, other) = if lead >= 0 { (western(), eastern()) } else { (eastern(), western()) };
    (likely, (lead.abs() < 2).then_some(other))
}

/// A word between the first and the last: a second given name, an initial, a patronymic, or else half
/// of a double family name.
fn part_of<'a>(unit: &'a [Word], reading: &mut Reading<'a>) {
    let patronymic = |word: &Word| {
        word.text.len() > 5
            && ["vich", "vits", "vna", "ichna", "witsch", "vitj"].iter().any(|end| word.text.ends_with(end))
    };
    let given = has_given(unit) || is_initials(unit) || unit.iter().any(patronymic);
    if given { &mut reading.given } else { &mut reading.family }.extend(texts(unit));
}

/// Words that hyphens join.
fn units(words: &[Word]) -> Vec<&[Word]> {
    words.chunk_by(|_, word| word.joined).collect()
}

fn texts(words: &[Word]) -> Vec<&str> {
    let plain = || words.iter().filter(|word| !word.particle);
    let chosen: Vec<&str> = plain().map(|word| word.text.as_str()).collect();
    if chosen.is_empty() { words.iter().map(|word| word.text.as_str()).collect() } else { chosen }
}

fn has_given(unit: &[Word]) -> bool {
    unit.iter().any(|word| is_given(&word.text))
}

fn has_family(unit: &[Word]) -> bool {
    unit.iter().any(|word| family::is_family(&word.text))
}

fn is_initials(unit: &[Word]) -> bool {
    unit.iter().all(|word| is_initial(&word.text) || is_monogram(&word.text))
}

/// Two or three consonants: "JP" is Juha-Pekka.
fn is_monogram(word: &str) -> bool {
    (2..=3).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase() && !b"aeiouy".contains(&b))
}

fn initials(word: &str) -> Vec<&str> {
    match is_monogram(word) {
        true => (0..word.len()).map(|at| &word[at..=at]).collect(),
        false => vec![word],
    }
}

/// Two readings held together.
#[derive(Debug, Clone, Copy)]
struct Weighed {
    agreement: Agreement,
    /// They have a part in common, though it may say nothing.
    shares: bool,
}

fn weigh(ours: &Reading<'_>, theirs: &Reading<'_>, in_order: bool) -> Weighed {
    let given = hold(&ours.given, &theirs.given, Part::Given);
    let family = hold(&ours.family, &theirs.family, Part::Family);
    let shares = matches!(given, Held::Agree { .. }) || matches!(family, Held::Agree { .. });
    let unknown = Agreement { verdict: NameMatch::Unknown, bits: 0, score: SCORE_UNKNOWN };
    let agreement = match (given, family) {
        (Held::Agree { .. }, Held::Differ) if in_order && (doubtful_family(ours) || doubtful_family(theirs)) => unknown,
        (Held::Differ, Held::Agree { .. }) | (Held::Agree { .. }, Held::Differ) => conflict(0.8),
        (Held::Differ, _) | (_, Held::Differ) => conflict(0.2),
        (Held::Agree { likeness, initial, .. }, Held::Agree { likeness: family, initial: of_family, rarest }) => {
            match (initial, of_family) {
                (false, false) => full_match(likeness, family, rarest),
                (true, true) => unknown,
                (true, false) => partial(INITIAL_GIVEN * family, less(rarest, BITS_INITIAL)),
                (false, true) => partial(INITIAL_FAMILY * likeness, family::BITS_MIN),
            }
        }
        (Held::Agree { likeness, initial: false, .. }, Held::Silent) => {
            partial(GIVEN_ALONE * likeness, family::BITS_MIN)
        }
        _ => unknown,
    };
    Weighed { agreement, shares }
}

/// A family name that is a given name as well may be none: profiles say "Anna Maria".
fn doubtful_family(reading: &Reading<'_>) -> bool {
    reading.family.iter().all(|word| is_given(word) && !family::is_family(word))
}

fn conflict(closeness: f32) -> Agreement {
    Agreement { verdict: NameMatch::Conflict, bits: BITS_CONFLICT, score: 0.25 * closeness }
}

fn partial(score: f32, bits: i16) -> Agreement {
    Agreement { verdict: NameMatch::Partial, bits, score: score.max(SCORE_AGREES_MIN) }
}

fn full_match(given: f32, family: f32, rarest: i16) -> Agreement {
    let likeness = given * family;
    let bits = if given.min(family) < DOUBT_BELOW { less(rarest, BITS_DOUBT) } else { rarest };
    Agreement { verdict: NameMatch::Full, bits, score: likeness.max(SCORE_AGREES_MIN) }
}

fn less(bits: i16, by: i16) -> i16 {
    if bits > 0 { (bits - by).max(family::BITS_MIN) } else { bits }
}

fn bits(words: &[&str]) -> i16 {
    words.iter().map(|word| family::bits(word)).max().unwrap_or(family::BITS_MIN)
}

/// One part of a name held against the same part of the other.
#[derive(Debug, Clone, Copy)]
enum Held {
    /// One side has none.
    Silent,
    /// Words are left over on both sides.
    Differ,
    /// The shorter side is in the longer one; the least alike words count.
    Agree {
        likeness: f32,
        /// Only initials agree.
        initial: bool,
        /// Bits of the rarest word that both have, were it a family name.
        rarest: i16,
    },
}

fn hold(ours: &[&str], theirs: &[&str], part: Part) -> Held {
    if ours.is_empty() || theirs.is_empty() {
        return Held::Silent;
    }
    if ours.len() != theirs.len() && ours.concat() == theirs.concat() {
        return Held::Agree { likeness: GLUED, initial: false, rarest: bits(ours).min(bits(theirs)) };
    }
    let (short, long) = if ours.len() <= theirs.len() { (ours, theirs) } else { (theirs, ours) };
    let mut free: Vec<usize> = (0..long.len()).collect();
    let (mut least, mut most, mut rarest) = (1.0_f32, 0.0_f32, 0);
    let mut first_of_short = None;
    for (at, word) in short.iter().enumerate() {
        // Half a double name, and that misspelt, is too little.
        let exact = part == Part::Family && short.len() < long.len();
        let is_enough = |likeness: &f32| !exact || *likeness == 1.0 || *likeness <= INITIAL;
        let alike = |other: usize| Some((likeness(word, long[other], part).filter(is_enough)?, other));
        let best = free.iter().filter_map(|other| alike(*other)).max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        let (likeness, taken) = match best {
            Some((likeness, other)) => (likeness, vec![other]),
            None => match torn(word, long, &free) {
                Some(pair) => (GLUED, pair.to_vec()),
                None => return Held::Differ,
            },
        };
        free.retain(|other| !taken.contains(other));
        first_of_short = first_of_short.or((at == 0).then(|| taken[0]));
        (least, most) = (least.min(likeness), most.max(likeness));
        rarest =
            rarest.max(taken.iter().map(|other| family::bits(long[*other])).min().unwrap_or(0).min(family::bits(word)));
    }
    let initial = most <= INITIAL;
    // An initial beside a whole name that agrees takes little from it.
    let least = if least <= INITIAL && !initial { most * EXTRA_GIVEN } else { least };
    let left_over = match (free.is_empty() || initial, part) {
        (true, _) => 1.0,
        (false, Part::Family) => HALF_FAMILY,
        (false, Part::Given) if first_of_short != Some(0) => SECOND_GIVEN,
        (false, Part::Given) => EXTRA_GIVEN,
    };
    Held::Agree { likeness: least * left_over, initial, rarest }
}

/// Two neighbouring words that together are the one: Annaliisa, Anna-Liisa.
fn torn(word: &str, long: &[&str], free: &[usize]) -> Option<[usize; 2]> {
    let pairs = free.windows(2).filter(|pair| pair[0] + 1 == pair[1]).map(|pair| [pair[0], pair[1]]);
    pairs.into_iter().find(|[one, other]| {
        let (one, other) = (long[*one], long[*other]);
        word.len() == one.len() + other.len() && word.starts_with(one) && word.ends_with(other)
    })
}
