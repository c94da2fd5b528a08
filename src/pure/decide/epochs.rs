//! Whose an address was, one after the other: its uses → its epochs.
//!
//! A number is given up and passed on, a browser is used by two people in turn, and a platform says that somebody is
//! reached elsewhere. Each owner has an epoch of the address, an identity of his own.
//!
//! **Invariants:** it is a function of the set of uses in their trusted time, not of the order in which they came.
//! What the desk itself says to an address passes it to nobody.

use super::evidence::{Names, PASSED_ON_AFTER_S, compare_names, is_account, is_passed_around};
use crate::pure::domain::Timestamp;
use crate::pure::domain::contact::take_names;
use crate::pure::domain::facts::LookupKey;
use crate::pure::domain::id::MessageId;
use crate::pure::domain::identity::{Assurance, Identity, TEL};
use crate::pure::domain::name::given::is_given;
use crate::pure::domain::name::{PersonName, fold};
use crate::pure::domain::rule::{Rule, Rules};
use std::collections::{BTreeMap, BTreeSet};

/// A number that somebody else's account is of from then on has been passed on after so much less. Seconds.
const ACCOUNT_AFTER_S: i64 = 21 * 86_400;

/// An address was used in a message.
#[derive(Debug, Clone)]
pub struct Use {
    /// Which.
    pub message: MessageId,
    /// Its trusted time.
    pub at: Timestamp,
    /// What the delivery vouched for.
    pub assurance: Assurance,
    /// Names that it gives.
    pub names: Vec<PersonName>,
    /// Those of them that its writer gives in his own words.
    pub stated: Vec<PersonName>,
    /// What it is.
    pub kind: UseKind,
    /// The vendor's conversation that it is of.
    pub talk: Option<LookupKey>,
}

/// What a use is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UseKind {
    /// Somebody wrote or called from it.
    Said,
    /// Somebody else who is vouched for gave it as his, in a mail.
    Claimed,
    /// The desk wrote to it, or called it.
    Addressed,
    /// The desk did something about a message, of whoever said that.
    About(MessageId),
    /// The platform said that its owner left it.
    Left,
    /// The platform said that somebody is reached there from then on.
    Entered,
}

/// The time in which an address was one owner's.
#[derive(Debug, Clone, Default)]
pub struct Epoch {
    /// Messages.
    pub uses: BTreeSet<MessageId>,
    /// Names its owner goes by, the first ones.
    pub names: Vec<PersonName>,
    /// The best assurance.
    pub assurance: Option<Assurance>,
    /// When it was first used.
    pub first_at: Timestamp,
    /// When it was last used.
    pub last_at: Timestamp,
    /// Until when, if it ended.
    pub until: Option<Timestamp>,
    /// Names of those who gave it as theirs, and when last. They say whose it was, and name nobody who used it.
    claimed_by: Vec<PersonName>,
    claimed_at: Option<Timestamp>,
    /// Names of others who gave it as theirs since it was used.
    rivals: Vec<PersonName>,
    /// Nobody had it before.
    is_first: bool,
    /// Conversations that it was used in.
    talks: BTreeSet<LookupKey>,
}

/// Whether somebody who uses an address is another than who had it: he goes by another name, and the browser is
/// anybody's, or the number has been quiet for long; less long where it only ever called, in a whole name, and an
/// account of another whole name is of it now.
pub fn is_passed_on(
    (identity, assurance): (&Identity, Assurance),
    (known_as, last_at): (&[PersonName], Timestamp),
    (names, at, now): (&[&PersonName], Timestamp, Assurance),
    rules: Rules,
) -> bool {
    let quiet_s = at.as_second() - last_at.as_second();
    let are_whole = || known_as.iter().any(PersonName::is_full) && names.iter().any(|name| name.is_full());
    let is_new_account = assurance < Assurance::Verified && now == Assurance::Verified && are_whole();
    let after_s = if is_new_account { ACCOUNT_AFTER_S } else { PASSED_ON_AFTER_S };
    let may_be = match identity.scheme.as_str() {
        TEL => quiet_s >= after_s && rules.heed(Rule::NumberPassedOn),
        _ => is_passed_around(identity, assurance) && quiet_s >= 0 && rules.heed(Rule::BrowserPassedOn),
    };
    may_be && compare_names(names, known_as.iter()) == Names::Conflict
}

/// Whether somebody else has a platform's account now: he gives a whole name that none of its owner's is like, or he
/// goes by the name of somebody who has given the number as his since.
pub fn is_handed_on(
    identity: &Identity,
    (known_as, rivals): (&[&PersonName], &[&PersonName]),
    (names, stated, now): (&[&PersonName], &[&PersonName], Assurance),
    rules: Rules,
) -> bool {
    if !is_account(identity, now) || !rules.heed(Rule::AccountHandedOn) {
        return false;
    }
    let is_conflict = |names: &[&PersonName]| compare_names(names, known_as.iter().copied()) == Names::Conflict;
    let whole: Vec<&PersonName> = stated.iter().copied().filter(|name| name.is_full()).collect();
    let is_known = |known: &PersonName| {
        let given = known.written().split(char::is_whitespace).next().unwrap_or_default();
        known.is_full() || is_given(&fold(given))
    };
    let is_anothers = known_as.iter().any(|known| is_known(known))
        && is_conflict(&whole)
        && !known_as.iter().any(|known| whole.iter().any(|name| name.begins_like(known)));
    let is_rivals = is_conflict(names) && matches!(compare_names(names, rivals.iter().copied()), Names::Agree { .. });
    is_anothers || is_rivals
}

/// Whether somebody without a name is neither of the two or more who used a browser before him: he begins another
/// conversation, and the next to sit down at a tablet says nothing of it.
pub fn is_unnamed_next(
    (identity, assurance): (&Identity, Assurance),
    owners: usize,
    (names, is_same_talk): (&[&PersonName], bool),
    rules: Rules,
) -> bool {
    rules.heed(Rule::BrowserUnnamed)
        && owners > 1
        && names.is_empty()
        && !is_same_talk
        && is_passed_around(identity, assurance)
}

/// Whether a number that only ever called is another's from then on: it has been quiet for long, and somebody of
/// another name gives it as his.
pub fn is_passed_on_by_claim<'a>(
    (identity, assurance): (&Identity, Assurance),
    (known_as, last_at): (impl Iterator<Item = &'a PersonName>, Timestamp),
    (names, at): (&[&PersonName], Timestamp),
    rules: Rules,
) -> bool {
    rules.heed(Rule::NumberPassedOn)
        && identity.scheme == TEL
        && assurance <= Assurance::Plausible
        && at.as_second() - last_at.as_second() >= PASSED_ON_AFTER_S
        && compare_names(names, known_as) == Names::Conflict
}

/// Whether addresses of a kind can have more than one epoch.
pub fn can_be_passed_on(identity: &Identity, assurance: Assurance) -> bool {
    identity.scheme == TEL || is_account(identity, assurance) || is_passed_around(identity, assurance)
}

/// The epochs of an address, the first one first: none is without a use, for what is only claimed nobody has.
pub fn epochs(identity: &Identity, uses: &[Use], rules: Rules) -> Vec<Epoch> {
    let mut sorted: Vec<&Use> = uses.iter().filter(|used| !matches!(used.kind, UseKind::About(_))).collect();
    // Who leaves at an instant had it until then, and who is reached there has it from then on.
    let rank = |kind| match kind {
        UseKind::Left => 0,
        UseKind::Entered => 1,
        UseKind::Said | UseKind::Claimed | UseKind::Addressed | UseKind::About(_) => 2,
    };
    sorted.sort_by_key(|used| (used.at, rank(used.kind), used.message));
    let mut about: BTreeMap<MessageId, Vec<&Use>> = BTreeMap::new();
    for used in uses {
        if let UseKind::About(message) = used.kind {
            about.entry(message).or_default().push(used);
        }
    }
    let mut epochs: Vec<Epoch> = Vec::new();
    for used in sorted {
        let owners = epochs.len();
        let current = epochs.last_mut().filter(|epoch| epoch.until.is_none());
        let goes_on = match (current, used.kind) {
            (None, _) => None,
            // It was somebody else's if he used it before.
            (Some(epoch), UseKind::Entered) if used.at.duration_since(epoch.first_at) > super::moves::AHEAD_MAX => {
                epoch.until = Some(used.at);
                None
            }
            (Some(epoch), UseKind::Said) => {
                // What an agent noted of him is his name, too.
                let noted = about.get(&used.message).into_iter().flatten().flat_map(|act| &act.names);
                let names: Vec<&PersonName> = used.names.iter().chain(noted).collect();
                let is_anothers = epoch.ends_with(identity, (used, &names), owners, rules);
                if is_anothers {
                    epoch.until = Some(used.at);
                }
                (!is_anothers).then_some(epoch)
            }
            (Some(epoch), UseKind::Claimed) => {
                let names: Vec<&PersonName> = used.names.iter().collect();
                let assurance = epoch.assurance.unwrap_or(Assurance::Asserted);
                let known_as = epoch.names.iter().chain(&epoch.claimed_by);
                let known = (known_as, epoch.claimed_at.map_or(epoch.last_at, |at| at.max(epoch.last_at)));
                let is_anothers = is_passed_on_by_claim((identity, assurance), known, (&names, used.at), rules);
                if is_anothers {
                    epoch.until = Some(used.at);
                }
                (!is_anothers).then_some(epoch)
            }
            (Some(epoch), _) => Some(epoch),
        };
        let epoch = match goes_on {
            Some(epoch) => epoch,
            None => {
                let is_first = epochs.is_empty();
                epochs.push(Epoch { is_first, first_at: used.at, last_at: used.at, ..Epoch::default() });
                let Some(epoch) = epochs.last_mut() else { continue };
                epoch
            }
        };
        epoch.take(used);
        for act in about.remove(&used.message).into_iter().flatten() {
            epoch.take(act);
        }
        if used.kind == UseKind::Left {
            epoch.until = Some(used.at);
        }
    }
    in_use(epochs)
}

/// Those in which somebody used it: until the next one does, it stays whose it was.
fn in_use(mut epochs: Vec<Epoch>) -> Vec<Epoch> {
    while epochs.last().is_some_and(|epoch| epoch.uses.is_empty()) {
        let claimed = epochs.pop();
        if let Some(last) = epochs.last_mut().filter(|last| last.until == claimed.as_ref().map(|epoch| epoch.first_at))
        {
            last.until = None;
        }
    }
    epochs.retain(|epoch| !epoch.uses.is_empty());
    epochs
}

impl Epoch {
    /// Whether somebody who uses the address, by the names that are given of him, is another than had it.
    fn ends_with(
        &self,
        identity: &Identity,
        (used, names): (&Use, &[&PersonName]),
        owners: usize,
        rules: Rules,
    ) -> bool {
        let address = (identity, self.assurance.unwrap_or(Assurance::Asserted));
        let stated: Vec<&PersonName> = used.stated.iter().collect();
        let known_as: Vec<&PersonName> = self.names.iter().chain(&self.claimed_by).collect();
        let rivals: Vec<&PersonName> = self.rivals.iter().collect();
        let is_same_talk = used.talk.is_none_or(|talk| self.talks.contains(&talk));
        let had = (self.names.as_slice(), self.last_at);
        let is_used = !self.uses.is_empty();
        (is_used && is_handed_on(identity, (&known_as, &rivals), (names, &stated, used.assurance), rules))
            || is_passed_on(address, had, (names, used.at, used.assurance), rules)
            || is_unnamed_next(address, owners, (names, is_same_talk), rules)
    }

    fn take(&mut self, used: &Use) {
        if used.kind == UseKind::Claimed {
            let (known_as, names): (_, Vec<&PersonName>) =
                (self.names.iter().chain(&self.claimed_by), used.names.iter().collect());
            if compare_names(&names, known_as) != Names::Conflict {
                self.claimed_by.extend(used.names.iter().cloned());
                self.claimed_at = self.claimed_at.max(Some(used.at));
            } else {
                self.rivals.extend(used.names.iter().cloned());
            }
            return;
        }
        if self.uses.is_empty() {
            (self.first_at, self.last_at) = (used.at, used.at);
        }
        // What nobody vouches for names nobody who is known.
        let adds =
            self.uses.is_empty() || used.assurance > Assurance::Asserted || matches!(used.kind, UseKind::About(_));
        self.uses.insert(used.message);
        self.talks.extend(used.talk);
        if !matches!(used.kind, UseKind::About(_)) {
            self.last_at = self.last_at.max(used.at);
        }
        if used.kind == UseKind::Said {
            self.rivals.clear();
        }
        if adds {
            self.assurance = self.assurance.max(Some(used.assurance));
            take_names(&mut self.names, self.is_first, &used.names, &used.stated);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn day(n: i64) -> Timestamp {
        Timestamp::from_second(1_767_225_600 + n * 86_400).unwrap()
    }

    /// `3 said 40 Minna Virtanen`: the message's number, what it is, on which day, by whom. `5 about 3 41 Minna` is an
    /// agent's note about the third; `wrote` is said in a platform's account, by the name that the text gives or, behind a
    /// slash, the profile.
    fn used(text: &str) -> Use {
        let words: Vec<&str> = text.split_whitespace().collect();
        let id = |word: &str| MessageId(Uuid::from_u128(word.parse().unwrap()));
        let (kind, rest) = match words[1] {
            "said" | "wrote" => (UseKind::Said, &words[2..]),
            "told" => (UseKind::Addressed, &words[2..]),
            "claimed" => (UseKind::Claimed, &words[2..]),
            "left" => (UseKind::Left, &words[2..]),
            "entered" => (UseKind::Entered, &words[2..]),
            _ => (UseKind::About(id(words[2])), &words[3..]),
        };
        let names = rest[1..].join(" ");
        let (stated, profile) = names.split_once('/').unwrap_or((&names, ""));
        let (stated, profile) = (PersonName::parse(stated), PersonName::parse(profile));
        Use {
            message: id(words[0]),
            at: day(rest[0].parse().unwrap()),
            assurance: if words[1] == "wrote" { Assurance::Verified } else { Assurance::Plausible },
            names: stated.iter().cloned().chain(profile).collect(),
            stated: stated.into_iter().collect(),
            kind,
            talk: None,
        }
    }

    #[test]
    fn an_address_has_owners() {
        for (name, scheme, uses, expected) in [
            ("one", TEL, "1 said 1 Minna Virtanen; 2 said 90 Minna Virtanen", "1 2"),
            ("passed on", TEL, "1 said 1 Minna Virtanen; 2 said 60 Pekka Laine; 3 said 61 Pekka Laine", "1 | 2 3"),
            ("not quiet for long", TEL, "1 said 1 Minna Virtanen; 2 said 30 Pekka Laine", "1 2"),
            ("somebody called between", TEL, "1 said 1 Minna Virtanen; 2 said 30; 3 said 60 Pekka Laine", "1 2 3"),
            ("no name", TEL, "1 said 1 Minna Virtanen; 2 said 90", "1 2"),
            ("the desk wrote", TEL, "1 said 1 Minna Virtanen; 2 told 90; 3 said 91 Pekka Laine", "1 2 3"),
            (
                "given by another as his",
                TEL,
                "9 claimed 1 Minna Virtanen; 1 said 2; 8 claimed 60 Pekka Laine; 2 said 61",
                "1 | 2",
            ),
            (
                "given by another soon",
                TEL,
                "9 claimed 1 Minna Virtanen; 1 said 2; 8 claimed 30 Pekka Laine; 2 said 61",
                "1 2",
            ),
            (
                "given by her again between",
                TEL,
                "9 claimed 1 Minna Virtanen; 1 said 2; 7 claimed 40 Minna Virtanen; 8 claimed 60 Pekka Laine; 2 said 61",
                "1 2",
            ),
            ("given by another, and not used since", TEL, "1 said 1 Minna Virtanen; 8 claimed 60 Pekka Laine", "1"),
            (
                "given by another, and used before that",
                TEL,
                "9 claimed 1 Minna Virtanen; 1 said 2; 8 claimed 60 Pekka Laine; 2 said 59",
                "1 2",
            ),
            (
                "given by two in turn, and never used before",
                TEL,
                "9 claimed 1 Minna Virtanen; 8 claimed 60 Pekka Laine; 2 said 61",
                "2",
            ),
            ("left, and given by another", TEL, "1 said 1; 2 left 5; 8 claimed 60 Pekka Laine", "1 2"),
            ("left", TEL, "1 said 1; 2 left 5; 3 said 6", "1 2 | 3"),
            ("left before anybody wrote", TEL, "2 left 5; 3 said 6", "2 | 3"),
            ("written before it was left", TEL, "3 said 4; 2 left 5", "2 3"),
            ("entered", TEL, "1 entered 5; 2 said 6", "1 2"),
            ("entered, and somebody else had it", TEL, "3 said 1; 1 entered 5; 2 said 6", "3 | 1 2"),
            ("he wrote from it just before", "x", "3 said 5; 1 entered 5; 2 said 6", "1 2 3"),
            (
                "a browser in turn",
                "webchat",
                "1 said 1 Minna Virtanen; 2 said 2 Pekka Laine; 3 said 3 Minna Virtanen",
                "1 | 2 | 3",
            ),
            (
                "a note goes where its message is",
                TEL,
                "1 said 1 Minna Virtanen; 2 said 60 Pekka Laine; 3 about 1 70 Minna Virtanen",
                "1 3 | 2",
            ),
            (
                "called by another, as noted",
                TEL,
                "1 said 1 Minna Virtanen; 2 said 60; 3 about 2 60 Pekka Laine",
                "1 | 2 3",
            ),
            ("handed to a colleague", TEL, "1 said 1 Minna Virtanen; 2 wrote 9 Pekka Laine; 3 wrote 10", "1 | 2 3"),
            (
                "given by a colleague as his, and his from then on",
                TEL,
                "1 wrote 1 Minna Virtanen; 8 claimed 5 Pekka Laine; 2 wrote 9 /Pekka L",
                "1 | 2",
            ),
            ("another profile", TEL, "1 wrote 1 Minna Virtanen; 2 wrote 9 /Pekka L", "1 2"),
            (
                "her husband with her phone",
                TEL,
                "1 wrote 1 Minna Laine/Minna L; 2 wrote 9 Pekka Laine/Minna L",
                "1 | 2",
            ),
            (
                "her husband, and she again",
                "psid",
                "1 wrote 1 Minna Laine; 2 wrote 2 Pekka Laine; 3 wrote 3 Minna Laine",
                "1 | 2 | 3",
            ),
            ("half a name", TEL, "1 wrote 1 Minna Laine; 2 wrote 2 Pekka", "1 2"),
            ("known by half a name", TEL, "1 wrote 1 Minna; 2 wrote 2 Pekka Laine", "1 | 2"),
            ("known by an initial", TEL, "1 wrote 1 /Minna L; 2 wrote 2 Pekka Laine/Minna L", "1 | 2"),
            ("known by what is no name", TEL, "1 wrote 1 /Mimmu; 2 wrote 2 Pekka Laine", "1 2"),
            ("a wedding", TEL, "1 wrote 1 Minna Laine; 2 wrote 2 Minna Virtanen", "1 2"),
            ("a caller", TEL, "1 said 1 Minna Laine; 2 said 2 Pekka Laine", "1 2"),
            ("a mailbox", "mailto", "1 said 1 Minna Virtanen; 2 said 90 Pekka Laine", "1 2"),
        ] {
            let mut uses: Vec<Use> = uses.split(';').map(used).collect();
            let identity = Identity { scheme: scheme.to_owned(), scope: String::new(), value: "a".to_owned() };
            for _ in 0..uses.len() {
                let show = |epoch: &Epoch| {
                    epoch.uses.iter().map(|id| id.0.as_u128().to_string()).collect::<Vec<_>>().join(" ")
                };
                let shown: Vec<String> = epochs(&identity, &uses, Rules::default()).iter().map(show).collect();
                assert_eq!(shown.join(" | "), expected, "{name}");
                uses.rotate_left(1);
            }
        }
    }
}
