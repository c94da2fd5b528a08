//! What taking in for one channel needs, and nothing else: `lanka mail` runs as a user who may not be allowed to read
//! other channels' secrets, and a mail is not to wait for somebody who mends another section.

use super::problem::{Problem, Report};
use super::sections::{Content, Database};
use super::{ChannelSettings, Environment, Sections, entries, layers, secrets};
use crate::pure::channels::{self, Kind};
use crate::pure::wire::settings::{is_at_or_below, read};
use std::path::PathBuf;
use toml::{Table, Value};

/// The sections that are read. What stands elsewhere is not even looked at.
const SECTIONS: [&str; 3] = ["data_dir", "database", "content"];

/// The way in for one channel, up to the commit.
pub struct Entrance {
    /// Where the private Postgres is.
    pub data_dir: PathBuf,
    /// `[database]`
    pub database: Database,
    /// Where what is too large for the database is kept.
    pub content_dir: PathBuf,
    /// The channel's kind, if there is a channel of that name.
    pub kind: Option<&'static Kind>,
    /// The channel. `None` also where a secret that is not there makes none.
    pub channel: Option<ChannelSettings>,
}

impl Entrance {
    /// Reads what concerns the channel `name`, from where [`Settings::load`](super::Settings::load) reads all.
    /// The channel's own secrets may be missing: they are for fetching and for webhooks.
    ///
    /// # Errors
    /// Every problem that stands in the way, and those that leave open whether one does: a file that
    /// cannot be read or is not TOML.
    pub fn load(paths: &[PathBuf], environment: &Environment, name: &str) -> Result<Self, Vec<Problem>> {
        let mut report = Report::default();
        let mut tree = layers::load(paths, environment, &mut report);
        let own = format!("channels.{name}");
        let mut entry = tree.remove("channels").and_then(|channels| channels.get(name).cloned());
        if let Some(entry) = &mut entry {
            secrets::resolve_value(entry, &own, false, environment, &mut report);
        }
        let kind = entry.as_ref().and_then(|entry| channels::kind(entry.get("kind")?.as_str()?));
        let entries = Table::from_iter(entry.map(|entry| (name.to_owned(), entry)));
        tree.retain(|key, _| SECTIONS.contains(&key));
        secrets::resolve(&mut tree, environment, &mut report);
        let defaults: Table = layers::built_in();
        for (key, value) in defaults.iter().filter(|(key, _)| !["channels", "mirrors"].contains(&key.as_str())) {
            tree.entry(key.clone()).or_insert_with(|| value.clone());
        }
        let (sections, problems) = read::<Sections>(tree, &[], &defaults);
        entries::refer("", problems, &mut report);
        let channel = sections
            .as_ref()
            .and_then(|sections| entries::channels(Some(Value::Table(entries)), sections, &mut report).remove(name));
        let concerns = |problem: &Problem| {
            let at = |key: &str| is_at_or_below(&problem.key, key) || is_at_or_below(key, &problem.key);
            problem.key.is_empty() || SECTIONS.iter().copied().chain([own.as_str()]).any(at)
        };
        let problems: Vec<Problem> =
            report.finish().into_iter().filter(|problem| problem.is_error() && concerns(problem)).collect();
        match sections {
            Some(Sections { data_dir, database, content: Content { dir, .. }, .. }) if problems.is_empty() => {
                let content_dir = dir.unwrap_or_else(|| data_dir.join("content"));
                Ok(Self { data_dir, database, content_dir, kind, channel })
            }
            _ => Err(problems),
        }
    }
}
