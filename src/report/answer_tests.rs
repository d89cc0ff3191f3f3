//! Every answer of the shipped scenarios in every form.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use super::{Extent, files, markdown_brief, terminal};
use crate::testing::report::Fixture;

/// The answer and the first table of the page.
fn first_of_page(fixture: &Fixture) -> String {
    let all = files(&fixture.input());
    let (_, page) = all.iter().find(|(name, _)| name == "report.html").unwrap();
    let from = page.find("<section class=\"answer\"").unwrap();
    let to = from + page[from..].find("</table>").unwrap();
    page[from..to].to_owned()
}

#[test]
fn the_answers_of_the_shipped_scenarios_in_every_form() {
    for fixture in Fixture::shipped() {
        let input = fixture.input();
        let forms = [
            ("-q", terminal(&input, 80, false, Extent::Answer)),
            ("80 columns", terminal(&input, 80, false, Extent::Screens)),
            ("60 columns", terminal(&input, 60, false, Extent::Screens)),
            (
                "Markdown",
                markdown_brief(&input).split("<details>").next().unwrap().to_owned(),
            ),
            ("HTML", first_of_page(&fixture)),
        ];
        let text: Vec<String> = forms.iter().map(|(name, text)| format!("=== {name}\n{text}")).collect();
        insta::assert_snapshot!(format!("shipped_{}", fixture.scenario.name), text.join("\n"));
    }
}

#[test]
fn the_conclusion_comes_first_nothing_is_said_twice_and_no_sentence_is_long() {
    for fixture in Fixture::shipped() {
        let (name, answer) = (&fixture.scenario.name, &fixture.summary.answer);
        let text = terminal(&fixture.input(), 200, false, Extent::Screens);
        let mut paragraphs = text.lines().filter(|line| !line.is_empty());
        assert_eq!(paragraphs.next().unwrap(), fixture.scenario.question, "{name}");
        let first: String = answer[0].chars().take(60).collect();
        assert!(paragraphs.next().unwrap().contains(&first), "{name}: {text}");
        let sentences: Vec<&str> = answer.iter().flat_map(|text| text.split_inclusive(". ")).collect();
        for sentence in &sentences {
            let words = sentence.split_whitespace().count();
            assert!(words <= 30, "{name}: {words} words: {sentence}");
        }
        // Lines are wrapped, and of many warnings some are left to the page.
        let flowing = |text: &str| text.split_whitespace().collect::<Vec<&str>>().join(" ");
        let printed = flowing(&text);
        for sentence in answer {
            assert_eq!(printed.matches(&flowing(sentence)).count(), 1, "{name}: {sentence}");
        }
        let said = answer.iter().chain(&fixture.summary.warnings);
        for sentence in said.clone() {
            assert!(printed.matches(&flowing(sentence)).count() <= 1, "{name}: {sentence}");
            assert_eq!(
                said.clone().filter(|other| *other == sentence).count(),
                1,
                "{name}: {sentence}"
            );
        }
    }
}

#[test]
fn a_report_is_two_screens_at_most_and_an_answer_alone_about_ten_lines() {
    let shipped = Fixture::shipped().into_iter().map(|fixture| (fixture, 9));
    // Where a trial failed, there is a line more.
    let others = [Fixture::one_vs_two(), Fixture::scaling()].map(|fixture| (fixture, 10));
    for (fixture, most) in shipped.chain(others) {
        for width in [60, 80, 120] {
            let lines = |extent| terminal(&fixture.input(), width, false, extent).lines().count();
            assert!(lines(Extent::Screens) <= 96, "{} at {width}", fixture.scenario.name);
            // The line that names the page comes on top.
            let most = if width < 80 { most + 4 } else { most };
            assert!(lines(Extent::Answer) <= most, "{} at {width}", fixture.scenario.name);
        }
    }
}

#[test]
fn no_word_is_broken_and_no_line_too_long_where_a_terminal_is_narrow() {
    for fixture in Fixture::shipped() {
        let text = |width| terminal(&fixture.input(), width, false, Extent::Everything);
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<BTreeSet<String>>();
        let all = words(&text(300));
        for width in [60, 80] {
            let narrow = text(width);
            assert!(narrow.lines().all(|line| line.chars().count() <= width), "{narrow}");
            // The last paragraph names the columns that were left out.
            let printed = narrow.split("The terminal is too narrow for").next().unwrap();
            let broken: Vec<String> = words(printed)
                .difference(&all)
                .filter(|word| !word.starts_with('─'))
                .cloned()
                .collect();
            assert!(broken.is_empty(), "{}: {broken:?}\n{narrow}", fixture.scenario.name);
        }
    }
}

#[test]
fn a_configuration_that_holds_is_not_told_that_its_baseline_is_overloaded() {
    let text = terminal(&Fixture::latency().input(), 200, false, Extent::Screens);
    assert!(text.contains("holds, its baseline does not"), "{text}");
    assert!(!text.contains("baseline overloaded"), "{text}");
}
