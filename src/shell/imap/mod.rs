//! The client side of IMAP (RFC 9051, RFC 3501): a connection, logged in, on which commands run. Intakes read mailboxes by
//! it, a carrier writes to one.
//!
//! | file | holds |
//! |---|---|
//! | `wire.rs` | bytes into whole responses, bounded |
//! | `connection.rs` | TLS, commands, what servers say unasked |
//! | `login.rs` | passwords and tokens |
//! | `words.rs` | names of folders, sets of UIDs |
//! | `error.rs` | why something did not go, and what to do about it |
//!
//! **Invariant:** passwords, tokens, mail and what the server says in words are never logged.

pub(in crate::shell) mod connection;
mod error;
pub(in crate::shell) mod login;
mod wire;
pub(in crate::shell) mod words;

pub use error::ImapError;
pub use wire::read as read_response;
