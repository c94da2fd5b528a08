//! A decision in one sentence: which facts from which messages joined it, what spoke against that, and what else
//! was considered.
//!
//! **Invariant:** it says nothing that the reasons do not say. Where a fact came from is told by the kind of message
//! and its time, never by its words.

use super::{Language, Say, en, fi, sv};
use crate::pure::domain::Timestamp;
use crate::pure::domain::decision::Reason;
use crate::pure::domain::id::MessageId;
use jiff::Zoned;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// What kind of message something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// An e-mail.
    Mail,
    /// A telephone call.
    Call,
    /// A note of an agent's.
    Note,
    /// What is written on a platform or in a chat.
    Chat,
}

/// A message that a fact came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What it is.
    pub medium: Medium,
    /// The configured channel.
    pub channel: String,
    /// The desk said it.
    pub is_desks: bool,
    /// Event time.
    pub at: Timestamp,
}

/// What was considered, and not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Considered {
    /// The short number of another ticket; `None` for another contact.
    pub ticket: Option<i64>,
    /// What pointed there.
    pub says: Say,
    /// A message of that side.
    pub by_message: MessageId,
}

/// A decision, as far as it is told of.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// When it was taken: times of the same year are told without it.
    pub at: Timestamp,
    /// Somebody or something known was found, so that it could have been wrong.
    pub is_join: bool,
    /// It was taken again, with what came after the message.
    pub is_anew: bool,
    /// Why.
    pub reasons: &'a [Reason],
    /// What else pointed somewhere.
    pub considered: &'a [Considered],
}

impl Account<'_> {
    /// It joined something on evidence, all of which is known.
    fn is_weighed(&self) -> bool {
        let is_known = |reason: &Reason| !matches!(reason.says, Say::Plain { .. });
        let mut reasons = self.reasons.iter();
        self.is_join && reasons.clone().all(is_known) && reasons.any(|reason| reason.says.joins())
    }
}

/// On which side of a decision something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    For,
    Against,
    /// It is told with the steps only.
    Beside,
}

/// What a source is to the sentence that it is told with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A fact is from it.
    Origin,
    /// The sentence is about it.
    Object,
}

/// Words between the parts, of one language.
pub(super) struct Joints {
    /// Before what spoke against it.
    pub(super) against: &'static str,
    /// That nothing did.
    pub(super) nothing: &'static str,
    /// Before what else was considered.
    pub(super) considered: &'static str,
    /// Before a decision that was taken again.
    pub(super) anew: &'static str,
    /// Another contact.
    pub(super) contact: &'static str,
    /// Before the number of another ticket.
    pub(super) ticket: &'static str,
}

/// The decision in one sentence, on the clock of whoever reads it; `None` where no reason was given.
pub fn sentence(
    account: &Account<'_>,
    sources: &BTreeMap<MessageId, Source>,
    language: Language,
    zone: &TimeZone,
) -> Option<String> {
    let telling = Telling { account, sources, language, zone };
    let joints = match language {
        Language::Finnish => &fi::JOINTS,
        Language::Swedish => &sv::JOINTS,
        Language::English => &en::JOINTS,
    };
    let mut parts = telling.side(Side::For);
    let against = telling.side(Side::Against);
    match against.is_empty() {
        false if parts.is_empty() => parts.extend(against),
        false => parts.push(format!("{} {}", joints.against, against.join(", "))),
        true if account.is_weighed() => parts.push(joints.nothing.to_owned()),
        true => {}
    }
    let considered: Vec<String> = account.considered.iter().map(|other| telling.considered(other, joints)).collect();
    if !considered.is_empty() {
        parts.push(format!("{} {}", joints.considered, considered.join(", ")));
    }
    let told = parts.join("; ");
    (!told.is_empty()).then(|| match account.is_anew {
        true => format!("{} {told}.", joints.anew),
        false => format!("{}.", capitalised(&told)),
    })
}

struct Telling<'a> {
    account: &'a Account<'a>,
    sources: &'a BTreeMap<MessageId, Source>,
    language: Language,
    zone: &'a TimeZone,
}

impl Telling<'_> {
    /// The clauses of one side, each once, with the messages that they rest on.
    fn side(&self, side: Side) -> Vec<String> {
        let mut clauses: Vec<String> = Vec::new();
        for reason in self.account.reasons.iter().filter(|reason| reason.says.side() == side) {
            let from: Vec<String> = reason.from.iter().filter_map(|id| self.source(*id, reason.says.role())).collect();
            let from = if from.is_empty() { String::new() } else { format!(" ({})", from.join(", ")) };
            let clause = format!("{}{from}", clause(&reason.says.in_language(self.language)));
            if !clauses.contains(&clause) {
                clauses.push(clause);
            }
        }
        clauses
    }

    fn considered(&self, other: &Considered, joints: &Joints) -> String {
        let what = match other.ticket {
            Some(number) => format!("{}{number}", joints.ticket),
            None => joints.contact.to_owned(),
        };
        let why = clause(&other.says.in_language(self.language));
        let from = self.source(other.by_message, other.says.role());
        let from = from.map(|from| format!(", {from}")).unwrap_or_default();
        format!("{what} ({why}{from})")
    }

    /// `None` for a message that is not kept any more.
    fn source(&self, id: MessageId, role: Role) -> Option<String> {
        let source = self.sources.get(&id)?;
        // A call holds no words that a fact could be from.
        let role = if source.medium == Medium::Call { Role::Object } else { role };
        let at = source.at.to_zoned(self.zone.clone());
        let same_year = at.year() == self.account.at.to_zoned(self.zone.clone()).year();
        Some(match self.language {
            Language::Finnish => fi::source(source, role, &moment(&at, same_year, fi::MOMENT)),
            Language::Swedish => sv::source(source, role, &moment(&at, same_year, sv::MOMENT)),
            Language::English => en::source(source, role, &moment(&at, same_year, en::MOMENT)),
        })
    }
}

/// How a language writes a moment: names of the months, if they are written; and forms for `strftime` with the year
/// and without. `%B` is the month.
pub(super) type Moment = (&'static [&'static str], &'static str, &'static str);

fn moment(at: &Zoned, same_year: bool, (months, with_year, without): Moment) -> String {
    let form = if same_year { without } else { with_year };
    let month = usize::try_from(at.month() - 1).ok().and_then(|month| months.get(month));
    at.strftime(&form.replace("%B", month.copied().unwrap_or_default())).to_string()
}

/// The first sentence of a text as a part of another one.
fn clause(text: &str) -> String {
    // A point within a name or number ends no sentence.
    let ends = [". ", "? "].into_iter().filter_map(|mark| text.find(mark)).min();
    let first = text[..ends.map_or(text.len(), |at| at + 1)].trim_end_matches('.');
    let mut chars = first.chars();
    match (chars.next(), chars.next()) {
        (Some(one), Some(two)) if !two.is_uppercase() => one.to_lowercase().chain(first.chars().skip(1)).collect(),
        _ => first.to_owned(),
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::say::{OnEvidence, OnMessage, OnPerson, OnSender, OnTicket};
    use uuid::Uuid;

    fn id(n: u128) -> MessageId {
        MessageId(Uuid::from_u128(n))
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn sources() -> BTreeMap<MessageId, Source> {
        let source = |medium, is_desks, text| Source { medium, channel: "chat".to_owned(), is_desks, at: at(text) };
        BTreeMap::from([
            (id(1), source(Medium::Mail, false, "2026-03-03T12:02:00Z")),
            (id(2), source(Medium::Mail, true, "2025-12-31T22:30:00Z")),
            (id(3), source(Medium::Chat, false, "2026-06-01T05:05:00Z")),
            (id(4), source(Medium::Call, false, "2026-03-04T12:00:00Z")),
            (id(5), source(Medium::Note, true, "2026-03-04T12:10:00Z")),
        ])
    }

    fn reason(says: impl Into<Say>, from: &[u128]) -> Reason {
        Reason { from: from.iter().map(|n| id(*n)).collect(), ..Reason::new("rule", says) }
    }

    #[test]
    fn a_decision_is_one_sentence() {
        let number = || "order 40…45".to_owned();
        let name = || OnEvidence::NumberAndName { number: number() };
        let other = || OnEvidence::NumberOfAnotherName { number: number() };
        let table: Vec<(Vec<Reason>, bool, [&str; 3])> = vec![
            (Vec::new(), true, ["", "", ""]),
            (
                vec![reason(OnPerson::SameAddress, &[]), reason(OnTicket::AnswersDesk, &[2])],
                true,
                [
                    "Osoite on tämän asiakkaan; viesti vastaa asiakaspalvelun lähettämään viestiin (asiakaspalvelun sähköposti 1.1. klo 0.30); mikään ei puhunut vastaan.",
                    "Adressen hör till den här kunden; meddelandet svarar på något som kundtjänsten har skickat (kundtjänstens e-postmeddelande den 1 januari kl. 0.30); inget talade emot det.",
                    "The address is this contact's; it answers something that the desk sent (the desk's e-mail of 1 January 00:30); nothing spoke against it.",
                ],
            ),
            (
                vec![reason(name(), &[1, 5]), reason(other(), &[3]), reason(OnSender::SeveralSenders, &[])],
                true,
                [
                    "Sama asiakas: order 40…45 ja nimi ovat molemmissa (sähköpostista 3.3. klo 14.02, asiakaspalvelun muistiinpanosta 4.3. klo 14.10); vastaan puhui: myös joku toisenniminen on maininnut tunnisteen order 40…45; heidät pidetään erillään (viestistä 1.6. klo 8.05 kanavalla chat), viestissä on useita lähettäjiä, joten ketään heistä ei pidetä varmana.",
                    "Samma kund: order 40…45 och namnet finns i båda (från e-postmeddelandet den 3 mars kl. 14.02, från kundtjänstens anteckning den 4 mars kl. 14.10); emot det talade: någon med ett annat namn har också nämnt order 40…45; de hålls isär (från meddelandet den 1 juni kl. 8.05 i kanalen chat), meddelandet anger flera avsändare, så ingen av dem tas för säker.",
                    "Same customer: order 40…45 and the name are in both (from the e-mail of 3 March 14:02, from the desk's note of 4 March 14:10); against it: somebody of another name has named order 40…45 too; they are kept apart (from the message of 1 June 08:05 on chat), the mail names several senders, so none of them is taken as proven.",
                ],
            ),
            (
                vec![reason(OnMessage::Leg, &[4])],
                true,
                [
                    "Toinen merkintä samasta puhelusta (puhelu 4.3. klo 14.00).",
                    "Ännu en uppgift om samma samtal (samtalet den 4 mars kl. 14.00).",
                    "Another record of the same call (the call of 4 March 14:00).",
                ],
            ),
        ];
        let zone = TimeZone::get("Europe/Helsinki").unwrap();
        for (reasons, is_join, expected) in table {
            let account =
                Account { at: at("2026-06-02T00:00:00Z"), is_join, is_anew: false, reasons: &reasons, considered: &[] };
            for (language, expected) in Language::ALL.into_iter().zip(expected) {
                let told = sentence(&account, &sources(), language, &zone).unwrap_or_default();
                assert_eq!(told, expected);
            }
        }
    }

    #[test]
    fn what_else_was_considered_and_another_year_are_told() {
        let considered = [
            Considered { ticket: Some(7), says: OnEvidence::FullName.into(), by_message: id(1) },
            Considered { ticket: None, says: OnEvidence::NameAndFirm.into(), by_message: id(99) },
        ];
        let reasons = [reason(OnTicket::NewTicket, &[])];
        let account = Account {
            at: at("2027-01-05T00:00:00Z"),
            is_join: true,
            is_anew: true,
            reasons: &reasons,
            considered: &considered,
        };
        let told = sentence(&account, &sources(), Language::English, &TimeZone::UTC).unwrap();
        let expected = "Decided anew, with what came later: nothing ties it to a known matter; a new ticket; \
            also considered: ticket #7 (the same full name within days, from the e-mail of 3 March 2026 12:02), \
            another contact (the same full name and the same firm).";
        assert_eq!(told, expected);
    }
}
