//! Where the time of a trial goes, from starting the first process to the last record.

use super::legend::Swatch;
use super::paint::Ink;
use super::rows::{Mark, Panel, Row, RowChart};
use super::{Chart, axis_end, chart as assemble, used};
use crate::figures::FigureId;
use crate::measure::Measurement;
use crate::report::ReportInput;
use crate::report::format::{duration, or_unknown, tick};
use crate::report::labels::{Labels, family_title};
use crate::report::tables::{Table, of_family};
use crate::stats::median;
use crate::summary::ConfigurationSummary;

const PHASES: [&str; 5] = ["process start", "join", "hold", "to first record", "reading"];

/// Seconds of each of [`PHASES`].
fn phases(m: &Measurement) -> [f64; 5] {
    let span = |from: u64, to: u64| to.saturating_sub(from) as f64 / 1e9;
    // The last member to get its first record: one that starts late must not hide behind the others.
    let first = m
        .members
        .iter()
        .filter_map(|member| member.first_record_ns)
        .max()
        .unwrap_or(m.end_ns);
    let first_s = m.since_start_s(first);
    [
        span(m.spawn_ns, m.subscribe_ns),
        span(m.subscribe_ns, m.joined_ns),
        span(m.joined_ns, m.start_ns),
        first_s,
        (span(m.start_ns, m.end_ns) - first_s).max(0.0),
    ]
}

/// The median of each phase over a configuration's used trials; `None` where there is none.
fn medians(input: &ReportInput, configuration: usize) -> Option<[f64; 5]> {
    let trials: Vec<[f64; 5]> = used(input, configuration).iter().map(|(_, m)| phases(m)).collect();
    let mut medians = [0.0; 5];
    for (i, out) in medians.iter_mut().enumerate() {
        *out = median(&trials.iter().map(|t| t[i]).collect::<Vec<f64>>())?;
    }
    Some(medians)
}

fn ink(phase: usize, slot: usize) -> Ink {
    if phase + 1 == PHASES.len() {
        Ink::Series(slot)
    } else {
        Ink::Shade(phase)
    }
}

pub(super) fn chart(input: &ReportInput, labels: &Labels) -> Option<Chart> {
    let mut rows_of_table = Vec::new();
    let mut panels = Vec::new();
    for family in 0..input.scenario.families.len() {
        let mut rows = Vec::new();
        let mut totals = Vec::new();
        for c in of_family(input, family) {
            let Some(seconds) = medians(input, c.configuration) else {
                continue;
            };
            let label = labels.short(c.configuration).to_owned();
            let total: f64 = seconds.iter().sum();
            totals.push(total);
            let mut cells = vec![family_title(input.scenario, family), label.clone()];
            cells.extend(seconds.iter().map(|s| duration(*s)));
            rows_of_table.push(cells);
            rows.push(Row {
                label,
                value: value(c),
                marks: marks(&seconds, labels.slot(c.configuration)),
            });
        }
        if !rows.is_empty() {
            let title = family_title(input.scenario, family);
            panels.push(Panel {
                title,
                max: axis_end(totals.into_iter()),
                tick,
                reference: None,
                rows,
            });
        }
    }
    if panels.is_empty() {
        return None;
    }
    let mut legend: Vec<(Swatch, String)> = (0..4).map(|i| (Swatch::Bar(ink(i, 0)), PHASES[i].to_owned())).collect();
    legend.push((
        Swatch::Bar(Ink::Series(0)),
        "reading, in the configuration's colour".to_owned(),
    ));
    let chart = RowChart {
        panels,
        legend,
        axis: "seconds since the first process was started".to_owned(),
    };
    let headers = [
        "family",
        "configuration",
        PHASES[0],
        PHASES[1],
        PHASES[2],
        PHASES[3],
        PHASES[4],
    ];
    let description = "For every configuration a bar of five pieces, in seconds: starting the processes; joining, from \
        being told to subscribe until every member has its partitions; holding until the common start; from the start \
        until the last member that reads has its first record; reading. Stopwatch is the whole bar, read time its last \
        two pieces. Each piece is the median over the used trials; the times beside the bar are those of the results, \
        geometric means over the trials.";
    let table = Table::new("", &headers, rows_of_table);
    Some(assemble("phases", "Phases of a trial", description, table, |frame| {
        chart.render(frame)
    }))
}

/// The figures of the results, which are not sums of medians.
fn value(c: &ConfigurationSummary) -> String {
    let shown = |id| or_unknown(c.point(id), duration);
    format!(
        "{} read of {}",
        shown(FigureId::ReadSeconds),
        shown(FigureId::StopwatchSeconds)
    )
}

fn marks(seconds: &[f64; 5], slot: usize) -> Vec<Mark> {
    let mut from = 0.0;
    let piece = |(phase, length): (usize, &f64)| {
        let to = from + length;
        let mark = Mark::Segment {
            from,
            to,
            ink: ink(phase, slot),
            text: PHASES[phase].to_owned(),
        };
        from = to;
        mark
    };
    seconds.iter().enumerate().map(piece).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn the_phases_of_a_trial_make_up_its_stopwatch() {
        let fixture = Fixture::one_vs_two();
        for m in fixture.trials.iter().filter_map(|t| t.measurement.as_ref()) {
            let total: f64 = phases(m).iter().sum();
            assert!((total - m.stopwatch_ns() as f64 / 1e9).abs() < 1e-9);
        }
    }

    #[test]
    fn the_times_beside_a_bar_are_those_of_the_results() {
        let fixture = Fixture::one_vs_two();
        for c in &fixture.summary.configurations {
            let told = [FigureId::ReadSeconds, FigureId::StopwatchSeconds].map(|id| duration(c.point(id).unwrap()));
            assert_eq!(value(c), format!("{} read of {}", told[0], told[1]));
        }
    }

    #[test]
    fn a_member_that_starts_late_lengthens_the_time_to_first_record() {
        let fixture = Fixture::one_vs_two();
        let mut m = fixture
            .trials
            .iter()
            .filter_map(|t| t.measurement.clone())
            .find(|m| m.members.len() == 2)
            .unwrap();
        m.members[1].first_record_ns = Some(m.start_ns + 700_000_000);
        assert!((phases(&m)[3] - 0.7).abs() < 1e-9);
    }
}
