//! Message → [`Lookup`]: every key the facts may hang on, so that the shell can load them all at once.
//!
//! Keys are keyed hashes (HMAC-SHA256 under a subkey of `[security]`, cut to 128 bits): what is kept
//! for look-up only is not kept in the clear.

use crate::pure::domain::facts::{AnchorKind, Lookup, LookupKey};
use crate::pure::domain::identity::Identity;
use crate::pure::domain::message::{FactValue, MatterRole, Message, Print, ReferenceKind, What};
use crate::pure::domain::policy::Policy;
use crate::pure::wire::subject;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Participants with whom a subject is looked up: the customer, and whoever he writes to beside the desk first.
const SUBJECT_PARTICIPANTS_MAX: usize = 2;

/// Makes look-up keys of one tenant.
#[derive(Clone)]
pub struct Keyer {
    mac: Hmac<Sha256>,
}

impl std::fmt::Debug for Keyer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyer")
    }
}

impl Keyer {
    /// Keys under the policy's subkey; tenants never share one.
    #[expect(clippy::expect_used, reason = "HMAC (RFC 2104) is defined for keys of any length")]
    pub fn new(policy: &Policy, tenant: &str) -> Self {
        let mut mac =
            <Hmac<Sha256> as KeyInit>::new_from_slice(&policy.fact_key).expect("HMAC takes a key of any length");
        mac.update(tenant.as_bytes());
        mac.update(&[0]);
        Self { mac }
    }

    fn key(&self, parts: &[&str]) -> LookupKey {
        let mut mac = self.mac.clone();
        for part in parts {
            // The length in front keeps ("ab","c") and ("a","bc") apart.
            mac.update(&(part.len() as u32).to_be_bytes());
            mac.update(part.as_bytes());
        }
        let digest = mac.finalize().into_bytes();
        let mut bytes = [0u8; 16];
        bytes.copy_from_slice(&digest[..16]);
        LookupKey(uuid::Uuid::from_bytes(bytes))
    }

    /// The key of a message's own id, by which others point at it.
    pub fn message(&self, namespace: &str, source_key: &str) -> LookupKey {
        self.key(&["message", namespace, source_key])
    }

    /// The key by which a message is found where its channel is known, and not its namespace.
    pub fn said(&self, channel: &str, source_key: &str) -> LookupKey {
        self.key(&["said", channel, source_key])
    }

    /// What an answer is called on the channel that carries it: nobody guesses it who has not been sent it.
    pub fn answer(&self, channel: &str, source_key: &str) -> LookupKey {
        self.key(&["answer", channel, source_key])
    }

    /// The key of a vendor's conversation, or of a hint.
    pub fn thread(&self, kind: AnchorKind, namespace: &str, key: &str) -> LookupKey {
        self.key(&[kind.as_str(), namespace, key])
    }

    /// The key of a subject between the desk and one who takes part, if any does.
    pub fn subject(&self, folded: &str, participant: Option<&Identity>) -> LookupKey {
        match participant {
            Some(who) => self.key(&["subject", folded, &who.scheme, &who.scope, &who.value]),
            None => self.key(&["subject", folded]),
        }
    }

    /// The key of a passage.
    pub fn print(&self, print: Print) -> LookupKey {
        self.key(&["passage", &format!("{:016x}", print.0)])
    }

    /// The key that guards against a second delivery.
    pub fn seen(&self, namespace: &str, source_key: &str, variant: &str) -> LookupKey {
        self.key(&["seen", namespace, source_key, variant])
    }

    /// The key under which claims of an identity are found.
    pub fn claim(&self, identity: &Identity) -> LookupKey {
        self.key(&["claim", &identity.scheme, &identity.scope, &identity.value])
    }

    /// The key of a number of a matter.
    pub fn number(&self, matter: &str, value: &str) -> LookupKey {
        self.key(&["number", matter, value])
    }

    /// The key of a fact, or `None` for what is not looked up: a name that is not full, a number
    /// that is no secret.
    pub fn fact(&self, value: &FactValue) -> Option<LookupKey> {
        match value {
            FactValue::Name(name) => name.is_full().then(|| self.key(&["name", &name.key()])),
            FactValue::Claim(identity) => Some(self.claim(identity)),
            FactValue::Company(company) => Some(self.key(&["company", company.key()])),
            FactValue::Number { matter, role: MatterRole::Secret, value } => Some(self.number(matter, value)),
            FactValue::Number { .. } => None,
        }
    }
}

/// What the guard against second deliveries is unique in.
pub fn seen_scope(tenant: &str, namespace: &str) -> String {
    format!("{tenant}/{namespace}")
}

/// Every key of a message.
pub fn lookup(message: &Message, keyer: &Keyer) -> Lookup {
    let incoming = &message.incoming;
    let own_key = keyer.message(&incoming.namespace, &incoming.source_key);
    // An update has an id of its own only by accident; it is found by what it is about.
    let mut own = Vec::with_capacity(2);
    if incoming.what == What::Message {
        own.push((AnchorKind::Message, own_key));
    }
    let mut references = Vec::with_capacity(incoming.references.len());
    for reference in &incoming.references {
        let (kind, key) = match reference.kind {
            ReferenceKind::Conversation => (
                Some(AnchorKind::Conversation),
                keyer.thread(AnchorKind::Conversation, &reference.namespace, &reference.key),
            ),
            ReferenceKind::Group => {
                (Some(AnchorKind::Group), keyer.thread(AnchorKind::Group, &reference.namespace, &reference.key))
            }
            ReferenceKind::Hint => {
                (Some(AnchorKind::Hint), keyer.thread(AnchorKind::Hint, &reference.namespace, &reference.key))
            }
            ReferenceKind::Reply | ReferenceKind::Ancestor | ReferenceKind::Target => {
                (None, keyer.message(&reference.namespace, &reference.key))
            }
        };
        own.extend(kind.map(|kind| (kind, key)));
        references.push(key);
    }
    let topics = message.numbers().filter(|(_, role, _)| *role == MatterRole::Topic);
    let keys = |prints: &[Print]| prints.iter().map(|print| keyer.print(*print)).collect();
    Lookup {
        subject: subject_keys(message, keyer),
        passages: keys(&message.passages),
        quoted: keys(&message.quoted),
        topics: topics.map(|(matter, _, value)| (matter.to_owned(), keyer.number(matter, value))).collect(),
        seen_scope: seen_scope(&message.tenant, &incoming.namespace),
        seen_key: keyer.seen(&incoming.namespace, &incoming.source_key, &incoming.variant),
        said: keyer.said(&message.channel, &incoming.source_key),
        own,
        references,
        facts: message.facts.iter().map(|fact| keyer.fact(&fact.value)).collect(),
        claims_on: message
            .customer()
            .identities
            .iter()
            .chain(&incoming.moved_to)
            .map(|held| keyer.claim(&held.identity))
            .collect(),
    }
}

/// Keys of the subject, one for each of the first who take part. A subject of prefixes alone has none.
fn subject_keys(message: &Message, keyer: &Keyer) -> Vec<LookupKey> {
    let Some(subject) = message.incoming.subject.as_deref().map(subject::read).filter(|read| !read.base.is_empty())
    else {
        return Vec::new();
    };
    if message.incoming.what != What::Message {
        return Vec::new();
    }
    let folded = subject.folded();
    let mut keys: Vec<LookupKey> = Vec::with_capacity(SUBJECT_PARTICIPANTS_MAX);
    for participant in message.participants() {
        let key = keyer.subject(&folded, Some(participant));
        if keys.len() < SUBJECT_PARTICIPANTS_MAX && !keys.contains(&key) {
            keys.push(key);
        }
    }
    if keys.is_empty() {
        keys.push(keyer.subject(&folded, None));
    }
    keys
}
