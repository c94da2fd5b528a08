//! Ready answers: their files kept in step with the database, what fits offered, what was used counted.
//!
//! Two things in one loop: every second what was said is looked at, every minute whether files changed. What customers
//! said is held against the answers, and agents are told of those that fit well; what agents said is held against their
//! sentences.
//!
//! **Invariant:** nothing is sent to a customer here. A file that is wrong is said aloud and left out; what was said of it
//! before stays out too, for nobody knows whether it is meant still.

use crate::config::{ReadyAnswers, ready};
use crate::pure::decide::ready::NOTE_SCORE_MIN;
use crate::pure::decide::ready_use::{Said, Sentences};
use crate::pure::domain::Timestamp;
use crate::pure::domain::decision::Told;
use crate::pure::domain::outbox::Change;
use crate::pure::domain::ready::Offered;
use crate::shell::registry::Registry;
use crate::shell::store::ready::{self as stored, Asked, Look};
use crate::shell::store::{Store, StoreError};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use uuid::Uuid;

/// Messages looked at in one transaction.
const LOOKS_MAX: i64 = 100;

/// How often it is looked whether something was said.
const POLL: Duration = Duration::from_secs(1);

/// What was said longer ago is history: nobody is told what would answer it.
const ASKED_AGO_MAX: jiff::SignedDuration = jiff::SignedDuration::from_hours(72);

/// The loop of one process.
#[derive(Clone)]
pub struct Ready {
    store: Store,
    registry: Arc<Registry>,
    settings: ReadyAnswers,
}

impl Ready {
    /// A loop over a store.
    pub fn new(store: Store, registry: Arc<Registry>, settings: ReadyAnswers) -> Self {
        Self { store, registry, settings }
    }

    /// Works until told to stop.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let (mut seen, mut looked) = (None, None::<Instant>);
        while !*stop.borrow() {
            if looked.is_none_or(|at| at.elapsed() >= self.settings.look_every) {
                match self.keep_step(seen.take()).await {
                    Ok(now) => (seen, looked) = (Some(now), Some(Instant::now())),
                    Err(error) => {
                        tracing::warn!(code = "ready_answers_failed", %error, "ready answers could not be written down; trying again");
                    }
                }
            }
            if let Err(error) = self.until_idle().await {
                tracing::warn!(code = "ready_answers_failed", %error, "what was said could not be held against ready answers; trying again");
            }
            tokio::select! {
                () = tokio::time::sleep(POLL.min(self.settings.look_every)) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Reads the directory if it holds anything else than it did.
    async fn keep_step(&self, before: Option<ready::Seen>) -> Result<ready::Seen, StoreError> {
        let dir = self.settings.dir.clone();
        let look = move || dir.map(|dir| ready::seen(&dir).0).unwrap_or_default();
        let now = tokio::task::spawn_blocking(look).await.unwrap_or_default();
        if before.as_ref() != Some(&now) {
            self.read().await?;
        }
        Ok(now)
    }

    /// Reads the directory, and writes down what it holds.
    pub async fn read(&self) -> Result<(), StoreError> {
        let dir = self.settings.dir.clone();
        let read = move || dir.as_deref().map(ready::read).unwrap_or_default();
        let read = tokio::task::spawn_blocking(read).await.unwrap_or_default();
        for problem in &read.problems {
            tracing::warn!(
                code = "ready_answer_wrong",
                file = problem.file,
                line = problem.line,
                "{problem}: it is left out"
            );
        }
        let is_away =
            |dir: &std::path::Path| read.problems.iter().any(|problem| problem.file == dir.display().to_string());
        // A directory that is not there for a moment holds what it held.
        if read.answers.is_empty() && self.settings.dir.as_deref().is_some_and(is_away) {
            return Ok(());
        }
        let written = self.store.put_ready_answers(&read.answers, Timestamp::now()).await?;
        if written != stored::Written::default() {
            let answers = read.answers.len();
            tracing::info!(answers, changed = written.changed, gone = written.gone, "read the ready answers");
        }
        Ok(())
    }

    /// Looks at everything that was said.
    pub async fn until_idle(&self) -> Result<(), StoreError> {
        let mut most = LOOKS_MAX;
        loop {
            match self.once(most).await {
                Ok(0) => return Ok(()),
                Ok(_) => most = LOOKS_MAX,
                Err(error) if error.is_outage() || error.is_race() => return Err(error),
                Err(_) if most > 1 => most = 1,
                Err(error) => {
                    let mut tx = self.store.begin().await?;
                    let looks = stored::take(&mut tx, 1).await?;
                    tx.commit().await?;
                    let message = looks.first().map(|look| tracing::field::display(look.message));
                    tracing::warn!(code = "ready_answers_failed", message.id = message, %error, "a message could not be held against ready answers: report it");
                }
            }
        }
    }

    /// Looks at some messages; how many.
    async fn once(&self, most: i64) -> Result<usize, StoreError> {
        let now = Timestamp::now();
        self.store.ensure_months([now].into_iter()).await?;
        let mut tx = self.store.begin().await?;
        let looks = stored::take(&mut tx, most).await?;
        if looks.is_empty() {
            return Ok(0);
        }
        self.count_use(&mut tx, &looks, now).await?;
        let told = self.offer(&mut tx, &looks, now).await?;
        tx.commit().await?;
        if told {
            self.store.deliver_wake.notify_one();
        }
        Ok(looks.len())
    }

    /// Which ready answers agents used.
    async fn count_use(&self, tx: &mut PgConnection, looks: &[Look], now: Timestamp) -> Result<(), StoreError> {
        let messages: Vec<Uuid> = looks.iter().map(|look| look.message.0).collect();
        let said = stored::agents_words(tx, &messages).await?;
        if said.is_empty() {
            return Ok(());
        }
        let answers = self.store.ready_answers().await?;
        let answers: Vec<_> =
            answers.into_iter().map(|(id, tenant, text)| (id, tenant, Sentences::of(&text))).collect();
        let mut uses = Vec::new();
        for words in &said {
            let whole = Said::of(&words.text);
            let its =
                answers.iter().filter(|(_, tenant, _)| tenant.as_ref().is_none_or(|tenant| *tenant == words.tenant));
            let used = its.filter(|(.., sentences)| sentences.are_in(&whole));
            uses.extend(used.map(|(id, ..)| (words.message, words.tenant.clone(), id.clone())));
        }
        stored::note_use(tx, &uses, "found", said.iter().map(|words| words.at).max().unwrap_or(now)).await
    }

    /// Offers what fits; whether any tool is told.
    async fn offer(&self, tx: &mut PgConnection, looks: &[Look], now: Timestamp) -> Result<bool, StoreError> {
        let tickets: BTreeSet<Uuid> = looks.iter().map(|look| look.ticket.0).collect();
        let tickets: Vec<Uuid> = tickets.into_iter().collect();
        let mut asked = stored::asked(tx, &tickets, self.store.reader.language.code()).await?;
        asked.retain(|asked| asked.waits && now.duration_since(asked.at) < ASKED_AGO_MAX);
        let offers = stored::offers(tx, &asked).await?;
        let fitting: Vec<(&Asked, &[Offered])> = asked
            .iter()
            .filter_map(|asked| Some((asked, offers.get(&asked.ticket)?.as_slice())))
            .filter(|(_, offers)| offers.first().is_some_and(|best| best.score >= NOTE_SCORE_MIN))
            .collect();
        if fitting.is_empty() {
            return Ok(false);
        }
        let new = stored::note_offers(tx, &fitting, now).await?;
        if !self.settings.note {
            return Ok(false);
        }
        let mut by_tenant: BTreeMap<&str, Vec<Told>> = BTreeMap::new();
        for (asked, offers) in fitting.iter().filter(|(asked, _)| new.contains(&asked.ticket)) {
            by_tenant.entry(asked.tenant.as_str()).or_default().push(told(asked, offers));
        }
        let mut any = false;
        for (name, told) in by_tenant {
            let Some(tenant) = self.registry.tenants.get(name) else { continue };
            let mirrors: Vec<String> =
                tenant.policy.mirrors.iter().filter(|mirror| !self.settings.not_in.contains(mirror)).cloned().collect();
            any |= stored::tell(&self.store, tx, (name, &mirrors), told, now).await?;
        }
        Ok(any)
    }
}

/// What tools are told: ids and scores. The texts are read when it is sent.
fn told(asked: &Asked, offers: &[Offered]) -> Told {
    let each = |offered: &Offered| serde_json::json!({ "id": offered.id, "score": offered.score });
    let detail = serde_json::json!({ "answers": offers.iter().map(each).collect::<Vec<_>>() });
    Told {
        message: Some(asked.message),
        detail: Some(detail.to_string()),
        ..Told::of(Change::AnswersOffered, asked.ticket)
    }
}
