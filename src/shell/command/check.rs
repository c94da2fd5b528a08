//! `lanka check`: every mistake in the configuration, and with `--connect` whether what it names is there.

use super::output::Output;
use super::{Failure, quiet_logs};
use crate::config::{ChannelSettings, Environment, Problem, Settings, ready};
use crate::pure::channels::Intake;
use crate::pure::domain::outbox::carrier_line;
use crate::pure::wire::step::{Folder, Outgoing};
use crate::shell::carriers::http::HttpCarrier;
use crate::shell::carriers::mail::MailCarrier;
use crate::shell::carriers::mailbox::MailboxCarrier;
use crate::shell::cluster::{Cluster, find_binaries};
use crate::shell::intake::imap;
use crate::shell::store::Store;
use crate::shell::store::exchange::Exchange;
use crate::shell::tokens::Tokens;
use crate::shell::{CLUSTER_DIR, counted};
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// Also connect to the database, log in to mailboxes and to the mail servers that take answers, ask mirrors whether they
    /// are there (HTTP OPTIONS), and look whether paths can be read. Nothing is made, fetched or changed, and no change or
    /// mail is sent.
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
                let mut problems = std::mem::take(&mut settings.warnings);
                let ready = settings.ready_answers.dir.as_deref().map(ready::read).unwrap_or_default();
                problems.extend(ready.problems);
                let is_right = !problems.iter().any(Problem::is_error);
                (is_right.then_some(settings), problems)
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
                "the configuration is right: {}, {}",
                counted(settings.channels.len(), "channel", "channels"),
                counted(settings.mirrors.len(), "mirror", "mirrors")
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
    let mut tried: Vec<Tried> = vec![try_database(settings).await];
    match HttpCarrier::new(settings.http.allow_private_addresses) {
        Ok(carrier) => {
            let mails = MailCarrier::default();
            let tokens = Tokens::new(carrier.clone(), &settings.data_dir);
            for (name, channel) in settings.channels.iter().filter(|(_, channel)| channel.enabled) {
                if let Some(result) = try_channel(name, channel, &tokens).await {
                    tried.push(Tried::of(name, result));
                }
                if let Some(server) = channel.built.channel.answers().and_then(|answers| answers.mail_server()) {
                    let result = mails.look(server).await.map_err(|error| error.to_string());
                    tried.push(Tried::of(&carrier_line(name), result));
                }
            }
            for (name, mirror) in settings.mirrors.iter().filter(|(_, mirror)| mirror.enabled) {
                if let Some(folder) = mirror.built.mirror.folder() {
                    tried.push(try_folder(name, folder).await);
                }
                if let Some(probe) = mirror.built.mirror.probe() {
                    tried.push(Tried::of(name, try_mirror(&carrier, probe).await));
                }
            }
        }
        Err(error) => tried.push(Tried::of("channels and mirrors", Err(error.to_string()))),
    }
    let cells =
        |tried: &Tried| vec![tried.what.clone(), tried.result.to_owned(), tried.why.clone().unwrap_or_default()];
    output.rows(&["what", "result", "why"], &tried, cells, "")?;
    output.finish()?;
    match tried.iter().any(|tried| tried.result == FAILS) {
        true => Err(Failure::failed("not everything that the configuration names can be reached; see above")),
        false => Ok(()),
    }
}

/// The word for an attempt that failed.
const FAILS: &str = "fails";

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
        let word = if result.is_ok() { "works" } else { FAILS };
        Self { what: what.to_owned(), result: word, why: result.err() }
    }

    /// Of what `lanka run` will bring up, and this does not.
    fn later(what: &str, why: &str) -> Self {
        Self { what: what.to_owned(), result: "later", why: Some(why.to_owned()) }
    }
}

/// A database of one's own is connected to; the private one only if it runs, for starting it would change it.
async fn try_database(settings: &Settings) -> Tried {
    const DATABASE: &str = "database";
    let url = match &settings.database.url {
        Some(url) => Some(url.expose().to_owned()),
        None => Cluster::running_in(&settings.data_dir.join(CLUSTER_DIR)),
    };
    if let Some(url) = url {
        let wants_schema = !settings.database.migrate;
        let result = Store::try_connect(&url, wants_schema).await.map_err(|error| error.to_string());
        return Tried::of(DATABASE, result);
    }
    match find_binaries(settings.database.bin_dir.as_deref(), None) {
        Err(error) => Tried::of(DATABASE, Err(error.to_string())),
        Ok(_) if Cluster::is_made(&settings.data_dir.join(CLUSTER_DIR)) => Tried::later(
            DATABASE,
            "the private Postgres does not run, as far as this user can see: `lanka run` starts it",
        ),
        Ok(_) => Tried::later(DATABASE, "there is none yet: `lanka run` makes a private Postgres"),
    }
}

/// Any answer but a redirect and a gateway's excuse shows that the tool is there: many answer 404 or 405 to a method
/// they do not know.
async fn try_mirror(carrier: &HttpCarrier, probe: Outgoing) -> Result<(), String> {
    match carrier.send(probe).await.map_err(|error| error.to_string())?.status {
        status @ 300..400 => {
            Err(format!("it answers {status}, a redirect, and those are not followed: change its url"))
        }
        status @ (502..=504) => Err(format!("it answers {status}: the tool behind is away")),
        _ => Ok(()),
    }
}

/// A folder that is not there yet is made with the first change.
async fn try_folder(name: &str, folder: &Folder) -> Tried {
    match MailboxCarrier::look(folder).await {
        Ok(false) => Tried::later(name, "the login works, and the folder is not there yet: `lanka run` makes it"),
        Ok(true) => Tried::of(name, Ok(())),
        Err(error) => Tried::of(name, Err(error.to_string())),
    }
}

/// `None` for what cannot be tried from here: a webhook is called, it does not call, and the
/// directory of a socket may be made with the daemon.
async fn try_channel(name: &str, channel: &ChannelSettings, tokens: &Tokens) -> Option<Result<(), String>> {
    match &channel.built.intake {
        // No channel of the configuration is asked so; a mirror is tried by its own request.
        Intake::Webhook | Intake::Lmtp(_) | Intake::Poll(_) => None,
        Intake::Imap(source) => Some(imap::try_login(source, name, tokens).await.map_err(|error| error.to_string())),
        Intake::Tail(source) => Some(readable(&source.path)),
        Intake::Table(source) => Some(Exchange::connect(source).await.map(drop).map_err(|error| error.to_string())),
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
