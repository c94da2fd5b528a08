//! People's addresses with all their uses → which identity each use is of, and what becomes of identities.
//!
//! Ingest gives a message to whoever has its address as far as is known by then. Here each address is divided anew
//! into its epochs ([`epochs`]), and a mail that its sender's domain denies becomes his who was written to, once what
//! it answers is here ([`proven`]). An identity has the id of the oldest that one of its messages brought; the others
//! are former ones, and are what they were again when they are divided again.
//!
//! **Invariants:** it is a function of what is known, not of the order in which that came. An address of which not all
//! uses are kept any more stays as it is.
//!
//! [`proven`]: super::proven

use super::anew::Hood;
use super::epochs::{Epoch, Use, UseKind, can_be_passed_on, epochs};
use super::evidence::{Names, compare_names};
use super::ledger::{Kind, Member, Word};
use crate::pure::domain::Timestamp;
use crate::pure::domain::contact::{IDENTITY_NAMES_MAX, KnownIdentity};
use crate::pure::domain::facts::LookupKey;
use crate::pure::domain::id::{EdgeId, IdMint, IdentityId, MessageId};
use crate::pure::domain::identity::{Assurance, CONTRADICTED_SCOPE, Identity, MAILTO, TEL, TOLD};
use crate::pure::domain::message::Direction;
use crate::pure::domain::name::PersonName;
use crate::pure::domain::rule::Rule;
use std::collections::{BTreeMap, BTreeSet};

/// A message, as far as whose its addresses are depends on it.
#[derive(Debug, Clone)]
pub struct Spoken {
    /// Which.
    pub id: MessageId,
    /// Who said it.
    pub direction: Direction,
    /// Event time.
    pub occurred_at: Timestamp,
    /// The time nobody outside could choose.
    pub trusted_at: Timestamp,
    /// When it was stored.
    pub received_at: Timestamp,
    /// Names that it gives.
    pub names: Vec<PersonName>,
    /// Those of them that its writer gives in his own words.
    pub stated_names: Vec<PersonName>,
    /// The customer's identities, and what the delivery vouched for.
    pub identities: Vec<(IdentityId, Assurance)>,
    /// The message that an agent's act is on.
    pub on: Option<MessageId>,
    /// The vendor's conversation that it is of.
    pub talk: Option<LookupKey>,
    /// It is a note that says that the caller was not the owner of the number that it showed.
    pub denies_owner: bool,
    /// What it answers, the nearest, if its sender's domain denies it.
    pub doubted: Vec<LookupKey>,
}

/// A word on two identities as it was written down.
#[derive(Debug, Clone, Copy)]
pub struct WrittenWord {
    /// Its id.
    pub id: EdgeId,
    /// The one.
    pub from: IdentityId,
    /// The other.
    pub to: IdentityId,
    /// What is said.
    pub word: Word,
    /// The message that said so; what an agent says comes of none.
    pub message: Option<MessageId>,
}

/// A platform told of somebody who is reached elsewhere.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Which address.
    pub identity: Identity,
    /// In which notice.
    pub message: MessageId,
    /// When.
    pub at: Timestamp,
    /// He left it; else he is reached there.
    pub is_left: bool,
}

/// Who had addresses, and what was said from them.
#[derive(Debug, Clone, Default)]
pub struct Owned {
    /// Messages from and to them.
    pub spoken: Vec<Spoken>,
    /// Messages that brought identities.
    pub opened_by: BTreeMap<IdentityId, MessageId>,
    /// Former identities: which they are part of, and the messages that brought them.
    pub former: BTreeMap<IdentityId, (IdentityId, MessageId)>,
    /// What platforms said of them.
    pub notices: Vec<Notice>,
    /// Words on them.
    pub words: Vec<WrittenWord>,
}

/// An identity that stands, and is not what it was.
#[derive(Debug, Clone)]
pub struct Cast {
    /// As it stands now.
    pub known: KnownIdentity,
    /// The message that brought it.
    pub opened_by: MessageId,
}

/// What differs.
#[derive(Debug, Clone, Default)]
pub struct Recast {
    /// Identities that are not what they were.
    pub identities: Vec<Cast>,
    /// Former identities, each with the one that it is part of, and the message that brought it.
    pub former: BTreeMap<IdentityId, (IdentityId, MessageId)>,
    /// Messages that are another identity's: from which, to which.
    pub moved: BTreeSet<(MessageId, IdentityId, IdentityId)>,
    /// Denied mails that are believed now.
    pub believed: BTreeSet<MessageId>,
    /// Words that are on other identities now.
    pub words: Vec<WrittenWord>,
    /// Words of the platform that are not written down.
    pub new_words: Vec<(IdentityId, IdentityId, MessageId)>,
}

impl Recast {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.identities.is_empty() && self.moved.is_empty() && self.words.is_empty() && self.new_words.is_empty()
    }
}

/// Divides the addresses in sight anew, and makes the neighbourhood know it.
pub fn recast(hood: &mut Hood, owned: &Owned, mint: &mut IdMint) -> Recast {
    let mut casting = Casting { hood, owned, recast: Recast::default(), notices: BTreeMap::new() };
    casting.believe();
    casting.disown(mint);
    let mut addresses: BTreeMap<Identity, Vec<IdentityId>> = BTreeMap::new();
    for known in casting.hood.known.values() {
        let is_doubted = known.identity.scope == CONTRADICTED_SCOPE && !casting.recast.believed.is_empty();
        if is_doubted || can_be_passed_on(&known.identity, known.assurance) {
            addresses.entry(known.identity.clone()).or_default().push(known.id);
        }
    }
    for (identity, ids) in addresses {
        if ids.iter().any(|id| casting.hood.near.contains(id)) {
            casting.divide(&identity, &ids, mint);
        }
    }
    casting.words();
    casting.calls();
    casting.recast
}

struct Casting<'a> {
    hood: &'a mut Hood,
    owned: &'a Owned,
    recast: Recast,
    /// Whose the addresses of a platform's notice are.
    notices: BTreeMap<MessageId, BTreeSet<IdentityId>>,
}

impl Casting<'_> {
    /// Denied mails that answer what the desk sent to the address that they name, and to nobody else.
    fn believe(&mut self) {
        let rules = self.hood.ledger.rules;
        let spoken = self.owned.spoken.iter().filter(|_| rules.heed(Rule::AnswerProves));
        for spoken in spoken.filter(|spoken| !spoken.doubted.is_empty()) {
            let Some((denied, _)) = spoken.identities.first() else { continue };
            let Some(known) = self.hood.known.get(denied).filter(|known| known.identity.scope == CONTRADICTED_SCOPE)
            else {
                continue;
            };
            let named = Identity { scope: String::new(), ..known.identity.clone() };
            let mut his = self.hood.known.values().filter(|known| known.identity == named && known.closed_at.is_none());
            let Some(claimed) = his.next().map(|known| known.id) else { continue };
            let went_to_him = self.hood.ledger.stated.iter().any(|stated| {
                stated.kind == Kind::DeskMessage
                    && stated.by == claimed
                    && stated.assurance >= Assurance::Proven
                    && spoken.doubted.contains(&stated.key)
            });
            if went_to_him {
                self.recast.believed.insert(spoken.id);
                self.recast.moved.insert((spoken.id, *denied, claimed));
                if let Some(known) = self.hood.known.get_mut(&claimed) {
                    known.assurance = known.assurance.max(Assurance::Proven);
                    known.first_at = known.first_at.min(spoken.trusted_at);
                    if known.last_at <= spoken.occurred_at {
                        (known.last_at, known.last_message) = (spoken.occurred_at, Some(spoken.id));
                    }
                    for name in &spoken.names {
                        if known.names.len() < IDENTITY_NAMES_MAX && !known.names.contains(name) {
                            known.names.push(name.clone());
                        }
                    }
                    let cast = Cast {
                        known: known.clone(),
                        opened_by: self.owned.opened_by.get(&claimed).copied().unwrap_or(spoken.id),
                    };
                    self.recast.identities.retain(|cast| cast.known.id != claimed);
                    self.recast.identities.push(cast);
                    take_in(self.hood, claimed);
                }
            }
        }
    }

    /// Calls that were not of the owner of the number, as an agent noted: each is of somebody who is known by that call
    /// alone.
    fn disown(&mut self, mint: &mut IdMint) {
        let rules = self.hood.ledger.rules;
        let denied = self.owned.spoken.iter().filter(|note| note.denies_owner && rules.heed(Rule::NotOwner));
        let denied: BTreeSet<MessageId> = denied.filter_map(|note| note.on).collect();
        for call in self.owned.spoken.iter().filter(|spoken| denied.contains(&spoken.id)) {
            let owner = call.identities.first().and_then(|(id, _)| self.hood.known.get(id)).cloned();
            let is_forgeable = call.direction == Direction::FromCustomer
                && call.identities.iter().all(|(_, assurance)| *assurance <= Assurance::Plausible);
            if let Some(owner) = owner.filter(|owner| owner.identity.scheme == TEL && is_forgeable) {
                self.hand_over(call, &owner, mint.dated(call.received_at));
            }
        }
    }

    /// Makes a call, with all that was noted on it, somebody's who is not the owner of its number.
    fn hand_over(&mut self, call: &Spoken, owner: &KnownIdentity, id: IdentityId) {
        let like = self.hood.ledger.members.iter().find(|member| member.id == owner.id).cloned();
        let names = self.borrowers(call, owner);
        let identity = Identity::opaque(TOLD, "", &call.id.0.to_string());
        let (Some(like), Ok(identity)) = (like, identity) else { return };
        let known = KnownIdentity {
            id,
            identity: identity.clone(),
            epoch: 1,
            closed_at: None,
            assurance: Assurance::Plausible,
            names: names.clone(),
            first_at: call.trusted_at,
            last_at: call.occurred_at,
            last_ticket: None,
            last_message: Some(call.id),
            ..owner.clone()
        };
        self.hood.ledger.members.push(Member {
            id,
            identity,
            // Nobody names him.
            claim: LookupKey(id.0),
            since: None,
            until: None,
            assurance: known.assurance,
            names,
            first_at: known.first_at,
            last_at: known.last_at,
            last_call_at: Some(call.trusted_at),
            called_at: None,
            is_shared: false,
            ..like
        });
        self.hood.near.insert(id);
        let is_of_call = |spoken: &&Spoken| {
            (spoken.id == call.id || spoken.on == Some(call.id))
                && spoken.identities.iter().any(|(his, _)| *his == owner.id)
        };
        for gone in self.owned.spoken.iter().filter(is_of_call) {
            self.recast.moved.insert((gone.id, owner.id, id));
            restate(self.hood, (gone.id, owner.id, id));
        }
        self.recast.identities.push(Cast { known: known.clone(), opened_by: call.id });
        self.hood.known.insert(id, known);
    }

    /// Names of who called by a number that is not his, if the owner's are known: those that are like none of them.
    fn borrowers(&self, call: &Spoken, owner: &KnownIdentity) -> Vec<PersonName> {
        let is_of_call = |spoken: &Spoken| spoken.id == call.id || spoken.on == Some(call.id);
        let is_owners =
            |spoken: &&Spoken| !is_of_call(spoken) && spoken.identities.iter().any(|(id, _)| *id == owner.id);
        let by_others = claims(self.hood, &owner.identity, &[owner.id]);
        let others = by_others.iter().flat_map(|claim| &claim.names);
        let said = self.owned.spoken.iter().filter(is_owners).flat_map(|spoken| &spoken.names);
        let owners: Vec<&PersonName> = others.chain(said).collect();
        let is_his = |name: &&PersonName| compare_names(&[*name], owners.iter().copied()) == Names::Conflict;
        let noted = self.owned.spoken.iter().filter(|spoken| is_of_call(spoken)).flat_map(|spoken| &spoken.names);
        noted.filter(is_his).take(IDENTITY_NAMES_MAX).cloned().collect()
    }

    /// Divides one address.
    fn divide(&mut self, identity: &Identity, ids: &[IdentityId], mint: &mut IdMint) {
        let Some(division) = Division::of(self, identity, ids) else { return };
        let found = epochs(identity, &division.uses, self.hood.ledger.rules);
        let mut names: Vec<IdentityId> = Vec::with_capacity(found.len());
        let mut opened: BTreeMap<IdentityId, MessageId> = BTreeMap::new();
        let mut former: BTreeMap<IdentityId, (IdentityId, MessageId)> = BTreeMap::new();
        for epoch in &found {
            let mut brought = division.brought.iter().filter(|(_, by)| epoch.uses.contains(by));
            let (id, by) = match brought.next() {
                Some((id, by)) => (*id, *by),
                None => {
                    let first = division.uses.iter().filter(|used| epoch.uses.contains(&used.message));
                    let first = first.min_by_key(|used| (self.received(used), used.message));
                    let Some(first) = first else { continue };
                    (mint.dated(self.received(first)), first.message)
                }
            };
            former.extend(brought.map(|(other, by)| (*other, (id, *by))));
            opened.insert(id, by);
            names.push(id);
        }
        // What its last message left for, and nothing here is of any more.
        let elsewhere = division.brought.iter().filter(|(id, _)| !opened.contains_key(id) && !former.contains_key(id));
        let elsewhere: Vec<(IdentityId, MessageId)> = elsewhere.map(|(id, by)| (*id, *by)).collect();
        for (id, by) in elsewhere {
            let Some((.., to)) = self.recast.moved.iter().find(|(message, ..)| *message == by) else { continue };
            former.insert(id, (*to, by));
        }
        let of: BTreeMap<MessageId, IdentityId> =
            found.iter().zip(&names).flat_map(|(epoch, id)| epoch.uses.iter().map(move |used| (*used, *id))).collect();
        for used in division.uses.iter().filter(|used| matches!(used.kind, UseKind::Left | UseKind::Entered)) {
            self.notices.entry(used.message).or_default().extend(of.get(&used.message));
        }
        let moved: Vec<(MessageId, IdentityId, IdentityId)> = division
            .now
            .iter()
            .filter_map(|(message, from)| Some((*message, *from, *of.get(message)?)))
            .filter(|(_, from, to)| from != to)
            .collect();
        let stands = |(n, (epoch, id)): (usize, (&Epoch, &IdentityId))| {
            self.hood.known.get(id).is_some_and(|known| {
                usize::try_from(known.epoch).is_ok_and(|number| number == n + 1) && known.closed_at == epoch.until
            })
        };
        let is_known_former = former.keys().all(|id| !self.hood.known.contains_key(id));
        if moved.is_empty() && !division.has_left && is_known_former && found.iter().zip(&names).enumerate().all(stands)
        {
            return;
        }
        self.recast.moved.extend(moved.iter().copied());
        self.write(identity, &found, &names, &opened, &moved);
        for (id, (now, by)) in former {
            self.leave(id, now, by);
        }
    }

    fn received(&self, used: &Use) -> Timestamp {
        let spoken = self.owned.spoken.iter().find(|spoken| spoken.id == used.message);
        spoken.map_or(used.at, |spoken| spoken.received_at)
    }

    /// The identities of an address as they stand now.
    fn write(
        &mut self,
        identity: &Identity,
        found: &[Epoch],
        names: &[IdentityId],
        opened: &BTreeMap<IdentityId, MessageId>,
        moved: &[(MessageId, IdentityId, IdentityId)],
    ) {
        for (n, (epoch, id)) in found.iter().zip(names).enumerate() {
            let from = moved.iter().find(|(_, _, to)| to == id).map(|(_, from, _)| *from);
            // A new one is with whoever had its messages, until people are gathered.
            let before = self.hood.known.get(id).or_else(|| self.hood.known.get(&from?)).cloned();
            let Some(before) = before.or_else(|| self.hood.known.values().find(|k| k.identity == *identity).cloned())
            else {
                continue;
            };
            let said = self.owned.spoken.iter().filter(|spoken| epoch.uses.contains(&spoken.id));
            let last = said.clone().max_by_key(|spoken| (spoken.occurred_at, spoken.id));
            let his = said.filter(|spoken| spoken.direction == Direction::FromCustomer);
            let his = his.max_by_key(|spoken| (spoken.occurred_at, spoken.id));
            let known = KnownIdentity {
                id: *id,
                epoch: i32::try_from(n + 1).unwrap_or(i32::MAX),
                closed_at: epoch.until,
                assurance: epoch.assurance.unwrap_or(before.assurance),
                names: epoch.names.clone(),
                first_at: epoch.first_at,
                last_at: last.map_or(epoch.last_at, |last| last.occurred_at),
                last_ticket: None,
                last_message: his.or(last).map(|spoken| spoken.id),
                ..before
            };
            self.hood.known.insert(*id, known.clone());
            self.hood.near.insert(*id);
            let opened_by = opened.get(id).copied().unwrap_or(MessageId(id.0));
            self.recast.identities.push(Cast { known, opened_by });
        }
        for gone in moved {
            restate(self.hood, *gone);
        }
        let mut since = None;
        for (epoch, id) in found.iter().zip(names) {
            take_in(self.hood, *id);
            if let Some(member) = self.hood.ledger.members.iter_mut().find(|member| member.id == *id) {
                member.since = since;
            }
            since = epoch.until;
        }
    }

    /// An identity that is part of another from now on.
    fn leave(&mut self, id: IdentityId, now: IdentityId, by: MessageId) {
        if let Some(known) = self.hood.known.remove(&id) {
            self.hood.gone.push((now, known.contact));
        }
        self.hood.near.remove(&id);
        self.hood.ledger.members.retain(|member| member.id != id);
        self.recast.former.insert(id, (now, by));
    }

    /// When numbers called, and when before a platform vouched for them.
    fn calls(&mut self) {
        let mut of: BTreeMap<IdentityId, (Option<Timestamp>, Vec<Timestamp>)> = BTreeMap::new();
        let his = self.owned.spoken.iter();
        for spoken in his.filter(|spoken| spoken.direction == Direction::FromCustomer && spoken.on.is_none()) {
            for (id, assurance) in &spoken.identities {
                let moved = self.recast.moved.iter().find(|(message, from, _)| *message == spoken.id && from == id);
                let (vouched, calls) = of.entry(moved.map_or(*id, |(.., to)| *to)).or_default();
                match assurance {
                    Assurance::Verified => {
                        *vouched = Some(vouched.map_or(spoken.trusted_at, |at| at.min(spoken.trusted_at)))
                    }
                    _ => calls.push(spoken.trusted_at),
                }
            }
        }
        for member in self.hood.ledger.members.iter_mut().filter(|member| member.identity.scheme == TEL) {
            let Some((vouched, calls)) = of.get(&member.id) else { continue };
            member.last_call_at = calls.iter().max().copied();
            member.called_at = vouched.and_then(|vouched| calls.iter().filter(|at| **at < vouched).max().copied());
        }
    }

    /// What is said of identities in a message is said of those that its addresses are now.
    fn words(&mut self) {
        let address = |id: &IdentityId| self.hood.known.get(id).map(|known| &known.identity);
        let mut words: Vec<WrittenWord> = Vec::new();
        for written in &self.owned.words {
            let end = |id: IdentityId| {
                let said = |(message, from, _): &&(MessageId, _, _)| Some(*message) == written.message && *from == id;
                let to = self.recast.moved.iter().find(said);
                let notice = written.message.and_then(|message| self.notices.get(&message)).into_iter().flatten();
                let of_notice = notice.filter(|to| address(to) == address(&id)).copied().next();
                to.map(|(.., to)| *to).or(of_notice).unwrap_or(id)
            };
            let now = WrittenWord { from: end(written.from), to: end(written.to), ..*written };
            if (now.from, now.to) != (written.from, written.to) {
                self.recast.words.push(now);
            }
            words.push(now);
        }
        let mut said: Vec<(IdentityId, IdentityId, MessageId)> = Vec::new();
        let rules = self.hood.ledger.rules;
        for spoken in self.owned.spoken.iter().filter(|_| rules.heed(Rule::PlatformVouches)) {
            let now = |id: &IdentityId| {
                let moved = self.recast.moved.iter().find(|(message, from, _)| *message == spoken.id && from == id);
                moved.map_or(*id, |(.., to)| *to)
            };
            let verified = spoken.identities.iter().filter(|(_, assurance)| *assurance == Assurance::Verified);
            let ids: Vec<IdentityId> = verified.map(|(id, _)| now(id)).collect();
            said.extend(ids.iter().skip(1).map(|other| (ids[0], *other, spoken.id)));
        }
        for (notice, ids) in &self.notices {
            let ids: Vec<IdentityId> = ids.iter().copied().collect();
            said.extend(ids.iter().skip(1).map(|other| (ids[0], *other, *notice)));
        }
        for (from, to, message) in said {
            let is_same = |word: &WrittenWord| {
                word.word == Word::Platform
                    && ((word.from, word.to) == (from, to) || (word.to, word.from) == (from, to))
            };
            if from != to
                && !words.iter().any(is_same)
                && !self.recast.new_words.iter().any(|(a, b, _)| (*a, *b) == (from, to))
            {
                self.recast.new_words.push((from, to, message));
            }
        }
        let current = |id: IdentityId| self.recast.former.get(&id).map_or(id, |(now, _)| *now);
        let written = words.iter().map(|word| (current(word.from), current(word.to), word.word));
        let new = self.recast.new_words.iter().map(|(from, to, _)| (*from, *to, Word::Platform));
        let mut all: Vec<(IdentityId, IdentityId, Word)> = written.chain(new).filter(|(a, b, _)| a != b).collect();
        // Agents first: what the platform vouches for does not join what they keep apart.
        all.sort_by_key(|(a, b, word)| (*word == Word::Platform, *a, *b));
        self.hood.ledger.words = all;
    }
}

/// The uses of an address as they stand.
struct Division {
    uses: Vec<Use>,
    /// Which identity each message is of now.
    now: BTreeMap<MessageId, IdentityId>,
    /// Identities, former ones among them, with the messages that brought them.
    brought: BTreeMap<IdentityId, MessageId>,
    /// Messages of it are another address's from now on.
    has_left: bool,
}

impl Division {
    /// `None` when not all is known that it depends on.
    fn of(casting: &Casting<'_>, identity: &Identity, ids: &[IdentityId]) -> Option<Self> {
        let Casting { hood, owned, recast, .. } = casting;
        let mut now: BTreeMap<MessageId, IdentityId> = BTreeMap::new();
        let mut uses: Vec<Use> = Vec::new();
        let left = |message: &MessageId| recast.moved.iter().any(|(id, from, _)| id == message && ids.contains(from));
        for spoken in owned.spoken.iter().filter(|spoken| !left(&spoken.id)) {
            let Some((id, assurance)) = spoken.identities.iter().find(|(id, _)| ids.contains(id)) else { continue };
            now.insert(spoken.id, *id);
            let kind = match (spoken.on, spoken.direction) {
                (Some(on), _) => UseKind::About(on),
                (None, Direction::FromAgent) => UseKind::Addressed,
                (None, Direction::FromCustomer) => UseKind::Said,
            };
            uses.push(Use {
                message: spoken.id,
                at: spoken.trusted_at,
                assurance: *assurance,
                names: spoken.names.clone(),
                stated: spoken.stated_names.clone(),
                kind,
                talk: spoken.talk,
            });
        }
        for used in &mut uses {
            if let UseKind::About(on) = used.kind
                && !now.contains_key(&on)
            {
                used.kind = UseKind::Addressed;
            }
        }
        for notice in owned.notices.iter().filter(|notice| notice.identity == *identity) {
            let kind = if notice.is_left { UseKind::Left } else { UseKind::Entered };
            let (message, at, assurance) = (notice.message, notice.at, Assurance::Verified);
            uses.push(Use { message, at, assurance, names: Vec::new(), stated: Vec::new(), kind, talk: None });
        }
        uses.extend(claims(hood, identity, ids));
        // An owner who left by a notice of which no more is known left all the same.
        for known in ids.iter().filter_map(|id| hood.known.get(id)) {
            let Some(at) = known.closed_at else { continue };
            if !uses.iter().any(|used| used.at == at) {
                let (message, assurance, names) = (MessageId(known.id.0), known.assurance, Vec::new());
                uses.push(Use { message, at, assurance, names, stated: Vec::new(), kind: UseKind::Left, talk: None });
            }
        }
        let mut brought: BTreeMap<IdentityId, MessageId> = BTreeMap::new();
        for id in ids {
            let first = || now.iter().filter(|(_, of)| *of == id).map(|(message, _)| *message).min();
            let opened_by = owned.opened_by.get(id).copied();
            brought.insert(*id, opened_by.filter(|by| !left(by)).or_else(first).or(opened_by)?);
        }
        let former = owned.former.iter().filter(|(_, (now, _))| ids.contains(now));
        let is_used = |by: &MessageId| uses.iter().any(|used| used.message == *by);
        brought.extend(former.filter(|(_, (_, by))| is_used(by)).map(|(id, (_, by))| (*id, *by)));
        if !brought.values().all(|by| is_used(by) || left(by)) {
            return None;
        }
        let has_left = owned.spoken.iter().any(|spoken| left(&spoken.id));
        Some(Self { uses, now, brought, has_left })
    }
}

/// Mails whose senders are vouched for and give an address as theirs.
fn claims(hood: &Hood, identity: &Identity, ids: &[IdentityId]) -> Vec<Use> {
    let ledger = &hood.ledger;
    let Some(key) = ledger.members.iter().find(|member| member.identity == *identity).map(|member| member.claim) else {
        return Vec::new();
    };
    let claims = ledger.stated.iter().filter(|stated| {
        stated.kind == Kind::Claim
            && stated.key == key
            && stated.assurance >= Assurance::Plausible
            && !ids.contains(&stated.by)
    });
    let claimed = claims.filter_map(|stated| {
        let by = ledger.members.iter().find(|member| member.id == stated.by && member.identity.scheme == MAILTO)?;
        let (message, at, assurance) = (stated.message, stated.at, stated.assurance);
        Some(Use {
            message,
            at,
            assurance,
            names: by.names.clone(),
            stated: Vec::new(),
            kind: UseKind::Claimed,
            talk: None,
        })
    });
    claimed.collect()
}

/// What a message states goes with it.
fn restate(hood: &mut Hood, (message, from, to): (MessageId, IdentityId, IdentityId)) {
    for stated in hood.ledger.stated.iter_mut().filter(|stated| stated.message == message && stated.by == from) {
        stated.by = to;
    }
}

/// What is weighed of an identity, as it is known now.
fn take_in(hood: &mut Hood, id: IdentityId) {
    let Some(known) = hood.known.get(&id) else { return };
    let like = hood.ledger.members.iter().find(|member| member.identity == known.identity).cloned();
    let Some(like) = like else { return };
    hood.ledger.members.retain(|member| member.id != id);
    hood.ledger.members.push(Member {
        id,
        identity: known.identity.clone(),
        until: known.closed_at,
        assurance: known.assurance,
        names: known.names.clone(),
        first_at: known.first_at,
        last_at: known.last_at,
        ..like
    });
}
