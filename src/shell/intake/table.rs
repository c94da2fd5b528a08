//! A table that grows, polled: the call records of an exchange that writes to Postgres.
//!
//! Each row is a delivery, one line of JSON as `to_json` gives it. A look begins `overlap` before the
//! latest row of the cursor, for rows are written when a call ends under the time it began, and may be
//! written again; what was taken before is known by its bytes and not taken twice. The cursor moves in
//! the transaction that stores the rows. At the first look it stands at the latest row: what is older
//! than the overlap is history, and is imported.
//!
//! **Invariant:** memory is bounded by a batch, however long the table is.

use super::pace::{self, Failure, Found, Source};
use super::{ChannelHealth, ChannelIdent};
use crate::pure::channels::TableSource;
use crate::pure::domain::Timestamp;
use crate::shell::store::exchange::{Exchange, ExchangeError};
use crate::shell::store::raw_event::{CursorMove, NewRawEvent, RawBody};
use crate::shell::store::{Store, StoreError};
use bytes::Bytes;
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// Rows of one commit.
const BATCH_ROWS_MAX: usize = 500;

/// Why rows could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// They cannot be read.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// Our own Postgres does not take them now.
    #[error("the rows could not be stored: {0}")]
    Store(#[from] StoreError),
}

impl Failure for TableError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exchange(ExchangeError::Column { .. }) => "table_unfit",
            Self::Exchange(_) => "connection_lost",
            Self::Store(_) => "store_failed",
        }
    }
}

/// Polls a table until `shutdown` turns true; with `until_idle` until nothing new is in it.
///
/// # Errors
/// Only with `until_idle`, after several attempts in a row.
pub async fn poll(
    source: TableSource,
    channel: ChannelIdent,
    store: Store,
    health: ChannelHealth,
    shutdown: watch::Receiver<bool>,
    until_idle: bool,
) -> Result<(), TableError> {
    let pause = source.poll_interval;
    let table = Table { source, channel, store, open: None };
    pace::watch(table, health, pause, shutdown, until_idle).await
}

/// How far the table was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    /// The latest time of a row, as the database writes it.
    at: String,
}

struct Table {
    source: TableSource,
    channel: ChannelIdent,
    store: Store,
    open: Option<Exchange>,
}

impl Source for Table {
    type Failure = TableError;

    async fn step(&mut self) -> Result<Found, TableError> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => Exchange::connect(&self.source).await?,
        };
        let found = self.look(&mut open).await?;
        // Only after a look that went well: one that did not may have left the connection anywhere.
        self.open = Some(open);
        Ok(found)
    }
}

impl Table {
    async fn look(&mut self, exchange: &mut Exchange) -> Result<Found, TableError> {
        let ChannelIdent { tenant, name, .. } = &self.channel;
        let known = self.store.cursor(tenant, name, &self.source.table).await?;
        let known: Option<Cursor> = known.and_then(|state| serde_json::from_value(state).ok());
        let mut cursor = match known {
            Some(cursor) => cursor,
            None => {
                let first = Cursor { at: exchange.latest().await? };
                self.store.record(&[], Some(self.cursor_move(&first))).await?;
                first
            }
        };
        let began_at = cursor.at.clone();
        let mut rows = exchange.rows(&began_at);
        let mut stored = 0;
        loop {
            let mut bodies = Vec::new();
            while bodies.len() < BATCH_ROWS_MAX {
                let Some(row) = rows.try_next().await? else { break };
                bodies.push(row.body);
                cursor.at = row.at;
            }
            if bodies.is_empty() {
                break;
            }
            stored += self.store_new(bodies, &cursor).await?;
        }
        Ok(if stored > 0 { Found::Work } else { Found::Nothing })
    }

    /// Stores the rows that were not stored before, and says how many those are.
    async fn store_new(&self, bodies: Vec<Bytes>, cursor: &Cursor) -> Result<usize, TableError> {
        let known = self.store.are_recorded(&self.channel.tenant, &self.channel.name, &bodies).await?;
        let event = |body: Bytes| NewRawEvent {
            tenant: self.channel.tenant.clone(),
            channel: self.channel.name.clone(),
            kind: self.channel.kind.clone(),
            received_at: Timestamp::now(),
            trusted_at: None,
            origin: format!("a row of {}", self.source.table),
            body: RawBody::Bytes(body),
        };
        let new: Vec<NewRawEvent> =
            bodies.into_iter().zip(known).filter(|(_, known)| !known).map(|(body, _)| event(body)).collect();
        if !new.is_empty() {
            self.store.record(&new, Some(self.cursor_move(cursor))).await?;
        }
        Ok(new.len())
    }

    fn cursor_move(&self, cursor: &Cursor) -> CursorMove<'_> {
        CursorMove {
            tenant: &self.channel.tenant,
            channel: &self.channel.name,
            source: &self.source.table,
            state: serde_json::json!(cursor),
        }
    }
}
