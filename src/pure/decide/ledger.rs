//! What is known of identities, to be weighed: who they are, what was stated by them, and what ties them.

use crate::pure::domain::Timestamp;
use crate::pure::domain::decision::EvidenceClass;
use crate::pure::domain::facts::LookupKey;
use crate::pure::domain::id::{IdentityId, MessageId};
use crate::pure::domain::identity::{Assurance, Identity};
use crate::pure::domain::message::{Denied, Place};
use crate::pure::domain::name::PersonName;
use crate::pure::domain::rule::Rules;
use crate::pure::domain::say::Say;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// An identity with all that was stated by it and of it.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its id.
    pub id: IdentityId,
    /// The address.
    pub identity: Identity,
    /// Where claims of it are found.
    pub claim: LookupKey,
    /// From when on claims of the address mean this owner; `None` for its first.
    pub since: Option<Timestamp>,
    /// Until when, if he left it.
    pub until: Option<Timestamp>,
    /// The best assurance any delivery gave it.
    pub assurance: Assurance,
    /// The names its owner goes by.
    pub names: Vec<PersonName>,
    /// Event time of its last message.
    pub last_at: Timestamp,
    /// When it was first used.
    pub first_at: Timestamp,
    /// When it last called, as far as is known.
    pub last_call_at: Option<Timestamp>,
    /// When it last called before a platform vouched for it, if one does; as far as is known.
    pub called_at: Option<Timestamp>,
    /// It is known that several people use it.
    pub is_shared: bool,
    /// The firm whose mail domain it is of.
    pub firm: Option<String>,
}

/// What is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A secret number of a matter.
    Number,
    /// An address or telephone number, as one's own.
    Claim,
    /// The desk's own message: it was sent to him, or he answered it.
    DeskMessage,
    /// A full name.
    Name,
    /// A firm.
    Company,
}

/// A statement of one identity in one message.
#[derive(Debug, Clone)]
pub struct Stated {
    /// What.
    pub kind: Kind,
    /// The keyed hash of it.
    pub key: LookupKey,
    /// For people: what it is, masked.
    pub shown: String,
    /// Who.
    pub by: IdentityId,
    /// In which message.
    pub message: MessageId,
    /// Its trusted time.
    pub at: Timestamp,
    /// How well its sender was vouched for.
    pub assurance: Assurance,
    /// Where in the message.
    pub place: Place,
}

/// Somebody says that he did not use something.
#[derive(Debug, Clone)]
pub struct Denial {
    /// Who, by what he speaks by.
    pub by: IdentityId,
    /// What.
    pub what: Denied,
    /// When.
    pub at: Timestamp,
}

/// What a person, or the platform, has said about two identities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// The platform vouches for both at once, or says that the one moved to the other.
    Platform,
    /// An agent says that they are one person's.
    Same,
    /// An agent says that they are not.
    Apart,
}

/// All that is weighed.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// Identities.
    pub members: Vec<Member>,
    /// Statements of theirs.
    pub stated: Vec<Stated>,
    /// What they say that they did not use.
    pub denials: Vec<Denial>,
    /// Words on pairs of them.
    pub words: Vec<(IdentityId, IdentityId, Word)>,
    /// Within so long of each other two people of one full name may be one.
    pub namesakes_within: Duration,
    /// The rules in force.
    pub rules: Rules,
}

/// Evidence between two identities, standing for the groups they are in.
#[derive(Debug, Clone, PartialEq)]
pub struct Tie {
    /// The one.
    pub from: IdentityId,
    /// The other.
    pub to: IdentityId,
    /// What it is.
    pub class: EvidenceClass,
    /// Its weight.
    pub bits: i16,
    /// It may join by itself.
    pub is_strong: bool,
    /// Each side's has been seen by nobody else, as far as is known: the desk told it there.
    pub is_private: (bool, bool),
    /// Each side brought it before anybody else did.
    pub is_first: (bool, bool),
    /// The messages that carry it: that of `from`, that of `to`.
    pub messages: (Option<MessageId>, Option<MessageId>),
    /// When the later of what carries it was said.
    pub at: Timestamp,
    /// One sentence.
    pub why: Say,
}

impl Tie {
    /// Seen from a group that has one end of it: the other end, and the message that carries it there.
    pub fn from_group(&self, group: &BTreeSet<IdentityId>) -> Option<(IdentityId, Option<MessageId>)> {
        match (group.contains(&self.from), group.contains(&self.to)) {
            (true, _) => Some((self.to, self.messages.1)),
            (false, true) => Some((self.from, self.messages.0)),
            (false, false) => None,
        }
    }
}

impl Ledger {
    /// The parts that nothing ties to one another, each with the groups of it that stand already: what is weighed by
    /// itself costs as much as it may touch.
    pub fn parts(&self, start: &[BTreeSet<IdentityId>]) -> Vec<(Ledger, Vec<BTreeSet<IdentityId>>)> {
        let place: BTreeMap<IdentityId, usize> =
            self.members.iter().enumerate().map(|(n, member)| (member.id, n)).collect();
        let mut above: Vec<usize> = (0..self.members.len()).collect();
        let mut tie = |one: usize, other: usize| {
            let (one, other) = (top(&mut above, one), top(&mut above, other));
            above[one.max(other)] = one.min(other);
        };
        // A claim's key is that of the address itself: the claimed and those who claim it share it.
        let mut first: BTreeMap<LookupKey, usize> = BTreeMap::new();
        let claimed = self.members.iter().map(|member| (member.claim, member.id));
        for (key, id) in claimed.chain(self.stated.iter().map(|stated| (stated.key, stated.by))) {
            if let Some(n) = place.get(&id) {
                tie(*first.entry(key).or_insert(*n), *n);
            }
        }
        let words = self.words.iter().map(|(a, b, _)| [a, b]);
        for [a, b] in
            words.chain(start.iter().flat_map(|group| group.iter().zip(group.iter().skip(1)).map(|(a, b)| [a, b])))
        {
            if let (Some(a), Some(b)) = (place.get(a), place.get(b)) {
                tie(*a, *b);
            }
        }
        let mut parts: BTreeMap<usize, (Ledger, Vec<BTreeSet<IdentityId>>)> = BTreeMap::new();
        let part_of: Vec<usize> = (0..above.len()).map(|n| top(&mut above, n)).collect();
        let part = |id: &IdentityId| place.get(id).map(|n| part_of[*n]);
        for (n, member) in self.members.iter().enumerate() {
            let (part, _) = parts.entry(part_of[n]).or_default();
            part.namesakes_within = self.namesakes_within;
            part.rules = self.rules;
            part.members.push(member.clone());
        }
        for stated in &self.stated {
            if let Some(part) = part(&stated.by) {
                parts.entry(part).or_default().0.stated.push(stated.clone());
            }
        }
        for denial in &self.denials {
            if let Some(part) = part(&denial.by) {
                parts.entry(part).or_default().0.denials.push(denial.clone());
            }
        }
        for word in &self.words {
            if let Some(part) = part(&word.0) {
                parts.entry(part).or_default().0.words.push(*word);
            }
        }
        for group in start {
            if let Some(part) = group.first().and_then(part) {
                parts.entry(part).or_default().1.push(group.clone());
            }
        }
        parts.into_values().collect()
    }
}

/// The end of a chain, which is made shorter on the way.
fn top(above: &mut [usize], mut n: usize) -> usize {
    while above[n] != n {
        above[n] = above[above[n]];
        n = above[n];
    }
    n
}
