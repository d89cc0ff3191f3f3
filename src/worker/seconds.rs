//! Response times of seconds that are over, on their way from the threads that work records to the coordinator. Holds
//! what was not taken yet and nothing else, so that it does not grow with the length of a trial.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::measure::SecondOfLatency;
use crate::measure::latency::LatencyRecorder;

/// The seconds of one member that nobody has taken yet.
#[derive(Debug, Default)]
pub(super) struct Seconds(Mutex<BTreeMap<u32, LatencyRecorder>>);

impl Seconds {
    /// Adds what one thread recorded in a second, counted from the producers' start.
    pub(super) fn hand_over(&self, second: u32, response: &LatencyRecorder) {
        let mut seconds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seconds.entry(second).or_default().merge(response);
    }

    fn take(&self) -> BTreeMap<u32, LatencyRecorder> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Takes what several members have handed over, one entry for each second.
pub(super) fn take_all<'a>(members: impl IntoIterator<Item = &'a Seconds>) -> Vec<SecondOfLatency> {
    let mut all: BTreeMap<u32, LatencyRecorder> = BTreeMap::new();
    for (second, response) in members.into_iter().flat_map(Seconds::take) {
        all.entry(second).or_default().merge(&response);
    }
    let entries = all.into_iter();
    entries
        .map(|(second, response)| SecondOfLatency {
            second,
            response: response.into(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(latencies_ns: &[u64]) -> LatencyRecorder {
        let mut recorder = LatencyRecorder::default();
        for ns in latencies_ns {
            recorder.record_ns(*ns);
        }
        recorder
    }

    #[test]
    fn what_several_threads_and_members_say_of_a_second_is_added_up_and_taken_once() {
        let members = [Seconds::default(), Seconds::default()];
        members[0].hand_over(4, &of(&[1_000]));
        members[0].hand_over(4, &of(&[2_000]));
        members[1].hand_over(4, &of(&[3_000]));
        members[1].hand_over(3, &of(&[4_000]));
        let entry = |second, response: LatencyRecorder| SecondOfLatency {
            second,
            response: response.into(),
        };
        let expected = [entry(3, of(&[4_000])), entry(4, of(&[1_000, 2_000, 3_000]))];
        assert_eq!(take_all(&members), expected);
        assert_eq!(take_all(&members), []);
    }
}
