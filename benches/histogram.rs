//! What measuring latency costs a record: one recorded value of an HDR histogram of nanoseconds with three significant
//! digits, for latencies that stay alike and for those that are spread over decades; and what merging two costs a trial.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hdrhistogram::Histogram;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Values recorded in one iteration: what a poll of the client hands over.
const BATCH: usize = 10_000;
/// The longest latency that is told apart, in nanoseconds: ten minutes.
const LONGEST_NS: u64 = 600_000_000_000;

fn empty() -> Histogram<u64> {
    match Histogram::new_with_bounds(1, LONGEST_NS, 3) {
        Ok(histogram) => histogram,
        Err(error) => panic!("these bounds are allowed: {error}"),
    }
}

/// Latencies in nanoseconds, equally likely in each decade from 10 to the power of `from` to that of `to`.
fn latencies(from: f64, to: f64) -> Vec<u64> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let draw = |_| 10f64.powf(rng.random_range(from..to)).round();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 1 us to 10 s in ns"
    )]
    (0..BATCH).map(draw).map(|ns| ns as u64).collect()
}

fn record(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("record");
    group.throughput(Throughput::Elements(BATCH as u64));
    for (name, from, to) in [("alike, about 1 ms", 5.9, 6.1), ("spread, 1 us to 10 s", 3.0, 10.0)] {
        let values = latencies(from, to);
        let mut histogram = empty();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for value in black_box(&values) {
                    histogram.saturating_record(*value);
                }
            });
        });
        assert!(histogram.len() >= BATCH as u64);
    }
    group.finish();
}

fn merge(criterion: &mut Criterion) {
    let mut part = empty();
    for value in latencies(3.0, 10.0) {
        part.saturating_record(value);
    }
    let mut whole = empty();
    criterion.bench_function("merge", |bencher| {
        bencher.iter(|| whole.add(black_box(&part)));
    });
}

criterion_group!(benches, record, merge);
criterion_main!(benches);
