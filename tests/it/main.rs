//! Integration tests: real Postgres, real mailboxes, real files. One binary, a module a subject.

mod channels;
mod cluster;
mod config;
mod decide;
mod deliver;
mod desk;
mod dovecot;
mod intake;
mod intake_directory;
mod intake_imap;
mod mail;
mod endpoint;
mod mirrors;
mod normalise;
mod story;
mod support;
mod systemd;
mod webhook;
