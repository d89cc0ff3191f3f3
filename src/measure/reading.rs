//! How a member's reading threads spent their time, and what the client library reports about fetching. Bottlenecks are
//! found from both.

use serde::{Deserialize, Serialize};

use super::interruption::Stretch;

/// How a member's reading threads spent their time from the common start to the last record each of them took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReadingTime {
    /// Threads that take records from the client.
    pub readers: u32,
    /// Nanoseconds that they waited for records with an empty client queue; over all of them.
    pub waiting_ns: u64,
    /// Nanoseconds that they waited for answers to commits; over all of them.
    pub committing_ns: u64,
    /// Threads that work records, where records arrive with a stamp; 0 where [`ReadingTime::idle_ns`] was not measured.
    #[serde(default)]
    pub working_threads: u32,
    /// Nanoseconds of the load's window in which these threads had nothing to work; over all of them.
    #[serde(default)]
    pub idle_ns: u64,
    /// The longest time that one of them waited for the next record, or for the answer to a commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_wait: Option<Stretch>,
}

impl ReadingTime {
    /// Adds what other threads of the member spent.
    pub fn add(&mut self, other: ReadingTime) {
        self.readers += other.readers;
        self.waiting_ns += other.waiting_ns;
        self.committing_ns += other.committing_ns;
        self.working_threads += other.working_threads;
        self.idle_ns += other.idle_ns;
        self.longest_wait = Stretch::longer(self.longest_wait, other.longest_wait);
    }
}

/// What a member's client library counted itself, over the part of the window that its statistics cover: it gives
/// them from time to time, and only what lies between two of them is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClientStatistics {
    /// The common start: nothing was fetched before it.
    pub from_ns: u64,
    /// The last statistics before the member's last record.
    pub until_ns: u64,
    /// Bytes received from all brokers, as they came over the wire.
    pub received_bytes: u64,
    /// Fetch requests sent.
    pub fetches: u64,
    /// Records received, those among them that still lie in the client's queue.
    pub records: u64,
    /// Brokers that were fetched from.
    pub brokers: u32,
    /// Nanoseconds in which an answer of a broker was awaited, over all brokers that were fetched from. A fetch request
    /// that the broker keeps until there is a record is awaited all the while.
    pub awaited_ns: u64,
    /// Nanoseconds for which brokers said that they hold answers back because of a quota; over all brokers.
    #[serde(default)]
    pub throttled_ns: u64,
    /// Times that the client's queue was looked at.
    pub looks: u32,
    /// Of these, how often no record lay there.
    pub looks_empty: u32,
}

impl ClientStatistics {
    /// Length of the part of the window that is covered.
    pub fn covered_ns(&self) -> u64 {
        self.until_ns.saturating_sub(self.from_ns)
    }

    /// Share of the time covered in which an answer was awaited, the mean of the brokers that were fetched from;
    /// `None` where nothing was fetched.
    pub fn awaited_share(&self) -> Option<f64> {
        self.share_of_brokers(self.awaited_ns)
    }

    /// Share of the time covered for which a quota held answers back, as [`ClientStatistics::awaited_share`].
    pub fn throttled_share(&self) -> Option<f64> {
        self.share_of_brokers(self.throttled_ns)
    }

    fn share_of_brokers(&self, ns: u64) -> Option<f64> {
        let broker_ns = self.covered_ns() as f64 * f64::from(self.brokers);
        (broker_ns > 0.0).then(|| (ns as f64 / broker_ns).min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_awaited_is_the_mean_of_the_brokers() {
        let statistics = ClientStatistics {
            from_ns: 1_000,
            until_ns: 2_000,
            brokers: 2,
            awaited_ns: 500,
            ..ClientStatistics::default()
        };
        assert_eq!(statistics.awaited_share(), Some(0.25));
        let none = ClientStatistics {
            brokers: 0,
            ..statistics
        };
        assert_eq!(none.awaited_share(), None);
    }
}
