//! What a decision changes in the facts, for those after it.

use super::*;
use crate::pure::domain::contact::{ContactKind, is_role_address, take_names};
use crate::pure::domain::decision::{Decision, ItemRole, Placement, Resolution, TouchedIdentity};
use crate::pure::domain::message::{Content, Incoming, Mark};
use crate::pure::domain::queue::Queued;
use crate::pure::domain::ticket::{Awaiting, TicketState};

impl Facts {
    /// Makes the decision part of the facts, so that the next message of the batch sees it.
    pub fn apply(&mut self, message: &Message, lookup: &Lookup, decision: &Decision) {
        if matches!(decision.role, ItemRole::First | ItemRole::Leg | ItemRole::Update | ItemRole::Move) {
            let seen = Seen { message: decision.message };
            self.seen.insert((lookup.seen_scope.clone(), lookup.seen_key), seen);
        }
        self.apply_early(message, lookup, decision);
        self.apply_call(message, decision);
        self.apply_said(message, decision);
        self.apply_told(decision);
        if matches!(decision.role, ItemRole::Repeat | ItemRole::Update | ItemRole::Erased) {
            return;
        }
        self.apply_resolution(message, decision);
        if decision.role == ItemRole::Move {
            return decision.moves.iter().for_each(|moved| self.absorb_ticket(moved.to, moved.from));
        }
        self.apply_placement(message, decision);
        for (kind, key, name) in &decision.anchors {
            let anchor = Anchor {
                kind: *kind,
                ticket: decision.placement.ticket(),
                message: decision.message,
                direction: message.incoming.direction,
                at: message.occurred_at,
                is_bare: *kind == AnchorKind::Message && name == Anchor::BARE,
            };
            push_front(self.anchors.entry(*key).or_default(), anchor, ANCHORS_MAX);
        }
    }

    /// Whether what a message says is what a customer wants: his own words, or those that an agent noted of his call, for a
    /// call says nothing itself. What else the desk writes brings nothing.
    pub fn brings_matter(&self, message: &Message) -> bool {
        let Incoming { direction, auto, marks, on, .. } = &message.incoming;
        let is_his_call = |on: &MessageId| self.said.get(on).is_some_and(|said| said.is_call && said.is_customers);
        match direction {
            Direction::FromCustomer => !message.incoming.is_aside(),
            Direction::FromAgent => {
                let on = on.as_ref().and_then(|on| on.message.as_ref());
                auto.is_none() && marks.contains(&Mark::Internal) && on.is_some_and(is_his_call)
            }
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

    /// What was said, and what the desk did with tickets.
    fn apply_said(&mut self, message: &Message, decision: &Decision) {
        let incoming = &message.incoming;
        let (ticket, at) = (decision.placement.ticket(), message.occurred_at);
        match decision.role {
            ItemRole::First => {
                let talk = Talk { channel: message.channel.clone(), identity: decision.identity, at };
                let is_customers = incoming.direction == Direction::FromCustomer && !incoming.is_aside();
                let is_call = matches!(incoming.content, Content::Call(..));
                self.said.insert(decision.message, Said { ticket, talk, is_customers, is_call });
            }
            // The leg may have told who called.
            ItemRole::Leg => {
                if let Some(said) = self.said.get_mut(&decision.message) {
                    said.ticket = ticket.or(said.ticket);
                    said.talk.identity = decision.identity.or(said.talk.identity);
                    said.is_customers |= incoming.direction == Direction::FromCustomer;
                }
            }
            ItemRole::Update => self.apply_act(message, decision),
            _ => {}
        }
    }

    /// What the desk did with a ticket.
    fn apply_act(&mut self, message: &Message, decision: &Decision) {
        let (ticket, said) = (decision.placement.ticket(), self.said.get(&decision.message));
        if let (Some(ticket), Some(said)) = (ticket, said) {
            let talk = Talk { at: message.occurred_at, ..said.talk.clone() };
            match message.incoming.what {
                What::Close => self.closings.push((ticket, talk)),
                What::Reopen => self.talks.push((ticket, talk)),
                _ => {}
            }
        }
        let at = message.occurred_at;
        let Some(known) = ticket.and_then(|ticket| self.tickets.get_mut(&ticket)) else { return };
        match decision.placement {
            Placement::Close { at, .. } => {
                (known.ticket.state, known.ticket.closed_at) = (TicketState::Closed, Some(at));
            }
            Placement::Reopen(_) => (known.ticket.state, known.ticket.closed_at) = (TicketState::Open, None),
            _ => {}
        }
        known.ticket.owner = known.ticket.owner.take().max(message.owner());
        if let Some(put) = message.put() {
            known.ticket.queued.put(put);
        }
        match message.incoming.what {
            What::Await => known.ticket.awaiting.ask(at),
            What::Resume | What::Close | What::Reopen => known.ticket.awaiting.end(at),
            _ => {}
        }
    }

    /// Whoever said the earlier message is known now.
    fn apply_told(&mut self, decision: &Decision) {
        let Some(of) = decision.tells_sender_of else { return };
        if let Some(said) = self.said.get_mut(&of) {
            said.talk.identity = decision.identity;
        }
        if let Some(call) = self.calls.get_mut(&of) {
            call.identity = decision.identity;
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
        for fact in decision.facts.iter().filter(|fact| fact.kind.is_stated()) {
            let holder = Holder {
                fact: fact.id,
                identity,
                message: decision.message,
                at: message.trusted_at,
                assurance: fact.assurance,
                place: fact.place,
            };
            push_front(self.holders.entry(fact.key).or_default(), holder, HOLDERS_MAX);
            if fact.refused {
                self.refused.push(Refused { identity, channel: message.channel.clone(), at: message.trusted_at });
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
        let is_noted = message.incoming.marks.contains(&Mark::Internal);
        if touched.new || touched.assurance > Assurance::Asserted || is_noted {
            known.assurance = known.assurance.max(touched.assurance);
            let (names, stated): (Vec<_>, Vec<_>) =
                (message.names().cloned().collect(), message.stated_names().cloned().collect());
            take_names(&mut known.names, known.epoch == 1, &names, &stated);
        }
        known.first_at = known.first_at.min(message.trusted_at);
        if known.last_at <= message.occurred_at || known.last_ticket.is_none() {
            known.last_at = message.occurred_at;
            // What somebody says to us alone never goes on from where he spoke in a group.
            // A notice about him is shown on a ticket, and is none of his words.
            let is_said = !message.incoming.is_in_group() && decision.role != ItemRole::Move;
            let ticket = decision.placement.ticket().filter(|_| is_said);
            known.last_ticket = ticket.or(known.last_ticket);
            // A notice is no message that anybody could look at, and what the desk wrote is not his.
            let is_his = message.incoming.direction == Direction::FromCustomer || known.last_message.is_none();
            if decision.role != ItemRole::Move && is_his {
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
        let brings = self.brings_matter(message);
        let known = self.tickets.entry(id).or_insert_with(|| opened(id, message, decision));
        if matches!(decision.placement, Placement::Reopen(_)) {
            known.ticket.state = TicketState::Open;
            known.ticket.closed_at = None;
        }
        if brings {
            known.ticket.take(&decision.triage, decision.urgency);
        }
        if message.incoming.direction == Direction::FromCustomer && !message.incoming.is_aside() {
            // Of a call its first leg.
            let said_at = self.said.get(&decision.message).map_or(message.occurred_at, |said| said.talk.at);
            known.ticket.awaiting.end(said_at.min(message.occurred_at));
        }
        if decision.role == ItemRole::First {
            known.ticket.count(message);
        }
        if let Some(ruled) = &decision.queue {
            known.ticket.queued.rule(ruled);
        }
        if known.ticket.opened_at > message.occurred_at {
            known.ticket.opened_at = message.occurred_at;
            known.ticket.title = title(message);
        }
        known.ticket.last_at = known.ticket.last_at.max(message.occurred_at);
        for (kind, key, name) in &decision.anchors {
            known.is_group |= *kind == AnchorKind::Group;
            if *kind == AnchorKind::Topic {
                known.topics.entry(name.clone()).or_default().insert(*key);
            }
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
        stays.is_held |= old.is_held;
        for (name, keys) in old.numbers {
            stays.numbers.entry(name).or_default().extend(keys);
        }
        for (name, keys) in old.topics {
            stays.topics.entry(name).or_default().extend(keys);
        }
        stays.ticket.absorb(&old.ticket);
        stays.ticket.last_at = stays.ticket.last_at.max(old.ticket.last_at);
        stays.ticket.owner = stays.ticket.owner.take().max(old.ticket.owner.clone());
        stays.ticket.awaiting.join(old.ticket.awaiting);
        stays.ticket.queued.join(&old.ticket.queued);
        // One matter is closed when both were.
        match (stays.ticket.state, old.ticket.state) {
            (TicketState::Closed, TicketState::Closed) => {
                stays.ticket.closed_at = stays.ticket.closed_at.max(old.ticket.closed_at);
            }
            _ => (stays.ticket.state, stays.ticket.closed_at) = (TicketState::Open, None),
        }
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

/// A ticket as a message opens it.
fn opened(id: TicketId, message: &Message, decision: &Decision) -> KnownTicket {
    KnownTicket {
        ticket: Ticket {
            id,
            state: TicketState::Open,
            kind: Vec::new(),
            priority: decision.urgency,
            title: title(message),
            opened_at: message.occurred_at,
            last_at: message.occurred_at,
            closed_at: None,
            follow_up_of: match decision.placement {
                Placement::Open { follow_up_of, .. } => follow_up_of,
                _ => None,
            },
            opened_by: decision.message,
            owner: None,
            awaiting: Awaiting::default(),
            queued: Queued::default(),
            unanswered: 0,
            fault: None,
            feedback: Vec::new(),
            classified: None,
        },
        participants: BTreeMap::new(),
        numbers: BTreeMap::new(),
        topics: BTreeMap::new(),
        is_group: false,
        is_held: false,
    }
}

/// What a ticket is called: the subject, else the first words, else what came.
fn title(message: &Message) -> String {
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
