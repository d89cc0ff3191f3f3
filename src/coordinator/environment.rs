//! The machine and the clients, for the environment file.

use std::collections::BTreeMap;
use std::fs;

use nix::sys::utsname::uname;

use crate::clients::{ClientKind, OWN_APP};
use crate::kafka::client::{ClientProperties, ConsumerSettings};
use crate::measure::limits::{Kernel, Limits};
use crate::measure::{
    BuildEnvironment, ClientEnvironment, ClusterEnvironment, ENVIRONMENT_SCHEMA_VERSION, Environment, Setting,
    StoreEnvironment,
};
use crate::protocol::Hello;
use crate::scenario::{App, Place, Scenario};

/// Describes where the run takes place.
pub fn describe(
    cluster: ClusterEnvironment,
    other_clusters: Vec<ClusterEnvironment>,
    store: Option<StoreEnvironment>,
    builds: Vec<BuildEnvironment>,
    clients: Vec<ClientEnvironment>,
) -> Environment {
    let names = uname().ok();
    let limits = Limits::of_this_process(&Kernel::running());
    let text = |value: Option<&std::ffi::OsStr>| value.map_or_else(unknown, |v| v.to_string_lossy().into_owned());
    Environment {
        schema_version: ENVIRONMENT_SCHEMA_VERSION,
        tandem_version: env!("CARGO_PKG_VERSION").to_owned(),
        tandem_commit: option_env!("TANDEM_COMMIT").map(str::to_owned),
        host: text(names.as_ref().map(nix::sys::utsname::UtsName::nodename)),
        system: field("/etc/os-release", "PRETTY_NAME", '=').unwrap_or_else(unknown),
        kernel: text(names.as_ref().map(nix::sys::utsname::UtsName::release)),
        processor: field("/proc/cpuinfo", "model name", ':').unwrap_or_else(unknown),
        cores: limits.cores,
        memory_bytes: limits.usable_memory_bytes(),
        limits: Some(limits),
        governor: fs::read_to_string("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
            .ok()
            .map(|governor| governor.trim().to_owned()),
        cluster,
        clients,
        other_clusters,
        store,
        builds,
        kept_data: Vec::new(),
        sessions: Vec::new(),
    }
}

/// The clients of a scenario's apps, of which the first is that of this program.
#[derive(Debug)]
pub struct Clients<'a> {
    scenario: &'a Scenario,
    list: Vec<ClientEnvironment>,
}

impl<'a> Clients<'a> {
    /// The client of this program, at no place yet.
    pub fn own(scenario: &'a Scenario) -> Self {
        let allocator = if cfg!(feature = "mimalloc") {
            "mimalloc"
        } else {
            "system"
        };
        let own = ClientEnvironment {
            app: OWN_APP.to_owned(),
            name: "librdkafka".to_owned(),
            version: rdkafka::util::get_rdkafka_version().1,
            places: Vec::new(),
            features: Some(features()),
            allocator: Some(allocator.to_owned()),
            deviations: merged(scenario, |app| app == 0, true),
        };
        Clients {
            scenario,
            list: vec![own],
        }
    }

    /// This program runs at that place.
    pub fn add_own(&mut self, place: &Place) {
        self.list[0].places.push(place.name.clone());
    }

    /// An app has introduced itself at that place.
    pub fn add(&mut self, index: usize, place: usize, hello: &Hello) {
        let app = self.scenario.app_at(index, place);
        let place = &self.scenario.places[place];
        // A program that a launcher names has the settings of this program.
        let deviations = match app {
            App::Tandem | App::Launched { .. } => Vec::new(),
            App::Other(_) => merged(self.scenario, |app| app == index, false),
        };
        let app = app.name();
        let is_it = |known: &&mut ClientEnvironment| {
            (&*known.app, &known.name, &known.version) == (app, &hello.client, &hello.client_version)
        };
        if let Some(known) = self.list.iter_mut().find(is_it) {
            return known.places.push(place.name.clone());
        }
        self.list.push(ClientEnvironment {
            app: app.to_owned(),
            name: hello.client.clone(),
            version: hello.client_version.clone(),
            places: vec![place.name.clone()],
            features: None,
            allocator: None,
            deviations,
        });
    }

    /// All of them.
    pub fn into_list(self) -> Vec<ClientEnvironment> {
        self.list
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// What the client library was built with.
fn features() -> String {
    let config = rdkafka::ClientConfig::new().create_native_config();
    config
        .and_then(|config| config.get("builtin.features"))
        .unwrap_or_else(|_| unknown())
}

/// The value of the first line `name<separator>value` of a file, without quotes.
fn field(path: &str, name: &str, separator: char) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    let value = line.split_once(separator)?.1;
    Some(value.trim().trim_matches('"').to_owned())
}

/// Client settings that differ from the client's defaults in any configuration of these apps. With producers, also theirs,
/// which are tandem's own in every configuration: those of producers of load prefixed with `producer.`, those of producers
/// that fill data sets with `dataset.client.`.
fn merged(scenario: &Scenario, is_of: impl Fn(usize) -> bool, with_producers: bool) -> Vec<Setting> {
    let mut merged: BTreeMap<String, Setting> = BTreeMap::new();
    for configuration in &scenario.configurations {
        let dataset = &scenario.datasets[configuration.dataset];
        let cluster = scenario.cluster_of(configuration);
        let consumers =
            is_of(configuration.app).then(|| ConsumerSettings::of(scenario, configuration, "").deviations());
        let compression = dataset.compression;
        let load = configuration.mode.load().filter(|_| with_producers);
        let producers = load.map(|load| {
            let properties = ClientProperties::of_producers(cluster, load, compression, "");
            let prefixed = |setting: Setting| Setting {
                name: format!("producer.{}", setting.name),
                ..setting
            };
            let deviations = properties.deviations(ClientKind::Librdkafka);
            deviations.into_iter().map(prefixed)
        });
        let filling = dataset
            .client
            .iter()
            .filter(|_| with_producers)
            .map(|(name, value)| Setting {
                name: format!("dataset.client.{name}"),
                value: value.clone(),
                reason: "the scenario's [dataset.client]".to_owned(),
            });
        let producers = producers.into_iter().flatten();
        for setting in consumers.into_iter().flatten().chain(producers).chain(filling) {
            let known = merged.entry(setting.name.clone()).or_insert_with(|| setting.clone());
            if !known.value.split(" | ").any(|value| value == setting.value) {
                known.value = format!("{} | {}", known.value, setting.value);
            }
        }
    }
    merged.into_values().collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn cluster(version: &str) -> ClusterEnvironment {
        ClusterEnvironment {
            local: false,
            bootstrap: "b:9092".to_owned(),
            brokers: 1,
            version: Some(version.to_owned()),
            zookeeper: None,
            java: None,
            deviations: Vec::new(),
            settings_unknown: None,
        }
    }

    fn build(bytes: u64) -> BuildEnvironment {
        BuildEnvironment {
            name: "new".to_owned(),
            path: "/new/tandem".into(),
            version: Some("tandem 0.1.0".to_owned()),
            client: "librdkafka".to_owned(),
            client_version: "2.12.1".to_owned(),
            bytes,
            modified: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    fn clients() -> Vec<ClientEnvironment> {
        Clients::own(&crate::testing::scenario("")).into_list()
    }

    #[test]
    fn an_app_is_listed_once_for_each_client_with_the_places_where_it_has_it() {
        let text = "question = '?'\n[[place]]\nname = 'a'\nlauncher = ['ssh', 'a', '{tandem}', 'worker']\n\
                    [[place]]\nname = 'b'\nlauncher = ['ssh', 'b', '{tandem}', 'worker']\n\
                    [[place]]\nname = 'c'\nlauncher = ['python3', 'worker.py']";
        let scenario = crate::scenario::parse("s", "s.toml", text).unwrap();
        let hello = |client: &str, version: &str| -> Hello {
            let hello = format!(r#"{{"protocol": 1, "client": "{client}", "client_version": "{version}", "pid": 1}}"#);
            serde_json::from_str(&hello).unwrap()
        };
        let mut clients = Clients::own(&scenario);
        let own = clients.list[0].clone();
        clients.add_own(&scenario.places[0]);
        for (index, hello) in [
            (1, hello(&own.name, &own.version)),
            (2, hello(&own.name, "2.0.0")),
            (3, hello("confluent-kafka", "2.0.0")),
        ] {
            clients.add(0, index, &hello);
        }
        let found: Vec<(String, String, Vec<String>)> = clients
            .into_list()
            .into_iter()
            .map(|client| (client.app.clone(), client.to_string(), client.places))
            .collect();
        let expected = [
            ("tandem", own.to_string(), vec!["here", "a"]),
            ("tandem", "librdkafka 2.0.0".to_owned(), vec!["b"]),
            ("c", "confluent-kafka 2.0.0".to_owned(), vec!["c"]),
        ];
        let expected = expected.map(|(app, client, places)| {
            (
                app.to_owned(),
                client,
                places.into_iter().map(str::to_owned).collect::<Vec<_>>(),
            )
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn another_build_or_another_second_cluster_is_another_environment() {
        let described = |other: &str, bytes| {
            describe(
                cluster("3.9"),
                vec![cluster(other)],
                None,
                vec![build(bytes)],
                clients(),
            )
        };
        assert_eq!(described("4.0", 5).differences(&described("4.0", 5)), []);
        let found = described("4.0", 5).differences(&described("4.1", 6));
        assert!(found.iter().all(|difference| difference.forbids_mixing));
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("Kafka of the other cluster was 4.0"), "{found:?}");
        assert!(
            found[1].contains("5 bytes") && found[1].contains("6 bytes"),
            "{found:?}"
        );
    }
}
