//! The daemon is killed and its Postgres goes away, while things come in: the short form of
//! `cargo bench --bench crash`.

#[path = "../bench/corpus.rs"]
mod corpus;
#[path = "../bench/desk.rs"]
mod desk;
#[path = "../bench/harness.rs"]
mod harness;

use harness::{Plan, run};
use std::path::PathBuf;
use std::time::Duration;

async fn check(own_postgres: bool, kills: u32, seed: u64) {
    let plan = Plan {
        program: PathBuf::from(env!("CARGO_BIN_EXE_lanka")),
        kills,
        own_postgres,
        seed,
        life_max: Duration::from_millis(1_500),
    };
    let tally = run(plan).await;
    assert!(tally.problems.is_empty(), "{}", tally.problems.join("\n"));
    assert_eq!((tally.kills, tally.lost, tally.doubled), (kills, 0, 0));
    assert!(tally.sent > 0 && tally.changes >= tally.sent, "too little came in: {tally:?}");
    println!("{tally:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_when_the_daemon_is_killed() {
    check(false, 4, 11).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_when_postgres_goes_away_too() {
    check(true, 4, 5).await;
}
