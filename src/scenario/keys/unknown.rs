//! What to say of a key that a table does not have.

use super::events::EVENT;
use super::kubernetes::KUBERNETES;
use super::list::keys;
use super::table::{FILL, PRODUCER, Table};
use crate::clients::ReadyMade;
use crate::scenario::client::prefixed_without_quotes;
use crate::scenario::document::Entry;
use crate::scenario::problem::Problem;
use crate::scenario::suggest::{did_you_mean, nearest};

/// A key that does not stand in that table: misplaced or misspelt.
pub(crate) fn unknown_key(entry: &Entry<'_>, stands_in: Table) -> Problem {
    let place = match stands_in {
        Table::Top => "at the top of the file".to_owned(),
        _ => format!("in {}", stands_in.header()),
    };
    let message = format!("there is no key `{}` {place}", entry.key);
    let problem = Problem::new(entry.key_span.clone(), message, "cannot stand here");
    let homes = keys().filter(|key| key.name == entry.key).flat_map(|key| key.tables);
    let homes: Vec<&str> = homes.map(|table| table.header()).collect();
    if homes.contains(&Table::Top.header()) {
        return problem.help(format!(
            "`{}` stands at the top of the file, before the first [table]",
            entry.key
        ));
    }
    if !homes.is_empty() {
        return problem.help(format!("`{}` stands in {}", entry.key, homes.join(", ")));
    }
    if let Some(app) = ReadyMade::named(entry.key).filter(|_| stands_in == Table::Matrix) {
        let name = app.name();
        return problem.help(format!(
            "properties of one app stand in [consumer.{name}] or [case.{name}]; where only `{name}` runs, [matrix.client] has \
             lists of them"
        ));
    }
    let is_prefix = [PRODUCER, FILL]
        .iter()
        .any(|prefix| prefix.starts_with(&format!("{}.", entry.key)));
    let has_prefixes = matches!(stands_in, Table::Matrix | Table::Case);
    if let Some(problem) = (is_prefix && has_prefixes)
        .then(|| prefixed_without_quotes(entry))
        .flatten()
    {
        return problem;
    }
    if entry.key.contains('.') && !entry.value.get_ref().is_table() {
        return problem.help(match stands_in {
            Table::Load => "producer properties stand in [load.client]",
            Table::Dataset => {
                "settings of the topics stand in [dataset.topic], producer properties in [dataset.client]"
            }
            _ => "client properties stand in [consumer.client], [matrix.client] or [case.client]",
        });
    }
    let tables = Table::SINGLE.into_iter().chain(Table::LISTS).map(Table::name);
    let tables = tables.filter(|_| stands_in == Table::Top);
    let here = keys().filter(|key| key.tables.contains(&stands_in)).map(|key| key.name);
    let here: Vec<&str> = here
        .chain(tables)
        .chain((stands_in == Table::Case).then_some(EVENT))
        .chain((stands_in == Table::Cluster).then_some("broker"))
        .chain((stands_in == Table::Place).then_some(KUBERNETES))
        .chain(matches!(stands_in, Table::Cluster | Table::Dataset | Table::Load).then_some("client"))
        .collect();
    if nearest(entry.key, here.iter().copied()).is_some() {
        return problem.maybe_help(did_you_mean(entry.key, here));
    }
    problem.maybe_help(did_you_mean(entry.key, keys().map(|key| key.name)))
}
