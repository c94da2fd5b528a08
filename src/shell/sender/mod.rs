//! Senders of mail, checked where no server of ours has vouched for them: before the mail is decided, and once
//! more later when name servers did not answer.
//!
//! Ingest hands over the deliveries that there is a question about and goes on with the others; what was found
//! is kept until it claims them again. What one domain's senders wrote is given back in the order it came. Nothing is written down: a process that ends asks again, and two
//! daemons may both ask, for one of them only will decide.
//!
//! Refused: asking within the batch. One slow name server would hold back every channel, and the batch's
//! transaction would be open all that time.
//!
//! **Invariants:** no transaction is open while a name server is asked. Checks under way, the bytes they hold
//! and the deliveries that wait are limited. Without an answer a mail is decided as unknown, never held.

pub mod verify;

use crate::pure::channels::Channel;
use crate::pure::domain::Timestamp;
use crate::pure::domain::message::{Authentication, RawEvent, SenderCheck};
use crate::pure::wire::sender::{REFUSED, UNANSWERED};
use crate::shell::registry::Registry;
use crate::shell::store::raw_event;
use crate::shell::store::sender_check::{Due, Verdict};
use crate::shell::store::{Store, StoreError};
use futures::{StreamExt, stream};
use jiff::SignedDuration;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, Semaphore, watch};
use uuid::Uuid;
use verify::{CheckLimits, Verifier};

/// Deliveries that wait to be checked; ingest waits with claiming while there are more. Ids only.
const WAITING_MAX: usize = 10_000;
/// Longest that a delivery waits for its turn. When name servers are away, or somebody writes from a thousand
/// domains whose servers do not answer, the rest is decided as unknown and asked about later.
const TURN_WAIT_MAX: Duration = Duration::from_secs(20);
/// Checks without an answer in a row after which name servers count as away, unless one of them has answered
/// within this time: whoever writes from domains whose servers are slow does not switch checks off for others.
const UNANSWERED_MAX: usize = 8;
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// How long nobody is asked then: mail is decided at once, as unknown, and asked about later.
const AWAY: Duration = Duration::from_secs(30);
/// Bytes of mails that are being checked, together; one larger mail is checked alone. In KiB, as permits.
const CHECKED_KIB_MAX: u32 = 64 * 1024;
/// Unknown senders asked about again at once.
const AGAIN_ROWS_MAX: i64 = 32;
/// How often unknown senders are looked for.
const AGAIN_POLL: Duration = Duration::from_secs(1);
/// Longest wait between two checks of one mail.
const AGAIN_S_MAX: i64 = 6 * 3_600;

/// How senders are checked, and how often.
#[derive(Debug, Clone)]
pub struct Setup {
    /// One check.
    pub limits: CheckLimits,
    /// Checks at once.
    pub concurrency: usize,
    /// Older mail is not checked: keys are withdrawn after use, so that what it said cannot be told any more.
    pub age_max: SignedDuration,
    /// Wait before an unknown sender is asked about again; it doubles.
    pub retry_first: SignedDuration,
}

/// The checks of one process.
#[derive(Clone)]
pub struct Senders {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    registry: Arc<Registry>,
    verifier: Verifier,
    setup: Setup,
    state: Mutex<State>,
    /// A check ended.
    ended: Notify,
    /// Memory for mails, a permit a KiB.
    room: Semaphore,
}

/// A delivery that is to be checked before it is parsed.
#[derive(Debug, Clone)]
pub(crate) struct Unchecked {
    /// The delivery.
    pub id: Uuid,
    /// Its size.
    pub bytes: usize,
    /// The domain that is asked about.
    pub domain: String,
}

struct Waiting {
    delivery: Unchecked,
    since: Instant,
}

#[derive(Default)]
struct State {
    /// Deliveries in the order they are checked.
    queue: VecDeque<Waiting>,
    /// Those in the queue, those that are being checked, and those that wait for one before them.
    open: HashSet<Uuid>,
    /// The same by domain in the order they came, and whether each has been checked: what one sender wrote is
    /// decided in the order it came, however long the checks take.
    lines: HashMap<String, BTreeMap<Uuid, bool>>,
    /// What was found, until the delivery is settled.
    found: HashMap<Uuid, SenderCheck>,
    /// Tasks at work.
    working: usize,
    /// How name servers do.
    answers: Answers,
    /// Checks that have ended.
    ended: u64,
}

impl State {
    /// A delivery has been checked: it may be claimed once all before it in its line may.
    fn give_back(&mut self, id: Uuid, domain: &str) {
        let Some(line) = self.lines.get_mut(domain) else { return };
        line.insert(id, true);
        while let Some(first) = line.first_entry().filter(|first| *first.get()) {
            self.open.remove(first.key());
            first.remove();
        }
        if line.is_empty() {
            self.lines.remove(domain);
        }
    }
}

/// How name servers do.
#[derive(Default)]
struct Answers {
    unanswered: usize,
    answered_at: Option<Instant>,
    away_until: Option<Instant>,
}

impl Answers {
    fn note(&mut self, is_answer: bool, now: Instant) {
        if is_answer {
            *self = Self { unanswered: 0, answered_at: Some(now), away_until: None };
            return;
        }
        self.unanswered += 1;
        let lately = self.answered_at.is_some_and(|at| now.duration_since(at) < ANSWERED_WITHIN);
        if self.unanswered >= UNANSWERED_MAX && !lately {
            self.away_until = Some(now + AWAY);
        }
    }

    fn are_away(&self, now: Instant) -> bool {
        self.away_until.is_some_and(|until| now < until)
    }
}

impl Senders {
    /// Checks for the channels of a registry; `None`, said aloud, when the system names no name server.
    pub fn new(store: Store, registry: Arc<Registry>, setup: Setup) -> Option<Self> {
        let verifier = match Verifier::new(setup.limits.clone()) {
            Ok(verifier) => verifier,
            Err(error) => {
                tracing::warn!(
                    code = "no_name_servers",
                    error,
                    "senders of mail are not checked: name the name servers under [mail_auth] resolvers"
                );
                return None;
            }
        };
        let (state, ended) = (Mutex::default(), Notify::new());
        let room = Semaphore::new(CHECKED_KIB_MAX as usize);
        Some(Self { shared: Arc::new(Shared { store, registry, verifier, setup, state, ended, room }) })
    }

    /// Whether a delivery is to be checked before it is parsed, and about whom.
    pub(crate) fn wanted(&self, event: &RawEvent, channel: &dyn Channel) -> Option<Unchecked> {
        let age = event.received_at.duration_since(event.trusted_at.unwrap_or(event.received_at));
        // A reader that panics does so again when the delivery is read, where it is caught.
        let asking = std::panic::AssertUnwindSafe(|| channel.sender_question(event));
        let question = std::panic::catch_unwind(asking).unwrap_or(None).filter(|_| age <= self.shared.setup.age_max)?;
        Some(Unchecked { id: event.id.0, bytes: event.body.len(), domain: question.domain })
    }

    /// What was found out about a delivery, if it has been checked.
    pub(crate) fn found(&self, raw: Uuid) -> Option<SenderCheck> {
        self.state().found.get(&raw).copied()
    }

    /// Deliveries that are not to be claimed, for they are being checked.
    pub(crate) fn open(&self) -> Vec<Uuid> {
        self.state().open.iter().copied().collect()
    }

    /// Whether anything is being checked.
    pub(crate) fn is_busy(&self) -> bool {
        !self.state().open.is_empty()
    }

    /// How many checks have ended: who looked for deliveries before one more did has not seen what it freed.
    pub(crate) fn ended(&self) -> u64 {
        self.state().ended
    }

    /// Waits until there is room for more deliveries.
    pub(crate) async fn room(&self) {
        loop {
            let ended = self.shared.ended.notified();
            if self.state().open.len() < WAITING_MAX {
                return;
            }
            ended.await;
        }
    }

    /// Waits until a check ended, or none is under way.
    pub(crate) async fn progress(&self) {
        let ended = self.shared.ended.notified();
        if self.is_busy() {
            ended.await;
        }
    }

    /// Takes deliveries to be checked.
    pub(crate) fn ask(&self, unchecked: Vec<Unchecked>) {
        let mut state = self.state();
        for delivery in unchecked {
            if state.open.insert(delivery.id) {
                state.lines.entry(delivery.domain.clone()).or_default().insert(delivery.id, false);
                state.queue.push_back(Waiting { delivery, since: Instant::now() });
            }
        }
        while state.working < self.shared.setup.concurrency && state.working < state.queue.len() {
            state.working += 1;
            tokio::spawn(self.clone().work());
        }
    }

    /// What was found is of no use any more.
    pub(crate) fn forget(&self, raw: &[Uuid]) {
        let mut state = self.state();
        for id in raw {
            state.found.remove(id);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held; if it did, the state would still be whole.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks what waits, one delivery after another.
    async fn work(self) {
        loop {
            let next = {
                let mut state = self.state();
                let next = state.queue.pop_front();
                if next.is_none() {
                    state.working -= 1;
                }
                next
            };
            let Some(Waiting { delivery: Unchecked { id, bytes, domain }, since }) = next else { return };
            let kib = u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX).min(CHECKED_KIB_MAX);
            let room = self.shared.room.acquire_many(kib).await;
            let is_asked = since.elapsed() <= TURN_WAIT_MAX && !self.state().answers.are_away(Instant::now());
            let found = if is_asked { self.one(id).await } else { UNANSWERED };
            drop(room);
            let mut state = self.state();
            if is_asked {
                state.answers.note(found.verdict != Authentication::Unknown, Instant::now());
            }
            state.give_back(id, &domain);
            state.ended += 1;
            // What another daemon decided meanwhile is never asked for; it must not gather.
            if state.found.len() >= WAITING_MAX {
                state.found.clear();
            }
            state.found.insert(id, found);
            drop(state);
            self.shared.ended.notify_waiters();
            self.shared.store.ingest_wake.notify_one();
        }
    }

    /// A delivery that cannot be read back now is unknown: ingest finds out why.
    async fn one(&self, id: Uuid) -> SenderCheck {
        let check = async {
            let event = self.load(id).await?;
            Ok::<_, StoreError>(match event {
                Some(event) => self.check(event).await,
                None => None,
            })
        };
        match check.await {
            Ok(found) => found.unwrap_or(REFUSED),
            // The daemon is stopping: the delivery waits in the queue.
            Err(_) if self.shared.store.pool.is_closed() => UNANSWERED,
            Err(error) => {
                tracing::warn!(code = "sender_check_failed", raw_event.id = %id, %error, "a sender could not be checked");
                UNANSWERED
            }
        }
    }

    async fn load(&self, id: Uuid) -> Result<Option<RawEvent>, StoreError> {
        let mut connection = self.shared.store.pool.acquire().await?;
        let loaded = raw_event::load(&self.shared.store, &mut connection, &[id]).await?.pop();
        Ok(loaded.filter(|loaded| loaded.lost.is_none()).map(|loaded| loaded.event))
    }

    /// Hashes and signatures are the processor's work: they are done off the async threads.
    async fn check(&self, event: RawEvent) -> Option<SenderCheck> {
        let runtime = tokio::runtime::Handle::current();
        let shared = self.shared.clone();
        let began = Instant::now();
        let checking = tokio::task::spawn_blocking(move || {
            let question = shared.registry.channels.get(&event.channel)?.sender_question(&event)?;
            Some(runtime.block_on(shared.verifier.check(&question, &event.body)))
        });
        let found = checking.await.unwrap_or_else(|error| {
            tracing::warn!(code = "sender_check_panicked", %error, "checking a sender failed inside lanka: please report it");
            Some(REFUSED)
        });
        let verdict = found.map_or("none", |found| word(found.verdict));
        metrics::counter!("lanka_senders_checked_total", "verdict" => verdict).increment(1);
        metrics::histogram!("lanka_sender_check_seconds").record(began.elapsed());
        found
    }

    /// Asks again about unknown senders until told to stop.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            match self.again(Timestamp::now()).await {
                Ok(asked) if asked > 0 => continue,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(code = "senders_failed", %error, "cannot look for unknown senders; trying again")
                }
            }
            tokio::select! {
                () = tokio::time::sleep(AGAIN_POLL) => {}
                _ = stop.changed() => return,
            }
        }
    }

    /// Asks again about the unknown senders that are due at `now`. Gives how many.
    ///
    /// # Errors
    /// When the database does not answer; what was claimed is claimed again later.
    pub async fn again(&self, now: Timestamp) -> Result<usize, StoreError> {
        let due = self.shared.store.claim_sender_checks(AGAIN_ROWS_MAX, now).await?;
        let count = due.len();
        let checked = stream::iter(due).map(|due| self.settle(due, now));
        let settled: Vec<_> = checked.buffer_unordered(self.shared.setup.concurrency).collect().await;
        settled.into_iter().collect::<Result<Vec<()>, _>>()?;
        Ok(count)
    }

    async fn settle(&self, due: Due, now: Timestamp) -> Result<(), StoreError> {
        let found = match self.load(due.raw_event).await? {
            Some(event) => self.check(event).await,
            None => None,
        };
        let doubled = self.shared.setup.retry_first.as_secs().saturating_mul(1 << (due.tries - 1).clamp(0, 16));
        let due_at = now.saturating_add(SignedDuration::from_secs(doubled.clamp(1, AGAIN_S_MAX))).unwrap_or(now);
        let verdict = match found {
            Some(check) if check.verdict != Authentication::Unknown => Verdict::Found(check),
            // It is asked as long as a new mail of that age would be.
            Some(_) if now.duration_since(due.since) <= self.shared.setup.age_max => Verdict::Again(due_at),
            _ => Verdict::Never,
        };
        if matches!(&verdict, Verdict::Found(found) if found.verdict == Authentication::Fail) {
            tracing::warn!(code = "sender_denied_late", channel.name = %due.channel, message.id = %due.message,
                "a mail that could not be checked at first is denied by its sender's domain; look at its thread");
        }
        let tenant = self.shared.registry.tenants.get(&due.tenant);
        let mirrors = tenant.map(|tenant| tenant.policy.mirrors.as_slice()).unwrap_or_default();
        self.shared.store.settle_sender_check(&due, &verdict, mirrors, now).await
    }
}

fn word(verdict: Authentication) -> &'static str {
    match verdict {
        Authentication::Pass => "pass",
        Authentication::Aligned => "aligned",
        Authentication::None => "none",
        Authentication::Unknown => "unknown",
        Authentication::Fail => "fail",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_servers_are_away_when_none_answers() {
        let start = Instant::now();
        let at = |s: u64| start + Duration::from_secs(s);
        let mut answers = Answers::default();
        (1..UNANSWERED_MAX).for_each(|_| answers.note(false, at(5)));
        assert!(!answers.are_away(at(5)));
        answers.note(false, at(5));
        assert!(answers.are_away(at(5)) && answers.are_away(at(34)) && !answers.are_away(at(35)));
        // Asked once more, and still nothing.
        answers.note(false, at(40));
        assert!(answers.are_away(at(41)));
        answers.note(true, at(71));
        assert!(!answers.are_away(at(71)));
        // While others are answered, slow domains are theirs alone.
        (0..20).for_each(|_| answers.note(false, at(75)));
        assert!(!answers.are_away(at(75)));
    }

    #[test]
    fn what_a_domain_sent_is_given_back_in_the_order_it_came() {
        let id = Uuid::from_u128;
        let mut state = State::default();
        for (n, domain) in [(1, "a.example"), (2, "a.example"), (3, "b.example"), (4, "a.example")] {
            state.open.insert(id(n));
            state.lines.entry(domain.to_owned()).or_default().insert(id(n), false);
        }
        // Which check ended, and what is still kept back after it.
        let table: &[(u128, &str, &[u128])] = &[
            (4, "a.example", &[1, 2, 3, 4]),
            (3, "b.example", &[1, 2, 4]),
            (1, "a.example", &[2, 4]),
            (2, "a.example", &[]),
        ];
        for (ended, domain, open) in table {
            state.give_back(id(*ended), domain);
            let mut left: Vec<u128> = state.open.iter().map(|id| id.as_u128()).collect();
            left.sort_unstable();
            assert_eq!(left, *open, "after {ended}");
        }
        assert!(state.lines.is_empty());
    }
}
