//! Whether verdicts keep their promises in simulated runs. The same simulations in full size:
//! `cargo bench --bench verdicts`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../benches/verdicts/differences.rs"]
mod differences;
#[path = "../benches/verdicts/leaving.rs"]
mod leaving;
#[path = "../benches/verdicts/noise.rs"]
mod noise;
#[path = "../benches/verdicts/runs.rs"]
mod runs;

use leaving::{Decided, Finished, Layout};
use noise::KINDS;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use runs::{THRESHOLD, simulate, upper_limit};
use tandem::stats::{self, Estimate, Sequential, Side};

const RUNS: usize = 3_000;
const AT_MOST: usize = 40;
/// Blocks at most where a scenario does not say.
const USUAL: usize = 20;

fn share(hits: usize) -> f64 {
    hits as f64 / RUNS as f64
}

/// One comparison, three with one baseline, and three families, of which some configurations leave at the first look.
fn layouts() -> [Layout; 4] {
    [
        Layout::new("1", &[&[1.0]]),
        Layout::new("3", &[&[1.0, 1.0, 1.0]]),
        Layout::new("3, of which 2 differ", &[&[1.4, 0.7, 1.0]]),
        Layout::new("6, of which 4 differ", &[&[1.0, 1.4], &[1.0, 2.0], &[1.1, 1.9]]),
    ]
}

fn leaving(noise: &noise::Noise, layout: &Layout, decided: Decided, seed: u64) -> Vec<Finished> {
    leaving::simulate(noise, layout, RUNS, (USUAL, decided), seed)
}

#[test]
fn equal_configurations_are_seldom_called_different_however_noisy_the_machine() {
    for (seed, noise) in (1..).zip(&KINDS) {
        for layout in layouts() {
            let ended = leaving(noise, &layout, Decided::Leaves, seed);
            let hits = ended.iter().filter(|run| run.has_false_verdict(&layout)).count();
            // Two standard errors of so many runs above what is promised; in full size the upper limit is below 5.5 %.
            assert!(
                share(hits) <= 0.05 + 0.008,
                "{}, {}: {}",
                noise.name,
                layout.name,
                share(hits)
            );
            let covered: usize = ended.iter().map(|run| run.covered(&layout)).sum();
            let covered = share(covered) / layout.pairs.len() as f64;
            assert!(covered >= 0.95 - 0.008, "{}, {}: {covered}", noise.name, layout.name);
        }
    }
}

#[test]
fn configurations_that_leave_save_trials_and_decide_as_much() {
    let layout = Layout::new("", &[&[1.0, 1.0, 1.4]]);
    let [stays, leaves] = [Decided::Stays, Decided::Leaves].map(|decided| leaving(&KINDS[0], &layout, decided, 1));
    let trials = |ended: &[Finished]| ended.iter().map(|run| run.trials).sum::<usize>() as f64 / RUNS as f64;
    assert!(
        trials(&leaves) < 0.85 * trials(&stays),
        "{} and {}",
        trials(&leaves),
        trials(&stays)
    );
    let decided = |ended: &[Finished]| share(ended.iter().filter(|run| run.is_decided()).count());
    assert!(
        decided(&leaves) >= decided(&stays) - 0.01,
        "{} and {}",
        decided(&leaves),
        decided(&stays)
    );
    let least = layout.truths.len() * stats::first_look(layout.pairs.len(), stats::SIGNIFICANCE);
    assert!(leaves.iter().all(|run| run.trials >= least));
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
        let limit = upper_limit(happened.called[0], RUNS);
        assert!(limit <= 0.055, "{}: {limit}: {happened:?}", kind.name);
        // One test at 5 %, and three standard errors of so many runs.
        let of_fixed = share(happened.called[1]);
        assert!(of_fixed <= 0.05 + 0.012, "{}: {of_fixed}: {happened:?}", kind.name);
        // Skewness costs: docs/method.md says how much.
        for same in happened.same.map(share) {
            assert!(same <= 0.08, "{}: {same}: {happened:?}", kind.name);
        }
        for (covered, made) in happened.covered.into_iter().zip(happened.with_interval) {
            let covered = covered as f64 / made as f64;
            assert!(covered >= 0.9, "{}: {covered}: {happened:?}", kind.name);
        }
    }
}
