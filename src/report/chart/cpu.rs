//! Cores kept busy while reading, by process, beside what was read; the producers of load apart.

use super::legend::Swatch;
use super::paint::Ink;
use super::rows::{Mark, Panel, Row, RowChart};
use super::{Chart, chart as assemble, used};
use crate::figures::FigureId;
use crate::measure::{Measurement, Trial, limits};
use crate::report::ReportInput;
use crate::report::format::{or_unknown, rate, significant, tick};
use crate::report::labels::{Labels, family_title};
use crate::report::tables::{Table, of_family};
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
    /// Of everything that is not of the run.
    others: f64,
}

impl Cores {
    /// What the run itself kept busy.
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

pub(super) fn chart(input: &ReportInput, labels: &Labels) -> Option<Chart> {
    let machine = input.environment.usable_cores();
    let mut panels = Vec::new();
    let mut table_rows = Vec::new();
    let mut with_producers = false;
    for family in 0..input.scenario.families.len() {
        let mut rows = Vec::new();
        for c in of_family(input, family) {
            let trials = used(input, c.configuration);
            let Some(cores) = mean(&trials) else { continue };
            with_producers |= cores.producers.is_some();
            table_rows.push(table_row(input, labels, c, &cores));
            rows.push(row(labels, c, &cores));
        }
        if !rows.is_empty() {
            let ends = rows.iter().flat_map(|row| &row.marks).filter_map(|mark| match mark {
                Mark::Segment { to, .. } => Some(*to),
                _ => None,
            });
            let max = ends.fold(machine, f64::max) * 1.04;
            let reference = Some((machine, format!("all {}", limits::cores(machine))));
            panels.push(Panel {
                title: family_title(input.scenario, family),
                max,
                tick,
                reference,
                rows,
            });
        }
    }
    if panels.is_empty() {
        return None;
    }
    let chart = RowChart {
        panels,
        legend: legend(with_producers),
        axis: "cores busy on average during the read time".to_owned(),
    };
    let producers = if with_producers {
        " then the producers of the load,"
    } else {
        ""
    };
    let description = format!(
        "For every configuration a bar of the cores that were busy while it read: a piece for each worker \
         process,{producers} then the brokers, tandem itself, and everything else on the machine; beside it the \
         throughput and the cores that the run itself kept busy. The dashed line marks all {}: a bar that reaches it \
         says that the machine was the limit.",
        input.environment.cores_in_words()
    );
    let headers = [
        "family",
        "configuration",
        "records/s",
        "cores per process",
        "producers",
        "brokers",
        "tandem",
        "everything else",
        "the run",
    ];
    let mut table = Table::new("", &headers, table_rows);
    if !with_producers {
        table.remove("producers");
    }
    Some(assemble("cpu", "CPU beside throughput", &description, table, |frame| {
        chart.render(frame)
    }))
}

fn legend(with_producers: bool) -> Vec<(Swatch, String)> {
    let mut legend = vec![
        (
            Swatch::Bar(Ink::Series(0)),
            "worker processes (p1, p2, ...), in the configuration's colour".to_owned(),
        ),
        (Swatch::Bar(Ink::Shade(3)), "producers of the load".to_owned()),
        (Swatch::Bar(Ink::Shade(2)), "brokers".to_owned()),
        (Swatch::Bar(Ink::Shade(1)), "tandem itself".to_owned()),
        (Swatch::Bar(Ink::Shade(0)), "everything else".to_owned()),
    ];
    if !with_producers {
        legend.remove(1);
    }
    legend
}

fn row(labels: &Labels, c: &ConfigurationSummary, cores: &Cores) -> Row {
    let slot = labels.slot(c.configuration);
    let processes = cores.processes.iter().enumerate();
    let mut pieces: Vec<(f64, Ink, String)> = processes
        .map(|(i, busy)| (busy.unwrap_or(0.0), Ink::Series(slot), format!("p{}", i + 1)))
        .collect();
    if let Some(busy) = cores.producers {
        pieces.push((busy, Ink::Shade(3), "producers".to_owned()));
    }
    pieces.push((cores.brokers.unwrap_or(0.0), Ink::Shade(2), "brokers".to_owned()));
    pieces.push((cores.coordinator, Ink::Shade(1), "tandem".to_owned()));
    pieces.push((cores.others, Ink::Shade(0), "else".to_owned()));
    let mut from = 0.0;
    let mut marks = Vec::new();
    for (busy, ink, text) in pieces {
        marks.push(Mark::Segment {
            from,
            to: from + busy,
            ink,
            text,
        });
        from += busy;
    }
    let value = format!(
        "{} with {} cores",
        or_unknown(c.point(FigureId::RecordsPerSecond), rate),
        significant(cores.own(), 2)
    );
    Row {
        label: labels.short(c.configuration).to_owned(),
        value,
        marks,
    }
}

fn table_row(input: &ReportInput, labels: &Labels, c: &ConfigurationSummary, cores: &Cores) -> Vec<String> {
    let busy = |v: f64| significant(v, 3);
    let processes: Vec<String> = cores.processes.iter().map(|p| or_unknown(*p, busy)).collect();
    vec![
        family_title(input.scenario, c.family),
        labels.short(c.configuration).to_owned(),
        or_unknown(c.point(FigureId::RecordsPerSecond), rate),
        processes.join(", "),
        or_unknown(cores.producers, busy),
        or_unknown(cores.brokers, busy),
        busy(cores.coordinator),
        busy(cores.others),
        busy(cores.own()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

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
