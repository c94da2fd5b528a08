//! Settings out of TOML: strict, and every problem at once.
//!
//! `serde` stops at the first error. [`read`] goes on: it notes the problem, takes the offending key
//! out of the table (or puts something harmless in its place) and reads again, until the rest is
//! clean. Channels and mirrors read their own tables with it, the configuration reads the whole, so
//! that one wording serves everywhere.
//!
//! Refused: a deserialiser of our own (its errors would be structured, but it is five times this
//! file), and a schema beside the structs (it would drift).
//!
//! **Invariant:** a message never repeats a value that could be a secret: of what stands under a
//! key it shows words of an enumeration and what a domain type chose to show, nothing else.

use crate::pure::domain::secret::RESOLVED_KEY;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use std::collections::{BTreeMap, BTreeSet};
use toml::{Table, Value};

/// A problem in a channel's or mirror's settings. The configuration adds file and line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsProblem {
    /// Path of the key below the channel's table (`own_numbers.2`), empty for the table itself.
    pub key: String,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl SettingsProblem {
    /// A problem at a key.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into() }
    }
}

/// Keys that every channel and mirror may have and that the configuration takes out before the kind
/// sees its table. Known here so that a slip in one of them finds its nearest spelling.
pub const COMMON_KEYS: &[&str] = &["kind", "tenant", "enabled", "windows"];

/// Most problems reported for one table; past it the file is not a configuration of lanka.
const PROBLEMS_MAX: usize = 200;
/// Most readings of one table: each problem costs one, each required key a few more.
const READINGS_MAX: usize = PROBLEMS_MAX * 8;

/// Words that open the message of a required key that is not there.
pub const MISSING: &str = "required, and missing";

/// Reads the table of a channel or mirror into `T`, whose structs should all be `deny_unknown_fields`.
/// A misspelt key of those that all have ([`COMMON_KEYS`]) is recognised.
///
/// # Errors
/// Every problem found, in the order of discovery; at most `PROBLEMS_MAX`.
pub fn read_kind<T: DeserializeOwned>(table: Table) -> Result<T, Vec<SettingsProblem>> {
    match read(table, COMMON_KEYS, &Table::new()) {
        (Some(settings), problems) if problems.is_empty() => Ok(settings),
        (_, problems) => Err(problems),
    }
}

/// Reads any table: what could be read, and every problem. `elsewhere` are keys that may stand at its
/// top and are read by others: a slip in one is recognised. `defaults` are known to be right; they, or
/// else harmless values, stand in the result for what is wrong, so that the rest can be checked further.
/// There is no result if even that does not do.
pub fn read<T: DeserializeOwned>(
    table: Table,
    elsewhere: &[&str],
    defaults: &Table,
) -> (Option<T>, Vec<SettingsProblem>) {
    let (tree, defaults) = (Value::Table(table), Value::Table(defaults.clone()));
    let mut reader = Reader { tree, defaults, problems: Vec::new(), tried: BTreeMap::new(), blamed: BTreeSet::new() };
    for _ in 0..READINGS_MAX {
        let error = match serde_path_to_error::deserialize::<_, T>(reader.tree.clone()) {
            Ok(settings) => return (Some(settings), reader.problems),
            Err(error) => error,
        };
        let path: Vec<Step> = error.path().iter().filter_map(Step::of).collect();
        let go_on = reader.note(path, error.inner().message(), elsewhere);
        if !go_on || reader.problems.len() >= PROBLEMS_MAX {
            break;
        }
    }
    (None, reader.problems)
}

/// One step of a path into the tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Key(String),
    Index(usize),
}

impl Step {
    fn of(segment: &Segment) -> Option<Self> {
        match segment {
            Segment::Map { key } => Some(Self::Key(key.clone())),
            Segment::Seq { index } => Some(Self::Index(*index)),
            Segment::Enum { .. } | Segment::Unknown => None,
        }
    }
}

fn dotted(path: &[Step]) -> String {
    let words = path.iter().map(|step| match step {
        Step::Key(key) => key.clone(),
        Step::Index(index) => index.to_string(),
    });
    words.collect::<Vec<_>>().join(".")
}

struct Reader {
    tree: Value,
    /// Values known to be right.
    defaults: Value,
    problems: Vec<SettingsProblem>,
    /// How many stand-ins were put at a path.
    tried: BTreeMap<Vec<Step>, usize>,
    /// Paths already reported.
    blamed: BTreeSet<Vec<Step>>,
}

impl Reader {
    /// Notes one error and mends the tree so that the next reading gets past it. `false` when it
    /// cannot be mended.
    fn note(&mut self, mut path: Vec<Step>, message: &str, elsewhere: &[&str]) -> bool {
        if let Some(key) = quoted_after(message, "unknown field ") {
            if path.last() != Some(&Step::Key(key.to_owned())) {
                path.push(Step::Key(key.to_owned()));
            }
            let mut known = listed(message);
            if path.len() == 1 {
                known.extend(elsewhere);
            }
            self.blame(&path, unknown_key(key, &known));
            return remove(&mut self.tree, &path);
        }
        if let Some(key) = quoted_after(message, "missing field ") {
            path.push(Step::Key(key.to_owned()));
            self.blame(&path, MISSING.to_owned());
            return self.stand_in(path);
        }
        // What is wrong below a stand-in is the stand-in's fault.
        if let Some(root) = self.tried.keys().find(|root| path.starts_with(root)) {
            return self.stand_in(root.clone());
        }
        self.blame(&path, reworded(message));
        match path.last() {
            Some(Step::Key(_)) if self.default_at(&path).is_some() => self.stand_in(path),
            Some(Step::Key(_)) => remove(&mut self.tree, &path),
            Some(Step::Index(_)) => self.stand_in(path),
            None => false,
        }
    }

    fn blame(&mut self, path: &[Step], message: String) {
        let known = (1..=path.len()).any(|depth| self.blamed.contains(&path[..depth]));
        if !known {
            self.problems.push(SettingsProblem::new(dotted(path), message));
            self.blamed.insert(path.to_vec());
        }
    }

    fn default_at(&self, path: &[Step]) -> Option<Value> {
        let found = path.iter().try_fold(&self.defaults, |value, step| match step {
            Step::Key(key) => value.as_table()?.get(key),
            Step::Index(_) => None,
        });
        found.cloned()
    }

    /// Puts the next stand-in at a path whose type is not known here.
    fn stand_in(&mut self, path: Vec<Step>) -> bool {
        let default = self.default_at(&path);
        let tries = self.tried.entry(path.clone()).or_default();
        let Some(value) = default.into_iter().chain(stand_ins()).nth(*tries) else {
            // An array without the offending element is shorter; without any it is at least right.
            let array = path[..path.len().saturating_sub(1)].to_vec();
            return matches!(path.last(), Some(Step::Index(_))) && self.stand_in(array);
        };
        *tries += 1;
        put(&mut self.tree, &path, value)
    }
}

/// Harmless values of every shape that settings take, the common ones first.
fn stand_ins() -> Vec<Value> {
    let secret = Table::from_iter([(RESOLVED_KEY.to_owned(), Value::from("x"))]);
    let shapes = [Value::from("x"), Value::Table(secret), Value::from(1), Value::from(Vec::<Value>::new())];
    let texts =
        ["x@example.com", "1s", "http://localhost/", "127.0.0.1:1", "UTC", "+358401234567", "FI", "fi", "example.com"];
    let more = [Value::Table(Table::new()), Value::from(true), Value::from(4096)];
    shapes.into_iter().chain(texts.map(Value::from)).chain(more).collect()
}

fn step_into<'a>(tree: &'a mut Value, step: &Step) -> Option<&'a mut Value> {
    match step {
        Step::Key(key) => tree.as_table_mut()?.get_mut(key),
        Step::Index(index) => tree.as_array_mut()?.get_mut(*index),
    }
}

fn parent<'a>(tree: &'a mut Value, path: &[Step]) -> Option<&'a mut Value> {
    let (_, above) = path.split_last()?;
    above.iter().try_fold(tree, step_into)
}

fn remove(tree: &mut Value, path: &[Step]) -> bool {
    let Some(Step::Key(key)) = path.last() else { return false };
    parent(tree, path).and_then(Value::as_table_mut).and_then(|table| table.remove(key)).is_some()
}

fn put(tree: &mut Value, path: &[Step], value: Value) -> bool {
    let Some(parent) = parent(tree, path) else { return false };
    match path.last() {
        Some(Step::Key(key)) => parent.as_table_mut().is_some_and(|table| {
            table.insert(key.clone(), value);
            true
        }),
        Some(Step::Index(_)) => path.last().and_then(|step| step_into(parent, step)).is_some_and(|place| {
            *place = value;
            true
        }),
        None => false,
    }
}

/// The sentence for a key that is not known: the nearest one, else all that may stand there.
pub fn unknown_key(key: &str, known: &[&str]) -> String {
    match nearest(key, known.iter().copied()) {
        Some(near) => format!("unknown key, did you mean \"{near}\"?"),
        None if known.is_empty() => "unknown key; nothing may stand here".to_owned(),
        None => format!("unknown key; known here: {}", known.join(", ")),
    }
}

/// The sentence for a word outside an enumeration: the nearest one and all.
pub fn unknown_word(word: &str, known: &[&str]) -> String {
    let all = known.join(", ");
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("\"{word}\" is not known, did you mean \"{near}\"? (one of: {all})"),
        None => format!("\"{word}\" is not known; one of: {all}"),
    }
}

/// The candidate that a slip of the keyboard most likely meant, if one is near enough.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let wanted = plain(word);
    let scored =
        candidates.into_iter().map(|candidate| (strsim::damerau_levenshtein(&wanted, &plain(candidate)), candidate));
    let (distance, candidate) = scored.min_by_key(|(distance, _)| *distance)?;
    // A third of the letters: `tsl` → `tls` and `adress` → `addresses`, but not `ssl` → `none`.
    let longest = wanted.chars().count().max(candidate.chars().count());
    (distance <= (longest / 3).max(1)).then_some(candidate)
}

/// The word in backticks that follows `opening`, if the message starts so.
fn quoted_after<'a>(message: &'a str, opening: &str) -> Option<&'a str> {
    message.strip_prefix(opening)?.strip_prefix('`')?.split('`').next()
}

/// The words in backticks after `expected`, as serde lists what it knows.
fn listed(message: &str) -> Vec<&str> {
    let after = message.split_once(", expected ").map_or("", |(_, list)| list);
    after.split('`').skip(1).step_by(2).collect()
}

/// serde's message in plain words.
fn reworded(message: &str) -> String {
    if let Some(word) = quoted_after(message, "unknown variant ") {
        return unknown_word(word, &listed(message));
    }
    if let Some(key) = quoted_after(message, "duplicate field ") {
        return format!("\"{key}\" is given twice, or under two names");
    }
    let Some((found, expected)) = ["invalid type: ", "invalid value: ", "invalid length "]
        .iter()
        .find_map(|opening| message.strip_prefix(opening)?.split_once(", expected "))
    else {
        return message.to_owned();
    };
    // `string "…"` may be a secret: only its type is repeated. A number is no secret.
    let found = match found.split_whitespace().next().unwrap_or_default() {
        "string" => "text".to_owned(),
        "boolean" => "true or false".to_owned(),
        "integer" => found.replace("integer ", "").replace('`', ""),
        "floating" => "a fraction".to_owned(),
        "sequence" => "an array".to_owned(),
        "map" => "a table".to_owned(),
        _ => "this".to_owned(),
    };
    format!("{} is wanted here, not {found}", wanted(expected))
}

fn wanted(expected: &str) -> String {
    let range = |low: String, high: String| format!("a whole number from {low} to {high}");
    match expected {
        "a string" | "str" | "path string" => "text in quotes".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "an array".to_owned(),
        "a map" => "a table".to_owned(),
        "u8" => range("0".to_owned(), u8::MAX.to_string()),
        "u16" => range("0".to_owned(), u16::MAX.to_string()),
        "u32" => range("0".to_owned(), u32::MAX.to_string()),
        "u64" | "usize" => "a whole number, not negative,".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        other if other.starts_with("struct ") => "a table".to_owned(),
        other if other.starts_with("string or table") || other.starts_with("enum ") => "one word in quotes".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::secret::Secret;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read into")]
    struct Mailbox {
        host: String,
        port: u16,
        #[serde(default)]
        tls: Protection,
        password: Secret,
        #[serde(default)]
        folders: Vec<String>,
        part: Option<Part>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Protection {
        #[default]
        Implicit,
        Starttls,
        None,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read into")]
    struct Part {
        name: String,
    }

    fn check(text: &str, expected: &[(&str, &str)]) {
        let problems = read_kind::<Mailbox>(text.parse().unwrap()).map(|_| ()).err().unwrap_or_default();
        let found: Vec<(&str, &str)> = problems.iter().map(|p| (p.key.as_str(), p.message.as_str())).collect();
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for ((key, message), (wanted_key, fragment)) in found.iter().zip(expected) {
            assert!(key == wanted_key && message.contains(fragment), "{key}: {message} / {wanted_key}: {fragment}");
        }
    }

    #[test]
    fn every_problem_at_once() {
        let good = "host = 'a'\nport = 1\npassword = { \"\\u0001secret\" = 'x' }\n";
        check(good, &[]);
        check(
            "host = 5\nport = 70000\npassword = 'hunter2'\ntsl = 'x'\ntennant = 'x'\nfolders = ['a', 2, 'b', true]\ntls = 'implict'\npart = { nam = 'x' }\n",
            &[
                ("folders.1", "text in quotes"),
                ("folders.3", "text in quotes"),
                ("host", "text in quotes is wanted here, not 5"),
                ("part.nam", "did you mean \"name\""),
                ("part.name", MISSING),
                ("password", "never written into the file"),
                ("port", "0 to 65535"),
                ("tennant", "did you mean \"tenant\""),
                ("tls", "did you mean \"implicit\""),
                ("tsl", "did you mean \"tls\""),
            ],
        );
        check("", &[("host", MISSING), ("port", MISSING), ("password", MISSING)]);
    }

    #[test]
    fn a_value_that_may_be_secret_is_not_repeated() {
        let problems = read_kind::<Mailbox>(
            "host = 'a'\nport = 'hunter2'\npassword = 'hunter2'\npart = 'hunter2'".parse().unwrap(),
        )
        .unwrap_err();
        assert_eq!(problems.len(), 3);
        assert!(!format!("{problems:?}").contains("hunter2"));
    }

    #[test]
    fn the_nearest_word_is_near() {
        let words = ["tls", "host", "password", "addresses"];
        for (slip, meant) in [
            ("tsl", Some("tls")),
            ("Host", Some("host")),
            ("adresses", Some("addresses")),
            ("pasword", Some("password")),
            ("colour", None),
        ] {
            assert_eq!(nearest(slip, words), meant, "{slip}");
        }
    }
}
