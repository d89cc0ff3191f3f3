//! The commands: one file each. Parses the command line, dispatches, and turns errors into exit codes.

use std::process::ExitCode;

/// Runs the command line.
pub fn main() -> ExitCode {
    crate::worker::run_consumer()
}
