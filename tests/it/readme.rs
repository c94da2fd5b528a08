//! README.md, held to the program: what it names exists, and what exists it names.

use crate::config::environment;
use crate::support::scratch;
use clap::CommandFactory;
use lanka::config::Settings;
use lanka::shell::command::Cli;
use regex::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// Everything a pattern's first group matches.
fn all(pattern: &str, text: &str) -> BTreeSet<String> {
    Regex::new(pattern).unwrap().captures_iter(text).map(|found| found[1].to_owned()).collect()
}

/// The text of every Rust file under a folder.
fn sources(dir: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        match entry.extension() {
            _ if entry.is_dir() => text.push_str(&sources(&entry)),
            Some(extension) if extension == "rs" => text.push_str(&fs::read_to_string(&entry).unwrap()),
            _ => {}
        }
    }
    text
}

/// The blocks of a language, without the indent they stand at.
fn blocks(language: &str) -> Vec<String> {
    let pattern = format!(r"(?ms)^( *)```{language}\n(.*?)^ *```$");
    let readme = readme();
    let found = Regex::new(&pattern).unwrap();
    let unindented =
        |found: regex::Captures<'_>| found[2].replace(&format!("\n{}", &found[1]), "\n").trim_start().to_owned();
    found.captures_iter(&readme).map(unindented).collect()
}

#[test]
fn its_configurations_load() {
    let blocks = blocks("toml");
    assert!(blocks.len() >= 4, "README shows no configurations any more");
    for block in blocks {
        let dir = scratch();
        for secret in all(r#"file = "([^"]+)""#, &block) {
            fs::write(dir.path().join(secret), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        }
        let file = dir.path().join("lanka.toml");
        fs::write(&file, &block).unwrap();
        let environment = environment(&[("EXCHANGE_DATABASE", "postgres://lanka@pbx.example.fi/asterisk")]);
        if let Err(problems) = Settings::load(&[file], &environment) {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            panic!("{}\n{block}", problems.join("\n"));
        }
    }
}

#[test]
fn its_commands_are_the_programs() {
    let named = all(r"(?m)^\| `([a-z]+)` \| .* \| `lanka ", &readme());
    let commands: BTreeSet<String> =
        Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
    assert_eq!(named, commands);
    for line in all(r"`lanka ([^`]+)`", &readme()) {
        let line = line.split(['>', '…']).next().unwrap_or_default();
        let words = line.split_whitespace();
        let parsed = Cli::command().try_get_matches_from(std::iter::once("lanka").chain(words));
        // A command named without its arguments is a name, not an example.
        let bare = line.split_whitespace().count() <= 2;
        assert!(bare || parsed.is_ok(), "`lanka {line}`: {}", parsed.unwrap_err());
    }
}

#[test]
fn its_metrics_and_alerts_are_the_programs() {
    let (readme, sources) = (readme(), sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")));
    let metrics = all(r#"metrics::(?:counter|gauge|histogram)!\(\s*"([a-z_]+)""#, &sources);
    let named = all(r"(?m)^\| `(lanka_[a-z_]+)", &readme);
    assert_eq!(named, metrics);
    for change in all(r#"rename = "((?:ticket|message|contact|suggestion)\.[a-z]+)""#, &sources) {
        assert!(readme.contains(&format!("`lanka.{change}`")), "README does not tell of {change}");
    }
    let tables = readme.split("### Logs").nth(1).unwrap_or_default();
    for code in all(r"(?m)^\| (`[a-z_]+`(?:, `[a-z_]+`)*) \|", tables).iter().flat_map(|codes| codes.split(", ")) {
        let code = code.trim_matches('`');
        assert!(code.starts_with("lanka_") || sources.contains(&format!("\"{code}\"")), "nothing in lanka says {code}");
    }
}

#[test]
fn its_two_commands_are_one_line_each() {
    let blocks = blocks("sh");
    assert_eq!(blocks[..2], [".ci/install && cargo run -- demo\n", ".ci/install && cargo test\n"]);
}
