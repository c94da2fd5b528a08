//! Live updates as server-sent events: what changed, by ids, as it changes.
//!
//! | event | means |
//! |---|---|
//! | `ready` | from here on all is told |
//! | `change` | `{"what", "at", "ticket"?, "message"?, "contact"?}`: fetch what it names |
//! | `reset` | what was missed is not known any more: fetch everything, and go on from here |
//!
//! Every event has an id, from which a client that comes back with `Last-Event-ID` is told the rest, without a gap,
//! by whichever daemon it comes to. A heartbeat has an id and no data, which a browser keeps and shows nobody.
//!
//! **Invariants:** so many listen at once and no more; each has one page of changes in memory. Who takes nothing for
//! [`STALL_MAX`] is left. A token that is revoked or expires is told nothing more within [`HEARTBEAT`].

use super::problem::{Kind, Problem};
use super::{Api, Call};
use crate::shell::store::StoreError;
use crate::shell::store::api_token::ApiToken;
use crate::shell::store::change::{Changed, Place};
use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::response::Response;
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// The header by which a client says what it was told last.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// How often the database is looked at. By the same connection pool as everybody's, for a millisecond.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// A quiet connection says so often that it is there. Proxies cut what is silent for a minute.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);

/// Longest wait for a client to take what it is told.
const STALL_MAX: Duration = Duration::from_secs(30);

/// Changes told at a time.
const PAGE_ROWS: i64 = 500;

/// After how many milliseconds a client comes back whose connection ended.
const RETRY_MS: u32 = 3_000;

pub(super) async fn events(call: Call) -> Result<Response, Problem> {
    let Call { api, token, headers, .. } = call;
    let too_many = |_| Problem::new(Kind::Busy, "too many listen");
    let permit = Arc::clone(&api.shared.listeners).try_acquire_owned().map_err(too_many)?;
    let (begin, place) = begin(&api, headers.get(LAST_EVENT_ID)).await?;
    let (give, take) = mpsc::channel::<Bytes>(1);
    tokio::spawn(async move {
        let listener = Listener { api, token, give, place };
        listener.run(begin).await;
        drop(permit);
    });
    let told = futures::stream::unfold(take, |mut take| async move {
        let piece = take.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(piece), take))
    });
    let mut response = Response::new(Body::from_stream(told));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // nginx would hold back what is small.
    response.headers_mut().insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

/// What a client is told first, and where it begins.
async fn begin(api: &Api, last: Option<&HeaderValue>) -> Result<(String, Place), Problem> {
    let store = &api.shared.store;
    let last: Option<Option<Place>> = last.map(|value| value.to_str().ok()?.parse().ok());
    if let Some(Some(place)) = last
        && store.is_known_place(place).await?
    {
        return Ok((format!("retry: {RETRY_MS}\n\n"), place));
    }
    let place = store.latest_place().await?;
    let word = if last.is_none() { "ready" } else { "reset" };
    Ok((format!("retry: {RETRY_MS}\nevent: {word}\nid: {place}\ndata: {{}}\n\n"), place))
}

/// One who listens.
struct Listener {
    api: Api,
    token: ApiToken,
    give: mpsc::Sender<Bytes>,
    /// All before it was told.
    place: Place,
}

impl Listener {
    /// Tells until the client is gone, the token is no good any more, or the daemon stops.
    async fn run(mut self, begin: String) {
        let mut stop = self.api.shared.stop.get().cloned();
        let stopped = async move {
            match &mut stop {
                Some(stop) => drop(stop.wait_for(|stop| *stop).await),
                None => std::future::pending().await,
            }
        };
        let give = self.give.clone();
        tokio::select! {
            () = stopped => {}
            () = give.closed() => {}
            () = self.tell(begin) => {}
        }
    }

    async fn tell(&mut self, begin: String) {
        if !self.give(begin).await {
            return;
        }
        let mut told_at = Instant::now();
        loop {
            match self.look().await {
                Ok(text) if !text.is_empty() => {
                    if !self.give(text).await {
                        return;
                    }
                    told_at = Instant::now();
                    continue;
                }
                Ok(_) => {}
                // The database is away: what happens meanwhile is told afterwards.
                Err(error) => tracing::debug!(%error, "live updates cannot be read"),
            }
            if told_at.elapsed() >= HEARTBEAT {
                let is_good = self.api.shared.store.is_good(&self.token).await.unwrap_or(true);
                if !is_good || !self.give(format!("id: {}\n\n", self.place)).await {
                    return;
                }
                told_at = Instant::now();
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }

    /// What changed since, as events.
    async fn look(&mut self) -> Result<String, StoreError> {
        let store = &self.api.shared.store;
        let (changes, place) = store.changes_after(&self.token.tenant, self.place, PAGE_ROWS).await?;
        // While the database was away it may have been forgotten.
        if !store.is_known_place(self.place).await? {
            self.place = store.latest_place().await?;
            return Ok(format!("event: reset\nid: {}\ndata: {{}}\n\n", self.place));
        }
        self.place = place;
        Ok(changes.iter().fold(String::new(), |mut text, change| {
            tell(&mut text, change);
            text
        }))
    }

    /// Whether the client took it.
    async fn give(&self, text: String) -> bool {
        matches!(tokio::time::timeout(STALL_MAX, self.give.send(text.into())).await, Ok(Ok(())))
    }
}

fn tell(text: &mut String, change: &Changed) {
    let data = serde_json::to_string(change).unwrap_or_default();
    // Writing to a text does not fail.
    let _ = write!(text, "event: change\nid: {}\ndata: {data}\n\n", change.place);
}
