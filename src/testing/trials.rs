//! Trials as a run would store them, and runs of a plan without a cluster.

use std::time::Duration;

use crate::measure::*;
use crate::plan::{Next, Plan};
use crate::scenario::{Configuration, DatasetSpec, Work};

/// A trial that read everything in so many seconds, half a second after its processes were started.
pub(crate) fn complete(plan: &Plan, order: TrialOrder, session: u32, read_s: f64) -> Trial {
    let configuration = &plan.scenario.configurations[order.configuration];
    let dataset = &plan.scenario.datasets[configuration.dataset];
    Trial {
        schema_version: TRIAL_SCHEMA_VERSION,
        configuration_name: configuration.name.clone(),
        session,
        started_at: jiff::Timestamp::UNIX_EPOCH,
        status: Status::Complete,
        flags: Vec::new(),
        measurement: Some(measurement(configuration, dataset, order.records, read_s)),
        order,
    }
}

/// A trial that failed without a measurement.
pub(crate) fn failed(plan: &Plan, order: TrialOrder, session: u32, kind: FailureKind) -> Trial {
    Trial {
        status: Status::Failed(Failure {
            kind,
            who: None,
            message: kind.describe().to_owned(),
        }),
        measurement: None,
        ..complete(plan, order, session, 1.0)
    }
}

const SPAWN_NS: u64 = 1_000_000_000;
const START_NS: u64 = SPAWN_NS + 500_000_000;

/// What a trial records when the partitions are dealt out in turn and all end together.
fn measurement(configuration: &Configuration, dataset: &DatasetSpec, records: u64, read_s: f64) -> Measurement {
    let end_ns = START_NS + u64::try_from(Duration::from_secs_f64(read_s).as_nanos()).unwrap_or(u64::MAX);
    let partitions: Vec<TopicPartition> = (0..dataset.topics)
        .flat_map(|topic| {
            (0..dataset.partitions.cast_signed()).map(move |partition| TopicPartition { topic, partition })
        })
        .collect();
    let mut members = Vec::new();
    for group in 0..configuration.groups {
        for process in 0..configuration.processes {
            for consumer in 0..configuration.consumers {
                let index = (process * configuration.consumers + consumer) as usize;
                let assigned: Vec<TopicPartition> = partitions
                    .iter()
                    .copied()
                    .skip(index)
                    .step_by(configuration.members_per_group() as usize)
                    .collect();
                members.push(member(
                    configuration,
                    (group, process, consumer),
                    assigned,
                    records,
                    partitions.len(),
                    end_ns,
                ));
            }
        }
    }
    let processes = (0..configuration.groups)
        .flat_map(|group| (0..configuration.processes).map(move |process| process_of(group, process, end_ns)))
        .collect();
    Measurement {
        start_ns: START_NS,
        spawn_ns: SPAWN_NS,
        subscribe_ns: SPAWN_NS + 100_000_000,
        joined_ns: SPAWN_NS + 400_000_000,
        end_ns,
        records_expected: records,
        lost: 0,
        duplicated: 0,
        redelivered: 0,
        not_delivered: 0,
        removed: 0,
        processes,
        members,
        host: HostMeasurement {
            wall_ns: end_ns - START_NS,
            cores: 2,
            brokers_cpu_ns: vec![300_000_000],
            ..HostMeasurement::default()
        },
        not_observed: Vec::new(),
        load: None,
        interruptions: Interruptions::default(),
        whole: None,
    }
}

fn process_of(group: u32, process: u32, end_ns: u64) -> ProcessMeasurement {
    let usage = |wall_ns| ProcessUsage {
        wall_ns,
        cpu_ns: wall_ns / 2,
        ..ProcessUsage::default()
    };
    ProcessMeasurement {
        group,
        process,
        pid: 100 + process,
        client: "librdkafka".to_owned(),
        client_version: "2.12.1".to_owned(),
        spawn_ns: SPAWN_NS,
        hello_ns: SPAWN_NS + 10_000_000,
        ready_ns: SPAWN_NS + 50_000_000,
        window: Some(usage(end_ns - START_NS)),
        stopwatch: Some(usage(end_ns - SPAWN_NS)),
    }
}

fn member(
    configuration: &Configuration,
    (group, process, consumer): (u32, u32, u32),
    assigned: Vec<TopicPartition>,
    records: u64,
    partitions: usize,
    end_ns: u64,
) -> MemberMeasurement {
    let first_ns = (!assigned.is_empty()).then_some(START_NS + 5_000_000);
    let last_ns = (!assigned.is_empty()).then_some(end_ns);
    let share = records / partitions as u64;
    let rest = records - share * partitions as u64;
    let partitions: Vec<PartitionMeasurement> = assigned
        .iter()
        .map(|at| {
            let first_one = at.topic == 0 && at.partition == 0;
            let records = if first_one { share + rest } else { share };
            PartitionMeasurement {
                topic: at.topic,
                partition: at.partition,
                records,
                bytes: records * 100,
                first_ns,
                last_ns,
                runs: Some(vec![OffsetRun {
                    first: 0,
                    end: records.cast_signed(),
                    epoch: 1,
                }]),
                series: None,
                latencies: None,
                waits: Vec::new(),
            }
        })
        .collect();
    let read: u64 = partitions.iter().map(|p| p.records).sum();
    MemberMeasurement {
        group,
        process,
        consumer,
        assigned_ns: (!assigned.is_empty()).then_some(SPAWN_NS + 300_000_000),
        assigned,
        first_record_ns: first_ns,
        last_record_ns: last_ns,
        work_ns: (configuration.work != Work::None).then_some(read * configuration.work.ns()),
        queued_at_start: Some(0),
        commits: 0,
        reading: None,
        client: None,
        rebalances: Vec::new(),
        partitions,
    }
}

/// Runs a plan to its end in one session; `seconds` gives the read time of a trial, `None` to let it fail.
pub(crate) fn run(plan: &Plan, seconds: impl FnMut(&TrialOrder) -> Option<f64>) -> Vec<Trial> {
    run_from(plan, Vec::new(), 1, usize::MAX, seconds)
}

/// Goes on with a run for at most `limit` trials.
pub(crate) fn run_from(
    plan: &Plan,
    mut stored: Vec<Trial>,
    session: u32,
    limit: usize,
    mut seconds: impl FnMut(&TrialOrder) -> Option<f64>,
) -> Vec<Trial> {
    for _ in 0..limit {
        let Next::Trial(order) = plan.next(&stored, session) else {
            break;
        };
        assert!(stored.len() < 100_000, "the plan does not end");
        let trial = match seconds(&order) {
            Some(read_s) => complete(plan, order, session, read_s),
            None => failed(plan, order, session, FailureKind::Stall),
        };
        stored.push(trial);
    }
    stored
}
