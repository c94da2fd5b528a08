//! What an article of a help desk says of a message, and which articles a thread there lacks.
//!
//! Every article bears a [`Stamp`]: what it is of, in a form that the tool gives back. What a thread lacks is found by the stamps
//! of what is there, so that nothing is written twice, whatever became of earlier attempts, and nothing of lanka's is
//! taken for somebody else's.
//!
//! **Invariant:** what is marked `internal` is a note, never an article that customers could be shown.

use super::shown;
use crate::pure::domain::Timestamp;
use crate::pure::domain::answer::{AnswerView, CarriedFile};
use crate::pure::domain::id::{ContactId, MessageId, TicketId};
use crate::pure::domain::message::{Direction, Mark, Progress};
use crate::pure::domain::outbox::{Change, LinkedKind, MessageView, Post, TicketView};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Most bytes of files in one article; others are named in it. Tools and the proxies before them take 20 MB and more.
const FILES_BYTES_MAX: usize = 20 * 1024 * 1024;

/// Files in one article at most (Chatwoot takes 15).
const FILES_MAX: usize = 15;

/// What an article is of, as the tool keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// What tells it from all others of the thread.
    pub key: String,
    /// The message it shows, or shows more of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    /// Whose message that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactId>,
    /// A hash of what the message said then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The places of the files that are with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<usize>,
    /// Where answers went when it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// The position of the change in the ticket's line towards the mirror.
    #[serde(default)]
    pub sequence: i64,
    /// How the ticket stood then: what lanka wrote into the fields of the tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Standing>,
}

/// How a ticket stood when an article was written. Where a field of the tool says something else than lanka wrote last, an
/// agent set it, and it is left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Which: articles come along when tickets are joined.
    pub of: TicketId,
    /// `high`, `normal`, `low`.
    pub priority: String,
    /// Kinds of matter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kind: Vec<String>,
    /// The queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
}

impl Standing {
    /// How the ticket of a change stands now.
    pub fn of(post: &Post) -> Self {
        let TicketView { id, priority, kind, queue, .. } = &post.ticket;
        Self { of: *id, priority: priority.clone(), kind: kind.clone(), queue: queue.clone() }
    }

    /// How it stood at the change before, by the stamps of what is there; `None` where none tells.
    pub fn before(post: &Post, there: &[Stamp]) -> Option<Self> {
        let of_it = |stamp: &&Stamp| stamp.ticket.as_ref().is_some_and(|ticket| ticket.of == post.ticket.id);
        let before = there.iter().filter(|stamp| stamp.sequence < post.sequence).filter(of_it);
        before.max_by_key(|stamp| stamp.sequence)?.ticket.clone()
    }
}

/// Whose words an article holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    /// A customer's.
    Customer(Option<ContactId>),
    /// An agent's, who wrote elsewhere.
    Agent,
    /// lanka's own, for agents.
    Lanka,
}

/// An article to be written.
#[derive(Debug, Clone)]
pub struct Article<'a> {
    /// What it is of.
    pub stamp: Stamp,
    /// Whose words it holds.
    pub author: Author,
    /// For agents alone.
    pub is_note: bool,
    /// It tells of a call.
    pub is_call: bool,
    /// The subject, for mail.
    pub subject: Option<&'a str>,
    /// What agents must know of it: channel and time, then what else there is, a line each.
    pub head: Vec<String>,
    /// What it says.
    pub text: String,
    /// Its files.
    pub files: Vec<&'a CarriedFile>,
    /// When it was said.
    pub at: Timestamp,
}

impl Stamp {
    /// Whether an article names somebody who was erased, or quotes him: his own, and where answers went.
    pub fn is_of(&self, erased: &[String]) -> bool {
        self.answer.is_some() || self.contact.is_some_and(|id| erased.contains(&id.to_string()))
    }
}

impl Article<'_> {
    /// All of it as plain text, within a number of bytes.
    pub fn plain(&self, bytes_max: usize) -> String {
        let mut text = self.head.join("\n");
        if !self.text.is_empty() {
            if !text.is_empty() {
                text.push_str("\n\n");
            }
            text.push_str(&self.text);
        }
        cut(&text, bytes_max)
    }
}

/// A text within a number of bytes; that it was cut is said.
pub fn cut(text: &str, bytes_max: usize) -> String {
    const REST: &str = "\n[…] The rest is in lanka: `lanka thread show`.";
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let mut end = bytes_max.saturating_sub(REST.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{REST}", &text[..end])
}

/// The articles that a thread lacks after a change, given the stamps of those that are there, in their order.
pub fn lacking<'a>(post: &'a Post, there: &[Stamp]) -> Vec<Article<'a>> {
    let mut articles = match post.change {
        Change::MessageAdded | Change::MessageUpdated => lacks(post, there),
        Change::MessageMoved => moved(post, there),
        Change::TicketMerged => vec![joined(post)],
        Change::SuggestionMade => suggested(post),
        Change::AnswersOffered => offered(post).map(|text| note(post, text)).into_iter().collect(),
        Change::TicketAssigned => vec![note(post, shown::owner(&post.ticket))],
        Change::ClockWarned | Change::ClockBreached => vec![note(post, shown::clock(post))],
        Change::TicketRouted => vec![note(post, shown::queue(&post.ticket))],
        Change::IncidentLinked | Change::ContactAgain => vec![note(post, shown::recurring(post))],
        Change::TicketOpened
        | Change::TicketReopened
        | Change::TicketClosed
        | Change::TicketAwaited
        | Change::TicketResumed
        | Change::TicketTriaged
        | Change::ContactMerged
        | Change::ContactSplit
        | Change::ContactErased
        | Change::AnswerDue => Vec::new(),
    };
    let is_told_of_answers = match post.change {
        Change::TicketClosed
        | Change::TicketAssigned
        | Change::ContactErased
        | Change::AnswerDue
        | Change::ClockWarned
        | Change::ClockBreached
        | Change::AnswersOffered
        | Change::IncidentLinked
        | Change::ContactAgain
        | Change::SuggestionMade => false,
        Change::TicketMerged => is_target(post),
        _ => true,
    };
    articles
        .extend(post.ticket.answer.as_ref().filter(|_| is_told_of_answers).and_then(|view| ways(post, view, there)));
    articles.retain(|article| !there.iter().any(|stamp| stamp.key == article.stamp.key));
    for article in &mut articles {
        article.stamp.sequence = post.sequence;
        article.stamp.ticket = Some(Standing::of(post));
    }
    articles
}

/// The ids that somebody who was erased was known by.
pub fn erased(post: &Post) -> Vec<String> {
    let all = post.detail.get("contacts").and_then(serde_json::Value::as_array);
    let mut all: Vec<String> = all.into_iter().flatten().filter_map(|id| id.as_str().map(str::to_owned)).collect();
    if let Some(one) =
        post.detail.get("contact").and_then(serde_json::Value::as_str).filter(|one| !all.iter().any(|id| id == one))
    {
        all.push(one.to_owned());
    }
    all
}

/// Whether the lane of a merge or move is the one where things go to.
pub fn is_target(post: &Post) -> bool {
    post.detail.get("to").and_then(serde_json::Value::as_str) == Some(post.ticket.id.to_string().as_str())
}

fn key_of(message: MessageId) -> String {
    format!("m-{message}")
}

fn note(post: &Post, text: String) -> Article<'_> {
    Article {
        stamp: Stamp { key: format!("u-{}", post.id), ..Stamp::default() },
        author: Author::Lanka,
        is_note: true,
        is_call: false,
        subject: None,
        head: Vec::new(),
        text,
        files: Vec::new(),
        at: post.decided_at,
    }
}

/// What a message lacks: itself, what it says now, files that came, that it did not reach the customer.
fn lacks<'a>(post: &'a Post, there: &[Stamp]) -> Vec<Article<'a>> {
    let Some(message) = &post.message else { return Vec::new() };
    let of_it: Vec<&Stamp> = there.iter().filter(|stamp| stamp.message == Some(message.id)).collect();
    let is_written_there = of_it.is_empty() && post.links.of(LinkedKind::Message, message.id.0).is_some();
    let is_erased = message.marks.contains(&Mark::Erased);
    let mut articles = Vec::new();
    if of_it.is_empty() && !is_written_there && !is_erased {
        articles.push(article(post, message));
    }
    let last = of_it.iter().rev().find_map(|stamp| stamp.version.as_ref());
    if last.is_some_and(|last| *last != version(message)) && !is_erased {
        articles.push(changed(post, message));
    }
    if !of_it.is_empty() && !is_erased {
        articles.extend(come(post, message, &of_it));
    }
    if message.progress == Some(Progress::Failed) {
        let why = message.progress_why.as_deref().unwrap_or("The platform did not say why.");
        let said = cut(&first_line(&message.text), 120);
        let mut failed = note(post, format!("NOT DELIVERED to the customer: \"{said}\". {why}"));
        failed.stamp.key = format!("f-{}", message.id);
        failed.stamp.contact = message.contact;
        articles.push(failed);
    }
    articles
}

fn first_line(text: &str) -> String {
    text.trim().lines().next().unwrap_or_default().to_owned()
}

/// The message whole.
fn article<'a>(post: &'a Post, message: &'a MessageView) -> Article<'a> {
    let here: Vec<usize> = places(message).collect();
    let (files, with, left_out) = packed(post, message, &here);
    let mut head = head(message);
    head.extend(left_out);
    let by_agent = message.direction == Direction::FromAgent;
    Article {
        stamp: Stamp {
            key: key_of(message.id),
            message: Some(message.id),
            contact: message.contact,
            version: Some(version(message)),
            files: with,
            ..Stamp::default()
        },
        author: if by_agent { Author::Agent } else { Author::Customer(message.contact) },
        is_note: message.marks.contains(&Mark::Internal),
        is_call: message.call.is_some(),
        subject: message.subject.as_deref().filter(|subject| !subject.trim().is_empty()),
        head,
        text: said(message),
        files,
        at: message.occurred_at,
    }
}

/// What it says now, as a note: articles of tools are not written anew.
fn changed<'a>(post: &'a Post, message: &'a MessageView) -> Article<'a> {
    let mut changed = note(post, said(message));
    if changed.text.is_empty() {
        changed.text = "(nothing any more)".to_owned();
    }
    changed.head = head(message);
    changed.head.insert(0, "Changed since: this message now says".to_owned());
    changed.stamp.message = Some(message.id);
    changed.stamp.contact = message.contact;
    changed.stamp.version = Some(version(message));
    changed
}

/// Files that came after the message.
fn come<'a>(post: &'a Post, message: &'a MessageView, of_it: &[&Stamp]) -> Option<Article<'a>> {
    let there: BTreeSet<usize> = of_it.iter().flat_map(|stamp| stamp.files.iter().copied()).collect();
    let new: Vec<usize> = places(message).filter(|place| !there.contains(place)).collect();
    let (files, with, _) = packed(post, message, &new);
    if files.is_empty() {
        return None;
    }
    let whole = article(post, message);
    let key = format!("x-{}-{}", message.id, with.iter().map(usize::to_string).collect::<Vec<_>>().join("."));
    let stamp = Stamp { key, files: with, version: None, ..whole.stamp };
    let head = vec![format!("{} · its files", whole.head.first().map(String::as_str).unwrap_or_default())];
    Some(Article { stamp, files, head, text: String::new(), subject: None, ..whole })
}

/// The places of attachments whose bytes are here.
fn places(message: &MessageView) -> impl Iterator<Item = usize> {
    message.attachments.iter().enumerate().filter(|(_, file)| file.sha256.is_some()).map(|(place, _)| place)
}

/// Of the files at these places those that fit, their places, and a line for each that does not.
fn packed<'a>(
    post: &'a Post,
    message: &'a MessageView,
    wanted: &[usize],
) -> (Vec<&'a CarriedFile>, Vec<usize>, Vec<String>) {
    let (mut files, mut with, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    let mut bytes = 0;
    for (file, place) in post.files.iter().zip(places(message)).filter(|(_, place)| wanted.contains(place)) {
        bytes += file.bytes.len();
        if bytes > FILES_BYTES_MAX || files.len() >= FILES_MAX {
            bytes -= file.bytes.len();
            left_out.push(format!(
                "A file is left out, for there are too many or it is too large: {}",
                shown::named(&message.attachments[place])
            ));
            continue;
        }
        files.push(file);
        with.push(place);
    }
    (files, with, left_out)
}

/// Channel and time, then what agents must know.
fn head(message: &MessageView) -> Vec<String> {
    let by = message.by.as_deref().map(|by| format!(" · {by}")).unwrap_or_default();
    let at = message.occurred_at.strftime("%Y-%m-%d %H:%M UTC");
    let channel = match message.channel == message.channel_kind {
        true => message.channel.clone(),
        false => format!("{} ({})", message.channel, message.channel_kind),
    };
    let mut head = vec![format!("{channel} · {at}{by}")];
    head.extend(message.marks.iter().filter_map(|mark| shown::warning(*mark)).map(str::to_owned));
    if let Some(author) = &message.forwarded_from {
        head.push(format!("Passes on what {author} wrote, as it says itself."));
    }
    head.extend(message.attachments.iter().filter_map(shown::absent));
    head
}

/// What was said; a call in words.
fn said(message: &MessageView) -> String {
    let call = message.call.as_ref().map(|call| shown::call(call, message.direction));
    let text = message.text.trim_end();
    [call.as_deref(), Some(text)].into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// A hash of what agents are shown of a message.
fn version(message: &MessageView) -> String {
    let mut hash = Sha256::new();
    let lost = message.attachments.iter().filter_map(|file| file.lost.as_deref());
    for part in std::iter::once(said(message).as_str())
        .chain(lost)
        .chain(message.marks.iter().filter_map(|mark| shown::warning(*mark)))
    {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(&hash.finalize()[..8])
}

fn moved<'a>(post: &'a Post, there: &[Stamp]) -> Vec<Article<'a>> {
    let Some(message) = &post.message else { return Vec::new() };
    if is_target(post) {
        let mut articles = lacks(post, there);
        let is_there = there.iter().any(|stamp| stamp.message == Some(message.id));
        // The agent wrote it on the other ticket of the tool.
        if !is_there && articles.iter().all(|article| article.stamp.message != Some(message.id)) {
            articles.insert(0, article(post, message));
        }
        return articles;
    }
    let is_there = there.iter().any(|stamp| stamp.message == Some(message.id))
        || post.links.of(LinkedKind::Message, message.id.0).is_some();
    let said = cut(&first_line(&message.text), 120);
    if !is_there {
        return Vec::new();
    }
    let mut left = note(post, format!("Moved away: \"{said}\" belongs to {} now.", other(post)));
    left.stamp.contact = message.contact;
    vec![left]
}

/// The other ticket, as agents find it.
fn other(post: &Post) -> String {
    let Some(id) = post.other_ticket else { return "no ticket".to_owned() };
    match post.links.of(LinkedKind::Ticket, id.0) {
        Some(remote) => format!("ticket {remote}"),
        None => format!("another ticket, which is not here yet (lanka's {id})"),
    }
}

fn joined(post: &Post) -> Article<'_> {
    let other = other(post);
    let text = match is_target(post) {
        true => format!("One matter: {other} was joined into this one. What was said there stays there."),
        false => format!("One matter: this was joined into {other}. It goes on there."),
    };
    note(post, text)
}

fn suggested(post: &Post) -> Vec<Article<'_>> {
    let why = post.detail.get("why").and_then(serde_json::Value::as_str).unwrap_or_default();
    if why.is_empty() {
        Vec::new()
    } else {
        vec![note(post, format!("Perhaps the same: {why} See `lanka review list`."))]
    }
}

/// The ready answers of a change, the best one whole and the others by their titles. `None` when they are gone.
pub fn offered(post: &Post) -> Option<String> {
    let said = |answer: &serde_json::Value, key: &str| answer[key].as_str().unwrap_or_default().to_owned();
    let all = post.detail["answers"].as_array()?.iter().filter(|answer| answer["text"].is_string());
    let all: Vec<_> = all.map(|answer| (said(answer, "id"), said(answer, "title"), said(answer, "text"))).collect();
    let ((id, title, text), others) = all.split_first()?;
    let mut lines = vec![format!("A ready answer may fit, \"{title}\" ({id}):"), String::new(), text.clone()];
    if !others.is_empty() {
        let others: Vec<String> = others.iter().map(|(id, title, _)| format!("\"{title}\" ({id})")).collect();
        lines.extend([
            String::new(),
            format!("Or: {}. See `lanka thread answers {}`.", others.join(", "), post.ticket.number),
        ]);
    }
    Some(lines.join("\n"))
}

/// Where answers go, when that is another place than was told last.
fn ways<'a>(post: &'a Post, view: &AnswerView, there: &[Stamp]) -> Option<Article<'a>> {
    let now = match (&view.to, view.obstacle) {
        (Some(to), _) => format!("{} {}", to.channel, to.address),
        (None, Some(obstacle)) => obstacle.code().to_owned(),
        (None, None) => return None,
    };
    // Not the address itself, which would outlive its owner's erasure here.
    let now = hex::encode(&Sha256::digest(now.as_bytes())[..8]);
    if there.iter().rev().find_map(|stamp| stamp.answer.as_ref()) == Some(&now) {
        return None;
    }
    let text = match &view.to {
        Some(to) => {
            let until = to
                .until
                .map(|until| until.strftime(", until %Y-%m-%d %H:%M UTC unless the customer writes again").to_string());
            format!(
                "Public answers go to the customer by {} ({}){}.",
                to.channel,
                to.address,
                until.unwrap_or_default()
            )
        }
        None => format!(
            "Public answers would NOT reach the customer now. {} {}",
            view.says.unwrap_or_default(),
            shown::templates(view)
        )
        .trim_end()
        .to_owned(),
    };
    let others: Vec<&str> = view.others.iter().map(|other| other.address.as_str()).collect();
    let text = match others.is_empty() {
        true => text,
        false => format!("{text} With \"/to ADDRESS\" as the first line they can go to: {}.", others.join(", ")),
    };
    let mut told = note(post, format!("{text} (lanka's ticket {}.)", post.ticket.number));
    told.stamp.key = format!("a-{}", post.id);
    told.stamp.answer = Some(now);
    Some(told)
}

/// Addresses of a contact in the order that tools ask for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person<'a> {
    /// Who.
    pub id: Uuid,
    /// The best name known, else an address.
    pub name: String,
    /// A mail address.
    pub email: Option<&'a str>,
    /// A telephone number, in E.164.
    pub phone: Option<&'a str>,
    /// All there are, a line each.
    pub identities: &'a [String],
}

/// A contact of a post as tools want to know him. A ticket without anybody is an unknown caller's.
pub fn person(post: &Post, contact: Option<ContactId>) -> Person<'_> {
    let participants = &post.ticket.participants;
    let found = contact.and_then(|id| participants.iter().find(|contact| contact.id == id));
    let Some(contact) = found.or(participants.first()) else {
        return Person { id: post.ticket.id.0, name: "Unknown".to_owned(), ..Person::default() };
    };
    let of = |scheme: &str| contact.identities.iter().find_map(|identity| identity.strip_prefix(scheme));
    let name = contact.name.clone().filter(|name| !name.trim().is_empty());
    Person {
        id: contact.id.0,
        name: name.or_else(|| contact.identities.first().cloned()).unwrap_or_else(|| "Unknown".to_owned()),
        email: of("mailto:"),
        phone: of("tel:").filter(|number| number.starts_with('+')),
        identities: &contact.identities,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::outbox::samples::{message, post};
    use crate::pure::domain::outbox::{AttachmentView, Links};

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn file(bytes: usize) -> (AttachmentView, CarriedFile) {
        let name = "lasku.pdf".to_owned();
        let media_type = "application/pdf".to_owned();
        let view = AttachmentView {
            name: Some(name.clone()),
            media_type: media_type.clone(),
            bytes: bytes as i64,
            sha256: Some("00".to_owned()),
            waiting: false,
            lost: None,
        };
        (view, CarriedFile { name, media_type, bytes: vec![0; bytes].into() })
    }

    /// What is lacking: `key kind`, the message's id left out.
    fn told(post: &Post, there: &[Stamp]) -> Vec<String> {
        let kind = |article: &Article<'_>| match (&article.author, article.is_note) {
            (Author::Customer(_), false) => "customer",
            (Author::Agent, false) => "agent",
            (_, true) => "note",
            (Author::Lanka, false) => "lanka",
        };
        let told = lacking(post, there).into_iter();
        told.map(|article| format!("{} {}", &article.stamp.key[..1], kind(&article))).collect()
    }

    #[test]
    fn what_is_there_is_not_written_again_and_what_changed_is_told() {
        let first = post(Change::MessageAdded, Some(message("Hei")));
        let there: Vec<Stamp> = lacking(&first, &[]).into_iter().map(|article| article.stamp).collect();
        let edited = post(Change::MessageUpdated, Some(message("Hei taas")));
        let twice =
            [there.clone(), lacking(&edited, &there).into_iter().map(|article| article.stamp).collect()].concat();
        let mut failed = post(Change::MessageUpdated, Some(message("Hei")));
        let of = |change: fn(&mut MessageView)| {
            let mut message = message("Hei");
            change(&mut message);
            post(Change::MessageUpdated, Some(message))
        };
        failed.links = Links(vec![(LinkedKind::Message, id(1), "55".to_owned())]);
        if let Some(message) = &mut failed.message {
            (message.direction, message.progress) = (Direction::FromAgent, Some(Progress::Failed));
        }
        let agents = of(|message| message.direction = Direction::FromAgent);
        let internal = of(|message| {
            message.direction = Direction::FromAgent;
            message.marks.push(Mark::Internal);
        });
        let erased = of(|message| {
            message.text.clear();
            message.marks.push(Mark::Erased);
        });
        let late = Post {
            detail: serde_json::json!({ "clock": "solution", "due_at": "2026-03-30T06:50:00Z" }),
            ..post(Change::ClockBreached, None)
        };
        let told_late: Vec<Stamp> = lacking(&late, &[]).into_iter().map(|article| article.stamp).collect();
        let table: &[(&str, &Post, &[Stamp], &[&str])] = &[
            ("a clock ran out", &late, &[], &["u note"]),
            ("that was told", &late, &told_late, &[]),
            ("new", &first, &[], &["m customer"]),
            ("there", &first, &there, &[]),
            ("an edit", &edited, &there, &["u note"]),
            ("told already", &edited, &twice, &[]),
            ("an update of what is not there", &edited, &[], &["m customer"]),
            ("an agent's, from elsewhere", &agents, &[], &["m agent"]),
            ("for colleagues", &internal, &[], &["m note"]),
            ("written there, and refused by the platform", &failed, &[], &["f note"]),
            ("erased", &erased, &there, &[]),
            ("erased before it came", &erased, &[], &[]),
        ];
        for (name, post, there, expected) in table {
            assert_eq!(told(post, there), *expected, "{name}");
        }
    }

    #[test]
    fn files_come_once_and_those_too_large_are_named() {
        let ((small, bytes), (large, many)) = (file(10), file(FILES_BYTES_MAX));
        let mut first = post(Change::MessageAdded, Some(message("Hei")));
        let there: Vec<Stamp> = lacking(&first, &[]).into_iter().map(|article| article.stamp).collect();
        if let Some(message) = &mut first.message {
            message.attachments = vec![small, large];
        }
        first.files = vec![bytes, many];
        let whole = lacking(&first, &[]);
        assert_eq!((whole[0].files.len(), &whole[0].stamp.files), (1, &vec![0]));
        assert!(whole[0].plain(1_000).contains("A file is left out"), "{}", whole[0].plain(1_000));
        first.change = Change::MessageUpdated;
        let later = lacking(&first, &there);
        assert_eq!((later.len(), later[0].stamp.files.as_slice(), later[0].is_note), (1, [0].as_slice(), false));
        let there: Vec<Stamp> = there.into_iter().chain(later.into_iter().map(|article| article.stamp)).collect();
        // The large one alone does not fit either beside nothing: it is its own article then.
        assert!(lacking(&first, &there).iter().all(|article| article.stamp.files == [1]));
    }

    #[test]
    fn moves_are_told_where_the_message_was() {
        let mut left = post(Change::MessageMoved, Some(message("Hei")));
        left.detail = serde_json::json!({ "to": id(10).to_string() });
        let mut come = left.clone();
        come.detail = serde_json::json!({ "to": id(9).to_string() });
        let there = [Stamp { key: key_of(MessageId(id(1))), message: Some(MessageId(id(1))), ..Stamp::default() }];
        assert_eq!(told(&left, &there), ["u note"]);
        assert_eq!(told(&left, &[]), [""; 0], "it never was there");
        assert_eq!(told(&come, &[]), ["m customer"]);
        assert_eq!(told(&come, &there), [""; 0]);
    }

    #[test]
    fn texts_are_cut_with_a_word_of_it() {
        let cut = cut(&"ä".repeat(1_000), 201);
        assert!(cut.len() <= 201 && cut.contains("[…]"), "{cut}");
        assert_eq!(super::cut("lyhyt", 5), "lyhyt");
    }

    #[test]
    fn people_are_named_by_what_is_known() {
        let post = post(Change::TicketOpened, None);
        let minna = person(&post, None);
        let known = (minna.name.as_str(), minna.email, minna.phone);
        assert_eq!(known, ("messenger:P1", Some("minna@posti.example"), Some("+358401234567")));
        let mut nobody = post.clone();
        nobody.ticket.participants.clear();
        assert_eq!((person(&nobody, None).id, person(&nobody, None).name.as_str()), (id(9), "Unknown"));
    }
}
