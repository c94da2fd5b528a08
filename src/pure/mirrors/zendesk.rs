//! Zendesk Support: tickets and comments over its API v2 (developer.zendesk.com/api-reference/ticketing/introduction/), agents'
//! replies by an event subscription (…/webhooks/event-types/ticket-events/).
//!
//! | of lanka | in Zendesk |
//! |---|---|
//! | ticket | a ticket with the external id `lanka:ID` and the tag `lanka`; its first comment is private |
//! | contact | an end user, found by the external id `lanka:ID`, else by e-mail, else made; never sent a mail |
//! | message | a public comment, the customer its author |
//! | an agent's answer given elsewhere | a public comment of the API's user, the agent's name in it |
//! | what only agents may see | a private comment |
//! | closed | `solved`; a customer's message opens it again; for one that Zendesk has `closed` for good, a follow-up |
//! | queue | a group (`queues`) |
//! | urgency, kind of matter | priority; type (`incident` for a problem, else `question`), tags `lanka-service` and the like |
//! | waits for the customer | `pending` |
//! | merge, move | a private comment on both tickets, and the one that ended is solved |
//!
//! Refused: Zendesk's own merge. It moves no comment, closes the source for good, and cannot be undone, as lanka's joins can.
//!
//! Group, priority, type and tags follow as long as they are as lanka wrote them last, which the stamps of its comments tell: what an
//! agent set since stays.
//!
//! Every comment bears its stamp (`wire::article`) in the metadata of its audit, which the list of comments gives back. A ticket is made under an
//! `Idempotency-Key`, after a look by its external id; both are read from the database, never from the search index.
//!
//! **What comes back**, by the webhook and by looking, in the form of the webhook's events: `ticket.comment_added` by staff, public
//! or private; `ticket.status_changed` to solved, closed or pending, and
//! from it; `ticket.group_assignment_changed` to a queue's group; `ticket.agent_assignment_changed` (the webhook alone tells of
//! that, and of an opening). What the API's own user did is ours (`actor_id`): the event says nothing of stamps. Priorities are read as
//! nothing, and so is what customers write in Zendesk itself: they write to lanka's channels.
//!
//! **Looking**, for what a webhook told nobody: the incremental export of tickets by its cursor (`/incremental/tickets/cursor`, ten
//! requests a minute, without the last minute), then the comments of those that are lanka's, the latest first. Refused: the export of
//! ticket events, which brings the comments of all other tickets too, and of lanka's own, and does not say whose ticket it is.
//! A closing is told by the ticket's `updated_at`, as by the webhook; where something else changed since, it is told again; while
//! the tool has not heard of a customer's later word, that is no news.
//!
//! **Files** are in comments, not in the webhook's events. With a webhook they follow the answer as a message of their own, whose id
//! is the comment's and ` files`; without one they come along.
//!
//! **Namespace:** `zendesk:` and the mirror's name. **Identities:** none.

use super::{
    Built, Delivery, Forged, Inbound, Kind, Link, Listener, Look, MediaReply, MediaRequest, MediaStep, Mirror,
    Outgoing, Patience, PollSource, Poller, Redacted, Reply, SettingsProblem, Setup, Step,
};
use crate::pure::domain::Timestamp;
use crate::pure::domain::answer::CarriedFile;
use crate::pure::domain::id::ContactId;
use crate::pure::domain::message::{Attachment, Auto, Direction, Parsed, RawEvent};
use crate::pure::domain::outbox::{Change, LinkedKind, Post};
use crate::pure::domain::secret::Secret;
use crate::pure::domain::ticket::TicketState;
use crate::pure::wire::article::{self, Article, Author, Person, Stamp, Standing, lacking, person};
use crate::pure::wire::batch::Batch;
use crate::pure::wire::poll;
use crate::pure::wire::settings::read_kind;
use crate::pure::wire::tool::{self, Api, Did, Groups, Talk, Terms};
use crate::pure::wire::{json, media, redact};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// This file's entry in the list of mirrors.
pub const KIND: Kind = Kind { name: NAME, build };

const NAME: &str = "zendesk";

/// Longest comment, in bytes: past 64 KiB Zendesk cuts in silence.
const BODY_BYTES_MAX: usize = 60_000;

/// Longest subject and name, in characters.
const SUBJECT_CHARS_MAX: usize = 150;
const NAME_CHARS_MAX: usize = 255;

/// Pages of a ticket's comments that are read, of a hundred each; a ticket has 5,000 at most, of which most are small.
const PAGES_MAX: usize = 20;

/// Comments blanked in one attempt; the next one goes on.
const REDACTED_MAX: usize = 12;

/// What Zendesk puts in the place of what is blanked.
const BLANK: char = '▇';

/// Least time between two looks, in seconds: Zendesk lets its export be asked ten times a minute.
const POLL_INTERVAL_S_MIN: u64 = 10;

/// Files of one reply that are taken.
const REPLY_FILES_MAX: usize = 50;

/// Begins external ids.
const EXTERNAL_ID: &str = "lanka:";

/// How far the time of a signature may be from ours, in seconds.
const TOLERANCE_S: i64 = 300;

/// The mirror's keys in the configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Zendesk's address: `https://SUBDOMAIN.zendesk.com`.
    pub url: String,
    /// The e-mail address of lanka's own agent there.
    pub user: String,
    /// The number of that agent, as it stands in the address of his profile.
    pub user_id: u64,
    /// The API token.
    pub token: Secret,
    /// The webhook's signing secret; without it what agents do is looked for only.
    #[serde(default)]
    pub webhook_secret: Option<Secret>,
    /// Between two looks at what agents did, in seconds.
    #[serde(default = "tool::poll_interval_s_default")]
    pub poll_interval_s: u64,
    /// The number of the group that new tickets are put into; else Zendesk's own rules choose.
    #[serde(default)]
    pub group_id: Option<u64>,
    /// The numbers of the groups of queues, by the queue; all others are in `group_id`.
    #[serde(default)]
    pub queues: BTreeMap<String, u64>,
    /// Longest time one exchange may take, in seconds.
    #[serde(default = "Terms::timeout_s_default")]
    pub timeout_s: u64,
    /// Attempts at a change before it may be given up.
    #[serde(default = "Patience::attempts_max_default")]
    pub attempts_max: u32,
    /// Age of a change before it may be given up, in days.
    #[serde(default = "Patience::give_up_after_days_default")]
    pub give_up_after_days: u32,
    /// Allows `http` beyond this machine, where customers' data can be read on the way.
    #[serde(default)]
    pub insecure_http: bool,
}

fn build(setup: &Setup<'_>, table: toml::Table) -> Result<Built, Vec<SettingsProblem>> {
    let (settings, mut problems): (Settings, _) = read_kind(table)?;
    let base = tool::base(&settings.url, settings.insecure_http, setup.allow_private_addresses, &mut problems);
    let Settings { user, user_id, token, group_id, .. } = settings;
    let secret = tool::webhook_secret(settings.webhook_secret, &mut problems);
    let interval = tool::poll_interval(settings.poll_interval_s, POLL_INTERVAL_S_MIN, &mut problems);
    let (attempts_max, days) = (settings.attempts_max, settings.give_up_after_days);
    let terms = Terms::checked(settings.timeout_s, attempts_max, days, &mut problems);
    for (key, is_wrong, what) in [
        ("user", !user.contains('@') || user.contains(['/', ':']), "is the agent's e-mail address, without `/token`"),
        ("user_id", user_id == 0, "is a number from 1 on"),
        ("token", token.expose().trim().is_empty(), "is empty"),
    ] {
        if is_wrong {
            problems.add(key, what);
        }
    }
    for queue in settings.queues.iter().filter(|(_, group)| **group == 0).map(|(queue, _)| queue) {
        problems.add(format!("queues.{queue}"), "is the number of a group, from 1 on");
    }
    let of = settings.queues.iter().map(|(queue, group)| (queue.clone(), Some(*group))).collect();
    let groups = Groups { of, default: group_id };
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let login = STANDARD.encode(format!("{}/token:{}", user.trim(), token.expose().trim()));
    let shown = format!("Basic {login}");
    let headers = vec![("authorization".to_owned(), shown.clone())];
    let api = Api { name: "Zendesk", base: format!("{base}/api/v2"), headers, timeout: terms.timeout };
    let is_called = secret.is_some();
    let poll = PollSource {
        is_called,
        poller: Arc::new(Looking { api: api.clone(), user_id, interval, is_called, groups: groups.clone() }),
    };
    let (name, shown) = (setup.name.to_owned(), Secret::new(shown));
    let listener = Listening { name, user_id: user_id.to_string(), secret, base, shown, groups: groups.clone() };
    let inbound = Some(Inbound { listener: Box::new(listener), poll: Some(poll) });
    Ok(Built { mirror: Box::new(Zendesk { api, user_id, groups, patience: terms.patience }), inbound })
}

/// One Zendesk.
struct Zendesk {
    api: Api,
    user_id: u64,
    groups: Groups<Option<u64>>,
    patience: Patience,
}

/// A ticket there.
struct Thread {
    id: u64,
    status: String,
    has_assignee: bool,
    priority: Option<String>,
    /// `problem`, `incident`, `question` or `task`.
    kind: Option<String>,
    group: Option<u64>,
    tags: Vec<String>,
}

impl Thread {
    /// Whether a word of the customer's has to wake it up.
    fn is_asleep(&self) -> bool {
        matches!(self.status.as_str(), "pending" | "hold" | "solved")
    }
}

/// A comment of ours there.
struct Written {
    stamp: Stamp,
    id: u64,
    body: String,
}

impl Mirror for Zendesk {
    fn patience(&self) -> Patience {
        self.patience
    }

    fn shows_files(&self) -> bool {
        true
    }

    fn next(&self, post: &Post, replies: &[Reply], _now: Timestamp) -> Step {
        Talk::step(replies, |talk| self.carry(post, talk))
    }

    fn queues(&self) -> Vec<(String, String)> {
        self.groups.named()
    }

    fn probe(&self) -> Option<Outgoing> {
        Some(self.api.get("/users/me"))
    }
}

impl Zendesk {
    /// All of a post, from its beginning.
    fn carry(&self, post: &Post, talk: &mut Talk<'_>) -> Result<Vec<Link>, Step> {
        let is_here = post.links.of(LinkedKind::Ticket, post.ticket.id.0).is_some();
        match post.change {
            Change::AnswerDue => return Ok(Vec::new()),
            Change::ContactErased => return self.forget(post, talk).map(|()| Vec::new()),
            // What ended before it came here needs no ticket.
            Change::TicketMerged if !is_here && !article::is_target(post) => return Ok(Vec::new()),
            _ => {}
        }
        let mut links = Vec::new();
        let mut thread = self.thread(post, talk, &mut links)?;
        if matches!(post.change, Change::ContactMerged | Change::ContactSplit) {
            self.complete(post, talk, &mut links)?;
        }
        let before = self.comments(post, &mut thread, talk, &mut links)?;
        self.settle(post, &thread, before.as_ref(), talk)?;
        Ok(links)
    }

    /// The ticket, made if it is not there; one that is closed for good is followed up.
    fn thread(&self, post: &Post, talk: &mut Talk<'_>, links: &mut Vec<Link>) -> Result<Thread, Step> {
        let object = post.ticket.id.0;
        if let Some(remote) = post.links.of(LinkedKind::Ticket, object)
            && let Some(found) = self.api.look(talk, &format!("/tickets/{remote}"))?
        {
            let thread = self.read_thread(&found)?;
            if thread.status != "closed" {
                return Ok(thread);
            }
        }
        let all = self.api.look(talk, &format!("/tickets?external_id={EXTERNAL_ID}{object}"))?;
        let all = all.as_ref().and_then(|all| all.get("tickets")?.as_array());
        let all = all.ok_or_else(|| self.api.odd("a list of tickets"))?;
        let last = all.iter().max_by_key(|found| found.get("id").and_then(Value::as_u64));
        let last = last.map(|found| self.read_ticket(found)).transpose()?;
        let thread = match last {
            Some(last) if last.status != "closed" => last,
            closed => {
                let requester = self.user(post, None, talk, links)?;
                let opening = self.opening(post, requester, closed.map(|closed| closed.id)).to_string();
                let made = talk.ask(|| {
                    let key = format!("lanka-{object}-{}", hex::encode(&Sha256::digest(opening.as_bytes())[..8]));
                    let mut request = self.api.request("POST", "/tickets", "application/json", opening.into_bytes());
                    request.headers.push(("idempotency-key".to_owned(), key));
                    request
                })?;
                self.read_thread(&self.api.read(made)?)?
            }
        };
        links.push(Link { kind: LinkedKind::Ticket, object, remote: thread.id.to_string() });
        Ok(thread)
    }

    fn read_thread(&self, found: &Value) -> Result<Thread, Step> {
        self.read_ticket(found.get("ticket").unwrap_or(&Value::Null))
    }

    fn read_ticket(&self, ticket: &Value) -> Result<Thread, Step> {
        let id = ticket.get("id").and_then(Value::as_u64).ok_or_else(|| self.api.odd("the ticket's id"))?;
        let status = json::text(ticket, "status").unwrap_or_default();
        let tags = json::elements(ticket, "tags").iter().filter_map(|tag| tag.as_str().map(str::to_owned));
        Ok(Thread {
            id,
            status,
            has_assignee: json::has(ticket, "assignee_id"),
            priority: json::filled(ticket, "priority"),
            kind: json::filled(ticket, "type"),
            group: ticket.get("group_id").and_then(Value::as_u64),
            tags: tags.collect(),
        })
    }

    fn opening(&self, post: &Post, requester: u64, follows: Option<u64>) -> Value {
        let ticket = &post.ticket;
        let subject: String = ticket.title.trim().chars().take(SUBJECT_CHARS_MAX).collect();
        let tags = [vec!["lanka".to_owned()], tool::kind_tags(&ticket.kind)].concat();
        let mut opening = json!({
            "subject": if subject.is_empty() { format!("lanka {}", ticket.number) } else { subject },
            "requester_id": requester,
            "external_id": format!("{EXTERNAL_ID}{}", ticket.id),
            "priority": priority(&ticket.priority),
            "type": kind(&ticket.kind),
            "status": "new",
            "tags": tags,
            "comment": { "body": format!("lanka's ticket {}.", ticket.number), "public": false },
        });
        if let Some(group) = *self.groups.group(ticket.queue.as_deref()) {
            opening["group_id"] = group.into();
        }
        if let Some(closed) = follows {
            opening["via_followup_source_id"] = closed.into();
        }
        json!({ "ticket": opening })
    }

    /// The end user that a contact is there, made if there is none.
    fn user(
        &self,
        post: &Post,
        contact: Option<ContactId>,
        talk: &mut Talk<'_>,
        links: &mut Vec<Link>,
    ) -> Result<u64, Step> {
        let person = person(post, contact);
        let made = links.iter().find(|link| (link.kind, link.object) == (LinkedKind::Contact, person.id));
        let known = post.links.of(LinkedKind::Contact, person.id).or(made.map(|link| link.remote.as_str()));
        if let Some(id) = known.and_then(|remote| remote.parse().ok()) {
            return Ok(id);
        }
        let external_id = format!("{EXTERNAL_ID}{}", person.id);
        let id = match self.find_user(&external_id, talk)? {
            Some(id) => id,
            None => self.known_or_made(&person, &external_id, talk)?,
        };
        links.push(Link { kind: LinkedKind::Contact, object: person.id, remote: id.to_string() });
        Ok(id)
    }

    fn find_user(&self, external_id: &str, talk: &mut Talk<'_>) -> Result<Option<u64>, Step> {
        let found = self.api.look(talk, &format!("/users/show_many?external_ids={external_id}"))?;
        Ok(found.as_ref().and_then(|found| found.get("users")?.as_array()?.first()?.get("id")?.as_u64()))
    }

    /// An end user by his e-mail, who keeps what another program calls him; else a new one.
    fn known_or_made(&self, person: &Person<'_>, external_id: &str, talk: &mut Talk<'_>) -> Result<u64, Step> {
        if let Some(email) = person.email {
            let query: String = url::form_urlencoded::byte_serialize(format!("email:{email}").as_bytes()).collect();
            let found = self.api.look(talk, &format!("/users/search?query={query}"))?;
            let found = found.as_ref().and_then(|found| found.get("users")?.as_array()?.first());
            if let Some(user) = found.filter(|user| json::has(user, "external_id")) {
                return self.id_of(user);
            }
        }
        let reply = talk.ask(|| self.api.json("POST", "/users/create_or_update", &user(person, external_id, true)))?;
        let made = match reply.status {
            // An address is another's, or none by its lights: it stands in the notes.
            422 => self.api.act(talk, "POST", "/users/create_or_update", || user(person, external_id, false))?,
            _ => self.api.read(reply)?,
        };
        self.id_of(made.get("user").unwrap_or(&Value::Null))
    }

    fn id_of(&self, found: &Value) -> Result<u64, Step> {
        found.get("id").and_then(Value::as_u64).ok_or_else(|| self.api.odd("an id"))
    }

    /// People who turned out to be one, or several: what is known of each of the ticket is said of him there.
    fn complete(&self, post: &Post, talk: &mut Talk<'_>, links: &mut Vec<Link>) -> Result<(), Step> {
        for contact in post.ticket.participants.iter().take(4) {
            let id = self.user(post, Some(contact.id), talk, links)?;
            let notes = notes_of(&person(post, Some(contact.id)));
            self.api.act(talk, "PUT", &format!("/users/{id}"), || json!({ "user": { "notes": notes } }))?;
        }
        Ok(())
    }

    /// Who was erased is nobody there, and his comments on the ticket are blanked.
    fn forget(&self, post: &Post, talk: &mut Talk<'_>) -> Result<(), Step> {
        let erased = article::erased(post);
        for contact in &erased {
            self.forget_user(contact, talk)?;
        }
        let Some(remote) = post.links.of(LinkedKind::Ticket, post.ticket.id.0) else { return Ok(()) };
        let Some(found) = self.api.look(talk, &format!("/tickets/{remote}"))? else { return Ok(()) };
        let thread = self.read_thread(&found)?;
        let there = self.there(&thread, talk)?.into_iter();
        let his = there.filter(|written| written.stamp.is_of(&erased) && !written.body.contains(BLANK));
        for (n, written) in his.enumerate() {
            if n == REDACTED_MAX {
                let after = Some(std::time::Duration::ZERO);
                return Err(Step::Retry { after, why: "there are more comments to blank in Zendesk".to_owned() });
            }
            let path = format!("/tickets/{}/comments/{}/redact", thread.id, written.id);
            let reply = talk.ask(|| self.api.json("PUT", &path, &json!({ "text": written.body })))?;
            if reply.status != 404 {
                self.api.read(reply)?;
            }
        }
        Ok(())
    }

    /// The end user himself.
    fn forget_user(&self, contact: &str, talk: &mut Talk<'_>) -> Result<(), Step> {
        let Some(id) = self.find_user(&format!("{EXTERNAL_ID}{contact}"), talk)? else { return Ok(()) };
        let path = format!("/users/{id}/identities");
        let held = self.api.look(talk, &path)?;
        let held = held.as_ref().and_then(|held| held.get("identities")?.as_array()).cloned().unwrap_or_default();
        for identity in held.iter().filter_map(|identity| identity.get("id")?.as_u64()).take(REDACTED_MAX) {
            let path = format!("{path}/{identity}");
            let reply = talk.ask(|| self.api.request("DELETE", &path, "application/json", Vec::new()))?;
            // Gone already, or one that Zendesk does not part with.
            if !matches!(reply.status, 404 | 422) {
                self.api.read(reply)?;
            }
        }
        let external_id = format!("erased:{contact}");
        let empty = json!({ "name": "Erased", "phone": null, "notes": "", "details": "", "external_id": external_id });
        self.api.act(talk, "PUT", &format!("/users/{id}"), || json!({ "user": empty })).map(drop)
    }

    /// What lanka wrote on a ticket.
    fn there(&self, thread: &Thread, talk: &mut Talk<'_>) -> Result<Vec<Written>, Step> {
        let (mut there, mut after) = (Vec::new(), String::new());
        for _ in 0..PAGES_MAX {
            let path = format!("/tickets/{}/comments?page[size]=100{after}", thread.id);
            let page = self.api.look(talk, &path)?.ok_or_else(|| self.api.odd("a list of comments"))?;
            let comments = page.get("comments").and_then(Value::as_array);
            for comment in comments.ok_or_else(|| self.api.odd("a list of comments"))? {
                let stamp = comment.get("metadata").and_then(|of| of.get("custom")?.get("lanka"));
                let stamp = stamp.and_then(|stamp| serde_json::from_value::<Stamp>(stamp.clone()).ok());
                let (Some(mut stamp), Some(id)) = (stamp, comment.get("id").and_then(Value::as_u64)) else { continue };
                let body =
                    json::text(comment, "plain_body").or_else(|| json::text(comment, "body")).unwrap_or_default();
                if body.contains(BLANK) {
                    // Agents are told anew.
                    stamp.answer = None;
                }
                there.push(Written { stamp, id, body });
            }
            let meta = page.get("meta").unwrap_or(&Value::Null);
            match json::text(meta, "after_cursor").filter(|_| meta["has_more"] == true) {
                Some(cursor) => {
                    let cursor: String = url::form_urlencoded::byte_serialize(cursor.as_bytes()).collect();
                    after = format!("&page[after]={cursor}");
                }
                None => return Ok(there),
            }
        }
        let why = format!("a ticket in Zendesk has more than {PAGES_MAX} pages of comments");
        Err(Step::Retry { after: None, why })
    }

    /// The comments that the ticket lacks. Gives how it stood before.
    fn comments(
        &self,
        post: &Post,
        thread: &mut Thread,
        talk: &mut Talk<'_>,
        links: &mut Vec<Link>,
    ) -> Result<Option<Standing>, Step> {
        let mut ids: Vec<(Stamp, u64)> =
            self.there(thread, talk)?.into_iter().map(|written| (written.stamp, written.id)).collect();
        let stamps: Vec<Stamp> = ids.iter().map(|(stamp, _)| stamp.clone()).collect();
        for article in lacking(post, &stamps) {
            let author = match (&article.author, article.is_note) {
                (Author::Customer(contact), false) => self.user(post, *contact, talk, links)?,
                _ => self.user_id,
            };
            let mut uploads = Vec::new();
            for file in &article.files {
                uploads.push(self.upload(file, talk)?);
            }
            // The API's user is an agent: Zendesk would leave asleep what the customer wakes up.
            let wakes = author != self.user_id && thread.is_asleep() && post.ticket.state == "open";
            let path = format!("/tickets/{}", thread.id);
            let done = self.api.act(talk, "PUT", &path, || written(&article, author, &uploads, wakes))?;
            if wakes {
                thread.status = "open".to_owned();
            }
            let events = done.get("audit").map(|audit| json::elements(audit, "events")).unwrap_or_default();
            let comment =
                events.iter().find(|event| event["type"] == "Comment").and_then(|event| event.get("id")?.as_u64());
            ids.push((article.stamp, comment.ok_or_else(|| self.api.odd("the comment's id"))?));
        }
        let before = Standing::before(post, &stamps);
        let Some(message) = &post.message else { return Ok(before) };
        let of_it = ids.iter().find(|(stamp, _)| stamp.message == Some(message.id));
        links.extend(of_it.map(|(_, id)| Link {
            kind: LinkedKind::Message,
            object: message.id.0,
            remote: id.to_string(),
        }));
        Ok(before)
    }

    /// Puts a file there, for one comment.
    fn upload(&self, file: &CarriedFile, talk: &mut Talk<'_>) -> Result<String, Step> {
        let name: String = url::form_urlencoded::byte_serialize(file.name.as_bytes()).collect();
        let reply = talk.ask(|| {
            self.api.request("POST", &format!("/uploads?filename={name}"), &file.media_type, file.bytes.to_vec())
        })?;
        let token = self.api.read(reply)?.get("upload").and_then(|upload| json::text(upload, "token"));
        token.ok_or_else(|| self.api.odd("the upload's token"))
    }

    /// The ticket's state, where the change is one of it, and its fields as far as they changed and no agent set them since.
    fn settle(&self, post: &Post, thread: &Thread, before: Option<&Standing>, talk: &mut Talk<'_>) -> Result<(), Step> {
        let mut ticket = serde_json::Map::new();
        if let Some(status) = status(post, thread) {
            ticket.insert("status".to_owned(), status.into());
            // Zendesk solves nothing that nobody has.
            if status == "solved" && !thread.has_assignee {
                ticket.insert("assignee_id".to_owned(), self.user_id.into());
            }
        }
        if let Some(priority) = tool::wanted_priority(post, before, priority, thread.priority.as_deref()) {
            ticket.insert("priority".to_owned(), priority.into());
        }
        let group = self.groups.wanted(post, before, |group| *group == thread.group);
        if let Some(group) = group.copied().flatten() {
            ticket.insert("group_id".to_owned(), group.into());
        }
        if let Some(was) = before.map(|before| kind(&before.kind)) {
            let is = kind(&post.ticket.kind);
            if was != is && thread.kind.as_deref().is_none_or(|stands| stands == was) {
                ticket.insert("type".to_owned(), is.into());
            }
        }
        let (come, go) = tool::changed_tags(post, before);
        let mut tags: Vec<String> = thread.tags.iter().filter(|tag| !go.contains(tag)).cloned().collect();
        tags.extend(come.into_iter().filter(|tag| !thread.tags.contains(tag)));
        if tags != thread.tags {
            ticket.insert("tags".to_owned(), tags.into());
        }
        if ticket.is_empty() {
            return Ok(());
        }
        let path = format!("/tickets/{}", thread.id);
        self.api.act(talk, "PUT", &path, || json!({ "ticket": ticket })).map(drop)
    }
}

/// The status that the ticket is to have now, if it is another.
fn status(post: &Post, thread: &Thread) -> Option<&'static str> {
    let is_ended = post.change == Change::TicketMerged && !article::is_target(post);
    let is_woken = post.message.as_ref().is_none_or(|message| message.direction == Direction::FromCustomer);
    let is_awaited = post.ticket.awaited_since.is_some();
    match post.change {
        _ if is_ended && thread.status != "solved" => Some("solved"),
        Change::TicketClosed if thread.status != "solved" => Some("solved"),
        Change::TicketOpened | Change::TicketReopened if thread.is_asleep() && is_woken => Some("open"),
        Change::TicketAwaited if is_awaited && !thread.is_asleep() => Some("pending"),
        Change::TicketResumed if !is_awaited && thread.status == "pending" => Some("open"),
        _ => None,
    }
}

/// How urgent something is, in Zendesk's words.
fn priority(word: &str) -> &'static str {
    match word {
        "high" => "high",
        "low" => "low",
        _ => "normal",
    }
}

/// The type of a ticket by the kinds of its matter: what does not work is an incident, all else a question.
fn kind(kind: &[String]) -> &'static str {
    if kind.iter().any(|kind| kind == "problem") { "incident" } else { "question" }
}

fn user(person: &Person<'_>, external_id: &str, with_addresses: bool) -> Value {
    let name: String = person.name.chars().take(NAME_CHARS_MAX).collect();
    let mut user = json!({
        "name": name,
        "external_id": external_id,
        "role": "end-user",
        "skip_verify_email": true,
        "notes": notes_of(person),
    });
    if with_addresses {
        if let Some(email) = person.email {
            user["email"] = email.into();
        }
        if let Some(phone) = person.phone {
            user["phone"] = phone.into();
        }
        let mails = person.identities.iter().filter_map(|identity| identity.strip_prefix("mailto:"));
        let more: Vec<Value> = mails.skip(1).map(|email| json!({ "type": "email", "value": email })).collect();
        if !more.is_empty() {
            user["identities"] = more.into();
        }
    }
    json!({ "user": user })
}

/// All of somebody's addresses, for agents to see.
fn notes_of(person: &Person<'_>) -> String {
    article::cut(&person.identities.join("\n"), 5_000)
}

/// `PUT /tickets/ID` with a comment.
fn written(article: &Article<'_>, author: u64, uploads: &[String], wakes: bool) -> Value {
    let subject = article.subject.map(|subject| format!("{subject}\n\n")).unwrap_or_default();
    let mut comment = json!({
        "body": article::cut(&format!("{subject}{}", article.plain(BODY_BYTES_MAX)), BODY_BYTES_MAX),
        "public": !article.is_note,
        "author_id": author,
    });
    if !uploads.is_empty() {
        comment["uploads"] = uploads.into();
    }
    let mut ticket = json!({ "comment": comment, "metadata": { "lanka": article.stamp } });
    if wakes {
        ticket["status"] = "open".into();
    }
    json!({ "ticket": ticket })
}

/// What agents do there.
struct Listening {
    /// The mirror's name.
    name: String,
    /// The API's user.
    user_id: String,
    secret: Option<Secret>,
    base: String,
    /// The header that shows the token.
    shown: Secret,
    groups: Groups<Option<u64>>,
}

impl Listener for Listening {
    /// `x-zendesk-webhook-signature`: base64 of the HMAC-SHA256 of time and body.
    fn verify(&self, delivery: &Delivery<'_>) -> Result<(), Forged> {
        let secret = self.secret.as_ref().ok_or(Forged::NotAWebhook)?;
        let header = |name| delivery.header(name).ok_or(Forged::Missing);
        let signature = header("x-zendesk-webhook-signature")?;
        let time = header("x-zendesk-webhook-signature-timestamp")?;
        let signature = STANDARD.decode(signature).map_err(|_| Forged::Malformed)?;
        let signed_at: Timestamp =
            std::str::from_utf8(time).ok().and_then(|time| time.parse().ok()).ok_or(Forged::Malformed)?;
        let key = secret.expose().trim().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| Forged::Mismatch)?;
        mac.update(time);
        mac.update(delivery.body);
        mac.verify_slice(&signature).map_err(|_| Forged::Mismatch)?;
        let age_s = delivery.received_at.as_second().saturating_sub(signed_at.as_second());
        if age_s.unsigned_abs() <= TOLERANCE_S.unsigned_abs() { Ok(()) } else { Err(Forged::Stale) }
    }

    fn parse(&self, event: &RawEvent) -> Parsed {
        match json::read(&event.body) {
            Ok(body) => {
                let batch = self.batch(&body);
                // Most deliveries tell of nothing that lanka has a word for.
                if batch.is_empty() { Parsed::default() } else { batch.finish() }
            }
            Err(fault) => Parsed { items: Vec::new(), faults: vec![fault] },
        }
    }

    fn redact(&self, event: &RawEvent, item: u32) -> Option<Redacted> {
        redact::in_json(&event.body, item, |body| self.batch(body), |_, _| {})
    }

    fn media(&self, remote: &str, replies: &[MediaReply]) -> MediaStep {
        match (media::by_url(remote, replies), remote.strip_prefix(&self.base)) {
            // Private attachments want the token, which is shown at this address alone: other brands have their own.
            (MediaStep::Fetch { .. }, Some(path)) if path.starts_with('/') => {
                let header = Some(("authorization", self.shown.clone()));
                let request = MediaRequest { url: remote.to_owned(), bearer: None, header };
                MediaStep::Fetch { request, sha256: None }
            }
            (step, _) => step,
        }
    }
}

impl Listening {
    /// `{"type": "zen:event-type:ticket.comment_added", "id", "time", "detail": {"id", "actor_id", "external_id"}, "event": {"comment":
    /// {"id", "body", "is_public", "author": {"is_staff", "name"}}}}`, or `…ticket.status_changed` with `"event": {"current": "SOLVED"}`.
    fn batch(&self, body: &Value) -> Batch {
        let mut batch = Batch::default();
        if batch.is_redacted(body) || poll::is_unread(body, &mut batch) {
            return batch;
        }
        let Some(kind) = json::text(body, "type") else {
            batch.fault(
                "no_type",
                "an event of Zendesk has no `type`: is the webhook subscribed to events, not to a trigger?",
            );
            return batch;
        };
        let detail = body.get("detail").unwrap_or(&Value::Null);
        let Some(on) = json::id(detail, "id") else { return batch };
        // What we did there ourselves.
        if json::id(detail, "actor_id").as_deref() == Some(self.user_id.as_str()) {
            return batch;
        }
        let named = json::text(detail, "external_id").and_then(|id| id.strip_prefix(EXTERNAL_ID).map(str::to_owned));
        let at = body.get("time").and_then(json::timestamp);
        let did = Did { kind: NAME, mirror: &self.name, ticket: &on, named, id: String::new(), by: None, at };
        match kind.strip_prefix("zen:event-type:ticket.") {
            Some("comment_added") => wrote(body, did, &mut batch),
            Some("status_changed") => turned(body, did, &mut batch),
            Some("group_assignment_changed") => routed(body, did, &self.groups, &mut batch),
            Some("agent_assignment_changed") => assigned(body, did, &mut batch),
            _ => {}
        }
        batch
    }
}

/// Zendesk itself, as who acts and writes.
const SYSTEM: &str = "-1";

fn wrote(body: &Value, did: Did<'_>, batch: &mut Batch) {
    let comment = body.get("event").and_then(|event| event.get("comment")).unwrap_or(&Value::Null);
    let Some(id) = json::id(comment, "id") else {
        return batch.fault("no_id", "a comment of Zendesk has no `id`");
    };
    let author = comment.get("author").unwrap_or(&Value::Null);
    let text = json::filled(comment, "body").unwrap_or_default();
    let attachments = attachments(comment);
    if author["is_staff"] != true || (text.is_empty() && attachments.is_empty()) {
        return;
    }
    let is_public = comment.get("is_public").and_then(Value::as_bool) == Some(true);
    let did = Did { id, by: json::filled(author, "name"), ..did };
    let mut incoming = did.wrote(text.trim().to_owned(), !is_public);
    incoming.attachments = attachments;
    let actor = body.get("detail").and_then(|detail| json::id(detail, "actor_id"));
    let is_automatic = [actor, json::id(author, "id")].iter().flatten().any(|id| id == SYSTEM);
    incoming.auto = is_automatic.then_some(Auto::Generated);
    batch.item(body, incoming);
}

fn attachments(comment: &Value) -> Vec<Attachment> {
    let files = json::elements(comment, "attachments").iter().take(REPLY_FILES_MAX);
    let read = files.filter_map(|file| {
        let (name, media_type) = (json::filled(file, "file_name"), json::filled(file, "content_type"));
        Some(tool::remote(name, media_type, json::filled(file, "content_url")?))
    });
    read.collect()
}

/// It was solved, or is not any more. Only the webhook tells how it stood before.
fn turned(body: &Value, did: Did<'_>, batch: &mut Batch) {
    let event = body.get("event").unwrap_or(&Value::Null);
    let is_over = |key: &str| {
        json::text(event, key).is_some_and(|status| matches!(status.to_uppercase().as_str(), "SOLVED" | "CLOSED"))
    };
    let is_pending = |key: &str| json::text(event, key).is_some_and(|status| status.eq_ignore_ascii_case("pending"));
    // A look tells how it stands; the webhook, that somebody else than lanka changed it.
    let is_looked_at = !event.as_object().is_some_and(|event| event.contains_key("previous"));
    let (what, word) = match (is_over("previous"), is_over("current")) {
        (_, true) => (Turned::State(TicketState::Closed), "solved"),
        (_, false) if is_pending("current") => (Turned::Waits(true), "pending"),
        (true, false) => (Turned::State(TicketState::Open), "open"),
        (false, false) if is_looked_at || is_pending("previous") => (Turned::Waits(false), "not pending"),
        (false, false) => return,
    };
    // The same for both ways; the event's own id is known by the webhook alone.
    let updated = body.get("detail").and_then(|detail| json::id(detail, "updated_at"));
    let id = updated.map(|updated| format!("{} {word} {updated}", did.ticket)).or_else(|| json::id(body, "id"));
    if let Some(id) = id {
        let did = Did { id, ..did };
        let incoming = match what {
            Turned::State(state) if is_looked_at => did.stands(state),
            Turned::State(state) => did.turned(state),
            Turned::Waits(is_awaited) => did.waits(is_awaited),
        };
        batch.item(body, incoming);
    }
}

/// What a status is to lanka.
enum Turned {
    State(TicketState),
    Waits(bool),
}

/// It is in another group, which is that of a queue.
fn routed(body: &Value, did: Did<'_>, groups: &Groups<Option<u64>>, batch: &mut Batch) {
    let event = body.get("event").unwrap_or(&Value::Null);
    let group = json::id(event, "current").and_then(|group| group.parse().ok());
    let queues = groups.queues(move |known| group.is_some() && *known == group);
    let updated = body.get("detail").and_then(|detail| json::id(detail, "updated_at"));
    let id = updated.map(|updated| format!("{} group {updated}", did.ticket)).or_else(|| json::id(body, "id"));
    if let (Some(id), false) = (id, queues.is_empty()) {
        batch.item(body, Did { id, ..did }.routed(&queues));
    }
}

/// Events name agents by their ids alone.
fn assigned(body: &Value, did: Did<'_>, batch: &mut Batch) {
    let agent = body.get("event").and_then(|event| json::id(event, "current"));
    if let Some(id) = json::id(body, "id") {
        batch.item(body, Did { id, ..did }.assigned(agent.map(|agent| format!("Zendesk agent {agent}"))));
    }
}

/// Looks for what agents did there.
struct Looking {
    api: Api,
    user_id: u64,
    interval: Duration,
    /// Whether a webhook tells it too, without files.
    is_called: bool,
    groups: Groups<Option<u64>>,
}

/// Where the last look ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Reached {
    /// What was done before is taken.
    whole: Timestamp,
    /// The latest change of the tickets listed since.
    at: Timestamp,
    /// The export's cursor.
    page: Option<String>,
    /// Tickets of its page that are taken, as they stood.
    taken: BTreeSet<String>,
}

impl Reached {
    fn found(self, bodies: Vec<Vec<u8>>, is_more: bool) -> Look {
        Look::Found { bodies, cursor: json!(self), is_more }
    }
}

impl Poller for Looking {
    fn look(&self, cursor: Option<&Value>, replies: &[Reply], now: Timestamp) -> Look {
        let first = || Reached { whole: now, at: poll::done_from(now), page: None, taken: BTreeSet::new() };
        poll::look_from(cursor, first, |before| Talk::look(replies, |talk| self.news(before, talk)))
    }

    fn interval(&self) -> Duration {
        self.interval
    }
}

impl Looking {
    /// What agents did on lanka's tickets of the next page of the export.
    fn news(&self, mut reached: Reached, talk: &mut Talk<'_>) -> Result<Look, Step> {
        let from = poll::done_from(reached.whole);
        let place = match &reached.page {
            Some(cursor) => format!("cursor={}", encoded(cursor)),
            None => format!("start_time={}", from.as_second()),
        };
        let path = format!("/incremental/tickets/cursor?{place}&per_page=100");
        let page = self.api.look(talk, &path)?.unwrap_or_default();
        let tickets = page.get("tickets").and_then(Value::as_array);
        let (mut bodies, mut taken) = (Vec::new(), 0);
        for ticket in tickets.ok_or_else(|| self.api.odd("a list of tickets"))? {
            let changed = json::id(ticket, "updated_at").unwrap_or_default();
            reached.at = ticket.get("updated_at").and_then(json::timestamp).map_or(reached.at, |at| reached.at.max(at));
            let Some(id) = ticket.get("id").and_then(Value::as_u64).filter(|_| is_lankas(ticket)) else { continue };
            if !reached.taken.insert(format!("{id} {changed}")) {
                continue;
            }
            if poll::is_enough(taken, talk.bytes()) {
                reached.taken.remove(&format!("{id} {changed}"));
                return Ok(reached.found(bodies, true));
            }
            self.take(ticket, id, from, talk, &mut bodies)?;
            taken += 1;
        }
        let (next, is_whole) = (json::filled(&page, "after_cursor"), page["end_of_stream"] != false);
        if next.is_none() && !is_whole {
            return Err(self.api.odd("the cursor of the next page"));
        }
        if next.is_some() {
            reached.taken.clear();
            reached.page = next;
        }
        if is_whole {
            reached.whole = reached.whole.max(reached.at);
        }
        Ok(reached.found(bodies, !is_whole))
    }

    /// What agents did on a ticket, as the webhook would have told it.
    fn take(
        &self,
        ticket: &Value,
        id: u64,
        from: Timestamp,
        talk: &mut Talk<'_>,
        bodies: &mut Vec<Vec<u8>>,
    ) -> Result<(), Step> {
        let mut found = BTreeMap::new();
        if !self.comments(ticket, id, from, talk, &mut found)? {
            bodies.push(poll::unread(&id.to_string()));
        }
        bodies.extend(found.into_values().flatten().map(|told| told.to_string().into_bytes()));
        let status = json::text(ticket, "status").unwrap_or_default();
        // What is followed up goes on there, under the same id of lanka's: that the old one is closed says nothing of it.
        let is_followed = !json::elements(ticket, "followup_ids").is_empty();
        let tell = |kind: &str, current: Value| {
            let detail = json!({ "id": id, "external_id": ticket["external_id"], "updated_at": ticket["updated_at"] });
            let kind = format!("zen:event-type:ticket.{kind}");
            let event = json!({ "current": current });
            let told = json!({ "type": kind, "time": ticket["updated_at"], "detail": detail, "event": event });
            told.to_string().into_bytes()
        };
        if !is_followed && status != "new" {
            bodies.push(tell("status_changed", status.to_uppercase().into()));
        }
        let group = ticket.get("group_id").and_then(Value::as_u64);
        if !is_followed && group.is_some_and(|group| self.groups.of.values().any(|known| *known == Some(group))) {
            bodies.push(tell("group_assignment_changed", group.into()));
        }
        Ok(())
    }

    /// The staff's comments on a ticket since then, by their ids; whether they are all.
    fn comments(
        &self,
        ticket: &Value,
        id: u64,
        from: Timestamp,
        talk: &mut Talk<'_>,
        found: &mut BTreeMap<u64, Vec<Value>>,
    ) -> Result<bool, Step> {
        let mut after = String::new();
        for _ in 0..PAGES_MAX {
            let path = format!("/tickets/{id}/comments?include=users&sort=-created_at&page[size]=100{after}");
            let reply = talk.ask(|| self.api.get(&path))?;
            if reply.status == 404 || poll::is_cut(reply) {
                return Ok(reply.status == 404);
            }
            let page = self.api.read(reply)?;
            let comments = page.get("comments").and_then(Value::as_array);
            let mut is_end = false;
            for comment in comments.ok_or_else(|| self.api.odd("a list of comments"))? {
                let Some(comment_id) = comment.get("id").and_then(Value::as_u64) else { continue };
                if comment.get("created_at").and_then(json::timestamp).is_some_and(|at| at < from) {
                    is_end = true;
                } else if let Some(author) = self.staff(comment, &page) {
                    found.insert(comment_id, self.told(ticket, id, comment, &author));
                }
            }
            let meta = page.get("meta").unwrap_or(&Value::Null);
            match json::text(meta, "after_cursor").filter(|_| !is_end && meta["has_more"] == true) {
                Some(cursor) => after = format!("&page[after]={}", encoded(&cursor)),
                None => return Ok(true),
            }
        }
        Ok(false)
    }

    /// Who wrote a comment, if he is of the staff, and not lanka.
    fn staff(&self, comment: &Value, page: &Value) -> Option<Value> {
        let author = comment.get("author_id").and_then(Value::as_u64).filter(|author| *author != self.user_id)?;
        let user = json::elements(page, "users").iter().find(|user| user["id"] == author)?;
        let role = json::text(user, "role").filter(|role| role == "agent" || role == "admin");
        role.map(|_| json!({ "id": author.to_string(), "is_staff": true, "name": user["name"] }))
    }

    /// A comment as the webhook's events: its words, and its files, which no webhook tells.
    fn told(&self, ticket: &Value, id: u64, comment: &Value, author: &Value) -> Vec<Value> {
        let told = |key: String, body: &Value, files: Vec<Value>| {
            let detail =
                json!({ "id": id.to_string(), "external_id": ticket["external_id"], "actor_id": author["id"] });
            let told = json!({
                "id": key, "body": body, "is_public": comment["public"], "author": author, "attachments": files,
            });
            json!({
                "type": "zen:event-type:ticket.comment_added", "time": comment["created_at"], "detail": detail,
                "event": { "comment": told },
            })
        };
        let keys = ["file_name", "content_type", "content_url"];
        let files = json::elements(comment, "attachments")
            .iter()
            .map(|file| keys.into_iter().map(|key| (key.to_owned(), file[key].clone())).collect());
        let (key, files) = (comment["id"].to_string(), files.collect::<Vec<Value>>());
        match self.is_called && !files.is_empty() {
            true => {
                let words = told(key.clone(), &comment["body"], Vec::new());
                vec![words, told(format!("{key} files"), &line_for(&comment["body"]), files)]
            }
            false => vec![told(key, &comment["body"], files)],
        }
    }
}

/// What is said of a comment's files, which come apart from its words: that they stay among colleagues, or whom they go to, where
/// the words say so. A template takes none.
fn line_for(words: &Value) -> Value {
    let first = words.as_str().unwrap_or_default().trim().lines().next().unwrap_or_default().trim();
    let word = first.split(' ').next().unwrap_or_default();
    match word.to_ascii_lowercase().as_str() {
        "/to" => first.into(),
        "/note" | "/template" => "/note".into(),
        _ => Value::Null,
    }
}

/// Whether a ticket is lanka's.
fn is_lankas(ticket: &Value) -> bool {
    let external_id = json::text(ticket, "external_id").unwrap_or_default();
    external_id.strip_prefix(EXTERNAL_ID).is_some_and(|id| id.parse::<uuid::Uuid>().is_ok())
}

fn encoded(cursor: &str) -> String {
    url::form_urlencoded::byte_serialize(cursor.as_bytes()).collect()
}
