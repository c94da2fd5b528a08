//! The API through the socket: tokens, every route held to the document, another firm's things, repeats, and clients
//! that hang up.

use crate::commands::Place;
use crate::desk::{Desk, at, chat};
use crate::late::{MINNA, PEKKA, Said, answer_to, facebook, letter, letter_with};
use crate::support::eventually;
use lanka::pure::domain::Timestamp;
use lanka::pure::domain::ready::ReadyAnswer;
use lanka::shell::api::{Api, ApiLimits, new_token};
use lanka::shell::carriers::install_tls_provider;
use lanka::shell::page::Page;
use lanka::shell::page::link::Links;
use lanka::shell::server::{ServerLimits, serve};
use lanka::shell::store::api_token::{NewApiToken, Scope};
use lanka::shell::store::raw_event::{NewRawEvent, RawBody};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const NOBODY: &str = "01a201b7-a736-7000-833c-6468fcfd2fe6";

/// Where links lead.
pub(crate) const PUBLIC_URL: &str = "https://support.kauppa.example/";

/// A desk of two firms with the API at its door.
pub(crate) struct Office {
    pub(crate) desk: Desk,
    pub(crate) api: Api,
    pub(crate) address: SocketAddr,
    pub(crate) client: reqwest::Client,
    document: Value,
    _stop: watch::Sender<bool>,
}

impl Office {
    pub(crate) async fn open() -> Self {
        Self::open_with(ApiLimits::default()).await
    }

    pub(crate) async fn open_with(limits: ApiLimits) -> Self {
        let other = "[channels.elsewhere]\nkind = \"webchat\"\nsecret = { env = \"WHSEC\" }\ntenant = \"other\"\n";
        let desk = Desk::open_with(|config| format!("{config}\n{other}")).await;
        let links = Links::new(&desk.keys, Some(PUBLIC_URL.parse().expect("a URL")));
        let api = Api::new(desk.store.clone(), desk.ingest.registry(), limits).with_links(links);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let (stop, stopping) = watch::channel(false);
        tokio::spawn(serve(
            listener,
            api.routes().merge(Page::new(api.clone()).routes()),
            ServerLimits::default(),
            stopping,
        ));
        install_tls_provider();
        let client = reqwest::Client::new();
        let document = client.get(format!("http://{address}/api/v1/openapi.json")).send().await.expect("an answer");
        let document = document.json().await.expect("a document");
        Self { desk, api, address, client, document, _stop: stop }
    }

    /// Minna by chat and by mail, which nothing joins, and Pekka; and somebody of the other firm.
    pub(crate) async fn story(&self) {
        let said = [
            facebook("f", "03-03 08:00", "P1", "Tilaus 40012345 puuttuu."),
            letter("a", "03-05 10:00", MINNA, "Tilausnumero 40012345.\n\nMinna Virtanen"),
            letter_with("c", "03-06 10:00", MINNA, "dmarc=pass", &answer_to("a@posti.example"), "Onko uutta?"),
            letter("b", "03-06 11:00", PEKKA, "Tilaus 40099999 puuttuu."),
        ];
        for Said { channel, at, body, .. } in said {
            self.desk.deliver(channel, &at, body).await;
        }
        for (event, visitor) in [("x", "w1"), ("y", "w2")] {
            let event = NewRawEvent {
                tenant: "other".to_owned(),
                channel: "elsewhere".to_owned(),
                kind: "webchat".to_owned(),
                received_at: Timestamp::now(),
                trusted_at: None,
                origin: "test".to_owned(),
                body: RawBody::Bytes(chat(event, visitor, "Laskusta.").into()),
            };
            self.desk.store.record(&[event], None).await.expect("recorded");
        }
        self.desk.decide().await;
    }

    /// A ready answer of each firm.
    pub(crate) async fn ready(&self) {
        let answers = ["main", "other"].map(|tenant| ReadyAnswer {
            id: format!("tilaus-{tenant}"),
            title: "Tilausta ei ole tullut".to_owned(),
            language: "fi".to_owned(),
            kinds: Vec::new(),
            like: Vec::new(),
            words: vec!["toimitus".to_owned()],
            organisations: Vec::new(),
            tenant: Some(tenant.to_owned()),
            text: "Hei {name}, selvitämme asian.".to_owned(),
        });
        self.desk.store.put_ready_answers(&answers, Timestamp::now()).await.expect("written");
    }

    pub(crate) async fn token(&self, name: &str, tenant: &str, scopes: &[Scope]) -> String {
        self.token_until(name, tenant, scopes, None).await
    }

    pub(crate) async fn token_until(
        &self,
        name: &str,
        tenant: &str,
        scopes: &[Scope],
        expires_at: Option<Timestamp>,
    ) -> String {
        let (token, hash) = new_token().expect("a token");
        let new = NewApiToken { name, tenant, scopes, hash, expires_at };
        assert!(self.desk.store.create_api_token(&new, Timestamp::now()).await.expect("kept"), "{name}");
        token
    }

    /// One value of the message with a key.
    pub(crate) async fn of(&self, key: &str, column: &str) -> String {
        let sql = format!(
            "SELECT coalesce({column}::text, '') FROM message m LEFT JOIN identity i ON i.id = m.identity_id
             WHERE split_part(m.source_key, '@', 1) = '{key}'"
        );
        let found = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&self.desk.store.pool).await;
        found.unwrap_or_else(|error| panic!("{key}: {error}"))
    }

    /// A text in which `<contact a>`, `<identity a>`, `<ticket a>` and `<message a>` stand for ids.
    pub(crate) async fn filled(&self, text: &str) -> String {
        let mut filled = String::new();
        for (n, part) in text.split(['<', '>']).enumerate() {
            match (n % 2, part.split_once(' ')) {
                (1, Some((what, key))) => {
                    let column = match what {
                        "contact" => "i.contact_id",
                        "identity" => "i.id",
                        "ticket" => "m.ticket_id",
                        _ => "m.id",
                    };
                    filled.push_str(&self.of(key, column).await);
                }
                _ => filled.push_str(part),
            }
        }
        filled
    }

    /// Asks, and holds the answer to the document. `ask` is `POST /contacts/<contact a>/link {…}`.
    pub(crate) async fn ask(&self, token: &str, ask: &str) -> (u16, Value) {
        let ask = self.filled(ask).await;
        let mut parts = ask.splitn(3, ' ');
        let (method, path) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let mut request = self.client.request(method.parse().expect("a method"), self.url(path));
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if let Some(body) = parts.next() {
            if path.ends_with("/replies") {
                request = request.header("idempotency-key", format!("key-{}", body.len()));
            }
            request = request.header("content-type", "application/json").body(body.to_owned());
        }
        let response = request.send().await.unwrap_or_else(|error| panic!("{ask}: {error}"));
        let status = response.status().as_u16();
        let media_type = response.headers()["content-type"].to_str().expect("text").to_owned();
        assert_eq!(response.headers()["cache-control"], "no-store", "{ask}");
        assert_eq!(response.headers().contains_key("www-authenticate"), [401, 403].contains(&status), "{ask}");
        let body: Value = response.json().await.unwrap_or_else(|error| panic!("{ask}: {error}"));
        match operation(&self.document, method, path) {
            Some(operation) => {
                let answer = &operation["responses"][status.to_string()];
                let schema = &answer["content"][&media_type]["schema"];
                assert!(schema.is_object(), "{ask}: {status} {media_type} is not in the document: {body}");
                let wrong = misfits(&self.document, schema, &body, "answer");
                assert_eq!(wrong, Vec::<String>::new(), "{ask}: {body}");
                let codes = answer["description"].as_str().unwrap_or_default();
                let code = body["code"].as_str().unwrap_or_default();
                assert!(status == 200 || codes.contains(code), "{ask}: {code} is not among {codes}");
            }
            None => assert_eq!((status, media_type.as_str()), (404, "application/problem+json"), "{ask}"),
        }
        (status, body)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/api/v1{path}", self.address)
    }

    /// All that acts change.
    async fn standing(&self) -> Vec<String> {
        let tables = ["contact", "identity", "ticket", "edge", "contact_link", "suggestion", "outbox", "ticket_event"];
        let sql: Vec<String> = tables.iter().map(|table| format!("SELECT to_jsonb(t)::text FROM {table} t")).collect();
        let sql = format!("{} ORDER BY 1", sql.join(" UNION ALL "));
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&self.desk.store.pool).await.expect("rows")
    }
}

/// The operation that the document has for a request.
fn operation<'a>(document: &'a Value, method: &str, path: &str) -> Option<&'a Value> {
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let template: Vec<&str> = template.trim_start_matches("/api/v1").split('/').collect();
        template.len() == parts.len() && template.iter().zip(&parts).all(|(t, part)| t == part || t.starts_with('{'))
    };
    let (_, path) = document["paths"].as_object()?.iter().find(|(template, _)| fits(template))?;
    path.get(method.to_lowercase()).or_else(|| path.as_object()?.values().next())
}

/// Where a value is not what a schema says. An object may hold nothing that the schema does not name.
fn misfits(document: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap_or_default();
        let named = &document["components"]["schemas"][name];
        assert!(named.is_object(), "the document has no schema {name}");
        return misfits(document, named, value, place);
    }
    let is_of_type = match schema["type"].as_str() {
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        other => panic!("{place}: what is the type {other:?}?"),
    };
    if !is_of_type {
        return vec![format!("{place} is no {}: {value}", schema["type"])];
    }
    let mut wrong = Vec::new();
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        wrong.push(format!("{place} is {value}"));
    }
    let text = value.as_str().unwrap_or_default();
    match schema["format"].as_str() {
        Some("uuid") if text.parse::<uuid::Uuid>().is_err() => wrong.push(format!("{place} is no id: {text}")),
        Some("date-time") if text.parse::<Timestamp>().is_err() => wrong.push(format!("{place} is no instant: {text}")),
        _ => {}
    }
    for (n, item) in value.as_array().into_iter().flatten().enumerate() {
        wrong.extend(misfits(document, &schema["items"], item, &format!("{place}[{n}]")));
    }
    if let (Some(fields), Some(properties)) = (value.as_object(), schema["properties"].as_object()) {
        for (name, field) in fields {
            match properties.get(name) {
                Some(schema) => wrong.extend(misfits(document, schema, field, &format!("{place}.{name}"))),
                None => wrong.push(format!("{place}.{name} is not in the document")),
            }
        }
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        wrong.extend(required.filter(|name| !fields.contains_key(*name)).map(|name| format!("{place} has no {name}")));
    }
    wrong
}

fn code(body: &Value) -> &str {
    body["code"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn every_route_answers_as_the_document_says() {
    let office = Office::open().await;
    office.story().await;
    office.ready().await;
    let token = office.token("helpdesk", "main", &Scope::ALL).await;
    let incident = "INSERT INTO incident (id, tenant, sort, terms, count, expected, began_at, found_at, last_at)
        VALUES (gen_random_uuid(), 'main', 'customers', '{trouble:till}', 5, 0.2, now(), now(), now())";
    sqlx::query(incident).execute(&office.desk.store.pool).await.expect("an incident");
    let steps: &[(&str, u16, &str)] = &[
        ("GET /contacts", 200, ""),
        ("GET /contacts?identity=mailto:minna@posti.example", 200, ""),
        ("GET /contacts?identity=minna", 400, "query_wrong"),
        ("GET /contacts?identity=mailto:minna@posti.example&cursor=x", 400, "query_wrong"),
        ("GET /contacts?identity=tel:nonsense", 400, "query_wrong"),
        ("GET /contacts/<contact a>", 200, ""),
        ("GET /contacts/<identity a>", 200, ""),
        (&format!("GET /contacts/{NOBODY}"), 404, "contact_unknown"),
        ("GET /contacts/minna", 404, "contact_unknown"),
        ("GET /contacts/%00", 404, "contact_unknown"),
        ("GET /contacts/<contact a>?x=1", 400, "query_wrong"),
        ("DELETE /contacts/<contact a>", 405, "method_wrong"),
        ("GET /review", 200, ""),
        ("GET /review?all&limit=1", 200, ""),
        ("GET /review?limit=0", 400, "query_wrong"),
        ("GET /review?cursor=nothing", 400, "query_wrong"),
        ("GET /tickets", 200, ""),
        (
            "GET /tickets?state=open&priority=normal&channel=mail&contact=<contact a>&since=2026-03-01T00:00:00Z",
            200,
            "",
        ),
        ("GET /tickets?state=ajar", 400, "query_wrong"),
        ("GET /tickets?since=yesterday", 400, "query_wrong"),
        (&format!("GET /tickets?contact={NOBODY}"), 404, "contact_unknown"),
        ("GET /search?q=tilausnumero", 200, ""),
        ("GET /search", 400, "query_wrong"),
        ("GET /search?q=%25_%25", 400, "query_wrong"),
        ("GET /search?q=x&in=mirrors", 400, "query_wrong"),
        ("GET /messages/<message a>", 200, ""),
        ("GET /messages/a@posti.example", 200, ""),
        ("GET /messages/nothing", 404, "message_unknown"),
        ("GET /messages/<message a>/attachments/0", 404, "attachment_unknown"),
        ("GET /messages/<message a>/attachments/x", 404, "attachment_unknown"),
        ("GET /messages/nothing/attachments/0", 404, "message_unknown"),
        ("GET /tickets/<ticket a>", 200, ""),
        ("GET /tickets/2", 200, ""),
        ("GET /tickets/%232", 200, ""),
        ("GET /tickets/999", 404, "ticket_unknown"),
        ("GET /tickets/<ticket a>/messages", 200, ""),
        ("GET /tickets/999/messages", 404, "ticket_unknown"),
        ("GET /tickets/<ticket b>/ready-answers", 200, ""),
        ("GET /tickets/999/ready-answers", 404, "ticket_unknown"),
        ("GET /tickets/<ticket a>/acts", 200, ""),
        ("GET /tickets/999/acts", 404, "ticket_unknown"),
        ("GET /tickets/<ticket a>/recurring", 200, ""),
        ("GET /dust", 200, ""),
        ("GET /dust?kind=call&limit=1", 200, ""),
        ("GET /dust?kind=fluff", 400, "query_wrong"),
        ("GET /report", 200, ""),
        ("GET /report?period=2026-Q1&organisation=posti.example&texts", 200, ""),
        ("GET /report?period=lately", 400, "query_wrong"),
        ("GET /incidents", 200, ""),
        ("GET /incidents?state=open&limit=1", 200, ""),
        ("GET /incidents?state=ajar", 400, "query_wrong"),
        ("POST /incidents/1/link {\"ticket\": \"<ticket a>\", \"by\": \"anna\"}", 200, ""),
        ("POST /incidents/1/link {\"ticket\": \"999\"}", 404, "ticket_unknown"),
        ("POST /incidents/1/link {}", 400, "field_missing"),
        ("GET /incidents/1", 200, ""),
        ("GET /incidents/%231", 200, ""),
        ("GET /incidents/999", 404, "incident_unknown"),
        ("GET /tickets/<ticket a>/recurring", 200, ""),
        ("POST /incidents/1/unlink {\"ticket\": \"<ticket a>\"}", 200, ""),
        ("POST /incidents/1/close", 200, ""),
        ("POST /contacts/<contact a>/link {}", 400, "field_missing"),
        ("POST /contacts/<contact a>/link {\"othr\": \"x\"}", 400, "field_unknown"),
        ("POST /contacts/<contact a>/link {\"other\": 1}", 400, "field_wrong"),
        ("POST /contacts/<contact a>/link nonsense", 400, "body_malformed"),
        (&format!("POST /contacts/<contact a>/link {{\"other\": \"{NOBODY}\"}}"), 404, "contact_unknown"),
        (&format!("POST /contacts/{NOBODY}/link {{\"other\": \"<contact a>\"}}"), 404, "contact_unknown"),
        (
            "POST /contacts/<contact a>/link {\"other\": \"<contact b>\", \"by\": \"anna\", \"why\": \"she said so\"}",
            200,
            "",
        ),
        ("POST /contacts/<contact a>/link {\"other\": \"<contact b>\"}", 200, "already"),
        ("POST /contacts/<contact a>/unlink {\"identities\": []}", 400, "field_wrong"),
        ("POST /contacts/<contact a>/unlink {\"identities\": [\"mailto:no@body.example\"]}", 404, "identity_unknown"),
        ("POST /contacts/<contact a>/unlink {\"identities\": [\"mailto:pekka@kirje.example\"]}", 200, ""),
        ("POST /contacts/<contact a>/unlink {\"identities\": [\"mailto:pekka@kirje.example\"]}", 200, "already"),
        ("POST /contacts/<contact a>/unlink {\"identities\": [\"<identity b>\"], \"why\": \"again\"}", 200, "already"),
        ("POST /tickets/<ticket a>/links", 200, ""),
        ("POST /tickets/<ticket a>/links {\"for\": \"12h\", \"allow\": \"review\", \"name\": \"anna\"}", 200, ""),
        ("POST /tickets/<ticket a>/links {\"for\": \"2y\"}", 400, "field_wrong"),
        ("POST /tickets/<ticket a>/links {\"for\": \"soon\"}", 400, "field_wrong"),
        ("POST /tickets/<ticket a>/links {\"allow\": \"everything\"}", 400, "field_wrong"),
        ("POST /tickets/999/links", 404, "ticket_unknown"),
        ("GET /tickets?queue=support&awaited", 200, ""),
        ("POST /tickets/<ticket a>/queue {\"queue\": \"feedbac\"}", 400, "field_wrong"),
        ("POST /tickets/999/queue {\"queue\": \"feedback\"}", 404, "ticket_unknown"),
        ("POST /tickets/999/await", 404, "ticket_unknown"),
        ("POST /tickets/<ticket b>/move {\"messages\": [\"c@posti.example\"], \"by\": \"anna\"}", 200, ""),
        ("POST /tickets/<ticket b>/move {\"messages\": [\"<message c>\"]}", 200, "already"),
        ("POST /tickets/<ticket b>/move {\"messages\": [\"nothing\"]}", 404, "message_unknown"),
        (
            "POST /tickets/<ticket a>/classify {\"kind\": [\"problem\"], \"fault\": \"hinders\", \"by\": \"anna\"}",
            200,
            "",
        ),
        ("POST /tickets/<ticket a>/classify {\"priority\": \"high\"}", 200, ""),
        ("POST /tickets/<ticket a>/classify {\"undo\": true}", 200, ""),
        ("POST /tickets/<ticket a>/classify {\"undo\": true}", 200, "already"),
        ("POST /tickets/<ticket a>/classify {\"kind\": [\"order\"]}", 400, "field_wrong"),
        ("POST /tickets/<ticket a>/classify {}", 409, "not_possible"),
        ("POST /tickets/999/classify {\"priority\": \"high\"}", 404, "ticket_unknown"),
        ("POST /tickets/<ticket a>/split {\"messages\": [\"<message c>\"]}", 409, "not_on_ticket"),
        ("POST /tickets/<ticket b>/split {\"messages\": [\"<message c>\"]}", 200, ""),
        ("POST /tickets/<ticket b>/split {\"messages\": [\"<message c>\"]}", 200, "already"),
        ("POST /tickets/<ticket c>/split {\"messages\": [\"<message c>\"]}", 200, "already"),
        ("POST /tickets/<ticket c>/merge {}", 400, "field_missing"),
        ("POST /tickets/<ticket c>/merge {\"into\": \"999\"}", 404, "ticket_unknown"),
        ("POST /tickets/<ticket c>/merge {\"into\": \"<ticket a>\", \"why\": \"one delivery\"}", 200, ""),
        ("POST /tickets/<ticket c>/merge {\"into\": \"<ticket a>\"}", 200, "already"),
        ("POST /tickets/<ticket a>/merge {\"from\": \"<ticket b>\"}", 200, ""),
        ("GET /tickets/<ticket a>/acts", 200, ""),
        ("GET /contacts/<contact a>", 200, ""),
        (&format!("POST /review/{NOBODY}/accept {{}}"), 404, "suggestion_unknown"),
        ("POST /review/17/reject {}", 404, "suggestion_unknown"),
        ("GET /contacts/<contact b>/export", 200, ""),
        (&format!("GET /contacts/{NOBODY}/export"), 404, "contact_unknown"),
        (&format!("POST /contacts/{NOBODY}/erase"), 404, "contact_unknown"),
        ("GET /nothing", 404, "route_unknown"),
        ("POST /contacts", 405, "method_wrong"),
    ];
    for (ask, status, expected) in steps {
        let (found, body) = office.ask(&token, ask).await;
        assert_eq!(found, *status, "{ask}: {body}");
        let is_already = body["already"] == true;
        match *expected {
            "already" => assert!(is_already, "{ask}: {body}"),
            expected => assert_eq!((code(&body), is_already), (expected, false), "{ask}: {body}"),
        }
    }
    answered(&office, &token).await;
    replied(&office, &token).await;
    erased(&office, &token).await;
    let asked = steps.iter().filter(|(_, status, _)| *status == 200).map(|(ask, ..)| *ask);
    let asked: Vec<String> = asked
        .chain([
            "POST /tickets/x/replies",
            "POST /tickets/x/queue",
            "POST /tickets/x/await",
            "POST /review/x/accept",
            "POST /review/x/reject",
            "POST /contacts/x/erase",
        ])
        .map(str::to_owned)
        .collect();
    for (path, operations) in office.document["paths"].as_object().expect("paths") {
        for (method, this) in operations.as_object().expect("operations") {
            // Streams are asked for in tests of their own.
            if !this["responses"]["200"]["content"]["application/json"].is_object() {
                continue;
            }
            let is_asked = asked.iter().any(|ask| {
                let mut words = ask.split('<').map(|part| part.split_once('>').map_or(part, |(_, rest)| rest));
                let plain = format!(
                    "{}{}",
                    words.next().unwrap_or_default(),
                    words.map(|rest| format!("x{rest}")).collect::<String>()
                );
                let mut words = plain.split(' ');
                let (verb, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
                verb.eq_ignore_ascii_case(method) && operation(&office.document, verb, path) == Some(this)
            });
            assert!(is_asked || path.ends_with("/openapi.json"), "{method} {path} is answered 200 in no step");
        }
    }
}

/// A suggestion accepted, and one rejected, each more than once.
/// Notes and answers, with the ingest running beside.
async fn replied(office: &Office, token: &str) {
    let steps = [
        ("POST /tickets/<ticket b>/replies {\"text\": \"Soitin.\", \"internal\": true}", 200, ""),
        ("POST /tickets/<ticket b>/replies {\"text\": \"Soitin.\", \"internal\": true}", 200, "already"),
        ("POST /tickets/<ticket b>/replies {\"text\": \"Pekka..\", \"internal\": true}", 409, "key_reused"),
        ("POST /tickets/<ticket b>/replies {\"text\": \"Hei!\"}", 409, "not_answerable"),
        ("POST /tickets/<ticket b>/replies {\"text\": \" \"}", 400, "field_wrong"),
        (
            "POST /tickets/<ticket b>/replies {\"text\": \"Hei.\", \"ready_answer\": \"fi/x\"}",
            404,
            "ready_answer_unknown",
        ),
        (
            "POST /tickets/<ticket b>/replies {\"text\": \"Hei, noin.\", \"ready_answer\": \"tilaus-main\", \"internal\": true}",
            200,
            "",
        ),
        (
            "POST /tickets/<ticket b>/replies {\"text\": \"Hei.\", \"ready_answer\": \"tilaus-other\"}",
            404,
            "ready_answer_unknown",
        ),
        ("POST /tickets/<ticket b>/replies {\"internal\": true}", 400, "field_missing"),
        ("POST /tickets/99999/replies {\"text\": \"Hei.\"}", 404, "ticket_unknown"),
        ("POST /tickets/<ticket b>/queue {\"queue\": \"feedback\", \"by\": \"anna\"}", 200, ""),
        ("POST /tickets/<ticket b>/await", 200, ""),
        ("POST /tickets/<ticket b>/await {\"over\": true}", 200, ""),
    ];
    for (ask, status, expected) in steps {
        let deciding = async {
            loop {
                office.desk.take_in().await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let (found, body) = tokio::select! {
            answer = office.ask(token, ask) => answer,
            () = deciding => unreachable!(),
        };
        assert_eq!(found, status, "{ask}: {body}");
        let word = if body["already"] == true { "already" } else { code(&body) };
        assert_eq!(word, expected, "{ask}: {body}");
    }
}

async fn answered(office: &Office, token: &str) {
    let (_, page) = office.ask(token, "GET /review").await;
    let open: Vec<&str> =
        page["suggestions"].as_array().expect("a list").iter().filter_map(|row| row["id"].as_str()).collect();
    assert!(!open.is_empty(), "{page}");
    let id = open[0];
    for (act, status, already) in [("accept", 200, false), ("accept", 200, true), ("reject", 409, false)] {
        let (found, body) = office.ask(token, &format!("POST /review/{id}/{act} {{\"by\": \"anna\"}}")).await;
        assert_eq!((found, body["already"] == true), (status, already), "{act}: {body}");
    }
    let (_, all) = office.ask(token, "GET /review?all=true").await;
    let line = all["suggestions"].as_array().expect("a list").iter().find(|row| row["id"] == id).expect("it stays");
    assert_eq!((&line["state"], &line["answered_by"]), (&json!("accepted"), &json!("anna")));
}

/// Somebody handed over and erased, twice.
async fn erased(office: &Office, token: &str) {
    let id = office.of("b", "i.contact_id").await;
    let (_, held) = office.ask(token, &format!("GET /contacts/{id}/export")).await;
    assert!(held.to_string().contains("pekka@kirje.example") && !held.to_string().contains("minna@"), "{held}");
    for already in [false, true] {
        let (status, body) =
            office.ask(token, &format!("POST /contacts/{id}/erase {{\"why\": \"asked for it\"}}")).await;
        assert_eq!((status, body["already"] == true, &body["left"]), (200, already, &json!([])), "{body}");
    }
    for ask in ["", "/export"] {
        assert_eq!(office.ask(token, &format!("GET /contacts/{id}{ask}")).await.0, 404);
    }
    assert!(!office.standing().await.join("\n").contains("pekka@"));
}

#[tokio::test]
async fn suggestions_are_rejected_and_paged() {
    let office = Office::open().await;
    office.story().await;
    let token = office.token("helpdesk", "main", &Scope::ALL).await;
    let (_, page) = office.ask(&token, "GET /review").await;
    let id = page["suggestions"][0]["id"].as_str().expect("a suggestion").to_owned();
    let act = format!("POST /review/{id}/reject");
    let (status, body) = office.ask(&token, &format!("{act} {{\"why\": \"two people\"}}")).await;
    assert_eq!((status, &body["act"], &body["by"]), (200, &json!("reject"), &json!("helpdesk")));
    let (status, body) = office.ask(&token, &act).await;
    assert_eq!((status, &body["already"]), (200, &json!(true)), "without a body: {body}");
    assert_eq!(office.ask(&token, &format!("POST /review/{id}/accept")).await.0, 409);

    // Fifty more, of a few instants, in pages of seven: each once, the latest first.
    let message = office.of("a", "m.id").await;
    let sql = format!(
        "INSERT INTO suggestion (id, tenant, message_id, target_kind, target, by_message, bits, why, at)
         SELECT gen_random_uuid(), CASE WHEN n % 5 = 0 THEN 'other' ELSE 'main' END, '{message}', 'contact', gen_random_uuid(), '{message}', 1,
            'test', timestamptz '2026-03-01' + make_interval(secs => n / 4) FROM generate_series(1, 50) n"
    );
    sqlx::query(AssertSqlSafe(sql)).execute(&office.desk.store.pool).await.expect("suggestions");
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let (_, page) = office.ask(&token, &format!("GET /review?all&limit=7{cursor}")).await;
        seen.extend(page["suggestions"].as_array().expect("a list").clone());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let ids: BTreeSet<&str> = seen.iter().filter_map(|row| row["id"].as_str()).collect();
    let expected = office.desk.count("SELECT count(*) FROM suggestion WHERE tenant = 'main'").await;
    assert_eq!((ids.len() as i64, seen.len() as i64), (expected, expected));
    assert!(seen.windows(2).all(|pair| pair[0]["since"].as_str() >= pair[1]["since"].as_str()));
}

#[tokio::test]
async fn a_token_does_what_it_may_and_nothing_else() {
    let office = Office::open().await;
    office.story().await;
    let reading = office.token("reading", "main", &[Scope::Read]).await;
    let contacts = office.token("contacts", "main", &[Scope::Contacts]).await;
    let late = office.token_until("late", "main", &Scope::ALL, Some(at("2026-03-01T00:00:00Z"))).await;
    let gone = office.token("gone", "main", &Scope::ALL).await;
    assert!(office.desk.store.revoke_api_token("gone", Timestamp::now()).await.expect("revoked"));
    let (unknown, _) = new_token().expect("a token");
    let cut = &reading[..reading.len() - 1];
    let link = "POST /contacts/<contact a>/link {\"other\": \"<contact b>\"}";
    let (look, split) =
        ("GET /contacts/<contact a>", "POST /tickets/<ticket a>/split {\"messages\": [\"<message c>\"]}");
    let accept = &format!("POST /review/{NOBODY}/accept {{}}");
    let (export, erase) = ("GET /contacts/<contact a>/export", "POST /contacts/<contact a>/erase");
    let writing = office.token("writing", "main", &[Scope::Read, Scope::Contacts, Scope::Tickets, Scope::Review]).await;
    let table: &[(&str, &str, u16, &str)] = &[
        ("", look, 401, "token_missing"),
        ("", link, 401, "token_missing"),
        (&unknown, look, 401, "token_unknown"),
        (cut, look, 401, "token_unknown"),
        ("x", look, 401, "token_unknown"),
        (&late, look, 401, "token_expired"),
        (&gone, link, 401, "token_revoked"),
        (&reading, look, 200, ""),
        (&reading, "GET /review", 200, ""),
        (&reading, link, 403, "scope_missing"),
        (&reading, split, 403, "scope_missing"),
        (&reading, accept, 403, "scope_missing"),
        (&contacts, look, 403, "scope_missing"),
        (&contacts, split, 403, "scope_missing"),
        (&contacts, accept, 403, "scope_missing"),
        (&contacts, erase, 403, "scope_missing"),
        (&writing, erase, 403, "scope_missing"),
        (&writing, export, 403, "scope_missing"),
        ("", erase, 401, "token_missing"),
        (&contacts, link, 200, ""),
    ];
    for (token, ask, status, expected) in table {
        let before = office.standing().await;
        let (found, body) = office.ask(token, ask).await;
        assert_eq!((found, code(&body)), (*status, *expected), "{ask}");
        assert!(!body.to_string().contains("lanka_"), "{body}");
        assert!(*status == 200 || office.standing().await == before, "{ask} changed something");
    }
    let refused =
        office.client.get(office.url("/review")).header("authorization", "Bearer").send().await.expect("an answer");
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["www-authenticate"]),
        (400, &"Bearer realm=\"lanka\", error=\"invalid_request\"".parse().expect("a value"))
    );
    let refused = office.client.get(office.url("/review")).bearer_auth(&contacts).send().await.expect("an answer");
    let challenge = refused.headers()["www-authenticate"].to_str().expect("text");
    assert_eq!(challenge, "Bearer realm=\"lanka\", error=\"insufficient_scope\", scope=\"read\"");

    // The last use is kept to the minute; a hash is all that is kept of a token.
    let used = "SELECT count(DISTINCT last_used_at) FROM api_token WHERE last_used_at > now() - interval '1 minute'";
    assert_eq!(office.desk.count(used).await, 3);
    let first = "SELECT extract(epoch FROM last_used_at)::bigint FROM api_token WHERE name = 'reading'";
    let before = office.desk.count(first).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    office.ask(&reading, "GET /review").await;
    assert_eq!(office.desk.count(first).await, before, "one write a minute");
    let dump: Vec<String> = sqlx::query_scalar("SELECT to_jsonb(t)::text FROM api_token t")
        .fetch_all(&office.desk.store.pool)
        .await
        .expect("rows");
    assert!(dump.iter().all(|row| !row.contains("lanka_") && !row.contains(&reading[6..])), "{dump:?}");
}

#[tokio::test]
async fn another_firm_has_nothing_here() {
    let office = Office::open().await;
    office.story().await;
    let sql = "INSERT INTO suggestion (id, tenant, message_id, target_kind, target, by_message, bits, why, at)
        SELECT gen_random_uuid(), m.tenant, m.id, 'contact', o.identity_id, o.id, 1, 'test', now() FROM message m JOIN message o ON o.source_key = 'y'
        WHERE m.source_key = 'x'";
    sqlx::query(sql).execute(&office.desk.store.pool).await.expect("a suggestion");
    // A vendor's id that both firms have.
    sqlx::query("UPDATE message SET source_key = 'same' WHERE source_key IN ('b@kirje.example')")
        .execute(&office.desk.store.pool)
        .await
        .expect("renamed");
    let theirs: String = sqlx::query_scalar("SELECT id::text FROM suggestion WHERE tenant = 'other'")
        .fetch_one(&office.desk.store.pool)
        .await
        .expect("a suggestion");
    let number: i64 = sqlx::query_scalar("SELECT number FROM ticket WHERE tenant = 'other' ORDER BY number LIMIT 1")
        .fetch_one(&office.desk.store.pool)
        .await
        .expect("a ticket");
    let ours = office.token("ours", "main", &Scope::ALL).await;
    let before = office.standing().await;
    for ask in [
        "GET /contacts/<contact x>".to_owned(),
        "GET /contacts/<identity x>".to_owned(),
        "GET /contacts/<contact x>/export".to_owned(),
        "POST /contacts/<contact x>/erase".to_owned(),
        "POST /contacts/<identity x>/erase".to_owned(),
        "GET /tickets/<ticket x>".to_owned(),
        format!("GET /tickets/{number}"),
        "GET /tickets/<ticket x>/messages".to_owned(),
        "GET /tickets/<ticket x>/acts".to_owned(),
        "POST /contacts/<contact x>/link {\"other\": \"<contact y>\"}".to_owned(),
        "POST /contacts/<contact a>/link {\"other\": \"<contact x>\"}".to_owned(),
        "POST /contacts/<contact x>/link {\"other\": \"<contact a>\"}".to_owned(),
        "POST /contacts/<contact a>/link {\"other\": \"<identity x>\"}".to_owned(),
        "POST /contacts/<contact x>/unlink {\"identities\": [\"webchat:w1\"]}".to_owned(),
        "POST /contacts/<contact a>/unlink {\"identities\": [\"webchat:w1\"]}".to_owned(),
        "POST /contacts/<contact a>/unlink {\"identities\": [\"<identity x>\"]}".to_owned(),
        "POST /tickets/<ticket x>/move {\"messages\": [\"<message y>\"]}".to_owned(),
        "POST /tickets/<ticket a>/move {\"messages\": [\"<message x>\"]}".to_owned(),
        "POST /tickets/<ticket a>/move {\"messages\": [\"x\"]}".to_owned(),
        "POST /tickets/<ticket x>/move {\"messages\": [\"<message a>\"]}".to_owned(),
        "POST /tickets/<ticket x>/merge {\"into\": \"<ticket y>\"}".to_owned(),
        "POST /tickets/<ticket a>/merge {\"into\": \"<ticket x>\"}".to_owned(),
        "POST /tickets/<ticket a>/merge {\"from\": \"<ticket x>\"}".to_owned(),
        format!("POST /tickets/<ticket a>/merge {{\"from\": \"{number}\"}}"),
        "POST /tickets/<ticket x>/split {\"messages\": [\"<message x>\"]}".to_owned(),
        "POST /tickets/<ticket a>/split {\"messages\": [\"<message x>\"]}".to_owned(),
        format!("POST /review/{theirs}/accept {{}}"),
        format!("POST /review/{theirs}/reject {{}}"),
    ] {
        let (status, body) = office.ask(&ours, &ask).await;
        assert_eq!(status, 404, "{ask}: {body}");
        assert_eq!(office.standing().await, before, "{ask} changed something");
    }
    for list in ["GET /review?all", "GET /review"] {
        let (_, page) = office.ask(&ours, list).await;
        assert!(!page.to_string().contains(&theirs), "{page}");
    }
    let other = office.token("theirs", "other", &Scope::ALL).await;
    for (ask, status) in [
        ("GET /contacts/<contact x>", 200),
        ("GET /contacts/<contact a>", 404),
        ("POST /contacts/<contact x>/link {\"other\": \"<contact y>\"}", 200),
        ("POST /contacts/<contact x>/link {\"other\": \"<contact a>\"}", 404),
    ] {
        assert_eq!(office.ask(&other, ask).await.0, status, "{ask}");
    }
}

/// An answer has lines, and files that may be larger than any other body.
#[tokio::test]
async fn replies_take_lines_and_files() {
    let limits = ApiLimits { file_bytes_max: 4 * 1024 * 1024, ..ApiLimits::default() };
    let office = Office::open_with(limits).await;
    office.story().await;
    let token = office.token("helpdesk", "main", &Scope::ALL).await;
    let url = office.url(&office.filled("/tickets/<ticket b>/replies").await);
    let coded = |bytes: usize| "QUJD".repeat(bytes / 3);
    let file = |name: &str, kind: &str, data: &str| json!({"name": name, "type": kind, "data": data});
    let (lines, pdf) = ("Soitin.\r\n\r\nEi vastannut.\tSoitan huomenna.", file("a.pdf", "application/pdf", "QUJD"));
    let large = file("b.png", "image/png", &coded(4 * 1024 * 1024));
    for (key, text, files, status, expected) in [
        ("k1", lines, json!([pdf, large]), 200, ""),
        ("k1", lines, json!([pdf, large]), 200, "already"),
        ("k1", lines, json!([pdf]), 409, "key_reused"),
        ("k2", "Soitin.\u{7}", json!([pdf]), 400, "field_wrong"),
        ("k2", "Soitin.", json!([]), 400, "field_wrong"),
        ("k2", "Soitin.", json!(vec![pdf.clone(); 11]), 400, "field_wrong"),
        ("k2", "Soitin.", json!([file("a\nb.pdf", "application/pdf", "QUJD")]), 400, "field_wrong"),
        ("k2", "Soitin.", json!([file("a.pdf", "pdf", "QUJD")]), 400, "field_wrong"),
        ("k2", "Soitin.", json!([file("a.pdf", "application/pdf", "?")]), 400, "field_wrong"),
        ("k2", "Soitin.", json!([file("a.pdf", "application/pdf", "")]), 400, "field_wrong"),
        ("k2", "Soitin.", json!([{"name": "a.pdf", "url": "http://a.example"}]), 400, "field_wrong"),
        ("k2", "Soitin.", json!([file("a.png", "image/png", &coded(5 * 1024 * 1024))]), 400, "field_wrong"),
        ("k2", "Soitin.", json!(vec![large.clone(); 6]), 413, "body_too_large"),
    ] {
        let body = json!({"text": text, "internal": true, "attachments": files});
        let request = office.client.post(&url).bearer_auth(&token).header("idempotency-key", key).json(&body);
        let deciding = async {
            loop {
                office.desk.take_in().await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let answer = tokio::select! {
            answer = request.send() => answer.expect("an answer"),
            () = deciding => unreachable!(),
        };
        let (found, body) = (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"));
        assert_eq!(found, status, "{key} {text}: {body}");
        match expected {
            "" => assert!(body["already"].is_null(), "{body}"),
            "already" => assert_eq!(body["already"], true, "{body}"),
            _ => assert_eq!(code(&body), expected, "{body}"),
        }
    }
    let said: String =
        sqlx::query_scalar("SELECT text FROM message WHERE 'internal' = ANY(marks) AND text LIKE 'Soitin.%'")
            .fetch_one(&office.desk.store.pool)
            .await
            .expect("the note");
    assert_eq!(said, "Soitin.\n\nEi vastannut.\tSoitan huomenna.");
    let kept = "SELECT count(*) FROM attachment WHERE content_hash IS NOT NULL AND name IN ('a.pdf', 'b.png')";
    assert_eq!(office.desk.count(kept).await, 2);
}

#[tokio::test]
async fn bodies_are_small_and_json() {
    let limits = ApiLimits { body_timeout: Duration::from_millis(300), ..ApiLimits::default() };
    let office = Office::open_with(limits).await;
    office.story().await;
    let token = office.token("helpdesk", "main", &Scope::ALL).await;
    let url = office.url(&office.filled("/contacts/<contact a>/link").await);
    let large = format!("{{\"other\": \"{}\"}}", "x".repeat(limits.body_bytes_max));
    for (media_type, encoding, body, expected) in [
        ("application/json", "", "{}", "field_missing"),
        ("application/json; charset=UTF-8", "identity", "{}", "field_missing"),
        ("text/plain", "", "{}", "body_not_json"),
        ("", "", "{}", "body_not_json"),
        ("application/json; charset=latin1", "", "{}", "body_not_json"),
        ("application/json", "gzip", "{}", "body_not_json"),
        ("application/x-www-form-urlencoded", "", "other=x", "body_not_json"),
        ("application/json", "", &large, "body_too_large"),
        ("application/json", "", "{\"other\": \"\u{fffd}", "body_malformed"),
        ("", "", "", "field_missing"),
    ] {
        let mut request = office.client.post(&url).bearer_auth(&token).body(body.to_owned());
        for (name, value) in [("content-type", media_type), ("content-encoding", encoding)] {
            if !value.is_empty() {
                request = request.header(name, value);
            }
        }
        let answer: Value = request.send().await.expect("an answer").json().await.expect("JSON");
        assert_eq!(code(&answer), expected, "{media_type} {encoding} {body:.40}");
    }
    let mut socket = TcpStream::connect(office.address).await.expect("a socket");
    let path = url.split_once("/api").expect("a path").1;
    let head = format!(
        "POST /api{path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{{"
    );
    socket.write_all(head.as_bytes()).await.expect("sent");
    let mut answer = [0; 64];
    let bytes = tokio::io::AsyncReadExt::read(&mut socket, &mut answer).await.expect("an answer");
    assert!(String::from_utf8_lossy(&answer[..bytes]).starts_with("HTTP/1.1 408"));
}

#[tokio::test]
async fn an_act_is_done_whoever_waits_for_it() {
    let limits = ApiLimits {
        answer_wait: Duration::from_millis(300),
        turn_wait: Duration::from_millis(300),
        acts_max: 1,
        ..ApiLimits::default()
    };
    let office = Office::open_with(limits).await;
    office.story().await;
    let token = office.token("helpdesk", "main", &Scope::ALL).await;
    // The journal cannot be written for a while.
    let mut deciding = office.desk.store.pool.begin().await.expect("a transaction");
    sqlx::query("LOCK TABLE contact_link IN ACCESS EXCLUSIVE MODE").execute(&mut *deciding).await.expect("a lock");
    let link = "POST /contacts/<contact a>/link {\"other\": \"<contact b>\"}";
    let (status, body) = office.ask(&token, link).await;
    assert_eq!((status, code(&body)), (503, "still_working"));
    let (status, body) = office.ask(&token, link).await;
    assert_eq!((status, code(&body)), (503, "busy"), "one at a time");
    deciding.commit().await.expect("let go");
    office.api.finish().await;
    let (status, body) = office.ask(&token, link).await;
    assert_eq!((status, &body["already"]), (200, &json!(true)), "it went on: {body}");

    // A client that hangs up in its middle.
    let mut deciding = office.desk.store.pool.begin().await.expect("a transaction");
    sqlx::query("LOCK TABLE contact_link IN ACCESS EXCLUSIVE MODE").execute(&mut *deciding).await.expect("a lock");
    let body = "{\"identities\": [\"mailto:pekka@kirje.example\"]}";
    let path = office.filled("/api/v1/contacts/<contact a>/unlink").await;
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut socket = TcpStream::connect(office.address).await.expect("a socket");
    socket.write_all(request.as_bytes()).await.expect("sent");
    tokio::time::sleep(Duration::from_millis(150)).await;
    drop(socket);
    tokio::time::sleep(Duration::from_millis(100)).await;
    deciding.commit().await.expect("let go");
    eventually("the act is done", async || {
        let said = "SELECT count(*) FROM contact_link WHERE act = 'unlink'";
        let split = "SELECT (SELECT contact_id FROM identity WHERE value = 'minna@posti.example')
            IS DISTINCT FROM (SELECT contact_id FROM identity WHERE value = 'pekka@kirje.example') AS apart";
        let split: bool = sqlx::query_scalar(split).fetch_one(&office.desk.store.pool).await.expect("a look");
        (office.desk.count(said).await == 1 && split).then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_a_database_clients_are_told_to_come_again() {
    let office = Office::open().await;
    let token = office.token("helpdesk", "main", &Scope::ALL).await;
    office.desk.store.pool.close().await;
    let response = office.client.get(office.url("/review")).bearer_auth(&token).send().await.expect("an answer");
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "10");
    let body: Value = response.json().await.expect("JSON");
    assert_eq!(code(&body), "database_away");
}

#[tokio::test]
async fn tokens_are_made_listed_and_revoked_on_the_command_line() {
    let place = Place::new().await;
    let token = place.run(&["token", "create", "--name", "helpdesk", "--scope", "read,write", "--expires", "90d"]);
    let token = token.trim();
    assert!(token.starts_with("lanka_") && token.len() == 70, "{token}");
    let made = place.row(&["token", "create", "--name", "reports", "--scope", "read"]);
    assert_eq!(made["scopes"], json!(["read"]));
    let rows = place.rows(&["token", "list"]);
    let names: Vec<&str> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(names, ["helpdesk", "reports"]);
    assert_eq!(rows[0]["scopes"], json!(["read", "contacts", "tickets", "review"]));
    assert!(rows[0]["expires_at"].is_string() && rows[1]["expires_at"].is_null());
    assert!(!place.run(&["token", "list"]).contains(&token[6..]));
    for (arguments, exit, said) in [
        (&["token", "create", "--name", "helpdesk", "--scope", "read"][..], 1, "already"),
        (&["token", "create", "--name", "x", "--scope", "everything"], 2, "invalid value"),
        (&["token", "create", "--name", "x"], 2, "--scope"),
        (&["token", "create", "--name", "x", "--scope", "read", "--tenant", "nobody"], 1, "\"nobody\" is not known"),
        (&["token", "create", "--name", "x", "--scope", "read", "--expires", "soon"], 2, "length of time"),
        (&["token", "revoke", "nobody"], 1, "there is no token nobody"),
    ] {
        let output = place.command(arguments).output().expect("it starts");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {error}");
        assert!(error.contains(said), "{arguments:?}: {error}");
    }
    place.run(&["token", "revoke", "helpdesk"]);
    assert_eq!(place.rows(&["token", "list"]).len(), 1);
    place.run(&["token", "create", "--name", "helpdesk", "--scope", "read"]);
    assert_eq!(place.rows(&["token", "list", "--all"]).len(), 3, "the name is free again");
}

/// The daemon's own door, and what its log says of tokens that are refused.
#[tokio::test]
async fn the_daemon_serves_it_and_says_once_what_it_refuses() {
    let place = Place::new().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    drop(listener);
    let chat = "[channels.chat]\nkind = \"webchat\"\nsecret = { env = \"WHSEC\" }\n";
    place.configure(&format!("[http]\nlisten = \"127.0.0.1:{port}\"\n{chat}"));
    let token = place.run(&["token", "create", "--name", "helpdesk", "--scope", "read"]);
    let gone = place.run(&["token", "create", "--name", "gone", "--scope", "read"]);
    place.run(&["token", "revoke", "gone"]);
    let log = place.write("log", "");
    let said = std::fs::File::create(&log).expect("a log");
    let mut daemon =
        place.command(&["run"]).stdout(std::process::Stdio::null()).stderr(said).spawn().expect("it starts");
    install_tls_provider();
    let client = reqwest::Client::new();
    let url = format!("http://127.0.0.1:{port}/api/v1/review");
    let ask = async |token: &str| {
        let asked = client.get(&url).bearer_auth(token.trim()).send().await;
        asked.ok().map(|response| response.status().as_u16())
    };
    let first = eventually("the daemon answers", async || ask(&token).await).await;
    let (unknown, _) = new_token().expect("a token");
    let mut statuses = vec![first];
    for token in [&unknown, &unknown, &gone, &gone, &unknown, &token] {
        statuses.extend(ask(token).await);
    }
    let metrics = client.get(format!("http://127.0.0.1:{port}/metrics")).send().await.expect("metrics").text().await;
    let metrics = metrics.expect("text");
    daemon.kill().expect("killed");
    daemon.wait().expect("ended");
    assert_eq!(statuses, [200, 401, 401, 401, 401, 401, 200]);
    let log = std::fs::read_to_string(log).expect("the log");
    assert_eq!(
        log.matches("api_token_refused").count(),
        2,
        "once for what is unknown, once for what was revoked: {log}"
    );
    assert!(log.contains("token.name=\"gone\""), "{log}");
    for token in [&token, &gone, &unknown] {
        assert!(!log.contains(&token.trim()[6..30]), "{log}");
    }
    for line in [
        "lanka_api_requests_total{route=\"GET /review\",status=\"401\"} 5",
        "lanka_api_refused_total{why=\"unknown\"} 3",
        "lanka_api_refused_total{why=\"revoked\"} 2",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
}
