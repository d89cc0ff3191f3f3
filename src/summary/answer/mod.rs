//! The answer in sentences, made from the names that the user gave.

mod backlog;
mod brokers;
mod capacity;
mod ending;
mod figure;
mod load;
mod numbers;
mod writer;

pub(super) use brokers::broker_changes;
pub(super) use ending::ending;

use self::writer::Writer;
use super::model::ConfigurationSummary;
use crate::measure::Trial;
use crate::plan::Plan;
use crate::scenario::Mode;
use crate::verdict::{Comparison, Metric};

/// A sentence or more per baseline: one for each family, and within it for each combination of the keys that are
/// held equal.
pub(super) fn answer(
    plan: &Plan,
    trials: &[Trial],
    summaries: &[ConfigurationSummary],
    comparisons: &[Comparison],
) -> Vec<String> {
    let configurations = &plan.scenario.configurations;
    let writer = Writer::new(plan, trials, summaries, comparisons);
    // One that does something else than its baseline is not compared with it, and gets a sentence of its own.
    let alone = |index: &usize| {
        let c = &configurations[*index];
        c.baseline
            .is_none_or(|baseline| configurations[baseline].mode.name() != c.mode.name())
    };
    (0..summaries.len()).filter(alone).map(|c| about(&writer, c)).collect()
}

fn about(writer: &Writer, baseline: usize) -> String {
    let metric = Metric::of(writer.scenario, &writer.configuration(baseline).mode);
    if !metric.is_usual()
        && writer
            .comparisons
            .iter()
            .any(|c| c.metric == metric && c.baseline == baseline)
    {
        return writer.about_figure(baseline, metric);
    }
    match (&writer.configuration(baseline).mode, &writer.scenario.capacity) {
        (Mode::Backlog, _) => writer.about_backlog(baseline),
        (Mode::Live(_) | Mode::Mixed(_), Some(wanted)) => writer.about_capacity(baseline, wanted),
        (Mode::Live(_), None) => writer.about_load(baseline, Metric::RESPONSE_P99),
        (Mode::Mixed(_), None) => writer.about_load(baseline, Metric::CATCH_UP),
    }
}
