//! The text of the files.

use super::columns::{Column, shared, summary_columns, trial_columns};
use super::rows::{Row, summary_rows, trial_rows};
use crate::report::input::ReportInput;
use crate::scenario::Scenario;

/// `summary.csv`: a row per configuration, in the scenario's order.
pub fn summary_csv(input: &ReportInput) -> String {
    write(input.scenario, &shared(summary_columns()), summary_rows(input))
}

/// `trials.csv`: a row per trial, in the order of running.
pub fn trials_csv(input: &ReportInput) -> String {
    write(input.scenario, &shared(trial_columns()), trial_rows(input))
}

/// The columns, and one for every key of the scenario that has none.
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
pub(super) fn table(headers: Vec<String>, rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut written = writer.write_record(headers);
    for cells in rows {
        written = written.and_then(|()| writer.write_record(&cells));
    }
    debug_assert!(written.is_ok(), "rows of equal length into memory");
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}
