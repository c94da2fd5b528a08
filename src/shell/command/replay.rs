//! `lanka replay`: stored deliveries, parsed again; and with `--media` lost files, asked for again.
//!
//! What is put back into the queue: deliveries with a fault in quarantine, and those in which the
//! channel now reads items that were not taken in before (a parser was mended). Items taken in before
//! come out as repeats and change nothing. Then everybody of whom something was received since is decided on anew,
//! from all that is known: who is who, what is one matter, and what is suggested. Where nothing was mended and nothing
//! set up otherwise, that changes nothing.

use super::output::Output;
use super::{Bench, Failure, quarantine};
use crate::config::Sections;
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::RawEventId;
use crate::pure::domain::message::RawEvent;
use crate::shell::carriers::http::HttpCarrier;
use crate::shell::registry::Registry;
use crate::shell::store::replay::Taken;
use crate::shell::{Deployment, Parts, counted, daemon};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::Serialize;

/// Deliveries read at once.
const PAGE_ROWS: i64 = 100;

/// Deliveries put back in one transaction, and remembered for what is said at the end.
const PUT_BACK_MAX: usize = 10_000;

#[derive(Debug, clap::Args)]
pub(super) struct Replay {
    /// Only what was received since: 2026-03-01, 2026-03-01T08:00, or with a zone 2026-03-01T08:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Read nothing again, but ask vendors once more for files that are lost: after an access token was mended, or an
    /// outage that was longer than the attempts.
    #[arg(long)]
    media: bool,
}

/// What became of lost files, for programs.
#[derive(Debug, Default, Serialize)]
struct Refetched {
    asked: u64,
    fetched: i64,
    waiting: i64,
    lost: i64,
    expired: u64,
}

impl Replay {
    pub(super) async fn run(self, bench: Bench, output: &mut Output) -> Result<(), Failure> {
        let Bench { settings, deployment } = bench;
        let since = self.since.as_deref().map(|text| instant(text, &settings.defaults.time_zone)).transpose();
        let (parts, sections) = Parts::of(settings, &deployment.keys);
        let result = match since {
            Ok(since) if self.media => fetch_lost(&deployment, &parts, &sections, since, output).await,
            Ok(since) => replay(&deployment, &parts, since, output).await,
            Err(failure) => Err(failure),
        };
        deployment.close().await;
        result
    }
}

/// An instant as a person writes it; without a zone, the desk's is meant.
fn instant(text: &str, zone: &TimeZone) -> Result<Timestamp, Failure> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let local = text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(|date| date.at(0, 0, 0, 0)));
    let at = local.and_then(|local| local.to_zoned(zone.clone())).map(|zoned| zoned.timestamp());
    at.map_err(|_| {
        Failure::Usage(format!("\"{text}\" is not a time; write 2026-03-01, 2026-03-01T08:00 or 2026-03-01T08:00:00Z"))
    })
}

async fn replay(
    deployment: &Deployment,
    parts: &Parts,
    since: Option<Timestamp>,
    output: &mut Output,
) -> Result<(), Failure> {
    let store = &deployment.store;
    let (mut after, mut read, mut lost) = (None, 0u64, 0u64);
    let mut again: Vec<RawEventId> = Vec::new();
    loop {
        let page = store.taken(after, since, PAGE_ROWS).await?;
        let Some(last) = page.last() else { break };
        after = Some(id(last));
        for taken in &page {
            read += 1;
            match &taken.event {
                Ok(event) if taken.is_quarantined || has_more(&parts.registry, event, &taken.items) => {
                    again.push(event.id)
                }
                Ok(_) => {}
                Err(_) => lost += 1,
            }
        }
        if again.len() >= PUT_BACK_MAX {
            break;
        }
    }
    store.put_back(&again, Timestamp::now()).await?;
    if !output.is_json() {
        let read = counted(read, "delivery", "deliveries");
        output.text(&format!("{read} read again, {} of them to be decided", again.len()))?;
    }
    if lost > 0 {
        eprintln!("lanka: the bytes of {} are not stored any more", counted(lost, "delivery", "deliveries"));
    }
    if again.len() >= PUT_BACK_MAX {
        eprintln!("lanka: there may be more: run `lanka replay` once again");
    }
    let people = store.want_all(since, Timestamp::now()).await?;
    if !output.is_json() {
        output.text(&format!("{} to be decided on anew", counted(people, "contact", "contacts")))?;
    }
    quarantine::decide_again(deployment, parts, &again, output).await
}

/// Puts lost files back and tries each once, page by page, so that the person sees at once whether it helped. A daemon
/// beside fetches along.
async fn fetch_lost(
    deployment: &Deployment,
    parts: &Parts,
    sections: &Sections,
    since: Option<Timestamp>,
    output: &mut Output,
) -> Result<(), Failure> {
    let store = &deployment.store;
    let carrier =
        HttpCarrier::new(sections.http.allow_private_addresses).map_err(|error| Failure::failed(error.to_string()))?;
    let media = daemon::files(store, &carrier, parts, sections);
    let channels: Vec<&str> = parts.channels.iter().map(|channel| channel.ident.name.as_str()).collect();
    let (mut all, mut after) = (Refetched::default(), None);
    loop {
        let lost = store.ask_again_for_lost(&channels, since, after, PAGE_ROWS, Timestamp::now()).await?;
        media.until_idle().await?;
        let became = store.became_of(&lost.again).await?;
        all.asked += lost.again.len() as u64;
        all.expired += lost.expired;
        all.fetched += became.fetched;
        all.waiting += became.waiting;
        all.lost += became.lost;
        after = lost.next;
        if after.is_none() {
            break;
        }
    }
    if output.is_json() {
        return output.json(&all);
    }
    let Refetched { asked, fetched, waiting, lost, expired } = all;
    let asked = counted(asked, "lost file", "lost files");
    output.text(&format!("{asked} asked for again: {fetched} here now, {waiting} waiting, {lost} lost as before"))?;
    if waiting > 0 {
        output.text("what waits is tried again by the daemon: `lanka channels` counts it")?;
    }
    if lost > 0 {
        output.text("`lanka thread show` says beside each file why it is lost")?;
    }
    if expired > 0 {
        let expired = counted(expired, "more is", "more are");
        output.text(&format!("{expired} not asked for: the vendor does not give out files that old"))?;
    }
    Ok(())
}

fn id(taken: &Taken) -> RawEventId {
    match &taken.event {
        Ok(event) => event.id,
        Err((id, _)) => *id,
    }
}

/// Whether the channel reads an item that was not taken in.
fn has_more(registry: &Registry, event: &RawEvent, items: &[i32]) -> bool {
    let Some(channel) = registry.channels.get(&event.channel) else { return false };
    // A reader that panics is put back too: the ingest puts the delivery where a person sees it.
    let reading = std::panic::AssertUnwindSafe(|| {
        let read = (0i32..).zip(channel.parse(event).items).filter(|(_, incoming)| !incoming.redacted);
        read.into_iter().any(|(item, _)| items.binary_search(&item).is_err())
    });
    std::panic::catch_unwind(reading).unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let zone = TimeZone::get("Europe/Helsinki").expect("a zone");
        let table = [
            ("2026-03-01", Some("2026-02-28T22:00:00Z")),
            ("2026-03-01T08:00", Some("2026-03-01T06:00:00Z")),
            ("2026-03-01T08:00:00Z", Some("2026-03-01T08:00:00Z")),
            ("2026-03-01T08:00:00+03:00", Some("2026-03-01T05:00:00Z")),
            ("yesterday", None),
        ];
        for (text, expected) in table {
            assert_eq!(instant(text, &zone).ok(), expected.map(|at| at.parse().expect("a time")), "{text}");
        }
    }
}
