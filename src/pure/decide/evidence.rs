//! What speaks for two identities being one person, and what speaks against it (IDENTITY.md 4.2).

use crate::pure::domain::contact::{ContactKind, is_role_address};
use crate::pure::domain::decision::Reason;
use crate::pure::domain::facts::Facts;
use crate::pure::domain::id::ContactId;
use crate::pure::domain::identity::{Assurance, Identity, MAILTO, TEL, TOLD, registrable_domain};
use crate::pure::domain::message::{Authentication, Content, Direction, Mark, Message};
use crate::pure::domain::name::{Agreement, NameMatch, PersonName};
use crate::pure::domain::policy::Policy;
use crate::pure::domain::rule::{Rule, Rules};
use crate::pure::domain::say::OnSender;

/// One delivery vouches for both identifiers.
pub const BITS_SAME_ID: i16 = 40;
/// Both sides name each other's identifier.
pub const BITS_MUTUAL: i16 = 20;
/// An answer to the desk's own message from another address, in the same name.
pub const BITS_REPLY: i16 = 20;
/// One names the other, and both hold one secret.
pub const BITS_MENTIONED_WITH_SECRET: i16 = 18;
/// A number that only ever called, named before the call in an authenticated mail.
pub const BITS_CALLER_NAMED: i16 = 16;
/// The same secret number.
pub const BITS_SECRET: i16 = 8;
/// One states the other's identifier.
pub const BITS_ASSERTED: i16 = 7;
/// Given and family name agree.
pub const BITS_NAME_FULL: i16 = 6;
/// Most that a name weighs with a firm beside it.
pub const BITS_NAME_FIRM_MAX: i16 = 9;
/// A secret held by more contacts than this is a mailing, and ties nobody.
pub const SECRET_CONTACTS_MAX: usize = 6;
/// For how long a refused number counts, by trusted times, so that a backlog that arrives at once is no attack. Seconds.
pub const REFUSED_WITHIN_S: i64 = 3_600;
/// Numbers refused to one identity within that time before its numbers are no longer looked up.
pub const REFUSED_BY_IDENTITY_MAX: usize = 5;
/// The same for one channel.
pub const REFUSED_BY_CHANNEL_MAX: usize = 20;

/// A number or browser that was quiet for so long, and is then somebody's of another name, has been passed on
/// (IDENTITY.md 4.3, 3). Seconds.
pub const PASSED_ON_AFTER_S: i64 = 45 * 86_400;

/// How the names of two sides compare, as bits; the best pair counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// They agree, with so many bits.
    Agree {
        /// How many.
        bits: i16,
        /// Given and family name both do.
        is_full: bool,
    },
    /// One side has none.
    Unknown,
    /// Different people.
    Conflict,
}

/// Compares all names of one side with all of the other: the pair that agrees best counts, and a conflict
/// only where none agrees; but where whole names are two people's, nothing less than a whole name makes them one
/// again: *J. Laine* is Jukka as well as Jani.
pub fn compare_names<'a>(ours: &[&PersonName], theirs: impl Iterator<Item = &'a PersonName>) -> Names {
    let mut best: Option<Agreement> = None;
    let (mut conflict, mut whole_conflict, mut by_initial) = (false, false, false);
    for their in theirs {
        for our in ours {
            let found = our.compare(their);
            conflict |= found.verdict == NameMatch::Conflict;
            whole_conflict |= found.verdict == NameMatch::Conflict && our.is_full() && their.is_full();
            if found.agrees() && best.is_none_or(|best| found.bits > best.bits) {
                best = Some(found);
                by_initial = our.has_initial() || their.has_initial();
            }
        }
    }
    match best {
        // "J. Laine" who signs as Jani is not Jukka.
        Some(_) if by_initial && conflict => Names::Conflict,
        Some(best) if best.verdict == NameMatch::Full || !whole_conflict => {
            Names::Agree { bits: best.bits, is_full: best.verdict == NameMatch::Full }
        }
        _ if conflict => Names::Conflict,
        _ => Names::Unknown,
    }
}

/// Whether anybody could have made the message look as if it came from its sender: a From that
/// nothing aligned vouches for, a caller id, a visitor's id that his site does not vouch for though it could.
pub fn is_forgeable(message: &Message) -> bool {
    let aligned = matches!(message.incoming.authentication, Some(Authentication::Pass | Authentication::Aligned));
    match message.customer().identities.first() {
        Some(held) if held.identity.scheme == MAILTO => !aligned,
        Some(held) if held.identity.scheme == TEL => held.assurance < Assurance::Verified || is_call(message),
        Some(held) => held.assurance <= Assurance::Asserted,
        None => false,
    }
}

/// What an agent should know of how the sender was vouched for, a sentence each.
pub fn on_sender(message: &Message, policy: &Policy) -> Vec<Reason> {
    let incoming = &message.incoming;
    if incoming.direction != Direction::FromCustomer {
        return Vec::new();
    }
    let mut reasons: Vec<Reason> = incoming
        .finding
        .map(|finding| Reason::new("sender_checked", OnSender::SenderChecked { finding }))
        .into_iter()
        .collect();
    if incoming.finding.is_none() && incoming.marks.contains(&Mark::Unaligned) {
        reasons.push(Reason::new("sender_unaligned", OnSender::SenderUnaligned));
    }
    if incoming.marks.contains(&Mark::SeveralSenders) {
        reasons.push(Reason::new("several_senders", OnSender::SeveralSenders));
    }
    let mut domains = incoming.sender.identities.iter().filter_map(|own| own.identity.mail_domain());
    if let Some((domain, own)) = domains.find_map(|domain| Some((domain, policy.imitated(domain)?))) {
        let says = OnSender::Lookalike { domain: domain.to_owned(), own: own.to_owned() };
        reasons.push(Reason::new("lookalike", says));
    }
    reasons
}

/// Whether an address is of a kind that goes from hand to hand unseen: a browser's cookie, an opaque id which no
/// platform vouches for as one person's.
pub fn is_passed_around(identity: &Identity, assurance: Assurance) -> bool {
    !matches!(identity.scheme.as_str(), MAILTO | TEL | TOLD) && assurance <= Assurance::Plausible
}

/// Whether a platform vouches for an account that one person has at a time: no mailbox, which a household may share.
pub fn is_account(identity: &Identity, assurance: Assurance) -> bool {
    assurance == Assurance::Verified && !matches!(identity.scheme.as_str(), MAILTO | TOLD)
}

/// The firm that an address is of: the registrable domain of its mail, if that is neither the desk's own nor one where
/// anybody can have an address.
pub fn firm<'a>(identity: &'a Identity, policy: &Policy) -> Option<&'a str> {
    firm_at(identity.mail_domain()?, policy)
}

/// The same of the domain of an address.
pub fn firm_at<'a>(domain: &'a str, policy: &Policy) -> Option<&'a str> {
    let domain = registrable_domain(domain)?;
    (!policy.is_public(domain) && !policy.own_domains.contains(domain)).then_some(domain)
}

/// Whether it is a telephone call.
pub fn is_call(message: &Message) -> bool {
    matches!(message.incoming.content, Content::Call(..))
}

/// Whether the sender's own domain denies him.
pub fn is_contradicted(message: &Message) -> bool {
    message.incoming.authentication == Some(Authentication::Fail)
}

/// Whether the contact is known by numbers that only ever called: no platform vouches for them.
pub fn is_call_only(facts: &Facts, contact: ContactId) -> bool {
    let mut some = false;
    facts.identities_of(contact).all(|known| {
        some = true;
        known.identity.scheme == TEL && known.assurance <= Assurance::Plausible
    }) && some
}

/// Whether the contact is no single person's: a role mailbox, a shared number.
pub fn is_shared(facts: &Facts, contact: ContactId, rules: Rules) -> bool {
    if facts.identities_of(contact).any(|known| is_role_address(&known.identity)) {
        return rules.heed(Rule::RoleMailbox);
    }
    facts.contacts.get(&contact).is_some_and(|c| c.kind != ContactKind::Person)
}

/// Whether numbers in the message may be looked up: not after too many that were somebody else's.
pub fn may_guess(facts: &Facts, message: &Message) -> bool {
    let now = message.trusted_at.as_second();
    let lately =
        || facts.refused.iter().filter(move |refused| (0..REFUSED_WITHIN_S).contains(&(now - refused.at.as_second())));
    let is_his = |identity| {
        let mut known = message
            .customer()
            .identities
            .iter()
            .filter_map(|held| facts.identity_at(&held.identity, message.trusted_at));
        known.any(|known| known.id == identity)
    };
    lately().filter(|refused| is_his(refused.identity)).count() < REFUSED_BY_IDENTITY_MAX
        && lately().filter(|refused| refused.channel == message.channel).count() < REFUSED_BY_CHANNEL_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_names_of_two_sides_are_compared() {
        let names = |text: &str| -> Vec<PersonName> { text.split(';').filter_map(PersonName::parse).collect() };
        for (ours, theirs, expected) in [
            ("Minna Virtanen", "Minna", "agree"),
            ("Minna Virtanen", "Pekka Laine", "conflict"),
            ("Minna Virtanen; Pekka", "Pekka Laine; Minna", "conflict"),
            ("Minna Virtanen", "", "unknown"),
            // Less than a whole name does not make one of two.
            ("J. Laine; Jukka Laine", "Jani Laine", "conflict"),
            // Who writes his given name out is not the other whom his initial fits.
            ("J. Laine; Jani", "Jukka Laine", "conflict"),
            ("J. Laine; Jukka", "Jukka Laine", "agree"),
            ("Benita S", "Benita Sjöblad; Benita", "agree"),
        ] {
            let (ours, theirs) = (names(ours), names(theirs));
            let found = match compare_names(&ours.iter().collect::<Vec<_>>(), theirs.iter()) {
                Names::Agree { .. } => "agree",
                Names::Unknown => "unknown",
                Names::Conflict => "conflict",
            };
            assert_eq!(found, expected, "{ours:?} / {theirs:?}");
        }
    }
}
