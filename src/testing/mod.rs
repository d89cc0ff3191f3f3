//! What tests of several modules share.

mod configuration;
mod document;
mod scenario;
mod trials;

pub(crate) use configuration::{arrangement, configuration, dataset, load, scenario};
pub(crate) use document::Document;
pub(crate) use scenario::{AxisValues, Change, ScenarioBuilder, one_and_two, one_and_two_with_work};
pub(crate) use trials::{complete, failed, run, run_from};
