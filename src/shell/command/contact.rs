//! `lanka contact`: a person with his journal; who is who, by hand.

use super::by_hand::{self, By, because};
use super::output::{Output, clock};
use super::{Bench, Failure};
use crate::shell::hands::Hands;
use crate::shell::privacy::{Erased, Privacy};
use crate::shell::store::StoreError;
use crate::shell::store::hands::{ContactShown, IdentityShown};
use crate::shell::store::person::Person;
use crate::shell::{Deployment, Parts, counted};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Contact {
    /// One person: addresses, tickets, what agents said of him, and how he came to be one.
    Show {
        /// The contact's id (one that was merged away works too), or that of one of its identities.
        id: String,
    },
    /// Say that two contacts are one person.
    Link {
        /// The one: the id of the contact, or of one of its identities.
        one: String,
        /// The other.
        other: String,
        #[command(flatten)]
        by: By,
    },
    /// Say that addresses of a contact are not the same person's as the rest of it.
    Unlink {
        /// The id of the contact, or of one of its identities.
        contact: String,
        /// The addresses that go: their ids, or as `mailto:minna@posti.example`.
        #[arg(required = true, value_name = "IDENTITY")]
        identities: Vec<String>,
        #[command(flatten)]
        by: By,
    },
    /// Forget a person: all that he said, his names and addresses. It cannot be taken back.
    Erase {
        /// The id of the contact, or of one of its identities.
        id: String,
        #[command(flatten)]
        by: By,
    },
    /// Hand over all that is held about a person, as JSON lines.
    Export {
        /// The id of the contact, or of one of its identities.
        id: String,
        /// A directory that is made for it, with `held.jsonl` and the files under `files`; else standard output, without files.
        #[arg(long, value_name = "DIR")]
        into: Option<PathBuf>,
    },
}

impl Contact {
    /// Whether it does more than read.
    pub(super) fn changes(&self) -> bool {
        !matches!(self, Self::Show { .. } | Self::Export { .. })
    }

    pub(super) async fn run(self, bench: Bench, output: &mut Output) -> Result<(), Failure> {
        match self {
            Self::Show { id } => {
                bench
                    .with(async |settings, deployment| {
                        let contact = deployment.store.contact(&id).await?;
                        match output.is_json() {
                            true => output.json(&contact),
                            false => show(&contact, &settings.defaults.time_zone, output),
                        }
                    })
                    .await
            }
            Self::Link { one, other, by } => {
                by_hand::run(bench, output, async |hands: &Hands| hands.link(&one, &other, by.saying()).await).await
            }
            Self::Unlink { contact, identities, by } => {
                let act = async |hands: &Hands| hands.unlink(&contact, &identities, by.saying()).await;
                by_hand::run(bench, output, act).await
            }
            Self::Erase { id, by } => erase(bench, &id, &by, output).await,
            Self::Export { id, into } => export(bench, &id, into.as_deref(), output).await,
        }
    }
}

async fn erase(bench: Bench, id: &str, by: &By, output: &mut Output) -> Result<(), Failure> {
    let Bench { settings, deployment } = bench;
    let (parts, _) = Parts::of(settings, &deployment.keys);
    let privacy = Privacy::new(deployment.store.clone(), parts.registry);
    let result = privacy.erase(None, id, by.saying()).await;
    drop(privacy);
    deployment.close().await;
    let erased = result?;
    let Erased { contact, already, messages, deliveries, left, .. } = &erased;
    if output.is_json() {
        output.json(&erased)?;
    } else {
        let deliveries = counted(*deliveries, "delivery", "deliveries");
        output.text(&match already {
            true => format!("contact {contact} was erased before; taken out of {deliveries} now"),
            false => format!(
                "contact {contact} is erased: {} emptied, taken out of {deliveries}",
                counted(*messages, "message", "messages")
            ),
        })?;
    }
    for left in left {
        eprintln!("lanka: delivery {} may hold something of his still: {}", left.raw_event, left.why);
    }
    if left.is_empty() { Ok(()) } else { Err(Failure::Said) }
}

async fn export(bench: Bench, id: &str, into: Option<&Path>, output: &mut Output) -> Result<(), Failure> {
    let Bench { settings, deployment } = bench;
    let (parts, _) = Parts::of(settings, &deployment.keys);
    let privacy = Privacy::new(deployment.store.clone(), parts.registry);
    let work = async {
        let person = privacy.find(None, id).await?;
        if person.erased_at.is_some() {
            return Err(Failure::Failed(format!("contact {} is erased: nothing is held about him", person.id)));
        }
        let line = |what: &str, row: Value| json!({"what": what, "row": row});
        match into {
            None => privacy.held(&person, |what, row| output.json(&line(what, row))).await,
            Some(dir) => {
                let rows = hand_over(&privacy, &deployment, &person, dir).await?;
                output.text(&format!("{} in {}", counted(rows, "row", "rows"), dir.display()))
            }
        }
    };
    let result = work.await;
    drop(privacy);
    deployment.close().await;
    result
}

/// Writes all that is held into a directory of its own, which nobody else may read.
async fn hand_over(privacy: &Privacy, deployment: &Deployment, person: &Person, dir: &Path) -> Result<usize, Failure> {
    let failed = |error: std::io::Error| Failure::Failed(format!("cannot write to {}: {error}", dir.display()));
    let new = |path: &Path| fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    // One that is there may be open to others, or hold something else.
    fs::DirBuilder::new().mode(0o700).create(dir).map_err(failed)?;
    let files = dir.join("files");
    fs::DirBuilder::new().mode(0o700).create(&files).map_err(failed)?;
    let mut held = BufWriter::new(new(&dir.join("held.jsonl")).map_err(failed)?);
    let mut rows = 0;
    privacy
        .held(person, |what, row| {
            rows += 1;
            writeln!(held, "{}", json!({"what": what, "row": row})).map_err(failed)
        })
        .await?;
    held.into_inner().map_err(|error| failed(error.into_error()))?.sync_all().map_err(failed)?;
    for (hash, _) in deployment.store.files_of(person).await? {
        let bytes = deployment.store.content.get(hash).await.map_err(StoreError::from)?;
        new(&files.join(hash.to_string())).and_then(|mut file| file.write_all(&bytes)).map_err(failed)?;
    }
    Ok(rows)
}

fn show(contact: &ContactShown, zone: &TimeZone, output: &mut Output) -> Result<(), Failure> {
    let name = contact.name.as_deref().unwrap_or("without a name");
    output.heading(&format!("contact {} {name}", contact.id))?;
    output.text(&format!("{} of {}, since {}", contact.kind, contact.tenant, clock(contact.first_at, zone)))?;
    for identity in &contact.identities {
        output.text(&format!("  {}", address(identity, zone)))?;
    }
    for (what, ids) in [
        ("also", contact.aliases.iter().map(ToString::to_string).collect::<Vec<_>>()),
        ("on tickets", contact.tickets.iter().map(ToString::to_string).collect()),
    ] {
        if !ids.is_empty() {
            output.text(&format!("{what} {}", ids.join(", ")))?;
        }
    }
    if !contact.words.is_empty() {
        output.heading("said by agents")?;
    }
    for word in &contact.words {
        let what = if word.class == "agent_same" { "is one with" } else { "is not one with" };
        let (at, by) = (clock(word.at, zone), &word.by);
        output.text(&format!("  {at}  {} {what} {}, by {by}{}", word.one, word.other, because(&word.why)))?;
        if let (Some(by), Some(at)) = (&word.off_by, word.off_at) {
            let why = because(word.off_why.as_deref().unwrap_or_default());
            output.text(&format!("    withdrawn {} by {by}{why}", clock(at, zone)))?;
        }
    }
    if !contact.journal.is_empty() {
        output.heading("journal")?;
    }
    contact.journal.iter().try_for_each(|link| {
        let (at, act, by) = (clock(link.at, zone), &link.act, &link.by);
        output.text(&format!("  {at}  {act} {} and {}, by {by}{}", link.keep, link.other, because(&link.why)))
    })
}

fn address(identity: &IdentityShown, zone: &TimeZone) -> String {
    let IdentityShown { id, scheme, scope, value, epoch, assurance, names, last_at } = identity;
    let scope = if scope.is_empty() { String::new() } else { format!(" at {scope}") };
    let epoch = if *epoch > 1 { format!(", its owner number {epoch}") } else { String::new() };
    let names = if names.is_empty() { String::new() } else { format!(", as {}", names.join(", ")) };
    format!("{scheme}:{value}{scope}{epoch}, {assurance}{names}, last {} ({id})", clock(*last_at, zone))
}
