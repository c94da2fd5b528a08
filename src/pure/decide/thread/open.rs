//! Rule 4: the contact's own open matters → the one that it goes on, if exactly one fits.
//!
//! **Invariant:** several that fit are no answer: which one is not guessed.

use super::*;

impl Threading<'_> {
    /// Rule 4, within a chat's pause: the ticket of the sender's last message.
    pub(super) fn same_session(&mut self) -> Option<Found> {
        if self.is_new_matter() || !self.heeds(Rule::Session) {
            return None;
        }
        let identity = self.facts.identity(self.resolved.identity?)?;
        // A mail or call soon after another is no chat: which matter it is must show otherwise.
        if self.heeds(Rule::NoSession) && (is_call(self.message) || identity.identity.scheme == MAILTO) {
            return None;
        }
        let ticket = self.facts.ticket_now(identity.last_ticket?);
        let known = self.facts.ticket(ticket)?;
        let by = self.entitled(known, false)?;
        let fits = within(self.message.occurred_at, identity.last_at, self.windows.chat_session)
            && known.ticket.state == TicketState::Open
            && !self.contradicts(known)
            && !self.is_about_an_open_one(known);
        if !fits {
            return None;
        }
        let from = identity.last_message;
        self.because("session", OnTicket::SameSession, from);
        Some(self.on_known(ticket, by, self.windows.one_open))
    }

    /// The message names what another open matter of the contact's is about, and not this one.
    fn is_about_an_open_one(&self, known: &KnownTicket) -> bool {
        let mut mine = self.resolved.resolution.contact().into_iter().flat_map(|c| self.facts.tickets_of(c));
        self.heeds(Rule::Topic)
            && self.is_about_another(known)
            && mine.any(|other| other.ticket.state == TicketState::Open && !other.is_group && self.is_about(other))
    }

    /// Rule 4: the contact's only open ticket within the window.
    pub(super) fn only_open_one(&mut self) -> Option<Found> {
        if self.is_new_matter() {
            self.because("new_matter", OnTicket::SaysNewMatter, None);
            return None;
        }
        let sides = self.resolved.sides.iter().copied().chain(self.resolved.resolution.contact());
        let mine: BTreeSet<ContactId> = sides.collect();
        let fits = self.open_ones(&mine);
        if self.is_by_shared_telephone() {
            self.point_at(&fits, &OnOther::OpenMatter);
            return None;
        }
        if fits.iter().filter_map(|ticket| self.facts.ticket(*ticket)).any(|known| self.begins_anew(known)) {
            self.because("begins_anew", OnTicket::BeginsAnew, None);
            self.point_at(&fits, &OnOther::OpenMatter);
            return None;
        }
        let about: Vec<TicketId> = fits
            .iter()
            .copied()
            .filter(|id| self.facts.ticket(*id).is_some_and(|known| self.is_about(known)))
            .collect();
        if about.len() == 1 && fits.len() > 1 && self.heeds(Rule::Topic) {
            self.because("topic", OnTicket::SameTopic, self.opener(about[0]));
            return Some(Found::Ticket {
                ticket: about[0],
                by: EntitledBy::SameContact,
                window: self.windows.one_open,
            });
        }
        if let [ticket] = fits[..]
            && let Some(known) = self.facts.ticket(ticket)
            && !self.is_about(known)
        {
            let others = self.about_others(&mine);
            if !others.is_empty() {
                self.tie(&[&fits[..], &others].concat());
                return None;
            }
        }
        match fits.as_slice() {
            [] => self.is_back(&mine),
            [ticket] if self.heeds(Rule::OnlyOpen) => {
                self.because("only_open", OnTicket::OnlyOpen, self.opener(*ticket));
                Some(Found::Ticket { ticket: *ticket, by: EntitledBy::SameContact, window: self.windows.one_open })
            }
            _ => {
                if let Some(ticket) = self.join_sides(&fits) {
                    self.because("only_open", OnTicket::OnlyOpen, self.opener(ticket));
                    return Some(Found::Ticket { ticket, by: EntitledBy::SameContact, window: self.windows.one_open });
                }
                if self.message.incoming.direction == Direction::FromAgent && self.heeds(Rule::DeskLatest) {
                    // The desk's own word goes to the matter that moved last: it opens none beside it.
                    let last = fits
                        .iter()
                        .max_by_key(|ticket| self.facts.ticket(**ticket).map(|known| known.ticket.last_at))?;
                    self.because("last_open", OnTicket::LatestOpen, self.opener(*last));
                    return Some(Found::Ticket {
                        ticket: *last,
                        by: EntitledBy::SameContact,
                        window: self.windows.one_open,
                    });
                }
                self.tie(&fits);
                None
            }
        }
    }

    /// Open matters that the message may belong to as far as it says itself.
    fn open_ones(&self, mine: &BTreeSet<ContactId>) -> Vec<TicketId> {
        self.near_ones(mine, |known| {
            !self.is_about_another(known)
                && !self.has_own_number(known)
                && (!is_contradicted(self.message) || self.is_own_only(known))
        })
    }

    /// Open matters that are about other things than what the message names. That it may be none of those does not make
    /// it one that nobody has said is about it.
    fn about_others(&self, mine: &BTreeSet<ContactId>) -> Vec<TicketId> {
        self.near_ones(mine, |known| self.is_about_another(known))
    }

    /// Open matters on which somebody wrote within the window, and which no number of the message speaks against.
    fn near_ones(&self, mine: &BTreeSet<ContactId>, fits: impl Fn(&KnownTicket) -> bool) -> Vec<TicketId> {
        let near = mine.iter().flat_map(|contact| self.facts.tickets_of(*contact)).filter(|known| {
            known.ticket.state == TicketState::Open
                && !known.is_group
                && self.is_near(known, self.windows.one_open)
                && !self.contradicts(known)
                && fits(known)
        });
        near.map(|known| known.ticket.id).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Rule 4 where nothing is open, and the text says that what was mended is back: the contact's only matter that was
    /// closed within the window.
    fn is_back(&mut self, mine: &BTreeSet<ContactId>) -> Option<Found> {
        if !self.message.says_is_back
            || !self.heeds(Rule::IsBack)
            || is_forgeable(self.message)
            || is_contradicted(self.message)
        {
            return None;
        }
        let closed = mine.iter().flat_map(|contact| self.facts.tickets_of(*contact)).filter(|known| {
            let lately = known.ticket.closed_at.is_some_and(|closed| {
                closed <= self.message.occurred_at && within(self.message.occurred_at, closed, self.windows.one_open)
            });
            let is_it = self.numbers.is_empty() || !self.names_none_of(known);
            lately && is_it && !known.is_group && !self.contradicts(known) && !self.is_about_another(known)
        });
        let closed: BTreeSet<TicketId> = closed.map(|known| known.ticket.id).collect();
        let [ticket] = closed.into_iter().collect::<Vec<_>>()[..] else { return None };
        self.because("is_back", OnTicket::SaysIsBack, self.opener(ticket));
        Some(Found::Ticket { ticket, by: EntitledBy::SameContact, window: self.windows.one_open })
    }

    /// A contradicted sender has a contact of his own, and may go on on a ticket that only he is on.
    pub(super) fn is_own_only(&self, known: &KnownTicket) -> bool {
        known.participants.keys().all(|contact| self.is_mine(contact))
    }

    pub(super) fn is_near(&self, known: &KnownTicket, window: Duration) -> bool {
        let at = self.message.occurred_at;
        (known.ticket.opened_at <= at && at <= known.ticket.last_at)
            || within(at, known.ticket.last_at, window)
            || within(at, known.ticket.opened_at, window)
    }

    /// A mail that answers nothing names numbers, and none of those that the ticket has, which nobody has written on for
    /// days: each is a matter of its own.
    fn has_own_number(&self, known: &KnownTicket) -> bool {
        let is_quiet = !within(self.message.occurred_at, known.ticket.last_at, self.windows.closed_continues);
        self.heeds(Rule::OwnNumber)
            && is_quiet
            && !known.numbers.is_empty()
            && self.names_none_of(known)
            && self.is_fresh_mail()
    }

    /// It is the sender's own mail, answers nothing, and has a subject of its own.
    fn is_fresh_mail(&self) -> bool {
        let subject = subject::read(self.message.incoming.subject.as_deref().unwrap_or_default());
        self.message.incoming.references.is_empty()
            && self.message.incoming.direction == Direction::FromCustomer
            && !subject.is_answer
            && !subject.is_forward
            && !subject.base.is_empty()
    }

    /// A call by a telephone by which two people have called, as was noted: whose matter it is does not show.
    fn is_by_shared_telephone(&self) -> bool {
        let known = self.resolved.identity.and_then(|identity| self.facts.identity(identity));
        is_call(self.message)
            && self.heeds(Rule::SharedMatters)
            && known.is_some_and(|known| known.assurance < Assurance::Verified && has_two_names(&known.names, |_| true))
    }

    /// The sender, who has written a mail on the ticket, writes another one that answers nothing, has a subject of its
    /// own, and names nothing that ties it to the ticket.
    fn begins_anew(&self, known: &KnownTicket) -> bool {
        let subject = subject::read(self.message.incoming.subject.as_deref().unwrap_or_default());
        let own = self.resolved.identity.and_then(|identity| self.facts.identity(identity));
        let has_written = own.is_some_and(|own| {
            own.identity.scheme == MAILTO
                && own.last_ticket.map(|ticket| self.facts.ticket_now(ticket)) == Some(known.ticket.id)
        });
        let is_alike = || subject::read(&known.ticket.title).folded() == subject.folded();
        self.heeds(Rule::BeginsAnew)
            && self.is_fresh_mail()
            && has_written
            && !self.message.says_is_back
            && !self.message.refers_back
            && !self.is_about(known)
            && !is_alike()
    }
}
