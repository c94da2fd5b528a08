//! Webhooks: `POST /hooks/{channel}`, and `GET` for a vendor's handshake.
//!
//! | answer | means |
//! |---|---|
//! | 200 | committed |
//! | 401 | not signed by the vendor: the signature is missing, malformed, of other bytes, or too old |
//! | 403 | a handshake with a token that is not ours |
//! | 404, 405 | no such channel; a method that it does not take |
//! | 400, 408, 413 | the body broke off, came too slowly, is too large |
//! | 500 | this one delivery cannot be stored, whatever one does; it is logged |
//! | 503 and `Retry-After` | not stored: too much at once, or the database is away |
//!
//! A delivery goes body → `Channel::verify` over the raw bytes → commit → 200. Nothing is parsed, and
//! nothing unverified is written anywhere.
//!
//! **Commits are grouped.** Verified deliveries wait in a short queue, from which a committer takes
//! all that is there and stores it with one insert; each sender is answered after the commit that its
//! delivery rode on. While one committer waits for the disk the other one collects. The queue holds
//! only what somebody is waiting for: a sender that was told 503, or hung up, has its delivery
//! dropped, and repeats it.
//!
//! **Invariant:** no 2xx before the commit. Every wait is bounded, and so is the memory: by bodies
//! under way, by their bytes together, and by the rows of the queue.

use super::{ChannelHealth, ChannelIdent};
use crate::pure::channels::{Channel, Delivery, Forged, Handshake};
use crate::pure::domain::Timestamp;
use crate::shell::alerts::Alerts;
use crate::shell::store::raw_event::{BODY_IN_ROW_BYTES_MAX, NewRawEvent, RawBody};
use crate::shell::store::{Store, StoreError};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::header::{ALLOW, CONTENT_LENGTH, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use bytes::BytesMut;
use futures::StreamExt;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;

/// Committers. One waits for the disk while the other collects; more would only make the groups smaller.
const COMMITTERS: usize = 2;

/// `Retry-After` when there is too much at once: the next second is another one.
const BUSY_RETRY_S: u64 = 2;

/// `Retry-After` when the database is away: a restart takes some seconds.
const AWAY_RETRY_S: u64 = 10;

/// A forged delivery is said once in this time and channel, for anybody can send them.
const FORGED_SAID_EVERY_S: i64 = 60;

/// The alert that deliveries cannot be stored.
pub const STORE_AWAY: &str = "store_away";

/// Limits of taking deliveries. The defaults are right for production; tests shorten them.
#[derive(Debug, Clone, Copy)]
pub struct WebhookLimits {
    /// Largest body. WhatsApp's batches may have 3 MB.
    pub body_bytes_max: usize,
    /// Longest time for a body to come in.
    pub body_timeout: Duration,
    /// Deliveries under way at once; above it 503.
    pub deliveries_max: usize,
    /// Bytes of all bodies under way together; above it 503.
    pub bodies_bytes_max: usize,
    /// Longest wait for the commit; after it 503. Vendors hang up after 5 to 20 s.
    pub commit_wait: Duration,
    /// Rows that may wait for a committer; above it 503.
    pub queue_rows_max: usize,
    /// Rows of one group: the gain of a larger one is below a tenth.
    pub group_rows_max: usize,
    /// Bytes of one group, so that one insert stays well below what Postgres takes in a statement.
    pub group_bytes_max: usize,
}

impl Default for WebhookLimits {
    fn default() -> Self {
        Self {
            body_bytes_max: 4 * 1024 * 1024,
            body_timeout: Duration::from_secs(10),
            deliveries_max: 512,
            bodies_bytes_max: 64 * 1024 * 1024,
            commit_wait: Duration::from_secs(5),
            queue_rows_max: 1024,
            group_rows_max: 256,
            group_bytes_max: 8 * 1024 * 1024,
        }
    }
}

impl WebhookLimits {
    /// The limits of the configuration's `[http]`: `request_timeout` is shared out evenly to the body
    /// and to the commit.
    pub fn within(body_bytes_max: usize, deliveries_max: usize, request_timeout: Duration) -> Self {
        let default = Self::default();
        Self {
            body_bytes_max,
            body_timeout: request_timeout / 2,
            deliveries_max,
            bodies_bytes_max: default.bodies_bytes_max.max(body_bytes_max),
            commit_wait: request_timeout / 2,
            ..default
        }
    }
}

/// How deliveries are committed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Commit {
    /// Those that wait together, together.
    #[default]
    Grouped,
    /// Each by itself: what grouping is measured against.
    Each,
}

/// A channel that takes webhooks.
#[derive(Clone)]
pub struct Hook {
    /// Whose deliveries they are.
    pub channel: ChannelIdent,
    /// Verifies them.
    pub reader: Arc<dyn Channel>,
    /// Where it is noted that the channel works.
    pub health: ChannelHealth,
}

/// What the intake needs.
pub struct WebhookSetup {
    /// Where deliveries are committed.
    pub store: Store,
    /// Where it is said that they cannot be stored.
    pub alerts: Alerts,
    /// `http.public_url`, without a slash at the end: the URL as vendors sign it. Without one it is
    /// made of the `Host` header, which serves where nobody signs the URL.
    pub public_url: Option<String>,
    /// Limits.
    pub limits: WebhookLimits,
    /// How deliveries are committed.
    pub commit: Commit,
}

/// The intake of webhooks. Cheap to clone; clones are one.
#[derive(Clone)]
pub struct Webhooks {
    shared: Arc<Shared>,
}

struct Shared {
    setup: WebhookSetup,
    hooks: RwLock<Arc<HashMap<String, Listed>>>,
    /// Deliveries that may be under way, and the bytes of their bodies.
    deliveries: Semaphore,
    bytes: Arc<Semaphore>,
    queue: mpsc::Sender<Waiting>,
}

struct Listed {
    hook: Hook,
    /// When a forged delivery was last said, in Unix seconds.
    forged_said_at_s: AtomicI64,
}

/// A delivery that waits for its commit.
struct Waiting {
    event: NewRawEvent,
    answer: oneshot::Sender<Verdict>,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Stored,
    /// Not now: the database does not answer.
    Away,
    /// Not ever: it takes others, but not this one.
    Unstorable,
}

/// How a request is answered. Words in it are shown to whoever sent the request.
enum Answer {
    Stored,
    Echo(String),
    Forged(Forged),
    HandshakeRefused,
    NoSuchChannel,
    WrongMethod,
    BrokenOff,
    TooSlow,
    TooLarge,
    Busy,
    Away,
    Unstorable,
}

/// The committers' tasks. They end when every [`Webhooks`] and its routes are dropped.
pub struct Committers {
    tasks: JoinSet<()>,
}

impl Committers {
    /// Waits until all that was queued is committed and answered.
    pub async fn finish(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Webhooks {
    /// Starts the committers. Needs a tokio runtime.
    pub fn start(setup: WebhookSetup, hooks: Vec<Hook>) -> (Self, Committers) {
        let (queue, waiting) = mpsc::channel(setup.limits.queue_rows_max);
        let waiting = Arc::new(Mutex::new(waiting));
        let mut tasks = JoinSet::new();
        for _ in 0..COMMITTERS {
            let committer =
                Committer { store: setup.store.clone(), alerts: setup.alerts.clone(), limits: setup.limits };
            tasks.spawn(committer.run(Arc::clone(&waiting)));
        }
        let shared = Shared {
            hooks: RwLock::default(),
            deliveries: Semaphore::new(setup.limits.deliveries_max),
            bytes: Arc::new(Semaphore::new(setup.limits.bodies_bytes_max)),
            queue,
            setup,
        };
        let webhooks = Self { shared: Arc::new(shared) };
        webhooks.replace(hooks);
        (webhooks, Committers { tasks })
    }

    /// Serves these channels from now on, after a reload of the configuration.
    pub fn replace(&self, hooks: Vec<Hook>) {
        let listed = |hook: Hook| (hook.channel.name.clone(), Listed { hook, forged_said_at_s: AtomicI64::new(0) });
        let hooks = Arc::new(hooks.into_iter().map(listed).collect());
        *self.shared.hooks.write().unwrap_or_else(PoisonError::into_inner) = hooks;
    }

    /// The routes under `/hooks/`.
    pub fn routes(&self) -> Router {
        Router::new().route("/hooks/{channel}", any(receive)).with_state(self.clone())
    }

    /// What reads the deliveries of a channel.
    pub(super) fn reader(&self, channel: &str) -> Option<Arc<dyn Channel>> {
        self.hooks().get(channel).map(|listed| Arc::clone(&listed.hook.reader))
    }

    fn hooks(&self) -> Arc<HashMap<String, Listed>> {
        Arc::clone(&self.shared.hooks.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn limits(&self) -> &WebhookLimits {
        &self.shared.setup.limits
    }

    /// One request from its head to its answer.
    async fn take(&self, listed: &Listed, request: Request) -> Answer {
        let received_at = Timestamp::now();
        match *request.method() {
            Method::GET => return handshake(&listed.hook, request.uri()),
            Method::POST => {}
            _ => return Answer::WrongMethod,
        }
        let Ok(_under_way) = self.shared.deliveries.try_acquire() else {
            return Answer::Busy;
        };
        let (head, body) = request.into_parts();
        let (body, _bytes) = match self.read(&head.headers, body).await {
            Ok(read) => read,
            Err(answer) => return answer,
        };
        let headers = header_list(&head.headers);
        let url = self.url(&head.headers, &head.uri);
        let delivery = Delivery { headers: &headers, url: &url, body: &body, received_at };
        if let Err(forged) = listed.hook.reader.verify(&delivery) {
            return listed.say_forged(forged);
        }
        // The wait covers the content store, the queue and the commit.
        match tokio::time::timeout(self.limits().commit_wait, self.store(&listed.hook, body, received_at)).await {
            Ok(answer) => answer,
            Err(_) => Answer::Away,
        }
    }

    /// Reads a body of at most [`WebhookLimits::body_bytes_max`], whatever its head says of it. With
    /// it comes its share of all bodies' memory, to be held until the answer.
    async fn read(&self, headers: &HeaderMap, body: Body) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Answer> {
        let body_bytes_max = self.limits().body_bytes_max;
        let stated = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if stated.is_some_and(|stated| stated > body_bytes_max as u64) {
            return Err(Answer::TooLarge);
        }
        let reading = async {
            let mut chunks = body.into_data_stream();
            let (mut pieces, mut bytes, mut share) = (Vec::new(), 0_usize, None::<OwnedSemaphorePermit>);
            while let Some(chunk) = chunks.next().await {
                let chunk = chunk.map_err(|_| Answer::BrokenOff)?;
                bytes += chunk.len();
                if bytes > body_bytes_max {
                    return Err(Answer::TooLarge);
                }
                let more = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
                let more = Arc::clone(&self.shared.bytes).try_acquire_many_owned(more).map_err(|_| Answer::Busy)?;
                match &mut share {
                    Some(share) => share.merge(more),
                    None => share = Some(more),
                }
                pieces.push(chunk);
            }
            Ok((joined(pieces, bytes), share))
        };
        tokio::time::timeout(self.limits().body_timeout, reading).await.unwrap_or(Err(Answer::TooSlow))
    }

    /// Stores a verified delivery, and comes back when it is committed.
    async fn store(&self, hook: &Hook, body: Bytes, received_at: Timestamp) -> Answer {
        // Here rather than in the committer, where a group would wait for one large body's fsync.
        let body = if body.len() > BODY_IN_ROW_BYTES_MAX {
            match self.shared.setup.store.content.put(body).await {
                Ok(stored) => RawBody::Stored { hash: stored.hash, bytes: stored.bytes },
                Err(error) => {
                    let message = format!("A large delivery cannot be stored: {error}. Is the disk full?");
                    self.shared.setup.alerts.onset(STORE_AWAY, "content", message);
                    return Answer::Away;
                }
            }
        } else {
            RawBody::Bytes(body)
        };
        if matches!(body, RawBody::Stored { .. }) {
            self.shared.setup.alerts.recovered(STORE_AWAY, "content");
        }
        let event = NewRawEvent {
            tenant: hook.channel.tenant.clone(),
            channel: hook.channel.name.clone(),
            kind: hook.channel.kind.clone(),
            received_at,
            trusted_at: None,
            origin: format!("webhook {}", hook.channel.name),
            body,
        };
        let verdict = match self.shared.setup.commit {
            Commit::Grouped => {
                let (answer, verdict) = oneshot::channel();
                if self.shared.queue.try_send(Waiting { event, answer }).is_err() {
                    return Answer::Busy;
                }
                // A committer that ended without an answer stored nothing that it knows of.
                verdict.await.unwrap_or(Verdict::Away)
            }
            Commit::Each => verdict_of(&self.shared.setup.store.record(&[event], None).await.map(drop)),
        };
        match verdict {
            Verdict::Stored => {
                hook.health.worked();
                Answer::Stored
            }
            Verdict::Away => Answer::Away,
            Verdict::Unstorable => Answer::Unstorable,
        }
    }

    /// The URL as the vendor knows it.
    fn url(&self, headers: &HeaderMap, uri: &Uri) -> String {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        match &self.shared.setup.public_url {
            Some(public_url) => format!("{}{path}", public_url.trim_end_matches('/')),
            None => {
                let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("localhost");
                format!("http://{host}{path}")
            }
        }
    }
}

/// One request to a channel's hook.
pub(super) async fn receive(
    State(webhooks): State<Webhooks>,
    Path(channel): Path<String>,
    request: Request,
) -> Response {
    let began = Instant::now();
    let hooks = webhooks.hooks();
    let answer = match hooks.get(&channel) {
        Some(listed) => webhooks.take(listed, request).await,
        None => Answer::NoSuchChannel,
    };
    // A name that anybody made up must not become a label.
    let label = if hooks.contains_key(&channel) { channel } else { String::new() };
    let response = answer.into_response();
    let status = response.status().as_str().to_owned();
    metrics::counter!("lanka_webhook_deliveries_total", "channel" => label.clone(), "status" => status).increment(1);
    metrics::histogram!("lanka_webhook_seconds", "channel" => label).record(began.elapsed());
    response
}

fn handshake(hook: &Hook, uri: &Uri) -> Answer {
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(uri.query().unwrap_or("").as_bytes()).into_owned().collect();
    match hook.reader.handshake(&query) {
        Handshake::Echo(text) => Answer::Echo(text),
        Handshake::Refused => Answer::HandshakeRefused,
        Handshake::None => Answer::WrongMethod,
    }
}

/// Names in lower case, as hyper gives them; one that repeats stays repeated.
fn header_list(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect()
}

/// The body in one piece, which it mostly is already.
fn joined(mut pieces: Vec<Bytes>, bytes: usize) -> Bytes {
    if pieces.len() == 1 {
        return pieces.pop().unwrap_or_default();
    }
    let mut whole = BytesMut::with_capacity(bytes);
    pieces.iter().for_each(|piece| whole.extend_from_slice(piece));
    whole.freeze()
}

impl Listed {
    /// Says a forged delivery, but not each: whoever forges one can forge a million.
    fn say_forged(&self, forged: Forged) -> Answer {
        let now_s = Timestamp::now().as_second();
        let said_at_s = self.forged_said_at_s.load(Ordering::Relaxed);
        if now_s - said_at_s >= FORGED_SAID_EVERY_S
            && self.forged_said_at_s.compare_exchange(said_at_s, now_s, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            tracing::warn!(
                code = "delivery_forged",
                channel.name = self.hook.channel.name,
                "a delivery was refused, {forged}; {}",
                advice(forged)
            );
        }
        Answer::Forged(forged)
    }
}

/// What a refusal means if the delivery was the vendor's after all.
fn advice(forged: Forged) -> &'static str {
    match forged {
        Forged::Missing => {
            "if it is the vendor's, a signature is to be switched on there, or a proxy takes the header off"
        }
        Forged::Malformed => "if it is the vendor's, the channel is of another kind than what it sends",
        Forged::Mismatch => "if it is the vendor's, the channel's secret is wrong",
        Forged::Stale => {
            "it was signed too long ago, or in the future: a replay, or a clock that is wrong here or there; it says nothing of the secret"
        }
        Forged::NotAWebhook => "whoever sends it has a wrong address",
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let retry = |after_s: u64, why: &'static str| {
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, HeaderValue::from(after_s))], why).into_response()
        };
        match self {
            Self::Stored => StatusCode::OK.into_response(),
            // A vendor's challenge comes from the query; it must never be taken for a page.
            Self::Echo(text) => ([(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))], text).into_response(),
            Self::Forged(forged) => (StatusCode::UNAUTHORIZED, format!("{forged}\n")).into_response(),
            Self::HandshakeRefused => (StatusCode::FORBIDDEN, "the token is not ours\n").into_response(),
            Self::NoSuchChannel => (StatusCode::NOT_FOUND, "no such channel\n").into_response(),
            Self::WrongMethod => {
                let allowed = [(ALLOW, HeaderValue::from_static("POST"))];
                (StatusCode::METHOD_NOT_ALLOWED, allowed, "this channel takes POST\n").into_response()
            }
            Self::BrokenOff => (StatusCode::BAD_REQUEST, "the body broke off\n").into_response(),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "the body came too slowly\n").into_response(),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large\n").into_response(),
            Self::Busy => retry(BUSY_RETRY_S, "too much at once\n"),
            Self::Away => retry(AWAY_RETRY_S, "it cannot be stored now\n"),
            Self::Unstorable => (StatusCode::INTERNAL_SERVER_ERROR, "it cannot be stored\n").into_response(),
        }
    }
}

/// Takes what waits and commits it together.
struct Committer {
    store: Store,
    alerts: Alerts,
    limits: WebhookLimits,
}

impl Committer {
    async fn run(self, waiting: Arc<Mutex<mpsc::Receiver<Waiting>>>) {
        loop {
            let mut taken = Vec::new();
            // Held while nothing waits; the other committer then has nothing to do either.
            let count = waiting.lock().await.recv_many(&mut taken, self.limits.group_rows_max).await;
            if count == 0 {
                return;
            }
            self.commit(taken).await;
        }
    }

    /// Commits what is still wanted, in groups within the limits, and answers everybody.
    async fn commit(&self, taken: Vec<Waiting>) {
        let (mut events, mut answers) = (Vec::new(), Vec::new());
        for Waiting { event, answer } in taken {
            // Who has been answered 503, or has hung up, will send it again.
            if !answer.is_closed() {
                events.push(event);
                answers.push(Some(answer));
            }
        }
        let deadline = tokio::time::Instant::now() + self.limits.commit_wait;
        let mut ranges = groups(&events, self.limits.group_bytes_max);
        ranges.reverse();
        while let Some(range) = ranges.pop() {
            metrics::histogram!("lanka_webhook_group_rows").record(range.len() as f64);
            let recorded = tokio::time::timeout_at(deadline, self.store.record(&events[range.clone()], None)).await;
            let recorded = recorded.map(|recorded| recorded.map(drop));
            let verdict = recorded.as_ref().map_or(Verdict::Away, verdict_of);
            if verdict == Verdict::Unstorable && range.len() > 1 {
                // One of them is at fault: the others must not suffer for it.
                let middle = range.start + range.len() / 2;
                ranges.push(middle..range.end);
                ranges.push(range.start..middle);
                continue;
            }
            let why = match &recorded {
                Ok(Err(error)) => error.to_string(),
                _ => "the database does not answer".to_owned(),
            };
            self.say(verdict, &events[range.start].channel, &why);
            for answer in &mut answers[range] {
                // An error is a sender that has hung up.
                let _ = answer.take().map(|answer| answer.send(verdict));
            }
            if verdict == Verdict::Away {
                // The rest would wait as long for the same answer.
                ranges.clear();
                answers.iter_mut().filter_map(Option::take).for_each(|answer| {
                    let _ = answer.send(Verdict::Away);
                });
            }
        }
    }

    fn say(&self, verdict: Verdict, channel: &str, why: &str) {
        match verdict {
            Verdict::Stored => self.alerts.recovered(STORE_AWAY, "webhooks"),
            Verdict::Away => {
                let message = format!("Deliveries cannot be stored ({why}); senders are told to repeat them.");
                self.alerts.onset(STORE_AWAY, "webhooks", message);
            }
            Verdict::Unstorable => {
                tracing::error!(
                    code = "delivery_unstorable",
                    channel.name = channel,
                    "a delivery cannot be stored and was answered 500: {why}"
                );
            }
        }
    }
}

/// Ranges of at most `bytes_max` bytes each, unless one event alone has more.
fn groups(events: &[NewRawEvent], bytes_max: usize) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (index, event) in events.iter().enumerate() {
        let more = match &event.body {
            RawBody::Bytes(body) => body.len(),
            RawBody::Stored { .. } => 0,
        };
        match ranges.last_mut() {
            Some(range) if bytes + more <= bytes_max => {
                range.end = index + 1;
                bytes += more;
            }
            _ => {
                ranges.push(index..index + 1);
                bytes = more;
            }
        }
    }
    ranges
}

/// What an insert's end means for its deliveries.
fn verdict_of(recorded: &Result<(), StoreError>) -> Verdict {
    match recorded {
        Ok(()) => Verdict::Stored,
        Err(error) if is_of_the_rows(error) => Verdict::Unstorable,
        Err(_) => Verdict::Away,
    }
}

/// Whether an insert failed for what is in its rows: the classes 22 (data exception), 23 (constraint)
/// and 54 (program limit) of SQLSTATE, or a value that cannot be encoded. Anything else would fail
/// with other rows too, or will pass.
fn is_of_the_rows(error: &StoreError) -> bool {
    match error {
        StoreError::Database(sqlx::Error::Database(error)) => {
            error.code().is_some_and(|code| ["22", "23", "54"].iter().any(|class| code.starts_with(class)))
        }
        StoreError::Database(sqlx::Error::Encode(_)) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_keep_to_their_bytes() {
        let event = |bytes: usize| NewRawEvent {
            tenant: "main".to_owned(),
            channel: "chat".to_owned(),
            kind: "chat".to_owned(),
            received_at: Timestamp::UNIX_EPOCH,
            trusted_at: None,
            origin: String::new(),
            body: RawBody::Bytes(Bytes::from(vec![0; bytes])),
        };
        for (sizes, expected) in [
            (&[][..], &[][..]),
            (&[5], &[1]),
            (&[50], &[1]),
            (&[5, 5, 5], &[2, 1]),
            (&[50, 1, 50, 5, 5], &[1, 1, 1, 2]),
            (&[0, 0, 0, 10], &[4]),
        ] {
            let events: Vec<NewRawEvent> = sizes.iter().map(|bytes| event(*bytes)).collect();
            let lengths: Vec<usize> = groups(&events, 10).iter().map(ExactSizeIterator::len).collect();
            assert_eq!(lengths, expected, "{sizes:?}");
            assert!(groups(&events, 10).into_iter().flatten().eq(0..events.len()), "{sizes:?}");
        }
    }
}
