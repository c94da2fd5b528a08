//! `lanka triage`: what agents' corrections taught.

use super::output::{Output, clock};
use super::{Bench, Failure};
use crate::shell::Parts;
use crate::shell::learn::Learn;
use crate::shell::store::triage_model::ModelLine;
use jiff::tz::TimeZone;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Triage {
    /// Learn from all corrections now; daemons do it once a day. What comes of it is in force within a minute, if it is
    /// better than the rules on corrections that were held back.
    Train,
    /// The versions there are, with their figures. The latest is in force if it is on.
    Show,
}

impl Triage {
    pub(super) async fn run(self, bench: Bench, output: &mut Output) -> Result<(), Failure> {
        match self {
            Self::Show => {
                bench
                    .with(async |settings, deployment| {
                        lines(&deployment.store.models().await?, &settings.defaults.time_zone, output)
                    })
                    .await
            }
            Self::Train => train(bench, output).await,
        }
    }
}

async fn train(bench: Bench, output: &mut Output) -> Result<(), Failure> {
    let Bench { settings, deployment } = bench;
    let zone = settings.defaults.time_zone.clone();
    let (parts, _) = Parts::of(settings, &deployment.keys);
    let learn = Learn::new(deployment.store.clone(), parts.registry.clone());
    let mut tenants: Vec<&String> = parts.registry.tenants.keys().collect();
    tenants.sort();
    let mut trained = Vec::new();
    let mut result = Ok(());
    for tenant in tenants {
        match learn.train(tenant, None).await {
            Ok(line) => trained.extend(line),
            Err(error) => result = Err(error),
        }
    }
    drop(learn);
    deployment.close().await;
    result?;
    lines(&trained, &zone, output)
}

fn lines(lines: &[ModelLine], zone: &TimeZone, output: &mut Output) -> Result<(), Failure> {
    let cells = |line: &ModelLine| {
        vec![
            line.tenant.clone(),
            line.version.to_string(),
            clock(line.trained_at, zone),
            line.corrections.to_string(),
            line.held_back.to_string(),
            format!("{:.3}", line.rules_f1),
            format!("{:.3}", line.model_f1),
            if line.is_on { "on" } else { "off" }.to_owned(),
        ]
    };
    let header = ["tenant", "version", "trained", "corrections", "held back", "rules", "model", "is"];
    output.rows(&header, lines, cells, "nothing learnt yet: `lanka thread classify` corrects a ticket")
}
