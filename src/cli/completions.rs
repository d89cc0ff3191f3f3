//! `tandem completions`: prints what a shell needs to complete the command line.

use std::io::Write as _;

use anyhow::{Context, Result};
use clap_complete::Shell;

use super::exit::DONE;

/// What `tandem completions` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Load them as in: source <(tandem completions bash)")]
pub(super) struct Arguments {
    /// The shell
    shell: Shell,
}

/// Prints the completions of a command line on standard output.
pub(super) fn run(arguments: &Arguments, mut command_line: clap::Command) -> Result<u8> {
    let name = command_line.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command_line, name, &mut script);
    let written = std::io::stdout().lock().write_all(&script);
    written.context("cannot write to standard output")?;
    Ok(DONE)
}
