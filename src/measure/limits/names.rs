//! Parties, control groups and numbers of cores in the words of reports.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::wording::without_zeros;

/// Whose processes a limit is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Party {
    /// The coordinator itself.
    Tandem,
    /// Worker processes, consumers and producers.
    Workers,
    /// Brokers on this machine.
    Brokers,
}

/// Why a process may run on some processors only.
pub const AFFINITY: &str = "CPU affinity or cpuset";

/// `1.97 cores`, `0.9 cores`, `1 core`.
pub fn cores(number: f64) -> String {
    match core_figure(number).as_str() {
        "1" => "1 core".to_owned(),
        number => format!("{number} cores"),
    }
}

/// A number of cores, with as many digits as tell a full core from nearly one.
pub fn core_figure(number: f64) -> String {
    without_zeros(&format!("{number:.2}")).to_owned()
}

/// `the cgroup /docker/1f3a`, or what a container sees of its own.
pub fn group_name(cgroup: &str) -> String {
    match cgroup {
        "/" => "this container's cgroup".to_owned(),
        path => format!("the cgroup {path}"),
    }
}
