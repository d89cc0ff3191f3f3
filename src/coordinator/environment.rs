//! The machine and the client as the environment file tells them.

use std::collections::BTreeMap;
use std::fs;

use nix::sys::utsname::uname;

use super::host::cores;
use crate::kafka::client::ClientProperties;
use crate::measure::{ClientEnvironment, ClusterEnvironment, ENVIRONMENT_SCHEMA_VERSION, Environment, Setting};
use crate::scenario::Scenario;

/// Describes where the run takes place.
pub fn describe(cluster: ClusterEnvironment, client_settings: Vec<Setting>) -> Environment {
    let names = uname().ok();
    let text = |value: Option<&std::ffi::OsStr>| value.map_or_else(unknown, |v| v.to_string_lossy().into_owned());
    Environment {
        schema_version: ENVIRONMENT_SCHEMA_VERSION,
        tandem_version: env!("CARGO_PKG_VERSION").to_owned(),
        tandem_commit: option_env!("TANDEM_COMMIT").map(str::to_owned),
        host: text(names.as_ref().map(nix::sys::utsname::UtsName::nodename)),
        system: field("/etc/os-release", "PRETTY_NAME", '=').unwrap_or_else(unknown),
        kernel: text(names.as_ref().map(nix::sys::utsname::UtsName::release)),
        processor: field("/proc/cpuinfo", "model name", ':').unwrap_or_else(unknown),
        cores: cores(),
        memory_bytes: memory_bytes(),
        governor: fs::read_to_string("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
            .ok()
            .map(|governor| governor.trim().to_owned()),
        cluster,
        client: ClientEnvironment {
            name: "librdkafka".to_owned(),
            version: rdkafka::util::get_rdkafka_version().1,
            features: features(),
            allocator: if cfg!(feature = "mimalloc") {
                "mimalloc"
            } else if cfg!(feature = "jemalloc") {
                "jemalloc"
            } else {
                "system"
            }
            .to_owned(),
            deviations: client_settings,
        },
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

fn memory_bytes() -> u64 {
    let kib = field("/proc/meminfo", "MemTotal", ':').and_then(|value| {
        value
            .strip_suffix(" kB")
            .and_then(|value| value.trim().parse::<u64>().ok())
    });
    kib.unwrap_or(0) * 1024
}

/// Client settings that differ from the library's defaults in any configuration; those of producers are prefixed with
/// `producer.`.
pub fn client_settings(scenario: &Scenario) -> Vec<Setting> {
    let mut merged: BTreeMap<String, Setting> = BTreeMap::new();
    for configuration in &scenario.configurations {
        let consumers = ClientProperties::of_consumers(&scenario.cluster, configuration, "").deviations();
        let compression = scenario.datasets[configuration.dataset].compression;
        let producers = configuration.mode.load().map(|load| {
            let properties = ClientProperties::of_producers(&scenario.cluster, load, compression, "");
            let prefixed = |setting: Setting| Setting {
                name: format!("producer.{}", setting.name),
                ..setting
            };
            properties.deviations().into_iter().map(prefixed)
        });
        for setting in consumers.into_iter().chain(producers.into_iter().flatten()) {
            let known = merged.entry(setting.name.clone()).or_insert_with(|| setting.clone());
            if !known.value.split(" | ").any(|value| value == setting.value) {
                known.value = format!("{} | {}", known.value, setting.value);
            }
        }
    }
    merged.into_values().collect()
}
