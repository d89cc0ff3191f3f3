//! What each configuration came to in each run.

use super::matching::Matching;
use super::model::{ComparedConfiguration, Measure, RunFacts, RunFigure};
use super::run::{StoredRun, run_name};
use crate::measure::{Measurement, Status, Trial, TrialKind};
use crate::plan::Next;
use crate::scenario::{Mode, Scenario};
use crate::stats::Estimate;
use crate::summary::capacity;
use crate::verdict::{self, Metric, compared_value};

/// By what a configuration of this scenario is compared.
pub(super) fn measure_of(scenario: &Scenario, mode: &Mode) -> Measure {
    match scenario.capacity {
        Some(_) if mode.load().is_some() => Measure::Capacity,
        _ => Measure::of(Metric::usual(mode)).unwrap_or(Measure::ReadTime),
    }
}

/// The configurations that are compared with any run, and their figures in all runs.
pub(super) struct Figures {
    pub(super) configurations: Vec<ComparedConfiguration>,
    pub(super) figures: Vec<RunFigure>,
}

impl Figures {
    pub(super) fn of(baseline: &StoredRun, others: &[StoredRun], matched: &[Matching]) -> Self {
        let scenario = &baseline.plan.scenario;
        let is_compared = |index: &usize| matched.iter().any(|m| m.pairs.iter().any(|(first, _)| first == index));
        let all = 0..scenario.configurations.len();
        let compared: Vec<usize> = all.filter(is_compared).collect();
        let mut figures = Vec::new();
        for &index in &compared {
            let measure = measure_of(scenario, &scenario.configurations[index].mode);
            figures.push(figure(&run_name(0), baseline, index, measure));
            for (run, (stored, matching)) in (1..).zip(others.iter().zip(matched)) {
                let pair = matching.pairs.iter().find(|(first, _)| *first == index);
                figures.extend(pair.map(|(_, own)| figure(&run_name(run), stored, *own, measure)));
            }
        }
        let name = |index: usize| ComparedConfiguration {
            name: scenario.configurations[index].name.clone(),
            index,
        };
        Figures {
            configurations: compared.into_iter().map(name).collect(),
            figures,
        }
    }
}

/// The used trials of a configuration with their measurements, in the order of running.
fn used(trials: &[Trial], configuration: usize) -> Vec<(&Trial, &Measurement)> {
    let mut used: Vec<(&Trial, &Measurement)> = trials
        .iter()
        .filter(|t| t.order.configuration == configuration && t.is_used())
        .filter_map(|t| Some((t, t.measurement.as_ref()?)))
        .collect();
    used.sort_by_key(|(trial, _)| trial.order.number);
    used
}

/// How fast each used trial was that has such a figure.
pub(super) fn speeds(trials: &[Trial], configuration: usize, measure: Measure) -> Vec<f64> {
    let Some(metric) = measure.metric() else {
        return Vec::new();
    };
    let used = used(trials, configuration).into_iter();
    used.filter_map(|(trial, _)| compared_value(metric, trial, false).map(f64::exp))
        .collect()
}

fn figure(name: &str, run: &StoredRun, configuration: usize, measure: Measure) -> RunFigure {
    let used = used(run.trials, configuration).into_iter();
    let trials: Vec<f64> = used
        .filter_map(|(_, measurement)| verdict::figure(measure.metric()?, measurement, false))
        .collect();
    let searched = run
        .plan
        .scenario
        .capacity
        .as_ref()
        .filter(|_| measure == Measure::Capacity);
    RunFigure {
        run: name.to_owned(),
        configuration: run.plan.scenario.configurations[configuration].name.clone(),
        measure,
        estimate: Estimate::geometric(&trials),
        capacity: searched.map(|search| capacity::summarise(search, configuration, run.trials)),
        trials,
    }
}

/// What there is to say of a run itself.
pub(super) fn facts(name: &str, run: &StoredRun, same_as: Option<String>) -> RunFacts {
    let counted = || run.trials.iter().filter(|t| t.order.kind == TrialKind::Counted);
    let session = run.trials.iter().map(|trial| trial.session).max().unwrap_or(1);
    let environment = run.environment;
    RunFacts {
        name: name.to_owned(),
        folder: run.folder.to_owned(),
        scenario: run.plan.scenario.name.clone(),
        first_trial_at: run.trials.iter().map(|t| t.started_at).min(),
        last_trial_at: run.trials.iter().map(|t| t.started_at).max(),
        trials: run.trials.len(),
        trials_used: counted().filter(|t| t.is_used()).count(),
        trials_failed: counted().filter(|t| matches!(t.status, Status::Failed(_))).count(),
        complete: matches!(run.plan.next(run.trials, session), Next::Done(_)),
        same_as,
        kafka: environment.cluster.version.clone(),
        client: environment.clients_in_words(),
        tandem: environment.tandem(),
    }
}
