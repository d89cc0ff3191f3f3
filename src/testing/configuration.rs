//! Scenarios, configurations and data sets with the defaults of the parser. A test changes the fields that it is about:
//! `Configuration { groups: 2, ..configuration() }`.

use std::sync::LazyLock;

use crate::scenario::{Configuration, DatasetSpec, Load, Scenario, parse};

/// The scenario of a file that lacks only the question.
pub(crate) fn scenario(text: &str) -> Scenario {
    static DEFAULT: LazyLock<Scenario> = LazyLock::new(|| parsed(""));
    if text.is_empty() {
        return DEFAULT.clone();
    }
    parsed(text)
}

fn parsed(text: &str) -> Scenario {
    let text = format!("question = \"?\"\n{text}");
    parse("test", "test.toml", &text).unwrap_or_else(|errors| panic!("{}", errors.plain()))
}

/// The configuration of a scenario without keys.
pub(crate) fn configuration() -> Configuration {
    scenario("").configurations.remove(0)
}

/// The same as a case of this name, with so many processes and consumers in each.
pub(crate) fn arrangement(case: &str, processes: u32, consumers: u32) -> Configuration {
    Configuration {
        name: case.to_owned(),
        case: case.to_owned(),
        processes,
        consumers,
        ..configuration()
    }
}

/// The data set of a scenario without keys: a million records of 100 bytes in one partition.
pub(crate) fn dataset() -> DatasetSpec {
    scenario("").datasets.remove(0)
}

/// The load of a scenario that only gives its rate: 1,000 records/s for 10 s after 2 s of warm-up.
pub(crate) fn load() -> Load {
    static DEFAULT: LazyLock<Scenario> = LazyLock::new(|| parsed("[load]\nrate = 1_000"));
    let load = DEFAULT.configurations[0].mode.load();
    load.cloned()
        .unwrap_or_else(|| panic!("a scenario with a load has none"))
}
