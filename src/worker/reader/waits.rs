//! How long records with a stamp waited until their work was done: a recorder for each thread that works, without any
//! lock, merged when the reading is over. Only seconds that have passed leave it earlier. No clock is read here.

use std::ops::Range;

use super::source::Message;
use crate::load::{STAMP_BYTES, Stamp};
use crate::measure::latency::{Latencies, LatencyRecorder, RecordTimes};
use crate::protocol::{StampOrder, TopicTarget};
use crate::worker::seconds::Seconds;
use crate::worker::shared::MemberShared;

const NS_PER_SECOND: u64 = 1_000_000_000;

/// What is measured of records with a stamp, on the clock.
#[derive(Debug)]
pub(crate) struct WaitOrder {
    /// The producers' start.
    origin_ns: u64,
    /// Latencies are those of records that are intended for these times.
    window_ns: Range<u64>,
    /// By slot the first offset whose record has a stamp.
    stamped_from: Vec<i64>,
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
        }
    }

    /// Says what is wrong with an order that does not name a first stamp for each partition.
    pub(crate) fn check(order: &StampOrder, topics: &[TopicTarget]) -> Result<(), String> {
        let named: Vec<usize> = order.stamped_from.iter().map(Vec::len).collect();
        let wanted: Vec<usize> = topics.iter().map(|topic| topic.partitions.len()).collect();
        if named == wanted {
            return Ok(());
        }
        Err(format!(
            "`stamps.stamped_from` is for topics of {named:?} partitions; those of the trial have {wanted:?}"
        ))
    }

    /// The first offset of a slot whose record has a stamp.
    pub(in crate::worker) fn stamped_from(&self, slot: usize) -> i64 {
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
            },
            second: 0,
            second_end_ns: order.origin_ns.saturating_add(NS_PER_SECOND),
            response: LatencyRecorder::default(),
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
        stamp
    }

    /// Records the way of a record of this slot, unless it is one without a stamp.
    #[inline]
    pub(super) fn finished(&mut self, slot: usize, stamp: Option<Stamp>, handling: Handling) {
        self.passed(handling.finished_ns);
        let Some(stamp) = stamp else { return };
        let times = RecordTimes {
            intended_ns: stamp.intended_ns,
            sent_ns: stamp.sent_ns,
            received_ns: handling.received_ns,
            started_ns: handling.started_ns,
            finished_ns: handling.finished_ns,
        };
        self.response.record(times.intended_ns, times.finished_ns);
        if self.order.window_ns.contains(&times.intended_ns) {
            self.waited.by_slot[slot].get_or_insert_default().record(&times);
        }
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
        self.waited
    }
}

/// What was recorded, by one thread or by several.
#[derive(Debug)]
pub(super) struct Waited {
    /// Of the records of the window. A partition of which none was read takes no memory.
    by_slot: Vec<Option<Box<Latencies>>>,
    unstamped: Option<Unstamped>,
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

    /// Takes out what was recorded of a slot; nothing is a set of latencies as well.
    pub(super) fn take(&mut self, slot: usize) -> Latencies {
        let latencies = self.by_slot.get_mut(slot).and_then(Option::take);
        latencies.map(|latencies| *latencies).unwrap_or_default()
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
