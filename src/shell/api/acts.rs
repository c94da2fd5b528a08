//! What changes something: the acts of [`Hands`], for programs.
//!
//! What stands already as it is asked for is no error here, as it is on the command line: a program that never saw its
//! answer asks again, and must not have to tell that from a mistake.

use super::looks::{shown, unknown_contact, written};
use super::problem::{Kind, Problem};
use super::{Api, Call};
use crate::pure::domain::id::{ContactId, SuggestionId, TicketId};
use crate::shell::hands::{ActError, Classifying, Hands, Outcome, Saying};
use crate::shell::privacy::Erased;
use crate::shell::store::Store;
use crate::shell::store::hands::SuggestionShown;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Who does it and why.
pub(super) struct Said {
    by: String,
    why: String,
}

impl Said {
    pub(super) fn saying(&self) -> Saying<'_> {
        Saying { by: &self.by, why: &self.why }
    }
}

pub(super) async fn link(mut call: Call) -> Result<Value, Problem> {
    let other = call.given.text("other").unwrap_or_default().to_owned();
    let (one, other) = (call.contact(&call.id).await?.to_string(), call.contact(&other).await?);
    let work = async move |hands: Hands, said: Said| hands.link(&one, &other.to_string(), said.saying()).await;
    match call.act("link", work).await? {
        Err(ActError::Nothing(_)) => call.already("link", &[other], &[]).await,
        ended => told(ended),
    }
}

pub(super) async fn unlink(mut call: Call) -> Result<Value, Problem> {
    let contact = call.contact(&call.id).await?;
    let identities = call.given.texts("identities");
    let holders = call.store().holders_in(&call.token.tenant, &identities).await?;
    if let Some(at) = holders.iter().position(Vec::is_empty) {
        return Err(unknown_identity(&identities[at]));
    }
    let is_here = |holders: &Vec<ContactId>| holders.contains(&contact);
    if !holders.iter().any(is_here) {
        let all: BTreeSet<ContactId> = holders.into_iter().flatten().chain([contact]).collect();
        return call.already("unlink", &all.into_iter().collect::<Vec<_>>(), &[]).await;
    }
    if let Some(at) = holders.iter().position(|holders| !is_here(holders)) {
        return Err(unknown_identity(&identities[at]));
    }
    let work =
        async move |hands: Hands, said: Said| hands.unlink(&contact.to_string(), &identities, said.saying()).await;
    match call.act("unlink", work).await? {
        Err(ActError::Nothing(_)) => call.already("unlink", &[contact], &[]).await,
        ended => told(ended),
    }
}

fn unknown_identity(text: &str) -> Problem {
    Problem::new(Kind::IdentityUnknown, format!("the contact has no identity \"{}\"", shown(text)))
}

pub(super) async fn erase(mut call: Call) -> Result<Value, Problem> {
    let (privacy, tenant, id) = (call.api.shared.privacy.clone(), call.token.tenant.clone(), call.id.clone());
    let work = async move |_: Hands, said: Said| privacy.erase(Some(&tenant), &id, said.saying()).await;
    match call.act("erase", work).await? {
        Err(ActError::Unknown(_)) => Err(unknown_contact(&call.id)),
        ended => told(ended),
    }
}

pub(super) async fn put_on(mut call: Call) -> Result<Value, Problem> {
    let ticket = call.ticket(&call.id).await?;
    let messages = call.messages(&call.given.texts("messages")).await?;
    let messages: Vec<String> = messages.iter().map(ToString::to_string).collect();
    let work = async move |hands: Hands, said: Said| hands.move_to(&messages, &ticket.to_string(), said.saying()).await;
    match call.act("move", work).await? {
        Err(ActError::Nothing(_)) => call.already("move", &[], &[ticket]).await,
        ended => told(ended),
    }
}

pub(super) async fn classify(mut call: Call) -> Result<Value, Problem> {
    let ticket = call.ticket(&call.id).await?;
    let (kind, feedback) = (call.given.texts("kind"), call.given.texts("feedback"));
    let known = |words: &[String], all: &[&str]| words.iter().find(|word| !all.contains(&word.as_str())).cloned();
    let unknown = known(&kind, &["service", "problem", "feedback", "none"]);
    if let Some(word) = unknown.or_else(|| known(&feedback, &["complaint", "wish", "praise"])) {
        return Err(Problem::new(Kind::FieldWrong, format!("\"{}\" is no kind and no feedback", shown(&word))));
    }
    let (fault, priority) = (call.given.text("fault"), call.given.text("priority"));
    let what = Classifying::of(&kind, fault, &feedback, priority, call.given.flag("undo"));
    let work = async move |hands: Hands, said: Said| hands.classify(&ticket.to_string(), &what, said.saying()).await;
    match call.act("classify", work).await? {
        Err(ActError::Nothing(_)) => call.already("classify", &[], &[ticket]).await,
        ended => told(ended),
    }
}

pub(super) async fn merge(mut call: Call) -> Result<Value, Problem> {
    let named = call.ticket(&call.id).await?;
    let (from, into) = match (call.given.text("from"), call.given.text("into")) {
        (Some(from), None) => (call.ticket(from).await?, named),
        (None, Some(into)) => (named, call.ticket(into).await?),
        _ => return Err(Problem::new(Kind::FieldMissing, "either \"into\" or \"from\" names the other ticket")),
    };
    let work =
        async move |hands: Hands, said: Said| hands.merge(&from.to_string(), &into.to_string(), said.saying()).await;
    match call.act("merge", work).await? {
        Err(ActError::Nothing(_)) => call.already("merge", &[], &[into]).await,
        ended => told(ended),
    }
}

pub(super) async fn split(mut call: Call) -> Result<Value, Problem> {
    let ticket = call.ticket(&call.id).await?;
    let messages = call.messages(&call.given.texts("messages")).await?;
    let places = call.store().places_of(&messages).await?;
    let tickets: BTreeSet<Option<TicketId>> = places.iter().map(|(_, ticket)| *ticket).collect();
    match tickets.iter().collect::<Vec<_>>()[..] {
        [Some(on)] if *on == ticket => {}
        // They were split off before, and nothing came to them since.
        [Some(on)] if call.store().ticket_ends(&[*on]).await?.iter().all(|end| end.messages == places.len() as i64) => {
            return call.already("split", &[], &[ticket, *on]).await;
        }
        _ => {
            let detail = "some of these messages are not on this ticket";
            return Err(Problem::new(Kind::NotOnTicket, detail));
        }
    }
    let messages: Vec<String> = messages.iter().map(ToString::to_string).collect();
    let work = async move |hands: Hands, said: Said| hands.split(&messages, said.saying()).await;
    match call.act("split", work).await? {
        Err(ActError::Nothing(_)) => call.already("split", &[], &[ticket]).await,
        ended => told(ended),
    }
}

pub(super) async fn accept(call: Call) -> Result<Value, Problem> {
    answer(call, "accept", "accepted").await
}

pub(super) async fn reject(call: Call) -> Result<Value, Problem> {
    answer(call, "reject", "rejected").await
}

/// Answers a suggestion, unless it is answered.
async fn answer(mut call: Call, act: &'static str, state: &'static str) -> Result<Value, Problem> {
    let suggestion = call.suggestion().await?;
    if suggestion.state != "open" {
        return call.answered(act, state, &suggestion).await;
    }
    let id = suggestion.id.to_string();
    let work = async move |hands: Hands, said: Said| match act {
        "accept" => hands.accept(&id, said.saying()).await,
        _ => hands.reject(&id, said.saying()).await,
    };
    match call.act(act, work).await? {
        Err(ActError::Nothing(why)) => {
            let suggestion = call.suggestion().await?;
            match suggestion.state == "open" && suggestion.one.id != suggestion.other.id {
                true => Err(Problem::new(Kind::NotPossible, why)),
                false => call.answered(act, state, &suggestion).await,
            }
        }
        ended => told(ended),
    }
}

impl Call {
    pub(super) fn store(&self) -> &Store {
        &self.api.shared.store
    }

    async fn suggestion(&self) -> Result<SuggestionShown, Problem> {
        let unknown =
            || Problem::new(Kind::SuggestionUnknown, format!("there is no suggestion \"{}\"", shown(&self.id)));
        let id: SuggestionId = self.id.parse().map_err(|_| unknown())?;
        self.store().suggestion_in(&self.token.tenant, id).await?.ok_or_else(unknown)
    }

    /// What is told of a suggestion that does not wait any more.
    async fn answered(&self, act: &str, state: &str, suggestion: &SuggestionShown) -> Result<Value, Problem> {
        let SuggestionShown { one, other, kind, state: stands, .. } = suggestion;
        // Both may be one by now without anybody's answer.
        let is_one = act == "accept" && one.id.is_some() && one.id == other.id;
        if stands != state && !is_one {
            let by = suggestion.answered_by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
            let detail = format!("the suggestion is {stands}{by} already");
            return Err(Problem::new(Kind::AnsweredOtherwise, detail));
        }
        let ids: BTreeSet<Uuid> = [one.id, other.id].into_iter().flatten().collect();
        let (contacts, tickets): (Vec<ContactId>, Vec<TicketId>) = match kind.as_str() {
            "contact" => (ids.into_iter().map(ContactId).collect(), Vec::new()),
            _ => (Vec::new(), ids.into_iter().map(TicketId).collect()),
        };
        self.already(act, &contacts, &tickets).await
    }

    fn said(&self) -> Said {
        let by = self.given.text("by").unwrap_or(&self.token.name).to_owned();
        Said { by, why: self.given.text("why").unwrap_or_default().to_owned() }
    }

    /// The answer for what stands as it is asked for.
    async fn already(&self, act: &str, contacts: &[ContactId], tickets: &[TicketId]) -> Result<Value, Problem> {
        let Said { by, why } = self.said();
        let contacts = written(&self.store().contact_ends(contacts).await?)?;
        let tickets = written(&self.store().ticket_ends(tickets).await?)?;
        Ok(json!({"act": act, "already": true, "by": by, "why": why, "contacts": contacts, "tickets": tickets}))
    }

    /// Carries an act out, in a task of its own: it goes on when the client is gone, or waits no longer.
    pub(super) async fn act<T: Done, F>(
        &mut self,
        act: &'static str,
        work: impl FnOnce(Hands, Said) -> F,
    ) -> Result<Result<T, ActError>, Problem>
    where
        F: Future<Output = Result<T, ActError>> + Send + 'static,
    {
        let Api { shared } = &self.api;
        let (turn, token) = (self.turn.take(), self.token.name.clone());
        let work = work(shared.hands.clone(), self.said());
        let task = tokio::spawn(async move {
            let ended = work.await;
            match &ended {
                Ok(done) => tracing::info!(token.name = token, journal.id = %done.id(), "{act} by way of the API"),
                Err(ActError::Undone(_)) => {
                    tracing::warn!(
                        code = "act_undone",
                        token.name = token,
                        "{act} by way of the API is written, and not carried out yet"
                    )
                }
                Err(_) => {}
            }
            drop(turn);
            ended
        });
        match tokio::time::timeout(shared.limits.answer_wait, task).await {
            Ok(Ok(ended)) => Ok(ended),
            Ok(Err(_)) => Err(Problem::new(Kind::Internal, "this act failed inside lanka")),
            Err(_) => Err(Problem::new(Kind::StillWorking, format!("the {act} is not done yet"))),
        }
    }
}

/// An act that was carried out.
pub(super) trait Done: Serialize + Send + 'static {
    /// Where the journal has it, for the log.
    fn id(&self) -> Uuid;
}

impl Done for Outcome {
    fn id(&self) -> Uuid {
        self.id.0
    }
}

impl Done for Erased {
    fn id(&self) -> Uuid {
        self.contact.0
    }
}

/// What came of an act.
fn told(ended: Result<impl Done, ActError>) -> Result<Value, Problem> {
    written(&ended?)
}
