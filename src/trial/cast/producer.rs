//! Producers: processes that send the records of the load.

use super::life::{Actor, EARLY_RESULT, Role, SECOND_RESULT};
use crate::protocol::{PrepareProducer, ToWorker};
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
    Done,
}

impl Role for PrepareProducer {
    type Stage = ProducerStage;

    fn name(&self) -> String {
        format!("producer {}", self.producer + 1)
    }

    fn demands(&self) -> Demands {
        Demands::default()
    }

    fn order(&self) -> ToWorker {
        ToWorker::PrepareProducer(Box::new(self.clone()))
    }
}

impl Actor<PrepareProducer> {
    /// True once it gave its result.
    pub fn is_done(&self) -> bool {
        matches!(self.stage(), Some(ProducerStage::Done))
    }

    /// It is asked for its result.
    pub fn stop(&mut self) {
        if let Some(ProducerStage::Sending | ProducerStage::Finished) = self.stage() {
            self.enter(ProducerStage::Stopping);
        }
    }

    /// It gave its result; the error is what is wrong with that.
    pub fn finish(&mut self) -> Result<(), String> {
        match self.stage() {
            Some(ProducerStage::Stopping) => self.enter(ProducerStage::Done),
            Some(ProducerStage::Done) => return Err(SECOND_RESULT.to_owned()),
            Some(ProducerStage::Waiting | ProducerStage::Sending | ProducerStage::Finished) | None => {
                return Err(EARLY_RESULT.to_owned());
            }
        }
        Ok(())
    }
}
