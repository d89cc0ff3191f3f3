//! Processes as the kernel knows them: distinguished even where a process id is used again, found by the mark of a run,
//! killed.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::measure::programs::remove_program_files;
use crate::measure::tree::{ProcessStat, marked, with_descendants};
use crate::server::RUN_VARIABLE;

/// How long servers may take to end after they were asked to, before they are killed.
const QUIT_LIMIT: Duration = Duration::from_millis(300);

/// Pause between two looks at processes that are ending.
const PAUSE: Duration = Duration::from_millis(20);

/// No process of the run may appear for this long before there is taken to be none: one that was just being started when
/// its parent died carries the run's mark only after its `exec`.
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
        let stat = ProcessStat::of(pid)?;
        if !stat.runs() {
            return None;
        }
        Some(ProcessIdentity {
            pid,
            start_time: stat.field(22)?.parse().ok()?,
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
            // It may have ended in this moment.
            let _ = kill(Pid::from_raw(self.pid.cast_signed()), Signal::SIGKILL);
        }
    }
}

/// True where a signal has stopped the process.
pub fn is_stopped(pid: u32) -> bool {
    ProcessStat::of(pid).is_some_and(|stat| matches!(stat.field(3), Some("T" | "t")))
}

/// CPU nanoseconds of a process's children that have ended and were waited for. The kernel counts them in steps of
/// 10 ms.
pub fn ended_children_cpu_ns(pid: u32) -> u64 {
    const TICK_NS: u64 = 10_000_000;
    let ticks = |stat: &ProcessStat, field| {
        stat.field(field)
            .and_then(|ticks| ticks.parse::<u64>().ok())
            .unwrap_or(0)
    };
    ProcessStat::of(pid).map_or(0, |stat| (ticks(&stat, 16) + ticks(&stat, 17)) * TICK_NS)
}

/// Running processes of this user that carry the mark of the run, this one left out.
fn of_run(run_id: &str) -> Vec<ProcessIdentity> {
    let found = marked(RUN_VARIABLE, |value| value == run_id);
    found.into_iter().filter_map(ProcessIdentity::of).collect()
}

/// Ends these servers, with all that they have started, and kills all that carry the mark of the run; waits until they are
/// gone, for at most `limit`, and removes the files that they wrote for programs. Returns those that still run.
pub fn end_all(run_id: &str, servers: &BTreeSet<ProcessIdentity>, limit: Duration) -> Vec<ProcessIdentity> {
    let began = Instant::now();
    let mut quiet_since = None;
    let mut of_servers = BTreeSet::new();
    loop {
        // What servers have started need not carry the mark: those of PostgreSQL write their titles where their environment
        // was. They are found while their parent lives.
        let alive: Vec<u32> = servers
            .iter()
            .filter(|server| server.is_running())
            .map(|server| server.pid)
            .collect();
        let is_first = of_servers.is_empty();
        of_servers.extend(servers);
        of_servers.extend(with_descendants(&alive).into_iter().filter_map(ProcessIdentity::of));
        if is_first {
            for pid in &alive {
                quit(*pid);
            }
        }
        let mut running: BTreeSet<_> = of_servers
            .iter()
            .copied()
            .filter(|process| process.is_running())
            .collect();
        running.extend(of_run(run_id));
        let now = Instant::now();
        let may_quit = |process: &&ProcessIdentity| of_servers.contains(process) && now - began < QUIT_LIMIT;
        running
            .iter()
            .filter(|process| !may_quit(process))
            .for_each(|process| process.kill());
        if running.is_empty() {
            let since = *quiet_since.get_or_insert(now);
            if now - since >= QUIET {
                remove_program_files(run_id);
                return Vec::new();
            }
        } else {
            quiet_since = None;
            if now - began >= limit {
                return running.into_iter().collect();
            }
        }
        sleep(PAUSE);
    }
}

/// Asks a server to end at once (SIGQUIT): PostgreSQL then frees its shared memory, which outlives a killed one. A JVM only
/// prints its threads.
fn quit(pid: u32) {
    // It may have ended in this moment.
    let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGQUIT);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::collections::BTreeSet;
    use std::io::{BufRead, BufReader};
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use super::{ProcessIdentity, end_all, ended_children_cpu_ns};
    use crate::measure::programs::{end_programs, program_files};
    use crate::measure::tree::with_descendants;
    use crate::server::RUN_VARIABLE;

    #[test]
    fn what_a_server_has_started_ends_with_it_even_without_the_mark() {
        let mut server = Command::new("sh")
            .args(["-c", "setsid sleep 60 & echo $!; wait"])
            .process_group(0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(server.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let started = ProcessIdentity::of(line.trim().parse().unwrap()).unwrap();
        let servers = BTreeSet::from([ProcessIdentity::of(server.id()).unwrap()]);
        assert_eq!(end_all("no such run", &servers, Duration::from_secs(5)), []);
        assert!(!started.is_running());
        server.wait().unwrap();
    }

    #[test]
    fn files_that_a_run_wrote_for_programs_are_removed_with_its_processes_and_those_of_others_are_not() {
        let file = |run: &str| {
            let path = std::env::temp_dir().join(format!("{}x.properties", program_files(run)));
            std::fs::write(&path, "sasl.password=secret").unwrap();
            path
        };
        let id = std::process::id();
        let (run, other) = (format!("files-{id}"), format!("others-{id}"));
        let (own, of_other) = (file(&run), file(&other));
        assert!(end_all(&run, &BTreeSet::new(), Duration::from_secs(5)).is_empty());
        assert!(!own.exists() && of_other.exists());
        end_programs(&other, "no-member-");
        assert!(!of_other.exists());
    }

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
    fn what_a_launcher_starts_is_found_while_it_runs_and_its_cpu_counts_once_it_was_waited_for() {
        let script = "sleep 60 & i=0; (while [ $i -lt 100000 ]; do i=$((i+1)); done); echo ended; wait";
        let mut launcher = Command::new("sh")
            .args(["-c", script])
            .process_group(0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(launcher.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let group = with_descendants(&[launcher.id()]);
        assert_eq!((group[0], group.len()), (launcher.id(), 2), "the shell and what sleeps");
        assert!(ended_children_cpu_ns(launcher.id()) > 0, "of the loop");
        assert_eq!(ended_children_cpu_ns(group[1]), 0);
        for pid in group {
            ProcessIdentity::of(pid).unwrap().kill();
        }
        launcher.wait().unwrap();
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
