//! A set of latencies in little memory, for thousands of trials at once.

use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};

use super::parts::{Latencies, LatencyPart};
use super::recorder::LatencyRecorder;

/// [`Latencies`] in HDR's V2 format, in which empty buckets take no space: a few kilobytes instead of up to a megabyte.
/// Quick to write and to read, as nothing is deflated.
#[derive(Debug, Clone, PartialEq)]
pub struct CompactLatencies([Compact; 5]);

/// One histogram with what it could not hold.
#[derive(Debug, Clone, PartialEq)]
struct Compact {
    histogram: Vec<u8>,
    sum_ns: u128,
    negative: u64,
    overflow: u64,
}

impl From<&Latencies> for CompactLatencies {
    fn from(latencies: &Latencies) -> Self {
        let mut serializer = V2Serializer::new();
        CompactLatencies(LatencyPart::ALL.map(|part| {
            let recorder = latencies.part(part);
            let mut histogram = Vec::new();
            // Writing to memory cannot fail, and no histogram of ours is too large for the format.
            let written = serializer.serialize(&recorder.histogram, &mut histogram);
            debug_assert!(written.is_ok(), "{written:?}");
            histogram.shrink_to_fit();
            Compact {
                histogram,
                sum_ns: recorder.sum_ns,
                negative: recorder.negative,
                overflow: recorder.overflow,
            }
        }))
    }
}

impl CompactLatencies {
    /// The latencies as they were.
    pub fn unpack(&self) -> Latencies {
        let [producer_delay, transit, queued, work, response] = LatencyPart::ALL.map(|part| self.unpack_part(part));
        Latencies {
            producer_delay,
            transit,
            queued,
            work,
            response,
        }
    }

    /// One part of them.
    pub fn unpack_part(&self, part: LatencyPart) -> LatencyRecorder {
        let compact = &self.0[part as usize];
        let mut read = Deserializer::new().deserialize(&mut compact.histogram.as_slice());
        if let Ok(histogram) = &mut read {
            // As ours do: so that longer latencies can be added.
            histogram.auto(true);
        }
        debug_assert!(read.is_ok(), "what was written can be read");
        read.map_or_else(
            |_| LatencyRecorder::default(),
            |histogram| LatencyRecorder {
                histogram,
                sum_ns: compact.sum_ns,
                negative: compact.negative,
                overflow: compact.overflow,
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::latency::{HIGHEST_NS, RecordTimes};

    #[test]
    fn latencies_come_back_as_they_were_and_take_little_room() {
        let mut latencies = Latencies::default();
        for number in 0..10_000u64 {
            latencies.record(&RecordTimes {
                intended_ns: 1_000,
                sent_ns: 1_000 + number,
                received_ns: 500 + number * 100,
                started_ns: 2_000 + number * 1_000,
                finished_ns: 2_000 + number * if number % 1_000 == 999 { HIGHEST_NS } else { 2_000 },
            });
        }
        assert!(latencies.transit.negative() > 0 && latencies.response.overflow() > 0);
        let compact = CompactLatencies::from(&latencies);
        assert_eq!(compact.unpack(), latencies);
        for part in LatencyPart::ALL {
            assert_eq!(&compact.unpack_part(part), latencies.part(part), "{}", part.name());
        }
        let mut longer = LatencyRecorder::default();
        longer.record_ns(HIGHEST_NS);
        let mut grown = compact.unpack_part(LatencyPart::ProducerDelay);
        grown.merge(&longer);
        assert_eq!((grown.max_ns(), grown.overflow()), (Some(HIGHEST_NS), 0), "it grows");
        let bytes: usize = compact.0.iter().map(|compact| compact.histogram.len()).sum();
        assert!(bytes < 100_000, "{bytes} bytes");
    }
}
