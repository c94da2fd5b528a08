//! The verbs: from a message and the facts to one decision.

pub mod normalise;
