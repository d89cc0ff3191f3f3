//! The documents say what the program does: their examples are read by the program's own types.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Deserializer, Value};
use tandem::protocol::{FromWorker, PROTOCOL_VERSION, ToWorker};
use tandem::scenario::{SHIPPED, parse};

const PROTOCOL: &str = include_str!("../docs/protocol.md");
const CONTRIBUTING: &str = include_str!("../CONTRIBUTING.md");

const TO_WORKER: [&str; 10] = [
    "calibrate",
    "exit",
    "ping",
    "prepare",
    "prepare_producer",
    "query_assignments",
    "query_clock",
    "start",
    "stop",
    "subscribe",
];
const FROM_WORKER: [&str; 14] = [
    "assignments",
    "began",
    "calibrated",
    "clock",
    "failed",
    "hello",
    "producer_progress",
    "producer_result",
    "progress",
    "ready",
    "reported",
    "result",
    "seconds",
    "unanswered",
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
    let mut documented = BTreeSet::new();
    for example in examples() {
        let kind = example["type"].as_str().expect("a message has a type").to_owned();
        if TO_WORKER.contains(&kind.as_str()) {
            check::<ToWorker>(&example);
        } else {
            check::<FromWorker>(&example);
        }
        documented.insert(kind);
    }
    let all: BTreeSet<String> = TO_WORKER
        .iter()
        .chain(&FROM_WORKER)
        .map(|&kind| kind.to_owned())
        .collect();
    assert_eq!(documented, all, "messages with an example and messages that there are");
}

#[test]
fn the_version_is_documented() {
    let version = format!("It is version {PROTOCOL_VERSION} of the protocol");
    assert!(PROTOCOL.contains(&version), "{version}");
}

#[test]
fn the_documents_link_to_files_that_exist() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, text) in documents() {
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap();
            // The picture is made with the reference run; where that is not stored there is no picture either.
            let awaits_the_run = file == "docs/images/report.png" && !root.join("results/reference").exists();
            if file.is_empty() || file.contains("://") || awaits_the_run {
                continue;
            }
            let folder = root.join(&name);
            let path = folder.parent().unwrap().join(file);
            assert!(path.exists(), "{name} links to {target}");
        }
    }
}

/// The text between backticks of a line, in order.
fn quoted(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_map_of_the_source_names_files_and_items_that_exist() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let map = CONTRIBUTING.split("## Where to find\n").nth(1).unwrap();
    let map = map.split("\n## ").next().unwrap();
    let mut items = 0;
    for line in map.lines() {
        let quoted = quoted(line);
        for path in quoted.iter().filter(|text| text.starts_with("src/")) {
            assert!(root.join(path).exists(), "{path} in: {line}");
        }
        for pair in quoted.windows(2) {
            if line.contains(&format!("`{}` in `{}`", pair[0], pair[1])) {
                let source = std::fs::read_to_string(root.join(pair[1])).unwrap();
                let name = pair[0].trim_start_matches("fn ");
                let keywords = ["fn ", "struct ", "enum ", "trait ", "const ", "static "];
                let is_declared = keywords
                    .iter()
                    .any(|keyword| source.contains(&format!("{keyword}{name}")));
                let is_filled = name.ends_with('!') && source.contains(&format!("\n{name} {{"));
                assert!(is_declared || is_filled, "{} does not declare {name}", pair[1]);
                items += 1;
            }
        }
    }
    assert!(items >= 8, "{items} items in the map");
}

/// The rows of a count by folder: folder and number.
fn counts(table: &str) -> BTreeMap<&str, usize> {
    let rows = table.lines().filter_map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        Some((*cells.get(1)?, cells.get(2)?.parse().ok()?))
    });
    rows.collect()
}

#[test]
fn private_words_do_not_become_more() {
    let output = Command::new("scripts/plain-english")
        .arg("--folders")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    let recorded = CONTRIBUTING.split("<!-- made: plain English -->").nth(1).unwrap();
    let recorded = recorded.split("<!-- end -->").next().unwrap();
    let (counted, recorded) = (counts(&table), counts(recorded));
    assert!(recorded.contains_key("all"), "CONTRIBUTING.md has no count");
    // Folder by folder: a rise in one is not made up for by a fall in another.
    for (folder, count) in counted {
        let recorded = recorded.get(folder).copied().unwrap_or(0);
        assert!(
            count <= recorded,
            "{folder}: {count} private words, {recorded} in CONTRIBUTING.md (section Plain English); \
             scripts/plain-english lists them by file, and --write records the count"
        );
    }
}

#[test]
fn the_page_of_commands_has_every_flag_of_every_command() {
    let page = include_str!("../docs/commands.md");
    for command in [
        "run",
        "plan",
        "list",
        "report",
        "compare",
        "schema",
        "completions",
        "manual",
    ] {
        let help = Command::new(env!("CARGO_BIN_EXE_tandem"))
            .args([command, "--help"])
            .output()
            .unwrap();
        assert!(page.contains(&format!("`tandem {command}")), "{command}");
        let help = String::from_utf8(help.stdout).unwrap();
        // The flags of keys are in scenarios.md, as the keys.
        let own = help.split("\nInstead of FILE").next().unwrap();
        let flags = own
            .split_whitespace()
            .filter(|word| word.starts_with("--") && *word != "--help");
        for flag in flags {
            let flag = flag.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            assert!(page.contains(flag), "{command} takes {flag}");
        }
    }
}

#[test]
fn the_script_bench_knows_which_flags_of_run_take_a_value() {
    let script = include_str!("../scripts/bench");
    let listed = |name: &str| -> BTreeSet<&str> {
        let mut lines = script.lines();
        let list = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix("='"));
        list.unwrap().trim_end_matches('\'').split(' ').collect()
    };
    let help = Command::new(env!("CARGO_BIN_EXE_tandem")).args(["run", "-h"]).output();
    let help = String::from_utf8(help.unwrap().stdout).unwrap();
    let (mut alone, mut with_value) = (BTreeSet::new(), BTreeSet::new());
    for line in help
        .lines()
        .filter(|line| line.trim_start().starts_with('-') && !line.starts_with("       "))
    {
        let words: Vec<&str> = line.split_whitespace().map(|word| word.trim_end_matches(',')).collect();
        let flags = words.iter().take_while(|word| word.starts_with('-'));
        let takes_value = words[flags.clone().count()..]
            .first()
            .is_some_and(|word| word.starts_with('<'));
        let list = if takes_value { &mut with_value } else { &mut alone };
        list.extend(flags.copied());
    }
    assert_eq!(listed("alone"), alone);
    assert_eq!(listed("with_value"), with_value);
}

/// The documents that people read, with their text.
fn documents() -> Vec<(String, String)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = std::fs::read_dir(root.join("docs")).unwrap();
    let pages = pages.map(|entry| entry.unwrap().path());
    let pages = pages.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let pages = pages.map(|path| path.strip_prefix(root).unwrap().display().to_string());
    let others = [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "scripts/evidence/README.md",
    ];
    let names = pages.chain(others.map(str::to_owned));
    names
        .map(|name| {
            let text = std::fs::read_to_string(root.join(&name)).unwrap();
            (name, text)
        })
        .collect()
}

/// Every `tandem NAME ...` in a document, in a block of commands or between backticks.
fn commands(text: &str) -> Vec<String> {
    let lines = blocks(text, "sh").into_iter().flat_map(str::lines).map(str::to_owned);
    let prose = text
        .split("```")
        .step_by(2)
        .flat_map(quoted)
        .map(|span| span.replace('\n', " "));
    let starts = |command: &String| command.starts_with("tandem ") && !command.starts_with("tandem worker");
    lines.chain(prose).filter(starts).collect()
}

#[test]
fn the_commands_in_the_documents_have_the_flags_that_the_program_has() {
    let mut help: BTreeMap<String, String> = BTreeMap::new();
    let mut checked = 0;
    for (name, text) in documents() {
        for command in commands(&text) {
            let own = command.split([';', '|', '>', '#', '&']).next().unwrap();
            let words: Vec<&str> = own.split_whitespace().skip(1).collect();
            let depth = if ["cluster", "topics"].contains(&words[0]) {
                2
            } else {
                1
            };
            let is_name = |word: &&&str| word.chars().all(|c| c.is_ascii_lowercase());
            let path: Vec<&str> = words.iter().take(depth).take_while(is_name).copied().collect();
            let help = help.entry(path.join(" ")).or_insert_with(|| {
                let tandem = Command::new(env!("CARGO_BIN_EXE_tandem"))
                    .args(&path)
                    .arg("--help")
                    .output();
                let output = tandem.unwrap();
                assert!(output.status.success(), "{name}: {command}");
                String::from_utf8(output.stdout).unwrap()
            });
            for flag in words.iter().filter(|word| word.starts_with("--")) {
                let flag = flag.trim_matches(|c: char| c != '-' && !c.is_ascii_alphanumeric());
                assert!(help.contains(flag), "{name}: {command}: no {flag}");
                checked += 1;
            }
        }
    }
    assert!(checked > 50, "{checked} flags");
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
fn every_question_of_the_page_is_a_command_or_a_file_that_is_valid() {
    let page = include_str!("../docs/questions.md");
    let sections: Vec<&str> = page.split("\n## ").skip(1).collect();
    assert_eq!(sections.len(), 7);
    for section in sections {
        let heading = section.lines().next().unwrap();
        let (files, commands) = (blocks(section, "toml"), blocks(section, "sh"));
        assert_eq!(files.len() + commands.len(), 1, "{heading}");
        assert!(section.contains("\n> "), "{heading} has no answer");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        let command = match files.first() {
            Some(file) => {
                std::fs::write(&path, file).unwrap();
                "tandem run mine.toml".to_owned()
            }
            None => commands[0].to_owned(),
        };
        // Planning reads what running would, and starts nothing. Words in double quotes are one.
        let words = command.trim().split('"').enumerate().flat_map(|(index, part)| {
            let in_quotes = index % 2 == 1;
            let words: Vec<&str> = if in_quotes {
                vec![part]
            } else {
                part.split_whitespace().collect()
            };
            words.into_iter().map(str::to_owned).collect::<Vec<_>>()
        });
        let words: Vec<String> = words.skip(2).collect();
        let output = Command::new(env!("CARGO_BIN_EXE_tandem"))
            .arg("plan")
            .args(words)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{heading}: {said}");
        let plan = String::from_utf8_lossy(&output.stdout);
        assert!(!plan.contains("nothing will be compared"), "{heading}: {plan}");
    }
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
