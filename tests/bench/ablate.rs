//! `cargo bench --bench ablate -- DIR… [--only RULE]`: what each rule and protection is worth. Every directory of
//! labelled contacts is played through the program as it is, and once without each rule; a table shows what that
//! costs over all directories. `--only`, which may stand several times, names the rules.
//!
//! The table has a row a rule: precision of contacts and of tickets (pairs), the shares of links found (all, and those
//! between channels), contacts that hold two customers, tickets that show one customer to another, attack events that
//! got in. A figure that is as it is with the rule is a point. The last line is one JSON object: `runs`, `seconds`, and
//! `nothing`, the rules without which nothing differs.
//!
//! Over twelve of the desks of `tests/fixtures/stories` (optician, ferry, payroll, solar, appliances, daycare, veterinary,
//! beds, heatnet, theatre, movers, rental; 1,080 runs):
//!
//! | without | contact P | recall | across | ticket P | recall | across | two customers | leaks | attacks |
//! |---|---|---|---|---|---|---|---|---|---|
//! | nothing | 0.9813 | 0.9742 | 0.9499 | 0.9714 | 0.9440 | 0.9144 | 11 | 7 | 5 |
//! | number_and_name | 0.9900 | 0.8044 | 0.5171 | 0.9754 | 0.7510 | 0.4560 | 6 | 3 | 1 |
//! | number_and_address | 0.9811 | 0.9716 | 0.9431 | 0.9709 | 0.9411 | 0.9074 | · | · | · |
//! | caller_named_before | · | 0.9387 | 0.8588 | 0.9708 | 0.9054 | 0.8218 | · | · | 7 |
//! | caller_named_after | 0.9812 | 0.9716 | 0.9431 | 0.9712 | 0.9411 | 0.9074 | · | · | · |
//! | called_before | · | 0.9733 | 0.9476 | 0.9713 | 0.9421 | 0.9097 | · | · | · |
//! | called_since | 0.9811 | 0.9707 | 0.9408 | 0.9713 | 0.9431 | 0.9120 | · | · | · |
//! | answer_proves | 0.9798 | 0.9689 | · | 0.9711 | 0.9353 | 0.9074 | 13 | · | 8 |
//! | staff_forward | 0.9809 | 0.9556 | 0.9271 | 0.9709 | 0.9334 | 0.8958 | · | · | · |
//! | desk_numbers | 0.9792 | 0.8933 | 0.7449 | 0.9653 | 0.8533 | 0.7014 | 13 | 9 | 9 |
//! | noted_caller | 0.9811 | 0.9662 | 0.9294 | 0.9709 | 0.9353 | 0.8935 | · | · | · |
//! | names_conflict | 0.9681 | 0.9760 | 0.9522 | 0.9701 | 0.9450 | · | 15 | 8 | · |
//! | shared_mailbox | 0.9777 | · | · | 0.9715 | · | · | 13 | · | · |
//! | shared_caller | 0.9751 | · | · | 0.9716 | · | · | 13 | · | · |
//! | shared_number | 0.9804 | · | · | · | 0.9450 | 0.9167 | 12 | · | · |
//! | noted_owner | · | 0.9733 | 0.9476 | 0.9713 | 0.9421 | 0.9097 | · | · | · |
//! | half_name | · | 0.9751 | 0.9522 | · | 0.9450 | 0.9167 | · | · | · |
//! | second_account | 0.9672 | 0.9751 | · | 0.9619 | · | 0.9120 | 16 | 11 | 10 |
//! | disowned | · | 0.9751 | 0.9522 | · | 0.9459 | 0.9167 | · | · | · |
//! | swapped | 0.9734 | 0.9769 | 0.9567 | 0.9620 | 0.9469 | 0.9213 | 13 | 9 | · |
//! | not_there | 0.9659 | · | · | 0.9545 | · | · | 17 | 12 | 15 |
//! | denied | 0.9595 | 0.9751 | · | 0.9627 | 0.9402 | 0.9051 | 23 | 12 | 21 |
//! | typed_first | 0.9814 | 0.9796 | 0.9636 | 0.9715 | 0.9498 | 0.9282 | 10 | 6 | 4 |
//! | number_passed_on | 0.9749 | 0.9680 | 0.9339 | 0.9701 | 0.9373 | 0.8981 | 17 | 8 | · |
//! | browser_passed_on | 0.9516 | 0.9689 | 0.9362 | 0.9496 | 0.9382 | 0.9005 | 23 | 16 | · |
//! | browser_unnamed | 0.9786 | · | · | 0.9682 | · | · | 13 | 9 | · |
//! | desk_message | · | · | · | 0.9775 | 0.9392 | · | · | 5 | 4 |
//! | number | · | · | · | 0.9744 | 0.9083 | 0.8681 | · | · | · |
//! | session | · | · | · | 0.9713 | 0.9431 | · | · | · | · |
//! | only_open | · | · | · | 0.9766 | 0.7461 | 0.5602 | · | 6 | · |
//! | topic | · | · | · | 0.9712 | 0.9373 | 0.9074 | · | · | · |
//! | is_back | · | · | · | 0.9710 | 0.9402 | 0.9120 | · | · | · |
//! | entitled | · | · | · | 0.9106 | 0.9633 | 0.9514 | · | 42 | 47 |
//! | colleague_confirmed | · | · | · | 0.9716 | · | · | · | · | · |
//! | follow_up | · | · | · | 0.9391 | 0.9459 | · | · | 8 | · |
//! | begins_anew | · | · | · | 0.9616 | 0.9508 | 0.9213 | · | · | · |
//! | other_number | · | · | · | 0.9685 | 0.9517 | 0.9190 | · | 8 | · |
//! | other_topic | · | · | · | 0.9512 | 0.9469 | 0.9236 | · | · | · |
//! | new_matter | · | · | · | 0.9651 | 0.9450 | 0.9167 | · | · | · |
//! | no_session | · | · | · | 0.9682 | 0.9431 | 0.9097 | · | · | · |
//!
//! Without any other rule nothing differs there. What those are for is shown by `tests/it/attacks.rs` and `tests/it/rules.rs`,
//! which play a story with the rule and without it, and by the unit tests of `gather` (`suggest_*`, `mailing`, `contact_size`, `apart`).
//! What `joined_contacts` does, deciding anew does too, only later.
//!
//! Over the six desks that came after them (fibre, wine, orthopaedics, furniture, cup, bookkeeping), where
//! `account_handed_on` and the wider `not_there` and `not_owner` were made; the table above is from before these:
//!
//! | without | contact P | recall | across | ticket P | recall | across | two customers | leaks | attacks |
//! |---|---|---|---|---|---|---|---|---|---|
//! | nothing | 0.9743 | 0.9674 | 0.9269 | 0.9633 | 0.9400 | 0.8879 | 8 | 5 | 2 |
//! | account_handed_on | 0.9646 | 0.9601 | 0.9087 | 0.9631 | 0.9340 | 0.8744 | 12 | · | · |
//! | not_there | 0.9517 | · | · | 0.9358 | · | · | 12 | 9 | 9 |
//! | not_owner | 0.9695 | 0.9656 | 0.9224 | 0.9597 | 0.9380 | 0.8834 | 10 | 6 | 3 |
//! | typed_first | 0.9689 | 0.9746 | 0.9452 | 0.9568 | 0.9480 | 0.9058 | 9 | 6 | 4 |
//! | browser_again | 0.9772 | · | · | 0.9668 | · | · | 7 | 4 | 1 |
//! | disowned | 0.9600 | 0.9656 | 0.9224 | 0.9632 | 0.9380 | 0.8834 | 10 | 6 | · |
//!
//! `typed_first` costs links, and keeps out the visitor who has her name and number from a parcel or a joint bill.

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
