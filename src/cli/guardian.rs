//! `tandem guardian RUN_ID`, hidden: the process that ends what a killed run leaves behind.

use std::io::{self, Write};
use std::process::ExitCode;

use nix::sys::signal::{SigSet, Signal};
use nix::unistd::setsid;

use crate::coordinator::guardian::{READY, watch};

/// Runs the guardian of a run on standard input until that closes and everything is cleaned up. To be called before
/// any thread is started: it blocks the signals that would end it.
pub fn run(run_id: &str) -> ExitCode {
    let signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT]);
    if let Err(error) = signals.thread_block() {
        eprintln!("the guardian cannot block signals: {error}");
        return ExitCode::from(2);
    }
    // It fails only for the leader of a process group, as one started by hand in a terminal is; all else still works.
    let _ = setsid();
    let mut output = io::stdout();
    if writeln!(output, "{READY}").and_then(|()| output.flush()).is_err() {
        // The coordinator is gone already; the end of input will say so.
    }
    let problems = watch(run_id, io::stdin().lock());
    for problem in &problems {
        eprintln!("{problem}");
    }
    if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
