//! Runs made up for the tests of this room: figures as a small machine would give them, the same every time.

use std::collections::BTreeMap;

use super::ReportInput;
use crate::measure::*;
use crate::scenario::*;
use crate::stats::Estimate;
use crate::summary::*;

pub(super) struct Fixture {
    pub(super) scenario: Scenario,
    pub(super) trials: Vec<Trial>,
    pub(super) summary: Summary,
    pub(super) environment: Environment,
    pub(super) source: String,
}

const WORKS: [(&str, Work); 3] = [
    ("none", Work::None),
    ("cpu 5us", Work::Cpu { ns: 5_000 }),
    ("wait 200us", Work::Wait { ns: 200_000 }),
];

impl Fixture {
    pub(super) fn input(&self) -> ReportInput<'_> {
        ReportInput {
            scenario: &self.scenario,
            trials: &self.trials,
            summary: &self.summary,
            environment: &self.environment,
            source: &self.source,
        }
    }

    /// Three cases by three works and a fourth case with idle members; ten blocks with a failed, an excluded and a
    /// disturbed trial.
    pub(super) fn one_vs_two() -> Self {
        let cases = [
            ("one process, both partitions", 1, 1),
            ("one process, two consumers", 1, 2),
            ("two processes, one partition each", 2, 1),
            ("four processes for two partitions <script>alert(1)</script>", 4, 1),
        ];
        let mut configurations = Vec::new();
        for (case, processes, consumers) in cases {
            for (family, (text, work)) in WORKS.iter().enumerate() {
                let mut c = configuration(format!("{case} work={text}"), case, processes, consumers);
                c.axis_values = vec![(*text).to_owned()];
                c.key_values = vec![processes.to_string(), consumers.to_string(), (*text).to_owned()];
                c.family = family;
                c.work = *work;
                c.baseline = (configurations.len() >= WORKS.len()).then_some(family);
                configurations.push(c);
            }
        }
        let axes = vec![Axis {
            key: "work".into(),
            values: WORKS.iter().map(|w| w.0.to_owned()).collect(),
        }];
        let mut scenario = scenario("one-vs-two", configurations, axes);
        "Do two processes read a two-partition topic faster than one?".clone_into(&mut scenario.question);
        scenario.keys_in_use = vec!["processes".into(), "consumers".into(), "work".into()];
        scenario.families = (0..WORKS.len())
            .map(|f| family(format!("work={}", WORKS[f].0), f, 3, 12))
            .collect();
        let mut fixture = Fixture::run(scenario, 10);
        fixture.disturb();
        fixture.summarise();
        fixture.summary.answer = vec![
            "Two processes with one partition each read 1.42 times as fast as one with both [1.38, 1.46].".into(),
            "With 5 µs of computing per record, 1.31 times [1.25, 1.36].".into(),
            "With 200 µs of waiting per record, 1.99 times [1.97, 2.00].".into(),
        ];
        fixture.summary.warnings = vec![
            "1 of 120 counted trials failed: a worker died (group 1, process 2).".into(),
            "The machine was disturbed in 1 trial: another process used 12 % of it.".into(),
        ];
        fixture
    }

    /// Members 1 to 8 on 8 partitions, and the same with only 2 partitions; no case and one family.
    pub(super) fn scaling() -> Self {
        let mut configurations: Vec<Configuration> = Vec::new();
        for partitions in [2_usize, 8] {
            for consumers in 1..=8 {
                let mut c = configuration(
                    format!("partitions={partitions} consumers={consumers}"),
                    "",
                    1,
                    consumers,
                );
                c.axis_values = vec![partitions.to_string(), consumers.to_string()];
                c.key_values.clone_from(&c.axis_values);
                c.dataset = usize::from(partitions == 8);
                c.baseline = (consumers > 1).then_some(if partitions == 2 { 0 } else { 8 });
                c.work = Work::Wait { ns: 20_000 };
                configurations.push(c);
            }
        }
        let list = |values: &[u32]| values.iter().map(ToString::to_string).collect();
        let axes = vec![
            Axis {
                key: "partitions".into(),
                values: list(&[2, 8]),
            },
            Axis {
                key: "consumers".into(),
                values: list(&[1, 2, 3, 4, 5, 6, 7, 8]),
            },
        ];
        let mut scenario = scenario("scaling", configurations, axes);
        "How many consumers are worth starting?".clone_into(&mut scenario.question);
        scenario.keys_in_use = vec!["partitions".into(), "consumers".into()];
        scenario.families = vec![family(String::new(), 0, 1, 16)];
        let mut wide = scenario.datasets[0].clone();
        wide.partitions = 8;
        scenario.datasets.push(wide);
        let mut fixture = Fixture::run(scenario, 8);
        fixture.summarise();
        fixture.summary.answer = vec!["Four consumers read 3.9 times as fast as one on eight partitions.".into()];
        fixture
    }

    fn run(scenario: Scenario, blocks: u32) -> Self {
        let mut trials = Vec::new();
        for family in 0..scenario.families.len() {
            let first = scenario.families[family].configurations[0];
            trials.push(trial(&scenario, trials.len(), TrialKind::Pilot, 0, first));
        }
        for block in 0..=blocks {
            let kind = if block == 0 {
                TrialKind::Warmup
            } else {
                TrialKind::Counted
            };
            let n = scenario.configurations.len();
            for position in 0..n {
                // A different order in each block, as the plan would draw it.
                let configuration = (position * 5 + block as usize * 7) % n;
                trials.push(trial(
                    &scenario,
                    trials.len(),
                    kind,
                    block.saturating_sub(1),
                    configuration,
                ));
            }
        }
        let environment = environment();
        let summary = Summary {
            schema_version: SUMMARY_SCHEMA_VERSION,
            scenario: scenario.name.clone(),
            question: scenario.question.clone(),
            answer: Vec::new(),
            warnings: Vec::new(),
            complete: true,
            configurations: Vec::new(),
            comparisons: Vec::new(),
        };
        let source = format!("question = \"{}\"\n[dataset]\npartitions = 2\n", scenario.question);
        Fixture {
            scenario,
            trials,
            summary,
            environment,
            source,
        }
    }

    /// A trial that failed, one that was excluded and one that was disturbed.
    fn disturb(&mut self) {
        let counted: Vec<usize> = (0..self.trials.len())
            .filter(|i| self.trials[*i].order.kind == TrialKind::Counted)
            .collect();
        let failed = &mut self.trials[counted[31]];
        failed.measurement = None;
        failed.status = Status::Failed(Failure {
            kind: FailureKind::WorkerDied,
            who: Some("group 1, process 2".into()),
            message: "the worker was ended by signal 9 (KILL)".into(),
        });
        self.trials[counted[52]].status = Status::Excluded {
            reason: "a member had 212 records in its queue at the start".into(),
        };
        self.trials[counted[77]].flags.push(Flag {
            name: "disturbed".into(),
            evidence: "other processes used 12 % of the machine".into(),
        });
    }

    fn summarise(&mut self) {
        let n = self.scenario.configurations.len();
        self.summary.configurations = (0..n).map(|i| self.configuration_summary(i)).collect();
        let mut comparisons = Vec::new();
        for (i, c) in self.scenario.configurations.iter().enumerate() {
            let Some(baseline) = c.baseline else { continue };
            for metric in [Metric::ReadTime, Metric::Stopwatch] {
                comparisons.push(self.comparison(baseline, i, metric));
            }
        }
        self.summary.comparisons = comparisons;
    }

    fn used(&self, configuration: usize) -> Vec<&Measurement> {
        let of = |t: &&Trial| t.order.configuration == configuration;
        self.trials
            .iter()
            .filter(of)
            .filter(|t| t.is_used())
            .filter_map(|t| t.measurement.as_ref())
            .collect()
    }

    fn configuration_summary(&self, index: usize) -> ConfigurationSummary {
        let c = &self.scenario.configurations[index];
        let used = self.used(index);
        let counted = |wanted: &str| {
            let of = |t: &&Trial| t.order.configuration == index && t.order.kind == TrialKind::Counted;
            u32::try_from(
                self.trials
                    .iter()
                    .filter(of)
                    .filter(|t| t.status.as_str() == wanted)
                    .count(),
            )
            .unwrap()
        };
        let seconds = |ns: fn(&Measurement) -> u64| estimate(used.iter().map(|m| ns(m) as f64 / 1e9).collect());
        let partitions = self.scenario.datasets[c.dataset].partitions;
        let idle = c.members().saturating_sub(partitions);
        ConfigurationSummary {
            configuration: index,
            name: c.name.clone(),
            family: c.family,
            members: c.members(),
            idle_members: idle,
            idle_explanation: (idle > 0).then(|| {
                format!("{idle} of {} members had no partition: the range assignor gives each of the {partitions} partitions to one member.", c.members())
            }),
            trials_planned: counted("complete") + counted("failed") + counted("excluded"),
            trials_used: counted("complete"),
            trials_failed: counted("failed"),
            trials_excluded: counted("excluded"),
            record_bytes: 100.0,
            records: used[0].records(),
            records_per_second: Some(estimate(used.iter().map(|m| m.records() as f64 / m.read_ns() as f64 * 1e9).collect())),
            mib_per_second: Some(used[0].bytes() as f64 / used[0].read_ns() as f64 * 1e9 / 1_048_576.0),
            read_seconds: Some(seconds(Measurement::read_ns)),
            join_seconds: Some(0.38),
            stopwatch_seconds: Some(seconds(Measurement::stopwatch_ns)),
            first_record_ms: Some(6.4),
            client_cpu_seconds_per_million: Some(0.31),
            client_cpu_seconds_per_million_stopwatch: Some(0.36),
            broker_cpu_seconds_per_million: Some(0.12),
            lost: 0,
            duplicated: 0,
            not_delivered: 0,
            redelivered: 0,
            work_us_mean: (c.work != Work::None).then(|| c.work.ns() as f64 / 1e3 * 1.01),
        }
    }

    fn comparison(&self, baseline: usize, configuration: usize, metric: Metric) -> Comparison {
        let time = |i: usize| {
            let s = &self.summary.configurations[i];
            let estimate = if metric == Metric::ReadTime {
                s.read_seconds
            } else {
                s.stopwatch_seconds
            };
            estimate.unwrap().point
        };
        let point = time(baseline) / time(configuration);
        let interval = (point * 0.97, point * 1.03);
        let verdict = match interval {
            (low, _) if low > 1.0 => Verdict::Faster,
            (_, high) if high < 1.0 => Verdict::Slower,
            _ if (point - 1.0).abs() < 0.005 => Verdict::Same,
            _ => Verdict::Undecided,
        };
        Comparison {
            baseline,
            configuration,
            metric,
            ratio: Some(Estimate {
                point,
                interval: Some(interval),
                observations: 10,
            }),
            p: Some(0.001_95),
            p_holm: (metric == Metric::ReadTime).then_some(0.0176),
            blocks: 10,
            verdict,
            blocks_more: (verdict == Verdict::Undecided).then_some(6),
        }
    }
}

fn estimate(values: Vec<f64>) -> Estimate {
    let n = values.len() as f64;
    let mean = values.iter().map(|v| v.ln()).sum::<f64>() / n;
    let variance = values.iter().map(|v| (v.ln() - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let half = 2.262 * (variance / n).sqrt();
    Estimate {
        point: mean.exp(),
        interval: Some(((mean - half).exp(), (mean + half).exp())),
        observations: values.len(),
    }
}

fn configuration(name: String, case: &str, processes: u32, consumers: u32) -> Configuration {
    Configuration {
        name,
        case: case.to_owned(),
        axis_values: Vec::new(),
        key_values: Vec::new(),
        family: 0,
        dataset: 0,
        baseline: None,
        groups: 1,
        processes,
        consumers,
        membership: Membership::Group(GroupProtocol::Classic { assignor: None }),
        commit: Commit::None,
        work: Work::None,
        buffers: Buffers::Each,
        read: Read::Batch,
        place: 0,
        client: ClientSettings::default(),
    }
}

fn family(name: String, first: usize, step: usize, end: usize) -> Family {
    Family {
        name,
        configurations: (first..end).step_by(step).collect(),
        record_multiple: 8,
        records_max: 8_000_000,
    }
}

fn scenario(name: &str, configurations: Vec<Configuration>, axes: Vec<Axis>) -> Scenario {
    Scenario {
        name: name.to_owned(),
        question: String::new(),
        seed: 42,
        repetitions: 10,
        warmup_blocks: 1,
        threshold: 0.03,
        trial: TrialLength::Seconds(1.0),
        cluster: ClusterSpec {
            source: ClusterSource::Local {
                brokers: 1,
                version: "4.3.1".into(),
            },
            prefix: "tandem".into(),
            client: BTreeMap::from([("socket.keepalive.enable".into(), PropertyValue::Literal("true".into()))]),
        },
        places: vec![Place {
            name: "here".into(),
            launcher: Vec::new(),
            cpus: None,
            listener: None,
        }],
        axes,
        keys_in_use: Vec::new(),
        configurations,
        families: Vec::new(),
        datasets: vec![DatasetSpec {
            topics: 1,
            partitions: 2,
            records: 8_000_000,
            size: Size::Fixed(100),
            keys: Keys::None,
            weights: Vec::new(),
            compression: Compression::None,
            replication: 1,
        }],
        warnings: vec!["The data set was rounded up to 8,000,000 records so that partitions are equal.".into()],
    }
}

fn environment() -> Environment {
    let setting = |name: &str, value: &str, reason: &str| Setting {
        name: name.into(),
        value: value.into(),
        reason: reason.into(),
    };
    Environment {
        schema_version: ENVIRONMENT_SCHEMA_VERSION,
        tandem_version: "0.1.0".into(),
        host: "bench".into(),
        system: "Debian GNU/Linux 12 (bookworm)".into(),
        kernel: "6.1.0-18-amd64".into(),
        processor: "AMD EPYC 7B13".into(),
        cores: 2,
        memory_bytes: 8 << 30,
        governor: None,
        cluster: ClusterEnvironment {
            local: true,
            bootstrap: "127.0.0.1:41233".into(),
            brokers: 1,
            version: Some("4.3.1".into()),
            java: Some("17.0.13".into()),
            deviations: vec![
                setting(
                    "group.initial.rebalance.delay.ms",
                    "150",
                    "members join in 0.4 s instead of 3",
                ),
                setting("offsets.topic.replication.factor", "1", "fits the number of brokers"),
            ],
        },
        client: ClientEnvironment {
            name: "librdkafka".into(),
            version: "2.12.1".into(),
            features: "gzip, snappy, ssl, sasl, lz4, zstd".into(),
            allocator: "mimalloc".into(),
            deviations: vec![setting(
                "fetch.queue.backoff.ms",
                "10",
                "1000 leaves the reader idle with full queues",
            )],
        },
    }
}

/// A figure between -1 and 1 that looks random and is the same for the same seed.
fn noise(seed: usize) -> f64 {
    let x = (seed as f64 + 1.0) * 12.9898;
    (x.sin() * 43_758.545_3).fract()
}

/// Records per second that a configuration would read with members on this many partitions.
fn true_rate(scenario: &Scenario, c: &Configuration) -> f64 {
    let active = f64::from(c.members().min(scenario.datasets[c.dataset].partitions));
    match c.work {
        Work::None => 3.1e6 * (1.0 + 0.42 * (active - 1.0).min(1.0)) / (1.0 + 0.1 * f64::from(c.consumers - 1)),
        Work::Cpu { .. } => 1.9e5 * (1.0 + 0.31 * (active - 1.0)),
        Work::Wait { ns } => 1e9 / ns as f64 * active / (1.0 + 0.012 * active * (active - 1.0)),
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn trial(scenario: &Scenario, index: usize, kind: TrialKind, block: u32, configuration: usize) -> Trial {
    let c = &scenario.configurations[configuration];
    let rate = true_rate(scenario, c) * (1.0 + 0.03 * noise(index));
    let first_rate = true_rate(
        scenario,
        &scenario.configurations[scenario.families[c.family].configurations[0]],
    );
    let records = (first_rate * 1.2) as u64 / 8 * 8;
    let number = u32::try_from(index).unwrap() + 1;
    Trial {
        schema_version: TRIAL_SCHEMA_VERSION,
        order: TrialOrder {
            number,
            kind,
            block,
            position: number % 9,
            configuration,
            records,
        },
        configuration_name: c.name.clone(),
        session: 1,
        started_at: jiff::Timestamp::from_second(1_763_720_000 + 3 * i64::from(number)).unwrap(),
        status: Status::Complete,
        flags: Vec::new(),
        measurement: Some(measurement(
            scenario,
            c,
            records,
            (records as f64 / rate * 1e9) as u64,
            index,
        )),
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn measurement(scenario: &Scenario, c: &Configuration, records: u64, read_ns: u64, seed: usize) -> Measurement {
    let spawn_ns = 1_000_000_000_000;
    let subscribe_ns = spawn_ns + 60_000_000 + u64::from(c.processes) * 15_000_000;
    let joined_ns = subscribe_ns + 380_000_000 + (noise(seed + 7) * 4e7) as u64;
    let start_ns = joined_ns + 110_000_000;
    let partitions = u64::from(scenario.datasets[c.dataset].partitions);
    let members: Vec<_> = (0..c.members())
        .map(|m| member(c, m, partitions, records / partitions, start_ns, read_ns))
        .collect();
    let cores = 1.9_f64.min(0.8 + 0.5 * f64::from(c.processes));
    let process_cpu_ns = (read_ns as f64 * cores * 0.8 / f64::from(c.processes)) as u64;
    let usage = |cpu_ns: u64, wall_ns: u64| ProcessUsage {
        wall_ns,
        cpu_ns,
        ..ProcessUsage::default()
    };
    let processes = (0..c.processes)
        .map(|process| ProcessMeasurement {
            group: 0,
            process,
            pid: 4000 + process,
            client: "librdkafka".into(),
            client_version: "2.12.1".into(),
            spawn_ns,
            hello_ns: spawn_ns + 20_000_000,
            ready_ns: subscribe_ns - 5_000_000,
            window: Some(usage(process_cpu_ns, read_ns)),
            stopwatch: Some(usage(process_cpu_ns + 40_000_000, read_ns + start_ns - spawn_ns)),
        })
        .collect();
    Measurement {
        start_ns,
        spawn_ns,
        subscribe_ns,
        joined_ns,
        end_ns: start_ns + read_ns,
        records_expected: records,
        lost: 0,
        duplicated: 0,
        redelivered: 0,
        not_delivered: 0,
        processes,
        members,
        host: HostMeasurement {
            wall_ns: read_ns,
            cores: 2,
            cpu: HostCpu::default(),
            brokers_cpu_ns: vec![read_ns / 6],
            coordinator_cpu_ns: read_ns / 100,
            others_cpu_ns: read_ns / 50,
        },
        not_observed: Vec::new(),
    }
}

/// The `index`-th member; it reads every partition whose number is its own modulo the number of members.
fn member(
    c: &Configuration,
    index: u32,
    partitions: u64,
    records_each: u64,
    start_ns: u64,
    read_ns: u64,
) -> MemberMeasurement {
    let mine: Vec<u64> = (0..partitions)
        .filter(|p| p % u64::from(c.members()) == u64::from(index))
        .collect();
    let first_record_ns = start_ns + 5_000_000 + u64::from(index) * 900_000;
    let assigned: Vec<_> = mine
        .iter()
        .map(|p| TopicPartition {
            topic: 0,
            partition: i32::try_from(*p).unwrap(),
        })
        .collect();
    MemberMeasurement {
        process: index / c.consumers,
        consumer: index % c.consumers,
        assigned_ns: (!mine.is_empty()).then_some(start_ns - 200_000_000),
        first_record_ns: (!mine.is_empty()).then_some(first_record_ns),
        last_record_ns: (!mine.is_empty()).then_some(start_ns + read_ns),
        work_ns: (c.work != Work::None).then_some(c.work.ns() * records_each * mine.len() as u64),
        queued_at_start: Some(0),
        partitions: assigned
            .iter()
            .map(|tp| PartitionMeasurement {
                topic: 0,
                partition: tp.partition,
                records: records_each,
                bytes: records_each * 100,
                first_ns: Some(first_record_ns),
                last_ns: Some(start_ns + read_ns),
                runs: None,
                series: Some(series(records_each, read_ns, u64::try_from(tp.partition).unwrap())),
            })
            .collect(),
        assigned,
        ..MemberMeasurement::default()
    }
}

/// Records in buckets of 10 ms, the later partitions slower at first.
fn series(records: u64, read_ns: u64, partition: u64) -> Series {
    let bucket_ns = 10_000_000;
    let buckets = read_ns.div_ceil(bucket_ns).max(1);
    let weight = |b: u64| if b * 3 < buckets { 6 - partition.min(4) } else { 6 };
    let total: u64 = (0..buckets).map(weight).sum();
    let mut counts: Vec<u64> = (0..buckets).map(|b| records * weight(b) / total).collect();
    let rest = records - counts.iter().sum::<u64>();
    if let Some(last) = counts.last_mut() {
        *last += rest;
    }
    Series { bucket_ns, counts }
}
