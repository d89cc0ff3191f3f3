//! A plan, and what it says of a run.

use serde::{Deserialize, Serialize};

use crate::measure::judge::ExclusionRules;
use crate::measure::{OrderedLoad, TrialOrder};
use crate::scenario::{Load, Mode, Scenario};

/// Version of the stored form of [`Plan`].
pub const PLAN_SCHEMA_VERSION: u32 = 1;

/// What is to be run, and the rules that were fixed before the first trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`PLAN_SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The scenario, validated.
    pub scenario: Scenario,
    /// When a trial is flagged and when its figures are left out.
    pub exclusion: ExclusionRules,
    /// The file that the scenario was made from, without secrets; `None` in what was stored before it was kept here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// What comes next in a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Run this.
    Trial(TrialOrder),
    /// Nothing is left to run.
    Done(Done),
}

/// Why nothing is left to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Configurations given up after [`FAILURES_IN_A_ROW`](super::FAILURES_IN_A_ROW) failures, as indices into the scenario's, ascending.
    pub skipped: Vec<usize>,
    /// True where every configuration was given up.
    pub everything_skipped: bool,
    /// What ended it.
    pub ending: Ending,
}

/// What ends a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Its trials have been run: their number was fixed, or left to a search.
    AsPlanned,
    /// The condition of `until` holds.
    Held,
    /// The condition cannot hold for all comparisons, and more blocks would not change that.
    CannotHold,
    /// It does not, but there are no more blocks.
    NotHeld,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Trials that have ended, pilots and warm-up included.
    pub trials_done: u32,
    /// Stored trials and all that are planned. A pilot that fails or is too short adds one.
    pub trials_planned: u32,
    /// Counted blocks of which every configuration has run or was given up.
    pub blocks_done: u32,
    /// Counted blocks of the plan, those added for split ones included; where the run goes on until something holds, as
    /// many as that will probably take.
    pub blocks_planned: u32,
    /// Upper bound on the counted blocks of a run with `until`.
    pub blocks_at_most: Option<u32>,
}

impl Plan {
    /// The plan of a scenario, with the default rules.
    pub fn new(scenario: Scenario) -> Self {
        Plan {
            schema_version: PLAN_SCHEMA_VERSION,
            scenario,
            exclusion: ExclusionRules::default(),
            source: None,
        }
    }

    /// The plan with the file that its scenario was made from.
    #[must_use]
    pub fn with_source(self, text: String) -> Self {
        Plan {
            source: Some(text),
            ..self
        }
    }

    /// The order with a load in it, and with the records that its groups will read by then.
    pub(super) fn with_load(&self, order: &TrialOrder, load: &Load, wanted: OrderedLoad) -> TrialOrder {
        let configuration = &self.scenario.configurations[order.configuration];
        let backlog = match configuration.mode {
            Mode::Mixed(_) => self.scenario.datasets[configuration.dataset].records,
            Mode::Live(_) | Mode::Backlog => 0,
        };
        // A rate that cannot be planned is refused with the scenario; the trial would say so again.
        let schedule = load.schedule(wanted.rate, wanted.duration_ns, self.scenario.seed).ok();
        TrialOrder {
            records: backlog + schedule.map_or(0, |schedule| schedule.expected_records()),
            load: Some(wanted),
            ..order.clone()
        }
    }
}

/// Numbers of trials and blocks are far below 2^32: each takes a file and a second.
pub(super) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
