//! Tidy tables for other programs. Every column is declared with its unit and meaning, of which `docs/results.md` is
//! made: a test renews its tables.

mod columns;
mod verdicts;

use self::columns::{Column, LoadState, Row, shared, summary_columns, trial_columns};
pub use self::verdicts::verdicts_csv;
use super::ReportInput;
use super::format::machine;
use crate::figures::{Figure, FigureId, TrialFigures, Value};
use crate::measure::{Status, Trial, TrialKind};
use crate::scenario::{Configuration, DatasetSpec, Scenario};
use crate::stats::Estimate;
use crate::summary::{Along, CapacitySummary, ConfigurationSummary, ScalingPoint};

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
    figures: Option<TrialFigures>,
    /// Of its configuration.
    capacity: Option<CapacitySummary>,
}

impl Row for SummaryRow<'_> {
    fn configuration(&self) -> (&Configuration, &DatasetSpec) {
        (self.configuration, self.dataset)
    }

    fn figure(&self, figure: &Figure) -> String {
        match self.summary.figures.get(figure.id) {
            Some(Value::Count(count)) => count.to_string(),
            value => optional(value.map(|value| value.point())),
        }
    }

    fn load(&self) -> Option<LoadState> {
        let live = self.summary.live.as_ref()?;
        // Without a trial nothing was reached or overloaded.
        self.summary.point(FigureId::OfferedPerSecond)?;
        Some(LoadState {
            reached: live.load_reached,
            overloaded: live.overloaded,
            judgement: live.judgement.clone(),
        })
    }

    fn capacity(&self) -> Option<CapacitySummary> {
        self.summary.live.as_ref()?.capacity
    }
}

impl Row for TrialRow<'_> {
    fn configuration(&self) -> (&Configuration, &DatasetSpec) {
        (self.configuration, self.dataset)
    }

    fn figure(&self, figure: &Figure) -> String {
        let value = self.figures.as_ref().and_then(|figures| figures.get(figure.id));
        match value {
            Some(value) if figure.is_count() => format!("{value:.0}"),
            value => optional(value),
        }
    }

    fn load(&self) -> Option<LoadState> {
        let load = self.trial.measurement.as_ref()?.load.as_ref()?;
        Some(LoadState {
            reached: load.reached,
            overloaded: load.overload.is_some(),
            judgement: load.judgement.clone(),
        })
    }

    fn capacity(&self) -> Option<CapacitySummary> {
        self.capacity
    }
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
    write(input.scenario, &shared(summary_columns()), rows)
}

/// `trials.csv`: a row per trial, in the order of running.
pub fn trials_csv(input: &ReportInput) -> String {
    let rows = input.trials.iter().filter_map(|trial| {
        let index = trial.order.configuration;
        let configuration = input.scenario.configurations.get(index)?;
        let dataset = input.scenario.datasets.get(configuration.dataset)?;
        let measurement = trial.measurement.as_ref();
        let of_configuration = input.summary.configurations.iter().find(|c| c.configuration == index);
        Some(TrialRow {
            configuration,
            dataset,
            trial,
            figures: measurement.map(|measurement| TrialFigures::of(configuration, measurement)),
            capacity: of_configuration.and_then(|c| c.live.as_ref()?.capacity),
        })
    });
    write(input.scenario, &shared(trial_columns()), rows)
}

fn write<R: Row>(scenario: &Scenario, columns: &[Column<R>], rows: impl Iterator<Item = R>) -> String {
    let mut headers: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let keys = scenario.keys_in_use.iter().enumerate();
    let keys: Vec<(usize, &String)> = keys.filter(|(_, key)| !headers.contains(key)).collect();
    headers.extend(keys.iter().map(|(_, key)| (*key).clone()));
    let cells = |row: R| {
        let mut cells: Vec<String> = columns.iter().map(|column| (column.value)(&row)).collect();
        let values = &row.configuration().0.key_values;
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
        .map(|flag| flag.kind.as_str())
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
    use crate::figures::FIGURES;
    use crate::testing::Document;

    /// The rows of a table of columns.
    fn documented<R>(columns: &[Column<R>]) -> Vec<Vec<String>> {
        let row = |column: &Column<R>| {
            let name = format!("`{}`", column.name);
            std::iter::once(name).chain(column.about.clone()).collect()
        };
        columns.iter().map(row).collect()
    }

    #[test]
    fn the_documentation_is_made_from_the_columns() {
        const HEADERS: [&str; 3] = ["column", "unit", "meaning"];
        let (summary, trials) = (summary_columns(), trial_columns());
        let of_summary: Vec<_> = summary
            .first
            .into_iter()
            .chain(summary.middle)
            .chain(summary.last)
            .collect();
        let figure = |figure: &Figure| {
            let over = figure.over_text();
            vec![
                format!("`{}`", figure.name),
                figure.unit.name().to_owned(),
                figure.meaning.clone(),
                over,
            ]
        };
        let mut document = Document::read("docs/results.md");
        document.table("summary", &HEADERS, &documented(&of_summary));
        document.table("trials", &HEADERS, &documented(&trials.first));
        document.table("both", &HEADERS, &documented(&columns::what_was_run::<SummaryRow>()));
        let headers = ["column", "unit", "of a trial", "over the trials of a configuration"];
        document.table("figures", &headers, &FIGURES.iter().map(figure).collect::<Vec<_>>());
        let loads = columns::loads::<SummaryRow>().into_iter().chain(columns::capacities());
        document.table("loads", &HEADERS, &documented(&loads.collect::<Vec<_>>()));
        document.table("verdicts", &HEADERS, &documented(&verdict_columns()));
        document.check();
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
        let of_load = |column: &Column<SummaryRow>| {
            let is_figure = FIGURES
                .iter()
                .any(|figure| figure.is_of_load() && figure.name == column.name);
            is_figure
                || columns::loads::<SummaryRow>()
                    .iter()
                    .chain(&columns::capacities())
                    .any(|c| c.name == column.name)
        };
        let all = shared(summary_columns()).into_iter().filter(of_load);
        let wanted: BTreeSet<String> = all.map(|column| column.name).collect();
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
        fixture.scenario.configurations[0].name = "a, \"b\"\nc".to_owned();
        let text = summary_csv(&fixture.input());
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(&reader.records().next().unwrap().unwrap()[0], "a, \"b\"\nc");
    }
}
