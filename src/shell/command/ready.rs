//! `lanka ready`: the texts that agents answer with, and how they are used.

use super::output::{Output, clock};
use super::{Bench, Failure};
use crate::shell::store::ready::ReadyLine;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Ready {
    /// Those there are, on how many tickets each was offered, and how often it was used.
    List,
}

impl Ready {
    pub(super) async fn run(self, bench: Bench, output: &mut Output) -> Result<(), Failure> {
        let Self::List = self;
        bench
            .with(async |settings, deployment| {
                let zone = &settings.defaults.time_zone;
                let cells = |line: &ReadyLine| {
                    vec![
                        line.id.clone(),
                        line.language.clone(),
                        line.kinds.join(", "),
                        line.offered.to_string(),
                        line.used.to_string(),
                        line.last_used_at.map(|at| clock(at, zone)).unwrap_or_default(),
                        if line.is_there { String::new() } else { "gone".to_owned() },
                        line.title.clone(),
                    ]
                };
                let header = ["answer", "language", "kinds", "offered", "used", "last used", "file", "title"];
                output.rows(
                    &header,
                    &deployment.store.ready_lines().await?,
                    cells,
                    "no ready answers: set ready_answers.dir",
                )
            })
            .await
    }
}
