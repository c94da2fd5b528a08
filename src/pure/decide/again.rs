//! What a customer said of late → whether he comes again and again about one thing.
//!
//! He *comes* when he opens a ticket, when he writes on one that was closed meanwhile, and when he writes although nobody has
//! answered what he said hours ago. Who answers an agent's question does not come again, and what he writes in one go is one.
//! Tickets are of one thing when what he said on them shares a topic, or most of its words that not everybody uses.
//!
//! **Invariant:** a function of its arguments, the same in whatever order things came.

use crate::pure::domain::Timestamp;
use crate::pure::domain::id::{MessageId, TicketId};
use crate::pure::domain::incident::{AgainRules, Usual};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Unanswered for so long, a further word is a further coming. A chat's or mail's afterthought comes sooner.
const UNANSWERED: Duration = Duration::from_secs(4 * 3600);

/// A word that as many of all contacts say tells nothing of the matter.
const SHARE_MAX: f64 = 0.05;

/// Words that two tickets must share, and the part of the fewer that these must be.
const SHARED_MIN: usize = 3;
const OVERLAP_MIN: f64 = 0.4;

/// Begins terms that tell a matter by themselves.
const TOPIC: &str = "topic:";

/// Something said on one of the customer's tickets.
#[derive(Debug, Clone)]
pub struct Word {
    /// The message.
    pub message: MessageId,
    /// Its ticket.
    pub ticket: TicketId,
    /// When.
    pub at: Timestamp,
    /// He said it; else the desk did, to him.
    pub is_customers: bool,
    /// What it speaks of.
    pub terms: BTreeSet<String>,
}

/// That he comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    /// The how many-th time.
    pub times: usize,
    /// When he first came.
    pub since: Timestamp,
    /// His other tickets on it.
    pub tickets: BTreeSet<TicketId>,
}

/// Whether with a message its customer comes again, as `rules` have it. `closings` are those of his tickets.
pub fn again(
    words: &[Word],
    closings: &[(TicketId, Timestamp)],
    of: MessageId,
    usual: &Usual,
    rules: AgainRules,
) -> Option<Again> {
    let this = words.iter().find(|word| word.message == of)?;
    let from = this.at.checked_sub(rules.within).unwrap_or(Timestamp::MIN);
    let mut near: Vec<&Word> = words.iter().filter(|word| word.at >= from && word.at <= this.at).collect();
    near.sort_by_key(|word| (word.at, word.message));
    let alike = alike(&near, this.ticket, usual);
    let mut comings: Vec<&Word> = Vec::new();
    let mut last: BTreeMap<TicketId, &Word> = BTreeMap::new();
    for word in near.into_iter().filter(|word| alike.contains(&word.ticket)) {
        let before = last.insert(word.ticket, word);
        if word.is_customers && comes(word, before, closings) {
            comings.push(word);
        }
    }
    let is_one = comings.last().is_some_and(|last| last.message == of);
    let since = comings.first()?.at;
    let tickets = comings.iter().map(|word| word.ticket).filter(|ticket| *ticket != this.ticket).collect();
    (is_one && comings.len() >= rules.times_min).then_some(Again { times: comings.len(), since, tickets })
}

/// Whether he comes with a word, after the one before it on its ticket.
fn comes(word: &Word, before: Option<&Word>, closings: &[(TicketId, Timestamp)]) -> bool {
    let Some(before) = before else { return true };
    let was_closed = closings.iter().any(|(ticket, at)| *ticket == word.ticket && *at > before.at && *at <= word.at);
    let waited = word.at.as_second() - before.at.as_second();
    was_closed || (before.is_customers && waited >= i64::try_from(UNANSWERED.as_secs()).unwrap_or(i64::MAX))
}

/// The ticket, and his others on the same thing.
fn alike(words: &[&Word], ticket: TicketId, usual: &Usual) -> BTreeSet<TicketId> {
    let mut terms: BTreeMap<TicketId, BTreeSet<&str>> = BTreeMap::new();
    for word in words.iter().filter(|word| word.is_customers) {
        let telling = word.terms.iter().map(String::as_str).filter(|term| usual.share(term) <= SHARE_MAX);
        terms.entry(word.ticket).or_default().extend(telling);
    }
    let own = terms.remove(&ticket).unwrap_or_default();
    let is_alike = |other: &BTreeSet<&str>| {
        let shared: BTreeSet<&&str> = own.intersection(other).collect();
        let enough =
            shared.len() >= SHARED_MIN && shared.len() as f64 >= OVERLAP_MIN * own.len().min(other.len()) as f64;
        enough || shared.iter().any(|term| term.starts_with(TOPIC))
    };
    terms.into_iter().filter(|(_, other)| is_alike(other)).map(|(id, _)| id).chain([ticket]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn who_comes_again() {
        // Hours, tickets, c(ustomer) or d(esk), words; the last is looked at.
        type Row =
            (&'static str, &'static [(i64, u128, char, &'static str)], &'static [(u128, i64)], Option<(usize, i64)>);
        let table: &[Row] = &[
            ("opens for the first time", &[(0, 1, 'c', "boiler leak cellar")], &[], None),
            (
                "asks thrice, unanswered",
                &[(0, 1, 'c', "boiler leak cellar"), (24, 1, 'c', "anybody"), (48, 1, 'c', "hello")],
                &[],
                Some((3, 0)),
            ),
            ("writes in one go", &[(0, 1, 'c', "boiler"), (1, 1, 'c', "leak"), (2, 1, 'c', "cellar")], &[], None),
            (
                "answers the desk",
                &[
                    (0, 1, 'c', "boiler"),
                    (5, 1, 'd', "where"),
                    (24, 1, 'c', "cellar"),
                    (30, 1, 'd', "when"),
                    (48, 1, 'c', "now"),
                ],
                &[],
                None,
            ),
            (
                "comes back after each closing",
                &[
                    (0, 1, 'c', "boiler"),
                    (5, 1, 'd', "done"),
                    (24, 1, 'c', "leak"),
                    (30, 1, 'd', "done"),
                    (48, 1, 'c', "again"),
                ],
                &[(1, 6), (1, 31)],
                Some((3, 0)),
            ),
            (
                "a ticket each, of one thing",
                &[
                    (0, 1, 'c', "boiler leak cellar"),
                    (24, 2, 'c', "boiler leak cellar still"),
                    (48, 3, 'c', "cellar boiler leak water"),
                ],
                &[],
                Some((3, 0)),
            ),
            (
                "a ticket each, of other things",
                &[
                    (0, 1, 'c', "boiler leak cellar"),
                    (24, 2, 'c', "invoice number wrong"),
                    (48, 3, 'c', "parking space gate"),
                ],
                &[],
                None,
            ),
            (
                "of one topic",
                &[(0, 1, 'c', "topic:x1 noise"), (24, 2, 'c', "topic:x1 smell"), (48, 3, 'c', "topic:x1 light")],
                &[],
                Some((3, 0)),
            ),
            (
                "too long ago",
                &[(-400, 1, 'c', "boiler leak cellar"), (24, 1, 'c', "boiler"), (48, 1, 'c', "leak")],
                &[],
                None,
            ),
            (
                "the last is an afterthought",
                &[(0, 1, 'c', "boiler"), (24, 1, 'c', "anybody"), (48, 1, 'c', "hello"), (49, 1, 'c', "please")],
                &[],
                None,
            ),
        ];
        let rules = AgainRules { times_min: 3, within: Duration::from_secs(14 * 24 * 3600) };
        let usual = Usual { contacts: 1000.0, ..Usual::default() };
        let hour = |hour: i64| Timestamp::from_second(1_772_500_000 + hour * 3600).expect("a time");
        for (name, said, closed, expected) in table {
            let word = |(n, (at, ticket, who, terms)): (usize, &(i64, u128, char, &str))| Word {
                message: MessageId(Uuid::from_u128(n as u128)),
                ticket: TicketId(Uuid::from_u128(*ticket)),
                at: hour(*at),
                is_customers: *who == 'c',
                terms: terms.split(' ').map(str::to_owned).collect(),
            };
            let mut words: Vec<Word> = said.iter().enumerate().map(word).collect();
            let of = words.last().expect("one").message;
            let closings: Vec<_> =
                closed.iter().map(|(ticket, at)| (TicketId(Uuid::from_u128(*ticket)), hour(*at))).collect();
            for _ in 0..2 {
                let found = again(&words, &closings, of, &usual, rules).map(|again| (again.times, again.since));
                assert_eq!(found, expected.map(|(times, since)| (times, hour(since))), "{name}");
                words.reverse();
            }
        }
    }
}
