//! LMTP: the mail server hands mails over, and keeps each until it was answered 250.
//!
//! | answer to a mail | means |
//! |---|---|
//! | 250 | committed; one answer a recipient (RFC 2033 4.2), one delivery for all of them |
//! | 451, 452 | not stored: the database is away, the disk is full; the mail server tries again |
//! | 552 | too large: the mail server tells the sender. Not recorded as skipped, for nothing is lost in silence |
//! | 421 | lanka stops, too many connections, too long a silence: the mail server tries again |
//!
//! [`session`] holds the dialogue, this file the door: the socket is made under another name, given its mode,
//! and renamed into its place, so that nobody can connect to it before. A socket that is there already is
//! removed only when nobody answers on it. It is looked at every few seconds: one that was removed is made anew.
//!
//! Mails are stored one by one. Refused: a committer that groups them as webhooks are, for a mail server has
//! few connections open (Postfix: 20), and Postgres groups their commits itself.
//!
//! **Invariants:** no 250 before the commit. No queue of its own. Every wait is bounded, and memory by the
//! number of connections. A stop finishes the mails under way or answers them 421.

mod session;

use super::{Backoff, ChannelHealth, ChannelIdent, stopped};
use crate::pure::channels::{Door, LmtpSource};
use crate::shell::store::Store;
use session::Session;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Between two looks at the socket, and at a database that was away.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// A mail that is coming in when lanka stops has so long to come to its end. (`stop_timeout` is 30 s.)
const STOP_GRACE: Duration = Duration::from_secs(5);

/// Longest wait for somebody to take a connection, or for an answer to be taken.
const KNOCK_WAIT_MAX: Duration = Duration::from_secs(2);

/// Pauses between attempts to listen.
const LISTEN_WAITS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(15));

/// After a connection could not be taken: mostly there are too many open files, and some close.
const ACCEPT_WAIT: Duration = Duration::from_secs(1);

/// Why nobody can connect. It is tried again.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another program has the socket.
    #[error("somebody listens on {} already: another lanka? Stop it, or name another socket", path.display())]
    Taken {
        /// The socket.
        path: PathBuf,
    },
    /// Something else stands there, which is not ours to remove.
    #[error("{} is there and is no socket: remove it, or name another path", path.display())]
    NoSocket {
        /// The path.
        path: PathBuf,
    },
    /// The system refuses it.
    #[error("cannot listen on {}: {source}. Is its directory there (RuntimeDirectory=), and may lanka write to it?", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The system refuses it.
    #[error("cannot listen on {address}: {source}; change `listen`")]
    Address {
        /// The address.
        address: std::net::SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
}

/// What every connection works with.
struct Desk {
    source: LmtpSource,
    channel: ChannelIdent,
    store: Store,
    health: ChannelHealth,
}

/// Takes mails until `shutdown` turns true. A channel that has no door waits for that alone.
pub async fn listen(
    source: LmtpSource,
    channel: ChannelIdent,
    store: Store,
    health: ChannelHealth,
    mut shutdown: watch::Receiver<bool>,
) {
    if source.door == Door::Pipe {
        return stopped(&mut shutdown).await;
    }
    let desk = Arc::new(Desk { source, channel, store, health });
    let (abort, aborted) = watch::channel(false);
    let mut sessions = JoinSet::new();
    let mut backoff = Backoff::new(LISTEN_WAITS.0, LISTEN_WAITS.1);
    while !*shutdown.borrow() {
        match Listener::open(&desk.source.door).await {
            Ok(listener) => {
                backoff.reset();
                desk.health.worked();
                accept(&desk, &listener, &mut sessions, &mut shutdown, &aborted).await;
            }
            Err(error) => {
                desk.health.failing("cannot_listen", error.to_string());
                tokio::select! {
                    () = tokio::time::sleep(backoff.next_wait()) => {}
                    () = stopped(&mut shutdown) => {}
                }
            }
        }
    }
    let all_ended = async { while sessions.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_GRACE, all_ended).await.is_err() {
        let _ = abort.send(true);
        while sessions.join_next().await.is_some() {}
    }
}

/// Takes connections until the stop, or until the socket is gone.
async fn accept(
    desk: &Arc<Desk>,
    listener: &Listener,
    sessions: &mut JoinSet<()>,
    shutdown: &mut watch::Receiver<bool>,
    aborted: &watch::Receiver<bool>,
) {
    let free = Arc::new(Semaphore::new(desk.source.connections_max));
    let mut looks = tokio::time::interval(LOOK_INTERVAL);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let connection = tokio::select! {
            connection = listener.accept() => connection,
            _ = looks.tick() => {
                while sessions.try_join_next().is_some() {}
                if !listener.is_there() {
                    tracing::warn!(code = "socket_gone", channel.name = desk.channel.name, "the socket was removed; it is made anew");
                    return;
                }
                if desk.health.failures() > 0 && desk.store.answers().await.is_ok() {
                    desk.health.worked();
                }
                continue;
            }
            () = stopped(shutdown) => return,
        };
        let stop = (shutdown.clone(), aborted.clone());
        // What the connections before this one hold counts for a listener that was made anew too.
        let permit =
            Arc::clone(&free).try_acquire_owned().ok().filter(|_| sessions.len() < desk.source.connections_max * 2);
        match (connection, permit) {
            (Ok(mut connection), None) => {
                metrics::counter!("lanka_lmtp_refused_total", "channel" => desk.channel.name.clone()).increment(1);
                sessions.spawn(async move {
                    let answer = connection.write_all(b"421 4.3.2 too many connections, come back\r\n");
                    let _ = tokio::time::timeout(KNOCK_WAIT_MAX, answer).await;
                });
            }
            (Ok(connection), Some(permit)) => {
                let desk = Arc::clone(desk);
                sessions.spawn(async move {
                    let _permit = permit;
                    let (read, write) = tokio::io::split(connection);
                    Session::new(&desk, read, write, stop).run().await;
                });
            }
            (Err(error), _) => {
                desk.health.failing("cannot_accept", format!("a connection cannot be taken: {error}"));
                tokio::time::sleep(ACCEPT_WAIT).await;
            }
        }
    }
}

/// A connection, of whichever kind.
trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// What clients connect to.
enum Listener {
    Socket { listener: UnixListener, path: PathBuf, inode: u64 },
    Address(TcpListener),
}

impl Listener {
    async fn open(door: &Door) -> Result<Self, ListenError> {
        match door {
            Door::Socket { path, mode } => {
                clear(path).await?;
                let refused = |source| ListenError::Socket { path: path.clone(), source };
                let (listener, inode) = bind(path, *mode).map_err(refused)?;
                Ok(Self::Socket { listener, path: path.clone(), inode })
            }
            Door::Address(address) => {
                let listener = TcpListener::bind(address).await;
                listener.map(Self::Address).map_err(|source| ListenError::Address { address: *address, source })
            }
            Door::Pipe => std::future::pending().await,
        }
    }

    async fn accept(&self) -> io::Result<Box<dyn Connection>> {
        match self {
            Self::Socket { listener, .. } => Ok(Box::new(listener.accept().await?.0)),
            Self::Address(listener) => {
                let connection: TcpStream = listener.accept().await?.0;
                // Answers are short and waited for.
                connection.set_nodelay(true)?;
                Ok(Box::new(connection))
            }
        }
    }

    /// Whether clients still find it.
    fn is_there(&self) -> bool {
        match self {
            Self::Socket { path, inode, .. } => inode_of(path) == Some(*inode),
            Self::Address(_) => true,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Self::Socket { path, inode, .. } = self
            && inode_of(path) == Some(*inode)
        {
            let _ = fs::remove_file(path);
        }
    }
}

fn inode_of(path: &Path) -> Option<u64> {
    fs::symlink_metadata(path).ok().map(|metadata| metadata.ino())
}

/// Makes sure that the place of the socket is free, or that of one on which nobody answers: which is replaced.
async fn clear(path: &Path) -> Result<(), ListenError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(ListenError::Socket { path: path.to_owned(), source }),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(ListenError::NoSocket { path: path.to_owned() });
        }
        Ok(_) => {}
    }
    match tokio::time::timeout(KNOCK_WAIT_MAX, UnixStream::connect(path)).await {
        Ok(Err(error)) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) => Ok(()),
        _ => Err(ListenError::Taken { path: path.to_owned() }),
    }
}

/// A socket that has its mode before anybody can find it.
fn bind(path: &Path, mode: u32) -> io::Result<(UnixListener, u64)> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".new");
    let aside = PathBuf::from(aside);
    match fs::remove_file(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&aside)?;
    fs::set_permissions(&aside, fs::Permissions::from_mode(mode))?;
    let inode = fs::symlink_metadata(&aside)?.ino();
    fs::rename(&aside, path)?;
    Ok((listener, inode))
}
