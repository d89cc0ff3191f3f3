//! Records sent over time, in memory that does not grow with the time: where the buckets are used up, two become one.

use crate::measure::Series;

/// Length of a bucket at first.
const FIRST_BUCKET_NS: u64 = 1_000_000_000;
/// Buckets at the most: an hour in seconds, and more.
const BUCKETS: usize = 4_096;

/// Counts records by the time from the start.
#[derive(Debug)]
pub(super) struct SentSeries {
    series: Series,
}

impl Default for SentSeries {
    fn default() -> Self {
        SentSeries {
            series: Series {
                bucket_ns: FIRST_BUCKET_NS,
                counts: Vec::new(),
            },
        }
    }
}

impl SentSeries {
    /// Counts a record.
    #[inline]
    pub(super) fn count(&mut self, after_ns: u64) {
        let Series { bucket_ns, counts } = &mut self.series;
        let mut bucket = usize::try_from(after_ns / *bucket_ns).unwrap_or(usize::MAX);
        while bucket >= BUCKETS {
            let merged: Vec<u64> = counts.chunks(2).map(|pair| pair.iter().sum()).collect();
            *counts = merged;
            *bucket_ns = bucket_ns.saturating_mul(2);
            bucket /= 2;
        }
        if bucket >= counts.len() {
            counts.resize(bucket + 1, 0);
        }
        counts[bucket] += 1;
    }

    /// The series.
    pub(super) fn finish(self) -> Series {
        self.series
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_counted_apart() {
        let mut series = SentSeries::default();
        for after_ns in [0, 999_999_999, 1_000_000_000, 3_000_000_000] {
            series.count(after_ns);
        }
        assert_eq!(series.finish().counts, [2, 1, 0, 1]);
    }

    #[test]
    fn a_longer_time_takes_longer_buckets_and_no_more_of_them() {
        let mut series = SentSeries::default();
        for second in 0..20_000 {
            series.count(second * 1_000_000_000);
        }
        let series = series.finish();
        assert_eq!(series.bucket_ns, 8_000_000_000);
        assert_eq!(series.counts, vec![8; 2_500]);
    }
}
