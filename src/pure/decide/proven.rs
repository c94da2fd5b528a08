//! Whoever answers what the desk sent to him alone is himself, whatever became of his signature on the way
//! (IDENTITY.md 4.1, level 2).
//!
//! **Invariant:** the id of the desk's message is the proof: it is believed only from the address to which that
//! message went, and only if it went to nobody else.

use super::lookup::{Keyer, lookup};
use super::resolve::ANSWERED_MAX;
use crate::pure::domain::facts::{Facts, Lookup, LookupKey};
use crate::pure::domain::identity::{Assurance, CONTRADICTED_SCOPE};
use crate::pure::domain::message::{Authentication, Direction, Mark, Message, ReferenceKind};
use crate::pure::domain::rule::{Rule, Rules};

/// The message, believed if it answers the desk; else as it was.
pub fn believe(mut message: Message, keys: Lookup, facts: &Facts, keyer: &Keyer, rules: Rules) -> (Message, Lookup) {
    if message.incoming.authentication != Some(Authentication::Fail)
        || message.incoming.direction != Direction::FromCustomer
        || !rules.heed(Rule::AnswerProves)
        || !answers_us(&message, &keys, facts)
    {
        return (message, keys);
    }
    for held in &mut message.incoming.sender.identities {
        if held.identity.scope == CONTRADICTED_SCOPE {
            held.identity.scope.clear();
            held.assurance = Assurance::Proven;
        }
    }
    message.incoming.authentication = Some(Authentication::None);
    message.incoming.marks.retain(|mark| *mark != Mark::Contradicted);
    message.assurance = Assurance::Proven;
    let keys = lookup(&message, keyer);
    (message, keys)
}

fn answers_us(message: &Message, keys: &Lookup, facts: &Facts) -> bool {
    let Some(claimed) = message.impersonated().next() else { return false };
    let Some(claimed) = facts.identity_at(&claimed, message.trusted_at) else { return false };
    let references = message.incoming.references.iter().zip(&keys.references);
    let answered = references
        .filter(|(reference, _)| matches!(reference.kind, ReferenceKind::Reply | ReferenceKind::Ancestor))
        .take(ANSWERED_MAX)
        .map(|(_, key)| key);
    let went_to_him = |key: &LookupKey| {
        let anchors = facts.anchors.get(key).into_iter().flatten();
        let mut holders = facts.holders.get(key).into_iter().flatten();
        anchors.into_iter().any(|anchor| anchor.direction == Direction::FromAgent)
            && holders.any(|holder| holder.identity == claimed.id && holder.assurance >= Assurance::Proven)
    };
    answered.into_iter().any(went_to_him)
}
