//! One trial of a session: its processes, how it ends, its judgement.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::Session;
use super::prepare::NotRun;
use super::recording::Recording;
use crate::coordinator::calibration::Calibrations;
use crate::coordinator::cluster::Cluster;
use crate::coordinator::confinement::MEMORY_KILL;
use crate::coordinator::control;
use crate::coordinator::database::Database;
use crate::coordinator::dataset::Dataset;
use crate::coordinator::drive::{self, Outcome, Surroundings};
use crate::coordinator::ending::RunError;
use crate::coordinator::events::Observer;
use crate::coordinator::existing::{Amount, ReadAgain};
use crate::coordinator::fleet::{Fleet, ProcessFleet};
use crate::coordinator::host::HostSample;
use crate::coordinator::host_watch::HostWatch;
use crate::coordinator::memory::MemoryKills;
use crate::coordinator::places::Places;
use crate::coordinator::roles::Wanted;
use crate::coordinator::watch::Watch;
use crate::kafka::admin::Admin;
use crate::measure::clock;
use crate::measure::judge::judge;
use crate::measure::limits::{Kernel, LimitWatch};
use crate::measure::programs::end_programs;
use crate::measure::standstill::{broker_changes, standstill_before_failure};
use crate::measure::tree::with_descendants;
use crate::measure::{Act, DeliveredTopics, GroupDescription, PlannedAct};
use crate::measure::{Failure, FailureKind, Interruptions, Status, Stretch, TRIAL_SCHEMA_VERSION, Trial, TrialOrder};
use crate::names;
use crate::protocol::TopicTarget;
use crate::scenario::{Configuration, Scenario};
use crate::trial::Entry;

impl Session<'_> {
    /// Runs one trial; `None` where the user interrupted it.
    pub(super) async fn trial(
        &self,
        order: &TrialOrder,
        configuration: &Configuration,
        datasets: &[Dataset],
        calibrations: &Calibrations,
    ) -> Result<Option<Trial>, RunError> {
        self.programs.check(configuration.variant.build)?;
        let spec = match self.ready(order, configuration, datasets, calibrations).await {
            Ok(spec) => spec,
            Err(NotRun::Interrupted) => return Ok(None),
            Err(NotRun::NotPrepared(kind, message)) => {
                return Ok(Some(self.not_prepared(order, configuration, kind, message)));
            }
            Err(NotRun::Run(error)) => return Err(error),
        };
        let cluster = self.cluster(configuration);
        let launches = self.launches(configuration, &spec.cast);
        let topics: Vec<String> = spec.terms.topics.iter().map(|topic| topic.name.clone()).collect();
        let counting = self.counting(&spec, order, configuration, datasets);
        let (has_own_topics, exit_limit) = (spec.course.owns_topics(), spec.terms.limits.exit);
        let mut fleet = ProcessFleet::new(&self.options.run_id, Arc::clone(&self.hidden));
        let kills = MemoryKills::watch(&[]);
        let (started_at, began_ns) = (jiff::Timestamp::now(), clock::now_ns());
        let sessions = self.watch_store(counting.as_ref());
        let recording = Recording::start(&spec, cluster);
        let watch = Watch::start(cluster.brokers_now().await, &cluster.admin, topics.first().cloned());
        let around = self.around(cluster, configuration).await;
        let outcome = tokio::select! {
            biased;
            () = self.interrupt.wait() => None,
            outcome = drive::run(spec, &launches, &mut fleet, ProcessFleet::pids, &around) => Some(outcome),
        };
        let interruptions = watch.end();
        let Some(mut outcome) = outcome else {
            // In order, so that the members leave their groups and these can be removed.
            let left = fleet.shutdown(exit_limit).await;
            self.end_programs(order, configuration, &left, &around.watched).await;
            return Ok(None);
        };
        recording.end(outcome.measurement.as_mut());
        if outcome.acts.iter().any(PlannedAct::is_on_broker) && !has_lost_broker(&outcome) {
            cluster.bring_back()?;
        }
        self.bring_back_store(&outcome).await;
        self.note_unwatched(order, &around.watched, &outcome);
        self.end_programs(order, configuration, &outcome.left_behind, &around.watched)
            .await;
        self.close_tables(counting.as_ref(), sessions, &mut outcome).await;
        let own_topics = if has_own_topics { topics } else { Vec::new() };
        self.remove_topics(cluster, own_topics).await;
        name_kill(&mut outcome, &kills);
        self.add_interruptions(&mut outcome, interruptions, began_ns);
        let (status, flags) = self.judge(&outcome);
        Ok(Some(Trial {
            flags,
            measurement: outcome.measurement,
            ..self.ended(order, configuration, started_at, status)
        }))
    }

    /// Lets the store go on, or starts it, where something was done to it: its rows are counted next.
    async fn bring_back_store(&self, outcome: &Outcome) {
        let acted = outcome.acts.iter().any(PlannedAct::is_on_store);
        let private = self.database.as_ref().filter(|_| acted).and_then(Database::private);
        if let Some(private) = private
            && let Err(cause) = control::bring_back(Arc::clone(private)).await
        {
            // What asks it next fails, and says so.
            self.observer
                .note(&format!("the store could not be started again: {cause}"));
        }
    }

    /// Ends what is left of programs that speak nothing, here and on other machines, whose watches end with the trial:
    /// their observers may have been killed.
    async fn end_programs(
        &self,
        order: &TrialOrder,
        configuration: &Configuration,
        left_behind: &[String],
        watched: &[HostWatch],
    ) {
        let run_id = &self.options.run_id;
        let programs = format!("{}-", names::trial(&self.prefix, order.number));
        for host in watched {
            host.end(run_id, &programs).await;
        }
        if self.plan.scenario.app_of(configuration).silent().is_none() {
            return;
        }
        for left in left_behind {
            let (name, number) = (&configuration.name, order.number);
            self.observer.note(&format!("{name}, trial {number}: {left}"));
        }
        end_programs(run_id, &programs);
    }

    /// The world around a trial on a cluster.
    async fn around<'a>(&'a self, cluster: &'a Cluster, configuration: &Configuration) -> Around<'a> {
        Around {
            admin: cluster.admin.clone(),
            cluster,
            observer: self.observer.as_ref(),
            again: self.again(cluster, configuration),
            database: self.database.as_ref(),
            watched: self.watch_hosts(configuration).await,
            places: (self.places, &self.plan.scenario),
        }
    }

    /// A trial that could not be begun.
    fn not_prepared(
        &self,
        order: &TrialOrder,
        configuration: &Configuration,
        kind: FailureKind,
        message: String,
    ) -> Trial {
        let (who, started_at) = (None, jiff::Timestamp::now());
        let status = Status::Failed(Failure { kind, who, message });
        self.ended(order, configuration, started_at, status)
    }

    /// A trial that ended so, without figures.
    fn ended(
        &self,
        order: &TrialOrder,
        configuration: &Configuration,
        started_at: jiff::Timestamp,
        mut status: Status,
    ) -> Trial {
        if let Status::Failed(failure) = &mut status
            && let Some(fix) = self
                .cluster(configuration)
                .asker
                .fix_refusal(&failure.message, &self.plan.scenario.existing_topics())
        {
            failure.message = format!("{}; to fix it: {fix}", failure.message);
        }
        Trial {
            schema_version: TRIAL_SCHEMA_VERSION,
            order: order.clone(),
            configuration_name: configuration.name.clone(),
            session: self.options.session,
            started_at,
            status,
            flags: Vec::new(),
            measurement: None,
        }
    }

    /// Removes the topics of a trial that made its own: nobody reads them any more.
    pub(super) async fn remove_topics(&self, cluster: &Cluster, names: Vec<String>) {
        // They go with the data of the brokers; asking a dead one would only take its time.
        if cluster.dead_broker(&[]).is_some() {
            return;
        }
        if let Err(error) = cluster.admin.delete_topics(&names).await {
            self.observer.note(&format!(
                "topics of the trial are left until the end of the run: {error}"
            ));
        }
    }

    /// Adds what the watch recorded to the measurement, and to the message of a failure that it may explain.
    fn add_interruptions(&self, outcome: &mut Outcome, interruptions: Interruptions, began_ns: u64) {
        if let Some(failure) = &mut outcome.failure {
            let trial = Stretch::new(began_ns, clock::now_ns());
            let unplanned = interruptions.unplanned(&outcome.acts);
            explain(failure, &unplanned, trial, self.plan.exclusion.standstill_ns());
        }
        if let Some(measurement) = &mut outcome.measurement {
            measurement.interruptions.add(interruptions);
        }
    }

    fn judge(&self, outcome: &Outcome) -> (Status, Vec<crate::measure::Flag>) {
        let (flags, excluded) = match &outcome.measurement {
            Some(measurement) => judge(measurement, &self.plan.exclusion),
            None => (Vec::new(), None),
        };
        let status = match (&outcome.failure, &outcome.measurement, excluded) {
            (Some(failure), _, _) => Status::Failed(failure.clone()),
            (None, Some(_), None) => Status::Complete,
            (None, Some(_), Some(reason)) => Status::Excluded { reason },
            (None, None, _) => Status::Failed(Failure {
                kind: FailureKind::WorkerProtocol,
                who: None,
                message: "the trial ended without a measurement".to_owned(),
            }),
        };
        (status, flags)
    }
}

/// Adds to the failure by which a worker died that the kernel killed it, where it did.
fn name_kill(outcome: &mut Outcome, kills: &MemoryKills) {
    if let Some(failure) = &mut outcome.failure
        && failure.kind == FailureKind::WorkerDied
        && !failure.message.contains(MEMORY_KILL)
        && let Some(cause) = kills.cause()
    {
        failure.message = format!("{}; {cause}", failure.message);
    }
}

/// Names what stood still or went away in a trial before that by which it failed.
fn explain(failure: &mut Failure, interruptions: &Interruptions, trial: Stretch, standstill_ns: Option<u64>) {
    let changes = broker_changes(interruptions, trial.from_ns, trial.until_ns);
    let follows_from_it = !matches!(
        failure.kind,
        FailureKind::Lost | FailureKind::Duplicated | FailureKind::Overlap | FailureKind::WorkerDied
    );
    if changes.is_some() && follows_from_it {
        failure.kind = FailureKind::BrokerLost;
    }
    let standstill = standstill_ns.and_then(|limit_ns| standstill_before_failure(interruptions, trial, limit_ns));
    for cause in [standstill, changes].into_iter().flatten() {
        failure.message = format!("{cause}; {}", failure.message);
    }
}

/// True where a broker ended without a planned act.
fn has_lost_broker(outcome: &Outcome) -> bool {
    (outcome.failure.as_ref()).is_some_and(|failure| failure.kind == FailureKind::BrokerLost)
}

/// The world around a trial.
struct Around<'a> {
    admin: Admin,
    cluster: &'a Cluster,
    observer: &'a dyn Observer,
    /// Reads existing topics again.
    again: Option<ReadAgain>,
    /// The store.
    database: Option<&'a Database>,
    /// The other machines with workers of the trial.
    watched: Vec<HostWatch>,
    /// Where workers may be in containers.
    places: (&'a Places, &'a Scenario),
}

impl Surroundings for Around<'_> {
    fn describe(&self, group_id: &str) -> impl Future<Output = Result<GroupDescription, String>> + Send + 'static {
        let (admin, group_id) = (self.admin.clone(), group_id.to_owned());
        async move { admin.describe_group(&group_id).await.map_err(|error| error.to_string()) }
    }

    fn end_offsets(
        &self,
        topics: &[(String, u32)],
    ) -> impl Future<Output = Result<Vec<Vec<i64>>, String>> + Send + 'static {
        let (admin, topics) = (self.admin.clone(), topics.to_vec());
        async move { admin.end_offsets(&topics).await.map_err(|error| error.to_string()) }
    }

    fn delivered_now(
        &self,
        topics: Vec<TopicTarget>,
        amount: Amount,
    ) -> impl Future<Output = Result<DeliveredTopics, String>> + Send + 'static {
        let again = self.again.clone();
        async move {
            let again = again.ok_or("the topics are the run's own")?;
            again.delivered(topics, amount).await.map_err(|error| error.to_string())
        }
    }

    fn sample_at(&self, at_ns: u64, workers: &[u32]) -> JoinHandle<HostSample> {
        let (brokers, workers) = (self.cluster.broker_pids(), workers.to_vec());
        let store: Vec<u32> = self.database.and_then(Database::pid).into_iter().collect();
        let sample = |host: &HostWatch| {
            let host = host.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_nanos(at_ns.saturating_sub(clock::now_ns()))).await;
                // Whoever measures the trial notices that it is missing.
                host.sample().await.ok()
            })
        };
        let others: Vec<JoinHandle<_>> = self.watched.iter().map(sample).collect();
        let containers = self.places.0.of_containers(self.places.1);
        // A timer of the runtime may be a millisecond late and its threads busy; a sleeping thread is not.
        let here = tokio::task::spawn_blocking(move || {
            // Looked up beforehand: at the start it would cost the readers a millisecond.
            let workers = with_descendants(&workers);
            let store = with_descendants(&store);
            let watch = LimitWatch::find(&Kernel::running(), &workers, &brokers).with_containers(&containers);
            std::thread::sleep(Duration::from_nanos(at_ns.saturating_sub(clock::now_ns())));
            HostSample::take(&brokers, &workers, &store, watch)
        });
        tokio::spawn(async move {
            let here = here
                .await
                .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
            let mut elsewhere = Vec::with_capacity(others.len());
            for other in others {
                elsewhere.extend(other.await.ok().flatten());
            }
            here.with(elsewhere)
        })
    }

    fn lost_cluster(&self, away: &[u32]) -> Option<String> {
        self.cluster.dead_broker(away)
    }

    fn lost_store(&self) -> Option<String> {
        self.database?.ended()
    }

    fn act_on_broker(&self, broker: usize, act: Act) -> impl Future<Output = Result<u64, String>> + Send + 'static {
        control::act_on_broker(self.cluster.own_brokers().get(broker).cloned(), act)
    }

    fn act_on_store(&self, act: Act) -> impl Future<Output = Result<u64, String>> + Send + 'static {
        control::act_on_store(self.database.and_then(Database::private).cloned(), act)
    }

    fn find(&self, wanted: Wanted) -> impl Future<Output = Result<u32, String>> + Send + 'static {
        self.cluster.own().find(wanted)
    }

    fn happened(&self, entry: &Entry) {
        self.observer.trial_happened(entry);
    }
}
