//! The lives of an actor, as the log tells them: it may be started again.

use std::sync::Arc;

use crate::measure::{OffsetSpan, TopicPartition};
use crate::protocol::{Hello, WorkerResult};
use crate::trial::cast::ActorId;
use crate::trial::happening::{Happening, Span};
use crate::trial::log::TrialLog;

/// One life of a reader.
#[derive(Default)]
pub(super) struct Lived<'a> {
    pub(super) spawn_ns: u64,
    pub(super) hello: Option<(u64, &'a Arc<Hello>)>,
    pub(super) ready_ns: Option<u64>,
    /// What each of its consumers held when the barrier was passed.
    pub(super) held: &'a [Vec<TopicPartition>],
    pub(super) result: Option<&'a WorkerResult>,
    /// What it had reported when its process ended.
    pub(super) gone: Option<&'a [Span]>,
    /// The records of each transaction whose commit the store did not answer, with the consumer.
    unanswered: Vec<(u32, &'a [OffsetSpan])>,
}

impl Lived<'_> {
    /// The records of a consumer in transactions whose commits the store did not answer.
    pub(super) fn unanswered_of(&self, consumer: u32) -> Vec<OffsetSpan> {
        let of_consumer = self.unanswered.iter().filter(|(of, _)| *of == consumer);
        of_consumer.flat_map(|(_, records)| records.iter().copied()).collect()
    }
}

/// All lives of a reader, in order.
pub(super) fn lives(log: &TrialLog, actor: ActorId) -> Vec<Lived<'_>> {
    let mut lives: Vec<Lived<'_>> = Vec::new();
    for (entry, what) in log.all(Some).filter(|(entry, _)| entry.actor == Some(actor)) {
        if what.is_started() {
            let spawn_ns = entry.at_ns;
            lives.push(Lived {
                spawn_ns,
                ..Lived::default()
            });
        }
        let Some(life) = lives.last_mut() else { continue };
        match what {
            Happening::Introduced(hello) => life.hello = Some((entry.at_ns, hello)),
            Happening::Ready => life.ready_ns = Some(entry.at_ns),
            Happening::Held(held) => life.held = held,
            Happening::Result(result) => life.result = Some(result),
            Happening::Gone { reported, .. } => life.gone = Some(reported),
            Happening::Unanswered { consumer, records } => life.unanswered.push((*consumer, records)),
            _ => {}
        }
    }
    lives
}
