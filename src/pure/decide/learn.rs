//! Corrections → a model, and whether it is better than the rules on corrections that it has not seen.

use super::triage;
use crate::pure::domain::learnt::{Answers, Model, QUESTIONS, answers};
use crate::pure::domain::lexicon::Lexicon;

/// Corrections from which on a model may be on.
pub const CORRECTIONS_MIN: usize = 200;
/// Of so many corrections one is held back.
const HELD_BACK_EVERY: usize = 5;
/// The kinds and none of them.
const CLASSES: usize = 4;

/// A message that an agent classified.
#[derive(Debug, Clone)]
pub struct Correction {
    /// Its own words.
    pub text: String,
    /// What he said of it.
    pub answers: Answers,
}

/// What a training came to.
#[derive(Debug, Clone)]
pub struct Trained {
    /// Of all corrections.
    pub model: Model,
    /// How many there were.
    pub corrections: usize,
    /// How many were held back to compare by.
    pub held_back: usize,
    /// Macro F1 of kind of the rules on those.
    pub rules_f1: f64,
    /// The same of a model of all others.
    pub model_f1: f64,
    /// It is better than the rules, and there are enough corrections.
    pub is_on: bool,
}

/// Trains on corrections, in the order in which they were made.
pub fn train(corrections: &[Correction], lexicon: &Lexicon) -> Trained {
    let mut part = Model::default();
    for (_, one) in corrections.iter().enumerate().filter(|(at, _)| !is_held_back(*at)) {
        part.learn(&one.text, &one.answers);
    }
    part.prune();
    let held_back: Vec<&Correction> =
        corrections.iter().enumerate().filter(|(at, _)| is_held_back(*at)).map(|(_, one)| one).collect();
    let by_rules = held_back.iter().map(|one| (one.answers, by_rules(&one.text, lexicon)));
    let by_model = held_back
        .iter()
        .map(|one| (one.answers, part.guess(&one.text, |_| false).map_or([false; QUESTIONS], |guess| guess.answers)));
    let (rules_f1, model_f1) = (macro_f1(by_rules), macro_f1(by_model));
    let mut model = Model::default();
    for one in corrections {
        model.learn(&one.text, &one.answers);
    }
    model.prune();
    let is_on = corrections.len() >= CORRECTIONS_MIN && model_f1 > rules_f1;
    Trained { model, corrections: corrections.len(), held_back: held_back.len(), rules_f1, model_f1, is_on }
}

fn is_held_back(at: usize) -> bool {
    at % HELD_BACK_EVERY == HELD_BACK_EVERY - 1
}

fn by_rules(text: &str, lexicon: &Lexicon) -> Answers {
    let triage = triage::of_words(text, lexicon);
    answers(&triage.kind, triage.priority)
}

/// The mean of F1 over service, problem, feedback and none. Of what is in nothing there is nothing to get wrong.
fn macro_f1(pairs: impl Iterator<Item = (Answers, Answers)>) -> f64 {
    let mut counts = [(0_u32, 0_u32); CLASSES];
    for (is, found) in pairs {
        let class = |answers: &Answers, at: usize| match at {
            3 => !answers[..3].contains(&true),
            kind => answers[kind],
        };
        for (at, (right, wrong)) in counts.iter_mut().enumerate() {
            let (is, found) = (class(&is, at), class(&found, at));
            *right += u32::from(is && found);
            *wrong += u32::from(is != found);
        }
    }
    let f1 = |(right, wrong): (u32, u32)| {
        let whole = 2 * right + wrong;
        if whole == 0 { 1.0 } else { f64::from(2 * right) / f64::from(whole) }
    };
    counts.into_iter().map(f1).sum::<f64>() / 4.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::ticket::{MatterKind, Priority};

    fn correction(text: &str, kind: &[MatterKind]) -> Correction {
        Correction { text: text.to_owned(), answers: answers(kind, Priority::Normal) }
    }

    #[test]
    fn it_is_on_when_it_beats_the_rules_and_there_is_enough() {
        // A desk whose customers say everything in words that no list has.
        let of = |count: usize| -> Vec<Correction> {
            let one = |at: usize| match at % 2 {
                0 => correction(&format!("flurbaa zonk {at}"), &[MatterKind::Problem]),
                _ => correction(&format!("mirvaa plonk {at}"), &[MatterKind::Service]),
            };
            (0..count).map(one).collect()
        };
        for (count, is_on) in [(0, false), (199, false), (200, true)] {
            let trained = train(&of(count), &Lexicon::default());
            assert_eq!((trained.is_on, trained.corrections, trained.held_back), (is_on, count, count / 5), "{count}");
        }
        let trained = train(&of(200), &Lexicon::default());
        assert!((trained.model_f1 - 1.0).abs() < 1e-9 && trained.rules_f1 < 0.9 && trained.model.messages == 200);
    }

    #[test]
    fn what_is_right_and_wrong_is_counted_by_class() {
        let (problem, none) = ([false, true, false, false], [false; 4]);
        let same = [(problem, problem), (none, none)];
        assert!((macro_f1(same.into_iter()) - 1.0).abs() < 1e-9);
        // Service and feedback are in nothing; one of two problems is taken for none.
        let missed = [(problem, problem), (problem, none)];
        assert!((macro_f1(missed.into_iter()) - (1.0 + 2.0 / 3.0 + 1.0 + 0.0) / 4.0).abs() < 1e-9);
    }
}
