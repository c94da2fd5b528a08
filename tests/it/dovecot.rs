//! A Dovecot of the test's own: own ports, own configuration, one mailbox, gone with the test.

use super::support::{eventually, scratch};
use lanka::pure::channels::{After, Credentials, ImapSource, Tls};
use lanka::pure::domain::secret::Secret;
use lanka::shell::cluster::{RunAs, run_as};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// The one user.
pub const USER: &str = "desk";

/// Its password.
pub const PASSWORD: &str = "not \"very\\ secret";

const INSTALL: &str = "The tests need Dovecot. Install it: apt-get install dovecot-imapd dovecot-lmtpd openssl";

/// Marks our commands. No line of a mail begins with it.
const TAG: &str = "tag-of-the-test";

/// A mail as it lies in a folder.
#[derive(Debug, Clone)]
pub struct Lying {
    pub uid: u32,
    pub flags: String,
    pub text: String,
}

impl Lying {
    /// The value of a header field, unfolded; empty where there is none.
    pub fn header(&self, name: &str) -> String {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ");
        let mut lines = head.lines();
        let line = lines.find(|line| line.to_lowercase().starts_with(&format!("{}:", name.to_lowercase())));
        line.and_then(|line| line.split_once(':')).map_or(String::new(), |(_, value)| value.trim().to_owned())
    }
}

/// A running mail server with one mailbox.
pub struct Dovecot {
    /// IMAP, plain and STARTTLS.
    pub port: u16,
    /// IMAP over TLS.
    pub tls_port: u16,
    lmtp_port: u16,
    conf: PathBuf,
    owner: RunAs,
    dir: tempfile::TempDir,
    master: Child,
}

impl Dovecot {
    /// Starts a server with an empty mailbox and waits until it answers. Takes about 0.2 s.
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// As [`Dovecot::start`], with further settings.
    pub async fn start_with(settings: &str) -> Self {
        let dir = scratch();
        let ports = free_ports();
        let owner = owner();
        let conf = dir.path().join("dovecot.conf");
        fs::create_dir(dir.path().join("mail")).expect("a place for mail");
        chown(dir.path().join("mail"), Some(owner.uid), Some(owner.gid)).expect("given away");
        let user = format!("{USER}:{{PLAIN}}{PASSWORD}:{}:{}::{}/mail::\n", owner.uid, owner.gid, dir.path().display());
        fs::write(dir.path().join("users"), user).expect("the file of users");
        fs::set_permissions(dir.path().join("users"), fs::Permissions::from_mode(0o644)).expect("its mode");
        make_certificate(dir.path());
        fs::write(&conf, configuration(dir.path(), ports, &owner) + settings).expect("the configuration");
        let master = run(&conf);
        let [port, tls_port, lmtp_port] = ports;
        let mut server = Self { port, tls_port, lmtp_port, conf, owner, dir, master };
        server.wait().await;
        server
    }

    /// The mailbox as a channel's source: plain IMAP, quick to notice things.
    pub fn source(&self) -> ImapSource {
        ImapSource {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            tls: Tls::None,
            ca_file: None,
            user: USER.to_owned(),
            credentials: Credentials::Password(Secret::new(PASSWORD)),
            folders: vec!["INBOX".to_owned()],
            sent: None,
            after: After::Keep,
            message_bytes_max: 50 * 1024 * 1024,
            poll_interval: Duration::from_secs(60),
            timeout: Duration::from_secs(10),
        }
    }

    /// The certificate of the authority that vouches for the server as `localhost`.
    pub fn authority(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// Delivers a mail over LMTP, as a mail server would.
    pub async fn deliver(&self, mail: &[u8]) {
        let mut wire = BufReader::new(TcpStream::connect(("127.0.0.1", self.lmtp_port)).await.expect("LMTP"));
        let mut body = Vec::with_capacity(mail.len() + 3);
        for line in mail.split_inclusive(|&byte| byte == b'\n') {
            if line.starts_with(b".") {
                body.push(b'.');
            }
            body.extend_from_slice(line);
        }
        body.extend_from_slice(if mail.ends_with(b"\n") { b".\r\n" } else { b"\r\n.\r\n" });
        let recipient = format!("RCPT TO:<{USER}>\r\n");
        let steps: [&[u8]; 6] = [b"", b"LHLO test\r\n", b"MAIL FROM:<>\r\n", recipient.as_bytes(), b"DATA\r\n", &body];
        for step in steps {
            wire.write_all(step).await.expect("sent");
            let mut line = String::new();
            while line.as_bytes().get(3) != Some(&b' ') {
                line.clear();
                wire.read_line(&mut line).await.expect("an answer");
            }
            assert!(line.starts_with(['2', '3']), "LMTP: {line}");
        }
    }

    /// Appends a mail over IMAP. `date` as IMAP writes it: `02-Mar-2026 10:00:00 +0200`.
    pub async fn append(&self, folder: &str, mail: &[u8], date: &str) {
        let literal = format!("APPEND {folder} () \"{date}\" {{{}+}}\r\n", mail.len());
        self.command(folder, &[literal.as_bytes(), mail].concat()).await;
    }

    /// Puts many mails into the mailbox at once, straight into its Maildir.
    pub fn put(&self, mails: impl IntoIterator<Item = Vec<u8>>) {
        let new = self.dir.path().join("mail/Maildir/new");
        for (number, mail) in mails.into_iter().enumerate() {
            // Dovecot numbers mails in the order of their file names.
            let path = new.join(format!("{}.M{number:06}.test", jiff::Timestamp::now().as_microsecond()));
            fs::write(&path, mail).expect("a mail");
            chown(&path, Some(self.owner.uid), Some(self.owner.gid)).expect("given away");
        }
    }

    /// Runs one IMAP command on a connection of its own, `folder` selected; gives the lines of the
    /// answer before the tagged one, which must be OK.
    pub async fn command(&self, folder: &str, command: &[u8]) -> Vec<String> {
        let mut wire = BufReader::new(TcpStream::connect(("127.0.0.1", self.port)).await.expect("IMAP"));
        let password = PASSWORD.replace('\\', "\\\\").replace('"', "\\\"");
        let login = format!("LOGIN {USER} \"{password}\"");
        let select = format!("SELECT {folder}");
        let mut answer = Vec::new();
        for command in [login.as_bytes(), select.as_bytes(), command] {
            answer.clear();
            wire.write_all(&[TAG.as_bytes(), b" ", command, b"\r\n"].concat()).await.expect("sent");
            loop {
                let mut line = Vec::new();
                assert!(wire.read_until(b'\n', &mut line).await.expect("an answer") > 0, "IMAP hung up");
                let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                if let Some(status) = line.strip_prefix(TAG) {
                    assert!(status.starts_with(" OK"), "IMAP:{status}");
                    break;
                }
                answer.push(line);
            }
        }
        answer
    }

    /// How many mails of a folder a SEARCH finds.
    pub async fn count(&self, folder: &str, search: &str) -> usize {
        let lines = self.command(folder, format!("UID SEARCH {search}").as_bytes()).await;
        lines.iter().filter_map(|line| line.strip_prefix("* SEARCH")).flat_map(str::split_whitespace).count()
    }

    /// What lies in a folder, by UID.
    pub async fn lying(&self, folder: &str) -> Vec<Lying> {
        let mut mails: Vec<Lying> = Vec::new();
        for line in self.command(folder, b"UID FETCH 1:* (UID FLAGS BODY.PEEK[])").await {
            match line.strip_prefix("* ").and_then(|rest| rest.split_once(" FETCH (UID ")) {
                Some((_, rest)) => {
                    let uid = rest.split(' ').next().and_then(|uid| uid.parse().ok()).expect("a UID");
                    let flags = rest.split(['(', ')']).nth(1).unwrap_or_default().to_owned();
                    mails.push(Lying { uid, flags, text: String::new() });
                }
                None => {
                    if let Some(mail) = mails.last_mut() {
                        mail.text.push_str(&line);
                        mail.text.push_str("\r\n");
                    }
                }
            }
        }
        mails
    }

    /// The conversations that the server makes of a folder (RFC 5256): sets of UIDs.
    pub async fn conversations(&self, folder: &str) -> BTreeSet<BTreeSet<u32>> {
        let lines = self.command(folder, b"UID THREAD REFERENCES UTF-8 ALL").await;
        let line = lines.iter().find_map(|line| line.strip_prefix("* THREAD ")).unwrap_or_default();
        let (mut depth, mut found, mut one) = (0, BTreeSet::new(), String::new());
        for c in line.chars() {
            depth += i32::from(c == '(') - i32::from(c == ')');
            one.push(if c.is_ascii_digit() { c } else { ' ' });
            if depth == 0 {
                let uids: BTreeSet<u32> = one.split_whitespace().filter_map(|uid| uid.parse().ok()).collect();
                if !uids.is_empty() {
                    found.insert(uids);
                }
                one.clear();
            }
        }
        found
    }

    /// Ends every IMAP session the hard way: the client sees the connection close.
    pub fn kill_connections(&self) {
        let master = self.master.id().to_string();
        for process in fs::read_dir("/proc").expect("/proc").flatten() {
            // pid (comm) state ppid …
            let stat = fs::read_to_string(process.path().join("stat")).unwrap_or_default();
            let mut fields = stat.split_whitespace();
            if let (Some(pid), Some("(imap)"), Some(_), Some(parent)) =
                (fields.next(), fields.next(), fields.next(), fields.next())
                && parent == master
            {
                signal(pid.parse().expect("a number"), rustix::process::Signal::KILL);
            }
        }
    }

    /// Gives the mailbox another UIDVALIDITY: to a client it is a new mailbox.
    pub fn change_uidvalidity(&self, uidvalidity: u32) {
        self.doveadm(&["mailbox", "update", "-u", USER, "--uid-validity", &uidvalidity.to_string(), "INBOX"]);
    }

    /// Makes a folder.
    pub fn create(&self, folder: &str) {
        self.doveadm(&["mailbox", "create", "-u", USER, folder]);
    }

    fn doveadm(&self, arguments: &[&str]) {
        let output = Command::new("doveadm").arg("-c").arg(&self.conf).args(arguments).output().expect(INSTALL);
        assert!(output.status.success(), "doveadm {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Stops the server; the mail stays.
    pub fn stop(&mut self) {
        signal(self.master.id() as i32, rustix::process::Signal::TERM);
        self.master.wait().expect("ended");
    }

    /// Starts it again, on the same ports.
    pub async fn start_again(&mut self) {
        self.master = run(&self.conf);
        self.wait().await;
    }

    async fn wait(&mut self) {
        let (master, said, lmtp_port) = (&mut self.master, self.dir.path().join("started.log"), self.lmtp_port);
        eventually("Dovecot listens", async || {
            if let Ok(Some(_)) = master.try_wait() {
                panic!("Dovecot does not start. {INSTALL}. {}", fs::read_to_string(&said).unwrap_or_default());
            }
            let mut wire = BufReader::new(TcpStream::connect(("127.0.0.1", lmtp_port)).await.ok()?);
            let mut greeting = String::new();
            wire.read_line(&mut greeting).await.ok()?;
            greeting.starts_with("220").then_some(())
        })
        .await;
        // The first login also makes the mailbox, which `put` writes into.
        self.command("INBOX", b"NOOP").await;
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        if matches!(self.master.try_wait(), Ok(None)) {
            self.stop();
        }
        if std::thread::panicking() {
            let log = fs::read_to_string(self.dir.path().join("dovecot.log")).unwrap_or_default();
            eprintln!("--- dovecot.log\n{log}---");
        }
    }
}

fn signal(pid: i32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid).expect("a process");
    // It may have ended by itself.
    let _ = rustix::process::kill_process(pid, signal);
}

fn run(conf: &Path) -> Child {
    let said = fs::File::create(conf.with_file_name("started.log")).expect("a log");
    let mut command = Command::new(program("dovecot"));
    command.env("TZ", "UTC").arg("-F").arg("-c").arg(conf).stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
    command.spawn().expect(INSTALL)
}

/// `/usr/sbin` is not on the path of ordinary users.
fn program(name: &str) -> PathBuf {
    let system = Path::new("/usr/sbin").join(name);
    if system.exists() { system } else { PathBuf::from(name) }
}

/// Whose the mail is: Dovecot gives no mail to root.
fn owner() -> RunAs {
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    run_as(Path::new("/nonexistent")).expect("a user").unwrap_or(RunAs { name: user_name(uid), uid, gid })
}

fn user_name(uid: u32) -> String {
    let users = fs::read_to_string("/etc/passwd").expect("/etc/passwd");
    let line = users.lines().find(|line| line.split(':').nth(2) == Some(&uid.to_string()));
    line.and_then(|line| line.split(':').next()).expect("Dovecot needs a user with a name in /etc/passwd").to_owned()
}

fn free_ports() -> [u16; 3] {
    let listeners = [(); 3].map(|()| std::net::TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("its address").port())
}

/// An authority of the test's own, and a certificate for `localhost` from it.
fn make_certificate(dir: &Path) {
    const KEY: [&str; 6] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-sha256"];
    std::fs::write(dir.join("leaf.ext"), "subjectAltName=DNS:localhost\nbasicConstraints=critical,CA:FALSE\n")
        .expect("its extensions");
    let openssl = |arguments: &[&[&str]]| {
        let mut command = Command::new("openssl");
        command.current_dir(dir).args(arguments.concat());
        let output = command.output().expect(INSTALL);
        assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
    };
    let authority = ["req", "-x509", "-days", "2", "-subj", "/CN=Authority of a test", "-keyout", "ca-key.pem"];
    openssl(&[&authority, &KEY, &["-addext", "basicConstraints=critical,CA:TRUE", "-out", "ca.pem"]]);
    openssl(&[&["req", "-new", "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "leaf.csr"], &KEY]);
    let signed = ["x509", "-req", "-days", "2", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca-key.pem"];
    openssl(&[&signed, &["-CAcreateserial", "-extfile", "leaf.ext", "-out", "certificate.pem"]]);
}

/// The settings changed names between 2.3 and 2.4.
fn configuration(dir: &Path, [port, tls_port, lmtp_port]: [u16; 3], owner: &RunAs) -> String {
    let version = Command::new(program("dovecot")).arg("--version").output().expect(INSTALL);
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let dir = dir.display();
    let by_version = if version.starts_with("2.3.") {
        format!(
            "disable_plaintext_auth = no
mail_location = maildir:~/Maildir
ssl_cert = <{dir}/certificate.pem
ssl_key = <{dir}/key.pem
passdb {{
  driver = passwd-file
  args = {dir}/users
}}
userdb {{
  driver = passwd-file
  args = {dir}/users
}}
"
        )
    } else {
        format!(
            "auth_allow_cleartext = yes
mail_driver = maildir
mail_path = ~/Maildir
ssl_server_cert_file = {dir}/certificate.pem
ssl_server_key_file = {dir}/key.pem
passdb passwd-file {{
  passwd_file_path = {dir}/users
}}
userdb passwd-file {{
  passwd_file_path = {dir}/users
}}
"
        )
    };
    // The two versions must be the first settings.
    let versions = if version.starts_with("2.3.") {
        ""
    } else {
        "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n"
    };
    // Not root: every process runs as ourselves, and nothing can be locked into a directory.
    let rootless = if rustix::process::geteuid().is_root() {
        String::new()
    } else {
        let name = &owner.name;
        format!(
            "default_internal_user = {name}
default_login_user = {name}
default_internal_group = {}
service anvil {{
  chroot =
}}
service lmtp {{
  user = {name}
}}
",
            group_name(owner.gid)
        )
    };
    format!(
        "{versions}base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
first_valid_uid = 1
mail_fsync = never
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
{by_version}{rootless}
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp_port}
  }}
}}
"
    )
}

fn group_name(gid: u32) -> String {
    let groups = fs::read_to_string("/etc/group").expect("/etc/group");
    let line = groups.lines().find(|line| line.split(':').nth(2) == Some(&gid.to_string()));
    line.and_then(|line| line.split(':').next()).expect("Dovecot needs a group with a name in /etc/group").to_owned()
}

#[tokio::test]
async fn the_mail_server_of_the_tests_works() {
    let mut server = Dovecot::start().await;
    let mail = b"Subject: one\r\n\r\n.dots\r\n..\r\n";
    server.deliver(mail).await;
    server.append("INBOX", b"Subject: two\r\n\r\nbody\r\n", "02-Mar-2026 08:00:00 +0000").await;
    server.put((0..3).map(|number| format!("Subject: {number}\r\n\r\nbody\r\n").into_bytes()));
    assert_eq!(server.count("INBOX", "ALL").await, 5);
    assert_eq!(server.count("INBOX", "SENTSINCE 1-Jan-2020").await, 0);
    let lines = server.command("INBOX", b"UID FETCH 2 (INTERNALDATE)").await;
    assert_eq!(lines, ["* 2 FETCH (UID 2 INTERNALDATE \"02-Mar-2026 08:00:00 +0000\")"]);
    let lines = server.command("INBOX", b"UID FETCH 1 (BODY.PEEK[TEXT])").await;
    assert_eq!(&lines[1..4], [".dots", "..", ")"]);
    server.change_uidvalidity(4711);
    server.kill_connections();
    server.stop();
    server.start_again().await;
    let lines = server.command("INBOX", b"STATUS INBOX (UIDVALIDITY)").await;
    assert!(lines.iter().any(|line| line.contains("UIDVALIDITY 4711")), "{lines:?}");
}
