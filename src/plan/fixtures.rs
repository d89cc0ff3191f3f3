//! Scenarios and trials made by hand for the tests of this room and those after it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Plan;
use crate::measure::*;
use crate::scenario::*;

/// A matrix key: its name, and each value with what it changes.
pub(crate) type AxisValues<'a> = &'a [(&'a str, Change)];

/// What a value of a matrix key does to a configuration.
pub(crate) type Change = fn(&mut Configuration);

/// Builds a scenario as the parser would.
pub(crate) struct ScenarioBuilder {
    cases: Vec<(String, u32, u32)>,
    axes: Vec<(Axis, Vec<Change>)>,
    pub(crate) dataset: DatasetSpec,
    pub(crate) record_multiple: u64,
    pub(crate) repetitions: u32,
    /// What the run goes on for, `repetitions` blocks at most.
    pub(crate) until: Option<Until>,
    pub(crate) warmup_blocks: u32,
    pub(crate) seed: u64,
    pub(crate) trial: TrialLength,
}

impl ScenarioBuilder {
    /// Two partitions, a million records, one second, ten blocks.
    pub(crate) fn new() -> Self {
        ScenarioBuilder {
            cases: Vec::new(),
            axes: Vec::new(),
            dataset: DatasetSpec {
                source: crate::scenario::DataSource::Filled,
                topics: 1,
                partitions: 2,
                records: 1_000_000,
                size: Size::Fixed(100),
                keys: Keys::None,
                weights: Vec::new(),
                compression: Compression::None,
                compression_ratio: None,
                replication: 1,
                settings: std::collections::BTreeMap::new(),
            },
            record_multiple: 2,
            repetitions: 10,
            until: None,
            warmup_blocks: 1,
            seed: 7,
            trial: TrialLength::Seconds(1.0),
        }
    }

    /// `[[case]]` with this many processes and consumers in each.
    pub(crate) fn case(mut self, name: &str, processes: u32, consumers: u32) -> Self {
        self.cases.push((name.to_owned(), processes, consumers));
        self
    }

    /// `[matrix] key = [...]`. The key `work` makes families.
    pub(crate) fn axis(mut self, key: &str, values: AxisValues<'_>) -> Self {
        let axis = Axis {
            key: key.to_owned(),
            values: values.iter().map(|(name, _)| (*name).to_owned()).collect(),
        };
        self.axes
            .push((axis, values.iter().map(|(_, change)| *change).collect()));
        self
    }

    pub(crate) fn plan(self) -> Plan {
        Plan::new(self.build())
    }

    pub(crate) fn build(mut self) -> Scenario {
        if self.cases.is_empty() {
            self.cases.push((String::new(), 1, 1));
        }
        let mut configurations = Vec::new();
        for (case, processes, consumers) in &self.cases {
            let mut combinations = vec![(configuration(case, *processes, *consumers), Vec::new())];
            for (axis, changes) in &self.axes {
                let combine = |(base, chosen): (Configuration, Vec<usize>)| {
                    (0..changes.len()).map(move |value| {
                        let (mut next, mut chosen) = (base.clone(), chosen.clone());
                        changes[value](&mut next);
                        next.axis_values.push(axis.values[value].clone());
                        if axis.values.len() > 1 {
                            let part = format!("{}={}", axis.key, axis.values[value]);
                            next.name = format!("{} {part}", next.name).trim().to_owned();
                        }
                        chosen.push(value);
                        (next, chosen)
                    })
                };
                combinations = combinations.into_iter().flat_map(combine).collect();
            }
            configurations.extend(combinations.into_iter().map(|(configuration, _)| configuration));
        }
        let families = self.families(&mut configurations);
        Scenario {
            name: "test".to_owned(),
            question: "Which is faster?".to_owned(),
            seed: self.seed,
            repetitions: match self.until {
                None => Repetitions::Fixed(self.repetitions),
                Some(until) => Repetitions::Until {
                    until,
                    at_most: self.repetitions,
                },
            },
            warmup_blocks: self.warmup_blocks,
            threshold: 0.03,
            trial: self.trial,
            cluster: ClusterSpec {
                source: ClusterSource::Bootstrap("localhost:9092".to_owned()),
                prefix: "tandem".to_owned(),
                client: BTreeMap::new(),
            },
            places: vec![Place {
                name: "here".to_owned(),
                launcher: Vec::new(),
                cpus: None,
                listener: None,
            }],
            keys_in_use: self.axes.iter().map(|(axis, _)| axis.key.clone()).collect(),
            axes: self.axes.into_iter().map(|(axis, _)| axis).collect(),
            configurations,
            families,
            datasets: vec![self.dataset],
            warnings: Vec::new(),
            capacity: None,
            variants: Variants::default(),
        }
    }

    /// Families by the value of `work`; the first configuration of a family is the baseline of the others.
    fn families(&self, configurations: &mut [Configuration]) -> Vec<Family> {
        let work = self.axes.iter().position(|(axis, _)| axis.key == "work");
        let mut families: Vec<Family> = Vec::new();
        for (index, configuration) in configurations.iter_mut().enumerate() {
            let name = work.map_or(String::new(), |axis| {
                format!("work={}", configuration.axis_values[axis])
            });
            let found = families.iter().position(|f| f.name == name).unwrap_or(families.len());
            if found == families.len() {
                families.push(Family {
                    name,
                    configurations: Vec::new(),
                    record_multiple: self.record_multiple,
                    records_max: self.dataset.records,
                });
            }
            configuration.family = found;
            configuration.baseline = families[found].configurations.first().copied();
            configuration.key_values.clone_from(&configuration.axis_values);
            families[found].configurations.push(index);
        }
        families
    }
}

fn configuration(case: &str, processes: u32, consumers: u32) -> Configuration {
    Configuration {
        name: case.to_owned(),
        case: case.to_owned(),
        axis_values: Vec::new(),
        key_values: Vec::new(),
        family: 0,
        dataset: 0,
        baseline: None,
        groups: 1,
        group: None,
        processes,
        consumers,
        membership: Membership::Group(GroupProtocol::Classic { assignor: None }),
        commit: Commit::None,
        work: Work::None,
        buffers: Buffers::Each,
        read: Read::Batch,
        threads: 1,
        ordering: WorkOrdering::Partition,
        place: 0,
        client: ClientSettings::default(),
        mode: crate::scenario::Mode::Backlog,
        variant: Variant::default(),
    }
}

/// `one-vs-two` with two cases and no matrix.
pub(crate) fn one_and_two() -> ScenarioBuilder {
    ScenarioBuilder::new()
        .case("one process, both partitions", 1, 1)
        .case("two processes, one partition each", 2, 1)
}

/// `one-vs-two` with two kinds of work.
pub(crate) fn one_and_two_with_work() -> ScenarioBuilder {
    one_and_two().axis(
        "work",
        &[
            ("none", |c| c.work = Work::None),
            ("wait 200us", |c| c.work = Work::Wait { ns: 200_000 }),
        ],
    )
}

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
pub(crate) fn measurement(
    configuration: &Configuration,
    dataset: &DatasetSpec,
    records: u64,
    read_s: f64,
) -> Measurement {
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
        let super::Next::Trial(order) = plan.next(&stored, session) else {
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
