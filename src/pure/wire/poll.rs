//! Looking for what is new in a tool that does not call us: the next request from the cursor and the replies so far, until
//! there is something to store.

use super::step::{Outgoing, Reply};
use crate::pure::domain::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// What to do next at a look.
#[derive(Debug, Clone, PartialEq)]
pub enum Look {
    /// Send this, and ask again with the reply.
    Send(Outgoing),
    /// The look is over.
    Found {
        /// Deliveries, in order. What was stored before, byte for byte, is not stored again.
        bodies: Vec<Vec<u8>>,
        /// Where the next look begins; it is kept in the transaction that stores the deliveries.
        cursor: Value,
        /// There is more: look again at once.
        is_more: bool,
    },
    /// It cannot be looked now.
    Later(String),
}

/// Looks for what is new. A function of its arguments.
pub trait Poller: Send + Sync {
    /// The next step, given where the last look ended (`None` at the first) and the replies of this one.
    fn look(&self, cursor: Option<&Value>, replies: &[Reply], now: Timestamp) -> Look;

    /// Between two looks.
    fn interval(&self) -> Duration;
}

/// A tool to be looked at.
#[derive(Clone)]
pub struct PollSource(pub Arc<dyn Poller>);

impl std::fmt::Debug for PollSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PollSource")
    }
}
