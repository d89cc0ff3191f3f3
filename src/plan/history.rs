//! What the stored trials say about the plan: what has been run, what was given up, in which session.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::measure::{Status, Trial, TrialKind};
use crate::scenario::Scenario;

/// After this many failures in a row a configuration is not tried again.
pub const FAILURES_IN_A_ROW: u32 = 3;

/// The stored trials in run order, with indices over them.
pub(super) struct History<'a> {
    trials: Vec<&'a Trial>,
    done: HashSet<(TrialKind, u32, usize)>,
    given_up: Vec<bool>,
    /// Sessions by counted block.
    sessions: BTreeMap<u32, BTreeSet<u32>>,
}

impl<'a> History<'a> {
    pub(super) fn new(scenario: &Scenario, stored: &'a [Trial]) -> Self {
        let mut trials: Vec<&Trial> = stored.iter().collect();
        trials.sort_by_key(|t| t.order.number);
        let done = trials
            .iter()
            .map(|t| (t.order.kind, t.order.block, t.order.configuration))
            .collect();
        let given_up = (0..scenario.configurations.len())
            .map(|c| is_given_up(trials.iter().copied().filter(|t| t.order.configuration == c)))
            .collect();
        let mut sessions: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for trial in trials.iter().filter(|t| t.order.kind == TrialKind::Counted) {
            sessions.entry(trial.order.block).or_default().insert(trial.session);
        }
        History {
            trials,
            done,
            given_up,
            sessions,
        }
    }

    /// One past the highest number stored, so that a gap is never filled with another trial.
    pub(super) fn next_number(&self) -> u32 {
        self.trials.last().map_or(1, |t| t.order.number + 1)
    }

    /// True where the trial has ended, even failed.
    pub(super) fn has_run(&self, kind: TrialKind, block: u32, configuration: usize) -> bool {
        self.done.contains(&(kind, block, configuration))
    }

    /// True where the trial has not ended, and its configuration has not been given up.
    pub(super) fn is_open(&self, kind: TrialKind, block: u32, configuration: usize) -> bool {
        !self.given_up[configuration] && !self.has_run(kind, block, configuration)
    }

    pub(super) fn skipped(&self) -> Vec<usize> {
        (0..self.given_up.len()).filter(|&c| self.given_up[c]).collect()
    }

    /// Counted blocks that have trials.
    pub(super) fn counted_blocks(&self) -> impl Iterator<Item = u32> {
        self.sessions.keys().copied()
    }

    /// Counted blocks up to the last that has trials.
    pub(super) fn blocks_begun(&self) -> u32 {
        self.sessions.keys().next_back().map_or(0, |last| last + 1)
    }

    /// Sessions in which trials of a counted block were run.
    pub(super) fn sessions_of(&self, block: u32) -> BTreeSet<u32> {
        self.sessions.get(&block).cloned().unwrap_or_default()
    }

    /// Trials of a kind and configuration in run order.
    pub(super) fn trials_of(&self, kind: TrialKind, configuration: usize) -> impl Iterator<Item = &'a Trial> {
        let matches = move |t: &&Trial| t.order.kind == kind && t.order.configuration == configuration;
        self.trials.iter().copied().filter(matches)
    }
}

/// True where the trials of one configuration, in run order, hold [`FAILURES_IN_A_ROW`] failures in a row.
pub(super) fn is_given_up<'a>(trials: impl Iterator<Item = &'a Trial>) -> bool {
    let mut in_a_row = 0;
    for trial in trials {
        in_a_row = if matches!(trial.status, Status::Failed(_)) {
            in_a_row + 1
        } else {
            0
        };
        if in_a_row == FAILURES_IN_A_ROW {
            return true;
        }
    }
    false
}
