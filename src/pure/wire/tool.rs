//! Talking with a help desk over its API: requests one after another, and what agents did there on its way in.
//!
//! [`Talk`] lets a mirror be written straight through: what was asked before is answered from the replies so far, and the first
//! question without an answer is the next step. An attempt that broke off is begun again from the start, so that every
//! writing stands behind a look at what is there.
//!
//! **Invariants:** a sentence of a step holds no customer's data and no URL. What lanka itself wrote is known by its id or stamp,
//! never by its text.

use super::article::Standing;
use super::endpoint;
use super::poll::Look;
use super::settings::Problems;
use super::step::{Link, Outgoing, Patience, Reply, Step};
use crate::pure::domain::Timestamp;
use crate::pure::domain::answer::{Answer, CarriedFile, GivenIn, OnTicket};
use crate::pure::domain::message::{Attachment, AttachmentSource, Content, Direction, Incoming, Mark, Remote, What};
use crate::pure::domain::outbox::{Change, Post};
use crate::pure::domain::secret::Secret;
use crate::pure::domain::ticket::TicketState;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::time::Duration;

/// Longest time that one exchange with a tool may be given, in seconds. A claim on a row is put back after some minutes.
const TIMEOUT_S_MAX: u64 = 60;

/// Longest time between two looks, in seconds.
const POLL_INTERVAL_S_MAX: u64 = 3600;

/// The replies of an attempt, each given out once, in order.
pub struct Talk<'a> {
    replies: std::slice::Iter<'a, Reply>,
    bytes: usize,
}

impl<'a> Talk<'a> {
    /// The step after the replies so far, of what carries a change out from its beginning.
    pub fn step(replies: &'a [Reply], carry: impl FnOnce(&mut Self) -> Result<Vec<Link>, Step>) -> Step {
        carry(&mut Self::over(replies)).map_or_else(|step| step, Step::Done)
    }

    /// The same of a look.
    pub fn look(replies: &'a [Reply], look: impl FnOnce(&mut Self) -> Result<Look, Step>) -> Look {
        look(&mut Self::over(replies)).unwrap_or_else(Look::from)
    }

    fn over(replies: &'a [Reply]) -> Self {
        Self { replies: replies.iter(), bytes: 0 }
    }

    /// Bytes of the replies given out so far.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The answer to a request, or the request as the next step.
    ///
    /// # Errors
    /// [`Step::Send`] where there is no answer yet.
    pub fn ask(&mut self, request: impl FnOnce() -> Outgoing) -> Result<&'a Reply, Step> {
        let reply = self.replies.next().ok_or_else(|| Step::Send(request()))?;
        self.bytes += reply.body.len();
        Ok(reply)
    }
}

/// A tool's API.
#[derive(Clone)]
pub struct Api {
    /// What people call the tool, for sentences.
    pub name: &'static str,
    /// Address without a slash at its end.
    pub base: String,
    /// What shows who asks.
    pub headers: Vec<(String, String)>,
    /// Longest time of one exchange.
    pub timeout: Duration,
}

impl Api {
    /// A request with a body of some type.
    pub fn request(&self, method: &'static str, path: &str, content_type: &str, body: Vec<u8>) -> Outgoing {
        let mut headers = self.headers.clone();
        headers.push(("accept".to_owned(), "application/json".to_owned()));
        if method != "GET" {
            headers.push(("content-type".to_owned(), content_type.to_owned()));
        }
        Outgoing { url: format!("{}{path}", self.base), method, headers, body, timeout: self.timeout }
    }

    /// A request in JSON.
    pub fn json(&self, method: &'static str, path: &str, body: &Value) -> Outgoing {
        self.request(method, path, "application/json", body.to_string().into_bytes())
    }

    /// A request without a body.
    pub fn get(&self, path: &str) -> Outgoing {
        self.request("GET", path, "", Vec::new())
    }

    /// The answer to a GET; `None` when there is no such thing.
    ///
    /// # Errors
    /// The step that comes instead of an answer.
    pub fn look(&self, talk: &mut Talk<'_>, path: &str) -> Result<Option<Value>, Step> {
        let reply = talk.ask(|| self.get(path))?;
        if reply.status == 404 { Ok(None) } else { self.read(reply).map(Some) }
    }

    /// The answer to a request that does something there.
    ///
    /// # Errors
    /// The step that comes instead of an answer.
    pub fn act(
        &self,
        talk: &mut Talk<'_>,
        method: &'static str,
        path: &str,
        body: impl FnOnce() -> Value,
    ) -> Result<Value, Step> {
        let reply = talk.ask(|| self.json(method, path, &body()))?;
        self.read(reply)
    }

    /// What an answer holds, if it is one.
    ///
    /// # Errors
    /// [`Step::Retry`], with what the tool asked for. Nothing is ever rejected: what a tool refuses is far more often
    /// its settings' fault, which somebody mends, and a change that it goes on refusing is given up by the shell.
    pub fn read(&self, reply: &Reply) -> Result<Value, Step> {
        let Reply { status, retry_after_s, body } = reply;
        let name = self.name;
        let why = match status {
            200..=299 if body.trim().is_empty() => return Ok(Value::Null),
            200..=299 => match serde_json::from_str(body) {
                Ok(value) => return Ok(value),
                Err(_) => format!("{name} answers {status}, with something that cannot be read"),
            },
            401 => format!("{name} answers 401: is the token still valid?"),
            403 => format!("{name} answers 403: may the token do this? See its rights in the README"),
            404 => format!("{name} answers 404: what this is about is not there"),
            408 | 429 => format!("{name} answers {status}: it asks for patience"),
            422 => {
                format!("{name} answers 422: it does not take what it is given. See what is to be set up in the README")
            }
            500..=599 => format!("{name} answers {status}: it has a fault of its own"),
            _ => format!("{name} answers {status}"),
        };
        Err(Step::Retry { after: retry_after_s.map(Duration::from_secs), why })
    }

    /// An answer that is not of the form that the tool's documents give it.
    pub fn odd(&self, what: &str) -> Step {
        Step::Retry { after: None, why: format!("{} gives an answer without {what}", self.name) }
    }
}

/// A file of an agent's, which the tool has at an address.
pub fn remote(name: Option<String>, media_type: Option<String>, url: String) -> Attachment {
    let media_type = media_type.unwrap_or_else(|| "application/octet-stream".to_owned());
    Attachment {
        name,
        media_type: media_type.split(';').next().unwrap_or_default().trim().to_lowercase(),
        source: AttachmentSource::Remote(Remote::at(url)),
        inline: false,
    }
}

/// A form with files (RFC 7578).
pub struct Form {
    boundary: String,
    body: Vec<u8>,
}

impl Form {
    /// An empty one. Its boundary is a hash of a word that nobody outside knows beforehand.
    pub fn of(word: &str) -> Self {
        let boundary = format!("lanka-{}", hex::encode(&Sha256::digest(word.as_bytes())[..16]));
        Self { boundary, body: Vec::new() }
    }

    /// Adds a field.
    pub fn field(&mut self, name: &str, value: &str) {
        let Self { boundary, body } = self;
        let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(head.as_bytes());
    }

    /// Adds a file.
    pub fn file(&mut self, name: &str, file: &CarriedFile) {
        let shown = |text: &str| text.chars().filter(|c| !c.is_control() && !"\"\\".contains(*c)).collect::<String>();
        let (file_name, kind) = (shown(&file.name), shown(&file.media_type));
        let Self { boundary, body } = self;
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\nContent-Type: {kind}\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&file.bytes);
        body.extend_from_slice(b"\r\n");
    }

    /// Its media type and bytes.
    pub fn finish(mut self) -> (String, Vec<u8>) {
        self.body.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        (format!("multipart/form-data; boundary={}", self.boundary), self.body)
    }
}

/// Settings that the mirrors of all help desks have.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Longest time of one exchange.
    pub timeout: Duration,
    /// How long a change is tried.
    pub patience: Patience,
}

impl Terms {
    /// Longest time of one exchange, in seconds, where the settings say nothing: tools take long over a file.
    pub fn timeout_s_default() -> u64 {
        30
    }

    /// Checks `timeout_s`, `attempts_max` and `give_up_after_days`.
    pub fn checked(timeout_s: u64, attempts_max: u32, give_up_after_days: u32, problems: &mut Problems) -> Self {
        if !(1..=TIMEOUT_S_MAX).contains(&timeout_s) {
            problems.add("timeout_s", format!("must be 1 to {TIMEOUT_S_MAX} seconds"));
        }
        for (key, value) in [("attempts_max", attempts_max), ("give_up_after_days", give_up_after_days)] {
            if value == 0 {
                problems.add(key, "must be at least 1");
            }
        }
        let age_max = Duration::from_secs(u64::from(give_up_after_days) * 86_400);
        Self { timeout: Duration::from_secs(timeout_s), patience: Patience { attempts_max, age_max } }
    }
}

/// Between two looks at what agents did, in seconds, where the settings say nothing.
pub fn poll_interval_s_default() -> u64 {
    60
}

/// Checks `poll_interval_s`.
pub fn poll_interval(seconds: u64, least: u64, problems: &mut Problems) -> Duration {
    if !(least..=POLL_INTERVAL_S_MAX).contains(&seconds) {
        problems.add("poll_interval_s", format!("must be {least} to {POLL_INTERVAL_S_MAX} seconds"));
    }
    Duration::from_secs(seconds)
}

/// The secret that a tool signs its webhook with; without one it is not called by any. One that is blank is a problem.
pub fn webhook_secret(secret: Option<Secret>, problems: &mut Problems) -> Option<Secret> {
    if secret.as_ref().is_some_and(|secret| secret.expose().trim().is_empty()) {
        problems.add("webhook_secret", "is empty: leave the key out where the tool has no webhook for lanka");
    }
    secret
}

/// The address of a tool without a slash at its end; what is wrong with it is a problem of `url`.
pub fn base(url: &str, insecure_http: bool, allow_private: bool, problems: &mut Problems) -> String {
    let insecure_http = insecure_http || !problems.none_at("insecure_http");
    if let Some(message) = endpoint::problem(url, insecure_http, allow_private) {
        problems.add("url", message);
    } else if url.contains(['?', '#']) {
        problems.add("url", "is the address of the tool alone: leave out what follows ? and #");
    }
    url.trim_end_matches('/').to_owned()
}

/// Something that an agent did in a tool.
pub struct Did<'a> {
    /// The kind of the mirror.
    pub kind: &'static str,
    /// Its name.
    pub mirror: &'a str,
    /// What the tool calls the ticket.
    pub ticket: &'a str,
    /// lanka's id of it, where the tool tells that too: it is known before the tool's own is.
    pub named: Option<String>,
    /// What the tool calls what was done: a repeat has the same.
    pub id: String,
    /// The agent.
    pub by: Option<String>,
    /// When, by the tool's clock; its deliveries are signed.
    pub at: Option<Timestamp>,
}

impl Did<'_> {
    /// He wrote something: an answer to the customer, or a note for colleagues.
    pub fn wrote(self, text: String, is_note: bool) -> Incoming {
        let remote = Some(self.id.clone());
        let mut incoming = Incoming { content: Content::Text(text), ..self.incoming(remote) };
        if is_note {
            incoming.marks.push(Mark::Internal);
        }
        incoming
    }

    /// He closed the ticket, or opened it again.
    pub fn turned(self, to: TicketState) -> Incoming {
        let (what, variant) = match to {
            TicketState::Closed => (What::Close, "close"),
            TicketState::Open => (What::Reopen, "reopen"),
        };
        Incoming { what, variant: variant.to_owned(), ..self.incoming(None) }
    }

    /// It stands so; whether he or lanka brought that about, the tool does not say.
    pub fn stands(self, at: TicketState) -> Incoming {
        self.turned(at).standing()
    }

    /// Somebody has the ticket from now on, or nobody.
    pub fn assigned(self, owner: Option<String>) -> Incoming {
        let content = Content::Text(owner.unwrap_or_default());
        Incoming { what: What::Assign, variant: "assign".to_owned(), content, ..self.incoming(None) }
    }

    /// The desk waits for the customer there, or not; whether he or lanka brought that about, the tool does not say.
    pub fn waits(self, is_awaited: bool) -> Incoming {
        let (what, variant) = if is_awaited { (What::Await, "await") } else { (What::Resume, "resume") };
        Incoming { what, variant: variant.to_owned(), ..self.incoming(None) }.standing()
    }

    /// It is in what these queues are there.
    pub fn routed(self, queues: &[&str]) -> Incoming {
        let content = Content::Text(queues.join("\n"));
        Incoming { what: What::Route, variant: "route".to_owned(), content, ..self.incoming(None) }.standing()
    }

    fn incoming(self, remote: Option<String>) -> Incoming {
        let Self { kind, mirror, ticket, named, id, by, at } = self;
        let mut incoming = Incoming::new(format!("{kind}:{mirror}"), id);
        incoming.direction = Direction::FromAgent;
        incoming.sender.name = by;
        incoming.occurred_at = at;
        incoming.occurred_trusted = at.is_some();
        let named = named.filter(|named| named.parse::<uuid::Uuid>().is_ok());
        let thread = || OnTicket::Thread { mirror: mirror.to_owned(), remote: ticket.to_owned() };
        let on = named.map_or_else(thread, OnTicket::Named);
        let given_in = Some(GivenIn { mirror: mirror.to_owned(), remote });
        incoming.answer = Some(Box::new(Answer { on, to: None, given_in, route: None, may_echo: false }));
        incoming
    }
}

impl Incoming {
    /// It is told how something stands, not who brought that about.
    fn standing(mut self) -> Self {
        if let Some(answer) = &mut self.answer {
            answer.may_echo = true;
        }
        self
    }
}

/// What the queues of the configuration are in a tool.
#[derive(Debug, Clone)]
pub struct Groups<T> {
    /// By the queue.
    pub of: BTreeMap<String, T>,
    /// What all others are.
    pub default: T,
}

impl<T: PartialEq> Groups<T> {
    /// What a queue is there.
    pub fn group(&self, queue: Option<&str>) -> &T {
        queue.and_then(|queue| self.of.get(queue)).unwrap_or(&self.default)
    }

    /// The queues that are said to be this there.
    pub fn queues<'a>(&'a self, is: impl Fn(&T) -> bool + 'a) -> Vec<&'a str> {
        self.of.iter().filter(|(_, group)| is(group)).map(|(queue, _)| queue.as_str()).collect()
    }

    /// The queues that are named, each with the key of the settings that does.
    pub fn named(&self) -> Vec<(String, String)> {
        self.of.keys().map(|queue| (format!("queues.{queue}"), queue.clone())).collect()
    }

    /// What a ticket is to be put into there now; `None` where it is left where it is: where nothing changed, or an agent
    /// put it elsewhere in the tool since, unless somebody put it into the queue by hand.
    pub fn wanted(&self, post: &Post, before: Option<&Standing>, is: impl Fn(&T) -> bool) -> Option<&T> {
        let is_routed = post.change == Change::TicketRouted;
        let from = post.detail.get("from").and_then(Value::as_str).filter(|_| is_routed);
        let was = match (before, from) {
            (Some(before), _) => self.group(before.queue.as_deref()),
            (None, Some(from)) => self.group(Some(from)),
            (None, None) => return None,
        };
        let wanted = self.group(post.ticket.queue.as_deref());
        let is_by_hand = is_routed && post.detail.get("put").is_some();
        ((is(was) || is_by_hand) && !is(wanted)).then_some(wanted)
    }
}

/// How urgent a ticket is to be there now, in the tool's words; `None` where it is left as it is: where nothing changed, or an
/// agent set it since.
pub fn wanted_priority(
    post: &Post,
    before: Option<&Standing>,
    word: fn(&str) -> &'static str,
    is: Option<&str>,
) -> Option<&'static str> {
    let (was, wanted) = (word(&before?.priority), word(&post.ticket.priority));
    (was != wanted && is.is_none_or(|is| is == was)).then_some(wanted)
}

/// Begins the tags and labels of kinds of matter.
pub const KIND_TAG: &str = "lanka-";

/// The tags of the kinds of a ticket.
pub fn kind_tags(kind: &[String]) -> Vec<String> {
    kind.iter().map(|kind| format!("{KIND_TAG}{kind}")).collect()
}

/// Tags of kinds that are to come and to go. What an agent took away does not come again.
pub fn changed_tags(post: &Post, before: Option<&Standing>) -> (Vec<String>, Vec<String>) {
    let Some(before) = before else { return (Vec::new(), Vec::new()) };
    let (was, is) = (kind_tags(&before.kind), kind_tags(&post.ticket.kind));
    let without =
        |these: &[String], those: &[String]| these.iter().filter(|tag| !those.contains(tag)).cloned().collect();
    (without(&is, &was), without(&was, &is))
}
