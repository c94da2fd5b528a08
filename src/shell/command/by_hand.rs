//! Acts by hand on the command line: who does them and why, and what came of them.

use super::output::{Output, clock};
use super::{Bench, Failure};
use crate::pure::domain::Timestamp;
use crate::shell::hands::{ActError, BY_CHARS_MAX, Hands, Outcome, Saying, WHY_CHARS_MAX};
use crate::shell::{Parts, counted};
use std::fs;

/// No user logged in here: the session is the system's (`proc_pid_loginuid(5)`).
const NOBODY_LOGGED_IN: u32 = u32::MAX;

#[derive(Debug, clap::Args)]
pub(super) struct By {
    /// Who does it; else the user who is logged in. It is kept in the journal.
    #[arg(long, value_name = "WHO", default_value_t = user(), hide_default_value = true, value_parser = by)]
    by: String,
    /// Why: one sentence for the journal.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, value_parser = why)]
    why: String,
}

impl By {
    pub(super) fn saying(&self) -> Saying<'_> {
        Saying { by: &self.by, why: &self.why }
    }
}

pub(super) fn by(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("name who does it".to_owned()),
        name if name.chars().count() > BY_CHARS_MAX => Err(format!("at most {BY_CHARS_MAX} characters")),
        name => Ok(name.to_owned()),
    }
}

fn why(text: &str) -> Result<String, String> {
    match text.chars().count() > WHY_CHARS_MAX {
        true => Err(format!("at most {WHY_CHARS_MAX} characters")),
        false => Ok(text.trim().to_owned()),
    }
}

/// The name of the user who runs the command: who logged in, also behind `sudo`, else whose the process is.
fn user() -> String {
    let logged_in = fs::read_to_string("/proc/self/loginuid").ok().and_then(|uid| uid.trim().parse::<u32>().ok());
    let uid = logged_in.filter(|uid| *uid != NOBODY_LOGGED_IN).unwrap_or_else(|| rustix::process::getuid().as_raw());
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| format!("user {uid}"))
}

/// A reason, as it stands behind what was done.
pub(super) fn because(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(": {why}") }
}

impl From<ActError> for Failure {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Store(error) => error.into(),
            other => Self::Failed(other.to_string()),
        }
    }
}

/// Does an act, and prints what came of it.
pub(super) async fn run(
    bench: Bench,
    output: &mut Output,
    act: impl AsyncFnOnce(&Hands) -> Result<Outcome, ActError>,
) -> Result<(), Failure> {
    let Bench { settings, deployment } = bench;
    let zone = settings.defaults.time_zone.clone();
    let (parts, _) = Parts::of(settings, &deployment.keys);
    let hands = Hands::new(deployment.store.clone(), parts.registry);
    let result = act(&hands).await;
    drop(hands);
    deployment.close().await;
    let outcome = result?;
    if output.is_json() {
        return output.json(&outcome);
    }
    let Outcome { act, by, why, takes_back, contacts, tickets, .. } = &outcome;
    output.text(&format!("{}  {act} by {by}{}", clock(Timestamp::now(), &zone), because(why)))?;
    if takes_back.is_some() {
        output.text("the last act on these messages is taken back: all is as before it")?;
    }
    for contact in contacts {
        let name = contact.name.as_deref().unwrap_or("without a name");
        output.text(&format!("contact {} ({name}): {}", contact.id, contact.identities.join(", ")))?;
    }
    tickets.iter().try_for_each(|ticket| {
        let count = counted(ticket.messages, "message", "messages");
        output.text(&format!("ticket #{} {} ({}, {count}) {}", ticket.number, ticket.title, ticket.state, ticket.id))
    })
}
