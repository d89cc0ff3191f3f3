//! Whether a trial held an objective: so many of its records within so long a time. The search for the highest rate and
//! the summary use the same rule.

use super::load::LoadVerdict;
use super::measurement::Measurement;
use super::trial::{Status, Trial};

/// What a trial says of an objective at its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The load was reached, the readers kept up, everything was read, and enough records were within the limit.
    Held,
    /// The readers fell behind, left records unread, or took longer than the limit.
    Failed,
    /// The producers could not send what was asked for, or not in time, and the readers kept up with what they did
    /// send: the trial says nothing of the readers at this rate.
    LoadNotReached,
    /// The trial has too few records for the percentile, its window is too short to say whether the readers keep up, the
    /// clocks of its hosts were compared less exactly than the decision needs, or it has no usable figures at all: as if
    /// it had not been run.
    NotDecided,
}

/// Whether the share of the records of `limit` (0.99 for p99) was read and worked within its nanoseconds of the intended
/// time; without one, whether the readers kept up.
///
/// Readers that fell behind or left records unread have failed even where the load was not reached: who cannot keep
/// up with less cannot with more. Long response times without the load are the producers' as much as the readers', so
/// they decide nothing.
pub fn holds(measurement: &Measurement, limit: Option<(f64, u64)>) -> Outcome {
    let Some(load) = &measurement.load else {
        return Outcome::NotDecided;
    };
    // What is committed comes late: records left unread say nothing where the lag decides.
    if load.overload.is_some() || limit.is_some() && load.unread > 0 {
        return Outcome::Failed;
    }
    if !load.reached {
        return Outcome::LoadNotReached;
    }
    let Some((percentile, limit_ns)) = limit else {
        return match load.verdict() {
            LoadVerdict::Holds => Outcome::Held,
            LoadVerdict::CannotSay => Outcome::NotDecided,
            LoadVerdict::Overloaded => Outcome::Failed,
        };
    };
    let percentiles = measurement.latencies().and_then(|latencies| {
        let delay_ns = latencies.producer_delay.percentile_ns(percentile).unwrap_or(0);
        Some((latencies.response.percentile_ns(percentile)?, delay_ns))
    });
    match percentiles {
        None => Outcome::NotDecided,
        Some((response_ns, _)) if response_ns.abs_diff(limit_ns) < measurement.response_bound_ns() => {
            Outcome::NotDecided
        }
        Some((response_ns, _)) if response_ns <= limit_ns && load.verdict() == LoadVerdict::Holds => Outcome::Held,
        Some((response_ns, _)) if response_ns <= limit_ns => Outcome::NotDecided,
        // Without the producers' lateness it might have held.
        Some((response_ns, delay_ns)) if response_ns.saturating_sub(delay_ns) <= limit_ns => Outcome::LoadNotReached,
        Some(_) => Outcome::Failed,
    }
}

/// The same of a trial: one that failed or was left out decides nothing.
pub fn outcome(trial: &Trial, limit: Option<(f64, u64)>) -> Outcome {
    match &trial.measurement {
        Some(measurement) if trial.status == Status::Complete => holds(measurement, limit),
        _ => Outcome::NotDecided,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::measure::latency::Latencies;
    use crate::measure::{LoadJudgement, LoadMeasurement, Overload, ProducerMeasurement, TrialKind};
    use crate::testing::{measurement, trial};
    use crate::time::{HostClock, HostClocks, HostId};

    const LIMIT_NS: u64 = 50_000_000;

    /// A thousand records, ten of which took this long and all others a millisecond.
    fn measured(slowest_ns: u64) -> Measurement {
        let mut latencies = Latencies::default();
        (0..1_000).for_each(|record| {
            let slow = record < 11;
            latencies.response.record_ns(if slow { slowest_ns } else { 1_000_000 });
        });
        let mut measurement = measurement().build();
        measurement.members[0].partitions[0].latencies = Some(latencies);
        measurement.load = Some(LoadMeasurement {
            reached: true,
            ..LoadMeasurement::default()
        });
        measurement
    }

    fn with(change: impl FnOnce(&mut LoadMeasurement)) -> Measurement {
        let mut measurement = measured(LIMIT_NS / 2);
        change(measurement.load.as_mut().unwrap());
        measurement
    }

    #[test]
    fn an_objective_holds_where_enough_records_are_within_the_limit() {
        assert_eq!(holds(&measured(LIMIT_NS / 2), Some((0.99, LIMIT_NS))), Outcome::Held);
        assert_eq!(holds(&measured(LIMIT_NS * 2), Some((0.99, LIMIT_NS))), Outcome::Failed);
        assert_eq!(holds(&measured(LIMIT_NS * 2), Some((0.9, LIMIT_NS))), Outcome::Held);
    }

    #[test]
    fn clocks_that_were_compared_less_exactly_than_the_limit_is_near_decide_nothing() {
        let mut near = with(|load| load.producers = vec![ProducerMeasurement::default()]);
        assert_eq!(holds(&near, Some((0.99, LIMIT_NS))), Outcome::Held);
        let (offset_ns, bound_ns) = (0, LIMIT_NS * 2 / 3);
        near.clocks = HostClocks(vec![HostClock {
            offset_ns,
            bound_ns,
            ..HostClock::default()
        }]);
        near.processes[0].host = HostId::other(0);
        assert_eq!(holds(&near, Some((0.99, LIMIT_NS))), Outcome::NotDecided);
        near.clocks.0[0].bound_ns = LIMIT_NS / 3;
        assert_eq!(holds(&near, Some((0.99, LIMIT_NS))), Outcome::Held);
    }

    #[test]
    fn what_the_producers_were_late_by_is_not_the_readers_failure() {
        let mut late = measured(LIMIT_NS * 2);
        let latencies = late.members[0].partitions[0].latencies.as_mut().unwrap();
        (0..1_000).for_each(|_| latencies.producer_delay.record_ns(LIMIT_NS * 3 / 2));
        assert_eq!(holds(&late, Some((0.99, LIMIT_NS))), Outcome::LoadNotReached);
        let latencies = late.members[0].partitions[0].latencies.as_mut().unwrap();
        latencies.producer_delay = crate::measure::latency::LatencyRecorder::default();
        assert_eq!(holds(&late, Some((0.99, LIMIT_NS))), Outcome::Failed);
    }

    #[test]
    fn readers_that_fell_behind_or_left_records_fail_at_any_load() {
        let overload = Some(Overload {
            lag_growth_per_second: 100.0,
            lag_at_end: 1_000,
        });
        for reached in [true, false] {
            let behind = with(|load| (load.overload, load.reached) = (overload, reached));
            assert_eq!(holds(&behind, Some((0.99, LIMIT_NS))), Outcome::Failed);
            let unread = with(|load| (load.unread, load.reached) = (1, reached));
            assert_eq!(holds(&unread, Some((0.99, LIMIT_NS))), Outcome::Failed);
        }
    }

    #[test]
    fn a_window_that_cannot_say_whether_readers_keep_up_holds_no_objective_but_may_fail_one() {
        let judged = |slowest_ns, verdict| {
            let mut measurement = measured(slowest_ns);
            measurement.load.as_mut().unwrap().judgement = Some(LoadJudgement {
                verdict,
                who: "group 1, process 1, consumer 1".to_owned(),
                fullness: 0.98,
                resolution: 0.12,
            });
            holds(&measurement, Some((0.99, LIMIT_NS)))
        };
        assert_eq!(judged(LIMIT_NS / 2, LoadVerdict::Holds), Outcome::Held);
        assert_eq!(judged(LIMIT_NS / 2, LoadVerdict::CannotSay), Outcome::NotDecided);
        assert_eq!(judged(LIMIT_NS * 2, LoadVerdict::CannotSay), Outcome::Failed);
    }

    #[test]
    fn without_the_load_response_times_decide_nothing() {
        for slowest_ns in [LIMIT_NS / 2, LIMIT_NS * 2] {
            let mut measurement = measured(slowest_ns);
            measurement.load.as_mut().unwrap().reached = false;
            assert_eq!(holds(&measurement, Some((0.99, LIMIT_NS))), Outcome::LoadNotReached);
        }
    }

    #[test]
    fn a_percentile_that_the_sample_does_not_carry_decides_nothing() {
        assert_eq!(
            holds(&measured(LIMIT_NS * 2), Some((0.999, LIMIT_NS))),
            Outcome::NotDecided
        );
        let mut backlog = measured(1);
        backlog.load = None;
        assert_eq!(holds(&backlog, Some((0.99, LIMIT_NS))), Outcome::NotDecided);
    }

    #[test]
    fn a_trial_that_was_left_out_decides_nothing() {
        let search = trial().kind(TrialKind::Search).measured(measured(1));
        assert_eq!(outcome(&search.clone().build(), Some((0.99, LIMIT_NS))), Outcome::Held);
        let trial = search.excluded("a rebalance").build();
        assert_eq!(outcome(&trial, Some((0.99, LIMIT_NS))), Outcome::NotDecided);
    }

    #[test]
    fn without_a_limit_it_is_enough_that_readers_keep_up_and_what_is_committed_late_does_no_harm() {
        let judged = |verdict, overload| {
            let measurement = with(|load| {
                (load.unread, load.overload) = (7, overload);
                load.judgement = Some(LoadJudgement {
                    verdict,
                    who: String::new(),
                    fullness: 1.0,
                    resolution: 0.03,
                });
            });
            holds(&measurement, None)
        };
        let overload = Some(Overload {
            lag_growth_per_second: 100.0,
            lag_at_end: 1_000,
        });
        assert_eq!(judged(LoadVerdict::Holds, None), Outcome::Held);
        assert_eq!(judged(LoadVerdict::CannotSay, None), Outcome::NotDecided);
        assert_eq!(judged(LoadVerdict::Overloaded, overload), Outcome::Failed);
    }
}
