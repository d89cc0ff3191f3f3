#![allow(clippy::unwrap_used)]

use super::*;
use crate::measure::{FailureKind, HostMeasurement, OffsetRun};
use crate::protocol::Capability;
use crate::testing::script::*;
use crate::trial::course::Backlog;
use crate::trial::{Phase, measure};

/// Members share all partitions, and records may come again, as in a share group.
#[derive(Debug)]
struct Shares(Backlog);

impl Course for Shares {
    fn ownership(&self) -> Ownership {
        Ownership::Shared
    }

    fn repeats(&self) -> Repeats {
        Repeats::Allowed
    }

    fn records(&self) -> u64 {
        self.0.records()
    }

    fn begin(&mut self, start_ns: u64, scene: &mut Scene<'_>) -> Vec<Action> {
        self.0.begin(start_ns, scene)
    }

    fn wake_ns(&self) -> u64 {
        self.0.wake_ns()
    }

    fn wait_until(&mut self, at_ns: u64) {
        self.0.wait_until(at_ns);
    }

    fn on_tick(&mut self, scene: &mut Scene<'_>) -> Result<Turn, Failure> {
        self.0.on_tick(scene)
    }

    fn on_progress(&mut self, advanced: bool, scene: &mut Scene<'_>) -> Turn {
        self.0.on_progress(advanced, scene)
    }
}

/// Two members that both hold both partitions, and look so to the cluster.
fn both_hold_both(course: impl FnOnce(Backlog) -> Box<dyn Course>) -> Script {
    let mut spec = spec(2, 1, 2);
    spec.course = course(Backlog::of(200));
    let mut script = Script::joining(spec, Capability::ALL);
    script.holds(0, &[&[0, 1]]);
    script.holds(1, &[&[0, 1]]);
    script.group(group(&[((0, 0), &[0, 1]), ((1, 0), &[0, 1])]));
    script
}

#[test]
fn a_course_decides_whether_members_may_share_partitions() {
    assert_eq!(
        both_hold_both(|backlog| Box::new(backlog)).machine.phase(),
        Phase::Joining
    );
    let shared = both_hold_both(|backlog| Box::new(Shares(backlog)));
    assert_eq!(shared.machine.phase(), Phase::Reading);
}

#[test]
fn a_course_decides_whether_a_record_may_come_again_and_none_may_be_missing() {
    let after = |second: &[OffsetRun]| {
        let mut script = both_hold_both(|backlog| Box::new(Shares(backlog)));
        script.reaches(0, 0, RECORDS);
        script.reaches(1, 1, RECORDS);
        // The first member got two of its records twice, and ten of them came to the second member too.
        let first = member_result(&[(0, &[run(0, RECORDS, 1), run(7, 9, 1)])]);
        script.says(Reader(0), result(&[first]));
        script.says(
            Reader(1),
            result(&[member_result(&[(1, second), (0, &[run(90, RECORDS, 1)])])]),
        );
        measure(&script.machine.ended(), HostMeasurement::default()).unwrap()
    };
    let (measurement, failure) = after(&[run(0, RECORDS, 1)]);
    assert_eq!(failure, None);
    assert_eq!(
        (measurement.lost, measurement.duplicated, measurement.redelivered),
        (0, 0, 12)
    );
    let (measurement, failure) = after(&[run(1, RECORDS, 1)]);
    assert_eq!((measurement.lost, failure.unwrap().kind), (1, FailureKind::Lost));
}
