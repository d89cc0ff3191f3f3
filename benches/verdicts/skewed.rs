//! Intervals that allow for skewness, on paired differences of figures that are skewed themselves: whether one of them
//! holds the truth more often than Student's.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{ContinuousCDF, StudentsT};
use tandem::stats::{CONFIDENCE, bootstrap_t, mean, sign_flip_p, standard_deviation};

use super::differences::KINDS;

type Interval = (f64, f64);

/// Simulated runs without zeros, equal and with twice the size, of 6, 10 and 20 blocks.
pub fn print(runs: usize) {
    println!(
        "\n% of {runs} runs whose interval of paired differences holds the truth, and its median width beside Student's:"
    );
    println!(
        "| figure | blocks | Student | Johnson | Hall | bootstrap-t | sign flips inverted |\n|---|---|---|---|---|---|---|"
    );
    for kind in KINDS.iter().filter(|kind| kind.present >= 1.0) {
        for is_doubled in [false, true] {
            for blocks in [6, 10, 20] {
                let mut random = ChaCha8Rng::seed_from_u64(blocks as u64);
                let mut held = [0_usize; 5];
                let mut widths: [Vec<f64>; 4] = Default::default();
                for run in 0..runs {
                    let (differences, truth) = kind.run(is_doubled, blocks, &mut random);
                    let intervals = intervals(&differences, run as u64);
                    let width = |(low, high): Interval| (high - low) / (intervals[0].1 - intervals[0].0);
                    for (method, interval) in intervals.into_iter().enumerate() {
                        held[method] += usize::from(interval.0 <= truth && truth <= interval.1);
                        widths[method].push(width(interval));
                    }
                    let about: Vec<f64> = differences.iter().map(|difference| difference - truth).collect();
                    held[4] += usize::from(sign_flip_p(&about, 1).is_some_and(|p| p > 1.0 - CONFIDENCE));
                }
                let share = |method: usize| format!("{:.1}", 100.0 * held[method] as f64 / runs as f64);
                let cells: Vec<String> = (0..4)
                    .map(|method| format!("{} ({:.2})", share(method), middle(&mut widths[method])))
                    .collect();
                let what = if is_doubled { "twice" } else { "equal" };
                println!(
                    "| {}, {what} | {blocks} | {} | {} |",
                    kind.name,
                    cells.join(" | "),
                    share(4)
                );
            }
        }
    }
}

/// Of the mean: Student (1908); Johnson, "Modified t tests and confidence intervals for asymmetrical populations", Journal
/// of the American Statistical Association 73 (1978); Hall, "On the removal of skewness by transformation", Journal of the
/// Royal Statistical Society B 54 (1992); and bootstrap-t.
fn intervals(values: &[f64], seed: u64) -> [Interval; 4] {
    let n = values.len() as f64;
    let centre = mean(values).expect("values");
    let deviation = standard_deviation(values).expect("several values");
    let third: f64 = values.iter().map(|value| (value - centre).powi(3)).sum::<f64>() / n;
    let skewness = third / (deviation * ((n - 1.0) / n).sqrt()).powi(3);
    let unbiased = skewness * (n * (n - 1.0)).sqrt() / (n - 2.0);
    let quantile = StudentsT::new(0.0, 1.0, n - 1.0).expect("degrees of freedom");
    let quantile = quantile.inverse_cdf(1.0 - (1.0 - CONFIDENCE) / 2.0);
    let half = quantile * deviation / n.sqrt();
    let shift = skewness * deviation / (6.0 * n);
    let untransformed = |x: f64| 3.0 / unbiased * ((1.0 + unbiased * (x - unbiased / (6.0 * n))).cbrt() - 1.0);
    let [low, high] = [1.0, -1.0].map(|sign| centre - deviation * untransformed(sign * quantile / n.sqrt()));
    [
        (centre - half, centre + half),
        (centre + shift - half, centre + shift + half),
        (low, high),
        bootstrap_t(values, seed).unwrap_or((centre - half, centre + half)),
    ]
}

fn middle(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
