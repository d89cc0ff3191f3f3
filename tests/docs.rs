//! The documents say what the program does: their examples are read by the program's own types.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::process::Command;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Deserializer, Value};
use tandem::protocol::{FromWorker, PROTOCOL_VERSION, ToWorker};
use tandem::scenario::{SHIPPED, parse};

const PROTOCOL: &str = include_str!("../docs/protocol.md");

const TO_WORKER: [&str; 9] = [
    "calibrate",
    "exit",
    "ping",
    "prepare",
    "prepare_producer",
    "query_assignments",
    "start",
    "stop",
    "subscribe",
];
const FROM_WORKER: [&str; 11] = [
    "assignments",
    "calibrated",
    "failed",
    "hello",
    "producer_progress",
    "producer_result",
    "progress",
    "ready",
    "reported",
    "result",
    "seconds",
];

/// The contents of all fenced blocks of this language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    text.split(&fence)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

/// Every message of the JSON blocks; a block may hold several.
fn examples() -> Vec<Value> {
    let values = blocks(PROTOCOL, "json").into_iter().flat_map(|block| {
        Deserializer::from_str(block)
            .into_iter()
            .map(move |value| value.unwrap_or_else(|error| panic!("{error} in:\n{block}")))
    });
    values.collect()
}

/// What is in `example` but not in `known`, as a path; a default that the type adds is no difference.
fn unknown(example: &Value, known: &Value, path: &str) -> Option<String> {
    match (example, known) {
        (Value::Object(example), Value::Object(known)) => example.iter().find_map(|(key, value)| {
            let path = format!("{path}.{key}");
            match known.get(key) {
                None => Some(path),
                Some(known) => unknown(value, known, &path),
            }
        }),
        (Value::Array(example), Value::Array(known)) => (example.iter().zip(known).enumerate())
            .find_map(|(index, (value, known))| unknown(value, known, &format!("{path}[{index}]"))),
        _ => (example != known).then(|| path.to_owned()),
    }
}

/// Fails unless the type reads all of the example.
fn check<T: Serialize + DeserializeOwned>(example: &Value) {
    let message: T = serde_json::from_value(example.clone()).unwrap_or_else(|error| panic!("{error} in {example}"));
    let known = serde_json::to_value(&message).unwrap();
    assert_eq!(unknown(example, &known, "message"), None, "no field of the protocol");
}

#[test]
fn every_message_of_the_protocols_document_is_one_of_the_program() {
    let mut seen = BTreeSet::new();
    for example in examples() {
        let kind = example["type"].as_str().expect("a message has a type").to_owned();
        if TO_WORKER.contains(&kind.as_str()) {
            check::<ToWorker>(&example);
        } else {
            check::<FromWorker>(&example);
        }
        seen.insert(kind);
    }
    let all: BTreeSet<String> = TO_WORKER
        .iter()
        .chain(&FROM_WORKER)
        .map(|&kind| kind.to_owned())
        .collect();
    assert_eq!(seen, all, "messages with an example and messages that there are");
}

#[test]
fn the_version_is_documented() {
    let version = format!("It is version {PROTOCOL_VERSION} of the protocol");
    assert!(PROTOCOL.contains(&version), "{version}");
}

#[test]
fn the_documents_link_to_files_that_exist() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/ci.md",
        "docs/compare.md",
        "docs/containers.md",
        "docs/latency.md",
        "docs/method.md",
        "docs/performance.md",
        "docs/protocol.md",
        "docs/results.md",
        "docs/scenarios.md",
    ] {
        let text = std::fs::read_to_string(root.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap();
            // The picture is made with the reference run; where that is not stored there is no picture either.
            let awaits_the_run = file == "docs/images/report.png" && !root.join("results/reference").exists();
            if file.is_empty() || file.contains("://") || awaits_the_run {
                continue;
            }
            let folder = root.join(name);
            let path = folder.parent().unwrap().join(file);
            assert!(path.exists(), "{name} links to {target}");
        }
    }
}

#[test]
fn the_readme_has_every_flag_of_every_command() {
    let readme = include_str!("../README.md");
    for command in ["run", "plan", "report", "compare", "schema", "completions", "manual"] {
        let help = Command::new(env!("CARGO_BIN_EXE_tandem"))
            .args([command, "--help"])
            .output()
            .unwrap();
        assert!(readme.contains(&format!("`tandem {command}")), "{command}");
        let help = String::from_utf8(help.stdout).unwrap();
        let flags = help
            .split_whitespace()
            .filter(|word| word.starts_with("--") && *word != "--help");
        for flag in flags {
            let flag = flag.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            assert!(readme.contains(flag), "{command} takes {flag}");
        }
    }
}

#[test]
fn the_exit_codes_of_every_command_are_documented() {
    let page = include_str!("../docs/ci.md");
    let table = page.split("## Exit codes\n").nth(1).unwrap();
    let table = table.split("\n## ").next().unwrap();
    let help = Command::new(env!("CARGO_BIN_EXE_tandem"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let commands = help.split("Commands:\n").nth(1).unwrap();
    let commands = commands.split("\n\n").next().unwrap();
    let names: BTreeSet<String> = commands
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(|name| format!("| `tandem {name}` |"))
        .collect();
    let rows: BTreeSet<String> = table
        .lines()
        .filter(|line| line.starts_with("| `tandem "))
        .map(|line| format!("|{}|", line.split('|').nth(1).unwrap()))
        .collect();
    assert!(names.len() > 10);
    assert_eq!(names, rows);
}

#[test]
fn the_scenarios_of_the_readme_are_valid_and_the_shipped_ones_named() {
    let readme = include_str!("../README.md");
    let examples = blocks(readme, "toml");
    assert!(!examples.is_empty());
    for example in examples {
        if let Err(errors) = parse("readme", "README.md", example) {
            panic!("{errors:?}");
        }
    }
    for (name, text) in SHIPPED {
        let question = parse(name, name, text).unwrap().question;
        assert!(
            readme.contains(&format!("| `{name}` | {question} |")),
            "{name}: {question}"
        );
    }
}
