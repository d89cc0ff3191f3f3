//! How long records with a stamp waited until their work was done: a recorder for each thread that works, without any
//! lock, merged when the reading is over. Only seconds that have passed leave it earlier. No clock is read here.

use std::ops::Range;

use super::source::Message;
use crate::load::{STAMP_BYTES, Stamp};
use crate::measure::latency::{Latencies, LatencyRecorder, RecordTimes};
use crate::measure::{PartitionMeasurement, ReadingTime, WAIT_SLICES, WaitSlice};
use crate::protocol::{StampOrder, TopicTarget};
use crate::worker::seconds::Seconds;
use crate::worker::shared::MemberShared;

const NS_PER_SECOND: u64 = 1_000_000_000;

/// Of the time between two records a thread spends so much on taking the next one, not on waiting for it.
const TAKING_NS: u64 = 100_000;

/// What is measured of records with a stamp, on the clock.
#[derive(Debug)]
pub(crate) struct WaitOrder {
    /// The producers' start.
    origin_ns: u64,
    /// Latencies are those of records that are intended for these times.
    window_ns: Range<u64>,
    /// By slot the first offset whose record has a stamp.
    stamped_from: Vec<i64>,
    /// What to add to a stamp's times for this clock.
    from_stamp_ns: i64,
    /// The only producer whose records' latencies are recorded.
    only_producer: Option<u32>,
}

impl WaitOrder {
    /// An order for the trial's topics, with the common start.
    pub(crate) fn new(order: &StampOrder, start_ns: u64) -> Self {
        let origin_ns = start_ns.saturating_add(order.lead_ns);
        let from_ns = origin_ns.saturating_add(order.warmup_ns);
        WaitOrder {
            origin_ns,
            window_ns: from_ns..from_ns.saturating_add(order.duration_ns),
            stamped_from: order.stamped_from.iter().flatten().copied().collect(),
            from_stamp_ns: order.stamp_offset_ns.saturating_neg(),
            only_producer: order.only_producer,
        }
    }

    /// Says what is wrong with an order that does not name a first stamp for each partition.
    pub(crate) fn check(order: &StampOrder, topics: &[TopicTarget]) -> Result<(), String> {
        let named: Vec<usize> = order.stamped_from.iter().map(Vec::len).collect();
        let needed: Vec<usize> = topics.iter().map(|topic| topic.partitions.len()).collect();
        if named == needed {
            return Ok(());
        }
        Err(format!(
            "`stamps.stamped_from` is for topics of {named:?} partitions; those of the trial have {needed:?}"
        ))
    }

    /// The slice of the window at a moment; `None` outside of the window.
    fn slice_of(&self, at_ns: u64) -> Option<usize> {
        let from_ns = at_ns.checked_sub(self.window_ns.start)?;
        let length_ns = self.window_ns.end - self.window_ns.start;
        let slice = u128::from(from_ns) * WAIT_SLICES as u128 / u128::from(length_ns.max(1));
        usize::try_from(slice).ok().filter(|slice| *slice < WAIT_SLICES)
    }

    /// How much of the time between two moments is in the window.
    fn overlap_ns(&self, from_ns: u64, until_ns: u64) -> u64 {
        until_ns
            .min(self.window_ns.end)
            .saturating_sub(from_ns.max(self.window_ns.start))
    }

    /// True for a stamp whose times can be compared with this worker's, if only some can.
    #[inline]
    fn is_measured(&self, stamp: Stamp) -> bool {
        self.only_producer.is_none_or(|only| u32::from(stamp.producer) == only)
    }

    /// The first offset of a slot whose record has a stamp.
    pub(crate) fn stamped_from(&self, slot: usize) -> i64 {
        self.stamped_from[slot]
    }
}

/// When a thread had a record.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_field_names, reason = "units belong in names")]
pub(super) struct Handling {
    /// The client handed it over, with its batch.
    pub(super) received_ns: u64,
    /// Its work began.
    pub(super) started_ns: u64,
    /// Its work was done.
    pub(super) finished_ns: u64,
}

/// What one thread records of the records that it works.
pub(super) struct Waits<'a> {
    order: &'a WaitOrder,
    seconds: &'a Seconds,
    waited: Waited,
    /// The second under way, from the producers' start, and what has ended in it.
    second: u32,
    second_end_ns: u64,
    response: LatencyRecorder,
    /// The thread was working until then.
    busy_until_ns: u64,
}

impl<'a> Waits<'a> {
    /// A recorder for records of the member's slots.
    pub(super) fn new(order: &'a WaitOrder, shared: &'a MemberShared) -> Self {
        Waits {
            order,
            seconds: shared.seconds(),
            waited: Waited {
                by_slot: shared.slots().iter().map(|_| None).collect(),
                unstamped: None,
                threads: 1,
                idle_ns: 0,
            },
            second: 0,
            second_end_ns: order.origin_ns.saturating_add(NS_PER_SECOND),
            response: LatencyRecorder::default(),
            busy_until_ns: order.origin_ns,
        }
    }

    /// The stamp of a record of this slot. `None` for a record of the backlog, and for one that has none although it
    /// should, which is noted.
    #[inline]
    pub(super) fn stamp_of(&mut self, slot: usize, record: &impl Message) -> Option<Stamp> {
        if record.offset() < self.order.stamped_from[slot] {
            return None;
        }
        let stamp = Stamp::of_value(record.value());
        if stamp.is_none() {
            self.waited.note_unstamped(slot, record.offset(), record.value().len());
        }
        stamp.map(|stamp| stamp.moved(self.order.from_stamp_ns))
    }

    /// Records the way of a record of this slot, unless it is one without a stamp.
    #[inline]
    pub(super) fn finished(&mut self, slot: usize, stamp: Option<Stamp>, handling: Handling) {
        self.passed(handling.finished_ns);
        self.idle_until(handling.started_ns);
        self.busy_until(handling.finished_ns);
        let Some(stamp) = stamp else { return };
        let times = RecordTimes {
            intended_ns: stamp.intended_ns,
            sent_ns: stamp.sent_ns,
            received_ns: handling.received_ns,
            started_ns: handling.started_ns,
            finished_ns: handling.finished_ns,
        };
        let is_measured = self.order.is_measured(stamp);
        if is_measured {
            self.response.record(times.intended_ns, times.finished_ns);
        }
        if let Some(slice) = self.order.slice_of(times.intended_ns) {
            let waits = self.waited.by_slot[slot].get_or_insert_default();
            if is_measured {
                waits.record(slice, &times);
            } else {
                waits.latencies.record_at_reader(&times);
            }
        }
    }

    /// The thread had nothing to work since it was last busy, except for the time that taking a record takes.
    #[inline]
    fn idle_until(&mut self, now_ns: u64) {
        let from_ns = self.busy_until_ns + TAKING_NS;
        if now_ns > from_ns {
            self.waited.idle_ns += self.order.overlap_ns(from_ns, now_ns);
        }
    }

    /// The thread was busy until now, with a record or with a commit.
    #[inline]
    pub(super) fn busy_until(&mut self, now_ns: u64) {
        self.busy_until_ns = self.busy_until_ns.max(now_ns);
    }

    /// Says what time it is: a second that is over is handed over.
    #[inline]
    pub(super) fn passed(&mut self, now_ns: u64) {
        if now_ns >= self.second_end_ns {
            self.turn(now_ns);
        }
    }

    #[cold]
    fn turn(&mut self, now_ns: u64) {
        self.hand_over();
        let origin_ns = self.order.origin_ns;
        let second = now_ns.saturating_sub(origin_ns) / NS_PER_SECOND;
        self.second = u32::try_from(second).unwrap_or(u32::MAX);
        self.second_end_ns = origin_ns.saturating_add((second + 1).saturating_mul(NS_PER_SECOND));
    }

    fn hand_over(&mut self) {
        if self.response.count() > 0 {
            self.seconds.hand_over(self.second, &std::mem::take(&mut self.response));
        }
    }

    /// Closes the recorder; its last second is handed over.
    pub(super) fn close(mut self) -> Waited {
        self.hand_over();
        self.idle_until(self.order.window_ns.end);
        self.waited
    }
}

/// What was recorded, by one thread or by several.
#[derive(Debug)]
pub(super) struct Waited {
    /// Of the records of the window. A partition of which none was read takes no memory.
    by_slot: Vec<Option<Box<SlotWaits>>>,
    unstamped: Option<Unstamped>,
    /// Threads that recorded.
    threads: u32,
    /// Time of the window in which they had nothing to work.
    idle_ns: u64,
}

/// What was recorded of one partition's records.
#[derive(Debug, Default)]
struct SlotWaits {
    latencies: Latencies,
    slices: [WaitSlice; WAIT_SLICES],
}

impl SlotWaits {
    #[inline]
    fn record(&mut self, slice: usize, times: &RecordTimes) {
        self.latencies.record(times);
        self.slices[slice].add(WaitSlice {
            records: 1,
            waited_ns: times.started_ns.saturating_sub(times.intended_ns),
        });
    }

    fn merge(&mut self, other: &SlotWaits) {
        self.latencies.merge(&other.latencies);
        let slices = self.slices.iter_mut().zip(other.slices);
        slices.for_each(|(mine, its)| mine.add(its));
    }
}

/// Records without a stamp where each should have one.
#[derive(Debug)]
struct Unstamped {
    records: u64,
    /// The first of them.
    slot: usize,
    offset: i64,
    value_bytes: usize,
}

impl Waited {
    #[cold]
    fn note_unstamped(&mut self, slot: usize, offset: i64, value_bytes: usize) {
        let unstamped = self.unstamped.get_or_insert(Unstamped {
            records: 0,
            slot,
            offset,
            value_bytes,
        });
        unstamped.records += 1;
    }

    /// Adds what another thread has recorded, where anything was to be.
    pub(super) fn merge(all: &mut Option<Waited>, other: Option<Waited>) {
        match (all, other) {
            (_, None) => {}
            (Some(all), Some(other)) => all.absorb(other),
            (all, other) => *all = other,
        }
    }

    fn absorb(&mut self, other: Waited) {
        self.threads += other.threads;
        self.idle_ns += other.idle_ns;
        for (mine, its) in self.by_slot.iter_mut().zip(other.by_slot) {
            match (mine, its) {
                (_, None) => {}
                (Some(mine), Some(its)) => mine.merge(&its),
                (mine, its) => *mine = its,
            }
        }
        match (&mut self.unstamped, other.unstamped) {
            (_, None) => {}
            (Some(mine), Some(its)) => mine.records += its.records,
            (mine, its) => *mine = its,
        }
    }

    /// Adds what was recorded of a slot to its result; nothing is a set of latencies as well.
    pub(super) fn complete(&mut self, slot: usize, result: PartitionMeasurement) -> PartitionMeasurement {
        let waits = self.by_slot.get_mut(slot).and_then(Option::take).unwrap_or_default();
        PartitionMeasurement {
            latencies: Some(waits.latencies),
            waits: waits.slices.to_vec(),
            ..result
        }
    }

    /// What the threads had to do in the window.
    pub(super) fn idle(&self) -> ReadingTime {
        ReadingTime {
            working_threads: self.threads,
            idle_ns: self.idle_ns,
            ..ReadingTime::default()
        }
    }

    /// What went wrong: records that should have had a stamp and did not.
    pub(super) fn failure(&self, shared: &MemberShared) -> Option<String> {
        let unstamped = self.unstamped.as_ref()?;
        let slot = &shared.slots()[unstamped.slot];
        let (topic, partition) = (shared.topic_of(slot), slot.partition.partition);
        Some(format!(
            "{} of the records that should begin with a stamp of {STAMP_BYTES} bytes have none: offset {} of {topic} \
             [{partition}], for one, has a value of {} bytes",
            unstamped.records, unstamped.offset, unstamped.value_bytes
        ))
    }
}
