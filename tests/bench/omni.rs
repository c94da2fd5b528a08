//! `cargo bench --bench omni -- DIR FILE [--shuffle HOURS] [--seed N] [--why FILE] [--without RULE]`: the stream DIR/events.jsonl through the
//! real program, configured from DIR/config.json and DIR/messenger_profiles.json, and FILE written with what
//! it said: for each customer event whose it is and which matter it belongs to.
//!
//! `--shuffle HOURS` makes every event late by a random time of up to so many hours (0: the whole stream in
//! any order): an event only ever arrives later than it did, and its arrival is the latest so far.
//!
//! `--why FILE` writes beside it the reasons that were given for each event, a line of JSON each.
//!
//! `--without RULE`, which may stand several times, leaves a rule out: `ablate` shows their names.
//!
//! The last line is one JSON object: `events`, `seconds` of the import, `events_per_s`, and `unplaced`, the
//! events that nothing was said of. **Invariant:** the right answers beside the stream are never looked at.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a benchmark that does not get what it needs has failed, and says so"
)]

mod corpus;
mod desk;
mod stream;

use corpus::Random;
use desk::{Server, scratch};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use stream::{Event, Played, Setting};

/// What is to be done.
struct Plan {
    dir: PathBuf,
    file: PathBuf,
    /// Hours by which events may be late; 0 is any time.
    shuffle_h: Option<u64>,
    seed: u64,
    /// Where the reasons go.
    why: Option<PathBuf>,
    /// Rules left out.
    without: Vec<String>,
}

impl Plan {
    fn of(arguments: impl Iterator<Item = String>) -> Self {
        let (mut paths, mut shuffle_h, mut seed, mut why, mut without) = (Vec::new(), None, 1, None, Vec::new());
        let mut arguments = arguments.skip(1);
        let absolute = |path: &str| std::path::absolute(path).expect("a path");
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} wants a value"));
            match argument.as_str() {
                "--shuffle" => shuffle_h = Some(value().parse().expect("hours")),
                "--seed" => seed = value().parse().expect("a number"),
                "--why" => why = Some(absolute(&value())),
                "--without" => without.push(value()),
                // Cargo's own.
                "--bench" => {}
                other if other.starts_with("--") => {
                    panic!("unknown argument {other}; known: --shuffle HOURS, --seed N, --why FILE, --without RULE")
                }
                path => paths.push(absolute(path)),
            }
        }
        let [dir, file] = <[PathBuf; 2]>::try_from(paths).expect("DIR and FILE are wanted");
        Self { dir, file, shuffle_h, seed, why, without }
    }
}

#[tokio::main]
async fn main() {
    let plan = Plan::of(std::env::args());
    let events = shuffled(stream::events(&plan.dir), plan.shuffle_h, plan.seed);
    let server = Server::start(false).await;
    server.execute("lanka", "CREATE DATABASE omni").await;
    let place = scratch();
    let setting = Setting { place: place.path(), database: &server.url("omni"), without: &plan.without };
    let played = stream::play(&plan.dir, stream::arrivals(events), &setting);
    let (predictions, unplaced) = played.predictions();
    write_lines(&plan.file, &predictions);
    if let Some(file) = &plan.why {
        explain(&played, file);
    }
    server.stop().await;
    let (events, seconds) = (played.stream.len(), played.seconds);
    println!(
        "{}",
        json!({ "events": events, "seconds": rounded(seconds), "events_per_s": rounded(events as f64 / seconds),
            "unplaced": unplaced })
    );
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Each event late by a random time of up to so many hours; 0 is any order.
fn shuffled(events: Vec<Event>, shuffle_h: Option<u64>, seed: u64) -> Vec<Event> {
    let Some(hours) = shuffle_h else { return events };
    let mut random = Random::new(seed);
    let longest_ms = hours * 3_600_000;
    let mut late: Vec<(u64, Event)> = events
        .into_iter()
        .map(|event| match hours {
            0 => (random.bits(), event),
            _ => (event.received_at.as_millisecond().unsigned_abs() + random.below(longest_ms), event),
        })
        .collect();
    late.sort_by_key(|(at, _)| *at);
    late.into_iter().map(|(_, event)| event).collect()
}

fn write_lines<T: serde::Serialize>(file: &Path, lines: &[T]) {
    let mut out = BufWriter::new(File::create(file).expect("a file"));
    for line in lines {
        writeln!(out, "{}", serde_json::to_string(line).expect("JSON")).expect("written");
    }
    out.flush().expect("written");
}

/// Writes the reasons that were given for each event.
fn explain(played: &Played, file: &Path) {
    let threads = played.lanka(&["export", "threads"]);
    let threads: Vec<Value> = threads.lines().map(|line| serde_json::from_str(line).expect("a thread")).collect();
    let messages = threads.iter().filter_map(|thread| thread["messages"].as_array()).flatten();
    let reasons: HashMap<&str, &Value> =
        messages.filter_map(|message| Some((message["id"].as_str()?, &message["reasons"]))).collect();
    let lines: Vec<Value> = played
        .stream
        .iter()
        .filter_map(|(event, at)| Some((event, played.assigned.get(at)?)))
        .map(|(event, one)| {
            let reasons = one.message_id.as_deref().and_then(|id| reasons.get(id));
            json!({ "event_id": event.event_id, "role": one.role, "reasons": reasons })
        })
        .collect();
    write_lines(file, &lines);
}
