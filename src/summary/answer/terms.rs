//! The words of a metric: what a configuration does, and how one that does better is called.

use crate::verdict::Metric;

/// `"two processes" reads 1.42 times as fast as "one process"`, `... has a 6.84 times shorter p99 than ...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Terms {
    /// `reads`, `has a`.
    pub(super) does: &'static str,
    /// `as fast` with `as`, `shorter` with `than`.
    pub(super) better: (&'static str, &'static str),
    /// The same of one that does worse; its ratio is turned.
    pub(super) worse: (&'static str, &'static str),
    /// What it has; empty where the verb says it.
    pub(super) object: &'static str,
    /// What stands between two that are the same.
    pub(super) same: &'static str,
    /// `Fastest`.
    pub(super) best: &'static str,
    /// Of several: `faster`.
    pub(super) are_better: &'static str,
    /// Of several: `slower`.
    pub(super) are_worse: &'static str,
}

impl Terms {
    pub(super) fn of(metric: Metric) -> Self {
        match metric {
            Metric::ReadTime | Metric::Stopwatch => Terms {
                does: "reads",
                better: ("as fast", "as"),
                worse: ("slower", "than"),
                object: "",
                same: "reads as fast as",
                best: "fastest",
                are_better: "faster",
                are_worse: "slower",
            },
            Metric::ResponseP99 => Terms {
                does: "has a",
                better: ("shorter", "than"),
                worse: ("longer", "than"),
                object: "p99",
                same: "has the same p99 as",
                best: "shortest p99",
                are_better: "shorter",
                are_worse: "longer",
            },
            Metric::CatchUp => Terms {
                does: "catches up",
                better: ("sooner", "than"),
                worse: ("later", "than"),
                object: "",
                same: "catches up as soon as",
                best: "soonest",
                are_better: "sooner",
                are_worse: "later",
            },
        }
    }
}
