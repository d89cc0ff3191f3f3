//! What processes, threads and the machine used, read from the kernel: CPU in nanoseconds from the scheduler's own
//! statistics where it keeps them, memory and context switches from the process' status.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;

use nix::sys::resource::{UsageWho, getrusage};
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

use super::clock;
use super::host::HostCpu;
use super::limits::{pressure_ns, processor_of};
use super::process::{ProcessUsage, ThreadUsage};

/// What the calling process has used up to a moment.
#[derive(Debug, Clone, Default)]
pub struct ProcessSnapshot {
    at_ns: u64,
    cpu_ns: u64,
    voluntary_switches: u64,
    involuntary_switches: u64,
    pub(super) peak_memory_bytes: u64,
    threads: HashMap<i32, ThreadUsage>,
}

impl ProcessSnapshot {
    /// Reads it now. Threads that end while it is read are left out; their time is still in the process' sum.
    pub fn take() -> Self {
        let at_ns = clock::now_ns();
        let cpu_ns = clock::process_cpu_ns();
        let (voluntary_switches, involuntary_switches) = getrusage(UsageWho::RUSAGE_SELF).map_or((0, 0), |usage| {
            (
                unsigned(usage.voluntary_context_switches()),
                unsigned(usage.involuntary_context_switches()),
            )
        });
        ProcessSnapshot {
            at_ns,
            cpu_ns,
            voluntary_switches,
            involuntary_switches,
            peak_memory_bytes: peak_memory_bytes("self"),
            threads: threads("self"),
        }
    }

    /// What the process `pid` of this host has used; `None` once it is gone.
    pub(super) fn of_process(pid: u32) -> Option<Self> {
        let (at_ns, cpu_ns, process) = (clock::now_ns(), cpu_ns_of(pid)?, pid.to_string());
        let (voluntary_switches, involuntary_switches) = switches(&process);
        Some(ProcessSnapshot {
            at_ns,
            cpu_ns,
            voluntary_switches,
            involuntary_switches,
            peak_memory_bytes: peak_memory_bytes(&process),
            threads: threads(&process),
        })
    }

    /// What several processes have used together, as last seen by `at_ns`.
    pub(super) fn of_all<'a>(at_ns: u64, each: impl Iterator<Item = &'a ProcessSnapshot>) -> Self {
        let mut sum = ProcessSnapshot::of_birth(at_ns);
        for process in each {
            sum.cpu_ns += process.cpu_ns;
            sum.voluntary_switches += process.voluntary_switches;
            sum.involuntary_switches += process.involuntary_switches;
            sum.peak_memory_bytes += process.peak_memory_bytes;
            sum.threads.extend(process.threads.clone());
        }
        sum
    }

    /// The beginning of the calling process: nothing used yet.
    pub fn of_birth(at_ns: u64) -> Self {
        ProcessSnapshot {
            at_ns,
            ..ProcessSnapshot::default()
        }
    }

    /// What was used since an `earlier` snapshot of the same process.
    pub fn since(&self, earlier: &ProcessSnapshot) -> ProcessUsage {
        let mut threads: Vec<ThreadUsage> = self
            .threads
            .iter()
            .map(|(tid, now)| {
                let before = earlier.threads.get(tid);
                ThreadUsage {
                    name: now.name.clone(),
                    cpu_ns: now.cpu_ns.saturating_sub(before.map_or(0, |t| t.cpu_ns)),
                    wait_ns: now.wait_ns.saturating_sub(before.map_or(0, |t| t.wait_ns)),
                }
            })
            .filter(|thread| thread.cpu_ns > 0)
            .collect();
        threads.sort_by(|a, b| b.cpu_ns.cmp(&a.cpu_ns).then_with(|| a.name.cmp(&b.name)));
        ProcessUsage {
            wall_ns: self.at_ns.saturating_sub(earlier.at_ns),
            cpu_ns: self.cpu_ns.saturating_sub(earlier.cpu_ns),
            voluntary_switches: self.voluntary_switches.saturating_sub(earlier.voluntary_switches),
            involuntary_switches: self.involuntary_switches.saturating_sub(earlier.involuntary_switches),
            peak_memory_bytes: self.peak_memory_bytes,
            threads,
            // tandem's own workers have no collector.
            gc_ns: None,
            allocated_bytes: None,
        }
    }
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// Voluntary and involuntary context switches of the threads that a process has now.
fn switches(process: &str) -> (u64, u64) {
    let tasks = fs::read_dir(format!("/proc/{process}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let statuses = tasks.filter_map(|task| fs::read_to_string(task.path().join("status")).ok());
    let field = |status: &str, name: &str| -> u64 {
        let value = status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        value.unwrap_or(0)
    };
    statuses.fold((0, 0), |(voluntary, involuntary), status| {
        (
            voluntary + field(&status, "voluntary_ctxt_switches:"),
            involuntary + field(&status, "nonvoluntary_ctxt_switches:"),
        )
    })
}

/// The threads of a process by id. `schedstat` holds running and waiting time in nanoseconds.
fn threads(process: &str) -> HashMap<i32, ThreadUsage> {
    let Ok(entries) = fs::read_dir(format!("/proc/{process}/task")) else {
        return HashMap::new();
    };
    entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let tid = path.file_name()?.to_str()?.parse().ok()?;
            let schedstat = fs::read_to_string(path.join("schedstat")).ok()?;
            let mut fields = schedstat.split_ascii_whitespace();
            let cpu_ns = fields.next()?.parse().ok()?;
            let wait_ns = fields.next()?.parse().ok()?;
            let name = fs::read_to_string(path.join("comm")).ok()?.trim_end().to_owned();
            Some((tid, ThreadUsage { name, cpu_ns, wait_ns }))
        })
        .collect()
}

/// Peak resident memory of a process in bytes.
fn peak_memory_bytes(process: &str) -> u64 {
    // ru_maxrss survives exec and so would show the parent's peak for a small worker; VmHWM does not.
    let Ok(status) = fs::read_to_string(format!("/proc/{process}/status")) else {
        return 0;
    };
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: Option<u64> = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse().ok());
    kib.unwrap_or(0) * 1024
}

/// CPU nanoseconds that the process `pid` of this host has used, ended threads included; `None` once it is gone.
pub fn cpu_ns_of(pid: u32) -> Option<u64> {
    let pid = Pid::from_raw(i32::try_from(pid).ok()?);
    let time = clock_gettime(clock_getcpuclockid(pid).ok()?).ok()?;
    Some(unsigned(time.tv_sec()) * 1_000_000_000 + unsigned(time.tv_nsec()))
}

/// Bytes that a process had read from storage because they were not in the page cache; `None` once it is gone, or where
/// this user may not know.
pub fn storage_read_bytes_of(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
    text.lines()
        .find_map(|line| line.strip_prefix("read_bytes:")?.trim().parse().ok())
}

/// CPU time of the machine by state since boot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostProcessors {
    all: HostCpu,
    each: BTreeMap<u32, HostCpu>,
}

impl HostProcessors {
    /// Reads it now; `None` where `/proc/stat` cannot be read or has another form.
    pub fn read() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/stat").ok()?)
    }

    fn parse(stat: &str) -> Option<Self> {
        let each = |line: &str| Some((processor_of(line)?, parse_cpu(line)?));
        Some(HostProcessors {
            all: parse_cpu(stat.lines().find(|line| line.starts_with("cpu "))?)?,
            each: stat.lines().filter_map(each).collect(),
        })
    }

    /// Of some processors together.
    pub fn of(&self, processors: &BTreeSet<u32>) -> HostCpu {
        let chosen = self.each.iter().filter(|(number, _)| processors.contains(number));
        // The sum over all is exact to one tick, a sum of processors to one for each.
        if processors.is_empty() || chosen.clone().count() == self.each.len() {
            return self.all;
        }
        chosen.fold(HostCpu::default(), |sum, (_, cpu)| sum.plus(cpu))
    }
}

/// Time since boot in which some thread was ready to run and had no core (`some` in the kernel's pressure stall
/// information); `None` where the kernel does not keep it.
pub fn host_pressure_ns() -> Option<u64> {
    pressure_ns(&fs::read_to_string("/proc/pressure/cpu").ok()?)
}

fn parse_cpu(line: &str) -> Option<HostCpu> {
    // The kernel counts in USER_HZ, which is 100 on every architecture that Linux shows to programs.
    const TICK_NS: u64 = 10_000_000;
    let mut fields = line
        .split_ascii_whitespace()
        .skip(1)
        .map(|field| field.parse::<u64>().ok());
    let mut next = || Some(fields.next()?? * TICK_NS);
    Some(HostCpu {
        user_ns: next()?,
        nice_ns: next()?,
        system_ns: next()?,
        idle_ns: next()?,
        iowait_ns: next()?,
        irq_ns: next()?,
        softirq_ns: next()?,
        steal_ns: next()?,
    })
}

impl HostCpu {
    fn plus(&self, other: &HostCpu) -> HostCpu {
        self.with(other, u64::saturating_add)
    }

    /// What passed since an `earlier` reading.
    #[must_use]
    pub fn since(&self, earlier: &HostCpu) -> HostCpu {
        self.with(earlier, u64::saturating_sub)
    }

    fn with(&self, other: &HostCpu, operation: fn(u64, u64) -> u64) -> HostCpu {
        HostCpu {
            user_ns: operation(self.user_ns, other.user_ns),
            nice_ns: operation(self.nice_ns, other.nice_ns),
            system_ns: operation(self.system_ns, other.system_ns),
            idle_ns: operation(self.idle_ns, other.idle_ns),
            iowait_ns: operation(self.iowait_ns, other.iowait_ns),
            irq_ns: operation(self.irq_ns, other.irq_ns),
            softirq_ns: operation(self.softirq_ns, other.softirq_ns),
            steal_ns: operation(self.steal_ns, other.steal_ns),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn work_of_this_thread_shows_in_its_own_line_and_in_the_process() {
        let before = ProcessSnapshot::take();
        let from = clock::thread_cpu_ns();
        let mut x = 1u64;
        while clock::thread_cpu_ns() - from < 50_000_000 {
            x = std::hint::black_box(x.wrapping_mul(3));
        }
        let usage = ProcessSnapshot::take().since(&before);
        assert!(usage.cpu_ns >= 50_000_000, "{usage:?}");
        assert!(usage.threads.iter().any(|t| t.cpu_ns >= 40_000_000), "{usage:?}");
        assert!(usage.peak_memory_bytes > 1 << 20);
    }

    #[test]
    fn another_process_is_read_by_its_pid_and_gone_when_it_is_gone() {
        let mut child = std::process::Command::new("sleep").arg("30").spawn().unwrap();
        assert!(cpu_ns_of(child.id()).is_some());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(cpu_ns_of(child.id()), None);
    }

    #[test]
    fn processors_are_read_by_state_in_nanoseconds_alone_and_together() {
        let text = "cpu  3 4 6 8 5 6 7 9 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\ncpu1 1 2 3 4 0 0 0 0 0 0\nintr 1\n";
        let host = HostProcessors::parse(text).unwrap();
        let first = host.of(&BTreeSet::from([0]));
        assert_eq!((first.user_ns, first.steal_ns), (10_000_000, 80_000_000));
        assert_eq!(first.busy_ns(), (1 + 2 + 3 + 6 + 7) * 10_000_000);
        // Together the kernel rounds once.
        assert_eq!(host.of(&BTreeSet::from([0, 1])).user_ns, 30_000_000);
        assert_eq!(host.of(&BTreeSet::new()), host.all);
        assert_eq!(HostProcessors::parse("intr 1"), None);
        let now = HostProcessors::read().unwrap();
        assert!(now.of(&BTreeSet::new()).idle_ns > 0);
    }

    #[test]
    fn pressure_is_read_in_nanoseconds_where_there_is_any() {
        let text = "some avg10=0.00 avg60=1.00 avg300=0.00 total=123\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=9\n";
        assert_eq!(pressure_ns(text), Some(123_000));
        assert_eq!(pressure_ns("full avg10=0.00 total=9\n"), None);
    }
}
