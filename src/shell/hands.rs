//! What people say by hand about who is who and which message is on which ticket, carried out.
//!
//! Each act writes a word ([`store::hands`]), in one transaction, and has those concerned decided on anew by the code
//! that decides on late evidence ([`Reconsider`]); a daemon may run beside it. Commands and the API call it.
//!
//! **Invariant:** nobody is joined, split or moved by anything but [`Reconsider`]; mirrors are told by it.
//!
//! [`store::hands`]: crate::shell::store::hands

use crate::pure::domain::Timestamp;
use crate::pure::domain::id::*;
use crate::shell::reconsider::Reconsider;
use crate::shell::registry::Registry;
pub use crate::shell::store::hands::{ActError, Classifying, ContactEnd, Saying, TicketEnd};
use crate::shell::store::hands::{Answer, Messages, Put, Putting, Written};
use crate::shell::store::{Store, StoreError};
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Messages that are named when a vendor's id is not unique.
const NAMED_MAX: i64 = 10;

/// Characters of who did it that are kept.
pub const BY_CHARS_MAX: usize = 100;

/// Characters of why that are kept.
pub const WHY_CHARS_MAX: usize = 1_000;

/// Who carries acts out.
#[derive(Clone)]
pub struct Hands {
    store: Store,
    registry: Arc<Registry>,
    reconsider: Reconsider,
}

/// What came of an act.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Its place in the journal; for an answer that changes nothing, the suggestion.
    pub id: EventId,
    /// `link`, `unlink`, `move`, `merge`, `split`, `classify`, `accept` or `reject`.
    pub act: &'static str,
    /// Who did it.
    pub by: String,
    /// Why.
    pub why: String,
    /// The act that it took back: it was the opposite of the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub takes_back: Option<EventId>,
    /// The contacts concerned, as they stand now.
    pub contacts: Vec<ContactEnd>,
    /// The tickets concerned, as they stand now.
    pub tickets: Vec<TicketEnd>,
}

impl Hands {
    /// Hands over a store.
    pub fn new(store: Store, registry: Arc<Registry>) -> Self {
        Self { reconsider: Reconsider::new(store.clone(), registry.clone()), registry, store }
    }

    /// Two contacts are one person: each named by its id, one that was merged away, or that of an identity.
    pub async fn link(&self, one: &str, other: &str, saying: Saying<'_>) -> Result<Outcome, ActError> {
        let written = self.store.say_same((one, other), saying, Timestamp::now()).await?;
        self.carry_out("link", saying, written).await
    }

    /// Identities of a contact (their ids, or as `mailto:…`) are not the same person's as the rest of it.
    pub async fn unlink(&self, contact: &str, identities: &[String], saying: Saying<'_>) -> Result<Outcome, ActError> {
        let written = self.store.say_apart(contact, identities, saying, Timestamp::now()).await?;
        self.carry_out("unlink", saying, written).await
    }

    /// Says what kind of matter a ticket is and how soon it must be seen to, or takes that back.
    pub async fn classify(&self, ticket: &str, what: &Classifying, saying: Saying<'_>) -> Result<Outcome, ActError> {
        let ticket = self.ticket(ticket).await?;
        let mirrors = |tenant: &str| {
            self.registry.tenants.get(tenant).map(|tenant| tenant.policy.mirrors.clone()).unwrap_or_default()
        };
        let written = self.store.classify(ticket, what, saying, mirrors, Timestamp::now()).await?;
        self.outcome("classify", saying, written).await
    }

    /// Puts messages (lanka's ids, or the vendors') on a ticket (its id, an alias, its short number).
    pub async fn move_to(&self, messages: &[String], ticket: &str, saying: Saying<'_>) -> Result<Outcome, ActError> {
        let (messages, ticket) = (self.messages(messages).await?, self.ticket(ticket).await?);
        self.put("move", Messages::Named(messages), Put::On(ticket), saying).await
    }

    /// Puts all that is on one ticket on another, whose id stays.
    pub async fn merge(&self, from: &str, into: &str, saying: Saying<'_>) -> Result<Outcome, ActError> {
        let (from, into) = (self.ticket(from).await?, self.ticket(into).await?);
        self.put("merge", Messages::Of(from), Put::On(into), saying).await
    }

    /// Puts messages on a ticket of their own.
    pub async fn split(&self, messages: &[String], saying: Saying<'_>) -> Result<Outcome, ActError> {
        let messages = self.messages(messages).await?;
        self.put("split", Messages::Named(messages), Put::Apart, saying).await
    }

    /// Joins what a suggestion would join.
    pub async fn accept(&self, id: &str, saying: Saying<'_>) -> Result<Outcome, ActError> {
        let written = self.store.answer(suggestion(id)?, Answer::Accept, saying, Timestamp::now()).await?;
        self.carry_out("accept", saying, written).await
    }

    /// Keeps apart what a suggestion would join. It is not suggested again.
    pub async fn reject(&self, id: &str, saying: Saying<'_>) -> Result<Outcome, ActError> {
        let written = self.store.answer(suggestion(id)?, Answer::Reject, saying, Timestamp::now()).await?;
        self.carry_out("reject", saying, written).await
    }

    async fn put(
        &self,
        act: &'static str,
        messages: Messages,
        put: Put,
        saying: Saying<'_>,
    ) -> Result<Outcome, ActError> {
        let mut putting = Putting { act, messages, put, may_take_back: true };
        let mut written = self.store.put(&putting, saying, Timestamp::now()).await?;
        if written.takes_back.is_some() {
            self.settle(act, &written).await?;
            if self.store.is_done(&written.end).await? {
                return self.outcome(act, saying, written).await;
            }
            // What came since then joins them again, or keeps them apart: then it is said in so many words.
            putting.may_take_back = false;
            written = self.store.put(&putting, saying, Timestamp::now()).await?;
        }
        self.carry_out(act, saying, written).await
    }

    async fn carry_out(&self, act: &'static str, saying: Saying<'_>, written: Written) -> Result<Outcome, ActError> {
        self.settle(act, &written).await?;
        match self.store.is_done(&written.end).await? {
            true => self.outcome(act, saying, written).await,
            false => Err(ActError::Undone(format!(
                "the {act} is written down ({}), but those concerned could not be decided on: the warning before this, \
                 or the daemon's log, says why",
                written.id
            ))),
        }
    }

    /// Has those concerned decided on anew.
    async fn settle(&self, act: &'static str, written: &Written) -> Result<(), ActError> {
        let undone = |error: StoreError| {
            ActError::Undone(format!(
                "the {act} is written down ({}), but not carried out yet: {error}; a daemon does it when it can",
                written.id
            ))
        };
        self.reconsider.until_idle().await.map_err(undone)
    }

    async fn outcome(&self, act: &'static str, saying: Saying<'_>, written: Written) -> Result<Outcome, ActError> {
        Ok(Outcome {
            id: written.id,
            act,
            by: saying.by.to_owned(),
            why: saying.why.to_owned(),
            takes_back: written.takes_back,
            contacts: self.store.contacts_of(&written.identities).await?,
            tickets: self.store.tickets_of(&written.messages).await?,
        })
    }

    async fn messages(&self, texts: &[String]) -> Result<BTreeSet<MessageId>, ActError> {
        let mut messages = BTreeSet::new();
        for text in texts {
            match self.store.find_messages(text, NAMED_MAX).await?[..] {
                [id] => messages.insert(id),
                [] => {
                    return Err(ActError::Unknown(format!(
                        "there is no message \"{text}\"; `lanka thread show` and `lanka export assignments` name them"
                    )));
                }
                ref several => {
                    let ids: Vec<String> = several.iter().map(ToString::to_string).collect();
                    return Err(ActError::Unknown(format!(
                        "\"{text}\" is the id of several messages; name one of {}",
                        ids.join(", ")
                    )));
                }
            };
        }
        Ok(messages)
    }

    async fn ticket(&self, text: &str) -> Result<TicketId, ActError> {
        let unknown =
            || ActError::Unknown(format!("there is no ticket \"{text}\"; `lanka thread list` shows those there are"));
        self.store.find_ticket(text).await?.ok_or_else(unknown)
    }
}

fn suggestion(text: &str) -> Result<SuggestionId, ActError> {
    let unknown =
        |_| ActError::Unknown(format!("there is no suggestion \"{text}\"; `lanka review list` shows those that wait"));
    text.parse().map_err(unknown)
}
