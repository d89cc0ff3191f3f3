//! The verdicts of a comparison of runs.

use super::input::CompareInput;
use super::names::{full_label, label, measure_title, point_text};
use crate::report::conclusion::Conclusion;
use crate::report::format::{or_unknown, p_value, ratio_estimate};
use crate::report::labels::{Labels, family_title};
use crate::report::table::{Column, Table, with_rows};
use crate::report::tables::effect_header;
use crate::stats::is_material;
use crate::summary::compare::{Measure, RunVerdict};
use crate::summary::{Metric, Verdict};
use crate::wording::grouped;

/// What is concluded of a configuration of a run against the same one of the first run.
pub(crate) fn conclusion(input: &CompareInput, v: &RunVerdict) -> Conclusion {
    let interval = v.ratio.and_then(|ratio| ratio.interval);
    let materially = interval.is_some_and(|interval| is_material(interval, input.comparison.threshold));
    let by = v.measure.metric().map(Metric::comparing);
    Conclusion::of(v.verdict, materially, by)
}

/// A table per run, measure and family.
pub(super) fn verdicts(input: &CompareInput) -> Vec<Table> {
    let labels = Labels::new(input.scenario);
    let families = 0..input.scenario.families.len();
    let runs = input.comparison.runs.iter().skip(1);
    let parts = runs.flat_map(|run| {
        let families = families.clone();
        let measures = input.comparison.measures().into_iter();
        measures.flat_map(move |measure| families.clone().map(move |family| (run.name.as_str(), measure, family)))
    });
    with_rows(parts.map(|(run, measure, family)| table(input, &labels, run, measure, family)))
}

fn table(input: &CompareInput, labels: &Labels, run: &str, measure: Measure, family: usize) -> Table {
    type Row<'a> = &'a RunVerdict;
    let all = input.comparison.verdicts.iter();
    let is_shown = |v: &Row| v.run == run && v.measure == measure && input.family_of(&v.configuration) == Some(family);
    let rows: Vec<Row> = all.filter(is_shown).collect();
    // A search is not tested, and its trials are of many rates.
    let is_tested = measure != Measure::Capacity;
    let speed = measure.metric().map_or("ratio, possible".to_owned(), effect_header);
    let figure = |run: &str, v: &Row| {
        let found = input.comparison.figure(run, &v.configuration, v.measure);
        or_unknown(found, point_text)
    };
    let columns = [
        Column::words("configuration", |v: &Row| label(input, labels, &v.configuration)),
        Column::figures("A", |v: &Row| figure("A", v)),
        Column::figures(run, |v: &Row| figure(&v.run, v)),
        Column::figures(speed, |v: &Row| or_unknown(v.ratio, |ratio| ratio_estimate(&ratio))),
        Column::words("verdict", |v: &Row| conclusion(input, v)),
        Column::figures("p (Holm)", |v: &Row| or_unknown(v.p_holm, p_value))
            .dropped(14)
            .only_if(is_tested),
        Column::figures("trials", |v: &Row| format!("{} and {}", v.trials_baseline, v.trials))
            .dropped(3)
            .only_if(is_tested),
        Column::words("why", |v: &Row| reason(v).unwrap_or_default())
            .on_pages_only()
            .only_if(rows.iter().any(|v| reason(v).is_some())),
    ];
    let against = match family_title(input.scenario, family) {
        name if name.is_empty() => format!("{run} against A"),
        name => format!("{run} against A, {name}"),
    };
    Table::of(format!("{against}: {}", measure_title(measure)), columns, rows.clone())
}

/// Why there is no verdict. The answer says where trials are the very same.
fn reason(v: &RunVerdict) -> Option<&str> {
    let note = v.note.as_deref();
    note.filter(|_| v.verdict == Verdict::Undecided)
}

/// Why configurations are undecided, each reason once.
pub(super) fn undecided(input: &CompareInput) -> Vec<String> {
    let all = input.comparison.verdicts.iter();
    let labels = Labels::new(input.scenario);
    let name = |v: &RunVerdict| format!("{} in {}", full_label(input, &labels, &v.configuration), v.run);
    let undecided = all.filter_map(|v| Some((reason(v)?, name(v))));
    let sentence = |(why, names): (&str, Vec<String>)| format!("Undecided for {}: {why}.", names.join("; "));
    grouped(undecided).into_iter().map(sentence).collect()
}
