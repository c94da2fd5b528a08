//! Answers that agents give by way of the API: on their way in they are deliveries like any other.
//!
//! What is given is stored first, as a raw event of lanka's own channel ([`desk::API`]), and decided with everything else:
//! a crash at any instant loses nothing and sends nothing twice. Whoever gave it waits for the decision, for as long as he
//! likes: asked again under the same key, he is told what became of it.
//!
//! **Invariant:** under one key of one token there is one answer.

use crate::pure::channels::desk;
use crate::pure::decide::answer::{Wanted, route, view};
use crate::pure::decide::lookup::seen_scope;
use crate::pure::decide::template;
use crate::pure::domain::Timestamp;
use crate::pure::domain::answer::{AddressView, AnswerView, CarriedFile, Obstacle};
use crate::pure::domain::id::{MessageId, RawEventId, TicketId};
use crate::shell::content::ContentHash;
use crate::shell::registry::Registry;
use crate::shell::store::raw_event::{NewRawEvent, RawBody};
use crate::shell::store::{Store, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// Between two looks whether an answer is decided on: from the first, doubled up to the last.
const LOOK_MIN: Duration = Duration::from_millis(10);
const LOOK_MAX: Duration = Duration::from_millis(250);

/// An answer, or a note for colleagues.
#[derive(Debug, Clone)]
pub struct Giving {
    /// The firm.
    pub tenant: String,
    /// What tells it from others.
    pub key: String,
    /// The ticket it is on.
    pub ticket: TicketId,
    /// The words.
    pub text: String,
    /// Who wrote it.
    pub by: String,
    /// The address or channel that he picked.
    pub to: Option<String>,
    /// For colleagues: no customer sees it.
    pub is_note: bool,
    /// Files that go along.
    pub files: Vec<CarriedFile>,
}

/// Something that is done with a ticket.
#[derive(Debug, Clone, Copy)]
pub struct Acting<'a> {
    /// The firm.
    pub tenant: &'a str,
    /// What tells it from others.
    pub key: &'a str,
    /// The ticket.
    pub ticket: TicketId,
    /// What is done.
    pub what: desk::Doing<'a>,
    /// Who does it.
    pub by: &'a str,
}

/// Why an answer was not taken.
#[derive(Debug, thiserror::Error)]
pub enum GiveError {
    /// It would go nowhere. Nothing is stored.
    #[error("{}", .0.says())]
    Nowhere(Obstacle),
    /// The key was used for something else.
    #[error("this key was used for another answer")]
    KeyReused,
    /// It is stored, and not decided yet.
    #[error("the answer is taken, and not decided yet")]
    Undecided,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of an answer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Given {
    /// The agent's message.
    pub message: MessageId,
    /// The ticket it is on.
    pub ticket: Option<TicketId>,
    /// How far it came, once it has been sent: `sent`, `delivered`, `read`, `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    /// Why it came no further.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress_why: Option<String>,
    /// Where it goes; left out for a note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<AddressView>,
    /// It was given before, under the same key.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub already: bool,
}

/// Takes answers in. Cheap to clone.
#[derive(Clone)]
pub struct Answers {
    store: Store,
    registry: Arc<Registry>,
}

impl Answers {
    /// Over a store.
    pub fn new(store: Store, registry: Arc<Registry>) -> Self {
        Self { store, registry }
    }

    /// Where an answer on a ticket would go now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn view(&self, tenant: &str, ticket: TicketId) -> Result<Option<AnswerView>, StoreError> {
        let desk = self.store.desk_of(tenant, ticket).await?;
        let ways = |channel: &str| self.registry.way(tenant, channel);
        Ok(desk.map(|desk| view(&desk.heard, &ways, Timestamp::now())))
    }

    /// Takes an answer in, and waits until it is decided on, at most `wait`.
    ///
    /// # Errors
    /// [`GiveError`]. But for [`GiveError::Undecided`], nothing was taken.
    pub async fn give(&self, giving: &Giving, wait: Duration) -> Result<Given, GiveError> {
        if let Some(given) = self.given(giving).await? {
            return Ok(Given { already: true, ..given });
        }
        if !giving.is_note {
            let desk = self.store.desk_of(&giving.tenant, giving.ticket).await?;
            let heard = desk.map(|desk| desk.heard).unwrap_or_default();
            let ways = |channel: &str| self.registry.way(&giving.tenant, channel);
            let wanted =
                Wanted { picked: giving.to.as_deref(), text: &giving.text, has_files: !giving.files.is_empty() };
            route(&heard, wanted, &ways, Timestamp::now()).map_err(GiveError::Nowhere)?;
        }
        self.record(giving).await?;
        let began = tokio::time::Instant::now();
        let mut look = LOOK_MIN;
        while began.elapsed() < wait {
            if let Some(given) = self.given(giving).await? {
                return Ok(given);
            }
            tokio::time::sleep(look).await;
            look = (look * 2).min(LOOK_MAX);
        }
        Err(GiveError::Undecided)
    }

    /// Takes in what is done with a ticket, and waits until it is decided on, at most `wait`. Under one key it is done once.
    ///
    /// # Errors
    /// [`GiveError`].
    pub async fn act(&self, acting: &Acting<'_>, wait: Duration) -> Result<(), GiveError> {
        let Acting { tenant, key, ticket, what, by } = *acting;
        let delivery = self.record_act((tenant, key), ticket, what, by).await?;
        let began = tokio::time::Instant::now();
        let mut look = LOOK_MIN;
        while self.store.waiting_of(&delivery).await? > 0 {
            if began.elapsed() >= wait {
                return Err(GiveError::Undecided);
            }
            tokio::time::sleep(look).await;
            look = (look * 2).min(LOOK_MAX);
        }
        Ok(())
    }

    /// Stores what is done with a ticket. Gives the delivery that it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_act(
        &self,
        (tenant, key): (&str, &str),
        ticket: TicketId,
        what: desk::Doing<'_>,
        by: &str,
    ) -> Result<Vec<RawEventId>, StoreError> {
        let now = Timestamp::now();
        let ticket = ticket.to_string();
        let body = desk::done(&desk::DoneAct { key, ticket: &ticket, what, by, at: now });
        self.store.record(&[of_api(tenant, now, body)], None).await
    }

    async fn record(&self, giving: &Giving) -> Result<(), StoreError> {
        let Giving { tenant, key, ticket, text, by, to, is_note, files } = giving;
        let now = Timestamp::now();
        let ticket = ticket.to_string();
        let act = desk::GivenAct {
            key,
            ticket: &ticket,
            is_note: *is_note,
            text,
            is_automatic: false,
            by,
            to: to.as_deref(),
            files,
            at: now,
        };
        let body = desk::given(&act);
        self.store.record(&[of_api(tenant, now, body)], None).await.map(drop)
    }

    /// What was given under the key, if anything was.
    async fn given(&self, giving: &Giving) -> Result<Option<Given>, GiveError> {
        let Some(tenant) = self.registry.tenants.get(&giving.tenant) else { return Ok(None) };
        let (namespace, variant) = desk::of_given(giving.is_note);
        let key = tenant.keyer.seen(&namespace, &giving.key, variant);
        let Some(found) = self.store.answer_given(&seen_scope(&giving.tenant, &namespace), key).await? else {
            return Ok(None);
        };
        let is_said = |text: &str| match &found.template {
            Some(template) => template::is_of(&giving.text, template),
            None => text == giving.text,
        };
        let files: Vec<ContentHash> = giving.files.iter().map(|file| ContentHash::of(&file.bytes)).collect();
        let is_other = (found.text.is_some() && found.files != files)
            || found.text.as_deref().is_some_and(|text| !is_said(text))
            || match found.given.ticket {
                Some(ticket) if ticket != giving.ticket => self.now(giving).await? != Some(ticket),
                _ => false,
            };
        if is_other { Err(GiveError::KeyReused) } else { Ok(Some(found.given)) }
    }

    /// The ticket that the one it was given on is by now: it may have been joined into another.
    async fn now(&self, giving: &Giving) -> Result<Option<TicketId>, StoreError> {
        self.store.ticket_in(&giving.tenant, &giving.ticket.to_string()).await
    }
}

/// A delivery of lanka's own channel.
fn of_api(tenant: &str, now: Timestamp, body: Vec<u8>) -> NewRawEvent {
    NewRawEvent {
        tenant: tenant.to_owned(),
        channel: desk::API.to_owned(),
        kind: desk::KIND.name.to_owned(),
        received_at: now,
        trusted_at: Some(now),
        origin: "given by way of the API".to_owned(),
        body: RawBody::Bytes(body.into()),
    }
}
