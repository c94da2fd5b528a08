//! The ways customers reach us: one file a kind, bytes → [`Incoming`](super::domain::message::Incoming).
//!
//! # Adding a channel: one file, one line
//!
//! As `instagram` was added:
//!
//! 1. Write `instagram.rs`: `pub const KIND: Kind` (with what people call it), its own `Settings`
//!    (`#[serde(deny_unknown_fields)]`, every field documented), the vendor's payload as a comment above what reads it, and `impl Channel`.
//!    The module's comment names the vendor's pages, the namespace in which message ids are unique, and
//!    the scope outside which an id of a person means nothing. A format that another channel has too goes
//!    to `wire` (there: `meta`, the signature; `messaging`, the events), for channels never import each other.
//! 2. Add `instagram` with its meaning to `channels!` below. That is the one line.
//! 3. Put samples under `tests/fixtures/channels/instagram/`, invented after the vendor's documents: what
//!    people say, updates, and an `odd.json` whose last message says `the last is as good as the first`.
//!    Add the kind to `SAMPLED` in `tests/it/channels.rs`, which runs the samples, the common bad ones and
//!    the attacks on the signature; `UPDATE_EXPECT=1` writes the expected `.jsonl` beside each: read it.
//! 4. Document its keys in `config/default.toml` and show it in `config/example.toml`; a test fails
//!    until both have it.
//!
//! Every item is handed to the batch with the element it was read from, so that `redact` can take out
//! that element and nothing else.
//!
//! What a channel says to the rest: messages and updates with a `Target`; `Group` where several
//! customers speak in one thread; `moved_to` when the vendor reports a new id of a known person;
//! receipts in the words of `Progress`, without a `Target` when they are for all that was sent until then.
//!
//! A file that the vendor has is an attachment with a `Remote`; `media` says how it is fetched, after the
//! commit, by the shell. Where its URL says all, that is one line (`wire::media::by_url`).
//!
//! Nothing else changes: no migration, no enum, no global setting. Refused: self-registration
//! (`inventory`, `linkme`), for it hides the list.
//!
//! **Invariants:** a channel never does I/O. Parsing never fails and never panics; it reports faults
//! beside what it read. One bad item never costs its neighbours. The name of a kind appears in its
//! own file only.

use super::domain::Timestamp;
pub use super::domain::answer::{Carried, Way};
use super::domain::identity::Identity;
use super::domain::letter::Letter;
use super::domain::message::{Parsed, RawEvent, SenderCheck};
pub use super::domain::outbox::LinkedKind;
use super::domain::secret::Secret;
pub use super::domain::service::Like;
pub use super::wire::delivery::{Delivery, Forged, Handshake};
use super::wire::mail_answer::MailAnswers;
pub use super::wire::media::{MediaReply, MediaRequest, MediaStep};
use super::wire::messaging_send::Messages;
use super::wire::mime::{self, MailSettings};
pub use super::wire::oauth::{Grant, OAuth};
pub use super::wire::poll::PollSource;
pub use super::wire::profile::{Profile, ProfileRequest};
pub use super::wire::redact::Redacted;
pub use super::wire::sender::SenderQuestion;
pub use super::wire::settings::{Problems, SettingsProblem};
pub use super::wire::step::{Link, MailServer, Outgoing, OutgoingMail, Patience, Reply, Step, Tls};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Lists the kinds: declares each module and puts its `KIND` into [`KINDS`].
macro_rules! channels {
    ($($(#[$meaning:meta])* $name:ident),* $(,)?) => {
        $($(#[$meaning])* pub mod $name;)*

        /// Every kind of channel, in the order of the list.
        pub const KINDS: &[&Kind] = &[$(&$name::KIND),*];
    };
}

channels! {
    /// What a monitoring system raises: Alertmanager, Zabbix.
    alertmanager,
    /// Call records that an Asterisk exchange writes.
    asterisk,
    /// What agents do in a tool of theirs, in lanka's own JSON.
    desk,
    /// A mailbox.
    imap,
    /// Instagram messaging.
    instagram,
    /// Mails that the mail server hands over.
    lmtp,
    /// A directory of mails.
    maildir,
    /// Facebook Messenger.
    messenger,
    /// Web chat in lanka's own JSON.
    webchat,
    /// WhatsApp Business.
    whatsapp,
}

/// What people expect of a kind of channel, by its name.
pub fn like(name: &str) -> Option<Like> {
    kind(name)?.like
}

/// The kind of a name, if there is one.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.name == name)
}

/// A kind of channel: what its source file declares about itself.
pub struct Kind {
    /// The word in the configuration, equal to the file's name.
    pub name: &'static str,
    /// What a file of its deliveries holds, for `lanka import` and `lanka parse`.
    pub form: Form,
    /// What people expect of it, for targets; `None` where no customer is.
    pub like: Option<Like>,
    /// What people call it, and what they are on it.
    pub accounts: Accounts,
    /// Reads the settings (the channel's table without the keys common to all: `kind`, `tenant`,
    /// `windows`) and makes the channel. Every problem found is reported, not only the first.
    pub build: fn(&Setup<'_>, toml::Table) -> Result<Built, Unfit>,
    /// A channel for `lanka parse`, which has no configuration: the vendor's defaults.
    pub dry: fn(&Setup<'_>) -> Box<dyn Channel>,
}

/// How people speak of a kind of channel: "I have no WhatsApp".
#[derive(Debug, Clone, Copy)]
pub struct Accounts {
    /// Words for it, as they begin, in lower case.
    pub called: &'static [&'static str],
    /// The schemes of its people's addresses.
    pub schemes: &'static [&'static str],
}

impl Accounts {
    /// Of a channel on which nobody has an account of its own.
    pub const NONE: Self = Self { called: &[], schemes: &[] };
}

/// What a file of a kind's deliveries holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Mail: a file is one, an mbox or a Maildir holds many.
    Mail,
    /// The bodies of webhooks: one in the whole file, or one a line.
    Body,
    /// A log: every line is a delivery.
    Line,
}

/// What a channel may know of the rest of the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// The channel's name in the configuration.
    pub name: &'a str,
    /// `defaults.region`.
    pub region: &'a str,
    /// `defaults.time_zone`.
    pub time_zone: &'a jiff::tz::TimeZone,
}

/// A channel ready for work, and how its bytes get in.
pub struct Built {
    /// Reads the bytes.
    pub channel: Box<dyn Channel>,
    /// Fetches the bytes.
    pub intake: Intake,
    /// What the desk itself is on this channel, so that it never becomes a customer: mail
    /// addresses and phone numbers as configured, already parsed.
    pub own: Own,
}

impl Built {
    /// The channel, if nothing is wrong with its settings.
    ///
    /// # Errors
    /// All that is wrong, with what the channel would read nevertheless.
    pub fn unless(self, problems: Problems) -> Result<Self, Unfit> {
        match problems.is_empty() {
            true => Ok(self),
            false => Err(Unfit { problems: problems.into(), intake: Some(Box::new(self.intake)) }),
        }
    }
}

/// Why there is no channel.
#[derive(Debug, Default)]
pub struct Unfit {
    /// All that is wrong with the settings.
    pub problems: Vec<SettingsProblem>,
    /// What it would read, as far as the keys that say so are right: two channels at one source are
    /// found whatever else is wrong with them. For comparing only.
    pub intake: Option<Box<Intake>>,
}

impl From<Vec<SettingsProblem>> for Unfit {
    fn from(problems: Vec<SettingsProblem>) -> Self {
        Self { problems, intake: None }
    }
}

/// The desk's own addresses on a channel.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// Mail addresses.
    pub addresses: Vec<super::domain::identity::EmailAddress>,
    /// Phone numbers.
    pub numbers: Vec<super::domain::identity::PhoneNumber>,
}

/// How the bytes of a channel get in. Few, closed, each served by one file under `shell/intake`.
#[derive(Debug, Clone)]
pub enum Intake {
    /// The vendor posts to `/hooks/{channel}`.
    Webhook,
    /// We log in to a mailbox.
    Imap(ImapSource),
    /// A mail server hands mails over.
    Lmtp(LmtpSource),
    /// A file that grows, line by line.
    Tail(TailSource),
    /// A table that grows, row by row.
    Table(TableSource),
    /// A directory into which whole files are put.
    Drop(DropSource),
    /// A tool is asked what is new.
    Poll(PollSource),
}

impl Intake {
    /// Whether the vendor posts to `/hooks/{channel}`.
    pub fn is_called(&self) -> bool {
        matches!(self, Self::Webhook | Self::Poll(PollSource { is_called: true, .. }))
    }
}

/// A mailbox to read.
#[derive(Debug, Clone)]
pub struct ImapSource {
    /// Host name, also checked against the certificate.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected. Plain is refused by the settings unless the host is loopback.
    pub tls: Tls,
    /// Additional root certificates, PEM.
    pub ca_file: Option<PathBuf>,
    /// Login name; with a token, the mailbox that it opens.
    pub user: String,
    /// What proves who logs in.
    pub credentials: Credentials,
    /// Folders to read, `INBOX` by default. One that begins with a backslash is meant by its special
    /// use (RFC 6154), whatever its name.
    pub folders: Vec<String>,
    /// The folder of what the desk has sent, named likewise. Its mails are never touched.
    pub sent: Option<String>,
    /// What becomes of a mail on the server once it is stored.
    pub after: After,
    /// A mail larger than this is recorded and skipped. Bytes.
    pub message_bytes_max: u64,
    /// Longest time without a look at the mailbox, whatever IDLE says.
    pub poll_interval: Duration,
    /// Longest time any one answer of the server may take.
    pub timeout: Duration,
}

/// What proves to a mail server who logs in.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A password.
    Password(Secret),
    /// A token, asked for where this says (XOAUTH2).
    Token(Box<OAuth>),
}

/// What becomes of a mail on the server once it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// Nothing.
    Keep,
    /// `\Seen` is set.
    Seen,
    /// It is moved to a folder.
    Move(String),
    /// It is deleted.
    Delete,
}

/// Where a mail server hands mails over.
#[derive(Debug, Clone)]
pub struct LmtpSource {
    /// Where it knocks.
    pub door: Door,
    /// A larger mail is refused. Bytes.
    pub message_bytes_max: u64,
    /// Connections at once.
    pub connections_max: usize,
    /// Longest silence of a client.
    pub timeout: Duration,
}

/// What a mail server connects to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Door {
    /// A unix socket, with its mode.
    Socket {
        /// Where it is made.
        path: PathBuf,
        /// Who may write to it, as chmod has it.
        mode: u32,
    },
    /// An address of this machine.
    Address(SocketAddr),
    /// Nothing: it starts a program.
    Pipe,
}

/// A file to follow.
#[derive(Debug, Clone)]
pub struct TailSource {
    /// The file; it may not exist yet, may be rotated and truncated.
    pub path: PathBuf,
    /// A longer line is recorded and skipped. Bytes.
    pub line_bytes_max: u64,
    /// Longest time without a look at the file, whatever the file system's events say.
    pub poll_interval: Duration,
}

/// A table to poll. Each row is a delivery: one line of JSON, the columns by their names.
#[derive(Debug, Clone)]
pub struct TableSource {
    /// The Postgres, as a URL with its password.
    pub url: Secret,
    /// Its table, perhaps with its schema: names of letters, digits, `_` and `$`.
    pub table: String,
    /// The column by which rows are ordered in time.
    pub time_column: String,
    /// How far before the latest row each look begins: what is written late or again is found.
    pub overlap: Duration,
    /// Of a larger row only its size is taken. Bytes of JSON.
    pub row_bytes_max: u64,
    /// Between two looks.
    pub poll_interval: Duration,
}

/// A directory to empty.
#[derive(Debug, Clone)]
pub struct DropSource {
    /// The directory.
    pub path: PathBuf,
    /// How files in it are named and left.
    pub layout: DropLayout,
    /// A larger file is recorded and skipped. Bytes.
    pub file_bytes_max: u64,
    /// Longest time without a look, whatever the file system's events say.
    pub poll_interval: Duration,
}

/// How a drop directory is organised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropLayout {
    /// `new/` and `cur/`; a stored mail is moved from `new/` to `cur/`, nothing is deleted.
    Maildir,
    /// Whole files in the directory itself, moved to `done/` below it.
    Files,
}

/// A page to try a channel out with, on this machine; see [`Channel::sample`].
pub trait Sample {
    /// The page, whole: it sends its deliveries, unsigned, to where it came from.
    fn page(&self) -> &'static str;

    /// The headers that make a delivery of what the page sent, as the sender's own server would sign it. `id` is
    /// the delivery's, of letters, digits and `_`.
    fn sign(&self, id: &str, body: &[u8], now: Timestamp) -> Vec<(&'static str, String)>;
}

/// How a channel carries answers to customers. As a mirror it never sends: it says the next step from the replies so far.
pub trait Answers: Send + Sync {
    /// Until when and to whom.
    fn way(&self) -> Way;

    /// The next step for an answer, given the replies of this attempt so far, oldest first. Of what is done the link names
    /// the vendor's id of the message.
    fn next(&self, answer: &Carried, replies: &[Reply], now: Timestamp) -> Step;

    /// How long an answer is tried: an answer that comes days late is none.
    fn patience(&self) -> Patience {
        Patience { attempts_max: 8, age_max: Duration::from_secs(3600) }
    }

    /// The server that takes its mails.
    fn mail_server(&self) -> Option<&MailServer> {
        None
    }

    /// A letter to one of the desk's own people; `None` where no mail is sent, or why it cannot be written.
    fn letter(&self, _letter: &Letter) -> Option<Result<OutgoingMail, String>> {
        None
    }
}

/// One configured way in: bytes → messages. See the module for what it must never do.
pub trait Channel: Send + Sync {
    /// Whether a delivery comes from the vendor, over the raw bytes, in constant time.
    fn verify(&self, _delivery: &Delivery<'_>) -> Result<(), Forged> {
        Err(Forged::NotAWebhook)
    }

    /// The vendor's challenge on `GET /hooks/{channel}`; `query` as decoded pairs.
    fn handshake(&self, _query: &[(String, String)]) -> Handshake {
        Handshake::None
    }

    /// Everything in the delivery: messages, updates, faults.
    fn parse(&self, event: &RawEvent) -> Parsed;

    /// For a mail whose sender no server of ours has vouched for: what the shell is to check before the mail
    /// is parsed. `None` where nothing can be checked, or all is said already.
    fn sender_question(&self, _event: &RawEvent) -> Option<SenderQuestion> {
        None
    }

    /// [`Channel::parse`] with the answer to [`Channel::sender_question`].
    fn parse_checked(&self, event: &RawEvent, _check: SenderCheck) -> Parsed {
        self.parse(event)
    }

    /// How customers are answered on it; `None` where they cannot be, or its settings lack what that takes.
    fn answers(&self) -> Option<&dyn Answers> {
        None
    }

    /// The delivery without the content of an item: what it says, its files, whom it names, ids that
    /// hold any of it. All other items are read from it as before, at the same positions; the item itself
    /// is read as [`Incoming::redacted`](super::domain::message::Incoming::redacted). `None` when the
    /// delivery has no such item, or no longer.
    fn redact(&self, event: &RawEvent, item: u32) -> Option<Redacted>;

    /// What to ask the vendor for the name of a person whose deliveries bring none; `None` where there
    /// is nobody to ask, or no token to ask with.
    fn profile_request(&self, _identity: &Identity) -> Option<ProfileRequest> {
        None
    }

    /// What the answer to [`Channel::profile_request`] says: HTTP status and the body's beginning.
    fn profile(&self, _status: u16, _body: &[u8]) -> Profile {
        Profile::Nameless
    }

    /// What the settings leave out, and what does not work without it: a key of the channel's table and a sentence.
    /// The channel runs nevertheless.
    fn lacks(&self) -> Option<SettingsProblem> {
        None
    }

    /// What to try the channel out with, where its settings ask for it.
    fn sample(&self) -> Option<&dyn Sample> {
        None
    }

    /// The next step for a file that the vendor has, by `Remote::at` of the delivery and the answers of this
    /// attempt so far, the oldest first: those to [`MediaStep::Ask`], and one to [`MediaStep::Fetch`] that was
    /// no file. Called until there is a file or a reason why there is none.
    fn media(&self, _remote: &str, _replies: &[MediaReply]) -> MediaStep {
        MediaStep::Lost("files of this channel are not fetched".to_owned())
    }
}

/// Mail, by whatever way it comes in. A channel of mail is this, or asks this: what it forgets to pass on,
/// such as the check of senders, would be missing in silence.
impl Channel for MailSettings {
    fn parse(&self, event: &RawEvent) -> Parsed {
        mime::read(event, self)
    }

    fn sender_question(&self, event: &RawEvent) -> Option<SenderQuestion> {
        mime::sender_question(event, self)
    }

    fn parse_checked(&self, event: &RawEvent, check: SenderCheck) -> Parsed {
        mime::read_checked(event, self, Some(check))
    }

    fn answers(&self) -> Option<&dyn Answers> {
        self.answers.as_ref().map(|answers| answers as &dyn Answers)
    }

    fn redact(&self, event: &RawEvent, item: u32) -> Option<Redacted> {
        mime::redact(event, item)
    }
}

impl Answers for Messages {
    fn way(&self) -> Way {
        Messages::way()
    }

    fn next(&self, answer: &Carried, replies: &[Reply], _now: Timestamp) -> Step {
        Messages::next(self, answer, replies)
    }
}

impl Answers for MailAnswers {
    fn way(&self) -> Way {
        MailAnswers::way(self)
    }

    fn next(&self, answer: &Carried, replies: &[Reply], _now: Timestamp) -> Step {
        MailAnswers::next(self, answer, replies)
    }

    fn patience(&self) -> Patience {
        MailAnswers::patience()
    }

    fn mail_server(&self) -> Option<&MailServer> {
        Some(self.server())
    }

    fn letter(&self, letter: &Letter) -> Option<Result<OutgoingMail, String>> {
        Some(MailAnswers::letter(self, letter))
    }
}
