//! The sentences in English.

use super::sentence::{Joints, Medium, Moment, Role, Source};
use super::{Finding, OnEvidence, OnMessage, OnOther, OnPerson, OnSender, OnTicket, OnTriage};
use std::borrow::Cow;

pub(super) const JOINTS: Joints = Joints {
    against: "against it:",
    nothing: "nothing spoke against it",
    considered: "also considered:",
    anew: "Decided anew, with what came later:",
    contact: "another contact",
    ticket: "ticket #",
};

pub(super) const MOMENT: Moment = (
    &[
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    "%-d %B %Y %H:%M",
    "%-d %B %H:%M",
);

pub(super) fn source(source: &Source, role: Role, moment: &str) -> String {
    let from = if role == Role::Origin { "from " } else { "" };
    let article = if source.is_desks { "the desk's" } else { "the" };
    match source.medium {
        Medium::Mail => format!("{from}{article} e-mail of {moment}"),
        Medium::Call => format!("{from}{article} call of {moment}"),
        Medium::Note => format!("{from}the desk's note of {moment}"),
        Medium::Chat => format!("{from}{article} message of {moment} on {}", source.channel),
    }
}

pub(super) fn on_sender(says: &OnSender) -> Cow<'static, str> {
    Cow::Borrowed(match says {
        OnSender::SenderChecked { finding } => on_finding(*finding),
        OnSender::SenderNeverChecked => {
            "The sender could not be checked for days, because a name server did not answer; it is left at that."
        }
        OnSender::SenderUnaligned => {
            "What vouches for this mail is another domain than the sender's, so anybody may have written it."
        }
        OnSender::SeveralSenders => "The mail names several senders, so none of them is taken as proven.",
        OnSender::Lookalike { domain, own } => {
            return Cow::Owned(format!(
                "The sender's domain {domain} is made to look like {own} and is not; do not take it for a colleague's."
            ));
        }
        OnSender::DeniedAgain => {
            "The sender's domain denies this mail; earlier ones in the same name were denied too, and are kept apart with it."
        }
        OnSender::DeniedKnown => {
            "The sender's domain denies this mail, which names the address of a known contact and was kept apart from him, as a contact of its own. An alert was raised."
        }
        OnSender::DeniedUnknown => {
            "The sender's domain denies this mail, which was kept apart, as a contact of its own, from whoever may write from that address. An alert was raised."
        }
    })
}

fn on_finding(finding: Finding) -> &'static str {
    match finding {
        Finding::Signed => "Checked here: the sender's domain signed this mail.",
        Finding::Sealed => {
            "Checked here: a forwarder that is trusted sealed that the sender's domain had signed this mail."
        }
        Finding::Sent => "Checked here: the mail was handed over from an address of the sender's domain.",
        Finding::Unsigned => "Checked here: the mail is not signed, so anybody may have written it.",
        Finding::Unaligned => {
            "Checked here: the mail is signed by another domain only, so anybody may have written it."
        }
        Finding::Broken => {
            "Checked here: the signature of the sender's domain does not hold; the mail was changed or forged."
        }
        Finding::Denied => "Checked here: the sender's domain asks to distrust mail like this, which it did not sign.",
        Finding::NoAnswer => {
            "The sender could not be checked, because a name server did not answer. It is tried again."
        }
        Finding::Refused => "The sender was not checked: the mail is not built as mails are, or would cost too much.",
    }
}

pub(super) fn on_person(says: &OnPerson) -> &'static str {
    match says {
        OnPerson::NewContact => "Nobody known has this address; a new contact.",
        OnPerson::NoIdentity => "The sender gave no identity.",
        OnPerson::SameAddress => "The address is this contact's.",
        OnPerson::PassedOn => "The address was somebody's of another name until now; it is this person's from now on.",
        OnPerson::Guessing => "Too many numbers of others were named; numbers are not looked up for now.",
        OnPerson::ToldByNote => "The caller gave no number; the note tells who it was.",
        OnPerson::NotThere => {
            "Says what was not the customer: what came so with nothing but a copied name and number is kept apart."
        }
        OnPerson::NotOwner => {
            "The note says that the caller was not the owner of the number shown: the call is kept apart."
        }
        OnPerson::ReachedElsewhere => "The platform says that this person is reached elsewhere from now on.",
        OnPerson::AgentSaysSame => "An agent says that they are one person.",
        OnPerson::AgentSaysApart => "An agent says that they are not one person.",
        OnPerson::JoinGone => "What had joined them does not hold any more.",
    }
}

pub(super) fn on_evidence(says: &OnEvidence) -> Cow<'static, str> {
    const ASK: &str = "Ask who is calling: a caller id can be forged.";
    Cow::Borrowed(match says {
        OnEvidence::AnswerInSameName => {
            "Same customer: an answer to what the desk had sent to the other address, in the same name."
        }
        OnEvidence::NameAndFirm => "The same full name and the same firm. A firm can have two of one name.",
        OnEvidence::FullName => {
            "The same full name within days. Two people can share a name, so this joins nothing by itself."
        }
        OnEvidence::SameBrowser => "Same customer: the same browser, in the same name.",
        OnEvidence::SameAccount => "Same customer: the same account, in the same name.",
        OnEvidence::MutualAddresses => "Same customer: both sides name each other's address.",
        OnEvidence::MutualButNamesDiffer => {
            "Both sides name each other's address, but their names differ: two people who know each other?"
        }
        OnEvidence::LookalikeDomain => {
            "The mail domain of one is made to look like that of the other; ask before they are taken for one."
        }
        OnEvidence::AddressOfAnotherName { address } => {
            return format!("Somebody of another name has {address}; they are kept apart.").into();
        }
        OnEvidence::NumberOfAnotherName { number } => {
            return format!("Somebody of another name has named {number} too; they are kept apart.").into();
        }
        OnEvidence::NumberAndName { number } => {
            return format!("Same customer: {number} and the name are in both.").into();
        }
        OnEvidence::NumberAndAddress { number } => {
            return format!("Same customer: one names the other's address, and {number} is in both.").into();
        }
        OnEvidence::NumberAlone { number } => {
            return format!("Both name {number}, but there is no name to hold against it.").into();
        }
        OnEvidence::CallerNamedBySeveral { address } => {
            return format!("Several people name the caller's number {address} as theirs.").into();
        }
        OnEvidence::CallerNamedBefore { address } => {
            return format!("The caller's number {address} was named earlier in an authenticated mail. {ASK}").into();
        }
        OnEvidence::CallerNamedSoonAfter { address } => {
            return format!("A mail soon after the call says in so many words that it was {address}. {ASK}").into();
        }
        OnEvidence::CallerOfSameName { address } => {
            return format!(
                "The caller gave a name, and the first mail that names the caller's number {address} is of the same full name. {ASK}"
            )
            .into();
        }
        OnEvidence::CallerNamedAfter { address } => {
            return format!("A mail after the call names the caller's number {address}.").into();
        }
        OnEvidence::AddressNamed { address } => {
            return format!("One states the other's address {address}, without more to carry it.").into();
        }
    })
}

pub(super) fn on_ticket(says: &OnTicket) -> Cow<'static, str> {
    Cow::Borrowed(match says {
        OnTicket::PutByHand => "An agent put it here.",
        OnTicket::SameGroup => "It is said in the same group.",
        OnTicket::DeskAct => "The desk did this about a message of this ticket.",
        OnTicket::AnswersDesk => "It answers something that the desk sent.",
        OnTicket::SameConversation => "It is in the same conversation.",
        OnTicket::SameMailThread => "The mail program says it is in the same thread.",
        OnTicket::AnswersMessage => "It answers an earlier message of this ticket.",
        OnTicket::AnsweredEarlier => "A message that came earlier answers this one.",
        OnTicket::SameAbsentMessage => {
            "It answers the same message as an earlier one of this ticket, which has not come."
        }
        OnTicket::Quotes => "It names no message that is here, but quotes an earlier one of this ticket.",
        OnTicket::SameSubject => "It names no message, but is an answer with the subject of this ticket alone.",
        OnTicket::NamesNumber { number: None } => "It names a number of this matter.",
        OnTicket::NamesNumber { number: Some(number) } => {
            return format!("It names {number}, a number of this matter.").into();
        }
        OnTicket::SeveralFit => "Several open matters fit equally; it is not guessed which.",
        OnTicket::ClosedAndAnother => "The matter it points to is closed, and the message brings another one.",
        OnTicket::OpensNone => "Automatic mail and internal calls open no ticket.",
        OnTicket::NewTicket => "Nothing ties it to a known matter; a new ticket.",
        OnTicket::Reopened => "The matter was closed lately; it is open again.",
        OnTicket::FollowUp => "The matter was closed long ago; this continues it on a new ticket.",
        OnTicket::GoesOnThere => "The matter was closed long ago; it goes on here already.",
        OnTicket::SameSession => "It follows the sender's last message after a short pause.",
        OnTicket::SaysNewMatter => "The text says that this is a new matter.",
        OnTicket::BeginsAnew => "It is a mail of its own, with another subject, from somebody with an open matter.",
        OnTicket::SameTopic => "Of the contact's open matters, one is about what this names.",
        OnTicket::OnlyOpen => "It is the contact's only open matter of these days.",
        OnTicket::LatestOpen => "The desk's message goes to the contact's latest matter.",
        OnTicket::CameAgain { times } => {
            return format!("This is contact number {times} about one thing within days: it became urgent.").into();
        }
        OnTicket::SaysIsBack => "It says that the fault is back, and one matter of the contact was closed lately.",
        OnTicket::Routed { queue, rule } => return format!("The queue “{queue}”, by the rule “{rule}”.").into(),
        OnTicket::RoutedByDefault { queue } => return format!("The queue “{queue}”: no rule is for it.").into(),
    })
}

pub(super) fn on_other(says: &OnOther) -> &'static str {
    match says {
        OnOther::DeskWroteNumber => "The desk wrote down a number of this ticket.",
        OnOther::AnswersDeskImitating => {
            "It answers the desk's message, but the sender's domain is made to look like that of whom it went to."
        }
        OnOther::AnswersDeskDenied => {
            "It answers the desk's message, but the customer says that this sender is not him."
        }
        OnOther::AnswersButTakesNoPart => "It answers a message of this ticket, but the sender takes no part in it.",
        OnOther::NamedButTakesNoPart => {
            "A message of this ticket names it or what it names, but the sender takes no part in it."
        }
        OnOther::QuotesButTakesNoPart => "It quotes a message of this ticket, but the sender takes no part in it.",
        OnOther::NumberButTakesNoPart => "It names a number of this ticket, but the sender takes no part in it.",
        OnOther::OpenMatter => "An open matter of this contact.",
        OnOther::OneOfSeveralOpen => "One of several open matters of this contact.",
        OnOther::OneContactsMatter => {
            "Another ticket is the same matter of the same contact, who was not known as one before."
        }
        OnOther::OneThread => "Another ticket is the same thread, as this message shows.",
        OnOther::TalkNamesNumber => "The conversation names the number of the other ticket.",
        OnOther::LegToldCaller => "Another leg of the call told who called.",
        OnOther::PutBeside => "An agent put messages of it beside one that is there.",
    }
}

pub(super) fn on_triage(says: &OnTriage) -> Cow<'static, str> {
    Cow::Borrowed(match says {
        OnTriage::Asks { words } => return Cow::Owned(format!("Asks for something: {words}.")),
        OnTriage::AsksBeside { words } => return Cow::Owned(format!("Wants something beside the problem: {words}.")),
        OnTriage::Trouble { words } => return Cow::Owned(format!("Tells of a problem: {words}.")),
        OnTriage::OwnDoing { words } => return Cow::Owned(format!("The customer's own doing: {words}.")),
        OnTriage::NobodyCanTell { words } => {
            return Cow::Owned(format!("Whose fault it is cannot be told yet: {words}."));
        }
        OnTriage::Hinders { words } => return Cow::Owned(format!("It can be lived with: {words}.")),
        OnTriage::Prevents { words } => return Cow::Owned(format!("It stands still: {words}.")),
        OnTriage::Complaint { words } => return Cow::Owned(format!("Complains: {words}.")),
        OnTriage::Wish { words } => return Cow::Owned(format!("Wishes for something to be otherwise: {words}.")),
        OnTriage::Praise { words } => return Cow::Owned(format!("Praises: {words}.")),
        OnTriage::Danger { words } => return Cow::Owned(format!("Somebody or something is in danger: {words}.")),
        OnTriage::Standstill { words } => return Cow::Owned(format!("A business or a home stands still: {words}.")),
        OnTriage::Deadline { words } => return Cow::Owned(format!("It must be done within hours: {words}.")),
        OnTriage::Grave { words } => return Cow::Owned(format!("What makes it grave: {words}.")),
        OnTriage::Hurry { words } => return Cow::Owned(format!("Words of hurry: {words}.")),
        OnTriage::NoHurry { words } => return Cow::Owned(format!("There is no hurry: {words}.")),
        OnTriage::SaidAgain { words } => {
            return Cow::Owned(format!("It was said before, and nobody answered: {words}."));
        }
        OnTriage::WellAgain { words } => return Cow::Owned(format!("It is well again: {words}.")),
        OnTriage::NoMatter { words } => return Cow::Owned(format!("Brings no matter: {words}.")),
        OnTriage::Question => "A question: taken as a request.",
        OnTriage::MatterUnnamed => "Too long for a greeting, and no word tells what it is: taken as a problem.",
        OnTriage::CallToReturn => "A call that is to be returned: never low.",
        OnTriage::RaisedByContract { name } => {
            return Cow::Owned(format!("Raised by what is configured under [urgency]: {name}."));
        }
        OnTriage::CameBack => "Comes back on an open matter that was not solved: raised.",
        OnTriage::Unanswered { count } => {
            return Cow::Owned(format!("Written {count} times without an answer: raised."));
        }
        OnTriage::Weighed { words } => {
            return Cow::Owned(format!("By what its words weigh together (most: {words})."));
        }
        OnTriage::Learnt { words } if words.is_empty() => "By what agents' corrections taught.",
        OnTriage::Learnt { words } => {
            return Cow::Owned(format!("By what agents' corrections taught (words that weighed most: {words})."));
        }
        OnTriage::Classified => "An agent said so: it stays so.",
    })
}

pub(super) fn on_message(says: &OnMessage) -> &'static str {
    match says {
        OnMessage::Erased => "The message was erased and stays erased.",
        OnMessage::Repeat => "The same message was delivered before.",
        OnMessage::EarlyUpdates => "Updates of it came before it, and apply.",
        OnMessage::IdReused => "Another message with this id but other content came before; both are kept.",
        OnMessage::Receipt => "It is about all that was sent to the customer until then.",
        OnMessage::Update => "It is about an earlier message.",
        OnMessage::UpdateWaits => "It is about a message that is not here; it waits for it.",
        OnMessage::Leg => "Another record of the same call.",
    }
}
