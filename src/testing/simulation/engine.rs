//! The engine under test. The only file of the simulation that knows how it is made, fed and measured.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::chance::MS;
use super::cluster::{Cluster, Log};
use super::deed::{Deed, Planned};
use super::plan::{Plan, Records};
use crate::load::{Arrivals, Profile, Schedule};
use crate::measure::{Act, DeliveredTopics, Failure, HostMeasurement, Measurement, TopicPartition};
use crate::protocol::{OffsetRange, PrepareProducer, TopicTarget, WorkCalibration, partitions_of};
use crate::scenario::{Configuration, Load, Membership, Mode};
use crate::testing::script::BEGIN_NS;
use crate::testing::{arrangement, load, prepare_producer};
use crate::trial::{
    self, Action, Event, Existing, Limits, LoadSpec, Phase, Script, Step, StepTarget, TrialMachine, TrialSpec, When,
    topic_sizes,
};

/// Limits that a healthy simulated trial keeps by far.
const LIMITS: Limits = Limits {
    hello: Duration::from_secs(2),
    // Clocks of other hosts are compared by sixteen questions, one after the other.
    ready: Duration::from_secs(9),
    join: Duration::from_secs(8),
    stall: Duration::from_secs(6),
    read: Duration::from_secs(30),
    drain: Duration::MAX,
    settle: Duration::from_secs(2),
    find: Duration::from_secs(3),
    result: Duration::from_secs(7),
    exit: Duration::from_secs(5),
};
/// The engine waits this much longer for producers and for what is planned than its limits say, and a second is left for
/// messages.
const PATIENCE: Duration = Duration::from_secs(2 + 8 + 12 + 1);
const LEAD_NS: u64 = 200 * MS;
const WARMUP_NS: u64 = 300 * MS;
const WINDOW_NS: u64 = 1_200 * MS;

/// What is known of a trial before it begins.
#[derive(Debug)]
pub struct Facts {
    pub is_manual: bool,
    pub groups: usize,
    /// `client.id` of each consumer of each reader.
    pub client_ids: Vec<Vec<String>>,
    /// Names of the topics.
    pub topics: Vec<String>,
    /// What is to be read of each partition.
    pub ranges: BTreeMap<TopicPartition, OffsetRange>,
    /// The time for what is unread when the load is over.
    pub drain_ns: u64,
    /// Every trial has ended by then.
    pub last_ns: u64,
}

/// One trial of the engine.
#[derive(Debug)]
pub struct Engine(TrialMachine);

impl Engine {
    /// A trial of a plan, all processes of which are being started.
    pub fn new(plan: &Plan, cluster: &Cluster) -> (Self, Facts) {
        let spec = spec(plan, cluster);
        let facts = facts(plan, &spec);
        let mut machine = TrialMachine::new(spec, BEGIN_NS);
        for actor in machine.cast.ids() {
            if !machine.terms.script.starts_later(actor) {
                machine.start(BEGIN_NS, actor);
            }
        }
        (Engine(machine), facts)
    }

    pub fn on(&mut self, now_ns: u64, event: Event) -> Vec<Action> {
        self.0.on(now_ns, event)
    }

    pub fn wake_ns(&self) -> u64 {
        self.0.wake_ns()
    }

    pub fn phase(&self) -> Phase {
        self.0.phase()
    }

    pub fn failure(&self) -> Option<&Failure> {
        self.0.failure()
    }

    /// The measurement of a trial that is over, as the coordinator makes it; `still` is what the cluster delivers.
    pub fn measure(
        mut self,
        now_ns: u64,
        still: impl Fn(&[TopicTarget]) -> DeliveredTopics,
    ) -> Option<(Measurement, Option<Failure>)> {
        if let Some(missing) = trial::missing(&self.0.ended()) {
            self.0.note_still(now_ns, still(&missing));
        }
        trial::measure(&self.0.ended(), HostMeasurement::default())
    }
}

/// The specification of a plan's trial, as the coordinator makes it.
fn spec(plan: &Plan, cluster: &Cluster) -> TrialSpec {
    let mut configuration = Configuration {
        groups: plan.groups,
        mode: mode(plan),
        ..arrangement("case", plan.processes, plan.consumers)
    };
    if plan.manual {
        configuration.membership = Membership::Manual;
    }
    let mut topics = targets(plan, cluster);
    let existing = (plan.records == Records::Existing).then(|| {
        let table = |of: fn(&Log) -> i64| -> Vec<Vec<i64>> {
            let topics = cluster.logs.iter();
            topics.map(|logs| logs.iter().map(of).collect()).collect()
        };
        let all = cluster.logs.iter();
        let delivered = DeliveredTopics {
            topics: all
                .map(|logs| logs.iter().map(|log| log.offsets.iter().copied().collect()).collect())
                .collect(),
        };
        Existing::new(Arc::new(delivered), &mut topics, &table(|log| log.low))
    });
    let sizes = topic_sizes(&topics);
    let (properties, calibration) = (BTreeMap::new(), WorkCalibration::default());
    let spec = TrialSpec::new(&configuration, "trial", topics, &properties, calibration, LIMITS);
    let brokers: Vec<u32> = (1..=plan.brokers).collect();
    let spec = if plan.has_store { spec.with_own_store() } else { spec };
    let spec = spec.with_script(script(plan), &brokers);
    match (plan.records, existing) {
        (Records::Existing, Some(existing)) => spec.with_existing(existing),
        (Records::Arriving, _) => {
            let (load, producers) = arriving(plan, cluster, &sizes);
            spec.with_load(load, producers)
        }
        (Records::Backlog | Records::Existing, _) => spec,
    }
}

fn script(plan: &Plan) -> Script {
    let mut steps = Vec::new();
    for Deed { after_ns, target, what } in plan.deeds.iter().copied() {
        let after = Duration::from_nanos(after_ns);
        let when = match what {
            Planned::Rate(_) => When::At(after),
            _ => When::AfterJoin(after),
        };
        let (act, then) = match what {
            Planned::Kill => (Act::Kill, None),
            Planned::Leave => (Act::Leave, None),
            Planned::Restart(away_ns) => (Act::Kill, Some((away_ns, Act::Start))),
            Planned::Pause(length_ns) => (Act::Pause, Some((length_ns, Act::Resume))),
            Planned::StartLate => (Act::Start, None),
            Planned::Rate(rate) => (Act::SetRate(rate), None),
        };
        steps.push(Step { when, target, act });
        steps.extend(then.map(|(later_ns, act)| {
            let when = When::AfterStep(Duration::from_nanos(later_ns));
            let target = match target {
                StepTarget::Role(_) => StepTarget::AsBefore,
                target => target,
            };
            Step { when, target, act }
        }));
    }
    Script {
        steps,
        ..Script::default()
    }
}

fn mode(plan: &Plan) -> Mode {
    let load = || Load {
        rate: plan.rate as f64,
        duration_ns: WINDOW_NS,
        warmup_ns: WARMUP_NS,
        drain_ns: plan.drain_ns,
        producers: plan.producers,
        ..load()
    };
    match plan.records {
        Records::Backlog | Records::Existing => Mode::Backlog,
        Records::Arriving if plan.partitions.iter().flatten().any(|count| *count > 0) => Mode::Mixed(load()),
        Records::Arriving => Mode::Live(load()),
    }
}

fn targets(plan: &Plan, cluster: &Cluster) -> Vec<TopicTarget> {
    let range = |log: &Log| OffsetRange {
        low: 0,
        end: match plan.records {
            Records::Backlog | Records::Existing => log.end(BEGIN_NS),
            Records::Arriving => i64::MAX,
        },
    };
    let topics = cluster.topics.iter().zip(&cluster.logs);
    let target = |(name, logs): (&String, &Vec<Log>)| TopicTarget {
        name: name.clone(),
        partitions: logs.iter().map(range).collect(),
    };
    topics.map(target).collect()
}

fn arriving(plan: &Plan, cluster: &Cluster, sizes: &[(String, u32)]) -> (LoadSpec, Vec<PrepareProducer>) {
    let profile = Profile::Constant { rate: plan.rate as f64 };
    let schedule = Schedule::new(Arrivals::Constant, profile, WARMUP_NS + WINDOW_NS, plan.seed).unwrap();
    let load = LoadSpec {
        schedule,
        lead: Duration::from_nanos(LEAD_NS),
        warmup: Duration::from_nanos(WARMUP_NS),
        backlog_ends: cluster.ends(BEGIN_NS),
        beside: Vec::new(),
    };
    let load = load.with_rates(&script(plan)).unwrap();
    let topics: Vec<(&str, u32)> = sizes
        .iter()
        .map(|(name, partitions)| (name.as_str(), *partitions))
        .collect();
    let producers = (0..plan.producers).map(|producer| PrepareProducer {
        producer,
        producers: plan.producers,
        warmup_ns: WARMUP_NS,
        ..prepare_producer(&topics, load.schedule.clone())
    });
    let producers = producers.collect();
    (load, producers)
}

fn facts(plan: &Plan, spec: &TrialSpec) -> Facts {
    let readers = spec.cast.readers.iter();
    let client_ids = readers.map(|reader| {
        let consumers = reader.role.prepare.consumers.iter();
        consumers.map(|order| order.client_id.clone()).collect()
    });
    let drain = Duration::from_nanos(plan.drain_ns);
    let longest = [
        LIMITS.result,
        LIMITS.hello,
        LIMITS.ready,
        LIMITS.join,
        LIMITS.read,
        LIMITS.result,
        PATIENCE,
        LIMITS.result,
        drain,
    ];
    let longest: Duration = longest.into_iter().sum();
    Facts {
        is_manual: spec.terms.manual,
        groups: spec.terms.groups.len(),
        client_ids: client_ids.collect(),
        topics: spec.terms.topics.iter().map(|topic| topic.name.clone()).collect(),
        ranges: partitions_of(&spec.terms.topics).collect(),
        drain_ns: plan.drain_ns,
        last_ns: BEGIN_NS + u64::try_from(longest.as_nanos()).unwrap(),
    }
}
