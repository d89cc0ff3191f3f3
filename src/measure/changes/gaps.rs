//! Which partitions stood still because of planned acts, and when.

use super::cause::{of_change, of_pause, on_owner, participant};
use super::model::{Gap, GapKind};
use super::parts::{Scene, parts};
use super::tenures::{Tenure, tenures};
use crate::measure::{Measurement, Participant, Stretch, TopicPartition};

/// A partition that kept its owner stands still if nothing of it is read for this long,
const STILL_MIN_NS: u64 = 100_000_000;
/// and for so many times as long as it ever was before the first act.
const STILL_TIMES: u64 = 2;

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
            }),
            redelivered: u64::try_from(redelivered).unwrap_or(0),
            resumed_at: new.offsets.map(|(first, _)| first).filter(|_| !is_one),
            committed: old.flow.committed,
        }
    }

    /// From which length on a pause within a tenure is a standstill.
    fn still_ns(&self, tenures: &[Tenure]) -> u64 {
        let first_act_ns = self
            .measurement
            .acts
            .iter()
            .map(|act| act.at_ns)
            .min()
            .unwrap_or(u64::MAX);
        let spells = tenures.iter().flat_map(|tenure| tenure.spells.windows(2));
        let before = spells.filter(|pair| pair[1].from_ns <= first_act_ns);
        let usual_ns = before.map(|pair| pair[1].from_ns - pair[0].until_ns).max().unwrap_or(0);
        STILL_MIN_NS.max(STILL_TIMES * usual_ns)
    }
}
