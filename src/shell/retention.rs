//! What `[retention]` says is removed, once an hour.
//!
//! Ages are counted from arrival, by calendar month in UTC: a month goes when the last of it is older than is
//! kept. Deliveries go no later than the messages that were read out of them.
//!
//! **Invariant:** one daemon of a database does it at a time; what fails, or is in the way of somebody, is left for the next hour.

use crate::pure::domain::Timestamp;
use crate::shell::store::retention::{CONTENT_AGE_MIN, Removed};
use crate::shell::store::{Store, StoreError};
use std::time::Duration;
use tokio::sync::watch;

/// How long after its start a daemon first looks: a start has enough to do.
const FIRST_AFTER: Duration = Duration::from_secs(600);

/// How often it looks then.
const LOOK_EVERY: Duration = Duration::from_secs(3600);

/// How long those who look on may stay away and miss nothing, and of how many changes (60 bytes each).
const CHANGES_KEPT_FOR: Duration = Duration::from_secs(24 * 3600);
const CHANGES_MAX: i64 = 2_000_000;

/// Tables whose months go with `messages`: those of the messages last, for they say what else there is to remove.
const OF_MESSAGES: [&str; 6] = ["outbox", "ticket_event", "decision", "attachment", "raw_item", "message"];

/// How long things are kept, from arrival; `None` is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Deliveries.
    pub raw: Option<Duration>,
    /// Messages, and what hangs on them.
    pub messages: Option<Duration>,
}

impl Limits {
    fn kept_from(age: Option<Duration>, now: Timestamp) -> Option<Timestamp> {
        // Longer than there is time: for ever.
        now.checked_sub(age?).ok()
    }
}

/// Removes once an hour until told to stop.
pub async fn keep_to(limits: Limits, store: Store, mut stop: watch::Receiver<bool>) {
    let mut is_first = true;
    let mut wait = FIRST_AFTER;
    loop {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        wait = LOOK_EVERY;
        match run(limits, &store, Timestamp::now(), is_first).await {
            Ok(removed) => {
                is_first = false;
                say(&removed);
            }
            Err(error) => tracing::warn!(code = "retention_failed", %error,
                "what is older than [retention] keeps could not all be removed; the rest is tried again within the hour"),
        }
    }
}

fn say(removed: &Removed) {
    let Removed { months, deliveries, needed, tickets, identities, contacts } = *removed;
    if (Removed { needed: 0, ..*removed }) != Removed::default() {
        tracing::info!(
            months,
            deliveries,
            tickets,
            identities,
            contacts,
            "removed what is older than [retention] keeps"
        );
    }
    if needed > 0 {
        tracing::info!(
            needed,
            "deliveries older than retention.raw are kept: they wait, in the quarantine or to be decided"
        );
    }
}

/// Removes what is too old at `now`. People and tickets are looked through when something was removed, or when
/// `all` is asked for. Does nothing while another daemon does it.
pub async fn run(limits: Limits, store: &Store, now: Timestamp, all: bool) -> Result<Removed, StoreError> {
    let Some(turn) = store.retention_turn().await? else { return Ok(Removed::default()) };
    let removed = remove(limits, store, now, all).await;
    turn.end().await?;
    removed
}

async fn remove(limits: Limits, store: &Store, now: Timestamp, all: bool) -> Result<Removed, StoreError> {
    let mut removed = Removed::default();
    let messages_from = Limits::kept_from(limits.messages, now);
    if let Some(raw_from) = Limits::kept_from(limits.raw, now).max(messages_from) {
        for month in store.months_before("raw_event", raw_from).await? {
            let of_month = store.remove_deliveries(&month).await?;
            removed.months += of_month.months;
            removed.deliveries += of_month.deliveries;
            removed.needed += of_month.needed;
        }
    }
    if let Some(messages_from) = messages_from {
        let before = removed.months;
        for month in store.months_before("message", messages_from).await? {
            store.remove_rows_of(&month).await?;
        }
        for table in OF_MESSAGES {
            for month in store.months_before(table, messages_from).await? {
                store.remove_month(&month).await?;
                removed.months += 1;
            }
        }
        if all || removed.months > before {
            let bare = store.remove_bare(messages_from).await?;
            removed.tickets = bare.tickets;
            removed.identities = bare.identities;
            removed.contacts = bare.contacts;
        }
    }
    store.forget_unnamed(CONTENT_AGE_MIN).await?;
    store.forget_changes(now - CHANGES_KEPT_FOR, CHANGES_MAX).await?;
    Ok(removed)
}
