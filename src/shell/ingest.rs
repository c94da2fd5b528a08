//! Raw event → parse → facts → decide → commit, in batches.
//!
//! One page, read top to bottom: [`Ingest::prepare`] claims deliveries and reads them, [`Ingest::finish`]
//! looks up, decides and writes, in the transaction that claimed. The next batch is prepared while
//! this one is finished; batches are finished in order.
//!
//! **Invariants:** a delivery leaves the queue in the transaction that writes what follows from it,
//! or goes to quarantine whole. A batch that fails is halved until the offender is alone.

use crate::pure::channels::Channel;
use crate::pure::decide;
use crate::pure::decide::arrange::{Arranged, arrange, wanted};
use crate::pure::decide::lookup::{Keyer, lookup};
use crate::pure::decide::normalise::normalise;
use crate::pure::domain::Timestamp;
use crate::pure::domain::answer::OnTicket;
use crate::pure::domain::decision::{ItemRole, Placement};
use crate::pure::domain::facts::{Lookup, LookupKey};
use crate::pure::domain::id::{IdMint, IdentityId, RawEventId};
use crate::pure::domain::message::{AttachmentSource, Fault, Message, On, Parsed, RawEvent, SenderCheck, What};
use crate::shell::Clock;
use crate::shell::content::{ContentHash, Stored};
use crate::shell::patience::Patience;
use crate::shell::registry::{Profiles, Registry, Tenant};
use crate::shell::sender::{Senders, Unchecked};
use crate::shell::store::answer;
use crate::shell::store::commit::{Batch, Decided, Faulty, Kept, commit, quarantine};
use crate::shell::store::early_act;
use crate::shell::store::facts;
use crate::shell::store::profile;
use crate::shell::store::raw_event::{self, ClaimedRaw};
use crate::shell::store::retention;
use crate::shell::store::{Store, StoreError};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use sqlx::{Postgres, Transaction};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Items one delivery may hold; Meta sends up to 1,000 changes at once. What is beyond goes to
/// quarantine with the delivery.
const ITEMS_MAX: usize = 10_000;

/// Times a batch is decided again after losing a race, before it is halved.
const RACES_MAX: u32 = 8;

/// Attachments put into the content store at once: enough that the waits for the disk of a batch run
/// together, few enough to leave it to others too.
const PUTS_MAX: usize = 16;

/// How long to wait when the database is away.
const OUTAGE_WAIT: Duration = Duration::from_millis(500);

/// Bounds of one batch.
#[derive(Debug, Clone, Copy)]
pub struct BatchLimits {
    /// Deliveries.
    pub rows_max: i64,
    /// Their bytes, together; one delivery may be larger by itself.
    pub bytes_max: i64,
    /// A larger attachment is named on its message, but not kept.
    pub attachment_bytes_max: u64,
    /// Longest time without a look at the queue, whatever wakes us.
    pub poll: Duration,
}

/// The ingest loop of one process.
#[derive(Clone)]
pub struct Ingest {
    store: Store,
    registry: Arc<Registry>,
    limits: BatchLimits,
    senders: Option<Senders>,
    patience: Patience,
    clock: Clock,
}

/// Deliveries that were claimed and read, with the transaction that holds them.
struct Prepared {
    tx: Transaction<'static, Postgres>,
    raw: Vec<Uuid>,
    read: Read,
}

/// What was read out of deliveries.
#[derive(Default)]
struct Read {
    /// Messages by tenant, in order of arrival.
    messages: BTreeMap<String, Vec<(Message, Lookup)>>,
    quiet: HashMap<RawEventId, bool>,
    faults: Vec<Faulty>,
    /// Deliveries that are to be checked before they are parsed, with their bytes: not of this batch.
    unchecked: Vec<Unchecked>,
}

impl Read {
    /// Of the deliveries that were claimed, those of this batch.
    fn checked(&self, claimed: Vec<Uuid>) -> Vec<Uuid> {
        claimed.into_iter().filter(|id| !self.unchecked.iter().any(|unchecked| unchecked.id == *id)).collect()
    }
}

impl Ingest {
    /// A loop over a store.
    pub fn new(store: Store, registry: Arc<Registry>, limits: BatchLimits) -> Self {
        let (patience, clock) = (Patience::default(), Arc::new(Timestamp::now));
        Self { store, registry, limits, senders: None, patience, clock }
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// The same, with senders of mail checked where no server of ours has vouched for them. Without it they
    /// stay as they are: history and tests ask nobody.
    pub fn checking(self, senders: Option<Senders>) -> Self {
        Self { senders, ..self }
    }

    /// What it decides by.
    pub fn registry(&self) -> Arc<Registry> {
        self.registry.clone()
    }

    /// What keeps deliveries from being decided, if anything does.
    pub fn trouble(&self) -> Option<String> {
        self.patience.trouble()
    }

    /// Works until told to stop, or with `until_idle` until nothing waits any more.
    pub async fn run(&self, mut stop: tokio::sync::watch::Receiver<bool>, until_idle: bool) {
        let mut next = None;
        loop {
            if *stop.borrow() {
                // What was claimed ahead is finished: a transaction that is merely dropped lets its rows
                // go some time later, and whoever drains the queue meanwhile would not see them.
                if let Some(prepared) = next.take() {
                    self.finish_or_halve(prepared).await;
                }
                return;
            }
            let ended = || self.senders.as_ref().map(Senders::ended);
            let ended_before = ended();
            let current = match next.take() {
                Some(prepared) => Some(prepared),
                None => self.prepare_or_wait().await,
            };
            let Some(current) = current else {
                let busy = self.senders.as_ref().filter(|senders| until_idle && senders.is_busy());
                if let Some(senders) = busy {
                    tokio::select! {
                        () = senders.progress() => {}
                        _ = stop.changed() => {}
                    }
                    continue;
                }
                if until_idle {
                    // A check that ended since has freed what it was about.
                    if ended() == ended_before {
                        return;
                    }
                    continue;
                }
                tokio::select! {
                    () = self.store.ingest_wake.notified() => {}
                    () = tokio::time::sleep(self.limits.poll) => {}
                    _ = stop.changed() => return,
                }
                continue;
            };
            let ((), prepared) = tokio::join!(self.finish_or_halve(current), self.prepare());
            next = prepared.unwrap_or_else(|error| {
                self.patience.outage(&error);
                None
            });
        }
    }

    async fn prepare_or_wait(&self) -> Option<Prepared> {
        match self.prepare().await {
            Ok(prepared) => prepared,
            Err(error) => {
                self.patience.outage(&error);
                tokio::time::sleep(OUTAGE_WAIT).await;
                None
            }
        }
    }

    async fn prepare(&self) -> Result<Option<Prepared>, StoreError> {
        loop {
            let mut except = self.patience.aside();
            if let Some(senders) = &self.senders {
                senders.room().await;
                except.extend(senders.open());
            }
            let mut tx = self.store.begin().await?;
            let BatchLimits { rows_max, bytes_max, .. } = self.limits;
            let claimed = raw_event::claim(&self.store, &mut tx, rows_max, bytes_max, &except).await?;
            if claimed.is_empty() {
                return Ok(None);
            }
            let raw: Vec<Uuid> = claimed.iter().map(|claimed| claimed.event.id.0).collect();
            let mut read = self.read(claimed).await?;
            let raw = read.checked(raw);
            if raw.is_empty() {
                // All of them are being checked now; what comes behind them is not held back.
                tx.rollback().await?;
                self.ask(&mut read);
                continue;
            }
            self.ask(&mut read);
            return Ok(Some(Prepared { tx, raw, read }));
        }
    }

    fn ask(&self, read: &mut Read) {
        if let Some(senders) = self.senders.as_ref().filter(|_| !read.unchecked.is_empty()) {
            senders.ask(std::mem::take(&mut read.unchecked));
        }
    }

    fn forget(&self, raw: &[Uuid]) {
        if let Some(senders) = &self.senders {
            senders.forget(raw);
        }
    }

    /// Reads off the async threads: it is the processor's work.
    async fn read(&self, claimed: Vec<ClaimedRaw>) -> Result<Read, StoreError> {
        let registry = self.registry.clone();
        let senders = self.senders.clone();
        let mut mint = self.store.mint();
        let reading = tokio::task::spawn_blocking(move || {
            let mut read = Read::default();
            for claimed in claimed {
                registry.read(&claimed, senders.as_ref(), &mut mint, &mut read);
            }
            read
        });
        reading.await.map_err(|error| StoreError::Reader(error.to_string()))
    }

    async fn finish_or_halve(&self, prepared: Prepared) {
        let raw = prepared.raw.clone();
        match self.finish(prepared).await {
            Ok(()) => {}
            Err(error) => self.again(raw, error).await,
        }
    }

    /// Looks up, decides and writes.
    async fn finish(&self, prepared: Prepared) -> Result<(), StoreError> {
        let Prepared { mut tx, raw, mut read } = prepared;
        let began = std::time::Instant::now();
        let now = (self.clock)();
        let mut mint = self.store.mint();
        let months = read.messages.values().flatten().map(|(message, _)| message.received_at);
        self.store.ensure_months(months.chain([now])).await?;
        let mut told = false;
        let mut decided_channels = Vec::new();
        let mut opened: Vec<(String, bool)> = Vec::new();
        let mut erased: BTreeMap<Uuid, Vec<u32>> = BTreeMap::new();
        let mut unnamed = Vec::new();
        for (name, batch) in read.messages {
            let Some(tenant) = self.registry.tenants.get(&name) else { continue };
            let batch = self.arrange(&mut tx, &name, &tenant.keyer, batch, &mut read.quiet).await?;
            let (mut facts, loaded) = facts::load(&mut tx, &name, &batch).await?;
            let mut decided = Vec::with_capacity(batch.len());
            for (message, lookup) in batch {
                let (message, lookup) =
                    decide::proven::believe(message, lookup, &facts, &tenant.keyer, tenant.policy.rules);
                let decision = decide::decide(&message, &lookup, &facts, &mut mint, &tenant.policy);
                facts.apply(&message, &lookup, &decision);
                if matches!(decision.placement, Placement::Open { .. })
                    && let Some(ruled) = &decision.queue
                {
                    opened.push((ruled.queue.clone(), ruled.rule.is_none()));
                }
                decided_channels.push((message.channel.clone(), message.received_at));
                if decision.role == ItemRole::Erased {
                    erased.entry(message.raw_event.0).or_default().push(message.item);
                }
                let quiet = read.quiet.get(&message.raw_event).copied().unwrap_or(false);
                decided.push(Decided { message, lookup, decision, contents: Vec::new(), quiet });
            }
            profile::want(&mut tx, &self.registry.nameless(&decided), now).await?;
            let files = name_attachments(&mut decided, self.limits.attachment_bytes_max);
            told |= !tenant.policy.mirrors.is_empty();
            let mirrors = &tenant.policy.mirrors;
            let (facts, loaded, has_peers) = (&facts, &loaded, self.store.has_peers());
            let batch = Batch {
                tenant: &name,
                keyer: &tenant.keyer,
                decided: &decided,
                facts,
                loaded,
                mirrors,
                has_peers,
                now,
            };
            let (taken_back, ()) = tokio::try_join!(commit(&mut tx, batch, &mut mint), self.put(files))?;
            unnamed.extend(taken_back);
        }
        quarantine(&mut tx, &read.faults, now).await?;
        unnamed.extend(self.redact(&mut tx, erased).await?);
        raw_event::settle(&mut tx, &raw).await?;
        retention::unname(&mut tx, &unnamed).await?;
        tx.commit().await?;
        self.forget(&raw);
        self.patience.decided(&raw);
        self.store.forget_contents(unnamed).await;
        warn_of(&read.faults);
        count(decided_channels, opened, now);
        metrics::histogram!("lanka_ingest_batch_seconds").record(began.elapsed().as_secs_f64());
        self.store.reconsider_wake.notify_one();
        if told {
            self.store.deliver_wake.notify_one();
        }
        Ok(())
    }

    /// Puts what agents did behind the messages that it is on, and takes up what waited for messages of the
    /// batch; what is on a message that has not come waits from now on.
    async fn arrange(
        &self,
        tx: &mut Transaction<'static, Postgres>,
        tenant: &str,
        keyer: &Keyer,
        batch: Vec<(Message, Lookup)>,
        quiet: &mut HashMap<RawEventId, bool>,
    ) -> Result<Vec<(Message, Lookup)>, StoreError> {
        let batch = self.bind_answers(tx, tenant, keyer, batch).await?;
        let can_be_meant = |message: &Message| message.incoming.what == What::Message && message.incoming.on.is_none();
        let come: Vec<LookupKey> =
            batch.iter().filter(|(message, _)| can_be_meant(message)).map(|(_, lookup)| lookup.said).collect();
        let wanted: Vec<(LookupKey, &On)> = batch
            .iter()
            .filter_map(|(message, _)| Some((wanted(message, keyer)?, message.incoming.on.as_ref()?)))
            .collect();
        early_act::lock(tx, come.iter().copied().chain(wanted.iter().map(|(key, _)| *key))).await?;
        let stored = early_act::targets(tx, tenant, &wanted).await?;
        let taken = early_act::take(&self.store, tx, &come).await?;
        let mut early = Vec::new();
        if !taken.deliveries.is_empty() {
            let mut read = self.read(taken.deliveries).await?;
            early = read.messages.remove(tenant).unwrap_or_default();
            early.retain(|(message, _)| taken.items.contains(&(message.raw_event.0, message.item)));
            quiet.extend(read.quiet);
        }
        let Arranged { ready, waiting } = arrange(batch, early, &stored, keyer);
        early_act::wait(tx, &waiting).await?;
        Ok(ready)
    }

    /// Tells what agents did on tickets which message it is on, and answers where they go.
    async fn bind_answers(
        &self,
        tx: &mut Transaction<'static, Postgres>,
        tenant: &str,
        keyer: &Keyer,
        batch: Vec<(Message, Lookup)>,
    ) -> Result<Vec<(Message, Lookup)>, StoreError> {
        let wanted = batch.iter().filter_map(|(message, _)| Some(message.incoming.answer.as_ref()?.on.clone()));
        let wanted: Vec<OnTicket> = wanted.collect();
        if wanted.is_empty() {
            return Ok(batch);
        }
        let mut desks = answer::desks(tx, tenant, &wanted).await?;
        let ways = |channel: &str| self.registry.way(tenant, channel);
        let mut bound = Vec::with_capacity(batch.len());
        for (message, keys) in batch {
            let Some(on) = message.incoming.answer.as_ref().map(|answer| answer.on.clone()) else {
                bound.push((message, keys));
                continue;
            };
            let acts = decide::answer::bind(message, keys, desks.get(&on), &ways, keyer);
            if let Some(desk) = desks.get_mut(&on) {
                decide::answer::follow(desk, &acts);
            }
            bound.extend(acts);
        }
        Ok(bound)
    }

    /// Takes what was erased out of the deliveries that brought it again. Gives the contents that the
    /// deliveries no longer name.
    async fn redact(
        &self,
        tx: &mut Transaction<'static, Postgres>,
        erased: BTreeMap<Uuid, Vec<u32>>,
    ) -> Result<Vec<ContentHash>, StoreError> {
        let mut unnamed = Vec::new();
        for (raw, items) in erased {
            let without = |event: &RawEvent| {
                let channel = self.registry.channels.get(&event.channel)?;
                let mut left = event.clone();
                for item in &items {
                    if let Some(redacted) = channel.redact(&left, *item) {
                        left.body = redacted.body.into();
                    }
                }
                (left.body != event.body).then_some(left.body)
            };
            unnamed.extend(raw_event::replace_body(&self.store, tx, raw, without).await?);
        }
        Ok(unnamed)
    }

    /// Puts attachments into the content store, side by side: each waits for the disk several times.
    /// It runs beside the statements of the batch, and ends before their commit.
    async fn put(&self, files: Vec<Bytes>) -> Result<(), StoreError> {
        let puts = stream::iter(files).map(|bytes| self.store.content.put(bytes));
        Ok(puts.buffer_unordered(PUTS_MAX).try_for_each(async |_| Ok(())).await?)
    }

    /// After a failure: the same deliveries again, in halves while the fault is in the data.
    async fn again(&self, raw: Vec<Uuid>, error: StoreError) {
        let mut work = vec![(raw, 0u32, Some(error))];
        while let Some((mut raw, races, error)) = work.pop() {
            let error = match error {
                Some(error) => error,
                None => match self.once(&raw).await {
                    Ok(()) => continue,
                    Err(error) => error,
                },
            };
            if let (StoreError::Content(error), [raw]) = (&error, raw.as_slice())
                && self.patience.set_aside(*raw, error)
            {
                continue;
            }
            let is_of_one = matches!(error, StoreError::Content(_)) && raw.len() > 1;
            if error.is_outage() && !is_of_one {
                self.patience.outage(&error);
                tokio::time::sleep(OUTAGE_WAIT).await;
                return;
            }
            if error.is_month_gone() {
                self.store.forget_months();
            }
            match (error.is_race() && races < RACES_MAX, raw.len()) {
                (true, _) => work.push((raw, races + 1, None)),
                (false, 0 | 1) => self.give_up(&raw, &error).await,
                // The earlier half first, with all that becomes of it: who came first is decided by the order.
                (false, n) => {
                    let later = raw.split_off(n / 2);
                    work.push((later, 0, None));
                    work.push((raw, 0, None));
                }
            }
        }
    }

    async fn once(&self, raw: &[Uuid]) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        let claimed = raw_event::claim_these(&self.store, &mut tx, raw).await?;
        let raw = claimed.iter().map(|claimed| claimed.event.id.0).collect();
        let mut read = self.read(claimed).await?;
        let raw = read.checked(raw);
        self.ask(&mut read);
        self.finish(Prepared { tx, raw, read }).await
    }

    /// The offender is alone: it goes to quarantine whole, and its channel goes on.
    async fn give_up(&self, raw: &[Uuid], error: &StoreError) {
        let result = async {
            let mut tx = self.store.begin().await?;
            let claimed = raw_event::claim_these(&self.store, &mut tx, raw).await?;
            let faults: Vec<Faulty> = claimed
                .iter()
                .map(|claimed| faulty(&claimed.event, &Fault::new("not_storable", storable_detail(error))))
                .collect();
            quarantine(&mut tx, &faults, (self.clock)()).await?;
            raw_event::settle(&mut tx, raw).await?;
            tx.commit().await?;
            self.forget(raw);
            self.patience.decided(raw);
            Ok::<(), StoreError>(())
        };
        match result.await {
            Ok(()) => tracing::warn!(code = "quarantined", raw_event.id = ?raw.first(), fault = "not_storable",
                "a delivery could not be stored; look at it with `lanka quarantine list`"),
            Err(error) => {
                self.patience.outage(&error);
            }
        }
    }
}

fn warn_of(faults: &[Faulty]) {
    for fault in faults {
        tracing::warn!(code = "quarantined", channel.name = %fault.channel, raw_event.id = %fault.raw_event, fault = %fault.code,
            "a delivery could not be read; look at it with `lanka quarantine list`");
    }
}

/// Counts what was decided, by channel, and the tickets that were opened, by the queue.
fn count(decided: Vec<(String, Timestamp)>, opened: Vec<(String, bool)>, now: Timestamp) {
    for (channel, received_at) in decided {
        metrics::counter!("lanka_items_decided_total", "channel" => channel.clone()).increment(1);
        let waited_ms = now.as_millisecond() - received_at.as_millisecond();
        metrics::histogram!("lanka_ingest_wait_seconds", "channel" => channel).record(waited_ms as f64 / 1000.0);
    }
    for (queue, is_unrouted) in opened {
        metrics::counter!("lanka_routed_total", "queue" => queue).increment(1);
        if is_unrouted {
            metrics::counter!("lanka_unrouted_total").increment(1);
        }
    }
}

/// What the database said, without the values that Postgres puts into its detail.
fn storable_detail(error: &StoreError) -> String {
    match error {
        StoreError::Database(sqlx::Error::Database(error)) => {
            format!("the database refused it: {} ({})", error.message(), error.code().unwrap_or_default())
        }
        other => other.to_string(),
    }
}

fn faulty(event: &RawEvent, fault: &Fault) -> Faulty {
    Faulty {
        tenant: event.tenant.clone(),
        channel: event.channel.clone(),
        kind: event.kind.clone(),
        raw_event: event.id,
        origin: event.origin.clone(),
        code: fault.code.to_owned(),
        detail: fault.detail.clone(),
    }
}

impl Registry {
    /// Newcomers whom their delivery does not name, where the vendor can be asked. History asks nobody.
    fn nameless(&self, decided: &[Decided]) -> Vec<(IdentityId, String)> {
        let mut wanted = Vec::new();
        for d in decided.iter().filter(|d| d.decision.role == ItemRole::First && !d.quiet) {
            let Some(channel) = self.channels.get(&d.message.channel) else { continue };
            let new = d.decision.identities.iter().filter(|touched| touched.new && d.message.customer().name.is_none());
            let asked = new.filter(|touched| channel.profile_request(&touched.identity).is_some());
            wanted.extend(asked.map(|touched| (touched.id, d.message.channel.clone())));
        }
        wanted
    }

    fn read(&self, claimed: &ClaimedRaw, senders: Option<&Senders>, mint: &mut IdMint, read: &mut Read) {
        let event = &claimed.event;
        if let Some(why) = &claimed.lost {
            read.faults.push(faulty(event, &Fault::new("bytes_lost", why.clone())));
            return;
        }
        let (Some(channel), Some(tenant)) = (self.channels.get(&event.channel), self.tenants.get(&event.tenant)) else {
            let why = "no such channel is configured any more; configure it and retry, or drop it";
            read.faults.push(faulty(event, &Fault::new("channel_unknown", why)));
            return;
        };
        let mut check = None;
        // History asks nobody.
        if let Some(senders) = senders.filter(|_| !claimed.quiet) {
            check = senders.found(event.id.0);
            if check.is_none()
                && let Some(unchecked) = senders.wanted(event, channel.as_ref())
            {
                return read.unchecked.push(unchecked);
            }
        }
        let (messages, faults) = read_delivery(channel.as_ref(), event, check, tenant, self.profiles.as_deref(), mint);
        read.faults.extend(faults.iter().map(|fault| faulty(event, fault)));
        read.quiet.insert(event.id, claimed.quiet);
        read.messages.entry(event.tenant.clone()).or_default().extend(messages);
    }
}

/// Everything in a delivery. A channel must not panic; if one does, its delivery is quarantined and
/// the batch goes on.
fn read_delivery(
    channel: &dyn Channel,
    event: &RawEvent,
    check: Option<SenderCheck>,
    tenant: &Tenant,
    profiles: Option<&Profiles>,
    mint: &mut IdMint,
) -> (Vec<(Message, Lookup)>, Vec<Fault>) {
    let reading = || {
        let parsed = match check {
            Some(check) => channel.parse_checked(event, check),
            None => channel.parse(event),
        };
        let Parsed { mut items, mut faults } = parsed;
        if items.len() > ITEMS_MAX {
            items.truncate(ITEMS_MAX);
            faults.push(Fault::new("too_many_items", format!("only the first {ITEMS_MAX} items were taken in")));
        }
        let mut messages = Vec::with_capacity(items.len());
        for (item, mut incoming) in (0u32..).zip(items).filter(|(_, incoming)| !incoming.redacted) {
            if let Some(profiles) = profiles {
                profiles.complete(&mut incoming.sender);
                profiles.complete(&mut incoming.recipient);
            }
            let message = normalise(event, item, incoming, mint.next(event.received_at), &tenant.policy);
            let lookup = lookup(&message, &tenant.keyer);
            messages.push((message, lookup));
        }
        (messages, faults)
    };
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(reading)).unwrap_or_else(|_| {
        let why = "reading it failed inside lanka: please report it with the payload";
        (Vec::new(), vec![Fault::new("reader_panicked", why)])
    })
}

/// Notes the names that the content store will give to the attachments of first messages, and gives
/// the bytes that are to be put.
fn name_attachments(decided: &mut [Decided], attachment_bytes_max: u64) -> Vec<Bytes> {
    let mut files = Vec::new();
    for d in decided.iter_mut().filter(|d| d.decision.role == ItemRole::First) {
        for file in &d.message.incoming.attachments {
            d.contents.push(match &file.source {
                AttachmentSource::Remote(_) => Kept::Remote,
                AttachmentSource::Inline(bytes) if bytes.len() as u64 > attachment_bytes_max => {
                    Kept::TooLarge(bytes.len() as u64)
                }
                AttachmentSource::Inline(bytes) => {
                    files.push(bytes.clone());
                    Kept::Here(Stored { hash: ContentHash::of(bytes), bytes: bytes.len() as u64 })
                }
            });
        }
    }
    files
}
