//! Contract tests of the mirrors of help desks: stand-ins on loopback that refuse what a vendor's documents do not allow, keep
//! what they were given, fail as they are told, and sign what agents do there. Whatever failed, each thread ends equal to
//! lanka's, and nothing is there twice.

mod chatwoot;
mod looks;
mod zammad;
mod zendesk;

use crate::desk::Desk;
use crate::graph::Graph;
use crate::late::{Said, facebook, letter, phone, texts, whatsapp};
use crate::post_office::PostOffice;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use lanka::pure::channels::{Delivery, Forged};
use lanka::pure::domain::Timestamp;
use lanka::shell::carriers::http::HttpCarrier;
use lanka::shell::deliver::{Deliver, Limits};
use lanka::shell::hands::Saying;
use lanka::shell::privacy::Privacy;
use serde_json::{Value, json};
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const SAYING: Saying<'static> = Saying { by: "anna", why: "he called and said so" };

/// The secret of all: tokens and signatures.
pub const SECRET: &str = "secret-of-the-test";

/// How a request fails, the first time that it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Refused with a status, nothing done.
    Refused(u16),
    /// Asked for patience.
    Busy,
    /// Done, and the answer is a gateway's.
    Lost,
    /// Done, and the answer comes too late.
    Late,
}

/// A request as a tool sees it.
pub struct Asked {
    pub method: Method,
    /// The path in its parts.
    pub path: Vec<String>,
    pub query: BTreeMap<String, String>,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Asked {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// An article of a thread, as its readers see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Its number there.
    pub id: u64,
    /// What lanka stamped on it.
    pub stamp: Value,
    pub text: String,
    pub is_note: bool,
    pub is_customers: bool,
    /// The names of its files.
    pub files: Vec<String>,
}

/// A stand-in: its vendor's rules over what it keeps.
pub trait Tool: Default + Send + 'static {
    /// What its clock counts in.
    const TICK: Duration = Duration::from_millis(20);

    /// Its `[mirrors.NAME]`.
    fn config(name: &str, url: &str) -> String;

    /// The answer to a request. What the documents do not allow is an error with its sentence, which no test forgives.
    fn answer(&mut self, asked: &Asked) -> Result<(u16, Value), String>;

    /// The articles of lanka's ticket, in order.
    fn thread(&self, ticket: &str) -> Vec<Shown>;

    /// `open` or `closed`, or another word of its own.
    fn state(&self, ticket: &str) -> String;

    /// People whom it knows by lanka's id of them, with all that it says of each.
    fn people(&self) -> Vec<String>;

    /// An agent writes on the thread of a ticket of lanka's; gives the body of the webhook.
    fn write(&mut self, ticket: &str, text: &str, is_note: bool) -> Value;

    /// An agent closes it.
    fn close(&mut self, ticket: &str) -> Value;

    /// An agent opens it again.
    fn reopen(&mut self, ticket: &str) -> Value;

    /// An agent takes it, or lets it go.
    fn assign(&mut self, ticket: &str, is_taken: bool) -> Value;

    /// An agent waits for the customer.
    fn awaits(&mut self, ticket: &str) -> Value;

    /// An agent puts it into the group of the queue for feedback.
    fn put(&mut self, ticket: &str) -> Value;

    /// An agent says that it can wait.
    fn calm(&mut self, ticket: &str);

    /// Its group, its urgency in lanka's words, and the tags of its kinds.
    fn fields(&self, ticket: &str) -> String;

    /// The webhook for the last article, whoever wrote it.
    fn last(&mut self, ticket: &str) -> Value;

    /// Threads that are not lanka's change there, so many.
    fn bustle(&mut self, threads: usize);

    /// Time passes, for what is allowed only so often.
    fn wait(&mut self) {}

    /// The headers that a webhook comes with.
    fn signed(body: &[u8], now: Timestamp) -> Vec<(String, Vec<u8>)>;
}

/// What a stand-in has besides its state.
struct Stage<T> {
    tool: T,
    fault: Option<(Fault, usize)>,
    seen: HashSet<u64>,
    asked: usize,
    offences: Vec<String>,
}

/// A stand-in at its address; it ends with its value.
pub struct Stand<T: Tool> {
    pub address: SocketAddr,
    stage: Arc<Mutex<Stage<T>>>,
    server: JoinHandle<()>,
}

impl<T: Tool> Stand<T> {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let stage = Stage { tool: T::default(), fault: None, seen: HashSet::new(), asked: 0, offences: Vec::new() };
        let stage = Arc::new(Mutex::new(stage));
        let app = axum::Router::new().fallback(serve::<T>).with_state(stage.clone());
        let server = tokio::spawn(async move { axum::serve(listener, app).await.expect("served") });
        Self { address, stage, server }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Each request fails so at its first time, the first `times` of them.
    pub fn fail(&self, fault: Fault, times: usize) {
        self.stage.lock().unwrap().fault = Some((fault, times));
    }

    /// How many requests there were.
    pub fn asked(&self) -> usize {
        self.stage.lock().unwrap().asked
    }

    pub fn tool(&self) -> ToolGuard<'_, T> {
        ToolGuard(self.stage.lock().unwrap())
    }

    /// What was asked against the rules.
    pub fn offences(&self) -> Vec<String> {
        self.stage.lock().unwrap().offences.clone()
    }
}

/// A stand-in's state, held.
pub struct ToolGuard<'a, T>(MutexGuard<'a, Stage<T>>);

impl<T> std::ops::Deref for ToolGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.tool
    }
}

impl<T> std::ops::DerefMut for ToolGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0.tool
    }
}

impl<T: Tool> Drop for Stand<T> {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve<T: Tool>(
    State(stage): State<Arc<Mutex<Stage<T>>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().split('/').skip(1).map(str::to_owned).collect();
    let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let mut hasher = DefaultHasher::new();
    (method.as_str(), uri.to_string(), &body[..]).hash(&mut hasher);
    let asked = Asked { method, path, query, headers, body };
    let (fault, answer) = {
        let mut stage = stage.lock().unwrap();
        stage.asked += 1;
        let is_new = stage.seen.insert(hasher.finish());
        let fault = match &mut stage.fault {
            Some((fault, left)) if is_new && *left > 0 => {
                *left -= 1;
                Some(*fault)
            }
            _ => None,
        };
        let answer = match fault {
            Some(Fault::Refused(status)) => (status, json!({"error": "as told"})),
            Some(Fault::Busy) => (429, json!("Retry later")),
            _ => stage.tool.answer(&asked).unwrap_or_else(|why| {
                eprintln!("OFFENCE {} {}: {why}", asked.method, asked.path.join("/"));
                stage.offences.push(format!("{} {}: {why}", asked.method, asked.path.join("/")));
                (422, json!({"error": why}))
            }),
        };
        (fault, answer)
    };
    let (status, answer) = match fault {
        Some(Fault::Lost) => (504, json!("gateway")),
        Some(Fault::Late) => {
            tokio::time::sleep(Duration::from_secs(3)).await;
            answer
        }
        _ => answer,
    };
    let status = StatusCode::from_u16(status).expect("a status");
    let mut response = (status, axum::Json(answer)).into_response();
    if fault == Some(Fault::Busy) {
        response.headers_mut().insert("retry-after", "0".parse().expect("a value"));
    }
    response
}

/// Every key is one of these, of the type named: `text`, `number`, `bool`, `object`, `list`, `any`; with `!` it must be there.
pub fn only(value: &Value, keys: &[(&str, &str)]) -> Result<(), String> {
    let Some(fields) = value.as_object() else { return Err(format!("no object: {value}")) };
    for (key, found) in fields {
        let Some((_, kind)) = keys.iter().find(|(name, _)| name.trim_end_matches('!') == key) else {
            return Err(format!("the key {key} is not known"));
        };
        let fits = match *kind {
            "text" => found.is_string(),
            "number" => found.is_u64(),
            "bool" => found.is_boolean(),
            "object" => found.is_object(),
            "list" => found.is_array(),
            _ => true,
        };
        if !fits {
            return Err(format!("{key} is no {kind}: {found}"));
        }
    }
    let missing = keys.iter().find(|(name, _)| name.ends_with('!') && !fields.contains_key(name.trim_end_matches('!')));
    missing.map_or(Ok(()), |(name, _)| Err(format!("{name} is missing")))
}

/// A text that must be one of these.
pub fn one_of(value: &Value, words: &[&str]) -> Result<(), String> {
    match value.as_str().is_some_and(|word| words.contains(&word)) {
        true => Ok(()),
        false => Err(format!("{value} is none of {words:?}")),
    }
}

/// A desk that answers by Messenger and mail, with tools.
pub struct Office {
    pub desk: Desk,
    deliver: Deliver,
    pub graph: Graph,
    _post: PostOffice,
}

impl Office {
    /// With these mirrors, and no other.
    pub async fn open(mirrors: &str) -> Self {
        let (graph, post) = (Graph::open().await, PostOffice::open().await);
        let meta = format!(
            "verify_token = {{ env = \"SECRET\" }}\naccess_token = {{ env = \"SECRET\" }}\napi_url = \"{}\"",
            graph.url()
        );
        let smtp = format!(
            "smtp = {{ host = \"127.0.0.1\", port = {}, tls = \"none\", from = \"Kauppa <asiakaspalvelu@kauppa.example>\" }}",
            post.address.port()
        );
        let desk = Desk::open_with(|config| {
            let config = config.split("[mirrors.desk]").next().unwrap_or_default().to_owned();
            config.replace("verify_token = { env = \"SECRET\" }", &meta).replace(
                "trusted_authserv = \"mx.kauppa.example\"",
                &format!("trusted_authserv = \"mx.kauppa.example\"\n{smtp}"),
            ) + mirrors
                + "\n[http]\nallow_private_addresses = true\n"
        })
        .await;
        let limits = Limits {
            backoff_first: Duration::from_millis(1),
            failures_max: 100_000,
            failing_max: Duration::from_secs(100_000),
            ..Limits::default()
        };
        let deliver = desk.deliverer(limits);
        Self { desk, deliver, graph, _post: post }
    }

    /// Takes in one after another.
    pub async fn hear(&self, said: &[Said]) {
        for Said { channel, at, body, .. } in said {
            self.desk.take(channel, at, body.clone()).await;
        }
    }

    /// Delivers until nothing waits any more, as if the time passed in between.
    pub async fn deliver(&self) {
        for _ in 0..200 {
            sqlx::query("UPDATE outbox SET due_at = now() WHERE state = 'pending'")
                .execute(&self.desk.store.pool)
                .await
                .expect("time passes");
            self.deliver.until_idle().await.expect("delivered");
            if self.desk.count("SELECT count(*) FROM outbox WHERE state IN ('pending', 'claimed')").await == 0 {
                let dead = texts(
                    &self.desk,
                    "SELECT concat_ws(' ', change, why) FROM outbox WHERE state = 'dead' AND change <> 'answer.due'",
                )
                .await;
                assert_eq!(dead, Vec::<String>::new());
                return;
            }
        }
        let waits = texts(&self.desk, "SELECT concat_ws(' ', change, why) FROM outbox WHERE state = 'pending'").await;
        panic!("it never ends: {waits:#?}");
    }

    /// Delivers what can be delivered now.
    pub async fn try_delivery(&self) {
        self.deliver.until_idle().await.expect("delivered");
    }

    /// Fetches files.
    pub async fn fetch(&self) {
        let carrier = HttpCarrier::new(true).expect("a carrier");
        self.desk.media(carrier, lanka::shell::media::Limits::default()).until_idle().await.expect("fetched");
    }

    /// One value of the message with an id of a vendor's.
    pub async fn of(&self, key: &str, column: &str) -> String {
        let sql = format!(
            "SELECT coalesce({column}::text, '') FROM message m LEFT JOIN identity i ON i.id = m.identity_id
             WHERE split_part(m.source_key, '@', 1) = '{key}'"
        );
        texts(&self.desk, &sql).await.pop().unwrap_or_else(|| panic!("there is no message {key}"))
    }

    pub async fn ticket(&self, key: &str) -> String {
        self.of(key, "m.ticket_id").await
    }

    /// A webhook of a mirror as the door takes it: refused, or taken in.
    pub async fn hook<T: Tool>(&self, name: &str, body: &Value) -> Result<(), Forged> {
        let body = body.to_string().into_bytes();
        let headers = T::signed(&body, Timestamp::now());
        self.knock(name, &headers, body).await
    }

    pub async fn knock(&self, name: &str, headers: &[(String, Vec<u8>)], body: Vec<u8>) -> Result<(), Forged> {
        let registry = self.desk.ingest.registry();
        let now = Timestamp::now();
        let delivery = Delivery { headers, url: "", body: &body, received_at: now };
        registry.channels[name].verify(&delivery)?;
        self.desk.take(name, &now.to_string(), body).await;
        Ok(())
    }

    /// What stands in quarantine.
    pub async fn quarantined(&self) -> i64 {
        self.desk.count("SELECT count(*) FROM quarantine").await
    }

    /// Each ticket of lanka's with its messages, and the tickets that were joined into it.
    async fn threads(&self) -> Vec<(String, Vec<String>, Vec<String>)> {
        let mut threads = Vec::new();
        for ticket in texts(&self.desk, "SELECT id::text FROM ticket WHERE merged_into IS NULL ORDER BY id").await {
            let of = |sql: &str| sql.replace("TICKET", &ticket);
            let messages =
                texts(&self.desk, &of("SELECT id::text FROM message WHERE ticket_id = 'TICKET' ORDER BY id")).await;
            let merged =
                texts(&self.desk, &of("SELECT id::text FROM ticket WHERE merged_into = 'TICKET' ORDER BY id")).await;
            threads.push((ticket, messages, merged));
        }
        threads
    }

    /// Each thread there is lanka's: every message once, on its ticket, in lanka's order of changes; what was moved away is
    /// said to be.
    pub async fn is_mirrored<T: Tool>(&self, stand: &Stand<T>) {
        assert_eq!(stand.offences(), Vec::<String>::new());
        let threads = self.threads().await;
        let tool = stand.tool();
        let mut expected = BTreeSet::new();
        for (ticket, messages, merged) in threads {
            let mut here: Vec<String> = Vec::new();
            for ticket in std::iter::once(&ticket).chain(&merged) {
                let shown = tool.thread(ticket);
                let whole: Vec<&Shown> = shown.iter().filter(|shown| is_whole(shown)).collect();
                let sequences: Vec<i64> = whole.iter().filter_map(|shown| shown.stamp["sequence"].as_i64()).collect();
                assert!(!merged.is_empty() || sequences.is_sorted(), "{ticket}: {sequences:?}");
                let left = shown.iter().filter(|shown| shown.text.starts_with("Moved away:")).count();
                let of: Vec<String> = whole.iter().map(|shown| text(&shown.stamp["message"])).collect();
                let gone = of.iter().filter(|message| !messages.contains(message)).count();
                assert!(gone <= left, "{ticket}: {gone} of others, {left} said to be moved away: {shown:#?}");
                here.extend(of.into_iter().filter(|message| messages.contains(message)));
                let keys: Vec<String> =
                    shown.iter().map(|shown| text(&shown.stamp["key"])).filter(|key| !key.is_empty()).collect();
                let once: BTreeSet<&String> = keys.iter().collect();
                assert_eq!(once.len(), keys.len(), "{ticket}: something is there twice: {keys:?}");
            }
            // A merge shows one thread under both names.
            let mut once = here.clone();
            once.sort();
            once.dedup();
            assert_eq!(once, messages, "{ticket}");
            expected.extend(messages);
        }
        assert!(!expected.is_empty());
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Whether an article shows a message whole.
fn is_whole(shown: &Shown) -> bool {
    shown.stamp["key"].as_str().is_some_and(|key| key.starts_with("m-"))
}

const ORDER: &str = "Tilaus 40012345 puuttuu.\n\nT. Minna Virtanen";

/// Minna on five channels, with a file, a late message and a merge; Pekka beside her.
fn told() -> Vec<Said> {
    let with_file = letter("a", "03-05 10:00", crate::late::MINNA, "Liite ohessa, tilaus 40012345.");
    let body = with_file.body.replace(
        "Content-Type: text/plain; charset=utf-8\r\n\r\n",
        "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n",
    ) + "\r\n--m\r\nContent-Type: application/pdf; name=\"lasku.pdf\"\r\nContent-Disposition: attachment; filename=\"lasku.pdf\"\r\n\r\n%PDF\r\n--m--\r\n";
    vec![
        facebook("f1", "03-04 10:00", "P1", "Onko lamppuja?"),
        Said { body, ..with_file },
        phone("1.1", "03-05 11:00", crate::late::PHONE),
        letter("p", "03-05 12:00", crate::late::PEKKA, "Tilaus 40099999 puuttuu."),
        facebook("f2", "03-05 13:00", "P1", ORDER),
        whatsapp("w1", "03-05 14:00", "358401234567", "Minna Virtanen", "Hei, tilaus 40012345?"),
        crate::late::browser("c1", "03-05 15:00", "v1", "Moi, onko ketään?"),
        // Said before all of them, and heard last.
        Said {
            at: "2026-03-06T08:00:00Z".to_owned(),
            ..letter("b", "03-03 09:00", crate::late::MINNA, "Ensimmäinen, tilaus 40012345.")
        },
    ]
}

/// The story of [`told`] through a tool that fails so; then messages are moved and tickets merged by hand, a ticket is closed
/// and opened again, and Pekka is erased.
pub async fn story<T: Tool>(fault: Option<(Fault, usize)>) {
    let stand = Stand::<T>::open().await;
    let office = Office::open(&T::config("helpdesk", &stand.url())).await;
    if let Some((fault, times)) = fault {
        stand.fail(fault, times);
    }
    let told = told();
    office.hear(&told[..3]).await;
    office.deliver().await;
    office.hear(&told[3..]).await;
    office.deliver().await;
    office.is_mirrored(&stand).await;
    let tickets: Vec<String> =
        office.threads().await.into_iter().flat_map(|(one, _, merged)| [vec![one], merged].concat()).collect();
    let files: Vec<String> = {
        let tool = stand.tool();
        tickets.iter().flat_map(|ticket| tool.thread(ticket)).flat_map(|shown| shown.files).collect()
    };
    assert_eq!(files, ["lasku.pdf"]);

    let (chat, first) = (office.of("c1", "m.id").await, office.ticket("a").await);
    office.desk.hands().move_to(&[chat], &first, SAYING).await.expect("moved");
    office.deliver().await;
    office.is_mirrored(&stand).await;
    let pekka = office.ticket("p").await;
    office.desk.hands().merge(&pekka, &first, SAYING).await.expect("merged");
    office.deliver().await;
    office.is_mirrored(&stand).await;
    office.hear(&[facebook("f3", "03-07 10:00", "P1", "Entä nyt?")]).await;
    office.deliver().await;
    office.is_mirrored(&stand).await;

    let contact = office.of("p", "i.contact_id").await;
    assert!(stand.tool().people().iter().any(|person| person.contains("pekka@kirje.example")));
    Privacy::new(office.desk.store.clone(), office.desk.ingest.registry())
        .erase(None, &contact, SAYING)
        .await
        .expect("erased");
    office.deliver().await;
    assert_eq!(stand.offences(), Vec::<String>::new());
    let kept = "SELECT count(*) FROM outbox WHERE replies::text ILIKE '%kirje.example%'";
    assert_eq!(office.desk.count(kept).await, 0, "what the tool told of him");
    let left = stand.tool().people();
    assert!(!left.iter().any(|person| person.contains("pekka@kirje.example")), "{left:?}");
    assert_eq!(office.quarantined().await, 0);
}

/// A customer on Messenger who wrote just now, and his ticket there.
pub async fn asked<T: Tool>(office: &Office) -> String {
    let now = Timestamp::now().to_string();
    let question = crate::desk::messenger("m_1", "P1", &now, "Missä tilaukseni 40012345 on?");
    office.desk.take("facebook", &now, question).await;
    office.deliver().await;
    office.ticket("m_1").await
}

/// What agents do in the tool: an answer goes to the customer once, a note to nobody; forged, repeated and our own deliveries
/// change nothing; a refusal of the platform is told.
pub async fn agents<T: Tool>() {
    let stand = Stand::<T>::open().await;
    let office = Office::open(&T::config("helpdesk", &stand.url())).await;
    let ticket = asked::<T>(&office).await;
    let told: Vec<String> = stand.tool().thread(&ticket).into_iter().map(|shown| shown.text).collect();
    assert!(told.iter().any(|text| text.contains("Public answers go to the customer by facebook")), "{told:?}");

    // Our own article comes back.
    let own = stand.tool().last(&ticket);
    office.hook::<T>("helpdesk", &own).await.expect("signed");
    assert_eq!(office.desk.count("SELECT count(*) FROM message").await, 1);

    let note = stand.tool().write(&ticket, "Hankala asiakas.", true);
    office.hook::<T>("helpdesk", &note).await.expect("signed");
    office.deliver().await;
    assert_eq!(office.graph.got(), []);
    assert_eq!(office.desk.count("SELECT count(*) FROM message WHERE 'internal' = ANY(marks)").await, 1);

    let reply = stand.tool().write(&ticket, "Se lähti eilen.", false);
    for _ in 0..3 {
        office.hook::<T>("helpdesk", &reply).await.expect("signed");
        office.deliver().await;
    }
    let got: Vec<(String, String)> = office.graph.got().into_iter().map(|got| (got.to, got.text)).collect();
    assert_eq!(got, [("P1".to_owned(), "Se lähti eilen.".to_owned())]);
    let by = texts(&office.desk, "SELECT sender_name FROM message WHERE text = 'Se lähti eilen.'").await;
    assert_eq!(by, ["Emma Taylor"]);
    let told = stand.tool().thread(&ticket);
    assert_eq!(told.iter().filter(|shown| shown.text.contains("Se lähti eilen.")).count(), 1, "{told:#?}");

    // An address that was picked in the first line.
    let picked = stand.tool().write(&ticket, "/to messenger:P1\nToinen.", false);
    office.hook::<T>("helpdesk", &picked).await.expect("signed");
    office.deliver().await;
    assert_eq!(office.graph.got().last().map(|got| got.text.clone()).as_deref(), Some("Toinen."));

    // Nobody else's word counts.
    let forged = stand.tool().write(&ticket, "Väärennös.", false);
    let body = forged.to_string().into_bytes();
    let mut headers = T::signed(&body, Timestamp::now());
    let other = |byte: u8| if byte == b'0' { b'1' } else { b'0' };
    headers.iter_mut().for_each(|(_, value)| value.iter_mut().rev().take(2).for_each(|byte| *byte = other(*byte)));
    assert!(office.knock("helpdesk", &headers, body.clone()).await.is_err());
    assert!(office.knock("helpdesk", &[], body).await.is_err());
    let headers = T::signed(b"{}", Timestamp::now());
    assert!(office.knock("helpdesk", &headers, forged.to_string().into_bytes()).await.is_err());
    assert_eq!(office.desk.count("SELECT count(*) FROM message").await, 4);

    // What the platform refuses, the agent is told where he wrote.
    office.graph.fail([crate::graph::Failure::Error(400, 551)]);
    let refused = stand.tool().write(&ticket, "Vielä yksi.", false);
    office.hook::<T>("helpdesk", &refused).await.expect("signed");
    office.deliver().await;
    let told = stand.tool().thread(&ticket);
    let failed = told.iter().filter(|shown| shown.is_note && shown.text.contains("NOT DELIVERED")).count();
    assert_eq!(failed, 1, "{told:#?}");

    let closed = stand.tool().close(&ticket);
    office.hook::<T>("helpdesk", &closed).await.expect("signed");
    assert_eq!(office.desk.count("SELECT count(*) FROM ticket WHERE state = 'closed'").await, 1);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let now = Timestamp::now().to_string();
    office.desk.take("facebook", &now, crate::desk::messenger("m_2", "P1", &now, "Tilaus 40012345 ei tullut.")).await;
    office.deliver().await;
    assert_eq!(office.ticket("m_2").await, ticket);
    assert_eq!(stand.tool().state(&ticket), "open");
    // The old closing, delivered again.
    office.hook::<T>("helpdesk", &closed).await.expect("signed");
    assert_eq!(office.desk.count("SELECT count(*) FROM ticket WHERE state = 'closed'").await, 0);
    assert_eq!((office.quarantined().await, stand.offences()), (0, Vec::new()));
}

/// Who has a ticket, and that it is closed and open again, is taken back from a tool, and told in the other.
pub async fn owners<T: Tool>(owner: &str) {
    let (one, other) = (Stand::<T>::open().await, Stand::<T>::open().await);
    let office = Office::open(&(T::config("helpdesk", &one.url()) + &T::config("second", &other.url()))).await;
    let ticket = asked::<T>(&office).await;
    let stands = async || texts(&office.desk, "SELECT concat_ws(' ', state, owner) FROM ticket").await.join(", ");
    let act = async |body: &Value| {
        // An instant later than the one before.
        tokio::time::sleep(T::TICK).await;
        // Tools tell of a thing twice now and then.
        for _ in 0..2 {
            office.hook::<T>("helpdesk", body).await.expect("signed");
            office.deliver().await;
        }
    };
    act(&one.tool().assign(&ticket, true)).await;
    assert_eq!(stands().await, format!("open {owner}"));
    let taken = one.tool().close(&ticket);
    act(&taken).await;
    assert_eq!(stands().await, format!("closed {owner}"));
    assert_ne!(other.tool().state(&ticket), "open");
    let reopened = one.tool().reopen(&ticket);
    act(&reopened).await;
    assert_eq!((stands().await, other.tool().state(&ticket)), (format!("open {owner}"), "open".to_owned()));
    // What was before that changes nothing when it is told again.
    act(&taken).await;
    assert_eq!(stands().await, format!("open {owner}"));
    act(&one.tool().close(&ticket)).await;
    assert_eq!(stands().await, format!("closed {owner}"), "closed for the second time");
    act(&reopened).await;
    assert_eq!(stands().await, format!("closed {owner}"));
    act(&one.tool().assign(&ticket, false)).await;
    assert_eq!(stands().await, "closed");
    let notes = |stand: &Stand<T>| -> Vec<String> {
        let thread = stand.tool().thread(&ticket);
        let notes = thread.into_iter().filter(|shown| shown.is_note && shown.text.contains("this ticket"));
        notes.map(|shown| shown.text.lines().last().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(notes(&one), Vec::<String>::new(), "who did it there is not told so");
    assert_eq!(notes(&other), [format!("{owner} has this ticket."), "Nobody has this ticket any more.".to_owned()]);
    assert_eq!((office.graph.got().len(), office.quarantined().await), (0, 0), "no customer hears of it");
    assert_eq!((one.offences(), other.offences()), (Vec::new(), Vec::new()));
}

/// What [`Tool::fields`] gives.
pub fn fields_of<'a>(group: &str, priority: &str, tags: impl Iterator<Item = &'a str>) -> String {
    let kinds: BTreeSet<&str> = tags.filter_map(|tag| tag.strip_prefix("lanka-")).collect();
    format!("{group} {priority} {}", kinds.into_iter().collect::<Vec<_>>().join(" ")).trim().to_owned()
}

/// Group, urgency and kinds follow what is said, and what an agent set since stays. That the desk waits, and in which queue it is, is
/// taken back from a tool and told in the other.
pub async fn fields<T: Tool>(awaited: &str) {
    let (one, other) = (Stand::<T>::open().await, Stand::<T>::open().await);
    let office = Office::open(&(T::config("helpdesk", &one.url()) + &T::config("second", &other.url()))).await;
    let ticket = asked::<T>(&office).await;
    let says = async |key: &str, text: &str| {
        tokio::time::sleep(T::TICK).await;
        let now = Timestamp::now().to_string();
        office.desk.take("facebook", &now, crate::desk::messenger(key, "P1", &now, text)).await;
        office.deliver().await;
    };
    let act = async |body: &Value| {
        tokio::time::sleep(T::TICK).await;
        for _ in 0..2 {
            office.hook::<T>("helpdesk", body).await.expect("signed");
            office.deliver().await;
        }
    };
    let stands = async || {
        let sql =
            "SELECT concat_ws(' ', state, CASE WHEN awaited_since IS NOT NULL THEN 'awaited' END, queue) FROM ticket";
        texts(&office.desk, sql).await.join(", ")
    };
    assert_eq!((one.tool().fields(&ticket), stands().await), ("Support normal service".into(), "open support".into()));
    // In the second an agent had said that it can wait.
    other.tool().calm(&ticket);
    says("m_2", "Tilaus 40012345: kiire, laite on rikki ja tuotanto seis!").await;
    assert_eq!(one.tool().fields(&ticket), "Support high problem service");
    assert_eq!(other.tool().fields(&ticket), "Support low problem service");

    act(&one.tool().awaits(&ticket)).await;
    assert_eq!((stands().await, other.tool().state(&ticket)), ("open awaited support".into(), awaited.to_owned()));
    says("m_3", "Tilauksen 40012345 laite on yhä rikki.").await;
    let states = (one.tool().state(&ticket), other.tool().state(&ticket));
    assert_eq!((stands().await, states), ("open support".into(), ("open".into(), "open".into())));
    act(&one.tool().awaits(&ticket)).await;
    act(&one.tool().reopen(&ticket)).await;
    assert_eq!((stands().await, other.tool().state(&ticket)), ("open support".into(), "open".to_owned()));

    act(&one.tool().put(&ticket)).await;
    assert_eq!(stands().await, "open feedback");
    assert_eq!(other.tool().fields(&ticket), "Feedback low problem service");
    says("m_4", "Tilaus 40012345: vieläkin rikki.").await;
    assert_eq!(stands().await, "open feedback", "an agent's word stands");
    assert_eq!(one.tool().fields(&ticket), "Feedback high problem service");

    act(&one.tool().close(&ticket)).await;
    act(&one.tool().awaits(&ticket)).await;
    assert_eq!(stands().await, "open awaited feedback", "waiting it is not closed");
    assert_eq!((office.quarantined().await, one.offences(), other.offences()), (0, Vec::new(), Vec::new()));
}

/// A tool that is set up when a ticket is there already gets it with its next change.
pub async fn later<T: Tool>() {
    let stand = Stand::<T>::open().await;
    let office = Office::open(&T::config("helpdesk", &stand.url())).await;
    office.hear(&[facebook("f1", "03-04 10:00", "P1", "Onko lamppuja?")]).await;
    sqlx::query("DELETE FROM outbox").execute(&office.desk.store.pool).await.expect("nobody heard");
    office.hear(&[facebook("f2", "03-04 10:05", "P1", "Haloo?")]).await;
    office.deliver().await;
    let (ticket, second) = (office.ticket("f2").await, office.of("f2", "m.id").await);
    let thread = stand.tool().thread(&ticket);
    let whole: Vec<String> =
        thread.iter().filter(|shown| is_whole(shown)).map(|shown| text(&shown.stamp["message"])).collect();
    assert_eq!((whole, stand.offences()), (vec![second], Vec::new()));
}

/// A delivery as it is when nobody, or a program, wrote what it tells of: its name, what is otherwise in it, and how many notes
/// are made of it.
pub type Robot<'a> = (&'a str, &'a [(&'a str, Value)], i64);

/// What the tool wrote by itself, or a program in an agent's place, goes to nobody; what is kept of it is a note that says so.
pub async fn robots<T: Tool>(robots: &[Robot<'_>]) {
    let stand = Stand::<T>::open().await;
    let office = Office::open(&T::config("helpdesk", &stand.url())).await;
    let ticket = asked::<T>(&office).await;
    for (name, otherwise, notes) in robots {
        let mut told = stand.tool().write(&ticket, &format!("Olen lomalla ({name})."), false);
        for (place, value) in *otherwise {
            let (parent, key) = place.rsplit_once('/').expect("a place");
            told.pointer_mut(parent).expect("its parent")[key] = value.clone();
        }
        let before = automatic(&office).await;
        office.hook::<T>("helpdesk", &told).await.expect("signed");
        office.deliver().await;
        assert_eq!((automatic(&office).await - before, office.graph.got()), (*notes, Vec::new()), "{name}");
    }
    assert_eq!(office.desk.count("SELECT count(*) FROM answer").await, 0);
    assert_eq!((office.quarantined().await, stand.offences()), (0, Vec::new()));
}

async fn automatic(office: &Office) -> i64 {
    office.desk.count("SELECT count(*) FROM message WHERE marks @> ARRAY['internal', 'automatic']").await
}

/// Two tools on one desk: each sees what is answered in the other, once.
pub async fn peers<T: Tool>() {
    let (one, other) = (Stand::<T>::open().await, Stand::<T>::open().await);
    let office = Office::open(&(T::config("helpdesk", &one.url()) + &T::config("second", &other.url()))).await;
    let ticket = asked::<T>(&office).await;
    let reply = one.tool().write(&ticket, "Se lähti eilen.", false);
    office.hook::<T>("helpdesk", &reply).await.expect("signed");
    office.deliver().await;
    // The other tool tells of every article that it has.
    let echo = other.tool().last(&ticket);
    office.hook::<T>("second", &echo).await.expect("signed");
    office.deliver().await;
    for stand in [&one, &other] {
        let thread = stand.tool().thread(&ticket);
        assert_eq!(thread.iter().filter(|shown| shown.text.contains("Se lähti eilen.")).count(), 1, "{thread:#?}");
        assert_eq!(stand.offences(), Vec::<String>::new());
    }
    let shown = other.tool().thread(&ticket);
    let reply = shown.iter().find(|shown| shown.text.contains("Se lähti eilen.")).expect("the reply");
    assert!(!reply.is_customers && !reply.is_note && reply.text.contains("Emma Taylor"), "{reply:#?}");
    assert_eq!((office.graph.got().len(), office.desk.count("SELECT count(*) FROM message").await), (1, 2));
}

/// What a mirror of the tool reads out of a delivery.
fn read(office: &Office, name: &str, body: Vec<u8>) -> lanka::pure::domain::message::Parsed {
    office.desk.ingest.registry().channels[name].parse(&delivered(name, body))
}

fn delivered(name: &str, body: Vec<u8>) -> lanka::pure::domain::message::RawEvent {
    lanka::pure::domain::message::RawEvent {
        id: lanka::pure::domain::id::RawEventId(uuid::Uuid::nil()),
        tenant: "main".to_owned(),
        channel: name.to_owned(),
        kind: name.to_owned(),
        received_at: Timestamp::now(),
        trusted_at: None,
        origin: "test".to_owned(),
        body: body.into(),
    }
}

/// Odd deliveries break nothing: each key of a good one is taken out, or made something else. A reply that is taken out of its
/// delivery leaves nothing of itself.
pub async fn odd<T: Tool>() {
    let stand = Stand::<T>::open().await;
    let office = Office::open(&T::config("helpdesk", &stand.url())).await;
    let ticket = asked::<T>(&office).await;
    let good = stand.tool().write(&ticket, "Se lähti eilen.", false);
    assert_eq!(read(&office, "helpdesk", good.to_string().into_bytes()).items.len(), 1);
    let mut paths = Vec::new();
    walk(&good, &mut String::new(), &mut paths);
    for path in &paths {
        for odd in [Value::Null, json!(7), json!("x"), json!([]), json!({}), json!([[{}], 1.5])] {
            let mut body = good.clone();
            *body.pointer_mut(path).expect("a place") = odd.clone();
            let parsed = read(&office, "helpdesk", body.to_string().into_bytes());
            assert!(parsed.items.len() <= 1, "{path} = {odd}");
            // What is not said to be public is none.
            let is_public = parsed.items.iter().any(|item| item.marks.is_empty());
            assert!(
                !is_public || !["internal", "private", "is_public"].iter().any(|key| path.ends_with(key)),
                "{path} = {odd}"
            );
        }
    }
    for body in ["", "{", "[]", "null", "7", "\u{feff}{}"] {
        assert!(read(&office, "helpdesk", body.into()).items.is_empty(), "{body}");
    }
    let event = delivered("helpdesk", good.to_string().into_bytes());
    let channel = office.desk.ingest.registry().channels["helpdesk"].clone();
    let redacted = channel.redact(&event, 0).expect("it is there");
    assert!(!String::from_utf8_lossy(&redacted.body).contains("Se lähti"));
    let again = delivered("helpdesk", redacted.body);
    assert!(channel.parse(&again).items.iter().all(|item| item.redacted));
    assert_eq!(channel.redact(&again, 0), None);
}

/// Every place in a value, as a JSON pointer.
fn walk(value: &Value, path: &mut String, paths: &mut Vec<String>) {
    let mut into = |key: String, value: &Value| {
        let length = path.len();
        path.push('/');
        path.push_str(&key);
        paths.push(path.clone());
        walk(value, path, paths);
        path.truncate(length);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| into(key.clone(), value)),
        Value::Array(values) => values.iter().enumerate().for_each(|(n, value)| into(n.to_string(), value)),
        _ => {}
    }
}

#[test]
fn settings_are_held_against_their_rules() {
    let secret = "{ \"\\u0001secret\" = \"x\" }";
    let blank = "{ \"\\u0001secret\" = \" \" }";
    let good = [
        ("zammad", "url = 'https://z.example'\ntoken = SECRET\ngroup = 'Support'\nwebhook_secret = SECRET"),
        ("chatwoot", "url = 'https://c.example'\naccount = 1\ninbox = 5\ntoken = SECRET\nwebhook_secret = SECRET"),
        (
            "zendesk",
            "url = 'https://z.example'\nuser = 'a@b.example'\nuser_id = 7\ntoken = SECRET\nwebhook_secret = SECRET",
        ),
    ];
    let check = |kind: &str, toml: String| -> Vec<String> {
        let table = toml
            .replace("SECRET", secret)
            .replace("BLANK", blank)
            .parse()
            .unwrap_or_else(|error| panic!("{toml}: {error}"));
        let setup = lanka::pure::mirrors::Setup { name: "helpdesk", allow_private_addresses: false };
        let built = (lanka::pure::mirrors::kind(kind).expect("the kind").build)(&setup, table);
        built.err().unwrap_or_default().into_iter().map(|problem| problem.key).collect()
    };
    for (kind, good) in good {
        assert_eq!(check(kind, good.to_owned()), Vec::<String>::new(), "{kind}");
        for fit in [good.replace("webhook_secret = SECRET", ""), format!("{good}\npoll_interval_s = 10")] {
            assert_eq!(check(kind, fit), Vec::<String>::new(), "{kind}");
        }
        let url = good.lines().next().expect("a line");
        for (from, to, key) in [
            (url, "url = 'http://desk.example'", "url"),
            (url, "url = 'https://127.0.0.1'", "url"),
            (url, "url = 'https://169.254.169.254'", "url"),
            (url, "url = 'https://a:b@desk.example'", "url"),
            (url, "url = 'https://desk.example/?a=1'", "url"),
            (url, "url = 'desk.example'", "url"),
            ("\ntoken = SECRET", "\ntoken = 'plain'", "token"),
            ("\ntoken = SECRET", "\ntoken = BLANK", "token"),
            ("\ntoken = SECRET", "", "token"),
            ("webhook_secret = SECRET", "webhook_secret = BLANK", "webhook_secret"),
            (url, &format!("{url}\npoll_interval_s = 0"), "poll_interval_s"),
            (url, &format!("{url}\npoll_interval_s = 4"), "poll_interval_s"),
            (url, &format!("{url}\npoll_interval_s = 3601"), "poll_interval_s"),
            ("group = 'Support'", "group = ' '", "group"),
            ("inbox = 5", "inbox = 0", "inbox"),
            ("account = 1", "account = 0", "account"),
            ("user = 'a@b.example'", "user = 'a@b.example/token'", "user"),
            ("user_id = 7", "user_id = 0", "user_id"),
            (url, &format!("{url}\ntimeout_s = 61"), "timeout_s"),
            (url, &format!("{url}\nattempts_max = 0"), "attempts_max"),
            (url, &format!("{url}\ngive_up_after_days = 0"), "give_up_after_days"),
            (url, &format!("{url}\ntimeout = 5"), "timeout"),
        ] {
            if good.contains(from) {
                assert_eq!(check(kind, good.replacen(from, to, 1)), [key], "{kind}: {to}");
            }
        }
        assert_eq!(
            check(kind, good.replacen(url, "url = 'http://desk.example'\ninsecure_http = true", 1)),
            Vec::<String>::new()
        );
    }
}
