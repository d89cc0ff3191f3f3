//! The reader's whole loop over records in memory: what counting, ledger, dispatch, and measuring how long each record
//! waited cost per record, without a client.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tandem::worker::Rehearsal;

fn reader(criterion: &mut Criterion) {
    let plain = Rehearsal::new(8, 50_000);
    let stamped = Rehearsal::new(8, 50_000).stamped();
    let mut group = criterion.benchmark_group("reader");
    group.throughput(Throughput::Elements(plain.len() as u64));
    for (name, rehearsal, threads) in [
        ("counted", &plain, 1),
        ("dispatched to two threads", &plain, 2),
        ("measured", &stamped, 1),
        ("dispatched to two threads and measured", &stamped, 2),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || rehearsal.stage(),
                |stage| {
                    assert_eq!(stage.read(threads), rehearsal.len() as u64);
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
