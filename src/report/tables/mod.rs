//! The tables and sentences of a run that its forms have in common.

mod cells;
mod changes;
mod comparisons;
mod details;
mod hosts;
mod live;
mod matrix;
mod requirements;
mod results;
pub(super) mod scaling;
mod store;

pub(super) use self::cells::{effect_header, effect_text};
pub(super) use self::changes::{changes, disturbed, gap_parts};
pub(super) use self::comparisons::{comparisons, own_comparisons};
pub(super) use self::details::{details, latencies};
pub(super) use self::hosts::hosts;
pub(super) use self::matrix::{is_scaling, verdict_matrix};
pub use self::requirements::requirement_sentence;
pub(super) use self::requirements::{bound, requirements};
pub(super) use self::results::results;
pub(super) use self::store::store;
