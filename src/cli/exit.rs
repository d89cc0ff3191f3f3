//! The exit codes of all commands.

/// Done.
pub(super) const DONE: u8 = 0;
/// Measured, but something is wrong: a failed trial, lost records, a cluster that went away, a regression asked for.
pub(super) const WRONG: u8 = 1;
/// Could not run: a bad scenario, no cluster.
pub(super) const CANNOT: u8 = 2;
/// Ended by the user.
pub(super) const INTERRUPTED: u8 = 130;
