//! How far a folder has been read: kept in the database, moved with the mails it stands for.
//!
//! **Invariant:** the cursor moves only in the transaction that stores the mails before it, after a
//! tagged OK of the server, under the numbering (UIDVALIDITY) that the mails were fetched under.

use super::Watcher;
use super::afterwards::joined;
use super::folder::{Folder, Plan};
use super::mailbox::{LISTED_MAX, Listed, Mailbox};
use crate::pure::channels::{After, imap};
use crate::pure::domain::Timestamp;
use crate::shell::imap::ImapError;
use crate::shell::imap::words::uid_set;
use crate::shell::intake::ChannelIdent;
use crate::shell::store::raw_event::{CursorMove, NewRawEvent, RawBody, Skipped};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// UIDs asked for at once, where they are dense.
const WINDOW_UIDS: u64 = 1000;

/// A window over nothing is followed by one so many times as wide: 16 questions cross all UIDs.
const WINDOW_GROWTH: u64 = 4;

/// How far a folder has been read, as it is kept in the database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FolderCursor {
    pub(super) uidvalidity: u32,
    /// The last UID stored, or passed over.
    pub(super) uid: u32,
    /// UIDs that are stored, but perhaps not yet marked, moved or deleted on the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unmarked: Option<String>,
}

/// Up to which UID there is nothing more in a folder, by its UIDVALIDITY: remembered within a session, for
/// the last UIDs of a folder may be long gone.
pub(super) type LookedTo = HashMap<String, (u32, u32)>;

impl Watcher {
    /// Stores everything new in a folder. With `in_doubt` the server has announced mail: its UIDNEXT is not
    /// believed if there is nothing below it.
    pub(super) async fn read_folder(
        &mut self,
        mailbox: &mut Mailbox,
        plan: &Plan,
        folder: &Folder,
        looked_to: &mut LookedTo,
        in_doubt: bool,
    ) -> Result<(), ImapError> {
        let selected = mailbox.open(folder, *self.after_of(folder) == After::Keep).await?;
        let mut cursor = self.resume(mailbox, plan, folder, selected.uidvalidity).await?;
        let known = looked_to.get(&folder.key).filter(|(uidvalidity, _)| *uidvalidity == selected.uidvalidity);
        let mut from = u64::from(cursor.uid.max(known.map_or(0, |(_, uid)| *uid))) + 1;
        let end = selected.uid_next.map_or(u64::from(u32::MAX) + 1, u64::from);
        // Servers that do not tell UIDNEXT are believed that a folder is empty.
        let is_empty = selected.exists == 0 && selected.uid_next.is_none();
        let (mut width, mut found) = (WINDOW_UIDS, false);
        while from < end && !is_empty {
            let to = (from + width - 1).min(end - 1);
            let listed = mailbox.list(folder, from, to).await?;
            width = if listed.is_empty() { width.saturating_mul(WINDOW_GROWTH) } else { WINDOW_UIDS };
            from = if listed.len() < LISTED_MAX { to + 1 } else { u64::from(listed[listed.len() - 1].uid) + 1 };
            found |= !listed.is_empty();
            self.take(mailbox, plan, folder, &mut cursor, &listed).await?;
        }
        if in_doubt && !found {
            let listed = mailbox.list(folder, u64::from(cursor.uid) + 1, u64::from(u32::MAX)).await?;
            self.take(mailbox, plan, folder, &mut cursor, &listed).await?;
        }
        if let Some(uid_next) = selected.uid_next {
            looked_to.insert(folder.key.clone(), (selected.uidvalidity, uid_next.saturating_sub(1).max(cursor.uid)));
        }
        if self.is_unsaved {
            self.save(folder, &cursor).await?;
        }
        Ok(())
    }

    /// Where to go on in a folder; does what a crash or a refusal left undone.
    async fn resume(
        &mut self,
        mailbox: &mut Mailbox,
        plan: &Plan,
        folder: &Folder,
        uidvalidity: u32,
    ) -> Result<FolderCursor, ImapError> {
        let stored = self.store.cursor(&self.channel.tenant, &self.channel.name, &folder.key).await?;
        // A cursor of an unknown form is as good as none: what comes again is known downstream.
        let cursor: Option<FolderCursor> = stored.and_then(|state| serde_json::from_value(state).ok());
        self.is_unsaved = false;
        match cursor {
            Some(mut cursor) if cursor.uidvalidity == uidvalidity => {
                let waited = cursor.unmarked.is_some();
                self.mark(mailbox, plan, folder, &mut cursor).await?;
                self.is_unsaved = waited && cursor.unmarked.is_none();
                Ok(cursor)
            }
            Some(_) => {
                tracing::warn!(
                    code = "uidvalidity_changed",
                    channel.name = self.channel.name,
                    "the server numbered a folder of channel {} anew: it is read from its first mail; repeats are recognised",
                    self.channel.name
                );
                Ok(FolderCursor { uidvalidity, ..FolderCursor::default() })
            }
            None => Ok(FolderCursor { uidvalidity, ..FolderCursor::default() }),
        }
    }

    /// Stores mails (their UIDs, and they themselves) with the cursor behind them, then marks them on the server.
    pub(super) async fn commit(
        &mut self,
        mailbox: &mut Mailbox,
        plan: &Plan,
        folder: &Folder,
        cursor: &mut FolderCursor,
        last: u32,
        (stored, events): (&[u32], &[NewRawEvent]),
    ) -> Result<(), ImapError> {
        cursor.uid = last;
        if *self.after_of(folder) != After::Keep && !stored.is_empty() {
            cursor.unmarked = Some(joined(cursor.unmarked.take(), uid_set(stored)));
        }
        self.store.record(events, Some(self.cursor_move(folder, cursor))).await?;
        self.is_unsaved = cursor.unmarked.is_some();
        self.taken += stored.len() as u64;
        self.mark(mailbox, plan, folder, cursor).await
    }

    /// Puts a mail that is not taken on record, and goes on behind it. It stays where it is.
    pub(super) async fn skip(
        &mut self,
        folder: &Folder,
        cursor: &mut FolderCursor,
        mail: Listed,
        code: &'static str,
        detail: &str,
    ) -> Result<(), ImapError> {
        cursor.uid = mail.uid;
        let origin = imap::origin(&folder.name, cursor.uidvalidity, mail.uid, mail.is_sent);
        let ChannelIdent { tenant, name, kind } = &self.channel;
        let skipped = Skipped { tenant, channel: name, kind, origin: &origin, code, detail, at: Timestamp::now() };
        self.store.record_skipped(&skipped, Some(self.cursor_move(folder, cursor))).await?;
        tracing::warn!(
            code,
            channel.name = name,
            bytes = mail.bytes,
            "channel {name} skipped a mail, see lanka quarantine: {detail}"
        );
        Ok(())
    }

    /// Keeps a cursor that moved over nothing that was stored.
    pub(super) async fn save(&mut self, folder: &Folder, cursor: &FolderCursor) -> Result<(), ImapError> {
        self.store.move_cursor(&self.cursor_move(folder, cursor)).await?;
        self.is_unsaved = false;
        Ok(())
    }

    /// A mail as it is stored.
    pub(super) fn event(
        &self,
        folder: &Folder,
        cursor: &FolderCursor,
        mail: Listed,
        at: Option<Timestamp>,
        body: RawBody,
    ) -> NewRawEvent {
        NewRawEvent {
            tenant: self.channel.tenant.clone(),
            channel: self.channel.name.clone(),
            kind: self.channel.kind.clone(),
            received_at: Timestamp::now(),
            trusted_at: at,
            origin: imap::origin(&folder.name, cursor.uidvalidity, mail.uid, mail.is_sent),
            body,
        }
    }

    fn cursor_move<'a>(&'a self, folder: &'a Folder, cursor: &FolderCursor) -> CursorMove<'a> {
        let state = serde_json::json!(cursor);
        CursorMove { tenant: &self.channel.tenant, channel: &self.channel.name, source: &folder.key, state }
    }
}
