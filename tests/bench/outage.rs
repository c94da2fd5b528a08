//! `cargo bench --bench outage -- [--seeds N] [--background DIR]`: a month's contacts replayed through the search for outages. Twenty
//! organisations within the hour, by day, in three languages, in spread words, at night; and a month in which nothing happens.
//! `--background` takes texts of DIR/events.jsonl (see `omni`) for half of the other contacts. Prints one JSON object as its last line.

#![allow(clippy::expect_used, clippy::panic, reason = "a benchmark without its input ends")]

#[path = "month.rs"]
mod month;
#[path = "replay.rs"]
mod replay;

use lanka::pure::channels::{self, Setup};
use lanka::pure::domain::id::RawEventId;
use lanka::pure::domain::message::{Direction, RawEvent, What};
use month::Outage;
use replay::{Background, Outcome, replay};
use serde_json::{Value, json};
use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let of = |name: &str| arguments.iter().position(|given| given == name).and_then(|at| arguments.get(at + 1));
    let seeds: u64 = of("--seeds").and_then(|given| given.parse().ok()).unwrap_or(10);
    let background: Background = of("--background").map(|dir| texts(Path::new(dir))).unwrap_or_default();
    let mut lines = Vec::new();
    let (mut false_alarms, mut months, mut worst) = (0, 0, 0);
    for (name, outage) in [
        ("quiet", Outage::None),
        ("by day", Outage::ByDay),
        ("three languages", Outage::Languages),
        ("spread words", Outage::Spread),
        ("at night", Outage::AtNight),
    ] {
        let outcomes: Vec<Outcome> = (1..=seeds).map(|seed| replay(seed, outage, &background)).collect();
        let found = outcomes.iter().filter(|outcome| outcome.found_at.is_some()).count();
        let late: Vec<i64> = outcomes.iter().filter_map(|outcome| outcome.after_fifth_s).collect();
        let by: Vec<usize> = outcomes.iter().filter_map(|outcome| outcome.found_at).collect();
        let wrong: Vec<usize> = outcomes.iter().map(|outcome| outcome.false_incidents.len()).collect();
        for (seed, outcome) in outcomes.iter().enumerate() {
            outcome.false_incidents.iter().for_each(|terms| eprintln!("{name}, seed {}: false: {terms}", seed + 1));
        }
        let on_it: usize = outcomes.iter().map(|outcome| outcome.on_it).sum();
        let strangers: usize = outcomes.iter().map(|outcome| outcome.strangers).sum();
        println!(
            "{name:16} found {found}/{seeds}, by contact {by:?}, seconds after the fifth {late:?}, of it {on_it}, strangers {strangers}, false {wrong:?}"
        );
        false_alarms += wrong.iter().sum::<usize>();
        months += outcomes.len();
        worst = worst.max(wrong.iter().copied().max().unwrap_or_default());
        lines.push(json!({ "case": name, "found": found, "of": seeds, "after_fifth_s_max": late.iter().max(), "false": wrong }));
    }
    println!(
        "{}",
        json!({ "cases": lines, "false_incidents": false_alarms, "months": months, "false_in_a_month_max": worst })
    );
}

/// What customers say in a stream of deliveries.
fn texts(dir: &Path) -> Background {
    let stream = std::fs::read_to_string(dir.join("events.jsonl")).expect("DIR/events.jsonl");
    let config: Value =
        serde_json::from_slice(&std::fs::read(dir.join("config.json")).expect("DIR/config.json")).expect("JSON");
    let zone = jiff::tz::TimeZone::UTC;
    let mut texts = Vec::new();
    for line in stream.lines() {
        let Ok(event) = serde_json::from_str::<Value>(line) else { continue };
        let name = event["channel"].as_str().unwrap_or_default();
        let kind = config["channels"][name]["kind"].as_str().unwrap_or(name);
        let Some(kind) = channels::kind(kind) else { continue };
        let raw = RawEvent {
            id: RawEventId(uuid::Uuid::nil()),
            tenant: "main".to_owned(),
            channel: name.to_owned(),
            kind: kind.name.to_owned(),
            received_at: jiff::Timestamp::UNIX_EPOCH,
            trusted_at: None,
            origin: String::new(),
            body: event["raw"].as_str().unwrap_or_default().as_bytes().to_vec().into(),
        };
        let channel = (kind.dry)(&Setup { name, region: "FI", time_zone: &zone });
        let said = channel.parse(&raw).items.into_iter().filter(|item| {
            item.what == What::Message && item.direction == Direction::FromCustomer && item.auto.is_none()
        });
        texts.extend(said.map(|item| item.content.text().to_owned()).filter(|text| !text.trim().is_empty()));
    }
    eprintln!("{} texts of the background", texts.len());
    texts
}
