//! A desk for tests: a configuration of five channels over a database of the test's own, into which
//! deliveries are put as the intakes would, decided by the real ingest.

use crate::support::{TestDb, database, scratch};
use lanka::config::{Environment, Keys, Settings};
use lanka::pure::channels::Intake;
use lanka::pure::domain::Timestamp;
use lanka::pure::domain::id::RawEventId;
use lanka::shell::Parts;
use lanka::shell::alerts::{Alerts, Tool};
use lanka::shell::carriers::http::HttpCarrier;
use lanka::shell::content::ContentStore;
use lanka::shell::deliver::Deliver;
use lanka::shell::hands::Hands;
use lanka::shell::ingest::{BatchLimits, Ingest};
use lanka::shell::intake::poll::{self, PollError};
use lanka::shell::keeper::Keeper;
use lanka::shell::media::{Limits, Media};
use lanka::shell::profiles::Profiles;
use lanka::shell::reconsider::Reconsider;
use lanka::shell::registry::Registry;
use lanka::shell::sender::Senders;
use lanka::shell::store::Store;
use lanka::shell::store::raw_event::{Hearing, NewRawEvent, RawBody};
use sqlx::Row;
use std::sync::Arc;

/// The configuration of the desk. Its names are used by the tests.
pub const CONFIG: &str = r#"
[identity]
own_domains = ["kauppa.example"]
agents = ["*@kauppa.example"]

[matters]
order = { pattern = '\b4\d{7}\b', role = "secret" }

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
url = "https://desk.example/hook"
secret = { env = "WHSEC" }
"#;

/// The desk.
pub struct Desk {
    pub store: Store,
    pub ingest: Ingest,
    pub keys: Keys,
    registry: Arc<Registry>,
    batch: BatchLimits,
    senders: Option<Senders>,
    tools: Vec<Tool>,
    channels: Vec<lanka::shell::Configured>,
    letters: Vec<lanka::pure::domain::letter::LetterPlan>,
    _db: TestDb,
    dir: tempfile::TempDir,
}

impl Desk {
    /// A desk with an empty database.
    pub async fn open() -> Self {
        Self::open_with(|config| config).await
    }

    /// A desk that checks senders, as its changed configuration says. (The others ask no name server.)
    pub async fn open_checking(change: impl FnOnce(String) -> String) -> Self {
        let desk = Self::open_with(change).await;
        Self { ingest: desk.ingest.clone().checking(desk.senders()), ..desk }
    }

    /// The checks of senders.
    pub fn senders(&self) -> Option<Senders> {
        self.senders.clone()
    }

    /// A desk whose configuration is changed.
    pub async fn open_with(change: impl FnOnce(String) -> String) -> Self {
        let db = database().await;
        let dir = scratch();
        let file = dir.path().join("lanka.toml");
        let config = CONFIG
            .replace("MAILDIR", &dir.path().join("mail").display().to_string())
            .replace("CDR", &dir.path().join("Master.csv").display().to_string());
        let config = change(format!("data_dir = \"{}\"\n{config}", dir.path().display()));
        std::fs::write(&file, config).expect("a configuration");
        let environment =
            Environment::of([("SECRET", "secret-of-the-test"), ("WHSEC", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]);
        let settings = Settings::load(&[file], &environment).unwrap_or_else(|problems| {
            panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        });
        let keys = settings.ensure_keys().expect("keys");
        let content = ContentStore::open(&settings.content_dir()).expect("a content store");
        let store = Store::new(db.pool.clone(), content);
        let (parts, sections) = Parts::of(settings, &keys);
        let tools = [parts.tools, parts.lines].concat();
        let letters = parts.letters;
        let (registry, channels) = (parts.registry, parts.channels);
        let senders = lanka::shell::daemon::senders(&store, &registry, &sections);
        let ingest = Ingest::new(store.clone(), registry.clone(), parts.batch);
        Self { store, ingest, keys, registry, batch: parts.batch, senders, tools, channels, letters, _db: db, dir }
    }

    /// Another ingest over the same database, with batches of so many deliveries.
    pub fn ingest_of(&self, rows_max: i64) -> Ingest {
        Ingest::new(self.store.clone(), self.registry.clone(), BatchLimits { rows_max, ..self.batch })
    }

    /// Delivers to the desk's mirror, and carries answers, as the daemon does.
    pub fn deliverer(&self, limits: lanka::shell::deliver::Limits) -> Deliver {
        let carrier = HttpCarrier::new(true).expect("a carrier");
        Deliver::new(self.store.clone(), self.registry.clone(), carrier, Alerts::logged(), self.tools.clone(), limits)
    }

    /// Looks once at a tool, as its intake would, and says whether it would look again at once. Nothing is decided.
    pub async fn look(&self, mirror: &str) -> Result<bool, PollError> {
        let channel = self.channels.iter().find(|channel| channel.ident.name == mirror).expect("a tool");
        let Intake::Poll(source) = &channel.intake else { panic!("{mirror} is not looked at") };
        let (ident, store) = (channel.ident.clone(), self.store.clone());
        let carrier = HttpCarrier::new(true).expect("a carrier");
        poll::Tool { poller: source.poller.clone(), channel: ident, store, carrier }.look().await
    }

    /// Whether a channel or tool may call us.
    pub fn is_called(&self, name: &str) -> bool {
        self.channels.iter().any(|channel| channel.ident.name == name && channel.intake.is_called())
    }

    /// Asks the vendors of the desk's channels for names.
    pub fn profiles(&self) -> Profiles {
        let carrier = HttpCarrier::new(true).expect("a carrier");
        Profiles::new(self.store.clone(), carrier, self.registry.channels.clone())
    }

    /// Fetches files from the vendors of the desk's channels.
    pub fn media(&self, carrier: HttpCarrier, limits: Limits) -> Media {
        let tenants = self.registry.tenants.iter();
        let mirrors = tenants.map(|(name, tenant)| (name.clone(), tenant.policy.mirrors.clone())).collect();
        Media::new(self.store.clone(), carrier, self.registry.channels.clone(), mirrors, limits)
    }

    /// Where large bodies are.
    pub fn content_dir(&self) -> std::path::PathBuf {
        self.dir.path().join("content")
    }

    /// Stores a delivery as its intake would.
    pub async fn deliver(&self, channel: &str, received_at: &str, body: impl Into<Vec<u8>>) -> RawEventId {
        let event = self.event(channel, received_at, body);
        self.store.record(&[event], None).await.expect("recorded")[0]
    }

    /// Stores a delivery of now that a server had had some time ago.
    pub async fn deliver_aged(&self, channel: &str, age: std::time::Duration, body: impl Into<Vec<u8>>) {
        let now = Timestamp::now();
        let event = NewRawEvent { trusted_at: Some(now - age), ..self.event(channel, &now.to_string(), body) };
        self.store.record(&[event], None).await.expect("recorded");
    }

    /// Stores a delivery as `lanka import` does.
    pub async fn deliver_quietly(&self, channel: &str, body: impl Into<Vec<u8>>) {
        let event = self.event(channel, &Timestamp::now().to_string(), body);
        self.store.record_as(&[event], None, Hearing::Quiet).await.expect("recorded");
    }

    fn event(&self, channel: &str, received_at: &str, body: impl Into<Vec<u8>>) -> NewRawEvent {
        let kind = match channel {
            "mail" => "maildir",
            "facebook" => "messenger",
            "chat" => "webchat",
            "phone" => "asterisk",
            "agents" => "desk",
            other => other,
        };
        NewRawEvent {
            tenant: "main".to_owned(),
            channel: channel.to_owned(),
            kind: kind.to_owned(),
            received_at: at(received_at),
            trusted_at: None,
            origin: "test".to_owned(),
            body: RawBody::Bytes(body.into().into()),
        }
    }

    /// Takes in all that waits, each by what is known when it comes.
    pub async fn take_in(&self) {
        let (_keep, stop) = tokio::sync::watch::channel(false);
        self.ingest.run(stop, true).await;
    }

    /// Decides everything that waits.
    pub async fn decide(&self) {
        self.take_in().await;
        Reconsider::new(self.store.clone(), self.registry.clone()).until_idle().await.expect("decided anew");
    }

    /// Keeps clocks, and tells customers, by a clock of the test's.
    pub fn keeper(&self, clock: lanka::shell::Clock) -> Keeper {
        Keeper::new(self.store.clone(), self.registry.clone()).with_clock(clock)
    }

    /// Writes to the desk's own people, by a clock of the test's.
    pub fn letters(&self, alerts: &Alerts, clock: lanka::shell::Clock) -> lanka::shell::letters::Letters {
        let carrier = HttpCarrier::new(true).expect("a carrier");
        let by = (self.tools.clone(), carrier, alerts.clone());
        let letters =
            lanka::shell::letters::Letters::new(self.store.clone(), self.registry.clone(), self.letters.clone(), by);
        letters.with_clock(clock)
    }

    /// What people do by hand.
    pub fn hands(&self) -> Hands {
        Hands::new(self.store.clone(), self.registry.clone())
    }

    /// Delivers and decides.
    pub async fn take(&self, channel: &str, received_at: &str, body: impl Into<Vec<u8>>) {
        self.deliver(channel, received_at, body).await;
        self.decide().await;
    }

    /// Waits until what changed is told: when every transaction before it is over, those of other tests included.
    pub async fn told(&self) {
        while self.count("SELECT count(*) FROM change WHERE xid >= pg_snapshot_xmin(pg_current_snapshot())").await > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// One value of the database.
    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query(sql).fetch_one(&self.store.pool).await.unwrap_or_else(|error| panic!("{sql}: {error}")).get(0)
    }

    /// Contacts and tickets that stand, and what lies in quarantine.
    pub async fn tally(&self) -> (i64, i64, i64) {
        (
            self.count("SELECT count(*) FROM contact WHERE merged_into IS NULL").await,
            self.count("SELECT count(*) FROM ticket WHERE merged_into IS NULL").await,
            self.count("SELECT count(*) FROM quarantine").await,
        )
    }
}

/// An instant.
pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A mail, as our own server received it, with what it found out about the sender.
pub fn mail(id: &str, from: &str, date: &str, results: &str, headers: &str, subject: &str, text: &str) -> String {
    format!(
        "Received: from mail.sender.example (mail.sender.example [192.0.2.1])\r\n\tby mx.kauppa.example with ESMTPS id x1;\r\n\t{date}\r\n\
         Authentication-Results: mx.kauppa.example;\r\n\t{results}\r\nFrom: {from}\r\nTo: asiakaspalvelu@kauppa.example\r\n\
         Subject: {subject}\r\nDate: {date}\r\nMessage-ID: <{id}>\r\n{headers}MIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    )
}

/// A message of the web chat.
pub fn chat(event_id: &str, visitor: &str, text: &str) -> String {
    serde_json::json!({"event_id": event_id, "type": "message", "conversation_id": visitor, "visitor": {"id": visitor},
        "text": text, "sent_at": Timestamp::now().to_string()})
    .to_string()
}

/// A Messenger message.
pub fn messenger(mid: &str, psid: &str, time: &str, text: &str) -> String {
    let ms = at(time).as_millisecond();
    serde_json::json!({"object": "page", "entry": [{"id": "PAGE", "time": ms, "messaging": [{
        "sender": {"id": psid}, "recipient": {"id": "PAGE"}, "timestamp": ms, "message": {"mid": mid, "text": text}}]}]})
    .to_string()
}

/// A Messenger message that quotes another.
pub fn quoting(mid: &str, psid: &str, text: &str, quoted: &str) -> String {
    let ms = Timestamp::now().as_millisecond();
    serde_json::json!({"object": "page", "entry": [{"id": "PAGE", "time": ms, "messaging": [{
        "sender": {"id": psid}, "recipient": {"id": "PAGE"}, "timestamp": ms,
        "message": {"mid": mid, "text": text, "reply_to": {"mid": quoted}}}]}]})
    .to_string()
}

/// A line of the call log: an answered call.
pub fn call(src: &str, start: &str, uniqueid: &str) -> String {
    let start = at(start);
    let show = |shift: i64| {
        let at = start.saturating_add(jiff::SignedDuration::from_secs(shift)).expect("a time");
        at.strftime("%Y-%m-%d %H:%M:%S").to_string()
    };
    format!(
        "\"\",\"{src}\",\"+358942720000\",\"from-pstn\",\"\"\"\" <{src}>\",\"PJSIP/t-1\",\"PJSIP/200-1\",\"Dial\",\"PJSIP/200\",\"{}\",\"{}\",\"{}\",65,60,\"ANSWERED\",\"DOCUMENTATION\",\"{uniqueid}\",\"\"\n",
        show(0),
        show(5),
        show(65)
    )
}
