//! Request Tracker, by its REST 2 interface (docs.bestpractical.com/rt/5.0/RT/REST2.html), as RT 5.0.3 answers.
//!
//! A ticket of lanka's is a ticket of RT's, found again by a custom field (`lanka` by default) that holds lanka's id: RT sets it with
//! the ticket, in one transaction. A message is a reply (`correspond`), a note a comment; the subject of either is
//! `lanka:` with the message's id and state, which RT stores as the transaction's `Data` together with it. So each step looks
//! first whether it was done: a lost answer, or a killed daemon, puts nothing there twice.
//!
//! RT believes no status code: PUT answers 200 whatever it did. What matters is read again.
//!
//! **What agents do there** is asked for (RT calls nobody): replies, comments and changes of status by privileged users. RT gives
//! out the ids of transactions before they are visible, in no order: each look reads again what is near the last one, and
//! passes over what it has.
//!
//! A queue of lanka's is a queue of RT's (`queues`), high urgency the priority 80, waiting for the customer the status `stalled` (or
//! `awaited`), kinds of matter a custom field of lanka's own (`kind_field`). Queue and priority follow as long as nobody else set them
//! last, which the ticket's transactions tell.
//!
//! **Not carried:** who owns a ticket, and a split after two tickets were merged (RT cannot take a merge back: what was said goes
//! on in the joined ticket there). Of a person who is erased RT is told; it shreds on its own administrator's word only.
//!
//! **Invariants:** what the account of lanka's own wrote is never read back. No telephone number and no name is ever given as
//! a requestor: RT takes digits for the number of one of its principals.

use super::{
    Built, Inbound, Kind, Link, Listener, Look, Mirror, Outgoing, PollSource, Poller, Redacted, Reply, SettingsProblem,
    Setup, Step,
};
use crate::pure::domain::Timestamp;
use crate::pure::domain::answer::{Answer, GivenIn, OnTicket};
use crate::pure::domain::id::ContactId;
use crate::pure::domain::message::{
    Attachment, AttachmentSource, Auto, Content, Direction, Incoming, Mark, Parsed, Progress, RawEvent, What,
};
use crate::pure::domain::outbox::{Change, ContactView, LinkedKind, MessageView, Post};
use crate::pure::domain::secret::Secret;
use crate::pure::wire::automatic;
use crate::pure::wire::batch::Batch;
use crate::pure::wire::settings::read_kind;
use crate::pure::wire::{article, endpoint, html, json, mail_write, redact, shown};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json as object};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// This file's entry in the list of mirrors.
pub const KIND: Kind = Kind { name: NAME, build };

const NAME: &str = "rt";

/// Longest subject of a ticket: RT cuts at 200 bytes.
const TITLE_CHARS_MAX: usize = 60;

/// Transactions that are read again at each look: those whose ids were given out before, and were not visible yet.
const OVERLAP: u64 = 200;

/// Transactions taken at one look, and parts of one that are read.
const TAKEN_MAX: usize = 20;
const PARTS_MAX: usize = 20;

/// Rows of a page: RT gives no more.
const PAGE_ROWS: &str = "100";

/// The mirror's table in the configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Where RT is: `https://rt.example.fi`.
    url: String,
    /// A token of lanka's own account (Logged in as … > Settings > Auth Tokens).
    token: Secret,
    /// The name of that account: what it wrote is not read back.
    user: String,
    /// The queue that tickets are made in. RT must mail nobody from it.
    queue: String,
    /// The queues of RT's for those of lanka's, by the latter; all others are in `queue`.
    #[serde(default)]
    queues: BTreeMap<String, String>,
    /// A custom field of tickets for the kinds of their matter, which lanka keeps.
    #[serde(default)]
    kind_field: Option<String>,
    /// The custom field of tickets that holds lanka's id.
    #[serde(default = "field")]
    field: String,
    /// The status of a closed ticket.
    #[serde(default = "closed")]
    closed: String,
    /// The status of an open one.
    #[serde(default = "open")]
    open: String,
    /// The status of one on which the desk waits for the customer.
    #[serde(default = "awaited")]
    awaited: String,
    /// Between two looks at what agents did, in seconds.
    #[serde(default = "poll_interval_s")]
    poll_interval_s: u64,
    /// Longest time one request may take, in seconds.
    #[serde(default = "timeout_s")]
    timeout_s: u64,
    /// Allows `http` beyond this machine, where customers' data can be read on the way.
    #[serde(default)]
    insecure_http: bool,
}

fn field() -> String {
    "lanka".to_owned()
}
fn closed() -> String {
    "resolved".to_owned()
}
fn open() -> String {
    "open".to_owned()
}
fn awaited() -> String {
    "stalled".to_owned()
}
fn poll_interval_s() -> u64 {
    15
}
fn timeout_s() -> u64 {
    30
}

fn build(setup: &Setup<'_>, table: toml::Table) -> Result<Built, Vec<SettingsProblem>> {
    let (settings, mut problems) = read_kind::<Settings>(table)?;
    let insecure_http = settings.insecure_http || !problems.none_at("insecure_http");
    if let Some(message) = endpoint::problem(&settings.url, insecure_http, setup.allow_private_addresses) {
        problems.add("url", message);
    }
    let kind_field = settings.kind_field.iter().map(|field| ("kind_field".to_owned(), field));
    let queues = settings.queues.iter().map(|(queue, of)| (format!("queues.{queue}"), of));
    let more: Vec<(String, &String)> = kind_field.chain(queues).collect();
    for (key, value) in [
        ("user", &settings.user),
        ("queue", &settings.queue),
        ("field", &settings.field),
        ("closed", &settings.closed),
        ("open", &settings.open),
        ("awaited", &settings.awaited),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into_iter()
    .chain(more)
    {
        // They stand in RT's queries between quotes.
        if value.trim().is_empty() || value.chars().any(|c| c.is_control() || "'\"\\{}".contains(c)) {
            problems.add(key, "write the name as RT shows it, without quotes, backslashes and braces");
        }
    }
    for (key, value, max) in
        [("poll_interval_s", settings.poll_interval_s, 3600), ("timeout_s", settings.timeout_s, 60)]
    {
        if !(1..=max).contains(&value) {
            problems.add(key, format!("write between 1 and {max} seconds"));
        }
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let tool = Arc::new(Rt { name: setup.name.to_owned(), settings });
    let poll = PollSource { poller: tool.clone(), is_called: false };
    let inbound = Inbound { listener: Box::new(Agents(tool.clone())), poll: Some(poll) };
    Ok(Built { mirror: Box::new(Tickets(tool)), inbound: Some(inbound) })
}

/// RT, as configured.
struct Rt {
    name: String,
    settings: Settings,
}

impl Rt {
    fn request(&self, method: &'static str, path: &[&str], query: &[(&str, &str)], body: Option<&Value>) -> Outgoing {
        let mut url = self.settings.url.trim_end_matches('/').to_owned() + "/REST/2.0";
        if let Ok(mut parsed) = Url::parse(&url) {
            if let Ok(mut segments) = parsed.path_segments_mut() {
                segments.extend(path);
            }
            if !query.is_empty() {
                parsed.query_pairs_mut().extend_pairs(query);
            }
            url = parsed.into();
        }
        let headers = vec![
            ("authorization".to_owned(), format!("token {}", self.settings.token.expose())),
            ("content-type".to_owned(), "application/json".to_owned()),
            ("accept".to_owned(), "application/json".to_owned()),
        ];
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        Outgoing { url, method, headers, body, timeout: Duration::from_secs(self.settings.timeout_s) }
    }

    /// What a queue is in RT.
    fn queue(&self, queue: Option<&str>) -> &str {
        queue.and_then(|queue| self.settings.queues.get(queue)).unwrap_or(&self.settings.queue)
    }

    fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Outgoing {
        self.request("GET", path, query, None)
    }
}

/// What an answer means that is not what was asked for; `None` when it is.
fn refusal(reply: &Reply) -> Option<Step> {
    let why = format!("RT answers {}", reply.status);
    let after = reply.retry_after_s.map(Duration::from_secs);
    match reply.status {
        200..=299 => None,
        401 => Some(Step::Retry { after, why: format!("{why}: its token is refused, look at token") }),
        403 => Some(Step::Retry { after, why: format!("{why}: the account lacks a right, or there is no such queue") }),
        _ => Some(Step::Retry { after, why }),
    }
}

fn body(reply: &Reply) -> Value {
    json::read(reply.body.as_bytes()).unwrap_or(Value::Null)
}

/// The half that writes.
struct Tickets(Arc<Rt>);

/// The ticket's id in RT, and the replies that are left.
type Found<'a> = (String, &'a [Reply]);

impl Mirror for Tickets {
    fn shows_files(&self) -> bool {
        true
    }

    fn next(&self, post: &Post, replies: &[Reply], _now: Timestamp) -> Step {
        let is_empty = matches!(post.change, Change::AnswerDue | Change::ContactMerged | Change::ContactSplit);
        if is_empty {
            return Step::Done(Vec::new());
        }
        let (id, rest) = match self.ticket(post, replies) {
            Ok(found) => found,
            Err(step) => return step,
        };
        let step = match post.change {
            Change::MessageAdded | Change::MessageUpdated | Change::MessageMoved => self.message(post, &id, rest),
            Change::TicketClosed => self.status(&id, &self.0.settings.closed, rest),
            Change::TicketReopened => self.status(&id, &self.0.settings.open, rest),
            Change::TicketAwaited if post.ticket.awaited_since.is_some() => {
                self.status(&id, &self.0.settings.awaited, rest)
            }
            Change::TicketResumed if post.ticket.awaited_since.is_none() => self.resumed(&id, rest),
            Change::TicketRouted => self.routed(post, &id, rest),
            Change::TicketTriaged => self.triaged(post, &id, rest),
            Change::TicketAwaited | Change::TicketResumed => Step::Done(Vec::new()),
            Change::TicketMerged => self.merge(post, &id, rest),
            Change::TicketAssigned => {
                self.note(&id, &format!("lanka:o.{}", post.id), &shown::owner(&post.ticket), rest)
            }
            Change::ClockWarned | Change::ClockBreached => {
                self.note(&id, &format!("lanka:k.{}", post.id), &shown::clock(post), rest)
            }

            Change::IncidentLinked | Change::ContactAgain => {
                self.note(&id, &format!("lanka:i.{}", post.id), &shown::recurring(post), rest)
            }
            Change::SuggestionMade => {
                let suggestion = post.detail["suggestion"].as_str().unwrap_or_default();
                let why = post.detail["why"].as_str().unwrap_or_default();
                let text = format!(
                    "Perhaps this belongs together with another: {why}\n\n`lanka review accept {suggestion}` or `lanka review reject {suggestion}`."
                );
                self.note(&id, &format!("lanka:s.{suggestion}"), &text, rest)
            }
            Change::AnswersOffered => match article::offered(post) {
                Some(text) => self.note(&id, &format!("lanka:r.{}", post.id), &text, rest),
                None => Step::Done(Vec::new()),
            },
            Change::ContactErased => {
                let key = format!("lanka:e.{}", post.id);
                let text = "A person on this ticket was erased. What RT keeps of him is for its administrator to shred (rt-shredder).";
                self.note(&id, &key, text, rest)
            }
            Change::TicketOpened | Change::ContactMerged | Change::ContactSplit | Change::AnswerDue => {
                Step::Done(Vec::new())
            }
        };
        match step {
            Step::Done(mut links) => {
                links.push(Link { kind: LinkedKind::Ticket, object: post.ticket.id.0, remote: id });
                Step::Done(links)
            }
            other => other,
        }
    }

    fn queues(&self) -> Vec<(String, String)> {
        let queues = self.0.settings.queues.keys();
        queues.map(|queue| (format!("queues.{queue}"), queue.clone())).collect()
    }

    fn probe(&self) -> Option<Outgoing> {
        Some(self.0.get(&["rt"], &[]))
    }
}

impl Tickets {
    /// The ticket in RT: known, found by its field, or made. What is still to be asked is the error.
    fn ticket<'r>(&self, post: &Post, replies: &'r [Reply]) -> Result<Found<'r>, Step> {
        if let Some(known) = post.links.of(LinkedKind::Ticket, post.ticket.id.0) {
            return Ok((known.to_owned(), replies));
        }
        let Some((looked, rest)) = replies.split_first() else {
            let query = format!("'CF.{{{}}}'='{}' AND EffectiveId > 0", self.0.settings.field, post.ticket.id);
            let asked = [("query", query.as_str()), ("fields", "EffectiveId"), ("orderby", "id"), ("per_page", "1")];
            return Err(Step::Send(self.0.get(&["tickets"], &asked)));
        };
        if let Some(step) = refusal(looked) {
            return Err(step);
        }
        if let Some(found) = json::elements(&body(looked), "items").first() {
            let id = json::id(found, "EffectiveId").or_else(|| json::id(found, "id")).unwrap_or_default();
            return Ok((id, rest));
        }
        self.made(post, rest)
    }

    /// Makes the ticket: first its requestor, where he has no mail address by which RT makes him itself.
    fn made<'r>(&self, post: &Post, replies: &'r [Reply]) -> Result<Found<'r>, Step> {
        let customer = post.ticket.participants.first();
        let mail = customer.and_then(mail_address);
        let mut rest = replies;
        if let (Some(customer), None) = (customer, mail) {
            let Some((made, left)) = rest.split_first() else { return Err(self.make_user(customer)) };
            // 400: he is there already.
            if made.status != 400
                && let Some(step) = refusal(made)
            {
                return Err(step);
            }
            rest = left;
        }
        let requestor = mail.map(str::to_owned).or_else(|| customer.map(|customer| user_name(customer.id)));
        let Some((made, left)) = rest.split_first() else {
            let mut fields = object!({ self.0.settings.field.clone(): post.ticket.id.to_string() });
            if let Some(field) = &self.0.settings.kind_field {
                fields[field] = post.ticket.kind.join(", ").into();
            }
            let mut ticket = object!({
                "Queue": self.0.queue(post.ticket.queue.as_deref()),
                "Subject": mail_write::line(&post.ticket.title, TITLE_CHARS_MAX),
                "CustomFields": fields,
                "Priority": priority(&post.ticket.priority),
            });
            if let Some(requestor) = requestor {
                ticket["Requestor"] = requestor.into();
            }
            return Err(Step::Send(self.0.request("POST", &["ticket"], &[], Some(&ticket))));
        };
        if let Some(step) = refusal(made) {
            return Err(step);
        }
        match json::id(&body(made), "id") {
            Some(id) => Ok((id, left)),
            None => Err(Step::Retry { after: None, why: "RT's answer names no ticket".to_owned() }),
        }
    }

    fn make_user(&self, customer: &ContactView) -> Step {
        let phone = customer.identities.iter().find_map(|identity| identity.strip_prefix("tel:"));
        let name = mail_write::line(customer.name.as_deref().unwrap_or_default(), TITLE_CHARS_MAX);
        let mut user =
            object!({ "Name": user_name(customer.id), "RealName": name, "Comments": "A customer known to lanka" });
        if let Some(phone) = phone {
            user["MobilePhone"] = phone.into();
        }
        Step::Send(self.0.request("POST", &["user"], &[], Some(&user)))
    }

    /// A message in its present state: a reply or a comment the first time, a comment when it has changed since.
    fn message(&self, post: &Post, id: &str, replies: &[Reply]) -> Step {
        let Some(message) = &post.message else { return Step::Done(Vec::new()) };
        if message.ticket != Some(post.ticket.id) {
            return self.left(post, message, id, replies);
        }
        let is_failed = message.progress == Some(Progress::Failed);
        if post.links.of(LinkedKind::Message, message.id.0).is_some() && !is_failed {
            // It was written there.
            return Step::Done(Vec::new());
        }
        let first = format!("lanka:{}.", message.id);
        let key = format!("{first}{}", &shown::state(&post.ticket, message)[..8]);
        let Some((looked, rest)) = replies.split_first() else { return self.look_for(id, &first) };
        if let Some(step) = refusal(looked) {
            return step;
        }
        let known = body(looked);
        let known: Vec<&str> =
            json::elements(&known, "items").iter().filter_map(|item| item["Data"].as_str()).collect();
        if known.iter().any(|data| data.trim_end() == key) {
            return Step::Done(Vec::new());
        }
        match rest.last() {
            None => self.say(id, &key, post, message, !known.is_empty()),
            Some(said) => refusal(said).unwrap_or(Step::Done(Vec::new())),
        }
    }

    /// What is on another ticket now stays where it was shown, with a word where it went.
    fn left(&self, post: &Post, message: &MessageView, id: &str, replies: &[Reply]) -> Step {
        if post.change != Change::MessageMoved {
            return Step::Done(Vec::new());
        }
        let time = message.occurred_at.strftime("%Y-%m-%d %H:%M UTC");
        let text =
            format!("The message of {time} on {} belongs to another ticket, and is shown there.", message.channel);
        self.note(id, &format!("lanka:m.{}", post.id), &text, replies)
    }

    fn look_for(&self, id: &str, key: &str) -> Step {
        let query = object!([{ "field": "Data", "operator": "STARTSWITH", "value": key }]).to_string();
        let asked = [("query", query.as_str()), ("fields", "Data"), ("per_page", PAGE_ROWS)];
        Step::Send(self.0.get(&["ticket", id, "history"], &asked))
    }

    fn say(&self, id: &str, key: &str, post: &Post, message: &MessageView, is_change: bool) -> Step {
        let is_note = is_change || message.marks.contains(&Mark::Internal);
        let files: Vec<Value> = post
            .files
            .iter()
            .filter(|file| !file.bytes.is_empty())
            .map(|file| {
                let name = file_name(&file.name);
                object!({ "FileName": name, "FileType": file.media_type, "FileContent": BASE64.encode(&file.bytes) })
            })
            .collect();
        let changed = if is_change { "This message has changed, and is now:\n" } else { "" };
        let text =
            format!("{changed}{}\n{}\n{}", shown::head(&post.ticket, message), message.text, shown::tail(message));
        let mut said = object!({ "Subject": key, "Content": text, "ContentType": "text/plain" });
        if !files.is_empty() {
            said["Attachments"] = files.into();
        }
        let verb = if is_note { "comment" } else { "correspond" };
        Step::Send(self.0.request("POST", &["ticket", id, verb], &[], Some(&said)))
    }

    /// A comment of lanka's own, once.
    fn note(&self, id: &str, key: &str, text: &str, replies: &[Reply]) -> Step {
        let Some((looked, rest)) = replies.split_first() else { return self.look_for(id, key) };
        if let Some(step) = refusal(looked) {
            return step;
        }
        if !json::elements(&body(looked), "items").is_empty() {
            return Step::Done(Vec::new());
        }
        match rest.last() {
            None => {
                let said = object!({ "Subject": key, "Content": text, "ContentType": "text/plain" });
                Step::Send(self.0.request("POST", &["ticket", id, "comment"], &[], Some(&said)))
            }
            Some(said) => refusal(said).unwrap_or(Step::Done(Vec::new())),
        }
    }

    /// Sets the status, and reads it again: RT says 200 whatever it did.
    fn status(&self, id: &str, status: &str, replies: &[Reply]) -> Step {
        let look = || Step::Send(self.0.get(&["ticket", id], &[("fields", "Status")]));
        let stands = |reply: &Reply| json::text(&body(reply), "Status").as_deref() == Some(status);
        match replies {
            [] => look(),
            [reply] | [_, _, reply] | [_, reply] if refusal(reply).is_some() => {
                refusal(reply).unwrap_or(Step::Done(Vec::new()))
            }
            [before] if stands(before) => Step::Done(Vec::new()),
            [_] => Step::Send(self.0.request("PUT", &["ticket", id], &[], Some(&object!({ "Status": status })))),
            [_, _] => look(),
            [_, _, after, ..] if stands(after) => Step::Done(Vec::new()),
            _ => Step::Reject {
                why: "RT does not set the status: look at its lifecycle, and the account's rights".to_owned(),
            },
        }
    }

    /// The ticket is work again, if it only waited.
    fn resumed(&self, id: &str, replies: &[Reply]) -> Step {
        match replies {
            [] => Step::Send(self.0.get(&["ticket", id], &[("fields", "Status")])),
            [before, ..] if refusal(before).is_some() => refusal(before).unwrap_or(Step::Done(Vec::new())),
            [before, ..] if !is(&body(before), "Status", &self.0.settings.awaited) => Step::Done(Vec::new()),
            _ => self.status(id, &self.0.settings.open, replies),
        }
    }

    /// The ticket goes to the queue that is lanka's, unless an agent put it elsewhere in RT since; by hand it does so all the same.
    fn routed(&self, post: &Post, id: &str, replies: &[Reply]) -> Step {
        let wanted = self.0.queue(post.ticket.queue.as_deref());
        let is_by_hand = post.detail.get("put").is_some();
        self.set(id, ("Queue", &object!(wanted)), is_by_hand, replies)
    }

    /// Urgency and kinds follow, unless an agent set the priority in RT since.
    fn triaged(&self, post: &Post, id: &str, replies: &[Reply]) -> Step {
        let (was, is) = (post.detail["priority"]["from"].as_str().unwrap_or_default(), &post.ticket.priority);
        let rest = match priority(was) == priority(is) {
            true => replies,
            false => match self.set(id, ("Priority", &object!(priority(is))), false, replies) {
                Step::Done(_) => {
                    let is_left = replies.first().is_some_and(|last| self.is_anothers(last));
                    replies.get(if is_left { 1 } else { SET_REPLIES }..).unwrap_or_default()
                }
                step => return step,
            },
        };
        let (Some(field), []) = (&self.0.settings.kind_field, rest) else { return Step::Done(Vec::new()) };
        let fields = object!({ "CustomFields": { field.clone(): post.ticket.kind.join(", ") } });
        Step::Send(self.0.request("PUT", &["ticket", id], &[], Some(&fields)))
    }

    /// Sets a field that nobody but lanka set last: who did is told by the ticket's transactions.
    fn set(&self, id: &str, (field, value): (&str, &Value), is_by_hand: bool, replies: &[Reply]) -> Step {
        if let Some(step) = replies.iter().find_map(refusal) {
            return step;
        }
        match replies {
            [] => {
                let query = format!("ObjectType='RT::Ticket' AND ObjectId={id} AND Type='Set' AND Field='{field}'");
                let asked = [
                    ("query", query.as_str()),
                    ("orderby", "id"),
                    ("order", "DESC"),
                    ("per_page", "1"),
                    ("fields", "Creator"),
                ];
                Step::Send(self.0.get(&["transactions"], &asked))
            }
            [last] if !is_by_hand && self.is_anothers(last) => Step::Done(Vec::new()),
            [_] => Step::Send(self.0.request("PUT", &["ticket", id], &[], Some(&object!({ field: value })))),
            _ => Step::Done(Vec::new()),
        }
    }

    /// Whether the last transaction of a list is somebody else's than lanka's.
    fn is_anothers(&self, list: &Reply) -> bool {
        let list = body(list);
        let last = json::elements(&list, "items").first().and_then(|last| json::id(&last["Creator"], "id"));
        last.is_some_and(|creator| creator != self.0.settings.user && creator != SYSTEM)
    }

    /// The ticket that stays takes the other in, in its own lane.
    fn merge(&self, post: &Post, id: &str, replies: &[Reply]) -> Step {
        let other = post.other_ticket.filter(|_| post.ticket.merged_into.is_none());
        let other = other.and_then(|other| post.links.of(LinkedKind::Ticket, other.0)).filter(|other| *other != id);
        let Some(other) = other else { return Step::Done(Vec::new()) };
        let look = || Step::Send(self.0.get(&["ticket", other], &[]));
        let is_merged = |reply: &Reply| json::id(&body(reply), "id").as_deref() == Some(id);
        match replies {
            [] => look(),
            [reply] | [_, reply] | [_, _, reply] if refusal(reply).is_some() => {
                refusal(reply).unwrap_or(Step::Done(Vec::new()))
            }
            [before] if is_merged(before) => Step::Done(Vec::new()),
            [_] => Step::Send(self.0.request("PUT", &["ticket", other], &[], Some(&object!({ "MergeInto": id })))),
            [_, _] => look(),
            [_, _, after, ..] if is_merged(after) => Step::Done(Vec::new()),
            _ => Step::Reject { why: "RT does not merge the two tickets: look at the account's rights".to_owned() },
        }
    }
}

/// Replies that setting a field takes.
const SET_REPLIES: usize = 2;

/// How urgent something is, as RT counts it.
fn priority(word: &str) -> i64 {
    if word == "high" { 80 } else { 0 }
}

/// The mail address of a customer that RT takes.
fn mail_address(customer: &ContactView) -> Option<&str> {
    let mut addresses = customer.identities.iter().filter_map(|identity| identity.strip_prefix("mailto:"));
    addresses.find(|address| address.is_ascii() && address.len() <= 120)
}

/// What a customer without one is called in RT: a name that is no number, address or group.
fn user_name(customer: ContactId) -> String {
    format!("lanka-{customer}")
}

/// A name of a file as RT takes it in JSON (RFC 2047, where it is not ASCII).
fn file_name(name: &str) -> String {
    let name = mail_write::line(name, 100);
    if name.is_ascii() { name } else { format!("=?UTF-8?B?{}?=", BASE64.encode(&name)) }
}

/// Where the last look ended.
#[derive(Debug, Default, serde::Serialize, Deserialize)]
struct Cursor {
    /// The greatest transaction seen.
    last: u64,
    /// Those within the overlap that were taken.
    taken: BTreeSet<u64>,
}

impl Poller for Rt {
    fn interval(&self) -> Duration {
        Duration::from_secs(self.settings.poll_interval_s)
    }

    fn look(&self, cursor: Option<&Value>, replies: &[Reply], _now: Timestamp) -> Look {
        let before: Option<Cursor> = cursor.and_then(|cursor| serde_json::from_value(cursor.clone()).ok());
        let Some((page, rest)) = replies.split_first() else { return self.ask_page(before.as_ref()) };
        if let Some(Step::Retry { why, .. } | Step::Reject { why }) = refusal(page) {
            return Look::Later(why);
        }
        let page = body(page);
        if !page["items"].is_array() {
            return Look::Later("RT's answer is no list of transactions".to_owned());
        }
        let rows: Vec<(u64, &Value)> = json::elements(&page, "items")
            .iter()
            .filter_map(|row| Some((json::id(row, "id")?.parse().ok()?, row)))
            .collect();
        let last = rows.iter().map(|(id, _)| *id).max().unwrap_or_default();
        let Some(before) = before else {
            // What was before is history.
            let first = Cursor { last, taken: rows.iter().map(|(id, _)| *id).collect() };
            return Look::Found { bodies: Vec::new(), cursor: object!(first), is_more: false };
        };
        let mut new: Vec<&(u64, &Value)> = rows.iter().filter(|(id, _)| !before.taken.contains(id)).collect();
        new.sort_by_key(|(id, _)| *id);
        let is_more = new.len() > TAKEN_MAX || rows.len() >= 100;
        new.truncate(TAKEN_MAX);
        let mut asking = Asking { rt: self, replies: rest, creators: BTreeMap::new() };
        let mut bodies = Vec::with_capacity(new.len());
        for (id, row) in &new {
            match asking.read(*id, row) {
                Ok(None) => {}
                Ok(Some(body)) => bodies.push(body.to_string().into_bytes()),
                Err(look) => return look,
            }
        }
        let mut taken: BTreeSet<u64> = before.taken.iter().copied().chain(new.iter().map(|(id, _)| *id)).collect();
        let last = new.iter().map(|(id, _)| *id).max().unwrap_or(before.last).max(before.last);
        taken.retain(|id| *id > last.saturating_sub(OVERLAP));
        Look::Found { bodies, cursor: object!(Cursor { last, taken }), is_more }
    }
}

impl Rt {
    fn ask_page(&self, before: Option<&Cursor>) -> Look {
        let Settings { queue, queues, user, .. } = &self.settings;
        let all: BTreeSet<&String> = queues.values().chain([queue]).collect();
        let all: Vec<String> = all.into_iter().map(|queue| format!("TicketQueue='{queue}'")).collect();
        let (queue, is_queue) = match all.as_slice() {
            [one] => (one.clone(), ""),
            several => (format!("({})", several.join(" OR ")), " OR (Type='Set' AND Field='Queue')"),
        };
        let mine = format!(
            "ObjectType='RT::Ticket' AND {queue} AND Creator!='{user}' AND (Type='Correspond' OR Type='Comment' OR Type='Status' OR (Type='{OWNER}' AND Field='Owner'){is_queue})"
        );
        let (query, order) = match before {
            Some(before) => (format!("{mine} AND id > {}", before.last.saturating_sub(OVERLAP)), "ASC"),
            None => (mine, "DESC"),
        };
        let asked = [
            ("query", query.as_str()),
            ("orderby", "id"),
            ("order", order),
            ("per_page", PAGE_ROWS),
            ("fields", "Type,ObjectId,Creator,Created,Field,OldValue,NewValue,Data"),
        ];
        Look::Send(self.get(&["transactions"], &asked))
    }
}

/// A look that goes on from one transaction to the next, as far as the replies reach.
struct Asking<'a> {
    rt: &'a Rt,
    replies: &'a [Reply],
    /// Users that were asked for, by their names.
    creators: BTreeMap<String, Value>,
}

impl Asking<'_> {
    /// What was answered, or the request that is to be sent.
    fn take(&mut self, path: &[&str], query: &[(&str, &str)]) -> Result<Value, Look> {
        let Some((reply, rest)) = self.replies.split_first() else { return Err(Look::Send(self.rt.get(path, query))) };
        self.replies = rest;
        match reply.status {
            200..=299 => Ok(body(reply)),
            404 => Ok(Value::Null),
            status => Err(Look::Later(format!("RT answers {status} where a message should be"))),
        }
    }

    /// A transaction with who made it, and what a reply or comment says; `None` for what is no agent's.
    fn read(&mut self, id: u64, row: &Value) -> Result<Option<Value>, Look> {
        let name = json::id(&row["Creator"], "id").unwrap_or_default();
        if name.is_empty() || name == SYSTEM || name == self.rt.settings.user {
            return Ok(None);
        }
        if !self.creators.contains_key(&name) {
            let creator = self.take(&["user", &name], &[])?;
            self.creators.insert(name.clone(), creator);
        }
        let known = &self.creators[&name];
        let creator = object!({ "name": name, "real_name": known["RealName"], "privileged": known["Privileged"] });
        // Customers write to RT by mail too, and are no agents.
        if json::id(known, "Privileged").as_deref() != Some("1") {
            return Ok(None);
        }
        let mut owner = Value::Null;
        if row["Type"] == OWNER {
            let user = self.take(&["user", &json::id(row, "NewValue").unwrap_or_default()], &[])?;
            owner = object!({ "name": user["Name"], "real_name": user["RealName"] });
        }
        let mut queue = Value::Null;
        if row["Type"] == "Set" && row["Field"] == "Queue" {
            let known = self.take(&["queue", &json::id(row, "NewValue").unwrap_or_default()], &[])?;
            queue = known["Name"].clone();
        }
        let (mut parts, mut is_automatic) = (Vec::new(), false);
        if matches!(row["Type"].as_str(), Some("Correspond" | "Comment")) {
            let id = id.to_string();
            let asked = [("fields", "ContentType,Filename,ContentLength,Headers"), ("per_page", PAGE_ROWS)];
            let list = self.take(&["transaction", &id, "attachments"], &asked)?;
            for part in json::elements(&list, "items").iter().take(PARTS_MAX) {
                is_automatic |= part["Headers"].as_str().is_some_and(automatic::is_said_in);
                let is_frame = part["ContentType"].as_str().is_some_and(|kind| kind.starts_with("multipart/"));
                if let Some(part) = json::id(part, "id").filter(|_| !is_frame) {
                    let part = self.take(&["attachment", &part], &[])?;
                    let told = ["ContentType", "Filename", "Content"].map(|key| (key.to_owned(), part[key].clone()));
                    parts.push(Value::Object(told.into_iter().collect()));
                }
            }
        }
        let told =
            ["id", "Type", "ObjectId", "Created", "OldValue", "NewValue"].map(|key| (key.to_owned(), row[key].clone()));
        let transaction = Value::Object(told.into_iter().collect());
        let mut body = object!({ "transaction": transaction, "creator": creator, "parts": parts });
        if is_automatic {
            body["automatic"] = true.into();
        }
        if !owner.is_null() {
            body["owner"] = owner;
        }
        if !queue.is_null() {
            body["queue"] = queue;
        }
        Ok(Some(body))
    }
}

/// The type of the transactions that give a ticket to somebody (RT 5 counts the owner among its watchers).
const OWNER: &str = "SetWatcher";

/// The account that has the tickets which nobody has.
const NOBODY: &str = "Nobody";

/// RT's own account, which opens tickets and the like.
const SYSTEM: &str = "RT_System";

/// The half that reads.
struct Agents(Arc<Rt>);

impl Listener for Agents {
    fn parse(&self, event: &RawEvent) -> Parsed {
        match json::read(&event.body) {
            Ok(body) => self.batch(&body).finish(),
            Err(fault) => Parsed { items: Vec::new(), faults: vec![fault] },
        }
    }

    fn redact(&self, event: &RawEvent, item: u32) -> Option<Redacted> {
        redact::in_json(&event.body, item, |body| self.batch(body), |_, _| {})
    }
}

impl Agents {
    fn batch(&self, body: &Value) -> Batch {
        let mut batch = Batch::default();
        if batch.is_redacted(body) {
            return batch;
        }
        let transaction = &body["transaction"];
        let (Some(id), Some(ticket)) = (json::id(transaction, "id"), json::id(transaction, "ObjectId")) else {
            batch.fault("not_of_rt", "it is no transaction of a ticket");
            return batch;
        };
        let creator = &body["creator"];
        let name = json::text(creator, "name").unwrap_or_default();
        if name == self.0.settings.user || json::id(creator, "privileged").as_deref() != Some("1") {
            return batch;
        }
        let mut incoming = Incoming::new(format!("{NAME}:{}", self.0.name), id.clone());
        match transaction["Type"].as_str() {
            Some("Correspond") => {
                said(body, &mut incoming);
                // RT takes an agent's absence note for a reply of his.
                incoming.auto = (body["automatic"] == true).then_some(Auto::Generated);
            }
            Some("Comment") => {
                said(body, &mut incoming);
                incoming.marks.push(Mark::Internal);
            }
            Some("Status") if is(transaction, "NewValue", &self.0.settings.closed) => incoming.what = What::Close,
            Some("Status") if is(transaction, "NewValue", &self.0.settings.awaited) => incoming.what = What::Await,
            Some("Status") if is(transaction, "OldValue", &self.0.settings.closed) && !is_gone(transaction) => {
                incoming.what = What::Reopen;
            }
            Some("Status") if is(transaction, "OldValue", &self.0.settings.awaited) && !is_gone(transaction) => {
                incoming.what = What::Resume;
            }
            Some("Set") => {
                let name = json::text(body, "queue").unwrap_or_default();
                let queues = self.0.settings.queues.iter().filter(|(_, of)| **of == name);
                let queues: Vec<&str> = queues.map(|(queue, _)| queue.as_str()).collect();
                if queues.is_empty() {
                    return batch;
                }
                (incoming.what, incoming.content) = (What::Route, Content::Text(queues.join("\n")));
            }
            Some(OWNER) => {
                let owner = body.get("owner").unwrap_or(&Value::Null);
                let name = json::filled(owner, "real_name").or_else(|| json::filled(owner, "name"));
                let name = name.filter(|_| !is(owner, "name", NOBODY)).unwrap_or_default();
                (incoming.what, incoming.content) = (What::Assign, Content::Text(name));
            }
            _ => return batch,
        }
        let is_nothing = incoming.content.text().trim().is_empty() && incoming.attachments.is_empty();
        if incoming.what == What::Message && is_nothing {
            return batch;
        }
        incoming.variant = "transaction".to_owned();
        incoming.direction = Direction::FromAgent;
        incoming.sender.name = json::filled(creator, "real_name").or(Some(name));
        incoming.occurred_at = transaction.get("Created").and_then(json::timestamp);
        incoming.occurred_trusted = incoming.occurred_at.is_some();
        let on = OnTicket::Thread { mirror: self.0.name.clone(), remote: ticket };
        let given_in = Some(GivenIn { mirror: self.0.name.clone(), remote: Some(id) });
        incoming.answer = Some(Box::new(Answer { on, to: None, given_in, route: None, may_echo: false }));
        if incoming.what == What::Await && is(transaction, "OldValue", &self.0.settings.closed) {
            let opens = Incoming { what: What::Reopen, variant: "opens".to_owned(), ..incoming.clone() };
            batch.item(body, opens);
            // To be opened again ends what was waited for before.
            let at = incoming.occurred_at;
            incoming.occurred_at = at.and_then(|at| at.checked_add(jiff::SignedDuration::from_micros(1)).ok());
        }
        batch.item(body, incoming);
        batch
    }
}

fn is(of: &Value, key: &str, word: &str) -> bool {
    json::text(of, key).as_deref() == Some(word)
}

/// A ticket that is rejected or deleted is none that anybody works on.
fn is_gone(transaction: &Value) -> bool {
    ["rejected", "deleted"].into_iter().any(|status| is(transaction, "NewValue", status))
}

/// The words and files of a reply or comment.
fn said(event: &Value, incoming: &mut Incoming) {
    let (mut plain, mut laid_out) = (None, None);
    for part in json::elements(event, "parts") {
        let kind = json::text(part, "ContentType").unwrap_or_default().to_ascii_lowercase();
        let content = json::text(part, "Content").unwrap_or_default();
        let bytes: String = content.chars().filter(|c| !c.is_whitespace()).collect();
        let Ok(bytes) = BASE64.decode(bytes) else {
            incoming.marks.push(Mark::PartsDropped);
            continue;
        };
        match (json::filled(part, "Filename"), kind.as_str()) {
            (None, "text/plain") if plain.is_none() => plain = Some(String::from_utf8_lossy(&bytes).into_owned()),
            (None, "text/html") if laid_out.is_none() => laid_out = Some(String::from_utf8_lossy(&bytes).into_owned()),
            (name, _) => incoming.attachments.push(Attachment {
                name,
                media_type: kind,
                source: AttachmentSource::Inline(bytes.into()),
                inline: false,
            }),
        }
    }
    let text = plain.or_else(|| laid_out.map(|laid_out| html::to_text(&laid_out, TEXT_BYTES_MAX))).unwrap_or_default();
    incoming.content = Content::Text(text);
}

/// Most of a text that is read, bytes.
const TEXT_BYTES_MAX: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::id::{MessageId, OutboxId, RawEventId, TicketId};
    use crate::pure::domain::outbox::{Links, TicketView, samples};
    use uuid::Uuid;

    fn rt() -> Arc<Rt> {
        let settings = "kind_field = \"Kind\"\nqueues = { sales = \"Sales\", trade = \"Sales\" }\nurl = \"https://rt.example/base\"\nuser = \"lanka\"\nqueue = \"Support\"\ntoken = { \"\\u0001secret\" = \"1-2-3\" }";
        let table: toml::Table = settings.parse().unwrap();
        let (settings, _) = read_kind::<Settings>(table).unwrap();
        Arc::new(Rt { name: "helpdesk".to_owned(), settings })
    }

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn post(change: Change, links: &[(LinkedKind, Uuid, &str)], identities: &[&str]) -> Post {
        let at = "2026-03-03T08:00:00Z".parse().unwrap();
        let customer = ContactView {
            id: ContactId(id(5)),
            name: Some("Minna".to_owned()),
            identities: identities.iter().map(|&identity| identity.to_owned()).collect(),
        };
        let message = MessageView {
            id: MessageId(id(3)),
            ticket: Some(TicketId(id(1))),
            contact: Some(customer.id),
            occurred_at: at,
            ..samples::message("Moi")
        };
        let post = samples::post(change, Some(message));
        let ticket = TicketView {
            id: TicketId(id(1)),
            number: 7,
            title: "Moi".to_owned(),
            participants: vec![customer],
            ..post.ticket
        };
        Post {
            id: OutboxId(id(2)),
            sequence: 1,
            decided_at: at,
            ticket,
            other_ticket: Some(TicketId(id(9))),
            links: Links(links.iter().map(|(kind, id, remote)| (*kind, *id, (*remote).to_owned())).collect()),
            ..post
        }
    }

    fn reply(status: u16, body: &str) -> Reply {
        Reply { status, retry_after_s: None, body: body.to_owned() }
    }

    /// What comes next, in a line: `POST /ticket/7/comment`.
    fn next(post: &Post, replies: &[(u16, &str)]) -> String {
        let replies: Vec<Reply> = replies.iter().map(|(status, body)| reply(*status, body)).collect();
        match Tickets(rt()).next(post, &replies, "2026-03-03T08:00:00Z".parse().unwrap()) {
            Step::Send(outgoing) => {
                let path =
                    outgoing.url.strip_prefix("https://rt.example/base/REST/2.0").unwrap_or(&outgoing.url).to_owned();
                format!("{} {}", outgoing.method, path.split('?').next().unwrap_or_default())
            }
            Step::Done(links) => {
                format!("done {}", links.iter().map(|link| link.remote.as_str()).collect::<Vec<_>>().join(","))
            }
            Step::Retry { .. } => "retry".to_owned(),
            Step::Reject { .. } => "reject".to_owned(),
            Step::Mail(_) | Step::Mailbox(_) => "other".to_owned(),
        }
    }

    #[test]
    fn each_step_looks_before_it_writes() {
        let linked = [(LinkedKind::Ticket, id(1), "7"), (LinkedKind::Ticket, id(9), "8")];
        let (new, known) = (
            post(Change::MessageAdded, &[], &["mailto:minna@posti.example"]),
            post(Change::MessageAdded, &linked, &[]),
        );
        let nameless = post(Change::MessageAdded, &[], &["messenger:P1", "tel:+358401234567"]);
        let none = (200, r#"{"items": []}"#);
        let made = (201, r#"{"type": "ticket", "id": "7"}"#);
        let key = format!("lanka:{}.{}", id(3), &shown::state(&known.ticket, known.message.as_ref().unwrap())[..8]);
        let (same, other) = (
            format!(r#"{{"items": [{{"Data": "{key}\n"}}]}}"#),
            format!(r#"{{"items": [{{"Data": "lanka:{}.00000000\n"}}]}}"#, id(3)),
        );
        let (same, other) = ((200, same.as_str()), (200, other.as_str()));
        let said = (201, r#"["Correspondence added"]"#);
        type Row<'a> = (&'a str, &'a Post, Vec<(u16, &'a str)>, &'a str);
        let table: Vec<Row<'_>> = vec![
            ("is it there?", &new, vec![], "GET /tickets"),
            (
                "it is: killed after it was made",
                &new,
                vec![(200, r#"{"items": [{"id": "8", "EffectiveId": "7"}]}"#)],
                "GET /ticket/7/history",
            ),
            ("it is made", &new, vec![none], "POST /ticket"),
            ("a customer without mail is made first", &nameless, vec![none], "POST /user"),
            ("who is there already", &nameless, vec![none, (400, r#"{"message": "Name in use"}"#)], "POST /ticket"),
            ("made", &new, vec![none, made], "GET /ticket/7/history"),
            ("nothing is said yet", &known, vec![none], "POST /ticket/7/correspond"),
            ("it is said", &known, vec![none, said], "done 7"),
            ("it was said before", &known, vec![same], "done 7"),
            ("it has changed since", &known, vec![other], "POST /ticket/7/comment"),
            ("no such right", &known, vec![(403, "")], "retry"),
            ("a token that ran out", &known, vec![(401, "")], "retry"),
            ("RT is away", &known, vec![none, (502, "")], "retry"),
        ];
        for (name, post, replies, expected) in table {
            assert_eq!(next(post, &replies), expected, "{name}");
        }
    }

    #[test]
    fn what_rt_says_it_did_is_looked_at() {
        let linked = [(LinkedKind::Ticket, id(1), "7"), (LinkedKind::Ticket, id(9), "8")];
        let (closed, merged) = (post(Change::TicketClosed, &linked, &[]), post(Change::TicketMerged, &linked, &[]));
        let (is_open, is_closed) = ((200, r#"{"Status": "open"}"#), (200, r#"{"Status": "resolved"}"#));
        let (apart, joined) = ((200, r#"{"id": 8}"#), (200, r#"{"id": 7}"#));
        let sentence = (200, r#"["You may not"]"#);
        let late = post(Change::ClockBreached, &linked, &[]);
        let noted = format!(r#"{{"items": [{{"Data": "lanka:k.{}"}}]}}"#, late.id);
        let (nothing, told) = ((200, r#"{"items": []}"#), (200, noted.as_str()));
        type Row<'a> = (&'a Post, Vec<(u16, &'a str)>, &'a str);
        let table: Vec<Row<'_>> = vec![
            (&closed, vec![], "GET /ticket/7"),
            (&closed, vec![is_closed], "done 7"),
            (&closed, vec![is_open], "PUT /ticket/7"),
            (&closed, vec![is_open, sentence], "GET /ticket/7"),
            (&closed, vec![is_open, sentence, is_closed], "done 7"),
            (&closed, vec![is_open, sentence, is_open], "reject"),
            (&late, vec![], "GET /ticket/7/history"),
            (&late, vec![nothing], "POST /ticket/7/comment"),
            (&late, vec![nothing, (201, r#"["Comments added"]"#)], "done 7"),
            (&late, vec![told], "done 7"),
            (&merged, vec![], "GET /ticket/8"),
            (&merged, vec![apart], "PUT /ticket/8"),
            (&merged, vec![apart, sentence, joined], "done 7"),
            (&merged, vec![joined], "done 7"),
            (&merged, vec![apart, sentence, apart], "reject"),
        ];
        for (post, replies, expected) in table {
            assert_eq!(next(post, &replies), expected, "{:?} {replies:?}", post.change);
        }
    }

    #[test]
    fn fields_follow_unless_somebody_else_set_them_last() {
        let linked = [(LinkedKind::Ticket, id(1), "7")];
        let of = |change, detail: &str| {
            let mut post = post(change, &linked, &[]);
            post.detail = json::read(detail.as_bytes()).unwrap();
            (post.ticket.priority, post.ticket.queue) = ("high".to_owned(), Some("sales".to_owned()));
            (post.ticket.awaited_since, post.ticket.kind) = (None, vec!["problem".to_owned()]);
            post
        };
        let by_rule = of(Change::TicketRouted, r#"{"from": "support", "to": "sales"}"#);
        let by_hand = of(Change::TicketRouted, r#"{"from": "support", "to": "sales", "put": true}"#);
        let urgent = of(Change::TicketTriaged, r#"{"priority": {"from": "normal", "to": "high"}}"#);
        let of_kind = of(Change::TicketTriaged, r#"{"priority": {"from": "high", "to": "high"}}"#);
        let resumed = of(Change::TicketResumed, "{}");
        let mut awaited = of(Change::TicketAwaited, "{}");
        awaited.ticket.awaited_since = Some(Timestamp::UNIX_EPOCH);
        let nobody = (200, r#"{"items": []}"#);
        let lankas = (200, r#"{"items": [{"id": 9, "Creator": {"id": "lanka"}}]}"#);
        let agents = (200, r#"{"items": [{"id": 9, "Creator": {"id": "alice"}}]}"#);
        let (stalled, resolved) = ((200, r#"{"Status": "stalled"}"#), (200, r#"{"Status": "resolved"}"#));
        let set = (200, r#"["set"]"#);
        type Row<'a> = (&'a Post, Vec<(u16, &'a str)>, &'a str);
        let table: Vec<Row<'_>> = vec![
            (&by_rule, vec![], "GET /transactions"),
            (&by_rule, vec![nobody], "PUT /ticket/7"),
            (&by_rule, vec![lankas], "PUT /ticket/7"),
            (&by_rule, vec![agents], "done 7"),
            (&by_rule, vec![lankas, set], "done 7"),
            (&by_rule, vec![(403, "")], "retry"),
            (&by_hand, vec![agents], "PUT /ticket/7"),
            (&urgent, vec![lankas], "PUT /ticket/7"),
            (&urgent, vec![lankas, set], "PUT /ticket/7"),
            (&urgent, vec![lankas, set, set], "done 7"),
            (&urgent, vec![agents], "PUT /ticket/7"),
            (&urgent, vec![agents, set], "done 7"),
            (&of_kind, vec![], "PUT /ticket/7"),
            (&of_kind, vec![set], "done 7"),
            (&resumed, vec![stalled], "PUT /ticket/7"),
            (&resumed, vec![resolved], "done 7"),
            (&awaited, vec![stalled], "done 7"),
            (&awaited, vec![(200, r#"{"Status": "open"}"#)], "PUT /ticket/7"),
        ];
        for (post, replies, expected) in table {
            assert_eq!(next(post, &replies), expected, "{:?} {:?} {replies:?}", post.change, post.detail);
        }
    }

    #[test]
    fn agents_are_told_from_customers() {
        let event = |creator: &str, privileged: &str, kind: &str, value: &str, text: &str| {
            let parts = if text.is_empty() {
                Vec::new()
            } else {
                vec![object!({"ContentType": "text/plain", "Filename": "", "Content": BASE64.encode(text)})]
            };
            let (before, value) = value.split_once('>').unwrap_or(("", value));
            let body = object!({"transaction": {"id": "41", "Type": kind, "ObjectId": "7", "Created": "2026-03-03T08:00:00Z",
                    "OldValue": before, "NewValue": value},
                "creator": {"name": creator, "real_name": "Alice", "privileged": privileged},
                "owner": {"name": value, "real_name": if value == "bob" { "Bob" } else { "" }}, "parts": parts, "queue": text});
            let at = "2026-03-03T08:00:00Z".parse().unwrap();
            let (tenant, channel, kind, origin) =
                ("main".to_owned(), "helpdesk".to_owned(), NAME.to_owned(), String::new());
            let body = body.to_string().into_bytes().into();
            RawEvent { id: RawEventId(id(4)), tenant, channel, kind, received_at: at, trusted_at: None, origin, body }
        };
        let read = |event: &RawEvent| {
            let parsed = Agents(rt()).parse(event);
            let words = |incoming: &Incoming| {
                let internal = if incoming.marks.contains(&Mark::Internal) { " internal" } else { "" };
                let automatic = if incoming.auto.is_some() { " automatic" } else { "" };
                format!("{:?}{internal}{automatic} {}", incoming.what, incoming.content.text())
            };
            parsed.items.iter().map(words).collect::<Vec<_>>().join("; ")
        };
        let mut by_itself = event("alice", "1", "Correspond", "", "Lomalla");
        let mut told = json::read(&by_itself.body).unwrap();
        told["automatic"] = true.into();
        by_itself.body = told.to_string().into_bytes().into();
        let table = [
            (event("alice", "1", "Correspond", "", "Hei"), "Message Hei"),
            (event("alice", "1", "Comment", "", "Hei"), "Message internal Hei"),
            (event("alice", "1", "Status", "resolved", ""), "Close "),
            (event("alice", "1", "Status", "new>open", ""), ""),
            (event("alice", "1", "Status", "resolved>open", ""), "Reopen "),
            (event("alice", "1", "Status", "open>stalled", ""), "Await "),
            (event("alice", "1", "Status", "stalled>open", ""), "Resume "),
            (event("alice", "1", "Status", "stalled>resolved", ""), "Close "),
            (event("alice", "1", "Status", "resolved>stalled", ""), "Reopen ; Await "),
            (event("alice", "1", "Set", "1>2", "Sales"), "Route sales\ntrade"),
            (event("alice", "1", "Set", "2>3", "Elsewhere"), ""),
            (event("alice", "1", "Status", "resolved>deleted", ""), ""),
            (event("alice", "1", "SetWatcher", "Nobody>bob", ""), "Assign Bob"),
            (event("alice", "1", "SetWatcher", "bob>carol", ""), "Assign carol"),
            (event("alice", "1", "SetWatcher", "bob>Nobody", ""), "Assign "),
            (event("lanka", "1", "SetWatcher", "Nobody>bob", ""), ""),
            (event("alice", "1", "Correspond", "", ""), ""),
            (event("minna@posti.example", "0", "Correspond", "", "Hei"), ""),
            (event("lanka", "1", "Correspond", "", "Hei"), ""),
            (by_itself, "Message automatic Lomalla"),
        ];
        for (event, expected) in &table {
            assert_eq!(read(event), *expected, "{}", String::from_utf8_lossy(&event.body));
        }
    }

    #[test]
    fn absence_notes_are_told_from_replies() {
        let now = "2026-03-03T08:00:00Z".parse().unwrap();
        let page = reply(
            200,
            r#"{"items": [{"id": "9", "Type": "Correspond", "ObjectId": "7", "Creator": {"id": "alice"}}]}"#,
        );
        let alice = reply(200, r#"{"Name": "alice", "Privileged": 1}"#);
        let text = reply(200, r#"{"id": "5", "ContentType": "text/plain", "Content": "TG9tYWxsYQ=="}"#);
        let before = object!(Cursor { last: 8, taken: BTreeSet::new() });
        for (header, expected) in [
            ("From: alice@example.fi\nSubject: Re: Lamppu\nX-RT-Interface: Email\n", Value::Null),
            ("From: alice@example.fi\nAuto-Submitted: no\n", Value::Null),
            ("From: alice@example.fi\nAuto-Submitted: auto-replied\n", true.into()),
            ("From: alice@example.fi\nSubject: Poissa\nX-Auto-Response-Suppress: All\n\n", true.into()),
            ("From: alice@example.fi\nPrecedence: list\n", Value::Null),
            ("", Value::Null),
        ] {
            let list = object!({"items": [{"id": "5", "ContentType": "text/plain", "Headers": header}]});
            let replies = [page.clone(), alice.clone(), reply(200, &list.to_string()), text.clone()];
            let Look::Found { bodies, .. } = rt().look(Some(&before), &replies, now) else { panic!("{header}") };
            let body = json::read(&bodies[0]).unwrap();
            assert_eq!((&body["automatic"], body["parts"].as_array().map(Vec::len)), (&expected, Some(1)), "{header}");
        }
    }

    #[test]
    fn looks_overlap_and_take_each_once() {
        let rt = rt();
        let now = "2026-03-03T08:00:00Z".parse().unwrap();
        let page = |ids: &[u64]| {
            let rows: Vec<Value> = ids
                .iter()
                .map(|id| object!({"id": id.to_string(), "Type": "Status", "ObjectId": "7", "NewValue": "resolved", "Creator": {"id": "alice"}}))
                .collect();
            reply(200, &object!({ "items": rows }).to_string())
        };
        let alice = reply(200, r#"{"Name": "alice", "Privileged": 1}"#);
        let mut cursor = None;
        let mut taken = Vec::new();
        // 12 was given out before 13, and is visible later.
        for ids in [&[9, 10][..], &[9, 10, 11, 13], &[9, 10, 11, 12, 13], &[9, 10, 11, 12, 13]] {
            let Look::Found { bodies, cursor: next, .. } = rt.look(cursor.as_ref(), &[page(ids), alice.clone()], now)
            else {
                panic!()
            };
            let ids =
                bodies.iter().map(|body| json::read(body).unwrap()["transaction"]["id"].as_str().unwrap().to_owned());
            taken.push(ids.collect::<Vec<_>>().join(" "));
            cursor = Some(next);
        }
        assert_eq!(taken, ["", "11 13", "12", ""]);
        assert!(matches!(rt.look(cursor.as_ref(), &[reply(503, "")], now), Look::Later(_)));
        assert!(matches!(rt.look(cursor.as_ref(), &[reply(200, "<html>")], now), Look::Later(_)));
    }
}
