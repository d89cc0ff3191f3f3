//! Live and mixed trials: records arrive while members read, behind a backlog or not. The trial ends when all that was
//! sent is read, or when the time for draining is over.

mod account;
mod lag;
mod measurement;
mod spec;

use std::sync::Arc;
use std::time::Duration;

use super::{Course, Due, Ended, Scene, Turn};
use crate::measure::{Failure, FailureKind, LoadMeasurement, MemberMeasurement, TopicPartition};
use crate::protocol::{OffsetRange, PrepareProducer, ToWorker, entry_of};
use crate::trial::cast::{Actor, AnyActor, ProducerStage};
use crate::trial::engine::{Action, tell};
use crate::trial::happening::Happening;
use crate::trial::limits::after;

use lag::{INTERVAL_MIN, Lag};
pub use spec::LoadSpec;

/// How long after the end of the load producers may still send what is due.
const LATE_SENDING: Duration = Duration::from_secs(2);
/// What a producer may take to settle its last records, beyond the limit for results.
const SETTLING: Duration = Duration::from_secs(8);

/// Reads what arrives.
#[derive(Debug)]
pub struct Live {
    spec: LoadSpec,
    /// From when reading begins.
    load: Option<LoadState>,
}

/// What is known of the load that has begun.
#[derive(Debug)]
struct LoadState {
    /// The common start of the producers.
    start_ns: u64,
    /// The end of the load.
    end_ns: u64,
    /// When producers that still have something to send are asked for their results.
    stop_ns: u64,
    /// From then until the load must be over.
    patience: Duration,
    /// When the load, then the draining, must be over.
    deadline_ns: u64,
    /// True from when the producers were asked for their results.
    is_stopped: bool,
    /// When to ask for the ends of the partitions again, unless a question is under way.
    next_question_ns: u64,
    /// The question for the ends that is under way, since when.
    asked: Option<(Asked, u64)>,
    /// The ends of all partitions, once nothing arrives any more.
    ends: Option<Arc<Vec<Vec<i64>>>>,
    lag: Lag,
}

/// Why the cluster was asked for the ends of the partitions: after the last producer's result, or before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    ForLag,
    ForTheEnd,
}

impl Live {
    /// Reads what this load sends.
    pub fn new(spec: LoadSpec) -> Self {
        let load = None;
        Live { spec, load }
    }

    /// One past the last record of the backlog in a partition.
    fn backlog_end(&self, partition: TopicPartition) -> i64 {
        entry_of(&self.spec.backlog_ends, partition).copied().unwrap_or(0)
    }

    /// Everything that was sent is read: at the latest now a backlog is caught up with.
    fn end_if_read(&mut self, scene: &mut Scene<'_>) -> Turn {
        if !self.is_draining() || !self.has_read_all(scene) {
            return Turn::NOTHING;
        }
        if let Some(load) = self.load.as_mut().filter(|_| self.spec.has_backlog()) {
            load.lag.catch_up(scene.now_ns, scene);
        }
        Turn::Over
    }

    /// Once every producer has reported what it sent, nothing arrives any more. An answer that is under way may have been
    /// given before the last record.
    fn ask(&mut self, scene: &Scene<'_>) -> Turn {
        let Some(load) = self.load.as_mut().filter(|load| load.asked.is_none()) else {
            return Turn::NOTHING;
        };
        let what = if scene.cast.all_sent() && load.ends.is_none() {
            Asked::ForTheEnd
        } else {
            Asked::ForLag
        };
        load.asked = Some((what, scene.now_ns));
        Turn::On(vec![Action::AskEnds])
    }

    fn stop_producers(&mut self, scene: &mut Scene<'_>) -> Turn {
        if let Some(load) = &mut self.load {
            load.is_stopped = true;
        }
        let producers = scene.cast.producer_ids().zip(&mut scene.cast.producers);
        let stopped = producers.filter_map(|(actor, producer)| producer.stop().then_some(actor));
        Turn::On(tell(stopped.collect::<Vec<_>>().into_iter(), &ToWorker::Stop))
    }

    /// The failure of a load whose end is not known in time.
    fn out_of_time(scene: &Scene<'_>) -> Failure {
        let producers = scene.cast.producer_ids().zip(&scene.cast.producers);
        let late = producers.filter(|(_, producer)| producer.is_present() && !producer.is_done());
        match late.map(|(actor, _)| actor).next() {
            Some(actor) => {
                let message = "it gave no result after the end of the load";
                scene.cast.failure(actor, FailureKind::Timeout, message)
            }
            None => Failure {
                kind: FailureKind::Timeout,
                who: None,
                message: "the cluster did not answer where the partitions end after the load".to_owned(),
            },
        }
    }
}

impl Course for Live {
    fn owns_topics(&self) -> bool {
        true
    }

    fn records(&self) -> u64 {
        let backlog: i64 = self.spec.backlog_ends.iter().flatten().sum();
        u64::try_from(backlog).unwrap_or(0) + self.spec.schedule.expected_records()
    }

    /// Open until nothing arrives any more: before, nothing is at its end.
    fn end_of(&self, partition: TopicPartition, _range: OffsetRange) -> i64 {
        let ends = self.load.as_ref().and_then(|load| load.ends.as_ref());
        let end = ends.and_then(|ends| entry_of(ends, partition).copied());
        end.unwrap_or(i64::MAX)
    }

    fn is_draining(&self) -> bool {
        self.load.as_ref().is_some_and(|load| load.ends.is_some())
    }

    /// Tells the producers when to begin, and fixes the times of the trial from there.
    fn begin(&mut self, start_ns: u64, scene: &mut Scene<'_>) -> Vec<Action> {
        let load_start_ns = after(start_ns, self.spec.lead);
        let end_ns = after(start_ns, self.spec.length());
        let patience = SETTLING + scene.terms.limits.result;
        let stop_ns = after(end_ns, LATE_SENDING);
        self.load = Some(LoadState {
            start_ns: load_start_ns,
            end_ns,
            stop_ns,
            patience,
            deadline_ns: after(stop_ns, patience),
            is_stopped: false,
            next_question_ns: load_start_ns,
            asked: None,
            ends: None,
            lag: Lag::new(&self.spec, scene, load_start_ns),
        });
        for producer in &mut scene.cast.producers {
            producer.enter(ProducerStage::Sending);
        }
        tell(scene.cast.producer_ids(), &ToWorker::Start { at_ns: load_start_ns })
    }

    fn wake_ns(&self) -> u64 {
        let Some(load) = &self.load else {
            return u64::MAX;
        };
        let stop_ns = (!load.is_stopped).then_some(load.stop_ns);
        let question_ns = load.asked.is_none().then_some(load.next_question_ns);
        let wishes = [stop_ns, question_ns].into_iter().flatten();
        wishes.fold(load.deadline_ns, u64::min)
    }

    fn wait_until(&mut self, at_ns: u64) {
        if let Some(load) = &mut self.load {
            let is_sending = load.ends.is_none() && !load.is_stopped;
            if is_sending && at_ns > load.stop_ns {
                load.stop_ns = at_ns;
                load.deadline_ns = load.deadline_ns.max(after(at_ns, load.patience));
            }
            load.deadline_ns = load.deadline_ns.max(at_ns);
        }
    }

    fn on_tick(&mut self, scene: &mut Scene<'_>) -> Result<Turn, Failure> {
        let Some(load) = &self.load else {
            return Ok(Turn::NOTHING);
        };
        if scene.now_ns >= load.deadline_ns {
            // What is left unread is counted, and says that the readers fell behind.
            return if self.is_draining() {
                Ok(Turn::Over)
            } else {
                Err(Live::out_of_time(scene))
            };
        }
        if !load.is_stopped && scene.now_ns >= load.stop_ns {
            return Ok(self.stop_producers(scene));
        }
        if scene.now_ns >= load.next_question_ns {
            return Ok(self.ask(scene));
        }
        Ok(Turn::NOTHING)
    }

    fn on_progress(&mut self, _advanced: bool, scene: &mut Scene<'_>) -> Turn {
        self.end_if_read(scene)
    }

    fn on_producers(&mut self, scene: &mut Scene<'_>) -> Turn {
        if scene.cast.all_sent() && !self.is_draining() {
            return self.ask(scene);
        }
        let mut producers = scene.cast.producers.iter().filter(|producer| producer.is_present());
        let is_stopped = self.load.as_ref().is_none_or(|load| load.is_stopped);
        if !is_stopped && producers.all(Actor::<PrepareProducer>::has_sent) {
            return self.stop_producers(scene);
        }
        Turn::NOTHING
    }

    /// Takes the ends of the partitions for a sample of the lag, or for the end of the trial.
    fn on_ends(&mut self, ends: Result<Vec<Vec<i64>>, String>, scene: &mut Scene<'_>) -> Turn {
        let Some(load) = &mut self.load else {
            return Turn::NOTHING;
        };
        let question = load.asked.take();
        let waits_for_catch_up = self.spec.has_backlog() && !load.lag.is_caught_up;
        let waits_for_the_end = load.ends.is_none() && scene.cast.all_sent();
        // It was asked before the last producer's result.
        let is_early = waits_for_the_end && matches!(question, Some((Asked::ForLag, _)));
        let pause = if is_early {
            Duration::ZERO
        } else if waits_for_catch_up || waits_for_the_end {
            INTERVAL_MIN
        } else {
            load.lag.interval
        };
        load.next_question_ns = after(scene.now_ns, pause);
        // A broker may be away for a moment; the deadline ends the patience.
        let (Ok(ends), Some((what, asked_ns))) = (ends, question) else {
            return Turn::NOTHING;
        };
        load.lag.sample(&self.spec, asked_ns, &ends, scene);
        if what != Asked::ForTheEnd || self.is_draining() || !self.has_all_acknowledged(&ends, scene) {
            return Turn::NOTHING;
        }
        if let Some(load) = &mut self.load {
            let ends = Arc::new(ends);
            scene.log.push(scene.now_ns, None, Happening::Ends(Arc::clone(&ends)));
            load.ends = Some(ends);
            load.deadline_ns = after(scene.now_ns, scene.terms.limits.drain);
        }
        self.end_if_read(scene)
    }

    fn due(&self, ended: &Ended<'_>, members: &[&MemberMeasurement]) -> Due {
        self.due_of(ended, members)
    }

    /// Members may read on until they hear that it is over.
    fn reads_past_the_end(&self) -> bool {
        true
    }

    fn measurement(&self, ended: &Ended<'_>, unread: u64, members: &[MemberMeasurement]) -> Option<LoadMeasurement> {
        self.load_measurement(ended, unread, members)
    }

    fn failure(&self, ended: &Ended<'_>) -> Option<Failure> {
        self.vanished(ended).or_else(|| self.committed_nothing(ended))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
