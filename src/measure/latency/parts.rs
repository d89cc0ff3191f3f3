//! The five parts of a record's latency, and a histogram for each.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::recorder::LatencyRecorder;

/// The five parts of a record's latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum LatencyPart {
    /// Intended to sent: the producer was late.
    ProducerDelay,
    /// Sent to received: from one client to the other.
    Transit,
    /// Received to started: what was read before it came first.
    Queued,
    /// Started to finished.
    Work,
    /// Intended to finished: all of it.
    Response,
}

impl LatencyPart {
    /// All parts, in the order of a record's way.
    pub const ALL: [LatencyPart; 5] = [
        LatencyPart::ProducerDelay,
        LatencyPart::Transit,
        LatencyPart::Queued,
        LatencyPart::Work,
        LatencyPart::Response,
    ];

    /// True for a part that begins on the clock of the producer and ends on that of the reader.
    pub fn is_between_clients(self) -> bool {
        matches!(self, LatencyPart::Transit | LatencyPart::Response)
    }

    /// Its name in files and columns.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The five moments of a record's way, all of one clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordTimes {
    /// When the schedule wanted it to be sent.
    pub intended_ns: u64,
    /// When the producer gave it to its client.
    pub sent_ns: u64,
    /// When the consumer's client handed it over.
    pub received_ns: u64,
    /// When its work began.
    pub started_ns: u64,
    /// When its work was done.
    pub finished_ns: u64,
}

/// The latencies of a set of records in their five parts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Latencies {
    /// Intended to sent.
    pub producer_delay: LatencyRecorder,
    /// Sent to received.
    pub transit: LatencyRecorder,
    /// Received to started.
    pub queued: LatencyRecorder,
    /// Started to finished.
    pub work: LatencyRecorder,
    /// Intended to finished.
    pub response: LatencyRecorder,
}

impl Latencies {
    /// Records one record's way.
    #[inline]
    pub fn record(&mut self, times: &RecordTimes) {
        self.producer_delay.record(times.intended_ns, times.sent_ns);
        self.transit.record(times.sent_ns, times.received_ns);
        self.queued.record(times.received_ns, times.started_ns);
        self.work.record(times.started_ns, times.finished_ns);
        self.response.record(times.intended_ns, times.finished_ns);
    }

    /// Records what happened to one record at its reader, where the clock of its producer is not the reader's.
    #[inline]
    pub fn record_at_reader(&mut self, times: &RecordTimes) {
        self.queued.record(times.received_ns, times.started_ns);
        self.work.record(times.started_ns, times.finished_ns);
    }

    /// One part.
    pub fn part(&self, part: LatencyPart) -> &LatencyRecorder {
        match part {
            LatencyPart::ProducerDelay => &self.producer_delay,
            LatencyPart::Transit => &self.transit,
            LatencyPart::Queued => &self.queued,
            LatencyPart::Work => &self.work,
            LatencyPart::Response => &self.response,
        }
    }

    /// All of several sets together; `None` of none.
    pub fn merged<'a>(sets: impl IntoIterator<Item = &'a Latencies>) -> Option<Latencies> {
        let mut sets = sets.into_iter();
        let mut merged = sets.next()?.clone();
        sets.for_each(|set| merged.merge(set));
        Some(merged)
    }

    /// Adds the records of another set.
    pub fn merge(&mut self, other: &Latencies) {
        self.producer_delay.merge(&other.producer_delay);
        self.transit.merge(&other.transit);
        self.queued.merge(&other.queued);
        self.work.merge(&other.work);
        self.response.merge(&other.response);
    }
}
