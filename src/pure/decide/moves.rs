//! A person is reached elsewhere from now on → whose the addresses are.
//!
//! A platform says that somebody changed his number or got another id. The new addresses become his;
//! the old ones are closed, each with the epoch in which it was his: what is written from one later
//! is somebody else's, who gets the next epoch and a contact of his own. What was written before, and
//! only comes late, still finds him.
//!
//! **Invariant:** only the platform's own notice moves anybody ([`Incoming::is_move`]); a customer who
//! says that he has another number states a claim, no more.
//!
//! [`Incoming::is_move`]: crate::pure::domain::message::Incoming::is_move

use super::evidence::{BITS_SAME_ID, is_shared};
use super::lookup::Keyer;
use super::resolve::Resolved;
use crate::pure::domain::Timestamp;
use crate::pure::domain::contact::{CONTACT_IDENTITIES_MAX, KnownIdentity};
use crate::pure::domain::decision::*;
use crate::pure::domain::facts::*;
use crate::pure::domain::id::{ContactId, IdMint, IdentityId};
use crate::pure::domain::message::{Message, Place, SenderIdentity};
use crate::pure::domain::rule::Rules;
use crate::pure::domain::say::OnPerson;
use jiff::SignedDuration;

/// How long before the notice somebody may have written from a new address for the first time and be
/// the one who moved there. A notice bears the time at which it was sent, after the move itself; no
/// operator gives a number to the next customer within a day.
pub(super) const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(24);

/// How long after the notice. Later, the number may have changed hands again unseen (IDENTITY.md 4.3, 3).
const BEHIND_MAX: SignedDuration = SignedDuration::from_hours(45 * 24);

/// Whose it is, and which addresses are no longer their person's.
#[derive(Debug)]
pub struct Moved {
    /// The person, with the addresses that are his now and those that were.
    pub resolved: Resolved,
    /// Identities that end, and when.
    pub closed: Vec<(IdentityId, Timestamp)>,
}

/// Follows a move. The message is one: its sender has the old addresses, `moved_to` are the new ones.
pub fn follow(message: &Message, facts: &Facts, mint: &mut IdMint) -> Moved {
    let (touched, closed) = (Vec::new(), Vec::new());
    let mut following = Following { message, facts, mint, sides: Vec::new(), touched, closed };
    for held in &message.incoming.sender.identities {
        following.leave(held);
    }
    for held in &message.incoming.moved_to {
        following.enter(held);
    }
    following.conclude()
}

/// What is kept of the notice: which addresses were left, and which were entered.
pub fn facts(message: &Message, keyer: &Keyer, mint: &mut IdMint) -> Vec<KeptFact> {
    let left = message.incoming.sender.identities.iter().map(|held| (FactKind::Left, held));
    let entered = message.incoming.moved_to.iter().map(|held| (FactKind::Entered, held));
    let kept = left.chain(entered).map(|(kind, held)| KeptFact {
        id: mint.dated(message.received_at),
        kind,
        name: held.identity.scheme.clone(),
        role: None,
        key: keyer.claim(&held.identity),
        mask: held.identity.masked(),
        place: Place::Header,
        assurance: held.assurance,
        refused: false,
    });
    kept.collect()
}

struct Following<'a> {
    message: &'a Message,
    facts: &'a Facts,
    mint: &'a mut IdMint,
    /// Contacts that are the person, the one with the old addresses first, each with an identity of it.
    sides: Vec<(ContactId, IdentityId)>,
    touched: Vec<TouchedIdentity>,
    closed: Vec<(IdentityId, Timestamp)>,
}

impl<'a> Following<'a> {
    fn at(&self) -> Timestamp {
        self.message.trusted_at
    }

    fn is_side(&self, known: &KnownIdentity) -> bool {
        let contact = self.facts.contact_now(known.contact);
        self.sides.iter().any(|(side, _)| *side == contact)
    }

    fn side(&mut self, known: &KnownIdentity) {
        let contact = self.facts.contact_now(known.contact);
        // What several people use is nobody's to take along.
        let is_apart = self.sides.iter().any(|(side, _)| self.facts.are_apart(*side, contact));
        if !self.is_side(known)
            && !is_apart
            && (self.sides.is_empty() || !is_shared(self.facts, contact, Rules::default()))
        {
            self.sides.push((contact, known.id));
        }
    }

    fn touch(&mut self, held: &SenderIdentity, known: Option<&KnownIdentity>) -> IdentityId {
        let id = known.map_or_else(|| self.mint.dated(self.message.received_at), |known| known.id);
        let (identity, assurance) = (held.identity.clone(), held.assurance);
        self.touched.push(TouchedIdentity { id, identity, assurance, new: known.is_none() });
        id
    }

    /// An old address: the person is who had it last before the notice. One that nobody wrote from yet
    /// is kept as his all the same, for a message of before may still come.
    fn leave(&mut self, held: &SenderIdentity) {
        let at = self.at();
        let epochs = self.facts.epochs(&held.identity);
        match epochs.iter().rev().find(|known| known.first_at <= at) {
            Some(known) => {
                self.side(known);
                // It may be closed: another business of ours was told the same.
                if known.closed_at.is_none() {
                    self.closed.push((known.id, at));
                }
            }
            None if epochs.is_empty() => {
                let id = self.touch(held, None);
                self.closed.push((id, at));
            }
            // Only the next owner is known, who has nothing to do with it.
            None => {}
        }
    }

    /// A new address: unknown, or the person wrote from it before the notice came, or somebody else
    /// had it until now.
    fn enter(&mut self, held: &SenderIdentity) {
        let at = self.at();
        let Some(known) = self.facts.identity_at(&held.identity, at) else {
            self.touch(held, None);
            return;
        };
        let since = known.first_at.duration_since(at);
        if self.is_side(known) || (-AHEAD_MAX <= since && since <= BEHIND_MAX) {
            self.side(known);
            self.touch(held, Some(known));
        } else if since < -AHEAD_MAX && known.closed_at.is_none() {
            self.closed.push((known.id, at));
            self.touch(held, None);
        }
    }

    fn conclude(self) -> Moved {
        let Self { message, facts, mint, mut sides, touched, closed } = self;
        let size = |sides: &[(ContactId, IdentityId)]| -> usize {
            sides.iter().map(|(side, _)| facts.identities_of(*side).count()).sum()
        };
        while sides.len() > 1 && size(&sides) > CONTACT_IDENTITIES_MAX {
            sides.pop();
        }
        let contacts: Vec<ContactId> = sides.iter().map(|(side, _)| *side).collect();
        let resolution = match (contacts.as_slice(), contacts.iter().copied().min()) {
            ([_, _, ..], Some(keep)) => {
                Resolution::Merge { keep, absorb: contacts.iter().copied().filter(|side| *side != keep).collect() }
            }
            (_, Some(only)) => Resolution::Known(only),
            (_, None) if touched.is_empty() => Resolution::Nobody,
            (_, None) => Resolution::New(ContactId::of(touched[0].id)),
        };
        let identity = touched.first().map(|touched| touched.id).or(sides.first().map(|(_, identity)| *identity));
        let edge = |(_, to): &(ContactId, IdentityId)| Edge {
            id: mint.dated(message.received_at),
            from: sides[0].1,
            to: *to,
            class: EvidenceClass::SameId,
            bits: BITS_SAME_ID,
            by_message: None,
        };
        let mut edges: Vec<Edge> = sides.iter().skip(1).map(edge).collect();
        // His addresses are one person's, those that he left included.
        let first = identity.into_iter().chain(sides.first().map(|(_, identity)| *identity)).next();
        let here = touched.iter().map(|touched| touched.id).chain(sides.iter().take(1).map(|(_, identity)| *identity));
        let with = here.filter(|id| Some(*id) != first);
        edges.extend(
            with.filter_map(|to| {
                let id = mint.dated(message.received_at);
                let (class, bits) = (EvidenceClass::SameId, BITS_SAME_ID);
                Some(Edge { id, from: first?, to, class, bits, by_message: None })
            })
            .collect::<Vec<_>>(),
        );
        let moved = Reason { bits: Some(BITS_SAME_ID), ..Reason::new("moved", OnPerson::ReachedElsewhere) };
        let reasons = vec![moved];
        let (facts, suggestions, is_tied) = (Vec::new(), Vec::new(), false);
        let resolved = Resolved {
            resolution,
            identity,
            sides: contacts,
            identities: touched,
            closed: Vec::new(),
            facts,
            held_back: Vec::new(),
            edges,
            suggestions,
            is_tied,
            reasons,
        };
        Moved { resolved, closed }
    }
}
