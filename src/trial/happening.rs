//! What can happen in a trial.
#![allow(missing_docs, reason = "strum derives methods for each kind")]

use std::ops::Range;
use std::sync::Arc;

use strum::{EnumIs, EnumTryAs};

use super::barrier::Obstacle;
use super::cast::Held;
use super::phase::Phase;
use crate::measure::{DeliveredTopics, Failure, OffsetSpan, SecondOfLatency, TopicPartition};
use crate::protocol::{Hello, ProducerResult, WorkerResult};

/// Something that happened in a trial.
#[derive(Debug, Clone, EnumIs, EnumTryAs)]
pub enum Happening {
    /// The trial went on to this phase.
    Phase(Phase),
    /// The actor's process was started.
    Started,
    /// The actor introduced itself.
    Introduced(Arc<Hello>),
    /// The actor is ready.
    Ready,
    /// The program that the actor observes said that it is ready.
    ProgramReady,
    /// The members of this group carry one name: which of them is whose is not known.
    Nameless(usize),
    /// The members do not have their partitions yet, for this reason.
    Waits(Obstacle),
    /// The barrier was passed, the reader's consumers holding this.
    Held(Held),
    /// The common start is at this time.
    StartSet(u64),
    /// So many records were read by now, of those that there are, over all groups.
    Read { done: u64, total: u64 },
    /// How far each group was behind in each partition, groups outermost.
    Lag(Vec<u64>),
    /// Where each partition ended while readers were behind whose positions are known only afterwards.
    EndsSeen(Vec<Vec<i64>>),
    /// A backlog was caught up with at this time.
    CaughtUp(u64),
    /// Response times of finished seconds.
    Seconds(Vec<SecondOfLatency>),
    /// Nothing arrives any more: these are the ends of the partitions.
    Ends(Arc<Vec<Vec<i64>>>),
    /// The store did not answer the commit of these records.
    Unanswered { consumer: u32, records: Vec<OffsetSpan> },
    /// The reader gave its result.
    Result(Box<WorkerResult>),
    /// The producer gave its result.
    Produced(Box<ProducerResult>),
    /// What the cluster still delivers of what is missing in the end.
    Still(DeliveredTopics),
    /// This step of the script, from 0, was begun.
    ActBegun(usize),
    /// This step of the script was carried out.
    ActDone(usize),
    /// The actor's process ended; a reader had reported this.
    Gone {
        how: String,
        planned: bool,
        reported: Vec<Span>,
    },
    /// The trial failed.
    Failed(Failure),
}

/// What one life of a reader reported of a partition without another's report in between, and without reading again from
/// below.
#[derive(Debug, Clone)]
pub struct Span {
    pub partition: TopicPartition,
    /// The consumer of the reader, from 0.
    pub consumer: usize,
    /// The first offset that it is known to have read.
    pub first: i64,
    /// One past the last.
    pub end: i64,
    /// When the last report came.
    pub at_ns: u64,
    /// Each report: when it came, and one past the last offset read by then.
    pub reports: Vec<(u64, i64)>,
}

impl Span {
    /// Of one report.
    pub fn reported(partition: TopicPartition, consumer: usize, offsets: Range<i64>, now_ns: u64) -> Self {
        Span {
            partition,
            consumer,
            first: offsets.start,
            end: offsets.end,
            at_ns: now_ns,
            reports: vec![(now_ns, offsets.end)],
        }
    }
}
