//! A step from one count to a larger one, and what it is worth.

use super::model::ScalingPoint;
use crate::stats::Estimate;

/// Whether going from one count to a larger one is worth it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Worth {
    /// The interval of the gain for each one added lies above the threshold.
    Yes,
    /// It lies below.
    No,
    /// Neither, or the count may not be called the faster one, or the test does not agree.
    Open,
}

/// A step from one count to a larger one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step<'a> {
    pub(super) from: &'a ScalingPoint,
    pub(super) to: &'a ScalingPoint,
    pub(super) ratio: Option<Estimate>,
    pub(super) worth: Worth,
    /// True where trials of the one that would be called faster failed, or lost or repeated records.
    pub(super) barred: bool,
    /// True where the interval says that it is worth it, and the test of the verdicts does not agree: too few blocks.
    pub(super) doubted: bool,
    /// About so many more blocks would decide it; `None` where it is decided, or without a forecast.
    pub(super) blocks_more: Option<u32>,
}

/// What each of `added` multiplies by, where all of them multiply by a ratio: its `added`-th root.
pub(super) fn each(ratio: Estimate, added: u32) -> Estimate {
    ratio.map(|ratio| ratio.powf(1.0 / f64::from(added.max(1))))
}
