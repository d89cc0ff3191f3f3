//! The laws of scaling, and the trials that they are fitted to.

use serde::{Deserialize, Serialize};

/// The throughput of one trial.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// Members, at least 1: N.
    pub members: u32,
    /// Records per second, above 0: X(N).
    pub per_second: f64,
    /// The block of the trial: trials of one block share their machine's mood.
    pub block: u32,
}

/// A law of scaling, each a special case of the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Law {
    /// X(N) = lambda N.
    Linear,
    /// X(N) = lambda N / (1 + alpha (N - 1)): a share alpha of the work is done by one member at a time (Amdahl,
    /// "Validity of the single processor approach to achieving large scale computing capabilities", AFIPS (1967)).
    Amdahl,
    /// X(N) = lambda N / (1 + alpha (N - 1) + beta N (N - 1)): members also wait for each other in pairs (Gunther, "A
    /// simple capacity model of massively parallel transaction systems" (1993); "Guerrilla Capacity Planning" (2007)).
    Universal,
}

impl Law {
    /// From the simplest on.
    pub const ALL: [Law; 3] = [Law::Linear, Law::Amdahl, Law::Universal];

    /// Which of contention and coherency the law has.
    pub(super) fn has(self) -> [bool; 2] {
        [self >= Law::Amdahl, self == Law::Universal]
    }

    pub(super) fn parameters(self) -> usize {
        self.has().iter().filter(|has| **has).count()
    }
}
