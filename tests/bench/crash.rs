//! `cargo bench --bench crash -- --kills N [--seed S] [--private]`: the daemon is killed N times, and its
//! Postgres stopped under it; with `--private`, the Postgres is the daemon's own and dies with it.
//!
//! The last line is one JSON object (DESIGN 8): `kills`, `sent`, `lost`, `doubled`, and more figures.
//! The exit code is 1 when anything is wrong.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a benchmark that does not get what it needs has failed, and says so"
)]

mod corpus;
mod desk;
mod harness;

use harness::Plan;
use std::path::PathBuf;
use std::time::Duration;

/// Kills when nothing is said.
const KILLS: u32 = 200;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let mut plan = Plan {
        program: PathBuf::from(env!("CARGO_BIN_EXE_lanka")),
        kills: KILLS,
        own_postgres: true,
        seed: 1,
        life_max: Duration::from_millis(2_500),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} wants a value"));
        match argument.as_str() {
            "--kills" => plan.kills = value().parse().expect("a number of kills"),
            "--seed" => plan.seed = value().parse().expect("a number"),
            "--private" => plan.own_postgres = false,
            // Cargo's own.
            "--bench" => {}
            other => panic!("unknown argument {other}; known are --kills N, --seed S and --private"),
        }
    }
    let own_postgres = plan.own_postgres;
    let tally = harness::run(plan).await;
    for problem in tally.problems.iter().take(50) {
        eprintln!("{problem}");
    }
    let figures = serde_json::json!({
        "kills": tally.kills, "sent": tally.sent, "lost": tally.lost, "doubled": tally.doubled,
        "postgres_stops": tally.postgres_stops, "own_postgres": own_postgres, "resent": tally.resent,
        "changes": tally.changes, "repeats_at_mirror": tally.repeats, "problems": tally.problems.len(),
    });
    println!("{figures}");
    match tally.problems.is_empty() {
        true => std::process::ExitCode::SUCCESS,
        false => std::process::ExitCode::FAILURE,
    }
}
