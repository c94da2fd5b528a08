//! A tool that is asked for what is new: what agents did in it. One that calls by its webhook is asked too, for what it told
//! nobody; what comes both ways is known by its id when it is decided.
//!
//! Which requests that takes is the tool's own file's to say ([`Poller`]); they are sent here, and what they bring is
//! stored with the cursor in one transaction. Looks may overlap: what was stored before is known by its bytes.
//!
//! **Invariant:** the cursor never passes what is not stored.

use super::pace::{self, Failure, Found, Source};
use super::{ChannelHealth, ChannelIdent};
use crate::pure::domain::Timestamp;
use crate::pure::wire::poll::{ANSWER_BYTES_MAX, Look, PollSource, Poller};
use crate::shell::carriers::http::{CarrierError, HttpCarrier};
use crate::shell::store::raw_event::{CursorMove, NewRawEvent, RawBody};
use crate::shell::store::{Store, StoreError};
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::watch;

/// What the cursor is kept under.
const SOURCE: &str = "poll";

/// Requests of one look; a tool that wants more goes in circles.
const REQUESTS_MAX: usize = 300;

/// Why a look failed.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// The tool gives no answer.
    #[error("the tool cannot be asked what is new: {0}")]
    Carrier(#[from] CarrierError),
    /// It gives one that is of no use.
    #[error("{0}")]
    Later(String),
    /// Our own Postgres does not take it now.
    #[error("what is new could not be stored: {0}")]
    Store(#[from] StoreError),
}

impl Failure for PollError {
    fn code(&self) -> &'static str {
        match self {
            Self::Carrier(_) => "connection_lost",
            Self::Later(_) => "poll_failed",
            Self::Store(_) => "store_failed",
        }
    }
}

/// Looks until `shutdown` turns true; with `until_idle` until nothing new is found.
///
/// # Errors
/// Only with `until_idle`, after several attempts in a row.
pub async fn poll(
    source: PollSource,
    channel: ChannelIdent,
    store: Store,
    carrier: HttpCarrier,
    health: ChannelHealth,
    shutdown: watch::Receiver<bool>,
    until_idle: bool,
) -> Result<(), PollError> {
    let pause = source.poller.interval();
    let tool = Tool { poller: source.poller, channel, store, carrier };
    pace::watch(tool, health, pause, shutdown, until_idle).await
}

/// A tool with all that a look at it takes.
pub struct Tool {
    /// Says what to ask.
    pub poller: Arc<dyn Poller>,
    /// Whose deliveries it brings.
    pub channel: ChannelIdent,
    /// Where they go.
    pub store: Store,
    /// Asks.
    pub carrier: HttpCarrier,
}

impl Source for Tool {
    type Failure = PollError;

    async fn step(&mut self) -> Result<Found, PollError> {
        Ok(if self.look().await? { Found::Work } else { Found::Nothing })
    }
}

impl Tool {
    /// Looks once, stores what is there, and says whether it is worth looking again at once.
    ///
    /// # Errors
    /// [`PollError`]: nothing is stored, and the next look begins where this one did.
    pub async fn look(&self) -> Result<bool, PollError> {
        let ChannelIdent { tenant, name, .. } = &self.channel;
        let cursor = self.store.cursor(tenant, name, SOURCE).await?;
        let mut replies = Vec::new();
        for _ in 0..REQUESTS_MAX {
            match self.poller.look(cursor.as_ref(), &replies, Timestamp::now()) {
                Look::Send(outgoing) => replies.push(self.carrier.send_for(outgoing, ANSWER_BYTES_MAX).await?),
                Look::Later(why) => return Err(PollError::Later(why)),
                Look::Found { bodies, cursor, is_more } => {
                    let stored = self.store_new(bodies, cursor).await?;
                    return Ok(stored > 0 || is_more);
                }
            }
        }
        Err(PollError::Later(format!("a look takes more than {REQUESTS_MAX} requests: please report it")))
    }

    /// Stores what was not stored before, and says how much that is.
    async fn store_new(&self, bodies: Vec<Vec<u8>>, state: serde_json::Value) -> Result<usize, StoreError> {
        let ChannelIdent { tenant, name, kind } = &self.channel;
        let bodies: Vec<Bytes> = bodies.into_iter().map(Bytes::from).collect();
        let known = self.store.are_recorded(tenant, name, &bodies).await?;
        let event = |body: Bytes| NewRawEvent {
            tenant: tenant.clone(),
            channel: name.clone(),
            kind: kind.clone(),
            received_at: Timestamp::now(),
            trusted_at: None,
            origin: "asked of the tool".to_owned(),
            body: RawBody::Bytes(body),
        };
        let new: Vec<NewRawEvent> =
            bodies.into_iter().zip(known).filter(|(_, known)| !known).map(|(body, _)| event(body)).collect();
        let cursor = CursorMove { tenant, channel: name, source: SOURCE, state };
        self.store.record(&new, Some(cursor)).await?;
        Ok(new.len())
    }
}
