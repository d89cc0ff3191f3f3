//! The report in a real browser: on a telephone, in the dark, and without the network.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::scene::Scene;

const SCENARIO: &str = r#"
question = "Does the report fit a telephone, where a question may be as long as this one is, and longer still?"
repetitions = 2
warmup_blocks = 0
[dataset]
partitions = 4
records = 4_000
[trial]
records = 4_000
[matrix]
work = ["none", "wait 10us"]
[[case]]
name = "a case with a name that is rather long, as people's names for things are"
[[case]]
name = "another"
processes = 2
consumers = 4
"#;

/// Looks at the report in a frame of a telephone's width, and asks what a person there would see.
const CHECKER: &str = include_str!("browser.html");

/// What the checker finds; `scheme` 0 is dark and 1 is light.
fn look(folder: &Path, scheme: u32) -> Value {
    fs::write(folder.join("checker.html"), CHECKER).unwrap();
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new("chromium")
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
        ])
        .args([
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--allow-file-access-from-files",
        ])
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(["--virtual-time-budget=8000", "--dump-dom"])
        .arg(format!("file://{}", folder.join("checker.html").display()))
        .output()
        .expect("install chromium: the report is looked at in it");
    let page = String::from_utf8_lossy(&output.stdout);
    let found = page
        .split("<pre id=\"found\">")
        .nth(1)
        .and_then(|rest| rest.split("</pre>").next());
    let found = found
        .unwrap_or_default()
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    serde_json::from_str(&found).unwrap_or_else(|error| {
        panic!("{error}: {page}\n{}", String::from_utf8_lossy(&output.stderr));
    })
}

#[test]
fn the_report_fits_a_telephone_works_in_the_dark_and_asks_nobody() {
    let scene = Scene::on_shared_cluster();
    scene.scenario(SCENARIO).run(&["--quiet"]).exits(0);
    let report = fs::read_to_string(scene.out().join("report.html")).unwrap();
    assert!(!report.contains(" src=") && !report.contains("@import") && !report.contains("<link rel=\"stylesheet"));

    let light = look(&scene.out(), 1);
    assert_eq!(light["width"], 320);
    assert_eq!(light["wide"], serde_json::json!([]), "wider than the telephone");
    // A scroll bar takes some of it.
    assert!(
        light["scrollWidth"].as_u64().unwrap() <= 320,
        "the page scrolls sideways: {light}"
    );
    assert_eq!(light["requests"], serde_json::json!([]));
    assert_eq!(
        (light["lang"].as_str(), light["headings"].as_u64()),
        (Some("en"), Some(1))
    );
    let figures = light["figures"].as_array().unwrap();
    assert!(figures.len() >= 4, "{figures:?}");
    for figure in figures {
        let title = figure["title"].as_str().unwrap();
        assert!(!title.is_empty() && figure["label"] == title, "{figure}");
        assert_eq!(figure["drawings"], 1, "{title}: one drawing for this width");
        assert!(figure["rows"].as_u64().unwrap() > 0, "{title} has no table behind it");
    }
    let mut ids: Vec<&str> = light["ids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap())
        .collect();
    ids.sort_unstable();
    assert!(
        ids.windows(2).all(|pair| pair[0] != pair[1]),
        "an id is there twice: {ids:?}"
    );

    let dark = look(&scene.out(), 0);
    let luminance = |page: &Value, what: &str| {
        let text = page[what].as_str().unwrap();
        let numbers = text
            .trim_start_matches(|c: char| !c.is_ascii_digit())
            .trim_end_matches(')');
        numbers
            .split(',')
            .take(3)
            .map(|part| part.trim().parse::<f64>().unwrap())
            .sum::<f64>()
            / 3.0
    };
    assert!(
        luminance(&light, "background") > 200.0 && luminance(&light, "colour") < 80.0,
        "{light}"
    );
    assert!(
        luminance(&dark, "background") < 60.0 && luminance(&dark, "colour") > 180.0,
        "{dark}"
    );
}
