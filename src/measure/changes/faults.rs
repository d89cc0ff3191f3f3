//! What no member may do when partitions change hands, whatever was planned: read what it has given up, commit what it has
//! not read, or pass over what was not committed.

use super::tenure::Tenure;
use super::tenures::tenures;
use crate::measure::{Failure, FailureKind, Measurement, partition_name};

/// Times of reading are rounded.
const ROUNDING_NS: u64 = 1_000_000;

/// Who did what.
struct Fault {
    kind: FailureKind,
    member: usize,
    message: String,
}

/// The first fault in a trial with planned acts.
pub fn fault(measurement: &Measurement) -> Option<Failure> {
    if measurement.acts.is_empty() {
        return None;
    }
    tenures(measurement).into_iter().find_map(|((_, partition), tenures)| {
        let of_one = tenures
            .iter()
            .find_map(|tenure| read_after(tenure).or_else(|| committed_ahead(tenure)));
        let of_two = || {
            // Where topics have offsets without a record, the first offset read says nothing.
            let mut pairs = tenures.windows(2).filter(|_| measurement.not_delivered == 0);
            pairs.find_map(|pair| passed_over(&pair[0], &pair[1]))
        };
        let Fault { kind, member, message } = of_one.or_else(of_two)?;
        Some(Failure {
            kind,
            who: Some(measurement.members[member].name()),
            message: format!("{message}, of {}", partition_name(partition)),
        })
    })
}

/// A member read a partition after it had given it up.
fn read_after(tenure: &Tenure) -> Option<Fault> {
    let late_ns = tenure.last_ns().saturating_sub(tenure.taken_ns?);
    (late_ns > ROUNDING_NS).then(|| Fault {
        kind: FailureKind::Overlap,
        member: tenure.member,
        message: format!(
            "it read until {:.1} ms after its partition was revoked",
            late_ns as f64 / 1e6
        ),
    })
}

/// A member committed beyond what it had read.
fn committed_ahead(tenure: &Tenure) -> Option<Fault> {
    let (committed, (_, end)) = (tenure.committed?, tenure.offsets?);
    (committed > end).then(|| Fault {
        kind: FailureKind::Lost,
        member: tenure.member,
        message: format!("it committed offset {committed} although it had read to {end}"),
    })
}

/// A member began beyond what the one before had committed.
fn passed_over(old: &Tenure, new: &Tenure) -> Option<Fault> {
    let (committed, (first, _)) = (old.committed?, new.offsets?);
    (first > committed).then(|| Fault {
        kind: FailureKind::Lost,
        member: new.member,
        message: format!(
            "it began at offset {first} although {committed} was committed, and passed over what lies between"
        ),
    })
}
