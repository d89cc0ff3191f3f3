//! Producers: processes that send the records of the load.

use super::life::{Actor, AnyActor, EARLY_RESULT, Role};
use crate::measure::Participant;
use crate::protocol::{PrepareProducer, ProducerResult, ToWorker};
use crate::trial::demands::Demands;

/// What a producer does.
#[derive(Debug, Default)]
pub enum ProducerStage {
    /// It waits for the others to be ready.
    #[default]
    Waiting,
    /// It sends what is due.
    Sending,
    /// It sent everything, and the delivery of every record is known.
    Finished,
    /// It was asked for its result.
    Stopping,
    /// It gave its result.
    Done(Box<ProducerResult>),
}

impl Role for PrepareProducer {
    type Stage = ProducerStage;

    fn who(&self) -> Participant {
        Participant::Producer(self.producer)
    }

    fn demands(&self) -> Demands {
        Demands::default()
    }

    fn order(&self) -> Option<ToWorker> {
        Some(ToWorker::PrepareProducer(Box::new(self.clone())))
    }
}

impl Actor<PrepareProducer> {
    /// Goes on to another stage, unless it was asked for its result. True where it did.
    pub fn go_on(&mut self, next: ProducerStage) -> bool {
        let goes_on = self.is_ready() && !self.was_stopped();
        if goes_on {
            self.enter(next);
        }
        goes_on
    }

    /// True from when it has sent everything.
    pub fn has_sent(&self) -> bool {
        matches!(self.stage(), Some(ProducerStage::Finished)) || self.was_stopped()
    }

    /// True from when it was asked for its result.
    pub fn was_stopped(&self) -> bool {
        matches!(self.stage(), Some(ProducerStage::Stopping | ProducerStage::Done(_)))
    }

    /// Its result, once it gave it.
    pub fn result(&self) -> Option<&ProducerResult> {
        match self.stage() {
            Some(ProducerStage::Done(result)) => Some(result),
            _ => None,
        }
    }

    /// It gave its result; the error is what is wrong with that.
    pub fn finish(&mut self, result: ProducerResult) -> Result<(), String> {
        if !self.was_stopped() {
            return Err(EARLY_RESULT.to_owned());
        }
        self.enter(ProducerStage::Done(Box::new(result)));
        Ok(())
    }
}
