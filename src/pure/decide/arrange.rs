//! What agents did, put behind the messages that it is on: those of the batch, and those that are stored.
//! What is on a message that has not come waits for it.
//!
//! **Invariants:** nothing is decided before the message that it is on. The order of everything else is kept.

use super::lookup::{Keyer, lookup};
use crate::pure::domain::facts::{Lookup, LookupKey};
use crate::pure::domain::id::MessageId;
use crate::pure::domain::message::{Authentication, Message, On, What};
use std::collections::{BTreeMap, HashMap};

/// A message that something is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Which.
    pub message: MessageId,
    /// Where its id is unique.
    pub namespace: String,
}

/// A batch in the order in which it can be decided.
#[derive(Debug, Default)]
pub struct Arranged {
    /// What is to be decided now.
    pub ready: Vec<(Message, Lookup)>,
    /// What waits, each with the key of the message that it waits for.
    pub waiting: Vec<(Message, LookupKey)>,
}

/// The key of the message that something is on.
pub fn wanted(message: &Message, keyer: &Keyer) -> Option<LookupKey> {
    let On { channel, source_key, .. } = message.incoming.on.as_ref().filter(|on| on.message.is_none())?;
    Some(keyer.said(channel, source_key))
}

/// Arranges a batch. `stored` are the messages that are stored already, `early` is what came before the
/// batch and waited.
pub fn arrange(
    batch: Vec<(Message, Lookup)>,
    early: Vec<(Message, Lookup)>,
    stored: &HashMap<LookupKey, Target>,
    keyer: &Keyer,
) -> Arranged {
    let here = targets(&batch);
    let mut behind: BTreeMap<usize, Vec<(Message, Lookup)>> = BTreeMap::new();
    let mut arranged = Arranged::default();
    let mut rest = Vec::with_capacity(batch.len());
    let waited = early.into_iter().map(|act| (0, act));
    for (place, (mut message, lookup)) in waited.chain(batch.into_iter().enumerate()) {
        let Some(key) = wanted(&message, keyer) else {
            rest.push((place, (message, lookup)));
            continue;
        };
        match (stored.get(&key), here.get(&key)) {
            (Some(target), _) => {
                let lookup = bind(&mut message, lookup, target, keyer);
                rest.push((place, (message, lookup)));
            }
            (None, Some((of, target))) => {
                let lookup = bind(&mut message, lookup, target, keyer);
                behind.entry(place.max(*of)).or_default().push((message, lookup));
            }
            (None, None) => arranged.waiting.push((message, key)),
        }
    }
    let last = rest.last().map_or(0, |(place, _)| *place).max(behind.keys().last().copied().unwrap_or(0));
    let mut rest = rest.into_iter().peekable();
    for place in 0..=last {
        while let Some((_, next)) = rest.next_if(|(at, _)| *at == place) {
            arranged.ready.push(next);
        }
        arranged.ready.extend(behind.remove(&place).into_iter().flatten());
    }
    arranged
}

/// The messages of a batch that something may be on, with their places: of several with one id the first that is
/// not denied by its sender's domain.
fn targets(batch: &[(Message, Lookup)]) -> HashMap<LookupKey, (usize, Target)> {
    let mut targets: HashMap<LookupKey, (usize, Target)> = HashMap::new();
    let said = |(_, (message, _)): &(usize, &(Message, Lookup))| {
        message.incoming.what == What::Message && message.incoming.on.is_none()
    };
    let is_denied = |message: &Message| message.incoming.authentication == Some(Authentication::Fail);
    let (denied, others): (Vec<_>, Vec<_>) =
        batch.iter().enumerate().filter(said).partition(|(_, (m, _))| is_denied(m));
    for (place, (message, lookup)) in others.into_iter().chain(denied) {
        let target = Target { message: message.id, namespace: message.incoming.namespace.clone() };
        targets.entry(lookup.said).or_insert((place, target));
    }
    targets
}

/// Tells a message which one it is on. Its own id is of the same namespace, where the channel could not know that.
fn bind(message: &mut Message, keys: Lookup, target: &Target, keyer: &Keyer) -> Lookup {
    let Some(on) = &mut message.incoming.on else { return keys };
    on.message = Some(target.message);
    if !on.is_answered_there {
        return keys;
    }
    message.incoming.namespace.clone_from(&target.namespace);
    lookup(message, keyer)
}
