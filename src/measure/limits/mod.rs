//! What a container leaves to the processes in it: CPU quotas and memory limits of control groups, processors that may
//! be used, numbers of files and processes; and what the limits did while something was measured. Reads the kernel's
//! files and judges nothing.

mod cgroup;
mod kernel;
mod memory;
mod quota;
#[cfg(test)]
mod tests;
mod watch;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use self::kernel::{Kernel, processors};
pub use self::memory::{CacheRoom, MemoryEffect, MemoryLimit};
pub use self::quota::{Quota, QuotaEffect};
pub use self::watch::{LimitCounters, LimitEffects, LimitWatch};

use self::cgroup::Hierarchies;
use self::kernel::field;

/// Whose processes a limit is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The coordinator itself.
    Tandem,
    /// Worker processes, consumers and producers.
    Workers,
    /// Brokers on this machine.
    Brokers,
}

/// What a process may use, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Limits {
    /// Logical processors of the machine.
    pub machine_cores: u32,
    /// Of these, those that the process may run on, by its affinity and its cpuset.
    pub cores: u32,
    /// The tightest CPU quota of the groups that it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
    /// Memory of the machine in bytes.
    pub machine_memory_bytes: u64,
    /// The tightest memory limit of the groups that it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryLimit>,
    /// Files that it may have open; `None` where unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_files: Option<u64>,
    /// Processes and threads that its user, or the tightest of its groups, may have; `None` where unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processes: Option<u64>,
}

impl Limits {
    /// Of this process.
    pub fn of_this_process(kernel: &Kernel) -> Self {
        Self::of(kernel, "self")
    }

    /// Of a process by the name of its folder in `/proc`.
    fn of(kernel: &Kernel, process: &str) -> Self {
        let hierarchies = Hierarchies::mounted(kernel);
        let read = |file: &str| kernel.read(format!("/proc/{process}/{file}")).unwrap_or_default();
        let membership = read("cgroup");
        let machine = online(kernel);
        let ulimits = read("limits");
        let threads = hierarchies.around(&membership, "pids");
        let threads = threads
            .iter()
            .filter_map(|group| kernel.number(group.folder.join("pids.max")));
        Limits {
            machine_cores: count(&machine),
            cores: count(&usable_processors(kernel, process, &machine)),
            quota: quota::around(kernel, &hierarchies, &membership)
                .into_iter()
                .map(|(_, quota)| quota)
                .min_by_key(Quota::millicores),
            machine_memory_bytes: memory::machine_bytes(kernel),
            memory: memory::around(kernel, &hierarchies, &membership)
                .into_iter()
                .map(|(_, limit)| limit)
                .min_by_key(|limit| limit.bytes),
            open_files: field(&ulimits, "Max open files"),
            processes: threads.chain(field(&ulimits, "Max processes")).min(),
        }
    }

    /// Cores that may be used: processors, or the quota where that is less.
    pub fn usable_cores(&self) -> f64 {
        let quota = self.quota.as_ref().map_or(f64::INFINITY, Quota::cores);
        f64::from(self.cores).min(quota)
    }

    /// Memory that may be used.
    pub fn usable_memory_bytes(&self) -> u64 {
        let limit = self.memory.as_ref().map_or(u64::MAX, |limit| limit.bytes);
        self.machine_memory_bytes.min(limit)
    }

    /// Why fewer cores may be used than the machine has: `CPU quota of the cgroup /x`; `None` where all may be.
    pub fn why_fewer_cores(&self) -> Option<String> {
        match &self.quota {
            Some(quota) if quota.cores() < f64::from(self.cores) => Some(quota.name()),
            _ => (self.cores < self.machine_cores).then(|| AFFINITY.to_owned()),
        }
    }

    /// `2 cores`, or `1.5 of 2 cores (CPU quota of the cgroup /x)`.
    pub fn cores_in_words(&self) -> String {
        match self.why_fewer_cores() {
            None => cores(self.usable_cores()),
            Some(why) => {
                let machine = cores(f64::from(self.machine_cores));
                format!("{} of {machine} ({why})", core_figure(self.usable_cores()))
            }
        }
    }
}

/// Why a process may run on some processors only.
pub const AFFINITY: &str = "CPU affinity or cpuset";

/// `1.97 cores`, `0.9 cores`, `1 core`.
pub fn cores(number: f64) -> String {
    match core_figure(number).as_str() {
        "1" => "1 core".to_owned(),
        number => format!("{number} cores"),
    }
}

/// A number of cores, with as many digits as tell a full core from nearly one.
pub fn core_figure(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `the cgroup /docker/1f3a`, or what a container sees of its own.
pub fn group_name(cgroup: &str) -> String {
    match cgroup {
        "/" => "this container's cgroup".to_owned(),
        path => format!("the cgroup {path}"),
    }
}

/// The machine's processors that are online.
fn online(kernel: &Kernel) -> BTreeSet<u32> {
    let listed = kernel
        .read("/sys/devices/system/cpu/online")
        .and_then(|list| processors(&list));
    listed.unwrap_or_else(|| {
        let stat = kernel.read("/proc/stat").unwrap_or_default();
        stat.lines().filter_map(processor_of).collect()
    })
}

/// The number of the processor that a line of `/proc/stat` is about.
pub(super) fn processor_of(line: &str) -> Option<u32> {
    line.strip_prefix("cpu")?.split(' ').next()?.parse().ok()
}

/// Of the machine's processors those that a process may run on; all where it is gone.
fn usable_processors(kernel: &Kernel, process: &str, machine: &BTreeSet<u32>) -> BTreeSet<u32> {
    let status = kernel.read(format!("/proc/{process}/status")).unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    match list.and_then(processors) {
        // The kernel lists processors that are not there, too.
        Some(allowed) => machine.intersection(&allowed).copied().collect(),
        None => machine.clone(),
    }
}

fn count(processors: &BTreeSet<u32>) -> u32 {
    u32::try_from(processors.len()).unwrap_or(u32::MAX)
}
