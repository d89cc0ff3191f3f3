//! The clusters and builds that a scenario is run with besides its own.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::cluster::ClusterSpec;

/// The clusters and builds that a scenario is run with besides its own cluster and this program.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Variants {
    /// Clusters besides [`Scenario::cluster`]: one that runs, or one to be started for each further version.
    pub clusters: Vec<ClusterSpec>,
    /// The builds that are compared, the baseline first; empty where all workers are of this program.
    pub builds: Vec<Build>,
}

impl Variants {
    /// True where nothing is there several times.
    pub fn is_empty(&self) -> bool {
        self.clusters.is_empty() && self.builds.is_empty()
    }
}

/// A program whose workers are measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Its value of [`BINARY_AXIS`]: the part of its path that tells it from the others.
    pub name: String,
    /// The program.
    pub path: PathBuf,
}

/// Which of the clusters and builds a configuration is run with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Variant {
    /// 0 for [`Scenario::cluster`], else one more than the index into [`Variants::clusters`].
    pub cluster: usize,
    /// Index into [`Variants::builds`]; 0 where there are none.
    pub build: usize,
    /// The configuration of the same variant that the scenario itself compares this one with.
    pub own_baseline: Option<usize>,
}
