//! The plan: which trial comes next, given the scenario and the trials stored so far. Pure: no clock, no file, no
//! process; the same answer for the same input, which is what makes a run resumable.

mod capacity;
mod course;
mod forecast;
mod history;
#[cfg(test)]
mod leaving_tests;
mod load_limits;
mod model;
mod next;
mod records;
mod shares;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod until_tests;
mod window;

pub use capacity::CONFIRMATIONS;
pub use forecast::Forecast;
pub use history::FAILURES_IN_A_ROW;
pub use load_limits::LoadLimit;
pub use model::{Done, Ending, Next, PLAN_SCHEMA_VERSION, Plan, Progress};
pub use shares::Shares;
pub use window::USUAL_COMMIT_INTERVAL_NS;
