//! `lanka incident`: what many speak of at once, and what people say to it.

use super::by_hand::By;
use super::output::{Output, clock};
use super::{Bench, Failure};
use crate::config::Settings;
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::TicketId;
use crate::shell::Deployment;
use crate::shell::store::incident::{IncidentShown, IncidentTicket};
use serde::Serialize;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Incident {
    /// The latest incidents.
    List {
        /// Only those that are open.
        #[arg(long)]
        open: bool,
        /// At most so many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..))]
        limit: i64,
    },
    /// One incident with its tickets.
    Show {
        /// Its id, or its short number.
        id: String,
    },
    /// It is over, or was none.
    Close {
        /// The incident.
        id: String,
        #[command(flatten)]
        by: By,
    },
    /// Put a ticket on an incident.
    Link {
        /// The ticket's id, or its short number.
        ticket: String,
        /// The incident.
        id: String,
        #[command(flatten)]
        by: By,
    },
    /// Take a ticket off an incident. It stays off.
    Unlink {
        /// The ticket's id, or its short number.
        ticket: String,
        /// The incident.
        id: String,
        #[command(flatten)]
        by: By,
    },
}

/// An incident whole, for programs.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    incident: &'a IncidentShown,
    on_it: &'a [IncidentTicket],
}

impl Incident {
    /// Whether it does more than read.
    pub(super) fn changes(&self) -> bool {
        !matches!(self, Self::List { .. } | Self::Show { .. })
    }

    pub(super) async fn run(self, bench: Bench, output: &mut Output) -> Result<(), Failure> {
        bench.with(async |settings, deployment| self.work(settings, deployment, output).await).await
    }

    async fn work(&self, settings: &Settings, deployment: &Deployment, output: &mut Output) -> Result<(), Failure> {
        let (store, now) = (&deployment.store, Timestamp::now());
        let nothing = |why: &str| Failure::Failed(why.to_owned());
        match self {
            Self::List { open, limit } => {
                let lines = store.incidents(None, open.then_some("open"), *limit).await?;
                let zone = &settings.defaults.time_zone;
                let cells = |line: &IncidentShown| {
                    vec![
                        format!("#{}", line.number),
                        line.state.clone(),
                        who(line),
                        clock(line.began_at, zone),
                        clock(line.last_at, zone),
                        line.tickets.to_string(),
                        line.terms.join(", "),
                    ]
                };
                output.rows(
                    &["incident", "state", "of", "began", "last", "tickets", "terms"],
                    &lines,
                    cells,
                    "no incidents",
                )
            }
            Self::Show { id } => {
                let (incident, _) = find(deployment, id).await?;
                let tickets = store.tickets_of_incident(incident.id).await?;
                show(settings, (&incident, &tickets), output)
            }
            Self::Close { id, by } => {
                let (incident, _) = find(deployment, id).await?;
                match store.close_incident(incident.id, by.saying().by, now).await? {
                    true => output.text(&format!("incident #{} is over", incident.number)),
                    false => Err(nothing("it was over before")),
                }
            }
            Self::Link { ticket, id, by } => {
                let (incident, tenant) = find(deployment, id).await?;
                let ticket = ticket_of(deployment, ticket, &tenant).await?;
                let mirrors = settings.mirrors.iter().filter(|(_, mirror)| mirror.tenant == tenant && mirror.enabled);
                let mirrors: Vec<String> = mirrors.map(|(name, _)| name.clone()).collect();
                match store.link_incident((&incident, &tenant), ticket, &mirrors, by.saying().by, now).await? {
                    true => output.text(&format!("the ticket is on incident #{}", incident.number)),
                    false => Err(nothing("it was on it before")),
                }
            }
            Self::Unlink { ticket, id, by } => {
                let (incident, tenant) = find(deployment, id).await?;
                let ticket = ticket_of(deployment, ticket, &tenant).await?;
                match store.unlink_incident((incident.id, &tenant), ticket, by.saying().by, now).await? {
                    true => output.text(&format!("the ticket is not on incident #{} any more", incident.number)),
                    false => Err(nothing("it is not on it")),
                }
            }
        }
    }
}

async fn find(deployment: &Deployment, named: &str) -> Result<(IncidentShown, String), Failure> {
    let unknown =
        || Failure::Failed(format!("there is no incident \"{named}\"; `lanka incident list` shows those there are"));
    deployment.store.incident(None, named).await?.ok_or_else(unknown)
}

/// A ticket of the incident's firm.
async fn ticket_of(deployment: &Deployment, named: &str, tenant: &str) -> Result<TicketId, Failure> {
    let unknown = || {
        Failure::Failed(format!(
            "there is no ticket \"{named}\" of {tenant}; `lanka thread list` shows those there are"
        ))
    };
    deployment.store.ticket_in(tenant, named).await?.ok_or_else(unknown)
}

/// Whom an incident is of.
pub(super) fn who(incident: &IncidentShown) -> String {
    incident.organisation.clone().unwrap_or_else(|| incident.sort.clone())
}

fn show(
    settings: &Settings,
    (incident, tickets): (&IncidentShown, &[IncidentTicket]),
    output: &mut Output,
) -> Result<(), Failure> {
    if output.is_json() {
        return output.json(&Whole { incident, on_it: tickets });
    }
    let zone = &settings.defaults.time_zone;
    output.heading(&format!("incident #{} of {}: {}", incident.number, who(incident), incident.terms.join(", ")))?;
    let ended = match (&incident.ended_by, incident.ended_at) {
        (Some(by), Some(at)) => format!(", over {} ({by})", clock(at, zone)),
        _ => String::new(),
    };
    output.text(&format!(
        "{}, began {}, found {} with {} where {:.1} are usual, last {}{ended}, {}",
        incident.state,
        clock(incident.began_at, zone),
        clock(incident.found_at, zone),
        incident.count,
        incident.expected,
        clock(incident.last_at, zone),
        incident.id
    ))?;
    let cells = |ticket: &IncidentTicket| {
        vec![
            format!("#{}", ticket.number),
            ticket.state.clone(),
            if ticket.is_alert { "alert".to_owned() } else { "contact".to_owned() },
            ticket.by.clone(),
            clock(ticket.since, zone),
            ticket.title.clone(),
        ]
    };
    output.rows(&["ticket", "state", "sort", "by", "since", "title"], tickets, cells, "no tickets")
}
