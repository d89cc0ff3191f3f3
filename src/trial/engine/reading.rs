//! Reading: the common start, positions until every partition is at its end, and the results.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Action, Phase, TrialMachine, after, tell};
use crate::measure::{Failure, TopicPartition};
use crate::protocol::{OffsetRange, Position, ToWorker, WorkerResult, partitions_of};
use crate::trial::cast::{Actor, ActorId, AnyActor, Held, Reader, ReaderStage};

/// How far ahead the common start is, so that it reaches every worker in time.
const START_LEAD: Duration = Duration::from_millis(15);
/// Added for each actor.
const START_LEAD_PER_ACTOR: Duration = Duration::from_millis(2);

impl TrialMachine {
    pub(super) fn begin_reading(&mut self, now_ns: u64, held: Vec<Held>) -> Vec<Action> {
        self.phase = Phase::Reading;
        self.joined_ns = now_ns;
        let actors = u32::try_from(self.cast.present().count()).unwrap_or(u32::MAX);
        self.start_ns = after(now_ns, START_LEAD + START_LEAD_PER_ACTOR * actors);
        self.progress_ns = self.start_ns;
        self.deadline_ns = after(self.start_ns, self.terms.limits.read);
        for (reader, held) in self.cast.readers.iter_mut().zip(held) {
            reader.enter(ReaderStage::Reading(held));
        }
        let mut actions = tell(self.readers_there(), &ToWorker::Start { at_ns: self.start_ns });
        actions.extend(self.begin_load());
        actions.push(Action::Started(self.start_ns));
        actions
    }

    pub(super) fn on_progress(&mut self, now_ns: u64, reader: usize, positions: &[Position]) -> Vec<Action> {
        let group = self.role(reader).group;
        for position in positions {
            self.note_span(now_ns, reader, position);
            let known = self.positions[group]
                .entry(position.topic_partition())
                .or_insert(i64::MIN);
            if position.offset > *known {
                *known = position.offset;
                self.progress_ns = self.progress_ns.max(now_ns);
            }
        }
        self.end_when_read(now_ns)
    }

    /// Ends the reading once every partition is at its end.
    pub(super) fn end_when_read(&mut self, now_ns: u64) -> Vec<Action> {
        let may_end = match &self.load {
            None => self.phase == Phase::Reading,
            Some(_) => self.phase == Phase::Draining,
        };
        if !may_end || !self.unread().is_empty() {
            return Vec::new();
        }
        self.note_catch_up(now_ns);
        self.collect(now_ns)
    }

    /// Reading is over: everybody says what was recorded.
    pub(super) fn collect(&mut self, now_ns: u64) -> Vec<Action> {
        self.phase = Phase::Collecting;
        self.heard_end_ns = now_ns;
        self.deadline_ns = after(now_ns, self.terms.limits.result);
        let mut actions = vec![Action::Ended];
        actions.extend(self.resume_all());
        let readers = self.cast.reader_ids().zip(&mut self.cast.readers);
        let stopped: Vec<ActorId> = readers
            .filter_map(|(actor, reader)| reader.stop().then_some(actor))
            .collect();
        actions.extend(tell(stopped.into_iter(), &ToWorker::Stop));
        self.end_when_collected(now_ns);
        actions
    }

    /// Partitions, by group, whose end nobody has reached.
    pub(super) fn unread(&self) -> BTreeSet<(usize, TopicPartition)> {
        let mut unread = BTreeSet::new();
        for (partition, OffsetRange { low, end: open_end }) in partitions_of(&self.terms.topics) {
            let end = self.load.as_ref().map_or(open_end, |load| load.end_of(partition));
            if low >= end {
                continue;
            }
            for (group, positions) in self.positions.iter().enumerate() {
                if positions.get(&partition).copied().unwrap_or(low) < end {
                    unread.insert((group, partition));
                }
            }
        }
        unread
    }

    /// Where a group is in a partition, as far as reported.
    pub(super) fn position(&self, group: usize, partition: TopicPartition) -> i64 {
        self.positions[group].get(&partition).copied().unwrap_or(0).max(0)
    }

    pub(super) fn on_result(
        &mut self,
        now_ns: u64,
        reader: usize,
        result: WorkerResult,
    ) -> Result<Vec<Action>, Failure> {
        if let Err(message) = self.cast.readers[reader].finish(result) {
            return self.broke_protocol(ActorId::Reader(reader), message);
        }
        self.end_when_collected(now_ns);
        Ok(self.let_go(ActorId::Reader(reader)))
    }

    /// Ends the trial once everybody who read has said what was recorded.
    pub(super) fn end_when_collected(&mut self, now_ns: u64) {
        let has_said = |reader: &Actor<Reader>| reader.result().is_some() || !reader.is_ready();
        if self.phase == Phase::Collecting && self.cast.readers.iter().all(has_said) {
            self.results_ns = Some(now_ns);
            self.phase = Phase::Over;
        }
    }
}
