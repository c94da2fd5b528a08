//! `lanka queue`: which queues there are, and what is in each.

use super::output::Output;
use super::{Bench, Failure};
use crate::shell::store::listing::QueueLine;
use std::collections::BTreeSet;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Queue {
    /// What is open in each queue, and how much of that no rule is for.
    List,
}

impl Queue {
    pub(super) async fn run(self, bench: Bench, output: &mut Output) -> Result<(), Failure> {
        let Self::List = self;
        bench
            .with(async |settings, deployment| {
                let mut lines = deployment.store.queues().await?;
                let known: BTreeSet<String> = lines.iter().map(|line| line.queue.clone()).collect();
                let empty = settings.routing.names().into_iter().filter(|queue| !known.contains(*queue));
                lines.extend(empty.map(|queue| QueueLine { queue: queue.to_owned(), ..QueueLine::default() }));
                lines.sort_by(|one, other| one.queue.cmp(&other.queue));
                let cells = |line: &QueueLine| {
                    let name = if line.queue.is_empty() { "(none)" } else { &line.queue };
                    let counts = [line.open, line.unowned, line.awaited, line.unrouted, line.put];
                    [name.to_owned()].into_iter().chain(counts.map(|count| count.to_string())).collect()
                };
                let heads = ["queue", "open", "nobody's", "awaited", "by no rule", "by hand"];
                output.rows(&heads, &lines, cells, "no queues")
            })
            .await
    }
}
