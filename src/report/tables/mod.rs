//! The tables and sentences that the terminal, Markdown and HTML have in common. Plain text: each of them escapes it
//! as it needs.

mod live;
pub(super) mod scaling;

use std::collections::BTreeSet;
use std::fmt::Write as _;

pub(super) use self::live::latencies;
use super::ReportInput;
use super::format::{UNKNOWN, count, duration, figure_text, or_unknown, p_value, rate_estimate, ratio_estimate};
use super::labels::{Labels, family_title};
use crate::figures::{FIGURES, Figure, FigureId};
use crate::scenario::{Axis, Mode};
use crate::stats::is_material;
use crate::summary::{Comparison, ConfigurationSummary, Metric, Question, Verdict};

/// Cells as text under headers; numeric columns are set to the right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// What the table shows.
    pub(super) caption: String,
    pub(super) headers: Vec<String>,
    /// For each column, whether it holds figures.
    pub(super) numeric: Vec<bool>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    /// A table whose headers say by a leading `#` that a column is numeric.
    pub(super) fn new(caption: impl Into<String>, headers: &[&str], rows: Vec<Vec<String>>) -> Self {
        Table {
            caption: caption.into(),
            numeric: headers.iter().map(|h| h.starts_with('#')).collect(),
            headers: headers.iter().map(|h| h.trim_start_matches('#').to_owned()).collect(),
            rows,
        }
    }

    /// Takes a column out, if there is one of this header.
    pub(super) fn remove(&mut self, header: &str) {
        if let Some(column) = self.headers.iter().position(|h| h == header) {
            self.headers.remove(column);
            self.numeric.remove(column);
            for row in &mut self.rows {
                row.remove(column);
            }
        }
    }
}

/// What each family of configurations came to, with the verdict against the baseline: a table for those that read a
/// backlog, one for live and one for mixed ones, and in a search for capacity one of its answers.
pub(super) fn results(input: &ReportInput) -> Vec<Table> {
    let labels = Labels::new(input.scenario);
    let families = 0..input.scenario.families.len();
    let tables = families.flat_map(|family| {
        let backlog = backlog_results(input, &labels, family);
        std::iter::once(backlog).chain(live::results(input, &labels, family))
    });
    tables.filter(|t| !t.rows.is_empty()).collect()
}

/// Whether records lie there, arrive, or both.
fn mode<'a>(input: &ReportInput<'a>, c: &ConfigurationSummary) -> Option<&'a Mode> {
    Some(&input.scenario.configurations.get(c.configuration)?.mode)
}

fn backlog_results(input: &ReportInput, labels: &Labels, family: usize) -> Table {
    let with_idle = input
        .summary
        .configurations
        .iter()
        .any(|c| c.count(FigureId::IdleMembers) > 0);
    let mut headers = vec![
        "configuration",
        "#records/s\u{a0}[95\u{a0}%]",
        "#speed\u{a0}[95\u{a0}%]",
        "verdict",
        "#read time",
        "#stopwatch",
        "#trials",
    ];
    if with_idle {
        headers.push("#idle members");
    }
    let backlog = of_family(input, family).filter(|c| mode(input, c).is_none_or(|mode| mode.load().is_none()));
    let rows = backlog.map(|c| {
        let mut row = result_row(input, labels, c);
        if with_idle {
            row.push(match c.count(FigureId::IdleMembers) {
                0 => "0".to_owned(),
                idle => format!("{idle} of {}", c.members),
            });
        }
        row
    });
    Table::new(family_title(input.scenario, family), &headers, rows.collect())
}

fn per_family(input: &ReportInput, table: impl Fn(usize) -> Table) -> Vec<Table> {
    (0..input.scenario.families.len())
        .map(table)
        .filter(|t| !t.rows.is_empty())
        .collect()
}

/// The summaries of a family's configurations, in the scenario's order.
pub(super) fn of_family<'a>(
    input: &ReportInput<'a>,
    family: usize,
) -> impl Iterator<Item = &'a ConfigurationSummary> + use<'a> {
    input.summary.configurations.iter().filter(move |c| c.family == family)
}

fn result_row(input: &ReportInput, labels: &Labels, c: &ConfigurationSummary) -> Vec<String> {
    let compared = comparison(input, c.configuration, Metric::ReadTime);
    let (speed, verdict) = match compared {
        Some(compared) => (
            compared
                .ratio
                .map_or_else(|| UNKNOWN.to_owned(), |r| ratio_estimate(&r)),
            verdict(input, compared),
        ),
        None if is_baseline(input, c.configuration) => ("1".to_owned(), "baseline".to_owned()),
        None => (UNKNOWN.to_owned(), UNKNOWN.to_owned()),
    };
    vec![
        labels.short(c.configuration).to_owned(),
        c.estimate(FigureId::RecordsPerSecond)
            .map_or_else(|| UNKNOWN.to_owned(), |e| rate_estimate(&e)),
        speed,
        verdict,
        or_unknown(c.point(FigureId::ReadSeconds), duration),
        or_unknown(c.point(FigureId::StopwatchSeconds), duration),
        trials_cell(c),
    ]
}

/// What else was measured of each family: the figures of the catalogue that have a header.
pub(super) fn details(input: &ReportInput) -> Vec<Table> {
    let labels = Labels::new(input.scenario);
    let shown: Vec<(&Figure, &str)> = FIGURES
        .iter()
        .filter_map(|figure| Some((figure, figure.header?)))
        .collect();
    let columns = shown.iter().map(|(_, header)| format!("#{header}"));
    let headers: Vec<String> = std::iter::once("configuration".to_owned()).chain(columns).collect();
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    let row = |c: &ConfigurationSummary| {
        let cells = shown
            .iter()
            .map(|(figure, _)| figure_text(figure.unit, c.figures.get(figure.id)));
        std::iter::once(labels.short(c.configuration).to_owned())
            .chain(cells)
            .collect()
    };
    per_family(input, |family| {
        let rows = of_family(input, family).map(row).collect();
        Table::new(family_title(input.scenario, family), &headers, rows)
    })
}

/// Used of planned trials, and what became of the others.
fn trials_cell(c: &ConfigurationSummary) -> String {
    format!("{} of {}{}", c.trials_used, c.trials_planned, trials_suffix(c))
}

/// `, 1 failed, 2 excluded`, or nothing.
fn trials_suffix(c: &ConfigurationSummary) -> String {
    let mut text = String::new();
    if c.trials_failed > 0 {
        let _ = write!(text, ", {} failed", c.trials_failed);
    }
    if c.trials_excluded > 0 {
        let _ = write!(text, ", {} excluded", c.trials_excluded);
    }
    text
}

/// The comparison of a configuration with its baseline by this metric.
pub(super) fn comparison<'a>(input: &ReportInput<'a>, configuration: usize, metric: Metric) -> Option<&'a Comparison> {
    input
        .summary
        .comparisons
        .iter()
        .find(|c| c.question == Question::Scenario && c.configuration == configuration && c.metric == metric)
}

fn is_baseline(input: &ReportInput, configuration: usize) -> bool {
    input
        .scenario
        .configurations
        .iter()
        .any(|c| c.baseline == Some(configuration))
}

/// The verdict in words: `materially faster`, `undecided (about 6 more blocks)`.
pub(super) fn verdict(input: &ReportInput, comparison: &Comparison) -> String {
    let threshold = input.scenario.threshold;
    let interval = comparison.ratio.and_then(|r| r.interval);
    match comparison.verdict {
        Verdict::Same => "same".to_owned(),
        Verdict::Faster if interval.is_some_and(|interval| is_material(interval, threshold)) => {
            "materially faster".to_owned()
        }
        Verdict::Faster => "faster".to_owned(),
        Verdict::Slower if interval.is_some_and(|interval| is_material(interval, threshold)) => {
            "materially slower".to_owned()
        }
        Verdict::Slower => "slower".to_owned(),
        Verdict::Undecided => match comparison.blocks_more {
            Some(more) => format!(
                "undecided (about {} would decide)",
                count(u64::from(more), "more block")
            ),
            None => "undecided".to_owned(),
        },
    }
}

/// Every comparison of each family with its baseline, by each metric, and behind them what each key of a matrix does.
pub(super) fn comparisons(input: &ReportInput) -> Vec<Table> {
    let axes: BTreeSet<Question> = input.summary.comparisons.iter().map(|c| c.question).collect();
    let mut questions = vec![Question::Scenario];
    questions.extend(axes.into_iter().filter(|question| *question != Question::Scenario));
    let of = |question| comparisons_of(input, question, |_| true);
    questions.into_iter().flat_map(of).collect()
}

/// The comparisons that answer the scenario's own question.
pub(super) fn own_comparisons(input: &ReportInput) -> Vec<Table> {
    comparisons_of(input, Question::Scenario, |c| c.metric.is_inferential())
}

fn comparisons_of(input: &ReportInput, question: Question, is_shown: impl Fn(&Comparison) -> bool) -> Vec<Table> {
    let labels = Labels::new(input.scenario);
    let headers = [
        "configuration",
        "against",
        "by",
        "#speed\u{a0}[95\u{a0}%]",
        "#p",
        "#p (Holm)",
        "#blocks",
        "verdict",
    ];
    let row = |c: &Comparison| {
        vec![
            labels.short(c.configuration).to_owned(),
            labels.short(c.baseline).to_owned(),
            metric(c.metric).to_owned(),
            c.ratio.map_or_else(|| UNKNOWN.to_owned(), |r| ratio_estimate(&r)),
            or_unknown(c.p, p_value),
            or_unknown(c.p_holm, p_value),
            c.blocks.to_string(),
            verdict(input, c),
        ]
    };
    per_family(input, |family| {
        let in_family = |c: &&Comparison| {
            input
                .scenario
                .configurations
                .get(c.configuration)
                .is_some_and(|configuration| configuration.family == family)
        };
        let asked = |c: &&Comparison| c.question == question && is_shown(c);
        let asked = input.summary.comparisons.iter().filter(asked);
        let rows = asked.filter(in_family).map(row).collect();
        let family = family_title(input.scenario, family);
        let caption = match question {
            Question::Axis(axis) => along(&input.scenario.axes[axis], &family),
            Question::Scenario => family,
            Question::Within if family.is_empty() => "Within each cluster or build".to_owned(),
            Question::Within => format!("Within each cluster or build: {family}"),
        };
        Table::new(caption, &headers, rows)
    })
}

/// `What partitions does: work=none`.
fn along(axis: &Axis, family: &str) -> String {
    if family.is_empty() {
        format!("What {} does", axis.key)
    } else {
        format!("What {} does: {family}", axis.key)
    }
}

pub(super) fn metric(metric: Metric) -> &'static str {
    match metric {
        Metric::ReadTime => "read time",
        Metric::Stopwatch => "stopwatch",
        Metric::ResponseP99 => "p99 of the response time",
        Metric::CatchUp => "time to catch up",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn a_verdict_is_material_only_beyond_the_threshold() {
        let fixture = Fixture::one_vs_two();
        let mut c = fixture.summary.comparisons[0].clone();
        let mut shown = |verdict_found, interval| {
            c.verdict = verdict_found;
            c.ratio.as_mut().unwrap().interval = Some(interval);
            verdict(&fixture.input(), &c)
        };
        assert_eq!(shown(Verdict::Faster, (1.01, 1.2)), "faster");
        assert_eq!(shown(Verdict::Faster, (1.04, 1.2)), "materially faster");
        assert_eq!(shown(Verdict::Slower, (0.5, 0.99)), "slower");
        assert_eq!(shown(Verdict::Slower, (0.5, 0.96)), "materially slower");
    }
}
