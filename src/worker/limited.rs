//! Starts a command under the limits of a place on this machine, for a run whose coordinator is on another one: makes the
//! control groups of the process, and removes them when it has ended.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitCode, ExitStatus};

use crate::measure::limits::{Allowance, Kernel, RunGroups, memory_kill};

/// By this exit code of `sh`, and of this program, it could not be begun.
const NOT_BEGUN: u8 = 126;

/// A command and its limits.
pub struct Limited<'a> {
    /// Id of the run.
    pub run_id: &'a str,
    /// Name of the place.
    pub place: &'a str,
    /// Number of the process at the place.
    pub number: usize,
    /// What it may use.
    pub allowance: Allowance,
    /// The program and its arguments.
    pub command: &'a [String],
}

/// Runs until the command ends, and ends as it did: with its exit code, or with 128 and the signal that ended it.
pub fn run_limited(order: &Limited<'_>) -> ExitCode {
    match order.run() {
        Ok(code) => ExitCode::from(code),
        Err(cause) => {
            eprintln!("tandem worker: {cause}");
            ExitCode::from(NOT_BEGUN)
        }
    }
}

impl Limited<'_> {
    fn run(&self) -> Result<u8, String> {
        let groups = RunGroups::find(&Kernel::running(), self.run_id, self.allowance)?;
        let group = groups.of_process_alone(self.place, self.number, self.allowance);
        let ended = group.and_then(|group| {
            let words = [group.enter(), self.command.to_vec()].concat();
            let ended = to_its_end(&words);
            if group.was_killed() {
                eprintln!("{}", memory_kill(self.place, self.allowance.memory_bytes));
            }
            // What cannot be removed is left to the process that samples this machine.
            let _ = group.remove();
            ended
        });
        groups.remove_if_unused();
        ended.map(exit_code)
    }
}

/// The command leads a process group of its own, so that a signal to it reaches all that it has started and not this
/// process, which has to outlive it.
fn to_its_end(words: &[String]) -> Result<ExitStatus, String> {
    let (program, arguments) = words.split_first().ok_or("there is no command")?;
    let mut command = Command::new(program);
    let child = command.args(arguments).process_group(0).spawn();
    let ended = child.and_then(|mut child| child.wait());
    ended.map_err(|error| format!("cannot start {program}: {error}"))
}

fn exit_code(ended: ExitStatus) -> u8 {
    let by_signal = ended.signal().map(|signal| 128 + signal);
    let code = ended.code().or(by_signal).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn it_ends_as_its_command_did() {
        let code = |script: &str| {
            let words = ["sh", "-c", script].map(str::to_owned);
            to_its_end(&words).map(exit_code)
        };
        assert_eq!((code("exit 7"), code("kill -KILL $$")), (Ok(7), Ok(137)));
        let missing = to_its_end(&["/no/such/program".to_owned()]).unwrap_err();
        assert!(missing.starts_with("cannot start /no/such/program: "), "{missing}");
    }
}
