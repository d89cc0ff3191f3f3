//! Bottlenecks whose truth is known beforehand and does not depend on how busy the machine is. The others are checked by
//! `scripts/evidence/run verdicts`.

use std::collections::BTreeMap;

use crate::scene::Scene;

/// The rows of `summary.csv` of one run without a warm-up block.
fn rows(tables: &str) -> Vec<BTreeMap<String, String>> {
    let scene = Scene::on_shared_cluster();
    let text = format!("question = \"Why?\"\nrepetitions = 2\nwarmup_blocks = 0\n{tables}");
    // Too few blocks for a verdict are no fault.
    scene.scenario(&text).run(&[]).exits(0);
    let trials = scene.trials();
    for measurement in trials.iter().filter_map(|trial| trial.measurement.as_ref()) {
        for member in measurement.members.iter().filter(|member| member.records() > 0) {
            let reading = member.reading.expect("a reader says how long it waited");
            let whole_ns = member.last_record_ns.unwrap() - measurement.start_ns;
            let readers = u64::from(reading.readers);
            assert!(readers > 0 && reading.waiting_ns <= whole_ns * readers, "{reading:?}");
        }
    }
    let report = std::fs::read_to_string(scene.out().join("report.md")).unwrap();
    let rows = scene.table("summary.csv");
    for row in &rows {
        let heading = format!("**{}**", row["bottleneck"]);
        assert!(report.contains(&heading), "{heading} is not in {report}");
    }
    rows
}

fn is(row: &BTreeMap<String, String>, kind: &str, evidence: &str) {
    assert_eq!(row["bottleneck"], kind, "{}", row["bottleneck_evidence"]);
    assert!(
        row["bottleneck_evidence"].contains(evidence),
        "{}",
        row["bottleneck_evidence"]
    );
}

#[test]
fn members_that_wait_for_each_record_are_limited_by_their_work() {
    let rows = rows(
        "[dataset]\nrecords = 4_000\npartitions = 4\nsize = 100\n[trial]\nrecords = 4_000\n[consumer]\nwork = \"wait 1ms\"\n\
         [matrix]\nconsumers = [1, 2, 4]\n",
    );
    // How much faster two and four are, `scripts/evidence/run verdicts` says on a quiet machine.
    for row in &rows {
        is(row, "consumer-work", "in work");
    }
}

#[test]
fn a_partition_with_nearly_all_records_is_skew_for_members_and_threads() {
    let rows = rows(
        "[dataset]\nrecords = 5_000\npartitions = 2\nsize = 100\nweights = [0.9, 0.1]\n[trial]\nrecords = 5_000\n\
         [consumer]\nwork = \"wait 200us\"\n[[case]]\nname = \"members\"\nconsumers = 2\n[[case]]\n\
         name = \"threads\"\nthreads = 2\n",
    );
    for row in &rows {
        is(row, "skew", "holds 90 % of the records");
    }
}

#[test]
fn four_members_on_two_partitions_are_called_idle_and_what_limits_the_others_is_said() {
    let rows = rows(
        "[dataset]\nrecords = 4_000\npartitions = 2\nsize = 100\n[trial]\nrecords = 4_000\n[consumer]\nconsumers = 4\n\
         work = \"wait 1ms\"\n",
    );
    is(
        &rows[0],
        "idle-members",
        "2 of 4 members held no partition; of those that read: members were in work",
    );
}

#[test]
fn a_load_that_no_producer_can_send_is_the_producers() {
    let rows =
        rows("[dataset]\npartitions = 2\nsize = 1000\n[load]\nrate = 2_000_000\nduration = \"1s\"\nwarmup = 0.2\n");
    is(&rows[0], "producers", "of 2,000,000 records a second");
}
