//! A mailbox: mails are fetched in the order of their UIDs and stored with the cursor that says so.
//!
//! ```text
//! connect, log in ─► for each folder: SELECT ─► list a window of UIDs with sizes ─► fetch a batch
//!        ▲                                           ▲        ─► record mails + cursor (commit)
//!        │ any error: wait, grow the wait            └────────── ─► \Seen or MOVE on the server
//!        └───────────────────────────────── IDLE, at most poll_interval ◄── nothing left
//! ```
//!
//! What is known of the library and of servers shaped this file:
//! - async-imap's own FETCH, STORE and SEARCH cannot tell a refusal or a lost connection from a
//!   short answer, and nothing in it ever times out. So every command runs through
//!   [`Mailbox::command`]: our loop over the responses, which ends at our tag and looks at its
//!   status, with a limit on every wait.
//! - A response is one buffer, so what is larger than [`WHOLE_BYTES_MAX`] is fetched in pieces.
//! - UIDs may be sparse (one million numbers, ten mails) or dense; windows widen over gaps, and what
//!   a window lists is bounded. Sequence numbers are never used.
//! - A mail that cannot be fetched (refused, unreadable by the parser, or the server dies over it)
//!   is tried alone, a few times; then it is put on record as skipped, if another mail can be read.
//!
//! Two folders or more share one connection: the first is waited on with IDLE, the others are
//! looked at when it wakes, at the latest after `poll_interval`.
//!
//! **Invariants:** the cursor moves only with the mails it stands for, in one transaction, after a
//! tagged OK. Nothing changes on the server before that commit. Passwords, mail and what the server
//! says in words are never logged.

use super::{Backoff, ChannelHealth, ChannelIdent, stopped};
use crate::pure::channels::{After, ImapSource, Tls};
use crate::pure::domain::Timestamp;
use crate::shell::content::ContentError;
use crate::shell::store::raw_event::{CursorMove, NewRawEvent, RawBody, Skipped};
use crate::shell::store::{Store, StoreError};
use async_imap::imap_proto::{AttributeValue, Capability, MailboxDatum, Response, ResponseCode, Status};
use base64::Engine;
use bytes::Bytes;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Write as _};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// Mails of one commit: enough that the commit is a small part of the cost.
const BATCH_MAILS_MAX: usize = 200;

/// Bytes of one commit: what a batch may hold in memory.
const BATCH_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Up to here a mail is fetched whole; a larger one in pieces of [`PIECE_BYTES`], straight into the
/// content store.
const WHOLE_BYTES_MAX: u64 = 1024 * 1024;

/// Bytes of one piece of a large mail.
const PIECE_BYTES: u64 = 1024 * 1024;

/// UIDs asked for at once, where they are dense.
const WINDOW_UIDS: u64 = 1000;

/// A window over nothing is followed by one so many times as wide: 16 questions cross all UIDs.
const WINDOW_GROWTH: u64 = 4;

/// Mails of one window that are kept in memory; the rest is asked for again.
const LISTED_MAX: usize = 2000;

/// Longest IDLE: well below the 29 minutes of RFC 2177, and below the memory of common firewalls.
const IDLE_MAX: Duration = Duration::from_secs(9 * 60);

/// Attempts at one mail, in sessions of their own, before it is skipped.
const ATTEMPTS_MAX: u32 = 4;

/// Attempts when the parser cannot read the answer: it will not learn to.
const UNPARSABLE_ATTEMPTS_MAX: u32 = 2;

/// Failures in a row after which a run until idle gives up. More than the attempts at one mail.
const IDLE_RUN_FAILURES_MAX: u32 = 6;

/// Waits between connections.
const WAIT_FIRST: Duration = Duration::from_millis(250);
const WAIT_LONGEST: Duration = Duration::from_secs(300);

/// A session that lasted so long was a good one, even if it brought nothing.
const GOOD_SESSION: Duration = Duration::from_secs(60);

/// Why a mailbox could not be read. Every one of them is tried again.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// No TCP connection.
    #[error("cannot connect to {host}:{port}: {source}")]
    Connect {
        /// As configured.
        host: String,
        /// As configured.
        port: u16,
        /// The system's answer.
        source: std::io::Error,
    },
    /// No TLS, or not with whom we wanted.
    #[error("no TLS with {host}: {why}. Check host and tls; for a certificate of your own authority set ca_file")]
    Tls {
        /// As configured.
        host: String,
        /// What the TLS library says.
        why: String,
    },
    /// `ca_file` is no use.
    #[error("cannot read certificates from {}: {why}", path.display())]
    CaFile {
        /// As configured.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The server does not take the password, or no password at all.
    #[error(
        "the server refused the login ({answer}): check user and password, and that it allows IMAP with a password"
    )]
    LoginRefused {
        /// Its answer: the status and the code in brackets, no words.
        answer: String,
    },
    /// The server answered a command with NO or BAD.
    #[error("the server refused {command} ({answer})")]
    Refused {
        /// The command's name.
        command: &'static str,
        /// Its answer: the status and the code in brackets, no words.
        answer: String,
    },
    /// The connection ended.
    #[error("the connection was lost during {command}")]
    Lost {
        /// The command's name.
        command: &'static str,
    },
    /// The server did not answer.
    #[error("the server did not answer {command} within {} s", waited.as_secs())]
    Silent {
        /// The command's name.
        command: &'static str,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The answer is no IMAP.
    #[error("the answer to {command} could not be read as IMAP")]
    Unparsable {
        /// The command's name.
        command: &'static str,
    },
    /// The server listed a mail, and did not give it.
    #[error("the server did not give a mail that it lists")]
    Withheld,
    /// A folder without UIDVALIDITY cannot be followed (RFC 3501 2.3.1.1).
    #[error("folder {folder} has no UIDVALIDITY, so mails in it cannot be told apart")]
    NoUidValidity {
        /// As configured.
        folder: String,
    },
    /// Postgres does not take it now.
    #[error("the mails could not be stored: {0}")]
    Store(#[from] StoreError),
    /// The content store does not take it now.
    #[error("a large mail could not be stored: {0}")]
    Content(#[from] ContentError),
}

impl IntakeError {
    /// The stable code for metrics and alerts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "connection_refused",
            Self::Tls { .. } | Self::CaFile { .. } => "tls_failed",
            Self::LoginRefused { .. } => "login_refused",
            Self::Refused { .. } | Self::Withheld | Self::NoUidValidity { .. } => "command_refused",
            Self::Lost { .. } => "connection_lost",
            Self::Silent { .. } => "server_silent",
            Self::Unparsable { .. } => "answer_unreadable",
            Self::Store(_) | Self::Content(_) => "store_failed",
        }
    }

    fn from_io(error: &std::io::Error, command: &'static str) -> Self {
        // The library's word for "could not parse". Its text holds the whole buffer: never shown.
        if error.kind() == std::io::ErrorKind::Other { Self::Unparsable { command } } else { Self::Lost { command } }
    }

    fn from_imap(error: async_imap::error::Error, command: &'static str) -> Self {
        use async_imap::error::Error;
        match error {
            Error::Io(error) => Self::from_io(&error, command),
            Error::Bad(_) => Self::Refused { command, answer: "BAD".to_owned() },
            Error::No(_) => Self::Refused { command, answer: "NO".to_owned() },
            Error::Parse(_) => Self::Unparsable { command },
            _ => Self::Lost { command },
        }
    }
}

/// Reads a mailbox until `shutdown` turns true; with `until_idle` until everything in it is stored.
///
/// Errors end it only with `until_idle`, after several attempts in a row.
pub async fn watch(
    source: ImapSource,
    channel: ChannelIdent,
    store: Store,
    health: ChannelHealth,
    mut shutdown: watch::Receiver<bool>,
    until_idle: bool,
) -> Result<(), IntakeError> {
    let backoff = Backoff::new(WAIT_FIRST, WAIT_LONGEST);
    let mut watcher = Watcher { source, channel, store, health, backoff, failures: 0, trouble: None };
    // Between any two awaits the state in the database is whole, so that dropping the run is safe.
    tokio::select! {
        biased;
        () = stopped(&mut shutdown) => Ok(()),
        result = watcher.run(until_idle) => result,
    }
}

/// Logs in and opens every folder, changing nothing: `lanka check --connect`.
pub async fn try_login(source: &ImapSource) -> Result<(), IntakeError> {
    let mut mailbox = Mailbox::log_in(source).await?;
    for folder in &source.folders {
        mailbox.select(folder, true).await?;
    }
    mailbox.command("LOGOUT", "LOGOUT", |_| {}).await
}

/// How far a folder has been read, as it is kept in the database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct FolderCursor {
    uidvalidity: u32,
    /// The last UID stored.
    uid: u32,
    /// UIDs that are stored, but perhaps not yet marked or moved on the server: done again after a
    /// crash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unmarked: Option<String>,
}

/// Mails that made a fetch fail, across sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Trouble {
    folder: String,
    uidvalidity: u32,
    uids: RangeInclusive<u32>,
    attempts: u32,
    attempts_max: u32,
    /// They are fetched one at a time.
    apart: bool,
}

/// A mail as it is listed before it is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Listed {
    uid: u32,
    bytes: u64,
}

/// A fetched mail.
struct Fetched {
    uid: u32,
    at: Option<Timestamp>,
    body: Bytes,
}

struct Watcher {
    source: ImapSource,
    channel: ChannelIdent,
    store: Store,
    health: ChannelHealth,
    backoff: Backoff,
    /// Sessions in a row that brought nothing and failed.
    failures: u32,
    trouble: Option<Trouble>,
}

impl Watcher {
    async fn run(&mut self, until_idle: bool) -> Result<(), IntakeError> {
        loop {
            let began = Instant::now();
            let Err(error) = self.session(until_idle).await else { return Ok(()) };
            self.health.failing(error.code(), error.to_string());
            if began.elapsed() > GOOD_SESSION {
                self.backoff.reset();
            }
            self.failures += 1;
            if until_idle && self.failures >= IDLE_RUN_FAILURES_MAX {
                return Err(error);
            }
            tokio::time::sleep(self.backoff.next_wait()).await;
        }
    }

    /// One connection, from the login to whatever ends it. `Ok` only with `until_idle`.
    async fn session(&mut self, until_idle: bool) -> Result<(), IntakeError> {
        let source = self.source.clone();
        let mut mailbox = Mailbox::log_in(&source).await?;
        let mut looked_to = HashMap::new();
        loop {
            for folder in &source.folders {
                self.read_folder(&mut mailbox, folder, &mut looked_to).await?;
            }
            self.health.worked();
            if until_idle {
                return Ok(());
            }
            // What came while the others were read does not wake IDLE.
            let Some(first) = source.folders.first() else { return Ok(()) };
            if source.folders.len() > 1 {
                let selected = mailbox.select(first, source.after == After::Keep).await?;
                let looked = looked_to.get(first).map(|(_, uid)| *uid);
                mailbox.has_news = selected.uid_next.zip(looked).is_some_and(|(next, looked)| next > looked + 1);
            }
            if !mailbox.has_news {
                mailbox.wait().await?;
            }
        }
    }

    /// Stores everything new in a folder. `looked_to` remembers, within a session, up to which UID
    /// there is nothing more (by UIDVALIDITY), for the last UIDs of a folder may be long gone.
    async fn read_folder(
        &mut self,
        mailbox: &mut Mailbox,
        folder: &str,
        looked_to: &mut HashMap<String, (u32, u32)>,
    ) -> Result<(), IntakeError> {
        let selected = mailbox.select(folder, self.source.after == After::Keep).await?;
        let mut cursor = self.resume(mailbox, folder, selected.uidvalidity).await?;
        let known = looked_to.get(folder).filter(|(uidvalidity, _)| *uidvalidity == selected.uidvalidity);
        let mut from = u64::from(cursor.uid.max(known.map_or(0, |(_, uid)| *uid))) + 1;
        let end = selected.uid_next.map_or(u64::from(u32::MAX) + 1, u64::from);
        let mut width = WINDOW_UIDS;
        while from < end && selected.exists > 0 {
            let to = (from + width - 1).min(end - 1);
            let listed = mailbox.list(from, to).await?;
            width = if listed.is_empty() { width.saturating_mul(WINDOW_GROWTH) } else { WINDOW_UIDS };
            from = if listed.len() < LISTED_MAX { to + 1 } else { u64::from(listed[listed.len() - 1].uid) + 1 };
            self.take(mailbox, folder, &mut cursor, &listed).await?;
        }
        if let Some(uid_next) = selected.uid_next {
            looked_to.insert(folder.to_owned(), (selected.uidvalidity, uid_next.saturating_sub(1)));
        }
        if cursor.unmarked.take().is_some() {
            self.store.move_cursor(&self.cursor_move(folder, &cursor)).await?;
        }
        Ok(())
    }

    /// Where to go on in a folder; marks what a crash left unmarked.
    async fn resume(&self, mailbox: &mut Mailbox, folder: &str, uidvalidity: u32) -> Result<FolderCursor, IntakeError> {
        let stored = self.store.cursor(&self.channel.tenant, &self.channel.name, folder).await?;
        // A cursor of an unknown form is as good as none: what comes again is known downstream.
        let cursor: Option<FolderCursor> = stored.and_then(|state| serde_json::from_value(state).ok());
        match cursor {
            Some(cursor) if cursor.uidvalidity == uidvalidity => {
                self.mark(mailbox, &cursor).await?;
                Ok(cursor)
            }
            Some(_) => {
                tracing::warn!(
                    code = "uidvalidity_changed",
                    channel.name = self.channel.name,
                    "the server numbered a folder of channel {} anew: it is read from its first mail; repeats are recognised",
                    self.channel.name
                );
                Ok(FolderCursor { uidvalidity, ..FolderCursor::default() })
            }
            None => Ok(FolderCursor { uidvalidity, ..FolderCursor::default() }),
        }
    }

    /// Stores listed mails, in order, in batches bounded in mails and bytes.
    async fn take(
        &mut self,
        mailbox: &mut Mailbox,
        folder: &str,
        cursor: &mut FolderCursor,
        listed: &[Listed],
    ) -> Result<(), IntakeError> {
        let mut rest = listed;
        while let Some(first) = rest.first() {
            let alone = self.is_apart(folder, cursor.uidvalidity, first.uid);
            let count = if alone || first.bytes > WHOLE_BYTES_MAX { 1 } else { batch_len(rest) };
            let (batch, later) = rest.split_at(count);
            let uids = first.uid..=batch[count - 1].uid;
            let neighbour = later.first().copied();
            if first.bytes > self.source.message_bytes_max {
                self.skip_large(folder, cursor, *first).await?;
            } else if self.is_given_up(folder, cursor.uidvalidity, first.uid)
                && self.is_fault_of_mail(mailbox, first.uid, neighbour).await
            {
                let detail = "the server lists it, but it could not be fetched: open it in a mail program";
                self.skip(folder, cursor, *first, "mail_unreadable", detail).await?;
            } else {
                let taken = if first.bytes > WHOLE_BYTES_MAX {
                    self.take_large(mailbox, folder, cursor, *first).await
                } else {
                    self.take_batch(mailbox, folder, cursor, batch).await
                };
                taken.inspect_err(|error| self.note_trouble(folder, cursor.uidvalidity, uids, error))?;
            }
            self.trouble = self.trouble.take().filter(|trouble| trouble.uids.end() > &cursor.uid);
            self.failures = 0;
            self.backoff.reset();
            self.health.worked();
            rest = later;
        }
        Ok(())
    }

    fn is_apart(&self, folder: &str, uidvalidity: u32, uid: u32) -> bool {
        self.trouble_with(folder, uidvalidity, uid).is_some_and(|trouble| trouble.apart)
    }

    fn is_given_up(&self, folder: &str, uidvalidity: u32, uid: u32) -> bool {
        self.trouble_with(folder, uidvalidity, uid)
            .is_some_and(|trouble| trouble.uids == (uid..=uid) && trouble.attempts >= trouble.attempts_max)
    }

    fn trouble_with(&self, folder: &str, uidvalidity: u32, uid: u32) -> Option<&Trouble> {
        self.trouble.as_ref().filter(|trouble| {
            trouble.folder == folder && trouble.uidvalidity == uidvalidity && trouble.uids.contains(&uid)
        })
    }

    /// Remembers which mails a failure was about. A connection may be lost by chance, so it takes
    /// two losses over the same mails until they are taken apart.
    fn note_trouble(&mut self, folder: &str, uidvalidity: u32, uids: RangeInclusive<u32>, error: &IntakeError) {
        let (at_once, attempts_max) = match error {
            IntakeError::Refused { .. } | IntakeError::Withheld => (true, ATTEMPTS_MAX),
            IntakeError::Unparsable { .. } => (true, UNPARSABLE_ATTEMPTS_MAX),
            IntakeError::Lost { .. } | IntakeError::Silent { .. } => (false, ATTEMPTS_MAX),
            _ => return,
        };
        let before = self.trouble_with(folder, uidvalidity, *uids.start());
        let before = before.filter(|trouble| trouble.uids.start() == uids.start());
        let attempts = before.map_or(0, |trouble| trouble.attempts) + 1;
        let apart = at_once || attempts > 1 || self.is_apart(folder, uidvalidity, *uids.start());
        self.trouble = Some(Trouble { folder: folder.to_owned(), uidvalidity, uids, attempts, attempts_max, apart });
    }

    /// Whether the fault lies with the mail and not with the server: another one can be read.
    /// Without another one nothing is proven, and the mail is tried for ever.
    async fn is_fault_of_mail(&self, mailbox: &mut Mailbox, uid: u32, neighbour: Option<Listed>) -> bool {
        if self.trouble.as_ref().is_some_and(|trouble| trouble.attempts_max == UNPARSABLE_ATTEMPTS_MAX) {
            return true;
        }
        let probe = match neighbour {
            Some(neighbour) => Some(neighbour.uid),
            None => mailbox.any_but(uid).await.ok().flatten(),
        };
        let Some(probe) = probe else { return false };
        mailbox.fetch(&probe.to_string(), "BODY.PEEK[HEADER]").await.is_ok_and(|found| !found.is_empty())
    }

    async fn take_batch(
        &self,
        mailbox: &mut Mailbox,
        folder: &str,
        cursor: &mut FolderCursor,
        batch: &[Listed],
    ) -> Result<(), IntakeError> {
        let uids: Vec<u32> = batch.iter().map(|mail| mail.uid).collect();
        let mut fetched = mailbox.fetch(&uid_set(&uids), "BODY.PEEK[]").await?;
        fetched.retain(|mail| uids.contains(&mail.uid));
        let missing: Vec<u32> =
            uids.iter().copied().filter(|uid| !fetched.iter().any(|mail| mail.uid == *uid)).collect();
        if !missing.is_empty() && mailbox.any_of(&missing).await? {
            return Err(IntakeError::Withheld);
        }
        fetched.sort_by_key(|mail| mail.uid);
        fetched.dedup_by_key(|mail| mail.uid);
        let stored: Vec<u32> = fetched.iter().map(|mail| mail.uid).collect();
        let events: Vec<NewRawEvent> = fetched
            .into_iter()
            .map(|mail| self.event(folder, cursor, mail.uid, mail.at, RawBody::Bytes(mail.body)))
            .collect();
        let last = *uids.last().unwrap_or(&cursor.uid);
        self.commit(mailbox, folder, cursor, last, &stored, &events).await
    }

    /// Fetches a large mail piece by piece into the content store, whatever its size was said to be.
    async fn take_large(
        &self,
        mailbox: &mut Mailbox,
        folder: &str,
        cursor: &mut FolderCursor,
        mail: Listed,
    ) -> Result<(), IntakeError> {
        let mut writer = self.store.content.writer(self.source.message_bytes_max).await?;
        let (mut offset, mut at) = (0, None);
        loop {
            let piece = mailbox.fetch(&mail.uid.to_string(), &format!("BODY.PEEK[]<{offset}.{PIECE_BYTES}>")).await?;
            let Some(piece) = piece.into_iter().find(|piece| piece.uid == mail.uid) else {
                if mailbox.any_of(&[mail.uid]).await? {
                    return Err(IntakeError::Withheld);
                }
                // Deleted meanwhile.
                return self.commit(mailbox, folder, cursor, mail.uid, &[], &[]).await;
            };
            at = piece.at.or(at);
            let bytes = piece.body.len() as u64;
            match writer.write(piece.body).await {
                Err(ContentError::TooLarge { .. }) => return self.skip_large(folder, cursor, mail).await,
                other => other?,
            }
            offset += bytes;
            // Shorter is the end; longer is a server that knows no pieces and gave everything.
            if bytes != PIECE_BYTES {
                break;
            }
        }
        let stored = writer.finish().await?;
        let body = RawBody::Stored { hash: stored.hash, bytes: stored.bytes };
        let event = self.event(folder, cursor, mail.uid, at, body);
        self.commit(mailbox, folder, cursor, mail.uid, &[mail.uid], &[event]).await
    }

    async fn skip_large(&self, folder: &str, cursor: &mut FolderCursor, mail: Listed) -> Result<(), IntakeError> {
        let limit = self.source.message_bytes_max;
        let detail = format!(
            "a mail of {} bytes is larger than message_bytes_max ({limit}): read it in a mail program, or raise the limit",
            mail.bytes
        );
        self.skip(folder, cursor, mail, "mail_too_large", &detail).await
    }

    /// Puts a mail that is not taken on record, and goes on behind it. It stays where it is.
    async fn skip(
        &self,
        folder: &str,
        cursor: &mut FolderCursor,
        mail: Listed,
        code: &'static str,
        detail: &str,
    ) -> Result<(), IntakeError> {
        cursor.uid = mail.uid;
        cursor.unmarked = None;
        let origin = origin(folder, cursor.uidvalidity, mail.uid);
        let ChannelIdent { tenant, name, kind } = &self.channel;
        let skipped = Skipped { tenant, channel: name, kind, origin: &origin, code, detail, at: Timestamp::now() };
        self.store.record_skipped(&skipped, Some(self.cursor_move(folder, cursor))).await?;
        tracing::warn!(
            code,
            channel.name = name,
            bytes = mail.bytes,
            "channel {name} skipped a mail, see lanka quarantine: {detail}"
        );
        Ok(())
    }

    /// Stores mails with the cursor behind them, then marks them on the server.
    async fn commit(
        &self,
        mailbox: &mut Mailbox,
        folder: &str,
        cursor: &mut FolderCursor,
        last: u32,
        stored: &[u32],
        events: &[NewRawEvent],
    ) -> Result<(), IntakeError> {
        cursor.uid = last;
        cursor.unmarked = (self.source.after != After::Keep && !stored.is_empty()).then(|| uid_set(stored));
        self.store.record(events, Some(self.cursor_move(folder, cursor))).await?;
        self.mark(mailbox, cursor).await
    }

    /// Marks or moves the mails just stored. That the server refuses it is no reason to take in no
    /// more mail.
    async fn mark(&self, mailbox: &mut Mailbox, cursor: &FolderCursor) -> Result<(), IntakeError> {
        let Some(uids) = &cursor.unmarked else { return Ok(()) };
        match mailbox.mark(&self.source.after, uids).await {
            Err(error @ IntakeError::Refused { .. }) => {
                if !std::mem::replace(&mut mailbox.said_unmarked, true) {
                    let name = &self.channel.name;
                    tracing::warn!(
                        code = "mark_refused",
                        channel.name = name,
                        "channel {name} stores mails, but cannot mark or move them ({error}): check `after` and the rights of the user"
                    );
                }
                Ok(())
            }
            other => other,
        }
    }

    fn event(
        &self,
        folder: &str,
        cursor: &FolderCursor,
        uid: u32,
        at: Option<Timestamp>,
        body: RawBody,
    ) -> NewRawEvent {
        NewRawEvent {
            tenant: self.channel.tenant.clone(),
            channel: self.channel.name.clone(),
            kind: self.channel.kind.clone(),
            received_at: Timestamp::now(),
            trusted_at: at,
            origin: origin(folder, cursor.uidvalidity, uid),
            body,
        }
    }

    fn cursor_move<'a>(&'a self, folder: &'a str, cursor: &FolderCursor) -> CursorMove<'a> {
        let state = serde_json::json!(cursor);
        CursorMove { tenant: &self.channel.tenant, channel: &self.channel.name, source: folder, state }
    }
}

fn origin(folder: &str, uidvalidity: u32, uid: u32) -> String {
    format!("{folder}, UIDVALIDITY {uidvalidity}, UID {uid}")
}

/// How many of the mails, none of them large, make a batch; at least one.
fn batch_len(listed: &[Listed]) -> usize {
    let mut bytes = 0;
    let fits = |mail: &&Listed| {
        bytes += mail.bytes;
        bytes <= BATCH_BYTES_MAX && mail.bytes <= WHOLE_BYTES_MAX
    };
    listed.iter().take(BATCH_MAILS_MAX).take_while(fits).count().max(1)
}

/// Ascending UIDs as IMAP writes a set: `4:6,9`. Ranges name only mails that were listed.
fn uid_set(uids: &[u32]) -> String {
    let mut set = String::new();
    for run in uids.chunk_by(|one, next| one + 1 == *next) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        let comma = if set.is_empty() { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = if first == last { write!(set, "{comma}{first}") } else { write!(set, "{comma}{first}:{last}") };
    }
    set
}

/// What a connection is made of.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug> Wire for T {}

type Client = async_imap::Client<Box<dyn Wire>>;

/// What SELECT said.
#[derive(Debug, Clone, Copy)]
struct Selected {
    uidvalidity: u32,
    uid_next: Option<u32>,
    exists: u32,
}

/// What the server can, beyond RFC 3501.
#[derive(Debug, Clone, Copy, Default)]
struct Abilities {
    idle: bool,
    r#move: bool,
    uidplus: bool,
}

/// A logged-in connection. After an error it is of no more use.
struct Mailbox {
    session: async_imap::Session<Box<dyn Wire>>,
    timeout: Duration,
    poll_interval: Duration,
    abilities: Abilities,
    /// Mails in the selected folder, as far as the server has said.
    exists: u32,
    /// The server announced mail since the folder was selected.
    has_news: bool,
    /// It was said in this session that mails cannot be marked.
    said_unmarked: bool,
}

impl Mailbox {
    async fn log_in(source: &ImapSource) -> Result<Self, IntakeError> {
        let client = connect(source).await?;
        let session = authenticate(source, client).await?;
        let (timeout, poll_interval) = (source.timeout, source.poll_interval);
        let mut mailbox = Self {
            session,
            timeout,
            poll_interval,
            abilities: Abilities::default(),
            exists: 0,
            has_news: false,
            said_unmarked: false,
        };
        let mut abilities = Abilities::default();
        mailbox
            .command("CAPABILITY", "CAPABILITY", |response| {
                if let Response::Capabilities(all) = response {
                    let can = |name: &str| {
                        all.iter().any(|one| matches!(one, Capability::Atom(atom) if atom.eq_ignore_ascii_case(name)))
                    };
                    abilities = Abilities { idle: can("IDLE"), r#move: can("MOVE"), uidplus: can("UIDPLUS") };
                }
            })
            .await?;
        mailbox.abilities = abilities;
        Ok(mailbox)
    }

    /// Runs a command to its tagged OK, showing each response on the way. `name` is for messages.
    async fn command(
        &mut self,
        name: &'static str,
        text: &str,
        mut each: impl FnMut(&Response<'_>),
    ) -> Result<(), IntakeError> {
        let sent = within(self.timeout, name, self.session.run_command(text)).await?;
        let id = sent.map_err(|error| IntakeError::from_imap(error, name))?;
        loop {
            let read = within(self.timeout, name, self.session.read_response()).await?;
            let Some(response) = read.map_err(|error| IntakeError::from_io(&error, name))? else {
                return Err(IntakeError::Lost { command: name });
            };
            match response.parsed() {
                Response::Done { tag, status: Status::Ok, .. } if *tag == id => return Ok(()),
                Response::Done { tag, status, outcome } if *tag == id => {
                    let answer = answer(status, outcome.information.as_deref());
                    return Err(IntakeError::Refused { command: name, answer });
                }
                Response::Data { status: Status::Bye, .. } if name != "LOGOUT" => {
                    return Err(IntakeError::Lost { command: name });
                }
                other => {
                    self.hear(other);
                    each(other);
                }
            }
        }
    }

    /// Servers tell of new and removed mails whenever they like.
    fn hear(&mut self, response: &Response<'_>) {
        match response {
            Response::MailboxData(MailboxDatum::Exists(count)) => {
                self.has_news |= *count > self.exists;
                self.exists = *count;
            }
            Response::Expunge(_) => self.exists = self.exists.saturating_sub(1),
            _ => {}
        }
    }

    async fn select(&mut self, folder: &str, read_only: bool) -> Result<Selected, IntakeError> {
        let (mut uidvalidity, mut uid_next, mut exists) = (None, None, 0);
        let verb = if read_only { "EXAMINE" } else { "SELECT" };
        self.command(verb, &format!("{verb} {}", quoted_folder(folder)), |response| match response {
            Response::MailboxData(MailboxDatum::Exists(count)) => exists = *count,
            Response::Data { outcome, .. } => match outcome.code {
                Some(ResponseCode::UidValidity(value)) => uidvalidity = Some(value),
                Some(ResponseCode::UidNext(value)) => uid_next = Some(value),
                _ => {}
            },
            _ => {}
        })
        .await?;
        (self.exists, self.has_news) = (exists, false);
        let uidvalidity = uidvalidity.ok_or_else(|| IntakeError::NoUidValidity { folder: folder.to_owned() })?;
        Ok(Selected { uidvalidity, uid_next: uid_next.filter(|uid| *uid > 0), exists })
    }

    /// The mails of a window of UIDs, ascending: the first [`LISTED_MAX`] of them.
    async fn list(&mut self, from: u64, to: u64) -> Result<Vec<Listed>, IntakeError> {
        let mut listed = BTreeMap::new();
        self.command("FETCH", &format!("UID FETCH {from}:{to} (UID RFC822.SIZE)"), |response| {
            let Response::Fetch(_, attributes) = response else { return };
            let (mut uid, mut bytes) = (None, None);
            for attribute in attributes {
                match attribute {
                    AttributeValue::Uid(value) => uid = Some(*value),
                    AttributeValue::Rfc822Size(value) => bytes = Some(u64::from(*value)),
                    _ => {}
                }
            }
            // Without the size it is a change of flags, which servers may tell of at any time.
            if let (Some(uid), Some(bytes)) = (uid, bytes)
                && (from..=to).contains(&u64::from(uid))
            {
                listed.insert(uid, bytes);
                if listed.len() > LISTED_MAX {
                    listed.pop_last();
                }
            }
        })
        .await?;
        Ok(listed.into_iter().map(|(uid, bytes)| Listed { uid, bytes }).collect())
    }

    /// Fetches a section of each mail of a set. What is gone is not in the answer.
    async fn fetch(&mut self, uids: &str, section: &str) -> Result<Vec<Fetched>, IntakeError> {
        let mut fetched = Vec::new();
        self.command("FETCH", &format!("UID FETCH {uids} (UID INTERNALDATE {section})"), |response| {
            let Response::Fetch(_, attributes) = response else { return };
            let (mut uid, mut at, mut body) = (None, None, None);
            for attribute in attributes {
                match attribute {
                    AttributeValue::Uid(value) => uid = Some(*value),
                    AttributeValue::InternalDate(text) => at = internal_date(text),
                    AttributeValue::BodySection { data: Some(data), .. } => body = Some(Bytes::copy_from_slice(data)),
                    _ => {}
                }
            }
            if let (Some(uid), Some(body)) = (uid, body) {
                fetched.push(Fetched { uid, at, body });
            }
        })
        .await?;
        Ok(fetched)
    }

    /// Whether any of these mails is still there.
    async fn any_of(&mut self, uids: &[u32]) -> Result<bool, IntakeError> {
        let mut found = false;
        self.command("FETCH", &format!("UID FETCH {} (UID)", uid_set(uids)), |response| {
            if let Response::Fetch(_, attributes) = response {
                found |= attributes.iter().any(|one| matches!(one, AttributeValue::Uid(uid) if uids.contains(uid)));
            }
        })
        .await?;
        Ok(found)
    }

    /// Some other mail of the folder: the first.
    async fn any_but(&mut self, uid: u32) -> Result<Option<u32>, IntakeError> {
        let mut other = None;
        self.command("FETCH", "FETCH 1 (UID)", |response| {
            if let Response::Fetch(_, attributes) = response {
                other = attributes.iter().find_map(|one| match one {
                    AttributeValue::Uid(found) if *found != uid => Some(*found),
                    _ => None,
                });
            }
        })
        .await?;
        Ok(other)
    }

    /// Does with stored mails what the configuration says. Mails already gone are fine.
    async fn mark(&mut self, after: &After, uids: &str) -> Result<(), IntakeError> {
        match after {
            After::Keep => Ok(()),
            After::Seen => self.command("STORE", &format!("UID STORE {uids} +FLAGS.SILENT (\\Seen)"), |_| {}).await,
            After::Move(to) => {
                let to = quoted_folder(to);
                match self.move_to(uids, &to).await {
                    // The folder is not there yet, the usual reason; if it was another, it comes again.
                    Err(IntakeError::Refused { .. }) => {
                        self.command("CREATE", &format!("CREATE {to}"), |_| {}).await?;
                        self.move_to(uids, &to).await
                    }
                    other => other,
                }
            }
        }
    }

    async fn move_to(&mut self, uids: &str, to: &str) -> Result<(), IntakeError> {
        if self.abilities.r#move {
            return self.command("MOVE", &format!("UID MOVE {uids} {to}"), |_| {}).await;
        }
        self.command("COPY", &format!("UID COPY {uids} {to}"), |_| {}).await?;
        self.command("STORE", &format!("UID STORE {uids} +FLAGS.SILENT (\\Deleted)"), |_| {}).await?;
        // EXPUNGE alone would also remove what others marked as deleted.
        if self.abilities.uidplus {
            self.command("EXPUNGE", &format!("UID EXPUNGE {uids}"), |_| {}).await?;
        }
        Ok(())
    }

    /// Waits until the server announces mail, or it is time to look.
    async fn wait(&mut self) -> Result<(), IntakeError> {
        let until = Instant::now() + self.poll_interval.min(IDLE_MAX);
        if !self.abilities.idle {
            tokio::time::sleep_until(until.into()).await;
            return Ok(());
        }
        const IDLE: &str = "IDLE";
        let sent = within(self.timeout, IDLE, self.session.run_command(IDLE)).await?;
        let id = sent.map_err(|error| IntakeError::from_imap(error, IDLE))?;
        let (mut invited, mut left) = (false, false);
        loop {
            // Before the invitation and after DONE the server owes us an answer.
            let limit = if invited && !left { until.saturating_duration_since(Instant::now()) } else { self.timeout };
            let read = match tokio::time::timeout(limit, self.session.read_response()).await {
                Ok(read) => read.map_err(|error| IntakeError::from_io(&error, IDLE))?,
                Err(_) if invited && !left => {
                    left = true;
                    self.leave_idle().await?;
                    continue;
                }
                Err(_) => return Err(IntakeError::Silent { command: IDLE, waited: limit }),
            };
            let Some(response) = read else { return Err(IntakeError::Lost { command: IDLE }) };
            match response.parsed() {
                Response::Done { tag, status: Status::Ok, .. } if *tag == id => return Ok(()),
                Response::Done { tag, status, outcome } if *tag == id => {
                    let answer = answer(status, outcome.information.as_deref());
                    return Err(IntakeError::Refused { command: IDLE, answer });
                }
                Response::Data { status: Status::Bye, .. } => return Err(IntakeError::Lost { command: IDLE }),
                Response::Continue(_) => invited = true,
                other => self.hear(other),
            }
            if invited && !left && self.has_news {
                left = true;
                self.leave_idle().await?;
            }
        }
    }

    async fn leave_idle(&mut self) -> Result<(), IntakeError> {
        let sent = within(self.timeout, "DONE", self.session.run_command_untagged("DONE")).await?;
        sent.map_err(|error| IntakeError::from_imap(error, "DONE"))
    }
}

async fn within<T>(limit: Duration, command: &'static str, future: impl Future<Output = T>) -> Result<T, IntakeError> {
    tokio::time::timeout(limit, future).await.map_err(|_| IntakeError::Silent { command, waited: limit })
}

/// A connection that has been greeted, protected as configured.
async fn connect(source: &ImapSource) -> Result<Client, IntakeError> {
    let failed = |error| IntakeError::Connect { host: source.host.clone(), port: source.port, source: error };
    let tcp = within(source.timeout, "connect", TcpStream::connect((source.host.as_str(), source.port))).await?;
    let tcp = tcp.map_err(failed)?;
    tcp.set_nodelay(true).map_err(failed)?;
    match source.tls {
        Tls::None => greeted(source, Box::new(tcp)).await,
        Tls::Implicit => greeted(source, secure(source, Box::new(tcp)).await?).await,
        Tls::Starttls => {
            let mut plain = greeted(source, Box::new(tcp)).await?;
            let upgrade = within(source.timeout, "STARTTLS", plain.run_command_and_check_ok("STARTTLS", None)).await?;
            upgrade.map_err(|error| IntakeError::from_imap(error, "STARTTLS"))?;
            // What came in the clear behind the answer is forgotten with the client (RFC 9051 6.2.1).
            Ok(Client::new(secure(source, plain.into_inner()).await?))
        }
    }
}

async fn greeted(source: &ImapSource, wire: Box<dyn Wire>) -> Result<Client, IntakeError> {
    const GREETING: &str = "greeting";
    let mut client = Client::new(wire);
    let read = within(source.timeout, GREETING, client.read_response()).await?;
    let Some(response) = read.map_err(|error| IntakeError::from_io(&error, GREETING))? else {
        return Err(IntakeError::Lost { command: GREETING });
    };
    match response.parsed() {
        Response::Data { status: Status::Ok, .. } => Ok(client),
        // PREAUTH: logged in as somebody we did not choose, and perhaps to prevent STARTTLS.
        Response::Data { status, outcome } => {
            let answer = answer(status, outcome.information.as_deref());
            Err(IntakeError::Refused { command: GREETING, answer })
        }
        _ => Err(IntakeError::Unparsable { command: GREETING }),
    }
}

async fn secure(source: &ImapSource, wire: Box<dyn Wire>) -> Result<Box<dyn Wire>, IntakeError> {
    let failed = |why: String| IntakeError::Tls { host: source.host.clone(), why };
    let mut roots = rustls::RootCertStore::empty();
    // Some of a system's certificates may be of a form that rustls does not know; the rest counts.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = &source.ca_file {
        let unreadable = |why: String| IntakeError::CaFile { path: path.clone(), why };
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(error.to_string()))? {
            let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
            roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| failed(error.to_string()))?.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(source.host.clone()).map_err(|error| failed(error.to_string()))?;
    let handshake = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, wire);
    let secured = within(source.timeout, "TLS", handshake).await?.map_err(|error| failed(error.to_string()))?;
    Ok(Box::new(secured))
}

/// LOGIN, which every server knows; AUTHENTICATE PLAIN for what LOGIN cannot carry. Only one of
/// them, since each failure brings an account nearer to being locked.
async fn authenticate(source: &ImapSource, client: Client) -> Result<async_imap::Session<Box<dyn Wire>>, IntakeError> {
    const LOGIN: &str = "login";
    let (user, password) = (source.user.as_str(), source.password.expose());
    let result = if user.chars().chain(password.chars()).all(is_ascii) {
        within(source.timeout, LOGIN, client.login(user, password)).await?
    } else {
        within(source.timeout, LOGIN, client.authenticate("PLAIN", Plain { user, password })).await?
    };
    result.map_err(|(error, _)| match IntakeError::from_imap(error, LOGIN) {
        IntakeError::Refused { answer, .. } => IntakeError::LoginRefused { answer },
        other => other,
    })
}

/// The SASL mechanism PLAIN (RFC 4616).
struct Plain<'a> {
    user: &'a str,
    password: &'a str,
}

impl async_imap::Authenticator for Plain<'_> {
    type Response = String;

    fn process(&mut self, _challenge: &[u8]) -> String {
        format!("\0{}\0{}", self.user, self.password)
    }
}

/// A refusal without its words, which may name the user: the status, and the code in brackets.
fn answer(status: &Status, text: Option<&str>) -> String {
    let status = match status {
        Status::No => "NO",
        Status::Bad => "BAD",
        Status::Bye => "BYE",
        Status::PreAuth => "PREAUTH",
        Status::Ok => "OK",
    };
    let code = text.and_then(|text| text.strip_prefix('[')?.split_once(']')).map(|(code, _)| code);
    match code.filter(|code| code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')) {
        Some(code) => format!("{status} [{code}]"),
        None => status.to_owned(),
    }
}

/// ` 2-Mar-2026 10:00:00 +0200` (RFC 3501, date-time).
fn internal_date(text: &str) -> Option<Timestamp> {
    let parsed = jiff::fmt::strtime::parse("%d-%b-%Y %H:%M:%S %z", text.trim()).ok()?;
    parsed.to_timestamp().ok()
}

/// A folder's name on the wire: quoted, in the modified UTF-7 of RFC 3501 5.1.3.
fn quoted_folder(name: &str) -> String {
    let mut wire = String::from("\"");
    for run in name.chars().collect::<Vec<_>>().chunk_by(|one, next| is_ascii(*one) == is_ascii(*next)) {
        if run.first().copied().is_some_and(is_ascii) {
            for &c in run {
                match c {
                    '&' => wire.push_str("&-"),
                    '"' | '\\' => wire.extend(['\\', c]),
                    _ => wire.push(c),
                }
            }
        } else {
            let utf16: Vec<u8> = String::from_iter(run).encode_utf16().flat_map(u16::to_be_bytes).collect();
            let base64 = base64::engine::general_purpose::STANDARD_NO_PAD.encode(utf16).replace('/', ",");
            wire.extend(["&", &base64, "-"]);
        }
    }
    wire.push('"');
    wire
}

fn is_ascii(c: char) -> bool {
    (' '..='~').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_quoted_and_encoded() {
        let table = [
            ("INBOX", "\"INBOX\""),
            ("Asiakas/Käsitellyt", "\"Asiakas/K&AOQ-sitellyt\""),
            ("Tom & Jerry", "\"Tom &- Jerry\""),
            ("a\"b\\c", "\"a\\\"b\\\\c\""),
            ("台北", "\"&U,BTFw-\""),
            ("line\r\nbreak", "\"line&AA0ACg-break\""),
        ];
        for (name, wire) in table {
            assert_eq!(quoted_folder(name), wire, "{name:?}");
        }
    }

    #[test]
    fn uid_sets_are_short() {
        let table: [(&[u32], &str); 5] =
            [(&[], ""), (&[7], "7"), (&[1, 2, 3], "1:3"), (&[1, 3, 4, 9], "1,3:4,9"), (&[u32::MAX], "4294967295")];
        for (uids, set) in table {
            assert_eq!(uid_set(uids), set);
        }
    }

    #[test]
    fn batches_are_bounded_in_mails_and_bytes() {
        let mails = |sizes: &[u64]| -> Vec<Listed> {
            sizes.iter().zip(1..).map(|(&bytes, uid)| Listed { uid, bytes }).collect()
        };
        let table: [(Vec<u64>, usize); 5] = [
            (vec![5000; 1000], BATCH_MAILS_MAX),
            (vec![WHOLE_BYTES_MAX; 20], (BATCH_BYTES_MAX / WHOLE_BYTES_MAX) as usize),
            (vec![100, 100, WHOLE_BYTES_MAX + 1, 100], 2),
            (vec![1], 1),
            (vec![BATCH_BYTES_MAX * 2, 1], 1),
        ];
        for (sizes, expected) in table {
            assert_eq!(batch_len(&mails(&sizes)), expected, "{:?}…", &sizes[..1]);
        }
    }

    #[test]
    fn dates_of_servers_are_read() {
        let table = [
            ("02-Mar-2026 10:00:00 +0200", Some("2026-03-02T08:00:00Z")),
            (" 2-Mar-2026 10:00:00 -0130", Some("2026-03-02T11:30:00Z")),
            ("02-Maa-2026 10:00:00 +0200", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(internal_date(text), expected.map(|at| at.parse().unwrap()), "{text:?}");
        }
    }

    #[test]
    fn refusals_lose_their_words() {
        let table = [
            (Some("[AUTHENTICATIONFAILED] user anna@example.fi unknown"), "NO [AUTHENTICATIONFAILED]"),
            (Some("user anna@example.fi unknown"), "NO"),
            (Some("[anna@example.fi] unknown"), "NO"),
            (None, "NO"),
        ];
        for (text, expected) in table {
            assert_eq!(answer(&Status::No, text), expected);
        }
    }
}
