//! What a trial needs before its processes are started: its settings, its group, its topics and the orders of its
//! workers.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::Session;
use crate::coordinator::arrivals::{Arrivals, ArrivalsError, Arriving};
use crate::coordinator::calibration::Calibrations;
use crate::coordinator::cluster::Cluster;
use crate::coordinator::dataset::Dataset;
use crate::coordinator::ending::RunError;
use crate::coordinator::fixed_group::{self, GroupError, wait_until_empty};
use crate::coordinator::planned_events;
use crate::coordinator::silent;
use crate::kafka::admin::DEFAULT_SESSION;
use crate::kafka::client::{ConsumerSettings, ResolvedSettings};
use crate::measure::{FailureKind, MembershipTimes, TrialKind, TrialOrder};
use crate::names;
use crate::protocol::{PrepareProducer, TopicTarget};
use crate::scenario::{
    ClusterSource, ClusterSpec, Commit, Configuration, GroupProtocol, Load, Membership, Mode, Parties, Program,
};
use crate::trial::{AtPlace, Limits, LoadSpec, Script, TrialSpec};

/// How long a search waits, beyond its objective's limit, for what has arrived to be read.
const SEARCH_DRAIN: Duration = Duration::from_secs(1);

/// The same for what a program that speaks nothing has read and not yet committed, and as a part of the window.
const OBSERVED_DRAIN: Duration = Duration::from_secs(5);
const OBSERVED_DRAIN_PART: u32 = 8;

const NS_PER_MS: u64 = 1_000_000;

/// Kafka's defaults of groups of the consumer protocol, which brokers of a run with events have.
const GROUP_SESSION_MS: u64 = 45_000;
const GROUP_HEARTBEAT_MS: u64 = 5_000;

/// Why a trial was not run.
pub(super) enum NotRun {
    /// The user interrupted it.
    Interrupted,
    /// What it needs of the cluster could not be made ready.
    NotPrepared(FailureKind, String),
    /// The run cannot go on.
    Run(RunError),
}

impl From<RunError> for NotRun {
    fn from(error: RunError) -> Self {
        NotRun::Run(error)
    }
}

impl NotRun {
    fn not_prepared(error: &impl ToString) -> Self {
        NotRun::NotPrepared(FailureKind::Cluster, error.to_string())
    }
}

impl Session<'_> {
    /// Makes ready what a trial needs of its cluster, and specifies the trial.
    pub(super) async fn prepare(
        &self,
        order: &TrialOrder,
        configuration: &Configuration,
        datasets: &[Dataset],
        calibrations: &Calibrations,
    ) -> Result<TrialSpec, NotRun> {
        let scenario = &self.plan.scenario;
        let cluster = self.cluster(configuration);
        let dataset = &datasets[configuration.dataset];
        let (everywhere, places) = self.everywhere(configuration, calibrations)?;
        let settings = &everywhere[0];
        tokio::select! {
            biased;
            () = self.interrupt.wait() => return Err(NotRun::Interrupted),
            ready = self.prepare_group(order, configuration, datasets) => {
                ready.map_err(|error| NotRun::not_prepared(&error))?;
            }
        }
        let name = names::trial(&self.prefix, order.number);
        let (mut topics, load) = match self.arrivals(order, configuration, &name).await {
            Ok(Some(Arriving {
                topics,
                load,
                producers,
            })) => (topics, Some((load, producers))),
            Ok(None) => (dataset.target(order.records), None),
            Err(_) if self.interrupt.is_set() => return Err(NotRun::Interrupted),
            Err(error) => {
                let topics = &scenario.datasets[configuration.dataset];
                let names = topics.topic_names(|topic| names::arrivals_topic(&name, topic));
                self.remove_topics(cluster, names).await;
                return Err(NotRun::not_prepared(&error));
            }
        };
        let existing = match &dataset.delivered {
            Some(delivered) => {
                let existing = self.existing(cluster, delivered, &mut topics).await;
                Some(existing.map_err(|(kind, cause)| NotRun::NotPrepared(kind, cause))?)
            }
            None => None,
        };
        let limits = self.limits(order, configuration, settings);
        let mut spec = specify(configuration, &name, topics, settings, &places, limits);
        spec.terms.membership = membership_times(configuration, scenario.cluster_of(configuration), settings);
        set_group_timeouts(cluster, configuration, &spec.terms.groups).await?;
        let (script, brokers) = self.script(order, configuration, cluster);
        if let Some(existing) = existing {
            spec = spec.with_existing(existing);
        }
        if let Some(program) = scenario.app_of(configuration).silent() {
            spec = self.observed(spec, program, &everywhere, cluster).await?;
        }
        if let Some((load, producers)) = load {
            let (load, producers) = with_rates(load, producers, &script)?;
            spec = spec.with_load(load, producers);
        }
        spec = self.with_tables(spec, order, configuration).await?;
        Ok(spec.with_script(script, &brokers))
    }

    /// What is done on purpose in a trial, and the brokers to which something can be done.
    fn script(&self, order: &TrialOrder, configuration: &Configuration, cluster: &Cluster) -> (Script, Vec<u32>) {
        let brokers: Vec<u32> = cluster.own_brokers().iter().map(|broker| broker.id()).collect();
        let parties = Parties {
            groups: configuration.groups,
            processes: configuration.processes,
            brokers: u32::try_from(brokers.len()).unwrap_or(u32::MAX),
        };
        let seed = self.plan.scenario.seed;
        (planned_events::script(configuration, parties, order, seed), brokers)
    }

    /// The trial with a program that speaks nothing in it. A program that begins where its group is, or at the end if that
    /// is nowhere, finds the first records there.
    async fn observed(
        &self,
        spec: TrialSpec,
        program: &Program,
        everywhere: &[ResolvedSettings],
        cluster: &Cluster,
    ) -> Result<TrialSpec, NotRun> {
        for group in &spec.terms.groups {
            let reset = fixed_group::reset(&cluster.admin, &cluster.properties, group, &spec.terms.topics).await;
            reset.map_err(|error| NotRun::not_prepared(&error))?;
        }
        let orders = |settings| silent::orders(program, settings, &self.options.run_id, self.options.log_workers);
        let orders: Vec<_> = everywhere.iter().map(orders).collect();
        Ok(spec.with_programs(|reader| orders[reader.process as usize % orders.len()](reader)))
    }

    /// The settings of a configuration's consumers at each of its places, and all that a trial needs to know of these.
    fn everywhere(
        &self,
        configuration: &Configuration,
        calibrations: &Calibrations,
    ) -> Result<(Vec<ResolvedSettings>, Vec<AtPlace>), RunError> {
        let settings = self.settings_at_places(configuration)?;
        let places = at_places(configuration, &settings, calibrations);
        Ok((settings, places))
    }

    /// The settings of a configuration's consumers for each of its places, over which its processes are spread in turn:
    /// with the brokers' addresses for clients there.
    fn settings_at_places(&self, configuration: &Configuration) -> Result<Vec<ResolvedSettings>, RunError> {
        let scenario = &self.plan.scenario;
        let settings = |place: &usize| {
            let bootstrap = self.address(configuration, &scenario.places[*place])?;
            Ok(ConsumerSettings::of(scenario, configuration, &bootstrap).resolve()?)
        };
        configuration.places.iter().map(settings).collect()
    }

    /// The longest session that a consumer of the run has, at least the default: a member of another client may be left too.
    pub(super) fn longest_session(&self) -> Duration {
        let configurations = self.plan.scenario.configurations.iter();
        let settings = configurations.filter_map(|configuration| self.settings_at_places(configuration).ok());
        let sessions = settings.flatten().map(|settings| settings.session_timeout_ms);
        sessions.map(Duration::from_millis).fold(DEFAULT_SESSION, Duration::max)
    }

    /// The brokers' addresses for each producer, which is here or beside the consumers.
    fn addresses_of_producers(&self, configuration: &Configuration, load: &Load) -> Result<Vec<String>, ArrivalsError> {
        if !load.is_beside {
            let bootstrap = self.cluster(configuration).admin.bootstrap().to_owned();
            return Ok(vec![bootstrap; load.producers as usize]);
        }
        let mut places = self.plan.scenario.places_of(configuration);
        let addresses: Result<_, RunError> = places.try_fold(Vec::new(), |mut addresses, place| {
            addresses.push(self.address(configuration, place)?);
            Ok(addresses)
        });
        addresses.map_err(|error| ArrivalsError::Lost(error.to_string()))
    }

    /// The topics and producers of a trial in which records arrive; `None` for a backlog trial.
    async fn arrivals(
        &self,
        order: &TrialOrder,
        configuration: &Configuration,
        trial: &str,
    ) -> Result<Option<Arriving>, ArrivalsError> {
        let (Some(load), Some(ordered)) = (configuration.mode.load(), order.load) else {
            return Ok(None);
        };
        let scenario = &self.plan.scenario;
        let cluster = self.cluster(configuration);
        let bootstraps = self.addresses_of_producers(configuration, load)?;
        let arrivals = Arrivals {
            configuration,
            load,
            ordered,
            topics: &scenario.datasets[configuration.dataset],
            cluster: scenario.cluster_of(configuration),
            bootstraps: &bootstraps,
            trial,
            // The same arrivals for every configuration of a block.
            seed: scenario.seed.wrapping_add(u64::from(order.block)),
        };
        let (admin, properties) = (&cluster.admin, &cluster.properties);
        let stop = Arc::new(AtomicBool::new(false));
        let preparing = arrivals.prepare(admin, properties, Arc::clone(&stop));
        let prepared = self.guarded(&stop, preparing, || {}).await;
        prepared.map_err(ArrivalsError::Lost)?.map(Some)
    }

    /// The limits of a trial. A search need not wait for what readers left that fell behind: that they did is known.
    fn limits(&self, order: &TrialOrder, configuration: &Configuration, settings: &ResolvedSettings) -> Limits {
        let session = Duration::from_millis(settings.session_timeout_ms);
        let mut limits = self.options.limits.of_session(session);
        limits.read = limits.read.max(self.longest_reading(configuration));
        if let Some(capacity) = self.plan.scenario.capacity.filter(|_| order.kind == TrialKind::Search) {
            limits.drain = limits.drain.min(match (capacity.limit, order.load) {
                (Some(limit), _) => SEARCH_DRAIN + Duration::from_nanos(limit.limit_ns),
                // A window has many commits: what is read by its end is committed within a few more.
                (None, Some(load)) => OBSERVED_DRAIN.max(Duration::from_nanos(load.duration_ns) / OBSERVED_DRAIN_PART),
                (None, None) => OBSERVED_DRAIN,
            });
        }
        limits
    }

    /// Makes a fixed group ready for a trial: nobody is in it, and what trials before have committed is overwritten
    /// where this one commits too. The topics that a trial makes itself have nothing committed.
    async fn prepare_group(
        &self,
        order: &TrialOrder,
        configuration: &Configuration,
        datasets: &[Dataset],
    ) -> Result<(), GroupError> {
        let Some(group) = &configuration.group else {
            return Ok(());
        };
        let cluster = self.cluster(configuration);
        let is_silent = self.plan.scenario.app_of(configuration).silent().is_some();
        // Members of a program that speaks nothing may have any name; nobody else was in the group before the first trial.
        let own = if is_silent && self.is_ours(cluster) {
            ""
        } else {
            &self.prefix
        };
        wait_until_empty(&cluster.admin, group, own).await?;
        if is_silent && self.is_ours(cluster) {
            cluster.admin.delete_groups(std::slice::from_ref(group)).await?;
        }
        if configuration.mode != Mode::Backlog || configuration.commit == Commit::None {
            return Ok(());
        }
        let topics = datasets[configuration.dataset].target(order.records);
        fixed_group::reset(&cluster.admin, &cluster.properties, group, &topics).await
    }
}

/// The load with the rates that the script sets, and its producers with the schedule that follows.
fn with_rates(
    load: LoadSpec,
    mut producers: Vec<PrepareProducer>,
    script: &Script,
) -> Result<(LoadSpec, Vec<PrepareProducer>), NotRun> {
    let load = load.with_rates(script);
    let load = load.map_err(|error| NotRun::NotPrepared(FailureKind::NotAsPlanned, error.to_string()))?;
    for producer in &mut producers {
        producer.schedule.clone_from(&load.schedule);
    }
    Ok((load, producers))
}

/// What holds at each of a configuration's places, with the settings of its consumers there.
fn at_places(
    configuration: &Configuration,
    everywhere: &[ResolvedSettings],
    calibrations: &Calibrations,
) -> Vec<AtPlace> {
    let places = configuration.places.iter().zip(everywhere);
    places
        .map(|(place, settings)| AtPlace {
            properties: settings.properties.clone(),
            calibration: calibrations.of(configuration.variant.build, configuration.app, *place),
        })
        .collect()
}

/// The trial of a backlog with these settings of its consumers, whose processes are spread over these places.
fn specify(
    configuration: &Configuration,
    name: &str,
    topics: Vec<TopicTarget>,
    settings: &ResolvedSettings,
    places: &[AtPlace],
    limits: Limits,
) -> TrialSpec {
    let calibration = places[0].calibration;
    TrialSpec::new(configuration, name, topics, &settings.properties, calibration, limits)
        .with_places(places)
        .with_client(&settings.own, Duration::from_millis(settings.fetch_pause_ms))
}

/// How members show that they live. Under the consumer protocol the brokers say it: `None` where somebody else runs them.
fn membership_times(
    configuration: &Configuration,
    spec: &ClusterSpec,
    settings: &ResolvedSettings,
) -> Option<MembershipTimes> {
    let (session_ms, heartbeat_ms) = match &configuration.membership {
        Membership::Group(GroupProtocol::Consumer { .. }) => {
            let is_ours = matches!(spec.source, ClusterSource::Local { .. });
            let of_broker = |name: &str, default_ms: u64| match spec.broker.get(name) {
                Some(value) => value.parse().ok(),
                None => is_ours.then_some(default_ms),
            };
            let session_ms = of_broker("group.consumer.session.timeout.ms", GROUP_SESSION_MS);
            let heartbeat_ms = of_broker("group.consumer.heartbeat.interval.ms", GROUP_HEARTBEAT_MS);
            (
                configuration.session_timeout_ms.or(session_ms)?,
                configuration.heartbeat_ms.or(heartbeat_ms)?,
            )
        }
        _ => (settings.session_timeout_ms, settings.heartbeat_ms),
    };
    Some(MembershipTimes {
        session_ns: session_ms * NS_PER_MS,
        heartbeat_ns: heartbeat_ms * NS_PER_MS,
        broker_session_ns: broker_session_ms(spec).map(|ms| ms * NS_PER_MS),
    })
}

/// When brokers that a run starts are taken for dead; `None` of those of others, and of those that ZooKeeper keeps together.
fn broker_session_ms(spec: &ClusterSpec) -> Option<u64> {
    const DEFAULT_MS: u64 = 9_000;
    let ClusterSource::Local { zookeeper: false, .. } = spec.source else {
        return None;
    };
    match spec.broker.get("broker.session.timeout.ms") {
        Some(value) => value.parse().ok(),
        None => Some(DEFAULT_MS),
    }
}

/// Gives the groups of a trial the timeouts that the consumer protocol takes from them.
async fn set_group_timeouts(cluster: &Cluster, configuration: &Configuration, groups: &[String]) -> Result<(), NotRun> {
    let Some(timeouts) = configuration.group_timeouts() else {
        return Ok(());
    };
    for group in groups {
        let set = cluster.admin.set_group_timeouts(group, timeouts).await;
        set.map_err(|error| NotRun::not_prepared(&error))?;
    }
    Ok(())
}
