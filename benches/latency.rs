//! What it costs a reader to record a record's latency, and a worker to send its histograms.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tandem::measure::latency::{Latencies, LatencyRecorder, RecordTimes};

/// Records of one round.
const RECORDS: u64 = 4_096;

/// The way of a record with latencies as they spread in a live trial: 100 us to 50 ms.
fn times(number: u64) -> RecordTimes {
    let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let intended_ns = 81_234_567_890_123 + number * 5_000;
    RecordTimes {
        intended_ns,
        sent_ns: intended_ns + 2_000 + spread / 1_000,
        received_ns: intended_ns + 100_000 + spread,
        started_ns: intended_ns + 101_000 + spread * 2,
        finished_ns: intended_ns + 102_000 + spread * 3,
    }
}

fn latency(criterion: &mut Criterion) {
    let all: Vec<RecordTimes> = (0..RECORDS).map(times).collect();
    let mut group = criterion.benchmark_group("latency");
    group.throughput(Throughput::Elements(RECORDS));
    group.bench_function("record one part", |bencher| {
        let mut recorder = LatencyRecorder::default();
        bencher.iter(|| {
            for times in black_box(&all) {
                recorder.record(times.intended_ns, times.finished_ns);
            }
        });
    });
    group.bench_function("record five parts", |bencher| {
        let mut latencies = Latencies::default();
        bencher.iter(|| {
            for times in black_box(&all) {
                latencies.record(times);
            }
        });
    });
    group.finish();
    let mut latencies = Latencies::default();
    for times in &all {
        latencies.record(times);
    }
    let mut group = criterion.benchmark_group("five histograms");
    group.bench_function("write", |bencher| {
        bencher.iter(|| serde_json::to_string(black_box(&latencies)));
    });
    group.bench_function("merge", |bencher| {
        let mut sum = Latencies::default();
        bencher.iter(|| sum.merge(black_box(&latencies)));
    });
    group.finish();
}

criterion_group!(benches, latency);
criterion_main!(benches);
