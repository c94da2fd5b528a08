//! Mails on the server: opened folders, lists of them, their bytes, and waiting for more.
//!
//! - UIDs may be sparse (one million numbers, ten mails) or dense; what a window lists is bounded.
//!   Sequence numbers are never used.
//! - Sizes that a server tells are a hint: what comes is counted.
//!
//! **Invariant:** nothing here changes anything on the server.

use super::folder::{Folder, why_closed};
use crate::pure::domain::Timestamp;
use crate::shell::imap::ImapError;
use crate::shell::imap::connection::Connection;
use crate::shell::imap::words::uid_set;
use bytes::Bytes;
use imap_proto::{AttributeValue, MailboxDatum, Response, ResponseCode};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Mails of one window that are kept in memory; the rest is asked for again.
pub(super) const LISTED_MAX: usize = 2000;

/// Most bytes of mail in the answer to one FETCH: several times what was asked for by the sizes told.
const FETCHED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Longest IDLE: well below the 29 minutes of RFC 2177, and below the memory of common firewalls.
const IDLE_MAX: Duration = Duration::from_secs(9 * 60);

/// Gmail's extensions (developers.google.com/gmail/imap/imap-extensions).
const GMAIL: &str = "X-GM-EXT-1";

/// What SELECT said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Selected {
    pub(super) uidvalidity: u32,
    pub(super) uid_next: Option<u32>,
    pub(super) exists: u32,
}

/// A mail as it is listed before it is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) uid: u32,
    pub(super) bytes: u64,
    /// It is a draft, or spam or trash in a folder of everything: not somebody's word.
    pub(super) is_left_out: bool,
    /// It is the desk's own.
    pub(super) is_sent: bool,
}

/// A fetched mail.
pub(super) struct Fetched {
    pub(super) uid: u32,
    pub(super) at: Option<Timestamp>,
    pub(super) body: Bytes,
}

/// A logged-in connection. After an error it is of no more use.
pub(super) struct Mailbox {
    pub(super) connection: Connection,
}

impl Mailbox {
    /// Whether mails have labels that tell more than their folder.
    pub(super) fn has_labels(&self) -> bool {
        self.connection.can(GMAIL)
    }

    /// Opens a folder. A refusal is one of the folder.
    pub(super) async fn open(&mut self, folder: &Folder, read_only: bool) -> Result<Selected, ImapError> {
        match self.select(folder, read_only).await {
            Err(ImapError::Refused { answer, .. }) => Err(why_closed(self, folder, answer).await),
            other => other,
        }
    }

    async fn select(&mut self, folder: &Folder, read_only: bool) -> Result<Selected, ImapError> {
        let (mut uidvalidity, mut uid_next, mut exists) = (None, None, 0);
        self.connection.uidvalidity = None;
        let verb = if read_only { "EXAMINE" } else { "SELECT" };
        self.connection
            .command(verb, &format!("{verb} {}", folder.wire), |heard| {
                match &heard.parsed {
                    Some(Response::MailboxData(MailboxDatum::Exists(count))) => exists = *count,
                    Some(Response::Data { outcome, .. }) => match outcome.code {
                        Some(ResponseCode::UidValidity(value)) => uidvalidity = Some(value),
                        Some(ResponseCode::UidNext(value)) => uid_next = Some(value),
                        _ => {}
                    },
                    _ => {}
                }
                Ok(())
            })
            .await?;
        (self.connection.exists, self.connection.has_news) = (exists, false);
        let uidvalidity = uidvalidity.ok_or_else(|| ImapError::NoUidValidity { folder: folder.key.clone() })?;
        self.connection.uidvalidity = Some(uidvalidity);
        Ok(Selected { uidvalidity, uid_next: uid_next.filter(|uid| *uid > 0), exists })
    }

    /// The mails of a window of UIDs, ascending: the first [`LISTED_MAX`] of them.
    pub(super) async fn list(&mut self, folder: &Folder, from: u64, to: u64) -> Result<Vec<Listed>, ImapError> {
        let items = match (folder.is_all, self.has_labels()) {
            (false, _) => "",
            (true, false) => " FLAGS",
            (true, true) => " FLAGS X-GM-LABELS",
        };
        let mut listed = BTreeMap::new();
        let command = format!("UID FETCH {from}:{to} (UID RFC822.SIZE{items})");
        self.connection
            .command("FETCH", &command, |heard| {
                let Some(Response::Fetch(_, attributes)) = &heard.parsed else { return Ok(()) };
                let Some(mail) = listed_of(attributes, folder) else { return Ok(()) };
                if (from..=to).contains(&u64::from(mail.uid)) {
                    listed.insert(mail.uid, mail);
                    if listed.len() > LISTED_MAX {
                        listed.pop_last();
                    }
                }
                Ok(())
            })
            .await?;
        Ok(listed.into_values().collect())
    }

    /// Fetches a section of each mail of a set. What is gone is not in the answer.
    pub(super) async fn fetch(&mut self, uids: &str, section: &str) -> Result<Vec<Fetched>, ImapError> {
        const FETCH: &str = "FETCH";
        let (mut fetched, mut total) = (Vec::new(), 0);
        self.connection
            .command(FETCH, &format!("UID FETCH {uids} (UID INTERNALDATE {section})"), |heard| {
                let Some(Response::Fetch(_, attributes)) = &heard.parsed else { return Ok(()) };
                let (mut uid, mut at, mut body) = (None, None, None);
                for attribute in attributes {
                    match attribute {
                        AttributeValue::Uid(value) => uid = Some(*value),
                        AttributeValue::InternalDate(text) => at = internal_date(text),
                        AttributeValue::BodySection { data: Some(data), .. } => {
                            body = Some(match data {
                                Cow::Borrowed(data) => heard.bytes.slice_ref(data),
                                Cow::Owned(data) => Bytes::copy_from_slice(data),
                            });
                        }
                        _ => {}
                    }
                }
                if let (Some(uid), Some(body)) = (uid, body) {
                    total += body.len();
                    // One mail may be large; many are not meant to be.
                    if total > FETCHED_BYTES_MAX && !fetched.is_empty() {
                        return Err(ImapError::Oversized { command: FETCH });
                    }
                    fetched.push(Fetched { uid, at, body });
                }
                Ok(())
            })
            .await?;
        Ok(fetched)
    }

    /// Whether any of these mails is still there.
    pub(super) async fn any_of(&mut self, uids: &[u32]) -> Result<bool, ImapError> {
        let mut found = false;
        self.connection
            .command("FETCH", &format!("UID FETCH {} (UID)", uid_set(uids)), |heard| {
                found |= uid_of(&heard.parsed).is_some_and(|uid| uids.contains(&uid));
                Ok(())
            })
            .await?;
        Ok(found)
    }

    /// Some other mail of the folder: the first.
    pub(super) async fn any_but(&mut self, uid: u32) -> Result<Option<u32>, ImapError> {
        let mut other = None;
        self.connection
            .command("FETCH", "FETCH 1 (UID)", |heard| {
                other = uid_of(&heard.parsed).filter(|found| *found != uid).or(other);
                Ok(())
            })
            .await?;
        Ok(other)
    }

    /// Waits until the server announces mail, or it is time to look.
    pub(super) async fn wait(&mut self, longest: Duration) -> Result<(), ImapError> {
        let until = Instant::now() + longest.min(IDLE_MAX);
        if !self.connection.can("IDLE") {
            tokio::time::sleep_until(until.into()).await;
            return Ok(());
        }
        const IDLE: &str = "IDLE";
        let connection = &mut self.connection;
        let tag = connection.send(IDLE, IDLE).await?;
        let (mut invited, mut left) = (false, false);
        loop {
            if invited && !left && (connection.has_news || Instant::now() >= until) {
                left = true;
                connection.send_line(IDLE, "DONE").await?;
            }
            // Before the invitation and after DONE the server owes us an answer.
            let timeout = connection.timeout();
            let limit = if invited && !left { until.saturating_duration_since(Instant::now()) } else { timeout };
            let bytes = match connection.receive(IDLE, limit).await {
                Err(ImapError::Silent { .. }) if invited && !left => continue,
                other => other?,
            };
            if let Some(done) = connection.done(IDLE, &tag, &bytes) {
                return done;
            }
            match bytes.starts_with(b"+") {
                true => invited = true,
                false => drop(connection.hear(IDLE, &bytes)?),
            }
        }
    }

    /// Waits without a folder to be told about.
    pub(super) async fn pause(&mut self, longest: Duration) -> Result<(), ImapError> {
        tokio::time::sleep(longest).await;
        self.connection.command("NOOP", "NOOP", |_| Ok(())).await
    }
}

fn uid_of(response: &Option<Response<'_>>) -> Option<u32> {
    let Some(Response::Fetch(_, attributes)) = response else { return None };
    attributes.iter().find_map(|attribute| match attribute {
        AttributeValue::Uid(uid) => Some(*uid),
        _ => None,
    })
}

/// A line of a list. Without the size it is a change of flags, which servers may tell of at any time.
fn listed_of(attributes: &[AttributeValue<'_>], folder: &Folder) -> Option<Listed> {
    let (mut uid, mut bytes) = (None, None);
    let (mut is_left_out, mut is_sent) = (false, folder.is_sent);
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(value) => uid = Some(*value),
            AttributeValue::Rfc822Size(value) => bytes = Some(u64::from(*value)),
            AttributeValue::Flags(flags) if folder.is_all => {
                is_left_out |= flags.iter().any(|flag| flag.eq_ignore_ascii_case("\\Draft"));
            }
            // Labels of the system begin with a backslash, which a label of a person's cannot.
            AttributeValue::GmailLabels(labels) if folder.is_all => {
                let is = |words: &[&str]| {
                    let mut own = labels.iter().filter(|label| label.starts_with('\\'));
                    own.any(|label| words.iter().any(|word| label.trim_start_matches('\\').eq_ignore_ascii_case(word)))
                };
                is_left_out |= is(&["Draft", "Drafts", "Spam", "Junk", "Trash"]);
                is_sent |= is(&["Sent"]);
            }
            _ => {}
        }
    }
    Some(Listed { uid: uid?, bytes: bytes?, is_left_out, is_sent })
}

/// ` 2-Mar-2026 10:00:00 +0200` (RFC 3501, date-time).
fn internal_date(text: &str) -> Option<Timestamp> {
    let parsed = jiff::fmt::strtime::parse("%d-%b-%Y %H:%M:%S %z", text.trim()).ok()?;
    parsed.to_timestamp().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_servers_are_read() {
        let table = [
            ("02-Mar-2026 10:00:00 +0200", Some("2026-03-02T08:00:00Z")),
            (" 2-Mar-2026 10:00:00 -0130", Some("2026-03-02T11:30:00Z")),
            ("02-Maa-2026 10:00:00 +0200", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(internal_date(text), expected.map(|at| at.parse().unwrap()), "{text:?}");
        }
    }

    #[test]
    fn labels_and_flags_say_what_a_mail_is() {
        let folder = |is_all: bool| Folder {
            key: String::new(),
            name: String::new(),
            wire: String::new(),
            is_sent: false,
            is_all,
        };
        let table = [
            ("UID 1 RFC822.SIZE 5", Some((false, false))),
            ("UID 1 RFC822.SIZE 5 FLAGS (\\Seen) X-GM-LABELS (\"\\\\Inbox\" \"\\\\Sent\")", Some((false, true))),
            ("X-GM-LABELS (\\Sent) UID 1 RFC822.SIZE 5", Some((false, true))),
            ("X-GM-LABELS (\"\\\\Draft\") UID 1 RFC822.SIZE 5", Some((true, false))),
            ("X-GM-LABELS (Sent Draft \"My Trash\") UID 1 RFC822.SIZE 5", Some((false, false))),
            ("FLAGS (\\draft) UID 1 RFC822.SIZE 5", Some((true, false))),
            ("UID 1 FLAGS (\\Seen)", None),
        ];
        for (attributes, expected) in table {
            let line = format!("* 1 FETCH ({attributes})\r\n");
            let (_, Response::Fetch(_, parsed)) = Response::parse(line.as_bytes()).unwrap() else { panic!("{line}") };
            let found = listed_of(&parsed, &folder(true)).map(|mail| (mail.is_left_out, mail.is_sent));
            assert_eq!(found, expected, "{attributes}");
            let plain = listed_of(&parsed, &folder(false)).map(|mail| (mail.is_left_out, mail.is_sent));
            assert_eq!(plain, expected.map(|_| (false, false)), "{attributes}");
        }
    }
}
