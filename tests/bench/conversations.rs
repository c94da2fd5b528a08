//! What must lie in the folder of a mailbox mirror in the end: each message once, on the conversation of its ticket, in the order
//! decided; and what the mail server itself makes of that (RFC 5256).

use super::dovecot::{Dovecot, Lying, PASSWORD, USER};
use super::tool::{DESK, Desk, Expected, mail};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use uuid::Uuid;

/// The mirror, and its folder.
pub const MIRROR: &str = "inbox";
pub const FOLDER: &str = "Lanka";

/// The mirror's table.
pub fn table(dovecot: &Dovecot) -> String {
    format!("[mirrors.{MIRROR}]\nkind = \"mailbox\"\nfolder = \"{FOLDER}\"\naddress = \"{DESK}\"\n{}", login(dovecot))
}

/// A channel that reads the agents' folder beside the inbox, as a desk may configure it by mistake.
pub fn channel(dovecot: &Dovecot) -> String {
    format!(
        "[channels.agents-mailbox]\nkind = \"imap\"\nfolders = [\"INBOX\", \"{FOLDER}\"]\naddresses = [\"{DESK}\"]\n\
         trusted_authserv = \"mx.kauppa.example\"\npoll_interval_s = 60\n{}",
        login(dovecot)
    )
}

fn login(dovecot: &Dovecot) -> String {
    let password = dovecot.authority().with_file_name("password");
    fs::write(&password, PASSWORD).expect("a password");
    format!(
        "host = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nuser = \"{USER}\"\npassword = {{ file = \"{}\" }}\n",
        dovecot.port,
        password.display()
    )
}

/// What a look into the folder shows.
pub struct Shown {
    /// Mails in it.
    pub mails: usize,
    /// Conversations that the server makes of them.
    pub conversations: usize,
    /// What is wrong.
    pub problems: Vec<String>,
}

/// Holds the folder against what the outbox says.
pub async fn compare(dovecot: &Dovecot, expected: &Expected) -> Shown {
    let lying = dovecot.lying(FOLDER).await;
    let mut problems = expected.problems();
    let mut of_message: BTreeMap<Uuid, Vec<&Lying>> = BTreeMap::new();
    let mut of_ticket: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    for mail in &lying {
        of_ticket.entry(mail.header("X-Lanka-Ticket")).or_default().insert(mail.uid);
        match mail.header("X-Lanka-Message").parse() {
            Ok(message) => of_message.entry(message).or_default().push(mail),
            Err(_) if !mail.header("X-Lanka-Note").is_empty() => {}
            Err(_) => problems.push(format!("UID {} is neither a message nor a note", mail.uid)),
        }
    }
    for (message, ticket) in &expected.ticket {
        match of_message.get(message).map(Vec::as_slice) {
            Some([one]) if one.header("X-Lanka-Ticket") == ticket.to_string() => {}
            Some([one]) => {
                problems.push(format!("message {message} is on {}, not on {ticket}", one.header("X-Lanka-Ticket")));
            }
            found => problems.push(format!("message {message} is there {} times", found.map_or(0, <[_]>::len))),
        }
    }
    let unknown = of_message.keys().filter(|message| !expected.ticket.contains_key(message));
    problems.extend(unknown.map(|message| format!("message {message} is in the folder only")));
    // What has changed since lies where its last state was put.
    for (lane, messages) in &expected.lanes {
        let stays = |message: &&Uuid| !expected.changes.contains_key(message);
        let uids: Vec<u32> =
            messages.iter().filter(stays).filter_map(|message| Some(of_message.get(message)?.first()?.uid)).collect();
        if !uids.is_sorted() {
            problems.push(format!("ticket {lane}: its mails lie in another order than decided: {uids:?}"));
        }
    }
    let conversations = dovecot.conversations(FOLDER).await;
    let tickets: BTreeSet<BTreeSet<u32>> = of_ticket.into_values().collect();
    for uids in tickets.symmetric_difference(&conversations) {
        let whose =
            if tickets.contains(uids) { "a ticket, and no conversation" } else { "a conversation, and no ticket" };
        problems.push(format!("UIDs {uids:?} are {whose}"));
    }
    Shown { mails: lying.len(), conversations: conversations.len(), problems }
}

/// Mails of a ticket whose text holds these words, by UID.
pub async fn holding(dovecot: &Dovecot, ticket: Uuid, words: &str) -> Vec<Lying> {
    let mut mails = dovecot.lying(FOLDER).await;
    mails.retain(|mail| mail.header("X-Lanka-Ticket") == ticket.to_string() && mail.text.contains(words));
    mails
}

/// An agent replies to a mail of the folder in his mail program, which quotes it.
pub fn reply(desk: &Desk, to: &Lying, id: &str, text: &str) {
    let address = to.header("Reply-To").trim_matches(['<', '>']).to_owned();
    let headers = format!("In-Reply-To: {}\r\nReferences: {}\r\n", to.header("Message-ID"), to.header("References"));
    let text = format!("{text}\n\nAm 23.11.2026 um 10:00 schrieb Kauppa:\n> [facebook] 2026-11-23\n> Tilaus puuttuu\n");
    let agent = "Aino Aalto <aino@kauppa.example>";
    let now = jiff::Timestamp::now();
    desk.mail(&mail(&format!("{id}@kauppa.example"), agent, &address, now, &headers, "Re: Tilaus", &text));
}
