//! The cluster that a command works on, from a scenario and the flags.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::cluster_flags::{ClusterFlags, VARIABLE};
use super::source::{Choices, Source};
use crate::kafka::client::cluster_properties;
use crate::scenario::ClusterSpec;
use crate::secret::Secret;

/// The scenario's cluster, or one that would be started, unless the flags or the environment name another.
pub(super) fn spec(flags: &ClusterFlags, scenario: Option<&Path>) -> Result<ClusterSpec> {
    let mut spec = match scenario {
        Some(file) => Source::load(file, &Choices::default())?.scenario.cluster,
        None => ClusterSpec::default(),
    };
    flags.apply(&mut spec)?;
    if let (Some(_), Some(address)) = (scenario, flags.named_by_environment()) {
        eprintln!("note: {VARIABLE} names the cluster, not the scenario: {address}");
    }
    Ok(spec)
}

/// A running cluster, for commands that never start one.
#[derive(Debug, clap::Args)]
pub(super) struct RunningCluster {
    #[command(flatten)]
    flags: ClusterFlags,
    /// A scenario, for its cluster and its client properties
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
}

impl RunningCluster {
    /// Its address and the properties that clients need for it.
    pub(super) fn resolve(&self) -> Result<(String, BTreeMap<String, Secret>)> {
        let spec = spec(&self.flags, self.scenario.as_deref())?;
        let Some(bootstrap) = spec.bootstrap() else {
            bail!(
                "no cluster is named: add --bootstrap HOST:PORT, --cluster local, or --scenario FILE with a `bootstrap`, \
                 or set {VARIABLE}"
            );
        };
        Ok((bootstrap.to_owned(), cluster_properties(&spec)?))
    }
}
