//! Formats that several channels or mirrors share.

pub mod standard_webhooks;
pub mod settings;
pub mod authentication;
pub mod automatic;
pub mod html;
pub mod mail_parts;
pub mod mime;
pub mod quote;
