//! How far the script of a trial is, and what its readers reported meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use crate::measure::TopicPartition;
use crate::trial::cast::ActorId;
use crate::trial::happening::Span;

/// How far a step is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Progress {
    /// When the cluster was asked which broker has the role that the step names.
    pub(super) asked_ns: Option<u64>,
    /// To whom it is done, once that is known.
    pub(super) actor: Option<ActorId>,
    pub(super) begun_ns: Option<u64>,
    pub(super) done_ns: Option<u64>,
}

/// What a reader reported, and which one, as long as it is there.
pub(super) type Reported = (Option<usize>, Span);

/// How far the script of a trial is.
#[derive(Debug, Default)]
pub(crate) struct Acts {
    pub(super) progress: Vec<Progress>,
    pub(super) paused: BTreeSet<ActorId>,
    /// What readers reported, by group and partition in the order of the reports; of one that is gone, without its name.
    /// Kept only where there is a script.
    pub(super) spans: BTreeMap<(usize, TopicPartition), Vec<Reported>>,
}

impl Acts {
    /// So many steps that wait.
    pub(super) fn new(steps: usize) -> Self {
        Acts {
            progress: vec![Progress::default(); steps],
            ..Acts::default()
        }
    }
}
