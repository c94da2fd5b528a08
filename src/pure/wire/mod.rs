//! Formats that several channels or mirrors share.
//!
//! **Invariant:** a format knows neither the channels nor the mirrors that use it.

pub mod article;
pub mod authentication;
pub mod automatic;
pub mod batch;
pub mod calendar;
pub mod cdr;
pub mod delivery;
pub mod endpoint;
pub mod envelope;
pub mod html;
pub mod json;
pub mod lmtp;
pub mod mail_answer;
pub mod mail_body;
pub mod mail_parts;
pub mod mail_write;
pub mod media;
pub mod messaging;
pub mod messaging_send;
pub mod meta;
pub mod meta_send;
pub mod mime;
pub mod oauth;
pub mod poll;
pub mod profile;
pub mod quote;
pub mod reach;
pub mod ready_file;
pub mod redact;
pub mod relays;
pub mod report;
pub mod rtf;
pub mod sender;
pub mod settings;
pub mod shown;
pub mod standard_webhooks;
pub mod step;
pub mod subject;
pub mod tnef;
pub mod tool;
pub mod written;
