//! What a trial costs besides reading: the account of its ledger, and the messages that carry progress and results.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tandem::measure::ledger::{ExpectedRange, Reading, account};
use tandem::measure::{OffsetRun, PartitionMeasurement, Series, TopicPartition};
use tandem::protocol::{FromWorker, MemberResult, Position, WorkerResult};

/// Partitions of the trial; each has one reader.
const PARTITIONS: i32 = 8;
/// Partitions that the messages tell of.
const MESSAGE_PARTITIONS: i32 = 64;
/// Records in each.
const RECORDS: i64 = 1_000_000;

fn partition(number: i32) -> TopicPartition {
    TopicPartition {
        topic: 0,
        partition: number,
    }
}

/// All offsets of a partition in runs of this many records: one where nothing happens, many where owners change.
fn runs(records_per_run: i64) -> Vec<OffsetRun> {
    let run = |first| OffsetRun {
        first,
        end: (first + records_per_run).min(RECORDS),
        epoch: 1,
    };
    (0..RECORDS)
        .step_by(usize::try_from(records_per_run).unwrap_or(1))
        .map(run)
        .collect()
}

fn ledger(criterion: &mut Criterion) {
    let expected: Vec<ExpectedRange> = (0..PARTITIONS)
        .map(|number| ExpectedRange {
            partition: partition(number),
            low: 0,
            end: RECORDS,
        })
        .collect();
    let mut group = criterion.benchmark_group("account");
    for (name, records_per_run) in [("few long runs", RECORDS), ("many short runs", 10)] {
        let runs = runs(records_per_run);
        let names: Vec<String> = (1..=PARTITIONS)
            .map(|number| format!("group 1, process {number}, consumer 1"))
            .collect();
        let readings: Vec<Reading<'_>> = (0..PARTITIONS)
            .zip(&names)
            .map(|(number, member)| Reading {
                member,
                partition: partition(number),
                runs: &runs,
                was_killed: false,
            })
            .collect();
        group.throughput(Throughput::Elements((runs.len() * names.len()) as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let account = account(black_box(&expected), black_box(&readings));
                assert!(account.is_exact());
                account
            });
        });
    }
    group.finish();
}

/// A worker's progress over all partitions.
fn progress() -> FromWorker {
    let position = |number| Position {
        topic: 0,
        partition: number,
        offset: RECORDS / 2,
    };
    FromWorker::Progress {
        positions: (0..MESSAGE_PARTITIONS).map(position).collect(),
    }
}

/// The result of a worker that read all partitions alone, with a second of records over time.
fn result() -> FromWorker {
    let partition = |number| PartitionMeasurement {
        topic: 0,
        partition: number,
        records: RECORDS.unsigned_abs(),
        bytes: RECORDS.unsigned_abs() * 100,
        first_ns: Some(81_234_567_890_123),
        last_ns: Some(82_234_567_890_123),
        runs: Some(runs(10_000)),
        series: Some(Series {
            bucket_ns: 10_000_000,
            counts: vec![10_000; 100],
        }),
        flow: Vec::new(),
        latencies: None,
        waits: Vec::new(),
    };
    FromWorker::Result(Box::new(WorkerResult {
        members: vec![MemberResult {
            partitions: (0..MESSAGE_PARTITIONS).map(partition).collect(),
            ..MemberResult::default()
        }],
        ..WorkerResult::default()
    }))
}

fn protocol(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("message");
    for (name, message) in [("progress", progress()), ("result", result())] {
        let line = serde_json::to_vec(&message).unwrap_or_default();
        group.throughput(Throughput::Bytes(line.len() as u64));
        group.bench_function(format!("write {name}"), |bencher| {
            // The line is made anew each time, as the worker makes it.
            bencher.iter(|| serde_json::to_vec(black_box(&message)));
        });
        group.bench_function(format!("read {name}"), |bencher| {
            bencher.iter_batched(
                || line.clone(),
                |line| serde_json::from_slice::<FromWorker>(&line),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, ledger, protocol);
criterion_main!(benches);
