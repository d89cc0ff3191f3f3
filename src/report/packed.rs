//! Trials in as few bytes as a page's script needs to show one: its phases, and how far it had read when.

use serde::Serialize;

use super::chart::{PHASES, phases};
use crate::measure::{Measurement, Trial};

/// Steps of equal length of a trial's read time.
const STEPS: u32 = 24;

/// What a page holds of its trials.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub(super) struct PackedTrials {
    phases: Vec<&'static str>,
    trials: Vec<PackedTrial>,
}

/// Number; seconds of each phase; the share of the records read by the end of each step, as digits of base 36.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct PackedTrial(u32, Vec<f64>, String);

impl PackedTrials {
    pub(super) fn of(trials: &[Trial]) -> Self {
        let measured = trials
            .iter()
            .filter_map(|trial| Some((trial.order.number, trial.measurement.as_ref()?)));
        let packed = |(number, m): (u32, &Measurement)| {
            let seconds = phases(m).map(|seconds| (seconds * 1e4).round() / 1e4);
            PackedTrial(number, seconds.to_vec(), progress(m))
        };
        PackedTrials {
            phases: PHASES.to_vec(),
            trials: measured.map(packed).collect(),
        }
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Empty where no member recorded when it read.
fn progress(m: &Measurement) -> String {
    let partitions = m.members.iter().flat_map(|member| &member.partitions);
    let series: Vec<_> = partitions.filter_map(|partition| partition.series.as_ref()).collect();
    let total: u64 = series.iter().flat_map(|series| &series.counts).sum();
    if total == 0 {
        return String::new();
    }
    let by_the_end_of = |step: u32| {
        let end_ns = m.read_ns() * u64::from(step) / u64::from(STEPS);
        let read: f64 = series.iter().map(|series| series.between([0, end_ns])).sum();
        read / total as f64
    };
    (1..=STEPS).map(|step| digit(by_the_end_of(step))).collect()
}

fn digit(share: f64) -> char {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let last = DIGITS.len() - 1;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share is clamped to the digits there are"
    )]
    let index = (share.clamp(0.0, 1.0) * last as f64).round() as usize;
    char::from(DIGITS[index])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::report::Fixture;

    #[test]
    fn a_trial_takes_at_most_500_bytes_and_its_progress_ends_with_all() {
        for fixture in [Fixture::one_vs_two(), Fixture::latency()] {
            let packed = PackedTrials::of(&fixture.trials);
            assert!(packed.trials.len() > 10);
            assert!(packed.json().len() / packed.trials.len() < 500, "{}", packed.json());
            let read = packed
                .trials
                .iter()
                .map(|trial| &trial.2)
                .filter(|read| !read.is_empty());
            for read in read {
                assert_eq!(read.len(), STEPS as usize);
                assert!(read.as_bytes().windows(2).all(|pair| pair[0] <= pair[1]), "{read}");
            }
        }
        assert_eq!([0.0, 0.5, 1.0, 2.0].map(digit), ['0', 'i', 'z', 'z']);
    }
}
