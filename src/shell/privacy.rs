//! What is held about a person: handed over whole, or erased (promise P8).
//!
//! Erasing goes row by row in the database first, in one transaction, and delivery by delivery afterwards
//! ([`store::person`]): what he said is taken out of the bytes by [`Channel::redact`], and what others said in the same
//! delivery stays, readable. Whatever is cut off is finished by the next attempt, or by a daemon.
//!
//! **Invariant:** what was erased does not come back: not by the same delivery, nor by an import, nor by a replay, for
//! its keys are buried before it goes. He himself may: what he says later is a stranger's.
//!
//! [`store::person`]: crate::shell::store::person

use crate::pure::channels::Channel;
use crate::pure::decide::lookup::Keyer;
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::{ContactId, RawEventId};
use crate::pure::domain::message::{Incoming, RawEvent, What};
use crate::shell::hands::{ActError, Saying};
use crate::shell::registry::{Registry, Tenant};
use crate::shell::store::person::{Left, Person, TakenOut, WHOLE};
use crate::shell::store::{Store, StoreError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// How often a daemon looks whether somebody's erasing was cut off.
const LOOK_EVERY: Duration = Duration::from_secs(600);

/// Deliveries that are in memory at once.
const PAGE_ROWS: usize = 16;

/// Who erases, and hands over.
#[derive(Clone)]
pub struct Privacy {
    store: Store,
    registry: Arc<Registry>,
}

/// What came of erasing somebody.
#[derive(Debug, Clone, Serialize)]
pub struct Erased {
    /// The contact that he was. Its id stays, and leads to nobody.
    pub contact: ContactId,
    /// Always `erase`.
    pub act: &'static str,
    /// Who did it.
    pub by: String,
    /// Why.
    pub why: String,
    /// He was erased before; what was left to do then is done.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub already: bool,
    /// Messages that are empty now.
    pub messages: usize,
    /// Deliveries that he was taken out of.
    pub deliveries: usize,
    /// Deliveries in which he may be still.
    pub left: Vec<LeftOver>,
}

/// A delivery in which somebody who was erased may be still.
#[derive(Debug, Clone, Serialize)]
pub struct LeftOver {
    /// Which.
    pub raw_event: RawEventId,
    /// Why, and what to do.
    pub why: &'static str,
}

impl Privacy {
    /// Over a store, with the channels that can read its deliveries.
    pub fn new(store: Store, registry: Arc<Registry>) -> Self {
        Self { store, registry }
    }

    /// Somebody by the id of his contact, of one that was merged away, or of one of his identities; within a firm.
    pub async fn find(&self, within: Option<&str>, text: &str) -> Result<Person, ActError> {
        let found = self.store.person(within, text).await?;
        found.ok_or_else(|| {
            ActError::Unknown(format!(
                "there is no contact \"{text}\": name it by its id, one that was merged away, or that of an identity; \
                 `lanka export contacts` and `lanka thread show` name them"
            ))
        })
    }

    /// Erases somebody, or finishes what was begun.
    pub async fn erase(&self, within: Option<&str>, text: &str, saying: Saying<'_>) -> Result<Erased, ActError> {
        let person = self.find(within, text).await?;
        let tenant = self.tenant(&person.tenant)?;
        let already = person.erased_at.is_some();
        if !already {
            let loose = self.loose(&person).await?;
            let with = (&tenant.keyer, tenant.policy.mirrors.as_slice());
            self.store.erase(&person, &loose, saying, with, Timestamp::now()).await?;
        }
        let (deliveries, left) = self.finish(person.id, &tenant.keyer).await?;
        Ok(Erased {
            contact: person.id,
            act: "erase",
            by: saying.by.to_owned(),
            why: saying.why.to_owned(),
            already,
            messages: person.messages(),
            deliveries,
            left,
        })
    }

    /// What deliveries hold of somebody that is on no message: what he did that was about nothing stored, and what could
    /// not be read and names him.
    async fn loose(&self, person: &Person) -> Result<Vec<(Uuid, i32)>, StoreError> {
        let suspects = self.store.suspects(person).await?;
        let of_messages = self.store.items_of(person).await?;
        let mut loose = Vec::new();
        for page in suspects.chunks(PAGE_ROWS) {
            let ids: Vec<Uuid> = page.iter().map(|(raw, _)| *raw).collect();
            for loaded in self.store.deliveries(&ids).await? {
                let raw = loaded.event.id.0;
                let said = of_messages.get(&raw).cloned().unwrap_or_default();
                let (items, is_clean) = self.found(person, &loaded.event, &said);
                loose.extend(items.into_iter().map(|item| (raw, item)));
                let is_quarantined = page.iter().any(|(id, quarantined)| *id == raw && *quarantined);
                loose.extend((is_quarantined && !is_clean).then_some((raw, WHOLE)));
            }
        }
        Ok(loose)
    }

    /// Items of a delivery that are somebody's and on no message, and whether without him it does not name him.
    fn found(&self, person: &Person, event: &RawEvent, said: &BTreeSet<i32>) -> (Vec<i32>, bool) {
        let reading = AssertUnwindSafe(|| {
            let channel = self.registry.channels.get(&event.channel)?;
            let items = (0i32..).zip(channel.parse(event).items);
            let his = items.filter(|(item, incoming)| !said.contains(item) && is_of(person, incoming));
            let his: Vec<i32> = his.map(|(item, _)| item).collect();
            let all = his.iter().chain(said).filter_map(|item| u32::try_from(*item).ok()).collect::<Vec<_>>();
            let rest = without(channel.as_ref(), event, &all);
            Some((his, rest.is_some_and(|rest| !person.is_named_in(&rest))))
        });
        let found = std::panic::catch_unwind(reading).ok().flatten();
        found.unwrap_or_else(|| (Vec::new(), !person.is_named_in(&event.body)))
    }

    /// Takes somebody who is erased out of the deliveries in which he is still.
    async fn finish(&self, contact: ContactId, keyer: &Keyer) -> Result<(usize, Vec<LeftOver>), StoreError> {
        let mut left_over = Vec::new();
        let all = self.store.erasing(contact).await?;
        for raw in &all {
            let take_out = |event: &RawEvent, items: &[u32]| self.take_out(event, items, keyer);
            let why = match self.store.take_out(*raw, take_out, Timestamp::now()).await? {
                Left::Nothing => continue,
                Left::Unread => {
                    "a part of it that cannot be read names him, beside others: `lanka quarantine list` has it; drop it there, and \
                     let [retention] remove it"
                }
                Left::Unreadable => {
                    "its channel is not configured any more, or cannot read it: configure the channel, and erase him again"
                }
            };
            left_over.push(LeftOver { raw_event: RawEventId(*raw), why });
        }
        Ok((all.len() - left_over.len(), left_over))
    }

    /// Finishes until `stop` what was cut off.
    pub async fn keep_up(self, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(error) = self.finish_all().await {
                tracing::warn!(code = "erasing_failed", %error, "somebody who is erased could not be taken out of all deliveries yet; trying again");
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    async fn finish_all(&self) -> Result<(), StoreError> {
        for (contact, tenant) in self.store.erasing_people().await? {
            // A firm that is not configured any more keeps what it has; whoever erases by hand is told.
            if let Some(tenant) = self.registry.tenants.get(&tenant) {
                self.finish(contact, &tenant.keyer).await?;
            }
        }
        Ok(())
    }

    fn tenant(&self, name: &str) -> Result<&Arc<Tenant>, ActError> {
        self.registry.tenants.get(name).ok_or_else(|| {
            ActError::Refused(format!(
                "no channel or mirror of the tenant {name} is configured: nothing can be read of its deliveries"
            ))
        })
    }

    /// A delivery without some items. `None` when they cannot be taken out of it.
    fn take_out(&self, event: &RawEvent, items: &[u32], keyer: &Keyer) -> Option<TakenOut> {
        let channel = self.registry.channels.get(&event.channel)?;
        // A channel must not panic; if one does, it cannot read the delivery.
        let reading = AssertUnwindSafe(|| {
            let parsed = channel.parse(event).items;
            let mut keys = Vec::new();
            for incoming in (0u32..).zip(&parsed).filter(|(item, _)| items.contains(item)).map(|(_, incoming)| incoming)
            {
                if !incoming.redacted {
                    keys.push(keyer.seen(&incoming.namespace, &incoming.source_key, &incoming.variant));
                }
                if !incoming.redacted && incoming.what == What::Message {
                    keys.push(keyer.message(&incoming.namespace, &incoming.source_key));
                }
            }
            let body = without(channel.as_ref(), event, items)?;
            Some(TakenOut { body: (body != event.body).then_some(body), keys })
        });
        std::panic::catch_unwind(reading).ok().flatten()
    }

    /// All that is held about somebody, row by row: what it is, and the row. Files are named, not given.
    ///
    /// # Errors
    /// The database's, and those of `each`.
    pub async fn held<E: From<StoreError>>(
        &self,
        person: &Person,
        mut each: impl FnMut(&'static str, Value) -> Result<(), E>,
    ) -> Result<(), E> {
        self.store.held(person, &mut each).await?;
        let items = self.store.items_of(person).await?;
        let ids: Vec<Uuid> = items.keys().copied().collect();
        for page in ids.chunks(PAGE_ROWS) {
            for loaded in self.store.deliveries(page).await? {
                let his = items.get(&loaded.event.id.0).cloned().unwrap_or_default();
                each("delivery", self.delivery(&loaded.event, &his))?;
            }
        }
        for (hash, name) in self.store.files_of(person).await? {
            each("file", json!({"sha256": hash.to_string(), "name": name}))?;
        }
        Ok(())
    }

    /// A delivery without what is others'.
    fn delivery(&self, event: &RawEvent, his: &BTreeSet<i32>) -> Value {
        let mut row = json!({"id": event.id, "channel": event.channel, "received_at": event.received_at, "items": his});
        let reading = AssertUnwindSafe(|| {
            let channel = self.registry.channels.get(&event.channel)?;
            let all = 0..u32::try_from(channel.parse(event).items.len()).ok()?;
            let others: Vec<u32> =
                all.filter(|item| !i32::try_from(*item).is_ok_and(|item| his.contains(&item))).collect();
            without(channel.as_ref(), event, &others)
        });
        match std::panic::catch_unwind(reading).ok().flatten() {
            Some(body) => match std::str::from_utf8(&body) {
                Ok(text) => {
                    row["encoding"] = json!("utf-8");
                    row["raw"] = json!(text);
                }
                Err(_) => {
                    row["encoding"] = json!("base64");
                    row["raw"] = json!(STANDARD.encode(&body));
                }
            },
            None => {
                row["withheld"] = json!("its channel is not configured any more, or cannot tell him from others in it")
            }
        }
        row
    }
}

/// Whether something is somebody's: he did it, or it was done to him.
fn is_of(person: &Person, incoming: &Incoming) -> bool {
    let sides = [&incoming.sender, &incoming.recipient].into_iter().flat_map(|side| &side.identities);
    let is_done = incoming.what != What::Message && !incoming.redacted;
    is_done && sides.chain(&incoming.moved_to).any(|held| person.has(&held.identity))
}

/// The bytes of a delivery without some items; `None` when one of them is still read afterwards.
fn without(channel: &dyn Channel, event: &RawEvent, items: &[u32]) -> Option<Bytes> {
    let mut left = event.clone();
    for item in items {
        if let Some(redacted) = channel.redact(&left, *item) {
            left.body = redacted.body.into();
        }
    }
    let rest = channel.parse(&left).items;
    let is_gone = |item: &u32| usize::try_from(*item).ok().and_then(|at| rest.get(at)).is_none_or(|it| it.redacted);
    items.iter().all(is_gone).then_some(left.body)
}
