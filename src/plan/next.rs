//! Which trial comes next, and how far a run is.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::capacity::CONFIRMATIONS;
use super::history::History;
use super::model::{Done, Ending, Next, Plan, Progress, count};
use super::records::PilotState;
use crate::measure::{OrderedLoad, Trial, TrialKind, TrialOrder};
use crate::verdict::{Outlook, outlook, split_blocks};

impl Plan {
    /// The trial that follows the `stored` ones in this `session` of the run (1, and one more for every resumption).
    ///
    /// Pilots come first, then the warm-up blocks, then the counted ones. The order within a block depends on
    /// nothing but the seed. A trial that has ended, even failed, is not run again; a pilot that failed is.
    pub fn next(&self, stored: &[Trial], session: u32) -> Next {
        let history = History::new(&self.scenario, stored);
        if let Some(capacity) = &self.scenario.capacity {
            let order = self.next_of_search(capacity, &history);
            return order.map_or_else(|| Next::Done(self.done(&history, stored)), Next::Trial);
        }
        if let Some(order) = self.next_pilot(&history) {
            return Next::Trial(order);
        }
        let warmup = (0..self.scenario.warmup_blocks).map(|block| (TrialKind::Warmup, block));
        let counted = (0..self.blocks_to_run(&history, stored, session)).map(|block| (TrialKind::Counted, block));
        for (kind, block) in warmup.chain(counted) {
            for (position, configuration) in (0..).zip(self.block_order(kind, block)) {
                if !history.is_open(kind, block, configuration) {
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
        Next::Done(self.done(&history, stored))
    }

    fn done(&self, history: &History, stored: &[Trial]) -> Done {
        let skipped = history.skipped();
        let everything_skipped = skipped.len() == self.scenario.configurations.len();
        Done {
            skipped,
            everything_skipped,
            ending: match self.outlook(history, stored) {
                None => Ending::AsPlanned,
                Some(outlook) if outlook.holds => Ending::Held,
                Some(outlook) if outlook.stops => Ending::CannotHold,
                Some(_) => Ending::NotHeld,
            },
        }
    }

    /// How far the run is. Trials that only a split block makes necessary are known once the block has been split.
    pub fn progress(&self, stored: &[Trial]) -> Progress {
        let history = History::new(&self.scenario, stored);
        if let Some(capacity) = &self.scenario.capacity {
            return self.progress_of_search(capacity, &history, count(stored.len()));
        }
        let session = stored.iter().map(|t| t.session).max().unwrap_or(1);
        let blocks_at_most = self.counted_blocks(&history, session);
        let open_in = |kind, block| {
            let all = 0..self.scenario.configurations.len();
            count(all.filter(|&c| history.is_open(kind, block, c)).count())
        };
        let warmup: u32 = (0..self.scenario.warmup_blocks)
            .map(|b| open_in(TrialKind::Warmup, b))
            .sum();
        let mut open_blocks: Vec<u32> = (0..blocks_at_most).map(|b| open_in(TrialKind::Counted, b)).collect();
        let blocks_done = count(open_blocks.iter().filter(|&&open| open == 0).count());
        let blocks_planned = match self.outlook(&history, stored) {
            Some(outlook) if outlook.stops => history.blocks_begun(),
            Some(Outlook {
                blocks_more: Some(more),
                ..
            }) => blocks_done.saturating_add(more.max(1)).max(history.blocks_begun()),
            Some(_) | None => blocks_at_most,
        };
        let blocks_planned = blocks_planned.min(blocks_at_most);
        open_blocks.truncate(blocks_planned as usize);
        let families = 0..self.scenario.families.len();
        let pilots = families.filter(|&f| matches!(self.pilot(&history, f), PilotState::Needed { .. }));
        let trials_done = count(stored.len());
        Progress {
            trials_done,
            trials_planned: trials_done + count(pilots.count()) + warmup + open_blocks.iter().sum::<u32>(),
            blocks_done: blocks_done.min(blocks_planned),
            blocks_planned,
            blocks_at_most: self.scenario.repetitions.until().map(|_| blocks_at_most),
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
        self.blocks_to_run(&History::new(&self.scenario, stored), stored, session)
    }

    /// Whether the stored trials suffice to stop; `None` if the number of blocks is fixed.
    fn outlook(&self, history: &History, stored: &[Trial]) -> Option<Outlook> {
        outlook(&self.scenario, stored, &history.skipped())
    }

    /// Counted blocks that there are, or may still be. A block that was begun is always run to its end, so that no look
    /// is made within it.
    fn blocks_to_run(&self, history: &History, stored: &[Trial], session: u32) -> u32 {
        match self.outlook(history, stored) {
            Some(outlook) if outlook.stops => history.blocks_begun(),
            Some(_) | None => self.counted_blocks(history, session),
        }
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

    /// A block with trials of an earlier session and more to come is counted as split already.
    fn counted_blocks(&self, history: &History, session: u32) -> u32 {
        let split = history.counted_blocks().filter(|&block| {
            let sessions = history.sessions_of(block);
            let open = (0..self.scenario.configurations.len()).any(|c| history.is_open(TrialKind::Counted, block, c));
            sessions.len() > 1 || (open && !sessions.contains(&session))
        });
        self.scenario.repetitions.at_most() + count(split.count())
    }
}
