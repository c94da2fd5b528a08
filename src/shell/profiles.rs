//! Names from the vendors' profile APIs: claim → ask → settle, after the commit.
//!
//! The channel says what to ask and what the answer means; this loop sends it. A name is asked once for
//! each identity and kept; without a token nothing is asked at all.
//!
//! **Invariants:** no transaction is open while a vendor is asked. Messages never wait for a name. Logs
//! hold names of channels only.

use crate::pure::channels::{Channel, Profile};
use crate::pure::domain::Timestamp;
use crate::pure::wire::step::Outgoing;
use crate::shell::carriers::http::HttpCarrier;
use crate::shell::store::Store;
use crate::shell::store::profile::{Answered, Wanted};
use futures::{StreamExt, stream};
use jiff::SignedDuration;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Names asked at once, so that a rush of newcomers stays far below the vendors' rates.
const ASKED_AT_ONCE: usize = 4;
/// Names claimed at once.
const CLAIMED_MAX: i64 = 32;
/// Longest time one answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(15);
/// Times a vendor is asked for one name before it is left alone: over about two days.
const ATTEMPTS_MAX: i32 = 10;
/// Wait after a first failure; it doubles with each further one.
const AGAIN_S: i64 = 60;
/// Longest wait between attempts.
const AGAIN_S_MAX: i64 = 8 * 3600;
/// How often new names are looked for: an agent reads a ticket later than that.
const POLL: Duration = Duration::from_secs(2);

/// Asks vendors for names.
#[derive(Clone)]
pub struct Profiles {
    store: Store,
    carrier: HttpCarrier,
    channels: HashMap<String, Arc<dyn Channel>>,
}

impl Profiles {
    /// A loop over a store, for channels by name.
    pub fn new(store: Store, carrier: HttpCarrier, channels: HashMap<String, Arc<dyn Channel>>) -> Self {
        Self { store, carrier, channels }
    }

    /// Works until told to stop.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            match self.once(Timestamp::now()).await {
                Ok(asked) if asked > 0 => continue,
                Ok(_) => {}
                Err(error) => tracing::warn!(code = "profiles_failed", %error, "cannot look for names; trying again"),
            }
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                _ = stop.changed() => return,
            }
        }
    }

    /// Asks for what is due at `now`. Gives how many names were asked.
    ///
    /// # Errors
    /// When the database does not answer; what was claimed is claimed again later.
    pub async fn once(&self, now: Timestamp) -> Result<usize, crate::shell::store::StoreError> {
        let wanted = self.store.claim_profiles(CLAIMED_MAX, now).await?;
        let count = wanted.len();
        let asked = stream::iter(wanted).map(|wanted| async move {
            let answered = self.ask(&wanted, now).await;
            self.store.settle_profile(wanted.identity_id, &answered).await
        });
        let settled: Vec<_> = asked.buffer_unordered(ASKED_AT_ONCE).collect().await;
        settled.into_iter().collect::<Result<Vec<()>, _>>()?;
        Ok(count)
    }

    async fn ask(&self, wanted: &Wanted, now: Timestamp) -> Answered {
        let Some(channel) = self.channels.get(&wanted.channel) else { return dead("the channel is gone") };
        let Some(request) = channel.profile_request(&wanted.identity) else { return dead("the channel has no token") };
        let outgoing = Outgoing {
            url: request.url,
            method: "GET",
            headers: vec![("authorization".to_owned(), format!("Bearer {}", request.bearer.expose()))],
            body: Vec::new(),
            timeout: ANSWER_MAX,
        };
        let (why, wait_s) = match self.carrier.send(outgoing).await {
            Ok(reply) => match channel.profile(reply.status, reply.body.as_bytes()) {
                Profile::Named(name) => return Answered::Named(name),
                Profile::Nameless => return Answered::Nameless,
                Profile::Later(why) => (why, reply.retry_after_s),
            },
            Err(error) => (error.to_string(), None),
        };
        if wanted.attempt >= ATTEMPTS_MAX {
            tracing::warn!(code = "profile_dead", channel.name = %wanted.channel, why,
                "a name is asked for no more; look at the channel's access_token and its permissions");
            return Answered::Dead { why };
        }
        let doubled = AGAIN_S.saturating_mul(1 << u32::try_from(wanted.attempt - 1).unwrap_or_default().min(16));
        let asked_for = wait_s.and_then(|wait_s| i64::try_from(wait_s).ok()).unwrap_or_default();
        let wait = SignedDuration::from_secs(doubled.max(asked_for).min(AGAIN_S_MAX));
        Answered::Again { due_at: now.saturating_add(wait).unwrap_or(now), why }
    }
}

fn dead(why: &str) -> Answered {
    Answered::Dead { why: why.to_owned() }
}
