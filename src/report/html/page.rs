//! The page: heading, links, answer, warnings, sections.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::elements::{block, figure, paragraph, table, text};
use crate::report::chart::{charts_json, style_sheet};
use crate::report::document::{Document, Section};
use crate::report::format::printable_lines;

const STYLE: &str = include_str!("style.css");
const SCRIPT_STYLE: &str = include_str!("script.css");
const SCRIPT: &str = include_str!("page.js");

pub(crate) fn render(document: &Document) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head(document))
            body {
                a.skip href="#answer" { "Skip to the answer" }
                header {
                    h1 { (document.title) }
                    p.quiet { (text(&document.subtitle)) }
                }
                main {
                    (first_screen(document))
                    (notes("warnings", "Warnings", &document.warnings))
                    (contents(document))
                    @for section in &document.sections { (self::section(section)) "\n" }
                }
                footer.quiet { p { (text(document.footer)) } }
                (data("charts", &charts_json(&document.charts().collect::<Vec<_>>())))
                (data("run", &document.trials.json()))
                script { (PreEscaped(SCRIPT)) }
            }
        }
        "\n"
    };
    // In one place, so that no text can be forgotten.
    printable_lines(&page.into_string())
}

fn head(document: &Document) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta http-equiv="Content-Security-Policy" content=(policy());
            meta name="generator" content={ "tandem " (document.tandem_version) };
            link rel="icon" href="data:,";
            title { (document.title) }
            style { "\n" (PreEscaped(style_sheet())) "/* page */\n" (PreEscaped(STYLE)) (PreEscaped(SCRIPT_STYLE)) }
        }
    }
}

/// Lets the page ask nobody, and run no script but its own.
fn policy() -> String {
    let hash = BASE64_STANDARD.encode(openssl::sha::sha256(SCRIPT.as_bytes()));
    format!("default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{hash}'")
}

/// JSON for the script. No text in it can end the element.
fn data(id: &str, json: &str) -> Markup {
    html! { script type="application/json" id=(id) { (PreEscaped(json.replace('<', "\\u003c"))) } }
}

/// What a reader must know first: whether the figures should be trusted, the answer, and the evidence for it.
fn first_screen(document: &Document) -> Markup {
    let glance = &document.glance;
    html! {
        (notes("distrust", "Do not trust these figures", &document.distrust))
        section.answer #answer aria-label="Answer" tabindex="-1" {
            @for sentence in &document.answer { p { (text(sentence)) } }
            @if document.answer.is_empty() { (paragraph(document.no_answer)) }
        }
        "\n"
        section.glance aria-label="At a glance" {
            div {
                @for verdicts in &glance.verdicts { (table("verdicts", "Verdicts", verdicts)) }
                dl.notes { @for (name, words) in &glance.notes { dt { (name) } dd { (text(words)) } } }
            }
            @if let Some(chart) = &glance.chart { (figure(chart)) }
        }
        "\n"
    }
}

fn contents(document: &Document) -> Markup {
    html! {
        nav aria-label="Sections" {
            ul { @for section in &document.sections { li { a href={ "#" (section.id) } { (section.title) } } } }
        }
    }
}

/// A link to what is inside opens it.
fn section(section: &Section) -> Markup {
    html! {
        details.section {
            summary { h2 { (section.title) } }
            div id=(section.id) { @for part in &section.blocks { (block(section, part)) "\n" } }
        }
    }
}

/// A coloured box of sentences, where there are any.
fn notes(id: &str, title: &str, sentences: &[String]) -> Markup {
    html! {
        @if !sentences.is_empty() {
            section class=(id) aria-labelledby=(id) {
                h2 id=(id) { (title) }
                ul { @for sentence in sentences { li { (sentence) } } }
            }
            "\n"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::document::Form;
    use crate::report::outline;
    use crate::testing::report::Fixture;

    fn page(fixture: &Fixture) -> String {
        render(&outline::document(&fixture.input(), Form::Page))
    }

    #[test]
    fn the_page_requests_nothing_and_runs_its_own_script_alone() {
        for fixture in [Fixture::one_vs_two(), Fixture::scaling()] {
            let page = page(&fixture)
                .replace("http://www.w3.org/2000/svg", "")
                .replace("url(#", "");
            for outside in ["http:", "https:", "//www", "<iframe", "@import", "url(", " src="] {
                assert!(!page.contains(outside), "{outside}");
            }
            assert_eq!(page.matches("<script>").count(), 1);
            assert!(page.contains(&format!("content=\"{}\"", policy())), "{}", policy());
        }
    }

    #[test]
    fn the_script_is_small_and_reaches_nothing_outside() {
        assert!(SCRIPT.len() < 30_000, "{}", SCRIPT.len());
        for outside in [
            "fetch(",
            "XMLHttpRequest",
            "import",
            "eval(",
            "innerHTML",
            "setInterval",
            "http:",
        ] {
            assert!(
                !SCRIPT.replace("http://www.w3.org/2000/svg", "").contains(outside),
                "{outside}"
            );
        }
        assert!(!SCRIPT.contains("</script"));
    }

    #[test]
    fn text_of_the_user_cannot_become_markup() {
        let mut fixture = Fixture::one_vs_two();
        let evil = "</style><img src=x onerror=\"alert(1)\">&\u{1b}";
        fixture.source = evil.to_owned();
        evil.clone_into(&mut fixture.summary.question);
        evil.clone_into(&mut fixture.summary.scenario);
        fixture.summary.answer = vec![evil.to_owned()];
        fixture.summary.warnings = vec![evil.to_owned()];
        evil.clone_into(&mut fixture.environment.host);
        evil.clone_into(&mut fixture.scenario.families[0].name);
        for c in &mut fixture.scenario.configurations {
            c.case.push_str(evil);
            c.name.push_str(evil);
        }
        for c in &mut fixture.summary.configurations {
            c.bottleneck.evidence.push_str(evil);
            c.bottleneck.remedy.push_str(evil);
        }
        let page = page(&fixture);
        assert!(!page.contains("<img") && !page.contains('\u{1b}'));
        assert!(page.contains("&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;"));
    }

    #[test]
    fn every_reference_has_its_target_and_every_id_is_given_once() {
        let page = page(&Fixture::one_vs_two());
        let values = |attribute: &str| -> Vec<String> {
            let start = format!(" {attribute}=\"");
            let pieces = page.split(&start).skip(1);
            pieces
                .filter_map(|rest| rest.split('"').next())
                .map(str::to_owned)
                .collect()
        };
        let mut ids = values("id");
        let number = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), number);
        let hrefs = values("href").into_iter();
        let links = hrefs.filter_map(|href| href.strip_prefix('#').map(str::to_owned));
        for target in links.chain(values("aria-labelledby")).chain(values("aria-describedby")) {
            assert!(ids.contains(&target), "{target}");
        }
    }

    #[test]
    fn the_answer_stands_before_its_table_and_charts_and_everything_is_in_a_landmark() {
        let page = page(&Fixture::one_vs_two());
        let place = |what: &str| page.find(what).unwrap_or(usize::MAX);
        assert!(place("<main>") < place("id=\"answer\"") && place("id=\"answer\"") < place("<figure "));
        assert!(place("id=\"answer\"") < place("<table ") && place("<table ") < place("<figure "));
        assert!(place("</main>") != usize::MAX);
        assert_eq!(page.matches("<h1>").count(), 1);
    }

    #[test]
    fn every_table_scrolls_in_a_box_that_a_keyboard_reaches() {
        let page = page(&Fixture::one_vs_two());
        let tables: Vec<&str> = page.split("<table ").collect();
        assert!(tables.len() > 10);
        for before in &tables[..tables.len() - 1] {
            let opening = before.rsplit("<div").next().unwrap_or_default();
            assert!(
                opening.starts_with(" class=\"scroll\"")
                    && opening.contains("tabindex=\"0\"")
                    && opening.ends_with('>'),
                "{opening}"
            );
        }
    }

    #[test]
    fn a_verdict_has_the_colour_of_its_tone() {
        let page = page(&Fixture::one_vs_two());
        assert!(page.contains("class=\"good\">materially faster</td>"));
        assert!(!page.contains("class=\"good\">baseline"));
    }

    #[test]
    fn a_live_run_has_its_latencies_by_part_beneath_the_results_and_its_words() {
        let live = page(&Fixture::latency());
        let place = |what: &str| live.find(what).unwrap_or(usize::MAX);
        assert!(place("<div id=\"results\">") < place("<div id=\"latencies\">"));
        assert!(place("<div id=\"latencies\">") < place("<div id=\"details\">"));
        for what in [
            "<div id=\"details\">",
            "href=\"#latencies\"",
            "producer delay",
            "<dt>Response time</dt>",
            "<dt>Overloaded</dt>",
        ] {
            assert!(live.contains(what), "{what}");
        }
        let backlog = page(&Fixture::one_vs_two());
        assert!(!backlog.contains("latencies\"") && !backlog.contains("<dt>Response time</dt>"));
    }

    #[test]
    fn a_run_without_trials_still_has_a_page() {
        let mut fixture = Fixture::one_vs_two();
        fixture.trials.clear();
        fixture.summary.configurations.clear();
        fixture.summary.comparisons.clear();
        fixture.summary.answer.clear();
        assert!(page(&fixture).contains("No answer yet"));
    }
}
