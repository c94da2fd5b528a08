//! Mail that the mail server of this machine hands over: LMTP (RFC 2033) on a socket, or a pipe.
//!
//! The mail server keeps a mail until lanka has it stored, tries again on its own, and tells the sender what
//! becomes of it; nothing is polled, nothing is left lying about. Its `mailbox_transport` or router names the
//! socket; where it can only start a program, that is `lanka mail`. This file says how the channel is
//! configured; the shell's intake speaks the protocol, [`mime`] reads the mail, and
//! what the envelope said stands on top of it ([`envelope`](crate::pure::wire::envelope)).
//!
//! A mail over `message_bytes_max` is refused for good, and not recorded as skipped: unlike a mailbox, a mail
//! server told so tells the sender at once, so that nothing is lost in silence. (It mostly knows the limit
//! from `SIZE` and never sends such a mail here.)
//!
//! **Invariant:** whoever may write to the socket is believed to be the mail server. It is this machine's,
//! unless `allow_remote` says otherwise in so many words.

use super::{Accounts, Built, Channel, Door, Form, Intake, Kind, Like, LmtpSource, Own, Setup, Unfit};
use crate::pure::wire::mail_answer::SmtpSettings;
use crate::pure::wire::mime::MailSettings;
use crate::pure::wire::settings::{Problems, read_kind};
use crate::pure::wire::written;
use serde::{Deserialize, Deserializer};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The kind, as listed.
pub const KIND: Kind =
    Kind { name: "lmtp", form: Form::Mail, like: Some(Like::Mail), accounts: Accounts::NONE, build, dry };

/// Longest path of a socket: `sun_path` of Linux holds 108 bytes, and the socket is made under a name four
/// bytes longer.
const SOCKET_BYTES_MAX: usize = 100;

/// What the channel's table may hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The unix socket to make and listen on.
    #[serde(default, deserialize_with = "written::path_opt")]
    socket: Option<PathBuf>,
    /// Who may write to it, in octal as chmod takes it. The group is that of its directory if that has the setgid bit, else lanka's.
    #[serde(default = "socket_mode", deserialize_with = "mode")]
    socket_mode: u32,
    /// Or an address and port of this machine.
    #[serde(default)]
    listen: Option<SocketAddr>,
    /// Whether `listen` may be an address that other machines reach.
    #[serde(default)]
    allow_remote: bool,
    /// Neither: mails come by `lanka mail` alone.
    #[serde(default)]
    pipe_only: bool,
    /// The addresses customers write to: mail from one of them is an agent's. Mail to others is taken too, for
    /// the mail server has decided that it belongs here.
    #[serde(default)]
    addresses: Vec<String>,
    /// authserv-id of the server whose Authentication-Results are believed, usually its host name.
    /// It must remove such fields from incoming mail (RFC 8601 5). Where it has written nothing, lanka checks itself.
    trusted_authserv: Option<String>,
    /// How answers are sent; left out, agents cannot answer on this channel.
    smtp: Option<SmtpSettings>,
    /// A larger mail is refused. 50 MB by default: what the large providers deliver.
    #[serde(default = "message_bytes_max")]
    message_bytes_max: u64,
    /// Connections at once; more are told to come back.
    #[serde(default = "connections_max")]
    connections_max: usize,
    /// Longest silence of the mail server, in seconds. RFC 5321 4.5.3.2.7 wants five minutes.
    #[serde(default = "timeout_s")]
    timeout_s: u64,
}

fn socket_mode() -> u32 {
    0o660
}
fn message_bytes_max() -> u64 {
    50 * 1024 * 1024
}
fn connections_max() -> usize {
    100
}
fn timeout_s() -> u64 {
    300
}

/// A mode as chmod takes it: octal digits in a text, for TOML's numbers are decimal.
fn mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    written::text(deserializer, "a mode in quotes, like \"0660\"", |text| {
        let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777 && mode & 0o600 == 0o600);
        mode.ok_or_else(|| {
            format!("\"{text}\" is not a mode of a socket: write octal digits like \"0660\" or \"0666\"")
        })
    })
}

fn dry(_setup: &Setup<'_>) -> Box<dyn Channel> {
    Box::new(MailSettings::default())
}

fn build(_setup: &Setup<'_>, table: toml::Table) -> Result<Built, Unfit> {
    let (settings, mut problems): (Settings, _) = read_kind(table)?;
    let door = door(&settings, &mut problems);
    // Below a kilobyte no mail fits; above a gigabyte one mail would fill the memory when it is read.
    if !(1024..=1024 * 1024 * 1024).contains(&settings.message_bytes_max) {
        problems.add("message_bytes_max", "write a size between 1024 and 1073741824 bytes");
    }
    // Each may hold half a megabyte of memory.
    if !(1..=1000).contains(&settings.connections_max) {
        problems.add("connections_max", "write between 1 and 1000 connections");
    }
    if !(1..=3600).contains(&settings.timeout_s) {
        problems.add("timeout_s", "write between 1 and 3600 seconds");
    }
    let mail = MailSettings::new(&settings.addresses, settings.trusted_authserv.as_deref());
    let mail = mail.map_err(|found| problems.extend(found)).unwrap_or_default();
    let mail = mail.sending(settings.smtp, &mut problems);
    let own = Own { addresses: mail.addresses.clone(), numbers: Vec::new() };
    let source = LmtpSource {
        door,
        message_bytes_max: settings.message_bytes_max,
        connections_max: settings.connections_max,
        timeout: Duration::from_secs(settings.timeout_s),
    };
    Built { channel: Box::new(mail), intake: Intake::Lmtp(source), own }.unless(problems)
}

fn door(settings: &Settings, problems: &mut Problems) -> Door {
    let Settings { socket, listen, pipe_only, .. } = settings;
    let is_read = ["socket", "listen", "pipe_only"].iter().all(|key| problems.none_at(key));
    let given = usize::from(socket.is_some()) + usize::from(listen.is_some()) + usize::from(*pipe_only);
    if is_read && given != 1 {
        let hint = "write one of `socket = \"/run/lanka/lmtp.sock\"`, `listen = \"127.0.0.1:2424\"`, and \
                    `pipe_only = true` where only `lanka mail` brings mails";
        problems.add("socket", hint);
    }
    if let Some(path) = socket.as_ref().filter(|path| path.as_os_str().len() > SOCKET_BYTES_MAX) {
        let hint = format!(
            "has {} bytes, and the path of a socket at most {SOCKET_BYTES_MAX}: choose a shorter one",
            path.as_os_str().len()
        );
        problems.add("socket", hint);
    }
    if let Some(address) = listen.filter(|address| !address.ip().is_loopback() && !settings.allow_remote) {
        let hint = format!(
            "{address} can be reached from other machines, and whoever reaches it is believed to be your mail server: \
             write 127.0.0.1, or `allow_remote = true` where a firewall lets only your mail server through"
        );
        problems.add("listen", hint);
    }
    match (socket, listen) {
        (Some(path), _) => Door::Socket { path: path.clone(), mode: settings.socket_mode },
        (None, Some(address)) => Door::Address(*address),
        (None, None) => Door::Pipe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_become_a_door_or_problems() {
        let long = format!("socket = \"/run/{}\"\naddresses = [\"a@example.fi\"]", "x".repeat(100));
        let table: &[(&str, &[&str])] = &[
            ("socket = \"/run/lanka/lmtp.sock\"\naddresses = [\"support@example.fi\"]", &[]),
            ("socket = \"/run/a.sock\"\nsocket_mode = \"666\"\naddresses = [\"a@example.fi\"]", &[]),
            ("listen = \"127.0.0.1:2424\"\naddresses = [\"a@example.fi\"]", &[]),
            ("listen = \"[::1]:2424\"\naddresses = [\"a@example.fi\"]", &[]),
            ("pipe_only = true\naddresses = [\"a@example.fi\"]", &[]),
            ("listen = \"0.0.0.0:2424\"\nallow_remote = true\naddresses = [\"a@example.fi\"]", &[]),
            ("listen = \"0.0.0.0:2424\"\naddresses = [\"a@example.fi\"]", &["listen"]),
            ("listen = \"192.0.2.1:2424\"\naddresses = [\"a@example.fi\"]", &["listen"]),
            ("listen = \"localhost:2424\"\naddresses = [\"a@example.fi\"]", &["listen"]),
            ("addresses = [\"a@example.fi\"]", &["socket"]),
            ("socket = \"/a\"\nlisten = \"127.0.0.1:1\"\naddresses = [\"a@example.fi\"]", &["socket"]),
            ("socket = \"/a\"\npipe_only = true\naddresses = [\"a@example.fi\"]", &["socket"]),
            ("socket = \"a.sock\"\naddresses = [\"a@example.fi\"]", &["socket"]),
            (&long, &["socket"]),
            ("socket = \"/a\"\nsocket_mode = \"888\"\naddresses = [\"a@example.fi\"]", &["socket_mode"]),
            ("socket = \"/a\"\nsocket_mode = \"0066\"\naddresses = [\"a@example.fi\"]", &["socket_mode"]),
            ("socket = \"/a\"\nsocket_mode = 660\naddresses = [\"a@example.fi\"]", &["socket_mode"]),
            (
                "socket = \"/a\"\nmessage_bytes_max = 1\nconnections_max = 0\ntimeout_s = 0",
                &["message_bytes_max", "connections_max", "timeout_s", "addresses"],
            ),
            ("socket = \"/a\"\naddresses = [\"a@example.fi\"]\npath = \"/x\"", &["path"]),
        ];
        for (text, expected) in table {
            let setup = Setup { name: "mail", region: "FI", time_zone: &jiff::tz::TimeZone::UTC };
            let built = build(&setup, text.parse().expect("the test's own TOML"));
            let problems = built.err().unwrap_or_default().problems;
            let keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
            assert_eq!(keys, *expected, "{text}: {problems:?}");
        }
    }
}
