//! A configuration: how consumers are arranged, and what they do with the records.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::event::Event;
use super::live::Mode;
use super::property::ClientSettings;
use super::variants::Variant;
use crate::scenario::choice::Choice;

/// One combination of the scenario's cases and axes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// The case's name, then ` key=value` for each matrix key with more than one value. Unique.
    pub name: String,
    /// The case's name; empty where the scenario has no case.
    pub case: String,
    /// This configuration's value for each of [`Scenario::axes`], in that order.
    pub axis_values: Vec<String>,
    /// The values of [`Scenario::keys_in_use`], in that order, as text.
    pub key_values: Vec<String>,
    /// Index into [`Scenario::families`].
    pub family: usize,
    /// Index into [`Scenario::datasets`].
    pub dataset: usize,
    /// Index of the configuration that this one is compared with; `None` for a baseline.
    pub baseline: Option<usize>,
    /// Consumer groups that each read everything.
    pub groups: u32,
    /// The one group to use, which is the user's and outlives the run; `None` for a fresh one in each trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Worker processes per group.
    pub processes: u32,
    /// Consumers per process.
    pub consumers: u32,
    /// How members get their partitions.
    pub membership: Membership,
    /// True where members keep a `group.instance.id` over restarts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_static: bool,
    /// Milliseconds without a heartbeat after which a member counts as dead, where the file says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_timeout_ms: Option<u64>,
    /// Milliseconds between two heartbeats, where the file says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat_ms: Option<u64>,
    /// When positions are committed.
    pub commit: Commit,
    /// What is done with each record.
    pub work: Work,
    /// Most rows of one transaction, where records end in a store.
    #[serde(default = "one_row")]
    pub store_batch: u32,
    /// Whether the client's buffers are per consumer or shared out.
    pub buffers: Buffers,
    /// How records are taken from the client.
    pub read: Read,
    /// Threads of each consumer on which records are worked; with 1 that is the thread that reads.
    #[serde(default = "one_thread")]
    pub threads: u32,
    /// Which records wait for each other where there are several threads.
    #[serde(default)]
    pub ordering: WorkOrdering,
    /// Records that each consumer reads and works before the common start; they are in no figure.
    #[serde(default)]
    pub warmup_records: u64,
    /// Index into [`Scenario::apps`].
    #[serde(default)]
    pub app: usize,
    /// Indices into [`Scenario::places`]: the process of each number in its group runs at the next of them, in turn.
    #[serde(rename = "place", with = "in_turn")]
    pub places: Vec<usize>,
    /// Client settings.
    pub client: ClientSettings,
    /// Whether records lie there, arrive, or both.
    #[serde(default)]
    pub mode: Mode,
    /// What is done on purpose in each trial: what the file has for all, then what it has for this case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
    /// The cluster and the build it is run with, where those are compared.
    #[serde(default)]
    pub variant: Variant,
}

impl Configuration {
    /// Members over all groups.
    pub fn members(&self) -> u32 {
        self.groups * self.members_per_group()
    }

    /// Members of one group.
    pub fn members_per_group(&self) -> u32 {
        self.processes * self.consumers
    }

    /// What it does, whatever its name and whatever it is compared with.
    #[must_use]
    pub fn unnamed(&self) -> Configuration {
        Configuration {
            name: String::new(),
            case: String::new(),
            axis_values: Vec::new(),
            key_values: Vec::new(),
            baseline: None,
            variant: Variant {
                own_baseline: None,
                ..self.variant
            },
            ..self.clone()
        }
    }

    /// The timeouts of its groups' own settings, where the file gives any and the group protocol has them there.
    pub fn group_timeouts(&self) -> Option<GroupTimeouts> {
        let of_group = matches!(self.membership, Membership::Group(GroupProtocol::Consumer { .. }));
        let timeouts = GroupTimeouts {
            session_ms: self.session_timeout_ms,
            heartbeat_ms: self.heartbeat_ms,
        };
        Some(timeouts).filter(|timeouts| of_group && *timeouts != GroupTimeouts::default())
    }

    /// The index of the place of a process, which has this number in its group, counted from 0.
    pub fn place_of(&self, process: u32) -> usize {
        self.places[process as usize % self.places.len()]
    }

    /// The places that have a process, as indices into [`Scenario::places`], each once and in the order of the file.
    pub fn distinct_places(&self) -> Vec<usize> {
        let mut distinct = Vec::new();
        for place in self.places.iter().take(self.processes as usize) {
            if !distinct.contains(place) {
                distinct.push(*place);
            }
        }
        distinct
    }

    /// The producer that is beside the processes of each of [`Configuration::places`]; empty where none is.
    pub fn producers_beside(&self) -> Vec<u32> {
        if !self.mode.load().is_some_and(|load| load.is_beside) {
            return Vec::new();
        }
        let distinct = self.distinct_places();
        let producer = |place: &usize| (0u32..).zip(&distinct).find(|(_, other)| *other == place);
        let used = self.places.iter().take(self.processes as usize);
        used.filter_map(producer).map(|(producer, _)| producer).collect()
    }

    /// True where something is done with each record.
    pub fn has_work(&self) -> bool {
        self.work != Work::None
    }
}

/// The stored form of [`Configuration::places`]: a number where there is one, as runs stored before had it.
mod in_turn {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Stored {
        One(usize),
        List(Vec<usize>),
    }

    #[allow(clippy::ptr_arg, reason = "serde hands it over so")]
    pub(super) fn serialize<S: Serializer>(places: &Vec<usize>, serializer: S) -> Result<S::Ok, S::Error> {
        match &places[..] {
            [place] => place.serialize(serializer),
            places => places.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<usize>, D::Error> {
        match Stored::deserialize(deserializer)? {
            Stored::One(place) => Ok(vec![place]),
            Stored::List(places) if places.is_empty() => Err(serde::de::Error::custom("`place` is an empty list")),
            Stored::List(places) => Ok(places),
        }
    }
}

/// Timeouts that the consumer protocol takes from the settings of the group, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GroupTimeouts {
    /// Without a heartbeat for so long a member counts as dead; the broker's default where `None`.
    pub session_ms: Option<u64>,
    /// Between two heartbeats; the broker's default where `None`.
    pub heartbeat_ms: Option<u64>,
}

/// How members get their partitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    /// The group coordinator assigns, by this protocol.
    Group(GroupProtocol),
    /// The coordinator of the trial deals partitions out in turn and members assign them to themselves.
    Manual,
}

/// The group protocol with its assignor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupProtocol {
    /// `group.protocol=classic` with this `partition.assignment.strategy`.
    Classic {
        /// Not `uniform`; `None` leaves the client's default (`range,roundrobin`).
        assignor: Option<Assignor>,
    },
    /// `group.protocol=consumer` (KIP-848) with this `group.remote.assignor`.
    Consumer {
        /// `uniform` or `range`; `None` leaves the broker's default.
        assignor: Option<Assignor>,
    },
}

/// The rule by which partitions are given to members; which ones a protocol has is checked with the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assignor {
    /// Each topic by itself: the first members get one partition more.
    Range,
    /// All partitions of all topics in turn.
    #[serde(rename = "roundrobin")]
    RoundRobin,
    /// Evenly over all topics; a rebalance moves only what it must.
    CooperativeSticky,
    /// The broker's even assignment over all topics.
    Uniform,
}

/// When a member commits the positions of the records it has worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Commit {
    /// Never.
    None,
    /// `enable.auto.commit`, every `auto.commit.interval.ms`.
    Auto,
    /// After each batch taken from the client, waiting for the broker's answer.
    PerBatch,
    /// After this many records, waiting for the broker's answer.
    Every(u64),
}

/// What a member does with each record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Nothing.
    None,
    /// Computes for this many nanoseconds of CPU.
    Cpu {
        /// Nanoseconds of CPU time per record.
        ns: u64,
    },
    /// Waits this many nanoseconds, as for a database.
    Wait {
        /// Nanoseconds per record.
        ns: u64,
    },
    /// Writes it to the store of the scenario.
    Store,
}

impl Work {
    /// Intended nanoseconds per record, where they are known beforehand.
    pub fn ns(self) -> Option<u64> {
        match self {
            Work::None => Some(0),
            Work::Cpu { ns } | Work::Wait { ns } => Some(ns),
            Work::Store => None,
        }
    }

    /// True where a thread that works waits for something else than a core.
    pub fn waits(self) -> bool {
        match self {
            Work::None | Work::Cpu { .. } => false,
            Work::Wait { .. } | Work::Store => true,
        }
    }
}

/// Whether `queued.max.messages.kbytes` and `queued.min.messages` hold for each consumer or are split among a
/// group's members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Buffers {
    Each,
    Total,
}

/// How records are taken from the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Read {
    /// Batches from one queue to which all partitions are forwarded.
    Batch,
    /// One record per call from that queue.
    Poll,
    /// The asynchronous stream of the Rust client: `StreamConsumer`.
    Stream,
}

/// Which records wait for each other where a consumer works on several threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkOrdering {
    /// Those of one partition: one at a time, in the order of their offsets.
    #[default]
    Partition,
    /// Those of one key in one partition; records without a key wait for none.
    Key,
    /// None: any free thread takes the next record.
    None,
}

/// The value of [`Configuration::threads`] where nothing is said, as in what was stored before there were threads.
pub(crate) fn one_thread() -> u32 {
    1
}

/// The value of [`Configuration::store_batch`] where nothing is said, as in what was stored before there was a store.
fn one_row() -> u32 {
    1
}

impl Choice for Assignor {
    const ALL: &'static [(&'static str, Self)] = &[
        ("range", Assignor::Range),
        ("roundrobin", Assignor::RoundRobin),
        ("cooperative-sticky", Assignor::CooperativeSticky),
        ("uniform", Assignor::Uniform),
    ];
}

impl fmt::Display for Assignor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Choice for Buffers {
    const ALL: &'static [(&'static str, Self)] = &[("each", Buffers::Each), ("total", Buffers::Total)];
}

impl Choice for Read {
    const ALL: &'static [(&'static str, Self)] =
        &[("batch", Read::Batch), ("poll", Read::Poll), ("stream", Read::Stream)];
}

impl Choice for WorkOrdering {
    const ALL: &'static [(&'static str, Self)] = &[
        ("partition", WorkOrdering::Partition),
        ("key", WorkOrdering::Key),
        ("none", WorkOrdering::None),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignor_is_stored_under_its_name() {
        for (name, assignor) in Assignor::ALL {
            assert_eq!(serde_json::to_value(assignor).ok(), Some((*name).into()));
        }
    }
}
