//! A connection to a mail server, protected as configured, on which commands run.
//!
//! ```text
//! connect ─► (TLS) ─► greeting ─► (STARTTLS ─► TLS) ─► CAPABILITY ─► log in ─► CAPABILITY
//! ```
//!
//! Servers cannot be trusted to answer what was asked. So each command has its own loop over the
//! responses, which ends at our tag and looks at its status, with a limit on every wait, on the size of a
//! response and on their number. What comes unasked is heard; what cannot be read is passed over, but
//! for a mail. (Refused: `async-imap`, whose FETCH takes a refusal for a short answer, which waits for
//! ever, and holds what a server cares to announce. Of its family the parser remains.)
//!
//! **Invariants:** nothing but STARTTLS is sent in the clear where TLS is configured, and nothing that
//! came in the clear is believed afterwards. After an error a connection is of no more use.

use super::error::ImapError;
use super::wire::{self, Stream, Wire, WireError};
use crate::pure::channels::{ImapSource, Tls};
use bytes::Bytes;
use imap_proto::{MailboxDatum, Response, ResponseCode, Status};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

/// What a response may have beside the mail in it, in bytes.
const RESPONSE_SLACK_BYTES: u64 = 64 * 1024;

/// Responses to one command. A window over a whole mailbox has a million.
const RESPONSES_MAX: usize = 5_000_000;

/// Abilities remembered of a server; real ones have 50.
const ABILITIES_MAX: usize = 500;

/// What belongs to IMAP4rev2 and was an extension before (RFC 9051, appendix E).
const REV2: [&str; 7] = ["IDLE", "MOVE", "UIDPLUS", "SASL-IR", "SPECIAL-USE", "LIST-EXTENDED", "UNSELECT"];

/// One untagged response: its bytes, and what the parser makes of them.
pub(in crate::shell) struct Heard<'a> {
    /// The whole of it.
    pub(in crate::shell) bytes: &'a Bytes,
    /// `None` for what the parser does not know.
    pub(in crate::shell) parsed: Option<Response<'a>>,
}

/// A connection that has been greeted.
pub(in crate::shell) struct Connection {
    wire: Wire,
    timeout: Duration,
    tags: u32,
    abilities: HashSet<String>,
    /// Mails in the open folder, as far as the server has said.
    pub(in crate::shell) exists: u32,
    /// The server announced mail since the folder was opened.
    pub(in crate::shell) has_news: bool,
    /// The numbering of the open folder; none while one is opened.
    pub(in crate::shell) uidvalidity: Option<u32>,
    is_renumbered: bool,
}

impl Connection {
    /// Connects and asks what the server can.
    pub(in crate::shell) async fn open(source: &ImapSource) -> Result<Self, ImapError> {
        let failed = |error| ImapError::Connect { host: source.host.clone(), port: source.port, source: error };
        let tcp = TcpStream::connect((source.host.as_str(), source.port));
        let tcp = within(source.timeout, "connect", tcp).await?.map_err(failed)?;
        tcp.set_nodelay(true).map_err(failed)?;
        let mut connection = match source.tls {
            Tls::None => Self::greeted(source, Box::new(tcp)).await?,
            Tls::Implicit => Self::greeted(source, secure(source, Box::new(tcp)).await?).await?,
            Tls::Starttls => Self::greeted(source, Box::new(tcp)).await?.start_tls(source).await?,
        };
        connection.ask_abilities().await?;
        Ok(connection)
    }

    fn over(source: &ImapSource, stream: Box<dyn Stream>) -> Self {
        let limit = source.message_bytes_max.saturating_add(RESPONSE_SLACK_BYTES);
        Self {
            wire: Wire::new(stream, usize::try_from(limit).unwrap_or(usize::MAX)),
            timeout: source.timeout,
            tags: 0,
            abilities: HashSet::new(),
            exists: 0,
            has_news: false,
            uidvalidity: None,
            is_renumbered: false,
        }
    }

    async fn greeted(source: &ImapSource, stream: Box<dyn Stream>) -> Result<Self, ImapError> {
        const GREETING: &str = "greeting";
        let mut connection = Self::over(source, stream);
        let bytes = connection.receive(GREETING, source.timeout).await?;
        let text = String::from_utf8_lossy(&bytes);
        match text.strip_prefix("* ").map(words) {
            Some((status, _)) if status.eq_ignore_ascii_case("OK") => Ok(connection),
            // PREAUTH: logged in as somebody we did not choose, and perhaps to prevent STARTTLS.
            Some((status, text)) if ["PREAUTH", "BYE", "NO", "BAD"].iter().any(|s| status.eq_ignore_ascii_case(s)) => {
                Err(ImapError::of_answer(GREETING, status, text))
            }
            _ => Err(ImapError::Unparsable { command: GREETING }),
        }
    }

    /// Changes to TLS. Numbers and abilities begin anew: those before may be somebody else's.
    async fn start_tls(mut self, source: &ImapSource) -> Result<Self, ImapError> {
        const STARTTLS: &str = "STARTTLS";
        match self.command(STARTTLS, STARTTLS, |_| Ok(())).await {
            Err(ImapError::Refused { answer, .. }) => {
                return Err(ImapError::NoStartTls { host: source.host.clone(), answer });
            }
            other => other?,
        }
        let stream = self.wire.into_stream().ok_or(ImapError::Injected)?;
        Ok(Self::over(source, secure(source, stream).await?))
    }

    /// Whether the server says that it can do something.
    pub(in crate::shell) fn can(&self, ability: &str) -> bool {
        self.abilities.contains(ability) || (REV2.contains(&ability) && self.abilities.contains("IMAP4REV2"))
    }

    /// Asks what the server can. Asked after TLS and after the login, for each changes it.
    pub(in crate::shell) async fn ask_abilities(&mut self) -> Result<(), ImapError> {
        let mut abilities = HashSet::new();
        self.command("CAPABILITY", "CAPABILITY", |heard| {
            let text = String::from_utf8_lossy(heard.bytes);
            let mut words = text.split_ascii_whitespace().skip(1);
            if words.next().is_some_and(|word| word.eq_ignore_ascii_case("CAPABILITY")) {
                abilities = words.take(ABILITIES_MAX).map(str::to_ascii_uppercase).collect();
            }
            Ok(())
        })
        .await?;
        self.abilities = abilities;
        Ok(())
    }

    /// Runs a command to its tagged OK, showing each response on the way; what `each` says is wrong ends
    /// it. `name` is for messages.
    pub(in crate::shell) async fn command(
        &mut self,
        name: &'static str,
        text: &str,
        mut each: impl FnMut(&Heard<'_>) -> Result<(), ImapError>,
    ) -> Result<(), ImapError> {
        let tag = self.send(name, text).await?;
        for _ in 0..RESPONSES_MAX {
            let bytes = self.receive(name, self.timeout).await?;
            if let Some(done) = self.done(name, &tag, &bytes) {
                return done;
            }
            each(&self.hear(name, &bytes)?)?;
        }
        Err(ImapError::Oversized { command: name })
    }

    /// Sends a command under a new tag, which it gives.
    pub(in crate::shell) async fn send(&mut self, name: &'static str, text: &str) -> Result<String, ImapError> {
        self.tags = self.tags.wrapping_add(1);
        let tag = format!("L{}", self.tags);
        self.send_line(name, &format!("{tag} {text}")).await?;
        Ok(tag)
    }

    /// Runs a command that ends in a literal (RFC 9051, 4.3), to its tagged OK.
    pub(in crate::shell) async fn literal(
        &mut self,
        name: &'static str,
        text: &str,
        literal: &[u8],
    ) -> Result<(), ImapError> {
        let tag = self.send(name, &format!("{text} {{{}}}", literal.len())).await?;
        let mut is_asked = false;
        for _ in 0..RESPONSES_MAX {
            let bytes = self.receive(name, self.timeout).await?;
            if let Some(done) = self.done(name, &tag, &bytes) {
                return done;
            }
            if bytes.starts_with(b"+") && !std::mem::replace(&mut is_asked, true) {
                let sent = within(self.timeout, name, self.wire.send_bytes(literal)).await?;
                sent.map_err(|_| ImapError::Lost { command: name })?;
                continue;
            }
            self.hear(name, &bytes)?;
        }
        Err(ImapError::Oversized { command: name })
    }

    /// Sends a line that belongs to a command under way.
    pub(in crate::shell) async fn send_line(&mut self, name: &'static str, line: &str) -> Result<(), ImapError> {
        let sent = within(self.timeout, name, self.wire.send(line)).await?;
        sent.map_err(|_| ImapError::Lost { command: name })
    }

    /// The next response.
    pub(in crate::shell) async fn receive(&mut self, name: &'static str, limit: Duration) -> Result<Bytes, ImapError> {
        within(limit, name, self.wire.receive()).await?.map_err(|error| match error {
            WireError::Lost => ImapError::Lost { command: name },
            WireError::TooLarge => ImapError::Oversized { command: name },
        })
    }

    /// How the command of this tag ended, if the response says so.
    pub(in crate::shell) fn done(&self, name: &'static str, tag: &str, bytes: &Bytes) -> Option<Result<(), ImapError>> {
        let text = String::from_utf8_lossy(bytes.strip_prefix(tag.as_bytes())?.strip_prefix(b" ")?).into_owned();
        let (status, text) = words(&text);
        Some(match status.eq_ignore_ascii_case("OK") {
            true if self.is_renumbered => Err(ImapError::Renumbered { command: name }),
            true => Ok(()),
            false => Err(ImapError::of_answer(name, status, text)),
        })
    }

    /// Takes in what servers say whenever they like: new and removed mails, another numbering, farewells.
    pub(in crate::shell) fn hear<'a>(&mut self, name: &'static str, bytes: &'a Bytes) -> Result<Heard<'a>, ImapError> {
        let parsed = wire::read(bytes);
        match &parsed {
            Some(Response::Data { status: Status::Bye, .. }) if name != "LOGOUT" => {
                let text = String::from_utf8_lossy(bytes);
                let text = text.strip_prefix("* ").map_or("", |text| words(text).1);
                return Err(match ImapError::of_answer(name, "BYE", text) {
                    throttled @ ImapError::Throttled { .. } => throttled,
                    _ => ImapError::Lost { command: name },
                });
            }
            Some(Response::Data { outcome, .. }) => {
                if let (Some(ResponseCode::UidValidity(new)), Some(open)) = (&outcome.code, self.uidvalidity) {
                    self.is_renumbered |= *new != open;
                }
            }
            Some(Response::MailboxData(MailboxDatum::Exists(count))) => {
                self.has_news |= *count > self.exists;
                self.exists = *count;
            }
            Some(Response::Expunge(_)) => self.exists = self.exists.saturating_sub(1),
            None if is_fetch(bytes) => return Err(ImapError::Unparsable { command: name }),
            _ => {}
        }
        Ok(Heard { bytes, parsed })
    }

    /// Says goodbye.
    pub(in crate::shell) async fn log_out(&mut self) -> Result<(), ImapError> {
        self.command("LOGOUT", "LOGOUT", |_| Ok(())).await
    }

    /// Longest time any one answer may take.
    pub(in crate::shell) fn timeout(&self) -> Duration {
        self.timeout
    }
}

/// `* 4711 FETCH …`, the one response that must not be passed over.
fn is_fetch(bytes: &[u8]) -> bool {
    let mut words = bytes.split(|byte| byte.is_ascii_whitespace());
    words.next() == Some(b"*") && words.nth(1).is_some_and(|word| word.eq_ignore_ascii_case(b"FETCH"))
}

/// The first word of a line, and the rest.
fn words(text: &str) -> (&str, &str) {
    let text = text.trim_end_matches(['\r', '\n']);
    text.split_once(' ').unwrap_or((text, ""))
}

/// Waits for something no longer than allowed.
pub(in crate::shell) async fn within<T>(
    limit: Duration,
    command: &'static str,
    future: impl Future<Output = T>,
) -> Result<T, ImapError> {
    tokio::time::timeout(limit, future).await.map_err(|_| ImapError::Silent { command, waited: limit })
}

/// TLS with the server of that name, and no other.
async fn secure(source: &ImapSource, stream: Box<dyn Stream>) -> Result<Box<dyn Stream>, ImapError> {
    let failed = |why: String| ImapError::Tls { host: source.host.clone(), why };
    let mut roots = rustls::RootCertStore::empty();
    // Some of a system's certificates may be of a form that rustls does not know; the rest counts.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = &source.ca_file {
        let unreadable = |why: String| ImapError::CaFile { path: path.clone(), why };
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unreadable(error.to_string()))? {
            let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
            roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| failed(error.to_string()))?.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(source.host.clone()).map_err(|error| failed(error.to_string()))?;
    let handshake = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream);
    let secured = within(source.timeout, "TLS", handshake).await?.map_err(|error| failed(error.to_string()))?;
    Ok(Box::new(secured))
}
