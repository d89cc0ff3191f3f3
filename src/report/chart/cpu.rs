//! Cores kept busy while reading, by process, beside the throughput. The producers of load are a piece of their own.

use std::ops::Range;

use super::colours::Ink;
use super::drawing::Chart;
use super::legend::{Entry, Swatch};
use super::scale::Ruler;
use super::spec::{Axis, ChartSpec, Event, Kind, Mark, Panel, Row};
use super::tick::Tick;
use super::words::{self, panel_title, row_title};
use crate::figures::FigureId;
use crate::measure::{Measurement, Trial, limits};
use crate::report::format::{or_unknown, rate, significant};
use crate::report::input::ReportInput;
use crate::report::labels::Labels;
use crate::summary::ConfigurationSummary;

/// Mean cores busy over a trial's read time.
struct Cores {
    /// Of each process, `None` where it did not measure itself.
    processes: Vec<Option<f64>>,
    /// Of all producers of load; `None` where there are none, or one did not measure itself.
    producers: Option<f64>,
    /// `None` where the brokers run elsewhere.
    brokers: Option<f64>,
    /// Of tandem itself, which coordinates the trial.
    coordinator: f64,
    /// Of everything that does not belong to the run.
    others: f64,
}

impl Cores {
    /// Cores that the run itself kept busy.
    fn own(&self) -> f64 {
        let processes: f64 = self.processes.iter().flatten().sum();
        processes + self.producers.unwrap_or(0.0) + self.brokers.unwrap_or(0.0) + self.coordinator
    }
}

fn cores(m: &Measurement) -> Cores {
    let wall = m.read_ns().max(1) as f64;
    Cores {
        processes: m
            .processes
            .iter()
            .map(|p| p.window.as_ref().map(|u| u.cpu_ns as f64 / wall))
            .collect(),
        producers: producers_cpu_ns(m).map(|ns| ns / wall),
        brokers: m.host.brokers_cpu().map(|ns| ns as f64 / wall),
        coordinator: m.host.coordinator_cpu_ns as f64 / wall,
        others: m.host.others_cpu_ns as f64 / wall,
    }
}

fn producers_cpu_ns(m: &Measurement) -> Option<f64> {
    let producers = m.load.as_ref().map(|load| &load.producers)?;
    let each = producers.iter().map(|p| p.window.as_ref().map(|u| u.cpu_ns as f64));
    let sum: f64 = each.sum::<Option<f64>>()?;
    (!producers.is_empty()).then_some(sum)
}

/// The mean over the used trials of a configuration; `None` where nothing of the workers is known.
fn mean(trials: &[(&Trial, &Measurement)]) -> Option<Cores> {
    let all: Vec<Cores> = trials.iter().map(|(_, m)| cores(m)).collect();
    let over = |pick: &dyn Fn(&Cores) -> Option<f64>| {
        let known: Vec<f64> = all.iter().filter_map(pick).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    };
    let processes = all.iter().map(|c| c.processes.len()).max().unwrap_or(0);
    let processes: Vec<_> = (0..processes)
        .map(|i| over(&|c| c.processes.get(i).copied().flatten()))
        .collect();
    processes.iter().any(Option::is_some).then(|| Cores {
        processes,
        producers: over(&|c| c.producers),
        brokers: over(&|c| c.brokers),
        coordinator: over(&|c| Some(c.coordinator)).unwrap_or(0.0),
        others: over(&|c| Some(c.others)).unwrap_or(0.0),
    })
}

/// A configuration with its cores.
type Item<'a> = (&'a ConfigurationSummary, Cores);

pub(super) fn chart(input: &ReportInput, labels: &Labels) -> Option<Chart> {
    let all = input.by_family();
    let known: Vec<Item> = all
        .filter_map(|c| Some((c, mean(&input.used(c.configuration))?)))
        .collect();
    if known.is_empty() {
        return None;
    }
    let with_producers = known.iter().any(|(_, cores)| cores.producers.is_some());
    let producers = if with_producers {
        " then the producers of the load,"
    } else {
        ""
    };
    let description = format!(
        "For every configuration a bar of the cores that were busy while it read: a piece for each worker \
         process,{producers} then the brokers, tandem itself, and everything else on the machine; beside it the \
         throughput and the cores that the run itself kept busy. The dashed line marks all {}: where a bar reaches it, \
         the machine was the limit. Each piece is the mean over the used trials.",
        input.environment.cores_in_words()
    );
    Some(Chart::new(ChartSpec {
        name: "cpu",
        title: "CPU beside throughput".to_owned(),
        description,
        kind: Kind::Rows,
        x: Axis::new("cores busy on average during the read time", Tick::Count),
        y: None,
        legend: legend(with_producers),
        slots: labels.slots().to_vec(),
        panels: panels(input, labels, &known),
    }))
}

fn panels(input: &ReportInput, labels: &Labels, known: &[Item]) -> Vec<Panel> {
    let machine = input.environment.usable_cores();
    let panel = |families: Range<usize>| {
        let own = known.iter().filter(|(c, _)| families.contains(&c.family));
        let rows = own.map(|(c, cores)| row(input, labels, c, cores)).collect();
        let panel = Panel::of_rows(panel_title(input.scenario, &families), rows);
        Panel {
            x: Ruler::linear(panel.x.end().max(machine * 1.04)),
            reference: Some(Event {
                x: machine,
                text: format!("all {}", limits::cores(machine)),
            }),
            ..panel
        }
    };
    let shared = words::panels(input.scenario).into_iter();
    shared.map(panel).filter(Panel::has_marks).collect()
}

const PRODUCERS: Ink = Ink::Shade(3);
const BROKERS: Ink = Ink::Shade(2);
const COORDINATOR: Ink = Ink::Shade(1);
const OTHERS: Ink = Ink::Shade(0);

fn legend(with_producers: bool) -> Vec<Entry> {
    let workers = "worker processes (p1, p2, ...), in the configuration's colour";
    let entries = [
        (Ink::Series(0), workers, true),
        (PRODUCERS, "producers of the load", with_producers),
        (BROKERS, "brokers", true),
        (COORDINATOR, "tandem itself", true),
        (OTHERS, "everything else", true),
    ];
    let known = entries.into_iter().filter(|(_, _, is_shown)| *is_shown);
    known.map(|(ink, text, _)| Entry::new(Swatch::Bar(ink), text)).collect()
}

fn row(input: &ReportInput, labels: &Labels, c: &ConfigurationSummary, cores: &Cores) -> Row {
    let ink = Ink::Series(labels.slot(c.configuration));
    let processes = cores.processes.iter().enumerate();
    let processes = processes.map(|(i, busy)| (busy.unwrap_or(0.0), ink, format!("p{}", i + 1)));
    let producers = cores.producers.map(|busy| (busy, PRODUCERS, "producers".to_owned()));
    let others = [
        (cores.brokers.unwrap_or(0.0), BROKERS, "brokers".to_owned()),
        (cores.coordinator, COORDINATOR, "tandem".to_owned()),
        (cores.others, OTHERS, "else".to_owned()),
    ];
    let value = format!(
        "{} with {} cores",
        or_unknown(c.point(FigureId::RecordsPerSecond), rate),
        significant(cores.own(), 2)
    );
    Row {
        c: Some(c.configuration),
        label: row_title(input, labels, c.configuration),
        value,
        marks: Mark::stacked(processes.chain(producers).chain(others)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::report::Fixture;

    #[test]
    fn the_cores_of_a_run_leave_other_programs_out() {
        let fixture = Fixture::one_vs_two();
        for mut m in fixture.trials.iter().filter_map(|t| t.measurement.clone()) {
            let before = cores(&m);
            m.host.others_cpu_ns += m.read_ns();
            let after = cores(&m);
            assert!((after.others - before.others - 1.0).abs() < 1e-6);
            assert!((after.own() - before.own()).abs() < 1e-9 && after.own() > 0.0);
        }
    }
}
