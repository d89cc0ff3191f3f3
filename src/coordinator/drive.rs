//! Drives a trial: lets the state machine, the fleet, the cluster and the clock talk to each other.

use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::assemble::{self, Recorded};
use super::fleet::{Fleet, FleetEvent, FleetNews, Launch};
use super::host::HostSample;
use super::spec::{LoadSpec, TrialSpec};
use super::trial::{Action, Event, Phase, TrialMachine};
use crate::kafka::GroupDescription;
use crate::measure::{DeliveredTopics, Failure, FailureKind, Measurement, clock};
use crate::protocol::{PING_INTERVAL_MS, ToWorker, TopicTarget};

/// How often the brokers run here are looked at.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// Looks without progress after which it is asked whether there is anything left to come.
const LOOKS_OF_HALT: u32 = 4;

/// How much is read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// Every record.
    All,
    /// The first record of each partition: is there any?
    First,
}

/// Sees a reading come to a halt.
#[derive(Default)]
struct Halt {
    done: u64,
    looks: u32,
}

impl Halt {
    /// Takes in how many records were read by now; true once when nothing has been read for a while.
    fn look(&mut self, done: u64) -> bool {
        self.looks = if done == self.done { self.looks + 1 } else { 0 };
        self.done = done;
        self.looks == LOOKS_OF_HALT
    }
}

/// What a trial came to.
#[derive(Debug)]
pub struct Outcome {
    /// What was recorded; `None` where it failed before its end.
    pub measurement: Option<Measurement>,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
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
    /// Reads again, unmeasured, which of these offsets of topics that existed the cluster delivers now, or the first of
    /// each partition only.
    fn delivered_now(
        &self,
        topics: Vec<TopicTarget>,
        amount: Amount,
    ) -> impl Future<Output = Result<DeliveredTopics, String>> + Send + 'static;
    /// Samples the machine at this time, or at once where it has passed, without holding up the caller.
    fn sample_at(&self, at_ns: u64, workers: &[u32]) -> JoinHandle<HostSample>;
    /// Says what happened where the cluster is known to be gone.
    fn lost_cluster(&self) -> Option<String>;
    /// Tells how far the trial is.
    fn progress(&self, phase: Phase, done: u64, total: u64);
}

/// Runs one trial from the start of its processes to their end. Whatever happens, no worker is left.
pub async fn run<F: Fleet>(
    spec: TrialSpec,
    launches: &[Launch],
    fleet: &mut F,
    pids: impl Fn(&F) -> Vec<u32>,
    surroundings: &impl Surroundings,
) -> Outcome {
    let exit_limit = spec.limits.exit;
    let spawn_ns = clock::now_ns();
    let mut machine = TrialMachine::new(spec, spawn_ns);
    for (worker, launch) in launches.iter().enumerate() {
        if let Err(message) = fleet.start(launch) {
            let who = Some(machine.name_of(worker));
            machine.fail(Failure {
                kind: FailureKind::WorkerStart,
                who,
                message,
            });
            break;
        }
        machine.set_spawn_ns(worker, clock::now_ns());
    }
    let window = converse(&mut machine, fleet, &pids, surroundings).await;
    if let Some(failure) = machine.failure().cloned() {
        if failure.kind == FailureKind::Cluster {
            fleet.kill().await;
        } else {
            // Members that can still leave their group do: killed ones would keep it from being removed for the
            // length of their session timeout.
            fleet.shutdown(exit_limit).await;
        }
        return Outcome {
            measurement: None,
            failure: Some(failure),
        };
    }
    fleet.shutdown(exit_limit).await;
    let recorded = Recorded::take(&mut machine);
    let mut unasked = None;
    if let Some(missing) = recorded.missing(&machine) {
        let mut still = surroundings.delivered_now(missing.clone(), Amount::All).await;
        if still.is_err() {
            still = surroundings.delivered_now(missing, Amount::All).await;
        }
        match still {
            Ok(still) => machine.note_still(still),
            Err(cause) => unasked = Some(cause),
        }
    }
    let host = match window {
        (Some(start), Some(end)) => end.since(&start),
        _ => crate::measure::HostMeasurement::default(),
    };
    let (measurement, mut failure) = assemble::measure(&mut machine, recorded, spawn_ns, host);
    if let (Some(failure), Some(cause)) = (&mut failure, unasked)
        && failure.kind == FailureKind::Lost
    {
        // Nobody knows whether they are lost.
        failure.kind = FailureKind::Cluster;
        failure.message = format!(
            "{}; and the cluster could not be asked whether it still has them: {cause}",
            failure.message
        );
    }
    Outcome {
        measurement: Some(measurement),
        failure,
    }
}

/// Passes events and actions to and fro until the trial is over; returns the machine's samples at start and end.
async fn converse<F: Fleet>(
    machine: &mut TrialMachine,
    fleet: &mut F,
    pids: &impl Fn(&F) -> Vec<u32>,
    surroundings: &impl Surroundings,
) -> (Option<HostSample>, Option<HostSample>) {
    let (mut start, mut end) = (None, None);
    let mut answers: JoinSet<Event> = JoinSet::new();
    let load_topics = machine.spec.load.as_ref().map(LoadSpec::topics).unwrap_or_default();
    let mut next_ping = Instant::now() + Duration::from_millis(PING_INTERVAL_MS);
    let mut next_check = Instant::now() + CHECK_INTERVAL;
    let mut halt = Halt::default();
    while machine.phase() != Phase::Over {
        let (done, total) = machine.progress();
        surroundings.progress(machine.phase(), done, total);
        let wake_ns = machine.wake_ns();
        let (now_ns, event) = tokio::select! {
            biased;
            news = fleet.next() => {
                let (worker, at_ns) = (news.worker, news.at_ns);
                (at_ns, event_of(news, worker))
            }
            Some(answer) = answers.join_next(), if !answers.is_empty() => {
                let lost = |error: tokio::task::JoinError| Event::Ends(Err(error.to_string()));
                (clock::now_ns(), answer.unwrap_or_else(lost))
            }
            () = sleep_until(instant_of(wake_ns).min(next_ping).min(next_check)) => (clock::now_ns(), Event::Tick),
        };
        if matches!(event, Event::Still(..)) {
            halt = Halt::default();
        }
        if Instant::now() >= next_check {
            next_check = Instant::now() + CHECK_INTERVAL;
            if let Some(message) = surroundings.lost_cluster() {
                machine.fail(Failure {
                    kind: FailureKind::Cluster,
                    who: None,
                    message,
                });
                break;
            }
            // Where nothing more comes of topics that existed, the cluster may have removed the rest.
            if machine.awaits_records() && halt.look(done) {
                let targets = machine.unread_targets();
                let asked = surroundings.delivered_now(targets.clone(), Amount::First);
                answers.spawn(async move { Event::Still(targets, asked.await) });
            }
        }
        if Instant::now() >= next_ping {
            next_ping = Instant::now() + Duration::from_millis(PING_INTERVAL_MS);
            (0..machine.processes()).for_each(|worker| fleet.send(worker, &ToWorker::Ping));
        }
        for action in machine.on(now_ns, event) {
            match action {
                Action::Send(worker, message) => fleet.send(worker, &message),
                Action::Describe(group) => {
                    let asked = surroundings.describe(&machine.spec.groups[group]);
                    answers.spawn(async move { Event::Group(group, asked.await) });
                }
                Action::AskEnds => {
                    let asked = surroundings.end_offsets(&load_topics);
                    answers.spawn(async move { Event::Ends(asked.await) });
                }
                Action::Started(at_ns) => start = Some(surroundings.sample_at(at_ns, &pids(fleet))),
                Action::Ended => end = Some(surroundings.sample_at(clock::now_ns(), &pids(fleet))),
            }
        }
    }
    let (Some(start), Some(end)) = (start, end) else {
        return (None, None);
    };
    // They panic never; a measurement without them says so by its zeros.
    (start.await.ok(), end.await.ok())
}

fn event_of(news: FleetEvent, worker: usize) -> Event {
    match news.what {
        FleetNews::Message(message) => Event::Message(worker, *message),
        FleetNews::Garbage(line) => Event::Garbage(worker, line),
        FleetNews::Ended(how) => Event::Died(worker, how),
    }
}

fn instant_of(at_ns: u64) -> Instant {
    let ahead = at_ns.saturating_sub(clock::now_ns()).min(3_600_000_000_000);
    Instant::now() + Duration::from_nanos(ahead)
}
