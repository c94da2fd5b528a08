//! Access tokens for mailboxes: asked for, kept until shortly before they expire, asked for anew when refused.
//!
//! A token endpoint may replace the refresh token at each use, and then takes the old one no more. The
//! new one is kept in `data_dir/tokens/CHANNEL.json` (0600), beside a hash of the configured one it
//! descends from: once somebody configures another token, the kept one is of no account.
//!
//! **Invariants:** a new refresh token is durable before the access token that came with it is used. No
//! token is logged or shown. Requests go where [`HttpCarrier`] lets them go, within [`ANSWER_MAX`].

use crate::pure::domain::secret::Secret;
use crate::pure::wire::oauth::{self, Grant, NotGranted, OAuth};
use crate::pure::wire::step::Outgoing;
use crate::shell::carriers::http::{CarrierError, HttpCarrier};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Longest time a token endpoint may take.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// Most of an answer that is read, bytes. Microsoft's have about 4 KB.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// How long before its end a token is used no more: a login and its first commands take seconds.
const MARGIN: Duration = Duration::from_secs(300);

/// How long a token is used whose server does not say how long it is good.
const GOOD_FOR_UNSAID: Duration = Duration::from_secs(300);

/// Longest time a token is used, whatever its server says.
const GOOD_FOR_MAX: Duration = Duration::from_secs(24 * 3600);

/// The directory of refresh tokens, under `data_dir`.
const DIR: &str = "tokens";

/// Why there is no access token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The token endpoint cannot be asked.
    #[error("no answer from the token endpoint: {0}")]
    Unreachable(#[from] CarrierError),
    /// It gives none.
    #[error(transparent)]
    NotGranted(#[from] NotGranted),
}

impl TokenError {
    /// The stable code for metrics and alerts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) | Self::NotGranted(NotGranted::Later { .. }) => "token_unreachable",
            Self::NotGranted(_) => "token_refused",
        }
    }
}

/// Access tokens by channel. Clones are one.
#[derive(Clone)]
pub struct Tokens {
    carrier: HttpCarrier,
    dir: PathBuf,
    held: Arc<Mutex<HashMap<String, Held>>>,
}

/// A token to log in with.
#[derive(Debug)]
pub struct Access {
    /// It.
    pub token: Secret,
    /// It was asked for just now, so that asking again gives no better one.
    pub is_new: bool,
}

/// An access token in use.
struct Held {
    token: Secret,
    until: Instant,
}

/// A refresh token that replaced the configured one.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// SHA-256 of the configured token, in hexadecimal.
    configured: String,
    refresh_token: String,
}

impl Tokens {
    /// Tokens asked for through a carrier, refresh tokens kept under `data_dir`.
    pub fn new(carrier: HttpCarrier, data_dir: &Path) -> Self {
        Self { carrier, dir: data_dir.join(DIR), held: Arc::default() }
    }

    /// A token for a channel: the one in use while it is good, else a new one.
    ///
    /// # Errors
    /// [`TokenError`]: there is none; it says what to do.
    pub async fn access(&self, channel: &str, oauth: &OAuth) -> Result<Access, TokenError> {
        if let Some(token) = self.in_use(channel) {
            return Ok(Access { token, is_new: false });
        }
        let refresh_token = match &oauth.grant {
            Grant::ClientCredentials => None,
            Grant::RefreshToken(configured) => Some(self.latest(channel, configured)),
        };
        let outgoing = Outgoing {
            url: oauth.token_url.clone(),
            method: "POST",
            headers: vec![
                ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
                ("accept".to_owned(), "application/json".to_owned()),
            ],
            body: oauth.form(refresh_token.as_ref()),
            timeout: ANSWER_MAX,
        };
        let reply = self.carrier.send_for(outgoing, ANSWER_BYTES_MAX).await?;
        let granted = oauth::read(reply.status, &reply.body)?;
        if let (Grant::RefreshToken(configured), Some(new)) = (&oauth.grant, granted.refresh_token)
            && refresh_token.is_none_or(|before| before.expose() != new.expose())
        {
            self.keep(channel, configured, new).await;
        }
        let good_for = granted.expires_in_s.map_or(GOOD_FOR_UNSAID, good_for);
        let held = Held { token: granted.access_token.clone(), until: Instant::now() + good_for };
        self.lock().insert(channel.to_owned(), held);
        Ok(Access { token: granted.access_token, is_new: true })
    }

    /// A mail server refused the token: the next time a new one is asked for.
    pub fn refused(&self, channel: &str) {
        self.lock().remove(channel);
    }

    fn in_use(&self, channel: &str) -> Option<Secret> {
        self.lock().get(channel).filter(|held| held.until > Instant::now()).map(|held| held.token.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, channel: &str) -> PathBuf {
        self.dir.join(format!("{channel}.json"))
    }

    /// The refresh token that counts: the kept one if it descends from the configured one.
    fn latest(&self, channel: &str, configured: &Secret) -> Secret {
        let kept = std::fs::read(self.path(channel)).ok();
        let kept = kept.and_then(|bytes| serde_json::from_slice::<Kept>(&bytes).ok());
        match kept.filter(|kept| kept.configured == hash(configured)) {
            Some(kept) => Secret::new(kept.refresh_token),
            None => configured.clone(),
        }
    }

    async fn keep(&self, channel: &str, configured: &Secret, new: Secret) {
        let (dir, path) = (self.dir.clone(), self.path(channel));
        let kept = Kept { configured: hash(configured), refresh_token: new.expose().to_owned() };
        let written = tokio::task::spawn_blocking(move || write(&dir, &path, &kept)).await;
        let why = match written {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        tracing::warn!(
            code = "token_not_kept",
            channel.name = channel,
            why,
            "channel {channel}: a new refresh token could not be kept under data_dir/tokens; after a restart the login may fail"
        );
    }
}

/// For how long a token is used of which the server says how long it is good.
fn good_for(expires_in_s: u64) -> Duration {
    let said = Duration::from_secs(expires_in_s).min(GOOD_FOR_MAX);
    // A token that is only good for minutes is used for half of them.
    said.saturating_sub(MARGIN).max(said / 2)
}

fn hash(token: &Secret) -> String {
    hex::encode(Sha256::digest(token.expose().as_bytes()))
}

/// Writes the file whole or not at all. Root writes it for whoever `data_dir` belongs to.
fn write(dir: &Path, path: &Path, kept: &Kept) -> std::io::Result<()> {
    let owner = std::fs::metadata(dir.parent().unwrap_or(dir))?;
    let give = |path: &Path| match rustix::process::geteuid().is_root() && owner.uid() != 0 {
        true => chown(path, Some(owner.uid()), Some(owner.gid())),
        false => Ok(()),
    };
    if !dir.exists() {
        std::fs::DirBuilder::new().mode(0o700).create(dir)?;
        give(dir)?;
    }
    let draft = path.with_extension(format!("{}.draft", std::process::id()));
    // One left by a crash might have another mode.
    let _ = std::fs::remove_file(&draft);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(&serde_json::to_vec(kept)?)?;
    give(&draft)?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    std::fs::File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_given_up_before_they_end() {
        for (expires_in_s, used_s) in [(3600, 3300), (600, 300), (60, 30), (0, 0), (u64::MAX, 86_100)] {
            assert_eq!(good_for(expires_in_s), Duration::from_secs(used_s), "{expires_in_s}");
        }
    }
}
