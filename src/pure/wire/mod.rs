//! Formats that several channels or mirrors share.

pub mod standard_webhooks;
pub mod settings;
