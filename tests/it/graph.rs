//! Meta's Graph API on loopback, as far as answers go: it refuses what the documents do not allow, keeps what it was sent,
//! and fails as it is told (developers.facebook.com/docs/messenger-platform/reference/send-api, …/docs/whatsapp/cloud-api/reference/messages).

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How a request fails.
#[derive(Debug, Clone, Copy)]
pub enum Failure {
    /// With an error of the API: status and code.
    Error(u16, u64),
    /// The message is sent, and the answer lost.
    LostAfter,
}

/// A message that people got.
#[derive(Debug, Clone, PartialEq)]
pub struct Got {
    pub id: String,
    /// The account it was sent from: `me`, or the id of a number.
    pub from: String,
    pub to: String,
    pub text: String,
    /// `metadata`, or `biz_opaque_callback_data`.
    pub along: String,
    /// The message it quotes.
    pub quotes: String,
}

#[derive(Default)]
struct Book {
    got: Vec<Got>,
    failures: VecDeque<Failure>,
}

/// The server; it ends with its value.
pub struct Graph {
    pub address: SocketAddr,
    book: Arc<Mutex<Book>>,
    server: JoinHandle<()>,
}

impl Graph {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let book = Arc::new(Mutex::new(Book::default()));
        let routes = axum::Router::new()
            .route("/{from}/messages", axum::routing::post(messages))
            .route("/{from}/media", axum::routing::post(async || axum::Json(json!({"id": "media-1"}))))
            .with_state(book.clone());
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.expect("served") });
        Self { address, book, server }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn fail(&self, failures: impl IntoIterator<Item = Failure>) {
        self.book.lock().unwrap().failures.extend(failures);
    }

    pub fn got(&self) -> Vec<Got> {
        self.book.lock().unwrap().got.clone()
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn error(status: u16, code: u64, message: &str) -> Response {
    let body = json!({"error": {"message": format!("(#{code}) {message}"), "type": "OAuthException", "code": code, "fbtrace_id": "A1"}});
    (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
}

async fn messages(
    State(book): State<Arc<Mutex<Book>>>,
    Path(from): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if bearer != "Bearer secret-of-the-test" || !uri.query().unwrap_or_default().contains("appsecret_proof=") {
        return error(400, 190, "Invalid OAuth access token");
    }
    let failure = book.lock().unwrap().failures.pop_front();
    if let Some(Failure::Error(status, code)) = failure {
        return error(status, code, "as told");
    }
    let read = match headers["content-type"].to_str() {
        Ok(kind) if kind.starts_with("multipart/form-data; boundary=") => of_form(&String::from_utf8_lossy(&body)),
        _ => serde_json::from_slice(&body).unwrap_or(Value::Null),
    };
    let got = if from == "me" { messenger(&read) } else { whatsapp(&read) };
    let mut got = match got {
        Ok(got) => got,
        Err(why) => return error(400, 100, &why),
    };
    let mut book = book.lock().unwrap();
    got.id = format!("{}{}", if from == "me" { "m_out" } else { "wamid.out" }, book.got.len() + 1);
    got.from = from.clone();
    let (id, to) = (got.id.clone(), got.to.clone());
    book.got.push(got);
    match failure {
        Some(_) => StatusCode::GATEWAY_TIMEOUT.into_response(),
        None if from == "me" => axum::Json(json!({"recipient_id": to, "message_id": id})).into_response(),
        None => axum::Json(json!({"messaging_product": "whatsapp", "contacts": [{"input": to, "wa_id": to}], "messages": [{"id": id}]}))
            .into_response(),
    }
}

/// The fields of a form that are JSON or words; a file is named by its place.
fn of_form(body: &str) -> Value {
    let mut fields = json!({});
    for part in body.split("Content-Disposition: form-data; name=\"").skip(1) {
        let (name, rest) = part.split_once('"').unwrap_or_default();
        let value =
            rest.split_once("\r\n\r\n").map_or("", |(_, value)| value.split("\r\n--").next().unwrap_or_default());
        fields[name] = serde_json::from_str(value).unwrap_or_else(|_| value.into());
    }
    fields
}

/// Every key must be one of these.
fn only(value: &Value, keys: &[&str]) -> Result<(), String> {
    let unknown = value.as_object().into_iter().flatten().find(|(key, _)| !keys.contains(&key.as_str()));
    unknown.map_or(Ok(()), |(key, _)| Err(format!("Param {key} is not supported")))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn messenger(body: &Value) -> Result<Got, String> {
    only(body, &["recipient", "messaging_type", "message", "filedata"])?;
    only(&body["recipient"], &["id"])?;
    only(&body["message"], &["text", "attachment", "metadata"])?;
    if body["messaging_type"] != "RESPONSE" || !body["recipient"]["id"].is_string() {
        return Err("Param recipient or messaging_type".to_owned());
    }
    let said = text(&body["message"]["text"]);
    match (said.chars().count(), body["message"].get("attachment")) {
        (1..=2000, None) | (0, Some(_)) => {}
        (count, _) => return Err(format!("Length of param message[text] must be 1 to 2000, and is {count}")),
    }
    if text(&body["message"]["metadata"]).len() >= 1000 {
        return Err("Param message[metadata] must be less than 1000 characters".to_owned());
    }
    let (to, along) = (text(&body["recipient"]["id"]), text(&body["message"]["metadata"]));
    let said = if said.is_empty() { format!("[{}]", text(&body["message"]["attachment"]["type"])) } else { said };
    Ok(Got { id: String::new(), from: String::new(), to, text: said, along, quotes: String::new() })
}

/// What was approved: name, language, how many parameters.
const TEMPLATES: [(&str, &str, usize); 3] =
    [("vastaus_valmis", "fi", 2), ("tervehdys", "fi", 0), ("tervehdys", "sv", 0)];

/// `{"name", "language": {"code"}, "components": [{"type": "body", "parameters": [{"type": "text", "text"}]}]}`, shown as `name
/// language: first | second` (developers.facebook.com/docs/whatsapp/cloud-api/guides/send-message-templates).
fn template(of: &Value) -> Result<String, String> {
    only(of, &["name", "language", "components"])?;
    only(&of["language"], &["code"])?;
    let (name, language) = (text(&of["name"]), text(&of["language"]["code"]));
    let known = TEMPLATES.iter().find(|(known, code, _)| (*known, *code) == (&name, &language));
    let (.., places) = known.ok_or_else(|| format!("template name ({name}) does not exist in {language}"))?;
    let components = of["components"].as_array().cloned().unwrap_or_default();
    if components.len() != usize::from(*places > 0) || (of.get("components").is_some() && *places == 0) {
        return Err("components: one body for the template's parameters, none without".to_owned());
    }
    let mut parameters = Vec::new();
    for component in &components {
        only(component, &["type", "parameters"])?;
        if component["type"] != "body" {
            return Err("Param components[type]".to_owned());
        }
        for parameter in component["parameters"].as_array().into_iter().flatten() {
            only(parameter, &["type", "text"])?;
            let said = text(&parameter["text"]);
            if parameter["type"] != "text" || said.is_empty() || said.contains(['\n', '\t']) || said.contains("     ") {
                return Err(
                    "Param text cannot have new-line/tab characters or more than 4 consecutive spaces".to_owned()
                );
            }
            parameters.push(said);
        }
    }
    if parameters.len() != *places {
        return Err(format!("number of localizable_params ({}) does not match ({places})", parameters.len()));
    }
    Ok(format!("{name} {language}: {}", parameters.join(" | ")))
}

fn whatsapp(body: &Value) -> Result<Got, String> {
    let keys = [
        "messaging_product",
        "recipient_type",
        "to",
        "recipient",
        "type",
        "text",
        "context",
        "biz_opaque_callback_data",
        "document",
        "image",
        "template",
    ];
    only(body, &keys)?;
    only(&body["text"], &["body", "preview_url"])?;
    let to = if body["to"].is_string() { text(&body["to"]) } else { text(&body["recipient"]) };
    let said = text(&body["text"]["body"]);
    let kind = text(&body["type"]);
    if body["messaging_product"] != "whatsapp" || to.is_empty() || to.starts_with('+') || !body[&kind].is_object() {
        return Err("Invalid parameter".to_owned());
    }
    if kind == "text" && !(1..=4096).contains(&said.chars().count()) {
        return Err("Param text[body] must be at most 4096 characters long.".to_owned());
    }
    let along = text(&body["biz_opaque_callback_data"]);
    let said = match kind.as_str() {
        "template" => template(&body["template"])?,
        _ if said.is_empty() => format!("[{kind}]"),
        _ => said,
    };
    Ok(Got {
        id: String::new(),
        from: String::new(),
        to,
        text: said,
        along,
        quotes: text(&body["context"]["message_id"]),
    })
}
