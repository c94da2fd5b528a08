//! A tool's HTTP endpoint on loopback that answers as it is told, and remembers what it was sent.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use lanka::pure::channels::Delivery;
use lanka::pure::domain::secret::Secret;
use lanka::pure::wire::standard_webhooks::{SigningKey, TOLERANCE_S, verify};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The secret that requests to an [`Endpoint`] are signed with.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What to answer.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A status.
    Status(u16),
    /// A status with one header.
    With(u16, &'static str, String),
    /// A status with a body.
    Body(u16, Vec<u8>),
    /// 200 after a while.
    Late(Duration),
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    pub at: Instant,
    pub path: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    pub status: u16,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).and_then(|(_, v)| std::str::from_utf8(v).ok())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Signed with [`SECRET`], just now.
    pub fn is_signed(&self) -> bool {
        let delivery =
            Delivery { headers: &self.headers, url: "", body: &self.body, received_at: jiff::Timestamp::now() };
        verify(&[SigningKey::parse(&Secret::new(SECRET)).unwrap()], &delivery, TOLERANCE_S).is_ok()
    }
}

#[derive(Default)]
struct Script {
    next: VecDeque<Answer>,
    otherwise: Option<Answer>,
    seen: Vec<Request>,
}

/// The endpoint; it ends with its value.
pub struct Endpoint {
    pub address: SocketAddr,
    script: Arc<Mutex<Script>>,
    server: JoinHandle<()>,
}

impl Endpoint {
    /// Answers 200 until told otherwise.
    pub async fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// On a socket that is already bound.
    pub fn on(listener: TcpListener) -> Self {
        let address = listener.local_addr().unwrap();
        let script = Arc::new(Mutex::new(Script::default()));
        let app = axum::Router::new().fallback(answer).with_state(Arc::clone(&script));
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, script, server }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next answers, each once, in order.
    pub fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.script.lock().unwrap().next.extend(answers);
    }

    /// The answer when nothing else is told.
    pub fn otherwise(&self, answer: Answer) {
        self.script.lock().unwrap().otherwise = Some(answer);
    }

    pub fn seen(&self) -> Vec<Request> {
        self.script.lock().unwrap().seen.clone()
    }

    /// Waits until `enough` says so of what was seen, for at most 20 s.
    pub async fn wait_for(&self, enough: impl Fn(&[Request]) -> bool) -> Vec<Request> {
        for _ in 0..2_000 {
            let seen = self.seen();
            if enough(&seen) {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not enough came to the endpoint: {} requests", self.seen().len());
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let (answer, status) = {
        let mut script = script.lock().unwrap();
        let answer = script.next.pop_front().or_else(|| script.otherwise.clone()).unwrap_or(Answer::Status(200));
        let status = match &answer {
            Answer::Status(status) | Answer::With(status, ..) | Answer::Body(status, _) => *status,
            Answer::Late(_) => 200,
        };
        let headers = headers.iter().map(|(n, v)| (n.as_str().to_owned(), v.as_bytes().to_vec())).collect();
        let path = uri.path().to_owned();
        script.seen.push(Request { at: Instant::now(), path, headers, body: body.to_vec(), status });
        (answer, StatusCode::from_u16(status).unwrap())
    };
    match answer {
        Answer::Status(_) => status.into_response(),
        Answer::With(_, name, value) => {
            let header = (HeaderName::from_static(name), HeaderValue::from_str(&value).unwrap());
            (status, [header]).into_response()
        }
        Answer::Body(_, body) => (status, body).into_response(),
        Answer::Late(wait) => {
            tokio::time::sleep(wait).await;
            status.into_response()
        }
    }
}

/// A listener that takes connections, reads a little, and hangs up (or, `silent`, says nothing).
pub async fn rude(silent: bool) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut some = [0; 64];
            let _ = socket.read(&mut some).await;
            if silent {
                held.push(socket);
            }
        }
    });
    (address, server)
}
