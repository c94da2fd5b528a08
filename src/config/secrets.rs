//! Secrets: read from the environment or a file, never from the configuration itself; and the
//! daemon's own keys.
//!
//! **Invariant:** a secret's value is in no message, and leaves here only inside a
//! [`Secret`](crate::pure::domain::secret::Secret).

use super::layers::{Environment, text_of};
use super::problem::Report;
use crate::pure::domain::secret::{RESOLVED_KEY, Secret};
use hmac::{Hmac, KeyInit, Mac};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Opens a folded secret, which is text; TOML text that begins so is refused.
const MARK: char = '\u{1}';
/// Longest secret, in bytes. The longest in use are private keys of some KiB.
const SECRET_BYTES_MAX: u64 = 64 * 1024;
/// Shortest key of the daemon, in characters: 128 bits in hexadecimal.
const KEY_CHARS_MIN: usize = 32;
/// Length of a key that the daemon makes, in bytes: as long as what HMAC-SHA256 gives.
const KEY_BYTES: usize = 32;
/// Name of the key that the daemon makes, under `data_dir`.
const KEY_FILE: &str = "lanka.key";

/// Turns every `{ env = "NAME" }` and `{ file = "PATH" }` into one value, so that a later layer
/// replaces it whole. `directory` is where relative paths are looked up.
pub(super) fn fold(table: &mut Table, directory: &Path) {
    for (key, value) in table.iter_mut() {
        // The keys of the daemon stand beside their id.
        let keys = (key == "security").then(|| value.get_mut("keys").and_then(Value::as_array_mut)).flatten();
        for entry in keys.into_iter().flatten().filter_map(Value::as_table_mut) {
            for place in ["env", "file"] {
                if let Some(text) = entry.get_mut(place).filter(|v| v.as_str().is_some_and(|t| !t.starts_with(MARK))) {
                    *text = folded(place, text.as_str().unwrap_or_default(), directory);
                }
            }
        }
        match value {
            // A section is never a secret itself, even if it holds but one key: `[matters]` may hold
            // a pattern called `file`.
            Value::Table(section) => section.iter_mut().for_each(|(_, value)| fold_value(value, directory)),
            other => fold_value(other, directory),
        }
    }
}

fn fold_value(value: &mut Value, directory: &Path) {
    match value {
        Value::Table(table) => {
            let single = (table.len() == 1).then(|| table.iter().next()).flatten();
            match single.map(|(key, value)| (key.as_str(), value)) {
                Some((place @ ("env" | "file"), Value::String(text))) if !text.starts_with(MARK) => {
                    *value = folded(place, text, directory);
                }
                _ => table.iter_mut().for_each(|(_, value)| fold_value(value, directory)),
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| fold_value(element, directory)),
        _ => {}
    }
}

fn folded(place: &str, text: &str, directory: &Path) -> Value {
    Value::String(format!("{MARK}{place}{MARK}{}{MARK}{text}", directory.display()))
}

/// Takes out what only this module may write.
pub(super) fn refuse_folded(table: &mut Table, above: &str, report: &mut Report) {
    let path = |key: &str| if above.is_empty() { key.to_owned() } else { format!("{above}.{key}") };
    let bad = |key: &str, value: &Value| key.contains(MARK) || value.as_str().is_some_and(|text| text.contains(MARK));
    let gone: Vec<String> = table.iter().filter(|(key, value)| bad(key, value)).map(|(key, _)| key.clone()).collect();
    for key in gone {
        table.remove(&key);
        report.error(path(&key.replace(MARK, "")), "holds a control character");
    }
    for (key, value) in table.iter_mut() {
        if let Value::Table(inner) = value {
            refuse_folded(inner, &path(key), report);
        }
    }
}

/// The form that [`Secret`] is read from.
pub(super) fn resolved(value: &str) -> Value {
    Value::Table(Table::from_iter([(RESOLVED_KEY.to_owned(), Value::from(value))]))
}

/// What stands for a secret that is not there: random, so that nothing can be signed with it.
pub(super) fn stand_in() -> Value {
    resolved(&random_hex().unwrap_or_default())
}

/// Reads every folded secret of the tree into its place. A secret that cannot be read is reported
/// and stands as random text, so that the rest can be checked and nothing can be signed with it.
pub(super) fn resolve(tree: &mut Table, environment: &Environment, report: &mut Report) {
    let idle = |entry: &Value| entry.get("enabled").and_then(Value::as_bool) == Some(false);
    for (section, value) in tree.iter_mut() {
        match value {
            // What is switched off is checked too, but its secrets may be gone.
            Value::Table(entries) if section == "channels" || section == "mirrors" => {
                for (name, entry) in entries.iter_mut() {
                    let needed = !idle(entry);
                    resolve_value(entry, &format!("{section}.{name}"), needed, environment, report);
                }
            }
            _ => resolve_value(value, section, true, environment, report),
        }
    }
}

/// Reads the folded secrets of one value. What is not `needed` may be missing.
pub(super) fn resolve_value(
    value: &mut Value,
    path: &str,
    needed: bool,
    environment: &Environment,
    report: &mut Report,
) {
    match value {
        Value::Table(table) => {
            for (key, value) in table.iter_mut() {
                resolve_value(value, &format!("{path}.{key}"), needed, environment, report);
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter_mut().enumerate() {
                resolve_value(element, &format!("{path}.{index}"), needed, environment, report);
            }
        }
        Value::String(text) if text.starts_with(MARK) => {
            let secret = match read(text, path, environment, report) {
                Ok(secret) => secret,
                Err(message) => {
                    match needed {
                        true => report.error(path, message),
                        false => report.excuse(path),
                    }
                    random_hex().unwrap_or_default()
                }
            };
            *value = resolved(&secret);
        }
        _ => {}
    }
}

/// Reads one folded secret; the error says which variable or file is meant.
fn read(folded: &str, path: &str, environment: &Environment, report: &mut Report) -> Result<String, String> {
    let mut parts = folded.splitn(4, MARK).skip(1);
    let (place, directory, name) =
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if place == "env" {
        let value = environment.get(name).ok_or_else(|| format!("the environment variable {name} is not set"))?;
        return if value.is_empty() {
            Err(format!("the environment variable {name} is empty"))
        } else {
            Ok(value.to_owned())
        };
    }
    let candidates = places(name, directory, environment);
    if name.is_empty() {
        return Err("{ file = \"\" } names no file".to_owned());
    }
    if candidates.is_empty() {
        return Err(format!("a variable lies in no directory to look up {name} in: write the whole path"));
    }
    let file = candidates.iter().find(|file| file.exists()).or(candidates.last()).cloned().unwrap_or_default();
    let looked: Vec<String> = candidates.iter().map(|file| file.display().to_string()).collect();
    let text =
        std::fs::File::open(&file).and_then(|f| text_of(f, SECRET_BYTES_MAX)).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => format!("there is no file {}", looked.join(" nor ")),
            _ => format!("cannot read the file {}: {error}", file.display()),
        })?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(format!("the file {} is empty", file.display()));
    }
    if file.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0) {
        report.warning(path, format!("everybody on this machine can read {}: chmod 600 it", file.display()));
    }
    Ok(text.to_owned())
}

/// Where a secret's file may be: systemd's credentials first, else beside the configuration file.
fn places(name: &str, directory: &str, environment: &Environment) -> Vec<PathBuf> {
    if Path::new(name).is_absolute() {
        return vec![PathBuf::from(name)];
    }
    let credentials =
        environment.get("CREDENTIALS_DIRECTORY").filter(|d| !d.is_empty()).map(|d| Path::new(d).join(name));
    let beside = Some(directory).filter(|d| !d.is_empty()).map(|d| Path::new(d).join(name));
    credentials.into_iter().chain(beside).collect()
}

/// One key of `[security]`.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Its name, kept with what was made with it.
    pub id: String,
    /// The key itself: at least 32 characters, taken as they are.
    #[serde(rename = "file", alias = "env")]
    pub secret: Secret,
}

impl Key {
    /// Whether it is long enough; the error is the sentence for people.
    pub(super) fn check(&self) -> Result<(), String> {
        match self.secret.expose().chars().count() {
            KEY_CHARS_MIN.. => Ok(()),
            chars => Err(format!(
                "the key has {chars} characters and needs {KEY_CHARS_MIN}: make one with `openssl rand -hex 32`"
            )),
        }
    }
}

/// The daemon's own keys, at least one. The first signs, all verify; none is used itself, but subkeys
/// derived from it for each purpose, so that what one part gives away is worth nothing to another.
#[derive(Debug, Clone)]
pub struct Keys {
    first: Key,
    older: Vec<Key>,
}

impl Keys {
    pub(super) fn of(keys: &[Key]) -> Option<Self> {
        let (first, older) = keys.split_first()?;
        Some(Self { first: first.clone(), older: older.to_vec() })
    }

    /// The id of the key that signs.
    pub fn signing_id(&self) -> &str {
        &self.first.id
    }

    /// The subkey that signs and seals for a purpose (`"fact"`, `"reply-token"`).
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        subkey(&self.first, purpose)
    }

    /// The subkeys that verify and open for a purpose, with the ids of their keys, the signing one first.
    pub fn derive_all(&self, purpose: &str) -> Vec<(&str, [u8; 32])> {
        std::iter::once(&self.first).chain(&self.older).map(|key| (key.id.as_str(), subkey(key, purpose))).collect()
    }

    /// The subkey for hashes that are looked up again. It comes from the key listed last, the oldest:
    /// a new key put in front would otherwise make every stored hash unfindable.
    pub fn derive_lookup(&self, purpose: &str) -> [u8; 32] {
        subkey(self.older.last().unwrap_or(&self.first), purpose)
    }
}

/// HMAC-SHA256 of the purpose under the key.
fn subkey(key: &Key, purpose: &str) -> [u8; 32] {
    let bytes = key.secret.expose().as_bytes();
    // HMAC takes keys of any length: longer ones are hashed, shorter ones padded (RFC 2104, 2).
    let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(bytes) else {
        unreachable!("HMAC takes keys of any length")
    };
    mac.update(b"lanka subkey: ");
    mac.update(purpose.as_bytes());
    mac.finalize().into_bytes().into()
}

/// Why the daemon's own key could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file system refused.
    #[error("cannot read or make the key {path}: {source}")]
    File {
        /// The key's file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Somebody wrote something else there.
    #[error("{path}: {why}")]
    Unfit {
        /// The key's file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// Reads `data_dir/lanka.key`, or makes it: random, 0600, durable before it is named. Of two daemons
/// that make it at once, one wins and both use the same.
pub(super) fn key_under(data_dir: &Path) -> Result<Keys, KeyError> {
    let path = data_dir.join(KEY_FILE);
    let failed = |source| KeyError::File { path: path.clone(), source };
    if !path.exists() {
        make_key(data_dir, &path).map_err(failed)?;
    }
    read_key_under(data_dir)
}

/// Reads `data_dir/lanka.key`.
pub(super) fn read_key_under(data_dir: &Path) -> Result<Keys, KeyError> {
    let path = data_dir.join(KEY_FILE);
    let failed = |source| KeyError::File { path: path.clone(), source };
    let text = std::fs::File::open(&path).and_then(|f| text_of(f, SECRET_BYTES_MAX)).map_err(failed)?;
    let key = Key { id: "data-dir".to_owned(), secret: Secret::new(text.trim_end_matches(['\r', '\n'])) };
    key.check().map_err(|why| KeyError::Unfit { path: path.clone(), why })?;
    Ok(Keys { first: key, older: Vec::new() })
}

fn make_key(data_dir: &Path, path: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(data_dir)?;
    let draft = data_dir.join(format!("{KEY_FILE}.{}", std::process::id()));
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(random_hex()?.as_bytes())?;
    // Root makes it for whoever the directory belongs to: the daemon under its own user has to read it.
    let owner = std::fs::metadata(data_dir)?;
    if rustix::process::geteuid().is_root() && owner.uid() != 0 {
        fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
    }
    file.sync_all()?;
    // A link, unlike a rename, never replaces what another daemon made meanwhile.
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    std::fs::File::open(data_dir)?.sync_all()
}

/// 256 random bits of the system's, in hexadecimal: a key, or a token.
pub fn random_hex() -> std::io::Result<String> {
    let mut bytes = [0; KEY_BYTES];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(hex::encode(bytes))
}
