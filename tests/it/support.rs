//! What the integration tests share: places to work in, databases. (The mail server is in `dovecot`.)
//!
//! **The Postgres of the tests** is one private cluster a user, in the system's temporary
//! directory, shared by every test of every process. nextest runs each test in a process of its
//! own and has no hook for the end of a run, so a detached copy of the test program keeps the
//! server ([`keep_the_server`]): it ends, and removes everything, when no process has used it for
//! a minute. Who uses it holds a shared lock on `users`, which the kernel lets go however the
//! process ends; whoever starts or removes the server holds `lock`.
//!
//! **A database a test** is cloned from a template that has the migrations applied, one template
//! for each state of `migrations/`.

#![allow(dead_code, reason = "each test takes the parts it needs, and some wait for the test that comes next")]

use lanka::shell::cluster::Cluster;
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;

/// Where [`keep_the_server`] finds the directory that it works in.
const KEEPER_DIR: &str = "LANKA_TEST_SERVER_DIR";

/// How long the server outlives the last test, so that the next run finds it.
const IDLE_WAIT: Duration = Duration::from_secs(60);

/// Longest wait for the server of the tests: initdb takes 1 to 3 s.
const SERVER_WAIT_MAX: Duration = Duration::from_secs(60);

/// What a server of tests does without. Its data live for minutes.
const SERVER_SETTINGS: [&str; 4] =
    ["fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=300"];

/// A directory that vanishes at the end of the test. Other users (that of a private Postgres, when
/// the tests run as root) may pass it, and its path is short enough for a unix socket.
pub fn scratch() -> tempfile::TempDir {
    let dir = tempfile::Builder::new().prefix("lanka-test-").tempdir().expect("a temporary directory");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711)).expect("its mode");
    dir
}

/// Looks every 20 ms until there is something to see, at most 30 s.
pub async fn eventually<T, F: AsyncFnMut() -> Option<T>>(what: &str, mut look: F) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{what}: not seen within 30 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A database of the test's own, with all migrations applied. It is dropped with this value.
pub struct TestDb {
    /// For code that connects itself.
    pub url: String,
    /// At most eight connections to it.
    pub pool: PgPool,
    name: String,
    server: String,
}

/// Makes a database for one test. Takes 50 to 100 ms.
pub async fn database() -> TestDb {
    let server = server().await;
    let template = TEMPLATE.get_or_init(|| make_template(server)).await;
    let name = format!("test_{}", uuid::Uuid::now_v7().simple());
    let mut connection = connect(server).await;
    execute(&mut connection, format!("create database {name} template {template}")).await;
    let url = server.replacen("/lanka?", &format!("/{name}?"), 1);
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(8).connect(&url).await.expect("a pool");
    TestDb { url, pool, name, server: server.to_owned() }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // The test's own runtime may be ending, or may be blocked by this very drop.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let mut connection = connect(&server).await;
                execute(&mut connection, format!("drop database {name} with (force)")).await;
            });
        });
        let dropped = dropping.join();
        assert!(dropped.is_ok() || std::thread::panicking(), "the database of the test could not be dropped");
    }
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url)
        .await
        .unwrap_or_else(|error| panic!("cannot connect to the Postgres of the tests: {error}"))
}

async fn execute(connection: &mut PgConnection, sql: String) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(connection).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// Makes the template for the present state of `migrations/`, if no other process has.
async fn make_template(server: &str) -> String {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let name = format!("template_{}", hash_of(&dir));
    let mut connection = connect(server).await;
    // Freed with the connection, also if this process dies meanwhile.
    execute(&mut connection, "select pg_advisory_lock(20260101)".to_owned()).await;
    let exists = sqlx::query_scalar("select exists (select from pg_database where datname = $1)").bind(&name);
    if exists.fetch_one(&mut connection).await.expect("a look at pg_database") {
        return name;
    }
    // It gets its name when it is complete.
    execute(&mut connection, "drop database if exists template_unfinished".to_owned()).await;
    execute(&mut connection, "create database template_unfinished".to_owned()).await;
    if dir.is_dir() {
        let migrator = sqlx::migrate::Migrator::new(dir).await.expect("readable migrations");
        let mut unfinished = connect(&server.replacen("/lanka?", "/template_unfinished?", 1)).await;
        migrator.run(&mut unfinished).await.unwrap_or_else(|error| panic!("migrations/ does not apply: {error}"));
        unfinished.close().await.expect("closed");
    }
    execute(&mut connection, format!("alter database template_unfinished rename to {name}")).await;
    name
}

fn hash_of(dir: &Path) -> String {
    let mut files: Vec<PathBuf> = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    let mut hash = Sha256::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "sql")) {
        hash.update(file.file_name().expect("a name").as_encoded_bytes());
        hash.update([0]);
        hash.update(fs::read(file).expect("a readable migration"));
        hash.update([0]);
    }
    hex::encode(&hash.finalize()[..8])
}

/// URL of the server's own database `lanka`.
async fn server() -> &'static str {
    static SERVER: OnceCell<(String, File)> = OnceCell::const_new();
    let (url, _in_use) = SERVER.get_or_init(find_or_start_server).await;
    url
}

/// The lock that says "in use" comes with the URL.
async fn find_or_start_server() -> (String, File) {
    let uid = rustix::process::geteuid().as_raw();
    let dir = std::env::temp_dir().join(format!("lanka-tests-{uid}"));
    let lock = loop {
        match fs::DirBuilder::new().mode(0o711).create(&dir) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                panic!("cannot make {}: {error}", dir.display())
            }
            _ => {}
        }
        let metadata = fs::symlink_metadata(&dir).expect("the directory just made");
        assert!(metadata.is_dir() && metadata.uid() == uid, "{} is not ours: remove it", dir.display());
        // The keeper may be removing the directory at this moment: then once more.
        let Ok(lock) = open(&dir.join("lock")) else { continue };
        lock.lock().expect("the lock");
        let locked = lock.metadata().expect("the lock's metadata");
        if fs::metadata(dir.join("lock")).is_ok_and(|named| named.ino() == locked.ino()) {
            break lock;
        }
    };
    let in_use = open(&dir.join("users")).expect("the file of the users");
    in_use.lock_shared().expect("a share of it");
    let sock: String = url::form_urlencoded::byte_serialize(dir.join("pg/sock").to_string_lossy().as_bytes()).collect();
    let url = format!("postgres://lanka@localhost:5432/lanka?host={sock}");
    if PgConnection::connect(&url).await.is_err() {
        start_keeper(&dir, &url).await;
    }
    drop(lock);
    (url, in_use)
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).open(path)
}

#[expect(clippy::zombie_processes, reason = "it outlives this process")]
async fn start_keeper(dir: &Path, url: &str) {
    let said = dir.join("keeper.log");
    let mut keeper = Command::new(std::env::current_exe().expect("this program"));
    keeper.args(["--exact", "support::keep_the_server", "--nocapture"]).env(KEEPER_DIR, dir);
    // Nothing of it may hold the test's pipes open, and no signal to the test's group may reach it.
    keeper.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&said).expect("a log")).process_group(0);
    let mut keeper = keeper.spawn().expect("the keeper of the test server");
    let began = Instant::now();
    while PgConnection::connect(url).await.is_err() {
        let ended = keeper.try_wait().expect("the keeper's state");
        let why = || fs::read_to_string(&said).unwrap_or_default();
        assert!(ended.is_none(), "The tests need a Postgres and cannot start one. {}", why());
        assert!(began.elapsed() < SERVER_WAIT_MAX, "the Postgres of the tests did not start in a minute. {}", why());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Not a test of its own: the detached process that keeps the server. As a test it does nothing.
#[tokio::test]
async fn keep_the_server() {
    let Ok(dir) = std::env::var(KEEPER_DIR) else { return };
    let dir = Path::new(&dir);
    let cluster = match Cluster::start_with(&dir.join("pg"), None, &SERVER_SETTINGS).await {
        Ok(cluster) => cluster,
        Err(error) => panic!("{error}"),
    };
    let users = open(&dir.join("users")).expect("the file of the users");
    let is_unused = || users.try_lock().is_ok_and(|()| users.unlock().is_ok());
    let mut last_used = Instant::now();
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if !is_unused() {
            last_used = Instant::now();
        }
        if last_used.elapsed() < IDLE_WAIT {
            continue;
        }
        // Nobody becomes a user while we hold this.
        let lock = open(&dir.join("lock")).expect("the lock");
        lock.lock().expect("the lock");
        if is_unused() {
            cluster.stop().await;
            fs::remove_dir_all(dir).expect("removed");
            return;
        }
    }
}

#[tokio::test]
async fn each_test_has_a_database_of_its_own() {
    let (one, other) = tokio::join!(database(), database());
    assert_ne!(one.url, other.url);
    for db in [&one, &other] {
        sqlx::raw_sql("create table t (n int)").execute(&db.pool).await.expect("a table of its own");
    }
    let began = Instant::now();
    drop(database().await);
    println!("a database: made and dropped in {} ms", began.elapsed().as_millis());
    let (server, name) = (one.server.clone(), one.name.clone());
    drop(one);
    let exists = sqlx::query_scalar("select exists (select from pg_database where datname = $1)").bind(name);
    let exists: bool = exists.fetch_one(&mut connect(&server).await).await.expect("a look");
    assert!(!exists, "it is dropped with the value");
}
