//! What a comparison of two configurations is, and what it can conclude.

use serde::de::{Deserializer, Error as _};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use crate::figures::{Better, By, Comparing, FigureId, RESPONSE_P99};
use crate::scenario::{Mode, Scenario};
use crate::stats::{self, Estimate};

/// By what configurations are compared: a figure of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Metric(FigureId);

/// Metrics whose stored names are not those of their figures.
const NAMES: [(Metric, &str); 4] = [
    (Metric::READ_TIME, "read_time"),
    (Metric::STOPWATCH, "stopwatch"),
    (Metric::RESPONSE_P99, "response_p99"),
    (Metric::CATCH_UP, "catch_up"),
];

impl Metric {
    /// Speed by read time: start to last record.
    pub const READ_TIME: Metric = Metric(FigureId::ReadSeconds);
    /// Speed by stopwatch: process start to last record.
    pub const STOPWATCH: Metric = Metric(FigureId::StopwatchSeconds);
    /// In live trials: shortness of the 99th percentile of the response time.
    pub const RESPONSE_P99: Metric = Metric(RESPONSE_P99);
    /// In mixed trials: speed by the time from the start until backlog and arrivals were read.
    pub const CATCH_UP: Metric = Metric(FigureId::CatchUpSeconds);

    /// The metric that answers the question of a scenario for configurations of a mode: the one that the scenario names,
    /// or else that of the mode.
    pub fn of(scenario: &Scenario, mode: &Mode) -> Self {
        scenario
            .metric
            .map_or(Metric::usual(mode), |chosen| Metric(chosen.figure))
    }

    /// The same, but that of the mode where the scenario names a figure that is compared by differences, of which there
    /// is no share.
    pub fn of_ratios(scenario: &Scenario, mode: &Mode) -> Self {
        let metric = Metric::of(scenario, mode);
        match metric.comparing().by {
            By::Ratio => metric,
            By::Difference => Metric::usual(mode),
        }
    }

    /// The metric for configurations of a mode where the scenario names none.
    pub fn usual(mode: &Mode) -> Self {
        match mode {
            Mode::Backlog => Metric::READ_TIME,
            Mode::Live(_) => Metric::RESPONSE_P99,
            Mode::Mixed(_) => Metric::CATCH_UP,
        }
    }

    /// All metrics of a scenario, those first that answer its question.
    pub fn all(scenario: &Scenario) -> Vec<Self> {
        let modes = scenario.configurations.iter().map(|c| &c.mode);
        let mut all = Vec::new();
        for metric in modes.flat_map(|mode| Metric::of_mode(scenario, mode)) {
            if !all.contains(&metric) {
                all.push(metric);
            }
        }
        all.sort_by_key(|metric| !metric.is_inferential(scenario));
        all
    }

    /// The metrics by which configurations of a mode are compared. In a search for capacity the trials have different
    /// rates, so there is none. The stopwatch stands beside the speed of reading a backlog.
    pub(super) fn of_mode(scenario: &Scenario, mode: &Mode) -> Vec<Self> {
        let metric = Metric::of(scenario, mode);
        if scenario.capacity.is_some() && mode.load().is_some() {
            return Vec::new();
        }
        let stopwatch = (metric == Metric::READ_TIME).then_some(Metric::STOPWATCH);
        std::iter::once(metric).chain(stopwatch).collect()
    }

    /// True where the metric answers the question of a scenario, so that its comparisons are corrected for being
    /// several; false where it is only described.
    pub fn is_inferential(self, scenario: &Scenario) -> bool {
        self != Metric::STOPWATCH || scenario.metric.is_some_and(|chosen| chosen.figure == self.0)
    }

    /// True for a metric that a mode has where a scenario names none.
    pub fn is_usual(self) -> bool {
        [Metric::READ_TIME, Metric::RESPONSE_P99, Metric::CATCH_UP].contains(&self)
    }

    /// The figure.
    pub fn figure(self) -> FigureId {
        self.0
    }

    /// How configurations are compared by it.
    pub fn comparing(self) -> &'static Comparing {
        // The reader of scenarios refuses figures by which nothing is compared.
        let comparing = self.0.comparing();
        comparing.unwrap_or_else(|| unreachable!("{:?} is compared", self.0))
    }

    /// As files name it.
    pub fn name(self) -> &'static str {
        let stored = NAMES.iter().find(|(metric, _)| *metric == self);
        stored.map_or(&self.0.figure().name, |(_, name)| name)
    }

    /// Half the width of what counts as the same about no difference: of the logarithm of a ratio, or of a difference in
    /// the figure's unit.
    pub fn edge(self, scenario: &Scenario) -> f64 {
        let chosen = scenario.metric.filter(|chosen| chosen.figure == self.0);
        let difference = chosen.and_then(|chosen| chosen.difference);
        difference.unwrap_or_else(|| scenario.threshold.ln_1p())
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Metric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let stored = NAMES.iter().find(|(_, name)| *name == text);
        let metric = stored.map(|(metric, _)| *metric);
        let figure = || FigureId::named(&text).filter(|figure| figure.comparing().is_some());
        let metric = metric.or_else(|| figure().map(Metric));
        metric.ok_or_else(|| D::Error::custom(format!("nothing is compared by {text:?}")))
    }
}

/// How far a configuration is from its baseline.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// How many times as good as the baseline: as fast, or the baseline's figure over the configuration's where less is
    /// better. Above 1 is better; more, where neither is better in itself.
    Ratio(Estimate),
    /// The configuration's figure minus the baseline's, in the figure's unit.
    Difference(Estimate),
}

impl Effect {
    /// The ratio or the difference.
    pub fn estimate(self) -> Estimate {
        match self {
            Effect::Ratio(estimate) | Effect::Difference(estimate) => estimate,
        }
    }
}

/// What a comparison helps to answer. The comparisons of one question by one metric are corrected together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// The scenario's own: every configuration against its baseline. Where clusters or builds are compared, that is
    /// itself as its first variant.
    #[default]
    Scenario,
    /// Where clusters or builds are compared: what the scenario compares without that, within each of them.
    Within,
    /// What a key of the matrix does: each of its values against its first, all else equal. Index into
    /// [`crate::scenario::Scenario::axes`].
    Axis(usize),
}

/// By which method a comparison's interval and p were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The number of blocks was fixed beforehand: the paired t interval on the log scale and the sign-flip test.
    #[default]
    Fixed,
    /// After every block it was looked whether to go on: interval and p of [`crate::stats::Sequential`], which hold over
    /// all looks together.
    Sequential {
        /// Blocks at the first look.
        first_look: u32,
        /// Blocks at the last look.
        at_most: u32,
    },
}

/// A configuration against its baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Which question it belongs to.
    #[serde(default)]
    pub question: Question,
    /// Index of the baseline's configuration.
    pub baseline: usize,
    /// Index of the configuration.
    pub configuration: usize,
    /// By which time.
    pub metric: Metric,
    /// How far it is from the baseline, from the paired values of the blocks; `None` where no block has both.
    #[serde(flatten)]
    pub effect: Option<Effect>,
    /// How the interval and p were made.
    #[serde(default)]
    pub method: Method,
    /// The bootstrap-t interval of the same, where the number of blocks was fixed and there are at least five: a
    /// check of the interval that the verdict goes by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_bootstrap: Option<(f64, f64)>,
    /// Two-sided p before Holm's correction: of the sign-flip permutation test, or of the sequential method.
    pub p: Option<f64>,
    /// p after Holm's correction over the question's comparisons by this metric; `None` for descriptive metrics.
    pub p_holm: Option<f64>,
    /// Blocks in which both were measured, live and mixed trials with the load and readers that they were to have.
    pub blocks: u32,
    /// What is concluded.
    pub verdict: Verdict,
    /// For `undecided`: the forecast of further blocks until a decision; `None` if there is no forecast.
    pub blocks_more: Option<u32>,
}

impl Comparison {
    /// The ratio, where ratios are compared.
    pub fn ratio(&self) -> Option<Estimate> {
        match self.effect? {
            Effect::Ratio(ratio) => Some(ratio),
            Effect::Difference(_) => None,
        }
    }

    /// The difference in the figure's unit, where differences are compared.
    pub fn difference(&self) -> Option<Estimate> {
        match self.effect? {
            Effect::Ratio(_) => None,
            Effect::Difference(difference) => Some(difference),
        }
    }

    /// The interval of the ratio or of the difference.
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.effect?.estimate().interval
    }

    /// The interval about 0 and towards what is better: of the logarithm of the ratio, or of the difference, turned where
    /// less is better.
    pub fn gain(&self) -> Option<(f64, f64)> {
        let (low, high) = self.interval()?;
        Some(match self.effect? {
            Effect::Ratio(_) => (low.ln(), high.ln()),
            Effect::Difference(_) if self.metric.comparing().better == Better::Less => (-high, -low),
            Effect::Difference(_) => (low, high),
        })
    }

    /// True if all of the interval lies beyond the practical threshold, on either side.
    pub fn is_material(&self, scenario: &Scenario) -> bool {
        let edge = self.metric.edge(scenario);
        self.gain()
            .is_some_and(|interval| stats::is_material_difference(interval, edge))
    }
}

/// What a comparison concludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The interval lies inside the practical threshold.
    Same,
    /// Better than the baseline, whatever the metric: the interval excludes no difference. Where neither direction is
    /// better, more.
    Faster,
    /// Worse than the baseline, or less.
    Slower,
    /// None of these.
    Undecided,
}
