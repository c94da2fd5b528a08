//! Integration tests: real Postgres, real mailboxes, real files. One binary, a module a subject.

mod channels;
mod cluster;
mod config;
mod decide;
mod deliver;
mod desk;
mod dovecot;
mod endpoint;
mod mirrors;
mod normalise;
mod story;
mod support;
mod webhook;
