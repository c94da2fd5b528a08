//! The tools agents work in: one file a kind, [`Post`] → [`Outgoing`].
//!
//! A mirror is never async and never sends: it says the next step from the replies so far; the
//! shell sends, stores the reply, and asks again. Retry and replay stay in one place, the shell's.
//! Adding one is adding a file and a line, as for channels.
//!
//! What agents do in a tool comes back by its inbound half ([`Inbound`]): by its webhook, asked for, or both.
//!
//! **Invariant:** `next` is a function of its arguments. The name of a kind appears in its own file
//! only.

use super::domain::Timestamp;
use super::domain::message::{Parsed, RawEvent};
use super::domain::outbox::{Alert, Post};
pub use super::wire::delivery::{Delivery, Forged};
pub use super::wire::media::{MediaReply, MediaRequest, MediaStep};
pub use super::wire::poll::{Look, PollSource, Poller};
pub use super::wire::redact::Redacted;
pub use super::wire::settings::SettingsProblem;
pub use super::wire::step::{Folder, FoundMails, Link, MailServer, MailboxRequest, Outgoing, Patience, Reply, Step};

macro_rules! mirrors {
    ($($(#[$meaning:meta])* $name:ident),* $(,)?) => {
        $($(#[$meaning])* pub mod $name;)*

        /// Every kind of mirror, in the order of the list.
        pub const KINDS: &[&Kind] = &[$(&$name::KIND),*];
    };
}

mirrors! {
    /// Chatwoot: conversations of an API inbox.
    chatwoot,
    /// A shared mailbox: a conversation for each ticket.
    mailbox,
    /// Request Tracker, by its REST 2 interface.
    rt,
    /// Notifications for people, in a chat room.
    slack,
    /// One signed request for each change: Standard Webhooks around a CloudEvent.
    webhook,
    /// Zammad: tickets and articles.
    zammad,
    /// Zendesk Support: tickets and comments.
    zendesk,
}

/// The kind of a name, if there is one.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.name == name)
}

/// A kind of mirror.
pub struct Kind {
    /// The word in the configuration, equal to the file's name.
    pub name: &'static str,
    /// Reads the settings (the mirror's table without `kind` and `tenant`) and makes the mirror.
    pub build: Build,
}

/// A mirror ready for work, with its inbound half.
pub struct Built {
    /// Writes to the tool.
    pub mirror: Box<dyn Mirror>,
    /// What agents do in the tool; `None` where nothing comes back by itself.
    pub inbound: Option<Inbound>,
}

impl Built {
    /// A mirror from which nothing comes back by itself.
    pub fn outbound(mirror: impl Mirror + 'static) -> Self {
        Self { mirror: Box::new(mirror), inbound: None }
    }
}

/// How what agents do in a tool gets in.
pub struct Inbound {
    /// Reads it.
    pub listener: Box<dyn Listener>,
    /// Asks the tool for it; without it the tool posts to `/hooks/{mirror}`. It says whether the tool does both.
    pub poll: Option<PollSource>,
}

/// What agents do in a tool: bytes → messages and acts. As a channel it never does I/O and never fails; what it reads is
/// on a ticket by the tool's own thread (`Incoming::answer`), and in the direction from an agent.
pub trait Listener: Send + Sync {
    /// Whether a delivery comes from the tool, over the raw bytes, in constant time.
    fn verify(&self, _delivery: &Delivery<'_>) -> Result<(), Forged> {
        Err(Forged::NotAWebhook)
    }

    /// Everything in the delivery.
    fn parse(&self, event: &RawEvent) -> Parsed;

    /// The delivery without the content of an item; as of a channel.
    fn redact(&self, event: &RawEvent, item: u32) -> Option<Redacted>;

    /// The next step for a file that the tool has; as of a channel.
    fn media(&self, _remote: &str, _replies: &[MediaReply]) -> MediaStep {
        MediaStep::Lost("files of this tool are not fetched".to_owned())
    }
}

/// What a mirror may know of the rest of the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// The mirror's name in the configuration.
    pub name: &'a str,
    /// `http.allow_private_addresses`.
    pub allow_private_addresses: bool,
}

/// Makes a mirror of a name from its settings, or says all that is wrong with them.
pub type Build = fn(&Setup<'_>, toml::Table) -> Result<Built, Vec<SettingsProblem>>;

/// One configured tool.
pub trait Mirror: Send + Sync {
    /// How long a change is tried.
    fn patience(&self) -> Patience {
        Patience::default()
    }

    /// Whether the tool can show mail as it was laid out: then posts come with it.
    fn shows_html(&self) -> bool {
        false
    }

    /// Whether the tool can show files: then posts come with their bytes.
    fn shows_files(&self) -> bool {
        false
    }

    /// Whether the tool lets several of its people be one contact: then a process makes nobody known there twice at a time.
    fn may_double_people(&self) -> bool {
        false
    }

    /// The folder that its steps are done in.
    fn folder(&self) -> Option<&Folder> {
        None
    }

    /// The queues that its settings name, each with its key there.
    fn queues(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// The server that takes the mails of its steps.
    fn mail_server(&self) -> Option<&MailServer> {
        None
    }

    /// The next step for a post, given the replies of this attempt so far, oldest first.
    fn next(&self, post: &Post, replies: &[Reply], now: Timestamp) -> Step;

    /// A request that asks whether the tool can be reached, and does nothing there; `None` where there is none.
    fn probe(&self) -> Option<Outgoing> {
        None
    }

    /// How operational events reach this tool; `None` where it has no place for them.
    fn alert(&self, _alert: &Alert, _id: &str, _now: Timestamp) -> Option<Outgoing> {
        None
    }
}
