//! Integration tests: real Postgres, real mailboxes, real files. One binary, a module a subject.

mod channels;
mod cluster;
mod config;
mod deliver;
mod desk;
mod dovecot;
mod mail;
mod endpoint;
mod mirrors;
mod normalise;
mod story;
mod support;
mod webhook;
