//! Mails from the server into the database, in batches bounded in mails and bytes.
//!
//! A mail that cannot be fetched (refused, unreadable by the parser, larger than it was said to be, or the
//! server dies over it) is tried alone, a few times; then it is put on record as skipped, if another mail
//! can be read. A server that asks for patience is no fault of a mail's.
//!
//! **Invariant:** one mail that cannot be had keeps no other from coming in, and is never left out silently.

use super::Watcher;
use super::cursor::FolderCursor;
use super::folder::{Folder, Plan};
use super::mailbox::{Listed, Mailbox};
use crate::shell::content::ContentError;
use crate::shell::imap::ImapError;
use crate::shell::imap::words::uid_set;
use crate::shell::store::raw_event::{NewRawEvent, RawBody};
use std::ops::RangeInclusive;

/// Mails of one commit: enough that the commit is a small part of the cost.
const BATCH_MAILS_MAX: usize = 200;

/// Bytes of one commit: what a batch may hold in memory.
const BATCH_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Up to here a mail is fetched whole; a larger one in pieces of [`PIECE_BYTES`], straight into the
/// content store.
const WHOLE_BYTES_MAX: u64 = 1024 * 1024;

/// Bytes of one piece of a large mail.
const PIECE_BYTES: u64 = 1024 * 1024;

/// Attempts at one mail, in sessions of their own, before it is skipped.
const ATTEMPTS_MAX: u32 = 4;

/// Attempts when the parser cannot read the answer: it will not learn to.
const UNPARSABLE_ATTEMPTS_MAX: u32 = 2;

/// Mails that made a fetch fail, across sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    folder: String,
    uidvalidity: u32,
    uids: RangeInclusive<u32>,
    attempts: u32,
    attempts_max: u32,
    /// They are fetched one at a time.
    apart: bool,
}

impl Watcher {
    /// Stores listed mails, in order.
    pub(super) async fn take(
        &mut self,
        mailbox: &mut Mailbox,
        plan: &Plan,
        folder: &Folder,
        cursor: &mut FolderCursor,
        listed: &[Listed],
    ) -> Result<(), ImapError> {
        let mut rest = listed;
        while let Some(first) = rest.first() {
            let alone = self.is_apart(folder, cursor.uidvalidity, first.uid);
            let passed = rest.iter().take_while(|mail| mail.is_left_out).count();
            let count = match (passed, alone || first.bytes > WHOLE_BYTES_MAX) {
                (1.., _) => passed,
                (0, true) => 1,
                (0, false) => batch_len(rest, self.source.message_bytes_max),
            };
            let (batch, later) = rest.split_at(count);
            let uids = first.uid..=batch[count - 1].uid;
            let neighbour = later.first().copied();
            if passed > 0 {
                cursor.uid = *uids.end();
                self.save(folder, cursor).await?;
            } else if first.bytes > self.source.message_bytes_max {
                self.skip_large(folder, cursor, *first).await?;
            } else if self.is_given_up(folder, cursor.uidvalidity, first.uid)
                && self.is_fault_of_mail(mailbox, first.uid, neighbour).await
            {
                let detail = "the server lists it, but it could not be fetched: open it in a mail program";
                self.skip(folder, cursor, *first, "mail_unreadable", detail).await?;
            } else {
                let taken = if first.bytes > WHOLE_BYTES_MAX {
                    self.take_large(mailbox, plan, folder, cursor, *first).await
                } else {
                    self.take_batch(mailbox, plan, folder, cursor, batch).await
                };
                taken.inspect_err(|error| self.note_trouble(folder, cursor.uidvalidity, uids, error))?;
            }
            self.trouble = self.trouble.take().filter(|trouble| trouble.uids.end() > &cursor.uid);
            self.failures = 0;
            self.backoff.reset();
            self.health.worked();
            rest = later;
        }
        Ok(())
    }

    fn is_apart(&self, folder: &Folder, uidvalidity: u32, uid: u32) -> bool {
        self.trouble_with(folder, uidvalidity, uid).is_some_and(|trouble| trouble.apart)
    }

    fn is_given_up(&self, folder: &Folder, uidvalidity: u32, uid: u32) -> bool {
        self.trouble_with(folder, uidvalidity, uid)
            .is_some_and(|trouble| trouble.uids == (uid..=uid) && trouble.attempts >= trouble.attempts_max)
    }

    fn trouble_with(&self, folder: &Folder, uidvalidity: u32, uid: u32) -> Option<&Trouble> {
        self.trouble.as_ref().filter(|trouble| {
            trouble.folder == folder.key && trouble.uidvalidity == uidvalidity && trouble.uids.contains(&uid)
        })
    }

    /// Remembers which mails a failure was about. A connection may be lost by chance, so it takes
    /// two losses over the same mails until they are taken apart.
    fn note_trouble(&mut self, folder: &Folder, uidvalidity: u32, uids: RangeInclusive<u32>, error: &ImapError) {
        let (at_once, attempts_max) = match error {
            ImapError::Refused { .. } | ImapError::Withheld => (true, ATTEMPTS_MAX),
            ImapError::Unparsable { .. } | ImapError::Oversized { .. } => (true, UNPARSABLE_ATTEMPTS_MAX),
            ImapError::Lost { .. } | ImapError::Silent { .. } => (false, ATTEMPTS_MAX),
            _ => return,
        };
        let before = self.trouble_with(folder, uidvalidity, *uids.start());
        let before = before.filter(|trouble| trouble.uids.start() == uids.start());
        let attempts = before.map_or(0, |trouble| trouble.attempts) + 1;
        let apart = at_once || attempts > 1 || self.is_apart(folder, uidvalidity, *uids.start());
        self.trouble = Some(Trouble { folder: folder.key.clone(), uidvalidity, uids, attempts, attempts_max, apart });
    }

    /// Whether the fault lies with the mail and not with the server: another one can be read.
    /// Without another one nothing is proven, and the mail is tried for ever.
    async fn is_fault_of_mail(&self, mailbox: &mut Mailbox, uid: u32, neighbour: Option<Listed>) -> bool {
        if self.trouble.as_ref().is_some_and(|trouble| trouble.attempts_max == UNPARSABLE_ATTEMPTS_MAX) {
            return true;
        }
        let probe = match neighbour {
            Some(neighbour) => Some(neighbour.uid),
            None => mailbox.any_but(uid).await.ok().flatten(),
        };
        let Some(probe) = probe else { return false };
        mailbox.fetch(&probe.to_string(), "BODY.PEEK[HEADER]").await.is_ok_and(|found| !found.is_empty())
    }

    async fn take_batch(
        &mut self,
        mailbox: &mut Mailbox,
        plan: &Plan,
        folder: &Folder,
        cursor: &mut FolderCursor,
        batch: &[Listed],
    ) -> Result<(), ImapError> {
        let uids: Vec<u32> = batch.iter().map(|mail| mail.uid).collect();
        let mut fetched = mailbox.fetch(&uid_set(&uids), "BODY.PEEK[]").await?;
        fetched.retain(|mail| uids.contains(&mail.uid));
        let missing: Vec<u32> =
            uids.iter().copied().filter(|uid| !fetched.iter().any(|mail| mail.uid == *uid)).collect();
        if !missing.is_empty() && mailbox.any_of(&missing).await? {
            return Err(ImapError::Withheld);
        }
        fetched.sort_by_key(|mail| mail.uid);
        fetched.dedup_by_key(|mail| mail.uid);
        let stored: Vec<u32> = fetched.iter().map(|mail| mail.uid).collect();
        let listed = |uid: u32| batch.iter().find(|mail| mail.uid == uid).copied();
        let events: Vec<NewRawEvent> = fetched
            .into_iter()
            .filter_map(|mail| Some((listed(mail.uid)?, mail)))
            .map(|(listed, mail)| self.event(folder, cursor, listed, mail.at, RawBody::Bytes(mail.body)))
            .collect();
        let last = *uids.last().unwrap_or(&cursor.uid);
        self.commit(mailbox, plan, folder, cursor, last, (&stored, &events)).await
    }

    /// Fetches a large mail piece by piece into the content store, whatever its size was said to be.
    async fn take_large(
        &mut self,
        mailbox: &mut Mailbox,
        plan: &Plan,
        folder: &Folder,
        cursor: &mut FolderCursor,
        mail: Listed,
    ) -> Result<(), ImapError> {
        let mut writer = self.store.content.writer(self.source.message_bytes_max).await?;
        let (mut offset, mut at) = (0, None);
        loop {
            let piece = mailbox.fetch(&mail.uid.to_string(), &format!("BODY.PEEK[]<{offset}.{PIECE_BYTES}>")).await?;
            let Some(piece) = piece.into_iter().find(|piece| piece.uid == mail.uid) else {
                if mailbox.any_of(&[mail.uid]).await? {
                    return Err(ImapError::Withheld);
                }
                // Deleted meanwhile.
                return self.commit(mailbox, plan, folder, cursor, mail.uid, (&[], &[])).await;
            };
            at = piece.at.or(at);
            let bytes = piece.body.len() as u64;
            match writer.write(piece.body).await {
                Err(ContentError::TooLarge { .. }) => return self.skip_large(folder, cursor, mail).await,
                other => other?,
            }
            offset += bytes;
            // Shorter is the end; longer is a server that knows no pieces and gave everything.
            if bytes != PIECE_BYTES {
                break;
            }
        }
        let stored = writer.finish().await?;
        let body = RawBody::Stored { hash: stored.hash, bytes: stored.bytes };
        let event = self.event(folder, cursor, mail, at, body);
        self.commit(mailbox, plan, folder, cursor, mail.uid, (&[mail.uid], &[event])).await
    }

    async fn skip_large(&mut self, folder: &Folder, cursor: &mut FolderCursor, mail: Listed) -> Result<(), ImapError> {
        let limit = self.source.message_bytes_max;
        let detail = format!(
            "a mail of {} bytes is larger than message_bytes_max ({limit}): read it in a mail program, or raise the limit",
            mail.bytes
        );
        self.skip(folder, cursor, mail, "mail_too_large", &detail).await
    }
}

/// How many of the mails, none of them large, too large or left out, make a batch; at least one.
fn batch_len(listed: &[Listed], message_bytes_max: u64) -> usize {
    let mail_bytes_max = WHOLE_BYTES_MAX.min(message_bytes_max);
    let mut bytes = 0;
    let fits = |mail: &&Listed| {
        bytes += mail.bytes;
        bytes <= BATCH_BYTES_MAX && mail.bytes <= mail_bytes_max && !mail.is_left_out
    };
    listed.iter().take(BATCH_MAILS_MAX).take_while(fits).count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_bounded_in_mails_and_bytes() {
        let mails = |sizes: &[u64]| -> Vec<Listed> {
            let listed = |(&bytes, uid)| Listed { uid, bytes, is_left_out: bytes == 7, is_sent: false };
            sizes.iter().zip(1..).map(listed).collect()
        };
        let table: [(Vec<u64>, usize); 7] = [
            (vec![5000; 1000], BATCH_MAILS_MAX),
            (vec![WHOLE_BYTES_MAX; 20], (BATCH_BYTES_MAX / WHOLE_BYTES_MAX) as usize),
            (vec![100, 100, WHOLE_BYTES_MAX + 1, 100], 2),
            (vec![100, 7, 100], 1),
            (vec![100, 100, 900_000, 100], 2),
            (vec![1], 1),
            (vec![BATCH_BYTES_MAX * 2, 1], 1),
        ];
        for (sizes, expected) in table {
            assert_eq!(batch_len(&mails(&sizes), 800_000.max(sizes[0])), expected, "{:?}…", &sizes[..1]);
        }
    }
}
