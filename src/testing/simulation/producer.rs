//! A simulated producer: sends what is due, and reports what became of it.

use std::collections::BTreeMap;

use super::chance::{Chance, MS};
use super::cluster::Cluster;
use crate::measure::TopicPartition;
use crate::protocol::{PrepareProducer, ProducedPartition, ProducerProgress, ProducerResult};

/// A process that sends records.
#[derive(Debug)]
pub struct SimProducer {
    pub name: String,
    /// Records per second of this producer.
    rate: f64,
    /// Length of the load and of the warm-up before its window.
    duration_ns: u64,
    warmup_ns: u64,
    pub start_ns: Option<u64>,
    pub is_stopped: bool,
    /// So many of the next records fail; they are written all the same where the second is true.
    pub fails: (u64, bool),
    /// So many of the next records are acknowledged and not kept.
    pub forgotten: u64,
    sent: u64,
    failed: u64,
    /// Sent and acknowledged within the window.
    in_window: u64,
    /// What each partition acknowledged, and the highest offset.
    pub acknowledged: BTreeMap<TopicPartition, (u64, Option<i64>)>,
    last_sent_ns: Option<u64>,
}

impl SimProducer {
    pub fn new(name: String) -> Self {
        SimProducer {
            name,
            rate: 0.0,
            duration_ns: 0,
            warmup_ns: 0,
            start_ns: None,
            is_stopped: false,
            fails: (0, false),
            forgotten: 0,
            sent: 0,
            failed: 0,
            in_window: 0,
            acknowledged: BTreeMap::new(),
            last_sent_ns: None,
        }
    }

    /// Takes its order.
    pub fn prepare(&mut self, order: &PrepareProducer) {
        let all_per_second = order.schedule.expected() / (order.schedule.duration_ns() as f64 / 1e9);
        self.rate = all_per_second / f64::from(order.producers);
        self.duration_ns = order.schedule.duration_ns();
        self.warmup_ns = order.warmup_ns;
    }

    /// Records that were to be sent so long after its start.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn due(&self, after_ns: u64) -> u64 {
        (self.rate * after_ns.min(self.duration_ns) as f64 / 1e9) as u64
    }

    /// Sends what is due; nothing before the start.
    pub fn send(&mut self, now_ns: u64, cluster: &mut Cluster, chance: &mut Chance) -> ProducerProgress {
        let after_ns = now_ns.saturating_sub(self.start_ns.unwrap_or(u64::MAX));
        let partitions = cluster.partitions();
        while self.sent < self.due(after_ns) {
            let partition = partitions[usize::try_from(self.sent).unwrap() % partitions.len()];
            if !cluster.is_led(partition, now_ns) {
                break;
            }
            self.send_one(now_ns, partition, cluster, chance);
            self.in_window += u64::from(after_ns >= self.warmup_ns);
            self.last_sent_ns = Some(now_ns);
        }
        ProducerProgress {
            sent: self.sent,
            acknowledged: self.sent - self.failed,
            failed: self.failed,
            finished: after_ns >= self.duration_ns,
        }
    }

    fn send_one(&mut self, now_ns: u64, partition: TopicPartition, cluster: &mut Cluster, chance: &mut Chance) {
        self.sent += 1;
        let log = cluster.log_mut(partition);
        if self.fails.0 > 0 {
            self.fails.0 -= 1;
            self.failed += 1;
            if self.fails.1 {
                log.append(now_ns + chance.up_to(400 * MS));
            }
            return;
        }
        let (count, highest) = self.acknowledged.entry(partition).or_default();
        *count += 1;
        if self.forgotten > 0 {
            self.forgotten -= 1;
        } else {
            // Where the leader alone acknowledges, records can be read a little later.
            *highest = Some(log.append(now_ns + chance.up_to(20 * MS)));
        }
    }

    /// Everything it recorded.
    pub fn result(&self) -> ProducerResult {
        let due = self.due(self.duration_ns);
        let due_in_window = due - self.due(self.warmup_ns);
        let partitions = self
            .acknowledged
            .iter()
            .map(|(partition, (acknowledged, highest))| ProducedPartition {
                topic: partition.topic,
                partition: partition.partition,
                acknowledged: *acknowledged,
                highest_offset: *highest,
            });
        ProducerResult {
            due,
            sent: self.sent,
            acknowledged: self.sent - self.failed,
            failed: self.failed,
            due_in_window,
            sent_in_window: self.in_window,
            acknowledged_in_window: self.in_window,
            partitions: partitions.collect(),
            last_sent_ns: self.last_sent_ns,
            ..ProducerResult::default()
        }
    }
}
