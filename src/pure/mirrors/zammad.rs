//! Zammad: tickets and articles over its REST API (docs.zammad.org/en/latest/api/), agents' replies by its webhook
//! (admin-docs.zammad.org/en/latest/manage/webhook.html). Written against version 6.5 and later.
//!
//! | of lanka | in Zammad |
//! |---|---|
//! | ticket | a ticket, found again by its attribute `lanka_ticket`; state `open` or `closed`, tag `lanka` |
//! | contact | a customer, found by `lanka_contact`, else by e-mail, else made; all his addresses stand in his note |
//! | message | an article of type `chat` (a call: `phone`), the customer its author (`origin_by_id`) |
//! | an agent's answer given elsewhere | a public `note` of the token's user, the agent's name in it |
//! | what only agents may see | an internal `note` |
//! | queue | a group (`queues`), set when the ticket is made and when its queue changes |
//! | urgency, kind of matter | the priority; tags `lanka-service` and the like |
//! | waits for the customer | the state `pending reminder`, or another one (`awaited`) |
//! | merge | a merge; articles keep their ids |
//!
//! Group, priority and tags follow as long as they are as lanka wrote them last, which the stamps of its articles tell: what an
//! agent set since stays.
//!
//! `note`, `chat` and `phone` are never transported by Zammad itself. Every article bears its stamp (`wire::article`) in
//! `preferences.lanka` and its key in `message_id`, which Zammad keeps as sent: whether it is there already is told by the list of
//! the ticket's articles, which is read from its database.
//!
//! **What comes back**, by the webhook and by looking, in the form of the webhook's own payload: a public article of type `note` or
//! `chat` by an agent is an answer. An internal one is a note, and so is every other type: `email` and its like were sent by Zammad
//! itself, `phone` is a log. Whether the ticket is `closed` or waits, its group where that is a queue's, and who has it, is told as it
//! stands. Priorities are read as nothing.
//! What bears a stamp or a message id of ours is ours, also when the webhook overtakes the answer to our request.
//!
//! **Looking**, for what a webhook told nobody: tickets by their last change, `POST /tickets/search` with a condition and no
//! `query`, which asks the database and needs no Elasticsearch (`app/models/concerns/can_search.rb`, `lib/selector/sql.rb`:
//! `after (absolute)` is `>=`); then `GET /ticket_articles/by_ticket/ID`. Refused: `GET /tickets`, which is sorted by id only. The
//! list is followed by the time of its last row, not by pages: a ticket that changes meanwhile would shift them.
//!
//! A closing is told by `last_close_at`, which stays when something else of the ticket changes, so that both ways tell one.
//!
//! **Namespace:** `zammad:` and the mirror's name. **Identities:** none.

use super::{
    Built, Delivery, Forged, Inbound, Kind, Link, Listener, Look, MediaReply, MediaRequest, MediaStep, Mirror,
    Outgoing, Patience, PollSource, Poller, Redacted, Reply, SettingsProblem, Setup, Step,
};
use crate::pure::domain::Timestamp;
use crate::pure::domain::id::ContactId;
use crate::pure::domain::message::{Attachment, Auto, Parsed, RawEvent};
use crate::pure::domain::outbox::{Change, LinkedKind, Post};
use crate::pure::domain::secret::Secret;
use crate::pure::domain::ticket::TicketState;
use crate::pure::wire::article::{self, Article, Author, Person, Stamp, Standing, lacking, person};
use crate::pure::wire::batch::Batch;
use crate::pure::wire::media;
use crate::pure::wire::poll::{self, Reached};
use crate::pure::wire::settings::read_kind;
use crate::pure::wire::tool::{self, Api, Did, Groups, Talk, Terms};
use crate::pure::wire::{html, json, redact};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use serde_json::{Value, json};
use sha1::Sha1;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// This file's entry in the list of mirrors.
pub const KIND: Kind = Kind { name: NAME, build };

const NAME: &str = "zammad";

/// Longest body that Zammad takes, in characters; bytes are never fewer.
const BODY_BYTES_MAX: usize = 1_500_000;

/// Longest title, in characters.
const TITLE_CHARS_MAX: usize = 250;

/// Longest note of a user, in characters.
const USER_NOTE_BYTES_MAX: usize = 5_000;

/// Most of an agent's reply that is read, in bytes.
const REPLY_BYTES_MAX: usize = 256 * 1024;

/// Files of one reply that are taken.
const REPLY_FILES_MAX: usize = 50;

/// Tickets of one page of a list: Zammad gives 200 at most.
const PAGE: usize = 100;

/// Pages that one look reads: so many tickets do not change within the minutes that looks overlap.
const PAGES_MAX: usize = 100;

/// Begins the message ids of our articles.
const MESSAGE_ID: &str = "<lanka.";

/// The mirror's keys in the configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Zammad's address, as agents open it.
    pub url: String,
    /// The token of lanka's own agent there, with the right `ticket.agent`.
    pub token: Secret,
    /// The group that new tickets are put into.
    pub group: String,
    /// The groups of queues, by the queue; all others are in `group`.
    #[serde(default)]
    pub queues: BTreeMap<String, String>,
    /// The state of a ticket on which the desk waits for the customer.
    #[serde(default = "awaited")]
    pub awaited: String,
    /// After how many days Zammad reminds of such a ticket.
    #[serde(default = "awaited_days")]
    pub awaited_days: u32,
    /// The webhook's "HMAC SHA1 signature token"; without it what agents do is looked for only.
    #[serde(default)]
    pub webhook_secret: Option<Secret>,
    /// Between two looks at what agents did, in seconds.
    #[serde(default = "tool::poll_interval_s_default")]
    pub poll_interval_s: u64,
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

fn awaited() -> String {
    "pending reminder".to_owned()
}

fn awaited_days() -> u32 {
    7
}

fn build(setup: &Setup<'_>, table: toml::Table) -> Result<Built, Vec<SettingsProblem>> {
    let (settings, mut problems): (Settings, _) = read_kind(table)?;
    let base = tool::base(&settings.url, settings.insecure_http, setup.allow_private_addresses, &mut problems);
    let Settings { token, group, timeout_s, attempts_max, give_up_after_days, .. } = settings;
    let terms = Terms::checked(timeout_s, attempts_max, give_up_after_days, &mut problems);
    let secret = tool::webhook_secret(settings.webhook_secret, &mut problems);
    let interval = tool::poll_interval(settings.poll_interval_s, 5, &mut problems);
    let Settings { queues, awaited, awaited_days, .. } = settings;
    for (queue, _) in queues.iter().filter(|(_, group)| group.trim().is_empty()) {
        problems.add(format!("queues.{queue}"), "is empty: write the group's name");
    }
    if !(1..=365).contains(&awaited_days) {
        problems.add("awaited_days", "write between 1 and 365 days");
    }
    let blank = |text: &str| text.trim().is_empty();
    let blanks = [("group", blank(&group)), ("awaited", blank(&awaited)), ("token", blank(token.expose()))];
    for (key, is_blank) in blanks {
        if is_blank {
            problems.add(key, "is empty");
        }
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let shown = format!("Token token={}", token.expose().trim());
    let headers = vec![("authorization".to_owned(), shown.clone())];
    let api = Api { name: "Zammad", base: base.clone(), headers, timeout: terms.timeout };
    let poll = PollSource {
        is_called: secret.is_some(),
        poller: Arc::new(Looking { api: api.clone(), base: base.clone(), interval }),
    };
    let groups = Groups { of: queues, default: group };
    let (listener_groups, listener_awaited) = (groups.clone(), awaited.clone());
    let listener = Listening {
        name: setup.name.to_owned(),
        secret,
        base,
        shown: Secret::new(shown),
        groups: listener_groups,
        awaited: listener_awaited,
    };
    let inbound = Some(Inbound { listener: Box::new(listener), poll: Some(poll) });
    let mirror = Zammad { api, groups, awaited, awaited_days, patience: terms.patience };
    Ok(Built { mirror: Box::new(mirror), inbound })
}

/// One Zammad.
struct Zammad {
    api: Api,
    groups: Groups<String>,
    awaited: String,
    awaited_days: u32,
    patience: Patience,
}

/// A ticket there.
struct Thread {
    id: u64,
    number: String,
    state: String,
    priority: String,
    group: String,
}

impl Mirror for Zammad {
    fn patience(&self) -> Patience {
        self.patience
    }

    fn shows_files(&self) -> bool {
        true
    }

    /// What is unique there is the e-mail address, which not everybody has.
    fn may_double_people(&self) -> bool {
        true
    }

    fn next(&self, post: &Post, replies: &[Reply], _now: Timestamp) -> Step {
        Talk::step(replies, |talk| self.carry(post, talk))
    }

    fn queues(&self) -> Vec<(String, String)> {
        self.groups.named()
    }

    fn probe(&self) -> Option<Outgoing> {
        Some(self.api.get("/api/v1/users/me"))
    }
}

impl Zammad {
    /// All of a post, from its beginning.
    fn carry(&self, post: &Post, talk: &mut Talk<'_>) -> Result<Vec<Link>, Step> {
        match post.change {
            Change::AnswerDue => return Ok(Vec::new()),
            // Told in the other lane, where the ticket is that stays.
            Change::TicketMerged if !article::is_target(post) => return Ok(Vec::new()),
            Change::ContactErased => {
                self.forget(post, talk)?;
                return Ok(Vec::new());
            }
            _ => {}
        }
        let mut links = Vec::new();
        let thread = self.thread(post, talk, &mut links)?;
        match post.change {
            Change::TicketMerged => self.merge(post, &thread, talk)?,
            Change::ContactMerged | Change::ContactSplit => self.complete(post, talk, &mut links)?,
            _ => {}
        }
        let before = self.articles(post, &thread, talk, &mut links)?;
        self.settle(post, &thread, before.as_ref(), talk)?;
        self.tag(post, &thread, before.as_ref(), talk)?;
        Ok(links)
    }

    /// The ticket, made if it is not there.
    fn thread(&self, post: &Post, talk: &mut Talk<'_>, links: &mut Vec<Link>) -> Result<Thread, Step> {
        let object = post.ticket.id.0;
        if let Some(remote) = post.links.of(LinkedKind::Ticket, object)
            && let Some(found) = self.api.look(talk, &format!("/api/v1/tickets/{remote}?expand=true"))?
        {
            return self.read_thread(&found);
        }
        let thread = match self.find(talk, object)? {
            Some(found) => found,
            None => {
                let customer = self.customer(post, None, talk, links)?;
                let made =
                    self.api.act(talk, "POST", "/api/v1/tickets?expand=true", || self.opening(post, customer))?;
                self.read_thread(&made)?
            }
        };
        links.push(Link { kind: LinkedKind::Ticket, object, remote: thread.id.to_string() });
        Ok(thread)
    }

    /// The ticket by lanka's id of it. The search by a condition alone asks the database, not the index, which lags.
    fn find(&self, talk: &mut Talk<'_>, ticket: Uuid) -> Result<Option<Thread>, Step> {
        let condition = json!({
            "condition": { "ticket.lanka_ticket": { "operator": "is", "value": ticket.to_string() } },
            "limit": 5, "sort_by": "id", "order_by": "asc",
        });
        let found = self.api.act(talk, "POST", "/api/v1/tickets/search?expand=true", || condition)?;
        let found = found.as_array().ok_or_else(|| self.api.odd("a list of tickets"))?;
        found.first().map(|found| self.read_thread(found)).transpose()
    }

    fn read_thread(&self, found: &Value) -> Result<Thread, Step> {
        let id = found.get("id").and_then(Value::as_u64).ok_or_else(|| self.api.odd("the ticket's id"))?;
        let number = json::id(found, "number").ok_or_else(|| self.api.odd("the ticket's number"))?;
        let [state, priority, group] =
            ["state", "priority", "group"].map(|key| json::text(found, key).unwrap_or_default());
        Ok(Thread { id, number, state, priority, group })
    }

    fn opening(&self, post: &Post, customer: u64) -> Value {
        let ticket = &post.ticket;
        let title: String = ticket.title.trim().chars().take(TITLE_CHARS_MAX).collect();
        let tags = [vec!["lanka".to_owned()], tool::kind_tags(&ticket.kind)].concat();
        json!({
            "title": if title.is_empty() { format!("lanka {}", ticket.number) } else { title },
            "group": self.groups.group(ticket.queue.as_deref()),
            "customer_id": customer,
            "state": "new",
            "priority": priority(&ticket.priority),
            "tags": tags.join(","),
            "lanka_ticket": ticket.id.to_string(),
        })
    }

    /// The customer that a contact is there, made if there is none.
    fn customer(
        &self,
        post: &Post,
        contact: Option<ContactId>,
        talk: &mut Talk<'_>,
        links: &mut Vec<Link>,
    ) -> Result<u64, Step> {
        let person = person(post, contact);
        let known = post.links.of(LinkedKind::Contact, person.id).map(str::to_owned);
        let made = links.iter().find(|link| (link.kind, link.object) == (LinkedKind::Contact, person.id));
        let known = known.or_else(|| made.map(|link| link.remote.clone()));
        if let Some(id) = known.and_then(|remote| remote.parse().ok()) {
            return Ok(id);
        }
        let id = match self.find_user(talk, "lanka_contact", &person.id.to_string())? {
            Some(user) => self.id_of(&user)?,
            None => self.known_or_made(&person, talk)?,
        };
        links.push(Link { kind: LinkedKind::Contact, object: person.id, remote: id.to_string() });
        Ok(id)
    }

    /// A customer by his e-mail, who is lanka's from now on; else a new one.
    fn known_or_made(&self, person: &Person<'_>, talk: &mut Talk<'_>) -> Result<u64, Step> {
        if let Some(email) = person.email
            && let Some(user) = self.find_user(talk, "email", &email.to_lowercase())?
        {
            let id = self.id_of(&user)?;
            if !json::has(&user, "lanka_contact") || user["lanka_contact"] == "" {
                let path = format!("/api/v1/users/{id}");
                self.api.act(talk, "PUT", &path, || json!({ "lanka_contact": person.id.to_string() }))?;
            }
            return Ok(id);
        }
        let reply = talk.ask(|| self.api.json("POST", "/api/v1/users", &user(person, true)))?;
        let made = match reply.status {
            // The address is another's by now, or none by its lights: it stands in the note.
            422 => self.api.act(talk, "POST", "/api/v1/users", || user(person, false))?,
            _ => self.api.read(reply)?,
        };
        self.id_of(&made)
    }

    fn find_user(&self, talk: &mut Talk<'_>, attribute: &str, value: &str) -> Result<Option<Value>, Step> {
        let mut conditions = serde_json::Map::new();
        conditions.insert(format!("user.{attribute}"), json!({ "operator": "is", "value": value }));
        let wanted = json!({ "condition": conditions, "limit": 1 });
        let found = self.api.act(talk, "POST", "/api/v1/users/search?expand=true", || wanted)?;
        let found = found.as_array().ok_or_else(|| self.api.odd("a list of users"))?;
        Ok(found.first().cloned())
    }

    fn id_of(&self, found: &Value) -> Result<u64, Step> {
        found.get("id").and_then(Value::as_u64).ok_or_else(|| self.api.odd("an id"))
    }

    /// People who turned out to be one, or several: what is known of each of the ticket is said of him there.
    fn complete(&self, post: &Post, talk: &mut Talk<'_>, links: &mut Vec<Link>) -> Result<(), Step> {
        for contact in post.ticket.participants.iter().take(4) {
            let id = self.customer(post, Some(contact.id), talk, links)?;
            let note = note_of(&person(post, Some(contact.id)));
            self.api.act(talk, "PUT", &format!("/api/v1/users/{id}"), || json!({ "note": note }))?;
        }
        Ok(())
    }

    /// Who was erased is nobody there. What he wrote stays: the API lets no agent remove it.
    fn forget(&self, post: &Post, talk: &mut Talk<'_>) -> Result<(), Step> {
        for contact in article::erased(post) {
            self.forget_one(&contact, talk)?;
        }
        Ok(())
    }

    fn forget_one(&self, contact: &str, talk: &mut Talk<'_>) -> Result<(), Step> {
        let Some(user) = self.find_user(talk, "lanka_contact", contact)? else { return Ok(()) };
        let path = format!("/api/v1/users/{}", self.id_of(&user)?);
        let empty = json!({
            "firstname": "Erased", "lastname": "", "login": format!("erased-{contact}"), "email": "", "phone": "", "mobile": "",
            "fax": "", "web": "", "address": "", "street": "", "zip": "", "city": "", "country": "", "department": "", "note": "",
            "lanka_contact": "",
        });
        self.api.act(talk, "PUT", &path, || empty).map(drop)
    }

    /// The other ticket's articles come to this one. Begun again, it is seen that they are here.
    fn merge(&self, post: &Post, into: &Thread, talk: &mut Talk<'_>) -> Result<(), Step> {
        let Some(other) = post.other_ticket else { return Ok(()) };
        let found = match post.links.of(LinkedKind::Ticket, other.0) {
            Some(remote) => self.api.look(talk, &format!("/api/v1/tickets/{remote}?expand=true"))?,
            None => None,
        };
        let source = match found {
            Some(found) => Some(self.read_thread(&found)?),
            None => self.find(talk, other.0)?,
        };
        // One that never came here, is merged already, or by hand the other way.
        let Some(source) = source.filter(|source| source.state != "merged" && source.id != into.id) else {
            return Ok(());
        };
        let path = format!("/api/v1/ticket_merge/{}/{}", source.id, into.number);
        let merged = self.api.act(talk, "PUT", &path, || json!({}))?;
        match merged["result"] == "success" {
            true => Ok(()),
            // It answers 200 all the same.
            false => Err(Step::Retry { after: None, why: "Zammad does not merge the two tickets".to_owned() }),
        }
    }

    /// The articles that the ticket lacks. Gives how it stood before.
    fn articles(
        &self,
        post: &Post,
        thread: &Thread,
        talk: &mut Talk<'_>,
        links: &mut Vec<Link>,
    ) -> Result<Option<Standing>, Step> {
        let there = self.api.look(talk, &format!("/api/v1/ticket_articles/by_ticket/{}", thread.id))?;
        let there = there.as_ref().and_then(Value::as_array).ok_or_else(|| self.api.odd("a list of articles"))?;
        let stamped: Vec<(Stamp, u64)> =
            there.iter().filter_map(|found| Some((stamp(found)?, found.get("id")?.as_u64()?))).collect();
        let stamps: Vec<Stamp> = stamped.iter().map(|(stamp, _)| stamp.clone()).collect();
        let mut ids = stamped;
        // That it was joined is plain to see there.
        let lacking = lacking(post, &stamps).into_iter();
        for article in lacking.filter(|article| post.change != Change::TicketMerged || article.stamp.answer.is_some()) {
            let author = match (&article.author, article.is_note) {
                (Author::Customer(contact), false) => Some(self.customer(post, *contact, talk, links)?),
                _ => None,
            };
            let made = self.api.act(talk, "POST", "/api/v1/ticket_articles", || written(&article, thread, author))?;
            ids.push((article.stamp, self.id_of(&made)?));
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

    /// The ticket's state, where the change is one of it, and its fields as far as they changed and no agent set them since.
    fn settle(&self, post: &Post, thread: &Thread, before: Option<&Standing>, talk: &mut Talk<'_>) -> Result<(), Step> {
        let mut fields = serde_json::Map::new();
        if let Some(state) = self.state(post, thread) {
            fields.insert("state".to_owned(), state.into());
            if state.starts_with("pending") {
                let days = jiff::SignedDuration::from_hours(24 * i64::from(self.awaited_days));
                let until = post.decided_at.saturating_add(days).unwrap_or(post.decided_at);
                let until = until.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                fields.insert("pending_time".to_owned(), until.into());
            }
        }
        if let Some(priority) = tool::wanted_priority(post, before, priority, Some(&thread.priority)) {
            fields.insert("priority".to_owned(), priority.into());
        }
        if let Some(group) = self.groups.wanted(post, before, |group| *group == thread.group) {
            fields.insert("group".to_owned(), group.clone().into());
        }
        if fields.is_empty() {
            return Ok(());
        }
        let path = format!("/api/v1/tickets/{}", thread.id);
        self.api.act(talk, "PUT", &path, || Value::Object(fields)).map(drop)
    }

    /// The state that the ticket is to have now, if it is another.
    fn state(&self, post: &Post, thread: &Thread) -> Option<&str> {
        let is_open = post.ticket.state == "open";
        let is_awaited = thread.state == self.awaited;
        let is_ended = thread.state == "closed" || thread.state == "merged";
        let is_asleep = is_ended || is_awaited || thread.state.starts_with("pending");
        let by_customer = post
            .message
            .as_ref()
            .is_some_and(|message| message.direction == crate::pure::domain::message::Direction::FromCustomer);
        match post.change {
            Change::TicketClosed if thread.state != "closed" => Some("closed"),
            Change::TicketOpened | Change::TicketReopened if is_asleep => Some("open"),
            Change::TicketAwaited if post.ticket.awaited_since.is_some() && !is_asleep => Some(&self.awaited),
            Change::TicketResumed if post.ticket.awaited_since.is_none() && is_awaited => Some("open"),
            Change::MessageAdded if is_open && by_customer && is_asleep => Some("open"),
            _ => None,
        }
    }

    /// The tags of the ticket's kinds.
    fn tag(&self, post: &Post, thread: &Thread, before: Option<&Standing>, talk: &mut Talk<'_>) -> Result<(), Step> {
        let (come, go) = tool::changed_tags(post, before);
        let tag = |tag: &String| json!({ "item": tag, "object": "Ticket", "o_id": thread.id });
        for one in &come {
            self.api.act(talk, "POST", "/api/v1/tags/add", || tag(one))?;
        }
        for one in &go {
            self.api.act(talk, "DELETE", "/api/v1/tags/remove", || tag(one))?;
        }
        Ok(())
    }
}

/// How urgent something is, in Zammad's words.
fn priority(word: &str) -> &'static str {
    match word {
        "high" => "3 high",
        "low" => "1 low",
        _ => "2 normal",
    }
}

fn user(person: &Person<'_>, with_addresses: bool) -> Value {
    let mut words = person.name.split_whitespace();
    let firstname = words.next().unwrap_or("Unknown").to_owned();
    let mut user = json!({
        "firstname": firstname,
        "lastname": words.collect::<Vec<_>>().join(" "),
        "note": note_of(person),
        "roles": ["Customer"],
        "lanka_contact": person.id.to_string(),
    });
    if with_addresses {
        for (key, value) in [("email", person.email), ("phone", person.phone)] {
            if let Some(value) = value {
                user[key] = value.into();
            }
        }
    }
    user
}

/// All of somebody's addresses, for agents to see.
fn note_of(person: &Person<'_>) -> String {
    article::cut(&person.identities.join("\n"), USER_NOTE_BYTES_MAX)
}

/// The stamp of an article of ours.
fn stamp(article: &Value) -> Option<Stamp> {
    serde_json::from_value(article.get("preferences")?.get("lanka")?.clone()).ok()
}

/// Whether lanka wrote an article.
fn is_ours(article: &Value) -> bool {
    let message_id = article.get("message_id").and_then(Value::as_str).unwrap_or_default();
    stamp(article).is_some() || message_id.starts_with(MESSAGE_ID)
}

/// `POST /ticket_articles`. An author other than the token's user makes Zammad take the article for a customer's, so that
/// none is named for what agents wrote.
fn written(article: &Article<'_>, thread: &Thread, author: Option<u64>) -> Value {
    let by_customer = author.is_some();
    let kind = match (article.is_call, by_customer) {
        (true, _) if !article.is_note => "phone",
        (_, true) => "chat",
        _ => "note",
    };
    let mut body = article.plain(BODY_BYTES_MAX);
    if body.trim().is_empty() {
        body = "-".to_owned();
    }
    let mut written = json!({
        "ticket_id": thread.id,
        "subject": article.subject.unwrap_or_default(),
        "body": body,
        "content_type": "text/plain",
        "type": kind,
        "sender": if by_customer { "Customer" } else { "Agent" },
        "internal": article.is_note,
        "message_id": format!("{MESSAGE_ID}{}@mirror>", article.stamp.key),
        "preferences": { "lanka": article.stamp },
    });
    if let Some(author) = author {
        written["origin_by_id"] = author.into();
    }
    if !article.files.is_empty() {
        let files = article.files.iter().map(
            |file| json!({ "filename": file.name, "data": STANDARD.encode(&file.bytes), "mime-type": file.media_type }),
        );
        written["attachments"] = files.collect();
    }
    written
}

/// The user that has the tickets which nobody has.
const NOBODY: &str = "1";

/// What agents do there.
struct Listening {
    /// The mirror's name.
    name: String,
    secret: Option<Secret>,
    base: String,
    /// The header that shows the token.
    shown: Secret,
    groups: Groups<String>,
    awaited: String,
}

impl Listener for Listening {
    /// `X-Hub-Signature: sha1=` and the HMAC-SHA1 of the body.
    fn verify(&self, delivery: &Delivery<'_>) -> Result<(), Forged> {
        let secret = self.secret.as_ref().ok_or(Forged::NotAWebhook)?;
        let header = delivery.header("x-hub-signature").ok_or(Forged::Missing)?;
        let digits = header.strip_prefix(b"sha1=").ok_or(Forged::Malformed)?;
        let mac = hex::decode(digits).map_err(|_| Forged::Malformed)?;
        // HMAC takes a key of any length.
        let mut genuine =
            Hmac::<Sha1>::new_from_slice(secret.expose().trim().as_bytes()).map_err(|_| Forged::Mismatch)?;
        genuine.update(delivery.body);
        genuine.verify_slice(&mac).map_err(|_| Forged::Mismatch)
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
        redact::in_json(
            &event.body,
            item,
            |body| self.batch(body),
            |body, _| {
                // The ticket names its customer, whose words these may answer.
                if let Some(ticket) = body.get_mut("ticket").and_then(Value::as_object_mut) {
                    ticket.retain(|key, _| {
                        matches!(
                            key.as_str(),
                            "id" | "state" | "owner" | "group" | "last_close_at" | "updated_at" | "lanka_redacted"
                        )
                    });
                }
            },
        )
    }

    fn media(&self, remote: &str, replies: &[MediaReply]) -> MediaStep {
        match (media::by_url(remote, replies), remote.strip_prefix(&self.base)) {
            // The token is shown to Zammad alone.
            (MediaStep::Fetch { .. }, Some(path)) if path.starts_with('/') => {
                let header = Some(("authorization", self.shown.clone()));
                let request = MediaRequest { url: remote.to_owned(), bearer: None, header };
                MediaStep::Fetch { request, sha256: None }
            }
            (MediaStep::Fetch { .. }, _) => MediaStep::Lost("its address is not Zammad's".to_owned()),
            (step, _) => step,
        }
    }
}

impl Listening {
    /// `{"ticket": {"id", "state", "owner": {"id", "firstname", "lastname"}, "last_close_at", "last_owner_update_at", "updated_at", "updated_by": {…}, …}, "article": {"id", "ticket_id", "type", "sender",
    /// "internal", "body", "content_type", "created_by": {"firstname", "lastname"}, "attachments": [{"filename", "url",
    /// "preferences": {"Mime-Type"}}], …}}`; `article` is empty when only the ticket changed.
    fn batch(&self, body: &Value) -> Batch {
        let mut batch = Batch::default();
        if poll::is_unread(body, &mut batch) {
            return batch;
        }
        let nothing = Value::Null;
        let (ticket, article) = (body.get("ticket").unwrap_or(&nothing), body.get("article").unwrap_or(&nothing));
        if !ticket.is_object() && !article.is_object() {
            batch.fault("not_a_ticket", "a webhook of Zammad names neither a `ticket` nor an `article`");
            return batch;
        }
        if !batch.is_redacted(article) {
            self.wrote(ticket, article, &mut batch);
        }
        if !batch.is_redacted(ticket) && !is_ours(article) {
            let has_article = article.as_object().is_some_and(|article| !article.is_empty());
            self.stands(ticket, has_article, &mut batch);
        }
        batch
    }

    fn wrote(&self, ticket: &Value, article: &Value, batch: &mut Batch) {
        let (Some(id), Some(on)) =
            (json::id(article, "id"), json::id(article, "ticket_id").or_else(|| json::id(ticket, "id")))
        else {
            return;
        };
        let is_agents = json::text(article, "sender").as_deref() == Some("Agent");
        let kind = json::text(article, "type").unwrap_or_default();
        // `merged` is what a merge leaves behind.
        let is_merger = kind == "note" && article["body"] == "merged" && ticket["state"] == "merged";
        if is_ours(article) || !is_agents || is_merger {
            return;
        }
        let is_public = article.get("internal").and_then(Value::as_bool) == Some(false);
        let is_answer = is_public && matches!(kind.as_str(), "note" | "chat");
        let text = json::text(article, "body").unwrap_or_default();
        let text = match json::text(article, "content_type").as_deref() {
            Some("text/html") => html::to_text(&text, REPLY_BYTES_MAX),
            _ => text,
        };
        let attachments = self.attachments(article);
        if text.trim().is_empty() && attachments.is_empty() {
            return;
        }
        let (by, at) = (by(article), at(article, "created_at"));
        let did = Did { kind: NAME, mirror: &self.name, ticket: &on, named: named(ticket, &on), id, by, at };
        let mut incoming = did.wrote(text.trim().to_owned(), !is_answer);
        incoming.attachments = attachments;
        // Zammad's word for a mail that its sender's mail program wrote by itself.
        let is_automatic = article["preferences"]["is-auto-response"] == true;
        incoming.auto = is_automatic.then_some(Auto::Generated);
        batch.item(article, incoming);
    }

    /// How the ticket stands. Zammad tells what is, not what changed: a closing (`last_close_at`), the opening again after it,
    /// and a change of the owner (`last_owner_update_at`) are one each by their times, however often they are told.
    /// That it does not wait is told where nothing was written: then it may be news.
    fn stands(&self, ticket: &Value, has_article: bool, batch: &mut Batch) {
        let Some(on) = json::id(ticket, "id") else { return };
        let did = |id: String, at: Option<Timestamp>| Did {
            kind: NAME,
            mirror: &self.name,
            ticket: &on,
            named: named(ticket, &on),
            id,
            by: ticket.get("updated_by").and_then(name_of),
            at,
        };
        let [updated_at, closed_at, owned_at] =
            ["updated_at", "last_close_at", "last_owner_update_at"].map(|key| json::text(ticket, key)?.parse().ok());
        match (json::text(ticket, "state").as_deref(), closed_at) {
            (Some("merged" | "removed"), _) => return,
            (Some("closed"), _) => {
                if let Some(closed_at) = closed_at.or(updated_at) {
                    let did = did(format!("{on} closed {closed_at}"), Some(closed_at));
                    batch.item(ticket, did.stands(TicketState::Closed));
                }
            }
            (Some(state), _) if state == self.awaited => {
                let id = format!("{on} awaited {}", updated_at.map(|at| at.to_string()).unwrap_or_default());
                batch.item(ticket, did(id, updated_at).waits(true));
            }
            (Some(_), closed_at) => {
                if let Some(closed_at) = closed_at {
                    let did = did(format!("{on} open after {closed_at}"), updated_at);
                    batch.item(ticket, did.stands(TicketState::Open));
                }
                if let Some(at) = updated_at.filter(|_| !has_article) {
                    batch.item(ticket, did(format!("{on} not awaited {at}"), Some(at)).waits(false));
                }
            }
            (None, _) => {}
        }
        let group = ticket.get("group");
        let group = group.and_then(|group| json::text(group, "name").or_else(|| Some(group.as_str()?.to_owned())));
        let queues = group.map(|group| self.groups.queues(move |known| *known == group)).unwrap_or_default();
        if let (Some(at), false) = (updated_at, queues.is_empty()) {
            batch.item(ticket, did(format!("{on} group {} {at}", queues.join(" ")), Some(at)).routed(&queues));
        }
        if let (Some(owner), Some(since)) = (ticket.get("owner"), owned_at) {
            let name = name_of(owner).filter(|_| json::id(owner, "id").as_deref() != Some(NOBODY));
            batch.item(ticket, did(format!("{on} owner {since}"), Some(since)).assigned(name));
        }
    }

    fn attachments(&self, article: &Value) -> Vec<Attachment> {
        let files = json::elements(article, "attachments").iter().take(REPLY_FILES_MAX);
        let read = files.filter_map(|file| {
            let media_type = file
                .get("preferences")
                .and_then(|of| json::filled(of, "Mime-Type").or_else(|| json::filled(of, "Content-Type")));
            Some(tool::remote(json::filled(file, "filename"), media_type, json::filled(file, "url")?))
        });
        read.collect()
    }
}

/// Looks for what agents did there.
struct Looking {
    api: Api,
    base: String,
    interval: Duration,
}

impl Poller for Looking {
    fn look(&self, cursor: Option<&Value>, replies: &[Reply], now: Timestamp) -> Look {
        let first = || Reached::first(now);
        poll::look_from(cursor, first, |before| Talk::look(replies, |talk| self.news(before, talk)))
    }

    fn interval(&self) -> Duration {
        self.interval
    }
}

impl Looking {
    /// What agents did on lanka's tickets since the last look, ticket after ticket.
    fn news(&self, before: Reached, talk: &mut Talk<'_>) -> Result<Look, Step> {
        let (mut reached, mut bodies) = (before.clone(), Vec::new());
        let (mut from, mut page) = (before.listed_from(), 1);
        let (mut passed, mut taken) = (HashSet::new(), 0);
        for _ in 0..PAGES_MAX {
            let rows = self.changed(from, page, talk)?;
            let mut last = from;
            for row in &rows {
                let (Some(id), Some(changed)) = (json::id(row, "id"), at(row, "updated_at")) else {
                    return Err(self.api.odd("the ticket's id and time"));
                };
                last = changed;
                let is_known = before.stood(&id).is_some_and(|(then, _)| then == changed);
                if is_known || !passed.insert(id.clone()) {
                    continue;
                }
                if named(row, &id).is_none_or(|named| named.parse::<Uuid>().is_err()) {
                    reached.pass(changed);
                    continue;
                }
                if poll::is_enough(taken, talk.bytes()) {
                    return Ok(reached.found(bodies, false));
                }
                self.take(row, &id, &before, talk, &mut bodies)?;
                taken += 1;
                reached.take(&id, changed, "");
            }
            if rows.len() < PAGE {
                return Ok(reached.found(bodies, true));
            }
            // So many at one moment: their list has pages.
            (from, page) = if last > from { (last, 1) } else { (from, page + 1) };
        }
        Ok(reached.found(bodies, false))
    }

    /// Tickets that changed last from then on, the earliest first.
    fn changed(&self, from: Timestamp, page: usize, talk: &mut Talk<'_>) -> Result<Vec<Value>, Step> {
        let from = from.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
        let condition = json!({
            "condition": { "ticket.updated_at": { "operator": "after (absolute)", "value": from } },
            "limit": PAGE, "page": page, "sort_by": "updated_at", "order_by": "asc",
        });
        match self.api.act(talk, "POST", "/api/v1/tickets/search?expand=true", || condition)? {
            Value::Array(rows) => Ok(rows),
            _ => Err(self.api.odd("a list of tickets")),
        }
    }

    /// What agents did on a ticket, as the webhook would have told it.
    fn take(
        &self,
        row: &Value,
        id: &str,
        before: &Reached,
        talk: &mut Talk<'_>,
        bodies: &mut Vec<Vec<u8>>,
    ) -> Result<(), Step> {
        let from = before.done_from();
        let is_since = |time: Option<Timestamp>| time.is_none_or(|time| time >= from);
        let reply = talk.ask(|| self.api.get(&format!("/api/v1/ticket_articles/by_ticket/{id}")))?;
        if poll::is_cut(reply) {
            bodies.push(poll::unread(id));
        } else if reply.status != 404 {
            let articles = self.api.read(reply)?;
            let articles = articles.as_array().ok_or_else(|| self.api.odd("a list of articles"))?;
            let agents = articles.iter().filter(|article| article["sender"] == "Agent" && !is_ours(article));
            let new = agents.filter(|article| is_since(at(article, "created_at")));
            bodies.extend(new.map(|article| self.told(row, article).to_string().into_bytes()));
        }
        let when = |key: &str| at(row, key);
        let state = json::text(row, "state").unwrap_or_default();
        let is_closed = state == "closed" && is_since(when("last_close_at").or(when("updated_at")));
        let is_open_again =
            !matches!(state.as_str(), "closed" | "merged" | "removed") && when("last_close_at").is_some();
        let is_owned = when("last_owner_update_at").is_some_and(|at| at >= from);
        let is_at_work = !matches!(state.as_str(), "closed" | "merged" | "removed" | "new");
        if is_closed || is_open_again || is_owned || is_at_work {
            // Told again it is the same.
            let mut ticket = json!({ "id": row["id"], "lanka_ticket": row["lanka_ticket"] });
            if is_at_work {
                ticket["updated_at"] = row["updated_at"].clone();
                ticket["group"] = row["group"].clone();
            }
            if is_closed || is_open_again || is_at_work {
                ticket["state"] = state.into();
                let told = if json::has(row, "last_close_at") { "last_close_at" } else { "updated_at" };
                ticket[told] = row[told].clone();
            }
            if is_owned {
                ticket["owner"] = json!({ "id": row["owner_id"], "login": row["owner"] });
                ticket["last_owner_update_at"] = row["last_owner_update_at"].clone();
            }
            bodies.push(json!({ "ticket": ticket, "article": {} }).to_string().into_bytes());
        }
        Ok(())
    }

    /// An article, without what changes on its ticket beside it: told again it is the same.
    fn told(&self, row: &Value, article: &Value) -> Value {
        let mut ticket = json!({ "id": row["id"], "lanka_ticket": row["lanka_ticket"] });
        if row["state"] == "merged" {
            ticket["state"] = "merged".into();
        }
        let keys = ["id", "ticket_id", "type", "sender", "internal", "body", "content_type", "from", "created_at"];
        let mut told: Value = keys.into_iter().map(|key| (key.to_owned(), article[key].clone())).collect();
        let files = json::elements(article, "attachments").iter().map(|file| {
            let url = format!("{}/api/v1/ticket_attachment/{}/{}/{}", self.base, row["id"], article["id"], file["id"]);
            json!({ "filename": file["filename"], "preferences": file["preferences"], "url": url })
        });
        told["attachments"] = files.collect();
        let preferences = article.get("preferences").and_then(|told| told.get("is-auto-response"));
        told["preferences"] = json!({ "is-auto-response": preferences });
        json!({ "ticket": ticket, "article": told })
    }
}

/// lanka's id of the ticket that something is on.
fn named(ticket: &Value, on: &str) -> Option<String> {
    json::text(ticket, "lanka_ticket").filter(|_| json::id(ticket, "id").as_deref() == Some(on))
}

fn at(value: &Value, key: &str) -> Option<Timestamp> {
    value.get(key).and_then(json::timestamp)
}

fn by(article: &Value) -> Option<String> {
    article.get("created_by").and_then(name_of).or_else(|| json::filled(article, "from"))
}

fn name_of(user: &Value) -> Option<String> {
    let parts = [json::filled(user, "firstname"), json::filled(user, "lastname")];
    let name = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    if name.is_empty() { json::filled(user, "login") } else { Some(name) }
}
