//! `lanka mail`: one mail from standard input, for a mail server that starts a program (an alias, `.forward`,
//! procmail, Postfix's pipe).
//!
//! | exit code | means |
//! |---|---|
//! | 0 | stored |
//! | 69, `EX_UNAVAILABLE` | too large, now and at every attempt: the mail server tells the sender at once. With 75 it would tell him the same, after it has tried for days |
//! | 75, `EX_TEMPFAIL` | anything else, a slip in the alias or the configuration among it: the mail server keeps the mail and tries again |
//!
//! Mail servers take codes they do not know for good refusals, so that usage, a panic and a signal end with 75
//! as well. Nothing is started, made or brought up to date, and nothing but Postgres and the content store is
//! needed: the daemon decides the mail when it runs. A mail that is handed over again after its commit is the same bytes, or at
//! least the same mail, and is known as a repeat.
//!
//! Of the configuration only what concerns this mail is read ([`Entrance`]): a slip in another section, or another
//! channel's secret that this user may not read, keeps no mail waiting.
//!
//! **Invariants:** 0 only after the commit. What is said goes into the mail server's log, and perhaps to the
//! sender: never an address, never content, nothing of how this machine is set up.

use super::{Cli, Failure};
use crate::config::{Entrance, Environment, Problem};
use crate::pure::channels::{Form, Intake};
use crate::pure::wire::envelope::{Address, Envelope};
use crate::shell::CLUSTER_DIR;
use crate::shell::cluster::Cluster;
use crate::shell::content::ContentStore;
use crate::shell::intake::ChannelIdent;
use crate::shell::intake::mail::{Incoming, MailError};
use crate::shell::store::Store;
use clap::Parser;
use std::ffi::OsString;
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};

/// It will never be taken.
const EXIT_UNAVAILABLE: u8 = 69;

/// Not now.
const EXIT_TEMPFAIL: u8 = 75;

/// Read at once. Bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// The top of a mail is looked at when there is so much of it. Bytes.
const HEAD_BYTES: usize = 16 * 1024;

/// One to ask with, one for what asks beside it.
const CONNECTIONS_MAX: u32 = 2;

/// As `lanka quarantine` and `lanka explain` show it.
const ORIGIN: &str = "piped in by the mail server";

#[derive(Debug, clap::Args)]
pub(super) struct Mail {
    /// The channel that the mail belongs to: of kind lmtp, or another that takes mail.
    #[arg(long, value_name = "NAME")]
    channel: String,
    /// The envelope's sender, empty for nobody. [default: $SENDER]
    #[arg(long, value_name = "ADDRESS")]
    sender: Option<String>,
    /// The envelope's recipients. [default: $RECIPIENT]
    #[arg(long, value_name = "ADDRESS")]
    recipient: Vec<String>,
    /// To whom it was before aliases. [default: $ORIGINAL_RECIPIENT]
    #[arg(long, value_name = "ADDRESS")]
    original_recipient: Option<String>,
    /// Longest time for all of it, in seconds. Mail servers end a program after a quarter of an hour or so.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

/// Why a mail was not stored.
#[derive(Debug, thiserror::Error)]
enum Kept {
    /// Never.
    #[error("the mail is too large")]
    TooLarge,
    /// Not now.
    #[error("the mail is not taken in now, and may be sent again: {0}")]
    NotNow(&'static str),
    /// Not before somebody mends the configuration. The name of a key says where, and no more.
    #[error(
        "the mail is not taken in now, and may be sent again: in lanka's configuration `{0}` cannot be used by this user; \
         `lanka check`, run as the same user, says why"
    )]
    Misconfigured(String),
}

/// Whether these arguments ask for `mail`, right or wrong. They are in the order of [`super::arguments`].
pub(super) fn is_meant(arguments: &[OsString]) -> bool {
    let mut arguments = arguments.iter().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--config" | "--format") => {
                arguments.next();
            }
            Some(option) if option.starts_with('-') => {}
            word => return word == Some("mail"),
        }
    }
    false
}

/// Does it, and ends with a code that mail servers know, whatever happens.
pub(super) fn main(arguments: &[OsString]) -> ExitCode {
    let done = catch_unwind(AssertUnwindSafe(|| {
        let cli = match Cli::try_parse_from(arguments) {
            Ok(cli) => cli,
            Err(error) => {
                // Whoever cannot be told has the exit code.
                let _ = error.print();
                return if error.use_stderr() { ExitCode::from(EXIT_TEMPFAIL) } else { ExitCode::SUCCESS };
            }
        };
        let Ok(runtime) = tokio::runtime::Runtime::new() else { return ExitCode::from(EXIT_TEMPFAIL) };
        let code = runtime.block_on(super::run(cli));
        // Standard input may still be waited for.
        runtime.shutdown_background();
        code
    }));
    done.unwrap_or(ExitCode::from(EXIT_TEMPFAIL))
}

impl Mail {
    pub(super) async fn run(self, config: &[PathBuf]) -> Result<(), Failure> {
        let result = tokio::select! {
            result = self.take(config) => result,
            () = tokio::time::sleep(Duration::from_secs(self.timeout)) => Err(Kept::NotNow("it takes too long")),
            () = asked_to_end() => Err(Kept::NotNow("lanka was asked to end")),
        };
        result.map_err(|kept| {
            let code = match kept {
                Kept::TooLarge => EXIT_UNAVAILABLE,
                Kept::NotNow(_) | Kept::Misconfigured(_) => EXIT_TEMPFAIL,
            };
            Failure::Coded(code, kept.to_string())
        })
    }

    async fn take(&self, config: &[PathBuf]) -> Result<(), Kept> {
        let environment = Environment::of_process();
        let entrance =
            Entrance::load(config, &environment, &self.channel).map_err(|problems| misconfigured(&problems))?;
        let (channel, bytes_max) = self.channel(&entrance)?;
        let store = connect(&entrance).await?;
        let incoming = read(&store, bytes_max, &self.envelope(&environment)).await?;
        incoming.store(&channel, ORIGIN).await.map_err(|error| match error {
            MailError::TooLarge { .. } => Kept::TooLarge,
            MailError::Content(_) => Kept::NotNow("the disk does not take it"),
            MailError::Store(_) | MailError::NoAnswer => Kept::NotNow("the database does not take it"),
        })
    }

    fn channel(&self, entrance: &Entrance) -> Result<(ChannelIdent, u64), Kept> {
        let Some(kind) = entrance.kind else {
            return Err(Kept::NotNow("no such channel is configured; `lanka channels` lists them"));
        };
        let Some(channel) = entrance.channel.as_ref().filter(|_| kind.form == Form::Mail) else {
            return Err(Kept::NotNow("the channel is of a kind that takes no mail"));
        };
        let bytes_max = match &channel.built.intake {
            Intake::Lmtp(source) => source.message_bytes_max,
            Intake::Imap(source) => source.message_bytes_max,
            Intake::Drop(source) => source.file_bytes_max,
            Intake::Webhook | Intake::Poll(_) | Intake::Tail(_) | Intake::Table(_) => 0,
        };
        if !channel.enabled {
            return Err(Kept::NotNow("the channel is switched off"));
        }
        let (tenant, kind) = (channel.tenant.clone(), channel.kind.to_owned());
        Ok((ChannelIdent { tenant, name: self.channel.clone(), kind }, bytes_max))
    }

    /// What the mail server says of the envelope. An address that cannot be kept is left out: the mail is worth more.
    fn envelope(&self, environment: &Environment) -> Envelope {
        let given = |option: &Option<String>, variable: &str| {
            option.clone().or_else(|| environment.get(variable).map(str::to_owned))
        };
        let address = |text: String| Address::parse(&text).filter(|address| !address.is_empty());
        let mut recipients = self.recipient.clone();
        if recipients.is_empty() {
            recipients.extend(environment.get("RECIPIENT").map(str::to_owned));
        }
        Envelope {
            sender: given(&self.sender, "SENDER").and_then(|sender| Address::parse_sender(&sender)),
            recipients: recipients.into_iter().filter_map(address).collect(),
            original_recipient: given(&self.original_recipient, "ORIGINAL_RECIPIENT").and_then(address),
        }
    }
}

/// SIGTERM, SIGINT, SIGHUP. Never, where they cannot be listened for.
async fn asked_to_end() {
    let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()];
    let mut signals: Vec<_> = kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect();
    let waits: Vec<_> = signals.iter_mut().map(|signal| Box::pin(signal.recv())).collect();
    match waits.is_empty() {
        true => std::future::pending().await,
        false => {
            futures::future::select_all(waits).await;
        }
    }
}

/// The sentence for a configuration that cannot be used: the key that is wrong, or that there is more to it.
fn misconfigured(problems: &[Problem]) -> Kept {
    match problems.iter().find(|problem| !problem.key.is_empty()) {
        Some(problem) => Kept::Misconfigured(problem.key.clone()),
        None => Kept::NotNow(
            "lanka's configuration cannot be read by this user, or is not TOML; `lanka check`, run as the same user, says why",
        ),
    }
}

/// The database that is there: a private one only while the daemon runs it.
async fn connect(entrance: &Entrance) -> Result<Store, Kept> {
    let url = match &entrance.database.url {
        Some(url) => url.expose().to_owned(),
        None => Cluster::running_in(&entrance.data_dir.join(CLUSTER_DIR)).ok_or(Kept::NotNow(
            "the private Postgres does not run, or this user may not see it: start lanka, and run this as lanka's user",
        ))?,
    };
    let content = ContentStore::open(&entrance.content_dir)
        .map_err(|_| Kept::NotNow("the content store cannot be used by this user: run this as lanka's user"))?;
    let store = Store::connect(&url, CONNECTIONS_MAX, content).await;
    let store = store.map_err(|_| Kept::NotNow("the database does not answer; `lanka check --connect` says why"))?;
    let schema = store.check_schema().await;
    schema.map_err(|_| Kept::NotNow("the database has not the schema of this lanka: `lanka migrate`"))?;
    // A daemon may be waiting for it.
    store.assume_peers();
    Ok(store)
}

/// Reads standard input to its end. Of what is too large all is read: a mail server whose pipe breaks may
/// not look at the exit code.
async fn read(store: &Store, bytes_max: u64, envelope: &Envelope) -> Result<Incoming, Kept> {
    let broken = |_| Kept::NotNow("standard input cannot be read");
    let input = std::io::stdin().as_fd().try_clone_to_owned().map_err(broken)?;
    let mut input = tokio::fs::File::from_std(input.into());
    let mut head = Vec::with_capacity(HEAD_BYTES);
    while head.len() < HEAD_BYTES && input.read_buf(&mut head).await.map_err(broken)? > 0 {}
    if head.is_empty() {
        return Err(Kept::NotNow("standard input is empty"));
    }
    let (skipped, above) = envelope.above(&head);
    let mut incoming = Incoming::new(store, bytes_max, above);
    incoming.add(&head[skipped..]).await;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match input.read(&mut piece).await.map_err(broken)? {
            0 => return Ok(incoming),
            read => incoming.add(&piece[..read]).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_before_the_command_line_is_read() {
        for (line, expected) in [
            ("lanka mail", true),
            ("lanka mail --channel", true),
            ("lanka mail --no-such-option", true),
            ("lanka --config mail mail --channel a", true),
            ("lanka --config=a --format json mail", true),
            ("lanka --config mail check", false),
            ("lanka thread find mail", false),
            ("lanka --help", false),
            ("lanka", false),
            ("", false),
        ] {
            let given: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            assert_eq!(is_meant(&super::super::arguments(given.into_iter())), expected, "{line}");
        }
    }
}
