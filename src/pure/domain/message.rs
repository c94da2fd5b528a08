//! What comes in, from the bytes of a delivery to a message that can be decided on.
//!
//! [`RawEvent`] → (`Channel::parse`) → [`Incoming`] → (`decide::normalise`) → [`Message`]. Only
//! `normalise` makes a [`Message`], and every later step takes one: no step can be skipped.

use super::Timestamp;
use super::answer::Answer;
use super::company::CompanyName;
use super::id::{MessageId, RawEventId};
use super::identity::{Assurance, CONTRADICTED_SCOPE, Identity, TEL};
use super::name::PersonName;
use super::queue::{Candidate, Put};
use super::ticket::Owner;
use super::triage::Triage;
use serde::{Deserialize, Serialize};

/// A delivery exactly as it arrived, stored before it was acknowledged.
#[derive(Debug, Clone)]
pub struct RawEvent {
    /// Its row.
    pub id: RawEventId,
    /// The firm it belongs to; nothing joins across tenants.
    pub tenant: String,
    /// The configured channel it came by.
    pub channel: String,
    /// The channel's kind: the name of its source file.
    pub kind: String,
    /// When lanka stored it: clocks and retention use this.
    pub received_at: Timestamp,
    /// When a server that we trust had it (IMAP INTERNALDATE, a file's modification time), if any.
    pub trusted_at: Option<Timestamp>,
    /// Where it came from, in words for `lanka explain`: `INBOX, UIDVALIDITY 7, UID 12`.
    pub origin: String,
    /// The bytes.
    pub body: bytes::Bytes,
}

/// What one delivered item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Something said, or a call.
    Message,
    /// Sent, delivered, read, played or failed.
    Status,
    /// New text for an earlier message.
    Edit,
    /// An earlier message was taken back.
    Delete,
    /// An emoji on an earlier message, or its removal.
    Reaction,
    /// The vendor's own notice: a number changed, a chat was handed over.
    Notice,
    /// The desk closed the matter of an earlier message, as far as that one's conversation goes.
    Close,
    /// The desk opened it again.
    Reopen,
    /// An agent has the ticket of an earlier message from now on: whom the text names, or nobody.
    Assign,
    /// The desk waits for the customer from now on: the ticket of an earlier message is to rest until he says something.
    Await,
    /// It waits no longer, though he said nothing.
    Resume,
    /// The ticket of an earlier message is in another queue from now on: in the one that the text names.
    Route,
}

impl What {
    /// The desk did something with a ticket, rather than said something on it.
    pub fn is_of_ticket(self) -> bool {
        matches!(self, Self::Close | Self::Reopen | Self::Assign | Self::Await | Self::Resume | Self::Route)
    }
}

/// Who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The customer, to us.
    FromCustomer,
    /// One of us, to the customer: an echo, the Sent folder, an outgoing call.
    FromAgent,
}

/// One identity of a sender and how well this delivery vouches for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderIdentity {
    /// The address.
    #[serde(flatten)]
    pub identity: Identity,
    /// What the channel vouches for in this delivery.
    pub assurance: Assurance,
}

/// A person at the other end, known by one or more identities, the strongest first. None at all
/// is legal: an anonymous caller.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The name as the channel gives it: display name, profile, what a visitor typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Identities of one person, all of them at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<SenderIdentity>,
    /// What the person stated beside them without any proof: the e-mail address typed into a chat,
    /// a Reply-To. Facts, never identities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stated: Vec<Identity>,
}

/// How a reference points at something earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceKind {
    /// The message answered or quoted: In-Reply-To, `context.id`, `reply_to.mid`.
    Reply,
    /// An earlier message of the same thread: References, nearest first.
    Ancestor,
    /// The vendor's own conversation: a chat's id, a call's `linkedid`.
    Conversation,
    /// The vendor's group, in which several customers speak: what is said there and what one of them
    /// says to us alone never share a ticket.
    Group,
    /// A hint that several unrelated messages may share: Outlook's Thread-Index.
    Hint,
    /// The message that an update (status, edit, reaction) is about.
    Target,
}

/// How far something that we sent has come, as a receipt says. Receipts come in any order and often
/// more than once: what stands is the greatest. `Failed` gives way to a later success, for a
/// telephone that could not be reached may come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// The platform took it.
    Sent,
    /// It cannot be delivered.
    Failed,
    /// It is on the customer's device.
    Delivered,
    /// The customer has seen it. A platform may leave out `Delivered` then.
    Read,
    /// A voice message was listened to.
    Played,
}

impl Progress {
    /// All, the least first: the order in which SQL compares them.
    pub const WORDS: [&'static str; 5] = ["sent", "failed", "delivered", "read", "played"];

    /// The progress of a vendor's word; others (`deleted`, `warning`) say nothing of it.
    pub fn parse(word: &str) -> Option<Self> {
        let all = [Self::Sent, Self::Failed, Self::Delivered, Self::Read, Self::Played];
        all.into_iter().find(|progress| progress.as_str() == word)
    }

    /// The stable word, as in SQL and on the wire.
    pub fn as_str(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// A message's pointer to an earlier one. `namespace` says where `key` is unique: `mail` for all
/// mail channels, else the page, the business, the bot or the channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// How it points.
    pub kind: ReferenceKind,
    /// The namespace `key` lives in, as [`Incoming::namespace`].
    pub namespace: String,
    /// The vendor's id of what is pointed at.
    pub key: String,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    /// The exchange could not put it through.
    Failed,
    /// The other end was engaged.
    Busy,
    /// Nobody took it, or nobody of the queue it waited in.
    Missed,
    /// A machine took it: voicemail, an announcement.
    Voicemail,
    /// A person took it.
    Answered,
}

/// One record of a call: a call that is transferred, queued or parked writes several.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallLeg {
    /// When the leg began.
    pub start: Timestamp,
    /// The vendor's key of the record, which tells legs apart.
    pub key: String,
    /// The number or extension it came from, as the exchange writes it.
    pub from: String,
    /// The number or extension it went to.
    pub to: String,
    /// Where it rang: the extension it was put through to, of an outgoing call the number dialled.
    /// Never the desk's main number; empty when the log does not tell.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub at: String,
    /// Seconds from start to end.
    pub duration_s: u32,
    /// Seconds of talk.
    pub talk_s: u32,
    /// How the leg ended.
    pub outcome: CallOutcome,
    /// Where its recording can be heard: a URL, or the name of the file; empty when there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub recording: String,
}

/// A call, over all its legs known so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// How it ended: the best outcome of any leg.
    pub outcome: CallOutcome,
    /// Seconds from the first leg's start to the last one's end.
    pub duration_s: u32,
    /// Seconds in which anybody talked: legs that ran side by side count once.
    pub talk_s: u32,
    /// Where a person answered (`CallLeg::at`): of several who did, the one who talked longest, of
    /// equals the last. Empty unless the outcome is `Answered`, or when the log does not tell.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub answered_by: String,
    /// The legs in order of their start; never empty.
    pub legs: Vec<CallLeg>,
}

/// What was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Text, possibly empty (a picture alone).
    Text(String),
    /// A telephone call; its text is what the caller keyed in or an agent noted.
    Call(Call, String),
}

impl Content {
    /// The words in it.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Call(_, text) => text,
        }
    }
}

/// Where an attachment's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttachmentSource {
    /// In the delivery.
    Inline(bytes::Bytes),
    /// With the vendor, to be fetched after the commit.
    Remote(Remote),
}

/// Where a vendor has a file, and what the delivery says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// A URL or a media id: only the channel knows which.
    pub at: String,
    /// SHA-256 of the bytes, where the vendor states it.
    pub sha256: Option<[u8; 32]>,
    /// How long after the delivery the vendor gives it out, where that is known.
    pub kept: Option<std::time::Duration>,
}

impl Remote {
    /// A place of which nothing more is known.
    pub fn at(at: impl Into<String>) -> Self {
        Self { at: at.into(), sha256: None, kept: None }
    }
}

/// A file that came with a message. Its name is for show and never becomes a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The sender's name for it.
    pub name: Option<String>,
    /// The media type stated (`image/jpeg`), lower case, without parameters.
    pub media_type: String,
    /// Its bytes, or where they are.
    pub source: AttachmentSource,
    /// Shown within the text rather than beside it.
    pub inline: bool,
}

/// Why a message is taken for automatic (RFC 3834 and what mail systems do instead).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auto {
    /// A delivery report (RFC 3464) or what stands for one.
    Bounce,
    /// A complaint (RFC 5965).
    Complaint,
    /// A read receipt (RFC 8098).
    Receipt,
    /// Out of office, received your mail.
    Vacation,
    /// A mailing list or bulk mail.
    List,
    /// Anything else that says of itself that no person wrote it.
    Generated,
    /// lanka's own: a customer was told that his matter was received, how it stands, or that it is done.
    Notice,
    /// A monitoring system's: the one automatic message that opens a ticket.
    Alert,
}

impl Auto {
    /// Whether it brings a matter of its own, as what people say does.
    pub fn brings_matter(self) -> bool {
        self == Self::Alert
    }
}

/// What is known of a mail's sender: by our own boundary server (RFC 8601), else by lanka's own check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authentication {
    /// Aligned DMARC pass, or DKIM pass aligned with From.
    Pass,
    /// Aligned SPF only.
    Aligned,
    /// Nothing aligned, nothing contradicted.
    None,
    /// The name servers that would tell did not answer: worth as much as nothing, and asked again.
    Unknown,
    /// DMARC says fail.
    Fail,
}

/// What lanka itself found out about a mail's sender, where no server of ours had written it into the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderCheck {
    /// What it is worth.
    pub verdict: Authentication,
    /// What it rests on.
    pub finding: Finding,
}

/// What a check of a mail's sender rests on. The text form is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// A signature of the sender's domain (DKIM).
    Signed,
    /// A chain of seals that ends with a sealer we trust, who saw such a signature (ARC).
    Sealed,
    /// The address it was handed over from is one of the domain's (SPF).
    Sent,
    /// It carries no signature.
    Unsigned,
    /// It carries signatures, none of them of the sender's domain.
    Unaligned,
    /// The sender's domain signed it, and the signature does not hold.
    Broken,
    /// The domain's policy denies mail like this (DMARC).
    Denied,
    /// A name server did not answer.
    NoAnswer,
    /// Checking it would have cost more than a mail may cost, or it is built to be read in two ways.
    Refused,
}

/// Something an agent must know about a message, shown with it. The text form is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// The sender could have been forged; ask before disclosing anything.
    Unverified,
    /// The sender's own domain says that this is not from it.
    Contradicted,
    /// The same Message-ID came with other content.
    MessageIdReused,
    /// The vendor's type is unknown here; the raw payload is kept and shown.
    Unsupported,
    /// The text was longer than lanka keeps in the database.
    Truncated,
    /// An attachment or part was left out because of a limit.
    PartsDropped,
    /// The Date header or vendor's time was absurd; the trusted time stands.
    DateDoubtful,
    /// Several From headers, or several addresses in one.
    SeveralSenders,
    /// Forwarded, as the platform says.
    Forwarded,
    /// A missed call: to be returned.
    CallBack,
    /// What vouches for the mail vouches for another domain than the sender's.
    Unaligned,
    /// The sender's domain is made to look like one of ours.
    Lookalike,
    /// The sender could not be checked yet; it is tried again.
    Unchecked,
    /// Written for colleagues: it never goes to a customer.
    Internal,
    /// A note that says that the caller was not the owner of the number that it showed.
    NotOwner,
    /// It was a person's who was erased: nothing of it is left but its place.
    Erased,
    /// A program wrote it in an agent's place (an absence note, a bounce): it never goes to a customer.
    Automatic,
}

impl Mark {
    /// Whether it says that the sender may be another than it shows: nothing is disclosed on the strength of it.
    pub fn casts_doubt(self) -> bool {
        match self {
            Self::Unverified
            | Self::Contradicted
            | Self::SeveralSenders
            | Self::Unaligned
            | Self::Lookalike
            | Self::Unchecked
            | Self::NotOwner => true,
            Self::MessageIdReused
            | Self::Unsupported
            | Self::Truncated
            | Self::PartsDropped
            | Self::DateDoubtful
            | Self::Forwarded
            | Self::CallBack
            | Self::Internal
            | Self::Erased
            | Self::Automatic => false,
        }
    }
}

/// What somebody says that he did not use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denied {
    /// A kind of channel, by the schemes of its people's addresses: "I have no WhatsApp".
    Accounts(Vec<String>),
    /// A telephone number as his new one: "I have not changed my number".
    Number,
    /// Anything but what he speaks by: "she wrote nothing".
    Rest,
}

impl Denied {
    /// Whether somebody's address is what is denied: a telephone number, if a platform vouches for it.
    pub fn is_of(&self, identity: &Identity, assurance: Assurance) -> bool {
        match self {
            Self::Accounts(schemes) => {
                schemes.contains(&identity.scheme) && (identity.scheme != TEL || assurance == Assurance::Verified)
            }
            Self::Number => identity.scheme == TEL && assurance == Assurance::Verified,
            Self::Rest => true,
        }
    }
}

/// The message that something an agent did is on, as `export assignments` names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct On {
    /// The configured channel that it came by.
    pub channel: String,
    /// Its vendor's id.
    pub source_key: String,
    /// What was done is a message there too: its own id is of the same namespace, whichever that is.
    #[serde(skip)]
    pub is_answered_there: bool,
    /// The message itself, as soon as it is found.
    #[serde(skip)]
    pub message: Option<MessageId>,
}

/// What a channel read out of one item of a delivery.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Message or update.
    pub what: What,
    /// Where `source_key` is unique, within the tenant: `mail`, or the page, business, bot or channel.
    pub namespace: String,
    /// The vendor's id of the item.
    pub source_key: String,
    /// What tells two items with one `source_key` apart, if the vendor's id cannot be trusted to:
    /// a hash of the content for mail, kind and state for an update. Empty otherwise.
    pub variant: String,
    /// Who said it.
    pub direction: Direction,
    /// The author.
    pub sender: Sender,
    /// For what an agent sent: the customer it went to.
    pub recipient: Sender,
    /// The time the sender or vendor gives; not yet believed.
    pub occurred_at: Option<Timestamp>,
    /// The vendor signs its times (webhooks), or the call log is our own: `occurred_at` may be
    /// trusted for claims too.
    pub occurred_trusted: bool,
    /// The time our own server had it, where the item itself says so (topmost Received).
    pub trusted_at: Option<Timestamp>,
    /// The subject, decoded.
    pub subject: Option<String>,
    /// What was said. For an edit the new text, for a reaction the emoji, for a status its name.
    pub content: Content,
    /// The author's own words, where the text shows more than these: a contact card, a shared post.
    /// Who and what the rest names is not the author's to state.
    pub own: Option<String>,
    /// Files.
    pub attachments: Vec<Attachment>,
    /// Pointers to earlier messages, the best first.
    pub references: Vec<Reference>,
    /// Whom it is addressed to beside the desk (To and Cc of a mail), the first few. Anybody may write anybody
    /// there: it tells what the mail is about, never who somebody is.
    pub addressed: Vec<Identity>,
    /// The addresses that it was written to, of a mail: the desk's own among them, the first few. Rules of the desk's own
    /// go by them, and nothing else does.
    pub written_to: Vec<Identity>,
    /// Set when no person wrote it.
    pub auto: Option<Auto>,
    /// Kind and urgency, where the channel itself says them.
    pub triage: Option<Triage>,
    /// What our server said about the sender, else lanka's own check; `None` where the channel has no
    /// such thing.
    pub authentication: Option<Authentication>,
    /// What that rests on, where lanka checked it itself.
    pub finding: Option<Finding>,
    /// The author of what is passed on, as it says itself: for show. It claims nothing.
    pub forwarded_from: Option<String>,
    /// What agents must know.
    pub marks: Vec<Mark>,
    /// The platform's notice that the sender is reached at these from now on, and no longer at the
    /// identities in `sender`: a number or user id changed. Empty for everything else.
    pub moved_to: Vec<SenderIdentity>,
    /// For what an agent did in a tool of his: the message that it is on. It waits until that has come.
    pub on: Option<On>,
    /// The number of the matter in the agents' tool, which the customer was told and may name.
    pub ticket_ref: Option<String>,
    /// For what an agent gave lanka to carry, or to show to colleagues: on which ticket, and where it goes.
    pub answer: Option<Box<Answer>>,
    /// What the channel will need to answer it, beside the address: a conversation's id, the number it came to. Of the
    /// channel's own making, and opaque elsewhere.
    pub answer_path: Option<String>,
    /// Nothing is here any more: its content was taken out of the delivery. It only holds its place.
    pub redacted: bool,
}

impl Incoming {
    /// An empty message of a namespace and key, for a channel to fill in.
    pub fn new(namespace: impl Into<String>, source_key: impl Into<String>) -> Self {
        Self {
            what: What::Message,
            namespace: namespace.into(),
            source_key: source_key.into(),
            variant: String::new(),
            direction: Direction::FromCustomer,
            sender: Sender::default(),
            recipient: Sender::default(),
            occurred_at: None,
            occurred_trusted: false,
            trusted_at: None,
            subject: None,
            content: Content::Text(String::new()),
            own: None,
            attachments: Vec::new(),
            references: Vec::new(),
            addressed: Vec::new(),
            written_to: Vec::new(),
            auto: None,
            triage: None,
            authentication: None,
            finding: None,
            forwarded_from: None,
            marks: Vec::new(),
            moved_to: Vec::new(),
            on: None,
            ticket_ref: None,
            answer: None,
            answer_path: None,
            redacted: false,
        }
    }

    /// What stands in the place of an item whose content was taken out of its delivery.
    pub fn redacted() -> Self {
        Self { what: What::Notice, redacted: true, ..Self::new("redacted", "redacted") }
    }

    /// Whether a program wrote it that only remarks on what is there: it brings no matter, opens nothing.
    pub fn is_aside(&self) -> bool {
        self.auto.is_some_and(|auto| !auto.brings_matter())
    }

    /// Whether it was said in a group of several customers.
    pub fn is_in_group(&self) -> bool {
        self.references.iter().any(|reference| reference.kind == ReferenceKind::Group)
    }

    /// Whether it is the platform's own word that a person is reached elsewhere from now on. Only
    /// what the platform itself vouches for, on both sides, can move anybody.
    pub fn is_move(&self) -> bool {
        let vouched =
            |side: &[SenderIdentity]| !side.is_empty() && side.iter().all(|held| held.assurance == Assurance::Verified);
        self.what == What::Notice
            && self.direction == Direction::FromCustomer
            && vouched(&self.moved_to)
            && vouched(&self.sender.identities)
    }
}

/// Something in a delivery that could not be read. It goes to quarantine with the bytes; what was
/// read beside it goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// A stable word: `not_json`, `no_sender`, `bad_timestamp`.
    pub code: &'static str,
    /// A sentence for the person who looks at the quarantine. No customer's data.
    pub detail: String,
}

impl Fault {
    /// A fault with its sentence.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

/// All that a channel read out of one delivery: parsing never fails, it reports.
///
/// **Invariant:** the position of an item in `items` is its `item` number for good; parsing the
/// same bytes again gives the same order.
#[derive(Debug, Clone, Default)]
pub struct Parsed {
    /// Messages and updates in the order of the payload.
    pub items: Vec<Incoming>,
    /// What could not be read.
    pub faults: Vec<Fault>,
}

/// Where in a message something was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The channel's own field: display name, profile, caller id.
    Header,
    /// A field the person filled in: a chat's e-mail box, an IVR entry.
    Field,
    /// The subject.
    Subject,
    /// The subject of the thread that a mail answers, whoever worded it.
    Thread,
    /// The person's own words.
    Body,
    /// Below the sign-off.
    Signature,
    /// What the desk wrote to the person, and to nobody else.
    Told,
    /// What an agent noted of the person.
    Noted,
}

/// How much a number proves (`[matters]` in the configuration).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatterRole {
    /// Known to the parties only.
    Secret,
    /// Printed everywhere: proves nothing.
    Public,
    /// Tells the firm, never the matter.
    Organisation,
    /// What a matter is about, a product: it tells a contact's open matters apart, and proves nothing.
    Topic,
}

/// One thing read out of a message that may tie it to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactValue {
    /// A person's name.
    Name(PersonName),
    /// The firm the person writes for.
    Company(CompanyName),
    /// An address or number that the message states: somebody else's until proven.
    Claim(Identity),
    /// A number of a matter: the pattern's name, its role, the canonical spelling.
    Number {
        /// The key under `[matters]`.
        matter: String,
        /// What it proves.
        role: MatterRole,
        /// The canonical form.
        value: String,
    },
}

/// A fact and where it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageFact {
    /// What was read.
    pub value: FactValue,
    /// Where.
    pub place: Place,
}

/// The hash of a passage, by which a quotation of it is known again (`decide::prints`). Kept under a keyed hash
/// only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Print(pub u64);

/// A message ready to be decided on. Made by `decide::normalise` alone.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its id, allotted before deciding.
    pub id: MessageId,
    /// The delivery it came in, and the position in it.
    pub raw_event: RawEventId,
    /// Position in the delivery.
    pub item: u32,
    /// The firm it belongs to.
    pub tenant: String,
    /// The configured channel.
    pub channel: String,
    /// The channel's kind.
    pub kind: String,
    /// As the channel read it; texts cut to their limits, identities deduplicated.
    pub incoming: Incoming,
    /// The person's own words: no quotes, no signature.
    pub own_text: String,
    /// The event's time: shown, sorted by, windows measured with.
    pub occurred_at: Timestamp,
    /// The time nobody outside could choose: claims and epochs use it.
    pub trusted_at: Timestamp,
    /// When lanka stored it.
    pub received_at: Timestamp,
    /// The strongest assurance any of the sender's identities has in this delivery.
    pub assurance: Assurance,
    /// Names, claims and numbers, at most 32.
    pub facts: Vec<MessageFact>,
    /// Passages of its own words, for those who will quote them.
    pub passages: Vec<Print>,
    /// Passages that it quotes.
    pub quoted: Vec<Print>,
    /// The text says that this is a new matter.
    pub says_new_matter: bool,
    /// The text says that what was thought solved is there again.
    pub says_is_back: bool,
    /// The text speaks of what its writer said before: "I wrote yesterday".
    pub refers_back: bool,
    /// A greeting, a sticker or nothing at all: opens a ticket of kind `none`.
    pub says_nothing: bool,
    /// What its writer, or whom a note is of, says that he did not use.
    pub denies: Vec<Denied>,
    /// What kind of matter it brings, and how soon it must be seen to.
    pub triage: Triage,
    /// The queues that it may lead its ticket to, the first first.
    pub routes: Vec<Candidate>,
}

/// Characters of an agent's name that are kept with the ticket that he has.
const OWNER_CHARS_MAX: usize = 200;

impl Message {
    /// A customer says it, and no program of his.
    pub fn is_said_by_customer(&self) -> bool {
        let Incoming { what, direction, auto, .. } = &self.incoming;
        *what == What::Message && *direction == Direction::FromCustomer && auto.is_none()
    }

    /// The desk says it to a customer: a note for colleagues is not, and what no person wrote answers nobody.
    pub fn is_said_to_customer(&self) -> bool {
        let Incoming { what, direction, auto, marks, .. } = &self.incoming;
        let is_hidden = auto.is_some() || marks.contains(&Mark::Internal) || marks.contains(&Mark::Automatic);
        *what == What::Message && *direction == Direction::FromAgent && !is_hidden
    }

    /// The customer's side: the sender, or for an agent's message the recipient.
    pub fn customer(&self) -> &Sender {
        match self.incoming.direction {
            Direction::FromCustomer => &self.incoming.sender,
            Direction::FromAgent => &self.incoming.recipient,
        }
    }

    /// Who has the ticket from now on, where it is that which it tells.
    pub fn owner(&self) -> Option<Owner> {
        let name: String = self.incoming.content.text().trim().chars().take(OWNER_CHARS_MAX).collect();
        let owner = Owner { at: self.occurred_at, name: Some(name).filter(|name| !name.is_empty()) };
        (self.incoming.what == What::Assign).then_some(owner)
    }

    /// The queue that the ticket is put into, where it is that which it tells, and there is such a queue.
    pub fn put(&self) -> Option<Put> {
        let queue = self.incoming.content.text().trim().to_owned();
        (self.incoming.what == What::Route && !queue.is_empty()).then_some(Put { at: self.occurred_at, queue })
    }

    /// The addresses that a contradicted sender gave himself: those of whoever he pretends to be.
    pub fn impersonated(&self) -> impl Iterator<Item = Identity> {
        let contradicted = |held: &&SenderIdentity| held.identity.scope == CONTRADICTED_SCOPE;
        let held = self.customer().identities.iter().filter(contradicted);
        held.map(|held| Identity { scope: String::new(), ..held.identity.clone() })
    }

    /// Who takes part in it beside the desk: the customer's side, then those to whom it is addressed.
    pub fn participants(&self) -> impl Iterator<Item = &Identity> {
        let customer = self.customer().identities.iter().map(|held| &held.identity);
        customer.take(1).chain(&self.incoming.addressed)
    }

    /// Numbers of matters in it, each once.
    pub fn numbers(&self) -> impl Iterator<Item = (&str, MatterRole, &str)> {
        self.facts.iter().filter_map(|fact| match &fact.value {
            FactValue::Number { matter, role, value } => Some((matter.as_str(), *role, value.as_str())),
            _ => None,
        })
    }

    /// Names that the customer gives in his own words, not those of his profile.
    pub fn stated_names(&self) -> impl Iterator<Item = &PersonName> {
        self.facts.iter().filter(|fact| matches!(fact.place, Place::Body | Place::Signature)).filter_map(|fact| {
            match &fact.value {
                FactValue::Name(name) => Some(name),
                _ => None,
            }
        })
    }

    /// Names the customer goes by in it.
    pub fn names(&self) -> impl Iterator<Item = &PersonName> {
        self.facts.iter().filter_map(|fact| match &fact.value {
            FactValue::Name(name) => Some(name),
            _ => None,
        })
    }
}
