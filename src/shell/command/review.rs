//! `lanka review`: what may belong together, and what people say to it.

use super::by_hand::{self, By};
use super::output::{Output, clock};
use super::{Bench, Failure};
use crate::shell::hands::Hands;
use crate::shell::store::hands::{SideShown, SuggestionShown};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Review {
    /// What waits for an answer, the latest first.
    List {
        /// Also what was answered, and what later evidence overtook.
        #[arg(long)]
        all: bool,
        /// At most so many.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..))]
        limit: i64,
    },
    /// They are one: join the contacts, or merge the tickets.
    Accept {
        /// The suggestion.
        id: String,
        #[command(flatten)]
        by: By,
    },
    /// They are not: keep them apart, and do not suggest it again.
    Reject {
        /// The suggestion.
        id: String,
        #[command(flatten)]
        by: By,
    },
}

impl Review {
    /// Whether it does more than read.
    pub(super) fn changes(&self) -> bool {
        !matches!(self, Self::List { .. })
    }

    pub(super) async fn run(self, bench: Bench, output: &mut Output) -> Result<(), Failure> {
        match self {
            Self::List { all, limit } => {
                bench
                    .with(async |settings, deployment| {
                        let lines = deployment.store.suggestions(all, limit).await?;
                        let cells = |line: &SuggestionShown| {
                            let class = line.class.as_deref().unwrap_or("-");
                            let state = match &line.answered_by {
                                Some(by) => format!("{} by {by}", line.state),
                                None => line.state.clone(),
                            };
                            vec![
                                line.id.to_string(),
                                state,
                                clock(line.since, &settings.defaults.time_zone),
                                side(&line.kind, &line.one),
                                side(&line.kind, &line.other),
                                class.to_owned(),
                                line.bits.to_string(),
                                line.why.clone(),
                            ]
                        };
                        let header = ["suggestion", "state", "since", "one", "other", "class", "bits", "why"];
                        output.rows(&header, &lines, cells, "nothing waits for an answer")
                    })
                    .await
            }
            Self::Accept { id, by } => {
                by_hand::run(bench, output, async |hands: &Hands| hands.accept(&id, by.saying()).await).await
            }
            Self::Reject { id, by } => {
                by_hand::run(bench, output, async |hands: &Hands| hands.reject(&id, by.saying()).await).await
            }
        }
    }
}

/// One side in a cell.
fn side(kind: &str, side: &SideShown) -> String {
    let id = side.id.map_or_else(|| "nobody".to_owned(), |id| id.to_string());
    let number = side.number.map(|number| format!("#{number} ")).unwrap_or_default();
    let name = side.name.as_deref().unwrap_or_default();
    let identities = side.identities.join(", ");
    let shown: Vec<&str> = [name, &identities, &id].into_iter().filter(|text| !text.is_empty()).collect();
    format!("{kind} {number}{}", shown.join(", "))
}
