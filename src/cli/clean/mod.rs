//! `tandem clean`: lists what tandem has left on a cluster and on this machine, asks, and deletes it.

mod place;
mod survey;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde::Serialize;

use self::survey::{Survey, Thing};
use super::cluster_flags::ClusterFlags;
use super::exit::{DONE, WRONG};
use super::runtime::block_on;
use super::{ask, cluster, left, running_cluster};
use crate::coordinator::leftovers::{Leftovers, recorded, state_folder};
use crate::kafka::admin::Admin;
use crate::kafka::client::cluster_properties;
use crate::names;
use crate::report::bytes;
use crate::scenario::{ClusterSource, ClusterSpec};
use crate::wording::with_commas;

/// What `tandem clean` takes.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --yes it asks, and where nobody can be asked it only lists. Exit codes: 0 nothing is \
                        left, 1 something is (listed only, in use, or refused), 2 it could not look."
)]
pub(super) struct Arguments {
    /// A scenario, for its cluster, its prefix and its client properties
    scenario: Option<PathBuf>,
    #[command(flatten)]
    cluster: ClusterFlags,
    /// Start of the names of topics and groups, instead of the scenario's [default: tandem-]
    #[arg(long, value_name = "PREFIX")]
    prefix: Option<String>,
    /// Look at this place of the scenario instead: for Jobs, containers and workers that killed runs have left there
    #[arg(long, value_name = "NAME", requires = "scenario", conflicts_with = "prefix")]
    place: Option<String>,
    /// Delete without asking
    #[arg(short, long)]
    yes: bool,
    /// As JSON; deletes only with --yes
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Findings {
    schema_version: u32,
    /// `None` where no cluster was named.
    bootstrap: Option<String>,
    prefix: String,
    found: Vec<Thing>,
    /// Ids of runs of this machine that were killed.
    dead_runs: Vec<String>,
    /// What could not be deleted, and why.
    problems: Vec<String>,
    nothing_left: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8> {
    if let (Some(scenario), Some(name)) = (&arguments.scenario, &arguments.place) {
        return place::run(scenario, name, arguments.json, || may_delete(arguments));
    }
    let spec = spec(arguments)?;
    if let Some(why) = names::too_wide(&spec.prefix) {
        bail!("{why}");
    }
    block_on(clean(arguments, &spec))
}

async fn clean(arguments: &Arguments, spec: &ClusterSpec) -> Result<u8> {
    let runs = recorded(&state_folder());
    let mut problems = Vec::new();
    let admin = match &spec.source {
        ClusterSource::Local { .. } => None,
        ClusterSource::Bootstrap(bootstrap) => match Admin::connect(bootstrap, &cluster_properties(spec)?).await {
            Ok(admin) => Some(admin),
            // What killed runs left on this machine can be removed all the same.
            Err(error) if !runs.dead.is_empty() => {
                problems.push(error.to_string());
                None
            }
            Err(error) => return Err(error.into()),
        },
    };
    let mut found = match &admin {
        Some(admin) => look(admin, spec, &runs.alive).await?,
        None => Vec::new(),
    };
    let dead: Vec<Leftovers> = runs.dead.into_iter().map(|(record, _)| record).collect();
    if !arguments.json {
        show(admin.as_ref(), spec.bootstrap().is_some(), &spec.prefix, &found, &dead);
    }
    let deletable = found.iter().any(|thing| thing.stays_because.is_none()) || !dead.is_empty();
    let mut nothing_left = problems.is_empty() && found.is_empty() && dead.is_empty();
    if deletable && may_delete(arguments)? {
        if !dead.is_empty() && !left::clean(true).await {
            problems.push("something of a killed run could not be removed".to_owned());
        }
        if let Some(admin) = &admin {
            found = delete_listed(admin, spec, &found, &mut problems).await?;
        }
        nothing_left = problems.is_empty() && found.iter().all(|thing| thing.stays_because.is_none());
        if !arguments.json {
            for problem in &problems {
                eprintln!("tandem: {problem}");
            }
            let done = if nothing_left {
                "deleted; nothing is left"
            } else {
                "deleted what could be"
            };
            say!("{done}");
        }
    }
    if arguments.json {
        let findings = Findings {
            schema_version: 1,
            bootstrap: admin.map(|admin| admin.bootstrap().to_owned()),
            prefix: spec.prefix.clone(),
            found,
            dead_runs: dead.into_iter().map(|run| run.run_id).collect(),
            problems,
            nothing_left,
        };
        say!("{}", serde_json::to_string_pretty(&findings)?);
    }
    Ok(if nothing_left { DONE } else { WRONG })
}

/// What there is on the cluster, with what it takes of the disk where that can be known.
async fn look(admin: &Admin, spec: &ClusterSpec, alive: &[Leftovers]) -> Result<Vec<Thing>> {
    let survey = Survey { admin, spec, alive };
    with_disk(survey.take().await?, admin.bootstrap())
}

/// Deletes what was listed and is not in use now: the answer may have taken its time, and a run may have begun meanwhile.
/// What was listed, as it was found then.
async fn delete_listed(
    admin: &Admin,
    spec: &ClusterSpec,
    listed: &[Thing],
    problems: &mut Vec<String>,
) -> Result<Vec<Thing>> {
    let now = look(admin, spec, &recorded(&state_folder()).alive).await?;
    let (found, new): (Vec<Thing>, Vec<Thing>) = now.into_iter().partition(|thing| {
        let known = |known: &Thing| (&known.kind, &known.id) == (&thing.kind, &thing.id);
        listed.iter().any(known)
    });
    problems.extend(delete(admin, &found).await);
    if !new.is_empty() {
        let what: Vec<String> = new.iter().map(|thing| format!("{} {}", thing.kind, thing.id)).collect();
        problems.push(format!(
            "new since the list was made, and left: {}; look again",
            what.join(", ")
        ));
    }
    Ok(found)
}

/// The cluster of the scenario or of the flags; one that would be started where none is named.
fn spec(arguments: &Arguments) -> Result<ClusterSpec> {
    let mut spec = running_cluster::spec(&arguments.cluster, arguments.scenario.as_deref())?;
    if let Some(prefix) = &arguments.prefix {
        spec.prefix.clone_from(prefix);
    }
    Ok(spec)
}

/// True with `--yes`, or if the user answers yes. Without a terminal, the message names `--yes`.
fn may_delete(arguments: &Arguments) -> Result<bool> {
    if arguments.yes {
        return Ok(true);
    }
    if arguments.json {
        return Ok(false);
    }
    ask::may_delete("Delete what is listed and not in use?")
}

/// Deletes one thing after the other, so that one refusal does not keep the rest. What was refused.
async fn delete(admin: &Admin, found: &[Thing]) -> Vec<String> {
    let mut problems = Vec::new();
    for thing in found.iter().filter(|thing| thing.stays_because.is_none()) {
        // The record that says that a kept data set is complete goes first.
        let (about, data): (Vec<String>, Vec<String>) = thing
            .topics
            .iter()
            .cloned()
            .partition(|topic| topic.ends_with("-about"));
        for topics in [about, data] {
            problems.extend(admin.delete_topics(&topics).await.err().map(|error| error.to_string()));
        }
        for group in &thing.groups {
            let deleted = admin.delete_groups(std::slice::from_ref(group)).await;
            problems.extend(deleted.err().map(|error| error.to_string()));
        }
    }
    problems
}

/// Adds what the topics take on the disks of the cluster that stays on this machine.
fn with_disk(mut found: Vec<Thing>, bootstrap: &str) -> Result<Vec<Thing>> {
    if let Some(cluster) = cluster::at(bootstrap)? {
        for thing in &mut found {
            thing.disk_bytes = Some(disk_bytes(&cluster.directory, &thing.topics));
        }
    }
    Ok(found)
}

/// Bytes of the folders `TOPIC-PARTITION` below a cluster's folder.
fn disk_bytes(folder: &Path, topics: &[String]) -> u64 {
    let folders = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let size = |path: PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let topic = name.rsplit_once('-').map_or("", |(topic, _)| topic);
        if topics.iter().any(|known| known == topic) {
            cluster::disk_bytes(&path)
        } else {
            disk_bytes(&path, topics)
        }
    };
    folders.filter(|path| path.is_dir()).map(size).sum()
}

fn show(admin: Option<&Admin>, is_named: bool, prefix: &str, found: &[Thing], dead: &[Leftovers]) {
    match admin {
        Some(admin) if found.is_empty() => {
            say!(
                "nothing of tandem's is on {} (names that start with {prefix})",
                admin.bootstrap()
            );
        }
        Some(admin) => say!("on {} (names that start with {prefix}):", admin.bootstrap()),
        None if is_named => say!("the cluster does not answer; what killed runs left on this machine:"),
        None => say!("no cluster is named: --bootstrap HOST:PORT, --cluster local, or a scenario with `bootstrap`"),
    }
    for thing in found {
        let mut facts = vec![thing.what.clone()];
        facts.extend(thing.records.map(|records| format!("{} records", with_commas(records))));
        facts.extend(thing.disk_bytes.map(|on_disk| format!("{} on disk", bytes(on_disk))));
        say!("  {}", facts.join(", "));
        thing.topics.iter().for_each(|topic| say!("    topic {topic}"));
        thing.groups.iter().for_each(|group| say!("    group {group}"));
        if let Some(why) = &thing.stays_because {
            say!("    is not deleted: {why}");
        }
    }
    for run in dead {
        let mut left = Vec::new();
        left.push(format!("{} processes noted", run.processes.len()));
        left.extend(
            run.directories
                .iter()
                .map(|folder| format!("data in {}", folder.display())),
        );
        let topics = run.topics.iter();
        left.extend(topics.map(|topics| format!("topics that start with {} on {}", topics.prefix, topics.bootstrap)));
        left.extend(run.tables.iter().map(ToString::to_string));
        left.extend(run.jobs.iter().map(ToString::to_string));
        let engines = run.engines.iter();
        left.extend(engines.map(|engine| format!("containers of {engine} with the label tandem.run={}", run.run_id)));
        say!(
            "run {} was killed here and may have left: {}",
            run.run_id,
            left.join("; ")
        );
    }
}
