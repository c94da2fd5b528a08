//! `lanka token`: who may use the API.

use super::output::{Output, ago, clock};
use super::{Bench, Failure};
use crate::config::parse_duration;
use crate::pure::domain::Timestamp;
use crate::pure::wire::settings::unknown_word;
use crate::shell::api::new_token;
use crate::shell::hands::BY_CHARS_MAX;
use crate::shell::store::api_token::{ApiToken, NewApiToken, Scope};
use serde::Serialize;
use std::collections::BTreeSet;
use std::time::Duration;

/// The firm of those who serve one.
const TENANT: &str = "main";

#[derive(Debug, clap::Subcommand)]
pub(super) enum Token {
    /// Make one. It is printed this once, and kept nowhere.
    Create {
        /// What it is called: who acts with it, in the journals.
        #[arg(long, value_parser = name)]
        name: String,
        /// What it may do (repeatable): read, contacts, tickets, review (`write` is these three), replies, privacy.
        #[arg(long = "scope", required = true, value_delimiter = ',')]
        #[arg(value_parser = ["read", "write", "contacts", "tickets", "review", "replies", "privacy"])]
        scopes: Vec<String>,
        /// The firm whose customers it may see.
        #[arg(long, value_name = "NAME", default_value = TENANT)]
        tenant: String,
        /// How long it is good, as `90d` or `1y`; else until it is revoked.
        #[arg(long, value_name = "TIME", value_parser = parse_duration)]
        expires: Option<Duration>,
    },
    /// Those there are, and when each was last used.
    List {
        /// Also those that were revoked.
        #[arg(long)]
        all: bool,
    },
    /// Let one be good no more, from now on.
    Revoke {
        /// Its name.
        name: String,
    },
}

/// A new token, for programs.
#[derive(Serialize)]
struct Made<'a> {
    name: &'a str,
    tenant: &'a str,
    scopes: &'a [Scope],
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    token: &'a str,
}

fn name(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("name what uses it".to_owned()),
        name if name.chars().count() > BY_CHARS_MAX => Err(format!("at most {BY_CHARS_MAX} characters")),
        name if name.chars().any(char::is_control) => Err("no control characters".to_owned()),
        name => Ok(name.to_owned()),
    }
}

impl Token {
    /// Whether it does more than read.
    pub(super) fn changes(&self) -> bool {
        !matches!(self, Self::List { .. })
    }

    pub(super) async fn run(self, bench: Bench, output: &mut Output) -> Result<(), Failure> {
        bench
            .with(async |settings, deployment| {
                let (store, now) = (&deployment.store, Timestamp::now());
                match self {
                    Self::Create { name, scopes, tenant, expires } => {
                        let tenants = settings.tenants();
                        if tenant != TENANT && !tenants.contains(&tenant) {
                            let known: Vec<&str> = tenants.iter().map(String::as_str).collect();
                            return Err(Failure::Failed(format!("the tenant {}", unknown_word(&tenant, &known))));
                        }
                        let scopes = scopes_of(&scopes);
                        let expires_at = expires.map(|expires| ends(now, expires)).transpose()?;
                        let (token, hash) = new_token()
                            .map_err(|error| Failure::Failed(format!("the system gives no random bits: {error}")))?;
                        let new = NewApiToken { name: &name, tenant: &tenant, scopes: &scopes, hash, expires_at };
                        if !store.create_api_token(&new, now).await? {
                            return Err(Failure::Failed(format!(
                                "there is a token {name} already: `lanka token revoke` it first, or take another name"
                            )));
                        }
                        let made = Made { name: &name, tenant: &tenant, scopes: &scopes, expires_at, token: &token };
                        if output.is_json() {
                            return output.json(&made);
                        }
                        // Alone on standard output, so that a script has the token and nothing else.
                        eprintln!("this token is shown once and kept nowhere; send it as `Authorization: Bearer …`");
                        output.text(&token)
                    }
                    Self::List { all } => {
                        let tokens = store.api_tokens(all).await?;
                        let cells = |token: &ApiToken| cells(token, now, &settings.defaults.time_zone);
                        let header = ["name", "tenant", "scopes", "made", "expires", "last used"];
                        output.rows(&header, &tokens, cells, "there are no tokens: `lanka token create` makes one")
                    }
                    Self::Revoke { name } => match store.revoke_api_token(&name, now).await? {
                        true => output.text(&format!("the token {name} is good no more")),
                        false => Err(Failure::Failed(format!(
                            "there is no token {name} that is good; `lanka token list` shows those there are"
                        ))),
                    },
                }
            })
            .await
    }
}

/// The scopes of words, each once.
fn scopes_of(words: &[String]) -> Vec<Scope> {
    let mut scopes = BTreeSet::new();
    for word in words {
        match word.as_str() {
            "write" => scopes.extend(Scope::WRITE),
            word => scopes.extend(Scope::ALL.into_iter().filter(|scope| scope.word() == word)),
        }
    }
    scopes.into_iter().collect()
}

fn ends(now: Timestamp, expires: Duration) -> Result<Timestamp, Failure> {
    now.checked_add(expires).map_err(|_| Failure::Usage("--expires is further than there is a calendar".to_owned()))
}

fn cells(token: &ApiToken, now: Timestamp, zone: &jiff::tz::TimeZone) -> Vec<String> {
    let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.word()).collect();
    let expires = match (token.revoked_at, token.expires_at) {
        (Some(at), _) => format!("revoked {}", clock(at, zone)),
        (None, Some(at)) if token.is_expired(now) => format!("expired {}", clock(at, zone)),
        (None, Some(at)) => clock(at, zone),
        (None, None) => "never".to_owned(),
    };
    let used = token.last_used_at.map_or_else(|| "never".to_owned(), |at| format!("{} ago", ago(at, now)));
    vec![token.name.clone(), token.tenant.clone(), scopes.join(", "), clock(token.created_at, zone), expires, used]
}
