//! Where and how a run was made, in words.

use super::existing;
use crate::measure::{ClusterEnvironment, Environment, Trial};
use crate::report::ReportInput;
use crate::report::format::{UNKNOWN, bytes, count, duration, memory_in_words, percent, printable};
use crate::scenario::{Mode, Scenario, TrialLength};

/// The machine, the cluster, the client and the length of the run.
pub(in crate::report) fn environment(input: &ReportInput) -> Vec<(&'static str, String)> {
    let Environment { cluster, client, .. } = input.environment;
    let e = input.environment;
    let unknown = || "unknown".to_owned();
    let (first, last) = dates(input);
    [
        ("Measured", format!("{first} to {last}")),
        ("tandem", e.tandem()),
        ("Machine", e.host.clone()),
        ("Processor", format!("{}, {}", e.processor, e.cores_in_words())),
        (
            "Memory",
            e.limits.as_ref().map_or_else(|| bytes(e.memory_bytes), memory_in_words),
        ),
        ("Frequency governor", e.governor.clone().unwrap_or_else(unknown)),
        ("System", format!("{}, kernel {}", e.system, e.kernel)),
        ("Kafka", kafka(cluster)),
        ("Java of the brokers", cluster.java.clone().unwrap_or_else(unknown)),
        (
            "Client",
            format!("{} {} ({})", client.name, client.version, client.features),
        ),
        ("Allocator", client.allocator.clone()),
        ("Plan", plan(input)),
    ]
    .into_iter()
    .chain(
        existing::data_sets(input)
            .into_iter()
            .map(|text| ("The data set", text)),
    )
    .chain(
        e.other_clusters
            .iter()
            .map(|other| ("Kafka, compared with it", kafka(other))),
    )
    .chain(cluster.settings_unknown.iter().map(|cause| {
        (
            "Settings of the brokers",
            format!("unknown, and so not in the table of settings: {cause}"),
        )
    }))
    .chain(e.builds.iter().map(|build| ("Build", build.to_string())))
    .chain(e.kept_data.iter().map(|kept| ("Data set", kept.to_string())))
    .chain(
        input
            .scenario
            .warnings
            .iter()
            .map(|warning| ("Note on the plan", warning.clone())),
    )
    .map(|(name, value)| (name, printable(&value)))
    .collect()
}

fn kafka(cluster: &ClusterEnvironment) -> String {
    let place = if cluster.local {
        "run by tandem on this machine"
    } else {
        "running before tandem"
    };
    let zookeeper = cluster.zookeeper.as_ref();
    let zookeeper = zookeeper.map_or(String::new(), |version| format!(" on ZooKeeper {version}"));
    format!(
        "{}{zookeeper}, {}, {place} ({})",
        cluster.version.clone().unwrap_or_else(|| "unknown version".to_owned()),
        count(u64::from(cluster.brokers), "broker"),
        cluster.bootstrap
    )
}

fn plan(input: &ReportInput) -> String {
    let s = input.scenario;
    let mut lengths = Vec::new();
    if s.configurations.iter().any(|c| c.mode == Mode::Backlog) {
        lengths.push(match s.trial {
            TrialLength::Seconds(seconds) => format!("about {} of reading per trial", duration(seconds)),
            TrialLength::Records(records) => format!("{} per group and trial", count(records, "record")),
            TrialLength::Whole => "every record of the topics per group and trial".to_owned(),
        });
    }
    for load in s.configurations.iter().filter_map(|c| c.mode.load()) {
        let [window, warmup] = [load.duration_ns, load.warmup_ns].map(|ns| duration(ns as f64 / 1e9));
        let length = format!("a load of {window} per trial after {warmup} of warm-up");
        if !lengths.contains(&length) {
            lengths.push(length);
        }
    }
    let length = lengths.join(", ");
    format!(
        "{}, {} and {} to warm up, {length}, seed {}, threshold ±{}",
        count(s.configurations.len() as u64, "configuration"),
        blocks(s),
        s.warmup_blocks,
        s.seed,
        percent(s.threshold)
    )
}

/// How many blocks the plan has.
fn blocks(scenario: &Scenario) -> String {
    let blocks = count(u64::from(scenario.repetitions.at_most()), "block");
    match scenario.repetitions.until() {
        None => blocks,
        Some(until) => format!("block by block until {until} ({blocks} at most)"),
    }
}

/// When the first and the last trial began, to the second.
pub(in crate::report) fn dates(input: &ReportInput) -> (String, String) {
    let show = |t: Option<&Trial>| {
        t.map_or_else(
            || UNKNOWN.to_owned(),
            |t| t.started_at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        )
    };
    (
        show(input.trials.iter().min_by_key(|t| t.started_at)),
        show(input.trials.iter().max_by_key(|t| t.started_at)),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn the_plan_of_a_live_run_says_how_long_its_loads_are_and_not_how_much_is_read() {
        let fixture = Fixture::latency();
        let shown = plan(&fixture.input());
        assert!(
            shown.contains("a load of 5.00 s per trial after 1.00 s of warm-up"),
            "{shown}"
        );
        assert!(!shown.contains("per group"), "{shown}");
    }
}
