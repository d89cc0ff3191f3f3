//! What a comparison of runs is: the stored form of `tandem compare --format json`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::stats::Estimate;
use crate::summary::live_model::CapacitySummary;
use crate::verdict::{Metric, Verdict};

/// Version of the stored form of [`RunComparison`].
pub const COMPARISON_SCHEMA_VERSION: u32 = 1;

/// Several runs, each compared with the first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RunComparison {
    /// [`COMPARISON_SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The question of the first run.
    pub question: String,
    /// The practical threshold, a share: that of the first run.
    pub threshold: f64,
    /// The runs in the order given; the first is the baseline of the others.
    pub runs: Vec<RunFacts>,
    /// What came out, a sentence or more per run.
    pub answer: Vec<String>,
    /// What runs made at different times cannot say; `None` where nothing but one run is compared.
    pub caution: Option<String>,
    /// What keeps the figures from being trusted.
    pub warnings: Vec<String>,
    /// What differs beside the figures.
    pub differences: Vec<RunDifference>,
    /// Configurations that are not in both runs of a comparison, or do not mean the same.
    pub not_compared: Vec<NotCompared>,
    /// Those that are compared, in the first run's order.
    pub configurations: Vec<ComparedConfiguration>,
    /// The figures of each run by each measure.
    pub figures: Vec<RunFigure>,
    /// Run by run, measure by measure, in the first run's order.
    pub verdicts: Vec<RunVerdict>,
}

impl RunComparison {
    /// By what configurations are compared, in the order of reports.
    pub fn measures(&self) -> BTreeSet<Measure> {
        self.figures.iter().map(|figure| figure.measure).collect()
    }

    /// The figure of a configuration in a run; `None` where it is not compared there.
    pub fn figure(&self, run: &str, configuration: &str, measure: Measure) -> Option<&RunFigure> {
        let is = |f: &&RunFigure| f.run == run && f.configuration == configuration && f.measure == measure;
        self.figures.iter().find(is)
    }
}

/// One of the runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFacts {
    /// `A`, `B`, ...: how the others speak of it.
    pub name: String,
    /// Where it is stored.
    pub folder: String,
    /// Name of its scenario.
    pub scenario: String,
    /// When its first trial began.
    pub first_trial_at: Option<jiff::Timestamp>,
    /// When its last trial began.
    pub last_trial_at: Option<jiff::Timestamp>,
    /// All its trials, pilots and warm-up too.
    pub trials: usize,
    /// Counted trials in the estimates.
    pub trials_used: usize,
    /// Counted trials that failed.
    pub trials_failed: usize,
    /// False while trials of its plan have not been run.
    pub complete: bool,
    /// The run whose very trials these are.
    pub same_as: Option<String>,
    /// Version of Apache Kafka, where known.
    pub kafka: Option<String>,
    /// The client library with its version.
    pub client: String,
    /// Version of tandem, with the commit where known.
    pub tandem: String,
}

/// Where a difference lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// Machine, versions, brokers' settings.
    Environment,
    /// Means of the measured clients: settings, place.
    Settings,
    /// How the run was made: seed, blocks, threshold.
    Run,
}

/// Something that differs between a run and the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunDifference {
    /// The other run.
    pub run: String,
    /// Where the difference lies.
    pub area: Area,
    /// What differs, such as `kernel` or `client.fetch.min.bytes`.
    pub what: String,
    /// Its value in the first run.
    pub baseline: String,
    /// Its value in the other.
    pub value: String,
    /// The configurations of which this is to be said; empty for all that are compared.
    pub configurations: Vec<String>,
}

/// A configuration that has no counterpart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotCompared {
    /// Its name.
    pub configuration: String,
    /// The run against which the other was to be compared.
    pub run: String,
    /// Whether the first run has a configuration of this name.
    pub in_baseline: bool,
    /// Why, in a sentence.
    pub reason: String,
}

/// A configuration that is compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparedConfiguration {
    /// Its name, the same in all runs.
    pub name: String,
    /// Index into the configurations of the first run's scenario.
    pub index: usize,
}

/// By what configurations of two runs are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Searches for capacity: records per second that held the objective.
    Capacity,
    /// A figure of the catalogue; of backlogs by a time, records per second.
    #[serde(untagged)]
    Metric(Metric),
}

impl Measure {
    /// The metric within runs; a search for capacity has none.
    pub fn metric(self) -> Option<Metric> {
        match self {
            Measure::Metric(metric) => Some(metric),
            Measure::Capacity => None,
        }
    }
}

/// What a configuration came to in one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFigure {
    /// The run.
    pub run: String,
    /// The configuration.
    pub configuration: String,
    /// By what.
    pub measure: Measure,
    /// Geometric mean over the trials, in the measure's unit.
    pub estimate: Option<Estimate>,
    /// The answer of a search for capacity.
    pub capacity: Option<CapacitySummary>,
    /// Each used trial's figure, in the order of running and in the measure's unit.
    pub trials: Vec<f64>,
}

/// A configuration of a run against the same one of the first run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunVerdict {
    /// The run.
    pub run: String,
    /// The configuration.
    pub configuration: String,
    /// By what.
    pub measure: Measure,
    /// How many times as fast as in the first run (above 1: faster, shorter, more). For a capacity the interval is not
    /// of confidence: it is from the least to the most that the two searches leave possible.
    pub ratio: Option<Estimate>,
    /// Two-sided p of the permutation test between the trials of both runs.
    pub p: Option<f64>,
    /// p after Holm's correction over all comparisons by this measure.
    pub p_holm: Option<f64>,
    /// Used trials with a figure in the first run.
    pub trials_baseline: usize,
    /// Used trials with a figure in this run.
    pub trials: usize,
    /// What is concluded.
    pub verdict: Verdict,
    /// Why it is undecided, or that the trials are the very same.
    pub note: Option<String>,
}
