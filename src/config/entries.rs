//! `[channels.*]` and `[mirrors.*]`: what all have in common is read here, the rest by the kind.

use super::problem::Report;
use super::sections::{ChannelWindows, Sections};
use super::values;
use super::{ChannelSettings, MirrorSettings};
use crate::pure::channels::{self, Intake, Setup};
use crate::pure::mirrors;
use crate::pure::wire::settings::{self, MISSING, SettingsProblem, nearest, unknown_key, unknown_word};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use toml::{Table, Value};

/// The tenant of what names none.
const TENANT: &str = "main";

/// What every channel and mirror may say of itself, beside its kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Common {
    #[serde(default = "main_tenant", deserialize_with = "values::tenant")]
    tenant: String,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    windows: ChannelWindows,
}

fn main_tenant() -> String {
    TENANT.to_owned()
}

fn yes() -> bool {
    true
}

/// Makes the channels. `sections` are the defaults where the rest of the file is wrong.
pub(super) fn channels(
    entries: Option<Value>,
    sections: &Sections,
    report: &mut Report,
) -> BTreeMap<String, ChannelSettings> {
    let known: Vec<&str> = channels::KINDS.iter().map(|kind| kind.name).collect();
    let mut channels = BTreeMap::new();
    for (name, mut table) in tables("channels", entries, report) {
        let path = format!("channels.{name}");
        let common = common(&path, &mut table, &["tenant", "enabled", "windows"], report);
        let Some(kind) = kind_of(&path, &mut table, &known, report).and_then(|kind| channels::kind(&kind)) else {
            continue;
        };
        let setup = Setup { name: &name, region: &sections.defaults.region, time_zone: &sections.defaults.time_zone };
        match ((kind.build)(&setup, table), common) {
            (Ok(built), Some(common)) => {
                let windows = common.windows.over(sections.windows.policy());
                let Common { tenant, enabled, .. } = common;
                channels.insert(name, ChannelSettings { kind: kind.name, tenant, enabled, windows, built });
            }
            (Ok(_), None) => {}
            (Err(problems), _) => refer(&path, problems, report),
        }
    }
    refuse_shared_sources(&channels, report);
    channels
}

/// Makes the mirrors.
pub(super) fn mirrors(entries: Option<Value>, report: &mut Report) -> BTreeMap<String, MirrorSettings> {
    let known: Vec<&str> = mirrors::KINDS.iter().map(|kind| kind.name).collect();
    let mut mirrors = BTreeMap::new();
    for (name, mut table) in tables("mirrors", entries, report) {
        let path = format!("mirrors.{name}");
        let common = common(&path, &mut table, &["tenant", "enabled"], report);
        let Some(kind) = kind_of(&path, &mut table, &known, report).and_then(|kind| mirrors::kind(&kind)) else {
            continue;
        };
        match ((kind.build)(&name, table), common) {
            (Ok(mirror), Some(Common { tenant, enabled, .. })) => {
                mirrors.insert(name, MirrorSettings { kind: kind.name, tenant, enabled, mirror });
            }
            (Ok(_), None) => {}
            (Err(problems), _) => refer(&path, problems, report),
        }
    }
    mirrors
}

/// The entries of a section, those with a fit name and of a fit type.
fn tables(section: &str, entries: Option<Value>, report: &mut Report) -> Vec<(String, Table)> {
    let entries = match entries {
        Some(Value::Table(entries)) => entries,
        Some(_) => {
            report.error(section, format!("a table is wanted here: write [{section}.NAME]"));
            return Vec::new();
        }
        None => return Vec::new(),
    };
    let mut tables = Vec::new();
    for (name, entry) in entries {
        let path = format!("{section}.{name}");
        match (values::check_name(&name), entry) {
            (Ok(()), Value::Table(table)) => tables.push((name, table)),
            (Ok(()), _) => report.error(path, format!("a table is wanted here: write [{section}.{name}]")),
            (Err(message), _) => report.error(path, message),
        }
    }
    tables
}

/// Takes out and reads the keys that all have.
fn common(path: &str, table: &mut Table, keys: &[&str], report: &mut Report) -> Option<Common> {
    let taken: Table = keys.iter().filter_map(|key| Some(((*key).to_owned(), table.remove(*key)?))).collect();
    let (common, problems) = settings::read(taken, &[], &Table::new());
    refer(path, problems, report);
    common
}

/// Takes out the kind. A kind that is missing, misspelt or unknown is reported, and its table not read.
fn kind_of(path: &str, table: &mut Table, known: &[&str], report: &mut Report) -> Option<String> {
    match table.remove("kind") {
        Some(Value::String(kind)) if known.contains(&kind.as_str()) => return Some(kind),
        Some(Value::String(kind)) => report.error(format!("{path}.kind"), unknown_word(&kind, known)),
        Some(_) => report.error(format!("{path}.kind"), "text in quotes is wanted here"),
        None => match table.keys().find(|key| nearest(key, ["kind"]).is_some()) {
            Some(key) => report.error(format!("{path}.{key}"), unknown_key(key, &["kind"])),
            None => report.error(format!("{path}.kind"), format!("{MISSING}; one of: {}", known.join(", "))),
        },
    }
    None
}

/// Hands on what a kind found, but for what follows from a secret that could not be read.
pub(super) fn refer(path: &str, problems: Vec<SettingsProblem>, report: &mut Report) {
    for SettingsProblem { key, message } in problems {
        let key = match (path, key.as_str()) {
            ("", key) | (key, "") => key.to_owned(),
            (path, key) => format!("{path}.{key}"),
        };
        if !report.blames(&key) {
            report.error(key, message);
        }
    }
}

/// Two channels at one source would each take half of what comes, or everything twice.
fn refuse_shared_sources(channels: &BTreeMap<String, ChannelSettings>, report: &mut Report) {
    let mut first: BTreeMap<String, &str> = BTreeMap::new();
    for (name, channel) in channels.iter().filter(|(_, channel)| channel.enabled) {
        let mut shared = BTreeSet::new();
        for (source, said) in sources(&channel.built.intake) {
            match first.get(&source) {
                Some(other) => shared.insert((*other, said)),
                None => first.insert(source, name).is_some(),
            };
        }
        for (other, said) in shared {
            report.error(
                format!("channels.{name}"),
                format!("channels.{other} reads {said} already: one of them must go"),
            );
        }
    }
}

/// What a channel reads, as a key that is equal for one source, and as people say it.
fn sources(intake: &Intake) -> Vec<(String, String)> {
    let file = |path: &Path| path.components().collect::<std::path::PathBuf>().display().to_string();
    match intake {
        Intake::Webhook => Vec::new(),
        Intake::Imap(imap) => {
            // INBOX alone is known by any case (RFC 9051, 5.1).
            let folder =
                |name: &String| if name.eq_ignore_ascii_case("inbox") { "INBOX".to_owned() } else { name.clone() };
            let (host, user) = (imap.host.to_lowercase(), imap.user.to_lowercase());
            let folders = imap.folders.iter().map(folder);
            folders
                .map(|f| (format!("imap {host}:{} {user} {f}", imap.port), format!("the folder {f} of that mailbox")))
                .collect()
        }
        Intake::Tail(tail) => vec![(format!("file {}", file(&tail.path)), format!("the file {}", tail.path.display()))],
        Intake::Drop(drop) => {
            vec![(format!("file {}", file(&drop.path)), format!("the directory {}", drop.path.display()))]
        }
    }
}
