//! Tickets that a message shows to be one → moves of whole tickets, and where it goes then.
//!
//! **Invariant:** a ticket that an agent has a word on is joined with no other here.

use super::*;

impl Threading<'_> {
    /// Contacts that this message joined brought a ticket each: had they been known as one, the later
    /// would have gone on the earlier. They are joined, and the oldest stays.
    pub(super) fn join_sides(&mut self, tickets: &[TicketId]) -> Option<TicketId> {
        if self.resolved.sides.len() < 2 || !self.heeds(Rule::JoinedContacts) {
            return None;
        }
        let mut sides = BTreeSet::new();
        for ticket in tickets {
            let known = self.facts.ticket(*ticket)?;
            let side = self.resolved.sides.iter().find(|side| known.participants.contains_key(side))?;
            if !sides.insert(*side) {
                return None;
            }
        }
        let known: Vec<&KnownTicket> = tickets.iter().filter_map(|ticket| self.facts.ticket(*ticket)).collect();
        if known.iter().any(|known| known.is_held) {
            self.is_left = true;
            return None;
        }
        let one_matter =
            known.iter().enumerate().all(|(i, a)| known[i + 1..].iter().all(|b| self.are_one_matter(a, b)));
        let keep = known.iter().min_by_key(|known| (known.ticket.opened_at, known.ticket.id))?.ticket.id;
        if !one_matter {
            return None;
        }
        self.move_into(keep, tickets, &OnOther::OneContactsMatter);
        Some(keep)
    }

    pub(super) fn move_into(&mut self, keep: TicketId, tickets: &[TicketId], why: &OnOther) {
        for from in tickets.iter().filter(|ticket| **ticket != keep) {
            let began = self.opener(*from).into_iter().collect();
            self.reasons.push(Reason { from: began, ..Reason::new("tickets_joined", why.clone()) });
            self.moves.push(Move { from: *from, to: keep, why: Say::Other(why.clone()) });
        }
    }

    /// Tickets that turn out to be one thread: a message that came earlier answers this one, or the same absent
    /// one; or this one answers a message that names none, and names before it what that answered. They are
    /// joined where both are open, one matter, and the sender's to write on; by nobody who could be forged, and
    /// by no automatic mail.
    pub(super) fn join_thread(&mut self, placement: Placement) -> Placement {
        let incoming = &self.message.incoming;
        let is_person = matches!(incoming.auto, None | Some(Auto::List)) && self.heeds(Rule::JoinedThread);
        let is_certain = incoming.direction == Direction::FromAgent || !is_forgeable(self.message);
        let (Placement::Join(here), true) = (&placement, is_person && is_certain && self.moves.is_empty()) else {
            return placement;
        };
        let here = self.facts.ticket_now(*here);
        let Some(known) = self.facts.ticket(here).filter(|known| known.ticket.state == TicketState::Open) else {
            return placement;
        };
        let mut group = vec![here];
        for pointer in self.pointers.iter().filter(|pointer| pointer.is_one_thread) {
            let Some(other) = pointer.anchor.ticket.and_then(|ticket| self.facts.ticket(ticket)) else { continue };
            let is_same = other.ticket.state == TicketState::Open && self.are_one_matter(known, other);
            if is_same && !group.contains(&other.ticket.id) && self.entitled(other, false).is_some() {
                match known.is_held || other.is_held {
                    true => self.is_left = true,
                    false => group.push(other.ticket.id),
                }
            }
        }
        let keep = self.oldest(&group).unwrap_or(here);
        self.move_into(keep, &group, &OnOther::OneThread);
        Placement::Join(keep)
    }

    /// After a join of contacts: an open ticket of another side that is the same matter comes along.
    pub(super) fn join_other_sides(&mut self, placement: Placement) -> Placement {
        let are_several = self.resolved.sides.len() > 1 && self.heeds(Rule::JoinedContacts);
        let (Placement::Join(here), true) = (&placement, are_several && self.moves.is_empty()) else {
            return placement;
        };
        let here = *here;
        // With one that an agent has a word on, it is decided with all that was said: the join of contacts is late.
        let Some(known) = self.facts.ticket(here).filter(|known| !known.is_group && !known.is_held) else {
            return placement;
        };
        let mut group = vec![here];
        for side in self.resolved.sides.iter().filter(|side| !known.participants.contains_key(side)) {
            let fits: Vec<TicketId> = self
                .facts
                .tickets_of(*side)
                .filter(|other| other.ticket.state == TicketState::Open && !other.is_group && !other.is_held)
                .filter(|other| self.are_one_matter(known, other))
                .map(|other| other.ticket.id)
                .collect();
            if let [only] = fits.as_slice() {
                group.push(*only);
            }
        }
        let keep = self.oldest(&group).unwrap_or(here);
        self.move_into(keep, &group, &OnOther::OneContactsMatter);
        Placement::Join(keep)
    }

    fn are_one_matter(&self, one: &KnownTicket, other: &KnownTicket) -> bool {
        !self.heeds(Rule::OneMatter) || are_one_matter(one, other, self.windows)
    }

    fn oldest(&self, tickets: &[TicketId]) -> Option<TicketId> {
        let age = |ticket: &TicketId| (self.facts.ticket(*ticket).map(|known| known.ticket.opened_at), *ticket);
        tickets.iter().copied().min_by_key(age)
    }
}

/// Two tickets that one contact would have had as one: near in time, and no number against it.
fn are_one_matter(one: &KnownTicket, other: &KnownTicket, windows: Windows) -> bool {
    let mut shared = false;
    let mut other_number = false;
    for (matter, keys) in &one.numbers {
        if let Some(has) = other.numbers.get(matter) {
            shared |= !has.is_disjoint(keys);
            other_number |= has.is_disjoint(keys);
        }
    }
    let (first, second) = if one.ticket.opened_at <= other.ticket.opened_at { (one, other) } else { (other, one) };
    let gap_ok = second.ticket.opened_at <= first.ticket.last_at
        || within(second.ticket.opened_at, first.ticket.last_at, windows.one_open);
    shared || (gap_ok && !other_number)
}
