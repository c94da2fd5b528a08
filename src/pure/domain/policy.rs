//! What the desk has decided beforehand: the part of the configuration that deciding depends on.

use super::identity::{EmailAddress, PhoneNumber, registrable_domain};
use super::learnt::Learnt;
use super::lexicon::Lexicon;
use super::lookalike::looks_like;
use super::message::MatterRole;
use super::notice::Notices;
use super::phrases::{Denials, Phrases};
use super::queue::Routing;
use super::rule::Rules;
use super::service::Like;
use super::triage::Urgency;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// A pattern under `[matters]`.
#[derive(Debug, Clone)]
pub struct Matter {
    /// Its key.
    pub name: String,
    /// The pattern; what its capture groups matched is the canonical form, else the whole match.
    pub pattern: regex::Regex,
    /// What such a number proves.
    pub role: MatterRole,
}

/// How long things belong together, by event time.
#[derive(Debug, Clone, Copy)]
pub struct Windows {
    /// A pause within one chat.
    pub chat_session: Duration,
    /// A contact's only open ticket takes a message that points nowhere.
    pub one_open: Duration,
    /// A closed ticket is still the matter when its number is named.
    pub closed_continues: Duration,
}

/// All that deciding depends on beside the message and the facts. One per tenant.
#[derive(Debug, Clone)]
pub struct Policy {
    /// ISO 3166 code of the country whose national phone numbers are meant.
    pub region: String,
    /// Zone in which a wall clock without one is read.
    pub time_zone: jiff::tz::TimeZone,
    /// Registrable or full domains that are ours.
    pub own_domains: HashSet<String>,
    /// Patterns (`*@example.fi`, `anna@example.fi`) of those who answer.
    pub agents: Vec<String>,
    /// Domains where anybody has an address.
    pub public_domains: HashSet<String>,
    /// Domains of firms confirmed as one customer.
    pub organisations: HashSet<String>,
    /// Numbers that tie messages to a matter.
    pub matters: Arc<Vec<Matter>>,
    /// Words that tell what a matter is about, and how soon it must be seen to.
    pub lexicon: Arc<Lexicon>,
    /// Who is seen to sooner, and from when somebody who comes back is.
    pub urgency: Arc<Urgency>,
    /// What corrections taught of kinds and urgency.
    pub learnt: Learnt,
    /// How customers announce a matter of its own.
    pub new_matter: Phrases,
    /// How they say that an old one is back.
    pub is_back: Phrases,
    /// How they say it beside the number of the matter.
    pub again: Phrases,
    /// How they speak of what they said before.
    pub said_before: Phrases,
    /// How they say that a matter is not theirs.
    pub not_mine: Phrases,
    /// How agents note that a caller was not the owner of the number that it showed.
    pub not_owner: Phrases,
    /// How people say that they did not use a channel.
    pub not_there: Denials,
    /// Words by which somebody says, or an agent notes of him, that another acted as him.
    pub not_me: Phrases,
    /// Words by which somebody says that he has not changed his number, or lost his telephone.
    pub same_number: Phrases,
    /// Windows.
    pub windows: Windows,
    /// Windows of one channel, by its name, where they differ.
    pub channel_windows: HashMap<String, Windows>,
    /// Automatic messages of one contact on one ticket within an hour, from which on mail to him is stopped.
    pub automatic_max: u32,
    /// What customers are told by lanka itself.
    pub notices: Arc<Notices>,
    /// The desk's own addresses: the sender of an echo, never a customer.
    pub own_addresses: HashSet<EmailAddress>,
    /// The desk's own numbers.
    pub own_numbers: HashSet<PhoneNumber>,
    /// Key for look-up hashes of facts, derived from `[security]`.
    pub fact_key: [u8; 32],
    /// Names of the mirrors this tenant's tickets go to.
    pub mirrors: Vec<String>,
    /// The rules in force.
    pub rules: Rules,
    /// Which queue a ticket goes to.
    pub routing: Routing,
    /// What people expect of a channel, by its name.
    pub channel_like: HashMap<String, Like>,
}

impl Policy {
    /// The windows in force on a channel.
    pub fn windows(&self, channel: &str) -> Windows {
        self.channel_windows.get(channel).copied().unwrap_or(self.windows)
    }

    /// Whether the address is one of ours: a configured mailbox, or on an own domain.
    pub fn is_own(&self, address: &EmailAddress) -> bool {
        self.own_addresses.contains(address) || self.is_in(&self.own_domains, address.domain())
    }

    /// Whether the address belongs to somebody who answers customers.
    pub fn is_agent(&self, address: &EmailAddress) -> bool {
        self.agents.iter().any(|pattern| match pattern.strip_prefix('*') {
            Some(suffix) => address.as_str().ends_with(&suffix.to_lowercase()),
            None => address.as_str() == pattern.to_lowercase(),
        })
    }

    /// Whether everybody can have an address at the domain, so that sharing it means nothing.
    pub fn is_public(&self, domain: &str) -> bool {
        self.is_in(&self.public_domains, domain) || registrable_domain(domain).is_none()
    }

    /// The own domain that a domain is made to look like, if any. Firms that are known (`organisations`) and
    /// providers of mail are who they are, whatever their names look like.
    pub fn imitated(&self, domain: &str) -> Option<&str> {
        if self.is_in(&self.own_domains, domain) || self.is_in(&self.organisations, domain) || self.is_public(domain) {
            return None;
        }
        let mut imitated = self.own_domains.iter().filter(|own| looks_like(domain, own)).map(String::as_str);
        imitated.next()
    }

    fn is_in(&self, set: &HashSet<String>, domain: &str) -> bool {
        set.contains(domain) || registrable_domain(domain).is_some_and(|d| set.contains(d))
    }
}
