//! What the program says of itself: help texts, and the schema of scenario files.

use std::fs;
use std::path::Path;

use crate::scene::Scene;

#[test]
fn every_command_says_what_it_takes() {
    let scene = Scene::new();
    for command in [
        "",
        "run",
        "plan",
        "list",
        "report",
        "compare",
        "completions",
        "manual",
        "topics",
        "topics create",
        "produce",
        "consume",
        "schema",
        "worker",
        "worker consumer",
        "worker producer",
    ] {
        let mut arguments: Vec<&str> = command.split_whitespace().collect();
        arguments.push("--help");
        let name = if command.is_empty() {
            "tandem".to_owned()
        } else {
            command.replace(' ', "_")
        };
        let ended = scene.tandem(&arguments).exits(0);
        insta::assert_snapshot!(format!("help_of_{name}"), ended.stdout);
    }
}

#[test]
fn an_unknown_command_or_option_is_refused() {
    let scene = Scene::new();
    scene.tandem(&["rum"]).exits(2).says("run");
    scene.tandem(&["run", "x.toml", "--quik"]).exits(2).says("--quick");
    let hidden_name = scene.tandem(&["run", "--compare_acros", "size"]).exits(2);
    hidden_name.says("--compare-across");
    scene.tandem(&["run"]).exits(2);
    scene.tandem(&["run", "x.toml", "--repetitions", "0"]).exits(2);
}

#[test]
fn the_list_has_every_shipped_scenario_and_those_of_a_folder() {
    let scene = Scene::new();
    scene.tandem(&["list"]).exits(0).prints("one-vs-two");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let ended = scene.tandem(&["list", folder.to_str().unwrap(), "--json"]).exits(0);
    let listing: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let scenarios = listing["scenarios"].as_array().unwrap();
    let files = fs::read_dir(&folder).unwrap().count();
    assert_eq!(scenarios.len(), 2 * files, "{listing}");
    for scenario in scenarios {
        let run = scenario["run"].as_str().unwrap();
        let ended = scene.tandem(&["plan", run]).exits(0);
        assert!(ended.stdout.contains(scenario["question"].as_str().unwrap()), "{run}");
    }
    scene.tandem(&["list", "/no/such/folder"]).exits(2);
}

fn schema() -> serde_json::Value {
    let ended = Scene::new().tandem(&["schema"]).exits(0);
    serde_json::from_str(&ended.stdout).unwrap()
}

#[test]
fn the_schema_fits_every_scenario_that_comes_along() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut fitting = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with('#') && text.contains("# Takes "), "{}", path.display());
        let document: serde_json::Value = toml::from_str(&text).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
        Scene::new().tandem(&["plan", path.to_str().unwrap()]).exits(0);
        fitting += 1;
    }
    assert!(fitting >= 5);
}

#[test]
fn the_schema_refuses_what_the_program_refuses() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for text in [
        "[dataset]\npartitons = 2",
        "[dataset]\npartitions = \"two\"",
        "[matrix]\nwork = [\"idle\"]",
    ] {
        let document: serde_json::Value = toml::from_str(&format!("question = \"q\"\n{text}")).unwrap();
        assert!(!validator.is_valid(&document), "{text}");
        let scene = Scene::new();
        scene.scenario(format!("question = \"q\"\n{text}"));
        scene.tandem(&["plan", "scene.toml"]).exits(2);
    }
}
