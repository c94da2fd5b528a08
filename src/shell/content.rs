//! The content store: large bodies and attachments, named by the SHA-256 of their bytes.
//!
//! A content is written into `incoming/`, fsynced, renamed to `ab/abcdef…` and the directories are
//! fsynced; only then does anybody learn its name. A crash leaves at most a file in `incoming/`,
//! which [`ContentStore::sweep`] removes. Putting the same bytes again is harmless.
//!
//! What root puts into a store that belongs to somebody else is his ([`super::ownership`]).
//!
//! **Invariant:** a [`ContentHash`] given out by a put names bytes that are on the disk.

use super::ownership::{Owner, make_dirs};
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Location;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use sha2::{Digest, Sha256};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Where contents are written before they have a name.
const INCOMING: &str = "incoming";

/// A file in `incoming/` that nobody has written to for so long belongs to nobody: a put takes
/// seconds, and no source is waited for longer than minutes.
const ABANDONED_AFTER: Duration = Duration::from_secs(24 * 3600);

/// The SHA-256 of a content, which is its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    /// The name of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    fn location(self) -> Location {
        Location::from(format!("{}/{self}", self.folder()))
    }

    fn folder(self) -> String {
        hex::encode(&self.0[..1])
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

/// 64 hexadecimal digits.
impl FromStr for ContentHash {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut hash = [0; 32];
        hex::decode_to_slice(text, &mut hash)?;
        Ok(Self(hash))
    }
}

/// 32 bytes, as SQL keeps it.
impl TryFrom<&[u8]> for ContentHash {
    type Error = std::array::TryFromSliceError;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self)
    }
}

/// What was put: its name and its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The name.
    pub hash: ContentHash,
    /// Bytes.
    pub bytes: u64,
}

/// Why a content could not be put or got.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// More came than was allowed. Nothing was kept.
    #[error("it is larger than {bytes_max} bytes")]
    TooLarge {
        /// The limit given.
        bytes_max: u64,
    },
    /// There is no such content.
    #[error("the content store has no {0}")]
    Missing(ContentHash),
    /// The bytes on the disk are not those that were put.
    #[error("{0} in the content store is damaged: restore it from a backup")]
    Damaged(ContentHash),
    /// The directory could not be made ready.
    #[error("cannot use {} for the content store: {source}", dir.display())]
    Directory {
        /// The directory.
        dir: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Reading or writing failed; trying again later may help (a full disk).
    #[error("the content store failed: {0}")]
    Store(#[from] object_store::Error),
}

/// The store. Cheap to clone; clones are one.
#[derive(Clone)]
pub struct ContentStore {
    objects: Arc<dyn ObjectStore>,
    incoming: PathBuf,
    given: Option<Given>,
}

/// Somebody else's store, in which root works.
#[derive(Clone)]
struct Given {
    dir: PathBuf,
    owner: Owner,
}

impl Given {
    /// Gives its owner what was put under a name in `incoming/`, and the directory it is about to go to.
    fn give(&self, name: &str, hash: ContentHash) -> std::io::Result<()> {
        let folder = self.dir.join(hash.folder());
        match std::fs::create_dir(&folder) {
            Ok(()) => {
                self.owner.take(&folder)?;
                std::fs::File::open(&self.dir)?.sync_all()?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        self.owner.take(&self.dir.join(INCOMING).join(name))
    }
}

impl fmt::Debug for ContentStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentStore({})", self.objects)
    }
}

impl ContentStore {
    /// A store in a directory, made if absent. Blocks briefly.
    pub fn open(dir: &Path) -> Result<Self, ContentError> {
        let incoming = dir.join(INCOMING);
        // Customers' files are nobody else's, whatever the umask; for the group it is as the umask has it.
        make_dirs(&incoming, 0o770).map_err(|source| ContentError::Directory { dir: dir.to_owned(), source })?;
        let given = Owner::of(dir).map(|owner| Given { dir: dir.to_owned(), owner });
        let objects = LocalFileSystem::new_with_prefix(dir)?.with_fsync(true);
        Ok(Self { objects: Arc::new(objects), incoming, given })
    }

    /// The store in a directory for somebody who only reads: nothing is made. Without the directory it is empty.
    pub fn open_to_read(dir: &Path) -> Result<Self, ContentError> {
        let objects: Arc<dyn ObjectStore> = match dir.is_dir() {
            true => Arc::new(LocalFileSystem::new_with_prefix(dir)?),
            false => Arc::new(object_store::memory::InMemory::new()),
        };
        Ok(Self { objects, incoming: dir.join(INCOMING), given: None })
    }

    /// Whether the disk takes a file: writes a few bytes and removes them. Blocks on the disk.
    pub fn try_write(&self) -> std::io::Result<()> {
        // As the name of an upload that never ended: what stays after a crash is swept like one.
        let path = self.incoming.join(uuid::Uuid::now_v7().simple().to_string());
        let written = std::fs::write(&path, b"can this be written?");
        let removed = std::fs::remove_file(&path);
        written.and(removed)
    }

    /// Puts bytes that are in memory.
    pub async fn put(&self, bytes: Bytes) -> Result<Stored, ContentError> {
        let mut writer = self.writer(u64::MAX).await?;
        writer.write(bytes).await?;
        writer.finish().await
    }

    /// Begins a content whose bytes come in pieces, at most `bytes_max` of them.
    pub async fn writer(&self, bytes_max: u64) -> Result<ContentWriter, ContentError> {
        let name = uuid::Uuid::now_v7().simple().to_string();
        let location = Location::from(format!("{INCOMING}/{name}"));
        let upload = self.objects.put_multipart(&location).await?;
        let objects = Arc::clone(&self.objects);
        let given = self.given.clone().map(|given| (given, name));
        Ok(ContentWriter { objects, location, given, upload, hash: Sha256::new(), bytes: 0, bytes_max })
    }

    /// Puts what a stream yields, holding one piece of it at a time.
    pub async fn put_stream<E>(&self, stream: impl Stream<Item = Result<Bytes, E>>, bytes_max: u64) -> Result<Stored, E>
    where
        E: From<ContentError>,
    {
        let mut writer = self.writer(bytes_max).await?;
        let mut stream = std::pin::pin!(stream);
        while let Some(piece) = stream.next().await {
            writer.write(piece?).await?;
        }
        Ok(writer.finish().await?)
    }

    /// The whole content, checked against its name. It is as large in memory as it is.
    pub async fn get(&self, hash: ContentHash) -> Result<Bytes, ContentError> {
        let found = self.objects.get(&hash.location()).await.map_err(|error| missing(error, hash))?;
        let bytes = found.bytes().await?;
        if ContentHash::of(&bytes) == hash { Ok(bytes) } else { Err(ContentError::Damaged(hash)) }
    }

    /// The content in pieces, and its size. The reader may check the name himself.
    pub async fn get_stream(
        &self,
        hash: ContentHash,
    ) -> Result<(u64, BoxStream<'static, Result<Bytes, ContentError>>), ContentError> {
        let found = self.objects.get(&hash.location()).await.map_err(|error| missing(error, hash))?;
        let bytes = found.meta.size;
        Ok((bytes, found.into_stream().map_err(ContentError::from).boxed()))
    }

    /// Removes a content that no row names any more, if it was not put again within `age`: then somebody may be
    /// about to name it. Says whether it is gone. Absent already is fine.
    pub async fn remove_older_than(&self, hash: ContentHash, age: Duration) -> Result<bool, ContentError> {
        let location = hash.location();
        if self.is_younger_than(&location, age).await? {
            return Ok(false);
        }
        // Taken aside before it is looked at for the last time: a put from now on makes a file of its own.
        let aside = Location::from(format!("{INCOMING}/{}", uuid::Uuid::now_v7().simple()));
        match self.objects.rename(&location, &aside).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(true),
            other => other?,
        }
        if self.is_younger_than(&aside, age).await? {
            self.objects.rename(&aside, &location).await?;
            return Ok(false);
        }
        self.objects.delete(&aside).await?;
        Ok(true)
    }

    async fn is_younger_than(&self, location: &Location, age: Duration) -> Result<bool, ContentError> {
        let put_at = match self.objects.head(location).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(false),
            other => SystemTime::from(other?.last_modified),
        };
        // A clock that was set back makes it young.
        Ok(put_at.elapsed().is_ok_and(|since| since < age) || (put_at > SystemTime::now() && !age.is_zero()))
    }

    /// Removes what crashed puts left, and says how many files that were. Blocks on the disk.
    pub fn sweep(&self) -> std::io::Result<usize> {
        self.sweep_older_than(ABANDONED_AFTER)
    }

    fn sweep_older_than(&self, age: Duration) -> std::io::Result<usize> {
        let now = SystemTime::now();
        let mut removed = 0;
        for file in std::fs::read_dir(&self.incoming)? {
            let file = file?;
            // Gone between the two: a put has just finished.
            let Ok(changed) = file.metadata().and_then(|metadata| metadata.modified()) else { continue };
            if now.duration_since(changed).is_ok_and(|unchanged| unchanged >= age) {
                std::fs::remove_file(file.path())?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

fn missing(error: object_store::Error, hash: ContentHash) -> ContentError {
    match error {
        object_store::Error::NotFound { .. } => ContentError::Missing(hash),
        other => other.into(),
    }
}

/// A content on its way in. Dropped before [`ContentWriter::finish`], it leaves nothing.
pub struct ContentWriter {
    objects: Arc<dyn ObjectStore>,
    location: Location,
    /// The store's owner, and the name in `incoming/`, when it is root who writes.
    given: Option<(Given, String)>,
    upload: Box<dyn MultipartUpload>,
    hash: Sha256,
    bytes: u64,
    bytes_max: u64,
}

impl ContentWriter {
    /// Adds a piece. Pieces of 64 KiB and more are written well.
    pub async fn write(&mut self, piece: Bytes) -> Result<(), ContentError> {
        self.bytes += piece.len() as u64;
        if self.bytes > self.bytes_max {
            return Err(ContentError::TooLarge { bytes_max: self.bytes_max });
        }
        self.hash.update(&piece);
        Ok(self.upload.put_part(PutPayload::from_bytes(piece)).await?)
    }

    /// The name that it would have, were it finished now.
    pub fn hash(&self) -> ContentHash {
        ContentHash(self.hash.clone().finalize().into())
    }

    /// Makes the content durable, and then known.
    pub async fn finish(mut self) -> Result<Stored, ContentError> {
        self.upload.complete().await?;
        let stored = Stored { hash: ContentHash(self.hash.finalize().into()), bytes: self.bytes };
        if let Some((given, name)) = self.given.take() {
            let dir = given.dir.clone();
            let giving = tokio::task::spawn_blocking(move || given.give(&name, stored.hash));
            let gave = giving.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
            gave.map_err(|source| ContentError::Directory { dir, source })?;
        }
        // Also over an equal one: another put may have made it visible, but not yet durable.
        self.objects.rename(&self.location, &stored.hash.location()).await?;
        Ok(stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;

    fn files(dir: &Path) -> Vec<String> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                names.extend(files(&entry.path()));
            } else {
                names.push(entry.path().display().to_string());
            }
        }
        names
    }

    #[tokio::test]
    async fn what_is_put_is_got() {
        let dir = tempfile::tempdir().unwrap();
        let store = ContentStore::open(dir.path()).unwrap();
        for size in [0, 1, 300_000] {
            let bytes = Bytes::from(vec![b'x'; size]);
            let stored = store.put(bytes.clone()).await.unwrap();
            assert_eq!(stored, Stored { hash: ContentHash::of(&bytes), bytes: size as u64 });
            assert_eq!(store.get(stored.hash).await.unwrap(), bytes);

            // Once more, in pieces: the same name, and still one file.
            let pieces = bytes.chunks(70_000).map(Bytes::copy_from_slice).map(Ok::<_, ContentError>);
            assert_eq!(store.put_stream(stream::iter(pieces.collect::<Vec<_>>()), u64::MAX).await.unwrap(), stored);
            let (length, pieces) = store.get_stream(stored.hash).await.unwrap();
            let read: Vec<Bytes> = pieces.try_collect().await.unwrap();
            assert_eq!((length, read.concat()), (size as u64, bytes.to_vec()));
            assert_eq!(stored.hash.to_string().parse(), Ok(stored.hash));
        }
        assert_eq!(files(dir.path()).len(), 3);
    }

    #[tokio::test]
    async fn nothing_stays_of_what_is_too_large_or_given_up() {
        let dir = tempfile::tempdir().unwrap();
        let store = ContentStore::open(dir.path()).unwrap();
        let pieces =
            || stream::iter([Ok(Bytes::from_static(b"12345")), Ok::<_, ContentError>(Bytes::from_static(b"6"))]);
        assert!(matches!(store.put_stream(pieces(), 5).await, Err(ContentError::TooLarge { bytes_max: 5 })));
        assert!(store.put_stream(pieces(), 6).await.is_ok());
        let failing = stream::iter([Ok(Bytes::from_static(b"1")), Err(ContentError::TooLarge { bytes_max: 0 })]);
        assert!(store.put_stream(failing, 6).await.is_err());
        // The files are removed beside the runtime.
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            if files(dir.path()).len() == 1 {
                return;
            }
        }
        panic!("left over: {:?}", files(dir.path()));
    }

    #[tokio::test]
    async fn absence_and_damage_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let store = ContentStore::open(dir.path()).unwrap();
        let hash = store.put(Bytes::from_static(b"whole")).await.unwrap().hash;
        std::fs::write(&files(dir.path())[0], b"torn").unwrap();
        assert!(matches!(store.get(hash).await, Err(ContentError::Damaged(damaged)) if damaged == hash));
        assert!(store.remove_older_than(hash, Duration::ZERO).await.unwrap());
        assert!(store.remove_older_than(hash, Duration::ZERO).await.unwrap());
        assert!(matches!(store.get(hash).await, Err(ContentError::Missing(missing)) if missing == hash));
        assert!(matches!(store.get_stream(hash).await, Err(ContentError::Missing(_))));
    }

    #[tokio::test]
    async fn what_was_put_lately_is_not_removed() {
        let dir = tempfile::tempdir().unwrap();
        let store = ContentStore::open(dir.path()).unwrap();
        let hash = store.put(Bytes::from_static(b"an answer to all")).await.unwrap().hash;
        let hour = Duration::from_secs(3600);
        assert!(!store.remove_older_than(hash, hour).await.unwrap());
        assert!(store.get(hash).await.is_ok());
        let age = |by| {
            let file = std::fs::File::options().write(true).open(&files(dir.path())[0]).unwrap();
            file.set_modified(SystemTime::now() - by).unwrap();
        };
        // Old, but put once more: as young as that.
        age(2 * hour);
        store.put(Bytes::from_static(b"an answer to all")).await.unwrap();
        assert!(!store.remove_older_than(hash, hour).await.unwrap());
        age(2 * hour);
        assert!(store.remove_older_than(hash, hour).await.unwrap());
        assert!(files(dir.path()).is_empty());
    }

    #[test]
    fn others_on_the_machine_see_nothing() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let content = dir.path().join("content");
        ContentStore::open(&content).unwrap();
        for made in [content.clone(), content.join(INCOMING)] {
            assert_eq!(std::fs::metadata(&made).unwrap().permissions().mode() & 0o007, 0, "{}", made.display());
        }
    }

    #[tokio::test]
    async fn a_sweep_removes_only_what_is_abandoned() {
        let dir = tempfile::tempdir().unwrap();
        let store = ContentStore::open(dir.path()).unwrap();
        let mut writer = store.writer(100).await.unwrap();
        writer.write(Bytes::from_static(b"being written")).await.unwrap();
        assert_eq!(store.sweep().unwrap(), 0);
        let stored = writer.finish().await.unwrap();
        std::fs::write(dir.path().join(INCOMING).join("crashed#1"), b"half").unwrap();
        assert_eq!(store.sweep().unwrap(), 0);
        assert_eq!(store.sweep_older_than(Duration::ZERO).unwrap(), 1);
        assert!(store.get(stored.hash).await.is_ok());
    }
}
