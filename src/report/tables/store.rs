//! What transactions waited for, where members write to a store.

use crate::report::format::{UNKNOWN, duration, or_unknown, percent, significant};
use crate::report::input::ReportInput;
use crate::report::labels::{Labels, family_title};
use crate::report::table::{Column, Table, with_rows};
use crate::summary::{ConfigurationSummary, SessionShares, StoreSummary};

/// Most waits in a cell.
const WAITS_MAX: usize = 3;

/// The transactions of each family whose members write to a store.
pub(crate) fn store(input: &ReportInput) -> Vec<Table> {
    type Row<'a> = (&'a ConfigurationSummary, &'a StoreSummary);
    let labels = Labels::new(input.scenario);
    let tables = input.families().map(|family| {
        let share = |header: &str, of: fn(&SessionShares) -> f64| {
            Column::figures(header, move |(_, store): &Row| {
                or_unknown(store.sessions.as_ref().map(of), percent)
            })
        };
        let figure = |value: Option<f64>| or_unknown(value, |value| significant(value, 3));
        let columns = [
            Column::configuration(&labels, |(c, _): &Row| c.configuration),
            Column::figures("rows each", move |(_, store): &Row| figure(store.rows)),
            Column::figures("transaction", |(_, store): &Row| {
                or_unknown(store.transaction_ms, |ms| duration(ms / 1e3))
            }),
            Column::figures("in transactions", |(_, store): &Row| {
                or_unknown(store.in_transactions, percent)
            }),
            share("disk", |seen| seen.disk),
            share("in the server", |seen| seen.cpu),
            share("locks", |seen| seen.lock),
            share("members", |seen| seen.member),
            share("other waits", |seen| seen.other),
            Column::words("waits most", |(_, store): &Row| {
                store.sessions.as_ref().map_or_else(|| UNKNOWN.to_owned(), waits)
            }),
            Column::figures("server, cores", move |(_, store): &Row| figure(store.cores)),
            Column::figures("tried again", |(_, store): &Row| store.retries.to_string()),
        ];
        let rows = input.of_family(family).filter_map(|c| Some((c, c.store.as_ref()?)));
        Table::of(family_title(input.scenario, family), columns, rows)
    });
    with_rows(tables)
}

/// `IO:WALSync 88 %, LWLock:WALWrite 2 %`.
fn waits(seen: &SessionShares) -> String {
    let waits = seen.waits.iter().take(WAITS_MAX);
    let waits: Vec<String> = waits
        .map(|wait| format!("{} {}", wait.name, percent(wait.share)))
        .collect();
    waits.join(", ")
}
