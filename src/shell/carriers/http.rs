//! HTTP requests to the outside, and the addresses that they never reach.
//!
//! A URL in the configuration, or one that a vendor hands us, must not make lanka a way into the
//! network it stands in (server-side request forgery). An address is judged at three places:
//! - a literal one in the URL, before anything is sent;
//! - what a name resolves to, inside the connector, so that a name cannot resolve to one thing when
//!   it is checked and to another when it is used;
//! - after a redirect: none is followed. The answer with its 3xx goes back to whoever asked; who fetches files
//!   sends another request, which is judged like any.
//!
//! `allow_private_addresses` opens the private ranges and this machine, for tools in the same
//! network. It does not open what is no host at all (multicast, reserved) nor the link-local and
//! metadata addresses, behind which cloud providers keep credentials.
//!
//! Refused: the proxy settings of the environment. Behind a proxy the check at connect time would
//! judge the proxy's address.
//!
//! **Invariant:** no connection is opened to an address that was not judged. Of an answer at most
//! [`BODY_BYTES_MAX`] are kept in memory, unless the caller names another limit, and but for a file, which is read piece
//! by piece ([`HttpCarrier::open`]). Errors hold no URL, header or body.

use super::install_tls_provider;
use crate::pure::domain::Timestamp;
pub use crate::pure::wire::reach::Refusal;
use crate::pure::wire::reach::refusal;
use crate::pure::wire::step::{Outgoing, Reply};
use bytes::Bytes;
use futures::future::BoxFuture;
use reqwest::dns::{Name, Resolve, Resolving};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use std::error::Error as StdError;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

/// Most of an answer's body that is read and kept, bytes: enough for an error message or an id.
pub const BODY_BYTES_MAX: usize = 4 * 1024;

/// Longest wait for a connection. Within a mirror's own limit for the whole exchange, so that a
/// silent address is told apart from a slow tool.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an idle connection is kept. Shorter than what common servers and load balancers keep
/// (60 s), so that they seldom close one that we are about to use.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// Idle connections kept per host; a mirror sends on about as many lanes at once.
const IDLE_CONNECTIONS_MAX: usize = 16;

/// Longest media type taken, in bytes (RFC 6838, section 4.2: 127 each for type and subtype; real ones have 20 to 80).
const MEDIA_TYPE_BYTES_MAX: usize = 127;

/// Longest `Retry-After` believed, in seconds: a day.
const RETRY_AFTER_S_MAX: u64 = 86_400;

/// Turns a host name into addresses.
pub type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> + Send + Sync>;

/// Why there is no answer. All of them may pass: each means *try again later*.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CarrierError {
    /// The request cannot be written: a URL or header that is none.
    #[error("the request cannot be sent as configured: its {0} is malformed")]
    Malformed(&'static str),
    /// The address is one that requests never go to.
    #[error("{0}")]
    Refused(Refusal),
    /// The name does not resolve.
    #[error("the host name does not resolve")]
    Unresolved,
    /// No connection.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// Connected, but not safely.
    #[error("no TLS connection: {0}")]
    Tls(String),
    /// No answer within the time given.
    #[error("no answer within {0} s")]
    Timeout(u64),
    /// The connection ended before the answer.
    #[error("the connection broke off before an answer")]
    BrokenOff,
}

/// Sends requests. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct HttpCarrier {
    client: reqwest::Client,
    allow_private: bool,
}

impl HttpCarrier {
    /// A carrier that resolves names as the system does.
    ///
    /// # Errors
    /// When the system's root certificates cannot be read.
    pub fn new(allow_private: bool) -> Result<Self, CarrierError> {
        Self::with_lookup(allow_private, system_lookup())
    }

    /// A carrier with a resolver of its own; what it returns is judged all the same.
    ///
    /// # Errors
    /// As [`HttpCarrier::new`].
    pub fn with_lookup(allow_private: bool, lookup: Lookup) -> Result<Self, CarrierError> {
        install_tls_provider();
        let client = reqwest::Client::builder()
            .dns_resolver(JudgingResolver { lookup, allow_private })
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .user_agent(concat!("lanka/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| CarrierError::Tls(error.to_string()))?;
        Ok(Self { client, allow_private })
    }

    /// Sends a request and reads the beginning of the answer, both within `outgoing.timeout`.
    ///
    /// # Errors
    /// [`CarrierError`]: no answer. The other side may have acted on the request all the same.
    pub async fn send(&self, outgoing: Outgoing) -> Result<Reply, CarrierError> {
        self.send_for(outgoing, BODY_BYTES_MAX).await
    }

    /// As [`HttpCarrier::send`], where the answer itself is what is wanted: at most `body_bytes_max` of it are read.
    ///
    /// # Errors
    /// As [`HttpCarrier::send`].
    pub async fn send_for(&self, outgoing: Outgoing, body_bytes_max: usize) -> Result<Reply, CarrierError> {
        let timeout = outgoing.timeout;
        match tokio::time::timeout(timeout, self.exchange(outgoing, body_bytes_max)).await {
            Ok(reply) => reply,
            Err(_) => Err(CarrierError::Timeout(timeout.as_secs())),
        }
    }

    async fn exchange(&self, outgoing: Outgoing, body_bytes_max: usize) -> Result<Reply, CarrierError> {
        let request = self.request(outgoing)?;
        let mut response = self.client.execute(request).await.map_err(|error| explain(&error))?;
        let status = response.status().as_u16();
        let retry_after_s = retry_after_s(response.headers(), Timestamp::now());
        let mut body = Vec::new();
        // A body that breaks off takes nothing from the status, which is what was answered.
        while body.len() < body_bytes_max
            && let Ok(Some(chunk)) = response.chunk().await
        {
            body.extend_from_slice(&chunk[..chunk.len().min(body_bytes_max - body.len())]);
        }
        Ok(Reply { status, retry_after_s, body: readable(&body, body_bytes_max) })
    }

    /// Whether requests may go to private addresses, and unencrypted.
    pub fn allows_private(&self) -> bool {
        self.allow_private
    }

    /// Sends a request and reads the head of the answer, within `outgoing.timeout`; its body is for the caller
    /// to read, within a time of his own.
    ///
    /// # Errors
    /// As [`HttpCarrier::send`].
    pub async fn open(&self, outgoing: Outgoing) -> Result<Opened, CarrierError> {
        let timeout = outgoing.timeout;
        let request = self.request(outgoing)?;
        let executing = tokio::time::timeout(timeout, self.client.execute(request)).await;
        let response = executing.map_err(|_| CarrierError::Timeout(timeout.as_secs()))?;
        Ok(Opened { response: response.map_err(|error| explain(&error))? })
    }

    fn request(&self, outgoing: Outgoing) -> Result<reqwest::Request, CarrierError> {
        let url = Url::parse(&outgoing.url).map_err(|_| CarrierError::Malformed("URL"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(CarrierError::Malformed("URL"));
        }
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) => None,
            None => return Err(CarrierError::Malformed("URL")),
        };
        if let Some(refusal) = literal.and_then(|address| refusal(address, self.allow_private)) {
            return Err(CarrierError::Refused(refusal));
        }
        let method = outgoing.method.parse().map_err(|_| CarrierError::Malformed("method"))?;
        let mut request = reqwest::Request::new(method, url);
        for (name, value) in outgoing.headers {
            let name = HeaderName::try_from(name).map_err(|_| CarrierError::Malformed("header"))?;
            let value = HeaderValue::try_from(value).map_err(|_| CarrierError::Malformed("header"))?;
            request.headers_mut().append(name, value);
        }
        *request.body_mut() = Some(outgoing.body.into());
        Ok(request)
    }
}

/// An answer whose head is read.
pub struct Opened {
    response: reqwest::Response,
}

impl Opened {
    /// HTTP status.
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// `Retry-After`, seconds.
    pub fn retry_after_s(&self) -> Option<u64> {
        retry_after_s(self.response.headers(), Timestamp::now())
    }

    /// Where a redirect leads, made absolute. `None` for any other answer.
    pub fn redirected_to(&self) -> Option<Url> {
        let location = self.response.headers().get(LOCATION).filter(|_| self.response.status().is_redirection())?;
        self.response.url().join(location.to_str().ok()?).ok()
    }

    /// Size of the body in bytes, where the head states it.
    pub fn bytes_stated(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// The media type stated, lower case, without parameters, if it has the form of one.
    pub fn media_type(&self) -> Option<String> {
        let text = self.response.headers().get(CONTENT_TYPE)?.to_str().ok()?;
        let media_type = text.split(';').next()?.trim().to_ascii_lowercase();
        let token = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
        };
        let (kind, subtype) = media_type.split_once('/')?;
        (media_type.len() <= MEDIA_TYPE_BYTES_MAX && token(kind) && token(subtype)).then_some(media_type)
    }

    /// Whether the body is in a coding that nobody asked for, so that its bytes are not the file's.
    pub fn is_encoded(&self) -> bool {
        self.response.headers().get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity")
    }

    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    /// [`CarrierError::BrokenOff`] and the like, also when less came than the head states.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, CarrierError> {
        self.response.chunk().await.map_err(|error| explain(&error))
    }

    /// The beginning of the body, at most [`BODY_BYTES_MAX`]: what came of it when it breaks off.
    pub async fn beginning(mut self) -> Vec<u8> {
        let mut body = Vec::new();
        while body.len() < BODY_BYTES_MAX
            && let Ok(Some(chunk)) = self.response.chunk().await
        {
            body.extend_from_slice(&chunk[..chunk.len().min(BODY_BYTES_MAX - body.len())]);
        }
        body
    }
}

/// The system's own resolver.
fn system_lookup() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// Resolves names and keeps back every address that is refused.
struct JudgingResolver {
    lookup: Lookup,
    allow_private: bool,
}

impl Resolve for JudgingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let found = (self.lookup)(name.as_str().to_owned());
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found = found.await.map_err(|_| CarrierError::Unresolved)?;
            let mut refused = None;
            let mut allowed = Vec::new();
            for address in found {
                match refusal(address, allow_private) {
                    None => allowed.push(SocketAddr::new(address, 0)),
                    Some(refusal) => refused = Some(refusal),
                }
            }
            match (allowed.is_empty(), refused) {
                (false, _) => Ok(Box::new(allowed.into_iter()) as reqwest::dns::Addrs),
                (true, Some(refusal)) => Err(CarrierError::Refused(refusal).into()),
                (true, None) => Err(CarrierError::Unresolved.into()),
            }
        })
    }
}

/// `Retry-After` in seconds, from either of its forms (RFC 9110, section 10.2.3).
fn retry_after_s(headers: &HeaderMap, now: Timestamp) -> Option<u64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = match text.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => RETRY_AFTER_S_MAX,
        Err(_) => {
            let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            // Rounded up: a second early is too early.
            let millis = date.as_millisecond().saturating_sub(now.as_millisecond()).max(0);
            u64::try_from(millis).unwrap_or(0).div_ceil(1000)
        }
    };
    Some(seconds.min(RETRY_AFTER_S_MAX))
}

/// The beginning of a body as text that Postgres takes: no NUL, no half characters, within the limit.
fn readable(body: &[u8], bytes_max: usize) -> String {
    let mut text = String::from_utf8_lossy(body).replace('\0', "\u{fffd}");
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

/// An error of the client in our own words. Its own would repeat the URL.
fn explain(error: &reqwest::Error) -> CarrierError {
    let mut io_error = None;
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(ours) = cause.downcast_ref::<CarrierError>() {
            return ours.clone();
        }
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return CarrierError::Tls(tls.to_string());
        }
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            io_error = Some(io.kind());
            // A TLS error hides inside the I/O error that carried it.
            if let Some(tls) = io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                return CarrierError::Tls(tls.to_string());
            }
        }
        source = cause.source();
    }
    match (error.is_connect(), io_error) {
        (true, Some(kind)) => CarrierError::Unreachable(kind.to_string()),
        (true, None) => CarrierError::Unreachable("the host does not answer".to_owned()),
        (false, _) if error.is_timeout() => CarrierError::Unreachable("the host is silent".to_owned()),
        (false, _) => CarrierError::BrokenOff,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let now = "2026-03-02T10:00:00.5Z".parse().unwrap();
        for (text, expected) in [
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("0", Some(0)),
            ("Mon, 02 Mar 2026 10:01:00 GMT", Some(60)),
            ("Mon, 02 Mar 2026 09:00:00 GMT", Some(0)),
            ("Mon, 02 Mar 2099 09:00:00 GMT", Some(RETRY_AFTER_S_MAX)),
            ("999999999999999999999999", Some(RETRY_AFTER_S_MAX)),
            ("-5", None),
            ("soon", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_str(text).unwrap());
            assert_eq!(retry_after_s(&headers, now), expected, "{text:?}");
        }
        assert_eq!(retry_after_s(&HeaderMap::new(), now), None);
    }

    #[test]
    fn a_body_becomes_text_that_postgres_takes() {
        let long = "ä".repeat(BODY_BYTES_MAX);
        for (body, expected) in [
            (&b"ok"[..], "ok".to_owned()),
            (b"a\0b", "a\u{fffd}b".to_owned()),
            (b"\xff", "\u{fffd}".to_owned()),
            (&long.as_bytes()[..BODY_BYTES_MAX], "ä".repeat(BODY_BYTES_MAX / 2)),
            (&[0xff; BODY_BYTES_MAX], "\u{fffd}".repeat(BODY_BYTES_MAX / 3)),
        ] {
            assert_eq!(readable(body, BODY_BYTES_MAX), expected);
        }
    }
}
