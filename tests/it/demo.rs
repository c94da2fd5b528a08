//! `lanka demo`, as a newcomer runs it: the real program, and nothing left of it.

use crate::support::scratch;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The demo, with all that it makes in a directory of the test's.
fn demo(dir: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_lanka"))
        .arg("demo")
        .env("TMPDIR", dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program")
}

/// Nothing is in the directory, and no process names it: no Postgres is left.
fn assert_nothing_is_left(dir: &Path) {
    let left: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
    let name = dir.file_name().unwrap().to_str().unwrap();
    for process in fs::read_dir("/proc").unwrap().flatten() {
        // A process may end between the two looks.
        let command = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        assert!(!command.contains(name), "{} still runs: {command}", process.path().display());
    }
}

/// Lines in which a text occurs.
fn lines_with(text: &str, wanted: &str) -> usize {
    text.lines().filter(|line| line.contains(wanted)).count()
}

#[test]
fn the_demo_ends_in_one_ticket_and_then_in_a_suggestion() {
    let dir = scratch();
    let output = demo(dir.path()).wait_with_output().unwrap();
    let (said, complained) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{complained}\n{said}");
    assert_eq!(complained, "");
    let (first, second) = said.split_once("2. The same").unwrap_or_else(|| panic!("no second story: {said}"));

    assert!(first.contains("One contact, one ticket."), "{first}");
    assert_eq!(lines_with(first, "  Ticket #"), 1, "{first}");
    for channel in ["facebook", "mail", "phone"] {
        assert!(
            first.lines().any(|line| line.contains(&format!("  {channel}")) && line.contains("Minna")),
            "{channel}: {first}"
        );
    }

    let (_, answered) = first.split_once("One contact, one ticket.").unwrap();
    assert!(answered.contains("over SMTP, to minna.lehtoranta@posti.example"), "{answered}");
    assert_eq!(lines_with(answered, "  mail "), 2, "the answer and what she says to it: {answered}");
    assert!(answered.contains("The same ticket."), "{answered}");

    assert!(second.contains("Two contacts, two tickets, and a suggestion"), "{second}");
    assert!(second.contains("This is right."), "{second}");
    assert_eq!(lines_with(second, "  Ticket #"), 2, "{second}");
    let told: Vec<&str> = second.split_whitespace().collect();
    assert!(told.join(" ").contains("1 × suggestion.made"), "{second}");

    let decisions = lines_with(&said, "      why  ");
    assert!(decisions >= 6, "every message says why it is where it is: {decisions}\n{said}");
    for line in said.lines() {
        assert!(line.chars().count() <= 100, "longer than 100 columns: {line}");
        assert!(!line.contains('\x1b'), "colours, and there is no terminal: {line}");
    }
    assert_nothing_is_left(dir.path());
}

#[test]
fn an_interrupted_demo_leaves_nothing_either() {
    // Interrupted while Postgres is made, and in the middle of the play.
    for seen in ["A private Postgres", "A complaint by mail"] {
        let dir = scratch();
        let mut child = demo(dir.path());
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains(seen) {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "the demo ended before {seen}");
        }
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        let began = Instant::now();
        said.read_to_string(&mut line).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(1), "{seen}");
        assert!(began.elapsed() < Duration::from_secs(60), "{seen}: it took {:?} to end", began.elapsed());
        assert_nothing_is_left(dir.path());
    }
}

#[test]
fn a_demo_takes_no_configuration_and_prints_no_json() {
    for arguments in [["--format", "json"], ["--config", "/dev/null"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_lanka")).arg("demo").args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(arguments[0]), "{arguments:?}");
    }
}

#[test]
fn a_killed_demo_is_cleared_away_by_the_next() {
    let dir = scratch();
    let mut child = demo(dir.path());
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("A complaint by mail") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "the demo ended");
    }
    // The demo beside it must be left alone.
    let mut beside = demo(dir.path());
    let mut told = BufReader::new(beside.stdout.take().unwrap());
    told.read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    told.read_to_string(&mut line).unwrap();
    assert!(beside.wait().unwrap().success(), "{line}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "what the killed one left");
    let output = demo(dir.path()).wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_nothing_is_left(dir.path());
}
