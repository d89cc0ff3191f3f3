//! The runs of a comparison, and what else differs between them.

use super::input::CompareInput;
use super::names::ONLY_CONFIGURATION;
use crate::report::format::{UNKNOWN, or_unknown};
use crate::report::table::{Column, Table, with_rows};
use crate::summary::compare::{NotCompared, RunDifference, RunFacts};

/// Where the runs are stored, when they were made, and with what.
pub(super) fn runs(input: &CompareInput) -> Table {
    type Row<'a> = &'a RunFacts;
    let columns = [
        Column::words("run", |run: &Row| run.name.clone()),
        Column::words("folder", |run: &Row| run.folder.clone()),
        Column::words("measured", |run: &Row| {
            or_unknown(run.first_trial_at, |time| {
                time.strftime("%Y-%m-%d %H:%M UTC").to_string()
            })
        }),
        Column::words("Kafka", |run: &Row| run.kafka.as_deref().unwrap_or(UNKNOWN).to_owned()),
        Column::words("client", |run: &Row| run.client.clone()),
        Column::words("tandem", |run: &Row| run.tandem.clone()),
        Column::figures("trials", |run: &Row| match run.trials_failed {
            0 => format!("{} used", run.trials_used),
            failed => format!("{} used, {failed} failed", run.trials_used),
        })
        .dropped(3),
    ];
    Table::of("Runs", columns, &input.comparison.runs)
}

/// What else differs, a table per run; empty where nothing does.
pub(super) fn differences(input: &CompareInput) -> Vec<Table> {
    type Row<'a> = &'a RunDifference;
    let several = input.comparison.runs.len() > 2;
    let tables = input.comparison.runs.iter().skip(1).map(|run| {
        let columns = [
            Column::words("what", |d: &Row| match d.configurations.as_slice() {
                [] => d.what.clone(),
                names => format!("{} of {}", d.what, names.join("; ")),
            }),
            Column::words("A", |d: &Row| d.baseline.clone()),
            Column::words(&run.name, |d: &Row| d.value.clone()),
        ];
        let caption = if several {
            format!("{} against A", run.name)
        } else {
            String::new()
        };
        let rows = input.comparison.differences.iter();
        Table::of(caption, columns, rows.filter(|d| d.run == run.name))
    });
    with_rows(tables)
}

/// Configurations that are not compared: name and run, and why.
pub(super) fn not_compared(input: &CompareInput) -> Vec<(String, String)> {
    let entry = |other: &NotCompared| {
        let name = match other.configuration.as_str() {
            "" => ONLY_CONFIGURATION,
            name => name,
        };
        (format!("{name} (A and {})", other.run), other.reason.clone())
    };
    input.comparison.not_compared.iter().map(entry).collect()
}
