//! `lanka quarantine`: what could not be understood.

use super::output::{Output, clock, safe};
use super::stream::Recorded;
use super::{Bench, Failure, settle};
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::RawEventId;
use crate::shell::store::quarantine::QuarantineLine;
use crate::shell::{Deployment, Parts, counted};
use serde::Serialize;

/// Of a payload so much is shown to a person; programs get it whole. Bytes.
const SHOWN_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Quarantine {
    /// What waits, the latest first.
    List {
        /// Of one channel only.
        #[arg(long, value_name = "NAME")]
        channel: Option<String>,
        /// Also what was retried and dropped.
        #[arg(long)]
        all: bool,
        /// At most so many.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..))]
        limit: i64,
    },
    /// One fault, and the payload as it came.
    Show {
        /// Its number.
        id: i64,
    },
    /// Read deliveries again, after what was wrong has been put right.
    Retry {
        /// Their numbers.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        ids: Vec<i64>,
        /// All that wait.
        #[arg(long)]
        all: bool,
    },
    /// Give up: they are marked, and their bytes stay stored.
    Drop {
        /// Their numbers.
        #[arg(required = true)]
        ids: Vec<i64>,
    },
}

/// A fault with its payload, for programs.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    line: &'a QuarantineLine,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Recorded<'a>>,
}

/// What came of reading again, for programs.
#[derive(Serialize)]
struct Again {
    deliveries: i64,
    quarantined: i64,
}

impl Quarantine {
    /// Whether it does more than read.
    pub(super) fn changes(&self) -> bool {
        matches!(self, Self::Retry { .. } | Self::Drop { .. })
    }

    pub(super) async fn run(self, bench: Bench, output: &mut Output) -> Result<(), Failure> {
        if let Self::Retry { ids, all } = self {
            return retry(bench, ids, all, output).await;
        }
        bench
            .with(async |settings, deployment| {
                let (store, zone) = (&deployment.store, &settings.defaults.time_zone);
                match self {
                    Self::List { channel, all, limit } => {
                        let lines = store.quarantined(channel.as_deref(), all, limit).await?;
                        let cells = |line: &QuarantineLine| {
                            let origin = line.origin.clone();
                            vec![
                                line.id.to_string(),
                                clock(line.at, zone),
                                line.state.clone(),
                                line.channel.clone(),
                                origin,
                                line.code.clone(),
                                line.detail.clone(),
                            ]
                        };
                        output.rows(
                            &["id", "at", "state", "channel", "from", "code", "detail"],
                            &lines,
                            cells,
                            "nothing is in quarantine",
                        )
                    }
                    Self::Show { id } => show(deployment, id, output).await,
                    Self::Drop { ids } => {
                        let dropped = store.drop_quarantined(&ids, Timestamp::now()).await?;
                        missing(&ids, &dropped)?;
                        output.text(&format!("{} dropped", dropped.len()))
                    }
                    Self::Retry { .. } => Ok(()),
                }
            })
            .await
    }
}

async fn show(deployment: &Deployment, id: i64, output: &mut Output) -> Result<(), Failure> {
    let Some((line, event)) = deployment.store.quarantined_one(id).await? else { return missing(&[id], &[]) };
    if output.is_json() {
        let payload = event.as_ref().map(Recorded::of);
        return output.json(&Shown { line: &line, payload });
    }
    output.heading(&format!("{} {}: {}", line.id, line.code, line.detail))?;
    output.text(&format!("{}, channel {} ({}), {}", line.state, line.channel, line.kind, line.origin))?;
    let Some(event) = event else { return output.text("it was too large, and its bytes were not stored") };
    output.text(&format!("delivery {}, {} bytes:\n", event.id, event.body.len()))?;
    let part = &event.body[..event.body.len().min(SHOWN_BYTES_MAX)];
    for piece in part.utf8_chunks() {
        let bytes: String = piece.invalid().iter().map(|byte| format!("\\x{byte:02x}")).collect();
        output.part(&format!("{}{bytes}", safe(piece.valid())))?;
    }
    match part.len() < event.body.len() {
        true => {
            output.text(&format!("\n… and {} bytes more; `--format json` shows all", event.body.len() - part.len()))
        }
        false => output.text(""),
    }
}

/// Puts deliveries back and decides them, so that the person sees at once whether it helped.
async fn retry(bench: Bench, ids: Vec<i64>, all: bool, output: &mut Output) -> Result<(), Failure> {
    let Bench { settings, deployment } = bench;
    let (parts, _) = Parts::of(settings, &deployment.keys);
    let store = &deployment.store;
    let work = async {
        let waiting = store.quarantined(None, false, i64::MAX).await?;
        let chosen: Vec<&QuarantineLine> = waiting.iter().filter(|line| all || ids.contains(&line.id)).collect();
        let found: Vec<i64> = chosen.iter().map(|line| line.id).collect();
        missing(&ids, &found)?;
        let bodiless: Vec<String> =
            chosen.iter().filter(|line| line.raw_event.is_none()).map(|line| line.id.to_string()).collect();
        if !bodiless.is_empty() && !all {
            return Err(Failure::Failed(format!(
                "the bytes of {} were never stored; fetch them from where they came from, and `lanka import` them",
                bodiless.join(", ")
            )));
        }
        let raw = store.retry_quarantined(&found, Timestamp::now()).await?;
        decide_again(&deployment, &parts, &raw, output).await
    };
    let result = work.await;
    deployment.close().await;
    result
}

/// Decides deliveries that were put back, and says what came of them.
pub(super) async fn decide_again(
    deployment: &Deployment,
    parts: &Parts,
    raw: &[RawEventId],
    output: &mut Output,
) -> Result<(), Failure> {
    let store = &deployment.store;
    settle::decide(store, &settle::ingest(store, parts, None), raw).await?;
    let outcome = store.outcome_of(raw).await?;
    let again = Again { deliveries: outcome.deliveries, quarantined: outcome.quarantined };
    match (output.is_json(), again.quarantined) {
        (true, _) => output.json(&again),
        (false, 0) => {
            let deliveries = counted(again.deliveries, "delivery", "deliveries");
            output.text(&format!("{deliveries} decided again, and nothing of that is in quarantine"))
        }
        (false, n) => output.text(&format!(
            "{} decided again; {} still there: `lanka quarantine list`",
            counted(again.deliveries, "delivery", "deliveries"),
            counted(n, "fault is", "faults are")
        )),
    }
}

/// An error that names those of the wanted that were not found.
fn missing(wanted: &[i64], found: &[i64]) -> Result<(), Failure> {
    let missing: Vec<String> = wanted.iter().filter(|id| !found.contains(id)).map(ToString::to_string).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Failure::Failed(format!(
            "nothing waits in quarantine under {}; `lanka quarantine list` shows what does",
            missing.join(", ")
        ))),
    }
}
