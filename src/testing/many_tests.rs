//! A trial of ten thousand members, from what its processes say to the files of its report.

use super::report::Fixture;
use super::script::{RECORDS, Reader, Script, member_result, result, run, spec_of};
use super::{arrangement, scenario};
use crate::measure::{GroupDescription, GroupMember, GroupState, HostMeasurement, Trial, TrialKind, TrialOrder, clock};
use crate::plan::Plan;
use crate::protocol::Capability;
use crate::report::files;
use crate::summary::summarise;
use crate::trial::{Phase, measure};

const PROCESSES: usize = 1_000;
const CONSUMERS: usize = 10;

/// The partitions of the members of a process, one each.
fn partitions(process: usize) -> impl Iterator<Item = i32> {
    (0..CONSUMERS).map(move |consumer| i32::try_from(process * CONSUMERS + consumer).unwrap())
}

/// The trial, read once by all of its members.
fn many() -> Script {
    let count = |count: usize| u32::try_from(count).unwrap();
    let configuration = arrangement("case", count(PROCESSES), count(CONSUMERS));
    let mut script = Script::joining(spec_of(&configuration, PROCESSES * CONSUMERS), Capability::ALL);
    let mut members = Vec::new();
    for process in 0..PROCESSES {
        let held: Vec<[i32; 1]> = partitions(process).map(|partition| [partition]).collect();
        let held: Vec<&[i32]> = held.iter().map(|partition| &partition[..]).collect();
        script.holds(process, &held);
        members.extend(
            partitions(process)
                .enumerate()
                .map(|(consumer, partition)| GroupMember {
                    client_id: format!("trial-g1-p{}-c{}", process + 1, consumer + 1),
                    host: "/127.0.0.1".to_owned(),
                    assignment: [("t".to_owned(), partition)].into(),
                    target: None,
                }),
        );
    }
    let state = GroupState::Stable;
    script.group(GroupDescription { state, members });
    assert_eq!(script.machine.phase(), Phase::Reading);
    for process in 0..PROCESSES {
        partitions(process).for_each(|partition| drop(script.reaches(process, partition, RECORDS)));
    }
    assert_eq!(script.machine.phase(), Phase::Collecting);
    for process in 0..PROCESSES {
        let read = |partition| member_result(&[(partition, &[run(0, RECORDS, 0)])]);
        let results: Vec<_> = partitions(process).map(read).collect();
        script.says(Reader(process), result(&results));
    }
    assert_eq!(script.machine.phase(), Phase::Over);
    script
}

/// Runs a part and says what CPU time it took.
fn timed<T>(what: &str, part: impl FnOnce() -> T) -> T {
    let before_ns = clock::thread_cpu_ns();
    let made = part();
    eprintln!("{what}: {:.3} s", (clock::thread_cpu_ns() - before_ns) as f64 / 1e9);
    made
}

#[test]
fn a_trial_of_ten_thousand_members_is_folded_summarised_and_reported_within_ten_seconds() {
    let script = timed("the trial", many);
    let before_ns = clock::thread_cpu_ns();
    let measured = timed("folded", || {
        measure(&script.machine.ended(), HostMeasurement::default())
    });
    let (measurement, failure) = measured.unwrap();
    assert_eq!(failure, None);
    assert_eq!(measurement.members.len(), PROCESSES * CONSUMERS);
    let mut scenario = scenario("");
    let count = |count: usize| u32::try_from(count).unwrap();
    scenario.configurations = vec![arrangement("case", count(PROCESSES), count(CONSUMERS))];
    scenario.datasets[0].partitions = count(PROCESSES * CONSUMERS);
    let trials: Vec<Trial> = (0..2)
        .map(|block| {
            let order = TrialOrder {
                number: block + 1,
                kind: TrialKind::Counted,
                block,
                position: 0,
                configuration: 0,
                records: measurement.records_expected,
                load: None,
            };
            super::trial()
                .configuration(0, "case")
                .measured(measurement.clone())
                .order(order)
                .build()
        })
        .collect();
    let mut fixture = Fixture::of(scenario, trials);
    let plan = Plan::new(fixture.scenario.clone());
    fixture.summary = timed("summarised", || summarise(&plan, &fixture.trials));
    let files = timed("reported", || files(&fixture.input()));
    let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
    eprintln!("{} files of {bytes} bytes", files.len());
    let took_ns = clock::thread_cpu_ns() - before_ns;
    assert!(took_ns < 10_000_000_000, "{took_ns} ns");
}
