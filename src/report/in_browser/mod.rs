//! Pages in a real browser: what a reader sees at several widths, light and dark, with and without the script, and what
//! becomes of what a reader does with mouse and keyboard.

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

/// A page that is open, and what a reader does on it.
struct Reader {
    browser: Browser,
    _folder: tempfile::TempDir,
}

impl Reader {
    fn of(fixture: &Fixture) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path(), "report", &page(fixture));
        let mut browser = Browser::start();
        browser.open(&path, WIDE, HIGH);
        browser.value("document.querySelectorAll('details').forEach(details => { details.open = true; })");
        Reader {
            browser,
            _folder: folder,
        }
    }

    fn is(&mut self, expression: &str) -> bool {
        self.browser.value(&format!("Boolean({expression})")) == json!(true)
    }

    fn text(&mut self, expression: &str) -> String {
        let value = self.browser.value(expression);
        value
            .as_str()
            .unwrap_or_else(|| panic!("{expression} is {value}"))
            .to_owned()
    }

    /// Gives an element the focus, as the tab key would, and presses a key.
    fn press_on(&mut self, element: &str, key: &str) {
        assert!(
            self.is(&format!("{element}.tabIndex >= 0")),
            "{element} cannot be reached by keyboard"
        );
        self.browser.value(&format!("{element}.focus()"));
        self.browser.press(key);
    }

    /// Uses a control with the mouse or with the keyboard.
    fn operate(&mut self, element: &str, by: By) {
        match by {
            By::Mouse => self.browser.click(element),
            By::Keyboard => self.press_on(element, " "),
        }
    }

    /// Walks with the arrow key from the mark of a drawing that the tab key reaches to another.
    fn walk_to(&mut self, mark: &str) {
        self.browser.value(&format!(
            "{mark}.closest('svg').querySelector('.mark[tabindex=\"0\"]').focus()"
        ));
        for _ in 0..100 {
            if self.is(&format!("document.activeElement === {mark}")) {
                return;
            }
            self.browser.press("ArrowRight");
        }
        panic!("{mark} cannot be reached by keyboard");
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Mouse,
    Keyboard,
}

const EACH_WAY: [By; 2] = [By::Mouse, By::Keyboard];

/// The first trial's dot of the chart on the first screen.
const DOT: &str = "[...document.querySelectorAll('.glance svg.chart')].find(svg => svg.getBoundingClientRect().width > 0).querySelector('.mark[data-t]')";
const CHOSEN: &str = "document.body.matches('.chosen')";

/// A button of a chart's tools by its label.
fn tool(chart: &str, label: &str) -> String {
    format!(
        "[...document.querySelectorAll('figure[data-chart={chart}] .tools button')].find(button => button.textContent === '{label}')"
    )
}

/// The texts along an axis of a chart.
fn axis(chart: &str, axis: &str) -> String {
    format!(
        "[...document.querySelectorAll('figure[data-chart={chart}] svg.wide .axis.{axis} text')].map(text => text.textContent).join(' ')"
    )
}

#[test]
fn a_value_is_shown_under_the_mouse_and_with_the_focus() {
    let mut reader = Reader::of(&Fixture::one_vs_two());
    const TIP: &str = "document.querySelector('.tip').hidden ? '' : document.querySelector('.tip').textContent";
    reader.browser.point_at(DOT);
    let hovered = reader.text(TIP);
    assert!(hovered.contains("trial ") && hovered.contains("/s"), "{hovered}");
    reader.browser.point_at("document.querySelector('h1')");
    assert_eq!(reader.text(TIP), "");
    reader.walk_to(DOT);
    assert_eq!(reader.text(TIP), hovered);
    reader.browser.press("ArrowRight");
    let next = reader.text(TIP);
    assert!(next != hovered && !next.is_empty(), "{next}");
    reader.browser.press("Escape");
    assert_eq!(reader.text(TIP), "");
}

#[test]
fn a_trial_opens_from_its_dot_and_closes_again() {
    let mut reader = Reader::of(&Fixture::one_vs_two());
    for by in EACH_WAY {
        match by {
            By::Mouse => reader.browser.click(DOT),
            By::Keyboard => {
                reader.walk_to(DOT);
                reader.browser.press("Enter");
            }
        }
        let opened = reader.text("document.querySelector('dialog[open]')?.innerText ?? ''");
        assert!(
            opened.starts_with("Trial ") && opened.contains("reading"),
            "{by:?}: {opened}"
        );
        assert!(
            reader.is("document.querySelector('dialog polyline')"),
            "{by:?}: no curve of its progress"
        );
        reader.browser.press("Escape");
        assert!(!reader.is("document.querySelector('dialog[open]')"), "{by:?}");
    }
}

#[test]
fn a_configuration_is_highlighted_from_every_place_where_it_stands() {
    let mut reader = Reader::of(&Fixture::one_vs_two());
    let places = [
        "document.querySelector('table[data-name=verdicts] tbody tr:nth-child(2) td button')",
        "document.querySelector('#results tbody tr[data-c] th button')",
    ];
    for (place, by) in places.iter().flat_map(|place| EACH_WAY.map(|by| (*place, by))) {
        reader.operate(place, by);
        assert!(reader.is(CHOSEN), "{place} {by:?}");
        for where_else in ["svg .on", "table[data-name=verdicts] .on", "#results tr.on"] {
            assert!(
                reader.is(&format!("document.querySelector('{where_else}')")),
                "{place} {by:?}: {where_else}"
            );
        }
        reader.browser.press("Escape");
        assert!(!reader.is(CHOSEN), "{place} {by:?}");
    }
}

#[test]
fn others_can_be_hidden_and_the_address_keeps_the_view() {
    const HIDE: &str = "document.querySelector('.bar input')";
    const OTHERS: &str = "[...document.querySelectorAll('svg .plot [data-c]:not(.on)')].some(other => getComputedStyle(other).display !== 'none')";
    let mut reader = Reader::of(&Fixture::one_vs_two());
    for by in EACH_WAY {
        reader.operate(
            "document.querySelector('table[data-name=verdicts] tbody td button')",
            by,
        );
        assert!(reader.is(OTHERS));
        reader.operate(HIDE, by);
        assert!(!reader.is(OTHERS), "{by:?}");
        let address = reader.text("decodeURIComponent(location.hash)");
        assert!(
            address.contains("\"on\":") && address.contains("\"only\":true"),
            "{address}"
        );
        reader.browser.reload();
        assert!(reader.is(CHOSEN) && !reader.is(OTHERS), "{by:?}: {address}");
        reader.operate(HIDE, by);
        assert!(reader.is(CHOSEN) && reader.is(OTHERS), "{by:?}");
        reader.operate("document.querySelector('.bar button')", by);
        assert!(!reader.is(CHOSEN), "{by:?}");
    }
}

#[test]
fn an_axis_becomes_logarithmic_or_relative_and_back() {
    let mut reader = Reader::of(&Fixture::one_vs_two());
    let axis = axis("throughput", "x");
    let before = reader.text(&axis);
    for (label, by) in ["Log axis", "Relative to the baseline"]
        .iter()
        .flat_map(|label| EACH_WAY.map(|by| (*label, by)))
    {
        let button = tool("throughput", label);
        reader.operate(&button, by);
        let after = reader.text(&axis);
        assert!(after != before && !after.trim().is_empty(), "{label} {by:?}: {after}");
        assert_eq!(after.contains('×'), label.starts_with("Relative"), "{after}");
        assert_eq!(look(&mut reader.browser, "misplacedLabels"), json!([]), "{label}");
        reader.operate(&button, by);
        assert_eq!(reader.text(&axis), before, "{label} {by:?}");
    }
}

#[test]
fn a_zoom_in_time_keeps_all_panels_together() {
    let mut reader = Reader::of(&Fixture::latency());
    let charts = ["latency-over-time", "lag-over-time"];
    let drawn = |chart: &str| {
        format!(
            "document.querySelector('figure[data-chart={chart}] svg.wide .plot').innerHTML.replace(/ class=\"[^\"]*\"/g, '')"
        )
    };
    let plots = |reader: &mut Reader| charts.map(|chart| reader.text(&drawn(chart)));
    let before = plots(&mut reader);
    assert!(before.iter().all(|plot| !plot.is_empty()), "{before:?}");
    for by in EACH_WAY {
        reader.operate(&tool("lag-over-time", "Zoom in"), by);
        let zoomed = plots(&mut reader);
        assert!(
            zoomed.iter().zip(&before).all(|(now, was)| now != was),
            "{by:?}: {zoomed:?}"
        );
        reader.operate(&tool("latency-over-time", "→"), by);
        assert_ne!(plots(&mut reader), zoomed, "{by:?}");
        reader.operate(&tool("lag-over-time", "All"), by);
        assert_eq!(plots(&mut reader), before, "{by:?}");
    }
    const PANEL: &str = "(() => { const svg = document.querySelector('figure[data-chart=lag-over-time] svg.wide');
        svg.scrollIntoView({ block: 'center', behavior: 'instant' });
        const [left, right] = svg.querySelector('.panel').dataset.x.split(' ').map(Number);
        const [bottom, top] = svg.querySelector('.panel').dataset.y.split(' ').map(Number);
        const at = (x, y) => { const point = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM()); return [point.x, point.y]; };
        const y = top + (bottom - top) * 0.1;
        return [at(left + (right - left) * 0.3, y), at(left + (right - left) * 0.6, y)]; })()";
    let ends = reader.browser.value(PANEL);
    let end = |number: usize| (ends[number][0].as_f64().unwrap(), ends[number][1].as_f64().unwrap());
    for _ in 0..2 {
        reader.browser.drag(end(0), end(1));
        assert!(
            plots(&mut reader).iter().zip(&before).all(|(now, was)| now != was),
            "a drag did not zoom"
        );
        reader.browser.double_click(end(0));
        assert_eq!(plots(&mut reader), before, "a double click did not show all");
    }
}

#[test]
fn tables_are_sorted_filtered_and_copied() {
    let mut reader = Reader::of(&Fixture::one_vs_two());
    const NAMES: &str =
        "[...document.querySelectorAll('#results tbody tr[data-c]')].map(row => row.cells[0].innerText).join('\\n')";
    const HEAD: &str = "document.querySelector('#results thead th button')";
    let before = reader.text(NAMES);
    for by in EACH_WAY {
        for sort in ["ascending", "descending"] {
            reader.operate(HEAD, by);
            assert_eq!(
                reader.text(&format!("{HEAD}.closest('th').ariaSort ?? ''")),
                sort,
                "{by:?}"
            );
        }
        assert_ne!(reader.text(NAMES), before, "{by:?}");
        reader.operate(HEAD, by);
        assert_eq!(reader.text(NAMES), before, "{by:?}");
    }
    const FIELD: &str = "document.querySelector('input[type=search]')";
    const LEFT: &str = "String(document.querySelectorAll('#results tbody tr[data-c]:not(.off)').length)";
    for by in EACH_WAY {
        match by {
            By::Mouse => reader.browser.click(FIELD),
            By::Keyboard => drop(reader.browser.value(&format!("{FIELD}.focus()"))),
        }
        reader.browser.write("two consumers");
        let left: usize = reader.text(LEFT).parse().unwrap();
        assert!(left > 0 && left < before.lines().count(), "{by:?}: {left}");
        reader.browser.value(&format!(
            "{FIELD}.value = ''; {FIELD}.dispatchEvent(new Event('input')); 0"
        ));
    }
}

#[test]
fn answer_table_and_chart_are_copied_whole() {
    let mut reader = Reader::of(&Fixture::one_vs_two());
    reader.browser.value(
        "globalThis.copied = ''; Object.defineProperty(navigator, 'clipboard', { value: { writeText: async text => { copied = text; } } }); 0",
    );
    let button = |label: &str, within: &str| {
        format!(
            "[...document.querySelectorAll('{within} button')].find(button => button.textContent.startsWith('{label}'))"
        )
    };
    let copies = [
        (button("Copy the answer", "main"), "answer"),
        (button("Copy as Markdown", "main"), "markdown"),
        (button("Copy as CSV", "main"), "csv"),
        (button("Copy as SVG", "figure"), "svg"),
    ];
    for ((button, kind), by) in copies.iter().flat_map(|copy| EACH_WAY.map(|by| (copy, by))) {
        let element = format!("(globalThis.last = ({button}) ?? globalThis.last)");
        reader.browser.value("copied = ''");
        reader.operate(&element, by);
        let copied = reader.text("copied");
        let fields = |line: &str| line.matches(" | ").count();
        match *kind {
            "answer" => assert_eq!(
                copied,
                reader.text("[...document.querySelectorAll('#answer p')].map(p => p.textContent).join('\\n')")
            ),
            "markdown" => {
                let lines: Vec<&str> = copied.lines().collect();
                assert!(lines.len() > 3 && lines[1].starts_with("| --"), "{copied}");
                assert!(lines.iter().all(|line| fields(line) == fields(lines[0])), "{copied}");
            }
            "csv" => {
                let mut rows = csv::ReaderBuilder::new().from_reader(copied.as_bytes());
                assert!(rows.records().map(Result::unwrap).count() > 1, "{copied}");
            }
            _ => {
                let drawn =
                    "new DOMParser().parseFromString(copied, 'image/svg+xml').querySelector('parsererror') === null";
                assert!(copied.contains("<style") && reader.is(drawn), "{copied}");
            }
        }
        // The label comes back after a while.
        reader.browser.value("new Promise(done => setTimeout(done, 2100))");
    }
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
        assert_eq!(browser.value(CHOSEN), false, "{view}");
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
