//! Drives a trial: lets the state machine, the fleet, the cluster and the clock talk to each other.

use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::control::act_on_worker;
use super::existing::Amount;
use super::fleet::{Fleet, FleetEvent, FleetNews, Launch};
use super::host::HostSample;
use super::roles::Wanted;
use crate::measure::{
    Act, BrokerRole, DeliveredTopics, Failure, FailureKind, GroupDescription, Measurement, PlannedAct, TopicPartition,
    clock,
};
use crate::protocol::{PING_INTERVAL_MS, ToWorker, TopicTarget};
use crate::trial;
use crate::trial::ActorId;
use crate::trial::{Action, Entry, Event, Phase, TrialMachine};
use crate::trial::{TrialSpec, topic_sizes};

/// How often the brokers run here are looked at.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// What a trial came to.
#[derive(Debug)]
pub struct Outcome {
    /// What was recorded; `None` where it failed before its end.
    pub measurement: Option<Measurement>,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// What was done on purpose.
    pub acts: Vec<PlannedAct>,
    /// What programs that speak nothing left behind when they ended, a sentence each.
    pub left_behind: Vec<String>,
}

impl Outcome {
    fn without_figures(machine: &TrialMachine, failure: Failure) -> Self {
        Outcome {
            measurement: None,
            failure: Some(failure),
            acts: machine.ended().planned(),
            left_behind: Vec::new(),
        }
    }
}

/// What a trial needs of the world besides its workers.
pub trait Surroundings {
    /// Asks the cluster about a group.
    fn describe(&self, group_id: &str) -> impl Future<Output = Result<GroupDescription, String>> + Send + 'static;
    /// Asks the cluster for the end of each partition of these topics (name and number of partitions).
    fn end_offsets(
        &self,
        topics: &[(String, u32)],
    ) -> impl Future<Output = Result<Vec<Vec<i64>>, String>> + Send + 'static;
    /// Reads again, unmeasured, which of these offsets of existing topics the cluster delivers now, or the first of
    /// each partition only.
    fn delivered_now(
        &self,
        topics: Vec<TopicTarget>,
        amount: Amount,
    ) -> impl Future<Output = Result<DeliveredTopics, String>> + Send + 'static;
    /// Samples the machine at this time, or at once where it has passed, without holding up the caller.
    fn sample_at(&self, at_ns: u64, workers: &[u32]) -> JoinHandle<HostSample>;
    /// Says what happened where the cluster is known to be gone, or a broker that is not among those that may be `away`.
    fn lost_cluster(&self, away: &[u32]) -> Option<String>;
    /// Says what happened where the store of the trial is known to be gone.
    fn lost_store(&self) -> Option<String>;
    /// Does this to one of the brokers that the run started, and says when it was done.
    fn act_on_broker(&self, broker: usize, act: Act) -> impl Future<Output = Result<u64, String>> + Send + 'static;
    /// Does this to the store that the run started, and says when it was done.
    fn act_on_store(&self, act: Act) -> impl Future<Output = Result<u64, String>> + Send + 'static;
    /// Finds the broker that has a role now; the error is why it was not found for a while.
    fn find(&self, wanted: Wanted) -> impl Future<Output = Result<u32, String>> + Send + 'static;
    /// Hears what happened in the trial, in order.
    fn happened(&self, entry: &Entry);
}

/// Runs one trial from the start of its processes to their end. Whatever happens, no worker is left.
pub async fn run<F: Fleet>(
    spec: TrialSpec,
    launches: &[(ActorId, Launch)],
    fleet: &mut F,
    pids: impl Fn(&F) -> Vec<u32>,
    surroundings: &impl Surroundings,
) -> Outcome {
    let exit_limit = spec.terms.limits.exit;
    let mut machine = TrialMachine::new(spec, clock::now_ns()).on_host(clock::host());
    start(&mut machine, launches, fleet);
    let conversation = Conversation::new(&mut machine, launches, fleet, &pids, surroundings);
    let window = conversation.hold().await;
    if let Some(failure) = machine.failure().cloned() {
        if matches!(failure.kind, FailureKind::Cluster | FailureKind::BrokerLost) {
            fleet.kill().await;
        } else {
            // Members that can still leave their group do: killed ones would keep it from being removed for the
            // length of their session timeout.
            let left_behind = fleet.shutdown(exit_limit).await;
            return Outcome {
                left_behind,
                ..Outcome::without_figures(&machine, failure)
            };
        }
        return Outcome::without_figures(&machine, failure);
    }
    let left_behind = fleet.shutdown(exit_limit).await;
    let ended_ns = clock::now_ns();
    let (host, other_hosts) = match window {
        (Some(start), Some(end)) => (end.since(&start), end.other_hosts_since(&start)),
        _ => Default::default(),
    };
    let unasked = ask_for_missing(&mut machine, surroundings).await.err();
    let Some((mut measurement, failure)) = trial::measure(&machine.ended(), host) else {
        let message = "it was over before its reading began".to_owned();
        let (kind, who) = (FailureKind::NotAsPlanned, None);
        return Outcome::without_figures(&machine, Failure { kind, who, message });
    };
    measurement.ended_ns = Some(ended_ns);
    measurement.other_hosts = other_hosts;
    for other in &mut measurement.other_hosts {
        other.hosts = machine.hosts_with(|clock| other.facts.has_clock(clock));
        let there = measurement.processes.iter().filter(|process| other.has(process.host));
        let used = there.filter_map(|process| Some(process.window.as_ref()?.cpu_ns)).sum();
        other.know_workers(used);
    }
    let outside = measurement.outside.iter_mut();
    outside.for_each(|outside| outside.left_behind.clone_from(&left_behind));
    measurement.interruptions.fetch_pause_ns = machine.terms.fetch_pause_ns;
    let failure = failure.map(|failure| in_doubt(machine.with_reports(failure), unasked));
    Outcome {
        left_behind,
        measurement: Some(measurement),
        failure,
        acts: machine.ended().planned(),
    }
}

/// The failure of a trial whose missing records the cluster was not asked for, for this cause: nobody knows whether they
/// are lost.
fn in_doubt(mut failure: Failure, unasked: Option<String>) -> Failure {
    if let Some(cause) = unasked.filter(|_| failure.kind == FailureKind::Lost) {
        failure.kind = FailureKind::Cluster;
        failure.message = format!(
            "{}; and the cluster could not be asked whether it still has them: {cause}",
            failure.message
        );
    }
    failure
}

/// Starts the processes that are there from the beginning, the first that cannot be started failing the trial.
fn start<F: Fleet>(machine: &mut TrialMachine, launches: &[(ActorId, Launch)], fleet: &mut F) {
    for (actor, launch) in launches {
        if machine.failure().is_some() || machine.terms.script.starts_later(*actor) {
            continue;
        }
        if let Err(message) = fleet.start(*actor, launch) {
            let who = Some(machine.cast[*actor].name());
            let kind = FailureKind::WorkerStart;
            machine.fail(clock::now_ns(), Failure { kind, who, message });
            return;
        }
        machine.start(clock::now_ns(), *actor);
    }
}

/// Asks the cluster for what a reading of existing topics missed, twice where it does not answer; the error is why it
/// did not.
async fn ask_for_missing(machine: &mut TrialMachine, surroundings: &impl Surroundings) -> Result<(), String> {
    let Some(missing) = trial::missing(&machine.ended()) else {
        return Ok(());
    };
    let still = match surroundings.delivered_now(missing.clone(), Amount::All).await {
        Ok(still) => still,
        Err(_) => surroundings.delivered_now(missing, Amount::All).await?,
    };
    machine.note_still(clock::now_ns(), still);
    Ok(())
}

/// Events and actions that go to and fro until the trial is over.
struct Conversation<'a, F: Fleet, P: Fn(&F) -> Vec<u32>, S: Surroundings> {
    machine: &'a mut TrialMachine,
    launches: &'a [(ActorId, Launch)],
    fleet: &'a mut F,
    pids: &'a P,
    surroundings: &'a S,
    /// The trial's topics with their numbers of partitions.
    topics: Vec<(String, u32)>,
    /// What the cluster was asked.
    answers: JoinSet<Event>,
    /// Acts that are being carried out.
    acts: JoinSet<Event>,
    next_ping: Instant,
    next_check: Instant,
    /// Entries of the log that were reported.
    published: usize,
    /// The machine's samples at start and end.
    window: (Option<JoinHandle<HostSample>>, Option<JoinHandle<HostSample>>),
}

impl<'a, F: Fleet, P: Fn(&F) -> Vec<u32>, S: Surroundings> Conversation<'a, F, P, S> {
    fn new(
        machine: &'a mut TrialMachine,
        launches: &'a [(ActorId, Launch)],
        fleet: &'a mut F,
        pids: &'a P,
        surroundings: &'a S,
    ) -> Self {
        let topics = topic_sizes(&machine.terms.topics);
        Conversation {
            machine,
            launches,
            fleet,
            pids,
            surroundings,
            topics,
            answers: JoinSet::new(),
            acts: JoinSet::new(),
            next_ping: Instant::now() + Duration::from_millis(PING_INTERVAL_MS),
            next_check: Instant::now() + CHECK_INTERVAL,
            published: 0,
            window: (None, None),
        }
    }

    /// Returns the machine's samples at start and end.
    async fn hold(mut self) -> (Option<HostSample>, Option<HostSample>) {
        while self.machine.phase() != Phase::Over {
            self.publish();
            let (now_ns, event) = self.next().await;
            if Instant::now() >= self.next_check {
                self.next_check = Instant::now() + CHECK_INTERVAL;
                if !self.check() {
                    break;
                }
            }
            if Instant::now() >= self.next_ping {
                self.next_ping = Instant::now() + Duration::from_millis(PING_INTERVAL_MS);
                let actors = self.machine.cast.present();
                actors.for_each(|actor| self.fleet.send(actor, &ToWorker::Ping));
            }
            for action in self.machine.on(now_ns, event) {
                self.perform(action);
            }
        }
        self.publish();
        // The next trial must not find a broker that is just being ended.
        while self.acts.join_next().await.is_some() {}
        let (Some(start), Some(end)) = self.window else {
            return (None, None);
        };
        // They panic never; a measurement without them says so by its zeros.
        (start.await.ok(), end.await.ok())
    }

    /// Reports what is new in the log.
    fn publish(&mut self) {
        let (news, published) = self.machine.log.news(self.published);
        for entry in news {
            self.surroundings.happened(entry);
        }
        self.published = published;
    }

    /// What happens next, and when it did.
    async fn next(&mut self) -> (u64, Event) {
        let wake = instant_of(self.machine.wake_ns());
        tokio::select! {
            biased;
            // Before what a process says that was started by an act.
            Some(Ok(acted)) = self.acts.join_next(), if !self.acts.is_empty() => (clock::now_ns(), acted),
            news = self.fleet.next() => {
                (news.at_ns, event_of(news))
            }
            Some(answer) = self.answers.join_next(), if !self.answers.is_empty() => {
                let lost = |error: tokio::task::JoinError| Event::Ends(Err(error.to_string()));
                (clock::now_ns(), answer.unwrap_or_else(lost))
            }
            () = sleep_until(wake.min(self.next_ping).min(self.next_check)) => (clock::now_ns(), Event::Tick),
        }
    }

    /// Looks after the cluster and the store; false where one is gone, which fails the trial.
    fn check(&mut self) -> bool {
        let lost_cluster = self.surroundings.lost_cluster(&self.machine.brokers_away());
        let lost_cluster = lost_cluster.map(|message| (FailureKind::BrokerLost, message));
        let is_watched = !self.machine.is_store_away();
        let lost_store = || {
            Some((
                FailureKind::Store,
                self.surroundings.lost_store().filter(|_| is_watched)?,
            ))
        };
        let Some((kind, message)) = lost_cluster.or_else(lost_store) else {
            return true;
        };
        let who = None;
        self.machine.fail(clock::now_ns(), Failure { kind, who, message });
        false
    }

    /// A role by the names that the cluster knows.
    fn wanted(&self, role: BrokerRole) -> Wanted {
        let terms = &self.machine.terms;
        match role {
            BrokerRole::LeaderOf(TopicPartition { topic, partition }) => Wanted::LeaderOf {
                topic: terms.topics[topic as usize].name.clone(),
                partition,
            },
            BrokerRole::Controller => Wanted::Controller,
            BrokerRole::CoordinatorOf(group) => Wanted::CoordinatorOf(terms.groups[group as usize].clone()),
        }
    }

    fn perform(&mut self, action: Action) {
        let sample_at = |at_ns| Some(self.surroundings.sample_at(at_ns, &(self.pids)(self.fleet)));
        match action {
            Action::Send(actor, message) => self.fleet.send(actor, &message),
            Action::Act(actor @ ActorId::Broker(broker), act) => {
                let done = self.surroundings.act_on_broker(broker, act);
                self.acts.spawn(async move { Event::Acted(actor, act, done.await) });
            }
            Action::Act(actor @ ActorId::Store, act) => {
                let done = self.surroundings.act_on_store(act);
                self.acts.spawn(async move { Event::Acted(actor, act, done.await) });
            }
            Action::Find(step, role) => {
                let found = self.surroundings.find(self.wanted(role));
                self.answers.spawn(async move { Event::Found(step, found.await) });
            }
            Action::Act(actor, act) => {
                let launch = self.launches.iter().find(|(of, _)| *of == actor);
                let done = act_on_worker(self.fleet, actor, act, launch.map(|(_, launch)| launch));
                self.acts.spawn(async move { Event::Acted(actor, act, done.await) });
            }
            Action::Describe(group) => {
                let description = self.surroundings.describe(&self.machine.terms.groups[group]);
                self.answers
                    .spawn(async move { Event::Group(group, description.await) });
            }
            Action::AskEnds => {
                let ends = self.surroundings.end_offsets(&self.topics);
                self.answers.spawn(async move { Event::Ends(ends.await) });
            }
            Action::AskStill(targets) => {
                let answer = self.surroundings.delivered_now(targets.clone(), Amount::First);
                self.answers.spawn(async move { Event::Still(targets, answer.await) });
            }
            Action::Started(at_ns) => self.window.0 = sample_at(at_ns),
            Action::Ended => self.window.1 = sample_at(clock::now_ns()),
        }
    }
}

fn event_of(FleetEvent { actor, what, .. }: FleetEvent) -> Event {
    match what {
        FleetNews::Message(message) => Event::Message(actor, *message),
        FleetNews::Garbage(line) => Event::Garbage(actor, line),
        FleetNews::Ended(how) => Event::Died(actor, how),
    }
}

fn instant_of(at_ns: u64) -> Instant {
    let ahead = at_ns.saturating_sub(clock::now_ns()).min(3_600_000_000_000);
    Instant::now() + Duration::from_nanos(ahead)
}
