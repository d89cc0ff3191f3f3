//! What a run reports to the terminal.

use crate::measure::{Trial, TrialOrder};
use crate::plan::Progress;

use crate::trial::Entry;

/// Watches a run. Called from the coordinator's task: must not block for long.
pub trait Observer: Send + Sync {
    /// Something is being prepared, such as `starting 1 broker of Apache Kafka 4.3.1`.
    fn preparing(&self, what: &str);
    /// So many of all records of the data sets have been produced.
    fn filling(&self, done: u64, total: u64);
    /// A trial begins.
    fn trial_started(&self, order: &TrialOrder, configuration: &str, progress: Progress);
    /// Something happened in the present trial.
    fn trial_happened(&self, entry: &Entry);
    /// A trial has ended and is stored.
    fn trial_ended(&self, trial: &Trial, progress: Progress);
    /// Something worth telling that is no failure of the run.
    fn note(&self, message: &str);
}
