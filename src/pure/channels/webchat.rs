//! Web chat in lanka's own JSON, for any chat window: signed as Standard Webhooks.
//!
//! `POST /hooks/{channel}` with one event or a list of events:
//!
//! ```json
//! {"event_id": "wc-1", "type": "message", "conversation_id": "conv-1",
//!  "visitor": {"id": "v-1", "name": "Minna", "email": "minna@example.fi", "phone": "040 123 4567"},
//!  "text": "Where is my order?", "sent_at": "2026-03-03T05:52:11Z", "page_url": "https://shop.example/help"}
//! ```
//!
//! **Namespace:** `webchat:` and the channel's name. **Identities:** the visitor's id, a cookie of
//! one browser, within the channel. **Invariant:** what the visitor typed (name, address, number) is
//! stated, never an identity.

use super::{Built, Channel, Delivery, Forged, Form, Intake, Kind, Own, Setup, Unfit};
use crate::pure::domain::identity::{Assurance, EmailAddress, Identity, PhoneNumber};
use crate::pure::domain::message::{
    Content, Incoming, Mark, Parsed, RawEvent, Reference, ReferenceKind, Sender, SenderIdentity,
};
use crate::pure::domain::secret::Secret;
use crate::pure::wire::batch::Batch;
use crate::pure::wire::standard_webhooks::{self, SigningKey};
use crate::pure::wire::{json, settings};
use serde::Deserialize;
use serde_json::Value;

/// The kind, as the configuration knows it.
pub const KIND: Kind =
    Kind { name: NAME, summary: "web chat, generic JSON signed as Standard Webhooks", form: Form::Body, build, dry };

const NAME: &str = "webchat";

/// The scheme of visitors' ids.
pub const SCHEME: &str = NAME;

/// The channel's table in the configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The signing key, `whsec_` and base64.
    secret: Secret,
    /// Keys that still verify while the sender changes to a new one.
    #[serde(default)]
    previous_secrets: Vec<Secret>,
}

fn build(setup: &Setup<'_>, table: toml::Table) -> Result<Built, Unfit> {
    let (settings, mut problems): (Settings, _) = settings::read_kind(table)?;
    let mut keys = Vec::new();
    let previous =
        settings.previous_secrets.iter().enumerate().map(|(n, secret)| (format!("previous_secrets.{n}"), secret));
    for (key, secret) in std::iter::once(("secret".to_owned(), &settings.secret)).chain(previous) {
        match SigningKey::parse(secret) {
            Ok(found) => keys.push(found),
            Err(error) => problems.add(key, error.to_string()),
        }
    }
    let channel = Box::new(WebChat::new(setup, keys));
    Built { channel, intake: Intake::Webhook, own: Own::default() }.unless(problems)
}

fn dry(setup: &Setup<'_>) -> Box<dyn Channel> {
    Box::new(WebChat::new(setup, Vec::new()))
}

struct WebChat {
    keys: Vec<SigningKey>,
    /// The channel's name: what visitors' ids are unique in.
    name: String,
    region: String,
}

impl WebChat {
    fn new(setup: &Setup<'_>, keys: Vec<SigningKey>) -> Self {
        Self { keys, name: setup.name.to_owned(), region: setup.region.to_owned() }
    }
}

impl Channel for WebChat {
    fn verify(&self, delivery: &Delivery<'_>) -> Result<(), Forged> {
        standard_webhooks::verify(&self.keys, delivery, standard_webhooks::TOLERANCE_S)
    }

    fn parse(&self, event: &RawEvent) -> Parsed {
        let body = match json::read(&event.body) {
            Ok(body) => body,
            Err(fault) => return Parsed { items: Vec::new(), faults: vec![fault] },
        };
        let mut batch = Batch::default();
        for event in body.as_array().map_or(std::slice::from_ref(&body), Vec::as_slice) {
            self.event(event, &mut batch);
        }
        batch.finish()
    }
}

impl WebChat {
    fn event(&self, event: &Value, batch: &mut Batch) {
        let visitor = event.get("visitor").filter(|visitor| visitor.is_object());
        let kind = json::text(event, "type").unwrap_or_default();
        // Deliveries of other products have neither, and are read by kinds of their own.
        if !json::has(event, "event_id") && visitor.and_then(|visitor| json::id(visitor, "id")).is_none() {
            let kind = if kind.is_empty() { "no type".to_owned() } else { format!("type `{}`", json::word(&kind)) };
            return batch
                .fault("not_a_chat_event", format!("an event of {kind} has neither `event_id` nor `visitor.id`"));
        }
        let key = json::id(event, "event_id").unwrap_or_else(|| json::made_key(&[], event));
        let mut incoming = Incoming::new(format!("{NAME}:{}", self.name), key);
        incoming.sender = self.sender(visitor.unwrap_or(&Value::Null));
        if incoming.sender.identities.is_empty() {
            batch.fault("no_sender", "an event has no `visitor.id` that could be kept");
        }
        incoming.occurred_at = event.get("sent_at").and_then(json::timestamp);
        incoming.occurred_trusted = incoming.occurred_at.is_some();
        if incoming.occurred_at.is_none() {
            incoming.marks.push(Mark::DateDoubtful);
        }
        incoming.references.extend(json::id(event, "conversation_id").map(|key| Reference {
            kind: ReferenceKind::Conversation,
            namespace: incoming.namespace.clone(),
            key,
        }));
        let text = json::text(event, "text").filter(|_| kind == "message");
        if text.is_none() {
            incoming.marks.push(Mark::Unsupported);
        }
        incoming.content = Content::Text(text.unwrap_or_else(|| format!("[unsupported: {}]", json::word(&kind))));
        batch.item(incoming);
    }

    fn sender(&self, visitor: &Value) -> Sender {
        let identity = json::id(visitor, "id").and_then(|id| Identity::opaque(SCHEME, &self.name, &id).ok());
        let email = json::text(visitor, "email").and_then(|email| EmailAddress::parse(&email).ok());
        let phone = json::text(visitor, "phone").and_then(|phone| PhoneNumber::parse(&phone, &self.region).ok());
        Sender {
            name: json::filled(visitor, "name"),
            identities: identity
                .map(|identity| SenderIdentity { identity, assurance: Assurance::Plausible })
                .into_iter()
                .collect(),
            stated: email
                .as_ref()
                .map(Identity::email)
                .into_iter()
                .chain(phone.as_ref().map(Identity::phone))
                .collect(),
        }
    }
}
