//! [`Facts`]: all that was looked up, the core's input.
//!
//! A small database in memory, filled by the shell for a whole batch in a constant number of queries.
//! Decisions are taken one by one; [`Facts::apply`] lets the next one see those before.
//!
//! **Invariants:** an id that was merged away is never handed out: [`Facts::contact_of`] and
//! [`Facts::ticket_now`] follow the aliases of the batch. `apply` is the only thing that changes facts.

mod apply;

use super::Timestamp;
use super::contact::{Contact, KnownIdentity};
use super::id::*;
use super::identity::{Assurance, Identity};
use super::message::{Call, CallOutcome, Direction, Message, Place, ReferenceKind, What};
use super::ticket::Ticket;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A keyed hash by which something is looked up without being stored itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LookupKey(pub uuid::Uuid);

/// What a look-up of a fact is about; two kinds never share a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// A full name, folded and sorted.
    Name,
    /// An address or number somebody stated.
    Claim,
    /// A number of a matter.
    Number,
    /// A firm, folded, without its legal form.
    Company,
    /// A message of the desk's: it was sent to him, or he answered it.
    DeskMessage,
    /// The platform says that he left an address.
    Left,
    /// The platform says that he is reached at an address.
    Entered,
}

impl FactKind {
    /// Somebody stated it, or it was sent to him; else a platform says it of an address.
    pub fn is_stated(self) -> bool {
        !matches!(self, Self::Left | Self::Entered)
    }

    /// The stable word, as in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Claim => "claim",
            Self::Number => "number",
            Self::Company => "company",
            Self::DeskMessage => "desk_message",
            Self::Left => "left",
            Self::Entered => "entered",
        }
    }
}

/// Every key the facts of one message may hang on. Made by `decide::lookup`.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// Guards against a second delivery: [`Seen`] by this.
    pub seen_scope: String,
    /// The key within the scope.
    pub seen_key: LookupKey,
    /// The key by which what an agent does finds the message, before it is known in which namespace that is.
    pub said: LookupKey,
    /// What others would point at: the message's own id, its conversation.
    pub own: Vec<(AnchorKind, LookupKey)>,
    /// What it points at, best first, in step with `incoming.references`.
    pub references: Vec<LookupKey>,
    /// Its subject with each participant: left for answers to it, and asked by an answer.
    pub subject: Vec<LookupKey>,
    /// Passages of its own words, left for those who quote them.
    pub passages: Vec<LookupKey>,
    /// Passages that it quotes.
    pub quoted: Vec<LookupKey>,
    /// What it is about: the pattern's name, and the key.
    pub topics: Vec<(String, LookupKey)>,
    /// Keys of its facts, in step with `message.facts`; `None` for what is not looked up.
    pub facts: Vec<Option<LookupKey>>,
    /// Claims that others may have made on the customer's own identities, in step with them, then on
    /// those that he moved to.
    pub claims_on: Vec<LookupKey>,
}

impl Lookup {
    /// The key of the message that an update is about.
    pub fn target(&self, message: &Message) -> Option<LookupKey> {
        let mut references = message.incoming.references.iter().zip(&self.references);
        references.find(|(reference, _)| reference.kind == ReferenceKind::Target).map(|(_, key)| *key)
    }

    /// The key of the message itself, which an update has none of.
    pub fn own_message(&self) -> Option<LookupKey> {
        self.own.iter().find(|(kind, _)| *kind == AnchorKind::Message).map(|(_, key)| *key)
    }
}

/// An update that came before the message it is about, and waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlyUpdate {
    /// What it does.
    pub what: What,
    /// The new text of an edit, the word of a receipt.
    pub text: String,
    /// Why a receipt says that it failed.
    pub why: Option<String>,
    /// Its event time.
    pub at: Timestamp,
    /// The update itself, when it is of the same batch; `None` when it is stored.
    pub of_batch: Option<MessageId>,
}

/// How something is anchored to a ticket (`ticket_reference`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnchorKind {
    /// A message's own id.
    Message,
    /// The vendor's conversation.
    Conversation,
    /// The vendor's group of several customers.
    Group,
    /// A hint that several threads may share.
    Hint,
    /// A number of the matter.
    Number,
    /// A message was pointed at that had not come yet.
    Wanted,
    /// The same by a mail that its sender's domain denies: it draws nobody there, and is looked at again when the
    /// message comes.
    Doubted,
    /// A subject and one who takes part.
    Subject,
    /// A passage of a message's own words.
    Passage,
    /// What the matter is about.
    Topic,
}

impl AnchorKind {
    /// The stable word, as in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Conversation => "conversation",
            Self::Group => "group",
            Self::Hint => "hint",
            Self::Number => "number",
            Self::Wanted => "wanted",
            Self::Doubted => "doubted",
            Self::Subject => "subject",
            Self::Passage => "passage",
            Self::Topic => "topic",
        }
    }

    /// The kind of a stable word.
    pub fn parse(word: &str) -> Option<Self> {
        let all = [
            Self::Message,
            Self::Conversation,
            Self::Group,
            Self::Hint,
            Self::Number,
            Self::Wanted,
            Self::Doubted,
            Self::Subject,
            Self::Passage,
            Self::Topic,
        ];
        all.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A key that leads to a ticket.
#[derive(Debug, Clone)]
pub struct Anchor {
    /// How.
    pub kind: AnchorKind,
    /// The ticket; `None` for a message that is on none.
    pub ticket: Option<TicketId>,
    /// The message that anchored it.
    pub message: MessageId,
    /// Who said that message.
    pub direction: Direction,
    /// Its event time.
    pub at: Timestamp,
    /// It is that of a message which names no other: what others say that it answers is all there is.
    pub is_bare: bool,
}

impl Anchor {
    /// What is kept beside the key of a message that names no other.
    pub const BARE: &'static str = "bare";
}

/// A message that has been taken in before, found by its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The message.
    pub message: MessageId,
}

/// A message, as far as what agents do about it needs to know.
#[derive(Debug, Clone)]
pub struct Said {
    /// Its ticket, if it is on one.
    pub ticket: Option<TicketId>,
    /// Whose it is.
    pub talk: Talk,
    /// A customer said it himself: it opens his conversation, or opens it again.
    pub is_customers: bool,
    /// It was a call.
    pub is_call: bool,
}

/// One side of a matter: what a contact and the desk say to each other on a channel. A matter over several
/// channels has several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Talk {
    /// The configured channel.
    pub channel: String,
    /// An identity of the contact; `None` for callers of whom nothing is known.
    pub identity: Option<IdentityId>,
    /// Event time: of its last word, or of its closing.
    pub at: Timestamp,
}

/// Somebody who stated a fact earlier.
#[derive(Debug, Clone)]
pub struct Holder {
    /// The fact.
    pub fact: FactId,
    /// Who stated it.
    pub identity: IdentityId,
    /// In which message.
    pub message: MessageId,
    /// The trusted time of that message.
    pub at: Timestamp,
    /// How well that message's sender was vouched for.
    pub assurance: Assurance,
    /// Where in the message it stood.
    pub place: Place,
}

/// A number that somebody named and that turned out to be somebody else's.
#[derive(Debug, Clone)]
pub struct Refused {
    /// Who named it.
    pub identity: IdentityId,
    /// On which channel.
    pub channel: String,
    /// When, by its trusted time.
    pub at: Timestamp,
}

/// A ticket with what deciding needs of it.
#[derive(Debug, Clone)]
pub struct KnownTicket {
    /// The ticket.
    pub ticket: Ticket,
    /// Who takes part and why he may.
    pub participants: BTreeMap<ContactId, EntitledBy>,
    /// Numbers of its matter: pattern's name → keys.
    pub numbers: BTreeMap<String, BTreeSet<LookupKey>>,
    /// What it is about: pattern's name → keys.
    pub topics: BTreeMap<String, BTreeSet<LookupKey>>,
    /// It is the ticket of a group of several customers.
    pub is_group: bool,
    /// An agent put messages of it together or apart: no rule joins it with another as a whole.
    pub is_held: bool,
}

/// Why a contact takes part in a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntitledBy {
    /// He brought the matter.
    Opener,
    /// He answered something the desk sent.
    DeskMessage,
    /// An authenticated colleague of a participant.
    Organisation,
    /// The same contact under another identity.
    SameContact,
    /// The desk wrote to him.
    Addressed,
    /// He speaks in the vendor's group that the ticket is about.
    Group,
    /// An agent put what he said there.
    Agent,
}

impl EntitledBy {
    /// The stable word, as in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opener => "opener",
            Self::DeskMessage => "desk_message",
            Self::Organisation => "organisation",
            Self::SameContact => "same_contact",
            Self::Addressed => "addressed",
            Self::Group => "group",
            Self::Agent => "agent",
        }
    }

    /// The reason of a stable word.
    pub fn parse(word: &str) -> Option<Self> {
        let all =
            [Self::Opener, Self::DeskMessage, Self::Organisation, Self::SameContact, Self::Addressed, Self::Group];
        all.into_iter().chain([Self::Agent]).find(|by| by.as_str() == word)
    }
}

/// A call already stored, to which another leg came.
#[derive(Debug, Clone)]
pub struct KnownCall {
    /// Its legs so far.
    pub call: Call,
    /// The text so far.
    pub text: String,
    /// The identity it was decided for.
    pub identity: Option<IdentityId>,
    /// Its ticket.
    pub ticket: Option<TicketId>,
    /// Its event time.
    pub occurred_at: Timestamp,
    /// Who called: the customer, as soon as any leg is his.
    pub direction: Direction,
}

impl KnownCall {
    /// A customer called, and over all legs nobody took it: somebody has to call back.
    pub fn is_to_be_returned(&self) -> bool {
        self.direction == Direction::FromCustomer
            && self.identity.is_some()
            && self.call.outcome != CallOutcome::Answered
    }
}

/// All that was looked up for a batch of one tenant.
#[derive(Debug, Default)]
pub struct Facts {
    /// Repeats.
    pub seen: HashMap<(String, LookupKey), Seen>,
    /// Identities by address, the latest epoch; it may be closed.
    pub identities: HashMap<Identity, KnownIdentity>,
    /// Those of which somebody says that they are not he, whatever they bring of his; found when people are decided anew.
    pub denied: BTreeSet<IdentityId>,
    /// Earlier epochs of them, closed all.
    pub earlier: HashMap<IdentityId, KnownIdentity>,
    /// Contacts of those identities and of every candidate.
    pub contacts: HashMap<ContactId, Contact>,
    /// Identities of each loaded contact.
    pub identities_of: HashMap<ContactId, BTreeSet<IdentityId>>,
    /// Address of each loaded identity.
    pub address_of: HashMap<IdentityId, Identity>,
    /// Who stated a fact, the latest first, at most [`HOLDERS_MAX`] a key.
    pub holders: HashMap<LookupKey, Vec<Holder>>,
    /// Where keys lead, the latest first, at most [`ANCHORS_MAX`] a key.
    pub anchors: HashMap<LookupKey, Vec<Anchor>>,
    /// Updates that wait for a message, by its key, at most [`EARLY_MAX`] stored ones a key.
    pub early: HashMap<LookupKey, Vec<EarlyUpdate>>,
    /// Tickets of candidates and of anchors.
    pub tickets: HashMap<TicketId, KnownTicket>,
    /// Tickets of each loaded contact, the latest [`TICKETS_MAX`].
    pub tickets_of: HashMap<ContactId, BTreeSet<TicketId>>,
    /// Calls to which legs may come.
    pub calls: HashMap<MessageId, KnownCall>,
    /// Messages that agents' acts of the batch are on, and all that the batch brought.
    pub said: HashMap<MessageId, Said>,
    /// The last word of each conversation that is stored, on tickets that are to be closed.
    pub talks: Vec<(TicketId, Talk)>,
    /// Closings of conversations on those tickets.
    pub closings: Vec<(TicketId, Talk)>,
    /// Identities that agents keep apart.
    pub apart: HashSet<(IdentityId, IdentityId)>,
    /// Tickets that agents said are not one, each beside the other.
    pub rejected: HashSet<(TicketId, TicketId)>,
    /// Numbers that turned out to be somebody else's, from an hour before the batch on.
    pub refused: Vec<Refused>,
    /// Keys of erased things; what hangs on one is not taken in again.
    pub tombstones: HashSet<LookupKey>,
    /// Contacts that a decision of the batch joined into another.
    pub gone_contacts: HashMap<ContactId, Contact>,
    /// Tickets that a decision of the batch joined into another.
    pub gone_tickets: HashMap<TicketId, Ticket>,
    contact_alias: HashMap<ContactId, ContactId>,
    ticket_alias: HashMap<TicketId, TicketId>,
}

/// Latest statements of one fact that are looked at. A secret held by more than six contacts makes
/// no edge anyway (IDENTITY.md 4.3, 5).
pub const HOLDERS_MAX: usize = 16;
/// Latest anchors of one key that are looked at.
pub const ANCHORS_MAX: usize = 8;
/// Stored updates of one message that are looked at when it comes, those that change its text first. All of
/// them are put on its ticket.
pub const EARLY_MAX: usize = 100;
/// Latest tickets of one contact that are looked at.
pub const TICKETS_MAX: usize = 20;

impl Facts {
    /// The contact that an id stands for now.
    pub fn contact_now(&self, id: ContactId) -> ContactId {
        let mut id = id;
        while let Some(next) = self.contact_alias.get(&id) {
            id = *next;
        }
        id
    }

    /// The ticket that an id stands for now.
    pub fn ticket_now(&self, id: TicketId) -> TicketId {
        let mut id = id;
        while let Some(next) = self.ticket_alias.get(&id) {
            id = *next;
        }
        id
    }

    /// A known identity by id.
    pub fn identity(&self, id: IdentityId) -> Option<&KnownIdentity> {
        let latest = || self.identities.get(self.address_of.get(&id)?).filter(|known| known.id == id);
        self.earlier.get(&id).or_else(latest)
    }

    fn identity_mut(&mut self, id: IdentityId) -> Option<&mut KnownIdentity> {
        match self.earlier.get_mut(&id) {
            Some(known) => Some(known),
            None => self.identities.get_mut(self.address_of.get(&id)?).filter(|known| known.id == id),
        }
    }

    /// All epochs of an address that are known, the first one first.
    pub fn epochs(&self, identity: &Identity) -> Vec<&KnownIdentity> {
        let latest = self.identities.get(identity);
        // Only addresses that were left once have earlier epochs, and those are few.
        let earlier = self.earlier.values().filter(|known| known.identity == *identity);
        let mut epochs: Vec<_> = earlier.chain(latest).collect();
        epochs.sort_by_key(|known| known.epoch);
        epochs
    }

    /// The identity that an address was at an instant: of the person who had it then. `None` when
    /// nobody known had it, also after a platform said that the last one left it.
    pub fn identity_at(&self, identity: &Identity, at: Timestamp) -> Option<&KnownIdentity> {
        match self.identities.get(identity)? {
            only if only.epoch == 1 && only.closed_at.is_none() => Some(only),
            _ => self.epochs(identity).into_iter().find(|known| known.holds_at(at)),
        }
    }

    /// When the epoch of an address that holds at an instant began, if somebody else had it before.
    pub fn epoch_began(&self, identity: &Identity, at: Timestamp) -> Option<Timestamp> {
        self.epochs(identity).into_iter().filter_map(|known| known.closed_at).filter(|closed| *closed <= at).max()
    }

    /// Adds an identity as it is stored.
    pub fn take_identity(&mut self, known: KnownIdentity) {
        self.address_of.insert(known.id, known.identity.clone());
        self.identities_of.entry(known.contact).or_default().insert(known.id);
        if self.identities.get(&known.identity).is_some_and(|latest| latest.epoch > known.epoch) {
            self.earlier.insert(known.id, known);
        } else if let Some(before) = self.identities.insert(known.identity.clone(), known.clone())
            && before.id != known.id
        {
            self.earlier.insert(before.id, before);
        }
    }

    /// Whose an identity is.
    pub fn contact_of(&self, id: IdentityId) -> Option<ContactId> {
        Some(self.contact_now(self.identity(id)?.contact))
    }

    /// The identities of a contact that are loaded.
    pub fn identities_of(&self, contact: ContactId) -> impl Iterator<Item = &KnownIdentity> {
        self.identities_of.get(&contact).into_iter().flatten().filter_map(|id| self.identity(*id))
    }

    /// Whether an agent said that two contacts are not one person.
    pub fn are_apart(&self, one: ContactId, other: ContactId) -> bool {
        self.apart.iter().any(|(a, b)| match (self.contact_of(*a), self.contact_of(*b)) {
            (Some(a), Some(b)) => (a, b) == (one, other) || (b, a) == (one, other),
            _ => false,
        })
    }

    /// A ticket as it stands now.
    pub fn ticket(&self, id: TicketId) -> Option<&KnownTicket> {
        self.tickets.get(&self.ticket_now(id))
    }

    /// The tickets a contact takes part in.
    pub fn tickets_of(&self, contact: ContactId) -> impl Iterator<Item = &KnownTicket> {
        self.tickets_of.get(&contact).into_iter().flatten().filter_map(|id| self.tickets.get(id))
    }
}
