//! The flags that name a cluster, the same for every command.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::cluster;
use super::source::{Choices, Source};
use crate::kafka::client::cluster_properties;
use crate::scenario::{ClusterSource, ClusterSpec};
use crate::secret::Secret;

/// The environment variable that stands for `--bootstrap`.
const VARIABLE: &str = "TANDEM_BOOTSTRAP";

/// Which cluster a command works on.
#[derive(Debug, Default, clap::Args)]
pub(super) struct ClusterFlags {
    /// Use this running cluster instead of starting one
    #[arg(
        long,
        value_name = "HOST:PORT",
        help = "Use this running cluster; TANDEM_BOOTSTRAP in the environment stands for it"
    )]
    bootstrap: Option<String>,
    /// Use the cluster that `tandem cluster up` has started
    #[arg(long, value_name = "local", value_parser = ["local"], conflicts_with = "bootstrap")]
    cluster: Option<String>,
}

impl ClusterFlags {
    /// The addresses of the cluster that the flags or the environment name.
    pub(super) fn named(&self) -> Result<Option<String>> {
        match self.cluster {
            Some(_) => Ok(Some(cluster::standing()?.bootstrap)),
            None => Ok(self.address(std::env::var(VARIABLE).ok())),
        }
    }

    /// Fails where the environment names a cluster, for a flag that starts clusters of its own.
    pub(super) fn refuse_environment(&self, flag: &str) -> Result<()> {
        if let Some(address) = self.address(std::env::var(VARIABLE).ok()) {
            bail!(
                "{flag} starts clusters of its own, but {VARIABLE} names a running one, {address}: unset {VARIABLE}, or leave \
                 {flag} out"
            );
        }
        Ok(())
    }

    /// Puts the cluster that the flags or the environment name into `spec`.
    pub(super) fn apply(&self, spec: &mut ClusterSpec) -> Result<()> {
        if let Some(source) = self.named()? {
            spec.source = ClusterSource::Bootstrap(source);
        }
        Ok(())
    }

    /// The scenario's cluster, or one that would be started, unless the flags or the environment name another.
    pub(super) fn spec(&self, scenario: Option<&Path>) -> Result<ClusterSpec> {
        let mut spec = match scenario {
            Some(file) => Source::load(file, &Choices::default())?.scenario.cluster,
            None => ClusterSpec::default(),
        };
        self.apply(&mut spec)?;
        let is_by_variable = self.bootstrap.is_none() && self.cluster.is_none();
        if let (true, Some(_), Some(address)) = (is_by_variable, scenario, self.address(std::env::var(VARIABLE).ok())) {
            eprintln!("note: {VARIABLE} names the cluster, not the scenario: {address}");
        }
        Ok(spec)
    }

    fn address(&self, environment: Option<String>) -> Option<String> {
        let environment = environment.filter(|address| !address.trim().is_empty());
        self.bootstrap.clone().or(environment)
    }
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
        let spec = self.flags.spec(self.scenario.as_deref())?;
        let Some(bootstrap) = spec.bootstrap() else {
            bail!(
                "no cluster is named: add --bootstrap HOST:PORT, --cluster local, or --scenario FILE with a `bootstrap`, \
                 or set {VARIABLE}"
            );
        };
        Ok((bootstrap.to_owned(), cluster_properties(&spec)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_wins_over_the_environment_and_an_empty_variable_names_nothing() {
        let flag = ClusterFlags {
            bootstrap: Some("a:1".into()),
            cluster: None,
        };
        assert_eq!(flag.address(Some("b:2".into())).as_deref(), Some("a:1"));
        let none = ClusterFlags::default();
        assert_eq!(none.address(Some("b:2".into())).as_deref(), Some("b:2"));
        assert_eq!(none.address(Some(" ".into())), None);
    }
}
