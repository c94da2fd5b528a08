//! Access tokens by OAuth 2.0 (RFC 6749): how they are asked for, and what the answer says.
//!
//! Two grants, those that need nobody at a browser: client credentials (RFC 6749, 4.4), by which a program has
//! rights of its own, and a refresh token (6), which a person once gave it. The vendors' pages:
//! - Microsoft, "Authenticate an IMAP, POP or SMTP connection using OAuth" and "Microsoft identity platform and
//!   the OAuth 2.0 client credentials flow": one endpoint for each directory, and a scope at each request;
//! - Google, "Using OAuth 2.0 to Access Google APIs": one endpoint, no scope, and no client credentials for mailboxes.
//!
//! **Invariant:** no error holds a secret, a token or what the server says in words, only its codes.

use super::settings::Problems;
use crate::pure::domain::secret::Secret;
use serde::Deserialize;
use url::{Host, Url};

/// Longest error code shown, in bytes. Those of RFC 6749 have up to 25.
const CODE_BYTES_MAX: usize = 40;

/// Longest token believed, in bytes. Microsoft's have about 2 KB.
const TOKEN_BYTES_MAX: usize = 32 * 1024;

/// Where and how access tokens are asked for.
#[derive(Debug, Clone)]
pub struct OAuth {
    /// The token endpoint.
    pub token_url: String,
    /// The name under which the program is registered there.
    pub client_id: String,
    /// Its secret; programs registered as public have none.
    pub client_secret: Option<Secret>,
    /// What the token shall be good for, if it must be said.
    pub scope: Option<String>,
    /// By what right.
    pub grant: Grant,
}

/// By what right a token is asked for.
#[derive(Debug, Clone)]
pub enum Grant {
    /// The program's own.
    ClientCredentials,
    /// A person's, who gave this token once. The server may replace it at each use.
    RefreshToken(Secret),
}

/// The vendors whose endpoints are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Provider {
    Microsoft,
    Google,
}

/// The table `oauth`, as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuthSettings {
    /// `microsoft` or `google`; for any other server `token_url`.
    provider: Option<Provider>,
    /// Microsoft's "Directory (tenant) ID", or a domain of that directory.
    directory: Option<String>,
    /// "Application (client) ID", or "Client ID".
    client_id: String,
    /// Needed unless there is a refresh token of a public client.
    client_secret: Option<Secret>,
    /// With it, a person's rights are used; without it, the program's own.
    refresh_token: Option<Secret>,
    /// The token endpoint of another server.
    token_url: Option<String>,
    /// What the token shall be good for. By default what the provider wants for IMAP.
    scope: Option<String>,
}

impl OAuthSettings {
    /// Where tokens are asked for. What is wrong is added to the problems, below the key `oauth`.
    pub fn read(self, problems: &mut Problems) -> OAuth {
        // A provider that could not be read is none only here.
        let knows_provider = problems.none_at("oauth.provider");
        let mut problem = |key: &str, message: &str| problems.add(format!("oauth.{key}"), message);
        let empty = |secret: &Option<Secret>| secret.as_ref().is_some_and(|secret| secret.expose().is_empty());
        if self.client_id.trim().is_empty() {
            problem("client_id", "write the id under which the program is registered with the provider");
        }
        for (key, secret) in [("client_secret", &self.client_secret), ("refresh_token", &self.refresh_token)] {
            if empty(secret) {
                problem(key, "the variable or file it is read from is empty");
            }
        }
        if self.client_secret.is_none() && self.refresh_token.is_none() {
            let who = "without a refresh_token the program logs in for itself, by its client_secret";
            problem("client_secret", &format!("required, and missing: {who}"));
        }
        if self.provider == Some(Provider::Google) && self.refresh_token.is_none() {
            problem("refresh_token", "Google opens a mailbox only by a refresh_token of its owner");
        }
        if self.provider != Some(Provider::Microsoft) && self.directory.is_some() {
            problem("directory", "only provider = \"microsoft\" has directories");
        }
        if self.provider.is_some() && self.token_url.is_some() {
            problem("token_url", "the provider says it: leave out one of them");
        }
        let (token_url, scope) = match self.provider {
            Some(Provider::Microsoft) => {
                let directory = self.directory.unwrap_or_default();
                if directory.is_empty()
                    || !directory.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
                {
                    problem("directory", "write the \"Directory (tenant) ID\", or a domain of the directory");
                }
                let scope = match self.refresh_token.is_some() {
                    true => "https://outlook.office.com/IMAP.AccessAsUser.All offline_access",
                    false => "https://outlook.office365.com/.default",
                };
                (format!("https://login.microsoftonline.com/{directory}/oauth2/v2.0/token"), Some(scope.to_owned()))
            }
            Some(Provider::Google) => ("https://oauth2.googleapis.com/token".to_owned(), None),
            None => {
                let token_url = self.token_url.unwrap_or_default();
                if knows_provider && let Err(message) = check_url(&token_url) {
                    problem("token_url", message);
                }
                (token_url, None)
            }
        };
        let grant = self.refresh_token.map_or(Grant::ClientCredentials, Grant::RefreshToken);
        let scope = self.scope.or(scope);
        OAuth { token_url, client_id: self.client_id, client_secret: self.client_secret, scope, grant }
    }
}

/// Secrets cross a network inside TLS only.
fn check_url(text: &str) -> Result<(), &'static str> {
    const WANTED: &str = "write provider = \"microsoft\" or \"google\", or the token endpoint, https://host/path";
    let url = Url::parse(text).map_err(|_| WANTED)?;
    let is_here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => return Err(WANTED),
    };
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_here => Ok(()),
        "http" => Err("the secret would cross the network in the clear: write https://"),
        _ => Err(WANTED),
    }
}

impl OAuth {
    /// The body of a request for an access token, as `application/x-www-form-urlencoded`; `refresh_token` is the
    /// latest one, where the grant is one.
    pub fn form(&self, refresh_token: Option<&Secret>) -> Vec<u8> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        match refresh_token {
            Some(token) => form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", token.expose()),
            None => form.append_pair("grant_type", "client_credentials"),
        };
        form.append_pair("client_id", &self.client_id);
        if let Some(secret) = &self.client_secret {
            form.append_pair("client_secret", secret.expose());
        }
        if let Some(scope) = &self.scope {
            form.append_pair("scope", scope);
        }
        form.finish().into_bytes()
    }
}

/// A token that was given (RFC 6749, 5.1).
#[derive(Debug)]
pub struct Granted {
    /// What one logs in with.
    pub access_token: Secret,
    /// For how long it is good, if the server says so. Seconds.
    pub expires_in_s: Option<u64>,
    /// What replaces the refresh token used, if it is replaced.
    pub refresh_token: Option<Secret>,
}

/// Why no token was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotGranted {
    /// The server knows the request and refuses it (RFC 6749, 5.2).
    #[error("the token endpoint refused ({code}{}): {}", .vendor_code.as_deref().map(|code| format!(", {code}")).unwrap_or_default(), remedy(.code))]
    Refused {
        /// `invalid_grant` and the like.
        code: String,
        /// Microsoft's own number, `AADSTS700082`.
        vendor_code: Option<String>,
    },
    /// Not now.
    #[error("the token endpoint answers {status}: it is asked again")]
    Later {
        /// HTTP status.
        status: u16,
    },
    /// No answer of a token endpoint.
    #[error("what answers at the token endpoint (HTTP {status}) is none: {why}")]
    NotAnEndpoint {
        /// HTTP status.
        status: u16,
        /// What is wrong with the answer.
        why: &'static str,
    },
}

/// What to do about an error code of RFC 6749, 5.2.
fn remedy(code: &str) -> &'static str {
    match code {
        "invalid_grant" => {
            "the refresh token has expired or was revoked, or a password was changed. Give the program access anew \
             and put the new token where refresh_token is read from"
        }
        "invalid_client" => "client_id or client_secret is wrong, or the secret has expired: make a new one",
        "unauthorized_client" => {
            "the program is not registered for this grant, or not in this directory: look at its registration"
        }
        "invalid_scope" => "the program has no permission for this scope, or an administrator has not consented to it",
        "interaction_required" | "consent_required" => "a person must log in and consent once more",
        _ => "look at client_id, scope and token_url",
    }
}

/// The parts of an answer that matter, of either kind.
#[derive(Deserialize)]
struct Answer {
    access_token: Option<String>,
    token_type: Option<String>,
    expires_in: Option<serde_json::Value>,
    refresh_token: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// What a token endpoint answered.
///
/// # Errors
/// [`NotGranted`]: there is no token in it.
pub fn read(status: u16, body: &str) -> Result<Granted, NotGranted> {
    if status == 429 || status >= 500 {
        return Err(NotGranted::Later { status });
    }
    let strange = |why| NotGranted::NotAnEndpoint { status, why };
    if (300..400).contains(&status) {
        return Err(strange("a redirect, and those are not followed"));
    }
    let answer: Answer = serde_json::from_str(body).map_err(|_| strange("no JSON of RFC 6749"))?;
    if let Some(error) = answer.error {
        let code = shown(&error).unwrap_or("unknown error").to_owned();
        return Err(match code.as_str() {
            "temporarily_unavailable" | "server_error" | "slow_down" => NotGranted::Later { status },
            _ => NotGranted::Refused { code, vendor_code: answer.error_description.and_then(|text| aadsts(&text)) },
        });
    }
    let token = answer.access_token.filter(|token| is_token(token)).ok_or(strange("no access_token in it"))?;
    if answer.token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err(strange("a token of another type than Bearer"));
    }
    // Some servers write the number as text.
    let expires_in_s = answer.expires_in.and_then(|value| match value {
        serde_json::Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    });
    let refresh_token = answer.refresh_token.filter(|token| is_token(token)).map(Secret::new);
    Ok(Granted { access_token: Secret::new(token), expires_in_s, refresh_token })
}

/// VSCHAR (RFC 6749, appendix A): nothing that could end a line or a field of the login.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.len() <= TOKEN_BYTES_MAX && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
}

/// An error code, if it looks like one.
fn shown(code: &str) -> Option<&str> {
    let fits = !code.is_empty() && code.len() <= CODE_BYTES_MAX;
    (fits && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')).then_some(code)
}

/// Microsoft's number for what went wrong, out of its description.
fn aadsts(description: &str) -> Option<String> {
    const PREFIX: &str = "AADSTS";
    let (_, rest) = description.split_once(PREFIX)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).take(12).collect();
    (!digits.is_empty()).then(|| format!("{PREFIX}{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::secret::RESOLVED_KEY;
    use crate::pure::wire::settings::{SettingsProblem, read_kind};

    #[derive(Deserialize)]
    struct Table {
        oauth: OAuthSettings,
    }

    fn settings(text: &str) -> (OAuth, Vec<SettingsProblem>) {
        let text = text.replace("SECRET", &format!("{{ \"\\u0001{}\" = 's+/= e' }}", &RESOLVED_KEY[1..]));
        let (table, mut problems) = read_kind::<Table>(format!("oauth = {{ {text} }}").parse().unwrap()).unwrap();
        let oauth = table.oauth.read(&mut problems);
        (oauth, problems.into())
    }

    #[test]
    fn providers_are_known_and_requests_are_forms() {
        for (text, url, form) in [
            (
                "provider = 'microsoft', directory = 'contoso.example', client_id = 'app', client_secret = SECRET",
                "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token",
                "grant_type=client_credentials&client_id=app&client_secret=s%2B%2F%3D+e\
                 &scope=https%3A%2F%2Foutlook.office365.com%2F.default",
            ),
            (
                "provider = 'microsoft', directory = '0a-1b', client_id = 'app', refresh_token = SECRET",
                "https://login.microsoftonline.com/0a-1b/oauth2/v2.0/token",
                "grant_type=refresh_token&refresh_token=s%2B%2F%3D+e&client_id=app\
                 &scope=https%3A%2F%2Foutlook.office.com%2FIMAP.AccessAsUser.All+offline_access",
            ),
            (
                "provider = 'google', client_id = 'app', client_secret = SECRET, refresh_token = SECRET",
                "https://oauth2.googleapis.com/token",
                "grant_type=refresh_token&refresh_token=s%2B%2F%3D+e&client_id=app&client_secret=s%2B%2F%3D+e",
            ),
            (
                "token_url = 'https://id.example.fi/token', client_id = 'app', client_secret = SECRET, scope = 'imap'",
                "https://id.example.fi/token",
                "grant_type=client_credentials&client_id=app&client_secret=s%2B%2F%3D+e&scope=imap",
            ),
        ] {
            let (oauth, problems) = settings(text);
            assert_eq!(problems, [], "{text}");
            let token = match &oauth.grant {
                Grant::RefreshToken(token) => Some(token),
                Grant::ClientCredentials => None,
            };
            assert_eq!((oauth.token_url.as_str(), oauth.form(token)), (url, form.as_bytes().to_vec()), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_below_the_table() {
        for (text, keys) in [
            ("client_id = 'a', client_secret = SECRET", &["oauth.token_url"][..]),
            ("client_id = '', token_url = 'https://x.example/'", &["oauth.client_id", "oauth.client_secret"]),
            ("client_id = 'a', client_secret = SECRET, token_url = 'http://x.example/'", &["oauth.token_url"]),
            ("client_id = 'a', client_secret = SECRET, token_url = 'http://127.0.0.1:1/'", &[]),
            ("client_id = 'a', client_secret = SECRET, provider = 'microsoft'", &["oauth.directory"]),
            (
                "client_id = 'a', client_secret = SECRET, provider = 'microsoft', directory = 'a/b'",
                &["oauth.directory"],
            ),
            ("client_id = 'a', client_secret = SECRET, provider = 'google'", &["oauth.refresh_token"]),
            (
                "client_id = 'a', refresh_token = SECRET, provider = 'google', directory = 'x', token_url = 'x'",
                &["oauth.directory", "oauth.token_url"],
            ),
            (
                "client_id = 'a', client_secret = 'plain', provider = 'yahoo'",
                &["oauth.client_secret", "oauth.provider"],
            ),
        ] {
            let (_, problems) = settings(text);
            let mut found: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
            found.sort_unstable();
            assert!(
                keys.iter().all(|key| found.contains(key)) && (keys.is_empty() == found.is_empty()),
                "{text}: {problems:?}"
            );
        }
    }

    #[test]
    fn answers_are_read_and_refusals_say_what_to_do() {
        // The examples of RFC 6749, 5.1 and 5.2; what Microsoft and Google document.
        let granted = "{\"access_token\":\"2YotnFZFEjr1zCsicMWpAA\",\"token_type\":\"Bearer\",\"expires_in\":3600,\
                       \"refresh_token\":\"tGzv3JOkF0XG5Qx2TlKWIA\",\"example_parameter\":\"example_value\"}";
        let answer = read(200, granted).unwrap();
        assert_eq!(answer.access_token.expose(), "2YotnFZFEjr1zCsicMWpAA");
        assert_eq!(
            (answer.expires_in_s, answer.refresh_token.unwrap().expose()),
            (Some(3600), "tGzv3JOkF0XG5Qx2TlKWIA")
        );
        assert!(!format!("{:?}", read(200, granted)).contains("2Yotn"));
        assert_eq!(read(200, "{\"access_token\":\"a\",\"expires_in\":\"3599\"}").unwrap().expires_in_s, Some(3599));
        for (status, body, said) in [
            (400, "{\"error\":\"invalid_request\"}", "(invalid_request)"),
            (
                400,
                "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS700082: The refresh token of anna@x.fi expired\"}",
                "(invalid_grant, AADSTS700082): the refresh token has expired",
            ),
            (
                400,
                "{\"error\":\"invalid_grant\",\"error_description\":\"Token has been expired or revoked.\"}",
                "Give the program access anew",
            ),
            (401, "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: …\"}", "AADSTS7000215"),
            (400, "{\"error\":\"anna@x.fi <b>\"}", "(unknown error)"),
            (400, "{\"error\":\"temporarily_unavailable\"}", "it is asked again"),
            (503, "<html>", "answers 503"),
            (302, "", "a redirect"),
            (200, "<html>", "no JSON"),
            (404, "{}", "no access_token"),
            (200, "{\"access_token\":\"a\\r\\nb\"}", "no access_token"),
            (200, "{\"access_token\":\"a\",\"token_type\":\"mac\"}", "another type"),
        ] {
            let error = read(status, body).unwrap_err().to_string();
            assert!(error.contains(said) && !error.contains("anna"), "{body}: {error}");
        }
    }
}
