//! Reads what makes configurations: the settings of `[dataset]`, `[consumer]`, `[load]`, `[[case]]` and the lists of `[matrix]`,
//! all by the one list of keys.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::DeTable;

use super::client::{self, Clients};
use super::document::{Entry, entries};
use super::draft::{Draft, DraftAxis};
use super::error::{Problem, Problems};
use super::keys::{Key, Table, key_in, unknown_key};
use super::mechanisms;
use super::secrets::is_suspicious;
use super::settings::{CLIENT, Given, PRODUCER, Setting};
use super::topic_settings;
use super::values::{Node, describe};

/// The entries of a client table whose names are properties.
pub(super) fn properties<'a>(table: &'a DeTable<'a>, clients: Clients, problems: &mut Problems) -> Vec<Entry<'a>> {
    let known = entries(table)
        .into_iter()
        .filter(|entry| problems.keep(client::check_name(entry, clients)).is_some());
    let known: Vec<Entry<'a>> = known.collect();
    for problem in mechanisms::check(&known, clients) {
        problems.add(problem);
    }
    known
}

/// The settings of `[dataset]`, `[consumer]`, `[load]` or a case.
pub(super) fn read_settings(table: &DeTable<'_>, stands_in: Table, problems: &mut Problems) -> Vec<Given> {
    let mut settings = Vec::new();
    for entry in entries(table) {
        if let Some(client) = client_table(&entry, stands_in) {
            let (clients, start, setting) = if stands_in == Table::Load {
                (Clients::Load, PRODUCER, Setting::ProducerProperty as fn(_) -> _)
            } else {
                (Clients::Measured, CLIENT, Setting::Property as fn(_) -> _)
            };
            for property in properties(client, clients, problems) {
                let read = client::read_value(property.key, property.value);
                let read = problems.keep(read).map(setting);
                settings.extend(read.map(|setting| given(format!("{start}{}", property.key), &property, setting)));
            }
            continue;
        }
        if let Some(property) = producer_property(&entry, stands_in) {
            let read = client::check_name(&property, Clients::Load)
                .and_then(|()| client::read_value(property.key, property.value));
            let read = problems.keep(read).map(Setting::ProducerProperty);
            settings.extend(read.map(|setting| given(entry.key.to_owned(), &entry, setting)));
            continue;
        }
        if let Some(table) = entry
            .value
            .get_ref()
            .as_table()
            .filter(|_| (stands_in, entry.key) == (Table::Dataset, "topic"))
        {
            settings.extend(topic_settings::read(table, problems));
            continue;
        }
        match key_in(stands_in, entry.key).map(Key::setting) {
            Some(Some(read)) => {
                let read = read(entry.value).map_err(|refusal| refusal.problem(entry.key, entry.value));
                settings.extend(
                    problems
                        .keep(read)
                        .map(|setting| given(entry.key.to_owned(), &entry, setting)),
                );
            }
            // The case's name.
            Some(None) => {}
            None => problems.add(unknown_key(&entry, stands_in)),
        }
    }
    settings
}

fn client_table<'a>(entry: &Entry<'a>, stands_in: Table) -> Option<&'a DeTable<'a>> {
    let allowed = matches!(stands_in, Table::Consumer | Table::Load | Table::Matrix | Table::Case);
    entry
        .value
        .get_ref()
        .as_table()
        .filter(|_| allowed && entry.key == "client")
}

/// In `[matrix]` and cases: the entry of a property of producers, by the property's own name.
fn producer_property<'a>(entry: &Entry<'a>, stands_in: Table) -> Option<Entry<'a>> {
    let name = entry.key.strip_prefix(PRODUCER)?;
    matches!(stands_in, Table::Matrix | Table::Case).then(|| Entry {
        key: name,
        ..entry.clone()
    })
}

fn given(key: String, entry: &Entry<'_>, setting: Setting) -> Given {
    Given {
        key,
        key_span: entry.key_span.clone(),
        span: entry.value.span(),
        setting,
    }
}

/// One property under two of its names: which one counts could not be told.
pub(super) fn check_aliases<'a>(names: impl Iterator<Item = (&'a str, Range<usize>)>, problems: &mut Problems) {
    let mut names: Vec<(&str, Range<usize>)> = names.collect();
    names.sort_by_key(|(_, span)| span.start);
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, span) in names {
        let earlier = *first.entry(client::canonical(name)).or_insert(name);
        if earlier != name {
            let message = format!("`{name}` is another name of `{earlier}`");
            problems.add(Problem::new(
                span,
                message,
                "must have one of its names in the whole file",
            ));
        }
    }
}

pub(super) fn read_matrix(table: &DeTable<'_>, problems: &mut Problems) -> Vec<DraftAxis> {
    let mut axes = Vec::new();
    for entry in entries(table) {
        if let Some(client) = client_table(&entry, Table::Matrix) {
            for property in properties(client, Clients::Measured, problems) {
                let read = |item: &Node<'_>| client::read_value(property.key, item).map(Setting::Property);
                axes.extend(read_axis(
                    format!("{CLIENT}{}", property.key),
                    &property,
                    read,
                    problems,
                ));
            }
            continue;
        }
        if let Some(property) = producer_property(&entry, Table::Matrix) {
            if problems.keep(client::check_name(&property, Clients::Load)).is_some() {
                let read = |item: &Node<'_>| client::read_value(property.key, item).map(Setting::ProducerProperty);
                axes.extend(read_axis(entry.key.to_owned(), &entry, read, problems));
            }
            continue;
        }
        let Some(read) = key_in(Table::Matrix, entry.key).and_then(Key::setting) else {
            problems.add(unknown_key(&entry, Table::Matrix));
            continue;
        };
        let read = |item: &Node<'_>| read(item).map_err(|refusal| refusal.problem(entry.key, item));
        axes.extend(read_axis(entry.key.to_owned(), &entry, read, problems));
    }
    axes
}

fn read_axis(
    key: String,
    entry: &Entry<'_>,
    read: impl Fn(&Node<'_>) -> Result<Setting, Problem>,
    problems: &mut Problems,
) -> Option<DraftAxis> {
    let list = entry.value.get_ref().as_array().filter(|list| !list.is_empty());
    let Some(list) = list else {
        let shown = if is_suspicious(entry.key) {
            "this value".to_owned()
        } else {
            describe(entry.value)
        };
        let message = format!("`{}` in [matrix] cannot be {shown}", entry.key);
        let allowed = "must be a list with one value or more in [ ]";
        problems.add(Problem::new(entry.value.span(), message, allowed));
        return None;
    };
    let mut values: Vec<Given> = Vec::new();
    for item in list {
        let Some(setting) = problems.keep(read(item)) else {
            continue;
        };
        let text = setting.text();
        if values.iter().any(|other| other.setting.text() == text) {
            let message = format!("`{}` has the value {text} twice", entry.key);
            problems.add(Problem::new(item.span(), message, "must be there once"));
        }
        values.push(Given {
            key: key.clone(),
            key_span: entry.key_span.clone(),
            span: item.span(),
            setting,
        });
    }
    let key_span = entry.key_span.clone();
    (!values.is_empty()).then_some(DraftAxis { key, key_span, values })
}

/// What can only be seen with all tables read: a key in the matrix and in a case, a property under two names.
pub(super) fn check_together<'a>(draft: &'a Draft, problems: &mut Problems) {
    let cases = draft.cases.iter().flat_map(|case| &case.given);
    for given in cases
        .clone()
        .filter(|given| draft.axes.iter().any(|axis| axis.key == given.key))
    {
        let name = given.key.strip_prefix(CLIENT).unwrap_or(&given.key);
        let message = format!("`{name}` stands in [matrix] and in this case");
        let allowed = "must stand in one of them: the matrix gives each case all its values";
        problems.add(Problem::new(given.key_span.clone(), message, allowed));
    }
    let firsts = draft.axes.iter().filter_map(|axis| axis.values.first());
    let properties = draft.defaults.iter().chain(cases).chain(firsts);
    for start in [CLIENT, PRODUCER] {
        let name = |given: &'a Given| Some((given.key.strip_prefix(start)?, given.key_span.clone()));
        check_aliases(properties.clone().filter_map(name), problems);
    }
}
