//! What mirrors hear of a decision → the changes, in the order they happened.

use crate::pure::domain::answer::Answer;
use crate::pure::domain::clock::Clock;
use crate::pure::domain::decision::{Decision, Hearers, ItemRole, Placement, Resolution, SuggestionTarget, Told};
use crate::pure::domain::id::TicketId;
use crate::pure::domain::message::{Message, What};
use crate::pure::domain::outbox::{Change, carrier_line};
use crate::pure::domain::ticket::{Owner, Priority, Ticket};
use crate::pure::domain::triage::Verdict;

/// The changes of one decision. A merge is told in both lanes; the target's waits for the source's.
pub fn route(decision: &Decision) -> Vec<Told> {
    let Some(ticket) = decision.placement.ticket() else { return Vec::new() };
    let told = Told::of;
    let mut changes = Vec::new();
    for moved in &decision.moves {
        let detail = Some(serde_json::json!({ "to": moved.to }).to_string());
        changes.push(Told { other: Some(moved.to), detail: detail.clone(), ..told(Change::TicketMerged, moved.from) });
        let other = Some(moved.from);
        changes.push(Told { other, detail, waits: true, ..told(Change::TicketMerged, moved.to) });
    }
    match decision.placement {
        Placement::Open { .. } => changes.push(told(Change::TicketOpened, ticket)),
        Placement::Reopen(_) => changes.push(told(Change::TicketReopened, ticket)),
        Placement::Close { .. } | Placement::Join(_) | Placement::None => {}
    }
    // A notice is no message that a mirror could show.
    if decision.role == ItemRole::Move {
        changes.extend(contacts_merged(decision, ticket));
        return changes;
    }
    let change = match decision.role {
        ItemRole::First => Change::MessageAdded,
        ItemRole::Leg | ItemRole::Update | ItemRole::Move | ItemRole::Repeat | ItemRole::Erased => {
            Change::MessageUpdated
        }
    };
    changes.push(Told { message: Some(decision.message), ..told(change, ticket) });
    let updated = Told { message: Some(decision.message), ..told(Change::MessageUpdated, ticket) };
    changes.extend(decision.early.iter().map(|_| updated.clone()));
    changes.extend(contacts_merged(decision, ticket));
    for suggestion in &decision.suggestions {
        let (kind, target) = match suggestion.target {
            SuggestionTarget::Contact(id) => ("contact", id.to_string()),
            SuggestionTarget::Ticket(id) => ("ticket", id.to_string()),
        };
        let detail = serde_json::json!({ "suggestion": suggestion.id, "target_kind": kind, "target": target, "says": suggestion.why });
        let message = Some(decision.message);
        changes.push(Told { message, detail: Some(detail.to_string()), ..told(Change::SuggestionMade, ticket) });
    }
    changes
}

/// The changes of what an agent did on a ticket: the tool it was done in shows it already, and hears of it only if it goes
/// nowhere; the line of the channel that carries it hears that there is something to carry.
pub fn of_answer(answer: &Answer, decision: &Decision) -> Vec<Told> {
    let mut changes = route(decision);
    let given_in = answer.given_in.as_ref().map(|given_in| given_in.mirror.clone());
    for told in changes.iter_mut().filter(|told| told.change == Change::MessageAdded) {
        told.hearers = given_in.clone().map_or(Hearers::All, Hearers::But);
    }
    let Some(ticket) = decision.placement.ticket() else { return changes };
    let about = |change, hearer: String| Told {
        message: Some(decision.message),
        hearers: Hearers::Only(hearer),
        ..Told::of(change, ticket)
    };
    changes.extend(match &answer.route {
        Some(Ok(route)) => Some(about(Change::AnswerDue, carrier_line(&route.channel))),
        Some(Err(_)) => given_in.map(|mirror| about(Change::MessageUpdated, mirror)),
        None => None,
    });
    changes
}

/// The changes of what the desk did with a ticket: the message that it is on stays as it was, and the tool it was done in knows.
pub fn of_act(act: &Message, decision: &Decision, ticket: &Ticket) -> Vec<Told> {
    let given_in = act.incoming.answer.as_ref().and_then(|answer| answer.given_in.as_ref());
    let hearers = given_in.map_or(Hearers::All, |given_in| Hearers::But(given_in.mirror.clone()));
    if let Some(put) = act.put() {
        let mut after = ticket.queued.clone();
        after.put(put);
        // One that was in none is put into its first.
        let before = Some(ticket.queued.queue().unwrap_or_default());
        let told = of_queue(ticket.id, before, after.queue());
        let detail = serde_json::json!({ "from": before, "to": after.queue(), "put": true }).to_string();
        return told.map(|told| Told { hearers, detail: Some(detail), ..told }).into_iter().collect();
    }
    let name = |owner: &Option<Owner>| owner.as_ref().and_then(|owner| owner.name.clone());
    let owner = ticket.owner.clone().max(act.owner());
    let change = match decision.placement {
        Placement::Close { .. } => Change::TicketClosed,
        Placement::Reopen(_) => Change::TicketReopened,
        _ if name(&owner) != name(&ticket.owner) => Change::TicketAssigned,
        _ => match (ticket.awaited_since().is_some(), is_awaited_after(act, ticket)) {
            (false, true) => Change::TicketAwaited,
            (true, false) => Change::TicketResumed,
            _ => return Vec::new(),
        },
    };
    vec![Told { message: Some(decision.message), hearers, ..Told::of(change, ticket.id) }]
}

/// That a clock runs out soon (`ClockWarned`), or did (`ClockBreached`): every tool hears of it.
pub fn of_clock(change: Change, ticket: TicketId, clock: &Clock) -> Told {
    let detail = serde_json::json!({
        "clock": clock.kind, "round": clock.round, "due_at": clock.due_at, "target_s": clock.target.as_secs(),
    });
    Told { detail: Some(detail.to_string()), ..Told::of(change, ticket) }
}

/// The change of a ticket that is in another queue now. One that was in none before is not moved by that.
pub fn of_queue(ticket: TicketId, before: Option<&str>, after: Option<&str>) -> Option<Told> {
    let (before, after) = (before?, after?);
    let detail = Some(serde_json::json!({ "from": before, "to": after }).to_string());
    (before != after).then(|| Told { detail, ..Told::of(Change::TicketRouted, ticket) })
}

/// The change of a ticket of which more is known now, or something else: its kinds, what its problem or its feedback is, or
/// how urgent it is.
pub fn of_verdict(ticket: TicketId, before: &Verdict, after: &Verdict) -> Option<Told> {
    let word = |of: &Verdict| of.priority.unwrap_or(Priority::Normal).as_str();
    let kinds = |of: &Verdict| of.kind.iter().map(|kind| kind.as_str()).collect::<Vec<_>>();
    let detail = serde_json::json!({
        "priority": { "from": word(before), "to": word(after) },
        "kind": { "from": kinds(before), "to": kinds(after) },
    });
    (before != after).then(|| Told { detail: Some(detail.to_string()), ..Told::of(Change::TicketTriaged, ticket) })
}

/// Whether the desk waits for the customer after what it did.
fn is_awaited_after(act: &Message, ticket: &Ticket) -> bool {
    let mut after = ticket.clone();
    match act.incoming.what {
        What::Await => after.awaiting.ask(act.occurred_at),
        What::Resume | What::Reopen | What::Close => after.awaiting.end(act.occurred_at),
        _ => {}
    }
    after.awaited_since().is_some()
}

fn contacts_merged(decision: &Decision, ticket: TicketId) -> Option<Told> {
    let Resolution::Merge { keep, absorb } = &decision.resolution else { return None };
    let detail = serde_json::json!({ "contact": keep, "absorbed": absorb });
    Some(Told {
        message: (decision.role != ItemRole::Move).then_some(decision.message),
        detail: Some(detail.to_string()),
        ..Told::of(Change::ContactMerged, ticket)
    })
}
