//! What one member has read of one partition: counts, times and a ledger of runs of offsets. No clock is read here;
//! times are handed in.

use super::source::{Message, TopicHandle};
use crate::measure::{FlowBuilder, OffsetRun, PartitionMeasurement};
use crate::protocol::OffsetRange;
use crate::worker::series::SeriesBuilder;

/// The account of one partition.
#[derive(Debug)]
pub(super) struct PartitionAccount {
    range: OffsetRange,
    /// Records from here on are counted one at a time: the trial's last one, and before it those with a stamp.
    singly_from: i64,
    records: u64,
    bytes: u64,
    first_ns: Option<u64>,
    last_ns: Option<u64>,
    runs: Vec<OffsetRun>,
    /// The run being extended; empty before the first record.
    current: OffsetRun,
    series: SeriesBuilder,
    /// When it was read, where that is recorded.
    flow: Option<FlowBuilder>,
}

/// What counting a record found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    /// More are to come.
    Inside,
    /// It is the last of the trial in this partition.
    Last,
}

impl PartitionAccount {
    pub(super) fn new(range: OffsetRange) -> Self {
        PartitionAccount {
            range,
            singly_from: range.end.saturating_sub(1),
            records: 0,
            bytes: 0,
            first_ns: None,
            last_ns: None,
            runs: Vec::new(),
            current: OffsetRun {
                first: 0,
                end: 0,
                epoch: 0,
            },
            series: SeriesBuilder::of_read(),
            flow: None,
        }
    }

    /// The same, recording when it is read and when not.
    pub(super) fn recording_flow(mut self, is_recorded: bool) -> Self {
        self.flow = is_recorded.then(FlowBuilder::default);
        self
    }

    /// Says that the records counted latest were begun and finished at these times.
    #[inline]
    pub(super) fn flowed(&mut self, from_ns: u64, until_ns: u64) {
        if let Some(flow) = &mut self.flow {
            // What is in hand for long is not read on meanwhile: the work may wait for a store, or the process be stopped.
            flow.add(self.current.epoch, from_ns, from_ns);
            flow.add(self.current.epoch, until_ns, until_ns);
        }
    }

    /// Counts a record of the range, handed over at `received_ns`.
    #[inline]
    pub(super) fn count(&mut self, offset: i64, bytes: u64, epoch: u32, received_ns: u64) -> Counted {
        debug_assert!(self.range.contains(offset), "{offset} is not in {:?}", self.range);
        self.records += 1;
        self.bytes += bytes;
        if offset == self.current.end && epoch == self.current.epoch && self.first_ns.is_some() {
            self.current.end = offset + 1;
        } else {
            self.begin_run(offset, epoch, received_ns);
        }
        if offset + 1 == self.range.end {
            Counted::Last
        } else {
            Counted::Inside
        }
    }

    /// Leaves no record from this offset on to a [`Follower`].
    pub(super) fn count_singly_from(&mut self, offset: i64) {
        self.singly_from = self.singly_from.min(offset);
    }

    /// What takes the records that carry on the run of `latest`, which was counted just before. The trial's last record
    /// is not among them: its caller must know when it is counted.
    #[inline]
    pub(super) fn follower<M: Message>(&self, latest: &M) -> Follower {
        Follower {
            topic: latest.topic_handle(),
            partition: latest.partition(),
            next: latest.offset() + 1,
            end: self.singly_from,
            records: 0,
            bytes: 0,
        }
    }

    /// Counts what a follower of this account's latest record has taken.
    #[inline]
    pub(super) fn add(&mut self, follower: &Follower) {
        self.records += follower.records;
        self.bytes += follower.bytes;
        self.current.end = follower.next;
    }

    /// Counts the records that carry on the run of `latest`, which was counted just before, and returns the rest.
    #[inline]
    pub(super) fn follow<'m, M: Message>(&mut self, latest: &M, records: &'m [M]) -> &'m [M] {
        let mut follower = self.follower(latest);
        let followed = records.iter().take_while(|record| follower.takes(*record)).count();
        self.add(&follower);
        &records[followed..]
    }

    #[cold]
    fn begin_run(&mut self, offset: i64, epoch: u32, received_ns: u64) {
        if self.first_ns.is_some() {
            self.runs.push(self.current);
        } else {
            self.first_ns = Some(received_ns);
        }
        self.current = OffsetRun {
            first: offset,
            end: offset + 1,
            epoch,
        };
    }

    /// Says that everything counted so far was finished by `now_ns`, `elapsed_ns` after the common start.
    pub(super) fn finished(&mut self, now_ns: u64, elapsed_ns: u64) {
        let noted = self.series.total();
        if noted < self.records {
            self.series.add(elapsed_ns, self.records - noted);
            self.last_ns = Some(now_ns);
        }
    }

    /// Next offset to read: one past the last record counted.
    pub(super) fn position(&self) -> i64 {
        if self.first_ns.is_some() {
            self.current.end
        } else {
            self.range.low
        }
    }

    /// Adds what another thread of the member has read of the partition under other assignments.
    pub(super) fn absorb(&mut self, other: PartitionAccount) {
        if other.first_ns.is_none() {
            return;
        }
        if self.first_ns.is_none() {
            *self = other;
            return;
        }
        self.records += other.records;
        self.bytes += other.bytes;
        self.first_ns = self.first_ns.min(other.first_ns);
        self.last_ns = self.last_ns.max(other.last_ns);
        self.runs.push(self.current);
        self.runs.extend(other.runs);
        self.runs.push(other.current);
        // Stable: within an assignment the order of reading stays.
        self.runs.sort_by_key(|run| run.epoch);
        if let Some(latest) = self.runs.pop() {
            self.current = latest;
        }
        self.series.absorb(other.series);
        if let (Some(flow), Some(others)) = (&mut self.flow, other.flow) {
            flow.absorb(others);
        }
    }

    /// Closes the account.
    pub(super) fn into_result(mut self, topic: u32, partition: i32) -> PartitionMeasurement {
        if self.first_ns.is_some() {
            self.runs.push(self.current);
        }
        PartitionMeasurement {
            topic,
            partition,
            records: self.records,
            bytes: self.bytes,
            first_ns: self.first_ns,
            last_ns: self.last_ns,
            runs: Some(self.runs),
            series: Some(self.series.finish()),
            flow: self.flow.map(FlowBuilder::finish).unwrap_or_default(),
            ..PartitionMeasurement::default()
        }
    }
}

/// Counts records of one partition as long as each has the offset after the one before: nothing is looked up for them.
pub(super) struct Follower {
    topic: TopicHandle,
    partition: i32,
    next: i64,
    /// The first offset that is not its to take.
    end: i64,
    records: u64,
    bytes: u64,
}

impl Follower {
    /// Follows nothing.
    pub(super) const NONE: Follower = Follower {
        topic: TopicHandle::NONE,
        partition: -1,
        next: 0,
        end: 0,
        records: 0,
        bytes: 0,
    };

    pub(super) fn is_none(&self) -> bool {
        self.partition < 0
    }

    /// Counts the record if it carries on the run; otherwise leaves it and says so.
    #[inline]
    pub(super) fn takes(&mut self, record: &impl Message) -> bool {
        let carries_on = record.offset() == self.next
            && self.next < self.end
            && record.partition() == self.partition
            && record.topic_handle() == self.topic
            && !record.is_error();
        if carries_on {
            self.next += 1;
            self.records += 1;
            self.bytes += record.bytes();
        }
        carries_on
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn account(low: i64, end: i64) -> PartitionAccount {
        PartitionAccount::new(OffsetRange { low, end })
    }

    #[test]
    fn consecutive_offsets_of_one_epoch_are_one_run() {
        let mut a = account(10, 14);
        for offset in 10..13 {
            assert_eq!(a.count(offset, 5, 1, 7), Counted::Inside);
        }
        assert_eq!(a.count(13, 5, 1, 8), Counted::Last);
        a.finished(100, 90);
        assert_eq!(a.position(), 14);
        let result = a.into_result(0, 3);
        assert_eq!(
            result.runs.unwrap(),
            [OffsetRun {
                first: 10,
                end: 14,
                epoch: 1
            }]
        );
        assert_eq!(
            (result.records, result.bytes, result.first_ns, result.last_ns),
            (4, 20, Some(7), Some(100))
        );
    }

    #[test]
    fn a_gap_a_repetition_and_a_new_epoch_each_begin_a_run() {
        let mut a = account(0, 100);
        for (offset, epoch) in [(0, 1), (1, 1), (3, 1), (3, 1), (4, 2)] {
            a.count(offset, 1, epoch, 0);
        }
        let run = |first, end, epoch| OffsetRun { first, end, epoch };
        let result = a.into_result(0, 0);
        assert_eq!(
            result.runs.unwrap(),
            [run(0, 2, 1), run(3, 4, 1), run(3, 4, 1), run(4, 5, 2)]
        );
        assert_eq!(result.records, 5);
    }

    #[test]
    fn what_several_threads_read_of_a_partition_is_added_up() {
        let (mut a, mut b) = (account(0, 100), account(0, 100));
        let read = |of: &mut PartitionAccount, first: i64, end: i64, epoch| {
            for offset in first..end {
                of.count(offset, 2, epoch, 1_000 + u64::try_from(first).unwrap());
            }
            of.finished(20_000_000, 20_000_000);
        };
        read(&mut b, 0, 10, 1);
        read(&mut a, 10, 30, 2);
        read(&mut b, 30, 40, 3);
        a.absorb(b);
        a.absorb(account(0, 100));
        let run = |first, end, epoch| OffsetRun { first, end, epoch };
        let result = a.into_result(0, 0);
        assert_eq!(result.runs.unwrap(), [run(0, 10, 1), run(10, 30, 2), run(30, 40, 3)]);
        assert_eq!((result.records, result.bytes, result.first_ns), (40, 80, Some(1_000)));
        assert_eq!(result.series.unwrap().counts, [0, 0, 40]);
    }

    #[test]
    fn the_series_keeps_every_record_when_its_buckets_double() {
        let mut a = account(0, 10_000);
        let mut total = 0;
        for second in 0..100u64 {
            for _ in 0..7 {
                a.count(total, 1, 1, 0);
                total += 1;
            }
            a.finished(second * 1_000_000_000, second * 1_000_000_000);
        }
        let series = a.into_result(0, 0).series.unwrap();
        assert_eq!(series.counts.iter().sum::<u64>(), 700);
        assert!(series.counts.len() <= 1_000);
        assert_eq!(series.bucket_ns, 160_000_000);
    }
}
