//! Events of Meta's messaging platform, as Messenger and Instagram share them.
//!
//! An entry belongs to a Page or an Instagram account and holds events under `messaging`, under
//! `standby` (another app owns the thread just now, the customer speaks all the same) or under
//! `changes` (the dashboard's Test button wraps an event so); calls are a list of their own, `calls`. Sources:
//! developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks/webhook-events
//! (messages, message-edits, message-reactions, messaging-postbacks, standby),
//! developers.facebook.com/documentation/business-messaging/instagram-messaging/webhooks,
//! developers.facebook.com/docs/instagram-platform/webhooks/examples and …/webhooks/new (`ig_post`).
//!
//! **Stories are words, never files:** what a customer mentions us in, or answers, is gone after a day
//! and must not be stored (developers.facebook.com/docs/messenger-platform/instagram/features/story-mention);
//! its URL is shown as long as it lasts.
//!
//! **Invariant:** the customer is whichever of sender and recipient is not the Page; the Page never
//! becomes a person.

use super::batch::Batch;
use super::redact::{self, Redacted};
use super::{json, messaging_send, meta};
use crate::pure::domain::identity::{Assurance, Identity};
use crate::pure::domain::message::{
    Attachment, AttachmentSource, Content, Direction, Incoming, Mark, Parsed, RawEvent, Reference, ReferenceKind,
    Remote, Sender, SenderIdentity, What,
};
use serde_json::Value;

/// One of the products on the platform.
#[derive(Debug, Clone, Copy)]
pub struct Product {
    /// The channel's kind: scheme of its people's ids, and what its namespaces begin with.
    pub name: &'static str,
    /// What `object` says in every delivery.
    pub object: &'static str,
}

/// Everything in a delivery.
pub fn read(product: Product, event: &RawEvent) -> Parsed {
    let body = match json::read(&event.body) {
        Ok(body) => body,
        Err(fault) => return Parsed { items: Vec::new(), faults: vec![fault] },
    };
    batch(product, &body).finish()
}

/// Takes an item out of a delivery.
pub fn redact(product: Product, event: &RawEvent, item: u32) -> Option<Redacted> {
    redact::in_json(&event.body, item, |body| batch(product, body), |_, _| {})
}

fn batch(product: Product, body: &Value) -> Batch {
    let mut batch = Batch::default();
    for entry in meta::entries(body, product.object, &mut batch) {
        let before = batch.len();
        let page = Page { product, id: json::id(entry, "id"), entry };
        for key in ["messaging", "standby"] {
            for event in json::list(entry, key, &mut batch) {
                page.event(event, &mut batch);
            }
        }
        for call in json::list(entry, "calls", &mut batch) {
            page.call(call, &mut batch);
        }
        for change in json::list(entry, "changes", &mut batch) {
            page.change(change, &mut batch);
        }
        if batch.len() == before {
            batch.fault("empty_entry", "an entry holds no events");
        }
    }
    batch
}

/// The kinds of events, in the order in which they are looked for: one event holds one of them.
const EVENTS: &[&str] = &[
    "message",
    "message_edit",
    "reaction",
    "response_feedback",
    "postback",
    "messaging_feedback",
    "messaging_customer_information",
    "delivery",
    "read",
];

/// Events without words of the customer, shown as notices.
const NOTICES: &[&str] = &[
    "referral",
    "optin",
    "account_linking",
    "pass_thread_control",
    "take_thread_control",
    "request_thread_control",
    "app_roles",
    "policy_enforcement",
    "game_play",
];

/// Keys of an event that say who and when rather than what.
const FRAME: &[&str] = &["sender", "recipient", "timestamp", "priorMessage", "prior_message"];

/// The entry of a Page.
struct Page<'a> {
    product: Product,
    /// The Page's id; an event's recipient stands in where the entry has none.
    id: Option<String>,
    entry: &'a Value,
}

/// One event with what all kinds share already read.
struct Event<'a> {
    product: Product,
    event: &'a Value,
    page: String,
    customer: Sender,
    customer_id: String,
}

impl Page<'_> {
    /// `{"sender": {"id": "<CUSTOMER>"}, "recipient": {"id": "<PAGE>"}, "timestamp": 1458692752478, "<kind>": {…}}`
    fn event(&self, event: &Value, batch: &mut Batch) {
        if event.as_object().is_none_or(|fields| fields.is_empty()) {
            return batch.fault("empty_event", "an element of a list of events is empty or no object");
        }
        let event = self.party(event);
        let kind = EVENTS.iter().copied().find(|kind| json::has(event.event, kind));
        match kind {
            Some("delivery") => self.receipt("delivery", "delivered", &event, batch),
            Some("read") => self.receipt("read", "read", &event, batch),
            Some(kind) => self.said(kind, &event, batch),
            None => batch.item(event.event, self.notice(&event)),
        }
    }

    /// An event with what all kinds share: the Page, and who the customer is.
    fn party<'e>(&self, event: &'e Value) -> Event<'e> {
        let party = |key| event.get(key).and_then(|party| json::id(party, "id"));
        let (sender, recipient) = (party("sender"), party("recipient"));
        // Without the entry's id, an echo's sender is the Page, anything else's recipient.
        let echo = event.get("message").is_some_and(is_echo);
        let page = self.id.clone().or(if echo { sender.clone() } else { recipient.clone() }).unwrap_or_default();
        let sides = if echo { [recipient, sender] } else { [sender, recipient] };
        let customer_id = sides.into_iter().flatten().find(|id| *id != page);
        let identities = customer_id.iter().filter_map(|id| Identity::opaque(self.product.name, &page, id).ok());
        let identities =
            identities.map(|identity| SenderIdentity { identity, assurance: Assurance::Verified }).collect();
        let customer = Sender { identities, ..Sender::default() };
        Event { product: self.product, event, page, customer, customer_id: customer_id.unwrap_or_default() }
    }

    /// `{"field": "messages", "value": {"sender": …, "recipient": …, "timestamp": "1527459824", "message": …}}`:
    /// the Test button. Any other field is what people did on the Page (`feed`), shown as a notice.
    fn change(&self, change: &Value, batch: &mut Batch) {
        let field = json::text(change, "field").unwrap_or_default();
        match change.get("value") {
            Some(value) if batch.is_redacted(value) => {}
            // A comment's `message` is its text.
            Some(value)
                if json::has(value, "sender")
                    || EVENTS.iter().any(|kind| value.get(kind).is_some_and(Value::is_object)) =>
            {
                self.event(value, batch);
            }
            _ => {
                let page = self.id.clone().unwrap_or_default();
                let key = json::made_key(&[&page, &field], change);
                let mut incoming = Incoming::new(format!("{}:{page}", self.product.name), key);
                incoming.what = What::Notice;
                incoming.content = Content::Text(format!("[change: {}]", json::word(&field)));
                incoming.marks.push(Mark::Unsupported);
                self.time(change, None, &mut incoming);
                batch.item(change, incoming);
            }
        }
    }

    /// `{"id": "c_x", "from": "<CUSTOMER>", "to": "<PAGE>", "event": "connect", "timestamp": 1671644824,
    /// "call_direction": "user_initiated"}`: somebody calls on the platform. A notice on who it was.
    fn call(&self, call: &Value, batch: &mut Batch) {
        if call.as_object().is_none_or(|fields| fields.is_empty()) {
            return batch.fault("empty_event", "an element of a list of events is empty or no object");
        }
        let mut event = serde_json::Map::new();
        for (side, key) in [("sender", "from"), ("recipient", "to")] {
            event.extend(json::id(call, key).map(|id| (side.to_owned(), serde_json::json!({ "id": id }))));
        }
        let event = Value::Object(event);
        let event = self.party(&event);
        let mut incoming = event.start("call", call);
        incoming.what = What::Notice;
        let word = json::word(&json::text(call, "event").unwrap_or_default());
        incoming.content = Content::Text(format!("[call: {word}]"));
        self.time(call, None, &mut incoming);
        batch.item(call, incoming);
    }

    /// A message, edit, reaction or postback.
    fn said(&self, kind: &str, event: &Event<'_>, batch: &mut Batch) {
        let object = event.event.get(kind).unwrap_or(&Value::Null);
        if event.customer_id.is_empty() {
            batch.fault("no_sender", format!("an event of the kind `{kind}` names no customer"));
        }
        let mut incoming = event.start(kind, object);
        self.time(event.event, None, &mut incoming);
        match kind {
            "message" => event.message(object, &mut incoming),
            "message_edit" => event.edit(object, &mut incoming),
            "reaction" | "response_feedback" => event.reaction(object, &mut incoming),
            "postback" => postback(object, &mut incoming),
            _ => form(kind, object, &mut incoming),
        }
        batch.item(event.event, incoming);
    }

    /// `{"mids": ["mid.1"]?, "watermark": 1458668856253}`: all that was sent up to the watermark was
    /// delivered, or read. One status for each message named, else one for the watermark.
    fn receipt(&self, kind: &str, state: &str, event: &Event<'_>, batch: &mut Batch) {
        let object = event.event.get(kind).unwrap_or(&Value::Null);
        let mids = json::elements(object, "mids").iter().filter_map(Value::as_str);
        let named = json::id(object, "mid");
        let mut keys: Vec<Option<String>> = mids.map(|mid| Some(json::clean(mid))).chain([named]).collect();
        keys.retain(Option::is_some);
        if keys.is_empty() {
            keys.push(None);
        }
        for key in keys {
            let made = || json::made_key(&[&event.page, &event.customer_id, state], object);
            let mut incoming = Incoming::new(event.namespace(), key.clone().unwrap_or_else(made));
            incoming.what = What::Status;
            incoming.variant = format!("{state}:{}", event.customer_id);
            incoming.direction = Direction::FromAgent;
            incoming.recipient = event.customer.clone();
            incoming.content = Content::Text(state.to_owned());
            incoming.references.extend(key.map(|key| event.reference(ReferenceKind::Target, key)));
            let watermark = object.get("watermark");
            self.time(event.event, watermark, &mut incoming);
            // Without a message's id, what counts is until when all was received.
            let until = watermark.and_then(json::timestamp).filter(|_| incoming.references.is_empty());
            incoming.occurred_at = until.or(incoming.occurred_at);
            batch.item(event.event, incoming);
        }
    }

    /// What has no words of the customer in it, and what is not known here.
    fn notice(&self, event: &Event<'_>) -> Incoming {
        let kinds: Vec<&str> = event.event.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        let known = NOTICES.iter().copied().find(|notice| kinds.contains(notice));
        let kind = known.or_else(|| kinds.into_iter().find(|kind| !FRAME.contains(kind))).unwrap_or("no kind");
        let object = event.event.get(kind).unwrap_or(&Value::Null);
        let mut incoming = event.start(kind, object);
        incoming.what = What::Notice;
        let detail = json::filled(object, "ref").map(|word| format!(" {word}")).unwrap_or_default();
        incoming.content = Content::Text(format!("[event: {}]{detail}", json::word(kind)));
        if known.is_none() {
            incoming.marks.push(Mark::Unsupported);
        }
        self.time(event.event, None, &mut incoming);
        incoming
    }

    /// The event's own time, else the one given, else the entry's.
    fn time(&self, event: &Value, other: Option<&Value>, incoming: &mut Incoming) {
        let candidates = [event.get("timestamp"), other, self.entry.get("time")];
        incoming.occurred_at = candidates.into_iter().flatten().find_map(json::timestamp);
        incoming.occurred_trusted = incoming.occurred_at.is_some();
        let own = event.get("timestamp");
        if incoming.occurred_at.is_none() || own.is_some_and(|own| json::timestamp(own).is_none()) {
            incoming.marks.push(Mark::DateDoubtful);
        }
    }
}

impl Event<'_> {
    fn namespace(&self) -> String {
        format!("{}:{}", self.product.name, self.page)
    }

    fn reference(&self, kind: ReferenceKind, key: String) -> Reference {
        Reference { kind, namespace: self.namespace(), key }
    }

    /// An item by the customer, keyed by `mid`, else by all that tells this event from others. An
    /// update of a message shares its `mid`: such get a key of their own and point at it.
    fn start(&self, kind: &str, object: &Value) -> Incoming {
        let timestamp = self.event.get("timestamp").map(Value::to_string).unwrap_or_default();
        let made = || json::made_key(&[&self.page, &self.customer_id, &timestamp, kind], object);
        let own = match kind {
            "message" | "postback" => json::id(object, "mid"),
            _ => None,
        };
        let mut incoming = Incoming::new(self.namespace(), own.unwrap_or_else(made));
        incoming.sender = self.customer.clone();
        incoming
    }

    /// `{"mid": "m_x", "text"?, "attachments"?, "quick_reply": {"payload"}?, "reply_to": {"mid"}?,
    /// "is_echo"?, "app_id"?, "is_deleted"?, "is_unsupported"?}`
    fn message(&self, message: &Value, incoming: &mut Incoming) {
        if is_echo(message) {
            incoming.direction = Direction::FromAgent;
            incoming.recipient = std::mem::take(&mut incoming.sender);
        }
        // What lanka itself sent, which it has already: that it was sent is all that is new.
        let metadata = json::filled(message, "metadata").filter(|_| is_echo(message));
        if let Some((key, progress)) = metadata.as_deref().and_then(messaging_send::echoed) {
            incoming.what = What::Status;
            incoming.content = Content::Text(progress.to_owned());
            incoming.references.push(self.reference(ReferenceKind::Target, key.to_owned()));
            return;
        }
        if flag(message, "is_deleted") {
            incoming.what = What::Delete;
            incoming.variant = "deleted".to_owned();
            incoming.references.push(self.reference(ReferenceKind::Target, incoming.source_key.clone()));
            return;
        }
        let quick_reply = || json::filled(message.get("quick_reply")?, "payload");
        let own = json::filled(message, "text").or_else(quick_reply);
        let mut lines: Vec<String> = own.clone().into_iter().collect();
        let attachments = json::elements(message, "attachments");
        for attachment in attachments.iter().filter(|attachment| !is_told_twice(attachment, attachments)) {
            match read_attachment(attachment) {
                Piece::File(file) => incoming.attachments.push(file),
                Piece::Words(words) => lines.push(words),
            }
        }
        let reply_to = message.get("reply_to").unwrap_or(&Value::Null);
        incoming.references.extend(json::id(reply_to, "mid").map(|mid| self.reference(ReferenceKind::Reply, mid)));
        // A product asked about from the shop comes as a referral, as an advertisement does.
        lines.extend(reply_to.get("story").map(|story| shown("reply to story", [json::filled(story, "url")])));
        let product = message.get("referral").and_then(|referral| referral.get("product"));
        lines.extend(product.and_then(|product| json::filled(product, "id")).map(|id| shown("product", [Some(id)])));
        let empty = lines.is_empty() && incoming.attachments.is_empty();
        if flag(message, "is_unsupported") || empty {
            lines.push("[unsupported: message]".to_owned());
            incoming.marks.push(Mark::Unsupported);
        }
        incoming.subject = message.get("referral").and_then(headline);
        // What is shared beside the words (a post, a place, a story) is somebody else's.
        if lines.len() > usize::from(own.is_some()) {
            incoming.own = Some(own.unwrap_or_default());
        }
        incoming.content = Content::Text(lines.join("\n"));
    }

    /// `{"mid": "m_x", "text": "new words", "num_edit": 1}`
    fn edit(&self, edit: &Value, incoming: &mut Incoming) {
        incoming.what = What::Edit;
        incoming.content = Content::Text(json::text(edit, "text").unwrap_or_default());
        incoming.references.extend(json::id(edit, "mid").map(|mid| self.reference(ReferenceKind::Target, mid)));
    }

    /// `{"mid": "m_x", "action": "react"|"unreact", "emoji": "😀"?, "reaction": "smile"?}`, or the thumb
    /// under a message of ours, `{"mid": "m_x", "feedback": "Bad response"}`.
    fn reaction(&self, reaction: &Value, incoming: &mut Incoming) {
        incoming.what = What::Reaction;
        let taken_back = json::text(reaction, "action").as_deref() == Some("unreact");
        let emoji = || ["emoji", "reaction", "feedback"].into_iter().find_map(|key| json::filled(reaction, key));
        incoming.content = Content::Text(if taken_back { String::new() } else { emoji().unwrap_or_default() });
        incoming.references.extend(json::id(reaction, "mid").map(|mid| self.reference(ReferenceKind::Target, mid)));
    }
}

/// `{"title": "Order status"?, "payload": "ORDER_STATUS", "mid"?, "referral"?}`: a button was pressed.
fn postback(postback: &Value, incoming: &mut Incoming) {
    let text = json::filled(postback, "title").or_else(|| json::filled(postback, "payload"));
    if text.is_none() {
        incoming.marks.push(Mark::Unsupported);
    }
    incoming.content = Content::Text(text.unwrap_or_else(|| "[unsupported: postback]".to_owned()));
    incoming.subject = postback.get("referral").and_then(headline);
}

/// A form of ours that was filled in, a line an answer:
/// `{"feedback_screens": [{"questions": {"<OURS>": {"type": "csat", "payload": "2", "follow_up": {"type":
/// "free_form", "payload": "…"}}}}]}`, or `{"screens": [{"responses": [{"key": "city", "value": "…"}]}]}`
/// (developers.facebook.com/docs/messenger-platform/send-messages/templates/customer-feedback-template and
/// …/structured-information-template). Marks alone, without a word, are a notice.
fn form(kind: &str, form: &Value, incoming: &mut Incoming) {
    let questions = json::elements(form, "feedback_screens").iter().filter_map(|screen| screen.get("questions"));
    let questions = questions.filter_map(Value::as_object).flat_map(|questions| questions.values());
    let asked = questions.flat_map(|question| [Some(question), question.get("follow_up")]).flatten();
    let responses = json::elements(form, "screens").iter().flat_map(|screen| json::elements(screen, "responses"));
    let answers: Vec<(String, String)> = asked
        .map(|question| (question, "type", "payload"))
        .chain(responses.map(|response| (response, "key", "value")))
        .filter_map(|(answer, key, value)| {
            Some((json::text(answer, key).unwrap_or_default(), json::filled(answer, value)?))
        })
        .collect();
    let scored = |(kind, _): &(String, String)| ["csat", "nps", "ces"].contains(&kind.as_str());
    if answers.iter().all(scored) {
        incoming.what = What::Notice;
    }
    let line = |(kind, value): &(String, String)| match kind.as_str() {
        "" | FREE_FORM => value.clone(),
        kind => format!("{}: {value}", json::word(kind)),
    };
    let lines: Vec<String> = answers.iter().map(line).collect();
    incoming.content = Content::Text(if lines.is_empty() { format!("[event: {kind}]") } else { lines.join("\n") });
}

/// The type of a question that is answered in words.
const FREE_FORM: &str = "free_form";

/// The headline of the advertisement a message came from.
fn headline(referral: &Value) -> Option<String> {
    let ads = referral.get("ads_context_data")?;
    json::filled(ads, "ad_title")
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool) == Some(true)
}

fn is_echo(message: &Value) -> bool {
    flag(message, "is_echo")
}

/// What an attachment turns out to be.
enum Piece {
    File(Attachment),
    Words(String),
}

/// Titles of a template or a product list that are shown. Vendors allow ten elements.
const ELEMENTS_MAX: usize = 10;

/// Attachments among which the other form of a shared post is looked for. Instagram sends ten at most.
const ATTACHMENTS_MAX: usize = 30;

/// The thumbs of three sizes that one tap sends.
const THUMBS: [&str; 3] = ["369239263222822", "369239343222814", "369239383222810"];

/// `{"type": "image", "payload": {"url": "https://…", "sticker_id"?, "title"?, "coordinates": {"lat", "long"}?}}`.
/// A sticker's type is `sticker`, before September 2026 `image`. The URL of a file is a signed link that
/// soon expires; what is no file of the customer's (a shared post or reel, a story, a template, a place, a `fallback` whose URL can be anything) becomes words.
fn read_attachment(attachment: &Value) -> Piece {
    let kind = json::text(attachment, "type").unwrap_or_default();
    let payload = attachment.get("payload").unwrap_or(&Value::Null);
    let url = json::filled(payload, "url");
    if json::id(payload, "sticker_id").is_some_and(|id| THUMBS.contains(&id.as_str())) {
        return Piece::Words("👍".to_owned());
    }
    let media_type = match kind.as_str() {
        "image" | "sticker" => "image/*",
        "video" => "video/*",
        "audio" => "audio/*",
        "file" => "application/octet-stream",
        _ => return Piece::Words(words(&kind, attachment, payload, url)),
    };
    match url.filter(|url| url.starts_with("https://") || url.starts_with("http://")) {
        Some(url) => Piece::File(Attachment {
            name: json::filled(payload, "title").or_else(|| json::filled(attachment, "title")),
            media_type: media_type.to_owned(),
            source: AttachmentSource::Remote(Remote::at(url)),
            inline: false,
        }),
        None => Piece::Words(words(&kind, attachment, payload, None)),
    }
}

fn words(kind: &str, attachment: &Value, payload: &Value, url: Option<String>) -> String {
    let place = payload.get("coordinates").and_then(|place| {
        // Four decimals, 11 m: digits enough for a door, too few for an order number.
        let degrees = |key| place.get(key).and_then(Value::as_f64).filter(|degrees: &f64| degrees.abs() <= 360.0);
        Some(format!("geo:{:.4},{:.4}", degrees("lat")?, degrees("long")?))
    });
    if kind == "like_heart" {
        return "❤".to_owned();
    }
    let title = json::filled(payload, "title").or_else(|| json::filled(attachment, "title"));
    let url = url.or_else(|| json::filled(attachment, "url"));
    let elements = [payload.get("product"), payload.get("generic"), Some(payload)].into_iter().flatten();
    let titles = elements.flat_map(|list| json::elements(list, "elements")).filter_map(|e| json::filled(e, "title"));
    let text = json::filled(payload, "text");
    // Of an appointment that is asked for (`appointment_booking`).
    let status = json::filled(payload, "status").map(|status| json::word(&status));
    let times = ["start_time", "end_time"].map(|key| Some(json::timestamp(payload.get(key)?)?.to_string()));
    let kind = if kind.is_empty() { "attachment".to_owned() } else { json::word(kind) };
    let said = [title, text, status].into_iter().chain(times).chain([place, url]);
    shown(&kind, said.chain(titles.take(ELEMENTS_MAX).map(Some)))
}

/// What is no text, as words: `[kind] one two`.
fn shown(kind: &str, words: impl IntoIterator<Item = Option<String>>) -> String {
    let words = words.into_iter().flatten();
    [format!("[{kind}]")].into_iter().chain(words).collect::<Vec<_>>().join(" ")
}

/// What comes in two forms, for apps that know one of them only: the older, the newer, what both have.
const TWICE: [(&str, &str, &str); 2] = [("share", "ig_post", "ig_post_media_id"), ("image", "sticker", "sticker_id")];

/// Whether the newer form of a shared post or of a sticker stands beside it.
fn is_told_twice(attachment: &Value, all: &[Value]) -> bool {
    let is = |attachment: &Value, kind: &str| json::text(attachment, "type").as_deref() == Some(kind);
    TWICE.iter().filter(|(older, ..)| is(attachment, older)).any(|(_, newer, key)| {
        let id = |attachment: &Value| json::id(attachment.get("payload")?, key);
        let own = id(attachment);
        own.is_some() && all.iter().take(ATTACHMENTS_MAX).any(|other| is(other, newer) && id(other) == own)
    })
}
