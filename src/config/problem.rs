//! What is wrong with a configuration, and where.

use crate::pure::wire::settings::{MISSING, is_at_or_below};
use std::collections::BTreeMap;
use std::fmt;

/// Words that open the message of what is there twice.
pub(super) const DOUBLED: &str = "there twice in this file";
/// Words that open the message of what is not TOML.
pub(super) const NOT_TOML: &str = "not TOML";

/// One problem, with the place to look and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file as it was named or found; the variable's name for what the environment sets.
    pub file: String,
    /// Line in the file, from 1; none where a whole file or a variable is meant.
    pub line: Option<usize>,
    /// Path of the key, `channels.support-mail.tls`; empty for the file itself.
    pub key: String,
    /// What is wrong and what to write instead.
    pub message: String,
    /// Whether lanka can run with it.
    pub level: Level,
}

/// Whether lanka can run with a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It runs, but somebody should look.
    Warning,
    /// It does not start.
    Error,
}

impl Problem {
    /// Whether lanka cannot start with it.
    pub fn is_error(&self) -> bool {
        self.level == Level::Error
    }
}

/// `config/lanka.toml:12: channels.support-mail.tsl: unknown key, did you mean "tls"?`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        f.write_str(": ")?;
        if self.level == Level::Warning {
            f.write_str("warning: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// Problems as they are found, and the places they are found at.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// What was found.
    problems: Vec<Problem>,
    /// Where keys stand, by their path.
    origins: BTreeMap<String, Origin>,
    /// The files and variables in the order of their layers.
    pub(super) files: Vec<String>,
    /// Where a file is not TOML, and whether the name of a table is lost with it.
    broken: Vec<(Origin, bool)>,
    /// Keys that something stands in for although nothing is wrong.
    excused: Vec<String>,
}

/// Where a key stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// File or variable.
    pub(super) file: String,
    /// Line from 1.
    pub(super) line: Option<usize>,
}

impl Report {
    /// Remembers where a value stands; a later layer's place replaces an earlier one's.
    pub(super) fn place_value(&mut self, key: &str, origin: Origin) {
        // What stood below it (the elements of an array) is replaced with it.
        let below = format!("{key}.");
        let gone: Vec<String> =
            self.origins.range(below.clone()..).map(|(k, _)| k.clone()).take_while(|k| k.starts_with(&below)).collect();
        for key in gone {
            self.origins.remove(&key);
        }
        self.origins.insert(key.to_owned(), origin);
    }

    /// Remembers where a table begins: the first layer that has it, for what the table lacks.
    pub(super) fn place_table(&mut self, key: &str, origin: Origin) {
        self.origins.entry(key.to_owned()).or_insert(origin);
    }

    /// An error at a key.
    pub(super) fn error(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.add(key.into(), message.into(), Level::Error);
    }

    /// A warning at a key.
    pub(super) fn warning(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.add(key.into(), message.into(), Level::Warning);
    }

    /// An error at a place, for what has no key.
    pub(super) fn error_at(&mut self, origin: Origin, key: impl Into<String>, message: impl Into<String>) {
        let Origin { file, line } = origin;
        self.problems.push(Problem { file, line, key: key.into(), message: message.into(), level: Level::Error });
    }

    /// A warning at a place, for what has no key.
    pub(super) fn warning_at(&mut self, origin: Origin, message: impl Into<String>) {
        let Origin { file, line } = origin;
        let (key, message) = (String::new(), message.into());
        self.problems.push(Problem { file, line, key, message, level: Level::Warning });
    }

    /// A place where a file is not TOML. What follows from it is not reported: nothing is missing that
    /// may stand in the part not understood, and keys below a lost `header` belong elsewhere.
    pub(super) fn broken_at(&mut self, origin: Origin, header: bool, message: impl Into<String>) {
        // The reader stumbles more than once over one line.
        if self.broken.iter().any(|(known, _)| *known == origin && known.line.is_some()) {
            return;
        }
        self.broken.push((origin.clone(), header));
        self.error_at(origin, "", message);
    }

    /// An error at a key, unless there is one at, above or below it: what does not hold for a value
    /// may only follow from what stands in for it.
    pub(super) fn error_once(&mut self, key: impl Into<String>, message: impl Into<String>) {
        let key = key.into();
        if !self.touches(&key) {
            self.error(key, message);
        }
    }

    /// Something stands in for the key's value, and what a kind says of that is not the user's mistake.
    pub(super) fn excuse(&mut self, key: &str) {
        self.excused.push(key.to_owned());
    }

    /// Whether there is an error at a key or above it, or it is excused.
    pub(super) fn blames(&self, key: &str) -> bool {
        self.errors().chain(self.excused.iter().map(String::as_str)).any(|error| is_at_or_below(key, error))
    }

    /// Whether there is an error at a key, above or below it.
    pub(super) fn touches(&self, key: &str) -> bool {
        self.errors().any(|error| is_at_or_below(key, error) || is_at_or_below(error, key))
    }

    /// Whether anything so far keeps lanka from starting.
    pub(super) fn has_errors(&self) -> bool {
        self.problems.iter().any(Problem::is_error)
    }

    fn errors(&self) -> impl Iterator<Item = &str> {
        self.problems
            .iter()
            // What is there twice is read once, and nothing stands in for that.
            .filter(|problem| problem.is_error() && !problem.key.is_empty() && !problem.message.starts_with(DOUBLED))
            .map(|problem| problem.key.as_str())
    }

    fn add(&mut self, key: String, message: String, level: Level) {
        let Origin { file, line } = self.origin(&key);
        self.problems.push(Problem { file, line, key, message, level });
    }

    /// The place of a key, or of the nearest table above it; the first file for what no layer names.
    fn origin(&self, key: &str) -> Origin {
        let mut path = key;
        loop {
            if let Some(origin) = self.origins.get(path) {
                return origin.clone();
            }
            match path.rsplit_once('.') {
                Some((above, _)) => path = above,
                None => break,
            }
        }
        Origin { file: self.files.first().cloned().unwrap_or_else(|| "configuration".to_owned()), line: None }
    }

    /// All problems, by layer and line.
    pub(super) fn finish(mut self) -> Vec<Problem> {
        let (broken, mut problems) = (std::mem::take(&mut self.broken), std::mem::take(&mut self.problems));
        let doubled: Vec<String> =
            problems.iter().filter(|p| p.message.starts_with(DOUBLED)).map(|p| p.key.clone()).collect();
        let misplaced = |p: &Problem| {
            let spoilt = |(origin, header): &(Origin, bool)| {
                origin.file == p.file && (p.line == origin.line || *header && p.line >= origin.line)
            };
            // What is missing may stand in what is not understood, or in the second of two tables.
            let elsewhere = !broken.is_empty() || doubled.iter().any(|key| is_at_or_below(&p.key, key));
            let follows = (p.message.starts_with(MISSING) && elsewhere) || broken.iter().any(spoilt);
            follows && p.is_error() && !p.message.starts_with(NOT_TOML)
        };
        problems.retain(|problem| !misplaced(problem));
        let rank = |file: &str| self.files.iter().position(|known| known == file).unwrap_or(usize::MAX);
        problems.sort_by_key(|problem| (rank(&problem.file), problem.line, problem.key.clone()));
        problems.dedup();
        problems
    }
}
