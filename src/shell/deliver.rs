//! Outbox item → next step → send → keep the reply → … → settle.
//!
//! For every mirror one loop: it claims the heads of lanes that are due, carries them out side by
//! side, and settles each by itself. A lane is one ticket's changes towards one mirror; the store
//! never gives out a lane's second change before its first is settled, so that order holds however
//! many are under way.
//!
//! ```text
//!           claim                    Done
//! pending ─────────► claimed ─────────────────────► delivered
//!    ▲                 │ │  Reject, patience over
//!    │  Retry, rescue  │ └────────────────────────► dead
//!    └─────────────────┘
//! ```
//!
//! **An endpoint that is away** is parked: after some failures in a row nothing is claimed for it
//! but one probe each interval, which is said aloud once, and once more when it recovers. While it is
//! parked no row dies: an outage, however long, is not a fault of the rows.
//!
//! Refused: keeping the parked state in Postgres. Each daemon finds out for itself within seconds, and
//! a state that outlives the process would have to be healed by hand.
//!
//! **A claim** holds while this process is present ([`Presence`]), so that what a process that was killed had
//! claimed is free at once. A process that loses its presence gives up what it is sending in that moment, for another
//! one may have begun to send it.
//!
//! **Invariant:** no transaction is open while something is sent. A change is sent at least once,
//! each time under its own id. Logs hold ids and the names of mirrors only.

use crate::pure::decide::answer;
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::{ContactId, OutboxId};
use crate::pure::domain::outbox::{LinkedKind, Post, carried_by};
use crate::pure::wire::mime;
use crate::pure::wire::step::{Link, Patience, Reply, Step};
use crate::shell::Clock;
use crate::shell::alerts::{Alerts, Tool};
use crate::shell::carriers::http::{BODY_BYTES_MAX, HttpCarrier};
use crate::shell::carriers::mail::MailCarrier;
use crate::shell::carriers::mailbox::MailboxCarrier;
use crate::shell::registry::Registry;
use crate::shell::store::health::{HealthReport, HealthWord, Side};
use crate::shell::store::outbox::{Claimed, OfAnswer, Settled};
use crate::shell::store::presence::{Claimant, Presence};
use crate::shell::store::{Store, StoreError};
use futures::FutureExt;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedMutexGuard, watch};
use tokio::task::JoinSet;

/// The alert of a mirror that is parked.
pub const MIRROR_PARKED: &str = "mirror_parked";
/// The alert of rows that will not be delivered. It is withdrawn by whoever counts dead rows.
pub const OUTBOX_DEAD: &str = "outbox_dead";

/// Requests that one change may take: whose it is and which thread looked up and created, what is there read in pages, what
/// lacks written; a mirror that asks for more goes in circles.
const STEPS_MAX: usize = 32;

/// Most of an answer that a mirror is given to read, bytes: a thread of some hundred messages, which some tools give out
/// whole only.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Requests that one answer may take: pieces of its text, and two for each file.
const PIECES_MAX: usize = 64;

/// Waits are lengthened by up to this part of themselves, so that rows that failed together do not
/// come back together.
const JITTER_PART: u64 = 5;

/// How often a settlement is tried before the row is left to the rescuer.
const SETTLE_ATTEMPTS_MAX: u32 = 6;

/// How often claims of those who are gone are looked for. It is a look at a handful of rows.
const RESCUE_INTERVAL: Duration = Duration::from_secs(2);

/// Waits between attempts to reach the database: doubled from the first to the last.
const STORE_WAIT_MIN: Duration = Duration::from_millis(250);
const STORE_WAIT_MAX: Duration = Duration::from_secs(15);

/// Longest hold that [`Deliver::until_idle`] sits out, since it is meant to end.
const IDLE_HOLD_MAX: Duration = Duration::from_secs(10);

/// Longest time a mirror is held because an answer asked for it; longer requests still delay the
/// row that they answered.
const HOLD_MAX: Duration = Duration::from_secs(300);

/// Limits of delivering. The defaults are right for production; tests shorten them.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Changes under way at once towards one mirror, each of another ticket.
    pub lanes_max: usize,
    /// How long a claim holds at most, in seconds: the net for a process that hangs. Longer than an attempt and its
    /// settlement can take.
    pub claim_s: i64,
    /// Longest time one attempt may take, over all its requests.
    pub attempt_max: Duration,
    /// Wait after a first failure; it doubles with each further one, and is lengthened by jitter.
    pub backoff_first: Duration,
    /// Longest wait after a failure, unless the other side asks for more.
    pub backoff_max: Duration,
    /// Longest time without a look at the outbox when nobody wakes the loop.
    pub poll_interval: Duration,
    /// Failures in a row after which a mirror is parked.
    pub failures_max: u32,
    /// A mirror that has failed for this long, and at least twice, is parked too: one quiet lane
    /// would take a quarter of an hour to fail often enough.
    pub failing_max: Duration,
    /// While a mirror is parked, one attempt in this time: soon after the first, which most often finds it back after a moment,
    /// with twice the wait between attempts until it is this.
    pub probe_interval: Duration,
    /// The first of those waits.
    pub probe_first: Duration,
    /// How long a mirror must have been taking changes before a row may die of its attempts.
    pub healthy_min: Duration,
    /// Longest time that what is under way may take at the stop.
    pub stop_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lanes_max: 16,
            claim_s: 300,
            attempt_max: Duration::from_secs(200),
            backoff_first: Duration::from_secs(1),
            backoff_max: Duration::from_secs(3_600),
            poll_interval: Duration::from_secs(1),
            failures_max: 5,
            failing_max: Duration::from_secs(30),
            probe_interval: Duration::from_secs(30),
            probe_first: Duration::from_secs(2),
            healthy_min: Duration::from_secs(3_600),
            stop_max: Duration::from_secs(20),
        }
    }
}

/// What a run until idle did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Delivered.
    pub delivered: u64,
    /// To be tried again later.
    pub again: u64,
    /// Given up.
    pub dead: u64,
}

/// The second loop.
#[derive(Clone)]
pub struct Deliver {
    shared: Arc<Shared>,
    clock: Clock,
}

struct Shared {
    store: Store,
    registry: Arc<Registry>,
    carrier: HttpCarrier,
    mails: MailCarrier,
    mailboxes: MailboxCarrier,
    alerts: Alerts,
    limits: Limits,
    lines: Vec<Arc<Line>>,
}

/// A mirror and how it has been answering.
struct Line {
    tool: Tool,
    newcomers: Newcomers,
    circuit: Mutex<Circuit>,
    record: Mutex<Record>,
}

/// What is told of a mirror: the circuit on the clock of people.
#[derive(Debug, Clone)]
struct Record {
    /// Since when it works, or does not.
    since: Timestamp,
    worked_at: Option<Timestamp>,
    /// Attempts in a row that failed.
    failures: u32,
    why: String,
}

impl Record {
    fn new(now: Timestamp) -> Self {
        Self { since: now, worked_at: None, failures: 0, why: String::new() }
    }

    fn note(&mut self, settled: &Settled, now: Timestamp) {
        match settled {
            Settled::Delivered => {
                if self.failures > 0 || self.worked_at.is_none() {
                    self.since = now;
                }
                (self.worked_at, self.failures) = (Some(now), 0);
                self.why.clear();
            }
            Settled::Again { why, .. } | Settled::Dead { why } => {
                if self.failures == 0 {
                    self.since = now;
                }
                self.failures = self.failures.saturating_add(1);
                self.why.clone_from(why);
            }
        }
    }
}

/// People whom a tool does not know, each while somebody may be making him known there.
#[derive(Default)]
struct Newcomers(Mutex<HashMap<ContactId, Arc<tokio::sync::Mutex<()>>>>);

impl Newcomers {
    /// Waits until nobody else makes these known; until the guards are dropped, nobody else does.
    async fn alone(&self, contacts: BTreeSet<ContactId>) -> Vec<OwnedMutexGuard<()>> {
        let locks: Vec<_> = {
            // As of the circuit.
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.retain(|_, lock| Arc::strong_count(lock) > 1);
            // All take them in the same order.
            contacts.into_iter().map(|contact| all.entry(contact).or_default().clone()).collect()
        };
        let mut guards = Vec::with_capacity(locks.len());
        for lock in locks {
            guards.push(lock.lock_owned().await);
        }
        guards
    }
}

impl Line {
    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        // Nothing panics while the lock is held; if it did, the state would still be whole.
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self) -> HealthReport {
        let is_parked = self.circuit().is_parked();
        let Record { since, worked_at, failures, why } = self.record().clone();
        let state = match (is_parked, failures, worked_at) {
            (true, ..) => HealthWord::Parked,
            (false, 1.., _) => HealthWord::Failing,
            (false, 0, Some(_)) => HealthWord::Ok,
            (false, 0, None) => HealthWord::Untried,
        };
        HealthReport { side: Side::Mirror, name: self.tool.name.clone(), state, since, worked_at, failures, why }
    }
}

/// What is kept of an attempt that ended for good.
#[derive(Default)]
struct Kept {
    replies: Vec<Reply>,
    links: Vec<Link>,
}

/// How an attempt ended.
enum Attempt {
    Done { replies: Vec<Reply>, links: Vec<Link> },
    Retry { after: Option<Duration>, why: String, replies: Vec<Reply> },
    Reject { why: String, replies: Vec<Reply> },
}

impl Attempt {
    fn again(why: impl Into<String>) -> Self {
        Self::Retry { after: None, why: why.into(), replies: Vec::new() }
    }
}

impl Deliver {
    /// A loop for these mirrors. Their names are those in the outbox.
    pub fn new(
        store: Store,
        registry: Arc<Registry>,
        carrier: HttpCarrier,
        alerts: Alerts,
        tools: Vec<Tool>,
        limits: Limits,
    ) -> Self {
        let lines = tools
            .into_iter()
            .map(|tool| {
                let circuit = Mutex::new(Circuit::new(Instant::now()));
                let newcomers = Newcomers::default();
                Arc::new(Line { tool, newcomers, circuit, record: Mutex::new(Record::new(Timestamp::now())) })
            })
            .collect();
        let (mails, mailboxes) = (MailCarrier::default(), MailboxCarrier::default());
        let shared = Shared { store, registry, carrier, mails, mailboxes, alerts, limits, lines };
        Self { shared: Arc::new(shared), clock: Arc::new(Timestamp::now) }
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// How each mirror does, at this moment.
    pub fn health(&self) -> Vec<HealthReport> {
        self.shared.lines.iter().map(|line| line.report()).collect()
    }

    /// Delivers until `stop` turns true, then lets what is under way finish within
    /// [`Limits::stop_max`]. What did not finish is claimed, and is put back as soon as we are gone.
    pub async fn run(&self, stop: watch::Receiver<bool>) {
        let Some(presence) = self.appear(stop.clone()).await else { return };
        let (woken, _) = watch::channel(0_u64);
        let mut lines = JoinSet::new();
        for line in &self.shared.lines {
            lines.spawn(self.clone().serve(Arc::clone(line), presence.clone(), woken.subscribe(), stop.clone()));
        }
        lines.spawn(self.clone().rescue(presence, stop.clone()));
        let mut stopping = stop;
        loop {
            tokio::select! {
                // One notification must reach every line, which is what the channel is for.
                () = self.shared.store.deliver_wake.notified() => woken.send_modify(|count| *count += 1),
                _ = stopping.wait_for(|stop| *stop) => break,
            }
        }
        while lines.join_next().await.is_some() {}
    }

    /// Delivers what is due now, over and over, until nothing is. Rows that failed are due later and
    /// are not waited for, nor is a mirror that is parked.
    ///
    /// # Errors
    /// The first [`StoreError`]; what is under way then is given up and put back later.
    pub async fn until_idle(&self) -> Result<Tally, StoreError> {
        let presence = Arc::new(Presence::open(&self.shared.store).await?);
        self.shared.store.rescue_posts(presence.claimant(), (self.clock)()).await?;
        let mut tally = Tally::default();
        loop {
            let drained = self.shared.lines.iter().map(|line| self.drain(line, &presence));
            let mut ended = 0;
            for one in futures::future::try_join_all(drained).await? {
                tally.delivered += one.delivered;
                tally.again += one.again;
                tally.dead += one.dead;
                ended += one.delivered + one.dead;
            }
            // Of an answer that was sent, mirrors are told.
            if ended == 0 {
                return Ok(tally);
            }
        }
    }

    /// Becomes present, as soon as the database is there. `None` when it is time to stop before.
    async fn appear(&self, mut stop: watch::Receiver<bool>) -> Option<Arc<Presence>> {
        let mut wait = STORE_WAIT_MIN;
        while !*stop.borrow() {
            match Presence::open(&self.shared.store).await {
                Ok(presence) => return Some(Arc::new(presence)),
                Err(error) if wait == STORE_WAIT_MIN => {
                    tracing::warn!(%error, "cannot connect for delivering; trying again");
                }
                Err(_) => {}
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
            wait = (wait * 2).min(STORE_WAIT_MAX);
        }
        None
    }

    /// One mirror's loop.
    async fn serve(
        self,
        line: Arc<Line>,
        presence: Arc<Presence>,
        mut woken: watch::Receiver<u64>,
        mut stop: watch::Receiver<bool>,
    ) {
        let limits = &self.shared.limits;
        let mut under_way = JoinSet::new();
        let mut store_wait = None;
        while !*stop.borrow() {
            match self.claim(&line, &presence, &mut under_way).await {
                Ok(()) => store_wait = None,
                Err(error) => store_wait = Some(self.wait_for_store(&line, store_wait, &error)),
            }
            let pause = store_wait.unwrap_or(limits.poll_interval);
            tokio::select! {
                Some(_) = under_way.join_next(), if store_wait.is_none() => {}
                _ = woken.changed(), if store_wait.is_none() => {}
                () = tokio::time::sleep(pause) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
        let finish = async { while under_way.join_next().await.is_some() {} };
        if tokio::time::timeout(limits.stop_max, finish).await.is_err() {
            tracing::info!(mirror = line.tool.name, "stopped with changes under way; they will be sent again");
        }
    }

    /// Says once that the database cannot be asked, and how long to wait.
    fn wait_for_store(&self, line: &Line, before: Option<Duration>, error: &StoreError) -> Duration {
        match before {
            None => {
                tracing::warn!(mirror = line.tool.name, %error, "the outbox cannot be read; trying again");
                STORE_WAIT_MIN
            }
            Some(wait) => (wait * 2).min(STORE_WAIT_MAX),
        }
    }

    async fn drain(&self, line: &Arc<Line>, presence: &Arc<Presence>) -> Result<Tally, StoreError> {
        let mut under_way = JoinSet::new();
        let mut tally = Tally::default();
        loop {
            self.claim(line, presence, &mut under_way).await?;
            let Some(ended) = under_way.join_next().await else {
                // Not in the condition itself: the lock would be held over the sleep.
                let hold = line.circuit().held_for(Instant::now());
                match hold {
                    Some(hold) if hold <= IDLE_HOLD_MAX => tokio::time::sleep(hold).await,
                    _ => return Ok(tally),
                }
                continue;
            };
            match ended {
                Ok(Settled::Delivered) => tally.delivered += 1,
                Ok(Settled::Again { .. }) => tally.again += 1,
                Ok(Settled::Dead { .. }) => tally.dead += 1,
                Err(_) => {}
            }
        }
    }

    /// Claims as many changes as may be sent now and starts them.
    async fn claim(
        &self,
        line: &Arc<Line>,
        presence: &Arc<Presence>,
        under_way: &mut JoinSet<Settled>,
    ) -> Result<(), StoreError> {
        let limits = &self.shared.limits;
        let wanted = line.circuit().allowance(Instant::now(), under_way.len(), limits);
        let (Some(claimant), true) = (presence.claimant(), wanted > 0) else { return Ok(()) };
        let (store, mirror) = (&self.shared.store, &line.tool.name);
        let claimed = store.claim_posts(mirror, wanted as i64, claimant, limits.claim_s, (self.clock)()).await?;
        line.circuit().claimed(Instant::now(), claimed.len(), limits);
        for claimed in claimed {
            under_way.spawn(self.clone().carry_out(Arc::clone(line), presence.clone(), claimant, claimed));
        }
        Ok(())
    }

    /// One attempt at one change, and its settlement.
    async fn carry_out(
        self,
        line: Arc<Line>,
        presence: Arc<Presence>,
        claimant: Claimant,
        claimed: Claimed,
    ) -> Settled {
        let newcomers = match line.tool.mirror.may_double_people() {
            true => newcomers(&claimed.post),
            false => BTreeSet::new(),
        };
        // To wait for another change of the same people is no fault of the mirror's, and none of its time.
        let _alone = tokio::select! {
            () = presence.lost(claimant) => return given_up(),
            alone = line.newcomers.alone(newcomers) => alone,
        };
        let began = Instant::now();
        // A mirror that panics must cost its row a retry, not its lane for ever.
        let steps = AssertUnwindSafe(self.steps(&line, &claimed)).catch_unwind();
        let ended = tokio::select! {
            biased;
            () = presence.lost(claimant) => return given_up(),
            ended = tokio::time::timeout(self.shared.limits.attempt_max, steps) => ended,
        };
        let attempt = match ended {
            Ok(Ok(attempt)) => attempt,
            Ok(Err(_)) => Attempt::again("the mirror's code failed: please report it"),
            Err(_) => Attempt::again("the attempt took too long"),
        };
        let (settled, kept) = self.conclude(&line, &claimed, attempt);
        let outcome = match settled {
            Settled::Delivered => "delivered",
            Settled::Again { .. } => "again",
            Settled::Dead { .. } => "dead",
        };
        let mirror = line.tool.name.clone();
        metrics::histogram!("lanka_outbox_attempt_seconds", "mirror" => mirror.clone()).record(began.elapsed());
        metrics::counter!("lanka_outbox_settled_total", "mirror" => mirror, "outcome" => outcome).increment(1);
        self.settle(&line, &claimed, &settled, &kept).await;
        settled
    }

    /// Asks the mirror for the next step and carries it out until it needs no more.
    async fn steps(&self, line: &Line, claimed: &Claimed) -> Attempt {
        let mut replies = claimed.replies.clone();
        let post = match self.whole(line, claimed).await {
            Ok(post) => post,
            Err(error) => return Attempt::again(format!("what to send cannot be read: {error}")),
        };
        let steps_max = if carried_by(&line.tool.name).is_some() { PIECES_MAX } else { STEPS_MAX };
        for _ in 0..=steps_max {
            match line.tool.mirror.next(&post, &replies, (self.clock)()) {
                Step::Send(outgoing) => match self.shared.carrier.send_for(outgoing, ANSWER_BYTES_MAX).await {
                    Ok(reply) => replies.push(reply),
                    Err(error) => return Attempt::Retry { after: None, why: error.to_string(), replies },
                },
                Step::Mail(mail) => match self.shared.mails.send(line.tool.mirror.mail_server(), *mail).await {
                    Ok(reply) => replies.push(reply),
                    Err(error) => return Attempt::again(error.to_string()),
                },
                Step::Mailbox(request) => match self.shared.mailboxes.send(line.tool.mirror.folder(), request).await {
                    Ok(reply) => replies.push(reply),
                    Err(error) => return Attempt::again(error.to_string()),
                },
                Step::Done(links) => return Attempt::Done { replies, links },
                Step::Retry { after, why } => return Attempt::Retry { after, why, replies },
                Step::Reject { why } => return Attempt::Reject { why, replies },
            }
        }
        Attempt::again(format!("it asks for more than {steps_max} requests"))
    }

    /// The post with all that its line can show or send: where an answer would go now, the bytes of its files, its mail as
    /// it was laid out.
    async fn whole(&self, line: &Line, claimed: &Claimed) -> Result<Post, StoreError> {
        let mut post = self.laid_out(line, &claimed.post).await?;
        let registry = &self.shared.registry;
        post.ticket.answer = claimed
            .desk
            .as_ref()
            .map(|desk| answer::view(&desk.heard, &|channel| registry.way(&post.tenant, channel), (self.clock)()));
        if let Some(tenant) = registry.tenants.get(&post.tenant) {
            post.token = tenant.keyer.answer(&line.tool.name, &claimed.ticket.to_string()).0.simple().to_string();
        }
        if let Some(carried) = &mut post.answer {
            carried.files = self.shared.store.read_files(&claimed.files).await?;
        } else if line.tool.mirror.shows_files() {
            post.files = self.shared.store.read_files(&claimed.files).await?;
        }
        Ok(post)
    }

    /// The post with its mail as it was laid out, for a mirror that can show it. It is made anew from the stored
    /// mail at each attempt, off the async threads: nothing on the way in pays for it, and nothing more is kept.
    async fn laid_out(&self, line: &Line, post: &Post) -> Result<Post, StoreError> {
        let mut post = post.clone();
        let Some(message) = post.message.as_mut().filter(|_| line.tool.mirror.shows_html()) else { return Ok(post) };
        if let Some(mail) = self.shared.store.mail_of(message.id).await? {
            let making = tokio::task::spawn_blocking(move || mime::html(&mail));
            // A mail that breaks the reader is shown as text.
            message.html = making.await.unwrap_or_default();
        }
        Ok(post)
    }

    /// What an attempt means for its row and for its mirror. The replies are those to keep: a retry
    /// starts from none.
    fn conclude(&self, line: &Line, claimed: &Claimed, attempt: Attempt) -> (Settled, Kept) {
        let limits = &self.shared.limits;
        let (now, instant) = ((self.clock)(), Instant::now());
        let mut circuit = line.circuit();
        let (turn, settled, kept) = match attempt {
            Attempt::Done { replies, links } => (circuit.success(instant), Settled::Delivered, Kept { replies, links }),
            Attempt::Retry { after, why, replies } => {
                let turn = circuit.failure(instant, after, limits);
                let hopeless = circuit.may_bury(instant, limits) && is_over(line.tool.mirror.patience(), claimed, now);
                let wait = wait(claimed.id, claimed.attempt, after, limits);
                let wait = if circuit.is_parked() && after.is_none() { wait.min(limits.probe_interval) } else { wait };
                let settled = if hopeless { Settled::Dead { why } } else { Settled::Again { due_at: now + wait, why } };
                // What is sent of an answer is not sent again; a mirror looks anew.
                let is_done =
                    |reply: &Reply| carried_by(&line.tool.name).is_some() && (200..300).contains(&reply.status);
                let replies = if replies.is_empty() { claimed.replies.clone() } else { replies };
                let replies = replies.into_iter().filter(is_done).collect();
                (turn, settled, Kept { replies, links: Vec::new() })
            }
            // What one customer's address does not take says nothing of the others'.
            Attempt::Reject { why, replies } if carried_by(&line.tool.name).is_some() => {
                (circuit.success(instant), Settled::Dead { why }, Kept { replies, links: Vec::new() })
            }
            Attempt::Reject { why, replies } => {
                let turn = circuit.failure(instant, None, limits);
                match circuit.is_parked() {
                    // Five rejections in a row are never the fault of five rows.
                    true => (turn, Settled::Again { due_at: now + limits.probe_interval, why }, Kept::default()),
                    false => (turn, Settled::Dead { why }, Kept { replies, links: Vec::new() }),
                }
            }
        };
        drop(circuit);
        line.record().note(&settled, now);
        self.say(line, claimed, turn, &settled);
        (settled, kept)
    }

    /// Says what ops should know of an attempt's end.
    fn say(&self, line: &Line, claimed: &Claimed, turn: Option<Turn>, settled: &Settled) {
        let (alerts, mirror) = (&self.shared.alerts, line.tool.name.as_str());
        match settled {
            Settled::Delivered => {
                let now = (self.clock)().as_second() as f64;
                metrics::gauge!("lanka_mirror_last_success_seconds", "mirror" => mirror.to_owned()).set(now);
            }
            Settled::Again { why, .. } => {
                tracing::info!(mirror, outbox.id = %claimed.id, attempt = claimed.attempt, "not delivered yet: {why}");
            }
            Settled::Dead { why } => {
                tracing::warn!(code = OUTBOX_DEAD, mirror, outbox.id = %claimed.id, attempt = claimed.attempt,
                    "given up, its lane goes on: {why}");
                alerts.onset(
                    OUTBOX_DEAD,
                    mirror,
                    "Changes were given up and the mirror lacks them: see `lanka outbox`.",
                );
            }
        }
        match turn {
            Some(Turn::Parked) => {
                let why = match settled {
                    Settled::Again { why, .. } | Settled::Dead { why } => why.as_str(),
                    Settled::Delivered => "",
                };
                let message =
                    format!("It does not take changes ({why}); they wait, nothing is lost. Look at the tool.");
                alerts.onset(MIRROR_PARKED, mirror, message);
            }
            Some(Turn::Recovered) => alerts.recovered(MIRROR_PARKED, mirror),
            None => {}
        }
    }

    /// Records how an attempt ended. When the database stays away the claim runs out and the
    /// change is sent again under the same id.
    async fn settle(&self, line: &Line, claimed: &Claimed, settled: &Settled, kept: &Kept) {
        let (id, attempt) = (claimed.id, claimed.attempt);
        let mut wait = STORE_WAIT_MIN;
        let is_answers = carried_by(&line.tool.name).is_some();
        let tenant = self.shared.registry.tenants.get(&claimed.post.tenant).filter(|_| is_answers);
        let of_answer = tenant.map(|tenant| OfAnswer { keyer: &tenant.keyer, mirrors: &tenant.policy.mirrors });
        let replies: Vec<Reply> = kept.replies.iter().map(|reply| shortened(reply, is_answers)).collect();
        for left in (0..SETTLE_ATTEMPTS_MAX).rev() {
            let now = (self.clock)();
            let kept = (replies.as_slice(), kept.links.as_slice());
            match self.shared.store.settle_post(id, attempt, settled.clone(), kept, of_answer, now).await {
                Ok(()) => return,
                Err(_) if left > 0 => tokio::time::sleep(wait).await,
                Err(error) => {
                    tracing::warn!(mirror = line.tool.name, outbox.id = %id, %error,
                        "how the attempt ended could not be recorded; the change will be sent again");
                }
            }
            wait = (wait * 2).min(STORE_WAIT_MAX);
        }
    }

    /// Puts back what was claimed and never settled: by a daemon that died, or across an outage.
    async fn rescue(self, presence: Arc<Presence>, mut stop: watch::Receiver<bool>) {
        let store = &self.shared.store;
        while !*stop.borrow() {
            match store.rescue_posts(presence.claimant(), (self.clock)()).await {
                Ok(0) => {}
                Ok(rescued) => {
                    tracing::info!(rescued, "changes whose claim was given up will be sent again");
                    store.deliver_wake.notify_one();
                }
                Err(error) => tracing::debug!(%error, "claims that were given up could not be looked for"),
            }
            tokio::select! {
                () = tokio::time::sleep(RESCUE_INTERVAL) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
    }
}

/// A reply as it is kept with its row: the beginning of its body. What a tool told of its threads and people when it was asked
/// is not kept: it would outlive whoever it names.
fn shortened(reply: &Reply, is_answers: bool) -> Reply {
    let is_kept = is_answers || !(200..300).contains(&reply.status);
    let mut end = if is_kept { reply.body.len().min(BODY_BYTES_MAX) } else { 0 };
    while !reply.body.is_char_boundary(end) {
        end -= 1;
    }
    Reply { body: reply.body[..end].to_owned(), ..reply.clone() }
}

/// The row is no longer ours, not even to be settled: whoever rescues it sends it again.
fn given_up() -> Settled {
    Settled::Again { due_at: Timestamp::now(), why: "the claim was lost with the database".to_owned() }
}

/// Who takes part in the ticket and is not known to the tool.
fn newcomers(post: &Post) -> BTreeSet<ContactId> {
    let contacts = post.ticket.participants.iter().map(|contact| contact.id);
    contacts.filter(|contact| post.links.of(LinkedKind::Contact, contact.0).is_none()).collect()
}

/// Whether a change has been tried for as long as its mirror wants.
fn is_over(patience: Patience, claimed: &Claimed, now: Timestamp) -> bool {
    let age_s = now.as_second().saturating_sub(claimed.post.decided_at.as_second());
    u32::try_from(claimed.attempt).unwrap_or(0) >= patience.attempts_max
        && u64::try_from(age_s).unwrap_or(0) >= patience.age_max.as_secs()
}

/// How long a row waits after its failed attempt (the first is 1). What the other side asked for
/// stands, with a floor that keeps `Retry-After: 0` from becoming a loop. The jitter is drawn from
/// the row's id and attempt.
fn wait(id: OutboxId, attempt: i32, asked: Option<Duration>, limits: &Limits) -> Duration {
    let attempt = u32::try_from(attempt).unwrap_or(0).max(1);
    let base = match asked {
        Some(asked) => asked.max(Duration::from_secs(u64::from(attempt.min(60)))),
        None => limits.backoff_first.saturating_mul(2_u32.saturating_pow(attempt - 1)).min(limits.backoff_max),
    };
    let mut hasher = DefaultHasher::new();
    (id, attempt).hash(&mut hasher);
    let jitter_max_ms = u64::try_from(base.as_millis()).unwrap_or(u64::MAX) / JITTER_PART;
    base + Duration::from_millis(hasher.finish() % jitter_max_ms.max(1))
}

/// What a mirror's answers add up to.
#[derive(Debug)]
struct Circuit {
    /// Failures since the last success.
    failures: u32,
    failing_since: Option<Instant>,
    /// Taking changes, without being parked, since the first success after the last outage.
    healthy_since: Option<Instant>,
    parked: bool,
    next_probe: Instant,
    /// The wait that ends with it.
    probe_wait: Duration,
    /// Nothing is claimed before: an answer asked for it.
    held_until: Option<Instant>,
}

/// A change of a mirror's state, to be said aloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Parked,
    Recovered,
}

impl Circuit {
    fn new(now: Instant) -> Self {
        let probe_wait = Duration::ZERO;
        Self {
            failures: 0,
            failing_since: None,
            healthy_since: None,
            parked: false,
            next_probe: now,
            probe_wait,
            held_until: None,
        }
    }

    fn is_parked(&self) -> bool {
        self.parked
    }

    fn held_for(&self, now: Instant) -> Option<Duration> {
        self.held_until.and_then(|until| until.checked_duration_since(now)).filter(|left| !left.is_zero())
    }

    /// How many changes may be claimed while `under_way` are on their way.
    fn allowance(&self, now: Instant, under_way: usize, limits: &Limits) -> usize {
        if self.held_for(now).is_some() {
            return 0;
        }
        if self.parked {
            return usize::from(under_way == 0 && now >= self.next_probe);
        }
        let free = limits.lanes_max.saturating_sub(under_way);
        // A claim is a query: not one for every change that ends, but for half a load at least.
        if under_way == 0 || free * 2 >= limits.lanes_max { free } else { 0 }
    }

    fn claimed(&mut self, now: Instant, count: usize, limits: &Limits) {
        if self.parked && count > 0 {
            self.probe_wait = (self.probe_wait * 2).min(limits.probe_interval);
            self.next_probe = now + self.probe_wait;
        }
    }

    fn success(&mut self, now: Instant) -> Option<Turn> {
        let was_parked = std::mem::take(&mut self.parked);
        (self.failures, self.failing_since, self.held_until) = (0, None, None);
        self.healthy_since.get_or_insert(now);
        was_parked.then_some(Turn::Recovered)
    }

    fn failure(&mut self, now: Instant, after: Option<Duration>, limits: &Limits) -> Option<Turn> {
        let since = *self.failing_since.get_or_insert(now);
        match after {
            // It asks for patience: it is there, and is not parked for that unless it goes on.
            Some(after) => self.held_until = Some(now + after.min(HOLD_MAX)),
            None => self.failures += 1,
        }
        let fails_long = now.duration_since(since) >= limits.failing_max;
        if self.parked || !(self.failures >= limits.failures_max || fails_long) {
            return None;
        }
        self.parked = true;
        self.healthy_since = None;
        self.probe_wait = limits.probe_first.min(limits.probe_interval);
        self.next_probe = now + self.probe_wait;
        Some(Turn::Parked)
    }

    /// Whether a row may die of its attempts: only of its own, not of the mirror's.
    fn may_bury(&self, now: Instant, limits: &Limits) -> bool {
        let healthy = self.healthy_since.is_some_and(|since| now.duration_since(since) >= limits.healthy_min);
        healthy && !self.parked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn waits_grow_to_an_hour_and_honour_what_was_asked() {
        let (id, limits) = (OutboxId(uuid::Uuid::from_u128(1)), Limits::default());
        for (attempt, asked_s, from_s, to_s) in [
            (1, None, 1, 2),
            (2, None, 2, 3),
            (3, None, 4, 5),
            (8, None, 128, 154),
            (12, None, 2_048, 2_458),
            (13, None, 3_600, 4_320),
            (500, None, 3_600, 4_320),
            (0, None, 1, 2),
            (i32::MAX, None, 3_600, 4_320),
            (13, Some(120), 120, 144),
            (1, Some(0), 1, 2),
            (50, Some(0), 50, 60),
            (5_000, Some(0), 60, 72),
            (1, Some(86_400), 86_400, 103_680),
        ] {
            let wait = wait(id, attempt, asked_s.map(Duration::from_secs), &limits);
            assert!((from_s * S..=to_s * S).contains(&wait), "attempt {attempt}, asked {asked_s:?}: {wait:?}");
        }
    }

    #[test]
    fn rows_that_failed_together_come_back_apart() {
        let waits: std::collections::BTreeSet<Duration> =
            (0..100).map(|n| wait(OutboxId(uuid::Uuid::from_u128(n)), 9, None, &Limits::default())).collect();
        assert!(waits.len() > 95, "{} different waits of 100", waits.len());
    }

    #[test]
    fn a_mirror_is_parked_after_failures_in_a_row_and_recovers_by_a_probe() {
        let (limits, start) = (Limits::default(), Instant::now());
        let mut circuit = Circuit::new(start);
        for _ in 0..4 {
            assert_eq!(circuit.failure(start, None, &limits), None);
        }
        assert_eq!(circuit.success(start), None);
        for _ in 0..4 {
            assert_eq!(circuit.failure(start, None, &limits), None);
        }
        assert_eq!(circuit.allowance(start, 0, &limits), 16);
        assert_eq!(circuit.failure(start, None, &limits), Some(Turn::Parked));
        assert_eq!(circuit.failure(start, None, &limits), None, "said once");
        assert_eq!(circuit.allowance(start + S, 0, &limits), 0);
        assert_eq!(circuit.allowance(start + 2 * S, 3, &limits), 0, "one at a time");
        assert_eq!(circuit.allowance(start + 2 * S, 0, &limits), 1);
        circuit.claimed(start + 2 * S, 0, &limits);
        assert_eq!(circuit.allowance(start + 3 * S, 0, &limits), 1, "nothing was due, so nothing was tried");
        // Then after 4, 8 and 16 seconds, and every 30 from then on.
        let mut at = start + 3 * S;
        for wait_s in [4, 8, 16, 30, 30] {
            circuit.claimed(at, 1, &limits);
            assert_eq!(circuit.failure(at, None, &limits), None);
            assert_eq!(circuit.allowance(at + (wait_s - 1) * S, 0, &limits), 0, "{wait_s}");
            at += wait_s * S;
            assert_eq!(circuit.allowance(at, 0, &limits), 1, "{wait_s}");
        }
        assert_eq!(circuit.success(at), Some(Turn::Recovered));
        assert_eq!(circuit.allowance(at, 0, &limits), 16);
    }

    #[test]
    fn a_quiet_mirror_is_parked_by_time() {
        let (limits, start) = (Limits::default(), Instant::now());
        let mut circuit = Circuit::new(start);
        assert_eq!(circuit.failure(start, None, &limits), None);
        assert_eq!(circuit.failure(start + 5 * S, None, &limits), None);
        assert_eq!(circuit.failure(start + 35 * S, None, &limits), Some(Turn::Parked));
    }

    #[test]
    fn who_asks_for_patience_gets_it_and_is_not_parked_for_it() {
        let (limits, start) = (Limits::default(), Instant::now());
        let mut circuit = Circuit::new(start);
        for _ in 0..16 {
            assert_eq!(circuit.failure(start, Some(20 * S), &limits), None);
        }
        assert_eq!(circuit.allowance(start + 19 * S, 0, &limits), 0);
        assert_eq!(circuit.allowance(start + 20 * S, 0, &limits), 16);
        assert_eq!(circuit.failure(start + 20 * S, Some(20 * S), &limits), None);
        assert_eq!(circuit.failure(start + 40 * S, Some(20 * S), &limits), Some(Turn::Parked));
    }

    #[test]
    fn claims_are_made_for_half_a_load_at_least() {
        let (limits, start) = (Limits::default(), Instant::now());
        let circuit = Circuit::new(start);
        for (under_way, expected) in [(0, 16), (1, 15), (8, 8), (9, 0), (16, 0), (99, 0)] {
            assert_eq!(circuit.allowance(start, under_way, &limits), expected, "{under_way} under way");
        }
    }

    #[test]
    fn rows_die_only_while_their_mirror_takes_others() {
        let (limits, start) = (Limits::default(), Instant::now());
        let mut circuit = Circuit::new(start);
        assert!(!circuit.may_bury(start + 9_000 * S, &limits), "never answered");
        circuit.success(start);
        assert!(!circuit.may_bury(start + 3_599 * S, &limits), "not for long enough");
        assert!(circuit.may_bury(start + 3_600 * S, &limits));
        for _ in 0..5 {
            circuit.failure(start + 3_600 * S, None, &limits);
        }
        assert!(!circuit.may_bury(start + 9_000 * S, &limits), "parked");
        circuit.success(start + 9_000 * S);
        assert!(!circuit.may_bury(start + 9_001 * S, &limits), "just back");
    }
}
