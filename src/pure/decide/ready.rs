//! A question, and the words it shares with ready answers → which of them fit, the best first.
//!
//! Postgres finds the shared words (stems of the question's language); what they are worth is told here. A word is
//! worth the more, the fewer answers have it; in the title and the words it is asked by more than in the text. The
//! score is what was found against what was asked and not found, so that one common word of a long letter offers
//! nothing, and one rare word of a short line does.
//!
//! **Invariant:** where nothing fits, nothing is offered.

use crate::pure::domain::message::Direction;
use crate::pure::domain::ticket::MatterKind;
use std::collections::{BTreeMap, BTreeSet};

/// Most offers on a ticket.
pub const OFFERS_MAX: usize = 3;

/// Least score of an answer that is offered.
const SCORE_MIN: f64 = 0.5;

/// An answer whose score is less than this part of the best one's is not offered beside it.
const BESIDE_MIN: f64 = 0.6;

/// Least score of the best one for agents to be told without asking.
pub const NOTE_SCORE_MIN: f64 = 0.55;

/// Most words of a question that are looked for.
pub const TERMS_MAX: usize = 60;

/// Messages that make up a question.
const MESSAGES_MAX: usize = 3;

/// Most characters of one message.
const MESSAGE_CHARS_MAX: usize = 3_000;

/// What words are worth: of a title, of a text, found by how they begin, of what was said before.
const OF_TITLE: f64 = 1.0;
const OF_TEXT: f64 = 0.35;
const BEGINS: f64 = 0.75;
const OF_BEFORE: f64 = 0.5;

/// One word alone speaks for an answer where the question has at most so many others: "have a nice weekend" is no
/// question about weekends.
const MISSED_BESIDE_ONE_MAX: usize = 2;

/// What speaks against an answer without anything being asked in vain.
const DOUBT: f64 = 0.75;
/// What each word that is in no way in the answer speaks against it.
const MISSED: f64 = 0.06;
/// Most that those speak against it: a letter tells a story around its question.
const MISSED_MAX: f64 = 0.9;

/// What an answer for another kind of matter is worth: what kind a ticket is may be told wrong.
const OTHER_KIND: f64 = 0.85;
/// What one is worth that is for the customer's organisation.
const OWN_ORGANISATION: f64 = 1.15;

/// Something said on a ticket.
#[derive(Debug, Clone)]
pub struct Spoken {
    /// Who said it.
    pub direction: Direction,
    /// The subject, for mail.
    pub subject: Option<String>,
    /// The person's own words.
    pub text: String,
}

/// What a customer asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// What he said since the desk answered last.
    pub now: String,
    /// What he said before.
    pub before: String,
}

/// The question of a ticket, given what was said there, the latest first. `None` when no customer said anything.
pub fn question(spoken: &[Spoken]) -> Option<Question> {
    let is_his = |said: &&Spoken| said.direction == Direction::FromCustomer;
    let unanswered = spoken.iter().take_while(is_his).count();
    let fresh = unanswered.clamp(usize::from(unanswered == 0), MESSAGES_MAX);
    let his: Vec<&Spoken> = spoken.iter().filter(is_his).take(MESSAGES_MAX * 2).collect();
    his.first()?;
    let cut = |said: &&Spoken| said.text.chars().take(MESSAGE_CHARS_MAX).collect::<String>();
    let (now, before) = his.split_at(fresh.min(his.len()));
    let mut now: Vec<String> = now.iter().map(cut).collect();
    let mut before: Vec<String> = before.iter().map(cut).collect();
    let was_answered = unanswered < spoken.len();
    let subject = his.iter().find_map(|said| said.subject.clone());
    if was_answered {
        before.extend(subject)
    } else {
        now.extend(subject)
    }
    Some(Question { now: now.join("\n"), before: before.join("\n") })
}

/// A word of a question.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term {
    /// Its stem.
    pub stem: String,
    /// It was said since the desk answered last.
    pub is_now: bool,
}

/// How a stem must begin to be nearly the same: long words are inflected in more ways than stems are cut by.
pub fn beginning(stem: &str) -> Option<String> {
    const CHARS_MIN: usize = 6;
    const LEFT_OFF: usize = 2;
    let count = stem.chars().count();
    let is_word = stem.chars().all(char::is_alphabetic);
    (count >= CHARS_MIN && is_word).then(|| stem.chars().take((count - LEFT_OFF).max(CHARS_MIN - 1)).collect())
}

/// A query of Postgres that finds whatever has one of the words.
pub fn query(terms: &[Term]) -> String {
    let quoted = |stem: &str| format!("'{}'", stem.replace('\\', "\\\\").replace('\'', "''"));
    let each = terms.iter().map(|term| match beginning(&term.stem) {
        Some(beginning) => format!("{}:*", quoted(&beginning)),
        None => quoted(&term.stem),
    });
    each.collect::<Vec<_>>().join(" | ")
}

/// A word that a question shares with an answer.
#[derive(Debug, Clone)]
pub struct Shared {
    /// The answer.
    pub answer: String,
    /// The question's word.
    pub stem: String,
    /// The answer's word.
    pub found: String,
    /// It stands in the title, or is a word that the answer is asked by.
    pub in_title: bool,
}

/// What an answer is for.
#[derive(Debug, Clone, Default)]
pub struct Fit {
    /// Kinds of matter; empty when any.
    pub kinds: Vec<MatterKind>,
    /// It is for the customer's organisation.
    pub is_theirs: bool,
}

/// An answer that fits.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Which.
    pub answer: String,
    /// How well, from 0 to 1.
    pub score: f64,
    /// The words that say so, those worth most first.
    pub words: Vec<String>,
}

/// What was found of a word in an answer.
struct Found<'a> {
    worth: f64,
    word: &'a str,
}

/// The answers that fit a question, the best first. `kinds` are the ticket's; `count` is how many answers there are in its
/// language.
pub fn rank(
    terms: &[Term],
    shared: &[Shared],
    fits: &BTreeMap<String, Fit>,
    kinds: &[MatterKind],
    count: usize,
) -> Vec<Ranked> {
    let mut with: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut found: BTreeMap<&str, BTreeMap<&str, Found<'_>>> = BTreeMap::new();
    for each in shared {
        with.entry(&each.stem).or_default().insert(&each.answer);
        let place = if each.in_title { OF_TITLE } else { OF_TEXT };
        let worth = place * if each.found == each.stem { 1.0 } else { BEGINS };
        let best =
            found.entry(&each.answer).or_default().entry(&each.stem).or_insert(Found { worth, word: &each.found });
        if worth > best.worth {
            *best = Found { worth, word: &each.found };
        }
    }
    let worth_of = |term: &Term| if term.is_now { 1.0 } else { OF_BEFORE };
    let mut ranked: Vec<Ranked> = found
        .iter()
        .filter_map(|(answer, words)| {
            let of = terms.iter().filter_map(|term| {
                let found = words.get(term.stem.as_str())?;
                let answers = with.get(term.stem.as_str()).map_or(1, BTreeSet::len);
                Some((rarity(answers, count) * found.worth * worth_of(term), found.word))
            });
            let mut of: Vec<(f64, &str)> = of.collect();
            of.sort_by(|one, other| other.0.total_cmp(&one.0));
            let sum: f64 = of.iter().map(|(worth, _)| worth).sum();
            let missed = terms.iter().filter(|term| term.is_now && !words.contains_key(term.stem.as_str())).count();
            if of.len() == 1 && missed > MISSED_BESIDE_ONE_MAX {
                return None;
            }
            let against = DOUBT + (missed as f64 * MISSED).min(MISSED_MAX);
            let fit = fits.get(*answer);
            let score = sum * fit.map_or(1.0, |fit| fit.worth(kinds));
            let mut words: Vec<String> = of.iter().map(|(_, word)| (*word).to_owned()).collect();
            words.dedup();
            Some(Ranked { answer: (*answer).to_owned(), score: score / (score + against), words })
        })
        .filter(|ranked| ranked.score >= SCORE_MIN)
        .collect();
    ranked.sort_by(|one, other| other.score.total_cmp(&one.score).then_with(|| one.answer.cmp(&other.answer)));
    let best = ranked.first().map_or(0.0, |ranked| ranked.score);
    ranked.retain(|ranked| ranked.score >= best * BESIDE_MIN);
    ranked.truncate(OFFERS_MAX);
    ranked
}

/// What a word is worth that so many of all answers have: 1 when one has it, next to nothing when all have.
fn rarity(answers: usize, count: usize) -> f64 {
    let of = |answers: f64| (1.0 + (count as f64 - answers + 0.5).max(0.1) / (answers + 0.5)).ln();
    (of(answers as f64) / of(1.0)).min(1.0)
}

impl Fit {
    fn worth(&self, kinds: &[MatterKind]) -> f64 {
        let is_other =
            !self.kinds.is_empty() && !kinds.is_empty() && !self.kinds.iter().any(|kind| kinds.contains(kind));
        (if is_other { OTHER_KIND } else { 1.0 }) * (if self.is_theirs { OWN_ORGANISATION } else { 1.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken(direction: Direction, subject: Option<&str>, text: &str) -> Spoken {
        Spoken { direction, subject: subject.map(str::to_owned), text: text.to_owned() }
    }

    #[test]
    fn a_question_is_what_was_said_since_the_desk_answered() {
        let his = |text: &str| spoken(Direction::FromCustomer, None, text);
        let ours = |text: &str| spoken(Direction::FromAgent, None, text);
        let mail = spoken(Direction::FromCustomer, Some("Lasku"), "se on väärin");
        let asked = |now: &str, before: &str| Some(Question { now: now.to_owned(), before: before.to_owned() });
        let table = [
            ("one mail", vec![mail.clone()], asked("se on väärin\nLasku", "")),
            ("three lines of a chat, the last first", vec![his("c"), his("b"), his("a")], asked("c\nb\na", "")),
            ("more lines than count", vec![his("d"), his("c"), his("b"), his("a")], asked("d\nc\nb", "a")),
            ("after an answer", vec![his("entä nyt"), ours("ok"), mail], asked("entä nyt", "se on väärin\nLasku")),
            ("the desk spoke last", vec![ours("ok"), his("a")], asked("a", "")),
            ("only the desk", vec![ours("ok")], None),
            ("nothing", vec![], None),
        ];
        for (what, said, expected) in table {
            assert_eq!(question(&said), expected, "{what}");
        }
    }

    #[test]
    fn a_query_holds_no_syntax_of_the_customer() {
        let term = |stem: &str| Term { stem: stem.to_owned(), is_now: true };
        let terms = ["o'x", "a\\b", "lasku", "kirjautumin", "abc123"].map(term);
        assert_eq!(query(&terms), "'o''x' | 'a\\\\b' | 'lasku' | 'kirjautum':* | 'abc123'");
        assert_eq!(query(&[]), "");
    }

    #[test]
    fn rare_words_weigh_and_common_ones_offer_nothing() {
        let term = |stem: &str| Term { stem: stem.to_owned(), is_now: true };
        let shared = |answer: &str, stem: &str, in_title: bool| Shared {
            answer: answer.to_owned(),
            stem: stem.to_owned(),
            found: stem.to_owned(),
            in_title,
        };
        // "tilaus" is in all ten answers, "salasana" in one.
        let mut all: Vec<Shared> = (0..10).map(|n| shared(&n.to_string(), "tilaus", true)).collect();
        all.push(shared("3", "salasan", true));
        let fits = BTreeMap::new();
        let ranked = rank(&[term("tilaus"), term("salasan")], &all, &fits, &[], 10);
        assert_eq!(ranked.iter().map(|ranked| ranked.answer.as_str()).collect::<Vec<_>>(), ["3"]);
        assert_eq!(ranked[0].words, ["salasan", "tilaus"]);
        assert_eq!(rank(&[term("tilaus")], &all, &fits, &[], 10), [], "a word that all have");
        let story: Vec<Term> = (0..40).map(|n| term(&format!("sana{n}"))).chain([term("salasan")]).collect();
        assert_eq!(rank(&story, &all, &fits, &[], 10), [], "one rare word of a long story");
        let other = BTreeMap::from([("3".to_owned(), Fit { kinds: vec![MatterKind::Feedback], is_theirs: false })]);
        let terms = [term("salasan")];
        let (plain, of_other) = (
            rank(&terms, &all, &fits, &[MatterKind::Problem], 10),
            rank(&terms, &all, &other, &[MatterKind::Problem], 10),
        );
        assert!(of_other[0].score < plain[0].score, "another kind of matter");
        assert_eq!(rank(&[], &[], &fits, &[], 0), []);
    }
}
