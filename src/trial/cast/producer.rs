//! Producers: processes that send the records of the load.

use super::life::{Actor, AnyActor, EARLY_RESULT, Role, SECOND_RESULT};
use crate::measure::Participant;
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
    /// True once it gave its result.
    pub fn is_done(&self) -> bool {
        matches!(self.stage(), Some(ProducerStage::Done))
    }

    /// True from when it has sent everything.
    pub fn has_sent(&self) -> bool {
        !matches!(self.stage(), Some(ProducerStage::Waiting | ProducerStage::Sending))
    }

    /// It is asked for its result, unless it does not send or was asked before. True where it was.
    pub fn stop(&mut self) -> bool {
        let sends = matches!(self.stage(), Some(ProducerStage::Sending | ProducerStage::Finished)) && self.is_present();
        if sends {
            self.enter(ProducerStage::Stopping);
        }
        sends
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
