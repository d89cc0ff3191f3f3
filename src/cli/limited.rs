//! `tandem worker limited`: a command under limits on this machine.

use std::process::ExitCode;

use clap::Args;

use crate::measure::limits::Allowance;
use crate::worker::{Limited, run_limited};

/// What `tandem worker limited` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Id of the run
    #[arg(long)]
    run: String,
    /// Name of the place
    #[arg(long)]
    place: String,
    /// Number of the process at the place
    #[arg(long)]
    number: usize,
    /// Thousandths of a core that it may use
    #[arg(long)]
    cpu_millicores: Option<u32>,
    /// Bytes of memory that it may use
    #[arg(long)]
    memory_bytes: Option<u64>,
    /// The program and its arguments
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    run_limited(&Limited {
        run_id: &arguments.run,
        place: &arguments.place,
        number: arguments.number,
        allowance: Allowance {
            cpu_millicores: arguments.cpu_millicores,
            memory_bytes: arguments.memory_bytes,
        },
        command: &arguments.command,
    })
}
