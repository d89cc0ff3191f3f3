//! Workers that do not tell the truth: each lie is found, named and stored.

use tandem::measure::FailureKind;

use crate::scenario::Scenario;
use crate::scene::{Scene, failure, read_once, undisturbed};

/// A run of one truthful and one lying case, which ends with the only failure of the liar.
fn caught(lie: &str, more: &[&str]) -> (FailureKind, String, String, Scene) {
    let liar = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/workers/liar.py");
    let scene = Scene::on_shared_cluster();
    let launcher = format!(r#"["python3", "{liar}", "{lie}", "{{tandem}}", "worker"]"#);
    let trials = Scenario::reading(2_000).consumer("processes = 2");
    let trials = trials.tables(&format!("[[place]]\nname = 'liars'\nlauncher = {launcher}"));
    scene.scenario(trials.case("truthful", "").case("lying", "place = 'liars'"));
    scene.run(more).exits(1);
    scene.assert_no_processes();
    let trials = scene.trials();
    assert_eq!(trials.len(), 2);
    let of_case = |name: &str| trials.iter().find(|trial| trial.configuration_name == name).unwrap();
    read_once(of_case("truthful"));
    let found = failure(of_case("lying"));
    let who = found.who.clone().unwrap_or_default();
    (found.kind, who, found.message.clone(), scene)
}

fn lost_and_duplicated(scene: &Scene) -> (String, String) {
    let rows = scene.table("summary.csv");
    let row = rows.iter().find(|row| row["configuration"] == "lying").unwrap();
    (row["lost"].clone(), row["duplicated"].clone())
}

#[test]
fn a_skipped_record_is_lost_and_named() {
    let (kind, who, message, scene) = caught("skip", &[]);
    assert_eq!(
        (kind, who.as_str()),
        (FailureKind::Lost, "group 1, process 1, consumer 1"),
        "{message}"
    );
    assert!(
        message.contains("offset 500 of partition") && message.contains("never read"),
        "{message}"
    );
    assert_eq!(lost_and_duplicated(&scene), ("1".into(), "0".into()));
}

#[test]
fn a_record_counted_twice_is_named() {
    let (kind, who, message, scene) = caught("twice", &[]);
    assert_eq!(
        (kind, who.as_str()),
        (FailureKind::Duplicated, "group 1, process 1, consumer 1"),
        "{message}"
    );
    assert!(
        message.contains("offset 500 of partition") && message.contains("read twice"),
        "{message}"
    );
    assert_eq!(lost_and_duplicated(&scene), ("0".into(), "1".into()));
}

#[test]
fn two_members_that_claim_one_partition_are_both_named() {
    let (kind, who, message, _) = caught("claim", &["--join-limit", "3"]);
    let both = "group 1, process 1, consumer 1 and group 1, process 2, consumer 1";
    assert_eq!((kind, who.as_str()), (FailureKind::Overlap, both), "{message}");
    assert!(message.contains("of topic 1 is held by"), "{message}");
}

#[test]
#[ignore = "scripts/test --all; src/measure/changes/tests.rs has the same faults in invented trials"]
fn what_a_member_may_not_do_when_partitions_change_hands_is_found_and_named() {
    // On a busy machine nothing may be read in the half second by which a liar moves what it says.
    undisturbed(|_| lies_when_partitions_change_hands());
}

fn lies_when_partitions_change_hands() {
    let liar = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/workers/liar.py");
    let lies = ["late", "ahead", "pass"];
    let place = |lie: &str| {
        format!(
            "[[place]]\nname = '{lie}'\nlauncher = ['python3', '{liar}', '{lie}', '{{tandem}}', 'worker']\n\
             [[case]]\nname = '{lie}'\nplace = '{lie}'\n"
        )
    };
    let scene = Scene::on_shared_cluster();
    scene.scenario(format!(
        "question = 'q'\nrepetitions = 1\nwarmup_blocks = 0\n[dataset]\npartitions = 4\nsize = 100\n\
         [consumer]\nprocesses = 2\ncommit = 'per-batch'\n[load]\nrate = 300\nduration = 7\nwarmup = 1\n\
         [[event]]\nat = '2s'\ndo = 'start'\nwhat = 'process 2'\n[[case]]\nname = 'truthful'\n{}",
        lies.map(place).concat()
    ));
    scene.run(&[]).exits(1);
    scene.assert_no_processes();
    let trials = scene.trials();
    let of_case = |name: &str| trials.iter().find(|trial| trial.configuration_name == name).unwrap();
    assert_eq!(of_case("truthful").status, tandem::measure::Status::Complete);
    let found = lies.map(|lie| failure(of_case(lie)));
    let kinds = [FailureKind::Overlap, FailureKind::Lost, FailureKind::Lost];
    let parts = [
        "after its partition was revoked",
        "it committed offset",
        "it began at offset",
    ];
    for ((found, kind), part) in found.iter().zip(kinds).zip(parts) {
        assert_eq!(found.kind, kind, "{found:?}");
        assert!(found.message.contains(part), "{found:?}");
    }
}
