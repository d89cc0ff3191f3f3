//! How long records took in the seconds that planned acts disturbed, and in the others of the same trial.

use super::model::Episode;
use crate::measure::latency::LatencyRecorder;
use crate::measure::{LoadMeasurement, Measurement, Stretch};

const SECOND_NS: u64 = 1_000_000_000;

/// Response times of a trial with a load, by whether a planned act disturbed the second in which the work on the record ended.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResponseThrough {
    /// From an act until all partitions were being read and the lag was what it had been.
    pub disturbed: LatencyRecorder,
    /// The other seconds of the window.
    pub quiet: LatencyRecorder,
}

/// The response times of a trial by second; `None` where nothing arrives, or nobody says how long records took.
pub fn response_through(measurement: &Measurement, episodes: &[Episode]) -> Option<ResponseThrough> {
    let load = measurement.load.as_ref().filter(|load| !load.seconds.is_empty())?;
    let disturbed: Vec<Stretch> = episodes
        .iter()
        .filter_map(|episode| reach(episode, measurement))
        .collect();
    let mut through = ResponseThrough::default();
    for second in &load.seconds {
        let span = span_of(load, second.second);
        if disturbed.iter().any(|stretch| overlap(*stretch, span)) {
            through.disturbed.merge(&second.response.unpack());
        } else if span.from_ns >= load.window_from_ns && span.until_ns <= load.window_end_ns {
            through.quiet.merge(&second.response.unpack());
        }
    }
    Some(through)
}

/// From an act until everything was as before; `None` where every partition was read on.
fn reach(episode: &Episode, measurement: &Measurement) -> Option<Stretch> {
    let from_ns = episode.gaps.iter().map(|gap| gap.stretch.from_ns).min()?;
    let until_ns = episode.caught_up_ns.unwrap_or(measurement.end_ns);
    Some(Stretch::new(from_ns, until_ns.max(episode.flowing_ns())))
}

/// A second of a load.
fn span_of(load: &LoadMeasurement, second: u32) -> Stretch {
    let from_ns = load.start_ns + u64::from(second) * SECOND_NS;
    Stretch::new(from_ns, from_ns + SECOND_NS)
}

fn overlap(a: Stretch, b: Stretch) -> bool {
    a.from_ns < b.until_ns && b.from_ns < a.until_ns
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::measure::{Act, Participant, PlannedAct, SecondOfLatency};
    use crate::testing::measurement;

    #[test]
    fn seconds_are_disturbed_from_the_last_record_until_everything_is_as_before() {
        let mut m = measurement().processes(2).partitions(2).build();
        m.end_ns = 12 * SECOND_NS;
        let second = |number: u32| {
            let mut response = LatencyRecorder::default();
            response.record_ns(u64::from(number + 1) * 1_000_000);
            SecondOfLatency {
                second: number,
                response: response.into(),
            }
        };
        m.load = Some(LoadMeasurement {
            start_ns: SECOND_NS,
            window_from_ns: 3 * SECOND_NS,
            window_end_ns: 11 * SECOND_NS,
            seconds: (0..11).map(second).collect(),
            ..LoadMeasurement::default()
        });
        let act = PlannedAct {
            number: None,
            who: Participant::Broker(1),
            role: None,
            act: Act::Kill,
            at_ns: 5 * SECOND_NS,
            settled_ns: 20 * SECOND_NS,
        };
        let mut episode = Episode {
            act,
            gaps: Vec::new(),
            writes: Vec::new(),
            restored_ns: None,
            epochs: None,
            members: Vec::new(),
            caught_up_ns: Some(8 * SECOND_NS),
        };
        let counts = |episode: &Episode| {
            let through = response_through(&m, std::slice::from_ref(episode)).unwrap();
            (through.disturbed.count(), through.quiet.count())
        };
        assert_eq!(counts(&episode), (0, 8), "every partition was read on");
        episode.gaps.push(crate::measure::changes::Gap {
            group: 0,
            partition: crate::measure::TopicPartition { topic: 0, partition: 0 },
            kind: crate::measure::changes::GapKind::Waiting,
            members: [0, 0],
            stretch: Stretch::new(5 * SECOND_NS - 1, 7 * SECOND_NS),
            parts: Vec::new(),
            redelivered: 0,
            resumed_at: None,
            committed: None,
        });
        // The seconds that begin after 4, 5, 6 and 7 s.
        assert_eq!(counts(&episode), (4, 4));
        episode.caught_up_ns = None;
        assert_eq!(counts(&episode), (8, 1), "it never was as before");
    }

    #[test]
    fn nothing_is_said_where_nothing_arrives() {
        assert_eq!(response_through(&measurement().build(), &[]), None);
    }
}
