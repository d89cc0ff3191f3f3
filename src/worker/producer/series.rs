//! Records sent over time, in memory that does not grow with the time: where the buckets are used up, several become
//! one.

use crate::measure::Series;

/// Length of a bucket at first: windows that begin or end within a second cut through few records.
const FIRST_BUCKET_NS: u64 = 10_000_000;
/// Buckets at the most: 40 s in hundredths, an hour in seconds.
const BUCKETS: usize = 4_096;
/// Up to this length ten become one, so that buckets fill whole seconds; beyond it two do.
const SECOND_NS: u64 = 1_000_000_000;

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
            let become_one = if *bucket_ns < SECOND_NS { 10 } else { 2 };
            let merged: Vec<u64> = counts.chunks(become_one).map(|few| few.iter().sum()).collect();
            *counts = merged;
            *bucket_ns = bucket_ns.saturating_mul(become_one as u64);
            bucket /= become_one;
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
    fn hundredths_of_a_second_are_counted_apart() {
        let mut series = SentSeries::default();
        for after_ns in [0, 9_999_999, 10_000_000, 30_000_000] {
            series.count(after_ns);
        }
        assert_eq!(series.finish().counts, [2, 1, 0, 1]);
    }

    #[test]
    fn minutes_are_counted_in_buckets_that_fill_whole_seconds() {
        for (seconds, bucket_ns) in [(40, 10_000_000), (60, 100_000_000), (600, 1_000_000_000)] {
            let mut series = SentSeries::default();
            (0..seconds * 100).for_each(|hundredth| series.count(hundredth * 10_000_000));
            let series = series.finish();
            assert_eq!(series.bucket_ns, bucket_ns);
            let each = bucket_ns / 10_000_000;
            assert!(series.counts.iter().all(|count| *count == each), "{:?}", series.counts);
            assert_eq!(series.counts.iter().sum::<u64>(), seconds * 100);
        }
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
