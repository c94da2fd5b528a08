//! Chatwoot: conversations and messages of an API inbox (developers.chatwoot.com/api-reference), agents' replies by the
//! inbox's webhook. Written against version 4.13, the first that signs it.
//!
//! | of lanka | in Chatwoot |
//! |---|---|
//! | ticket | a conversation, found again among those of its contact by the custom attribute `lanka_ticket` |
//! | contact | a contact, found by the identifier `lanka:ID`, else by e-mail or telephone, else made |
//! | message | an `incoming` message: the conversation's contact is its author, whoever else it is stands in its first line |
//! | an agent's answer given elsewhere | an `outgoing` message of the token's user, the agent's name in it |
//! | what only agents may see | a private message |
//! | how far an answer came | the message's status: `delivered`, `read`, `failed` with why |
//! | queue | a team (`queues`) |
//! | urgency, kind of matter | the priority; labels `lanka-service` and the like |
//! | waits for the customer | `snoozed`, until he says something |
//! | merge, move | a private message in both conversations; the one that ended is resolved |
//!
//! Team, priority and labels follow as long as they are as lanka wrote them last, which the stamps of its messages tell: what an
//! agent set since stays.
//!
//! Every message bears its stamp (`wire::article`) in `content_attributes.lanka`, and `source_id` is `lanka:` and its key: what is there already is
//! told by the conversation's messages, page by page from the first, which are read from the database.
//!
//! A contact gets no e-mail address there unless `contact_email` says so: with the feature "email continuity" Chatwoot itself
//! would mail him what agents answer. His addresses stand in custom attributes.
//!
//! **What comes back**, by the webhook and by looking, in the form of the webhook's own payload: `message_created` with an outgoing
//! message of a user, public or private; `conversation_status_changed` to `resolved` or `snoozed`, and from them; `conversation_updated` with
//! another team or assignee (the webhook alone tells of that, and of an opening). Signed with the time, which must be within five minutes. Who changed
//! a status is not told: it may have been lanka (`Answer::may_echo`). Priorities and labels are read as nothing.
//!
//! **Looking**, for what a webhook told nobody (Chatwoot tries once): the inbox's conversations by their last activity, the latest
//! first, down to where the last look ended, then each one's messages, the latest first. A change of status leaves an activity
//! message, so that it is such an activity too. A closing is told by the conversation's `updated_at`, as by the webhook; where
//! something else changed since, it is told again; while the tool has not heard of a customer's later word, that is no news.
//!
//! **Namespace:** `chatwoot:` and the mirror's name. **Identities:** none.

use super::{
    Built, Delivery, Forged, Inbound, Kind, Link, Listener, Look, MediaReply, MediaStep, Mirror, Outgoing, Patience,
    PollSource, Poller, Redacted, Reply, SettingsProblem, Setup, Step,
};
use crate::pure::domain::Timestamp;
use crate::pure::domain::message::{Attachment, AttachmentSource, Auto, Parsed, Progress, RawEvent, Remote};
use crate::pure::domain::outbox::{Change, LinkedKind, Post};
use crate::pure::domain::secret::Secret;
use crate::pure::domain::ticket::TicketState;
use crate::pure::wire::article::{self, Article, Author, Person, Stamp, Standing, lacking, person};
use crate::pure::wire::batch::Batch;
use crate::pure::wire::poll::{self, Reached};
use crate::pure::wire::settings::read_kind;
use crate::pure::wire::tool::{self, Api, Did, Form, Groups, Talk, Terms};
use crate::pure::wire::{json, media, redact};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// This file's entry in the list of mirrors.
pub const KIND: Kind = Kind { name: NAME, build };

const NAME: &str = "chatwoot";

/// Longest content that Chatwoot takes, in characters; bytes are never fewer.
const CONTENT_BYTES_MAX: usize = 150_000;

/// Files of one reply that are taken.
const REPLY_FILES_MAX: usize = 15;

/// Pages of a conversation's messages that are read, of a hundred each.
const PAGES_MAX: usize = 20;

/// Messages deleted in one attempt; the next one goes on.
const DELETED_MAX: usize = 12;

/// Messages of a page.
const PAGE: usize = 100;

/// Conversations of a page of their list, and messages of one that is read from its end.
const CONVERSATIONS_PAGE: usize = 25;
const LATEST_PAGE: usize = 20;

/// Pages of conversations that one look reads, and pages of messages of each.
const CONVERSATIONS_PAGES_MAX: usize = 200;

/// How exact the times of its conversations are, and the clocks of two machines.
const SECOND: jiff::SignedDuration = jiff::SignedDuration::from_secs(2);
const LATEST_PAGES_MAX: usize = 50;

/// Begins the source ids of what lanka wrote.
const SOURCE_ID: &str = "lanka:";

/// How far the time of a signature may be from ours, in seconds.
const TOLERANCE_S: i64 = 300;

/// The mirror's keys in the configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Chatwoot's address, as agents open it.
    pub url: String,
    /// The number of the account, as it stands in the address of every page.
    pub account: u64,
    /// The number of the API inbox.
    pub inbox: u64,
    /// The numbers of the teams of queues, by the queue; all others are given to no team.
    #[serde(default)]
    pub queues: BTreeMap<String, u64>,
    /// The access token of lanka's own user there.
    pub token: Secret,
    /// The secret that the inbox signs its webhooks with; without it what agents do is looked for only.
    #[serde(default)]
    pub webhook_secret: Option<Secret>,
    /// Between two looks at what agents did, in seconds.
    #[serde(default = "tool::poll_interval_s_default")]
    pub poll_interval_s: u64,
    /// Whether contacts get their e-mail address: only where the account's feature "email continuity" is off.
    #[serde(default)]
    pub contact_email: bool,
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
    let Settings { account, inbox, token, contact_email, .. } = settings;
    let secret = tool::webhook_secret(settings.webhook_secret, &mut problems);
    let interval = tool::poll_interval(settings.poll_interval_s, 5, &mut problems);
    let (attempts_max, days) = (settings.attempts_max, settings.give_up_after_days);
    let terms = Terms::checked(settings.timeout_s, attempts_max, days, &mut problems);
    for (key, is_wrong, what) in [
        ("account", account == 0, "is a number from 1 on"),
        ("inbox", inbox == 0, "is a number from 1 on"),
        ("token", token.expose().trim().is_empty(), "is empty"),
    ] {
        if is_wrong {
            problems.add(key, what);
        }
    }
    for queue in settings.queues.iter().filter(|(_, team)| **team == 0).map(|(queue, _)| queue) {
        problems.add(format!("queues.{queue}"), "is the number of a team, from 1 on");
    }
    let of = settings.queues.iter().map(|(queue, team)| (queue.clone(), Some(*team))).collect();
    let teams = Groups { of, default: None };
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let headers = vec![("api_access_token".to_owned(), token.expose().trim().to_owned())];
    let base = format!("{base}/api/v1/accounts/{account}");
    let api = Api { name: "Chatwoot", base, headers, timeout: terms.timeout };
    let poll =
        PollSource { is_called: secret.is_some(), poller: Arc::new(Looking { api: api.clone(), inbox, interval }) };
    let listener = Listening { name: setup.name.to_owned(), inbox, secret, teams: teams.clone() };
    let inbound = Some(Inbound { listener: Box::new(listener), poll: Some(poll) });
    Ok(Built { mirror: Box::new(Chatwoot { api, inbox, contact_email, teams, patience: terms.patience }), inbound })
}

/// One inbox of a Chatwoot.
struct Chatwoot {
    api: Api,
    inbox: u64,
    contact_email: bool,
    teams: Groups<Option<u64>>,
    patience: Patience,
}

/// A conversation there.
struct Thread {
    /// Its number within the account.
    id: u64,
    status: String,
    priority: Option<String>,
    team: Option<u64>,
    labels: Option<Vec<String>>,
    /// It was made just now.
    is_new: bool,
}

impl Mirror for Chatwoot {
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
        self.teams.named()
    }

    fn probe(&self) -> Option<Outgoing> {
        Some(self.api.get("/inboxes"))
    }
}

impl Chatwoot {
    /// All of a post, from its beginning.
    fn carry(&self, post: &Post, talk: &mut Talk<'_>) -> Result<Vec<Link>, Step> {
        let is_here = post.links.of(LinkedKind::Ticket, post.ticket.id.0).is_some();
        match post.change {
            Change::AnswerDue => return Ok(Vec::new()),
            Change::ContactErased => return self.forget(post, talk).map(|()| Vec::new()),
            // What ended before it came here needs no conversation.
            Change::TicketMerged if !is_here && !article::is_target(post) => return Ok(Vec::new()),
            _ => {}
        }
        let mut links = Vec::new();
        let thread = self.thread(post, talk, &mut links)?;
        if matches!(post.change, Change::ContactMerged | Change::ContactSplit) {
            self.complete(post, talk)?;
        }
        let before = self.messages(post, &thread, talk, &mut links)?;
        self.tell_progress(post, &thread, talk, &links)?;
        self.settle(post, &thread, talk)?;
        self.fields(post, &thread, before.as_ref(), talk)?;
        Ok(links)
    }

    /// The conversation, made if it is not there. A conversation has one contact: the first who takes part.
    fn thread(&self, post: &Post, talk: &mut Talk<'_>, links: &mut Vec<Link>) -> Result<Thread, Step> {
        let object = post.ticket.id.0;
        if let Some(remote) = post.links.of(LinkedKind::Ticket, object)
            && let Some(found) = self.api.look(talk, &format!("/conversations/{remote}"))?
        {
            return self.read_thread(&found);
        }
        let person = person(post, None);
        let contact = self.contact(&person, talk)?;
        links.push(Link { kind: LinkedKind::Contact, object: person.id, remote: contact.to_string() });
        let thread = match self.find(post, talk)? {
            Some(found) => found,
            None => {
                let made = self.api.act(talk, "POST", "/conversations", || self.opening(post, &person, contact))?;
                Thread { is_new: true, ..self.read_thread(&made)? }
            }
        };
        links.push(Link { kind: LinkedKind::Ticket, object, remote: thread.id.to_string() });
        Ok(thread)
    }

    /// The conversation by lanka's id of the ticket, which stands in a custom attribute.
    fn find(&self, post: &Post, talk: &mut Talk<'_>) -> Result<Option<Thread>, Step> {
        let wanted = json!({ "payload": [{
            "attribute_key": "lanka_ticket", "attribute_model": "custom_attribute", "filter_operator": "equal_to",
            "values": [post.ticket.id.to_string()], "query_operator": null, "custom_attribute_type": "",
        }] });
        let found = self.api.act(talk, "POST", "/conversations/filter", || wanted)?;
        let list = found.get("payload").or_else(|| found.get("data")?.get("payload")).and_then(Value::as_array);
        let list = list.ok_or_else(|| self.api.odd("a list of conversations"))?;
        let first = list.iter().min_by_key(|found| found.get("id").and_then(Value::as_u64));
        first.map(|found| self.read_thread(found)).transpose()
    }

    fn read_thread(&self, found: &Value) -> Result<Thread, Step> {
        let id = found.get("id").and_then(Value::as_u64).ok_or_else(|| self.api.odd("the conversation's id"))?;
        let labels = found.get("labels").and_then(Value::as_array);
        let words = |labels: &Vec<Value>| labels.iter().filter_map(|label| label.as_str().map(str::to_owned)).collect();
        Ok(Thread {
            id,
            status: json::text(found, "status").unwrap_or_default(),
            priority: json::filled(found, "priority"),
            team: found.get("meta").and_then(|meta| meta.get("team")?.get("id")?.as_u64()),
            labels: labels.map(words),
            is_new: false,
        })
    }

    fn opening(&self, post: &Post, person: &Person<'_>, contact: u64) -> Value {
        let ticket = &post.ticket;
        json!({
            "source_id": format!("{SOURCE_ID}{}", person.id),
            "inbox_id": self.inbox,
            "contact_id": contact,
            "status": "open",
            "custom_attributes": {
                "lanka_ticket": ticket.id.to_string(),
                "lanka_number": ticket.number.to_string(),
                "lanka_title": article::cut(&ticket.title, 500),
                "lanka_kind": ticket.kind.join(", "),
                "lanka_priority": ticket.priority,
            },
        })
    }

    /// The number of a contact there, made if there is none.
    fn contact(&self, person: &Person<'_>, talk: &mut Talk<'_>) -> Result<u64, Step> {
        let identifier = format!("{SOURCE_ID}{}", person.id);
        let email = person.email.filter(|_| self.contact_email).map(str::to_lowercase);
        let keys =
            [("identifier", Some(identifier)), ("email", email), ("phone_number", person.phone.map(str::to_owned))];
        for (key, value) in keys.into_iter().filter_map(|(key, value)| Some((key, value?))) {
            if let Some(id) = self.find_contact(key, &value, talk)? {
                return Ok(id);
            }
        }
        let made = talk.ask(|| self.api.json("POST", "/contacts", &self.newcomer(person, true)))?;
        let made = match made.status {
            // An address that is another's by now, or none by its lights: it stands in the custom attributes.
            422 => self.api.act(talk, "POST", "/contacts", || self.newcomer(person, false))?,
            _ => self.api.read(made)?,
        };
        let id = made.get("payload").and_then(|made| made.get("contact")?.get("id")?.as_u64());
        id.ok_or_else(|| self.api.odd("the contact's id"))
    }

    fn find_contact(&self, key: &str, value: &str, talk: &mut Talk<'_>) -> Result<Option<u64>, Step> {
        let wanted = json!({ "payload": [
            { "attribute_key": key, "filter_operator": "equal_to", "values": [value], "query_operator": null },
        ] });
        let found = self.api.act(talk, "POST", "/contacts/filter", || wanted)?;
        let list = found.get("payload").and_then(Value::as_array).ok_or_else(|| self.api.odd("a list of contacts"))?;
        Ok(list.first().and_then(|found| found.get("id")?.as_u64()))
    }

    fn newcomer(&self, person: &Person<'_>, with_addresses: bool) -> Value {
        let mut contact = json!({
            "inbox_id": self.inbox,
            "name": person.name,
            "identifier": format!("{SOURCE_ID}{}", person.id),
            "source_id": format!("{SOURCE_ID}{}", person.id),
            "custom_attributes": known_of(person),
        });
        if with_addresses {
            if let Some(email) = person.email.filter(|_| self.contact_email) {
                contact["email"] = email.into();
            }
            if let Some(phone) = person.phone {
                contact["phone_number"] = phone.into();
            }
        }
        contact
    }

    /// People who turned out to be one, or several: what is known of each of the ticket is said of him there.
    fn complete(&self, post: &Post, talk: &mut Talk<'_>) -> Result<(), Step> {
        for contact in post.ticket.participants.iter().take(4) {
            let person = person(post, Some(contact.id));
            let id = self.contact(&person, talk)?;
            let known = json!({ "custom_attributes": known_of(&person) });
            self.api.act(talk, "PUT", &format!("/contacts/{id}"), || known)?;
        }
        Ok(())
    }

    /// Who was erased is nobody there, and his messages in the conversation are blank.
    fn forget(&self, post: &Post, talk: &mut Talk<'_>) -> Result<(), Step> {
        let erased = article::erased(post);
        for contact in &erased {
            let identifier = format!("{SOURCE_ID}{contact}");
            let Some(id) = self.find_contact("identifier", &identifier, talk)? else { continue };
            let attributes = json!({ "lanka_addresses": "", "lanka_contact": "" });
            let empty = json!({
                "name": "Erased", "email": null, "phone_number": null, "identifier": format!("erased:{contact}"),
                "custom_attributes": attributes, "additional_attributes": {},
            });
            self.api.act(talk, "PUT", &format!("/contacts/{id}"), || empty)?;
        }
        let Some(remote) = post.links.of(LinkedKind::Ticket, post.ticket.id.0) else { return Ok(()) };
        let Some(found) = self.api.look(talk, &format!("/conversations/{remote}"))? else { return Ok(()) };
        let thread = self.read_thread(&found)?;
        let there = self.there(&thread, talk)?;
        let his = there.iter().filter(|(stamp, _)| stamp.is_of(&erased));
        for (n, (_, id)) in his.enumerate() {
            if n == DELETED_MAX {
                let after = Some(std::time::Duration::ZERO);
                return Err(Step::Retry { after, why: "there are more messages to delete in Chatwoot".to_owned() });
            }
            let path = format!("/conversations/{}/messages/{id}", thread.id);
            let reply = talk.ask(|| self.api.request("DELETE", &path, "application/json", Vec::new()))?;
            if reply.status != 404 {
                self.api.read(reply)?;
            }
        }
        Ok(())
    }

    /// The stamps of what lanka wrote in a conversation, with the messages' ids.
    fn there(&self, thread: &Thread, talk: &mut Talk<'_>) -> Result<Vec<(Stamp, u64)>, Step> {
        let (mut stamped, mut after) = (Vec::new(), 0);
        for _ in 0..PAGES_MAX {
            let path = format!("/conversations/{}/messages?after={after}", thread.id);
            let page = self.api.look(talk, &path)?;
            let page = page.as_ref().and_then(|page| page.get("payload")?.as_array());
            let page = page.ok_or_else(|| self.api.odd("a list of messages"))?;
            for message in page {
                let Some(id) = message.get("id").and_then(Value::as_u64) else { continue };
                after = after.max(id);
                stamped.extend(stamp(message).map(|stamp| (stamp, id)));
            }
            if page.len() < PAGE {
                return Ok(stamped);
            }
        }
        let why = format!("a conversation in Chatwoot has more than {} messages", PAGES_MAX * PAGE);
        Err(Step::Retry { after: None, why })
    }

    /// The messages that the conversation lacks. Gives how the ticket stood before.
    fn messages(
        &self,
        post: &Post,
        thread: &Thread,
        talk: &mut Talk<'_>,
        links: &mut Vec<Link>,
    ) -> Result<Option<Standing>, Step> {
        let mut stamped = self.there(thread, talk)?;
        let stamps: Vec<Stamp> = stamped.iter().map(|(stamp, _)| stamp.clone()).collect();
        for article in lacking(post, &stamps) {
            let path = format!("/conversations/{}/messages", thread.id);
            let reply = talk.ask(|| {
                let (content_type, body) = written(&article);
                self.api.request("POST", &path, &content_type, body)
            })?;
            let made = self.api.read(reply)?;
            let id = made.get("id").and_then(Value::as_u64).ok_or_else(|| self.api.odd("the message's id"))?;
            stamped.push((article.stamp, id));
        }
        let before = Standing::before(post, &stamps);
        let Some(message) = &post.message else { return Ok(before) };
        let of_it = stamped.iter().find(|(stamp, _)| stamp.message == Some(message.id));
        links.extend(of_it.map(|(_, id)| Link {
            kind: LinkedKind::Message,
            object: message.id.0,
            remote: id.to_string(),
        }));
        Ok(before)
    }

    /// How far an agent's answer came, at the message itself.
    fn tell_progress(&self, post: &Post, thread: &Thread, talk: &mut Talk<'_>, links: &[Link]) -> Result<(), Step> {
        let Some(message) = post.message.as_ref().filter(|_| post.change == Change::MessageUpdated) else {
            return Ok(());
        };
        let status = match message.progress {
            Some(Progress::Failed) => "failed",
            Some(Progress::Delivered) => "delivered",
            Some(Progress::Read | Progress::Played) => "read",
            Some(Progress::Sent) | None => return Ok(()),
        };
        let made = links.iter().find(|link| (link.kind, link.object) == (LinkedKind::Message, message.id.0));
        let remote = post.links.of(LinkedKind::Message, message.id.0).or(made.map(|link| link.remote.as_str()));
        let Some(remote) = remote else { return Ok(()) };
        let why = message.progress_why.clone().filter(|_| status == "failed");
        let path = format!("/conversations/{}/messages/{remote}", thread.id);
        let reply = talk.ask(|| {
            let mut told = json!({ "status": status });
            if let Some(why) = why {
                told["external_error"] = why.into();
            }
            self.api.json("PATCH", &path, &told)
        })?;
        // It was written in another conversation, or is gone.
        if reply.status == 404 { Ok(()) } else { self.api.read(reply).map(drop) }
    }

    /// The conversation's state, where the change is one of it. A customer's message opens it by itself.
    fn settle(&self, post: &Post, thread: &Thread, talk: &mut Talk<'_>) -> Result<(), Step> {
        let is_ended = post.change == Change::TicketMerged && !article::is_target(post);
        let wanted = match post.change {
            _ if is_ended && thread.status != "resolved" => "resolved",
            Change::TicketClosed if thread.status != "resolved" => "resolved",
            Change::TicketOpened | Change::TicketReopened if thread.status != "open" => "open",
            // Until the next reply: no time is given.
            Change::TicketAwaited if post.ticket.awaited_since.is_some() && thread.status == "open" => "snoozed",
            Change::TicketResumed if post.ticket.awaited_since.is_none() && thread.status == "snoozed" => "open",
            _ => return Ok(()),
        };
        let path = format!("/conversations/{}/toggle_status", thread.id);
        self.api.act(talk, "POST", &path, || json!({ "status": wanted })).map(drop)
    }
}

impl Chatwoot {
    /// Team, priority and labels: of a new conversation, and as far as they changed and no agent set them since.
    fn fields(&self, post: &Post, thread: &Thread, before: Option<&Standing>, talk: &mut Talk<'_>) -> Result<(), Step> {
        let ticket = &post.ticket;
        // Begun again, it is the opening still: nothing was written there before.
        let is_first = thread.is_new || (post.change == Change::TicketOpened && before.is_none());
        let priority = match is_first {
            // The ordinary case needs no word there.
            true => Some(priority(&ticket.priority))
                .filter(|word| *word != priority("normal") && thread.priority.as_deref() != Some(*word)),
            false => tool::wanted_priority(post, before, priority, thread.priority.as_deref()),
        };
        if let Some(priority) = priority {
            let path = format!("/conversations/{}/toggle_priority", thread.id);
            let reply = talk.ask(|| self.api.json("POST", &path, &json!({ "priority": priority })))?;
            self.api.read(reply)?;
        }
        let team = match is_first {
            true => Some(self.teams.group(ticket.queue.as_deref())).filter(|team| **team != thread.team),
            false => self.teams.wanted(post, before, |team| *team == thread.team),
        };
        if let Some(team) = team {
            let path = format!("/conversations/{}/assignments", thread.id);
            self.api.act(talk, "POST", &path, || json!({ "team_id": team.unwrap_or_default() }))?;
        }
        let (come, go) = match is_first {
            true => (tool::kind_tags(&ticket.kind), Vec::new()),
            false => tool::changed_tags(post, before),
        };
        self.label(thread, &come, &go, talk)
    }

    /// Labels that come and go, beside those that are there.
    fn label(&self, thread: &Thread, come: &[String], go: &[String], talk: &mut Talk<'_>) -> Result<(), Step> {
        if come.is_empty() && go.is_empty() {
            return Ok(());
        }
        let path = format!("/conversations/{}/labels", thread.id);
        let there = match &thread.labels {
            Some(labels) => labels.clone(),
            None => {
                let found = self.api.look(talk, &path)?.unwrap_or_default();
                let labels = json::elements(&found, "payload").iter();
                labels.filter_map(|label| label.as_str().map(str::to_owned)).collect()
            }
        };
        let mut labels: Vec<&String> = there.iter().filter(|label| !go.contains(label)).collect();
        labels.extend(come.iter().filter(|label| !there.contains(label)));
        if labels.iter().copied().eq(&there) {
            return Ok(());
        }
        self.api.act(talk, "POST", &path, || json!({ "labels": labels })).map(drop)
    }
}

/// How urgent something is, in Chatwoot's words.
fn priority(word: &str) -> &'static str {
    match word {
        "high" => "high",
        "low" => "low",
        _ => "medium",
    }
}

/// What is known of somebody beside his name.
fn known_of(person: &Person<'_>) -> Value {
    json!({ "lanka_contact": person.id.to_string(), "lanka_addresses": article::cut(&person.identities.join(", "), 2_000) })
}

fn stamp(message: &Value) -> Option<Stamp> {
    serde_json::from_value(message.get("content_attributes")?.get("lanka")?.clone()).ok()
}

/// Whether lanka wrote a message.
fn is_ours(message: &Value) -> bool {
    let source_id = message.get("source_id").and_then(Value::as_str).unwrap_or_default();
    source_id.starts_with(SOURCE_ID) || stamp(message).is_some()
}

/// `POST /conversations/ID/messages`: JSON, with files a form.
fn written(article: &Article<'_>) -> (String, Vec<u8>) {
    let is_customers = matches!(article.author, Author::Customer(_)) && !article.is_note;
    let subject = article.subject.map(|subject| format!("{}\n\n", plain(subject))).unwrap_or_default();
    let content = article::cut(&format!("{subject}{}", plain(&article.plain(CONTENT_BYTES_MAX))), CONTENT_BYTES_MAX);
    let kind = if is_customers { "incoming" } else { "outgoing" };
    let source_id = format!("{SOURCE_ID}{}", article.stamp.key);
    let attributes = json!({ "lanka": article.stamp, "external_created_at": article.at.as_second() });
    if article.files.is_empty() {
        let written = json!({
            "content": content, "message_type": kind, "private": article.is_note, "content_type": "text",
            "source_id": source_id, "content_attributes": attributes,
        });
        return ("application/json".to_owned(), written.to_string().into_bytes());
    }
    let mut form = Form::of(&source_id);
    form.field("content", &content);
    form.field("message_type", kind);
    form.field("private", if article.is_note { "true" } else { "false" });
    form.field("source_id", &source_id);
    form.field("content_attributes", &attributes.to_string());
    article.files.iter().for_each(|file| form.file("attachments[]", file));
    form.finish()
}

/// A text that Chatwoot, which reads Markdown, shows as it stands.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '*' | '_' | '[' | ']' | '`' | '<' | '#' | '~') {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}

/// What agents do there.
struct Listening {
    /// The mirror's name.
    name: String,
    inbox: u64,
    secret: Option<Secret>,
    teams: Groups<Option<u64>>,
}

impl Listener for Listening {
    /// `X-Chatwoot-Signature: sha256=` and the HMAC-SHA256 of time, full stop and body.
    fn verify(&self, delivery: &Delivery<'_>) -> Result<(), Forged> {
        let secret = self.secret.as_ref().ok_or(Forged::NotAWebhook)?;
        let header = |name| delivery.header(name).ok_or(Forged::Missing);
        let (signature, time) = (header("x-chatwoot-signature")?, header("x-chatwoot-timestamp")?);
        let digits = signature.strip_prefix(b"sha256=").ok_or(Forged::Malformed)?;
        let signature = hex::decode(digits).map_err(|_| Forged::Malformed)?;
        let signed_at: i64 =
            std::str::from_utf8(time).ok().and_then(|time| time.parse().ok()).ok_or(Forged::Malformed)?;
        let key = secret.expose().trim().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| Forged::Mismatch)?;
        for part in [time, b".", delivery.body] {
            mac.update(part);
        }
        mac.verify_slice(&signature).map_err(|_| Forged::Mismatch)?;
        let age_s = delivery.received_at.as_second().saturating_sub(signed_at);
        if age_s.unsigned_abs() <= TOLERANCE_S.unsigned_abs() { Ok(()) } else { Err(Forged::Stale) }
    }

    fn parse(&self, event: &RawEvent) -> Parsed {
        match json::read(&event.body) {
            Ok(body) => {
                let batch = self.batch(event, &body);
                // Most deliveries tell of nothing that lanka has a word for.
                if batch.is_empty() { Parsed::default() } else { batch.finish() }
            }
            Err(fault) => Parsed { items: Vec::new(), faults: vec![fault] },
        }
    }

    fn redact(&self, event: &RawEvent, item: u32) -> Option<Redacted> {
        redact::in_json(&event.body, item, |body| self.batch(event, body), |_, _| {})
    }

    fn media(&self, remote: &str, replies: &[MediaReply]) -> MediaStep {
        media::by_url(remote, replies)
    }
}

impl Listening {
    /// `{"event": "message_created", "id", "content", "message_type": "outgoing", "private", "source_id", "content_attributes",
    /// "created_at", "sender": {"name", "type": "user"}, "inbox": {"id"}, "conversation": {"id"}, "attachments": [{"file_type",
    /// "data_url"}]}`; `{"event": "conversation_status_changed", "id", "status": "resolved", "inbox_id", "updated_at"}`; or
    /// `{"event": "conversation_updated", "id", "inbox_id", "changed_attributes": [{"assignee_id": {…}}], "meta": {"assignee":
    /// {"name"}}, "updated_at"}`.
    fn batch(&self, event: &RawEvent, body: &Value) -> Batch {
        let mut batch = Batch::default();
        if batch.is_redacted(body) || poll::is_unread(body, &mut batch) {
            return batch;
        }
        match json::text(body, "event").as_deref() {
            Some("message_created") => self.wrote(body, &mut batch),
            Some("conversation_status_changed") => self.turned(event, body, &mut batch),
            Some("conversation_updated") => self.assigned(event, body, &mut batch),
            Some(_) => {}
            None => batch.fault("no_event", "a webhook of Chatwoot names no `event`"),
        }
        batch
    }

    fn wrote(&self, body: &Value, batch: &mut Batch) {
        let conversation = body.get("conversation").and_then(|of| json::id(of, "id"));
        let (Some(id), Some(on)) = (json::id(body, "id"), conversation) else {
            return batch.fault("no_id", "a message of Chatwoot has no `id`, or no `conversation`");
        };
        let kind_of_sender = body.get("sender").and_then(|sender| json::text(sender, "type"));
        let is_agents = json::text(body, "message_type").as_deref() == Some("outgoing")
            && kind_of_sender.as_deref() == Some("user")
            && body.get("inbox").is_none_or(|inbox| inbox.get("id").and_then(Value::as_u64) == Some(self.inbox));
        if is_ours(body) || !is_agents {
            return;
        }
        let is_public = body.get("private").and_then(Value::as_bool) == Some(false);
        let text = json::text(body, "content").unwrap_or_default();
        let attachments = attachments(body);
        if text.trim().is_empty() && attachments.is_empty() {
            return;
        }
        let by = body.get("sender").and_then(|sender| json::filled(sender, "name"));
        let at = body.get("created_at").and_then(json::timestamp);
        let named = body.get("conversation").and_then(named);
        let did = Did { kind: NAME, mirror: &self.name, ticket: &on, named, id, by, at };
        let mut incoming = did.wrote(text.trim().to_owned(), !is_public);
        incoming.attachments = attachments;
        // A rule of Chatwoot's may write in somebody's name, and a campaign does.
        let attributes = |key: &str| body.get(key).unwrap_or(&Value::Null);
        let is_automatic = json::has(attributes("content_attributes"), "automation_rule_id")
            || json::has(attributes("additional_attributes"), "campaign_id");
        incoming.auto = is_automatic.then_some(Auto::Generated);
        batch.item(body, incoming);
    }

    /// It was resolved, or is not any more.
    fn turned(&self, event: &RawEvent, body: &Value, batch: &mut Batch) {
        if let (Some(on), Some(status)) = (self.conversation(body), json::filled(body, "status")) {
            let did = |what: &str| self.did(event, body, &on, what);
            match status.as_str() {
                "resolved" => batch.item(body, did(&status).stands(TicketState::Closed)),
                "snoozed" => batch.item(body, did(&status).waits(true)),
                _ => batch.item(body, did(&status).stands(TicketState::Open)),
            }
        }
    }

    /// Somebody was assigned, or nobody is any more.
    fn assigned(&self, event: &RawEvent, body: &Value, batch: &mut Batch) {
        let changed = json::elements(body, "changed_attributes");
        let has_changed = |key: &str| changed.iter().any(|one| one.get(key).is_some());
        let Some(on) = self.conversation(body) else { return };
        let team = body.get("meta").and_then(|meta| meta.get("team")?.get("id")?.as_u64());
        let queues = self.teams.queues(move |known| team.is_some() && *known == team);
        if has_changed("team_id") && !queues.is_empty() {
            batch.item(body, self.did(event, body, &on, "team").routed(&queues));
        }
        if has_changed("assignee_id") {
            let assignee = body.get("meta").and_then(|meta| json::filled(meta.get("assignee")?, "name"));
            batch.item(body, self.did(event, body, &on, "assigned").assigned(assignee));
        }
    }

    /// The id of a conversation of the inbox.
    fn conversation(&self, body: &Value) -> Option<String> {
        let is_here = body.get("inbox_id").and_then(Value::as_u64) == Some(self.inbox);
        json::id(body, "id").filter(|_| is_here)
    }

    /// What was done with a conversation.
    fn did<'a>(&'a self, event: &RawEvent, body: &Value, on: &'a str, what: &str) -> Did<'a> {
        // The other times are whole seconds, of other things.
        let at = body.get("updated_at").and_then(Value::as_f64);
        let at = at.and_then(|seconds| Timestamp::from_microsecond((seconds * 1_000_000.0) as i64).ok());
        // The payload has no id of its own: its time is one, to the part of a second.
        let told = ["updated_at", "last_activity_at", "timestamp"].into_iter().find_map(|key| body.get(key));
        let when = told.map_or_else(|| event.received_at.to_string(), Value::to_string);
        let id = format!("{on} {what} {when}");
        Did { kind: NAME, mirror: &self.name, ticket: on, named: named(body), id, by: None, at }
    }
}

/// Looks for what agents did there.
struct Looking {
    api: Api,
    inbox: u64,
    interval: Duration,
}

/// A conversation that is not known as it stands.
struct Changed {
    id: u64,
    at: Timestamp,
    status: String,
    row: Value,
}

impl Poller for Looking {
    fn look(&self, cursor: Option<&Value>, replies: &[Reply], now: Timestamp) -> Look {
        let first = || Reached::first(now);
        poll::look_from(cursor, first, |before| Talk::look(replies, |talk| self.news(before, talk, now)))
    }

    fn interval(&self) -> Duration {
        self.interval
    }
}

impl Looking {
    /// What agents did in lanka's conversations since the last look, the earliest conversation first.
    fn news(&self, before: Reached, talk: &mut Talk<'_>, now: Timestamp) -> Result<Look, Step> {
        let (mut reached, mut bodies) = (before.clone(), Vec::new());
        let mut changed = self.changed(&before, talk, &mut bodies)?;
        changed.sort_by_key(|one| (one.at, one.id));
        let mut taken = 0;
        for one in &changed {
            if named(&one.row).is_none_or(|named| named.parse::<uuid::Uuid>().is_err()) {
                reached.pass(one.at);
                continue;
            }
            if poll::is_enough(taken, talk.bytes()) {
                return Ok(reached.found(bodies, false));
            }
            self.take(one, &before, talk, &mut bodies)?;
            taken += 1;
            // Times there are whole seconds: within one that is not over something may follow.
            match now.duration_since(one.at) > SECOND {
                true => reached.take(&one.id.to_string(), one.at, &one.status),
                false => reached.pass(one.at),
            }
        }
        Ok(reached.found(bodies, true))
    }

    /// Conversations that changed since the last look.
    fn changed(&self, before: &Reached, talk: &mut Talk<'_>, bodies: &mut Vec<Vec<u8>>) -> Result<Vec<Changed>, Step> {
        let (from, inbox) = (before.listed_from(), self.inbox);
        let mut changed: BTreeMap<u64, Changed> = BTreeMap::new();
        for page in 1..=CONVERSATIONS_PAGES_MAX {
            let path = format!("/conversations?inbox_id={inbox}&status=all&sort_by=last_activity_at_desc&page={page}");
            let found = self.api.look(talk, &path)?.unwrap_or_default();
            let rows = found.get("data").and_then(|data| data.get("payload")?.as_array());
            let rows = rows.ok_or_else(|| self.api.odd("a list of conversations"))?;
            for row in rows {
                let at = row.get("last_activity_at").and_then(json::timestamp);
                let (Some(id), Some(at)) = (row.get("id").and_then(Value::as_u64), at) else {
                    return Err(self.api.odd("the conversation's id and time"));
                };
                if at < from {
                    return Ok(changed.into_values().collect());
                }
                let status = json::text(row, "status").unwrap_or_default();
                // A conversation that moves up meanwhile is listed twice, as it stood first.
                if before.stood(&id.to_string()) != Some((at, status.as_str())) {
                    changed.entry(id).or_insert_with(|| Changed { id, at, status, row: row.clone() });
                }
            }
            if rows.len() < CONVERSATIONS_PAGE {
                return Ok(changed.into_values().collect());
            }
        }
        // Chatwoot lists no further back than by pages.
        bodies.push(poll::unread(&format!("before {}", changed.values().map(|one| one.at).min().unwrap_or(from))));
        Ok(changed.into_values().collect())
    }

    /// What agents did in a conversation, as the webhook would have told it.
    fn take(
        &self,
        one: &Changed,
        before: &Reached,
        talk: &mut Talk<'_>,
        bodies: &mut Vec<Vec<u8>>,
    ) -> Result<(), Step> {
        let mut found = BTreeMap::new();
        if !self.messages(one, before.done_from(), talk, &mut found)? {
            bodies.push(poll::unread(&one.id.to_string()));
        }
        bodies.extend(found.into_values().map(|told| told.to_string().into_bytes()));
        let is_news = before.stood(&one.id.to_string()).is_none_or(|(_, status)| status != "resolved");
        let stood = before.stood(&one.id.to_string()).is_some_and(|(_, status)| status == one.status);
        if matches!(one.status.as_str(), "snoozed" | "open") && !stood {
            let stands = json!({
                "event": "conversation_status_changed", "id": one.id, "inbox_id": self.inbox, "status": one.status,
                "updated_at": one.row["last_activity_at"], "custom_attributes": attributes(&one.row), "looked_at": true,
            });
            bodies.push(stands.to_string().into_bytes());
        }
        if one.status == "resolved" && is_news {
            let told = if json::has(&one.row, "updated_at") { "updated_at" } else { "last_activity_at" };
            let closed = json!({
                "event": "conversation_status_changed", "id": one.id, "inbox_id": self.inbox, "status": "resolved",
                "updated_at": one.row[told], "custom_attributes": attributes(&one.row),
            });
            bodies.push(closed.to_string().into_bytes());
        }
        Ok(())
    }

    /// Agents' messages of a conversation since then, by their ids; whether they are all.
    fn messages(
        &self,
        one: &Changed,
        from: Timestamp,
        talk: &mut Talk<'_>,
        found: &mut BTreeMap<u64, Value>,
    ) -> Result<bool, Step> {
        let mut path = format!("/conversations/{}/messages", one.id);
        for _ in 0..LATEST_PAGES_MAX {
            let reply = talk.ask(|| self.api.get(&path))?;
            if reply.status == 404 || poll::is_cut(reply) {
                return Ok(reply.status == 404);
            }
            let page = self.api.read(reply)?;
            let rows = page.get("payload").and_then(Value::as_array);
            let rows = rows.ok_or_else(|| self.api.odd("a list of messages"))?;
            let (mut first, mut is_end) = (u64::MAX, rows.len() < LATEST_PAGE);
            for message in rows {
                let Some(id) = message.get("id").and_then(Value::as_u64) else { continue };
                first = first.min(id);
                if message.get("created_at").and_then(json::timestamp).is_some_and(|at| at < from) {
                    is_end = true;
                } else if is_agents(message) && !is_ours(message) {
                    found.insert(id, self.told(one, message));
                }
            }
            if is_end {
                return Ok(true);
            }
            path = format!("/conversations/{}/messages?before={first}", one.id);
        }
        Ok(false)
    }

    fn told(&self, one: &Changed, message: &Value) -> Value {
        let keys =
            ["id", "content", "private", "source_id", "content_attributes", "created_at", "sender", "attachments"];
        let keys = keys.into_iter().filter(|key| json::has(message, key));
        let mut told: Value = keys.map(|key| (key.to_owned(), message[key].clone())).collect();
        told["event"] = "message_created".into();
        told["message_type"] = "outgoing".into();
        told["inbox"] = json!({ "id": self.inbox });
        told["conversation"] = json!({ "id": one.id, "custom_attributes": attributes(&one.row) });
        told["sender"] = json!({ "name": message["sender"]["name"], "type": "user" });
        told
    }
}

/// Whether an agent wrote a message, as the list of a conversation has it.
fn is_agents(message: &Value) -> bool {
    message["message_type"] == 1 && message["sender"]["type"] == "user"
}

/// Of a conversation's attributes the one that names lanka's ticket: the others change.
fn attributes(conversation: &Value) -> Value {
    json!({ "lanka_ticket": named(conversation) })
}

/// lanka's id of a conversation's ticket.
fn named(conversation: &Value) -> Option<String> {
    json::text(conversation.get("custom_attributes")?, "lanka_ticket")
}

/// The media type of a file by the end of its name: Chatwoot says `image` or `file`, and no more.
fn media_type_of(name: &str) -> &'static str {
    const KNOWN: [(&str, &str); 12] = [
        ("jpg", "image/jpeg"),
        ("jpeg", "image/jpeg"),
        ("png", "image/png"),
        ("gif", "image/gif"),
        ("webp", "image/webp"),
        ("pdf", "application/pdf"),
        ("mp4", "video/mp4"),
        ("mp3", "audio/mpeg"),
        ("ogg", "audio/ogg"),
        ("m4a", "audio/mp4"),
        ("txt", "text/plain"),
        ("csv", "text/csv"),
    ];
    let end = name.rsplit_once('.').map(|(_, end)| end.to_lowercase()).unwrap_or_default();
    KNOWN.iter().find(|(known, _)| *known == end).map_or("application/octet-stream", |(_, kind)| kind)
}

fn attachments(body: &Value) -> Vec<Attachment> {
    let files = json::elements(body, "attachments").iter().take(REPLY_FILES_MAX);
    let read = files.filter_map(|file| {
        let url = json::filled(file, "data_url")?;
        let name =
            url.split(['?', '#']).next().and_then(|path| path.rsplit('/').next()).filter(|name| !name.is_empty());
        let media_type = media_type_of(name.unwrap_or_default());
        Some(Attachment {
            name: name.map(str::to_owned),
            media_type: media_type.to_owned(),
            source: AttachmentSource::Remote(Remote::at(url)),
            inline: false,
        })
    });
    read.collect()
}
