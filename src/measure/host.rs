//! What the machine of a trial did between its start and its end.

use serde::{Deserialize, Serialize};

use super::limits::{MemoryEffect, Party, QuotaEffect};

/// The machine between the common start and the end of a trial.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct HostMeasurement {
    /// Length of the interval.
    pub wall_ns: u64,
    /// Logical processors that tandem or a worker may run on; before limits were read, all of the machine.
    pub cores: u32,
    /// Logical processors of the machine, where that is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_cores: Option<u32>,
    /// Logical processors that `others_cpu_ns` is of, where brokers may run on more than `cores`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others_cores: Option<u32>,
    /// Time of these cores by state (10 ms ticks, as the kernel counts them).
    pub cpu: HostCpu,
    /// CPU time of each broker run here, and of the ZooKeeper that the run started with them.
    pub brokers_cpu_ns: Vec<u64>,
    /// CPU time of the processes of the store's server, those that ended included; `None` where it was not observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_cpu_ns: Option<u64>,
    /// CPU time of the coordinator itself.
    pub coordinator_cpu_ns: u64,
    /// CPU time of everything that is neither worker, broker, store nor coordinator.
    pub others_cpu_ns: u64,
    /// Time in which some thread of the machine was ready to run and had no core; `None` where the kernel does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressure_ns: Option<u64>,
    /// CPU quotas on tandem, workers or brokers, and what they did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quotas: Vec<QuotaEffect>,
    /// Memory limits on them, and what they did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub memory_limits: Vec<MemoryEffect>,
    /// Bytes that the brokers here read from storage, because they were not in the page cache; `None` where that is not
    /// known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brokers_storage_read_bytes: Option<u64>,
}

/// A machine, or the part of it that may be used, is full at this share of its cores: the kernel's ticks and the starting of
/// threads leave no more.
pub const FULL_SHARE: f64 = 0.93;

impl HostMeasurement {
    /// Cores that ran something, and those that could have: less what a hypervisor took. `None` where the CPU time was not
    /// read.
    pub fn busy_of_cores(&self) -> Option<(f64, f64)> {
        if self.wall_ns == 0 || self.cpu == HostCpu::default() {
            return None;
        }
        let in_cores = |ns: u64| ns as f64 / self.wall_ns as f64;
        let cores = f64::from(self.cores) - in_cores(self.cpu.steal_ns);
        // From the idle side: the kernel counts idle time exactly, but samples busy time at its ticks.
        let busy = cores - in_cores(self.cpu.idle_ns + self.cpu.iowait_ns);
        Some((busy.max(0.0), cores))
    }

    /// Share of what the clients may use that was used: of the tightest quota on all of them, or of the cores. `None` where
    /// neither is known.
    pub fn full_share(&self) -> Option<f64> {
        let of_quota = self.quota().and_then(|effect| {
            let used = effect.used_ns? as f64 / self.wall_ns.max(1) as f64;
            Some(used / effect.quota.cores())
        });
        let of_cores = self.busy_of_cores().map(|(busy, cores)| busy / cores);
        of_quota.into_iter().chain(of_cores).reduce(f64::max)
    }

    /// CPU time of all brokers in nanoseconds; `None` where they do not run on this machine.
    pub fn brokers_cpu(&self) -> Option<u64> {
        (!self.brokers_cpu_ns.is_empty()).then(|| self.brokers_cpu_ns.iter().sum())
    }

    /// The tightest CPU quota on all clients together, where it leaves less than their processors do.
    pub fn quota(&self) -> Option<&QuotaEffect> {
        let on_all_clients = self.quotas.iter().filter(|effect| effect.covers_all);
        on_all_clients
            .filter(|effect| effect.quota.cores() < f64::from(self.cores))
            .min_by(|a, b| a.quota.cores().total_cmp(&b.quota.cores()))
    }

    /// The tightest memory limit on brokers here.
    pub fn memory_of_brokers(&self) -> Option<&MemoryEffect> {
        let theirs = self
            .memory_limits
            .iter()
            .filter(|effect| effect.of.contains(&Party::Brokers));
        theirs.min_by_key(|effect| effect.limit.bytes)
    }

    /// Cores that the clients may use: processors, or the quota where that is less.
    pub fn usable_cores(&self) -> f64 {
        self.quota()
            .map_or(f64::from(self.cores), |effect| effect.quota.cores())
    }
}

/// Host CPU time by state, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct HostCpu {
    pub user_ns: u64,
    pub nice_ns: u64,
    pub system_ns: u64,
    pub idle_ns: u64,
    pub iowait_ns: u64,
    pub irq_ns: u64,
    pub softirq_ns: u64,
    pub steal_ns: u64,
}

impl HostCpu {
    /// Time in which some core ran something of ours or others'.
    pub fn busy_ns(&self) -> u64 {
        self.user_ns + self.nice_ns + self.system_ns + self.irq_ns + self.softirq_ns
    }
}
