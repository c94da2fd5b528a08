//! [`Decision`]: all that follows from a message, the core's output.

use super::Timestamp;
use super::facts::{AnchorKind, EarlyUpdate, EntitledBy, FactKind, LookupKey};
use super::id::*;
use super::identity::{Assurance, Identity};
use super::message::{Call, MatterRole, Message, Place};
use super::outbox::Change;
use super::queue::Ruled;
use super::say::Say;
use super::ticket::Priority;
use super::triage::Triage;

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
    /// An open one, which is closed from then on: the last of its conversations is.
    Close {
        /// Which.
        ticket: TicketId,
        /// When the last of its conversations was closed.
        at: Timestamp,
    },
    /// None: it never opens one and belongs to none.
    None,
}

impl Placement {
    /// The ticket, if there is one.
    pub fn ticket(&self) -> Option<TicketId> {
        match self {
            Self::Join(id) | Self::Reopen(id) | Self::Open { ticket: id, .. } | Self::Close { ticket: id, .. } => {
                Some(*id)
            }
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
    /// An answer to the desk's own message from another address, and the names agree.
    ReplyRef,
    /// The same secret number, and the names agree.
    OrderNumber,
    /// One states the other's identifier, and nothing else.
    AssertedId,
    /// The same secret number, and no name to hold against it.
    OrderOnly,
    /// The same full name, and the same firm or mail domain of one.
    NameCompany,
    /// The same full name within days, and nobody else of that name.
    FullName,
}

impl EvidenceClass {
    /// The stable word, as in SQL and explanations.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SameId => "same_id",
            Self::IdMentioned => "id_mentioned",
            Self::ReplyRef => "reply_ref",
            Self::OrderNumber => "order_number",
            Self::AssertedId => "asserted_id",
            Self::OrderOnly => "order_only",
            Self::NameCompany => "name_company",
            Self::FullName => "full_name",
        }
    }

    /// The class of a stable word.
    pub fn parse(word: &str) -> Option<Self> {
        let all = [
            Self::SameId,
            Self::IdMentioned,
            Self::ReplyRef,
            Self::OrderNumber,
            Self::AssertedId,
            Self::OrderOnly,
            Self::NameCompany,
            Self::FullName,
        ];
        all.into_iter().find(|class| class.as_str() == word)
    }

    /// Whether the class may join by itself. The bits rank and explain; this is the guard.
    pub fn is_strong(self) -> bool {
        matches!(self, Self::SameId | Self::IdMentioned | Self::ReplyRef | Self::OrderNumber)
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
    pub why: Say,
}

/// What a suggestion would join the message's contact or ticket with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuggestionTarget {
    /// Another contact.
    Contact(ContactId),
    /// Another ticket.
    Ticket(TicketId),
}

/// Where a suggestion stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuggestionState {
    /// It waits for an agent's word.
    Open,
    /// An agent said yes.
    Accepted,
    /// An agent said no.
    Rejected,
    /// They are one by now.
    Overtaken,
    /// What pointed there does not any more.
    Withdrawn,
}

impl SuggestionState {
    /// The stable word, as in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Overtaken => "overtaken",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of a stable word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Open, Self::Accepted, Self::Rejected, Self::Overtaken, Self::Withdrawn]
            .into_iter()
            .find(|state| state.as_str() == word)
    }

    /// An agent has said so.
    pub fn is_agents(self) -> bool {
        matches!(self, Self::Accepted | Self::Rejected)
    }
}

/// An earlier placement that is mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The ticket that ends; its id becomes an alias.
    pub from: TicketId,
    /// Where all its messages go.
    pub to: TicketId,
    /// One sentence.
    pub why: Say,
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
    /// Who hears of it.
    pub hearers: Hearers,
}

impl Told {
    /// A change of a ticket that every mirror hears of.
    pub fn of(change: Change, ticket: TicketId) -> Self {
        let (other, message, detail, hearers) = (None, None, None, Hearers::All);
        Self { change, ticket, other, message, waits: false, detail, hearers }
    }
}

/// Who hears of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Hearers {
    /// Every mirror.
    #[default]
    All,
    /// Every mirror but the one where it was done.
    But(String),
    /// One mirror, or the line of a channel that carries answers.
    Only(String),
}

impl Hearers {
    /// Those who hear of it, of these mirrors.
    pub fn among<'a>(&'a self, mirrors: &'a [String]) -> impl Iterator<Item = &'a str> {
        let all = mirrors.iter().map(String::as_str);
        let only = match self {
            Self::Only(one) => Some(one.as_str()),
            Self::All | Self::But(_) => None,
        };
        let is_heard = move |mirror: &&str| match self {
            Self::All => true,
            Self::But(one) => one != mirror,
            Self::Only(_) => false,
        };
        all.filter(is_heard).chain(only)
    }
}

/// Why something was decided: the rule's stable name and one sentence for people, in which
/// identifiers are masked.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(from = "StoredReason")]
pub struct Reason {
    /// The rule.
    pub rule: String,
    /// The sentence.
    pub says: Say,
    /// The weight of the evidence, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits: Option<i16>,
    /// Messages that the facts come from, beside the one decided on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<MessageId>,
}

impl Reason {
    /// A reason without weight, that rests on the message alone.
    pub fn new(rule: &str, says: impl Into<Say>) -> Self {
        Self { rule: rule.to_owned(), says: says.into(), bits: None, from: Vec::new() }
    }
}

/// A reason as it is stored. Reasons of before there were codes have a `text`.
#[derive(serde::Deserialize)]
struct StoredReason {
    rule: String,
    #[serde(default)]
    says: Option<serde_json::Value>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    bits: Option<i16>,
    #[serde(default)]
    from: Vec<MessageId>,
}

impl From<StoredReason> for Reason {
    fn from(stored: StoredReason) -> Self {
        let StoredReason { rule, says, text, bits, from } = stored;
        let says = says.map_or_else(|| Say::plain(text.unwrap_or_default()), Say::of_stored);
        Self { rule, says, bits, from }
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
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
    /// How well it is vouched for that he stated it.
    pub assurance: Assurance,
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
    /// Facts to be kept once the message is believed.
    pub held_back: Vec<KeptFact>,
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
    /// Kind and urgency, by its own words.
    pub triage: Triage,
    /// The queue that it leads its ticket to.
    pub queue: Option<Ruled>,
    /// The urgency that it gives its ticket.
    pub urgency: Priority,
    /// What mirrors hear, in order.
    pub changes: Vec<Told>,
    /// Updates that came before the message, and apply to it now.
    pub early: Vec<EarlyUpdate>,
    /// A call with the new leg in it.
    pub call: Option<(Call, String)>,
    /// The message's marks say more than the channel knew.
    pub message_id_reused: bool,
    /// The earlier message whose sender gave no identity, and is told of here.
    pub tells_sender_of: Option<MessageId>,
    /// It may change what was decided before: its contact is to be decided on anew, with all that is known.
    pub is_late: bool,
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

#[cfg(test)]
mod tests {
    use super::super::say::{Language, OnTicket};
    use super::*;

    #[test]
    fn reasons_of_before_are_read_as_they_were_written() {
        let stored = r#"[{"rule": "number", "text": "It names a number of this matter."},
            {"rule": "order_number", "text": "Same customer.", "bits": 14},
            {"rule": "tie", "says": {"code": "several_fit"}},
            {"rule": "new_rule", "says": {"code": "of_tomorrow", "place": 3}, "from": ["01a201b7-a736-7000-8013-9b3f0c6d2e41"]}]"#;
        let reasons: Vec<Reason> = serde_json::from_str(stored).unwrap();
        let shown: Vec<String> = reasons
            .iter()
            .map(|reason| format!("{} {:?}: {}", reason.rule, reason.bits, reason.says.in_language(Language::English)))
            .collect();
        let expected = [
            "number None: It names a number of this matter.",
            "order_number Some(14): Same customer.",
            "tie None: Several open matters fit equally; it is not guessed which.",
            "new_rule None: of_tomorrow",
        ];
        assert_eq!(shown, expected);
        assert_eq!(reasons[3].from.len(), 1);
        let again = serde_json::to_value(Reason::new("number", OnTicket::NamesNumber { number: None })).unwrap();
        assert_eq!(again, serde_json::json!({ "rule": "number", "says": { "code": "names_number" } }));
    }
}
