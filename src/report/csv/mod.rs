//! Tidy tables for other programs. Every column is declared with its unit and meaning. A test makes the tables in
//! `docs/results.md` from them.

mod changes;
mod columns;
mod rows;
mod text;
mod verdicts;

pub use self::changes::changes_csv;
pub use self::text::{summary_csv, trials_csv};
pub use self::verdicts::verdicts_csv;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use super::changes::change_columns;
    use super::columns::{self, Column, shared, summary_columns, trial_columns};
    use super::rows::SummaryRow;
    use super::verdicts::verdict_columns;
    use super::*;
    use crate::figures::{FIGURES, Figure};
    use crate::report::format::machine;
    use crate::testing::Document;
    use crate::testing::report::Fixture;

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
        document.table("changes", &HEADERS, &documented(&change_columns()));
        document.check();
    }

    #[test]
    fn the_parts_of_a_gap_in_changes_csv_add_up_to_it() {
        assert_eq!(changes_csv(&Fixture::one_vs_two().input()), None);
        let text = changes_csv(&Fixture::changes().input()).unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let headers = reader.headers().unwrap().clone();
        let place = |name: &str| headers.iter().position(|header| header == name).unwrap();
        let mut gaps: std::collections::BTreeMap<String, (f64, f64)> = std::collections::BTreeMap::new();
        for row in reader.records().map(Result::unwrap) {
            let cell = |name: &str| row[place(name)].to_owned();
            let key = [cell("trial"), cell("act"), cell("partition")].join(" ");
            let gap = gaps.entry(key).or_default();
            gap.0 = cell("gap_ms").parse().unwrap();
            gap.1 += cell("part_ms").parse::<f64>().unwrap();
            if cell("part") == "detection" {
                assert_eq!(
                    (&*cell("setting"), &*cell("setting_ms")),
                    ("session.timeout.ms", "6000")
                );
            }
        }
        // Of sixteen trials half have two gaps, and half four.
        assert_eq!(gaps.len(), 48);
        assert!(gaps.values().all(|(gap, parts)| (gap - parts).abs() < 0.01), "{gaps:?}");
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
        let names: BTreeSet<String> = all.map(|column| column.name).collect();
        let cells = |row: csv::StringRecord| {
            let all = headers.iter().zip(row.iter());
            let known = all.filter(|(name, value)| names.contains(*name) && !value.is_empty());
            known.map(|(name, value)| format!("{name}: {value}")).collect()
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
        let expected = format!("capacity_per_second: {}", machine(found.per_second.unwrap()));
        let summary = load_cells(&summary_csv(&fixture.input()));
        assert!(summary[0].contains(&expected), "{:?}", summary[0]);
        let trials = load_cells(&trials_csv(&fixture.input()));
        assert!(trials[0].contains(&expected), "{:?}", trials[0]);
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
