//! `limit_ratio`: stored deliveries to committed threads, against writing the very same rows alone.

use crate::corpus::{Corpus, Item};
use crate::desk::Server;
use crate::rows::{self, By};
use crate::{median, number};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use std::time::Instant;

/// Pairs of measurements, an odd number.
const PAIRS: usize = 5;

/// The time that the corpus of a pair spans: windows and rotations of threads as in life.
const SPAN_S: i64 = 20 * 24 * 3600;

/// Measures with `count` messages a pair.
pub async fn measure(server: &Server, count: usize) -> Map<String, Value> {
    let (mut ratios, mut ours, mut limits, mut copies, mut unnests) = (vec![], vec![], vec![], vec![], vec![]);
    let mut rows_each = 0.0;
    for pair in 0..PAIRS {
        let items = items(pair as u64 + 1, count);
        let desk = server.desk("limit_ours").await;
        desk.record(&items).await;
        server.settle().await;
        server.watch_statements("limit_ours").await;
        let began = Instant::now();
        desk.decide().await;
        let seconds = began.elapsed().as_secs_f64();
        assert_eq!(desk.count("SELECT count(*) FROM raw_pending").await, 0, "something was not decided");
        assert_eq!(desk.count("SELECT count(*) FROM quarantine").await, 0, "something was not read");
        server.show_statements("limit_ours", seconds).await;
        let written = rows::read(server, "limit_ours").await;
        desk.store.pool.close().await;
        server.drop("limit_ours").await;
        let mut times = [0.0; 2];
        let mut ways = [By::Copy, By::Unnest];
        if pair % 2 == 1 {
            ways.reverse();
        }
        for by in ways {
            server.empty("limit_plain").await;
            server.settle().await;
            times[usize::from(by == By::Unnest)] = written.write(server, "limit_plain", by).await.as_secs_f64();
            server.drop("limit_plain").await;
        }
        let (own, limit) = (count as f64 / seconds, count as f64 / times[0].min(times[1]));
        eprintln!(
            "limit, pair {}: ours {own:.0}/s, COPY {:.0}/s, UNNEST {:.0}/s, ratio {:.3}; {} messages, {:.1} rows each",
            pair + 1,
            count as f64 / times[0],
            count as f64 / times[1],
            own / limit,
            written.messages,
            written.rows as f64 / written.messages as f64
        );
        ratios.push(own / limit);
        ours.push(own);
        limits.push(limit);
        copies.push(count as f64 / times[0]);
        unnests.push(count as f64 / times[1]);
        rows_each = written.rows as f64 / written.messages as f64;
    }
    let raw = json!({
        "messages_per_pair": count, "pairs": PAIRS, "rows_per_message": number(rows_each),
        "ingest_per_s": ours.into_iter().map(number).collect::<Vec<_>>(),
        "copy_per_s": copies.into_iter().map(number).collect::<Vec<_>>(),
        "unnest_per_s": unnests.into_iter().map(number).collect::<Vec<_>>(),
        "ratios": ratios.iter().copied().map(number).collect::<Vec<_>>(),
        "limit_per_s": number(median(limits)),
    });
    Map::from_iter([("limit_ratio".to_owned(), number(median(ratios))), ("limit".to_owned(), raw)])
}

/// A corpus that ends about now.
pub fn items(seed: u64, count: usize) -> Vec<Item> {
    let step = SignedDuration::from_secs(SPAN_S) / i32::try_from(count).unwrap_or(i32::MAX);
    let start = Timestamp::now().saturating_sub(SignedDuration::from_secs(SPAN_S + 60)).expect("a time");
    Corpus::new(seed, start, step).take(count).collect()
}
