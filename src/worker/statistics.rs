//! The client library's own statistics of one member: what it counts while it fetches, kept as a few numbers for each
//! time that they come. They come on the thread that serves the membership, never with a record.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;

use crate::measure::ClientStatistics;

/// Snapshots kept; beyond that every second one is dropped, which costs resolution and nothing else.
const SNAPSHOTS_MAX: usize = 4_096;

/// The statistics of a member's client so far.
#[derive(Debug, Default)]
pub(super) struct StatisticsLog {
    snapshots: Mutex<Vec<Snapshot>>,
    heartbeats: Mutex<Heartbeats>,
}

/// When the client sent heartbeats to its group's coordinator, as late as the statistics come.
#[derive(Debug, Default)]
struct Heartbeats {
    sent: u64,
    at_ns: Vec<u64>,
}

/// Heartbeats that are kept.
const HEARTBEATS_MAX: usize = 2_000;

/// Counts since the client was made, until a moment.
type Snapshot = ClientStatistics;

impl StatisticsLog {
    /// Notes one JSON document of the library's statistics. What cannot be read is left out: it is no reason to end a
    /// trial. Returns for how long brokers have throttled the client so far, where that has become longer.
    pub(super) fn note(&self, json: &[u8]) -> Option<Duration> {
        let document: Document = match serde_json::from_slice(json) {
            Ok(document) => document,
            Err(error) => {
                eprintln!("cannot read the client's statistics: {error}");
                return None;
            }
        };
        self.note_heartbeats(&document);
        let mut snapshots = self.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
        let before = snapshots.last().copied().unwrap_or_default();
        let next = document.after(before);
        if snapshots.len() >= SNAPSHOTS_MAX {
            *snapshots = snapshots.iter().skip(1).step_by(2).copied().collect();
        }
        snapshots.push(next);
        (next.throttled_ns > before.throttled_ns).then(|| Duration::from_nanos(next.throttled_ns))
    }

    fn note_heartbeats(&self, document: &Document) {
        let mut heartbeats = self.heartbeats.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = document.heartbeats();
        let has_space = heartbeats.at_ns.len() < HEARTBEATS_MAX;
        if sent > heartbeats.sent && has_space {
            heartbeats.at_ns.push(document.at_ns());
        }
        heartbeats.sent = sent;
    }

    /// When heartbeats had been sent.
    pub(super) fn heartbeats(&self) -> Vec<u64> {
        let heartbeats = self.heartbeats.lock().unwrap_or_else(PoisonError::into_inner);
        heartbeats.at_ns.clone()
    }

    /// What was counted from the start to the last statistics before the end; `None` where there were none between.
    pub(super) fn over(&self, start_ns: u64, end_ns: u64) -> Option<ClientStatistics> {
        let snapshots = self.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = |until_ns: u64| snapshots.iter().rev().find(|snapshot| snapshot.until_ns <= until_ns);
        let before = latest(start_ns).copied().unwrap_or_default();
        let last = latest(end_ns).filter(|snapshot| snapshot.until_ns > start_ns)?;
        Some(ClientStatistics {
            from_ns: start_ns,
            received_bytes: last.received_bytes.saturating_sub(before.received_bytes),
            fetches: last.fetches.saturating_sub(before.fetches),
            records: last.records.saturating_sub(before.records),
            awaited_ns: last.awaited_ns.saturating_sub(before.awaited_ns),
            throttled_ns: last.throttled_ns.saturating_sub(before.throttled_ns),
            looks: last.looks - before.looks,
            looks_empty: last.looks_empty - before.looks_empty,
            ..*last
        })
    }
}

/// What is read of the library's document (its STATISTICS.md); everything else in it is skipped.
#[derive(Deserialize)]
struct Document {
    /// Microseconds of the monotonic clock.
    ts: u64,
    #[serde(default)]
    brokers: HashMap<String, Broker>,
    #[serde(default)]
    topics: HashMap<String, Topic>,
}

#[derive(Deserialize)]
struct Broker {
    #[serde(default)]
    rxbytes: u64,
    /// Requests sent since the beginning, by their name.
    #[serde(default)]
    req: HashMap<String, u64>,
    #[serde(default)]
    rtt: Window,
    /// What the brokers' answers say of quotas, in milliseconds.
    #[serde(default)]
    throttle: Window,
}

/// A figure since the statistics before.
#[derive(Deserialize, Default)]
struct Window {
    /// Microseconds, unless it is said otherwise.
    #[serde(default)]
    sum: u64,
}

#[derive(Deserialize)]
struct Topic {
    #[serde(default)]
    partitions: HashMap<String, Partition>,
}

#[derive(Deserialize)]
struct Partition {
    /// Length of this partition's queue. Partitions that share a queue each report its full length.
    #[serde(default)]
    fetchq_cnt: i64,
    #[serde(default)]
    rxmsgs: u64,
}

impl Document {
    /// When it was made.
    fn at_ns(&self) -> u64 {
        self.ts.saturating_mul(1_000)
    }

    /// Heartbeats sent so far, of either group protocol.
    fn heartbeats(&self) -> u64 {
        let sent = |broker: &Broker, name| broker.req.get(name).copied().unwrap_or(0);
        let of_broker = |broker| sent(broker, "Heartbeat") + sent(broker, "ConsumerGroupHeartbeat");
        self.brokers.values().map(of_broker).sum()
    }

    /// The counts at this document, given those at the one before.
    fn after(&self, before: Snapshot) -> Snapshot {
        let mut next = Snapshot {
            until_ns: self.at_ns(),
            looks: before.looks + 1,
            awaited_ns: before.awaited_ns,
            throttled_ns: before.throttled_ns,
            ..Snapshot::default()
        };
        for broker in self.brokers.values() {
            next.received_bytes += broker.rxbytes;
            next.throttled_ns += broker.throttle.sum.saturating_mul(1_000_000);
            let fetches = broker.req.get("Fetch").copied().unwrap_or(0);
            // Others are asked for the group or for nothing: their answers are not waited for by a reader.
            if fetches > 0 {
                next.fetches += fetches;
                next.brokers += 1;
                next.awaited_ns += broker.rtt.sum.saturating_mul(1_000);
            }
        }
        let partitions = || self.topics.values().flat_map(|topic| topic.partitions.values());
        next.records = partitions().map(|partition| partition.rxmsgs).sum();
        let is_empty = partitions().all(|partition| partition.fetchq_cnt <= 0);
        next.looks_empty = before.looks_empty + u32::from(is_empty);
        next
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn document(ts: u64, fetches: u64, rtt_sum: u64, queued: i64, records: u64) -> String {
        format!(
            r#"{{"name": "x", "ts": {ts}, "brokers": {{
                "a:9092/1": {{"nodeid": 1, "rxbytes": {bytes}, "rtt": {{"min": 1, "sum": {rtt_sum}, "cnt": 3}},
                              "throttle": {{"min": 0, "sum": {throttle_sum}, "cnt": 1}},
                              "req": {{"Fetch": {fetches}, "Metadata": 2}}}},
                "GroupCoordinator": {{"nodeid": 1, "rxbytes": 10, "rtt": {{"sum": 999999}}, "req": {{"Heartbeat": 4}}}}}},
              "topics": {{"t": {{"topic": "t", "partitions": {{
                "0": {{"fetchq_cnt": {queued}, "rxmsgs": {records}, "consumer_lag": -1}},
                "-1": {{"fetchq_cnt": 0, "rxmsgs": 0}}}}}}}}}}"#,
            bytes = records * 100,
            throttle_sum = rtt_sum / 10,
        )
    }

    fn log(documents: &[String]) -> StatisticsLog {
        let log = StatisticsLog::default();
        for document in documents {
            log.note(document.as_bytes());
        }
        log
    }

    #[test]
    fn the_counts_are_those_between_the_start_and_the_last_statistics_before_the_end() {
        let log = log(&[
            document(100, 0, 70, 0, 0),
            document(300, 4, 90, 25, 1_000),
            document(500, 9, 50, 0, 3_000),
            document(700, 30, 200, 0, 9_000),
        ]);
        let found = log.over(150_000, 650_000).unwrap();
        let expected = ClientStatistics {
            from_ns: 150_000,
            until_ns: 500_000,
            received_bytes: 300_000,
            fetches: 9,
            records: 3_000,
            brokers: 1,
            awaited_ns: 140_000,
            throttled_ns: 14_000_000,
            looks: 2,
            looks_empty: 1,
        };
        assert_eq!(found, expected, "the coordinator's answers are no fetches");
        assert_eq!(found.awaited_share(), Some(0.4));
    }

    #[test]
    fn statistics_that_never_came_in_the_window_say_nothing() {
        let log = log(&[document(100, 0, 0, 0, 0), document(900, 4, 90, 25, 1_000)]);
        assert_eq!(log.over(150_000, 650_000), None);
        assert_eq!(StatisticsLog::default().over(0, u64::MAX), None);
    }

    #[test]
    fn a_heartbeat_is_noted_when_the_statistics_count_another_one() {
        let with = |ts, heartbeats: u64| {
            document(ts, 0, 0, 0, 0).replace("\"Heartbeat\": 4", &format!("\"Heartbeat\": {heartbeats}"))
        };
        let log = log(&[with(100, 0), with(200, 1), with(300, 1), with(400, 3)]);
        assert_eq!(log.heartbeats(), [200_000, 400_000]);
    }

    #[test]
    fn what_is_not_json_changes_nothing() {
        let log = log(&["{".to_owned(), document(300, 4, 90, 25, 1_000)]);
        assert_eq!(log.over(0, 400_000).unwrap().fetches, 4);
    }

    #[test]
    fn the_statistics_of_a_long_trial_lose_resolution_and_no_counts() {
        let documents: Vec<String> = (1..=10_000).map(|n| document(n * 10, n, 5, 0, n)).collect();
        let log = log(&documents);
        assert!(log.snapshots.lock().unwrap().len() <= SNAPSHOTS_MAX);
        let found = log.over(0, u64::MAX).unwrap();
        assert_eq!(
            (found.fetches, found.awaited_ns, found.looks),
            (10_000, 50_000_000, 10_000)
        );
    }
}
