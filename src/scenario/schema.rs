//! The JSON Schema of scenario files, for editors and other programs: made from the same list of keys and the same
//! kinds of value as the parser.

use serde_json::{Map, Value, json};

use crate::clients::ReadyMade;

use super::client::{Clients, definitions, measured_tables, names, own_table, property_schema, table_schema};
use super::keys::{Default, EVENT, FILL, Key, PRODUCER, Table, keys};
use super::reading::{BROKER, LOCAL_KEYS, objectives};
use super::topic_settings;

/// The JSON Schema (draft 2020-12) of a scenario file.
pub fn json_schema() -> Value {
    let mut schema = object(Table::Top);
    for table in Table::SINGLE {
        let mut inner = object(table);
        inner["description"] = description(table).into();
        schema["properties"][table.name()] = inner;
    }
    for table in Table::LISTS {
        let items = object(table);
        schema["properties"][table.name()] =
            json!({ "type": "array", "description": description(table), "items": items });
    }
    schema["$id"] = concat!("urn:tandem-kafka:scenario:", env!("CARGO_PKG_VERSION")).into();
    schema["$defs"] = definitions().into();
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "tandem scenario".into();
    schema["properties"]["trial"]["maxProperties"] = 1.into();
    let local = json!({ "anyOf": LOCAL_KEYS.map(|key| json!({ "required": [key] })) });
    schema["properties"]["cluster"]["not"] = json!({ "required": ["bootstrap"], "allOf": [local] });
    schema["properties"]["load"]["not"] = json!({ "required": ["rate", "mib_per_second"] });
    let bound = ["below", "above"].map(|name| json!({ "required": [name] }));
    schema["properties"]["require"]["items"]["oneOf"] = json!(bound);
    // One objective, or none where only programs are searched that speak nothing.
    let objective = |name| json!({ "required": [name] });
    let any = json!({ "anyOf": objectives().map(objective).collect::<Vec<_>>() });
    let one_or_none = objectives().map(objective).chain([json!({ "not": any })]);
    schema["properties"]["capacity"]["oneOf"] = one_or_none.collect();
    schema
}

fn description(table: Table) -> &'static str {
    match table {
        Table::Top => "A question about arrangements of Kafka consumers.",
        Table::Trial => "How long a trial is.",
        Table::Cluster => "The brokers to run against.",
        Table::Place => "Somewhere that worker processes can be started.",
        Table::Kubernetes => "The pods of a Kubernetes cluster in which worker processes run.",
        Table::App => "A program that can run in worker processes.",
        Table::Dataset => "What the topics are filled with.",
        Table::Consumer => "How records are read, where neither matrix nor case says otherwise.",
        Table::Load => "Records that arrive while they are read, where neither matrix nor case says otherwise.",
        Table::Store => "Where records are written to with work = \"store\".",
        Table::Capacity => "Asks for the highest rate at which response times stay within a limit.",
        Table::Require => "A condition on a figure, without which the run fails.",
        Table::Event => "Something that is done on purpose in each trial.",
        Table::Matrix => "Keys with lists of values: every combination with every case is a configuration.",
        Table::Case => "A named arrangement of consumers.",
    }
}

/// A table with its keys.
fn object(table: Table) -> Value {
    let keys: Vec<&Key> = keys().filter(|key| key.tables.contains(&table)).collect();
    let mut properties = Map::new();
    for key in &keys {
        let mut value = value_schema(key, table);
        value["description"] = key.doc.into();
        properties.insert(key.name.to_owned(), value);
    }
    let clients = match table {
        Table::Cluster => Some((Clients::All, "Client properties of every client of the run.")),
        Table::Dataset => Some((
            Clients::Filling,
            "Client properties of the producers that fill the data set.",
        )),
        Table::Load => Some((Clients::Load, "Client properties of the producers of load.")),
        _ => None,
    };
    if let Some((clients, description)) = clients {
        let mut client = table_schema(clients, false);
        client["description"] = description.into();
        properties.insert("client".to_owned(), client);
    }
    if table == Table::Cluster {
        properties.insert(BROKER.to_owned(), broker_properties());
    }
    if matches!(table, Table::Consumer | Table::Case) {
        for which in ReadyMade::ALL {
            let name = which.name();
            let mut own = own_table(which.recipe().kind);
            own["description"] = format!("Client properties of app = \"{name}\" alone.").into();
            properties.insert(name.to_owned(), own);
        }
    }
    if table == Table::Case {
        let events = json!({ "type": "array", "items": { "$ref": "#/properties/event/items" },
            "description": "What is done on purpose in each trial of the case, besides the events of all." });
        properties.insert(EVENT.to_owned(), events);
    }
    for nested in Table::NESTED {
        if let Some(name) = nested.name().strip_prefix(&format!("{}.", table.name())) {
            let mut inner = object(nested);
            inner["description"] = description(nested).into();
            properties.insert(name.to_owned(), inner);
        }
    }
    if table == Table::App {
        properties.insert("client".to_owned(), any_properties());
    }
    let required: Vec<&str> = keys
        .iter()
        .filter(|key| matches!(key.default, Default::Required))
        .map(|key| key.name)
        .collect();
    let mut schema =
        json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false });
    if matches!(table, Table::Matrix | Table::Case) {
        schema["patternProperties"] = producer_properties(table == Table::Matrix);
    }
    schema
}

/// What a key takes in a table. Only the first of its tables has that in full; others refer to it.
fn value_schema(key: &Key, table: Table) -> Value {
    const HAS_A_TABLE_TOO: &str = "client";
    let first = key.tables.first().map_or("", |first| first.name());
    let in_first = format!("#/properties/{first}/properties/{}", key.name);
    let listed = |items: Value| json!({ "type": "array", "minItems": 1, "uniqueItems": true, "items": items });
    match (table, key.name) {
        (Table::Matrix, HAS_A_TABLE_TOO) => {
            json!({ "anyOf": std::iter::once(listed(key.schema())).chain(measured_tables(true)).collect::<Vec<_>>() })
        }
        (Table::Matrix, _) => listed(json!({ "$ref": in_first })),
        (Table::Case, _) if key.tables.first() != Some(&Table::Case) => json!({ "$ref": in_first }),
        (_, HAS_A_TABLE_TOO) => {
            json!({ "anyOf": std::iter::once(key.schema()).chain(measured_tables(false)).collect::<Vec<_>>() })
        }
        (_, "topic") => json!({ "anyOf": [key.schema(), topic_settings::schema()] }),
        _ => key.schema(),
    }
}

/// Properties of a client whose names nobody knows here.
fn any_properties() -> Value {
    let value = json!({ "anyOf": [{ "type": ["string", "integer", "boolean"] }, { "$ref": "#/$defs/outside" }] });
    json!({ "type": "object", "description": "Client properties of the app, by its client's own names.",
        "additionalProperties": value })
}

/// Server properties, whose names depend on the version.
fn broker_properties() -> Value {
    json!({ "type": "object", "description": "Server properties of the brokers that tandem starts, by Kafka's names.",
        "additionalProperties": { "type": ["string", "integer", "number", "boolean"] } })
}

/// The properties of producers that stand among other keys, each by a pattern of its own.
fn producer_properties(list: bool) -> Value {
    let mut patterns = Map::new();
    for (prefix, clients) in [(PRODUCER, Clients::Load), (FILL, Clients::Filling)] {
        for name in names(clients) {
            let pattern = format!("^{prefix}{name}$").replace('.', "\\.");
            patterns.insert(pattern, property_schema(name, list));
        }
    }
    patterns.into()
}
