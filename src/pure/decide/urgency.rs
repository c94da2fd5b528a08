//! How soon a ticket must be seen to, beside what the words say: who says it, and how often he has come back.
//!
//! Worked out from what is known of the ticket in the order in which things are said, so that a message that comes late
//! leads to the same. What an agent said stands over all of it ([`Ticket::heed`]).
//!
//! [`Ticket::heed`]: crate::pure::domain::ticket::Ticket::heed

use super::resolve::Resolved;
use crate::pure::domain::decision::{Placement, Reason};
use crate::pure::domain::facts::Facts;
use crate::pure::domain::identity::{Assurance, EmailAddress, Identity, registrable_domain};
use crate::pure::domain::message::Message;
use crate::pure::domain::policy::Policy;
use crate::pure::domain::say::OnTriage;
use crate::pure::domain::ticket::{MatterKind, Priority};

/// The urgency that a message gives its ticket, with the reasons for what is above its own words'. Only problems are
/// raised by who says them and by coming back with them; any matter by being left unanswered.
pub fn urgency(
    message: &Message,
    placement: &Placement,
    resolved: &Resolved,
    facts: &Facts,
    policy: &Policy,
) -> (Priority, Vec<Reason>) {
    let own = message.triage.priority;
    let says = message.is_said_by_customer() && message.triage.priority < Priority::High;
    let known = placement.ticket().and_then(|ticket| facts.ticket(ticket)).map(|known| &known.ticket);
    let is_problem = message.triage.kind.contains(&MatterKind::Problem);
    let mut reasons = Vec::new();
    if says
        && is_problem
        && let Some(name) = raised(resolved, facts, policy)
    {
        reasons.push(Reason::new("urgency", OnTriage::RaisedByContract { name: name.to_owned() }));
    }
    let is_on_problem = is_problem || known.is_some_and(|ticket| ticket.kind.contains(&MatterKind::Problem));
    if says && policy.urgency.came_back && message.says_is_back && is_on_problem && known.is_some() {
        reasons.push(Reason::new("urgency", OnTriage::CameBack));
    }
    let asked = known.map_or(0, |ticket| ticket.asked_again(message));
    let is_due = policy.urgency.unanswered > 0 && asked >= policy.urgency.unanswered;
    if says && is_due && !message.triage.kind.is_empty() && message.triage.kind != [MatterKind::Feedback] {
        reasons.push(Reason::new("urgency", OnTriage::Unanswered { count: asked }));
    }
    (if reasons.is_empty() { own } else { Priority::High }, reasons)
}

/// By which name what he says is raised: by a proven address of his, whichever he writes from.
fn raised<'a>(resolved: &Resolved, facts: &Facts, policy: &'a Policy) -> Option<&'a str> {
    if policy.urgency.raised.is_empty() {
        return None;
    }
    let touched = resolved.identities.iter().map(|touched| (&touched.identity, touched.assurance));
    let known = resolved.resolution.contact().into_iter().flat_map(|contact| facts.identities_of(contact));
    let known = known.map(|known| (&known.identity, known.assurance));
    let mut proven = touched.chain(known).filter(|(_, assurance)| *assurance >= Assurance::Proven);
    proven.find_map(|(identity, _)| name_of(identity, policy))
}

fn name_of<'a>(identity: &Identity, policy: &'a Policy) -> Option<&'a str> {
    let address = EmailAddress::parse(&identity.value).ok().filter(|_| identity.scope.is_empty())?;
    let domain = address.domain();
    let of = |domain: &str| policy.urgency.raised.get(domain).map(String::as_str);
    of(domain).or_else(|| of(registrable_domain(domain)?))
}
