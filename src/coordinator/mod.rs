//! Runs trials: starts worker processes, passes them through the barrier, collects what they recorded and stores it.
//! The only module that starts workers. Knows them by the protocol alone, and neither statistics nor reports.

mod arrivals;
mod calibration;
mod clients;
mod cluster;
mod control;
mod database;
pub mod dataset;
mod drive;
mod ending;
mod environment;
mod events;
mod existing;
mod fixed_group;
mod fleet;
pub mod guardian;
mod host;
mod interrupt;
mod launching;
pub mod leftovers;
mod listeners;
mod memory;
mod options;
mod processes;
mod programs;
pub mod ready_made;
mod run;
mod session;
mod silent;
pub mod standing_cluster;
mod steps;
mod store_watch;
mod watch;

pub use cluster::ClusterError;
pub use database::{NoDatabase, drop_left};
pub use ending::{RunEnd, RunError};
pub use events::Observer;
pub use existing::{ExistingError, check_cluster as check_existing_topics};
pub use fixed_group::{GroupError, list_of_members};
pub use interrupt::Interrupt;
pub use memory::cache_warning;
pub use options::RunOptions;
pub use processes::ProcessIdentity;
pub use programs::{BuildError, check_builds};
pub use run::run;
