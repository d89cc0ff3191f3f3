//! What a live or mixed trial recorded of the load: whether it was reached, how far the readers were behind, and how
//! long records waited second by second.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::interruption::Stretch;
use super::latency::{LatencyRecorder, PackedLatency};
use super::member::{Series, TopicPartition};
use super::process::ProcessUsage;
use crate::time::HostId;

/// The measured load of one trial.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LoadMeasurement {
    /// The first record could be intended for this moment: the producers' start.
    pub start_ns: u64,
    /// The window: records intended from here on are measured.
    pub window_from_ns: u64,
    /// Its end, which is the end of the load.
    pub window_end_ns: u64,
    /// Records per second that the schedule asked for in the window.
    pub offered_per_second: f64,
    /// Records per second that were sent and acknowledged within the window, whenever they were intended.
    pub sent_per_second: f64,
    /// Whether the producers could send what the schedule asked for when it asked for it.
    pub reached: bool,
    /// Records of the complete schedule, warm-up included.
    pub due: u64,
    /// Records given to the producers' clients.
    pub sent: u64,
    /// Records that the cluster acknowledged.
    pub acknowledged: u64,
    /// Records that the clients would not take.
    pub refused: u64,
    /// Records that were not delivered.
    pub failed: u64,
    /// Refused and failed records by cause.
    pub errors: Vec<DeliveryErrors>,
    /// Records in the topics, over all groups, that nobody had read when the draining was over.
    pub unread: u64,
    /// How far each group was behind, sampled through the trial.
    pub lag: LagSeries,
    /// Where the readers could not keep up.
    pub overload: Option<Overload>,
    /// What the window says of the readers; `None` in trials of versions that did not judge members and partitions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgement: Option<LoadJudgement>,
    /// In a mixed trial: the backlog and what had arrived behind it was read for the first time. `None` where that
    /// never came.
    pub caught_up_ns: Option<u64>,
    /// Response times of all members by the second in which the work on the record ended, from
    /// [`LoadMeasurement::start_ns`] on. Records of the warm-up and of the draining are among them.
    pub seconds: Vec<SecondOfLatency>,
    /// Of each producer process.
    pub producers: Vec<ProducerMeasurement>,
    /// True where each reader measured the response times of those records alone that the producer beside it had sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_beside: bool,
}

impl LoadMeasurement {
    /// True where the latency figures are those of the load that was asked for and of readers that kept up.
    pub fn is_meaningful(&self) -> bool {
        self.reached && self.overload.is_none() && self.unread == 0
    }

    /// Whether the readers kept up. A trial without a judgement held where it was not overloaded.
    pub fn verdict(&self) -> LoadVerdict {
        match (&self.judgement, self.overload) {
            (_, Some(_)) => LoadVerdict::Overloaded,
            (Some(judgement), None) => judgement.verdict,
            (None, None) => LoadVerdict::Holds,
        }
    }

    /// Records that the producers' clients sent again; `None` unless each of them counted them.
    pub fn retried(&self) -> Option<u64> {
        let retried = self.producers.iter().map(|producer| producer.retried);
        retried.sum::<Option<u64>>().filter(|_| !self.producers.is_empty())
    }

    /// Length of the window.
    pub fn window_ns(&self) -> u64 {
        self.window_end_ns.saturating_sub(self.window_from_ns)
    }
}

/// Whether readers keep up with a load. The order is that of the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum LoadVerdict {
    /// They do.
    Holds,
    /// The window is too short for what it shows: growth that it does not resolve may be there.
    CannotSay,
    /// They fall behind.
    Overloaded,
}

impl LoadVerdict {
    /// Its name in files and columns.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The verdict on the readers in a window: the worst of the verdicts on its members and partitions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadJudgement {
    /// Whether they keep up.
    pub verdict: LoadVerdict,
    /// The fullest member or partition with this verdict, in words.
    pub who: String,
    /// Its load as a share of what it can do.
    pub fullness: f64,
    /// The smallest growth of a lag that the window distinguishes from none, as a share of what arrives.
    pub resolution: f64,
}

impl LoadJudgement {
    /// `group 1, process 2, consumer 1, at 96 % of what it can do`.
    pub fn how_full(&self) -> String {
        format!("{}, at {:.0} % of what it can do", self.who, self.fullness * 100.0)
    }

    /// The resolution in percent, to two digits.
    pub fn resolution_percent(&self) -> String {
        percent(self.resolution)
    }
}

/// A share in percent: an integer, below ten with a decimal.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent < 9.95 {
        format!("{percent:.1}")
    } else {
        format!("{percent:.0}")
    }
}

/// Readers that fell behind: latencies then say how long the trial was, and nothing of the readers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Overload {
    /// Records per second by which the lag grew in the window.
    pub lag_growth_per_second: f64,
    /// The lag at the end of the window, over all partitions and groups.
    pub lag_at_end: u64,
}

/// Response times of one second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecondOfLatency {
    /// Its number, from 0 for the first after the start.
    pub second: u32,
    /// Intended to finished.
    pub response: PackedLatency,
}

/// Records between the end of each partition and the position of each group, sampled.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LagSeries {
    /// When the ends were looked up.
    pub at_ns: Vec<u64>,
    /// Of each group and partition.
    pub partitions: Vec<PartitionLag>,
}

impl LagSeries {
    /// The lag over all partitions and groups in each sample.
    pub fn totals(&self) -> Vec<u64> {
        let sum = |sample: usize| self.partitions.iter().filter_map(|p| p.lag.get(sample)).sum();
        (0..self.at_ns.len()).map(sum).collect()
    }
}

/// The lag of one group in one partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionLag {
    /// The group, from 0.
    pub group: u32,
    /// Index of the topic.
    pub topic: u32,
    /// Partition number.
    pub partition: i32,
    /// Records in each sample of [`LagSeries::at_ns`].
    pub lag: Vec<u64>,
}

/// What one producer process recorded.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ProducerMeasurement {
    /// Its number, from 0.
    pub producer: u32,
    /// Its host.
    #[serde(default, skip_serializing_if = "HostId::is_coordinator")]
    pub host: HostId,
    /// Process id on its host.
    pub pid: u32,
    /// Client name, such as `librdkafka`.
    pub client: String,
    /// Client version.
    pub client_version: String,
    /// Records of its schedule.
    pub due: u64,
    /// Records given to the client.
    pub sent: u64,
    /// Records acknowledged.
    pub acknowledged: u64,
    /// Intended to sent, of every record sent.
    pub lateness: LatencyRecorder,
    /// Records sent over time from the producers' start.
    pub series: Series,
    /// The last record was sent.
    pub last_sent_ns: Option<u64>,
    /// Time in which it waited because the client's queue was full.
    pub queue_full_ns: u64,
    /// Records that its client sent again after an attempt that failed; `None` where it did not count them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retried: Option<u64>,
    /// Where partitions took their time to acknowledge.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delays: Vec<DeliveryDelay>,
    /// Resources from the start to the last record.
    pub window: Option<ProcessUsage>,
    /// Resources from its start to its end.
    pub stopwatch: Option<ProcessUsage>,
}

/// A stretch in which a partition left records unacknowledged: from when the first of them was sent until the last of those
/// that waited with it was acknowledged. Delays below half a second are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryDelay {
    /// The partition.
    pub partition: TopicPartition,
    /// When.
    pub delay: Stretch,
}

/// Records that were not delivered for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryErrors {
    /// What the client said.
    pub cause: String,
    /// How many.
    pub records: u64,
}
