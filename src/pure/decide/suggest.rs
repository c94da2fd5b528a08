//! What evidence points to and does not carry, as it stands now → which suggestions are made, which go on, and which
//! do not hold any more.
//!
//! **Invariants:** it is a function of what is known, as people and tickets are. What an agent accepted or rejected
//! stays, and is not suggested again. Nothing is deleted: what does not hold is withdrawn, and is made again as the
//! same suggestion when it holds again.

use super::anew::{History, Hood, People};
use super::ledger::{Kind, Tie};
use super::rethread::Rethreaded;
use crate::pure::domain::Timestamp;
use crate::pure::domain::decision::{EvidenceClass, SuggestionState, SuggestionTarget};
use crate::pure::domain::id::{ContactId, IdentityId, MessageId, SuggestionId};
use crate::pure::domain::say::Say;
use std::collections::{BTreeMap, BTreeSet};

/// What is suggested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggested {
    /// The message whose contact or ticket it concerns.
    pub message: MessageId,
    /// What that is, as it stands now.
    pub of: Option<SuggestionTarget>,
    /// What may belong together with it.
    pub target: SuggestionTarget,
    /// A message of that side, to look at.
    pub by_message: MessageId,
    /// The class of the evidence; `None` between tickets.
    pub class: Option<EvidenceClass>,
    /// Its weight.
    pub bits: i16,
    /// One sentence.
    pub why: Say,
}

/// A suggestion that was made before.
#[derive(Debug, Clone)]
pub struct Made {
    /// Its id.
    pub id: SuggestionId,
    /// What it says.
    pub says: Suggested,
    /// Where it stands.
    pub state: SuggestionState,
    /// Whose its other message is now.
    pub by: Option<ContactId>,
}

/// What becomes of suggestions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    /// Those that are new.
    pub new: Vec<Suggested>,
    /// Those that say something else now, or hold again.
    pub open: Vec<(SuggestionId, Suggested)>,
    /// Those that hold no more, and what they are from now on.
    pub ended: Vec<(SuggestionId, SuggestionState)>,
}

/// All that is suggested for the people who are decided on, and for what they said.
pub fn suggested(hood: &Hood, people: &People, rethreaded: &Rethreaded) -> Vec<Suggested> {
    let contacts = contacts(people);
    let sight = Sight::of(hood, people, &contacts);
    let said_at: BTreeMap<MessageId, Timestamp> =
        hood.ledger.stated.iter().map(|stated| (stated.message, stated.at)).collect();
    let ties = people.gathered.suggested.iter().filter(|tie| {
        let sides = (contacts.get(&tie.from), contacts.get(&tie.to));
        matches!(sides, (Some(one), Some(other)) if sight.is_clear(*one, *other))
    });
    let mut suggested: Vec<Suggested> = ties.filter_map(|tie| of_tie(tie, hood, &contacts, &said_at)).collect();
    for pointed in &rethreaded.pointed {
        let (message, target) = (pointed.message, SuggestionTarget::Ticket(pointed.ticket));
        if !suggested.iter().any(|known| known.message == message && known.target == target) {
            let of = rethreaded.ticket_of.get(&message).copied().map(SuggestionTarget::Ticket);
            let (class, bits, why) = (None, 0, pointed.why.clone());
            suggested.push(Suggested { message, of, target, by_message: pointed.by_message, class, bits, why });
        }
    }
    suggested
}

/// Whose each identity in sight is now.
fn contacts(people: &People) -> BTreeMap<IdentityId, ContactId> {
    let groups = people.gathered.groups.iter().filter_map(|group| Some((ContactId::of(*group.first()?), group)));
    groups.flat_map(|(contact, group)| group.iter().map(move |id| (*id, contact))).collect()
}

/// Of whom so much is known that what ties two of them is.
struct Sight {
    decided: BTreeSet<ContactId>,
    near: BTreeSet<ContactId>,
    all: BTreeSet<ContactId>,
}

impl Sight {
    fn of(hood: &Hood, people: &People, contacts: &BTreeMap<IdentityId, ContactId>) -> Self {
        let of = |ids: &BTreeSet<IdentityId>| ids.iter().filter_map(|id| contacts.get(id)).copied().collect();
        Self { decided: of(&people.decided), near: of(&hood.near), all: contacts.values().copied().collect() }
    }

    fn is_clear(&self, one: ContactId, other: ContactId) -> bool {
        let are_near = self.near.contains(&one) && self.near.contains(&other);
        self.decided.contains(&one) || self.decided.contains(&other) || are_near
    }
}

/// The later of the two messages that carry it says so; whoever stated nothing himself is shown by his last one.
fn of_tie(
    tie: &Tie,
    hood: &Hood,
    contacts: &BTreeMap<IdentityId, ContactId>,
    said_at: &BTreeMap<MessageId, Timestamp>,
) -> Option<Suggested> {
    let last = |id: &IdentityId| hood.known.get(id).and_then(|known| known.last_message);
    let (from, to) = ((tie.from, tie.messages.0), (tie.to, tie.messages.1));
    let (here, there) = match (tie.messages.0, tie.messages.1) {
        (Some(one), Some(other)) if (said_at.get(&one), one) < (said_at.get(&other), other) => (to, from),
        (None, Some(_)) => (to, from),
        _ => (from, to),
    };
    let message = here.1.or_else(|| last(&here.0))?;
    let by_message = there.1.or_else(|| last(&there.0)).filter(|by| *by != message)?;
    let contact = |id: &IdentityId| contacts.get(id).copied().map(SuggestionTarget::Contact);
    let (of, target) = (contact(&here.0), contact(&there.0)?);
    Some(Suggested { message, of, target, by_message, class: Some(tie.class), bits: tie.bits, why: tie.why.clone() })
}

/// Identities of which all that was suggested is looked at: of those who are decided on, of whom evidence ties to them,
/// and of their namesakes.
pub fn looked_at(hood: &Hood, people: &People) -> BTreeSet<IdentityId> {
    let names = || hood.ledger.stated.iter().filter(|stated| stated.kind == Kind::Name);
    let theirs: BTreeSet<_> =
        names().filter(|stated| people.decided.contains(&stated.by)).map(|stated| stated.key).collect();
    let namesakes = names().filter(|stated| theirs.contains(&stated.key)).map(|stated| stated.by);
    people.decided.iter().copied().chain(hood.near.iter().copied()).chain(namesakes).collect()
}

/// People who are to be decided on too: nobody else is of their name any more within days, and no more is known of
/// them here.
pub fn again(hood: &Hood, people: &People, made: &[Made]) -> BTreeSet<ContactId> {
    let contacts = contacts(people);
    let sight = Sight::of(hood, people, &contacts);
    let by_name = people.gathered.suggested.iter().filter(|tie| tie.class == EvidenceClass::FullName);
    let pairs = by_name.filter_map(|tie| Some((*contacts.get(&tie.from)?, *contacts.get(&tie.to)?)));
    let is_made = |one: ContactId, other: ContactId| {
        let (one, other) = (SuggestionTarget::Contact(one), SuggestionTarget::Contact(other));
        let mut open = made.iter().filter(|made| made.state == SuggestionState::Open).map(|made| &made.says);
        open.any(|says| (says.of, says.target) == (Some(one), other) || (says.of, says.target) == (Some(other), one))
    };
    let missing = pairs.filter(|(one, other)| !sight.is_clear(*one, *other) && !is_made(*one, *other));
    missing.map(|(one, _)| one).collect()
}

/// What becomes of the suggestions that were made, and which are new.
pub fn change(
    wanted: &[Suggested],
    made: &[Made],
    (hood, people): (&Hood, &People),
    history: &History,
    rethreaded: &Rethreaded,
) -> Changed {
    let mut changed = Changed::default();
    let mut left: BTreeMap<SuggestionId, &Made> = made.iter().map(|made| (made.id, made)).collect();
    left.retain(|_, made| !made.state.is_agents());
    for wanted in wanted.iter().filter(|wanted| !made.iter().any(|made| made.answers(wanted))) {
        let same = |made: &&Made| made.says.message == wanted.message && made.says.target == wanted.target;
        match left.values().copied().find(same) {
            Some(before) => {
                left.remove(&before.id);
                if before.state != SuggestionState::Open || before.says != *wanted {
                    changed.open.push((before.id, wanted.clone()));
                }
            }
            None => changed.new.push(wanted.clone()),
        }
    }
    let sight = Sight::of(hood, people, &contacts(people));
    let placed: BTreeSet<MessageId> = history.kept.iter().filter(|kept| !kept.is_beside).map(|kept| kept.id).collect();
    for made in left.values().filter(|made| made.state == SuggestionState::Open) {
        let Suggested { of, target, class, message, .. } = &made.says;
        let is_looked_at = match (of, target) {
            (_, SuggestionTarget::Ticket(ticket)) => {
                placed.contains(message) && rethreaded.tickets.contains_key(ticket)
            }
            // Somebody else of the name may make it nobody's.
            (Some(SuggestionTarget::Contact(one)), SuggestionTarget::Contact(other)) => {
                let is_by_name = *class == Some(EvidenceClass::FullName);
                sight.is_clear(*one, *other) || (is_by_name && sight.all.contains(one) && sight.all.contains(other))
            }
            _ => false,
        };
        if *of == Some(*target) {
            changed.ended.push((made.id, SuggestionState::Overtaken));
        } else if is_looked_at {
            changed.ended.push((made.id, SuggestionState::Withdrawn));
        }
    }
    changed
}

impl Made {
    /// An agent has said already whether these two belong together.
    fn answers(&self, wanted: &Suggested) -> bool {
        let Suggested { message, of, target, .. } = &self.says;
        let other = match target {
            _ if !self.state.is_agents() => return false,
            SuggestionTarget::Ticket(_) => return *message == wanted.message && *target == wanted.target,
            SuggestionTarget::Contact(contact) => Some(SuggestionTarget::Contact(self.by.unwrap_or(*contact))),
        };
        let (one, two) = (wanted.of, Some(wanted.target));
        (*of, other) == (one, two) || (*of, other) == (two, one)
    }
}
