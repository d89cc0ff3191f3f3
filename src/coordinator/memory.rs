//! Memory around a run: the heap that brokers get, what is left for their page cache, and what the kernel killed for
//! want of it.

use crate::kafka::local::{DEFAULT_HEAP_MIB, ZOOKEEPER_HEAP_MIB};
use crate::measure::limits::{CacheRoom, Kernel, LimitCounters, LimitWatch, Limits};
use crate::plan::Plan;
use crate::scenario::{ClusterSource, DatasetSpec, Mode, Scenario, TrialLength};

/// Where memory is limited, the heaps of all brokers get one part in so many; the rest is for what else a broker needs,
/// for clients and for the page cache.
const HEAP_PART: u64 = 3;

/// A broker does not run with much less.
const HEAP_MIN_MIB: u64 = 128;

/// The Java programs of all clusters that a run starts on this machine, which share its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Started {
    /// Clusters.
    pub clusters: u32,
    /// Brokers of all of them.
    pub brokers: u32,
    /// One for each cluster that runs on it.
    pub zookeepers: u32,
}

impl Started {
    /// What a run of this scenario starts.
    pub fn by(scenario: &Scenario) -> Self {
        let mut started = Started::default();
        for cluster in scenario.clusters() {
            if let ClusterSource::Local { brokers, zookeeper, .. } = cluster.source {
                started.clusters += 1;
                started.brokers += brokers;
                started.zookeepers += u32::from(zookeeper);
            }
        }
        started
    }

    /// Heap of each broker, in MiB: the default, or less where memory is short.
    pub fn broker_heap_mib(self, limits: &Limits) -> u32 {
        let all = (limits.usable_memory_bytes() / HEAP_PART) >> 20;
        let brokers = all.saturating_sub(u64::from(self.zookeepers * ZOOKEEPER_HEAP_MIB));
        let share = brokers / u64::from(self.brokers.max(1));
        u32::try_from(share.max(HEAP_MIN_MIB))
            .unwrap_or(u32::MAX)
            .min(DEFAULT_HEAP_MIB)
    }

    /// Heap of all together.
    fn heap_bytes(self, limits: &Limits) -> u64 {
        let brokers = u64::from(self.brokers) * u64::from(self.broker_heap_mib(limits));
        (brokers + u64::from(self.zookeepers * ZOOKEEPER_HEAP_MIB)) << 20
    }
}

/// Warns where trials read more than the page cache of brokers that the run starts on this machine can hold.
pub fn cache_warning(plan: &Plan, kernel: &Kernel) -> Option<String> {
    let started = Started::by(&plan.scenario);
    let heaps = started.heap_bytes(&Limits::of_this_process(kernel));
    let space = CacheRoom::of_this_process(kernel);
    let left = space.bytes.saturating_sub(heaps);
    // Each cluster has data sets of its own.
    let read = backlog_bytes(plan) * u64::from(started.clusters);
    if read <= left {
        return None;
    }
    let whose = match &space.limit {
        Some(limit) => format!("under the {} of {}", limit.name(), mebibytes(limit.bytes)),
        None => "of this machine's memory".to_owned(),
    };
    Some(format!(
        "trials read {} of records, but {whose} about {} are left for the page cache beside what runs now and {} of heap for \
         brokers: they will read from storage again and again, and be slower. Fewer or smaller records ([dataset] records, \
         size), or more memory, would keep them in the page cache.",
        mebibytes(read),
        mebibytes(left),
        mebibytes(heaps)
    ))
}

/// Bytes of values that trials of all data sets read, as far as the scenario says it.
fn backlog_bytes(plan: &Plan) -> u64 {
    let scenario = &plan.scenario;
    let lies_there = |index: usize| {
        let mut all = scenario.configurations.iter();
        all.any(|c| c.dataset == index && !matches!(c.mode, Mode::Live(_)))
    };
    let read = |set: &DatasetSpec| match scenario.trial {
        TrialLength::Records(records) if records < set.records => set.value_bytes() / set.records.max(1) * records,
        _ => set.value_bytes(),
    };
    let sets = scenario.datasets.iter().enumerate();
    let filled = sets.filter(|(index, set)| set.existing().is_none() && lies_there(*index));
    filled.map(|(_, set)| read(set)).sum()
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

/// Notices processes that the kernel kills under a memory limit.
pub struct MemoryKills {
    watch: LimitWatch,
    before: LimitCounters,
}

impl MemoryKills {
    /// From now on, under the limits on this process and on these brokers.
    pub fn watch(brokers: &[u32]) -> Self {
        let watch = LimitWatch::find(&Kernel::running(), &[], brokers);
        MemoryKills {
            before: watch.read(),
            watch,
        }
    }

    /// What was killed and under which limit; `None` where nothing was.
    pub fn cause(&self) -> Option<String> {
        let effects = self.watch.effects(&self.before, &self.watch.read());
        let effect = effects.memory.into_iter().find(|effect| effect.killed > 0)?;
        let processes = if effect.killed == 1 { "a process" } else { "processes" };
        Some(format!(
            "the kernel killed {processes} for want of memory: the {} allows {}",
            effect.limit.name(),
            mebibytes(effect.limit.bytes)
        ))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;
    use crate::scenario::parse;

    /// A container with 600 MiB, of which 100 MiB are in use.
    fn container() -> (tempfile::TempDir, Kernel) {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            ("proc/self/mountinfo", "30 23 0:26 / /cg rw - cgroup2 cgroup2 rw\n"),
            ("proc/self/cgroup", "0::/\n"),
            ("proc/meminfo", "MemTotal: 24683936 kB\nMemAvailable: 20000000 kB\n"),
            ("cg/memory.max", "629145600\n"),
            ("cg/memory.current", "209715200\n"),
            ("cg/memory.stat", "inactive_file 104857600\nactive_file 0\n"),
        ];
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let kernel = Kernel::recorded(folder.path());
        (folder, kernel)
    }

    fn warned(dataset: &str, kernel: &Kernel) -> Option<String> {
        let text = format!("question = '?'\n[dataset]\npartitions = 2\n{dataset}");
        cache_warning(&Plan::new(parse("mine", "mine.toml", &text).unwrap()), kernel)
    }

    #[test]
    fn data_beyond_the_memory_that_is_left_for_the_page_cache_are_warned_of() {
        let (_folder, kernel) = container();
        let warning = warned("records = 800_000\nsize = 1_000", &kernel).unwrap();
        let limit = "under the memory limit of this container's cgroup of 600 MiB about 300 MiB are left";
        assert!(
            warning.contains("trials read 762 MiB") && warning.contains(limit),
            "{warning}"
        );
        assert!(warning.contains("200 MiB of heap"), "{warning}");
        assert_eq!(warned("records = 250_000\nsize = 1_000", &kernel), None);
        // Only what trials read has to be there.
        let part = "records = 800_000\nsize = 1_000\n[trial]\nrecords = 250_000";
        assert_eq!(warned(part, &kernel), None);
        let elsewhere = "records = 800_000\nsize = 1_000\n[cluster]\nbootstrap = 'b:9092'";
        assert_eq!(warned(elsewhere, &kernel), None);
        // A load is read as it comes; the backlog before it lies there.
        let mode =
            |mode: &str| format!("records = 800_000\nsize = 1_000\n[load]\nrate = 1_000\n[matrix]\nmode = ['{mode}']");
        assert_eq!(warned(&mode("live"), &kernel), None);
        assert!(warned(&mode("mixed"), &kernel).is_some());
    }

    #[test]
    fn where_memory_is_short_brokers_get_less_heap() {
        let (_folder, kernel) = container();
        let limits = Limits::of_this_process(&kernel);
        let heap = |clusters, brokers, zookeepers| {
            let started = Started {
                clusters,
                brokers,
                zookeepers,
            };
            started.broker_heap_mib(&limits)
        };
        assert_eq!((heap(1, 1, 0), heap(1, 3, 0)), (200, 128));
        // Two clusters share it, and a ZooKeeper takes its part.
        assert_eq!((heap(1, 1, 1), heap(2, 2, 0)), (136, 128));
        let machine = Limits {
            machine_memory_bytes: 8 << 30,
            ..Limits::default()
        };
        let three = Started {
            clusters: 1,
            brokers: 3,
            zookeepers: 1,
        };
        assert_eq!(three.broker_heap_mib(&machine), DEFAULT_HEAP_MIB);
    }
}
