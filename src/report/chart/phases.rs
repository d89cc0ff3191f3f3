//! Where the time of a trial goes, from starting the first process to the last record.

use super::colours::Ink;
use super::drawing::Chart;
use super::legend::{Entry, Swatch};
use super::spec::{Axis, ChartSpec, Kind, Mark, Panel, Row};
use super::tick::Tick;
use super::words::{self, panel_title, row_title};
use crate::figures::FigureId;
use crate::measure::Measurement;
use crate::report::format::{duration, or_unknown};
use crate::report::input::ReportInput;
use crate::report::labels::Labels;
use crate::stats::median;
use crate::summary::ConfigurationSummary;

/// The phases of a trial, one after the other.
pub(in crate::report) const PHASES: [&str; 5] = ["process start", "join", "hold", "to first record", "reading"];

const DESCRIPTION: &str = "For every configuration a bar of five pieces, in seconds: starting the processes; joining, from \
    the request to subscribe until every member has its partitions; holding until the common start; from the start until the \
    last member that reads has its first record; reading. Stopwatch is the complete bar, read time its last two pieces. Each \
    piece is the median over the used trials; the times beside the bar are those of the results, geometric means over the \
    trials.";

/// Seconds of each of [`PHASES`].
pub(in crate::report) type Seconds = [f64; PHASES.len()];

/// How long each phase of a trial took.
pub(in crate::report) fn phases(m: &Measurement) -> Seconds {
    let span = |from: u64, to: u64| to.saturating_sub(from) as f64 / 1e9;
    // The last member to get its first record, so that one that starts late is not hidden by the others.
    let first = m.members.iter().filter_map(|member| member.first_record_ns).max();
    let first_s = m.since_start_s(first.unwrap_or(m.end_ns));
    [
        span(m.spawn_ns, m.subscribe_ns),
        span(m.subscribe_ns, m.joined_ns),
        span(m.joined_ns, m.start_ns),
        first_s,
        (span(m.start_ns, m.end_ns) - first_s).max(0.0),
    ]
}

/// The median of each phase over a configuration's used trials; `None` where there is none.
fn medians(input: &ReportInput, configuration: usize) -> Option<Seconds> {
    let trials: Vec<Seconds> = input.used(configuration).iter().map(|(_, m)| phases(m)).collect();
    let mut medians = [0.0; PHASES.len()];
    for (i, out) in medians.iter_mut().enumerate() {
        *out = median(&trials.iter().map(|t| t[i]).collect::<Vec<f64>>())?;
    }
    Some(medians)
}

pub(super) fn chart(input: &ReportInput, labels: &Labels) -> Option<Chart> {
    let all = input.by_family();
    let known: Vec<(&ConfigurationSummary, Seconds)> = all
        .filter_map(|c| Some((c, medians(input, c.configuration)?)))
        .collect();
    let panels = words::panels(input.scenario).into_iter().map(|families| {
        let own = known.iter().filter(|(c, _)| families.contains(&c.family));
        let rows = own.map(|(c, seconds)| row(input, labels, c, seconds));
        Panel::of_rows(panel_title(input.scenario, &families), rows.collect())
    });
    let panels: Vec<Panel> = panels.filter(Panel::has_marks).collect();
    if panels.is_empty() {
        return None;
    }
    Some(Chart::new(ChartSpec {
        name: "phases",
        title: "Phases of a trial".to_owned(),
        description: DESCRIPTION.to_owned(),
        kind: Kind::Rows,
        x: Axis::new("seconds since the first process was started", Tick::Seconds),
        y: None,
        legend: legend(),
        slots: labels.slots().to_vec(),
        panels,
    }))
}

fn ink(phase: usize, slot: usize) -> Ink {
    if phase + 1 == PHASES.len() {
        Ink::Series(slot)
    } else {
        Ink::Shade(phase)
    }
}

fn legend() -> Vec<Entry> {
    let names = PHASES.iter().enumerate();
    let mut legend: Vec<Entry> = names
        .map(|(i, name)| Entry::new(Swatch::Bar(ink(i, 0)), *name))
        .collect();
    if let Some(reading) = legend.last_mut() {
        reading.text.push_str(", in the configuration's colour");
    }
    legend
}

fn row(input: &ReportInput, labels: &Labels, c: &ConfigurationSummary, seconds: &Seconds) -> Row {
    let slot = labels.slot(c.configuration);
    let pieces = seconds.iter().zip(PHASES).enumerate();
    let pieces = pieces.map(|(phase, (length, name))| (*length, ink(phase, slot), name.to_owned()));
    Row {
        c: Some(c.configuration),
        label: row_title(input, labels, c.configuration),
        value: value(c),
        marks: Mark::stacked(pieces),
    }
}

/// The figures of the results, which are not sums of medians.
fn value(c: &ConfigurationSummary) -> String {
    let figure = |id| or_unknown(c.point(id), duration);
    format!(
        "{} read of {}",
        figure(FigureId::ReadSeconds),
        figure(FigureId::StopwatchSeconds)
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::report::Fixture;

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
            let times = [FigureId::ReadSeconds, FigureId::StopwatchSeconds].map(|id| duration(c.point(id).unwrap()));
            assert_eq!(value(c), format!("{} read of {}", times[0], times[1]));
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
