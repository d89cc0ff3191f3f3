//! How good a run was: how much one trial varies, whether the machine changed under it, and whether its figures should
//! be trusted at all. The rules are in docs/method.md.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::measure::{FlagKind, Status, Trial, TrialKind};
use crate::plan::Plan;
use crate::scenario::Scenario;
use crate::stats::{self, CONFIDENCE, count, mean, median, standard_deviation};
use crate::verdict::{Metric, compared_value};

/// Where more than this share of the counted trials was disturbed, or failed or broke a rule, the run is not to be
/// trusted.
const BAD_SHARE: f64 = 0.25;

/// Drift and serial correlation are reported up to this p. It is stricter than a verdict's, because every run is tested
/// for both.
const REPORTED_P: f64 = 0.01;

/// Fewer used trials do not say how much one varies.
const NOISE_TRIALS_MIN: usize = 3;

/// What is known of the quality of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RunQuality {
    /// Why the figures should not be trusted, a sentence each; empty for a run like any other.
    pub distrust: Vec<String>,
    /// Counted trials that have ended.
    pub trials_counted: u32,
    /// Of those, flagged as disturbed.
    pub trials_disturbed: u32,
    /// Standard deviation of the logarithm of one trial's figure, median over the configurations: 0.02 says that two
    /// trials in three lie within 2 % of their mean. `None` where no configuration has three used trials.
    pub noise: Option<f64>,
    /// The smallest difference that a comparison of two configurations would detect over the blocks made, as a share,
    /// by how much the differences of two of them within blocks vary; `None` where it is not known.
    pub detectable: Option<f64>,
    /// Blocks in which such a comparison would detect differences of the practical threshold; `None` where it is not
    /// known, or more than 1,000.
    pub blocks_to_resolve: Option<u32>,
    /// Change of the figures from the first trial of the run to the last, by all configurations together.
    pub drift: Option<RunDrift>,
    /// How much trials that follow one another are alike.
    pub serial: Option<RunSerial>,
}

/// Whether the figures rose or fell over the run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RunDrift {
    /// Change of the speed over the complete run as a share: -0.05 says that the last trials were 5 % slower.
    pub change: f64,
    /// Two-sided p of there being none.
    pub p: f64,
}

/// How much trials that follow one another are alike, beyond what their configurations explain.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RunSerial {
    /// Correlation of each trial with the next, -1 to 1.
    pub lag_one: f64,
    /// Two-sided p of its being chance.
    pub p: f64,
}

/// A used trial: its number in the run, its block, and the logarithm of the figure that verdicts rest on.
struct Figure {
    number: u32,
    block: u32,
    log: f64,
}

/// How far a used trial's logarithmic figure lies from its configuration's mean.
struct Residual {
    number: u32,
    /// Its number, moved by as much as the blocks of its configuration lie before the middle of the run: the mean of a
    /// configuration that left early is that of early trials.
    place: f64,
    value: f64,
}

pub(super) fn quality(plan: &Plan, trials: &[Trial]) -> RunQuality {
    let counted: Vec<&Trial> = trials.iter().filter(|t| t.order.kind == TrialKind::Counted).collect();
    let flagged = |t: &&&Trial| t.is_flagged(FlagKind::Disturbed);
    let disturbed = counted.iter().filter(flagged).count();
    let groups = logs(&plan.scenario, &counted);
    let deviations: Vec<f64> = groups
        .iter()
        .filter(|logs| logs.len() >= NOISE_TRIALS_MIN)
        .filter_map(|logs| standard_deviation(&logs.iter().map(|figure| figure.log).collect::<Vec<f64>>()))
        .collect();
    let noise = median(&deviations);
    let paired = paired_deviation(&groups);
    let resolve = |deviation| stats::observations_to_resolve(deviation, plan.scenario.threshold);
    let blocks = groups.iter().map(Vec::len).max().unwrap_or(0);
    let residuals = residuals(&groups);
    let values: Vec<f64> = residuals.iter().map(|r| r.value).collect();
    let places: Vec<f64> = residuals.iter().map(|r| r.place).collect();
    let mut quality = RunQuality {
        distrust: Vec::new(),
        trials_counted: count(counted.len()),
        trials_disturbed: count(disturbed),
        noise,
        detectable: paired.and_then(|deviation| detectable(deviation, blocks)),
        blocks_to_resolve: paired.and_then(resolve).map(count),
        drift: stats::drift(&places, &values).map(|drift| RunDrift {
            change: drift.total.exp_m1(),
            p: drift.p,
        }),
        serial: stats::serial_correlation(&values, plan.scenario.seed).map(|serial| RunSerial {
            lag_one: serial.lag_one,
            p: serial.p,
        }),
    };
    quality.distrust = distrust(&counted, &quality);
    quality
}

/// `p 0.012`, or that it is too small to be written so.
fn p_text(p: f64) -> String {
    if p < 0.0001 {
        "p < 0.0001".to_owned()
    } else {
        format!("p {p:.4}")
    }
}

/// Half the t interval of paired differences with this standard deviation, as a share.
fn detectable(deviation: f64, blocks: usize) -> Option<f64> {
    let half = stats::half_width(deviation, blocks, 1.0 - CONFIDENCE);
    half.is_finite().then(|| half.exp_m1())
}

/// Standard deviation of the difference of two trials of one block, median over neighbouring configurations: what verdicts
/// rest on. A machine that changes over the run is not in it, for both trials of a block see it alike.
fn paired_deviation(groups: &[Vec<Figure>]) -> Option<f64> {
    let of_pair = |pair: &[Vec<Figure>]| {
        let [first, second] = pair else { return None };
        let differences: Vec<f64> = first
            .iter()
            .filter_map(|a| Some(second.iter().find(|b| b.block == a.block)?.log - a.log))
            .collect();
        let enough = differences.len() >= NOISE_TRIALS_MIN;
        enough.then(|| standard_deviation(&differences)).flatten()
    };
    median(&groups.windows(2).filter_map(of_pair).collect::<Vec<f64>>())
}

/// Of each configuration its used trials in run order.
fn logs(scenario: &Scenario, counted: &[&Trial]) -> Vec<Vec<Figure>> {
    let used_trials = |index: usize| {
        let metric = Metric::of_ratios(scenario, &scenario.configurations[index].mode);
        let has_work = scenario.configurations[index].has_work();
        let used = counted.iter().filter(|t| t.is_used() && t.order.configuration == index);
        used.filter_map(|t| {
            Some(Figure {
                number: t.order.number,
                block: t.order.block,
                log: compared_value(metric, t, has_work)?,
            })
        })
        .collect()
    };
    // The trials of a search for capacity are of different rates, and so are not alike.
    if scenario.capacity.is_some() {
        return Vec::new();
    }
    (0..scenario.configurations.len()).map(used_trials).collect()
}

/// In run order.
fn residuals(groups: &[Vec<Figure>]) -> Vec<Residual> {
    let mut by_block: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for figure in groups.iter().flatten() {
        by_block.entry(figure.block).or_default().push(f64::from(figure.number));
    }
    let middles: BTreeMap<u32, f64> = by_block
        .iter()
        .filter_map(|(block, numbers)| Some((*block, mean(numbers)?)))
        .collect();
    let middle_of_run = mean(&middles.values().copied().collect::<Vec<f64>>()).unwrap_or(0.0);
    let mut residuals: Vec<Residual> = groups
        .iter()
        .filter(|logs| logs.len() >= NOISE_TRIALS_MIN)
        .flat_map(|logs| {
            let centre = mean(&logs.iter().map(|figure| figure.log).collect::<Vec<f64>>()).unwrap_or(0.0);
            let own_blocks: Vec<f64> = logs.iter().map(|figure| middles[&figure.block]).collect();
            let early = middle_of_run - mean(&own_blocks).unwrap_or(middle_of_run);
            logs.iter().map(move |figure| Residual {
                number: figure.number,
                place: f64::from(figure.number) + early,
                value: figure.log - centre,
            })
        })
        .collect();
    residuals.sort_by_key(|residual| residual.number);
    residuals
}

impl RunQuality {
    /// Says so where so many trials were disturbed that the run is not to be trusted.
    pub fn disturbed(&self) -> Option<String> {
        let (disturbed, all) = (self.trials_disturbed, self.trials_counted);
        (f64::from(disturbed) > BAD_SHARE * f64::from(all)).then(|| {
            format!(
                "{disturbed} of {all} counted trials were disturbed by other programs or by the hypervisor: run again \
                 on a quiet machine."
            )
        })
    }
}

fn distrust(counted: &[&Trial], quality: &RunQuality) -> Vec<String> {
    let all = counted.len();
    let many = |number: usize| number as f64 > BAD_SHARE * all as f64;
    let mut reasons: Vec<String> = quality.disturbed().into_iter().collect();
    let wrong = counted.iter().filter(|t| t.status != Status::Complete).count();
    if many(wrong) {
        reasons.push(format!(
            "{wrong} of {all} counted trials failed or broke a rule of the method: what is left is no fair sample."
        ));
    }
    reasons
}

/// What a reader of the figures should know of the run's quality beyond [`RunQuality::distrust`], a sentence each.
pub(super) fn warnings(quality: &RunQuality, threshold: f64, undecided: bool) -> Vec<String> {
    let mut warnings = Vec::new();
    let drifted = |drift: &RunDrift| drift.p <= REPORTED_P && drift.change.abs() > threshold;
    if let Some(drift) = quality.drift.filter(drifted) {
        warnings.push(format!(
            "The machine changed during the run: trials at its end were {:.1} % {} than those at its beginning ({}). \
             Verdicts compare trials within blocks, so this hardly affects them; it widens the intervals of single rows.",
            drift.change.abs() * 100.0,
            if drift.change < 0.0 { "slower" } else { "faster" },
            p_text(drift.p)
        ));
    }
    if let Some(serial) = quality
        .serial
        .filter(|serial| serial.p <= REPORTED_P && serial.lag_one > 0.0)
    {
        warnings.push(format!(
            "Trials that follow one another are alike (correlation {:.2}, {}): the intervals of single rows are \
             too narrow.",
            serial.lag_one,
            p_text(serial.p)
        ));
    }
    if let (Some(noise), Some(detectable)) = (quality.noise, quality.detectable)
        && undecided
        && detectable > threshold
    {
        warnings.push(format!(
            "One trial varies by {:.1} % (standard deviation), so the blocks made tell differences from about {:.1} % up. \
             Longer trials, more blocks or a quieter machine tell smaller ones.",
            noise * 100.0,
            detectable * 100.0
        ));
    }
    warnings
}

#[cfg(test)]
#[path = "quality_tests.rs"]
mod tests;
