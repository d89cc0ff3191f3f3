//! Programs that were observed in a trial: how what is left of them is ended, with the files that were written for them.
//! Their observers may have been killed.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::tree::{PROGRAM_VARIABLE, marked};

/// Start of the names of files that observers of a run write for their programs.
pub fn program_files(run_id: &str) -> String {
    format!("tandem-program-{run_id}-")
}

/// Kills what is left on this machine of programs of a run whose members' names begin with `trial`, and removes their files.
pub fn end_programs(run_id: &str, trial: &str) {
    for pid in marked(PROGRAM_VARIABLE, |member| member.starts_with(trial)) {
        // It may have ended in this moment.
        let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
    }
    remove_program_files(run_id);
}

/// Removes the files of a run's programs, which may hold secrets.
pub fn remove_program_files(run_id: &str) {
    let prefix = program_files(run_id);
    let files = fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten();
    for file in files.filter(|file| file.file_name().to_string_lossy().starts_with(&prefix)) {
        // It may have been removed in this moment.
        let _ = fs::remove_file(file.path());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{end_programs, program_files};

    #[test]
    fn files_that_a_run_wrote_for_programs_are_removed_and_those_of_others_are_not() {
        let file = |run: &str| {
            let path = std::env::temp_dir().join(format!("{}x.properties", program_files(run)));
            std::fs::write(&path, "sasl.password=secret").unwrap();
            path
        };
        let id = std::process::id();
        let (run, other) = (format!("own-files-{id}"), format!("others-files-{id}"));
        let (own, of_other) = (file(&run), file(&other));
        end_programs(&run, "no-member-");
        assert!(!own.exists() && of_other.exists());
        end_programs(&other, "no-member-");
        assert!(!of_other.exists());
    }
}
