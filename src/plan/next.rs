//! Which trial comes next, and how far a run is.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::capacity::CONFIRMATIONS;
use super::course::Course;
use super::history::History;
use super::model::{Next, Plan, Progress, count};
use super::records::PilotState;
use crate::measure::{OrderedLoad, Trial, TrialKind, TrialOrder};
use crate::verdict::split_blocks;

impl Plan {
    /// The trial that follows the `stored` ones in this `session` of the run (1, and one more for every resumption).
    ///
    /// Pilots come first, then the warm-up blocks, then the counted ones. The order within a block depends on
    /// nothing but the seed; configurations that left the blocks are passed over. A trial that has ended, even failed, is
    /// not run again; a pilot that failed is.
    pub fn next(&self, stored: &[Trial], session: u32) -> Next {
        let history = History::new(&self.scenario, stored);
        if let Some(capacity) = &self.scenario.capacity {
            let order = self.next_of_search(capacity, &history);
            return order.map_or_else(
                || Next::Done(Course::new(self, &history, stored, session).done()),
                Next::Trial,
            );
        }
        if let Some(order) = self.next_pilot(&history) {
            return Next::Trial(order);
        }
        let warmup = (0..self.scenario.warmup_blocks).map(|block| (TrialKind::Warmup, block));
        let course = Course::new(self, &history, stored, session);
        let counted = (0..course.blocks_to_run()).map(|block| (TrialKind::Counted, block));
        for (kind, block) in warmup.chain(counted) {
            for (position, configuration) in (0..).zip(self.block_order(kind, block)) {
                if !course.is_open(kind, block, configuration) {
                    continue;
                }
                let family = self.scenario.configurations[configuration].family;
                let number = history.next_number();
                // Without a count every configuration of the family was given up, so none of them is open.
                let backlog = |records| TrialOrder {
                    number,
                    kind,
                    block,
                    position,
                    configuration,
                    records,
                    load: None,
                };
                let order = match self.scenario.configurations[configuration].mode.load() {
                    Some(load) => {
                        let ordered = OrderedLoad {
                            rate: load.rate,
                            duration_ns: load.duration_ns,
                        };
                        Some(self.with_load(&backlog(0), load, ordered))
                    }
                    None => self.records_for(&history, kind, family).map(backlog),
                };
                if let Some(order) = order {
                    return Next::Trial(order);
                }
            }
        }
        Next::Done(course.done())
    }

    /// How far the run is. Trials that only a split block makes necessary are known once the block has been split.
    pub fn progress(&self, stored: &[Trial]) -> Progress {
        let history = History::new(&self.scenario, stored);
        if let Some(capacity) = &self.scenario.capacity {
            return self.progress_of_search(capacity, &history, count(stored.len()));
        }
        let session = stored.iter().map(|t| t.session).max().unwrap_or(1);
        let course = Course::new(self, &history, stored, session);
        let warmup_blocks = 0..self.scenario.warmup_blocks;
        let warmup: u32 = warmup_blocks
            .map(|block| course.open_in(TrialKind::Warmup, block))
            .sum();
        let families = 0..self.scenario.families.len();
        let pilots = families.filter(|&f| matches!(self.pilot(&history, f), PilotState::Needed { .. }));
        let trials_done = count(stored.len());
        let blocks_planned = course.blocks_planned();
        Progress {
            trials_done,
            trials_planned: trials_done + count(pilots.count()) + warmup + course.trials_ahead(),
            blocks_done: course.blocks_done().min(blocks_planned),
            blocks_planned,
            blocks_at_most: self.scenario.repetitions().until().map(|_| course.blocks_at_most()),
        }
    }

    /// Records that each group reads in the next warm-up or counted trial of a family, over all topics and
    /// partitions; `None` while no pilot has found it.
    pub fn family_records(&self, stored: &[Trial], family: usize) -> Option<u64> {
        let history = History::new(&self.scenario, stored);
        let warming = (0..self.scenario.warmup_blocks).any(|block| {
            let members = &self.scenario.families[family].configurations;
            members.iter().any(|&c| history.is_open(TrialKind::Warmup, block, c))
        });
        let kind = if warming { TrialKind::Warmup } else { TrialKind::Counted };
        self.records_for(&history, kind, family)
    }

    /// Configurations given up after [`FAILURES_IN_A_ROW`](super::FAILURES_IN_A_ROW) failures in a row, ascending.
    pub fn skipped(&self, stored: &[Trial]) -> Vec<usize> {
        History::new(&self.scenario, stored).skipped()
    }

    /// True where the trials of a counted block are of more than one session, so that the machine may have changed
    /// between them: the block takes no part in paired comparisons. A search for capacity has none of those.
    pub fn is_split(&self, stored: &[Trial], block: u32) -> bool {
        self.scenario.capacity.is_none() && split_blocks(stored).contains(&block)
    }

    /// Counted blocks of the plan so far: those asked for, and one for every split block; those begun where a run
    /// without a fixed number has stopped. In a search for capacity the trials that confirm an answer.
    pub fn blocks(&self, stored: &[Trial]) -> u32 {
        if self.scenario.capacity.is_some() {
            return CONFIRMATIONS;
        }
        let session = stored.iter().map(|t| t.session).max().unwrap_or(1);
        Course::new(self, &History::new(&self.scenario, stored), stored, session).blocks_to_run()
    }

    /// The same of each configuration: fewer where it left the blocks.
    pub fn blocks_of_each(&self, stored: &[Trial]) -> Vec<u32> {
        let all = self.scenario.configurations.len();
        if self.scenario.capacity.is_some() {
            return vec![CONFIRMATIONS; all];
        }
        let session = stored.iter().map(|t| t.session).max().unwrap_or(1);
        let history = History::new(&self.scenario, stored);
        let course = Course::new(self, &history, stored, session);
        (0..all).map(|configuration| course.blocks_of(configuration)).collect()
    }

    /// All configurations in the order of a block, those given up included.
    pub(super) fn block_order(&self, kind: TrialKind, block: u32) -> Vec<usize> {
        let mut random = ChaCha8Rng::seed_from_u64(self.scenario.seed);
        // A stream of its own for each block: its order does not depend on how many blocks went before.
        let kind = match kind {
            TrialKind::Pilot => 0,
            TrialKind::Warmup => 1,
            TrialKind::Counted => 2,
            TrialKind::Search => 3,
        };
        random.set_stream(kind << 32 | u64::from(block));
        let mut order: Vec<usize> = (0..self.scenario.configurations.len()).collect();
        order.shuffle(&mut random);
        order
    }
}
