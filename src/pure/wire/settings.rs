//! Settings out of TOML: strict, and every problem at once.
//!
//! `serde` stops at the first error. [`read`] goes on: it notes the problem, takes the offending key
//! out of the table (or puts something harmless in its place) and reads again, until the rest is
//! clean. Channels and mirrors read their own tables with it, the configuration reads the whole, so
//! that one wording serves everywhere.
//!
//! What is wrong with one key never hides what is wrong with another: a kind goes on to check the
//! values with harmless ones in place of those that could not be read, and [`Problems`] drops what
//! would only follow from these.
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

    /// Whether it is at a key, above or below it.
    fn touches(&self, key: &str) -> bool {
        is_at_or_below(&self.key, key) || is_at_or_below(key, &self.key)
    }
}

/// Whether a key is another, or stands below it.
pub fn is_at_or_below(key: &str, above: &str) -> bool {
    key.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
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

/// The same of a secret. What is switched off may lack it.
pub const MISSING_SECRET: &str = "required, and missing: write { env = \"NAME\" } or { file = \"PATH\" }";

/// What is wrong with the table of a channel or mirror: first what could not be read, then what the
/// kind finds in the values.
#[derive(Debug, Default)]
pub struct Problems {
    found: Vec<SettingsProblem>,
    /// How many of them are of reading: something harmless stands in for their keys.
    unread: usize,
}

impl Problems {
    /// A problem with a key's value, unless something stands in for that.
    pub fn add(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.extend([SettingsProblem::new(key, message)]);
    }

    /// Whether nothing is wrong so far at a key, above or below it: asked before values of several keys
    /// are held against one another.
    pub fn none_at(&self, key: &str) -> bool {
        !self.found.iter().any(|problem| problem.touches(key))
    }

    /// Whether nothing is wrong so far.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }
}

impl Extend<SettingsProblem> for Problems {
    fn extend<I: IntoIterator<Item = SettingsProblem>>(&mut self, problems: I) {
        for problem in problems {
            if !self.found[..self.unread].iter().any(|unread| unread.touches(&problem.key)) {
                self.found.push(problem);
            }
        }
    }
}

impl From<Problems> for Vec<SettingsProblem> {
    fn from(problems: Problems) -> Self {
        problems.found
    }
}

/// Reads the table of a channel or mirror into `T`, whose structs should all be `deny_unknown_fields`.
/// A misspelt key of those that all have ([`COMMON_KEYS`]) is recognised. The result holds stand-ins
/// where the problems beside it say so, and is for checking the rest unless there are none.
///
/// # Errors
/// Every problem found, in the order of discovery, when not even stand-ins make a `T`; at most
/// `PROBLEMS_MAX`.
pub fn read_kind<T: DeserializeOwned>(table: Table) -> Result<(T, Problems), Vec<SettingsProblem>> {
    let mut reader = Reader::of(table, &Table::new());
    let settings = reader.read(COMMON_KEYS);
    reader.name_missing_secrets();
    let found = reader.problems;
    match settings {
        Some(settings) => Ok((settings, Problems { unread: found.len(), found })),
        None => Err(found),
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
    let mut reader = Reader::of(table, defaults);
    (reader.read(elsewhere), reader.problems)
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
    fn of(table: Table, defaults: &Table) -> Self {
        let (tree, defaults) = (Value::Table(table), Value::Table(defaults.clone()));
        Self { tree, defaults, problems: Vec::new(), tried: BTreeMap::new(), blamed: BTreeSet::new() }
    }

    fn read<T: DeserializeOwned>(&mut self, elsewhere: &[&str]) -> Option<T> {
        for _ in 0..READINGS_MAX {
            let error = match serde_path_to_error::deserialize::<_, T>(self.tree.clone()) {
                Ok(settings) => return Some(settings),
                Err(error) => error,
            };
            let path: Vec<Step> = error.path().iter().filter_map(Step::of).collect();
            let go_on = self.note(path, error.inner().message(), elsewhere);
            if !go_on || self.problems.len() >= PROBLEMS_MAX {
                break;
            }
        }
        None
    }

    /// What is missing and only a secret could stand in for is one.
    fn name_missing_secrets(&mut self) {
        let secrets = self.tried.keys().filter(|path| {
            let value = path.iter().try_fold(&self.tree, |value, step| match step {
                Step::Key(key) => value.as_table()?.get(key),
                Step::Index(index) => value.as_array()?.get(*index),
            });
            value.and_then(Value::as_table).is_some_and(|table| table.contains_key(RESOLVED_KEY))
        });
        let secrets: BTreeSet<String> = secrets.map(|path| dotted(path)).collect();
        for problem in self.problems.iter_mut().filter(|problem| secrets.contains(&problem.key)) {
            if problem.message == MISSING {
                problem.message = MISSING_SECRET.to_owned();
            }
        }
    }

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
        // Of an array's words, one that is known stands in, so that the others are checked. The last of a
        // list is the one with the least to it (`ignore` among a log's columns).
        if let (Some(Step::Index(_)), Some(word)) = (path.last(), listed_variant(message)) {
            self.blame(&path, reworded(message));
            return put(&mut self.tree, &path, Value::from(word));
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
            let key = dotted(path);
            // What is the matter with the whole was the matter with its parts.
            self.problems.retain(|problem| !is_at_or_below(&problem.key, &key));
            self.problems.push(SettingsProblem::new(key, message));
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
    let texts = [
        "x@example.com",
        "1s",
        "http://localhost/",
        "/x",
        "127.0.0.1:1",
        "UTC",
        "+358401234567",
        "FI",
        "fi",
        "example.com",
    ];
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

/// So many letters of a word's beginning say which is meant.
const BEGUN_CHARS_MIN: usize = 3;

/// The candidate that a slip of the keyboard most likely meant, if one is near enough.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let wanted = plain(word);
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let scored =
        candidates.iter().map(|candidate| (strsim::damerau_levenshtein(&wanted, &plain(candidate)), *candidate));
    let (distance, candidate) = scored.min_by_key(|(distance, _)| *distance)?;
    // A third of the letters: `tsl` → `tls` and `adress` → `addresses`, but not `ssl` → `none`.
    let longest = wanted.chars().count().max(candidate.chars().count());
    if distance <= (longest / 3).max(1) {
        return Some(candidate);
    }
    // Else one that only goes on longer, or breaks off: `logging` → `log`, `lang` → `languages`.
    let is_begun = |candidate: &&str| {
        let candidate = plain(candidate);
        let (short, long) = if candidate.len() < wanted.len() { (&candidate, &wanted) } else { (&wanted, &candidate) };
        short.chars().count() >= BEGUN_CHARS_MIN && long.starts_with(short.as_str())
    };
    let mut begun = candidates.iter().copied().filter(is_begun);
    begun.next().filter(|_| begun.next().is_none())
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

/// The last word that an enumeration knows, if the message is about one outside it.
fn listed_variant(message: &str) -> Option<String> {
    quoted_after(message, "unknown variant ")?;
    listed(message).last().map(|word| (*word).to_owned())
}

/// serde's message in plain words.
fn reworded(message: &str) -> String {
    if let Some(word) = quoted_after(message, "unknown variant ") {
        return unknown_word(word, &listed(message));
    }
    if let Some(key) = quoted_after(message, "duplicate field ") {
        return format!("\"{key}\" is given twice, or under two names");
    }
    // A struct is read from an array too, by serde's own lights.
    if message.starts_with("invalid length ") && message.contains(", expected struct ") {
        return "a table is wanted here, not an array".to_owned();
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
        let problems: Vec<_> = read_kind::<Mailbox>(text.parse().unwrap()).unwrap().1.into();
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
        check("", &[("host", MISSING), ("port", MISSING), ("password", MISSING_SECRET)]);
    }

    #[test]
    fn what_stands_in_is_not_blamed() {
        let (settings, mut problems) = read_kind::<Mailbox>("port = 1\nfolders = ['a', 2]".parse().unwrap()).unwrap();
        assert_eq!(settings.folders[0], "a");
        for (key, said) in
            [("host", false), ("port", true), ("folders", false), ("folders.0", true), ("folders.1", false)]
        {
            let before = problems.found.len();
            problems.add(key, "wrong");
            assert_eq!(problems.found.len() - before, usize::from(said), "{key}");
        }
        assert!(!problems.none_at("folders") && !problems.none_at("port") && problems.none_at("tls"));
    }

    #[test]
    fn a_value_that_may_be_secret_is_not_repeated() {
        let (_, problems) = read_kind::<Mailbox>(
            "host = 'a'\nport = 'hunter2'\npassword = 'hunter2'\npart = 'hunter2'".parse().unwrap(),
        )
        .unwrap();
        assert_eq!(problems.found.len(), 3);
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
            ("pass", Some("password")),
            ("hosts_and_ports", Some("host")),
            ("ho", None),
            ("", None),
        ] {
            assert_eq!(nearest(slip, words), meant, "{slip}");
        }
    }
}
