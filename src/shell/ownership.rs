//! Whose files are: what root makes in a directory that belongs to somebody else is given to him, so that
//! the daemon under its own user can go on where a command by root began.
//!
//! **Invariant:** nothing that was there before changes hands, and nothing changes anything unless this
//! process is root.

use rustix::fs::{Mode, OFlags};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, fchown};
use std::path::Path;

/// Somebody who is not root, with his group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    uid: u32,
    gid: u32,
}

impl Owner {
    /// Who is to own what is made in a directory, or below the nearest one above that is there. `None` when
    /// that is whoever makes it: this process is not root, or the directory is root's.
    pub fn of(dir: &Path) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let nearest = dir.ancestors().map(|dir| if dir.as_os_str().is_empty() { Path::new(".") } else { dir });
        let metadata = nearest.into_iter().find_map(|dir| fs::metadata(dir).ok())?;
        (metadata.uid() != 0).then(|| Self { uid: metadata.uid(), gid: metadata.gid() })
    }

    /// Gives him a file or directory that this process has just made.
    pub fn take(self, path: &Path) -> io::Result<()> {
        let made = rustix::fs::open(path, OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
        let made = File::from(made);
        let metadata = made.metadata()?;
        // He may write to the directory: a file of another name put in place of ours is not his to have.
        let is_ours = metadata.uid() == 0 && (metadata.is_dir() || (metadata.is_file() && metadata.nlink() == 1));
        if !is_ours {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is not the file that was just made"));
        }
        fchown(&made, Some(self.uid), Some(self.gid))
    }
}

/// Makes a directory and those above it that are missing, each owned as the one it is made in.
pub fn make_dirs(path: &Path, mode: u32) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let above = path.parent().unwrap_or(Path::new(""));
    make_dirs(above, mode)?;
    match fs::DirBuilder::new().mode(mode).create(path) {
        Ok(()) => Owner::of(above).map_or(Ok(()), |owner| owner.take(path)),
        // Another process was faster.
        Err(_) if path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}
