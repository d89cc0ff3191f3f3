//! What a reader needs to judge the figures: idle members, settings, environment, every trial, and the words of the
//! report. Plain text: each form of the report escapes it as it needs.

mod environment;
mod existing;
mod quality;

pub(super) use self::environment::{dates, environment};
pub(super) use self::quality::quality;
use super::ReportInput;
use super::csv::kind;
use super::format::{count, duration, or_unknown, printable, rate, thousands};
use super::tables::{Table, scaling};
use crate::measure::{Environment, Measurement, Status, Trial, TrialKind};
use crate::scenario::PropertyValue;

/// Why members were idle: the configurations of which the same is to be said, and what it is.
pub(super) fn idle(input: &ReportInput) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for c in &input.summary.configurations {
        let Some(why) = &c.idle_explanation else { continue };
        let (name, why) = (printable(&c.name), printable(why));
        match found.iter_mut().find(|(_, known)| *known == why) {
            Some((names, _)) => {
                names.push_str("; ");
                names.push_str(&name);
            }
            None => found.push((name, why)),
        }
    }
    found
}

/// Settings of brokers and clients that differ from the defaults.
pub(super) fn settings(input: &ReportInput) -> Table {
    let mut rows = Vec::new();
    let mut row = |whose: &str, name: &str, value: &str, reason: &str| {
        rows.push([whose, name, value, reason].map(printable).to_vec());
    };
    let Environment {
        cluster,
        other_clusters,
        ..
    } = input.environment;
    // Clusters that tandem starts side by side are each of another version.
    let by_version = cluster.local && other_clusters.iter().any(|other| other.local);
    let others = other_clusters
        .iter()
        .map(|other| (other, "brokers of the other cluster"));
    for (cluster, whose) in std::iter::once((cluster, "brokers")).chain(others) {
        let whose = match &cluster.version {
            Some(version) if by_version => format!("brokers of {version}"),
            _ => whose.to_owned(),
        };
        for s in &cluster.deviations {
            row(&whose, &s.name, &s.value, &s.reason);
        }
    }
    for s in &input.environment.client.deviations {
        row("client", &s.name, &s.value, &s.reason);
    }
    for (name, value) in &input.scenario.cluster.client {
        row(
            "every client",
            name,
            &property(value),
            "the scenario sets it for the cluster",
        );
    }
    for (name, value, whose) in client_properties(input) {
        row(&whose, name, &property(value), "the scenario sets it");
    }
    let defaults: Vec<&str> = input
        .scenario
        .configurations
        .iter()
        .filter(|c| c.client.library_defaults_only)
        .map(|c| &*c.name)
        .collect();
    if !defaults.is_empty() {
        row(
            &these_or_all(input, &defaults),
            "client",
            "defaults",
            "tandem's own client settings are left out",
        );
    }
    Table::new(
        "Settings that differ from the defaults",
        &["of", "setting", "value", "why"],
        rows,
    )
}

/// Each distinct property of the configurations, with the configurations that have it.
fn client_properties<'a>(input: &ReportInput<'a>) -> Vec<(&'a str, &'a PropertyValue, String)> {
    let mut found: Vec<(&str, &PropertyValue, Vec<&str>)> = Vec::new();
    for c in &input.scenario.configurations {
        for (name, value) in &c.client.properties {
            match found.iter_mut().find(|(n, v, _)| n == name && *v == value) {
                Some((_, _, whose)) => whose.push(&c.name),
                None => found.push((name, value, vec![&c.name])),
            }
        }
    }
    found
        .into_iter()
        .map(|(name, value, whose)| (name, value, these_or_all(input, &whose)))
        .collect()
}

fn these_or_all(input: &ReportInput, names: &[&str]) -> String {
    if names.len() == input.scenario.configurations.len() {
        "client, every configuration".to_owned()
    } else {
        format!("client of {}", names.join("; "))
    }
}

/// Only the name of the variable or the file is known here; the value never reaches a report.
fn property(value: &PropertyValue) -> String {
    match value {
        PropertyValue::Literal(text) => text.clone(),
        PropertyValue::Environment { env } => format!("(from the environment variable {env})"),
        PropertyValue::File { file } => format!("(from the file {file})"),
    }
}

/// Every trial with its status and flags.
pub(super) fn trials(input: &ReportInput) -> Table {
    let rows = input.trials.iter().map(|t| {
        let measured = t.measurement.as_ref();
        let read = measured.map(Measurement::read_ns);
        vec![
            t.order.number.to_string(),
            kind(t.order.kind).to_owned(),
            (t.order.block + 1).to_string(),
            printable(&t.configuration_name),
            t.status.as_str().to_owned(),
            or_unknown(
                measured.filter(|_| read > Some(0)).map(Measurement::records_per_second),
                rate,
            ),
            or_unknown(read.map(|ns| ns as f64 / 1e9), duration),
            or_unknown(measured.map(|m| m.stopwatch_ns() as f64 / 1e9), duration),
            remarks(t),
        ]
    });
    let headers = [
        "#number",
        "kind",
        "#block",
        "configuration",
        "status",
        "#records/s",
        "#read time",
        "#stopwatch",
        "remarks",
    ];
    Table::new("Every trial, in the order of running", &headers, rows.collect())
}

/// What is to be said of a trial: why it takes no part, and its flags with their evidence.
pub(super) fn remarks(trial: &Trial) -> String {
    let status = match &trial.status {
        Status::Complete => None,
        Status::Excluded { reason } => Some(reason.clone()),
        Status::Failed(f) => {
            let who = f.who.as_ref().map(|who| format!(" ({who})")).unwrap_or_default();
            Some(format!("{}{who}: {}", f.kind.describe(), f.message))
        }
    };
    let session = (trial.session > 1).then(|| format!("session {}", trial.session));
    let flags = trial
        .flags
        .iter()
        .map(|f| format!("{}: {}", f.kind.as_str(), f.evidence));
    let remarks: Vec<String> = status.into_iter().chain(flags).chain(session).collect();
    printable(&remarks.join("; "))
}

/// How many trials there are and what became of them, in a sentence.
pub(super) fn trials_sentence(input: &ReportInput) -> String {
    let counted = || input.trials.iter().filter(|t| t.order.kind == TrialKind::Counted);
    let number = |wanted: fn(&&Trial) -> bool| thousands(counted().filter(wanted).count() as u64);
    let searched = input.trials.iter().any(|t| t.order.kind == TrialKind::Search);
    let others = if searched {
        "the others are warm-up and the search for the capacity"
    } else {
        "the others are pilots and warm-up"
    };
    format!(
        "{} run, {} of them counted ({others}): {} used, {} failed, {} excluded.",
        count(input.trials.len() as u64, "trial"),
        thousands(counted().count() as u64),
        number(|t| t.is_used()),
        number(|t| matches!(t.status, Status::Failed(_))),
        number(|t| matches!(t.status, Status::Excluded { .. })),
    )
}

/// The words of the report and what they mean.
const GLOSSARY: [(&str, &str); 9] = [
    (
        "Read time",
        "from the common start, when every member has its partitions and may fetch, to the last record of the trial.",
    ),
    (
        "Stopwatch",
        "from the start of the first process to the last record: what somebody sees who just runs it, joining included.",
    ),
    (
        "Speed",
        "how many times as fast as the baseline: 2× takes half the time. Compared within blocks, trial by trial.",
    ),
    (
        "[95 %]",
        "the confidence interval: where the figure probably lies. An interval of a speed that contains 1 does not exclude that there is no difference.",
    ),
    (
        "Block",
        "every configuration once, in random order, so that a change of the machine meets all of them alike.",
    ),
    (
        "Family",
        "configurations that read the same records with the same work. Only these are compared with each other.",
    ),
    (
        "Member",
        "one consumer of a group. A member without a partition is idle: it reads nothing.",
    ),
    (
        "p (Holm)",
        "the probability of a difference at least as large by chance alone, corrected for the number of comparisons.",
    ),
    (
        "Verdict",
        "same: the interval lies within the threshold; faster or slower: it excludes 1 and p is at most 0.05 (materially: it lies beyond the threshold); undecided: none of these.",
    ),
];

/// The words that reports on records that arrive need besides.
const GLOSSARY_OF_LOADS: [(&str, &str); 6] = [
    (
        "Response time",
        "from the moment at which the schedule intended a record to be sent until the work on it was done; a producer that was late is part of it.",
    ),
    (
        "p99",
        "99 of 100 records took no longer. Given where at least ten records lie beyond it; the geometric mean over trials.",
    ),
    (
        "Load not reached",
        "the producers could not send what the schedule asked for, so the latencies are not those of that load, and are not given.",
    ),
    (
        "Overloaded",
        "the readers could not keep up and fell further and further behind. Latencies then say how long the trial was, and are not given.",
    ),
    (
        "Holds, cannot say (to N %)",
        "whether every member and partition keeps up with its load. A growth of the lag by N % of what arrives would have shown, a smaller one need not; a longer duration makes N smaller.",
    ),
    (
        "Capacity",
        "the highest rate at which the objective held, confirmed by a longer trial; it failed at the upper end of the interval.",
    ),
];

/// The words that reports on runs need besides which stopped when something held.
const GLOSSARY_OF_LOOKS: [(&str, &str); 1] = [(
    "Look",
    "after each block it was looked whether the run may stop. The intervals and p of comparisons allow for that: they hold over all looks together. The intervals of single configurations only describe their trials.",
)];

/// The words of this report and what they mean.
pub(super) fn glossary(input: &ReportInput) -> Vec<(&'static str, &'static str)> {
    let mut words = GLOSSARY.to_vec();
    if input.scenario.configurations.iter().any(|c| c.mode.load().is_some()) {
        words.extend(GLOSSARY_OF_LOADS);
    }
    if input.scenario.repetitions.until().is_some() {
        words.extend(GLOSSARY_OF_LOOKS);
    }
    if scaling::has_scaling(input) {
        words.extend(scaling::GLOSSARY);
    }
    words
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn a_secret_is_named_by_its_variable_only() {
        let mut fixture = Fixture::one_vs_two();
        let secret = PropertyValue::Environment {
            env: "KAFKA_PASSWORD".into(),
        };
        fixture.scenario.cluster.client.insert("sasl.password".into(), secret);
        let table = settings(&fixture.input());
        let row = table.rows.iter().find(|row| row[1] == "sasl.password").unwrap();
        assert_eq!(row[2], "(from the environment variable KAFKA_PASSWORD)");
    }

    #[test]
    fn a_property_of_some_configurations_names_them() {
        let mut fixture = Fixture::one_vs_two();
        let value = PropertyValue::Literal("4096".into());
        fixture.scenario.configurations[1]
            .client
            .properties
            .insert("fetch.min.bytes".into(), value);
        let table = settings(&fixture.input());
        let row = table.rows.iter().find(|row| row[1] == "fetch.min.bytes").unwrap();
        assert_eq!(row[0], "client of one process, both partitions work=cpu 5us");
    }

    #[test]
    fn a_cluster_on_zookeeper_is_told_with_its_version_and_settings_go_by_version() {
        let mut fixture = Fixture::one_vs_two();
        let setting = |value: &str| crate::measure::Setting {
            name: "offsets.topic.num.partitions".into(),
            value: value.into(),
            reason: "r".into(),
        };
        let cluster = &mut fixture.environment.cluster;
        (cluster.version, cluster.zookeeper) = (Some("2.8.1".into()), Some("3.5.9".into()));
        cluster.deviations = vec![setting("10")];
        let mut other = cluster.clone();
        (other.version, other.zookeeper) = (Some("4.3.1".into()), None);
        let address = cluster.bootstrap.clone();
        fixture.environment.other_clusters.push(other);
        let told = environment(&fixture.input());
        let value = |name: &str| told.iter().find(|(n, _)| *n == name).map(|(_, value)| value.clone());
        let local = |kafka: &str| Some(format!("{kafka}, 1 broker, run by tandem on this machine ({address})"));
        assert_eq!(value("Kafka"), local("2.8.1 on ZooKeeper 3.5.9"));
        assert_eq!(value("Kafka, compared with it"), local("4.3.1"));
        let rows = settings(&fixture.input()).rows;
        let whose: Vec<&str> = rows
            .iter()
            .map(|row| &*row[0])
            .filter(|of| of.starts_with("brokers"))
            .collect();
        assert_eq!(whose, ["brokers of 2.8.1", "brokers of 4.3.1"]);
    }

    #[test]
    fn a_second_cluster_and_the_builds_are_told_with_the_environment() {
        let mut fixture = Fixture::one_vs_two();
        let mut other = fixture.environment.cluster.clone();
        (other.local, other.bootstrap, other.version) = (false, "b:9092".into(), Some("3.9".into()));
        fixture.environment.other_clusters.push(other);
        fixture.environment.builds.push(crate::measure::BuildEnvironment {
            name: "new".into(),
            path: "/new/tandem".into(),
            version: Some("tandem 0.1.0 (8b212a6)".into()),
            client: "librdkafka".into(),
            client_version: "2.12.1".into(),
            bytes: 5,
            modified: jiff::Timestamp::UNIX_EPOCH,
        });
        let told = environment(&fixture.input());
        let value = |name: &str| told.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str());
        assert_eq!(
            value("Kafka, compared with it"),
            Some("3.9, 1 broker, running before tandem (b:9092)")
        );
        assert_eq!(
            value("Build"),
            Some(
                "new: tandem 0.1.0 (8b212a6), librdkafka 2.12.1 (/new/tandem, 5 bytes, written 1970-01-01 00:00:00.000 \
                 UTC)"
            )
        );
        let rows = settings(&fixture.input()).rows;
        assert!(rows.iter().any(|row| row[0] == "brokers of the other cluster"));
    }

    #[test]
    fn the_steps_of_a_search_are_no_pilots() {
        let sentence = |fixture: Fixture| trials_sentence(&fixture.input());
        assert!(sentence(Fixture::capacity()).contains("warm-up and the search for the capacity"));
        assert!(sentence(Fixture::latency()).contains("pilots and warm-up"));
    }

    #[test]
    fn remarks_name_the_failure_and_the_member() {
        let fixture = Fixture::one_vs_two();
        let failed = fixture
            .trials
            .iter()
            .find(|t| matches!(t.status, Status::Failed(_)))
            .unwrap();
        assert_eq!(
            remarks(failed),
            "a worker died (group 1, process 2): the worker was ended by signal 9 (KILL)"
        );
    }
}
