//! Which partitions stood still because of planned acts, and when.

use std::collections::BTreeSet;

use super::cause::{of_change, of_pause, on_owner, participant};
use super::model::{Gap, GapKind};
use super::parts::{Scene, parts};
use super::tenure::Tenure;
use super::tenures::tenures;
use crate::measure::{Act, Measurement, Participant, PartitionMeasurement, Stretch, TopicPartition};

/// A partition that kept its owner stands still if nothing of it is read for this long,
const STILL_MIN_NS: u64 = 100_000_000;
/// for so many times as long as it ever was before the first act,
const STILL_TIMES: u64 = 2;
/// and for so many times the mean time from one of its records to the next.
const STILL_INTERVALS: u64 = 4;

const NS_PER_SECOND: u64 = 1_000_000_000;

/// Every gap with the number of the act that it goes back to.
pub(super) fn gaps(measurement: &Measurement) -> Vec<(usize, Gap)> {
    let mut gaps = Vec::new();
    for ((group, partition), tenures) in tenures(measurement) {
        let finder = Finder {
            measurement,
            group,
            partition,
        };
        gaps.extend(tenures.windows(2).filter_map(|pair| finder.between(&pair[0], &pair[1])));
        let still_ns = finder.still_ns(&tenures);
        gaps.extend(
            tenures
                .iter()
                .flat_map(|tenure| finder.within(tenure, &tenures, still_ns)),
        );
    }
    gaps.sort_by_key(|(_, gap)| (gap.stretch.from_ns, gap.group, gap.partition));
    gaps
}

/// Looks for the gaps of one partition of a group.
struct Finder<'a> {
    measurement: &'a Measurement,
    group: u32,
    partition: TopicPartition,
}

impl Finder<'_> {
    /// From one tenure to the next.
    fn between(&self, old: &Tenure, new: &Tenure) -> Option<(usize, Gap)> {
        let m = self.measurement;
        // Who was paused may read what it still holds once another has gone on.
        let stretch = Stretch::new(old.last_ns_before(new.first_ns()), new.first_ns());
        if stretch.until_ns <= m.start_ns {
            return None;
        }
        let (owner, next) = (&m.members[old.member], &m.members[new.member]);
        let changed_ns = old.taken_ns.or(new.given_ns).unwrap_or(stretch.until_ns);
        let cause = on_owner(m, owner, stretch).or_else(|| of_change(m, self.group, changed_ns))?;
        let is_same = (owner.process, owner.consumer) == (next.process, next.consumer);
        let gap = self.gap([old, new], cause, stretch, is_same);
        Some((cause, gap))
    }

    /// Pauses within a tenure that are longer than its usual ones, and in which nobody else read.
    fn within(&self, tenure: &Tenure, tenures: &[Tenure], still_ns: u64) -> Vec<(usize, Gap)> {
        let pauses = tenure.spells.windows(2);
        let pauses = pauses.map(|pair| Stretch::new(pair[0].until_ns, pair[1].from_ns));
        let is_bridged = |pause: &Stretch| {
            let mut others = tenures.iter().filter(|other| !std::ptr::eq(*other, tenure));
            others.any(|other| other.first_ns() < pause.until_ns && other.last_ns() > pause.from_ns)
        };
        let gap = |pause: Stretch| {
            let owner = &self.measurement.members[tenure.member];
            let on_owner = on_owner(self.measurement, owner, pause);
            let cause = on_owner.or_else(|| of_pause(self.measurement, self.group, pause))?;
            Some((cause, self.gap([tenure, tenure], cause, pause, true)))
        };
        pauses
            .filter(|pause| pause.length_ns() >= still_ns && !is_bridged(pause))
            .filter(|pause| {
                let interval_ns = self.slowest_interval_ns(pause.until_ns);
                pause.length_ns() >= STILL_INTERVALS.saturating_mul(interval_ns)
            })
            .filter_map(gap)
            .collect()
    }

    fn gap(&self, [old, new]: [&Tenure; 2], cause: usize, stretch: Stretch, is_same: bool) -> Gap {
        let m = self.measurement;
        let act = &m.acts[cause];
        let is_owners = act.who == participant(&m.members[old.member]);
        let kind = match act.who {
            _ if !is_same => GapKind::Moved,
            _ if is_owners => GapKind::Away,
            Participant::Reader { .. } => GapKind::Collateral,
            _ => GapKind::Waiting,
        };
        // A pause within one tenure repeats nothing.
        let is_one = std::ptr::eq(old, new);
        let offsets = old.offsets.zip(new.offsets).filter(|_| !is_one);
        let redelivered = offsets.map_or(0, |((_, end), (first, _))| end.saturating_sub(first));
        Gap {
            group: self.group,
            partition: self.partition,
            kind,
            members: [old.member, new.member],
            stretch,
            parts: parts(&Scene {
                measurement: m,
                group: self.group,
                partition: self.partition,
                act,
                is_owners,
                stretch,
                reader: &m.members[new.member],
                taken_ns: old.taken_ns.filter(|_| !is_one),
                given_ns: new.given_ns.filter(|_| !is_one),
                is_kept: is_one,
            }),
            redelivered: u64::try_from(redelivered).unwrap_or(0),
            resumed_at: new.offsets.map(|(first, _)| first).filter(|_| !is_one),
            committed: old.committed,
        }
    }

    /// From which length on a pause within a tenure is a standstill: one that is far longer than this partition's own.
    fn still_ns(&self, tenures: &[Tenure]) -> u64 {
        let acts = self.measurement.acts.iter();
        let first_act_ns = acts.map(|act| act.at_ns).min().unwrap_or(u64::MAX);
        let usual_ns = longest_pause_ns(tenures, first_act_ns);
        let interval_ns = mean_interval_ns(tenures);
        STILL_MIN_NS
            .max(STILL_TIMES.saturating_mul(usual_ns))
            .max(STILL_INTERVALS.saturating_mul(interval_ns))
    }

    /// From one record of a partition to the next at the lowest rate to which an act has set the load before a moment.
    fn slowest_interval_ns(&self, before_ns: u64) -> u64 {
        let acts = self.measurement.acts.iter().filter(|act| act.at_ns < before_ns);
        let rates = acts.filter_map(|act| match act.act {
            Act::SetRate(rate) => Some(rate),
            _ => None,
        });
        let Some(rate) = rates.min() else { return 0 };
        let of_group = self
            .measurement
            .members
            .iter()
            .filter(|member| member.group == self.group);
        let partitions = of_group.flat_map(|member| &member.partitions);
        let partitions: BTreeSet<TopicPartition> = partitions.map(PartitionMeasurement::topic_partition).collect();
        // At a rate of 0 nothing comes that could be waited for.
        (NS_PER_SECOND * partitions.len() as u64)
            .checked_div(rate)
            .unwrap_or(u64::MAX)
    }
}

/// The longest time without a record before a moment, that which had begun by then included.
fn longest_pause_ns(tenures: &[Tenure], before_ns: u64) -> u64 {
    let spells = tenures.iter().flat_map(|tenure| tenure.spells.windows(2));
    let pauses = spells.filter(|pair| pair[1].from_ns <= before_ns);
    let pauses = pauses.map(|pair| pair[1].from_ns.saturating_sub(pair[0].until_ns));
    let ends = tenures
        .iter()
        .flat_map(|tenure| &tenure.spells)
        .map(|spell| spell.until_ns);
    let last_ns = ends.filter(|until_ns| *until_ns <= before_ns).max();
    let open_ns = last_ns
        .filter(|_| before_ns < u64::MAX)
        .map(|last_ns| before_ns - last_ns);
    pauses.chain(open_ns).max().unwrap_or(0)
}

/// The mean time from one record of a partition to the next; 0 where it is not known.
fn mean_interval_ns(tenures: &[Tenure]) -> u64 {
    let records: i64 = tenures
        .iter()
        .filter_map(|tenure| tenure.offsets)
        .map(|(first, end)| end - first)
        .sum();
    let first_ns = tenures.iter().map(Tenure::first_ns).min().unwrap_or(0);
    let last_ns = tenures.iter().map(Tenure::last_ns).max().unwrap_or(0);
    let records = u64::try_from(records).unwrap_or(0);
    (last_ns.saturating_sub(first_ns)).checked_div(records).unwrap_or(0)
}
