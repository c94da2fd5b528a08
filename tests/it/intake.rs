//! What the tests of the intakes share: a store, and a look at what is in it.

use super::support::{TestDb, database, scratch};
use jiff_sqlx::Timestamp;
use lanka::shell::carriers::http::HttpCarrier;
use lanka::shell::content::{ContentHash, ContentStore};
use lanka::shell::store::Store;
use lanka::shell::tokens::Tokens;
use sqlx::Row;

/// A store over a database and a directory of the test's own.
pub struct TestStore {
    /// For the code under test.
    pub store: Store,
    db: TestDb,
    /// What is `data_dir` elsewhere.
    pub dir: tempfile::TempDir,
}

/// A delivery as it was stored.
pub struct Event {
    pub channel: String,
    pub kind: String,
    pub trusted_at: Option<jiff::Timestamp>,
    pub origin: String,
    pub body: Vec<u8>,
}

/// Makes a store.
pub async fn store() -> TestStore {
    let db = database().await;
    let dir = scratch();
    let content = ContentStore::open(dir.path()).expect("a content store");
    let store = Store::new(db.pool.clone(), content);
    TestStore { store, db, dir }
}

impl TestStore {
    /// Access tokens, kept beside the store; token endpoints may be on this machine.
    pub fn tokens(&self) -> Tokens {
        Tokens::new(HttpCarrier::new(true).expect("a carrier"), self.dir.path())
    }

    /// Deliveries stored.
    pub async fn count(&self) -> i64 {
        sqlx::query_scalar("select count(*) from raw_event").fetch_one(&self.db.pool).await.expect("a count")
    }

    /// Bodies kept: of repeats there is one.
    pub async fn bodies(&self) -> i64 {
        let sql = "select count(*) from raw_event where body is not null or content_hash is not null";
        sqlx::query_scalar(sql).fetch_one(&self.db.pool).await.expect("a count")
    }

    /// All deliveries, in the order of their ids.
    pub async fn events(&self) -> Vec<Event> {
        let sql = "select e.channel, e.kind, e.trusted_at, e.origin, coalesce(e.body, first.body) as body,
                          coalesce(e.content_hash, first.content_hash) as content_hash
                   from raw_event e left join raw_event first on first.id = e.same_as order by e.id";
        let mut events = Vec::new();
        for row in sqlx::query(sql).fetch_all(&self.db.pool).await.expect("rows") {
            let hash: Option<Vec<u8>> = row.get("content_hash");
            let body = match hash {
                Some(hash) => {
                    let hash = ContentHash::try_from(hash.as_slice()).expect("32 bytes");
                    self.store.content.get(hash).await.expect("the content").to_vec()
                }
                None => row.get("body"),
            };
            let trusted_at: Option<Timestamp> = row.get("trusted_at");
            events.push(Event {
                channel: row.get("channel"),
                kind: row.get("kind"),
                trusted_at: trusted_at.map(Timestamp::to_jiff),
                origin: row.get("origin"),
                body,
            });
        }
        events
    }

    /// What was put on record and skipped: the origin up to its first digit, and the code.
    pub async fn skipped(&self) -> Vec<(String, String)> {
        let sql = "select regexp_replace(origin, '[0-9].*', ''), code from quarantine order by id";
        sqlx::query_as(sql).fetch_all(&self.db.pool).await.expect("rows")
    }

    /// The only cursor of a source.
    pub async fn cursor(&self, source: &str) -> serde_json::Value {
        let state = sqlx::query_scalar("select state from cursor where source = $1").bind(source);
        state.fetch_one(&self.db.pool).await.expect("a cursor")
    }

    /// Changes a field of it, as a crash would have left it.
    pub async fn set_cursor_field(&self, source: &str, field: &str, value: serde_json::Value) {
        let sql = "update cursor set state = jsonb_set(state, array[$2], $3) where source = $1";
        sqlx::query(sql).bind(source).bind(field).bind(value).execute(&self.db.pool).await.expect("an update");
    }
}
