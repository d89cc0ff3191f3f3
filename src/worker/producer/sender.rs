//! The sending thread: every record of the schedule at its intended time, or as soon after it as can be; none is left
//! out. What it costs to be late is in the record itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, BaseRecord};

use super::deliveries::{Deliveries, cause_of};
use super::pace::Pace;
use crate::contents::RecordSource;
use crate::load::{STAMP_BYTES, ScheduleError, Stamp};
use crate::measure::clock;
use crate::measure::usage::ProcessSnapshot;
use crate::protocol::{PrepareProducer, ProducerResult};
use crate::scenario::Keys;
use crate::worker::series::SeriesBuilder;

/// How long to wait before asking a full client again.
const FULL_WAIT: Duration = Duration::from_millis(1);
/// The cause of the record that waited for space in the client at the end.
const QUEUE_FULL: &str = "stopped while the client's queue was full: never sent";
/// The cause of records that had fallen due before the stop while the sending was behind.
const BEHIND: &str = "stopped while the sending was behind its schedule: never sent";

/// Records that were never sent are counted up to this many: beyond that it takes longer than the result may.
const BEHIND_MAX: u64 = 100_000_000;

/// What the sending thread shares with the others.
#[derive(Debug, Default)]
pub(super) struct Sending {
    pub(super) stopped: AtomicBool,
    /// Records given to the client.
    pub(super) sent: AtomicU64,
    /// The last record of the schedule was dealt with.
    pub(super) over: AtomicBool,
}

/// All that the sending thread needs.
pub(super) struct Sender {
    pub(super) order: Arc<PrepareProducer>,
    pub(super) text: Arc<[u8]>,
    pub(super) client: Arc<BaseProducer<Deliveries>>,
    pub(super) deliveries: Arc<Deliveries>,
    pub(super) sending: Arc<Sending>,
}

/// Says before the start what would keep the sending from beginning.
pub(super) fn check(order: &PrepareProducer, text: &[u8]) -> Result<(), String> {
    let times = order.schedule.times_of(order.producer, order.producers);
    times.map_err(|error: ScheduleError| error.to_string())?;
    Records::new(order, text).map(|_| ())
}

impl Sender {
    /// Sends the schedule from `start_ns` on, or what falls due until it is stopped. Returns what it counted, and the
    /// process when the last record had been sent.
    pub(super) fn run(self, start_ns: u64) -> Result<(ProducerResult, ProcessSnapshot), String> {
        let order = Arc::clone(&self.order);
        let times = order
            .schedule
            .times_of(order.producer, order.producers)
            .map_err(|error: ScheduleError| error.to_string())?;
        let mut records = Records::new(&order, &self.text)?;
        let mut pace = Pace::prepare();
        let window_ns = start_ns + order.warmup_ns..start_ns + order.schedule.duration_ns();
        self.deliveries.set_window(window_ns.clone());
        let mut sent = ProducerResult::default();
        let mut series = SeriesBuilder::of_sent();
        let (mut waiting, mut behind) = (0, 0);
        let mut stopped_ns = None;
        for after_ns in times {
            let intended_ns = start_ns + after_ns;
            if let Some(stopped_ns) = stopped_ns {
                // Whatever was due before the stop counts, sent or not; of what is far too much, the first part.
                if intended_ns > stopped_ns || behind >= BEHIND_MAX {
                    break;
                }
                behind += 1;
            } else if !pace.wait_until(intended_ns, &self.sending.stopped) {
                break;
            }
            sent.due += 1;
            sent.due_in_window += u64::from(window_ns.contains(&intended_ns));
            if stopped_ns.is_some() {
                continue;
            }
            records.next();
            match self.send(&mut records, intended_ns, &mut sent.queue_full_ns) {
                Outcome::Sent(sent_ns) => {
                    self.sending.sent.fetch_add(1, Ordering::Release);
                    sent.lateness.record(intended_ns, sent_ns);
                    sent.sent_in_window += u64::from(window_ns.contains(&sent_ns));
                    series.add(sent_ns.saturating_sub(start_ns), 1);
                    sent.last_sent_ns = Some(sent_ns);
                }
                Outcome::Refused(cause) => {
                    self.deliveries.blame(&cause, 1);
                    sent.refused += 1;
                }
                Outcome::Stopped => waiting += 1,
            }
            if self.sending.stopped.load(Ordering::Relaxed) {
                stopped_ns = Some(clock::now_ns());
            }
        }
        self.deliveries.blame(QUEUE_FULL, waiting);
        self.deliveries.blame(BEHIND, behind);
        self.sending.over.store(true, Ordering::Release);
        sent.refused += waiting + behind;
        sent.series = series.finish();
        Ok((sent, ProcessSnapshot::take()))
    }

    /// Gives the current record to the client, waiting while its queue is full.
    fn send(&self, records: &mut Records<'_>, intended_ns: u64, queue_full_ns: &mut u64) -> Outcome {
        loop {
            let sent_ns = clock::now_ns();
            let record = records.stamped(intended_ns, sent_ns);
            let Err((error, _)) = self.client.send(record) else {
                return Outcome::Sent(sent_ns);
            };
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                return Outcome::Refused(cause_of(&error));
            }
            if self.sending.stopped.load(Ordering::Relaxed) {
                return Outcome::Stopped;
            }
            std::thread::sleep(FULL_WAIT);
            *queue_full_ns += clock::now_ns() - sent_ns;
        }
    }
}

/// What became of a record that was to be sent.
enum Outcome {
    /// It was given to the client at this time.
    Sent(u64),
    /// The client would not take it.
    Refused(String),
    /// The client's queue was full until the end.
    Stopped,
}

/// Makes the producer's records, one at a time.
struct Records<'a> {
    order: &'a PrepareProducer,
    text: &'a [u8],
    source: RecordSource,
    /// Topics and partitions that take turns; partitions are left to the keys where there are any.
    places: Vec<(usize, Option<i32>)>,
    place: usize,
    producer: u16,
    sequence: u64,
    begun: bool,
    latest_key: u64,
    /// Where the next value lies in the text, in bytes.
    at: usize,
    key: Option<[u8; 8]>,
    value: Vec<u8>,
}

impl<'a> Records<'a> {
    fn new(order: &'a PrepareProducer, text: &'a [u8]) -> Result<Self, String> {
        let topics = order.topics.iter().enumerate();
        let places: Vec<(usize, Option<i32>)> = if order.keys == Keys::None {
            topics
                .flat_map(|(index, topic)| {
                    (0i32..)
                        .zip(0..topic.partitions)
                        .map(move |(number, _)| (index, Some(number)))
                })
                .collect()
        } else {
            topics.map(|(index, _)| (index, None)).collect()
        };
        if places.is_empty() {
            return Err("there is no partition to send to".to_owned());
        }
        let producer = u16::try_from(order.producer).map_err(|_| "a stamp holds producers up to 65,535".to_owned())?;
        Ok(Records {
            source: RecordSource::new(
                order.size,
                order.keys,
                text.len(),
                order.seed,
                u64::from(order.producer),
            )?,
            text,
            // Producers begin at different partitions, so that those that send at once do not all send to one.
            place: order.producer as usize % places.len(),
            places,
            producer,
            sequence: 0,
            begun: false,
            latest_key: u64::from(order.producer) << 40,
            at: 0,
            key: None,
            value: Vec::new(),
            order,
        })
    }

    /// Goes on to the next record.
    fn next(&mut self) {
        if self.begun {
            self.sequence += 1;
            self.place = (self.place + 1) % self.places.len();
        }
        self.begun = true;
        if self.order.keys != Keys::None {
            self.key = Some(self.source.key(&mut self.latest_key));
        }
        let text = &self.text[self.source.value(&mut self.at)];
        self.value.clear();
        self.value.extend_from_slice(text);
        // Sizes that are drawn may come out smaller than a stamp.
        self.value.resize(text.len().max(STAMP_BYTES), b' ');
    }

    /// The current record with its stamp.
    fn stamped(&mut self, intended_ns: u64, sent_ns: u64) -> BaseRecord<'_, [u8], [u8], usize> {
        let stamp = Stamp {
            intended_ns,
            sent_ns,
            producer: self.producer,
            sequence: self.sequence,
        };
        let stamp = stamp.moved(self.order.stamp_offset_ns);
        self.value[..STAMP_BYTES].copy_from_slice(&stamp.to_bytes());
        let (topic, partition) = self.places[self.place];
        let record = BaseRecord::with_opaque_to(&self.order.topics[topic].name, topic).payload(&self.value[..]);
        let record = match &self.key {
            Some(key) => record.key(&key[..]),
            None => record,
        };
        match partition {
            Some(partition) => record.partition(partition),
            None => record,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contents;
    use crate::load::{Arrivals, Profile, Schedule};
    use crate::scenario::Size;
    use crate::testing::prepare_producer;

    fn order(keys: Keys, size: Size) -> PrepareProducer {
        let profile = Profile::Constant { rate: 1.0 };
        let schedule = Schedule::new(Arrivals::Constant, profile, 1, 1).unwrap_or_else(|error| panic!("{error}"));
        PrepareProducer {
            producer: 1,
            producers: 2,
            size,
            keys,
            ..prepare_producer(&[("a", 2), ("b", 1)], schedule)
        }
    }

    #[test]
    fn without_keys_all_partitions_take_turns_and_every_record_has_its_number() {
        let (order, text) = (order(Keys::None, Size::Fixed(100)), contents::text(1));
        let mut records = Records::new(&order, &text).unwrap_or_else(|error| panic!("{error}"));
        let mut places = Vec::new();
        for sequence in 0..6 {
            records.next();
            // A record that has to wait is stamped again when it is sent.
            records.stamped(5, 6);
            let record = records.stamped(5, 7);
            let value = record.payload.unwrap_or_default();
            let expected = Stamp {
                intended_ns: 5,
                sent_ns: 7,
                producer: 1,
                sequence,
            };
            assert_eq!((value.len(), Stamp::of_value(value)), (100, Some(expected)));
            assert!(record.key.is_none());
            places.push((record.delivery_opaque, record.partition));
        }
        let turn = [(0, Some(1)), (1, Some(0)), (0, Some(0))];
        assert_eq!(places, [turn, turn].concat());
    }

    #[test]
    fn keys_choose_the_partition_and_no_value_is_too_short_for_its_stamp() {
        let size = Size::LogNormal {
            median: 30,
            sigma: 1.0,
            max: 100,
        };
        let (order, text) = (order(Keys::Unique, size), contents::text(1));
        let mut records = Records::new(&order, &text).unwrap_or_else(|error| panic!("{error}"));
        let mut keys = std::collections::BTreeSet::new();
        let mut sizes = std::collections::BTreeSet::new();
        for _ in 0..200 {
            records.next();
            let record = records.stamped(1, 2);
            assert_eq!(record.partition, None);
            keys.insert(record.key.map(<[u8]>::to_vec));
            sizes.insert(record.payload.unwrap_or_default().len());
        }
        assert_eq!(keys.len(), 200);
        assert!(sizes.first() == Some(&STAMP_BYTES) && sizes.len() > 10, "{sizes:?}");
    }
}
