//! Integration tests: real Postgres, real mailboxes, real files. One binary, a module a subject.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test that does not get what it needs has failed, and says so; a table of cases is as long as it is"
)]

mod answers;
mod api;
mod api_events;
mod api_read;
mod architecture;
mod attacks;
mod bad_input;
mod captures;
mod channels;
mod clocks;
mod cluster;
mod commands;
mod config;
mod config_attack;
mod crash;
mod day;
mod decide;
mod deliver;
mod demo;
mod desk;
mod desk_acts;
mod dovecot;
mod dust;
mod early;
mod endpoint;
mod erase;
mod explained;
mod extract;
mod graph;
mod hands;
mod imap_faults;
mod imap_login;
mod incidents;
mod intake;
mod intake_directory;
mod intake_imap;
mod intake_table;
mod kinds;
mod late;
mod layout;
mod letters;
mod lmtp;
mod mail;
mod mail_content;
mod mail_threads;
mod mailbox;
mod media;
mod mirrors;
mod name_server;
mod names;
mod normalise;
mod notices;
mod ops;
mod ownership;
mod page;
mod people;
mod post_office;
mod presence;
mod quarter;
mod readme;
mod ready;
mod reports;
mod retention;
mod room;
mod rules;
mod sample;
mod sender_auth;
mod stories;
mod story;
mod support;
mod systemd;
mod tools;
mod webhook;
