//! The webhook mirror: one signed request for each change of a thread.
//!
//! The request is a CloudEvent 1.0 in structured form (`application/cloudevents+json`), signed as
//! Standard Webhooks. What the receiver may rely on:
//! - `webhook-id` is the event's `id`, is lanka's outbox id, and is the same at every attempt: the
//!   key to deduplicate by. A change is delivered at least once.
//! - `sequence` counts 1, 2, 3 … without a gap within one `subject` (the ticket). It is padded with
//!   zeros, because the extension demands that it sorts as text; `data.sequence` is the number.
//! - Operational alerts are events of the type `lanka.ops.<code>` without a `sequence`.
//!
//! What an answer means (Standard Webhooks, "Operational considerations"; CloudEvents, "HTTP 1.1 Web
//! Hooks", section 2.2): 2xx is delivered. 410 is gone for good: the row is rejected. Everything
//! else is tried again, a 4xx too: it is far more often a receiver that is misconfigured for an hour
//! than a change that can never be taken, and a receiver that refuses everything is parked by the
//! shell, which loses nothing. Redirects are not followed, as Standard Webhooks asks: a redirect
//! would carry customers' data to an address nobody configured.
//!
//! **Invariant:** the signature covers the very bytes that are sent, and is made anew for each
//! attempt, since its time expires.

use super::{Built, Kind, Mirror, Outgoing, Patience, Reply, SettingsProblem, Setup, Step};
use crate::pure::domain::Timestamp;
use crate::pure::domain::outbox::{Alert, Post};
use crate::pure::domain::secret::Secret;
use crate::pure::wire::endpoint;
use crate::pure::wire::settings::{Problems, read_kind};
use crate::pure::wire::standard_webhooks::{ID_HEADER, SIGNATURE_HEADER, SigningKey, TIMESTAMP_HEADER, sign};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// This file's entry in the list of mirrors.
pub const KIND: Kind = Kind { name: "webhook", build };

/// The media type of a CloudEvent in structured form (CloudEvents JSON format, section 3).
const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";

/// Longest time an endpoint may be given. A claim on a row is put back after some minutes; an
/// exchange must be over well before.
const TIMEOUT_S_MAX: u64 = 60;

/// Digits of `sequence`: those of the largest 32-bit number, which is what the extension allows.
const SEQUENCE_DIGITS: usize = 10;

/// The mirror's keys in the configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where the requests go. `https`, or `http` on this machine.
    pub url: String,
    /// The signing secret, `whsec_` and base64.
    pub secret: Secret,
    /// The secret in force before: while the receiver changes over, requests carry both signatures.
    #[serde(default)]
    pub previous_secret: Option<Secret>,
    /// Longest time one exchange may take, in seconds.
    #[serde(default = "timeout_s_default")]
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
    /// Whether operational alerts go to this endpoint too.
    #[serde(default = "alerts_default")]
    pub alerts: bool,
}

/// Standard Webhooks recommends 15 to 30 seconds.
fn timeout_s_default() -> u64 {
    15
}

fn alerts_default() -> bool {
    true
}

/// One endpoint.
pub struct Webhook {
    url: String,
    keys: Vec<SigningKey>,
    timeout: Duration,
    patience: Patience,
    alerts: bool,
}

fn build(setup: &Setup<'_>, table: toml::Table) -> Result<Built, Vec<SettingsProblem>> {
    let (settings, problems) = read_kind(table)?;
    Webhook::checked(settings, setup.allow_private_addresses, problems).map(Built::outbound)
}

impl Webhook {
    /// A mirror from its settings, or all that is wrong with them.
    pub fn new(settings: Settings) -> Result<Self, Vec<SettingsProblem>> {
        Self::checked(settings, true, Problems::default())
    }

    fn checked(settings: Settings, allow_private: bool, mut problems: Problems) -> Result<Self, Vec<SettingsProblem>> {
        // Which http is right cannot be said if `insecure_http` could not be read.
        let insecure_http = settings.insecure_http || !problems.none_at("insecure_http");
        if let Some(message) = endpoint::problem(&settings.url, insecure_http, allow_private) {
            problems.add("url", message);
        }
        let mut keys = Vec::new();
        for (key, secret) in
            [("secret", Some(&settings.secret)), ("previous_secret", settings.previous_secret.as_ref())]
        {
            match secret.map(SigningKey::parse) {
                Some(Ok(signing)) => keys.push(signing),
                Some(Err(error)) => problems.add(key, error.to_string()),
                None => {}
            }
        }
        if !(1..=TIMEOUT_S_MAX).contains(&settings.timeout_s) {
            problems.add("timeout_s", format!("must be 1 to {TIMEOUT_S_MAX} seconds"));
        }
        for (key, value) in
            [("attempts_max", settings.attempts_max), ("give_up_after_days", settings.give_up_after_days)]
        {
            if value == 0 {
                problems.add(key, "must be at least 1");
            }
        }
        if !problems.is_empty() {
            return Err(problems.into());
        }
        let age_max = Duration::from_secs(u64::from(settings.give_up_after_days) * 86_400);
        Ok(Self {
            url: settings.url,
            keys,
            timeout: Duration::from_secs(settings.timeout_s),
            patience: Patience { attempts_max: settings.attempts_max, age_max },
            alerts: settings.alerts,
        })
    }

    /// The signed request for an event.
    fn request<T: Serialize>(&self, event: &CloudEvent<'_, T>, now: Timestamp) -> Result<Outgoing, serde_json::Error> {
        let body = serde_json::to_vec(event)?;
        let sent_at_s = now.as_second();
        let signatures: Vec<String> = self.keys.iter().map(|key| sign(key, &event.id, sent_at_s, &body)).collect();
        let headers = vec![
            ("content-type".to_owned(), CONTENT_TYPE.to_owned()),
            (ID_HEADER.to_owned(), event.id.clone()),
            (TIMESTAMP_HEADER.to_owned(), sent_at_s.to_string()),
            (SIGNATURE_HEADER.to_owned(), signatures.join(" ")),
        ];
        Ok(Outgoing { url: self.url.clone(), method: "POST", headers, body, timeout: self.timeout })
    }
}

/// A CloudEvent 1.0 (CloudEvents specification, section 3) with the `sequence` extension.
#[derive(Serialize)]
struct CloudEvent<'a, T> {
    specversion: &'static str,
    id: String,
    source: String,
    #[serde(rename = "type")]
    event_type: String,
    subject: String,
    time: Timestamp,
    datacontenttype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequencetype: Option<&'static str>,
    data: &'a T,
}

impl<'a> CloudEvent<'a, Post> {
    fn of_post(post: &'a Post) -> Self {
        Self {
            specversion: "1.0",
            id: post.id.to_string(),
            source: format!("/lanka/{}", path_segment(&post.tenant)),
            event_type: format!("lanka.{}", post.change.as_str()),
            subject: post.ticket.id.to_string(),
            time: post.decided_at,
            datacontenttype: "application/json",
            sequence: Some(format!("{:0width$}", post.sequence, width = SEQUENCE_DIGITS)),
            sequencetype: Some("Integer"),
            data: post,
        }
    }
}

impl<'a> CloudEvent<'a, Alert> {
    fn of_alert(alert: &'a Alert, id: &str, now: Timestamp) -> Self {
        Self {
            specversion: "1.0",
            id: id.to_owned(),
            source: "/lanka".to_owned(),
            event_type: format!("lanka.ops.{}", alert.code),
            subject: alert.subject.clone(),
            time: if alert.active { alert.since } else { now },
            datacontenttype: "application/json",
            sequence: None,
            sequencetype: None,
            data: alert,
        }
    }
}

/// A name as one segment of a URI reference, which `source` has to be.
fn path_segment(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    name.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

impl Mirror for Webhook {
    fn patience(&self) -> Patience {
        self.patience
    }

    /// The receiver shows what it likes of it.
    fn shows_html(&self) -> bool {
        true
    }

    fn next(&self, post: &Post, replies: &[Reply], now: Timestamp) -> Step {
        match replies.last() {
            Some(reply) => judge(reply),
            None => match self.request(&CloudEvent::of_post(post), now) {
                Ok(outgoing) => Step::Send(outgoing),
                Err(error) => Step::Reject { why: format!("the change cannot be written as JSON: {error}") },
            },
        }
    }

    /// `OPTIONS`, which asks and changes nothing (RFC 9110, section 9.2.1). Without signature and body, so that no
    /// receiver takes it for a change, and without `WebHook-Request-Origin`, so that none takes it for a subscription.
    fn probe(&self) -> Option<Outgoing> {
        Some(Outgoing {
            url: self.url.clone(),
            method: "OPTIONS",
            headers: Vec::new(),
            body: Vec::new(),
            timeout: self.timeout,
        })
    }

    fn alert(&self, alert: &Alert, id: &str, now: Timestamp) -> Option<Outgoing> {
        if !self.alerts {
            return None;
        }
        self.request(&CloudEvent::of_alert(alert, id, now), now).ok()
    }
}

/// What an answer means; see the module.
fn judge(reply: &Reply) -> Step {
    let after = reply.retry_after_s.map(Duration::from_secs);
    let status = reply.status;
    let why = match status {
        200..=299 => return Step::Done(Vec::new()),
        410 => {
            let why = "the endpoint answered 410, it is gone for good: remove the mirror or correct its url";
            return Step::Reject { why: why.to_owned() };
        }
        300..=399 => {
            format!("the endpoint answered {status}, a redirect, which is not followed: set url to its target")
        }
        408 | 425 | 429 => format!("the endpoint answered {status}: it asks for patience"),
        401 | 403 => format!("the endpoint answered {status}: does it hold the same secret?"),
        400..=499 => format!("the endpoint answered {status}: it does not take the request"),
        500..=599 => format!("the endpoint answered {status}: it has a fault of its own"),
        _ => format!("the endpoint answered {status}, which is no answer to a webhook"),
    };
    Step::Retry { after, why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::outbox::{Change, samples};
    use crate::pure::wire::delivery::Delivery;
    use crate::pure::wire::standard_webhooks::{TOLERANCE_S, verify};

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const OLD_SECRET: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    const NOW: &str = "2026-03-02T10:00:05Z";

    fn settings(url: &str) -> Settings {
        Settings {
            url: url.to_owned(),
            secret: Secret::new(SECRET),
            previous_secret: Some(Secret::new(OLD_SECRET)),
            timeout_s: timeout_s_default(),
            attempts_max: Patience::attempts_max_default(),
            give_up_after_days: Patience::give_up_after_days_default(),
            insecure_http: false,
            alerts: true,
        }
    }

    fn post() -> Post {
        let post = samples::post(Change::TicketOpened, None);
        Post {
            sequence: 12,
            decided_at: "2026-03-02T10:00:00Z".parse().unwrap(),
            tenant: "söder ab".to_owned(),
            other_ticket: None,
            ..post
        }
    }

    fn sent(step: Step) -> Outgoing {
        match step {
            Step::Send(outgoing) => outgoing,
            other => panic!("{other:?}"),
        }
    }

    fn is_signed(outgoing: &Outgoing, secret: &str) -> bool {
        let headers: Vec<_> = outgoing.headers.iter().map(|(n, v)| (n.clone(), v.as_bytes().to_vec())).collect();
        let received_at = NOW.parse().unwrap();
        let delivery = Delivery { headers: &headers, url: &outgoing.url, body: &outgoing.body, received_at };
        verify(&[SigningKey::parse(&Secret::new(secret)).unwrap()], &delivery, TOLERANCE_S).is_ok()
    }

    #[test]
    fn a_change_is_one_signed_cloud_event() {
        let mirror = Webhook::new(settings("https://desk.example.fi/in")).unwrap();
        let outgoing = sent(mirror.next(&post(), &[], NOW.parse().unwrap()));
        assert_eq!((outgoing.method, outgoing.url.as_str()), ("POST", "https://desk.example.fi/in"));
        assert!(is_signed(&outgoing, SECRET) && is_signed(&outgoing, OLD_SECRET), "both secrets sign");
        let event: serde_json::Value = serde_json::from_slice(&outgoing.body).unwrap();
        let id = "00000000-0000-0000-0000-000000000007";
        for (key, expected) in [
            ("specversion", "1.0"),
            ("id", id),
            ("source", "/lanka/s%C3%B6der%20ab"),
            ("type", "lanka.ticket.opened"),
            ("subject", "00000000-0000-0000-0000-000000000009"),
            ("time", "2026-03-02T10:00:00Z"),
            ("datacontenttype", "application/json"),
            ("sequence", "0000000012"),
        ] {
            assert_eq!(event[key], expected, "{key}");
        }
        assert_eq!(event["data"]["sequence"], 12);
        assert_eq!(event["data"]["ticket"]["title"], "Lamp");
        let header = |name: &str| outgoing.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        assert_eq!(header("webhook-id"), Some(id));
        assert_eq!(header("webhook-timestamp"), Some("1772445605"));
        assert_eq!(header("content-type"), Some(CONTENT_TYPE));
    }

    #[test]
    fn a_later_attempt_has_the_same_id_and_a_new_signature() {
        let mirror = Webhook::new(settings("https://desk.example.fi/in")).unwrap();
        let at = |text: &str| sent(mirror.next(&post(), &[], text.parse().unwrap()));
        let (one, other) = (at(NOW), at("2026-03-02T12:00:00Z"));
        assert_eq!(one.body, other.body);
        assert_eq!(one.headers[1], other.headers[1], "webhook-id");
        assert_ne!(one.headers[3], other.headers[3], "webhook-signature");
    }

    #[test]
    fn an_alert_is_an_event_of_its_own_type() {
        let alert = Alert {
            code: "channel_dead".to_owned(),
            subject: "support-mail".to_owned(),
            active: true,
            message: "No login for ten minutes: check the password.".to_owned(),
            since: "2026-03-02T09:50:00Z".parse().unwrap(),
        };
        let mut wanted = settings("https://desk.example.fi/in");
        let outgoing = Webhook::new(settings("https://desk.example.fi/in"))
            .unwrap()
            .alert(&alert, "a-1", NOW.parse().unwrap())
            .unwrap();
        assert!(is_signed(&outgoing, SECRET));
        let event: serde_json::Value = serde_json::from_slice(&outgoing.body).unwrap();
        assert_eq!(event["type"], "lanka.ops.channel_dead");
        assert_eq!(event["subject"], "support-mail");
        assert_eq!(event["data"]["active"], true);
        assert!(event.get("sequence").is_none());
        wanted.alerts = false;
        assert!(Webhook::new(wanted).unwrap().alert(&alert, "a-1", NOW.parse().unwrap()).is_none());
    }

    #[test]
    fn answers_are_judged() {
        let mirror = Webhook::new(settings("https://desk.example.fi/in")).unwrap();
        for (status, retry_after_s, expected) in [
            (200, None, "done"),
            (204, None, "done"),
            (301, None, "retry"),
            (400, None, "retry"),
            (401, None, "retry"),
            (404, None, "retry"),
            (408, None, "retry"),
            (410, None, "reject"),
            (410, Some(5), "reject"),
            (413, None, "retry"),
            (425, None, "retry"),
            (429, Some(120), "retry 120"),
            (500, None, "retry"),
            (503, Some(7), "retry 7"),
            (101, None, "retry"),
            (999, None, "retry"),
        ] {
            let reply = Reply { status, retry_after_s, body: String::new() };
            let said = match mirror.next(&post(), &[reply], NOW.parse().unwrap()) {
                Step::Done(_) => "done".to_owned(),
                Step::Reject { .. } => "reject".to_owned(),
                Step::Retry { after: None, .. } => "retry".to_owned(),
                Step::Retry { after: Some(after), .. } => format!("retry {}", after.as_secs()),
                Step::Mail(_) | Step::Mailbox(_) | Step::Send(_) => "send".to_owned(),
            };
            assert_eq!(said, expected, "{status}");
        }
    }

    #[test]
    fn settings_are_held_against_their_rules() {
        let check = |toml: &str| -> Vec<String> {
            let secret = format!("{{ \"\\u0001secret\" = \"{SECRET}\" }}");
            let table: toml::Table = toml.replace("SECRET", &secret).parse().unwrap();
            match build(&Setup { name: "desk", allow_private_addresses: true }, table) {
                Ok(_) => vec![],
                Err(problems) => problems.into_iter().map(|p| p.key).collect(),
            }
        };
        for (toml, problems) in [
            ("url = 'https://desk.example.fi/in'\nsecret = SECRET", vec![]),
            ("url = 'http://127.0.0.1:8080/in'\nsecret = SECRET", vec![]),
            ("url = 'http://[::1]/in'\nsecret = SECRET", vec![]),
            ("url = 'http://localhost/in'\nsecret = SECRET", vec![]),
            ("url = 'http://desk.example.fi/in'\nsecret = SECRET", vec!["url"]),
            ("url = 'http://desk.example.fi/in'\nsecret = SECRET\ninsecure_http = true", vec![]),
            ("url = 'ftp://desk.example.fi/in'\nsecret = SECRET", vec!["url"]),
            ("url = 'desk.example.fi'\nsecret = SECRET", vec!["url"]),
            ("url = 'https://me:pw@desk.example.fi/'\nsecret = SECRET", vec!["url"]),
            ("url = 'https://desk.example.fi/in'\nsecret = 'whsec_x'", vec!["secret"]),
            ("url = 'https://desk.example.fi/in'\nsecret = SECRET\ntimeout = 5", vec!["timeout"]),
            ("url = 'x'\nsecret = SECRET\ntimeout_s = 600\nattempts_max = 0", vec!["url", "timeout_s", "attempts_max"]),
        ] {
            assert_eq!(check(toml), problems, "{toml}");
        }
    }
}
