//! The estimates of each configuration, from its used trials alone; what went wrong is counted over all.

use super::bottleneck::{self, StoreSummary};
use super::capacity;
use super::changes::ChangesSummary;
use super::idle;
use super::live;
use super::live_model::CapacitySummary;
use super::model::ConfigurationSummary;
use crate::figures::{ConfigurationFigures, FigureId, Figures, TrialFigures, with_interval};
use crate::measure::{Measurement, Status, Trial, TrialKind};
use crate::plan::Plan;
use crate::scenario::Configuration;
use crate::stats::{Estimate, count};

/// One summary per configuration, in the scenario's order. `trials` are in run order.
pub(super) fn summarise(plan: &Plan, trials: &[Trial]) -> Vec<ConfigurationSummary> {
    let blocks = plan.blocks_of_each(trials);
    (0..plan.scenario.configurations.len())
        .map(|index| {
            let counted = counted(trials, index);
            // A search runs another longer trial where one did not confirm its answer.
            let planned = if plan.scenario.capacity.is_some() {
                blocks[index].max(count(counted.len()))
            } else {
                blocks[index]
            };
            let Some(wanted) = &plan.scenario.capacity else {
                return summarise_one(plan, index, planned, &counted, &counted);
            };
            let found = capacity::summarise(wanted, index, trials);
            let at_answer = at_answer(&found, &counted);
            let mut summary = summarise_one(plan, index, planned, &counted, &at_answer);
            summary.bottleneck = bottleneck::of_capacity(&plan.scenario, index, &found, trials);
            if let Some(live) = &mut summary.live {
                live.capacity = Some(found);
            }
            summary
        })
        .collect()
}

/// A figure of a configuration over its trials, with its interval.
pub(super) fn estimate(plan: &Plan, trials: &[Trial], index: usize, id: FigureId) -> Option<Estimate> {
    let counted = counted(trials, index);
    let at_answer = match &plan.scenario.capacity {
        Some(wanted) => at_answer(&capacity::summarise(wanted, index, trials), &counted),
        None => counted.clone(),
    };
    let configuration = &plan.scenario.configurations[index];
    over_trials(configuration, &counted, &at_answer, |trials| with_interval(id, trials))
}

fn counted(trials: &[Trial], index: usize) -> Vec<&Trial> {
    let is_counted = |trial: &&Trial| trial.order.kind == TrialKind::Counted && trial.order.configuration == index;
    trials.iter().filter(is_counted).collect()
}

/// The longer trials of a search may be of several rates; those at the answer give the figures of the load.
fn at_answer<'a>(found: &CapacitySummary, counted: &[&'a Trial]) -> Vec<&'a Trial> {
    let is_at_answer = |t: &&&Trial| found.per_second.is_some() && t.order.load.map(|l| l.rate) == found.per_second;
    counted.iter().filter(is_at_answer).copied().collect()
}

fn summarise_one(
    plan: &Plan,
    index: usize,
    planned: u32,
    counted: &[&Trial],
    at_answer: &[&Trial],
) -> ConfigurationSummary {
    let configuration = &plan.scenario.configurations[index];
    let used = used(counted);
    let status = |wanted: fn(&Status) -> bool| count(counted.iter().filter(|t| wanted(&t.status)).count());
    let live = live::summarise(&configuration.mode, &self::used(at_answer));
    let figures = over_trials(configuration, counted, at_answer, Figures::over);
    ConfigurationSummary {
        configuration: index,
        name: configuration.name.clone(),
        family: configuration.family,
        members: configuration.members(),
        idle_explanation: idle::explanation(configuration, &plan.scenario.datasets[configuration.dataset], &used),
        trials_planned: planned,
        trials_used: count(used.len()),
        trials_failed: status(|s| matches!(s, Status::Failed(_))),
        trials_excluded: status(|s| matches!(s, Status::Excluded { .. })),
        bottleneck: bottleneck::find(&plan.scenario, index, &used, live.as_ref(), &figures),
        store: StoreSummary::of(configuration, &used),
        changes: ChangesSummary::of(configuration, &used),
        figures,
        live,
    }
}

/// What is made of the figures of these counted trials; figures of a load are those of the used ones `at_answer`.
fn over_trials<T>(
    configuration: &Configuration,
    counted: &[&Trial],
    at_answer: &[&Trial],
    make: impl FnOnce(ConfigurationFigures) -> T,
) -> T {
    let measured = counted
        .iter()
        .filter_map(|trial| Some((*trial, trial.measurement.as_ref()?)));
    let taken: Vec<(&Trial, TrialFigures)> = measured
        .map(|(trial, measurement)| (trial, TrialFigures::of(measurement, configuration.has_work())))
        .collect();
    let figures_of = |wanted: &dyn Fn(&Trial) -> bool| -> Vec<&TrialFigures> {
        taken
            .iter()
            .filter(|(trial, _)| wanted(trial))
            .map(|(_, figures)| figures)
            .collect()
    };
    let is_at_answer = |trial: &Trial| at_answer.iter().any(|other| other.order.number == trial.order.number);
    make(ConfigurationFigures {
        counted: &figures_of(&|_| true),
        used: &figures_of(&Trial::is_used),
        load: &figures_of(&|trial| trial.is_used() && is_at_answer(trial)),
    })
}

fn used<'a>(trials: &[&'a Trial]) -> Vec<&'a Measurement> {
    let used = trials.iter().filter(|trial| trial.is_used());
    used.filter_map(|trial| trial.measurement.as_ref()).collect()
}
