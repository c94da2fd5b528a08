//! One mail that comes in pieces, by LMTP or a pipe: stored whole, or not at all.
//!
//! A mail of up to [`BODY_IN_ROW_BYTES_MAX`] waits in memory, a larger one goes to the content store as it
//! comes, so that memory does not grow with the mail.
//!
//! **Invariant:** what is dropped before [`Incoming::store`] came back leaves no delivery behind.

use super::ChannelIdent;
use crate::pure::domain::Timestamp;
use crate::shell::content::{ContentError, ContentWriter};
use crate::shell::store::raw_event::{BODY_IN_ROW_BYTES_MAX, NewRawEvent, RawBody};
use crate::shell::store::{Store, StoreError};
use bytes::Bytes;
use std::time::Duration;

/// Longest wait for a commit. A mail server waits ten minutes (RFC 5321 4.5.3.2.6), and keeps the mail after it.
const COMMIT_WAIT_MAX: Duration = Duration::from_secs(30);

/// Why a mail was not stored.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// It has more bytes than the channel takes: no attempt will succeed.
    #[error("it has more than {bytes_max} bytes")]
    TooLarge {
        /// The limit.
        bytes_max: u64,
    },
    /// The disk does not take it now.
    #[error("the mail could not be stored: {0}. Is the disk full?")]
    Content(#[from] ContentError),
    /// Postgres does not take it now.
    #[error("the mail could not be stored: {0}")]
    Store(#[from] StoreError),
    /// Postgres has not answered yet; it may still store it, and a repeat is recognised.
    #[error("the mail could not be stored: the database did not answer within {} s", COMMIT_WAIT_MAX.as_secs())]
    NoAnswer,
}

/// A mail of which more is to come.
pub struct Incoming {
    store: Store,
    /// Of what the mail server gives, without what is written above it.
    bytes: u64,
    bytes_max: u64,
    /// In memory: all, or what the content store does not have yet.
    held: Vec<u8>,
    writer: Option<ContentWriter>,
    /// What went wrong on the way.
    failed: Option<MailError>,
}

impl Incoming {
    /// A mail that begins with `above`, which does not count towards `bytes_max`.
    pub fn new(store: &Store, bytes_max: u64, above: Vec<u8>) -> Self {
        Self { store: store.clone(), bytes: 0, bytes_max, held: above, writer: None, failed: None }
    }

    /// Where the next bytes may be written before [`Incoming::written`] is called.
    pub fn held(&mut self) -> &mut Vec<u8> {
        &mut self.held
    }

    /// Takes note of `bytes` more in [`Incoming::held`]. After a failure, which [`Incoming::store`] tells,
    /// the rest is dropped: the mail server talks on to its end.
    pub async fn written(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        if self.failed.is_none() && self.bytes > self.bytes_max {
            self.failed = Some(MailError::TooLarge { bytes_max: self.bytes_max });
        }
        if self.failed.is_none()
            && self.held.len() > BODY_IN_ROW_BYTES_MAX
            && let Err(error) = self.put().await
        {
            self.failed = Some(error.into());
        }
        if self.failed.is_some() {
            self.writer = None;
            self.held = Vec::new();
        }
    }

    /// Adds bytes.
    pub async fn add(&mut self, piece: &[u8]) {
        self.held.extend_from_slice(piece);
        self.written(piece.len()).await;
    }

    async fn put(&mut self) -> Result<(), ContentError> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            // What is too large is found here already.
            none => none.insert(self.store.content.writer(u64::MAX).await?),
        };
        writer.write(Bytes::from(std::mem::take(&mut self.held))).await
    }

    /// Stores the mail. When this returns, it is durable and may be acknowledged.
    ///
    /// # Errors
    /// Nothing is stored, or (without an answer) not known to be.
    pub async fn store(mut self, channel: &ChannelIdent, origin: &str) -> Result<(), MailError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.writer.is_some() && !self.held.is_empty() {
            self.put().await?;
        }
        let body = match self.writer {
            None => RawBody::Bytes(self.held.into()),
            Some(writer) => {
                let stored = writer.finish().await?;
                RawBody::Stored { hash: stored.hash, bytes: stored.bytes }
            }
        };
        let now = Timestamp::now();
        let event = NewRawEvent {
            tenant: channel.tenant.clone(),
            channel: channel.name.clone(),
            kind: channel.kind.clone(),
            received_at: now,
            trusted_at: Some(now),
            origin: origin.to_owned(),
            body,
        };
        let recorded = tokio::time::timeout(COMMIT_WAIT_MAX, self.store.record(&[event], None)).await;
        recorded.map_err(|_| MailError::NoAnswer)?.map(drop).map_err(MailError::from)
    }
}
