//! The runs that are compared, and why they cannot be.

use thiserror::Error;

use crate::measure::{Environment, Trial};
use crate::plan::Plan;

/// A stored run.
#[derive(Debug, Clone, Copy)]
pub struct StoredRun<'a> {
    /// Where it is stored, as the user named it.
    pub folder: &'a str,
    /// Its plan.
    pub plan: &'a Plan,
    /// All its trials.
    pub trials: &'a [Trial],
    /// Where it was made.
    pub environment: &'a Environment,
}

/// Why runs cannot be compared.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CompareError {
    /// No configuration of a run means the same as one of the first.
    #[error("{run} and {baseline} have no configuration that can be compared: {reasons}")]
    NothingInCommon {
        /// Folder of the first run.
        baseline: String,
        /// Folder of the other.
        run: String,
        /// What stands in the way, configuration by configuration.
        reasons: String,
    },
    /// One of them was copied and then went on.
    #[error(
        "{run} and {baseline} share {shared} of their trials, so one is a copy of the other that went on; compare runs \
         that were made apart"
    )]
    SharedTrials {
        /// Folder of the first run.
        baseline: String,
        /// Folder of the other.
        run: String,
        /// How many trials are in both.
        shared: usize,
    },
}

/// `A`, `B`, ... `Z`, and then `R27`, `R28`, ...
pub(super) fn run_name(index: usize) -> String {
    let letter = u8::try_from(index)
        .ok()
        .filter(|index| *index < 26)
        .map(|index| char::from(b'A' + index));
    letter.map_or_else(|| format!("R{}", index + 1), String::from)
}
