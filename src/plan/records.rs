//! How many records a family reads: given, or found by pilots and doubled once if the warm-up shows it too few.

use super::history::{History, is_given_up};
use super::model::{Plan, count};
use crate::measure::{Measurement, Status, Trial, TrialKind, TrialOrder};
use crate::scenario::{Configuration, Family, TrialLength};

/// Pilots of a family that may be run without failing before the last one has to do.
const PILOT_ATTEMPTS: usize = 6;

/// A trial shorter than this share of the wanted time is too short.
const SHORT_SHARE: f64 = 0.25;

/// The first pilot without work reads this share of what there is.
const FIRST_PILOT_SHARE: u64 = 8;

/// What a database nearby probably takes for a transaction, and for each row of it.
const ASSUMED_TRANSACTION_NS: u64 = 800_000;
const ASSUMED_ROW_NS: u64 = 20_000;

/// How long the work on a record probably takes, in nanoseconds, if a transaction has as many rows as it may have.
pub(super) fn assumed_work_ns(configuration: &Configuration) -> u64 {
    let of_store = || ASSUMED_TRANSACTION_NS / u64::from(configuration.store_batch.max(1)) + ASSUMED_ROW_NS;
    configuration.work.ns().unwrap_or_else(of_store)
}

/// Where a family's search for its record count stands.
pub(super) enum PilotState {
    /// No pilot is wanted, or the count stands already.
    Settled(u64),
    /// This pilot comes next.
    Needed { configuration: usize, records: u64 },
    /// Every configuration of the family failed as pilot.
    GivenUp,
}

impl Plan {
    pub(super) fn next_pilot(&self, history: &History) -> Option<TrialOrder> {
        (0..self.scenario.families.len()).find_map(|family| match self.pilot(history, family) {
            PilotState::Needed { configuration, records } => Some(TrialOrder {
                number: history.next_number(),
                kind: TrialKind::Pilot,
                block: self.pilots_of(history, family),
                position: 0,
                configuration,
                records,
                load: None,
            }),
            PilotState::Settled(_) | PilotState::GivenUp => None,
        })
    }

    /// The length of a family's trials. Nothing tells a program that speaks nothing to stop, so it reads all that there is.
    pub(super) fn length_of(&self, family: &Family) -> TrialLength {
        let is_silent = |c: &usize| {
            self.scenario
                .app_of(&self.scenario.configurations[*c])
                .silent()
                .is_some()
        };
        if family.configurations.iter().any(is_silent) {
            return TrialLength::Everything;
        }
        self.scenario.trial
    }

    /// The number of the family's next pilot: attempts so far, failed ones too.
    fn pilots_of(&self, history: &History, family: usize) -> u32 {
        let members = &self.scenario.families[family].configurations;
        let pilots = members.iter().flat_map(|&c| history.trials_of(TrialKind::Pilot, c));
        pilots.map(|t| t.order.block + 1).max().unwrap_or(count(0))
    }

    pub(super) fn pilot(&self, history: &History, index: usize) -> PilotState {
        let family = &self.scenario.families[index];
        // Where records arrive, rate and time decide how many there are.
        let arrives = |c: &usize| self.scenario.configurations[*c].mode.load().is_some();
        if family.configurations.iter().any(arrives) {
            return PilotState::Settled(0);
        }
        // Keeps the count that trials have used, even if the pilots' files are gone: it must not change during a run.
        if let Some(records) =
            stored_records(history, family, TrialKind::Warmup).or(stored_records(history, family, TrialKind::Counted))
        {
            return PilotState::Settled(records);
        }
        let wanted_s = match self.length_of(family) {
            TrialLength::Records(records) => return PilotState::Settled(fit(family, records as f64)),
            TrialLength::Everything => return PilotState::Settled(family.records_max),
            TrialLength::Seconds(seconds) => seconds,
        };
        // Equal records for all: what the slowest part reads in that time.
        let mut fewest: Option<u64> = None;
        for part in self.scenario.parts(family) {
            match self.pilot_of(history, family, &part, (wanted_s, fewest.unwrap_or(family.records_max))) {
                PilotState::Settled(records) => fewest = Some(fewest.map_or(records, |least| least.min(records))),
                needed @ PilotState::Needed { .. } => return needed,
                PilotState::GivenUp => {}
            }
        }
        fewest.map_or(PilotState::GivenUp, PilotState::Settled)
    }

    /// Where the search for the count of a part of a family stands: the first of its configurations is the pilot. No
    /// more records than `at_most` are of interest.
    fn pilot_of(
        &self,
        history: &History,
        family: &Family,
        part: &[usize],
        (wanted_s, at_most): (f64, u64),
    ) -> PilotState {
        for &configuration in part {
            // Only pilots decide here: giving a configuration up later must not start the search again.
            let pilots = || history.trials_of(TrialKind::Pilot, configuration);
            if is_given_up(pilots()) {
                continue;
            }
            let ended: Vec<(&Trial, &Measurement)> = pilots()
                .filter(|t| !matches!(t.status, Status::Failed(_)))
                .filter_map(|t| t.measurement.as_ref().map(|m| (t, m)))
                .collect();
            let Some((trial, measurement)) = ended.last() else {
                let records = self.first_pilot_records(family, configuration, wanted_s).min(at_most);
                return PilotState::Needed { configuration, records };
            };
            // One that stood still took longer than its records take.
            if trial.status != Status::Complete && ended.len() < PILOT_ATTEMPTS {
                let records = trial.order.records;
                return PilotState::Needed { configuration, records };
            }
            let read_s = measurement.read_ns().max(1) as f64 / 1e9;
            let scaled = fit(family, trial.order.records as f64 * wanted_s / read_s).min(at_most);
            let long_enough = read_s >= wanted_s * SHORT_SHARE || trial.order.records >= at_most;
            if long_enough || ended.len() >= PILOT_ATTEMPTS {
                return PilotState::Settled(scaled);
            }
            return PilotState::Needed {
                configuration,
                records: scaled,
            };
        }
        PilotState::GivenUp
    }

    /// Enough for a quarter of the wanted time if one member did all the work.
    fn first_pilot_records(&self, family: &Family, configuration: usize, wanted_s: f64) -> u64 {
        match self.scenario.configurations[configuration].work.ns() {
            Some(0) => fit(family, (family.records_max / FIRST_PILOT_SHARE) as f64),
            _ => {
                let work_s = assumed_work_ns(&self.scenario.configurations[configuration]) as f64 / 1e9;
                fit(family, wanted_s * SHORT_SHARE / work_s)
            }
        }
    }

    /// Records for the next trial of this kind in a family.
    pub(super) fn records_for(&self, history: &History, kind: TrialKind, index: usize) -> Option<u64> {
        let family = &self.scenario.families[index];
        if let Some(records) = stored_records(history, family, kind) {
            return Some(records);
        }
        let base = match self.pilot(history, index) {
            PilotState::Settled(records) => records,
            PilotState::Needed { .. } | PilotState::GivenUp => return None,
        };
        let doubled = kind == TrialKind::Counted && self.warmup_was_short(history, family);
        Some(if doubled { fit(family, base as f64 * 2.0) } else { base })
    }

    /// True where in each part of the family some configuration took under a quarter of the wanted time in a warm-up
    /// block. A part that is slower than the others, which set the count of all, would only take longer.
    fn warmup_was_short(&self, history: &History, family: &Family) -> bool {
        let TrialLength::Seconds(wanted_s) = self.length_of(family) else {
            return false;
        };
        let was_short = |part: &Vec<usize>| {
            let trials = part.iter().flat_map(|&c| history.trials_of(TrialKind::Warmup, c));
            trials
                .filter(|t| !matches!(t.status, Status::Failed(_)))
                .filter_map(|t| t.measurement.as_ref())
                .any(|m| (m.read_ns() as f64 / 1e9) < wanted_s * SHORT_SHARE)
        };
        self.scenario.parts(family).iter().all(was_short)
    }
}

/// Records of the first stored trial of this kind in the family.
fn stored_records(history: &History, family: &Family, kind: TrialKind) -> Option<u64> {
    let trials = family.configurations.iter().flat_map(|&c| history.trials_of(kind, c));
    trials.min_by_key(|t| t.order.number).map(|t| t.order.records)
}

/// Rounds up to what divides evenly among the partitions, and cuts at what the family's data sets hold.
pub(super) fn fit(family: &Family, records: f64) -> u64 {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to a count in the line"
    )]
    let records = records.ceil().clamp(1.0, family.records_max.max(1) as f64) as u64;
    records
        .next_multiple_of(family.record_multiple.max(1))
        .min(family.records_max.max(1))
}
