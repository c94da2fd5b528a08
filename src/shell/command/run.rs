//! `lanka run` and `lanka migrate`.

use super::{Failure, quiet_logs, settings, start_logs};
use crate::config::{Environment, Problem, Settings};
use crate::shell::{Deployment, daemon};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Run {
    /// Return when every source is drained, and everything decided and delivered.
    #[arg(long)]
    until_idle: bool,
}

impl Run {
    pub(super) async fn run(self, config: &[PathBuf]) -> Result<(), Failure> {
        let settings = settings(config)?;
        start_logs(settings.log.format, &settings.log.level)?;
        warn(&settings.warnings);
        let result = match self.until_idle {
            true => daemon::until_idle(settings).await,
            false => {
                let config = config.to_owned();
                daemon::run(settings, move || reload(&config)).await
            }
        };
        result.map_err(|error| Failure::Failed(error.to_string()))
    }
}

/// The configuration as it is now, unless it is wrong: then every problem is logged.
fn reload(config: &[PathBuf]) -> Option<Settings> {
    match Settings::load(config, &Environment::of_process()) {
        Ok(settings) => {
            warn(&settings.warnings);
            Some(settings)
        }
        Err(problems) => {
            // What is no mistake is said when the mistakes are gone.
            for problem in problems.iter().filter(|problem| problem.is_error()) {
                tracing::error!(code = "configuration", "not reloaded: {problem}");
            }
            None
        }
    }
}

fn warn(warnings: &[Problem]) {
    for problem in warnings {
        tracing::warn!(code = "configuration", "{problem}");
    }
}

pub(super) async fn migrate(config: &[PathBuf]) -> Result<(), Failure> {
    let settings = settings(config)?;
    quiet_logs()?;
    let deployment = Deployment::open(&settings, true).await?;
    deployment.close().await;
    eprintln!("the database schema is up to date");
    Ok(())
}
