//! Cells that several tables have.

use std::fmt::Write as _;

use crate::figures::{By, FigureId, Unit};
use crate::report::conclusion::Conclusion;
use crate::report::format::{UNKNOWN, difference_estimate, figure_text, or_unknown, ratio_estimate};
use crate::report::input::ReportInput;
use crate::report::table::Column;
use crate::scenario::Scenario;
use crate::summary::{Comparison, ConfigurationSummary, Effect, Metric, Undecided};

/// What is concluded of a configuration that is compared with no other.
pub(super) fn without_comparison(input: &ReportInput, c: &ConfigurationSummary) -> Conclusion {
    if input.is_baseline(c.configuration) {
        Conclusion::Baseline
    } else {
        Conclusion::Unknown
    }
}

/// The verdict of a comparison, or why there is none.
pub(super) fn verdict(input: &ReportInput, compared: &Comparison) -> Conclusion {
    let materially = compared.is_material(input.scenario);
    match Conclusion::of(compared.verdict, materially, Some(compared.metric.comparing())) {
        Conclusion::Undecided(_) => {
            let all = &input.summary.comparisons;
            Conclusion::Undecided(Undecided::of(input.scenario, input.trials, all, compared))
        }
        decided => decided,
    }
}

/// The ratio or the difference of a comparison, with its interval.
pub(crate) fn effect(compared: &Comparison) -> String {
    or_unknown(compared.effect, |effect| effect_text(Some(compared.metric), effect))
}

/// `1.12× [1.08, 1.16]`, or `−12 ms [−16, −8]`.
pub(crate) fn effect_text(metric: Option<Metric>, effect: Effect) -> String {
    match (effect, metric) {
        (Effect::Ratio(ratio), _) | (Effect::Difference(ratio), None) => ratio_estimate(&ratio),
        (Effect::Difference(difference), Some(metric)) => {
            difference_estimate(metric.figure().figure().unit, &difference)
        }
    }
}

/// The header of ratios or differences by a metric: `speed` where it is the usual one of a mode.
pub(crate) fn effect_header(metric: Metric) -> String {
    let what = match metric.comparing().by {
        _ if metric.is_usual() => "speed",
        By::Ratio => "ratio",
        By::Difference => "difference",
    };
    // A difference has a long name: where a terminal is narrow, its interval goes into the next line.
    let space = if what == "difference" { ' ' } else { '\u{a0}' };
    format!("{what}{space}[95\u{a0}%]")
}

/// The figure by which configurations are compared, and how far each is from its baseline; only where the scenario names
/// a figure that its tables would not show.
pub(super) fn chosen<'a, R: 'a>(
    input: &'a ReportInput,
    summary: impl Fn(&R) -> &'a ConfigurationSummary + Copy + 'a,
) -> [Column<'a, R>; 2] {
    let metric = chosen_metric(input.scenario);
    let figure = metric.map(|metric| metric.figure().figure());
    let noun = |metric: Metric| metric.comparing().noun.clone();
    let name = |metric: Metric| {
        figure
            .and_then(|figure| figure.header)
            .map_or_else(|| noun(metric), str::to_owned)
    };
    let title = metric.map_or_else(String::new, name);
    let header = metric.map_or_else(String::new, effect_header);
    let value = move |row: &R| {
        figure.map_or_else(String::new, |figure| {
            figure_text(figure.unit, summary(row).figures.get(figure.id))
        })
    };
    let against = move |row: &R| {
        let configuration = summary(row).configuration;
        let compared = metric.and_then(|metric| input.comparison(configuration, metric));
        compared.map_or_else(|| UNKNOWN.to_owned(), effect)
    };
    let columns = [
        Column::figures(title, value).dropped_last(30),
        Column::figures(header, against),
    ];
    columns.map(|column| column.only_if(metric.is_some()))
}

/// The peak memory of the worker processes; left out where no configuration has it, and where it is what is compared.
pub(super) fn peak_memory<'a, R: 'a>(
    input: &'a ReportInput,
    summary: impl Fn(&R) -> &'a ConfigurationSummary + 'a,
) -> Column<'a, R> {
    let value = |c: &ConfigurationSummary| c.figures.get(FigureId::ClientMemory);
    let is_compared = chosen_metric(input.scenario).is_some_and(|metric| metric.figure() == FigureId::ClientMemory);
    let is_known = input.summary.configurations.iter().any(|c| value(c).is_some());
    Column::figures("peak memory", move |row: &R| {
        figure_text(Unit::Bytes, value(summary(row)))
    })
    .dropped(0)
    .only_if(is_known && !is_compared)
}

/// The metric that a scenario names, where that is not the usual one of its mode.
pub(super) fn chosen_metric(scenario: &Scenario) -> Option<Metric> {
    let first = scenario.configurations.first()?;
    Some(Metric::of(scenario, &first.mode)).filter(|metric| scenario.metric.is_some() && !metric.is_usual())
}

/// `8 of 10, 1 failed, 1 excluded`: the trials in the figures, those planned, and what became of the others.
pub(super) fn trials_cell(c: &ConfigurationSummary, used: u32) -> String {
    let mut text = format!("{used} of {}", c.trials_planned);
    for (number, what) in [(c.trials_failed, "failed"), (c.trials_excluded, "excluded")] {
        if number > 0 {
            let _ = write!(text, ", {number} {what}");
        }
    }
    text
}
