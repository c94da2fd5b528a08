//! `lanka letter`: what the desk writes to its own people by the clock, and how the latest of each went.

use super::output::{Output, clock};
use super::{Bench, Failure};
use crate::pure::domain::Timestamp;
use crate::pure::domain::letter::{LetterAbout, LetterPlan};
use crate::shell::alerts::Alerts;
use crate::shell::carriers::http::HttpCarrier;
use crate::shell::daemon::letters;
use crate::shell::store::letter::LetterLine;
use crate::shell::{Deployment, Parts};
use serde::Serialize;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Letter {
    /// Which there are, when each is due next, and how the latest went.
    List,
    /// Send one to all its recipients now: the one that was due last, as things stand.
    Send {
        /// Its name in the configuration.
        name: String,
    },
}

/// A letter for programs.
#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    tenant: &'a str,
    about: &'static str,
    every: &'static str,
    at: String,
    next: Timestamp,
    recipients: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest: Option<&'a LetterLine>,
}

impl Letter {
    /// Whether it does more than read.
    pub(super) fn changes(&self) -> bool {
        matches!(self, Self::Send { .. })
    }

    pub(super) async fn run(self, bench: Bench, output: &mut Output) -> Result<(), Failure> {
        let Bench { settings, deployment } = bench;
        let result = match &self {
            Self::List => list(&settings, &deployment, output).await,
            Self::Send { name } => send(settings, &deployment, name, output).await,
        };
        deployment.close().await;
        result
    }
}

async fn list(settings: &crate::config::Settings, deployment: &Deployment, output: &mut Output) -> Result<(), Failure> {
    let (plans, now, zone) = (settings.letters(), Timestamp::now(), &settings.defaults.time_zone);
    let latest = deployment.store.letter_lines().await?;
    let line = |plan: &LetterPlan| {
        let (slot, _) = plan.slot(zone, now);
        let next = plan.due(plan.every.holding(slot).end, zone);
        (next, latest.iter().find(|line| line.name == plan.name).cloned())
    };
    let found: Vec<_> = plans.iter().map(|plan| (plan, line(plan))).collect();
    let lines: Vec<Line<'_>> = found
        .iter()
        .map(|(plan, (next, latest))| Line {
            name: &plan.name,
            tenant: &plan.tenant,
            about: match plan.about {
                LetterAbout::Report { .. } => "report",
                LetterAbout::Dust => "dust",
            },
            every: plan.every.as_str(),
            at: plan.at.strftime("%H:%M").to_string(),
            next: *next,
            recipients: plan.to.len() + plan.mirrors.len(),
            latest: latest.as_ref(),
        })
        .collect();
    let cells = |line: &Line<'_>| {
        let went =
            line.latest.map_or_else(String::new, |latest| match (latest.delivered, latest.pending, latest.dead) {
                (0, 0, 0) => format!("{}: nothing to tell", latest.slot),
                (n, 0, 0) => format!("{}: {n} have it", latest.slot),
                (n, waiting, dead) => format!("{}: {n} have it, {waiting} wait, {dead} will not get it", latest.slot),
            });
        let why = line.latest.and_then(|latest| latest.why.clone()).unwrap_or_default();
        vec![
            line.name.to_owned(),
            line.about.to_owned(),
            format!("{} {}", line.every, line.at),
            clock(line.next, zone),
            line.recipients.to_string(),
            went,
            why,
        ]
    };
    output.rows(
        &["letter", "about", "every", "next", "to", "the latest", "why"],
        &lines,
        cells,
        "no letters: [letters.NAME] writes them",
    )
}

async fn send(
    settings: crate::config::Settings,
    deployment: &Deployment,
    name: &str,
    output: &mut Output,
) -> Result<(), Failure> {
    let plan = settings.letters().into_iter().find(|plan| plan.name == name);
    let plan = plan.ok_or_else(|| {
        Failure::Usage(format!("there is no letter \"{name}\"; `lanka letter list` shows those there are"))
    })?;
    let (parts, sections) = Parts::of(settings, &deployment.keys);
    let carrier = HttpCarrier::new(sections.http.allow_private_addresses)
        .map_err(|error| Failure::failed(format!("cannot make outgoing requests: {error}")))?;
    let letters = letters(&deployment.store, &parts, (&carrier, &Alerts::logged()));
    let (taken, whys) = letters.try_out(&plan).await.map_err(|error| Failure::failed(error.to_string()))?;
    match (taken, whys.as_slice()) {
        (0, []) => output.text("there is nothing to tell"),
        (taken, []) => output.text(&format!("sent to {taken}")),
        (taken, whys) => Err(Failure::failed(format!("sent to {taken}, not to {}: {}", whys.len(), whys.join("; ")))),
    }
}
