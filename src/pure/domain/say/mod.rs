//! What lanka says of its decisions: each sentence as a value, put into words only where people read it.
//!
//! A rule says *which* sentence holds and what is filled in; the words of each language stand in a file of their
//! own ([`en`], [`fi`], [`sv`]). What is stored, in decisions, suggestions and journals, is the value with its
//! stable code, so that an old decision can be read in another language, and by programs in none.
//!
//! **Invariants:** no sentence holds more of a person than people see anyway: numbers and addresses are masked
//! before they come here. A code that was stored once keeps its meaning; a sentence that is not needed any more
//! stays readable. What agents write themselves is never a value of these: it stays in their words.

mod en;
mod fi;
pub mod sentence;
mod sv;

use super::message::Finding;
use sentence::{Role, Side};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A language that lanka speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// `fi`.
    Finnish,
    /// `sv`.
    Swedish,
    /// `en`, which is spoken where no other is known.
    #[default]
    English,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Finnish, Self::Swedish, Self::English];

    /// The first of some codes (ISO 639-1) that lanka speaks, else English.
    pub fn first_of<'a>(codes: impl IntoIterator<Item = &'a str>) -> Self {
        let spoken = |code: &str| Self::ALL.into_iter().find(|language| language.code() == code);
        codes.into_iter().find_map(spoken).unwrap_or_default()
    }

    /// Its code (ISO 639-1).
    pub fn code(self) -> &'static str {
        match self {
            Self::Finnish => "fi",
            Self::Swedish => "sv",
            Self::English => "en",
        }
    }
}

/// One sentence. In JSON an object with its `code` and what is filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Say {
    /// Of how a sender is vouched for.
    Sender(OnSender),
    /// Of who is who.
    Person(OnPerson),
    /// Of what speaks for two being one, or against it.
    Evidence(OnEvidence),
    /// Of which ticket something belongs to.
    Ticket(OnTicket),
    /// Of another ticket, which it is not on.
    Other(OnOther),
    /// Of what was delivered.
    Message(OnMessage),
    /// Of what kind of matter it is, and how soon it must be seen to.
    Triage(OnTriage),
    /// A finished text: of before there were codes, or with a code of a later lanka.
    Plain {
        /// The text, in whatever language it was written.
        text: String,
    },
}

/// How a sender is vouched for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum OnSender {
    /// The sender of a mail was checked here.
    SenderChecked {
        /// What the check rests on.
        finding: Finding,
    },
    /// He could not be checked for days.
    SenderNeverChecked,
    /// Another domain than the sender's vouches for the mail.
    SenderUnaligned,
    /// The mail names several senders.
    SeveralSenders,
    /// The sender's domain is made to look like one of ours.
    Lookalike {
        /// The sender's.
        domain: String,
        /// Ours.
        own: String,
    },
    /// His domain denies the mail, as it did earlier ones.
    DeniedAgain,
    /// His domain denies the mail, which names a known contact's address.
    DeniedKnown,
    /// His domain denies the mail, which names an address that nobody is known to have.
    DeniedUnknown,
}

/// Who is who.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum OnPerson {
    /// Nobody known has the address.
    NewContact,
    /// The sender gave no identity.
    NoIdentity,
    /// The address is the contact's.
    SameAddress,
    /// The address was somebody else's until now.
    PassedOn,
    /// Too many numbers of others were named.
    Guessing,
    /// A note tells who called without a number.
    ToldByNote,
    /// A note says that the caller was not the owner of the number that it showed.
    NotOwner,
    /// Somebody says that he did not use a channel.
    NotThere,
    /// The platform says that the person moved.
    ReachedElsewhere,
    /// An agent says that two are one.
    AgentSaysSame,
    /// An agent says that two are not one.
    AgentSaysApart,
    /// What had joined two does not hold.
    JoinGone,
}

/// What speaks for two being one person, or against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum OnEvidence {
    /// Somebody of another name holds the same number.
    NumberOfAnotherName {
        /// Pattern's name and masked number.
        number: String,
    },
    /// Somebody of another name has the address.
    AddressOfAnotherName {
        /// The masked address.
        address: String,
    },
    /// The mail domain of one is made to look like the other's.
    LookalikeDomain,
    /// The same number and name.
    NumberAndName {
        /// Pattern's name and masked number.
        number: String,
    },
    /// The same number, and one names the other's address.
    NumberAndAddress {
        /// Pattern's name and masked number.
        number: String,
    },
    /// The same number, and no name.
    NumberAlone {
        /// Pattern's name and masked number.
        number: String,
    },
    /// An answer from another address in the same name.
    AnswerInSameName,
    /// The same name and firm.
    NameAndFirm,
    /// The same full name.
    FullName,
    /// The same browser and name.
    SameBrowser,
    /// An account, used by two people, in the same name.
    SameAccount,
    /// Both name each other's address.
    MutualAddresses,
    /// Both name each other's address, and are of different names.
    MutualButNamesDiffer,
    /// Several people name the caller's number.
    CallerNamedBySeveral {
        /// The masked number.
        address: String,
    },
    /// The caller's number was named before the call.
    CallerNamedBefore {
        /// The masked number.
        address: String,
    },
    /// A mail soon after the call says that it was from this number.
    CallerNamedSoonAfter {
        /// The masked number.
        address: String,
    },
    /// The caller gave the name of whoever names the number.
    CallerOfSameName {
        /// The masked number.
        address: String,
    },
    /// A mail after the call names the number.
    CallerNamedAfter {
        /// The masked number.
        address: String,
    },
    /// One states the other's address.
    AddressNamed {
        /// The masked address.
        address: String,
    },
}

/// Which ticket something belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum OnTicket {
    /// An agent put it there.
    PutByHand,
    /// It is said in the same group.
    SameGroup,
    /// The desk did something about a message.
    DeskAct,
    /// It answers the desk.
    AnswersDesk,
    /// It is in the vendor's conversation.
    SameConversation,
    /// It is in the mail program's thread.
    SameMailThread,
    /// It answers a message of the ticket.
    AnswersMessage,
    /// A message that came earlier answers it.
    AnsweredEarlier,
    /// It answers the same absent message.
    SameAbsentMessage,
    /// It quotes a message.
    Quotes,
    /// It has the subject.
    SameSubject,
    /// It names a number of the matter.
    NamesNumber {
        /// Pattern's name and masked number, where it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<String>,
    },
    /// Several open matters fit.
    SeveralFit,
    /// The matter is closed, and the message brings another.
    ClosedAndAnother,
    /// What opens no ticket.
    OpensNone,
    /// Nothing ties it to a matter.
    NewTicket,
    /// The matter is open again.
    Reopened,
    /// A closed matter goes on.
    FollowUp,
    /// A closed matter goes on, on a ticket that continues it already.
    GoesOnThere,
    /// It follows the sender's last message.
    SameSession,
    /// The text says that the matter is new.
    SaysNewMatter,
    /// A mail of its own from somebody with an open matter.
    BeginsAnew,
    /// One open matter is about what it names.
    SameTopic,
    /// The only open matter.
    OnlyOpen,
    /// The desk's word goes to the latest matter.
    LatestOpen,
    /// The text says that the fault is back.
    SaysIsBack,
    /// A rule leads the ticket to a queue.
    Routed {
        /// Its name.
        queue: String,
        /// The rule's.
        rule: String,
    },
    /// No rule is for it.
    RoutedByDefault {
        /// The queue of what no rule is for.
        queue: String,
    },
    /// The customer comes on one thing again and again.
    CameAgain {
        /// The how many-th time.
        times: usize,
    },
}

/// Another ticket: what points to it in vain, or why two became one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum OnOther {
    /// The desk wrote down a number of it.
    DeskWroteNumber,
    /// An answer to the desk from a domain made to look like the recipient's.
    AnswersDeskImitating,
    /// An answer to the desk from somebody whom the customer denies.
    AnswersDeskDenied,
    /// An answer from somebody who takes no part.
    AnswersButTakesNoPart,
    /// A message there names it or the same, and the sender takes no part.
    NamedButTakesNoPart,
    /// It quotes a message there, and the sender takes no part.
    QuotesButTakesNoPart,
    /// It names a number of it, and the sender takes no part.
    NumberButTakesNoPart,
    /// An open matter of the contact.
    OpenMatter,
    /// One of several open matters.
    OneOfSeveralOpen,
    /// Both are one matter of one contact.
    OneContactsMatter,
    /// Messages of both are one thread.
    OneThread,
    /// The conversation names a number of the other one.
    TalkNamesNumber,
    /// Another leg of the call told who called.
    LegToldCaller,
    /// An agent put messages of it beside one that is there.
    PutBeside,
}

/// What was delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum OnMessage {
    /// It was erased.
    Erased,
    /// It was here before.
    Repeat,
    /// Updates came before it.
    EarlyUpdates,
    /// Its id is another message's too.
    IdReused,
    /// A receipt for all that was sent until then.
    Receipt,
    /// An update of an earlier message.
    Update,
    /// An update of a message that has not come.
    UpdateWaits,
    /// Another leg of a call.
    Leg,
}

/// What kind of matter a message brings and how soon it must be seen to: which words of the configuration say so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum OnTriage {
    /// Words that ask or want something.
    Asks {
        /// The configured phrases, commas between.
        words: String,
    },
    /// Something is wanted beside a problem.
    AsksBeside {
        /// The configured phrases, commas between.
        words: String,
    },
    /// Something does not work, is missing, wrong or late.
    Trouble {
        /// The configured phrases, commas between.
        words: String,
    },
    /// The customer's own doing.
    OwnDoing {
        /// The configured phrases, commas between.
        words: String,
    },
    /// Nobody can tell whose fault it is.
    NobodyCanTell {
        /// The configured phrases, commas between.
        words: String,
    },
    /// It can be lived with.
    Hinders {
        /// The configured phrases, commas between.
        words: String,
    },
    /// It stands still.
    Prevents {
        /// The configured phrases, commas between.
        words: String,
    },
    /// Dissatisfaction.
    Complaint {
        /// The configured phrases, commas between.
        words: String,
    },
    /// A wish or an idea.
    Wish {
        /// The configured phrases, commas between.
        words: String,
    },
    /// Praise.
    Praise {
        /// The configured phrases, commas between.
        words: String,
    },
    /// Danger.
    Danger {
        /// The configured phrases, commas between.
        words: String,
    },
    /// A business or a home stands still.
    Standstill {
        /// The configured phrases, commas between.
        words: String,
    },
    /// A deadline within hours.
    Deadline {
        /// The configured phrases, commas between.
        words: String,
    },
    /// What makes it grave.
    Grave {
        /// The configured phrases, commas between.
        words: String,
    },
    /// Words of hurry.
    Hurry {
        /// The configured phrases, commas between.
        words: String,
    },
    /// There is no hurry.
    NoHurry {
        /// The configured phrases, commas between.
        words: String,
    },
    /// It was said before, and nobody answered.
    SaidAgain {
        /// The configured phrases, commas between.
        words: String,
    },
    /// It is well again.
    WellAgain {
        /// The configured phrases, commas between.
        words: String,
    },
    /// No matter at all.
    NoMatter {
        /// The configured phrases, commas between.
        words: String,
    },
    /// A question without words that are known.
    Question,
    /// So much text is a matter, which no word tells.
    MatterUnnamed,
    /// A call that is to be returned.
    CallToReturn,
    /// A contract or organisation that raises.
    RaisedByContract {
        /// Its name in the configuration.
        name: String,
    },
    /// Come back on an open matter.
    CameBack,
    /// Said several times without an answer.
    Unanswered {
        /// How often.
        count: u32,
    },
    /// What its words weigh together.
    Weighed {
        /// The terms that weighed most, commas between.
        words: String,
    },
    /// What corrections taught.
    Learnt {
        /// The configured phrases, commas between.
        words: String,
    },
    /// An agent said so.
    Classified,
}

impl Say {
    /// The sentence in a language. A text of before there were codes stays what it is.
    pub fn in_language(&self, language: Language) -> String {
        let text: Cow<'_, str> = match (self, language) {
            (Self::Plain { text }, _) => Cow::Borrowed(text),
            (Self::Sender(says), Language::Finnish) => fi::on_sender(says),
            (Self::Sender(says), Language::Swedish) => sv::on_sender(says),
            (Self::Sender(says), Language::English) => en::on_sender(says),
            (Self::Person(says), Language::Finnish) => fi::on_person(says).into(),
            (Self::Person(says), Language::Swedish) => sv::on_person(says).into(),
            (Self::Person(says), Language::English) => en::on_person(says).into(),
            (Self::Evidence(says), Language::Finnish) => fi::on_evidence(says),
            (Self::Evidence(says), Language::Swedish) => sv::on_evidence(says),
            (Self::Evidence(says), Language::English) => en::on_evidence(says),
            (Self::Ticket(says), Language::Finnish) => fi::on_ticket(says),
            (Self::Ticket(says), Language::Swedish) => sv::on_ticket(says),
            (Self::Ticket(says), Language::English) => en::on_ticket(says),
            (Self::Other(says), Language::Finnish) => fi::on_other(says).into(),
            (Self::Other(says), Language::Swedish) => sv::on_other(says).into(),
            (Self::Other(says), Language::English) => en::on_other(says).into(),
            (Self::Message(says), Language::Finnish) => fi::on_message(says).into(),
            (Self::Message(says), Language::Swedish) => sv::on_message(says).into(),
            (Self::Message(says), Language::English) => en::on_message(says).into(),
            (Self::Triage(says), Language::Finnish) => fi::on_triage(says),
            (Self::Triage(says), Language::Swedish) => sv::on_triage(says),
            (Self::Triage(says), Language::English) => en::on_triage(says),
        };
        text.into_owned()
    }

    /// On which side of a decision it is.
    fn side(&self) -> Side {
        match self {
            Self::Plain { .. } | Self::Message(_) => Side::For,
            Self::Sender(OnSender::SenderChecked { finding: Finding::Signed | Finding::Sealed | Finding::Sent })
            | Self::Triage(_) => Side::Beside,
            Self::Sender(_) => Side::Against,
            Self::Person(OnPerson::PassedOn | OnPerson::Guessing | OnPerson::AgentSaysApart | OnPerson::JoinGone) => {
                Side::Against
            }
            Self::Person(_) => Side::For,
            Self::Evidence(
                OnEvidence::NumberOfAnotherName { .. }
                | OnEvidence::AddressOfAnotherName { .. }
                | OnEvidence::LookalikeDomain,
            ) => Side::Against,
            Self::Evidence(_) => Side::For,
            Self::Ticket(
                OnTicket::SeveralFit | OnTicket::ClosedAndAnother | OnTicket::SaysNewMatter | OnTicket::BeginsAnew,
            ) => Side::Against,
            Self::Ticket(OnTicket::Routed { .. } | OnTicket::RoutedByDefault { .. }) => Side::Beside,
            Self::Ticket(_) | Self::Other(_) => Side::For,
        }
    }

    /// Whether it says that something was found.
    fn joins(&self) -> bool {
        match self {
            Self::Person(OnPerson::NewContact | OnPerson::NoIdentity) | Self::Message(_) | Self::Plain { .. } => false,
            Self::Ticket(OnTicket::NewTicket | OnTicket::OpensNone) => false,
            _ => self.side() == Side::For,
        }
    }

    /// What the messages that it rests on are to it.
    fn role(&self) -> Role {
        match self {
            Self::Evidence(_) | Self::Ticket(OnTicket::NamesNumber { .. }) => Role::Origin,
            Self::Other(OnOther::DeskWroteNumber | OnOther::NumberButTakesNoPart) => Role::Origin,
            _ => Role::Object,
        }
    }

    /// Its stable code; of a finished text it is `plain`.
    pub fn code(&self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        value.get("code").and_then(|code| code.as_str()).unwrap_or("plain").to_owned()
    }

    /// Its stable code, unless it is a finished text, which may be an agent's own.
    pub fn code_of_lanka(&self) -> Option<String> {
        (!matches!(self, Self::Plain { .. })).then(|| self.code())
    }

    /// As it is stored.
    pub fn stored(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// What was stored. A code of a later lanka is shown as it is.
    pub fn of_stored(value: serde_json::Value) -> Self {
        let code = value.get("code").and_then(|code| code.as_str()).map(str::to_owned);
        serde_json::from_value(value).unwrap_or_else(|_| Self::Plain { text: code.unwrap_or_default() })
    }

    /// A finished text.
    pub fn plain(text: impl Into<String>) -> Self {
        Self::Plain { text: text.into() }
    }
}

impl From<OnSender> for Say {
    fn from(says: OnSender) -> Self {
        Self::Sender(says)
    }
}

impl From<OnPerson> for Say {
    fn from(says: OnPerson) -> Self {
        Self::Person(says)
    }
}

impl From<OnEvidence> for Say {
    fn from(says: OnEvidence) -> Self {
        Self::Evidence(says)
    }
}

impl From<OnTicket> for Say {
    fn from(says: OnTicket) -> Self {
        Self::Ticket(says)
    }
}

impl From<OnOther> for Say {
    fn from(says: OnOther) -> Self {
        Self::Other(says)
    }
}

impl From<OnMessage> for Say {
    fn from(says: OnMessage) -> Self {
        Self::Message(says)
    }
}

impl From<OnTriage> for Say {
    fn from(says: OnTriage) -> Self {
        Self::Triage(says)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::DeserializeOwned;
    use std::collections::BTreeSet;

    /// All codes of one of the enums, as serde names them when it does not find one.
    fn codes<T: DeserializeOwned>() -> Vec<String> {
        let unknown = serde_json::json!({ "code": "?" });
        let Err(error) = serde_json::from_value::<T>(unknown) else { panic!("a sentence without a code") };
        error.to_string().split('`').skip(3).step_by(2).map(str::to_owned).collect()
    }

    /// Every sentence, with something in each place that is filled in.
    fn all() -> Vec<Say> {
        let codes = [
            codes::<OnSender>(),
            codes::<OnPerson>(),
            codes::<OnEvidence>(),
            codes::<OnTicket>(),
            codes::<OnOther>(),
            codes::<OnMessage>(),
            codes::<OnTriage>(),
        ];
        assert!(codes.iter().all(|codes| codes.len() >= 8), "{codes:?}");
        let mut all: Vec<Say> = Vec::new();
        for code in codes.concat() {
            let findings: &[&str] = match code.as_str() {
                "sender_checked" => {
                    &["signed", "sealed", "sent", "unsigned", "unaligned", "broken", "denied", "no_answer", "refused"]
                }
                _ => &[""],
            };
            for finding in findings {
                let stored = serde_json::json!({ "code": code, "finding": finding, "domain": "kaupqa.example",
                    "own": "kauppa.example", "number": "order 48…93", "address": "+358…67", "queue": "lasku", "rule": "laskut",
                    "times": 3, "words": "ei toimi*, jumi*", "name": "kulta", "count": 3 });
                let says = Say::of_stored(stored);
                assert_eq!(says.code(), code, "two sentences have one code, or more is to be filled in: {says:?}");
                all.push(says);
            }
        }
        all.push(OnTicket::NamesNumber { number: None }.into());
        all
    }

    #[test]
    fn every_sentence_is_said_in_every_language() {
        let mut said: BTreeSet<String> = BTreeSet::new();
        for says in all() {
            let texts = Language::ALL.map(|language| says.in_language(language));
            for text in &texts {
                let begins = text.starts_with(char::is_uppercase);
                let ends = text.ends_with(['.', '?']);
                assert!(begins && ends && !text.contains(['{', '}']) && !text.contains("  "), "{says:?}: {text}");
                // What is filled in is in all of them.
                for (place, value) in says.stored().as_object().unwrap() {
                    let is_shown = !["code", "finding"].contains(&place.as_str());
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    assert!(!is_shown || text.contains(&value), "{says:?}: {text}");
                }
                assert!(said.insert(text.clone()), "it is said twice: {text}");
            }
        }
        assert!(said.len() > 200, "{}", said.len());
    }

    #[test]
    fn no_english_is_left_in_the_others() {
        let english = [" the ", " is ", " of ", " and ", " was ", " an ", " that ", " it ", "this "];
        for (says, language) in all().iter().flat_map(|says| [(says, Language::Finnish), (says, Language::Swedish)]) {
            let text = format!(" {} ", says.in_language(language).to_lowercase());
            assert!(!english.iter().any(|word| text.contains(word)), "{text}");
        }
    }

    #[test]
    fn what_is_stored_is_read_back() {
        for says in all() {
            assert_eq!(Say::of_stored(says.stored()), says);
        }
        let table = [
            (serde_json::json!({ "code": "of_tomorrow", "x": 1 }), "of_tomorrow"),
            (serde_json::json!({ "text": "Asiakas soitti." }), "Asiakas soitti."),
            (serde_json::json!("?"), ""),
        ];
        for (stored, text) in table {
            let says = Say::of_stored(stored);
            assert_eq!((says.code().as_str(), says.in_language(Language::Swedish).as_str()), ("plain", text));
        }
    }

    #[test]
    fn the_first_language_that_is_spoken_is_taken() {
        let table: [(&[&str], Language); 5] = [
            (&["fi", "sv", "en"], Language::Finnish),
            (&["et", "sv"], Language::Swedish),
            (&["de", "en", "fi"], Language::English),
            (&["de"], Language::English),
            (&[], Language::English),
        ];
        for (codes, expected) in table {
            assert_eq!(Language::first_of(codes.iter().copied()), expected, "{codes:?}");
        }
    }
}
