//! Stored runs under the conditions of continuous integration: exit codes, test results and summaries. No broker.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::scene::{Scene, files_below};

/// A copy of the run that is stored in the repository, in the folder of the scene.
fn stored(scene: &Scene, name: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/reference");
    let target = scene.path().join(name);
    fs::create_dir_all(target.join("trials")).unwrap();
    for file in ["environment.json", "plan.json", "scenario.toml"] {
        fs::copy(source.join(file), target.join(file)).unwrap();
    }
    for trial in files_below(&source.join("trials")).into_keys() {
        fs::copy(&trial, target.join("trials").join(trial.file_name().unwrap())).unwrap();
    }
    target
}

/// Changes every stored trial of a run.
fn change(run: &Path, change: impl Fn(&mut Value)) {
    for entry in fs::read_dir(run.join("trials")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let mut trial: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            change(&mut trial);
            fs::write(&path, trial.to_string()).unwrap();
        }
    }
}

/// Reading takes so many times as long, a day later.
fn stretch(run: &Path, factor: f64) {
    change(run, |trial| {
        let started = trial["started_at"]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .unwrap();
        trial["started_at"] = json!(started + jiff::SignedDuration::from_hours(24));
        let start = trial["measurement"]["start_ns"].as_f64().unwrap();
        let end = trial["measurement"]["end_ns"].as_f64().unwrap();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let stretched = (start + (end - start) * factor) as u64;
        trial["measurement"]["end_ns"] = json!(stretched);
    });
}

/// The numbers of cases, failures and errors in a file of test results.
fn counts(scene: &Scene, file: &str) -> [usize; 3] {
    let text = fs::read_to_string(scene.path().join(file)).unwrap();
    assert!(
        text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"),
        "{text}"
    );
    let counts = ["<testcase ", "<failure ", "<error "].map(|element| text.matches(element).count());
    for (name, count) in ["tests", "failures", "errors"].into_iter().zip(counts) {
        assert!(text.contains(&format!(" {name}=\"{count}\"")), "{name}: {text}");
    }
    counts
}

#[test]
fn two_runs_pass_or_fail_by_their_verdicts_and_so_do_the_test_results() {
    let scene = Scene::new();
    stored(&scene, "old");
    stretch(&stored(&scene, "slow"), 1.5);
    let before = files_below(scene.path());
    let compare = |runs: [&str; 2], more: &[&str]| scene.tandem(&[&["compare"], &runs[..], more].concat());
    let gate = ["--fail-on", "slower:10%", "--junit", "tests.xml"];
    compare(["old", "old"], &[&gate[..], &["--fail-on", "undecided"]].concat()).exits(0);
    let cases = counts(&scene, "tests.xml");
    assert_eq!(cases, [cases[0], 0, 0]);
    assert!(cases[0] > 1, "{cases:?}");
    compare(["old", "slow"], &gate)
        .exits(1)
        .says("--fail-on slower:10% holds of one process");
    assert_eq!(counts(&scene, "tests.xml"), [cases[0], cases[0], 0]);
    compare(["slow", "old"], &gate).exits(0);
    assert_eq!(counts(&scene, "tests.xml")[1], 0);
    // Without a condition nothing fails, whatever was found.
    compare(["old", "slow"], &["--junit", "tests.xml"]).exits(0);
    assert_eq!(counts(&scene, "tests.xml")[1], 0);

    let summary = compare(["old", "slow"], &["--format", "markdown"]).exits(0).stdout;
    let (visible, folded) = summary.split_once("<details>").unwrap();
    assert!(
        visible.contains("materially slower") && folded.contains("| A | old |"),
        "{summary}"
    );
    fs::remove_file(scene.path().join("tests.xml")).unwrap();
    assert!(before == files_below(scene.path()), "comparing wrote into a run");
}

#[test]
fn runs_with_nothing_in_common_are_an_error_in_the_test_results_too() {
    let scene = Scene::new();
    stored(&scene, "old");
    let other = stored(&scene, "other");
    let plan = fs::read_to_string(other.join("plan.json")).unwrap();
    let mut plan: Value = serde_json::from_str(&plan).unwrap();
    for configuration in plan["scenario"]["configurations"].as_array_mut().unwrap() {
        configuration["name"] = json!(format!("new {}", configuration["name"].as_str().unwrap()));
    }
    fs::write(other.join("plan.json"), plan.to_string()).unwrap();
    let compare = ["compare", "old", "other", "--junit", "tests.xml"];
    scene
        .tandem(&compare)
        .exits(2)
        .says("no configuration that can be compared");
    assert_eq!(counts(&scene, "tests.xml"), [1, 0, 1]);
}

#[test]
fn a_report_judges_the_verdicts_within_its_run_and_whether_all_was_measured() {
    let scene = Scene::new();
    let run = stored(&scene, "run");
    let report = |more: &[&str]| scene.tandem(&[&["report", "run"], more].concat());
    report(&["--fail-on", "slower", "--junit", "run/tests.xml"]).exits(0);
    let cases = counts(&scene, "run/tests.xml");
    assert_eq!(cases[1..], [0, 0]);
    let brief = report(&["--format", "markdown"]).exits(0).stdout;
    assert!(brief.starts_with("# ") && brief.contains("\n## Results\n"), "{brief}");
    assert!(!brief.contains("report.html") && brief.contains("<details>"), "{brief}");

    // The other way round, the case with two processes is the slow one.
    change(&run, |trial| {
        if trial["configuration_name"]
            .as_str()
            .unwrap()
            .starts_with("two processes")
        {
            let start = trial["measurement"]["start_ns"].as_u64().unwrap();
            let end = trial["measurement"]["end_ns"].as_u64().unwrap();
            trial["measurement"]["end_ns"] = json!(start + 3 * (end - start));
        }
    });
    report(&["--fail-on", "slower:10%", "--junit", "tests.xml"])
        .exits(1)
        .says("--fail-on slower:10% holds of two processes");
    let slower = counts(&scene, "tests.xml");
    assert!(slower[0] == cases[0] && slower[1] > 0, "{slower:?}");
    report(&[]).exits(0);

    change(&run, |trial| {
        if trial["order"]["number"] == 20 {
            trial["status"] = json!({
                "status": "failed",
                "kind": "worker_died",
                "message": "a worker ended",
            });
        }
    });
    report(&["--junit", "tests.xml"]).exits(1);
    assert_eq!(counts(&scene, "tests.xml"), [cases[0], 1, 0]);
    let text = fs::read_to_string(scene.path().join("tests.xml")).unwrap();
    assert!(text.contains("trial 20: a worker ended"), "{text}");
}

#[test]
fn what_cannot_be_written_or_judged_is_refused_before_anything_is_done() {
    let scene = Scene::new();
    let run = stored(&scene, "run");
    stored(&scene, "other");
    symlink("run", scene.path().join("link")).unwrap();
    let before = files_below(scene.path());
    let compare = |arguments: &[&str], says: &str| {
        let all = [&["compare", "run", "other"], arguments].concat();
        let ended = scene.tandem(&all).exits(2).says(says);
        assert!(ended.stdout.is_empty(), "{ended:?}");
    };
    compare(
        &["--junit", "run"],
        "--junit run: this is a folder; name a file in it, such as run/tandem.xml",
    );
    compare(&["--junit", "no/tests.xml"], "there is no folder no");
    compare(&["--junit", "/dev/null"], "this is not an ordinary file");
    compare(&["--junit", "no/.."], "this is no name of a file");
    for inside in [
        "run/tests.xml",
        "run/trials/0001.json",
        "link/tests.xml",
        "./other/../run/plan.json",
    ] {
        compare(
            &["--junit", inside],
            "is in the folder of the run run, which is only read",
        );
    }
    compare(&["--html", "run/plan.json"], "is in the folder of the run run");
    compare(&["--html", "page", "--junit", "./page"], "name the same file");
    let unwritable = ["compare", "run", "other", "--junit", "/proc/tests.xml"];
    scene
        .tandem(&unwritable)
        .exits(2)
        .says("--junit: cannot write /proc/tests.xml");
    compare(&["--fail-on", "slower:5"], "must be a percentage");
    compare(&["--fail-on", "disturbed"], "--fail-on disturbed is about a single run");
    assert!(before == files_below(scene.path()), "something was written");
    let report = |arguments: &[&str], says: &str| {
        scene
            .tandem(&[&["report", "run"], arguments].concat())
            .exits(2)
            .says(says);
    };
    report(
        &["--junit", "run/plan.json"],
        "this is a file of the run, which it would replace",
    );
    report(&["--junit", "no/tests.xml"], "there is no folder no");
    report(
        &["--fail-on", "fast"],
        "is none of slower, slower:5%, undecided and disturbed",
    );
    let plan = run.join("plan.json");
    assert!(before[&plan] == fs::read(&plan).unwrap() && !run.join("report.html").exists());

    // A run of one configuration compares nothing.
    let plan = fs::read_to_string(run.join("plan.json")).unwrap();
    let mut plan: Value = serde_json::from_str(&plan).unwrap();
    for configuration in plan["scenario"]["configurations"].as_array_mut().unwrap() {
        configuration["baseline"] = Value::Null;
    }
    fs::write(run.join("plan.json"), plan.to_string()).unwrap();
    report(
        &["--fail-on", "slower"],
        "--fail-on slower: this scenario compares nothing",
    );
    report(&["--junit", "tests.xml"], "--junit: this scenario compares nothing");
    scene.scenario("question = \"q\"\n[[case]]\nname = \"one\"\n");
    let refused = scene.run(&["--fail-on", "slower", "--bootstrap", "127.0.0.1:1"]);
    refused
        .exits(2)
        .says("--fail-on slower: this scenario compares nothing; add --binary OLD,NEW");
    let several = ["run", "scene.toml", "scene.toml", "--junit", "tests.xml"];
    scene
        .tandem(&several)
        .exits(2)
        .says("--junit FILE is for one scenario; 2 were given");
    assert!(!scene.out().exists());
}

#[test]
fn completions_and_manual_pages_cover_every_command() {
    let scene = Scene::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = scene.tandem(&["completions", shell]).exits(0).stdout;
        for word in ["compare", "doctor", "fail-on", "until"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    scene.tandem(&["completions", "dos"]).exits(2).says("possible values");
    scene
        .tandem(&["manual", "pages"])
        .exits(2)
        .says("pages: there is no such folder");
    fs::create_dir(scene.path().join("pages")).unwrap();
    scene.tandem(&["manual", "pages"]).exits(0);
    let page = |name: &str| fs::read_to_string(scene.path().join("pages").join(name)).unwrap();
    assert!(page("tandem-run.1").contains("fail\\-on"));
    let help = scene.tandem(&["--help"]).exits(0).stdout;
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let indented = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
    let names = commands
        .lines()
        .filter(indented)
        .filter_map(|line| line.split_whitespace().next());
    for name in names.filter(|name| *name != "help") {
        assert!(page("tandem.1").contains(&format!("tandem\\-{name}(1)")), "{name}");
        page(&format!("tandem-{name}.1"));
    }
}
