//! What becomes of a mail on the server once it is stored.
//!
//! MOVE (RFC 6851) where the server has it; else COPY, `\Deleted` and `UID EXPUNGE` (UIDPLUS, RFC 4315). Without
//! these a mail stays, marked as deleted: a plain EXPUNGE would remove what others have marked. A crash between a
//! COPY and its `\Deleted` leaves a second copy in the target, and nothing is lost.
//!
//! **Invariants:** nothing changes on the server before the mail is committed. What could not be done is kept
//! with the cursor and done again, also after a crash. That a server refuses it never keeps mail from coming in.

use super::Watcher;
use super::cursor::FolderCursor;
use super::folder::{Folder, Plan};
use super::mailbox::Mailbox;
use crate::pure::channels::After;
use crate::shell::imap::ImapError;

/// Longest set of UIDs that waits to be marked: servers read lines of 8,000 bytes (RFC 7162, 4).
const UNMARKED_BYTES_MAX: usize = 6000;

impl Watcher {
    /// What is done with the mails of a folder: nothing is ever done with those that the desk sent.
    pub(super) fn after_of(&self, folder: &Folder) -> &After {
        match folder.is_sent {
            true => &After::Keep,
            false => &self.source.after,
        }
    }

    /// Does it with the mails that wait for it. What is refused goes on waiting.
    pub(super) async fn mark(
        &mut self,
        mailbox: &mut Mailbox,
        plan: &Plan,
        folder: &Folder,
        cursor: &mut FolderCursor,
    ) -> Result<(), ImapError> {
        let Some(uids) = cursor.unmarked.clone() else { return Ok(()) };
        let after = self.after_of(folder).clone();
        match mailbox.mark(&after, plan.target.as_deref(), &uids).await {
            Ok(()) => {
                cursor.unmarked = None;
                self.said_unmarked = false;
                Ok(())
            }
            // A target over its quota is refused for weeks; the mailbox is read all the same.
            Err(error @ (ImapError::Refused { .. } | ImapError::Throttled { .. })) => {
                if !std::mem::replace(&mut self.said_unmarked, true) {
                    let name = &self.channel.name;
                    tracing::warn!(
                        code = "mark_refused",
                        channel.name = name,
                        "channel {name} stores mails, but cannot mark, move or delete them ({error}): check `after`, the rights of the user and the space left"
                    );
                }
                Ok(())
            }
            Err(other) => Err(other),
        }
    }
}

/// Two sets of UIDs as one. One that became too long is given up: its mails are stored, and stay as they are.
pub(super) fn joined(waiting: Option<String>, new: String) -> String {
    match waiting {
        Some(waiting) if waiting.len() + new.len() < UNMARKED_BYTES_MAX => format!("{waiting},{new}"),
        _ => new,
    }
}

impl Mailbox {
    /// Does with stored mails what the configuration says. Mails already gone are fine.
    async fn mark(&mut self, after: &After, target: Option<&str>, uids: &str) -> Result<(), ImapError> {
        match (after, target) {
            (After::Keep, _) | (After::Move(_), None) => Ok(()),
            (After::Seen, _) => self.run("STORE", &format!("UID STORE {uids} +FLAGS.SILENT (\\Seen)")).await,
            (After::Delete, _) => self.remove(uids).await,
            (After::Move(_), Some(target)) => match self.move_to(uids, target).await {
                // The folder is not there yet, the usual reason; if it was another, it comes again.
                Err(ImapError::Refused { .. }) => {
                    self.run("CREATE", &format!("CREATE {target}")).await?;
                    self.move_to(uids, target).await
                }
                other => other,
            },
        }
    }

    async fn move_to(&mut self, uids: &str, target: &str) -> Result<(), ImapError> {
        if self.connection.can("MOVE") {
            return self.run("MOVE", &format!("UID MOVE {uids} {target}")).await;
        }
        self.run("COPY", &format!("UID COPY {uids} {target}")).await?;
        self.remove(uids).await
    }

    async fn remove(&mut self, uids: &str) -> Result<(), ImapError> {
        self.run("STORE", &format!("UID STORE {uids} +FLAGS.SILENT (\\Deleted)")).await?;
        match self.connection.can("UIDPLUS") {
            true => self.run("EXPUNGE", &format!("UID EXPUNGE {uids}")).await,
            false => Ok(()),
        }
    }

    async fn run(&mut self, name: &'static str, command: &str) -> Result<(), ImapError> {
        self.connection.command(name, command, |_| Ok(())).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_does_not_grow_for_ever() {
        assert_eq!(joined(None, "1:3".to_owned()), "1:3");
        assert_eq!(joined(Some("1:3".to_owned()), "7".to_owned()), "1:3,7");
        assert_eq!(joined(Some("1,".repeat(UNMARKED_BYTES_MAX)), "7".to_owned()), "7");
    }
}
