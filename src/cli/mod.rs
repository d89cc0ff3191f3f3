//! The commands: one file each. This one parses the command line, dispatches, and turns errors into exit codes:
//! 0 done, 1 measured but something is wrong, 2 could not run, 130 interrupted.

/// Prints a line. Where nobody reads any more, as behind `| head`, nothing is lost but the line.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let written = writeln!(std::io::stdout(), $($text)*);
        if let Err(error) = written
            && error.kind() != std::io::ErrorKind::BrokenPipe
        {
            eprintln!("tandem: cannot write to standard output: {error}");
        }
    }};
}

mod ask;
mod clean;
mod cluster;
mod cluster_flags;
mod compare;
mod completions;
mod console_lines;
mod consume;
mod disk;
mod doctor;
mod exit;
mod gate;
mod guardian;
mod interrupt;
mod left;
mod limited;
mod list;
mod manual;
mod output_file;
mod places;
mod plan;
mod produce;
mod progress;
mod report;
mod run;
mod running_cluster;
mod runtime;
mod schema;
mod setting_flags;
mod source;
mod timeline;
mod topics;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::LazyLock;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, Parser, Subcommand};

use self::exit::{CANNOT, DONE};
use crate::scenario::processors;

/// The version, with the commit where the build knows it.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let commit = option_env!("TANDEM_COMMIT").filter(|commit| !commit.is_empty());
    let commit = commit.map_or(String::new(), |commit| format!(" ({commit})"));
    format!("{}{commit}", env!("CARGO_PKG_VERSION"))
});

/// One Kafka consumer process or two? Measures how the arrangement of consumers changes how fast they read.
#[derive(Debug, Parser)]
#[command(name = "tandem", version = VERSION.as_str(), max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios and report what they answer
    Run(run::Arguments),
    /// Show what a scenario would run, how long it would take, and check all that can be checked without starting
    Plan(plan::Arguments),
    /// List the scenarios that come with tandem, or lie in a folder, with their questions and costs
    List(list::Arguments),
    /// Make the report of a run again from its stored trials
    Report(report::Arguments),
    /// A Kafka cluster on this machine that stays until `down` ends it
    Cluster {
        #[command(subcommand)]
        command: cluster::Command,
    },
    /// Say why a cluster cannot be reached or used from here, and how to fix it
    Doctor(doctor::Arguments),
    /// List what tandem has left on a cluster and here, and delete it
    Clean(clean::Arguments),
    /// List, create, describe and delete topics by hand
    Topics {
        #[command(subcommand)]
        command: topics::Command,
    },
    /// Send the lines of standard input to a topic, a record for each, and show where each one went
    Produce(produce::Arguments),
    /// Show the records of a topic as they arrive, and which partition each one comes from
    Consume(consume::Arguments),
    /// Compare the results of runs: of another version, client, machine or setting
    Compare(compare::Arguments),
    /// Print the JSON Schema of scenario files
    Schema,
    /// Print the completions of the command line for a shell
    Completions(completions::Arguments),
    /// Write the manual pages, one for each command, into a folder
    #[command(visible_alias = "man")]
    Manual(manual::Arguments),
    /// Be a worker process (started by tandem itself, or by the launcher of a place)
    Worker {
        #[command(subcommand)]
        role: Role,
    },
    /// Clean up after a run that dies (started by tandem itself)
    #[command(hide = true)]
    Guardian {
        /// Id of the run
        run_id: String,
    },
}

/// What a worker does.
#[derive(Debug, Subcommand)]
enum Role {
    /// Read records; speaks JSON Lines on standard input and output
    Consumer {
        /// Processors to keep to, such as 0,2 or 0-3
        #[arg(long, value_name = "LIST", value_parser = cpus)]
        cpus: Option<BTreeSet<u32>>,
    },
    /// Send records by a schedule; speaks JSON Lines on standard input and output
    Producer,
    /// Sample this machine for a run whose coordinator is on another one
    Host,
    /// Wait in a pod while workers are started beside it; ends when it is asked to
    Idle {
        /// Ends after so many seconds all the same
        seconds: u64,
        /// Id of the run
        run_id: String,
    },
    /// Start a command under limits on this machine for a run whose coordinator is on another one
    Limited(limited::Arguments),
    /// Start a program that speaks nothing and watch it; speaks JSON Lines on standard input and output
    Observer {
        /// Processors to keep to, such as 0,2 or 0-3
        #[arg(long, value_name = "LIST", value_parser = cpus)]
        cpus: Option<BTreeSet<u32>>,
        /// Fail at once if there is no such program
        #[arg(long, value_name = "NAME")]
        program: Option<PathBuf>,
    },
}

/// Suggests a flag as the help has it: a key's own name, with `_`, is accepted without being listed.
fn with_public_flag(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(flag)) = error.get(ContextKind::SuggestedArg) {
        let public = ContextValue::String(flag.replace('_', "-"));
        error.insert(ContextKind::SuggestedArg, public);
    }
    error
}

/// The processors of a place.
fn cpus(list: &str) -> Result<BTreeSet<u32>, String> {
    processors(list).ok_or_else(|| "write processors as in 0,2 or 0-3".to_owned())
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let command_line = CommandLine::try_parse().unwrap_or_else(|error| with_public_flag(error).exit());
    let result = match command_line.command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::List(arguments) => list::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Cluster { command } => cluster::run(&command),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Clean(arguments) => clean::run(&arguments),
        Command::Topics { command } => topics::run(&command),
        Command::Produce(arguments) => produce::run(&arguments),
        Command::Consume(arguments) => consume::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Schema => schema::run().map(|()| DONE),
        Command::Completions(arguments) => completions::run(&arguments, CommandLine::command()),
        Command::Manual(arguments) => manual::run(&arguments, CommandLine::command()),
        Command::Worker {
            role: Role::Consumer { cpus },
        } => return crate::worker::run_consumer(cpus.as_ref()),
        Command::Worker {
            role: Role::Observer { cpus, program },
        } => return crate::worker::run_observer(cpus.as_ref(), program.as_deref()),
        Command::Worker { role: Role::Host } => return crate::worker::run_host(),
        Command::Worker {
            role: Role::Idle { seconds, run_id },
        } => return crate::worker::run_idle(seconds, run_id),
        Command::Worker {
            role: Role::Limited(arguments),
        } => return limited::run(&arguments),
        Command::Worker { role: Role::Producer } => return crate::worker::run_producer(),
        Command::Guardian { run_id } => return guardian::run(&run_id),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        // Whoever reads our output has had enough, as `head` has: no error of ours.
        Err(error) if is_broken_pipe(&error) => ExitCode::from(DONE),
        Err(error) => {
            // `2>&1 | head` may have read enough of it.
            let _ = writeln!(std::io::stderr(), "tandem: {error:#}");
            ExitCode::from(CANNOT)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    causes.any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}
