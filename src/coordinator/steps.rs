//! The step that a session is at: noted as it goes on, and stored with the environment of the run.

use std::sync::{Mutex, PoisonError};

use crate::measure::{SessionTimes, Step, StepStart, clock};
use crate::store::{RunDir, StoreError};

/// Notes when a session goes from one step to the next.
pub struct Steps {
    session: u32,
    begun: Mutex<Vec<StepStart>>,
}

impl Steps {
    /// A session at its first step.
    pub fn start(session: u32) -> Self {
        let steps = Steps {
            session,
            begun: Mutex::default(),
        };
        steps.begin(Step::Starting);
        steps
    }

    /// Ends the present step and begins another.
    pub fn begin(&self, step: Step) {
        let at_ns = clock::now_ns();
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.push(StepStart { step, at_ns });
    }

    /// Ends the last step and stores the session's times. A run without an environment has measured nothing.
    pub fn store(self, dir: &RunDir) -> Result<(), StoreError> {
        let times = SessionTimes {
            session: self.session,
            steps: self.begun.into_inner().unwrap_or_else(PoisonError::into_inner),
            ended_ns: clock::now_ns(),
        };
        let Some(mut environment) = dir.read_environment()? else {
            return Ok(());
        };
        environment.sessions.push(times);
        dir.write_environment(&environment)
    }
}
