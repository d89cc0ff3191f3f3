//! Runs trials: starts worker processes, passes them through the barrier, collects what they recorded and stores it.
//! The only room that starts workers. Knows them by the protocol alone, and neither statistics nor reports.

mod assemble;
mod barrier;
mod drive;
mod fleet;
mod host;
mod spec;
mod trial;
