//! Which identities are one person → groups of them, with the evidence for each join and for what is only
//! suggested (IDENTITY.md 4).
//!
//! The evidence is weighed on the *set* of what is known, so that the end is the same whatever came first: all
//! pairs of groups are weighed, the strongest join that nothing forbids is made, and what is left is weighed
//! again. What somebody is known by after a join may carry, or forbid, the next one.
//!
//! **Invariants:** what can be forged carries no join. Names that conflict, a person's word that two are not one,
//! and the limits of a contact forbid every join but those that the platform or a person vouches for. A number or
//! address that several people use is nobody's, and nothing is weighed through it.

use super::evidence::*;
use super::ledger::{Denial, Kind, Ledger, Member, Stated, Tie, Word};
use crate::pure::domain::Timestamp;
use crate::pure::domain::contact::{CONTACT_IDENTITIES_MAX, is_role_address};
use crate::pure::domain::decision::EvidenceClass;
use crate::pure::domain::facts::LookupKey;
use crate::pure::domain::id::IdentityId;
use crate::pure::domain::identity::{Assurance, CONTRADICTED_SCOPE, MAILTO, TEL};
use crate::pure::domain::lookalike;
use crate::pure::domain::message::{Denied, Place};
use crate::pure::domain::name::given::is_given;
use crate::pure::domain::name::{NameMatch, PersonName, fold};
use crate::pure::domain::rule::Rule;
use crate::pure::domain::say::{OnEvidence, Say};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    /// The groups, each in the order of their ids: one person's, or nobody's.
    pub groups: Vec<BTreeSet<IdentityId>>,
    /// What joined them.
    pub joined: Vec<Tie>,
    /// What points from one group to another and does not join them: the best of each pair.
    pub suggested: Vec<Tie>,
    /// Identities that several people turned out to use.
    pub shared: BTreeSet<IdentityId>,
    /// Evidence that names speak against: it joins nobody.
    pub refused: Vec<Tie>,
    /// Identities of which somebody says that they are not he, though they bring what others can copy of him.
    pub denied: BTreeSet<IdentityId>,
}

/// Within so many days two people who give one telephone number as theirs share it; after longer it has been
/// passed on (IDENTITY.md 4.3, 2).
const SHARED_WITHIN_S: i64 = 60 * 86_400;

/// A mail that says who called comes within so many days after the call. A signature alone, which anybody can put
/// below a mail, says nothing of a call that is over.
const CALLED_WITHIN_S: i64 = 7 * 86_400;

/// What somebody says that he did not use is what was first used so long before. "Nothing" is of days.
const DENIED_WITHIN_S: i64 = 14 * 86_400;
const DENIED_REST_WITHIN_S: i64 = 2 * 86_400;

/// Gathers identities into people, beginning with `start`: groups that stand already. Identities that are in none
/// of them begin alone.
pub fn gather(ledger: &Ledger, start: &[BTreeSet<IdentityId>]) -> Gathered {
    let mut all = Gathered::default();
    for (part, start) in ledger.parts(start) {
        let mut gathering = Gathering::new(&part, &start);
        gathering.heed_words();
        let mut weighed = gathering.weigh();
        while let Some(tie) = gathering.next_join(&weighed) {
            gathering.join(tie.clone());
            weighed = gathering.weigh();
        }
        let gathered = gathering.conclude(weighed);
        all.groups.extend(gathered.groups);
        all.joined.extend(gathered.joined);
        all.suggested.extend(gathered.suggested);
        all.shared.extend(gathered.shared);
        all.refused.extend(gathered.refused);
        all.denied.extend(gathered.denied);
    }
    all
}

/// What was found between groups as they are.
struct Weighed {
    /// Evidence for one person.
    ties: Vec<Tie>,
    /// Evidence that names speak against.
    refused: Vec<Tie>,
}

struct Gathering<'a> {
    ledger: &'a Ledger,
    members: BTreeMap<IdentityId, &'a Member>,
    group_of: BTreeMap<IdentityId, usize>,
    groups: Vec<BTreeSet<IdentityId>>,
    by_key: BTreeMap<(Kind, LookupKey), Vec<&'a Stated>>,
    shared: BTreeSet<IdentityId>,
    joined: Vec<Tie>,
    /// What the names of two groups say together, as long as the groups stand.
    verdicts: RefCell<HashMap<(usize, usize), Names>>,
}

impl<'a> Gathering<'a> {
    fn new(ledger: &'a Ledger, start: &[BTreeSet<IdentityId>]) -> Self {
        let members: BTreeMap<IdentityId, &Member> = ledger.members.iter().map(|member| (member.id, member)).collect();
        let mut groups: Vec<BTreeSet<IdentityId>> = start.to_vec();
        let placed: BTreeSet<IdentityId> = groups.iter().flatten().copied().collect();
        groups.extend(members.keys().filter(|id| !placed.contains(id)).map(|id| BTreeSet::from([*id])));
        let mut group_of = BTreeMap::new();
        for (n, group) in groups.iter().enumerate() {
            group_of.extend(group.iter().map(|id| (*id, n)));
        }
        let mut by_key: BTreeMap<(Kind, LookupKey), Vec<&Stated>> = BTreeMap::new();
        for stated in ledger.stated.iter().filter(|stated| members.contains_key(&stated.by)) {
            by_key.entry((stated.kind, stated.key)).or_default().push(stated);
        }
        for several in by_key.values_mut() {
            several.sort_by_key(|stated| (stated.at, stated.message));
        }
        let shared = members.values().filter(|member| member.is_shared).map(|member| member.id).collect();
        let mut gathering = Self {
            ledger,
            members,
            group_of,
            groups,
            by_key,
            shared,
            joined: Vec::new(),
            verdicts: RefCell::default(),
        };
        gathering.find_shared();
        gathering
    }

    /// A mailbox that two people sign is nobody's, nor is a number by which two people have called. A telephone number
    /// that two people of conflicting names give as theirs within a short time is a household's or an office's:
    /// nobody's. Only what a sender is vouched for counts, so that nobody can freeze another's.
    fn find_shared(&mut self) {
        let rules = self.ledger.rules;
        let has_several = |member: &&Member| match member.identity.scheme.as_str() {
            MAILTO => {
                rules.heed(Rule::SharedMailbox)
                    && (has_two_names(&member.names, PersonName::is_full) || is_familys(member))
            }
            TEL => {
                rules.heed(Rule::SharedCaller)
                    && member.assurance < Assurance::Verified
                    && has_two_names(&member.names, |_| true)
            }
            _ => false,
        };
        self.shared.extend(self.ledger.members.iter().filter(has_several).map(|member| member.id));
        for member in self.ledger.members.iter().filter(|member| member.identity.scheme == TEL) {
            // A platform vouches for one person behind it, whatever others say.
            if member.assurance == Assurance::Verified || !self.heeds(Rule::SharedNumber) {
                continue;
            }
            let claims: Vec<&Stated> = self
                .claims_of(member)
                .filter(|claim| claim.assurance >= Assurance::Plausible || !self.heeds(Rule::SharedByVouched))
                .filter(|claim| claim.by != member.id)
                .collect();
            let is_shared = claims.iter().enumerate().any(|(n, one)| {
                claims[n + 1..].iter().any(|other| {
                    (one.at.as_second() - other.at.as_second()).abs() <= SHARED_WITHIN_S
                        && compare_names(&self.names(one.by), self.names(other.by).into_iter()) == Names::Conflict
                })
            });
            let is_his = self.heeds(Rule::NotedOwner) && self.is_noted_owner(member, &claims);
            if (is_shared && !is_his) || self.is_used_by_family(member, &claims) {
                self.shared.insert(member.id);
            }
        }
    }

    /// Whoever gave a number first, and called by it in his whole name, keeps it; also in half of it, if those who gave
    /// it later are not of his family.
    fn is_noted_owner(&self, member: &Member, claims: &[&Stated]) -> bool {
        let Some(first) = claims.first().map(|first| self.names(first.by)) else { return false };
        let noted: Vec<&PersonName> = member.names.iter().collect();
        let whole: Vec<&PersonName> = noted.iter().copied().filter(|name| name.is_full()).collect();
        if matches!(compare_names(&whole, first.iter().copied()), Names::Agree { is_full: true, .. }) {
            return true;
        }
        let are_strangers = claims[1..].iter().all(|claim| {
            let later = self.names(claim.by);
            compare_names(&first, later.iter().copied()) != Names::Conflict
                || !first.iter().any(|one| later.iter().any(|other| one.ends_like(other)))
        });
        are_strangers && matches!(compare_names(&noted, first.into_iter()), Names::Agree { .. })
    }

    /// Somebody called by the number, as was noted, of the family of the first who gave it as his by mail. Whom an
    /// assistant gave it for is of another.
    fn is_used_by_family(&self, member: &Member, claims: &[&Stated]) -> bool {
        let Some(first) = claims.iter().find(|claim| self.is_mail(claim.by)) else { return false };
        let owner = self.names(first.by);
        self.heeds(Rule::SharedCaller)
            && (member.last_at.as_second() - first.at.as_second()).abs() <= SHARED_WITHIN_S
            && member.names.iter().any(|name| owner.iter().any(|owner| owner.ends_like(name)))
            && compare_names(&owner, member.names.iter()) == Names::Conflict
    }

    fn heeds(&self, rule: Rule) -> bool {
        self.ledger.rules.heed(rule)
    }

    /// Its sender is vouched for well enough to carry a join.
    fn is_sound(&self, assurance: Assurance) -> bool {
        assurance >= Assurance::Plausible || !self.heeds(Rule::VouchedOnly)
    }

    fn names(&self, id: IdentityId) -> Vec<&'a PersonName> {
        self.members.get(&id).into_iter().flat_map(|member| &member.names).collect()
    }

    fn names_of(&self, group: usize) -> Vec<&'a PersonName> {
        self.groups[group].iter().flat_map(|id| self.names(*id)).collect()
    }

    /// Claims of an identity by others, of the time when it was its owner's.
    fn claims_of(&self, member: &Member) -> impl Iterator<Item = &'a Stated> + use<'a> {
        let (since, until) = if self.heeds(Rule::ClaimInTime) { (member.since, member.until) } else { (None, None) };
        let claims: Vec<&'a Stated> = self.by_key.get(&(Kind::Claim, member.claim)).cloned().unwrap_or_default();
        claims.into_iter().filter(move |claim| {
            since.is_none_or(|since| claim.at >= since) && until.is_none_or(|until| claim.at < until)
        })
    }

    fn is_open(&self, group: usize) -> bool {
        let is_nobodys = |member: &&Member| {
            (self.heeds(Rule::RoleMailbox) && is_role_address(&member.identity))
                || member.identity.scope == CONTRADICTED_SCOPE
        };
        !self.groups[group].iter().any(|id| self.shared.contains(id) || self.members.get(id).is_some_and(is_nobodys))
    }

    /// Known by numbers that only ever called: no platform vouches for them.
    fn is_call_only(&self, group: usize) -> bool {
        self.groups[group]
            .iter()
            .filter_map(|id| self.members.get(id))
            .all(|member| member.identity.scheme == TEL && member.assurance <= Assurance::Plausible)
    }

    /// When a number last called that nobody's platform vouched for by then: until that, whoever gives it is believed.
    fn called_at(&self, member: &Member, group: usize) -> Option<Timestamp> {
        let has_mail = || self.groups[group].iter().any(|id| self.is_mail(*id));
        match member.identity.scheme == TEL {
            true if self.is_call_only(group) => Some(member.last_at),
            true => member.called_at.filter(|_| self.heeds(Rule::CalledBefore) && !has_mail()),
            false => None,
        }
    }

    /// Nothing but what was typed into a browser speaks for who it is.
    fn is_typed(&self, group: usize) -> bool {
        let mut members = self.groups[group].iter().filter_map(|id| self.members.get(id));
        members.all(|member| is_passed_around(&member.identity, member.assurance))
    }

    fn is_mail(&self, id: IdentityId) -> bool {
        self.members.get(&id).is_some_and(|member| member.identity.scheme == MAILTO)
    }

    fn verdict(&self, one: usize, other: usize) -> Names {
        // Nothing but groups changes what is compared.
        if let Some(known) = self.verdicts.borrow().get(&(one, other)) {
            return *known;
        }
        let verdict = self.compared(one, other);
        self.verdicts.borrow_mut().insert((one, other), verdict);
        verdict
    }

    fn compared(&self, one: usize, other: usize) -> Names {
        let (ours, theirs) = (self.names_of(one), self.names_of(other));
        let speaks_for_another = || self.speaks_for_another(one) || self.speaks_for_another(other);
        match compare_names(&ours, theirs.iter().copied()) {
            Names::Conflict if !self.heeds(Rule::NamesConflict) => Names::Unknown,
            Names::Agree { .. }
                if self.heeds(Rule::OwnAccount) && speaks_for_another() && have_whole_conflict(&ours, &theirs) =>
            {
                Names::Conflict
            }
            names => names,
        }
    }

    /// A platform's account has one owner: whom its text names beside him, by another whole name, he writes for.
    fn speaks_for_another(&self, group: usize) -> bool {
        let members = self.groups[group].iter().filter_map(|id| self.members.get(id));
        let mut accounts = members.filter(|member| is_account(&member.identity, member.assurance));
        accounts.any(|member| has_two_names(&member.names, PersonName::is_full))
    }

    /// Given and family name of both are known, and agree.
    fn is_named_alike(&self, one: usize, other: usize) -> bool {
        matches!(self.verdict(one, other), Names::Agree { is_full: true, .. })
    }

    /// What is known of both names agrees.
    fn are_named_alike(&self, one: usize, other: usize) -> bool {
        matches!(self.verdict(one, other), Names::Agree { .. })
    }

    fn are_apart(&self, one: usize, other: usize) -> bool {
        let mut words = self.ledger.words.iter().filter(|_| self.heeds(Rule::Apart));
        words.any(|(a, b, word)| {
            let of = (self.group_of.get(a), self.group_of.get(b));
            *word == Word::Apart && (of == (Some(&one), Some(&other)) || of == (Some(&other), Some(&one)))
        })
    }

    /// What the platform and agents say comes before all evidence.
    fn heed_words(&mut self) {
        for (a, b, word) in self.ledger.words.iter().filter(|(.., word)| *word != Word::Apart) {
            let (Some(one), Some(other)) = (self.group_of.get(a).copied(), self.group_of.get(b).copied()) else {
                continue;
            };
            let size = self.groups[one].len() + self.groups[other].len();
            let is_small = size <= CONTACT_IDENTITIES_MAX || !self.heeds(Rule::ContactSize);
            let is_allowed = *word == Word::Same || (is_small && !self.are_apart(one, other));
            if one != other && is_allowed {
                self.unite(one, other);
            }
        }
    }

    fn unite(&mut self, one: usize, other: usize) {
        self.verdicts.get_mut().clear();
        let gone = std::mem::take(&mut self.groups[other]);
        for id in &gone {
            self.group_of.insert(*id, one);
        }
        self.groups[one].extend(gone);
    }

    fn join(&mut self, tie: Tie) {
        if let (Some(one), Some(other)) = (self.group_of.get(&tie.from).copied(), self.group_of.get(&tie.to).copied()) {
            self.unite(one, other);
            self.joined.push(tie);
        }
    }

    /// The strongest join that is allowed now; of equals the one that was known first.
    fn next_join<'b>(&self, weighed: &'b Weighed) -> Option<&'b Tie> {
        let strong = weighed.ties.iter().filter(|tie| tie.is_strong);
        let allowed = strong.filter(|tie| {
            let (one, other) = (self.group_of[&tie.from], self.group_of[&tie.to]);
            let size = self.groups[one].len() + self.groups[other].len();
            !self.imitates(one, other)
                && !self.is_denied(tie)
                && (size <= CONTACT_IDENTITIES_MAX || !self.heeds(Rule::ContactSize))
                && !self.are_apart(one, other)
        });
        // What somebody denies is joined last, so that it is known by then whose word that is.
        allowed.min_by_key(|tie| (self.is_questioned(tie), std::cmp::Reverse(tie.bits), tie.at, tie.from, tie.to))
    }

    /// The sides of evidence that whoever saw a bill, a parcel or a picture of them could have brought: the side, the
    /// one beside it, and whether it brought that before anybody else did.
    fn copied_sides(&self, tie: &Tie) -> impl Iterator<Item = (usize, usize, bool)> {
        let (one, other) = (self.group_of[&tie.from], self.group_of[&tie.to]);
        let is_copyable = matches!(tie.class, EvidenceClass::OrderNumber | EvidenceClass::ReplyRef);
        let sides =
            [((one, other, tie.is_first.0), tie.is_private.0), ((other, one, tie.is_first.1), tie.is_private.1)];
        sides.into_iter().filter(move |(_, is_private)| is_copyable && !is_private).map(|(side, _)| side)
    }

    /// One side says that he did not use what the other side is.
    fn is_denied(&self, tie: &Tie) -> bool {
        self.denied_sides(tie).next().is_some()
    }

    /// The sides that the other one says he did not use.
    fn denied_sides(&self, tie: &Tie) -> impl Iterator<Item = usize> {
        let is_by = |denial: &Denial, group| self.group_of.get(&denial.by) == Some(&group);
        let denied = self.copied_sides(tie).filter(move |(side, beside, is_first)| {
            let mut his = self.ledger.denials.iter().filter(|denial| is_by(denial, *beside));
            his.any(|denial| self.denies(denial, *side, *is_first))
        });
        denied.map(|(side, ..)| side)
    }

    /// Somebody, though neither of the two as far as is known, says that he did not use what one of them is.
    fn is_questioned(&self, tie: &Tie) -> bool {
        self.copied_sides(tie).any(|(side, _, is_first)| {
            let mut others = self.ledger.denials.iter().filter(|denial| self.group_of.get(&denial.by) != Some(&side));
            others.any(|denial| self.denies(denial, side, is_first))
        })
    }

    /// Whether what is denied is in a group. Who brought what others copied has not copied it, so that of him only a
    /// channel is believed not to be.
    fn denies(&self, denial: &Denial, group: usize, is_first: bool) -> bool {
        let mut members = self.groups[group].iter().filter_map(|id| self.members.get(id));
        members.any(|member| {
            let (within_s, is_excused) = match &denial.what {
                Denied::Accounts(_) => (DENIED_WITHIN_S, false),
                Denied::Number | Denied::Rest => (DENIED_REST_WITHIN_S, is_first),
            };
            let before_s = denial.at.as_second() - member.first_at.as_second();
            !is_excused && (0..=within_s).contains(&before_s) && denial.what.is_of(&member.identity, member.assurance)
        })
    }

    /// All evidence between groups as they are, and what names speak against.
    fn weigh(&self) -> Weighed {
        let (mut ties, mut refused) = (Vec::new(), Vec::new());
        if self.groups.iter().filter(|group| !group.is_empty()).count() < 2 {
            return Weighed { ties, refused };
        }
        for ((kind, _), several) in &self.by_key {
            match kind {
                Kind::Number => self.same_number(several, &mut ties, &mut refused),
                Kind::DeskMessage => self.same_desk_message(several, &mut ties),
                Kind::Name => self.same_name(several, &mut ties),
                Kind::Claim | Kind::Company => {}
            }
        }
        for member in self.members.values() {
            self.claimed(member, &mut ties, &mut refused);
            self.used_again(member, &mut ties);
        }
        Weighed { ties, refused }
    }

    /// Statements of one thing, the first of each group that may be joined at all.
    fn by_group(&self, several: &[&'a Stated]) -> BTreeMap<usize, &'a Stated> {
        let mut groups: BTreeMap<usize, &Stated> = BTreeMap::new();
        for stated in several {
            let group = self.group_of[&stated.by];
            if self.is_open(group) {
                let best = groups.entry(group).or_insert(stated);
                if best.assurance < Assurance::Plausible && stated.assurance >= Assurance::Plausible {
                    *best = stated;
                }
            }
        }
        groups
    }

    fn same_number(&self, several: &[&'a Stated], ties: &mut Vec<Tie>, refused: &mut Vec<Tie>) {
        let groups: Vec<(usize, &Stated)> = self.by_group(several).into_iter().collect();
        // Half a name that is two people's is neither's: J. Laine, where Jukka and Jani both name the number.
        let is_either = |half: usize, whole: usize| {
            let mut others = groups.iter().filter(|(third, _)| *third != half && *third != whole);
            matches!(self.verdict(half, whole), Names::Agree { is_full: false, .. })
                && others.any(|(third, _)| {
                    matches!(self.verdict(half, *third), Names::Agree { .. })
                        && self.verdict(whole, *third) == Names::Conflict
                })
        };
        for (n, (one, ours)) in groups.iter().enumerate() {
            for (other, theirs) in &groups[n + 1..] {
                // What many had named by then ties nobody. Whoever names it later takes nothing apart.
                if self.heeds(Rule::Mailing) && self.named_by(several, ours.at.max(theirs.at)) > SECRET_CONTACTS_MAX {
                    continue;
                }
                let number = ours.shown.clone();
                let (class, bits, why) = match self.verdict(*one, *other) {
                    Names::Conflict => {
                        let why = OnEvidence::NumberOfAnotherName { number };
                        refused.push(tie(ours, theirs, EvidenceClass::OrderOnly, BITS_SECRET, false, why));
                        continue;
                    }
                    Names::Agree { bits, .. } => {
                        (EvidenceClass::OrderNumber, BITS_SECRET + bits, OnEvidence::NumberAndName { number })
                    }
                    Names::Unknown if self.one_names_the_other(*one, *other) => (
                        EvidenceClass::IdMentioned,
                        BITS_MENTIONED_WITH_SECRET,
                        OnEvidence::NumberAndAddress { number },
                    ),
                    Names::Unknown => (EvidenceClass::OrderOnly, BITS_SECRET, OnEvidence::NumberAlone { number }),
                };
                let rule = match class {
                    EvidenceClass::OrderNumber => Rule::NumberAndName,
                    EvidenceClass::IdMentioned => Rule::NumberAndAddress,
                    _ => Rule::SuggestNumber,
                };
                if !self.heeds(rule) {
                    continue;
                }
                let is_sound = self.is_sound(ours.assurance.min(theirs.assurance));
                // Who finds a bill knows its number and the name on it. A browser is believed when somebody who is
                // vouched for brings the number after it, not when it comes to what is known; unless the desk itself
                // told the number to the other, and to nobody else, as what is first heard of in a note was told on the
                // telephone. His address, too, is known to many.
                let is_told = |known: &Stated| match known.place {
                    Place::Told => true,
                    Place::Noted => several.first().is_some_and(|first| first.message == known.message),
                    _ => false,
                };
                let comes_after = |typed: &Stated, known: &Stated| {
                    self.is_typed(self.group_of[&typed.by])
                        && !self.is_typed(self.group_of[&known.by])
                        && typed.at > known.at
                        && !is_told(known)
                };
                let is_found = self.heeds(Rule::TypedFirst) && (comes_after(ours, theirs) || comes_after(theirs, ours));
                let is_either = self.heeds(Rule::HalfName) && (is_either(*one, *other) || is_either(*other, *one));
                let is_second = class == EvidenceClass::OrderNumber
                    && self.heeds(Rule::SecondAccount)
                    && !self.answers_in_thread(ours, theirs)
                    && !self.answers_in_thread(theirs, ours)
                    && (self.is_named_by_accounts_alike(several, *one, *other)
                        || groups.iter().any(|(third, _)| self.is_thirds(several, *third, (*one, *other)))
                        || self.types_another_mailbox(*one, *other)
                        || self.types_another_mailbox(*other, *one));
                let is_strong = is_sound && class.is_strong() && !is_found && !is_either && !is_second;
                let is_first = self.are_first(several, *one, *other);
                ties.push(Tie { is_first, ..tie(ours, theirs, class, bits, is_strong, why) });
            }
        }
    }

    /// Whether each of two groups brought it before anybody else did.
    fn are_first(&self, several: &[&Stated], one: usize, other: usize) -> (bool, bool) {
        let first = several.first().map(|first| self.group_of[&first.by]);
        (first == Some(one), first == Some(other))
    }

    /// Who answers from another address, its thread lost, still names what the desk told him in its subject.
    fn answers_in_thread(&self, one: &Stated, other: &Stated) -> bool {
        one.place == Place::Thread
            && other.place == Place::Told
            && one.at > other.at
            && self.is_named_alike(self.group_of[&one.by], self.group_of[&other.by])
    }

    /// Both sides name it from an account of one kind: a mail address, or a profile of one platform. Telephones that
    /// only call are none.
    fn is_named_by_accounts_alike(&self, several: &[&Stated], one: usize, other: usize) -> bool {
        let accounts = |group: usize| {
            let by = several.iter().map(|stated| stated.by).filter(move |by| self.group_of[by] == group);
            let members = by.filter_map(|by| self.members.get(&by));
            members.filter(|member| member.identity.scheme == MAILTO || member.assurance == Assurance::Verified)
        };
        accounts(one).any(|one| {
            accounts(other)
                .any(|other| one.identity.scheme == other.identity.scheme && one.identity.scope == other.identity.scope)
        })
    }

    /// One of two is a third's, who gives its address and goes by no other name, and whose account is a second one beside
    /// the other's.
    fn is_thirds(&self, several: &[&Stated], third: usize, (one, other): (usize, usize)) -> bool {
        let is_alike = |group: usize| self.is_named_by_accounts_alike(several, third, group);
        let is_of = |group: usize| self.names_address_of(third, group) && self.verdict(third, group) != Names::Conflict;
        third != one && third != other && ((is_of(one) && is_alike(other)) || (is_of(other) && is_alike(one)))
    }

    /// What is typed into the one's browser gives a mail address, and none that the other has.
    fn types_another_mailbox(&self, typed: usize, other: usize) -> bool {
        let mailboxes =
            || self.groups[other].iter().filter(|id| self.is_mail(**id)).filter_map(|id| self.members.get(id));
        let is_of = |stated: &&Stated| self.group_of[&stated.by] == typed && stated.shown.contains('@');
        let claims = self.by_key.iter().filter(|((kind, _), _)| *kind == Kind::Claim);
        let mut given = claims.filter(|(_, several)| several.iter().any(is_of)).map(|((_, key), _)| *key);
        self.is_typed(typed)
            && mailboxes().next().is_some()
            && given.next().is_some_and(|first| {
                std::iter::once(first).chain(given).all(|key| mailboxes().all(|mailbox| mailbox.claim != key))
            })
    }

    /// How many had stated it by then.
    fn named_by(&self, several: &[&Stated], at: Timestamp) -> usize {
        let stated = several.iter().filter(|stated| stated.at <= at).map(|stated| self.group_of[&stated.by]);
        stated.filter(|group| self.is_open(*group)).collect::<BTreeSet<_>>().len()
    }

    fn one_names_the_other(&self, one: usize, other: usize) -> bool {
        self.names_address_of(one, other) || self.names_address_of(other, one)
    }

    /// The one states an address of the other's.
    fn names_address_of(&self, by: usize, of: usize) -> bool {
        let mut of = self.groups[of].iter().filter_map(|id| self.members.get(id));
        of.any(|member| {
            let (mut his, mut others) = (false, false);
            for claim in self.claims_of(member) {
                *if self.group_of[&claim.by] == by { &mut his } else { &mut others } = true;
            }
            // Of those who give one telephone's number it does not show whose it is.
            his && !(others && member.identity.scheme == TEL && self.heeds(Rule::GivenByTwo))
        })
    }

    /// Answers to what the desk sent, from another address than it was sent to.
    fn same_desk_message(&self, several: &[&'a Stated], ties: &mut Vec<Tie>) {
        if !self.heeds(Rule::AnswerInName) {
            return;
        }
        let groups: Vec<(usize, &Stated)> = self.by_group(several).into_iter().collect();
        for (n, (one, ours)) in groups.iter().enumerate() {
            for (other, theirs) in &groups[n + 1..] {
                let is_sound = self.is_sound(ours.assurance.min(theirs.assurance));
                let Names::Agree { .. } = self.verdict(*one, *other) else { continue };
                let is_alike = self.is_named_alike(*one, *other) || !self.heeds(Rule::AnswerFullName);
                let (is_strong, why) = (is_sound && is_alike, OnEvidence::AnswerInSameName);
                let is_first = self.are_first(several, *one, *other);
                let tie = tie(ours, theirs, EvidenceClass::ReplyRef, BITS_REPLY, is_strong, why);
                ties.push(Tie { is_first, ..tie });
            }
        }
    }

    /// The same full name: worth a look where they are of one firm too, or nobody else has it these days. It joins
    /// nobody, for two people can share a name.
    fn same_name(&self, several: &[&'a Stated], ties: &mut Vec<Tie>) {
        // When each was first called so: later statements of it are not all kept.
        let mut groups: BTreeMap<usize, &Stated> = BTreeMap::new();
        for stated in several {
            let group = self.group_of[&stated.by];
            if self.is_open(group) {
                groups.entry(group).or_insert(stated);
            }
        }
        let within_s = self.ledger.namesakes_within.as_secs();
        let are_near =
            |one: &Stated, other: &Stated| (one.at.as_second() - other.at.as_second()).unsigned_abs() <= within_s;
        let pairs = groups.iter().flat_map(|one| groups.range(one.0 + 1..).map(move |other| (one, other)));
        for ((one, ours), (other, theirs)) in pairs {
            let Names::Agree { bits, is_full: true } = self.verdict(*one, *other) else { continue };
            let (class, bits, why) = if self.are_of_one_firm(*one, *other) {
                let bits = bits.clamp(BITS_NAME_FULL, BITS_NAME_FIRM_MAX);
                (EvidenceClass::NameCompany, bits, OnEvidence::NameAndFirm)
            } else {
                let mut others = groups.iter().filter(|(group, _)| *group != one && *group != other);
                if !are_near(ours, theirs) || others.any(|(_, his)| are_near(his, ours) || are_near(his, theirs)) {
                    continue;
                }
                (EvidenceClass::FullName, BITS_NAME_FULL, OnEvidence::FullName)
            };
            let rule = if class == EvidenceClass::NameCompany { Rule::SuggestFirm } else { Rule::SuggestName };
            if self.heeds(rule) {
                ties.push(tie(ours, theirs, class, bits, false, why));
            }
        }
    }

    /// Both name one firm, or write from its mail domain.
    fn are_of_one_firm(&self, one: usize, other: usize) -> bool {
        let domains = |group: usize| {
            let members = self.groups[group].iter().filter_map(|id| self.members.get(id));
            members.filter_map(|member| member.firm.as_deref())
        };
        let names = |group: usize| {
            let firms = self.by_key.iter().filter(|((kind, _), _)| *kind == Kind::Company);
            firms.filter(move |(_, several)| several.iter().any(|stated| self.group_of[&stated.by] == group))
        };
        domains(one).any(|one| domains(other).any(|other| one == other))
            || names(one).any(|((_, one), _)| names(other).any(|((_, other), _)| one == other))
    }

    /// A browser or an account that two people used in turn: whoever comes back in the same name is who he was.
    fn used_again(&self, member: &'a Member, ties: &mut Vec<Tie>) {
        let is_account = is_account(&member.identity, member.assurance);
        let (rule, why) = match is_account {
            true => (Rule::AccountHandedOn, OnEvidence::SameAccount),
            false => (Rule::BrowserAgain, OnEvidence::SameBrowser),
        };
        if !self.heeds(rule) {
            return;
        }
        // An account that its owner left is not his again; one that another had in the meantime is.
        let is_earlier = |earlier: &&&Member| {
            let is_before = |until, since| if is_account { until < since } else { until <= since };
            earlier.identity == member.identity
                && matches!((earlier.until, member.since), (Some(until), Some(since)) if is_before(until, since))
        };
        for earlier in self.members.values().filter(is_earlier) {
            let (here, there) = (self.group_of[&member.id], self.group_of[&earlier.id]);
            if here == there || !(is_account || is_passed_around(&member.identity, member.assurance)) {
                continue;
            }
            if let Names::Agree { .. } = compare_names(&self.names(earlier.id), self.names(member.id).into_iter()) {
                ties.push(Tie {
                    from: earlier.id,
                    to: member.id,
                    class: EvidenceClass::SameId,
                    bits: BITS_SAME_ID,
                    is_strong: true,
                    is_private: (true, true),
                    is_first: (false, false),
                    messages: (None, None),
                    at: member.last_at,
                    why: why.clone().into(),
                });
            }
        }
    }

    /// The mail domain of one side is made to look like that of the other.
    fn imitates(&self, one: usize, other: usize) -> bool {
        let domains = |group: usize| {
            let members = self.groups[group].iter().filter_map(|id| self.members.get(id));
            members.filter_map(|member| member.identity.mail_domain())
        };
        self.heeds(Rule::ImitatedContact)
            && domains(one).any(|one| domains(other).any(|other| lookalike::imitates(one, other)))
    }

    /// What others state of an identity.
    fn claimed(&self, member: &'a Member, ties: &mut Vec<Tie>, refused: &mut Vec<Tie>) {
        let here = self.group_of[&member.id];
        if !self.is_open(here) {
            return;
        }
        let by_mail = |claim: &Stated| self.is_sound(claim.assurance) && self.is_mail(claim.by);
        // His own mail among them.
        let first_of_all = self.claims_of(member).filter(|claim| by_mail(claim)).map(|claim| claim.at).min();
        let claims = self.by_group(&self.claims_of(member).collect::<Vec<_>>());
        let claims: Vec<(usize, &Stated)> = claims.into_iter().filter(|(group, _)| *group != here).collect();
        let called_at = self.called_at(member, here);
        let first = claims.iter().filter(|(_, claim)| by_mail(claim)).map(|(_, claim)| claim.at).min();
        for (group, claim) in &claims {
            let conflict = self.verdict(*group, here) == Names::Conflict;
            let other_name = claims.iter().any(|(other, claim)| {
                other != group && by_mail(claim) && self.verdict(*group, *other) == Names::Conflict
            });
            let own = self.groups[*group].iter().filter_map(|id| self.members.get(id));
            let back = own.flat_map(|own| self.claims_of(own)).find(|back| self.group_of[&back.by] == here);
            let is_mutual = self.heeds(Rule::MutualNaming)
                && back.is_some_and(|back| self.is_sound(back.assurance.min(claim.assurance)));
            let names_caller = called_at.filter(|_| by_mail(claim));
            let is_his = names_caller.is_some() && (Some(claim.at) == first || !self.heeds(Rule::FirstClaim));
            let address = claim.shown.clone();
            let theirs = Stated { by: member.id, at: claim.at, ..(*claim).clone() };
            let asserted = |why| (EvidenceClass::AssertedId, BITS_ASSERTED, why);
            let mentioned = |bits, why| (EvidenceClass::IdMentioned, bits, why);
            let (class, bits, why) = if is_mutual && conflict {
                // A couple does just that: each gives the other's number. Never a join.
                asserted(OnEvidence::MutualButNamesDiffer)
            } else if is_mutual {
                mentioned(BITS_MUTUAL, OnEvidence::MutualAddresses)
            } else if conflict {
                let why = OnEvidence::AddressOfAnotherName { address };
                refused.push(tie(claim, &theirs, EvidenceClass::AssertedId, BITS_ASSERTED, false, why));
                continue;
            } else if names_caller.is_some()
                && other_name
                && self.heeds(Rule::OtherClaim)
                && !(is_his && self.heeds(Rule::NotedOwner) && self.is_named_alike(*group, here))
            {
                asserted(OnEvidence::CallerNamedBySeveral { address })
            } else if is_his
                && names_caller.is_some_and(|called_at| claim.at <= called_at)
                && self.heeds(Rule::CallerNamedBefore)
            {
                mentioned(BITS_CALLER_NAMED, OnEvidence::CallerNamedBefore { address })
            } else if is_his
                && (claim.place == Place::Body || self.are_named_alike(*group, here))
                && names_caller.is_some_and(|called_at| is_fresh(called_at, claim))
                && self.heeds(Rule::CallerNamedAfter)
            {
                mentioned(BITS_CALLER_NAMED, OnEvidence::CallerNamedSoonAfter { address })
            } else if !other_name
                && Some(claim.at) == first_of_all
                && by_mail(claim)
                && self.has_called_since(member, claim)
            {
                mentioned(BITS_CALLER_NAMED, OnEvidence::CallerNamedBefore { address })
            } else if is_his && self.is_named_alike(*group, here) && self.heeds(Rule::CallerNamedAlike) {
                mentioned(BITS_CALLER_NAMED, OnEvidence::CallerOfSameName { address })
            } else if names_caller.is_some_and(|called_at| claim.at > called_at) {
                asserted(OnEvidence::CallerNamedAfter { address })
            } else {
                asserted(OnEvidence::AddressNamed { address })
            };
            if class == EvidenceClass::AssertedId && !self.heeds(Rule::SuggestAddress) {
                continue;
            }
            let mut tie = tie(claim, &theirs, class, bits, class.is_strong(), why);
            tie.messages.1 = back.filter(|_| is_mutual).map(|back| back.message);
            ties.push(tie);
        }
    }

    /// The number called after the mail had given it, and both go by one name.
    fn has_called_since(&self, member: &Member, claim: &Stated) -> bool {
        self.heeds(Rule::CalledSince)
            && member.last_call_at.is_some_and(|called_at| claim.at <= called_at)
            && self.are_named_alike(self.group_of[&claim.by], self.group_of[&member.id])
    }

    fn conclude(self, Weighed { ties, refused }: Weighed) -> Gathered {
        let mut suggested: BTreeMap<(usize, usize), Tie> = BTreeMap::new();
        let sides = ties.iter().flat_map(|tie| self.denied_sides(tie));
        let denied = sides.flat_map(|side| self.groups[side].iter().copied()).collect();
        for tie in ties {
            let (one, other) = (self.group_of[&tie.from], self.group_of[&tie.to]);
            let pair = (one.min(other), one.max(other));
            if self.are_apart(one, other) || self.is_denied(&tie) {
                continue;
            }
            let tie = match self.imitates(one, other) {
                true => Tie { why: OnEvidence::LookalikeDomain.into(), ..tie },
                false => tie,
            };
            let rank = |tie: &Tie| (tie.is_strong, tie.bits, std::cmp::Reverse((tie.at, tie.from, tie.to)));
            if suggested.get(&pair).is_none_or(|best| rank(best) < rank(&tie)) {
                suggested.insert(pair, tie);
            }
        }
        Gathered {
            groups: self.groups.into_iter().filter(|group| !group.is_empty()).collect(),
            joined: self.joined,
            suggested: suggested.into_values().collect(),
            shared: self.shared,
            refused,
            denied,
        }
    }
}

/// Two people: names that cannot be one person's.
pub(super) fn has_two_names(names: &[PersonName], counts: impl Fn(&PersonName) -> bool) -> bool {
    let counted = || names.iter().filter(|name| counts(name));
    counted().any(|one| counted().any(|other| one.compare(other).verdict == NameMatch::Conflict))
}

/// A mailbox that two people sign with their given names, neither of which is in its address: `laineet@`, Mika and Outi.
fn is_familys(member: &Member) -> bool {
    let local = member.identity.value.split('@').next().unwrap_or_default();
    let words: Vec<String> =
        local.split(|c: char| !c.is_alphabetic()).map(fold).filter(|word| !word.is_empty()).collect();
    let is_beside = |name: &PersonName| {
        let given = name.written().split_whitespace().next().map(fold).unwrap_or_default();
        is_given(&given) && !words.iter().any(|word| word.starts_with(&given))
    };
    has_two_names(&member.names, is_beside)
}

/// Whole names of two people, one on each side.
fn have_whole_conflict(ours: &[&PersonName], theirs: &[&PersonName]) -> bool {
    let whole = |name: &&&PersonName| name.is_full();
    ours.iter()
        .filter(whole)
        .any(|our| theirs.iter().filter(whole).any(|their| our.compare(their).verdict == NameMatch::Conflict))
}

/// The mail comes while the call is fresh.
fn is_fresh(called_at: Timestamp, claim: &Stated) -> bool {
    (0..CALLED_WITHIN_S).contains(&(claim.at.as_second() - called_at.as_second()))
}

fn tie(ours: &Stated, theirs: &Stated, class: EvidenceClass, bits: i16, is_strong: bool, why: impl Into<Say>) -> Tie {
    Tie {
        from: ours.by,
        to: theirs.by,
        class,
        bits,
        is_strong,
        is_private: (ours.place == Place::Told, theirs.place == Place::Told),
        is_first: (false, false),
        messages: (Some(ours.message), Some(theirs.message)),
        at: ours.at.max(theirs.at),
        why: why.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::id::MessageId;
    use crate::pure::domain::identity::Identity;
    use std::time::Duration;
    use uuid::Uuid;

    fn day(n: i64) -> Timestamp {
        Timestamp::from_second(1_767_225_600 + n * 86_400).unwrap()
    }

    fn id(n: u128) -> IdentityId {
        IdentityId(Uuid::from_u128(n))
    }

    /// `1 mail Minna Virtanen`: its number, what it is, its owner's name. A caller's last call is on the day of his
    /// number.
    fn member(text: &str) -> Member {
        let mut words = text.trim().splitn(3, ' ');
        let n: u128 = words.next().unwrap().parse().unwrap();
        let (scheme, value, assurance) = match words.next().unwrap() {
            "mail" => (MAILTO, format!("m{n}@posti.example"), Assurance::Verified),
            "false" => (MAILTO, format!("m{n}@p0sti.example"), Assurance::Verified),
            "firm" => (MAILTO, format!("m{n}@putki.example"), Assurance::Verified),
            "role" => (MAILTO, "info@kirje.example".to_owned(), Assurance::Verified),
            "call" => (TEL, format!("+35840123{n:04}"), Assurance::Plausible),
            "wa" => (TEL, format!("+35840123{n:04}"), Assurance::Verified),
            "chat" => ("webchat", format!("v{n}"), Assurance::Plausible),
            _ => ("messenger", format!("p{n}"), Assurance::Verified),
        };
        let (since, until, is_shared) = (None, None, false);
        let firm =
            value.split_once('@').filter(|(_, domain)| *domain == "putki.example").map(|(_, domain)| domain.to_owned());
        let names = words.next().and_then(PersonName::parse).into_iter().collect();
        let identity = Identity { scheme: scheme.to_owned(), scope: String::new(), value };
        let (claim, last_at) = (LookupKey(Uuid::from_u128(n)), day(i64::try_from(n).unwrap()));
        let (called_at, last_call_at) = (None, None);
        Member {
            id: id(n),
            identity,
            claim,
            since,
            until,
            assurance,
            names,
            first_at: last_at,
            last_at,
            last_call_at,
            called_at,
            is_shared,
            firm,
        }
    }

    /// `1 number 400 5`: who, what, which, on which day; `1 names 3 5`: that he is reached at 3. With `?` at the end
    /// nobody vouches for it.
    fn stated(n: usize, text: &str) -> Stated {
        let words: Vec<&str> = text.split_whitespace().collect();
        let what: u128 = words[2].parse().unwrap();
        let (kind, key) = match words[1] {
            "number" => (Kind::Number, 10_000 + what),
            "answers" => (Kind::DeskMessage, 20_000 + what),
            "called" => (Kind::Name, 30_000 + what),
            "of" => (Kind::Company, 40_000 + what),
            _ => (Kind::Claim, what),
        };
        let assurance = if words.last() == Some(&"?") { Assurance::Asserted } else { Assurance::Verified };
        Stated {
            kind,
            key: LookupKey(Uuid::from_u128(key)),
            shown: String::new(),
            by: id(words[0].parse().unwrap()),
            message: MessageId(Uuid::from_u128(u128::try_from(n).unwrap() + 1_000)),
            at: day(words[3].parse().unwrap()),
            assurance,
            place: if words.last() == Some(&"told") { Place::Told } else { Place::Header },
        }
    }

    /// `1 apart 2`.
    fn word(text: &str) -> (IdentityId, IdentityId, Word) {
        let words: Vec<&str> = text.split_whitespace().collect();
        let word = match words[1] {
            "apart" => Word::Apart,
            "same" => Word::Same,
            _ => Word::Platform,
        };
        (id(words[0].parse().unwrap()), id(words[2].parse().unwrap()), word)
    }

    fn lines(text: &str) -> impl Iterator<Item = &str> {
        text.split(';').map(str::trim).filter(|line| !line.is_empty())
    }

    /// Groups of several, suggestions between groups, identities that are nobody's.
    fn show(gathered: &Gathered) -> String {
        let number = |id: &IdentityId| id.0.as_u128().to_string();
        let group_of = |id: &IdentityId| {
            let group = gathered.groups.iter().find(|group| group.contains(id)).unwrap();
            group.iter().map(number).collect::<Vec<_>>().join("+")
        };
        let mut shown: Vec<String> = gathered
            .groups
            .iter()
            .filter(|group| group.len() > 1)
            .filter_map(|group| group.first())
            .map(group_of)
            .collect();
        shown.sort();
        let mut suggested: Vec<String> = gathered
            .suggested
            .iter()
            .map(|tie| {
                let (one, other) = (group_of(&tie.from), group_of(&tie.to));
                if one < other { format!("{one}?{other}") } else { format!("{other}?{one}") }
            })
            .collect();
        suggested.sort();
        shown.extend(suggested);
        shown.extend(gathered.shared.iter().map(|id| format!("{} shared", number(id))));
        shown.join(", ")
    }

    /// What comes of a ledger, the same in whatever order it stands: as written, turned round, and shuffled.
    fn check(name: &str, members: &str, said: &str, words: &str, expected: &str) {
        let ledger = Ledger {
            members: lines(members).map(member).collect(),
            stated: lines(said).enumerate().map(|(n, line)| stated(n, line)).collect(),
            words: lines(words).map(word).collect(),
            namesakes_within: Duration::from_secs(14 * 86_400),
            ..Ledger::default()
        };
        assert_eq!(show(&gather(&ledger, &[])), expected, "{name}");
        let mut seed: u64 = 7;
        for turn in 0..24 {
            let mut other = ledger.clone();
            other.members.reverse();
            other.stated.reverse();
            let mut swap = |len: usize| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                usize::try_from(seed >> 33).unwrap() % len.max(1)
            };
            for n in 0..if turn == 0 { 0 } else { other.members.len() } {
                let to = swap(other.members.len());
                other.members.swap(n, to);
            }
            for n in 0..if turn == 0 { 0 } else { other.stated.len() } {
                let to = swap(other.stated.len());
                other.stated.swap(n, to);
            }
            assert_eq!(show(&gather(&other, &[])), expected, "{name}, turn {turn}");
            // What stands already and is right stays.
            let stands = gather(&ledger, &[]).groups;
            assert_eq!(show(&gather(&other, &stands)), expected, "{name}, from what stands, turn {turn}");
        }
    }

    #[test]
    fn ledgers_become_people() {
        for (name, members, said, expected) in [
            (
                "a number and a name",
                "1 mail Minna Virtanen; 2 page Minna Virtanen",
                "1 number 4 1; 2 number 4 2",
                "1+2",
            ),
            ("a number, no name", "1 mail Minna Virtanen; 2 page", "1 number 4 1; 2 number 4 2", "1?2"),
            ("a number, another name", "1 mail Minna Virtanen; 2 page Pekka Laine", "1 number 4 1; 2 number 4 2", ""),
            ("unvouched for", "1 mail Minna Virtanen; 2 page Minna Virtanen", "1 number 4 1 ?; 2 number 4 2", "1?2"),
            ("a name alone", "1 mail Minna Virtanen; 2 page Minna Virtanen", "1 number 4 1; 2 number 5 2", ""),
            (
                "by way of a third",
                "1 page Minna Virtanen; 2 wa Minna Virtanen; 3 mail Minna Virtanen",
                "1 number 4 1; 2 number 5 2; 3 number 4 3; 3 number 5 3",
                "1+2+3",
            ),
            ("a role's mailbox", "1 role Minna Virtanen; 2 page Minna Virtanen", "1 number 4 1; 2 number 4 2", ""),
            (
                "a look-alike domain",
                "1 mail Minna Virtanen; 2 false Minna Virtanen",
                "1 number 4 1; 2 number 4 2",
                "1?2",
            ),
            ("both name each other", "1 mail Minna Virtanen; 2 wa", "1 names 2 1; 2 names 1 2", "1+2"),
            ("a couple", "1 mail Minna Virtanen; 2 wa Pekka Virtanen", "1 names 2 1; 2 names 1 2", "1?2"),
            ("one names the other", "1 mail Minna Virtanen; 2 wa", "1 names 2 1", "1?2"),
            (
                "and the number is in both",
                "1 mail Minna Virtanen; 2 wa",
                "1 names 2 1; 1 number 4 1; 2 number 4 2",
                "1+2",
            ),
            ("a caller named before", "1 mail Minna Virtanen; 5 call", "1 names 5 2", "1+5"),
            ("a caller named after", "1 mail Minna Virtanen; 5 call", "1 names 5 9", "1?5"),
            ("who gave the same name", "1 mail Minna Virtanen; 5 call Virtanen Minna", "1 names 5 9", "1+5"),
            ("who gave half of it days before", "1 mail Minna Virtanen; 5 call Minna", "1 names 5 9", "1+5"),
            ("who gave half of it long before", "1 mail Minna Virtanen; 5 call Minna", "1 names 5 19", "1?5"),
            (
                "whom another had named before",
                "1 mail Minna Virtanen; 2 mail Pekka Laine; 5 call Minna Virtanen",
                "2 names 5 8; 1 names 5 99",
                "1?5",
            ),
            (
                "a household",
                "1 mail Minna Virtanen; 2 mail Pekka Laine; 5 call",
                "1 names 5 1; 2 names 5 40",
                "5 shared",
            ),
            (
                "a household, one of whom nobody vouches for",
                "1 mail Minna Virtanen; 2 mail Pekka Laine; 5 call",
                "1 names 5 1; 2 names 5 2 ?",
                "1+5",
            ),
            (
                "the platform vouches for one behind it",
                "1 mail Minna Virtanen; 2 mail Pekka Laine; 5 wa",
                "1 names 5 1; 2 names 5 2",
                "1?5, 2?5",
            ),
            (
                "an answer in full name",
                "1 mail Minna Virtanen; 2 page Minna Virtanen",
                "1 answers 4 1; 2 answers 4 2",
                "1+2",
            ),
            ("an answer in half a name", "1 mail Minna Virtanen; 2 page Minna", "1 answers 4 1; 2 answers 4 2", "1?2"),
            ("an answer in another", "1 mail Minna Virtanen; 2 page Pekka Laine", "1 answers 4 1; 2 answers 4 2", ""),
            (
                "a bill that was found",
                "1 mail Minna Virtanen; 2 chat Minna Virtanen",
                "1 number 4 1; 2 number 4 2",
                "1?2",
            ),
            (
                "a number that the desk gave",
                "1 mail Minna Virtanen; 2 chat Minna",
                "1 number 4 1 told; 2 number 4 2",
                "1+2",
            ),
            (
                "a chat before the mail",
                "1 mail Minna Virtanen; 2 chat Minna Virtanen",
                "1 number 4 3; 2 number 4 2",
                "1+2",
            ),
        ] {
            check(name, members, said, "", expected);
        }
    }

    #[test]
    fn names_suggest_and_join_nobody() {
        let two = "1 mail Minna Virtanen; 2 page Minna Virtanen";
        let three = "1 mail Minna Virtanen; 2 page Minna Virtanen; 3 wa Minna Virtanen";
        for (name, members, said, expected) in [
            ("a full name within days", two, "1 called 1 1; 2 called 1 9", "1?2"),
            ("a full name after long", two, "1 called 1 1; 2 called 1 40", ""),
            ("three of one name", three, "1 called 1 1; 2 called 1 2; 3 called 1 3", ""),
            ("the third was long ago", three, "1 called 1 1; 2 called 1 40; 3 called 1 45", "2?3"),
            ("half a name", "1 mail Minna; 2 page Minna", "1 called 1 1; 2 called 1 2", ""),
            ("of one firm", two, "1 called 1 1; 1 of 5 1; 2 called 1 90; 2 of 5 90", "1?2"),
            ("of two firms", two, "1 called 1 1; 1 of 5 1; 2 called 1 90; 2 of 6 90", ""),
            ("a firm alone", "1 mail Minna Virtanen; 2 page Pekka Laine", "1 of 5 1; 2 of 5 2", ""),
            (
                "at one firm's domain",
                "1 firm Minna Virtanen; 2 firm Minna Virtanen",
                "1 called 1 1; 2 called 1 90",
                "1?2",
            ),
            ("a role's mailbox", "1 role Minna Virtanen; 2 page Minna Virtanen", "1 called 1 1; 2 called 1 2", ""),
        ] {
            check(name, members, said, "", expected);
        }
    }

    #[test]
    fn words_come_before_evidence() {
        let two = "1 mail Minna Virtanen; 2 page Minna Virtanen";
        let both = "1 number 4 1; 2 number 4 2";
        for (name, members, said, words, expected) in [
            ("an agent keeps them apart", two, both, "1 apart 2", ""),
            ("said the other way round", two, both, "2 apart 1", ""),
            ("an agent joins", "1 mail Minna Virtanen; 2 page Pekka Laine", "", "1 same 2", "1+2"),
            ("the platform joins", "1 mail Minna Virtanen; 2 page Pekka Laine", "", "1 platform 2", "1+2"),
            ("but not what an agent keeps apart", two, "", "1 apart 2; 1 platform 2", ""),
            (
                "apart through a third",
                "1 page Minna Virtanen; 2 wa Minna Virtanen; 3 mail Minna Virtanen",
                "1 number 4 1; 3 number 4 3",
                "1 same 2; 2 apart 3",
                "1+2",
            ),
        ] {
            check(name, members, said, words, expected);
        }
    }

    #[test]
    fn limits_hold() {
        let people = |count: usize| -> String { (1..=count).map(|n| format!("{n} call Minna Rautiola;")).collect() };
        let all = |count: usize| -> String { (1..=count).map(|n| format!("{n} number 4 {n};")).collect() };
        check("as many as may hold one number", &people(6), &all(6), "", "1+2+3+4+5+6");
        let unnamed: String = (1..=7).map(|n| format!("{n} page;")).collect();
        let at_once: String = (1..=7).map(|n| format!("{n} number 4 1;")).collect();
        check("a mailing", &unnamed, &at_once, "", "");
        let many = "1 mail Minna Virtanen; 2 page Minna Virtanen; 3 page Aino Aro; 4 page Bo Berg; 5 page Carl Ceder; \
            6 page Daniel Dahl; 7 page Eero Eskola; 8 page Frans Forss; 9 page Gitta Grahn";
        check("many who name it later take nothing apart", many, &all(9), "", "1+2");
        // One after the other, each by a number of their own.
        let chain: String = (1..=13).map(|n| format!("{n} number {n} 1; {n} number {} 1;", n + 1)).collect();
        let ledger = Ledger {
            members: lines(&people(13)).map(member).collect(),
            stated: lines(&chain).enumerate().map(|(n, line)| stated(n, line)).collect(),
            ..Ledger::default()
        };
        let gathered = gather(&ledger, &[]);
        let largest = gathered.groups.iter().map(BTreeSet::len).max();
        assert_eq!(largest, Some(CONTACT_IDENTITIES_MAX), "{}", show(&gathered));
        assert_eq!((gathered.groups.len(), gathered.suggested.len()), (2, 1), "{}", show(&gathered));
    }
}
