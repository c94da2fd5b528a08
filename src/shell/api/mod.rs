//! The API under `/api/v1`: what people do by hand, for programs.
//!
//! | file | holds |
//! |---|---|
//! | `routes.rs` | every route: its scope, its fields, what it answers, who does it |
//! | `acts.rs`; `looks.rs`, `lists.rs` | what changes something; what only looks at one thing, at many |
//! | `replies.rs` | answers to customers |
//! | `streams.rs`, `events.rs` | files, piece by piece; live updates |
//! | `door.rs` | the same for the page of a thread |
//! | `access.rs` | bearer tokens and their scopes |
//! | `fields.rs` | bodies and queries, read strictly |
//! | `problem.rs` | what went wrong, as RFC 9457 has it |
//! | `openapi.rs` | the document at `/api/v1/openapi.json`, made of the same list of routes |
//!
//! A request goes token → scope → query → body → the route. Acts are carried out by [`Hands`], as those of the command
//! line are: the word is written in one transaction, and those concerned are decided on anew. People are handed over and
//! erased by [`Privacy`].
//!
//! **Asked twice, done once.** What stands already as it is asked for is answered 200 with `already`, so that a client
//! that never saw its answer asks again.
//!
//! **Invariants:** a token sees and changes nothing of another firm; whatever is another's is unknown (404). An act runs
//! in a task of its own, so that a client who hangs up does not cut it in its middle. Every wait is bounded, and so are
//! the bodies, the requests under way and the connections to the database, of which the intakes need most.

mod access;
mod acts;
mod door;
mod dust;
mod events;
mod fields;
mod incidents;
mod lists;
mod looks;
mod openapi;
mod problem;
mod replies;
mod report;
mod routes;
mod streams;

pub use access::new_token;
pub(in crate::shell) use door::Refusal;
use problem::Kind;
use problem::Problem;

use crate::shell::answers::Answers;
use crate::shell::hands::Hands;
use crate::shell::page::link::Links;
use crate::shell::privacy::Privacy;
use crate::shell::registry::Registry;
use crate::shell::store::Store;
use crate::shell::store::api_token::ApiToken;
use access::{Refused, authenticate, authorise};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{RawPathParams, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, get};
use fields::{Given, What};
use futures::StreamExt;
use routes::{ROUTES, Route, Verb, Work};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// Where the API is.
pub const PREFIX: &str = "/api/v1";

/// The path of the document, below [`PREFIX`].
const DOCUMENT: &str = "/openapi.json";

/// Limits of the API. The defaults are right for production; tests shorten them.
#[derive(Debug, Clone, Copy)]
pub struct ApiLimits {
    /// Largest body in bytes: 200 ids of vendors fit.
    pub body_bytes_max: usize,
    /// Longest time for a body to come in.
    pub body_timeout: Duration,
    /// Largest body that brings files, whose head states its length: 20 MiB of them in base64, and what is said.
    pub files_body_bytes_max: usize,
    /// Longest time for such a body to come in.
    pub files_body_timeout: Duration,
    /// Such bodies at once: each is in memory whole.
    pub files_bodies_max: usize,
    /// A larger file would not be kept. Bytes.
    pub file_bytes_max: u64,
    /// Requests under way at once; above it 503.
    pub requests_max: usize,
    /// Looks at the database at once, each by one connection of the pool. Further ones wait.
    pub looks_max: usize,
    /// Acts at once, each by one or two connections. They wait for each other in any case: nothing is decided beside one.
    pub acts_max: usize,
    /// Files on their way at once.
    pub streams_max: usize,
    /// Who may listen to live updates at once.
    pub listeners_max: usize,
    /// Longest wait for a turn; after it 503.
    pub turn_wait: Duration,
    /// Longest wait for an answer; after it 503, and an act goes on.
    pub answer_wait: Duration,
}

impl Default for ApiLimits {
    fn default() -> Self {
        Self {
            body_bytes_max: 64 * 1024,
            body_timeout: Duration::from_secs(10),
            files_body_bytes_max: 28 * 1024 * 1024,
            files_body_timeout: Duration::from_secs(60),
            files_bodies_max: 4,
            file_bytes_max: replies::FILES_BYTES_MAX as u64,
            requests_max: 64,
            looks_max: 4,
            acts_max: 2,
            streams_max: 32,
            listeners_max: 32,
            turn_wait: Duration::from_secs(10),
            answer_wait: Duration::from_secs(30),
        }
    }
}

/// The API. Cheap to clone; clones are one.
#[derive(Clone)]
pub struct Api {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    hands: Hands,
    privacy: Privacy,
    answers: Answers,
    registry: Arc<Registry>,
    limits: ApiLimits,
    requests: Semaphore,
    looks: Semaphore,
    acts: Arc<Semaphore>,
    files: Semaphore,
    streams: Arc<Semaphore>,
    listeners: Arc<Semaphore>,
    /// Turns true when live updates are to end.
    stop: OnceLock<watch::Receiver<bool>>,
    refused: Refused,
    /// Who makes links to threads.
    links: OnceLock<Links>,
}

/// A request whose token may do what its route does.
struct Call {
    api: Api,
    token: ApiToken,
    /// What the path names; empty where it names nothing.
    id: String,
    /// What it names second.
    part: String,
    headers: HeaderMap,
    /// The query of a look, the body of an act.
    given: Given,
    /// An act's turn.
    turn: Option<OwnedSemaphorePermit>,
}

impl Api {
    /// The API over a store. Needs a tokio runtime.
    pub fn new(store: Store, registry: Arc<Registry>, limits: ApiLimits) -> Self {
        let shared = Shared {
            hands: Hands::new(store.clone(), registry.clone()),
            privacy: Privacy::new(store.clone(), registry.clone()),
            answers: Answers::new(store.clone(), registry.clone()),
            registry,
            store,
            limits,
            requests: Semaphore::new(limits.requests_max),
            looks: Semaphore::new(limits.looks_max),
            acts: Arc::new(Semaphore::new(limits.acts_max)),
            files: Semaphore::new(limits.files_bodies_max),
            streams: Arc::new(Semaphore::new(limits.streams_max)),
            listeners: Arc::new(Semaphore::new(limits.listeners_max)),
            stop: OnceLock::new(),
            refused: Refused::default(),
            links: OnceLock::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The same, whose live updates end when `stop` turns true: clients come back to another daemon, or later.
    #[must_use]
    pub fn until(self, stop: watch::Receiver<bool>) -> Self {
        // Set once: the first stays.
        let _ = self.shared.stop.set(stop);
        self
    }

    /// The routes under [`PREFIX`].
    pub fn routes(&self) -> Router {
        let mut paths: BTreeMap<&str, (MethodRouter<Self>, Vec<&str>)> = BTreeMap::new();
        for route in ROUTES {
            let handler = move |State(api): State<Self>, params: RawPathParams, request: Request| async move {
                let mut named = params.iter().map(|(_, value)| value.to_owned());
                let named = (named.next().unwrap_or_default(), named.next().unwrap_or_default());
                api.serve(route, named, request).await
            };
            let filter = match route.verb {
                Verb::Get => MethodFilter::GET,
                Verb::Post => MethodFilter::POST,
            };
            let (methods, allowed) = paths.entry(route.path).or_default();
            *methods = std::mem::take(methods).on(filter, handler);
            allowed.push(route.verb.word());
        }
        paths.insert(DOCUMENT, (get(|| async { finished(openapi::document().into_response()) }), vec!["GET"]));
        let mut router = Router::new();
        for (path, (methods, allowed)) in paths {
            let allowed = allowed.join(", ");
            let wrong = move || async move { refused(Problem::of_method(&allowed)) };
            router = router.route(path, methods.fallback(wrong));
        }
        let unknown = || async { refused(Problem::new(Kind::RouteUnknown, "there is no such route")) };
        Router::new().nest(PREFIX, router.fallback(unknown).with_state(self.clone()))
    }

    /// Waits until the acts under way are done: some may have lost the client who asked for them.
    pub async fn finish(&self) {
        let all = u32::try_from(self.shared.limits.acts_max).unwrap_or(u32::MAX);
        // It is never closed.
        drop(self.shared.acts.acquire_many(all).await);
    }

    /// One request from its head to its answer.
    async fn serve(&self, route: &'static Route, named: (String, String), request: Request) -> Response {
        let began = Instant::now();
        let response = self.answer(route, named, request).await.unwrap_or_else(IntoResponse::into_response);
        let name = format!("{} {}", route.verb.word(), route.path);
        count(name.clone(), &response);
        metrics::histogram!("lanka_api_seconds", "route" => name).record(began.elapsed());
        finished(response)
    }

    async fn answer(
        &self,
        route: &'static Route,
        (id, part): (String, String),
        request: Request,
    ) -> Result<Response, Problem> {
        let too_many = |_| Problem::new(Kind::Busy, "too many requests are under way");
        let _under_way = self.shared.requests.try_acquire().map_err(too_many)?;
        let (head, body) = request.into_parts();
        let Shared { store, limits, looks, acts, refused, .. } = &*self.shared;
        let look = turn(limits.turn_wait, looks.acquire()).await?;
        let token = within(limits.answer_wait, authenticate(store, &head.headers, refused)).await?;
        authorise(&token, route.scope)?;
        let query = Given::of_query(route.query, head.uri.query().unwrap_or_default())?;
        let Some(fields) = route.body else {
            let call = Call { api: self.clone(), token, id, part, headers: head.headers, given: query, turn: None };
            return within(limits.answer_wait, route.run.on(call)).await;
        };
        drop(look);
        let takes_files = fields.iter().any(|field| field.what == What::Files);
        let is_large = takes_files && stated(&head.headers).is_some_and(|stated| stated > limits.body_bytes_max as u64);
        let (bytes_max, body_timeout) = match is_large {
            true => (limits.files_body_bytes_max, limits.files_body_timeout),
            false => (limits.body_bytes_max, limits.body_timeout),
        };
        let _in_memory = match is_large {
            true => Some(turn(limits.turn_wait, self.shared.files.acquire()).await?),
            false => None,
        };
        let given = Given::of_body(fields, &read(&head.headers, body, bytes_max, body_timeout).await?)?;
        let turn = Some(turn(limits.turn_wait, Arc::clone(acts).acquire_owned()).await?);
        route.run.on(Call { api: self.clone(), token, id, part, headers: head.headers, given, turn }).await
    }
}

/// The length of a body, as its head says.
fn stated(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok())
}

/// Reads a JSON body of at most `bytes_max`, whatever its head says of it.
async fn read(headers: &HeaderMap, body: Body, bytes_max: usize, timeout: Duration) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(Kind::BodyTooLarge, format!("the body has more than {bytes_max} bytes"));
    if stated(headers).is_some_and(|stated| stated > bytes_max as u64) {
        return Err(too_large());
    }
    let reading = async {
        let mut chunks = body.into_data_stream();
        let mut whole = Vec::new();
        while let Some(chunk) = chunks.next().await {
            let broken = |_| Problem::new(Kind::BodyBrokenOff, "the body broke off");
            whole.extend_from_slice(&chunk.map_err(broken)?);
            if whole.len() > bytes_max {
                return Err(too_large());
            }
        }
        Ok(Bytes::from(whole))
    };
    let slow = |_| Err(Problem::new(Kind::BodyTooSlow, "the body came too slowly"));
    let whole = tokio::time::timeout(timeout, reading).await.unwrap_or_else(slow)?;
    // An act that needs no words may come without a body, and then without its type.
    match whole.is_empty() || is_json(headers) {
        true => Ok(whole),
        false => Err(Problem::new(Kind::BodyNotJson, "the body is not said to be JSON")),
    }
}

impl Work {
    async fn on(self, call: Call) -> Result<Response, Problem> {
        match self {
            Self::Json(run) => Ok(axum::Json(run(call).await?).into_response()),
            Self::Stream(run) => run(call).await,
        }
    }
}

/// Waits for a turn.
async fn turn<T>(
    wait: Duration,
    acquiring: impl Future<Output = Result<T, tokio::sync::AcquireError>>,
) -> Result<T, Problem> {
    match tokio::time::timeout(wait, acquiring).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(Problem::new(Kind::Busy, "others are before you")),
    }
}

/// Waits for the database.
async fn within<T>(wait: Duration, answer: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    let late = |_| Err(Problem::new(Kind::DatabaseAway, "the database does not answer"));
    tokio::time::timeout(wait, answer).await.unwrap_or_else(late)
}

/// Whether the head says that the body is JSON in UTF-8, and not compressed (RFC 8259, section 8.1).
fn is_json(headers: &HeaderMap) -> bool {
    let value = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?").to_ascii_lowercase());
    let is_plain = value(CONTENT_ENCODING).is_none_or(|encoding| encoding == "identity");
    let Some(stated) = value(CONTENT_TYPE) else { return false };
    let mut parts = stated.split(';').map(str::trim);
    let is_json = parts.next() == Some("application/json");
    let is_utf8 = parts.filter_map(|part| part.strip_prefix("charset=")).all(|of| of.trim_matches('"') == "utf-8");
    is_plain && is_json && is_utf8
}

/// A request that reached no route. What somebody made up must not become a label.
fn refused(problem: Problem) -> Response {
    let response = problem.into_response();
    count(String::new(), &response);
    finished(response)
}

fn count(route: String, response: &Response) {
    let status = response.status().as_str().to_owned();
    metrics::counter!("lanka_api_requests_total", "route" => route, "status" => status).increment(1);
}

/// What every answer says of itself: it is one client's, and never a page.
fn finished(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
