//! Messages in words, for tools that show a thread as mails or notes: what agents must know before they read, and before
//! they write.

use super::mail_write;
use crate::pure::domain::answer::{AddressView, AnswerView};
use crate::pure::domain::message::{CallOutcome, Direction, Progress};
use crate::pure::domain::outbox::{MessageView, TicketView};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Longest name shown, in characters.
const NAME_CHARS_MAX: usize = 100;

/// By whom a message is, or to whom.
pub fn who<'a>(ticket: &'a TicketView, message: &MessageView) -> &'a str {
    let contact = message.contact.and_then(|id| ticket.participants.iter().find(|contact| contact.id == id));
    contact.and_then(|contact| contact.name.as_deref()).unwrap_or("?")
}

/// What agents must know before they read, and before they write.
pub fn head(ticket: &TicketView, message: &MessageView) -> String {
    let who = who(ticket, message);
    let mut head = format!("[{}] {}", message.channel, message.occurred_at.strftime("%Y-%m-%d %H:%M UTC"));
    // Writing to a String cannot fail.
    let _ = match message.direction {
        Direction::FromCustomer => write!(head, " · {}", who),
        Direction::FromAgent => write!(head, " · to {}", who),
    };
    let _ = writeln!(head, " · ticket #{} ({}, {})", ticket.number, ticket.state, ticket.priority);
    if !message.marks.is_empty() {
        let marks: Vec<String> = message
            .marks
            .iter()
            .filter_map(|mark| serde_json::to_value(mark).ok()?.as_str().map(str::to_owned))
            .collect();
        let _ = writeln!(head, "! {}", marks.join(", "));
    }
    if let Some(call) = &message.call {
        let outcome = match call.outcome {
            CallOutcome::Answered => "answered",
            CallOutcome::Voicemail => "voicemail",
            CallOutcome::Missed => "missed",
            CallOutcome::Busy => "busy",
            CallOutcome::Failed => "failed",
        };
        let _ = writeln!(head, "Call, {outcome}, {} s, {} s of talk", call.duration_s, call.talk_s);
    }
    if message.progress == Some(Progress::Failed) {
        let _ = writeln!(head, "! NOT DELIVERED: {}", message.progress_why.as_deref().unwrap_or("no reason was given"));
    }
    if message.direction == Direction::FromCustomer {
        let _ = writeln!(head, "{}", ticket.answer.as_ref().map(answerable).unwrap_or_default());
    }
    head
}

/// Where a reply would go.
pub fn answerable(answer: &AnswerView) -> String {
    let shown = |to: &AddressView| match to.until {
        Some(until) => format!("{} on {} until {}", to.address, to.channel, until.strftime("%Y-%m-%d %H:%M UTC")),
        None => format!("{} on {}", to.address, to.channel),
    };
    let mut line = match (&answer.to, answer.says) {
        (Some(to), _) => format!("A reply goes to {}.", shown(to)),
        (None, Some(says)) => format!("A reply goes nowhere by itself. {says}"),
        (None, None) => String::new(),
    };
    if !answer.others.is_empty() {
        let others: Vec<String> = answer.others.iter().map(shown).collect();
        let _ = write!(line, " With \"/to ADDRESS\" as its first line it can go to: {}.", others.join("; "));
    }
    line
}

/// Why it is here.
pub fn tail(message: &MessageView) -> String {
    let mut tail = String::new();
    for file in &message.attachments {
        if file.waiting || file.lost.is_some() {
            let name = file.name.as_deref().unwrap_or("a file");
            let state = file.lost.as_deref().unwrap_or("is being fetched");
            let _ = writeln!(tail, "[{}: {state}]", mail_write::line(name, NAME_CHARS_MAX));
        }
    }
    if !message.sentence.is_empty() {
        let _ = write!(tail, "\n-- \n{}\n", message.sentence);
    }
    tail
}

/// What tells the states of a message apart that are shown differently: its words, files, marks, how its call went, and that it
/// could not be delivered. 128 bits in hexadecimal.
pub fn state(ticket: &TicketView, message: &MessageView) -> String {
    let files: Vec<&str> = message.attachments.iter().filter_map(|file| file.sha256.as_deref()).collect();
    let marks: Vec<String> = message.marks.iter().map(|mark| format!("{mark:?}")).collect();
    let failed = (message.progress == Some(Progress::Failed)).then(|| message.progress_why.clone()).flatten();
    let call = message.call.as_ref().map(|call| format!("{call:?}")).unwrap_or_default();
    let shown = [
        ticket.id.to_string(),
        ticket.title.clone(),
        message.id.to_string(),
        message.text.clone(),
        files.join(","),
        marks.join(","),
        failed.unwrap_or_default(),
        call,
    ];
    digest(&shown.iter().map(String::as_str).collect::<Vec<_>>())
}

/// 128 bits of a hash over texts, each told from the next.
pub fn digest(texts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hex::encode(&hash.finalize()[..16])
}
