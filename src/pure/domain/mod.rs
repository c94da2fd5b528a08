//! The nouns: what lanka talks about.
//!
//! **Invariant:** `domain` imports nothing else of lanka.

pub mod id;
pub mod name;
pub mod given_name;
pub mod identity;
pub mod contact;
pub mod message;
pub mod ticket;
pub mod policy;
pub mod public_domains;
pub mod decision;
pub mod outbox;
pub mod secret;

/// An instant in UTC, as everything in lanka is timed. Zones exist only where a vendor writes
/// local time (a call log) and where people read it.
pub type Timestamp = jiff::Timestamp;
