//! The name comparator held against labelled pairs (`tests/fixtures/names`), and against what one gets
//! without knowing names: Jaro-Winkler over the sorted words.

use lanka::pure::domain::name::{PersonName, fold};
use std::fmt::Write as _;
use std::path::Path;

struct Pair {
    line: String,
    kind: String,
    same: bool,
    one: String,
    other: String,
}

/// The pairs of one half: a hash of the line decides, so that new lines move no old one.
fn pairs(held_back: bool) -> Vec<Pair> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/names/pairs.csv");
    let text = std::fs::read_to_string(path).expect("the table of pairs");
    let rows = text.lines().skip(1).filter(|line| ((fnv(line) >> 32) % 2 == 1) == held_back);
    rows.map(|line| {
        let fields: Vec<&str> = line.split(';').collect();
        let [language, kind, label, one, other] = fields[..] else { panic!("five fields: {line}") };
        assert!(matches!(label, "same" | "different"), "{line}");
        let (line, kind) = (line.to_owned(), format!("{language} {kind}"));
        Pair { line, kind, same: label == "same", one: one.to_owned(), other: other.to_owned() }
    })
    .collect()
}

/// FNV-1a, 64 bits: the same on every machine and in every version.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn score(pair: &Pair) -> f64 {
    let names = (PersonName::parse(&pair.one), PersonName::parse(&pair.other));
    let (Some(one), Some(other)) = names else { return 0.0 };
    f64::from(one.compare(&other).score)
}

fn agrees(pair: &Pair) -> bool {
    let names = (PersonName::parse(&pair.one), PersonName::parse(&pair.other));
    matches!(names, (Some(one), Some(other)) if one.compare(&other).agrees())
}

/// Jaro-Winkler of the words in order of the alphabet, without case and accents.
fn baseline(pair: &Pair) -> f64 {
    let sorted = |name: &str| {
        let mut words: Vec<String> =
            name.split(|c: char| !c.is_alphanumeric()).map(fold).filter(|word| !word.is_empty()).collect();
        words.sort();
        words.join(" ")
    };
    strsim::jaro_winkler(&sorted(&pair.one), &sorted(&pair.other))
}

/// Precision and recall at each threshold, from the strictest to the loosest.
fn curve(pairs: &[Pair], score: impl Fn(&Pair) -> f64) -> Vec<(f64, f64, f64)> {
    let mut scored: Vec<(f64, bool)> = pairs.iter().map(|pair| (score(pair), pair.same)).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let same = pairs.iter().filter(|pair| pair.same).count() as f64;
    let (mut right, mut points) = (0.0, Vec::new());
    for (at, (threshold, is_same)) in scored.iter().enumerate() {
        right += f64::from(u8::from(*is_same));
        // Equal scores stand or fall together.
        if scored.get(at + 1).is_none_or(|next| next.0 < *threshold) {
            points.push((*threshold, right / (at + 1) as f64, right / same));
        }
    }
    points
}

fn recall_at(points: &[(f64, f64, f64)], precision_min: f64) -> f64 {
    points.iter().filter(|(_, precision, _)| *precision >= precision_min).map(|point| point.2).fold(0.0, f64::max)
}

fn shown(points: &[(f64, f64, f64)]) -> String {
    let mut text = String::new();
    for precision_min in [1.0, 0.995, 0.99, 0.98, 0.95, 0.9, 0.8] {
        let _ = write!(text, "  {precision_min}: {:.3}", recall_at(points, precision_min));
    }
    text
}

#[test]
fn names_are_told_apart_better_than_by_their_letters() {
    for held_back in [false, true] {
        let pairs = pairs(held_back);
        let (ours, letters) = (curve(&pairs, score), curve(&pairs, baseline));
        let same = pairs.iter().filter(|pair| pair.same).count();
        println!(
            "{} half: {} pairs, {same} of them of one person",
            if held_back { "held-back" } else { "development" },
            pairs.len()
        );
        println!("recall at precision, names:        {}", shown(&ours));
        println!("recall at precision, Jaro-Winkler: {}", shown(&letters));
        let right = pairs.iter().filter(|pair| agrees(pair) && pair.same).count();
        let wrong = pairs.iter().filter(|pair| agrees(pair) && !pair.same).count();
        println!("by verdict: {right} of {same} agree; {wrong} of {} agree wrongly", pairs.len() - same);
        if held_back {
            for (threshold, precision, recall) in &ours {
                println!("  score {threshold:.3}  precision {precision:.4}  recall {recall:.4}");
            }
            let (ours, letters) = (recall_at(&ours, 1.0), recall_at(&letters, 1.0));
            assert!(ours > letters && ours > 0.8, "recall at precision 1: {ours:.3}, by letters {letters:.3}");
        } else {
            for pair in pairs.iter().filter(|pair| agrees(pair) != pair.same) {
                println!("  {:14} {}", pair.kind, pair.line);
            }
        }
    }
}

#[test]
fn every_pair_compares_alike_both_ways() {
    for pair in pairs(false).iter().chain(&pairs(true)) {
        let (one, other) = (PersonName::parse(&pair.one), PersonName::parse(&pair.other));
        let (Some(one), Some(other)) = (one, other) else { panic!("{}: a name that cannot be read", pair.kind) };
        assert_eq!(one.compare(&other), other.compare(&one), "{}", pair.kind);
    }
}
