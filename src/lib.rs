//! lanka: the daemon that puts every contact a customer makes on one thread.
//!
//! Bytes come in by a few *intakes* and are stored before they are acknowledged. Pure code turns bytes
//! into messages, and messages into one *decision* each: whose it is, which ticket it joins, who hears
//! of it, and why. One transaction writes the message, the decision and the *outbox*. A second loop
//! carries the outbox to the tools agents work in; nothing that fails there can touch what is stored.
//!
//! # The map, in reading order
//!
//! | module | what it is |
//! |---|---|
//! | [`config`] | TOML, environment and secrets → `Settings`, once, strictly |
//! | [`pure`] | **the functional core**: values in, values out |
//! | [`pure::domain`] | the nouns: identity, contact, message, ticket, facts, decision, outbox |
//! | [`pure::wire`] | formats that several channels or mirrors share: MIME, JSON, signatures |
//! | [`pure::channels`] | one file a kind of channel: bytes → `Incoming`. Adding one is a file and a line |
//! | [`pure::decide`] | the verbs: `normalise`, `lookup`, `resolve`, `thread`, `triage`, `route`; anew: `gather`, `rethread`, `anew`; beside the thread: `keep`, `outage`, `again`, `ready`, `recurring` |
//! | [`pure::mirrors`] | one file a kind of tool: `Post` → the next request |
//! | [`shell`] | **the imperative shell**: the only folder that touches the world |
//! | [`shell::intake`] | bytes → a raw event's row → the acknowledgement |
//! | [`shell::ingest`] | raw event → parse → facts → decide → commit, in batches |
//! | [`shell::reconsider`] | late evidence: people and their tickets decided on anew, from all that is known |
//! | [`shell::deliver`] | outbox row → next step → send → keep the reply → … → settle |
//! | [`shell::keeper`] | tickets that changed: their clocks, and what customers are told by itself |
//! | [`shell::incidents`] | what many speak of at once, and who comes again and again |
//! | [`shell::ready`] | texts that agents answer with: read, offered, counted |
//! | [`shell::letters`] | what the desk's own people are written by the clock |
//! | [`shell::report`] | what came in within a period, made and written |
//! | [`shell::sender`] | whether a mail is its sender's, asked of name servers before it is decided |
//! | [`shell::media`], [`shell::profiles`] | what deliveries lack, asked of vendors after the commit: files, names |
//! | [`shell::carriers`] | requests and mails to the outside |
//! | [`shell::imap`] | the client side of IMAP, for intakes and carriers |
//! | [`shell::answers`] | what agents answer by way of the API: on its way in |
//! | [`shell::registry`] | channels and firms, for all that works on deliveries |
//! | [`shell::store`] | all SQL, and only SQL |
//! | [`shell::retention`] | what is removed by age |
//! | [`shell::privacy`] | a person handed over whole, or erased |
//! | [`shell::content`] | large bodies and attachments, named by their SHA-256 |
//! | [`shell::cluster`] | the private Postgres |
//! | [`shell::server`], [`shell::telemetry`], [`shell::alerts`] | HTTP, logs and metrics, what ops must hear of |
//! | [`shell::daemon`] | the parts, started in order and stopped in reverse |
//! | [`shell::hands`], [`shell::api`] | what people do by hand, and the same for programs: `/api/v1` |
//! | [`shell::page`] | one page a thread, for people without a tool |
//! | [`shell::command`] | the command line: one file a command |
//!
//! # Life of a message
//!
//! | # | step | where | pure | durable after it |
//! |---|---|---|---|---|
//! | 1 | a webhook is received, a mailbox fetched, a file followed | `shell/intake` | | |
//! | 2 | `Channel::verify`: is it the vendor's? | `pure/channels` | yes | |
//! | 3 | the raw event is stored, with the source's cursor | `shell/store/raw_event` | | **raw event** |
//! | 4 | the acknowledgement: 200, the next fetch, the file moved | `shell/intake` | | |
//! | 5 | a batch is claimed | `shell/ingest` | | |
//! | 6 | `Channel::parse`: bytes → `Incoming` and faults | `pure/channels` | yes | |
//! | 7 | `normalise` → `Message`; `lookup` → every key its facts may hang on | `pure/decide` | yes | |
//! | 8 | the facts of the whole batch are loaded, its identities locked in sorted order | `shell/store/facts` | | |
//! | 9 | `decide` = `resolve`, `thread`, `triage`, `route`; each sees the decisions before it | `pure/decide` | yes | |
//! | 10 | contacts, identities, tickets, messages and outbox are written, the raw events settled | `shell/store/commit` | | **message, outbox** |
//! | 11 | the head of a lane (one ticket, one mirror) is claimed, and the transaction ends | `shell/deliver` | | |
//! | 12 | `Mirror::next`: what to send | `pure/mirrors` | yes | |
//! | 13 | it is sent, under the outbox id | `shell/carriers` | | |
//! | 14 | `Mirror::next` again: what the answer means | `pure/mirrors` | yes | |
//! | 15 | the row is settled: delivered, due later, or dead | `shell/store/outbox` | | **delivery** |
//!
//! What cannot be understood at step 6 goes to quarantine, whole and in sight; its neighbours go on. A
//! commit that loses a race is run again from step 8, which costs nothing, because deciding is pure.
//!
//! # Invariants
//!
//! - `main` → `shell` → `pure::{channels, mirrors, decide}` → `pure::wire` → `pure::domain`, never back;
//!   `channels`, `mirrors` and `decide` never name one another. Nothing but `main` and the tests names
//!   `shell`.
//! - `intake`, `ingest` and `deliver` never call each other: they meet in Postgres. Any of them may
//!   crash, lag or run in several processes at once. So do `keeper`, `incidents` and `ready`, which look at
//!   what was decided: what a customer is to be told by itself is a raw event like any other.
//! - Nothing is acknowledged from memory, and no queue lives there.
//! - Under `pure` there is no input or output, no clock, no randomness and no async.
//! - SQL stands under `shell/store` only, the environment is read in `config` only, and the name of a
//!   kind of channel or mirror is in its own file only.
//! - Logs and metrics carry lanka's own ids and the names of channels and mirrors; never an address, a
//!   name, a text or a vendor's id.
//!
//! `tests/it/architecture.rs` reads the sources to hold what can be held so.

#![cfg_attr(test, allow(clippy::too_many_lines, reason = "a table of cases is as long as it is"))]

pub mod config;
pub mod pure;
pub mod shell;
