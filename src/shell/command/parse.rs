//! `lanka parse`: what a channel reads out of files, without configuration and database.
//!
//! One JSON object for each message or update, and one for each fault, in the order of the files
//! (DESIGN 3.1). The desk is unknown here: nobody is taken for an agent by his address, and nothing is
//! authenticated, for no server is trusted.
//!
//! A call is one message, however many records its log has of it: those of one `source_key` in one file
//! are joined as the daemon joins them, and stand under `call.legs`. A call is printed when its file ends,
//! or when [`CALLS_HELD_MAX`] more have begun after it; a record that comes later still is printed as one
//! more message with that `source_key`.

use super::Failure;
use super::history::{self, Cut, Delivery};
use super::output::Output;
use crate::config::Settings;
use crate::pure::channels::{self, Channel, Form, Kind, Setup};
use crate::pure::decide::normalise::normalise;
use crate::pure::decide::{join_legs, join_texts};
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::{MessageId, RawEventId};
use crate::pure::domain::message::{Attachment, Authentication, Call, CallOutcome, Direction, What};
use crate::pure::domain::message::{
    AttachmentSource, Auto, Content, Fault, Mark, Message, Parsed, RawEvent, Reference, Sender, SenderIdentity,
};
use crate::pure::domain::policy::Policy;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// A larger mail is a fault here. Mailboxes take 50 MB unless they are told otherwise.
const MAIL_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// A larger body is a fault here. Vendors send at most 3 MB, and JSON takes twenty times its size in memory.
const BODY_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Of a longer line no more is kept, which the channel finds too long by itself.
const LINE_BYTES_MAX: u64 = 1024 * 1024;

/// Lines of a log are read in pieces of this size, so that a log of any length needs the memory of one,
/// and no piece has more records than a channel takes out of one delivery. The layout of a log is
/// guessed anew for each piece.
const PIECE_BYTES: usize = 256 * 1024;

/// Calls held back for further records of them. An exchange writes those within the length of a call, in
/// which a large one begins some hundred others.
const CALLS_HELD_MAX: usize = 4096;

#[derive(Debug, clap::Args)]
pub(super) struct Parse {
    /// The kind of channel, as in the configuration.
    #[arg(long, value_name = "KIND", value_parser = known_kind)]
    kind: String,
    /// Mail (mbox, Maildir, .eml), bodies of webhooks (JSON, one or one a line), call logs.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

fn known_kind(word: &str) -> Result<String, String> {
    let names: Vec<&str> = channels::KINDS.iter().map(|kind| kind.name).collect();
    match channels::kind(word) {
        Some(_) => Ok(word.to_owned()),
        None => Err(format!("the kinds are {}", names.join(", "))),
    }
}

/// A message or update, as it is printed.
#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    what: What,
    source_key: &'a str,
    direction: Direction,
    #[serde(skip_serializing_if = "SenderLine::is_empty")]
    sender: SenderLine<'a>,
    /// The customer to whom the desk spoke.
    #[serde(skip_serializing_if = "SenderLine::is_empty")]
    recipient: SenderLine<'a>,
    /// The sender's new addresses, which the vendor reports.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    moved_to: &'a [SenderIdentity],
    #[serde(skip_serializing_if = "Option::is_none")]
    occurred_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "str::is_empty")]
    subject: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    text: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    own_text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<&'a Call>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<AttachmentLine<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    references: &'a [Reference],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    marks: &'a [Mark],
    /// Who wrote what is forwarded, as it says itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    forwarded_from: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto: Option<Auto>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authenticated: Option<Authentication>,
}

#[derive(Serialize)]
struct SenderLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    identities: &'a [SenderIdentity],
}

impl<'a> SenderLine<'a> {
    fn of(sender: &'a Sender) -> Self {
        Self { name: sender.name.as_deref(), identities: &sender.identities }
    }

    fn is_empty(&self) -> bool {
        self.name.is_none() && self.identities.is_empty()
    }
}

#[derive(Serialize)]
struct AttachmentLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "str::is_empty")]
    media_type: &'a str,
    /// Absent while they are with the vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

/// What could not be read, as it is printed.
#[derive(Serialize)]
struct FaultLine<'a> {
    file: &'a str,
    what: &'static str,
    code: &'a str,
    detail: &'a str,
}

impl Parse {
    pub(super) fn run(self, output: &mut Output) -> Result<(), Failure> {
        let broken = || Failure::failed("the defaults of the configuration are broken: please report it");
        let settings = Settings::bare().ok_or_else(broken)?;
        let kind = channels::kind(&self.kind).ok_or_else(broken)?;
        let defaults = &settings.sections.defaults;
        let setup = Setup { name: kind.name, region: &defaults.region, time_zone: &defaults.time_zone };
        let reader = Reader { kind, channel: (kind.dry)(&setup), policy: settings.policy_under("main", [0; 32]) };
        let mut unreadable = false;
        for file in &self.files {
            if let Err(error) = reader.read(file, output)? {
                unreadable = true;
                eprintln!("lanka: cannot read {}: {error}", file.display());
            }
        }
        output.finish()?;
        if unreadable { Err(Failure::Said) } else { Ok(()) }
    }
}

/// Reads files of one kind.
struct Reader {
    kind: &'static Kind,
    channel: Box<dyn Channel>,
    policy: Policy,
}

impl Reader {
    /// Prints what is in a file. The inner error is the file's.
    fn read(&self, path: &Path, output: &mut Output) -> Result<std::io::Result<()>, Failure> {
        let bytes_max = match self.kind.form {
            Form::Mail => MAIL_BYTES_MAX,
            Form::Body => BODY_BYTES_MAX,
            Form::Line => LINE_BYTES_MAX,
        };
        let cut = Cut { form: self.kind.form, bytes_max, piece_bytes: PIECE_BYTES };
        let mut deliveries = match history::open(path, cut) {
            Ok(deliveries) => deliveries.peekable(),
            Err(error) => return Ok(Err(error)),
        };
        if deliveries.peek().is_none() {
            fault(output, &path.display().to_string(), &Fault::new("empty", "there is nothing in it"))?;
        }
        let mut calls = Calls::default();
        for delivery in deliveries {
            match delivery {
                Ok(delivery) => self.show(delivery, bytes_max, &mut calls, output)?,
                Err(error) => {
                    calls.finish(output)?;
                    return Ok(Err(error));
                }
            }
        }
        calls.finish(output).map(Ok)
    }

    fn show(&self, delivery: Delivery, bytes_max: u64, calls: &mut Calls, output: &mut Output) -> Result<(), Failure> {
        let file = delivery.file.display().to_string();
        let place = delivery.place;
        let located = |found: Fault| match (self.kind.form, place.as_str()) {
            (_, "") | (Form::Line, "line 1") => found,
            // Lines are counted within their piece.
            (Form::Line, _) => Fault { detail: format!("from {place} on, {}", found.detail), ..found },
            _ => Fault { detail: format!("{place}: {}", found.detail), ..found },
        };
        let Some(body) = delivery.body else {
            let detail = format!("it has {} bytes, and {bytes_max} are the most", delivery.bytes);
            return fault(output, &file, &located(Fault::new("too_large", detail)));
        };
        let event = RawEvent {
            id: RawEventId(Uuid::nil()),
            tenant: "main".to_owned(),
            channel: self.kind.name.to_owned(),
            kind: self.kind.name.to_owned(),
            received_at: Timestamp::now(),
            trusted_at: None,
            origin: String::new(),
            body: body.into(),
        };
        // A reader that panics has a bug: the file is named, and the others are read all the same.
        let reading = std::panic::AssertUnwindSafe(|| self.channel.parse(&event));
        let parsed = std::panic::catch_unwind(reading).unwrap_or_else(|_| Parsed {
            items: Vec::new(),
            faults: vec![Fault::new(
                "reader_panicked",
                "reading it failed inside lanka: please report it with the payload",
            )],
        });
        if parsed.items.is_empty() && parsed.faults.is_empty() {
            let nothing = Fault::new("nothing", "it is well-formed, and there is no message or update in it");
            fault(output, &file, &located(nothing))?;
        }
        for (item, incoming) in (0u32..).zip(parsed.items).filter(|(_, incoming)| !incoming.redacted) {
            let stated_at = incoming.occurred_at;
            let message = normalise(&event, item, incoming, MessageId(Uuid::nil()), &self.policy);
            let said = Said { file: file.clone(), stated_at, message };
            match said.message.incoming.content {
                Content::Call(..) => calls.take(said, output)?,
                Content::Text(_) => said.print(output)?,
            }
        }
        parsed.faults.into_iter().try_for_each(|found| fault(output, &file, &located(found)))
    }
}

/// A message or update and where it was read.
struct Said {
    file: String,
    stated_at: Option<Timestamp>,
    message: Message,
}

impl Said {
    fn print(&self, output: &mut Output) -> Result<(), Failure> {
        output.json(&line(&self.file, self.stated_at, &self.message))
    }

    /// Takes in another record of the same call.
    fn join(&mut self, leg: Said) {
        let (held, more) = (&mut self.message, leg.message);
        self.stated_at = [self.stated_at, leg.stated_at].into_iter().flatten().min();
        if let (Content::Call(call, text), Content::Call(other, words)) =
            (&mut held.incoming.content, &more.incoming.content)
        {
            (*call, *text) = (join_legs(call, other), join_texts(text, words));
        }
        held.own_text = join_texts(&held.own_text, &more.own_text);
        held.incoming.marks.extend(&more.incoming.marks);
        held.incoming.marks.sort();
        held.incoming.marks.dedup();
        // Somebody took it after all.
        let is_taken =
            matches!(&held.incoming.content, Content::Call(call, _) if call.outcome == CallOutcome::Answered);
        held.incoming.marks.retain(|mark| *mark != Mark::CallBack || !is_taken);
        // A record between colleagues says nothing about who called.
        if held.customer().identities.is_empty() && !more.customer().identities.is_empty() {
            held.incoming.direction = more.incoming.direction;
            (held.incoming.sender, held.incoming.recipient) = (more.incoming.sender, more.incoming.recipient);
        }
    }
}

/// Calls of one file, in the order of their first records, until no more records of them are expected.
#[derive(Default)]
struct Calls {
    held: VecDeque<Said>,
    /// How many were printed: the number of the first one held.
    printed: usize,
    /// The number of each call held, by its key.
    numbers: HashMap<String, usize>,
}

impl Calls {
    fn take(&mut self, said: Said, output: &mut Output) -> Result<(), Failure> {
        let number = self.numbers.get(&said.message.incoming.source_key);
        if let Some(known) = number.and_then(|number| self.held.get_mut(number - self.printed)) {
            known.join(said);
            return Ok(());
        }
        self.numbers.insert(said.message.incoming.source_key.clone(), self.printed + self.held.len());
        self.held.push_back(said);
        if self.held.len() > CALLS_HELD_MAX { self.print_first(output) } else { Ok(()) }
    }

    fn print_first(&mut self, output: &mut Output) -> Result<(), Failure> {
        let Some(first) = self.held.pop_front() else { return Ok(()) };
        self.numbers.remove(&first.message.incoming.source_key);
        self.printed += 1;
        first.print(output)
    }

    fn finish(&mut self, output: &mut Output) -> Result<(), Failure> {
        while !self.held.is_empty() {
            self.print_first(output)?;
        }
        Ok(())
    }
}

fn fault(output: &mut Output, file: &str, fault: &Fault) -> Result<(), Failure> {
    output.json(&FaultLine { file, what: "fault", code: fault.code, detail: &fault.detail })
}

fn line<'a>(file: &'a str, stated_at: Option<Timestamp>, message: &'a Message) -> Line<'a> {
    let incoming = &message.incoming;
    Line {
        file,
        what: incoming.what,
        source_key: &incoming.source_key,
        direction: incoming.direction,
        sender: SenderLine::of(&incoming.sender),
        recipient: SenderLine::of(&incoming.recipient),
        moved_to: &incoming.moved_to,
        occurred_at: stated_at,
        subject: incoming.subject.as_deref().unwrap_or_default(),
        text: incoming.content.text(),
        own_text: &message.own_text,
        call: match &incoming.content {
            Content::Call(call, _) => Some(call),
            Content::Text(_) => None,
        },
        attachments: incoming.attachments.iter().map(attachment).collect(),
        references: &incoming.references,
        marks: &incoming.marks,
        forwarded_from: incoming.forwarded_from.as_deref(),
        auto: incoming.auto,
        authenticated: incoming.authentication,
    }
}

fn attachment(attachment: &Attachment) -> AttachmentLine<'_> {
    let bytes = match &attachment.source {
        AttachmentSource::Inline(bytes) => Some(bytes),
        AttachmentSource::Remote(_) => None,
    };
    AttachmentLine {
        name: attachment.name.as_deref(),
        media_type: &attachment.media_type,
        bytes: bytes.map(|bytes| bytes.len()),
        sha256: bytes.map(|bytes| hex::encode(Sha256::digest(bytes))),
    }
}
