//! An agent's answer on its way to a customer.

use super::Timestamp;
use super::id::{ContactId, IdentityId, MessageId};
use super::identity::{Assurance, Identity};
use super::message::Progress;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// What an agent did on a ticket, of which lanka is told first: what he wrote is to be carried, or shown to colleagues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The ticket, as whoever tells of it calls it.
    pub on: OnTicket,
    /// The address, or the channel, that the agent picked. Without it the answer goes where answers go.
    pub to: Option<String>,
    /// The tool it was written in, which shows it already.
    pub given_in: Option<GivenIn>,
    /// Where it goes, or why it goes nowhere, once that is found out. Never of what is for colleagues.
    pub route: Option<Result<Route, Obstacle>>,
    /// The tool tells how the ticket stands, and not who brought that about: it may be lanka's own doing.
    pub may_echo: bool,
}

/// A ticket as others call it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OnTicket {
    /// lanka's id of it, one that was merged away, or its number.
    Named(String),
    /// A tool's thread.
    Thread {
        /// The mirror.
        mirror: String,
        /// The thread's id there.
        remote: String,
    },
    /// The token that an agent's reply was addressed to: a thread's id in whichever mirror gave it out.
    Token(String),
}

/// Where an agent wrote something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenIn {
    /// The mirror.
    pub mirror: String,
    /// The id it has there.
    pub remote: Option<String>,
}

/// Where an answer goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The configured channel.
    pub channel: String,
    /// Its kind.
    pub kind: String,
    /// To whom.
    pub identity: IdentityId,
    /// The address behind it.
    pub address: Identity,
    /// The customer's message that it answers.
    pub answers: MessageId,
    /// Until when the channel takes it.
    pub until: Option<Timestamp>,
    /// The template that it is sent as.
    pub template: Option<Filled>,
}

/// A message in words that a platform has approved beforehand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Template {
    /// Its name there.
    pub name: String,
    /// Its language, as the platform writes it (`fi`, `en_US`).
    pub language: String,
    /// What it says, with `{{1}}`, `{{2}}` … in the places of parameters.
    pub text: String,
}

impl Template {
    /// How many parameters it takes: places are counted from 1 without a gap.
    pub fn places(&self) -> usize {
        (1..).take_while(|n| self.text.contains(&place(*n))).count()
    }

    /// What it says with these parameters.
    pub fn filled(&self, parameters: &[String]) -> String {
        let mut said = String::new();
        let mut rest = self.text.as_str();
        while let Some(at) = rest.find("{{") {
            let here = (1..).zip(parameters).find(|(n, _)| rest[at..].starts_with(&place(*n)));
            let (shown, taken) = match here {
                Some((n, parameter)) => (parameter.as_str(), place(n).len()),
                None => ("{{", 2),
            };
            said.push_str(&rest[..at]);
            said.push_str(shown);
            rest = &rest[at + taken..];
        }
        said + rest
    }
}

fn place(n: usize) -> String {
    format!("{{{{{n}}}}}")
}

/// A template as an agent filled it in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filled {
    /// Its name.
    pub name: String,
    /// Its language.
    pub language: String,
    /// What stands in its places.
    pub parameters: Vec<String>,
    /// What it says with that; kept as the message's text.
    #[serde(skip)]
    pub text: String,
}

/// Why an answer goes nowhere by itself. The code is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// No customer has said anything on the ticket.
    Nobody,
    /// All that came were calls: a call is answered by a call.
    CallBack,
    /// Whoever wrote could be somebody else: the agent picks the address himself.
    Unverified,
    /// The vendor takes nothing any more until the customer writes again.
    WindowClosed,
    /// The channel is not set up to send.
    ChannelMute,
    /// A program answers at the address, again and again: the agent picks it himself.
    MailLoop,
    /// What the agent picked is nobody's who takes part.
    PickUnknown,
    /// A template was asked for on a channel that has none.
    TemplateNone,
    /// A template was asked for that the channel does not have.
    TemplateUnknown,
    /// A template was filled in with what it does not take.
    TemplateParameters,
    /// A template was to take files along.
    TemplateFiles,
    /// The ticket is not there any more, or never was.
    TicketUnknown,
}

impl Obstacle {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::CallBack => "call_back",
            Self::Unverified => "unverified",
            Self::WindowClosed => "window_closed",
            Self::ChannelMute => "channel_mute",
            Self::MailLoop => "mail_loop",
            Self::PickUnknown => "pick_unknown",
            Self::TemplateNone => "template_none",
            Self::TemplateUnknown => "template_unknown",
            Self::TemplateParameters => "template_parameters",
            Self::TemplateFiles => "template_files",
            Self::TicketUnknown => "ticket_unknown",
        }
    }

    /// The obstacle of a code.
    pub fn parse(code: &str) -> Option<Self> {
        let all = [
            Self::Nobody,
            Self::CallBack,
            Self::Unverified,
            Self::WindowClosed,
            Self::ChannelMute,
            Self::MailLoop,
            Self::PickUnknown,
            Self::TemplateNone,
            Self::TemplateUnknown,
            Self::TemplateParameters,
            Self::TemplateFiles,
            Self::TicketUnknown,
        ];
        all.into_iter().find(|obstacle| obstacle.code() == code)
    }

    /// A sentence for the agent: what is in the way, and what he can do.
    pub fn says(self) -> &'static str {
        match self {
            Self::Nobody => "No customer has said anything on this ticket: there is nobody to answer.",
            Self::CallBack => "The customer telephoned: call back. To write instead, pick an address.",
            Self::Unverified => "Whoever wrote could be somebody else: make sure, then pick the address.",
            Self::WindowClosed => {
                "The platform takes no answer any more until the customer writes again: send one of the channel's templates, \
                 if the ticket's answer names any, or pick another address."
            }
            Self::ChannelMute => "The channel is not set up to send: see `lanka check`.",
            Self::MailLoop => {
                "A program answers mail there, again and again within the hour, so that nothing is sent by itself: to write \
                 all the same, pick the address."
            }
            Self::PickUnknown => "What was picked is no address of anybody who takes part in this ticket.",
            Self::TemplateNone => {
                "The channel has no templates: write the answer itself, without /template, or pick another address."
            }
            Self::TemplateUnknown => {
                "The channel has no such template: write /template and the name of one that it has in the first line."
            }
            Self::TemplateParameters => {
                "The template takes other parameters: below /template NAME write one a line, as many as it has places, none of \
                 them empty, without tabs and without more than four spaces in a row."
            }
            Self::TemplateFiles => "A template takes no files along: leave them out.",
            Self::TicketUnknown => "There is no such ticket.",
        }
    }

    /// What to do about a window that is closed where the channel has templates.
    pub const SAYS_OF_TEMPLATES: &'static str = "Until the customer writes again, the platform takes only the templates \
        named here: write \"/template NAME\" as the first line, and one parameter a line below it; or pick another address.";
}

/// How a channel can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// How long after the customer's last message the vendor takes answers.
    pub window: Option<Duration>,
    /// Answers go into the very session that the message came by, to whoever sits there: the address need not be vouched
    /// for, since nobody else is reached by it.
    pub is_session: bool,
    /// The domain on which answers have Message-IDs; `None` where they are no mails.
    pub id_domain: Option<String>,
    /// Automatic messages of a contact on one ticket within an hour, from which on nothing is sent to him unless it is picked.
    /// `None` where programs do not answer.
    pub automatic_max: Option<u32>,
    /// What can be sent when the window is closed.
    pub templates: Arc<[Template]>,
}

/// A customer's message, as far as answering it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Which.
    pub message: MessageId,
    /// The configured channel.
    pub channel: String,
    /// Its kind.
    pub kind: String,
    /// Where its id is unique.
    pub namespace: String,
    /// By whom.
    pub contact: ContactId,
    /// From which address.
    pub identity: IdentityId,
    /// The address itself.
    pub address: Identity,
    /// How well the channel vouched for it in this message.
    pub assurance: Assurance,
    /// It was marked: nobody vouches for its sender, or his domain denies it.
    pub is_doubted: bool,
    /// Messages on the ticket within the last hour that programs wrote: those of the contact, and of senders who take no part.
    pub automatic: u32,
    /// It was a call.
    pub is_call: bool,
    /// On the ticket itself, by somebody who takes part in it; others are of those who do, on other tickets.
    pub is_here: bool,
    /// When the vendor had it.
    pub at: Timestamp,
}

/// Where an answer would go now, as agents are told before they write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnswerView {
    /// There.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<AddressView>,
    /// Nowhere by itself: the code of what is in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<Obstacle>,
    /// The same in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub says: Option<&'static str>,
    /// What alone can be sent to the address that answers go to, for its window is closed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<Template>,
    /// What the agent may pick instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<AddressView>,
}

/// An address that answers can go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AddressView {
    /// The configured channel.
    pub channel: String,
    /// Its kind.
    pub channel_kind: String,
    /// The address, as `scheme:value`: what is picked by.
    pub address: String,
    /// Until when the channel takes an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl From<&Route> for AddressView {
    fn from(route: &Route) -> Self {
        Self {
            channel: route.channel.clone(),
            channel_kind: route.kind.clone(),
            address: route.address.written(),
            until: route.until,
        }
    }
}

/// An answer as the channel that carries it is given it.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried {
    /// The agent's message.
    pub message: MessageId,
    /// The id that it was given here: for mail its Message-ID, else what the vendor is asked to give back.
    pub key: String,
    /// To whom.
    pub to: Identity,
    /// Who wrote it, as the customer may see it.
    pub by: Option<String>,
    /// When.
    pub at: Timestamp,
    /// What was written.
    pub text: String,
    /// Files.
    pub files: Vec<CarriedFile>,
    /// The vendor's id of the message that it answers; `None` when that is on another ticket.
    pub answers_key: Option<String>,
    /// The subject of it.
    pub subject: Option<String>,
    /// What the channel noted of it for its answer ([`Incoming::answer_path`](super::message::Incoming::answer_path)).
    pub path: Option<String>,
    /// When the customer last wrote from that address.
    pub last_heard_at: Timestamp,
    /// How far it came: what has come anywhere is not sent again.
    pub progress: Option<Progress>,
    /// The template that it is sent as; the text says the same in words.
    pub template: Option<Filled>,
    /// No person wrote it: it is never sent twice, and says of itself what it is where the channel has a way to.
    pub is_automatic: bool,
    /// An attempt at sending it ended unseen: it may have arrived.
    pub may_be_sent: bool,
}

/// A file of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct CarriedFile {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// Its bytes.
    pub bytes: bytes::Bytes,
}
