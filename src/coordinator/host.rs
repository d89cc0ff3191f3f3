//! The machine around a trial: who used its CPU between the start and the end.

use std::collections::BTreeMap;

use super::processes::ended_children_cpu_ns;
use crate::measure::usage::{cpu_ns_of, host_cpu, host_pressure_ns};
use crate::measure::{HostCpu, HostMeasurement, clock};

/// CPU used up to a moment by the machine and by each process of the run.
#[derive(Debug, Clone)]
pub struct HostSample {
    at_ns: u64,
    cpu: Option<HostCpu>,
    pressure_ns: Option<u64>,
    brokers: BTreeMap<u32, u64>,
    workers: BTreeMap<u32, u64>,
    coordinator_ns: u64,
}

impl HostSample {
    /// Reads it now. `brokers` and `workers` are process ids on this machine; of the workers, with all that their
    /// launchers have started, and what those have waited for counts too.
    pub fn take(brokers: &[u32], workers: &[u32]) -> Self {
        HostSample {
            at_ns: clock::now_ns(),
            cpu: host_cpu().ok(),
            pressure_ns: host_pressure_ns(),
            brokers: brokers
                .iter()
                .filter_map(|pid| Some((*pid, cpu_ns_of(*pid)?)))
                .collect(),
            workers: workers
                .iter()
                .filter_map(|pid| Some((*pid, cpu_ns_of(*pid)? + ended_children_cpu_ns(*pid))))
                .collect(),
            coordinator_ns: clock::process_cpu_ns(),
        }
    }

    /// What passed since an `earlier` sample of the same processes.
    pub fn since(&self, earlier: &HostSample) -> HostMeasurement {
        let cpu = match (self.cpu, earlier.cpu) {
            (Some(now), Some(before)) => now.since(&before),
            _ => HostCpu::default(),
        };
        // Of a broker that has ended, or came, it is not known what it used.
        let all_ran = self.brokers.keys().eq(earlier.brokers.keys());
        let brokers = self
            .brokers
            .iter()
            .filter_map(|(pid, now)| Some(now.saturating_sub(*earlier.brokers.get(pid)?)));
        let brokers: Vec<u64> = brokers.filter(|_| all_ran).collect();
        // As a sum: what a process had used before counts with its parent once it was waited for.
        let workers_until = |sample: &HostSample| sample.workers.values().sum::<u64>();
        let workers = workers_until(self).saturating_sub(workers_until(earlier));
        let coordinator = self.coordinator_ns.saturating_sub(earlier.coordinator_ns);
        let ours = workers + coordinator + brokers.iter().sum::<u64>();
        let (wall_ns, cores) = (self.at_ns.saturating_sub(earlier.at_ns), host_cores());
        // From the idle side: the kernel counts idle time exactly, but samples busy time at its ticks.
        let busy_ns = (wall_ns * u64::from(cores)).saturating_sub(cpu.idle_ns + cpu.iowait_ns + cpu.steal_ns);
        HostMeasurement {
            wall_ns,
            cores,
            cpu,
            others_cpu_ns: if self.cpu.is_some() && all_ran {
                busy_ns.saturating_sub(ours)
            } else {
                0
            },
            brokers_cpu_ns: brokers,
            coordinator_cpu_ns: coordinator,
            pressure_ns: self
                .pressure_ns
                .zip(earlier.pressure_ns)
                .map(|(now, before)| now.saturating_sub(before)),
        }
    }
}

/// Logical processors that `/proc/stat` speaks of: those of the whole machine, whatever of it this process may use.
fn host_cores() -> u32 {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let is_core = |line: &&str| {
        line.strip_prefix("cpu")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    stat.lines()
        .filter(is_core)
        .count()
        .try_into()
        .ok()
        .filter(|cores| *cores > 0)
        .unwrap_or_else(cores)
}

/// Logical processors that this process may use.
pub fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_broker_that_ended_or_came_in_between_no_figure_is_made_up() {
        let sample = |brokers: &[(u32, u64)], at_ns| HostSample {
            at_ns,
            cpu: Some(HostCpu::default()),
            pressure_ns: None,
            brokers: brokers.iter().copied().collect(),
            workers: BTreeMap::new(),
            coordinator_ns: 0,
        };
        let before = sample(&[(11, 500), (12, 700)], 1_000);
        let whole = sample(&[(11, 800), (12, 900)], 2_000).since(&before);
        assert_eq!(whole.brokers_cpu_ns, [300, 200]);
        assert!(whole.others_cpu_ns > 0);
        for now in [sample(&[(11, 800)], 2_000), sample(&[(11, 800), (13, 20)], 2_000)] {
            let host = now.since(&before);
            // What the broker used would otherwise be taken for other programs.
            assert_eq!((host.brokers_cpu_ns, host.others_cpu_ns), (Vec::new(), 0));
        }
    }
}
