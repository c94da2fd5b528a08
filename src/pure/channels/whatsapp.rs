//! WhatsApp Business Cloud API.
//!
//! `POST /hooks/{channel}`, signed as all of Meta's webhooks (`wire::meta`). Read are all elements of all
//! entries and changes: messages, echoes of what the business sent from its phone, calls, statuses, the
//! history of a phone that was connected, preferences, errors; a `field` not known here becomes a
//! notice. What matters is which lists a value holds, not its `field`: `standby` brings the same lists
//! while Meta's own agent answers. Sources, below
//! developers.facebook.com/documentation/business-messaging/whatsapp/: webhooks/reference/messages (each
//! type, `group`, `status`, `system`), …/smb_message_echoes, …/history, …/standby,
//! calling/user-initiated-calls, calling/business-initiated-calls, business-scoped-user-ids, and the
//! changelog of 2026-08-11 (`previous_user_id`).
//!
//! **Namespace:** `whatsapp:` and the id of the WhatsApp Business Account (`entry.id`), not the
//! `phone_number_id`: every delivery has it, also those whose value has no `metadata`, so that
//! messages, echoes, statuses and the replies that quote them share it. A wamid is unique beyond it.
//!
//! **Identities:** the business-scoped user id (BSUID), then the phone number; Meta sends either or
//! both. A BSUID means something within one business portfolio, which no payload names: the scope is
//! `portfolio` of the settings, else the account's id.
//!
//! **A new number or user id** comes as a system message: the sender has the old ids, `moved_to` the
//! new ones. A change of the number makes a new BSUID too; the old number may become a stranger's.
//!
//! **Groups** are kept apart: `group_id` is the thread, whoever speaks in it, and a receipt in a group
//! names the group where else the person stands.
//!
//! **Invariant:** ids and a name are taken from `contacts[]` only where one of its ids is the
//! message's own: a batch holds several customers. Cards of other people are text, never identities.

use super::{
    Accounts, Answers, Built, Carried, Channel, Delivery, Forged, Form, Handshake, Intake, Kind, Like, Link,
    LinkedKind, MediaReply, MediaStep, Own, Redacted, Reply, Setup, Step, Unfit, Way,
};
use crate::pure::domain::Timestamp;
use crate::pure::domain::answer::{Filled, Template};
use crate::pure::domain::identity::{Assurance, Identity, PhoneNumber, TEL};
use crate::pure::domain::message::{
    Attachment, AttachmentSource, Call, CallLeg, CallOutcome, Content, Direction, Incoming, Mark, Parsed, Progress,
    RawEvent, Reference, ReferenceKind, Remote, Sender, SenderIdentity, What,
};
use crate::pure::domain::secret::Secret;
use crate::pure::wire::batch::Batch;
use crate::pure::wire::mail_answer::TOKEN;
use crate::pure::wire::{json, media, meta, meta_send, redact, settings};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// The kind, as the configuration knows it.
pub const KIND: Kind = Kind {
    name: NAME,
    form: Form::Body,
    like: Some(Like::Chat),
    accounts: Accounts { called: &["whatsapp", "whats app", "whatsup"], schemes: &[SCHEME, TEL] },
    build,
    dry,
};

const NAME: &str = "whatsapp";

/// The scheme of business-scoped user ids, and of whatever else Meta puts where a number should be.
pub const SCHEME: &str = NAME;

/// What `object` says in every delivery.
const OBJECT: &str = "whatsapp_business_account";

/// Contacts looked through for each message. A change has one or a few; without a limit, as many
/// messages beside as many contacts would cost their product.
const CONTACTS_MAX: usize = 1_000;

/// How long Meta gives out a file by the id that a webhook brings (…/business-phone-numbers/media).
const MEDIA_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// Meta's code for a message whose type its API does not know.
const UNKNOWN_TYPE: &str = "131051";

/// What does not work without `access_token`.
const WITHOUT_TOKEN: &str =
    "no picture, voice message or document can be fetched: each is lost, and the thread says so";

/// The channel's table in the configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The app's secret, which signs deliveries (not the access token).
    app_secret: Secret,
    /// The word agreed on for the handshake.
    verify_token: Secret,
    /// Token for the calls to Meta: media, answers. Without it neither is possible.
    access_token: Option<Secret>,
    /// Where Meta's API is, if not at its usual place.
    api_url: Option<String>,
    /// Name of the business portfolio, shared by all channels whose accounts belong to it. Default:
    /// the id of the WhatsApp Business Account.
    portfolio: Option<String>,
    /// The business's own numbers, so that they never become a customer's.
    #[serde(default)]
    own_numbers: Vec<String>,
    /// What Meta has approved in the WhatsApp Manager: what agents can send when a day has passed.
    #[serde(default)]
    templates: Vec<TemplateSettings>,
}

/// A template as the WhatsApp Manager shows it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateSettings {
    /// Its name.
    name: String,
    /// Its language, as Meta writes it: `fi`, `en_US`.
    language: String,
    /// Its body, with `{{1}}`, `{{2}}` … in the places of parameters.
    text: String,
}

/// Templates of one channel, the bytes of a name and the characters of a body (…/message-templates/overview, /components).
const TEMPLATES_MAX: usize = 50;
const TEMPLATE_NAME_BYTES_MAX: usize = 512;
const TEMPLATE_CHARS_MAX: usize = 1024;

/// The templates of the settings; what is wrong with them is added to the problems.
fn templates(settings: Vec<TemplateSettings>, problems: &mut settings::Problems) -> Arc<[Template]> {
    if settings.len() > TEMPLATES_MAX {
        problems.add("templates", format!("are more than {TEMPLATES_MAX}: leave out those that agents do not need"));
    }
    let mut templates: Vec<Template> = Vec::new();
    for (n, TemplateSettings { name, language, text }) in settings.into_iter().enumerate() {
        let is_of_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if name.is_empty() || name.len() > TEMPLATE_NAME_BYTES_MAX || !name.bytes().all(is_of_name) {
            problems.add(format!("templates.{n}.name"), "is the name that the WhatsApp Manager shows: a-z, 0-9 and _");
        }
        let (short, country) = language.split_once('_').unwrap_or((&language, "FI"));
        let is_short = matches!(short.len(), 2 | 3) && short.bytes().all(|b| b.is_ascii_lowercase());
        if !is_short || country.is_empty() || !country.bytes().all(|b| b.is_ascii_alphanumeric()) {
            problems.add(format!("templates.{n}.language"), "is written as Meta does: \"fi\", \"en_US\"");
        }
        let template = Template { name, language, text };
        if template.text.trim().is_empty() || template.text.chars().count() > TEMPLATE_CHARS_MAX {
            let hint = format!("is the template's body as it was approved, 1 to {TEMPLATE_CHARS_MAX} characters");
            problems.add(format!("templates.{n}.text"), hint);
        } else if template.filled(&vec![String::new(); template.places()]).contains("{{") {
            let hint = "has places for parameters that are not {{1}}, {{2}} … without a gap: others are not supported";
            problems.add(format!("templates.{n}.text"), hint);
        }
        if templates.iter().any(|other| (&other.name, &other.language) == (&template.name, &template.language)) {
            problems.add(format!("templates.{n}"), "is there twice, in one language");
        }
        templates.push(template);
    }
    templates.into()
}

fn build(setup: &Setup<'_>, table: toml::Table) -> Result<Built, Unfit> {
    let (settings, mut problems): (Settings, _) = settings::read_kind(table)?;
    problems.extend(meta::check_api_url(settings.api_url.as_deref()).err());
    problems.extend(meta::check_access_token(settings.access_token.as_ref()).err());
    if settings.portfolio.as_deref().is_some_and(|portfolio| portfolio.trim().is_empty()) {
        problems.add("portfolio", "is empty; leave it out or name the business portfolio");
    }
    let mut own = Own::default();
    for (n, text) in settings.own_numbers.iter().enumerate() {
        match PhoneNumber::parse_stated(text, setup.region) {
            Ok(number) => own.numbers.push(number),
            Err(error) => problems.add(format!("own_numbers.{n}"), error.to_string()),
        }
    }
    let graph = meta::Graph::new(settings.api_url, settings.access_token, &settings.app_secret);
    let app = meta::App::new(settings.app_secret, settings.verify_token).map_err(|found| problems.extend(found));
    let templates = templates(settings.templates, &mut problems);
    let sends = graph.clone().map(|graph| Sends { graph, templates });
    let channel = Box::new(WhatsApp { app: app.unwrap_or_default(), graph, sends, portfolio: settings.portfolio });
    Built { channel, intake: Intake::Webhook, own }.unless(problems)
}

fn dry(_setup: &Setup<'_>) -> Box<dyn Channel> {
    Box::new(WhatsApp { app: meta::App::default(), graph: None, sends: None, portfolio: None })
}

struct WhatsApp {
    app: meta::App,
    graph: Option<meta::Graph>,
    sends: Option<Sends>,
    portfolio: Option<String>,
}

impl Channel for WhatsApp {
    fn verify(&self, delivery: &Delivery<'_>) -> Result<(), Forged> {
        self.app.verify(delivery)
    }

    fn handshake(&self, query: &[(String, String)]) -> Handshake {
        self.app.handshake(query)
    }

    fn lacks(&self) -> Option<settings::SettingsProblem> {
        meta::lacks_access_token(self.graph.as_ref(), WITHOUT_TOKEN)
    }

    fn parse(&self, event: &RawEvent) -> Parsed {
        let body = match json::read(&event.body) {
            Ok(body) => body,
            Err(fault) => return Parsed { items: Vec::new(), faults: vec![fault] },
        };
        self.batch(&body, event).finish()
    }

    fn redact(&self, event: &RawEvent, item: u32) -> Option<Redacted> {
        redact::in_json(&event.body, item, |body| self.batch(body, event), without_strangers)
    }

    fn answers(&self) -> Option<&dyn Answers> {
        self.sends.as_ref().map(|sends| sends as &dyn Answers)
    }

    fn media(&self, remote: &str, replies: &[MediaReply]) -> MediaStep {
        match &self.graph {
            Some(graph) => graph.media(remote, replies),
            None => MediaStep::Lost("the channel has no access_token, and without one no file is given out".to_owned()),
        }
    }
}

/// How long after the customer's message WhatsApp takes an answer that is no template
/// (developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages, customer service windows).
const WINDOW: Duration = Duration::from_secs(24 * 3600);

/// Longest text, in characters.
const TEXT_CHARS_MAX: usize = 4096;

/// `POST /{phone_number_id}/messages` `{"messaging_product": "whatsapp", "to" | "recipient", "type": "text", "text":
/// {"body"}, "context": {"message_id"}, "biz_opaque_callback_data"}` → `{"messages": [{"id": "wamid.x"}]}`. A file is put
/// to `/{phone_number_id}/media` first, which gives its id. What is sent along as `biz_opaque_callback_data` comes back with
/// every status: by it the statuses of an answer find it, however early they come.
///
/// A template (…/docs/whatsapp/cloud-api/guides/send-message-templates) has in the place of the text `"type": "template",
/// "template": {"name", "language": {"code"}, "components": [{"type": "body", "parameters": [{"type": "text", "text"}]}]}`.
struct Sends {
    graph: meta::Graph,
    templates: Arc<[Template]>,
}

impl Answers for Sends {
    fn way(&self) -> Way {
        let templates = self.templates.clone();
        Way { window: Some(WINDOW), is_session: false, id_domain: None, automatic_max: None, templates }
    }

    fn next(&self, answer: &Carried, replies: &[Reply], _now: Timestamp) -> Step {
        if let Some(step) = replies.last().and_then(meta_send::refusal) {
            return step;
        }
        let Some(from) = answer.path.as_deref() else {
            return Step::Reject { why: "it is not known which of our numbers the customer wrote to".to_owned() };
        };
        if let (Some(template), []) = (&answer.template, replies) {
            return self.graph.send(&[from, "messages"], &templated(answer, template));
        }
        let texts = match answer.template {
            Some(_) => vec![""],
            None => meta_send::pieces(&answer.text, TEXT_CHARS_MAX),
        };
        let sent = replies.len();
        if let Some(text) = texts.get(sent) {
            let mut body = envelope(answer, "text");
            body["text"] = serde_json::json!({ "preview_url": false, "body": text });
            if let Some(answered) = answer.answers_key.as_deref().filter(|_| sent == 0) {
                body["context"] = serde_json::json!({ "message_id": answered });
            }
            return self.graph.send(&[from, "messages"], &body);
        }
        let (at, is_put) = ((sent - texts.len()) / 2, (sent - texts.len()) % 2 == 1);
        let Some(file) = answer.files.get(at) else {
            let id = |reply: &Reply| {
                let body = json::read(reply.body.as_bytes()).ok()?;
                json::id(json::elements(&body, "messages").first()?, "id")
            };
            let link = |remote| Link { kind: LinkedKind::Message, object: answer.message.0, remote };
            return Step::Done(replies.iter().filter_map(id).map(link).collect());
        };
        if !is_put {
            let fields = [("messaging_product", NAME.to_owned()), ("type", file.media_type.clone())];
            return self.graph.send_file(&[from, "media"], &fields, ("file", file));
        }
        let put = replies.last().and_then(|reply| json::id(&json::read(reply.body.as_bytes()).ok()?, "id"));
        let Some(id) = put else {
            return Step::Retry { after: None, why: "Meta's answer names no file".to_owned() };
        };
        let kind = match file.media_type.split('/').next() {
            Some("image") => "image",
            Some("video") => "video",
            Some("audio") => "audio",
            _ => "document",
        };
        let mut body = envelope(answer, kind);
        body[kind] = serde_json::json!({ "id": id });
        if kind == "document" {
            body[kind]["filename"] = file.name.as_str().into();
        }
        self.graph.send(&[from, "messages"], &body)
    }
}

/// A template, which may quote what it answers like any message.
fn templated(answer: &Carried, template: &Filled) -> Value {
    let mut body = envelope(answer, "template");
    body["template"] = serde_json::json!({ "name": template.name, "language": { "code": template.language } });
    if !template.parameters.is_empty() {
        let text = |text: &String| serde_json::json!({ "type": "text", "text": text });
        let parameters: Vec<Value> = template.parameters.iter().map(text).collect();
        body["template"]["components"] = serde_json::json!([{ "type": "body", "parameters": parameters }]);
    }
    if let Some(answered) = &answer.answers_key {
        body["context"] = serde_json::json!({ "message_id": answered });
    }
    body
}

/// What every message to a customer holds. A number goes without its plus, a user id under a key of its own.
fn envelope(answer: &Carried, kind: &str) -> Value {
    let to = if answer.to.scheme == TEL { "to" } else { "recipient" };
    serde_json::json!({
        "messaging_product": NAME, "recipient_type": "individual", to: answer.to.value.trim_start_matches('+'),
        "type": kind, "biz_opaque_callback_data": answer.key,
    })
}

impl WhatsApp {
    fn batch(&self, body: &Value, event: &RawEvent) -> Batch {
        let mut batch = Batch::default();
        for entry in meta::entries(body, OBJECT, &mut batch) {
            let id = json::id(entry, "id").unwrap_or_else(|| event.channel.clone());
            let scope = self.portfolio.clone().unwrap_or_else(|| id.clone());
            let account = Account { namespace: format!("{NAME}:{id}"), scope };
            let before = batch.len();
            let changes = json::list(entry, "changes", &mut batch);
            if changes.is_empty() && batch.len() == before {
                batch.fault("empty_entry", "an entry holds no changes");
            }
            for change in changes {
                account.change(change, &mut batch);
            }
        }
        batch
    }
}

/// Takes out of `contacts` who is in no item that is left.
fn without_strangers(body: &mut Value, items: &[Incoming]) {
    let people = redact::people(items);
    let below = |value: &mut Value, key| value.get_mut(key).and_then(Value::as_array_mut).map(std::mem::take);
    let is_left = |contact: &Value| {
        let name = contact.get("profile").and_then(|profile| json::filled(profile, "name"));
        let ids = ["wa_id", "user_id"].into_iter().filter_map(|key| json::id(contact, key));
        ids.into_iter().any(|id| people.contains(&(id.trim_start_matches('+'), name.as_deref())))
    };
    let entries = body.get_mut("entry").and_then(Value::as_array_mut).into_iter().flatten();
    let changes = entries.filter_map(|entry| entry.get_mut("changes")?.as_array_mut()).flatten();
    for value in changes.filter_map(|change| change.get_mut("value")) {
        if let Some(contacts) = below(value, "contacts") {
            value["contacts"] = contacts.into_iter().filter(is_left).collect();
        }
    }
}

/// The business account that an entry is about.
struct Account {
    /// Where ids of messages are unique.
    namespace: String,
    /// Where ids of people are unique.
    scope: String,
}

impl Account {
    /// ```json
    /// {"field": "messages", "value": {"messaging_product": "whatsapp",
    ///   "metadata": {"display_phone_number": "15550001111", "phone_number_id": "106540352242922"},
    ///   "contacts": [{"profile": {"name": "Anna"}, "wa_id": "358401234567", "user_id": "FI.13491208655302741918"}],
    ///   "messages": [{"from": "358401234567", "id": "wamid.x", "timestamp": "1697043223", "type": "text", "text": {"body": "Hei"}}],
    ///   "statuses": [], "errors": []}}
    /// ```
    fn change(&self, change: &Value, batch: &mut Batch) {
        let before = batch.len();
        let field = json::text(change, "field").unwrap_or_default();
        let Some(value) = change.get("value").filter(|value| value.is_object()) else {
            return batch.fault("no_value", format!("a change of `{}` has no value", json::word(&field)));
        };
        let mut excused = false;
        for (key, direction) in [("messages", Direction::FromCustomer), ("message_echoes", Direction::FromAgent)] {
            let messages = json::list(value, key, batch);
            // One that was redacted may have been what they excuse.
            excused |= messages.len() < json::elements(value, key).len();
            for message in messages {
                match field.as_str() {
                    "history" => self.file_of_history(value, message, batch),
                    _ => excused |= self.message(value, message, direction, batch),
                }
            }
        }
        for chunk in json::list(value, "history", batch) {
            self.history(value, chunk, batch);
        }
        for call in json::list(value, "calls", batch) {
            self.call(value, call, batch);
        }
        for status in json::list(value, "statuses", batch) {
            self.status(value, status, batch);
        }
        for preference in json::list(value, "user_preferences", batch) {
            self.preference(value, preference, batch);
        }
        // Without a message that they excuse, errors say that Meta could not deliver something.
        for error in json::list(value, "errors", batch).iter().filter(|_| !excused) {
            batch.fault("vendor_error", format!("WhatsApp reports: {}", error_words(error)));
        }
        if batch.len() == before {
            match field.as_str() {
                "messages" | "message_echoes" | "smb_message_echoes" | "" => {
                    batch.fault("empty_change", format!("a change of `{}` holds nothing", json::word(&field)));
                }
                _ => batch.item(change, self.other_change(&field, change)),
            }
        }
    }

    /// One message, echo or update. Returns whether it came without content, which errors beside it explain.
    fn message(&self, value: &Value, message: &Value, direction: Direction, batch: &mut Batch) -> bool {
        if message.as_object().is_none_or(|fields| fields.is_empty()) {
            batch.fault("empty_message", "an element of a list of messages is empty or no object");
            return false;
        }
        let key = json::id(message, "id").unwrap_or_else(|| json::made_key(&[&self.scope], message));
        let mut incoming = Incoming::new(&self.namespace, key);
        let customer = self.customer(value, message, direction);
        let kind = json::text(message, "type").unwrap_or_default();
        if customer.identities.is_empty() && kind != "system" {
            batch.fault("no_sender", format!("a message of type `{}` names no customer", json::word(&kind)));
        }
        incoming.direction = direction;
        match direction {
            Direction::FromCustomer => incoming.sender = customer,
            Direction::FromAgent => incoming.recipient = customer,
        }
        self.time(message, &mut incoming);
        self.pointers(message, &mut incoming);
        let metadata = value.get("metadata").filter(|_| direction == Direction::FromCustomer);
        incoming.answer_path = metadata.and_then(|metadata| json::id(metadata, "phone_number_id"));
        let unreadable = self.kind(&kind, message, &mut incoming);
        batch.item(message, incoming);
        unreadable
    }

    /// `{"metadata": {"phase": 0, "chunk_order": 1, "progress": 55}, "threads": [{"id": "<CUSTOMER>",
    /// "context": {"user_id": "…"}?, "messages": [{"from", "to"?, "id", "timestamp", "type", …,
    /// "history_context": {"status": "READ", "from_me": true?}}]}], "errors": [{"code": 2593109, …}]?}`:
    /// what was said up to 180 days before the business's phone was connected. An error says that the
    /// business shares none.
    fn history(&self, value: &Value, chunk: &Value, batch: &mut Batch) {
        let before = batch.len();
        for thread in json::list(chunk, "threads", batch) {
            let context = thread.get("context").unwrap_or(&Value::Null);
            let number = json::id(thread, "id").or_else(|| json::id(context, "wa_id"));
            let customer = self.person(value, json::id(context, "user_id"), number);
            for message in json::list(thread, "messages", batch) {
                self.past(value, &customer, message, batch);
            }
        }
        for error in json::list(chunk, "errors", batch) {
            batch.fault("vendor_error", format!("WhatsApp reports: {}", error_words(error)));
        }
        if batch.len() == before {
            batch.item(chunk, self.other_change("history", chunk));
        }
    }

    /// A message of the history, and how far it came if it was ours.
    fn past(&self, value: &Value, customer: &Sender, message: &Value, batch: &mut Batch) {
        let Some(id) = json::id(message, "id") else {
            return batch.fault("no_id", "a message of the history has no id");
        };
        let direction = self.side(value, message);
        let mut incoming = Incoming::new(&self.namespace, id);
        incoming.direction = direction;
        match direction {
            Direction::FromCustomer => incoming.sender = customer.clone(),
            Direction::FromAgent => incoming.recipient = customer.clone(),
        }
        self.time(message, &mut incoming);
        self.pointers(message, &mut incoming);
        self.kind(&json::text(message, "type").unwrap_or_default(), message, &mut incoming);
        let (occurred_at, target) = (incoming.occurred_at, incoming.source_key.clone());
        batch.item(message, incoming);
        let reached = message.get("history_context").and_then(|context| json::text(context, "status"));
        let reached = reached.and_then(|word| Progress::parse(&word.to_ascii_lowercase()));
        if let (Direction::FromAgent, Some(progress)) = (direction, reached) {
            let mut status = Incoming::new(&self.namespace, &target);
            status.what = What::Status;
            status.direction = Direction::FromAgent;
            status.variant = format!("{}:history", progress.as_str());
            status.recipient = customer.clone();
            status.content = Content::Text(progress.as_str().to_owned());
            status.occurred_at = occurred_at;
            status.occurred_trusted = occurred_at.is_some();
            status.references.push(self.reference(ReferenceKind::Target, target));
            batch.item(message, status);
        }
    }

    /// The file of a message of the history, which stood there as `media_placeholder`: it comes in a
    /// webhook of its own, and only for messages of the last 14 days.
    fn file_of_history(&self, value: &Value, message: &Value, batch: &mut Batch) {
        let Some(id) = json::id(message, "id") else {
            return batch.fault("no_id", "a file of the history names no message");
        };
        let direction = self.side(value, message);
        let customer = self.customer(value, message, direction);
        let mut incoming = Incoming::new(&self.namespace, &id);
        incoming.what = What::Edit;
        incoming.variant = "file".to_owned();
        incoming.direction = direction;
        match direction {
            Direction::FromCustomer => incoming.sender = customer,
            Direction::FromAgent => incoming.recipient = customer,
        }
        self.time(message, &mut incoming);
        incoming.references.push(self.reference(ReferenceKind::Target, id));
        said(&json::text(message, "type").unwrap_or_default(), message).put(&mut incoming);
        batch.item(message, incoming);
    }

    /// Who said a message of the history: the business, where its own number or `from_me` says so.
    fn side(&self, value: &Value, message: &Value) -> Direction {
        let own = value.get("metadata").and_then(|metadata| json::id(metadata, "display_phone_number"));
        let digits = |text: &String| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let from = json::id(message, "from");
        let from_me = message.get("history_context").and_then(|context| context.get("from_me")?.as_bool());
        match from_me == Some(true) || (from.is_some() && from.as_ref().map(digits) == own.as_ref().map(digits)) {
            true => Direction::FromAgent,
            false => Direction::FromCustomer,
        }
    }

    /// Fills in what depends on the type. Returns whether the type's content was not there.
    fn kind(&self, kind: &str, message: &Value, incoming: &mut Incoming) -> bool {
        let object = message.get(kind).unwrap_or(&Value::Null);
        match kind {
            // A removal has an empty emoji, or none.
            "reaction" => {
                incoming.what = What::Reaction;
                incoming.content = Content::Text(json::text(object, "emoji").unwrap_or_default());
                self.target(object, "message_id", incoming);
            }
            "revoke" => {
                incoming.what = What::Delete;
                self.target(object, "original_message_id", incoming);
            }
            "edit" => {
                incoming.what = What::Edit;
                self.target(object, "original_message_id", incoming);
                let edited = object.get("message").unwrap_or(&Value::Null);
                let inner = json::text(edited, "type").unwrap_or_else(|| "edit".to_owned());
                return said(&inner, edited).put(incoming);
            }
            "system" => self.notice(message, object, incoming),
            // The customer opened the chat for the first time and has said nothing yet.
            "request_welcome" => incoming.what = What::Notice,
            _ => return said(kind, message).put(incoming),
        }
        false
    }

    /// `{"from": "<old>"?, "system": {"type": "user_changed_number", "body": "…", "wa_id": "<new>",
    /// "user_id": "<new>"?, "previous_user_id": "<old>"?}}`, or with `user_changed_user_id` where no number
    /// can be shared; `new_wa_id` before v12. Other types (`customer_identity_changed`) are told only.
    fn notice(&self, message: &Value, system: &Value, incoming: &mut Incoming) {
        incoming.what = What::Notice;
        let kind = json::word(&json::text(system, "type").unwrap_or_default());
        let body = json::filled(system, "body");
        incoming.content = Content::Text(body.unwrap_or_else(|| format!("[system: {kind}]")));
        let number_changed = matches!(kind.as_str(), "user_changed_number" | "customer_changed_number");
        let moves = number_changed || kind == "user_changed_user_id";
        incoming.variant = kind;
        if !moves {
            return;
        }
        let named = json::id(message, "from_user_id");
        let (previous, current) = (json::id(system, "previous_user_id"), json::id(system, "user_id"));
        // The notice is in the name of the person as he was, where it does not say both.
        let old_user = previous.or_else(|| named.clone().filter(|named| Some(named) != current.as_ref()));
        let new_user = current.or(named).filter(|user| Some(user) != old_user.as_ref());
        let new_number = json::id(system, "wa_id").or_else(|| json::id(system, "new_wa_id"));
        // A number beside a changed user id alone may be either, so nobody is taken from it.
        let old_number = json::id(message, "from").or_else(|| json::id(system, "customer"));
        let old_number = old_number.filter(|_| number_changed);
        let left = self.identities(&[old_user], &[old_number]);
        let mut moved_to = self.identities(&[new_user], &[new_number]);
        moved_to.retain(|new| !left.iter().any(|old| old.identity == new.identity));
        if !moved_to.is_empty() {
            incoming.sender.identities = left;
            incoming.moved_to = moved_to;
        }
    }

    /// `{"id": "wamid.x", "status": "read", "timestamp": "1698266945", "recipient_id": "358401234567",
    /// "recipient_user_id": "FI.1"?, "errors": [{"code": 130472, "title": "…"}]}`. The subject says why
    /// one failed.
    fn status(&self, value: &Value, status: &Value, batch: &mut Batch) {
        let (Some(id), Some(word)) = (json::id(status, "id"), json::filled(status, "status")) else {
            return batch.fault("no_target", "a status names no message or no state");
        };
        let word = json::word(&word);
        // In a group the recipient is the group, and the person a participant.
        let (number, user) = match json::text(status, "recipient_type").as_deref() {
            Some("group") => {
                let user = json::id(status, "recipient_participant_user_id");
                (json::id(status, "recipient_participant_id"), user.or_else(|| json::id(status, "recipient_user_id")))
            }
            _ => (json::id(status, "recipient_id"), json::id(status, "recipient_user_id")),
        };
        let mut incoming = Incoming::new(&self.namespace, id);
        incoming.what = What::Status;
        incoming.direction = Direction::FromAgent;
        incoming.variant = format!("{word}:{}", number.as_deref().or(user.as_deref()).unwrap_or_default());
        incoming.recipient = self.person(value, user, number);
        incoming.content = Content::Text(word);
        incoming.subject = json::elements(status, "errors").first().map(reason);
        self.time(status, &mut incoming);
        match json::filled(status, "biz_opaque_callback_data").filter(|key| key.starts_with(TOKEN)) {
            Some(key) => incoming.references.push(self.reference(ReferenceKind::Target, key)),
            None => self.target(status, "id", &mut incoming),
        }
        batch.item(status, incoming);
    }

    /// `{"id": "wacid.x", "from": "358401234567", "to": "15550001111", "event": "terminate", "direction":
    /// "USER_INITIATED", "status": "COMPLETED", "timestamp": "1767323099", "start_time": "1767323050"?,
    /// "end_time": "1767323099"?, "duration": 49?}`. A call is told when it ended; what comes before that says
    /// only that it rings. Times and length are there when it was taken.
    fn call(&self, value: &Value, call: &Value, batch: &mut Batch) {
        if call.as_object().is_none_or(|fields| fields.is_empty()) {
            return batch.fault("empty_call", "an element of `calls` is empty or no object");
        }
        let direction = match json::text(call, "direction").as_deref() {
            Some("BUSINESS_INITIATED") => Direction::FromAgent,
            Some("USER_INITIATED") => Direction::FromCustomer,
            _ => self.side(value, call),
        };
        let customer = self.customer(value, call, direction);
        if customer.identities.is_empty() {
            batch.fault("no_sender", "a call names no customer");
        }
        let event = json::word(&json::text(call, "event").unwrap_or_default());
        let made = || json::made_key(&[&self.scope], call);
        let mut incoming = match (event.as_str(), json::id(call, "id")) {
            ("terminate", id) => {
                let key = id.unwrap_or_else(made);
                let mut incoming = Incoming::new(&self.namespace, &key);
                self.time(call, &mut incoming);
                incoming.occurred_at = call.get("start_time").and_then(json::timestamp).or(incoming.occurred_at);
                let ended = told(call, key, incoming.occurred_at, direction);
                if direction == Direction::FromCustomer && ended.outcome != CallOutcome::Answered {
                    incoming.marks.push(Mark::CallBack);
                }
                incoming.content = Content::Call(ended, String::new());
                incoming
            }
            _ => {
                let mut incoming = Incoming::new(&self.namespace, made());
                incoming.what = What::Notice;
                incoming.content = Content::Text(format!("[call: {event}]"));
                self.time(call, &mut incoming);
                incoming
            }
        };
        incoming.direction = direction;
        match direction {
            Direction::FromCustomer => incoming.sender = customer,
            Direction::FromAgent => incoming.recipient = customer,
        }
        batch.item(call, incoming);
    }

    /// `{"wa_id": "358401234567", "category": "marketing_messages", "value": "stop", "timestamp": 1731705721}`.
    fn preference(&self, value: &Value, preference: &Value, batch: &mut Batch) {
        let mut incoming = Incoming::new(&self.namespace, json::made_key(&[&self.scope], preference));
        incoming.what = What::Notice;
        incoming.sender = self.person(value, json::id(preference, "user_id"), json::id(preference, "wa_id"));
        let of = |key| json::word(&json::text(preference, key).unwrap_or_default());
        incoming.content = Content::Text(format!("[preference: {} {}]", of("category"), of("value")));
        self.time(preference, &mut incoming);
        batch.item(preference, incoming);
    }

    /// A change of the account, a template, a field that Meta invents tomorrow: shown, never dropped.
    fn other_change(&self, field: &str, change: &Value) -> Incoming {
        let mut incoming = Incoming::new(&self.namespace, json::made_key(&[&self.scope, field], change));
        incoming.what = What::Notice;
        incoming.content = Content::Text(format!("[change: {}]", json::word(field)));
        incoming.marks.push(Mark::Unsupported);
        incoming
    }

    /// The customer's side of a message: `from` and `from_user_id`, of an echo `to` and `to_user_id`.
    fn customer(&self, value: &Value, message: &Value, direction: Direction) -> Sender {
        let (number, user) = match direction {
            Direction::FromCustomer => ("from", "from_user_id"),
            Direction::FromAgent => ("to", "to_user_id"),
        };
        let (number, user) = (json::id(message, number), json::id(message, user));
        self.person(value, user, number)
    }

    /// A person of these ids, with the ids and the name that `contacts[]` has for the same person.
    fn person(&self, value: &Value, user: Option<String>, number: Option<String>) -> Sender {
        let same = |contact: &&Value| {
            let equal = |own: &Option<String>, key| own.is_some() && json::id(contact, key) == *own;
            equal(&user, "user_id") || equal(&number, "wa_id")
        };
        let contact = json::elements(value, "contacts").iter().take(CONTACTS_MAX).find(same).unwrap_or(&Value::Null);
        let name = contact.get("profile").and_then(|profile| json::filled(profile, "name"));
        let users = [user, json::id(contact, "user_id")];
        let numbers = [number, json::id(contact, "wa_id")];
        Sender { name, identities: self.identities(&users, &numbers), stated: Vec::new() }
    }

    /// The identities of one person, BSUID first. What stands in a number's place and is none (a
    /// BSUID, after third parties' reports; a placeholder) stays opaque.
    fn identities(&self, users: &[Option<String>], numbers: &[Option<String>]) -> Vec<SenderIdentity> {
        let opaque = |value: &String| Identity::opaque(SCHEME, &self.scope, value).ok();
        let number = |value: &String| match PhoneNumber::parse_international(value) {
            Ok(number) => Some(Identity::phone(&number)),
            Err(_) => opaque(value),
        };
        let users = users.iter().flatten().filter_map(opaque);
        let (opaques, phones): (Vec<_>, Vec<_>) =
            numbers.iter().flatten().filter_map(number).partition(|identity| identity.scheme == SCHEME);
        let mut found: Vec<SenderIdentity> = Vec::new();
        for identity in users.chain(opaques).chain(phones) {
            if !found.iter().any(|known| known.identity == identity) {
                found.push(SenderIdentity { identity, assurance: Assurance::Verified });
            }
        }
        found
    }

    /// The vendor's time; without one that can be read, the time of arrival stands and is marked.
    fn time(&self, element: &Value, incoming: &mut Incoming) {
        incoming.occurred_at = element.get("timestamp").and_then(json::timestamp);
        incoming.occurred_trusted = incoming.occurred_at.is_some();
        if incoming.occurred_at.is_none() {
            incoming.marks.push(Mark::DateDoubtful);
        }
    }

    /// What the message points at: the one it answers, the group it was said in, the advertisement
    /// or post it came from (whose headline, else text, becomes the subject).
    fn pointers(&self, message: &Value, incoming: &mut Incoming) {
        let context = message.get("context").unwrap_or(&Value::Null);
        if let Some(id) = json::id(context, "id") {
            incoming.references.push(self.reference(ReferenceKind::Reply, id));
        }
        if let Some(group) = json::id(message, "group_id") {
            incoming.references.push(self.reference(ReferenceKind::Group, group));
        }
        let forwarded = |key| context.get(key).and_then(Value::as_bool) == Some(true);
        if forwarded("forwarded") || forwarded("frequently_forwarded") {
            incoming.marks.push(Mark::Forwarded);
        }
        let referral = message.get("referral");
        let referral = referral.and_then(|ad| json::filled(ad, "headline").or_else(|| json::filled(ad, "body")));
        let product = context.get("referred_product").and_then(|product| json::filled(product, "product_retailer_id"));
        incoming.subject = referral.or_else(|| product.map(|product| format!("[product] {product}")));
    }

    fn target(&self, element: &Value, key: &str, incoming: &mut Incoming) {
        incoming.references.extend(json::id(element, key).map(|id| self.reference(ReferenceKind::Target, id)));
    }

    fn reference(&self, kind: ReferenceKind, key: String) -> Reference {
        Reference { kind, namespace: self.namespace.clone(), key }
    }
}

/// What is told of a call that ended, as one leg. It was taken if it has a length.
fn told(call: &Value, key: String, began: Option<Timestamp>, direction: Direction) -> Call {
    let at = |name| call.get(name).and_then(json::timestamp).map(Timestamp::as_second);
    let between = || at("end_time")?.checked_sub(at("start_time")?);
    let stated = call.get("duration").and_then(|told| told.as_i64().or_else(|| told.as_str()?.trim().parse().ok()));
    let talk_s = stated.or_else(between).and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or_default();
    let status = call.get("status").and_then(|status| status.get(0).unwrap_or(status).as_str());
    let outcome = match (status, talk_s) {
        (_, 1..) => CallOutcome::Answered,
        (Some("FAILED"), _) if direction == Direction::FromAgent => CallOutcome::Failed,
        _ => CallOutcome::Missed,
    };
    let number = |name| json::id(call, name).unwrap_or_default();
    let leg = CallLeg {
        start: began.unwrap_or_default(),
        key,
        from: number("from"),
        to: number("to"),
        at: String::new(),
        duration_s: talk_s,
        talk_s,
        outcome,
        recording: String::new(),
    };
    Call { outcome, duration_s: talk_s, talk_s, answered_by: String::new(), legs: vec![leg] }
}

/// An error's code and title, which are Meta's own words.
fn error_words(error: &Value) -> String {
    let code = json::id(error, "code").map_or_else(|| "no code".to_owned(), |code| json::word(&code));
    let title = json::filled(error, "title").or_else(|| json::filled(error, "message")).unwrap_or_default();
    format!("{code} {}", title.chars().take(200).collect::<String>()).trim_end().to_owned()
}

/// Why something could not be delivered: an error's words with the details, which tell the desk more.
fn reason(error: &Value) -> String {
    let words = error_words(error);
    let details = error.get("error_data").and_then(|data| json::filled(data, "details"));
    match details.filter(|details| !words.ends_with(details.as_str())) {
        Some(details) => format!("{words}: {}", details.chars().take(300).collect::<String>()),
        None => words,
    }
}

/// What a message says.
#[derive(Default)]
struct Said {
    text: String,
    attachments: Vec<Attachment>,
    /// Nothing that could be read; the text names the type.
    unsupported: bool,
    /// The text is about somebody else: none of it is the sender's own.
    of_others: bool,
}

impl Said {
    fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    fn unsupported(kind: &str) -> Self {
        let kind = if kind.is_empty() { "no type".to_owned() } else { json::word(kind) };
        Self { text: format!("[unsupported: {kind}]"), unsupported: true, ..Self::default() }
    }

    fn put(self, incoming: &mut Incoming) -> bool {
        incoming.own = self.of_others.then(String::new);
        incoming.content = Content::Text(self.text);
        incoming.attachments = self.attachments;
        if self.unsupported {
            incoming.marks.push(Mark::Unsupported);
        }
        self.unsupported
    }
}

/// The words and files of a message of a type.
fn said(kind: &str, message: &Value) -> Said {
    let object = message.get(kind).unwrap_or(&Value::Null);
    let found = match kind {
        "text" => json::text(object, "body").map(Said::text),
        "image" | "video" | "document" | "audio" | "voice" | "sticker" => file(kind, object),
        "location" => location(object).map(Said::text),
        "contacts" => cards(object).map(|text| Said { of_others: true, ..Said::text(text) }),
        "interactive" => interactive(object),
        "button" => json::filled(object, "text").or_else(|| json::filled(object, "payload")).map(Said::text),
        "order" => order(object).map(Said::text),
        "media_placeholder" => Some(Said::text("[a file that is not in the history]")),
        _ => None,
    };
    // Meta names what it cannot pass on in one way, a reply of a new kind in another.
    let named = || json::filled(message.get("unsupported")?, "type");
    let inner = || json::filled(object, "type").filter(|_| kind == "interactive");
    found.unwrap_or_else(|| {
        let said = Said::unsupported(named().or_else(inner).as_deref().unwrap_or(kind));
        // Why a file did not come (it is too large, …) is for the desk; that a type is not known says nothing more.
        let error = json::elements(message, "errors").first();
        match error.filter(|error| json::id(error, "code").is_some_and(|code| code != UNKNOWN_TYPE)) {
            Some(error) => Said { text: format!("{} {}", said.text, reason(error)), of_others: true, ..said },
            None => said,
        }
    })
}

/// `{"id": "65463453", "mime_type": "image/jpeg", "sha256": "…", "caption"?, "filename"?, "url"?}`.
/// The id can be fetched for seven days, the URL for five minutes: the id is kept. `sha256` is base64 here.
fn file(kind: &str, object: &Value) -> Option<Said> {
    let id = json::id(object, "id").map(|id| Remote { kept: Some(MEDIA_KEPT), ..Remote::at(id) });
    let remote = id.or_else(|| json::filled(object, "url").map(Remote::at))?;
    let sha256 = json::text(object, "sha256").and_then(|text| media::sha256(&text));
    let general = match kind {
        "image" => "image/*",
        "video" => "video/*",
        "audio" | "voice" => "audio/*",
        "sticker" => "image/webp",
        _ => "application/octet-stream",
    };
    let stated = json::filled(object, "mime_type")
        .map(|stated| stated.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    let attachment = Attachment {
        name: json::filled(object, "filename").or_else(|| json::filled(object, "file_name")),
        media_type: stated.filter(|stated| stated.contains('/')).unwrap_or_else(|| general.to_owned()),
        source: AttachmentSource::Remote(Remote { sha256, ..remote }),
        inline: false,
    };
    let text = json::text(object, "caption").unwrap_or_default();
    Some(Said { text, attachments: vec![attachment], ..Said::default() })
}

/// `{"latitude": 60.17, "longitude": 24.94, "name"?, "address"?, "url"?}` as name, address and a
/// `geo:` URI (RFC 5870) of four decimals, 11 m: digits enough for a door, too few for an order number.
fn location(object: &Value) -> Option<String> {
    let degrees = |key| {
        let value = object.get(key)?;
        value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|degrees| degrees.abs() <= 360.0)
    };
    let place = match (degrees("latitude"), degrees("longitude")) {
        (Some(latitude), Some(longitude)) => Some(format!("geo:{latitude:.4},{longitude:.4}")),
        _ => None,
    };
    let lines: Vec<String> =
        [json::filled(object, "name"), json::filled(object, "address"), place].into_iter().flatten().collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// `[{"name": {"formatted_name": "Monica", "first_name"?, "last_name"?}, "org": {"company"}?, "phones":
/// [{"phone"?, "wa_id"?}], "emails": [{"email"}], "addresses": [{"street", "zip", "city", …}]}]`, a line a card.
fn cards(object: &Value) -> Option<String> {
    let joined = |object: &Value, keys: &[&str]| {
        let words: Vec<String> = keys.iter().filter_map(|key| json::filled(object, key)).collect();
        (!words.is_empty()).then(|| words.join(" "))
    };
    let card = |card: &Value| {
        let name = card.get("name").unwrap_or(&Value::Null);
        let name = json::filled(name, "formatted_name").or_else(|| joined(name, &["first_name", "last_name"]));
        let company = card.get("org").and_then(|org| json::filled(org, "company"));
        let phone =
            |phone: &Value| json::filled(phone, "phone").or(json::id(phone, "wa_id").map(|id| format!("+{id}")));
        let phones = json::elements(card, "phones").iter().filter_map(phone);
        let emails = json::elements(card, "emails").iter().filter_map(|email| json::filled(email, "email"));
        let address = |address: &Value| joined(address, &["street", "zip", "city", "state", "country"]);
        let addresses = json::elements(card, "addresses").iter().filter_map(address);
        let words: Vec<String> =
            [name, company].into_iter().flatten().chain(phones).chain(emails).chain(addresses).collect();
        format!("[contact card] {}", words.join(", ")).trim_end().to_owned()
    };
    let lines: Vec<String> = object.as_array()?.iter().map(card).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// What was chosen or filled in: `button_reply`, `list_reply`, `nfm_reply` (a form), `call_permission_reply`. Of
/// another type the words, and the product of the catalogue: a customer asks about one (`product`), and in
/// echoes stands what the business sends.
fn interactive(object: &Value) -> Option<Said> {
    let kind = json::text(object, "type")?;
    let reply = object.get(&kind).unwrap_or(&Value::Null);
    match kind.as_str() {
        "button_reply" | "list_reply" => {
            json::filled(reply, "title").or_else(|| json::filled(reply, "id")).map(Said::text)
        }
        "nfm_reply" if reply.is_object() => Some(form(reply)),
        "call_permission_reply" if reply.is_object() => {
            let response = json::text(reply, "response").unwrap_or_default();
            Some(Said::text(format!("[call permission: {}]", json::word(&response))))
        }
        _ => {
            let words = object.get("body").and_then(|body| json::filled(body, "text"));
            let places = [Some(reply), object.get("action")].into_iter().flatten();
            let product = places.filter_map(|place| json::filled(place, "product_retailer_id")).next();
            let lines = [words, product.map(|product| format!("[product] {product}"))];
            let lines: Vec<String> = lines.into_iter().flatten().collect();
            (!lines.is_empty()).then(|| Said::text(lines.join("\n")))
        }
    }
}

/// `{"name": "flow", "body": "Sent", "response_json": "{\"order\": \"40012345\", \"flow_token\": \"…\"}"}`:
/// the answers, a line each. `response_json` is text that holds JSON, sometimes the JSON itself. An address
/// (`address_message`) stands one level deeper. Files that were chosen in it (`"photo_picker": [{"id",
/// "file_name", "mime_type", "sha256"}]`, …/whatsapp/flows/reference/media_upload) are those of the message.
fn form(reply: &Value) -> Said {
    let inner = match reply.get("response_json") {
        Some(Value::String(text)) => json::read(text.as_bytes()).unwrap_or_else(|_| Value::String(text.clone())),
        Some(other) => other.clone(),
        None => Value::Null,
    };
    let shown = |value: &Value| match value {
        Value::String(text) => json::clean(text),
        other => json::clean(&other.to_string()),
    };
    let (mut lines, mut attachments) = (Vec::new(), Vec::new());
    match &inner {
        Value::Object(fields) => {
            // The ids are the form's, not the customer's.
            let is_his = |name: &str| name != "flow_token" && name != "saved_address_id";
            for (name, value) in fields.iter().filter(|(name, _)| is_his(name)) {
                match (picked(value), value) {
                    (Some(files), _) => attachments.extend(files),
                    (None, Value::Object(deeper)) => {
                        lines.extend(deeper.iter().map(|(name, value)| (name, shown(value))))
                    }
                    (None, value) => lines.push((name, shown(value))),
                }
            }
        }
        Value::Null => {}
        other => {
            let values = other.as_array().map_or(std::slice::from_ref(other), Vec::as_slice);
            return Said::text(values.iter().map(shown).collect::<Vec<_>>().join("\n"));
        }
    }
    let lines: Vec<String> = lines.iter().map(|(name, value)| format!("{}: {value}", json::clean(name))).collect();
    let is_empty = lines.is_empty() && attachments.is_empty();
    let text = if is_empty { json::text(reply, "body").unwrap_or_default() } else { lines.join("\n") };
    Said { text, attachments, ..Said::default() }
}

/// The files that an answer of a form consists of, if it does.
fn picked(value: &Value) -> Option<Vec<Attachment>> {
    let files = value.as_array().filter(|files| !files.is_empty())?;
    let one = |value: &Value| {
        json::filled(value, "mime_type")?;
        file("document", value)?.attachments.pop()
    };
    files.iter().map(one).collect()
}

/// `{"catalog_id": "354160437058781", "text": "", "product_items": [{"product_retailer_id": "SODA",
/// "quantity": 2, "item_price": 10, "currency": "ILS"}]}`: the words, then a line a product.
fn order(object: &Value) -> Option<String> {
    let shown = |item: &Value, key| match item.get(key) {
        Some(Value::String(text)) => json::clean(text),
        Some(Value::Number(number)) => number.to_string(),
        _ => "?".to_owned(),
    };
    let product = |item: &Value| {
        let (quantity, name) = (shown(item, "quantity"), shown(item, "product_retailer_id"));
        format!("[order] {quantity} x {name} at {} {}", shown(item, "item_price"), shown(item, "currency"))
    };
    let products = json::elements(object, "product_items").iter().map(product);
    let lines: Vec<String> = json::filled(object, "text").into_iter().chain(products).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
