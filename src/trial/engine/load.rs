//! The load of a live or mixed trial: its producers, the lag behind it, and its end, from which on what was sent is
//! drained.

use std::collections::BTreeMap;
use std::time::Duration;

use super::state::{Asked, LAG_INTERVAL_MIN, LoadState};
use super::{Action, Phase, TrialMachine, after, tell};
use crate::measure::{Failure, PartitionLag, SecondOfLatency, TopicPartition};
use crate::protocol::{ProducerProgress, ProducerResult, ToWorker, entry_of};
use crate::trial::cast::{ActorId, AnyActor, ProducerStage};
use crate::trial::spec::LoadSpec;

/// An answer that took longer is no sample: positions have moved on since the cluster gave it, so the lag would be too
/// small.
const SAMPLE_LATENESS_MAX_NS: u64 = 100_000_000;
/// How long after the end of the load producers may still send what is due.
const LATE_SENDING: Duration = Duration::from_secs(2);
/// What a producer may take to settle its last records, beyond the limit for results.
const SETTLING: Duration = Duration::from_secs(8);
/// Arrivals of this time are no lag: positions do not come more often.
const GONE_WITHIN_SECONDS: f64 = 0.2;
/// As many records are no lag at any rate.
const GONE_RECORDS: f64 = 10.0;

impl TrialMachine {
    pub(super) fn on_producer_progress(&mut self, producer: usize, progress: ProducerProgress) -> Vec<Action> {
        let producer = &mut self.cast.producers[producer];
        if let (true, Some(ProducerStage::Sending)) = (progress.finished, producer.stage()) {
            producer.enter(ProducerStage::Finished);
        }
        let mut producers = self.cast.producers.iter().filter(|producer| producer.is_present());
        if producers.all(|producer| !matches!(producer.stage(), Some(ProducerStage::Waiting | ProducerStage::Sending)))
        {
            self.stop_producers()
        } else {
            Vec::new()
        }
    }

    pub(super) fn on_producer_result(
        &mut self,
        now_ns: u64,
        producer: usize,
        result: ProducerResult,
    ) -> Result<Vec<Action>, Failure> {
        if let Err(message) = self.cast.producers[producer].finish(result) {
            return self.broke_protocol(ActorId::Producer(producer), message);
        }
        let mut actions = self.ask_for_the_end(now_ns);
        actions.extend(self.let_go(ActorId::Producer(producer)));
        Ok(actions)
    }

    /// Tells the producers when to begin, and fixes the times of the trial from there.
    pub(super) fn begin_load(&mut self) -> Vec<Action> {
        let Some(spec) = &self.terms.load else {
            return Vec::new();
        };
        let load = LoadState::new(spec, self.terms.groups.len(), self.start_ns);
        let patience = LATE_SENDING + SETTLING + self.terms.limits.result;
        self.deadline_ns = after(load.end_ns, patience);
        let start = ToWorker::Start { at_ns: load.start_ns };
        self.load = Some(load);
        self.tell_producers(&start, || ProducerStage::Sending)
    }

    /// When the load wants something done.
    pub(super) fn load_wake_ns(&self) -> Option<u64> {
        let wishes = [self.stop_ns(), self.next_sample_ns()];
        wishes.into_iter().flatten().min()
    }

    /// When the producers are stopped at the latest, as long as they send.
    fn stop_ns(&self) -> Option<u64> {
        let load = self.load.as_ref().filter(|_| self.phase == Phase::Reading)?;
        let mut producers = self.cast.producers.iter();
        let all_stopped = producers.all(|producer| producer.was_stopped() || !producer.is_present());
        (!all_stopped).then(|| after(load.end_ns, LATE_SENDING))
    }

    /// When to ask for the ends of the partitions again, unless that was done.
    fn next_sample_ns(&self) -> Option<u64> {
        let load = self.load.as_ref().filter(|load| load.asked.is_none())?;
        matches!(self.phase, Phase::Reading | Phase::Draining).then_some(load.next_sample_ns)
    }

    /// What is due of the load; `None` where nothing is.
    pub(super) fn on_load_tick(&mut self, now_ns: u64) -> Option<Vec<Action>> {
        let is_due = |at_ns: Option<u64>| at_ns.is_some_and(|at_ns| now_ns >= at_ns);
        if is_due(self.stop_ns()) {
            return Some(self.stop_producers());
        }
        if !is_due(self.next_sample_ns()) {
            return None;
        }
        let all_sent = self.cast.all_sent();
        let load = self.load.as_mut()?;
        let what = if all_sent && load.ends.is_none() {
            Asked::ForTheEnd
        } else {
            Asked::ForLag
        };
        load.asked = Some((what, now_ns));
        Some(vec![Action::AskEnds])
    }

    fn stop_producers(&mut self) -> Vec<Action> {
        self.tell_producers(&ToWorker::Stop, || ProducerStage::Stopping)
    }

    /// Sends all producers that were not asked for their results a message with which they enter another stage.
    fn tell_producers(&mut self, message: &ToWorker, stage: fn() -> ProducerStage) -> Vec<Action> {
        let producers = self.cast.producer_ids().zip(&mut self.cast.producers);
        let told = producers.filter_map(|(actor, producer)| producer.go_on(stage()).then_some(actor));
        tell(told.collect::<Vec<_>>().into_iter(), message)
    }

    /// Once every producer has said what it sent, nothing arrives any more. An answer that is under way may have been
    /// given before the last record.
    pub(super) fn ask_for_the_end(&mut self, now_ns: u64) -> Vec<Action> {
        match &mut self.load {
            Some(load) if load.asked.is_none() && self.cast.all_sent() => {
                load.asked = Some((Asked::ForTheEnd, now_ns));
                vec![Action::AskEnds]
            }
            _ => Vec::new(),
        }
    }

    /// Takes the ends of the partitions for a sample of the lag, or for the end of the trial.
    pub(super) fn on_ends(&mut self, now_ns: u64, ends: Result<Vec<Vec<i64>>, String>) -> Vec<Action> {
        let Some(load) = &mut self.load else {
            return Vec::new();
        };
        let open_query = load.asked.take();
        let waiting_for_catch_up =
            self.terms.load.as_ref().is_some_and(LoadSpec::has_backlog) && load.caught_up_ns.is_none();
        let looking_for_the_end = load.ends.is_none() && self.cast.all_sent();
        // It was asked before the last producer's result.
        let is_early = looking_for_the_end && matches!(open_query, Some((Asked::ForLag, _)));
        let pause = if is_early {
            Duration::ZERO
        } else if waiting_for_catch_up || looking_for_the_end {
            LAG_INTERVAL_MIN
        } else {
            load.interval
        };
        load.next_sample_ns = after(now_ns, pause);
        // A broker may be away for a moment; the deadline of the phase ends the patience.
        let (Ok(ends), Some((what, asked_ns))) = (ends, open_query) else {
            return Vec::new();
        };
        if now_ns.saturating_sub(asked_ns) <= SAMPLE_LATENESS_MAX_NS {
            self.sample_lag(now_ns, &ends);
        }
        if what != Asked::ForTheEnd || self.phase != Phase::Reading || !self.has_all_acknowledged(&ends) {
            return Vec::new();
        }
        if let Some(load) = &mut self.load {
            load.ends = Some(ends);
        }
        self.phase = Phase::Draining;
        self.deadline_ns = after(now_ns, self.terms.limits.drain);
        if self.unread().is_empty() {
            self.note_catch_up(now_ns);
            return self.collect(now_ns);
        }
        Vec::new()
    }

    /// True where the partitions show all that was acknowledged. Where the leader alone acknowledges, records show
    /// when the replicas have them too, so it is worth asking again, but not to the last moment.
    fn has_all_acknowledged(&self, ends: &[Vec<i64>]) -> bool {
        let (Some(load), Some(spec)) = (&self.load, &self.terms.load) else {
            return true;
        };
        let mut acknowledged: BTreeMap<TopicPartition, i64> = BTreeMap::new();
        let mut complete = true;
        for produced in self.cast.sent().flat_map(|result| &result.partitions) {
            let partition = produced.topic_partition();
            let offset_in = |offsets: &[Vec<i64>]| entry_of(offsets, partition).copied().unwrap_or(0);
            let count = acknowledged.entry(partition).or_default();
            *count = count.saturating_add(i64::try_from(produced.acknowledged).unwrap_or(i64::MAX));
            let (end, backlog) = (offset_in(ends), offset_in(&spec.backlog_ends));
            // Without offsets, as with `acks=0`, their number has to do.
            complete &= produced.highest_offset.is_none_or(|highest| end > highest) && end - backlog >= *count;
        }
        let patience = self.terms.limits.result / 2;
        complete || after(load.next_sample_ns, patience) >= self.deadline_ns
    }

    fn sample_lag(&mut self, now_ns: u64, ends: &[Vec<i64>]) {
        let lag_of = |series: &PartitionLag| {
            let partition = TopicPartition {
                topic: series.topic,
                partition: series.partition,
            };
            let end = entry_of(ends, partition).copied().unwrap_or(0);
            u64::try_from(end - self.position(series.group as usize, partition)).unwrap_or(0)
        };
        let Some(load) = &self.load else { return };
        let sample: Vec<u64> = load.lag.partitions.iter().map(lag_of).collect();
        let rate = self.terms.load.as_ref().map_or(0.0, rate);
        let gone = (rate * GONE_WITHIN_SECONDS).max(GONE_RECORDS);
        let groups = 0..u32::try_from(self.terms.groups.len()).unwrap_or(u32::MAX);
        let lag_of_group = |group: u32| -> u64 {
            let partitions = load.lag.partitions.iter().zip(&sample);
            partitions
                .filter(|(series, _)| series.group == group)
                .map(|(_, lag)| lag)
                .sum()
        };
        let furthest = groups.map(lag_of_group).max().unwrap_or(0);
        let is_gone = furthest as f64 <= gone;
        let has_backlog = self.terms.load.as_ref().is_some_and(LoadSpec::has_backlog);
        let Some(load) = &mut self.load else { return };
        if has_backlog && is_gone && load.caught_up_ns.is_none() {
            load.caught_up_ns = Some(match load.lag_before {
                Some(before) => crossing(before, (now_ns, furthest), gone),
                None => now_ns,
            });
            load.next_stored_ns = now_ns;
        }
        load.lag_before = Some((now_ns, furthest));
        if now_ns < load.next_stored_ns {
            return;
        }
        // A pause of the sampling must not be made up for.
        load.next_stored_ns = after(now_ns, load.interval.saturating_sub(LAG_INTERVAL_MIN / 2));
        load.lag.at_ns.push(now_ns);
        for (partition, lag) in load.lag.partitions.iter_mut().zip(sample) {
            partition.lag.push(lag);
        }
    }

    /// Everything there is has been read: at the latest now a backlog is caught up with.
    pub(super) fn note_catch_up(&mut self, now_ns: u64) {
        let has_backlog = self.terms.load.as_ref().is_some_and(LoadSpec::has_backlog);
        if let Some(load) = self.load.as_mut().filter(|_| has_backlog) {
            load.caught_up_ns.get_or_insert(now_ns);
        }
    }

    pub(super) fn on_seconds(&mut self, seconds: &[SecondOfLatency]) {
        let Some(load) = &mut self.load else { return };
        for SecondOfLatency { second, response } in seconds {
            load.seconds
                .entry(*second)
                .and_modify(|known| known.merge(&response.unpack()))
                .or_insert_with(|| response.clone());
        }
    }
}

/// When the lag came down to `limit` between two samples (time, lag), the first above it and the second not: on the straight
/// line between them. The sampling's own interval would otherwise be in every time of catching up.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a length of time"
)]
fn crossing(before: (u64, u64), now: (u64, u64), limit: f64) -> u64 {
    let share = (before.1 as f64 - limit) / (before.1 as f64 - now.1 as f64);
    if !(0.0..1.0).contains(&share) {
        return now.0;
    }
    before.0 + (now.0.saturating_sub(before.0) as f64 * share) as u64
}

/// Records per second of a load, on average.
fn rate(load: &LoadSpec) -> f64 {
    load.schedule.expected() / (load.schedule.duration_ns() as f64 / 1e9)
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
