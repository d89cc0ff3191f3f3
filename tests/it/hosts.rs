//! Workers whose clock is not that of this host: in a time namespace, as on another host. What is recorded of them is what
//! is recorded of workers here, within the bound that is measured, or the trial fails with the reason.

use std::process::Command;

use tandem::measure::{FailureKind, Measurement, Trial};

use crate::scenario::Scenario;
use crate::scene::{PROGRAM, Scene, failure, read_once, undisturbed};

const MS: u64 = 1_000_000;

/// Starts a program in a time namespace whose monotonic clock is moved by seconds and nanoseconds.
const MOVED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/workers/moved_clock.py");

/// The bound of a comparison of clocks on one machine.
const BOUND_MAX_NS: u64 = MS;

/// True where time namespaces can be made, which takes root. Continuous integration is root.
fn can_move_clocks() -> bool {
    let made = Command::new("python3")
        .args([MOVED, "0", "0", "true"])
        .output()
        .unwrap();
    let cause = String::from_utf8_lossy(&made.stderr);
    if !made.status.success() {
        assert!(
            std::env::var_os("CI").is_none(),
            "continuous integration must be able to do this: {cause}"
        );
        eprintln!("skipped: time namespaces need root: {cause}");
    }
    made.status.success()
}

/// The places of workers 100 s ahead and 7.3 ms behind.
fn places(program: &str) -> String {
    let place = |name: &str, seconds: &str, ns: &str| {
        format!("[[place]]\nname = '{name}'\nlauncher = ['python3', '{MOVED}', '{seconds}', '{ns}', {program}]\n")
    };
    place("ahead", "100", "0") + &place("behind", "-1", "992700000")
}

fn cases(trials: Scenario, program: &str) -> Scenario {
    let trials = trials.tables(&places(program));
    let trials = trials.case("here", "").case("ahead", "place = 'ahead'");
    trials.case("behind", "place = 'behind'")
}

fn of_case<'a>(trials: &'a [Trial], case: &str) -> &'a Measurement {
    let trial = trials.iter().find(|trial| trial.configuration_name == case).unwrap();
    trial.measurement.as_ref().unwrap()
}

/// Checks the clocks of a case's workers, each in a namespace of its own: none is more wrong than its bound. The largest
/// bound in nanoseconds.
fn compared(scene: &Scene, case: &str, ahead_ns: i64) -> u64 {
    let trials = scene.trials();
    let measurement = of_case(&trials, case);
    assert_eq!(measurement.clocks.0.len(), measurement.processes.len());
    for clock in &measurement.clocks.0 {
        let wrong_ns = clock.offset_ns.abs_diff(-ahead_ns);
        eprintln!("{case}: wrong by {wrong_ns} ns, bound {} ns", clock.bound_ns);
        assert!(wrong_ns <= clock.bound_ns, "{clock:?}");
    }
    let rows = scene.table("trials.csv");
    let row = rows.iter().find(|row| row["configuration"] == case).unwrap();
    let bound_ms: f64 = row["clock_bound_ms"].parse().unwrap();
    assert!(bound_ms > 0.0, "{bound_ms} ms");
    let bounds = measurement.clocks.0.iter().map(|clock| clock.bound_ns);
    bounds.max().unwrap()
}

#[test]
fn a_backlog_read_by_workers_of_another_clock_is_recorded_on_this_one() {
    if !can_move_clocks() {
        return;
    }
    undisturbed(|_| {
        let scene = Scene::on_shared_cluster();
        let trials = Scenario::reading(200_000).consumer("processes = 2");
        scene.scenario(cases(trials, "'{tandem}', 'worker'")).run(&[]).exits(0);
        let trials = scene.trials();
        trials.iter().for_each(read_once);
        assert!(of_case(&trials, "here").clocks.is_empty());
        for (case, ahead_ns) in [("ahead", 100_000_000_000), ("behind", -7_300_000)] {
            let bound_ns = compared(&scene, case, ahead_ns);
            assert!(bound_ns < BOUND_MAX_NS, "{bound_ns} ns");
            let measured = of_case(&trials, case);
            for member in &measured.members {
                let [first, last] = [member.first_record_ns, member.last_record_ns].map(Option::unwrap);
                assert!(first >= measured.start_ns && first <= last, "{member:?}");
                // The machine of the coordinator's host was sampled before: nothing ended after the results came.
                assert!(last <= measured.results_ns.unwrap() + bound_ns, "{member:?}");
                let assigned_ns = member.assigned_ns.unwrap();
                assert!(assigned_ns + bound_ns >= measured.subscribe_ns, "{member:?}");
                assert!(assigned_ns <= measured.joined_ns + bound_ns, "{member:?}");
            }
            let [here, there] = ["here", case].map(|case| of_case(&trials, case).read_ns() / MS);
            assert!(
                there < 4 * here + 100 && here < 4 * there + 100,
                "{there} ms instead of {here} ms"
            );
        }
        assert!(
            !trials
                .iter()
                .any(|trial| trial.flags.iter().any(|flag| flag.kind.as_str() == "rebalance"))
        );
        let report = std::fs::read_to_string(scene.out().join("report.md")).unwrap();
        assert!(report.contains("Clocks of other hosts"), "{report}");
    });
}

#[test]
fn response_times_from_producers_here_to_readers_of_another_clock_are_those_of_this_one() {
    if !can_move_clocks() {
        return;
    }
    undisturbed(|attempt| {
        let scene = Scene::on_shared_cluster();
        let prefix = format!("hosts-{attempt}-{}-", std::process::id());
        scene.scenario(format!(
            "question = 'q'\nrepetitions = 1\nwarmup_blocks = 0\n[cluster]\nprefix = '{prefix}'\n[load]\nrate = 1_000\n\
             duration = 3\nwarmup = 0.5\n{}[[case]]\nname = 'here'\n[[case]]\nname = 'ahead'\nplace = 'ahead'\n[[case]]\n\
             name = 'behind'\nplace = 'behind'\n",
            places("'{tandem}', 'worker'")
        ));
        scene.run(&[]).exits(0);
        let trials = scene.trials();
        trials.iter().for_each(read_once);
        // The quickest records: the others wait for a core, on a busy machine in one trial longer than in the next.
        let transit_ns = |case: &str| {
            let transit = of_case(&trials, case).latencies().unwrap().transit;
            (
                transit.percentile_ns(0.01).unwrap(),
                transit.percentile_ns(0.5).unwrap(),
            )
        };
        for (case, ahead_ns) in [("ahead", 100_000_000_000), ("behind", -7_300_000)] {
            let bound_ns = compared(&scene, case, ahead_ns);
            let measured = of_case(&trials, case);
            assert_eq!(measured.response_bound_ns(), bound_ns);
            let latencies = measured.latencies().unwrap();
            assert_eq!(latencies.response.count(), 3_000);
            let [here, there] = ["here", case].map(transit_ns);
            eprintln!("transit, first percentile and median in ns: {here:?} here, {there:?} {case}");
            assert!(
                there.0.abs_diff(here.0) <= bound_ns + MS.max(here.0 / 2),
                "{there:?} ns instead of {here:?} ns"
            );
            let load = measured.load.as_ref().unwrap();
            assert!(
                load.seconds.iter().all(|second| second.second < 10),
                "{:?}",
                load.seconds
            );
        }
    });
}

#[test]
fn a_worker_of_protocol_1_whose_times_are_of_another_clock_fails_with_the_reason() {
    if !can_move_clocks() {
        return;
    }
    let liar = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/workers/liar.py");
    let scene = Scene::on_shared_cluster();
    let program = format!("'python3', '{liar}', 'old', '{PROGRAM}', 'worker'");
    let trials = Scenario::reading(2_000).tables(&places(&program));
    scene.scenario(trials.case("ahead", "place = 'ahead'"));
    scene.run(&[]).exits(1);
    scene.assert_no_processes();
    let trials = scene.trials();
    let found = failure(&trials[0]);
    assert_eq!(found.kind, FailureKind::WorkerProtocol, "{found:?}");
    assert!(
        found
            .message
            .contains("its clock is not that of the coordinator's host"),
        "{found:?}"
    );
}

#[test]
fn a_worker_of_protocol_1_on_this_host_runs_as_before() {
    let liar = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/workers/liar.py");
    let scene = Scene::on_shared_cluster();
    let launcher = format!("[[place]]\nname = 'old'\nlauncher = ['python3', '{liar}', 'old', '{PROGRAM}', 'worker']");
    let trials = Scenario::reading(2_000).tables(&launcher);
    scene.scenario(trials.case("old", "place = 'old'"));
    scene.run(&[]).exits(0);
    let trials = scene.trials();
    trials.iter().for_each(read_once);
    assert!(of_case(&trials, "old").clocks.is_empty());
}
