//! `cargo bench --bench ablate -- DIR… [--only RULE]`: what each rule and protection is worth. Every directory of
//! labelled contacts is played through the program as it is, and once without each rule; a table shows what that
//! costs over all directories. `--only`, which may stand several times, names the rules.
//!
//! The table has a row a rule: precision of contacts and of tickets (pairs), the shares of links found (all, and those
//! between channels), contacts that hold two customers, tickets that show one customer to another, attack events that
//! got in. A figure that is as it is with the rule is a point. The last line is one JSON object: `runs`, `seconds`, and
//! `nothing`, the rules without which nothing differs.
//!
//! Over the five desks of `tests/fixtures/stories` and one more of the same size (444 runs):
//!
//! | without | contact P | recall | across | ticket P | recall | across | two customers | leaks | attacks |
//! |---|---|---|---|---|---|---|---|---|---|
//! | nothing | 0.9833 | 0.9595 | 0.8916 | 0.9971 | 0.9471 | 0.8916 | 2 | 0 | 0 |
//! | number_and_name | 0.9855 | 0.7883 | 0.4337 | 0.9711 | 0.7308 | 0.3494 | · | · | · |
//! | number_and_address | 0.9976 | · | · | · | · | · | 1 | · | · |
//! | caller_named_before | 0.9823 | 0.9234 | 0.7952 | 0.9969 | 0.9038 | 0.7831 | · | · | · |
//! | caller_named_after | 0.9832 | 0.9550 | 0.8795 | · | 0.9423 | 0.8795 | · | · | · |
//! | staff_forward | 0.9831 | 0.9505 | 0.8675 | · | 0.9375 | 0.8675 | · | · | · |
//! | desk_numbers | 0.9803 | 0.8739 | 0.6627 | 0.9778 | 0.8413 | 0.6265 | · | · | · |
//! | names_conflict | 0.9672 | · | · | 0.9972 | 0.9519 | 0.9036 | 4 | · | · |
//! | role_mailbox | 0.9741 | · | · | 0.9972 | 0.9519 | 0.9036 | 3 | · | · |
//! | shared_caller | 0.9518 | 0.9640 | 0.9036 | 1.0000 | 0.9519 | 0.9036 | 3 | · | · |
//! | shared_number | 0.9834 | 0.9640 | 0.9036 | · | 0.9519 | 0.9036 | · | · | · |
//! | denied | 0.9695 | · | · | · | 0.9375 | 0.8675 | 4 | · | 2 |
//! | typed_first | 0.9500 | 0.9730 | 0.9277 | 0.9563 | 0.9615 | 0.9277 | 5 | 3 | 5 |
//! | imitated_contact | 0.9627 | · | · | 0.9718 | · | · | 5 | 3 | 3 |
//! | browser_passed_on | 0.9451 | · | · | 0.9720 | · | · | 5 | 1 | · |
//! | number | · | · | · | 0.9970 | 0.9135 | 0.8193 | · | · | · |
//! | only_open | · | · | · | 1.0000 | 0.7692 | 0.5663 | · | · | · |
//! | topic | · | · | · | · | 0.9423 | · | · | · | · |
//! | entitled | · | · | · | 0.8878 | 0.9760 | 0.9759 | · | 9 | 9 |
//! | imitated_ticket | · | · | · | 0.9718 | · | · | · | 3 | 3 |
//! | follow_up | · | · | · | 0.9860 | 0.9519 | · | · | · | · |
//! | begins_anew | · | · | · | 0.9829 | · | · | · | · | · |
//! | other_topic | · | · | · | 0.9749 | · | · | · | · | · |
//! | own_first | · | · | · | · | 0.9375 | 0.8675 | · | · | · |
//!
//! Without any other rule nothing differs there. What those are for is shown by `tests/it/attacks.rs` and `tests/it/rules.rs`,
//! which play a story with the rule and without it, and by the unit tests of `gather` (`suggest_*`, `mailing`, `contact_size`, `apart`).
//! What `joined_contacts` does, deciding anew does too, only later.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark that does not get what it needs has failed, and says so"
)]

mod corpus;
mod desk;
mod score;
mod stream;

use desk::{Server, scratch};
use lanka::pure::domain::rule::Rule;
use score::{Measures, Score};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;
use stream::Setting;

/// The heads of the table.
const HEADS: [&str; 9] =
    ["contact P", "recall", "across", "ticket P", "recall", "across", "two customers", "leaks", "attacks"];

#[tokio::main]
async fn main() {
    let (dirs, rules) = arguments(std::env::args().skip(1));
    let began = Instant::now();
    let server = Server::start(false).await;
    server.empty("clean").await;
    let whole = shown(&played(&server, &dirs, None).await);
    println!("| without | {} |", HEADS.join(" | "));
    println!("|---|{}", "---|".repeat(HEADS.len()));
    println!("| nothing | {} |", whole.join(" | "));
    let mut nothing = Vec::new();
    for rule in &rules {
        let found = shown(&played(&server, &dirs, Some(*rule)).await);
        if found == whole {
            nothing.push(rule.as_str());
            continue;
        }
        let differs = found.iter().zip(&whole).map(|(found, whole)| if found == whole { "·" } else { found.as_str() });
        println!("| {} | {} |", rule.as_str(), differs.collect::<Vec<_>>().join(" | "));
    }
    server.stop().await;
    let runs = (rules.len() + 1) * dirs.len();
    println!("{}", json!({ "runs": runs, "seconds": began.elapsed().as_secs(), "nothing": nothing }));
}

fn arguments(arguments: impl Iterator<Item = String>) -> (Vec<PathBuf>, Vec<Rule>) {
    let (mut dirs, mut rules) = (Vec::new(), Vec::new());
    let mut arguments = arguments.filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--only" => {
                let name = arguments.next().expect("--only wants the name of a rule");
                rules.push(Rule::parse(&name).unwrap_or_else(|| panic!("no rule {name}; known: {}", names())));
            }
            other if other.starts_with("--") => panic!("unknown argument {other}; known: --only RULE"),
            dir => dirs.push(std::path::absolute(dir).expect("a path")),
        }
    }
    assert!(!dirs.is_empty(), "directories of labelled contacts are wanted; rules:\n{}", names());
    if rules.is_empty() {
        rules.extend(Rule::ALL);
    }
    (dirs, rules)
}

fn names() -> String {
    Rule::ALL.iter().map(|rule| format!("{}: {}", rule.as_str(), rule.says())).collect::<Vec<_>>().join("\n")
}

/// All directories together.
async fn played(server: &Server, dirs: &[PathBuf], without: Option<Rule>) -> Score {
    let mut all = Score::default();
    for dir in dirs {
        let one = play(server, dir, without).await;
        add(&mut all.contact, &one.contact);
        add(&mut all.ticket, &one.ticket);
        all.attacks += one.attacks;
        all.merged.extend(one.merged);
        all.leaking.extend(one.leaking);
        all.succeeded.extend(one.succeeded);
    }
    all
}

async fn play(server: &Server, dir: &Path, without: Option<Rule>) -> Score {
    server.drop("run").await;
    server.execute("lanka", "CREATE DATABASE run TEMPLATE clean").await;
    let place = scratch();
    let without: Vec<String> = without.iter().map(|rule| rule.as_str().to_owned()).collect();
    let setting = Setting { place: place.path(), database: &server.url("run"), without: &without };
    let played = stream::play(dir, stream::arrivals(stream::events(dir)), &setting);
    score::score(&score::truth(dir), &played.predictions().0)
}

fn add(all: &mut Measures, one: &Measures) {
    for (all, one) in
        [(&mut all.pairs, one.pairs), (&mut all.links, one.links), (&mut all.cross_links, one.cross_links)]
    {
        *all = (all.0 + one.0, all.1 + one.1);
    }
}

/// The figures of a row.
fn shown(score: &Score) -> Vec<String> {
    let of = |measures: &Measures| {
        [measures.precision(), measures.recall(), measures.cross_recall()].map(|share| format!("{share:.4}"))
    };
    let counts = [score.merged.len(), score.leaking.len(), score.succeeded.len()].map(|count| count.to_string());
    of(&score.contact).into_iter().chain(of(&score.ticket)).chain(counts).collect()
}
