//! The machine around a trial: who used its CPU between the start and the end, and what limits did.

use std::collections::{BTreeMap, BTreeSet};

use super::processes::ended_children_cpu_ns;
use crate::measure::limits::{LimitCounters, LimitWatch};
use crate::measure::usage::{HostProcessors, cpu_ns_of, host_pressure_ns, storage_read_bytes_of};
use crate::measure::{HostCpu, HostFacts, HostMeasurement, HostReading, OtherHost, clock};

/// Another machine, and how far it had come.
#[derive(Debug, Clone)]
pub struct Elsewhere {
    /// What it is.
    pub facts: HostFacts,
    /// As ssh or Kubernetes names it.
    pub ssh: String,
    /// The places that have their workers there.
    pub places: BTreeSet<String>,
    /// Pods of these places there.
    pub pods: usize,
    /// How far it had come.
    pub reading: HostReading,
}

/// CPU used up to a moment by the machine and by each process of the run.
#[derive(Debug, Clone)]
pub struct HostSample {
    at_ns: u64,
    cpu: Option<HostProcessors>,
    pressure_ns: Option<u64>,
    brokers: BTreeMap<u32, u64>,
    /// Bytes that all brokers together had read from storage; `None` where one of them cannot be asked.
    storage_read_bytes: Option<u64>,
    workers: BTreeMap<u32, u64>,
    /// The first process of the store's server, and the CPU time of all of them; `None` where they do not run here.
    store: Option<(u32, u64)>,
    coordinator_ns: u64,
    watch: LimitWatch,
    limits: LimitCounters,
    /// The other machines with workers of the trial.
    elsewhere: Vec<Elsewhere>,
}

impl HostSample {
    /// Reads it now. `brokers`, `workers` and `store` are process ids on this machine; of workers and of the store's server,
    /// whose first process comes first, with all that they have started, and what those have waited for counts too.
    /// `watch` is of the same brokers and workers.
    pub fn take(brokers: &[u32], workers: &[u32], store: &[u32], watch: LimitWatch) -> Self {
        HostSample {
            at_ns: clock::now_ns(),
            cpu: HostProcessors::read(),
            pressure_ns: host_pressure_ns(),
            brokers: brokers
                .iter()
                .filter_map(|pid| Some((*pid, cpu_ns_of(*pid)?)))
                .collect(),
            storage_read_bytes: (!brokers.is_empty())
                .then(|| {
                    brokers
                        .iter()
                        .map(|pid| storage_read_bytes_of(*pid))
                        .sum::<Option<u64>>()
                })
                .flatten(),
            workers: with_ended_children(workers),
            store: store
                .first()
                .map(|first| (*first, with_ended_children(store).values().sum())),
            coordinator_ns: clock::process_cpu_ns(),
            limits: watch.read(),
            watch,
            elsewhere: Vec::new(),
        }
    }

    /// The same with other machines.
    #[must_use]
    pub fn with(self, elsewhere: Vec<Elsewhere>) -> Self {
        HostSample { elsewhere, ..self }
    }

    /// What each of the other machines did since an `earlier` sample. One that is missing in either is left out.
    pub fn other_hosts_since(&self, earlier: &HostSample) -> Vec<OtherHost> {
        let since = |now: &Elsewhere| {
            let before = earlier.elsewhere.iter().find(|before| before.ssh == now.ssh)?;
            Some(OtherHost {
                facts: now.facts.clone(),
                ssh: now.ssh.clone(),
                places: now.places.clone(),
                pods: now.pods,
                hosts: Vec::new(),
                measured: now.reading.since(&before.reading, &now.facts),
            })
        };
        self.elsewhere.iter().filter_map(since).collect()
    }

    /// What passed since an `earlier` sample of the same processes.
    pub fn since(&self, earlier: &HostSample) -> HostMeasurement {
        let cpu_of = |processors: &BTreeSet<u32>| match (&self.cpu, &earlier.cpu) {
            (Some(now), Some(before)) => now.of(processors).since(&before.of(processors)),
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
        let (store, no_store) = (self.store_since(earlier), self.store.or(earlier.store).is_none());
        let ours = workers + coordinator + brokers.iter().sum::<u64>() + store.unwrap_or(0);
        let wall_ns = self.at_ns.saturating_sub(earlier.at_ns);
        // Brokers may run where the clients may not, so what is nobody's is looked for wherever any of them may run.
        let around = cpu_of(&self.watch.all);
        // From the idle side: the kernel counts idle time exactly, but samples busy time at its ticks.
        let busy_ns =
            (wall_ns * self.watch.all.len() as u64).saturating_sub(around.idle_ns + around.iowait_ns + around.steal_ns);
        let limits = self.watch.effects(&earlier.limits, &self.limits);
        let grown = |now: Option<u64>, before: Option<u64>| Some(now?.saturating_sub(before?));
        HostMeasurement {
            wall_ns,
            cores: self.watch.cores(),
            machine_cores: self.watch.machine_cores_if_more(),
            others_cores: u32::try_from(self.watch.all.len())
                .ok()
                .filter(|all| *all > self.watch.cores()),
            cpu: cpu_of(&self.watch.clients),
            store_cpu_ns: store,
            others_cpu_ns: if self.cpu.is_some() && all_ran && (store.is_some() || no_store) {
                busy_ns.saturating_sub(ours)
            } else {
                0
            },
            brokers_cpu_ns: brokers,
            coordinator_cpu_ns: coordinator,
            pressure_ns: grown(self.pressure_ns, earlier.pressure_ns),
            quotas: limits.quotas,
            memory_limits: limits.memory,
            brokers_storage_read_bytes: grown(self.storage_read_bytes, earlier.storage_read_bytes).filter(|_| all_ran),
        }
    }

    /// CPU time of the store's server since an `earlier` sample; `None` where it does not run here, or did not all the time.
    fn store_since(&self, earlier: &HostSample) -> Option<u64> {
        let ((first, now), (before_first, before)) = (self.store?, earlier.store?);
        if first != before_first {
            return None;
        }
        now.checked_sub(before)
    }
}

/// CPU time of these processes, each with what its children used that have ended.
fn with_ended_children(pids: &[u32]) -> BTreeMap<u32, u64> {
    let used = |pid: &u32| Some((*pid, cpu_ns_of(*pid)? + ended_children_cpu_ns(*pid)));
    pids.iter().filter_map(used).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::limits::Kernel;

    #[test]
    fn what_a_store_used_that_was_started_again_is_not_made_up() {
        let watch = LimitWatch::find(&Kernel::running(), &[], &[]);
        let sample = |store, at_ns| HostSample {
            at_ns,
            store,
            coordinator_ns: 0,
            ..HostSample::take(&[], &[], &[], watch.clone())
        };
        let before = sample(Some((11, 500)), 1_000);
        let after = |store| sample(store, 10_000_001_000).since(&before);
        assert_eq!(after(Some((11, 900))).store_cpu_ns, Some(400));
        assert!(after(Some((11, 900))).others_cpu_ns > 0);
        for gone in [None, Some((12, 900)), Some((11, 400))] {
            let host = after(gone);
            // Its part would otherwise be taken for other programs.
            assert_eq!((host.store_cpu_ns, host.others_cpu_ns), (None, 0));
        }
    }

    #[test]
    fn of_a_broker_that_ended_or_came_in_between_no_figure_is_made_up() {
        let watch = LimitWatch::find(&Kernel::running(), &[], &[]);
        let sample = |brokers: &[(u32, u64)], at_ns| HostSample {
            at_ns,
            brokers: brokers.iter().copied().collect(),
            coordinator_ns: 0,
            ..HostSample::take(&[], &[], &[], watch.clone())
        };
        let before = sample(&[(11, 500), (12, 700)], 1_000);
        let all_ran = sample(&[(11, 800), (12, 900)], 10_000_001_000).since(&before);
        assert_eq!(all_ran.brokers_cpu_ns, [300, 200]);
        assert!(all_ran.others_cpu_ns > 0);
        for now in [sample(&[(11, 800)], 2_000), sample(&[(11, 800), (13, 20)], 2_000)] {
            let host = now.since(&before);
            // What the broker used would otherwise be taken for other programs.
            assert_eq!((host.brokers_cpu_ns, host.others_cpu_ns), (Vec::new(), 0));
        }
    }
}
