//! The nouns: what lanka talks about.
//!
//! **Invariant:** `domain` imports nothing else of lanka.

pub mod answer;
pub mod clock;
pub mod company;
pub mod contact;
pub mod decision;
pub mod dust;
pub mod facts;
pub mod holiday;
pub mod hours;
pub mod id;
pub mod identity;
pub mod incident;
pub mod learnt;
pub mod letter;
pub mod lexicon;
pub mod lookalike;
pub mod message;
pub mod name;
pub mod notice;
pub mod outbox;
pub mod outline;
pub mod period;
pub mod phrases;
pub mod policy;
pub mod public_domains;
pub mod queue;
pub mod ready;
pub mod report;
pub mod rule;
pub mod say;
pub mod secret;
pub mod service;
pub mod ticket;
pub mod triage;
pub mod weights;

/// An instant in UTC, as everything in lanka is timed. Zones exist only where a vendor writes
/// local time (a call log) and where people read it.
pub type Timestamp = jiff::Timestamp;
