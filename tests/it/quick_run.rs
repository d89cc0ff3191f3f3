//! A run from its scenario to its report, on a broker of its own.

use std::collections::BTreeSet;
use std::fs;

use strum::VariantArray as _;
use tandem::measure::{Step, TrialKind};
use tandem::summary::{Part, TimeAccount, TrialPhase};

use crate::scene::{Scene, files_below, read_once};

const SCENARIO: &str = r#"
question = "Do two processes read a two-partition topic faster than one?"
repetitions = 5
[dataset]
partitions = 2
records = 600_000
size = 100
[trial]
seconds = 1
[matrix]
work = ["none", "cpu 5us"]
[[case]]
name = "one process"
[[case]]
name = "two processes"
processes = 2
"#;

const SUMMARY_COLUMNS: &str = "configuration, topics, partitions, groups, processes, consumers_per_process, members, \
     idle_members, record_bytes, work, trials_planned, trials_used, trials_failed, trials_excluded, records, \
     records_per_second, records_per_second_low, records_per_second_high, mib_per_second, read_seconds, join_seconds, \
     stopwatch_seconds, first_record_ms, client_cpu_seconds_per_million, broker_cpu_seconds_per_million, lost, \
     duplicated, not_delivered, redelivered, work_us_mean, bottleneck, bottleneck_evidence";

#[test]
fn a_quick_run_ends_well_and_its_report_can_be_made_again_from_its_trials() {
    let scene = Scene::new();
    let ended = scene
        .scenario(SCENARIO)
        .run(&["--quick", "--repetitions", "2"])
        .exits(0);
    assert!(ended.stdout.contains("report.html"), "{}", ended.stdout);
    scene.assert_no_processes();

    let names: BTreeSet<String> = files_below(&scene.out())
        .into_keys()
        .map(|path| path.strip_prefix(scene.out()).unwrap().to_str().unwrap().to_owned())
        .collect();
    for name in [
        "scenario.toml",
        "plan.json",
        "environment.json",
        "trials/0001.json",
        "trials.csv",
        "summary.csv",
        "summary.json",
        "charts/throughput.svg",
        "report.html",
        "report.md",
    ] {
        assert!(names.contains(name), "{name} is not in {names:?}");
    }
    assert!(!names.contains("leftovers.json"));
    assert_eq!(fs::read_to_string(scene.out().join("scenario.toml")).unwrap(), SCENARIO);

    let trials = scene.trials();
    trials.iter().for_each(read_once);
    let counted = trials.iter().filter(|trial| trial.order.kind == TrialKind::Counted);
    assert_eq!(
        counted.count(),
        8,
        "--quick keeps the first matrix key: it makes four configurations"
    );
    let rows = scene.table("summary.csv");
    assert_eq!(rows.len(), 4);
    for row in &rows {
        let missing: Vec<_> = SUMMARY_COLUMNS
            .split(", ")
            .filter(|name| !row.contains_key(*name))
            .collect();
        assert!(missing.is_empty(), "summary.csv has no {missing:?}");
        assert_eq!((row["lost"].as_str(), row["duplicated"].as_str()), ("0", "0"));
        assert!(row["records_per_second"].parse::<f64>().unwrap() > 1000.0, "{row:?}");
        assert!(!row["broker_cpu_seconds_per_million"].is_empty(), "{row:?}");
    }
    let trials_table = scene.table("trials.csv");
    assert_eq!(trials_table.len(), trials.len());
    assert!(
        ["block", "position", "session", "status"]
            .iter()
            .all(|name| trials_table[0].contains_key(*name))
    );

    assert!(ended.stdout.contains("time: reading took "), "{}", ended.stdout);
    let summary: serde_json::Value =
        serde_json::from_slice(&fs::read(scene.out().join("summary.json")).unwrap()).unwrap();
    let time: TimeAccount = serde_json::from_value(summary["time"].clone()).unwrap();
    assert_eq!(time.trials as usize, trials.len());
    let of_parts: f64 = time.parts.iter().map(|part| part.seconds).sum();
    assert!((of_parts - time.seconds).abs() < 1e-6, "{time:?}");
    // There is no client to build, and no store.
    let elsewhere = [Step::Trials, Step::Building, Step::Store];
    let missing = Step::VARIANTS.iter().filter(|step| !elsewhere.contains(step));
    let missing = missing.map(|step| Part::Session(*step));
    let missing = missing.chain(TrialPhase::VARIANTS.iter().map(|phase| Part::Trial(*phase)));
    let missing: Vec<Part> = missing
        .filter(|part| time.parts.iter().all(|known| known.part != *part))
        .collect();
    assert!(missing.is_empty(), "no time of {missing:?}");

    let files = || {
        let mut files = files_below(&scene.out());
        // It names the process that has the run.
        files.remove(&scene.out().join(".lock"));
        files
    };
    let before = files();
    for name in ["trials.csv", "summary.csv", "summary.json", "report.html", "report.md"] {
        fs::remove_file(scene.out().join(name)).unwrap();
    }
    fs::remove_dir_all(scene.out().join("charts")).unwrap();
    let again = scene.tandem(&["report", "out"]).exits(0);
    assert!(
        ended.stdout.ends_with(&again.stdout) || again.stdout == ended.stdout,
        "{}",
        again.stdout
    );
    let after = files();
    assert!(before.keys().eq(after.keys()), "{:?}", after.keys());
    for (path, contents) in &before {
        assert!(after[path] == *contents, "{} is another", path.display());
    }
}
