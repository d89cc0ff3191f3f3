//! Whether verdicts keep their promises in simulated runs. The same simulations in full size:
//! `cargo bench --bench verdicts`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../benches/verdicts/differences.rs"]
mod differences;
#[path = "../benches/verdicts/noise.rs"]
mod noise;
#[path = "../benches/verdicts/runs.rs"]
mod runs;

use noise::KINDS;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use runs::{THRESHOLD, called, simulate, upper_limit};
use tandem::stats::{Estimate, Sequential, Side};

const RUNS: usize = 3_000;
const AT_MOST: usize = 40;

fn share(hits: usize) -> f64 {
    hits as f64 / RUNS as f64
}

#[test]
fn equal_configurations_are_seldom_called_different_however_noisy_the_machine() {
    for (seed, noise) in (1..).zip(&KINDS) {
        for comparisons in [1, 3] {
            let hits = called(&simulate(noise, &vec![0.0; comparisons], RUNS, AT_MOST, seed));
            let limit = upper_limit(hits, RUNS);
            assert!(
                limit <= 0.055,
                "{}, {comparisons} comparisons: {} (up to {limit})",
                noise.name,
                share(hits)
            );
        }
    }
}

#[test]
fn a_difference_of_5_percent_is_called_in_at_most_12_blocks() {
    let ended = simulate(&KINDS[0], &[1.05_f64.ln()], RUNS, AT_MOST, 1);
    let soon = ended
        .iter()
        .filter(|run| run.sides[0] == Side::Above && run.blocks <= 12);
    let soon = share(soon.count());
    assert!(soon >= 0.9, "{soon}");
}

#[test]
fn no_difference_is_called_same_in_at_most_40_blocks() {
    let ended = simulate(&KINDS[0], &[0.0], RUNS, AT_MOST, 1);
    let same = share(ended.iter().filter(|run| run.sides[0] == Side::Equivalent).count());
    assert!(same >= 0.9, "{same}");
}

#[test]
fn a_difference_at_the_threshold_is_seldom_called_same() {
    let ended = simulate(&KINDS[0], &[THRESHOLD.ln_1p()], RUNS, AT_MOST, 1);
    let same = share(ended.iter().filter(|run| run.sides[0] == Side::Equivalent).count());
    assert!(same <= 0.05, "{same}");
}

#[test]
fn intervals_of_a_fixed_number_of_blocks_cover_the_truth_as_often_as_they_say() {
    for noise in &KINDS[..3] {
        for blocks in [6, 10, 20] {
            let mut random = ChaCha8Rng::seed_from_u64(2);
            let covered = (0..RUNS).filter(|_| {
                let figures = noise::run(noise, &[0.0, 1.04_f64.ln()], blocks, &mut random);
                let ratios: Vec<f64> = noise::log_ratios(&figures)[0].iter().map(|log| log.exp()).collect();
                let (low, high) = Estimate::geometric(&ratios).unwrap().interval.unwrap();
                low <= 1.04 && 1.04 <= high
            });
            let covered = share(covered.count());
            assert!(
                (0.93..=0.97).contains(&covered),
                "{}, {blocks} blocks: {covered}",
                noise.name
            );
        }
    }
}

#[test]
fn sequential_intervals_cover_the_truth_at_all_looks_together() {
    let sequential = Sequential::new(6, AT_MOST);
    for noise in &KINDS {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let covered = (0..RUNS).filter(|_| {
            let figures = noise::run(noise, &[0.0, 1.04_f64.ln()], AT_MOST, &mut random);
            let logs = &noise::log_ratios(&figures)[0];
            (6..=AT_MOST).all(|n| {
                let (low, high) = sequential.ratio(&logs[..n]).unwrap().interval.unwrap();
                low <= 1.04 && 1.04 <= high
            })
        });
        let covered = share(covered.count());
        // Three standard errors of so many runs under what is promised; in full size it is above.
        assert!(covered >= 0.95 - 0.012, "{}: {covered}", noise.name);
    }
}

#[test]
fn verdicts_by_differences_keep_their_promises_however_many_figures_are_zero() {
    for (seed, kind) in (1..).zip(&differences::KINDS) {
        let happened = differences::simulate(kind, RUNS, 6, AT_MOST, seed);
        for method in [0, 1] {
            let limit = upper_limit(happened.called[method], RUNS);
            assert!(limit <= 0.055, "{}: {limit}: {happened:?}", kind.name);
            let same = share(happened.same[method]);
            assert!(same <= 0.05, "{}: {same}: {happened:?}", kind.name);
        }
    }
}
