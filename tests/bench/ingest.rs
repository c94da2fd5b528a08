//! `cargo bench --bench ingest [-- --quick] [--only PART,…]`: how fast messages go through, each
//! figure as a ratio of two sides measured in one run on one Postgres with default durability.
//!
//! The last line is one JSON object (DESIGN 8): `limit_ratio`, `webhook_group_ratio`, `imap_ratio`,
//! `growth_ratio`, `lag_ms_p99`, `keys_p99`, `database_ms_p99`, `rss_mb`, and the raw figures they were made of.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a benchmark that does not get what it needs has failed, and says so"
)]

mod corpus;
mod cost;
mod desk;
#[path = "../it/dovecot.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use more of it")]
mod dovecot;
mod growth;
#[allow(dead_code, reason = "the crash benchmark uses the rest")]
mod harness;
mod lag;
mod limit;
mod mailbox;
mod memory;
mod rows;
#[path = "../it/support.rs"]
#[allow(unused_imports, reason = "the tests use more of it")]
mod support;
mod webhooks;

use desk::Server;
use serde_json::{Map, Value};

/// What is measured.
struct Plan {
    /// Smaller sizes, under five minutes in all.
    quick: bool,
    /// Parts to run; all when empty.
    only: Vec<String>,
    /// Contacts in the history of `growth` and `cost`, other than by default.
    contacts: Option<u64>,
}

impl Plan {
    fn of(arguments: impl Iterator<Item = String>) -> Self {
        let mut plan = Self { quick: false, only: Vec::new(), contacts: None };
        let mut arguments = arguments.skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => plan.quick = true,
                "--only" => plan.only = arguments.next().unwrap_or_default().split(',').map(str::to_owned).collect(),
                "--contacts" => plan.contacts = arguments.next().and_then(|number| number.parse().ok()),
                // Cargo's own.
                "--bench" => {}
                other => panic!("unknown argument {other}; known are --quick, --only PART,… and --contacts N"),
            }
        }
        plan
    }

    fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == part)
    }
}

#[tokio::main]
async fn main() {
    let plan = Plan::of(std::env::args());
    let server = Server::start(false).await;
    let mut figures = Map::new();
    figures.insert("quick".to_owned(), Value::Bool(plan.quick));
    if plan.wants("limit") {
        figures.extend(limit::measure(&server, if plan.quick { 3_000 } else { 10_000 }).await);
    }
    if plan.wants("webhook") {
        figures.extend(webhooks::measure(&server, if plan.quick { 2_000 } else { 10_000 }).await);
    }
    if plan.wants("imap") {
        figures.extend(mailbox::measure(&server, if plan.quick { 2_000 } else { 8_000 }).await);
    }
    if plan.wants("growth") {
        let (contacts, count) = if plan.quick { (20_000, 2_000) } else { (1_000_000, 5_000) };
        figures.extend(growth::measure(&server, plan.contacts.unwrap_or(contacts), count).await);
    }
    if plan.wants("lag") {
        figures.extend(lag::measure(&server, if plan.quick { 20 } else { 60 }).await);
    }
    server.stop().await;
    if plan.wants("cost") {
        let (contacts, count) = if plan.quick { (20_000, 500) } else { (1_000_000, 3_000) };
        figures.extend(cost::measure(plan.contacts.unwrap_or(contacts), count).await);
    }
    if plan.wants("rss") {
        figures.extend(memory::measure(if plan.quick { 10_000 } else { 100_000 }).await);
    }
    println!("{}", Value::Object(figures));
}

/// The median, of an odd number best.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A number for people and programs: three digits after the point.
fn number(value: f64) -> Value {
    serde_json::json!((value * 1000.0).round() / 1000.0)
}
