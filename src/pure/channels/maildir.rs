//! A Maildir into which a local mail server delivers: one file, one mail, one message.
//!
//! Files in `new/` are taken and moved to `cur/` once stored; nothing is deleted. This file says how
//! the directory is configured; the shell's intake watches it, [`mime`] reads the mail.
//!
//! **Invariant:** a file is whole when it appears in `new/` (it was written under `tmp/` and renamed),
//! so nothing here waits for a file to grow.

use super::{Accounts, Built, Channel, DropLayout, DropSource, Form, Intake, Kind, Like, Own, Setup, Unfit};
use crate::pure::wire::mail_answer::SmtpSettings;
use crate::pure::wire::mime::MailSettings;
use crate::pure::wire::settings::read_kind;
use crate::pure::wire::written;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// The kind, as listed.
pub const KIND: Kind =
    Kind { name: "maildir", form: Form::Mail, like: Some(Like::Mail), accounts: Accounts::NONE, build, dry };

/// What the channel's table may hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The Maildir: the directory that holds `new/`, `cur/` and `tmp/`.
    #[serde(deserialize_with = "written::path")]
    path: PathBuf,
    /// The addresses customers write to: mail from one of them is an agent's.
    #[serde(default)]
    addresses: Vec<String>,
    /// authserv-id of the server whose Authentication-Results are believed, usually its host name.
    /// It must remove such fields from incoming mail (RFC 8601 5). Where it has written nothing, lanka checks itself.
    trusted_authserv: Option<String>,
    /// How answers are sent; left out, agents cannot answer on this channel.
    smtp: Option<SmtpSettings>,
    /// A larger file is recorded and skipped. 50 MB by default: what the large providers deliver.
    #[serde(default = "file_bytes_max")]
    file_bytes_max: u64,
    /// Longest time without a look, in seconds; new files are announced by the file system too.
    #[serde(default = "poll_interval_s")]
    poll_interval_s: u64,
}

fn file_bytes_max() -> u64 {
    50 * 1024 * 1024
}
fn poll_interval_s() -> u64 {
    60
}

fn dry(_setup: &Setup<'_>) -> Box<dyn Channel> {
    Box::new(MailSettings::default())
}

fn build(_setup: &Setup<'_>, table: toml::Table) -> Result<Built, Unfit> {
    let (settings, mut problems): (Settings, _) = read_kind(table)?;
    // Below a kilobyte no mail fits; above a gigabyte one mail would fill the memory.
    if !(1024..=1024 * 1024 * 1024).contains(&settings.file_bytes_max) {
        problems.add("file_bytes_max", "write a size between 1024 and 1073741824 bytes");
    }
    if !(1..=3600).contains(&settings.poll_interval_s) {
        problems.add("poll_interval_s", "write between 1 and 3600 seconds");
    }
    let mail = MailSettings::new(&settings.addresses, settings.trusted_authserv.as_deref());
    let mail = mail.map_err(|found| problems.extend(found)).unwrap_or_default();
    let mail = mail.sending(settings.smtp, &mut problems);
    let own = Own { addresses: mail.addresses.clone(), numbers: Vec::new() };
    let source = DropSource {
        path: settings.path,
        layout: DropLayout::Maildir,
        file_bytes_max: settings.file_bytes_max,
        poll_interval: Duration::from_secs(settings.poll_interval_s),
    };
    Built { channel: Box::new(mail), intake: Intake::Drop(source), own }.unless(problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_become_a_source_or_problems() {
        let table: &[(&str, &[&str])] = &[
            ("path = \"/var/mail/support\"\naddresses = [\"support@example.fi\"]", &[]),
            ("path = \"/mail\"\naddresses = [\"a@example.fi\"]\npoll_interval_s = 1\nfile_bytes_max = 2000", &[]),
            (
                "path = \"\"\naddresses = []\npoll_interval_s = 0\nfile_bytes_max = 1",
                &["path", "file_bytes_max", "poll_interval_s", "addresses"],
            ),
            ("addresses = [\"a@example.fi\"]", &["path"]),
            ("path = \"mail\"\naddresses = [\"a@example.fi\"]\nfile_bytes_max = 1", &["path", "file_bytes_max"]),
            ("path = \"/mail\"\naddresses = [\"a@example.fi\"]\nfolder = \"x\"", &["folder"]),
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
