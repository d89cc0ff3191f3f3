//! cli

pub mod guardian;

use std::process::ExitCode;

/// Runs the command line.
pub fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("guardian"), Some(run_id)) => guardian::run(&run_id),
        _ => ExitCode::SUCCESS,
    }
}
