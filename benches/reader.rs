//! The reader's whole loop over records in memory: what counting, ledger and dispatch cost per record, without a
//! client.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tandem::worker::Rehearsal;

fn reader(criterion: &mut Criterion) {
    let rehearsal = Rehearsal::new(8, 50_000);
    let mut group = criterion.benchmark_group("reader");
    group.throughput(Throughput::Elements(rehearsal.len() as u64));
    for (name, threads, accounting) in [
        ("counted", 1, true),
        ("followed only", 1, false),
        ("dispatched to two threads", 2, true),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || rehearsal.stage(),
                |stage| {
                    assert_eq!(stage.read(threads, accounting), rehearsal.len() as u64);
                    stage
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, reader);
criterion_main!(benches);
