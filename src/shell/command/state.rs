//! `lanka channels` and `lanka outbox`: the state of every way in and out, as the database knows it.

use super::output::{Output, ago, clock};
use super::{Bench, Failure};
use crate::config::Settings;
use crate::pure::channels::Intake;
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::OutboxId;
use crate::shell::store::health::{Health, HealthWord, Side};
use crate::shell::store::outbox::OutboxState;
use crate::shell::store::ways::DeadPost;
use crate::shell::{Deployment, counted};
use serde::Serialize;

/// Dead changes shown at once.
const DEAD_SHOWN_MAX: i64 = 1000;

/// A way in.
#[derive(Serialize)]
struct ChannelLine {
    name: String,
    kind: &'static str,
    intake: &'static str,
    tenant: String,
    enabled: bool,
    /// How it does, as the daemon last said.
    #[serde(flatten)]
    health: Health,
    /// When the last delivery was stored.
    last_at: Option<Timestamp>,
    /// Deliveries not decided yet.
    waiting: i64,
    /// Faults that wait for a person.
    quarantined: i64,
    /// Files yet to be fetched from the vendor.
    files_waiting: i64,
    /// Files that the vendor no longer gives out, or that are too large.
    files_lost: i64,
    /// Seconds since the intake last moved its cursor; null for webhooks.
    cursor_age_s: Option<i64>,
}

pub(super) async fn channels(bench: Bench, output: &mut Output) -> Result<(), Failure> {
    bench
        .with(async |settings, deployment| {
            let now = Timestamp::now();
            let names: Vec<(String, String)> =
                settings.channels.iter().map(|(name, channel)| (channel.tenant.clone(), name.clone())).collect();
            let states = deployment.store.channel_states(&names).await?;
            let mut healths = deployment.store.health(Side::Channel).await?;
            let mut line = |((name, channel), state): ((&String, &crate::config::ChannelSettings), _)| {
                let state: crate::shell::store::ways::ChannelState = state;
                let health = healths.remove(name).unwrap_or_else(Health::unknown);
                ChannelLine {
                    name: name.clone(),
                    kind: channel.kind,
                    intake: word(&channel.built.intake),
                    tenant: channel.tenant.clone(),
                    enabled: channel.enabled,
                    health: if channel.enabled { health } else { health.off() },
                    last_at: state.last_at,
                    waiting: state.waiting,
                    quarantined: state.quarantined,
                    files_waiting: state.files_waiting,
                    files_lost: state.files_lost,
                    cursor_age_s: state.cursor_moved_at.map(|at| now.duration_since(at).as_secs()),
                }
            };
            let lines: Vec<ChannelLine> = settings.channels.iter().zip(states).map(&mut line).collect();
            let zone = &settings.defaults.time_zone;
            let cells = |line: &ChannelLine| {
                vec![
                    line.name.clone(),
                    line.kind.to_owned(),
                    line.intake.to_owned(),
                    line.tenant.clone(),
                    line.health.state.word().to_owned(),
                    line.health.since.map_or_else(String::new, |at| ago(at, now)),
                    line.health.worked_at.map_or_else(|| "never".to_owned(), |at| ago(at, now) + " ago"),
                    line.last_at.map_or_else(|| "never".to_owned(), |at| clock(at, zone)),
                    line.waiting.to_string(),
                    line.quarantined.to_string(),
                    line.files_waiting.to_string(),
                    line.files_lost.to_string(),
                    line.health.failures.to_string(),
                    line.health.why.clone().unwrap_or_default(),
                ]
            };
            let header = [
                "channel",
                "kind",
                "intake",
                "tenant",
                "state",
                "for",
                "last worked",
                "last stored",
                "waiting",
                "quarantine",
                "files waiting",
                "files lost",
                "failures",
                "why",
            ];
            output.rows(&header, &lines, cells, "no channels are configured")
        })
        .await
}

fn word(intake: &Intake) -> &'static str {
    match intake {
        Intake::Poll(source) if source.is_called => "http, asked",
        Intake::Poll(_) => "asked",
        Intake::Webhook => "http",
        Intake::Imap(_) => "mailbox",
        Intake::Lmtp(_) => "socket",
        Intake::Tail(_) => "log",
        Intake::Table(_) => "table",
        Intake::Drop(_) => "directory",
    }
}

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Outbox {
    /// The changes that were given up, one by one.
    #[arg(long)]
    dead: bool,
    #[command(subcommand)]
    command: Option<OutboxCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum OutboxCommand {
    /// Send changes that were given up once more.
    Retry {
        /// Their ids, as `lanka outbox --dead` shows them.
        #[arg(required_unless_present = "all_dead", conflicts_with = "all_dead")]
        ids: Vec<OutboxId>,
        /// All of them.
        #[arg(long)]
        all_dead: bool,
    },
}

impl Outbox {
    /// Whether it does more than read.
    pub(super) fn changes(&self) -> bool {
        self.command.is_some()
    }

    pub(super) async fn run(self, bench: Bench, output: &mut Output) -> Result<(), Failure> {
        bench
            .with(async |settings, deployment| match &self.command {
                Some(OutboxCommand::Retry { ids, all_dead }) => {
                    let chosen = (!all_dead).then_some(ids.as_slice());
                    let revived = deployment.store.revive_posts(chosen, Timestamp::now()).await?;
                    if !all_dead && revived < ids.len() as u64 {
                        return Err(Failure::Failed(format!(
                            "{revived} of {} will be sent again; the others are not dead: see `lanka outbox --dead`",
                            ids.len()
                        )));
                    }
                    output.text(&format!(
                        "{} sent again, by the daemon or by `lanka run --until-idle`",
                        counted(revived, "change is", "changes are")
                    ))
                }
                None if self.dead => dead(settings, deployment, output).await,
                None => states(settings, deployment, output).await,
            })
            .await
    }
}

/// A way out.
#[derive(Serialize)]
struct MirrorLine {
    #[serde(flatten)]
    queue: OutboxState,
    /// How the mirror does, as the daemon last said.
    state: HealthWord,
    /// Since when.
    since: Option<Timestamp>,
    /// When it last took a change.
    worked_at: Option<Timestamp>,
    /// Attempts in a row that failed.
    failures: i64,
}

impl MirrorLine {
    /// What the daemon says goes before what the rows remember of earlier attempts.
    fn of(mut queue: OutboxState, health: Health) -> Self {
        let Health { state, since, worked_at, failures, why } = health;
        queue.why = match state {
            HealthWord::Unknown | HealthWord::Failing | HealthWord::Parked => why.or(queue.why),
            _ => queue.why,
        };
        Self { queue, state, since, worked_at, failures }
    }
}

async fn states(settings: &Settings, deployment: &Deployment, output: &mut Output) -> Result<(), Failure> {
    let mut queues = deployment.store.outbox_states().await?;
    for name in settings
        .mirrors
        .keys()
        .filter(|name| !queues.iter().any(|queue| queue.mirror == **name))
        .cloned()
        .collect::<Vec<_>>()
    {
        queues.push(OutboxState { mirror: name, pending: 0, claimed: 0, dead: 0, oldest: None, why: None });
    }
    queues.sort_by(|a, b| a.mirror.cmp(&b.mirror));
    let mut healths = deployment.store.health(Side::Mirror).await?;
    let line = |queue: OutboxState| {
        let health = healths.remove(&queue.mirror).unwrap_or_else(Health::unknown);
        let is_on = settings.mirrors.get(&queue.mirror).is_some_and(|mirror| mirror.enabled);
        MirrorLine::of(queue, if is_on { health } else { health.off() })
    };
    let lines: Vec<MirrorLine> = queues.into_iter().map(line).collect();
    let now = Timestamp::now();
    let cells = |line: &MirrorLine| {
        vec![
            line.queue.mirror.clone(),
            line.state.word().to_owned(),
            line.since.map_or_else(String::new, |at| ago(at, now)),
            line.worked_at.map_or_else(|| "never".to_owned(), |at| ago(at, now) + " ago"),
            line.queue.pending.to_string(),
            line.queue.claimed.to_string(),
            line.queue.dead.to_string(),
            line.queue.oldest.map_or_else(String::new, |at| ago(at, now)),
            line.failures.to_string(),
            line.queue.why.clone().unwrap_or_default(),
        ]
    };
    output.rows(
        &["mirror", "state", "for", "last worked", "waiting", "being sent", "dead", "oldest", "failures", "why"],
        &lines,
        cells,
        "no mirrors are configured",
    )
}

async fn dead(settings: &Settings, deployment: &Deployment, output: &mut Output) -> Result<(), Failure> {
    let posts = deployment.store.dead_posts(DEAD_SHOWN_MAX).await?;
    let zone = &settings.defaults.time_zone;
    let cells = |post: &DeadPost| {
        let (ticket, change) = (post.ticket_id.to_string(), post.change.clone());
        vec![
            post.id.to_string(),
            post.mirror.clone(),
            ticket,
            change,
            post.attempts.to_string(),
            clock(post.decided_at, zone),
            post.why.clone().unwrap_or_default(),
        ]
    };
    output.rows(
        &["id", "mirror", "ticket", "change", "attempts", "decided", "why"],
        &posts,
        cells,
        "nothing was given up",
    )
}
