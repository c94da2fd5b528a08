//! What is read out of one message that may tie it to others: names, firms, claims, numbers.
//!
//! **Invariants:** only the writer's own words are read, never what he quotes, forwards or shares (a
//! contact card is somebody else's). What the desk is itself (its addresses, its numbers) is never a
//! claim, nor is the sender's own identity, nor what the text gives as another's ([`others`]). At most
//! [`FACTS_MAX`] facts come out of a message and at most [`SEARCH_BYTES_MAX`] of it are searched, so
//! ten thousand numbers in one body cost no more than thirty-two.

pub mod names;
pub mod numbers;
pub mod others;
pub mod phones;
pub mod placed;
pub mod scan;

use super::phrases::{CALLED, flatten};
use crate::pure::domain::company::CompanyName;
use crate::pure::domain::identity::{Assurance, EmailAddress, Identity, MAILTO, PhoneNumber, TEL};
use crate::pure::domain::message::{Content, Direction, FactValue, Incoming, Mark, MessageFact, Place, Sender, What};
use crate::pure::domain::name::{NameMatch, PersonName};
use crate::pure::domain::policy::{Matter, Policy};
use crate::pure::wire::subject;
use names::{Hints, SignOff};
use scan::{Haystack, cut};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;
use std::ops::Range;

/// Facts of one message (DESIGN 4): what a person states of one matter, with room to spare.
pub const FACTS_MAX: usize = 32;
/// Own text searched. Bytes (DESIGN 4).
pub const SEARCH_BYTES_MAX: usize = 64 * 1024;
/// Facts kept free for names, so that a list of numbers cannot push them out.
const NAMES_MAX: usize = 6;
/// Firms read out of one message: who writes for more is a directory.
const COMPANIES_MAX: usize = 2;
/// Lines of a signature in which a firm is looked for.
const COMPANY_LINES_MAX: usize = 16;
/// Facts kept free for claims.
const CLAIMS_MAX: usize = 10;
/// Words of a call's fields in which a number is looked for that was keyed in.
const KEYED_WORDS_MAX: usize = 32;
/// Addresses looked at in one text.
const ADDRESSES_MAX: usize = 48;
/// Text in which the writer may say that he called. Bytes.
const CALLED_BYTES_MAX: usize = 2 * 1024;
/// RFC 5321, 4.5.3.1: bytes before and after the `@`.
const ADDRESS_PART_BYTES_MAX: usize = 255;

/// The writer's own words, in the parts they are searched by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnWords {
    /// The text without quotes and signature.
    pub own: String,
    /// What stands below the sign-off, the sign-off included.
    pub signature: String,
    /// The name it is signed with.
    pub signed: Option<PersonName>,
}

/// The sender of one message as far as names in the text are weighed against him.
pub fn hints(sender: &Sender) -> Hints {
    let addresses = sender.identities.iter().map(|known| &known.identity).chain(&sender.stated);
    let addresses = addresses
        .filter(|identity| identity.scheme == MAILTO)
        .filter_map(|identity| names::in_address(identity.value.split('@').next()?))
        .collect();
    Hints { called: called(sender), addresses }
}

/// What the channel calls the sender.
fn called(sender: &Sender) -> Option<PersonName> {
    let is_mail = sender.identities.iter().any(|own| own.identity.scheme == MAILTO);
    let is_account = !is_mail && sender.identities.iter().any(|own| own.assurance == Assurance::Verified);
    sender.name.as_deref().and_then(if is_account { names::of_account } else { names::called })
}

/// Divides text without quotes into the words and the signature. `signature` is what a channel's
/// conventions already cut off.
pub fn own_words(text: &str, signature: &str, hints: &Hints) -> OwnWords {
    let found = names::sign_off(text, hints);
    let at = found.as_ref().map_or(text.len(), |found| found.at);
    let (own, signed) = text.split_at(at);
    // Of a first name above and the whole name below, the whole one is kept.
    let (above, below) = (found.and_then(|SignOff { name, .. }| name), names::in_signature(signature, hints));
    let name = match (above, below) {
        (Some(above), Some(below)) => Some(if below.is_full() { below } else { above }),
        (above, below) => above.or(below),
    };
    let mut below = signed.trim().to_owned();
    if !below.is_empty() && !signature.is_empty() {
        below.push('\n');
    }
    below.push_str(signature);
    OwnWords { own: own.trim_end().to_owned(), signature: below, signed: name }
}

/// Reads the facts: numbers first, then claims, then names; each once, at the best place it stands.
pub fn facts(incoming: &Incoming, words: &OwnWords, policy: &Policy) -> Vec<MessageFact> {
    let mut facts = Facts {
        incoming,
        policy,
        hints: hints(&incoming.sender),
        introduced: OnceCell::new(),
        numbers: Vec::new(),
        claims: Vec::new(),
        names: Vec::new(),
        companies: Vec::new(),
        seen: HashSet::new(),
        is_signed_by_another: false,
        says_called: false,
    };
    facts.fields();
    facts.is_signed_by_another = signs_for_another(&incoming.sender, words);
    // A vendor's notice and a receipt hold nobody's own words.
    if matches!(incoming.what, What::Message | What::Edit) {
        let read_out = matches!(incoming.content, Content::Call(..));
        facts.text(incoming.ticket_ref.as_deref().unwrap_or(""), Place::Subject, words);
        let written = incoming.subject.as_deref().unwrap_or("");
        let place = if repeats_subject(written) { Place::Thread } else { Place::Subject };
        facts.text(written, place, words);
        facts.text(&words.own, if read_out { Place::Field } else { Place::Body }, words);
        facts.says_called = CALLED.is_in(&flatten(&words.own, CALLED_BYTES_MAX));
        facts.text(&words.signature, Place::Signature, words);
        facts.names_in(words);
        facts.companies_in(words);
    }
    facts.finish()
}

struct Facts<'a> {
    incoming: &'a Incoming,
    policy: &'a Policy,
    /// Of the sender.
    hints: Hints,
    /// Names by which the writer introduces himself.
    introduced: OnceCell<Vec<PersonName>>,
    numbers: Vec<MessageFact>,
    claims: Vec<MessageFact>,
    names: Vec<MessageFact>,
    companies: Vec<MessageFact>,
    seen: HashSet<(usize, String)>,
    /// Whoever signs is not whose the mailbox is: he tells of himself.
    is_signed_by_another: bool,
    /// The writer says that he called: the number below his name is the one he called by.
    says_called: bool,
}

impl Facts<'_> {
    fn customer(&self) -> &Sender {
        match self.incoming.direction {
            Direction::FromCustomer => &self.incoming.sender,
            Direction::FromAgent => &self.incoming.recipient,
        }
    }

    /// What the channel's own fields give: the name, and what was stated beside the identities.
    fn fields(&mut self) {
        let customer = self.customer().clone();
        let place = if is_typed(self.incoming, &customer) { Place::Field } else { Place::Header };
        if let Some(name) = called(&customer) {
            self.name(name, place);
        }
        if let Some(company) = customer.name.as_deref().and_then(company_in) {
            self.company(company, place);
        }
        for identity in customer.stated {
            self.claim(identity, place);
        }
    }

    /// Numbers, phones and addresses in a text.
    fn text(&mut self, text: &str, place: Place, words: &OwnWords) {
        let haystack = Haystack::new(cut(text, SEARCH_BYTES_MAX));
        let automatic = self.incoming.auto.is_some();
        let phones = match haystack.groups.is_empty() {
            true => phones::Phones::default(),
            false => {
                phones::phones(&haystack, &self.policy.region, place == Place::Signature, &|| self.sender_names(words))
            }
        };
        let numbers = numbers::numbers(&haystack, &self.policy.matters, &phones);
        let spans: Vec<_> = numbers.iter().map(|number| number.span.clone()).collect();
        for number in numbers {
            let matter = &self.policy.matters[number.matter];
            if self.seen.insert((number.matter, number.value.clone())) {
                let value = FactValue::Number { matter: matter.name.clone(), role: matter.role, value: number.value };
                self.numbers.push(MessageFact { value, place });
            }
        }
        if place == Place::Field {
            self.keyed_in(text, &spans);
        }
        // Who is away names his deputy's number, not his own; what is forwarded is somebody else's.
        if automatic
            || matches!(place, Place::Subject | Place::Thread)
            || is_forwarded(self.incoming)
            || self.is_signed_by_another
        {
            return;
        }
        let phones = phones.found.into_iter().filter_map(|phone| Some((phone.number?, phone.span)));
        let phones = phones
            .filter(|(_, own)| !spans.iter().any(|span| span.start < own.end && own.start < span.end))
            .map(|(number, span)| (Identity::phone(&number), span));
        let addresses = addresses(&haystack.text).into_iter().map(|(address, span)| (Identity::email(&address), span));
        let stated: Vec<_> = phones.chain(addresses).collect();
        let names = if stated.is_empty() { Vec::new() } else { self.sender_names(words) };
        for (identity, span) in stated {
            if !others::is_others(&haystack.text, &span, &names, place == Place::Signature) {
                let place = if self.says_called && identity.scheme == TEL { Place::Body } else { place };
                self.claim(identity, place);
            }
        }
    }

    /// What a caller keyed in that no pattern knows without its letters: `ivr_order=260688` for the bill L-260688.
    fn keyed_in(&mut self, text: &str, known: &[Range<usize>]) {
        let mut at = 0;
        for word in text.split_inclusive(|c: char| c.is_whitespace() || "=;,&|".contains(c)).take(KEYED_WORDS_MAX) {
            let span = at..at + word.len();
            at = span.end;
            let digits = word.trim_end_matches(|c: char| !c.is_ascii_digit());
            let is_field = span.start == 0 || text[..span.start].ends_with('=');
            if !is_field || known.iter().any(|known| known.start < span.end && span.start < known.end) {
                continue;
            }
            let Some((matter, value)) = numbers::keyed_in(digits, &self.policy.matters) else { continue };
            if self.seen.insert((matter, value.clone())) {
                let Matter { name, role, .. } = &self.policy.matters[matter];
                let value = FactValue::Number { matter: name.clone(), role: *role, value };
                self.numbers.push(MessageFact { value, place: Place::Field });
            }
        }
    }

    /// What the sender is called, as far as this message tells. None for an agent's words, which are
    /// about the customer whoever wrote them.
    fn sender_names(&self, words: &OwnWords) -> Vec<PersonName> {
        match self.incoming.direction {
            Direction::FromCustomer => {
                let introduced = self.introduced(words).iter();
                self.hints.called.iter().chain(&words.signed).chain(introduced).cloned().collect()
            }
            Direction::FromAgent => Vec::new(),
        }
    }

    fn introduced(&self, words: &OwnWords) -> &[PersonName] {
        self.introduced.get_or_init(|| names::introductions(&words.own, &self.hints))
    }

    fn names_in(&mut self, words: &OwnWords) {
        if self.incoming.auto.is_some() || is_forwarded(self.incoming) {
            return;
        }
        match self.incoming.direction {
            Direction::FromCustomer => {
                if let Some(name) = words.signed.as_ref().filter(|_| !self.is_signed_by_another) {
                    self.name(name.clone(), if words.signature.is_empty() { Place::Body } else { Place::Signature });
                }
                for name in self.introduced(words).to_vec() {
                    self.name(name, Place::Body);
                }
            }
            // An agent signs with the agent's name; the customer's is where he noted it.
            Direction::FromAgent => {
                if let Some(name) = names::in_note(&words.own) {
                    self.name(name, Place::Body);
                }
            }
        }
    }

    fn name(&mut self, name: PersonName, place: Place) {
        let known =
            self.names.iter().any(|fact| matches!(&fact.value, FactValue::Name(other) if other.key() == name.key()));
        if !known && self.names.len() < NAMES_MAX {
            self.names.push(MessageFact { value: FactValue::Name(name), place });
        }
    }

    /// Firms beside the name in the signature of a customer.
    fn companies_in(&mut self, words: &OwnWords) {
        let is_his = self.incoming.direction == Direction::FromCustomer;
        if !is_his || self.incoming.auto.is_some() || is_forwarded(self.incoming) {
            return;
        }
        for line in words.signature.lines().take(COMPANY_LINES_MAX) {
            if let Some(company) = company_in(line) {
                self.company(company, Place::Signature);
            }
        }
    }

    fn company(&mut self, company: CompanyName, place: Place) {
        let is_it =
            |fact: &MessageFact| matches!(&fact.value, FactValue::Company(other) if other.key() == company.key());
        if self.companies.len() < COMPANIES_MAX && !self.companies.iter().any(is_it) {
            self.companies.push(MessageFact { value: FactValue::Company(company), place });
        }
    }

    /// A claim, unless it is the sender's own identity or the desk's.
    fn claim(&mut self, identity: Identity, place: Place) {
        let of_sender = [&self.incoming.sender, &self.incoming.recipient].iter().any(|side| {
            side.identities
                .iter()
                .any(|own| own.identity.scheme == identity.scheme && own.identity.value == identity.value)
        });
        let known = self.claims.iter().any(|fact| matches!(&fact.value, FactValue::Claim(other) if *other == identity));
        if !of_sender && !known && self.claims.len() < CLAIMS_MAX && !is_ours(&identity, self.policy) {
            self.claims.push(MessageFact { value: FactValue::Claim(identity), place });
        }
    }

    fn finish(self) -> Vec<MessageFact> {
        let room = FACTS_MAX - self.claims.len() - self.names.len() - self.companies.len();
        let numbers = self.numbers.into_iter().take(room);
        numbers.chain(self.claims).chain(self.names).chain(self.companies).collect()
    }
}

/// A mailbox is signed in a full name that is neither its own nor in its address: a choir's, by whoever looks after its
/// mail, or a director's, by his secretary.
fn signs_for_another(sender: &Sender, words: &OwnWords) -> bool {
    let mailbox = sender.identities.first().filter(|own| own.identity.scheme == MAILTO);
    let called = sender.name.as_deref().and_then(PersonName::parse);
    let (Some(mailbox), Some(called), Some(signed)) = (mailbox, called, words.signed.as_ref()) else { return false };
    let in_address = mailbox.identity.value.split('@').next().and_then(names::in_address);
    let is_other = |name: &PersonName| signed.compare(name).verdict == NameMatch::Conflict;
    signed.is_full() && is_other(&called) && in_address.as_ref().is_none_or(is_other)
}

/// Whether the person typed the fields himself (a web chat's form): nobody vouches for any of the
/// sender's identities, and it is neither a mail nor a call.
fn is_typed(incoming: &Incoming, sender: &Sender) -> bool {
    let vouched =
        |scheme: &str, assurance: Assurance| scheme == MAILTO || scheme == TEL || assurance >= Assurance::Proven;
    matches!(incoming.content, Content::Text(_))
        && !sender.identities.iter().any(|own| vouched(&own.identity.scheme, own.assurance))
}

/// Whether the identity is the desk itself: a mailbox or number of ours.
pub fn is_own(identity: &Identity, policy: &Policy) -> bool {
    match identity.scheme.as_str() {
        MAILTO => EmailAddress::parse(&identity.value).is_ok_and(|address| policy.is_own(&address)),
        TEL => {
            !policy.own_numbers.is_empty()
                && PhoneNumber::parse(&identity.value, &policy.region)
                    .is_ok_and(|number| policy.own_numbers.contains(&number))
        }
        _ => false,
    }
}

/// Whether the identity is the desk's, or of somebody who answers for it: never a claim.
pub fn is_ours(identity: &Identity, policy: &Policy) -> bool {
    is_agents(identity, policy) || is_own(identity, policy)
}

/// Whether the identity is of somebody who answers for the desk.
pub fn is_agents(identity: &Identity, policy: &Policy) -> bool {
    identity.scheme == MAILTO && EmailAddress::parse(&identity.value).is_ok_and(|address| policy.is_agent(&address))
}

/// Whether the subject is that of a thread, and more than a number, which can be guessed.
fn repeats_subject(written: &str) -> bool {
    let read = subject::read(written);
    let is_word = |word: &str| word.chars().all(|c| !c.is_ascii_digit()) && word.chars().any(char::is_alphabetic);
    read.is_answer && read.base.split_whitespace().any(is_word)
}

/// Whether the platform says that the words were somebody else's first. What stands above a mail that is passed on is
/// its sender's own.
fn is_forwarded(incoming: &Incoming) -> bool {
    let is_mail = incoming.sender.identities.first().is_some_and(|own| own.identity.scheme == MAILTO);
    incoming.marks.contains(&Mark::Forwarded) && !is_mail
}

/// The text without the electronic business cards in it (RFC 6350): they are about other people.
pub fn without_cards(text: &str) -> Cow<'_, str> {
    const BEGIN: &str = "begin:vcard";
    const END: &str = "end:vcard";
    let lower = text.to_ascii_lowercase();
    if !lower.contains(BEGIN) {
        return Cow::Borrowed(text);
    }
    let (mut kept, mut at) = (String::with_capacity(text.len()), 0);
    while let Some(found) = lower[at..].find(BEGIN) {
        kept.push_str(&text[at..at + found]);
        let card = at + found;
        at = lower[card..].find(END).map_or(text.len(), |end| card + end + END.len());
    }
    kept.push_str(&text[at..]);
    Cow::Owned(kept)
}

/// The firm that a line names beside other particulars: "Minna Virtanen, Putki Itä Oy".
fn company_in(line: &str) -> Option<CompanyName> {
    if line.len() > ADDRESS_PART_BYTES_MAX {
        return None;
    }
    let parts = line.split(['|', ',', ';', '•', '·', '/', '(', ')', '\t']).flat_map(|part| part.split(" - "));
    parts.flat_map(|part| part.split("  ")).find_map(CompanyName::parse)
}

/// E-mail addresses in a text, and where they stand.
fn addresses(text: &str) -> Vec<(EmailAddress, Range<usize>)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('@').take(ADDRESSES_MAX) {
        let local = |c: char| c.is_alphanumeric() || "._%+-'".contains(c);
        let domain = |c: char| c.is_alphanumeric() || ".-".contains(c);
        let before = scan::cut_front(&text[..at], ADDRESS_PART_BYTES_MAX);
        let before = &before[before.trim_end_matches(local).len()..];
        let after = cut(&text[at + 1..], ADDRESS_PART_BYTES_MAX);
        let after = &after[..after.len() - after.trim_start_matches(domain).len()];
        let (before, after) = (before.trim_start_matches(['.', '-', '\'', '+']), after.trim_end_matches(['.', '-']));
        let dotted = after
            .rsplit_once('.')
            .is_some_and(|(_, top)| top.chars().count() >= 2 && !top.bytes().all(|b| b.is_ascii_digit()));
        if before.is_empty() || !dotted {
            continue;
        }
        let address = EmailAddress::parse(&format!("{before}@{after}"));
        found.extend(address.ok().map(|address| (address, at - before.len()..at + 1 + after.len())));
    }
    found
}
