//! Integration tests: real Postgres, real mailboxes, real files. One binary, a module a subject.

mod channels;
mod cluster;
mod config;
mod dovecot;
mod support;
mod endpoint;
mod mirrors;
mod normalise;
