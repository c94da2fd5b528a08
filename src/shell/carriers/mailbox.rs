//! Mails put into a folder of a mailbox, found and taken away there: what an [`MailboxRequest`] asks for (RFC 9051).
//!
//! Connections are logged in once and used again, each by one request at a time. A folder that is not there is made, and
//! subscribed, so that mail programs show it.
//!
//! **Invariant:** a connection on which anything went wrong is of no more use: it is let go, and the next request opens
//! another. Errors hold no address and nothing of a mail.

use crate::pure::channels::{After, Credentials, ImapSource};
use crate::pure::wire::step::{Folder, FoundMails, MailboxRequest, Reply};
use crate::shell::imap::ImapError;
use crate::shell::imap::connection::Connection;
use crate::shell::imap::login::{log_in_by_password, quoted};
use crate::shell::imap::words::{encoded, uid_set};
use imap_proto::{MailboxDatum, Response};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Connections that are kept for the next request. Servers allow about ten for a user.
const IDLE_MAX: usize = 4;

/// How long one is kept: servers end a silent one after half an hour (RFC 9051, 5.4), and some after minutes.
const IDLE_TIMEOUT: Duration = Duration::from_secs(120);

/// Mails that one search may find. Those of one ticket, or one person.
const FOUND_MAX: usize = 10_000;

/// UIDs in one command: lines of some kilobytes.
const UIDS_MAX: usize = 500;

/// The command that opens a folder.
const SELECT: &str = "SELECT";

/// Largest answer that is read.
const RESPONSE_BYTES_MAX: u64 = 1024 * 1024;

/// Why a request could not be carried out. All of them may pass.
#[derive(Debug, thiserror::Error)]
pub enum MailboxError {
    /// There is no folder to do it in.
    #[error("no mailbox is configured")]
    NoFolder,
    /// The server did not do it.
    #[error(transparent)]
    Imap(#[from] ImapError),
}

/// Carries requests out in mailboxes. Connections are kept between them.
#[derive(Default)]
pub struct MailboxCarrier {
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    key: String,
    since: Instant,
    connection: Connection,
}

impl MailboxCarrier {
    /// Does what is asked in a folder.
    ///
    /// # Errors
    /// [`MailboxError`]: it is not known whether it was done.
    pub async fn send(&self, folder: Option<&Folder>, request: MailboxRequest) -> Result<Reply, MailboxError> {
        let folder = folder.ok_or(MailboxError::NoFolder)?;
        let key = format!("{}\n{}\n{}\n{}", folder.host, folder.port, folder.user, folder.folder);
        let mut connection = match self.take(&key) {
            Some(connection) => connection,
            None => opened(folder).await?,
        };
        let body = work(&mut connection, &folder.folder, request).await?;
        self.keep(Idle { key, since: Instant::now(), connection });
        Ok(Reply { status: 200, retry_after_s: None, body })
    }

    /// Logs in and looks whether the folder is there. Nothing is made.
    ///
    /// # Errors
    /// Why lanka could not work in it.
    pub async fn look(folder: &Folder) -> Result<bool, MailboxError> {
        let mut connection = logged_in(folder).await?;
        let examine = format!("EXAMINE {}", quoted(&encoded(&folder.folder)));
        let is_there = match connection.command("EXAMINE", &examine, |_| Ok(())).await {
            Ok(()) => true,
            Err(ImapError::Refused { .. }) => false,
            Err(error) => return Err(error.into()),
        };
        connection.log_out().await?;
        Ok(is_there)
    }

    fn take(&self, key: &str) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|idle| idle.since.elapsed() < IDLE_TIMEOUT);
        let at = idle.iter().position(|idle| idle.key == key)?;
        Some(idle.swap_remove(at).connection)
    }

    fn keep(&self, one: Idle) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.iter().filter(|idle| idle.key == one.key).count() < IDLE_MAX {
            idle.push(one);
        }
    }
}

async fn logged_in(folder: &Folder) -> Result<Connection, ImapError> {
    let source = ImapSource {
        host: folder.host.clone(),
        port: folder.port,
        tls: folder.tls,
        ca_file: folder.ca_file.clone(),
        user: folder.user.clone(),
        credentials: Credentials::Password(folder.password.clone()),
        folders: Vec::new(),
        sent: None,
        after: After::Keep,
        message_bytes_max: RESPONSE_BYTES_MAX,
        poll_interval: folder.timeout,
        timeout: folder.timeout,
    };
    log_in_by_password(&source, &folder.password).await
}

/// A connection with the folder selected, which is made if it is not there.
async fn opened(folder: &Folder) -> Result<Connection, ImapError> {
    let mut connection = logged_in(folder).await?;
    let name = quoted(&encoded(&folder.folder));
    let selecting = connection.command(SELECT, &format!("{SELECT} {name}"), |_| Ok(())).await;
    match selecting {
        Ok(()) => {}
        Err(ImapError::Refused { .. }) => {
            connection.command("CREATE", &format!("CREATE {name}"), |_| Ok(())).await?;
            connection.command("SUBSCRIBE", &format!("SUBSCRIBE {name}"), |_| Ok(())).await?;
            connection.command(SELECT, &format!("{SELECT} {name}"), |_| Ok(())).await?;
        }
        Err(error) => return Err(error),
    }
    Ok(connection)
}

async fn work(connection: &mut Connection, folder: &str, request: MailboxRequest) -> Result<String, ImapError> {
    match request {
        MailboxRequest::Find { all, same } => {
            let found = search(connection, &[&all]).await?;
            let same = match same {
                Some(same) if !found.is_empty() => search(connection, &[&all, &same]).await?,
                _ => Vec::new(),
            };
            Ok(serde_json::to_string(&FoundMails { all: found, same }).unwrap_or_default())
        }
        MailboxRequest::Append { mail, flags, at } => {
            let date = at.strftime("%d-%b-%Y %H:%M:%S +0000");
            let head = format!("APPEND {} ({}) \"{date}\"", quoted(&encoded(folder)), flags.join(" "));
            connection.literal("APPEND", &head, &mail).await?;
            Ok(String::new())
        }
        MailboxRequest::Remove(uids) => {
            for uids in uids.chunks(UIDS_MAX) {
                let set = uid_set(uids);
                connection.command("STORE", &format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)"), |_| Ok(())).await?;
                // Without UIDPLUS others' deleted mails go with them, as in any mail program.
                let expunge =
                    if connection.can("UIDPLUS") { format!("UID EXPUNGE {set}") } else { "EXPUNGE".to_owned() };
                connection.command("EXPUNGE", &expunge, |_| Ok(())).await?;
            }
            Ok(String::new())
        }
        MailboxRequest::Flag { uids, flags, set } => {
            let sign = if set { '+' } else { '-' };
            for uids in uids.chunks(UIDS_MAX) {
                let command = format!("UID STORE {} {sign}FLAGS.SILENT ({})", uid_set(uids), flags.join(" "));
                connection.command("STORE", &command, |_| Ok(())).await?;
            }
            Ok(String::new())
        }
    }
}

async fn search(connection: &mut Connection, fields: &[&(&'static str, String)]) -> Result<Vec<u32>, ImapError> {
    // What another connection put there is seen after a NOOP at the latest.
    connection.command("NOOP", "NOOP", |_| Ok(())).await?;
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("HEADER {name} {}", quoted(value))).collect();
    let mut found = Vec::new();
    connection
        .command("SEARCH", &format!("UID SEARCH UNDELETED {}", fields.join(" ")), |heard| {
            if let Some(Response::MailboxData(MailboxDatum::Search(uids))) = &heard.parsed {
                found.extend(uids.iter().take(FOUND_MAX.saturating_sub(found.len())));
            }
            Ok(())
        })
        .await?;
    found.sort_unstable();
    Ok(found)
}
