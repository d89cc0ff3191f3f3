//! Reads what makes configurations: the settings of `[dataset]`, `[consumer]`, `[load]`, `[[case]]` and the lists of
//! `[matrix]`, all by the same declarations.

use toml::de::DeTable;

use super::events::read_events;
use super::properties::{measured_properties, properties};
use crate::clients::{ClientKind, ReadyMade};
use crate::scenario::client::{Clients, canonical, check_name, dotted_name, read_value, without_quotes};
use crate::scenario::document::{Entry, Node, describe, entries};
use crate::scenario::draft::DraftAxis;
use crate::scenario::keys::{
    CLIENT, CaseKeys, EVENT, FILL, PRODUCER, Parsed, Setting, Settings, TOPIC, Table, TableKeys as _, unknown_key,
};
use crate::scenario::model::PropertyValue;
use crate::scenario::problem::{Problem, Problems};
use crate::scenario::secrets::is_suspicious;
use crate::scenario::suggest::did_you_mean;
use crate::scenario::topic_settings;

/// Reads a value.
type ReadValue<'a> = Box<dyn Fn(&Node<'_>) -> Result<Parsed<Settings>, Problem> + 'a>;

/// Makes the source of a client's property, which has this key.
type PropertySource<'a> = fn(String, Entry<'a>) -> Source<'a>;

/// An entry that sets something, with the reader of its value.
struct Source<'a> {
    key: String,
    entry: Entry<'a>,
    read: ReadValue<'a>,
}

/// The settings of `[dataset]`, `[consumer]`, `[load]` or a case.
pub(super) fn read_settings(
    table: &DeTable<'_>,
    stands_in: Table,
    kinds: &[ClientKind],
    problems: &mut Problems,
) -> Vec<Setting<Settings>> {
    let mut settings = Vec::new();
    for entry in entries(table) {
        if (stands_in, entry.key) == (Table::Case, EVENT) {
            settings.extend(read_events(&entry, stands_in, problems));
            continue;
        }
        for Source { key, entry, read } in sources(&entry, stands_in, kinds, problems) {
            let parsed = problems.keep(read(entry.value));
            settings.extend(parsed.map(|parsed| Setting::new(key, &entry, entry.value, parsed)));
        }
    }
    settings
}

/// The keys of `[matrix]` with their values.
pub(super) fn read_matrix(table: &DeTable<'_>, kinds: &[ClientKind], problems: &mut Problems) -> Vec<DraftAxis> {
    let mut axes = Vec::new();
    for entry in entries(table) {
        for source in sources(&entry, Table::Matrix, kinds, problems) {
            axes.extend(read_axis(&source, problems));
        }
    }
    axes
}

/// What an entry sets: a key, or the properties in a table.
fn sources<'a>(entry: &Entry<'a>, stands_in: Table, kinds: &[ClientKind], problems: &mut Problems) -> Vec<Source<'a>> {
    if let Some(sources) = of_table(entry, stands_in, kinds, problems) {
        return sources;
    }
    let prefixed: [(&str, Clients, PropertySource<'a>); 2] = [
        (PRODUCER, Clients::Load, producer_property),
        (FILL, Clients::Filling, fill_property),
    ];
    for (prefix, clients, source) in prefixed {
        if let Some(name) = entry.key.strip_prefix(prefix)
            && matches!(stands_in, Table::Matrix | Table::Case)
        {
            let property = Entry {
                key: name,
                ..entry.clone()
            };
            let known = problems.keep(check_name(&property, clients));
            let source = known.map(|()| source(entry.key.to_owned(), property));
            return source.into_iter().collect();
        }
    }
    if let Some(declared) = Settings::key_in(stands_in, entry.key) {
        let name = entry.key;
        return vec![Source {
            key: name.to_owned(),
            entry: entry.clone(),
            read: Box::new(move |node| (declared.read)(node).map_err(|refusal| refusal.problem(name, node))),
        }];
    }
    if CaseKeys::key_in(stands_in, entry.key).is_none() {
        problems.add(unknown_key(entry, stands_in));
    }
    Vec::new()
}

/// The sources of an entry that is a table of properties or settings.
fn of_table<'a>(
    entry: &Entry<'a>,
    stands_in: Table,
    kinds: &[ClientKind],
    problems: &mut Problems,
) -> Option<Vec<Source<'a>>> {
    let table = entry.value.get_ref().as_table()?;
    let sources = match (entry.key, stands_in, ReadyMade::named(entry.key)) {
        ("client", Table::Load, _) => {
            let properties = properties(table, Clients::Load, problems).into_iter();
            let source = |property: Entry<'a>| producer_property(format!("{PRODUCER}{}", property.key), property);
            properties.map(source).collect()
        }
        ("client", Table::Dataset, _) => {
            let properties = properties(table, Clients::Filling, problems).into_iter();
            let source = |property: Entry<'a>| fill_property(format!("{FILL}{}", property.key), property);
            properties.map(source).collect()
        }
        ("client", ..) => {
            let kind_of = |name: &str| {
                let has = |kind: &&ClientKind| kind.property(name).is_some();
                *kinds
                    .iter()
                    .find(has)
                    .or(kinds.first())
                    .unwrap_or(&ClientKind::Librdkafka)
            };
            let mut sources = Vec::new();
            for property in measured_properties(table, kind_of, problems) {
                let kind = kind_of(property.key);
                sources.push(consumer_property(property, kind));
            }
            sources
        }
        (_, Table::Consumer | Table::Case, Some(which)) => {
            let properties = properties(table, Clients::Measured(which.recipe().kind), problems).into_iter();
            properties.map(|property| own_property(property, which)).collect()
        }
        ("topic", Table::Dataset, _) => {
            let sources = entries(table).into_iter().map(topic_setting);
            sources.filter_map(|source| problems.keep(source)).collect()
        }
        _ => return None,
    };
    Some(sources)
}

/// A property of the consumers of one ready-made client.
fn own_property(property: Entry<'_>, which: ReadyMade) -> Source<'_> {
    let set = move |settings: &mut Settings, name: String, value| {
        settings.own_properties.entry(which).or_default().insert(name, value);
    };
    let key = format!("{}.{}", which.name(), property.key);
    client_property(key, property, Clients::Measured(which.recipe().kind), set)
}

fn consumer_property(property: Entry<'_>, kind: ClientKind) -> Source<'_> {
    let set = |settings: &mut Settings, name: String, value| {
        settings.properties.insert(name, value);
    };
    client_property(
        format!("{CLIENT}{}", property.key),
        property,
        Clients::Measured(kind),
        set,
    )
}

fn producer_property(key: String, property: Entry<'_>) -> Source<'_> {
    let set = |settings: &mut Settings, name: String, value| {
        settings.producer_properties.insert(name, value);
    };
    client_property(key, property, Clients::Load, set)
}

/// A property of the producers that fill the data set. It decides what the data set is, so its value stands in the file.
fn fill_property(key: String, property: Entry<'_>) -> Source<'_> {
    let name = property.key;
    let read = move |node: &Node<'_>| {
        let PropertyValue::Literal(value) = read_value(Some(Clients::Filling.kind()), name, node)? else {
            let message = format!("`{name}` of a data set cannot come from outside of the scenario");
            let allowed = "must be written out: it is a part of what the data set is";
            return Err(Problem::new(node.span(), message, allowed));
        };
        let name = canonical(name).to_owned();
        Ok(Parsed {
            text: value.clone(),
            change: std::rc::Rc::new(move |settings: &mut Settings| {
                settings.fill_properties.insert(name.clone(), value.clone());
            }),
        })
    };
    Source {
        key,
        entry: property,
        read: Box::new(read),
    }
}

fn client_property(
    key: String,
    property: Entry<'_>,
    clients: Clients,
    set: impl Fn(&mut Settings, String, PropertyValue) + Copy + 'static,
) -> Source<'_> {
    let name = property.key;
    let read = move |node: &Node<'_>| {
        let value = read_value(Some(clients.kind()), name, node)?;
        let name = name.to_owned();
        Ok(Parsed {
            text: value.to_string(),
            change: std::rc::Rc::new(move |settings: &mut Settings| set(settings, name.clone(), value.clone())),
        })
    };
    Source {
        key,
        entry: property,
        read: Box::new(read),
    }
}

fn topic_setting(entry: Entry<'_>) -> Result<Source<'_>, Problem> {
    let name = entry.key;
    let values = topic_settings::values(name).ok_or_else(|| unknown_topic_setting(&entry))?;
    let read = move |node: &Node<'_>| {
        let value = values.literal(node).ok_or_else(|| {
            let message = format!("`{name}` of topics cannot be {}", describe(node));
            let problem = Problem::new(node.span(), message, format!("must be {}", values.allowed()));
            let compacted =
                "compaction would take records out of the data set; a compacted topic is read with topic = \"NAME\"";
            problem.maybe_help((name == "cleanup.policy").then(|| compacted.to_owned()))
        })?;
        let name = name.to_owned();
        Ok(Parsed {
            text: value.clone(),
            change: std::rc::Rc::new(move |settings: &mut Settings| {
                settings.of_topics.insert(name.clone(), value.clone());
            }),
        })
    };
    Ok(Source {
        key: format!("{TOPIC}{name}"),
        entry,
        read: Box::new(read),
    })
}

fn unknown_topic_setting(entry: &Entry<'_>) -> Problem {
    if let Some((name, end)) = dotted_name(entry) {
        return without_quotes(entry, &name, end).help(format!("write \"{name}\" = ..."));
    }
    let message = format!("topics of Kafka have no setting `{}`", entry.key);
    let allowed = "no such setting of topics in Apache Kafka 4.3";
    let help = did_you_mean(entry.key, topic_settings::names());
    Problem::new(entry.key_span.clone(), message, allowed).maybe_help(help)
}

fn read_axis(source: &Source<'_>, problems: &mut Problems) -> Option<DraftAxis> {
    // A property is named without its prefix.
    let Source { key, entry, read } = source;
    let is_prefixed = [PRODUCER, FILL].iter().any(|prefix| key.starts_with(prefix));
    let name = if is_prefixed { key } else { entry.key };
    let list = entry.value.get_ref().as_array().filter(|list| !list.is_empty());
    let Some(list) = list else {
        let value = if is_suspicious(name) {
            "this value".to_owned()
        } else {
            describe(entry.value)
        };
        let message = format!("`{name}` in [matrix] cannot be {value}");
        let allowed = "must be a list with one value or more in [ ]";
        problems.add(Problem::new(entry.value.span(), message, allowed));
        return None;
    };
    let mut values: Vec<Setting<Settings>> = Vec::new();
    for item in list {
        let Some(parsed) = problems.keep(read(item)) else {
            continue;
        };
        let setting = Setting::new(key.clone(), entry, item, parsed);
        if values.iter().any(|other| other.text == setting.text) {
            let message = format!("`{name}` has the value {} twice", setting.text);
            problems.add(Problem::new(item.span(), message, "must be there once"));
        }
        values.push(setting);
    }
    (!values.is_empty()).then(|| DraftAxis {
        key: key.clone(),
        key_span: entry.key_span.clone(),
        values,
    })
}
