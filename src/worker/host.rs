//! Samples the machine of worker processes for a run whose coordinator is on another one: says what the machine is, and
//! answers each question with how far it has come.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use crate::measure::{HostFacts, HostReading, RunMark};
use crate::protocol::SILENCE_LIMIT_MS;

/// Runs until the end of its input, or a silence of [`SILENCE_LIMIT_MS`]. An empty line is a sign of life; any other is the
/// mark of the run, and is answered by a reading.
pub fn run_host() -> ExitCode {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let facts = serde_json::to_string(&HostFacts::of_this_machine());
    if facts.is_err() || facts.is_ok_and(|facts| !say(&facts)) {
        return ExitCode::FAILURE;
    }
    while let Ok(line) = lines.recv_timeout(Duration::from_millis(SILENCE_LIMIT_MS)) {
        if line.is_empty() {
            continue;
        }
        let Ok(mark) = serde_json::from_str::<RunMark>(&line) else {
            eprintln!("tandem worker: a line is not the mark of a run");
            return ExitCode::FAILURE;
        };
        let answer = serde_json::to_string(&HostReading::take(&mark));
        if answer.is_err() || answer.is_ok_and(|answer| !say(&answer)) {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Writes a line; false when nobody reads any more.
fn say(line: &str) -> bool {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}").and_then(|()| output.flush()).is_ok()
}
