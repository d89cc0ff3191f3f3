//! The flags that name a cluster, the same for every command.

use anyhow::{Result, bail};

use super::cluster;
use crate::scenario::{ClusterSource, ClusterSpec};

/// The environment variable that stands for `--bootstrap`.
pub(super) const VARIABLE: &str = "TANDEM_BOOTSTRAP";

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

    /// The addresses that only the environment names.
    pub(super) fn named_by_environment(&self) -> Option<String> {
        let by_flag = self.bootstrap.is_some() || self.cluster.is_some();
        if by_flag {
            None
        } else {
            self.address(std::env::var(VARIABLE).ok())
        }
    }

    fn address(&self, environment: Option<String>) -> Option<String> {
        let environment = environment.filter(|address| !address.trim().is_empty());
        self.bootstrap.clone().or(environment)
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
