//! The report as one HTML page without scripts and outside requests: for a wide screen, a telephone, paper, the dark, a
//! keyboard and a screen reader.

pub(in crate::report) mod element;

pub(in crate::report) use element::escape;

use std::fmt::Write as _;

use self::element::{definitions, list, paragraph, scroll, table, with_code};
use super::ReportInput;
use super::chart::{Chart, charts, style_sheet};
use super::facts;
use super::tables::{self, Table};
use super::why::why;

const STYLE: &str = include_str!("style.css");

/// `report.html`.
pub fn html(input: &ReportInput) -> String {
    with_charts(input, &charts(input))
}

pub(super) fn with_charts(input: &ReportInput, charts: &[Chart]) -> String {
    let (first, last) = facts::dates(input);
    let version = &input.environment.tandem_version;
    let incomplete = (!input.summary.complete).then_some("This run is not complete: trials of its plan were not run.");
    Page {
        title: &input.summary.question,
        generator: version,
        subtitle: format!(
            "Scenario <code>{}</code>, measured {first} to {last} with tandem {}.",
            escape(&input.summary.scenario),
            escape(version)
        ),
        distrust: &input.summary.quality.distrust,
        answer: &input.summary.answer,
        no_answer: "No answer yet: too few trials were completed.",
        warnings: incomplete
            .into_iter()
            .chain(input.summary.warnings.iter().map(String::as_str))
            .collect(),
        sections: sections(input, charts),
        footer: "Made by tandem from the stored trials of the run. The figures are also in <code>summary.csv</code>, \
                 <code>trials.csv</code> and <code>summary.json</code>."
            .to_owned(),
    }
    .render()
}

/// A page of the house: heading, answer, warnings, sections.
pub(in crate::report) struct Page<'a> {
    /// Heading and title, plain text.
    pub(in crate::report) title: &'a str,
    /// Version of the tandem that made it.
    pub(in crate::report) generator: &'a str,
    /// Below the heading; HTML.
    pub(in crate::report) subtitle: String,
    /// Why the figures should not be trusted, plain text; stands before the answer.
    pub(in crate::report) distrust: &'a [String],
    /// Sentences, plain text.
    pub(in crate::report) answer: &'a [String],
    /// What stands in place of an answer.
    pub(in crate::report) no_answer: &'a str,
    /// Sentences, plain text.
    pub(in crate::report) warnings: Vec<&'a str>,
    pub(in crate::report) sections: Vec<Section>,
    /// HTML.
    pub(in crate::report) footer: String,
}

impl Page<'_> {
    pub(in crate::report) fn render(&self) -> String {
        let mut out = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"generator\" content=\"tandem {version}\">\n\
             <link rel=\"icon\" href=\"data:,\">\n<title>{title}</title>\n<style>\n{charts_style}{STYLE}</style>\n</head>\n\
             <body>\n<a class=\"skip\" href=\"#answer\">Skip to the answer</a>\n<header>\n<h1>{title}</h1>\n\
             <p class=\"quiet\">{subtitle}</p>\n",
            title = escape(self.title),
            version = escape(self.generator),
            charts_style = style_sheet(),
            subtitle = self.subtitle,
        );
        let links = self.sections.iter();
        let links = links.map(|s| format!("<a href=\"#{}\">{}</a>", s.id, s.title));
        let _ = write!(
            out,
            "<nav aria-label=\"Sections\">\n{}</nav>\n</header>\n<main>\n",
            list(links)
        );
        out.push_str(&self.answer());
        for s in &self.sections {
            let _ = write!(
                out,
                "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{}</h2>\n{}</section>\n",
                s.title,
                s.body,
                id = s.id
            );
        }
        let _ = write!(
            out,
            "</main>\n<footer class=\"quiet\"><p>{}</p></footer>\n</body>\n</html>\n",
            self.footer
        );
        out
    }

    fn answer(&self) -> String {
        let mut out = self.distrust();
        out.push_str("<section class=\"answer\" id=\"answer\" aria-label=\"Answer\" tabindex=\"-1\">\n");
        for sentence in self.answer {
            out.push_str(&paragraph(sentence));
        }
        if self.answer.is_empty() {
            out.push_str(&paragraph(self.no_answer));
        }
        out.push_str("</section>\n");
        if !self.warnings.is_empty() {
            out.push_str(
                "<section class=\"warnings\" aria-labelledby=\"warnings\">\n<h2 id=\"warnings\">Warnings</h2>\n",
            );
            out.push_str(&list(self.warnings.iter().map(|w| escape(w))));
            out.push_str("</section>\n");
        }
        out
    }
}

impl Page<'_> {
    /// What a reader must know before the answer: that it should not be trusted, and why.
    fn distrust(&self) -> String {
        if self.distrust.is_empty() {
            return String::new();
        }
        format!(
            "<section class=\"distrust\" aria-labelledby=\"distrust\">\n<h2 id=\"distrust\">Do not trust these figures</h2>\n\
             {}</section>\n",
            list(self.distrust.iter().map(|reason| escape(reason)))
        )
    }
}

/// A section of a page.
pub(in crate::report) struct Section {
    pub(in crate::report) id: &'static str,
    pub(in crate::report) title: &'static str,
    /// HTML; a section without any is left out.
    pub(in crate::report) body: String,
}

fn sections(input: &ReportInput, charts: &[Chart]) -> Vec<Section> {
    let section = |id, title, body| Section { id, title, body };
    // The first chart shows the answer; what explains it comes before all that is looked up.
    let (first, others) = charts.split_at(charts.len().min(1));
    let drawn = |charts: &[Chart]| charts.iter().map(figure).collect();
    let mut sections = vec![
        section("chart", "At a glance", drawn(first)),
        section("why", "Why", reasons(input)),
        section("charts", "More charts", drawn(others)),
        section("results", "Results", tables_of("Results", &tables::results(input))),
        section(
            "latencies",
            "Latency by part",
            tables_of("Latency by part", &tables::latencies(input)),
        ),
        section("scaling", "Scaling", scaling(input)),
        section("effects", "What explains the differences", effects(input)),
        section("details", "Details", tables_of("Details", &tables::details(input))),
        section("comparisons", "Comparisons", comparisons(input)),
        section("idle", "Idle members", idle(input)),
        section("settings", "Settings", settings(input)),
        section("environment", "Environment", definitions(&facts::environment(input))),
        section("quality", "Quality of the run", definitions(&facts::quality(input))),
        section("trials", "Trials", trials(input)),
        section("scenario", "Scenario", source(input)),
        section("reading", "How to read this", definitions(&glossary(input))),
    ];
    sections.retain(|s| !s.body.is_empty());
    sections
}

/// What limits the configurations, and what would change it.
fn reasons(input: &ReportInput) -> String {
    let mut out = String::new();
    for reason in why(input) {
        let (kind, remedy) = (reason.kind, with_code(&reason.remedy));
        let _ = writeln!(out, "<h3><code>{kind}</code>: {}</h3>", reason.meaning);
        if !remedy.is_empty() {
            let _ = writeln!(out, "<p>{remedy}</p>");
        }
        let told = reason.configurations.iter();
        out.push_str(&list(told.map(|(name, evidence)| {
            let name = if name.is_empty() {
                String::new()
            } else {
                format!("<strong>{}</strong>: ", escape(name))
            };
            format!("{name}{}", escape(evidence))
        })));
    }
    out
}

/// A chart with its title, what there is to see, the drawing for wide and for narrow screens, and its figures.
pub(in crate::report) fn figure(chart: &Chart) -> String {
    let id = chart.file_name.trim_end_matches(".svg");
    let drawing = |class: &str, svg: &str| {
        let attributes = format!(
            "<svg class=\"{class}\" role=\"img\" aria-labelledby=\"{id}-title\" aria-describedby=\"{id}-text\""
        );
        svg.replacen("<svg", &attributes, 1)
    };
    let (headers, rows) = &chart.table;
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    let figures = Table::new(String::new(), &headers, rows.clone());
    format!(
        "<figure>\n<figcaption><h3 id=\"{id}-title\">{title}</h3>\n<p class=\"quiet\" id=\"{id}-text\">{text}</p></figcaption>\n\
         {wide}{narrow}<details class=\"figures\"><summary>Figures of the chart <q>{title}</q></summary>\n{table}</details>\n</figure>\n",
        title = escape(&chart.title),
        text = escape(&chart.description),
        wide = drawing("wide", &chart.wide),
        narrow = drawing("narrow", &chart.narrow),
        table = scroll(&format!("Figures of the chart {}", chart.title), &table(&figures)),
    )
}

pub(in crate::report) fn tables_of(what: &str, tables: &[Table]) -> String {
    let one = |t: &Table| {
        let label = if t.caption.is_empty() {
            what.to_owned()
        } else {
            format!("{what}: {}", t.caption)
        };
        scroll(&label, &table(t))
    };
    tables.iter().map(one).collect()
}

fn scaling(input: &ReportInput) -> String {
    let words = tables::scaling::scaling_words(input);
    let tables = tables::scaling::scaling(input);
    let told = tables.iter().zip(&words).map(|(one, words)| {
        let told = tables_of("Scaling", std::slice::from_ref(one));
        told + &paragraph(&words.all())
    });
    told.collect()
}

fn effects(input: &ReportInput) -> String {
    let Some(text) = tables::scaling::effects_words(input) else {
        return String::new();
    };
    let shares = tables::scaling::effects(input);
    paragraph(&text) + &shares.map_or(String::new(), |shares| tables_of("Shares of the variance", &[shares]))
}

fn comparisons(input: &ReportInput) -> String {
    let tables = tables::comparisons(input);
    if tables.is_empty() {
        return String::new();
    }
    let intro = "How many times as fast as the baseline, from pairs of trials within blocks. Verdicts rest on the read time; \
                 the stopwatch is given beside it because it also holds starting and joining.";
    paragraph(intro) + &tables_of("Comparisons", &tables)
}

fn idle(input: &ReportInput) -> String {
    let idle = facts::idle(input);
    if idle.is_empty() {
        return String::new();
    }
    list(
        idle.iter()
            .map(|(name, why)| format!("<strong>{}</strong>: {}", escape(name), escape(why))),
    )
}

fn settings(input: &ReportInput) -> String {
    let settings = facts::settings(input);
    if settings.rows.is_empty() {
        return paragraph("Brokers and clients ran with their defaults.");
    }
    scroll("Settings", &table(&settings))
}

fn trials(input: &ReportInput) -> String {
    let all = facts::trials(input);
    let mut noteworthy = Table {
        caption: "Trials with remarks".to_owned(),
        ..all.clone()
    };
    noteworthy
        .rows
        .retain(|row| row.last().is_some_and(|remarks| !remarks.is_empty()));
    let mut out = paragraph(&facts::trials_sentence(input));
    if !noteworthy.rows.is_empty() {
        out.push_str(&scroll("Trials with remarks", &table(&noteworthy)));
    }
    let _ = write!(
        out,
        "<details><summary>Every trial ({})</summary>\n{}</details>\n",
        all.rows.len(),
        scroll("Every trial", &table(&all))
    );
    out
}

fn glossary(input: &ReportInput) -> Vec<(&'static str, String)> {
    let words = facts::glossary(input).into_iter();
    words.map(|(word, meaning)| (word, meaning.to_owned())).collect()
}

fn source(input: &ReportInput) -> String {
    let text = format!("<pre><code>{}</code></pre>\n", element::escape_lines(input.source));
    scroll("The scenario file", &text)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn the_page_asks_for_nothing_from_outside_and_runs_no_script() {
        for fixture in [Fixture::one_vs_two(), Fixture::scaling()] {
            let page = html(&fixture.input()).replace("http://www.w3.org/2000/svg", "");
            for outside in [
                "http:", "https:", "//www", "<script", "<iframe", "@import", "url(", " src=",
            ] {
                assert!(!page.contains(outside), "{outside}");
            }
        }
    }

    #[test]
    fn text_of_the_user_cannot_become_markup() {
        let mut fixture = Fixture::one_vs_two();
        let evil = "</style><img src=x onerror=\"alert(1)\">&\u{1b}";
        fixture.source = evil.to_owned();
        evil.clone_into(&mut fixture.summary.question);
        fixture.summary.answer = vec![evil.to_owned()];
        fixture.summary.warnings = vec![evil.to_owned()];
        evil.clone_into(&mut fixture.environment.host);
        evil.clone_into(&mut fixture.scenario.families[0].name);
        for c in &mut fixture.scenario.configurations {
            c.case.push_str(evil);
            c.name.push_str(evil);
        }
        let page = html(&fixture.input());
        assert!(!page.contains("<img") && !page.contains('\u{1b}'));
        assert!(page.contains("&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;"));
    }

    #[test]
    fn every_reference_has_its_target_and_every_id_is_given_once() {
        let page = html(&Fixture::one_vs_two().input());
        let values = |attribute: &str| -> Vec<String> {
            let start = format!(" {attribute}=\"");
            page.split(&start)
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
                .map(str::to_owned)
                .collect()
        };
        let mut ids = values("id");
        let number = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), number);
        let links = values("href")
            .into_iter()
            .filter_map(|href| href.strip_prefix('#').map(str::to_owned));
        for target in links.chain(values("aria-labelledby")).chain(values("aria-describedby")) {
            assert!(ids.contains(&target), "{target}");
        }
    }

    #[test]
    fn the_answer_stands_before_charts_and_tables_and_everything_is_in_a_landmark() {
        let page = html(&Fixture::one_vs_two().input());
        let at = |what: &str| page.find(what).unwrap_or(usize::MAX);
        assert!(at("<main>") < at("id=\"answer\"") && at("id=\"answer\"") < at("<figure>"));
        assert!(at("<figure>") < at("<table>") && at("<table>") < at("</main>") && at("</main>") != usize::MAX);
        assert_eq!(page.matches("<h1>").count(), 1);
    }

    #[test]
    fn every_table_scrolls_in_a_box_that_a_keyboard_reaches() {
        let page = html(&Fixture::one_vs_two().input());
        for before in page
            .split("<table>")
            .collect::<Vec<_>>()
            .split_last()
            .map(|(_, all)| all)
            .unwrap_or_default()
        {
            let opening = before.trim_end().lines().last().unwrap_or_default();
            assert!(
                opening.contains("class=\"scroll\"") && opening.contains("tabindex=\"0\""),
                "{opening}"
            );
        }
    }

    #[test]
    fn a_live_run_has_its_latencies_by_part_beneath_the_results_and_its_words() {
        let page = html(&Fixture::latency().input());
        let at = |what: &str| page.find(what).unwrap_or(usize::MAX);
        assert!(at("<h2 id=\"results\">") < at("<h2 id=\"latencies\">"));
        assert!(at("<h2 id=\"latencies\">") < at("<h2 id=\"details\">") && at("<h2 id=\"details\">") != usize::MAX);
        for what in [
            "href=\"#latencies\"",
            "producer delay",
            "<dt>Response time</dt>",
            "<dt>Overloaded</dt>",
        ] {
            assert!(page.contains(what), "{what}");
        }
        let backlog = html(&Fixture::one_vs_two().input());
        assert!(!backlog.contains("latencies\"") && !backlog.contains("<dt>Response time</dt>"));
    }

    #[test]
    fn a_run_without_trials_still_has_a_page() {
        let mut fixture = Fixture::one_vs_two();
        fixture.trials.clear();
        fixture.summary.configurations.clear();
        fixture.summary.comparisons.clear();
        fixture.summary.answer.clear();
        assert!(html(&fixture.input()).contains("No answer yet"));
    }
}
