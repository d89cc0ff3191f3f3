//! The names of a run's files and folders.

use jiff::Timestamp;

pub(super) const PLAN_FILE: &str = "plan.json";
pub(super) const ENVIRONMENT_FILE: &str = "environment.json";
/// Which offsets existing topics deliver.
pub(super) const DELIVERED_FILE: &str = "delivered.json";
/// The scenario as the user wrote it, in the run's folder.
pub const SCENARIO_FILE: &str = "scenario.toml";
pub(super) const TRIALS_FOLDER: &str = "trials";
pub(super) const LOCK_FILE: &str = ".lock";
/// Files being written begin with this; one that is left over was never finished.
pub(super) const UNFINISHED_PREFIX: &str = ".unfinished-";

/// `2026-11-21T10-51-30Z`: sorts by time and needs no quotes in a shell.
pub(super) fn folder_name(started_at: Timestamp) -> String {
    started_at.strftime("%Y-%m-%dT%H-%M-%SZ").to_string()
}

pub(super) fn trial_file_name(number: u32) -> String {
    format!("{number:04}.json")
}
