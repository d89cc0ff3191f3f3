//! What observers saw of programs that speak nothing, as the measurement has it. A figure that nobody saw is not observed.

use crate::measure::{MemberMeasurement, Outside, PartitionMeasurement, Series, TopicPartition};
use crate::trial::committed::Path;
use crate::trial::course::Ended;
use crate::trial::happening::Happening;

/// Length of the buckets in which records are counted over time.
const BUCKET_NS: u64 = 100_000_000;

/// The readers as they are seen from outside; `None` of workers that speak the protocol.
pub(super) fn outside(ended: &Ended<'_>) -> Option<Outside> {
    let paths = ended.paths()?;
    Some(Outside {
        commit_interval_ns: paths.interval_ns(),
        commits: if ended.terms.script.steps.is_empty() {
            Vec::new()
        } else {
            paths.commits()
        },
        left_behind: Vec::new(),
    })
}

/// Gives the members of observed groups what their group committed, each the partitions that it held at the barrier.
/// Members that cannot be distinguished lose the names that they do not have.
pub(super) fn attribute(ended: &Ended<'_>, start_ns: u64, members: &mut [MemberMeasurement]) {
    let Some(paths) = ended.paths() else { return };
    let nameless: Vec<usize> = (ended.log.all(Happening::try_as_nameless_ref))
        .map(|(_, group)| *group)
        .collect();
    let mut number_in = vec![0; ended.terms.groups.len()];
    for member in members {
        let group = member.group as usize;
        if nameless.contains(&group) {
            (member.is_nameless, member.process, member.consumer) = (true, number_in[group], 0);
        }
        number_in[group] += 1;
        let read = |partition: &TopicPartition| Some(partition_of(*partition, paths.get(group, *partition)?, start_ns));
        member.partitions = member.assigned.iter().filter_map(read).collect();
        member.last_record_ns = member.partitions.iter().filter_map(|read| read.last_ns).max();
    }
}

fn partition_of(
    TopicPartition { topic, partition }: TopicPartition,
    path: &Path,
    start_ns: u64,
) -> PartitionMeasurement {
    PartitionMeasurement {
        topic,
        partition,
        records: path.records(),
        last_ns: path.last_ns(),
        series: Some(Series {
            bucket_ns: BUCKET_NS,
            counts: path.counts(start_ns, BUCKET_NS),
        }),
        ..PartitionMeasurement::default()
    }
}

/// What nobody saw, beside what observers lack as workers.
pub(super) fn not_observed(ended: &Ended<'_>) -> Option<String> {
    ended.cast.is_observed().then(|| {
        "of a program that speaks nothing: how long records waited; how large they were; which were lost, or read twice; \
         its positions are the offsets that it committed"
            .to_owned()
    })
}
