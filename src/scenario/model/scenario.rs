//! The validated scenario: what the user asked for, with every default filled in and nothing invalid left.
//!
//! Only the parser makes values of these types; other modules read them.

use serde::{Deserialize, Serialize};

use super::app::{App, AppProgram, AppSpec, tandem_alone};
use super::cluster::ClusterSpec;
use super::configuration::Configuration;
use super::dataset::DatasetSpec;
use super::live::Capacity;
use super::place::Place;
use super::repetitions::{DESCRIBING, Repetitions};
use super::requirement::Requirement;
use super::store::StoreSpec;
use super::variants::Variants;
use crate::figures::FigureId;
use crate::wording::joined;

/// A scenario file after parsing: the question, the cluster, and every configuration to compare.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    /// The file's stem; names the folder of results.
    pub name: String,
    /// The question the scenario answers, in the user's words.
    pub question: String,
    /// Seeds the order of trials and the contents of records.
    pub seed: u64,
    /// Counted blocks, as the file or the default says; [`Scenario::repetitions`] is what a run makes of it.
    pub repetitions: Repetitions,
    /// Blocks run first and not counted.
    pub warmup_blocks: u32,
    /// The practical threshold as a share: 0.03 says that 3 % is not worth a decision.
    pub threshold: f64,
    /// The figure by which configurations are compared, where the file names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<ChosenMetric>,
    /// Conditions on figures, without which a run fails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<Requirement>,
    /// How long a trial is.
    pub trial: TrialLength,
    /// The cluster to run against.
    pub cluster: ClusterSpec,
    /// What can run in worker processes, tandem's own worker first.
    #[serde(default = "tandem_alone")]
    pub apps: Vec<AppSpec>,
    /// Where worker processes can be started, the default place `here` first.
    pub places: Vec<Place>,
    /// The matrix' keys in file order, each with its values as text.
    pub axes: Vec<Axis>,
    /// Every key that the file sets anywhere, in file order: the columns that tell configurations apart.
    pub keys_in_use: Vec<String>,
    /// Every combination, in file order: cases outermost, then the matrix' keys, the last one fastest.
    pub configurations: Vec<Configuration>,
    /// Keys of the role of families whose values are compared all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compare_across: Vec<String>,
    /// Groups of configurations that read the same number of records and may be compared.
    pub families: Vec<Family>,
    /// Distinct data sets that the configurations read.
    pub datasets: Vec<DatasetSpec>,
    /// What a search for capacity looks for, where the scenario is one.
    #[serde(default)]
    pub capacity: Option<Capacity>,
    /// The store in which records end, where any do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreSpec>,
    /// Clusters and builds that everything is run with besides, where they are compared.
    #[serde(default)]
    pub variants: Variants,
    /// What the user should know although it is no error, one sentence each (rounded record counts, too few blocks).
    pub warnings: Vec<String>,
}

impl Scenario {
    /// How many counted blocks there are. Where nothing is compared nothing can be decided, so their number is fixed.
    pub fn repetitions(&self) -> Repetitions {
        let compares = self.configurations.iter().any(|each| each.baseline.is_some());
        let can_be_decided = compares && self.capacity.is_none();
        if self.repetitions.leaving() && !can_be_decided {
            return Repetitions::Fixed(DESCRIBING);
        }
        self.repetitions
    }

    /// The name of a configuration in everything that people read: without the keys that only one value is left of.
    pub fn shown_name(&self, configuration: usize) -> String {
        let configuration = &self.configurations[configuration];
        let varying: Vec<usize> = (0..self.axes.len())
            .filter(|&axis| self.axes[axis].values.len() > 1)
            .collect();
        let name = self.name_by(configuration, &varying);
        if name.is_empty() {
            configuration.name.clone()
        } else {
            name
        }
    }

    /// The case of a configuration and its values of these axes.
    pub fn name_by(&self, configuration: &Configuration, axes: &[usize]) -> String {
        let values = axes.iter().map(|&axis| self.axis_value(configuration, axis));
        let parts: Vec<String> = std::iter::once(configuration.case.clone()).chain(values).collect();
        joined(parts.iter().map(String::as_str), " ")
    }

    /// `key=value` of an axis.
    pub fn axis_value(&self, configuration: &Configuration, axis: usize) -> String {
        let value = configuration.axis_values.get(axis).map_or("", String::as_str);
        format!("{}={value}", self.axes[axis].key)
    }

    /// Where a process of a configuration runs, which has this number in its group, counted from 0.
    pub fn place_of(&self, configuration: &Configuration, process: u32) -> &Place {
        &self.places[configuration.place_of(process)]
    }

    /// The places where a configuration has processes, each once.
    pub fn places_of(&self, configuration: &Configuration) -> impl Iterator<Item = &Place> {
        let distinct = configuration.distinct_places().into_iter();
        distinct.map(|place| &self.places[place])
    }

    /// What runs in a configuration's workers. A launcher that names a program of its own has no other place beside it.
    pub fn app_of(&self, configuration: &Configuration) -> App<'_> {
        self.app_at(configuration.app, configuration.place_of(0))
    }

    /// What runs where this app is run at this place: a launcher may name a program of its own.
    pub fn app_at(&self, app: usize, place: usize) -> App<'_> {
        let spec = &self.apps[app];
        if spec.runs == AppProgram::Tandem {
            self.places[place].app()
        } else {
            App::Other(spec)
        }
    }
}

/// The figure by which the configurations of a scenario are compared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ChosenMetric {
    /// Which.
    pub figure: FigureId,
    /// The difference in the figure's unit that is not worth a decision, where the figure is compared by differences and
    /// not by ratios.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<f64>,
}

/// A key of `[matrix]` and its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axis {
    /// The key as the user wrote it; a property of consumers is prefixed with `client.`, one of producers with
    /// `producer.`.
    pub key: String,
    /// The values as they appear in names, in file order.
    pub values: Vec<String>,
}

/// The length of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialLength {
    /// Wanted read time; a pilot finds the family's record count.
    Seconds(f64),
    /// Records read by each group, over all topics and partitions.
    Records(u64),
    /// All that the data set has.
    #[serde(rename = "whole")]
    Everything,
}

/// Configurations of equal record size, keys, compression, compressibility, batches, work, mode, rate and arrivals, but for those
/// of these keys that are [compared across](Scenario::compare_across).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Family {
    /// What the configurations have in common and other families have not, such as `work=wait 200us`; empty for the
    /// only family.
    pub name: String,
    /// Members, as indices into [`Scenario::configurations`].
    pub configurations: Vec<usize>,
    /// Trials read a multiple of this many records so that every partition of every configuration gives the same.
    pub record_multiple: u64,
    /// The most records a trial can read: the smallest data set of the family.
    pub records_max: u64,
}
