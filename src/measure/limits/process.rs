//! What a process may use, and why it is no more.

use serde::{Deserialize, Serialize};

use super::cgroup::Hierarchies;
use super::kernel::{Kernel, count, field, online, usable_processors};
use super::memory::{self, MemoryLimit};
use super::names::{AFFINITY, core_figure, cores};
use super::quota::{self, Quota};

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
