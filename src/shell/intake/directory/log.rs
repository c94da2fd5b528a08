//! A log that grows: [`Tail`].

use super::*;

/// How far a log has been read, as it is kept in the database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LogCursor {
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
pub(super) struct Tail {
    pub(super) log: Log,
    pub(super) taker: Taker,
    /// Read from the database at the first step.
    pub(super) cursor: Option<LogCursor>,
    /// It was said that there has never been a log.
    pub(super) is_absence_told: bool,
}

impl Source for Tail {
    type Failure = DirectoryError;

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
            Seen::Nothing => {
                self.tell_absence();
                return Ok(Found::Nothing);
            }
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

impl Tail {
    /// A log that never was is no fault, for the exchange makes it with the first call; but a slip in the path looks
    /// the same. Said once.
    fn tell_absence(&mut self) {
        let is_absent = self.cursor.as_ref().is_some_and(|cursor| cursor.inode == 0);
        if is_absent && !std::mem::replace(&mut self.is_absence_told, true) {
            let channel = &self.taker.channel.name;
            tracing::warn!(
                code = "log_absent",
                channel.name = channel,
                "channel {channel} has never seen its log. The exchange makes it with the first call; if there were calls, `path` is wrong"
            );
        }
    }
}

fn origin(name: &str, inode: u64, offset: u64) -> String {
    format!("{name}, inode {inode}, offset {offset}")
}

/// The last part of a path for an origin: readable, and not too long.
pub(super) fn file_name(path: &Path) -> String {
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
pub(super) struct Log {
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
    pub(super) fn new(source: &TailSource, hurried: bool) -> Self {
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
pub(super) fn open_plain(path: &Path) -> io::Result<File> {
    open_with(path, OFlags::NOFOLLOW | OFlags::NONBLOCK)
}

fn open_with(path: &Path, flags: OFlags) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}
