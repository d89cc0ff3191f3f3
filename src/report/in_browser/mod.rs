//! Pages in a real browser: what a reader sees at several widths, light and dark, with and without the script.

mod acts;
mod driver;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use self::driver::Browser;
use super::compare::tests::pages_of_every_kind;
use super::document::Form;
use super::{html, outline};
use crate::testing::report::Fixture;

/// Functions that look at a page.
const LOOK: &str = include_str!("look.js");

const WIDE: u32 = 1280;
const HIGH: u32 = 800;
const PHONE: u32 = 390;

/// Widths and colour schemes in which a page is looked at.
const LOOKS: [(u32, &str); 4] = [(WIDE, "light"), (WIDE, "dark"), (PHONE, "light"), (PHONE, "dark")];

/// A page in a folder of its own.
fn written(folder: &Path, name: &str, page: &str) -> PathBuf {
    let path = folder.join(format!("{name}.html"));
    std::fs::write(&path, page).unwrap();
    path
}

fn page(fixture: &Fixture) -> String {
    html::render(&outline::document(&fixture.input(), Form::Page))
}

/// What the function of [`LOOK`] returns in the page that is open.
fn look(browser: &mut Browser, function: &str) -> Value {
    browser.value(&format!("{}.{function}()", LOOK.trim_end()))
}

/// All that is wrong with a page, in words, at both widths, light and dark.
fn faults(browser: &mut Browser, page: &Path) -> Vec<String> {
    browser.open(page, WIDE, HIGH);
    let mut found = Vec::new();
    for (width, scheme) in LOOKS {
        browser.show(width, scheme);
        let faults = look(browser, "faults");
        let faults = faults.as_array().unwrap().iter().map(|fault| fault.as_str().unwrap());
        found.extend(faults.map(|fault| format!("{width} px, {scheme}: {fault}")));
    }
    found.extend(browser.complaints());
    found
}

#[test]
#[ignore = "scripts/test --all; the pages of comparisons are always looked at"]
fn pages_of_shipped_scenarios_can_be_read_and_answer_on_their_first_screen() {
    let folder = tempfile::tempdir().unwrap();
    let mut browser = Browser::start();
    let mut wrong = Vec::new();
    for fixture in Fixture::shipped() {
        let name = &fixture.scenario.name;
        let path = written(folder.path(), name, &page(&fixture));
        wrong.extend(
            faults(&mut browser, &path)
                .into_iter()
                .map(|fault| format!("{name}: {fault}")),
        );
        browser.open(&path, WIDE, HIGH);
        let ends = look(&mut browser, "firstScreen");
        let late = ends
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, end)| end.as_u64().is_none_or(|end| end > u64::from(HIGH)));
        wrong.extend(late.map(|(part, end)| format!("{name}: {part} ends at {end}, below the first screen")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn without_its_script_a_page_has_every_figure_and_no_control() {
    let folder = tempfile::tempdir().unwrap();
    let mut browser = Browser::start();
    for fixture in [
        Fixture::one_vs_two(),
        Fixture::scaling(),
        Fixture::latency(),
        Fixture::capacity(),
    ] {
        let name = &fixture.scenario.name;
        let path = written(folder.path(), name, &page(&fixture));
        browser.open(&path, WIDE, HIGH);
        let with = look(&mut browser, "contents");
        browser.allow_scripts(false);
        browser.open(&path, WIDE, HIGH);
        let without = look(&mut browser, "contents");
        browser.allow_scripts(true);
        assert_eq!(with["figures"], without["figures"], "{name}");
        assert_eq!(with["tables"], without["tables"], "{name}");
        assert_eq!(without["controls"], 0, "{name}");
        let figures = without["figures"].as_array().unwrap();
        assert!(
            figures.iter().all(|figure| figure[1] == 2 && figure[2] != 0),
            "{name}: {figures:?}"
        );
        assert!(
            with["controls"].as_u64().unwrap() > 10,
            "{name}: the script did not run"
        );
    }
}

#[test]
fn a_page_that_is_broken_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut browser = Browser::start();
    let page = page(&Fixture::one_vs_two());
    let broken = |what: &str, rule: &str| {
        let page = page.replace("</style>", &format!("{rule}</style>"));
        written(folder.path(), what, &page)
    };
    for (what, rule, said) in [
        ("faint", "footer { color: #aaa !important; opacity: 1 }", "contrast"),
        ("sideways", ".answer { width: 1500px }", "wider than the window"),
        (
            "narrow",
            ".answer p { width: 40px; white-space: nowrap }",
            "narrower than",
        ),
        ("on each other", "svg text { font-size: 30px !important }", "lies on"),
    ] {
        let path = broken(what, rule);
        let found = faults(&mut browser, &path);
        assert!(found.iter().any(|fault| fault.contains(said)), "{what}: {found:#?}");
    }
    let asking = page.replace("</body>", "<img src=\"https://example.org/a.png\"></body>");
    let path = written(folder.path(), "asking", &asking);
    assert!(!faults(&mut browser, &path).is_empty(), "a request was not noticed");
}

#[test]
fn a_wrong_fragment_leaves_the_page_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), "report", &page(&Fixture::one_vs_two()));
    let mut browser = Browser::start();
    for view in [
        "{broken",
        "null",
        r#"{"on":99}"#,
        r#"{"open":["answer","nothing",5,null]}"#,
        r#"{"sorts":{"verdicts.0":[-1,true]}}"#,
        r#"{"trial":"x","zoom":[5,1],"log":[5],"relative":[null]}"#,
    ] {
        browser.open(&path, WIDE, HIGH);
        browser.value(&format!("location.hash = '#v=' + encodeURIComponent({})", json!(view)));
        browser.reload();
        assert_eq!(
            browser.value("performance.getEntriesByName('ready').length"),
            1,
            "{view}: {:?}",
            browser.complaints()
        );
        assert_eq!(browser.value(acts::CHOSEN), false, "{view}");
    }
}

#[test]
fn comparisons_of_runs_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut browser = Browser::start();
    let mut wrong = Vec::new();
    for (name, page) in pages_of_every_kind() {
        let path = written(folder.path(), name, &page);
        wrong.extend(
            faults(&mut browser, &path)
                .into_iter()
                .map(|fault| format!("{name}: {fault}")),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// axe-core, which looks for what keeps people with a screen reader or a keyboard out.
fn axe(folder: &Path) -> String {
    let packed = Command::new("npm")
        .args(["pack", "--silent", "axe-core@4.14.1"])
        .current_dir(folder)
        .output()
        .expect("install npm: axe-core is fetched with it");
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
    let archive = String::from_utf8(packed.stdout).unwrap();
    let unpacked = Command::new("tar")
        .args(["xzf", archive.trim(), "package/axe.min.js"])
        .current_dir(folder)
        .status();
    assert!(unpacked.unwrap().success());
    std::fs::read_to_string(folder.join("package/axe.min.js")).unwrap()
}

#[test]
#[ignore = "scripts/test --all: it fetches axe-core with npm"]
fn pages_keep_nobody_out() {
    const RUN: &str = "axe.run(document, { resultTypes: ['violations'] }).then(found => found.violations
        .filter(violation => ['serious', 'critical'].includes(violation.impact))
        .flatMap(violation => violation.nodes.map(node => `${violation.id}: ${node.html.slice(0, 160)}`)))";
    let folder = tempfile::tempdir().unwrap();
    let axe = axe(folder.path());
    let mut browser = Browser::start();
    let pages: Vec<(String, String)> = Fixture::shipped()
        .iter()
        .map(|fixture| (fixture.scenario.name.clone(), page(fixture)))
        .chain(pages_of_every_kind().map(|(name, page)| (format!("comparison: {name}"), page)))
        .collect();
    let mut wrong = Vec::new();
    for (name, page) in &pages {
        browser.open(&written(folder.path(), "page", page), WIDE, HIGH);
        browser.value("document.querySelectorAll('details').forEach(details => { details.open = true; })");
        browser.value(&format!("{axe}; 0"));
        for (width, scheme) in LOOKS {
            browser.show(width, scheme);
            let found = browser.value(RUN);
            let found = found
                .as_array()
                .unwrap()
                .iter()
                .map(|violation| violation.as_str().unwrap());
            wrong.extend(found.map(|violation| format!("{name}, {width} px, {scheme}: {violation}")));
        }
    }
    // A page without a language is known to be refused.
    let broken = pages[0].1.replace("<html lang=\"en\">", "<html>");
    browser.open(&written(folder.path(), "page", &broken), WIDE, HIGH);
    browser.value(&format!("{axe}; 0"));
    assert_ne!(browser.value(RUN), json!([]), "axe-core finds nothing at all");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
