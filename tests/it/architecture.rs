//! The layout, held by reading the sources. Six rules; each names the file that breaks it.
//!
//! A rule is a function of one file, path and text, to what is wrong in it. Each test first shows that
//! its rule sees offenders, then runs it over `src/`. What a rule reads is the program without its
//! comments and its unit tests: a comment may name what the code must not.

use lanka::pure::{channels, mirrors};
use regex::Regex;
use std::fs;
use std::path::Path;

/// Words that touch the world, or wait for it. Plain values of the standard library
/// (`std::net::IpAddr`, `std::path`) are not among them.
const FORBIDDEN_IN_PURE: &str = r"async fn|async move|\.await\b|\b(tokio|sqlx|reqwest|axum|futures|tracing|metrics|rand|getrandom|object_store|rustix)::|\bstd::(fs|env|process|io|thread)\b|\bstd::net::(Tcp|Udp|ToSocketAddrs)|\b(SystemTime|Instant)\b|::now\(|::now_v7|::new_v4|\be?print(ln)?!|\bstatic mut\b";

/// Who may name whom: a folder, and what it must not import. Read from the top, first match.
const MUST_NOT_IMPORT: [(&str, &str); 12] = [
    ("src/pure/domain/", r"\b(pure|super(::super)*)::(wire|channels|mirrors|decide)\b|crate::(config|shell)\b"),
    ("src/pure/wire/", r"\b(pure|super::super)::(channels|mirrors|decide)\b|crate::(config|shell)\b"),
    ("src/pure/channels/", r"\b(pure|super(::super)*)::(mirrors|decide)\b|crate::(config|shell)\b"),
    ("src/pure/mirrors/", r"\b(pure|super(::super)*)::(channels|decide)\b|crate::(config|shell)\b"),
    ("src/pure/decide/", r"\b(pure|super::super)::(channels|mirrors)\b|crate::(config|shell)\b"),
    ("src/config/", r"crate::shell\b"),
    ("src/shell/intake/", r"\bshell::(ingest|deliver)\b|super::super::(ingest|deliver)\b"),
    ("src/shell/ingest.rs", r"\b(shell|super)::(intake|deliver|carriers)\b"),
    ("src/shell/deliver.rs", r"\b(shell|super)::(intake|ingest)\b"),
    ("src/shell/media.rs", r"\b(shell|super)::(intake|ingest|deliver)\b"),
    ("src/shell/store/", r"\b(shell|super::super)::(intake|ingest|deliver|carriers)\b"),
    ("src/shell/carriers/", r"\b(shell|super::super)::(intake|ingest|deliver|store)\b"),
];

/// Folders whose every file is in the list of their `mod.rs`.
const LISTED: [&str; 2] = ["src/pure/channels", "src/pure/mirrors"];

/// Files where the name of a kind is another word: what customers and mail programs write in mails, what ops are shown.
const KIND_IS_A_WORD: [&str; 3] =
    ["src/pure/decide/phrases.rs", "src/pure/wire/automatic.rs", "src/shell/command/state.rs"];

/// A statement of SQL within a text, or a function that takes one.
const SQL: &str = r#"\b(SELECT|INSERT INTO|DELETE FROM|CREATE TABLE|ALTER TABLE)\s|\bUPDATE \w+ SET\b|\bsqlx::(query|raw_sql|QueryBuilder)"#;

/// The environment read, or changed.
const ENVIRONMENT: &str = r"\benv::(vars?|vars?_os|set_var|remove_var)\b";

/// What is wrong with a file, one line each.
type Rule<'a> = dyn Fn(&str, &str) -> Vec<String> + 'a;

#[test]
fn pure_touches_nothing() {
    hold(
        &|path, text| match path.starts_with("src/pure/") {
            true => found(FORBIDDEN_IN_PURE, path, &code(text)),
            false => Vec::new(),
        },
        &[
            ("src/pure/decide/a.rs", "pub async fn decide() {}"),
            ("src/pure/wire/a.rs", "let text = std::fs::read(path);"),
            ("src/pure/channels/a.rs", "let now = Timestamp::now();"),
            ("src/pure/mirrors/a.rs", "use reqwest::Client;"),
            ("src/pure/domain/a.rs", "let url = \"https://example\"; println!(\"{url}\");"),
        ],
        &[
            ("src/pure/decide/a.rs", "// never std::fs here\nlet ip: std::net::IpAddr;"),
            ("src/pure/decide/b.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n"),
            ("src/shell/a.rs", "pub async fn run() {}"),
        ],
    );
}

#[test]
fn dependencies_point_one_way() {
    let import = |path: &str, text: &str| {
        let code = code(text);
        let table = MUST_NOT_IMPORT.iter().filter(|(folder, _)| path.starts_with(folder));
        let mut offences: Vec<String> = table.flat_map(|(_, names)| found(names, path, &code)).collect();
        let may_name_shell = path.starts_with("src/shell/") || path == "src/main.rs";
        if !may_name_shell {
            offences.extend(found(r"\bcrate::shell\b", path, &code));
        }
        offences.dedup();
        offences
    };
    hold(
        &import,
        &[
            ("src/pure/domain/a.rs", "use crate::pure::wire::json;"),
            ("src/pure/domain/b.rs", "use super::super::channels::Channel;"),
            ("src/pure/channels/a.rs", "use crate::pure::decide::decide;"),
            ("src/pure/decide/a.rs", "fn a() { crate::pure::mirrors::kind(\"x\"); }"),
            ("src/pure/mirrors/a.rs", "use super::super::channels::Kind;"),
            ("src/shell/intake/a.rs", "use crate::shell::ingest::Ingest;"),
            ("src/shell/deliver.rs", "use super::ingest::Ingest;"),
            ("src/shell/store/a.rs", "use crate::shell::deliver::Deliver;"),
            ("src/config/a.rs", "use crate::shell::Parts;"),
        ],
        &[
            ("src/pure/channels/a.rs", "use crate::pure::domain::Timestamp; use crate::pure::wire::json;"),
            ("src/main.rs", "use lanka::shell::daemon;"),
        ],
    );
}

#[test]
fn every_channel_and_mirror_is_listed() {
    let lists = LISTED.map(|folder| (folder, read(&format!("{folder}/mod.rs"))));
    let listed = move |path: &str, _: &str| {
        let Some((folder, name)) = path.strip_suffix(".rs").and_then(|path| path.rsplit_once('/')) else {
            return Vec::new();
        };
        match lists.iter().find(|(of, _)| *of == folder && name != "mod") {
            Some((_, list)) if !list.lines().any(|line| line.trim() == format!("{name},")) => {
                vec![format!("{path}: is not in the list of {folder}/mod.rs")]
            }
            _ => Vec::new(),
        }
    };
    hold(&listed, &[("src/pure/channels/pigeon.rs", ""), ("src/pure/mirrors/noticeboard.rs", "")], &[]);
    for (name, file) in kinds() {
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(&file).is_file(), "the kind {name} is not in {file}");
    }
}

#[test]
fn a_kind_is_named_in_its_own_file_only() {
    let kinds = kinds();
    let named = |path: &str, text: &str| {
        if KIND_IS_A_WORD.contains(&path) {
            return Vec::new();
        }
        let code = code(text);
        let others = kinds.iter().filter(|(_, file)| file != path);
        others.flat_map(|(name, _)| found(&format!("\"{name}\""), path, &code)).collect()
    };
    hold(
        &named,
        &[
            ("src/shell/a.rs", "if kind == \"imap\" { }"),
            ("src/pure/channels/imap.rs", "const OTHER: &str = \"whatsapp\";"),
            ("src/config/a.rs", "match kind { \"webhook\" => {} }"),
        ],
        &[("src/pure/channels/imap.rs", "const NAME: &str = \"imap\";"), ("src/shell/a.rs", "// as \"imap\" does")],
    );
}

#[test]
fn every_module_says_what_it_is() {
    hold(
        &|path, text| match text.starts_with("//! ") {
            true => Vec::new(),
            false => vec![format!("{path}: does not open with `//!`")],
        },
        &[("src/a.rs", "use std::fmt;"), ("src/b.rs", "// A comment.\nuse std::fmt;")],
        &[("src/c.rs", "//! What this is.\n")],
    );
}

#[test]
fn sql_and_the_environment_have_one_place_each() {
    let placed = |path: &str, text: &str| {
        let code = code(text);
        let mut offences = Vec::new();
        if !path.starts_with("src/shell/store/") {
            offences.extend(found(SQL, path, &code));
        }
        if !path.starts_with("src/config/") {
            offences.extend(found(ENVIRONMENT, path, &code));
        }
        offences
    };
    hold(
        &placed,
        &[
            ("src/shell/deliver.rs", "sqlx::query(sql).execute(pool)"),
            ("src/shell/ingest.rs", "const CLAIM: &str = \"SELECT id FROM raw_event\";"),
            ("src/shell/a.rs", "run(\"UPDATE outbox SET state = 'pending'\")"),
            ("src/main.rs", "let home = std::env::var(\"HOME\");"),
        ],
        &[
            ("src/shell/store/a.rs", "sqlx::query(\"SELECT 1\")"),
            ("src/config/layers.rs", "std::env::vars_os()"),
            ("src/shell/a.rs", "// SELECT is said here only\nlet a = \"select a file\";"),
        ],
    );
}

/// The rule sees each offender, naming it; takes each innocent; and holds for the sources.
fn hold(rule: &Rule<'_>, offenders: &[(&str, &str)], innocents: &[(&str, &str)]) {
    for (path, text) in offenders {
        let offences = rule(path, text);
        assert!(!offences.is_empty(), "the rule does not see {path}: {text}");
        assert!(offences.iter().all(|offence| offence.starts_with(path)), "{offences:?} does not name {path}");
    }
    for (path, text) in innocents {
        assert_eq!(rule(path, text), Vec::<String>::new(), "{path} is innocent");
    }
    let offences: Vec<String> = sources("src").iter().flat_map(|(path, text)| rule(path, text)).collect();
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

/// Each place where a pattern occurs in a file's code.
fn found(pattern: &str, path: &str, code: &str) -> Vec<String> {
    let pattern = Regex::new(pattern).expect("a pattern");
    let lines = code.lines().enumerate();
    lines
        .filter_map(|(index, line)| Some(format!("{path}:{}: {}", index + 1, pattern.find(line)?.as_str().trim())))
        .collect()
}

/// A file without its comments and its unit tests; lines keep their numbers.
fn code(text: &str) -> String {
    let tests = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
    text[..tests].lines().map(|line| &line[..comment_at(line)]).collect::<Vec<_>>().join("\n")
}

/// Where the comment of a line begins: at `//` outside a text. (A text that holds quotation marks of
/// its own is taken to end early, which at worst cuts a line short.)
fn comment_at(line: &str) -> usize {
    let (mut in_text, mut before) = (false, ' ');
    for (at, c) in line.char_indices() {
        match c {
            '"' if before != '\\' && before != '\'' => in_text = !in_text,
            '/' if before == '/' && !in_text => return at - 1,
            _ => {}
        }
        before = c;
    }
    line.len()
}

/// Every kind of channel and mirror, with the file that declares it.
fn kinds() -> Vec<(String, String)> {
    let channels = channels::KINDS.iter().map(|kind| (kind.name, LISTED[0]));
    let mirrors = mirrors::KINDS.iter().map(|kind| (kind.name, LISTED[1]));
    channels.chain(mirrors).map(|(name, folder)| (name.to_owned(), format!("{folder}/{name}.rs"))).collect()
}

/// Every Rust file under a folder: its path from the root of the repository, and its text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut sources = Vec::new();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    for entry in fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display())) {
        let entry = entry.expect("an entry");
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        match entry.path() {
            found if found.is_dir() => sources.extend(self::sources(&path)),
            found if found.extension().is_some_and(|extension| extension == "rs") => {
                let text = read(&path);
                sources.push((path, text));
            }
            _ => {}
        }
    }
    sources
}

fn read(path: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
