//! Messages in words, for the tools of agents: what they must know before they read. For tools that show a thread as mails
//! or notes, all of a message's head and tail.

use super::mail_write;
use crate::pure::domain::Timestamp;
use crate::pure::domain::answer::{AddressView, AnswerView, Template};
use crate::pure::domain::clock::ClockKind;
use crate::pure::domain::message::{Call, CallOutcome, Direction, Mark, Progress};
use crate::pure::domain::outbox::{AttachmentView, Change, MessageView, Post, TicketView};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Longest name shown, in characters.
const NAME_CHARS_MAX: usize = 100;

/// By whom a message is, or to whom.
pub fn who<'a>(ticket: &'a TicketView, message: &MessageView) -> &'a str {
    let contact = message.contact.and_then(|id| ticket.participants.iter().find(|contact| contact.id == id));
    contact.and_then(|contact| contact.name.as_deref()).unwrap_or("?")
}

/// Who has a ticket, where that was told by another tool.
pub fn owner(ticket: &TicketView) -> String {
    match &ticket.owner {
        Some(owner) => format!("{owner} has this ticket."),
        None => "Nobody has this ticket any more.".to_owned(),
    }
}

/// That a clock of the ticket runs out, or ran out, as the change's particulars name it.
pub fn clock(post: &Post) -> String {
    let what = match post.detail["clock"].as_str().and_then(ClockKind::parse) {
        Some(ClockKind::FirstAnswer) => "the first answer",
        Some(ClockKind::NextAnswer) => "an answer to what the customer said since",
        Some(ClockKind::Solution) => "the solution",
        None => "something",
    };
    let due = post.detail["due_at"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
    let due = due.map_or_else(String::new, |due| due.strftime(" %Y-%m-%d %H:%M UTC").to_string());
    match post.change {
        Change::ClockBreached => format!("LATE: {what} was due{due}."),
        _ => format!("DUE SOON: {what} is due{due}."),
    }
}

/// In which queue a ticket is, where that changed.
pub fn queue(ticket: &TicketView) -> String {
    let queue = ticket.queue.as_deref().unwrap_or_default();
    match &ticket.queue_rule {
        Some(rule) => format!("This ticket is in the queue {queue} now, by the rule {rule}."),
        None => format!("This ticket is in the queue {queue} now."),
    }
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
    if message.marks.contains(&Mark::Internal) {
        head.push_str("! INTERNAL: written for colleagues, no customer sees it.\n");
    }
    for warning in message.marks.iter().filter_map(|mark| warning(*mark)) {
        let _ = writeln!(head, "! {warning}");
    }
    if let Some(call) = &message.call {
        let _ = writeln!(head, "{}", self::call(call, message.direction));
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
    if !answer.templates.is_empty() {
        let _ = write!(line, " {}", templates(answer));
    }
    if !answer.others.is_empty() {
        let others: Vec<String> = answer.others.iter().map(shown).collect();
        let _ = write!(line, " With \"/to ADDRESS\" as its first line it can go to: {}.", others.join("; "));
    }
    line
}

/// What alone can be sent, each with its text; nothing where there is nothing of the kind.
pub fn templates(answer: &AnswerView) -> String {
    let one = |template: &Template| {
        let text: Vec<&str> = template.text.split_whitespace().collect();
        format!("{} ({}): \"{}\"", template.name, template.language, text.join(" "))
    };
    let all: Vec<String> = answer.templates.iter().map(one).collect();
    if all.is_empty() { String::new() } else { format!("Templates: {}.", all.join("; ")) }
}

/// What a mark tells agents, in a sentence; `None` where a tool shows it in its own way.
pub fn warning(mark: Mark) -> Option<&'static str> {
    Some(match mark {
        Mark::Unverified => "UNVERIFIED: the sender could have been forged; ask before disclosing anything.",
        Mark::Contradicted => "FORGED, by all signs: the sender's own domain says that this is not from it.",
        Mark::MessageIdReused => "The same Message-ID came before with other content.",
        Mark::Unsupported => "Of a kind that cannot be shown here.",
        Mark::Truncated => "Longer than lanka keeps: its end is missing.",
        Mark::PartsDropped => "Parts of it were left out because of a limit.",
        Mark::DateDoubtful => "Its own time was absurd; this is when it came.",
        Mark::SeveralSenders => "It names several senders.",
        Mark::Forwarded => "Forwarded.",
        Mark::CallBack => "TO DO: call back.",
        Mark::Unaligned => "What vouches for it vouches for another domain than the sender's.",
        Mark::Lookalike => "The sender's domain is made to look like one of ours.",
        Mark::Unchecked => "The sender could not be checked yet.",
        Mark::NotOwner => "The caller was not the owner of the number that it showed.",
        Mark::Automatic => "AUTOMATIC: a program wrote it in an agent's place. It was not sent to the customer.",
        Mark::Internal | Mark::Erased => return None,
    })
}

/// How a call went.
pub fn call(call: &Call, direction: Direction) -> String {
    let outcome = match call.outcome {
        CallOutcome::Failed => "could not be put through",
        CallOutcome::Busy => "engaged",
        CallOutcome::Missed => "missed",
        CallOutcome::Voicemail => "taken by a machine",
        CallOutcome::Answered => "answered",
    };
    let who = if direction == Direction::FromAgent { "Call to the customer" } else { "Call from the customer" };
    let by = if call.answered_by.is_empty() { String::new() } else { format!(" by {}", call.answered_by) };
    let mut words = format!("{who}: {outcome}{by}, {} s, of which {} s of talk", call.duration_s, call.talk_s);
    if let Some(leg) = call.legs.first() {
        words.push_str(&format!("; from {} to {}", leg.from, leg.to));
    }
    words
}

/// A file by its name, type and size.
pub fn named(file: &AttachmentView) -> String {
    format!(
        "{} ({}, {} bytes)",
        mail_write::line(file.name.as_deref().unwrap_or("without a name"), NAME_CHARS_MAX),
        file.media_type,
        file.bytes
    )
}

/// That a file is not with its message, and why.
pub fn absent(file: &AttachmentView) -> Option<String> {
    match &file.lost {
        Some(why) => Some(format!("A file is lost: {}: {why}", named(file))),
        None => file.waiting.then(|| format!("A file is yet to come: {}", named(file))),
    }
}

/// Which files are not with it, and why it is here.
pub fn tail(message: &MessageView) -> String {
    let mut tail = String::new();
    for absent in message.attachments.iter().filter_map(absent) {
        let _ = writeln!(tail, "[{absent}]");
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

/// What agents are told of an incident that a ticket is on, or of a customer who comes again and again about it.
pub fn recurring(post: &Post) -> String {
    let text = |key: &str| post.detail.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
    let count = |key: &str| post.detail.get(key).and_then(serde_json::Value::as_i64).unwrap_or_default();
    // To the minute: the rest of an instant says nothing to people.
    let since = text("since").get(..16).unwrap_or_default().replace('T', " ");
    if post.change == Change::ContactAgain {
        return format!("Contact number {} about this since {since} UTC.", count("times"));
    }
    let terms = post.detail.get("terms").and_then(serde_json::Value::as_array).into_iter().flatten();
    let terms: Vec<&str> = terms
        .filter_map(|term| Some(term.as_str()?.split_once(':').map_or(term.as_str()?, |(_, term)| term)))
        .collect();
    let who = if text("sort") == "organisation" { "people of one organisation" } else { "customers" };
    format!(
        "On incident #{}: many {who} speak of this at once since {since} UTC ({}); {} tickets so far. See `lanka incident show {}`.",
        count("number"),
        terms.join(", "),
        count("tickets"),
        count("number")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::outbox::samples;

    #[test]
    fn what_agents_read_of_a_clock() {
        let table = [
            (Change::ClockWarned, "first_answer", "DUE SOON: the first answer is due 2026-03-30 06:50 UTC."),
            (Change::ClockBreached, "solution", "LATE: the solution was due 2026-03-30 06:50 UTC."),
            (
                Change::ClockBreached,
                "next_answer",
                "LATE: an answer to what the customer said since was due 2026-03-30 06:50 UTC.",
            ),
            (Change::ClockWarned, "of_tomorrow", "DUE SOON: something is due 2026-03-30 06:50 UTC."),
        ];
        for (change, clock, expected) in table {
            let detail = serde_json::json!({ "clock": clock, "due_at": "2026-03-30T06:50:00Z", "target_s": 1800 });
            assert_eq!(super::clock(&Post { detail, ..samples::post(change, None) }), expected);
        }
    }

    #[test]
    fn what_agents_read_before_and_after_a_message() {
        let ticket = samples::post(Change::MessageAdded, None).ticket;
        let said = samples::message("Moi");
        let from = "[facebook] 1970-01-01 00:00 UTC · ? · ticket #4 (open, normal)\n";
        let missed = Call {
            outcome: CallOutcome::Missed,
            duration_s: 21,
            talk_s: 0,
            answered_by: String::new(),
            legs: Vec::new(),
        };
        let lost = AttachmentView {
            name: Some("lasku\r\n.pdf".to_owned()),
            media_type: "application/pdf".to_owned(),
            bytes: 9,
            sha256: None,
            waiting: false,
            lost: Some("gone".to_owned()),
        };
        let coming = AttachmentView { name: None, waiting: true, lost: None, ..lost.clone() };
        for (message, head, tail) in [
            (said.clone(), format!("{from}\n"), ""),
            (
                MessageView { marks: vec![Mark::Unverified, Mark::CallBack], call: Some(missed), ..said.clone() },
                format!(
                    "{from}! UNVERIFIED: the sender could have been forged; ask before disclosing anything.\n! TO DO: call back.\n\
                     Call from the customer: missed, 21 s, of which 0 s of talk\n\n"
                ),
                "",
            ),
            (
                MessageView {
                    direction: Direction::FromAgent,
                    marks: vec![Mark::Internal],
                    progress: Some(Progress::Failed),
                    progress_why: Some("It is full.".to_owned()),
                    ..said.clone()
                },
                "[facebook] 1970-01-01 00:00 UTC · to ? · ticket #4 (open, normal)\n! INTERNAL: written for colleagues, no \
                 customer sees it.\n! NOT DELIVERED: It is full.\n"
                    .to_owned(),
                "",
            ),
            (
                MessageView { attachments: vec![lost, coming], sentence: "The address is hers.".to_owned(), ..said },
                format!("{from}\n"),
                "[A file is lost: lasku .pdf (application/pdf, 9 bytes): gone]\n\
                 [A file is yet to come: without a name (application/pdf, 9 bytes)]\n\n-- \nThe address is hers.\n",
            ),
        ] {
            assert_eq!((super::head(&ticket, &message), super::tail(&message).as_str()), (head, tail));
        }
    }
}
