//! What is kept of tickets beside their threads: clocks on what was promised, and what customers are told by itself.
//!
//! Whoever changes a ticket brings about a look at it; so does the running out of a clock. A look works out anew what is
//! kept, writes what differs, says aloud what runs out, and puts what customers are to be told where agents' answers are
//! put: as a delivery of our own, which is decided, shown and carried like any other.
//!
//! **Invariants:** it is a function of the rows ([`keep`](crate::pure::decide::keep)), so that a look too many does nothing. A
//! notice is noted in the transaction that stores its delivery: it is given once, whatever crashes when.

use crate::pure::channels::{self, desk};
use crate::pure::decide::evidence::firm_at;
use crate::pure::decide::keep::{By, Kept, Rows, keep};
use crate::pure::decide::notice::Notice;
use crate::pure::domain::Timestamp;
use crate::pure::domain::answer::Obstacle;
use crate::pure::domain::id::{ContactId, TicketId};
use crate::pure::domain::identity::EmailAddress;
use crate::pure::domain::notice::{NoticeKind, Withheld};
use crate::shell::Clock;
use crate::shell::registry::{Registry, Tenant};
use crate::shell::store::keep::{Found, load, take};
use crate::shell::store::raw_event::{NewRawEvent, RawBody};
use crate::shell::store::{Store, StoreError};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Tickets of one transaction.
const TICKETS_MAX: i64 = 200;

/// How often tickets are looked for. What a customer is told may be a moment late; a second is as good as at once.
const POLL: Duration = Duration::from_millis(500);

/// Longest name of a customer that is written to him, in characters.
const NAME_CHARS_MAX: usize = 60;

/// The loop of one process.
#[derive(Clone)]
pub struct Keeper {
    store: Store,
    registry: Arc<Registry>,
    clock: Clock,
}

impl Keeper {
    /// A loop over a store, by the clock on the wall.
    pub fn new(store: Store, registry: Arc<Registry>) -> Self {
        Self { store, registry, clock: Arc::new(Timestamp::now) }
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Works until told to stop.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut is_failing = false;
        while !*stop.borrow() {
            match self.until_idle().await {
                Ok(_) => is_failing = false,
                Err(error) if is_failing => tracing::debug!(%error, "clocks and notices still wait"),
                Err(error) => {
                    is_failing = true;
                    tracing::warn!(code = "keeping_failed", %error, "clocks cannot be kept and notices not given; trying again");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Works until no ticket is to be looked at. Gives how many notices were given.
    ///
    /// # Errors
    /// The first [`StoreError`]: what was to be looked at is, the next time.
    pub async fn until_idle(&self) -> Result<usize, StoreError> {
        let mut given = 0;
        loop {
            match self.once().await {
                Ok(Some(0)) | Ok(None) => return Ok(given),
                Ok(Some(n)) => given += n - 1,
                Err(error) if error.is_race() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// One transaction: `None` while another daemon looks, 0 when there was nothing to look at, else one more than the notices
    /// given.
    async fn once(&self) -> Result<Option<usize>, StoreError> {
        let now = (self.clock)();
        // Not within the transaction, which would be in the way of a new month's tables.
        self.store.ensure_months([now].into_iter()).await?;
        let mut tx = self.store.begin().await?;
        let Some(tickets) = take(&mut tx, TICKETS_MAX, now).await? else { return Ok(None) };
        if tickets.is_empty() {
            tx.commit().await?;
            return Ok(Some(0));
        }
        let mut by_tenant: BTreeMap<String, Vec<Rows>> = BTreeMap::new();
        for rows in load(&mut tx, &tickets, now).await? {
            by_tenant.entry(rows.tenant.clone()).or_default().push(rows);
        }
        let (mut given, mut is_aloud) = (0, false);
        for (name, rows) in by_tenant {
            // A firm that is not configured any more keeps what it has.
            let Some(tenant) = self.registry.tenants.get(&name) else { continue };
            let kept = self.keep(&name, tenant, rows, now);
            is_aloud |= kept.iter().any(|kept| !kept.aloud.is_empty());
            let found = Found { tenant: &name, kept: &kept, mirrors: &tenant.policy.mirrors, now };
            let notices = self.store.write_kept(&mut tx, &found).await?;
            let events: Vec<NewRawEvent> =
                notices.iter().filter_map(|(ticket, notice)| self.event(&name, *ticket, notice, now)).collect();
            self.store.record_in(&mut tx, &events).await?;
            count(&kept, &notices);
            given += events.len();
        }
        tx.commit().await?;
        if given > 0 {
            self.store.ingest_wake.notify_one();
        }
        if is_aloud {
            self.store.deliver_wake.notify_one();
        }
        Ok(Some(given + 1))
    }

    /// What is kept of a firm's tickets. What one customer is told is counted over all of them.
    fn keep(&self, name: &str, tenant: &Tenant, rows: Vec<Rows>, now: Timestamp) -> Vec<Kept> {
        let policy = &tenant.policy;
        let is_own = |address: &str| EmailAddress::parse(address).is_ok_and(|address| policy.is_own(&address));
        let ways = |channel: &str| self.registry.way(name, channel);
        let firm = |domain: &str| firm_at(domain, policy).map(str::to_owned);
        let reopens_for = |channel: &str| policy.windows(channel).closed_continues;
        let by = By {
            service: &tenant.service,
            notices: &policy.notices,
            like: &channels::like,
            is_own: &is_own,
            ways: &ways,
            firm: &firm,
            reopens_for: &reopens_for,
            now,
        };
        let mut told: HashMap<ContactId, (u32, u32)> = HashMap::new();
        let mut all = Vec::with_capacity(rows.len());
        for mut rows in rows {
            for (contact, n, by_mail) in &mut rows.told {
                let (more, more_by_mail) = told.get(contact).copied().unwrap_or_default();
                (*n, *by_mail) = (*n + more, *by_mail + more_by_mail);
            }
            let unheard: Vec<ContactId> = rows.heard.iter().map(|heard| heard.contact).collect();
            for contact in unheard {
                if let Some((n, by_mail)) = told.get(&contact)
                    && !rows.told.iter().any(|(of, ..)| *of == contact)
                {
                    rows.told.push((contact, *n, *by_mail));
                }
            }
            for words in rows.words.values_mut() {
                words.name = words.name.take().map(|name| name.chars().take(NAME_CHARS_MAX).collect());
            }
            let kept = keep(&rows, by);
            for notice in &kept.notices {
                if let (Some(contact), Ok(given)) = (notice.contact, &notice.told) {
                    let (n, by_mail) = told.entry(contact).or_default();
                    *n += 1;
                    *by_mail += u32::from(given.is_mail && notice.kind == NoticeKind::Acknowledged);
                }
            }
            all.push(kept);
        }
        all
    }

    /// The delivery by which a customer is told something, or agents that he could not be. Nobody hears of what nobody needs to
    /// do anything about.
    fn event(&self, tenant: &str, ticket: TicketId, notice: &Notice, now: Timestamp) -> Option<NewRawEvent> {
        let Notice { kind, message, told, .. } = notice;
        let ticket = ticket.to_string();
        let (key, text, to, is_note) = match told {
            Ok(told) => (format!("{}:{message}", kind.as_str()), told.text.clone(), told.to.as_deref(), false),
            Err(Withheld::Obstacle(obstacle)) if is_for_agents(*kind, *obstacle) => {
                let text = format!("{} {}", not_told(*kind), obstacle.says());
                (format!("{}:{message}:{}", kind.as_str(), obstacle.code()), text, None, true)
            }
            Err(_) => return None,
        };
        let act = desk::GivenAct {
            key: &key,
            ticket: &ticket,
            is_note,
            text: &text,
            is_automatic: true,
            by: "",
            to,
            files: &[],
            at: now,
        };
        Some(NewRawEvent {
            tenant: tenant.to_owned(),
            channel: desk::API.to_owned(),
            kind: desk::KIND.name.to_owned(),
            received_at: now,
            trusted_at: Some(now),
            origin: "told by lanka itself".to_owned(),
            body: RawBody::Bytes(desk::given(&act).into()),
        })
    }
}

/// Whether an agent can do something about a customer who was not told: there is one, and he was written to before.
fn is_for_agents(kind: NoticeKind, obstacle: Obstacle) -> bool {
    kind != NoticeKind::Acknowledged && !matches!(obstacle, Obstacle::Nobody | Obstacle::CallBack)
}

/// What agents are told of a customer who was not.
fn not_told(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Acknowledged => "The customer was not told that his matter was received.",
        NoticeKind::Taken => "The customer was not told that somebody has his matter.",
        NoticeKind::Awaited => "The customer was not told that he is waited for.",
        NoticeKind::Solved => "The customer was not told that his matter is done.",
    }
}

fn count(kept: &[Kept], notices: &[(TicketId, &Notice)]) {
    use crate::pure::decide::keep::Aloud;
    for (aloud, clock) in kept.iter().flat_map(|kept| &kept.aloud) {
        let clock = clock.kind.as_str();
        match aloud {
            Aloud::Warned => metrics::counter!("lanka_clock_warned_total", "clock" => clock).increment(1),
            Aloud::Breached => metrics::counter!("lanka_clock_breached_total", "clock" => clock).increment(1),
        }
    }
    for (ticket, notice) in notices {
        let kind = notice.kind.as_str();
        match &notice.told {
            Ok(told) => {
                metrics::counter!("lanka_notices_given_total", "kind" => kind, "channel" => told.channel.clone())
                    .increment(1);
            }
            Err(why) => {
                metrics::counter!("lanka_notices_withheld_total", "kind" => kind, "why" => why.code()).increment(1);
                tracing::debug!(ticket.id = %ticket, kind, why = why.code(), "a customer is not told");
            }
        }
    }
}
