//! `lanka contact`: a person with his journal; who is who, by hand.

use super::by_hand::{self, By, because};
use super::output::{Output, clock};
use super::{Bench, Failure};
use crate::shell::hands::Hands;
use crate::shell::store::hands::{ContactShown, IdentityShown};
use jiff::tz::TimeZone;

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
}

impl Contact {
    /// Whether it does more than read.
    pub(super) fn changes(&self) -> bool {
        !matches!(self, Self::Show { .. })
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
        }
    }
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
