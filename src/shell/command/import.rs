//! `lanka import`: history, read in as if it had come by its channel.
//!
//! Nobody is called and nothing acknowledged; mirrors hear of it with `--mirror` only. Imported
//! files arrive now, in the order given; what was said keeps its own time: a webhook's and a call
//! log's time is the vendor's, a mail is trusted to have come when its folder says (the `From ` line
//! of an mbox, the name of a Maildir file) or its topmost Received field, whichever is earlier, and
//! its Date field stands within 48 hours before that. A recorded stream (`--events`) keeps the times of
//! arrival that it names, and is trusted as verified; lines of it that cannot be taken are told at the
//! end, and the others imported.
//!
//! Importing the same twice is harmless: what is known already is a repeat. A daemon may run on the
//! same database; the names of `--profiles` reach only what this command decides itself.

use super::history::{self, Cut, Delivery};
use super::output::{Output, progress, safe};
use super::stream::{self, Mistakes, Recorded};
use super::{Bench, Failure, settle};
use crate::config::{ChannelSettings, Settings};
use crate::pure::channels::{self, Form, Intake};
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::RawEventId;
use crate::pure::wire::settings::nearest;
use crate::shell::ingest::Ingest;
use crate::shell::intake::ChannelIdent;
use crate::shell::store::Store;
use crate::shell::store::raw_event::{Hearing, NewRawEvent, RawBody, Skipped};
use crate::shell::store::replay::Outcome;
use crate::shell::{Parts, counted};
use std::path::{Path, PathBuf};

/// Deliveries stored in one transaction.
const BATCH_ROWS_MAX: usize = 500;

/// Their bytes, together; one delivery may be larger by itself.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Deliveries stored before they are decided: few enough to remember, many enough for full batches.
const UNDECIDED_MAX: usize = 5000;

/// The same for a recorded stream: what came later is to tell as little as it did then, and people are decided on
/// anew before it comes.
const STREAM_UNDECIDED_MAX: usize = 24;

#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// The channel the files belong to.
    #[arg(long, value_name = "NAME", required_unless_present = "events", conflicts_with = "events")]
    channel: Option<String>,
    /// Mail (mbox, Maildir, .eml), bodies of webhooks (JSON, one or one a line), call logs.
    #[arg(value_name = "FILE", required_unless_present = "events", conflicts_with = "events")]
    files: Vec<PathBuf>,
    /// A recorded stream of all channels, as `lanka export raw` writes it.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Names of Messenger users by their id, as the profile API gives them.
    #[arg(long, value_name = "FILE")]
    profiles: Option<PathBuf>,
    /// Queue what is imported for the agents' tools too.
    #[arg(long)]
    mirror: bool,
}

/// What is to be imported.
enum Source {
    /// Files of one channel.
    Files { paths: Vec<PathBuf>, channel: ChannelIdent, cut: Cut },
    /// A stream over the channels configured.
    Stream { path: PathBuf, channels: Vec<ChannelIdent> },
}

impl Import {
    pub(super) async fn run(self, config: &[PathBuf], output: &mut Output) -> Result<(), Failure> {
        let settings = super::settings(config)?;
        let profiles = self.profiles.as_deref().map(stream::profiles).transpose()?;
        let hearing = if self.mirror { Hearing::Told } else { Hearing::Quiet };
        let source = self.source(&settings)?;
        let Bench { settings, deployment } = Bench::over(settings).await?;
        let (parts, _) = Parts::of(settings, &deployment.keys);
        let ingest = settle::ingest(&deployment.store, &parts, profiles);
        let (batch, stored, outcome) = (Vec::new(), Vec::new(), Outcome::default());
        let mistakes = Mistakes::default();
        let undecided_max = match &source {
            Source::Files { .. } => UNDECIDED_MAX,
            Source::Stream { .. } => STREAM_UNDECIDED_MAX,
        };
        let store = &deployment.store;
        let storing = Storing { store, ingest, hearing, batch, bytes: 0, undecided_max, stored, outcome, mistakes };
        let imported = storing.import(&source).await;
        deployment.close().await;
        let (outcome, mistakes) = imported?;
        tell(&outcome, output)?;
        let Source::Stream { path, channels } = &source else { return Ok(()) };
        let names: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
        let Some((told, failure)) = mistakes.told(path, &names) else { return Ok(()) };
        output.finish()?;
        told.iter().for_each(|mistake| eprintln!("lanka: {}", safe(mistake)));
        Err(failure)
    }

    /// Finds what can be seen to be wrong before anything is stored.
    fn source(self, settings: &Settings) -> Result<Source, Failure> {
        let ident = |(name, channel): (&String, &ChannelSettings)| ChannelIdent {
            tenant: channel.tenant.clone(),
            name: name.clone(),
            kind: channel.kind.to_owned(),
        };
        if let Some(path) = self.events {
            let _opens = stream::open(&path)?;
            return Ok(Source::Stream { path, channels: settings.channels.iter().map(ident).collect() });
        }
        let name = self.channel.unwrap_or_default();
        let Some((name, channel)) = settings.channels.get_key_value(&name) else {
            let near = nearest(&name, settings.channels.keys().map(String::as_str));
            let near = near.map(|near| format!(", did you mean \"{near}\"?")).unwrap_or_default();
            return Err(Failure::Usage(format!("no channel \"{name}\" is configured{near}")));
        };
        let bytes_max = match &channel.built.intake {
            Intake::Webhook | Intake::Poll(_) => settings.http.body_bytes_max as u64,
            Intake::Imap(source) => source.message_bytes_max,
            Intake::Lmtp(source) => source.message_bytes_max,
            Intake::Tail(source) => source.line_bytes_max,
            Intake::Table(source) => source.row_bytes_max,
            Intake::Drop(source) => source.file_bytes_max,
        };
        let form = channels::kind(channel.kind).map_or(Form::Body, |kind| kind.form);
        let cut = Cut { form, bytes_max, piece_bytes: 0 };
        for path in &self.files {
            let _opens = history::open(path, cut).map_err(|error| history::unreadable(path, &error))?;
        }
        Ok(Source::Files { paths: self.files, channel: ident((name, channel)), cut })
    }
}

/// Deliveries on their way into the database.
struct Storing<'a> {
    store: &'a Store,
    ingest: Ingest,
    hearing: Hearing,
    batch: Vec<NewRawEvent>,
    bytes: usize,
    /// Deliveries stored before they are decided.
    undecided_max: usize,
    /// Stored and not decided yet.
    stored: Vec<RawEventId>,
    outcome: Outcome,
    mistakes: Mistakes,
}

impl Storing<'_> {
    async fn import(mut self, source: &Source) -> Result<(Outcome, Mistakes), Failure> {
        match source {
            Source::Files { paths, channel, cut } => self.take_files(paths, channel, *cut).await?,
            Source::Stream { path, channels } => self.take_stream(path, channels).await?,
        }
        self.flush().await?;
        self.decide().await?;
        Ok((self.outcome, self.mistakes))
    }

    async fn take_files(&mut self, paths: &[PathBuf], channel: &ChannelIdent, cut: Cut) -> Result<(), Failure> {
        let bar = progress(paths.iter().map(|path| history::size(path)).sum(), "importing", true);
        for path in paths {
            let unreadable = |error: std::io::Error| history::unreadable(path, &error);
            for delivery in history::open(path, cut).map_err(unreadable)? {
                let delivery = delivery.map_err(unreadable)?;
                bar.inc(delivery.bytes);
                self.take_delivery(delivery, channel, cut).await?;
            }
        }
        bar.finish_and_clear();
        Ok(())
    }

    async fn take_delivery(&mut self, delivery: Delivery, channel: &ChannelIdent, cut: Cut) -> Result<(), Failure> {
        let now = Timestamp::now();
        let name = delivery.file.file_name().unwrap_or_default().to_string_lossy();
        let place = if delivery.place.is_empty() { String::new() } else { format!(", {}", delivery.place) };
        let origin = format!("imported from {name}{place}");
        let trusted_at = if cut.form == Form::Mail { history::delivered_at(&delivery) } else { None };
        let Some(body) = delivery.body else {
            let detail = format!(
                "it has {} bytes, and {} are the most on this channel; raise the limit and import it again",
                delivery.bytes, cut.bytes_max
            );
            let skipped = Skipped {
                tenant: &channel.tenant,
                channel: &channel.name,
                kind: &channel.kind,
                origin: &origin,
                code: "too_large",
                detail: &detail,
                at: now,
            };
            self.outcome.quarantined += 1;
            return Ok(self.store.record_skipped(&skipped, None).await?);
        };
        self.take(channel, now, trusted_at, origin, body).await
    }

    async fn take_stream(&mut self, path: &Path, channels: &[ChannelIdent]) -> Result<(), Failure> {
        let bar = progress(history::size(path), "importing", true);
        let now = Timestamp::now();
        let mut stream = stream::open(path)?;
        while let Some((number, line)) = stream.next_line()? {
            bar.inc(line.as_ref().map_or(0, |line| line.len() as u64));
            let read = line.and_then(|line| {
                let recorded = Recorded::parse(line, now)?;
                let body = recorded.body()?;
                Ok((recorded.channel.into_owned(), recorded.received_at, recorded.trusted_at, body))
            });
            let (name, received_at, trusted_at, body) = match read {
                Ok(read) => read,
                Err(why) => {
                    self.mistakes.note(path, number, &why);
                    continue;
                }
            };
            match channels.iter().find(|channel| channel.name == name) {
                Some(channel) => {
                    self.take(channel, received_at, trusted_at, stream::origin(path, number), body).await?;
                }
                None => self.mistakes.note_channel(number, &name),
            }
        }
        bar.finish_and_clear();
        Ok(())
    }

    async fn take(
        &mut self,
        channel: &ChannelIdent,
        received_at: Timestamp,
        trusted_at: Option<Timestamp>,
        origin: String,
        body: Vec<u8>,
    ) -> Result<(), Failure> {
        self.bytes += body.len();
        self.batch.push(NewRawEvent {
            tenant: channel.tenant.clone(),
            channel: channel.name.clone(),
            kind: channel.kind.clone(),
            received_at,
            trusted_at,
            origin,
            body: RawBody::Bytes(body.into()),
        });
        match self.batch.len() >= BATCH_ROWS_MAX.min(self.undecided_max) || self.bytes >= BATCH_BYTES_MAX {
            true => self.flush().await,
            false => Ok(()),
        }
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        self.stored.extend(self.store.record_as(&self.batch, None, self.hearing).await?);
        self.batch.clear();
        self.bytes = 0;
        match self.stored.len() >= self.undecided_max {
            true => self.decide().await,
            false => Ok(()),
        }
    }

    async fn decide(&mut self) -> Result<(), Failure> {
        settle::decide(self.store, &self.ingest, &self.stored).await?;
        self.outcome += &self.store.outcome_of(&self.stored).await?;
        self.stored.clear();
        Ok(())
    }
}

/// Says what became of it.
fn tell(outcome: &Outcome, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        return output.json(outcome);
    }
    let Outcome { deliveries, messages, repeats, legs, updates, quarantined } = outcome;
    output.text(&format!(
        "{}: {}, {repeats} known already, {}, {}",
        counted(deliveries, "delivery", "deliveries"),
        counted(messages, "new message", "new messages"),
        counted(legs, "further leg of a call", "further legs of calls"),
        counted(updates, "update", "updates")
    ))?;
    match quarantined {
        0 => Ok(()),
        n => output.text(&format!("{n} could not be read; look at them with `lanka quarantine list`")),
    }
}
