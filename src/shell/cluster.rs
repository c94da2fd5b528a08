//! The private Postgres: a cluster of lanka's own, run from the system's binaries.
//!
//! With no `database.url` configured, lanka starts the Postgres that the distribution packages as
//! its child, reachable over a unix socket only. Layout of the directory given to
//! [`Cluster::start`]: `data/` (the cluster), `sock/` (the socket), `postgres.log`, `lock`.
//!
//! - The mode 0700 of these directories **is** the lock: authentication on the socket is `trust`,
//!   TCP is off. `peer` would add nothing, since whoever may enter the directory may read the
//!   cluster's files too.
//! - Durability is never traded away here: fsync stays on, and the kernel is told to shut the
//!   server down when lanka dies, so that a kill -9 leaves a clean cluster.
//! - A server that is already running on the directory (a second lanka command beside the daemon)
//!   is used, not started again; when whoever started it ends, this process takes over.
//!
//! Refused: crates that embed Postgres. Those that bundle it download it or run without fsync, and
//! none of them can start it from a daemon that runs as root.
//!
//! **Invariant:** `postmaster.pid` is removed only when the process it names is provably another
//! program and no process works in the data directory: two servers on one directory destroy it.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The database, and the role that owns it.
const DATABASE: &str = "lanka";

/// Names the socket file (`.s.PGSQL.5432`); nothing listens on TCP.
const PORT: u16 = 5432;

/// The oldest server whose SQL lanka uses.
const MAJOR_MIN: u32 = 14;

/// Users whom a lanka that runs as root lets the server run as, the first that exists.
/// (`initdb` and `postgres` refuse to run as root.)
const RUN_AS: [&str; 3] = ["lanka", "postgres", "nobody"];

/// Settings of the server beyond Postgres' own defaults. Durability is not among them.
const SETTINGS: [&str; 11] = [
    "listen_addresses=",
    "unix_socket_permissions=0700",
    // The daemon's pools, two commands beside it, and what an operator opens by hand.
    "max_connections=60",
    // A query without a date locks every partition it looks into.
    "max_locks_per_transaction=256",
    "shared_buffers=128MB",
    // The many short queries of a queue gain nothing from compilation and wait for it.
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    // What customers wrote must not leak into the server's log through failing statements.
    "log_error_verbosity=terse",
    "log_min_error_statement=panic",
    "log_parameter_max_length_on_error=0",
];

/// `sun_path` of a unix socket holds 108 bytes, a closing zero among them.
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// The log is put aside at start when it is larger, so that at most two of them exist.
const LOG_BYTES_MAX: u64 = 10 * 1024 * 1024;

/// As much of the log is quoted when the server does not start.
const LOG_TAIL_BYTES: u64 = 2048;

/// Longest wait for a server that lives but is not ready: crash recovery replays at most a few
/// gigabytes of WAL, which slow disks take minutes for.
const READY_WAIT_MAX: Duration = Duration::from_secs(600);

/// As long may the process of a dead server stay in the process table and hold `postmaster.pid`.
/// About two seconds were measured after a kill -9 of parent and child.
const ZOMBIE_WAIT_MAX: Duration = Duration::from_secs(15);

/// Longest wait for a fast shutdown (it writes a checkpoint) before the server is made to quit,
/// which costs a recovery at the next start but no data.
const STOP_WAIT_MAX: Duration = Duration::from_secs(60);

/// Longest wait for an abandoned server to end.
const ABANDONED_WAIT_MAX: Duration = Duration::from_secs(10);

/// Between two looks while something is awaited.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// Between two attempts to start, and between two looks at a running server.
const WATCH_INTERVAL: Duration = Duration::from_millis(250);

/// Why there is no private Postgres.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No server is installed.
    #[error(
        "Postgres is not installed: found no directory with both initdb and postgres (looked at {looked}). \
         Install it (Debian: apt-get install postgresql), or set database.url to a server of yours"
    )]
    NotInstalled {
        /// Where it was looked for.
        looked: String,
    },
    /// What the configuration names is not there.
    #[error(
        "database.bin_dir is wrong: {} holds no initdb and postgres. Name the directory that does \
         (Debian: /usr/lib/postgresql/15/bin), or leave it out to have it looked for",
        bin_dir.display()
    )]
    WrongBinDir {
        /// What is configured.
        bin_dir: PathBuf,
    },
    /// The server installed is too old.
    #[error("Postgres {major} in {} is too old: lanka needs {MAJOR_MIN} or newer", bin_dir.display())]
    TooOld {
        /// Its major version.
        major: u32,
        /// Its binaries.
        bin_dir: PathBuf,
    },
    /// The cluster was made by another major version.
    #[error(
        "{} was made by Postgres {made_by}, but the binaries in {} are Postgres {major}. Install postgresql-{made_by} beside it, \
         or carry the cluster over with pg_upgrade, or dump it with {made_by} and restore it with {major}",
        data.display(), bin_dir.display()
    )]
    OtherMajor {
        /// The data directory.
        data: PathBuf,
        /// What its `PG_VERSION` says.
        made_by: String,
        /// The binaries' major version.
        major: u32,
        /// The binaries.
        bin_dir: PathBuf,
    },
    /// The socket's path does not fit the kernel's limit, or is no UTF-8.
    #[error(
        "{} cannot hold a unix socket: its path may be at most {SOCKET_PATH_BYTES_MAX} bytes of UTF-8. Choose a shorter data_dir",
        socket.display()
    )]
    SocketPath {
        /// The path that does not do.
        socket: PathBuf,
    },
    /// The user that the server runs as may not pass a directory above its own.
    #[error(
        "lanka runs as root and its Postgres as user {user}, who may not enter {}. \
         Allow it (chmod o+x), choose another data_dir, or run lanka as an ordinary user",
        dir.display()
    )]
    Closed {
        /// The first directory that is closed.
        dir: PathBuf,
        /// The server's user.
        user: String,
    },
    /// Root, and none of the users that the server could run as exists.
    #[error(
        "lanka runs as root, which Postgres refuses, and none of the users lanka, postgres and nobody exists: create one"
    )]
    NoUser,
    /// A program of the server failed.
    #[error("{program} failed: {output}")]
    Program {
        /// `initdb` or `createdb`.
        program: &'static str,
        /// What it said.
        output: String,
    },
    /// The server ended instead of becoming ready.
    #[error("Postgres did not start on {}. Its log ({}) ends with:\n{tail}", data.display(), log.display())]
    Start {
        /// The data directory.
        data: PathBuf,
        /// The log.
        log: PathBuf,
        /// The end of the log.
        tail: String,
    },
    /// The server lives, but did not become ready in time.
    #[error("Postgres on {} was not ready within {} seconds; its log is {}", data.display(), READY_WAIT_MAX.as_secs(), log.display())]
    NotReady {
        /// The data directory.
        data: PathBuf,
        /// The log.
        log: PathBuf,
    },
    /// A file or directory could not be used.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The thread that keeps the server ended early.
    #[error("the thread that keeps Postgres ended unexpectedly")]
    Keeper,
}

impl ClusterError {
    fn io(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }
}

/// A running private Postgres. Dropping it stops the server without waiting; [`Cluster::stop`] waits.
#[derive(Debug)]
pub struct Cluster {
    url: String,
    stop: mpsc::Sender<oneshot::Sender<()>>,
}

impl Cluster {
    /// Starts the cluster in `dir` (made if absent), or uses the one that already runs there.
    ///
    /// `bin_dir` holds `initdb` and `postgres`; by default they are looked for. Returns when the
    /// server takes connections and its database exists. The server is kept running, restarted if
    /// it ends, until [`Cluster::stop`], the drop of this value, or the death of this process.
    ///
    /// # Errors
    /// Every [`ClusterError`] is for the operator and says what to do.
    pub async fn start(dir: &Path, bin_dir: Option<&Path>) -> Result<Self, ClusterError> {
        Self::start_with(dir, bin_dir, &[]).await
    }

    /// As [`Cluster::start`], with further server settings (`name=value`) that win over lanka's.
    /// They have no effect on a server that already runs.
    pub async fn start_with(dir: &Path, bin_dir: Option<&Path>, settings: &[&str]) -> Result<Self, ClusterError> {
        let dir = std::path::absolute(dir).map_err(ClusterError::io("use", dir))?;
        let url = url(&dir.join("sock"))?;
        let (bin_dir, settings) = (bin_dir.map(Path::to_owned), settings.iter().map(|&s| s.to_owned()).collect());
        let (ready, is_ready) = oneshot::channel();
        let (stop, stopped) = mpsc::channel();
        // A thread of its own, not one of the runtime's: the kernel's parent-death signal fires
        // when the *thread* that spawned the server ends, and blocking threads end when idle.
        std::thread::Builder::new()
            .name("postgres-keeper".to_owned())
            .spawn(move || keep(&dir, bin_dir.as_deref(), settings, ready, &stopped))
            .map_err(ClusterError::io("start a thread for", "postgres"))?;
        is_ready.await.map_err(|_| ClusterError::Keeper)??;
        Ok(Self { url, stop })
    }

    /// Whether the first start has made a cluster in `dir`. What cannot be looked into counts as made.
    pub fn is_made(dir: &Path) -> bool {
        let looked = fs::metadata(dir.join("data/PG_VERSION"));
        !looked.is_err_and(|error| matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory))
    }

    /// The URL of the cluster that runs in `dir`, if one does and this process may see it.
    pub fn running_in(dir: &Path) -> Option<String> {
        // As the server was told of it.
        let dir = fs::canonicalize(dir).ok()?;
        let data = dir.join("data");
        let file = PidFile::read(&data)?;
        (file.is_ready && is_server(file.pid, &data)).then(|| url(&dir.join("sock")).ok()).flatten()
    }

    /// Stops the server that a process which is gone left running in `dir`, and waits for its end, at most ten seconds.
    pub fn end_abandoned(dir: &Path) {
        let Ok(dir) = fs::canonicalize(dir) else { return };
        let data = dir.join("data");
        let Some(file) = PidFile::read(&data).filter(|file| is_server(file.pid, &data)) else { return };
        if let Some(pid) = rustix::process::Pid::from_raw(file.pid) {
            // Fails only when it has ended meanwhile.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        }
        let began = Instant::now();
        while is_server(file.pid, &data) && began.elapsed() < ABANDONED_WAIT_MAX {
            std::thread::sleep(LOOK_INTERVAL);
        }
    }

    /// Where the database is: `postgres://lanka@localhost/lanka?host=…`, the socket percent-encoded.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Stops the server, fast but clean; close the pools first. Returns when it has ended, at the
    /// latest after about 65 seconds. A server that another process started is left to it.
    pub async fn stop(self) {
        let (done, is_done) = oneshot::channel();
        if self.stop.send(done).is_ok() {
            // An error means that the keeper ended, and the server with it.
            let _ = is_done.await;
        }
    }
}

/// Life of the keeper thread: bring the server up, keep it up, stop it.
fn keep(
    dir: &Path,
    bin_dir: Option<&Path>,
    settings: Vec<String>,
    ready: oneshot::Sender<Result<(), ClusterError>>,
    stop: &mpsc::Receiver<oneshot::Sender<()>>,
) {
    let up = Place::prepare(dir, bin_dir, settings).and_then(|place| Ok((place.bring_up()?, place)));
    let (mut server, place) = match up {
        Ok(up) => up,
        Err(error) => {
            // Nobody waits for the answer any more: nothing to do either.
            let _ = ready.send(Err(error));
            return;
        }
    };
    if ready.send(Ok(())).is_err() {
        return server.stop();
    }
    let mut said = false;
    loop {
        match stop.recv_timeout(WATCH_INTERVAL) {
            Ok(done) => {
                server.stop();
                let _ = done.send(());
                return;
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => return server.stop(),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
        if server.is_alive(&place.data) {
            continue;
        }
        if !said {
            tracing::warn!(code = "database_ended", "the private Postgres ended; starting it again");
        }
        match place.bring_up() {
            Ok(next) => {
                server = next;
                said = false;
                tracing::info!(code = "database_restarted", "the private Postgres runs again");
            }
            Err(error) if !said => {
                tracing::error!(code = "database_down", %error, "the private Postgres does not start; trying again every second");
                said = true;
            }
            Err(_) => {}
        }
        if said {
            std::thread::sleep(Duration::from_secs(1));
        }
    }
}

/// The user that a server started by root runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunAs {
    /// Its name, for messages.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// The user for a server of ours: `None` when this process is not root and runs it as itself.
/// An existing data directory keeps its owner, since the server insists on it; a new one follows the owner of
/// the directories it is made in, if he is a user of this machine (initdb asks for his name).
pub fn run_as(data: &Path) -> Result<Option<RunAs>, ClusterError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    if let Ok(metadata) = fs::metadata(data)
        && metadata.uid() != 0
    {
        let name = format!("number {}", metadata.uid());
        return Ok(Some(RunAs { name, uid: metadata.uid(), gid: metadata.gid() }));
    }
    let users = fs::read_to_string("/etc/passwd").map_err(ClusterError::io("read", "/etc/passwd"))?;
    // The cluster's own directory, and lanka's above it.
    for above in data.ancestors().skip(1).take(2) {
        let owner = fs::metadata(above).ok().map(|metadata| metadata.uid()).filter(|uid| *uid != 0);
        if let Some(user) = owner.and_then(|uid| passwd_entry_of(&users, uid)) {
            return Ok(Some(user));
        }
    }
    RUN_AS.iter().find_map(|name| passwd_entry(&users, name)).map(Some).ok_or(ClusterError::NoUser)
}

/// The user of a name in `/etc/passwd`.
fn passwd_entry(users: &str, name: &str) -> Option<RunAs> {
    passwd_entries(users).find(|user| user.name == name)
}

/// The user of a number in `/etc/passwd`.
fn passwd_entry_of(users: &str, uid: u32) -> Option<RunAs> {
    passwd_entries(users).find(|user| user.uid == uid)
}

/// The lines of `/etc/passwd`, root's left out: `name:password:uid:gid:…` (passwd(5)).
fn passwd_entries(users: &str) -> impl Iterator<Item = RunAs> {
    users.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        (uid != 0).then(|| RunAs { name: name.to_owned(), uid, gid })
    })
}

/// The directory with the server's binaries: `configured` if given, else that of the major
/// version wanted, else what `pg_config` names, else the newest the distribution installed.
pub fn find_binaries(configured: Option<&Path>, made_by: Option<&str>) -> Result<PathBuf, ClusterError> {
    let complete = |dir: &PathBuf| dir.join("initdb").is_file() && dir.join("postgres").is_file();
    if let Some(dir) = configured {
        let dir = dir.to_owned();
        return if complete(&dir) { Ok(dir) } else { Err(ClusterError::WrongBinDir { bin_dir: dir }) };
    }
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for entry in fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten() {
        let major = entry.file_name().to_str().and_then(|name| name.parse().ok());
        found.extend(major.map(|major| (major, entry.path().join("bin"))));
    }
    found.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    let wanted = made_by.map(|major| Path::new("/usr/lib/postgresql").join(major).join("bin"));
    let named = Command::new("pg_config").arg("--bindir").stdin(Stdio::null()).stderr(Stdio::null()).output();
    let named = named.ok().map(|output| PathBuf::from(OsStr::from_bytes(output.stdout.trim_ascii())));
    let candidates = wanted.into_iter().chain(named).chain(found.into_iter().map(|(_, dir)| dir));
    candidates.into_iter().find(complete).ok_or_else(|| ClusterError::NotInstalled {
        looked: "what pg_config --bindir names, and /usr/lib/postgresql/*/bin".to_owned(),
    })
}

/// Where the server lives and how it is run.
struct Place {
    dir: PathBuf,
    data: PathBuf,
    sock: PathBuf,
    log: PathBuf,
    bin_dir: PathBuf,
    major: u32,
    user: Option<RunAs>,
    settings: Vec<String>,
}

impl Place {
    /// Makes the directories and checks everything that can be known before the server runs.
    fn prepare(dir: &Path, bin_dir: Option<&Path>, settings: Vec<String>) -> Result<Self, ClusterError> {
        // Directories above are not ours to close.
        let above = dir.parent().unwrap_or(dir);
        fs::create_dir_all(above).map_err(ClusterError::io("make", above))?;
        private_dir(dir, None)?;
        // The server's working directory is compared with this one, so no symlinks may be in it.
        let dir = fs::canonicalize(dir).map_err(ClusterError::io("use", dir))?;
        let (data, sock, log) = (dir.join("data"), dir.join("sock"), dir.join("postgres.log"));
        let made_by = fs::read_to_string(data.join("PG_VERSION")).ok().map(|version| version.trim().to_owned());
        let bin_dir = find_binaries(bin_dir, made_by.as_deref())?;
        let major = major_version(&bin_dir)?;
        if major < MAJOR_MIN {
            return Err(ClusterError::TooOld { major, bin_dir });
        }
        if let Some(made_by) = made_by.filter(|made_by| *made_by != major.to_string()) {
            return Err(ClusterError::OtherMajor { data, made_by, major, bin_dir });
        }
        let user = run_as(&data)?;
        if let Some(user) = &user {
            check_passable(&dir, user)?;
        }
        private_dir(&dir, user.as_ref())?;
        private_dir(&sock, user.as_ref())?;
        Ok(Self { dir, data, sock, log, bin_dir, major, user, settings })
    }

    /// A running server: the one that is there, or a new one. One process at a time does this.
    fn bring_up(&self) -> Result<Server, ClusterError> {
        let path = self.dir.join("lock");
        let lock = self.open(&path)?;
        lock.lock().map_err(ClusterError::io("lock", &path))?;
        self.make()?;
        let server = self.adopt_or_spawn()?;
        if let Err(error) = self.create_database() {
            server.stop();
            return Err(error);
        }
        Ok(server)
    }

    /// Makes the cluster. It gets its name when it is complete, so that a crash leaves none.
    fn make(&self) -> Result<(), ClusterError> {
        if self.data.join("PG_VERSION").exists() {
            return Ok(());
        }
        let unfinished = self.dir.join("data.unfinished");
        // Sorting by ICU's root order is sensible in every language; without ICU it is by code point.
        let icu = ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=und"];
        let plain = ["--locale=C"];
        let locales: &[&[&str]] = if self.major >= 15 { &[&icu, &plain] } else { &[&plain] };
        let mut result = Ok(());
        for locale in locales {
            match fs::remove_dir_all(&unfinished) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(ClusterError::io("remove", &unfinished)(error));
                }
                _ => private_dir(&unfinished, self.user.as_ref())?,
            }
            let mut command = self.command("initdb");
            command.arg("-D").arg(&unfinished).args(["-U", DATABASE, "-E", "UTF8", "--data-checksums"]);
            command.args(["--auth-local=trust", "--auth-host=reject"]).args(*locale);
            result = run("initdb", command);
            if result.is_ok() {
                break;
            }
        }
        result?;
        fs::rename(&unfinished, &self.data).map_err(ClusterError::io("name", &self.data))?;
        File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(ClusterError::io("sync", &self.dir))
    }

    /// Uses the live server, or starts one, waiting out one that is about to end.
    fn adopt_or_spawn(&self) -> Result<Server, ClusterError> {
        let began = Instant::now();
        loop {
            match PidFile::read(&self.data) {
                Some(file) if is_server(file.pid, &self.data) => {
                    if file.is_ready {
                        return Ok(Server::Adopted(file.pid));
                    }
                    if began.elapsed() > READY_WAIT_MAX {
                        return Err(ClusterError::NotReady { data: self.data.clone(), log: self.log.clone() });
                    }
                    std::thread::sleep(LOOK_INTERVAL);
                    continue;
                }
                Some(file) => self.remove_if_stale(file.pid)?,
                None => {}
            }
            match self.spawn() {
                Err(ClusterError::Start { .. }) if began.elapsed() < ZOMBIE_WAIT_MAX && self.is_held_by_the_dead() => {
                    std::thread::sleep(WATCH_INTERVAL);
                }
                other => return other,
            }
        }
    }

    /// Whether `postmaster.pid` names a process that is still in the process table, but no server.
    fn is_held_by_the_dead(&self) -> bool {
        PidFile::read(&self.data).is_some_and(|file| Path::new(&format!("/proc/{}", file.pid)).exists())
    }

    /// Removes `postmaster.pid` when its number went to another program (after a reboot, or in a
    /// container, where numbers are small): the server would refuse to start for ever.
    fn remove_if_stale(&self, pid: i32) -> Result<(), ClusterError> {
        let Ok(program) = fs::read_link(format!("/proc/{pid}/exe")) else { return Ok(()) };
        let is_postgres = program.file_name().is_some_and(|name| name.as_bytes().starts_with(b"postgres"));
        if is_postgres || anybody_works_in(&self.data) {
            return Ok(());
        }
        let path = self.data.join("postmaster.pid");
        fs::remove_file(&path).map_err(ClusterError::io("remove", path))
    }

    /// Starts the server and waits until it takes connections.
    fn spawn(&self) -> Result<Server, ClusterError> {
        if fs::metadata(&self.log).is_ok_and(|log| log.len() > LOG_BYTES_MAX) {
            fs::rename(&self.log, self.dir.join("postgres.log.1")).map_err(ClusterError::io("rename", &self.log))?;
        }
        let mut log = self.open(&self.log)?;
        let logged = log.seek(SeekFrom::End(0)).map_err(ClusterError::io("read", &self.log))?;
        let mut command = self.command("postgres");
        command.arg("-D").arg(&self.data).arg("-k").arg(&self.sock).arg("-c").arg(format!("port={PORT}"));
        for setting in SETTINGS.into_iter().chain(self.settings.iter().map(String::as_str)) {
            command.arg("-c").arg(setting);
        }
        // A group of its own: Ctrl-C in a terminal is for lanka, which drains before it stops us.
        command.process_group(0).stdout(Stdio::null()).stderr(log);
        die_with_parent(&mut command);
        let mut child = command.spawn().map_err(ClusterError::io("run", self.bin_dir.join("postgres")))?;
        let began = Instant::now();
        while began.elapsed() < READY_WAIT_MAX {
            if child.try_wait().map_err(ClusterError::io("wait for", "postgres"))?.is_some() {
                return Err(ClusterError::Start {
                    data: self.data.clone(),
                    log: self.log.clone(),
                    tail: self.log_tail(logged),
                });
            }
            // Only our own child's file counts: one left by a crash says `ready` too.
            if PidFile::read(&self.data).is_some_and(|file| file.pid == child.id() as i32 && file.is_ready) {
                return Ok(Server::Own(child));
            }
            std::thread::sleep(LOOK_INTERVAL);
        }
        Server::Own(child).stop();
        Err(ClusterError::NotReady { data: self.data.clone(), log: self.log.clone() })
    }

    /// Creates the database at the first start; a file remembers that it is done.
    fn create_database(&self) -> Result<(), ClusterError> {
        let marker = self.dir.join("database-created");
        if marker.exists() {
            return Ok(());
        }
        let mut command = self.command("createdb");
        command.arg("--host").arg(&self.sock).args(["--port", &PORT.to_string(), "--username", DATABASE]);
        command.args(["--no-password", "--maintenance-db=postgres", DATABASE]);
        match run("createdb", command) {
            // Created by a start that crashed before it left the mark.
            Err(ClusterError::Program { output, .. }) if output.contains("already exists") => {}
            other => other?,
        }
        self.open(&marker).map(drop)
    }

    /// A program of the server, run as its user. Of our environment it gets nothing, since libpq
    /// and the server obey a dozen `PG…` variables.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin_dir.join(program));
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C").stdin(Stdio::null()).current_dir("/");
        if let Some(user) = &self.user {
            command.uid(user.uid).gid(user.gid);
        }
        command
    }

    /// Opens a file of ours for appending, made if absent, owned by the server's user.
    fn open(&self, path: &Path) -> Result<File, ClusterError> {
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path);
        let file = file.map_err(ClusterError::io("open", path))?;
        give(path, self.user.as_ref())?;
        Ok(file)
    }

    fn log_tail(&self, from: u64) -> String {
        let read = || -> io::Result<String> {
            let mut file = File::open(&self.log)?;
            let from = from.max(file.metadata()?.len().saturating_sub(LOG_TAIL_BYTES));
            file.seek(SeekFrom::Start(from))?;
            let mut tail = Vec::new();
            file.take(LOG_TAIL_BYTES).read_to_end(&mut tail)?;
            Ok(String::from_utf8_lossy(&tail).trim().to_owned())
        };
        read().unwrap_or_else(|error| format!("(unreadable: {error})"))
    }
}

/// The kernel sends the server SIGINT (a fast, clean shutdown) when the thread that spawns it ends.
#[allow(unsafe_code, reason = "std offers no other way to run prctl between fork and exec")]
fn die_with_parent(command: &mut Command) {
    let parent = rustix::process::getpid();
    // SAFETY: between fork and exec only async-signal-safe calls are allowed; prctl and getppid
    // are, and the closure neither allocates nor takes a lock. std runs it after the change of
    // user, which would have cleared the signal.
    unsafe {
        command.pre_exec(move || {
            rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::INT))?;
            // The parent may have died before the signal was asked for.
            if rustix::process::getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
        });
    }
}

/// A server, and whose it is to stop.
enum Server {
    /// Our child.
    Own(Child),
    /// Somebody else's, by process id.
    Adopted(i32),
}

impl Server {
    fn is_alive(&mut self, data: &Path) -> bool {
        match self {
            Self::Own(child) => matches!(child.try_wait(), Ok(None)),
            Self::Adopted(pid) => is_server(*pid, data),
        }
    }

    /// SIGINT is the fast shutdown. (SIGTERM would wait for clients to leave.)
    fn stop(self) {
        let Self::Own(mut child) = self else { return };
        for (signal, wait) in [
            (rustix::process::Signal::INT, STOP_WAIT_MAX),
            (rustix::process::Signal::QUIT, Duration::from_secs(5)),
            (rustix::process::Signal::KILL, Duration::from_secs(1)),
        ] {
            if let Some(pid) = rustix::process::Pid::from_raw(child.id() as i32) {
                // Fails only when the child has ended, which the wait below notices.
                let _ = rustix::process::kill_process(pid, signal);
            }
            let began = Instant::now();
            while began.elapsed() < wait {
                if !matches!(child.try_wait(), Ok(None)) {
                    return;
                }
                std::thread::sleep(LOOK_INTERVAL);
            }
            tracing::warn!(
                code = "database_slow_stop",
                "the private Postgres did not stop within {} s",
                wait.as_secs()
            );
        }
    }
}

/// What is read of `postmaster.pid`: line 1 is the process id, line 8 the state.
struct PidFile {
    pid: i32,
    is_ready: bool,
}

impl PidFile {
    fn read(data: &Path) -> Option<Self> {
        let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok()?;
        Some(Self { pid, is_ready: lines.nth(6).is_some_and(|state| state.trim() == "ready") })
    }
}

/// Whether the process is a server on this data directory: started with it, or working in it. (In
/// a container root may not see the working directory of other users, but may see arguments.) A
/// zombie has neither.
fn is_server(pid: i32, data: &Path) -> bool {
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let arguments: Vec<&[u8]> = arguments.split(|&byte| byte == 0).collect();
    let is_named = arguments.windows(2).any(|pair| pair[0] == b"-D" && pair[1] == data.as_os_str().as_bytes());
    is_named || fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == data)
}

/// Whether a process works in the directory, or may: a postgres that cannot be looked into.
fn anybody_works_in(data: &Path) -> bool {
    fs::read_dir("/proc").into_iter().flatten().flatten().any(|process| {
        match fs::read_link(process.path().join("cwd")) {
            Ok(cwd) => cwd == data,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                fs::read_to_string(process.path().join("comm")).is_ok_and(|name| name.trim() == "postgres")
            }
            Err(_) => false,
        }
    })
}

fn url(sock: &Path) -> Result<String, ClusterError> {
    let socket = sock.join(format!(".s.PGSQL.{PORT}"));
    match sock.to_str() {
        Some(text) if socket.as_os_str().len() <= SOCKET_PATH_BYTES_MAX => {
            let host: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
            Ok(format!("postgres://{DATABASE}@localhost:{PORT}/{DATABASE}?host={host}"))
        }
        _ => Err(ClusterError::SocketPath { socket }),
    }
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` → 15.
fn major_version(bin_dir: &Path) -> Result<u32, ClusterError> {
    let program = bin_dir.join("postgres");
    let output = Command::new(&program).arg("--version").env_clear().stdin(Stdio::null()).output();
    let output = output.map_err(ClusterError::io("run", &program))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let digits = |word: &str| word.chars().take_while(char::is_ascii_digit).collect::<String>();
    text.split_whitespace()
        .find_map(|word| digits(word).parse().ok())
        .ok_or(ClusterError::Program { program: "postgres --version", output: text })
}

/// Makes a directory that only its owner may enter, or makes an existing one so.
fn private_dir(path: &Path, user: Option<&RunAs>) -> Result<(), ClusterError> {
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(ClusterError::io("make", path)(error));
        }
        _ => {}
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(ClusterError::io("close", path))?;
    give(path, user)
}

fn give(path: &Path, user: Option<&RunAs>) -> Result<(), ClusterError> {
    let Some(user) = user else { return Ok(()) };
    chown(path, Some(user.uid), Some(user.gid)).map_err(ClusterError::io("give away", path))
}

/// Whether the user may pass every directory above `dir` (as far as modes say).
fn check_passable(dir: &Path, user: &RunAs) -> Result<(), ClusterError> {
    for above in dir.ancestors().skip(1) {
        let metadata = fs::metadata(above).map_err(ClusterError::io("look at", above))?;
        let bit = if metadata.uid() == user.uid {
            0o100
        } else if metadata.gid() == user.gid {
            0o010
        } else {
            0o001
        };
        if metadata.mode() & bit == 0 {
            return Err(ClusterError::Closed { dir: above.to_owned(), user: user.name.clone() });
        }
    }
    Ok(())
}

/// Runs a program to its end.
fn run(program: &'static str, mut command: Command) -> Result<(), ClusterError> {
    let output = command.output().map_err(ClusterError::io("run", program))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(ClusterError::Program { program, output: if said.is_empty() { output.status.to_string() } else { said } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwd_lines_are_read() {
        let users = "root:x:0:0:root:/root:/bin/bash\npostgres:x:101:104:PostgreSQL,,,:/var/lib/postgresql:/bin/bash\nbad:x:many:1::/:\nlanka:x:0:0::/:\n";
        let postgres = RunAs { name: "postgres".to_owned(), uid: 101, gid: 104 };
        assert_eq!(passwd_entry(users, "postgres"), Some(postgres.clone()));
        assert_eq!((passwd_entry_of(users, 101), passwd_entry_of(users, 0)), (Some(postgres), None));
        for name in ["nobody", "bad", "post", "", "lanka"] {
            assert_eq!(passwd_entry(users, name), None, "{name}");
        }
    }

    #[test]
    fn urls_are_encoded_and_bounded() {
        let expected = "postgres://lanka@localhost:5432/lanka?host=%2Fvar%2Flib%2Fla+nka%2Fsock";
        assert_eq!(url(Path::new("/var/lib/la nka/sock")).unwrap(), expected);
        let longest = format!("/{}", "d".repeat(SOCKET_PATH_BYTES_MAX - "//.s.PGSQL.5432".len()));
        assert!(url(Path::new(&longest)).is_ok());
        assert!(matches!(url(Path::new(&format!("{longest}d"))), Err(ClusterError::SocketPath { .. })));
    }
}
