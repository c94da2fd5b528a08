//! Looking for what is new in a tool: the next request from the cursor and the replies so far, until there is something to
//! store. A tool that calls us too is looked at all the same: what it told us while we were away, it tells nobody again.
//!
//! [`Reached`] is the cursor of tools that list threads by their last change. A thread that changes again goes to the end of such
//! a list, so that what was done on it before comes late: how far *threads* were taken (`at`) is one thing, how far *what was
//! done* was taken (`whole`) another, which follows when the end of the list was seen.
//!
//! **Invariant:** both are times of the tool's own clock, but for the first look.

use super::batch::Batch;
use super::step::{Outgoing, Reply, Step};
use crate::pure::domain::Timestamp;
use jiff::SignedDuration;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Most of an answer that is read, in bytes: a hundred messages with their texts.
pub const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Answers after which a look takes no further thread, in bytes.
const LOOK_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Threads that one look takes: the answers so far are read again with each.
const THREADS_MAX: usize = 25;

/// How far before the last thread taken threads are listed again: what was changed before is visible later.
const THREADS_OVERLAP: SignedDuration = SignedDuration::from_mins(2);

/// How far before the last whole look what was done is taken again. What is known is known by its id.
const DONE_OVERLAP: SignedDuration = SignedDuration::from_mins(10);

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

impl From<Step> for Look {
    /// What comes instead of an answer.
    fn from(step: Step) -> Self {
        match step {
            Step::Send(outgoing) => Self::Send(outgoing),
            Step::Retry { why, .. } | Step::Reject { why } => Self::Later(why),
            Step::Mail(_) | Step::Mailbox(_) | Step::Done(_) => Self::Later("it asks for no request".to_owned()),
        }
    }
}

/// A tool to be looked at.
#[derive(Clone)]
pub struct PollSource {
    /// Looks.
    pub poller: Arc<dyn Poller>,
    /// Whether the tool posts to `/hooks/{mirror}` too.
    pub is_called: bool,
}

impl std::fmt::Debug for PollSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PollSource")
    }
}

/// How far looks at a tool's threads have come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reached {
    /// What was done before is taken.
    pub whole: Timestamp,
    /// Threads that changed last before are taken.
    pub at: Timestamp,
    /// Those that changed shortly before it: when, and how they stood.
    known: BTreeMap<String, (Timestamp, String)>,
}

impl Reached {
    /// Where looks begin: some minutes ago, for what was before is history.
    pub fn first(now: Timestamp) -> Self {
        Self { whole: now, at: done_from(now), known: BTreeMap::new() }
    }

    /// Threads that changed from then on are to be listed.
    pub fn listed_from(&self) -> Timestamp {
        earlier(self.at, THREADS_OVERLAP)
    }

    /// What was done from then on is to be taken.
    pub fn done_from(&self) -> Timestamp {
        done_from(self.whole)
    }

    /// How a thread stood when it was taken, if that was not long ago.
    pub fn stood(&self, thread: &str) -> Option<(Timestamp, &str)> {
        self.known.get(thread).map(|(at, how)| (*at, how.as_str()))
    }

    /// A thread is taken.
    pub fn take(&mut self, thread: &str, at: Timestamp, how: &str) {
        self.pass(at);
        self.known.insert(thread.to_owned(), (at, how.to_owned()));
    }

    /// A thread that is nobody's here was passed.
    pub fn pass(&mut self, at: Timestamp) {
        self.at = self.at.max(at);
    }

    /// The end of a look. With `is_whole` the end of the list was seen.
    pub fn found(mut self, bodies: Vec<Vec<u8>>, is_whole: bool) -> Look {
        if is_whole {
            self.whole = self.whole.max(self.at);
        }
        let from = self.listed_from();
        self.known.retain(|_, (at, _)| *at >= from);
        Look::Found { bodies, cursor: json!(self), is_more: !is_whole }
    }
}

/// A look from where the last one ended. The first asks nothing: it keeps where looks begin, so that a tool that is away then
/// moves it no further.
pub fn look_from<C: Serialize + DeserializeOwned>(
    cursor: Option<&Value>,
    first: impl FnOnce() -> C,
    look: impl FnOnce(C) -> Look,
) -> Look {
    match cursor.and_then(|cursor| serde_json::from_value(cursor.clone()).ok()) {
        Some(before) => look(before),
        None => Look::Found { bodies: Vec::new(), cursor: json!(first()), is_more: true },
    }
}

/// What was done from then on is to be taken, where all was taken before `whole`.
pub fn done_from(whole: Timestamp) -> Timestamp {
    earlier(whole, DONE_OVERLAP)
}

fn earlier(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_sub(by).unwrap_or(Timestamp::MIN)
}

/// Whether a look that took so many threads, and read so many bytes of answers, leaves the others to the next.
pub fn is_enough(taken: usize, bytes: usize) -> bool {
    taken >= THREADS_MAX || (taken > 0 && bytes > LOOK_BYTES_MAX)
}

/// Whether an answer is longer than what is read of one.
pub fn is_cut(reply: &Reply) -> bool {
    // Cut at a character.
    reply.body.len() + 4 > ANSWER_BYTES_MAX
}

/// The key of a delivery of our own: a thread that could not be read.
const UNREAD: &str = "lanka_unread";

/// A delivery that says that a thread could not be read: nothing is passed over in silence.
pub fn unread(thread: &str) -> Vec<u8> {
    json!({ UNREAD: thread }).to_string().into_bytes()
}

/// Whether a delivery says that; then it goes to quarantine.
pub fn is_unread(body: &Value, batch: &mut Batch) -> bool {
    let is_unread = body.get(UNREAD).is_some();
    if is_unread {
        batch.fault(
            "thread_not_read",
            "a thread in the tool is too long to be looked at: see there whether an agent's answer is missing here, and give it again",
        );
    }
    is_unread
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_770_000_000 + minute * 60).unwrap()
    }

    #[test]
    fn threads_are_passed_before_all_that_was_done_is_taken() {
        let mut reached = Reached::first(at(100));
        assert_eq!((reached.listed_from(), reached.done_from()), (at(88), at(90)));
        reached.take("1", at(120), "open");
        reached.pass(at(130));
        let Look::Found { cursor, is_more, .. } = reached.found(Vec::new(), false) else { panic!() };
        let mut reached: Reached = serde_json::from_value(cursor).unwrap();
        assert!(is_more);
        assert_eq!((reached.listed_from(), reached.done_from()), (at(128), at(90)), "the end was not seen");
        assert_eq!(reached.stood("1"), None, "it is not listed again");
        reached.take("2", at(131), "open");
        let Look::Found { cursor, is_more, .. } = reached.found(Vec::new(), true) else { panic!() };
        let reached: Reached = serde_json::from_value(cursor).unwrap();
        assert!(!is_more);
        assert_eq!((reached.listed_from(), reached.done_from()), (at(129), at(121)));
        assert_eq!(reached.stood("2"), Some((at(131), "open")));
    }
}
