//! The cluster of a run: brokers started for it, or an existing cluster, behind one interface.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use super::events::Observer;
use super::memory::MemoryKills;
use super::roles::OwnBrokers;
use super::watch::{Watched, find_processes};
use crate::kafka::admin::{Admin, AdminError, BrokerAddress};
use crate::kafka::client::{PropertyError, cluster_properties};
use crate::kafka::doctor::{Asker, Check, Patient, reachable};
use crate::kafka::local::{
    Broker, BrokerSettings, ClusterOptions, DEFAULT_HEAP_MIB, Distribution, ListenerSpec, LocalCluster, LocalError,
    ZooKeeper,
};
use crate::measure::{ClusterEnvironment, Setting};
use crate::scenario::{ClusterNeeds, ClusterSource, ClusterSpec, KafkaVersion};
use crate::secret::Secret;
use crate::server::Keeper;

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The brokers could not be started.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The cluster did not answer or refused.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// It cannot be reached or used from here.
    #[error("the cluster at {bootstrap} cannot be used:\n{}", lines(.checks))]
    Unfit {
        /// Its addresses.
        bootstrap: String,
        /// The doctor's checks that failed.
        checks: Vec<Check>,
    },
    /// A client property has no value.
    #[error(transparent)]
    Property(#[from] PropertyError),
    /// A thread of the start panicked.
    #[error("starting the brokers panicked")]
    Panicked,
}

fn lines(checks: &[Check]) -> String {
    checks.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Finds or fetches what clusters that are started need, before the first of them is started: a version that is missing
/// then costs no start of another.
pub async fn provide(versions: Vec<KafkaVersion>, observer: Arc<dyn Observer>) -> Result<(), ClusterError> {
    let find = move || {
        let progress = |what: &str| observer.preparing(what);
        let find = |version| Distribution::find_or_get(version, &progress).map(|_| ());
        versions.into_iter().try_for_each(find)
    };
    let found = tokio::task::spawn_blocking(find).await;
    Ok(found.map_err(|_| ClusterError::Panicked)??)
}

/// What opening a cluster takes besides knowing which.
pub struct Opening {
    /// Id of the run.
    pub run_id: String,
    /// Folder under which brokers that are started keep their data.
    pub data_parent: PathBuf,
    /// Heap of each of them, MiB.
    pub heap_mib: u32,
    /// Ends all that must not outlive the run.
    pub keeper: Arc<dyn Keeper>,
    /// Notified of what is being done.
    pub observer: Arc<dyn Observer>,
    /// Ends it early.
    pub interrupted: Arc<AtomicBool>,
}

/// A cluster that answers.
pub struct Cluster {
    /// For topics and groups.
    pub admin: Admin,
    /// Properties of clients that are not measured.
    pub properties: BTreeMap<String, Secret>,
    /// Who tandem is there.
    pub asker: Asker,
    local: Option<Local>,
    /// The brokers that it had when it was opened, with their processes on this machine as last seen.
    brokers: Arc<Mutex<Vec<Watched>>>,
}

/// Brokers that the run started.
struct Local {
    cluster: LocalCluster,
    heap_mib: u32,
    kills: MemoryKills,
}

impl Local {
    fn new(cluster: LocalCluster, heap_mib: u32) -> Self {
        let brokers = cluster.brokers().iter().filter_map(|broker| broker.pid());
        let pids: Vec<u32> = brokers.chain(zookeeper_pid(&cluster)).collect();
        Local {
            kills: MemoryKills::watch(&pids),
            cluster,
            heap_mib,
        }
    }

    /// What differs from Kafka's defaults, and the heap where it differs from tandem's.
    fn deviations(&self) -> Vec<Setting> {
        let heap = (self.heap_mib != DEFAULT_HEAP_MIB).then(|| Setting {
            name: "-Xmx".to_owned(),
            value: format!("{}m", self.heap_mib),
            reason: format!("instead of {DEFAULT_HEAP_MIB}m, because memory is limited"),
        });
        self.cluster.deviations().iter().cloned().chain(heap).collect()
    }
}

impl Cluster {
    /// Starts the brokers or connects to those that run, which the doctor looks at first.
    pub async fn open(spec: &ClusterSpec, needs: ClusterNeeds, opening: Opening) -> Result<Self, ClusterError> {
        match &spec.source {
            ClusterSource::Bootstrap(bootstrap) => Self::connect(spec, bootstrap, needs, opening).await,
            ClusterSource::Local {
                brokers,
                version,
                zookeeper,
                port,
                ..
            } => Self::start(spec, (*brokers, *version, *zookeeper, *port), needs, opening).await,
        }
    }

    async fn connect(
        spec: &ClusterSpec,
        bootstrap: &str,
        needs: ClusterNeeds,
        opening: Opening,
    ) -> Result<Self, ClusterError> {
        let properties = cluster_properties(spec)?;
        opening.observer.preparing(&format!("connecting to {bootstrap}"));
        let patient = Patient {
            needs_consumer_protocol: needs.consumer_protocol,
            group: needs.group,
            ..Patient::new(spec, bootstrap)?
        };
        let asker = Asker::of(&patient);
        examine(patient, opening.observer.as_ref()).await?;
        let admin = Admin::connect(bootstrap, &properties).await?;
        let brokers = admin.brokers().await?;
        let here = move || brokers.into_iter().map(Watched::found).collect::<Vec<Watched>>();
        let brokers = tokio::task::spawn_blocking(here).await;
        Ok(Cluster {
            admin,
            properties,
            asker,
            local: None,
            brokers: Arc::new(Mutex::new(brokers.map_err(|_| ClusterError::Panicked)?)),
        })
    }

    async fn start(
        spec: &ClusterSpec,
        (brokers, version, zookeeper, port): (u32, KafkaVersion, bool, Option<u16>),
        needs: ClusterNeeds,
        opening: Opening,
    ) -> Result<Self, ClusterError> {
        let properties = cluster_properties(spec)?;
        let heap_mib = opening.heap_mib;
        let address = spec.address().map(str::to_owned);
        let settings = BrokerSettings {
            own_groups: needs.has_events,
            sessions_ms: needs.sessions_ms,
            group_sessions_ms: needs.group_sessions_ms,
            group_heartbeats_ms: needs.group_heartbeats_ms,
            properties: spec.broker.clone(),
        };
        let start = move || {
            let progress = |what: &str| opening.observer.preparing(what);
            let distribution = Distribution::find_or_get(version, &progress)?;
            let named = |name: String| match &address {
                Some(address) if needs.listeners_elsewhere.contains(&name) => ListenerSpec::at(address, name),
                _ => ListenerSpec::here(name),
            };
            let listeners = needs.listeners.iter().cloned().map(named);
            let options = ClusterOptions {
                brokers,
                zookeeper,
                heap_mib,
                port,
                listeners: listeners
                    .chain(address.as_deref().map(ListenerSpec::for_hosts))
                    .collect(),
                settings,
                data_parent: opening.data_parent,
                run_id: opening.run_id,
            };
            LocalCluster::start(
                &distribution,
                &options,
                &opening.keeper,
                &progress,
                &opening.interrupted,
            )
        };
        let started = tokio::task::spawn_blocking(start).await;
        let local = started.map_err(|_| ClusterError::Panicked)??;
        let bootstrap = local.bootstrap(None).unwrap_or_default();
        let admin = Admin::connect(&bootstrap, &properties).await?;
        let asker = Asker::of(&Patient::new(spec, &bootstrap)?);
        let brokers = local.brokers().iter().map(|broker| Watched::own(broker)).collect();
        Ok(Cluster {
            admin,
            properties,
            asker,
            local: Some(Local::new(local, heap_mib)),
            brokers: Arc::new(Mutex::new(brokers)),
        })
    }

    /// True for brokers that the run started.
    pub fn is_local(&self) -> bool {
        self.local.is_some()
    }

    /// The address for the clients of a listener, `None` for the default one.
    pub fn bootstrap(&self, listener: Option<&str>) -> Option<String> {
        match (&self.local, listener) {
            (Some(local), listener) => local.cluster.bootstrap(listener),
            (None, None) => Some(self.admin.bootstrap().to_owned()),
            (None, Some(_)) => None,
        }
    }

    /// Process ids of the brokers on this machine, as last seen, and of the ZooKeeper that was started with them: it does
    /// for them what the controllers among them do elsewhere.
    pub fn broker_pids(&self) -> Vec<u32> {
        let brokers = self.brokers.lock().unwrap_or_else(PoisonError::into_inner);
        let processes = brokers.iter().flat_map(|broker| &broker.processes);
        let zookeeper = self.local.as_ref().and_then(|local| zookeeper_pid(&local.cluster));
        processes.map(|process| process.pid).chain(zookeeper).collect()
    }

    /// The brokers that it had when it was opened. Those on this machine whose process has ended are looked for again:
    /// somebody may have started them anew.
    pub async fn brokers_now(&self) -> Vec<Watched> {
        let brokers = Arc::clone(&self.brokers);
        let look = move || {
            let mut brokers = brokers.lock().unwrap_or_else(PoisonError::into_inner);
            for broker in brokers.iter_mut().filter(|broker| broker.has_ended()) {
                broker.processes = find_processes(&broker.broker);
            }
            brokers.clone()
        };
        // It reads files; were it to panic, there would be nothing to watch.
        tokio::task::spawn_blocking(look).await.unwrap_or_default()
    }

    /// Which of its brokers are missing, by their processes on this machine or by what the cluster shows; an error is why
    /// it does not answer.
    pub async fn missing_brokers(&self) -> Result<Vec<String>, AdminError> {
        let brokers = self.brokers_now().await;
        let name = |watched: &Watched| {
            let BrokerAddress { id, host, port } = &watched.broker;
            format!("broker {id} ({host}:{port})")
        };
        let ended: Vec<String> = brokers.iter().filter(|broker| broker.has_ended()).map(name).collect();
        if !ended.is_empty() {
            return Ok(ended);
        }
        let present = self.admin.brokers().await?;
        let is_missing = |watched: &&Watched| present.iter().all(|broker| broker.id != watched.broker.id);
        Ok(brokers.iter().filter(is_missing).map(name).collect())
    }

    /// The brokers that the run started.
    pub fn own_brokers(&self) -> &[Arc<Broker>] {
        self.local.as_ref().map_or(&[], |local| local.cluster.brokers())
    }

    /// The same, to be asked who of them has a role.
    pub fn own(&self) -> OwnBrokers {
        OwnBrokers {
            brokers: self.own_brokers().to_vec(),
            has_zookeeper: self
                .local
                .as_ref()
                .is_some_and(|local| local.cluster.zookeeper().is_some()),
        }
    }

    /// Lets the brokers that the run started go on, and starts those that do not run. It takes a while until these answer.
    pub fn bring_back(&self) -> Result<(), ClusterError> {
        for broker in self.own_brokers() {
            // It fails only for one that has ended.
            let _ = broker.resume();
            broker.start()?;
        }
        Ok(())
    }

    /// What happened to a broker run here that has ended although it is not among those that may be `away`, or to its
    /// ZooKeeper, with the last lines of its log.
    pub fn dead_broker(&self, away: &[u32]) -> Option<String> {
        let local = self.local.as_ref()?;
        let dead_zookeeper = || {
            let zookeeper = local.cluster.zookeeper()?;
            let status = zookeeper.exit_status()?;
            Some(("ZooKeeper".to_owned(), status, zookeeper.last_log_lines()))
        };
        let dead_broker = |broker: &Arc<Broker>| {
            let status = broker.exit_status().filter(|_| !away.contains(&broker.id()))?;
            Some((format!("broker {}", broker.id()), status, broker.last_log_lines()))
        };
        // First: without it brokers end too.
        let dead = dead_zookeeper().or_else(|| local.cluster.brokers().iter().find_map(dead_broker));
        dead.map(|(who, status, log)| {
            let version = local.cluster.version();
            let log = if log.is_empty() {
                String::new()
            } else {
                format!("; last lines of its log:\n{log}")
            };
            let cause = local
                .kills
                .cause()
                .map_or_else(String::new, |cause| format!("; {cause}"));
            format!("{who} has ended ({status}; Apache Kafka {version}){cause}{log}")
        })
    }

    /// What the environment file says of the cluster.
    pub async fn describe(&self) -> Result<ClusterEnvironment, AdminError> {
        let brokers = self.admin.brokers().await?;
        let first = brokers.first().map(|broker| broker.id);
        let mut settings_unknown = None;
        let (version, java, deviations) = match (&self.local, first) {
            (Some(local), _) => (
                Some(local.cluster.version().to_string()),
                Some(local.cluster.java_version().to_owned()),
                local.deviations(),
            ),
            (None, Some(broker)) => {
                // A cluster that keeps its settings to itself can be measured all the same.
                let settings = self.admin.broker_settings(broker).await.unwrap_or_else(|error| {
                    settings_unknown = Some(error.to_string());
                    Vec::new()
                });
                (self.admin.broker_version(broker).await, None, settings)
            }
            (None, None) => (None, None, Vec::new()),
        };
        let zookeeper = self.local.as_ref().and_then(|local| local.cluster.zookeeper());
        let zookeeper = zookeeper.map(|zookeeper| zookeeper.version().to_owned());
        Ok(ClusterEnvironment {
            local: self.is_local(),
            bootstrap: self.admin.bootstrap().to_owned(),
            brokers: u32::try_from(brokers.len()).unwrap_or(u32::MAX),
            version,
            java,
            deviations,
            settings_unknown,
            zookeeper,
        })
    }

    /// Ends brokers that the run started.
    pub async fn close(self) -> Result<(), ClusterError> {
        let Some(local) = self.local else { return Ok(()) };
        let stopped = tokio::task::spawn_blocking(move || local.cluster.stop())
            .await
            .map_err(|_| ClusterError::Panicked)?;
        Ok(stopped?)
    }
}

/// The process of a cluster's ZooKeeper.
fn zookeeper_pid(cluster: &LocalCluster) -> Option<u32> {
    cluster.zookeeper().and_then(ZooKeeper::pid)
}

/// Has the doctor examine a running cluster, without leaving anything there. Warnings are noted.
async fn examine(patient: Patient, observer: &dyn Observer) -> Result<(), ClusterError> {
    let bootstrap = patient.bootstrap.clone();
    let looked = tokio::task::spawn_blocking(move || reachable(&patient)).await;
    let looked = looked.map_err(|_| ClusterError::Panicked)?;
    let warnings = looked.map_err(|checks| ClusterError::Unfit { bootstrap, checks })?;
    for check in warnings.iter().filter(|check| check.fix.is_some()) {
        observer.note(&check.findings());
    }
    Ok(())
}
