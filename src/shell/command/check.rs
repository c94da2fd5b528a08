//! `lanka check`: every mistake in the configuration, and with `--connect` whether what it names is there.

use super::output::Output;
use super::{Failure, quiet_logs};
use crate::config::{ChannelSettings, Environment, Problem, Settings};
use crate::pure::channels::Intake;
use crate::shell::Deployment;
use crate::shell::intake::imap;
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// Also log in to mailboxes, open the database, and look whether paths can be read. Nothing is
    /// fetched, sent or changed.
    #[arg(long)]
    connect: bool,
}

/// A mistake, for programs.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "str::is_empty")]
    key: &'a str,
    level: &'static str,
    message: &'a str,
}

impl Check {
    pub(super) async fn run(self, config: &[PathBuf], output: &mut Output) -> Result<(), Failure> {
        let (settings, problems) = match Settings::load(config, &Environment::of_process()) {
            Ok(mut settings) => {
                let warnings = std::mem::take(&mut settings.warnings);
                (Some(settings), warnings)
            }
            Err(problems) => (None, problems),
        };
        if output.is_json() {
            for problem in &problems {
                let Problem { file, line, key, message, .. } = problem;
                let level = if problem.is_error() { "error" } else { "warning" };
                output.json(&Line { file, line: *line, key, level, message })?;
            }
        }
        let Some(settings) = settings else {
            output.finish()?;
            let told = if output.is_json() { Vec::new() } else { problems };
            return Err(Failure::Configuration(told));
        };
        if !output.is_json() {
            problems.iter().for_each(|problem| eprintln!("{problem}"));
            output.text(&format!(
                "the configuration is right: {} channels, {} mirrors",
                settings.channels.len(),
                settings.mirrors.len()
            ))?;
        }
        match self.connect {
            true => connect(&settings, output).await,
            false => Ok(()),
        }
    }
}

/// Tries everything there is, and fails if anything of it does.
async fn connect(settings: &Settings, output: &mut Output) -> Result<(), Failure> {
    quiet_logs()?;
    let mut tried: Vec<Tried> = Vec::new();
    let database = match Deployment::open(settings, false).await {
        Ok(deployment) => {
            deployment.close().await;
            Ok(())
        }
        Err(error) => Err(error.to_string()),
    };
    tried.push(Tried::of("database", database));
    for (name, channel) in settings.channels.iter().filter(|(_, channel)| channel.enabled) {
        if let Some(result) = try_channel(channel).await {
            tried.push(Tried::of(name, result));
        }
    }
    let cells =
        |tried: &Tried| vec![tried.what.clone(), tried.result.to_owned(), tried.why.clone().unwrap_or_default()];
    output.rows(&["what", "result", "why"], &tried, cells, "")?;
    output.finish()?;
    match tried.iter().any(|tried| tried.why.is_some()) {
        true => Err(Failure::failed("not everything that the configuration names can be reached; see above")),
        false => Ok(()),
    }
}

/// What came of an attempt.
#[derive(Serialize)]
struct Tried {
    what: String,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Tried {
    fn of(what: &str, result: Result<(), String>) -> Self {
        let word = if result.is_ok() { "works" } else { "fails" };
        Self { what: what.to_owned(), result: word, why: result.err() }
    }
}

/// `None` for what cannot be tried from here: a webhook is called, it does not call.
async fn try_channel(channel: &ChannelSettings) -> Option<Result<(), String>> {
    match &channel.built.intake {
        Intake::Webhook => None,
        Intake::Imap(source) => Some(imap::try_login(source).await.map_err(|error| error.to_string())),
        Intake::Tail(source) => Some(readable(&source.path)),
        Intake::Drop(source) => Some(readable(&source.path)),
    }
}

fn readable(path: &Path) -> Result<(), String> {
    let result = match path.is_dir() {
        true => std::fs::read_dir(path).map(|_| ()),
        false => std::fs::File::open(path).map(|_| ()),
    };
    result.map_err(|error| format!("cannot read {}: {error}", path.display()))
}
