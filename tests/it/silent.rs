//! Programs that speak nothing: any consumer, unchanged, observed from outside.

use std::path::Path;
use std::time::Duration;

use tandem::measure::changes::{GapKind, PartKind, episodes, is_recorded};
use tandem::measure::{FailureKind, MemberMeasurement};

use crate::python_worker::python;
use crate::scene::{Scene, failure, undisturbed, within};
use crate::shared_cluster;

/// The service of the examples as an app, with these lines besides.
fn service(lines: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/service.py");
    let (python, script) = (python().display().to_string(), script.display().to_string());
    let command = format!("['{python}', '{script}', '{{bootstrap}}', '{{topic}}', '{{group}}']");
    format!("[[app]]\nname = 'service'\ncommand = {command}\nspeaks = 'nothing'\n{lines}\n")
}

/// A shell that does this.
fn shell(script: &str) -> String {
    format!("[[app]]\nname = 'service'\ncommand = ['sh', '-c', '''{script}''']\nspeaks = 'nothing'\n")
}

fn scenario(dataset: &str, app: &str, consumer: &str, rest: &str) -> String {
    format!(
        "question = 'q'\nrepetitions = 1\nwarmup_blocks = 0\n[dataset]\npartitions = 2\n{dataset}\n{app}[consumer]\napp = \
         'service'\n{consumer}\n{rest}\n"
    )
}

#[test]
fn a_backlog_is_measured_by_the_stopwatch_and_the_third_of_three_instances_is_named_idle() {
    let scene = Scene::on_shared_cluster();
    let app = service("ready = '^joined'");
    scene
        .scenario(scenario("records = 1_000", &app, "processes = 3", ""))
        .run(&[])
        .exits(0);
    let trials = scene.trials();
    let [trial] = trials.as_slice() else {
        panic!("{trials:?}")
    };
    let measurement = trial.measurement.as_ref().unwrap();
    assert_eq!(measurement.records(), 1_000);
    let idle: Vec<String> = measurement.idle_members().map(MemberMeasurement::name).collect();
    assert_eq!(idle, ["group 1, member 3"]);
    // Two read 500 records each, which take 2 ms; the last commit comes up to a second later.
    let seconds = measurement.stopwatch_ns() as f64 / 1e9;
    assert!((1.0..20.0).contains(&seconds), "{seconds}");
    let interval_ns = measurement.outside.as_ref().unwrap().commit_interval_ns;
    assert!(
        interval_ns.is_none_or(|ns| (500_000_000..3_000_000_000).contains(&ns)),
        "{interval_ns:?}"
    );
    assert!(measurement.processes.iter().all(|process| process.window.is_some()));
    scene.assert_no_processes();
}

#[test]
#[ignore = "scripts/test --all; a backlog of the same program is read always"]
fn a_load_is_held_by_what_is_committed_on_a_topic_a_group_and_a_port_that_are_fixed() {
    let scene = Scene::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/service.py");
    let (python, script) = (python().display(), script.display());
    // Nothing of it is told to the program.
    let command = format!("['{python}', '{script}', '127.0.0.1:{port}', 'orders', 'billing']");
    let app = format!("[[app]]\nname = 'service'\ncommand = {command}\nspeaks = 'nothing'\n");
    let cluster = format!("[cluster]\nport = {port}\n");
    let load = "[load]\nrate = 200\nduration = '4s'\nwarmup = '1s'";
    let text = scenario("name = 'orders'", &(cluster + &app), "group = 'billing'", load);
    scene
        .scenario(text.replace("repetitions = 1", "repetitions = 2"))
        .run(&[])
        .exits(0);
    let trials = scene.trials();
    assert_eq!(trials.len(), 2);
    for trial in &trials {
        let measurement = trial.measurement.as_ref().unwrap();
        let load = measurement.load.as_ref().unwrap();
        assert_eq!(
            (load.unread, measurement.records()),
            (0, load.acknowledged),
            "{:?}",
            trial.status
        );
        assert!(load.overload.is_none());
    }
    scene.assert_no_processes();
}

#[test]
#[ignore = "scripts/test --all; searches with known answers are in src/plan/capacity_tests.rs"]
fn a_quick_search_finds_what_a_service_does_by_its_own_clock_and_twice_that_with_three_on_two_partitions() {
    undisturbed(|_| {
        let scene = Scene::on_shared_cluster();
        let times = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/evidence/workers/timed_service.py");
        let words = [python(), &script, times.path()].map(|word| word.display().to_string());
        let command = words.join("', '");
        let app = format!(
            "[[app]]\nname = 'service'\ncommand = ['{command}', '{{bootstrap}}', '{{topic}}', '{{group}}']\nspeaks = \
             'nothing'\n"
        );
        let search = "[load]\nrate = 3_000\nduration = '10s'\n[capacity]\n[matrix]\nprocesses = [1, 3]";
        let ended = scene
            .scenario(scenario("", &app, "", search))
            .spawn_run(&["--quick"])
            .end_within(Duration::from_secs(900))
            .exits(0);
        assert!(ended.stdout.contains("A quick look, to 10 %"), "{}", ended.stdout);
        // Records and seconds of each process.
        let measured = std::fs::read_dir(times.path()).unwrap().map(|file| {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let numbers: Vec<f64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
            (numbers[0], numbers[1])
        });
        let (records, seconds) = measured.fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let rows = scene.table("summary.csv");
        for (row, working) in rows.iter().zip([1.0, 2.0]) {
            let found: f64 = row["capacity_per_second"].parse().unwrap();
            let share = found / (working * records / seconds);
            assert!((0.9..1.05).contains(&share), "{found}, {share} of the clock's");
        }
        assert_eq!(rows[1]["idle_members"], "1");
        assert!(scene.trials().len() <= 10, "{} trials", scene.trials().len());
    });
}

#[test]
#[ignore = "scripts/test --all; the observer's tests have the same without a trial"]
fn a_program_that_ends_is_named_with_its_last_words() {
    let scene = Scene::on_shared_cluster();
    let app = shell("echo no such table >&2; exit 3");
    scene
        .scenario(scenario("records = 100", &app, "", ""))
        .run(&[])
        .exits(1);
    let trials = scene.trials();
    let failure = failure(&trials[0]);
    assert_eq!(failure.kind, FailureKind::WorkerFailed);
    assert!(
        failure
            .message
            .contains("the program ended with exit code 3; its last words: no such table"),
        "{failure:?}"
    );
}

#[test]
#[ignore = "scripts/test --all; the barrier's tests have the same without a program"]
fn a_program_that_never_joins_is_said_to_have_joined_no_group() {
    let scene = Scene::on_shared_cluster();
    let app = shell("exec sleep 600");
    scene
        .scenario(scenario("records = 100", &app, "", ""))
        .run(&["--join-limit", "3"])
        .exits(1);
    let trials = scene.trials();
    assert!(
        failure(&trials[0]).message.contains("no member has joined the group"),
        "{trials:?}"
    );
    assert!(within(Duration::from_secs(5), || scene
        .processes_of("sleep 600")
        .is_empty()));
}

#[test]
#[ignore = "scripts/test --all; the engine's tests have the same without a program"]
fn a_program_that_commits_nothing_fails_for_that() {
    let scene = Scene::on_shared_cluster();
    // Braces would be placeholders, and a line break is none in a command.
    let code = "import sys, confluent_kafka as k; c = k.Consumer(dict([('bootstrap.servers', sys.argv[1]), ('group.id', \
                sys.argv[3]), ('enable.auto.commit', False)])); c.subscribe([sys.argv[2]]); [c.poll(1) for _ in iter(int, \
                1)]";
    let python = python().display();
    let command = format!("['{python}', '-c', \"{code}\", '{{bootstrap}}', '{{topic}}', '{{group}}']");
    let app = format!("[[app]]\nname = 'service'\ncommand = {command}\nspeaks = 'nothing'\n");
    scene
        .scenario(scenario("records = 100", &app, "", ""))
        .run(&["--stall-limit", "3"])
        .exits(1);
    let trials = scene.trials();
    let failure = failure(&trials[0]);
    assert_eq!(failure.kind, FailureKind::Stall);
    assert!(
        failure.message.contains("the group committed no offset for 3 s"),
        "{failure:?}"
    );
}

#[test]
fn what_a_program_leaves_behind_is_named_and_ended() {
    let scene = Scene::on_shared_cluster();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/service.py");
    let (python, script) = (python().display(), script.display());
    let app = shell(&format!(
        "setsid sleep 611 & exec {python} {script} {{bootstrap}} {{topic}} {{group}}"
    ));
    let ended = scene
        .scenario(scenario("records = 100", &app, "", ""))
        .run(&[])
        .exits(0);
    ended.says("left behind what it had started: sleep");
    assert!(within(Duration::from_secs(5), || scene
        .processes_of("sleep 611")
        .is_empty()));
    let trials = scene.trials();
    let outside = trials[0].measurement.as_ref().unwrap().outside.as_ref().unwrap();
    assert_eq!(outside.left_behind.len(), 1, "{outside:?}");
}

#[test]
fn a_topic_of_a_chosen_name_is_not_made_on_a_cluster_of_somebody_elses() {
    let scene = Scene::on_shared_cluster();
    let text = scenario("records = 100\nname = 'orders'", &service(""), "", "");
    let refusal = "name = \"orders\" in [dataset] is for clusters that tandem starts";
    scene.scenario(text).run(&[]).exits(2).says(refusal);
    let bootstrap = shared_cluster::bootstrap();
    let planned = scene.tandem(&["plan", "scene.toml", "--bootstrap", &bootstrap]);
    planned.exits(2).says(refusal);
}

#[test]
#[ignore = "scripts/test --all; src/measure/changes/tests has an invented trial of such a program"]
fn a_program_that_is_killed_and_started_again_is_measured_by_its_commits() {
    let scene = Scene::on_shared_cluster();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/workers/named_service.py");
    let (python, script) = (python().display(), script.display());
    let command = format!("['{python}', '{script}', '{{bootstrap}}', '{{topic}}', '{{group}}', '{{client_id}}']");
    let app = format!("[[app]]\nname = 'service'\ncommand = {command}\nspeaks = 'nothing'\nready = '^joined'\n");
    let load = "[load]\nrate = 200\nduration = '24s'\nwarmup = '1s'\n\
                [[event]]\nat = '6s'\ndo = 'restart'\nhow = 'kill'\nfor = '9s'\nwhat = 'process 2'";
    let text = scenario("size = 100", &app, "processes = 2", load);
    scene.scenario(text).run(&[]).exits(0);
    scene.assert_no_processes();
    let trials = scene.trials();
    let measurement = trials[0].measurement.as_ref().unwrap();
    assert!(is_recorded(measurement), "{:?}", measurement.group_looks);
    let episodes = episodes(measurement);
    let moved = episodes[0].gaps.iter().find(|gap| gap.kind == GapKind::Moved).unwrap();
    let (gap_ns, error_ns) = (
        moved.stretch.length_ns(),
        measurement.outside.as_ref().unwrap().resolution_ns(),
    );
    // Its session of six seconds, give or take a heartbeat, a look at the coordinator and the time between two commits.
    assert!(gap_ns + error_ns > 5_000_000_000, "{gap_ns} ± {error_ns}: {moved:#?}");
    assert!(gap_ns < 9_000_000_000 + error_ns, "{gap_ns} ± {error_ns}: {moved:#?}");
    assert!(
        moved.parts.iter().any(|part| part.kind == PartKind::Detection),
        "{moved:#?}"
    );
    let load = measurement.load.as_ref().unwrap();
    assert_eq!((load.unread, measurement.records()), (0, load.acknowledged));
}
