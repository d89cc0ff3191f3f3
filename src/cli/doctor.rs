//! `tandem doctor`: step by step, why a cluster cannot be reached or used from here, and what this machine offers.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use console::style;
use serde::Serialize;

use super::cluster_flags::ClusterFlags;
use super::disk::data_parent;
use super::exit::{DONE, INTERRUPTED, WRONG};
use super::interrupt;
use super::runtime::runtime;
use super::source::{Choices, Source};
use crate::coordinator::ready_made::{Found, found};
use crate::coordinator::{Interrupt, examine_place};
use crate::kafka::doctor::{Check, Outcome, Patient, examine, machine};
use crate::scenario::{ClusterNeeds, ClusterSource, ClusterSpec, Place, Scenario};
use crate::wording::listed;

/// What `tandem doctor` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A scenario, for its cluster and its client properties
    scenario: Option<PathBuf>,
    #[command(flatten)]
    cluster: ClusterFlags,
    /// Read this existing topic and create none; may be given several times
    #[arg(long, value_name = "NAME")]
    topic: Vec<String>,
    /// Create no topic and join no group
    #[arg(long)]
    read_only: bool,
    /// Check this place of the scenario too: its host, its limits, and the way from there to the brokers
    #[arg(long, value_name = "NAME", requires = "scenario")]
    place: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Findings {
    schema_version: u32,
    well: bool,
    checks: Vec<Check>,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8> {
    let Subject {
        spec,
        needs,
        clients,
        place,
    } = subject(arguments)?;
    let runtime = runtime()?;
    let interrupt = Interrupt::default();
    runtime.spawn(interrupt::listen(interrupt.clone(), "what was made is removed"));
    let mut checks: Vec<Check> = Vec::new();
    let mut tell = |check: Check| {
        if !arguments.json {
            say!("{}", line(&check));
        }
        checks.push(check);
    };
    if let ClusterSource::Bootstrap(bootstrap) = &spec.source {
        let patient = Patient {
            group: needs.group,
            topics: if arguments.topic.is_empty() {
                needs.topics
            } else {
                arguments.topic.clone()
            },
            may_write: !arguments.read_only,
            needs_consumer_protocol: needs.consumer_protocol,
            stop: interrupt.flag(),
            ..Patient::new(&spec, bootstrap)?
        };
        examine(&patient, &mut tell);
    }
    if !interrupt.is_set() {
        machine(&data_parent(), &spec.source, &mut tell);
        clients.iter().map(check_of).for_each(&mut tell);
    }
    if let Some((place, scenario)) = place.filter(|_| !interrupt.is_set()) {
        let program = std::env::current_exe().context("cannot find this program")?;
        let interrupted = interrupt.flag();
        let examining = examine_place(&place, &scenario, &spec, &program, &interrupted, &mut tell);
        runtime.block_on(examining);
    }
    let failed = checks.iter().filter(|check| check.outcome == Outcome::Failed).count();
    if arguments.json {
        let findings = Findings {
            schema_version: 1,
            well: failed == 0 && !interrupt.is_set(),
            checks,
        };
        say!("{}", serde_json::to_string_pretty(&findings)?);
    }
    Ok(if interrupt.is_set() {
        INTERRUPTED
    } else if failed == 0 {
        DONE
    } else {
        WRONG
    })
}

/// What is examined.
#[derive(Default)]
struct Subject {
    /// The cluster of the scenario, of the flags, or the one that a run would start.
    spec: ClusterSpec,
    /// What the scenario needs of it.
    needs: ClusterNeeds,
    /// The ready-made clients that the scenario runs.
    clients: Vec<Found>,
    /// The place that is examined too, and its scenario.
    place: Option<(Place, Scenario)>,
}

fn subject(arguments: &Arguments) -> Result<Subject> {
    let mut subject = match &arguments.scenario {
        Some(file) => {
            let scenario = Source::load(file, &Choices::default())?.scenario;
            Subject {
                needs: scenario.needs(0),
                clients: found(&scenario),
                spec: scenario.cluster.clone(),
                place: named_place(&scenario, arguments.place.as_deref())?.map(|place| (place, scenario)),
            }
        }
        None => Subject::default(),
    };
    arguments.cluster.apply(&mut subject.spec)?;
    Ok(subject)
}

/// The place of that name.
fn named_place(scenario: &Scenario, name: Option<&str>) -> Result<Option<Place>> {
    let Some(name) = name else { return Ok(None) };
    let place = scenario.places.iter().find(|place| place.name == name);
    let names: Vec<&str> = scenario.places.iter().map(|place| place.name.as_str()).collect();
    let unknown = || {
        anyhow::anyhow!(
            "--place: there is no place {name:?}; the scenario has {}",
            listed(&names)
        )
    };
    Ok(Some(place.ok_or_else(unknown)?.clone()))
}

/// Whether a ready-made client can be run.
fn check_of(client: &Found) -> Check {
    let recipe = client.which.recipe();
    let name = format!("client {}", recipe.name);
    match client.missing {
        Some(tool) => Check::failed(
            &name,
            format!("{} ({}) is not here", tool.title, tool.program),
            tool.install,
        ),
        None => Check::ok(&name, client.state()),
    }
}

/// `ok      TCP kafka:9092      connects`, and the fix below.
fn line(check: &Check) -> String {
    let word = style(format!("{:7}", check.outcome.word()));
    let word = match check.outcome {
        Outcome::Ok => word.green(),
        Outcome::Skipped => word.dim(),
        Outcome::Warning => word.yellow(),
        Outcome::Failed => word.red().bold(),
    };
    format!("{word}  {}", check.findings())
}
