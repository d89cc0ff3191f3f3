//! Reads tables of client properties.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::DeTable;

use crate::clients::ClientKind;
use crate::scenario::client::{Clients, canonical, check_mechanisms, check_name};
use crate::scenario::document::{Entry, entries};
use crate::scenario::problem::{Problem, Problems};

/// The entries of a client table whose names are properties.
pub(super) fn properties<'a>(table: &'a DeTable<'a>, clients: Clients, problems: &mut Problems) -> Vec<Entry<'a>> {
    let known = entries(table)
        .into_iter()
        .filter(|entry| problems.keep(check_name(entry, clients)).is_some());
    let known: Vec<Entry<'a>> = known.collect();
    if clients.kind() == ClientKind::Librdkafka {
        for problem in check_mechanisms(&known, clients) {
            problems.add(problem);
        }
    }
    known
}

/// The same where the client depends on the property: apps of several clients are measured.
pub(super) fn measured_properties<'a>(
    table: &'a DeTable<'a>,
    kind_of: impl Fn(&str) -> ClientKind,
    problems: &mut Problems,
) -> Vec<Entry<'a>> {
    let of_kind = |entry: &Entry<'a>| Clients::Measured(kind_of(entry.key));
    let known = entries(table)
        .into_iter()
        .filter(|entry| problems.keep(check_name(entry, of_kind(entry))).is_some());
    let known: Vec<Entry<'a>> = known.collect();
    let of_librdkafka: Vec<Entry<'a>> = known
        .iter()
        .filter(|entry| kind_of(entry.key) == ClientKind::Librdkafka)
        .cloned()
        .collect();
    for problem in check_mechanisms(&of_librdkafka, Clients::Measured(ClientKind::Librdkafka)) {
        problems.add(problem);
    }
    known
}

/// Refuses one property under two of its names: it would be open which of them counts.
pub(super) fn check_aliases<'a>(names: impl Iterator<Item = (&'a str, Range<usize>)>, problems: &mut Problems) {
    let mut names: Vec<(&str, Range<usize>)> = names.collect();
    names.sort_by_key(|(_, span)| span.start);
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, span) in names {
        let earlier = *first.entry(canonical(name)).or_insert(name);
        if earlier != name {
            let message = format!("`{name}` is another name of `{earlier}`");
            let allowed = "must have only one of its names in the file";
            problems.add(Problem::new(span, message, allowed));
        }
    }
}
