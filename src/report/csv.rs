//! Tidy tables for other programs. Every column is documented in `docs/results.md`, which a test holds against the
//! lists here.

mod live;
mod verdicts;

use self::live::LoadCells;
pub use self::verdicts::verdicts_csv;
use super::ReportInput;
use super::figures::TrialFigures;
use super::format::{machine, work};
use crate::measure::{Measurement, Status, Trial, TrialKind};
use crate::scenario::{Configuration, DatasetSpec, Scenario};
use crate::stats::Estimate;
use crate::summary::{Along, ConfigurationSummary, ScalingPoint};

/// A column and how its value is found; an empty value says that it is not known.
struct Column<Row> {
    name: &'static str,
    value: fn(&Row) -> String,
}

fn column<Row>(name: &'static str, value: fn(&Row) -> String) -> Column<Row> {
    Column { name, value }
}

/// What the cells of a row of `summary.csv` are taken from.
struct SummaryRow<'a> {
    configuration: &'a Configuration,
    dataset: &'a DatasetSpec,
    summary: &'a ConfigurationSummary,
    scaling: Option<&'a ScalingPoint>,
}

/// What the cells of a row of `trials.csv` are taken from.
struct TrialRow<'a> {
    configuration: &'a Configuration,
    dataset: &'a DatasetSpec,
    trial: &'a Trial,
    measurement: Option<&'a Measurement>,
    figures: Option<TrialFigures>,
}

/// `summary.csv`: a row per configuration, in the scenario's order.
pub fn summary_csv(input: &ReportInput) -> String {
    let rows = input.summary.configurations.iter().filter_map(|summary| {
        let configuration = input.scenario.configurations.get(summary.configuration)?;
        let dataset = input.scenario.datasets.get(configuration.dataset)?;
        Some(SummaryRow {
            configuration,
            dataset,
            summary,
            scaling: scaling_point(input, summary.configuration),
        })
    });
    let load = |row: &SummaryRow| LoadCells::of_summary(row.summary);
    write(input.scenario, &summary_columns(), rows, |row| row.configuration, load)
}

/// `trials.csv`: a row per trial, in the order of running.
pub fn trials_csv(input: &ReportInput) -> String {
    let rows = input.trials.iter().filter_map(|trial| {
        let configuration = input.scenario.configurations.get(trial.order.configuration)?;
        let dataset = input.scenario.datasets.get(configuration.dataset)?;
        let measurement = trial.measurement.as_ref();
        Some(TrialRow {
            configuration,
            dataset,
            trial,
            measurement,
            figures: measurement.map(TrialFigures::of),
        })
    });
    let load = |row: &TrialRow| LoadCells::of_trial(input.summary, row.trial);
    write(input.scenario, &trial_columns(), rows, |row| row.configuration, load)
}

fn write<Row>(
    scenario: &Scenario,
    columns: &[Column<Row>],
    rows: impl Iterator<Item = Row>,
    configuration: impl Fn(&Row) -> &Configuration,
    load: impl Fn(&Row) -> LoadCells,
) -> String {
    let mut headers: Vec<String> = columns.iter().map(|c| c.name.to_owned()).collect();
    headers.extend(LoadCells::names());
    let keys = scenario.keys_in_use.iter().enumerate();
    let keys: Vec<(usize, &String)> = keys.filter(|(_, key)| !headers.contains(key)).collect();
    headers.extend(keys.iter().map(|(_, key)| (*key).clone()));
    let cells = |row: Row| {
        let mut cells: Vec<String> = columns.iter().map(|column| (column.value)(&row)).collect();
        cells.extend(load(&row).cells());
        let values = &configuration(&row).key_values;
        cells.extend(keys.iter().map(|(i, _)| values.get(*i).cloned().unwrap_or_default()));
        cells
    };
    table(headers, rows.map(cells))
}

/// Rows of cells, as many as there are headers, with the headers above them.
fn table(headers: Vec<String>, rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut written = writer.write_record(headers);
    for cells in rows {
        written = written.and_then(|()| writer.write_record(&cells));
    }
    debug_assert!(written.is_ok(), "rows of equal length into memory");
    writer
        .into_inner()
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default()
}

fn optional(value: Option<f64>) -> String {
    value.map(machine).unwrap_or_default()
}

fn point(estimate: Option<&Estimate>) -> String {
    optional(estimate.map(|e| e.point))
}

fn summary_columns<'a>() -> Vec<Column<SummaryRow<'a>>> {
    vec![
        column("configuration", |r| r.summary.name.clone()),
        column("topics", |r| r.dataset.topics.to_string()),
        column("partitions", |r| r.dataset.partitions.to_string()),
        column("groups", |r| r.configuration.groups.to_string()),
        column("processes", |r| r.configuration.processes.to_string()),
        column("consumers_per_process", |r| r.configuration.consumers.to_string()),
        column("members", |r| r.summary.members.to_string()),
        column("idle_members", |r| r.summary.idle_members.to_string()),
        column("record_bytes", |r| machine(r.summary.record_bytes)),
        column("work", |r| work(r.configuration.work)),
        column("trials_planned", |r| r.summary.trials_planned.to_string()),
        column("trials_used", |r| r.summary.trials_used.to_string()),
        column("trials_failed", |r| r.summary.trials_failed.to_string()),
        column("trials_excluded", |r| r.summary.trials_excluded.to_string()),
        column("records", |r| r.summary.records.to_string()),
        column("records_per_second", |r| point(r.summary.records_per_second.as_ref())),
        column("records_per_second_low", |r| {
            optional(
                r.summary
                    .records_per_second
                    .and_then(|e| e.interval)
                    .map(|(low, _)| low),
            )
        }),
        column("records_per_second_high", |r| {
            optional(
                r.summary
                    .records_per_second
                    .and_then(|e| e.interval)
                    .map(|(_, high)| high),
            )
        }),
        column("mib_per_second", |r| optional(r.summary.mib_per_second)),
        column("read_seconds", |r| point(r.summary.read_seconds.as_ref())),
        column("join_seconds", |r| optional(r.summary.join_seconds)),
        column("stopwatch_seconds", |r| point(r.summary.stopwatch_seconds.as_ref())),
        column("first_record_ms", |r| optional(r.summary.first_record_ms)),
        column("client_cpu_seconds_per_million", |r| {
            optional(r.summary.client_cpu_seconds_per_million)
        }),
        column("client_cpu_seconds_per_million_stopwatch", |r| {
            optional(r.summary.client_cpu_seconds_per_million_stopwatch)
        }),
        column("broker_cpu_seconds_per_million", |r| {
            optional(r.summary.broker_cpu_seconds_per_million)
        }),
        column("lost", |r| r.summary.lost.to_string()),
        column("duplicated", |r| r.summary.duplicated.to_string()),
        column("not_delivered", |r| r.summary.not_delivered.to_string()),
        column("redelivered", |r| r.summary.redelivered.to_string()),
        column("work_us_mean", |r| optional(r.summary.work_us_mean)),
        column("bottleneck", |r| r.summary.bottleneck.kind.as_str().to_owned()),
        column("bottleneck_evidence", |r| r.summary.bottleneck.evidence.clone()),
        column("speed_up", |r| point(r.scaling.and_then(|p| p.speed_up.as_ref()))),
        column("efficiency", |r| point(r.scaling.and_then(|p| p.efficiency.as_ref()))),
    ]
}

/// The place of a configuration in the first series that it is in: those along members come before those along threads.
fn scaling_point<'a>(input: &ReportInput<'a>, configuration: usize) -> Option<&'a ScalingPoint> {
    let of = |along_threads: bool| {
        let all = input.summary.scaling.iter();
        all.filter(move |series| (series.along == Along::Threads) == along_threads)
            .flat_map(|series| &series.points)
            .find(|point| point.configuration == configuration)
    };
    of(false).or_else(|| of(true))
}

impl TrialRow<'_> {
    fn figure(&self, figure: impl Fn(&TrialFigures) -> Option<f64>) -> String {
        optional(self.figures.as_ref().and_then(figure))
    }

    fn counted(&self, figure: impl Fn(&Measurement) -> u64) -> String {
        self.measurement.map(|m| figure(m).to_string()).unwrap_or_default()
    }
}

fn trial_columns<'a>() -> Vec<Column<TrialRow<'a>>> {
    vec![
        column("number", |r| r.trial.order.number.to_string()),
        column("kind", |r| kind(r.trial.order.kind).to_owned()),
        column("block", |r| r.trial.order.block.to_string()),
        column("position", |r| r.trial.order.position.to_string()),
        column("session", |r| r.trial.session.to_string()),
        column("started_at", |r| r.trial.started_at.to_string()),
        column("status", |r| r.trial.status.as_str().to_owned()),
        column("failure", |r| failure(&r.trial.status)),
        column("flags", |r| flags(r.trial)),
        column("configuration", |r| r.trial.configuration_name.clone()),
        column("topics", |r| r.dataset.topics.to_string()),
        column("partitions", |r| r.dataset.partitions.to_string()),
        column("groups", |r| r.configuration.groups.to_string()),
        column("processes", |r| r.configuration.processes.to_string()),
        column("consumers_per_process", |r| r.configuration.consumers.to_string()),
        column("members", |r| r.configuration.members().to_string()),
        column("idle_members", |r| {
            r.figures
                .as_ref()
                .map(|f| f.idle_members.to_string())
                .unwrap_or_default()
        }),
        column("record_bytes", |r| r.figure(|f| f.record_bytes)),
        column("work", |r| work(r.configuration.work)),
        column("records", |r| r.counted(Measurement::records)),
        column("records_per_second", |r| r.figure(|f| f.records_per_second)),
        column("mib_per_second", |r| r.figure(|f| f.mib_per_second)),
        column("read_seconds", |r| r.figure(|f| Some(f.read_seconds))),
        column("join_seconds", |r| r.figure(|f| Some(f.join_seconds))),
        column("stopwatch_seconds", |r| r.figure(|f| Some(f.stopwatch_seconds))),
        column("first_record_ms", |r| r.figure(|f| f.first_record_ms)),
        column("client_cpu_seconds_per_million", |r| {
            r.figure(|f| f.client_cpu_seconds_per_million)
        }),
        column("client_cpu_seconds_per_million_stopwatch", |r| {
            r.figure(|f| f.client_cpu_seconds_per_million_stopwatch)
        }),
        column("broker_cpu_seconds_per_million", |r| {
            r.figure(|f| f.broker_cpu_seconds_per_million)
        }),
        column("lost", |r| r.counted(|m| m.lost)),
        column("duplicated", |r| r.counted(|m| m.duplicated)),
        column("not_delivered", |r| r.counted(|m| m.not_delivered)),
        column("redelivered", |r| r.counted(|m| m.redelivered)),
        column("work_us_mean", |r| r.figure(|f| f.work_us_mean)),
    ]
}

/// `pilot`, `search`, `warmup` or `counted`.
pub(super) fn kind(kind: TrialKind) -> &'static str {
    match kind {
        TrialKind::Pilot => "pilot",
        TrialKind::Warmup => "warmup",
        TrialKind::Counted => "counted",
        TrialKind::Search => "search",
    }
}

fn failure(status: &Status) -> String {
    match status {
        Status::Complete => String::new(),
        Status::Excluded { reason } => reason.clone(),
        Status::Failed(failure) => match &failure.who {
            Some(who) => format!("{}: {who}: {}", failure.kind.describe(), failure.message),
            None => format!("{}: {}", failure.kind.describe(), failure.message),
        },
    }
}

fn flags(trial: &Trial) -> String {
    trial
        .flags
        .iter()
        .map(|flag| flag.name.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::fixture::Fixture;
    use super::verdicts::verdict_columns;
    use super::*;

    const DOCUMENT: &str = include_str!("../../docs/results.md");

    /// Names in the first column of the tables under a heading of the document.
    fn documented(heading: &str) -> BTreeSet<String> {
        let section = DOCUMENT.split("\n## ").find(|s| s.starts_with(heading)).unwrap();
        section
            .lines()
            .filter_map(|line| {
                line.strip_prefix("| `")?
                    .split_once('`')
                    .map(|(name, _)| name.to_owned())
            })
            .collect()
    }

    fn names<Row>(columns: &[Column<Row>]) -> BTreeSet<String> {
        let fixed = columns.iter().map(|c| c.name.to_owned());
        fixed.chain(LoadCells::names()).collect()
    }

    #[test]
    fn every_column_is_documented_and_every_documented_column_exists() {
        assert_eq!(documented("summary.csv"), names(&summary_columns()));
        assert_eq!(documented("trials.csv"), names(&trial_columns()));
        let verdicts: BTreeSet<String> = verdict_columns().iter().map(|c| c.name.to_owned()).collect();
        assert_eq!(documented("verdicts.csv"), verdicts);
    }

    #[test]
    fn rows_have_a_column_for_every_key_in_use_that_is_no_column_already() {
        let mut fixture = Fixture::one_vs_two();
        fixture.scenario.keys_in_use.push("client.fetch.min.bytes".to_owned());
        for configuration in &mut fixture.scenario.configurations {
            configuration.key_values.push("4096".to_owned());
        }
        let text = summary_csv(&fixture.input());
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let headers = reader.headers().unwrap().clone();
        let position = headers.iter().position(|h| h == "client.fetch.min.bytes").unwrap();
        assert_eq!(headers.iter().filter(|h| *h == "work").count(), 1);
        assert!(reader.records().all(|r| &r.unwrap()[position] == "4096"));
    }

    #[test]
    fn verdicts_csv_reads_as_documented() {
        insta::assert_snapshot!(verdicts_csv(&Fixture::one_vs_two().input()));
    }

    #[test]
    fn summary_csv_reads_as_documented() {
        insta::assert_snapshot!(summary_csv(&Fixture::one_vs_two().input()));
    }

    /// The columns of the load, a row for each configuration: `name: value` of every cell that is not empty.
    fn load_cells(text: &str) -> Vec<Vec<String>> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let headers = reader.headers().unwrap().clone();
        let wanted: BTreeSet<String> = LoadCells::names().into_iter().collect();
        let cells = |row: csv::StringRecord| {
            let all = headers.iter().zip(row.iter());
            let shown = all.filter(|(name, value)| wanted.contains(*name) && !value.is_empty());
            shown.map(|(name, value)| format!("{name}: {value}")).collect()
        };
        reader.records().map(|row| cells(row.unwrap())).collect()
    }

    #[test]
    fn live_configurations_have_their_load_and_latencies_and_overloaded_ones_no_latencies() {
        insta::assert_debug_snapshot!(load_cells(&summary_csv(&Fixture::latency().input())));
    }

    #[test]
    fn a_search_for_capacity_has_its_answer_in_every_row() {
        let fixture = Fixture::capacity();
        let found = fixture.summary.configurations[0]
            .live
            .as_ref()
            .unwrap()
            .capacity
            .unwrap();
        let wanted = format!("capacity_per_second: {}", machine(found.per_second.unwrap()));
        let summary = load_cells(&summary_csv(&fixture.input()));
        assert!(summary[0].contains(&wanted), "{:?}", summary[0]);
        let trials = load_cells(&trials_csv(&fixture.input()));
        assert!(trials[0].contains(&wanted), "{:?}", trials[0]);
    }

    #[test]
    fn a_live_trial_has_its_own_latencies_even_where_they_are_not_used() {
        let text = trials_csv(&Fixture::latency().input());
        let overloaded = load_cells(&text)
            .into_iter()
            .find(|cells| cells.contains(&"overloaded: true".to_owned()))
            .unwrap();
        assert!(
            overloaded.iter().any(|cell| cell.starts_with("response_p99_ms: ")),
            "{overloaded:?}"
        );
        assert!(
            overloaded.iter().all(|cell| !cell.starts_with("capacity")),
            "{overloaded:?}"
        );
    }

    #[test]
    fn a_backlog_has_no_cell_of_a_load() {
        let cells = load_cells(&trials_csv(&Fixture::one_vs_two().input()));
        assert!(cells.iter().all(Vec::is_empty), "{cells:?}");
    }

    #[test]
    fn a_failed_trial_has_its_failure_and_no_invented_figures() {
        let text = trials_csv(&Fixture::one_vs_two().input());
        let header = text.lines().next().unwrap();
        let failed = text.lines().find(|l| l.contains(",failed,")).unwrap();
        insta::assert_snapshot!(format!("{header}\n{failed}"));
    }

    #[test]
    fn names_with_commas_quotes_and_line_breaks_stay_one_cell() {
        let mut fixture = Fixture::one_vs_two();
        fixture.summary.configurations[0].name = "a, \"b\"\nc".to_owned();
        let text = summary_csv(&fixture.input());
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(&reader.records().next().unwrap().unwrap()[0], "a, \"b\"\nc");
    }
}
