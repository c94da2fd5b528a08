//! Files from the vendors: claim → ask → fetch → settle, after the commit.
//!
//! The channel says what to ask and what an answer means ([`Channel::media`]); this loop sends it, streams what comes
//! into the content store, and settles each file by itself.
//!
//! ```text
//!           claim                 the bytes are here
//! pending ─────────► claimed ─────────────────────────► done
//!    ▲                 │ │  too late, too large, too often, the vendor says never
//!    │  later, rescue  │ └────────────────────────────► dead, said in the thread
//!    └─────────────────┘
//! ```
//!
//! **Where it goes:** a URL is typed by a customer as far as we know. Every address is judged when it is connected to
//! ([`super::carriers::http`]), after each redirect too, and only TLS is spoken unless private addresses are
//! allowed. A token goes to the host that the channel named it for, never along with a redirect to another.
//!
//! **A claim** holds while this process is present ([`Presence`]), as in the outbox: what a process that was killed was
//! fetching is fetched by the next one at once, and never by two at a time.
//!
//! Refused: fetching while the message is decided, for a vendor's slow host would hold up everybody's messages; and
//! going on with half a file after a restart, which few hosts can and the checksum would not forgive.
//!
//! **Invariants:** no transaction is open while a vendor is asked. Of a file at most a few hundred KiB are in memory. Logs
//! hold lanka's ids and names of channels, never a URL or a vendor's id.

use crate::pure::channels::{Channel, MediaReply, MediaRequest, MediaStep};
use crate::pure::domain::Timestamp;
use crate::pure::wire::step::Outgoing;
use crate::shell::carriers::http::{CarrierError, HttpCarrier, Opened};
use crate::shell::content::{ContentError, ContentHash, Stored};
use crate::shell::store::media::{Settled, TOO_LARGE, Wanted};
use crate::shell::store::presence::{Claimant, Presence};
use crate::shell::store::{Store, StoreError};
use bytes::BytesMut;
use futures::FutureExt;
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

/// Requests that one attempt may take: where is it, the file, and a spare each. A channel that asks for more goes in circles.
const STEPS_MAX: usize = 4;

/// Redirects followed for one file. Vendors' links have none, or one.
const REDIRECTS_MAX: usize = 3;

/// Longest time for the head of an answer.
const HEAD_MAX: Duration = Duration::from_secs(30);

/// Bytes gathered before they are written: each write is a job for another thread.
const WRITE_BYTES: usize = 256 * 1024;

/// Attempts after which bytes that never match their checksum are given up: once may be the line, five times is the vendor.
const MISMATCHES_MAX: i32 = 5;

/// Waits are lengthened by up to this part of themselves, so that files that failed together do not come back together.
const JITTER_PART: u64 = 5;

/// How often a settlement is tried before the file is left to the rescuer, and the waits between: doubled from the first
/// to the last.
const SETTLE_ATTEMPTS_MAX: u32 = 6;
const STORE_WAIT_MIN: Duration = Duration::from_millis(250);
const STORE_WAIT_MAX: Duration = Duration::from_secs(15);

/// How often claims of those who are gone are looked for. It is a look at a handful of rows.
const RESCUE_INTERVAL: Duration = Duration::from_secs(2);

/// Limits of fetching. The defaults are right for production; tests shorten them.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Files fetched at once.
    pub concurrency: usize,
    /// A larger file is not kept, in bytes.
    pub bytes_max: u64,
    /// Longest time one attempt may take, over all its requests.
    pub attempt_max: Duration,
    /// Longest time without a byte within a file.
    pub silence_max: Duration,
    /// Attempts after which a file is lost.
    pub attempts_max: i32,
    /// Wait after a first failure; it doubles with each further one, and is lengthened by jitter.
    pub backoff_first: Duration,
    /// Longest wait after a failure, unless the other side asks for more.
    pub backoff_max: Duration,
    /// How often files that are due are looked for.
    pub poll_interval: Duration,
    /// Longest time that what is under way may take at the stop.
    pub stop_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: 4,
            bytes_max: 50 * 1024 * 1024,
            attempt_max: Duration::from_secs(600),
            silence_max: Duration::from_secs(30),
            attempts_max: 40,
            backoff_first: Duration::from_secs(5),
            backoff_max: Duration::from_secs(3_600),
            poll_interval: Duration::from_secs(1),
            stop_max: Duration::from_secs(5),
        }
    }
}

impl Limits {
    /// How long a claim holds at most, in seconds: the net for a process that hangs. Longer than an attempt and its
    /// settlement can take.
    fn claim_s(&self) -> i64 {
        i64::try_from(self.attempt_max.as_secs()).unwrap_or(i64::MAX / 2).saturating_add(120)
    }
}

/// Fetches files. Cheap to clone; clones are one.
#[derive(Clone)]
pub struct Media {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    carrier: HttpCarrier,
    channels: HashMap<String, Arc<dyn Channel>>,
    mirrors: HashMap<String, Vec<String>>,
    limits: Limits,
}

/// How an attempt ended.
enum Attempt {
    Fetched {
        stored: Stored,
        media_type: String,
    },
    Later {
        after: Option<Duration>,
        why: String,
    },
    /// The bytes are not those that the vendor says they are.
    Mismatch,
    Lost {
        why: String,
        bytes: Option<u64>,
    },
}

impl Attempt {
    fn later(why: impl Into<String>) -> Self {
        Self::Later { after: None, why: why.into() }
    }

    fn lost(why: impl Into<String>) -> Self {
        Self::Lost { why: why.into(), bytes: None }
    }
}

impl Media {
    /// A loop over a store, for channels by name. `mirrors` are told, by tenant.
    pub fn new(
        store: Store,
        carrier: HttpCarrier,
        channels: HashMap<String, Arc<dyn Channel>>,
        mirrors: HashMap<String, Vec<String>>,
        limits: Limits,
    ) -> Self {
        Self { shared: Arc::new(Shared { store, carrier, channels, mirrors, limits }) }
    }

    /// Works until told to stop, then lets what is under way finish within [`Limits::stop_max`]. What did not is
    /// claimed, and is put back as soon as we are gone.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        let Some(presence) = self.appear(stop.clone()).await else { return };
        let limits = &self.shared.limits;
        let mut under_way = JoinSet::new();
        let (mut rescued_at, mut is_away) = (None::<Instant>, false);
        while !*stop.borrow() {
            if rescued_at.is_none_or(|at| at.elapsed() >= RESCUE_INTERVAL) {
                self.rescue(&presence).await;
                rescued_at = Some(Instant::now());
            }
            match self.claim(&presence, &mut under_way).await {
                Ok(()) => is_away = false,
                Err(error) if !is_away => {
                    is_away = true;
                    tracing::warn!(code = "media_failed", %error, "cannot look for files to fetch; trying again");
                }
                Err(_) => {}
            }
            tokio::select! {
                Some(_) = under_way.join_next(), if !is_away => {}
                () = tokio::time::sleep(limits.poll_interval) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
        let finish = async { while under_way.join_next().await.is_some() {} };
        if tokio::time::timeout(limits.stop_max, finish).await.is_err() {
            tracing::info!("stopped with files under way; they will be fetched again");
        }
    }

    /// Fetches what is due, over and over, until nothing is. What failed is due later and is not waited for.
    ///
    /// # Errors
    /// The first [`StoreError`]; what is under way then is given up and put back later.
    pub async fn until_idle(&self) -> Result<(), StoreError> {
        let presence = Arc::new(Presence::open_silent(&self.shared.store).await?);
        self.shared.store.rescue_media(presence.claimant(), Timestamp::now()).await?;
        let mut under_way = JoinSet::new();
        loop {
            self.claim(&presence, &mut under_way).await?;
            if under_way.join_next().await.is_none() {
                return Ok(());
            }
        }
    }

    /// Becomes present, as soon as the database is there. `None` when it is time to stop before.
    async fn appear(&self, mut stop: watch::Receiver<bool>) -> Option<Arc<Presence>> {
        let mut wait = STORE_WAIT_MIN;
        while !*stop.borrow() {
            match Presence::open_silent(&self.shared.store).await {
                Ok(presence) => return Some(Arc::new(presence)),
                Err(error) => tracing::debug!(%error, "cannot connect for fetching files yet"),
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
            wait = (wait * 2).min(STORE_WAIT_MAX);
        }
        None
    }

    async fn rescue(&self, presence: &Presence) {
        match self.shared.store.rescue_media(presence.claimant(), Timestamp::now()).await {
            Ok(0) => {}
            Ok(rescued) => tracing::info!(rescued, "files whose claim was given up will be fetched again"),
            Err(error) => tracing::debug!(%error, "claims that were given up could not be looked for"),
        }
    }

    /// Claims as many files as may be fetched now and starts them.
    async fn claim(&self, presence: &Arc<Presence>, under_way: &mut JoinSet<()>) -> Result<(), StoreError> {
        let limits = &self.shared.limits;
        let free = limits.concurrency.saturating_sub(under_way.len());
        let (Some(claimant), true) = (presence.claimant(), free > 0) else { return Ok(()) };
        let wanted = self.shared.store.claim_media(free as i64, claimant, limits.claim_s(), Timestamp::now()).await?;
        for wanted in wanted {
            under_way.spawn(self.clone().carry_out(presence.clone(), claimant, wanted));
        }
        Ok(())
    }

    /// One attempt at one file, and its settlement.
    async fn carry_out(self, presence: Arc<Presence>, claimant: Claimant, wanted: Wanted) {
        let began = Instant::now();
        // A channel that panics must cost its file a retry, not the loop a place for ever.
        let attempt = AssertUnwindSafe(self.attempt(&wanted)).catch_unwind();
        let ended = tokio::select! {
            biased;
            // The file is no longer ours, not even to be settled: whoever rescues it fetches it again.
            () = presence.lost(claimant) => return,
            ended = tokio::time::timeout(self.shared.limits.attempt_max, attempt) => ended,
        };
        let attempt = match ended {
            Ok(Ok(attempt)) => attempt,
            Ok(Err(_)) => Attempt::later("the channel's code failed: please report it"),
            Err(_) => Attempt::later("fetching it took too long"),
        };
        let settled = self.conclude(&wanted, attempt, Timestamp::now());
        let outcome = match &settled {
            Settled::Fetched { .. } => "fetched",
            Settled::Again { .. } => "failed",
            Settled::Lost { .. } => "lost",
        };
        let channel = wanted.channel.clone();
        metrics::histogram!("lanka_media_seconds", "channel" => channel.clone()).record(began.elapsed());
        metrics::counter!("lanka_media_total", "channel" => channel, "outcome" => outcome).increment(1);
        say(&wanted, &settled);
        self.settle(&wanted, &settled).await;
    }

    /// Asks the channel for the next step and carries it out until there is a file, or none.
    async fn attempt(&self, wanted: &Wanted) -> Attempt {
        if wanted.expires_at.is_some_and(|expires_at| expires_at <= Timestamp::now()) {
            let why = wanted.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            return Attempt::lost(format!("it was not fetched in the time that the vendor gives it out{why}"));
        }
        let Some(channel) = self.shared.channels.get(&wanted.channel) else {
            return Attempt::lost("its channel is no longer configured");
        };
        let (mut replies, mut after) = (Vec::new(), None);
        for _ in 0..=STEPS_MAX {
            let ended = match channel.media(&wanted.remote, &replies) {
                MediaStep::Ask(request) => self.ask(request).await,
                MediaStep::Fetch { request, sha256 } => self.fetch(wanted, request, sha256).await,
                MediaStep::Later(why) => return Attempt::Later { after, why },
                MediaStep::Lost(why) => return Attempt::lost(why),
            };
            match ended {
                Ok((reply, asked_s)) => {
                    after = after.max(asked_s.map(Duration::from_secs));
                    replies.push(reply);
                }
                Err(attempt) => return attempt,
            }
        }
        Attempt::later(format!("the channel asks for more than {STEPS_MAX} requests"))
    }

    /// Sends a question and gives its answer, with the seconds of a `Retry-After`.
    async fn ask(&self, request: MediaRequest) -> Result<(MediaReply, Option<u64>), Attempt> {
        let url = Url::parse(&request.url).map_err(|_| Attempt::lost("its address is none"))?;
        let opened = self.open(&url, &request).await.map_err(|error| Attempt::later(error.to_string()))?;
        Ok(reply(opened).await)
    }

    /// Fetches the file: an attempt's end where one came, or where none can come; else the answer.
    async fn fetch(
        &self,
        wanted: &Wanted,
        mut request: MediaRequest,
        sha256: Option<[u8; 32]>,
    ) -> Result<(MediaReply, Option<u64>), Attempt> {
        let mut url = Url::parse(&request.url).map_err(|_| Attempt::lost("its address is none"))?;
        for _ in 0..=REDIRECTS_MAX {
            if url.scheme() != "https" && !self.shared.carrier.allows_private() {
                return Err(Attempt::lost("its address is not encrypted (https)"));
            }
            let opened = match self.open(&url, &request).await {
                Ok(opened) => opened,
                Err(error @ (CarrierError::Refused(_) | CarrierError::Malformed(_))) => {
                    return Err(Attempt::lost(error.to_string()));
                }
                Err(error) => return Err(Attempt::later(error.to_string())),
            };
            if let Some(next) = opened.redirected_to() {
                // The token was meant for the first host alone.
                if next.origin() != url.origin() {
                    request.bearer = None;
                }
                url = next;
                continue;
            }
            if opened.status() != 200 {
                return Ok(reply(opened).await);
            }
            return Err(self.take(wanted, opened, sha256).await.unwrap_or_else(|attempt| attempt));
        }
        Err(Attempt::later("it is redirected too often"))
    }

    async fn open(&self, url: &Url, request: &MediaRequest) -> Result<Opened, CarrierError> {
        let bearer = request.bearer.as_ref();
        let headers = bearer.map(|bearer| ("authorization".to_owned(), format!("Bearer {}", bearer.expose())));
        let headers = headers.into_iter().collect();
        let outgoing = Outgoing { url: url.to_string(), method: "GET", headers, body: Vec::new(), timeout: HEAD_MAX };
        self.shared.carrier.open(outgoing).await
    }

    /// Streams a file into the content store. Nothing stays of one that is too large, breaks off, or is not what the
    /// vendor says it is.
    async fn take(&self, wanted: &Wanted, mut opened: Opened, sha256: Option<[u8; 32]>) -> Result<Attempt, Attempt> {
        let Limits { bytes_max, silence_max, .. } = self.shared.limits;
        let too_large = |bytes| Attempt::Lost { why: TOO_LARGE.to_owned(), bytes };
        if let Some(bytes) = opened.bytes_stated().filter(|bytes| *bytes > bytes_max) {
            return Err(too_large(Some(bytes)));
        }
        if opened.is_encoded() {
            return Err(Attempt::later("its host sends it in a coding that nobody asked for"));
        }
        let content = |error: ContentError| match error {
            ContentError::TooLarge { .. } => too_large(None),
            error => Attempt::later(format!("it cannot be kept: {error}")),
        };
        let mut writer = self.shared.store.content.writer(bytes_max).await.map_err(content)?;
        let mut gathered = BytesMut::with_capacity(WRITE_BYTES);
        loop {
            let piece = tokio::time::timeout(silence_max, opened.piece()).await;
            let piece = piece.map_err(|_| Attempt::later("its host fell silent within the file"))?;
            let Some(piece) = piece.map_err(|_| Attempt::later("the connection broke off within the file"))? else {
                break;
            };
            gathered.extend_from_slice(&piece);
            if gathered.len() >= WRITE_BYTES {
                writer.write(gathered.split().freeze()).await.map_err(content)?;
            }
        }
        if !gathered.is_empty() {
            writer.write(gathered.freeze()).await.map_err(content)?;
        }
        // The vendor may state it twice, with the message and when asked: damage on the way fits neither.
        let mut stated = [wanted.sha256, sha256].into_iter().flatten().peekable();
        let found = writer.hash();
        if stated.peek().is_some() && !stated.any(|stated| ContentHash(stated) == found) {
            return Err(Attempt::Mismatch);
        }
        let stored = writer.finish().await.map_err(content)?;
        let media_type = better(&wanted.media_type, opened.media_type());
        Ok(Attempt::Fetched { stored, media_type })
    }

    /// What an attempt means for its file.
    fn conclude(&self, wanted: &Wanted, attempt: Attempt, now: Timestamp) -> Settled {
        let limits = &self.shared.limits;
        let (after, why, attempts_max) = match attempt {
            Attempt::Fetched { stored, media_type } => return Settled::Fetched { stored, media_type },
            Attempt::Lost { why, bytes } => return Settled::Lost { why, bytes },
            Attempt::Later { after, why } => (after, why, limits.attempts_max),
            Attempt::Mismatch => {
                let why = "its bytes are not those that the vendor says they are (SHA-256)".to_owned();
                (None, why, limits.attempts_max.min(MISMATCHES_MAX))
            }
        };
        if wanted.attempt >= attempts_max {
            return Settled::Lost { why: format!("given up after {} attempts: {why}", wanted.attempt), bytes: None };
        }
        let due_at = now.saturating_add(wait(wanted, after, limits)).unwrap_or(now);
        // When it runs out, that is to be said at once.
        let due_at = wanted.expires_at.map_or(due_at, |expires_at| due_at.min(expires_at.max(now)));
        Settled::Again { due_at, why }
    }

    /// Records how an attempt ended. When the database stays away the claim runs out and the file is fetched again.
    async fn settle(&self, wanted: &Wanted, settled: &Settled) {
        let store = &self.shared.store;
        let mirrors = self.shared.mirrors.get(&wanted.tenant).map(Vec::as_slice).unwrap_or_default();
        let mut wait = STORE_WAIT_MIN;
        for left in (0..SETTLE_ATTEMPTS_MAX).rev() {
            match store.settle_media(wanted, settled, mirrors, Timestamp::now()).await {
                Ok(true) => return,
                // Its message was erased meanwhile, or somebody else has it now.
                Ok(false) => {
                    if let Settled::Fetched { stored, .. } = settled {
                        let hash = stored.hash;
                        if let Err(error) = store.unname(hash).await {
                            tracing::warn!(code = "content_left", content.hash = %hash, %error,
                                "a file that was fetched for an erased message stays; remove the content of this name by hand");
                        }
                    }
                    return;
                }
                Err(_) if left > 0 => tokio::time::sleep(wait).await,
                Err(error) => {
                    tracing::warn!(channel.name = wanted.channel, message.id = %wanted.message, %error,
                        "how fetching a file ended could not be recorded; it will be fetched again");
                }
            }
            wait = (wait * 2).min(STORE_WAIT_MAX);
        }
    }
}

/// The answer's beginning, with the seconds of its `Retry-After`.
async fn reply(opened: Opened) -> (MediaReply, Option<u64>) {
    let (status, retry_after_s) = (opened.status(), opened.retry_after_s());
    // A body that trickles in takes nothing from the status.
    let body = tokio::time::timeout(HEAD_MAX, opened.beginning()).await.unwrap_or_default();
    (MediaReply { status, body }, retry_after_s)
}

/// Says what ops should know of an attempt's end.
fn say(wanted: &Wanted, settled: &Settled) {
    let (channel, message, attempt) = (wanted.channel.as_str(), wanted.message, wanted.attempt);
    match settled {
        Settled::Fetched { stored, .. } => {
            metrics::counter!("lanka_media_bytes_total", "channel" => channel.to_owned()).increment(stored.bytes);
        }
        Settled::Again { why, .. } => {
            tracing::info!(channel.name = channel, message.id = %message, attachment = wanted.ordinal, attempt,
                "a file could not be fetched yet: {why}");
        }
        Settled::Lost { why, .. } => {
            tracing::warn!(code = "media_lost", channel.name = channel, message.id = %message, attachment = wanted.ordinal,
                attempt, "a file is lost, and the thread says so: {why}");
        }
    }
}

/// What a file is: as stated with its message, unless that says next to nothing and its host knows better.
fn better(stated: &str, answered: Option<String>) -> String {
    let is_vague = |media_type: &str| media_type.ends_with("/*") || media_type == "application/octet-stream";
    let answered = answered.filter(|answered| is_vague(stated) && !is_vague(answered));
    answered.unwrap_or_else(|| stated.to_owned())
}

/// How long a file waits after its failed attempt (the first is 1). What the other side asked for stands where it is
/// longer. The jitter is drawn from the file and the attempt.
fn wait(wanted: &Wanted, asked: Option<Duration>, limits: &Limits) -> Duration {
    let attempt = u32::try_from(wanted.attempt).unwrap_or(0).max(1);
    let base = limits.backoff_first.saturating_mul(2_u32.saturating_pow(attempt - 1)).min(limits.backoff_max);
    let base = base.max(asked.unwrap_or_default());
    let mut hasher = DefaultHasher::new();
    (wanted.message, wanted.ordinal, attempt).hash(&mut hasher);
    let jitter_max_ms = u64::try_from(base.as_millis()).unwrap_or(u64::MAX) / JITTER_PART;
    base + Duration::from_millis(hasher.finish() % jitter_max_ms.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::id::MessageId;

    fn wanted(attempt: i32) -> Wanted {
        Wanted {
            message: MessageId(uuid::Uuid::from_u128(1)),
            ordinal: 0,
            tenant: "main".to_owned(),
            channel: "chat".to_owned(),
            remote: String::new(),
            media_type: "image/*".to_owned(),
            sha256: None,
            expires_at: None,
            attempt,
            why: None,
        }
    }

    #[test]
    fn waits_grow_to_an_hour_and_honour_what_was_asked() {
        let limits = Limits::default();
        let s = Duration::from_secs;
        for (attempt, asked_s, from_s, to_s) in [
            (1, None, 5, 6),
            (2, None, 10, 12),
            (9, None, 1_280, 1_536),
            (11, None, 3_600, 4_320),
            (40, None, 3_600, 4_320),
            (0, None, 5, 6),
            (i32::MAX, None, 3_600, 4_320),
            (1, Some(120), 120, 144),
            (1, Some(0), 5, 6),
            (40, Some(60), 3_600, 4_320),
            (1, Some(86_400), 86_400, 103_680),
        ] {
            let wait = wait(&wanted(attempt), asked_s.map(s), &limits);
            assert!((s(from_s)..=s(to_s)).contains(&wait), "attempt {attempt}, asked {asked_s:?}: {wait:?}");
        }
    }

    #[test]
    fn a_host_is_believed_where_the_message_is_vague() {
        for (stated, answered, expected) in [
            ("image/*", Some("image/png"), "image/png"),
            ("application/octet-stream", Some("application/pdf"), "application/pdf"),
            ("image/jpeg", Some("image/png"), "image/jpeg"),
            ("image/*", Some("application/octet-stream"), "image/*"),
            ("image/*", None, "image/*"),
        ] {
            assert_eq!(better(stated, answered.map(str::to_owned)), expected, "{stated} {answered:?}");
        }
    }
}
