//! The hosts of a run whose workers are on several, and which of them were full.

use std::collections::BTreeSet;

use crate::measure::{FULL_SHARE, HostFacts, HostMeasurement, Measurement};
use crate::report::format::{UNKNOWN, bytes, percent};
use crate::report::input::ReportInput;
use crate::report::table::{Column, Table};
use crate::stats::median;
use crate::wording::listed;

/// A host with what it did in each trial.
struct Host<'a> {
    name: String,
    places: BTreeSet<&'a str>,
    pods: usize,
    facts: Option<&'a HostFacts>,
    cores: u32,
    measured: Vec<&'a HostMeasurement>,
}

/// A row for this machine and one for each other; none where there is no other.
pub(crate) fn hosts(input: &ReportInput) -> Option<Table> {
    let measurements = || {
        input
            .trials
            .iter()
            .filter(|trial| trial.is_used())
            .filter_map(|t| t.measurement.as_ref())
    };
    let others = others(measurements());
    if others.is_empty() {
        return None;
    }
    let is_beside = |m: &Measurement| m.load.as_ref().is_some_and(|load| load.is_beside);
    let here_has = if measurements().all(is_beside) {
        "tandem and its brokers"
    } else {
        "tandem, its brokers and producers"
    };
    let here = Host {
        name: input.environment.host.clone(),
        places: BTreeSet::from([here_has]),
        pods: 0,
        facts: None,
        cores: measurements().map(|m| m.host.cores).max().unwrap_or(0),
        measured: measurements().map(|m| &m.host).collect(),
    };
    let environment = input.environment;
    let columns = [
        Column::words("host", |host: &Host| host.name.clone()),
        Column::words("has", has),
        Column::figures("cores", |host: &Host| host.cores.to_string()),
        Column::figures("memory", |host: &Host| {
            bytes(host.facts.map_or(environment.memory_bytes, |facts| facts.memory_bytes))
        }),
        Column::words("kernel", |host: &Host| {
            host.facts.map_or(&environment.kernel, |facts| &facts.kernel).clone()
        }),
        Column::figures("busy", |host: &Host| busy(host).map_or(UNKNOWN.to_owned(), percent)),
        Column::words("full", |host: &Host| full(host)),
    ];
    Some(Table::of(String::new(), columns, std::iter::once(here).chain(others)))
}

/// The other machines, by their names. Two ways to one machine are one.
fn others<'a>(measurements: impl Iterator<Item = &'a Measurement>) -> Vec<Host<'a>> {
    let mut others: Vec<Host<'a>> = Vec::new();
    for other in measurements.flat_map(|m| &m.other_hosts) {
        let is_it =
            |host: &Host| host.name == other.ssh || host.facts.is_some_and(|facts| facts.is_same_machine(&other.facts));
        let known = others.iter().position(is_it);
        let index = known.unwrap_or(others.len());
        if known.is_none() {
            others.push(Host {
                name: other.ssh.clone(),
                places: BTreeSet::new(),
                pods: 0,
                facts: Some(&other.facts),
                cores: other.facts.cores,
                measured: Vec::new(),
            });
        }
        let host = &mut others[index];
        host.places.extend(other.places.iter().map(String::as_str));
        host.pods = host.pods.max(other.pods);
        host.measured.push(&other.measured);
    }
    others.sort_by(|a, b| a.name.cmp(&b.name));
    others
}

/// What runs there. Of several pods one samples the machine, which sees no limits but its own.
fn has(host: &Host) -> String {
    let places = listed(&host.places.iter().copied().collect::<Vec<_>>());
    match host.pods {
        0 | 1 => places,
        pods => format!("{places}; of its {pods} pods, limits of one"),
    }
}

fn shares<'a>(host: &'a Host) -> impl Iterator<Item = f64> + 'a {
    host.measured.iter().filter_map(|measured| measured.full_share())
}

/// Median share of what may be used there that was: of the cores, or of a quota that leaves less.
fn busy(host: &Host) -> Option<f64> {
    median(&shares(host).collect::<Vec<f64>>())
}

fn full(host: &Host) -> String {
    let full = shares(host).filter(|share| *share >= FULL_SHARE).count();
    match full {
        0 => "in no trial".to_owned(),
        full => format!("in {full} of {} trials", shares(host).count()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_pods_on_a_node_it_is_said_whose_limits_are_known() {
        let host = |pods| Host {
            name: "node1".to_owned(),
            places: BTreeSet::from(["large", "small"]),
            pods,
            facts: None,
            cores: 4,
            measured: Vec::new(),
        };
        assert_eq!([0, 1].map(|pods| has(&host(pods))), ["large and small"; 2]);
        assert_eq!(has(&host(3)), "large and small; of its 3 pods, limits of one");
    }
}
