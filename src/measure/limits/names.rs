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

/// A number of cores, with enough digits to distinguish a full core from nearly one.
pub fn core_figure(number: f64) -> String {
    without_zeros(&format!("{number:.2}")).to_owned()
}

/// Start of what is said of a process that the kernel killed because of its place's limit.
pub const MEMORY_KILL: &str = "the kernel killed it for want of memory";

/// That the kernel killed a process of a place for want of memory, and its limit, if it has one.
pub fn memory_kill(place: &str, memory_bytes: Option<u64>) -> String {
    match memory_bytes {
        Some(bytes) => format!("{MEMORY_KILL}: `memory_limit` of place {place} is {} MiB", bytes >> 20),
        None => MEMORY_KILL.to_owned(),
    }
}

/// Start of the name of the control group that a run makes; those of its processes are below it.
pub(super) const RUN_GROUP: &str = "tandem-limits-";

/// Bytes of a place's name in the name of a group.
const PLACE_BYTES_MAX: usize = 100;

/// The name of the group of a process at a place. The number at its end keeps it from being the name of a file that every
/// group has.
pub(super) fn process_group(place: &str, number: usize) -> String {
    let mut end = place.len().min(PLACE_BYTES_MAX);
    while !place.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}:{number}", place[..end].replace('/', "_"))
}

/// The place whose process is in a group that a run has made, by the group's path.
pub(super) fn place_of_group(cgroup: &str) -> Option<&str> {
    let (parent, name) = cgroup.rsplit_once('/')?;
    let (_, parent) = parent.rsplit_once('/')?;
    let (place, _) = name.rsplit_once(':')?;
    parent.starts_with(RUN_GROUP).then_some(place)
}

/// `the cgroup /docker/1f3a`, or what a container sees of its own.
pub fn group_name(cgroup: &str) -> String {
    match cgroup {
        "/" => "this container's cgroup".to_owned(),
        path => format!("the cgroup {path}"),
    }
}
