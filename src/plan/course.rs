//! The blocks of a run: how many there are, and which configurations each of them has.

use super::history::History;
use super::model::{Done, Ending, Plan, count};
use crate::measure::{Trial, TrialKind};
use crate::verdict::{Outlook, outlook};

/// What the stored trials make of a plan's blocks.
pub(super) struct Course<'a> {
    pub(super) plan: &'a Plan,
    pub(super) history: &'a History<'a>,
    /// Whether the stored trials suffice to stop; `None` if the number of blocks is fixed.
    pub(super) outlook: Option<Outlook>,
    /// The session in which the run goes on.
    session: u32,
}

impl<'a> Course<'a> {
    pub(super) fn new(plan: &'a Plan, history: &'a History<'a>, stored: &[Trial], session: u32) -> Self {
        Course {
            outlook: outlook(&plan.scenario, stored, &history.skipped()),
            plan,
            history,
            session,
        }
    }

    /// What it means that no trial comes next.
    pub(super) fn done(&self) -> Done {
        let skipped = self.history.skipped();
        let everything_skipped = skipped.len() == self.plan.scenario.configurations.len();
        Done {
            skipped,
            everything_skipped,
            ending: match &self.outlook {
                None => Ending::AsPlanned,
                Some(outlook) if outlook.holds => Ending::Held,
                Some(outlook) if outlook.stops => Ending::CannotHold,
                Some(_) => Ending::NotHeld,
            },
        }
    }

    /// Whether a configuration takes part in a block. A configuration leaves the counted blocks when its comparisons
    /// have stopped, unless others still need it as their baseline.
    pub(super) fn is_measured(&self, kind: TrialKind, block: u32, configuration: usize) -> bool {
        let leaves = self.outlook.as_ref().filter(|_| kind == TrialKind::Counted);
        leaves.is_none_or(|outlook| outlook.is_measured(block, configuration))
    }

    /// Whether the trial is still to be run.
    pub(super) fn is_open(&self, kind: TrialKind, block: u32, configuration: usize) -> bool {
        self.history.is_open(kind, block, configuration) && self.is_measured(kind, block, configuration)
    }

    /// Trials of a block that are still to be run.
    pub(super) fn open_in(&self, kind: TrialKind, block: u32) -> u32 {
        let all = 0..self.plan.scenario.configurations.len();
        count(all.filter(|&c| self.is_open(kind, block, c)).count())
    }

    /// Counted blocks that there are, or may still be. A block that was begun is always run to its end, so that no look
    /// is made within it.
    pub(super) fn blocks_to_run(&self) -> u32 {
        match &self.outlook {
            Some(outlook) if outlook.stops => self.history.blocks_begun(),
            Some(_) | None => self.blocks_at_most(),
        }
    }

    /// Counted blocks that there can be. A block with trials of an earlier session and more to come is counted as split
    /// already.
    pub(super) fn blocks_at_most(&self) -> u32 {
        let split = self.history.counted_blocks().filter(|&block| {
            let sessions = self.history.sessions_of(block);
            let is_open = self.open_in(TrialKind::Counted, block) > 0;
            sessions.len() > 1 || (is_open && !sessions.contains(&self.session))
        });
        self.plan.scenario.repetitions().at_most() + count(split.count())
    }

    /// Counted blocks whose trials have all been run.
    pub(super) fn blocks_done(&self) -> u32 {
        let begun = self.history.blocks_begun();
        let every = 0..self.plan.scenario.configurations.len();
        let is_done = |block: &u32| {
            if *block < begun {
                return self.open_in(TrialKind::Counted, *block) == 0;
            }
            every
                .clone()
                .all(|c| !self.history.is_open(TrialKind::Counted, *block, c))
        };
        count((0..self.blocks_at_most()).filter(is_done).count())
    }

    /// Counted blocks that the run will probably have.
    pub(super) fn blocks_planned(&self) -> u32 {
        let (at_most, begun) = (self.blocks_at_most(), self.history.blocks_begun());
        let planned = match &self.outlook {
            Some(outlook) if outlook.stops => begun,
            Some(Outlook {
                blocks_more: Some(more),
                ..
            }) => self.blocks_done().saturating_add((*more).max(1)).max(begun),
            Some(_) | None => at_most,
        };
        planned.min(at_most)
    }

    /// Counted trials that will probably still be run.
    pub(super) fn trials_ahead(&self) -> u32 {
        let (begun, done) = (self.history.blocks_begun(), self.blocks_done());
        let expected = |block: u32| match &self.outlook {
            Some(outlook) if block >= begun => {
                let all = 0..self.plan.scenario.configurations.len();
                let is_expected = |c: &usize| {
                    self.history.is_open(TrialKind::Counted, block, *c)
                        && outlook.is_expected((block + 1).saturating_sub(done), *c)
                };
                count(all.filter(is_expected).count())
            }
            Some(_) | None => self.open_in(TrialKind::Counted, block),
        };
        (0..self.blocks_planned()).map(expected).sum()
    }

    /// Counted blocks of one configuration so far, and those still to come.
    pub(super) fn blocks_of(&self, configuration: usize) -> u32 {
        let is_its_own = |block: &u32| {
            let has_run = self.history.has_run(TrialKind::Counted, *block, configuration);
            has_run || self.is_measured(TrialKind::Counted, *block, configuration)
        };
        count((0..self.blocks_to_run()).filter(is_its_own).count())
    }
}
