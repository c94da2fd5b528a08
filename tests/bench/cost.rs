//! What one message costs the database that holds years of history, when it comes alone: keys looked up,
//! descents into indexes as Postgres counts them, and the time of its statements.
//!
//! The same history and corpus as `growth`. Each message is stored and decided by itself, so nothing of
//! a batch is shared; in a backlog a message costs a fraction of it.

use crate::corpus::Item;
use crate::desk::{Desk, Server, raw};
use crate::{growth, median, number};
use lanka::pure::decide::lookup::lookup;
use lanka::pure::decide::normalise::normalise;
use lanka::pure::domain::facts::{Lookup, LookupKey};
use lanka::pure::domain::id::{MessageId, RawEventId};
use lanka::pure::domain::message::{Message, RawEvent};
use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use std::collections::BTreeSet;

/// The database with the history.
const DATABASE: &str = "cost";

/// Messages decided before anything is counted: connections know their statements, caches are warm.
const WARM_UP: usize = 300;

/// Measures with `contacts` in the history and `count` messages.
pub async fn measure(contacts: u64, count: usize) -> Map<String, Value> {
    let server = Server::start(true).await;
    let desk = server.desk(DATABASE).await;
    growth::fill(&server, DATABASE, contacts).await;
    let items = growth::items(400, WARM_UP + count, contacts);
    let (warm_up, items) = items.split_at(WARM_UP);
    for item in warm_up {
        alone(&desk, item).await;
    }
    let mut keys: Vec<f64> = items.iter().map(|item| keys(&desk, item) as f64).collect();
    server.count_statements(DATABASE).await;
    let mut counter = server.connect("lanka").await;
    let scans = descents(&server).await;
    let mut times_ms = Vec::with_capacity(items.len());
    let mut before = statements_ms(&mut counter).await;
    for item in items {
        alone(&desk, item).await;
        let now = statements_ms(&mut counter).await;
        times_ms.push(now - before);
        before = now;
    }
    let waiting = desk.count("SELECT count(*) FROM raw_pending").await;
    assert_eq!(waiting, 0, "something was not decided");
    desk.store.pool.close().await;
    let scans = (descents(&server).await - scans) as f64 / items.len() as f64;
    server.show_statements(DATABASE, times_ms.iter().sum::<f64>() / 1000.0).await;
    server.stop().await;
    keys.sort_by(f64::total_cmp);
    times_ms.sort_by(f64::total_cmp);
    let p99 = |sorted: &[f64]| sorted[sorted.len() * 99 / 100];
    eprintln!(
        "cost: {contacts} contacts, {} messages one by one: keys {:.1} mean, {} at the 99th percentile, {} at most; \
         {scans:.1} descents into indexes; statements {:.2} ms median, {:.2} ms at the 99th percentile",
        items.len(),
        keys.iter().sum::<f64>() / keys.len() as f64,
        p99(&keys),
        keys.last().copied().unwrap_or_default(),
        median(times_ms.clone()),
        p99(&times_ms),
    );
    let figures = json!({
        "contacts": contacts, "messages": items.len(),
        "keys_median": median(keys.clone()), "keys_max": keys.last(),
        "index_descents_mean": number(scans), "database_ms_median": number(median(times_ms.clone())),
    });
    Map::from_iter([
        ("keys_p99".to_owned(), number(p99(&keys))),
        ("database_ms_p99".to_owned(), number(p99(&times_ms))),
        ("cost".to_owned(), figures),
    ])
}

/// One message, from its delivery to its thread.
async fn alone(desk: &Desk, item: &Item) {
    desk.record(std::slice::from_ref(item)).await;
    desk.decide().await;
}

/// Milliseconds that statements of the database took so far, with their planning.
async fn statements_ms(counter: &mut PgConnection) -> f64 {
    let sql = "SELECT coalesce(sum(total_exec_time + total_plan_time), 0) FROM pg_stat_statements(false)
               WHERE dbid = (SELECT oid FROM pg_database WHERE datname = $1)";
    sqlx::query_scalar(sql).bind(DATABASE).fetch_one(counter).await.expect("the statements' time")
}

/// Descents into indexes of the tables that Postgres has counted. Those of a connection are all counted
/// when it has been closed.
async fn descents(server: &Server) -> i64 {
    let mut connection = server.connect(DATABASE).await;
    let sql = "SELECT coalesce(sum(idx_scan), 0)::bigint FROM pg_stat_user_indexes";
    sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("the descents")
}

/// Keys that facts about a message are looked up by.
fn keys(desk: &Desk, item: &Item) -> usize {
    let new = raw(item);
    let channel = &desk.parts.registry.channels[&new.channel];
    let tenant = &desk.parts.registry.tenants[&new.tenant];
    let event = RawEvent {
        id: RawEventId(uuid::Uuid::nil()),
        tenant: new.tenant,
        channel: new.channel,
        kind: new.kind,
        received_at: new.received_at,
        trusted_at: None,
        origin: new.origin,
        body: item.body.clone().into(),
    };
    let messages = channel.parse(&event).items.into_iter().zip(0..);
    let messages =
        messages.map(|(incoming, at)| normalise(&event, at, incoming, MessageId(uuid::Uuid::nil()), &tenant.policy));
    messages.map(|message| looked_up(&message, &lookup(&message, &tenant.keyer))).sum()
}

fn looked_up(message: &Message, lookup: &Lookup) -> usize {
    let own = lookup.own.iter().map(|(_, key)| key);
    let facts = lookup.facts.iter().flatten().chain(&lookup.claims_on);
    let elsewhere = lookup.references.iter().chain(&lookup.subject).chain(&lookup.quoted);
    let keys: BTreeSet<&LookupKey> = own.chain(facts).chain(elsewhere).chain([&lookup.seen_key]).collect();
    keys.len() + message.customer().identities.len()
}
