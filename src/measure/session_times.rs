//! When a session of a run went from one step to the next, so that all of its time can be accounted for.

use serde::{Deserialize, Serialize};
use strum::{Display, VariantArray};

/// What a session does beside and around its trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Display, VariantArray)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Starts the guardian, and asks the builds of a comparison who they are.
    #[strum(to_string = "starting the guardian")]
    Starting,
    /// Builds ready-made clients that were not built before.
    #[strum(to_string = "building clients")]
    Building,
    /// Starts pods, and connects to other hosts.
    #[strum(to_string = "starting pods and reaching hosts")]
    Places,
    /// Starts brokers or connects to those that run.
    #[strum(to_string = "starting or reaching the brokers")]
    Brokers,
    /// Starts the database in which records end.
    #[strum(to_string = "starting PostgreSQL")]
    Store,
    /// Describes machine and cluster, and calibrates the work.
    #[strum(to_string = "checks and calibration")]
    Checking,
    /// Fills the data sets, or reads existing topics once.
    #[strum(to_string = "filling the data set")]
    Data,
    /// Runs trials.
    #[strum(to_string = "trials")]
    Trials,
    /// Ends the brokers, or removes topics and groups.
    #[strum(to_string = "cleaning up")]
    Closing,
}

/// The beginning of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepStart {
    /// What began.
    pub step: Step,
    /// When, in `CLOCK_MONOTONIC` nanoseconds; it lasted until the next one.
    pub at_ns: u64,
}

/// The course of one session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionTimes {
    /// The session: 1, and one more for every `--resume`.
    pub session: u32,
    /// In order; a step may come more than once.
    pub steps: Vec<StepStart>,
    /// When the last step ended.
    pub ended_ns: u64,
}

impl SessionTimes {
    /// Each step with its beginning and end.
    pub fn stretches(&self) -> impl Iterator<Item = (Step, u64, u64)> + '_ {
        let ends = self.steps.iter().skip(1).map(|next| next.at_ns);
        let starts = self.steps.iter().zip(ends.chain([self.ended_ns]));
        starts.map(|(start, end_ns)| (start.step, start.at_ns, end_ns))
    }
}
