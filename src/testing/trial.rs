//! Trials and measurements for tests: [`trial`] and [`measurement`] begin with a complete, plausible one, and methods
//! change what a test is about.

use std::time::Duration;

use crate::measure::{
    Failure, FailureKind, HostMeasurement, Interruptions, Measurement, MemberMeasurement, OffsetRun,
    PartitionMeasurement, ProcessMeasurement, ProcessUsage, Status, TRIAL_SCHEMA_VERSION, Trial, TrialKind, TrialOrder,
};
use crate::scenario::{Configuration, DatasetSpec};

use crate::time::{HostClocks, HostId};
const MS: u64 = 1_000_000;
/// From the start of the first process to the common start.
const LEAD_NS: u64 = 500 * MS;
const RECORD_BYTES: u64 = 100;

/// A measurement of one group of one process with one consumer, which reads the thousand records of one partition in a
/// second from 1.5 s on.
pub(crate) fn measurement() -> MeasurementBuilder {
    MeasurementBuilder {
        groups: 1,
        processes: 1,
        consumers: 1,
        topics: 1,
        partitions: 1,
        records: 1_000,
        start_ns: 1_500 * MS,
        read_ns: 1_000 * MS,
        work_ns: None,
    }
}

/// Builds a [`Measurement`]. Partitions are dealt out in turn to the members of each group, and all end together.
#[derive(Debug, Clone)]
pub(crate) struct MeasurementBuilder {
    groups: u32,
    processes: u32,
    consumers: u32,
    topics: u32,
    partitions: u32,
    records: u64,
    start_ns: u64,
    read_ns: u64,
    work_ns: Option<u64>,
}

impl MeasurementBuilder {
    /// The members of a configuration, and its work.
    pub(crate) fn configuration(mut self, configuration: &Configuration) -> Self {
        (self.groups, self.processes, self.consumers) =
            (configuration.groups, configuration.processes, configuration.consumers);
        self.work_ns = configuration.work.ns().filter(|ns| *ns > 0);
        self
    }

    /// The topics and partitions of a data set.
    pub(crate) fn dataset(mut self, dataset: &DatasetSpec) -> Self {
        (self.topics, self.partitions) = (dataset.topics, dataset.partitions);
        self
    }

    /// Processes of each group.
    pub(crate) fn processes(mut self, processes: u32) -> Self {
        self.processes = processes;
        self
    }

    /// Partitions of each topic.
    pub(crate) fn partitions(mut self, partitions: u32) -> Self {
        self.partitions = partitions;
        self
    }

    /// Records that each group reads.
    pub(crate) fn records(mut self, records: u64) -> Self {
        self.records = records;
        self
    }

    /// The common start.
    pub(crate) fn start_ns(mut self, start_ns: u64) -> Self {
        self.start_ns = start_ns;
        self
    }

    /// Seconds from the common start to the last record.
    pub(crate) fn read_seconds(mut self, seconds: f64) -> Self {
        self.read_ns = u64::try_from(Duration::from_secs_f64(seconds).as_nanos()).unwrap();
        self
    }

    pub(crate) fn build(&self) -> Measurement {
        let spawn_ns = self.spawn_ns();
        let groups = 0..self.groups;
        let process_of = |group| (0..self.processes).map(move |process| (group, process));
        let processes: Vec<(u32, u32)> = groups.flat_map(process_of).collect();
        let member_of = |at: &(u32, u32)| {
            let (group, process) = *at;
            (0..self.consumers).map(move |consumer| self.member(group, process, consumer))
        };
        Measurement {
            start_ns: self.start_ns,
            spawn_ns,
            subscribe_ns: spawn_ns + 100 * MS,
            joined_ns: spawn_ns + 400 * MS,
            end_ns: self.end_ns(),
            records_expected: self.records,
            lost: 0,
            duplicated: 0,
            redelivered: 0,
            not_delivered: 0,
            removed: 0,
            members: processes.iter().flat_map(member_of).collect(),
            processes: processes
                .iter()
                .map(|(group, process)| self.process(*group, *process))
                .collect(),
            host: HostMeasurement {
                wall_ns: self.read_ns,
                cores: 2,
                brokers_cpu_ns: vec![300 * MS],
                ..HostMeasurement::default()
            },
            not_observed: Vec::new(),
            load: None,
            interruptions: Interruptions::default(),
            acts: Vec::new(),
            group_looks: Vec::new(),
            group_epochs: Vec::new(),
            roles: None,
            membership: None,
            clocks: HostClocks::default(),
            other_hosts: Vec::new(),
            results_ns: None,
            ended_ns: None,
            outside: None,
            store: None,
            overall: None,
        }
    }

    fn spawn_ns(&self) -> u64 {
        self.start_ns - LEAD_NS
    }

    fn end_ns(&self) -> u64 {
        self.start_ns + self.read_ns
    }

    fn process(&self, group: u32, process: u32) -> ProcessMeasurement {
        let spawn_ns = self.spawn_ns();
        let half_busy = |wall_ns| ProcessUsage {
            wall_ns,
            cpu_ns: wall_ns / 2,
            ..ProcessUsage::default()
        };
        ProcessMeasurement {
            group,
            process,
            host: HostId::COORDINATOR,
            pid: 100 + process,
            client: "librdkafka".to_owned(),
            client_version: "2.12.1".to_owned(),
            spawn_ns,
            hello_ns: spawn_ns + 10 * MS,
            ready_ns: spawn_ns + 50 * MS,
            window: Some(half_busy(self.read_ns)),
            stopwatch: Some(half_busy(self.read_ns + LEAD_NS)),
        }
    }

    fn member(&self, group: u32, process: u32, consumer: u32) -> MemberMeasurement {
        let members = self.processes * self.consumers;
        let index = process * self.consumers + consumer;
        let numbers = (0..self.topics * self.partitions).filter(|number| number % members == index);
        let partitions: Vec<_> = numbers.map(|number| self.partition(number)).collect();
        let assigned: Vec<_> = partitions.iter().map(PartitionMeasurement::topic_partition).collect();
        let records: u64 = partitions.iter().map(|partition| partition.records).sum();
        MemberMeasurement {
            group,
            process,
            consumer,
            assigned_ns: (!assigned.is_empty()).then_some(self.spawn_ns() + 300 * MS),
            first_record_ns: partitions.first().and_then(|partition| partition.first_ns),
            last_record_ns: partitions.first().and_then(|partition| partition.last_ns),
            work_ns: self.work_ns.map(|work_ns| records * work_ns),
            queued_at_start: Some(0),
            assigned,
            partitions,
            ..MemberMeasurement::default()
        }
    }

    /// A partition, counted over all topics. The first has what equal shares leave over.
    fn partition(&self, number: u32) -> PartitionMeasurement {
        let all = u64::from(self.topics * self.partitions);
        let rest = if number == 0 { self.records % all } else { 0 };
        let records = self.records / all + rest;
        PartitionMeasurement {
            topic: number / self.partitions,
            partition: (number % self.partitions).cast_signed(),
            records,
            bytes: records * RECORD_BYTES,
            first_ns: Some(self.start_ns + 5 * MS),
            last_ns: Some(self.end_ns()),
            runs: Some(vec![OffsetRun {
                first: 0,
                end: records.cast_signed(),
                epoch: 1,
            }]),
            ..PartitionMeasurement::default()
        }
    }
}

/// The first trial of a run: counted, complete, of the first configuration, with [`measurement`].
pub(crate) fn trial() -> TrialBuilder {
    let measurement = measurement().build();
    TrialBuilder(Trial {
        schema_version: TRIAL_SCHEMA_VERSION,
        order: TrialOrder {
            number: 1,
            kind: TrialKind::Counted,
            block: 0,
            position: 0,
            configuration: 0,
            records: measurement.records_expected,
            load: None,
        },
        configuration_name: String::new(),
        session: 1,
        started_at: jiff::Timestamp::UNIX_EPOCH,
        status: Status::Complete,
        flags: Vec::new(),
        measurement: Some(measurement),
    })
}

/// Builds a [`Trial`].
#[derive(Debug, Clone)]
pub(crate) struct TrialBuilder(Trial);

impl TrialBuilder {
    /// All of the order.
    pub(crate) fn order(mut self, order: TrialOrder) -> Self {
        self.0.order = order;
        self
    }

    pub(crate) fn number(mut self, number: u32) -> Self {
        self.0.order.number = number;
        self
    }

    pub(crate) fn kind(mut self, kind: TrialKind) -> Self {
        self.0.order.kind = kind;
        self
    }

    pub(crate) fn block(mut self, block: u32) -> Self {
        self.0.order.block = block;
        self
    }

    /// Index and name of the configuration.
    pub(crate) fn configuration(mut self, index: usize, name: &str) -> Self {
        self.0.order.configuration = index;
        name.clone_into(&mut self.0.configuration_name);
        self
    }

    pub(crate) fn session(mut self, session: u32) -> Self {
        self.0.session = session;
        self
    }

    pub(crate) fn started_at(mut self, started_at: jiff::Timestamp) -> Self {
        self.0.started_at = started_at;
        self
    }

    /// What was recorded, and with it the records that were ordered.
    pub(crate) fn measured(mut self, measurement: Measurement) -> Self {
        self.0.order.records = measurement.records_expected;
        self.0.measurement = Some(measurement);
        self
    }

    pub(crate) fn excluded(mut self, reason: &str) -> Self {
        self.0.status = Status::Excluded {
            reason: reason.to_owned(),
        };
        self
    }

    /// Failed before anything was recorded.
    pub(crate) fn failed(mut self, kind: FailureKind) -> Self {
        self.0.status = Status::Failed(Failure {
            kind,
            who: None,
            message: kind.describe().to_owned(),
        });
        self.0.measurement = None;
        self
    }

    pub(crate) fn build(self) -> Trial {
        self.0
    }
}
