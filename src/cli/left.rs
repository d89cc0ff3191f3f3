//! What killed runs have left, and its removal: at the start of the next run, and by `tandem clean`.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use anyhow::Result;

use crate::coordinator::drop_left;
use crate::coordinator::kubectl::LeftJob;
use crate::coordinator::leftovers::{LeftTables, LeftTopics, clean_leftovers, state_folder};
use crate::kafka::admin::{Admin, DEFAULT_SESSION};
use crate::kafka::client::cluster_properties;
use crate::scenario::{ClusterSource, ClusterSpec};

/// How long a cluster may take to answer before nothing of it is waited for.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

/// Ends the processes of killed runs, removes their data, their topics and groups, and says so. Of a cluster that does not
/// answer any more, what was left there is forgotten where `forget` says so. True where nothing is left.
pub(super) async fn clean(forget: bool) -> bool {
    let mut nothing_left = true;
    for dead in clean_leftovers(&state_folder()) {
        for problem in &dead.problems {
            nothing_left = false;
            eprintln!("note: left by an earlier run: {problem}");
        }
        // What could not be removed stays in the record.
        let mut all = dead.problems.is_empty();
        for topics in &dead.record.topics {
            if !answers(&topics.bootstrap).await {
                all &= forget;
                let (prefix, bootstrap) = (&topics.prefix, &topics.bootstrap);
                let end = if forget {
                    "is forgotten"
                } else {
                    "stays there; `tandem clean --yes` forgets it"
                };
                eprintln!(
                    "note: nothing answers at {bootstrap}: what a killed run has left there under names that start with \
                     {prefix} {end}"
                );
                continue;
            }
            match remove(topics).await {
                Ok(count) => eprintln!(
                    "note: removed {count} topics that a killed run had left on {}",
                    topics.bootstrap
                ),
                Err(error) => {
                    all = false;
                    eprintln!(
                        "note: a killed run has left topics and groups that start with {} on {}: {error:#}",
                        topics.prefix, topics.bootstrap
                    );
                }
            }
        }
        for tables in &dead.record.tables {
            all &= drop_tables(tables, forget).await;
        }
        for job in &dead.record.jobs {
            all &= delete_job(job, forget);
        }
        nothing_left &= all;
        if all && let Err(error) = dead.forget() {
            eprintln!("note: its record cannot be removed: {error}");
        }
    }
    nothing_left
}

/// Drops the tables that a run has left in a database, whose address is in a variable that need not be set any more. True
/// where nothing of it is left to remember.
async fn drop_tables(left: &LeftTables, forget: bool) -> bool {
    let cause = match drop_left(left).await {
        Ok(0) => return true,
        Ok(count) => {
            let variable = &left.variable;
            eprintln!("note: dropped {count} tables that a killed run had left in the database of {variable}");
            return true;
        }
        Err(cause) => cause,
    };
    let end = if forget {
        "is forgotten"
    } else {
        "stays there; `tandem clean --yes` forgets it"
    };
    eprintln!("note: what a killed run has left in {left} {end}: {cause}");
    forget
}

/// Deletes the Job that a run has left in a Kubernetes cluster. True where nothing of it is left to remember.
fn delete_job(job: &LeftJob, forget: bool) -> bool {
    let Err(cause) = tokio::task::block_in_place(|| job.delete()) else {
        eprintln!("note: deleted {job}, which a killed run had left");
        return true;
    };
    let end = if forget {
        "is forgotten; its pods end at their deadline"
    } else {
        "stays there until its deadline; `tandem clean --yes` forgets it"
    };
    eprintln!("note: {job}, which a killed run has left, {end}: {cause}");
    forget
}

/// True where something takes connections at one of the addresses.
async fn answers(bootstrap: &str) -> bool {
    let bootstrap = bootstrap.to_owned();
    let look = move || {
        let addresses = bootstrap
            .split(',')
            .filter_map(|address| address.trim().to_socket_addrs().ok());
        let mut addresses = addresses.flatten();
        addresses.any(|address| TcpStream::connect_timeout(&address, ANSWER_LIMIT).is_ok())
    };
    tokio::task::spawn_blocking(look).await.unwrap_or(false)
}

/// Removes what a run has left on a cluster; the number of topics.
async fn remove(left: &LeftTopics) -> Result<usize> {
    let spec = ClusterSpec {
        source: ClusterSource::Bootstrap(left.bootstrap.clone()),
        prefix: left.prefix.clone(),
        client: left.client.clone(),
        ..ClusterSpec::default()
    };
    let admin = Admin::connect(&left.bootstrap, &cluster_properties(&spec)?).await?;
    let waiting = |what: &str| eprintln!("note: {what}");
    let prefix = format!("{}-", left.prefix);
    Ok(admin.delete_named(&prefix, DEFAULT_SESSION, &waiting).await?)
}
