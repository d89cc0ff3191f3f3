//! The flags: one for each key of these tables, and one for each table of properties.

use crate::clients::ClientKind;
use crate::scenario::client::read_value;
use crate::scenario::document::Node;
use crate::scenario::keys::{Default, FILL, Key, PRODUCER, Table, keys};
use crate::scenario::topic_settings;

/// The tables whose keys are flags. If two keys have the same name, the first is the flag: `records` is the data set's.
const TABLES: [Table; 8] = [
    Table::Dataset,
    Table::Consumer,
    Table::Load,
    Table::Store,
    Table::Trial,
    Table::Capacity,
    Table::Cluster,
    Table::Top,
];

/// The tables of properties.
const PROPERTIES: [Properties; 5] = [
    Properties {
        table: Table::Dataset,
        name: "topic",
        in_matrix: None,
        takes: |name, value| topic_settings::values(name).is_some_and(|values| values.literal(value).is_some()),
        example: "retention.ms=-1",
    },
    Properties::of_clients(Table::Dataset, Some(InMatrix::Prefix(FILL)), "batch.size=16384"),
    Properties::of_clients(Table::Consumer, Some(InMatrix::Table), "fetch.min.bytes=1,100000"),
    Properties::of_clients(Table::Load, Some(InMatrix::Prefix(PRODUCER)), "linger.ms=5"),
    Properties::of_clients(Table::Cluster, None, "security.protocol=ssl"),
];

/// How `[matrix]` has a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InMatrix {
    /// In a table of the same name.
    Table,
    /// Among the other keys, after this.
    Prefix(&'static str),
}

/// A table of properties within a table, such as `[consumer.client]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Properties {
    table: Table,
    pub(super) name: &'static str,
    pub(super) in_matrix: Option<InMatrix>,
    pub(super) takes: fn(&str, &Node<'_>) -> bool,
    pub(super) example: &'static str,
}

impl Properties {
    const fn of_clients(table: Table, in_matrix: Option<InMatrix>, example: &'static str) -> Self {
        Properties {
            table,
            name: "client",
            in_matrix,
            takes: |name, value| read_value(Some(ClientKind::Librdkafka), name, value).is_ok(),
            example,
        }
    }
}

/// A flag of the command line for a key of a scenario, for a table of properties, or for both where they share a name.
#[derive(Clone)]
pub struct SettingFlag {
    name: String,
    pub(super) table: Table,
    pub(super) key: Option<&'static Key>,
    pub(super) properties: Option<Properties>,
}

impl SettingFlag {
    /// Its name without the dashes before it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key's own name, if that is written in another way.
    pub fn alias(&self) -> Option<&'static str> {
        let name = self.key?.name;
        (name != self.name && name.replace('_', "-") == self.name).then_some(name)
    }

    /// The table of the scenario that it writes into.
    pub fn table(&self) -> Table {
        self.table
    }

    /// What stands for its value in help texts.
    pub fn value_name(&self) -> &'static str {
        match self.key {
            Some(_) if self.can_vary() => "VALUE,...",
            Some(_) => "VALUE",
            None => "NAME=VALUE",
        }
    }

    /// What it means, what it takes and what holds without it.
    pub fn help(&self) -> String {
        let properties = self.properties.map(|properties| {
            let (table, name) = (self.table.name(), properties.name);
            format!("NAME=VALUE of [{table}.{name}], such as {}", properties.example)
        });
        let Some(key) = self.key else {
            return properties.unwrap_or_default();
        };
        let default = match key.default {
            Default::Required => "made from the other flags".to_owned(),
            Default::Absent(_) | Default::Value(_) => key.default_text(),
        };
        let or = properties.map_or(String::new(), |properties| format!("; or {properties}"));
        let doc = key.doc.trim_end_matches('.');
        format!("{doc}; {}{or} [default: {default}]", key.allowed())
    }

    /// True for a key that `[matrix]` may have.
    pub(super) fn can_vary(&self) -> bool {
        self.key.is_some_and(|key| key.tables.contains(&Table::Matrix))
    }
}

/// A flag with a value, as the command line has it.
#[derive(Clone)]
pub struct GivenFlag {
    /// The flag.
    pub flag: SettingFlag,
    /// What it was given.
    pub value: String,
}

/// Every flag, by table.
pub fn setting_flags() -> Vec<SettingFlag> {
    let mut flags: Vec<SettingFlag> = Vec::new();
    for table in TABLES {
        for key in keys().filter(|key| key.tables.first() == Some(&table)) {
            let mut name = key.name.replace('_', "-");
            if table == Table::Store {
                // `--kind` and `--write` would say nothing.
                name = format!("{}-{name}", table.name());
            }
            if flags.iter().all(|flag| flag.name != name) {
                let properties = PROPERTIES
                    .iter()
                    .find(|each| each.table == table && each.name == key.name);
                flags.push(SettingFlag {
                    name,
                    table,
                    key: Some(key),
                    properties: properties.copied(),
                });
            }
        }
        let beside_keys = |each: &&Properties| {
            let shares_a_name = flags.iter().any(|flag| flag.table == table && flag.name == each.name);
            each.table == table && !shares_a_name
        };
        let alone: Vec<SettingFlag> = PROPERTIES
            .iter()
            .filter(beside_keys)
            .map(|properties| SettingFlag {
                name: format!("{}-{}", table.name(), properties.name),
                table,
                key: None,
                properties: Some(*properties),
            })
            .collect();
        flags.extend(alone);
    }
    flags
}
