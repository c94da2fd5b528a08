//! What only looks: contacts, tickets, suggestions.

use super::Call;
use super::problem::{Kind, Problem};
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::{ContactId, MessageId, SuggestionId, TicketId};
use crate::shell::store::StoreError;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// Rows of a page, unless the client says how many.
const PAGE_ROWS: i64 = 50;

/// Messages of a person who is handed over in one answer: all of it is in memory.
const EXPORT_MESSAGES_MAX: usize = 2_000;

/// Messages that are named when a vendor's id is not unique.
const NAMED_MAX: i64 = 10;

pub(super) async fn contact(call: Call) -> Result<Value, Problem> {
    let id = call.contact(&call.id).await?;
    written(&call.store().contact(&id.to_string()).await?)
}

/// All that is held about somebody, but the bytes of files.
pub(super) async fn export(call: Call) -> Result<Value, Problem> {
    let contact = call.contact(&call.id).await?;
    let person = call.store().person(Some(&call.token.tenant), &contact.to_string()).await?;
    let person = person.ok_or_else(|| unknown_contact(&call.id))?;
    if person.messages() > EXPORT_MESSAGES_MAX {
        let detail = format!(
            "he said more than {EXPORT_MESSAGES_MAX} messages, which is too much for one answer: use `lanka contact export {contact}`"
        );
        return Err(Problem::new(Kind::NotPossible, detail));
    }
    let mut held = Vec::new();
    let each = |what: &'static str, row: Value| {
        held.push(json!({"what": what, "row": row}));
        Ok::<(), StoreError>(())
    };
    call.api.shared.privacy.held(&person, each).await?;
    Ok(json!({"contact": contact, "held": held}))
}

pub(super) async fn ticket(call: Call) -> Result<Value, Problem> {
    let id = call.ticket(&call.id).await?;
    let mut ticket = call.store().ticket_view(id).await?.ok_or_else(|| unknown_ticket(&call.id))?;
    ticket.answer = call.api.shared.answers.view(&call.token.tenant, id).await?;
    written(&ticket)
}

pub(super) async fn messages(call: Call) -> Result<Value, Problem> {
    let id = call.ticket(&call.id).await?;
    let (after, rows) = (call.cursor()?, call.rows());
    let after = after.map(|(at, id)| (at, MessageId(id)));
    let found = call.store().messages_after(id, after, rows + 1).await?;
    page("messages", found, rows, |message| (message.occurred_at, message.id.0))
}

pub(super) async fn acts(call: Call) -> Result<Value, Problem> {
    let id = call.ticket(&call.id).await?;
    Ok(json!({"acts": written(&call.store().acts_of(id).await?)?}))
}

pub(super) async fn ready_answers(call: Call) -> Result<Value, Problem> {
    let id = call.ticket(&call.id).await?;
    Ok(json!({"answers": written(&call.store().ready_offers(id).await?)?}))
}

pub(super) async fn review(call: Call) -> Result<Value, Problem> {
    let (after, rows) = (call.cursor()?, call.rows());
    let after = after.map(|(at, id)| (at, SuggestionId(id)));
    let found = call.store().suggestions_in(&call.token.tenant, call.given.flag("all"), after, rows + 1).await?;
    page("suggestions", found, rows, |suggestion| (suggestion.since, suggestion.id.0))
}

impl Call {
    /// The contact that a text names.
    pub(super) async fn contact(&self, text: &str) -> Result<ContactId, Problem> {
        let found = self.store().contact_in(&self.token.tenant, text).await?;
        found.ok_or_else(|| unknown_contact(text))
    }

    /// The ticket that a text names.
    pub(super) async fn ticket(&self, text: &str) -> Result<TicketId, Problem> {
        self.store().ticket_in(&self.token.tenant, text).await?.ok_or_else(|| unknown_ticket(text))
    }

    /// The message that a text names.
    pub(super) async fn message(&self, text: &str) -> Result<MessageId, Problem> {
        match self.store().messages_in(&self.token.tenant, text, NAMED_MAX).await?[..] {
            [id] => Ok(id),
            [] => {
                let detail = format!("there is no message \"{}\"", shown(text));
                Err(Problem::new(Kind::MessageUnknown, detail))
            }
            ref several => {
                let ids: Vec<String> = several.iter().map(ToString::to_string).collect();
                let detail = format!("\"{}\" is the id of several messages: {}", shown(text), ids.join(", "));
                Err(Problem::new(Kind::MessageAmbiguous, detail))
            }
        }
    }

    /// The messages that texts name, each one.
    pub(super) async fn messages(&self, texts: &[String]) -> Result<Vec<MessageId>, Problem> {
        let mut messages = Vec::with_capacity(texts.len());
        for text in texts {
            messages.push(self.message(text).await?);
        }
        Ok(messages)
    }

    /// Where the page begins that is asked for.
    pub(super) fn cursor(&self) -> Result<Option<(Timestamp, Uuid)>, Problem> {
        let wrong = || Problem::new(Kind::QueryWrong, "\"cursor\" is none that this list gave out");
        self.given.text("cursor").map(|text| place(text).ok_or_else(wrong)).transpose()
    }

    pub(super) fn rows(&self) -> i64 {
        self.given.rows("limit").unwrap_or(PAGE_ROWS)
    }
}

pub(super) fn unknown_contact(text: &str) -> Problem {
    Problem::new(Kind::ContactUnknown, format!("there is no contact \"{}\"", shown(text)))
}

fn unknown_ticket(text: &str) -> Problem {
    Problem::new(Kind::TicketUnknown, format!("there is no ticket \"{}\"", shown(text)))
}

/// What a client wrote, as far as it is shown to him.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

/// As JSON.
pub(super) fn written(value: &impl Serialize) -> Result<Value, Problem> {
    serde_json::to_value(value).map_err(|error| {
        tracing::error!(code = "api_failed", %error, "an answer of the API cannot be written: please report it");
        Problem::new(Kind::Internal, "this request failed inside lanka")
    })
}

/// A page of rows of which one more than `rows` was asked for, with the place where the next begins.
pub(super) fn page<T: Serialize>(
    name: &str,
    mut found: Vec<T>,
    rows: i64,
    place_of: impl Fn(&T) -> (Timestamp, Uuid),
) -> Result<Value, Problem> {
    let rows = usize::try_from(rows).unwrap_or(usize::MAX);
    let is_more = found.len() > rows;
    found.truncate(rows);
    let next = found.last().filter(|_| is_more).map(|last| {
        let (at, id) = place_of(last);
        URL_SAFE_NO_PAD.encode(format!("{} {id}", at.as_microsecond()))
    });
    let mut page = json!({name: written(&found)?});
    if let Some(next) = next {
        page["next"] = Value::String(next);
    }
    Ok(page)
}

/// The place that a cursor stands for. Postgres keeps instants to the microsecond, as it does.
fn place(cursor: &str) -> Option<(Timestamp, Uuid)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (at_us, id) = text.split_once(' ')?;
    Some((Timestamp::from_microsecond(at_us.parse().ok()?).ok()?, id.parse().ok()?))
}
