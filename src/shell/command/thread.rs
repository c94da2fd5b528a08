//! `lanka thread`: unified threads in the terminal.

use super::output::{Output, clock};
use super::{Bench, Failure};
use crate::pure::domain::message::{Call, Direction};
use crate::pure::domain::outbox::{ContactView, MessageView, TicketView};
use crate::shell::store::commit::json_word;
use crate::shell::store::view::ThreadLine;
use jiff::tz::TimeZone;
use serde::Serialize;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Thread {
    /// The latest threads.
    List {
        /// At most so many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..))]
        limit: i64,
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
}

/// A thread, for programs.
#[derive(Serialize)]
pub(super) struct ThreadView<'a> {
    /// The ticket.
    pub ticket: &'a TicketView,
    /// What was said, in order of its time.
    pub messages: &'a [MessageView],
}

impl Thread {
    pub(super) async fn run(self, bench: Bench, output: &mut Output) -> Result<(), Failure> {
        bench
            .with(async |settings, deployment| {
                let (store, zone) = (&deployment.store, &settings.defaults.time_zone);
                match self {
                    Self::List { limit } => list(&store.threads(None, limit).await?, zone, output),
                    Self::Find { text, limit } => list(&store.threads(Some(&text), limit).await?, zone, output),
                    Self::Show { id } => {
                        let unknown = || {
                            Failure::Failed(format!(
                                "there is no ticket \"{id}\"; `lanka thread list` shows those there are"
                            ))
                        };
                        let ticket = store.find_ticket(&id).await?.ok_or_else(unknown)?;
                        let (ticket, messages) = store.thread(ticket).await?.ok_or_else(unknown)?;
                        show(&ticket, &messages, zone, output)
                    }
                }
            })
            .await
    }
}

fn list(threads: &[ThreadLine], zone: &TimeZone, output: &mut Output) -> Result<(), Failure> {
    let cells = |line: &ThreadLine| {
        vec![
            format!("#{}", line.number),
            line.state.clone(),
            line.priority.clone(),
            clock(line.last_at, zone),
            line.messages.to_string(),
            line.channels.join(", "),
            line.participants.join(", "),
            line.title.clone(),
        ]
    };
    output.rows(
        &["ticket", "state", "priority", "last", "messages", "channels", "with", "title"],
        threads,
        cells,
        "no threads",
    )
}

/// Prints a thread.
pub(super) fn show(
    ticket: &TicketView,
    messages: &[MessageView],
    zone: &TimeZone,
    output: &mut Output,
) -> Result<(), Failure> {
    if output.is_json() {
        return output.json(&ThreadView { ticket, messages });
    }
    output.heading(&format!("#{} {}", ticket.number, ticket.title))?;
    output.text(&format!("{}, priority {}, {}", ticket.state, ticket.priority, ticket.id))?;
    if let Some(earlier) = ticket.follow_up_of {
        output.text(&format!("continues {earlier}"))?;
    }
    for contact in &ticket.participants {
        output.text(&format!("with {} ({})", named(contact), contact.identities.join(", ")))?;
    }
    messages.iter().try_for_each(|message| show_message(ticket, message, zone, output))
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
    output.heading(&format!("{}  {}  {who}{marks}", clock(message.occurred_at, zone), message.channel))?;
    if let Some(subject) = message.subject.as_deref().filter(|subject| !subject.is_empty()) {
        output.text(&format!("  Subject: {subject}"))?;
    }
    if let Some(author) = &message.forwarded_from {
        output.text(&format!("  Forwarded from: {author}"))?;
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
    message.reasons.iter().try_for_each(|reason| output.text(&format!("  · {reason}")))
}

/// A call in one line.
fn told(call: &Call) -> String {
    let by = if call.answered_by.is_empty() { String::new() } else { format!(", at {}", call.answered_by) };
    format!("call, {}{by}, {} s of talk", json_word(&call.outcome), call.talk_s)
}
