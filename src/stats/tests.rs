#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "tests")]

use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal};

use super::*;

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

fn positive(sizes: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(0.01..100.0_f64, sizes)
}

#[test]
fn t_quantiles_agree_with_the_printed_tables() {
    for (freedom, expected) in [(1.0, 12.7062), (4.0, 2.7764), (9.0, 2.2622), (30.0, 2.0423)] {
        let found = t_quantile(0.975, freedom);
        assert!((found - expected).abs() < 1e-4, "{freedom} degrees of freedom: {found}");
    }
}

#[test]
fn a_geometric_estimate_agrees_with_one_made_by_hand() {
    // Logs 0, 1, 2: mean 1, standard deviation 1, t(0.975, 2) = 4.302653, half width 2.484138.
    let values: Vec<f64> = [0.0_f64, 1.0, 2.0].iter().map(|log| log.exp()).collect();
    let estimate = Estimate::geometric(&values).unwrap();
    let (low, high) = estimate.interval.unwrap();
    assert!((estimate.point - 1.0_f64.exp()).abs() < 1e-12);
    assert!((low.ln() - (1.0 - 2.484_138)).abs() < 1e-5, "{}", low.ln());
    assert!((high.ln() - (1.0 + 2.484_138)).abs() < 1e-5);
}

#[test]
fn one_observation_has_no_interval_and_none_has_no_estimate() {
    assert_eq!(Estimate::geometric(&[2.0]).unwrap().interval, None);
    assert_eq!(Estimate::geometric(&[]), None);
    assert_eq!(Estimate::geometric(&[1.0, 0.0]), None);
}

#[test]
fn the_t_interval_covers_the_truth_as_often_as_it_says() {
    let mut random = ChaCha8Rng::seed_from_u64(42);
    let population = LogNormal::new(0.5_f64.ln(), 0.1).unwrap();
    for observations in [6, 10, 20] {
        let trials = 4_000;
        let covered = (0..trials)
            .filter(|_| {
                let sample: Vec<f64> = (0..observations).map(|_| population.sample(&mut random)).collect();
                let (low, high) = Estimate::geometric(&sample).unwrap().interval.unwrap();
                low <= 0.5 && 0.5 <= high
            })
            .count();
        let share = covered as f64 / f64::from(trials);
        assert!((0.93..=0.97).contains(&share), "{observations} observations: {share}");
    }
}

#[test]
fn five_differences_of_one_sign_give_the_smallest_p_there_is() {
    assert_eq!(sign_flip_p(&[1.0, 2.0, 0.5, 1.5, 3.0], 1), Some(2.0 / 32.0));
    assert_eq!(sign_flip_p(&[0.0, 0.0], 1), Some(1.0));
    assert_eq!(sign_flip_p(&[], 1), None);
    // Patterns of 1, 2, 3 by sum: 6, 4, 2, 0, 0, -2, -4, -6; at least 4 away from 0: four of eight.
    assert_eq!(sign_flip_p(&[-1.0, 2.0, 3.0], 1), Some(0.5));
}

#[test]
fn many_differences_are_tested_at_random_close_to_the_exact_p() {
    // 20 differences of 1 with 5 negative: 15 or more of 20 equal signs, 2 (15504+4845+1140+190+20+1)/2^20.
    let mut differences = vec![1.0; 20];
    differences[..5].fill(-1.0);
    let exact = sign_flip_p(&differences, 7).unwrap();
    assert!(close(exact, 2.0 * 21_700.0 / 1_048_576.0), "{exact}");
    // A 21st of 0 changes nothing but the method.
    differences.push(0.0);
    let random = sign_flip_p(&differences, 7).unwrap();
    assert!((random - exact).abs() < 0.003, "{random} against {exact}");
    assert_eq!(sign_flip_p(&differences, 7), Some(random));
    // Never 0, however clear.
    assert_eq!(sign_flip_p(&[1.0; 40], 7), Some(1.0 / 100_001.0));
}

#[test]
fn holm_agrees_with_a_worked_example() {
    let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
    for (found, expected) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
        assert!(close(*found, expected), "{adjusted:?}");
    }
}

#[test]
fn noise_asks_for_the_blocks_whose_interval_lies_inside_the_threshold() {
    // ln 1.03 = 0.02956; t(0.975, 9) 0.04 / sqrt(10) = 0.02861, t(0.975, 8) 0.04 / 3 = 0.03075.
    assert_eq!(observations_to_resolve(0.04, 0.03), Some(10));
    assert_eq!(observations_to_resolve(0.0, 0.03), Some(2));
    assert_eq!(observations_to_resolve(1.0, 0.03), None);
}

#[test]
fn verdicts_need_more_blocks_with_more_comparisons() {
    assert_eq!(observations_for_significance(1, 0.05), 6);
    assert_eq!(observations_for_significance(2, 0.05), 7);
    assert_eq!(observations_for_significance(6, 0.05), 8);
}

#[test]
fn a_narrow_interval_is_equivalent_even_if_it_excludes_one() {
    assert_eq!(decide((1.001, 1.02), 0.03, true), Side::Equivalent);
    assert_eq!(decide((1.001, 1.04), 0.03, true), Side::Above);
    assert_eq!(decide((1.001, 1.04), 0.03, false), Side::Open);
    assert_eq!(decide((0.9, 0.99), 0.03, true), Side::Below);
    assert_eq!(decide((0.98, 1.04), 0.03, true), Side::Open);
    assert!(is_material((1.04, 1.1), 0.03) && !is_material((1.01, 1.1), 0.03));
}

#[test]
fn a_forecast_is_the_first_number_that_decides() {
    // 2.0 s / sqrt(n) = 0.05: about 63 observations at s = 0.2.
    let needed = observations_needed(0.05, 0.2, 10, 0.0, 0.05).unwrap();
    assert!((60..=68).contains(&needed), "{needed}");
    // A difference of nothing is settled by the threshold.
    let same = observations_needed(0.0, 0.05, 10, 0.03_f64.ln_1p(), 0.05).unwrap();
    assert!((13..=16).contains(&same), "{same}");
    // No threshold and no difference: never.
    assert_eq!(observations_needed(0.0, 0.05, 10, 0.0, 0.05), None);
    assert_eq!(observations_needed(0.5, 0.05, 2, 0.03_f64.ln_1p(), 0.05), None);
    // Clear, but four observations cannot be significant: six can, eight with six comparisons.
    assert_eq!(observations_needed(0.5, 0.001, 4, 0.03_f64.ln_1p(), 0.05), Some(6));
    assert_eq!(
        observations_needed(0.5, 0.001, 4, 0.03_f64.ln_1p(), 0.05 / 6.0),
        Some(8)
    );
}

#[test]
fn quantiles_are_interpolated() {
    assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    assert_eq!(quantile(&[1.0, 2.0], 0.25), Some(1.25));
    assert_eq!(quantile(&[], 0.5), None);
    assert_eq!(standard_deviation(&[1.0]), None);
    assert_eq!(standard_deviation(&[1.0, 3.0]), Some(2.0_f64.sqrt()));
}

proptest! {
    #[test]
    fn an_interval_contains_its_point(values in positive(2..30)) {
        let estimate = Estimate::geometric(&values).unwrap();
        let (low, high) = estimate.interval.unwrap();
        prop_assert!(low <= estimate.point * (1.0 + 1e-12) && estimate.point <= high * (1.0 + 1e-12));
    }

    #[test]
    fn an_estimate_scales_with_its_values(values in positive(2..30), factor in 0.01..100.0_f64) {
        let one = Estimate::geometric(&values).unwrap();
        let scaled: Vec<f64> = values.iter().map(|v| v * factor).collect();
        let other = Estimate::geometric(&scaled).unwrap();
        prop_assert!(close(one.point * factor, other.point));
        prop_assert!((one.interval.unwrap().1 * factor / other.interval.unwrap().1 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn exchanging_the_sides_of_a_ratio_inverts_it(pairs in prop::collection::vec((0.1..10.0_f64, 0.1..10.0_f64), 2..20)) {
        let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let ratio_of = |first: &[f64], second: &[f64]| {
            let ratios: Vec<f64> = first.iter().zip(second).map(|(a, b)| a / b).collect();
            Estimate::geometric(&ratios).unwrap()
        };
        let ratio = ratio_of(&a, &b);
        let inverse = ratio_of(&b, &a);
        prop_assert!(close(ratio.point * inverse.point, 1.0));
        prop_assert!((ratio.interval.unwrap().0 * inverse.interval.unwrap().1 - 1.0).abs() < 1e-9);
        // The ratio of geometric means is the geometric mean of ratios.
        let rows = Estimate::geometric(&a).unwrap().point / Estimate::geometric(&b).unwrap().point;
        prop_assert!(close(rows, ratio.point));
    }

    #[test]
    fn an_exact_p_counts_patterns(differences in prop::collection::vec(-10.0..10.0_f64, 1..12)) {
        let patterns = 2.0_f64.powi(i32::try_from(differences.len()).unwrap());
        let p = sign_flip_p(&differences, 0).unwrap();
        prop_assert!(p >= 2.0 / patterns && p <= 1.0);
        let pairs = p * patterns / 2.0;
        prop_assert!(close(pairs, pairs.round()), "{p} is no multiple of 2 / {patterns}");
        let mirrored: Vec<f64> = differences.iter().map(|d| -d * 3.0).collect();
        prop_assert_eq!(sign_flip_p(&mirrored, 0).unwrap(), p);
    }

    #[test]
    fn holm_never_lowers_a_p_and_keeps_their_order(p in prop::collection::vec(0.0..=1.0_f64, 0..15)) {
        let adjusted = holm(&p);
        for i in 0..p.len() {
            prop_assert!(adjusted[i] >= p[i] && adjusted[i] <= 1.0);
            for j in 0..p.len() {
                prop_assert!(p[i] > p[j] || adjusted[i] <= adjusted[j]);
            }
        }
    }

    #[test]
    fn a_quantile_lies_among_the_values(values in positive(1..30), share in 0.0..=1.0_f64) {
        let found = quantile(&values, share).unwrap();
        prop_assert!(quantile(&values, 0.0).unwrap() <= found && found <= quantile(&values, 1.0).unwrap());
    }

    #[test]
    fn a_forecast_lies_beyond_what_was_observed(
        log_mean in -0.5..0.5_f64, deviation in 0.001..0.5_f64, observations in 0..50_usize,
    ) {
        if let Some(needed) = observations_needed(log_mean, deviation, observations, 0.03_f64.ln_1p(), 0.05) {
            prop_assert!(needed > observations && needed <= 1000);
        }
    }
}
