//! Events of scenario files, on real workers and brokers: what they cause is no failure, every record is accounted for, and
//! nothing is left.

use tandem::measure::changes::{Episode, GapKind, Part, PartKind, episodes, is_recorded};
use tandem::measure::{FailureKind, Measurement, MemberMeasurement, Status, Trial};

use crate::scene::{Scene, failure};
use crate::shared_cluster;

/// A run of one trial of each configuration with these tables on the shared broker.
pub fn run(prefix: &str, tables: &str) -> Vec<Trial> {
    let scene = Scene::on_shared_cluster();
    let trials = run_in(&scene, &format!("[cluster]\nprefix = '{prefix}'\n{tables}"));
    assert_eq!(shared_cluster::names(prefix), (vec![], vec![]));
    trials
}

/// The same in a scene.
pub fn run_in(scene: &Scene, tables: &str) -> Vec<Trial> {
    scene.scenario(format!("question = 'q'\nrepetitions = 1\nwarmup_blocks = 0\n{tables}"));
    scene.run(&[]).exits(0);
    scene.assert_no_processes();
    scene.trials()
}

/// Its measurement, where a trial is complete and nothing was lost or doubled.
pub fn complete(trial: &Trial) -> &Measurement {
    assert_eq!(trial.status, Status::Complete, "{:?}", trial.flags);
    let measurement = trial.measurement.as_ref().unwrap();
    assert_eq!((measurement.lost, measurement.duplicated), (0, 0));
    measurement
}

/// What its acts caused: parts of each gap add up to it, a new owner had the partition before its first record, and no
/// gap is left without an explanation.
pub fn accounted(measurement: &Measurement) -> Vec<Episode> {
    assert!(is_recorded(measurement), "{:?}", measurement.not_observed);
    let episodes = episodes(measurement);
    for gap in episodes.iter().flat_map(|episode| &episode.gaps) {
        let length = |part: &Part| part.stretch.length_ns();
        assert_eq!(
            gap.parts.iter().map(length).sum::<u64>(),
            gap.stretch.length_ns(),
            "{gap:#?}"
        );
        let unexplained = gap.parts.iter().filter(|part| part.kind == PartKind::Unexplained);
        let unexplained_ns: u64 = unexplained.map(length).sum();
        let most_ns = (gap.stretch.length_ns() / 20).max(20_000_000);
        assert!(gap.kind != GapKind::Moved || unexplained_ns <= most_ns, "{gap:#?}");
    }
    episodes
}

/// Records of a group, those that were read again counted once.
pub fn read_once(measurement: &Measurement) -> u64 {
    measurement.records() - measurement.redelivered
}

#[test]
fn a_reader_that_is_killed_and_started_again_in_a_backlog_costs_no_record() {
    // Some ten seconds of a group that misses a member after six.
    let tables = "[dataset]\npartitions = 4\nrecords = 20_000\nsize = 100\n[trial]\nrecords = 20_000\n\
                  [consumer]\nprocesses = 2\nwork = 'wait 1ms'\ncommit = 'per-batch'\n\
                  [consumer.client]\n'session.timeout.ms' = 6000\n'heartbeat.interval.ms' = 500\n\
                  [[event]]\nat = '20%'\ndo = 'restart'\nhow = 'kill'\nfor = '1s'\nwhat = 'process 2'\n";
    let trials = run("planned-kill-", tables);
    let measurement = complete(&trials[0]);
    let members = measurement.members.iter();
    let lives: Vec<(u32, u32, bool)> = members
        .map(|member| (member.process, member.life, member.was_killed))
        .collect();
    assert_eq!(lives, [(0, 0, false), (1, 0, true), (1, 1, false)]);
    let unknown = measurement.records_expected - read_once(measurement);
    let said = format!("; {unknown} offsets may have been read so");
    assert!(
        measurement.not_observed[0].ends_with(&said),
        "{unknown}: {:?}",
        measurement.not_observed
    );
    assert!(measurement.members[2].records() > 0, "it reads again");
    let episodes = accounted(measurement);
    let longest = episodes[0].longest().unwrap();
    assert_eq!(longest.members[0], 1, "{episodes:#?}");
    assert_ne!(longest.kind, GapKind::Collateral, "{episodes:#?}");
    // It is missed when its session ends, or earlier, when it joins again.
    assert!(longest.stretch.length_ns() <= 9_000_000_000, "{longest:#?}");
    let detection = longest.parts.iter().find(|part| part.kind == PartKind::Detection);
    assert!(detection.is_some(), "the group waits for who is dead: {longest:#?}");
    let redelivered: u64 = episodes.iter().map(Episode::redelivered).sum();
    assert_eq!(redelivered, measurement.redelivered, "{episodes:#?}");
}

#[test]
#[ignore = "scripts/test --all; a_reader_that_is_killed_and_started_again_in_a_backlog_costs_no_record has no store"]
fn a_spring_process_that_is_killed_costs_no_row_and_doubles_none_where_rows_are_upserted() {
    let tables = "[dataset]\npartitions = 4\nrecords = 6_000\nsize = 100\n[trial]\nrecords = 6_000\n\
                  [store]\nkind = 'postgres'\nwrite = 'upsert'\n\
                  [consumer]\napp = 'spring'\nprocesses = 2\nwork = 'store'\ncommit = 'per-batch'\n\
                  [consumer.client]\n'session.timeout.ms' = 6000\n'heartbeat.interval.ms' = 500\n\
                  [[event]]\nat = '20%'\ndo = 'kill'\nwhat = 'process 2'\n";
    let trials = run("planned-stored-", tables);
    let account = complete(&trials[0]).store.as_ref().unwrap().account.unwrap();
    assert_eq!((account.rows, account.stored, account.stored_twice), (6_000, 6_000, 0));
    assert_eq!((account.lost, account.unexplained), (0, 0));
}

#[test]
fn after_a_clean_leave_in_a_live_trial_the_account_is_exact_and_who_comes_later_reads_too() {
    let tables = "[dataset]\npartitions = 4\nsize = 100\n[consumer]\nprocesses = 3\ncommit = 'per-batch'\nheartbeat = '500ms'\n\
                  [load]\nrate = 500\nduration = 8\nwarmup = 1\n\
                  [[event]]\nat = '3s'\ndo = 'leave'\nwhat = 'process 2'\n\
                  [[event]]\nat = '5s'\ndo = 'start'\nwhat = 'process 3'\n";
    let trials = run("planned-leave-", tables);
    let measurement = complete(&trials[0]);
    assert_eq!(measurement.redelivered, 0);
    assert_eq!(measurement.records(), measurement.records_expected);
    let records: Vec<u64> = measurement.members.iter().map(MemberMeasurement::records).collect();
    assert!(
        records.len() == 3 && records.iter().all(|records| *records > 0),
        "{records:?}"
    );
    assert_eq!(measurement.acts.len(), 2);
    let episodes = accounted(measurement);
    for (episode, what) in episodes.iter().zip(["left", "came"]) {
        assert!(episode.moved() > 0, "no partition moved when one {what}: {episodes:#?}");
        // Members learn of it with their next heartbeat.
        let longest = episode.longest().unwrap();
        assert!(longest.stretch.length_ns() <= 3_000_000_000, "{longest:#?}");
        assert!(episode.caught_up_ns.is_some(), "{episode:#?}");
    }
}

#[test]
fn a_trial_that_ends_before_an_event_fails_with_its_number() {
    let scene = Scene::on_shared_cluster();
    scene.scenario(
        "question = 'q'\nrepetitions = 1\nwarmup_blocks = 0\n[cluster]\nprefix = 'planned-late-'\n\
         [dataset]\npartitions = 2\nrecords = 1_000\n[trial]\nrecords = 1_000\n[consumer]\nprocesses = 2\n\
         [[event]]\nat = '5s'\ndo = 'kill'\nwhat = 'process 2'\n",
    );
    scene.run(&[]).exits(1);
    let trials = scene.trials();
    let failure = failure(&trials[0]);
    assert_eq!(failure.kind, FailureKind::NotAsPlanned);
    assert!(
        failure.message.contains("the trial ended before event 1"),
        "{failure:?}"
    );
    scene.assert_no_processes();
}

#[test]
#[ignore = "scripts/test --all; the standard tier plans acts of members, and kills brokers: deaths.rs"]
fn one_of_three_brokers_is_killed_and_comes_back_within_each_of_two_trials() {
    let scene = Scene::new();
    // On a busy machine a broker takes up to ten seconds to come back, and the trial reads for fifteen or more.
    scene.scenario(
        "question = 'q'\nrepetitions = 2\nwarmup_blocks = 0\n[cluster]\nbrokers = 3\n\
         [dataset]\npartitions = 4\nrecords = 30_000\nsize = 100\nreplication = 2\n[trial]\nrecords = 30_000\n\
         [consumer]\nprocesses = 2\nwork = 'wait 2ms'\ncommit = 'per-batch'\n\
         [[event]]\nat = '1s'\ndo = 'restart'\nhow = 'kill'\nfor = '2s'\nwhat = 'broker 3'\n",
    );
    scene.run(&[]).exits(0);
    scene.assert_no_processes();
    let trials = scene.trials();
    assert_eq!(trials.len(), 2, "the second finds all brokers");
    for trial in &trials {
        let measurement = complete(trial);
        assert_eq!(read_once(measurement), measurement.records_expected);
        let changes = measurement.interruptions.changes.iter();
        let came: Vec<bool> = changes.map(|change| change.came).collect();
        assert_eq!(came, [false, true]);
    }
}
