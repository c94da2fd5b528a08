//! What looks over many: lists of tickets and contacts, searches; and one message with why it is where it is.

use super::Call;
use super::access::authorise;
use super::looks::{page, written};
use super::problem::{Kind, Problem};
use crate::config::parse_duration;
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::{ContactId, TicketId};
use crate::pure::domain::identity::{EmailAddress, Identity, MAILTO, PhoneNumber, TEL};
use crate::shell::page::link::{Allow, GOOD_FOR, GOOD_FOR_MAX, ThreadLink};
use crate::shell::store::StoreError;
use crate::shell::store::api_token::Scope;
use crate::shell::store::listing::TicketFilter;
use crate::shell::store::search::{Among, Wanted};
use serde_json::{Value, json};

/// Contacts that have one address: those who had it one after the other, and in several scopes.
const HOLDERS_MAX: i64 = 50;

pub(super) async fn tickets(call: Call) -> Result<Value, Problem> {
    let (after, rows) = (call.cursor()?, call.rows());
    let after = after.map(|(at, id)| (at, TicketId(id)));
    let contact = match call.given.text("contact") {
        Some(text) => Some(call.contact(text).await?),
        None => None,
    };
    let filter = TicketFilter {
        state: call.given.text("state"),
        priority: call.given.text("priority"),
        owner: call.given.text("owner").or(call.given.flag("unassigned").then_some("")),
        queue: call.given.text("queue"),
        awaited: call.given.flag("awaited").then_some(true),
        kind: call.given.text("kind"),
        channel: call.given.text("channel"),
        contact,
        since: call.given.instant("since"),
        due_before: call.given.instant("due_before").or_else(|| call.given.flag("overdue").then(Timestamp::now)),
        by_due: call.given.text("sort") == Some("due"),
    };
    let found = call.store().tickets_in(&call.token.tenant, &filter, after, rows + 1).await.map_err(narrower)?;
    let by_due = filter.by_due;
    page("tickets", found, rows, |line| (line.due_at.filter(|_| by_due).unwrap_or(line.last_at), line.id.0))
}

pub(super) async fn contacts(call: Call) -> Result<Value, Problem> {
    if let Some(text) = call.given.text("identity") {
        if call.given.text("cursor").is_some() {
            return Err(Problem::new(
                Kind::QueryWrong,
                "\"cursor\" stands beside \"identity\", whose holders come at once",
            ));
        }
        let address = call.address(text)?;
        let found = call.store().contacts_at(&call.token.tenant, &address, HOLDERS_MAX).await?;
        return Ok(json!({"contacts": written(&found)?}));
    }
    let (before, rows) = (call.cursor()?.map(|(_, id)| ContactId(id)), call.rows());
    let found = call.store().contacts_in(&call.token.tenant, before, rows + 1).await?;
    page("contacts", found, rows, |line| (Timestamp::UNIX_EPOCH, line.id.0))
}

pub(super) async fn search(call: Call) -> Result<Value, Problem> {
    let (before, rows) = (call.cursor()?.map(|(_, id)| id), call.rows());
    let text = call.given.text("q").unwrap_or_default();
    let no_word = || Problem::new(Kind::QueryWrong, "\"q\" holds no word");
    let wanted = Wanted::of(text, call.region()).ok_or_else(no_word)?;
    let one;
    let among: &[Among] = match call.given.text("in") {
        Some(word) => {
            one = [match word {
                "messages" => Among::Messages,
                "tickets" => Among::Tickets,
                _ => Among::Contacts,
            }];
            &one
        }
        None => &Among::ALL,
    };
    let found = call.store().search(&call.token.tenant, &wanted, among, before, rows + 1).await.map_err(narrower)?;
    page("found", found, rows, |found| (Timestamp::UNIX_EPOCH, found.id))
}

/// A message with the route that it took.
pub(super) async fn message(call: Call) -> Result<Value, Problem> {
    let id = call.message(&call.id).await?;
    let unknown = || Problem::new(Kind::MessageUnknown, format!("there is no message \"{id}\""));
    let message = call.store().message_view(id).await?.ok_or_else(unknown)?;
    let route = call.store().route(id).await?.ok_or_else(unknown)?;
    Ok(json!({"message": written(&message)?, "route": written(&route)?}))
}

/// A link to the page of a thread. It gives nothing that the token has not.
pub(super) async fn thread_link(call: Call) -> Result<Value, Problem> {
    let ticket = call.ticket(&call.id).await?;
    let allow = Allow::of(call.given.text("allow").unwrap_or_default());
    authorise(&call.token, Scope::Read)?;
    if allow == Allow::Review {
        authorise(&call.token, Scope::Review)?;
    }
    let good_for = match call.given.text("for") {
        Some(text) => parse_duration(text).map_err(|why| Problem::new(Kind::FieldWrong, format!("\"for\": {why}")))?,
        None => GOOD_FOR,
    };
    if good_for > GOOD_FOR_MAX {
        return Err(Problem::new(Kind::FieldWrong, "\"for\" is at most 366 days"));
    }
    let name = call.given.text("name").map(str::to_owned);
    let link = ThreadLink::new((ticket, &call.token.tenant), Timestamp::now(), good_for, (allow, name));
    let none = || Problem::new(Kind::NotPossible, "no public address is configured (http.public_url)");
    let url = call.api.links().and_then(|links| links.url(&link)).ok_or_else(none)?;
    Ok(
        json!({"url": url, "ticket": ticket, "allow": Allow::WORDS[usize::from(link.may_review)], "expires_at": link.until()}),
    )
}

/// What to say when the database would have taken too long.
fn narrower(error: StoreError) -> Problem {
    match error.is_out_of_time() {
        true => Problem::new(Kind::TooWide, "this is too much to look through at once"),
        false => error.into(),
    }
}

impl Call {
    /// Where national numbers are of, in the token's firm.
    fn region(&self) -> &str {
        let tenant = self.api.shared.registry.tenants.get(&self.token.tenant);
        tenant.map_or("", |tenant| tenant.policy.region.as_str())
    }

    /// An address as `scheme:value`, in the form that it is kept in.
    fn address(&self, text: &str) -> Result<Identity, Problem> {
        let wrong = |why: String| Problem::new(Kind::QueryWrong, format!("\"identity\" {why}"));
        let (scheme, value) = text
            .split_once(':')
            .ok_or_else(|| wrong("is written as `mailto:…`, `tel:…` or SCHEME:VALUE".to_owned()))?;
        let parsed = match scheme {
            MAILTO => EmailAddress::parse(value).map(|address| Identity::email(&address)),
            TEL => PhoneNumber::parse_stated(value, self.region()).map(|number| Identity::phone(&number)),
            _ => Identity::opaque(scheme, "", value),
        };
        parsed.map_err(|error| wrong(error.to_string()))
    }
}
