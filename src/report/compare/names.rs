//! How measures, configurations and figures of a comparison are written.

use super::input::CompareInput;
use crate::report::format::{UNKNOWN, estimate_in, or_unknown, rate, rate_estimate};
use crate::report::labels::Labels;
use crate::stats::Estimate;
use crate::summary::compare::{Measure, RunFigure};
use crate::summary::{CapacitySummary, Metric};

/// Stands for the configuration of a scenario that has only one.
pub(super) const ONLY_CONFIGURATION: &str = "the only configuration";

/// What a measure is, with its unit.
pub(crate) fn measure_title(measure: Measure) -> &'static str {
    match measure {
        Measure::Metric(Metric::READ_TIME) => "records per second by read time",
        Measure::Metric(Metric::STOPWATCH) => "records per second by stopwatch",
        Measure::Metric(metric) => &metric.comparing().noun,
        Measure::Capacity => "highest rate that held the objective",
    }
}

/// A configuration's name within its family.
pub(crate) fn label(input: &CompareInput, labels: &Labels, name: &str) -> String {
    let compared = input.comparison.configurations.iter().find(|c| c.name == name);
    let names = [compared.map_or("", |c| labels.short(c.index)), name, ONLY_CONFIGURATION];
    let known = names.into_iter().find(|name| !name.is_empty());
    known.unwrap_or_default().to_owned()
}

/// The same where configurations of several families stand together.
pub(crate) fn full_label(input: &CompareInput, labels: &Labels, name: &str) -> String {
    if input.scenario.families.len() > 1 {
        name.to_owned()
    } else {
        label(input, labels, name)
    }
}

/// A run's figure without its interval; of a capacity the rate that held.
pub(super) fn point_text(figure: &RunFigure) -> String {
    if let Some(capacity) = &figure.capacity {
        return or_unknown(capacity.low, rate);
    }
    let alone = |estimate: Estimate| Estimate {
        interval: None,
        ..estimate
    };
    estimate_text(figure.measure, figure.estimate.map(alone))
}

/// A run's figure with its interval.
pub(crate) fn figure_text(figure: &RunFigure) -> String {
    match &figure.capacity {
        Some(capacity) => capacity_text(capacity),
        None => estimate_text(figure.measure, figure.estimate),
    }
}

fn capacity_text(capacity: &CapacitySummary) -> String {
    match (capacity.low, capacity.high) {
        (Some(low), Some(high)) => format!("{}, fails at {}", rate(low), rate(high)),
        (Some(low), None) => format!("{}, fails nowhere", rate(low)),
        (None, Some(high)) => format!("none, fails at {}", rate(high)),
        (None, None) => UNKNOWN.to_owned(),
    }
}

fn estimate_text(measure: Measure, estimate: Option<Estimate>) -> String {
    or_unknown(estimate, |estimate| match measure {
        Measure::Metric(Metric::READ_TIME | Metric::STOPWATCH) | Measure::Capacity => rate_estimate(&estimate),
        Measure::Metric(metric) => estimate_in(metric.figure().figure().unit, &estimate),
    })
}
