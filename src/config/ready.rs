//! The directory of ready answers: every `.md` below it, read whole.
//!
//! **Invariant:** a file that is wrong is named, with its line, and the others are read.

use super::layers::text_of;
use super::problem::{Level, Problem};
use crate::pure::domain::ready::ReadyAnswer;
use crate::pure::wire::ready_file::{self, Mistake};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Most files: every one is compared with what customers ask.
const FILES_MAX: usize = 1_000;
/// Most bytes of one.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// Directories in directories.
const DEPTH_MAX: usize = 4;
/// Most characters of a path below the directory.
const ID_CHARS_MAX: usize = 200;

/// What a directory holds, to tell whether it changed: each file with its time and size.
pub type Seen = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

/// What was read of a directory.
#[derive(Debug, Default)]
pub struct ReadyRead {
    /// The answers, by their ids.
    pub answers: Vec<ReadyAnswer>,
    /// What is wrong. What it is wrong with was left out.
    pub problems: Vec<Problem>,
}

/// The files of a directory as they are now, and what could not be looked into.
pub fn seen(dir: &Path) -> (Seen, Vec<Problem>) {
    let (mut seen, mut problems) = (Seen::new(), Vec::new());
    look(dir, 0, &mut seen, &mut problems);
    if seen.len() > FILES_MAX {
        let files = seen.len();
        let beyond: Vec<PathBuf> = seen.keys().skip(FILES_MAX).cloned().collect();
        seen.retain(|path, _| !beyond.contains(path));
        problems.push(problem(
            dir,
            None,
            "",
            format!("{files} ready answers, and {FILES_MAX} are the most: the rest is left out"),
        ));
    }
    (seen, problems)
}

/// Reads a directory.
pub fn read(dir: &Path) -> ReadyRead {
    let (seen, problems) = seen(dir);
    let mut read = ReadyRead { answers: Vec::new(), problems };
    for path in seen.keys() {
        match answer(dir, path) {
            Ok(answer) => read.answers.push(answer),
            Err(problems) => read.problems.extend(problems),
        }
    }
    read
}

fn look(dir: &Path, depth: usize, seen: &mut Seen, problems: &mut Vec<Problem>) {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) => {
            problems.push(problem(dir, None, "", format!("cannot read the directory: {error}")));
            return;
        }
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_text = path.extension().is_some_and(|ending| ending == "md") && !name.eq_ignore_ascii_case("readme.md");
        match std::fs::metadata(&path) {
            _ if name.starts_with('.') => {}
            Ok(meta) if meta.is_dir() && depth < DEPTH_MAX => look(&path, depth + 1, seen, problems),
            Ok(meta) if meta.is_dir() => {
                problems.push(problem(&path, None, "", format!("deeper than {DEPTH_MAX} directories: it is left out")));
            }
            Ok(meta) if is_text => _ = seen.insert(path, (meta.modified().ok(), meta.len())),
            Err(error) if is_text => problems.push(problem(&path, None, "", format!("cannot read the file: {error}"))),
            Ok(_) | Err(_) => {}
        }
    }
}

/// The answer of a file.
fn answer(dir: &Path, path: &Path) -> Result<ReadyAnswer, Vec<Problem>> {
    let wrong = |message: String| vec![problem(path, None, "", message)];
    let below = path.strip_prefix(dir).unwrap_or(path).with_extension("");
    let id = below.to_str().ok_or_else(|| wrong("its name is not UTF-8: give it another".to_owned()))?;
    if id.chars().count() > ID_CHARS_MAX || id.chars().any(char::is_control) {
        return Err(wrong(format!(
            "its name has more than {ID_CHARS_MAX} characters, or control characters: give it another"
        )));
    }
    let file = std::fs::File::open(path).and_then(|file| text_of(file, FILE_BYTES_MAX));
    let file = file.map_err(|error| wrong(format!("cannot read the file: {error}")))?;
    ready_file::parse(id, &file).map_err(|mistakes| {
        let place = |Mistake { line, key, message }| problem(path, Some(line), &key, message);
        mistakes.into_iter().map(place).collect()
    })
}

fn problem(path: &Path, line: Option<usize>, key: &str, message: String) -> Problem {
    Problem { file: path.display().to_string(), line, key: key.to_owned(), message, level: Level::Error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_file_is_named_and_the_others_are_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let put = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(path, text).expect("written");
        };
        let right = "+++\ntitle = \"Lasku\"\nlanguage = \"fi\"\n+++\nMaksa se.\n";
        put("fi/lasku.md", right);
        put("fi/deep/er/lasku.md", right);
        put("a/b/c/d/e/too-deep.md", right);
        put("README.md", "how we write them");
        put("notes.txt", "no answer");
        put(".git/x.md", "no answer");
        put("sv/faktura.md", "+++\ntitle = \"Faktura\"\n+++\nBetala {amount}.\n");
        put("big.md", &"x".repeat(70_000));
        let read = read(dir.path());
        assert_eq!(
            read.answers.iter().map(|answer| answer.id.as_str()).collect::<Vec<_>>(),
            ["fi/deep/er/lasku", "fi/lasku"]
        );
        let said: Vec<String> = read.problems.iter().map(ToString::to_string).collect();
        for expected in [
            "a/b/c/d/e: deeper",
            "sv/faktura.md:1: language: required",
            "sv/faktura.md:4: {amount}",
            "big.md: cannot read",
        ] {
            assert!(said.iter().any(|said| said.contains(expected)), "{expected}: {said:?}");
        }
        assert_eq!(said.len(), 4, "{said:?}");
        let gone = super::read(&dir.path().join("nowhere"));
        assert!(gone.answers.is_empty() && gone.problems.len() == 1, "{:?}", gone.problems);
    }
}
