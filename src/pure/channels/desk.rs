//! What agents do in a tool of theirs, in lanka's own JSON: signed as Standard Webhooks.
//!
//! `POST /hooks/{channel}` with one act or a list of acts:
//!
//! ```json
//! {"event_id": "d-1", "type": "reply", "on": {"channel": "facebook", "source_key": "m_1"},
//!  "text": "It left on Monday.", "message_id": "m_2", "at": "2026-03-03T05:55:48Z"}
//! {"event_id": "d-2", "type": "reply", "on": {"channel": "mail", "source_key": "a1@posti.example"},
//!  "message": "From: …\r\nMessage-ID: <…>\r\n…", "ticket_ref": "KK-10001", "at": "2026-03-03T06:10:00Z"}
//! {"event_id": "d-3", "type": "note", "on": {"channel": "phone", "source_key": "1772517138.1"}, "text": "Wants a call back"}
//! {"event_id": "d-4", "type": "close", "on": {"channel": "phone", "source_key": "1772517138.1"}}
//!
//! {"event_id": "d-5", "type": "assign", "ticket": "#1042", "owner": "Aino"}
//! {"event_id": "d-6", "type": "answer", "ticket": "#1042", "text": "It left on Monday.", "by": "Aino", "to": "facebook"}
//! ```
//!
//! `on` names the message that it is about by the configured channel and the vendor's id, as `lanka export
//! assignments` does. It may come before that message: it waits then. A `note`, an
//! `answer`, and what is done with a ticket (`close`, `reopen`, `assign`, `await`, `resume`, `route`) may name a `ticket` instead: lanka's id of it, or its number.
//!
//! | `type` | becomes |
//! |---|---|
//! | `reply` with `message`, the whole mail sent (RFC 5322) | an agent's mail: its Message-ID is one that the desk is known to have sent |
//! | `reply` with `text` | an agent's message; `message_id`, if given, is its id where the message is from that it answers: what a customer quotes |
//! | `note` | an agent's message for colleagues, marked `internal` |
//! | `answer` | an agent's message that **lanka** carries, to where answers go (DESIGN 6) or `to` the address or channel picked, with `attachments` (`[{"name", "type", "data"}]`, in base64); `by` is who wrote it; one that is `automatic` was written by no person: it counts as no answer of the desk's |
//! | `close` | an update: the conversation of that message is closed, and with the last of them the ticket |
//! | `reopen` | an update: that conversation is open again, and with it the ticket |
//! | `assign` | an update: `owner` has the ticket of that message from now on; without one, nobody |
//! | `await` | an update: the desk waits for the customer, until he says something or `resume` comes |
//! | `route` | an update: the ticket of that message is in `queue` from now on |
//! | any other | the fault `unknown_act` |
//!
//! `ticket_ref` is the number that the tool put into the subject. It counts for what `[matters]` says of such numbers.
//!
//! **Namespace:** `mail` for a mail, that of the message it is on for what has a `message_id`, else `desk:` and the channel's
//! name. **Identities:** none; an act is towards whoever said the message that it is on. **Invariant:** what has no
//! signature of ours is no agent's word.

use super::{Accounts, Built, Channel, Delivery, Forged, Form, Intake, Kind, Own, Redacted, Setup, Unfit};
use crate::pure::domain::Timestamp;
use crate::pure::domain::answer::{Answer, CarriedFile, OnTicket};
use crate::pure::domain::message::{
    Attachment, AttachmentSource, Auto, Content, Direction, Incoming, Mark, On, Parsed, RawEvent, What,
};
use crate::pure::domain::secret::Secret;
use crate::pure::wire::batch::Batch;
use crate::pure::wire::mime::{self, MailSettings};
use crate::pure::wire::standard_webhooks::{self, SigningKey};
use crate::pure::wire::{json, redact, settings};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::Value;

/// The kind, as the configuration knows it.
pub const KIND: Kind = Kind { name: NAME, form: Form::Body, like: None, accounts: Accounts::NONE, build, dry };

const NAME: &str = "desk";

/// The name of the channel by which the API gives answers: lanka's own, of every firm, and no webhook.
pub const API: &str = "api";

/// The channel of that name.
pub fn api() -> Box<dyn Channel> {
    Box::new(Desk { keys: Vec::new(), name: API.to_owned() })
}

/// Where the ids of what is given by way of the API are unique, and what tells an answer from a note there.
pub fn of_given(is_note: bool) -> (String, &'static str) {
    (format!("{NAME}:{API}"), if is_note { "note" } else { "answer" })
}

/// An answer, or a note for colleagues, on a ticket.
#[derive(Debug, Clone, Copy)]
pub struct GivenAct<'a> {
    /// What tells it from others.
    pub key: &'a str,
    /// The ticket.
    pub ticket: &'a str,
    /// It is for colleagues.
    pub is_note: bool,
    /// The words.
    pub text: &'a str,
    /// lanka itself tells it, and no agent.
    pub is_automatic: bool,
    /// Who wrote it.
    pub by: &'a str,
    /// The address or channel that he picked.
    pub to: Option<&'a str>,
    /// Files that go along.
    pub files: &'a [CarriedFile],
    /// When.
    pub at: Timestamp,
}

/// The delivery of one.
pub fn given(act: &GivenAct<'_>) -> Vec<u8> {
    let GivenAct { key, ticket, is_note, text, is_automatic, by, to, files, at } = *act;
    let kind = if is_note { "note" } else { "answer" };
    let mut act = serde_json::json!({
        "event_id": key, "type": kind, "ticket": ticket, "text": text, "by": by, "at": at.to_string(),
    });
    if let Some(to) = to {
        act["to"] = to.into();
    }
    if is_automatic {
        act["automatic"] = true.into();
    }
    if !files.is_empty() {
        let file = |file: &CarriedFile| serde_json::json!({ "name": file.name, "type": file.media_type, "data": BASE64.encode(&file.bytes) });
        act["attachments"] = files.iter().map(file).collect();
    }
    act.to_string().into_bytes()
}

/// Something that is done with a ticket by way of the API.
#[derive(Debug, Clone, Copy)]
pub struct DoneAct<'a> {
    /// What tells it from others.
    pub key: &'a str,
    /// The ticket.
    pub ticket: &'a str,
    /// What is done.
    pub what: Doing<'a>,
    /// Who did it.
    pub by: &'a str,
    /// When.
    pub at: Timestamp,
}

/// What can be done with a ticket by way of the API.
#[derive(Debug, Clone, Copy)]
pub enum Doing<'a> {
    /// The desk waits for the customer.
    Await,
    /// It waits no longer.
    Resume,
    /// It goes to a queue.
    Route(&'a str),
}

impl Doing<'_> {
    fn kind(self) -> &'static str {
        match self {
            Self::Await => "await",
            Self::Resume => "resume",
            Self::Route(_) => "route",
        }
    }
}

/// The delivery of one.
pub fn done(act: &DoneAct<'_>) -> Vec<u8> {
    let DoneAct { key, ticket, what, by, at } = *act;
    let mut done = serde_json::json!({
        "event_id": key, "type": what.kind(), "ticket": ticket, "by": by, "at": at.to_string(),
    });
    if let Doing::Route(queue) = what {
        done["queue"] = queue.into();
    }
    done.to_string().into_bytes()
}

/// The channel's table in the configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The signing key, `whsec_` and base64.
    secret: Secret,
    /// Keys that still verify while the sender changes to a new one.
    #[serde(default)]
    previous_secrets: Vec<Secret>,
}

fn build(setup: &Setup<'_>, table: toml::Table) -> Result<Built, Unfit> {
    let (settings, mut problems): (Settings, _) = settings::read_kind(table)?;
    let keys = standard_webhooks::signing_keys(&settings.secret, &settings.previous_secrets, &mut problems);
    let channel = Box::new(Desk { keys, name: setup.name.to_owned() });
    Built { channel, intake: Intake::Webhook, own: Own::default() }.unless(problems)
}

fn dry(setup: &Setup<'_>) -> Box<dyn Channel> {
    Box::new(Desk { keys: Vec::new(), name: setup.name.to_owned() })
}

struct Desk {
    keys: Vec<SigningKey>,
    /// The channel's name: what its own ids are unique in.
    name: String,
}

impl Channel for Desk {
    fn verify(&self, delivery: &Delivery<'_>) -> Result<(), Forged> {
        standard_webhooks::verify(&self.keys, delivery, standard_webhooks::TOLERANCE_S)
    }

    fn parse(&self, event: &RawEvent) -> Parsed {
        match json::read(&event.body) {
            Ok(body) => self.batch(event, &body).finish(),
            Err(fault) => Parsed { items: Vec::new(), faults: vec![fault] },
        }
    }

    fn redact(&self, event: &RawEvent, item: u32) -> Option<Redacted> {
        redact::in_json(&event.body, item, |body| self.batch(event, body), |_, _| {})
    }
}

impl Desk {
    fn batch(&self, event: &RawEvent, body: &Value) -> Batch {
        let mut batch = Batch::default();
        for act in body.as_array().map_or(std::slice::from_ref(body), Vec::as_slice) {
            if !batch.is_redacted(act) {
                self.act(event, act, &mut batch);
            }
        }
        batch
    }

    fn act(&self, event: &RawEvent, act: &Value, batch: &mut Batch) {
        let kind = json::text(act, "type").unwrap_or_default();
        let of_on = |key: &str| json::id(act.get("on")?, key);
        if let Some(ticket) = json::id(act, "ticket").filter(|_| kind != "reply") {
            return match self.on_ticket(act, &kind, ticket) {
                Ok(incoming) => batch.item(act, incoming),
                Err((code, detail)) => batch.fault(code, detail),
            };
        }
        let (Some(channel), Some(source_key)) = (of_on("channel"), of_on("source_key")) else {
            return batch.fault(
                "no_on",
                "an act has no `on` with `channel` and `source_key` of the message that it is on, and none on a `ticket`",
            );
        };
        let read = match kind.as_str() {
            "reply" if json::has(act, "message") => sent_mail(event, act),
            "reply" => self.said(act, &kind).map(|said| reply(act, said)),
            "note" => self.said(act, &kind).map(note),
            _ if OF_TICKET.contains(&kind.as_str()) => self.of_ticket(act, &kind),
            "answer" => Err((
                "no_ticket",
                "an answer names no `ticket`: lanka finds out itself which message it answers".to_owned(),
            )),
            _ => Err(unknown(&kind)),
        };
        match read {
            Ok(mut incoming) => {
                // A mail is named by its Message-ID, which some write as it stands in the header.
                let bare = source_key.strip_prefix('<').and_then(|key| key.strip_suffix('>'));
                let source_key = bare.map(str::to_owned).unwrap_or(source_key);
                let is_answered_there =
                    kind == "reply" && !json::has(act, "message") && json::id(act, "message_id").is_some();
                incoming.on = Some(On { channel, source_key, is_answered_there, message: None });
                incoming.direction = Direction::FromAgent;
                incoming.ticket_ref = json::filled(act, "ticket_ref");
                batch.item(act, incoming);
            }
            Err((code, detail)) => batch.fault(code, detail),
        }
    }

    /// What is done on a ticket rather than on a message of it.
    fn on_ticket(&self, act: &Value, kind: &str, ticket: String) -> Result<Incoming, Misread> {
        let mut incoming = match kind {
            "answer" => self.said(act, kind)?,
            "note" => self.said(act, kind).map(note)?,
            _ if OF_TICKET.contains(&kind) => self.of_ticket(act, kind)?,
            _ => return Err(unknown(kind)),
        };
        if incoming.what == What::Message {
            incoming.attachments = attachments(act)?;
        }
        incoming.direction = Direction::FromAgent;
        incoming.sender.name = json::filled(act, "by");
        incoming.auto = (act.get("automatic") == Some(&Value::Bool(true))).then_some(Auto::Notice);
        let (on, to) = (OnTicket::Named(ticket), json::filled(act, "to"));
        incoming.answer = Some(Box::new(Answer { on, to, given_in: None, route: None, may_echo: false }));
        Ok(incoming)
    }

    /// What an agent wrote, under an id of the tool's own.
    fn said(&self, act: &Value, kind: &str) -> Result<Incoming, Misread> {
        let Some(text) = json::filled(act, "text") else {
            return Err(("no_text", format!("an act of type `{kind}` says nothing: it has no `text`")));
        };
        Ok(Incoming { content: Content::Text(text), ..self.own(act, kind) })
    }

    /// What is done with a ticket, rather than said on it.
    fn of_ticket(&self, act: &Value, kind: &str) -> Result<Incoming, Misread> {
        let (what, text) = match kind {
            "close" => (What::Close, None),
            "reopen" => (What::Reopen, None),
            "await" => (What::Await, None),
            "resume" => (What::Resume, None),
            "route" => (What::Route, Some(queue(act)?)),
            _ => (What::Assign, json::filled(act, "owner")),
        };
        Ok(Incoming { what, content: Content::Text(text.unwrap_or_default()), ..self.own(act, kind) })
    }

    fn own(&self, act: &Value, kind: &str) -> Incoming {
        let key = json::id(act, "event_id").unwrap_or_else(|| json::made_key(&[], act));
        let mut incoming = Incoming { variant: kind.to_owned(), ..Incoming::new(format!("{NAME}:{}", self.name), key) };
        incoming.occurred_at = at(act);
        incoming.occurred_trusted = incoming.occurred_at.is_some();
        if incoming.occurred_at.is_none() {
            incoming.marks.push(Mark::DateDoubtful);
        }
        incoming
    }
}

/// Files of one act at most.
const FILES_MAX: usize = 10;

/// The files of an answer or note: `[{"name", "type", "data": "<base64>"}]`. Without all of them it is another answer.
fn attachments(act: &Value) -> Result<Vec<Attachment>, Misread> {
    let files = json::elements(act, "attachments");
    let misread = || {
        (
            "bad_attachment",
            format!("`attachments` are at most {FILES_MAX} files with `name`, `type` and `data` in base64"),
        )
    };
    if files.len() > FILES_MAX || (files.is_empty() && json::has(act, "attachments")) {
        return Err(misread());
    }
    let one = |file: &Value| {
        let bytes = BASE64.decode(file.get("data")?.as_str()?).ok().filter(|bytes| !bytes.is_empty())?;
        let (name, media_type) = (json::filled(file, "name"), json::filled(file, "type")?);
        Some(Attachment { name, media_type, source: AttachmentSource::Inline(bytes.into()), inline: false })
    };
    files.iter().map(|file| one(file).ok_or_else(misread)).collect()
}

/// Why an act cannot be read: code and sentence of the fault.
type Misread = (&'static str, String);

fn unknown(kind: &str) -> Misread {
    let kind = if kind.is_empty() { "no type".to_owned() } else { format!("type `{}`", json::word(kind)) };
    (
        "unknown_act",
        format!(
            "an act of {kind} is none of `reply`, `answer`, `note`, `close`, `reopen`, `assign`, `await`, `resume` and `route`"
        ),
    )
}

/// What is done with a ticket rather than said on it.
const OF_TICKET: [&str; 6] = ["close", "reopen", "assign", "await", "resume", "route"];

/// Longest name of a queue.
const QUEUE_CHARS_MAX: usize = 63;

/// The queue that a ticket is put into.
fn queue(act: &Value) -> Result<String, Misread> {
    let queue = json::filled(act, "queue").map(|queue| queue.trim().to_owned());
    let queue = queue.filter(|queue| !queue.is_empty() && queue.len() <= QUEUE_CHARS_MAX);
    let is_name = |queue: &String| queue.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let misread =
        || ("no_queue", "an act of type `route` names no `queue`, as it is called in the configuration".to_owned());
    queue.filter(is_name).ok_or_else(misread)
}

/// When the tool says that it was done.
fn at(act: &Value) -> Option<Timestamp> {
    act.get("at").and_then(json::timestamp)
}

/// A mail as it was sent: nobody but the desk signs it here.
fn sent_mail(event: &RawEvent, act: &Value) -> Result<Incoming, Misread> {
    let Some(mail) = json::text(act, "message") else {
        return Err(("no_mail", "the `message` of a reply is no text: the mail as it was sent is wanted".to_owned()));
    };
    let sent = RawEvent { body: mail.into_bytes().into(), ..event.clone() };
    let Parsed { items, faults } = mime::read_sent(&sent, &MailSettings::default());
    let Some(mut incoming) = items.into_iter().next() else {
        let why = faults.into_iter().next().map_or_else(String::new, |fault| format!(": {}", fault.detail));
        return Err(("no_mail", format!("the `message` of a reply cannot be read as a mail{why}")));
    };
    incoming.trusted_at = at(act);
    Ok(incoming)
}

/// An answer; with an id that customers may quote, it bears that.
fn reply(act: &Value, said: Incoming) -> Incoming {
    match json::id(act, "message_id") {
        Some(source_key) => Incoming { source_key, variant: String::new(), ..said },
        None => said,
    }
}

fn note(mut said: Incoming) -> Incoming {
    said.marks.push(Mark::Internal);
    said
}
