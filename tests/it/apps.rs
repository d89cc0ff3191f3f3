//! Apps beside tandem's own worker: a program of an `[[app]]` in the same blocks, and what is refused before a trial.

use std::path::Path;
use std::time::Duration;

use tandem::measure::{Environment, Trial};

use crate::python_worker::python;
use crate::scenario::Scenario;
use crate::scene::{Scene, read_once, undisturbed};

/// Trials of tandem's worker and of the example in Python, started with this command.
fn beside_tandem(command: &str, rest: &str) -> Scenario {
    Scenario::reading(60_000)
        .repetitions(2)
        .tables(&format!("[[app]]\nname = 'mine'\ncommand = {command}\n{rest}"))
        .tables("[matrix]\napp = ['tandem', 'mine']")
}

fn example() -> String {
    let worker = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/worker.py");
    format!("['{}', '{}']", python().display(), worker.display())
}

#[test]
fn a_program_of_the_users_is_an_axis_beside_tandem_in_the_same_blocks() {
    let scene = Scene::on_shared_cluster();
    let scenario = beside_tandem(&example(), "env = { PYTHONUNBUFFERED = '1' }");
    scene.scenario(scenario).run(&[]).exits(0);
    let trials = scene.trials();
    trials.iter().for_each(read_once);
    for name in ["app=tandem", "app=mine"] {
        let counted = trials.iter().filter(|trial| trial.configuration_name == name);
        let mut blocks: Vec<u32> = counted.map(|trial| trial.order.block).collect();
        blocks.sort_unstable();
        blocks.dedup();
        assert!(blocks.len() >= 2, "{name}: {blocks:?}");
    }
    let mine = trials
        .iter()
        .find(|trial| trial.configuration_name == "app=mine")
        .unwrap();
    assert_eq!(
        mine.measurement.as_ref().unwrap().processes[0].client,
        "confluent-kafka"
    );
    for file in ["summary.csv", "trials.csv"] {
        let apps: Vec<String> = scene.table(file).iter().map(|row| row["app"].clone()).collect();
        assert!(
            apps.contains(&"tandem".to_owned()) && apps.contains(&"mine".to_owned()),
            "{file}: {apps:?}"
        );
    }
    let environment = std::fs::read_to_string(scene.out().join("environment.json")).unwrap();
    let environment: Environment = serde_json::from_str(&environment).unwrap();
    let apps: Vec<(&str, &str)> = environment
        .clients
        .iter()
        .map(|client| (client.app.as_str(), client.name.as_str()))
        .collect();
    assert_eq!(apps, [("tandem", "librdkafka"), ("mine", "confluent-kafka")]);
}

#[test]
fn an_app_that_does_not_start_or_lacks_what_is_asked_for_ends_the_run_before_its_first_trial() {
    let scene = Scene::on_shared_cluster();
    let refused = scene.scenario(beside_tandem("['./no-such-program']", "")).run(&[]);
    refused.refuses(&[
        "the app \"mine\" at place here cannot run this scenario",
        "no-such-program",
    ]);
    assert!(!scene.out().join("trials").exists());

    let scene = Scene::on_shared_cluster();
    let threads = beside_tandem(&example(), "").consumer("threads = 2");
    let refused = scene.scenario(threads).run(&[]);
    refused.refuses(&["the app \"mine\"", "capability `threads`", "app=mine"]);
    assert!(!scene.out().join("trials").exists());
}

#[test]
fn a_ready_made_client_is_built_from_the_program_itself_and_needs_no_tool_afterwards() {
    let scenario = || {
        let apps = "[matrix]\napp = ['tandem', 'go']";
        Scenario::reading(60_000).repetitions(1).tables(apps)
    };
    let scene = Scene::on_shared_cluster();
    scene.scenario(scenario()).run(&[]).exits(0);
    scene.trials().iter().for_each(read_once);
    let empty = tempfile::tempdir().unwrap();
    let without_tools = Scene::on_shared_cluster().environment("PATH", Some(empty.path().to_str().unwrap()));
    without_tools.scenario(scenario()).run(&[]).exits(0);
    let clients: Vec<String> = without_tools
        .trials()
        .iter()
        .map(|trial| trial.measurement.as_ref().unwrap().processes[0].client.clone())
        .collect();
    assert!(clients.contains(&"franz-go".to_owned()), "{clients:?}");
}

/// Records per second of a trial from the common start to the last record, and what its members took for the work on one,
/// in seconds.
fn rate_and_work(trial: &Trial) -> (f64, f64) {
    let measurement = trial.measurement.as_ref().unwrap();
    let records = measurement.records() as f64;
    let members = measurement.members.iter();
    let work_ns: u64 = members.filter_map(|member| member.work_ns).sum();
    (measurement.records_per_second(), work_ns as f64 / 1e9 / records)
}

#[test]
#[ignore = "scripts/test --all; each app's time in work is checked always, in ready_made.rs and python_and_go.rs"]
fn each_app_reads_as_fast_as_its_work_allows_and_two_members_twice_as_fast_under_both_protocols() {
    undisturbed(|_| {
        let scene = Scene::on_shared_cluster();
        let apps = ["tandem", "java", "spring", "python", "go"];
        let matrix = format!("[matrix]\napp = {apps:?}\nprocesses = [1, 2]\nprotocol = ['classic', 'consumer']");
        // Long enough that the tenths of a second in which a JVM loads its classes do not matter.
        let scenario = Scenario::reading(24_000).consumer("work = 'wait 1ms'").tables(&matrix);
        let run = scene.scenario(scenario).spawn_run(&[]);
        run.end_within(Duration::from_secs(900)).exits(0);
        let trials = scene.trials();
        assert_eq!(trials.len(), 20);
        trials.iter().for_each(read_once);
        let measured = |app: &str, processes: u32, protocol: &str| {
            let name = format!("app={app} processes={processes} protocol={protocol}");
            let trial = trials.iter().find(|trial| trial.configuration_name == name);
            rate_and_work(trial.unwrap_or_else(|| panic!("no {name}")))
        };
        for (app, protocol) in apps
            .iter()
            .flat_map(|app| ["classic", "consumer"].map(|protocol| (app, protocol)))
        {
            let ((one, work_seconds), (two, _)) = (measured(app, 1, protocol), measured(app, 2, protocol));
            let (share, times) = (one * work_seconds, two / one);
            eprintln!(
                "{app}, {protocol}: {one:.1}/s, {share:.3} of what its work allows; two {times:.3} times as fast"
            );
            assert!((share - 1.0).abs() < 0.03, "{app}, {protocol}: {share}");
            assert!((times / 2.0 - 1.0).abs() < 0.05, "{app}, {protocol}: {times}");
        }
    });
}

#[test]
#[ignore = "scripts/test --all; the clients' own tests read records before the start, too"]
fn jvm_apps_read_what_they_read_before_the_start_once_more_and_say_how_their_rate_moved() {
    let scene = Scene::on_shared_cluster();
    // Two members must read long enough for a tenth of it to be several buckets of their series.
    let scenario = Scenario::reading(600_000).consumer("warmup_records = 20_000");
    scene
        .scenario(scenario.tables("[matrix]\napp = ['java', 'spring']\nprocesses = [1, 2]"))
        .run(&[])
        .exits(0);
    scene.trials().iter().for_each(read_once);
    for row in scene.table("summary.csv") {
        assert!(
            row["rate_change"].parse::<f64>().is_ok_and(|change| change > 0.0),
            "{row:?}"
        );
    }
}
