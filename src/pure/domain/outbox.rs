//! What must reach a mirror, and how a delivery can end.

use super::Timestamp;
use super::answer::{AnswerView, Carried, CarriedFile};
use super::clock::{ClockKind, ClockState};
use super::decision::Reason;
use super::id::{ContactId, MessageId, OutboxId, TicketId};
use super::message::{Direction, Mark, Progress};
use super::notice::NoticeKind;
use super::say::Language;
use serde::{Deserialize, Serialize};

/// A change of a thread that mirrors hear of. The text form is the CloudEvents `type`, after the
/// prefix `lanka.`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Change {
    /// A ticket came to be; its first message follows as `message.added`.
    #[serde(rename = "ticket.opened")]
    TicketOpened,
    /// A closed ticket is open again.
    #[serde(rename = "ticket.reopened")]
    TicketReopened,
    /// An open ticket is closed: the desk closed the last of its conversations.
    #[serde(rename = "ticket.closed")]
    TicketClosed,
    /// Another agent has the ticket, or nobody any more.
    #[serde(rename = "ticket.assigned")]
    TicketAssigned,
    /// The desk waits for the customer.
    #[serde(rename = "ticket.awaited")]
    TicketAwaited,
    /// It waits no longer: he said something, or an agent says so.
    #[serde(rename = "ticket.resumed")]
    TicketResumed,
    /// A message brought a ticket another kind of matter, or more urgency; or an agent said what it is.
    #[serde(rename = "ticket.triaged")]
    TicketTriaged,
    /// A ticket is in another queue than it was.
    #[serde(rename = "ticket.routed")]
    TicketRouted,
    /// A ticket was joined into another; its lane ends.
    #[serde(rename = "ticket.merged")]
    TicketMerged,
    /// A message is on the ticket.
    #[serde(rename = "message.added")]
    MessageAdded,
    /// A message left this ticket for another.
    #[serde(rename = "message.moved")]
    MessageMoved,
    /// A message changed: another leg of its call, an edit, a taken-back text, a status, a reaction, a file
    /// that was fetched from the vendor or lost there.
    #[serde(rename = "message.updated")]
    MessageUpdated,
    /// Two contacts turned out to be one.
    #[serde(rename = "contact.merged")]
    ContactMerged,
    /// A contact turned out to be several, or was taken apart.
    #[serde(rename = "contact.split")]
    ContactSplit,
    /// A contact was erased: what a tool keeps of him is to go there too. His messages on the ticket are empty.
    #[serde(rename = "contact.erased")]
    ContactErased,
    /// Something points to a join that the evidence does not carry.
    #[serde(rename = "suggestion.made")]
    SuggestionMade,
    /// A clock of the ticket runs out soon: `detail` says which (`clock`, `round`, `due_at`, `target_s`).
    #[serde(rename = "clock.warned")]
    ClockWarned,
    /// A clock of the ticket ran out before what it waits for was done.
    #[serde(rename = "clock.breached")]
    ClockBreached,
    /// Ready answers fit what a customer asks: for agents to look at.
    #[serde(rename = "answers.offered")]
    AnswersOffered,
    /// The ticket is on an incident: many speak of its matter at once.
    #[serde(rename = "incident.linked")]
    IncidentLinked,
    /// The customer has come again and again about its matter.
    #[serde(rename = "contact.again")]
    ContactAgain,
    /// An agent's answer is to be carried to a customer. Mirrors hear of it as `message.added`, and how far it came as
    /// `message.updated`; this is for the line of the channel.
    #[serde(rename = "answer.due")]
    AnswerDue,
}

/// What the line of a channel that carries answers is called, beside the names of mirrors: no mirror is named so.
pub fn carrier_line(channel: &str) -> String {
    format!("{CARRIER}{channel}")
}

/// Begins the names of lines that carry answers.
const CARRIER: &str = "answers:";

/// The channel of a line that carries answers.
pub fn carried_by(line: &str) -> Option<&str> {
    line.strip_prefix(CARRIER)
}

impl Change {
    /// The stable word, as in SQL and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TicketOpened => "ticket.opened",
            Self::TicketReopened => "ticket.reopened",
            Self::TicketClosed => "ticket.closed",
            Self::TicketAssigned => "ticket.assigned",
            Self::TicketAwaited => "ticket.awaited",
            Self::TicketResumed => "ticket.resumed",
            Self::TicketTriaged => "ticket.triaged",
            Self::TicketRouted => "ticket.routed",
            Self::TicketMerged => "ticket.merged",
            Self::MessageAdded => "message.added",
            Self::MessageMoved => "message.moved",
            Self::MessageUpdated => "message.updated",
            Self::ContactMerged => "contact.merged",
            Self::ContactSplit => "contact.split",
            Self::ContactErased => "contact.erased",
            Self::SuggestionMade => "suggestion.made",
            Self::ClockWarned => "clock.warned",
            Self::ClockBreached => "clock.breached",
            Self::AnswersOffered => "answers.offered",
            Self::IncidentLinked => "incident.linked",
            Self::ContactAgain => "contact.again",
            Self::AnswerDue => "answer.due",
        }
    }

    /// The change of a stable word.
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::TicketOpened,
            Self::TicketReopened,
            Self::TicketClosed,
            Self::TicketAssigned,
            Self::TicketAwaited,
            Self::TicketResumed,
            Self::TicketTriaged,
            Self::TicketRouted,
            Self::TicketMerged,
            Self::MessageAdded,
            Self::MessageMoved,
            Self::MessageUpdated,
            Self::ContactMerged,
            Self::ContactSplit,
            Self::ContactErased,
            Self::SuggestionMade,
            Self::ClockWarned,
            Self::ClockBreached,
            Self::AnswersOffered,
            Self::IncidentLinked,
            Self::ContactAgain,
            Self::AnswerDue,
        ]
        .into_iter()
        .find(|change| change.as_str() == word)
    }
}

/// One change on its way to one mirror, with all that the mirror may show of it, read fresh from
/// the database when it is sent (the row itself holds ids only).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Post {
    /// The id the receiver can deduplicate by; the same at every attempt.
    pub id: OutboxId,
    /// What happened.
    pub change: Change,
    /// Position in the lane (mirror and ticket): 1, 2, 3 … without a gap.
    pub sequence: i64,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// The firm.
    pub tenant: String,
    /// The ticket as it is now.
    pub ticket: TicketView,
    /// The other ticket of a merge or move: where things went to, or came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_ticket: Option<TicketId>,
    /// The message concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageView>,
    /// The change's own particulars (which contact was absorbed, what is suggested and why).
    #[serde(skip_serializing_if = "serde_json::Value::is_null")]
    pub detail: serde_json::Value,
    /// What the mirror's tool calls the things it is about.
    #[serde(skip)]
    pub links: Links,
    /// What names the ticket in this mirror to agents alone, where they answer to an address: 128 bits, in hexadecimal.
    #[serde(skip)]
    pub token: String,
    /// The message's files, for a mirror that shows them.
    #[serde(skip)]
    pub files: Vec<CarriedFile>,
    /// The answer, where it is to be carried.
    #[serde(skip)]
    pub answer: Option<Box<Carried>>,
}

/// What a tool calls tickets, messages and contacts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Links(pub Vec<(LinkedKind, uuid::Uuid, String)>);

impl Links {
    /// What the tool calls a thing, if it has it.
    pub fn of(&self, kind: LinkedKind, object: uuid::Uuid) -> Option<&str> {
        self.0.iter().find(|(of, id, _)| (*of, *id) == (kind, object)).map(|(.., remote)| remote.as_str())
    }
}

/// What has an id in a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkedKind {
    /// A ticket.
    Ticket,
    /// A message.
    Message,
    /// A contact.
    Contact,
}

impl LinkedKind {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Ticket, Self::Message, Self::Contact];

    /// The word in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::Message => "message",
            Self::Contact => "contact",
        }
    }

    /// The kind of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A ticket as mirrors see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TicketView {
    /// Its id.
    pub id: TicketId,
    /// The short number people say.
    pub number: i64,
    /// `open` or `closed`.
    pub state: String,
    /// The first subject, or the first words.
    pub title: String,
    /// Service, problem, feedback, none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kind: Vec<String>,
    /// What the problem is: `own`, `unclear`, `hinders`, `prevents`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault_kind: Option<String>,
    /// What the feedback says: `complaint`, `wish`, `praise`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub feedback: Vec<String>,
    /// The agent who said of which kind it is, or how urgent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classified_by: Option<String>,
    /// `high`, `normal`, `low`.
    pub priority: String,
    /// The agent who has it, as the tool calls him in which he took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Since when the desk waits for the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub awaited_since: Option<Timestamp>,
    /// The queue that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// The rule that led it there; none where no rule is for it, or somebody put it there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_rule: Option<String>,
    /// The contacts on it.
    pub participants: Vec<ContactView>,
    /// The ticket that this one continues.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow_up_of: Option<TicketId>,
    /// The ticket that it was joined into: nothing is on it any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<TicketId>,
    /// Its clocks, by when they began; of the next answers the latest rounds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockView>,
    /// What customers were told by lanka itself, or were not, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<NoticeView>,
    /// Where an answer would go now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<AnswerView>,
}

/// Something that a customer was told by lanka itself, or was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoticeView {
    /// What: `acknowledged`, `taken`, `awaited`, `solved`.
    pub kind: NoticeKind,
    /// The customer's message that it was told on.
    pub message: MessageId,
    /// When.
    pub at: Timestamp,
    /// The code of why he was not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withheld: Option<String>,
    /// The same in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<&'static str>,
}

/// A clock of a ticket as people and mirrors see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClockView {
    /// What is promised.
    pub clock: ClockKind,
    /// Which time of it, from 1.
    pub round: i32,
    /// How it stands.
    pub state: ClockState,
    /// When the customer began to wait.
    pub started_at: Timestamp,
    /// The service time that it may take, in seconds.
    pub target_s: i64,
    /// The service time that it took, or took until it was paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worked_s: Option<i64>,
    /// When the target is, was or would have been used up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// When it is said that it runs out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warn_at: Option<Timestamp>,
    /// Since when the customer is waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_since: Option<Timestamp>,
    /// When it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The channel by which the customer said what it began with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The rule that set the target, by its name in the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The customer's contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
}

impl TicketView {
    /// When the first of its clocks runs out, or ran out, that the desk has not done yet.
    pub fn due_at(&self) -> Option<Timestamp> {
        self.clocks.iter().filter(|clock| clock.ended_at.is_none()).filter_map(|clock| clock.due_at).min()
    }
}

/// A contact as mirrors see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ContactView {
    /// Its id.
    pub id: ContactId,
    /// The best name known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The addresses that are the contact's own, as `scheme:value`.
    pub identities: Vec<String>,
}

/// A message as mirrors see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MessageView {
    /// Its id.
    pub id: MessageId,
    /// The ticket it is on now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<TicketId>,
    /// The configured channel it came by.
    pub channel: String,
    /// That channel's kind.
    pub channel_kind: String,
    /// Who said it.
    pub direction: Direction,
    /// What the channel calls whoever said it; of an answer, the agent.
    #[serde(skip)]
    pub by: Option<String>,
    /// The contact who said it, or to whom it was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactId>,
    /// The event's time.
    pub occurred_at: Timestamp,
    /// When lanka stored it.
    pub received_at: Timestamp,
    /// The subject, for mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The text, quotes included.
    pub text: String,
    /// The same as it was laid out, when a mail came as HTML: made safe to be shown, without pictures from
    /// elsewhere; pictures of the mail are named by their attachment (`attachment:3`, counted from 0).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// The author of what it passes on, as it says itself: nobody vouches for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwarded_from: Option<String>,
    /// The call, if it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<super::message::Call>,
    /// What agents must know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// How far it came, for what we sent by a channel with receipts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Why it came no further, in the vendor's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress_why: Option<String>,
    /// Files, without their bytes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<AttachmentView>,
    /// What a customer brings with it, by its own words.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub brings: Option<BroughtView>,
    /// The same as `reasons` in one sentence for each decision, in the desk's language: which facts from which messages
    /// joined it, what spoke against that, and what else was considered.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sentence: String,
    /// Why it is on this ticket and this contact's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<ReasonView>,
}

/// Kind and urgency of one message as people and mirrors see them, in the stable words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BroughtView {
    /// Service, problem, feedback, none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kind: Vec<String>,
    /// Whose the problem is: `own`, `unclear`, `fault`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What it does: `hinders`, `prevents`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
    /// What the feedback says: `complaint`, `wish`, `praise`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub feedback: Vec<String>,
    /// `high`, `normal`, `low`.
    pub priority: String,
}

impl BroughtView {
    /// The words, from the kinds to the urgency. Of a fault it is enough what it does.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        let (kind, feedback) = (self.kind.iter().map(String::as_str), self.feedback.iter().map(String::as_str));
        let problem = self.problem.as_deref().filter(|word| *word != "fault").into_iter().chain(self.effect.as_deref());
        kind.chain(problem).chain(feedback).chain([self.priority.as_str()])
    }
}

/// A reason as people and mirrors see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReasonView {
    /// The rule's stable name.
    pub rule: String,
    /// The sentence's stable code.
    pub code: String,
    /// The sentence, in the desk's language.
    pub text: String,
    /// The weight of the evidence, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits: Option<i16>,
    /// Messages that the facts come from, beside the one decided on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<MessageId>,
}

impl ReasonView {
    /// A reason in a language.
    pub fn of(reason: &Reason, language: Language) -> Self {
        let Reason { rule, says, bits, from } = reason;
        let (code, text) = (says.code(), says.in_language(language));
        Self { rule: rule.clone(), code, text, bits: *bits, from: from.clone() }
    }
}

/// An attachment as mirrors see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AttachmentView {
    /// The sender's name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Media type.
    #[serde(rename = "type")]
    pub media_type: String,
    /// Size in bytes.
    pub bytes: i64,
    /// SHA-256 in hex, once the bytes are here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The vendor has it still: `message.updated` follows when it is here, or lost.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub waiting: bool,
    /// Why it is not here and will not come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
}

/// Something ops must hear of (promise P7), sent over the same signed way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alert {
    /// A stable code: `channel_dead`, `queue_growing`, `mirror_parked`.
    pub code: String,
    /// What it is about: a channel's or mirror's name.
    pub subject: String,
    /// `true` at the onset, `false` at the recovery.
    pub active: bool,
    /// One sentence with what to do.
    pub message: String,
    /// Since when.
    pub since: Timestamp,
}

/// Changes for tests of what tools are told.
#[cfg(test)]
pub mod samples {
    use super::*;
    use uuid::Uuid;

    /// Something that Minna (contact 2) said on ticket 9 by Messenger: message 1.
    pub fn message(text: &str) -> MessageView {
        MessageView {
            id: MessageId(Uuid::from_u128(1)),
            ticket: Some(TicketId(Uuid::from_u128(9))),
            channel: "facebook".to_owned(),
            channel_kind: "chat".to_owned(),
            direction: Direction::FromCustomer,
            by: None,
            contact: Some(ContactId(Uuid::from_u128(2))),
            occurred_at: Timestamp::UNIX_EPOCH,
            received_at: Timestamp::UNIX_EPOCH,
            subject: None,
            text: text.to_owned(),
            html: None,
            forwarded_from: None,
            call: None,
            marks: Vec::new(),
            progress: None,
            progress_why: None,
            attachments: Vec::new(),
            brings: None,
            sentence: String::new(),
            reasons: Vec::new(),
        }
    }

    /// A change of ticket 9, which is Minna's, beside ticket 10.
    pub fn post(change: Change, message: Option<MessageView>) -> Post {
        let identities = ["messenger:P1", "tel:+358401234567", "mailto:minna@posti.example"].map(str::to_owned);
        let minna = ContactView { id: ContactId(Uuid::from_u128(2)), name: None, identities: identities.into() };
        Post {
            id: OutboxId(Uuid::from_u128(7)),
            change,
            sequence: 3,
            decided_at: Timestamp::UNIX_EPOCH,
            tenant: "main".to_owned(),
            ticket: TicketView {
                id: TicketId(Uuid::from_u128(9)),
                number: 4,
                state: "open".to_owned(),
                title: "Lamp".to_owned(),
                kind: Vec::new(),
                fault_kind: None,
                feedback: Vec::new(),
                classified_by: None,
                priority: "normal".to_owned(),
                owner: None,
                awaited_since: None,
                queue: None,
                queue_rule: None,
                participants: vec![minna],
                follow_up_of: None,
                merged_into: None,
                clocks: Vec::new(),
                notices: Vec::new(),
                answer: None,
            },
            other_ticket: Some(TicketId(Uuid::from_u128(10))),
            message,
            detail: serde_json::Value::Null,
            links: Links::default(),
            token: String::new(),
            files: Vec::new(),
            answer: None,
        }
    }
}
