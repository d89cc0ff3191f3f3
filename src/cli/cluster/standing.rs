//! The cluster that outlives the command which started it.

use anyhow::{Result, bail};

use crate::coordinator::leftovers::state_folder;
use crate::coordinator::standing_cluster::{Found, StandingCluster, StandingFolder};

/// The cluster that stays, for a run that is to use it.
pub(in crate::cli) fn standing() -> Result<StandingCluster> {
    let folder = StandingFolder::beside(&state_folder());
    match folder.find()? {
        Found::Running(cluster) if cluster.is_dead() => {
            bail!("the local cluster has died: start it anew with `tandem cluster up`")
        }
        Found::Running(cluster) if cluster.has_lost_zookeeper() => {
            bail!("the ZooKeeper of the local cluster has died: end it with `tandem cluster down`, then start it anew")
        }
        Found::Running(cluster) => Ok(cluster),
        Found::Nothing | Found::Dead(_) => {
            bail!("there is no local cluster that stays: start one with `tandem cluster up`")
        }
    }
}

/// The cluster that stays, where these are its addresses.
pub(in crate::cli) fn at(bootstrap: &str) -> Result<Option<StandingCluster>> {
    let running = StandingFolder::beside(&state_folder()).running()?;
    Ok(running.filter(|cluster| cluster.bootstrap == bootstrap))
}
