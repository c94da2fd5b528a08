//! A shared mailbox: the tool everybody has. Each ticket is one conversation in an IMAP folder, each message on it one mail.
//!
//! Mail programs make one thread of the mails of a ticket: all of them name in `References` one root that is nobody's mail
//! (RFC 5322 3.6.4; RFC 5256, REFERENCES), and have one subject. A mail says at its top on which channel, by whom and when
//! something was said, and where an answer to it would go; calls and chats are mails too, files are attached.
//!
//! **An agent answers by replying.** The mail is from, and to be replied to, an address that holds a token of the ticket
//! (`support+agent.…@example.fi`): it comes in by one of the mail channels, is known for an agent's when the desk's own server
//! or lanka itself has proven that an agent wrote it, and goes to the customer without what it quotes. `/to ADDRESS` in the first line
//! picks where it goes, `/note` keeps it among colleagues.
//!
//! | change | in the folder |
//! |---|---|
//! | a message is new, changed, or on another ticket | the mail of its present state is there, those of earlier states go |
//! | two tickets are one | a mail that belongs to both conversations joins them |
//! | a ticket is closed, or open again | the keyword `$LankaClosed` on its mails, which are read with that; or no longer |
//! | the desk waits for the customer, or no longer | the keyword `$LankaAwaited` on its mails, or no longer |
//! | an agent's answer | the customer's mails before it are answered |
//! | something is suggested, a ready answer fits, it is in another queue, or an agent took the ticket in another tool | a mail that says so |
//! | a person is erased | all mails with his messages go |
//!
//! Every step looks before it writes: mails are known by fields of lanka's own (`X-Lanka-Message`, `X-Lanka-Ticket` …), so that
//! a step that was cut off, or is done twice, puts nothing there twice.
//!
//! What an agent's mail program writes by itself is for colleagues, and mails of ours are marked (`Auto-Submitted`, RFC 3834) so
//! that it does not.
//!
//! **Invariant:** no header field holds an address of a customer: "reply to all" reaches nobody but lanka.

use super::{
    Built, Folder, FoundMails, Kind, Link, MailboxRequest, Mirror, Patience, Reply, SettingsProblem, Setup, Step,
};
use crate::pure::domain::Timestamp;
use crate::pure::domain::identity::EmailAddress;
use crate::pure::domain::message::{Direction, Mark};
use crate::pure::domain::outbox::{Change, LinkedKind, MessageView, Post, TicketView};
use crate::pure::domain::secret::Secret;
use crate::pure::wire::article;
use crate::pure::wire::mail_answer::AGENTS;
use crate::pure::wire::mail_write::{attached, dated, field, line};
use crate::pure::wire::settings::read_kind;
use crate::pure::wire::shown;
use crate::pure::wire::step::Tls;
use crate::pure::wire::written;
use lettre::Address;
use lettre::message::{Mailbox as Named, MessageBuilder, MultiPart, SinglePart};
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// This file's entry in the list of mirrors.
pub const KIND: Kind = Kind { name: "mailbox", build };

/// Fields by which mails of ours are known again.
const OF_MESSAGE: &str = "X-Lanka-Message";
const OF_TICKET: &str = "X-Lanka-Ticket";
const OF_CONTACT: &str = "X-Lanka-Contact";
const OF_NOTE: &str = "X-Lanka-Note";

/// Says that no person mailed it: absence notes do not answer it (RFC 3834 5).
const AUTOMATIC: (&str, &str) = ("Auto-Submitted", "auto-generated");

/// The keyword of mails whose ticket is closed.
const CLOSED: &str = "$LankaClosed";

/// The keyword of mails whose ticket rests until the customer says something.
const AWAITED: &str = "$LankaAwaited";

/// Longest subject and name, in characters.
const SUBJECT_CHARS_MAX: usize = 200;
const NAME_CHARS_MAX: usize = 100;

/// Longest local part of an address (RFC 5321 4.5.3.1.1), and what a token adds to it. Bytes.
const LOCAL_BYTES_MAX: usize = 64;
const TOKEN_BYTES: usize = 1 + AGENTS.len() + 32;

/// The mirror's table in the configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Host name of the IMAP server; its certificate must carry it.
    host: String,
    /// TCP port; by default 993 for `implicit`, 143 for the others.
    port: Option<u16>,
    /// `implicit` (default), `starttls`, or `none`, which only this machine may be reached by.
    #[serde(default = "implicit")]
    tls: Tls,
    /// Login name.
    user: String,
    /// Its password.
    password: Secret,
    /// The folder; it is made if it is not there.
    #[serde(default = "folder")]
    folder: String,
    /// An address of ours that agents reply to, with a token after a `+`: mail to it must come in by one of the mail channels.
    address: String,
    /// Certificates (PEM) to trust beside the system's.
    #[serde(default, deserialize_with = "written::path_opt")]
    ca_file: Option<PathBuf>,
    /// Longest time the server may take for any one answer, in seconds.
    #[serde(default = "timeout_s")]
    timeout_s: u64,
}

fn implicit() -> Tls {
    Tls::Implicit
}
fn folder() -> String {
    "Lanka".to_owned()
}
fn timeout_s() -> u64 {
    60
}

fn build(_setup: &Setup<'_>, table: toml::Table) -> Result<Built, Vec<SettingsProblem>> {
    let (settings, mut problems) = read_kind::<Settings>(table)?;
    let host = settings.host.as_str();
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c == '/') {
        problems.add("host", "write the server's name alone, like imap.example.fi");
    }
    if settings.tls == Tls::None && !matches!(host, "localhost" | "127.0.0.1" | "::1") {
        problems.add("tls", "only this machine is reached without TLS: write \"implicit\" or \"starttls\"");
    }
    if settings.folder.trim().is_empty() || settings.folder.chars().any(char::is_control) {
        problems.add("folder", "write the name of a folder, like \"Lanka\"");
    }
    if !(1..=600).contains(&settings.timeout_s) {
        problems.add("timeout_s", "write between 1 and 600 seconds");
    }
    let address = EmailAddress::parse(&settings.address).ok().and_then(|a| a.as_str().parse::<Address>().ok());
    match &address {
        None => problems.add("address", "write it as support@example.fi"),
        Some(address) if address.user().len() + TOKEN_BYTES > LOCAL_BYTES_MAX => {
            problems.add("address", "it is too long to hold a token before its @");
        }
        Some(_) => {}
    }
    let (Some(address), true) = (address, problems.is_empty()) else { return Err(problems.into()) };
    let folder = Folder {
        port: settings.port.unwrap_or(if settings.tls == Tls::Implicit { 993 } else { 143 }),
        host: settings.host,
        tls: settings.tls,
        ca_file: settings.ca_file,
        user: settings.user,
        password: settings.password,
        folder: settings.folder,
        timeout: Duration::from_secs(settings.timeout_s),
    };
    Ok(Built::outbound(Mailbox { folder, address }))
}

struct Mailbox {
    folder: Folder,
    address: Address,
}

impl Mirror for Mailbox {
    fn patience(&self) -> Patience {
        Patience::default()
    }

    fn shows_html(&self) -> bool {
        true
    }

    fn shows_files(&self) -> bool {
        true
    }

    fn folder(&self) -> Option<&Folder> {
        Some(&self.folder)
    }

    fn next(&self, post: &Post, replies: &[Reply], _now: Timestamp) -> Step {
        match post.change {
            Change::MessageAdded | Change::MessageUpdated | Change::MessageMoved => self.show(post, replies),
            Change::TicketClosed => self.flagged(post, replies, true),
            Change::TicketReopened => self.flagged(post, replies, false),
            Change::TicketMerged => self.joined(post, replies),
            Change::SuggestionMade => self.noted(post, replies, &suggested(post)),
            Change::AnswersOffered => match article::offered(post) {
                Some(text) => {
                    let note = Note { key: format!("ready-{}", post.id), text, root_too: None };
                    self.noted(post, replies, &note)
                }
                None => self.done(post),
            },
            Change::TicketAssigned => {
                let note = Note { key: format!("owner-{}", post.id), text: shown::owner(&post.ticket), root_too: None };
                self.noted(post, replies, &note)
            }
            Change::ClockWarned | Change::ClockBreached => {
                let note = Note { key: format!("clock-{}", post.id), text: shown::clock(post), root_too: None };
                self.noted(post, replies, &note)
            }

            Change::TicketAwaited | Change::TicketResumed => self.awaited(post, replies),
            Change::TicketRouted => {
                let note = Note { key: format!("queue-{}", post.id), text: shown::queue(&post.ticket), root_too: None };
                self.noted(post, replies, &note)
            }

            Change::IncidentLinked | Change::ContactAgain => {
                let note = Note { key: format!("again-{}", post.id), text: shown::recurring(post), root_too: None };
                self.noted(post, replies, &note)
            }
            Change::ContactErased => self.erased(post, replies),
            Change::TicketOpened
            | Change::TicketTriaged
            | Change::ContactMerged
            | Change::ContactSplit
            | Change::AnswerDue => self.done(post),
        }
    }
}

impl Mailbox {
    /// The thread is known by its token from the first change on.
    fn done(&self, post: &Post) -> Step {
        Step::Done(vec![Link { kind: LinkedKind::Ticket, object: post.ticket.id.0, remote: post.token.clone() }])
    }

    /// Of a message the mail of its present state is there, once, and no other. What went to another ticket since is shown by
    /// the lane of that one, which is told as well; what is on none any more goes.
    fn show(&self, post: &Post, replies: &[Reply]) -> Step {
        let Some(message) = &post.message else { return self.done(post) };
        match message.ticket {
            Some(now) if now == post.ticket.id => {}
            Some(_) => return self.done(post),
            None => return self.gone(post, message, replies),
        }
        let [first, rest @ ..] = replies else { return self.look_for(post, message) };
        let found = found(first);
        let stale: Vec<u32> = found.all.iter().filter(|uid| !found.same.contains(uid)).copied().collect();
        // Two daemons may have put it there at once.
        let stale = [stale, found.same.iter().skip(1).copied().collect()].concat();
        let mut left = rest.len();
        if found.same.is_empty() {
            if left == 0 {
                return self.append(post, message);
            }
            left -= 1;
        }
        if !stale.is_empty() {
            if left == 0 {
                return Step::Mailbox(MailboxRequest::Remove(stale));
            }
            left -= 1;
        }
        let is_answer = message.direction == Direction::FromAgent && !message.marks.contains(&Mark::Internal);
        if post.change != Change::MessageAdded || !is_answer {
            return self.done(post);
        }
        // The customer's mails before it are answered.
        match &rest[rest.len() - left..] {
            [] => Step::Mailbox(MailboxRequest::Find { all: (OF_TICKET, post.ticket.id.to_string()), same: None }),
            [of_ticket] => {
                let uids = self::found(of_ticket).all;
                Step::Mailbox(MailboxRequest::Flag { uids, flags: vec!["\\Answered"], set: true })
            }
            _ => self.done(post),
        }
    }

    fn look_for(&self, post: &Post, message: &MessageView) -> Step {
        let all = (OF_MESSAGE, message.id.to_string());
        let same = Some(("Message-ID", format!("<{}>", self.id_of(&post.ticket, message))));
        Step::Mailbox(MailboxRequest::Find { all, same })
    }

    fn gone(&self, post: &Post, message: &MessageView, replies: &[Reply]) -> Step {
        match replies {
            [] => Step::Mailbox(MailboxRequest::Find { all: (OF_MESSAGE, message.id.to_string()), same: None }),
            [first] if !found(first).all.is_empty() => Step::Mailbox(MailboxRequest::Remove(found(first).all)),
            _ => self.done(post),
        }
    }

    fn flagged(&self, post: &Post, replies: &[Reply], is_closed: bool) -> Step {
        match replies {
            [] => Step::Mailbox(MailboxRequest::Find { all: (OF_TICKET, post.ticket.id.to_string()), same: None }),
            [first] if !found(first).all.is_empty() => {
                let flags = if is_closed { vec![CLOSED, "\\Seen"] } else { vec![CLOSED] };
                Step::Mailbox(MailboxRequest::Flag { uids: found(first).all, flags, set: is_closed })
            }
            _ => self.done(post),
        }
    }

    /// The keyword of what waits for the customer is on its mails, or no longer.
    fn awaited(&self, post: &Post, replies: &[Reply]) -> Step {
        let set = post.ticket.awaited_since.is_some();
        match replies {
            [] => Step::Mailbox(MailboxRequest::Find { all: (OF_TICKET, post.ticket.id.to_string()), same: None }),
            [first] if !found(first).all.is_empty() => {
                Step::Mailbox(MailboxRequest::Flag { uids: found(first).all, flags: vec![AWAITED], set })
            }
            _ => self.done(post),
        }
    }

    fn erased(&self, post: &Post, replies: &[Reply]) -> Step {
        let contact = post.detail["contact"].as_str().unwrap_or_default();
        match replies {
            [] if !contact.is_empty() => {
                Step::Mailbox(MailboxRequest::Find { all: (OF_CONTACT, contact.to_owned()), same: None })
            }
            [first] if !found(first).all.is_empty() => Step::Mailbox(MailboxRequest::Remove(found(first).all)),
            _ => self.done(post),
        }
    }

    /// Two conversations become one by a mail that names the roots of both; it is put there in the lane of the ticket that
    /// stays.
    fn joined(&self, post: &Post, replies: &[Reply]) -> Step {
        let Some(other) = post.other_ticket.filter(|_| post.ticket.merged_into.is_none()) else {
            return self.done(post);
        };
        let text = "Two tickets turned out to be one: their messages are one conversation from here on.".to_owned();
        let note =
            Note { key: format!("joined-{other}-{}", post.id), text, root_too: Some(self.root(&other.to_string())) };
        self.noted(post, replies, &note)
    }

    /// A mail of lanka's own words in the conversation, once. It holds nothing of a customer's, for nobody is erased from it.
    fn noted(&self, post: &Post, replies: &[Reply], note: &Note) -> Step {
        match replies {
            [] => Step::Mailbox(MailboxRequest::Find { all: (OF_NOTE, note.key.clone()), same: None }),
            [first] if found(first).all.is_empty() => {
                let id = format!("lanka.n.{}@{}", shown::digest(&[&note.key]), self.address.domain());
                let roots = match &note.root_too {
                    Some(other) => format!("{} {other}", self.root(&post.ticket.id.to_string())),
                    None => self.root(&post.ticket.id.to_string()),
                };
                let builder = MessageBuilder::new()
                    .raw_header(dated(post.decided_at))
                    .from(Named::new(Some("lanka".to_owned()), self.reply_address(post)))
                    .reply_to(Named::new(None, self.reply_address(post)))
                    .to(Named::new(None, self.address.clone()))
                    .subject(format!("[#{}]", post.ticket.number))
                    .message_id(Some(format!("<{id}>")))
                    .references(roots)
                    .raw_header(field(OF_TICKET, post.ticket.id.to_string()))
                    .raw_header(field(OF_NOTE, note.key.clone()))
                    .raw_header(field(AUTOMATIC.0, AUTOMATIC.1.to_owned()));
                match builder.singlepart(SinglePart::plain(note.text.clone())) {
                    Ok(mail) => append(mail.formatted(), Vec::new(), post.decided_at),
                    Err(error) => Step::Reject { why: format!("the note cannot be written: {error}") },
                }
            }
            _ => self.done(post),
        }
    }

    fn append(&self, post: &Post, message: &MessageView) -> Step {
        let flags = match message.direction {
            Direction::FromAgent => vec!["\\Seen"],
            Direction::FromCustomer => Vec::new(),
        };
        match self.compose(post, message) {
            Ok(mail) => append(mail, flags, message.occurred_at),
            Err(why) => Step::Reject { why },
        }
    }

    fn compose(&self, post: &Post, message: &MessageView) -> Result<Vec<u8>, String> {
        let ticket = &post.ticket;
        let name = match message.direction {
            Direction::FromCustomer => format!("{} ({})", shown::who(ticket, message), message.channel),
            Direction::FromAgent => format!("Agent ({})", message.channel),
        };
        let root = self.root(&ticket.id.to_string());
        let mut builder = MessageBuilder::new()
            .raw_header(dated(message.occurred_at))
            .from(Named::new(Some(line(&name, NAME_CHARS_MAX)), self.reply_address(post)))
            .reply_to(Named::new(None, self.reply_address(post)))
            .to(Named::new(None, self.address.clone()))
            .subject(subject(ticket))
            .message_id(Some(format!("<{}>", self.id_of(ticket, message))))
            .in_reply_to(root.clone())
            .references(root)
            .raw_header(field(OF_MESSAGE, message.id.to_string()))
            .raw_header(field(OF_TICKET, ticket.id.to_string()))
            .raw_header(field(AUTOMATIC.0, AUTOMATIC.1.to_owned()));
        if let Some(contact) = message.contact {
            builder = builder.raw_header(field(OF_CONTACT, contact.to_string()));
        }
        let head = shown::head(ticket, message);
        let plain = SinglePart::plain(format!("{head}\n{}\n{}", message.text, shown::tail(message)));
        let built = match (&message.html, post.files.as_slice()) {
            (None, []) => builder.singlepart(plain),
            (html, files) => {
                let id = shown::digest(&[&message.id.to_string()]);
                let mut parts = MultiPart::mixed().boundary(format!("=m{id}")).build();
                parts = match html {
                    Some(html) => parts.multipart(
                        MultiPart::alternative()
                            .boundary(format!("=a{id}"))
                            .singlepart(plain)
                            .singlepart(SinglePart::html(format!("<pre>{}</pre>\n{html}", escaped(&head)))),
                    ),
                    None => parts.singlepart(plain),
                };
                builder.multipart(files.iter().fold(parts, |parts, file| parts.singlepart(attached(file))))
            }
        };
        built.map(|mail| mail.formatted()).map_err(|error| format!("the mail cannot be written: {error}"))
    }

    /// The mail of a message's present state: another when what it shows is another.
    fn id_of(&self, ticket: &TicketView, message: &MessageView) -> String {
        format!("lanka.m.{}@{}", shown::state(ticket, message), self.address.domain())
    }

    /// What all mails of a ticket name, and no mail is called.
    fn root(&self, ticket: &str) -> String {
        format!("<lanka.t.{ticket}@{}>", self.address.domain())
    }

    /// Where agents reply to.
    fn reply_address(&self, post: &Post) -> Address {
        let local = format!("{}+{AGENTS}{}", self.address.user(), post.token);
        Address::new(local, self.address.domain()).unwrap_or_else(|_| self.address.clone())
    }
}

/// A mail of lanka's own words.
struct Note {
    /// By which it is known.
    key: String,
    text: String,
    /// Another conversation that it belongs to.
    root_too: Option<String>,
}

fn suggested(post: &Post) -> Note {
    let id = post.detail["suggestion"].as_str().unwrap_or_default();
    let why = post.detail["why"].as_str().unwrap_or_default();
    let kind = post.detail["target_kind"].as_str().unwrap_or_default();
    let text = format!(
        "Perhaps this belongs together with another {kind}: {why}\n\nSuggestion {id}: `lanka review accept {id}` or `lanka review reject {id}`."
    );
    Note { key: format!("suggestion-{id}"), text, root_too: None }
}

fn append(mail: Vec<u8>, flags: Vec<&'static str>, at: Timestamp) -> Step {
    Step::Mailbox(MailboxRequest::Append { mail, flags, at })
}

fn found(reply: &Reply) -> FoundMails {
    serde_json::from_str(&reply.body).unwrap_or_default()
}

fn subject(ticket: &TicketView) -> String {
    let title = line(&ticket.title, SUBJECT_CHARS_MAX);
    let title = if title.is_empty() { "(no subject)".to_owned() } else { title };
    format!("{title} [#{}]", ticket.number)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
