//! What tandem's verdicts are worth, by simulation: how often they are wrong, how soon they come, how often their
//! intervals miss. Prints the figures of docs/method.md; `cargo bench --bench verdicts`, with `-- RUNS` for another
//! number of simulated runs than 10,000, and with `-- one`, `-- leaving`, `-- quick`, `-- differences` or
//! `-- skewed` for a part of it.

#![allow(clippy::expect_used, reason = "a simulation that cannot be made has nothing to say")]

mod differences;
mod leaving;
mod noise;
mod quick;
mod runs;
mod skewed;

use leaving::{Decided, Finished, Layout};
use noise::KINDS;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use runs::{THRESHOLD, simulate, upper_limit};
use statrs::distribution::{ContinuousCDF, StudentsT};
use tandem::stats::{self, Estimate, SIGNIFICANCE, Sequential, Side};

const RUNS: usize = 10_000;
const AT_MOST: usize = 40;
const FIRST: usize = 6;
const SEEDS: [u64; 3] = [1, 2, 3];

/// Blocks at most where a scenario does not say.
const USUAL: usize = 20;

fn main() {
    let given: Vec<String> = std::env::args()
        .skip(1)
        .filter(|given| !given.starts_with("--"))
        .collect();
    let runs = given.iter().find_map(|argument| argument.parse().ok()).unwrap_or(RUNS);
    let parts: Vec<&String> = given
        .iter()
        .filter(|argument| argument.parse::<usize>().is_err())
        .collect();
    let is_wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| *wanted == part);
    println!("{runs} simulated runs each; looks after every block from the first look on\n");
    if is_wanted("one") {
        print_naive(runs);
        print_power(runs);
        print_coverage(runs);
    }
    if is_wanted("leaving") {
        print_leaving(runs);
        print_saved(runs);
    }
    if is_wanted("quick") {
        quick::print(runs);
    }
    if is_wanted("differences") {
        print_differences(runs);
    }
    if is_wanted("skewed") {
        skewed::print(runs);
    }
}

/// Whole runs of several comparisons, of which some may differ, as configurations leave them.
fn print_leaving(runs: usize) {
    let layouts = [
        Layout::new("1", &[&[1.0]]),
        Layout::new("3", &[&[1.0, 1.0, 1.0]]),
        Layout::new("6 in 3 families", &[&[1.0, 1.0], &[1.0, 1.0], &[1.0, 1.0]]),
        Layout::new("3, of which 2 differ", &[&[1.4, 0.7, 1.0]]),
        Layout::new("6, of which 4 differ", &[&[1.0, 1.4], &[1.0, 2.0], &[1.1, 1.9]]),
    ];
    println!(
        "\nconfigurations leave, at most {USUAL} blocks: faster or slower where nothing is, % of runs, the worst of \
         seeds 1, 2, 3 [upper 95 % limit]; % of intervals that hold the truth, the least of all:"
    );
    let names: Vec<&str> = layouts.iter().map(|layout| layout.name).collect();
    println!(
        "| noise | {} | intervals |\n|---|---|---|---|---|---|---|",
        names.join(" | ")
    );
    for noise in &KINDS {
        let mut least = f64::INFINITY;
        let cells = layouts.iter().map(|layout| {
            let of_seed = |seed| {
                let ended = leaving::simulate(noise, layout, runs, (USUAL, Decided::Leaves), seed);
                let covered: usize = ended.iter().map(|run| run.covered(layout)).sum();
                least = least.min(100.0 * covered as f64 / (runs * layout.pairs.len()) as f64);
                ended.iter().filter(|run| run.has_false_verdict(layout)).count()
            };
            let hits = SEEDS.map(of_seed).into_iter().max().unwrap_or(0);
            let percent = |share: f64| 100.0 * share;
            format!(
                "{:.2} [{:.2}]",
                percent(hits as f64 / runs as f64),
                percent(upper_limit(hits, runs))
            )
        });
        let cells: Vec<String> = cells.collect();
        println!("| {} | {} | {least:.1} |", noise.name, cells.join(" | "));
    }
}

/// What leaving saves, for a scenario as the default one.
fn print_saved(runs: usize) {
    let layouts = [
        Layout::new("1.02, 1.4; 1, 1.9; 2, 2", &[&[1.02, 1.4], &[1.0, 1.9], &[2.0, 2.0]]),
        Layout::new("1, 1, 1.4", &[&[1.0, 1.0, 1.4]]),
        Layout::new("2, 3, 4", &[&[2.0, 3.0, 4.0]]),
    ];
    println!("\nat most {USUAL} blocks: trials of a run (mean), and % of runs in which everything is decided:");
    println!("| true ratios | noise | 10 blocks | until all are decided together | decided | leaving | decided |");
    println!("|---|---|---|---|---|---|---|");
    for layout in &layouts {
        for noise in [&KINDS[0], &KINDS[1]] {
            let [stays, leaves] = [Decided::Stays, Decided::Leaves].map(|decided| {
                let ended = leaving::simulate(noise, layout, runs, (USUAL, decided), 1);
                let trials: usize = ended.iter().map(|run| run.trials).sum();
                let decided = ended.iter().filter(|run| Finished::is_decided(run)).count();
                let each = |number: usize| number as f64 / runs as f64;
                format!("{:.1} | {:.1}", each(trials), 100.0 * each(decided))
            });
            let fixed = 10 * layout.truths.len();
            println!("| {} | {} | {fixed} | {stays} | {leaves} |", layout.name, noise.name);
        }
    }
}

/// Runs of two equal configurations that stop as soon as an ordinary t test says so, and end with a difference.
fn print_naive(runs: usize) {
    let noise = &KINDS[2];
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let differ = |_: &usize| {
        let figures = noise::run(noise, &[0.0, 0.0], AT_MOST, &mut random);
        naively_different(&noise::log_ratios(&figures)[0])
    };
    let share = 100.0 * (0..runs).filter(differ).count() as f64 / runs as f64;
    println!(
        "{}, a t test at 5 % at every look: {share:.1} % of equal ones end with a difference",
        noise.name
    );
}

fn naively_different(logs: &[f64]) -> bool {
    let edge = THRESHOLD.ln_1p();
    for n in FIRST..=logs.len() {
        let logs = &logs[..n];
        let p = |value| t_test(logs, value);
        let centre = stats::mean(logs).unwrap_or(f64::NAN);
        if centre.abs() < edge && p(edge) <= SIGNIFICANCE && p(-edge) <= SIGNIFICANCE {
            return false;
        }
        if p(0.0) <= SIGNIFICANCE {
            return true;
        }
    }
    false
}

/// p of the ordinary two-sided t test that the mean is `value`.
fn t_test(logs: &[f64], value: f64) -> f64 {
    let n = logs.len() as f64;
    let centre = stats::mean(logs).unwrap_or(f64::NAN) - value;
    let error = stats::standard_deviation(logs).unwrap_or(f64::NAN) / n.sqrt();
    let student = StudentsT::new(0.0, 1.0, n - 1.0).expect("two or more values");
    2.0 * student.sf((centre / error).abs())
}

fn print_power(runs: usize) {
    println!("\none comparison, {}, % of runs:", KINDS[0].name);
    let share = |truth: f64, wanted: Side, within: usize| {
        let ended = simulate(&KINDS[0], &[truth], runs, AT_MOST, 1);
        let hits = ended
            .iter()
            .filter(|run| run.sides[0] == wanted && run.blocks <= within);
        100.0 * hits.count() as f64 / runs as f64
    };
    let edge = THRESHOLD.ln_1p();
    println!(
        "- 5 % faster, called faster in at most 12 blocks: {:.1}",
        share(1.05_f64.ln(), Side::Above, 12)
    );
    println!(
        "- no difference, called same in at most {AT_MOST} blocks: {:.1}",
        share(0.0, Side::Equivalent, AT_MOST)
    );
    println!(
        "- faster by just the threshold, called same: {:.1}",
        share(edge, Side::Equivalent, AT_MOST)
    );
}

fn print_coverage(runs: usize) {
    println!("\n% of runs whose interval holds the truth:");
    println!(
        "| noise | t, 6 blocks | 10 | 20 | bootstrap-t, 6 | 10 | 20 | sequential, all looks |\n|---|---|---|---|---|---|---|---|"
    );
    let sequential = Sequential::new(FIRST, AT_MOST);
    for noise in &KINDS {
        let mut random = ChaCha8Rng::seed_from_u64(9);
        let mut covered = [0_usize; 7];
        for _ in 0..runs {
            // Runs of so many blocks of their own: a drift is over the whole of a run.
            for (i, blocks) in [6, 10, 20].into_iter().enumerate() {
                let logs = pair(noise, blocks, &mut random);
                let ratios: Vec<f64> = logs.iter().map(|log| log.exp()).collect();
                let t = Estimate::geometric(&ratios).and_then(|ratio| ratio.interval);
                covered[i] += usize::from(t.is_some_and(|(low, high)| low <= TRUTH && TRUTH <= high));
                let resampled = stats::bootstrap_t(&logs, 1);
                let truth = TRUTH.ln();
                covered[3 + i] += usize::from(resampled.is_some_and(|(low, high)| low <= truth && truth <= high));
            }
            let logs = pair(noise, AT_MOST, &mut random);
            let holds = |n: usize| {
                let interval = sequential.ratio(&logs[..n]).and_then(|ratio| ratio.interval);
                interval.is_some_and(|(low, high)| low <= TRUTH && TRUTH <= high)
            };
            covered[6] += usize::from((FIRST..=AT_MOST).all(holds));
        }
        let shares = covered.map(|hits| format!("{:.1}", 100.0 * hits as f64 / runs as f64));
        println!("| {} | {} |", noise.name, shares.join(" | "));
    }
    println!("\n(significance {SIGNIFICANCE}, threshold {THRESHOLD}, true ratio {TRUTH})");
}

/// Figures that can be 0, compared by differences.
fn print_differences(runs: usize) {
    println!(
        "\nby differences, looks to {AT_MOST} blocks and then {} fixed blocks, % of runs:",
        differences::FIXED
    );
    println!(
        "| figure | equal ones called different, seed 1 | seed 2 | seed 3 | just the threshold called same | \
         intervals that hold the truth |\n|---|---|---|---|---|---|"
    );
    for kind in &differences::KINDS {
        let seeds = SEEDS.map(|seed| differences::simulate(kind, runs, FIRST, AT_MOST, seed));
        let share = |hits: usize, of: usize| 100.0 * hits as f64 / of.max(1) as f64;
        let called = seeds.map(|happened| {
            let [looks, fixed] = happened.called;
            let limit = |hits| 100.0 * upper_limit(hits, runs);
            format!(
                "{:.2} [{:.2}], {:.2} [{:.2}]",
                share(looks, runs),
                limit(looks),
                share(fixed, runs),
                limit(fixed)
            )
        });
        let first = seeds[0];
        let same = first.same.map(|hits| format!("{:.2}", share(hits, runs))).join(", ");
        let covered = [0, 1].map(|i| format!("{:.1}", share(first.covered[i], first.with_interval[i])));
        println!(
            "| {} | {} | {same} | {} |",
            kind.name,
            called.join(" | "),
            covered.join(", ")
        );
    }
}

const TRUTH: f64 = 1.04;

fn pair(noise: &noise::Noise, blocks: usize, random: &mut ChaCha8Rng) -> Vec<f64> {
    let figures = noise::run(noise, &[0.0, TRUTH.ln()], blocks, random);
    noise::log_ratios(&figures).swap_remove(0)
}
