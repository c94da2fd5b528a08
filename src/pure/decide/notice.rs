//! What a customer is to be told by lanka itself, now, on one ticket, or why he is not.
//!
//! | told | when | not |
//! |---|---|---|
//! | acknowledged | something was asked, and nobody has answered | a second time on the ticket |
//! | taken | an agent has the ticket, and nobody has answered | a second time on the ticket |
//! | awaited | the desk waits for the customer | when an agent wrote to him within the hour |
//! | solved | the ticket is closed | to whom nobody ever answered |
//!
//! Nothing is told of what happened long ago, to a program, and to who was told enough within the hour. Notices go where
//! answers go by themselves ([`super::answer`]) and nowhere else, so that whoever forges a name makes the desk write to
//! nobody.
//!
//! History that was read in calls nobody, and nothing is noted of it.
//!
//! Each is told once on a customer's message: after his next one the same may be told again. A notice that was withheld
//! for a reason that passes is given when it has.
//!
//! **Invariant:** a program that answers notices gets one: what it says joins its ticket or is an automatic message, and
//! mail of whoever was acknowledged within the hour is not.

use super::answer::{Wanted, route};
use super::when;
use crate::pure::domain::Timestamp;
use crate::pure::domain::answer::{Heard, Obstacle, Route, Way};
use crate::pure::domain::hours::Hours;
use crate::pure::domain::id::{ContactId, MessageId};
use crate::pure::domain::identity::{Assurance, MAILTO};
use crate::pure::domain::notice::{Filling, Given, NoticeKind, Notices, Withheld};
use crate::pure::domain::service::Like;
use std::time::Duration;

/// Whoever was written to by an agent so lately knows what he is waited for, and has what was done before his eyes.
const JUST_ANSWERED: Duration = Duration::from_secs(3600);

/// Longest part of the desk's last answer that is told again, characters.
const DONE_CHARS_MAX: usize = 600;

/// Local parts of addresses that nobody reads (RFC 2142, and what programs write from).
static UNREAD: &[&str] = &[
    "mailer-daemon",
    "postmaster",
    "noreply",
    "no-reply",
    "no_reply",
    "donotreply",
    "do-not-reply",
    "do_not_reply",
    "ei-vastausta",
    "eivastausta",
    "svarainte",
    "svara-ej",
    "bounce",
    "bounces",
    "autoreply",
    "auto-reply",
];

/// A customer's message that may be told on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Which.
    pub message: MessageId,
    /// When the vendor had it.
    pub at: Timestamp,
    /// It says what is wanted, or is a call: more than a greeting.
    pub says_something: bool,
    /// It came as history.
    pub is_imported: bool,
    /// Its language.
    pub language: Option<&'static str>,
    /// Who said it, as he is called.
    pub name: Option<String>,
}

/// What an agent wrote to a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// When.
    pub at: Timestamp,
    /// The words.
    pub text: String,
    /// To whom: the contact whose address it went to.
    pub to: Option<ContactId>,
}

/// A ticket as notices see it.
#[derive(Debug, Clone, Default)]
pub struct Situation {
    /// Its number.
    pub number: i64,
    /// What it is called.
    pub title: String,
    /// The first message of a customer that no program wrote, and the last.
    pub asked: Option<(Asked, Asked)>,
    /// The desk's last answer that no program wrote.
    pub answered: Option<Answered>,
    /// Who has it, and since when.
    pub owner: Option<(String, Timestamp)>,
    /// Since when the customer is waited for.
    pub awaited_since: Option<Timestamp>,
    /// When it was closed, if it is.
    pub closed_at: Option<Timestamp>,
    /// What was told on it before.
    pub given: Vec<Given>,
    /// What customers said, as far as answering goes.
    pub heard: Vec<Heard>,
    /// Notices to each contact within the last hour, and the acknowledgements by mail among them.
    pub told: Vec<(ContactId, u32, u32)>,
    /// When the answer that is waited for is due.
    pub due_at: Option<Timestamp>,
}

/// By what is told.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// What the desk tells.
    pub notices: &'a Notices,
    /// Whether an address is one of ours.
    pub is_own: &'a dyn Fn(&str) -> bool,
    /// How channels can be answered.
    pub ways: &'a dyn Fn(&str) -> Option<Way>,
    /// What a kind of channel is like.
    pub like: &'a dyn Fn(&str) -> Option<Like>,
    /// When the desk is there.
    pub hours: &'a Hours,
    /// For how long an answer opens a closed ticket again.
    pub reopens_for: Duration,
    /// The time.
    pub now: Timestamp,
}

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What is told.
    pub kind: NoticeKind,
    /// The customer's message that it is told on.
    pub message: MessageId,
    /// To whom, once that is known.
    pub contact: Option<ContactId>,
    /// The words and the address picked for them, or why nothing is told.
    pub told: Result<Telling, Withheld>,
}

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// The words.
    pub text: String,
    /// The address, where it is not the one that answers go to.
    pub to: Option<String>,
    /// The channel.
    pub channel: String,
    /// It goes by mail.
    pub is_mail: bool,
}

/// What is to be told on a ticket now. What was told is not among it; what is withheld is, each time.
pub fn notices(situation: &Situation, desk: Desk<'_>) -> Vec<Notice> {
    let Some((first, last)) = &situation.asked else { return Vec::new() };
    let given = |kind: NoticeKind| situation.given.iter().filter(move |given| given.kind == kind);
    let never = |kind: NoticeKind| given(kind).next().is_none();
    let not_on_last = |kind: NoticeKind| given(kind).all(|given| given.message != last.message);
    let is_open = situation.closed_at.is_none();
    let is_answered = situation.answered.is_some();
    let mut due: Vec<(NoticeKind, &Asked, Timestamp)> = Vec::new();
    if never(NoticeKind::Acknowledged) && is_open && !is_answered {
        // A greeting is followed by what is wanted.
        let asked = if first.says_something { first } else { last };
        due.push((NoticeKind::Acknowledged, asked, asked.at));
    }
    if let Some((_, since)) = &situation.owner
        && never(NoticeKind::Taken)
        && is_open
        && !is_answered
    {
        due.push((NoticeKind::Taken, last, *since));
    }
    if let Some(since) = situation.awaited_since
        && not_on_last(NoticeKind::Awaited)
        && is_open
    {
        due.push((NoticeKind::Awaited, last, since));
    }
    if let Some(closed_at) = situation.closed_at
        && not_on_last(NoticeKind::Solved)
    {
        due.push((NoticeKind::Solved, last, closed_at));
    }
    due.into_iter().filter_map(|(kind, asked, at)| notice(kind, asked, at, situation, desk)).collect()
}

/// One of them; `None` where the desk tells of no such thing.
fn notice(kind: NoticeKind, asked: &Asked, at: Timestamp, situation: &Situation, desk: Desk<'_>) -> Option<Notice> {
    let withheld = |contact, why| Some(Notice { kind, message: asked.message, contact, told: Err(why) });
    if desk.notices.send.is_empty() && desk.notices.send_on.is_empty() {
        return None;
    }
    let since = |at: Timestamp| desk.now.duration_since(at).unsigned_abs();
    if asked.is_imported {
        return None;
    }
    if let Some(why) = before(kind, at, situation, desk) {
        return withheld(None, why);
    }
    let picked = of_call(situation);
    let (route, like) = match reach(situation, picked.as_deref(), "", desk) {
        Ok(reached) => reached,
        Err(obstacle) => return withheld(None, Withheld::Obstacle(obstacle)),
    };
    let contact = situation.heard.iter().find(|heard| heard.message == route.answers).map(|heard| heard.contact);
    if !desk.notices.is_sent(kind, &route.channel) {
        return None;
    }
    // A greeting by mail waits for what is wanted; in a chat somebody waits.
    if kind == NoticeKind::Acknowledged && !asked.says_something && like != Like::Chat {
        return None;
    }
    let address = &route.address.value;
    if (desk.is_own)(address)
        || desk.notices.is_excepted(address)
        || (route.address.scheme == MAILTO && is_unread(address))
    {
        return withheld(contact, Withheld::NeverTo);
    }
    let is_mail = like == Like::Mail;
    let told = contact.and_then(|contact| situation.told.iter().find(|(of, ..)| *of == contact));
    if let Some((_, all, by_mail)) = told
        && (*all >= desk.notices.per_hour
            || (kind == NoticeKind::Acknowledged && is_mail && *by_mail >= desk.notices.mail_per_hour))
    {
        return withheld(contact, Withheld::TooMany);
    }
    let Some((language, text)) = desk.notices.text(kind, like, asked.language) else {
        return withheld(contact, Withheld::NoText);
    };
    let done =
        situation.answered.as_ref().filter(|answered| answered.to == contact && since(answered.at) > JUST_ANSWERED);
    let opens = desk.hours.next_open(desk.now).filter(|_| !desk.hours.is_open(desk.now));
    let zone = desk.hours.zone();
    let filling = Filling {
        ticket: situation.number,
        title: situation.title.clone(),
        name: asked.name.clone().unwrap_or_default(),
        agent: situation.owner.as_ref().map(|(owner, _)| owner.clone()).unwrap_or_default(),
        by: situation
            .due_at
            .filter(|due| *due > desk.now)
            .map_or_else(String::new, |due| when::by(due, desk.now, zone, language)),
        open: desk.hours.is_open(desk.now),
        opens: opens.map_or_else(String::new, |opens| when::said(opens, desk.now, zone, language)),
        done: done.map_or_else(String::new, |answered| excerpt(&answered.text)),
        days: desk.reopens_for.as_secs() / (24 * 3600),
    };
    let text = text.filled(&filling);
    // As the very words go: a template of the platform's may be all that it takes.
    match reach(situation, picked.as_deref(), &text, desk) {
        Ok((Route { channel, .. }, _)) => Some(Notice {
            kind,
            message: asked.message,
            contact,
            told: Ok(Telling { text, to: picked, channel, is_mail }),
        }),
        Err(obstacle) => withheld(contact, Withheld::Obstacle(obstacle)),
    }
}

/// Why nothing is told, whoever it would go to.
fn before(kind: NoticeKind, at: Timestamp, situation: &Situation, desk: Desk<'_>) -> Option<Withheld> {
    let lately = |at: Timestamp| desk.now.duration_since(at).unsigned_abs() <= JUST_ANSWERED;
    let is_acknowledged = situation.given.iter().any(|given| given.kind == NoticeKind::Acknowledged);
    match kind {
        _ if desk.now.duration_since(at) > jiff::SignedDuration::try_from(desk.notices.max_age).unwrap_or_default() => {
            Some(Withheld::Old)
        }
        NoticeKind::Awaited if situation.answered.as_ref().is_some_and(|answered| lately(answered.at)) => {
            Some(Withheld::Answered)
        }
        NoticeKind::Solved if situation.answered.is_none() && !is_acknowledged => Some(Withheld::Unheard),
        _ => None,
    }
}

/// Where a notice goes, and what that channel is like. Without words it is asked whom it would go to, however late it is.
fn reach(situation: &Situation, picked: Option<&str>, text: &str, desk: Desk<'_>) -> Result<(Route, Like), Obstacle> {
    let is_asked = text.is_empty();
    let unlimited =
        |channel: &str| (desk.ways)(channel).map(|way| if is_asked { Way { window: None, ..way } } else { way });
    let route = route(&situation.heard, Wanted { picked, text, has_files: false }, &unlimited, desk.now)?;
    let like = match picked {
        Some(_) => Like::Call,
        None => (desk.like)(&route.kind).unwrap_or(Like::Chat),
    };
    Ok((route, like))
}

/// The number of somebody who only called: where a platform vouches for it, he can be written to there.
fn of_call(situation: &Situation) -> Option<String> {
    let here = || situation.heard.iter().filter(|heard| heard.is_here);
    let last = here().max_by_key(|heard| (heard.at, heard.message))?;
    if !here().all(|heard| heard.is_call) {
        return None;
    }
    let is_his = |heard: &&Heard| {
        !heard.is_call
            && heard.contact == last.contact
            && heard.address == last.address
            && heard.assurance >= Assurance::Verified
            && !heard.is_doubted
    };
    situation.heard.iter().find(is_his).map(|heard| heard.address.written())
}

/// Whether nobody reads what comes to an address.
fn is_unread(address: &str) -> bool {
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local).to_lowercase();
    let base = local.split('+').next().unwrap_or_default();
    UNREAD.contains(&base) || base.starts_with("bounce-") || base.starts_with("bounces-")
}

/// The beginning of an answer, up to a word's end.
fn excerpt(text: &str) -> String {
    let text = text.trim();
    if text.chars().count() <= DONE_CHARS_MAX {
        return text.to_owned();
    }
    let cut: String = text.chars().take(DONE_CHARS_MAX).collect();
    let end = cut.rfind(char::is_whitespace).unwrap_or(cut.len());
    format!("{} …", cut[..end].trim_end())
}
