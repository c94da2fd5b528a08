//! `lanka thread`: unified threads in the terminal, and messages put together and apart by hand.

use super::by_hand::{self, By};
use super::output::{Output, clock};
use super::settle;
use super::{Bench, Failure, incident};
use crate::config::parse_duration;
use crate::pure::channels::desk::Doing;
use crate::pure::domain::Timestamp;
use crate::pure::domain::clock::{ClockKind, ClockState};
use crate::pure::domain::message::{Call, Direction};
use crate::pure::domain::outbox::{ClockView, ContactView, MessageView, NoticeView, TicketView};
use crate::pure::domain::ready::Offered;
use crate::pure::wire::settings::unknown_word;
use crate::shell::answers::Answers;
use crate::shell::hands::{Classifying, Hands};
use crate::shell::page::link::{Allow, GOOD_FOR_MAX, Links, ThreadLink};
use crate::shell::store::commit::json_word;
use crate::shell::store::hands::ActShown;
use crate::shell::store::incident::Recurring;
use crate::shell::store::view::ThreadLine;
use crate::shell::{Parts, counted};
use jiff::tz::TimeZone;
use serde::Serialize;
use std::time::Duration;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Thread {
    /// The latest threads.
    List {
        /// Those of one queue.
        #[arg(long)]
        queue: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..))]
        limit: i64,
        /// Those on which an answer or the solution is due, the soonest first.
        #[arg(long)]
        due: bool,
    },
    /// One thread with all that was said.
    Show {
        /// The ticket's id (one that was merged away works too), or its short number.
        id: String,
    },
    /// Threads in which a text occurs: in the title, a name, an address, or what was said.
    Find {
        /// The text.
        text: String,
        /// At most so many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..))]
        limit: i64,
    },
    /// Ready answers that fit what the customer asks, the best first.
    Answers {
        /// The ticket's id, or its short number.
        id: String,
    },
    /// A link to the page of a thread, for people without a tool. Whoever has it sees the thread until it expires.
    Link {
        /// The ticket's id, or its short number.
        id: String,
        /// How long it is good, as `7d` or `12h`; at most 366 days.
        #[arg(long = "for", value_name = "TIME", default_value = "7d", value_parser = good_for)]
        good_for: Duration,
        /// What its bearer may do: read, or answer suggestions too.
        #[arg(long, value_parser = Allow::WORDS, default_value = Allow::WORDS[0])]
        allow: String,
        /// Who its bearer is, for the journals.
        #[arg(long, value_parser = by_hand::by)]
        name: Option<String>,
    },
    /// Put a ticket into another queue. It stays there, whatever the rules say.
    Route {
        /// The ticket's id, or its short number.
        id: String,
        /// The queue, as `lanka queue list` shows it.
        queue: String,
        /// Who does it; else the user who is logged in.
        #[command(flatten)]
        by: By,
    },
    /// Say that the desk waits for the customer: the ticket rests until he says something.
    Await {
        /// The ticket's id, or its short number.
        id: String,
        /// It waits no longer.
        #[arg(long)]
        over: bool,
        /// Who does it; else the user who is logged in.
        #[command(flatten)]
        by: By,
    },
    /// Put messages on another ticket. What else is on theirs stays there.
    Move {
        /// The messages: lanka's ids, or the vendors'.
        #[arg(required = true, value_name = "MESSAGE")]
        messages: Vec<String>,
        /// The ticket: its id, or its short number.
        #[arg(long, value_name = "TICKET")]
        to: String,
        #[command(flatten)]
        by: By,
    },
    /// Put all that is on one ticket on another, whose id and number stay.
    Merge {
        /// The ticket that ends: its id, or its short number.
        from: String,
        /// The ticket that stays.
        into: String,
        #[command(flatten)]
        by: By,
    },
    /// Say what kind of matter a ticket is and how soon it must be seen to. It stands over what the words say.
    Classify {
        /// The ticket: its id, or its short number.
        id: String,
        /// Its kinds, with commas between: service, problem, feedback; none says that it brings no matter.
        #[arg(long, value_delimiter = ',', value_parser = ["service", "problem", "feedback", "none"], required_unless_present_any = ["priority", "undo"])]
        kind: Vec<String>,
        /// What the problem is.
        #[arg(long, value_parser = ["own", "unclear", "hinders", "prevents"])]
        fault: Option<String>,
        /// What the feedback says, with commas between.
        #[arg(long, value_delimiter = ',', value_parser = ["complaint", "wish", "praise"])]
        feedback: Vec<String>,
        /// How soon.
        #[arg(long, value_parser = ["high", "normal", "low"])]
        priority: Option<String>,
        /// Take back what was said: the words speak again.
        #[arg(long, conflicts_with_all = ["kind", "fault", "feedback", "priority"])]
        undo: bool,
        #[command(flatten)]
        by: By,
    },
    /// Put messages on a ticket of their own.
    Split {
        /// The messages: lanka's ids, or the vendors'.
        #[arg(required = true, value_name = "MESSAGE")]
        messages: Vec<String>,
        #[command(flatten)]
        by: By,
    },
}

/// A thread, for programs.
#[derive(Serialize)]
pub(super) struct ThreadView<'a> {
    /// The ticket.
    pub ticket: &'a TicketView,
    /// What was said, in order of its time.
    pub messages: &'a [MessageView],
    /// Incidents it is on, and how often its customer has come about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recurring: Option<&'a Recurring>,
    /// What was put together and apart by hand.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub acts: &'a [ActShown],
}

impl Thread {
    /// Whether it does more than read.
    pub(super) fn changes(&self) -> bool {
        matches!(
            self,
            Self::Move { .. }
                | Self::Merge { .. }
                | Self::Split { .. }
                | Self::Route { .. }
                | Self::Await { .. }
                | Self::Classify { .. }
        )
    }

    pub(super) async fn run(self, bench: Bench, output: &mut Output) -> Result<(), Failure> {
        match self {
            Self::Move { messages, to, by } => {
                let act = async |hands: &Hands| hands.move_to(&messages, &to, by.saying()).await;
                by_hand::run(bench, output, act).await
            }
            Self::Merge { from, into, by } => {
                let act = async |hands: &Hands| hands.merge(&from, &into, by.saying()).await;
                by_hand::run(bench, output, act).await
            }
            Self::Classify { id, kind, fault, feedback, priority, undo, by } => {
                let what = Classifying::of(&kind, fault.as_deref(), &feedback, priority.as_deref(), undo);
                let act = async |hands: &Hands| hands.classify(&id, &what, by.saying()).await;
                by_hand::run(bench, output, act).await
            }
            Self::Split { messages, by } => {
                let act = async |hands: &Hands| hands.split(&messages, by.saying()).await;
                by_hand::run(bench, output, act).await
            }
            Self::Route { id, queue, by } => {
                known(&bench, &queue)?;
                act(bench, &id, Doing::Route(&queue), by.saying().by, output).await
            }
            Self::Await { id, over, by } => {
                let what = if over { Doing::Resume } else { Doing::Await };
                act(bench, &id, what, by.saying().by, output).await
            }
            Self::Link { id, good_for, allow, name } => {
                link(bench, &id, good_for, (Allow::of(&allow), name), output).await
            }
            Self::List { .. } | Self::Show { .. } | Self::Find { .. } | Self::Answers { .. } => {
                self.read(bench, output).await
            }
        }
    }

    async fn read(self, bench: Bench, output: &mut Output) -> Result<(), Failure> {
        bench
            .with(async |settings, deployment| {
                let (store, zone) = (&deployment.store, &settings.defaults.time_zone);
                match self {
                    Self::List { limit, due: true, queue } => {
                        list(&store.threads_due(queue.as_deref(), limit).await?, zone, output)
                    }
                    Self::List { limit, due: false, queue } => {
                        list(&store.threads(None, queue.as_deref(), limit).await?, zone, output)
                    }
                    Self::Find { text, limit } => list(&store.threads(Some(&text), None, limit).await?, zone, output),
                    Self::Show { id } => {
                        let unknown = || unknown(&id);
                        let ticket = store.find_ticket(&id).await?.ok_or_else(unknown)?;
                        let acts = store.acts_of(ticket).await?;
                        let (ticket, messages) = store.thread(ticket).await?.ok_or_else(unknown)?;
                        let recurring = store.recurring(ticket.id).await?;
                        let recurring = Some(&recurring).filter(|recurring| !recurring.is_none());
                        show(&ThreadView { ticket: &ticket, messages: &messages, recurring, acts: &acts }, zone, output)
                    }
                    Self::Answers { id } => {
                        let ticket = store.find_ticket(&id).await?.ok_or_else(|| unknown(&id))?;
                        answers(&store.ready_offers(ticket).await?, output)
                    }
                    Self::Link { .. }
                    | Self::Move { .. }
                    | Self::Merge { .. }
                    | Self::Split { .. }
                    | Self::Route { .. }
                    | Self::Await { .. }
                    | Self::Classify { .. } => Ok(()),
                }
            })
            .await
    }
}

fn unknown(id: &str) -> Failure {
    Failure::Failed(format!("there is no ticket \"{id}\"; `lanka thread list` shows those there are"))
}

fn good_for(text: &str) -> Result<Duration, String> {
    let good_for = parse_duration(text)?;
    if good_for > GOOD_FOR_MAX { Err("at most 366d".to_owned()) } else { Ok(good_for) }
}

/// Whether a queue is one of the configuration's.
fn known(bench: &Bench, queue: &str) -> Result<(), Failure> {
    let names = bench.settings.routing.names();
    match names.contains(queue) {
        true => Ok(()),
        false => Err(Failure::Failed(unknown_word(queue, &names.into_iter().collect::<Vec<_>>()))),
    }
}

/// Does something with a ticket, here or in a daemon beside, and prints how it stands then.
async fn act(bench: Bench, id: &str, what: Doing<'_>, by: &str, output: &mut Output) -> Result<(), Failure> {
    let Bench { settings, deployment } = bench;
    let (parts, _) = Parts::of(settings, &deployment.keys);
    let acted = async {
        let store = &deployment.store;
        let ticket = store.find_ticket(id).await?.ok_or_else(|| unknown(id))?;
        let tenant = store.tenant_of(ticket).await?.ok_or_else(|| unknown(id))?;
        let answers = Answers::new(store.clone(), parts.registry.clone());
        let key = format!("cli/{}", uuid::Uuid::now_v7());
        let delivery = answers.record_act((&tenant, &key), ticket, what, by).await?;
        settle::decide(store, &settle::ingest(store, &parts, None), &delivery).await?;
        store.ticket_view(ticket).await?.ok_or_else(|| unknown(id))
    }
    .await;
    deployment.close().await;
    let ticket = acted?;
    if output.is_json() {
        return output.json(&ticket);
    }
    let awaited = if ticket.awaited_since.is_some() { ", waits for the customer" } else { "" };
    let queue = ticket.queue.as_deref().unwrap_or("no queue");
    output.text(&format!("ticket #{} {} ({}{awaited}), in {queue}", ticket.number, ticket.title, ticket.state))
}

/// Prints a link to a thread's page.
async fn link(
    bench: Bench,
    id: &str,
    good_for: Duration,
    given: (Allow, Option<String>),
    output: &mut Output,
) -> Result<(), Failure> {
    bench
        .with(async |settings, deployment| {
            let store = &deployment.store;
            let ticket = store.find_ticket(id).await?.ok_or_else(|| unknown(id))?;
            let tenant = store.tenant_of(ticket).await?.ok_or_else(|| unknown(id))?;
            let link = ThreadLink::new((ticket, &tenant), Timestamp::now(), good_for, given);
            let links = Links::new(&deployment.keys, settings.http.public_url.clone());
            let nowhere = || Failure::Failed("a link needs an address: set http.public_url".to_owned());
            let url = links.url(&link).ok_or_else(nowhere)?;
            match output.is_json() {
                true => output.json(&serde_json::json!({"url": url, "ticket": ticket, "expires_at": link.until()})),
                false => output.text(&url),
            }
        })
        .await
}

/// Prints what fits, each with its text.
fn answers(offered: &[Offered], output: &mut Output) -> Result<(), Failure> {
    let cells = |offered: &Offered| {
        vec![
            offered.id.clone(),
            format!("{:.2}", offered.score),
            offered.title.clone(),
            offered.words.join(", "),
            offered.text.clone(),
        ]
    };
    output.rows(&["answer", "score", "title", "because of", "text"], offered, cells, "no ready answer fits")
}

fn list(threads: &[ThreadLine], zone: &TimeZone, output: &mut Output) -> Result<(), Failure> {
    let cells = |line: &ThreadLine| {
        vec![
            format!("#{}", line.number),
            match line.awaited_since {
                Some(_) => format!("{}, awaited", line.state),
                None => line.state.clone(),
            },
            line.priority.clone(),
            line.queue.clone().unwrap_or_default(),
            line.owner.clone().unwrap_or_default(),
            clock(line.last_at, zone),
            line.due_at.map(|at| clock(at, zone)).unwrap_or_default(),
            line.messages.to_string(),
            line.channels.join(", "),
            line.participants.join(", "),
            line.title.clone(),
        ]
    };
    output.rows(
        &["ticket", "state", "priority", "queue", "owner", "last", "due", "messages", "channels", "with", "title"],
        threads,
        cells,
        "no threads",
    )
}

/// What kind of matter it is, in one line.
fn what_kind(ticket: &TicketView) -> String {
    let more: Vec<&str> =
        ticket.fault_kind.as_deref().into_iter().chain(ticket.feedback.iter().map(String::as_str)).collect();
    let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join(", ")) };
    let by = ticket.classified_by.as_ref().map(|by| format!(", as {by} says")).unwrap_or_default();
    format!("{}{more}{by}", ticket.kind.join(", "))
}

/// Prints a thread.
fn show(thread: &ThreadView<'_>, zone: &TimeZone, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        return output.json(thread);
    }
    let ThreadView { ticket, messages, recurring, acts } = thread;
    output.heading(&format!("#{} {}", ticket.number, ticket.title))?;
    output.text(&format!("{}, priority {}, {}", ticket.state, ticket.priority, ticket.id))?;
    if let Some(queue) = &ticket.queue {
        let by = ticket.queue_rule.as_ref().map(|rule| format!(", by the rule {rule}")).unwrap_or_default();
        output.text(&format!("in the queue {queue}{by}"))?;
    }
    if let Some(since) = ticket.awaited_since {
        output.text(&format!("waits for the customer since {}", clock(since, zone)))?;
    }
    if !ticket.kind.is_empty() {
        output.text(&what_kind(ticket))?;
    }
    if let Some(owner) = &ticket.owner {
        output.text(&format!("{owner} has it"))?;
    }
    for shown in &ticket.clocks {
        output.text(&promised(shown, zone))?;
    }
    for notice in &ticket.notices {
        output.text(&noticed(notice, zone))?;
    }
    if let Some(earlier) = ticket.follow_up_of {
        output.text(&format!("continues {earlier}"))?;
    }
    for incident in recurring.iter().flat_map(|recurring| &recurring.incidents) {
        let (number, state, of) = (incident.number, &incident.state, incident::who(incident));
        output.text(&format!("on incident #{number} ({state}, of {of}): {}", incident.terms.join(", ")))?;
    }
    if let Some(again) = recurring.and_then(|recurring| recurring.again.as_ref()) {
        let others: Vec<String> = again.tickets.iter().map(|number| format!("#{number}")).collect();
        let others = if others.is_empty() { String::new() } else { format!(", also {}", others.join(", ")) };
        output.text(&format!(
            "contact number {} about this since {}{others}",
            again.times,
            clock(again.since, zone)
        ))?;
    }
    for contact in &ticket.participants {
        output.text(&format!("with {} ({})", named(contact), contact.identities.join(", ")))?;
    }
    messages.iter().try_for_each(|message| show_message(ticket, message, zone, output))?;
    acts.iter().try_for_each(|act| {
        let what = counted(act.messages.len(), "message", "messages");
        let from: Vec<String> = act.from.iter().map(ToString::to_string).collect();
        let to = act.to.map_or_else(|| "a ticket of their own".to_owned(), |to| to.to_string());
        let back = if act.takes_back.is_some() { ", which took the last act back" } else { "" };
        output.text(&format!(
            "\n{}  {} by {}: {what} from {} to {to}{back}{}",
            clock(act.at, zone),
            act.act,
            act.by,
            from.join(", "),
            by_hand::because(&act.why)
        ))
    })
}

/// A clock in one line: `first answer: due 2026-03-26 11:00 (2h of service time, rule rest)`.
fn promised(shown: &ClockView, zone: &TimeZone) -> String {
    let what = match shown.clock {
        ClockKind::FirstAnswer => "first answer".to_owned(),
        ClockKind::NextAnswer => format!("next answer {}", shown.round),
        ClockKind::Solution => "solution".to_owned(),
    };
    let due = shown.due_at.map_or_else(|| "not within ten years".to_owned(), |at| clock(at, zone));
    let worked = shown.worked_s.map_or_else(String::new, |worked_s| format!(" after {}", length(worked_s)));
    let how = match (shown.state, shown.ended_at) {
        (ClockState::Running, _) => format!("due {due}"),
        (ClockState::Paused, _) => format!("paused{worked}, the customer is waited for"),
        (ClockState::Met, _) => format!("done{worked}"),
        (ClockState::Breached, Some(_)) => format!("done LATE{worked}, was due {due}"),
        (ClockState::Breached, None) => format!("LATE, was due {due}"),
    };
    let by = [("contract", &shown.contract), ("rule", &shown.rule)];
    let by: String = by.iter().filter_map(|(what, name)| Some(format!(", {what} {}", name.as_ref()?))).collect();
    format!("{what}: {how} ({} of service time{by})", length(shown.target_s))
}

/// A notice in one line: `told 2026-03-26 11:00: acknowledged`, `not told: acknowledged, 2026-03-26 11:00. It happened …`.
fn noticed(notice: &NoticeView, zone: &TimeZone) -> String {
    let (what, at) = (notice.kind.as_str(), clock(notice.at, zone));
    match &notice.withheld {
        None => format!("told {at}: {what}"),
        Some(code) => format!("not told: {what}, {at}. {}", notice.why.unwrap_or(code)),
    }
}

/// Seconds in hours and minutes.
fn length(seconds: i64) -> String {
    match (seconds / 3_600, seconds / 60 % 60) {
        (0, minutes) => format!("{minutes}m"),
        (hours, 0) => format!("{hours}h"),
        (hours, minutes) => format!("{hours}h{minutes}m"),
    }
}

fn named(contact: &ContactView) -> &str {
    contact.name.as_deref().unwrap_or("somebody without a name")
}

fn show_message(
    ticket: &TicketView,
    message: &MessageView,
    zone: &TimeZone,
    output: &mut Output,
) -> Result<(), Failure> {
    let contact = ticket.participants.iter().find(|contact| Some(contact.id) == message.contact);
    let who = contact.map_or("unknown", named);
    let who = match message.direction {
        Direction::FromCustomer => who.to_owned(),
        Direction::FromAgent => format!("the desk to {who}"),
    };
    let marks: Vec<String> = message.marks.iter().map(json_word).collect();
    let marks = if marks.is_empty() { String::new() } else { format!("  [{}]", marks.join(", ")) };
    output.text("")?;
    let at = clock(message.occurred_at, zone);
    output.heading(&format!("{at}  {}  {who}{marks}  {}", message.channel, message.id))?;
    if let Some(subject) = message.subject.as_deref().filter(|subject| !subject.is_empty()) {
        output.text(&format!("  Subject: {subject}"))?;
    }
    if let Some(author) = &message.forwarded_from {
        output.text(&format!("  Forwarded from: {author}"))?;
    }
    if let Some(brings) = &message.brings {
        output.text(&format!("  brings: {}", brings.words().collect::<Vec<_>>().join(", ")))?;
    }
    if let Some(call) = &message.call {
        output.text(&format!("  {}", told(call)))?;
    }
    for line in message.text.trim_end().lines() {
        output.text(&format!("  {line}"))?;
    }
    for leg in message.call.iter().flat_map(|call| &call.legs).filter(|leg| !leg.recording.is_empty()) {
        output.text(&format!("  + recording: {}", leg.recording))?;
    }
    for file in &message.attachments {
        let name = file.name.as_deref().unwrap_or("file");
        output.text(&match &file.lost {
            Some(why) => format!("  - {name} ({}), not here: {why}", file.media_type),
            None if file.waiting => format!("  + {name} ({}), being fetched", file.media_type),
            None => format!("  + {name} ({}, {} bytes)", file.media_type, file.bytes),
        })?;
    }
    match message.sentence.is_empty() {
        true => Ok(()),
        false => output.text(&format!("  · {}", message.sentence)),
    }
}

/// A call in one line.
fn told(call: &Call) -> String {
    let by = if call.answered_by.is_empty() { String::new() } else { format!(", at {}", call.answered_by) };
    format!("call, {}{by}, {} s of talk", json_word(&call.outcome), call.talk_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_in_a_line() {
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let running = ClockView {
            clock: ClockKind::FirstAnswer,
            round: 1,
            state: ClockState::Running,
            started_at: Timestamp::UNIX_EPOCH,
            target_s: 1_800,
            worked_s: None,
            due_at: at("2026-03-30T05:20:00Z"),
            warn_at: None,
            paused_since: None,
            ended_at: None,
            channel: Some("mail".to_owned()),
            rule: Some("rest".to_owned()),
            contract: None,
        };
        let late = ClockView {
            clock: ClockKind::NextAnswer,
            round: 3,
            state: ClockState::Breached,
            contract: Some("gold".to_owned()),
            rule: None,
            ..running.clone()
        };
        let done = ClockView { state: ClockState::Met, worked_s: Some(59), ..running.clone() };
        let solution =
            ClockView { clock: ClockKind::Solution, target_s: 144_000, worked_s: Some(5_400), ..running.clone() };
        let paused = ClockView { state: ClockState::Paused, due_at: None, ..solution.clone() };
        let too_late = ClockView { state: ClockState::Breached, ended_at: at("2026-03-31T05:20:00Z"), ..solution };
        let never = ClockView { due_at: None, ..running.clone() };
        let table = [
            (running, "first answer: due 2026-03-30 08:20 (30m of service time, rule rest)"),
            (late, "next answer 3: LATE, was due 2026-03-30 08:20 (30m of service time, contract gold)"),
            (done, "first answer: done after 0m (30m of service time, rule rest)"),
            (paused, "solution: paused after 1h30m, the customer is waited for (40h of service time, rule rest)"),
            (too_late, "solution: done LATE after 1h30m, was due 2026-03-30 08:20 (40h of service time, rule rest)"),
            (never, "first answer: due not within ten years (30m of service time, rule rest)"),
        ];
        let zone = TimeZone::get("Europe/Helsinki").unwrap();
        for (shown, expected) in table {
            assert_eq!(promised(&shown, &zone), expected);
        }
    }
}
