//! What agents' corrections taught: a naive Bayes over the words of a message, one question for each kind and one for
//! urgency.
//!
//! **Invariants:** it holds counts of hashed words and of their beginnings, no text: nobody can be read out of it, and
//! what an erased message taught stays as numbers until the next training. The same corrections give the same model.

use super::phrases::flatten;
use super::ticket::{MatterKind, Priority};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

/// Text read. Bytes.
const READ_BYTES_MAX: usize = 8 * 1024;
/// Features of one message.
const FEATURES_MAX: usize = 600;
/// Features of a model: those that most messages have.
pub const MODEL_FEATURES_MAX: usize = 50_000;
/// Letters of a beginning that counts as a feature: Finnish words change behind it.
const PREFIX_CHARS: usize = 5;
/// Words that a reason tells.
const WORDS_TOLD_MAX: usize = 3;
/// The questions: three kinds, and whether it is urgent.
pub const QUESTIONS: usize = 4;

/// The question of urgency among the answers.
pub const URGENT: usize = 3;

/// What an agent said of a message, for one question each.
pub type Answers = [bool; QUESTIONS];

/// What he says of kinds and urgency.
pub fn answers(kind: &[MatterKind], priority: Priority) -> Answers {
    let is = |one: MatterKind| kind.contains(&one);
    [is(MatterKind::Service), is(MatterKind::Problem), is(MatterKind::Feedback), priority == Priority::High]
}

/// The kinds of such answers.
pub fn kinds(answers: &Answers) -> Vec<MatterKind> {
    let all = [MatterKind::Service, MatterKind::Problem, MatterKind::Feedback];
    all.into_iter().zip(answers).filter(|(_, is)| **is).map(|(kind, _)| kind).collect()
}

/// A model: how many messages there were, and for each question how many were answered with yes; and the same of those
/// that have a feature.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// Messages.
    pub messages: u32,
    /// Those with yes.
    pub yes: [u32; QUESTIONS],
    /// By feature: messages that have it, and those of them with yes.
    pub features: BTreeMap<u32, (u32, [u32; QUESTIONS])>,
}

/// What a model says of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// By question.
    pub answers: Answers,
    /// Those of the words that weighed most for what it says that may be told, the heaviest first.
    pub words: Vec<String>,
}

impl Model {
    /// Takes in a message.
    pub fn learn(&mut self, text: &str, answers: &Answers) {
        let add = |counts: &mut [u32; QUESTIONS]| {
            counts.iter_mut().zip(answers).for_each(|(count, is)| *count += u32::from(*is));
        };
        self.messages += 1;
        add(&mut self.yes);
        for feature in features(text).into_keys() {
            let (count, yes) = self.features.entry(feature).or_default();
            *count += 1;
            add(yes);
        }
    }

    /// Keeps the features that most messages have.
    pub fn prune(&mut self) {
        if self.features.len() > MODEL_FEATURES_MAX {
            let mut counts: Vec<u32> = self.features.values().map(|(count, _)| *count).collect();
            counts.sort_unstable_by(|a, b| b.cmp(a));
            let least = counts[MODEL_FEATURES_MAX - 1].max(2);
            self.features.retain(|_, (count, _)| *count >= least);
        }
    }

    /// What it says of a text; nothing, before it has learnt anything. Any word of a customer's may weigh, his name too:
    /// `may_tell` says which are told.
    pub fn guess(&self, text: &str, may_tell: impl Fn(&str) -> bool) -> Option<Guess> {
        (self.messages > 0).then(|| {
            let mut odds = [0.0_f64; QUESTIONS];
            for (odds, yes) in odds.iter_mut().zip(self.yes) {
                *odds = ratio(yes, self.messages - yes);
            }
            let mut weights: Vec<(f64, String)> = Vec::new();
            for (feature, word) in features(text) {
                let Some((count, yes)) = self.features.get(&feature) else { continue };
                let mut most = 0.0_f64;
                for (at, odds) in odds.iter_mut().enumerate() {
                    let weight = self.weight(at, *count, yes[at]);
                    *odds += weight;
                    most = most.max(weight);
                }
                weights.push((most, word));
            }
            weights.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
            let mut words: Vec<String> = Vec::new();
            for (_, word) in weights.into_iter().filter(|(weight, _)| *weight > 0.0) {
                if words.len() < WORDS_TOLD_MAX && !words.contains(&word) && may_tell(&word) {
                    words.push(word);
                }
            }
            Guess { answers: odds.map(|odds| odds > 0.0), words }
        })
    }

    /// log of how much likelier a feature is where the answer is yes. One is added to each count: what was never seen is
    /// not impossible.
    fn weight(&self, question: usize, count: u32, yes: u32) -> f64 {
        let (all_yes, all_no) = (self.yes[question], self.messages - self.yes[question]);
        let share = |part: u32, whole: u32| (f64::from(part) + 0.5) / (f64::from(whole) + 1.0);
        (share(yes, all_yes) / share(count - yes, all_no)).ln()
    }
}

/// log of the odds.
fn ratio(yes: u32, no: u32) -> f64 {
    ((f64::from(yes) + 0.5) / (f64::from(no) + 0.5)).ln()
}

/// The features of a text by their hashes, each with the word that has it: words, and how the longer ones begin.
fn features(text: &str) -> BTreeMap<u32, String> {
    let flat = flatten(text, READ_BYTES_MAX);
    let words: BTreeSet<&str> =
        flat.split_whitespace().filter(|word| !word.bytes().any(|b| b.is_ascii_digit())).collect();
    let mut features = BTreeMap::new();
    for word in words {
        if features.len() >= FEATURES_MAX {
            break;
        }
        features.insert(hash("w", word), word.to_owned());
        if let Some((end, _)) = word.char_indices().nth(PREFIX_CHARS) {
            features.insert(hash("p", &word[..end]), word.to_owned());
        }
    }
    features
}

/// FNV-1a.
fn hash(kind: &str, word: &str) -> u32 {
    let bytes = kind.bytes().chain([b':']).chain(word.bytes());
    bytes.fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The model in force, which a loop of the shell puts another in place of. All copies are one.
#[derive(Debug, Clone, Default)]
pub struct Learnt(Arc<RwLock<Option<Arc<Model>>>>);

impl Learnt {
    /// The model in force, if one is on.
    pub fn model(&self) -> Option<Arc<Model>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another in force, or none.
    pub fn put(&self, model: Option<Arc<Model>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = model;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_exact_and_hold_no_text() {
        let mut model = Model::default();
        assert_eq!(model.guess("netti", |_| true), None);
        model.learn("Netti ei toimi, netti!", &answers(&[MatterKind::Problem], Priority::High));
        model.learn("Kiitos netistä", &answers(&[MatterKind::Feedback], Priority::Low));
        assert_eq!((model.messages, model.yes), (2, [0, 1, 1, 1]));
        assert_eq!(model.features[&hash("w", "netti")], (1, [0, 1, 0, 1]));
        // "netti", "ei", "toimi"; "kiitos" and "netistä" with their beginnings.
        assert_eq!(model.features.len(), 7);
        let json = serde_json::to_string(&model).unwrap();
        assert!(!json.contains("netti") && serde_json::from_str::<Model>(&json).unwrap() == model);
    }

    #[test]
    fn it_says_what_it_was_taught_and_by_which_words() {
        let mut model = Model::default();
        for at in 0..20 {
            model.learn(
                &format!("kone {} hajosi rikki", "x".repeat(at)),
                &answers(&[MatterKind::Problem], Priority::High),
            );
            model
                .learn(&format!("kiitos {} kivasti", "y".repeat(at)), &answers(&[MatterKind::Feedback], Priority::Low));
        }
        let guess = model.guess("hajosi taas", |_| true).unwrap();
        assert_eq!(kinds(&guess.answers), [MatterKind::Problem]);
        assert!(guess.answers[3] && guess.words == ["hajosi"]);
        assert_eq!(model.guess("hajosi taas", |word| word != "hajosi").unwrap(), Guess { words: vec![], ..guess });
        assert_eq!(kinds(&model.guess("kiitos kivasti", |_| true).unwrap().answers), [MatterKind::Feedback]);
    }
}
