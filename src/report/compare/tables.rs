//! The tables that every form of a comparison has. Plain text: each form escapes it as it needs.

use super::CompareInput;
use crate::report::format::{
    UNKNOWN, or_unknown, p_value, percent, printable, rate, rate_estimate, ratio_estimate, significant,
};
use crate::report::labels::{Labels, family_title};
use crate::report::tables::Table;
use crate::stats::{Estimate, is_material};
use crate::summary::compare::{Measure, RunFacts, RunFigure, RunVerdict};
use crate::summary::{CapacitySummary, Verdict};

/// The runs: where they lie, when and with what they were made.
pub(super) fn runs(input: &CompareInput) -> Table {
    let headers = ["run", "folder", "measured", "Kafka", "client", "tandem", "#trials"];
    let rows = input.comparison.runs.iter().map(|run| {
        let begun = run
            .first_trial_at
            .map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
        vec![
            run.name.clone(),
            printable(&run.folder),
            begun.unwrap_or_else(|| UNKNOWN.to_owned()),
            printable(run.kafka.as_deref().unwrap_or(UNKNOWN)),
            printable(&run.client),
            printable(&run.tandem),
            trials_of(run),
        ]
    });
    Table::new("Runs", &headers, rows.collect())
}

fn trials_of(run: &RunFacts) -> String {
    if run.trials_failed > 0 {
        format!("{} used, {} failed", run.trials_used, run.trials_failed)
    } else {
        format!("{} used", run.trials_used)
    }
}

/// What else differs, a table per run; empty where nothing does.
pub(super) fn differences(input: &CompareInput) -> Vec<Table> {
    let several = input.comparison.runs.len() > 2;
    let others = input.comparison.runs.iter().skip(1);
    let tables = others.map(|run| {
        let of = input.comparison.differences.iter().filter(|d| d.run == run.name);
        let rows = of.map(|d| {
            let what = if d.configurations.is_empty() {
                d.what.clone()
            } else {
                format!("{} of {}", d.what, d.configurations.join("; "))
            };
            [&what, &d.baseline, &d.value].map(|text| printable(text)).to_vec()
        });
        let caption = if several {
            format!("{} against A", run.name)
        } else {
            String::new()
        };
        Table::new(caption, &["what", "A", &run.name], rows.collect())
    });
    tables.filter(|table| !table.rows.is_empty()).collect()
}

/// The column that says why there is no verdict.
pub(super) const WHY: &str = "why";

/// The verdicts: a table per run, measure and family.
pub(super) fn verdicts(input: &CompareInput) -> Vec<Table> {
    let labels = Labels::new(input.scenario);
    let mut tables = Vec::new();
    for run in input.comparison.runs.iter().skip(1) {
        for measure in Measure::ALL {
            for family in 0..input.scenario.families.len() {
                let of = |v: &&RunVerdict| {
                    v.run == run.name && v.measure == measure && family_of(input, &v.configuration) == Some(family)
                };
                let verdicts: Vec<&RunVerdict> = input.comparison.verdicts.iter().filter(of).collect();
                let what = match family_title(input.scenario, family) {
                    name if name.is_empty() => format!("{} against A: {}", run.name, title(measure)),
                    name => format!("{} against A, {name}: {}", run.name, title(measure)),
                };
                tables.extend((!verdicts.is_empty()).then(|| table(input, &labels, what, &verdicts)));
            }
        }
    }
    tables
}

fn table(input: &CompareInput, labels: &Labels, caption: String, verdicts: &[&RunVerdict]) -> Table {
    let with_reasons = verdicts.iter().any(|v| reason(v).is_some());
    let run = verdicts.first().map_or("", |v| &v.run);
    let measure = verdicts.first().map(|v| v.measure);
    let speed = if measure == Some(Measure::Capacity) {
        "#ratio, possible"
    } else {
        "#speed\u{a0}[95\u{a0}%]"
    };
    let other = format!("#{run}");
    let headers = [
        "configuration",
        "#A",
        &other,
        speed,
        "verdict",
        "#p (Holm)",
        "#trials",
        WHY,
    ];
    let row = |v: &&RunVerdict| row(input, labels, v);
    let mut table = Table::new(caption, &headers, verdicts.iter().map(row).collect());
    if !with_reasons {
        table.remove(WHY);
    }
    if measure == Some(Measure::Capacity) {
        // A search is not tested, and its trials are of many rates.
        table.remove("p (Holm)");
        table.remove("trials");
    }
    table
}

/// Why a verdict is none. That trials are the very same the answer says.
fn reason(v: &RunVerdict) -> Option<String> {
    let note = v.note.as_ref().filter(|_| v.verdict == Verdict::Undecided);
    note.map(|note| printable(note))
}

/// Each reason with the configurations that it is for.
pub(super) fn reasons(input: &CompareInput) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for v in &input.comparison.verdicts {
        let Some(why) = reason(v) else { continue };
        let name = printable(&format!("{} in {}", v.configuration, v.run));
        match found.iter_mut().find(|(_, known)| *known == why) {
            Some((names, _)) => {
                names.push_str("; ");
                names.push_str(&name);
            }
            None => found.push((name, why)),
        }
    }
    found
}

fn family_of(input: &CompareInput, name: &str) -> Option<usize> {
    let compared = input.comparison.configurations.iter().find(|c| c.name == name)?;
    Some(input.scenario.configurations.get(compared.index)?.family)
}

/// What a measure is, with its unit.
pub(in crate::report) fn title(measure: Measure) -> &'static str {
    match measure {
        Measure::ReadTime => "records per second by read time",
        Measure::ResponseP99 => "99th percentile of the response time",
        Measure::CatchUp => "time until there was no lag",
        Measure::Capacity => "highest rate that held the objective",
    }
}

fn row(input: &CompareInput, labels: &Labels, v: &RunVerdict) -> Vec<String> {
    let figure = |run: &str| {
        let found = input.comparison.figure(run, &v.configuration, v.measure);
        found.map_or_else(|| UNKNOWN.to_owned(), point_text)
    };
    vec![
        label(input, labels, &v.configuration),
        figure("A"),
        figure(&v.run),
        v.ratio
            .map_or_else(|| UNKNOWN.to_owned(), |ratio| ratio_estimate(&ratio)),
        verdict_text(v, input.comparison.threshold).to_owned(),
        or_unknown(v.p_holm, p_value),
        format!("{} and {}", v.trials_baseline, v.trials),
        reason(v).unwrap_or_default(),
    ]
}

/// A configuration's name within its family.
pub(in crate::report) fn label(input: &CompareInput, labels: &Labels, name: &str) -> String {
    let compared = input.comparison.configurations.iter().find(|c| c.name == name);
    let short = compared.map_or("", |c| labels.short(c.index));
    match (short, name) {
        ("", "") => "the only configuration".to_owned(),
        ("", name) => printable(name),
        (short, _) => short.to_owned(),
    }
}

/// The same where configurations of several families stand together.
pub(in crate::report) fn full_label(input: &CompareInput, labels: &Labels, name: &str) -> String {
    if input.scenario.families.len() > 1 {
        printable(name)
    } else {
        label(input, labels, name)
    }
}

/// The verdict in a word or two.
pub(in crate::report) fn verdict_text(v: &RunVerdict, threshold: f64) -> &'static str {
    let material = v
        .ratio
        .and_then(|ratio| ratio.interval)
        .is_some_and(|interval| is_material(interval, threshold));
    match v.verdict {
        Verdict::Same => "same",
        Verdict::Faster if material => "materially faster",
        Verdict::Faster => "faster",
        Verdict::Slower if material => "materially slower",
        Verdict::Slower => "slower",
        Verdict::Undecided => "undecided",
    }
}

/// A run's figure without its interval, which the chart and its table have; of a capacity the rate that held.
fn point_text(figure: &RunFigure) -> String {
    if let Some(capacity) = &figure.capacity {
        return or_unknown(capacity.low, rate);
    }
    let alone = |estimate: Estimate| Estimate {
        interval: None,
        ..estimate
    };
    figure_text(&RunFigure {
        estimate: figure.estimate.map(alone),
        ..figure.clone()
    })
}

/// A run's figure with its interval.
pub(in crate::report) fn figure_text(figure: &RunFigure) -> String {
    match (&figure.capacity, figure.estimate) {
        (Some(capacity), _) => capacity_text(capacity),
        (None, Some(estimate)) => estimate_text(figure.measure, &estimate),
        (None, None) => UNKNOWN.to_owned(),
    }
}

fn capacity_text(capacity: &CapacitySummary) -> String {
    match (capacity.low, capacity.high) {
        (Some(low), Some(high)) => format!("{}, fails at {}", rate(low), rate(high)),
        (Some(low), None) => format!("{}, fails nowhere", rate(low)),
        (None, Some(high)) => format!("none, fails at {}", rate(high)),
        (None, None) => UNKNOWN.to_owned(),
    }
}

fn estimate_text(measure: Measure, estimate: &Estimate) -> String {
    let unit = match measure {
        Measure::ReadTime | Measure::Capacity => return rate_estimate(estimate),
        Measure::ResponseP99 => "ms",
        Measure::CatchUp => "s",
    };
    let number = |value: f64| significant(value, 3);
    match estimate.interval {
        Some((low, high)) => format!("{} {unit} [{}, {}]", number(estimate.point), number(low), number(high)),
        None => format!("{} {unit}", number(estimate.point)),
    }
}

/// The threshold in a sentence.
pub(super) fn threshold(input: &CompareInput) -> String {
    format!(
        "The practical threshold is ±{}: a smaller difference is none.",
        percent(input.comparison.threshold)
    )
}
