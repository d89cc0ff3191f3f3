//! Members that held no partition: how many, who, and why. Taken from the assignments, never computed from counts.

use crate::measure::{Measurement, MemberMeasurement};
use crate::scenario::{Assignor, Configuration, DatasetSpec, GroupProtocol, Membership};

/// Members that are named; more are only counted.
const NAMES_MAX: usize = 8;

/// Why members were idle, naming those of the trial with the most; `None` where none was.
pub(super) fn explanation(
    configuration: &Configuration,
    dataset: &DatasetSpec,
    used: &[&Measurement],
) -> Option<String> {
    let mut most: Vec<&MemberMeasurement> = Vec::new();
    let mut always_the_same = true;
    for (trial, measurement) in used.iter().enumerate() {
        let idle: Vec<&MemberMeasurement> = measurement.idle_members().collect();
        always_the_same &= trial == 0 || idle.iter().map(|m| m.name()).eq(most.iter().map(|m| m.name()));
        if idle.len() > most.len() {
            most = idle;
        }
    }
    if most.is_empty() {
        return None;
    }
    let mut names: Vec<String> = most.iter().take(NAMES_MAX).map(|member| member.name()).collect();
    if most.len() > NAMES_MAX {
        names.push(format!("{} more", most.len() - NAMES_MAX));
    }
    let several = if always_the_same {
        ""
    } else {
        " (in one of the trials; others differ)"
    };
    Some(format!(
        "{} of {} members held no partition{several}: {}; {}",
        most.len(),
        configuration.members(),
        names.join(" and "),
        reason(configuration, dataset),
    ))
}

/// True if each topic is assigned by itself, so that members beyond the number of its partitions get none of it.
pub(super) fn deals_by_topic(membership: &Membership) -> bool {
    match membership {
        Membership::Manual => false,
        Membership::Group(protocol) => assignor(protocol) == Some(Assignor::Range),
    }
}

/// The assignor of a group, which is range by the client's default; `None` if the broker chooses.
fn assignor(protocol: &GroupProtocol) -> Option<Assignor> {
    match *protocol {
        GroupProtocol::Classic { assignor } => Some(assignor.unwrap_or(Assignor::Range)),
        GroupProtocol::Consumer { assignor } => assignor,
    }
}

fn reason(configuration: &Configuration, dataset: &DatasetSpec) -> String {
    let partitions = match (dataset.topics, dataset.partitions) {
        (topics, partitions) if dataset.partitions_of_all() != topics * partitions => {
            format!("{topics} topics of up to {partitions} partitions")
        }
        (1, 1) => "1 partition".to_owned(),
        (1, partitions) => format!("{partitions} partitions"),
        (topics, 1) => format!("{topics} topics of 1 partition"),
        (topics, partitions) => format!("{topics} topics of {partitions} partitions"),
    };
    let assigned = match &configuration.membership {
        Membership::Manual => "dealt out in turn by manual assignment".to_owned(),
        Membership::Group(protocol) => match assignor(protocol) {
            Some(assignor) => format!("assigned by {assignor}"),
            None => "assigned by the broker's default".to_owned(),
        },
    };
    let of_all = dataset.partitions_of_all();
    let why = if configuration.members_per_group() > of_all {
        "a partition has one reader in a group, so members beyond the number of partitions get nothing"
    } else if deals_by_topic(&configuration.membership) {
        "range deals out each topic by itself, so members beyond a topic's partitions get none of it"
    } else {
        "the assignor left them out"
    };
    format!("{partitions}, {assigned} ({why})")
}
