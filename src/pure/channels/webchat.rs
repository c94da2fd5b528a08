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
//! What each `type` becomes:
//!
//! | `type` | becomes |
//! |---|---|
//! | `message`, also left out where there is a `text` | a message; without text and file an empty one, of kind `none` |
//! | `typing`, `read`, `presence`, `session_start`, `session_end` | a notice: kept, on no ticket, opens none |
//! | any other | a message `[unsupported: …]` with that mark: it may hold what the visitor said |
//! | whatever has no `visitor.id` | the fault `no_sender`, and nothing else: nobody could be answered |
//!
//! `attachments`, if there are any, are `[{"url", "name"?, "type"?}]` (`type` as `image/png`): they are fetched later.
//!
//! **Vouched for.** Whoever sets a cookie can be any visitor. A site whose visitors log in may set
//! `identity_secret` and send `visitor.verified`: HMAC-SHA256 over the bytes of `visitor.id` as sent, keyed
//! with the bytes of the secret, in hexadecimal, made by the site's server and never in the page. Then that
//! id is verified; without it, or with a wrong one, the id is self-asserted. It vouches for the id, never for
//! what was typed beside it.
//!
//! **Namespace:** `webchat:` and the channel's name. **Identities:** the visitor's id, a cookie of
//! one browser, within the channel, plausible where the site vouches for none. **Invariant:** what the
//! visitor typed (name, address, number) is stated, never an identity.

use super::{
    Accounts, Answers, Built, Carried, Channel, Delivery, Forged, Form, Intake, Kind, Like, MediaReply, MediaStep,
    Outgoing, Own, Redacted, Reply, Sample, SettingsProblem, Setup, Step, Unfit, Way,
};
use crate::pure::domain::Timestamp;
use crate::pure::domain::answer::CarriedFile;
use crate::pure::domain::identity::{Assurance, EmailAddress, Identity, PhoneNumber};
use crate::pure::domain::message::{
    Attachment, AttachmentSource, Content, Incoming, Mark, Parsed, RawEvent, Reference, ReferenceKind, Remote, Sender,
    SenderIdentity, What,
};
use crate::pure::domain::secret::Secret;
use crate::pure::wire::batch::Batch;
use crate::pure::wire::standard_webhooks::{self, SigningKey};
use crate::pure::wire::{json, media, redact, settings};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;
use std::sync::Arc;
use std::time::Duration;

/// The kind, as the configuration knows it.
pub const KIND: Kind = Kind {
    name: NAME,
    form: Form::Body,
    like: Some(Like::Chat),
    accounts: Accounts { called: &["chat", "tšat", "tsat", "webchat"], schemes: &[SCHEME] },
    build,
    dry,
};

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
    /// The key of `visitor.verified`, at least 16 bytes. With it an id that is not vouched for is
    /// self-asserted.
    identity_secret: Option<Secret>,
    /// Where answers are posted to, signed with `secret`. Left out, agents cannot answer on this channel.
    answer_url: Option<String>,
    /// Whether there is a page to try the channel out with, on this machine.
    #[serde(default)]
    sample_page: bool,
}

/// The page to try the channel out with.
const SAMPLE: &str = include_str!("../../../config/webchat.html");

/// A shorter key could be tried out by whoever has seen one HMAC. Bytes.
const IDENTITY_SECRET_BYTES_MIN: usize = 16;

/// Files taken from one event; a chat window sends a few. The rest is marked as left out.
const ATTACHMENTS_MAX: usize = 32;

/// Types without words of the visitor.
const NOTICES: &[&str] = &["typing", "read", "presence", "session_start", "session_end"];

fn build(setup: &Setup<'_>, table: toml::Table) -> Result<Built, Unfit> {
    let (settings, mut problems): (Settings, _) = settings::read_kind(table)?;
    let keys = standard_webhooks::signing_keys(&settings.secret, &settings.previous_secrets, &mut problems);
    if settings.identity_secret.as_ref().is_some_and(|key| key.expose().len() < IDENTITY_SECRET_BYTES_MIN) {
        let why = format!("is shorter than {IDENTITY_SECRET_BYTES_MIN} bytes, and could be guessed");
        problems.add("identity_secret", why);
    }
    problems.extend(check_answer_url(settings.answer_url.as_deref()).err());
    let answers = settings.answer_url.zip(keys.first().cloned()).map(|(url, key)| Posts { url, key });
    let channel = Box::new(WebChat {
        answers,
        identity_key: settings.identity_secret,
        sample_page: settings.sample_page,
        ..WebChat::new(setup, keys)
    });
    Built { channel, intake: Intake::Webhook, own: Own::default() }.unless(problems)
}

fn dry(setup: &Setup<'_>) -> Box<dyn Channel> {
    Box::new(WebChat::new(setup, Vec::new()))
}

struct WebChat {
    keys: Vec<SigningKey>,
    /// How answers are posted.
    answers: Option<Posts>,
    /// What visitors' ids are vouched for with, if the site does.
    identity_key: Option<Secret>,
    /// Whether there is a page to try it out with.
    sample_page: bool,
    /// The channel's name: what visitors' ids are unique in.
    name: String,
    region: String,
}

impl WebChat {
    fn new(setup: &Setup<'_>, keys: Vec<SigningKey>) -> Self {
        Self {
            keys,
            answers: None,
            identity_key: None,
            sample_page: false,
            name: setup.name.to_owned(),
            region: setup.region.to_owned(),
        }
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
        self.batch(&body).finish()
    }

    fn redact(&self, event: &RawEvent, item: u32) -> Option<Redacted> {
        redact::in_json(&event.body, item, |body| self.batch(body), |_, _| {})
    }

    fn sample(&self) -> Option<&dyn Sample> {
        self.sample_page.then_some(self as &dyn Sample)
    }

    fn answers(&self) -> Option<&dyn Answers> {
        self.answers.as_ref().map(|posts| posts as &dyn Answers)
    }

    fn media(&self, remote: &str, replies: &[MediaReply]) -> MediaStep {
        media::by_url(remote, replies)
    }
}

/// Posts answers to the site:
///
/// ```json
/// {"type": "answer", "event_id": "01a2…", "conversation_id": "conv-1", "visitor": {"id": "v-1"},
///  "text": "It left on Monday.", "by": "Aino", "sent_at": "2026-03-03T05:55:48Z",
///  "attachments": [{"name": "receipt.pdf", "type": "application/pdf", "content": "<base64>"}]}
/// ```
///
/// signed as deliveries to us are, with `webhook-id` the `event_id`: an answer may come twice, and is shown once. Any 2xx means
/// that the visitor has it or will have it; 410 that the conversation is over and nobody will see it.
struct Posts {
    url: String,
    key: SigningKey,
}

/// Longest time the site may take.
const POST_TIMEOUT: Duration = Duration::from_secs(15);

impl Answers for Posts {
    fn way(&self) -> Way {
        Way { window: None, is_session: true, id_domain: None, automatic_max: None, templates: Arc::default() }
    }

    fn next(&self, answer: &Carried, replies: &[Reply], now: Timestamp) -> Step {
        if let Some(Reply { status, retry_after_s, .. }) = replies.last() {
            let why = format!("the site answers {status}");
            return match status {
                200..=299 => Step::Done(Vec::new()),
                410 => Step::Reject { why: format!("{why}: the conversation is over") },
                _ => Step::Retry { after: retry_after_s.map(Duration::from_secs), why },
            };
        }
        // Of the same id at every attempt, and without a dot, which the signature uses.
        let id = answer.message.to_string();
        let mut body = serde_json::json!({
            "type": "answer", "event_id": id, "conversation_id": answer.path, "visitor": { "id": answer.to.value },
            "text": answer.text, "by": answer.by, "sent_at": answer.at.to_string(),
        });
        if !answer.files.is_empty() {
            let file = |file: &CarriedFile| serde_json::json!({ "name": file.name, "type": file.media_type, "content": BASE64.encode(&file.bytes) });
            body["attachments"] = answer.files.iter().map(file).collect();
        }
        let (body, sent_at_s) = (body.to_string().into_bytes(), now.as_second());
        let headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            (standard_webhooks::ID_HEADER.to_owned(), id.clone()),
            (standard_webhooks::TIMESTAMP_HEADER.to_owned(), sent_at_s.to_string()),
            (standard_webhooks::SIGNATURE_HEADER.to_owned(), standard_webhooks::sign(&self.key, &id, sent_at_s, &body)),
        ];
        Step::Send(Outgoing { url: self.url.clone(), method: "POST", headers, body, timeout: POST_TIMEOUT })
    }
}

/// Answers hold what customers asked: they travel by TLS, but on this machine.
fn check_answer_url(url: Option<&str>) -> Result<(), SettingsProblem> {
    let Some(text) = url else { return Ok(()) };
    let url = url::Url::parse(text).ok();
    let is_here = |url: &url::Url| matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url.as_ref().map(|url| (url.scheme(), is_here(url))) {
        Some(("https", _) | ("http", true)) => Ok(()),
        _ => Err(SettingsProblem::new("answer_url", "must begin with https:// (http:// only for this machine)")),
    }
}

/// The page sends what the site's server would post; the first key signs it.
impl Sample for WebChat {
    fn page(&self) -> &'static str {
        SAMPLE
    }

    fn sign(&self, id: &str, body: &[u8], now: Timestamp) -> Vec<(&'static str, String)> {
        let sent_at_s = now.as_second();
        let signature = self.keys.first().map(|key| standard_webhooks::sign(key, id, sent_at_s, body));
        vec![
            (standard_webhooks::ID_HEADER, id.to_owned()),
            (standard_webhooks::TIMESTAMP_HEADER, sent_at_s.to_string()),
            (standard_webhooks::SIGNATURE_HEADER, signature.unwrap_or_default()),
        ]
    }
}

impl WebChat {
    fn batch(&self, body: &Value) -> Batch {
        let mut batch = Batch::default();
        for event in body.as_array().map_or(std::slice::from_ref(body), Vec::as_slice) {
            if !batch.is_redacted(event) {
                self.event(event, &mut batch);
            }
        }
        batch
    }

    fn event(&self, event: &Value, batch: &mut Batch) {
        let visitor = event.get("visitor").filter(|visitor| visitor.is_object());
        let kind = json::text(event, "type").unwrap_or_default();
        // Deliveries of other products have neither, and are read by kinds of their own.
        if !json::has(event, "event_id") && visitor.and_then(|visitor| json::id(visitor, "id")).is_none() {
            let kind = if kind.is_empty() { "no type".to_owned() } else { format!("type `{}`", json::word(&kind)) };
            return batch
                .fault("not_a_chat_event", format!("an event of {kind} has neither `event_id` nor `visitor.id`"));
        }
        let sender = self.sender(visitor.unwrap_or(&Value::Null));
        if sender.identities.is_empty() {
            return batch.fault("no_sender", "an event has no `visitor.id` that could be kept");
        }
        let key = json::id(event, "event_id").unwrap_or_else(|| json::made_key(&[], event));
        let mut incoming = Incoming::new(format!("{NAME}:{}", self.name), key);
        incoming.sender = sender;
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
        incoming.answer_path = json::id(event, "conversation_id");
        content(event, &kind, &mut incoming);
        batch.item(event, incoming);
    }

    fn sender(&self, visitor: &Value) -> Sender {
        let identity = json::id(visitor, "id").and_then(|id| Identity::opaque(SCHEME, &self.name, &id).ok());
        let email = json::text(visitor, "email").and_then(|email| EmailAddress::parse(&email).ok());
        let phone = json::text(visitor, "phone").and_then(|phone| PhoneNumber::parse_stated(&phone, &self.region).ok());
        Sender {
            name: json::filled(visitor, "name"),
            identities: identity
                .map(|identity| SenderIdentity { identity, assurance: self.assurance(visitor) })
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

    /// How well the visitor's id is vouched for.
    fn assurance(&self, visitor: &Value) -> Assurance {
        let Some(key) = &self.identity_key else { return Assurance::Plausible };
        let vouched = json::text(visitor, "verified").and_then(|text| hex::decode(text.trim()).ok());
        let id = match visitor.get("id") {
            Some(Value::String(id)) => id.clone(),
            Some(Value::Number(id)) => id.to_string(),
            _ => return Assurance::Asserted,
        };
        let verified = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).is_ok_and(|mut mac| {
            mac.update(id.as_bytes());
            mac.verify_slice(&vouched.unwrap_or_default()).is_ok()
        });
        if verified { Assurance::Verified } else { Assurance::Asserted }
    }
}

/// What an event says, by its type. See the table of the module.
fn content(event: &Value, kind: &str, incoming: &mut Incoming) {
    if NOTICES.contains(&kind) {
        incoming.what = What::Notice;
        incoming.content = Content::Text(format!("[event: {kind}]"));
        return;
    }
    let text = json::text(event, "text");
    let is_odd = text.is_none() && json::has(event, "text");
    if (kind == "message" && !is_odd) || (kind.is_empty() && text.is_some()) {
        let files = json::elements(event, "attachments");
        incoming.attachments = files.iter().take(ATTACHMENTS_MAX).filter_map(attachment).collect();
        if incoming.attachments.len() < files.len() {
            incoming.marks.push(Mark::PartsDropped);
        }
        incoming.content = Content::Text(text.unwrap_or_default());
        return;
    }
    incoming.marks.push(Mark::Unsupported);
    let word = if kind.is_empty() { "no type".to_owned() } else { json::word(kind) };
    incoming.content = Content::Text(format!("[unsupported: {word}]"));
}

fn attachment(file: &Value) -> Option<Attachment> {
    let url = json::filled(file, "url").filter(|url| url.starts_with("https://") || url.starts_with("http://"))?;
    Some(Attachment {
        name: json::filled(file, "name"),
        media_type: json::filled(file, "type").unwrap_or_else(|| "application/octet-stream".to_owned()).to_lowercase(),
        source: AttachmentSource::Remote(Remote::at(url)),
        inline: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::id::RawEventId;
    use Assurance::{Asserted, Plausible, Verified};

    /// HMAC-SHA256("a key of the shop's own", "v-1"), as `openssl dgst -sha256 -hmac` prints it.
    const VOUCHED: &str = "64219298514f4ceae8b98353e4b2c17c32eb05cd34c5f007e7f156d4230ff841";

    fn read(identity_key: Option<&str>, body: &str) -> Parsed {
        let zone = jiff::tz::TimeZone::UTC;
        let setup = Setup { name: "chat", region: "FI", time_zone: &zone };
        let channel = WebChat { identity_key: identity_key.map(Secret::new), ..WebChat::new(&setup, Vec::new()) };
        channel.parse(&RawEvent {
            id: RawEventId(uuid::Uuid::nil()),
            tenant: "main".to_owned(),
            channel: "chat".to_owned(),
            kind: NAME.to_owned(),
            received_at: Timestamp::UNIX_EPOCH,
            trusted_at: None,
            origin: String::new(),
            body: bytes::Bytes::copy_from_slice(body.as_bytes()),
        })
    }

    #[test]
    fn what_each_type_becomes() {
        let visitor = r#""visitor":{"id":"v-1"}"#;
        let table: &[(&str, &str, Result<(What, &str, bool), &str>)] = &[
            ("message", r#""type":"message","text":"moi""#, Ok((What::Message, "moi", false))),
            ("no type, with words", r#""text":"moi""#, Ok((What::Message, "moi", false))),
            ("empty", r#""type":"message","text":"""#, Ok((What::Message, "", false))),
            ("no text", r#""type":"message""#, Ok((What::Message, "", false))),
            ("typing", r#""type":"typing""#, Ok((What::Notice, "[event: typing]", false))),
            ("read", r#""type":"read""#, Ok((What::Notice, "[event: read]", false))),
            ("presence", r#""type":"presence""#, Ok((What::Notice, "[event: presence]", false))),
            ("start", r#""type":"session_start""#, Ok((What::Notice, "[event: session_start]", false))),
            ("end", r#""type":"session_end""#, Ok((What::Notice, "[event: session_end]", false))),
            ("unknown", r#""type":"survey""#, Ok((What::Message, "[unsupported: survey]", true))),
            (
                "text that is none",
                r#""type":"message","text":{"a":1}"#,
                Ok((What::Message, "[unsupported: message]", true)),
            ),
            ("neither", r#""x":1"#, Ok((What::Message, "[unsupported: no type]", true))),
        ];
        for (name, fields, expected) in table {
            let parsed =
                read(None, &format!(r#"{{"event_id":"e","sent_at":"2026-03-03T05:52:11Z",{visitor},{fields}}}"#));
            let item = parsed
                .items
                .first()
                .map(|item| (item.what, item.content.text(), item.marks.contains(&Mark::Unsupported)));
            assert_eq!((item.ok_or("nothing"), parsed.faults.len()), (*expected, 0), "{name}");
            let nobody = read(None, &format!(r#"{{"event_id":"e",{fields}}}"#));
            let codes: Vec<_> = nobody.faults.iter().map(|fault| fault.code).collect();
            assert_eq!((nobody.items.len(), codes), (0, vec!["no_sender"]), "{name}, without a visitor");
        }
    }

    #[test]
    fn a_visitor_is_as_good_as_the_site_vouches() {
        let key = Some("a key of the shop's own");
        let upper = VOUCHED.to_uppercase();
        let table = [
            ("a site that does not vouch", None, VOUCHED, "v-1", Plausible),
            ("vouched for", key, VOUCHED, "v-1", Verified),
            ("in capitals", key, &upper, "v-1", Verified),
            ("another visitor's", key, VOUCHED, "v-2", Asserted),
            ("another key", Some("another key of the shop"), VOUCHED, "v-1", Asserted),
            ("cut short", key, &VOUCHED[..32], "v-1", Asserted),
            ("no hexadecimal", key, "yes", "v-1", Asserted),
            ("empty", key, "", "v-1", Asserted),
        ];
        for (name, key, verified, id, expected) in table {
            let body = format!(
                r#"{{"event_id":"e","type":"message","text":"moi","visitor":{{"id":"{id}","email":"a@b.example","verified":"{verified}"}}}}"#
            );
            let parsed = read(key, &body);
            let sender = parsed.items.first().map(|item| &item.sender).expect(name);
            let held: Vec<_> = sender.identities.iter().map(|held| held.assurance).collect();
            assert_eq!((held, sender.stated.len()), (vec![expected], 1), "{name}");
        }
    }

    #[test]
    fn files_are_taken_by_their_url() {
        let files = r#"[{"url":"https://cdn.example/a.png","name":"a.png","type":"Image/PNG"},{"url":"file:///etc/passwd"},{}]"#;
        let body = format!(r#"{{"event_id":"e","type":"message","visitor":{{"id":"v"}},"attachments":{files}}}"#);
        let parsed = read(None, &body);
        let item = parsed.items.first().expect("a message");
        let source = AttachmentSource::Remote(Remote::at("https://cdn.example/a.png"));
        let (name, media_type) = (Some("a.png".to_owned()), "image/png".to_owned());
        assert_eq!(item.attachments, [Attachment { name, media_type, source, inline: false }]);
        assert!(item.marks.contains(&Mark::PartsDropped));
    }
}
