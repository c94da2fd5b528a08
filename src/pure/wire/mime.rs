//! One mail (RFC 5322, MIME) → one message. Shared by every channel through which mail comes.
//!
//! **Invariant:** a mail becomes a message whenever there is anything to show; what is broken in it
//! costs no more than itself. The sender is believed only as far as [`authentication`]
//! goes, and a sender whom his own domain contradicts never stands as the identity he names.
//!
//! What the parts say, in this order: the text is every inline `text/plain`, of alternatives the plain
//! one unless it is empty, and HTML turned into text where there is nothing else. Forwarded mails
//! (`message/rfc822`) stay attachments: their text is somebody else's.

use super::mail_answer::{MailAnswers, MailPath, SmtpSettings, agents_token_of, token_of};
use super::mail_body::{self, body};
use super::mail_parts::{self, Mail, Mailbox, cut};
use super::redact::Redacted;
use super::sender::{self, SenderQuestion};
use super::settings::{Problems, SettingsProblem};
use super::{authentication, automatic, quote, report, subject};
use crate::pure::domain::Timestamp;
use crate::pure::domain::answer::{Answer, OnTicket};
use crate::pure::domain::identity::{Assurance, CONTRADICTED_SCOPE, EmailAddress, Identity};
use crate::pure::domain::message::{
    Authentication, Auto, Content, Direction, Fault, Finding, Incoming, Mark, Parsed, RawEvent, Reference,
    ReferenceKind, Sender, SenderCheck, SenderIdentity,
};
use sha2::{Digest, Sha256};

pub use super::mail_body::TEXT_BYTES_MAX;

/// Where Message-IDs are unique: all mail channels of a tenant see one mail once.
pub const NAMESPACE: &str = "mail";
/// Others to whom a mail is addressed, kept: enough to see who else takes part.
const ADDRESSED_MAX: usize = 4;
/// Addresses read of one field.
const ADDRESSES_MAX: usize = 100;
/// Ids taken from In-Reply-To, which should hold one.
const REPLIES_MAX: usize = 8;
/// Ids taken from References, nearest first; a longer thread is found by its last ones.
const ANCESTORS_MAX: usize = 32;
/// Subject kept, in bytes.
const SUBJECT_BYTES_MAX: usize = 2_000;
/// Display name kept, in bytes.
const NAME_BYTES_MAX: usize = 255;
/// Bytes of the header that Outlook's replies share: 6 of time, 16 of GUID (MS-OXOMSG 2.2.1.3).
const THREAD_INDEX_BYTES: usize = 22;

/// What a mail channel must know to read its mail.
#[derive(Debug, Clone, Default)]
pub struct MailSettings {
    /// The desk's own addresses on the channel: mail from them is an agent's, mail to them a customer's.
    pub addresses: Vec<EmailAddress>,
    /// authserv-id of our boundary server (RFC 8601 2.5), usually its host name. Without it, and where
    /// that server wrote nothing, only lanka's own check authenticates.
    pub trusted_authserv: Option<String>,
    /// How answers are sent; without it none are.
    pub answers: Option<MailAnswers>,
}

impl MailSettings {
    /// Reads the two settings as written.
    ///
    /// # Errors
    /// Every problem, under the key it has in the channel's table.
    pub fn new(addresses: &[String], trusted_authserv: Option<&str>) -> Result<Self, Vec<SettingsProblem>> {
        let mut problems = Vec::new();
        let mut parsed = Vec::new();
        if addresses.is_empty() {
            let hint = "name at least one address that customers write to, for example [\"support@example.fi\"]";
            problems.push(SettingsProblem::new("addresses", hint));
        }
        for (at, text) in addresses.iter().enumerate() {
            match EmailAddress::parse(text) {
                Ok(address) => parsed.push(address),
                Err(error) => {
                    let hint = format!("{error}; write it as support@example.fi");
                    problems.push(SettingsProblem::new(format!("addresses.{at}"), hint));
                }
            }
        }
        let trusted = trusted_authserv.map(str::trim);
        if trusted.is_some_and(|id| id.is_empty() || id.contains(|c: char| c.is_whitespace() || ";\"()=".contains(c))) {
            let hint =
                "write the name that your mail server puts first in Authentication-Results, for example mx.example.fi";
            problems.push(SettingsProblem::new("trusted_authserv", hint));
        }
        match problems.is_empty() {
            true => Ok(Self { addresses: parsed, trusted_authserv: trusted.map(str::to_owned), answers: None }),
            false => Err(problems),
        }
    }

    /// With how answers are sent. What is wrong with that is added to the problems.
    pub fn sending(mut self, smtp: Option<SmtpSettings>, problems: &mut Problems) -> Self {
        self.answers = smtp.and_then(|smtp| smtp.read(&self.addresses, problems));
        self
    }

    fn is_own(&self, address: &EmailAddress) -> bool {
        // One that answers are to be replied to is ours without its token.
        let untagged = || {
            let (local, domain) = address.as_str().rsplit_once('@')?;
            token_of(address.as_str()).or_else(|| agents_token_of(address.as_str()))?;
            EmailAddress::parse(&format!("{}@{domain}", local.rsplit_once('+')?.0)).ok()
        };
        self.addresses.contains(address) || untagged().is_some_and(|address| self.addresses.contains(&address))
    }
}

/// What is left of a mail that was redacted.
const REDACTED: &[u8] = b"Subject: Erased\r\nX-Lanka-Redacted: 0\r\n\r\nThis mail was erased.\r\n";

/// Takes the content out of a delivery: a mail is one item, so nothing of it is left.
pub fn redact(event: &RawEvent, item: u32) -> Option<Redacted> {
    (item == 0 && event.body != REDACTED).then(|| Redacted { body: REDACTED.to_vec(), items: vec![0] })
}

/// Reads one mail.
///
/// The message's `source_key` is its Message-ID without angle brackets. A mail without one gets
/// `no-message-id:` and the hash that `variant` holds, so that the same mail over two routes is still one.
///
/// Faults: `empty` (no bytes but blanks), `not_a_mail` (no header field that mails have),
/// `no_sender` (nobody it could be from, and nothing to show either).
pub fn read(event: &RawEvent, settings: &MailSettings) -> Parsed {
    read_checked(event, settings, None)
}

/// A mail as it was laid out, safe to be shown; see [`mail_body::html`].
pub fn html(event: &RawEvent) -> Option<String> {
    mail_body::html(&mail_parts::parse(&event.body))
}

/// What is to be found out about the sender of a mail, in which our own server wrote nothing of him. `None`
/// where there is nobody to ask about, or more than one.
pub fn sender_question(event: &RawEvent, settings: &MailSettings) -> Option<SenderQuestion> {
    if event.body == REDACTED {
        return None;
    }
    // The header is all it takes: a mail is asked about before it is known whether it is new.
    let mail = mail_parts::header(&event.body);
    let from = author(&mail);
    let address = from.address.as_ref().filter(|_| !from.is_substitute && !from.is_several)?;
    // Our own mail that no server has carried, as in the Sent folder, needs nobody's word.
    if settings.is_own(address) && mail.values("received").next().is_none() {
        return None;
    }
    match vouched(&mail, settings, address) {
        Some(_) => None,
        None => Some(sender::question(&event.body, &mail.fields, address.domain())),
    }
}

/// [`read`] with what lanka itself found out about the sender.
pub fn read_checked(event: &RawEvent, settings: &MailSettings, check: Option<SenderCheck>) -> Parsed {
    read_by(event, settings, Way::Carried(check))
}

/// As [`read`], for a mail out of our own mailbox's folder of sent mail: an agent's word, whatever
/// address it was written under, for nobody else puts mail there.
pub fn read_sent(event: &RawEvent, settings: &MailSettings) -> Parsed {
    read_by(event, settings, Way::Sent)
}

/// How a mail got to where it was read.
enum Way {
    /// It came; what lanka found out about its sender, if that was asked.
    Carried(Option<SenderCheck>),
    /// The desk sent it.
    Sent,
}

fn read_by(event: &RawEvent, settings: &MailSettings, way: Way) -> Parsed {
    if event.body == REDACTED {
        return Parsed { items: vec![Incoming::redacted()], faults: Vec::new() };
    }
    let fault = |code, detail: &str| Parsed { items: Vec::new(), faults: vec![Fault::new(code, detail)] };
    if event.body.iter().all(|b| b.is_ascii_whitespace() || *b == 0) {
        return fault("empty", "the mail has no content at all");
    }
    let mail = mail_parts::parse(&event.body);
    let is_known = |name: &str| KNOWN_FIELDS.contains(&name) || name.starts_with("x-");
    if !mail.fields.iter().any(|field| is_known(&field.name)) {
        return fault("not_a_mail", "it does not begin with header fields of a mail (From, Date, Subject, …)");
    }
    let is_sent = matches!(way, Way::Sent);
    let incoming = message(&mail, settings, way);
    if !is_sent && is_for_agents(&mail, &incoming) {
        return Parsed { items: Vec::new(), faults: Vec::new() };
    }
    let is_nothing = incoming.content.text().is_empty()
        && incoming.subject.as_deref().is_none_or(str::is_empty)
        && incoming.attachments.is_empty();
    if is_nothing && incoming.sender == Sender::default() {
        return fault("no_sender", "it names no sender and holds neither subject nor text nor attachment");
    }
    Parsed { items: vec![incoming], faults: Vec::new() }
}

/// Whether lanka wrote it for agents, into their folder: a channel that reads that folder too, or an inbox into which a mail of it
/// was moved or sent on, hears nothing new by it. Only such mails are from an address that agents reply to; one that merely says so
/// is a mail like any.
fn is_for_agents(mail: &Mail, incoming: &Incoming) -> bool {
    incoming.direction == Direction::FromAgent
        && author(mail).address.is_some_and(|address| agents_token_of(address.as_str()).is_some())
}

/// One of these, or one that begins with `X-`, makes it a mail.
const KNOWN_FIELDS: &[&str] = &[
    "from",
    "to",
    "cc",
    "date",
    "subject",
    "message-id",
    "received",
    "return-path",
    "sender",
    "reply-to",
    "mime-version",
    "content-type",
    "delivered-to",
    "in-reply-to",
    "references",
];

fn message(mail: &Mail, settings: &MailSettings, way: Way) -> Incoming {
    let from = author(mail);
    let is_sent = matches!(way, Way::Sent);
    let Known { authentication, finding, is_unaligned } = match way {
        Way::Carried(check) => authenticate(mail, settings, &from, check),
        Way::Sent => Known { authentication: None, finding: None, is_unaligned: false },
    };
    let subject = mail.text("subject").map(|subject| cut(&subject, SUBJECT_BYTES_MAX).to_owned());
    let sent_at = mail.values("date").next().and_then(date);
    let mut body = body(mail);

    let fingerprint = fingerprint(mail, &from, sent_at, subject.as_deref(), &body.source);
    let key = mail.values("message-id").flat_map(|value| mail_parts::decode_ids(value, 1)).next();
    let mut incoming = Incoming::new(NAMESPACE, key.unwrap_or_else(|| format!("no-message-id:{fingerprint}")));
    // A forged copy must not keep the genuine mail out, whichever comes first.
    let is_contradicted = authentication == Some(Authentication::Fail);
    incoming.variant = if is_contradicted { format!("contradicted:{fingerprint}") } else { fingerprint };

    // An agent writes From alone; what only a trace names, or one among several, is no agent's word.
    // Our own address is as easy to forge as any (promise P4): it counts when our server vouches for
    // it, or when no server has carried the mail at all, as in the Sent folder of our own mailbox.
    let is_vouched = matches!(authentication, Some(Authentication::Pass | Authentication::Aligned));
    let was_carried = mail.values("received").next().is_some();
    let is_certain = !is_contradicted && !from.is_substitute && !from.is_several && (is_vouched || !was_carried);
    if is_sent || (is_certain && from.address.as_ref().is_some_and(|address| settings.is_own(address))) {
        incoming.direction = Direction::FromAgent;
        incoming.recipient = recipient(mail, settings);
    }
    incoming.sender = sender(mail, &from, authentication);
    incoming.occurred_at = sent_at;
    incoming.trusted_at = settings.trusted_authserv.as_deref().and_then(|trusted| received_at(mail, trusted));
    let from_text = from.mailbox.as_ref().map_or("", |mailbox| mailbox.address.as_str());
    let from_name = from.mailbox.as_ref().map_or("", |mailbox| mailbox.name.as_str());
    let subject_text = subject.as_deref().unwrap_or_default();
    incoming.auto = automatic::classify(mail, from_text, from_name, subject_text, &settings.addresses);
    if incoming.auto == Some(Auto::Bounce) {
        tell_recipients(mail, &mut body.text);
    }
    if incoming.auto.is_none()
        && let Some(Forward { author }) = forward(mail, subject_text, &body.text)
    {
        incoming.marks.push(Mark::Forwarded);
        incoming.forwarded_from = author;
    }
    incoming.references = references(mail, incoming.auto, &incoming.source_key);
    incoming.addressed = addressed(mail, settings);
    incoming.written_to = written_to(mail);
    incoming.answer_path = answer_path(mail, settings, incoming.direction);
    let mut tokens = receivers(mail).filter_map(|mailbox| agents_token_of(&mailbox.address));
    incoming.answer = tokens.next().map(|token| {
        let on = OnTicket::Token(token);
        Box::new(Answer { on, to: None, given_in: None, route: None, may_echo: false })
    });
    incoming.subject = subject;
    incoming.authentication = authentication;
    incoming.finding = finding;
    if authentication == Some(Authentication::Unknown) {
        incoming.marks.push(Mark::Unchecked);
    }
    if is_unaligned && authentication == Some(Authentication::None) {
        incoming.marks.push(Mark::Unaligned);
    }
    if from.is_several {
        incoming.marks.push(Mark::SeveralSenders);
    }
    if is_contradicted {
        incoming.marks.push(Mark::Contradicted);
    }
    if body.is_truncated {
        incoming.marks.push(Mark::Truncated);
    }
    if body.is_dropped || mail.is_cut {
        incoming.marks.push(Mark::PartsDropped);
    }
    incoming.attachments = std::mem::take(&mut body.attachments);
    incoming.content = Content::Text(body.text);
    incoming
}

/// Adds to a bounce's text what its report says of each recipient and the text does not.
fn tell_recipients(mail: &Mail, text: &mut String) {
    for recipient in report::recipients(mail) {
        let is_told = |word: &str| !word.is_empty() && text.contains(word);
        // What the server said is wrapped and shortened in many ways; its first words will do.
        let said: Vec<&str> = recipient.diagnostic.split_whitespace().take(2).collect();
        if is_told(&recipient.address) && (is_told(&recipient.status) || is_told(&said.join(" "))) {
            continue;
        }
        let line = recipient.line();
        if text.len() + line.len() < TEXT_BYTES_MAX {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&line);
        }
    }
}

/// A mail passes another one on.
struct Forward {
    /// Who wrote that, as it says itself.
    author: Option<String>,
}

/// Whether the mail passes another one on: it says so above it, or in its subject.
fn forward(mail: &Mail, subject_text: &str, text: &str) -> Option<Forward> {
    let by_subject = subject::read(subject_text).is_forward;
    // A mail that is sent along whole (RFC 2046 5.2.1) names its author itself.
    let enclosed = || {
        let part = mail.parts.iter().find(|part| part.media_type == "message/rfc822")?;
        let bytes = mail.body(part);
        let (fields, _) = mail_parts::fields(&bytes, 0..bytes.len());
        let from = fields.iter().find(|field| field.name == "from")?;
        let mailbox = mail_parts::decode_addresses(bytes.get(from.value.clone())?, None, 1).into_iter().next()?;
        let name = mailbox.name.trim();
        Some(if name.is_empty() { mailbox.address } else { format!("{name} <{}>", mailbox.address) })
    };
    // Taking the text apart costs; what says so is drawn or has its own word.
    let is_drawn = by_subject || text.contains("---") || text.contains("orward");
    let parts = if is_drawn { quote::split(text) } else { quote::Parts::default() };
    let is_told = parts.is_forwarded || (by_subject && parts.quoted_from.is_some());
    if !is_told {
        return enclosed().filter(|_| by_subject).map(|author| Forward { author: Some(author_line(&author)) });
    }
    Some(Forward { author: parts.quoted_from.or_else(enclosed).map(|author| author_line(&author)) })
}

/// An author as he is shown: one line, not too long. Outlook writes his address as `[mailto:anna@example.fi]`.
fn author_line(author: &str) -> String {
    let author = author.trim();
    let linked = author.strip_suffix(']').and_then(|author| author.rsplit_once("[mailto:"));
    match linked {
        Some((name, address)) => mail_parts::clean_line(&format!("{name}<{address}>"), NAME_BYTES_MAX),
        None => mail_parts::clean_line(author, NAME_BYTES_MAX),
    }
}

/// The From field, or what stands for it.
struct Author {
    /// The first mailbox.
    mailbox: Option<Mailbox>,
    /// Its address, if it is one.
    address: Option<EmailAddress>,
    /// Several From fields, or several addresses.
    is_several: bool,
    /// It was taken from Sender or Return-Path, for there is no From: never authenticated.
    is_substitute: bool,
}

fn author(mail: &Mail) -> Author {
    let mailboxes = mail.addresses("from", ADDRESSES_MAX);
    let parsed =
        |mailbox: &Mailbox| EmailAddress::parse(&mailbox.address).ok().map(|address| (mailbox.clone(), address));
    // Whatever stands where an address should counts: another program may read what we cannot.
    let mut written: Vec<&str> = mailboxes.iter().map(|m| m.address.as_str()).filter(|a| !a.is_empty()).collect();
    written.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
    let is_cut = mail.values("from").any(|value| value.len() > mail_parts::FIELD_BYTES_MAX);
    let is_several = mail.values("from").count() > 1 || written.len() > 1 || is_cut;
    if let Some((mailbox, address)) = mailboxes.iter().find_map(parsed) {
        return Author { mailbox: Some(mailbox), address: Some(address), is_several, is_substitute: false };
    }
    // Nobody whom one could answer: an address in a From that is none, else who sent it.
    let named = mailboxes.into_iter().find(|mailbox| !mailbox.name.is_empty() || !mailbox.address.is_empty());
    let substitute = named.as_ref().and_then(within).or_else(|| {
        ["sender", "return-path"].iter().flat_map(|name| mail.addresses(name, 4)).find_map(|mailbox| parsed(&mailbox))
    });
    let Some((mailbox, address)) = substitute else {
        return Author { mailbox: named, address: None, is_several, is_substitute: true };
    };
    let name = named.map(|n| if n.name.is_empty() { n.address } else { n.name }).unwrap_or(mailbox.name);
    let mailbox = Mailbox { name, address: mailbox.address };
    Author { mailbox: Some(mailbox), address: Some(address), is_several, is_substitute: true }
}

/// An address among the words of a mailbox that is not well-formed (`From: Test test@example.com`).
fn within(mailbox: &Mailbox) -> Option<(Mailbox, EmailAddress)> {
    let mut words = mailbox.address.split_whitespace().chain(mailbox.name.split_whitespace());
    words.find_map(|word| {
        let address = word.trim_matches(['<', '>', '(', ')', ',', ';', '"', '\'']);
        let parsed = EmailAddress::parse(address).ok()?;
        Some((Mailbox { name: String::new(), address: address.to_owned() }, parsed))
    })
}

/// What is known of the sender.
struct Known {
    authentication: Option<Authentication>,
    finding: Option<Finding>,
    is_unaligned: bool,
}

/// What our own server wrote of the sender, if it did.
fn vouched(mail: &Mail, settings: &MailSettings, address: &EmailAddress) -> Option<authentication::Assessed> {
    let trusted = settings.trusted_authserv.as_deref()?;
    authentication::assess(&mail.fields, |field| mail.slice(&field.value), trusted, address.domain())
}

/// Our own server's word, else what lanka found out.
fn authenticate(mail: &Mail, settings: &MailSettings, from: &Author, check: Option<SenderCheck>) -> Known {
    let nothing = settings.trusted_authserv.as_ref().map(|_| Authentication::None);
    let unknown = Known { authentication: nothing, finding: None, is_unaligned: false };
    let Some(address) = from.address.as_ref().filter(|_| !from.is_substitute) else { return unknown };
    let mut known = match (vouched(mail, settings, address), check) {
        (Some(found), _) => {
            Known { authentication: Some(found.authentication), finding: None, is_unaligned: found.is_unaligned }
        }
        (None, Some(SenderCheck { verdict, finding })) => {
            Known { authentication: Some(verdict), finding: Some(finding), is_unaligned: finding == Finding::Unaligned }
        }
        (None, None) => return unknown,
    };
    // Of several senders at most one was checked, and nobody knows which.
    if from.is_several && known.authentication != Some(Authentication::Fail) {
        known = Known { authentication: Some(Authentication::None), is_unaligned: false, ..known };
    }
    known
}

fn sender(mail: &Mail, from: &Author, authentication: Option<Authentication>) -> Sender {
    let assurance = match authentication {
        Some(Authentication::Pass) => Assurance::Verified,
        Some(Authentication::Aligned) => Assurance::Plausible,
        Some(Authentication::Fail) => Assurance::Contradicted,
        Some(Authentication::None | Authentication::Unknown) | None => Assurance::Asserted,
    };
    let identity = from.address.as_ref().map(|address| {
        let mut identity = Identity::email(address);
        if assurance == Assurance::Contradicted {
            CONTRADICTED_SCOPE.clone_into(&mut identity.scope);
        }
        SenderIdentity { identity, assurance }
    });
    let reply_to = mail.addresses("reply-to", REPLIES_MAX).into_iter();
    let mut stated: Vec<Identity> = Vec::new();
    for address in reply_to.filter_map(|mailbox| EmailAddress::parse(&mailbox.address).ok()) {
        let identity = Identity::email(&address);
        if from.address.as_ref() != Some(&address) && !stated.contains(&identity) {
            stated.push(identity);
        }
    }
    Sender { name: from.mailbox.as_ref().and_then(display_name), identities: identity.into_iter().collect(), stated }
}

fn display_name(mailbox: &Mailbox) -> Option<String> {
    let name = cut(mailbox.name.trim().trim_matches(['"', '\'']).trim(), NAME_BYTES_MAX);
    (!name.is_empty() && name != mailbox.address).then(|| name.to_owned())
}

/// For an agent's mail: the first recipient that is not ourselves.
fn recipient(mail: &Mail, settings: &MailSettings) -> Sender {
    for mailbox in ["to", "cc"].iter().flat_map(|name| mail.addresses(name, ADDRESSES_MAX)) {
        if let Some(address) = EmailAddress::parse(&mailbox.address).ok().filter(|a| !settings.is_own(a)) {
            let identity = SenderIdentity { identity: Identity::email(&address), assurance: Assurance::Asserted };
            return Sender { name: display_name(&mailbox), identities: vec![identity], stated: Vec::new() };
        }
    }
    Sender::default()
}

/// Whom the mail is addressed to beside ourselves, the first ones.
fn addressed(mail: &Mail, settings: &MailSettings) -> Vec<Identity> {
    let mailboxes = ["to", "cc"].iter().flat_map(|name| mail.addresses(name, ADDRESSED_MAX));
    let addresses = mailboxes.filter_map(|mailbox| EmailAddress::parse(&mailbox.address).ok());
    addresses.filter(|address| !settings.is_own(address)).take(ADDRESSED_MAX).map(|a| Identity::email(&a)).collect()
}

/// Whom a mail was handed to, and whom it is addressed to.
fn receivers(mail: &Mail) -> impl Iterator<Item = Mailbox> {
    ["delivered-to", "x-original-to", "to", "cc"].into_iter().flat_map(|name| mail.addresses(name, ADDRESSES_MAX))
}

/// The addresses that it was written to, each once and without what an answer's address holds, the first ones.
fn written_to(mail: &Mail) -> Vec<Identity> {
    let mut all: Vec<Identity> = Vec::new();
    for address in receivers(mail).filter_map(|mailbox| EmailAddress::parse(&mailbox.address).ok()) {
        let identity = Identity::email(&address);
        if all.len() < ADDRESSED_MAX && !all.contains(&identity) {
            all.push(identity);
        }
    }
    all
}

/// What the answer to a customer's mail needs of it.
fn answer_path(mail: &Mail, settings: &MailSettings, direction: Direction) -> Option<String> {
    if settings.answers.is_none() || direction == Direction::FromAgent {
        return None;
    }
    let references = mail.values("references").flat_map(|value| mail_parts::decode_ids(value, usize::MAX)).collect();
    let mailboxes = ["to", "cc"].iter().flat_map(|name| mail.addresses(name, ADDRESSES_MAX));
    let mut own = mailboxes.filter_map(|mailbox| EmailAddress::parse(&mailbox.address).ok());
    let to = own.find(|address| settings.is_own(address)).map(|address| address.as_str().to_owned());
    MailPath { to, references }.written()
}

/// A Date (RFC 5322 3.3, and the forms of old clients). `None` for what is no date.
fn date(value: &[u8]) -> Option<Timestamp> {
    let mut text = mail_parts::unfold(value);
    text.push('\n');
    let date = mail_parser::DateTime::parse_rfc822(&text).filter(mail_parser::DateTime::is_valid)?;
    Timestamp::from_second(date.to_timestamp()).ok()
}

/// What a mail says of its own times: that of its topmost Received field, and that of its Date field.
/// For history that a person imports; whose fields they are is not asked.
pub fn stamps(bytes: &[u8]) -> (Option<Timestamp>, Option<Timestamp>) {
    let (fields, _) = mail_parts::fields(bytes, 0..bytes.len());
    let value = |name: &str| fields.iter().find(|field| field.name == name).map(|field| &bytes[field.value.clone()]);
    let received = value("received").map(mail_parts::unfold);
    let received = received.and_then(|text| text.rsplit_once(';').and_then(|(_, time)| date(time.as_bytes())));
    (received, value("date").and_then(date))
}

/// When the trusted server had it: its own Received field, if that is the topmost.
fn received_at(mail: &Mail, trusted: &str) -> Option<Timestamp> {
    let value = mail.values("received").next()?;
    let text = mail_parts::unfold(value);
    let is_ours = authentication::received_by(&text).is_some_and(|by| by.eq_ignore_ascii_case(trusted));
    is_ours.then(|| text.rsplit_once(';').and_then(|(_, time)| date(time.as_bytes()))).flatten()
}

fn references(mail: &Mail, auto: Option<Auto>, own_key: &str) -> Vec<Reference> {
    let mut references: Vec<Reference> = Vec::new();
    let mut add = |kind, key: String| {
        if key != own_key && !references.iter().any(|known| known.key == key) {
            references.push(Reference { kind, namespace: NAMESPACE.to_owned(), key });
        }
    };
    // What it was replied to holds the answer's id, whatever became of the headers.
    for mailbox in receivers(mail) {
        token_of(&mailbox.address).into_iter().for_each(|id| add(ReferenceKind::Reply, id));
    }
    for id in mail.values("in-reply-to").flat_map(|value| mail_parts::decode_ids(value, REPLIES_MAX)).take(REPLIES_MAX)
    {
        add(ReferenceKind::Reply, id);
    }
    if matches!(auto, Some(Auto::Bounce | Auto::Complaint | Auto::Receipt))
        && let Some(id) = report::original_id(mail, own_key)
    {
        add(ReferenceKind::Reply, id);
    }
    let ids: Vec<String> =
        mail.values("references").flat_map(|value| mail_parts::decode_ids(value, usize::MAX)).collect();
    for id in ids.into_iter().rev().take(ANCESTORS_MAX) {
        add(ReferenceKind::Ancestor, id);
    }
    if let Some(index) = mail.raw("thread-index").map(|text| mail_parts::decode_base64(text.as_bytes()))
        && let Some(head) = index.get(..THREAD_INDEX_BYTES)
    {
        add(ReferenceKind::Hint, hex::encode(head));
    }
    references
}

/// 128 bits over what a relay leaves alone: From, Date, Subject and the decoded text, blanks folded.
/// Changing what goes in here makes a mail that is delivered again a new message.
fn fingerprint(
    mail: &Mail,
    from: &Author,
    sent_at: Option<Timestamp>,
    subject: Option<&str>,
    text: &[String],
) -> String {
    let mut hash = Sha256::new();
    let mut line = String::new();
    let mut add = |text: &str| {
        line.clear();
        for word in text.split_whitespace() {
            line.push_str(word);
            line.push(' ');
        }
        line.push('\n');
        hash.update(line.as_bytes());
    };
    let mailbox = from.mailbox.as_ref();
    add(mailbox.map_or("", |mailbox| mailbox.name.as_str()));
    add(&mailbox.map_or(String::new(), |mailbox| mailbox.address.to_lowercase()));
    match sent_at {
        Some(sent_at) => add(&sent_at.as_second().to_string()),
        None => add(&mail.raw("date").unwrap_or_default()),
    }
    add(subject.unwrap_or_default());
    text.iter().for_each(|text| add(text));
    hex::encode(&hash.finalize()[..16])
}
