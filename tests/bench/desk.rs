//! What the benchmarks work on: one private Postgres with default durability, a database for each
//! measurement, and a desk configured as a real one.

#![allow(dead_code, reason = "each benchmark takes the parts it needs")]

use super::corpus::{Item, Way};
use lanka::config::{Environment, Settings};
use lanka::pure::domain::Timestamp;
use lanka::shell::Parts;
use lanka::shell::cluster::Cluster;
use lanka::shell::content::ContentStore;
use lanka::shell::ingest::Ingest;
use lanka::shell::intake::ChannelIdent;
use lanka::shell::store::Store;
use lanka::shell::store::raw_event::{NewRawEvent, RawBody};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The secret of everything that Meta signs here.
pub const APP_SECRET: &str = "secret-of-the-benchmark";

/// The secret of the web chat and of the mirror.
pub const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Sizes of memory and log may be set for a benchmark; fsync and synchronous_commit may not.
const SERVER_SETTINGS: [&str; 3] = ["shared_buffers=1GB", "max_wal_size=8GB", "checkpoint_timeout=30min"];

/// What shows where time goes, and costs some; see [`statements_wanted`].
const STATEMENT_SETTINGS: [&str; 2] =
    ["shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track_planning=on"];

/// Whether to show the time of each statement: with `LANKA_BENCH_STATEMENTS` in the environment.
fn statements_wanted() -> bool {
    std::env::var_os("LANKA_BENCH_STATEMENTS").is_some()
}

/// The configuration; MAILDIR, CDR and MIRROR are filled in.
const CONFIG: &str = r#"
[identity]
own_domains = ["kauppa.example"]
agents = ["*@kauppa.example"]
public_domains = ["posti.example", "sahkoposti.example"]

[matters]
order = { pattern = '\b4\d{7}\b', role = "secret" }

[http]
listen = "127.0.0.1:PORT"
allow_private_addresses = true

[channels.mail]
kind = "maildir"
path = "MAILDIR"
addresses = ["asiakaspalvelu@kauppa.example"]
trusted_authserv = "mx.kauppa.example"

[channels.facebook]
kind = "messenger"
app_secret = { env = "SECRET" }
verify_token = { env = "SECRET" }

[channels.whatsapp]
kind = "whatsapp"
app_secret = { env = "SECRET" }
verify_token = { env = "SECRET" }

[channels.chat]
kind = "webchat"
secret = { env = "WHSEC" }

[channels.phone]
kind = "asterisk"
path = "CDR"
time_zone = "UTC"
own_numbers = ["+358 9 4272 0000"]

[mirrors.desk]
kind = "webhook"
url = "MIRROR"
secret = { env = "WHSEC" }
"#;

/// What the places in [`CONFIG`] are.
pub struct Places<'a> {
    /// The directory of the data; the others lie in it.
    pub dir: &'a Path,
    /// Where the mirror is.
    pub mirror: &'a str,
    /// What the daemon listens on; nothing does in most benchmarks.
    pub port: u16,
    /// The database; without one, the private Postgres.
    pub database: Option<&'a str>,
}

impl Places<'_> {
    /// The Maildir of the channel `mail`.
    pub fn maildir(&self) -> PathBuf {
        self.dir.join("mail")
    }

    /// The call log of the channel `phone`.
    pub fn call_log(&self) -> PathBuf {
        self.dir.join("Master.csv")
    }

    /// Writes the configuration and gives its path.
    pub fn write(&self) -> PathBuf {
        let config = CONFIG
            .replace("MAILDIR", &self.maildir().display().to_string())
            .replace("CDR", &self.call_log().display().to_string())
            .replace("MIRROR", self.mirror)
            .replace("PORT", &self.port.to_string());
        let database = match self.database {
            Some(url) => {
                let key = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
                std::fs::write(self.dir.join("desk.key"), key).expect("a key");
                format!("[database]\nurl = \"{url}\"\n[security]\nkeys = [{{ id = \"1\", file = \"desk.key\" }}]\n")
            }
            None => String::new(),
        };
        let file = self.dir.join("lanka.toml");
        let text = format!("data_dir = \"{}\"\n{database}{config}", self.dir.display());
        std::fs::write(&file, text).expect("a configuration");
        file
    }
}

/// A directory that vanishes, which other users may pass.
pub fn scratch() -> tempfile::TempDir {
    let dir = tempfile::Builder::new().prefix("lanka-bench-").tempdir().expect("a temporary directory");
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o711)).expect("its mode");
    dir
}

/// The Postgres of a benchmark.
pub struct Server {
    cluster: Cluster,
    dir: tempfile::TempDir,
}

impl Server {
    /// Starts it with default durability; `counting` makes [`Self::count_statements`] possible, which needs Postgres'
    /// contrib modules.
    pub async fn start(counting: bool) -> Self {
        let dir = scratch();
        let mut settings = SERVER_SETTINGS.to_vec();
        settings.extend(STATEMENT_SETTINGS.iter().filter(|_| counting || statements_wanted()));
        let cluster = match Cluster::start_with(&dir.path().join("pg"), None, &settings).await {
            Ok(cluster) => cluster,
            Err(error) => panic!("{error}"),
        };
        let server = Self { cluster, dir };
        let mut connection = server.connect("lanka").await;
        for (setting, wanted) in [("fsync", "on"), ("synchronous_commit", "on"), ("full_page_writes", "on")] {
            let sql = AssertSqlSafe(format!("SHOW {setting}"));
            let value: String = sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("a setting");
            assert_eq!(value, wanted, "{setting}: the benchmark is worth nothing");
        }
        server
    }

    /// URL of one of its databases.
    pub fn url(&self, database: &str) -> String {
        self.cluster.url().replacen("/lanka?", &format!("/{database}?"), 1)
    }

    /// A connection to one of its databases.
    pub async fn connect(&self, database: &str) -> PgConnection {
        PgConnection::connect(&self.url(database)).await.expect("a connection")
    }

    /// Runs statements in one of its databases.
    pub async fn execute(&self, database: &str, sql: &str) {
        let mut connection = self.connect(database).await;
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// A database with the migrations applied, and a desk on it.
    pub async fn desk(&self, name: &str) -> Desk {
        self.execute("lanka", &format!("CREATE DATABASE {name}")).await;
        if let Ok(guc) = std::env::var("LANKA_BENCH_GUC") {
            self.execute("lanka", &format!("ALTER DATABASE {name} SET {guc}")).await;
        }
        Desk::open(&self.url(name)).await
    }

    /// A database with the migrations applied, and nothing else.
    pub async fn empty(&self, name: &str) {
        let desk = self.desk(name).await;
        desk.store.pool.close().await;
    }

    /// Drops a database.
    pub async fn drop(&self, name: &str) {
        self.execute("lanka", &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
    }

    /// Writes everything to the disk, so that the next measurement does not pay for the last.
    pub async fn settle(&self) {
        self.execute("lanka", "CHECKPOINT").await;
    }

    /// Counts the statements of a database from now on, if that is wanted.
    pub async fn watch_statements(&self, database: &str) {
        if statements_wanted() {
            self.count_statements(database).await;
        }
    }

    /// Counts the statements of all databases from now on; `database` can say what was counted, and so can `lanka`.
    pub async fn count_statements(&self, database: &str) {
        for name in ["lanka", database] {
            self.execute(name, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements").await;
        }
        self.execute(database, "SELECT pg_stat_statements_reset()").await;
    }

    /// Shows where the time went since [`Self::watch_statements`], of `seconds` in all.
    pub async fn show_statements(&self, database: &str, seconds: f64) {
        if !statements_wanted() {
            return;
        }
        let mut connection = self.connect(database).await;
        let rows: Vec<(String, i64, f64, f64)> = sqlx::query_as(
            "SELECT regexp_replace(left(query, 110), '\\s+', ' ', 'g'), calls, total_exec_time, total_plan_time
             FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
             ORDER BY total_exec_time + total_plan_time DESC LIMIT 30",
        )
        .fetch_all(&mut connection)
        .await
        .expect("statements");
        let total = |f: fn(&(String, i64, f64, f64)) -> f64| rows.iter().map(f).sum::<f64>();
        eprintln!(
            "{database}: {:.0} ms in all; statements: executed {:.0} ms, planned {:.0} ms",
            seconds * 1000.0,
            total(|r| r.2),
            total(|r| r.3)
        );
        for (query, calls, executed_ms, planned_ms) in rows {
            eprintln!("{executed_ms:9.1} ms {planned_ms:9.1} ms {calls:6} {query}");
        }
    }

    /// Stops it.
    pub async fn stop(self) {
        self.cluster.stop().await;
        drop(self.dir);
    }
}

/// A desk over a database.
pub struct Desk {
    /// The store.
    pub store: Store,
    /// Its ingest.
    pub ingest: Ingest,
    /// The configuration, taken apart.
    pub parts: Parts,
    dir: tempfile::TempDir,
}

impl Desk {
    /// A desk over a database that exists; the migrations are applied.
    pub async fn open(url: &str) -> Self {
        let dir = scratch();
        let places = Places { dir: dir.path(), mirror: "https://desk.example/hook", port: 0, database: None };
        let settings = load(&places.write());
        let keys = settings.ensure_keys().expect("keys");
        let content = ContentStore::open(&settings.content_dir()).expect("a content store");
        let store = Store::connect(url, 16, content).await.expect("a store");
        store.migrate().await.expect("migrations");
        let (parts, _) = Parts::of(settings, &keys);
        let ingest = Ingest::new(store.clone(), parts.registry.clone(), parts.batch);
        Self { store, ingest, parts, dir }
    }

    /// Where its files are.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Stores items as their intakes would.
    pub async fn record(&self, items: &[Item]) {
        for some in items.chunks(200) {
            let events: Vec<NewRawEvent> = some.iter().map(raw).collect();
            self.store.record(&events, None).await.expect("recorded");
        }
    }

    /// Decides everything that waits.
    pub async fn decide(&self) {
        let (_keep, stop) = tokio::sync::watch::channel(false);
        self.ingest.run(stop, true).await;
    }

    /// A number out of the database.
    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.store.pool).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }
}

/// Settings with the secrets of the benchmarks.
pub fn load(file: &Path) -> Settings {
    let environment = Environment::of([("SECRET", APP_SECRET), ("WHSEC", WHSEC)]);
    Settings::load(&[file.to_owned()], &environment).unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })
}

/// An item as its intake would store it.
pub fn raw(item: &Item) -> NewRawEvent {
    let ident = ident(item.way);
    NewRawEvent {
        tenant: ident.tenant,
        channel: ident.name,
        kind: ident.kind,
        received_at: arrival(item),
        trusted_at: None,
        origin: "benchmark".to_owned(),
        body: RawBody::Bytes(item.body.clone().into()),
    }
}

fn arrival(item: &Item) -> Timestamp {
    item.at.saturating_add(jiff::SignedDuration::from_secs(2)).unwrap_or(item.at)
}

/// The channel of the configuration that an item comes in by.
pub fn ident(way: Way) -> ChannelIdent {
    let kind = match way {
        Way::Mail => "maildir",
        Way::Chat => "webchat",
        Way::Messenger => "messenger",
        Way::WhatsApp => "whatsapp",
        Way::Call => "asterisk",
    };
    ChannelIdent { tenant: "main".to_owned(), name: way.channel().to_owned(), kind: kind.to_owned() }
}
