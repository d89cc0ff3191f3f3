//! Which axis of a matrix explains how much of what the trials differ by.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::measure::Trial;
use crate::plan::Plan;
use crate::scenario::{Configuration, Scenario};
use crate::stats::{self, Effects, EffectsRefusal, Estimate, FactorialTrial};
use crate::verdict::{Metric, figure, paired_trials};
use crate::wording::{capitalised, listed, without_zeros};

/// Smaller shares are reported together.
const SHARE_REPORTED: f64 = 0.01;

/// The logarithm of what is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectsOf {
    /// Deliveries per second over all groups, where a backlog is read.
    Throughput,
    /// The 99th percentile of the response time, in live trials.
    ResponseP99,
    /// The time until backlog and arrivals were read, in mixed trials.
    CatchUp,
    /// The figure that the scenario names as its metric.
    Figure(Metric),
}

impl EffectsOf {
    /// In words.
    pub fn describe(self) -> &'static str {
        match self {
            EffectsOf::Throughput => "throughput",
            EffectsOf::ResponseP99 => "p99 of the response time",
            EffectsOf::CatchUp => "time to catch up",
            EffectsOf::Figure(metric) => &metric.comparing().noun,
        }
    }

    fn of(metric: Metric) -> Self {
        match metric {
            Metric::READ_TIME | Metric::STOPWATCH => EffectsOf::Throughput,
            Metric::RESPONSE_P99 => EffectsOf::ResponseP99,
            Metric::CATCH_UP => EffectsOf::CatchUp,
            metric => EffectsOf::Figure(metric),
        }
    }
}

/// The analysis of variance of a scenario's matrix. A description: it depends on which values the axes were given, and
/// is corrected for nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EffectsSummary {
    /// Of what.
    pub of: EffectsOf,
    /// The factors that [`stats::EffectShare::factors`] counts: `case` where there are several, and every axis with more
    /// than one value.
    pub factors: Vec<String>,
    /// The shares, or why there are none.
    pub outcome: EffectsOutcome,
    /// The same as a sentence.
    pub text: String,
}

/// Shares of the variance, or why there are none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectsOutcome {
    /// The shares.
    Explained(Effects),
    /// Why there are none.
    Refused(EffectsRefusal),
}

/// `None` where fewer than two factors have more than one value, where configurations do different things (read a
/// backlog, or what arrives), and in a search for capacity, whose trials are of different rates.
pub(super) fn summarise(plan: &Plan, trials: &[Trial]) -> Option<EffectsSummary> {
    let scenario = &plan.scenario;
    let factors = Factors::new(scenario);
    let mut metrics = scenario
        .configurations
        .iter()
        .map(|c| Metric::of_ratios(scenario, &c.mode));
    let metric = metrics.next()?;
    if factors.names.len() < 2 || scenario.capacity.is_some() || metrics.any(|other| other != metric) {
        return None;
    }
    let made = paired_trials(trials).into_iter();
    let value = |trial: &Trial| {
        let has_work = scenario.configurations[trial.order.configuration].has_work();
        figure(metric, trial.measurement.as_ref()?, has_work).filter(|value| *value > 0.0)
    };
    let explained: Vec<FactorialTrial> = made
        .filter_map(|trial| {
            Some(FactorialTrial {
                levels: factors.levels(&scenario.configurations[trial.order.configuration]),
                block: trial.order.block,
                value: value(trial)?.ln(),
            })
        })
        .collect();
    if explained.is_empty() {
        return None;
    }
    let outcome = match factors.missing(&explained) {
        0 => match stats::effects(&explained, scenario.seed) {
            Ok(effects) => EffectsOutcome::Explained(effects),
            Err(refusal) => EffectsOutcome::Refused(refusal),
        },
        missing => EffectsOutcome::Refused(EffectsRefusal::EmptyCells(missing)),
    };
    let effects_of = EffectsOf::of(metric);
    Some(EffectsSummary {
        of: effects_of,
        text: text(effects_of, &factors.names, &outcome),
        factors: factors.names,
        outcome,
    })
}

/// What the configurations of a scenario may differ in.
struct Factors {
    names: Vec<String>,
    /// Each axis that is one, or `None` for the case.
    of: Vec<Option<usize>>,
    /// The values of each.
    values: Vec<Vec<String>>,
}

impl Factors {
    fn new(scenario: &Scenario) -> Self {
        let all = std::iter::once(None).chain((0..scenario.axes.len()).map(Some));
        let values = |factor: Option<usize>| {
            let mut values: Vec<String> = Vec::new();
            for value in scenario.configurations.iter().map(|c| value(c, factor)) {
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            (factor, values)
        };
        let (of, values): (Vec<Option<usize>>, Vec<Vec<String>>) =
            all.map(values).filter(|(_, values)| values.len() > 1).unzip();
        let name = |factor: &Option<usize>| factor.map_or("case".to_owned(), |axis| scenario.axes[axis].key.clone());
        Factors {
            names: of.iter().map(name).collect(),
            of,
            values,
        }
    }

    fn levels(&self, configuration: &Configuration) -> Vec<usize> {
        let level = |(factor, values): (&Option<usize>, &Vec<String>)| {
            let own = value(configuration, *factor);
            values.iter().position(|value| *value == own).unwrap_or(0)
        };
        self.of.iter().zip(&self.values).map(level).collect()
    }

    /// Combinations without any trial: those of configurations that were given up, and those that are none.
    fn missing(&self, trials: &[FactorialTrial]) -> usize {
        let all: usize = self.values.iter().map(Vec::len).product();
        all - trials.iter().map(|trial| &trial.levels).collect::<BTreeSet<_>>().len()
    }
}

/// The value of an axis, or the case.
fn value(configuration: &Configuration, factor: Option<usize>) -> String {
    match factor {
        Some(axis) => configuration.axis_values.get(axis).cloned().unwrap_or_default(),
        None => configuration.case.clone(),
    }
}

fn text(of: EffectsOf, names: &[String], outcome: &EffectsOutcome) -> String {
    let effects = match outcome {
        EffectsOutcome::Explained(effects) => effects,
        EffectsOutcome::Refused(refusal) => {
            return format!(
                "Which axis explains how much of the {} is not reported: {refusal}.",
                of.describe()
            );
        }
    };
    let mut parts: Vec<(Estimate, &[usize])> = effects
        .shares
        .iter()
        .map(|effect| (effect.share, effect.factors.as_slice()))
        .collect();
    parts.extend(effects.higher.map(|share| (share, &[][..])));
    parts.sort_by(|a, b| b.0.point.total_cmp(&a.0.point));
    let (reported, rest): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| part.0.point >= SHARE_REPORTED);
    let noise = percent(&effects.noise);
    let Some(((share, first), others)) = reported.split_first() else {
        return format!(
            "No axis explains a hundredth of the variance of the {} between trials; {noise} of it is noise.",
            of.describe()
        );
    };
    let others = others.iter().fold(String::new(), |text, (share, factors)| {
        format!("{text}, {} {}", title(names, factors), percent(share))
    });
    let rest = if rest.is_empty() {
        ""
    } else {
        ", everything else less than 1 % each"
    };
    // A key stays as the user wrote it.
    let first = match first {
        [_] => title(names, first),
        _ => capitalised(&title(names, first)),
    };
    format!(
        "{first} explains {} of the variance of the {} between trials{others}{rest}; {noise} is noise.",
        percent(share),
        of.describe()
    )
}

/// `size`, `the interaction of size and consumers`, or without factors those of three and more.
fn title(names: &[String], factors: &[usize]) -> String {
    let names: Vec<&str> = factors
        .iter()
        .filter_map(|factor| names.get(*factor))
        .map(String::as_str)
        .collect();
    match names[..] {
        [] => "interactions of three and more".to_owned(),
        [one] => one.to_owned(),
        _ => format!("the interaction of {}", listed(&names)),
    }
}

/// `81 % [70, 88]`; with a digit more where both ends would read the same.
fn percent(share: &Estimate) -> String {
    if share.point < 0.000_5 && share.interval.is_none_or(|(_, high)| high < 0.000_5) {
        return "less than 0.1 %".to_owned();
    }
    let figure = |share: f64, more: usize| {
        let percent = share * 100.0;
        if (0.05..9.95).contains(&percent) {
            without_zeros(&format!("{percent:.*}", 1 + more)).to_owned()
        } else {
            format!("{percent:.more$}")
        }
    };
    let reads_alike = |(low, high): (f64, f64)| low < high && figure(low, 0) == figure(high, 0);
    let more = usize::from(share.interval.is_some_and(reads_alike));
    let interval = share.interval.map_or(String::new(), |(low, high)| {
        format!(" [{}, {}]", figure(low, more), figure(high, more))
    });
    format!("{} %{interval}", figure(share.point, more))
}

#[cfg(test)]
mod tests;
