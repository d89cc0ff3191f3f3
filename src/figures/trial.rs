//! The figures of one trial.

use super::catalogue::{FIGURES, FigureId, Source};
use super::statistic::Statistic;
use super::take::{NS_PER_MS, TrialInput, is_meaningful};
use crate::measure::Measurement;
use crate::measure::latency::LatencyRecorder;
use crate::scenario::Configuration;
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
    /// Takes the figures of a trial of this configuration.
    pub fn of(configuration: &Configuration, measurement: &Measurement) -> Self {
        let input = TrialInput {
            measurement,
            configuration,
        };
        let latencies = measurement.latencies();
        let sample = |source: &Source| match source {
            Source::Number(take) => take(&input).map(Sample::Number),
            Source::Count(take) => Some(Sample::Count(take(measurement))),
            Source::Ratio(take) => take(&input).map(Sample::Ratio),
            Source::Each(take) => Some(Sample::Each(take(measurement))),
            Source::Latency(part, statistic) => {
                let ns = statistic_ns(latencies.as_ref()?.part(*part), *statistic)?;
                Some(Sample::Number(ns / NS_PER_MS))
            }
        };
        let samples = FIGURES
            .iter()
            .filter_map(|figure| Some((figure.id, sample(&figure.source)?)));
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

/// Nanoseconds; a percentile only where the sample carries it.
fn statistic_ns(latency: &LatencyRecorder, statistic: Statistic) -> Option<f64> {
    match (statistic, statistic.share()) {
        (_, Some(share)) => latency.percentile_ns(share).map(|ns| ns as f64),
        (Statistic::Mean, None) => latency.mean_ns(),
        (_, None) => latency.max_ns().map(|ns| ns as f64),
    }
}
