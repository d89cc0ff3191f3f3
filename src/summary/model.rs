//! The summary: estimates per configuration, comparisons within families, and the answer.

use serde::{Deserialize, Serialize};

use super::bottleneck::{Bottleneck, StoreSummary};
use super::changes::ChangesSummary;
use super::checked::CheckedRequirement;
use super::effects::EffectsSummary;
use super::live_model::LiveSummary;
use super::quality::RunQuality;
use super::scaling::ScalingSeries;
use super::time::TimeAccount;
use crate::figures::{FigureId, Figures};
use crate::plan::Ending;
use crate::stats::Estimate;
use crate::verdict::Comparison;

/// Version of the stored form of [`Summary`].
pub const SUMMARY_SCHEMA_VERSION: u32 = 2;

/// What a run found out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// [`SUMMARY_SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Name of the scenario.
    pub scenario: String,
    /// The question asked.
    pub question: String,
    /// The answer, a sentence per family (more where one does not hold it).
    pub answer: Vec<String>,
    /// What keeps the figures from being trusted, most serious first; empty for a clean run.
    pub warnings: Vec<String>,
    /// False while trials of the plan have not been run.
    pub complete: bool,
    /// How much trials vary, whether the machine changed, and whether the figures should be trusted.
    #[serde(default)]
    pub quality: RunQuality,
    /// What ended the run; `None` while it is not complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
    /// In the scenario's order.
    pub configurations: Vec<ConfigurationSummary>,
    /// Every configuration against its baseline, by each metric.
    pub comparisons: Vec<Comparison>,
    /// Configurations that differ in nothing but a number of consumers, processes or threads, with what each more
    /// gains.
    #[serde(default)]
    pub scaling: Vec<ScalingSeries>,
    /// What the scenario requires of figures, and whether it holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<CheckedRequirement>,
    /// Which axis explains how much; `None` where fewer than two have more than one value.
    #[serde(default)]
    pub effects: Option<EffectsSummary>,
    /// Where the time of the run went; `None` where its sessions did not note it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<TimeAccount>,
}

/// One configuration: its trials, its figures, and what they say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfigurationSummary {
    /// Index into the scenario's configurations.
    pub configuration: usize,
    /// Its name.
    pub name: String,
    /// Index into the scenario's families.
    pub family: usize,
    /// Members over all groups.
    pub members: u32,
    /// Why members were idle, naming them and the assignor; `None` where none was.
    pub idle_explanation: Option<String>,
    /// Counted trials of the plan.
    pub trials_planned: u32,
    /// Trials in the estimates.
    pub trials_used: u32,
    /// Counted trials that failed.
    pub trials_failed: u32,
    /// Counted trials that ended but take no part, and why.
    pub trials_excluded: u32,
    /// Its figures, by their names in the catalogue.
    #[serde(flatten)]
    pub figures: Figures,
    /// Why it is not faster.
    #[serde(default)]
    pub bottleneck: Bottleneck,
    /// Of the transactions of members that write to a store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreSummary>,
    /// What its planned acts cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<ChangesSummary>,
    /// Of the records that arrived, in live and mixed trials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveSummary>,
}

impl ConfigurationSummary {
    /// A figure over its trials; `None` where it is not known.
    pub fn point(&self, id: FigureId) -> Option<f64> {
        self.figures.point(id)
    }

    /// A figure that is a geometric mean over its trials, with its interval.
    pub fn estimate(&self, id: FigureId) -> Option<Estimate> {
        self.figures.estimate(id)
    }

    /// A number of things over its trials.
    pub fn count(&self, id: FigureId) -> u64 {
        self.figures.count(id)
    }
}
