//! Processes as the kernel knows them: told apart even where a process id is used again, found by the mark of a run,
//! ended without mercy.

use std::collections::BTreeSet;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::kafka::local::RUN_VARIABLE;

/// Pause between two looks at processes that are ending.
const PAUSE: Duration = Duration::from_millis(20);

/// For this long no process of the run may be seen before it is believed that there is none: one that was just being
/// started when its parent died carries the run's mark only after its `exec`.
const QUIET: Duration = Duration::from_millis(150);

/// A process: its id, and when it started in clock ticks since boot, because ids are used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// Process id.
    pub pid: u32,
    /// Field 22 of `/proc/PID/stat`.
    pub start_time: u64,
}

impl ProcessIdentity {
    /// The process that has this id now; `None` where there is none, or only its exit status is left.
    pub fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name stands in parentheses and may hold anything, parentheses and spaces too.
        let (_, fields) = stat.rsplit_once(") ")?;
        let mut fields = fields.split(' ');
        if matches!(fields.next()?, "Z" | "X") {
            return None;
        }
        // The state is field 3, so that 18 more stand between it and field 22.
        Some(ProcessIdentity {
            pid,
            start_time: fields.nth(18)?.parse().ok()?,
        })
    }

    /// This process.
    pub fn current() -> Option<Self> {
        Self::of(std::process::id())
    }

    /// True while this very process runs.
    pub fn is_running(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// Kills it (SIGKILL), if it still runs.
    fn kill(self) {
        if self.is_running() {
            // One that ended in this moment is what was wanted.
            let _ = kill(Pid::from_raw(self.pid.cast_signed()), Signal::SIGKILL);
        }
    }
}

/// Running processes of this user that carry the mark of the run, this one left out.
fn of_run(run_id: &str) -> Vec<ProcessIdentity> {
    let mark = format!("{RUN_VARIABLE}={run_id}").into_bytes();
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| *pid != std::process::id())
        .filter(|pid| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == mark)
        })
        .filter_map(ProcessIdentity::of)
        .collect()
}

/// Kills these processes and all that carry the mark of the run, and waits until they are gone, for at most `limit`.
/// Returns those that still run.
pub fn end_all(run_id: &str, known: &BTreeSet<ProcessIdentity>, limit: Duration) -> Vec<ProcessIdentity> {
    let deadline = Instant::now() + limit;
    let mut quiet_since = None;
    loop {
        let mut running: BTreeSet<_> = known.iter().copied().filter(|process| process.is_running()).collect();
        running.extend(of_run(run_id));
        for process in &running {
            process.kill();
        }
        let now = Instant::now();
        if running.is_empty() {
            let since = *quiet_since.get_or_insert(now);
            if now - since >= QUIET {
                return Vec::new();
            }
        } else {
            quiet_since = None;
            if now >= deadline {
                return running.into_iter().collect();
            }
        }
        sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::collections::BTreeSet;
    use std::process::Command;
    use std::time::Duration;

    use super::{ProcessIdentity, end_all};
    use crate::kafka::local::RUN_VARIABLE;

    #[test]
    fn a_process_is_known_while_it_runs_and_not_after() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let identity = ProcessIdentity::of(child.id()).unwrap();
        assert!(identity.is_running());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!identity.is_running());
    }

    #[test]
    fn another_process_with_the_same_id_is_not_touched() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let mut identity = ProcessIdentity::of(child.id()).unwrap();
        identity.start_time -= 1;
        let left = end_all("no such run", &BTreeSet::from([identity]), Duration::from_secs(2));
        assert!(left.is_empty());
        assert!(child.try_wait().unwrap().is_none(), "the process was killed");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_process_that_nobody_registered_is_found_by_the_mark_of_its_run() {
        let run = format!("marked-{}", std::process::id());
        let start = |run: &str| Command::new("sleep").arg("60").env(RUN_VARIABLE, run).spawn().unwrap();
        let (mut ours, mut other) = (start(&run), start(&format!("{run}-other")));
        let left = end_all(&run, &BTreeSet::new(), Duration::from_secs(2));
        assert!(left.is_empty());
        assert!(!ours.wait().unwrap().success());
        assert!(
            other.try_wait().unwrap().is_none(),
            "a process of another run was killed"
        );
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
