//! What tests of several modules share.

mod configuration;
mod document;
mod environment;
mod many_tests;
mod postgres;
mod prepare;
#[allow(clippy::wildcard_imports)]
pub(crate) mod report;
mod scenario;
pub(crate) mod script;
mod simulation;
mod trial;
mod trials;

pub(crate) use configuration::{arrangement, configuration, dataset, load, scenario};
pub(crate) use document::Document;
pub(crate) use environment::environment;
pub(crate) use postgres::{Postgres, shared_postgres};
pub(crate) use prepare::{prepare, prepare_producer};
pub(crate) use scenario::{AxisValues, Change, ScenarioBuilder, one_and_two, one_and_two_with_work};
pub(crate) use trial::{measurement, trial};
pub(crate) use trials::{complete, failed, run, run_from};
