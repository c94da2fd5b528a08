//! A directory into which files are put: [`Pile`].

use super::log::{file_name, open_plain};
use super::*;

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

/// The content store took no large file when it was last asked.
struct Refusal {
    why: String,
    /// When it is asked again.
    until: Instant,
    waits: Backoff,
}

/// A channel that empties a directory.
pub(super) struct Pile {
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
    /// Of these, the large ones that the content store does not take.
    unstored: usize,
    refusal: Option<Refusal>,
    /// The listing before met files that could not be taken.
    is_troubled: bool,
    /// Modification time of the directory at the last listing that found nothing, and when that was.
    empty_at: Option<(SystemTime, SystemTime)>,
    listed_at: Instant,
}

impl Source for Pile {
    type Failure = DirectoryError;

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
        if !batch.is_empty()
            && let Err(error) = self.take(&dir, batch).await
        {
            // It begins anew: what was listed and not taken is there still.
            (self.listing, self.empty_at) = (None, None);
            return Err(error);
        }
        if more {
            return Ok(self.work());
        }
        self.listing = None;
        let (taken, unready, failed) = (self.taken, self.unready, self.unreadable + self.unstored);
        if taken + unready + failed > 0 {
            self.empty_at = None;
        }
        match (taken, unready, failed) {
            // What came meanwhile may have been missed by the listing.
            (1.., _, _) => Ok(self.work()),
            (_, _, 1..) => Err(self.failure(dir)),
            (_, 1.., _) => Ok(Found::Unready),
            _ => Ok(Found::Nothing),
        }
    }
}

impl Pile {
    pub(super) fn new(source: DropSource, taker: Taker) -> Self {
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
            unstored: 0,
            refusal: None,
            is_troubled: false,
            empty_at: None,
            listed_at,
        }
    }

    /// Something was taken: whether that means that all is well.
    fn work(&self) -> Found {
        match self.is_troubled || self.unreadable + self.unstored > 0 {
            true => Found::Partly,
            false => Found::Work,
        }
    }

    /// The content store did not take a large file: none is tried again for a while.
    fn refused(&mut self, error: &ContentError) {
        let mut waits = match self.refusal.take() {
            Some(refusal) => refusal.waits,
            None => Backoff::new(UNSTORED_WAIT_FIRST, UNSTORED_WAIT_LONGEST),
        };
        let until = Instant::now() + waits.next_wait();
        self.refusal = Some(Refusal { why: error.to_string(), until, waits });
    }

    /// What of a listing could not be taken.
    fn failure(&mut self, dir: PathBuf) -> DirectoryError {
        match &self.refusal {
            Some(Refusal { why, .. }) if self.unstored > 0 => {
                DirectoryError::Unstored { count: self.unstored, dir, why: why.clone() }
            }
            _ => DirectoryError::Unreadable { count: self.unreadable, dir },
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
        self.is_troubled = self.unreadable + self.unstored > 0;
        (self.taken, self.unready, self.unreadable) = (0, 0, 0);
        if self.unstored == 0 {
            self.refusal = None;
        }
        self.unstored = 0;
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
                Content::Large(_) if self.refusal.as_ref().is_some_and(|refusal| Instant::now() < refusal.until) => {
                    self.unstored += 1;
                    continue;
                }
                Content::Large(open) => match self.take_large(open, file.identity).await? {
                    Ok(Some(body)) => {
                        self.refusal = None;
                        events.push(self.taker.event(at, origin, body));
                    }
                    Ok(None) => {
                        self.unready += 1;
                        continue;
                    }
                    // The others need not wait for it.
                    Err(error) => {
                        self.unstored += 1;
                        self.refused(&error);
                        continue;
                    }
                },
                Content::TooLarge => too_large.push((origin, file.identity.bytes)),
                Content::Stored => {}
            }
            stored.push(file.identity);
            names.push(file.name);
        }
        self.taken += names.len();
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

    /// Puts a large file into the content store. `None` if it changed while it was read. The inner error is the
    /// content store's.
    async fn take_large(
        &self,
        mut file: File,
        identity: Identity,
    ) -> Result<Result<Option<RawBody>, ContentError>, DirectoryError> {
        let path = &self.source.path;
        let mut writer = match self.taker.store.content.writer(self.source.file_bytes_max).await {
            Ok(writer) => writer,
            Err(error) => return Ok(Err(error)),
        };
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
                Err(ContentError::TooLarge { .. }) => return Ok(Ok(None)),
                Err(error) => return Ok(Err(error)),
                Ok(()) => {}
            }
        }
        let metadata = file.metadata().map_err(DirectoryError::io("look at a file in", path))?;
        if Identity::of(&metadata) != identity {
            return Ok(Ok(None));
        }
        let stored = writer.finish().await;
        Ok(stored.map(|stored| Some(RawBody::Stored { hash: stored.hash, bytes: stored.bytes })))
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
