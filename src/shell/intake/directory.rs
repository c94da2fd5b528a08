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

use super::{Backoff, ChannelHealth, ChannelIdent, stopped};
use crate::pure::channels::{DropLayout, DropSource, TailSource};
use crate::pure::domain::Timestamp;
use crate::shell::content::{ContentError, ContentHash};
use crate::shell::store::raw_event::{CursorMove, NewRawEvent, RawBody, Skipped};
use crate::shell::store::{Store, StoreError};
use bytes::Bytes;
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

/// A modification time further ahead than clocks differ says nothing.
const CLOCKS_DIFFER_MAX: Duration = Duration::from_secs(60);

/// Endings of files that somebody is still writing.
const UNFINISHED: [&[u8]; 4] = [b".tmp", b".part", b".partial", b"~"];

/// As much of a file's name is kept in the origin.
const NAME_CHARS_MAX: usize = 200;

/// Waits after a failure.
const WAIT_FIRST: Duration = Duration::from_millis(250);
const WAIT_LONGEST: Duration = Duration::from_secs(60);

/// Failures in a row after which a run until idle gives up.
const IDLE_RUN_FAILURES_MAX: u32 = 5;

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
    /// The content store does not take it now.
    #[error("a large file could not be stored: {0}")]
    Content(#[from] ContentError),
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

    /// The stable code for metrics and alerts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => "path_missing",
            Self::Io { .. } | Self::Unreadable { .. } => "file_unreadable",
            Self::Store(_) | Self::Content(_) => "store_failed",
        }
    }
}

/// Follows a log until `shutdown` turns true; with `until_idle` to its present end.
///
/// Errors end it only with `until_idle`, after several attempts in a row.
pub async fn follow(
    source: TailSource,
    channel: ChannelIdent,
    store: Store,
    health: ChannelHealth,
    mut shutdown: watch::Receiver<bool>,
    until_idle: bool,
) -> Result<(), DirectoryError> {
    let pause = LOOK_INTERVAL.min(source.poll_interval);
    let mut tail =
        Tail { log: Log::new(&source, until_idle), taker: Taker { channel, store, path: source.path }, cursor: None };
    let mut pace = Pace::new(health, pause, until_idle);
    let work = async {
        loop {
            let step = tail.step().await;
            if let Some(result) = pace.after(step).await {
                return result;
            }
        }
    };
    // Between any two awaits the state in the database is whole, so that dropping the work is safe.
    tokio::select! {
        biased;
        () = stopped(&mut shutdown) => Ok(()),
        result = work => result,
    }
}

/// Empties a directory until `shutdown` turns true; with `until_idle` until nothing is left in it.
///
/// Errors end it only with `until_idle`, after several attempts in a row.
pub async fn collect(
    source: DropSource,
    channel: ChannelIdent,
    store: Store,
    health: ChannelHealth,
    mut shutdown: watch::Receiver<bool>,
    until_idle: bool,
) -> Result<(), DirectoryError> {
    let pause = LOOK_INTERVAL.min(source.poll_interval);
    let taker = Taker { channel, store, path: source.path.clone() };
    let mut pile = Pile::new(source, taker);
    let mut pace = Pace::new(health, pause, until_idle);
    let work = async {
        loop {
            let step = pile.step().await;
            if let Some(result) = pace.after(step).await {
                return result;
            }
        }
    };
    // Between any two awaits the state in the database is whole, so that dropping the work is safe.
    tokio::select! {
        biased;
        () = stopped(&mut shutdown) => Ok(()),
        result = work => result,
    }
}

/// What a step found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// Something was stored, or is about to be: look again at once.
    Work,
    /// Something is there, but not ready.
    Unready,
    /// Nothing.
    Nothing,
}

/// What follows a step: pauses where nothing was found, longer ones after errors, the end.
struct Pace {
    health: ChannelHealth,
    pause: Duration,
    until_idle: bool,
    backoff: Backoff,
    failures: u32,
}

impl Pace {
    fn new(health: ChannelHealth, pause: Duration, until_idle: bool) -> Self {
        Self { health, pause, until_idle, backoff: Backoff::new(WAIT_FIRST, WAIT_LONGEST), failures: 0 }
    }

    /// Reports and waits. `Some` is the end.
    async fn after(&mut self, step: Result<Found, DirectoryError>) -> Option<Result<(), DirectoryError>> {
        match step {
            Ok(found) => {
                self.backoff.reset();
                self.failures = 0;
                self.health.worked();
                match found {
                    Found::Work => {}
                    Found::Nothing if self.until_idle => return Some(Ok(())),
                    Found::Nothing | Found::Unready => tokio::time::sleep(self.pause).await,
                }
            }
            Err(error) => {
                self.health.failing(error.code(), error.to_string());
                self.failures += 1;
                // Some files cannot be read: no reason to let the others wait.
                let is_partly = matches!(error, DirectoryError::Unreadable { .. });
                if self.until_idle && self.failures >= IDLE_RUN_FAILURES_MAX {
                    return Some(Err(error));
                }
                tokio::time::sleep(if is_partly { self.pause } else { self.backoff.next_wait() }).await;
            }
        }
        None
    }
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

/// How far a log has been read, as it is kept in the database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct LogCursor {
    inode: u64,
    /// Of the first byte not stored.
    offset: u64,
    /// SHA-256 of the first `head_bytes` bytes.
    head: String,
    head_bytes: u64,
    /// The offset lies within a line that is too long: up to its newline nothing counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    skipping: bool,
    /// Nothing has been read yet, and nothing beside the path was written to after this instant (Unix,
    /// nanoseconds): what was later is not history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unread_since_ns: Option<i64>,
}

/// A channel that follows a log.
struct Tail {
    log: Log,
    taker: Taker,
    /// Read from the database at the first step.
    cursor: Option<LogCursor>,
}

impl Tail {
    async fn step(&mut self) -> Result<Found, DirectoryError> {
        let cursor = match &self.cursor {
            Some(cursor) => cursor.clone(),
            None => self.taker.cursor().await?.unwrap_or_default(),
        };
        self.cursor = Some(cursor.clone());
        let mut log = std::mem::take(&mut self.log);
        let (log, seen) = blocking(move || {
            let seen = log.look(&cursor);
            (log, seen)
        })
        .await;
        self.log = log;
        let name = file_name(&self.taker.path);
        let (found, cursor) = match seen.map_err(DirectoryError::io("read", &self.taker.path))? {
            Seen::Nothing => return Ok(Found::Nothing),
            Seen::Unready => return Ok(Found::Unready),
            Seen::Lines { lines, cursor } => {
                let event =
                    |(offset, line)| self.taker.event(None, origin(&name, cursor.inode, offset), RawBody::Bytes(line));
                let events: Vec<NewRawEvent> = lines.into_iter().map(event).collect();
                self.taker.record(&events, &cursor).await?;
                (Found::Work, cursor)
            }
            Seen::Unusable { offset, code, detail, cursor, before } => {
                self.taker.skip(&origin(&name, before, offset), code, &detail, &cursor).await?;
                (Found::Work, cursor)
            }
            Seen::Other { cursor, missed } => {
                if missed {
                    let channel = &self.taker.channel.name;
                    tracing::warn!(
                        code = "rotation_missed",
                        channel.name = channel,
                        "the log of channel {channel} was replaced, and its old content is not beside it: lines may be missing. Let the rotation keep one uncompressed file (delaycompress)"
                    );
                }
                self.taker.record(&[], &cursor).await?;
                (Found::Work, cursor)
            }
        };
        self.cursor = Some(cursor);
        Ok(found)
    }
}

fn origin(name: &str, inode: u64, offset: u64) -> String {
    format!("{name}, inode {inode}, offset {offset}")
}

/// The last part of a path for an origin: readable, and not too long.
fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    name.chars().take(NAME_CHARS_MAX).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// What a look at a log saw.
#[derive(Debug)]
enum Seen {
    /// No complete line.
    Nothing,
    /// A rotation is under way.
    Unready,
    /// Lines with their offsets, and the cursor behind them.
    Lines { lines: Vec<(u64, Bytes)>, cursor: LogCursor },
    /// A line that is not taken: too long, or without an end.
    Unusable { offset: u64, code: &'static str, detail: String, cursor: LogCursor, before: u64 },
    /// Go on in another file, or from the beginning.
    Other { cursor: LogCursor, missed: bool },
}

/// A log on the disk. All of it blocks.
#[derive(Debug, Default)]
struct Log {
    path: PathBuf,
    line_bytes_max: u64,
    /// Do not wait for the writer of a rotated log.
    hurried: bool,
    open: Option<File>,
    /// The open file was not found at the path, but beside it: there may be more such.
    beside: bool,
    /// The open file is no more at the path: its length, and since when it has been that.
    rotated: Option<(u64, Instant)>,
}

impl Log {
    fn new(source: &TailSource, hurried: bool) -> Self {
        Self { path: source.path.clone(), line_bytes_max: source.line_bytes_max, hurried, ..Self::default() }
    }

    fn look(&mut self, cursor: &LogCursor) -> io::Result<Seen> {
        // Another inode: the cursor could not be stored when the file was changed over.
        let open = self.open.take().map(|file| file.metadata().map(|metadata| (file, metadata))).transpose()?;
        let (file, metadata) = match open.filter(|(_, metadata)| metadata.ino() == cursor.inode) {
            Some(open) => open,
            None => match self.find(cursor)? {
                Place::Here(file, metadata) => (file, metadata),
                Place::Other(moved) => return Ok(moved),
                Place::Nowhere => return Ok(Seen::Nothing),
            },
        };
        if !is_continued(&file, &metadata, cursor)? {
            // Truncated in place. What was not read of it may be in a copy: that comes first.
            let copy = self.search(cursor, metadata.ino())?;
            self.beside = copy.is_some();
            self.rotated = None;
            let cursor = start_of(copy.as_ref().unwrap_or(&file), cursor, copy.is_some())?;
            self.open = Some(copy.unwrap_or(file));
            return Ok(Seen::Other { cursor, missed: false });
        }
        let seen = match self.read(&file, &metadata, cursor)? {
            Some(seen) => seen,
            None => self.at_end(&metadata, cursor)?,
        };
        if self.open.is_none() {
            self.open = Some(file);
        }
        Ok(seen)
    }

    /// The next lines, or what is to be said about an overlong one. `None` at the end.
    fn read(&self, file: &File, metadata: &Metadata, cursor: &LogCursor) -> io::Result<Option<Seen>> {
        let wanted = READ_BYTES.max(self.line_bytes_max + 2).min(metadata.len() - cursor.offset);
        let mut buffer = vec![0; usize::try_from(wanted).unwrap_or(usize::MAX)];
        let read = read_at_most(file, &mut buffer, cursor.offset)?;
        buffer.truncate(read);
        let mut next = LogCursor { unread_since_ns: None, ..cursor.clone() };
        let mut lines = Vec::new();
        let mut rest = buffer.as_slice();
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            let (line, later) = (&rest[..end], &rest[end + 1..]);
            let offset = next.offset;
            if !next.skipping && line.len() as u64 > self.line_bytes_max {
                if lines.is_empty() {
                    next.offset += end as u64 + 1;
                    return self.too_long(file, offset, next).map(Some);
                }
                break;
            }
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !next.skipping && !line.is_empty() {
                lines.push((offset, Bytes::copy_from_slice(line)));
            }
            next.offset += end as u64 + 1;
            next.skipping = false;
            rest = later;
            if lines.len() == BATCH_LINES_MAX {
                break;
            }
        }
        if next.offset == cursor.offset && (next.skipping || read as u64 > self.line_bytes_max + 1) && read > 0 {
            // No newline within the limit: the line is over it, however it ends.
            let (offset, was_skipping) = (next.offset, next.skipping);
            next.offset += read as u64;
            next.skipping = true;
            if !was_skipping {
                return self.too_long(file, offset, next).map(Some);
            }
        }
        if next.offset == cursor.offset {
            return Ok(None);
        }
        note_head(file, &mut next)?;
        Ok(Some(Seen::Lines { lines, cursor: next }))
    }

    fn too_long(&self, file: &File, offset: u64, mut cursor: LogCursor) -> io::Result<Seen> {
        note_head(file, &mut cursor)?;
        let detail =
            format!("a line is longer than {} bytes: this is hardly the log it should be", self.line_bytes_max);
        Ok(Seen::Unusable { offset, code: "line_too_large", detail, before: cursor.inode, cursor })
    }

    /// At the end of the open file: is it still the log, or does the log go on elsewhere?
    fn at_end(&mut self, metadata: &Metadata, cursor: &LogCursor) -> io::Result<Seen> {
        let present = match fs::metadata(&self.path) {
            Ok(present) => present,
            // Renamed, and the next one is not there yet.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Seen::Nothing),
            Err(error) => return Err(error),
        };
        if present.ino() == metadata.ino() {
            return Ok(Seen::Nothing);
        }
        let (_, since) = *match &mut self.rotated {
            Some(rotated) if rotated.0 == metadata.len() => rotated,
            rotated => rotated.insert((metadata.len(), Instant::now())),
        };
        if !self.hurried && !self.beside && since.elapsed() < ROTATED_QUIET {
            return Ok(Seen::Unready);
        }
        let between = if self.beside { self.next_after(metadata)? } else { None };
        self.beside = between.is_some();
        let next = match between {
            Some(file) => file,
            None => open_log(&self.path)?,
        };
        let start = start_of(&next, cursor, false)?;
        self.open = Some(next);
        self.rotated = None;
        let left = metadata.len() - cursor.offset;
        if left > 0 && !cursor.skipping {
            let detail = format!("a rotated log ends in {left} bytes without a newline: the line was never finished");
            return Ok(Seen::Unusable {
                offset: cursor.offset,
                code: "line_unfinished",
                detail,
                before: cursor.inode,
                cursor: start,
            });
        }
        Ok(Seen::Other { cursor: start, missed: false })
    }

    /// The file that the cursor is about.
    fn find(&mut self, cursor: &LogCursor) -> io::Result<Place> {
        (self.rotated, self.beside) = (None, false);
        let present = match open_log(&self.path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // The log comes with its first line, but its directory must be there.
                fs::metadata(self.dir())?;
                None
            }
            Err(error) => return Err(error),
        };
        let present = present.map(|file| file.metadata().map(|metadata| (file, metadata))).transpose()?;
        if *cursor == LogCursor::default() {
            return self.begin(present.map(|(file, _)| file));
        }
        if let Some(since_ns) = cursor.unread_since_ns
            && let Some(file) = self.first_after(since_ns)?
        {
            let cursor = start_of(&file, cursor, false)?;
            (self.open, self.beside) = (Some(file), true);
            return Ok(Place::Other(Seen::Other { cursor, missed: false }));
        }
        if let Some((file, metadata)) = &present
            && metadata.ino() == cursor.inode
            && is_continued(file, metadata, cursor)?
        {
            return Ok(present.map_or(Place::Nowhere, |(file, metadata)| Place::Here(file, metadata)));
        }
        let known = cursor.inode != 0;
        let old = if known { self.search(cursor, 0)? } else { None };
        self.beside = old.is_some();
        let Some(file) = old.or(present.map(|(file, _)| file)) else { return Ok(Place::Nowhere) };
        let missed = known && !self.beside && cursor.offset > 0;
        let cursor = start_of(&file, cursor, self.beside)?;
        self.open = Some(file);
        Ok(Place::Other(Seen::Other { cursor, missed }))
    }

    /// The first look of all. It leaves a cursor, whether there is a log or not, so that a rotation right
    /// after it is followed.
    fn begin(&mut self, present: Option<File>) -> io::Result<Place> {
        // By the clock of the file system, which may be another machine's.
        let mut since_ns = modified_ns(&fs::metadata(self.dir())?);
        for entry in fs::read_dir(self.dir())?.flatten() {
            if self.is_rotated(&entry.file_name())
                && let Ok(metadata) = entry.metadata()
            {
                since_ns = since_ns.max(modified_ns(&metadata));
            }
        }
        let inode = present.as_ref().map(File::metadata).transpose()?.map_or(0, |metadata| metadata.ino());
        self.open = present;
        let cursor = LogCursor { inode, unread_since_ns: Some(since_ns), ..LogCursor::default() };
        Ok(Place::Other(Seen::Other { cursor, missed: false }))
    }

    /// Of the logs rotated after an instant, the first.
    fn first_after(&self, since_ns: i64) -> io::Result<Option<File>> {
        let mut first: Option<(i64, PathBuf)> = None;
        for entry in fs::read_dir(self.dir())?.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            let at = modified_ns(&metadata);
            if metadata.is_file()
                && at > since_ns
                && self.is_rotated(&entry.file_name())
                && first.as_ref().is_none_or(|(earliest, _)| at < *earliest)
            {
                first = Some((at, entry.path()));
            }
        }
        first.map(|(_, path)| open_plain(&path)).transpose()
    }

    /// The content of the cursor in another file of the directory: the same inode, or a copy.
    fn search(&self, cursor: &LogCursor, except: u64) -> io::Result<Option<File>> {
        let mut best: Option<(bool, SystemTime, File)> = None;
        for entry in fs::read_dir(self.dir())?.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            let same = metadata.ino() == cursor.inode;
            let copy = cursor.head_bytes > 0 && self.is_rotated(&entry.file_name());
            if !metadata.is_file() || metadata.ino() == except || metadata.len() < cursor.offset || !(same || copy) {
                continue;
            }
            let Ok(file) = open_plain(&entry.path()) else { continue };
            let rank = (same, metadata.modified()?);
            let is_better = best.as_ref().is_none_or(|(same, at, _)| rank > (*same, *at));
            if is_better && is_continued(&file, &metadata, cursor)? {
                best = Some((rank.0, rank.1, file));
            }
        }
        Ok(best.map(|(_, _, file)| file))
    }

    /// Of several logs rotated while nobody read, the one that follows.
    fn next_after(&self, done: &Metadata) -> io::Result<Option<File>> {
        let mut next: Option<(SystemTime, PathBuf)> = None;
        for entry in fs::read_dir(self.dir())?.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            let at = metadata.modified()?;
            let follows = metadata.ino() != done.ino() && at > done.modified()? && entry.path() != self.path;
            if metadata.is_file()
                && follows
                && self.is_rotated(&entry.file_name())
                && next.as_ref().is_none_or(|(first, _)| at < *first)
            {
                next = Some((at, entry.path()));
            }
        }
        next.map(|(_, path)| open_plain(&path)).transpose()
    }

    fn dir(&self) -> &Path {
        self.path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// `Master.csv.1`, `Master.csv-20261122`, but not `Master.csv.2.gz`.
    fn is_rotated(&self, name: &OsStr) -> bool {
        let own = self.path.file_name().unwrap_or_default();
        let compressed = Path::new(name).extension().is_some_and(|ending| COMPRESSED.iter().any(|one| ending == *one));
        name != own && name.as_bytes().starts_with(own.as_bytes()) && !compressed
    }
}

/// Where the file of a cursor is.
enum Place {
    /// At the path, as it was left.
    Here(File, Metadata),
    /// Elsewhere, or at its beginning; it is open now, and the cursor changes.
    Other(Seen),
    /// Not there yet.
    Nowhere,
}

/// When a file was last written to, in Unix nanoseconds; years beyond 2262 do not occur.
fn modified_ns(metadata: &Metadata) -> i64 {
    metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec())
}

/// Whether the file holds what the cursor has read, and goes on from there.
fn is_continued(file: &File, metadata: &Metadata, cursor: &LogCursor) -> io::Result<bool> {
    Ok(metadata.len() >= cursor.offset && (cursor.head_bytes == 0 || head(file, cursor.head_bytes)? == cursor.head))
}

fn head(file: &File, bytes: u64) -> io::Result<String> {
    let mut buffer = vec![0; usize::try_from(bytes.min(HEAD_BYTES_MAX)).unwrap_or_default()];
    let read = read_at_most(file, &mut buffer, 0)?;
    Ok(ContentHash::of(&buffer[..read]).to_string())
}

/// Takes the beginning of the file down, as far as it was read and until it is long enough.
fn note_head(file: &File, cursor: &mut LogCursor) -> io::Result<()> {
    let bytes = cursor.offset.min(HEAD_BYTES_MAX);
    if bytes != cursor.head_bytes {
        cursor.head = head(file, bytes)?;
        cursor.head_bytes = bytes;
    }
    Ok(())
}

/// A cursor for another file: behind what was read of the same content, else at its beginning.
fn start_of(file: &File, cursor: &LogCursor, is_same_content: bool) -> io::Result<LogCursor> {
    let inode = file.metadata()?.ino();
    let kept = if is_same_content { cursor.clone() } else { LogCursor::default() };
    Ok(LogCursor { inode, ..kept })
}

fn read_at_most(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match file.read_at(&mut buffer[read..], offset + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

/// Opens the log, whose path ops configured: it may be a link, but a pipe would block.
fn open_log(path: &Path) -> io::Result<File> {
    open_with(path, OFlags::NONBLOCK)
}

/// Opens a plain file for reading: no link, and no pipe that would block.
fn open_plain(path: &Path) -> io::Result<File> {
    open_with(path, OFlags::NOFOLLOW | OFlags::NONBLOCK)
}

fn open_with(path: &Path, flags: OFlags) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

/// What tells a file from every other, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    inode: u64,
    bytes: u64,
    modified_ns: i128,
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        let modified_ns = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
        Self { inode: metadata.ino(), bytes: metadata.len(), modified_ns }
    }
}

/// What is kept of a directory in the database: files that are stored, but perhaps not yet moved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct PileCursor {
    unmoved: Vec<Identity>,
}

/// A file in a pile, seen and not yet taken.
#[derive(Debug)]
struct Lying {
    name: OsString,
    identity: Identity,
    content: Content,
}

/// What of a file is in memory.
#[derive(Debug)]
enum Content {
    /// All of it.
    Whole(Bytes),
    /// It is to be read piece by piece.
    Large(File),
    /// It is not to be taken.
    TooLarge,
    /// It was taken before a crash.
    Stored,
}

/// A channel that empties a directory.
struct Pile {
    source: DropSource,
    taker: Taker,
    cursor: Option<PileCursor>,
    /// Names of stored files that are still to be moved.
    unmoved: Vec<OsString>,
    /// A listing under way, kept between batches.
    listing: Option<ReadDir>,
    /// What the listing under way has met.
    taken: usize,
    unready: usize,
    unreadable: usize,
    /// Modification time of the directory at the last listing that found nothing, and when that was.
    empty_at: Option<(SystemTime, SystemTime)>,
    listed_at: Instant,
}

impl Pile {
    fn new(source: DropSource, taker: Taker) -> Self {
        let listed_at = Instant::now();
        Self {
            source,
            taker,
            cursor: None,
            unmoved: Vec::new(),
            listing: None,
            taken: 0,
            unready: 0,
            unreadable: 0,
            empty_at: None,
            listed_at,
        }
    }

    fn incoming_dir(&self) -> PathBuf {
        match self.source.layout {
            DropLayout::Maildir => self.source.path.join("new"),
            DropLayout::Files => self.source.path.clone(),
        }
    }

    fn done_dir(&self) -> PathBuf {
        match self.source.layout {
            DropLayout::Maildir => self.source.path.join("cur"),
            DropLayout::Files => self.source.path.join("done"),
        }
    }

    /// One batch, or the end of a listing.
    async fn step(&mut self) -> Result<Found, DirectoryError> {
        if self.cursor.is_none() {
            self.cursor = Some(self.taker.cursor().await?.unwrap_or_default());
        }
        let dir = self.incoming_dir();
        // The cursor knows one batch: nothing is taken before its files are out of the way.
        self.move_stored(&dir).await?;
        if self.listing.is_none() && !self.open_listing(&dir).await? {
            return Ok(Found::Nothing);
        }
        let (batch, more) = self.next_batch(&dir).await?;
        if !batch.is_empty() {
            self.taken += batch.len();
            self.take(&dir, batch).await?;
        }
        if more {
            return Ok(Found::Work);
        }
        self.listing = None;
        let (taken, unready, unreadable) = (self.taken, self.unready, self.unreadable);
        if taken + unready + unreadable > 0 {
            self.empty_at = None;
        }
        match (taken, unready, unreadable) {
            // What came meanwhile may have been missed by the listing.
            (1.., _, _) => Ok(Found::Work),
            (_, _, 1..) => Err(DirectoryError::Unreadable { count: unreadable, dir }),
            (_, 1.., _) => Ok(Found::Unready),
            _ => Ok(Found::Nothing),
        }
    }

    /// Begins a listing, unless the directory is unchanged since one found nothing.
    async fn open_listing(&mut self, dir: &Path) -> Result<bool, DirectoryError> {
        let (path, to) = (dir.to_owned(), self.done_dir());
        let before = self.empty_at.filter(|_| self.listed_at.elapsed() < self.source.poll_interval);
        let opened = blocking(move || -> Result<_, DirectoryError> {
            let metadata = fs::metadata(&path).map_err(DirectoryError::io("look at", &path))?;
            let modified = metadata.modified().map_err(DirectoryError::io("look at", &path))?;
            let now = SystemTime::now();
            // A change within the clock's grain after the listing would leave the time as it was.
            let is_unchanged = before.is_some_and(|(at, listed)| {
                at == modified && listed.duration_since(at).is_ok_and(|age| age > SETTLED_AFTER)
            });
            if is_unchanged {
                return Ok(None);
            }
            match fs::create_dir(&to) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(DirectoryError::io("make", &to)(error));
                }
                _ => {}
            }
            let listing = fs::read_dir(&path).map_err(DirectoryError::io("list", &path))?;
            Ok(Some((listing, modified, now)))
        });
        let Some((listing, modified, now)) = opened.await? else { return Ok(false) };
        (self.listing, self.empty_at, self.listed_at) = (Some(listing), Some((modified, now)), Instant::now());
        (self.taken, self.unready, self.unreadable) = (0, 0, 0);
        Ok(true)
    }

    /// The next files of the listing, and whether there may be more.
    async fn next_batch(&mut self, dir: &Path) -> Result<(Vec<Lying>, bool), DirectoryError> {
        let Some(mut listing) = self.listing.take() else { return Ok((Vec::new(), false)) };
        let (path, source) = (dir.to_owned(), self.source.clone());
        let stored = self.cursor.as_ref().map(|cursor| cursor.unmoved.clone()).unwrap_or_default();
        let (listing, batch) = blocking(move || {
            let batch = Batch::read(&mut listing, &path, &source, &stored);
            (listing, batch)
        })
        .await;
        let batch = batch.map_err(DirectoryError::io("list", dir))?;
        self.unready += batch.unready;
        self.unreadable += batch.unreadable;
        self.listing = batch.more.then_some(listing);
        Ok((batch.files, batch.more))
    }

    /// Stores a batch, commits it, then moves its files.
    async fn take(&mut self, dir: &Path, batch: Vec<Lying>) -> Result<(), DirectoryError> {
        let mut events = Vec::new();
        let mut stored = Vec::new();
        let mut too_large = Vec::new();
        let mut names = Vec::new();
        for file in batch {
            let origin = format!("{}, inode {}", file_name(Path::new(&file.name)), file.identity.inode);
            let at = i64::try_from(file.identity.modified_ns / 1_000_000)
                .ok()
                .and_then(|ms| Timestamp::from_millisecond(ms).ok());
            match file.content {
                Content::Whole(bytes) => events.push(self.taker.event(at, origin, RawBody::Bytes(bytes))),
                Content::Large(open) => match self.take_large(open, file.identity).await? {
                    Some(body) => events.push(self.taker.event(at, origin, body)),
                    None => {
                        self.unready += 1;
                        continue;
                    }
                },
                Content::TooLarge => too_large.push((origin, file.identity.bytes)),
                Content::Stored => {}
            }
            stored.push(file.identity);
            names.push(file.name);
        }
        // What was stored before a crash is known to the cursor already.
        if !events.is_empty() || !too_large.is_empty() {
            let cursor = PileCursor { unmoved: stored };
            for (origin, bytes) in too_large {
                let limit = self.source.file_bytes_max;
                let detail =
                    format!("a file of {bytes} bytes is larger than the limit of {limit} bytes: it was moved unread");
                // Under the old cursor, since the rest of the batch is not stored yet.
                self.taker.skip(&origin, "file_too_large", &detail, &self.cursor).await?;
            }
            self.taker.record(&events, &cursor).await?;
            self.cursor = Some(cursor);
        }
        self.unmoved = names;
        self.move_stored(dir).await
    }

    /// Puts a large file into the content store. `None` if it changed while it was read.
    async fn take_large(&self, file: File, identity: Identity) -> Result<Option<RawBody>, DirectoryError> {
        let path = &self.source.path;
        let mut writer = self.taker.store.content.writer(self.source.file_bytes_max).await?;
        let mut file = file;
        loop {
            let (back, piece) = blocking(move || {
                let mut piece = Vec::with_capacity(PIECE_BYTES);
                let read = (&mut file).take(PIECE_BYTES as u64).read_to_end(&mut piece).map(|_| piece);
                (file, read)
            })
            .await;
            file = back;
            let piece = piece.map_err(DirectoryError::io("read a file in", path))?;
            if piece.is_empty() {
                break;
            }
            match writer.write(Bytes::from(piece)).await {
                // It has grown since it was measured.
                Err(ContentError::TooLarge { .. }) => return Ok(None),
                other => other?,
            }
        }
        let metadata = file.metadata().map_err(DirectoryError::io("look at a file in", path))?;
        if Identity::of(&metadata) != identity {
            return Ok(None);
        }
        let stored = writer.finish().await?;
        Ok(Some(RawBody::Stored { hash: stored.hash, bytes: stored.bytes }))
    }

    async fn move_stored(&mut self, dir: &Path) -> Result<(), DirectoryError> {
        if self.unmoved.is_empty() {
            return Ok(());
        }
        let (from, to, layout, names) = (dir.to_owned(), self.done_dir(), self.source.layout, self.unmoved.clone());
        blocking(move || names.iter().try_for_each(|name| move_away(&from, &to, name, layout)))
            .await
            .map_err(DirectoryError::io("move files to", &self.done_dir()))?;
        self.unmoved.clear();
        Ok(())
    }
}

/// Files read at once.
#[derive(Default)]
struct Batch {
    files: Vec<Lying>,
    unready: usize,
    unreadable: usize,
    more: bool,
}

impl Batch {
    fn read(listing: &mut ReadDir, dir: &Path, source: &DropSource, stored: &[Identity]) -> io::Result<Self> {
        let mut batch = Self::default();
        let mut bytes = 0;
        while batch.files.len() < BATCH_FILES_MAX && bytes < BATCH_BYTES_MAX {
            let Some(entry) = listing.next() else { return Ok(batch) };
            let name = entry?.file_name();
            if is_ignored(&name, source.layout) {
                continue;
            }
            match lie(dir, name, source, stored) {
                Ok(Some(file)) => {
                    if let Content::Whole(content) = &file.content {
                        bytes += content.len() as u64;
                    }
                    // An open file is a file descriptor: one a batch.
                    let is_large = matches!(file.content, Content::Large(_));
                    batch.files.push(file);
                    if is_large {
                        break;
                    }
                }
                Ok(None) => batch.unready += 1,
                // No file, or a link: ELOOP. Somebody else's, and not to be followed.
                Err(error) if is_no_file(&error) => {}
                Err(_) => batch.unreadable += 1,
            }
        }
        batch.more = true;
        Ok(batch)
    }
}

/// A directory, a link, a pipe; or gone since it was listed.
fn is_no_file(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::NotFound)
        || error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
        // A socket cannot be opened at all.
        || error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error())
}

fn is_ignored(name: &OsStr, layout: DropLayout) -> bool {
    let name = name.as_bytes();
    // Maildir's names never begin with a dot either, and every program ignores those that do.
    name.starts_with(b".") || (layout == DropLayout::Files && UNFINISHED.iter().any(|ending| name.ends_with(ending)))
}

/// Opens and reads a file as far as it is to be read here. `None` if somebody is writing to it.
fn lie(dir: &Path, name: OsString, source: &DropSource, stored: &[Identity]) -> io::Result<Option<Lying>> {
    let mut file = open_plain(&dir.join(&name))?;
    let metadata = file.metadata()?;
    let identity = Identity::of(&metadata);
    if stored.contains(&identity) {
        return Ok(Some(Lying { name, identity, content: Content::Stored }));
    }
    if source.layout == DropLayout::Files && !is_settled(metadata.modified()?, SystemTime::now()) {
        return Ok(None);
    }
    let content = if identity.bytes > source.file_bytes_max {
        Content::TooLarge
    } else if identity.bytes > WHOLE_BYTES_MAX {
        Content::Large(file)
    } else {
        let mut bytes = Vec::with_capacity(usize::try_from(identity.bytes).unwrap_or_default() + 1);
        (&mut file).take(WHOLE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        if Identity::of(&file.metadata()?) != identity {
            return Ok(None);
        }
        Content::Whole(Bytes::from(bytes))
    };
    Ok(Some(Lying { name, identity, content }))
}

fn is_settled(modified: SystemTime, now: SystemTime) -> bool {
    match now.duration_since(modified) {
        Ok(age) => age >= SETTLED_AFTER,
        Err(ahead) => ahead.duration() > CLOCKS_DIFFER_MAX,
    }
}

/// Moves a stored file out of the way, over nothing that is there. Gone already is fine.
fn move_away(from: &Path, to: &Path, name: &OsStr, layout: DropLayout) -> io::Result<()> {
    let mut target = name.as_bytes().to_vec();
    if layout == DropLayout::Maildir && !target.windows(3).any(|part| part == b":2,") {
        target.extend_from_slice(b":2,");
    }
    loop {
        let there = to.join(OsString::from_vec(target.clone()));
        match renameat_with(CWD, from.join(name), CWD, &there, RenameFlags::NOREPLACE) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => return Ok(()),
            // A name was used twice: a prefix keeps both, and the flags at the end.
            Err(rustix::io::Errno::EXIST) => target = another_name(name, &target),
            // File systems that cannot do it at once.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) if !there.exists() => {
                return fs::rename(from.join(name), there);
            }
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => target = another_name(name, &target),
            Err(error) => return Err(error.into()),
        }
    }
}

fn another_name(name: &OsStr, target: &[u8]) -> Vec<u8> {
    let suffix = target.strip_prefix(name.as_bytes()).unwrap_or_default();
    let suffix = if suffix.starts_with(b":2,") { suffix } else { b"" };
    let mut another = uuid::Uuid::now_v7().simple().to_string().into_bytes();
    another.push(b'-');
    another.extend_from_slice(name.as_bytes());
    another.extend_from_slice(suffix);
    another
}
