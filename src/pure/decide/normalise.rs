//! Incoming → Message.
