//! `lanka channels` and `lanka outbox`: the state of every way in and out, as the database knows it.

use super::output::{Output, ago, clock};
use super::{Bench, Failure};
use crate::config::Settings;
use crate::pure::channels::Intake;
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::OutboxId;
use crate::shell::Deployment;
use crate::shell::store::outbox::OutboxState;
use crate::shell::store::ways::DeadPost;
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
    /// When the last delivery was stored.
    last_at: Option<Timestamp>,
    /// Deliveries not decided yet.
    waiting: i64,
    /// Faults that wait for a person.
    quarantined: i64,
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
            let line = |((name, channel), state): ((&String, &crate::config::ChannelSettings), _)| {
                let state: crate::shell::store::ways::ChannelState = state;
                ChannelLine {
                    name: name.clone(),
                    kind: channel.kind,
                    intake: word(&channel.built.intake),
                    tenant: channel.tenant.clone(),
                    enabled: channel.enabled,
                    last_at: state.last_at,
                    waiting: state.waiting,
                    quarantined: state.quarantined,
                    cursor_age_s: state.cursor_moved_at.map(|at| now.duration_since(at).as_secs()),
                }
            };
            let lines: Vec<ChannelLine> = settings.channels.iter().zip(states).map(line).collect();
            let zone = &settings.defaults.time_zone;
            let cells = |line: &ChannelLine| {
                vec![
                    line.name.clone(),
                    line.kind.to_owned(),
                    line.intake.to_owned(),
                    line.tenant.clone(),
                    if line.enabled { "on" } else { "off" }.to_owned(),
                    line.last_at.map_or_else(|| "never".to_owned(), |at| clock(at, zone)),
                    line.waiting.to_string(),
                    line.quarantined.to_string(),
                    line.cursor_age_s
                        .map_or_else(String::new, |age| ago(now - jiff::SignedDuration::from_secs(age), now)),
                ]
            };
            let header = ["channel", "kind", "intake", "tenant", "", "last", "waiting", "quarantine", "cursor age"];
            output.rows(&header, &lines, cells, "no channels are configured")
        })
        .await
}

fn word(intake: &Intake) -> &'static str {
    match intake {
        Intake::Webhook => "http",
        Intake::Imap(_) => "mailbox",
        Intake::Tail(_) => "log",
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
    pub(super) async fn run(self, bench: Bench, output: &mut Output) -> Result<(), Failure> {
        bench
            .with(async |settings, deployment| match &self.command {
                Some(OutboxCommand::Retry { ids, all_dead }) => {
                    let chosen = (!all_dead).then_some(ids.as_slice());
                    let revived = deployment.store.revive_posts(chosen, Timestamp::now()).await?;
                    if !all_dead && revived < ids.len() as u64 {
                        return Err(Failure::Failed(format!(
                            "{revived} of {} are sent again; the others are not dead: see `lanka outbox --dead`",
                            ids.len()
                        )));
                    }
                    output.text(&format!(
                        "{revived} changes are sent again, by the daemon or by `lanka run --until-idle`"
                    ))
                }
                None if self.dead => dead(settings, deployment, output).await,
                None => states(settings, deployment, output).await,
            })
            .await
    }
}

async fn states(settings: &Settings, deployment: &Deployment, output: &mut Output) -> Result<(), Failure> {
    let mut states = deployment.store.outbox_states().await?;
    for name in settings
        .mirrors
        .keys()
        .filter(|name| !states.iter().any(|state| state.mirror == **name))
        .cloned()
        .collect::<Vec<_>>()
    {
        states.push(OutboxState { mirror: name, pending: 0, claimed: 0, dead: 0, oldest: None, why: None });
    }
    states.sort_by(|a, b| a.mirror.cmp(&b.mirror));
    let now = Timestamp::now();
    let cells = |state: &OutboxState| {
        vec![
            state.mirror.clone(),
            state.pending.to_string(),
            state.claimed.to_string(),
            state.dead.to_string(),
            state.oldest.map_or_else(String::new, |at| ago(at, now)),
            state.why.clone().unwrap_or_default(),
        ]
    };
    output.rows(
        &["mirror", "waiting", "being sent", "dead", "oldest", "last failure"],
        &states,
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
