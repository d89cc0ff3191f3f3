//! Which number of blocks the quick form of a scenario should have.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tandem::stats::{Estimate, SIGNIFICANCE, Side, decide, holm, sign_flip_p};

use crate::leaving::{Decided, Finished, Layout, simulate};
use crate::noise::{self, KINDS, Noise};
use crate::runs::THRESHOLD;

/// Runs of so many blocks, whatever they say: t interval and sign flips.
fn fixed(noise: &Noise, layout: &Layout, runs: usize, blocks: usize) -> Vec<Finished> {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let run = |_| {
        let figures = noise::run(noise, &layout.truths, blocks, &mut random);
        let logs_of = |(baseline, configuration): &(usize, usize)| -> Vec<f64> {
            let pairs = figures[*configuration].iter().zip(&figures[*baseline]);
            pairs.map(|(own, base)| own - base).collect()
        };
        let logs: Vec<Vec<f64>> = layout.pairs.iter().map(logs_of).collect();
        let p: Vec<f64> = logs.iter().map(|logs| sign_flip_p(logs, 1).unwrap_or(1.0)).collect();
        let estimate = |logs: &Vec<f64>| Estimate::geometric(&logs.iter().map(|log| log.exp()).collect::<Vec<f64>>());
        let ratios: Vec<Option<Estimate>> = logs.iter().map(estimate).collect();
        let side = |(ratio, p): (&Option<Estimate>, f64)| {
            let interval = ratio.and_then(|ratio| ratio.interval);
            interval.map_or(Side::Open, |interval| decide(interval, THRESHOLD, p <= SIGNIFICANCE))
        };
        Finished {
            sides: ratios.iter().zip(holm(&p)).map(side).collect(),
            ratios,
            trials: blocks * layout.truths.len(),
        }
    };
    (0..runs).map(run).collect()
}

/// Prints what each rule costs and decides.
pub fn print(runs: usize) {
    println!("\nthe quick form: three configurations, two of them compared with the first");
    println!(
        "| noise | true ratios | blocks | % of comparisons decided | mean trials | false, % |\n|---|---|---|---|---|---|"
    );
    let layouts = [
        Layout::new("1 and 1.4", &[&[1.0, 1.4]]),
        Layout::new("1.05 and 1.4", &[&[1.05, 1.4]]),
        Layout::new("1.4 and 2", &[&[1.4, 2.0]]),
    ];
    for noise in [&KINDS[0], &KINDS[1]] {
        for layout in &layouts {
            let row = |rule: &str, ended: &[Finished]| {
                let share = |hits: usize, of: usize| 100.0 * hits as f64 / of as f64;
                let decided = |run: &Finished| run.sides.iter().filter(|side| **side != Side::Open).count();
                let all: usize = ended.iter().map(decided).sum();
                let trials: usize = ended.iter().map(|run| run.trials).sum();
                let wrong = ended.iter().filter(|run| run.has_false_verdict(layout)).count();
                println!(
                    "| {} | {} | {rule} | {:.1} | {:.1} | {:.2} |",
                    noise.name,
                    layout.name,
                    share(all, ended.len() * layout.pairs.len()),
                    trials as f64 / ended.len() as f64,
                    share(wrong, ended.len())
                );
            };
            row("7", &fixed(noise, layout, runs, 7));
            for at_most in [7, 8, 10, 12] {
                let ended = simulate(noise, layout, runs, (at_most, Decided::Leaves), 1);
                row(&format!("until decided, at most {at_most}"), &ended);
            }
        }
    }
}
