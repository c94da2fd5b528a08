//! What single words weigh, learnt from labelled messages: a linear separation for each question (support vectors with a
//! squared hinge and L2, by dual coordinate descent: Hsieh et al., "A Dual Coordinate Descent Method for Large-scale Linear
//! SVM", ICML 2008, algorithm 1), and where its sums begin to mean yes.
//!
//! How well it does is measured on files that it did not learn from, each in its turn: the messages of one writer and his
//! trades are all in one file. From those sums the thresholds come, too.

#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "counts of some thousand messages")]

use super::labelled::{self, Labelled, Score};
use lanka::pure::decide::triage;
use lanka::pure::domain::lexicon::Lexicon;
use lanka::pure::domain::ticket::Priority;
use lanka::pure::domain::triage::Triage;
use lanka::pure::domain::weights::{self, EVERY, HIGH, KINDS, MATTER, NONE, QUESTIONS, SHORT_CHARS};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;

/// What a message on the wrong side costs, against heavy weights.
const COST: f64 = 0.1;
/// Rounds over all messages.
const ROUNDS: usize = 60;
/// A term that fewer messages have is no term.
const MESSAGES_MIN: usize = 2;
/// A weight below this is left out of the file.
const WEIGHT_MIN: f64 = 0.02;
/// What is asked of high urgency: precision and recall. Of the messages that are learnt from more are urgent than desks get,
/// so that precision falls elsewhere.
const ASKED_OF_HIGH: (f64, f64) = (0.69, 0.85);

struct Example {
    file: usize,
    is: Labelled,
    terms: BTreeMap<String, f32>,
    answers: [bool; QUESTIONS],
}

type Vectors = Vec<Vec<(usize, f64)>>;

/// Learns from files; gives the table of weights, and how well they do where they did not learn.
pub fn learn(files: &[PathBuf], lexicon: &Lexicon) -> (String, Score) {
    let examples = read(files, lexicon);
    let all: Vec<&Example> = examples.iter().collect();
    let mut sums = vec![[0.0; QUESTIONS]; examples.len()];
    for file in 0..files.len() {
        let seen: Vec<&Example> = examples.iter().filter(|one| one.file != file).collect();
        if seen.is_empty() {
            continue;
        }
        let vocabulary = vocabulary(&seen);
        let weights = weights(&seen, &vocabulary);
        let unseen = examples.iter().zip(&mut sums).filter(|(one, _)| one.file == file);
        for (one, sums) in unseen {
            for (term, value) in &one.terms {
                let Some(at) = vocabulary.get(term.as_str()) else { continue };
                sums.iter_mut().zip(&weights).for_each(|(sum, of)| *sum += of[*at] * f64::from(*value));
            }
        }
    }
    let thresholds: [f64; QUESTIONS] = std::array::from_fn(|question| threshold(&examples, &sums, question));
    let mut score = Score::default();
    for (one, sums) in examples.iter().zip(&sums) {
        let above = std::array::from_fn(|question| (sums[question] - thresholds[question]) as f32);
        let mut found = Triage::none(if above[HIGH] > 0.0 { Priority::High } else { Priority::Normal });
        found.kind = weights::kinds(&above, one.terms.contains_key(MATTER));
        score.count(&one.is, &found);
    }
    let vocabulary = vocabulary(&all);
    let weights = weights(&all, &vocabulary);
    (table(&vocabulary, &weights, &thresholds), score)
}

fn read(files: &[PathBuf], lexicon: &Lexicon) -> Vec<Example> {
    let messages: Vec<Vec<Labelled>> = files.iter().map(|path| labelled::read(path)).collect();
    let written = Written::of(messages.iter().flatten().map(labelled::words));
    let mut examples = Vec::new();
    for (file, messages) in messages.into_iter().enumerate() {
        examples.extend(messages.into_iter().map(|is| {
            let mut answers = [false; QUESTIONS];
            for (kind, answer) in KINDS.iter().zip(&mut answers) {
                *answer = is.kinds.iter().any(|word| word == kind.as_str());
            }
            (answers[HIGH], answers[NONE]) = (is.urgency == "high", is.kinds.is_empty());
            let mut terms = triage::terms_of(&labelled::words(&is), lexicon);
            terms.retain(|term, _| !written.has_name(term));
            Example { file, answers, terms, is }
        }));
    }
    examples
}

/// Words as they are written: some always with a capital, though they begin no line. Those are names of people and places,
/// which say nothing of any other message; and terms are told as reasons.
#[derive(Default)]
struct Written {
    capital: BTreeSet<String>,
    plain: BTreeSet<String>,
}

impl Written {
    fn of(texts: impl Iterator<Item = String>) -> Self {
        let mut written = Self::default();
        for text in texts {
            for line in text.lines() {
                let words = line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
                for (at, word) in words.enumerate() {
                    if !word.starts_with(char::is_uppercase) {
                        written.plain.insert(word.to_lowercase());
                    } else if at > 0 {
                        written.capital.insert(word.to_lowercase());
                    }
                }
            }
        }
        written
    }

    /// Whether a part of a term stands for a name and for no other word.
    fn is_name(&self, part: &str) -> bool {
        let begins = part.trim_end_matches('*');
        let is_cut = begins.chars().count() >= SHORT_CHARS;
        let has = |words: &BTreeSet<String>| {
            words
                .range(begins.to_owned()..)
                .next()
                .is_some_and(|word| word == begins || is_cut && word.starts_with(begins))
        };
        has(&self.capital) && !has(&self.plain)
    }

    fn has_name(&self, term: &str) -> bool {
        term.split(' ').filter(|part| !part.starts_with('<')).any(|part| self.is_name(part))
    }
}

fn vocabulary<'a>(examples: &[&'a Example]) -> BTreeMap<&'a str, usize> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for term in examples.iter().flat_map(|one| one.terms.keys()) {
        *counts.entry(term).or_default() += 1;
    }
    let known: BTreeSet<&str> = counts.into_iter().filter(|(_, n)| *n >= MESSAGES_MIN).map(|(term, _)| term).collect();
    known.into_iter().enumerate().map(|(at, term)| (term, at)).collect()
}

fn weights(examples: &[&Example], vocabulary: &BTreeMap<&str, usize>) -> [Vec<f64>; QUESTIONS] {
    let vector = |one: &&Example| {
        let known =
            one.terms.iter().filter_map(|(term, value)| Some((*vocabulary.get(term.as_str())?, f64::from(*value))));
        known.collect::<Vec<_>>()
    };
    let vectors: Vectors = examples.iter().map(vector).collect();
    std::array::from_fn(|question| {
        let signs: Vec<f64> = examples.iter().map(|one| if one.answers[question] { 1.0 } else { -1.0 }).collect();
        separate(&vectors, &signs, vocabulary.len())
    })
}

/// The weights that part those of one sign from those of the other.
fn separate(vectors: &Vectors, signs: &[f64], terms: usize) -> Vec<f64> {
    let diagonal = 1.0 / (2.0 * COST);
    let lengths: Vec<f64> = vectors.iter().map(|of| of.iter().map(|(_, x)| x * x).sum::<f64>() + diagonal).collect();
    let mut weights = vec![0.0; terms];
    let mut shares = vec![0.0_f64; vectors.len()];
    let mut order: Vec<usize> = (0..vectors.len()).collect();
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..ROUNDS {
        for at in (1..order.len()).rev() {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            order.swap(at, (dice >> 33) as usize % (at + 1));
        }
        for &at in &order {
            let sum: f64 = vectors[at].iter().map(|(term, x)| weights[*term] * x).sum();
            let slope = signs[at] * sum - 1.0 + diagonal * shares[at];
            let share = (shares[at] - slope / lengths[at]).max(0.0);
            let step = (share - shares[at]) * signs[at];
            shares[at] = share;
            vectors[at].iter().for_each(|(term, x)| weights[*term] += step * x);
        }
    }
    weights
}

/// From where on a sum is a yes: where kinds have the best F1, and high urgency both of what is asked of it.
fn threshold(examples: &[Example], sums: &[[f64; QUESTIONS]], question: usize) -> f64 {
    let worth = |threshold: f64| {
        let (mut right, mut found, mut are) = (0.0, 0.0, 0.0);
        for (one, sums) in examples.iter().zip(sums) {
            let (is, says) = (one.answers[question], sums[question] > threshold);
            right += f64::from(u8::from(is && says));
            found += f64::from(u8::from(says));
            are += f64::from(u8::from(is));
        }
        let (precision, recall) = (right / f64::max(found, 1.0), right / f64::max(are, 1.0));
        match question {
            HIGH => f64::min(precision / ASKED_OF_HIGH.0, recall / ASKED_OF_HIGH.1),
            _ => 2.0 * right / f64::max(found + are, 1.0),
        }
    };
    let steps = (-40..=20).map(|step| f64::from(step) / 20.0);
    steps.max_by(|one, other| worth(*one).total_cmp(&worth(*other))).unwrap_or_default()
}

fn table(vocabulary: &BTreeMap<&str, usize>, weights: &[Vec<f64>; QUESTIONS], thresholds: &[f64; QUESTIONS]) -> String {
    let mut table = String::from(
        "# What single words weigh for service, problem, feedback, high urgency and no matter, beside the phrases of triage.toml: written by\n\
         # `cargo bench --bench kinds -- --learn` from tests/fixtures/triage/learnt. Terms: a word (ei), how a longer one begins\n\
         # (rikko*) or ends (*tteko), two that follow one another, # any number, <sign> as in triage.toml.\n",
    );
    for (term, at) in vocabulary {
        let mut of: [f64; QUESTIONS] = std::array::from_fn(|question| weights[question][*at]);
        if *term == EVERY {
            of.iter_mut().zip(thresholds).for_each(|(weight, threshold)| *weight -= threshold);
        }
        if of.iter().any(|weight| weight.abs() >= WEIGHT_MIN) {
            table.push_str(term);
            for weight in of {
                let hundredths = (weight * 100.0).round() / 100.0;
                let _ = write!(table, "\t{}", if hundredths == 0.0 { 0.0 } else { hundredths });
            }
            table.push('\n');
        }
    }
    table
}
