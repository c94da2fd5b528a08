//! Mails to the outside, by way of a mail server that takes ours (RFC 6409).
//!
//! A mail is handed over whole, as it was written, with its own envelope. Connections are kept and used again. The
//! server's answer goes back to whoever wrote the mail, with its code; what that means is his to say.
//!
//! A mail server stands in the configuration, and nobody outside can name another: it may be on a private network.
//!
//! **Invariant:** nothing is sent in the clear that the configuration wants protected, for STARTTLS that is refused means
//! no mail. Errors hold no address.

use super::install_tls_provider;
use crate::pure::wire::step::{MailServer, OutgoingMail, Reply, Tls};
use lettre::address::Envelope;
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls as Protection, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Connections to one server at once. Servers allow a few for each client.
const CONNECTIONS_MAX: u32 = 4;

/// How long an idle connection is kept: servers wait five minutes for a command (RFC 5321 4.5.3.2.7).
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Longest answer of a server that is kept, in characters.
const ANSWER_CHARS_MAX: usize = 500;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// Why a mail server gave no answer. All of them may pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// There is nobody to hand mails to.
    #[error("no mail server is configured to send by")]
    NoServer,
    /// The certificates to trust cannot be read.
    #[error("ca_file cannot be read: {0}")]
    Certificates(String),
    /// An address that no server would take.
    #[error("an address of the mail is malformed")]
    Malformed,
    /// No connection, or none that is safe.
    #[error("the mail server cannot be reached: {0}")]
    Unreachable(String),
}

/// Hands mails to servers. Connections are kept between mails.
#[derive(Default)]
pub struct MailCarrier {
    transports: Mutex<HashMap<(String, u16, Option<String>), Arc<Transport>>>,
}

impl MailCarrier {
    /// Hands a mail over, and gives the server's answer: the code and what it says.
    ///
    /// # Errors
    /// [`MailError`]: no answer. The server may have taken the mail all the same.
    pub async fn send(&self, server: Option<&MailServer>, mail: OutgoingMail) -> Result<Reply, MailError> {
        let server = server.ok_or(MailError::NoServer)?;
        let transport = self.transport(server).await?;
        let address = |text: &str| text.parse::<Address>().map_err(|_| MailError::Malformed);
        let from = mail.from.as_deref().map(address).transpose()?;
        let envelope = Envelope::new(from, vec![address(&mail.to)?]);
        let envelope = envelope.map_err(|_| MailError::Malformed)?;
        match transport.send_raw(&envelope, &mail.mail).await {
            Ok(response) => {
                let said: Vec<&str> = response.message().collect();
                Ok(reply(u16::from(response.code()), &said.join(" ")))
            }
            Err(error) => match error.status() {
                Some(code) => Ok(reply(u16::from(code), &said(&error))),
                None => Err(MailError::Unreachable(said(&error))),
            },
        }
    }

    /// Connects to a server and logs in, without a mail.
    ///
    /// # Errors
    /// Why no mail could be handed over.
    pub async fn look(&self, server: &MailServer) -> Result<(), MailError> {
        match self.transport(server).await?.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(MailError::Unreachable("it ended the connection".to_owned())),
            Err(error) => Err(MailError::Unreachable(said(&error))),
        }
    }

    async fn transport(&self, server: &MailServer) -> Result<Arc<Transport>, MailError> {
        let key = (server.host.clone(), server.port, server.login.as_ref().map(|(user, _)| user.clone()));
        let known = self.transports.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let made = Arc::new(connect(server).await?);
        self.transports.lock().unwrap_or_else(PoisonError::into_inner).insert(key, made.clone());
        Ok(made)
    }
}

async fn connect(server: &MailServer) -> Result<Transport, MailError> {
    install_tls_provider();
    let parameters = async || {
        let mut parameters = TlsParameters::builder(server.host.clone());
        if let Some(file) = &server.ca_file {
            let pem = tokio::fs::read(file).await.map_err(|error| MailError::Certificates(error.kind().to_string()))?;
            let certificate = Certificate::from_pem(&pem).map_err(|error| MailError::Certificates(said(&error)))?;
            parameters = parameters.add_root_certificate(certificate);
        }
        parameters.build().map_err(|error| MailError::Certificates(said(&error)))
    };
    let protection = match server.tls {
        Tls::Implicit => Protection::Wrapper(parameters().await?),
        Tls::Starttls => Protection::Required(parameters().await?),
        Tls::None => Protection::None,
    };
    let mut builder = Transport::builder_dangerous(server.host.clone())
        .port(server.port)
        .timeout(Some(server.timeout))
        .tls(protection)
        .pool_config(PoolConfig::new().max_size(CONNECTIONS_MAX).idle_timeout(IDLE_TIMEOUT));
    if let Some((user, password)) = &server.login {
        builder = builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
    }
    Ok(builder.build())
}

fn reply(status: u16, said: &str) -> Reply {
    Reply { status, retry_after_s: None, body: said.chars().take(ANSWER_CHARS_MAX).collect() }
}

/// What went wrong, with its causes, without whom it was for: servers repeat addresses in angle brackets.
fn said(error: &dyn StdError) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_says = cause.to_string();
        if !said.contains(&cause_says) {
            said = format!("{said}: {cause_says}");
        }
        source = cause.source();
    }
    let words = said.split_whitespace().map(|word| if word.contains('@') { "<…>" } else { word });
    words.collect::<Vec<_>>().join(" ").chars().take(ANSWER_CHARS_MAX).collect()
}
