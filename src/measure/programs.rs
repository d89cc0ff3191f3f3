//! Programs that were observed in a trial: how what is left of them is ended, with the files that were written for them.
//! Their observers may have been killed.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::tree::{OBSERVER_VARIABLE, PROGRAM_VARIABLE, marked, start_time};

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

/// How the names of files begin that this process, an observer, writes for its program; `prefix` is that of its run.
pub fn observer_files(prefix: &str) -> String {
    let pid = std::process::id();
    format!("{prefix}{pid}-{}-", start_time(pid).unwrap_or_default())
}

/// Kills what is left of programs of a run whose observers here have ended, and removes their files.
pub fn end_abandoned_programs(run_id: &str) {
    let prefix = program_files(run_id);
    let is_abandoned = |name: &str| name.strip_prefix(&prefix).is_some_and(|rest| !is_observed(rest));
    for pid in marked(OBSERVER_VARIABLE, is_abandoned) {
        // It may have ended in this moment.
        let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
    }
    remove_files(is_abandoned);
}

/// True if the observer still runs whose process id and start this begins with, as [`observer_files`] writes them.
fn is_observed(name: &str) -> bool {
    let mut parts = name.split('-');
    let started = parts.next().and_then(|pid| start_time(pid.parse().ok()?));
    started.is_some_and(|started| parts.next() == Some(&started))
}

/// Removes the files of a run's programs, which may hold secrets.
pub fn remove_program_files(run_id: &str) {
    let prefix = program_files(run_id);
    remove_files(|name| name.starts_with(&prefix));
}

/// Removes temporary files whose names are `unwanted`.
fn remove_files(unwanted: impl Fn(&str) -> bool) {
    let files = fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten();
    for file in files.filter(|file| unwanted(&file.file_name().to_string_lossy())) {
        // It may have been removed in this moment.
        let _ = fs::remove_file(file.path());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::process::Command;

    use super::{OBSERVER_VARIABLE, end_abandoned_programs, end_programs, observer_files, program_files};

    #[test]
    fn a_program_goes_with_its_file_once_its_observer_has_ended_and_not_before() {
        let run = format!("abandoned-{}", std::process::id());
        let prefix = program_files(&run);
        // This process is the one observer; the other had its id before.
        let observers = [observer_files(&prefix), format!("{prefix}{}-1-", std::process::id())];
        let start = |observer: &String| {
            let file = std::env::temp_dir().join(format!("{observer}x.properties"));
            std::fs::write(&file, "sasl.password=secret").unwrap();
            let program = Command::new("sleep").arg("60").env(OBSERVER_VARIABLE, observer).spawn();
            (program.unwrap(), file)
        };
        let [(mut observed, file), (mut abandoned, its_file)] = observers.each_ref().map(start);
        end_abandoned_programs(&run);
        assert!(!abandoned.wait().unwrap().success() && !its_file.exists());
        assert!(observed.try_wait().unwrap().is_none() && file.exists());
        observed.kill().unwrap();
        observed.wait().unwrap();
        std::fs::remove_file(file).unwrap();
    }

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
