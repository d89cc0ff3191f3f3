//! The limits on the processes of a trial, read at its start and at its end.

use std::collections::{BTreeMap, BTreeSet};

use super::cgroup::{Group, Hierarchies};
use super::kernel::{Kernel, count, online, usable_processors};
use super::memory::{self, MemoryCounters, MemoryEffect, MemoryLimit};
use super::names::Party;
use super::quota::{self, Quota, QuotaCounters, QuotaEffect};

/// Limits on some processes. They are looked up beforehand, so that reading them at the start of a trial costs the
/// readers next to nothing: a file or two for each.
#[derive(Debug, Clone)]
pub struct LimitWatch {
    kernel: Kernel,
    quotas: Vec<Watched<Quota>>,
    memory: Vec<Watched<MemoryLimit>>,
    /// Processors that the coordinator or a worker may run on.
    pub clients: BTreeSet<u32>,
    /// Processors that any of the processes may run on.
    pub all: BTreeSet<u32>,
    machine_cores: u32,
    /// Processes, brokers left out.
    client_count: usize,
}

/// A limit and who is under it.
#[derive(Debug, Clone)]
struct Watched<L> {
    group: Group,
    /// The group that counts CPU time in v1.
    accounting: Option<Group>,
    limit: L,
    of: BTreeSet<Party>,
    /// Processes that are under it, brokers left out.
    client_count: usize,
}

impl LimitWatch {
    /// Looks up the limits on this process and on others by their ids.
    pub fn find(kernel: &Kernel, workers: &[u32], brokers: &[u32]) -> Self {
        let hierarchies = Hierarchies::mounted(kernel);
        let machine = online(kernel);
        let named = |party, pids: &[u32]| pids.iter().map(move |pid| (party, pid.to_string())).collect::<Vec<_>>();
        let mut processes = vec![(Party::Tandem, "self".to_owned())];
        processes.extend(named(Party::Workers, workers));
        processes.extend(named(Party::Brokers, brokers));
        let mut watch = LimitWatch {
            kernel: kernel.clone(),
            quotas: Vec::new(),
            memory: Vec::new(),
            clients: BTreeSet::new(),
            all: BTreeSet::new(),
            machine_cores: count(&machine),
            client_count: 0,
        };
        for (party, process) in &processes {
            // A process that has ended has no limits.
            let Some(membership) = kernel.read(format!("/proc/{process}/cgroup")) else {
                continue;
            };
            let usable = usable_processors(kernel, process, &machine);
            if *party != Party::Brokers {
                watch.clients.extend(&usable);
                watch.client_count += 1;
            }
            watch.all.extend(&usable);
            for (group, limit) in quota::around(kernel, &hierarchies, &membership) {
                let accounting = hierarchies.around(&membership, "cpuacct");
                let accounting = accounting.into_iter().find(|other| other.name == group.name);
                add(&mut watch.quotas, group, accounting, limit, *party);
            }
            for (group, limit) in memory::around(kernel, &hierarchies, &membership) {
                add(&mut watch.memory, group, None, limit, *party);
            }
        }
        watch
    }

    /// The same where the limits of containers are those of places: a container's id is part of its group's path.
    #[must_use]
    pub fn with_containers(mut self, places: &BTreeMap<String, String>) -> Self {
        let place = |cgroup: &str| {
            let own = places.iter().find(|(id, _)| cgroup.contains(id.as_str()));
            own.map(|(_, place)| place.clone())
        };
        for watched in &mut self.quotas {
            watched.limit.place = place(&watched.limit.cgroup);
        }
        for watched in &mut self.memory {
            watched.limit.place = place(&watched.limit.cgroup);
        }
        self
    }

    /// Processors that the coordinator or a worker may run on.
    pub fn cores(&self) -> u32 {
        count(&self.clients)
    }

    /// Processors of the machine, where that is more.
    pub fn machine_cores_if_more(&self) -> Option<u32> {
        (self.machine_cores > self.cores()).then_some(self.machine_cores)
    }

    /// Reads their counters now.
    pub fn read(&self) -> LimitCounters {
        let quota = |watched: &Watched<Quota>| {
            let counters = QuotaCounters::read(&self.kernel, &watched.group, watched.accounting.as_ref());
            (watched.group.clone(), counters)
        };
        let memory = |watched: &Watched<MemoryLimit>| {
            let counters = MemoryCounters::read(&self.kernel, &watched.group);
            (watched.group.clone(), counters)
        };
        LimitCounters {
            quotas: self.quotas.iter().map(quota).collect(),
            memory: self.memory.iter().map(memory).collect(),
        }
    }

    /// What the quotas have done since they were set.
    pub fn until_now(&self) -> Vec<QuotaEffect> {
        let now = self.read();
        let nothing = LimitCounters {
            quotas: now
                .quotas
                .keys()
                .map(|group| (group.clone(), QuotaCounters::zero()))
                .collect(),
            memory: BTreeMap::new(),
        };
        self.effects(&nothing, &now).quotas
    }

    /// What the limits did between two readings; of limits that both know.
    pub fn effects(&self, earlier: &LimitCounters, now: &LimitCounters) -> LimitEffects {
        let listed = |parties: &BTreeSet<Party>| parties.iter().copied().collect();
        let quota = |watched: &Watched<Quota>| {
            let (before, now) = (earlier.quotas.get(&watched.group)?, now.quotas.get(&watched.group)?);
            let (limit, covers_all) = (watched.limit.clone(), watched.client_count == self.client_count);
            Some(now.since(before, limit, listed(&watched.of), covers_all))
        };
        let memory = |watched: &Watched<MemoryLimit>| {
            let (before, now) = (earlier.memory.get(&watched.group)?, now.memory.get(&watched.group)?);
            Some(now.since(before, watched.limit.clone(), listed(&watched.of)))
        };
        LimitEffects {
            quotas: self.quotas.iter().filter_map(quota).collect(),
            memory: self.memory.iter().filter_map(memory).collect(),
        }
    }
}

fn add<L>(all: &mut Vec<Watched<L>>, group: Group, accounting: Option<Group>, limit: L, party: Party) {
    let client_count = usize::from(party != Party::Brokers);
    match all.iter_mut().find(|watched| watched.group == group) {
        Some(watched) => {
            watched.of.insert(party);
            watched.client_count += client_count;
        }
        None => all.push(Watched {
            group,
            accounting,
            limit,
            of: BTreeSet::from([party]),
            client_count,
        }),
    }
}

/// How far the counters of the limits had come at one moment.
#[derive(Debug, Clone, Default)]
pub struct LimitCounters {
    quotas: BTreeMap<Group, QuotaCounters>,
    memory: BTreeMap<Group, MemoryCounters>,
}

/// What the limits did between two moments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LimitEffects {
    /// Of CPU quotas.
    pub quotas: Vec<QuotaEffect>,
    /// Of memory limits.
    pub memory: Vec<MemoryEffect>,
}
