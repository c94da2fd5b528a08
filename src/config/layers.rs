//! Files, drop-ins and the environment, laid over one another.
//!
//! The `config` crate merges; `toml` gives each key its line. Two traps are met here: `config` keeps
//! no places, so they are kept beside it; and it merges tables key by key, so that
//! `{ file = … }` over `{ env = … }` would leave both: secrets are folded into one value first.

use super::problem::{DOUBLED, NOT_TOML, Origin, Report};
use super::secrets;
use crate::pure::domain::weights::Weights;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use toml::{Table, Value};

/// Every key, its default and why. Compiled in, so that it cannot drift from the code.
pub const DEFAULTS: &str = include_str!("../../config/default.toml");
/// The words that tell what a message is about. Compiled in, and laid beneath like [`DEFAULTS`].
pub const TRIAGE: &str = include_str!("../../config/triage.toml");
/// What single words weigh for the same. Compiled in.
const WEIGHTS: &str = include_str!("../../config/triage-weights.tsv");

/// The same, read once for all firms. That it can be read is a test's to show.
static WEIGHED: LazyLock<Weights> = LazyLock::new(|| Weights::parse(WEIGHTS).unwrap_or_default());

/// What single words weigh for what a message is about.
pub(super) fn weights() -> Weights {
    WEIGHED.clone()
}

/// Files looked for when none is named.
const SEARCHED: [&str; 2] = ["/etc/lanka/lanka.toml", "/etc/lanka/lanka.d"];
/// Largest file read: hundreds of channels fit in a tenth of it, a log file taken by mistake does not.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// What variables that set keys begin with.
const PREFIX: &str = "LANKA";

/// The variables of the environment: the process's, or a test's.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// What the process was started with. Variables that are not UTF-8 count as absent.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(text).collect())
    }

    /// These variables and no other.
    pub fn of<N: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (N, V)>) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether whoever runs lanka wants no colours: `NO_COLOR` is there and not empty (<https://no-color.org>).
    pub fn is_without_colours(&self) -> bool {
        self.get("NO_COLOR").is_some_and(|value| !value.is_empty())
    }

    /// Variables that set keys, by name, with the path of the key.
    fn overrides(&self) -> impl Iterator<Item = (&str, String, &str)> {
        self.0.iter().filter_map(|(name, value)| {
            let path = name.to_lowercase();
            let path = path.strip_prefix(&format!("{}__", PREFIX.to_lowercase()))?;
            Some((name.as_str(), named_with_dashes(path), value.as_str()))
        })
    }
}

/// Names only: values are secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// `channels__support_mail__host` → `channels.support-mail.host`: few programs can set a variable
/// with a dash in its name, and no channel has an underscore. The same of mirrors, contracts and rules of targets.
fn named_with_dashes(path: &str) -> String {
    let mut parts: Vec<String> = path.split("__").map(str::to_owned).collect();
    let words: Vec<&str> = parts.iter().map(String::as_str).collect();
    let named: &[usize] = match words[..] {
        ["contracts", _, "targets", ..] => &[1, 3],
        ["channels" | "mirrors" | "contracts", ..] => &[1],
        ["service", "targets", ..] => &[2],
        _ => &[],
    };
    for place in named {
        if let Some(name) = parts.get_mut(*place) {
            *name = name.replace('_', "-");
        }
    }
    parts.join(".")
}

/// The whole configuration as one tree, secrets still folded; the report holds what is wrong so far
/// and where each key stands.
pub(super) fn load(paths: &[PathBuf], environment: &Environment, report: &mut Report) -> Table {
    let mut builder = config::Config::builder().add_source(Layer(defaults(environment)));
    let files = files(paths, report);
    if files.is_empty() && report.files.is_empty() && environment.overrides().next().is_none() {
        let file = SEARCHED[0].to_owned();
        report.files.push(file.clone());
        report
            .warning_at(Origin { file, line: None }, "is not there, nor is anything else set: these are the defaults");
    }
    for path in files {
        if let Some(table) = read(&path, report) {
            builder = builder.add_source(Layer(table));
        }
    }
    match builder.add_source(Layer(overrides(environment, report))).build() {
        Ok(config) => table_of(config.cache),
        Err(error) => {
            report.error("", error.to_string());
            Table::new()
        }
    }
}

/// What the variables set, as a layer like a file's.
fn overrides(environment: &Environment, report: &mut Report) -> Table {
    let mut layer = Table::new();
    for (variable, path, text) in environment.overrides() {
        report.files.push(variable.to_owned());
        let origin = Origin { file: variable.to_owned(), line: None };
        if path.split('.').any(str::is_empty) {
            report.error_at(origin, "", "not a key: write LANKA__SECTION__KEY");
            continue;
        }
        if !set(&mut layer, &path, typed(&path, text)) {
            report.error_at(origin, path, "another variable sets what is above it: keep one of them");
            continue;
        }
        // What a section lacks is said of a variable that sets something in it.
        for (at, _) in path.match_indices('.') {
            report.place_table(&path[..at], origin.clone());
        }
        // `…__URL__ENV` sets a secret, which is known by the key above.
        if let Some((secret, "env" | "file")) = path.rsplit_once('.') {
            report.place_value(secret, origin.clone());
        }
        report.place_value(&path, origin);
    }
    // A variable lies in no directory that a relative path could be looked up in.
    secrets::fold(&mut layer, Path::new(""));
    layer
}

/// Puts a value into a tree, with the tables above it. `false` when something else is in its way.
fn set(tree: &mut Table, path: &str, value: Value) -> bool {
    match path.split_once('.') {
        None => {
            tree.insert(path.to_owned(), value);
            true
        }
        Some((first, rest)) => {
            let inner = tree.entry(first).or_insert_with(|| Value::Table(Table::new()));
            inner.as_table_mut().is_some_and(|inner| set(inner, rest, value))
        }
    }
}

/// The defaults, with the state directory that systemd made.
fn defaults(environment: &Environment) -> Table {
    let mut table = built_in();
    // systemd gives several directories with colons between them; ours is the first.
    if let Some(directory) =
        environment.get("STATE_DIRECTORY").and_then(|list| list.split(':').next()).filter(|d| !d.is_empty())
    {
        table.insert("data_dir".to_owned(), Value::from(directory));
    }
    table
}

/// Everything that is compiled in, as one tree. That it can be read is a test's to show.
pub(super) fn built_in() -> Table {
    let mut table: Table = DEFAULTS.parse().unwrap_or_default();
    let words: Table = TRIAGE.parse().unwrap_or_default();
    if let Some(Value::Table(triage)) = table.get_mut("triage") {
        triage.extend(words);
    }
    table
}

/// Whether there is something at a path. What a directory above it hides is there, and cannot be read.
fn is_there(path: &Path) -> bool {
    path.try_exists().unwrap_or(true)
}

/// The files behind the paths given, directories by name; without paths, those of the default
/// places that exist.
fn files(paths: &[PathBuf], report: &mut Report) -> Vec<PathBuf> {
    let searched = SEARCHED.iter().map(PathBuf::from).filter(|path| is_there(path)).collect::<Vec<_>>();
    let paths = if paths.is_empty() { &searched } else { paths };
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        match std::fs::read_dir(path) {
            Ok(entries) => {
                let mut found: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
                found.retain(|file| file.extension().is_some_and(|extension| extension == "toml") && !file.is_dir());
                found.sort();
                if found.is_empty() && !searched.contains(path) {
                    let file = path.display().to_string();
                    report.files.push(file.clone());
                    report.warning_at(
                        Origin { file, line: None },
                        "holds no file that ends in .toml: nothing is set here",
                    );
                }
                files.extend(found);
            }
            Err(error) => {
                let file = path.display().to_string();
                report.files.push(file.clone());
                report.error_at(Origin { file, line: None }, "", format!("cannot read the directory: {error}"));
            }
        }
    }
    files
}

/// One file's table, as far as it is TOML. What is not is reported, and the rest is read on.
fn read(path: &Path, report: &mut Report) -> Option<Table> {
    let file = path.display().to_string();
    report.files.push(file.clone());
    let text = match std::fs::File::open(path).and_then(|f| bytes_of(f, FILE_BYTES_MAX)).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(error)) => {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = Some(good.iter().filter(|byte| **byte == b'\n').count() + 1);
            report.error_at(
                Origin { file, line },
                "",
                format!("{NOT_TOML}: these bytes are not valid UTF-8; save the file as UTF-8"),
            );
            return None;
        }
        Err(error) => {
            report.error_at(Origin { file, line: None }, "", format!("cannot read the file: {error}"));
            return None;
        }
    };
    let lines = Lines::of(&text);
    let (tree, errors) = toml::de::DeTable::parse_recoverable(&text);
    report_syntax(&errors, &text, &lines, &file, report);
    place(tree.get_ref(), "", &file, &lines, report);
    let mut table = match serde::Deserialize::deserialize(toml::de::Deserializer::from(tree)) {
        Ok(table) => table,
        Err(error) => {
            let error: toml::de::Error = error;
            let line = error.span().map(|span| lines.at(span.start));
            report.error_at(Origin { file, line }, "", format!("{NOT_TOML}: {}", error.message()));
            return None;
        }
    };
    secrets::refuse_folded(&mut table, "", report);
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    secrets::fold(&mut table, whole.parent().unwrap_or(Path::new("/")));
    Some(table)
}

/// Reads UTF-8 text up to a limit.
pub(super) fn text_of(file: impl Read, bytes_max: u64) -> std::io::Result<String> {
    String::from_utf8(bytes_of(file, bytes_max)?).map_err(|_| std::io::Error::other("it is not valid UTF-8"))
}

fn bytes_of(mut file: impl Read, bytes_max: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.by_ref().take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(std::io::Error::other(format!("larger than {bytes_max} bytes")));
    }
    Ok(bytes)
}

/// Reports what is not TOML, and what is there twice.
fn report_syntax(errors: &[toml::de::Error], text: &str, lines: &Lines, file: &str, report: &mut Report) {
    let is_header = |line: &str| line.trim_start().starts_with('[');
    let all: Vec<&str> = text.lines().collect();
    let mut doubled = BTreeSet::new();
    for error in errors {
        let line = error.span().map(|span| lines.at(span.start));
        let origin = Origin { file: file.to_owned(), line };
        let above = &all[..line.unwrap_or(0).min(all.len())];
        let here = above.last().copied().unwrap_or_default();
        if !error.message().contains("duplicate key") {
            let message = error.message().lines().collect::<Vec<_>>().join(" ");
            report.broken_at(origin, is_header(here), format!("{NOT_TOML}: {message}"));
            continue;
        }
        // The table that a key is in begins at the last header above it.
        let header = above.iter().rposition(|line| is_header(line));
        let section = header.map_or("", |at| name_in(above[at], ']'));
        let key = match is_header(here) {
            true => section.to_owned(),
            false if section.is_empty() => name_in(here, '=').to_owned(),
            // What is in a table that is there twice is there twice because of it.
            false if header.is_some_and(|at| doubled.contains(&at)) => continue,
            false => format!("{section}.{}", name_in(here, '=')),
        };
        if is_header(here) {
            doubled.extend(header);
        }
        report.error_at(origin, key, format!("{DOUBLED}: keep one, or give the second another name"));
    }
}

/// The name that a line begins with.
fn name_in(line: &str, end: char) -> &str {
    line.split(end).next().unwrap_or_default().trim_matches(|c: char| c == '[' || c.is_whitespace())
}

/// Notes where each key of a file stands.
fn place(table: &toml::de::DeTable<'_>, above: &str, file: &str, lines: &Lines, report: &mut Report) {
    for (key, value) in table {
        let path = if above.is_empty() { key.get_ref().to_string() } else { format!("{above}.{}", key.get_ref()) };
        let origin = Origin { file: file.to_owned(), line: Some(lines.at(key.span().start)) };
        match value.get_ref() {
            toml::de::DeValue::Table(inner) => {
                report.place_table(&path, origin);
                place(inner, &path, file, lines, report);
            }
            other => {
                report.place_value(&path, origin);
                place_elements(other, &path, file, lines, report);
            }
        }
    }
}

fn place_elements(value: &toml::de::DeValue<'_>, path: &str, file: &str, lines: &Lines, report: &mut Report) {
    let toml::de::DeValue::Array(elements) = value else { return };
    for (index, element) in elements.iter().enumerate() {
        let path = format!("{path}.{index}");
        let origin = Origin { file: file.to_owned(), line: Some(lines.at(element.span().start)) };
        report.place_value(&path, origin);
        match element.get_ref() {
            toml::de::DeValue::Table(inner) => place(inner, &path, file, lines, report),
            other => place_elements(other, &path, file, lines, report),
        }
    }
}

/// Where lines begin, to turn an offset into a line.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    /// The line of an offset, from 1.
    fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }
}

/// A table as a source of the `config` crate.
#[derive(Clone)]
struct Layer(Table);

/// Nothing: a layer holds what files hold.
impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Layer")
    }
}

impl config::Source for Layer {
    fn clone_into_box(&self) -> Box<dyn config::Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<config::Map<String, config::Value>, config::ConfigError> {
        Ok(self.0.iter().map(|(key, value)| (key.clone(), into_config(value))).collect())
    }
}

fn into_config(value: &Value) -> config::Value {
    let kind = match value {
        Value::String(text) => config::ValueKind::String(text.clone()),
        Value::Integer(number) => config::ValueKind::I64(*number),
        Value::Float(number) => config::ValueKind::Float(*number),
        Value::Boolean(truth) => config::ValueKind::Boolean(*truth),
        Value::Datetime(time) => config::ValueKind::String(time.to_string()),
        Value::Array(elements) => config::ValueKind::Array(elements.iter().map(into_config).collect()),
        Value::Table(table) => {
            config::ValueKind::Table(table.iter().map(|(key, value)| (key.clone(), into_config(value))).collect())
        }
    };
    config::Value::new(None, kind)
}

fn table_of(value: config::Value) -> Table {
    match from_config(value) {
        Some(Value::Table(table)) => table,
        _ => Table::new(),
    }
}

fn from_config(value: config::Value) -> Option<Value> {
    Some(match value.kind {
        config::ValueKind::Nil => return None,
        config::ValueKind::Boolean(truth) => Value::Boolean(truth),
        config::ValueKind::I64(number) => Value::Integer(number),
        config::ValueKind::U64(number) => Value::Integer(i64::try_from(number).ok()?),
        config::ValueKind::I128(number) => Value::Integer(i64::try_from(number).ok()?),
        config::ValueKind::U128(number) => Value::Integer(i64::try_from(number).ok()?),
        config::ValueKind::Float(number) => Value::Float(number),
        config::ValueKind::String(text) => Value::String(text),
        config::ValueKind::Array(elements) => Value::Array(elements.into_iter().filter_map(from_config).collect()),
        config::ValueKind::Table(table) => {
            Value::Table(table.into_iter().filter_map(|(key, value)| Some((key, from_config(value)?))).collect())
        }
    })
}

/// A variable's text as the value it spells: numbers, truth, arrays and tables as in TOML, text in
/// quotes without them, anything else as it is.
fn typed(path: &str, text: &str) -> Value {
    // The environment is a fit place for a secret, so the URL may carry its password here.
    if path == "database.url" && !text.trim_start().starts_with('{') {
        return secrets::resolved(text);
    }
    let spelled = format!("value = {text}").parse::<Table>().ok().filter(|table| table.len() == 1);
    match spelled.and_then(|mut table| table.remove("value")) {
        Some(Value::Datetime(_)) | None => Value::String(text.to_owned()),
        Some(value) => value,
    }
}
