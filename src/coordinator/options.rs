//! How a run is to be done: what it needs to know besides its plan.

use std::path::PathBuf;

use crate::trial::Limits;

/// What a run needs to know besides its plan.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// This program, for workers and the guardian.
    pub program: PathBuf,
    /// Unique name of this session of the run, part of the names of topics and groups.
    pub run_id: String,
    /// 1, and one more for every resumption.
    pub session: u32,
    /// Folder under which brokers keep their data.
    pub data_parent: PathBuf,
    /// Folder of the records of leftovers.
    pub state: PathBuf,
    /// Time limits of trials.
    pub limits: Limits,
    /// Print what workers log.
    pub log_workers: bool,
    /// Go on in another environment.
    pub force: bool,
    /// Keep the data sets for later runs, and use those that earlier ones have kept. The clusters must outlive the run.
    pub keep_data: bool,
}
