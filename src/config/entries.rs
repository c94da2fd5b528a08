//! `[channels.*]` and `[mirrors.*]`: what all have in common is read here, the rest by the kind.

use super::problem::Report;
use super::sections::{ChannelWindows, Sections};
use super::{ChannelSettings, MirrorSettings};
use super::{secrets, values};
use crate::pure::channels::{self, Built, Door, Intake, LmtpSource, Setup, Unfit};
use crate::pure::domain::notice::NoticeKind;
use crate::pure::mirrors;
use crate::pure::wire::settings::{self, MISSING, MISSING_SECRET, SettingsProblem, nearest, unknown_key, unknown_word};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
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
    #[serde(default)]
    notices: Option<Vec<NoticeKind>>,
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
    let mut intakes = BTreeMap::new();
    for (name, mut table) in tables("channels", entries, report) {
        let path = format!("channels.{name}");
        let common = common(&path, &mut table, &["tenant", "enabled", "windows", "notices"], report);
        let Some(kind) = kind_of(&path, &mut table, &known, report).and_then(|kind| channels::kind(&kind)) else {
            continue;
        };
        let setup = Setup { name: &name, region: &sections.defaults.region, time_zone: &sections.defaults.time_zone };
        let common = common.unwrap_or_default();
        let built = build(&path, table, common.enabled, report, |table| {
            (kind.build)(&setup, table).map_err(|Unfit { problems, intake }| (problems, intake))
        });
        let intake = match &built {
            Ok(Built { intake, .. }) => Some(intake.clone()),
            Err(intake) => intake.clone().map(|intake| *intake),
        };
        if let Some(intake) = intake {
            check_ca_file(&path, &intake, report);
            if common.enabled {
                intakes.insert(name.clone(), intake);
            }
        }
        if let Ok(built) = built {
            if common.enabled && built.channel.sample().is_some() && !sections.http.listen.ip().is_loopback() {
                let why = "a page to try things out with is for this machine only, and http.listen is not: \
                           listen on 127.0.0.1, or leave sample_page out";
                report.error_once(format!("{path}.sample_page"), why);
            }
            if let Some(lack) = built.channel.lacks().filter(|_| common.enabled) {
                report.warning(format!("{path}.{}", lack.key), lack.message);
            }
            let windows = common.windows.over(sections.windows.policy());
            let Common { tenant, enabled, notices, .. } = common;
            channels.insert(name, ChannelSettings { kind: kind.name, tenant, enabled, windows, notices, built });
        }
    }
    refuse_shared_sources(&intakes, report);
    channels
}

/// Makes the mirrors.
pub(super) fn mirrors(
    entries: Option<Value>,
    sections: &Sections,
    channels: &BTreeMap<String, ChannelSettings>,
    report: &mut Report,
) -> BTreeMap<String, MirrorSettings> {
    // What could not be read forbids nothing: one mistake is not two.
    let allow_private_addresses =
        sections.http.allow_private_addresses || report.touches("http.allow_private_addresses");
    let known: Vec<&str> = mirrors::KINDS.iter().map(|kind| kind.name).collect();
    let mut mirrors = BTreeMap::new();
    for (name, mut table) in tables("mirrors", entries, report) {
        let path = format!("mirrors.{name}");
        let common = common(&path, &mut table, &["tenant", "enabled"], report);
        let Some(kind) = kind_of(&path, &mut table, &known, report).and_then(|kind| mirrors::kind(&kind)) else {
            continue;
        };
        let Common { tenant, enabled, .. } = common.unwrap_or_default();
        let setup = mirrors::Setup { name: &name, allow_private_addresses };
        let built: Result<mirrors::Built, ()> = build(&path, table, enabled, report, |table| {
            (kind.build)(&setup, table).map_err(|problems| (problems, ()))
        });
        if let Ok(built) = built {
            if built.inbound.is_some() && channels.contains_key(&name) {
                let why = "a channel has this name, and what agents do in the tool comes in under it: choose another";
                report.error(path, why);
            }
            mirrors.insert(name, MirrorSettings { kind: kind.name, tenant, enabled, built });
        }
    }
    mirrors
}

/// Makes a channel or mirror with `make`, which gives what is wrong or the thing itself, and reports
/// what is wrong. What is switched off may lack its secrets: random ones stand in, as for those that
/// cannot be read, and nothing can be signed with them.
fn build<T, E>(
    path: &str,
    mut table: Table,
    enabled: bool,
    report: &mut Report,
    make: impl Fn(Table) -> Result<T, (Vec<SettingsProblem>, E)>,
) -> Result<T, E> {
    let mut made = make(table.clone());
    if let Err((problems, _)) = &made
        && !enabled
    {
        let lacking: Vec<&SettingsProblem> =
            problems.iter().filter(|problem| problem.message == MISSING_SECRET && !problem.key.contains('.')).collect();
        for SettingsProblem { key, .. } in &lacking {
            table.insert(key.clone(), secrets::stand_in());
            report.excuse(&format!("{path}.{key}"));
        }
        if !lacking.is_empty() {
            made = make(table);
        }
    }
    made.map_err(|(problems, rest)| {
        refer(path, problems, report);
        rest
    })
}

/// A file of certificates that is not there, or holds none, would only show at the first login.
fn check_ca_file(path: &str, intake: &Intake, report: &mut Report) {
    let Intake::Imap(channels::ImapSource { ca_file: Some(file), .. }) = intake else { return };
    let key = format!("{path}.ca_file");
    let unfit = match CertificateDer::pem_file_iter(file) {
        Err(error) => Some(said(file, &error)),
        Ok(certificates) => {
            let mut roots = rustls::RootCertStore::empty();
            let added: Result<Vec<()>, String> = certificates
                .map(|found| roots.add(found.map_err(|error| said(file, &error))?).map_err(|error| error.to_string()))
                .collect();
            match added {
                Err(message) => Some(format!("{} holds what is no certificate: {message}", file.display())),
                Ok(added) if added.is_empty() => Some(format!("{} holds no certificate", file.display())),
                Ok(_) => None,
            }
        }
    };
    if let Some(message) = unfit {
        report.error_once(key, format!("{message}. Name a file of certificates in PEM, or leave it out"));
    }
}

fn said(file: &Path, error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => format!("cannot read {}: {error}", file.display()),
        _ => format!("{} is not PEM", file.display()),
    }
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
            (Ok(()), _) if name == channels::desk::API => {
                report.error(path, format!("\"{name}\" is lanka's own: choose another name"));
            }
            (Ok(()), Value::Table(table)) => tables.push((name, table)),
            (Ok(()), _) => report.error(path, format!("a table is wanted here: write [{section}.{name}]")),
            (Err(message), _) => report.error(path, message),
        }
    }
    tables
}

impl Default for Common {
    fn default() -> Self {
        Self { tenant: main_tenant(), enabled: yes(), windows: ChannelWindows::default(), notices: None }
    }
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
    let whole = |SettingsProblem { key, message }| match (path, key.as_str()) {
        ("", key) | (key, "") => (key.to_owned(), message),
        (path, key) => (format!("{path}.{key}"), message),
    };
    let problems: Vec<(String, String)> = problems.into_iter().map(whole).collect();
    // Held against what was found before, not against one another: there may be several at one key.
    let told: Vec<(String, String)> = problems.into_iter().filter(|(key, _)| !report.blames(key)).collect();
    for (key, message) in told {
        report.error(key, message);
    }
}

/// Two channels at one source would each take half of what comes, or everything twice.
fn refuse_shared_sources(intakes: &BTreeMap<String, Intake>, report: &mut Report) {
    let mut first: BTreeMap<String, &str> = BTreeMap::new();
    for (name, intake) in intakes {
        let mut shared = BTreeSet::new();
        for (source, said) in sources(&format!("channels.{name}"), intake, report) {
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

/// What a channel reads, as a key that is equal for one source, and as people say it. Nothing, where
/// something stands in for what says so.
fn sources(path: &str, intake: &Intake, report: &Report) -> Vec<(String, String)> {
    let known = |keys: &[&str]| !keys.iter().any(|key| report.touches(&format!("{path}.{key}")));
    let file = |path: &Path, what: &str| {
        vec![(format!("file {}", canonical(path).display()), format!("the {what} {}", path.display()))]
    };
    match intake {
        Intake::Imap(imap) if known(&["host", "port", "tls", "user"]) => {
            let (host, user) = (imap.host.trim_end_matches('.').to_lowercase(), imap.user.to_lowercase());
            // The two ports of IMAP lead to the same mailboxes.
            let port = if imap.port == 143 { 993 } else { imap.port };
            // INBOX alone is known by any case (RFC 9051, 5.1).
            let folder =
                |name: &String| if name.eq_ignore_ascii_case("inbox") { "INBOX".to_owned() } else { name.clone() };
            let folders = imap.folders.iter().enumerate().filter(|(at, _)| known(&[&format!("folders.{at}")]));
            let sent = imap.sent.iter().filter(|_| known(&["sent"]));
            folders
                .map(|(_, name)| name)
                .chain(sent)
                .map(folder)
                .map(|f| (format!("imap {host}:{port} {user} {f}"), format!("the folder {f} of that mailbox")))
                .collect()
        }
        Intake::Tail(tail) if known(&["path"]) => file(&tail.path, "file"),
        Intake::Drop(drop) if known(&["path"]) => file(&drop.path, "directory"),
        Intake::Table(source) if known(&["database", "table"]) => {
            vec![(format!("table {} of {}", source.table, source.url.expose()), format!("the table {}", source.table))]
        }
        Intake::Lmtp(LmtpSource { door: Door::Socket { path, .. }, .. }) if known(&["socket"]) => file(path, "socket"),
        Intake::Lmtp(LmtpSource { door: Door::Address(address), .. }) if known(&["listen"]) => {
            vec![(format!("address {address}"), format!("the address {address}"))]
        }
        Intake::Webhook
        | Intake::Poll(_)
        | Intake::Imap(_)
        | Intake::Lmtp(_)
        | Intake::Tail(_)
        | Intake::Table(_)
        | Intake::Drop(_) => Vec::new(),
    }
}

/// A path without links, `.` and `..`, as far as it exists: what is to come may be written in two ways
/// as well.
fn canonical(path: &Path) -> PathBuf {
    let there = path.ancestors().find_map(|above| Some((above, std::fs::canonicalize(above).ok()?)));
    let (mut whole, rest) = match &there {
        Some((above, whole)) => (whole.clone(), path.strip_prefix(above).unwrap_or(Path::new(""))),
        None => (PathBuf::new(), path),
    };
    for part in rest.components() {
        match part {
            Component::ParentDir => {
                whole.pop();
            }
            Component::CurDir => {}
            part => whole.push(part),
        }
    }
    whole
}
