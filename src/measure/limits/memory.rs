//! Memory limits, which bound the page cache too: what does not fit is read from storage again, and again.

use nix::unistd::{SysconfVar, sysconf};
use serde::{Deserialize, Serialize};

use super::cgroup::{Group, Hierarchies, Version};
use super::kernel::{Kernel, field, kib_field, pressure_ns};
use super::names::{Party, group_name, place_of_group};

/// A memory limit (the smaller of `memory.max` and `memory.high`, or `memory.limit_in_bytes` of cgroup v1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryLimit {
    /// The control group that has it, by its path.
    pub cgroup: String,
    /// The place whose container that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Bytes that the group may have, its page cache included.
    pub bytes: u64,
}

impl MemoryLimit {
    /// `memory limit of the cgroup /x`, or ``memory_limit` of place x``.
    pub fn name(&self) -> String {
        match self.place.as_deref().or_else(|| place_of_group(&self.cgroup)) {
            Some(place) => format!("`memory_limit` of place {place}"),
            None => format!("memory limit of {}", group_name(&self.cgroup)),
        }
    }
}

/// What a memory limit did between two moments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryEffect {
    /// The limit.
    pub limit: MemoryLimit,
    /// Whose processes are under it.
    pub of: Vec<Party>,
    /// Bytes that the group had at the end, its page cache included.
    pub used_bytes: u64,
    /// Of these, page cache.
    pub cache_bytes: u64,
    /// Times that the limit was reached and something had to be given up.
    pub hits: u64,
    /// Bytes of files that were read from storage again after they had been given up; `None` where the kernel does not
    /// say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refaulted_bytes: Option<u64>,
    /// Time that some thread of the group waited for memory; `None` where the kernel does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stalled_ns: Option<u64>,
    /// Processes of the group that the kernel killed for want of memory.
    #[serde(default)]
    pub killed: u64,
}

/// The limits around a process, the innermost first.
pub(super) fn around(kernel: &Kernel, hierarchies: &Hierarchies, membership: &str) -> Vec<(Group, MemoryLimit)> {
    let groups = hierarchies.around(membership, "memory");
    let outermost = groups.len().saturating_sub(1);
    let machine_bytes = machine_bytes(kernel);
    let limits = groups.into_iter().enumerate().filter_map(|(index, group)| {
        // Without a limit v1 says a number near the largest there is.
        let bytes = limit_of(kernel, &group, index == outermost).filter(|bytes| *bytes < machine_bytes)?;
        let cgroup = group.name.clone();
        Some((
            group,
            MemoryLimit {
                cgroup,
                place: None,
                bytes,
            },
        ))
    });
    limits.collect()
}

/// Memory of the machine.
pub(super) fn machine_bytes(kernel: &Kernel) -> u64 {
    let text = kernel.read("/proc/meminfo").unwrap_or_default();
    kib_field(&text, "MemTotal").unwrap_or(0)
}

fn limit_of(kernel: &Kernel, group: &Group, is_outermost: bool) -> Option<u64> {
    let number = |file: &str| kernel.number(group.folder.join(file));
    match group.version {
        Version::V1 => {
            let own = number("memory.limit_in_bytes");
            // Of the groups around the outermost that is to be seen, v1 says the tightest limit.
            let stat = kernel.read(group.folder.join("memory.stat")).filter(|_| is_outermost);
            let unseen = stat.and_then(|stat| field(&stat, "hierarchical_memory_limit"));
            own.into_iter().chain(unseen).min()
        }
        // `max` says that there is none, and is no number.
        Version::V2 => number("memory.max").into_iter().chain(number("memory.high")).min(),
    }
}

/// What a group has.
#[derive(Debug, Clone, Copy, Default)]
struct Usage {
    used_bytes: u64,
    cache_bytes: u64,
}

impl Usage {
    fn read(kernel: &Kernel, group: &Group, stat: &str) -> Self {
        let (used, names) = match group.version {
            Version::V1 => ("memory.usage_in_bytes", ["total_inactive_file", "total_active_file"]),
            Version::V2 => ("memory.current", ["inactive_file", "active_file"]),
        };
        Usage {
            used_bytes: kernel.number(group.folder.join(used)).unwrap_or(0),
            cache_bytes: names.iter().filter_map(|name| field(stat, name)).sum(),
        }
    }
}

/// How far a group's counters had come, and what it had.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct MemoryCounters {
    usage: Usage,
    hits: u64,
    refaulted_bytes: Option<u64>,
    stalled_ns: Option<u64>,
    killed: u64,
}

impl MemoryCounters {
    pub(super) fn read(kernel: &Kernel, group: &Group) -> Self {
        let read = |file: &str| kernel.read(group.folder.join(file)).unwrap_or_default();
        let stat = read("memory.stat");
        let (hits, killed, refaults) = match group.version {
            Version::V1 => (
                kernel.number(group.folder.join("memory.failcnt")),
                field(&read("memory.oom_control"), "oom_kill"),
                field(&stat, "total_workingset_refault_file"),
            ),
            Version::V2 => {
                let events = read("memory.events");
                let hits = field(&events, "high").into_iter().chain(field(&events, "max"));
                // Before Linux 5.9 there was one figure for files and anonymous memory.
                let refaults = ["workingset_refault_file", "workingset_refault"];
                (
                    Some(hits.sum()),
                    field(&events, "oom_kill"),
                    refaults.iter().find_map(|name| field(&stat, name)),
                )
            }
        };
        MemoryCounters {
            usage: Usage::read(kernel, group, &stat),
            hits: hits.unwrap_or(0),
            refaulted_bytes: refaults.map(|pages| pages.saturating_mul(page_bytes())),
            stalled_ns: pressure_ns(&read("memory.pressure")),
            killed: killed.unwrap_or(0),
        }
    }

    /// Processes that the kernel has killed.
    pub(super) fn killed(self) -> u64 {
        self.killed
    }

    pub(super) fn since(&self, earlier: &MemoryCounters, limit: MemoryLimit, of: Vec<Party>) -> MemoryEffect {
        let grown = |now: Option<u64>, before: Option<u64>| Some(now?.saturating_sub(before?));
        MemoryEffect {
            limit,
            of,
            used_bytes: self.usage.used_bytes,
            cache_bytes: self.usage.cache_bytes,
            hits: self.hits.saturating_sub(earlier.hits),
            refaulted_bytes: grown(self.refaulted_bytes, earlier.refaulted_bytes),
            stalled_ns: grown(self.stalled_ns, earlier.stalled_ns),
            killed: self.killed.saturating_sub(earlier.killed),
        }
    }
}

fn page_bytes() -> u64 {
    let size = sysconf(SysconfVar::PAGE_SIZE).ok().flatten();
    size.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(4096)
}

/// Memory that a process may still get, page cache that can be given up included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheRoom {
    /// How much.
    pub bytes: u64,
    /// The limit that leaves no more; `None` where it is the machine's memory.
    pub limit: Option<MemoryLimit>,
}

impl CacheRoom {
    /// Of this process.
    pub fn of_this_process(kernel: &Kernel) -> Self {
        Self::around(kernel, "self")
    }

    /// Of a process of this machine.
    pub fn of(kernel: &Kernel, pid: u32) -> Self {
        Self::around(kernel, &pid.to_string())
    }

    fn around(kernel: &Kernel, process: &str) -> Self {
        let membership = kernel.read(format!("/proc/{process}/cgroup")).unwrap_or_default();
        let machine = kernel.read("/proc/meminfo").unwrap_or_default();
        let machine = CacheRoom {
            bytes: kib_field(&machine, "MemAvailable").unwrap_or(0),
            limit: None,
        };
        let limits = around(kernel, &Hierarchies::mounted(kernel), &membership);
        let spaces = limits.into_iter().map(|(group, limit)| {
            let stat = kernel.read(group.folder.join("memory.stat")).unwrap_or_default();
            let usage = Usage::read(kernel, &group, &stat);
            CacheRoom {
                bytes: limit
                    .bytes
                    .saturating_sub(usage.used_bytes.saturating_sub(usage.cache_bytes)),
                limit: Some(limit),
            }
        });
        spaces.fold(
            machine,
            |least, space| if space.bytes < least.bytes { space } else { least },
        )
    }
}
