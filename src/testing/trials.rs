//! Trials as a run would store them, and runs of a plan without a cluster.

use super::trial::{measurement, trial};
use crate::measure::{FailureKind, Trial, TrialOrder};
use crate::plan::{Next, Plan};

/// A trial that read everything in so many seconds, half a second after its processes were started.
pub(crate) fn complete(plan: &Plan, order: TrialOrder, session: u32, read_s: f64) -> Trial {
    let configuration = &plan.scenario.configurations[order.configuration];
    let measurement = measurement()
        .configuration(configuration)
        .dataset(&plan.scenario.datasets[configuration.dataset])
        .records(order.records)
        .read_seconds(read_s);
    trial()
        .configuration(order.configuration, &configuration.name)
        .measured(measurement.build())
        .order(order)
        .session(session)
        .build()
}

/// A trial that failed without a measurement.
pub(crate) fn failed(plan: &Plan, order: TrialOrder, session: u32, kind: FailureKind) -> Trial {
    let name = &plan.scenario.configurations[order.configuration].name;
    trial()
        .configuration(order.configuration, name)
        .order(order)
        .session(session)
        .failed(kind)
        .build()
}

/// Runs a plan to its end in one session; `seconds` gives the read time of a trial, `None` to let it fail.
pub(crate) fn run(plan: &Plan, seconds: impl FnMut(&TrialOrder) -> Option<f64>) -> Vec<Trial> {
    run_from(plan, Vec::new(), 1, usize::MAX, seconds)
}

/// Goes on with a run for at most `limit` trials.
pub(crate) fn run_from(
    plan: &Plan,
    mut stored: Vec<Trial>,
    session: u32,
    limit: usize,
    mut seconds: impl FnMut(&TrialOrder) -> Option<f64>,
) -> Vec<Trial> {
    for _ in 0..limit {
        let Next::Trial(order) = plan.next(&stored, session) else {
            break;
        };
        assert!(stored.len() < 100_000, "the plan does not end");
        let trial = match seconds(&order) {
            Some(read_s) => complete(plan, order, session, read_s),
            None => failed(plan, order, session, FailureKind::Stall),
        };
        stored.push(trial);
    }
    stored
}
