//! `lanka export`: everything, as JSON lines on standard output, whatever `--format` says.
//!
//! **Invariant:** memory is bounded by a page; each export is one snapshot of the database.

use super::output::Output;
use super::stream::Recorded;
use super::thread::ThreadView;
use super::{Bench, Failure};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Export {
    /// One object for each delivered item: whose it is and which ticket it is on, now and at arrival.
    Assignments,
    /// One object for each ticket, with its messages.
    Threads,
    /// One object for each contact, with its identities.
    Contacts,
    /// Every delivery with its bytes, in order of arrival, as `lanka import --events` reads it.
    Raw,
}

impl Export {
    pub(super) async fn run(self, bench: Bench, output: &mut Output) -> Result<(), Failure> {
        bench
            .with(async |_, deployment| {
                let mut snapshot = deployment.store.snapshot().await?;
                match self {
                    Self::Assignments => {
                        let mut after = None;
                        loop {
                            let page = snapshot.assignments(after).await?;
                            let Some(last) = page.last() else { return Ok(()) };
                            after = Some((last.raw_event, last.item));
                            page.iter().try_for_each(|line| output.json(line))?;
                        }
                    }
                    Self::Threads => {
                        let mut after = None;
                        loop {
                            let page = snapshot.threads(after).await?;
                            let Some((last, _)) = page.last() else { return Ok(()) };
                            after = Some(last.id);
                            page.iter().try_for_each(|(ticket, messages)| {
                                output.json(&ThreadView { ticket, messages, recurring: None, acts: &[] })
                            })?;
                        }
                    }
                    Self::Contacts => {
                        let mut after = None;
                        loop {
                            let page = snapshot.contacts(after).await?;
                            let Some(last) = page.last() else { return Ok(()) };
                            after = Some(last.id);
                            page.iter().try_for_each(|line| output.json(line))?;
                        }
                    }
                    Self::Raw => snapshot.raw_events(|event| output.json(&Recorded::of(&event))).await,
                }
            })
            .await
    }
}
