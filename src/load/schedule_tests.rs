#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::*;
use crate::load::Step;

const SECOND: u64 = 1_000_000_000;

fn schedule(arrivals: Arrivals, profile: Profile, seconds: u64) -> Schedule {
    Schedule::new(arrivals, profile, seconds * SECOND, 7).unwrap()
}

fn times(schedule: &Schedule, index: u32, producers: u32) -> Vec<u64> {
    schedule.times_of(index, producers).unwrap().collect()
}

/// The times of all producers together, in order.
fn union(schedule: &Schedule, producers: u32) -> Vec<u64> {
    let mut all: Vec<u64> = (0..producers)
        .flat_map(|index| times(schedule, index, producers))
        .collect();
    all.sort_unstable();
    all
}

fn profiles() -> Vec<(Profile, f64)> {
    let step = |from_ns, rate| Step { from_ns, rate };
    vec![
        (Profile::Constant { rate: 1_000.0 }, 10_000.0),
        (Profile::Constant { rate: 0.5 }, 5.0),
        (
            Profile::Steps(vec![step(0, 100.0), step(2 * SECOND, 0.0), step(5 * SECOND, 2_000.0)]),
            10_200.0,
        ),
        (Profile::Ramp { from: 0.0, to: 1_000.0 }, 5_000.0),
        (Profile::Ramp { from: 1_000.0, to: 0.0 }, 5_000.0),
        (
            Profile::Bursts {
                base: 10.0,
                burst: 5_000.0,
                every_ns: 4 * SECOND,
                for_ns: SECOND / 2,
            },
            // Bursts at 0, 4 and 8 s.
            3.0 * 2_500.0 + 8.5 * 10.0,
        ),
    ]
}

#[test]
fn constant_arrivals_are_as_many_as_the_profile_asks_for_however_many_producers_share_them() {
    for (profile, expected) in profiles() {
        let schedule = schedule(Arrivals::Constant, profile, 10);
        assert!((schedule.expected() - expected).abs() < 1e-6, "{schedule:?}");
        let alone = union(&schedule, 1);
        assert!((alone.len() as f64 - expected.ceil()).abs() < 0.5, "{schedule:?}");
        assert!(alone.iter().all(|time| *time < schedule.duration_ns()));
        for producers in [2, 3, 7] {
            assert_eq!(
                union(&schedule, producers),
                alone,
                "{producers} producers of {schedule:?}"
            );
        }
    }
}

#[test]
fn poisson_arrivals_follow_the_profile_wherever_one_looks() {
    for (profile, _) in profiles().into_iter().filter(|(_, expected)| *expected > 100.0) {
        let schedule = schedule(Arrivals::Poisson, profile, 10);
        for producers in [1, 4] {
            let all = union(&schedule, producers);
            for second in 0..10 {
                let (from, end) = (second * SECOND, (second + 1) * SECOND);
                let got = all.iter().filter(|time| (from..end).contains(*time)).count() as f64;
                let expected = schedule.expected_until(end) - schedule.expected_until(from);
                // Five standard deviations, for 120 looks.
                assert!(
                    (got - expected).abs() <= 5.0 * expected.sqrt() + 1e-9,
                    "{got} for {expected}: {schedule:?}"
                );
            }
        }
    }
}

#[test]
fn poisson_gaps_are_exponential_for_each_producer_and_for_all_together() {
    let schedule = schedule(Arrivals::Poisson, Profile::Constant { rate: 20_000.0 }, 10);
    for (all, rate) in [
        (union(&schedule, 1), 20_000.0),
        (union(&schedule, 4), 20_000.0),
        (times(&schedule, 2, 4), 5_000.0),
    ] {
        let gaps: Vec<f64> = all
            .windows(2)
            .map(|pair| (pair[1] - pair[0]) as f64 / 1e9 * rate)
            .collect();
        let count = gaps.len() as f64;
        let mean = gaps.iter().sum::<f64>() / count;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / count;
        // In units of the mean gap both are 1, with standard errors of 1 and of sqrt(8) over sqrt(n).
        assert!((mean - 1.0).abs() < 5.0 / count.sqrt(), "mean {mean}");
        assert!(
            (variance - 1.0).abs() < 5.0 * 8f64.sqrt() / count.sqrt(),
            "variance {variance}"
        );
        for (longer, share) in [(0.5, (-0.5f64).exp()), (2.0, (-2f64).exp())] {
            let got = gaps.iter().filter(|gap| **gap > longer).count() as f64 / count;
            assert!((got - share).abs() < 5.0 * (share / count).sqrt(), "{got} for {share}");
        }
    }
}

#[test]
fn producers_streams_are_independent_and_a_seed_repeats_them() {
    let profile = Profile::Constant { rate: 1_000.0 };
    let one = schedule(Arrivals::Poisson, profile.clone(), 10);
    let other = Schedule::new(Arrivals::Poisson, profile, 10 * SECOND, 8).unwrap();
    assert_eq!(times(&one, 0, 2), times(&one, 0, 2));
    assert_ne!(times(&one, 0, 2), times(&one, 1, 2));
    assert_ne!(times(&one, 0, 2), times(&other, 0, 2));
    // Counts of the two in each tenth of a second do not go together.
    let counts = |index| {
        let times = times(&one, index, 2);
        (0..100u64).map(move |tenth| times.iter().filter(|time| **time / (SECOND / 10) == tenth).count() as f64)
    };
    let (first, second): (Vec<f64>, Vec<f64>) = (counts(0).collect(), counts(1).collect());
    let covariance = first
        .iter()
        .zip(&second)
        .map(|(a, b)| (a - 50.0) * (b - 50.0))
        .sum::<f64>()
        / 100.0;
    assert!((covariance / 50.0).abs() < 0.5, "correlation {}", covariance / 50.0);
}

#[test]
fn half_a_million_a_second_does_not_drift_in_ten_minutes() {
    let duration = 600;
    let complete = schedule(Arrivals::Constant, Profile::Constant { rate: 500_000.0 }, duration);
    // One of very many producers has few records to go through, and its last is among the last of all.
    let producers = 50_000;
    for index in [0, 31, 49_999] {
        let got = times(&complete, index, producers);
        assert_eq!(got.len(), 6_000);
        for (number, time) in (0u64..).zip(got) {
            assert_eq!(time, (u64::from(index) + number * u64::from(producers)) * 2_000);
        }
    }
    // A rate whose gap is no whole number of nanoseconds: at most half a nanosecond off, at the end as at the start.
    let thirds = schedule(Arrivals::Constant, Profile::Constant { rate: 300_000.0 }, duration);
    for (number, time) in (0u64..).zip(times(&thirds, 7, producers)) {
        let record = 7 + number * u64::from(producers);
        assert!((time * 3).abs_diff(record * 10_000) <= 2, "record {record} at {time}");
    }
}

#[test]
fn a_schedule_that_cannot_be_kept_is_refused_with_what_would_be_right() {
    let constant = |rate| Profile::Constant { rate };
    let new = |profile| {
        Schedule::new(Arrivals::Constant, profile, SECOND, 1)
            .unwrap_err()
            .to_string()
    };
    assert!(new(constant(-1.0)).contains("a rate of -1"));
    assert!(new(constant(f64::NAN)).contains("NaN"));
    assert!(
        new(Profile::Ramp {
            from: 1.0,
            to: f64::INFINITY
        })
        .contains("inf")
    );
    assert!(new(Profile::Steps(vec![])).contains("first step"));
    let step = |from_ns| Step { from_ns, rate: 1.0 };
    assert!(new(Profile::Steps(vec![step(0), step(5), step(5)])).contains("each after"));
    assert!(new(Profile::Steps(vec![step(1)])).contains("begin at 0"));
    let bursts = Profile::Bursts {
        base: 1.0,
        burst: 2.0,
        every_ns: 5,
        for_ns: 6,
    };
    assert!(new(bursts).contains("burst"));
    let none = Schedule::new(Arrivals::Constant, constant(1.0), 0, 1).unwrap_err();
    assert_eq!(none, ScheduleError::Duration(0));
    let schedule = schedule(Arrivals::Constant, constant(1.0), 1);
    assert!(schedule.times_of(2, 2).is_err() && schedule.times_of(0, 0).is_err());
    let written = r#"{"arrivals": "poisson", "profile": {"constant": {"rate": -5}}, "duration_ns": 1, "seed": 1}"#;
    let refused = serde_json::from_str::<Schedule>(written).unwrap_err().to_string();
    assert!(refused.contains("a rate of -5"), "{refused}");
}

fn any_profile() -> impl Strategy<Value = Profile> {
    let rate = || prop_oneof![Just(0.0), 0.1f64..3_000.0];
    prop_oneof![
        rate().prop_map(|rate| Profile::Constant { rate }),
        (rate(), rate()).prop_map(|(from, to)| Profile::Ramp { from, to }),
        prop::collection::vec((1u64..SECOND, rate()), 1..5).prop_map(|gaps| {
            let mut from_ns = 0;
            let steps = gaps.into_iter().map(|(gap, rate)| {
                let step = Step { from_ns, rate };
                from_ns += gap;
                step
            });
            Profile::Steps(steps.collect())
        }),
        (rate(), rate(), 1_000_000u64..SECOND, 1u64..=100).prop_map(|(base, burst, every_ns, percent)| {
            let for_ns = every_ns * percent / 100;
            Profile::Bursts {
                base,
                burst,
                every_ns,
                for_ns,
            }
        }),
    ]
}

proptest! {
    #[test]
    fn times_ascend_stay_within_the_duration_and_are_dealt_out_without_loss(
        profile in any_profile(), poisson: bool, duration_ns in 1u64..3 * SECOND, producers in 1u32..6, seed: u64,
    ) {
        let arrivals = if poisson { Arrivals::Poisson } else { Arrivals::Constant };
        let schedule = Schedule::new(arrivals, profile, duration_ns, seed).unwrap();
        for index in 0..producers {
            let times = times(&schedule, index, producers);
            prop_assert!(times.windows(2).all(|pair| pair[0] <= pair[1]));
            prop_assert!(times.last().is_none_or(|last| *last < duration_ns));
        }
        let all = union(&schedule, producers);
        let (count, expected) = (all.len() as f64, schedule.expected());
        if poisson {
            prop_assert!((count - expected).abs() <= 6.0 * expected.sqrt() + 6.0, "{} for {}", count, expected);
        } else {
            prop_assert!((count - expected).abs() <= 1.001, "{} for {}", count, expected);
            prop_assert_eq!(&all, &union(&schedule, 1));
        }
        let text = serde_json::to_string(&schedule).unwrap();
        prop_assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), schedule);
    }

    #[test]
    fn a_constant_record_is_sent_when_the_profile_has_asked_for_those_before_it(
        profile in any_profile(), duration_ns in SECOND / 10..3 * SECOND,
    ) {
        let schedule = Schedule::new(Arrivals::Constant, profile, duration_ns, 1).unwrap();
        for (number, time) in times(&schedule, 0, 1).into_iter().enumerate() {
            // A nanosecond to each side: the time is rounded, and a rate may jump there.
            let (before, after) = (schedule.expected_until(time.saturating_sub(1)), schedule.expected_until(time + 1));
            prop_assert!(before - 1e-5 <= number as f64 && number as f64 <= after + 1e-5, "{} at {}", number, time);
        }
    }
}

#[test]
fn a_rate_that_is_changed_holds_from_there_on_and_what_was_due_before_stays() {
    let second = 1_000_000_000;
    let schedule = |profile| Schedule::new(Arrivals::Constant, profile, 10 * second, 7).unwrap();
    let constant = schedule(Profile::Constant { rate: 100.0 });
    let changed = constant.with_rate_from(4 * second, 500.0).unwrap();
    assert!((changed.expected_until(4 * second) - 400.0).abs() < 1e-9);
    assert!((changed.expected() - 3_400.0).abs() < 1e-9);
    let again = changed.with_rate_from(6 * second, 0.0).unwrap();
    assert!((again.expected() - 1_400.0).abs() < 1e-9);
    let ramp = schedule(Profile::Ramp { from: 1.0, to: 2.0 });
    assert_eq!(ramp.with_rate_from(second, 1.0), Err(ScheduleError::Changed));
    assert!(constant.with_rate_from(second, 1e10).is_err());
}
