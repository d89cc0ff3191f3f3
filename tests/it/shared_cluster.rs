//! One broker for all tests whose subject is not a broker. Its guardian ends it with this process, however that ends.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use tandem::coordinator::guardian::Guardian;
use tandem::kafka::admin::Admin;
use tandem::kafka::local::{
    Broker, BrokerSettings, ClusterOptions, DEFAULT_HEAP_MIB, Distribution, ListenerSpec, LocalCluster,
};
use tandem::scenario::{DEFAULT_KAFKA_VERSION, KafkaVersion};
use tandem::server::{Keeper, marker_name};

use crate::clients::{administer, names_on};
use crate::scene::{PROGRAM, wait_until};

/// A broker that runs until this is dropped.
pub struct Shared {
    cluster: LocalCluster,
    /// Holds the pipe by which the guardian learns of this process' end.
    _guardian: Arc<Guardian>,
    _folder: tempfile::TempDir,
}

/// The version of Apache Kafka for tests that need no particular one: `TANDEM_TEST_KAFKA`, or the default.
pub fn version() -> KafkaVersion {
    let named = std::env::var("TANDEM_TEST_KAFKA").ok();
    named.map_or(DEFAULT_KAFKA_VERSION, |version| version.parse().unwrap())
}

/// The options of a cluster without further listeners.
pub fn options(version: KafkaVersion, brokers: u32, data_parent: &Path, run_id: &str) -> ClusterOptions {
    ClusterOptions {
        brokers,
        zookeeper: version.on_zookeeper(None).unwrap(),
        heap_mib: DEFAULT_HEAP_MIB,
        port: None,
        listeners: Vec::new(),
        settings: BrokerSettings::default(),
        data_parent: data_parent.to_owned(),
        run_id: run_id.to_owned(),
    }
}

/// The address of the shared broker; the first caller starts it.
pub fn bootstrap() -> String {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| Shared::start("shared")).bootstrap()
}

/// The address of another broker, a cluster of its own; the first caller starts it.
pub fn second_bootstrap() -> String {
    static SECOND: OnceLock<Shared> = OnceLock::new();
    SECOND.get_or_init(|| Shared::start("second")).bootstrap()
}

impl Shared {
    /// Starts a broker; `name` is part of its mark.
    pub fn start(name: &str) -> Self {
        Self::with_listeners(name, Vec::new())
    }

    /// Starts a broker of another version.
    pub fn of_version(name: &str, version: &str) -> Self {
        Self::start_as(name, version.parse().unwrap(), Vec::new())
    }

    /// Starts a broker with further listeners.
    pub fn with_listeners(name: &str, listeners: Vec<ListenerSpec>) -> Self {
        Self::start_as(name, version(), listeners)
    }

    fn start_as(name: &str, version: KafkaVersion, listeners: Vec<ListenerSpec>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let run_id = format!("{name}{}", std::process::id());
        let state = folder.path().join("state");
        let guardian = Arc::new(Guardian::start(Path::new(PROGRAM), &run_id, folder.path(), &state).unwrap());
        let keeper: Arc<dyn Keeper> = Arc::<Guardian>::clone(&guardian);
        // A broker in a static is never dropped: then the guardian removes the folder.
        std::fs::write(folder.path().join(marker_name(&run_id)), "").unwrap();
        keeper.directory_planned(folder.path());
        let distribution = Distribution::find_or_get(version, &|message| eprintln!("{message}")).unwrap();
        let data_parent = folder.path().join("data");
        std::fs::create_dir(&data_parent).unwrap();
        let options = ClusterOptions {
            listeners,
            ..options(version, 1, &data_parent, &run_id)
        };
        let interrupted = AtomicBool::new(false);
        let cluster = LocalCluster::start(&distribution, &options, &keeper, &|_| {}, &interrupted).unwrap();
        Shared {
            cluster,
            _guardian: guardian,
            _folder: folder,
        }
    }

    pub fn bootstrap(&self) -> String {
        self.cluster.bootstrap(None).unwrap()
    }

    /// Where a listener really listens, whatever it advertises.
    pub fn bind_address(&self, listener: &str) -> String {
        let listeners = self.broker().listeners();
        listeners.iter().find(|l| l.name == listener).unwrap().bind.clone()
    }

    /// The one broker.
    pub fn broker(&self) -> &Broker {
        &self.cluster.brokers()[0]
    }
}

/// Topics and groups of the shared broker whose names start with a prefix.
pub fn names(prefix: &str) -> (Vec<String>, Vec<String>) {
    names_on(&bootstrap(), prefix)
}

/// Waits until there is a record in a topic whose name starts with a prefix.
pub fn wait_for_records(prefix: &str) {
    wait_until("a record", || {
        administer(&bootstrap(), async |admin: &Admin| has_records(admin, prefix).await)
    });
}

async fn has_records(admin: &Admin, prefix: &str) -> bool {
    // A topic may not have a leader yet.
    for topic in admin.topics(prefix).await.unwrap_or_default() {
        if admin.watermarks(&topic, 0).await.is_ok_and(|(_, end)| end > 0) {
            return true;
        }
    }
    false
}
