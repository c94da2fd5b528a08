//! [`Outline`]: what is kept of a message so that it can be placed anew when evidence comes late.
//!
//! **Invariant:** it holds keyed hashes, ids, masks and flags only, no word of the message and no address.

use super::decision::{Decision, KeptFact};
use super::facts::{AnchorKind, Lookup, LookupKey};
use super::id::{IdentityId, MessageId};
use super::identity::Assurance;
use super::message::{Authentication, Denied, FactValue, Mark, MatterRole, Message, ReferenceKind};
use super::name::PersonName;
use super::queue::Candidate;
use serde::{Deserialize, Serialize};

/// The outline of a message. Fields have short names on disk: there is one beside each message.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Outline {
    /// What others would point at.
    #[serde(rename = "o", skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<(AnchorKind, LookupKey)>,
    /// What it points at, best first.
    #[serde(rename = "r", skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<(ReferenceKind, LookupKey)>,
    /// Its subject with each participant.
    #[serde(rename = "s", skip_serializing_if = "Vec::is_empty")]
    pub subject: Vec<LookupKey>,
    /// Passages of its own words.
    #[serde(rename = "p", skip_serializing_if = "Vec::is_empty")]
    pub passages: Vec<LookupKey>,
    /// Passages that it quotes.
    #[serde(rename = "q", skip_serializing_if = "Vec::is_empty")]
    pub quoted: Vec<LookupKey>,
    /// Numbers of matters: the pattern's name, what it proves, the key of the number.
    #[serde(rename = "n", skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<(String, MatterRole, LookupKey)>,
    /// What it is about.
    #[serde(rename = "t", skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<(String, LookupKey)>,
    /// The customer's identities, and what the delivery vouched for.
    #[serde(rename = "i", skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<(IdentityId, Assurance)>,
    /// What our server said about the sender.
    #[serde(rename = "a", skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Authentication>,
    /// What it states, while its sender's domain denies it and nothing else vouches for it.
    #[serde(rename = "h", skip_serializing_if = "Vec::is_empty")]
    pub held_back: Vec<KeptFact>,
    /// The message that an agent's act is on.
    #[serde(rename = "on", skip_serializing_if = "Option::is_none")]
    pub on: Option<MessageId>,
    /// A note that says that the caller was not the owner of his number.
    #[serde(rename = "x", skip_serializing_if = "std::ops::Not::not")]
    pub denies_owner: bool,
    /// Which of its names its writer gives in his own words: places among them.
    #[serde(rename = "y", skip_serializing_if = "Vec::is_empty")]
    pub stated_names: Vec<usize>,
    /// What it says was not used.
    #[serde(rename = "d", skip_serializing_if = "Vec::is_empty")]
    pub denies: Vec<Denied>,
    /// The text says that this is a new matter.
    #[serde(rename = "w", skip_serializing_if = "std::ops::Not::not")]
    pub says_new_matter: bool,
    /// The text says that what was mended is back.
    #[serde(rename = "b", skip_serializing_if = "std::ops::Not::not")]
    pub says_is_back: bool,
    /// The text speaks of what its writer said before.
    #[serde(rename = "e", skip_serializing_if = "std::ops::Not::not")]
    pub refers_back: bool,
    /// A greeting, or nothing at all.
    #[serde(rename = "z", skip_serializing_if = "std::ops::Not::not")]
    pub says_nothing: bool,
    /// The queues that it may lead its ticket to.
    #[serde(rename = "u", skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Candidate>,
}

impl Outline {
    /// The outline of a message, with what was decided on it.
    pub fn of(message: &Message, lookup: &Lookup, decision: &Decision) -> Self {
        let identities = decision.identities.iter().map(|touched| (touched.id, touched.assurance));
        let kinds = message.incoming.references.iter().map(|reference| reference.kind);
        let numbers = message.facts.iter().zip(&lookup.facts).filter_map(|(fact, key)| match (&fact.value, key) {
            (FactValue::Number { matter, role, .. }, Some(key)) => Some((matter.clone(), *role, *key)),
            _ => None,
        });
        let stated: Vec<&PersonName> = message.stated_names().collect();
        let stated_names = message.names().enumerate().filter(|(_, name)| stated.contains(name)).map(|(at, _)| at);
        Self {
            stated_names: stated_names.collect(),
            own: lookup.own.clone(),
            references: kinds.zip(lookup.references.iter().copied()).collect(),
            subject: lookup.subject.clone(),
            passages: lookup.passages.clone(),
            quoted: lookup.quoted.clone(),
            topics: lookup.topics.clone(),
            numbers: numbers.collect(),
            identities: identities.collect(),
            held_back: decision.held_back.clone(),
            authentication: message.incoming.authentication,
            on: message.incoming.on.as_ref().and_then(|on| on.message),
            denies_owner: message.incoming.marks.contains(&Mark::NotOwner),
            denies: message.denies.clone(),
            says_new_matter: message.says_new_matter,
            says_is_back: message.says_is_back,
            refers_back: message.refers_back,
            says_nothing: message.says_nothing,
            routes: message.routes.clone(),
        }
    }
}
