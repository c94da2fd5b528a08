//! What a monitoring system raises: Prometheus Alertmanager's webhook, and Zabbix's.
//!
//! `POST /hooks/{channel}`. Alertmanager posts groups of alerts, version "4"
//! (prometheus.io/docs/alerting/latest/configuration/#webhook_config; Grafana's contact points post the same):
//!
//! ```json
//! {"version": "4", "groupKey": "{}:{alertname=\"PosDown\"}", "truncatedAlerts": 0, "status": "firing", "receiver": "lanka",
//!  "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://alertmanager.example:9093",
//!  "alerts": [{"status": "firing", "labels": {"alertname": "PosDown", "severity": "critical"},
//!   "annotations": {"summary": "No till answers"}, "startsAt": "2026-03-03T05:55:48.828Z", "endsAt": "0001-01-01T00:00:00Z",
//!   "generatorURL": "http://prometheus.example:9090/graph", "fingerprint": "1a30ba71cca2921f"}]}
//! ```
//!
//! Zabbix posts what its script makes of the macros of a media type (zabbix.com/documentation/current/en/manual/config/
//! notifications/media/webhook); the script for it is in the README. One event, or a list of them:
//!
//! ```json
//! {"event_id": "4711", "trigger_id": "13502", "host": "till-gw-1", "severity": "Disaster", "name": "No till answers",
//!  "status": "PROBLEM", "time": "2026.03.03 07:55:48", "recovery_time": "", "tags": "[{\"tag\":\"service\",\"value\":\"till\"}]",
//!  "url": "https://zabbix.example/tr_events.php?triggerid=13502&eventid=4711", "text": "what the operator wrote"}
//! ```
//!
//! **One alert is one item.** Firing is a message, under the alert's fingerprint and beginning (of Zabbix the event's id): told
//! again (`repeat_interval`, an acknowledgement) it is a repeat. Resolved closes that message's conversation, and with it the
//! ticket unless a customer speaks on it. When the same alert fires anew it is a new message in the conversation of its fingerprint
//! (trigger): the ticket is opened again within `windows.one_open` of the channel, later it is a new one that follows it.
//!
//! **Nobody's words:** an alert is automatic (`Auto::Alert`). It opens a ticket as no other automatic message does; it brings a
//! problem, and its urgency by `severity`; it is answered by nobody, starts no clock, counts as no customer's in reports.
//!
//! **Namespace:** `alertmanager:` and the channel's name. **Identities:** the alert's fingerprint, scoped by the channel: each
//! series of alerts is a contact of its own, and nothing in it is evidence of who anybody is.

use super::{Accounts, Built, Channel, Delivery, Forged, Form, Intake, Kind, Own, Redacted, Setup, Unfit};
use crate::pure::domain::Timestamp;
use crate::pure::domain::identity::{Assurance, Identity};
use crate::pure::domain::message::{
    Auto, Content, Direction, Incoming, Mark, On, Parsed, RawEvent, Reference, ReferenceKind, Sender, SenderIdentity,
    What,
};
use crate::pure::domain::secret::Secret;
use crate::pure::domain::ticket::{MatterKind, Priority};
use crate::pure::domain::triage::{Effect, ProblemKind, Triage};
use crate::pure::wire::batch::Batch;
use crate::pure::wire::{json, redact, settings};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use subtle::ConstantTimeEq;

/// The kind, as the configuration knows it.
pub const KIND: Kind = Kind { name: NAME, form: Form::Body, like: None, accounts: Accounts::NONE, build, dry };

const NAME: &str = "alertmanager";

/// The scheme of alerts' fingerprints.
pub const SCHEME: &str = NAME;

/// A shorter token could be guessed. Bytes.
const TOKEN_BYTES_MIN: usize = 16;

/// Labels and annotations of one alert that are shown, and the characters of each.
const LINES_MAX: usize = 64;
const LINE_CHARS_MAX: usize = 1_000;

/// Words for severity, and how soon they mean. Alertmanager has none of its own: these are usual. Zabbix's six are its own.
const SEVERITIES: &[(&str, Priority)] = &[
    ("critical", Priority::High),
    ("disaster", Priority::High),
    ("emergency", Priority::High),
    ("high", Priority::High),
    ("page", Priority::High),
    ("average", Priority::Normal),
    ("error", Priority::Normal),
    ("major", Priority::Normal),
    ("warning", Priority::Normal),
    ("info", Priority::Low),
    ("information", Priority::Low),
    ("none", Priority::Low),
    ("not classified", Priority::Low),
];

/// The channel's table in the configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// What the monitoring system shows with each delivery: as a bearer token, or as the password of basic authentication.
    token: Secret,
    /// Tokens that are still taken while the sender changes to a new one.
    #[serde(default)]
    previous_tokens: Vec<Secret>,
    /// Urgency by word of severity, over the built-in ones: `high`, `normal` or `low`.
    #[serde(default)]
    urgency: BTreeMap<String, Priority>,
    /// The label that says how severe an alert of Alertmanager's is.
    #[serde(default = "severity_label")]
    severity_label: String,
}

fn severity_label() -> String {
    "severity".to_owned()
}

fn build(setup: &Setup<'_>, table: toml::Table) -> Result<Built, Unfit> {
    let (settings, mut problems): (Settings, _) = settings::read_kind(table)?;
    if settings.token.expose().len() < TOKEN_BYTES_MIN {
        let why =
            format!("is shorter than {TOKEN_BYTES_MIN} bytes, and could be guessed: `openssl rand -hex 24` makes one");
        problems.add("token", why);
    }
    let urgency = settings.urgency.into_iter().map(|(word, priority)| (word.to_lowercase(), priority));
    let channel = Box::new(Alerts {
        tokens: std::iter::once(settings.token).chain(settings.previous_tokens).collect(),
        urgency: urgency.collect(),
        severity_label: settings.severity_label,
        ..Alerts::new(setup)
    });
    Built { channel, intake: Intake::Webhook, own: Own::default() }.unless(problems)
}

fn dry(setup: &Setup<'_>) -> Box<dyn Channel> {
    Box::new(Alerts::new(setup))
}

struct Alerts {
    tokens: Vec<Secret>,
    urgency: BTreeMap<String, Priority>,
    severity_label: String,
    /// The channel's name: what fingerprints are unique in.
    name: String,
    /// How Zabbix's times are read, which have no zone.
    time_zone: TimeZone,
}

impl Alerts {
    fn new(setup: &Setup<'_>) -> Self {
        Self {
            tokens: Vec::new(),
            urgency: BTreeMap::new(),
            severity_label: severity_label(),
            name: setup.name.to_owned(),
            time_zone: setup.time_zone.clone(),
        }
    }
}

impl Channel for Alerts {
    fn verify(&self, delivery: &Delivery<'_>) -> Result<(), Forged> {
        let header = delivery.header("authorization").ok_or(Forged::Missing)?;
        let shown = shown_token(header).ok_or(Forged::Malformed)?;
        // All are compared, so that the time tells nothing of which one it was.
        let fits = self
            .tokens
            .iter()
            .fold(subtle::Choice::from(0), |fits, token| fits | token.expose().as_bytes().ct_eq(&shown));
        if fits.into() { Ok(()) } else { Err(Forged::Mismatch) }
    }

    fn parse(&self, event: &RawEvent) -> Parsed {
        match json::read(&event.body) {
            Ok(body) => self.batch(&body).finish(),
            Err(fault) => Parsed { items: Vec::new(), faults: vec![fault] },
        }
    }

    fn redact(&self, event: &RawEvent, item: u32) -> Option<Redacted> {
        redact::in_json(
            &event.body,
            item,
            |body| self.batch(body),
            |body, left| {
                // What all alerts of a group have in common is in the one that went, too.
                if let Some(group) = body.as_object_mut().filter(|_| left.iter().any(|item| item.redacted)) {
                    for key in ["groupKey", "groupLabels", "commonLabels", "commonAnnotations"] {
                        group.remove(key);
                    }
                }
            },
        )
    }
}

/// What an `Authorization` header shows: a bearer token, or the password of whatever user.
fn shown_token(header: &[u8]) -> Option<Vec<u8>> {
    let (scheme, rest) = std::str::from_utf8(header).ok()?.trim().split_once(' ')?;
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Some(rest.trim().as_bytes().to_vec()),
        "basic" => {
            let pair = BASE64.decode(rest.trim()).ok()?;
            let colon = pair.iter().position(|byte| *byte == b':')?;
            Some(pair[colon + 1..].to_vec())
        }
        _ => None,
    }
}

/// What both systems say of an alert.
struct Alert {
    /// What it is the same alert by whenever it fires.
    series: String,
    /// What tells one firing from the next.
    round: String,
    is_over: bool,
    began_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    name: String,
    severity: String,
    lines: Vec<String>,
    summary: Option<String>,
}

impl Alerts {
    fn batch(&self, body: &Value) -> Batch {
        let mut batch = Batch::default();
        if body.get("alerts").is_some() {
            for alert in json::list(body, "alerts", &mut batch) {
                self.add(alert, of_alertmanager(alert, &self.severity_label), &mut batch);
            }
            if let Some(count) = body.get("truncatedAlerts").and_then(Value::as_u64).filter(|count| *count > 0) {
                batch.fault(
                    "alerts_truncated",
                    format!("{count} alerts of the group were left out: raise `max_alerts` of the receiver"),
                );
            }
            return batch;
        }
        for event in body.as_array().map_or(std::slice::from_ref(body), Vec::as_slice) {
            if !batch.is_redacted(event) {
                self.add(event, of_zabbix(event, &self.time_zone), &mut batch);
            }
        }
        batch
    }

    fn add(&self, element: &Value, read: Result<Alert, Misread>, batch: &mut Batch) {
        match read {
            Ok(alert) if alert.is_over => batch.item(element, self.over(&alert)),
            Ok(alert) => batch.item(element, self.firing(alert)),
            Err((code, detail)) => batch.fault(code, detail),
        }
    }

    fn key(alert: &Alert) -> String {
        format!("{}@{}", alert.series, alert.round)
    }

    fn namespace(&self) -> String {
        format!("{NAME}:{}", self.name)
    }

    /// The urgency of a word of severity.
    fn urgency(&self, severity: &str) -> Priority {
        let word = severity.trim().to_lowercase();
        let built_in = || SEVERITIES.iter().find(|(known, _)| *known == word).map(|(_, priority)| *priority);
        self.urgency.get(&word).copied().or_else(built_in).unwrap_or(Priority::Normal)
    }

    fn firing(&self, alert: Alert) -> Incoming {
        let mut incoming = Incoming::new(self.namespace(), Self::key(&alert));
        let identity = Identity::opaque(SCHEME, &self.name, &alert.series).ok();
        let held = identity.map(|identity| SenderIdentity { identity, assurance: Assurance::Verified });
        incoming.sender =
            Sender { name: Some(alert.name.clone()), identities: held.into_iter().collect(), stated: Vec::new() };
        incoming.auto = Some(Auto::Alert);
        let priority = self.urgency(&alert.severity);
        incoming.triage = Some(Triage {
            kind: vec![MatterKind::Problem],
            problem: Some(ProblemKind::Fault),
            effect: Some(if priority == Priority::High { Effect::Prevents } else { Effect::Hinders }),
            ..Triage::none(priority)
        });
        let (kind, namespace) = (ReferenceKind::Conversation, self.namespace());
        incoming.references = vec![Reference { kind, namespace, key: alert.series }];
        incoming.subject = Some(match &alert.summary {
            Some(summary) if *summary != alert.name => format!("{}: {summary}", alert.name),
            _ => alert.name,
        });
        incoming.content = Content::Text(alert.lines.join("\n"));
        dated(&mut incoming, alert.began_at);
        incoming
    }

    /// It is over: the conversation of its firing is closed.
    fn over(&self, alert: &Alert) -> Incoming {
        let mut incoming = Incoming::new(self.namespace(), Self::key(alert));
        incoming.what = What::Close;
        incoming.variant = "resolved".to_owned();
        incoming.direction = Direction::FromAgent;
        incoming.sender.name = Some(alert.name.clone());
        let source_key = Self::key(alert);
        incoming.on = Some(On { channel: self.name.clone(), source_key, is_answered_there: false, message: None });
        dated(&mut incoming, alert.ended_at);
        incoming
    }
}

fn dated(incoming: &mut Incoming, at: Option<Timestamp>) {
    incoming.occurred_at = at;
    incoming.occurred_trusted = at.is_some();
    if at.is_none() {
        incoming.marks.push(Mark::DateDoubtful);
    }
}

/// Why an alert cannot be read: code and sentence of the fault.
type Misread = (&'static str, String);

/// The fields of an object that say something, as `name: value`.
fn pairs(object: Option<&Value>) -> impl Iterator<Item = (&str, String)> {
    let fields = object.and_then(Value::as_object).into_iter().flatten();
    let said = fields.filter_map(|(name, value)| Some((name.as_str(), said(value)?)));
    said.take(LINES_MAX)
}

/// A value as text, cut short; `None` when it says nothing.
fn said(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => json::clean(text).trim().chars().take(LINE_CHARS_MAX).collect(),
        Value::Number(number) => number.to_string(),
        Value::Bool(is) => is.to_string(),
        _ => String::new(),
    };
    (!text.is_empty()).then_some(text)
}

fn of_alertmanager(alert: &Value, severity_label: &str) -> Result<Alert, Misread> {
    let is_over = match json::text(alert, "status").as_deref() {
        Some("firing") => false,
        Some("resolved") => true,
        _ => return Err(("no_status", "an alert is neither `firing` nor `resolved`".to_owned())),
    };
    let labels: Vec<(&str, String)> = pairs(alert.get("labels")).collect();
    if labels.is_empty() {
        return Err(("no_labels", "an alert has no `labels`".to_owned()));
    }
    let label = |name: &str| labels.iter().find(|(of, _)| *of == name).map(|(_, value)| value.clone());
    let annotations: Vec<(&str, String)> = pairs(alert.get("annotations")).collect();
    let annotation = |name: &str| annotations.iter().find(|(of, _)| *of == name).map(|(_, value)| value.clone());
    let time = |key: &str| alert.get(key).and_then(json::timestamp).filter(|at| at.as_second() > 0);
    let began_at = time("startsAt");
    let url = json::filled(alert, "generatorURL").map(|url| ("source", url));
    let of_lines = annotations.iter().chain(&labels).map(|(name, value)| (*name, value.clone())).chain(url);
    Ok(Alert {
        series: json::id(alert, "fingerprint").unwrap_or_else(|| json::made_key(&[], &alert["labels"])),
        round: began_at.map_or_else(String::new, |at| at.as_millisecond().to_string()),
        is_over,
        began_at,
        ended_at: time("endsAt"),
        name: label("alertname").unwrap_or_else(|| "alert".to_owned()),
        severity: label(severity_label).unwrap_or_default(),
        lines: of_lines.map(|(name, value)| format!("{name}: {value}")).collect(),
        summary: annotation("summary").or_else(|| annotation("description")),
    })
}

fn of_zabbix(event: &Value, zone: &TimeZone) -> Result<Alert, Misread> {
    let Some(round) = json::id(event, "event_id") else {
        return Err(("no_event", "it has neither `alerts`, as Alertmanager's deliveries have, nor an `event_id`, as the script for Zabbix gives".to_owned()));
    };
    let is_over = match json::filled(event, "status").map(|status| status.trim().to_ascii_uppercase()).as_deref() {
        Some("PROBLEM" | "1") => false,
        Some("RESOLVED" | "OK" | "0") => true,
        _ => return Err(("no_status", "an event's `status` is neither PROBLEM nor RESOLVED".to_owned())),
    };
    let field = |key: &str| event.get(key).and_then(said).filter(|text| !is_macro(text));
    let name = field("name").unwrap_or_else(|| "problem".to_owned());
    let shown = ["text", "host", "severity", "url"];
    let lines = shown.into_iter().filter_map(|key| Some(format!("{key}: {}", field(key)?)));
    Ok(Alert {
        series: json::id(event, "trigger_id").filter(|id| !is_macro(id)).unwrap_or_else(|| round.clone()),
        round,
        is_over,
        began_at: event.get("time").and_then(|at| zabbix_time(at, zone)),
        ended_at: event.get("recovery_time").and_then(|at| zabbix_time(at, zone)),
        severity: field("severity").unwrap_or_default(),
        lines: lines.chain(zabbix_tags(event.get("tags"))).collect(),
        summary: field("host"),
        name,
    })
}

/// What Zabbix leaves where it has no value for a macro.
fn is_macro(text: &str) -> bool {
    text.starts_with('{') && text.ends_with('}') && text[1..].starts_with(|c: char| c.is_ascii_uppercase())
}

/// `{EVENT.DATE} {EVENT.TIME}`, in the zone of the desk; else as everywhere.
fn zabbix_time(value: &Value, zone: &TimeZone) -> Option<Timestamp> {
    let local = || {
        let (date, time) = value.as_str()?.trim().split_once(' ')?;
        let written = format!("{}T{time}", date.replace('.', "-"));
        let at: jiff::civil::DateTime = written.parse().ok()?;
        Some(at.to_zoned(zone.clone()).ok()?.timestamp())
    };
    local().or_else(|| json::timestamp(value)).filter(|at| at.as_second() > 0)
}

/// `{EVENT.TAGSJSON}`, as the script passes it on: a list, or its text.
fn zabbix_tags(tags: Option<&Value>) -> Vec<String> {
    let read = tags.and_then(Value::as_str).and_then(|text| serde_json::from_str::<Value>(text).ok());
    let list = read.as_ref().or(tags).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let line = |tag: &Value| {
        let name = said(tag.get("tag")?)?;
        Some(match tag.get("value").and_then(said) {
            Some(value) => format!("{name}: {value}"),
            None => name,
        })
    };
    list.iter().take(LINES_MAX).filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn channel(urgency: &[(&str, Priority)]) -> Alerts {
        let setup = Setup { name: "monitoring", region: "FI", time_zone: &TimeZone::UTC };
        let urgency = urgency.iter().map(|(word, priority)| ((*word).to_owned(), *priority)).collect();
        let tokens = ["a token of some length", "the one before that"].map(|token| Secret::new(token.to_owned()));
        Alerts { urgency, tokens: tokens.into(), ..Alerts::new(&setup) }
    }

    #[test]
    fn only_who_knows_the_token_may_post() {
        let basic = |pair: &str| format!("Basic {}", BASE64.encode(pair));
        for (header, expected) in [
            (None, Err(Forged::Missing)),
            (Some("Bearer a token of some length".to_owned()), Ok(())),
            (Some("bearer the one before that".to_owned()), Ok(())),
            (Some(basic("lanka:a token of some length")), Ok(())),
            (Some(basic("whoever:a token of some length")), Ok(())),
            (Some(basic("a token of some length")), Err(Forged::Malformed)),
            (Some("Basic %%%".to_owned()), Err(Forged::Malformed)),
            (Some("a token of some length".to_owned()), Err(Forged::Malformed)),
            (Some("Bearer a token of some lengt".to_owned()), Err(Forged::Mismatch)),
            (Some("Bearer ".to_owned()), Err(Forged::Malformed)),
            (Some("Digest a token of some length".to_owned()), Err(Forged::Malformed)),
        ] {
            let headers: Vec<_> =
                header.iter().map(|value| ("authorization".to_owned(), value.clone().into_bytes())).collect();
            let delivery =
                Delivery { headers: &headers, url: "https://x", body: b"{}", received_at: Timestamp::UNIX_EPOCH };
            assert_eq!(channel(&[]).verify(&delivery), expected, "{header:?}");
        }
    }

    #[test]
    fn how_soon_is_said_by_severity() {
        let alerts = channel(&[("warning", Priority::Low), ("p1", Priority::High)]);
        for (severity, expected) in [
            ("critical", Priority::High),
            ("Disaster", Priority::High),
            ("High", Priority::High),
            ("warning", Priority::Low),
            ("P1", Priority::High),
            ("Not classified", Priority::Low),
            ("whatever", Priority::Normal),
            ("", Priority::Normal),
        ] {
            assert_eq!(alerts.urgency(severity), expected, "{severity}");
        }
    }

    #[test]
    fn an_alert_is_told_again_resolved_and_fires_anew() {
        let alerts = channel(&[]);
        let read = |status: &str, began: &str| {
            let alert = json!({"status": status, "labels": {"alertname": "PosDown"}, "startsAt": began,
                "endsAt": "2026-03-03T07:00:00Z", "fingerprint": "f1"});
            let parsed = alerts.batch(&json!({"version": "4", "alerts": [alert]})).finish();
            let item = &parsed.items[0];
            let on = item.on.as_ref().map(|on| on.source_key.clone());
            (item.what, item.source_key.clone(), on, item.references.first().map(|reference| reference.key.clone()))
        };
        let first = "f1@1772517348000".to_owned();
        let again = "f1@1772524548000".to_owned();
        let series = Some("f1".to_owned());
        assert_eq!(read("firing", "2026-03-03T05:55:48Z"), (What::Message, first.clone(), None, series.clone()));
        assert_eq!(read("resolved", "2026-03-03T05:55:48Z"), (What::Close, first.clone(), Some(first), None));
        assert_eq!(read("firing", "2026-03-03T07:55:48Z"), (What::Message, again, None, series));
    }
}
