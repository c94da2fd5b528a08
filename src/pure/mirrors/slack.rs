//! Notifications for people: one line in a chat room for what they should look at.
//!
//! An incoming webhook of Slack's form (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>):
//! `{"text": …}` posted to a secret address. Mattermost, Rocket.Chat, Zulip and Discord (`…/slack`) take the same.
//!
//! A notification is no copy of a thread: what is older than an hour is passed over, so that a room that was
//! away hears no day's worth at once; one whose answer was lost may come twice.
//!
//! **Invariants:** nothing of a customer's is in it, unless `customer_text` says so; what is in it can call nobody
//! (`<!channel>`, `@all`) and make no link.

use super::{Built, Kind, Mirror, Outgoing, Patience, Reply, SettingsProblem, Setup, Step};
use crate::pure::domain::Timestamp;
use crate::pure::domain::clock::ClockKind;
use crate::pure::domain::message::{Direction, Progress};
use crate::pure::domain::outbox::{Alert, Change, Post};
use crate::pure::domain::secret::Secret;
use crate::pure::wire::endpoint;
use crate::pure::wire::settings::read_kind;
use crate::pure::wire::tool::Terms;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// This file's entry in the list of mirrors.
pub const KIND: Kind = Kind { name: "slack", build };

/// Longest age of what is still news, in seconds.
const NEWS_S_MAX: i64 = 3_600;

/// Characters of a customer's words that are shown.
const TEXT_CHARS_MAX: usize = 300;

/// The mirror's keys in the configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The address of the incoming webhook. Whoever has it can write to the room.
    pub url: Secret,
    /// What is told.
    #[serde(default = "on_default")]
    pub on: Vec<News>,
    /// Only tickets of these queues are told of; of all when it is left out.
    #[serde(default)]
    pub queues: Vec<String>,
    /// Whether the title and the customer's words are shown in the room.
    #[serde(default)]
    pub customer_text: bool,
    /// Where a ticket is opened by those who read it: `{ticket}` stands for its id, `{number}` for its number.
    #[serde(default)]
    pub ticket_url: Option<String>,
    /// Whether operational alerts go to the room too.
    #[serde(default)]
    pub alerts: bool,
    /// Longest time one exchange may take, in seconds.
    #[serde(default = "timeout_s_default")]
    pub timeout_s: u64,
    /// Allows `http` beyond this machine, where what is told can be read on the way.
    #[serde(default)]
    pub insecure_http: bool,
}

/// What people can be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// A ticket came to be.
    Opened,
    /// A closed ticket is open again.
    Reopened,
    /// A ticket was closed.
    Closed,
    /// A customer said something.
    Message,
    /// An answer did not reach the customer.
    Failed,
    /// Something is left to a person to decide.
    Suggestion,
    /// A promise to a customer runs out soon.
    Warned,
    /// A promise to a customer ran out.
    Breached,
    /// The desk waits for the customer.
    Awaited,
    /// A ticket is in another queue.
    Routed,
    /// A ticket is on an incident: many speak of its matter at once.
    Incident,
    /// A customer comes again and again about one matter.
    Again,
}

fn on_default() -> Vec<News> {
    vec![News::Opened, News::Reopened, News::Failed, News::Suggestion, News::Breached]
}

fn timeout_s_default() -> u64 {
    15
}

fn build(setup: &Setup<'_>, table: toml::Table) -> Result<Built, Vec<SettingsProblem>> {
    let (settings, mut problems): (Settings, _) = read_kind(table)?;
    let insecure_http = settings.insecure_http || !problems.none_at("insecure_http");
    if let Some(message) = endpoint::problem(settings.url.expose().trim(), insecure_http, setup.allow_private_addresses)
    {
        problems.add("url", message);
    }
    if settings.on.is_empty() {
        problems.add(
            "on",
            "names nothing to tell: leave it out, or name opened, reopened, closed, awaited, routed, message, failed, suggestion, warned, breached, incident or again",
        );
    }
    if settings.ticket_url.as_ref().is_some_and(|url| !url.starts_with("https://") && !url.starts_with("http://")) {
        problems.add("ticket_url", "is no address: write https://host/path/{ticket}");
    }
    let patience = Patience { attempts_max: 20, age_max: Duration::from_secs(NEWS_S_MAX.unsigned_abs()) };
    let terms = Terms::checked(settings.timeout_s, patience.attempts_max, 1, &mut problems);
    if !problems.is_empty() {
        return Err(problems.into());
    }
    Ok(Built::outbound(Slack { settings, timeout: terms.timeout, patience }))
}

/// One room.
struct Slack {
    settings: Settings,
    timeout: Duration,
    patience: Patience,
}

impl Mirror for Slack {
    fn patience(&self) -> Patience {
        self.patience
    }

    fn next(&self, post: &Post, replies: &[Reply], now: Timestamp) -> Step {
        if let Some(reply) = replies.last() {
            return judge(reply);
        }
        let is_news = now.duration_since(post.decided_at).as_secs() <= NEWS_S_MAX;
        let queues = &self.settings.queues;
        let is_of_queue = queues.is_empty() || post.ticket.queue.as_ref().is_some_and(|queue| queues.contains(queue));
        match news(post).filter(|news| is_news && is_of_queue && self.settings.on.contains(news)) {
            Some(news) => Step::Send(self.say(&self.line(news, post))),
            None => Step::Done(Vec::new()),
        }
    }

    fn queues(&self) -> Vec<(String, String)> {
        let queues = self.settings.queues.iter().enumerate();
        queues.map(|(index, queue)| (format!("queues.{index}"), queue.clone())).collect()
    }

    fn probe(&self) -> Option<Outgoing> {
        None
    }

    fn alert(&self, alert: &Alert, _id: &str, _now: Timestamp) -> Option<Outgoing> {
        let word = if alert.active { "lanka" } else { "lanka, over" };
        self.settings.alerts.then(|| self.say(&format!("{word}: {}", quiet(&alert.message))))
    }
}

impl Slack {
    fn say(&self, text: &str) -> Outgoing {
        Outgoing {
            url: self.settings.url.expose().trim().to_owned(),
            method: "POST",
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: json!({ "text": text }).to_string().into_bytes(),
            timeout: self.timeout,
        }
    }

    fn line(&self, news: News, post: &Post) -> String {
        let ticket = &post.ticket;
        let what = match news {
            News::Opened => "New ticket",
            News::Reopened => "Open again: ticket",
            News::Closed => "Closed: ticket",
            News::Message => "The customer wrote on ticket",
            News::Failed => "*Not delivered to the customer*: an answer on ticket",
            News::Suggestion => "To be decided by a person: ticket",
            News::Warned => "Due soon: ticket",
            News::Breached => "*Late*: ticket",
            News::Awaited => "The customer is awaited: ticket",
            News::Routed => "In another queue now: ticket",
            News::Incident => "*Many speak of it at once*: ticket",
            News::Again => "The customer comes again about it: ticket",
        };
        let url =
            self.settings.ticket_url.as_ref().map(|url| {
                url.replace("{ticket}", &ticket.id.to_string()).replace("{number}", &ticket.number.to_string())
            });
        let number = match url {
            Some(url) => format!("<{}|#{}>", escaped(&url).replace('|', "%7C"), ticket.number),
            None => format!("#{}", ticket.number),
        };
        let mut about = Vec::new();
        if ticket.priority != "normal" {
            about.push(format!("{} priority", ticket.priority));
        }
        about.extend(ticket.kind.iter().cloned());
        about.extend(ticket.queue.clone().filter(|_| news == News::Routed));
        about.extend(post.message.as_ref().map(|message| message.channel.clone()));
        about.extend(matches!(news, News::Warned | News::Breached).then(|| waited_for(post)));
        let about = if about.is_empty() { String::new() } else { format!(" ({})", quiet(&about.join(", "))) };
        let mut line = format!("{what} {number}{about}");
        if self.settings.customer_text {
            let text = match &post.message {
                Some(message) if news == News::Message => &message.text,
                _ => &ticket.title,
            };
            let mut shown: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
            if let Some((end, _)) = shown.char_indices().nth(TEXT_CHARS_MAX) {
                shown.truncate(end);
                shown.push('…');
            }
            line = format!("{line}: {}", quiet(&shown));
        }
        line
    }
}

/// What a change is to people, if anything.
fn news(post: &Post) -> Option<News> {
    let message = post.message.as_ref();
    match post.change {
        Change::TicketOpened => Some(News::Opened),
        Change::TicketReopened => Some(News::Reopened),
        Change::TicketClosed => Some(News::Closed),
        Change::TicketAwaited => Some(News::Awaited),
        Change::TicketRouted => Some(News::Routed),
        Change::SuggestionMade => Some(News::Suggestion),
        Change::ClockWarned => Some(News::Warned),
        Change::ClockBreached => Some(News::Breached),
        Change::IncidentLinked => Some(News::Incident),
        Change::ContactAgain => Some(News::Again),
        Change::MessageAdded => {
            message.is_some_and(|message| message.direction == Direction::FromCustomer).then_some(News::Message)
        }
        Change::MessageUpdated => {
            let is_failed = |progress: Option<Progress>| progress == Some(Progress::Failed);
            message.is_some_and(|message| is_failed(message.progress)).then_some(News::Failed)
        }
        _ => None,
    }
}

/// What a clock that runs out waits for.
fn waited_for(post: &Post) -> String {
    let clock = post.detail["clock"].as_str().and_then(ClockKind::parse);
    clock
        .map_or("a promise", |clock| match clock {
            ClockKind::FirstAnswer => "first answer",
            ClockKind::NextAnswer => "next answer",
            ClockKind::Solution => "solution",
        })
        .to_owned()
}

/// The three signs that Slack has for itself.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A text that calls nobody: what follows an `@` is parted from it by a sign without width (Mattermost and Rocket.Chat
/// read `@all` out of plain text).
fn quiet(text: &str) -> String {
    escaped(text).replace('@', "@\u{200B}")
}

/// What an answer means. A room that is gone is mended by people: it is tried again, and its mirror parked.
fn judge(reply: &Reply) -> Step {
    let status = reply.status;
    let why = match status {
        200..=299 => return Step::Done(Vec::new()),
        429 => "the room's server answers 429: it asks for patience".to_owned(),
        401 | 403 | 404 | 410 => {
            format!("the room's server answers {status}: is the webhook still there? Make a new one, and correct url")
        }
        _ => format!("the room's server answers {status}"),
    };
    Step::Retry { after: reply.retry_after_s.map(Duration::from_secs), why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::outbox::{MessageView, TicketView, samples};

    const NOW: &str = "2026-03-02T10:00:05Z";

    fn slack(more: &str) -> Result<Box<dyn Mirror>, Vec<SettingsProblem>> {
        let text = format!("url = {{ \"\\u0001secret\" = \"https://hooks.slack.example/services/T/B/x\" }}\n{more}");
        let setup = Setup { name: "room", allow_private_addresses: false };
        build(&setup, text.parse().unwrap()).map(|built| built.mirror)
    }

    fn post(change: Change, message: Option<(Direction, Option<Progress>, &str)>) -> Post {
        let message = message.map(|(direction, progress, text)| MessageView {
            channel: "mail".to_owned(),
            direction,
            progress,
            ..samples::message(text)
        });
        let post = samples::post(change, message);
        let ticket = TicketView {
            number: 42,
            title: "<!channel> @all Lamppu | rikki".to_owned(),
            kind: vec!["problem".to_owned()],
            priority: "high".to_owned(),
            ..post.ticket
        };
        let detail = json!({ "clock": "first_answer" });
        Post { decided_at: "2026-03-02T10:00:00Z".parse().unwrap(), ticket, detail, ..post }
    }

    /// What the room is told, if anything.
    fn told(more: &str, post: &Post, now: &str) -> Option<String> {
        match slack(more).unwrap().next(post, &[], now.parse().unwrap()) {
            Step::Send(outgoing) => {
                assert_eq!(
                    (outgoing.method, outgoing.url.as_str()),
                    ("POST", "https://hooks.slack.example/services/T/B/x")
                );
                let body: serde_json::Value = serde_json::from_slice(&outgoing.body).unwrap();
                assert_eq!(body.as_object().unwrap().len(), 1);
                body["text"].as_str().map(str::to_owned)
            }
            Step::Done(links) if links.is_empty() => None,
            step => panic!("{step:?}"),
        }
    }

    #[test]
    fn what_a_room_is_told() {
        use Direction::{FromAgent, FromCustomer};
        let url = "ticket_url = \"https://desk.example/t/{number}?id={ticket}&a=1\"";
        let text = "customer_text = true";
        let all = "on = [\"message\", \"closed\"]\ncustomer_text = true";
        for (more, change, message, expected) in [
            ("", Change::TicketOpened, None, Some("New ticket #42 (high priority, problem)")),
            ("", Change::TicketReopened, None, Some("Open again: ticket #42 (high priority, problem)")),
            ("", Change::TicketClosed, None, None),
            (all, Change::TicketOpened, None, None),
            ("", Change::SuggestionMade, None, Some("To be decided by a person: ticket #42 (high priority, problem)")),
            (
                url,
                Change::TicketOpened,
                None,
                Some(
                    "New ticket <https://desk.example/t/42?id=00000000-0000-0000-0000-000000000009&amp;a=1|#42> (high priority, problem)",
                ),
            ),
            (
                text,
                Change::TicketOpened,
                None,
                Some("New ticket #42 (high priority, problem): &lt;!channel&gt; @\u{200B}all Lamppu | rikki"),
            ),
            (
                all,
                Change::MessageAdded,
                Some((FromCustomer, None, "Moi\n\n<https://evil.example|Klikkaa> @here")),
                Some(
                    "The customer wrote on ticket #42 (high priority, problem, mail): Moi &lt;https://evil.example|Klikkaa&gt; @\u{200B}here",
                ),
            ),
            (all, Change::MessageAdded, Some((FromAgent, None, "Moi")), None),
            ("", Change::MessageAdded, Some((FromCustomer, None, "Moi")), None),
            (
                "",
                Change::MessageUpdated,
                Some((FromAgent, Some(Progress::Failed), "Moi")),
                Some("*Not delivered to the customer*: an answer on ticket #42 (high priority, problem, mail)"),
            ),
            ("", Change::MessageUpdated, Some((FromAgent, Some(Progress::Read), "Moi")), None),
            ("", Change::AnswerDue, None, None),
            ("", Change::ClockWarned, None, None),
            ("", Change::ClockBreached, None, Some("*Late*: ticket #42 (high priority, problem, first answer)")),
            (
                "on = [\"warned\"]",
                Change::ClockWarned,
                None,
                Some("Due soon: ticket #42 (high priority, problem, first answer)"),
            ),
        ] {
            assert_eq!(told(more, &post(change, message), NOW).as_deref(), expected, "{more} {change:?}");
        }
        // What is over an hour old is no news; long texts are cut.
        assert_eq!(told("", &post(Change::TicketOpened, None), "2026-03-02T11:00:01Z"), None);
        let long = "ä".repeat(400);
        let line = told(all, &post(Change::MessageAdded, Some((FromCustomer, None, &long))), NOW).unwrap();
        assert!(line.ends_with(&format!(": {}…", "ä".repeat(TEXT_CHARS_MAX))), "{line}");
    }

    #[test]
    fn what_answers_mean() {
        let post = post(Change::TicketOpened, None);
        for (status, retry_after_s, expected) in
            [(200, None, "done"), (429, Some(30), "30 patience"), (404, None, "still there"), (500, None, "500")]
        {
            let reply = Reply { status, retry_after_s, body: "ok".to_owned() };
            let step = slack("").unwrap().next(&post, &[reply], NOW.parse().unwrap());
            let said = match step {
                Step::Done(_) => "done".to_owned(),
                Step::Retry { after, why } => format!("{} {why}", after.map_or(0, |after| after.as_secs())),
                step => panic!("{step:?}"),
            };
            assert!(expected.split(' ').all(|word| said.contains(word)), "{status}: {said}");
        }
    }

    #[test]
    fn alerts_are_told_where_they_are_wanted() {
        let alert = Alert {
            code: "channel_dead".to_owned(),
            subject: "mail".to_owned(),
            active: false,
            message: "mail: <nothing> came".to_owned(),
            since: Timestamp::UNIX_EPOCH,
        };
        let said = |more| slack(more).unwrap().alert(&alert, "1", Timestamp::UNIX_EPOCH).map(|said| said.body);
        assert_eq!(said(""), None);
        assert_eq!(said("alerts = true").unwrap(), br#"{"text":"lanka, over: mail: &lt;nothing&gt; came"}"#);
    }

    #[test]
    fn wrong_settings_are_told() {
        for (more, key) in
            [("on = []", "on"), ("ticket_url = \"desk/{ticket}\"", "ticket_url"), ("timeout_s = 0", "timeout_s")]
        {
            let problems = slack(more).err().unwrap_or_else(|| panic!("{more}"));
            assert!(problems.iter().any(|problem| problem.key == key), "{more}: {problems:?}");
        }
        assert!(slack("on = [\"everything\"]").is_err());
    }
}
