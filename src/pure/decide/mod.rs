//! The verbs: from a message and the facts to one decision. One file, one public function, one
//! conclusion: `decide` is `resolve`, `thread`, `triage`, `route`, and nothing else.
//!
//! **Invariants:** everything here is a function of its arguments; a rerun gives the same decision.
//! Precision before recall: what the evidence does not carry is a suggestion (promise P4).

pub mod again;
pub mod anew;
pub mod answer;
pub mod arrange;
pub mod clock;
pub mod close;
pub mod dust;
pub mod epochs;
pub mod evidence;
pub mod extract;
pub mod gather;
pub mod keep;
pub mod language;
pub mod learn;
pub mod ledger;
pub mod lookup;
pub mod moves;
pub mod normalise;
pub mod notice;
pub mod outage;
pub mod phrases;
pub mod pins;
pub mod pointers;
pub mod prints;
pub mod proven;
pub mod queue;
pub mod ready;
pub mod ready_use;
pub mod recast;
pub mod recurring;
pub mod resolve;
pub mod rethread;
pub mod route;
pub mod suggest;
pub mod targets;
pub mod template;
pub mod thread;
pub mod triage;
pub mod urgency;
pub mod when;

use self::lookup::Keyer;
use crate::pure::domain::decision::{Decision, ItemRole, Move, Placement, Reason, Resolution, Told};
use crate::pure::domain::facts::{AnchorKind, Facts, Lookup};
use crate::pure::domain::id::{ContactId, IdMint, MessageId};
use crate::pure::domain::message::{
    Call, CallLeg, CallOutcome, Content, Direction, Incoming, Message, SenderIdentity, What,
};
use crate::pure::domain::outbox::Change;
use crate::pure::domain::policy::Policy;
use crate::pure::domain::queue::Queued;
use crate::pure::domain::say::{OnMessage, OnOther, OnTicket};
use std::collections::BTreeMap;

/// Decides on one message: whose it is, which ticket it joins, who hears of it, and why.
///
/// `mint` gives the ids of what is new. The decision is not in the facts yet:
/// [`Facts::apply`] puts it there.
pub fn decide(message: &Message, lookup: &Lookup, facts: &Facts, mint: &mut IdMint, policy: &Policy) -> Decision {
    // Before anything else: what was erased is not even a repeat, its bytes go again.
    if is_erased(message, lookup, facts) {
        let mut decision = nothing(message, ItemRole::Erased, message.id);
        decision.reasons.push(Reason::new("erased", OnMessage::Erased));
        return decision;
    }
    if let Some(seen) = facts.seen.get(&(lookup.seen_scope.clone(), lookup.seen_key)) {
        return repeat(message, seen.message);
    }
    if let Some(of) = own_answer(message, lookup, facts) {
        return repeat(message, of);
    }
    if message.incoming.is_move() {
        return moved(message, lookup, facts, mint, policy);
    }
    if message.incoming.what.is_of_ticket() {
        return acted(message, facts);
    }
    if message.incoming.what != What::Message {
        return update(message, lookup, facts);
    }
    let earlier = earlier_of_same_key(lookup, facts);
    if let (Some(earlier), Content::Call(call, text)) = (earlier, &message.incoming.content)
        && facts.calls.contains_key(&earlier)
    {
        return leg(message, lookup, facts, mint, policy, earlier, call, text);
    }
    let mut decision = conclude(message, lookup, facts, mint, policy);
    // Found by the same key by which they would have found the message, had it come first.
    decision.early = lookup.own_message().and_then(|key| facts.early.get(&key)).cloned().unwrap_or_default();
    if !decision.early.is_empty() {
        decision.reasons.push(Reason::new("early_updates", OnMessage::EarlyUpdates));
        decision.changes = route::route(&decision);
    }
    decision.message_id_reused = earlier.is_some();
    if decision.message_id_reused {
        let reason = Reason::new("message_id_reused", OnMessage::IdReused);
        decision.reasons.push(Reason { from: earlier.into_iter().collect(), ..reason });
    }
    decision
}

fn conclude(message: &Message, lookup: &Lookup, facts: &Facts, mint: &mut IdMint, policy: &Policy) -> Decision {
    let resolved = resolve::resolve(message, lookup, facts, mint, policy);
    let placed = thread::place(message, lookup, &resolved, facts, mint, policy);
    let on = message.incoming.on.as_ref().and_then(|on| on.message);
    let tells_sender_of = on.filter(|_| resolved.identities.iter().any(|touched| touched.new));
    let (urgency, raised) = urgency::urgency(message, &placed.placement, &resolved, facts, policy);
    let is_late = resolved.is_tied || placed.is_left || comes_late(message, &resolved, &placed, facts);
    let mut reasons = evidence::on_sender(message, policy);
    reasons.extend(resolved.reasons);
    reasons.extend(placed.reasons);
    reasons.extend(message.triage.why.iter().cloned().chain(raised));
    let mut suggestions = resolved.suggestions;
    suggestions.extend(placed.suggestions);
    let mut decision = Decision {
        message: message.id,
        role: ItemRole::First,
        resolution: resolved.resolution,
        identity: resolved.identity,
        identities: resolved.identities,
        closed: resolved.closed,
        facts: resolved.facts,
        held_back: resolved.held_back,
        edges: resolved.edges,
        placement: placed.placement,
        entitled_by: placed.entitled_by,
        anchors: placed.anchors,
        suggestions,
        moves: placed.moves,
        triage: message.triage.clone(),
        queue: None,
        urgency,
        changes: Vec::new(),
        early: Vec::new(),
        call: None,
        message_id_reused: false,
        tells_sender_of,
        is_late,
        reasons,
    };
    let contact = decision.resolution.contact();
    let is_routed = lead(&mut decision, message, contact, facts, policy);
    let is_heard = heard_from(message, &decision, facts);
    let is_triaged = triaged(message, &decision, facts);
    decision.changes = match &message.incoming.answer {
        Some(answer) => route::of_answer(answer, &decision),
        None => route::route(&decision),
    };
    decision.changes.extend(is_heard);
    decision.changes.extend(is_triaged);
    decision.changes.extend(is_routed);
    decision
}

/// What mirrors hear where a message brings its ticket another kind of matter, or more urgency. What an agent said of it
/// stands, and they hear nothing.
fn triaged(message: &Message, decision: &Decision, facts: &Facts) -> Option<Told> {
    let ticket = decision.placement.ticket().filter(|_| facts.brings_matter(message))?;
    let ticket = &facts.ticket(ticket)?.ticket;
    let mut after = ticket.clone();
    after.take(&decision.triage, decision.urgency);
    route::of_verdict(ticket.id, &ticket.verdict(), &after.verdict())
}

/// What mirrors hear where the desk waited for the customer, who says something.
fn heard_from(message: &Message, decision: &Decision, facts: &Facts) -> Option<Told> {
    let is_customers = message.incoming.direction == Direction::FromCustomer && message.incoming.auto.is_none();
    let known = facts.ticket(decision.placement.ticket().filter(|_| is_customers)?)?;
    let since = known.ticket.awaited_since()?;
    (since <= message.occurred_at).then(|| Told::of(Change::TicketResumed, known.ticket.id))
}

/// Leads the ticket of a message to its queue. Gives what mirrors hear of it, where the ticket was in another.
fn lead(
    decision: &mut Decision,
    message: &Message,
    contact: Option<ContactId>,
    facts: &Facts,
    policy: &Policy,
) -> Option<Told> {
    let ticket = decision.placement.ticket()?;
    let ruled = queue::ruled(message, contact, facts, &policy.routing)?;
    let before = facts.ticket(ticket).map(|known| known.ticket.queued.clone());
    let mut after = before.clone().unwrap_or_default();
    let others = decision.moves.iter().filter_map(|moved| facts.ticket(moved.from));
    others.for_each(|other| after.join(&other.ticket.queued));
    if after.rule(&ruled) {
        let queue = ruled.queue.clone();
        let says = match ruled.rule.clone() {
            Some(rule) => OnTicket::Routed { queue, rule },
            None => OnTicket::RoutedByDefault { queue },
        };
        decision.reasons.push(Reason::new("queue", says));
    }
    decision.queue = Some(ruled);
    let before = before.as_ref().and_then(Queued::queue).map(str::to_owned);
    route::of_queue(ticket, before.as_deref(), after.queue())
}

/// Whether something later is known already of whoever said it, or of the ticket that it is on.
fn comes_late(message: &Message, resolved: &resolve::Resolved, placed: &thread::Placed, facts: &Facts) -> bool {
    // A number that a platform vouches for now is more than a caller's.
    let is_vouched_for = resolved.identities.iter().any(|touched| {
        facts.identity(touched.id).is_some_and(|known| known.assurance < touched.assurance)
            && resolved.sides.iter().any(|side| facts.identities_of(*side).count() > 1)
    });
    if is_vouched_for {
        return true;
    }
    let at = message.occurred_at;
    let sides = resolved.sides.iter().flat_map(|side| facts.identities_of(*side));
    let ticket = placed.placement.ticket().and_then(|ticket| facts.ticket(ticket));
    resolved.sides.len() > 1
        || sides.map(|known| known.last_at).any(|last| last > at)
        || ticket.is_some_and(|known| known.ticket.last_at > at)
}

/// Whether it is something that was erased, or is about such a message: an edit, a reaction, a receipt.
fn is_erased(message: &Message, lookup: &Lookup, facts: &Facts) -> bool {
    let is_message = |kind: AnchorKind| kind == AnchorKind::Message;
    let own = lookup.own.iter().filter(|(kind, _)| is_message(*kind)).map(|(_, key)| key);
    let about = lookup.references.iter().filter(|_| message.incoming.what != What::Message);
    own.chain(about).chain([&lookup.seen_key]).any(|key| facts.tombstones.contains(key))
}

/// The answer of ours that a message is a copy of: a mail of that very id, out of a folder of sent mail, or one that somebody
/// forwards to us. Nobody else makes such ids.
fn own_answer(message: &Message, lookup: &Lookup, facts: &Facts) -> Option<MessageId> {
    let Incoming { what, direction, answer, source_key, .. } = &message.incoming;
    let is_copy = *what == What::Message && *direction == Direction::FromAgent && answer.is_none();
    (is_copy && source_key.starts_with(answer::KEY_PREFIX)).then(|| earlier_of_same_key(lookup, facts)).flatten()
}

fn nothing(message: &Message, role: ItemRole, of: MessageId) -> Decision {
    Decision {
        message: of,
        role,
        resolution: Resolution::Nobody,
        identity: None,
        identities: Vec::new(),
        closed: Vec::new(),
        facts: Vec::new(),
        held_back: Vec::new(),
        edges: Vec::new(),
        placement: Placement::None,
        entitled_by: None,
        anchors: Vec::new(),
        suggestions: Vec::new(),
        moves: Vec::new(),
        triage: message.triage.clone(),
        queue: None,
        urgency: message.triage.priority,
        changes: Vec::new(),
        early: Vec::new(),
        call: None,
        message_id_reused: false,
        tells_sender_of: None,
        is_late: false,
        reasons: Vec::new(),
    }
}

/// The platform's word that a person is reached elsewhere from now on: the new addresses are his,
/// the old ones nobody's. It is shown on his latest ticket; it opens none.
fn moved(message: &Message, lookup: &Lookup, facts: &Facts, mint: &mut IdMint, policy: &Policy) -> Decision {
    let moves::Moved { resolved, closed } = moves::follow(message, facts, mint);
    let placed = thread::show(message, lookup, &resolved, facts, policy);
    let mut decision = nothing(message, ItemRole::Move, message.id);
    decision.resolution = resolved.resolution;
    decision.identity = resolved.identity;
    decision.identities = resolved.identities;
    decision.closed = closed;
    decision.facts = moves::facts(message, &Keyer::new(policy, &message.tenant), mint);
    decision.edges = resolved.edges;
    decision.is_late = true;
    decision.placement = placed.placement;
    decision.moves = placed.moves;
    decision.reasons = resolved.reasons;
    decision.reasons.extend(placed.reasons);
    decision.changes = route::route(&decision);
    decision
}

fn repeat(message: &Message, of: MessageId) -> Decision {
    let mut decision = nothing(message, ItemRole::Repeat, of);
    decision.reasons.push(Reason::new("repeat", OnMessage::Repeat));
    decision
}

/// What the desk did with a ticket is about the message that it is on, and through it about that one's ticket.
fn acted(message: &Message, facts: &Facts) -> Decision {
    let on = message.incoming.on.as_ref().and_then(|on| on.message);
    let Some((on, said)) = on.and_then(|on| Some((on, facts.said.get(&on)?))) else {
        return nothing(message, ItemRole::Update, message.id);
    };
    let mut decision = nothing(message, ItemRole::Update, on);
    decision.placement = match message.incoming.what {
        What::Close => close::close(message, said, facts),
        What::Reopen => close::reopen(message, said, facts),
        _ => said
            .ticket
            .and_then(|ticket| facts.ticket(ticket))
            .map_or(Placement::None, |k| Placement::Join(k.ticket.id)),
    };
    let Some(known) = decision.placement.ticket().and_then(|ticket| facts.ticket(ticket)) else { return decision };
    decision.is_late = match message.incoming.what {
        // What was said since may be on a ticket of its own.
        What::Reopen => matches!(decision.placement, Placement::Reopen(_)),
        What::Close => known.ticket.last_at > message.occurred_at,
        // Who has a ticket does not depend on what was said when.
        _ => false,
    };
    decision.changes = route::of_act(message, &decision, &known.ticket);
    decision
}

/// An update goes where the message it is about is; one about an unknown message waits for it.
fn update(message: &Message, lookup: &Lookup, facts: &Facts) -> Decision {
    let key = lookup.target(message);
    let mut anchors = key.and_then(|key| facts.anchors.get(&key)).into_iter().flatten();
    let target = anchors.find(|anchor| anchor.kind == AnchorKind::Message);
    let mut decision = nothing(message, ItemRole::Update, target.map_or(message.id, |anchor| anchor.message));
    if message.incoming.what == What::Status && key.is_none() {
        // A receipt for all that was sent to the customer until then.
        let known = |held: &SenderIdentity| Some(facts.identity_at(&held.identity, message.occurred_at)?.id);
        decision.identity = message.customer().identities.iter().find_map(known);
        decision.reasons.push(Reason::new("receipt", OnMessage::Receipt));
        return decision;
    }
    match target {
        Some(anchor) => {
            decision.placement =
                anchor.ticket.map_or(Placement::None, |ticket| Placement::Join(facts.ticket_now(ticket)));
            decision.reasons.push(Reason::new("update", OnMessage::Update));
            decision.changes = route::route(&decision);
        }
        None => decision.reasons.push(Reason::new("update_unknown", OnMessage::UpdateWaits)),
    }
    decision
}

fn earlier_of_same_key(lookup: &Lookup, facts: &Facts) -> Option<MessageId> {
    facts
        .anchors
        .get(&lookup.own_message()?)?
        .iter()
        .find(|anchor| anchor.kind == AnchorKind::Message)
        .map(|anchor| anchor.message)
}

/// Another leg of a known call. A leg may tell the caller that the first one hid (an internal
/// transfer was written down first); then the call is decided anew as his.
#[expect(clippy::too_many_arguments, reason = "the leg is decide() with the call it belongs to")]
fn leg(
    message: &Message,
    lookup: &Lookup,
    facts: &Facts,
    mint: &mut IdMint,
    policy: &Policy,
    earlier: MessageId,
    call: &Call,
    text: &str,
) -> Decision {
    let Some(known) = facts.calls.get(&earlier) else { return repeat(message, earlier) };
    let merged = join_legs(&known.call, call);
    let text = join_texts(&known.text, text);
    let mut decision = if known.identity.is_none() && !message.customer().identities.is_empty() {
        let mut decision = conclude(message, lookup, facts, mint, policy);
        // The call has its ticket: a new one would leave that empty, an older one takes it in.
        match (known.ticket.map(|ticket| facts.ticket_now(ticket)), &decision.placement) {
            (Some(has), Placement::Open { .. }) => decision.placement = Placement::Join(has),
            (Some(has), other) if other.ticket().is_some_and(|to| to != has) => {
                let to = other.ticket().unwrap_or(has);
                let is_held = |ticket| facts.ticket(ticket).is_some_and(|known| known.is_held);
                if is_held(has) || is_held(to) {
                    // An agent's word on either is heeded where all that was said is placed.
                    decision.placement = Placement::Join(has);
                    decision.is_late = true;
                } else {
                    let why = OnOther::LegToldCaller.into();
                    decision.moves.push(Move { from: has, to, why });
                }
            }
            _ => {}
        }
        decision
    } else {
        let mut decision = nothing(message, ItemRole::Leg, earlier);
        decision.placement = known.ticket.map_or(Placement::None, |ticket| Placement::Join(facts.ticket_now(ticket)));
        decision
    };
    decision.message = earlier;
    decision.role = ItemRole::Leg;
    let said = text.clone();
    decision.call = Some((merged, text));
    decision.anchors.retain(|(kind, ..)| *kind != AnchorKind::Message);
    decision.reasons.push(Reason::new("leg", OnMessage::Leg));
    // What a later leg brings to be heard is of the whole call.
    decision.triage = triage::triage(&message.incoming, None, &said, message.says_nothing, policy);
    decision.urgency = decision.urgency.max(decision.triage.priority);
    decision.reasons.retain(|reason| reason.rule != "triage");
    if said != known.text {
        decision.reasons.extend(decision.triage.why.iter().cloned());
    }
    decision.changes = route::route(&decision);
    decision.changes.extend(triaged(message, &decision, facts));
    decision
}

/// The call over the legs of both, whatever order they came in.
pub fn join_legs(one: &Call, other: &Call) -> Call {
    // Of a record that was written again, what ended later: it is the same whichever came first.
    let mut records: BTreeMap<&str, &CallLeg> = BTreeMap::new();
    for leg in one.legs.iter().chain(&other.legs) {
        records.entry(&leg.key).and_modify(|known| *known = (*known).max(leg)).or_insert(leg);
    }
    let mut legs: Vec<CallLeg> = records.into_values().cloned().collect();
    legs.sort();
    let outcome = legs.iter().map(|leg| leg.outcome).max().unwrap_or(one.outcome);
    let taken = || legs.iter().filter(|leg| leg.outcome == outcome);
    // Who talked longest is whom the caller spoke with: before him he was put through, beside him
    // colleagues asked one another.
    let longest = taken().filter(|_| outcome == CallOutcome::Answered).max_by_key(|leg| (leg.talk_s, leg.start));
    let answered_by = longest.map(|leg| leg.at.clone()).unwrap_or_default();
    let start = legs.iter().map(|leg| leg.start.as_second()).min().unwrap_or_default();
    let end = legs.iter().map(|leg| leg.start.as_second() + i64::from(leg.duration_s)).max().unwrap_or(start);
    let talk_s = seconds_covered(taken().map(|leg| {
        let began = leg.start.as_second() + i64::from(leg.duration_s.saturating_sub(leg.talk_s));
        (began, began + i64::from(leg.talk_s))
    }));
    Call { outcome, duration_s: u32::try_from(end - start).unwrap_or_default(), talk_s, answered_by, legs }
}

/// The words of both: what the first has already is not said twice.
pub fn join_texts(one: &str, other: &str) -> String {
    match (one.is_empty(), other.is_empty() || one.contains(other)) {
        (true, _) => other.to_owned(),
        (false, true) => one.to_owned(),
        (false, false) => format!("{one}\n{other}"),
    }
}

/// Seconds that lie in any of the spans.
fn seconds_covered(spans: impl Iterator<Item = (i64, i64)>) -> u32 {
    let mut spans: Vec<(i64, i64)> = spans.collect();
    spans.sort_unstable();
    let (mut covered, mut until) = (0, i64::MIN);
    for (from, to) in spans {
        covered += (to - from.max(until)).max(0);
        until = until.max(to);
    }
    u32::try_from(covered).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::Timestamp;
    use CallOutcome::{Answered, Busy, Missed, Voicemail};

    #[test]
    fn a_record_that_is_written_again_is_one_leg() {
        let leg = |duration_s: u32, talk_s: u32, outcome| {
            let start = Timestamp::constant(1_772_697_600, 0);
            let [key, from, to, at] = ["a/1", "040", "201", "201"].map(str::to_owned);
            let leg = CallLeg { start, key, from, to, at, duration_s, talk_s, outcome, recording: String::new() };
            Call { outcome, duration_s, talk_s, answered_by: String::new(), legs: vec![leg] }
        };
        let (early, late) = (leg(20, 0, Missed), leg(60, 40, Answered));
        for (one, other) in [(&early, &late), (&late, &early)] {
            let joined = join_legs(one, other);
            assert_eq!((joined.legs.len(), joined.outcome, joined.duration_s, joined.talk_s), (1, Answered, 60, 40));
        }
    }

    #[test]
    fn a_call_over_its_legs() {
        type Row = (
            &'static str,
            &'static [(i64, u32, u32, CallOutcome, &'static str)],
            (CallOutcome, u32, u32, &'static str),
        );
        // Legs: start, seconds, seconds of talk, outcome, where it rang.
        let table: &[Row] = &[
            ("one", &[(0, 60, 50, Answered, "201")], (Answered, 60, 50, "201")),
            ("nobody took it", &[(0, 20, 0, Missed, "201"), (0, 20, 0, Busy, "202")], (Missed, 20, 0, "")),
            (
                "a queue rings two",
                &[(0, 20, 0, Missed, "201"), (0, 60, 40, Answered, "202")],
                (Answered, 60, 40, "202"),
            ),
            (
                "put through",
                &[(0, 60, 50, Answered, "201"), (60, 120, 115, Answered, "202")],
                (Answered, 180, 165, "202"),
            ),
            (
                "asked a colleague, stayed",
                &[(0, 300, 290, Answered, "201"), (100, 30, 20, Answered, "202")],
                (Answered, 300, 290, "201"),
            ),
            (
                "of equals the last",
                &[(0, 30, 30, Answered, "201"), (30, 30, 30, Answered, "202")],
                (Answered, 60, 60, "202"),
            ),
            (
                "voicemail in the end",
                &[(0, 20, 0, Missed, "201"), (20, 40, 40, Voicemail, "201")],
                (Voicemail, 60, 40, ""),
            ),
            (
                "a machine, then a person",
                &[(0, 40, 40, Voicemail, ""), (40, 20, 10, Answered, "201")],
                (Answered, 60, 10, "201"),
            ),
            ("the log does not tell where", &[(0, 60, 50, Answered, "")], (Answered, 60, 50, "")),
        ];
        for (name, legs, expected) in table {
            let one = |(n, (start, duration_s, talk_s, outcome, at)): (usize, &(i64, u32, u32, CallOutcome, &str))| {
                let start = Timestamp::constant(1_772_697_600 + start, 0);
                let (key, from, to, at) = (n.to_string(), "040".to_owned(), "0942720000".to_owned(), (*at).to_owned());
                let (duration_s, talk_s, outcome, recording) = (*duration_s, *talk_s, *outcome, String::new());
                let leg = CallLeg { start, key, from, to, at, duration_s, talk_s, outcome, recording };
                Call { outcome, duration_s, talk_s, answered_by: String::new(), legs: vec![leg] }
            };
            let calls: Vec<Call> = legs.iter().enumerate().map(one).collect();
            let mut orders = [calls.clone(), calls.into_iter().rev().collect()];
            for order in &mut orders {
                let first = order.remove(0);
                let joined = order.iter().fold(join_legs(&first, &first), |call, leg| join_legs(&call, leg));
                assert_eq!(
                    (joined.outcome, joined.duration_s, joined.talk_s, joined.answered_by.as_str()),
                    *expected,
                    "{name}"
                );
            }
        }
    }
}
