//! The figures of one trial.

use super::catalogue::{FIGURES, FigureId, Source, Trials};
use super::comparing::By;
use super::statistic::Statistic;
use super::take::{NS_PER_MS, TrialInput, is_meaningful};
use crate::measure::Measurement;
use crate::measure::latency::{LatencyPart, LatencyRecorder};
use crate::stats::median;

/// The value of a figure in one trial.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sample {
    Number(f64),
    Count(u64),
    Ratio([f64; 2]),
    Each(Vec<f64>),
}

impl Sample {
    /// The trial's figure; `None` of nothing.
    pub(super) fn value(&self) -> Option<f64> {
        match self {
            Sample::Number(number) => Some(*number),
            Sample::Count(count) => Some(*count as f64),
            Sample::Ratio([of, by]) => (*by > 0.0).then(|| of / by),
            Sample::Each(values) => median(values),
        }
    }
}

/// Every figure that one trial has.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialFigures {
    samples: Vec<(FigureId, Sample)>,
    /// Whether the latencies are those of the load that was asked for and of readers that kept up.
    pub(super) is_meaningful: bool,
    /// Whether records arrived.
    pub(super) has_load: bool,
}

impl TrialFigures {
    /// Takes the figures of a trial, with or without work for each record.
    pub fn of(measurement: &Measurement, has_work: bool) -> Self {
        let input = TrialInput { measurement, has_work };
        let latencies = measurement.latencies();
        let latency = |part, statistic| statistic_ns(latencies.as_ref()?.part(part), statistic);
        let samples = FIGURES
            .iter()
            .filter_map(|figure| Some((figure.id, sample(&figure.source, &input, &latency)?)));
        TrialFigures {
            samples: samples.collect(),
            is_meaningful: is_meaningful(measurement),
            has_load: measurement.load.is_some(),
        }
    }

    pub(super) fn sample(&self, id: FigureId) -> Option<&Sample> {
        self.samples
            .iter()
            .find(|(known, _)| *known == id)
            .map(|(_, sample)| sample)
    }

    /// The figure in its unit; `None` where it is not known.
    pub fn get(&self, id: FigureId) -> Option<f64> {
        self.sample(id)?.value()
    }
}

/// One figure of a trial by which it may be compared, in its unit; a time is never shorter than the clock's step. `None`
/// where the trial has none, and of latencies where its load was not reached or its readers fell behind.
pub fn comparable(id: FigureId, measurement: &Measurement, has_work: bool) -> Option<f64> {
    let figure = id.figure();
    let is_of_them = figure.trials != Trials::Meaningful || is_meaningful(measurement);
    let input = is_of_them.then_some(TrialInput { measurement, has_work })?;
    let latency = |part, statistic| statistic_ns(&measurement.latency(part)?, statistic);
    let value = sample(&figure.source, &input, &latency)?.value()?;
    let is_ratio = id.comparing().is_some_and(|comparing| comparing.by == By::Ratio);
    let shortest = figure.unit.shortest().filter(|_| is_ratio);
    Some(shortest.map_or(value, |shortest| value.max(shortest)))
}

/// What a source gives of a trial, whose latencies in nanoseconds are found by `latency`.
fn sample(
    source: &Source,
    input: &TrialInput,
    latency: &dyn Fn(LatencyPart, Statistic) -> Option<f64>,
) -> Option<Sample> {
    match source {
        Source::Number(take) => take(input).map(Sample::Number),
        Source::Count(take) => take(input.measurement).map(Sample::Count),
        Source::Ratio(take) => take(input).map(Sample::Ratio),
        Source::Each(take) => Some(Sample::Each(take(input.measurement))),
        Source::Latency(part, statistic) => {
            // What is less than the error of comparing the clocks of two hosts is no figure.
            let least_ns = if part.is_between_clients() {
                input.measurement.response_bound_ns()
            } else {
                0
            };
            let ns = latency(*part, *statistic).filter(|ns| *ns >= least_ns as f64)?;
            Some(Sample::Number(ns / NS_PER_MS))
        }
    }
}

/// Nanoseconds; a percentile only where the sample carries it.
fn statistic_ns(latency: &LatencyRecorder, statistic: Statistic) -> Option<f64> {
    match (statistic, statistic.share()) {
        (_, Some(share)) => latency.percentile_ns(share).map(|ns| ns as f64),
        (Statistic::Mean, None) => latency.mean_ns(),
        (_, None) => latency.max_ns().map(|ns| ns as f64),
    }
}
