//! The estimates of each configuration, from its used trials alone; what went wrong is counted over all.

use super::bottleneck;
use super::capacity;
use super::idle;
use super::live;
use super::model::ConfigurationSummary;
use crate::figures::{ConfigurationFigures, Figures, TrialFigures};
use crate::measure::{Measurement, Status, Trial, TrialKind};
use crate::plan::Plan;
use crate::scenario::Configuration;
use crate::stats::count;

/// One summary per configuration, in the scenario's order. `trials` are in run order.
pub(super) fn summarise(plan: &Plan, trials: &[Trial]) -> Vec<ConfigurationSummary> {
    let blocks = plan.blocks_of_each(trials);
    (0..plan.scenario.configurations.len())
        .map(|index| {
            let is_counted =
                |trial: &&Trial| trial.order.kind == TrialKind::Counted && trial.order.configuration == index;
            let counted: Vec<&Trial> = trials.iter().filter(is_counted).collect();
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
            // The longer trials may be of several rates; those at the answer give the figures of the load.
            let is_at_answer =
                |t: &&&Trial| found.per_second.is_some() && t.order.load.map(|l| l.rate) == found.per_second;
            let at_answer: Vec<&Trial> = counted.iter().filter(is_at_answer).copied().collect();
            let mut summary = summarise_one(plan, index, planned, &counted, &at_answer);
            summary.bottleneck = bottleneck::of_capacity(&plan.scenario, index, &found, trials);
            if let Some(live) = &mut summary.live {
                live.capacity = Some(found);
            }
            summary
        })
        .collect()
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
    let figures = figures(configuration, counted, at_answer);
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
        figures,
        live,
    }
}

/// The figures over these counted trials; those of a load over the used ones `at_answer`.
fn figures(configuration: &Configuration, counted: &[&Trial], at_answer: &[&Trial]) -> Figures {
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
    Figures::over(ConfigurationFigures {
        counted: &figures_of(&|_| true),
        used: &figures_of(&Trial::is_used),
        load: &figures_of(&|trial| trial.is_used() && is_at_answer(trial)),
    })
}

fn used<'a>(trials: &[&'a Trial]) -> Vec<&'a Measurement> {
    let used = trials.iter().filter(|trial| trial.is_used());
    used.filter_map(|trial| trial.measurement.as_ref()).collect()
}
