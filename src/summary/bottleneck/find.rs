//! The bottleneck of a configuration, or of the rate at which its capacity ends.

use super::case::Case;
use super::model::Bottleneck;
use super::rules;
use crate::figures::Figures;
use crate::measure::{Measurement, Status, Trial};
use crate::scenario::Scenario;
use crate::summary::live;
use crate::summary::live_model::{CapacitySummary, LiveSummary};

/// The bottleneck of a configuration, from its used trials.
pub(crate) fn find(
    scenario: &Scenario,
    index: usize,
    used: &[&Measurement],
    live: Option<&LiveSummary>,
    figures: &Figures,
) -> Bottleneck {
    if used.is_empty() {
        return Bottleneck::unknown("no trial of it takes part in the figures", "");
    }
    if used.iter().any(|measurement| !measurement.acts.is_empty()) {
        // Who came and went, and what waited for that, would be taken for what limits a reader at all times.
        let reason = "what is done on purpose decides when it reads: the parts of its gaps say why";
        return Bottleneck::unknown(reason, "");
    }
    rules::judge(&Case::new(scenario, index, used, live, figures.clone(), false))
}

/// What ends a capacity: the bottleneck at the lowest rate that was not held, from all trials of the search at it.
pub(crate) fn of_capacity(scenario: &Scenario, index: usize, found: &CapacitySummary, trials: &[Trial]) -> Bottleneck {
    let of_search = |wanted: &dyn Fn(&Trial, &Measurement) -> bool| {
        let complete_trials = trials
            .iter()
            .filter(|trial| trial.order.configuration == index && trial.status == Status::Complete);
        let measured = complete_trials.filter_map(|trial| Some((trial, trial.measurement.as_ref()?)));
        measured
            .filter(|(trial, measurement)| wanted(trial, measurement))
            .map(|(_, measurement)| measurement)
            .collect::<Vec<&Measurement>>()
    };
    let is_reached = |m: &Measurement| m.load.as_ref().is_none_or(|load| load.reached);
    let beyond = if found.limited_by_load {
        of_search(&|_, m| !is_reached(m))
    } else {
        of_search(&|trial, _| trial.order.load.map(|load| load.rate) == found.high && found.high.is_some())
    };
    if beyond.is_empty() {
        let reason = "no rate that it was tried at was too high for it";
        return Bottleneck::unknown(reason, "a search that goes on to higher rates would show where it ends");
    }
    let configuration = &scenario.configurations[index];
    let live = live::summarise(&configuration.mode, &beyond);
    let case = Case::new(
        scenario,
        index,
        &beyond,
        live.as_ref(),
        Figures::of_all(&beyond, configuration.has_work()),
        true,
    );
    let mut bottleneck = rules::judge(&case);
    bottleneck.evidence = format!("at the lowest rate that it did not hold: {}", bottleneck.evidence);
    bottleneck
}
