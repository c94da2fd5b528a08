//! Files: a log that grows ([`follow`]) and a directory into which files are put ([`collect`]).
//!
//! **A log** is read line by line behind a cursor of inode and offset, which moves in the
//! transaction that stores the lines. It may be rotated by renaming or by copying and truncating,
//! also while lanka is down: the old content is looked for beside it, by inode or by its first
//! bytes, and finished first. What was rotated before the first look at it is history, and is imported; from
//! that look on, which leaves a cursor also where there is no log yet, nothing is missed. A line counts when its newline is there. What the cursor cannot tell
//! apart is read again, never left out; repeats are recognised downstream.
//!
//! **A directory** is emptied in batches, in no particular order: each file is stored, the batch is
//! committed, then its files are moved: in a Maildir from `new/` to `cur/` (flags empty, so that a
//! mail program shows them unread), else to `done/`. The cursor holds the identities of the last
//! batch, so that a crash between commit and move repeats nothing. Mail that already is in `cur/`
//! belongs to whoever put it there and is left alone (`lanka import` reads history).
//!
//! Both are looked at five times a second, which costs one `stat`. Refused: inotify, which says
//! nothing on network file systems, so that the polling would be needed all the same.
//!
//! **Invariants:** file names are untrusted: never logged, never followed as links, never used to
//! overwrite. Nothing is deleted. Memory is bounded by a batch, whatever lies in the directory.

mod log;
mod pile;

use super::pace::{self, Failure, Found, Source};
use super::{Backoff, ChannelHealth, ChannelIdent};
use crate::pure::channels::{DropLayout, DropSource, TailSource};
use crate::pure::domain::Timestamp;
use crate::shell::content::{ContentError, ContentHash};
use crate::shell::store::raw_event::{CursorMove, NewRawEvent, RawBody, Skipped};
use crate::shell::store::{Store, StoreError};
use bytes::Bytes;
use log::{Log, Tail};
use pile::Pile;
use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use serde::{Deserialize, Serialize};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions, ReadDir};
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::watch;

/// Between two looks when nothing happens: soon enough for a person who waits for his call to show.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// Lines of one commit.
const BATCH_LINES_MAX: usize = 1000;

/// Bytes of a log read at once, unless one line may be longer.
const READ_BYTES: u64 = 1024 * 1024;

/// As much of a log's beginning tells it from another one with the same inode.
const HEAD_BYTES_MAX: u64 = 1024;

/// A rotated log is left when it was quiet for so long: its writer has then opened the new one.
const ROTATED_QUIET: Duration = Duration::from_secs(5);

/// Endings of rotated logs that are no text any more.
const COMPRESSED: [&str; 5] = ["gz", "bz2", "xz", "zst", "zip"];

/// Files of one commit.
const BATCH_FILES_MAX: usize = 200;

/// Bytes of files of one commit that are held in memory.
const BATCH_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A larger file goes piece by piece into the content store.
const WHOLE_BYTES_MAX: u64 = 1024 * 1024;

/// Bytes of one such piece.
const PIECE_BYTES: usize = 256 * 1024;

/// A file in a plain directory is complete when it has not changed for so long. (A Maildir needs no
/// such patience: files come into `new/` by renaming.)
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// Waits before a large file is tried again that the content store did not take: each attempt writes all of it.
const UNSTORED_WAIT_FIRST: Duration = Duration::from_secs(1);
const UNSTORED_WAIT_LONGEST: Duration = Duration::from_secs(60);

/// A modification time further ahead than clocks differ says nothing.
const CLOCKS_DIFFER_MAX: Duration = Duration::from_secs(60);

/// Endings of files that somebody is still writing.
const UNFINISHED: [&[u8]; 4] = [b".tmp", b".part", b".partial", b"~"];

/// As much of a file's name is kept in the origin.
const NAME_CHARS_MAX: usize = 200;

/// Why files could not be read. Every one of them is tried again.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The system refuses something.
    #[error("cannot {what} {}: {source}. Check the path and the rights of lanka's user", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On the configured path, or a directory below it.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Postgres does not take it now.
    #[error("the deliveries could not be stored: {0}")]
    Store(#[from] StoreError),
    /// The content store does not take some large files now; the others were taken.
    #[error("{count} large files in {} could not be stored: {why}. Is the disk full?", dir.display())]
    Unstored {
        /// How many.
        count: usize,
        /// Where.
        dir: PathBuf,
        /// What the content store says.
        why: String,
    },
    /// Some files cannot be read; the others were taken.
    #[error("{count} files in {} cannot be read: check the rights of lanka's user", dir.display())]
    Unreadable {
        /// How many.
        count: usize,
        /// Where.
        dir: PathBuf,
    },
}

impl DirectoryError {
    fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what, path: path.to_owned(), source }
    }
}

impl Failure for DirectoryError {
    fn code(&self) -> &'static str {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => "path_missing",
            Self::Io { .. } | Self::Unreadable { .. } => "file_unreadable",
            Self::Store(_) | Self::Unstored { .. } => "store_failed",
        }
    }

    fn is_partial(&self) -> bool {
        matches!(self, Self::Unreadable { .. } | Self::Unstored { .. })
    }
}

/// Follows a log until `shutdown` turns true; with `until_idle` to its present end.
///
/// # Errors
/// They end it only with `until_idle`, after several attempts in a row.
pub async fn follow(
    source: TailSource,
    channel: ChannelIdent,
    store: Store,
    health: ChannelHealth,
    shutdown: watch::Receiver<bool>,
    until_idle: bool,
) -> Result<(), DirectoryError> {
    let pause = LOOK_INTERVAL.min(source.poll_interval);
    let log = Log::new(&source, until_idle);
    let tail = Tail { log, taker: Taker { channel, store, path: source.path }, cursor: None, is_absence_told: false };
    pace::watch(tail, health, pause, shutdown, until_idle).await
}

/// Empties a directory until `shutdown` turns true; with `until_idle` until nothing is left in it.
///
/// # Errors
/// They end it only with `until_idle`, after several attempts in a row.
pub async fn collect(
    source: DropSource,
    channel: ChannelIdent,
    store: Store,
    health: ChannelHealth,
    shutdown: watch::Receiver<bool>,
    until_idle: bool,
) -> Result<(), DirectoryError> {
    let pause = LOOK_INTERVAL.min(source.poll_interval);
    let taker = Taker { channel, store, path: source.path.clone() };
    pace::watch(Pile::new(source, taker), health, pause, shutdown, until_idle).await
}

/// Runs what blocks on a disk, which may be a network's, beside the runtime.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down, and we with it.
            Err(_) => std::future::pending().await,
        },
    }
}

/// What both kinds of source need to store.
struct Taker {
    channel: ChannelIdent,
    store: Store,
    /// As configured: the cursor's name.
    path: PathBuf,
}

impl Taker {
    async fn cursor<T: for<'de> Deserialize<'de>>(&self) -> Result<Option<T>, DirectoryError> {
        let source = self.path.to_string_lossy();
        let state = self.store.cursor(&self.channel.tenant, &self.channel.name, &source).await?;
        // A cursor of an unknown form is as good as none: what comes again is known downstream.
        Ok(state.and_then(|state| serde_json::from_value(state).ok()))
    }

    fn event(&self, trusted_at: Option<Timestamp>, origin: String, body: RawBody) -> NewRawEvent {
        NewRawEvent {
            tenant: self.channel.tenant.clone(),
            channel: self.channel.name.clone(),
            kind: self.channel.kind.clone(),
            received_at: Timestamp::now(),
            trusted_at,
            origin,
            body,
        }
    }

    async fn record(&self, events: &[NewRawEvent], cursor: &impl Serialize) -> Result<(), DirectoryError> {
        let source = self.path.to_string_lossy();
        self.store.record(events, Some(self.cursor_move(&source, cursor))).await?;
        Ok(())
    }

    /// Puts what is not taken on record, in sight of a person.
    async fn skip(
        &self,
        origin: &str,
        code: &'static str,
        detail: &str,
        cursor: &impl Serialize,
    ) -> Result<(), DirectoryError> {
        let ChannelIdent { tenant, name, kind } = &self.channel;
        let source = self.path.to_string_lossy();
        let skipped = Skipped { tenant, channel: name, kind, origin, code, detail, at: Timestamp::now() };
        self.store.record_skipped(&skipped, Some(self.cursor_move(&source, cursor))).await?;
        tracing::warn!(code, channel.name = name, "channel {name} skipped something, see lanka quarantine: {detail}");
        Ok(())
    }

    fn cursor_move<'a>(&'a self, source: &'a str, cursor: &impl Serialize) -> CursorMove<'a> {
        let state = serde_json::json!(cursor);
        CursorMove { tenant: &self.channel.tenant, channel: &self.channel.name, source, state }
    }
}
