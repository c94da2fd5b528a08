//! Which ticket does it join → [`Placement`]. The rules of DESIGN 5, one function each, first
//! answer wins.
//!
//! **Invariant:** the sender's right to a ticket is checked before a token, number or header counts;
//! what points to a ticket he has no right to becomes a suggestion.

mod joins;
mod open;

use super::evidence::{firm, is_call, is_contradicted, is_forgeable, may_guess};
use super::gather::has_two_names;
use super::pointers::{self, Evidence, Pointer};
use super::resolve::Resolved;
use crate::pure::domain::Timestamp;
use crate::pure::domain::decision::*;
use crate::pure::domain::facts::*;
use crate::pure::domain::id::{ContactId, IdMint, MessageId, TicketId};
use crate::pure::domain::identity::{Assurance, MAILTO, mask, registrable_domain};
use crate::pure::domain::lookalike;
use crate::pure::domain::message::{Auto, Direction, FactValue, Message, ReferenceKind};
use crate::pure::domain::policy::{Policy, Windows};
use crate::pure::domain::rule::Rule;
use crate::pure::domain::say::{OnOther, OnTicket, Say};
use crate::pure::domain::ticket::TicketState;
use crate::pure::wire::subject;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Where it goes, and all that follows from that.
#[derive(Debug)]
pub struct Placed {
    /// The conclusion.
    pub placement: Placement,
    /// Why the contact takes part, when he did not before.
    pub entitled_by: Option<EntitledBy>,
    /// Tickets that turned out to be one.
    pub moves: Vec<Move>,
    /// Tickets that something pointed to in vain.
    pub suggestions: Vec<Suggestion>,
    /// Tickets would be one if an agent had not put messages of one of them where they are: what becomes of that is
    /// decided with all that was said.
    pub is_left: bool,
    /// Keys by which later messages find the ticket.
    pub anchors: Vec<(AnchorKind, LookupKey, String)>,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// An answer which says that the fault is back belongs to its matter however late it comes (IDENTITY.md 5).
const FOR_EVER: Duration = Duration::MAX;

/// Tickets suggested for one message.
const SUGGESTIONS_MAX: usize = 3;

/// Finds the ticket.
pub fn place(
    message: &Message,
    lookup: &Lookup,
    resolved: &Resolved,
    facts: &Facts,
    mint: &mut IdMint,
    policy: &Policy,
) -> Placed {
    let mut threading = Threading::new(message, lookup, resolved, facts, policy);
    if message.incoming.is_in_group() {
        let found = threading.same_group().unwrap_or_else(|| threading.new_ticket(None));
        return threading.conclude(found, mint);
    }
    let found = threading
        .on_a_message()
        .or_else(|| threading.answers_the_desk())
        .or_else(|| threading.vendors_thread())
        .or_else(|| threading.never_came())
        .or_else(|| threading.quotes())
        .or_else(|| threading.number_of_the_matter())
        .or_else(|| threading.answers_subject())
        .or_else(|| threading.same_session())
        .or_else(|| threading.only_open_one());
    let late = threading.late;
    let found = found.unwrap_or_else(|| threading.new_ticket(late));
    threading.conclude(found, mint)
}

/// Where a notice about the sender himself is shown: on his latest ticket. Tickets of contacts that it
/// joined are one from now on, where they are one matter.
pub fn show(message: &Message, lookup: &Lookup, resolved: &Resolved, facts: &Facts, policy: &Policy) -> Placed {
    let mut threading = Threading::new(message, lookup, resolved, facts, policy);
    let sides = resolved.sides.iter().flat_map(|side| facts.tickets_of(*side)).filter(|known| !known.is_group);
    let latest = sides.max_by_key(|known| (known.ticket.state == TicketState::Open, known.ticket.last_at));
    let placement = latest.map_or(Placement::None, |known| Placement::Join(known.ticket.id));
    let placement = threading.join_other_sides(placement);
    let (suggestions, anchors) = (Vec::new(), Vec::new());
    let Threading { moves, is_left, reasons, .. } = threading;
    Placed { placement, entitled_by: None, moves, suggestions, is_left, anchors, reasons }
}

/// Where an agent put it: on a ticket, or on one of its own.
pub fn put(
    message: &Message,
    lookup: &Lookup,
    resolved: &Resolved,
    facts: &Facts,
    on: Option<TicketId>,
    mint: &mut IdMint,
    policy: &Policy,
) -> Placed {
    let mut threading = Threading::new(message, lookup, resolved, facts, policy);
    threading.because("by_hand", OnTicket::PutByHand, None);
    let (placement, entitled_by) = match on.and_then(|ticket| facts.ticket(ticket)) {
        Some(known) => {
            let takes_part = resolved.resolution.contact().is_none_or(|c| known.participants.contains_key(&c));
            let by = (!takes_part && !message.incoming.is_aside()).then_some(EntitledBy::Agent);
            let reopens = known.ticket.closed_at.is_some_and(|closed| closed < message.occurred_at);
            match reopens && !threading.is_quiet() {
                true => (Placement::Reopen(known.ticket.id), by),
                false => (Placement::Join(known.ticket.id), by),
            }
        }
        None => {
            let ticket = mint.dated(message.received_at);
            let by = resolved.resolution.contact().map(|_| threading.opens_as());
            (Placement::Open { ticket, follow_up_of: None }, by)
        }
    };
    let anchors = threading.anchors(&placement);
    let (moves, suggestions, is_left) = (Vec::new(), Vec::new(), false);
    Placed { placement, entitled_by, moves, suggestions, is_left, anchors, reasons: threading.reasons }
}

/// An answer of a rule.
#[derive(Debug, Clone)]
enum Found {
    Ticket { ticket: TicketId, by: EntitledBy, window: Duration },
    New { follow_up_of: Option<TicketId> },
    Nowhere,
}

struct Threading<'a> {
    message: &'a Message,
    lookup: &'a Lookup,
    resolved: &'a Resolved,
    facts: &'a Facts,
    policy: &'a Policy,
    windows: Windows,
    /// What the message points at, best first.
    pointers: Vec<Pointer<'a>>,
    /// Keys of the message's secret numbers by matter.
    numbers: BTreeMap<&'a str, BTreeSet<LookupKey>>,
    pointed: Vec<(TicketId, MessageId, OnOther)>,
    moves: Vec<Move>,
    is_left: bool,
    /// A closed matter of his whose number he names too late: what opens a ticket continues it.
    late: Option<TicketId>,
    reasons: Vec<Reason>,
}

impl<'a> Threading<'a> {
    fn new(
        message: &'a Message,
        lookup: &'a Lookup,
        resolved: &'a Resolved,
        facts: &'a Facts,
        policy: &'a Policy,
    ) -> Self {
        let mut numbers: BTreeMap<&str, BTreeSet<LookupKey>> = BTreeMap::new();
        for (fact, key) in message.facts.iter().zip(&lookup.facts) {
            if let (FactValue::Number { matter, .. }, Some(key)) = (&fact.value, key) {
                numbers.entry(matter).or_default().insert(*key);
            }
        }
        let windows = policy.windows(&message.channel);
        let pointers = pointers::pointers(message, lookup, facts, windows.one_open);
        let (pointed, moves, is_left, late, reasons) = (Vec::new(), Vec::new(), false, None, Vec::new());
        Self {
            message,
            lookup,
            resolved,
            facts,
            policy,
            windows,
            pointers,
            numbers,
            pointed,
            moves,
            is_left,
            late,
            reasons,
        }
    }

    fn heeds(&self, rule: Rule) -> bool {
        self.policy.rules.heed(rule)
    }

    /// The text says that this is a new matter.
    fn is_new_matter(&self) -> bool {
        self.message.says_new_matter && self.heeds(Rule::NewMatter)
    }

    fn is_mine(&self, contact: &ContactId) -> bool {
        self.resolved.sides.contains(contact) || self.resolved.resolution.contact() == Some(*contact)
    }

    /// Notes what a rule found, and the earlier message that it rests on, if it does on one.
    fn because(&mut self, rule: &str, says: OnTicket, from: Option<MessageId>) {
        let from = from.filter(|from| *from != self.message.id).into_iter().collect();
        self.reasons.push(Reason { from, ..Reason::new(rule, says) });
    }

    /// The message with which a ticket began.
    fn opener(&self, ticket: TicketId) -> Option<MessageId> {
        Some(self.facts.ticket(ticket)?.ticket.opened_by)
    }

    /// Whether the sender may write on the ticket, and why. A number entitles less than a reply.
    fn entitled(&self, known: &KnownTicket, by_number: bool) -> Option<EntitledBy> {
        if is_contradicted(self.message) || known.is_group || self.imitates(known) {
            return None;
        }
        if known.participants.keys().any(|contact| self.is_mine(contact)) {
            // A caller is on his contact's matters anyway; of several, the number tells which.
            let is_entitled =
                !by_number || is_call(self.message) || !is_forgeable(self.message) || !self.heeds(Rule::NumberVouched);
            return is_entitled.then_some(EntitledBy::SameContact);
        }
        if !self.heeds(Rule::Entitled) {
            return Some(EntitledBy::SameContact);
        }
        let is_doubtful = self.message.assurance < Assurance::Plausible || is_forgeable(self.message);
        if is_doubtful && self.heeds(Rule::ColleagueVouched) {
            return None;
        }
        let domain = self.organisation_of_sender()?;
        // Beyond DESIGN 5: a colleague whom his domain itself vouches for, and who knows the secret number, is let on
        // his firm's matter unconfirmed. Who knows neither the firm's mail nor the number gets nowhere by it.
        let confirmed = self.policy.organisations.contains(domain)
            || self.message.assurance == Assurance::Verified
            || !self.heeds(Rule::ColleagueConfirmed);
        let colleague = known.participants.keys().any(|contact| {
            self.facts.identities_of(*contact).any(|id| {
                id.assurance >= Assurance::Plausible
                    && id.identity.mail_domain().and_then(registrable_domain) == Some(domain)
            })
        });
        (colleague && (!by_number || confirmed)).then_some(EntitledBy::Organisation)
    }

    /// Somebody else's matter, and he or another says that the sender is not who he pretends to be.
    fn is_denied(&self, known: &KnownTicket) -> bool {
        let at = self.message.trusted_at;
        let mut held = self.message.customer().identities.iter();
        held.any(|held| {
            self.facts.identity_at(&held.identity, at).is_some_and(|known| self.facts.denied.contains(&known.id))
        }) && !known.participants.keys().any(|contact| self.is_mine(contact))
    }

    /// The sender's domain is made to look like that of somebody who takes part.
    fn imitates(&self, known: &KnownTicket) -> bool {
        let held = self.message.customer().identities.iter().find_map(|held| held.identity.mail_domain());
        // Whoever an agent says is one person may write from both.
        let others = known.participants.keys().filter(|contact| !self.is_mine(contact));
        let mut others = others.flat_map(|contact| self.facts.identities_of(*contact));
        held.filter(|_| self.heeds(Rule::ImitatedTicket)).is_some_and(|domain| {
            others.any(|known| known.identity.mail_domain().is_some_and(|theirs| lookalike::imitates(domain, theirs)))
        })
    }

    fn organisation_of_sender(&self) -> Option<&'a str> {
        let mut held = self.message.customer().identities.iter().map(|held| &held.identity);
        firm(held.find(|identity| identity.mail_domain().is_some())?, self.policy)
    }

    /// The anchor leads to a ticket that is not a group's.
    fn is_private(&self, anchor: &Anchor) -> bool {
        anchor.ticket.is_some_and(|ticket| self.facts.ticket(ticket).is_none_or(|known| !known.is_group))
    }

    /// Before all rules: what is said in a group stays in the group, however often its members write
    /// to us alone. Whoever speaks in it takes part: the platform let him in.
    fn same_group(&mut self) -> Option<Found> {
        if !self.heeds(Rule::Group) {
            return None;
        }
        let references = self.message.incoming.references.iter().zip(&self.lookup.references);
        let ticket = references
            .filter(|(reference, _)| reference.kind == ReferenceKind::Group)
            .flat_map(|(_, key)| self.facts.anchors.get(key).into_iter().flatten())
            .find_map(|anchor| Some((anchor.ticket.filter(|_| anchor.kind == AnchorKind::Group)?, anchor.message)))?;
        let (ticket, from) = (self.facts.ticket_now(ticket.0), ticket.1);
        self.facts.ticket(ticket)?;
        self.because("group", OnTicket::SameGroup, Some(from));
        Some(self.on_known(ticket, EntitledBy::Group, self.windows.one_open))
    }

    /// What an agent did belongs where the message is that it is on.
    fn on_a_message(&mut self) -> Option<Found> {
        let on = self.message.incoming.on.as_ref()?.message?;
        let ticket = self.facts.ticket_now(self.facts.said.get(&on)?.ticket?);
        self.facts.ticket(ticket)?;
        self.because("desk_act", OnTicket::DeskAct, Some(on));
        let numbers = self.numbers.values().flatten();
        for anchor in numbers.flat_map(|key| self.facts.anchors.get(key).into_iter().flatten()) {
            if let Some(other) = anchor.ticket.filter(|_| anchor.kind == AnchorKind::Number) {
                self.pointed.push((self.facts.ticket_now(other), anchor.message, OnOther::DeskWroteNumber));
            }
        }
        Some(Found::Ticket { ticket, by: EntitledBy::Addressed, window: self.windows.one_open })
    }

    /// Rule 1: an answer to a mail that the desk is known to have sent.
    fn answers_the_desk(&mut self) -> Option<Found> {
        if is_contradicted(self.message) || !self.heeds(Rule::DeskMessage) {
            return None;
        }
        let answered = self.pointers.iter().filter(|pointer| pointer.is_answer()).map(|pointer| pointer.anchor);
        let mut answered =
            answered.filter(|anchor| anchor.direction == Direction::FromAgent && self.is_private(anchor));
        let anchor = answered.next()?;
        let ticket = self.facts.ticket_now(anchor.ticket?);
        if self.facts.ticket(ticket).is_some_and(|known| self.imitates(known)) {
            self.pointed.push((ticket, anchor.message, OnOther::AnswersDeskImitating));
            return None;
        }
        if self.facts.ticket(ticket).is_some_and(|known| self.is_denied(known)) {
            self.pointed.push((ticket, anchor.message, OnOther::AnswersDeskDenied));
            return None;
        }
        let by =
            self.facts.ticket(ticket).and_then(|known| self.entitled(known, false)).unwrap_or(EntitledBy::DeskMessage);
        self.because("desk_message", OnTicket::AnswersDesk, Some(anchor.message));
        Some(self.on_known(ticket, by, self.answer_window()))
    }

    /// Rule 2: the vendor's own thread: a reply, a quoted message, a conversation, a call.
    fn vendors_thread(&mut self) -> Option<Found> {
        self.follow("vendor_thread", |evidence| match evidence {
            Evidence::Named(ReferenceKind::Conversation) => Some(OnTicket::SameConversation),
            Evidence::Named(ReferenceKind::Hint) => Some(OnTicket::SameMailThread),
            Evidence::Named(_) => Some(OnTicket::AnswersMessage),
            _ => None,
        })
    }

    /// Rule 2 by way of a message that has not come: an earlier arrival points at this one, or both point
    /// at the same.
    fn never_came(&mut self) -> Option<Found> {
        let awaited = |evidence| (evidence == Evidence::Awaited).then_some(OnTicket::AnsweredEarlier);
        let sibling = |evidence| (evidence == Evidence::Sibling).then_some(OnTicket::SameAbsentMessage);
        self.follow("late_parent", awaited).or_else(|| self.follow("same_parent", sibling))
    }

    fn answer_window(&self) -> Duration {
        if self.message.says_is_back { FOR_EVER } else { self.windows.one_open }
    }

    /// The first ticket that pointers of a kind lead to and that the sender is entitled to.
    fn follow(&mut self, rule: &str, says: impl Fn(Evidence) -> Option<OnTicket>) -> Option<Found> {
        for at in 0..self.pointers.len() {
            let Pointer { evidence, anchor, .. } = self.pointers[at];
            let Some(says) = says(evidence).filter(|_| self.heeds(rule_of(evidence))) else { continue };
            let Some(ticket) = anchor.ticket.map(|ticket| self.facts.ticket_now(ticket)) else { continue };
            let Some(known) = self.facts.ticket(ticket) else { continue };
            match self.entitled(known, false) {
                Some(by) => {
                    if let Some(there) = self.its_matter(known, evidence) {
                        return Some(self.goes_to_its_number(ticket, there));
                    }
                    self.because(rule, says, Some(anchor.message));
                    let is_answer = matches!(evidence, Evidence::Named(ReferenceKind::Reply | ReferenceKind::Ancestor));
                    let window = if is_answer { self.answer_window() } else { self.windows.one_open };
                    return Some(self.on_known(ticket, by, window));
                }
                None => {
                    let why = match evidence {
                        Evidence::Named(_) => OnOther::AnswersButTakesNoPart,
                        _ => OnOther::NamedButTakesNoPart,
                    };
                    self.pointed.push((ticket, anchor.message, why));
                }
            }
        }
        None
    }

    /// The ticket that a pointer of weaker evidence leads to, unless the message speaks of something else.
    fn unnamed(&self, evidence: Evidence) -> Option<(&'a Anchor, &'a KnownTicket)> {
        let pointer = self.pointers.iter().find(|pointer| pointer.evidence == evidence)?;
        let known = self.facts.ticket(pointer.anchor.ticket?)?;
        let is_free = !self.is_new_matter() && !self.contradicts(known) && self.heeds(rule_of(evidence));
        is_free.then_some((pointer.anchor, known))
    }

    /// Rule 2 where the references were lost: it quotes what was said on one ticket.
    fn quotes(&mut self) -> Option<Found> {
        let (anchor, known) = self.unnamed(Evidence::Quoted)?;
        let Some(by) = self.entitled(known, false) else {
            self.pointed.push((known.ticket.id, anchor.message, OnOther::QuotesButTakesNoPart));
            return None;
        };
        self.because("quoted", OnTicket::Quotes, Some(anchor.message));
        Some(self.on_known(known.ticket.id, by, self.windows.one_open))
    }

    /// Rule 2 where the references were lost and nothing is quoted: an answer with the subject of one
    /// ticket of these days. Equal subjects are no evidence across contacts, nor is one that many matters have;
    /// a colleague counts where the firm is confirmed.
    fn answers_subject(&mut self) -> Option<Found> {
        let (anchor, known) = self.unnamed(Evidence::Subject)?;
        let subject = subject::read(self.message.incoming.subject.as_deref().unwrap_or_default());
        let by = self.entitled(known, false).filter(|by| match by {
            EntitledBy::Organisation if self.heeds(Rule::SubjectFirm) => {
                self.organisation_of_sender().is_some_and(|domain| self.policy.organisations.contains(domain))
            }
            _ => true,
        });
        // Of his own, one ticket has that subject these days, or there would be no pointer.
        let is_his = |by: &EntitledBy| *by == EntitledBy::SameContact && known.ticket.state == TicketState::Open;
        let is_telling = |by: &EntitledBy| subject.is_telling() || (is_his(by) && !subject.is_common());
        let by = by.filter(|by| is_telling(by) || !self.heeds(Rule::TellingSubject))?;
        self.because("subject", OnTicket::SameSubject, Some(anchor.message));
        Some(self.on_known(known.ticket.id, by, self.windows.closed_continues))
    }

    /// Rule 3: a number of the matter.
    fn number_of_the_matter(&mut self) -> Option<Found> {
        if is_contradicted(self.message) || !self.heeds(Rule::Number) {
            return None;
        }
        // "Another matter, not that of TM-26-5102."
        if self.is_new_matter() {
            return None;
        }
        if self.heeds(Rule::Guessing) && !may_guess(self.facts, self.message) {
            return None;
        }
        let mut entitled: BTreeMap<TicketId, EntitledBy> = BTreeMap::new();
        let mut late: BTreeSet<TicketId> = BTreeSet::new();
        let keys: Vec<LookupKey> = self.numbers.values().flatten().copied().collect();
        for anchor in keys.iter().flat_map(|key| self.facts.anchors.get(key).into_iter().flatten()) {
            let Some(ticket) = anchor.ticket.map(|ticket| self.facts.ticket_now(ticket)) else { continue };
            let Some(known) = self.facts.ticket(ticket).filter(|_| anchor.kind == AnchorKind::Number) else { continue };
            let is_recent = |by| {
                let window = self.number_window(by);
                known.ticket.closed_at.is_none_or(|closed| within(self.message.occurred_at, closed, window))
            };
            match self.entitled(known, true) {
                Some(by) if is_recent(by) => {
                    entitled.insert(ticket, by);
                }
                Some(by) => late.extend((by == EntitledBy::SameContact).then_some(ticket)),
                None => self.pointed.push((
                    ticket,
                    if anchor.direction == Direction::FromAgent { known.ticket.opened_by } else { anchor.message },
                    OnOther::NumberButTakesNoPart,
                )),
            }
        }
        let open =
            |ticket: &TicketId| self.facts.ticket(*ticket).is_some_and(|known| known.ticket.state == TicketState::Open);
        let mut fits: Vec<(TicketId, EntitledBy)> = entitled.iter().map(|(ticket, by)| (*ticket, *by)).collect();
        if fits.iter().any(|(ticket, _)| open(ticket)) {
            fits.retain(|(ticket, _)| open(ticket));
        }
        // His own matter goes before a colleague's of the same number.
        if self.heeds(Rule::OwnFirst) && fits.iter().any(|(_, by)| *by == EntitledBy::SameContact) {
            fits.retain(|(_, by)| *by == EntitledBy::SameContact);
        }
        match fits.as_slice() {
            [] => self.goes_on(&late),
            [(ticket, by)] => {
                self.because_of_number(*ticket);
                Some(self.on_known(*ticket, *by, self.number_window(*by)))
            }
            several => {
                let several: Vec<TicketId> = several.iter().map(|(ticket, _)| *ticket).collect();
                if let Some(ticket) = self.join_sides(&several) {
                    self.because_of_number(ticket);
                    return Some(self.on_known(ticket, EntitledBy::SameContact, self.windows.closed_continues));
                }
                self.tie(&several);
                Some(self.new_ticket(None))
            }
        }
    }

    /// How long after it was closed a number opens a matter again: whenever its own contact says that it is back.
    fn number_window(&self, by: EntitledBy) -> Duration {
        let is_back = self.message.says_is_back && by == EntitledBy::SameContact && self.heeds(Rule::IsBack);
        if is_back { FOR_EVER } else { self.windows.closed_continues }
    }

    /// A number of a matter that was closed long ago: what continues that one already, else what this opens.
    fn goes_on(&mut self, late: &BTreeSet<TicketId>) -> Option<Found> {
        let [old] = late.iter().copied().collect::<Vec<_>>()[..] else { return None };
        if !self.heeds(Rule::FollowUp) {
            return None;
        }
        match self.continued_by(old) {
            Some(next) => {
                self.because_of_number(old);
                Some(self.on_known(next, EntitledBy::SameContact, self.windows.closed_continues))
            }
            None => {
                self.late = Some(old);
                None
            }
        }
    }

    /// The ticket of the contact's that continues a closed one, if it is open.
    fn continued_by(&self, old: TicketId) -> Option<TicketId> {
        let mine = self.resolved.sides.iter().copied().chain(self.resolved.resolution.contact());
        let open = mine.flat_map(|contact| self.facts.tickets_of(contact)).filter(|known| {
            known.ticket.state == TicketState::Open
                && known.ticket.follow_up_of.map(|of| self.facts.ticket_now(of)) == Some(old)
        });
        open.map(|known| (known.ticket.opened_at, known.ticket.id)).max().map(|(_, ticket)| ticket)
    }

    /// The first words of a conversation did not tell which of the sender's matters it is, and it has a ticket of its
    /// own; soon after he names the number of one of them: the ticket of that one.
    fn its_matter(&self, known: &KnownTicket, evidence: Evidence) -> Option<TicketId> {
        let is_conversation = |evidence| evidence == Evidence::Named(ReferenceKind::Conversation);
        let began = |pointer: &Pointer<'_>| {
            is_conversation(pointer.evidence) && pointer.anchor.message == known.ticket.opened_by
        };
        let is_open_to_it = is_conversation(evidence)
            && self.heeds(Rule::NumberInTalk)
            && !self.numbers.is_empty()
            && known
                .numbers
                .iter()
                .all(|(matter, has)| self.numbers.get(matter.as_str()).is_some_and(|keys| has.is_subset(keys)))
            && known.ticket.state == TicketState::Open
            && !known.is_held
            && !self.is_new_matter()
            && self.is_own_only(known)
            && within(self.message.occurred_at, known.ticket.opened_at, self.windows.chat_session)
            && self.pointers.iter().any(began);
        is_open_to_it.then(|| self.own_open_by_number(known.ticket.id)).flatten()
    }

    /// The sender's only open ticket beside one that has a number which the message names.
    fn own_open_by_number(&self, here: TicketId) -> Option<TicketId> {
        if is_contradicted(self.message) || !self.heeds(Rule::Number) || !may_guess(self.facts, self.message) {
            return None;
        }
        let keys = self.numbers.values().flatten();
        let anchors = keys.flat_map(|key| self.facts.anchors.get(key).into_iter().flatten());
        let named = anchors.filter(|anchor| anchor.kind == AnchorKind::Number).filter_map(|anchor| {
            let known = self.facts.ticket(self.facts.ticket_now(anchor.ticket?))?;
            let is_his = self.entitled(known, true) == Some(EntitledBy::SameContact)
                && known.ticket.state == TicketState::Open
                && known.ticket.id != here
                && !known.is_held;
            is_his.then_some(known.ticket.id)
        });
        let mut named = named.collect::<BTreeSet<_>>().into_iter();
        named.next().filter(|_| named.next().is_none())
    }

    /// What was said before of the conversation comes along.
    fn goes_to_its_number(&mut self, here: TicketId, there: TicketId) -> Found {
        self.because_of_number(there);
        self.move_into(there, &[here], &OnOther::TalkNamesNumber);
        self.on_known(there, EntitledBy::SameContact, self.windows.one_open)
    }

    /// Notes which number the message and the ticket share, and who named it first of those that are known.
    fn because_of_number(&mut self, ticket: TicketId) {
        let mut numbers = self.message.facts.iter().zip(&self.lookup.facts).filter_map(|(fact, key)| {
            let FactValue::Number { matter, value, .. } = &fact.value else { return None };
            let anchors = self.facts.anchors.get(key.as_ref()?)?.iter();
            let mut there = anchors.filter(|anchor| {
                anchor.kind == AnchorKind::Number && anchor.ticket.map(|t| self.facts.ticket_now(t)) == Some(ticket)
            });
            // A message that is placed anew is without its words.
            let shown = (!value.is_empty()).then(|| format!("{matter} {}", mask("", value)));
            Some((shown, there.next_back()?.message))
        });
        let (number, from) = numbers.next().map_or((None, None), |(shown, from)| (shown, Some(from)));
        self.because("number", OnTicket::NamesNumber { number }, from);
    }

    /// The message names what other matters are about, and not what this one is.
    fn is_about_another(&self, known: &KnownTicket) -> bool {
        let topics = self.lookup.topics.iter().map(|(name, _)| name);
        let is_named = topics.clone().any(|name| known.topics.contains_key(name));
        self.heeds(Rule::OtherTopic) && is_named && !self.is_about(known)
    }

    /// The message names what the ticket is about.
    fn is_about(&self, known: &KnownTicket) -> bool {
        self.lookup.topics.iter().any(|(name, key)| known.topics.get(name).is_some_and(|has| has.contains(key)))
    }

    /// The message names a number of a kind that the ticket has, and another one.
    fn contradicts(&self, known: &KnownTicket) -> bool {
        let mut numbers = self.numbers.iter().filter(|_| self.heeds(Rule::OtherNumber));
        numbers.any(|(matter, keys)| known.numbers.get(*matter).is_some_and(|has| has.is_disjoint(keys)))
    }

    /// The message names numbers, and none that the ticket has.
    fn names_none_of(&self, known: &KnownTicket) -> bool {
        let mut named = self.numbers.iter().flat_map(|(matter, keys)| keys.iter().map(move |key| (*matter, key)));
        !self.numbers.is_empty()
            && !named.any(|(matter, key)| known.numbers.get(matter).is_some_and(|has| has.contains(key)))
    }

    /// The message names a number that the ticket has.
    fn names_one_of(&self, known: &KnownTicket) -> bool {
        !self.numbers.is_empty() && !self.names_none_of(known)
    }

    fn tie(&mut self, tickets: &[TicketId]) {
        self.because("tie", OnTicket::SeveralFit, None);
        self.point_at(tickets, &OnOther::OneOfSeveralOpen);
    }

    fn point_at(&mut self, tickets: &[TicketId], why: &OnOther) {
        let known = tickets.iter().filter_map(|ticket| self.facts.ticket(*ticket));
        self.pointed.extend(known.map(|known| (known.ticket.id, known.ticket.opened_by, why.clone())));
    }

    /// A known ticket, unless it is closed and the message brings another matter.
    fn on_known(&mut self, ticket: TicketId, by: EntitledBy, window: Duration) -> Found {
        let is_over = |known: &KnownTicket| {
            known.ticket.state == TicketState::Closed
                || (self.is_new_matter()
                    && self.heeds(Rule::SilentOther)
                    && !self.is_near(known, self.windows.one_open))
        };
        if let Some(known) = self.facts.ticket(ticket).filter(|known| is_over(known))
            && self.heeds(Rule::ClosedOther)
            && (self.is_new_matter()
                || self.names_none_of(known)
                || (self.is_about_another(known) && !self.names_one_of(known)))
        {
            let from = known.ticket.opened_by;
            self.because("closed_other_matter", OnTicket::ClosedAndAnother, Some(from));
            return self.new_ticket(None);
        }
        Found::Ticket { ticket, by, window }
    }

    /// Rule 5. Automatic mail and what nobody said opens nothing.
    fn new_ticket(&mut self, follow_up_of: Option<TicketId>) -> Found {
        let internal = self.message.incoming.direction == Direction::FromAgent && self.resolved.identity.is_none();
        if (self.message.incoming.is_aside() && self.heeds(Rule::AutoOpensNone)) || internal {
            self.because("opens_none", OnTicket::OpensNone, None);
            return Found::Nowhere;
        }
        Found::New { follow_up_of }
    }

    fn conclude(mut self, found: Found, mint: &mut IdMint) -> Placed {
        let (placement, entitled_by) = match found {
            Found::Nowhere => (Placement::None, None),
            Found::New { follow_up_of } => self.open(follow_up_of, mint),
            Found::Ticket { ticket, by, window } => self.enter(ticket, by, window, mint),
        };
        let placement = self.join_other_sides(placement);
        let placement = self.join_thread(placement);
        let anchors = self.anchors(&placement);
        let suggestions = self.suggestions(&placement, mint);
        let Self { moves, is_left, reasons, .. } = self;
        Placed { placement, entitled_by, moves, suggestions, is_left, anchors, reasons }
    }

    /// As what its contact takes part in a ticket that it opens.
    fn opens_as(&self) -> EntitledBy {
        match self.message.incoming.direction {
            Direction::FromCustomer => EntitledBy::Opener,
            Direction::FromAgent => EntitledBy::Addressed,
        }
    }

    /// It opens no closed ticket again.
    fn is_quiet(&self) -> bool {
        self.message.incoming.is_aside()
            || self.message.incoming.direction == Direction::FromAgent
            || self.message.says_nothing
    }

    fn open(&mut self, follow_up_of: Option<TicketId>, mint: &mut IdMint) -> (Placement, Option<EntitledBy>) {
        self.because("new_ticket", OnTicket::NewTicket, None);
        let by = self.resolved.resolution.contact().map(|_| self.opens_as());
        (Placement::Open { ticket: mint.dated(self.message.received_at), follow_up_of }, by)
    }

    fn enter(
        &mut self,
        ticket: TicketId,
        by: EntitledBy,
        window: Duration,
        mint: &mut IdMint,
    ) -> (Placement, Option<EntitledBy>) {
        let Some(known) = self.facts.ticket(ticket) else { return self.open(None, mint) };
        let takes_part = self.resolved.resolution.contact().is_some_and(|c| known.participants.contains_key(&c));
        // Out-of-office mail and bounces are shown on the ticket, but their sender takes no part in it.
        let joins = !self.message.incoming.is_aside() && self.resolved.resolution.contact().is_some();
        let by = (!takes_part && joins).then_some(by);
        let quiet = self.is_quiet();
        match known.ticket.closed_at.filter(|_| known.ticket.state == TicketState::Closed) {
            // What was said before the closing, and only comes late, is closed with the rest.
            Some(closed) if !quiet && self.message.occurred_at <= closed => (Placement::Join(ticket), by),
            Some(closed)
                if !quiet && (within(self.message.occurred_at, closed, window) || !self.heeds(Rule::FollowUp)) =>
            {
                self.because("reopened", OnTicket::Reopened, None);
                (Placement::Reopen(ticket), by)
            }
            Some(_) if !quiet => {
                let from = known.ticket.opened_by;
                match self.continued_by(ticket).and_then(|next| self.facts.ticket(next)) {
                    Some(next) => {
                        self.because("follow_up", OnTicket::GoesOnThere, Some(next.ticket.opened_by));
                        let takes_part =
                            self.resolved.resolution.contact().is_some_and(|c| next.participants.contains_key(&c));
                        (Placement::Join(next.ticket.id), by.filter(|_| !takes_part))
                    }
                    None => {
                        self.because("follow_up", OnTicket::FollowUp, Some(from));
                        self.open(Some(ticket), mint)
                    }
                }
            }
            _ => (Placement::Join(ticket), by),
        }
    }

    fn anchors(&self, placement: &Placement) -> Vec<(AnchorKind, LookupKey, String)> {
        let ticket = placement.ticket().map(|ticket| self.facts.ticket_now(ticket));
        let mut anchors: Vec<(AnchorKind, LookupKey, String)> = Vec::new();
        for (kind, key, name) in pointers::anchors(self.message, self.lookup, self.facts, ticket) {
            // What a contradicted sender says draws nothing to him: neither answers nor what he names.
            match kind {
                AnchorKind::Wanted if is_contradicted(self.message) => {
                    anchors.push((AnchorKind::Doubted, key, name.to_owned()));
                }
                AnchorKind::Subject | AnchorKind::Passage if is_contradicted(self.message) => {}
                _ => anchors.push((kind, key, name.to_owned())),
            }
        }
        // A forged message must not tie a number to somebody's matter.
        let is_believed = self.message.assurance >= Assurance::Plausible
            || self.message.incoming.direction == Direction::FromAgent
            || !self.heeds(Rule::NumberBelieved);
        if ticket.is_some() && is_believed {
            let is_known = |key: &LookupKey| {
                let mut known = self.facts.anchors.get(key).into_iter().flatten();
                known.any(|anchor| {
                    anchor.kind == AnchorKind::Number && anchor.ticket.map(|t| self.facts.ticket_now(t)) == ticket
                })
            };
            // "Another matter, not that of TM-26-5102": the number stays that one's.
            let is_of_another = |key: &LookupKey| {
                let mut known = self.facts.anchors.get(key).into_iter().flatten();
                self.is_new_matter() && known.any(|anchor| anchor.kind == AnchorKind::Number && anchor.ticket.is_some())
            };
            for (matter, keys) in &self.numbers {
                for key in keys.iter().filter(|key| !is_known(key) && !is_of_another(key)) {
                    anchors.push((AnchorKind::Number, *key, (*matter).to_owned()));
                }
            }
        }
        let known = ticket.and_then(|ticket| self.facts.ticket(ticket));
        // "That is another matter, I shall write of it separately": what it is about is not what the ticket is about.
        let is_its = !is_contradicted(self.message) && (known.is_none() || !self.is_new_matter());
        for (name, key) in self.lookup.topics.iter().filter(|_| ticket.is_some() && is_its) {
            if !known.is_some_and(|known| known.topics.get(name).is_some_and(|has| has.contains(key))) {
                anchors.push((AnchorKind::Topic, *key, name.clone()));
            }
        }
        anchors
    }

    fn suggestions(&self, placement: &Placement, mint: &mut IdMint) -> Vec<Suggestion> {
        let here = placement.ticket();
        let rejected = &self.facts.rejected;
        let is_rejected =
            |ticket| here.is_some_and(|here| rejected.contains(&(here, ticket)) || rejected.contains(&(ticket, here)));
        let mut told = BTreeSet::new();
        self.pointed
            .iter()
            .filter(|(ticket, ..)| Some(*ticket) != here && !is_rejected(*ticket) && told.insert(*ticket))
            .take(SUGGESTIONS_MAX)
            .map(|(ticket, message, why)| Suggestion {
                id: mint.dated(self.message.received_at),
                target: SuggestionTarget::Ticket(*ticket),
                message: *message,
                class: None,
                bits: 0,
                why: Say::Other(why.clone()),
            })
            .collect()
    }
}

/// By which rule a pointer leads anywhere.
fn rule_of(evidence: Evidence) -> Rule {
    match evidence {
        Evidence::Named(ReferenceKind::Conversation) => Rule::Conversation,
        Evidence::Named(ReferenceKind::Hint) => Rule::ThreadHint,
        Evidence::Named(_) => Rule::Reply,
        Evidence::Awaited => Rule::LateParent,
        Evidence::Sibling => Rule::SameParent,
        Evidence::Quoted => Rule::Quoted,
        Evidence::Subject => Rule::Subject,
    }
}

/// Whether two instants are at most `window` apart.
pub(super) fn within(one: Timestamp, other: Timestamp, window: Duration) -> bool {
    (one.as_millisecond() - other.as_millisecond()).unsigned_abs()
        <= u64::try_from(window.as_millis()).unwrap_or(u64::MAX)
}
