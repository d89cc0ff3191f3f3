//! Figures over several trials of a configuration.

use std::collections::BTreeMap;

use serde::de::Deserializer;
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::catalogue::{FIGURES, Figure, FigureId, Over, Trials};
use super::trial::{Sample, TrialFigures};
use crate::measure::Measurement;
use crate::stats::{Estimate, mean, median};

/// The value of a figure over the trials of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A geometric mean with its interval.
    Estimate(Estimate),
    /// A number of things.
    Count(u64),
    /// A number without an interval.
    Number(f64),
}

impl Value {
    /// The figure itself.
    pub fn point(&self) -> f64 {
        match self {
            Value::Estimate(estimate) => estimate.point,
            Value::Count(count) => *count as f64,
            Value::Number(number) => *number,
        }
    }
}

/// The figures of a configuration that are known, in the order of the catalogue.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figures(BTreeMap<FigureId, Value>);

/// The trials that a configuration's figures are taken over.
#[derive(Debug, Clone, Copy)]
pub struct ConfigurationFigures<'a> {
    /// All counted trials that have a measurement.
    pub counted: &'a [&'a TrialFigures],
    /// Those that are used.
    pub used: &'a [&'a TrialFigures],
    /// Those of the used ones that figures of the load are taken over.
    pub load: &'a [&'a TrialFigures],
}

impl Figures {
    /// Over these trials.
    pub fn over(trials: ConfigurationFigures) -> Self {
        let value = |figure: &Figure| Some((figure.id, over(figure, &samples(figure, trials))?));
        Figures(FIGURES.iter().filter_map(value).collect())
    }

    /// Over trials of a configuration that are all used, with or without work for each record.
    pub fn of_all(trials: &[&Measurement], has_work: bool) -> Self {
        let each: Vec<TrialFigures> = trials.iter().map(|m| TrialFigures::of(m, has_work)).collect();
        let all: Vec<&TrialFigures> = each.iter().collect();
        Figures::over(ConfigurationFigures {
            counted: &all,
            used: &all,
            load: &all,
        })
    }

    /// A figure with what is known of its uncertainty; `None` where no trial has it.
    pub fn get(&self, id: FigureId) -> Option<Value> {
        self.0.get(&id).copied()
    }

    /// A figure alone.
    pub fn point(&self, id: FigureId) -> Option<f64> {
        self.get(id).map(|value| value.point())
    }

    /// A figure that is a geometric mean, with its interval.
    pub fn estimate(&self, id: FigureId) -> Option<Estimate> {
        match self.get(id) {
            Some(Value::Estimate(estimate)) => Some(estimate),
            _ => None,
        }
    }

    /// A number of things; 0 where no trial says it.
    pub fn count(&self, id: FigureId) -> u64 {
        match self.get(id) {
            Some(Value::Count(count)) => count,
            _ => 0,
        }
    }

    /// Takes a figure out, or puts one in.
    #[cfg(test)]
    pub(crate) fn set(&mut self, id: FigureId, value: Option<Value>) {
        match value {
            Some(value) => self.0.insert(id, value),
            None => self.0.remove(&id),
        };
    }
}

/// A figure over these trials with a 95 % interval. That of a geometric mean is the one of the catalogue. A figure that is
/// a mean, a median or pooled has Student's, of the mean of the trials' values. A sum or a largest value is what was
/// counted or seen: its interval is itself.
pub fn with_interval(id: FigureId, trials: ConfigurationFigures) -> Option<Estimate> {
    let figure = id.figure();
    let samples = samples(figure, trials);
    match (figure.over, over(figure, &samples)?) {
        (_, Value::Estimate(estimate)) => Some(estimate),
        (Over::Sum | Over::Largest, value) => Some(Estimate {
            point: value.point(),
            interval: (!samples.is_empty()).then_some((value.point(), value.point())),
            observations: samples.len(),
        }),
        _ => {
            let values: Vec<f64> = samples.iter().filter_map(|sample| sample.value()).collect();
            Estimate::arithmetic(&values)
        }
    }
}

/// What those trials have of a figure that it is taken over.
fn samples<'a>(figure: &Figure, trials: ConfigurationFigures<'a>) -> Vec<&'a Sample> {
    let samples = |trials: &'a [&'a TrialFigures], accepts: fn(&TrialFigures) -> bool| -> Vec<&'a Sample> {
        let accepted = trials.iter().filter(|trial| accepts(trial));
        accepted.filter_map(|trial| trial.sample(figure.id)).collect()
    };
    match figure.trials {
        Trials::Used => samples(trials.used, |_| true),
        Trials::Counted => samples(trials.counted, |_| true),
        Trials::Load | Trials::Overloaded => samples(trials.load, |trial| trial.has_load),
        Trials::Meaningful => samples(trials.load, |trial| trial.is_meaningful),
    }
}

fn over(figure: &Figure, samples: &[&Sample]) -> Option<Value> {
    let values = || samples.iter().filter_map(|sample| sample.value());
    let is_count = figure.is_count();
    let counts = || -> Vec<u64> {
        let count = |sample: &&Sample| match sample {
            Sample::Count(count) => Some(*count),
            _ => None,
        };
        let mut counts: Vec<u64> = samples.iter().filter_map(count).collect();
        counts.sort_unstable();
        counts
    };
    match figure.over {
        Over::GeometricMean => {
            let shortest = figure.unit.shortest().unwrap_or(0.0);
            let values: Vec<f64> = values().map(|value| value.max(shortest)).collect();
            Estimate::geometric(&values).map(Value::Estimate)
        }
        Over::Mean => mean(&values().collect::<Vec<f64>>()).map(Value::Number),
        // One that was delivered, where there are two in the middle.
        Over::Median if is_count => {
            let counts = counts();
            counts.get(counts.len() / 2).copied().map(Value::Count)
        }
        Over::Median => {
            let mut each = Vec::new();
            for sample in samples {
                match sample {
                    Sample::Each(values) => each.extend(values),
                    other => each.extend(other.value()),
                }
            }
            median(&each).map(Value::Number)
        }
        Over::Pooled => {
            let mut sums = [0.0, 0.0];
            for sample in samples {
                if let Sample::Ratio(ratio) = sample {
                    sums = [sums[0] + ratio[0], sums[1] + ratio[1]];
                }
            }
            Sample::Ratio(sums).value().map(Value::Number)
        }
        Over::Sum => Some(Value::Count(counts().iter().sum())),
        Over::Largest if is_count => counts().last().copied().map(Value::Count),
        Over::Largest => values().reduce(f64::max).map(Value::Number),
    }
}

impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(FIGURES.len()))?;
        for figure in FIGURES.iter() {
            map.serialize_entry(&figure.name, &self.get(figure.id))?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Figures {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Beside the figures lie the other fields of the configuration, which are none of them.
        let mut all: BTreeMap<String, serde_json::Value> = BTreeMap::deserialize(deserializer)?;
        let mut known = BTreeMap::new();
        for figure in FIGURES.iter() {
            let value: Option<serde_json::Value> = all.remove(&figure.name);
            let value: Option<Value> =
                serde_json::from_value(value.unwrap_or_default()).map_err(serde::de::Error::custom)?;
            if let Some(value) = value {
                known.insert(figure.id, value);
            }
        }
        Ok(Figures(known))
    }
}
