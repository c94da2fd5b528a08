//! The command line: one file a command, each a page.
//!
//! | file | commands |
//! |---|---|
//! | `run.rs` | `run`, `migrate` |
//! | `demo/` | `demo` |
//! | `check.rs` | `check` |
//! | `import.rs` | `import`; `history.rs` cuts files into deliveries, `stream.rs` reads `--events` |
//! | `mail.rs` | `mail` |
//! | `parse.rs` | `parse` |
//! | `thread.rs`, `explain.rs` | `thread`, `explain` |
//! | `contact.rs`, `review.rs` | `contact`, `review`; `by_hand.rs` says who did it, and what came of it |
//! | `ready.rs` | `ready` |
//! | `incident.rs` | `incident` |
//! | `triage.rs` | `triage` |
//! | `dust.rs` | `dust` |
//! | `report.rs`, `letter.rs` | `report`, `letter` |
//! | `quarantine.rs`, `replay.rs` | `quarantine`, `replay` |
//! | `state.rs` | `channels`, `outbox` |
//! | `export.rs` | `export` |
//! | `token.rs` | `token` |
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage, 78 wrong configuration (`EX_CONFIG` of sysexits.h).
//! (`mail` has codes of its own, for mail servers.) What a command was asked for goes to standard output, everything else to standard error.
//!
//! **Invariants:** no SQL and no reading of payloads here: a command arranges what the store, the
//! channels and the ingest do. A reader that closes standard output early is no error.

mod by_hand;
mod check;
mod contact;
mod demo;
mod dust;
mod explain;
mod export;
mod history;
mod import;
mod incident;
mod letter;
mod mail;
mod output;
mod parse;
mod quarantine;
mod queue;
mod ready;
mod replay;
mod report;
mod review;
mod run;
mod settle;
mod state;
mod stream;
mod thread;
mod token;
mod triage;

use crate::config::{Environment, LogFormat, Problem, Settings};
use crate::shell::content::ContentError;
use crate::shell::store::{SchemaFault, StoreError};
use crate::shell::{Deployment, OpenError, telemetry};
use clap::{Parser, Subcommand, ValueEnum};
use output::Output;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// Wrong usage.
const EXIT_USAGE: u8 = 2;
/// Wrong configuration: `EX_CONFIG`.
const EXIT_CONFIGURATION: u8 = 78;

/// Puts every contact a customer makes on one thread.
#[derive(Debug, Parser)]
#[command(name = "lanka", version, about, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    /// Configuration file, or a directory whose *.toml are read in order. Later ones win.
    /// [default: /etc/lanka/lanka.toml, /etc/lanka/lanka.d]
    #[arg(long, global = true, value_name = "FILE")]
    config: Vec<PathBuf>,

    /// How rows are printed: a table for people, JSON lines for programs.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORM")]
    format: Format,

    #[command(subcommand)]
    command: Command,
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table.
    #[default]
    Table,
    /// One JSON object a line.
    Json,
    /// For spreadsheets: `report` alone.
    Csv,
    /// A page to read and to print: `report` alone.
    Html,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon.
    Run(run::Run),
    /// Play a customer's story on a private database, and print the thread.
    Demo(demo::Demo),
    /// Look for mistakes in the configuration.
    Check(check::Check),
    /// Bring the database schema up to date.
    Migrate,
    /// Read history in: mailboxes, bodies of webhooks, call logs, or a recorded stream.
    Import(import::Import),
    /// Take in one mail from standard input, for an alias of the mail server.
    Mail(mail::Mail),
    /// Show what a channel reads out of files, without configuration and database.
    Parse(parse::Parse),
    /// Show threads; put messages together and apart.
    #[command(subcommand)]
    Thread(thread::Thread),
    /// Which queues there are, and what is in each.
    #[command(subcommand)]
    Queue(queue::Queue),
    /// Show people; say who is who.
    #[command(subcommand)]
    Contact(contact::Contact),
    /// Look at what may belong together, and say whether it does.
    #[command(subcommand)]
    Review(review::Review),
    /// Show the texts that agents answer with, and how they are used.
    #[command(subcommand)]
    Ready(ready::Ready),
    /// Show what many speak of at once; say what belongs to it, and that it is over.
    #[command(subcommand)]
    Incident(incident::Incident),
    /// Learn from agents' corrections of kind and urgency; show what was learnt.
    #[command(subcommand)]
    Triage(triage::Triage),
    /// Show what nobody looks at, the oldest first.
    Dust(dust::Dust),
    /// Count what came in within a period, how soon it was seen to, and what recurs.
    Report(report::Report),
    /// Show what is written to the desk's own people by the clock; send it now.
    #[command(subcommand)]
    Letter(letter::Letter),
    /// Show the route of a message and the reason of each step.
    Explain(explain::Explain),
    /// Look after what could not be understood.
    #[command(subcommand)]
    Quarantine(quarantine::Quarantine),
    /// Read stored deliveries again, and take in what was not taken in before; or ask for lost files again.
    Replay(replay::Replay),
    /// Show the state of every way in.
    Channels,
    /// Show what waits for the agents' tools.
    Outbox(state::Outbox),
    /// Say who may use the API.
    #[command(subcommand)]
    Token(token::Token),
    /// Write everything as JSON lines.
    #[command(subcommand)]
    Export(export::Export),
}

/// Why a command ended without doing what it was asked. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration is wrong.
    #[error("the configuration is wrong; see above")]
    Configuration(Vec<Problem>),
    /// An argument names something that is not there.
    #[error("{0}")]
    Usage(String),
    /// It did not work.
    #[error("{0}")]
    Failed(String),
    /// It did not work, which has an exit code of its own.
    #[error("{1}")]
    Coded(u8, String),
    /// It did not work, and standard error has said why.
    #[error("")]
    Said,
    /// Nobody reads standard output any more.
    #[error("")]
    Closed,
}

impl Failure {
    fn failed(why: impl Into<String>) -> Self {
        Self::Failed(why.into())
    }

    /// Says it on standard error and gives the exit code.
    fn tell(&self) -> ExitCode {
        match self {
            Self::Configuration(problems) => {
                for problem in problems {
                    eprintln!("{problem}");
                }
                ExitCode::from(EXIT_CONFIGURATION)
            }
            Self::Usage(why) => {
                eprintln!("lanka: {why}");
                ExitCode::from(EXIT_USAGE)
            }
            Self::Failed(why) => {
                eprintln!("lanka: {why}");
                ExitCode::FAILURE
            }
            Self::Coded(code, why) => {
                eprintln!("lanka: {why}");
                ExitCode::from(*code)
            }
            Self::Said => ExitCode::FAILURE,
            Self::Closed => ExitCode::SUCCESS,
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Store(error) => error.into(),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error.is_schema_missing() {
            true => Self::Failed(SchemaFault::Missing.to_string()),
            false => Self::Failed(error.to_string()),
        }
    }
}

impl From<ContentError> for Failure {
    fn from(error: ContentError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Writing to standard output failed.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Failed(format!("cannot write to standard output: {error}")),
        }
    }
}

/// The arguments with every `--config` in front of the command, so that those before and those after
/// it make one list: of an option that may stand in both places, clap keeps one place only.
pub fn arguments(given: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut given = given.fuse();
    let mut front: Vec<OsString> = given.next().into_iter().collect();
    let mut rest = Vec::new();
    while let Some(argument) = given.next() {
        if argument == "--" {
            rest.push(argument);
            rest.extend(given.by_ref());
        } else if argument == "--config" {
            front.push(argument);
            front.extend(given.next());
        } else if argument.as_encoded_bytes().starts_with(b"--config=") {
            front.push(argument);
        } else {
            rest.push(argument);
        }
    }
    front.extend(rest);
    front
}

/// The whole program: reads the command line, and does what it says.
pub fn main(given: impl Iterator<Item = OsString>) -> ExitCode {
    let given = arguments(given);
    if mail::is_meant(&given) {
        return mail::main(&given);
    }
    let cli = Cli::parse_from(given);
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(run(cli)),
        Err(error) => Failure::Failed(format!("cannot begin: {error}")).tell(),
    }
}

async fn run(cli: Cli) -> ExitCode {
    match dispatch(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

async fn dispatch(cli: Cli) -> Result<(), Failure> {
    let Cli { config, format, command } = cli;
    if matches!(format, Format::Csv | Format::Html) && !matches!(command, Command::Report(_)) {
        return Err(Failure::Usage("only `lanka report` writes CSV and HTML: ask for --format json".to_owned()));
    }
    let mut output = Output::new(format);
    match command {
        Command::Run(command) => return command.run(&config).await,
        Command::Demo(command) => command.run(&config, &mut output).await?,
        Command::Check(command) => command.run(&config, &mut output).await?,
        Command::Migrate => run::migrate(&config).await?,
        Command::Import(command) => command.run(&config, &mut output).await?,
        Command::Mail(command) => command.run(&config).await?,
        Command::Parse(command) => command.run(&mut output)?,
        Command::Queue(command) => {
            let bench = Bench::of(&config, false).await?;
            command.run(bench, &mut output).await?;
        }
        Command::Thread(command) => {
            let bench = Bench::of(&config, command.changes()).await?;
            command.run(bench, &mut output).await?;
        }
        Command::Contact(command) => {
            let bench = Bench::of(&config, command.changes()).await?;
            command.run(bench, &mut output).await?;
        }
        Command::Review(command) => {
            let bench = Bench::of(&config, command.changes()).await?;
            command.run(bench, &mut output).await?;
        }
        Command::Ready(command) => command.run(Bench::open(&config).await?, &mut output).await?,
        Command::Incident(command) => {
            let bench = Bench::of(&config, command.changes()).await?;
            command.run(bench, &mut output).await?;
        }
        Command::Triage(command) => command.run(Bench::open(&config).await?, &mut output).await?,
        Command::Dust(command) => command.run(Bench::open(&config).await?, &mut output).await?,
        Command::Report(command) => command.run(Bench::open(&config).await?, format, &mut output).await?,
        Command::Letter(command) => {
            let bench = Bench::of(&config, command.changes()).await?;
            command.run(bench, &mut output).await?;
        }
        Command::Explain(command) => command.run(Bench::open(&config).await?, &mut output).await?,
        Command::Quarantine(command) => {
            let bench = Bench::of(&config, command.changes()).await?;
            command.run(bench, &mut output).await?;
        }
        Command::Replay(command) => command.run(Bench::of(&config, true).await?, &mut output).await?,
        Command::Channels => state::channels(Bench::open(&config).await?, &mut output).await?,
        Command::Outbox(command) => {
            let bench = Bench::of(&config, command.changes()).await?;
            command.run(bench, &mut output).await?;
        }
        Command::Token(command) => {
            let bench = Bench::of(&config, command.changes()).await?;
            command.run(bench, &mut output).await?;
        }
        Command::Export(command) => command.run(Bench::open(&config).await?, &mut output).await?,
    }
    Ok(output.finish()?)
}

/// Reads the configuration.
fn settings(config: &[PathBuf]) -> Result<Settings, Failure> {
    Settings::load(config, &Environment::of_process()).map_err(Failure::Configuration)
}

/// What a command that looks into the database works at.
struct Bench {
    settings: Settings,
    deployment: Deployment,
}

impl Bench {
    /// For a command that reads. Nothing is made; where there is nothing, it says so.
    async fn open(config: &[PathBuf]) -> Result<Self, Failure> {
        let settings = settings(config)?;
        quiet_logs()?;
        let deployment = Deployment::open_to_read(&settings).await?;
        Ok(Self { settings, deployment })
    }

    /// For a command that reads, or that changes what is there.
    async fn of(config: &[PathBuf], changes: bool) -> Result<Self, Failure> {
        if !changes {
            return Self::open(config).await;
        }
        let settings = settings(config)?;
        Deployment::must_exist(&settings)?;
        Self::over(settings).await
    }

    /// For a command that makes what is not there.
    async fn over(settings: Settings) -> Result<Self, Failure> {
        quiet_logs()?;
        let deployment = Deployment::open(&settings, settings.database.migrate).await?;
        Ok(Self { settings, deployment })
    }

    /// Does the work, and lets the database go whether it succeeded or not.
    async fn with<T>(self, work: impl AsyncFnOnce(&Settings, &Deployment) -> Result<T, Failure>) -> Result<T, Failure> {
        let result = work(&self.settings, &self.deployment).await;
        self.deployment.close().await;
        result
    }
}

/// Commands say on their own what they did: of the log only warnings are for the person in front, and
/// not one for each delivery that goes to quarantine, for the command counts them, nor for each
/// statement that waits for a daemon's.
fn quiet_logs() -> Result<(), Failure> {
    start_logs(LogFormat::Text, "warn,sqlx=error,lanka::shell::ingest=error")
}

fn start_logs(format: LogFormat, level: &str) -> Result<(), Failure> {
    telemetry::start_logs(format, level).map_err(|error| Failure::Failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn configuration_files_may_stand_anywhere_and_keep_their_order() {
        let table = [
            ("lanka check --config a", "lanka --config a check"),
            ("lanka --config a check --config=b", "lanka --config a --config=b check"),
            ("lanka thread --config a list --config b", "lanka --config a --config b thread list"),
            ("lanka thread find -- --config", "lanka thread find -- --config"),
            ("lanka check --config", "lanka --config check"),
            ("", ""),
        ];
        for (given, expected) in table {
            let words = |text: &str| text.split_whitespace().map(OsString::from).collect::<Vec<_>>();
            assert_eq!(arguments(words(given).into_iter()), words(expected), "{given}");
        }
        let cli = Cli::try_parse_from(arguments(
            ["lanka", "--config", "a", "thread", "list", "--config", "b"].map(OsString::from).into_iter(),
        ));
        assert_eq!(cli.expect("it parses").config, [PathBuf::from("a"), PathBuf::from("b")]);
    }
}
