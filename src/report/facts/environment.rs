//! Where and how a run was made, in words.

use jiff::Timestamp;

use super::existing;
use crate::measure::{ClientEnvironment, ClusterEnvironment};
use crate::report::format::{bytes, duration, memory_in_words, or_unknown, percent, value_in};
use crate::report::input::ReportInput;
use crate::scenario::{Mode, Scenario, TrialLength};
use crate::wording::{listed, plural};

/// The machine, the cluster, the client and the length of the run.
pub(crate) fn environment(input: &ReportInput) -> Vec<(&'static str, String)> {
    let e = input.environment;
    let (cluster, client) = (&e.cluster, e.client());
    let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
    let (first, last) = dates(input);
    let memory = e.limits.as_ref().map_or_else(|| bytes(e.memory_bytes), memory_in_words);
    let mut facts = vec![
        ("Measured", format!("{first} to {last}")),
        ("tandem", e.tandem()),
        ("Machine", e.host.clone()),
        ("Processor", format!("{}, {}", e.processor, e.cores_in_words())),
        ("Memory", memory),
        ("Frequency governor", known(&e.governor)),
        ("System", format!("{}, kernel {}", e.system, e.kernel)),
        ("Kafka", kafka(cluster)),
        ("Java of the brokers", known(&cluster.java)),
        ("Client", format!("{client} ({})", known(&client.features))),
        ("Allocator", known(&client.allocator)),
        ("Plan", plan(input)),
    ];
    let others = e.clients[1..].iter();
    facts.extend(others.map(|other| ("Client of another app", app(other))));
    facts.extend(
        existing::data_sets(input)
            .into_iter()
            .map(|text| ("The data set", text)),
    );
    let others = e.other_clusters.iter();
    facts.extend(others.map(|other| ("Kafka, compared with it", kafka(other))));
    facts.extend(e.store.iter().map(|store| ("Store", store.to_string())));
    facts.extend(cluster.settings_unknown.iter().map(|cause| {
        let text = format!("unknown, and so not in the table of settings: {cause}");
        ("Settings of the brokers", text)
    }));
    facts.extend(e.builds.iter().map(|build| ("Build", build.to_string())));
    facts.extend(e.kept_data.iter().map(|kept| ("Data set", kept.to_string())));
    let warnings = input.scenario.warnings.iter();
    facts.extend(warnings.map(|warning| ("Note on the plan", warning.clone())));
    facts
}

fn app(client: &ClientEnvironment) -> String {
    let places: Vec<&str> = client.places.iter().map(String::as_str).collect();
    let noun = if places.len() == 1 { "place" } else { "places" };
    format!("{client} ({} at {noun} {})", client.app, listed(&places))
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
        plural(u64::from(cluster.brokers), "broker"),
        cluster.bootstrap
    )
}

fn plan(input: &ReportInput) -> String {
    let s = input.scenario;
    let mut lengths = Vec::new();
    if s.configurations.iter().any(|c| c.mode == Mode::Backlog) {
        lengths.push(match s.trial {
            TrialLength::Seconds(seconds) => format!("about {} of reading per trial", duration(seconds)),
            TrialLength::Records(records) => format!("{} per group and trial", plural(records, "record")),
            TrialLength::Everything => "every record of the topics per group and trial".to_owned(),
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
        plural(s.configurations.len() as u64, "configuration"),
        blocks(s),
        s.warmup_blocks,
        s.seed,
        threshold(s)
    )
}

/// What counts as no difference.
fn threshold(scenario: &Scenario) -> String {
    let chosen = scenario
        .metric
        .and_then(|chosen| Some((chosen.figure, chosen.difference?)));
    chosen.map_or_else(
        || percent(scenario.threshold),
        |(figure, difference)| value_in(figure.figure().unit, difference),
    )
}

/// How many blocks the plan has.
fn blocks(scenario: &Scenario) -> String {
    let blocks = plural(u64::from(scenario.repetitions().at_most()), "block");
    match scenario.repetitions().until() {
        None => blocks,
        Some(until) => format!("block by block until {until} ({blocks} at most)"),
    }
}

/// When the first and the last trial began, to the second.
pub(crate) fn dates(input: &ReportInput) -> (String, String) {
    let show = |time: Option<Timestamp>| or_unknown(time, |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    let began = || input.trials.iter().map(|t| t.started_at);
    (show(began().min()), show(began().max()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::report::Fixture;

    #[test]
    fn the_plan_of_a_live_run_says_how_long_its_loads_are_and_not_how_much_is_read() {
        let fixture = Fixture::latency();
        let text = plan(&fixture.input());
        assert!(
            text.contains("a load of 5.00 s per trial after 1.00 s of warm-up"),
            "{text}"
        );
        assert!(!text.contains("per group"), "{text}");
    }

    /// The value of a fact of the environment.
    fn value(fixture: &Fixture, name: &str) -> Option<String> {
        let facts = environment(&fixture.input());
        facts.into_iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    #[test]
    fn a_cluster_on_zookeeper_is_reported_with_both_versions() {
        let mut fixture = Fixture::one_vs_two();
        let cluster = &mut fixture.environment.cluster;
        (cluster.version, cluster.zookeeper) = (Some("2.8.1".into()), Some("3.5.9".into()));
        let mut other = cluster.clone();
        (other.version, other.zookeeper) = (Some("4.3.1".into()), None);
        let address = cluster.bootstrap.clone();
        fixture.environment.other_clusters.push(other);
        let local = |kafka: &str| Some(format!("{kafka}, 1 broker, run by tandem on this machine ({address})"));
        assert_eq!(value(&fixture, "Kafka"), local("2.8.1 on ZooKeeper 3.5.9"));
        assert_eq!(value(&fixture, "Kafka, compared with it"), local("4.3.1"));
    }

    #[test]
    fn the_client_of_another_app_is_reported_with_its_places() {
        let mut fixture = Fixture::one_vs_two();
        assert_eq!(value(&fixture, "Client of another app"), None);
        fixture.environment.clients.push(ClientEnvironment {
            app: "python".into(),
            name: "confluent-kafka".into(),
            version: "2.12.1".into(),
            places: vec!["box".into(), "crate".into()],
            features: None,
            allocator: None,
            deviations: Vec::new(),
        });
        assert_eq!(
            value(&fixture, "Client of another app").as_deref(),
            Some("confluent-kafka 2.12.1 (python at places box and crate)")
        );
    }

    #[test]
    fn a_second_cluster_and_the_builds_are_reported_with_the_environment() {
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
            modified: Timestamp::UNIX_EPOCH,
        });
        assert_eq!(
            value(&fixture, "Kafka, compared with it").as_deref(),
            Some("3.9, 1 broker, running before tandem (b:9092)")
        );
        assert_eq!(
            value(&fixture, "Build").as_deref(),
            Some(
                "new: tandem 0.1.0 (8b212a6), librdkafka 2.12.1 (/new/tandem, 5 bytes, written 1970-01-01 00:00:00.000 \
                 UTC)"
            )
        );
    }
}
