//! Statistics of the latencies of one trial.

use strum::IntoStaticStr;

/// A statistic of the latencies of one trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs)]
pub enum Statistic {
    Mean,
    P50,
    P90,
    P99,
    P999,
    Max,
}

impl Statistic {
    /// All of them, in the order of the columns.
    pub const ALL: [Statistic; 6] = [
        Statistic::Mean,
        Statistic::P50,
        Statistic::P90,
        Statistic::P99,
        Statistic::P999,
        Statistic::Max,
    ];

    /// Its part of a column's name.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The share of the records below it, for a percentile.
    pub fn share(self) -> Option<f64> {
        match self {
            Statistic::P50 => Some(0.5),
            Statistic::P90 => Some(0.9),
            Statistic::P99 => Some(0.99),
            Statistic::P999 => Some(0.999),
            Statistic::Mean | Statistic::Max => None,
        }
    }

    /// As sentences call it.
    pub(super) fn short(self) -> &'static str {
        match self {
            Statistic::Mean => "mean",
            Statistic::P50 => "median",
            Statistic::P90 => "p90",
            Statistic::P99 => "p99",
            Statistic::P999 => "p99.9",
            Statistic::Max => "maximum",
        }
    }

    /// In words.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Statistic::Mean => "mean",
            Statistic::P50 => "median",
            Statistic::P90 => "90th percentile",
            Statistic::P99 => "99th percentile",
            Statistic::P999 => "99.9th percentile",
            Statistic::Max => "longest",
        }
    }
}
