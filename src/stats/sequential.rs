//! Looking after every block without being fooled by it: intervals and p that hold over all looks at once, so that a
//! run may stop whenever they say enough.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::descriptive::{mean, standard_deviation};
use super::estimate::half_width;
use super::{CONFIDENCE, Estimate, observations_for_significance, t_quantile};

/// No look is made at fewer observations: their deviation is too uncertain to be worth a share of the error.
const FIRST_LOOK_MIN: usize = 6;

/// Simulated paths behind a table, and the draws that they may take together where there are many looks.
const PATHS_MAX: usize = 50_000;
const PATHS_MIN: usize = 10_000;
const DRAWS: usize = 4_000_000;

/// The tables are the same in every run and on every machine.
const SEED: u64 = 0x7461_6e64_656d;

/// Nominal levels of a table: from 1 down to 10^-7, so many to a factor of ten.
const LEVELS_PER_DECADE: usize = 24;
const DECADES: usize = 7;

/// The share of simulated paths is raised by so many of its standard errors, so that chance in the table does not cost
/// validity.
const MARGIN_ERRORS: f64 = 2.0;

/// And by this factor, because blocks' log-ratios are only roughly normal.
const MARGIN: f64 = 1.1;

/// The first look that a run should make whose largest family has so many `comparisons`: from there on there are so many
/// blocks that the signs of the differences could carry a verdict after Holm's correction. The verdict itself is by t, and
/// rests on the blocks' log-ratios being roughly normal; with fewer blocks that would be known least.
pub fn first_look(comparisons: usize, significance: f64) -> usize {
    (observations_for_significance(comparisons, significance) as usize).max(FIRST_LOOK_MIN)
}

/// A t test repeated after every observation from a first to a last one, each time at the same nominal level, which is
/// chosen so that the error over all looks together is what is promised: the boundary of Pocock, "Group sequential
/// methods in the design and analysis of clinical trials", Biometrika 64 (1977), with the t statistic of each look in
/// place of z (Jennison and Turnbull, "Group Sequential Methods with Applications to Clinical Trials" (2000), section
/// 4.4). Its intervals are their repeated confidence intervals (chapter 9): whenever the run stops, and for whatever
/// reason, the probability that any of them misses the truth is at most 1 - confidence.
///
/// The path of the t statistic of normal values does not depend on their deviation, so one table by simulation (seeded,
/// hence the same everywhere) serves all data: for each nominal level the share of paths without a difference that come
/// to it at any look. It is raised by two standard errors and a tenth, but never above the sum over the looks (Bonferroni).
#[derive(Debug)]
pub struct Sequential {
    first: usize,
    last: usize,
    /// (nominal level, error over all looks), as natural logarithms, both ascending.
    errors: Vec<(f64, f64)>,
    /// Half of each look's interval in standard deviations, from the first look on.
    half_widths: Vec<f64>,
}

impl Sequential {
    /// The method for looks after every observation from `first` (at least 2) to `last` (at least `first`). Made once
    /// for each such pair, in about a tenth of a second.
    pub fn new(first: usize, last: usize) -> Arc<Sequential> {
        static MADE: Mutex<BTreeMap<(usize, usize), Arc<Sequential>>> = Mutex::new(BTreeMap::new());
        let first = first.max(2);
        let last = last.max(first);
        // A table in the map is complete, even if another thread panicked.
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let table = made
            .entry((first, last))
            .or_insert_with(|| Arc::new(Sequential::made(first, last)));
        Arc::clone(table)
    }

    fn made(first: usize, last: usize) -> Sequential {
        let mut sequential = Sequential {
            first,
            last,
            errors: errors(first, last),
            half_widths: Vec::new(),
        };
        let level = sequential.nominal(1.0 - CONFIDENCE);
        sequential.half_widths = (first..=last).map(|n| half_width(1.0, n, level)).collect();
        sequential
    }

    /// Observations at the first look.
    pub fn first(&self) -> usize {
        self.first
    }

    /// Observations at the last look.
    pub fn last(&self) -> usize {
        self.last
    }

    /// The error over all looks of a test that stops at this nominal level.
    pub fn overall(&self, nominal: f64) -> f64 {
        let lowest = self.errors.first().map_or(f64::NEG_INFINITY, |(level, _)| *level);
        if nominal.ln() < lowest {
            // Below the table: the sum over the looks.
            return (nominal * self.looks()).min(1.0);
        }
        between(&self.errors, nominal.ln(), |point| *point).exp().min(1.0)
    }

    /// The nominal level whose error over all looks is `overall`; the inverse of [`Sequential::overall`].
    pub fn nominal(&self, overall: f64) -> f64 {
        let lowest = self.errors.first().map_or(f64::NEG_INFINITY, |(_, error)| *error);
        if overall.ln() < lowest {
            return overall / self.looks();
        }
        let turned = |(level, error): &(f64, f64)| (*error, *level);
        between(&self.errors, overall.ln(), turned).exp().min(1.0)
    }

    fn looks(&self) -> f64 {
        (self.last - self.first + 1) as f64
    }

    /// The mean with its interval of this look, simultaneous over all looks; no interval before the first look.
    /// Observations beyond the last look do not count. `None` of nothing.
    pub fn mean(&self, values: &[f64]) -> Option<Estimate> {
        let values = &values[..values.len().min(self.last)];
        let centre = mean(values)?;
        let deviation = standard_deviation(values).filter(|_| values.len() >= self.first);
        let interval = deviation.map(|deviation| {
            let half = deviation * self.half_widths[values.len() - self.first];
            (centre - half, centre + half)
        });
        Some(Estimate {
            point: centre,
            interval,
            observations: values.len(),
        })
    }

    /// The mean of logarithms, exponentiated, with the interval of [`Sequential::mean`].
    pub fn ratio(&self, logs: &[f64]) -> Option<Estimate> {
        Some(self.mean(logs)?.map(f64::exp))
    }

    /// Two-sided p that the mean is 0, valid at whatever look it is read: the error over all looks of the boundary that
    /// this look's t just touches. It is at most 1 - confidence exactly where the interval of [`Sequential::mean`]
    /// excludes 0. `None` before the first look.
    pub fn p(&self, values: &[f64]) -> Option<f64> {
        let values = &values[..values.len().min(self.last)];
        let n = values.len();
        let (centre, deviation) = (mean(values)?, standard_deviation(values).filter(|_| n >= self.first)?);
        if centre == 0.0 {
            return Some(1.0);
        }
        let t = centre.abs() / (deviation / (n as f64).sqrt());
        Some(self.overall(nominal_p(t, n)))
    }

    /// The number of observations from which an interval and test at `significance` would probably decide, if mean and
    /// standard deviation stayed as they are over the `observations` made. `None` where that is
    /// beyond the last look, or there are too few observations.
    pub fn observations_needed(
        &self,
        mean: f64,
        deviation: f64,
        observations: usize,
        edge: f64,
        significance: f64,
    ) -> Option<usize> {
        if observations < 3 || !mean.is_finite() || !deviation.is_finite() {
            return None;
        }
        let strict = self.nominal(significance.min(1.0 - CONFIDENCE));
        let inside = |n| mean.abs() + deviation * self.half_widths[n - self.first] < edge;
        let excluded = |n| mean.abs() > half_width(deviation, n, strict);
        ((observations + 1).max(self.first)..=self.last).find(|&n| inside(n) || excluded(n))
    }

    /// The number of observations from which half the interval, on the log scale, would probably be at most
    /// `log_half_width`. `None` as for [`Sequential::observations_needed`].
    pub fn observations_for_width(
        &self,
        log_deviation: f64,
        observations: usize,
        log_half_width: f64,
    ) -> Option<usize> {
        if observations < 3 || !log_deviation.is_finite() {
            return None;
        }
        ((observations + 1).max(self.first)..=self.last)
            .find(|&n| log_deviation * self.half_widths[n - self.first] <= log_half_width)
    }
}

/// Two-sided p of Student's t with n - 1 degrees of freedom.
fn nominal_p(t: f64, n: usize) -> f64 {
    StudentsT::new(0.0, 1.0, (n - 1) as f64).map_or(f64::NAN, |student| 2.0 * student.sf(t))
}

/// Linear interpolation at `x`. `turned` maps each point to (x, y), ascending in x. Outside of the points, the value of
/// the nearest one.
fn between(points: &[(f64, f64)], x: f64, turned: impl Fn(&(f64, f64)) -> (f64, f64)) -> f64 {
    let after = points.partition_point(|point| turned(point).0 < x);
    let before = after.checked_sub(1).and_then(|before| points.get(before));
    match (before.map(&turned), points.get(after).map(&turned)) {
        (Some((x0, y0)), Some((x1, y1))) => y0 + (y1 - y0) * (x - x0) / (x1 - x0),
        (Some((_, y)), None) | (None, Some((_, y))) => y,
        (None, None) => f64::NAN,
    }
}

/// For every nominal level the share of simulated paths without a difference whose t reaches it at any look.
fn errors(first: usize, last: usize) -> Vec<(f64, f64)> {
    let levels: Vec<f64> = (0..=DECADES * LEVELS_PER_DECADE)
        .map(|step| 10.0_f64.powf(-(step as f64) / LEVELS_PER_DECADE as f64))
        .collect();
    let looks = (last - first + 1) as f64;
    let paths = (DRAWS / last).clamp(PATHS_MIN, PATHS_MAX);
    let reached = reached(first, last, &levels, paths);
    let paths = paths as f64;
    let error = |(level, reached): (&f64, usize)| {
        let reached = reached as f64;
        let raised = MARGIN * (reached + MARGIN_ERRORS * (reached + 1.0).sqrt() + 1.0) / paths;
        (level.ln(), raised.max(*level).min(level * looks).min(1.0).ln())
    };
    let mut errors: Vec<(f64, f64)> = levels.iter().zip(reached).map(error).collect();
    errors.reverse();
    // Where every path had come to a level, so had it to those above: ties would have no inverse.
    errors.dedup_by(|later, earlier| later.1 <= earlier.1);
    errors
}

/// How many of `paths` come to each of the descending `levels` at any look.
fn reached(first: usize, last: usize, levels: &[f64], paths: usize) -> Vec<usize> {
    // t^2 = n S^2 (n - 1) / (n Q - S^2) / n, with S the sum and Q that of the squares, is compared without a division.
    let bounds: Vec<Vec<f64>> = (first..=last).map(|n| critical_shares(n, levels)).collect();
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut deepest = vec![0_usize; levels.len() + 1];
    for _ in 0..paths {
        let (mut sum, mut squares, mut depth) = (0.0, 0.0, 0);
        for n in 1..=last {
            let value: f64 = StandardNormal.sample(&mut random);
            sum += value;
            squares += value * value;
            if n >= first {
                let bounds = &bounds[n - first];
                while depth < bounds.len() && sum * sum >= bounds[depth] * squares {
                    depth += 1;
                }
            }
        }
        deepest[depth] += 1;
    }
    // A path that came to a level came to all above it.
    let mut further = 0;
    let mut reached: Vec<usize> = deepest[1..]
        .iter()
        .rev()
        .map(|paths| {
            further += paths;
            further
        })
        .collect();
    reached.reverse();
    reached
}

/// S^2 / Q at which t of n values has just these two-sided levels: n t^2 / (t^2 + n - 1).
fn critical_shares(n: usize, levels: &[f64]) -> Vec<f64> {
    let freedom = (n - 1) as f64;
    let share = |level: &f64| {
        let squared = t_quantile(1.0 - level / 2.0, freedom).powi(2);
        n as f64 * squared / (squared + freedom)
    };
    levels.iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp, reason = "tests")]

    use proptest::prelude::*;

    use super::*;
    use crate::stats::{SIGNIFICANCE, sign_flip_p};

    fn normal(n: usize, mean: f64, random: &mut ChaCha8Rng) -> Vec<f64> {
        let value = |_| {
            let z: f64 = StandardNormal.sample(random);
            mean + 0.03 * z
        };
        (0..n).map(value).collect()
    }

    #[test]
    fn one_look_is_the_t_test() {
        let once = Sequential::new(8, 8);
        for level in [0.2, 0.05, 0.003] {
            assert!(
                (once.overall(level) / level - 1.0).abs() < 1e-9,
                "{}",
                once.overall(level)
            );
        }
        let logs = [0.01, 0.03, -0.01, 0.02, 0.04, 0.0, 0.02, 0.01];
        let ratios: Vec<f64> = logs.iter().map(|log: &f64| log.exp()).collect();
        let (fixed, looked) = (Estimate::geometric(&ratios).unwrap(), once.ratio(&logs).unwrap());
        assert!((fixed.interval.unwrap().0 - looked.interval.unwrap().0).abs() < 1e-9);
        assert_eq!(looked.observations, 8);
    }

    #[test]
    fn more_looks_cost_more_and_never_more_than_their_sum() {
        let nominal = |last| Sequential::new(6, last).nominal(0.05);
        assert!(nominal(10) > nominal(20) && nominal(20) > nominal(40));
        for (last, looks) in [(10, 5.0), (40, 35.0)] {
            let sequential = Sequential::new(6, last);
            for level in [1e-9, 1e-5, 1e-3, 0.02] {
                let error = sequential.overall(level);
                assert!(
                    error >= level && error <= looks * level * (1.0 + 1e-9),
                    "{level}: {error}"
                );
            }
        }
    }

    #[test]
    fn before_the_first_look_there_is_neither_interval_nor_p() {
        let sequential = Sequential::new(6, 40);
        let logs = [0.1, 0.2, 0.1, 0.2, 0.1];
        let ratio = sequential.ratio(&logs).unwrap();
        assert_eq!((ratio.interval, ratio.observations), (None, 5));
        assert_eq!((sequential.p(&logs), sequential.ratio(&[])), (None, None));
    }

    #[test]
    fn the_first_look_comes_when_signs_alone_could_carry_a_verdict() {
        for comparisons in 1..30 {
            let first = first_look(comparisons, SIGNIFICANCE);
            let p = sign_flip_p(&vec![1.0; first], 0).unwrap();
            assert!(
                first >= 6 && p * comparisons as f64 <= SIGNIFICANCE,
                "{comparisons}: {first}"
            );
        }
    }

    #[test]
    fn differences_without_scatter_are_certain_and_none_at_all_are_equal() {
        let sequential = Sequential::new(6, 40);
        assert_eq!(sequential.p(&[0.02; 6]), Some(0.0));
        assert_eq!(sequential.p(&[0.0; 6]), Some(1.0));
    }

    #[test]
    fn looking_at_every_block_errs_no_more_often_than_promised() {
        let sequential = Sequential::new(6, 30);
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let (runs, mut misses, mut naive) = (2_000, 0, 0);
        for _ in 0..runs {
            let logs = normal(30, 0.0, &mut random);
            let missed = |n: usize| sequential.p(&logs[..n]).unwrap() <= SIGNIFICANCE;
            misses += i32::from((6..=30).any(missed));
            let (low, high) = Estimate::geometric(&logs.iter().map(|l| l.exp()).collect::<Vec<_>>())
                .unwrap()
                .interval
                .unwrap();
            naive += i32::from(low > 1.0 || high < 1.0);
        }
        let share = f64::from(misses) / f64::from(runs);
        // 4.5 % are meant: 95 % less the margin. The standard error of 2,000 runs is 0.5 %.
        assert!((0.03..=0.06).contains(&share), "{share}; fixed: {naive}");
    }

    #[test]
    fn the_forecast_is_about_what_is_needed() {
        let sequential = Sequential::new(6, 40);
        // 95 % nominal level 0.0061: t of 20 is 3.09, and 3.09 * 0.04 / sqrt(20) = 0.0276 < ln 1.03.
        let needed = sequential
            .observations_needed(0.0, 0.04, 10, 0.03_f64.ln_1p(), 0.05)
            .unwrap();
        assert!((17..=21).contains(&needed), "{needed}");
        assert_eq!(
            sequential.observations_needed(0.0, 0.4, 10, 0.03_f64.ln_1p(), 0.05),
            None
        );
        assert_eq!(
            sequential.observations_needed(0.0, 0.04, 2, 0.03_f64.ln_1p(), 0.05),
            None
        );
        let (one, two) = (
            sequential.observations_for_width(0.02, 5, 0.02),
            sequential.observations_for_width(0.02, 5, 0.01),
        );
        assert!(one.unwrap() < two.unwrap_or(41), "{one:?} {two:?}");
    }

    proptest! {
        #[test]
        fn p_is_small_exactly_where_the_interval_excludes_1(logs in prop::collection::vec(-0.05..0.1_f64, 6..40)) {
            let sequential = Sequential::new(6, 40);
            let (low, high) = sequential.ratio(&logs).unwrap().interval.unwrap();
            let p = sequential.p(&logs).unwrap();
            prop_assert!((p - 0.05).abs() < 1e-6 || (p < 0.05) == (low > 1.0 || high < 1.0), "{p} {low} {high}");
        }

        #[test]
        fn level_and_error_are_each_others_inverse(exponent in -8.0..-0.05_f64) {
            let sequential = Sequential::new(7, 25);
            let level = 10.0_f64.powf(exponent);
            let error = sequential.overall(level);
            prop_assert!(error >= 0.999_999 || (sequential.nominal(error) / level - 1.0).abs() < 1e-6);
            prop_assert!(sequential.overall(level * 1.1) >= error);
        }
    }
}
