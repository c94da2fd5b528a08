//! A mailbox read over IMAP (RFC 9051, RFC 3501): one mail, one message.
//!
//! This file says how the mailbox is configured; the shell's intake logs in and fetches, and
//! [`mime`] reads the mail.
//!
//! **Invariant:** no password or token crosses a network in the clear: a connection without TLS is
//! made to this machine only.

use super::{
    Accounts, After, Answers, Built, Channel, Credentials, Form, ImapSource, Intake, Kind, Like, Own, Problems,
    Redacted, SenderQuestion, Setup, Tls, Unfit,
};
use crate::pure::domain::message::{Parsed, RawEvent, SenderCheck};
use crate::pure::domain::secret::Secret;
use crate::pure::wire::mail_answer::SmtpSettings;
use crate::pure::wire::mime::{self, MailSettings};
use crate::pure::wire::oauth::OAuthSettings;
use crate::pure::wire::settings::{MISSING_SECRET, read_kind};
use crate::pure::wire::written;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// Ends the origin of a mail that the desk sent.
const SENT: &str = ", sent by the desk";

/// Folders that may be named by their special use (RFC 6154), whatever a server calls them.
const SPECIAL: [&str; 4] = ["\\All", "\\Archive", "\\Junk", "\\Sent"];

/// Folders that mail may be moved to by their special use.
const TARGETS: [&str; 3] = ["\\Archive", "\\Junk", "\\Trash"];

/// The kind, as listed.
pub const KIND: Kind =
    Kind { name: "imap", form: Form::Mail, like: Some(Like::Mail), accounts: Accounts::NONE, build, dry };

/// What the channel's table may hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Host name of the server; its certificate must carry it.
    host: String,
    /// TCP port; by default 993 for `implicit`, 143 for the others.
    port: Option<u16>,
    /// `implicit` (default), `starttls`, or `none`, which only this machine may be reached by.
    #[serde(default = "implicit")]
    tls: Tls,
    /// Login name; for a shared mailbox of Microsoft 365 its address.
    user: String,
    /// `{ env = "NAME" }` or `{ file = "PATH" }`. Needed unless there is `oauth`.
    password: Option<Secret>,
    /// Where a token is had that logs in instead of the password.
    oauth: Option<OAuthSettings>,
    /// The addresses customers write to: mail from one of them is an agent's.
    #[serde(default)]
    addresses: Vec<String>,
    /// authserv-id of the server whose Authentication-Results are believed, usually its host name.
    /// It must remove such fields from incoming mail (RFC 8601 5). Where it has written nothing, lanka checks itself.
    trusted_authserv: Option<String>,
    /// How answers are sent; left out, agents cannot answer on this channel.
    smtp: Option<SmtpSettings>,
    /// What becomes of a stored mail: `keep` (default), `seen`, `move:Folder`, or `delete`.
    #[serde(default = "keep")]
    after: String,
    /// Folders to read, named as the server lists them; `INBOX` by default. `\All` and the like name one
    /// by its special use.
    #[serde(default = "inbox")]
    folders: Vec<String>,
    /// The folder of sent mail, or `\Sent`: what is in it is the desk's word. Left out, none is read.
    sent: Option<String>,
    /// Certificates (PEM) to trust beside the system's.
    #[serde(default, deserialize_with = "written::path_opt")]
    ca_file: Option<PathBuf>,
    /// A larger mail is recorded and skipped. 50 MB by default: what the large providers deliver.
    #[serde(default = "message_bytes_max")]
    message_bytes_max: u64,
    /// Longest time without a look, in seconds; new mail is announced by IDLE where the server can.
    #[serde(default = "poll_interval_s")]
    poll_interval_s: u64,
    /// Longest time the server may take for any one answer, in seconds.
    #[serde(default = "timeout_s")]
    timeout_s: u64,
}

fn implicit() -> Tls {
    Tls::Implicit
}
fn keep() -> String {
    "keep".to_owned()
}
fn inbox() -> Vec<String> {
    vec!["INBOX".to_owned()]
}
fn message_bytes_max() -> u64 {
    50 * 1024 * 1024
}
fn poll_interval_s() -> u64 {
    60
}
fn timeout_s() -> u64 {
    60
}

/// Reads mail out of what was fetched.
struct Imap {
    settings: MailSettings,
}

impl Channel for Imap {
    fn parse(&self, event: &RawEvent) -> Parsed {
        match is_sent(event) {
            true => mime::read_sent(event, &self.settings),
            false => self.settings.parse(event),
        }
    }

    fn sender_question(&self, event: &RawEvent) -> Option<SenderQuestion> {
        if is_sent(event) { None } else { self.settings.sender_question(event) }
    }

    fn parse_checked(&self, event: &RawEvent, check: SenderCheck) -> Parsed {
        match is_sent(event) {
            true => mime::read_sent(event, &self.settings),
            false => self.settings.parse_checked(event, check),
        }
    }

    fn answers(&self) -> Option<&dyn Answers> {
        Channel::answers(&self.settings)
    }

    fn redact(&self, event: &RawEvent, item: u32) -> Option<Redacted> {
        self.settings.redact(event, item)
    }
}

fn is_sent(event: &RawEvent) -> bool {
    event.origin.ends_with(SENT)
}

fn dry(_setup: &Setup<'_>) -> Box<dyn Channel> {
    Box::new(Imap { settings: MailSettings::default() })
}

/// Where a mail came from, as its delivery says it. The intake writes it, [`Channel::parse`] reads of
/// it whether the desk sent the mail.
pub fn origin(folder: &str, uidvalidity: u32, uid: u32, is_sent: bool) -> String {
    format!("{folder}, UIDVALIDITY {uidvalidity}, UID {uid}{}", if is_sent { SENT } else { "" })
}

fn build(_setup: &Setup<'_>, table: toml::Table) -> Result<Built, Unfit> {
    let (settings, mut problems): (Settings, _) = read_kind(table)?;
    check_connection(&settings, &mut problems);
    check_limits(&settings, &mut problems);
    check_folders(&settings, &mut problems);
    let after = parse_after(&settings.after);
    check_after(&settings, after.as_ref(), &mut problems);
    let mail = MailSettings::new(&settings.addresses, settings.trusted_authserv.as_deref());
    let mail = mail.map_err(|found| problems.extend(found)).unwrap_or_default();
    let mail = mail.sending(settings.smtp, &mut problems);
    let own = Own { addresses: mail.addresses.clone(), numbers: Vec::new() };
    let source = ImapSource {
        port: settings.port.unwrap_or(if settings.tls == Tls::Implicit { 993 } else { 143 }),
        host: settings.host,
        tls: settings.tls,
        ca_file: settings.ca_file,
        user: settings.user,
        credentials: credentials(settings.password, settings.oauth, &mut problems),
        folders: settings.folders,
        sent: settings.sent,
        after: after.unwrap_or(After::Keep),
        message_bytes_max: settings.message_bytes_max,
        poll_interval: Duration::from_secs(settings.poll_interval_s),
        timeout: Duration::from_secs(settings.timeout_s),
    };
    Built { channel: Box::new(Imap { settings: mail }), intake: Intake::Imap(source), own }.unless(problems)
}

fn credentials(password: Option<Secret>, oauth: Option<OAuthSettings>, problems: &mut Problems) -> Credentials {
    if let Some(oauth) = oauth {
        return Credentials::Token(Box::new(oauth.read(problems)));
    }
    match &password {
        None => problems.add("password", MISSING_SECRET),
        Some(password) if password.expose().is_empty() => {
            problems.add("password", "the variable or file it is read from is empty");
        }
        // NUL separates the fields of PLAIN, and LOGIN has no way to write a line break.
        Some(password) if password.expose().contains(['\0', '\r', '\n']) => {
            problems.add("password", "it holds a line break or NUL, which no login can carry");
        }
        Some(_) => {}
    }
    Credentials::Password(password.unwrap_or_else(|| Secret::new("")))
}

fn check_connection(settings: &Settings, problems: &mut Problems) {
    let mut problem = |key: &str, message: &str| problems.add(key, message);
    if settings.host.is_empty() || settings.host.contains(|c: char| c.is_whitespace() || c == '/') {
        problem("host", "write the server's name alone, for example imap.example.fi");
    }
    if settings.port == Some(0) {
        problem("port", "write the server's port, or leave it out");
    }
    if settings.user.is_empty() || settings.user.contains(char::is_control) {
        problem("user", "write the login name, usually the mail address");
    }
    if settings.tls == Tls::None && problems.none_at("host") && !is_loopback(&settings.host) {
        problems.add(
            "tls",
            "without TLS the password would cross the network in the clear: write \"implicit\" or \"starttls\"",
        );
    }
}

fn check_folders(settings: &Settings, problems: &mut Problems) {
    if settings.folders.is_empty() {
        problems.add("folders", "name at least one folder, or leave it out for INBOX");
    }
    for (at, folder) in settings.folders.iter().enumerate() {
        let key = format!("folders.{at}");
        if let Err(message) = check_folder(folder) {
            problems.add(key, message);
        } else if settings.folders[..at].contains(folder) {
            problems.add(key, "it is named twice");
        } else if is_special(folder, "\\Sent") {
            problems.add(key, "name it as `sent`, so that its mails are known as the desk's");
        }
    }
    if let Some(sent) = &settings.sent {
        if let Err(message) = check_folder(sent) {
            problems.add("sent", message);
        } else if sent.starts_with('\\') && !is_special(sent, "\\Sent") {
            problems.add("sent", "write the folder's name, or '\\Sent' for the one that the server uses so");
        } else if settings.folders.contains(sent) {
            problems.add("sent", format!("`{sent}` is among `folders`: take it out there, it is read anyway"));
        }
    }
}

fn check_folder(name: &str) -> Result<(), String> {
    if name.is_empty() || name.contains(char::is_control) {
        return Err("write the folder's name as the server lists it".to_owned());
    }
    if name.starts_with('\\') && !SPECIAL.iter().any(|special| is_special(name, special)) {
        return Err(format!("`{name}` is no special use that can be read: one of {}", SPECIAL.join(", ")));
    }
    Ok(())
}

fn is_special(name: &str, special: &str) -> bool {
    name.eq_ignore_ascii_case(special)
}

fn check_after(settings: &Settings, after: Option<&After>, problems: &mut Problems) {
    let reads_all = settings.folders.iter().any(|folder| is_special(folder, "\\All"));
    match after {
        None => problems.add("after", "write \"keep\", \"seen\", \"move:Folder\" or \"delete\""),
        Some(After::Move(_) | After::Delete) if reads_all => {
            problems.add("after", "all mail would be moved or deleted: write \"keep\" or \"seen\"");
        }
        Some(After::Move(to)) if to.starts_with('\\') && !TARGETS.iter().any(|target| is_special(to, target)) => {
            problems.add("after", format!("`{to}` is no special use to move mail to: one of {}", TARGETS.join(", ")));
        }
        Some(After::Move(to)) => {
            let is_read = |(at, read): (usize, &String)| read == to && problems.none_at(&format!("folders.{at}"));
            if settings.folders.iter().enumerate().any(is_read) || settings.sent.as_ref() == Some(to) {
                problems.add("after", format!("mail is moved to `{to}`, which is read itself: choose another folder"));
            }
        }
        Some(After::Keep | After::Seen | After::Delete) => {}
    }
}

fn check_limits(settings: &Settings, problems: &mut Problems) {
    let mut problem = |key: &str, message: &str| problems.add(key, message);
    // Below a kilobyte no mail fits; above a gigabyte one mail would fill the memory.
    if !(1024..=1024 * 1024 * 1024).contains(&settings.message_bytes_max) {
        problem("message_bytes_max", "write a size between 1024 and 1073741824 bytes");
    }
    // RFC 2177: a server may log out who idles for 30 minutes.
    if !(1..=29 * 60).contains(&settings.poll_interval_s) {
        problem("poll_interval_s", "write between 1 and 1740 seconds");
    }
    if !(1..=600).contains(&settings.timeout_s) {
        problem("timeout_s", "write between 1 and 600 seconds");
    }
}

/// Whether a host name or address is this machine, whatever a name server says.
fn is_loopback(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost") || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn parse_after(text: &str) -> Option<After> {
    match (text, text.strip_prefix("move:").map(str::trim)) {
        ("keep", _) => Some(After::Keep),
        ("seen", _) => Some(After::Seen),
        ("delete", _) => Some(After::Delete),
        (_, Some(folder)) if !folder.is_empty() && !folder.contains(char::is_control) => {
            Some(After::Move(folder.to_owned()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::message::Direction;
    use crate::pure::domain::secret::RESOLVED_KEY;

    fn try_build(extra: &str) -> Result<Built, Unfit> {
        let mut table: toml::Table = extra.parse().expect("the test's own TOML");
        let mut default = |key: &str, value: toml::Value| {
            if !table.contains_key(key) {
                table.insert(key.to_owned(), value);
            }
        };
        default("host", "imap.example.fi".into());
        default("user", "support@example.fi".into());
        default("password", toml::Table::from_iter([(RESOLVED_KEY.to_owned(), "x".into())]).into());
        default("addresses", vec!["support@example.fi"].into());
        build(&Setup { name: "mail", region: "FI", time_zone: &jiff::tz::TimeZone::UTC }, table)
    }

    #[test]
    fn settings_become_a_source() {
        let table = [
            ("", 993, Tls::Implicit, After::Keep),
            ("tls = \"starttls\"\nafter = \"seen\"", 143, Tls::Starttls, After::Seen),
            (
                "tls = \"none\"\nhost = \"127.0.0.1\"\nafter = \"move:Handled\"",
                143,
                Tls::None,
                After::Move("Handled".to_owned()),
            ),
            ("tls = \"none\"\nhost = \"::1\"\nport = 1143", 1143, Tls::None, After::Keep),
            ("tls = \"none\"\nhost = \"localhost\"", 143, Tls::None, After::Keep),
        ];
        for (extra, port, tls, after) in table {
            let built = try_build(extra).unwrap_or_else(|problems| panic!("{extra}: {problems:?}"));
            let Intake::Imap(source) = built.intake else { panic!("{extra}: another intake") };
            assert_eq!((source.port, source.tls, source.after), (port, tls, after), "{extra}");
            assert_eq!(source.folders, ["INBOX"]);
            assert_eq!(built.own.addresses.len(), 1);
        }
    }

    #[test]
    fn what_lies_in_the_folder_of_sent_mail_is_the_desks() {
        let built = try_build("").unwrap_or_else(|problems| panic!("{problems:?}"));
        let carried = "Received: from x.example by mx.example.fi; Mon, 2 Mar 2026 10:00:00 +0000\r\n";
        for (from, received, is_sent, expected) in [
            ("support@example.fi", "", false, Direction::FromAgent),
            ("support@example.fi", carried, false, Direction::FromCustomer),
            ("support@example.fi", carried, true, Direction::FromAgent),
            // An agent under an address of his own.
            ("anna@example.fi", "", true, Direction::FromAgent),
            ("anna@example.fi", "", false, Direction::FromCustomer),
        ] {
            let mail =
                format!("{received}From: {from}\r\nTo: Minna <minna@posti.example>\r\nSubject: Hei\r\n\r\nTerve\r\n");
            let event = RawEvent {
                id: crate::pure::domain::id::RawEventId(uuid::Uuid::nil()),
                tenant: "main".to_owned(),
                channel: "mail".to_owned(),
                kind: KIND.name.to_owned(),
                received_at: crate::pure::domain::Timestamp::UNIX_EPOCH,
                trusted_at: None,
                origin: origin("Sent", 7, 12, is_sent),
                body: mail.into_bytes().into(),
            };
            let parsed = built.channel.parse(&event);
            assert_eq!(parsed.items[0].direction, expected, "{from} {received} {is_sent}");
            let to = parsed.items[0].recipient.identities.first().map(|one| one.identity.value.as_str());
            let answered = (expected == Direction::FromAgent).then_some("minna@posti.example");
            assert_eq!(to, answered, "{from}");
        }
    }

    #[test]
    fn every_problem_is_reported() {
        let table = [
            ("tls = \"none\"", vec!["tls"]),
            ("tls = \"none\"\nhost = \"127.0.0.1.example.fi\"", vec!["tls"]),
            ("tls = \"none\"\nhost = \"localhost.example.fi\"", vec!["tls"]),
            (
                "port = 0\nafter = \"burn\"\naddresses = [\"x\"]\ntimeout_s = 0",
                vec!["port", "timeout_s", "after", "addresses.0"],
            ),
            ("addresses = []\ntrusted_authserv = \"a b\"", vec!["addresses", "trusted_authserv"]),
            ("folders = []", vec!["folders"]),
            (
                "folders = [\"A\", \"A\"]\nmessage_bytes_max = 1\npoll_interval_s = 100000",
                vec!["message_bytes_max", "poll_interval_s", "folders.1"],
            ),
            ("after = \"move:INBOX\"", vec!["after"]),
            ("after = 'move:\\All'", vec!["after"]),
            ("after = \"move:Sent\"\nsent = \"Sent\"", vec!["after"]),
            ("after = \"delete\"\nfolders = ['\\All']", vec!["after"]),
            ("folders = ['\\Sent', '\\Everything', \"\"]", vec!["folders.0", "folders.1", "folders.2"]),
            ("sent = \"\"", vec!["sent"]),
            ("sent = '\\All'", vec!["sent"]),
            ("sent = \"INBOX\"", vec!["sent"]),
            ("user = \"a\\u0000b\"", vec!["user"]),
            (
                "oauth = { provider = \"google\", client_id = \"a\" }",
                vec!["oauth.client_secret", "oauth.refresh_token"],
            ),
            (
                "oauth = { client_idd = \"a\" }",
                vec!["oauth.client_idd", "oauth.client_id", "oauth.client_secret", "oauth.token_url"],
            ),
            ("host = \"https://imap.example.fi\"", vec!["host"]),
            ("surprise = 1", vec!["surprise"]),
            ("password = \"plain\"", vec!["password"]),
            ("tls = \"ssl\"", vec!["tls"]),
        ];
        for (extra, expected) in table {
            let Err(Unfit { problems, .. }) = try_build(extra) else { panic!("{extra}: accepted") };
            let keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
            assert_eq!(keys, expected, "{extra}: {problems:?}");
        }
    }
}
