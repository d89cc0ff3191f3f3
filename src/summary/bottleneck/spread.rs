//! How a group's records and work are spread over its members, their partitions and their threads.

use std::collections::{BTreeMap, BTreeSet};

use super::of_trial::{ratio, reading_members};
use super::thresholds::{SKEW_TIMES, WORKING_SHARE};
use crate::measure::{Measurement, MemberMeasurement, TopicPartition};
use crate::scenario::{Configuration, DatasetSpec, Keys, Read, WorkOrdering};
use crate::stats::median;

/// The member that had most to read in its group.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Skew {
    /// Its name.
    pub(super) member: String,
    /// Share of its group's records that it read.
    pub(super) share: f64,
    /// Members of the group that held partitions.
    pub(super) members: usize,
    /// Partitions that it held, and that there are.
    pub(super) partitions: (usize, usize),
    /// The partition with most records, and its share of the group's.
    pub(super) largest: (TopicPartition, f64),
    /// Share of the members' time, from the start to the group's last record, that was left after their own last.
    pub(super) finished_early: f64,
    /// Of each member the share of its time that was spent in work and its partitions; empty where not all observed that.
    pub(super) working: Vec<(f64, usize)>,
}

impl Skew {
    /// Some members are full, and others are not.
    pub(super) fn is_busy_unevenly(&self) -> bool {
        self.members >= 2 && self.busy().is_some_and(|busy| busy.times >= SKEW_TIMES)
    }

    /// How many times as fast its group can become by more members: until the largest partition has one for itself.
    pub(super) fn gain_of_members(&self) -> f64 {
        self.share / self.largest.1
    }

    /// Says how much of their time members were in work; `None` where nobody was for most of it.
    pub(super) fn busy(&self) -> Option<Busy> {
        let mean = |shares: Vec<f64>| ratio(shares.iter().sum(), shares.len() as f64);
        let is_full = |share: f64| share >= WORKING_SHARE;
        let (full, others): (Vec<_>, Vec<_>) = self.working.iter().copied().partition(|(share, _)| is_full(*share));
        let shares = |members: &[(f64, usize)]| members.iter().map(|(share, _)| *share).collect::<Vec<f64>>();
        let most = shares(&full).into_iter().fold(0.0, f64::max);
        Some(Busy {
            full: (full.len(), mean(shares(&full))?),
            partitions: full.iter().map(|(_, partitions)| *partitions).max()?,
            others: mean(shares(&others)),
            times: ratio(most, mean(shares(&self.working))?)?,
        })
    }
}

/// How much of their time the members of a group were in work.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Busy {
    /// Members that were in work for [`WORKING_SHARE`] of it or more, and the share of all of these.
    pub(super) full: (usize, f64),
    /// The most partitions that one of them held.
    pub(super) partitions: usize,
    /// The mean share of the other members; `None` without any.
    pub(super) others: Option<f64>,
    /// The busiest member's share as a multiple of the mean.
    pub(super) times: f64,
}

/// The most uneven trial in the middle: that with the median share of the busiest member.
pub(super) fn skew(trials: &[&Measurement], threads: f64) -> Option<Skew> {
    let mut found: Vec<Skew> = trials.iter().filter_map(|m| skew_of(m, threads)).collect();
    found.sort_by(|a, b| a.share.total_cmp(&b.share));
    let early = median(&found.iter().map(|skew| skew.finished_early).collect::<Vec<f64>>())?;
    let middle = found.len() / 2;
    let skew = found.into_iter().nth(middle)?;
    Some(Skew {
        finished_early: early,
        ..skew
    })
}

fn skew_of(m: &Measurement, threads: f64) -> Option<Skew> {
    let groups: BTreeSet<u32> = m.members.iter().map(|member| member.group).collect();
    let skews = groups.into_iter().filter_map(|group| skew_of_group(m, group, threads));
    skews.max_by(|a, b| (a.share * a.members as f64).total_cmp(&(b.share * b.members as f64)))
}

fn skew_of_group(m: &Measurement, group: u32, threads: f64) -> Option<Skew> {
    let held = |member: &MemberMeasurement| member.held_since(m.start_ns).len();
    let of_group = m.members.iter().filter(|member| member.group == group);
    let members: Vec<&MemberMeasurement> = of_group.filter(|member| held(member) > 0).collect();
    let all: u64 = members.iter().map(|member| member.records()).sum();
    let busiest = members.iter().max_by_key(|member| member.records())?;
    let mut partitions: BTreeMap<TopicPartition, u64> = BTreeMap::new();
    for read in members.iter().flat_map(|member| &member.partitions) {
        *partitions.entry(read.topic_partition()).or_default() += read.records;
    }
    let (largest, most) = partitions.iter().max_by_key(|(_, records)| **records)?;
    let end_ns = members.iter().filter_map(|member| member.last_record_ns).max()?;
    let member_time_ns = end_ns.saturating_sub(m.start_ns) as f64 * members.len() as f64;
    let left = members
        .iter()
        .map(|member| end_ns.saturating_sub(member.last_record_ns.unwrap_or(m.start_ns)));
    Some(Skew {
        member: busiest.name(),
        share: ratio(busiest.records() as f64, all as f64)?,
        members: members.len(),
        partitions: (held(busiest), partitions.len()),
        largest: (*largest, ratio(*most as f64, all as f64)?),
        finished_early: ratio(left.sum::<u64>() as f64, member_time_ns)?,
        working: working(m, &members, threads).unwrap_or_default(),
    })
}

fn working(m: &Measurement, members: &[&MemberMeasurement], threads: f64) -> Option<Vec<(f64, usize)>> {
    let of_member = |member: &&MemberMeasurement| {
        let length_ns = member.last_record_ns?.saturating_sub(m.start_ns) as f64;
        let share = ratio(member.work_ns? as f64, length_ns * threads)?;
        Some((share, member.held_since(m.start_ns).len()))
    };
    members.iter().map(of_member).collect()
}

/// Records that a member's threads work one after another because of their order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct InOrder {
    pub(super) what: Ordered,
    /// Their share of the member's records.
    pub(super) share: f64,
    /// Threads that the member's partitions or keys can keep busy.
    pub(super) usable: u64,
    /// Share of the time in which one of these records was in work.
    pub(super) working: f64,
}

/// Which records wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ordered {
    /// Those of a partition.
    Partition(TopicPartition),
    /// Those of so many partitions, of all that the member has, which share a thread.
    Partitions(usize, usize),
    /// Those of the most frequent of so many keys.
    Key(u64),
}

/// The records whose order keeps a thread busiest; `None` where records keep no order on several threads, or it is not
/// known which.
pub(super) fn in_order(
    configuration: &Configuration,
    dataset: &DatasetSpec,
    trials: &[&Measurement],
) -> Option<InOrder> {
    if configuration.threads < 2 {
        return None;
    }
    let of_trial: Vec<InOrder> = match (configuration.ordering, dataset.keys) {
        (WorkOrdering::Partition, _) => trials.iter().filter_map(|m| by_partition(configuration, m)).collect(),
        (WorkOrdering::Key, Keys::Zipf { exponent, count }) => {
            let share = most_frequent(exponent, count);
            let of_each = trials.iter().filter_map(|m| by_key(configuration, m, share, count));
            of_each.collect()
        }
        (WorkOrdering::Key | WorkOrdering::None, _) => return None,
    };
    let working = median(&of_trial.iter().map(|each| each.working).collect::<Vec<f64>>())?;
    let first = of_trial.into_iter().next()?;
    Some(InOrder { working, ..first })
}

/// Time in work of a member as a multiple of the time in which it read.
fn threads_in_work(member: &MemberMeasurement, length_ns: f64) -> Option<f64> {
    ratio(member.work_ns? as f64, length_ns)
}

fn by_partition(configuration: &Configuration, m: &Measurement) -> Option<InOrder> {
    let of_member = |(member, length_ns): (&MemberMeasurement, f64)| {
        let read: Vec<_> = member.partitions.iter().filter(|read| read.records > 0).collect();
        // With `stream` any free thread takes the records of any partition; otherwise each has a thread, dealt out in turn.
        let threads = match configuration.read {
            Read::Stream => read.len(),
            Read::Batch | Read::Poll => configuration.threads as usize,
        };
        let dealt = (0..threads).map(|thread| {
            let mine: Vec<_> = read.iter().skip(thread).step_by(threads).collect();
            (mine.iter().map(|each| each.records).sum::<u64>(), mine)
        });
        let (records, mine) = dealt.max_by_key(|(records, _)| *records)?;
        let share = ratio(records as f64, member.records() as f64)?;
        Some(InOrder {
            what: match mine[..] {
                [only] => Ordered::Partition(only.topic_partition()),
                _ => Ordered::Partitions(mine.len(), read.len()),
            },
            share,
            usable: configuration.threads.min(u32::try_from(read.len()).ok()?).into(),
            working: threads_in_work(member, length_ns)? * share,
        })
    };
    let of_members = reading_members(m).filter_map(of_member);
    of_members.max_by(|a, b| a.working.total_cmp(&b.working))
}

/// All records of a key are in one partition, and so with one member: the busiest, as far as is known.
fn by_key(configuration: &Configuration, m: &Measurement, share: f64, count: u64) -> Option<InOrder> {
    let (member, length_ns) = reading_members(m).max_by_key(|(member, _)| member.records())?;
    let of_group = m.members.iter().filter(|other| other.group == member.group);
    let all: u64 = of_group.map(MemberMeasurement::records).sum();
    let share = ratio(share * all as f64, member.records() as f64)?.min(1.0);
    Some(InOrder {
        what: Ordered::Key(count),
        share,
        usable: u64::from(configuration.threads).min(count),
        working: (threads_in_work(member, length_ns)? * share).min(1.0),
    })
}

/// The expected share of the first of so many keys, of which the k-th is drawn with weight 1 / k^exponent. What comes after
/// a million keys does not matter: a thread is not kept busy by so rare a key.
fn most_frequent(exponent: f64, count: u64) -> f64 {
    let weights = (1..=count.min(1_000_000)).map(|key| (key as f64).powf(-exponent));
    1.0 / weights.sum::<f64>()
}
