//! Records over time, in memory that does not grow with the time: where the buckets are used up, several become one.

use crate::measure::Series;

/// Length of a bucket at first: windows that begin or end within a second cut through few records.
const FIRST_BUCKET_NS: u64 = 10_000_000;
/// Buckets of records read at the most: 10 s in hundredths.
const BUCKETS_READ: usize = 1_000;
/// Buckets of records sent at the most: 40 s in hundredths, an hour in seconds.
const BUCKETS_SENT: usize = 4_096;
const SECOND_NS: u64 = 1_000_000_000;

/// Counts records by the time from the start.
#[derive(Debug)]
pub(super) struct SeriesBuilder {
    series: Series,
    /// Records counted.
    total: u64,
    buckets_max: usize,
    /// How many buckets of a length become one.
    become_one: fn(u64) -> usize,
}

impl SeriesBuilder {
    /// Of records that a reader has finished.
    pub(super) fn of_read() -> Self {
        Self::new(BUCKETS_READ, |_| 2)
    }

    /// Of records that a producer has sent. Up to a second ten buckets become one, so that buckets fill complete seconds.
    pub(super) fn of_sent() -> Self {
        Self::new(BUCKETS_SENT, |bucket_ns| if bucket_ns < SECOND_NS { 10 } else { 2 })
    }

    fn new(buckets_max: usize, become_one: fn(u64) -> usize) -> Self {
        SeriesBuilder {
            series: Series {
                bucket_ns: FIRST_BUCKET_NS,
                counts: Vec::new(),
            },
            total: 0,
            buckets_max,
            become_one,
        }
    }

    /// Counts records.
    #[inline]
    pub(super) fn add(&mut self, after_ns: u64, records: u64) {
        let Series { bucket_ns, counts } = &mut self.series;
        let mut bucket = usize::try_from(after_ns / *bucket_ns).unwrap_or(usize::MAX);
        while bucket >= self.buckets_max {
            let become_one = (self.become_one)(*bucket_ns);
            *counts = counts.chunks(become_one).map(|few| few.iter().sum()).collect();
            *bucket_ns = bucket_ns.saturating_mul(become_one as u64);
            bucket /= become_one;
        }
        if bucket >= counts.len() {
            counts.resize(bucket + 1, 0);
        }
        counts[bucket] += records;
        self.total += records;
    }

    /// Records counted so far.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Adds what another has counted.
    pub(super) fn absorb(&mut self, other: SeriesBuilder) {
        let Series { bucket_ns, counts } = other.series;
        for (bucket, records) in (0u64..).zip(counts).filter(|(_, records)| *records > 0) {
            self.add(bucket * bucket_ns, records);
        }
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
        let mut series = SeriesBuilder::of_sent();
        for after_ns in [0, 9_999_999, 10_000_000, 30_000_000] {
            series.add(after_ns, 1);
        }
        assert_eq!(series.finish().counts, [2, 1, 0, 1]);
    }

    #[test]
    fn minutes_are_counted_in_buckets_that_fill_complete_seconds() {
        for (seconds, bucket_ns) in [(40, 10_000_000), (60, 100_000_000), (600, 1_000_000_000)] {
            let mut series = SeriesBuilder::of_sent();
            (0..seconds * 100).for_each(|hundredth| series.add(hundredth * 10_000_000, 1));
            let series = series.finish();
            assert_eq!(series.bucket_ns, bucket_ns);
            let each = bucket_ns / 10_000_000;
            assert!(series.counts.iter().all(|count| *count == each), "{:?}", series.counts);
            assert_eq!(series.counts.iter().sum::<u64>(), seconds * 100);
        }
    }

    #[test]
    fn a_longer_time_takes_longer_buckets_and_no_more_of_them() {
        let mut series = SeriesBuilder::of_sent();
        for second in 0..20_000 {
            series.add(second * 1_000_000_000, 1);
        }
        let series = series.finish();
        assert_eq!(series.bucket_ns, 8_000_000_000);
        assert_eq!(series.counts, vec![8; 2_500]);
    }
}
