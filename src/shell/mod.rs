//! The imperative shell: the only folder that touches the world.
//!
//! [`Deployment`] is what every command needs (database, content store, keys); [`daemon::run`] starts the
//! parts of the daemon in order and stops them in reverse, within a stated time.
//!
//! **Invariants:** `intake`, `ingest` and `deliver` never call each other; they meet in Postgres only,
//! and any of them may crash, stop or lag alone. Nothing but `main` and the tests imports `shell`.

pub mod alerts;
pub mod answers;
pub mod api;
pub mod carriers;
pub mod cluster;
pub mod command;
pub mod content;
pub mod daemon;
pub mod deliver;
pub mod dust;
pub mod hands;
pub mod health;
pub mod imap;
pub mod incidents;
pub mod ingest;
pub mod intake;
pub mod keeper;
pub mod learn;
pub mod letters;
pub mod media;
pub mod ownership;
pub mod page;
mod patience;
pub mod privacy;
pub mod profiles;
pub mod ready;
pub mod reconsider;
pub mod registry;
pub mod report;
pub mod retention;
pub mod sender;
pub mod server;
pub mod store;
pub mod telemetry;
pub mod tokens;

use crate::config::{KeyError, Keys, MirrorSettings, Settings};
use crate::pure::channels::{Channel, Intake, desk};
use crate::pure::decide::lookup::Keyer;
use crate::pure::domain::Timestamp;
use crate::pure::domain::answer::Obstacle;
use crate::pure::domain::letter::LetterPlan;
use crate::pure::domain::message::{Parsed, RawEvent};
use crate::pure::domain::outbox::{Post, carrier_line};
use crate::pure::mirrors::{
    self, Delivery, Forged, Inbound, Listener, MailServer, MediaReply, MediaStep, Mirror, Patience, Redacted, Reply,
    Step,
};
use crate::shell::alerts::Tool;
use crate::shell::cluster::{Cluster, ClusterError};
use crate::shell::content::{ContentError, ContentStore};
use crate::shell::ingest::BatchLimits;
use crate::shell::intake::ChannelIdent;
use crate::shell::registry::{Registry, Tenant};
use crate::shell::store::reader::Reader;
use crate::shell::store::{Store, StoreError};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Tells a loop the time. Tests give their own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The private Postgres, under `data_dir`.
pub(crate) const CLUSTER_DIR: &str = "postgres";

/// Why the daemon or a command cannot begin. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The private Postgres does not start.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The database is not there, or its schema cannot be brought up to date.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys cannot be read or made.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The content store cannot be opened.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// Somebody wants to read, and there is nothing.
    #[error("there is nothing here yet (data_dir {}): `lanka run` makes it", path.display())]
    Nothing {
        /// The data directory.
        path: PathBuf,
    },
    /// The directory of the daemon's data cannot be made.
    #[error("cannot make the data directory {path}: {error}; make it, or set data_dir")]
    DataDir {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

/// What every command works on.
pub struct Deployment {
    /// The database and the content store.
    pub store: Store,
    /// The daemon's keys.
    pub keys: Keys,
    cluster: Option<Cluster>,
}

impl Deployment {
    /// Connects to the database, or brings up the private one, and brings its schema up to date if
    /// `migrate` says so; else the schema must be there.
    pub async fn open(settings: &Settings, migrate: bool) -> Result<Self, OpenError> {
        make_dir(&settings.data_dir)?;
        let keys = settings.ensure_keys()?;
        let content = ContentStore::open(&settings.content_dir())?;
        let deployment = Self::connect(settings, keys, content).await?;
        let ready = match migrate {
            true => deployment.store.migrate().await,
            false => deployment.store.check_schema().await,
        };
        deployment.if_ready(ready).await
    }

    /// For somebody who only reads: nothing is made, neither directories nor keys nor a schema. A private Postgres
    /// that is there and does not run is started.
    pub async fn open_to_read(settings: &Settings) -> Result<Self, OpenError> {
        Self::must_exist(settings)?;
        let content = ContentStore::open_to_read(&settings.content_dir())?;
        let deployment = Self::connect(settings, settings.existing_keys()?, content).await?;
        let ready = deployment.store.check_schema().await;
        deployment.if_ready(ready).await
    }

    /// A database that is of no use is let go in good order.
    async fn if_ready(self, ready: Result<(), StoreError>) -> Result<Self, OpenError> {
        match ready {
            Ok(()) => Ok(self),
            Err(error) => {
                self.close().await;
                Err(error.into())
            }
        }
    }

    /// An error unless there is something to work on.
    pub fn must_exist(settings: &Settings) -> Result<(), OpenError> {
        match settings.database.url.is_some() || Cluster::is_made(&settings.data_dir.join(CLUSTER_DIR)) {
            true => Ok(()),
            false => Err(OpenError::Nothing { path: settings.data_dir.clone() }),
        }
    }

    async fn connect(settings: &Settings, keys: Keys, content: ContentStore) -> Result<Self, OpenError> {
        let (url, cluster) = match &settings.database.url {
            Some(url) => (url.expose().to_owned(), None),
            None => {
                let cluster =
                    Cluster::start(&settings.data_dir.join(CLUSTER_DIR), settings.database.bin_dir.as_deref()).await?;
                (cluster.url(), Some(cluster))
            }
        };
        let store = Store::connect(&url, settings.database.connections_max, content).await?;
        let (language, time_zone) = (settings.defaults.language(), settings.defaults.time_zone.clone());
        let store = store.read_by(Reader { language, time_zone });
        // Until it is known better: a daemon may be waiting for what a command does.
        store.assume_peers();
        Ok(Self { store, keys, cluster })
    }

    /// Lets the database go, and stops the private one if this process started it.
    pub async fn close(self) {
        self.store.pool.close().await;
        if let Some(cluster) = self.cluster {
            cluster.stop().await;
        }
    }
}

/// A count with its noun: `1 change is`, `2 changes are`.
pub(crate) fn counted(count: impl std::fmt::Display, one: &str, many: &str) -> String {
    let count = count.to_string();
    let noun = if count == "1" { one } else { many };
    format!("{count} {noun}")
}

fn make_dir(path: &Path) -> Result<(), OpenError> {
    // Others may pass, not read: the private Postgres runs as another user when lanka is root.
    ownership::make_dirs(path, 0o711).map_err(|error| OpenError::DataDir { path: path.to_owned(), error })
}

/// A configured way in, ready to be shared.
pub struct Configured {
    /// Whose bytes they are.
    pub ident: ChannelIdent,
    /// Whether it takes anything in.
    pub enabled: bool,
    /// Reads them.
    pub channel: Arc<dyn Channel>,
    /// Fetches them.
    pub intake: Intake,
}

/// Mirrors in use: what writes to their tools, and how what agents do there gets in.
fn taken_apart(mirrors: BTreeMap<String, MirrorSettings>) -> (Vec<Tool>, Vec<Configured>) {
    let (mut tools, mut inbound) = (Vec::new(), Vec::new());
    for (name, settings) in mirrors.into_iter().filter(|(_, mirror)| mirror.enabled) {
        let mirrors::Built { mirror, inbound: half } = settings.built;
        if let Some(Inbound { listener, poll }) = half {
            inbound.push(Configured {
                ident: ChannelIdent { tenant: settings.tenant, name: name.clone(), kind: settings.kind.to_owned() },
                enabled: true,
                channel: Arc::new(InboundHalf(listener)),
                intake: poll.map_or(Intake::Webhook, Intake::Poll),
            });
        }
        tools.push(Tool { name, mirror: mirror.into() });
    }
    (tools, inbound)
}

/// The inbound half of a mirror, as the intakes and the ingest see it.
struct InboundHalf(Box<dyn Listener>);

impl Channel for InboundHalf {
    fn verify(&self, delivery: &Delivery<'_>) -> Result<(), Forged> {
        self.0.verify(delivery)
    }

    fn parse(&self, event: &RawEvent) -> Parsed {
        self.0.parse(event)
    }

    fn redact(&self, event: &RawEvent, item: u32) -> Option<Redacted> {
        self.0.redact(event, item)
    }

    fn media(&self, remote: &str, replies: &[MediaReply]) -> MediaStep {
        self.0.media(remote, replies)
    }
}

/// The line of a channel that carries answers.
fn carrier(configured: &Configured) -> Option<Tool> {
    configured.channel.answers()?;
    let name = carrier_line(&configured.ident.name);
    Some(Tool { name, mirror: Arc::new(CarrierLine { channel: configured.channel.clone() }) })
}

/// A channel that carries answers, as the outbox sees it: what is due on its line is answers.
struct CarrierLine {
    channel: Arc<dyn Channel>,
}

impl Mirror for CarrierLine {
    fn patience(&self) -> Patience {
        self.channel.answers().map(|answers| answers.patience()).unwrap_or_default()
    }

    fn mail_server(&self) -> Option<&MailServer> {
        self.channel.answers()?.mail_server()
    }

    fn next(&self, post: &Post, replies: &[Reply], now: Timestamp) -> Step {
        let (Some(answers), Some(answer)) = (self.channel.answers(), post.answer.as_deref()) else {
            return Step::Reject { why: "there is nothing to carry any more".to_owned() };
        };
        // A receipt or an echo told of it before we could: a daemon was killed in between.
        if answer.progress.is_some() && replies.is_empty() {
            return Step::Done(Vec::new());
        }
        // A person who has not been told by itself asks; one who is told twice is annoyed, and a program answers.
        if answer.is_automatic && answer.may_be_sent {
            return Step::Done(Vec::new());
        }
        let closes_at = answers.way().window.and_then(|window| answer.last_heard_at.saturating_add(window).ok());
        let is_open = answer.template.is_some() || !replies.is_empty();
        if !is_open && closes_at.is_some_and(|closes_at| closes_at <= now) {
            return Step::Reject { why: Obstacle::WindowClosed.says().to_owned() };
        }
        answers.next(answer, replies, now)
    }
}

/// The configuration, taken apart for those who work with it.
pub struct Parts {
    /// Ways in, by name.
    pub channels: Vec<Configured>,
    /// Tools that hear of threads.
    pub tools: Vec<Tool>,
    /// Channels that carry answers.
    pub lines: Vec<Tool>,
    /// What deciding needs.
    pub registry: Arc<Registry>,
    /// What is written to the desk's own people by the clock.
    pub letters: Vec<LetterPlan>,
    /// Bounds of a batch.
    pub batch: BatchLimits,
}

impl Parts {
    /// Takes settings apart.
    pub fn of(settings: Settings, keys: &Keys) -> (Self, crate::config::Sections) {
        let mut tenants = HashMap::new();
        let service = Arc::new(settings.service());
        let words = Arc::new(settings.incidents.policy().words);
        for name in settings.tenants() {
            let policy = settings.policy(&name, keys);
            let keyer = Keyer::new(&policy, &name);
            let its = settings.channels.iter().filter(|(_, channel)| channel.enabled && channel.tenant == name);
            let channels = its.map(|(channel, _)| channel.clone()).collect();
            let (service, words, dust) = (service.clone(), words.clone(), settings.dust.limits());
            tenants.insert(name, Arc::new(Tenant { policy, keyer, channels, service, dust, words }));
        }
        let letters = settings.letters();
        let Settings { sections, channels, mirrors, .. } = settings;
        let (tools, inbound) = taken_apart(mirrors);
        let channels: Vec<Configured> = channels
            .into_iter()
            .map(|(name, channel)| Configured {
                ident: ChannelIdent { tenant: channel.tenant, name, kind: channel.kind.to_owned() },
                enabled: channel.enabled,
                channel: channel.built.channel.into(),
                intake: channel.built.intake,
            })
            .chain(inbound)
            .collect();
        let readers = channels.iter().map(|channel| (channel.ident.name.clone(), channel.channel.clone()));
        let readers = readers.chain([(desk::API.to_owned(), desk::api().into())]).collect();
        let lines = channels.iter().filter(|channel| channel.enabled).filter_map(carrier).collect();
        let batch = BatchLimits {
            rows_max: i64::try_from(sections.ingest.batch_rows_max).unwrap_or(i64::MAX),
            bytes_max: i64::try_from(sections.ingest.batch_bytes_max).unwrap_or(i64::MAX),
            attachment_bytes_max: sections.content.attachment_bytes_max,
            poll: sections.ingest.poll,
        };
        (
            Self {
                channels,
                tools,
                lines,
                letters,
                registry: Arc::new(Registry { channels: readers, tenants, profiles: None }),
                batch,
            },
            sections,
        )
    }
}
