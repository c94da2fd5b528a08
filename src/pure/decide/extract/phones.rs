//! Telephone numbers that a text states, and digits that are anything but one.
//!
//! A cheap scanner proposes, [`PhoneNumber::parse`] decides. Proposed is what begins with `+` or a
//! zero, what follows a word like *puh.*, what stands where people put their number in a country whose
//! numbers have no zero ([`placed`]), and the region's country code without its `+`. Dates, times, account numbers, business and personal ids are recognised first and proposed never.
//!
//! **Invariant:** at most [`PARSES_MAX`] numbers are parsed for one text, whatever it holds.

use super::super::phrases::{
    LABEL_FILLERS, NOT_PHONE_LABELS, OFFICES, PHONE_LABELS, SWITCHBOARD_LABELS, SWITCHBOARD_STEMS,
};
use super::placed;
use super::scan::Haystack;
use crate::pure::domain::identity::PhoneNumber;
use crate::pure::domain::name::PersonName;
use std::ops::Range;

/// Proposals parsed in one text. A parse costs microseconds; nobody states more numbers than this.
const PARSES_MAX: usize = 48;
/// Fewest digits of a number without its country: shorter ones are house and postal numbers.
const DIGITS_MIN: usize = 7;
/// Fewest digits of a number that a label vouches for.
const LABELLED_DIGITS_MIN: usize = 5;
/// Fewest digits of a number of no known range that a label vouches for: a shorter one is an extension.
const STATED_DIGITS_MIN: usize = 9;
/// Most digits of a number in E.164, and two of an exit code before them.
const DIGITS_MAX: usize = 17;
/// Most groups that one number is written in (`0 4 0 1…` is not read).
const GROUPS_MAX: usize = 8;

/// What the digits of a text are, apart from numbers of matters.
#[derive(Debug, Default)]
pub struct Phones {
    /// Numbers in order of appearance.
    pub found: Vec<Phone>,
    /// Accounts, business and personal ids: neither phones nor numbers of a matter.
    pub taboo: Vec<Range<usize>>,
}

/// A telephone number and where it stands.
#[derive(Debug)]
pub struct Phone {
    /// Its bytes in the text.
    pub span: Range<usize>,
    /// The number; `None` for a switchboard or fax.
    pub number: Option<PhoneNumber>,
    /// It begins with `+` or with a zero and is of a range in use, or a word says that it is a phone.
    pub plain: bool,
}

/// Countries that share an everyday border, the other with a zero before its numbers: such a number is written in the
/// one as at home.
const NEIGHBOURS: &[(&str, &[&str])] = &[
    ("GB", &["IE"]),
    ("IE", &["GB"]),
    ("DE", &["AT", "CH"]),
    ("AT", &["DE", "CH"]),
    ("CH", &["DE", "AT"]),
    ("FI", &["SE"]),
    ("SE", &["FI"]),
    ("EE", &["FI", "SE"]),
];

/// Countries whose neighbours have longer numbers, and the most digits of their own with the zero before them.
const LONGEST: &[(&str, usize)] = &[("IE", 10)];

/// Countries whose numbers have no zero before them (ITU E.164 national numbering plans: no trunk prefix).
const BARE_REGIONS: &[&str] = &["EE", "LV", "NO", "DK", "IS", "CZ", "PL", "ES", "PT", "GR", "CY", "MT", "LU"];

/// Finds the telephone numbers. In a signature a number alone on its line needs no label, nor does one behind the
/// writer's `names`.
pub fn phones(
    haystack: &Haystack<'_>,
    region: &str,
    in_signature: bool,
    names: &dyn Fn() -> Vec<PersonName>,
) -> Phones {
    let is_bare = BARE_REGIONS.contains(&region);
    let mut scan = Scan { haystack, region, is_bare, in_signature, names, parses: 0, phones: Phones::default() };
    for run in &haystack.runs {
        scan.run(run.clone());
        if scan.parses >= PARSES_MAX {
            break;
        }
    }
    scan.phones
}

struct Scan<'a> {
    haystack: &'a Haystack<'a>,
    region: &'a str,
    /// The region's numbers have no zero before them.
    is_bare: bool,
    in_signature: bool,
    names: &'a dyn Fn() -> Vec<PersonName>,
    parses: usize,
    phones: Phones,
}

/// How a proposal is to be read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// `+358 …`
    International,
    /// `040 …`, `00358 …`
    National,
    /// A label vouches for it: `puh 40 123 4567`, Estonian numbers have no zero at all.
    Labelled,
    /// Its place vouches for it, where numbers have no zero: `Jaan Tamm 5123 4567`.
    Placed,
    /// `358401234567`
    WithoutPlus,
}

impl Scan<'_> {
    fn run(&mut self, run: Range<usize>) {
        let digits: usize = run.clone().map(|group| self.haystack.groups[group].len()).sum();
        if digits < LABELLED_DIGITS_MIN {
            return;
        }
        if self.is_taboo(run.clone()) {
            let (first, last) = (&self.haystack.groups[run.start], &self.haystack.groups[run.end - 1]);
            self.phones.taboo.push(first.start..last.end);
            return;
        }
        let mut group = run.start;
        while group < run.end && self.parses < PARSES_MAX {
            group = match self.date_end(group, run.end) {
                Some(end) => end,
                None => self.propose(group, run.end).unwrap_or(group + 1),
            };
        }
    }

    /// An IBAN or creditor reference (ISO 13616, ISO 11649), a Finnish business id, a Finnish or
    /// Swedish personal id.
    fn is_taboo(&self, run: Range<usize>) -> bool {
        let text = self.haystack;
        let (start, end) = (text.groups[run.start].start, text.groups[run.end - 1].end);
        let digits: usize = run.clone().map(|group| text.groups[group].len()).sum();
        let letters = text.letters_before(start, 2);
        if letters.len() == 2 && text.groups[run.start].len() == 2 && digits >= 12 {
            return true;
        }
        let first = text.digits(run.start);
        match run.len() {
            1 => first.len() == 6 && is_day(first) && self.has_personal_tail(end),
            2 if text.gap(run.start) == "-" => {
                let second = text.digits(run.start + 1);
                (first.len() == 7 && second.len() == 1 && is_business_id(first, second))
                    || (first.len() == 6
                        && is_day(first)
                        && (second.len() == 4
                            || (second.len() == 3 && text.at(end).is_some_and(|b| b.is_ascii_alphabetic()))))
            }
            _ => false,
        }
    }

    /// `010203A123B`: the century's letter, three digits and a check character.
    fn has_personal_tail(&self, at: usize) -> bool {
        let tail = &self.haystack.ascii().as_bytes()[at..];
        tail.len() >= 5 && b"ABCDEFYXWVU".contains(&tail[0]) && tail[1..4].iter().all(u8::is_ascii_digit)
    }

    /// Where a date that begins at the group ends: `1.2.2026`, `01/02/26`, `2026-02-01`.
    fn date_end(&self, group: usize, end: usize) -> Option<usize> {
        if group + 3 > end {
            return None;
        }
        let text = self.haystack;
        let (one, two) = (text.gap(group).trim(), text.gap(group + 1).trim());
        let sizes = [group, group + 1, group + 2].map(|group| text.groups[group].len());
        let dated = matches!(sizes, [1..=2, 1..=2, 2 | 4] | [4, 1..=2, 1..=2]);
        (dated && one == two && matches!(one, "." | "-" | "/") && !(one == "-" && sizes[2] == 2 && sizes[0] != 4))
            .then_some(group + 3)
    }

    /// Reads the longest number that begins at the group; the group after it, if there is one.
    fn propose(&mut self, group: usize, run_end: usize) -> Option<usize> {
        let spelling = self.spelling(group, run_end)?;
        let ends = self.ends(group, run_end, spelling);
        let mut found = ends.iter().find_map(|end| Some((*end, self.parse(group, *end, spelling, false)?)));
        let is_known = found.is_some();
        // Nobody has one of these, but where people write telephone numbers it is read like any other.
        if !is_known && spelling == Spelling::National && self.may_stand(group, run_end) {
            found = ends.iter().find_map(|end| Some((*end, self.kept(group, *end)?)));
        }
        let is_known = found.is_some();
        // No range of the country: where something says that it is a number, a neighbour's will do, or its length.
        let is_labelled = || self.is_labelled(group, run_end);
        if !is_known && (spelling == Spelling::International || is_labelled() || self.is_placed(group, run_end)) {
            found = ends.iter().find_map(|end| Some((*end, self.neighbours(group, *end, spelling, false)?)));
            found = found
                .or_else(|| ends.iter().find_map(|end| Some((*end, self.neighbours(group, *end, spelling, true)?))));
            found =
                found.or_else(|| ends.iter().find_map(|end| Some((*end, self.parse(group, *end, spelling, true)?))));
        }
        let (end, number) = found?;
        let is_plain = spelling != Spelling::National || is_known || self.is_labelled(group, run_end);
        self.keep(group, end, spelling, number, is_plain);
        Some(end)
    }

    /// Whether it stands where people put their number.
    fn is_placed(&self, group: usize, run_end: usize) -> bool {
        let text = self.haystack;
        let span = text.groups[group].start..text.groups[run_end - 1].end;
        let is_grouped = run_end > group + 1;
        placed::is_placed(&text.text, &span, is_grouped, self.in_signature, self.names)
    }

    /// Whether nothing around it says that it is another number.
    fn may_stand(&self, group: usize, run_end: usize) -> bool {
        let text = self.haystack;
        let span = text.groups[group].start..text.groups[run_end - 1].end;
        run_end > group + 1 && placed::may_stand(&text.text, &span)
    }

    /// A number that is kept for stories.
    fn kept(&mut self, group: usize, end: usize) -> Option<PhoneNumber> {
        self.parses += 1;
        let digits: String = (group..end).map(|part| self.haystack.digits(part)).collect();
        PhoneNumber::parse_kept(&digits, self.region).ok()
    }

    /// Whether it is what a text ends with, by itself.
    fn is_last_word(&self, group: usize, run_end: usize) -> bool {
        let text = self.haystack;
        let span = text.groups[group].start..text.groups[run_end - 1].end;
        run_end > group + 1 && placed::is_last_word(&text.text, &span, self.names)
    }

    /// A mobile number of the one neighbour that has such; or by its length, if none at home is that long.
    fn neighbours(&mut self, group: usize, end: usize, spelling: Spelling, is_stated: bool) -> Option<PhoneNumber> {
        let near = NEIGHBOURS.iter().find(|(region, _)| *region == self.region && spelling == Spelling::National)?.1;
        self.parses += 1;
        let digits: String = (group..end).map(|part| self.haystack.digits(part)).collect();
        let is_longer = |(region, longest): &(&str, usize)| *region == self.region && digits.len() > *longest;
        if is_stated && !LONGEST.iter().any(is_longer) {
            return None;
        }
        let parse = if is_stated { PhoneNumber::parse_stated } else { PhoneNumber::parse_mobile };
        let mut found = near.iter().filter_map(|region| parse(&digits, region).ok());
        let number = found.next()?;
        found.next().is_none().then_some(number)
    }

    fn spelling(&self, group: usize, run_end: usize) -> Option<Spelling> {
        let text = self.haystack;
        let span = text.groups[group].clone();
        let glued = text.before(span.start).is_some_and(|b| b.is_ascii_alphanumeric() || b"_/=@#&\x01".contains(&b));
        // "2026-04012345" is one number, whatever its middle looks like.
        if text.before(span.start) == Some(b'-')
            && span.start.checked_sub(2).and_then(|at| text.at(at)).is_some_and(|b| b.is_ascii_digit())
        {
            return None;
        }
        let label = text.letters_before(span.start, 12).to_ascii_lowercase();
        // A slash joins two numbers (`040…/050…`) as well as the parts of an address on the web.
        let after_slash =
            text.before(span.start) == Some(b'/') && group > 0 && text.groups[group - 1].end + 1 == span.start;
        if glued && !after_slash && !PHONE_LABELS.contains(&label.as_str()) {
            return None;
        }
        let digits = text.digits(group);
        if is_plus(text, span.start) {
            return Some(Spelling::International);
        }
        if digits.starts_with('0') {
            return Some(Spelling::National);
        }
        if self.is_labelled(group, run_end) {
            return Some(Spelling::Labelled);
        }
        if self.is_bare && (self.is_placed(group, run_end) || self.is_last_word(group, run_end)) {
            return Some(Spelling::Placed);
        }
        let total: usize = (group..run_end.min(group + GROUPS_MAX)).map(|group| text.groups[group].len()).sum();
        let whole = (digits.len() >= 11 || digits.len() <= 3) && (11..=13).contains(&total);
        whole.then_some(Spelling::WithoutPlus)
    }

    /// Where the number may end, the likeliest first.
    fn ends(&self, group: usize, run_end: usize, spelling: Spelling) -> Vec<usize> {
        let text = self.haystack;
        let first = text.digits(group).len();
        // Written in one piece it is whole: what follows is a count or another number.
        let whole = match spelling {
            Spelling::National => first >= 9,
            Spelling::International | Spelling::WithoutPlus => first >= 11,
            Spelling::Labelled | Spelling::Placed => false,
        };
        // With a label before it a short one will do: Estonia has numbers of seven digits and less.
        let digits_min = if spelling == Spelling::Labelled { LABELLED_DIGITS_MIN } else { DIGITS_MIN };
        let mut ends = Vec::new();
        let mut digits = 0;
        for end in group + 1..=run_end.min(group + GROUPS_MAX) {
            let last = end - 1;
            let size = text.groups[last].len();
            digits += size;
            if digits > DIGITS_MAX || (last > group && (!self.joins(last) || is_plus(text, text.groups[last].start))) {
                break;
            }
            if self.date_end(last, run_end).is_some() && last > group {
                break;
            }
            // A lone digit at the end is no part of a number, but a count or a footnote; `8127-0` is a firm's main
            // line (DIN 5008).
            let is_main_line = || text.digits(last) == "0" && text.gap(last - 1) == "-";
            if digits >= digits_min && (size > 1 || last == group || is_main_line()) {
                ends.push(end);
            }
        }
        ends.reverse();
        if whole && ends.last() == Some(&(group + 1)) {
            ends.rotate_right(1);
        }
        ends
    }

    /// Whether a dot before the group joins it to the number: between pairs of digits it is a clock
    /// or a date.
    fn joins(&self, group: usize) -> bool {
        let text = self.haystack;
        !text.gap(group - 1).contains('.') || text.groups[group - 1].len() >= 3 || text.groups[group].len() >= 3
    }

    fn parse(&mut self, group: usize, end: usize, spelling: Spelling, is_stated: bool) -> Option<PhoneNumber> {
        let text = self.haystack;
        // Letters or an @ right behind make it part of a word.
        let tail = text.at(text.groups[end - 1].end);
        if self.parses >= PARSES_MAX || tail.is_some_and(|b| b.is_ascii_alphanumeric() || b"_@\x01".contains(&b)) {
            return None;
        }
        self.parses += 1;
        let mut digits = String::with_capacity(DIGITS_MAX + 1);
        if matches!(spelling, Spelling::International | Spelling::WithoutPlus) {
            digits.push('+');
        }
        let abroad = matches!(spelling, Spelling::International) || text.digits(group).starts_with("00");
        for part in group..end {
            // +358 (0)40: the zero is for callers at home.
            let trunk = abroad && part > group && text.digits(part) == "0" && text.gap(part - 1).ends_with('(');
            if !trunk {
                digits.push_str(text.digits(part));
            }
        }
        let number = match is_stated {
            false => PhoneNumber::parse(&digits, self.region).ok()?,
            true if digits.len() < STATED_DIGITS_MIN => return None,
            true => PhoneNumber::parse_stated(&digits, self.region).ok()?,
        };
        if spelling == Spelling::WithoutPlus {
            // Any long number has some country's form: only the region's own counts.
            let at_home = PhoneNumber::parse(&digits[1..], self.region).ok()?;
            return (at_home == number).then_some(number);
        }
        Some(number)
    }

    fn keep(&mut self, group: usize, end: usize, spelling: Spelling, number: PhoneNumber, is_plain: bool) {
        let text = self.haystack;
        let mut span = text.groups[group].start..text.groups[end - 1].end;
        if is_plus(text, span.start) {
            span.start -= 1;
        }
        let (before, _) = text.near(span.start);
        let (_, after) = text.near(span.end);
        let before = before.to_lowercase();
        let mut labels = words(&before).rev().take(3).filter(|word| !LABEL_FILLERS.contains(word));
        let label = labels.next().unwrap_or("");
        if NOT_PHONE_LABELS.iter().any(|stem| label.starts_with(stem)) {
            return;
        }
        let behind = after.trim_start().to_lowercase();
        let in_brackets = behind.strip_prefix('(').and_then(|behind| behind.split(')').next()).unwrap_or_default();
        let is_offices = words(in_brackets).any(|word| OFFICES.contains(&word));
        let behind = words(in_brackets).next().unwrap_or_default();
        let shared = |word: &str| {
            SWITCHBOARD_LABELS.contains(&word) || SWITCHBOARD_STEMS.iter().any(|stem| word.starts_with(stem))
        };
        let shared = shared(label)
            || is_offices
            || shared(behind)
            || (PHONE_LABELS.contains(&label) && labels.next().is_some_and(shared));
        let plain = is_plain && !matches!(spelling, Spelling::WithoutPlus | Spelling::Placed);
        self.phones.found.push(Phone { span, number: (!shared).then_some(number), plain });
    }

    /// A word says that it is a phone, or it stands alone on a line of the signature.
    fn is_labelled(&self, group: usize, run_end: usize) -> bool {
        let text = self.haystack;
        let start = text.groups[group].start;
        let (before, _) = text.near(start);
        let (_, after) = text.near(text.groups[run_end - 1].end);
        if self.in_signature && before.trim().is_empty() && after.trim().is_empty() {
            return true;
        }
        let before = before.to_lowercase();
        words(&before)
            .rev()
            .take(3)
            .find(|word| !LABEL_FILLERS.contains(word))
            .is_some_and(|word| PHONE_LABELS.contains(&word))
    }
}

fn is_plus(text: &Haystack<'_>, start: usize) -> bool {
    text.before(start) == Some(b'+') || (text.before(start) == Some(b'(') && text.before(start - 1) == Some(b'+'))
}

/// Words of a lower-case line, without the dots and colons around them.
pub(super) fn words(line: &str) -> impl DoubleEndedIterator<Item = &str> {
    line.split(|c: char| c.is_whitespace() || "(),;|".contains(c))
        .map(|word| word.trim_matches(|c: char| ".:+=/*-•·".contains(c)))
        .filter(|word| !word.is_empty())
}

/// Six digits that are a day: `DDMMYY` or `YYMMDD`.
fn is_day(digits: &str) -> bool {
    let two = |at: usize| digits.get(at..at + 2).and_then(|d| d.parse::<u32>().ok()).unwrap_or(0);
    (1..=31).contains(&two(0)) && (1..=12).contains(&two(2)) || (1..=12).contains(&two(2)) && (1..=31).contains(&two(4))
}

/// The check digit of a Finnish business id (Y-tunnus).
fn is_business_id(digits: &str, check: &str) -> bool {
    let sum: u32 =
        digits.bytes().zip([7, 9, 10, 5, 8, 4, 2]).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    let expected = match sum % 11 {
        0 => 0,
        1 => return false,
        rest => 11 - rest,
    };
    check.parse() == Ok(expected)
}
