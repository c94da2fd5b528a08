//! `cargo bench --bench kinds -- FILE… [--rules FILE] [--why]`: how well kind and urgency are told of the labelled
//! messages of FILE (one JSON object a line, as `tests/fixtures/triage/README.md` says).
//!
//! `--learn config/triage-weights.tsv tests/fixtures/triage/learnt/*.jsonl` learns what single words weigh, and prints how
//! well each file is told by what was learnt from the others.
//!
//! `--rules FILE` takes the words of another file than `config/triage.toml`. `--why` prints each message that was told
//! wrong, with the reasons: never to be used on a set that is kept sealed.
//!
//! Each message goes the way of a delivered one: as a mail its quotations and its signature are taken off first. The
//! last line is one JSON object, with `us_per_message`, the mean time of telling.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark that does not get what it needs has failed, and says so"
)]

mod labelled;
mod learning;

use labelled::{Labelled, Score};
use lanka::config::{Environment, Settings};
use lanka::pure::decide::triage;
use lanka::pure::domain::lexicon::Lexicon;
use lanka::pure::domain::say::Language;
use lanka::pure::domain::triage::Triage;
use lanka::pure::domain::weights::Weights;
use std::path::{Path, PathBuf};
use std::time::Instant;

fn main() {
    let (mut files, mut rules, mut why, mut learn) = (Vec::new(), None, false, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rules" => rules = Some(PathBuf::from(arguments.next().expect("--rules wants a file"))),
            "--why" => why = true,
            "--learn" => learn = Some(PathBuf::from(arguments.next().expect("--learn wants a file to write"))),
            "--bench" => {}
            path => files.push(PathBuf::from(path)),
        }
    }
    assert!(!files.is_empty(), "cargo bench --bench kinds -- FILE… [--rules FILE] [--why] [--learn FILE]");
    let lexicon = lexicon(rules.as_deref());
    if let Some(written) = learn {
        let (table, score) = learning::learn(&files, &lexicon.with_weights(Weights::default()));
        std::fs::write(&written, table).unwrap_or_else(|error| panic!("{}: {error}", written.display()));
        println!("{}\n{}", score.table(), score.json());
        return;
    }
    let messages: Vec<Labelled> = files.iter().flat_map(|file| labelled::read(file)).collect();
    let mut score = Score::default();
    for message in &messages {
        let found = told(message, &lexicon);
        if why {
            explain(message, &found);
        }
        score.count(message, &found);
    }
    let start = Instant::now();
    for message in &messages {
        std::hint::black_box(told(message, &lexicon));
    }
    let micros =
        start.elapsed().as_secs_f64() * 1e6 / f64::from(u32::try_from(messages.len().max(1)).expect("a number"));
    println!("{}{micros:.1} us a message", score.table());
    let mut json = score.json();
    json["us_per_message"] = serde_json::json!((micros * 10.0).round() / 10.0);
    println!("{json}");
}

/// The built-in words, or those of a file.
fn lexicon(rules: Option<&Path>) -> Lexicon {
    let Some(path) = rules else {
        return Settings::bare().expect("the defaults").triage.lexicon();
    };
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let nested = text.replace("[words.", "[triage.words.");
    let scratch = tempfile::NamedTempFile::with_suffix(".toml").expect("a file");
    std::fs::write(scratch.path(), nested).expect("a file");
    let settings = Settings::load(&[scratch.path().to_owned()], &Environment::of([("LANKA__DATA_DIR", "/tmp/none")]));
    let problems = |problems: Vec<lanka::config::Problem>| -> String {
        problems.iter().map(|problem| format!("{problem}\n")).collect()
    };
    settings.unwrap_or_else(|found| panic!("{}", problems(found))).triage.lexicon()
}

fn told(message: &Labelled, lexicon: &Lexicon) -> Triage {
    triage::of_words(&labelled::words(message), lexicon)
}

fn explain(is: &Labelled, found: &Triage) {
    let kinds: Vec<&str> = found.kind.iter().map(|kind| kind.as_str()).collect();
    if is.kinds == kinds && is.urgency == found.priority.as_str() {
        return;
    }
    println!(
        "{} {} is {:?} {} found {:?} {}",
        is.id,
        is.language,
        is.kinds,
        is.urgency,
        kinds,
        found.priority.as_str()
    );
    println!("    {} | {}", is.subject.as_deref().unwrap_or(""), is.text.replace('\n', " / "));
    for reason in &found.why {
        println!("      {:>3} {}", reason.bits.unwrap_or_default(), reason.says.in_language(Language::English));
    }
}
