//! What becomes of what a reader does on a page with mouse and keyboard.

use serde_json::json;

use super::driver::Browser;
use super::{HIGH, WIDE, look, page, written};
use crate::testing::report::Fixture;

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
pub(super) const CHOSEN: &str = "document.body.matches('.chosen')";

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
