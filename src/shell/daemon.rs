//! The daemon: its parts started in order, stopped in reverse.
//!
//! Order of start: database, delivery, ingest, HTTP, the other intakes; of stop: intakes first, so
//! that nothing more comes in, then HTTP, ingest, delivery, alerts, database.
//!
//! **Invariant:** a part that stops late is left behind after `stop_timeout`; what it was doing is put
//! back by the database or by its cursor, for nothing lives in memory only.

use crate::config::{Sections, Settings};
use crate::pure::channels::{Door, Intake, LmtpSource};
use crate::pure::domain::Timestamp;
use crate::shell::alerts::{Alerts, Probe, Reading, watch_health};
use crate::shell::api::{Api, ApiLimits};
use crate::shell::carriers::http::{CarrierError, HttpCarrier};
use crate::shell::deliver::{self, Deliver};
use crate::shell::dust;
use crate::shell::health::{Look, Reporter};
use crate::shell::incidents::Incidents;
use crate::shell::ingest::Ingest;
use crate::shell::intake::webhook::{Commit, Committers, Hook, WebhookLimits, WebhookSetup, Webhooks};
use crate::shell::intake::{ChannelHealth, directory, imap, lmtp, poll, sample, table};
use crate::shell::keeper::Keeper;
use crate::shell::learn::Learn;
use crate::shell::letters::Letters;
use crate::shell::media::{self, Media};
use crate::shell::page::Page;
use crate::shell::page::link::Links;
use crate::shell::privacy::Privacy;
use crate::shell::profiles::Profiles;
use crate::shell::ready::Ready;
use crate::shell::reconsider::Reconsider;
use crate::shell::registry::Registry;
use crate::shell::retention;
use crate::shell::sender::verify::CheckLimits;
use crate::shell::sender::{self, Senders};
use crate::shell::server::{self, ServerLimits};
use crate::shell::store::health::{HealthReport, HealthWord, Side};
use crate::shell::store::outbox::OutboxState;
use crate::shell::store::ways::{Denied, Looping};
use crate::shell::store::{Store, StoreError};
use crate::shell::telemetry::{self, Metrics};
use crate::shell::tokens::Tokens;
use crate::shell::{Configured, Deployment, OpenError, Parts};
use futures::FutureExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Longest time alerts may take to leave when the daemon stops.
const ALERTS_CLOSE_MAX: Duration = Duration::from_secs(3);

/// How often, and at what interval, a draining run looks whether others have finished what they hold.
const DRAIN_LOOKS_MAX: u32 = 300;
const DRAIN_INTERVAL: Duration = Duration::from_millis(100);

/// How long a draining run waits for changes that a mirror did not take at once, and how often it looks
/// whether they are due again. Five attempts fit, after which a mirror is parked anyway.
const UNDELIVERED_WAIT_MAX: Duration = Duration::from_secs(25);
const UNDELIVERED_INTERVAL: Duration = Duration::from_millis(250);

/// Mails in a false name are one alert while no hour passes without any.
const DENIED_WINDOW: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// As far back automatic mail is counted that stops answers (`store::answer`).
const LOOP_WINDOW: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// When nothing has looked at the queues for so long, the daemon is taken for stuck: systemd restarts it.
const STUCK_AFTER: Duration = Duration::from_secs(120);

/// Why the daemon ended in failure.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It could not begin.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database failed while draining.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Outgoing requests cannot be made.
    #[error("cannot make outgoing requests: {0}")]
    Carrier(#[from] CarrierError),
    /// The address is taken, or not this machine's.
    #[error("cannot listen on {address}: {error}; change http.listen")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        error: std::io::Error,
    },
    /// A source could not be drained.
    #[error("channel {channel}: {error}")]
    Source {
        /// The channel.
        channel: String,
        /// Why, and what to do.
        error: String,
    },
    /// A draining run ended with changes that a mirror did not take.
    #[error(
        "{} not delivered yet: {why}. They wait, nothing is lost: `lanka outbox` shows them, the next run or daemon sends them",
        super::counted(.count, "change is", "changes are")
    )]
    Undelivered {
        /// How many.
        count: i64,
        /// Which mirrors, and what they answer.
        why: String,
    },
    /// A draining run ended with deliveries that could not be decided.
    #[error(
        "{} not decided yet: {why}. They wait, nothing is lost: the next run or daemon decides them",
        super::counted(.count, "delivery is", "deliveries are")
    )]
    Undecided {
        /// How many.
        count: i64,
        /// What is in the way.
        why: String,
    },
    /// A draining run ended with files that a vendor did not give out.
    #[error(
        "{} not fetched yet: {why}. They wait, nothing is lost: `lanka channels` counts them, the next run or daemon fetches them",
        super::counted(.count, "file is", "files are")
    )]
    Unfetched {
        /// How many.
        count: i64,
        /// Which channels, and what their vendors answer.
        why: String,
    },
    /// Signals cannot be caught.
    #[error("cannot listen for signals: {0}")]
    Signal(std::io::Error),
}

/// Runs until SIGTERM or SIGINT. On SIGHUP the configuration is read anew by `reload`; one that is
/// wrong is refused aloud, and the old one stays in force.
pub async fn run(settings: Settings, mut reload: impl FnMut() -> Option<Settings>) -> Result<(), RunError> {
    let metrics = Metrics::start();
    let deployment = Deployment::open(&settings, settings.database.migrate).await?;
    let mut terminate = signal(SignalKind::terminate()).map_err(RunError::Signal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(RunError::Signal)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(RunError::Signal)?;
    let mut settings = Some(settings);
    let result = loop {
        let Some(current) = settings.take() else { break Ok(()) };
        let running = match Running::start(&deployment, current, metrics.clone()).await {
            Ok(running) => running,
            Err(error) => break Err(error),
        };
        telemetry::notify_ready(&running.status());
        tracing::info!(channels = running.channels, "lanka runs");
        let next = loop {
            tokio::select! {
                _ = terminate.recv() => break None,
                _ = interrupt.recv() => break None,
                _ = hangup.recv() => {}
            }
            telemetry::notify_reloading();
            if let Some(new) = reload() {
                break Some(new);
            }
            telemetry::notify_ready(&running.status());
        };
        settings = next;
        if settings.is_none() {
            telemetry::notify_stopping("finishing what is under way");
        }
        running.stop().await;
    };
    deployment.close().await;
    tracing::info!("lanka has stopped");
    result
}

/// Drains every source, decides all that waits, delivers what is due, and returns. Takes no webhooks, and
/// no mail by LMTP.
pub async fn until_idle(settings: Settings) -> Result<(), RunError> {
    let deployment = Deployment::open(&settings, settings.database.migrate).await?;
    let result = drain(&deployment, settings).await;
    deployment.close().await;
    result
}

async fn drain(deployment: &Deployment, settings: Settings) -> Result<(), RunError> {
    let (parts, sections) = Parts::of(settings, &deployment.keys);
    let store = &deployment.store;
    let carrier = HttpCarrier::new(sections.http.allow_private_addresses)?;
    let alerts = Alerts::to(&parts.tools, &carrier);
    let tokens = Tokens::new(carrier.clone(), &sections.data_dir);
    let (_keep, stop) = watch::channel(false);
    let senders = senders(store, &parts.registry, &sections);
    if let Some(senders) = &senders {
        // Those whom nobody could tell of at the last run.
        senders.again(Timestamp::now()).await?;
    }
    let ingest = Ingest::new(store.clone(), parts.registry.clone(), parts.batch).checking(senders);
    // Before anything comes, so that it is looked at.
    Ready::new(store.clone(), parts.registry.clone(), sections.ready_answers.clone()).read().await?;
    // Ingest works beside the intakes, so that a large source is not stored twice over first.
    let (finished, sources_done) = watch::channel(false);
    let beside = tokio::spawn({
        let ingest = ingest.clone();
        async move { ingest.run(sources_done, false).await }
    });
    let mut sources = JoinSet::new();
    let mut healths = Vec::new();
    for channel in parts.channels.iter().filter(|channel| channel.enabled) {
        let health = health_of(channel);
        // What comes by itself is not taken here, so that nothing is to be said of it.
        if !matches!(channel.intake, Intake::Webhook | Intake::Lmtp(_)) {
            healths.push(health.clone());
        }
        sources.spawn(take_in(
            channel.ident.clone(),
            channel.intake.clone(),
            store.clone(),
            (tokens.clone(), carrier.clone()),
            health,
            stop.clone(),
            true,
        ));
    }
    let mut failed = None;
    while let Some(ended) = sources.join_next().await {
        if let Ok(Err(error)) = ended {
            tracing::warn!(code = "source_failed", %error, "a source could not be drained");
            failed = Some(error);
        }
    }
    let _ = finished.send(true);
    let _ = beside.await;
    let undecided = decide_all(store, &ingest, &parts, &sections, &stop).await?;
    Incidents::new(store.clone(), parts.registry.clone(), sections.incidents.policy(), alerts.clone()).look().await?;
    let media = files(store, &carrier, &parts, &sections);
    let unfetched = fetch_all(store, &media).await;
    let letters = letters(store, &parts, (&carrier, &alerts));
    let lines = [parts.tools, parts.lines].concat();
    let names: Vec<String> = lines.iter().map(|tool| tool.name.clone()).collect();
    let registry = parts.registry.clone();
    let deliver = Deliver::new(store.clone(), registry, carrier, alerts.clone(), lines, deliver_limits(&sections));
    let undelivered = deliver_all(store, &deliver, &names).await;
    letters.look().await;
    Reporter::new(store.clone(), look(healths, deliver, sections.alerts.channel_dead_after)).last_word().await;
    alerts.close(ALERTS_CLOSE_MAX).await;
    undecided.and(undelivered).and(unfetched).and(failed.map_or(Ok(()), Err))
}

/// Decides all that waits, and what follows from it: what customers are told by itself is decided like what agents write. Gives
/// what could not be.
async fn decide_all(
    store: &Store,
    ingest: &Ingest,
    parts: &Parts,
    sections: &Sections,
    stop: &watch::Receiver<bool>,
) -> Result<Result<(), RunError>, StoreError> {
    for _ in 0..DRAIN_LOOKS_MAX {
        ingest.run(stop.clone(), true).await;
        if store.pending().await?.0 == 0 {
            break;
        }
        // Another daemon holds the rest, and gives back what it does not finish.
        tokio::time::sleep(DRAIN_INTERVAL).await;
    }
    let reconsider = Reconsider::new(store.clone(), parts.registry.clone());
    reconsider.until_idle().await?;
    let keeper = Keeper::new(store.clone(), parts.registry.clone());
    while keeper.until_idle().await? > 0 {
        ingest.run(stop.clone(), true).await;
        reconsider.until_idle().await?;
    }
    let answers = Ready::new(store.clone(), parts.registry.clone(), sections.ready_answers.clone());
    answers.until_idle().await?;
    Ok(match (store.pending().await?.0, ingest.trouble()) {
        (count @ 1.., Some(why)) => Err(RunError::Undecided { count, why }),
        _ => Ok(()),
    })
}

/// Fetches until nothing is left, or what is left did not come within [`UNDELIVERED_WAIT_MAX`], or is not due before.
async fn fetch_all(store: &Store, media: &Media) -> Result<(), RunError> {
    let began = Instant::now();
    loop {
        media.until_idle().await?;
        let left = store.media_states().await?;
        if left.is_empty() {
            return Ok(());
        }
        let patience = UNDELIVERED_WAIT_MAX.saturating_sub(began.elapsed());
        let until = Timestamp::now().saturating_add(patience).unwrap_or(Timestamp::MAX);
        let may_change =
            left.iter().any(|state| state.claimed > 0 || state.due_at.is_some_and(|due_at| due_at < until));
        if patience.is_zero() || !may_change {
            let count = left.iter().map(|state| state.waiting).sum();
            let whys: Vec<String> = left
                .iter()
                .map(|state| {
                    let why = state.why.as_deref().unwrap_or("another daemon may be fetching them");
                    format!("channel {}: {why}", state.channel)
                })
                .collect();
            return Err(RunError::Unfetched { count, why: whys.join("; ") });
        }
        tokio::time::sleep(UNDELIVERED_INTERVAL).await;
    }
}

/// The loop that fetches files.
pub(super) fn files(store: &Store, carrier: &HttpCarrier, parts: &Parts, sections: &Sections) -> Media {
    let limits = media::Limits {
        concurrency: sections.media.concurrency,
        bytes_max: sections.content.attachment_bytes_max,
        attempt_max: sections.media.timeout,
        attempts_max: sections.media.attempts_max,
        backoff_first: sections.media.backoff_first,
        backoff_max: sections.media.backoff_max,
        ..Default::default()
    };
    let tenants = parts.registry.tenants.iter();
    let mirrors = tenants.map(|(name, tenant)| (name.clone(), tenant.policy.mirrors.clone())).collect();
    Media::new(store.clone(), carrier.clone(), parts.registry.channels.clone(), mirrors, limits)
}

/// Delivers until nothing is left, or what is left did not go within [`UNDELIVERED_WAIT_MAX`]: a tool that hiccups
/// is waited for, one that is away is not.
async fn deliver_all(store: &Store, deliver: &Deliver, mirrors: &[String]) -> Result<(), RunError> {
    let began = Instant::now();
    loop {
        deliver.until_idle().await?;
        let states = store.outbox_states().await?;
        let left = states.into_iter().filter(|state| mirrors.contains(&state.mirror) && state.undelivered() > 0);
        let left: Vec<OutboxState> = left.collect();
        let all_parked = deliver
            .health()
            .iter()
            .all(|report| report.state == HealthWord::Parked || !left.iter().any(|state| state.mirror == report.name));
        if left.is_empty() {
            return Ok(());
        }
        if all_parked || began.elapsed() >= UNDELIVERED_WAIT_MAX {
            let count = left.iter().map(OutboxState::undelivered).sum();
            let whys: Vec<String> = left
                .iter()
                .map(|state| {
                    let why = state.why.as_deref().unwrap_or("another daemon may be sending them");
                    format!("mirror {}: {why}", state.mirror)
                })
                .collect();
            return Err(RunError::Undelivered { count, why: whys.join("; ") });
        }
        tokio::time::sleep(UNDELIVERED_INTERVAL).await;
    }
}

/// Runs one channel's intake until `stop`, or with `until_idle` until its source is drained.
async fn take_in(
    ident: crate::shell::intake::ChannelIdent,
    intake: Intake,
    store: Store,
    (tokens, carrier): (Tokens, HttpCarrier),
    health: ChannelHealth,
    stop: watch::Receiver<bool>,
    until_idle: bool,
) -> Result<(), RunError> {
    let name = ident.name.clone();
    let fail = |error: String| RunError::Source { channel: name, error };
    match intake {
        Intake::Webhook => Ok(()),
        Intake::Imap(source) => imap::watch(source, ident, store, tokens, health, stop, until_idle)
            .await
            .map_err(|error| fail(error.to_string())),
        // A mail server keeps what nobody takes.
        Intake::Lmtp(_) if until_idle => Ok(()),
        Intake::Lmtp(source) => {
            lmtp::listen(source, ident, store, health, stop).await;
            Ok(())
        }
        Intake::Tail(source) => directory::follow(source, ident, store, health, stop, until_idle)
            .await
            .map_err(|error| fail(error.to_string())),
        Intake::Table(source) => {
            table::poll(source, ident, store, health, stop, until_idle).await.map_err(|error| fail(error.to_string()))
        }
        Intake::Poll(source) => poll::poll(source, ident, store, carrier, health, stop, until_idle)
            .await
            .map_err(|error| fail(error.to_string())),
        Intake::Drop(source) => directory::collect(source, ident, store, health, stop, until_idle)
            .await
            .map_err(|error| fail(error.to_string())),
    }
}

/// The parts of a running daemon.
pub(crate) struct Running {
    stop_intake: watch::Sender<bool>,
    stop_rest: watch::Sender<bool>,
    intakes: JoinSet<()>,
    rest: JoinSet<()>,
    committers: Committers,
    api: Api,
    alerts: Alerts,
    channels: usize,
    listen: std::net::SocketAddr,
    stop_max: Duration,
}

impl Running {
    /// Starts every part. What fails later is retried by its part; an error here is for good.
    pub(crate) async fn start(deployment: &Deployment, settings: Settings, metrics: Metrics) -> Result<Self, RunError> {
        let (parts, sections) = Parts::of(settings, &deployment.keys);
        let store = deployment.store.clone();
        let listen = sections.http.listen;
        let listener =
            tokio::net::TcpListener::bind(listen).await.map_err(|error| RunError::Listen { address: listen, error })?;
        // Another than the one configured where any free port is asked for (port 0).
        let listen = listener.local_addr().unwrap_or(listen);
        let carrier = HttpCarrier::new(sections.http.allow_private_addresses)?;
        let alerts = Alerts::to(&parts.tools, &carrier);
        let tokens = Tokens::new(carrier.clone(), &sections.data_dir);
        let profiles = Profiles::new(store.clone(), carrier.clone(), parts.registry.channels.clone());
        let media = files(&store, &carrier, &parts, &sections);
        let (stop_intake, intake_stop) = watch::channel(false);
        let (stop_rest, rest_stop) = watch::channel(false);
        let mut rest = JoinSet::new();

        let letters = letters(&store, &parts, (&carrier, &alerts));
        let lines = [parts.tools, parts.lines].concat();
        let mirrors: Arc<[String]> = lines.iter().map(|tool| tool.name.clone()).collect();
        let (limits, registry) = (deliver_limits(&sections), parts.registry.clone());
        let deliver = Deliver::new(store.clone(), registry, carrier.clone(), alerts.clone(), lines, limits);
        rest.spawn({
            let (deliver, stop) = (deliver.clone(), rest_stop.clone());
            async move { deliver.run(stop).await }
        });
        let senders = senders(&store, &parts.registry, &sections);
        for _ in 0..sections.ingest.workers {
            let ingest = Ingest::new(store.clone(), parts.registry.clone(), parts.batch).checking(senders.clone());
            let stop = rest_stop.clone();
            rest.spawn(async move { ingest.run(stop, false).await });
        }
        rest.spawn(Reconsider::new(store.clone(), parts.registry.clone()).run(rest_stop.clone()));
        look_on(&mut rest, &store, &parts.registry, (&sections, &alerts), &rest_stop);
        rest.spawn(letters.run(rest_stop.clone()));
        ask_others(&mut rest, profiles, media, senders, &rest_stop);
        rest.spawn(metrics.clone().keep_up(rest_stop.clone()));
        keep_house(&mut rest, &store, &parts.registry, &sections, &rest_stop);

        let enabled = parts.channels.iter().filter(|channel| channel.enabled);
        let healths: Vec<(ChannelHealth, &Configured)> = enabled.map(|channel| (health_of(channel), channel)).collect();
        let (webhooks, committers) = hooks(&store, &sections, &alerts, &healths);
        let shown = sections.http.metrics.then_some(metrics);
        let api = api(deployment, &parts.registry, &sections, &intake_stop);
        let standing = server::standing_routes(ready(&store), shown, intake_stop.clone());
        let mut routes = webhooks.routes().merge(api.routes()).merge(Page::new(api.clone()).routes()).merge(standing);
        if listen.ip().is_loopback() {
            routes = routes.merge(sample::routes(&webhooks));
        }
        let mut intakes = JoinSet::new();
        let stop = intake_stop.clone();
        intakes.spawn(async move { _ = server::serve(listener, routes, ServerLimits::default(), stop).await });
        spawn_intakes(&mut intakes, (&store, &tokens, &carrier), &healths, &intake_stop);
        let health: Vec<ChannelHealth> = healths.iter().map(|(health, _)| health.clone()).collect();
        let beat = Arc::new(AtomicI64::new(Timestamp::now().as_second()));
        let look = look(health.clone(), deliver, sections.alerts.channel_dead_after);
        rest.spawn(Reporter::new(store.clone(), look).keep_up(rest_stop.clone()));
        let probes = probes(&store, &sections, health, mirrors, beat.clone());
        rest.spawn(watch_health(alerts.clone(), probes, sections.alerts.check_interval, rest_stop.clone()));
        rest.spawn(telemetry::pat_watchdog(Arc::new(move || is_alive(&beat)), rest_stop));
        Ok(Self {
            stop_intake,
            stop_rest,
            intakes,
            rest,
            committers,
            api,
            alerts,
            channels: healths.len(),
            listen,
            stop_max: sections.stop_timeout,
        })
    }

    /// Where the HTTP server listens.
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.listen
    }

    fn status(&self) -> String {
        format!("{}, listening on {}", super::counted(self.channels, "channel", "channels"), self.listen)
    }

    /// Stops in reverse order, at the latest after `stop_timeout`.
    pub(crate) async fn stop(mut self) {
        telemetry::notify_extend(self.stop_max);
        let parts = async {
            let _ = self.stop_intake.send(true);
            while self.intakes.join_next().await.is_some() {}
            self.committers.finish().await;
            self.api.finish().await;
            let _ = self.stop_rest.send(true);
            while self.rest.join_next().await.is_some() {}
            self.alerts.close(ALERTS_CLOSE_MAX).await;
        };
        if tokio::time::timeout(self.stop_max, parts).await.is_err() {
            tracing::warn!(
                code = "stop_late",
                "some parts did not stop in time; what they did is put back at the next start"
            );
        }
    }
}

/// The API, which makes links to threads on the address that others see.
fn api(deployment: &Deployment, registry: &Arc<Registry>, sections: &Sections, stop: &watch::Receiver<bool>) -> Api {
    let links = Links::new(&deployment.keys, sections.http.public_url.clone());
    let limits = ApiLimits::default();
    let file_bytes_max = limits.file_bytes_max.min(sections.content.attachment_bytes_max);
    let api = Api::new(deployment.store.clone(), registry.clone(), ApiLimits { file_bytes_max, ..limits });
    api.with_links(links).until(stop.clone())
}

/// Checks of senders, as configured; `None` where they are switched off.
pub fn senders(store: &Store, registry: &Arc<Registry>, sections: &Sections) -> Option<Senders> {
    let mail_auth = &sections.mail_auth;
    let lasting = |time: Duration| jiff::SignedDuration::try_from(time).unwrap_or(jiff::SignedDuration::MAX);
    let setup = sender::Setup {
        limits: CheckLimits {
            resolvers: mail_auth.resolvers.iter().map(|server| server.0).collect(),
            relays: mail_auth.trusted_relays.iter().map(|relay| relay.0.clone()).collect(),
            sealers: mail_auth.trusted_sealers.iter().map(|domain| domain.0.clone()).collect(),
            timeout: mail_auth.timeout,
        },
        concurrency: mail_auth.concurrency,
        age_max: lasting(mail_auth.age_max),
        retry_first: lasting(mail_auth.retry_first),
    };
    mail_auth.verify.then(|| Senders::new(store.clone(), registry.clone(), setup)).flatten()
}

/// The loop that writes to the desk's own people.
pub(super) fn letters(store: &Store, parts: &Parts, (carrier, alerts): (&HttpCarrier, &Alerts)) -> Letters {
    let by = (parts.tools.clone(), carrier.clone(), alerts.clone());
    Letters::new(store.clone(), parts.registry.clone(), parts.letters.clone(), by)
}

/// The loops that make room, and remove what is not to be kept.
fn keep_house(
    tasks: &mut JoinSet<()>,
    store: &Store,
    registry: &Arc<Registry>,
    sections: &Sections,
    stop: &watch::Receiver<bool>,
) {
    tasks.spawn(sweep(store.clone()));
    tasks.spawn(keep_months(store.clone(), stop.clone()));
    tasks.spawn(Learn::new(store.clone(), registry.clone()).run(stop.clone()));
    tasks.spawn(Privacy::new(store.clone(), registry.clone()).keep_up(stop.clone()));
    tasks.spawn(retention::keep_to(kept(sections), store.clone(), stop.clone()));
}

/// The loops that look at what was decided: clocks and what customers are told, answers that fit, what many speak of at once.
fn look_on(
    tasks: &mut JoinSet<()>,
    store: &Store,
    registry: &Arc<Registry>,
    (sections, alerts): (&Sections, &Alerts),
    stop: &watch::Receiver<bool>,
) {
    tasks.spawn(Keeper::new(store.clone(), registry.clone()).run(stop.clone()));
    tasks.spawn(Ready::new(store.clone(), registry.clone(), sections.ready_answers.clone()).run(stop.clone()));
    let incidents = Incidents::new(store.clone(), registry.clone(), sections.incidents.policy(), alerts.clone());
    tasks.spawn(incidents.run(stop.clone()));
    tasks.spawn(dust::keep_counting(store.clone(), registry.clone(), stop.clone()));
}

/// The loops that ask others for what deliveries lack: names and files of vendors, and whose mails are.
fn ask_others(
    tasks: &mut JoinSet<()>,
    profiles: Profiles,
    media: Media,
    senders: Option<Senders>,
    stop: &watch::Receiver<bool>,
) {
    let (for_profiles, for_media, for_senders) = (stop.clone(), stop.clone(), stop.clone());
    tasks.spawn(async move { profiles.run(for_profiles).await });
    tasks.spawn(async move { media.run(for_media).await });
    if let Some(senders) = senders {
        tasks.spawn(async move { senders.run(for_senders).await });
    }
}

/// One task a channel that is not a webhook's.
fn spawn_intakes(
    tasks: &mut JoinSet<()>,
    (store, tokens, carrier): (&Store, &Tokens, &HttpCarrier),
    healths: &[(ChannelHealth, &Configured)],
    stop: &watch::Receiver<bool>,
) {
    for (health, channel) in healths {
        let ident = channel.ident.clone();
        let name = ident.name.clone();
        let (store, asked) = (store.clone(), (tokens.clone(), carrier.clone()));
        let source = take_in(ident, channel.intake.clone(), store, asked, health.clone(), stop.clone(), false);
        tasks.spawn(async move {
            if let Err(error) = source.await {
                tracing::error!(code = "intake_ended", channel.name = name, %error, "an intake ended; restart the daemon");
            }
        });
    }
}

fn health_of(channel: &Configured) -> ChannelHealth {
    match channel.intake {
        Intake::Webhook | Intake::Lmtp(LmtpSource { door: Door::Pipe, .. }) => {
            ChannelHealth::standing_by(&channel.ident.name)
        }
        _ => ChannelHealth::new(&channel.ident.name),
    }
}

/// What commands in other processes are told of the ways in and out.
fn look(channels: Vec<ChannelHealth>, deliver: Deliver, dead_after: Duration) -> Look {
    Arc::new(move || {
        let now = Timestamp::now();
        let channels = channels.iter().map(|health| report(health, now, dead_after));
        channels.chain(deliver.health()).collect()
    })
}

fn report(health: &ChannelHealth, now: Timestamp, dead_after: Duration) -> HealthReport {
    let trouble = health.trouble();
    let state = match (&trouble, health.failures()) {
        (None, _) => HealthWord::Ok,
        (Some(_), _) if health.failing_for(now) > dead_after => HealthWord::Dead,
        (Some(_), 0) => HealthWord::Starting,
        (Some(_), _) => HealthWord::Failing,
    };
    let (since, why) = match trouble {
        Some(trouble) if state != HealthWord::Starting => (trouble.since, trouble.detail),
        Some(trouble) => (trouble.since, String::new()),
        None => (health.well_since(), String::new()),
    };
    HealthReport {
        side: Side::Channel,
        name: health.channel().to_owned(),
        state,
        since,
        worked_at: health.last_worked_at(),
        failures: health.failures(),
        why,
    }
}

/// Whether deliveries can be stored.
fn ready(store: &Store) -> server::Ready {
    let store = store.clone();
    Arc::new(move || {
        let store = store.clone();
        Box::pin(async move { store.can_store().await })
    })
}

fn kept(sections: &Sections) -> retention::Limits {
    retention::Limits { raw: sections.retention.raw, messages: sections.retention.messages }
}

fn deliver_limits(sections: &Sections) -> deliver::Limits {
    deliver::Limits {
        lanes_max: sections.deliver.concurrency,
        backoff_first: sections.deliver.backoff_first,
        backoff_max: sections.deliver.backoff_max,
        poll_interval: sections.deliver.poll,
        ..Default::default()
    }
}

fn hooks(
    store: &Store,
    sections: &Sections,
    alerts: &Alerts,
    healths: &[(ChannelHealth, &Configured)],
) -> (Webhooks, Committers) {
    let hooks = healths
        .iter()
        .filter(|(_, channel)| channel.intake.is_called())
        .map(|(health, channel)| Hook {
            channel: channel.ident.clone(),
            reader: channel.channel.clone(),
            health: match channel.intake {
                // What is asked too is as well as the asking: a call that came says nothing of that.
                Intake::Poll(_) => ChannelHealth::standing_by(&channel.ident.name),
                _ => health.clone(),
            },
        })
        .collect();
    let limits = WebhookLimits::within(
        sections.http.body_bytes_max,
        sections.http.concurrent_max,
        sections.http.request_timeout(),
    );
    let setup = WebhookSetup {
        store: store.clone(),
        alerts: alerts.clone(),
        public_url: sections.http.public_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned()),
        limits,
        commit: Commit::Grouped,
    };
    Webhooks::start(setup, hooks)
}

/// What is looked at to say aloud that something gathers dust (promise P7).
fn probes(
    store: &Store,
    sections: &Sections,
    healths: Vec<ChannelHealth>,
    mirrors: Arc<[String]>,
    beat: Arc<AtomicI64>,
) -> Vec<Probe> {
    let (dead_after, silent_after) = (sections.alerts.channel_dead_after, sections.alerts.channel_silent_after);
    let names: Arc<[String]> = healths.iter().map(|health| health.channel().to_owned()).collect();
    let channels = move || {
        let now = Timestamp::now();
        let mut readings = Vec::new();
        for health in &healths {
            let detail = health.trouble().map(|trouble| trouble.detail).unwrap_or_default();
            readings.push(Reading {
                code: "channel_dead",
                subject: health.channel().to_owned(),
                value: health.failing_for(now).as_secs_f64(),
                limit: dead_after.as_secs_f64(),
                message: format!("channel {} does not work: {detail}", health.channel()),
            });
            if let (Some(limit), Some(at)) = (silent_after, health.last_worked_at()) {
                readings.push(Reading {
                    code: "channel_silent",
                    subject: health.channel().to_owned(),
                    value: (now.as_second() - at.as_second()) as f64,
                    limit: limit.as_secs_f64(),
                    message: format!(
                        "channel {} has brought nothing for a long time: is it still connected at the vendor?",
                        health.channel()
                    ),
                });
            }
        }
        readings
    };
    let channels = Arc::new(channels);
    let (ingest_age, outbox_age) = (sections.alerts.ingest_age_max, sections.alerts.outbox_age_max);
    let channels = Probe {
        name: "channels",
        read: Arc::new(move || {
            let channels = channels.clone();
            Box::pin(async move { Ok(channels()) })
        }),
    };
    let ingest = stored("ingest", store, move |store| {
        let beat = beat.clone();
        async move { ingest_reading(&store, ingest_age, &beat).await }
    });
    let outbox = stored("outbox", store, move |store| {
        let mirrors = mirrors.clone();
        async move { outbox_readings(&store, &mirrors, outbox_age).await }
    });
    let media = stored("media", store, move |store| {
        let names = names.clone();
        async move { media_readings(&store, &names, outbox_age).await }
    });
    let senders = stored("senders", store, |store| async move { denied_readings(&store, Timestamp::now()).await });
    let automatic_max = sections.answers.automatic_max;
    let loops = move |store| async move { loop_readings(&store, automatic_max, Timestamp::now()).await };
    let loops = stored("answers", store, loops);
    vec![channels, ingest, outbox, media, senders, loops]
}

/// A probe that asks the database.
fn stored<F>(name: &'static str, store: &Store, read: impl Fn(Store) -> F + Send + Sync + 'static) -> Probe
where
    F: Future<Output = Result<Vec<Reading>, StoreError>> + Send + 'static,
{
    let store = store.clone();
    let read = move || {
        let reading = read(store.clone());
        async move { reading.await.map_err(|error| error.to_string()) }.boxed()
    };
    Probe { name, read: Arc::new(read) }
}

async fn ingest_reading(store: &Store, limit: Duration, beat: &AtomicI64) -> Result<Vec<Reading>, StoreError> {
    let now = Timestamp::now();
    beat.store(now.as_second(), Ordering::Relaxed);
    let (count, oldest) = store.pending().await?;
    metrics::gauge!("lanka_ingest_pending").set(count as f64);
    Ok(vec![Reading {
        code: "ingest_late",
        subject: "ingest".to_owned(),
        value: oldest.map_or(0.0, |at| (now.as_second() - at.as_second()) as f64),
        limit: limit.as_secs_f64(),
        message: format!(
            "{} to be decided: look at the log, the database's load and `lanka quarantine list`",
            super::counted(count, "delivery waits", "deliveries wait")
        ),
    }])
}

/// Mails that came in somebody's name and are denied by his domain (IDENTITY 4.1): one alert for a
/// channel while they come, over when an hour brought none. Ids only: who was named is in the thread.
pub async fn denied_readings(store: &Store, now: Timestamp) -> Result<Vec<Reading>, StoreError> {
    let since = now.checked_sub(DENIED_WINDOW).unwrap_or(now);
    let reading = |denied: Denied| Reading {
        code: "sender_contradicted",
        value: denied.count as f64,
        limit: 0.0,
        message: format!(
            "{} mails within the hour by channel {} are denied by their sender's domain and were kept apart from whom \
             they name: look at `lanka explain {}` before anybody answers",
            denied.count, denied.channel, denied.latest
        ),
        subject: denied.channel,
    };
    Ok(store.denied_since(since).await?.into_iter().map(reading).collect())
}

/// Programs that answer each other by way of lanka: one alert for a channel from where answers are stopped, over when it has been
/// half as many within the hour.
pub async fn loop_readings(store: &Store, automatic_max: u32, now: Timestamp) -> Result<Vec<Reading>, StoreError> {
    let since = now.checked_sub(LOOP_WINDOW).unwrap_or(now);
    let reading = |looping: Looping| Reading {
        code: "mail_loop",
        value: looping.count as f64,
        // An alert is raised past its limit, and answers are stopped from theirs on.
        limit: f64::from(automatic_max) - 0.5,
        message: format!(
            "a program answers our answers by channel {}: nothing is mailed to it on ticket #{} unless an agent picks \
             the address; look at `lanka thread show {}`",
            looping.channel, looping.ticket, looping.ticket
        ),
        subject: looping.channel,
    };
    Ok(store.looping_since(since).await?.into_iter().map(reading).collect())
}

async fn outbox_readings(store: &Store, mirrors: &[String], limit: Duration) -> Result<Vec<Reading>, StoreError> {
    let now = Timestamp::now();
    let mut readings = Vec::new();
    let states = store.outbox_states().await?;
    for mirror in mirrors.iter().filter(|mirror| !states.iter().any(|state| state.mirror == **mirror)) {
        metrics::gauge!("lanka_outbox_pending", "mirror" => mirror.clone()).set(0.0);
    }
    for state in states {
        metrics::gauge!("lanka_outbox_pending", "mirror" => state.mirror.clone()).set(state.pending as f64);
        readings.push(Reading {
            code: "outbox_late",
            subject: state.mirror.clone(),
            value: state.oldest.map_or(0.0, |at| (now.as_second() - at.as_second()) as f64),
            limit: limit.as_secs_f64(),
            message: format!(
                "{} for mirror {}: {}",
                super::counted(state.pending, "change waits", "changes wait"),
                state.mirror,
                state.why.clone().unwrap_or_default()
            ),
        });
        readings.push(Reading {
            code: deliver::OUTBOX_DEAD,
            value: state.dead as f64,
            limit: 0.0,
            message: format!(
                "{} by mirror {}: look at `lanka outbox --dead`",
                super::counted(state.dead, "change was given up", "changes were given up"),
                state.mirror
            ),
            subject: state.mirror,
        });
    }
    Ok(readings)
}

/// Files that have waited for long: a token that ran out, a vendor that is away.
async fn media_readings(store: &Store, channels: &[String], limit: Duration) -> Result<Vec<Reading>, StoreError> {
    let now = Timestamp::now();
    let mut readings = Vec::new();
    let states = store.media_states().await?;
    for channel in channels.iter().filter(|channel| !states.iter().any(|state| state.channel == **channel)) {
        metrics::gauge!("lanka_media_waiting", "channel" => channel.clone()).set(0.0);
    }
    for state in states {
        metrics::gauge!("lanka_media_waiting", "channel" => state.channel.clone()).set(state.waiting as f64);
        readings.push(Reading {
            code: "media_late",
            value: state.oldest.map_or(0.0, |at| (now.as_second() - at.as_second()) as f64),
            limit: limit.as_secs_f64(),
            message: format!(
                "{} to be fetched for channel {}: {}",
                super::counted(state.waiting, "file waits", "files wait"),
                state.channel,
                state.why.clone().unwrap_or_default()
            ),
            subject: state.channel,
        });
    }
    Ok(readings)
}

/// The watchdog's question: the loop that looks at the queues has turned lately. The database being
/// away does not count as stuck, for a restart would not bring it back.
fn is_alive(beat: &AtomicI64) -> bool {
    let now = Timestamp::now().as_second();
    now - beat.load(Ordering::Relaxed) < i64::try_from(STUCK_AFTER.as_secs()).unwrap_or(i64::MAX)
}

/// Removes what a crash left half written in the content store.
async fn sweep(store: Store) {
    match tokio::task::spawn_blocking(move || store.content.sweep()).await {
        Ok(Ok(0)) | Err(_) => {}
        Ok(Ok(files)) => tracing::info!(files, "removed unfinished files of the content store"),
        Ok(Err(error)) => {
            tracing::warn!(code = "sweep_failed", %error, "cannot look for unfinished files in the content store")
        }
    }
}

/// Makes the partition of the coming month in good time.
async fn keep_months(store: Store, mut stop: watch::Receiver<bool>) {
    const LOOK_EVERY: Duration = Duration::from_secs(6 * 3600);
    loop {
        let soon = Timestamp::now().saturating_add(jiff::SignedDuration::from_hours(24 * 7));
        if let Ok(soon) = soon
            && let Err(error) = store.ensure_months([Timestamp::now(), soon].into_iter()).await
        {
            tracing::warn!(code = "partition_failed", %error, "cannot make the coming month's partitions; trying again");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}
