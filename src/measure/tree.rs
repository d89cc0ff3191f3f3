//! The processes that a program consists of, found in `/proc`: what it has started, what carries its mark, and what all of
//! them use.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::clock;
use super::usage::ProcessSnapshot;

/// In the environment of a program that is observed, and so of all that it starts: the name of its member.
pub const PROGRAM_VARIABLE: &str = "TANDEM_PROGRAM";

/// In the same environments: how the names of the files begin that the program's observer writes.
pub const OBSERVER_VARIABLE: &str = "TANDEM_OBSERVER";

/// What `/proc/PID/stat` says of a process.
pub struct ProcessStat(String);

impl ProcessStat {
    /// Of the process that has this id now.
    pub fn of(pid: u32) -> Option<Self> {
        fs::read_to_string(format!("/proc/{pid}/stat")).ok().map(ProcessStat)
    }

    /// A field by its number in proc(5), from 3 on.
    pub fn field(&self, number: usize) -> Option<&str> {
        // The name stands in parentheses and may hold anything, parentheses and spaces too.
        let (_, fields) = self.0.rsplit_once(") ")?;
        fields.trim_end().split(' ').nth(number.checked_sub(3)?)
    }

    /// False where only its exit status is left.
    pub fn runs(&self) -> bool {
        !matches!(self.field(3), Some("Z" | "X") | None)
    }
}

/// When a process that runs was started, in the kernel's ticks: with its id this names a process for good.
pub fn start_time(pid: u32) -> Option<String> {
    let stat = ProcessStat::of(pid).filter(ProcessStat::runs)?;
    stat.field(22).map(str::to_owned)
}

/// The processes of this machine.
pub fn all_pids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// These processes, what they have started, and the process groups that any of these lead: what a launcher has started is
/// there too.
pub fn with_descendants(leaders: &[u32]) -> Vec<u32> {
    let relatives = |pid: u32| {
        let stat = ProcessStat::of(pid)?;
        let [parent, group] = [4, 5].map(|field| stat.field(field)?.parse::<u32>().ok());
        Some((pid, parent?, group?))
    };
    let all: Vec<(u32, u32, u32)> = all_pids().filter_map(relatives).collect();
    let mut found: BTreeSet<u32> = leaders.iter().copied().collect();
    loop {
        let is_new = |(pid, parent, group): &&(u32, u32, u32)| {
            !found.contains(pid) && (found.contains(parent) || found.contains(group))
        };
        let more: Vec<u32> = all.iter().filter(is_new).map(|(pid, ..)| *pid).collect();
        if more.is_empty() {
            break;
        }
        found.extend(more);
    }
    let others = found.into_iter().filter(|pid| !leaders.contains(pid));
    leaders.iter().copied().chain(others).collect()
}

/// Processes in the control groups of containers, whose paths have a container's id in them, whoever's they are.
pub fn in_control_groups(ids: &[String]) -> Vec<u32> {
    let is_in = |pid: &u32| {
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup"));
        groups.is_ok_and(|groups| ids.iter().any(|id| groups.contains(id)))
    };
    all_pids().filter(is_in).collect()
}

/// True for a process in whose environment a variable has a value that `is_wanted`.
pub fn is_marked(pid: u32, variable: &str, is_wanted: impl Fn(&str) -> bool) -> bool {
    let start = format!("{variable}=");
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let mut variables = environment
        .split(|byte| *byte == 0)
        .filter_map(|text| std::str::from_utf8(text).ok());
    variables.any(|text| text.strip_prefix(&start).is_some_and(&is_wanted))
}

/// Running processes of this user in whose environment a variable has a value that `is_wanted`, the caller left out.
pub fn marked(variable: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<u32> {
    let runs = |pid: &u32| ProcessStat::of(*pid).is_some_and(|stat| stat.runs());
    all_pids()
        .filter(|pid| *pid != std::process::id())
        .filter(|pid| is_marked(*pid, variable, &is_wanted))
        .filter(runs)
        .collect()
}

/// Processes of this machine that have one of these ids in a namespace of their own, as in a container, and in whose
/// environment a variable has this value.
pub fn with_inner_pids(inner: &BTreeSet<u32>, variable: &str, value: &str) -> Vec<u32> {
    if inner.is_empty() {
        return Vec::new();
    }
    let has = |pid: &u32| inner_pid(*pid).is_some_and(|there| inner.contains(&there));
    marked(variable, |found| found == value)
        .into_iter()
        .filter(has)
        .collect()
}

/// The id of a process in its own namespace, where that is not this one.
fn inner_pid(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    let ids: Vec<&str> = ids.split_whitespace().collect();
    (ids.len() > 1).then(|| ids.last()?.parse().ok()).flatten()
}

/// What a program and all that it has started use. What a process used that ended counts as it was last seen.
#[derive(Debug)]
pub struct TreeWatch {
    /// The program's first process, and those that ran at the last look.
    running: Vec<u32>,
    seen: BTreeMap<u32, ProcessSnapshot>,
    /// The most that all processes of one look had together.
    peak_memory_bytes: u64,
}

impl TreeWatch {
    /// Of the program whose first process this is.
    pub fn of(leader: u32) -> Self {
        TreeWatch {
            running: vec![leader],
            seen: BTreeMap::new(),
            peak_memory_bytes: 0,
        }
    }

    /// Looks at all of its processes now.
    pub fn look(&mut self) -> ProcessSnapshot {
        // A daemon has left its parent: it is known from before.
        let found = with_descendants(&self.running);
        let used = found
            .into_iter()
            .filter_map(|pid| Some((pid, ProcessSnapshot::of_process(pid)?)));
        let used: Vec<(u32, ProcessSnapshot)> = used.collect();
        let memory_bytes = used.iter().map(|(_, used)| used.peak_memory_bytes).sum();
        self.peak_memory_bytes = self.peak_memory_bytes.max(memory_bytes);
        self.running = used.iter().map(|(pid, _)| *pid).collect();
        self.seen.extend(used);
        let mut all = ProcessSnapshot::of_all(clock::now_ns(), self.seen.values());
        all.peak_memory_bytes = self.peak_memory_bytes;
        all
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::os::unix::process::CommandExt as _;
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// A shell that does this, once it has said that it began.
    fn shell(script: &str, mark: &str) -> Child {
        let mut child = Command::new("sh")
            .args(["-c", script])
            .env(PROGRAM_VARIABLE, mark)
            .process_group(0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        child
    }

    #[test]
    fn what_a_program_starts_is_its_own_even_in_another_process_group_and_is_found_by_its_mark() {
        let mark = format!("tree-{}", std::process::id());
        let mut program = shell("setsid sleep 60 & sleep 60 & echo began; wait", &mark);
        // The shell says that it began before its children have become what they start.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        let mut found = marked(PROGRAM_VARIABLE, |value| value == mark);
        while found.len() < 3 && std::time::Instant::now() < deadline {
            found = marked(PROGRAM_VARIABLE, |value| value == mark);
        }
        let mut descendants = with_descendants(&[program.id()]);
        assert_eq!(descendants[0], program.id());
        descendants.sort_unstable();
        found.sort_unstable();
        assert_eq!((descendants.len(), &descendants), (3, &found));
        for pid in found {
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid.cast_signed()), nix::sys::signal::SIGKILL).unwrap();
        }
        program.wait().unwrap();
        // The kernel takes a moment to end what nobody waits for.
        let is_left = || !marked(PROGRAM_VARIABLE, |value| value == mark).is_empty();
        while is_left() && std::time::Instant::now() < deadline {}
        assert!(!is_left());
    }

    #[test]
    fn memory_is_that_of_the_processes_that_run_at_one_time() {
        let mark = format!("memory-{}", std::process::id());
        let mut program = shell("echo began; while true; do sleep 0.02; done", &mark);
        let mut watch = TreeWatch::of(program.id());
        let first = watch.look().peak_memory_bytes;
        let mut started = std::collections::BTreeSet::new();
        while started.len() < 30 {
            started.extend(with_descendants(&[program.id()]));
            watch.look();
        }
        let all = watch.look();
        assert!(
            first > 0 && all.peak_memory_bytes < 8 * first,
            "{first} {}",
            all.peak_memory_bytes
        );
        program.kill().unwrap();
        program.wait().unwrap();
    }

    #[test]
    fn what_a_process_used_that_has_ended_is_not_forgotten() {
        let mark = format!("used-{}", std::process::id());
        let loops = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done; sleep 60";
        let mut program = shell(loops, &mark);
        let mut watch = TreeWatch::of(program.id());
        let nothing = ProcessSnapshot::of_birth(0);
        let used = watch.look().since(&nothing);
        assert!(used.cpu_ns > 0 && used.peak_memory_bytes > 0, "{used:?}");
        program.kill().unwrap();
        program.wait().unwrap();
        assert!(watch.look().since(&nothing).cpu_ns >= used.cpu_ns);
    }
}
