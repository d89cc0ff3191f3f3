//! What people read of a comparison, on invented runs.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use quick_xml::XmlVersion;
use quick_xml::events::Event;

use super::*;
use crate::measure::Trial;
use crate::plan::Plan;
use crate::report::{JunitSuite, compare_html, compare_json, compare_markdown, compare_terminal, junit};
use crate::summary::compare::{RunComparison, StoredRun, compare_runs};
use crate::summary::condition::{Condition, judged_between};
use crate::testing::report::Fixture;

/// The fixture's run and the same a day later, with other seconds for the same records.
struct Pair {
    one: Fixture,
    other: Fixture,
}

impl Pair {
    fn of(make: fn() -> Fixture, stretch: impl Fn(&Trial) -> f64) -> Self {
        let (one, mut other) = (make(), make());
        for trial in &mut other.trials {
            let factor = stretch(trial);
            trial.started_at = trial
                .started_at
                .checked_add(jiff::SignedDuration::from_hours(26))
                .unwrap();
            if let Some(m) = &mut trial.measurement {
                let read_ns = m.end_ns - m.start_ns;
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let stretched = (read_ns as f64 * factor) as u64;
                m.end_ns = m.start_ns + stretched;
            }
        }
        other.environment.cluster.version = Some("4.2.0".to_owned());
        other.environment.clients[0].deviations[0].value = "1000".to_owned();
        Pair { one, other }
    }

    /// Half as fast with work, as fast without, and a little noise.
    fn backlog() -> Self {
        Pair::of(Fixture::one_vs_two, |trial| match trial.order.configuration % 3 {
            0 => 1.0,
            1 => 2.0,
            _ => 1.0 + 0.05 * f64::from(trial.order.number % 3),
        })
    }

    fn comparison(&self) -> RunComparison {
        let plans = [&self.one, &self.other].map(|f| Plan::new(f.scenario.clone()));
        let runs = [
            StoredRun {
                folder: "results/scene/2026-11-20T10-51-30Z",
                plan: &plans[0],
                trials: &self.one.trials,
                environment: &self.one.environment,
            },
            StoredRun {
                folder: "results/scene/2026-11-21T12-51-30Z",
                plan: &plans[1],
                trials: &self.other.trials,
                environment: &self.other.environment,
            },
        ];
        compare_runs(&runs).unwrap()
    }
}

fn with<T>(pair: &Pair, show: impl Fn(&CompareInput) -> T) -> T {
    let comparison = pair.comparison();
    show(&CompareInput {
        comparison: &comparison,
        scenario: &pair.one.scenario,
    })
}

fn every_kind() -> Vec<(&'static str, Pair)> {
    vec![
        ("backlog", Pair::backlog()),
        ("latency", Pair::of(Fixture::latency, |_| 1.0)),
        ("catch-up", Pair::of(Fixture::catch_up, |_| 1.0)),
        ("capacity", Pair::of(Fixture::capacity, |_| 1.0)),
    ]
}

/// A page of each kind of comparison, with its name.
pub(in crate::report) fn pages_of_every_kind() -> impl Iterator<Item = (&'static str, String)> {
    let kinds = every_kind().into_iter();
    kinds.map(|(name, pair)| (name, with(&pair, compare_html)))
}

#[test]
fn the_answer_comes_first_in_a_terminal_and_no_line_is_too_long() {
    for (name, pair) in every_kind() {
        for width in [80, 120] {
            let text = with(&pair, |input| compare_terminal(input, width, false));
            assert!(text.lines().all(|line| line.chars().count() <= width), "{text}");
            if name == "backlog" || width == 120 {
                insta::assert_snapshot!(format!("{name}_in_{width}_columns"), text);
            }
        }
    }
}

#[test]
fn markdown_reads_from_the_answer_to_the_words() {
    insta::assert_snapshot!(with(&Pair::backlog(), compare_markdown));
}

/// The test results of a comparison under conditions.
fn test_results(pair: &Pair, conditions: &[Condition]) -> String {
    let judged = judged_between(&pair.comparison());
    let runs = [("A", "old"), ("B", "new\u{1b} & \"quoted\"")];
    let runs = runs.map(|(name, folder)| (name.to_owned(), folder.to_owned()));
    junit(&JunitSuite {
        question: &pair.one.scenario.question,
        scenario: &pair.one.scenario.name,
        properties: &runs,
        judged: &judged,
        requirements: &[],
        conditions,
        wrong: None,
        error: None,
    })
}

/// The attributes of every element of this name.
fn elements(xml: &str, name: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut found = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(element) | Event::Empty(element) if element.name().as_ref() == name => {
                let attributes = element.attributes().map(|attribute| {
                    let attribute = attribute.unwrap();
                    let value = attribute.normalized_value(XmlVersion::Explicit1_0).unwrap();
                    (attribute.key.as_ref().to_owned(), value.into_owned())
                });
                found.push(attributes.collect());
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

#[test]
fn each_comparison_is_a_test_case_that_fails_where_a_condition_holds() {
    let text = test_results(&Pair::backlog(), &[Condition::Slower]);
    insta::assert_snapshot!(text);
    let counts = |suite: &BTreeMap<String, String>| {
        ["tests", "failures", "errors", "skipped"].map(|name| suite[name].parse::<usize>().unwrap())
    };
    assert_eq!(counts(&elements(&text, "testsuite")[0]), [12, 4, 0, 4]);
    let cases = elements(&text, "testcase");
    let mut names: Vec<&String> = cases.iter().map(|case| &case["name"]).collect();
    assert!(names.iter().any(|name| name.contains("<script>")), "{names:?}");
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 12);
    assert_eq!(elements(&text, "failure").len(), 4);
    assert_eq!(elements(&text, "property")[1]["value"], "new  & \"quoted\"");
    // Without conditions nothing fails, as the exit code says.
    let lenient = test_results(&Pair::backlog(), &[]);
    assert_eq!(counts(&elements(&lenient, "testsuite")[0]), [12, 0, 0, 4]);
    let strict = test_results(&Pair::backlog(), &[Condition::Slower, Condition::Undecided]);
    assert_eq!(counts(&elements(&strict, "testsuite")[0]), [12, 8, 0, 0]);
}

#[test]
fn what_is_not_compared_is_skipped_unless_a_verdict_was_asked_for() {
    let mut pair = Pair::backlog();
    pair.other.scenario.configurations[0].work = crate::scenario::Work::Cpu { ns: 7 };
    let skipped = test_results(&pair, &[Condition::Slower]);
    let number = |text: &str, element: &str, kind: &str| {
        let all = elements(text, element).into_iter();
        all.filter(|attributes| attributes["type"] == kind).count()
    };
    assert_eq!(number(&skipped, "skipped", "not compared"), 1, "{skipped}");
    let failed = test_results(&pair, &[Condition::Undecided]);
    assert_eq!(number(&failed, "skipped", "not compared"), 0, "{failed}");
    let undecided = number(&skipped, "skipped", "undecided");
    assert_eq!(number(&failed, "failure", "undecided"), undecided + 1, "{failed}");
}

#[test]
fn what_was_measured_wrongly_and_what_cannot_be_compared_are_cases_too() {
    let suite = JunitSuite {
        question: "q",
        scenario: "scene",
        properties: &[],
        judged: &[],
        requirements: &[],
        conditions: &[],
        wrong: None,
        error: None,
    };
    let wrong = ["trial 3: it ended".to_owned(), "trial 4: it ended".to_owned()];
    let text = junit(&JunitSuite {
        wrong: Some(&wrong),
        ..suite
    });
    let [failure] = &elements(&text, "failure")[..] else {
        panic!("{text}");
    };
    assert_eq!(failure["message"], "trial 3: it ended (and 1 more)");
    assert!(text.contains("trial 4: it ended</system-out>"), "{text}");
    let well = junit(&JunitSuite {
        wrong: Some(&[]),
        ..suite
    });
    assert!(elements(&well, "failure").is_empty() && elements(&well, "testcase").len() == 1);
    let error = junit(&JunitSuite {
        error: Some("nothing in common"),
        ..suite
    });
    assert_eq!(elements(&error, "error")[0]["message"], "nothing in common");
}

#[test]
fn the_json_is_the_comparison() {
    let pair = Pair::backlog();
    let text = with(&pair, compare_json);
    assert_eq!(serde_json::from_str::<RunComparison>(&text).unwrap(), pair.comparison());
}

#[test]
fn the_page_asks_nobody_and_every_reference_has_its_target() {
    for (name, pair) in every_kind() {
        let page = with(&pair, compare_html);
        let own = page.replace("http://www.w3.org/2000/svg", "").replace("url(#", "");
        for outside in ["http:", "https:", "//www", "<iframe", "@import", "url(", " src="] {
            assert!(!own.contains(outside), "{name}: {outside}");
        }
        let values = |attribute: &str| -> Vec<String> {
            let start = format!(" {attribute}=\"");
            let pieces = page.split(&start).skip(1);
            pieces
                .filter_map(|rest| rest.split('"').next())
                .map(str::to_owned)
                .collect()
        };
        let mut ids = values("id");
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{name}: {ids:?}");
        let links = values("href")
            .into_iter()
            .filter_map(|href| href.strip_prefix('#').map(str::to_owned));
        for target in links.chain(values("aria-labelledby")).chain(values("aria-describedby")) {
            assert!(ids.contains(&target), "{name}: {target}");
        }
        assert_eq!(page.matches("<h1>").count(), 1);
        assert!(page.find("id=\"answer\"") < page.find("<figure "), "{name}");
    }
}

#[test]
fn text_of_the_user_cannot_become_markup() {
    let mut pair = Pair::backlog();
    let evil = "<img src=x onerror=\"alert(1)\">&\u{1b}";
    for fixture in [&mut pair.one, &mut pair.other] {
        evil.clone_into(&mut fixture.scenario.question);
        for c in &mut fixture.scenario.configurations {
            c.name.push_str(evil);
        }
        for trial in &mut fixture.trials {
            trial.configuration_name.push_str(evil);
        }
    }
    evil.clone_into(&mut pair.other.environment.host);
    let page = with(&pair, compare_html);
    assert!(!page.contains("<img") && !page.contains('\u{1b}') && page.contains("&lt;img src=x"));
    let text = with(&pair, compare_markdown);
    assert!(!text.contains("<img"), "{text}");
    assert!(!with(&pair, |input| compare_terminal(input, 100, false)).contains('\u{1b}'));
}

#[test]
fn a_run_beside_itself_says_so_and_has_no_caution() {
    let one = Fixture::one_vs_two();
    let plan = Plan::new(one.scenario.clone());
    let run = StoredRun {
        folder: "results/scene",
        plan: &plan,
        trials: &one.trials,
        environment: &one.environment,
    };
    let comparison = compare_runs(&[run, run]).unwrap();
    let input = CompareInput {
        comparison: &comparison,
        scenario: &one.scenario,
    };
    let text = compare_terminal(&input, 120, false);
    assert!(
        text.contains("B is the same run as A") && !text.contains("different times"),
        "{text}"
    );
    assert!(
        !text.contains("undecided") && text.matches(" same ").count() >= 12,
        "{text}"
    );
    assert!(text.contains("Nothing that is known."), "{text}");
}

/// Writes pages to `target/report-preview/` for somebody to look at.
#[test]
fn the_preview_is_written() {
    let folder = std::path::Path::new("target/report-preview/compare");
    std::fs::create_dir_all(folder).unwrap();
    for (name, page) in pages_of_every_kind() {
        std::fs::write(folder.join(format!("{name}.html")), page).unwrap();
    }
    for (name, pair) in every_kind() {
        let text = with(&pair, |input| compare_terminal(input, 120, true));
        std::fs::write(folder.join(format!("{name}.txt")), text).unwrap();
    }
}
