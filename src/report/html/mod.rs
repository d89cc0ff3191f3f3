//! The report as one HTML page without scripts and outside requests: for a wide screen, a telephone, paper, the dark, a
//! keyboard and a screen reader.

mod element;

pub(in crate::report) use element::escape;

use std::fmt::Write as _;

use self::element::{definitions, list, paragraph, scroll, table};
use super::ReportInput;
use super::chart::{Chart, charts, style_sheet};
use super::tables::{self, GLOSSARY, Table};

const STYLE: &str = include_str!("style.css");

/// `report.html`.
pub fn html(input: &ReportInput) -> String {
    with_charts(input, &charts(input))
}

pub(super) fn with_charts(input: &ReportInput, charts: &[Chart]) -> String {
    let question = escape(&input.summary.question);
    let (first, last) = tables::dates(input);
    let sections = sections(input, charts);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"generator\" content=\"tandem {version}\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>{question}</title>\n<style>\n{charts_style}{STYLE}</style>\n</head>\n\
         <body>\n<a class=\"skip\" href=\"#answer\">Skip to the answer</a>\n<header>\n<h1>{question}</h1>\n\
         <p class=\"quiet\">Scenario <code>{scenario}</code>, measured {first} to {last} with tandem {version}.</p>\n",
        version = escape(&input.environment.tandem_version),
        charts_style = style_sheet(),
        scenario = escape(&input.summary.scenario),
    );
    let links = sections
        .iter()
        .map(|s| format!("<a href=\"#{}\">{}</a>", s.id, s.title));
    let _ = write!(
        out,
        "<nav aria-label=\"Sections\">\n{}</nav>\n</header>\n<main>\n",
        list(links)
    );
    out.push_str(&answer(input));
    for s in &sections {
        let _ = write!(
            out,
            "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{}</h2>\n{}</section>\n",
            s.title,
            s.body,
            id = s.id
        );
    }
    out.push_str("</main>\n<footer class=\"quiet\"><p>Made by tandem from the stored trials of the run. ");
    out.push_str(
        "The figures are also in <code>summary.csv</code>, <code>trials.csv</code> and <code>summary.json</code>.",
    );
    out.push_str("</p></footer>\n</body>\n</html>\n");
    out
}

struct Section {
    id: &'static str,
    title: &'static str,
    body: String,
}

fn sections(input: &ReportInput, charts: &[Chart]) -> Vec<Section> {
    let section = |id, title, body| Section { id, title, body };
    let mut sections = vec![
        section("charts", "Charts", charts.iter().map(figure).collect()),
        section("results", "Results", tables_of("Results", &tables::results(input))),
        section("details", "Details", tables_of("Details", &tables::details(input))),
        section("comparisons", "Comparisons", comparisons(input)),
        section("idle", "Idle members", idle(input)),
        section("settings", "Settings", settings(input)),
        section("environment", "Environment", definitions(&tables::environment(input))),
        section("trials", "Trials", trials(input)),
        section("scenario", "Scenario", source(input)),
        section(
            "reading",
            "How to read this",
            definitions(&GLOSSARY.map(|(word, meaning)| (word, meaning.to_owned()))),
        ),
    ];
    sections.retain(|s| !s.body.is_empty());
    sections
}

fn answer(input: &ReportInput) -> String {
    let mut out = "<section class=\"answer\" id=\"answer\" aria-label=\"Answer\" tabindex=\"-1\">\n".to_owned();
    for sentence in &input.summary.answer {
        out.push_str(&paragraph(sentence));
    }
    if input.summary.answer.is_empty() {
        out.push_str(&paragraph("No answer yet: too few trials were completed."));
    }
    out.push_str("</section>\n");
    let incomplete = (!input.summary.complete).then_some("This run is not complete: trials of its plan were not run.");
    let warnings: Vec<&str> = incomplete
        .into_iter()
        .chain(input.summary.warnings.iter().map(String::as_str))
        .collect();
    if !warnings.is_empty() {
        out.push_str("<section class=\"warnings\" aria-labelledby=\"warnings\">\n<h2 id=\"warnings\">Warnings</h2>\n");
        out.push_str(&list(warnings.iter().map(|w| escape(w))));
        out.push_str("</section>\n");
    }
    out
}

/// A chart with its title, what there is to see, the drawing for wide and for narrow screens, and its figures.
fn figure(chart: &Chart) -> String {
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

fn tables_of(what: &str, tables: &[Table]) -> String {
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
    let idle = tables::idle(input);
    if idle.is_empty() {
        return String::new();
    }
    list(
        idle.iter()
            .map(|(name, why)| format!("<strong>{}</strong>: {}", escape(name), escape(why))),
    )
}

fn settings(input: &ReportInput) -> String {
    let settings = tables::settings(input);
    if settings.rows.is_empty() {
        return paragraph("Brokers and clients ran with their defaults.");
    }
    scroll("Settings", &table(&settings))
}

fn trials(input: &ReportInput) -> String {
    let all = tables::trials(input);
    let mut noteworthy = Table {
        caption: "Trials with remarks".to_owned(),
        ..all.clone()
    };
    noteworthy
        .rows
        .retain(|row| row.last().is_some_and(|remarks| !remarks.is_empty()));
    let mut out = paragraph(&tables::trials_sentence(input));
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

fn source(input: &ReportInput) -> String {
    let text = format!("<pre><code>{}</code></pre>\n", element::escape_lines(input.source));
    scroll("The scenario file", &text)
}
