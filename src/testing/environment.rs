//! Environments for tests.

use crate::measure::{ClientEnvironment, ClusterEnvironment, ENVIRONMENT_SCHEMA_VERSION, Environment, Setting};

/// An environment for tests, the same every time.
pub(crate) fn environment() -> Environment {
    let setting = |name: &str, value: &str| Setting {
        name: name.to_owned(),
        value: value.to_owned(),
        reason: String::new(),
    };
    Environment {
        schema_version: ENVIRONMENT_SCHEMA_VERSION,
        tandem_version: "0.1.0".to_owned(),
        tandem_commit: None,
        host: "bench".to_owned(),
        system: "Debian".to_owned(),
        kernel: "6.1".to_owned(),
        processor: "AMD".to_owned(),
        cores: 2,
        memory_bytes: 8,
        limits: None,
        governor: None,
        cluster: ClusterEnvironment {
            local: true,
            bootstrap: "127.0.0.1:1".to_owned(),
            brokers: 1,
            version: Some("4.3.1".to_owned()),
            zookeeper: None,
            java: None,
            deviations: vec![setting("a", "1"), setting("b", "2")],
            settings_unknown: None,
        },
        other_clusters: Vec::new(),
        store: None,
        builds: Vec::new(),
        kept_data: Vec::new(),
        sessions: Vec::new(),
        clients: vec![ClientEnvironment {
            app: "tandem".to_owned(),
            places: vec!["here".to_owned()],
            name: "librdkafka".to_owned(),
            version: "2.12.1".to_owned(),
            features: Some(String::new()),
            allocator: Some("mimalloc".to_owned()),
            deviations: Vec::new(),
        }],
    }
}
