//! The core's input and output: [`Facts`], all that was looked up, and [`Decision`], all that follows.
//!
//! `Facts` is a small database in memory, filled by the shell for a whole batch in a constant number
//! of queries. Decisions are taken one by one; [`Facts::apply`] lets the next one see those before.
//!
//! **Invariants:** an id that was merged away is never handed out: [`Facts::contact_of`] and
//! [`Facts::ticket_now`] follow the aliases of the batch. `apply` is the only thing that changes facts.

use super::Timestamp;
use super::contact::{Contact, ContactKind, KnownIdentity, is_role_address};
use super::id::*;
use super::identity::{Assurance, Identity};
use super::message::{Call, CallOutcome, Direction, MatterRole, Message, Place, ReferenceKind, What};
use super::outbox::Change;
use super::ticket::{Ticket, TicketState, Triage};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A keyed hash by which something is looked up without being stored itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LookupKey(pub uuid::Uuid);

/// What a look-up of a fact is about; two kinds never share a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactKind {
    /// A full name, folded and sorted.
    Name,
    /// An address or number somebody stated.
    Claim,
    /// A number of a matter.
    Number,
}

impl FactKind {
    /// The stable word, as in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Claim => "claim",
            Self::Number => "number",
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
    /// What others would point at: the message's own id, its conversation.
    pub own: Vec<(AnchorKind, LookupKey)>,
    /// What it points at, best first, in step with `incoming.references`.
    pub references: Vec<LookupKey>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
        }
    }

    /// The kind of a stable word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Message, Self::Conversation, Self::Group, Self::Hint, Self::Number, Self::Wanted]
            .into_iter()
            .find(|kind| kind.as_str() == word)
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
}

/// A message that has been taken in before, found by its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The message.
    pub message: MessageId,
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
}

/// A number that somebody named and that turned out to be somebody else's.
#[derive(Debug, Clone)]
pub struct Refused {
    /// Who named it.
    pub identity: IdentityId,
    /// On which channel.
    pub channel: String,
    /// When it arrived.
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
    /// It is the ticket of a group of several customers.
    pub is_group: bool,
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
        }
    }

    /// The reason of a stable word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Opener, Self::DeskMessage, Self::Organisation, Self::SameContact, Self::Addressed, Self::Group]
            .into_iter()
            .find(|by| by.as_str() == word)
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

/// Whose message it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// A contact that was known.
    Known(ContactId),
    /// A new contact with this id.
    New(ContactId),
    /// The evidence joins contacts; the older one stays.
    Merge {
        /// The contact that stays.
        keep: ContactId,
        /// Contacts that become aliases of it.
        absorb: Vec<ContactId>,
    },
    /// Nobody can be told from it: an anonymous caller, an internal call.
    Nobody,
}

impl Resolution {
    /// The contact, if there is one.
    pub fn contact(&self) -> Option<ContactId> {
        match self {
            Self::Known(id) | Self::New(id) | Self::Merge { keep: id, .. } => Some(*id),
            Self::Nobody => None,
        }
    }
}

/// Which ticket it joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// An existing one; its state stays.
    Join(TicketId),
    /// A closed one, which is open again.
    Reopen(TicketId),
    /// A new one.
    Open {
        /// Its id.
        ticket: TicketId,
        /// The closed one it continues.
        follow_up_of: Option<TicketId>,
    },
    /// None: it never opens one and belongs to none.
    None,
}

impl Placement {
    /// The ticket, if there is one.
    pub fn ticket(&self) -> Option<TicketId> {
        match self {
            Self::Join(id) | Self::Reopen(id) | Self::Open { ticket: id, .. } => Some(*id),
            Self::None => None,
        }
    }
}

/// The class of evidence between two identities (IDENTITY.md 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EvidenceClass {
    /// One delivery vouches for both.
    SameId,
    /// They name each other, or one names the other with more behind it.
    IdMentioned,
    /// The same secret number, and the names agree.
    OrderNumber,
    /// One states the other's identifier, and nothing else.
    AssertedId,
    /// The same secret number, and no name to hold against it.
    OrderOnly,
    /// The same full name within days, and nobody else of that name.
    FullName,
}

impl EvidenceClass {
    /// The stable word, as in SQL and explanations.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SameId => "same_id",
            Self::IdMentioned => "id_mentioned",
            Self::OrderNumber => "order_number",
            Self::AssertedId => "asserted_id",
            Self::OrderOnly => "order_only",
            Self::FullName => "full_name",
        }
    }

    /// Whether the class may join by itself. The bits rank and explain; this is the guard.
    pub fn is_strong(self) -> bool {
        matches!(self, Self::SameId | Self::IdMentioned | Self::OrderNumber)
    }
}

/// Evidence that carried a join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Its id.
    pub id: EdgeId,
    /// The message's identity.
    pub from: IdentityId,
    /// The other one.
    pub to: IdentityId,
    /// The class.
    pub class: EvidenceClass,
    /// log2 of the Bayes factor, by hand.
    pub bits: i16,
    /// The earlier message whose fact carries it, if one does.
    pub by_message: Option<MessageId>,
}

/// A join that evidence points to but does not carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// Its id.
    pub id: SuggestionId,
    /// What would be joined.
    pub target: SuggestionTarget,
    /// A message of the other side, to look at.
    pub message: MessageId,
    /// The class of the evidence; `None` between tickets.
    pub class: Option<EvidenceClass>,
    /// Its weight.
    pub bits: i16,
    /// One sentence.
    pub why: String,
}

/// What a suggestion would join the message's contact or ticket with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuggestionTarget {
    /// Another contact.
    Contact(ContactId),
    /// Another ticket.
    Ticket(TicketId),
}

/// An earlier placement that is mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The ticket that ends; its id becomes an alias.
    pub from: TicketId,
    /// Where all its messages go.
    pub to: TicketId,
    /// One sentence.
    pub why: String,
}

/// A change for the mirrors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What happened.
    pub change: Change,
    /// In the lane of which ticket.
    pub ticket: TicketId,
    /// The other ticket of a merge.
    pub other: Option<TicketId>,
    /// The message concerned.
    pub message: Option<MessageId>,
    /// It must wait for the change before it in this list, which is in the other lane.
    pub waits: bool,
    /// The change's own particulars: ids only.
    pub detail: Option<String>,
}

/// Why something was decided: the rule's stable name and one sentence for people, in which
/// identifiers are masked.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reason {
    /// The rule.
    pub rule: String,
    /// The sentence.
    pub text: String,
    /// The weight of the evidence, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits: Option<i16>,
}

impl Reason {
    /// A reason without weight.
    pub fn new(rule: &str, text: impl Into<String>) -> Self {
        Self { rule: rule.to_owned(), text: text.into(), bits: None }
    }
}

/// What a delivered item turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemRole {
    /// A message, here for the first time.
    First,
    /// A message that was here before.
    Repeat,
    /// Another leg of a known call.
    Leg,
    /// Something about an earlier message.
    Update,
    /// The platform's notice that a person is reached elsewhere from now on.
    Move,
    /// A message that was erased: it is not taken in again (promise P8).
    Erased,
}

impl ItemRole {
    /// The stable word, as in SQL and `export assignments`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Repeat | Self::Erased => "repeat",
            Self::Leg => "leg",
            Self::Update | Self::Move => "update",
        }
    }
}

/// An identity that the message brings or touches.
#[derive(Debug, Clone)]
pub struct TouchedIdentity {
    /// Its id, new or known.
    pub id: IdentityId,
    /// The address.
    pub identity: Identity,
    /// What this delivery vouches for.
    pub assurance: Assurance,
    /// It was not known before, or was another person's.
    pub new: bool,
}

/// A fact to be kept.
#[derive(Debug, Clone)]
pub struct KeptFact {
    /// Its id.
    pub id: FactId,
    /// What kind.
    pub kind: FactKind,
    /// The matter's name for a number, the scheme for a claim, empty for a name.
    pub name: String,
    /// The number's role.
    pub role: Option<MatterRole>,
    /// The keyed hash.
    pub key: LookupKey,
    /// A form that people may see.
    pub mask: String,
    /// Where it stood.
    pub place: Place,
    /// It was looked up and refused: it counts as a failed guess.
    pub refused: bool,
}

/// All that follows from one message.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The message decided on; for a repeat, leg or update the earlier one, if it is known.
    pub message: MessageId,
    /// What the item is.
    pub role: ItemRole,
    /// Whose it is.
    pub resolution: Resolution,
    /// The customer's first identity, if he has one.
    pub identity: Option<IdentityId>,
    /// Identities it brings or touches.
    pub identities: Vec<TouchedIdentity>,
    /// Identities that are no longer their person's, and since when.
    pub closed: Vec<(IdentityId, Timestamp)>,
    /// Facts to be kept.
    pub facts: Vec<KeptFact>,
    /// Evidence that joined.
    pub edges: Vec<Edge>,
    /// Where it goes.
    pub placement: Placement,
    /// Why its contact takes part, when he did not before.
    pub entitled_by: Option<EntitledBy>,
    /// Keys by which later messages find the ticket.
    pub anchors: Vec<(AnchorKind, LookupKey, String)>,
    /// What evidence points to but does not carry.
    pub suggestions: Vec<Suggestion>,
    /// Earlier placements that are mended.
    pub moves: Vec<Move>,
    /// Kind and urgency.
    pub triage: Triage,
    /// What mirrors hear, in order.
    pub changes: Vec<Told>,
    /// Updates that came before the message, and apply to it now.
    pub early: Vec<EarlyUpdate>,
    /// A call with the new leg in it.
    pub call: Option<(Call, String)>,
    /// The message's marks say more than the channel knew.
    pub message_id_reused: bool,
    /// Why.
    pub reasons: Vec<Reason>,
}

impl Decision {
    /// It is an update about a message that has not come.
    pub fn is_early(&self, message: &Message) -> bool {
        self.role == ItemRole::Update && self.message == message.id
    }

    /// Identities whose rows change.
    pub fn touched_ids(&self) -> impl Iterator<Item = IdentityId> {
        let touched = self.identities.iter().map(|touched| touched.id);
        touched.chain(self.closed.iter().map(|(id, _)| *id))
    }
}

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

    /// A ticket as it stands now.
    pub fn ticket(&self, id: TicketId) -> Option<&KnownTicket> {
        self.tickets.get(&self.ticket_now(id))
    }

    /// The tickets a contact takes part in.
    pub fn tickets_of(&self, contact: ContactId) -> impl Iterator<Item = &KnownTicket> {
        self.tickets_of.get(&contact).into_iter().flatten().filter_map(|id| self.tickets.get(id))
    }

    /// Makes the decision part of the facts, so that the next message of the batch sees it.
    pub fn apply(&mut self, message: &Message, lookup: &Lookup, decision: &Decision) {
        if matches!(decision.role, ItemRole::First | ItemRole::Leg | ItemRole::Update | ItemRole::Move) {
            let seen = Seen { message: decision.message };
            self.seen.insert((lookup.seen_scope.clone(), lookup.seen_key), seen);
        }
        self.apply_early(message, lookup, decision);
        self.apply_call(message, decision);
        if matches!(decision.role, ItemRole::Repeat | ItemRole::Update | ItemRole::Erased) {
            return;
        }
        self.apply_resolution(message, decision);
        if decision.role == ItemRole::Move {
            return decision.moves.iter().for_each(|moved| self.absorb_ticket(moved.to, moved.from));
        }
        self.apply_placement(message, decision);
        for (kind, key, _) in &decision.anchors {
            let anchor = Anchor {
                kind: *kind,
                ticket: decision.placement.ticket(),
                message: decision.message,
                direction: message.incoming.direction,
                at: message.occurred_at,
            };
            push_front(self.anchors.entry(*key).or_default(), anchor, ANCHORS_MAX);
        }
    }

    fn apply_early(&mut self, message: &Message, lookup: &Lookup, decision: &Decision) {
        match (decision.is_early(message), lookup.target(message), lookup.own_message()) {
            (true, Some(key), _) => self.early.entry(key).or_default().push(EarlyUpdate {
                what: message.incoming.what,
                text: message.incoming.content.text().to_owned(),
                why: message.incoming.subject.clone(),
                at: message.occurred_at,
                of_batch: Some(message.id),
            }),
            (_, _, Some(key)) if decision.role == ItemRole::First => {
                self.early.remove(&key);
            }
            _ => {}
        }
    }

    fn apply_resolution(&mut self, message: &Message, decision: &Decision) {
        let Some(contact) = decision.resolution.contact() else { return };
        if let Resolution::Merge { keep, absorb } = &decision.resolution {
            for gone in absorb {
                self.absorb_contact(*keep, *gone);
            }
        }
        let role = decision.identities.iter().any(|touched| is_role_address(&touched.identity));
        self.contacts.entry(contact).or_insert_with(|| Contact {
            id: contact,
            kind: if role { ContactKind::Shared } else { ContactKind::Person },
            name: None,
            first_at: message.trusted_at,
        });
        for (id, at) in &decision.closed {
            if let Some(known) = self.identity_mut(*id) {
                known.closed_at = Some(*at);
            }
        }
        for touched in &decision.identities {
            self.touch_identity(message, decision, touched, contact);
        }
        if let Some(entry) = self.contacts.get_mut(&contact) {
            entry.first_at = entry.first_at.min(message.trusted_at);
            if entry.name.is_none() {
                entry.name = message.names().next().map(|name| name.written().to_owned());
            }
        }
        let Some(identity) = decision.identity else { return };
        for fact in &decision.facts {
            let holder = Holder {
                fact: fact.id,
                identity,
                message: decision.message,
                at: message.trusted_at,
                assurance: message.assurance,
            };
            push_front(self.holders.entry(fact.key).or_default(), holder, HOLDERS_MAX);
            if fact.refused {
                self.refused.push(Refused { identity, channel: message.channel.clone(), at: message.received_at });
            }
        }
    }

    fn touch_identity(
        &mut self,
        message: &Message,
        decision: &Decision,
        touched: &TouchedIdentity,
        contact: ContactId,
    ) {
        if touched.new {
            let left = decision.closed.iter().find(|(id, _)| *id == touched.id).map(|(_, at)| *at);
            self.take_identity(KnownIdentity {
                id: touched.id,
                identity: touched.identity.clone(),
                epoch: self.identities.get(&touched.identity).map_or(1, |latest| latest.epoch + 1),
                closed_at: left,
                contact,
                assurance: touched.assurance,
                names: Vec::new(),
                first_at: message.trusted_at,
                last_at: message.occurred_at,
                last_ticket: None,
                last_message: None,
            });
        }
        let Some(known) = self.identity_mut(touched.id) else { return };
        // A forgeable message adds nothing to a contact that others vouched for.
        if touched.new || touched.assurance > Assurance::Asserted {
            known.assurance = known.assurance.max(touched.assurance);
            for name in message.names() {
                if known.names.len() < super::contact::IDENTITY_NAMES_MAX && !known.names.contains(name) {
                    known.names.push(name.clone());
                }
            }
        }
        known.first_at = known.first_at.min(message.trusted_at);
        if known.last_at <= message.occurred_at || known.last_ticket.is_none() {
            known.last_at = message.occurred_at;
            // What somebody says to us alone never goes on from where he spoke in a group.
            let ticket = decision.placement.ticket().filter(|_| !message.incoming.is_in_group());
            known.last_ticket = ticket.or(known.last_ticket);
            // A notice is no message that anybody could look at.
            if decision.role != ItemRole::Move {
                known.last_message = Some(decision.message);
            }
        }
        self.identities_of.entry(contact).or_default().insert(touched.id);
    }

    fn absorb_contact(&mut self, keep: ContactId, gone: ContactId) {
        self.contact_alias.insert(gone, keep);
        let identities = self.identities_of.remove(&gone).unwrap_or_default();
        for id in &identities {
            if let Some(identity) = self.identity_mut(*id) {
                identity.contact = keep;
            }
        }
        self.identities_of.entry(keep).or_default().extend(identities);
        let tickets = self.tickets_of.remove(&gone).unwrap_or_default();
        for id in &tickets {
            if let Some(ticket) = self.tickets.get_mut(id)
                && let Some(by) = ticket.participants.remove(&gone)
            {
                ticket.participants.entry(keep).or_insert(by);
            }
        }
        self.tickets_of.entry(keep).or_default().extend(tickets);
        if let Some(old) = self.contacts.remove(&gone)
            && let Some(stays) = self.contacts.get_mut(&keep)
        {
            stays.first_at = stays.first_at.min(old.first_at);
            stays.name = stays.name.take().or_else(|| old.name.clone());
            self.gone_contacts.insert(gone, old);
        }
    }

    fn apply_placement(&mut self, message: &Message, decision: &Decision) {
        for moved in &decision.moves {
            self.absorb_ticket(moved.to, moved.from);
        }
        let Some(id) = decision.placement.ticket() else { return };
        let known = self.tickets.entry(id).or_insert_with(|| KnownTicket {
            ticket: Ticket {
                id,
                state: TicketState::Open,
                kind: Vec::new(),
                priority: decision.triage.priority,
                title: title(message),
                opened_at: message.occurred_at,
                last_at: message.occurred_at,
                closed_at: None,
                follow_up_of: match decision.placement {
                    Placement::Open { follow_up_of, .. } => follow_up_of,
                    _ => None,
                },
                opened_by: decision.message,
            },
            participants: BTreeMap::new(),
            numbers: BTreeMap::new(),
            is_group: false,
        });
        if matches!(decision.placement, Placement::Reopen(_)) {
            known.ticket.state = TicketState::Open;
            known.ticket.closed_at = None;
        }
        if message.incoming.direction == Direction::FromCustomer && message.incoming.auto.is_none() {
            for kind in &decision.triage.kind {
                if !known.ticket.kind.contains(kind) {
                    known.ticket.kind.push(*kind);
                }
            }
            known.ticket.kind.sort();
            known.ticket.priority = known.ticket.priority.max(decision.triage.priority);
        }
        if known.ticket.opened_at > message.occurred_at {
            known.ticket.opened_at = message.occurred_at;
            known.ticket.title = title(message);
        }
        known.ticket.last_at = known.ticket.last_at.max(message.occurred_at);
        for (kind, key, name) in &decision.anchors {
            known.is_group |= *kind == AnchorKind::Group;
            if *kind == AnchorKind::Number {
                known.numbers.entry(name.clone()).or_default().insert(*key);
            }
        }
        if let (Some(contact), Some(by)) = (decision.resolution.contact(), decision.entitled_by) {
            known.participants.entry(contact).or_insert(by);
            let tickets = self.tickets_of.entry(contact).or_default();
            tickets.insert(id);
            // As many as would have been loaded: what one batch holds decides nothing.
            while tickets.len() > TICKETS_MAX {
                tickets.pop_first();
            }
        }
    }

    fn absorb_ticket(&mut self, keep: TicketId, gone: TicketId) {
        let Some(old) = self.tickets.remove(&gone) else { return };
        self.ticket_alias.insert(gone, keep);
        for contact in old.participants.keys() {
            let tickets = self.tickets_of.entry(*contact).or_default();
            tickets.remove(&gone);
            tickets.insert(keep);
        }
        let Some(stays) = self.tickets.get_mut(&keep) else { return };
        for (contact, by) in old.participants {
            stays.participants.entry(contact).or_insert(by);
        }
        for (name, keys) in old.numbers {
            stays.numbers.entry(name).or_default().extend(keys);
        }
        for kind in &old.ticket.kind {
            if !stays.ticket.kind.contains(kind) {
                stays.ticket.kind.push(*kind);
            }
        }
        stays.ticket.kind.sort();
        stays.ticket.priority = stays.ticket.priority.max(old.ticket.priority);
        stays.ticket.last_at = stays.ticket.last_at.max(old.ticket.last_at);
        if old.ticket.opened_at < stays.ticket.opened_at {
            stays.ticket.opened_at = old.ticket.opened_at;
            stays.ticket.title.clone_from(&old.ticket.title);
        }
        for identity in self.identities.values_mut().chain(self.earlier.values_mut()) {
            if identity.last_ticket == Some(gone) {
                identity.last_ticket = Some(keep);
            }
        }
        self.gone_tickets.insert(gone, old.ticket);
    }

    fn apply_call(&mut self, message: &Message, decision: &Decision) {
        use super::message::Content;
        let (call, text) = match (&decision.call, &message.incoming.content) {
            (Some((call, text)), _) => (call.clone(), text.clone()),
            (None, Content::Call(call, text)) if decision.role == ItemRole::First => (call.clone(), text.clone()),
            _ => return,
        };
        let known = self.calls.entry(decision.message).or_insert_with(|| KnownCall {
            call: call.clone(),
            text: String::new(),
            identity: decision.identity,
            ticket: decision.placement.ticket(),
            occurred_at: message.occurred_at,
            direction: message.incoming.direction,
        });
        known.call = call;
        // A leg between colleagues says nothing about who called.
        if message.incoming.direction == Direction::FromCustomer {
            known.direction = Direction::FromCustomer;
        }
        known.text = text;
        known.identity = decision.identity.or(known.identity);
        known.ticket = decision.placement.ticket().or(known.ticket);
    }
}

/// Characters of a title that is made from the first words.
const TITLE_CHARS_MAX: usize = 80;

/// What a ticket is called: the subject, else the first words, else what came.
fn title(message: &Message) -> String {
    use super::message::Content;
    let subject = message.incoming.subject.as_deref().map(str::trim).unwrap_or_default();
    let words = if subject.is_empty() { message.own_text.trim() } else { subject };
    let line = words.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    match (line.is_empty(), &message.incoming.content) {
        (false, _) => line.chars().take(TITLE_CHARS_MAX).collect(),
        (true, Content::Call(..)) => "Call".to_owned(),
        (true, Content::Text(_)) => "Message without text".to_owned(),
    }
}

fn push_front<T>(list: &mut Vec<T>, item: T, most: usize) {
    list.insert(0, item);
    list.truncate(most);
}
