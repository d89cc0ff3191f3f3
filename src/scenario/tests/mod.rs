//! Tests of the module from end to end: from text to scenario or to errors.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod across;
mod apps;
mod documents;
mod errors;
mod events;
mod expansion;
mod filling;
mod generated;
mod loading;
mod loads;
mod metric;
mod nothing_compared;
mod quick;
mod repetitions;
mod secrets;
mod selection;
mod store;
mod variants;

use super::parse;
use crate::testing::scenario;

/// The errors of such a text as plain lines.
fn errors(text: &str) -> String {
    let text = format!("question = \"?\"\n{text}");
    match parse("test", "test.toml", &text) {
        Ok(scenario) => panic!("accepted: {scenario:#?}"),
        Err(errors) => errors.plain(),
    }
}

/// Wrong files, each with what is said about it.
fn said(files: &[&str]) -> String {
    let entry = |file: &&str| {
        let indented: Vec<String> = file.lines().map(|line| format!("  | {line}\n")).collect();
        format!("{}{}\n", indented.concat(), errors(file))
    };
    files.iter().map(entry).collect()
}
