//! Where the demo plays: a directory that vanishes, and the tool of the shop's agents.
//!
//! **Invariant:** everything the demo makes lies in one directory, and is gone when it ends.

use super::super::Failure;
use crate::config::{Environment, Settings};
use crate::pure::domain::Timestamp;
use crate::pure::domain::secret::Secret;
use crate::pure::wire::delivery::Delivery;
use crate::pure::wire::standard_webhooks::{SigningKey, TOLERANCE_S, verify};
use crate::shell::CLUSTER_DIR;
use crate::shell::cluster::Cluster;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs::{self, File};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// The configuration, compiled in.
const CONFIG: &str = include_str!("../../../../config/demo.toml");

/// How the directories of demos are called.
const PREFIX: &str = "lanka-demo-";

/// The file in it that is locked while the demo plays.
const LOCK: &str = "plays";

/// A directory without that file is abandoned when it is older: it is the first thing made there.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(60);

/// A directory of the demo's own, with what its daemon reads.
pub(super) struct Stage {
    dir: PathBuf,
    /// Held for as long as the demo plays, by the kernel, however it ends.
    _plays: Option<File>,
    /// What Meta and the shop share.
    pub(super) app_secret: String,
    mirror_secret: Secret,
}

impl Stage {
    /// Makes the directory, an empty Maildir and an empty call log in it.
    ///
    /// # Errors
    /// When the system's directory for temporary files cannot be written to.
    pub(super) fn set() -> Result<Self, Failure> {
        let place = place();
        remove_abandoned(&place);
        let dir = place.join(format!("{PREFIX}{}", Uuid::now_v7().simple()));
        let mut stage = Self {
            dir,
            _plays: None,
            app_secret: random(),
            mirror_secret: Secret::new(format!("whsec_{}", STANDARD.encode(random()))),
        };
        stage.furnish().map_err(|error| {
            Failure::failed(format!(
                "cannot make {}: {error}; set TMPDIR to a directory that can be written to",
                stage.dir.display()
            ))
        })?;
        Ok(stage)
    }

    fn furnish(&mut self) -> io::Result<()> {
        // Others may pass: the Postgres of a demo that root runs is another user's.
        fs::DirBuilder::new().mode(0o711).create(&self.dir)?;
        let plays = File::create(self.dir.join(LOCK))?;
        plays.try_lock()?;
        self._plays = Some(plays);
        for folder in ["tmp", "new", "cur"] {
            fs::create_dir_all(self.maildir().join(folder))?;
        }
        fs::write(self.call_log(), "")?;
        fs::write(self.dir.join("demo.toml"), CONFIG)
    }

    /// The demo's configuration, with this stage's places and secrets, the tool's address, and that of
    /// the mail server that answers are handed to.
    ///
    /// # Errors
    /// None: a test reads the file.
    pub(super) fn settings(&self, tool: SocketAddr, post: SocketAddr) -> Result<Settings, Failure> {
        let path = |path: &Path| path.display().to_string();
        let environment = Environment::of([
            ("LANKA__DATA_DIR", path(&self.dir.join("data"))),
            ("LANKA__CHANNELS__MAIL__PATH", path(&self.maildir())),
            ("LANKA__CHANNELS__PHONE__PATH", path(&self.call_log())),
            ("LANKA__MIRRORS__AGENTS__URL", format!("http://{tool}/threads")),
            ("LANKA__CHANNELS__MAIL__SMTP__PORT", post.port().to_string()),
            ("APP_SECRET", self.app_secret.clone()),
            ("VERIFY_TOKEN", random()),
            ("MIRROR_SECRET", self.mirror_secret.expose().to_owned()),
        ]);
        Settings::load(&[self.dir.join("demo.toml")], &environment).map_err(Failure::Configuration)
    }

    fn maildir(&self) -> PathBuf {
        self.dir.join("mail")
    }

    fn call_log(&self) -> PathBuf {
        self.dir.join("Master.csv")
    }

    /// Delivers a mail as a mail server does: written aside, then renamed into `new/`.
    pub(super) fn put_mail(&self, bytes: &[u8]) -> io::Result<()> {
        let name = format!("{}.demo", Uuid::now_v7().simple());
        let aside = self.maildir().join("tmp").join(&name);
        fs::write(&aside, bytes)?;
        fs::rename(aside, self.maildir().join("new").join(name))
    }

    /// Writes a line at the end of the call log, as the exchange does.
    pub(super) fn add_call(&self, line: &str) -> io::Result<()> {
        fs::OpenOptions::new().append(true).open(self.call_log())?.write_all(line.as_bytes())
    }

    /// Takes everything away. Call it when the database has stopped.
    ///
    /// # Errors
    /// When something stays, with what to do.
    pub(super) fn clear(self) -> Result<(), Failure> {
        fs::remove_dir_all(&self.dir).map_err(|error| {
            Failure::failed(format!("cannot remove {}: {error}; remove it by hand", self.dir.display()))
        })
    }
}

/// Where stages are set. A variable that is set to nothing is not set.
fn place() -> PathBuf {
    let dir = std::env::temp_dir();
    if dir.as_os_str().is_empty() { PathBuf::from("/tmp") } else { dir }
}

/// Takes away what demos of this user left that were killed, with the Postgres that may still run there.
fn remove_abandoned(place: &Path) {
    let own = rustix::process::geteuid().as_raw();
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_stage = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        // Of the entry itself: a link somebody laid there is not followed.
        let is_own = entry.metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == own);
        if is_stage && is_own && is_abandoned(&path) {
            Cluster::end_abandoned(&path.join("data").join(CLUSTER_DIR));
            if let Err(error) = fs::remove_dir_all(&path) {
                eprintln!("lanka: an earlier demo left {}, which cannot be removed: {error}", path.display());
            }
        }
    }
}

/// Whether nobody plays there any more. A stage without its lock may be about to get it.
fn is_abandoned(stage: &Path) -> bool {
    match File::open(stage.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_ok(),
        Err(_) => {
            let made = fs::metadata(stage).and_then(|metadata| metadata.modified());
            made.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > LOCK_WAIT_MAX))
        }
    }
}

/// The net under [`Stage::clear`], for a demo that ends in a panic.
impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The tool that the shop's agents work in: takes what the mirror sends, if it is signed.
pub(super) struct Tool {
    /// Where it listens.
    pub(super) address: SocketAddr,
    changes: Changes,
    server: JoinHandle<()>,
}

/// Types of the events that came, in order.
type Changes = Arc<Mutex<Vec<String>>>;

impl Tool {
    /// Listens on a free port.
    ///
    /// # Errors
    /// When nothing can listen on this machine.
    pub(super) async fn listen(stage: &Stage) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::failed(format!("cannot listen on 127.0.0.1: {error}"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let key = SigningKey::parse(&stage.mirror_secret).map_err(|error| Failure::failed(error.to_string()))?;
        let changes = Changes::default();
        let routes = Router::new().route("/threads", post(take)).with_state((Arc::new(key), Arc::clone(&changes)));
        let server = tokio::spawn(async move {
            // It ends with the demo; a fault shows as changes that do not arrive.
            let _ = axum::serve(listener, routes).await;
        });
        Ok(Self { address, changes, server })
    }

    /// Types of the events that came so far, in order.
    pub(super) fn changes(&self) -> Vec<String> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(State((key, changes)): State<(Arc<SigningKey>, Changes)>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let headers: Vec<(String, Vec<u8>)> =
        headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    let delivery = Delivery { headers: &headers, url: "", body: &body, received_at: Timestamp::now() };
    if verify(&[(*key).clone()], &delivery, TOLERANCE_S).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    let event: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let change = event["type"].as_str().unwrap_or_default().to_owned();
    changes.lock().unwrap_or_else(PoisonError::into_inner).push(change);
    StatusCode::NO_CONTENT
}

/// 32 characters that nobody can guess within the life of a demo.
fn random() -> String {
    let id = || Uuid::now_v7().simple().to_string();
    format!("{}{}", &id()[16..], &id()[16..])
}
