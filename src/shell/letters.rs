//! Letters: reports and what gathers dust, written to the desk's own people by the clock, and sent.
//!
//! A letter is of a day. It is written down when it is due, for each recipient, with the mail that is sent: whoever writes it
//! first has written it, so that several daemons write one, and a restart none twice. Of days that passed while no daemon ran
//! the latest is made up for.
//!
//! **Invariants:** no transaction is open while something is sent. A letter is sent at least once, each time the same: a
//! server's answer that is lost brings it again under one Message-ID. Logs name letters and firms, never an address.

use crate::pure::channels::Reply;
use crate::pure::decide::dust;
use crate::pure::domain::Timestamp;
use crate::pure::domain::answer::CarriedFile;
use crate::pure::domain::dust::{Dust, DustCount, DustKind};
use crate::pure::domain::letter::{Letter, LetterAbout, LetterPlan};
use crate::pure::domain::outbox::Alert;
use crate::pure::domain::period::Period;
use crate::pure::domain::report::{Report, ReportOf};
use crate::pure::wire::mail_answer::Meaning;
use crate::pure::wire::mail_write;
use crate::pure::wire::step::OutgoingMail;
use crate::shell::Clock;
use crate::shell::alerts::{Alerts, Tool};
use crate::shell::carriers::http::HttpCarrier;
use crate::shell::carriers::mail::MailCarrier;
use crate::shell::registry::{Registry, Tenant};
use crate::shell::report::{self, Writing};
use crate::shell::store::letter::{ClaimedLetter, NewLetter};
use crate::shell::store::outbox::Settled;
use crate::shell::store::{Store, StoreError};
use jiff::SignedDuration;
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The alert of a letter that somebody will not get.
pub const LETTER_DEAD: &str = "letter_dead";

/// How often it is looked what is due.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// How long a claim holds: longer than a mail server may take.
const CLAIM: SignedDuration = SignedDuration::from_mins(15);

/// Waits after failures: doubled from the first to the last, for so long.
const WAIT_FIRST: SignedDuration = SignedDuration::from_mins(1);
const WAIT_MAX: SignedDuration = SignedDuration::from_hours(1);
const AGE_MAX: SignedDuration = SignedDuration::from_hours(48);

/// How long one that could not be written is let be: a report may take the database long.
const HELD: SignedDuration = SignedDuration::from_mins(5);

/// Things that gather dust that one letter lists.
const DUST_LINES_MAX: i64 = 100;

/// Characters of a title and owner in it.
const LINE_CHARS_MAX: usize = 100;

/// Begins a recipient that is a mirror.
const MIRROR: &str = "mirror:";

/// Why a letter could not be written.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The page or the mail could not be put together.
    #[error("it cannot be written: {0}")]
    Written(String),
}

/// The loop of one process.
#[derive(Clone)]
pub struct Letters {
    shared: Arc<Shared>,
    clock: Clock,
}

struct Shared {
    store: Store,
    registry: Arc<Registry>,
    plans: Vec<LetterPlan>,
    tools: Vec<Tool>,
    mails: MailCarrier,
    carrier: HttpCarrier,
    alerts: Alerts,
    /// Letters that could not be written, and until when they are let be.
    held: Mutex<BTreeMap<String, Timestamp>>,
}

/// What a letter says.
struct Content {
    subject: String,
    text: String,
    files: Vec<CarriedFile>,
    /// For mirrors: numbers of tickets, no words of customers.
    short: String,
}

impl Letters {
    /// A loop over a store.
    pub fn new(
        store: Store,
        registry: Arc<Registry>,
        plans: Vec<LetterPlan>,
        (tools, carrier, alerts): (Vec<Tool>, HttpCarrier, Alerts),
    ) -> Self {
        let mails = MailCarrier::default();
        let shared = Shared { store, registry, plans, tools, mails, carrier, alerts, held: Mutex::default() };
        Self { shared: Arc::new(shared), clock: Arc::new(Timestamp::now) }
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Writes and sends until told to stop.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            self.look().await;
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Writes what is due, and sends what is written. What fails is tried at the next look.
    pub async fn look(&self) {
        for plan in &self.shared.plans {
            if self.held().get(&plan.name).is_some_and(|until| (self.clock)() < *until) {
                continue;
            }
            if let Err(error) = self.write(plan).await {
                self.held().insert(plan.name.clone(), later((self.clock)(), HELD));
                tracing::warn!(code = "letter_not_written", letter = plan.name, %error, "a letter could not be written; trying again");
            }
        }
        if let Err(error) = self.send().await {
            tracing::warn!(code = "letters_not_sent", %error, "letters wait to be sent; trying again");
        }
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Timestamp>> {
        // Whole whatever happened while it was locked.
        self.shared.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the letter that is due, unless it was written. Gives for how many.
    async fn write(&self, plan: &LetterPlan) -> Result<u64, LetterError> {
        let (now, store) = ((self.clock)(), &self.shared.store);
        let Some(tenant) = self.shared.registry.tenants.get(&plan.tenant) else { return Ok(0) };
        let (slot, due) = plan.slot(&tenant.policy.time_zone, now);
        if due <= store.letter_since(&plan.tenant, &plan.name, now).await?
            || store.is_written(&plan.tenant, &plan.name, slot).await?
        {
            return Ok(0);
        }
        let of = (plan.tenant.as_str(), plan.name.as_str(), slot);
        let id = || store.next_id::<uuid::Uuid>(now);
        match self.content(plan, tenant, slot, now).await? {
            None => {
                store.put_no_letter(of, id(), now).await?;
                Ok(0)
            }
            Some(content) => {
                let letters = self.letters(plan, &content, id, now)?;
                Ok(store.put_letters(of, &letters, now).await?)
            }
        }
    }

    /// Sends the letter of the period that ended last to everybody, whatever was sent before. Gives how many got it, and what was
    /// said of those who did not.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn try_out(&self, plan: &LetterPlan) -> Result<(usize, Vec<String>), LetterError> {
        let now = (self.clock)();
        let Some(tenant) = self.shared.registry.tenants.get(&plan.tenant) else { return Ok((0, Vec::new())) };
        let (slot, _) = plan.slot(&tenant.policy.time_zone, now);
        let Some(content) = self.content(plan, tenant, slot, now).await? else { return Ok((0, Vec::new())) };
        let letters = self.letters(plan, &content, || self.shared.store.next_id::<uuid::Uuid>(now), now)?;
        let (mut taken, mut whys) = (0, Vec::new());
        for letter in letters {
            let NewLetter { id, recipient, body } = letter;
            let (tenant, name) = (plan.tenant.clone(), plan.name.clone());
            let claimed = ClaimedLetter { id, tenant, name, recipient, body, attempt: 1, made_at: now };
            match self.attempt(&claimed, now).await {
                Meaning::Taken => taken += 1,
                Meaning::Again(why) | Meaning::Refused(why) => whys.push(why),
            }
        }
        Ok((taken, whys))
    }

    /// What it says; `None` where there is nothing to tell.
    async fn content(
        &self,
        plan: &LetterPlan,
        tenant: &Tenant,
        slot: Date,
        now: Timestamp,
    ) -> Result<Option<Content>, LetterError> {
        let writing = Writing { language: plan.language, zone: tenant.policy.time_zone.clone() };
        let period = plan.period(slot);
        match &plan.about {
            LetterAbout::Report { organisations, with_texts } => {
                let of = ReportOf {
                    tenant: plan.tenant.clone(),
                    organisations: organisations.clone(),
                    period,
                    with_texts: *with_texts,
                };
                let made = report::make(&self.shared.store, &of, tenant, now).await?;
                Ok(Some(of_report(&made, &writing)?))
            }
            LetterAbout::Dust => {
                let (from, to) = Period { first: slot, end: slot.tomorrow().unwrap_or(slot) }.instants(&writing.zone);
                if tenant.service.hours.worked(from, to).is_zero() {
                    return Ok(None);
                }
                let since = dust::since(&tenant.dust, &tenant.service.hours, now);
                let firm = std::slice::from_ref(&plan.tenant);
                let (lines, counts) = self.shared.store.dust(firm, &DustKind::ALL, &since, DUST_LINES_MAX).await?;
                Ok((!lines.is_empty()).then(|| of_dust(&lines, &counts, slot, &writing)))
            }
        }
    }

    /// A letter for each recipient.
    fn letters(
        &self,
        plan: &LetterPlan,
        content: &Content,
        mut id: impl FnMut() -> uuid::Uuid,
        now: Timestamp,
    ) -> Result<Vec<NewLetter>, LetterError> {
        let channel = plan.channel.as_ref().and_then(|name| self.shared.registry.channels.get(name));
        let mut letters = Vec::with_capacity(plan.to.len() + plan.mirrors.len());
        for to in &plan.to {
            let id = id();
            let letter = Letter {
                key: id.simple().to_string(),
                at: now,
                to: to.clone(),
                subject: content.subject.clone(),
                text: content.text.clone(),
                files: content.files.clone(),
            };
            let written = channel.and_then(|channel| channel.answers()?.letter(&letter));
            let mail = written.ok_or_else(|| LetterError::Written("no channel sends mail".to_owned()))?;
            let OutgoingMail { mail, .. } = mail.map_err(LetterError::Written)?;
            letters.push(NewLetter { id, recipient: to.clone(), body: mail });
        }
        for mirror in &plan.mirrors {
            let recipient = format!("{MIRROR}{mirror}");
            letters.push(NewLetter { id: id(), recipient, body: content.short.clone().into_bytes() });
        }
        Ok(letters)
    }

    /// Sends what is due.
    async fn send(&self) -> Result<(), StoreError> {
        let store = &self.shared.store;
        loop {
            let now = (self.clock)();
            let Some(letter) = store.claim_letter(now, later(now, CLAIM)).await? else { break };
            let settled = settled(self.attempt(&letter, now).await, &letter, now);
            let outcome = match &settled {
                Settled::Delivered => "delivered",
                Settled::Again { .. } => "again",
                Settled::Dead { .. } => "dead",
            };
            metrics::counter!("lanka_letters_total", "letter" => letter.name.clone(), "outcome" => outcome)
                .increment(1);
            match &settled {
                Settled::Delivered => {}
                Settled::Again { why, .. } => {
                    tracing::info!(letter = letter.name, attempt = letter.attempt, why, "a letter is sent again later");
                }
                Settled::Dead { why } => self.shared.alerts.onset(
                    LETTER_DEAD,
                    &letter.name,
                    format!(
                        "Somebody does not get it: {why}. Correct letters.{}, then try `lanka letter send {}`.",
                        letter.name, letter.name
                    ),
                ),
            }
            if store.settle_letter(letter.id, letter.attempt, &settled, now).await? {
                self.shared.alerts.recovered(LETTER_DEAD, &letter.name);
            }
        }
        store.forget_letters((self.clock)()).await
    }

    /// Hands it over, and says what the other side means.
    async fn attempt(&self, letter: &ClaimedLetter, now: Timestamp) -> Meaning {
        match letter.recipient.strip_prefix(MIRROR) {
            Some(mirror) => self.post(letter, mirror, now).await,
            None => self.mail(letter).await,
        }
    }

    async fn mail(&self, letter: &ClaimedLetter) -> Meaning {
        let plan = self.shared.plans.iter().find(|plan| plan.name == letter.name && plan.tenant == letter.tenant);
        let channel = plan.and_then(|plan| self.shared.registry.channels.get(plan.channel.as_ref()?));
        let Some(server) = channel.and_then(|channel| channel.answers()?.mail_server()) else {
            return Meaning::Refused("it is not configured any more".to_owned());
        };
        let mail = OutgoingMail { from: None, to: letter.recipient.clone(), mail: letter.body.clone() };
        match self.shared.mails.send(Some(server), mail).await {
            Ok(reply) => Meaning::of(&reply),
            Err(error) => Meaning::Again(error.to_string()),
        }
    }

    async fn post(&self, letter: &ClaimedLetter, mirror: &str, now: Timestamp) -> Meaning {
        let Some(tool) = self.shared.tools.iter().find(|tool| tool.name == mirror) else {
            return Meaning::Refused(format!("there is no mirror {mirror} any more"));
        };
        let alert = Alert {
            code: "letter".to_owned(),
            subject: letter.name.clone(),
            active: true,
            message: String::from_utf8_lossy(&letter.body).into_owned(),
            since: letter.made_at,
        };
        let Some(request) = tool.mirror.alert(&alert, &letter.id.to_string(), now) else {
            return Meaning::Refused(format!("mirror {mirror} takes no alerts"));
        };
        match self.shared.carrier.send(request).await {
            Ok(Reply { status: 200..=299, .. }) => Meaning::Taken,
            Ok(Reply { status, .. }) => Meaning::Again(format!("mirror {mirror} answers {status}")),
            Err(error) => Meaning::Again(format!("mirror {mirror}: {error}")),
        }
    }
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(now)
}

/// What follows from what the other side means.
fn settled(meaning: Meaning, letter: &ClaimedLetter, now: Timestamp) -> Settled {
    match meaning {
        Meaning::Taken => Settled::Delivered,
        Meaning::Refused(why) => Settled::Dead { why },
        Meaning::Again(why) if now.duration_since(letter.made_at) > AGE_MAX => Settled::Dead { why },
        Meaning::Again(why) => {
            let doubled = u32::try_from(letter.attempt - 1).unwrap_or(0).min(6);
            Settled::Again { due_at: later(now, (WAIT_FIRST * (1 << doubled)).min(WAIT_MAX)), why }
        }
    }
}

/// The report as a letter: its figures in the text, the whole as a page.
fn of_report(made: &Report, writing: &Writing) -> Result<Content, LetterError> {
    let say = |name| report::say(writing.language, name);
    let whose = match made.organisations.as_slice() {
        [] => made.tenant.clone(),
        some => some.join(", "),
    };
    let subject = format!("{} {whose} {}", say("report"), writing.period(&made.period));
    let mut text = format!("{subject}\n\n");
    text.push_str(&format!("{}: {} ({} {})\n", say("tickets"), made.tickets, say("before"), made.tickets_before));
    text.push_str(&format!("{}: {}\n", say("closed"), made.closed));
    for count in &made.kinds {
        text.push_str(&format!("- {}: {}\n", say(&count.name), count.tickets));
    }
    for promised in &made.promises {
        let kept = promised.kept_percent().map_or_else(|| "–".to_owned(), |percent| format!("{percent} %"));
        text.push_str(&format!(
            "{}: {kept}, {} {}, {} {}\n",
            say(promised.clock.as_str()),
            say("median"),
            writing.lasted(promised.median_s, false),
            say("breached"),
            promised.breached
        ));
    }
    text.push_str(&format!("\n{}\n", say("attached")));
    let page = report::page(made, writing).map_err(|error| LetterError::Written(error.to_string()))?;
    let file = CarriedFile {
        name: format!("report-{}.html", made.period),
        media_type: "text/html; charset=utf-8".to_owned(),
        bytes: page.into_bytes().into(),
    };
    let promises =
        made.promises.iter().filter_map(|of| Some(format!("{} {} %", say(of.clock.as_str()), of.kept_percent()?)));
    let figures = [format!("{} {}", made.tickets, say("tickets").to_lowercase())].into_iter().chain(promises);
    let short = format!("{subject}: {}", figures.collect::<Vec<_>>().join(", "));
    Ok(Content { subject, text, files: vec![file], short })
}

/// What gathers dust as a letter: how much of each kind, then the oldest, kind by kind.
fn of_dust(lines: &[Dust], counts: &[DustCount], slot: Date, writing: &Writing) -> Content {
    let say = |name| report::say(writing.language, name);
    let some = || counts.iter().filter(|count| count.count > 0);
    let each: Vec<String> = some().map(|of| format!("{} {}", of.count, say(of.kind.as_str()))).collect();
    let subject = format!("{} {}: {}", say("dust"), writing.day(slot), each.join(", "));
    let (mut text, mut short) = (format!("{}\n", say("dust_is")), subject.clone());
    for of in some() {
        let of_kind: Vec<&Dust> = lines.iter().filter(|line| line.kind == of.kind).collect();
        text.push_str(&format!(
            "\n{}: {}. {}\n",
            say(of.kind.as_str()),
            of.count,
            report::advice(writing.language, of.kind)
        ));
        for line in &of_kind {
            let what = line.number.map(|number| format!("#{number}")).or(line.item.clone()).unwrap_or_default();
            let rest =
                [line.title.as_deref(), line.owner.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(", ");
            text.push_str(&format!(
                "  {what}  {}  {}\n",
                writing.at(line.since),
                mail_write::line(&rest, LINE_CHARS_MAX)
            ));
        }
        if i64::try_from(of_kind.len()).is_ok_and(|shown| shown < of.count) {
            text.push_str(&format!("  {}: lanka dust --kind {}\n", say("and_more"), of.kind.as_str()));
        }
        let numbers: Vec<String> =
            of_kind.iter().filter_map(|line| Some(format!("#{}", line.number?))).take(10).collect();
        if !numbers.is_empty() {
            short.push_str(&format!("; {} {}", say(of.kind.as_str()), numbers.join(" ")));
        }
    }
    Content { subject, text, files: Vec::new(), short }
}
