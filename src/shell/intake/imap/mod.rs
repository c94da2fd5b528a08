//! A mailbox: mails are fetched in the order of their UIDs and stored with the cursor that says so.
//!
//! ```text
//! connect, log in ─► for each folder: SELECT ─► list a window of UIDs with sizes ─► fetch a batch
//!        ▲                                           ▲        ─► record mails + cursor (commit)
//!        │ any error: wait, grow the wait            └────────── ─► \Seen, MOVE or EXPUNGE on the server
//!        └───────────────────────────────── IDLE, at most poll_interval ◄── nothing left
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `folder.rs` | names, special uses, what is read |
//! | `mailbox.rs` | opening, listing, fetching, waiting |
//! | `cursor.rs` | how far a folder is read, commits |
//! | `batch.rs` | mails into the database; mails that cannot be had |
//! | `afterwards.rs` | what becomes of a stored mail |
//!
//! Two folders or more share one connection: the first is waited on with IDLE, the others are
//! looked at when it wakes, at the latest after `poll_interval`. A folder that cannot be opened keeps no other
//! from being read. A mail that is in several folders is stored from each, the bytes once, and is one
//! message by its Message-ID.
//!
//! **Invariants:** the cursor moves only with the mails it stands for, in one transaction, after a
//! tagged OK. Nothing changes on the server before that commit. Passwords, tokens, mail and what the server
//! says in words are never logged.

mod afterwards;
mod batch;
mod cursor;
mod folder;
mod mailbox;

pub use crate::shell::imap::ImapError;

use super::{Backoff, ChannelHealth, ChannelIdent, stopped};
use crate::pure::channels::{After, ImapSource};
use crate::shell::store::Store;
use crate::shell::tokens::Tokens;
use batch::Trouble;
use cursor::LookedTo;
use folder::{Folder, Plan};
use mailbox::Mailbox;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Failures in a row after which a run until idle gives up. More than the attempts at one mail.
const IDLE_RUN_FAILURES_MAX: u32 = 6;

/// Refused logins after which a run until idle gives up: the next would be refused too.
const IDLE_RUN_LOGINS_MAX: u32 = 2;

/// Waits between connections.
const WAIT_FIRST: Duration = Duration::from_millis(250);
const WAIT_LONGEST: Duration = Duration::from_secs(300);

/// Shortest wait where haste does harm: accounts are locked and throttles tightened. Shorter than what makes
/// a channel count as dead.
const PATIENCE: Duration = Duration::from_secs(30);

/// A session that lasted so long was a good one, even if it brought nothing.
const GOOD_SESSION: Duration = Duration::from_secs(60);

/// First pause after the server announced mail that was not there; doubled each further time.
const FRUITLESS_PAUSE: Duration = Duration::from_millis(100);

/// Reads a mailbox until `shutdown` turns true; with `until_idle` until everything in it is stored.
///
/// Errors end it only with `until_idle`, after several attempts in a row.
pub async fn watch(
    source: ImapSource,
    channel: ChannelIdent,
    store: Store,
    tokens: Tokens,
    health: ChannelHealth,
    mut shutdown: watch::Receiver<bool>,
    until_idle: bool,
) -> Result<(), ImapError> {
    let mut watcher = Watcher {
        source,
        channel,
        store,
        tokens,
        health,
        backoff: Backoff::new(WAIT_FIRST, WAIT_LONGEST),
        failures: 0,
        trouble: None,
        taken: 0,
        is_unsaved: false,
        is_locked_out: false,
        said_unmarked: false,
    };
    // Between any two awaits the state in the database is whole, so that dropping the run is safe.
    tokio::select! {
        biased;
        () = stopped(&mut shutdown) => Ok(()),
        result = watcher.run(until_idle) => result,
    }
}

/// Logs in and opens every folder, changing nothing: `lanka check --connect`.
///
/// # Errors
/// Why the mailbox cannot be read.
pub async fn try_login(source: &ImapSource, channel: &str, tokens: &Tokens) -> Result<(), ImapError> {
    let mut mailbox = Mailbox { connection: crate::shell::imap::login::log_in(source, channel, tokens).await? };
    let plan = Plan::make(source, &mut mailbox).await?;
    for folder in &plan.folders {
        mailbox.open(folder, true).await?;
    }
    mailbox.connection.log_out().await
}

struct Watcher {
    source: ImapSource,
    channel: ChannelIdent,
    store: Store,
    tokens: Tokens,
    health: ChannelHealth,
    backoff: Backoff,
    /// Sessions in a row that brought nothing and failed.
    failures: u32,
    trouble: Option<Trouble>,
    /// Mails stored since the start.
    taken: u64,
    /// What the database has of the cursor at hand is not all of it.
    is_unsaved: bool,
    /// It was said that the login fails.
    is_locked_out: bool,
    /// It was said that mails cannot be marked.
    said_unmarked: bool,
}

impl Watcher {
    async fn run(&mut self, until_idle: bool) -> Result<(), ImapError> {
        loop {
            let began = Instant::now();
            let Err(error) = self.session(until_idle).await else { return Ok(()) };
            self.health.failing(error.code(), error.to_string());
            if began.elapsed() > GOOD_SESSION {
                self.backoff.reset();
            }
            self.failures += 1;
            let failures_max = if error.is_of_login() { IDLE_RUN_LOGINS_MAX } else { IDLE_RUN_FAILURES_MAX };
            if until_idle && self.failures >= failures_max {
                return Err(error);
            }
            let wait = self.backoff.next_wait();
            let least = if error.wants_patience() { self.source.poll_interval.min(PATIENCE) } else { Duration::ZERO };
            tokio::time::sleep(wait.max(least)).await;
        }
    }

    /// One connection, from the login to whatever ends it. `Ok` only with `until_idle`.
    async fn session(&mut self, until_idle: bool) -> Result<(), ImapError> {
        let source = self.source.clone();
        let mut mailbox = self.log_in(&source).await?;
        let plan = Plan::make(&source, &mut mailbox).await?;
        let mut looked_to = LookedTo::new();
        let (mut fruitless, mut in_doubt) = (0_u32, false);
        loop {
            let before = self.taken;
            let (readable, refused) = self.read_all(&mut mailbox, &plan, &mut looked_to, in_doubt).await?;
            match (refused, readable.first()) {
                (None, _) => self.health.worked(),
                (Some(error), Some(_)) if !until_idle => self.health.failing(error.code(), error.to_string()),
                (Some(error), _) => return Err(error),
            }
            if until_idle {
                return Ok(());
            }
            fruitless = if in_doubt && self.taken == before { fruitless + 1 } else { 0 };
            if fruitless > 0 {
                let pause = FRUITLESS_PAUSE * 2_u32.saturating_pow(fruitless.min(16));
                mailbox.pause(pause.min(source.poll_interval)).await?;
            }
            in_doubt = self.wait(&mut mailbox, &plan, &readable, &looked_to).await?;
        }
    }

    async fn log_in(&mut self, source: &ImapSource) -> Result<Mailbox, ImapError> {
        let name = &self.channel.name;
        match crate::shell::imap::login::log_in(source, name, &self.tokens).await {
            Ok(connection) => {
                if std::mem::replace(&mut self.is_locked_out, false) {
                    tracing::info!(channel.name = name, "channel {name} logs in again");
                }
                Ok(Mailbox { connection })
            }
            Err(error) => {
                let code = error.code();
                if error.is_of_login() {
                    metrics::counter!("lanka_login_failures_total", "channel" => name.clone(), "code" => code)
                        .increment(1);
                    if !std::mem::replace(&mut self.is_locked_out, true) {
                        tracing::warn!(code, channel.name = name, "channel {name} cannot log in: {error}");
                    }
                }
                Err(error)
            }
        }
    }

    /// Reads every folder that can be opened. Gives those, and why another was not, if one was not.
    async fn read_all<'a>(
        &mut self,
        mailbox: &mut Mailbox,
        plan: &'a Plan,
        looked_to: &mut LookedTo,
        in_doubt: bool,
    ) -> Result<(Vec<&'a Folder>, Option<ImapError>), ImapError> {
        let (mut readable, mut refused) = (Vec::new(), None);
        for folder in &plan.folders {
            match self.read_folder(mailbox, plan, folder, looked_to, in_doubt).await {
                Ok(()) => readable.push(folder),
                Err(error) if error.is_of_folder() => refused = Some(error),
                Err(error) => return Err(error),
            }
        }
        // Customers' mail is waited on; what the desk sends comes with the next look.
        readable.sort_by_key(|folder| folder.is_sent);
        Ok((readable, refused))
    }

    /// Waits for mail in the first of the folders, or until it is time to look at all of them. Gives
    /// whether mail was announced.
    async fn wait(
        &self,
        mailbox: &mut Mailbox,
        plan: &Plan,
        readable: &[&Folder],
        looked_to: &LookedTo,
    ) -> Result<bool, ImapError> {
        let Some(first) = readable.first() else { return Ok(false) };
        // What came while the others were read does not wake IDLE.
        if plan.folders.len() > 1 {
            let selected = mailbox.open(first, *self.after_of(first) == After::Keep).await?;
            let looked = looked_to.get(&first.key).map(|(_, uid)| *uid);
            let next = selected.uid_next.zip(looked);
            mailbox.connection.has_news = next.is_some_and(|(next, looked)| next > looked.saturating_add(1));
        }
        if !mailbox.connection.has_news {
            mailbox.wait(self.source.poll_interval).await?;
        }
        Ok(mailbox.connection.has_news)
    }
}
