//! Why a configuration is as fast as it is: one bottleneck for each, by fixed rules over what its trials recorded, with
//! the figures that led to it and what would change it. The rules are in `rules.rs`, their numbers in `thresholds.rs`.

mod behind;
mod case;
mod fetching;
mod find;
mod limit;
mod limits;
#[cfg(test)]
mod loads_tests;
mod model;
mod observed;
mod of_trial;
mod remedies;
mod response;
mod rules;
mod spread;
#[cfg(test)]
mod spread_tests;
mod store;
mod store_seen;
#[cfg(test)]
mod store_tests;
#[cfg(test)]
mod tests;
mod threads;
mod thresholds;
mod words;
mod work;

pub(super) use find::{find, of_capacity};
pub use model::{Bottleneck, BottleneckKind};
pub use store_seen::{SessionShares, StoreSummary, WaitShare};
