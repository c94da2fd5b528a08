//! Tickets of a period → what several of them are about: things to mend rather than to answer.
//!
//! A ticket is about the words of its title, the groups of `[incidents.words]` ("the till", "the network") and the topics of
//! `[matters]`. The thing that most tickets share is a subject; what most of these share too names it more closely; then the
//! same of the tickets that are left. Titles rather than texts, for every text says please and thank you.
//!
//! **Invariant:** a function of its arguments, whatever order the tickets come in but for which numbers are named.

use super::outage::{Spoken, TROUBLE, is_group, spoken, stems};
use super::phrases::GREETINGS;
use crate::pure::domain::incident::IncidentWords;
use crate::pure::domain::phrases::flatten;
use crate::pure::domain::report::Subject;
use crate::pure::domain::ticket::MatterKind;
use crate::pure::wire::subject;
use std::collections::{BTreeMap, BTreeSet};

/// Tickets that make a subject.
const TICKETS_MIN: usize = 3;

/// Subjects told, words of one, and tickets named of one.
const SUBJECTS_MAX: usize = 10;
const WORDS_MAX: usize = 4;
const NUMBERS_MAX: usize = 10;

/// A word that more of all tickets share is no subject; of fewer tickets than these it cannot be told.
const SHARE_MAX: f64 = 0.5;
const SHARED_TICKETS_MIN: usize = 20;

/// How much of a subject's tickets must share a word that names it too.
const NAMES_TOO: f64 = 0.6;

/// Bytes of a title that are read.
const TITLE_BYTES_MAX: usize = 300;

/// One ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Its number.
    pub number: i64,
    /// Its customer: an organisation, or else a contact.
    pub customer: String,
    /// What it is called.
    pub title: String,
    /// What it began with.
    pub text: String,
    /// What it is.
    pub kinds: Vec<MatterKind>,
    /// Topics that it names.
    pub topics: Vec<String>,
}

/// What is shared: a beginning of words, or what stands for several.
type Term = String;

/// What several tickets are about; the latest tickets come first.
pub fn recurring(tickets: &[Ticket], words: &IncidentWords) -> Vec<Subject> {
    let mut shown: BTreeMap<Term, BTreeMap<String, usize>> = BTreeMap::new();
    let mut terms: Vec<BTreeSet<Term>> = tickets.iter().map(|ticket| terms(ticket, words, &mut shown)).collect();
    let mut subjects = Vec::new();
    let too_many = |n: usize| tickets.len() >= SHARED_TICKETS_MIN && n as f64 > SHARE_MAX * tickets.len() as f64;
    while subjects.len() < SUBJECTS_MAX {
        let mut counts: BTreeMap<&Term, usize> = BTreeMap::new();
        terms.iter().flatten().for_each(|term| *counts.entry(term).or_default() += 1);
        let fit = counts.iter().filter(|(_, n)| **n >= TICKETS_MIN && !too_many(**n));
        // Of several as frequent the one that says most: what stands for several words, then the longest.
        let Some(term) =
            fit.max_by_key(|(term, n)| (**n, worth(term), std::cmp::Reverse(**term))).map(|(t, _)| (*t).clone())
        else {
            return subjects;
        };
        let on_it: Vec<usize> = (0..terms.len()).filter(|at| terms[*at].contains(&term)).collect();
        subjects.push(Subject {
            words: named(&term, &on_it, &terms, &shown),
            tickets: on_it.len(),
            customers: on_it.iter().map(|at| &tickets[*at].customer).collect::<BTreeSet<_>>().len(),
            numbers: on_it.iter().take(NUMBERS_MAX).map(|at| tickets[*at].number).collect(),
        });
        on_it.into_iter().for_each(|at| terms[at].clear());
    }
    subjects
}

/// What a ticket is about. The words as they were written are counted, to show one of them.
fn terms(
    ticket: &Ticket,
    words: &IncidentWords,
    shown: &mut BTreeMap<Term, BTreeMap<String, usize>>,
) -> BTreeSet<Term> {
    let title = subject::read(&ticket.title).base;
    let flat = flatten(title, TITLE_BYTES_MAX.min(title.len()));
    let Spoken { terms, .. } = spoken(Some(title), &ticket.text, &ticket.kinds, &ticket.topics, words);
    // Of the groups and topics the whole text tells; that something does not work is told beside them by the kind.
    let mut about: BTreeSet<Term> =
        terms.into_iter().filter(|term| is_group(term) && !term.starts_with(TROUBLE)).collect();
    for (word, stem) in stems(&flat).filter(|(word, _)| !GREETINGS.is(word)) {
        *shown.entry(stem.clone()).or_default().entry(word.to_owned()).or_default() += 1;
        about.insert(stem);
    }
    about
}

fn worth(term: &str) -> (bool, usize) {
    (is_group(term), term.chars().count())
}

/// The words for a subject: its own, and what most of its tickets share.
fn named(
    term: &Term,
    on_it: &[usize],
    terms: &[BTreeSet<Term>],
    shown: &BTreeMap<Term, BTreeMap<String, usize>>,
) -> Vec<String> {
    let mut counts: BTreeMap<&Term, usize> = BTreeMap::new();
    on_it.iter().flat_map(|at| &terms[*at]).for_each(|term| *counts.entry(term).or_default() += 1);
    let enough = |n: usize| n as f64 >= NAMES_TOO * on_it.len() as f64;
    let mut beside: Vec<(&Term, usize)> = counts.into_iter().filter(|(of, n)| *of != term && enough(*n)).collect();
    beside.sort_by_key(|(of, n)| (std::cmp::Reverse(*n), std::cmp::Reverse(worth(of)), *of));
    let all = std::iter::once(term).chain(beside.into_iter().map(|(of, _)| of));
    let mut words: Vec<String> = Vec::new();
    for word in all.map(|term| word(term, shown)) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.truncate(WORDS_MAX);
    words
}

/// A term as people know it: the word that was written most often, or the name in the configuration.
fn word(term: &Term, shown: &BTreeMap<Term, BTreeMap<String, usize>>) -> String {
    let written =
        shown.get(term).and_then(|words| words.iter().max_by_key(|(word, n)| (**n, std::cmp::Reverse(*word))));
    match (written, term.split_once(':')) {
        (Some((word, _)), _) => word.clone(),
        (None, Some((_, name))) => name.to_owned(),
        (None, None) => term.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::phrases::Phrases;

    fn ticket(number: i64, customer: &str, title: &str, text: &str) -> Ticket {
        let (title, text) = (title.to_owned(), text.to_owned());
        Ticket { number, customer: customer.to_owned(), title, text, kinds: Vec::new(), topics: Vec::new() }
    }

    fn words() -> IncidentWords {
        let till = Phrases::of(["kassa*", "till"]);
        IncidentWords { groups: vec![("till".to_owned(), till)], trouble: Phrases::of(["ei toimi"]) }
    }

    fn told(tickets: &[Ticket]) -> Vec<String> {
        let told = |subject: Subject| {
            format!("{} {}/{} {:?}", subject.words.join("+"), subject.tickets, subject.customers, subject.numbers)
        };
        recurring(tickets, &words()).into_iter().map(told).collect()
    }

    #[test]
    fn what_several_tickets_share_is_a_subject() {
        let tickets = [
            ticket(9, "a", "Kuittitulostin jumissa", "Hei, kuitti ei tule. Kiitos etukäteen!"),
            ticket(8, "b", "Re: kuittitulostimen paperi", "Moi, paperi loppui. Kiitos etukäteen!"),
            ticket(7, "a", "VS: Kuittitulostin", "Taas jumissa. Kiitos etukäteen!"),
            ticket(6, "c", "Kysymys", "The till does not open. Kiitos etukäteen!"),
            ticket(5, "d", "Avaus", "Kassa ei aukea."),
            ticket(4, "d", "Maanantai", "Kassalla vanha hinta."),
            ticket(3, "e", "Lasku", "Lasku puuttuu."),
            ticket(2, "f", "Laskusta", "Laskusta puuttuu viite."),
        ];
        let expected = ["till 3/2 [6, 5, 4]", "kuittitulostin 3/2 [9, 8, 7]"];
        assert_eq!(told(&tickets), expected);
        let reversed: Vec<Ticket> = tickets.iter().rev().cloned().collect();
        assert_eq!(told(&reversed).len(), 2);
        assert_eq!(told(&tickets[..2]), [""; 0]);
        assert_eq!(told(&[]), [""; 0]);
    }

    #[test]
    fn what_most_tickets_share_is_none() {
        let titled =
            |n: i64| ticket(n, &n.to_string(), if n < 5 { "Yhteydenotto: hinnasto" } else { "Yhteydenotto" }, "");
        let tickets: Vec<Ticket> = (1..=30).rev().map(titled).collect();
        assert_eq!(told(&tickets), ["hinnasto+yhteydenotto 4/4 [4, 3, 2, 1]"]);
    }
}
