//! When a member read a partition and when it did not: spells of reading, and the pauses between them.

use serde::{Deserialize, Serialize};

use super::interruption::Stretch;

/// Shorter pauses are not kept apart.
pub const PAUSE_MIN_NS: u64 = 5_000_000;
/// Spells that are kept of a partition. If there are more, the shortest pauses are given up.
const SPELLS_MAX: usize = 1_000;

/// When a member read a partition under one assignment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Flow {
    /// The assignment, as in [`super::OffsetRun::epoch`].
    pub epoch: u32,
    /// The first record was begun.
    pub from_ns: u64,
    /// The highest offset that the cluster took a commit of; `None` if it took none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed: Option<i64>,
    /// Microseconds of reading, of pause, of reading and so on, from then on.
    pub steps_us: Vec<u32>,
}

impl Flow {
    /// The stretches of reading, in order.
    pub fn spells(&self) -> Vec<Stretch> {
        let mut spells = Vec::with_capacity(self.steps_us.len().div_ceil(2));
        let mut at_ns = self.from_ns;
        for (number, step_us) in self.steps_us.iter().enumerate() {
            let until_ns = at_ns + u64::from(*step_us) * 1_000;
            if number % 2 == 0 {
                spells.push(Stretch::new(at_ns, until_ns));
            }
            at_ns = until_ns;
        }
        spells
    }

    /// The last record was finished.
    pub fn until_ns(&self) -> u64 {
        let length_us: u64 = self.steps_us.iter().map(|step_us| u64::from(*step_us)).sum();
        self.from_ns + length_us * 1_000
    }
}

/// Collects when records of a partition were read, in memory that does not grow with the time.
#[derive(Debug)]
pub struct FlowBuilder {
    /// With the assignment of each.
    spells: Vec<(u32, Stretch)>,
    pause_min_ns: u64,
}

impl Default for FlowBuilder {
    fn default() -> Self {
        FlowBuilder::with_pauses_from(PAUSE_MIN_NS)
    }
}

impl FlowBuilder {
    /// Pauses from this length on are kept apart.
    pub fn with_pauses_from(pause_min_ns: u64) -> Self {
        FlowBuilder {
            spells: Vec::new(),
            pause_min_ns,
        }
    }

    /// Notes records that were read under an assignment from one moment to another.
    #[inline]
    pub fn add(&mut self, epoch: u32, from_ns: u64, until_ns: u64) {
        if let Some((latest, spell)) = self.spells.last_mut()
            && *latest == epoch
            && from_ns < spell.until_ns.saturating_add(self.pause_min_ns)
        {
            spell.until_ns = spell.until_ns.max(until_ns);
            return;
        }
        self.spells.push((epoch, Stretch::new(from_ns, until_ns)));
        while self.spells.len() > SPELLS_MAX {
            self.pause_min_ns = self.pause_min_ns.saturating_mul(2);
            if !self.give_up_pauses() {
                return;
            }
        }
    }

    /// Joins spells that lie closer together than the shortest pause that is kept; false where only assignments keep
    /// them apart.
    fn give_up_pauses(&mut self) -> bool {
        let pause_min_ns = self.pause_min_ns;
        let mut longest_ns = 0;
        self.spells.dedup_by(|(next_epoch, next), (epoch, spell)| {
            if epoch != next_epoch {
                return false;
            }
            let pause_ns = next.from_ns.saturating_sub(spell.until_ns);
            longest_ns = pause_ns.max(longest_ns);
            let is_joined = pause_ns < pause_min_ns;
            if is_joined {
                spell.until_ns = spell.until_ns.max(next.until_ns);
            }
            is_joined
        });
        longest_ns >= pause_min_ns
    }

    /// Adds what another thread has noted.
    pub fn absorb(&mut self, other: FlowBuilder) {
        let mut all = std::mem::take(&mut self.spells);
        all.extend(other.spells);
        all.sort_by_key(|(epoch, spell)| (*epoch, spell.from_ns));
        self.pause_min_ns = self.pause_min_ns.max(other.pause_min_ns);
        for (epoch, spell) in all {
            self.add(epoch, spell.from_ns, spell.until_ns);
        }
    }

    /// The flow of each assignment, in order.
    pub fn finish(self) -> Vec<Flow> {
        let by_epoch = self.spells.chunk_by(|(epoch, _), (next, _)| epoch == next);
        let spells_of = by_epoch.filter_map(|spells| Some((spells.first()?, spells)));
        spells_of
            .map(|((epoch, first), spells)| Flow {
                epoch: *epoch,
                from_ns: first.from_ns,
                committed: None,
                steps_us: steps(first.from_ns, spells.iter().map(|(_, spell)| *spell)),
            })
            .collect()
    }
}

/// Lengths in microseconds, each edge rounded by itself, so that errors do not add up.
fn steps(origin_ns: u64, spells: impl Iterator<Item = Stretch>) -> Vec<u32> {
    let edges = spells.flat_map(|spell| [spell.from_ns, spell.until_ns]);
    let edges_us = edges.map(|at_ns| at_ns.saturating_sub(origin_ns) / 1_000);
    let mut steps_us = Vec::new();
    let mut reached_us = 0;
    for edge_us in edges_us.skip(1) {
        steps_us.push(u32::try_from(edge_us.saturating_sub(reached_us)).unwrap_or(u32::MAX));
        reached_us = reached_us.max(edge_us);
    }
    steps_us
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn pauses_are_kept_with_their_edges_and_short_ones_are_not() {
        let mut flow = FlowBuilder::default();
        for (from_ms, until_ms) in [(100, 101), (103, 104), (108, 109), (500, 501)] {
            flow.add(1, from_ms * MS, until_ms * MS);
        }
        flow.add(2, 502 * MS, 503 * MS);
        let flow = flow.finish();
        let expected = [
            Flow {
                epoch: 1,
                from_ns: 100 * MS,
                committed: None,
                steps_us: vec![9_000, 391_000, 1_000],
            },
            Flow {
                epoch: 2,
                from_ns: 502 * MS,
                committed: None,
                steps_us: vec![1_000],
            },
        ];
        assert_eq!(flow, expected);
        let spells = [Stretch::new(100 * MS, 109 * MS), Stretch::new(500 * MS, 501 * MS)];
        assert_eq!((flow[0].spells(), flow[0].until_ns()), (spells.to_vec(), 501 * MS));
    }

    #[test]
    fn of_many_pauses_the_long_ones_stay() {
        let mut flow = FlowBuilder::default();
        let mut at_ns = 0;
        for number in 0..100_000u64 {
            at_ns += if number == 70_000 { 2_000 * MS } else { 10 * MS };
            flow.add(1, at_ns, at_ns + MS);
        }
        let spells = flow.finish()[0].spells();
        assert!(spells.len() <= SPELLS_MAX, "{}", spells.len());
        let pauses = spells.windows(2).map(|pair| pair[1].from_ns - pair[0].until_ns);
        assert_eq!(pauses.max(), Some(1_999 * MS));
    }

    #[test]
    fn assignments_are_never_joined() {
        let mut flow = FlowBuilder::default();
        (0..2_000).for_each(|epoch| flow.add(epoch, u64::from(epoch) * MS, u64::from(epoch) * MS));
        assert_eq!(flow.finish().len(), 2_000);
    }

    #[test]
    fn what_two_threads_noted_is_put_in_order() {
        let (mut one, mut other) = (FlowBuilder::default(), FlowBuilder::default());
        one.add(1, 0, MS);
        one.add(3, 60 * MS, 61 * MS);
        other.add(2, 30 * MS, 31 * MS);
        other.add(1, 2 * MS, 3 * MS);
        one.absorb(other);
        let flow = one.finish();
        assert_eq!(flow.iter().map(|flow| flow.epoch).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(flow[0].spells(), [Stretch::new(0, 3 * MS)]);
    }
}
