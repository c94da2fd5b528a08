//! Integration tests: real Postgres, real mailboxes, real files. One binary, a module a subject.

mod channels;
mod cluster;
mod deliver;
mod config;
mod desk;
mod dovecot;
mod support;
mod webhook;
mod endpoint;
mod mirrors;
mod normalise;
mod story;
mod support;
